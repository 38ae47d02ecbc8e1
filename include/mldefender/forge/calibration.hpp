// SPDX-License-Identifier: MIT
// What scores mean: from rows judged by trees that never saw them (out of bag) come the confidence of a score, the
// thresholds that respect a budget of false alarms, and the area under the ROC curve. Uses integer weights and
// counts, so that results do not depend on the order of rows, the number of threads or the machine. Called by the
// trainer.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <mldefender/core/attack.hpp>
#include <mldefender/core/forest.hpp>
#include <mldefender/core/model.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {

/// The score of a row, or of a flow's highest row, by trees that have not seen it.
struct judged_row {
    float score = 0;                          ///< 0..1
    attack_class label = attack_class::none;  ///< what it really is
    std::uint32_t weight = 1;                 ///< training weight, integer units
};

/// How a threshold performs: shares of rows, unweighted.
struct operating_point {
    float threshold = 0;             ///< 0..1, the forest's own scale
    double false_positive_rate = 0;  ///< benign rows at or above the threshold
    double recall = 0;               ///< attack rows at or above the threshold
    /// The same for each attack class alone; 0 for classes without rows.
    std::array<double, attack_class_count> recall_by_class{};
};

namespace detail {

/// A run of neighbouring scores that share one confidence.
struct calibration_block {
    std::uint64_t attack;
    std::uint64_t total;
    float first;  ///< middle of its lowest bin
    float last;   ///< middle of its highest bin
    [[nodiscard]] double share() const noexcept { return static_cast<double>(attack) / static_cast<double>(total); }
};

/// Cuts rows in order of score into bins of at least a fifteenth of the weight of attacks or of benign rows, never
/// between equal scores: so there are at most 31, close together wherever either side has many.
[[nodiscard]] inline std::vector<calibration_block> score_bins(std::vector<judged_row> rows) {
    constexpr std::uint64_t parts = 15;
    std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.score < b.score; });
    std::array<std::uint64_t, 2> sums{};  // benign, attack
    for (const judged_row& row : rows) sums[row.label == attack_class::none ? 0 : 1] += row.weight;
    const std::uint64_t prior = rows.empty() ? 1 : (sums[0] + sums[1]) / rows.size() + 1;
    std::vector<calibration_block> bins;
    std::array<std::uint64_t, 2> in_bin{};
    for (std::size_t begin = 0, at = 0; at < rows.size(); ++at) {
        in_bin[rows[at].label == attack_class::none ? 0 : 1] += rows[at].weight;
        const bool last = at + 1 == rows.size();
        if (!last && rows[at + 1].score == rows[at].score) continue;
        if (!last && in_bin[0] * parts < sums[0] + 1 && in_bin[1] * parts < sums[1] + 1) continue;
        const float middle = (rows[begin].score + rows[at].score) / 2;
        bins.push_back({in_bin[1] + prior, in_bin[0] + in_bin[1] + 2 * prior, middle, middle});
        in_bin = {};
        begin = at + 1;
    }
    if (bins.empty()) bins.push_back({1, 2, 0.5F, 0.5F});
    return bins;
}

}  // namespace detail

/// Isotonic regression of "is an attack" on the score (pool adjacent violators; Ayer et al. 1955) over at most 31 bins
/// of comparable weight. Each bin also holds one attack and one benign row of mean weight, so no confidence is exactly
/// 0 or 1. The points run from score 0 to score 1 and are meant under the balance of classes the weights express.
[[nodiscard]] inline std::vector<calibration_point> calibrate(std::span<const judged_row> rows) {
    std::vector<detail::calibration_block> blocks;
    for (const detail::calibration_block& bin : detail::score_bins({rows.begin(), rows.end()})) {
        blocks.push_back(bin);
        while (blocks.size() > 1 && blocks[blocks.size() - 2].share() >= blocks.back().share()) {
            const detail::calibration_block last = blocks.back();
            blocks.pop_back();
            blocks.back().attack += last.attack;
            blocks.back().total += last.total;
            blocks.back().last = last.last;
        }
    }
    std::vector<calibration_point> points{{0, static_cast<float>(blocks.front().share())}};
    const auto add = [&points](float score, float confidence) {
        if (score > points.back().score) points.push_back({score, confidence});
    };
    for (const detail::calibration_block& block : blocks) {
        const auto confidence = static_cast<float>(block.share());
        add(block.first, confidence);
        add(block.last, confidence);
    }
    add(1, static_cast<float>(blocks.back().share()));
    return points;
}

