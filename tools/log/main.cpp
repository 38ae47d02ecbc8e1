// SPDX-License-Identifier: MIT
// mldefender-log: looks into what a sensor wrote. `verify` follows the hash chain, `show` prints events one per line
// for people, `artifact` prints the evidence of one event as JSON. Reads only.
// Exit 0: done, the log is intact; 1: the chain is broken or something could not be read; 2: wrong use.
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include <mldefender/core/version.hpp>
#include <mldefender/log/artifact.hpp>
#include <mldefender/log/event_reader.hpp>
#include <mldefender/log/verify.hpp>

namespace {

using namespace mldefender;

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

int failed(const error& why) {
    std::fprintf(stderr, "mldefender-log: %s\n", why.text().c_str());
    return 1;
}

int verify(const std::string& directory, const std::string& key_path) {
    const auto report = log::verify_directory(directory, key_path);
    if (!report) return failed(report.failure());
    std::string text = std::to_string(report->lines) + " lines fit the chain";
    if (report->lines > 0) {
        text += ", seq " + std::to_string(report->first_seq) + " to " + std::to_string(report->last_seq) +
                ", last link " + std::string{report->last_link.begin(), report->last_link.end()};
    }
    text += '\n';
    if (report->starts_late) {
        text += "note: lines before seq " + std::to_string(report->first_seq) +
                " are not here; the first line's own link cannot be checked\n";
    }
    if (report->lost_by_sensor > 0) {
        text +=
            "note: " + std::to_string(report->lost_by_sensor) + " lines were lost by the sensor itself (disk full)\n";
    }
    if (report->torn_tail) text += "note: the last line is unfinished\n";
    if (!report->broken) {
        print(text + "intact\n");
        return 0;
    }
    print(text + report->broken->where + ": " + report->broken->what + "\n" +
          std::string{name_of(report->broken->kind)} + '\n');
    return 1;
}

/// Control characters would let a logged text play with the terminal.
std::string printable(std::string_view text) {
    std::string out{text};
    for (char& c : out) {
        if (static_cast<unsigned char>(c) < 0x20 || c == '\x7f') c = '?';
    }
    return out;
}

void show_event(const log::event_record& r) {
    std::array<char, 32> time{};
    const std::string_view when = log::text_cursor{time.data()}.timestamp(r.event.timestamp_ns).view();
    std::string line{when.substr(0, 10)};
    line.append(" ").append(when.substr(11, 12)).append(" ");
    const auto column = [&line](std::string_view word, std::size_t width) {
        line.append(word).append(word.size() < width ? width - word.size() : 0, ' ').push_back(' ');
    };
    column(name_of(r.event.kind), 5);
    column(name_of(r.event.priority), 8);
    column(name_of(r.event.verdict), 10);
    column(name_of(r.event.attack_class), 10);
    line.append(printable(r.summary)).push_back('\n');
    print(line);
}

int show(const std::string& path, bool alerts_only) {
    struct stat found {};
    std::vector<std::string> files{path};
    if (::stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode)) {
        auto listed = log::event_files(path);
        if (!listed) return failed(listed.failure());
        files = std::move(*listed);
    }
    for (const std::string& file : files) {
        const auto read = log::for_each_event(file, [&](const log::event_record& r, const log::log_file&) {
            if (!alerts_only || r.event.kind == event_kind::alert) show_event(r);
        });
        if (!read) return failed(read.failure());
    }
    return 0;
}

int artifact(const std::string& path) {
    const auto text = log::read_artifact(path);
    if (!text) return failed(text.failure());
    print(*text);
    return 0;
}

}  // namespace

int main(int argc, char** argv) try {
    CLI::App app{"Looks into the events a sensor wrote"};
    app.set_version_flag("--version", std::string{"mldefender-log "} + std::string{version});
    app.require_subcommand(1);
    std::string path;
    std::string key_path;
    bool alerts_only = false;
    auto* const verify_command =
        app.add_subcommand("verify", "Follow the hash chain; name the first line that breaks it");
    verify_command->add_option("DIR", path, "Directory of the events")->required();
    verify_command->add_option("--key", key_path, "Key of the chain (DIR/.chain.key)");
    auto* const show_command = app.add_subcommand("show", "Print events, one line each");
    show_command->add_option("PATH", path, "Directory of the events, or one .jsonl file")->required();
    show_command->add_flag("--alerts", alerts_only, "Leave out flow lines");
    auto* const artifact_command = app.add_subcommand("artifact", "Print the evidence of one event as JSON");
    artifact_command->add_option("FILE", path, "A .mlda file")->required();
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& problem) {
        return app.exit(problem) == 0 ? 0 : 2;
    }
    if (verify_command->parsed()) return verify(path, key_path);
    return show_command->parsed() ? show(path, alerts_only) : artifact(path);
} catch (const std::exception& problem) {
    std::fprintf(stderr, "mldefender-log: %s\n", problem.what());
    return 1;
}
