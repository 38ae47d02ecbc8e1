// SPDX-License-Identifier: MIT
// From a dataset to what trees read: which rows and columns take part, what each row weighs, to which episode and flow
// it belongs, and which episodes only judge. Refuses nothing; the trainer checks settings before and results after.
// Called by the trainer.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include <mldefender/core/attack.hpp>
#include <mldefender/core/hash.hpp>
#include <mldefender/forge/dataset.hpp>
#include <mldefender/forge/detail/binning.hpp>
#include <mldefender/forge/detail/parallel.hpp>
#include <mldefender/forge/detail/tree_grower.hpp>
#include <mldefender/forge/training.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace detail {

/// The part of a dataset a training uses.
struct selection {
    std::vector<std::size_t> rows;     ///< of the dataset
    std::vector<std::size_t> columns;  ///< of the dataset
    std::vector<attack_class> labels;  ///< per chosen row; `none` for whatever counts as benign
};

inline selection select(const dataset& data, const train_settings& s) {
    selection chosen;
    for (std::size_t r = 0; r < data.rows(); ++r) {
        const attack_class label = data.labels()[r];
        const bool positive = std::find(s.positives.begin(), s.positives.end(), label) != s.positives.end();
        if (!positive && label != attack_class::none && s.others == other_attacks::left_out) continue;
        chosen.rows.push_back(r);
        chosen.labels.push_back(positive ? label : attack_class::none);
    }
    for (std::size_t c = 0; c < data.columns(); ++c) {
        if (std::find(s.without.begin(), s.without.end(), data.names()[c]) == s.without.end()) {
            chosen.columns.push_back(c);
        }
    }
    return chosen;
}

/// Shares of the rows before classes are balanced: the dataset's weights, or what makes behaviours equal and episodes
/// of a behaviour count by the square root of their rows.
inline std::vector<double> raw_weights(const dataset& data, const selection& chosen, class_balance balance) {
    std::vector<double> raw;
    raw.reserve(chosen.rows.size());
    for (const std::size_t r : chosen.rows) raw.push_back(double{data.weights()[r]});
    if (balance == class_balance::rows) return raw;
    using behaviour = std::pair<attack_class, std::uint16_t>;
    std::map<std::pair<behaviour, std::uint32_t>, double> episodes;
    const auto behaviour_of = [&](std::size_t i) {
        return behaviour{chosen.labels[i], data.sources()[chosen.rows[i]]};
    };
    const auto episode_of = [&](std::size_t i) { return std::pair{behaviour_of(i), data.groups()[chosen.rows[i]]}; };
    for (std::size_t i = 0; i < raw.size(); ++i) episodes[episode_of(i)] += raw[i];
    std::map<behaviour, double> behaviours;
    for (const auto& [episode, sum] : episodes) behaviours[episode.first] += std::sqrt(sum);
    for (std::size_t i = 0; i < raw.size(); ++i) {
        raw[i] /= std::sqrt(episodes[episode_of(i)]) * behaviours[behaviour_of(i)];
    }
    return raw;
}

/// Row weights in integer units, `mean_units` each on average and at most 4,096 times that. With an attack share,
/// benign and attack rows together weigh 1 - share and share, and each attack class the same, before the settings'
/// own factors; otherwise the dataset's weights stand as they are.
inline std::vector<std::uint32_t> weigh(const dataset& data, const selection& chosen, const train_settings& s,
                                        double mean_units) {
    const std::vector<double> raw = raw_weights(data, chosen, s.balance);
    std::array<double, attack_class_count> sums{};
    double sum = 0;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        sums[static_cast<std::size_t>(chosen.labels[i])] += raw[i];
        sum += raw[i];
    }
    const auto classes = std::count_if(sums.begin() + 1, sums.end(), [](double x) { return x > 0; });
    const double units = mean_units * static_cast<double>(raw.size());
    std::array<double, attack_class_count> factor{};
    for (std::size_t c = 0; c < attack_class_count; ++c) {
        if (sums[c] <= 0) continue;
        const double share = c == 0 ? 1 - s.attack_share : s.attack_share / static_cast<double>(classes);
        factor[c] = s.attack_share > 0 ? units * share / sums[c] : units / sum;
    }
    for (const class_weight& w : s.class_weights) factor[static_cast<std::size_t>(w.label)] *= w.factor;
    std::vector<std::uint32_t> weights;
    weights.reserve(raw.size());
    for (std::size_t i = 0; i < raw.size(); ++i) {
        const double weight = raw[i] * factor[static_cast<std::size_t>(chosen.labels[i])];
        weights.push_back(static_cast<std::uint32_t>(std::clamp(std::round(weight), 1.0, mean_units * 4096)));
    }
    return weights;
}

