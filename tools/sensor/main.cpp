// SPDX-License-Identifier: MIT
// mldefender-sensor: packets in, scored events out. Reads arguments and configuration, sets up signals, starts a run.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <exception>
#include <map>
#include <string>
#include <vector>

#include <mldefender/core/version.hpp>

#include "options.hpp"
#include "run.hpp"

namespace {

using namespace mldefender;
using namespace mldefender::sensor;

/// An option that takes one of a few words. CLI11's own transformers show the numbers behind the words.
template <class Value>
void add_words(CLI::App& app, const std::string& name, Value& target, const std::map<std::string, Value>& words,
               const std::string& description) {
    std::vector<std::string> known;
    known.reserve(words.size());
    for (const auto& [word, value] : words) known.push_back(word);
    const auto set = [&target, words](const std::string& word) { target = words.at(word); };
    app.add_option_function<std::string>(name, set, description)->check(CLI::IsMember(known))->type_name("");
}

void describe(CLI::App& app, options& o, bool& check_only, bool& print_schema) {
    app.add_option("--pcap", o.files, "Capture files (pcap or pcapng), '-' for standard input")->type_name("FILE");
    app.add_option("--interface", o.interfaces, "Interfaces to listen on")->type_name("IF")->excludes("--pcap");
    app.add_option("--capture", "How to listen: pcap (libpcap)")->check(CLI::IsMember({"pcap"}))->needs("--interface");
    app.add_option("--events", o.events, "Directory for event lines and artifacts")->type_name("DIR");
    add_words<flow_logging>(
        app, "--log-flows", o.logging,
        {{"none", flow_logging::none}, {"alerts", flow_logging::alerts}, {"all", flow_logging::all}},
        "Flow lines besides the alerts: none, alerts (where the detectors disagree; default), all");
    app.add_option("--workers", o.workers, "Threads that share the work; the results are the same")
        ->check(CLI::Range(1, 64));
    app.add_option("--config", o.config, "JSON configuration; see docs/sensor.schema.json")->type_name("FILE");
    add_words<bool>(app, "--summary", o.json_summary, {{"text", false}, {"json", true}},
                    "Summary at the end: text (default) or json");
    app.add_flag("--check-config", check_only, "Check the configuration and stop");
    app.add_flag("--print-schema", print_schema, "Print the configuration's JSON Schema and stop");
    app.set_version_flag("--version", std::string{"mldefender-sensor "} + std::string{version});
}

void catch_signals() {
    struct sigaction action {};
    action.sa_handler = [](int) { stop_asked = 1; };
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    action.sa_handler = [](int) { reload_asked = 1; };
    sigaction(SIGHUP, &action, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

void write_schema() {
    settings::sensor_settings defaults;
    settings::binding keys;
    settings::bind(keys, defaults);
    fmt::print("{}", keys.json_schema("mldefender-sensor configuration"));
}

}  // namespace

int main(int argc, char** argv) try {
    options o;
    bool check_only = false;
    bool print_schema = false;
    CLI::App app{"Watches traffic, scores every flow, writes one complete event per decision."};
    describe(app, o, check_only, print_schema);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? exit_done : exit_misuse;
    }
    if (print_schema) return write_schema(), exit_done;
    auto configured = settings::load_sensor_settings(o.config);
    if (!configured) return say(configured.failure(), exit_misuse);
    o.configured = std::move(*configured);
    if (check_only) {
        if (auto found = check_files(o.configured); !found) return say(found.failure(), exit_misuse);
        fmt::print("{}: good\n", o.config.empty() ? "built-in defaults" : o.config);
        return exit_done;
    }
    if (o.files.empty() == o.interfaces.empty()) {
        fmt::print(stderr, "mldefender-sensor: name capture files with --pcap or interfaces with --interface\n");
        return exit_misuse;
    }
    catch_signals();
    return run{o}.start();
} catch (const std::exception& problem) {
    std::fprintf(stderr, "mldefender-sensor: %s\n", problem.what());
    return exit_failed;
}
