// SPDX-License-Identifier: MIT
// An event as one JSON line: all 83 leaves of docs/events.md in their fixed order, neutral values where an event
// has none, numbers in fixed precision. Appends to a buffer that is reused, so a line costs no allocation.
// The order and precision are part of the format: a golden test makes a change a decision. Used by the event log.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mldefender/core/community_id.hpp>
#include <mldefender/core/event.hpp>
#include <mldefender/core/version.hpp>
#include <mldefender/log/identity.hpp>
#include <mldefender/log/summary.hpp>
#include <mldefender/log/text_cursor.hpp>

namespace mldefender {
inline namespace v0 {
namespace log {

/// Name and major version of the line format (`mld.schema`).
inline constexpr std::string_view event_schema = "mld.event/1";
/// Generator id of this product in every alert (`alert.gid`).
inline constexpr std::uint32_t generator_id = 8383;
/// Digits of a chain value; a line is hashed with this many zeros in its place.
inline constexpr std::size_t chain_digits = 32;

/// What the log adds to an event.
struct line_stamp {
    std::uint64_t seq = 0;      ///< `mld.seq`
    uuid event_id;              ///< `mld.event_id`
    std::string_view artifact;  ///< path relative to the log's directory, or ""
};

/// Growing memory for lines; `clear` keeps what was reserved.
class line_buffer {
public:
    /// The text so far.
    [[nodiscard]] std::string_view view() const noexcept { return {m_memory.data(), m_size}; }
    /// Bytes of text.
    [[nodiscard]] std::size_t size() const noexcept { return m_size; }
    /// True without text.
    [[nodiscard]] bool empty() const noexcept { return m_size == 0; }
    /// The text, for patching in place.
    [[nodiscard]] char* data() noexcept { return m_memory.data(); }
    /// Forgets the text.
    void clear() noexcept { m_size = 0; }
    /// Forgets everything from `size` on.
    void cut(std::size_t size) noexcept { m_size = std::min(size, m_size); }

    /// Forgets the first `size` bytes.
    void drop_front(std::size_t size) noexcept {
        std::copy(m_memory.begin() + static_cast<std::ptrdiff_t>(size),
                  m_memory.begin() + static_cast<std::ptrdiff_t>(m_size), m_memory.begin());
        m_size -= size;
    }

    /// Room for `more` bytes behind the text; follow it with `grow` for what was written there.
    [[nodiscard]] char* reserve(std::size_t more) {
        if (m_memory.size() - m_size < more) m_memory.resize(std::max(m_memory.size() * 2, m_size + more));
        return m_memory.data() + m_size;
    }
    /// Counts bytes written into what `reserve` gave.
    void grow(std::size_t written) noexcept { m_size += written; }

private:
    std::vector<char> m_memory;
    std::size_t m_size = 0;
};

/// Turns events into lines for one sensor. Not shared between threads.
class line_writer {
public:
    line_writer() = default;
    /// The identity's texts are escaped here, once. `hash` of a model that is not 16 hex digits is written as is.
    explicit line_writer(const identity& who) {
        m_host = escaped_copy(who.host);
        m_deployment = escaped_copy(who.deployment);
        for (const std::string& name : who.interfaces) m_interfaces.push_back(escaped_copy(name));
        for (const model_identity& model : who.models) {
            m_models.push_back({escaped_copy(model.name_version), escaped_copy(model.hash)});
        }
    }

    /// Appends the line and its line feed to `out`; yields where in `out` the 32 zeros of `mld.chain` begin.
    /// Scores are clamped to 0..1, NaN to 0, times shown in microseconds.
    std::size_t append(line_buffer& out, const event& e, const line_stamp& stamp) const {
        text_cursor line{out.reserve(bound(e, stamp))};
        write_eve(line, e);
        const std::size_t chain_at = write_mld(line, e, stamp);
        line.put("}}\n");
        const std::size_t start = out.size();
        out.grow(line.size());
        return start + chain_at;
    }

private:
    // Fixed text, numbers and times of a line come to about 2,600 bytes at their longest, the summary to at most
    // 240 * 6 more; the test of extreme values measures how much of this a line can use.
    static constexpr std::size_t fixed_bound = 6144;

    [[nodiscard]] std::size_t bound(const event& e, const line_stamp& stamp) const noexcept {
        std::size_t text = e.app_protocol.size() + e.signature.title.size() + e.divergence_reason.size() +
                           e.response.rule.size() + stamp.artifact.size();
        for (const std::string_view id : e.tactics) text += id.size() + 3;
        for (const std::string_view id : e.techniques) text += id.size() + 3;
        for (const std::string_view reason : e.fast_reasons) text += reason.size() + 3;
        for (const explain_item& item : e.explain) text += item.feature.size() + 48;
        const auto [model, hash] = model_of(e);
        return fixed_bound + text * 6 + m_host.size() + m_deployment.size() + interface_of(e).size() + model.size() +
               hash.size();
    }

    static std::string escaped_copy(std::string_view text) {
        std::string copy(escaped_bound(text), '\0');
        copy.resize(text_cursor{copy.data()}.escaped(text).size());
        return copy;
    }

    [[nodiscard]] std::string_view interface_of(const event& e) const noexcept {
        return e.interface_index < m_interfaces.size() ? std::string_view{m_interfaces[e.interface_index]} : "";
    }
    [[nodiscard]] std::pair<std::string_view, std::string_view> model_of(const event& e) const noexcept {
        if (e.model_index >= m_models.size()) return {};
        return {m_models[e.model_index].name_version, m_models[e.model_index].hash};
    }

    static void score(text_cursor& line, float value) noexcept { line.fixed<4>(score_e4(value) / 10000.0); }

    template <class List>
    static void text_list(text_cursor& line, const List& texts) noexcept {
        line.put('[');
        bool first = true;
        for (const std::string_view text : texts) {
            if (!std::exchange(first, false)) line.put(',');
            line.put('"').escaped(text).put('"');
        }
        line.put(']');
    }

    void write_eve(text_cursor& line, const event& e) const noexcept {
        line.put("{\"timestamp\":\"").timestamp(e.timestamp_ns);
        line.put("\",\"event_type\":\"").put(name_of(e.kind));
        line.put("\",\"flow_id\":").integer(e.flow_id & ((1ULL << 53) - 1));
        line.put(",\"in_iface\":\"").put(interface_of(e));
        line.put("\",\"src_ip\":\"").put(to_text(e.tuple.source).view());
        line.put("\",\"src_port\":").integer(e.tuple.source_port);
        line.put(",\"dest_ip\":\"").put(to_text(e.tuple.destination).view());
        line.put("\",\"dest_port\":").integer(e.tuple.destination_port);
        line.put(",\"proto\":\"").put(name_of(e.tuple.protocol));
        line.put("\",\"ip_v\":").put(e.ip_version == 6 ? '6' : '4');
        line.put(",\"app_proto\":\"").escaped(e.app_protocol.empty() ? "unknown" : e.app_protocol);
        line.put("\",\"community_id\":\"").put(community_id(e.tuple, e.icmp_type, e.icmp_code).view());
        line.put("\",\"host\":\"").put(m_host).put('"');
        write_alert(line, e);
        write_flow(line, e.flow);
    }

    static void write_alert(text_cursor& line, const event& e) noexcept {
        const bool alert = e.kind == event_kind::alert;
        const bool blocked =
            e.response.status == response_status::applied &&
            (e.response.action == response_action::block || e.response.action == response_action::quarantine);
        const attack_description& attack = describe(alert ? e.attack_class : attack_class::none);
        line.put(",\"alert\":{\"action\":\"").put(blocked ? std::string_view{"blocked"} : std::string_view{"allowed"});
        line.put("\",\"gid\":").integer(generator_id);
        line.put(",\"signature_id\":").integer(alert ? e.signature.id : 0);
        line.put(",\"rev\":").integer(alert ? e.signature.revision : 0);
        line.put(",\"signature\":\"");
        if (alert && e.signature.title.empty()) line.put("MLD ").put(attack.title);
        if (alert) line.escaped(e.signature.title);
        line.put("\",\"category\":\"").put(alert ? attack.category : std::string_view{});
        line.put("\",\"severity\":").integer(attack.severity);
        line.put(",\"metadata\":{\"mitre_tactic_id\":");
        attack_ids(line, alert, e.tactics, attack.tactic);
        line.put(",\"mitre_technique_id\":");
        attack_ids(line, alert, e.techniques, attack.technique);
        line.put("}}");
    }

    static void attack_ids(text_cursor& line, bool alert, const short_list<std::string_view, max_attack_ids>& named,
                           std::string_view of_class) noexcept {
        short_list<std::string_view, 1> fallback;
        if (alert && !of_class.empty()) fallback.push(of_class);
        if (alert && !named.empty()) {
            text_list(line, named);
        } else {
            text_list(line, fallback);
        }
    }

    static void write_flow(text_cursor& line, const event_flow& f) noexcept {
        // Unsigned, so that the two ends of the representable time do not overflow.
        const std::uint64_t age_ns =
            f.end_ns > f.start_ns ? static_cast<std::uint64_t>(f.end_ns) - static_cast<std::uint64_t>(f.start_ns) : 0;
        line.put(",\"flow\":{\"start\":\"").timestamp(f.start_ns);
        line.put("\",\"end\":\"").timestamp(f.end_ns);
        line.put("\",\"age\":").integer(std::min<std::uint64_t>(age_ns / 1'000'000'000U, 0xffffffffU));
        line.put(",\"state\":\"").put(name_of(f.state));
        line.put("\",\"pkts_toserver\":").integer(f.packets_to_server);
        line.put(",\"pkts_toclient\":").integer(f.packets_to_client);
        line.put(",\"bytes_toserver\":").integer(f.bytes_to_server);
        line.put(",\"bytes_toclient\":").integer(f.bytes_to_client);
        line.put("},\"tcp\":{\"tcp_flags\":\"").hex(f.tcp_flags).put("\"}");
    }

    /// Yields where in the line the chain's zeros begin.
    std::size_t write_mld(text_cursor& line, const event& e, const line_stamp& stamp) const noexcept {
        std::array<char, 36> id{};
        stamp.event_id.write(id);
        const auto [model, hash] = model_of(e);
        line.put(",\"mld\":{\"schema\":\"").put(event_schema);
        line.put("\",\"event_id\":\"").put(std::string_view{id.data(), id.size()});
        line.put("\",\"seq\":").integer(stamp.seq);
        line.put(",\"deployment\":\"").put(m_deployment);
        line.put("\",\"version\":\"").put(version);
        line.put("\",\"model\":\"").put(model);
        line.put("\",\"model_hash\":\"").put(hash);
        line.put("\",\"artifact\":\"").escaped(stamp.artifact);
        line.put("\",\"chain\":\"");
        const std::size_t chain_at = line.size();
        static_assert(chain_digits == 32);
        line.put("00000000000000000000000000000000");
        std::array<char, 1024> memory;  // NOLINT: written before it is read
        line.put("\",\"summary\":\"").escaped(write_summary(e, memory)).put('"');
        write_decision(line, e);
        write_features(line, e.features);
        write_context(line, e);
        return chain_at;
    }

    static void write_decision(text_cursor& line, const event& e) noexcept {
        line.put(",\"verdict\":\"").put(name_of(e.verdict));
        line.put("\",\"attack_class\":\"").put(name_of(e.attack_class)).put("\",\"score\":");
        score(line, e.score);
        line.put(",\"confidence\":");
        score(line, e.confidence);
        line.put(",\"priority\":\"").put(name_of(e.priority));
        line.put("\",\"source\":\"").put(name_of(e.source));
        line.put("\",\"fast\":{\"triggered\":");
        line.put(e.fast_triggered ? std::string_view{"true"} : std::string_view{"false"}).put(",\"score\":");
        score(line, e.fast_score);
        line.put(",\"reasons\":");
        text_list(line, e.fast_reasons);
        line.put("},\"ml\":{\"label\":\"").put(name_of(e.ml_label)).put("\",\"score\":");
        score(line, e.ml_score);
        line.put(",\"level\":").put(static_cast<char>('0' + std::clamp<int>(e.ml_level, 1, 3)));
        line.put("},\"anomaly\":");
        score(line, e.anomaly);
        line.put(",\"divergence\":");
        score(line, divergence_of(e.fast_score, e.ml_score));
        line.put(",\"divergence_reason\":\"").escaped(e.divergence_reason).put("\",\"explain\":[");
        bool first = true;
        for (const explain_item& item : e.explain) {
            if (!std::exchange(first, false)) line.put(',');
            line.put('"').escaped(item.feature).put('=').fixed<4>(static_cast<double>(item.value));
            line.put('(').signed_hundredths(static_cast<double>(item.weight)).put(")\"");
        }
        line.put(']');
    }

    template <std::size_t Decimals>
    static void measure(text_cursor& line, double value) noexcept {
        line.fixed<Decimals>(value > 0 ? value : 0);
    }

    static void write_features(text_cursor& line, const event_features& f) noexcept {
        line.put(",\"f\":{\"pps\":");
        measure<3>(line, f.packets_per_s);
        line.put(",\"bps\":");
        measure<1>(line, f.bytes_per_s);
        line.put(",\"iat_mean_us\":");
        measure<2>(line, f.iat_mean_us);
        line.put(",\"iat_std_us\":");
        measure<2>(line, f.iat_std_us);
        line.put(",\"pkt_len_mean\":");
        measure<2>(line, static_cast<double>(f.packet_len_mean));
        line.put(",\"pkt_len_std\":");
        measure<2>(line, static_cast<double>(f.packet_len_std));
        line.put(",\"syn\":").integer(f.syn);
        line.put(",\"ack\":").integer(f.ack);
        line.put(",\"rst\":").integer(f.rst);
        line.put(",\"fin\":").integer(f.fin);
        line.put(",\"down_up_ratio\":");
        measure<4>(line, f.down_up_ratio);
        line.put(",\"payload_entropy\":");
        measure<3>(line, std::min(static_cast<double>(f.payload_entropy), 8.0));
        line.put(",\"src_new_dsts\":").integer(f.src_new_dsts);
        line.put(",\"src_new_ports\":").integer(f.src_new_ports);
        line.put(",\"src_syn_unanswered\":");
        score(line, f.src_syn_unanswered);
        line.put(",\"beacon\":");
        score(line, f.beacon);
        line.put('}');
    }

    static void write_context(text_cursor& line, const event& e) noexcept {
        line.put(",\"ctx\":{\"direction\":\"").put(name_of(e.direction));
        line.put("\",\"src_country\":\"").put(country(e.source_country));
        line.put("\",\"dst_country\":\"").put(country(e.destination_country));
        line.put("\",\"src_events_24h\":").integer(e.source_events_24h);
        line.put("},\"resp\":{\"action\":\"").put(name_of(e.response.action));
        line.put("\",\"status\":\"").put(name_of(e.response.status));
        line.put("\",\"ttl\":").integer(e.response.ttl_s);
        line.put(",\"rule\":\"").escaped(e.response.rule);
        line.put("\"},\"sys\":{\"latency_us\":").integer(e.latency_us);
        line.put(",\"drops\":").integer(e.drops).put('}');
    }

    /// The code, or "" for anything but two capital letters.
    [[nodiscard]] static std::string_view country(const country_code& code) noexcept {
        const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
        return capital(code.letters[0]) && capital(code.letters[1]) ? code.view() : std::string_view{};
    }

    struct escaped_model {
        std::string name_version;
        std::string hash;
    };

    std::string m_host;
    std::string m_deployment;
    std::vector<std::string> m_interfaces;
    std::vector<escaped_model> m_models;
};

}  // namespace log
}  // namespace v0
}  // namespace mldefender
