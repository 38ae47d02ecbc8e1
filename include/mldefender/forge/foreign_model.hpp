// SPDX-License-Identifier: MIT
// A model another program trained, as its reader found it, and its way into our tables: features by name, nodes in
// breadth-first order, every comparison of a float input decided as the original decides it. Refuses names that are
// no feature, nodes that are no tree, and whatever find_fault refuses. Called by the import_*.hpp readers.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mldefender/core/attack.hpp>
#include <mldefender/core/bundle.hpp>
#include <mldefender/core/detail/sha256.hpp>
#include <mldefender/core/feature.hpp>
#include <mldefender/core/model.hpp>
#include <mldefender/core/result.hpp>
#include <mldefender/core/words.hpp>
#include <mldefender/forge/dataset.hpp>
#include <mldefender/forge/detail/json_text.hpp>
#include <mldefender/forge/export.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {

/// What a model of another program does not say about itself.
struct import_settings {
    std::string name;                         ///< detector; becomes a C++ type: a-z, 0-9, _
    attack_class label = attack_class::none;  ///< what a high score means; not `none`
    std::string version = "1";                ///< of the model
    std::string command;                      ///< command line that repeats the import; no control characters
    float suspicious = 0.5F;                  ///< scores from here on deserve watching
    float malicious = 0.7F;                   ///< scores from here on deserve a response
};

/// A node as another program wrote it, with the comparison already ours.
struct foreign_node {
    std::int32_t left = -1;     ///< index within the tree; negative: a leaf
    std::int32_t right = -1;    ///< index within the tree
    std::uint32_t column = 0;   ///< of the training data
    float threshold = 0;        ///< x <= threshold goes left
    bool missing_left = false;  ///< so does NaN
    double value = 0;           ///< of a leaf
    double cover = 1;           ///< weight of the training rows that came here, for explanations
    double gain = 0;            ///< what the split brought, for importances
};

/// A tree of them; the first node is the root.
struct foreign_tree {
    std::string place;                ///< in its file, for errors
    std::vector<foreign_node> nodes;  ///< in any order; what no path reaches is ignored
};

/// All of them.
struct foreign_model {
    std::string source;                ///< program and version
    std::string column_place;          ///< where the names of the columns stand, for errors
    std::vector<std::string> columns;  ///< names, in the order of the training data
    std::vector<foreign_tree> trees;   ///< in the order they are added
    leaf_sum sum;                      ///< all but its label
};

/// The float t for which x <= t means x <= limit, for every float x but infinity itself; nothing when there is none.
[[nodiscard]] inline std::optional<float> float_at_most(double limit) noexcept {
    constexpr float largest = std::numeric_limits<float>::max();
    if (!std::isfinite(limit) || limit < -double{largest}) return std::nullopt;
    if (limit >= double{largest}) return largest;
    const auto nearest = static_cast<float>(limit);
    if (double{nearest} <= limit) return nearest;
    const float next = std::nextafter(nearest, -std::numeric_limits<float>::infinity());
    return std::isfinite(next) ? std::optional{next} : std::nullopt;
}

/// The float t for which x <= t means x < limit, for every float x; nothing when there is none.
[[nodiscard]] inline std::optional<float> float_below(float limit) noexcept {
    if (!std::isfinite(limit)) return std::nullopt;
    const float next = std::nextafter(limit, -std::numeric_limits<float>::infinity());
    return std::isfinite(next) ? std::optional{next} : std::nullopt;
}

namespace detail {

inline error refuse_import(std::string_view where, std::string_view place, const std::string& what,
                           errc code = errc::bad_value) {
    return {code, place.empty() ? what : std::string{place} + ": " + what, std::string{where}, 0};
}

/// Words of a file that go into an error: quoted, bounded, without control characters.
inline std::string shown(std::string_view text) {
    return text.size() > 60 ? json_string(text.substr(0, 60)) + "..." : json_string(text);
}

/// The feature a person may have meant.
inline std::string_view nearest_feature(std::string_view name) {
    const std::string_view start = name.substr(0, 100);
    std::string_view best;
    std::size_t least = std::numeric_limits<std::size_t>::max();
    for (const feature_info& feature : features) {
        const std::size_t apart = edit_distance(start, feature.name);
        if (apart < least) best = feature.name;
        least = std::min(least, apart);
    }
    return best;
}

/// Carries a foreign model over. One use; `where` names its file.
class adoption {
public:
    adoption(const foreign_model& from, const import_settings& settings, std::string_view where)
        : m_from(from), m_settings(settings), m_where(where) {}

