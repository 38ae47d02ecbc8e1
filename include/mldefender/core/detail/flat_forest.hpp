// SPDX-License-Identifier: MIT
// The portable fast form of a forest: 8-byte nodes whose comparison, feature and child come out of one load, ten
// trees walked in turn so that their loads overlap. Laid out once from checked tables; refuses nothing, because
// find_fault already did. Agrees bit for bit with the reference walk in forest.hpp, which calls it.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <mldefender/core/model.hpp>

namespace mldefender {
inline namespace v0 {
namespace detail {

/// Maps floats to unsigned integers of the same order: -inf < ... < -0 == +0 < ... < +inf < every NaN. So
/// `x <= t` is `key(x) <= key(t)` for every x and every finite t, and NaN goes right.
[[nodiscard]] constexpr std::uint32_t order_key(float x) noexcept {
    // Arithmetic rather than branches: signs of features are as good as random to a predictor.
    std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
    const std::uint32_t nan_mask = 0U - static_cast<std::uint32_t>((bits & 0x7fff'ffffU) > 0x7f80'0000U);
    bits &= 0U - static_cast<std::uint32_t>(bits != 0x8000'0000U);
    return (bits ^ ((0U - (bits >> 31)) | 0x8000'0000U)) | nan_mask;
}

/// Sum over the leaves a row falls into, in units of 2^-16, in total and per attack class.
struct leaf_sums {
    std::uint32_t total = 0;
    std::array<std::uint32_t, attack_class_count> by_class{};
};

/// The order with NaN below everything, for nodes that send it left.
[[nodiscard]] constexpr std::uint32_t order_key_missing_left(float x) noexcept { return x != x ? 0 : order_key(x); }

class flat_forest {
public:
    flat_forest() = default;

    /// `inputs` holds the feature index of each model input. Both must come from a model without fault.
    flat_forest(const model_tables& model, std::span<const std::uint16_t> inputs) {
        m_words.reserve(model.nodes.size() + 1);
        m_leaves.reserve(model.nodes.size() + 1);
        const std::vector<std::uint8_t> columns = number_columns(model, inputs);
        for (const forest_node& node : model.nodes) {
            const auto self = static_cast<std::uint32_t>(m_words.size());
            const std::size_t side = node.missing_left() ? inputs.size() : 0;
            m_words.push_back(node.is_leaf()
                                  ? leaf_word(self)
                                  : word(order_key(node.value), node.left, columns[node.input_index() + side]));
            m_leaves.push_back(node.is_leaf() ? leaf{static_cast<std::uint32_t>(node.mean_units()), node.extra}
                                              : leaf{});
        }
        const auto padding = static_cast<std::uint32_t>(m_words.size());  // a leaf of weight 0 fills the last group
        m_words.push_back(leaf_word(padding));
        m_leaves.push_back({});
        group_trees(model, padding);
        if (model.leaf_values.empty()) return;
        m_values.assign(model.leaf_values.begin(), model.leaf_values.end());
        m_values.push_back(0);
    }

    /// Sum of the leaves' probabilities in units of 2^-16. `row` must reach past every feature index of the model.
    [[nodiscard]] std::uint32_t total(std::span<const float> row) const noexcept {
        std::uint32_t sum = 0;
        walk(row, [&](std::uint32_t at) { sum += m_leaves[at].units; });
        return sum;
    }

    /// As `total`, also split by the attack class each leaf voted for.
    [[nodiscard]] leaf_sums sums(std::span<const float> row) const noexcept {
        leaf_sums out;
        walk(row, [&](std::uint32_t at) {
            out.total += m_leaves[at].units;
            out.by_class[m_leaves[at].label] += m_leaves[at].units;
        });
        return out;
    }

    /// Sum of the leaf values, tree after tree, from `start` on; only of a model that has them.
    template <class Number>
    [[nodiscard]] Number ordered_sum(std::span<const float> row, Number start) const noexcept {
        walk(row, [&](std::uint32_t at) { start += static_cast<Number>(m_values[at]); });
        return start;
    }

private:
    // Ten walks keep about as many loads in flight as a core can hold while their positions stay in registers.
    static constexpr std::size_t lanes = 10;

    struct leaf {
        std::uint32_t units = 0;
        std::uint32_t label = 0;
    };
    struct group {
        std::array<std::uint32_t, lanes> roots;
        std::uint32_t steps;
    };

    static constexpr std::uint64_t word(std::uint32_t key, std::uint32_t child, std::uint32_t input) noexcept {
        return (std::uint64_t{key} << 32) | (child << 8) | input;
    }
    // No key exceeds the largest one, so a leaf always steps onto itself: walks of a group need no exit test.
    static constexpr std::uint64_t leaf_word(std::uint32_t self) noexcept { return word(0xffff'ffffU, self, 0); }

    // A column of keys for each input and side that missing values go to, as far as nodes use it: those on the right
    // first. Returns the column of each input, and behind them of each input with missing values on the left.
    std::vector<std::uint8_t> number_columns(const model_tables& model, std::span<const std::uint16_t> inputs) {
        side_set used;
        for (const forest_node& node : model.nodes) {
            if (!node.is_leaf()) used.add(node);
        }
        std::vector<std::uint8_t> columns(2 * inputs.size());
        std::size_t next = 0;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const bool missing_left = i >= inputs.size();
            const std::size_t input = missing_left ? i - inputs.size() : i;
            if (!used.has(input, missing_left)) continue;
            columns[i] = static_cast<std::uint8_t>(next++);
            (missing_left ? m_left_inputs : m_inputs).push_back(inputs[input]);
        }
        return columns;
    }

    // Trees of like depth share a group, since a group walks as long as its deepest tree. Order cannot change sums of
    // probabilities; leaf values are added in the order of the trees.
    void group_trees(const model_tables& model, std::uint32_t padding) {
        std::vector<std::pair<std::uint32_t, std::uint32_t>> trees;  // depth, root
        std::vector<std::uint32_t> height(model.nodes.size());
        for (std::size_t i = model.nodes.size(); i-- > 0;) {
            const forest_node& node = model.nodes[i];
            if (!node.is_leaf()) height[i] = 1 + std::max(height[node.left], height[node.left + 1]);
        }
        for (const std::uint32_t root : model.roots) trees.emplace_back(height[root], root);
        if (model.leaf_values.empty()) std::sort(trees.begin(), trees.end());
        for (std::size_t first = 0; first < trees.size(); first += lanes) {
            group g{};
            for (std::size_t lane = 0; lane < lanes; ++lane) {
                const bool present = first + lane < trees.size();
                g.roots[lane] = present ? trees[first + lane].second : padding;
                if (present) g.steps = std::max(g.steps, trees[first + lane].first);
            }
            m_groups.push_back(g);
        }
    }

    template <class Visit>
    void walk(std::span<const float> row, Visit visit) const noexcept {
        std::array<std::uint64_t, max_model_inputs> keys;  // only the model's inputs are written and read
        for (std::size_t i = 0; i < m_inputs.size(); ++i) {
            keys[i] = std::uint64_t{order_key(row[m_inputs[i]])} << 32;
        }
        for (std::size_t i = 0; i < m_left_inputs.size(); ++i) {
            keys[m_inputs.size() + i] = std::uint64_t{order_key_missing_left(row[m_left_inputs[i]])} << 32;
        }
        walk_groups(keys.data(), visit, std::make_index_sequence<lanes>{});
    }

    template <class Visit, std::size_t... Lane>
    void walk_groups(const std::uint64_t* keys, Visit visit, std::index_sequence<Lane...>) const noexcept {
        const std::uint64_t* const words = m_words.data();
        for (const group& g : m_groups) {
            std::array<std::uint32_t, lanes> at = g.roots;
            for (std::uint32_t step = 0; step < g.steps; ++step) {
                // The low half of a key is 0, so equal keys never compare greater whatever child and input are.
                ((at[Lane] = advance(words[at[Lane]], keys)), ...);
            }
            (visit(at[Lane]), ...);
        }
    }

    static std::uint32_t advance(std::uint64_t word, const std::uint64_t* keys) noexcept {
        const auto low = static_cast<std::uint32_t>(word);
        return (low >> 8) + static_cast<std::uint32_t>(keys[low & 0xff] > word);
    }

    std::vector<std::uint64_t> m_words;
    std::vector<leaf> m_leaves;
    std::vector<group> m_groups;
    std::vector<double> m_values;  // of a model with leaf values, else empty
    std::vector<std::uint16_t> m_inputs;
    std::vector<std::uint16_t> m_left_inputs;
};

}  // namespace detail
}  // namespace v0
}  // namespace mldefender
