// SPDX-License-Identifier: MIT
// The two loops of the sensor: through capture files, and on live interfaces until a signal ends it. Both take bursts
// from a source, give them to the pipeline, and show where they are.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <mldefender/pcap/file_reader.hpp>
#include <mldefender/pcap/live_capture.hpp>

#include "detector.hpp"
#include "options.hpp"
#include "progress.hpp"

namespace mldefender::sensor {

/// Set by signal handlers, read by the loops.
inline volatile std::sig_atomic_t stop_asked = 0, reload_asked = 0;

inline int say(const error& e, int code) {
    fmt::print(stderr, "mldefender-sensor: {}\n", e.text());
    return code;
}

/// One run: owns the parts, counts what the pipeline cannot know.
class run {
public:
    explicit run(const options& o) : m_options(o) {}

    int start() {
        if (auto ready = assemble(m_parts, m_options); !ready) return say(ready.failure(), exit_failed);
        m_burst.resize(detector::burst_capacity);
        const int code = m_options.interfaces.empty() ? read_files() : watch_interfaces();
        m_progress.clear();
        if (code != exit_done && m_packets == 0) return code;  // a table of zeros would only hide the error
        m_parts.detect->finish();
        return std::max(code, conclude());
    }

private:
    void take(std::size_t count, std::uint16_t interface_index) {
        const auto before = std::chrono::steady_clock::now();
        const std::span<const raw_packet> packets{m_burst.data(), count};
        if (m_first_ns == 0 && count > 0) m_first_ns = packets.front().timestamp_ns;
        m_parts.detect->consume(packets, interface_index);
        m_packets += count;
        const auto took = std::chrono::steady_clock::now() - before;
        m_parts.report.note_burst(
            count, static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(took).count()));
        if (reload_asked != 0) reload();
    }

    // --- files

    int read_files() {
        std::uint16_t index = 0;
        for (const std::string& path : m_options.files) {
            if (stop_asked != 0) break;
            auto opened = pcap::file_reader::open(path);
            if (!opened) return say(opened.failure(), exit_failed);
            pcap::file_reader& reader = *opened;
            reader.end_when(&stop_asked);
            while (stop_asked == 0) {
                const std::size_t count = reader.read_burst(m_burst);
                if (count == 0) break;
                take(count, index);
                if (m_progress.due()) {
                    m_progress.show(m_progress.file_line(m_packets, reader.bytes_read(), reader.bytes_total()));
                }
            }
            if (reader.failed() && stop_asked == 0) {
                m_progress.clear();
                return say(reader.failure(), exit_failed);
            }
            ++index;
        }
        return exit_done;
    }

    // --- interfaces

    [[nodiscard]] pcap::live_options live_options() const {
        const settings::sensor_settings& s = m_options.configured;
        pcap::live_options live;
        live.promiscuous = s.promiscuous;
        live.buffer_bytes = s.buffer_mb << 20;
        live.snap_len = s.snap_len;
        live.filter = s.filter;
        return live;
    }

    /// An interface and what came from it.
    struct watched {
        pcap::live_capture capture;
        std::uint64_t taken = 0;                             ///< packets, from this capture
        std::chrono::steady_clock::time_point look_again{};  ///< when the interface is lost; zero while it is there

        [[nodiscard]] bool lost() const { return look_again != std::chrono::steady_clock::time_point{}; }
        [[nodiscard]] std::uint64_t drops() {
            const pcap::live_counters counted = capture.counters();
            return counted.dropped + counted.dropped_by_interface;
        }
    };

    int watch_interfaces() {
        for (const std::string& name : m_options.interfaces) {
            auto opened = pcap::live_capture::open(name, live_options());
            if (!opened) return say(opened.failure(), exit_failed);
            m_watched.push_back({std::move(*opened)});
        }
        for (const std::string& name : m_options.interfaces) fmt::print(stderr, "capturing on {}\n", name);
        std::fflush(stderr);
        while (stop_asked == 0) {
            watch_once();
            if (reload_asked != 0) reload();
            if (m_progress.due()) m_progress.show(live_line());
        }
        drain();
        return exit_done;
    }

    /// One burst of each interface; the first one is waited for, so that an idle sensor sleeps.
    void watch_once() {
        std::chrono::milliseconds wait{20};
        for (std::size_t i = 0; i < m_watched.size(); ++i) {
            if (m_watched[i].lost() && !reopen(i)) continue;
            take_from(i, std::exchange(wait, {}));
            if (m_watched[i].capture.failed()) lose(i);
        }
        std::this_thread::sleep_for(wait);  // when every interface is lost
        m_parts.detect->set_drops(drops());
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        // Packets of this moment may still be on their way from the kernel.
        m_parts.detect->advance(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count() - 100'000'000);
    }

