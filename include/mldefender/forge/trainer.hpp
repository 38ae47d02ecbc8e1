// SPDX-License-Identifier: MIT
// Trains a random forest from a dataset: is a flow one of the given attacks, and if so which. Returns the model,
// sealed with the hash of its bundle, and honest out-of-bag scores. The same dataset, settings and seed give the same
// bytes whatever the number of threads. Refuses settings or data that cannot give a model, saying which. Called by
// the forge tool.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
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
#include <mldefender/forge/detail/binning.hpp>
#include <mldefender/forge/detail/parallel.hpp>
#include <mldefender/forge/detail/training_metadata.hpp>
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
    for (const double budget : {s.suspicious_budget, s.malicious_budget}) {
        if (!(budget >= 0 && budget <= 1)) return "false-positive budgets must be in 0..1";
    }
    if (!(s.suspicious_floor > 0 && s.suspicious_floor <= s.malicious_floor && s.malicious_floor <= 1)) {
        return "threshold floors must be 0 < suspicious <= malicious <= 1";
    }
    return {};
}

/// The part of a dataset a training uses.
struct selection {
    std::vector<std::size_t> rows;     ///< of the dataset
    std::vector<std::size_t> columns;  ///< of the dataset
    std::vector<attack_class> labels;  ///< per chosen row; `none` for whatever counts as benign
};

inline selection select(const dataset& data, const train_settings& s) {
    selection chosen;
    for (std::size_t r = 0; r < data.rows(); ++r) {
        const attack_class label = data.labels()[r];
        const bool positive = std::find(s.positives.begin(), s.positives.end(), label) != s.positives.end();
        if (!positive && label != attack_class::none && s.others == other_attacks::left_out) continue;
        chosen.rows.push_back(r);
        chosen.labels.push_back(positive ? label : attack_class::none);
    }
    for (std::size_t c = 0; c < data.columns(); ++c) {
        if (std::find(s.without.begin(), s.without.end(), data.names()[c]) == s.without.end()) {
            chosen.columns.push_back(c);
        }
    }
    return chosen;
}

/// Row weights in integer units, about 1024 each. With an attack share, benign and attack rows together weigh
/// 1 - share and share, and each attack class the same; otherwise the dataset's weights stand as they are.
inline std::vector<std::uint32_t> weigh(const dataset& data, const selection& chosen, double attack_share) {
    std::array<double, attack_class_count> sums{};
    double sum = 0;
    for (std::size_t i = 0; i < chosen.rows.size(); ++i) {
        const double weight = data.weights()[chosen.rows[i]];
        sums[static_cast<std::size_t>(chosen.labels[i])] += weight;
        sum += weight;
    }
    const auto classes = std::count_if(sums.begin() + 1, sums.end(), [](double s) { return s > 0; });
    const double units = 1024.0 * static_cast<double>(chosen.rows.size());
    std::array<double, attack_class_count> factor{};
    for (std::size_t c = 0; c < attack_class_count; ++c) {
        if (sums[c] <= 0) continue;
        const double share = c == 0 ? 1 - attack_share : attack_share / static_cast<double>(classes);
        factor[c] = attack_share > 0 ? units * share / sums[c] : units / sum;
    }
    std::vector<std::uint32_t> weights;
    weights.reserve(chosen.rows.size());
    for (std::size_t i = 0; i < chosen.rows.size(); ++i) {
        const double weight = data.weights()[chosen.rows[i]] * factor[static_cast<std::size_t>(chosen.labels[i])];
        // The cap keeps weight times bootstrap draws within 32 bits; it is 4,096 times the mean.
        weights.push_back(static_cast<std::uint32_t>(std::clamp(std::round(weight), 1.0, 4194304.0)));
    }
    return weights;
}

/// Numbers the bootstrap units: rows, or the groups in the order they appear.
inline void number_units(const dataset& data, const selection& chosen, bootstrap_unit unit, training_rows& rows) {
    std::map<std::uint32_t, std::uint32_t> number;
    for (std::size_t i = 0; i < chosen.rows.size(); ++i) {
        const auto next = static_cast<std::uint32_t>(unit == bootstrap_unit::row ? i : number.size());
        if (unit == bootstrap_unit::row) {
            rows.units.push_back(next);
        } else {
            rows.units.push_back(number.try_emplace(data.groups()[chosen.rows[i]], next).first->second);
        }
    }
    rows.unit_count = unit == bootstrap_unit::row ? chosen.rows.size() : number.size();
}

