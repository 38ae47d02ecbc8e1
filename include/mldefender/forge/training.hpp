// SPDX-License-Identifier: MIT
// The settings of a training and what it reports: plain values, without the trainer, for tools that parse arguments
// or print results. Read by trainer.hpp, which states what it refuses.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <mldefender/core/attack.hpp>
#include <mldefender/core/bundle.hpp>
#include <mldefender/forge/calibration.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {

/// How trees become a forest. Bagged trees each answer the whole question and the score is their mean; boosted ones are
/// grown in turn, each on what the earlier ones get wrong, so that few leaves per tree still cover many behaviours.
enum class growth : std::uint8_t { bagged, boosted };

/// What the bootstrap draws. Rows of one episode resemble each other, so drawing rows flatters out-of-bag scores.
enum class bootstrap_unit : std::uint8_t { row, group };

/// What becomes of attack rows this forest is not meant to recognise.
enum class other_attacks : std::uint8_t { left_out, benign };

/// What shares the weight of a class. By sources, every behaviour of a class weighs the same, and so does, up to the
/// square root of its rows, every episode of a behaviour: a kind of attack that says little is not forgotten for one
/// that says much.
enum class class_balance : std::uint8_t { rows, sources };

/// A factor on the weight of one class.
struct class_weight {
    attack_class label = attack_class::none;  ///< `none` for ordinary rows
    double factor = 1;                        ///< > 0
};

/// Settings of one training. All but `threads` and `progress` are part of the result.
struct train_settings {
    std::string name;                                ///< detector; becomes a C++ type: a-z, 0-9, _
    std::string version = "1";                       ///< of the model
    std::string command;                             ///< command line that repeats this training; no control characters
    std::uint64_t seed = 1;                          ///< the same seed gives the same model
    std::vector<attack_class> positives;             ///< the classes to recognise
    other_attacks others = other_attacks::left_out;  ///< what becomes of other attack rows
    std::vector<std::string> without;                ///< features not to use
    growth method = growth::bagged;                  ///< how trees become a forest
    std::size_t trees = 100;                         ///< 1..256
    std::size_t max_leaves = 8;                      ///< per tree; 2 * max_leaves - 1 nodes at most
    std::size_t min_rows_per_leaf = 20;              ///< distinct rows drawn by the tree
    std::size_t candidates = 0;  ///< features tried per split; 0: square root of their number, rounded down
    std::size_t max_bins = 255;  ///< of numbers per feature, 2..255
    double attack_share = 0.5;   ///< of the total weight, spread evenly over the classes; 0: weights as given
    class_balance balance = class_balance::rows;  ///< what shares the weight of a class; needs an attack share
    std::vector<class_weight> class_weights;      ///< factors on the balanced weights; others 1
    double false_alarm_cost = 1;  ///< of one false alarm, in misses, > 0; weighs while growing, not in probabilities
    double learning_rate = 0.7;   ///< boosted: log-odds a leaf that is sure adds, 0.01..4
    double start = 0.05;          ///< boosted: probability of attack before the first tree, 0.0001..0.5
    double veto = 1;  ///< boosted: how strongly a leaf may speak for ordinary, as a share of the other way, 0..1
    double least_importance = 0;  ///< features with less of the gain of a first small forest are dropped, 0..0.1
    double hopeless = 0;          ///< attack rows a first small forest gives less than this are not learnt, 0..0.5
    double held_out =
        0;  ///< share of episodes kept from growing, to set thresholds and confidence, 0..0.5; 0: out of bag
    bootstrap_unit unit = bootstrap_unit::group;  ///< what the bootstrap draws
    double suspicious_budget = 0.01;              ///< share of benign flows that may reach the suspicious threshold
    double malicious_budget = 0.001;              ///< share of benign flows that may reach the malicious threshold
    float suspicious_floor = 0.5F;  ///< neither threshold is ever set lower, however well the classes separate
    float malicious_floor = 0.7F;   ///< see `suspicious_floor`
    std::size_t threads = 0;        ///< 0: one per processor
    std::function<void(std::size_t done, std::size_t trees)> progress;  ///< called after each tree, one call at a time
};

/// What a first small forest took away before the real one was grown.
struct early_pruning {
    std::vector<std::string> dropped;  ///< features that carried next to nothing, in the dataset's order
    std::size_t hopeless_rows = 0;     ///< attack rows nothing tells from ordinary ones
};

/// How a training went. Rates come from judgements of rows the judging trees never saw: out of bag, or held out.
struct training_report {
    std::size_t rows = 0;             ///< used in the training
    std::size_t rows_left_out = 0;    ///< of attack classes that were neither recognised nor benign
    std::size_t rows_judged = 0;      ///< rows that could be judged by trees that had not seen them
    std::size_t flows_judged = 0;     ///< conversations these belong to
    std::size_t bootstrap_units = 0;  ///< rows or episodes to draw from
    std::array<std::size_t, attack_class_count> rows_by_class{};  ///< of `rows`; `none` is benign
    early_pruning pruning;                                        ///< what was taken away first
    double area_under_roc = 0;                                    ///< of rows; 0.5 is a coin, 1 is perfect
    double brier = 0;            ///< mean squared error of the confidence under the weights, 0..1, lower is better
    operating_point suspicious;  ///< how the suspicious threshold performs on flows
    operating_point malicious;   ///< how the malicious threshold performs on flows
};

/// A model ready to be exported, and how it was made.
struct trained_model {
    model_data model;        ///< its hash is that of its bundle
    training_report report;  ///< how it went
};

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
