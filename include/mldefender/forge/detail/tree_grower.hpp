// SPDX-License-Identifier: MIT
// Grows one tree: bootstrap, then best-first splits over random features until the leaf budget is spent. Every row
// pulls towards attack with a signed integer strength and has an integer weight; a split gains by how much the mean
// pulls of its sides differ, which is the Gini gain when attacks pull with their weight and benign rows not at all.
// Integer sums do not depend on the order of rows or the number of threads; a tree depends on nothing but data, pulls,
// settings and its own random stream. Called by the trainer, once per tree.
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
#include <mldefender/forge/detail/parallel.hpp>
#include <mldefender/forge/synth/random.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace detail {

/// What every tree reads: the rows chosen for training, binned.
struct training_rows {
    std::vector<binned_column> columns;
    std::vector<std::uint32_t> weights;  ///< integer units, class balance included
    std::vector<std::uint32_t> costs;  ///< what trees learn from: false alarms at their price, 0 for what is not learnt
    std::vector<attack_class> labels;  ///< `none` is benign
    std::vector<std::uint32_t> units;  ///< bootstrap unit of each row, 0..unit_count-1
    std::size_t unit_count = 0;
    std::vector<std::uint32_t> drawn_units;  ///< those trees learn from; the others only judge
    std::vector<std::uint32_t> flows;        ///< conversation of each row, 0..flow_count-1
    std::size_t flow_count = 0;
    [[nodiscard]] std::size_t size() const noexcept { return labels.size(); }
};

struct tree_limits {
    std::size_t max_leaves;
    std::size_t min_rows_per_leaf;
    std::size_t candidates;  ///< features tried per split
};

/// How a row moves a tree. Times the bootstrap's draws both stay within 32 bits: at most 2^26.
struct pull {
    std::int32_t toward;   ///< towards attack, -weight..weight
    std::uint32_t weight;  ///< of the row
};

/// A finished tree. Nodes are breadth first with indices relative to the tree; `input` is a column.
struct grown_tree {
    std::vector<forest_node> nodes;       ///< leaves have neither value nor class yet
    std::vector<std::int32_t> mean_pull;  ///< per node: pull / weight of its rows, units of 2^-16, -65536..65536
    std::vector<attack_class> classes;    ///< per node: the class that pulls most towards attack; `none` inside
    std::vector<std::pair<std::size_t, double>> gains;  ///< column and Gini gain of each split
    std::vector<std::uint8_t> bins;                     ///< per node: the bin whose upper cut is the threshold
};

class tree_grower {
public:
    tree_grower(const training_rows& rows, const tree_limits& limits, std::size_t threads)
        : m_rows(rows), m_limits(limits), m_bins(threads) {}

    /// Grows a tree from its own random stream and one pull per row. May be called again; keeps only buffers.
    [[nodiscard]] grown_tree grow(rng random, std::span<const pull> pulls) {
        m_random = random;
        m_pulls = pulls;
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
        std::int32_t toward;
        std::uint32_t weight;
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
        std::int64_t toward = 0;
        std::uint64_t weight = 0;
        split best;            // while it is a leaf
        std::size_t left = 0;  // 0: leaf; the right child follows
    };
    struct bin_sums {
        std::int64_t toward = 0;
        std::uint64_t weight = 0;
        std::uint32_t rows = 0;
    };

    // As many draws as there are units to learn from, with replacement.
    void bootstrap() {
        m_draws.assign(m_rows.unit_count, 0);
        const std::vector<std::uint32_t>& units = m_rows.drawn_units;
        for (std::size_t i = 0; i < units.size(); ++i) ++m_draws[units[m_random.below(units.size())]];
        m_samples.clear();
        for (std::size_t r = 0; r < m_rows.size(); ++r) {
            const std::uint32_t times = m_draws[m_rows.units[r]];
            const pull p = m_pulls[r];
            if (times == 0 || p.weight == 0) continue;
            m_samples.push_back(
                {static_cast<std::uint32_t>(r), p.toward * static_cast<std::int32_t>(times), p.weight * times});
        }
        m_scratch.resize(m_samples.size());
    }

    void add_node(std::size_t begin, std::size_t end, std::size_t depth) {
        node n;
        n.begin = begin;
        n.end = end;
        n.depth = depth;
        std::size_t attacks = 0;
        for (std::size_t i = begin; i < end; ++i) {
            n.toward += m_samples[i].toward;
            n.weight += m_samples[i].weight;
            attacks += m_samples[i].toward > 0 ? 1U : 0U;
        }
        const bool pure = attacks == 0 || attacks == end - begin;
        const bool large = end - begin >= 2 * m_limits.min_rows_per_leaf;
        if (!pure && large && depth < max_model_depth) n.best = find_split(n);
        m_nodes.push_back(n);
    }

    // Tries random features until enough were tried and one of them separates something.
    split find_split(const node& n) {
        split best;
        for (std::size_t tried = 0; tried < m_order.size() && (tried < m_limits.candidates || best.gain == 0);) {
            const std::size_t end = std::min(m_order.size(), std::max(m_limits.candidates, tried + 1));
            for (std::size_t i = tried; i < end; ++i) {
                std::swap(m_order[i], m_order[i + m_random.below(m_order.size() - i)]);
            }
            try_columns(n, tried, end, best);
            tried = end;
        }
        return best;
    }

