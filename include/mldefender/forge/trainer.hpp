// SPDX-License-Identifier: MIT
// Trains a forest from a dataset: is a flow one of the given attacks, and if so which. Returns the model, sealed with
// the hash of its bundle, and honest scores of rows its trees never saw. The same dataset, settings and seed give the
// same bytes whatever the number of threads. Refuses settings or data that cannot give a model, saying which. Called by
// the forge tool.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <mldefender/core/attack.hpp>
#include <mldefender/core/bundle.hpp>
#include <mldefender/core/math.hpp>
#include <mldefender/core/model.hpp>
#include <mldefender/core/result.hpp>
#include <mldefender/forge/calibration.hpp>
#include <mldefender/forge/dataset.hpp>
#include <mldefender/forge/detail/grow_forest.hpp>
#include <mldefender/forge/detail/parallel.hpp>
#include <mldefender/forge/detail/training_metadata.hpp>
#include <mldefender/forge/detail/training_rows.hpp>
#include <mldefender/forge/detail/tree_grower.hpp>
#include <mldefender/forge/export.hpp>
#include <mldefender/forge/training.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {

namespace detail {

inline error refuse_training(const train_settings& settings, std::string what) {
    return {errc::bad_argument, std::move(what), "training of '" + settings.name + "'", 0};
}

/// What is wrong with the settings; empty when nothing is.
inline std::string settings_fault(const train_settings& s) {
    if (!is_identifier(s.name)) return "the name must be made of a-z, 0-9 and _, a letter first";
    if (s.positives.empty()) return "no attack class to recognise is given";
    for (const attack_class c : s.positives) {
        if (c == attack_class::none) return "'none' cannot be a class to recognise";
    }
    if (s.trees == 0 || s.trees > max_model_trees) return "trees must be 1..256";
    if (s.max_leaves < 2) return "max_leaves must be 2 or more";
    if (s.min_rows_per_leaf == 0) return "min_rows_per_leaf must be 1 or more";
    if (s.max_bins < 2 || s.max_bins > 255) return "max_bins must be 2..255";
    if (!(s.attack_share >= 0 && s.attack_share < 1)) return "attack_share must be in 0..1, 1 excluded";
    if (!(s.false_alarm_cost > 0 && s.false_alarm_cost <= 1000))
        return "false_alarm_cost must be above 0, at most 1000";
    for (const class_weight& w : s.class_weights) {
        if (!(w.factor > 0 && w.factor <= 1000) || w.label >= attack_class::count_)
            return "class_weights must be above 0, at most 1000";
    }
    if (s.balance == class_balance::sources && s.attack_share == 0) return "balance by sources needs an attack_share";
    if (!(s.learning_rate >= 0.01 && s.learning_rate <= 4)) return "learning_rate must be in 0.01..4";
    if (!(s.start >= 0.0001 && s.start <= 0.5)) return "start must be in 0.0001..0.5";
    if (!(s.veto >= 0 && s.veto <= 1)) return "veto must be in 0..1";
    if (!(s.least_importance >= 0 && s.least_importance <= 0.1)) return "least_importance must be in 0..0.1";
    if (!(s.hopeless >= 0 && s.hopeless <= 0.5)) return "hopeless must be in 0..0.5";
    if (!(s.held_out >= 0 && s.held_out <= 0.5)) return "held_out must be in 0..0.5";
    if (s.method == growth::boosted && s.held_out == 0) {
        return "boosted trees have all seen what they were drawn from: held_out must be above 0";
    }
    if (s.held_out > 0 && s.unit == bootstrap_unit::row) return "rows cannot be held out, only groups";
    for (const double budget : {s.suspicious_budget, s.malicious_budget}) {
        if (!(budget >= 0 && budget <= 1)) return "false-positive budgets must be in 0..1";
    }
    if (!(s.suspicious_floor > 0 && s.suspicious_floor <= s.malicious_floor && s.malicious_floor <= 1)) {
        return "threshold floors must be 0 < suspicious <= malicious <= 1";
    }
    return {};
}

inline std::vector<judged_row> judged_rows(const grown_forest& forest, const training_rows& rows) {
    std::vector<judged_row> out;
    for (std::size_t r = 0; r < rows.size(); ++r) {
        if (forest.judged[r].trees == 0) continue;
        out.push_back({forest.judged[r].score(), rows.labels[r], rows.weights[r]});
    }
    return out;
}

/// Conversations by their highest row, which is what raises an alarm.
inline std::vector<judged_row> judged_flows(const grown_forest& forest, const training_rows& rows) {
    std::vector<judged_row> highest(rows.flow_count, judged_row{-1, attack_class::none, 1});
    for (std::size_t r = 0; r < rows.size(); ++r) {
        if (forest.judged[r].trees == 0) continue;
        judged_row& flow = highest[rows.flows[r]];
        if (forest.judged[r].score() > flow.score) flow = {forest.judged[r].score(), rows.labels[r], 1};
    }
    std::erase_if(highest, [](const judged_row& flow) { return flow.score < 0; });
    return highest;
}

/// Limits of a tree; candidates may be left to the number of columns.
inline tree_limits limits_of(const train_settings& s, const training_rows& rows) {
    const auto root = static_cast<std::size_t>(square_root(static_cast<double>(rows.columns.size())));
    const std::size_t candidates = s.candidates != 0 ? s.candidates : std::max<std::size_t>(1, root);
    return {s.max_leaves, s.min_rows_per_leaf, candidates};
}

/// A first small forest of deeper trees: what carries next to nothing in it, and attack rows it cannot tell from
/// ordinary ones, only cost the real forest its few leaves.
inline early_pruning prune(const dataset& data, const train_settings& s, selection& chosen, training_rows& rows,
                           std::size_t threads) {
    early_pruning done;
    if (s.least_importance <= 0 && s.hopeless <= 0) return done;
    train_settings first = s;
    first.trees = 24;
    first.progress = nullptr;
    const grown_forest forest =
        bag(rows, first, {64, s.min_rows_per_leaf, std::max<std::size_t>(1, rows.columns.size() / 4)},
            thread_count(threads, first.trees));
    for (std::size_t r = 0; s.hopeless > 0 && r < rows.size(); ++r) {
        const unseen_judgement& j = forest.judged[r];
        if (rows.labels[r] == attack_class::none || j.trees == 0 || double{j.score()} >= s.hopeless) continue;
        rows.costs[r] = 0;
        ++done.hopeless_rows;
    }
    std::vector<double> gain(rows.columns.size());
    double total = 0;
    for (const grown_tree& tree : forest.trees) {
        for (const auto& [column, amount] : tree.gains) {
            gain[column] += amount;
            total += amount;
        }
    }
    const auto useless = [&](std::size_t c) { return gain[c] < s.least_importance * total; };
    for (std::size_t c = 0; c < gain.size(); ++c) {
        if (useless(c)) done.dropped.push_back(data.names()[chosen.columns[c]]);
    }
    drop_columns(rows, chosen, useless);
    return done;
}

/// Joins the trees; inputs are the columns any tree uses, in the dataset's order.
inline void join_trees(const grown_forest& forest, const selection& chosen, const dataset& data, model_data& model) {
    std::vector<double> gain(chosen.columns.size());
    double total = 0;
    for (const grown_tree& tree : forest.trees) {
        for (const auto& [column, amount] : tree.gains) {
            gain[column] += amount;
            total += amount;
        }
    }
    std::vector<std::uint16_t> input_of(chosen.columns.size());
    for (std::size_t c = 0; c < chosen.columns.size(); ++c) {
        if (gain[c] <= 0) continue;
        input_of[c] = static_cast<std::uint16_t>(model.inputs.size());
        model.inputs.push_back(data.names()[chosen.columns[c]]);
        model.importance.push_back(static_cast<float>(gain[c] / total));
    }
    for (const grown_tree& tree : forest.trees) {
        const auto root = static_cast<std::uint32_t>(model.nodes.size());
        model.roots.push_back(root);
        for (forest_node node : tree.nodes) {
            if (!node.is_leaf()) {
                node.left += root;
                node.input = input_of[node.input];
            }
            model.nodes.push_back(node);
        }
    }
}

inline training_report report_on(const dataset& data, const training_rows& rows, std::span<const judged_row> judged,
                                 std::span<const judged_row> flows, const model_data& model) {
    training_report report;
    report.rows = rows.size();
    report.rows_left_out = data.rows() - rows.size();
    report.bootstrap_units = rows.drawn_units.size();
    report.rows_judged = judged.size();
    report.flows_judged = flows.size();
    for (const attack_class label : rows.labels) ++report.rows_by_class[static_cast<std::size_t>(label)];
    report.area_under_roc = area_under_roc({judged.begin(), judged.end()});
    report.brier = brier_score(judged, model.calibration);
    report.suspicious = operate(flows, model.suspicious);
    report.malicious = operate(flows, model.malicious);
    return report;
}

/// What is wrong with the data for these settings; empty when nothing is.
inline std::string data_fault(const training_rows& rows, const train_settings& s) {
    const auto benign = std::count(rows.labels.begin(), rows.labels.end(), attack_class::none);
    if (benign == 0) return "the dataset has no benign rows";
    if (static_cast<std::size_t>(benign) == rows.size()) return "the dataset has no rows of the classes to recognise";
    if (rows.size() >= (std::size_t{1} << 32)) return "the dataset has 2^32 rows or more";
    if (rows.columns.empty()) return "every feature is constant or left out";
    if (rows.columns.size() > 0xffff) return "the dataset has more than 65535 features";
    if (s.unit == bootstrap_unit::group && rows.unit_count < 10) {
        return "the dataset has fewer than 10 groups; add episodes or draw by row";
    }
    if (rows.drawn_units.empty() || (s.held_out > 0 && rows.drawn_units.size() == rows.unit_count)) {
        return "the dataset has too few groups to hold some out";
    }
    return {};
}

}  // namespace detail

