// SPDX-License-Identifier: MIT
// What the four shipped forests are for: names, classes and training settings, in the order the sensor lists them.
// The forge tool trains from this table; changing it means training again.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <mldefender/core/attack.hpp>
#include <mldefender/forge/training.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {

/// One shipped detector.
struct detector_recipe {
    std::string_view name;                ///< as in events, model files and C++ types
    std::vector<attack_class> positives;  ///< classes it is to recognise
    std::size_t max_leaves;               ///< per tree; 100 trees each, about 6,000 nodes together
};

/// The four, in the sensor's order.
[[nodiscard]] inline std::vector<detector_recipe> shipped_detectors() {
    using enum attack_class;
    return {{"ddos", {ddos}, 5},
            {"ransomware", {ransomware}, 5},
            {"traffic", {botnet, dns_tunnel, web}, 11},
            {"internal", {scan, bruteforce, lateral, exfil}, 11}};
}

/// Features that tell more about how the traffic was made or recorded than about what it is, and so differ between
/// networks, synthetic ones above all. Rules may use them: a person chose where their limits lie.
[[nodiscard]] inline std::vector<std::string> unlike_elsewhere() {
    return {
        "destination_port",  // the service shows in its protocol
        "http_agent_length",
        "http_least_headers",
        "http_host_address",  // habits of programs
        "fwd_payload_entropy",
        "bwd_payload_entropy",  // synthetic bodies are abridged
        "flow_iat_min",
        "fwd_iat_min",
        "bwd_iat_min",  // clock and card of the sensor
        "fwd_packet_length_min",
        "bwd_packet_length_min",
        "packet_length_min",  // options of an empty segment
        "init_fwd_win_bytes",
        "init_bwd_win_bytes",  // the operating system
        "pair_age",            // how long the sensor has run
    };
}

/// Training settings of a shipped detector.
[[nodiscard]] inline train_settings settings_of(const detector_recipe& recipe, std::uint64_t seed,
                                                std::string command) {
    train_settings s;
    s.name = recipe.name;
    s.command = std::move(command);
    s.seed = seed;
    s.positives = recipe.positives;
    s.max_leaves = recipe.max_leaves;
    s.without = unlike_elsewhere();
    // A forest has few leaves for many behaviours: boosted trees share the work, and rare behaviours weigh as much as
    // those that make many flows.
    s.method = growth::boosted;
    s.balance = class_balance::sources;
    s.veto = 1;
    s.held_out = 0.25;
    s.false_alarm_cost = 3;
    s.least_importance = 0.0005;
    s.hopeless = 0.05;
    // Coarse steps: with fine ones leaves learn the exact sizes and gaps the synthesiser happens to make.
    s.max_bins = 32;
    s.min_rows_per_leaf = 40;
    // Shallow trees need good splits, so each one chooses among many features; and attacks weigh less than ordinary
    // flows, since what counts is the far end of the ordinary ones.
    s.candidates = 40;
    s.attack_share = 0.2;
    s.suspicious_budget = 0.0001;
    s.malicious_budget = 0.00002;
    s.suspicious_floor = s.malicious_floor = 0.02F;  // the scale of boosted scores is their own
    return s;
}

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
