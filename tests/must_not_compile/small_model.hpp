// SPDX-License-Identifier: MIT
// What the models of this folder have in common: a valid model of one tree and one question. Each file replaces one
// part of it by a wrong one.
#pragma once

#include <mldefender/core/forest.hpp>

struct small_model {
    static constexpr std::string_view name = "m", version = "1", hash = "", command = "", feature_list_hash = "",
                                      metadata = "{}";
    static constexpr std::uint64_t seed = 0;
    static constexpr float suspicious = 0.5F, malicious = 0.75F;
    static constexpr std::string_view inputs[] = {"flow_duration"};
    static constexpr float importance[] = {1};
    static constexpr mldefender::calibration_point calibration[] = {{0, 0.1F}, {1, 0.9F}};
    static constexpr std::uint32_t roots[] = {0};
    static constexpr mldefender::forest_node nodes[] = {{1, 1, 0, 16384}, {}, {1, 0, 0, 1}};
};