    void take_from(std::size_t i, std::chrono::milliseconds wait) {
        const std::size_t count = m_watched[i].capture.read_burst(m_burst, wait);
        m_watched[i].taken += count;
        if (count > 0) take(count, static_cast<std::uint16_t>(i));
    }

    /// Takes what the kernel has counted but not yet handed over (it does so in blocks) when the run is to end.
    void drain() {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{1};
        for (std::size_t i = 0; i < m_watched.size(); ++i) {
            watched& w = m_watched[i];
            const pcap::live_counters counted = w.capture.counters();
            while (!w.lost() && w.taken + counted.dropped < counted.received && std::chrono::steady_clock::now() < end)
                take_from(i, std::chrono::milliseconds{20});
        }
    }

    /// An interface went away: the others go on, and this one is looked for every second.
    void lose(std::size_t i) {
        m_progress.clear();
        say(m_watched[i].capture.failure(), 0);
        m_watched[i].look_again = std::chrono::steady_clock::now() + std::chrono::seconds{1};
    }

    /// True when the interface is there again.
    bool reopen(std::size_t i) {
        watched& w = m_watched[i];
        const auto now = std::chrono::steady_clock::now();
        if (now < w.look_again) return false;
        w.look_again = now + std::chrono::seconds{1};
        auto opened = pcap::live_capture::open(m_options.interfaces[i], live_options());
        if (!opened) return false;
        m_earlier_drops += w.drops();
        w = {std::move(*opened)};
        m_progress.clear();
        fmt::print(stderr, "capturing on {} again\n", m_options.interfaces[i]);
        return true;
    }

    [[nodiscard]] std::uint64_t drops() {
        std::uint64_t sum = m_earlier_drops;
        for (watched& w : m_watched) sum += w.drops();
        return sum;
    }

    [[nodiscard]] std::string live_line() {
        const statistics s = m_parts.detect->totals();
        const double rate =
            static_cast<double>(s.packets - m_shown_packets) / std::max(1e-3, m_progress.seconds() - m_shown_at);
        m_shown_packets = s.packets;
        m_shown_at = m_progress.seconds();
        return fmt::format("{:.0f} packets/s, {} flows, {} open stories, {} alerts, {} dropped", rate,
                           m_parts.detect->active_flows(), m_parts.detect->open_stories(), s.alerts, drops());
    }

    /// Rereads rules and thresholds; a document with a mistake changes nothing.
    void reload() {
        reload_asked = 0;
        m_progress.clear();
        auto again = settings::load_sensor_settings(m_options.config);
        if (!again) {
            say(again.failure(), 0);
            fmt::print(stderr, "mldefender-sensor: the configuration stays as it was\n");
            return;
        }
        const pipeline_options fresh = settings::to_options(*again);
        m_parts.detect->set_rules(fresh.rules, fresh.thresholds);
        fmt::print(stderr, "mldefender-sensor: rules and thresholds reread; other changes need a restart\n");
    }

    // --- the end

    int conclude() {
        int code = exit_done;
        log::run_facts facts;
        if (m_parts.events) {
            if (auto flushed = m_parts.events->flush(); !flushed) code = say(flushed.failure(), exit_failed);
            const log::async_log_counters counted = m_parts.events->counters();
            facts.lines_lost = m_parts.events_sink->handed() - counted.log.lines;
            facts.artifacts = counted.log.artifacts;
            if (facts.lines_lost > 0 && m_options.interfaces.empty()) code = exit_failed;
        }
        facts.seconds = m_progress.seconds();
        facts.capture_seconds = m_first_ns == 0 ? 0 : static_cast<double>(m_parts.detect->now_ns() - m_first_ns) * 1e-9;
        facts.capture_drops = drops();
        facts.events_directory = m_options.events;
        const statistics s = m_parts.detect->totals();
        const log::run_report& report = m_parts.report;
        const std::string text = m_options.json_summary ? report.json(s, facts) + "\n" : report.text(s, facts);
        if (std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0) {
            return say({errc::io, "cannot write the summary: " + std::string{std::strerror(errno)}, "", errno},
                       exit_failed);
        }
        return code;
    }

    const options& m_options;
    assembly m_parts;
    progress m_progress;
    std::vector<raw_packet> m_burst;
    std::vector<watched> m_watched;
    std::uint64_t m_earlier_drops = 0;  ///< of captures that were opened again
    std::uint64_t m_packets = 0;
    std::int64_t m_first_ns = 0;
    std::uint64_t m_shown_packets = 0;
    double m_shown_at = 0;
};

}  // namespace mldefender::sensor