/// Numbers the bootstrap units: rows, or the groups in the order they appear; and decides which only judge, by a hash
/// of the group, so that a group stays where it is when others come or go.
inline void number_units(const dataset& data, const selection& chosen, const train_settings& s, training_rows& rows) {
    const bool by_row = s.unit == bootstrap_unit::row;
    std::map<std::uint32_t, std::uint32_t> number;
    const auto judges_only = [&s](std::uint32_t group) {
        return static_cast<double>(hash_of(group ^ (s.seed << 32)) >> 11) * 0x1p-53 < s.held_out;
    };
    for (std::size_t i = 0; i < chosen.rows.size(); ++i) {
        const std::uint32_t group = data.groups()[chosen.rows[i]];
        const auto next = static_cast<std::uint32_t>(rows.unit_count);
        std::uint32_t unit = next;
        if (!by_row) unit = number.try_emplace(group, next).first->second;
        rows.units.push_back(unit);
        if (unit != next) continue;
        ++rows.unit_count;
        if (!judges_only(group)) rows.drawn_units.push_back(unit);
    }
}

inline void number_flows(const dataset& data, const selection& chosen, training_rows& rows) {
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> number;
    for (const std::size_t r : chosen.rows) {
        const auto next = static_cast<std::uint32_t>(number.size());
        rows.flows.push_back(number.try_emplace({data.groups()[r], data.flows()[r]}, next).first->second);
    }
    rows.flow_count = number.size();
}

/// A weight times a cost, at least 1 and at most 2^26, whose product with the bootstrap's draws fits 32 bits.
[[nodiscard]] inline std::uint32_t costed(std::uint32_t weight, double cost) {
    return static_cast<std::uint32_t>(std::clamp(std::round(static_cast<double>(weight) * cost), 1.0, 67108864.0));
}

/// Takes away the columns for which `useless(position)` holds.
template <class Useless>
void drop_columns(training_rows& rows, selection& chosen, Useless useless) {
    std::size_t kept = 0;
    for (std::size_t c = 0; c < rows.columns.size(); ++c) {
        if (useless(c)) continue;
        chosen.columns[kept] = chosen.columns[c];
        if (kept != c) rows.columns[kept] = std::move(rows.columns[c]);
        ++kept;
    }
    chosen.columns.resize(kept);
    rows.columns.resize(kept);
}

inline training_rows prepare_rows(const dataset& data, const train_settings& s, selection& chosen,
                                  std::size_t threads) {
    training_rows rows;
    rows.weights = weigh(data, chosen, s, s.method == growth::boosted ? 16384 : 1024);
    rows.labels = chosen.labels;
    rows.costs = rows.weights;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows.labels[i] == attack_class::none) rows.costs[i] = costed(rows.weights[i], s.false_alarm_cost);
    }
    number_units(data, chosen, s, rows);
    number_flows(data, chosen, rows);
    rows.columns.resize(chosen.columns.size());
    for_each_piece(rows.columns.size(), threads, [&](std::size_t c, std::size_t) {
        const std::span<const float> all = data.column(chosen.columns[c]);
        std::vector<float> values;
        values.reserve(chosen.rows.size());
        for (const std::size_t r : chosen.rows) values.push_back(all[r]);
        rows.columns[c] = bin_column(values, rows.weights, s.max_bins);
    });
    drop_columns(rows, chosen, [&](std::size_t c) { return rows.columns[c].constant(); });
    return rows;
}

}  // namespace detail
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
