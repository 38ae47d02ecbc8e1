// SPDX-License-Identifier: MIT
// Sinks for tests of the pipeline: every field of an event folded into one number, so that two runs can be compared
// and a golden value kept; and a sink that keeps the events themselves.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>
#include <vector>

#include <mldefender/core/pipeline.hpp>

namespace mldefender::test {

/// FNV-1a over the values handed to it (Fowler, Noll, Vo).
class digest {
public:
    constexpr digest& operator<<(std::uint64_t value) {
        for (int i = 0; i < 8; ++i) byte(static_cast<std::uint8_t>(value >> (8 * i)));
        return *this;
    }
    constexpr digest& operator<<(double value) { return *this << std::bit_cast<std::uint64_t>(value); }
    constexpr digest& operator<<(std::string_view text) {
        for (const char c : text) byte(static_cast<std::uint8_t>(c));
        return *this << std::uint64_t{text.size()};
    }
    [[nodiscard]] constexpr std::uint64_t value() const { return m_value; }

private:
    constexpr void byte(std::uint8_t b) { m_value = (m_value ^ b) * 0x100000001b3ULL; }
    std::uint64_t m_value = 0xcbf29ce484222325ULL;
};

template <class Number>
requires(std::is_enum_v<Number> || std::is_integral_v<Number>) constexpr digest& operator<<(digest& d, Number value) {
    return d.operator<<(static_cast<std::uint64_t>(value));
}
constexpr digest& operator<<(digest& d, float value) { return d << static_cast<double>(value); }
constexpr digest& operator<<(digest& d, const address& a) { return d << a.high << a.low; }

/// Every field of an event, in order of declaration.
constexpr void fold(digest& d, const event& e) {
    d << e.timestamp_ns << e.flow_id << e.tuple.source << e.tuple.destination << e.tuple.source_port
      << e.tuple.destination_port << e.tuple.protocol << e.kind << e.ip_version << e.icmp_type << e.icmp_code
      << e.interface_index << e.model_index << e.direction << e.app_protocol;
    d << e.signature.id << e.signature.revision << e.signature.title;
    for (const auto& t : e.tactics) d << t;
    for (const auto& t : e.techniques) d << t;
    d << e.flow.start_ns << e.flow.end_ns << e.flow.packets_to_server << e.flow.packets_to_client
      << e.flow.bytes_to_server << e.flow.bytes_to_client << e.flow.state << e.flow.tcp_flags;
    d << e.verdict << e.priority << e.source << e.attack_class << e.ml_label << e.ml_level << e.fast_triggered
      << e.score << e.confidence << e.fast_score << e.ml_score << e.anomaly << e.divergence_reason;
    for (const auto& r : e.fast_reasons) d << r;
    for (const explain_item& i : e.explain) d << i.feature << i.value << i.weight;
    const event_features& f = e.features;
    d << f.packets_per_s << f.bytes_per_s << f.iat_mean_us << f.iat_std_us << f.packet_len_mean << f.packet_len_std
      << f.syn << f.ack << f.rst << f.fin << f.down_up_ratio << f.payload_entropy << f.src_new_dsts << f.src_new_ports
      << f.src_syn_unanswered << f.beacon;
    d << e.source_country.view() << e.destination_country.view() << e.source_events_24h << e.response.action
      << e.response.status << e.response.ttl_s << e.response.rule;
    d << e.story.id << e.story.flows << e.story.targets << e.story.duration_s << e.story.phase << e.story.by_victim
      << e.latency_us << e.drops;
}

/// Folds events and the whole feature vectors behind them, and counts.
struct digest_sink {
    digest all;
    std::uint64_t events = 0;
    std::uint64_t alerts = 0;

    constexpr void write(const event& e, const flow&, const feature_vector& v) {
        fold(all, e);
        for (const float x : v) all << x;
        ++events;
        alerts += e.kind == event_kind::alert;
    }
};

/// Keeps everything.
struct recording_sink {
    std::vector<event> alerts;
    std::vector<event> flows;

    void write(const event& e, const flow&, const feature_vector&) {
        (e.kind == event_kind::alert ? alerts : flows).push_back(e);
    }
};

/// A detector that never alarms, with the members max_threat asks for.
struct calm_detector {
    [[nodiscard]] static constexpr forest_answer answer(const feature_vector&) noexcept { return {}; }
    static constexpr std::size_t explain(const feature_vector&, std::span<contribution>) noexcept { return 0; }
    [[nodiscard]] static constexpr float confidence(float raw) noexcept { return raw; }
    [[nodiscard]] static constexpr std::string_view name() noexcept { return "calm"; }
    [[nodiscard]] static constexpr std::string_view version() noexcept { return "1"; }
    [[nodiscard]] static constexpr std::string_view hash() noexcept { return "0000000000000000"; }
    [[nodiscard]] static constexpr float suspicious() noexcept { return 0.5F; }
    [[nodiscard]] static constexpr float malicious() noexcept { return 0.7F; }
};

/// One tree and one question, so that forests have their say too: did the initiator try more than 15 ports in 10 s?
struct many_ports_model {
    static constexpr std::string_view name = "many_ports", version = "1", hash = "0123456789abcdef",
                                      command = "by hand", feature_list_hash = "0123456789abcdef", metadata = "{}";
    static constexpr std::uint64_t seed = 0;
    static constexpr float suspicious = 0.5F, malicious = 0.75F;
    static constexpr std::string_view inputs[] = {"src_new_ports"};
    static constexpr float importance[] = {1.0F};
    static constexpr calibration_point calibration[] = {{0, 0}, {1, 1}};
    static constexpr std::uint32_t roots[] = {0};
    static constexpr forest_node nodes[] = {
        {15, 1, 0, 16384}, {0, 0, 0, 0}, {1, 0, 0, static_cast<std::uint16_t>(attack_class::scan)}};
};

using calm_forests = max_threat<calm_detector>;
using small_forests = max_threat<calm_detector, forest<many_ports_model>>;

}  // namespace mldefender::test
