// SPDX-License-Identifier: MIT
// What a run amounted to, for people (a table) and for programs (one JSON object): packets, flows, what could not be
// decoded and why, verdicts, classes, the worst attackers, and how long decisions took. Bounded memory: it keeps the
// largest stories only. Fed by the sensor from the thread that runs the pipeline.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mldefender/core/event.hpp>
#include <mldefender/core/statistics.hpp>
#include <mldefender/log/text_cursor.hpp>

namespace mldefender {
inline namespace v0 {
namespace log {

/// Durations in buckets of a quarter octave (relative error at most 19 %), from 1 ns to 18 minutes.
class duration_histogram {
public:
    /// Counts a duration `times` times; below 4 ns counts as 4 ns.
    void add(std::uint64_t ns, std::uint64_t times = 1) noexcept {
        m_buckets[bucket_of(ns)] += times;
        m_total += times;
    }
    /// Durations counted.
    [[nodiscard]] std::uint64_t count() const noexcept { return m_total; }
    /// Upper bound of the bucket that holds quantile `q` (0..1), in nanoseconds; 0 when empty.
    [[nodiscard]] std::uint64_t quantile(double q) const noexcept {
        if (m_total == 0) return 0;
        const auto rank = static_cast<std::uint64_t>(q * static_cast<double>(m_total - 1));
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < m_buckets.size(); ++i) {
            seen += m_buckets[i];
            if (seen > rank) return upper_bound(i);
        }
        return upper_bound(m_buckets.size() - 1);
    }

private:
    static constexpr std::size_t per_octave = 4;

    [[nodiscard]] static std::size_t bucket_of(std::uint64_t ns) noexcept {
        const std::uint64_t n = std::clamp<std::uint64_t>(ns, 4, 1ULL << 40);
        const auto octave = static_cast<std::size_t>(std::bit_width(n) - 1);
        return std::min<std::size_t>((octave - 2) * per_octave + ((n >> (octave - 2)) & 3), 159);
    }
    [[nodiscard]] static std::uint64_t upper_bound(std::size_t bucket) noexcept {
        return (4 + bucket % per_octave + 1) << (bucket / per_octave);
    }
    std::array<std::uint64_t, 160> m_buckets{};
    std::uint64_t m_total = 0;
};

/// One story as the summary shows it.
struct reported_story {
    std::uint64_t id = 0;                      ///< flow id of the flow that opened it
    address actor;                             ///< attacker, or victim when `by_victim`
    bool by_victim = false;                    ///< told from the victim's side, as floods are
    attack_class attack = attack_class::none;  ///< its class
    std::uint64_t flows = 0;                   ///< flows counted to it
    std::uint32_t targets = 0;                 ///< other ends, estimated
    float score = 0;                           ///< largest so far, 0..1
    verdict worst = verdict::benign;           ///< worst verdict of its alerts
    std::int64_t first_ns = 0;                 ///< first alert, since the Unix epoch
    std::int64_t last_ns = 0;                  ///< latest alert
};

/// Everything about a run that the pipeline's counters do not hold.
struct run_facts {
    double seconds = 0;               ///< wall clock
    double capture_seconds = 0;       ///< first to last packet, the capture's clock
    std::uint64_t capture_drops = 0;  ///< packets lost before they reached the sensor
    std::uint64_t lines_lost = 0;     ///< events the disk refused
    std::uint64_t artifacts = 0;      ///< artifact files written
    std::string events_directory;     ///< where events went, "" when nowhere
};

/// See the top of the file.
class run_report {
public:
    static constexpr std::size_t shown_stories = 10;  ///< rows of the table of attackers

    /// Notes an alert; flow lines are ignored (the pipeline counts them).
    void note(const event& e) {
        if (e.kind != event_kind::alert) return;
        auto at = std::find_if(m_stories.begin(), m_stories.end(), [&](const reported_story& s) {
            return s.id == e.story.id && s.attack == e.attack_class;
        });
        if (at == m_stories.end()) {
            if (m_stories.size() == kept_stories) drop_smallest();
            m_stories.push_back({e.story.id, e.story.by_victim ? e.tuple.destination : e.tuple.source,
                                 e.story.by_victim, e.attack_class, 0, 0, 0, verdict::benign, e.timestamp_ns,
                                 e.timestamp_ns});
            at = m_stories.end() - 1;
        }
        at->flows = e.story.flows;
        at->targets = e.story.targets;
        at->score = std::max(at->score, e.score);
        at->worst = std::max(at->worst, e.verdict);
        at->last_ns = e.timestamp_ns;
    }
    /// Notes how long a burst of `packets` took from hand-over to its last decision.
    void note_burst(std::uint64_t packets, std::uint64_t ns) noexcept {
        if (packets > 0) m_latency.add(ns, packets);
    }

    /// Time from hand-over of a packet to its burst's last decision.
    [[nodiscard]] const duration_histogram& latency() const noexcept { return m_latency; }

    /// The largest stories, by flows, then by address.
    [[nodiscard]] std::vector<reported_story> top() const {
        std::vector<reported_story> sorted = m_stories;
        std::sort(sorted.begin(), sorted.end(), [](const reported_story& a, const reported_story& b) {
            return a.flows != b.flows ? a.flows > b.flows : a.actor < b.actor;
        });
        if (sorted.size() > shown_stories) sorted.resize(shown_stories);
        return sorted;
    }

    /// A table for people, ending in a line feed.
    [[nodiscard]] std::string text(const statistics& s, const run_facts& r) const {
        std::string out;
        const auto line = [&out](std::string_view label, const std::string& value) {
            fmt::format_to(std::back_inserter(out), "  {:<12} {}\n", label, value);
        };
        const double rate = r.seconds > 0 ? static_cast<double>(s.packets) / r.seconds : 0;
        out += "Summary\n";
        line("packets", fmt::format("{} ({} bytes) in {:.2f} s, {:.0f} packets/s; capture spans {:.1f} s", s.packets,
                                    s.bytes, r.seconds, rate, r.capture_seconds));
        line("not decoded", undecoded_text(s));
        line("lost", fmt::format("{} packets before the sensor, {} event lines", r.capture_drops, r.lines_lost));
        line("flows", fmt::format("{} ({} pushed out of a full table)", s.flows_begun, s.flows_evicted));
        line("verdicts", fmt::format("{} benign, {} suspicious, {} malicious", s.flows_by_verdict[0],
                                     s.flows_by_verdict[1], s.flows_by_verdict[2]));
        line("classes", classes_text(s));
        line("decisions", fmt::format("{} scored; packet to decision p50 {:.1f} us, p99 {:.1f} us, p99.9 {:.1f} us",
                                      s.decisions, us(0.5), us(0.99), us(0.999)));
        line("alerts", fmt::format("{} lines of {} stories, {} artifacts", s.alerts, s.stories_opened, r.artifacts));
        line("events", r.events_directory.empty() ? "not written" : r.events_directory);
        append_stories(out);
        return out;
    }

    /// The same as one JSON object on one line, without line feed.
    [[nodiscard]] std::string json(const statistics& s, const run_facts& r) const {
        std::string out;
        const auto put = [&out]<class... Parts>(fmt::format_string<Parts...> text, Parts&&... parts) {
            fmt::format_to(std::back_inserter(out), text, std::forward<Parts>(parts)...);
        };
        put("{{\"packets\":{},\"bytes\":{},\"ip_packets\":{},\"seconds\":{:.6f},\"capture_seconds\":{:.6f},", s.packets,
            s.bytes, s.ip_packets, r.seconds, r.capture_seconds);
        put("\"packets_per_s\":{:.0f},\"drops\":{},\"lines_lost\":{},\"artifacts\":{},\"not_ip\":{},\"fragments_"
            "skipped\":{},",
            r.seconds > 0 ? static_cast<double>(s.packets) / r.seconds : 0.0, r.capture_drops, r.lines_lost,
            r.artifacts, s.undecoded[static_cast<std::size_t>(errc::not_ip)], s.fragments_skipped);
        put("\"malformed\":{{");
        std::string_view comma;
        for (std::size_t i = 1; i < errc_count; ++i) {
            if (s.undecoded[i] == 0 || static_cast<errc>(i) == errc::not_ip) continue;
            put("{}\"{}\":{}", comma, name_of(static_cast<errc>(i)), s.undecoded[i]);
            comma = ",";
        }
        put("}},\"flows\":{},\"flows_evicted\":{},\"decisions\":{},\"alerts\":{},\"stories\":{},\"divergent\":{},",
            s.flows_begun, s.flows_evicted, s.decisions, s.alerts, s.stories_opened, s.divergent);
        put("\"verdicts\":{{\"benign\":{},\"suspicious\":{},\"malicious\":{}}},\"classes\":{{", s.flows_by_verdict[0],
            s.flows_by_verdict[1], s.flows_by_verdict[2]);
        comma = "";
        for (std::size_t i = 1; i < attack_class_count; ++i) {
            if (s.flows_by_class[i] == 0) continue;
            put("{}\"{}\":{}", comma, name_of(static_cast<attack_class>(i)), s.flows_by_class[i]);
            comma = ",";
        }
        put("}},\"latency_us\":{{\"p50\":{:.3f},\"p90\":{:.3f},\"p99\":{:.3f},\"p999\":{:.3f}}},\"attackers\":[",
            us(0.5), us(0.9), us(0.99), us(0.999));
        comma = "";
        for (const reported_story& t : top()) {
            put("{}{{\"address\":\"{}\",\"role\":\"{}\",\"class\":\"{}\",\"verdict\":\"{}\",\"score\":{:.4f},\"flows\":"
                "{},"
                "\"targets\":{},\"first\":\"{}\",\"last\":\"{}\"}}",
                comma, to_text(t.actor).view(), t.by_victim ? "victim" : "attacker", name_of(t.attack),
                name_of(t.worst), t.score, t.flows, t.targets, stamp(t.first_ns), stamp(t.last_ns));
            comma = ",";
        }
        put("]}}");
        return out;
    }

private:
    static constexpr std::size_t kept_stories = 256;

    void drop_smallest() {
        m_stories.erase(
            std::min_element(m_stories.begin(), m_stories.end(),
                             [](const reported_story& a, const reported_story& b) { return a.flows < b.flows; }));
    }
    [[nodiscard]] double us(double q) const noexcept { return static_cast<double>(m_latency.quantile(q)) / 1000.0; }
    [[nodiscard]] static std::string stamp(std::int64_t ns) {
        std::array<char, 40> buffer{};
        return std::string{text_cursor{buffer.data()}.timestamp(ns).view()};
    }
    [[nodiscard]] static std::string undecoded_text(const statistics& s) {
        std::string out = fmt::format("{} not IP", s.undecoded[static_cast<std::size_t>(errc::not_ip)]);
        for (std::size_t i = 1; i < errc_count; ++i) {
            if (s.undecoded[i] == 0 || static_cast<errc>(i) == errc::not_ip) continue;
            fmt::format_to(std::back_inserter(out), ", {} {}", s.undecoded[i], name_of(static_cast<errc>(i)));
        }
        return out;
    }
    [[nodiscard]] static std::string classes_text(const statistics& s) {
        std::string out;
        for (std::size_t i = 1; i < attack_class_count; ++i) {
            if (s.flows_by_class[i] == 0) continue;
            fmt::format_to(std::back_inserter(out), "{}{} {}", out.empty() ? "" : ", ", s.flows_by_class[i],
                           name_of(static_cast<attack_class>(i)));
        }
        return out.empty() ? "none" : out;
    }
    void append_stories(std::string& out) const {
        const auto stories = top();
        if (stories.empty()) return;
        fmt::format_to(std::back_inserter(out), "\n  {:<39} {:<9} {:<11} {:>6} {:>10} {:>8}\n", "who", "role", "class",
                       "score", "flows", "targets");
        for (const reported_story& t : stories) {
            fmt::format_to(std::back_inserter(out), "  {:<39} {:<9} {:<11} {:>6.2f} {:>10} {:>8}\n",
                           to_text(t.actor).view(), t.by_victim ? "victim" : "attacker", name_of(t.attack), t.score,
                           t.flows, t.targets);
        }
    }

    std::vector<reported_story> m_stories;
    duration_histogram m_latency;
};

}  // namespace log
}  // namespace v0
}  // namespace mldefender
