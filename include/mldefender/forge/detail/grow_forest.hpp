// SPDX-License-Identifier: MIT
// Grows all trees of a forest, bagged or boosted, and says for every row it may honestly judge what the finished forest
// scores. Bagged trees are independent and go to threads whole; boosted ones follow each other and share the threads
// inside. Integers throughout, so neither changes a bit of the result. Called by the trainer.
//
// Boosting is a stage-wise additive logistic model (Friedman, Hastie, Tibshirani 2000; weights |y - p| as in Collins,
// Schapire, Singer 2002): each row weighs as much as the forest so far is wrong about it, which, unlike with the
// exponential loss, is never more than its own weight, so wrong labels cannot take over. A leaf answers the mean pull
// of its rows. Its answer for ordinary traffic is bounded, and every tree is shifted so that its lowest leaf is 0: then
// the score of a flow is a mean of leaves in 0..1, as the engine adds it up, and an ordinary flow has a low one.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include <mldefender/core/attack.hpp>
#include <mldefender/core/forest.hpp>
#include <mldefender/core/model.hpp>
#include <mldefender/forge/detail/parallel.hpp>
#include <mldefender/forge/detail/tree_grower.hpp>
#include <mldefender/forge/synth/random.hpp>
#include <mldefender/forge/training.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace detail {

/// Sum and number of the trees that judged a row without having seen it.
struct unseen_judgement {
    std::uint32_t units = 0;
    std::uint32_t trees = 0;
    [[nodiscard]] float score() const noexcept { return mldefender::detail::mean_of_units(units, trees); }
};

struct grown_forest {
    std::vector<grown_tree> trees;         ///< leaves hold what they add to the score
    std::vector<unseen_judgement> judged;  ///< per training row; no trees: nobody could
};

/// Tells the caller how far it is, one call at a time.
class progress_count {
public:
    explicit progress_count(const train_settings& s) : m_settings(s) {}
    void one_more() {
        const std::lock_guard lock{m_mutex};
        ++m_done;
        if (m_settings.progress) m_settings.progress(m_done, m_settings.trees);
    }

private:
    const train_settings& m_settings;
    std::mutex m_mutex;
    std::size_t m_done = 0;
};

// --- bagged ----------------------------------------------------------------------------------------------------------

/// Leaves of a bagged tree hold the share of attacks.
inline void encode_shares(grown_tree& tree) {
    for (std::size_t i = 0; i < tree.nodes.size(); ++i) {
        forest_node& node = tree.nodes[i];
        const std::int32_t units = tree.mean_pull[i];
        if (!node.is_leaf()) {
            node.extra = static_cast<std::uint16_t>((units + 1) / 2);
        } else if (units > 0) {
            node.value = static_cast<float>(units) / 65536.0F;
            node.extra = static_cast<std::uint16_t>(tree.classes[i]);
        }
    }
}

inline grown_forest bag(const training_rows& rows, const train_settings& s, const tree_limits& limits,
                        std::size_t threads) {
    std::vector<pull> pulls;
    pulls.reserve(rows.size());
    for (std::size_t r = 0; r < rows.size(); ++r) {
        const bool attack = rows.labels[r] != attack_class::none;
        pulls.push_back({attack ? static_cast<std::int32_t>(rows.costs[r]) : 0, rows.costs[r]});
    }
    grown_forest forest;
    forest.trees.resize(s.trees);
    std::vector<std::vector<unseen_judgement>> judged(threads, std::vector<unseen_judgement>(rows.size()));
    std::vector<tree_grower> growers(threads, tree_grower{rows, limits, 1});
    progress_count progress{s};
    for_each_piece(s.trees, threads, [&](std::size_t index, std::size_t worker) {
        grown_tree tree = growers[worker].grow(rng{s.seed, index + 1}, pulls);
        encode_shares(tree);
        const auto draws = growers[worker].draws();
        for (std::size_t r = 0; r < rows.size(); ++r) {
            if (draws[rows.units[r]] != 0) continue;
            judged[worker][r].units += static_cast<std::uint32_t>(tree.nodes[leaf_of(tree, rows, r)].mean_units());
            ++judged[worker][r].trees;
        }
        forest.trees[index] = std::move(tree);
        progress.one_more();
    });
    forest.judged = std::move(judged.front());
    for (std::size_t worker = 1; worker < threads; ++worker) {  // integer sums: any order gives the same
        for (std::size_t r = 0; r < rows.size(); ++r) {
            forest.judged[r].units += judged[worker][r].units;
            forest.judged[r].trees += judged[worker][r].trees;
        }
    }
    return forest;
}

