// SPDX-License-Identifier: MIT
// Grows one tree of a random forest: bootstrap, then best-first splits by Gini gain over random features until the
// leaf budget is spent. All weights are integers, so gains and leaves do not depend on the order of rows; a tree
// depends on nothing but the data, the settings and its own random stream. Called by the trainer, once per tree.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <mldefender/core/attack.hpp>
#include <mldefender/core/model.hpp>
#include <mldefender/forge/detail/binning.hpp>
#include <mldefender/forge/synth/random.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace detail {

/// What every tree reads: the rows chosen for training, binned.
struct training_rows {
    std::vector<binned_column> columns;
    std::vector<std::uint32_t> weights;  ///< integer units, class balance included
    std::vector<attack_class> labels;    ///< `none` is benign
    std::vector<std::uint32_t> units;    ///< bootstrap unit of each row, 0..unit_count-1
    std::size_t unit_count = 0;
    [[nodiscard]] std::size_t size() const noexcept { return labels.size(); }
};

struct tree_limits {
    std::size_t max_leaves;
    std::size_t min_rows_per_leaf;
    std::size_t candidates;  ///< features tried per split
};

/// A finished tree. Nodes are breadth first with indices relative to the tree; `input` is a column.
struct grown_tree {
    std::vector<forest_node> nodes;
    std::vector<std::pair<std::size_t, double>> gains;  ///< column and Gini gain of each split
    std::vector<std::uint8_t> bins;                     ///< per node: the bin whose upper cut is the threshold
};

class tree_grower {
public:
    tree_grower(const training_rows& rows, const tree_limits& limits) : m_rows(rows), m_limits(limits) {}

    /// Grows a tree from its own random stream. May be called again; keeps only buffers.
    [[nodiscard]] grown_tree grow(rng random) {
        m_random = random;
        m_nodes.clear();
        m_order.resize(m_rows.columns.size());
        std::iota(m_order.begin(), m_order.end(), std::size_t{0});
        bootstrap();
        add_node(0, m_samples.size(), 0);
        for (std::size_t leaves = 1; leaves < m_limits.max_leaves; ++leaves) {
            const std::optional<std::size_t> best = most_promising();
            if (!best) break;
            divide(*best);
        }
        return finish();
    }

    /// How often each bootstrap unit was drawn for the last tree; 0 means its rows are out of bag.
    [[nodiscard]] std::span<const std::uint16_t> draws() const noexcept { return m_draws; }

private:
    struct sample {
        std::uint32_t row;
        std::uint32_t weight_and_kind;  // weight << 1 | is attack
    };
    struct split {
        double gain = 0;
        std::size_t column = 0;
        std::uint8_t bin = 0;
    };
    struct node {
        std::size_t begin = 0;  // of its samples
        std::size_t end = 0;
        std::size_t depth = 0;
        std::uint64_t total = 0;
        std::uint64_t attack = 0;
        split best;            // while it is a leaf
        std::size_t left = 0;  // 0: leaf; the right child follows
    };
    struct bin_sums {
        std::array<std::uint64_t, 2> weight{};  // benign, attack
        std::uint32_t rows = 0;
    };

    // As many draws as there are units, with replacement.
    void bootstrap() {
        m_draws.assign(m_rows.unit_count, 0);
        for (std::size_t i = 0; i < m_rows.unit_count; ++i) ++m_draws[m_random.below(m_rows.unit_count)];
        m_samples.clear();
        for (std::size_t r = 0; r < m_rows.size(); ++r) {
            const std::uint32_t times = m_draws[m_rows.units[r]];
            if (times == 0) continue;
            const std::uint32_t attack = m_rows.labels[r] == attack_class::none ? 0 : 1;
            m_samples.push_back({static_cast<std::uint32_t>(r), (m_rows.weights[r] * times) << 1 | attack});
        }
        m_scratch.resize(m_samples.size());
    }

    void add_node(std::size_t begin, std::size_t end, std::size_t depth) {
        node n;
        n.begin = begin;
        n.end = end;
        n.depth = depth;
        for (std::size_t i = begin; i < end; ++i) {
            const std::uint32_t packed = m_samples[i].weight_and_kind;
            n.total += packed >> 1;
            n.attack += (packed & 1) * (packed >> 1);
        }
        const bool pure = n.attack == 0 || n.attack == n.total;
        const bool large = end - begin >= 2 * m_limits.min_rows_per_leaf;
        if (!pure && large && depth < max_model_depth) n.best = find_split(n);
        m_nodes.push_back(n);
    }

    // Tries random features until enough were tried and one of them separates something.
    split find_split(const node& n) {
        split best;
        for (std::size_t tried = 0; tried < m_order.size(); ++tried) {
            if (tried >= m_limits.candidates && best.gain > 0) break;
            const std::size_t pick = tried + m_random.below(m_order.size() - tried);
            std::swap(m_order[tried], m_order[pick]);
            try_column(n, m_order[tried], best);
        }
        return best;
    }

