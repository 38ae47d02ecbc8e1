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

/// What the bootstrap draws. Rows of one episode resemble each other, so drawing rows flatters out-of-bag scores.
enum class bootstrap_unit : std::uint8_t { row, group };

/// What becomes of attack rows this forest is not meant to recognise.
enum class other_attacks : std::uint8_t { left_out, benign };

/// Settings of one training. All but `threads` and `progress` are part of the result.
struct train_settings {
    std::string name;                                ///< detector; becomes a C++ type: a-z, 0-9, _
    std::string version = "1";                       ///< of the model
    std::string command;                             ///< command line that repeats this training; no control characters
    std::uint64_t seed = 1;                          ///< the same seed gives the same model
    std::vector<attack_class> positives;             ///< the classes to recognise
    other_attacks others = other_attacks::left_out;  ///< what becomes of other attack rows
    std::vector<std::string> without;                ///< features not to use
    std::size_t trees = 100;                         ///< 1..256
    std::size_t max_leaves = 8;                      ///< per tree; 2 * max_leaves - 1 nodes at most
    std::size_t min_rows_per_leaf = 20;              ///< distinct rows drawn by the tree
    std::size_t candidates = 0;  ///< features tried per split; 0: square root of their number, rounded down
    std::size_t max_bins = 255;  ///< of numbers per feature, 2..255
    double attack_share = 0.5;   ///< of the total weight, spread evenly over the classes; 0: weights as given
    bootstrap_unit unit = bootstrap_unit::group;  ///< what the bootstrap draws
    double suspicious_budget = 0.01;              ///< share of benign rows that may reach the suspicious threshold
    double malicious_budget = 0.001;              ///< share of benign rows that may reach the malicious threshold
    float suspicious_floor = 0.5F;  ///< neither threshold is ever set lower, however well the classes separate
    float malicious_floor = 0.7F;   ///< see `suspicious_floor`
    std::size_t threads = 0;        ///< 0: one per processor
    std::function<void(std::size_t done, std::size_t trees)> progress;  ///< called after each tree, one call at a time
};

/// How a training went. Rates come from out-of-bag judgements.
struct training_report {
    std::size_t rows = 0;             ///< used in the training
    std::size_t rows_left_out = 0;    ///< of attack classes that were neither recognised nor benign
    std::size_t rows_out_of_bag = 0;  ///< rows at least one tree had not seen
    std::size_t bootstrap_units = 0;  ///< rows or episodes to draw from
    std::array<std::size_t, attack_class_count> rows_by_class{};  ///< of `rows`; `none` is benign
    double area_under_roc = 0;                                    ///< 0.5 is a coin, 1 is perfect
    operating_point suspicious;                                   ///< how the suspicious threshold performs
    operating_point malicious;                                    ///< how the malicious threshold performs
};

/// A model ready to be exported, and how it was made.
struct trained_model {
    model_data model;        ///< its hash is that of its bundle
    training_report report;  ///< how it went
};

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
