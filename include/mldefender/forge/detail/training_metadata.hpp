// SPDX-License-Identifier: MIT
// The JSON a model carries about itself: settings, data, scores of unseen rows, importance. Compact, keys in a fixed
// order, rates with six decimals, so that the same training writes the same bytes; no version of this library, which
// may change without the model changing. Called by the trainer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mldefender/core/attack.hpp>
#include <mldefender/core/bundle.hpp>
#include <mldefender/forge/dataset.hpp>
#include <mldefender/forge/detail/json_text.hpp>
#include <mldefender/forge/training.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace detail {

[[nodiscard]] inline std::string settings_json(const train_settings& s, std::size_t candidates) {
    json_object weights;
    for (const class_weight& w : s.class_weights) weights.rate(name_of(w.label), w.factor);
    return json_object{}
        .raw("positives", json_names(s.positives, [](attack_class c) { return name_of(c); }))
        .text("other_attacks", s.others == other_attacks::benign ? "benign" : "left out")
        .raw("without", json_names(s.without, [](const std::string& name) { return std::string_view{name}; }))
        .text("method", s.method == growth::boosted ? "boosted" : "bagged")
        .count("trees", s.trees)
        .count("max_leaves", s.max_leaves)
        .count("min_rows_per_leaf", s.min_rows_per_leaf)
        .count("candidates", candidates)
        .count("max_bins", s.max_bins)
        .rate("attack_share", s.attack_share)
        .text("balance", s.balance == class_balance::sources ? "sources" : "rows")
        .raw("class_weights", weights.done())
        .rate("false_alarm_cost", s.false_alarm_cost)
        .rate("learning_rate", s.learning_rate)
        .rate("start", s.start)
        .rate("veto", s.veto)
        .rate("least_importance", s.least_importance)
        .rate("hopeless", s.hopeless)
        .rate("held_out", s.held_out)
        .text("bootstrap", s.unit == bootstrap_unit::group ? "groups" : "rows")
        .rate("suspicious_budget", s.suspicious_budget)
        .rate("malicious_budget", s.malicious_budget)
        .rate("suspicious_floor", double{s.suspicious_floor})
        .rate("malicious_floor", double{s.malicious_floor})
        .done();
}

[[nodiscard]] inline std::string data_json(const dataset& data, const training_report& report) {
    json_object classes;
    for (std::size_t c = 0; c < attack_class_count; ++c) {
        if (report.rows_by_class[c] > 0) classes.count(attack_descriptions[c].name, report.rows_by_class[c]);
    }
    return json_object{}
        .text("description", data.description())
        .count("rows", report.rows)
        .count("rows_left_out", report.rows_left_out)
        .count("bootstrap_units", report.bootstrap_units)
        .count("hopeless_rows", report.pruning.hopeless_rows)
        .raw("dropped_features",
             json_names(report.pruning.dropped, [](const std::string& name) { return std::string_view{name}; }))
        .raw("rows_by_class", classes.done())
        .done();
}

[[nodiscard]] inline std::string point_json(const operating_point& point, const training_report& report) {
    json_object classes;
    for (std::size_t c = 1; c < attack_class_count; ++c) {
        if (report.rows_by_class[c] > 0) classes.rate(attack_descriptions[c].name, point.recall_by_class[c]);
    }
    return json_object{}
        .rate("threshold", point.threshold)
        .rate("false_positive_rate", point.false_positive_rate)
        .rate("recall", point.recall)
        .raw("recall_by_class", classes.done())
        .done();
}

/// Features by falling importance, equals by name.
[[nodiscard]] inline std::string importance_json(const model_data& model) {
    std::vector<std::size_t> order(model.inputs.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        if (model.importance[a] != model.importance[b]) return model.importance[a] > model.importance[b];
        return model.inputs[a] < model.inputs[b];
    });
    json_object out;
    for (const std::size_t i : order) out.rate(model.inputs[i], double{model.importance[i]});
    return out.done();
}

[[nodiscard]] inline std::string calibration_json(const model_data& model) {
    std::string out;
    for (const calibration_point& point : model.calibration) {
        out += (out.empty() ? "[" : ",[") + json_number(double{point.score}) + "," +
               json_number(double{point.confidence}) + "]";
    }
    return "[" + out + "]";
}

[[nodiscard]] inline std::string metadata_json(const dataset& data, const train_settings& settings,
                                               std::size_t candidates, const model_data& model,
                                               const training_report& report) {
    const std::string scores = json_object{}
                                   .count("rows", report.rows_judged)
                                   .count("flows", report.flows_judged)
                                   .rate("area_under_roc", report.area_under_roc)
                                   .rate("brier", report.brier)
                                   .raw("suspicious", point_json(report.suspicious, report))
                                   .raw("malicious", point_json(report.malicious, report))
                                   .done();
    return json_object{",\n"}
        .text("generator", "mldefender-forge")
        .text("name", model.name)
        .text("version", model.version)
        .text("command", model.command)
        .count("seed", model.seed)
        .text("feature_list_hash", model.feature_list_hash)
        .raw("settings", settings_json(settings, candidates))
        .raw("data", data_json(data, report))
        .raw(settings.held_out > 0 ? "held_out" : "out_of_bag", scores)
        .raw("importance", importance_json(model))
        .raw("calibration", calibration_json(model))
        .done();
}

}  // namespace detail
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