    void try_column(const node& n, std::size_t column, split& best) {
        const binned_column& c = m_rows.columns[column];
        const std::size_t bins = c.cuts.size() + 1;
        std::fill_n(m_bins.begin(), bins, bin_sums{});
        for (std::size_t i = n.begin; i < n.end; ++i) {
            const sample s = m_samples[i];
            bin_sums& bin = m_bins[c.bins[s.row]];
            bin.weight[s.weight_and_kind & 1] += s.weight_and_kind >> 1;
            ++bin.rows;
        }
        const double before = purity(n.attack, n.total);
        std::uint64_t attack = 0;
        std::uint64_t total = 0;
        std::size_t rows = 0;
        for (std::size_t b = 0; b + 1 < bins; ++b) {
            if (m_bins[b].rows == 0) continue;
            attack += m_bins[b].weight[1];
            total += m_bins[b].weight[0] + m_bins[b].weight[1];
            rows += m_bins[b].rows;
            if (rows < m_limits.min_rows_per_leaf) continue;
            if (n.end - n.begin - rows < m_limits.min_rows_per_leaf) break;
            const double gain = purity(attack, total) + purity(n.attack - attack, n.total - total) - before;
            if (gain > best.gain && gain > least_gain * static_cast<double>(n.total)) {
                best = {gain, column, static_cast<std::uint8_t>(b)};
            }
        }
    }

    // Gini impurity of weights (a, w - a) is 2 (a - a^2 / w); splitting leaves sums of a alone, so half the decrease
    // of impurity is the increase of a^2 / w. Product, quotient, sum: nothing a compiler could fuse.
    static double purity(std::uint64_t attack, std::uint64_t total) noexcept {
        const auto a = static_cast<double>(attack);
        return a * a / static_cast<double>(total);
    }
    static constexpr double least_gain = 1e-9;  // per unit of weight; below is rounding

    // The leaf whose split gains most; the older one of equals.
    [[nodiscard]] std::optional<std::size_t> most_promising() const {
        std::optional<std::size_t> best;
        double gain = 0;
        for (std::size_t i = 0; i < m_nodes.size(); ++i) {
            if (m_nodes[i].left == 0 && m_nodes[i].best.gain > gain) {
                best = i;
                gain = m_nodes[i].best.gain;
            }
        }
        return best;
    }

    void divide(std::size_t index) {
        const node parent = m_nodes[index];
        const std::vector<std::uint8_t>& bins = m_rows.columns[parent.best.column].bins;
        std::size_t left = parent.begin;
        std::size_t right = 0;
        for (std::size_t i = parent.begin; i < parent.end; ++i) {
            const sample s = m_samples[i];
            if (bins[s.row] <= parent.best.bin) {
                m_samples[left++] = s;
            } else {
                m_scratch[right++] = s;
            }
        }
        std::copy_n(m_scratch.begin(), right, m_samples.begin() + static_cast<std::ptrdiff_t>(left));
        m_nodes[index].left = m_nodes.size();
        add_node(parent.begin, left, parent.depth + 1);
        add_node(left, parent.end, parent.depth + 1);
    }

    // Breadth first, as models demand.
    [[nodiscard]] grown_tree finish() const {
        grown_tree tree;
        std::vector<std::size_t> queue{0};
        for (std::size_t at = 0; at < queue.size(); ++at) {
            const node& n = m_nodes[queue[at]];
            if (n.left == 0) {
                tree.nodes.push_back(leaf_of(n));
                tree.bins.push_back(0);
                continue;
            }
            tree.nodes.push_back({m_rows.columns[n.best.column].cuts[n.best.bin],
                                  static_cast<std::uint32_t>(queue.size()), static_cast<std::uint16_t>(n.best.column),
                                  static_cast<std::uint16_t>((n.attack * 32768 + n.total / 2) / n.total)});
            tree.bins.push_back(n.best.bin);
            tree.gains.emplace_back(n.best.column, n.best.gain);
            queue.push_back(n.left);
            queue.push_back(n.left + 1);
        }
        return tree;
    }

    [[nodiscard]] forest_node leaf_of(const node& n) const {
        std::array<std::uint64_t, attack_class_count> by_class{};
        for (std::size_t i = n.begin; i < n.end; ++i) {
            by_class[static_cast<std::size_t>(m_rows.labels[m_samples[i].row])] += m_samples[i].weight_and_kind >> 1;
        }
        const std::uint64_t units = (n.attack * 65536 + n.total / 2) / n.total;
        forest_node leaf;
        leaf.value = static_cast<float>(units) / 65536.0F;
        if (units == 0) return leaf;
        const auto most = std::max_element(by_class.begin() + 1, by_class.end());
        leaf.extra = static_cast<std::uint16_t>(most - by_class.begin());
        return leaf;
    }

    const training_rows& m_rows;
    tree_limits m_limits;
    rng m_random{0};
    std::vector<std::uint16_t> m_draws;
    std::vector<sample> m_samples;
    std::vector<sample> m_scratch;
    std::vector<node> m_nodes;
    std::vector<std::size_t> m_order;
    std::array<bin_sums, 256> m_bins{};
};

/// The leaf's probability in units of 2^-16 that a training row reaches, by its bins.
[[nodiscard]] inline std::uint32_t leaf_units(const grown_tree& tree, const training_rows& rows, std::size_t row) {
    std::size_t at = 0;
    while (!tree.nodes[at].is_leaf()) {
        const forest_node& node = tree.nodes[at];
        at = node.left + (rows.columns[node.input].bins[row] > tree.bins[at] ? 1U : 0U);
    }
    return static_cast<std::uint32_t>(tree.nodes[at].mean_units());
}

}  // namespace detail
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