    result<model_data, error> run() {
        if (!check_settings() || !lay_out() || !find_inputs()) return m_error;
        describe_self();
        for (laid_out& tree : m_trees) append(tree);
        m_model.sum.label = m_settings.label;
        finish_importance();
        const auto bundle = bundle_bytes(m_model);
        if (!bundle) return refuse_import(m_where, "", "gives no model: " + bundle.failure().what);
        m_model.hash = bundle_hash(*bundle);
        return m_model;
    }

private:
    // A tree in breadth-first order: the original's nodes, and where the left child of each comes to lie.
    struct laid_out {
        std::vector<const foreign_node*> nodes;
        std::vector<std::uint32_t> left;
    };

    bool refuse(std::string_view place, const std::string& what) {
        m_error = refuse_import(m_where, place, what);
        return false;
    }

    bool check_settings() {
        const import_settings& s = m_settings;
        if (!is_identifier(s.name))
            return refuse("", "the detector's name must be made of a-z, 0-9 and _, a letter first");
        if (s.label == attack_class::none) return refuse("", "say which attack class a high score means");
        if (!(s.suspicious > 0 && s.suspicious <= s.malicious && s.malicious <= 1)) {
            return refuse("", "thresholds must be 0 < suspicious <= malicious <= 1");
        }
        return true;
    }

    bool lay_out() {
        if (m_from.trees.empty()) return refuse("", "the model has no trees; train it for one round at least");
        if (m_from.trees.size() > max_summed_trees) {
            return refuse("", "it has " + std::to_string(m_from.trees.size()) + " trees; train with 4096 at most");
        }
        std::size_t nodes = 0;
        for (const foreign_tree& tree : m_from.trees) {
            m_trees.emplace_back();
            if (!lay_out(tree, m_trees.back())) return false;
            nodes += m_trees.back().nodes.size();
        }
        return nodes <= max_model_nodes || refuse("", "it has more than 2^24 - 1 nodes; train fewer or smaller trees");
    }

    bool lay_out(const foreign_tree& tree, laid_out& out) {
        const auto bad = [&](std::size_t node, const std::string& what) {
            return refuse(tree.place + ", node " + std::to_string(node), what);
        };
        if (tree.nodes.empty()) return refuse(tree.place, "the tree has no nodes");
        std::vector<bool> seen(tree.nodes.size());
        std::vector<std::size_t> order{0};
        seen[0] = true;
        std::size_t level_end = 1;
        std::size_t depth = 0;
        for (std::size_t at = 0; at < order.size(); ++at) {
            if (at == level_end) {
                if (++depth > max_model_depth)
                    return refuse(tree.place, "deeper than 64 levels; train with max_depth 64");
                level_end = order.size();
            }
            const foreign_node& node = tree.nodes[order[at]];
            out.nodes.push_back(&node);
            out.left.push_back(node.left < 0 ? 0 : static_cast<std::uint32_t>(order.size()));
            if (node.left < 0) {
                if (!(std::abs(node.value) <= max_leaf_value)) return bad(order[at], "a leaf value is beyond 1e6");
                continue;
            }
            if (node.column >= m_from.columns.size()) {
                return bad(order[at], "splits on column " + std::to_string(node.column) + " of " +
                                          std::to_string(m_from.columns.size()));
            }
            for (const std::int32_t child : {node.left, node.right}) {
                if (child < 0 || static_cast<std::size_t>(child) >= tree.nodes.size() ||
                    seen[static_cast<std::size_t>(child)]) {
                    return bad(order[at], "its child " + std::to_string(child) + " does not exist or has two parents");
                }
                seen[static_cast<std::size_t>(child)] = true;
                order.push_back(static_cast<std::size_t>(child));
            }
        }
        return true;
    }

    // Columns that no tree looks at need no feature: they cannot change a score.
    bool find_inputs() {
        std::vector<bool> used(m_from.columns.size());
        for (const laid_out& tree : m_trees) {
            for (const foreign_node* node : tree.nodes) {
                if (node->left >= 0) used[node->column] = true;
            }
        }
        m_input_of.resize(used.size());
        for (std::size_t column = 0; column < used.size(); ++column) {
            if (!used[column]) continue;
            const std::string& name = m_from.columns[column];
            const std::string place = m_from.column_place + "[" + std::to_string(column) + "]";
            if (!feature_index(name)) {
                return refuse(place, shown(name) + " is no feature of this version, the nearest is " +
                                         json_string(nearest_feature(name)) +
                                         "; rename the column and train again (docs/features.md)");
            }
            if (std::find(m_model.inputs.begin(), m_model.inputs.end(), name) != m_model.inputs.end()) {
                return refuse(place, shown(name) + " names a second column; drop one and train again");
            }
            m_input_of[column] = static_cast<std::uint16_t>(m_model.inputs.size());
            m_model.inputs.push_back(name);
        }
        if (m_model.inputs.empty()) return refuse("", "no tree splits; there is nothing to score with");
        m_gain.resize(m_model.inputs.size());
        return true;
    }

