// SPDX-License-Identifier: MIT
// Scores flows with random forests. `forest_view` is the reference: a plain walk that works at compile time and
// defines the answer, down to the bit. `forest<Model>` wraps a compile-time model as a stateless detector and uses
// the fast layout at run time; bundle.hpp does the same for models read from files. A model that asks for a
// feature the list does not have is refused while compiling. Called by the pipeline and by the forge.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

#include <mldefender/core/attack.hpp>
#include <mldefender/core/detail/flat_forest.hpp>
#include <mldefender/core/feature.hpp>
#include <mldefender/core/math.hpp>
#include <mldefender/core/model.hpp>

namespace mldefender {
inline namespace v0 {

/// What a forest says about one row.
struct forest_answer {
    float score = 0;                          ///< mean probability over the trees, 0..1
    attack_class label = attack_class::none;  ///< the attack it resembles most, if it is one; none when score is 0
};

/// How far one feature moved a score, for explanations: positive towards attack.
struct contribution {
    std::uint16_t feature = 0;  ///< index into the feature list
    float value = 0;            ///< the row's value of it
    /// Share of the score due to it, -1..1; weights and the forest's base rate sum to the score. Under a logistic link,
    /// where scores are no sum: its share of all that features moved, -1..1.
    float weight = 0;
};

namespace detail {

/// Largest sum wins, ties go to the first class listed; `none` when nothing voted.
template <class Sum>
[[nodiscard]] constexpr attack_class most_voted(const std::array<Sum, attack_class_count>& by_class) noexcept {
    std::size_t best = 0;
    for (std::size_t c = 1; c < attack_class_count; ++c) {
        if (by_class[c] > (best == 0 ? Sum{0} : by_class[best])) best = c;
    }
    return static_cast<attack_class>(best);
}

/// Exact up to the final division: units stay below 2^24.
[[nodiscard]] constexpr float mean_of_units(std::uint32_t units, std::size_t trees) noexcept {
    return static_cast<float>(units) / 65536.0F / static_cast<float>(trees);
}

[[nodiscard]] constexpr forest_answer answer_of(const leaf_sums& sums, std::size_t trees) noexcept {
    return {mean_of_units(sums.total, trees), most_voted(sums.by_class)};
}

/// The score of a finished sum of leaf values. A logistic link in binary32 is XGBoost's, down to its bound of 88.7.
[[nodiscard]] constexpr float score_of_sum(const leaf_sum& rule, double sum, std::size_t trees) noexcept {
    if (rule.link == score_link::mean) return static_cast<float>(sum / static_cast<double>(trees));
    if (rule.precision == sum_precision::binary64) {
        return static_cast<float>(1 / (1 + exponential(-rule.slope * sum)));
    }
    const float power = sum < double{-88.7F} ? 88.7F : static_cast<float>(-sum);
    return 1.0F / (static_cast<float>(exponential(double{power})) + 1.0F);
}

/// A model with leaf values recognises one class.
[[nodiscard]] constexpr forest_answer answer_of(const leaf_sum& rule, float score) noexcept {
    return {score, score > 0 ? rule.label : attack_class::none};
}

/// The same from the fast layout.
[[nodiscard]] inline float summed_score(const flat_forest& flat, const leaf_sum& rule, std::span<const float> row,
                                        std::size_t trees) noexcept {
    const double sum = rule.precision == sum_precision::binary32
                           ? double{flat.ordered_sum(row, static_cast<float>(rule.start))}
                           : flat.ordered_sum(row, rule.start);
    return score_of_sum(rule, sum, trees);
}

}  // namespace detail

/// Piecewise linear confidence of a score by a model's calibration. NaN counts as score 0.
[[nodiscard]] constexpr float confidence_of(std::span<const calibration_point> points, float score) noexcept {
    if (points.empty()) return 0;
    if (!(score > points.front().score)) return points.front().confidence;
    for (std::size_t i = 1; i < points.size(); ++i) {
        const calibration_point low = points[i - 1];
        const calibration_point high = points[i];
        if (score > high.score) continue;
        return low.confidence + (high.confidence - low.confidence) * ((score - low.score) / (high.score - low.score));
    }
    return points.back().confidence;
}

/// Where a forest's scores begin and end to mean something.
struct score_ends {
    float quiet = 0;    ///< up to here an attack is unlikely: one in five or less
    float certain = 1;  ///< from here on no training flow was more of an attack
};

/// The ends a calibration shows, such that 0 <= quiet < suspicious and malicious < certain <= 1: scores of trees that
/// share the work of telling, unlike those of trees that each know all, fill only a part of 0..1.
[[nodiscard]] constexpr score_ends ends_of(std::span<const calibration_point> points, float suspicious,
                                           float malicious) noexcept {
    constexpr float unlikely = 0.2F;
    score_ends ends;
    for (const calibration_point& point : points) {
        if (point.confidence <= unlikely && point.score < suspicious) ends.quiet = point.score;
    }
    if (points.size() > 2 && points[points.size() - 2].score > malicious)
        ends.certain = points[points.size() - 2].score;
    return ends;
}

/// A forest wherever its tables live, with its inputs resolved to feature indices. Does not own anything. All
/// functions are const, safe from any number of threads, and require that a row reaches past every index in `inputs`.
struct forest_view {
    std::span<const forest_node> nodes;        ///< tree after tree, each breadth first
    std::span<const std::uint32_t> roots;      ///< first node of each tree
    std::span<const std::uint16_t> inputs;     ///< feature index of each model input
    std::span<const double> leaf_values = {};  ///< one for each node, or none
    leaf_sum sum_rule = {};                    ///< how they are added

    /// Mean of the leaves' probabilities, or what its leaf values add up to; 0..1.
    [[nodiscard]] constexpr float score(std::span<const float> row) const noexcept {
        if (!leaf_values.empty()) return summed_score(row);
        float sum = 0;
        for (const std::uint32_t root : roots) sum += nodes[leaf(root, row)].value;
        return sum / static_cast<float>(roots.size());
    }

    /// Score, and the class by the leaves' votes weighted with their probabilities; with leaf values, the model's
    /// class.
    [[nodiscard]] constexpr forest_answer answer(std::span<const float> row) const noexcept {
        if (!leaf_values.empty()) return detail::answer_of(sum_rule, summed_score(row));
        float sum = 0;
        std::array<float, attack_class_count> votes{};
        for (const std::uint32_t root : roots) {
            const forest_node& end = nodes[leaf(root, row)];
            sum += end.value;
            votes[end.extra] += end.value;
        }
        return {sum / static_cast<float>(roots.size()), detail::most_voted(votes)};
    }

    /// Writes the features that moved the score most, largest absolute weight first, equal weights by feature index;
    /// features that moved nothing are left out. Each step of a path credits its feature with the change of the
    /// mean probability (Saabas' decomposition). Returns how many were written.
    constexpr std::size_t explain(std::span<const float> row, std::span<contribution> out) const noexcept {
        std::array<std::int32_t, max_model_inputs> moved{};
        for (const std::uint32_t root : roots) credit_path(root, row, moved);
        const float whole = weight_of_one(moved);
        std::size_t written = 0;
        while (written < out.size()) {
            const std::optional<std::size_t> best = largest(moved);
            if (!best) break;
            const float weight = static_cast<float>(moved[*best]) / 65536.0F / whole;
            out[written++] = {inputs[*best], row[inputs[*best]], weight};
            moved[*best] = 0;
        }
        return written;
    }

    /// Mean probability at the roots: the score before any feature has spoken. Under a logistic link it lies on the
    /// scale of the leaves, from the least (0) to the largest (1).
    [[nodiscard]] constexpr float base_rate() const noexcept {
        std::uint32_t units = 0;
        for (const std::uint32_t root : roots) units += static_cast<std::uint32_t>(nodes[root].mean_units());
        return detail::mean_of_units(units, roots.size());
    }

private:
    [[nodiscard]] constexpr std::uint32_t child(const forest_node& node, std::span<const float> row) const noexcept {
        const float x = row[inputs[node.input_index()]];
        return x <= node.value || (node.missing_left() && x != x) ? node.left : node.left + 1;
    }

    [[nodiscard]] constexpr std::uint32_t leaf(std::uint32_t at, std::span<const float> row) const noexcept {
        while (!nodes[at].is_leaf()) at = child(nodes[at], row);
        return at;
    }

    template <class Number>
    [[nodiscard]] constexpr Number ordered_sum(std::span<const float> row) const noexcept {
        auto sum = static_cast<Number>(sum_rule.start);
        for (const std::uint32_t root : roots) sum += static_cast<Number>(leaf_values[leaf(root, row)]);
        return sum;
    }

    [[nodiscard]] constexpr float summed_score(std::span<const float> row) const noexcept {
        const double sum =
            sum_rule.precision == sum_precision::binary32 ? double{ordered_sum<float>(row)} : ordered_sum<double>(row);
        return detail::score_of_sum(sum_rule, sum, roots.size());
    }

    // What a movement of one probability in one tree counts in the score, inverted: the number of trees, or all
    // movements together where scores are no sum.
    [[nodiscard]] constexpr float weight_of_one(
        const std::array<std::int32_t, max_model_inputs>& moved) const noexcept {
        if (sum_rule.link == score_link::mean) return static_cast<float>(roots.size());
        std::int64_t sum = 0;
        for (const std::int64_t units : moved) sum += units < 0 ? -units : units;
        return static_cast<float>(sum) / 65536.0F;
    }

    constexpr void credit_path(std::uint32_t at, std::span<const float> row,
                               std::array<std::int32_t, max_model_inputs>& moved) const noexcept {
        while (!nodes[at].is_leaf()) {
            const std::uint32_t next = child(nodes[at], row);
            moved[nodes[at].input_index()] += nodes[next].mean_units() - nodes[at].mean_units();
            at = next;
        }
    }

    [[nodiscard]] constexpr std::optional<std::size_t> largest(
        const std::array<std::int32_t, max_model_inputs>& moved) const noexcept {
        const auto size = [&](std::size_t i) { return moved[i] < 0 ? -moved[i] : moved[i]; };
        std::optional<std::size_t> best;
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            if (size(i) == 0) continue;
            if (!best || size(i) > size(*best) || (size(i) == size(*best) && inputs[i] < inputs[*best])) best = i;
        }
        return best;
    }
};

namespace detail {

template <class Model, class Features>
[[nodiscard]] constexpr bool knows_inputs() noexcept {
    for (const std::string_view input : Model::inputs) {
        if (!Features::index(input)) return false;
    }
    return true;
}

template <class Model, class Features>
[[nodiscard]] constexpr auto resolve_inputs() noexcept {
    std::array<std::uint16_t, std::size(Model::inputs)> indices{};
    for (std::size_t i = 0; i < indices.size(); ++i) {
        indices[i] = static_cast<std::uint16_t>(Features::index(Model::inputs[i]).value_or(0));
    }
    return indices;
}

}  // namespace detail

/// The columns of a row as feature.hpp lists them. A list is a type with `count` and `index(name)`.
struct standard_features {
    static constexpr std::size_t count = feature_count;  ///< columns of a row
    /// The column of a feature, or nothing.
    [[nodiscard]] static constexpr std::optional<std::size_t> index(std::string_view name) noexcept {
        return feature_index(name);
    }
};

/// A compile-time model as a detector. Stateless: all copies share one table laid out on first use, or by
/// `prepare()`, so that no packet pays for it. `Features` names the columns of a row (see model.hpp for `Model`).
template <class Model, class Features>
struct basic_forest {
    static_assert(check_model<Model>());

