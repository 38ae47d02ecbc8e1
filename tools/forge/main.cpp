// SPDX-License-Identifier: MIT
// mldefender-forge: makes synthetic traffic and trains the forests on it. `train` writes the headers and bundles the
// sensor uses; `synth` writes a capture to look at; `import` reads models of other programs, `export` writes a bundle
// in another form; `inspect` shows what is inside one.
#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <mldefender/core/bundle.hpp>
#include <mldefender/core/version.hpp>
#include <mldefender/forge/detectors.hpp>
#include <mldefender/forge/export.hpp>
#include <mldefender/forge/rows.hpp>
#include <mldefender/forge/trainer.hpp>
#include <mldefender/pcap/file_writer.hpp>

#include "import_command.hpp"

namespace {

using namespace mldefender;
using namespace mldefender::forge;

constexpr int exit_done = 0, exit_failed = 1, exit_misuse = 2;

int say(const error& e) {
    fmt::print(stderr, "mldefender-forge: {}\n", e.text());
    return exit_failed;
}

int report(const result<void, error>& done) {
    if (done) return exit_done;
    return say(done.failure()) == exit_failed && done.failure().code == errc::bad_argument ? exit_misuse : exit_failed;
}

/// "what: done of all, seconds left", in place on a terminal, now and then elsewhere.
class progress_line {
public:
    explicit progress_line(std::string what) : m_what(std::move(what)) {}
    void operator()(std::size_t done, std::size_t all) {
        const auto now = std::chrono::steady_clock::now();
        const bool last = done == all;
        if (!last && now - m_shown < (m_terminal ? std::chrono::milliseconds{200} : std::chrono::milliseconds{10'000}))
            return;
        m_shown = now;
        const double elapsed = std::chrono::duration<double>(now - m_started).count();
        const double left = elapsed / static_cast<double>(done) * static_cast<double>(all - done);
        fmt::print(stderr, "{}{}: {} of {}, {:.0f} s left{}", m_terminal ? "\r\033[K" : "", m_what, done, all, left,
                   m_terminal && !last ? "" : "\n");
        std::fflush(stderr);
    }

private:
    std::string m_what;
    bool m_terminal = ::isatty(STDERR_FILENO) == 1;
    std::chrono::steady_clock::time_point m_started = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point m_shown = m_started;
};

struct train_options {
    row_settings rows;
    std::string headers = "include/mldefender/core/models";
    std::string bundles;
    std::string only;
    std::string save_rows;
    std::string load_rows;
};

void print_report(const trained_model& t) {
    const training_report& r = t.report;
    fmt::print(
        "{:<11} {:>8} rows, {} nodes, AUC {:.5f}; suspicious at {:.3f}: recall {:.4f}, false {:.6f}; malicious at "
        "{:.3f}: recall {:.4f}, false {:.6f}\n",
        t.model.name, r.rows, t.model.nodes.size(), r.area_under_roc, t.model.suspicious, r.suspicious.recall,
        r.suspicious.false_positive_rate, t.model.malicious, r.malicious.recall, r.malicious.false_positive_rate);
}

/// The command that rebuilds a model, free of paths and thread counts, which do not change it.
std::string rebuild_command(const train_options& o) {
    return fmt::format("mldefender-forge train --seed {} --scenarios {}", o.rows.seed, o.rows.scenarios);
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
        train_settings settings = settings_of(recipe, o.rows.seed, rebuild_command(o));
        settings.threads = o.rows.threads;
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

    row_settings synthesis;
    synthesis.scenarios = 1;
    std::string capture;
    CLI::App* synth_command = app.add_subcommand("synth", "Write synthetic traffic as a capture file");
    add_source_options(*synth_command, synthesis);
    synth_command->add_option("--out", capture, "Capture file to write")->required();

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
    return inspect(bundle);
} catch (const std::exception& problem) {
    std::fprintf(stderr, "mldefender-forge: %s\n", problem.what());
    return exit_failed;
}