/// Mean squared distance of the confidence a calibration gives to what the rows are, under their weights (Brier 1950);
/// 0 is perfect, and saying nothing but the share of attacks gives share x (1 - share). 0 without rows.
[[nodiscard]] inline double brier_score(std::span<const judged_row> rows, std::span<const calibration_point> points) {
    double sum = 0;
    double weights = 0;
    for (const judged_row& row : rows) {
        const double miss = double{confidence_of(points, row.score)} - (row.label == attack_class::none ? 0.0 : 1.0);
        const double squared = miss * miss;
        const double part = squared * static_cast<double>(row.weight);
        sum = sum + part;
        weights += static_cast<double>(row.weight);
    }
    return weights > 0 ? sum / weights : 0;
}

/// The lowest threshold that at most `budget` (a share) of the benign rows reach, set half way to the next score
/// above them so that it does not cling to one row; never below `floor`, never above 1.
[[nodiscard]] inline float threshold_for(std::span<const judged_row> rows, double budget, float floor) {
    std::vector<float> benign;
    std::vector<float> all;
    for (const judged_row& row : rows) {
        all.push_back(row.score);
        if (row.label == attack_class::none) benign.push_back(row.score);
    }
    if (benign.empty()) return floor;
    std::sort(benign.begin(), benign.end());
    std::sort(all.begin(), all.end());
    const auto allowed = static_cast<std::size_t>(static_cast<double>(benign.size()) * budget);
    if (allowed >= benign.size()) return floor;
    const float below = benign[benign.size() - 1 - allowed];  // this score and those under it must stay under
    const auto above = std::upper_bound(all.begin(), all.end(), below);
    const float next = above == all.end() ? 1.0F : *above;
    const float middle = (below + next) / 2;
    return std::clamp(middle > below ? middle : next, floor, 1.0F);
}

/// Rates at a threshold. Classes without rows have recall 0.
[[nodiscard]] inline operating_point operate(std::span<const judged_row> rows, float threshold) {
    std::array<std::uint64_t, attack_class_count> total{};
    std::array<std::uint64_t, attack_class_count> over{};
    for (const judged_row& row : rows) {
        const auto c = static_cast<std::size_t>(row.label);
        ++total[c];
        if (row.score >= threshold) ++over[c];
    }
    const auto share = [](std::uint64_t part, std::uint64_t whole) {
        return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
    };
    operating_point point;
    point.threshold = threshold;
    point.false_positive_rate = share(over[0], total[0]);
    std::uint64_t attacks = 0;
    std::uint64_t found = 0;
    for (std::size_t c = 1; c < attack_class_count; ++c) {
        attacks += total[c];
        found += over[c];
        point.recall_by_class[c] = share(over[c], total[c]);
    }
    point.recall = share(found, attacks);
    return point;
}

/// Probability that a random attack row scores higher than a random benign row, ties counting half (Mann-Whitney);
/// 0.5 when either kind is missing.
[[nodiscard]] inline double area_under_roc(std::vector<judged_row> rows) {
    std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.score < b.score; });
    std::uint64_t benign = 0;
    std::uint64_t attacks = 0;
    std::uint64_t half_wins = 0;  // twice the pairs won
    for (std::size_t at = 0; at < rows.size();) {
        std::uint64_t benign_here = 0;
        std::uint64_t attacks_here = 0;
        const float score = rows[at].score;
        for (; at < rows.size() && rows[at].score == score; ++at) {
            ++(rows[at].label == attack_class::none ? benign_here : attacks_here);
        }
        half_wins += attacks_here * (2 * benign + benign_here);
        benign += benign_here;
        attacks += attacks_here;
    }
    if (benign == 0 || attacks == 0) return 0.5;
    return static_cast<double>(half_wins) / static_cast<double>(2 * benign * attacks);
}

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
