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

/// Training settings of a shipped detector. Ports are left out: a forest that learns port numbers of the synthetic
/// networks knows nothing about other ones; what a service is comes from its protocol.
[[nodiscard]] inline train_settings settings_of(const detector_recipe& recipe, std::uint64_t seed,
                                                std::string command) {
    train_settings s;
    s.name = recipe.name;
    s.command = std::move(command);
    s.seed = seed;
    s.positives = recipe.positives;
    s.max_leaves = recipe.max_leaves;
    // So are the habits of its programs: how they name themselves and how many headers they send.
    s.without = {"destination_port", "http_agent_length", "http_least_headers"};
    s.min_rows_per_leaf = 40;
    // Shallow trees need good splits, so each one chooses among many features; and attacks weigh less than ordinary
    // flows, since what counts is the far end of the ordinary ones.
    s.candidates = 40;
    s.attack_share = 0.2;
    s.suspicious_budget = 0.0001;
    s.malicious_budget = 0.00002;
    return s;
}

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