    // The first of equals wins, whichever thread is done first.
    void try_columns(const node& n, std::size_t begin, std::size_t end, split& best) {
        constexpr std::size_t worth_a_thread = 1'000'000;
        const bool large = (n.end - n.begin) * (end - begin) > worth_a_thread;
        m_splits.assign(end - begin, split{});
        for_each_piece(end - begin, large ? m_bins.size() : 1, [&](std::size_t i, std::size_t worker) {
            m_splits[i] = split_by(n, m_order[begin + i], m_bins[worker]);
        });
        for (const split& s : m_splits) {
            if (s.gain > best.gain) best = s;
        }
    }

    split split_by(const node& n, std::size_t column, std::array<bin_sums, 256>& sums) const {
        const binned_column& c = m_rows.columns[column];
        const std::size_t bins = c.cuts.size() + 1;
        std::fill_n(sums.begin(), bins, bin_sums{});
        for (std::size_t i = n.begin; i < n.end; ++i) {
            const sample s = m_samples[i];
            bin_sums& bin = sums[c.bins[s.row]];
            bin.toward += s.toward;
            bin.weight += s.weight;
            ++bin.rows;
        }
        const double before = strength(n.toward, n.weight);
        const double least = least_gain * static_cast<double>(n.weight);
        split best;
        std::int64_t toward = 0;
        std::uint64_t weight = 0;
        std::size_t rows = 0;
        for (std::size_t b = 0; b + 1 < bins; ++b) {
            if (sums[b].rows == 0) continue;
            toward += sums[b].toward;
            weight += sums[b].weight;
            rows += sums[b].rows;
            if (rows < m_limits.min_rows_per_leaf) continue;
            if (n.end - n.begin - rows < m_limits.min_rows_per_leaf) break;
            const double gain = strength(toward, weight) + strength(n.toward - toward, n.weight - weight) - before;
            if (gain > best.gain && gain > least) best = {gain, column, static_cast<std::uint8_t>(b)};
        }
        return best;
    }

    // With pulls t and weights w the squared error of a leaf that answers its mean is a constant minus (sum t)^2 / sum
    // w; what a split adds to that is its gain. With t = w for attacks and 0 else it is half the decrease of Gini
    // impurity. Product, quotient, sum: nothing a compiler could fuse.
    static double strength(std::int64_t toward, std::uint64_t weight) noexcept {
        const auto t = static_cast<double>(toward);
        return t * t / static_cast<double>(weight);
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
            tree.mean_pull.push_back(mean_of(n));
            if (n.left == 0) {
                tree.nodes.emplace_back();
                tree.classes.push_back(class_of(n));
                tree.bins.push_back(0);
                continue;
            }
            tree.nodes.push_back({m_rows.columns[n.best.column].cuts[n.best.bin],
                                  static_cast<std::uint32_t>(queue.size()), static_cast<std::uint16_t>(n.best.column),
                                  0});
            tree.classes.push_back(attack_class::none);
            tree.bins.push_back(n.best.bin);
            tree.gains.emplace_back(n.best.column, n.best.gain);
            queue.push_back(n.left);
            queue.push_back(n.left + 1);
        }
        return tree;
    }

    // Rounded half away from zero.
    [[nodiscard]] static std::int32_t mean_of(const node& n) noexcept {
        const auto weight = static_cast<std::int64_t>(n.weight);
        const std::int64_t half = n.toward < 0 ? -weight / 2 : weight / 2;
        return static_cast<std::int32_t>((n.toward * 65536 + half) / weight);
    }

    [[nodiscard]] attack_class class_of(const node& n) const {
        std::array<std::int64_t, attack_class_count> by_class{};
        for (std::size_t i = n.begin; i < n.end; ++i) {
            by_class[static_cast<std::size_t>(m_rows.labels[m_samples[i].row])] += m_samples[i].toward;
        }
        const auto most = std::max_element(by_class.begin() + 1, by_class.end());
        return static_cast<attack_class>(*most > 0 ? most - by_class.begin() : 0);
    }

    const training_rows& m_rows;
    tree_limits m_limits;
    rng m_random{0};
    std::vector<std::uint16_t> m_draws;
    std::vector<sample> m_samples;
    std::vector<sample> m_scratch;
    std::vector<node> m_nodes;
    std::vector<std::size_t> m_order;
    std::vector<split> m_splits;
    std::span<const pull> m_pulls;
    std::vector<std::array<bin_sums, 256>> m_bins;  // of each thread
};

/// The leaf a training row reaches, by its bins.
[[nodiscard]] inline std::size_t leaf_of(const grown_tree& tree, const training_rows& rows, std::size_t row) {
    std::size_t at = 0;
    while (!tree.nodes[at].is_leaf()) {
        const forest_node& node = tree.nodes[at];
        at = node.left + (rows.columns[node.input].bins[row] > tree.bins[at] ? 1U : 0U);
    }
    return at;
}

}  // namespace detail
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