// --- boosted ---------------------------------------------------------------------------------------------------------

/// Probability of attack in units of 2^-16 for log-odds in units of 2^-16.
[[nodiscard]] inline std::int32_t probability_of(std::int32_t log_odds) noexcept {
    const std::int64_t bounded = std::clamp(log_odds, -20 * 65536, 20 * 65536);
    const double odds = exp2_of_q32(bounded * 94548);  // log2(e) in units of 2^-16
    return static_cast<std::int32_t>(65536.0 - 65536.0 / (1.0 + odds));
}

/// The boosting itself: what the forest so far says of each row.
class booster {
public:
    booster(const training_rows& rows, const train_settings& s, const tree_limits& limits, std::size_t threads)
        : m_rows(rows),
          m_settings(s),
          m_threads(threads),
          m_grower(rows, limits, threads),
          m_log_odds(rows.size(), static_cast<std::int32_t>(std::lround(65536 * std::log(s.start / (1 - s.start))))),
          m_pulls(rows.size()) {}

    [[nodiscard]] grown_forest run() {
        grown_forest forest;
        progress_count progress{m_settings};
        std::vector<std::vector<std::uint64_t>> masses;
        for (std::size_t index = 0; index < m_settings.trees; ++index) {
            pull_rows();
            grown_tree tree = m_grower.grow(rng{m_settings.seed, index + 1}, m_pulls);
            bound_answers(tree);
            masses.push_back(add(tree));
            forest.trees.push_back(std::move(tree));
            progress.one_more();
        }
        encode(forest.trees, masses);
        judge(forest);
        return forest;
    }

private:
    void pull_rows() {
        for_each_block(m_rows.size(), m_threads, [this](std::size_t begin, std::size_t end, std::size_t) {
            for (std::size_t r = begin; r < end; ++r) {
                const std::int32_t p = probability_of(m_log_odds[r]);
                const bool attack = m_rows.labels[r] != attack_class::none;
                const std::uint64_t wrong = static_cast<std::uint64_t>(attack ? 65536 - p : p);
                const auto pulled = static_cast<std::uint32_t>((m_rows.costs[r] * wrong + 32768) >> 16);
                m_pulls[r] = {attack ? static_cast<std::int32_t>(pulled) : -static_cast<std::int32_t>(pulled), pulled};
            }
        });
    }

    void bound_answers(grown_tree& tree) const {
        const auto lowest = -static_cast<std::int32_t>(std::lround(m_settings.veto * 65536));
        for (std::int32_t& answer : tree.mean_pull) answer = std::max(answer, lowest);
    }

    // Returns the weight of all rows in each leaf.
    [[nodiscard]] std::vector<std::uint64_t> add(const grown_tree& tree) {
        const auto rate = static_cast<std::int64_t>(std::lround(m_settings.learning_rate * 65536));
        std::vector<std::vector<std::uint64_t>> mass(m_threads, std::vector<std::uint64_t>(tree.nodes.size()));
        for_each_block(m_rows.size(), m_threads, [&](std::size_t begin, std::size_t end, std::size_t worker) {
            for (std::size_t r = begin; r < end; ++r) {
                const std::size_t leaf = leaf_of(tree, m_rows, r);
                m_log_odds[r] += static_cast<std::int32_t>(rate * tree.mean_pull[leaf] / 65536);
                mass[worker][leaf] += m_rows.weights[r];
            }
        });
        for (std::size_t worker = 1; worker < m_threads; ++worker) {
            for (std::size_t i = 0; i < mass.front().size(); ++i) mass.front()[i] += mass[worker][i];
        }
        return std::move(mass.front());
    }