inline training_rows prepare_rows(const dataset& data, const train_settings& s, selection& chosen,
                                  std::size_t threads) {
    training_rows rows;
    rows.weights = weigh(data, chosen, s.attack_share);
    rows.labels = chosen.labels;
    number_units(data, chosen, s.unit, rows);
    std::vector<binned_column> columns(chosen.columns.size());
    for_each_piece(columns.size(), threads, [&](std::size_t c, std::size_t) {
        const std::span<const float> all = data.column(chosen.columns[c]);
        std::vector<float> values;
        values.reserve(chosen.rows.size());
        for (const std::size_t r : chosen.rows) values.push_back(all[r]);
        columns[c] = bin_column(values, rows.weights, s.max_bins);
    });
    std::size_t kept = 0;  // columns that never change cannot separate anything
    for (std::size_t c = 0; c < columns.size(); ++c) {
        if (columns[c].constant()) continue;
        chosen.columns[kept++] = chosen.columns[c];
        rows.columns.push_back(std::move(columns[c]));
    }
    chosen.columns.resize(kept);
    return rows;
}

/// Sum and number of the trees that judged a row without having seen it.
struct out_of_bag {
    std::uint32_t units = 0;
    std::uint32_t trees = 0;
};

struct grown_forest {
    std::vector<grown_tree> trees;
    std::vector<out_of_bag> judged;  ///< per training row
};

inline grown_forest grow_forest(const training_rows& rows, const train_settings& s, const tree_limits& limits,
                                std::size_t threads) {
    grown_forest forest;
    forest.trees.resize(s.trees);
    std::vector<std::vector<out_of_bag>> judged(threads, std::vector<out_of_bag>(rows.size()));
    std::vector<tree_grower> growers(threads, tree_grower{rows, limits});
    std::mutex progress_mutex;
    std::size_t done = 0;
    for_each_piece(s.trees, threads, [&](std::size_t index, std::size_t worker) {
        grown_tree tree = growers[worker].grow(rng{s.seed, index + 1});
        const auto draws = growers[worker].draws();
        for (std::size_t r = 0; r < rows.size(); ++r) {
            if (draws[rows.units[r]] != 0) continue;
            judged[worker][r].units += leaf_units(tree, rows, r);
            ++judged[worker][r].trees;
        }
        forest.trees[index] = std::move(tree);
        const std::lock_guard lock{progress_mutex};
        ++done;
        if (s.progress) s.progress(done, s.trees);
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

inline std::vector<judged_row> judged_rows(const grown_forest& forest, const training_rows& rows) {
    std::vector<judged_row> out;
    for (std::size_t r = 0; r < rows.size(); ++r) {
        const out_of_bag& sum = forest.judged[r];
        if (sum.trees == 0) continue;
        out.push_back({mldefender::detail::mean_of_units(sum.units, sum.trees), rows.labels[r], rows.weights[r]});
    }
    return out;
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
                                 const model_data& model) {
    training_report report;
    report.rows = rows.size();
    report.rows_left_out = data.rows() - rows.size();
    report.bootstrap_units = rows.unit_count;
    report.rows_out_of_bag = judged.size();
    for (const attack_class label : rows.labels) ++report.rows_by_class[static_cast<std::size_t>(label)];
    report.area_under_roc = area_under_roc({judged.begin(), judged.end()});
    report.suspicious = operate(judged, model.suspicious);
    report.malicious = operate(judged, model.malicious);
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
    const detail::training_rows rows = detail::prepare_rows(data, settings, chosen, threads);
    wrong = detail::data_fault(rows, settings);
    if (!wrong.empty()) return detail::refuse_training(settings, std::move(wrong));

    const auto root = static_cast<std::size_t>(square_root(static_cast<double>(rows.columns.size())));
    const std::size_t candidates = settings.candidates != 0 ? settings.candidates : std::max<std::size_t>(1, root);
    const detail::grown_forest forest =
        detail::grow_forest(rows, settings, {settings.max_leaves, settings.min_rows_per_leaf, candidates}, threads);

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
    model.calibration = calibrate(judged);
    model.suspicious = threshold_for(judged, settings.suspicious_budget, settings.suspicious_floor);
    model.malicious =
        std::max(model.suspicious, threshold_for(judged, settings.malicious_budget, settings.malicious_floor));
    out.report = detail::report_on(data, rows, judged, model);
    model.metadata = detail::metadata_json(data, settings, candidates, model, out.report);
    const auto bundle = bundle_bytes(model);
    if (!bundle.ok()) return bundle.failure();
    model.hash = bundle_hash(*bundle);
    return out;
}

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
