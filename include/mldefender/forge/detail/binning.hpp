// SPDX-License-Identifier: MIT
// Turns a feature column into at most 256 bins, so that trees count instead of sorting. Cuts lie half way between
// values that occur, rounded to float, and are the thresholds of the finished model: a row falls on the same side of
// a cut by its bin as by its value. NaN has a bin of its own behind every number. Used by the trainer.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace detail {

/// A column in bins: bin b holds the values x with cuts[b - 1] < x <= cuts[b].
struct binned_column {
    std::vector<float> cuts;         ///< ascending; bins are one more
    std::vector<std::uint8_t> bins;  ///< of each row
    [[nodiscard]] bool constant() const noexcept { return cuts.empty(); }
};

/// A value that occurs, and the weight of all rows that have it.
struct weighted_value {
    float value;
    std::uint64_t weight;
};

/// Half way from a to b (a < b), so that a <= cut < b holds in float.
[[nodiscard]] inline float cut_between(float a, float b) noexcept {
    const auto middle = static_cast<float>((double{a} + double{b}) / 2);
    return middle < b ? middle : a;
}

/// The distinct numbers of a column in ascending order, NaN left out. -0 counts as 0.
[[nodiscard]] inline std::vector<weighted_value> distinct_values(std::span<const float> values,
                                                                 std::span<const std::uint32_t> weights) {
    std::vector<weighted_value> all;
    all.reserve(values.size());
    for (std::size_t r = 0; r < values.size(); ++r) {
        if (!std::isnan(values[r])) all.push_back({values[r] + 0.0F, weights[r]});
    }
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.value < b.value; });
    std::size_t kept = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (kept > 0 && all[kept - 1].value == all[i].value) {
            all[kept - 1].weight += all[i].weight;
        } else {
            all[kept++] = all[i];
        }
    }
    all.resize(kept);
    return all;
}

/// Cuts that give at most `max_bins` bins of about equal weight; a cut between any two values when those are few.
[[nodiscard]] inline std::vector<float> choose_cuts(std::span<const weighted_value> values, std::size_t max_bins) {
    std::uint64_t remaining = 0;
    for (const weighted_value& v : values) remaining += v.weight;
    std::vector<float> cuts;
    std::uint64_t in_bin = 0;
    for (std::size_t i = 0; i + 1 < values.size() && cuts.size() + 1 < max_bins; ++i) {
        in_bin += values[i].weight;
        const std::size_t bins_left = max_bins - cuts.size();
        if (values.size() > max_bins && in_bin * bins_left < remaining) continue;
        cuts.push_back(cut_between(values[i].value, values[i + 1].value));
        remaining -= in_bin;
        in_bin = 0;
    }
    return cuts;
}

/// Bins a column. `max_bins` counts numbers only, 2..255.
[[nodiscard]] inline binned_column bin_column(std::span<const float> values, std::span<const std::uint32_t> weights,
                                              std::size_t max_bins) {
    binned_column column;
    column.cuts = choose_cuts(distinct_values(values, weights), max_bins);
    const bool has_nan = std::any_of(values.begin(), values.end(), [](float x) { return std::isnan(x); });
    const bool has_number = std::any_of(values.begin(), values.end(), [](float x) { return !std::isnan(x); });
    if (has_nan && has_number) column.cuts.push_back(std::numeric_limits<float>::max());
    column.bins.reserve(values.size());
    for (const float x : values) {
        const auto at = std::isnan(x) ? column.cuts.end() : std::lower_bound(column.cuts.begin(), column.cuts.end(), x);
        column.bins.push_back(static_cast<std::uint8_t>(at - column.cuts.begin()));
    }
    return column;
}

}  // namespace detail
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