    // One scale for all trees keeps the sum's order; each tree's lowest leaf becomes 0.
    static void encode(std::vector<grown_tree>& trees, std::span<const std::vector<std::uint64_t>> masses) {
        std::int64_t widest = 1;
        for (const grown_tree& tree : trees) {
            const auto [low, high] = ends_of(tree);
            widest = std::max<std::int64_t>(widest, high - low);
        }
        for (std::size_t t = 0; t < trees.size(); ++t) encode_tree(trees[t], masses[t], widest);
    }

    static std::pair<std::int32_t, std::int32_t> ends_of(const grown_tree& tree) {
        std::pair<std::int32_t, std::int32_t> ends{65536, -65536};
        for (std::size_t i = 0; i < tree.nodes.size(); ++i) {
            if (!tree.nodes[i].is_leaf()) continue;
            ends.first = std::min(ends.first, tree.mean_pull[i]);
            ends.second = std::max(ends.second, tree.mean_pull[i]);
        }
        return ends;
    }

    static void encode_tree(grown_tree& tree, std::vector<std::uint64_t> mass, std::int64_t widest) {
        const std::int32_t lowest = ends_of(tree).first;
        // A leaf above the lowest without an attack of its own votes as the tree's strongest one does.
        attack_class strongest = attack_class::none;
        std::int32_t strength = -65536;
        std::vector<std::int64_t> units(tree.nodes.size());
        for (std::size_t i = 0; i < tree.nodes.size(); ++i) {
            if (!tree.nodes[i].is_leaf()) continue;
            units[i] = (tree.mean_pull[i] - lowest) * std::int64_t{65536} / widest;
            if (tree.classes[i] != attack_class::none && tree.mean_pull[i] > strength) {
                strongest = tree.classes[i];
                strength = tree.mean_pull[i];
            }
        }
        for (std::size_t i = tree.nodes.size(); i-- > 0;) {  // children lie behind their parents
            forest_node& node = tree.nodes[i];
            if (node.is_leaf()) {
                const attack_class label = tree.classes[i] == attack_class::none ? strongest : tree.classes[i];
                if (label == attack_class::none) units[i] = 0;
                node.value = static_cast<float>(units[i]) / 65536.0F;
                node.extra = units[i] == 0 ? std::uint16_t{0} : static_cast<std::uint16_t>(label);
                continue;
            }
            mass[i] = mass[node.left] + mass[node.left + 1];
            const double left = static_cast<double>(units[node.left]) * static_cast<double>(mass[node.left]);
            const double right = static_cast<double>(units[node.left + 1]) * static_cast<double>(mass[node.left + 1]);
            const double sum = left + right;
            units[i] = mass[i] == 0 ? 0 : static_cast<std::int64_t>(sum / static_cast<double>(mass[i]));
            node.extra = static_cast<std::uint16_t>(units[i] / 2);
        }
    }

    void judge(grown_forest& forest) const {
        std::vector<char> drawn(m_rows.unit_count, 0);
        for (const std::uint32_t unit : m_rows.drawn_units) drawn[unit] = 1;
        forest.judged.resize(m_rows.size());
        for_each_block(m_rows.size(), m_threads, [&](std::size_t begin, std::size_t end, std::size_t) {
            for (std::size_t r = begin; r < end; ++r) {
                if (drawn[m_rows.units[r]] != 0) continue;
                unseen_judgement& j = forest.judged[r];
                for (const grown_tree& tree : forest.trees) {
                    j.units += static_cast<std::uint32_t>(tree.nodes[leaf_of(tree, m_rows, r)].mean_units());
                    ++j.trees;
                }
            }
        });
    }

    const training_rows& m_rows;
    const train_settings& m_settings;
    std::size_t m_threads;
    tree_grower m_grower;
    std::vector<std::int32_t> m_log_odds;
    std::vector<pull> m_pulls;
};

/// As the settings say.
inline grown_forest grow_forest(const training_rows& rows, const train_settings& s, const tree_limits& limits,
                                std::size_t threads) {
    if (s.method == growth::boosted) return booster{rows, s, limits, threads}.run();
    return bag(rows, s, limits, detail::thread_count(threads, s.trees));
}

}  // namespace detail
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
