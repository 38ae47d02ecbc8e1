// SPDX-License-Identifier: MIT
// `mldefender-forge evaluate`: gathers rows of known labels that no model was trained on, lets the library measure, and
// prints the tables and writes the pictures. Included by main.cpp.
#pragma once

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <mldefender/core/bundle.hpp>
#include <mldefender/core/models/ddos.hpp>
#include <mldefender/core/models/internal.hpp>
#include <mldefender/core/models/ransomware.hpp>
#include <mldefender/core/models/traffic.hpp>
#include <mldefender/forge/captures.hpp>
#include <mldefender/forge/chart.hpp>
#include <mldefender/forge/evaluation.hpp>
#include <mldefender/forge/rows.hpp>
#include <mldefender/pcap/file_reader.hpp>

#include "progress.hpp"

namespace forge_tool {

using namespace mldefender;
using namespace mldefender::forge;

/// What the command line asks for.
struct evaluate_options {
    row_settings rows;
    std::vector<std::string> models;  ///< bundles; none: the built-in models
    std::string load_rows;
    std::string captures;
    std::string root = ".";
    std::string pictures;
    bool importance = false;
};

inline CLI::App* add_evaluate(CLI::App& app, evaluate_options& o) {
    o.rows.seed = 1'000'003;
    o.rows.scenarios = 400;
    o.rows.limits = {1000, 300, 60};
    CLI::App* c = app.add_subcommand("evaluate", "Measure models on labelled traffic they were not trained on");
    c->add_option("--model", o.models, "A bundle to measure; repeat for several; without it the built-in models");
    c->add_option("--seed", o.rows.seed, "Seed of the synthetic scenarios; not one a model was trained with")
        ->capture_default_str();
    c->add_option("--scenarios", o.rows.scenarios, "Synthetic scenarios")
        ->capture_default_str()
        ->check(CLI::Range(1, 1'000'000));
    auto* rows = c->add_option("--rows", o.load_rows, "Measure on rows kept earlier instead");
    c->add_option("--captures", o.captures,
                  "Measure on the captures of this list instead: path, family, label, "
                  "attack_scope, separated by tabs")
        ->excludes(rows);
    c->add_option("--root", o.root, "Where the paths of the list begin")->capture_default_str();
    c->add_option("--pictures", o.pictures, "Also write reliability.svg, confusion.svg and importance.svg here");
    c->add_flag("--importance", o.importance, "Also print what each feature is worth, by permutation");
    c->add_option("--threads", o.rows.threads, "Threads, 0 for all; the result does not depend on it");
    return c;
}

inline result<std::vector<bundle_forest>, error> models_to_measure(const evaluate_options& o) {
    std::vector<model_data> data;
    if (o.models.empty()) {
        data = {copy_model<models::ddos>(), copy_model<models::ransomware>(), copy_model<models::traffic>(),
                copy_model<models::internal>()};
    }
    for (const std::string& path : o.models) {
        auto loaded = load_bundle(path);
        if (!loaded) return loaded.failure();
        data.push_back(std::move(*loaded));
    }
    std::vector<bundle_forest> forests;
    const bool synthetic = o.load_rows.empty() && o.captures.empty();
    for (model_data& model : data) {
        if (synthetic && model.seed == o.rows.seed) {
            return error{errc::bad_argument,
                         fmt::format("'{}' was trained with this seed; measuring needs another one", model.name),
                         "--seed", 0};
        }
        auto made = bundle_forest::make(std::move(model));
        if (!made) return made.failure();
        forests.push_back(std::move(*made));
    }
    return forests;
}

inline result<dataset, error> capture_rows(const evaluate_options& o) {
    std::ifstream file{o.captures, std::ios::binary};
    if (!file) return error{errc::not_found, "cannot open the list of captures", o.captures, 0};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    const auto list = parse_capture_list(text, o.captures);
    if (!list) return list.failure();
    dataset data = feature_dataset();
    progress_line line{"captures"};
    for (std::size_t i = 0; i < list->size(); ++i) {
        const capture_entry& entry = (*list)[i];
        auto reader = pcap::file_reader::open((std::filesystem::path{o.root} / entry.path).string());
        if (!reader) return reader.failure();
        constexpr sample_limits everything{1'000'000, 1'000'000, 1'000};
        const auto rows = rows_of_packets(
            everything, entry, [&](raw_packet& raw) { return reader->next(raw) == pcap::read_status::packet; });
        if (reader->failed()) return reader->failure();
        add_rows(data, rows, static_cast<std::uint32_t>(i));
        line(i + 1, list->size());
    }
    data.describe(fmt::format("{} captures of {}", list->size(), o.captures));
    return data;
}

inline result<dataset, error> rows_to_measure(evaluate_options& o) {
    if (!o.captures.empty()) return capture_rows(o);
    if (!o.load_rows.empty()) return load_dataset(o.load_rows);
    progress_line line{"scenarios"};
    o.rows.progress = [&line](std::size_t done, std::size_t all) { line(done, all); };
    dataset data = collect_rows(o.rows);
    data.describe(fmt::format("{} synthetic scenarios, seed {}", o.rows.scenarios, o.rows.seed));
    return data;
}

inline void print_sources(const std::vector<source_result>& results, const std::vector<bundle_forest>& models) {
    for (const bool attack : {false, true}) {
        fmt::print("\n{:<22}{:>9}{:>12}{:>11}{:>12}", attack ? "attack" : "ordinary", "flows", "suspicious",
                   "malicious", "episodes");
        fmt::print("{:>9}{:>19}{}\n", attack ? "found %" : "per 10k", "95 %", attack ? "     AUC  by" : "");
        for (const source_result& r : results) {
            if (r.attack != attack) continue;
            const double unit = attack ? 100 : 10'000;
            fmt::print("{:<22}{:>9}{:>12}{:>11}{:>12}", r.name.empty() ? "all" : r.name, r.flows, r.suspicious,
                       r.malicious, fmt::format("{}/{}", r.seen, r.episodes));
            const std::string interval = fmt::format("{:.1f} .. {:.1f}", unit * r.flagged.low, unit * r.flagged.high);
            if (!attack) {
                fmt::print("{:>9.1f}{:>19}\n", unit * r.flagged.rate, interval);
                continue;
            }
            fmt::print("{:>9.1f}{:>19}{:>8.4f} ", unit * r.flagged.rate, interval, r.area_under_roc);
            for (std::size_t m = 0; m < models.size(); ++m) {
                if (r.by_model[m] > 0) fmt::print(" {} {}", models[m].name(), r.by_model[m]);
            }
            fmt::print("\n");
        }
    }
}

inline std::vector<std::vector<feature_worth>> print_models(const dataset& data,
                                                            const std::vector<bundle_forest>& models,
                                                            const evaluate_options& o,
                                                            std::vector<reliability_series>& series) {
    std::vector<std::vector<feature_worth>> worths;
    std::fflush(stdout);
    fmt::print("\n{:<22}{:>9}{:>10}{:>9}{:>9}   of rows, a fifth of the weight on attacks\n", "model", "rows", "AUC",
               "Brier", "ECE");
    progress_line line{"models"};
    for (const bundle_forest& model : models) {
        const model_rows rows = rows_for(data, model, 0.2, o.rows.threads);
        if (rows.rows.empty()) {
            fmt::print("{:<22}{:>9}   the rows lack its classes, or ordinary ones\n", model.name(), 0);
            line(worths.size() + 1, models.size());
            worths.emplace_back();
            continue;
        }
        const auto bins = reliability_of(rows.judged, model.model().calibration);
        fmt::print("{:<22}{:>9}{:>10.5f}{:>9.5f}{:>9.5f}\n", model.name(), rows.rows.size(),
                   area_under_roc(rows.judged), brier_score(rows.judged, model.model().calibration),
                   calibration_error(bins));
        reliability_series& one = series.emplace_back();
        one.name = model.name();
        for (const reliability_bin& bin : bins) one.points.push_back({bin.confidence, bin.observed, bin.weight});
        worths.emplace_back();
        if (o.importance || !o.pictures.empty()) {
            worths.back() = permutation_importance(data, model, rows, 30'000, o.rows.seed, o.rows.threads);
        }
        line(worths.size(), models.size());
    }
    return worths;
}

inline result<void, error> write_picture(const std::string& directory, const char* name, const std::string& svg) {
    const std::string path = (std::filesystem::path{directory} / name).string();
    std::ofstream out{path, std::ios::binary};
    out << svg;
    out.close();
    if (!out) return error{errc::io, "cannot write the picture", path, 0};
    return {};
}

inline result<void, error> write_pictures(const std::string& directory, const std::string& about,
                                          const confusion_counts& counts, const std::vector<reliability_series>& series,
                                          const std::vector<bundle_forest>& models,
                                          const std::vector<std::vector<feature_worth>>& worths) {
    std::vector<std::size_t> shown;
    for (std::size_t c = 0; c < attack_class_count; ++c) {
        std::size_t any = 0;
        for (std::size_t other = 0; other < attack_class_count; ++other) any += counts[c][other] + counts[other][c];
        if (any > 0) shown.push_back(c);
    }
    std::vector<std::string> names;
    std::vector<std::vector<std::size_t>> cells;
    for (const std::size_t c : shown) {
        names.emplace_back(c == 0 ? "ordinary" : attack_descriptions[c].name);
        for (cells.emplace_back(); const std::size_t other : shown) cells.back().push_back(counts[c][other]);
    }
    std::vector<bar_panel> panels;
    for (std::size_t m = 0; m < models.size(); ++m) {
        panels.push_back({std::string{models[m].name()}, {}});
        for (std::size_t i = 0; i < std::min<std::size_t>(12, worths[m].size()); ++i) {
            panels.back().bars.push_back({worths[m][i].name, worths[m][i].worth});
        }
    }
    if (auto done = write_picture(directory, "reliability.svg", reliability_diagram(series, about)); !done) return done;
    if (auto done = write_picture(directory, "confusion.svg", confusion_matrix(names, cells, about)); !done)
        return done;
    return write_picture(
        directory, "importance.svg",
        bar_chart(panels, "What a feature is worth", "area under the ROC curve lost without it", about));
}

/// Runs it; the caller prints the error.
inline result<void, error> evaluate(evaluate_options& o) {
    std::error_code unknown;
    if (!o.pictures.empty() && !std::filesystem::is_directory(o.pictures, unknown)) {
        return error{errc::not_found, "no such directory for the pictures; make it first", o.pictures, 0};
    }
    const auto models = models_to_measure(o);
    if (!models) return models.failure();
    const auto data = rows_to_measure(o);
    if (!data) return data.failure();
    if (auto fits = check_columns(*data); !fits) return fits.failure();
    const auto flows = judge_flows(*data, *models, o.rows.threads);
    std::fflush(stderr);
    fmt::print("{}: {} rows, {} flows\n", data->description(), data->rows(), flows.size());
    print_sources(results_by_source(*data, flows, models->size()), *models);
    std::vector<reliability_series> series;
    const auto worths = print_models(*data, *models, o, series);
    for (std::size_t m = 0; o.importance && m < worths.size(); ++m) {
        fmt::print("\n{}: area under the ROC curve lost when a feature is shuffled\n", (*models)[m].name());
        for (const feature_worth& w : worths[m]) fmt::print("  {:9.6f}  {}\n", w.worth, w.name);
    }
    if (o.pictures.empty()) return {};
    return write_pictures(o.pictures, data->description(), confusion_of(flows), series, *models, worths);
}

}  // namespace forge_tool
