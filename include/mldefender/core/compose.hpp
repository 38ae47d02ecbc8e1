// SPDX-License-Identifier: MIT
// From a flow and a decision to an event: fills the structured content of all leaves that the sensor's identity and
// the log do not add. Cold compared with packets: runs once per ended flow or alert.
// Called by the pipeline.
#pragma once

#include <cstddef>
#include <cstdint>

#include <mldefender/core/event.hpp>
#include <mldefender/core/extract.hpp>
#include <mldefender/core/score.hpp>

namespace mldefender {
inline namespace v0 {

namespace detail {

[[nodiscard]] constexpr flow_state state_of(const flow& f) noexcept {
    if (f.progress >= flow_progress::closing || f.progress == flow_progress::refused) return flow_state::closed;
    return f.answered() ? flow_state::established : flow_state::opened;
}

[[nodiscard]] constexpr flow_direction direction_of(bool initiator_external, bool responder_external) noexcept {
    if (initiator_external) return responder_external ? flow_direction::external : flow_direction::inbound;
    return responder_external ? flow_direction::outbound : flow_direction::internal;
}

constexpr void compose_flow(event& e, const flow& f) noexcept {
    e.flow_id = f.id;
    e.tuple = f.tuple;
    e.ip_version = f.ip_version;
    e.icmp_type = f.icmp_type;
    e.icmp_code = f.icmp_code;
    e.interface_index = f.interface_index;
    e.app_protocol = name_of(f.app.protocol);
    e.flow.start_ns = f.first_ns;
    e.flow.end_ns = f.last_ns;
    e.flow.packets_to_server = f.forward.packets();
    e.flow.packets_to_client = f.backward.packets();
    e.flow.bytes_to_server = f.forward.bytes();
    e.flow.bytes_to_client = f.backward.bytes();
    e.flow.state = state_of(f);
    e.flow.tcp_flags = static_cast<std::uint8_t>(f.forward.tcp_flags | f.backward.tcp_flags);
}

constexpr void compose_features(event& e, const feature_vector& v) noexcept {
    const auto count = [](float x) { return static_cast<std::uint32_t>(x + 0.5F); };
    e.features.packets_per_s = v["flow_packets_s"_feature];
    e.features.bytes_per_s = v["flow_bytes_s"_feature];
    e.features.iat_mean_us = v["flow_iat_mean"_feature];
    e.features.iat_std_us = v["flow_iat_std"_feature];
    e.features.packet_len_mean = v["packet_length_mean"_feature];
    e.features.packet_len_std = v["packet_length_std"_feature];
    e.features.syn = count(v["syn_flag_count"_feature]);
    e.features.ack = count(v["ack_flag_count"_feature]);
    e.features.rst = count(v["rst_flag_count"_feature]);
    e.features.fin = count(v["fin_flag_count"_feature]);
    e.features.down_up_ratio = v["down_up_ratio"_feature];
    e.features.payload_entropy =
        v["fwd_payload_entropy"_feature] > 0 ? v["fwd_payload_entropy"_feature] : v["bwd_payload_entropy"_feature];
    e.features.src_new_dsts = count(v["src_new_dsts"_feature]);
    e.features.src_new_ports = count(v["src_new_ports"_feature]);
    e.features.src_syn_unanswered = v["src_syn_unanswered"_feature];
    e.features.beacon = v["beacon"_feature];
    e.direction = direction_of(v["initiator_external"_feature] > 0, v["responder_external"_feature] > 0);
}

constexpr void compose_rules(event& e, const rule_set& rules, std::uint64_t fired, attack_class attack) noexcept {
    bool named = false;
    for (std::size_t i = 0; i < rule_count; ++i) {
        if (((fired >> i) & 1U) == 0) continue;
        const rule& r = rules.rules()[i];
        e.fast_reasons.push(r.name);
        if (r.attack != attack) continue;
        if (!named) {
            e.signature = {first_rule_signature + static_cast<std::uint32_t>(i), r.revision, r.title};
            e.tactics.push(describe(attack).tactic);
            named = true;
        }
        e.techniques.push(r.technique);
    }
    e.fast_triggered = fired != 0;
}

}  // namespace detail

/// The scores an event shows: those of the flow's worst decision, or of its story.
struct shown_scores {
    float fast = 0;                            ///< of the rules, 0..1
    float ml = 0;                              ///< of the forests, 0..1 on the common scale
    float raw = 0;                             ///< the forest's own score behind `ml`
    attack_class attack = attack_class::none;  ///< of the larger score
    attack_class label = attack_class::none;   ///< given by the forests
    std::uint8_t model = 0;                    ///< which forest, position in max_threat
    std::uint8_t level = 1;                    ///< mld.ml.level: 1 flow features, 2 windows, 3 pair histories
    std::uint64_t rules = 0;                   ///< bit per rule that fired
};

/// The larger of the two scores.
[[nodiscard]] constexpr float score_of(const shown_scores& s) noexcept { return s.fast >= s.ml ? s.fast : s.ml; }

/// Fills `e` but for kind, story, response and system leaves.
template <class Forests>
constexpr void compose(event& e, const flow& f, const feature_vector& v, const shown_scores& shown,
                       const rule_set& rules, const Forests& forests, const decision_thresholds& at) noexcept {
    detail::compose_flow(e, f);
    detail::compose_features(e, v);
    e.fast_score = shown.fast;
    e.ml_score = shown.ml;
    e.score = score_of(shown);
    decide(e, at);
    e.attack_class = e.verdict == verdict::benign ? attack_class::none : shown.attack;
    e.ml_label = shown.label;
    e.ml_level = shown.level;
    e.model_index = shown.model;
    if (e.verdict != verdict::benign) {
        e.signature = {class_signature_id(e.attack_class), 1, ""};
    }
    detail::compose_rules(e, rules, shown.rules, e.attack_class);
    std::array<contribution, max_explain_items> moved{};
    std::size_t count = 0;
    forests.with(shown.model, [&](const auto& forest) {
        count = forest.explain(v, moved);
        const float attack = forest.confidence(shown.raw);
        // A rule is as sure as its score; calm is as sure as an attack is unlikely.
        const float sure = shown.fast >= shown.ml ? shown.fast : attack;
        e.confidence = e.verdict == verdict::benign ? 1 - (sure > 1 ? 1 : sure) : sure;
    });
    for (std::size_t i = 0; i < count; ++i) {
        e.explain.push({features[moved[i].feature].name, moved[i].value, moved[i].weight});
        const auto needed = static_cast<std::uint8_t>(features[moved[i].feature].level);
        if (shown.ml > shown.fast && needed > e.ml_level) e.ml_level = needed;
    }
}

}  // namespace v0
}  // namespace mldefender