/// Trains. `data` is only read. Uses all processors unless told otherwise, and memory of about one byte per row and
/// feature plus 40 bytes per row and thread. Errors are bad_argument, naming the setting or what the data lacks.
[[nodiscard]] inline result<trained_model, error> train(const dataset& data, const train_settings& settings) {
    std::string wrong = detail::settings_fault(settings);
    if (!wrong.empty()) return detail::refuse_training(settings, std::move(wrong));
    detail::selection chosen = detail::select(data, settings);
    const std::size_t threads = detail::thread_count(settings.threads, settings.trees);
    detail::training_rows rows = detail::prepare_rows(data, settings, chosen, threads);
    wrong = detail::data_fault(rows, settings);
    if (!wrong.empty()) return detail::refuse_training(settings, std::move(wrong));

    early_pruning pruning = detail::prune(data, settings, chosen, rows, threads);
    const detail::tree_limits limits = detail::limits_of(settings, rows);
    const detail::grown_forest forest = detail::grow_forest(rows, settings, limits, threads);

    trained_model out;
    model_data& model = out.model;
    model.name = settings.name;
    model.version = settings.version;
    model.command = settings.command;
    model.seed = settings.seed;
    model.feature_list_hash = feature_list_hash(data.names());
    detail::join_trees(forest, chosen, data, model);
    if (model.inputs.empty()) return detail::refuse_training(settings, "no feature separates the classes");
    const std::vector<judged_row> judged = detail::judged_rows(forest, rows);
    const std::vector<judged_row> flows = detail::judged_flows(forest, rows);
    model.calibration = calibrate(judged);
    model.suspicious = threshold_for(flows, settings.suspicious_budget, settings.suspicious_floor);
    model.malicious =
        std::max(model.suspicious, threshold_for(flows, settings.malicious_budget, settings.malicious_floor));
    out.report = detail::report_on(data, rows, judged, flows, model);
    out.report.pruning = std::move(pruning);
    model.metadata = detail::metadata_json(data, settings, limits.candidates, model, out.report);
    const auto bundle = bundle_bytes(model);
    if (!bundle.ok()) return bundle.failure();
    model.hash = bundle_hash(*bundle);
    return out;
}

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
