// SPDX-License-Identifier: MIT
// `mld.summary`: one English sentence about an event, for a person who looks after computers but not after
// networks: who, to whom, what it looks like, how sure, what was done. The same event always gives the same words.
// At most 240 bytes of plain ASCII. Called by the line writer.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <mldefender/core/event.hpp>
#include <mldefender/log/text_cursor.hpp>

namespace mldefender {
inline namespace v0 {
namespace log {

/// Longest sentence, in bytes of UTF-8.
inline constexpr std::size_t max_summary_bytes = 240;

namespace detail {

/// What an attack is called while it lasts and when it is over, between the names of the two hosts.
struct story_words {
    std::string_view present;
    std::string_view past;
    std::string_view manner;  ///< said after the target
};

inline constexpr std::array<story_words, attack_class_count> words_by_class{{
    {"is talking to", "talked to", "in an ordinary way"},
    {"is flooding", "flooded", "with traffic to make it unreachable"},
    {"is probing", "probed", "for open doors"},
    {"keeps guessing passwords on", "kept guessing passwords on", ""},
    {"calls", "called", "in the rhythm of malware reporting to its controller"},
    {"is sending unusually much data out to", "sent unusually much data out to", ""},
    {"reaches for file shares such as", "reached for file shares such as", "the way ransomware does"},
    {"is logging on to one machine after another, here", "logged on to one machine after another, here", ""},
    {"seems to hide data in its look-ups or pings to", "seemed to hide data in its look-ups or pings to", ""},
    {"is sending requests to", "sent requests to", "that look like an attack on a web application"},
    {"is talking to", "talked to", "in a way this network has not seen before"},
}};

class summary_writer {
public:
    /// Less is told for a larger `brevity`: 1 leaves out who saw it, 2 also how big it is, 3 also the protocol.
    summary_writer(char* memory, int brevity) noexcept : m_out(memory), m_brevity(brevity) {}

    [[nodiscard]] std::string_view write(const event& e) noexcept {
        e.kind == event_kind::alert ? story(e) : flow(e);
        how_sure(e);
        if (e.kind == event_kind::alert || e.response.action != response_action::none) what_was_done(e.response);
        m_out.put('.');
        return m_out.view();
    }

private:
    void story(const event& e) noexcept {
        const auto& words = words_by_class[static_cast<std::size_t>(e.attack_class) % attack_class_count];
        const bool over = e.story.phase == story_phase::closed;
        if (e.story.phase == story_phase::refreshed) m_out.put("Still going on: ");
        if (over) m_out.put("Over: ");
        if (e.attack_class == attack_class::ddos && e.story.by_victim) {
            endpoint(e.tuple.destination, e.tuple.destination_port);
            m_out.put(over ? std::string_view{" was flooded, last by "}
                           : std::string_view{" is being flooded, last by "});
            m_out.put(to_text(e.tuple.source).view());
        } else {
            m_out.put(to_text(e.tuple.source).view()).put(' ').put(over ? words.past : words.present).put(' ');
            endpoint(e.tuple.destination, e.tuple.destination_port);
            protocol(e);
            if (!words.manner.empty()) m_out.put(' ').put(words.manner);
        }
        extent(e);
    }

    /// How big the story is: connections, targets, time.
    void extent(const event& e) noexcept {
        if (m_brevity >= 2) return;
        if (e.attack_class == attack_class::exfil) {
            m_out.put(", ");
            amount(e.flow.bytes_to_server);
            m_out.put(" out and ");
            amount(e.flow.bytes_to_client);
            m_out.put(" back");
        }
        if (e.story.targets > 1) m_out.put(", ").integer(e.story.targets).put(" targets");
        if (e.story.flows > 1) m_out.put(", ").integer(e.story.flows).put(" connections");
        if (e.story.duration_s > 0) {
            m_out.put(" in ");
            duration(e.story.duration_s);
        }
    }

    void flow(const event& e) noexcept {
        m_out.put(to_text(e.tuple.source).view()).put(" to ");
        endpoint(e.tuple.destination, e.tuple.destination_port);
        protocol(e);
        m_out.put(", ");
        amount(e.flow.bytes_to_server);
        m_out.put(" out and ");
        amount(e.flow.bytes_to_client);
        m_out.put(" back: ");
        if (e.verdict == verdict::benign) {
            m_out.put("looks ordinary");
        } else {
            m_out.put(e.verdict == verdict::malicious ? std::string_view{"looks like "} : std::string_view{"may be "});
            m_out.put(e.attack_class == attack_class::none ? std::string_view{"an attack"}
                                                           : describe(e.attack_class).title);
        }
    }

    void how_sure(const event& e) noexcept {
        m_out.put(" (score ").fixed<2>(clamped(e.score)).put(')');
        if (m_brevity >= 1) return;
        m_out.put("; ");
        if (e.verdict == verdict::benign && e.source != decision_source::divergence) {
            m_out.put("no detector is alarmed");
            return;
        }
        switch (e.source) {
            case decision_source::fast_only: m_out.put("seen by the fast rules alone"); break;
            case decision_source::ml_only: m_out.put("seen by the model alone"); break;
            case decision_source::fast_priority: m_out.put("the fast rules are the surer witness"); break;
            case decision_source::ml_priority: m_out.put("the model is the surer witness"); break;
            case decision_source::consensus: m_out.put("the fast rules and the model agree"); break;
            case decision_source::divergence: m_out.put("the fast rules and the model disagree"); break;
        }
    }

    void what_was_done(const event_response& r) noexcept {
        const std::string_view verb = r.action == response_action::block        ? "blocked"
                                      : r.action == response_action::quarantine ? "quarantined"
                                      : r.action == response_action::ratelimit  ? "slowed down"
                                                                                : "";
        if (verb.empty()) {
            m_out.put("; nothing was blocked");
            return;
        }
        switch (r.status) {
            case response_status::applied: m_out.put("; ").put(verb); break;
            case response_status::dryrun: m_out.put("; dry run: would be ").put(verb); break;
            case response_status::failed: m_out.put("; could not be ").put(verb); return;
            case response_status::skipped: m_out.put("; on the allow list, so not ").put(verb); return;
            case response_status::pending: m_out.put("; about to be ").put(verb); break;
        }
        if (r.ttl_s == 0) {
            m_out.put(" until undone");
        } else {
            m_out.put(" for ");
            duration(r.ttl_s);
        }
    }

    void endpoint(const address& host, std::uint16_t port) noexcept {
        const bool bracketed = port != 0 && !host.is_v4();
        if (bracketed) m_out.put('[');
        m_out.put(to_text(host).view());
        if (bracketed) m_out.put(']');
        if (port != 0) m_out.put(':').integer(port);
    }

    void protocol(const event& e) noexcept {
        if (m_brevity >= 3) return;
        const bool known = !e.app_protocol.empty() && e.app_protocol != "unknown";
        m_out.put(" (");
        for (const char c : known ? e.app_protocol.substr(0, 16) : name_of(e.tuple.protocol)) {
            m_out.put(is_plain(c) ? c : '?');
        }
        m_out.put(')');
    }

    void amount(std::uint64_t octets) noexcept {
        constexpr std::array<std::string_view, 5> units{" kB", " MB", " GB", " TB", " PB"};
        if (octets < 1000) {
            m_out.integer(octets).put(" B");
            return;
        }
        auto scaled = static_cast<double>(octets) / 1000;
        std::size_t unit = 0;
        for (; scaled >= 999.95 && unit + 1 < units.size(); ++unit) scaled /= 1000;
        m_out.fixed<1>(scaled).put(units[unit]);
    }

    void duration(std::uint32_t seconds) noexcept {
        if (seconds < 120) {
            m_out.integer(seconds).put(" s");
        } else if (seconds < 3600) {
            m_out.integer(seconds / 60).put(" min");
        } else if (seconds < 2 * 86400) {
            m_out.integer(seconds / 3600).put(" h");
        } else {
            m_out.integer(seconds / 86400).put(" d");
        }
    }

    [[nodiscard]] static double clamped(float score) noexcept { return score_e4(score) / 10000.0; }

    text_cursor m_out;
    int m_brevity;
};

}  // namespace detail

/// The sentence, at most 240 bytes of plain ASCII, in memory that the caller provides. Two IPv6 addresses and a long
/// story may not fit: then the least important parts are left out, one after the other.
[[nodiscard]] inline std::string_view write_summary(const event& e, std::span<char, 1024> memory) noexcept {
    std::string_view sentence;
    for (int brevity = 0; brevity <= 3; ++brevity) {
        sentence = detail::summary_writer{memory.data(), brevity}.write(e);
        if (sentence.size() <= max_summary_bytes) break;
    }
    return sentence.substr(0, std::min(sentence.size(), max_summary_bytes));
}

}  // namespace log
}  // namespace v0
}  // namespace mldefender