    void describe_self() {
        m_model.name = m_settings.name;
        m_model.version = m_settings.version;
        m_model.command = m_settings.command;
        m_model.suspicious = m_settings.suspicious;
        m_model.malicious = m_settings.malicious;
        m_model.calibration = {{0, 0}, {1, 1}};  // nothing is known but the original's own claim
        m_model.feature_list_hash = feature_list_hash(m_from.columns);
        m_model.sum = m_from.sum;
        const bool mean = m_from.sum.link == score_link::mean;
        m_model.metadata = json_object{}
                               .text("source", m_from.source)
                               .count("trees", m_from.trees.size())
                               .text("score", name_of(m_from.sum.link))
                               .text("sum", name_of(m_from.sum.precision))
                               .text("class", name_of(m_settings.label))
                               .done();
        if (mean) return;
        m_low = std::numeric_limits<double>::infinity();
        m_high = -m_low;
        for (const laid_out& tree : m_trees) {
            for (const foreign_node* node : tree.nodes) {
                if (node->left >= 0) continue;
                m_low = std::min(m_low, node->value);
                m_high = std::max(m_high, node->value);
            }
        }
    }

    // Probabilities explain which feature moved a score; those of a sum run from its least leaf to its largest.
    [[nodiscard]] double probability(double value) const noexcept {
        return m_high > m_low ? std::clamp((value - m_low) / (m_high - m_low), 0.0, 1.0) : 0.5;
    }

    void append(const laid_out& tree) {
        const auto root = static_cast<std::uint32_t>(m_model.nodes.size());
        m_model.roots.push_back(root);
        m_model.nodes.resize(root + tree.nodes.size());
        m_model.leaf_values.resize(m_model.nodes.size());
        std::vector<double> mean(tree.nodes.size());
        std::vector<double> weight(tree.nodes.size());
        for (std::size_t i = tree.nodes.size(); i-- > 0;) {  // children lie behind their parents
            const foreign_node& from = *tree.nodes[i];
            forest_node& to = m_model.nodes[root + i];
            if (from.left < 0) {
                m_model.leaf_values[root + i] = from.value;
                mean[i] = probability(from.value);
                weight[i] = from.cover > 0 ? std::clamp(from.cover, 1e-9, 1e15) : 1e-9;
                to.value = static_cast<float>(std::round(mean[i] * 65536)) / 65536.0F;
                to.extra = to.value > 0 ? static_cast<std::uint16_t>(m_settings.label) : std::uint16_t{0};
                continue;
            }
            const std::size_t left = tree.left[i];
            weight[i] = weight[left] + weight[left + 1];
            mean[i] = (mean[left] * weight[left] + mean[left + 1] * weight[left + 1]) / weight[i];
            to.value = from.threshold;
            to.left = root + tree.left[i];
            to.input =
                static_cast<std::uint16_t>(m_input_of[from.column] | (from.missing_left ? missing_goes_left : 0));
            to.extra = static_cast<std::uint16_t>(std::clamp(std::round(mean[i] * 32768), 0.0, 32768.0));
            if (from.gain > 0) m_gain[m_input_of[from.column]] += std::min(from.gain, 1e30);
        }
    }

    void finish_importance() {
        double sum = 0;
        for (const double gain : m_gain) sum += gain;
        const bool known = sum > 0;
        for (const double gain : m_gain) {
            m_model.importance.push_back(
                static_cast<float>(known ? gain / sum : 1 / static_cast<double>(m_gain.size())));
        }
    }

    const foreign_model& m_from;
    const import_settings& m_settings;
    std::string_view m_where;
    error m_error;
    model_data m_model;
    std::vector<laid_out> m_trees;
    std::vector<std::uint16_t> m_input_of;  // of a column
    std::vector<double> m_gain;             // of an input
    double m_low = 0;
    double m_high = 1;
};

}  // namespace detail

/// The foreign model in our tables, sealed with the hash of its bundle. Fails with bad_value, naming the place in
/// `where`, what is wrong and the fix.
[[nodiscard]] inline result<model_data, error> adopt(const foreign_model& from, const import_settings& settings,
                                                     std::string_view where) {
    return detail::adoption{from, settings, where}.run();
}

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
