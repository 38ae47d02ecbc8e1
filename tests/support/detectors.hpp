// SPDX-License-Identifier: MIT
// Four random forests of the shipped size (100 trees of 8 leaves each) over the real features, as a stand-in for
// trained ones where only their cost matters. Their scores mean nothing; thresholds are set so that they never alarm.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <mldefender/core/bundle.hpp>
#include <mldefender/core/feature.hpp>
#include <mldefender/core/score.hpp>

#include "random_forest.hpp"

namespace mldefender::test {

using four_forests = max_threat<bundle_forest, bundle_forest, bundle_forest, bundle_forest>;

inline bundle_forest random_detector(std::uint64_t seed) {
    model_data model = test_support::random_forest(100, 8, feature_count, seed);
    for (std::size_t i = 0; i < feature_count; ++i) model.inputs[i] = std::string{features[i].name};
    model.suspicious = 0.98F;
    model.malicious = 0.99F;
    return std::move(*bundle_forest::make(std::move(model)));
}

inline four_forests random_four() {
    return four_forests{random_detector(1), random_detector(2), random_detector(3), random_detector(4)};
}

}  // namespace mldefender::test