    /// A row: one float per feature of the list, in its order.
    using row_type = std::span<const float, Features::count>;

    /// Detector, e.g. "ddos".
    [[nodiscard]] static constexpr std::string_view name() noexcept { return Model::name; }
    /// Of the model, free text.
    [[nodiscard]] static constexpr std::string_view version() noexcept { return Model::version; }
    /// First 16 hexadecimal digits of the SHA-256 of the equivalent bundle.
    [[nodiscard]] static constexpr std::string_view hash() noexcept { return Model::hash; }
    /// Scores from here on deserve watching.
    [[nodiscard]] static constexpr float suspicious() noexcept { return Model::suspicious; }
    /// Scores from here on deserve a response.
    [[nodiscard]] static constexpr float malicious() noexcept { return Model::malicious; }

    /// Where its scores begin and end to mean something.
    [[nodiscard]] static constexpr score_ends ends() noexcept { return meaning; }

    /// The reference walk over this model.
    [[nodiscard]] static constexpr forest_view view() noexcept {
        constexpr model_tables tables = tables_of<Model>();
        return {tables.nodes, tables.roots, resolved, tables.leaf_values, tables.sum};
    }

    /// Mean probability over the trees, or what its leaf values add up to; 0..1.
    [[nodiscard]] static constexpr float score(row_type row) noexcept {
        if (std::is_constant_evaluated()) return view().score(row);
        if constexpr (summed) return detail::summed_score(flat(), tables_of<Model>().sum, row, tree_count);
        return detail::mean_of_units(flat().total(row), tree_count);
    }

