// SPDX-License-Identifier: MIT
// What a random forest model is: flat tables the compiler can see, and the one check that decides whether such
// tables are a forest at all. The same check runs inside static_assert for a compile-time model and on every
// bundle read at run time. It refuses whatever could make a walk leave the tables, loop, or sum to something
// outside 0..1. Included by generated models, forest.hpp and bundle.hpp.
//
// A compile-time model is a type with these static constexpr members (the forge writes them):
//
//     std::string_view name, version, hash, command, feature_list_hash, metadata;   // metadata: a JSON object
//     std::uint64_t seed;
//     float suspicious, malicious;              // suggested thresholds on the score
//     std::string_view inputs[];                // feature names; nodes refer to positions in here
//     float importance[];                       // per input, sums to 1
//     calibration_point calibration[];          // what share of flows with such a score were attacks
//     std::uint32_t roots[];                    // first node of each tree
//     forest_node nodes[];                      // tree after tree, each tree breadth first
//     leaf_sum sum; double leaf_values[];       // only of a model made elsewhere, see leaf_sum
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string_view>
#include <utility>

#include <mldefender/core/attack.hpp>

namespace mldefender {
inline namespace v0 {

/// Set in `forest_node::input` of a node that sends NaN, a value that is not known, to `left`.
inline constexpr std::uint16_t missing_goes_left = 0x8000;

/// One node of a tree, 12 bytes. An inner node sends x <= value to `left` and everything else to `left + 1`; NaN too,
/// unless `missing_goes_left` is set. Probabilities are whole multiples of 2^-16, so that sums over a forest are exact
/// in float and do not depend on the order of addition: every memory layout must give the same bits.
struct forest_node {
    float value = 0;          ///< inner: threshold, finite; leaf: probability of attack, 0..1
    std::uint32_t left = 0;   ///< inner: index of the left child, the right one follows it; 0 marks a leaf
    std::uint16_t input = 0;  ///< inner: index into the model's inputs, perhaps with missing_goes_left; leaf: 0
    std::uint16_t extra = 0;  ///< inner: mean probability below, in units of 2^-15; leaf: the attack_class it voted for

    /// True at the end of a path.
    [[nodiscard]] constexpr bool is_leaf() const noexcept { return left == 0; }
    /// Index into the model's inputs; 0 at a leaf.
    [[nodiscard]] constexpr std::uint16_t input_index() const noexcept {
        return static_cast<std::uint16_t>(input & ~missing_goes_left);
    }
    /// True when an unknown value (NaN) goes to `left`.
    [[nodiscard]] constexpr bool missing_left() const noexcept { return (input & missing_goes_left) != 0; }

    /// Mean probability of attack at this node, in units of 2^-16 (0..65536).
    [[nodiscard]] constexpr std::int32_t mean_units() const noexcept {
        return is_leaf() ? static_cast<std::int32_t>(value * 65536.0F) : std::int32_t{extra} * 2;
    }

    constexpr bool operator==(const forest_node&) const noexcept = default;  ///< Equal in every member, by value.
};
static_assert(sizeof(forest_node) == 12);

/// One point of the calibration: of the flows scored `score` in training, the share `confidence` were attacks.
struct calibration_point {
    float score = 0;                                                               ///< 0..1
    float confidence = 0;                                                          ///< 0..1
    constexpr bool operator==(const calibration_point&) const noexcept = default;  ///< Equal in both numbers.
};

/// How a sum over the trees becomes a score.
enum class score_link : std::uint8_t {
    mean,     ///< divided by the number of trees
    logistic  ///< 1 / (1 + exp(-slope * sum))
};

/// The arithmetic of a sum. It is part of what a model answers: adding in another order or precision gives other bits.
enum class sum_precision : std::uint8_t {
    binary32,  ///< each addition rounds to a float
    binary64   ///< each addition rounds to a double
};

/// As in headers and JSON.
[[nodiscard]] constexpr std::string_view name_of(score_link link) noexcept {
    return link == score_link::mean ? "mean" : "logistic";
}
/// As in headers and JSON.
[[nodiscard]] constexpr std::string_view name_of(sum_precision precision) noexcept {
    return precision == sum_precision::binary32 ? "binary32" : "binary64";
}

/// How a model made elsewhere adds up its leaves. Such a model brings its own leaf values, one for each node (0 for
/// inner nodes), which are added to `start`, tree after tree; the probabilities in its nodes only explain. A model
/// without leaf values scores with the mean of its probabilities and does not look at this.
struct leaf_sum {
    score_link link = score_link::mean;                 ///< mean: values are probabilities, added in binary64
    sum_precision precision = sum_precision::binary64;  ///< of the sum and of a logistic link
    attack_class label = attack_class::none;            ///< the class such a model recognises
    double start = 0;                                   ///< before the first tree; 0 for a mean
    double slope = 1;                                   ///< of a logistic link, positive; 1 for others and in binary32
    constexpr bool operator==(const leaf_sum&) const noexcept = default;  ///< Equal in every member, by value.
};

inline constexpr std::size_t max_model_trees = 256;             ///< bound of exact float sums: 256 * 2^16 == 2^24
inline constexpr std::size_t max_summed_trees = 4096;           ///< of a model with leaf values
inline constexpr double max_leaf_value = 1e6;                   ///< size of leaf values and of the start of their sum
inline constexpr std::size_t max_model_inputs = 256;            ///< input indices fit the 8 bits of fast layouts
inline constexpr std::size_t max_model_nodes = (1U << 24) - 1;  ///< child indices fit 24 bits
inline constexpr std::size_t max_model_depth = 64;              ///< bounds one walk
inline constexpr std::size_t max_calibration_points = 64;       ///< of one model

/// Why tables are not a forest.
enum class model_fault : std::uint8_t {
    none,
    size,         ///< no trees, inputs, or nodes, or more than the limits above
    roots,        ///< roots do not start at 0 and ascend within the nodes
    order,        ///< a tree is not breadth first: children missing, out of range, backward, shared or unreachable
    depth,        ///< a tree deeper than max_model_depth
    input,        ///< a node reads an input that does not exist
    threshold,    ///< a threshold is NaN or infinite
    probability,  ///< a probability is outside 0..1 or not a multiple of 2^-16
    label,        ///< a leaf names no known attack class, or names one without weight or none with weight
    calibration,  ///< the calibration does not run from score 0 to 1, ascending in both
    sum,          ///< leaf values are not one for each node, or do not fit the way they are added
    limits        ///< suggested thresholds are not 0 < suspicious <= malicious <= 1
};

/// The fault in words a person can act on.
[[nodiscard]] constexpr std::string_view describe(model_fault fault) noexcept {
    switch (fault) {
        case model_fault::none: return "a valid forest";
        case model_fault::size:
            return "no trees, inputs or nodes, or more than 256 trees (4096 with leaf values), 2^24 - 1 nodes or 256 "
                   "inputs, where one whose missing values go both ways counts twice";
        case model_fault::roots: return "tree roots do not start at node 0 and ascend within the nodes";
        case model_fault::order:
            return "nodes of a tree are not in breadth-first order, so a child is missing or shared";
        case model_fault::depth: return "a tree is deeper than 64 levels";
        case model_fault::input: return "a node reads an input the model does not list";
        case model_fault::threshold: return "a threshold is not a finite number";
        case model_fault::probability: return "a probability is outside 0..1 or not a multiple of 2^-16";
        case model_fault::label: return "a leaf's attack class is unknown or disagrees with its probability";
        case model_fault::calibration: return "calibration points do not ascend from score 0 to score 1";
        case model_fault::sum:
            return "leaf values are not one for each node, 0 at inner nodes and within -1e6..1e6 at leaves (0..1 for a "
                   "mean), or start, slope or class of their sum are out of range";
        case model_fault::limits: return "suggested thresholds are not 0 < suspicious <= malicious <= 1";
    }
    return "unknown fault";
}

/// The tables of a model, wherever they live; feature names are not resolved yet.
struct model_tables {
    std::span<const forest_node> nodes;              ///< tree after tree, each breadth first
    std::span<const std::uint32_t> roots;            ///< first node of each tree
    std::size_t input_count = 0;                     ///< how many features the model names
    std::span<const calibration_point> calibration;  ///< ascending from score 0 to score 1
    float suspicious = 0;                            ///< suggested threshold for watching, 0..1
    float malicious = 0;                             ///< suggested threshold for a response, 0..1
    std::span<const double> leaf_values = {};        ///< one for each node, or none
    leaf_sum sum = {};                               ///< how they are added
};

namespace detail {

constexpr model_fault leaf_fault(const forest_node& node) noexcept {
    if (!(node.value >= 0 && node.value <= 1)) return model_fault::probability;
    if (static_cast<float>(node.mean_units()) != node.value * 65536.0F) return model_fault::probability;
    if (node.extra >= attack_class_count || (node.extra == 0) != (node.value == 0)) return model_fault::label;
    return node.input == 0 ? model_fault::none : model_fault::input;
}

constexpr model_fault inner_fault(const forest_node& node, std::size_t input_count) noexcept {
    if (node.input_index() >= input_count) return model_fault::input;
    const bool finite = node.value - node.value == 0;  // infinities and NaN give NaN
    if (!finite) return model_fault::threshold;
    return node.extra <= 32768 ? model_fault::none : model_fault::probability;
}

// The value a model with leaf values gives to a node.
constexpr bool is_leaf_value(double value, const forest_node& node, score_link link) noexcept {
    if (!node.is_leaf()) return value == 0;
    const bool mean = link == score_link::mean;
    return value >= (mean ? 0 : -max_leaf_value) && value <= (mean ? 1 : max_leaf_value);
}

// One tree, whose roots frame_fault has accepted. Breadth first means the children of its inner nodes, taken in order,
// are exactly begin + 1, begin + 2, ...: one comparison a node proves that children exist, lie ahead of their parent
// and have only one.
constexpr model_fault tree_fault(const model_tables& model, std::size_t tree) noexcept {
    const std::size_t begin = model.roots[tree];
    const std::size_t end = tree + 1 < model.roots.size() ? model.roots[tree + 1] : model.nodes.size();
    std::size_t next_child = begin + 1;
    std::size_t level_end = begin + 1;
    std::size_t depth = 0;
    for (std::size_t i = begin; i < end; ++i) {
        if (i == next_child) return model_fault::order;  // no parent leads here
        if (i == level_end) {
            if (++depth > max_model_depth) return model_fault::depth;
            level_end = next_child;
        }
        const forest_node& node = model.nodes[i];
        const model_fault fault = node.is_leaf() ? leaf_fault(node) : inner_fault(node, model.input_count);
        if (fault != model_fault::none) return fault;
        if (!model.leaf_values.empty() && !is_leaf_value(model.leaf_values[i], node, model.sum.link)) {
            return model_fault::sum;
        }
        if (node.is_leaf()) continue;
        if (node.left != next_child || end - next_child < 2) return model_fault::order;
        next_child += 2;
    }
    return next_child == end ? model_fault::none : model_fault::order;
}

constexpr bool is_calibration(std::span<const calibration_point> points) noexcept {
    if (points.size() < 2 || points.size() > max_calibration_points) return false;
    if (points.front().score != 0 || points.back().score != 1) return false;
    if (!(points.front().confidence >= 0 && points.back().confidence <= 1)) return false;
    for (std::size_t i = 1; i < points.size(); ++i) {
        if (!(points[i - 1].score < points[i].score)) return false;
        if (!(points[i - 1].confidence <= points[i].confidence)) return false;
    }
    return true;
}

constexpr bool is_sum(const leaf_sum& sum) noexcept {
    if (sum.label == attack_class::none || static_cast<std::size_t>(sum.label) >= attack_class_count) return false;
    if (sum.link > score_link::logistic || sum.precision > sum_precision::binary64) return false;
    if (!(sum.start >= -max_leaf_value && sum.start <= max_leaf_value)) return false;
    if (!(sum.slope > 0 && sum.slope <= max_leaf_value)) return false;
    if (sum.link == score_link::mean && (sum.start != 0 || sum.precision == sum_precision::binary32)) return false;
    return sum.slope == 1 || (sum.link == score_link::logistic && sum.precision == sum_precision::binary64);
}

// Which inputs are compared with missing values on the right (the first half) and on the left: each such pair takes
// a column of a fast layout, and there are max_model_inputs of those.
class side_set {
public:
    constexpr void add(const forest_node& node) noexcept {
        const std::size_t at = place(node.input_index(), node.missing_left());
        m_used[at / 64] |= std::uint64_t{1} << (at % 64);
    }
    constexpr void add(const side_set& other) noexcept {
        for (std::size_t i = 0; i < std::size(m_used); ++i) m_used[i] |= other.m_used[i];
    }
    [[nodiscard]] constexpr bool has(std::size_t input, bool missing_left) const noexcept {
        const std::size_t at = place(input, missing_left);
        return (m_used[at / 64] >> (at % 64) & 1) != 0;
    }
    [[nodiscard]] constexpr std::size_t count() const noexcept {
        int sum = 0;
        for (const std::uint64_t word : m_used) sum += std::popcount(word);
        return static_cast<std::size_t>(sum);
    }

private:
    static constexpr std::size_t place(std::size_t input, bool missing_left) noexcept {
        return input + (missing_left ? max_model_inputs : 0);
    }

    std::uint64_t m_used[2 * max_model_inputs / 64] = {};
};

// Of one tree without fault.
constexpr side_set sides_of(const model_tables& model, std::size_t tree) noexcept {
    const std::size_t end = tree + 1 < model.roots.size() ? model.roots[tree + 1] : model.nodes.size();
    side_set sides;
    for (std::size_t i = model.roots[tree]; i < end; ++i) {
        if (!model.nodes[i].is_leaf()) sides.add(model.nodes[i]);
    }
    return sides;
}

// Everything but the nodes.
constexpr model_fault frame_fault(const model_tables& model) noexcept {
    if (model.nodes.empty() || model.roots.empty() || model.input_count == 0) return model_fault::size;
    const std::size_t most_trees = model.leaf_values.empty() ? max_model_trees : max_summed_trees;
    if (model.nodes.size() > max_model_nodes || model.roots.size() > most_trees ||
        model.input_count > max_model_inputs) {
        return model_fault::size;
    }
    if (model.leaf_values.empty() ? model.sum != leaf_sum{}
                                  : model.leaf_values.size() != model.nodes.size() || !is_sum(model.sum)) {
        return model_fault::sum;
    }
    if (model.roots.front() != 0 || model.roots.back() >= model.nodes.size()) return model_fault::roots;
    for (std::size_t tree = 1; tree < model.roots.size(); ++tree) {
        if (model.roots[tree - 1] >= model.roots[tree]) return model_fault::roots;
    }
    if (!is_calibration(model.calibration)) return model_fault::calibration;
    if (!(model.suspicious > 0 && model.suspicious <= model.malicious && model.malicious <= 1)) {
        return model_fault::limits;
    }
    return model_fault::none;
}

}  // namespace detail

/// The first fault of these tables, `none` when they are a forest. Linear in the number of nodes.
[[nodiscard]] constexpr model_fault find_fault(const model_tables& model) noexcept {
    model_fault fault = detail::frame_fault(model);
    for (std::size_t tree = 0; fault == model_fault::none && tree < model.roots.size(); ++tree) {
        fault = detail::tree_fault(model, tree);
    }
    if (fault != model_fault::none || 2 * model.input_count <= max_model_inputs) return fault;
    detail::side_set sides;
    for (std::size_t tree = 0; tree < model.roots.size(); ++tree) sides.add(detail::sides_of(model, tree));
    return sides.count() <= max_model_inputs ? model_fault::none : model_fault::size;
}

/// The tables of a compile-time model.
template <class Model>
[[nodiscard]] constexpr model_tables tables_of() noexcept {
    model_tables tables{Model::nodes,       Model::roots,      std::size(Model::inputs),
                        Model::calibration, Model::suspicious, Model::malicious};
    if constexpr (requires { Model::leaf_values; }) {
        tables.leaf_values = Model::leaf_values;
        tables.sum = Model::sum;
    }
    return tables;
}

namespace detail {

// A constant of its own for each tree: compilers bound the steps of one evaluation, not their sum, so a model of any
// size is checked under default limits.
template <class Model, std::size_t Tree>
inline constexpr model_fault fault_of_tree = tree_fault(tables_of<Model>(), Tree);

template <class Model, std::size_t Tree>
inline constexpr side_set sides_of_tree = sides_of(tables_of<Model>(), Tree);

template <class Model, std::size_t... Tree>
[[nodiscard]] constexpr model_fault first_fault(std::index_sequence<Tree...>) noexcept {
    constexpr model_fault faults[] = {fault_of_tree<Model, Tree>...};  // a fold would nest deeper than compilers allow
    for (const model_fault fault : faults) {
        if (fault != model_fault::none) return fault;
    }
    if constexpr (2 * std::size(Model::inputs) > max_model_inputs) {
        side_set sides;
        const side_set* const each[] = {&sides_of_tree<Model, Tree>...};
        for (const side_set* one : each) sides.add(*one);
        if (sides.count() > max_model_inputs) return model_fault::size;
    }
    return model_fault::none;
}

template <class Model>
[[nodiscard]] constexpr model_fault fault_of_model() noexcept {
    constexpr model_fault frame = frame_fault(tables_of<Model>());
    if constexpr (frame != model_fault::none) {
        return frame;
    } else {
        return first_fault<Model>(std::make_index_sequence<std::size(Model::roots)>{});
    }
}

}  // namespace detail

/// Fails to compile, with the reason, unless `Model` is a forest.
template <class Model>
consteval bool check_model() {
    constexpr model_fault fault = detail::fault_of_model<Model>();
    static_assert(fault != model_fault::size, "model: no trees, inputs or nodes, or more than the limits in model.hpp");
    static_assert(fault != model_fault::roots, "model: roots must start at node 0 and ascend within the nodes");
    static_assert(fault != model_fault::order,
                  "model: each tree must be breadth first, every child ahead of its parent");
    static_assert(fault != model_fault::depth, "model: a tree is deeper than max_model_depth");
    static_assert(fault != model_fault::input, "model: a node reads an input the model does not list");
    static_assert(fault != model_fault::threshold, "model: thresholds must be finite");
    static_assert(fault != model_fault::probability, "model: probabilities must be multiples of 2^-16 in 0..1");
    static_assert(fault != model_fault::label, "model: a leaf needs a known attack class exactly when it has weight");
    static_assert(fault != model_fault::calibration, "model: calibration must ascend from score 0 to score 1");
    static_assert(fault != model_fault::sum, "model: leaf values must be one per node and fit the way they are added");
    static_assert(fault != model_fault::limits, "model: thresholds must be 0 < suspicious <= malicious <= 1");
    static_assert(std::size(Model::importance) == std::size(Model::inputs), "model: one importance per input");
    return fault == model_fault::none;
}

}  // namespace v0
}  // namespace mldefender
