// SPDX-License-Identifier: MIT
// mldefender-forge: makes synthetic traffic and trains the forests on it. `train` writes the headers and bundles the
// sensor uses; `evaluate` measures them; `synth` writes a capture to look at; `import` reads models of other programs,
// `export` writes a bundle in another form; `inspect` shows what is inside one.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <mldefender/core/bundle.hpp>
#include <mldefender/core/version.hpp>
#include <mldefender/forge/detectors.hpp>
#include <mldefender/forge/export.hpp>
#include <mldefender/forge/rows.hpp>
#include <mldefender/forge/trainer.hpp>
#include <mldefender/pcap/file_writer.hpp>

#include "evaluate_command.hpp"
#include "import_command.hpp"
#include "progress.hpp"

namespace {

using namespace mldefender;
using namespace mldefender::forge;
using forge_tool::progress_line;

constexpr int exit_done = 0, exit_failed = 1, exit_misuse = 2;

int say(const error& e) {
    fmt::print(stderr, "mldefender-forge: {}\n", e.text());
    return exit_failed;
}

int report(const result<void, error>& done) {
    if (done) return exit_done;
    return say(done.failure()) == exit_failed && done.failure().code == errc::bad_argument ? exit_misuse : exit_failed;
}

struct train_options {
    row_settings rows;
    std::string headers = "include/mldefender/core/models";
    std::string bundles;
    std::string only;
    std::string save_rows;
    std::string load_rows;
    std::optional<double> false_alarms;      ///< per 10,000 ordinary flows; else the recipe's
    std::optional<double> false_alarm_cost;  ///< else the recipe's
    std::vector<std::string> class_weights;  ///< as parse_class_weight reads them
};

void print_report(const trained_model& t) {
    const training_report& r = t.report;
    fmt::print(
        "{:<11} {:>8} rows, {} nodes, {} features ({} dropped), AUC {:.5f}, Brier {:.5f}; of {} flows held out "
        "suspicious "
        "at {:.4f}: recall {:.4f}, false {:.6f}; malicious at {:.4f}: recall {:.4f}, false {:.6f}\n",
        t.model.name, r.rows, t.model.nodes.size(), t.model.inputs.size(), r.pruning.dropped.size(), r.area_under_roc,
        r.brier, r.flows_judged, t.model.suspicious, r.suspicious.recall, r.suspicious.false_positive_rate,
        t.model.malicious, r.malicious.recall, r.malicious.false_positive_rate);
}

/// "scan=2.5"; nothing when it is no class and factor.
std::optional<class_weight> parse_class_weight(const std::string& word) {
    const std::size_t at = word.find('=');
    if (at == std::string::npos) return std::nullopt;
    const auto label = parse_attack_class(word.substr(0, at));
    class_weight parsed{label.value_or(attack_class::none), 0};
    const auto end = std::from_chars(word.data() + at + 1, word.data() + word.size(), parsed.factor);
    const bool number = end.ec == std::errc{} && end.ptr == word.data() + word.size();
    if (!label || !number || !(parsed.factor >= 0.001 && parsed.factor <= 1'000)) return std::nullopt;
    return parsed;
}

/// The command that rebuilds a model, free of paths and thread counts, which do not change it.
std::string rebuild_command(const train_options& o) {
    std::string command = fmt::format("mldefender-forge train --seed {} --scenarios {}", o.rows.seed, o.rows.scenarios);
    if (o.false_alarms) command += fmt::format(" --false-alarms {}", *o.false_alarms);
    if (o.false_alarm_cost) command += fmt::format(" --false-alarm-cost {}", *o.false_alarm_cost);
    for (const std::string& weight : o.class_weights) command += " --class-weight " + weight;
    return command;
}

/// The recipe's settings with what the command line changes.
train_settings settings_for(const detector_recipe& recipe, const train_options& o) {
    train_settings s = settings_of(recipe, o.rows.seed, rebuild_command(o));
    s.threads = o.rows.threads;
    if (o.false_alarms) {
        s.malicious_budget *= *o.false_alarms / 10'000 / s.suspicious_budget;
        s.suspicious_budget = *o.false_alarms / 10'000;
    }
    if (o.false_alarm_cost) s.false_alarm_cost = *o.false_alarm_cost;
    for (const std::string& weight : o.class_weights) s.class_weights.push_back(*parse_class_weight(weight));
    return s;
}

result<dataset, error> gather(train_options& o) {
    if (!o.load_rows.empty()) return load_dataset(o.load_rows);
    progress_line line{"scenarios"};
    o.rows.progress = [&line](std::size_t done, std::size_t all) { line(done, all); };
    dataset data = collect_rows(o.rows);
    data.describe(fmt::format("{} synthetic scenarios, seed {}", o.rows.scenarios, o.rows.seed));
    if (!o.save_rows.empty()) {
        if (auto saved = save_dataset(data, o.save_rows); !saved) return saved.failure();
    }
    return data;
}

int train_all(train_options& o) {
    for (const std::string& directory : {o.headers, o.bundles}) {
        std::error_code unknown;
        if (directory.empty() || std::filesystem::is_directory(directory, unknown)) continue;
        return say({errc::not_found, "no such directory for the results; make it first", directory, 0});
    }
    auto data = gather(o);
    if (!data) return say(data.failure());
    for (const detector_recipe& recipe : shipped_detectors()) {
        if (!o.only.empty() && o.only != recipe.name) continue;
        train_settings settings = settings_for(recipe, o);
        progress_line line{settings.name};
        settings.progress = [&line](std::size_t done, std::size_t all) { line(done, all); };
        auto trained = train(*data, settings);
        if (!trained) return say(trained.failure());
        print_report(*trained);
        const std::string name{recipe.name};
        if (auto saved = save_header(trained->model, o.headers + "/" + name + ".hpp"); !saved)
            return say(saved.failure());
        if (o.bundles.empty()) continue;
        if (auto saved = save_bundle(trained->model, o.bundles + "/" + name + ".mldf"); !saved)
            return say(saved.failure());
    }
    return exit_done;
}

int write_capture(const row_settings& s, const std::string& path) {
    auto file = pcap::file_writer::open(path, link_type::ethernet);
    if (!file) return say(file.failure());
    constexpr std::int64_t pause_ns = 300'000'000'000;  // longer than any flow or window remembers
    std::uint64_t packets = 0;
    std::int64_t last_ns = 0;
    error failure;
    for (std::uint64_t i = 0; i < s.scenarios; ++i) {
        // Each scenario has a date of its own; in a file they follow each other.
        std::int64_t shift_ns = 0;
        bool begun = false;
        synthesise(s.scenario, s.seed, i, [&](const labelled_frame& f) {
            if (!begun && last_ns != 0) shift_ns = last_ns + pause_ns - f.timestamp_ns;
            begun = true;
            last_ns = f.timestamp_ns + shift_ns;
            const raw_packet raw{last_ns, f.data, f.wire_len, link_type::ethernet};
            if (auto written = file->write(raw); !written && failure.code == errc::ok) failure = written.failure();
            ++packets;
        });
    }
    if (failure.code != errc::ok) return say(failure);
    if (auto closed = file->close(); !closed) return say(closed.failure());
    fmt::print("{}: {} packets\n", path, packets);
    return exit_done;
}

int inspect(const std::string& path) {
    const auto model = load_bundle(path);
    if (!model) return say(model.failure());
    const model_data& m = model.value();
    fmt::print(
        "{} version {}, hash {}\nrebuilt by: {}\n{} trees, {} nodes; suspicious from {:.4f}, malicious from {:.4f}\n",
        m.name, m.version, m.hash, m.command, m.roots.size(), m.nodes.size(), m.suspicious, m.malicious);
    std::vector<std::pair<float, std::string>> inputs;
    for (std::size_t i = 0; i < m.inputs.size(); ++i) inputs.emplace_back(m.importance[i], m.inputs[i]);
    std::sort(inputs.rbegin(), inputs.rend());
    for (const auto& [importance, name] : inputs) fmt::print("  {:6.2f} %  {}\n", 100 * importance, name);
    return exit_done;
}

void add_source_options(CLI::App& app, row_settings& s) {
    app.add_option("--seed", s.seed, "Seed; the same seed gives the same bytes")->capture_default_str();
    app.add_option("--scenarios", s.scenarios, "Scenarios to synthesise")
        ->capture_default_str()
        ->check(CLI::Range(1, 1'000'000));
}

}  // namespace

int main(int argc, char** argv) try {
    CLI::App app{"Synthesises traffic and trains the forests on it."};
    app.set_version_flag("--version", std::string{"mldefender-forge "} + std::string{version});
    app.require_subcommand(1);

    train_options training;
    CLI::App* train_command = app.add_subcommand("train", "Train the four forests and write headers and bundles");
    add_source_options(*train_command, training.rows);
    train_command->add_option("--out", training.headers, "Directory of the headers")->capture_default_str();
    train_command->add_option("--bundles", training.bundles, "Directory of the bundles; none are written without it");
    train_command->add_option("--only", training.only, "Train one detector: ddos, ransomware, traffic or internal")
        ->check(CLI::IsMember({"ddos", "ransomware", "traffic", "internal"}));
    train_command->add_option("--threads", training.rows.threads,
                              "Threads, 0 for all; the result does not depend on it");
    train_command->add_option("--save-rows", training.save_rows, "Also keep the training rows in this file");
    train_command->add_option("--rows", training.load_rows, "Train on rows kept earlier instead of new ones");

    train_command
        ->add_option("--false-alarms", training.false_alarms,
                     "Suspicious flows allowed in 10,000 ordinary ones; malicious ones in proportion")
        ->check(CLI::Range(0.0, 10'000.0));
    train_command->add_option("--false-alarm-cost", training.false_alarm_cost, "Cost of a false alarm, in misses")
        ->check(CLI::Range(0.001, 1'000.0));
    train_command
        ->add_option("--class-weight", training.class_weights,
                     "CLASS=FACTOR on the weight of a class (none: ordinary); repeat for several")
        ->check([](const std::string& word) {
            return parse_class_weight(word) ? std::string{} : "must be CLASS=FACTOR, FACTOR 0.001 to 1000: " + word;
        });

    row_settings synthesis;
    synthesis.scenarios = 1;
    std::string capture;
    CLI::App* synth_command = app.add_subcommand("synth", "Write synthetic traffic as a capture file");
    add_source_options(*synth_command, synthesis);
    synth_command->add_option("--out", capture, "Capture file to write")->required();

    forge_tool::evaluate_options evaluation;
    CLI::App* evaluate_command = forge_tool::add_evaluate(app, evaluation);

    std::string bundle;
    CLI::App* inspect_command = app.add_subcommand("inspect", "Show what is inside a model bundle");
    inspect_command->add_option("bundle", bundle, "The .mldf file")->required();

    forge_tool::import_command importing{app};
    forge_tool::export_command exporting{app};

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? exit_done : exit_misuse;
    }
    if (train_command->parsed()) return train_all(training);
    if (synth_command->parsed()) return write_capture(synthesis, capture);
    if (importing.parsed()) return report(importing.run());
    if (exporting.parsed()) return report(exporting.run());
    if (evaluate_command->parsed()) return report(forge_tool::evaluate(evaluation));
    return inspect(bundle);
} catch (const std::exception& problem) {
    std::fprintf(stderr, "mldefender-forge: %s\n", problem.what());
    return exit_failed;
}