    /// Score and attack class.
    [[nodiscard]] static constexpr forest_answer answer(row_type row) noexcept {
        if (std::is_constant_evaluated()) return view().answer(row);
        if constexpr (summed) return detail::answer_of(tables_of<Model>().sum, score(row));
        return detail::answer_of(flat().sums(row), tree_count);
    }

    /// See forest_view::explain.
    static constexpr std::size_t explain(row_type row, std::span<contribution> out) noexcept {
        return view().explain(row, out);
    }

    /// Share of training flows with such a score that were attacks.
    [[nodiscard]] static constexpr float confidence(float score) noexcept {
        return confidence_of(Model::calibration, score);
    }

    /// Lays the fast table out now. Call once before the first packet; safe from any thread.
    static void prepare() { (void)flat(); }

private:
    static constexpr std::size_t tree_count = std::size(Model::roots);
    static constexpr std::size_t input_count = std::size(Model::inputs);
    static constexpr bool summed = !tables_of<Model>().leaf_values.empty();
    static constexpr score_ends meaning = mldefender::ends_of(Model::calibration, Model::suspicious, Model::malicious);

    static_assert(detail::knows_inputs<Model, Features>(),
                  "model: an input is not a feature of the list; train the model again");
    static constexpr std::array<std::uint16_t, input_count> resolved = detail::resolve_inputs<Model, Features>();

    static const detail::flat_forest& flat() {
        static const detail::flat_forest table{tables_of<Model>(), resolved};
        return table;
    }
};

/// A compile-time model over the standard features: `max_threat<forest<models::ddos>, ...>`.
template <class Model>
using forest = basic_forest<Model, standard_features>;

}  // namespace v0
}  // namespace mldefender
