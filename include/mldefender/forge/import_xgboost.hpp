// SPDX-License-Identifier: MIT
// Reads what XGBoost's save_model("x.json") writes: boosters gbtree of the objective binary:logistic, of 1.3 to the 3.x
// releases. Comparisons are `x < split` on binary32, missing values follow default_left, leaves are added in binary32,
// round after round, to the logit of base_score. Refuses other objectives and boosters, categorical splits, vector
// leaves, and an early stop that left later rounds in the file, naming the JSON path. Called by import.hpp.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mldefender/forge/detail/json_source.hpp>
#include <mldefender/forge/foreign_model.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {

namespace detail {

class xgboost_reader {
public:
    xgboost_reader(bytes text, std::string_view where) : m_json(text, where) {}

    result<foreign_model, error> run() {
        if (auto root = m_json.root()) read_root(*root);
        if (!m_json.ok()) return m_json.failure();
        return std::move(m_model);
    }

private:
    using object = json_source::object;
    using value = json_source::value;

    void read_root(object& root) {
        if (auto learner = m_json.inner(root, "", "learner")) read_learner(*learner);
        const auto version = m_json.numbers<int>(root, "", "version");
        m_model.source = "xgboost";
        for (std::size_t i = 0; i < version.size() && i < 3; ++i) {
            m_model.source += (i == 0 ? " " : ".") + std::to_string(version[i]);
        }
    }

    void read_learner(object& learner) {
        const std::string at = "learner";
        std::size_t best_round = 0;
        if (auto attributes = m_json.find(learner, at, "attributes")) {
            if (auto inside = m_json.as_object(*attributes, at + ".attributes")) {
                best_round = m_json.number_or<std::size_t>(*inside, at + ".attributes", "best_iteration", 0) + 1;
                if (!m_json.find(*inside, at + ".attributes", "best_iteration")) best_round = 0;
            }
        }
        read_objective(learner, at);
        read_parameters(learner, at);
        read_names(learner, at);
        if (auto booster = m_json.inner(learner, at, "gradient_booster")) {
            read_booster(*booster, at + ".gradient_booster");
        }
        // Booster.predict adds every round, the scikit-learn wrapper those up to the best: only a file without later
        // rounds has one meaning.
        if (m_json.ok() && best_round != 0 && best_round * m_trees_a_round < m_model.trees.size()) {
            m_json.refuse(at + ".attributes.best_iteration",
                          "an early stop left later rounds in the file; save booster[:" + std::to_string(best_round) +
                              "] instead");
        }
    }

    void read_objective(object& learner, const std::string& at) {
        auto objective = m_json.inner(learner, at, "objective");
        const std::string name = objective ? m_json.text(*objective, at + ".objective", "name") : std::string{};
        if (m_json.ok() && name != "binary:logistic") {
            m_json.refuse(at + ".objective.name",
                          shown(name) + " cannot be expressed; train attack against the rest with binary:logistic");
        }
    }

    void read_parameters(object& learner, const std::string& at) {
        const std::string path = at + ".learner_model_param";
        auto parameters = m_json.inner(learner, at, "learner_model_param");
        if (!parameters) return;
        if (m_json.number_or<int>(*parameters, path, "num_class", 0) > 1) {
            m_json.refuse(path + ".num_class", "several classes cannot be expressed; train attack against the rest");
        }
        if (m_json.number_or<int>(*parameters, path, "num_target", 1) > 1) {
            m_json.refuse(path + ".num_target", "several targets cannot be expressed; train one model for each");
        }
        // A text; since 3.1 that of a list with one number.
        std::string text = m_json.text(*parameters, path, "base_score");
        if (text.size() > 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
        const auto base = parse_number<float>(text);
        if (m_json.ok() && !(base && *base > 0 && *base < 1)) {
            m_json.refuse(path + ".base_score", "must be a probability between 0 and 1");
        }
        const float odds = 1.0F / base.value_or(0.5F) - 1.0F;
        m_model.sum = {score_link::logistic, sum_precision::binary32, attack_class::none, double{-std::log(odds)}, 1};
    }

    void read_names(object& learner, const std::string& at) {
        m_model.column_place = at + ".feature_names";
        auto names = m_json.find(learner, at, "feature_names");
        if (names) {
            m_json.each(*names, m_model.column_place, [&](value& item, const std::string& place) {
                m_model.columns.push_back(m_json.text(item, place));
            });
        }
        if (m_json.ok() && m_model.columns.empty()) {
            m_json.refuse(m_model.column_place,
                          "the model does not name its columns; train with a DataFrame or feature_names=[...]");
        }
    }

    void read_booster(object& booster, const std::string& at) {
        const std::string name = m_json.text(booster, at, "name");
        if (m_json.ok() && name != "gbtree") {
            return m_json.refuse(at + ".name", shown(name) + " cannot be expressed; train with booster=gbtree");
        }
        auto model = m_json.inner(booster, at, "model");
        if (!model) return;
        const std::string path = at + ".model";
        if (auto parameters = m_json.inner(*model, path, "gbtree_model_param")) {
            const int count = m_json.number_or<int>(*parameters, path + ".gbtree_model_param", "num_parallel_tree", 1);
            m_trees_a_round = count < 1 ? 1 : static_cast<std::size_t>(count);
        }
        m_json.each(*model, path, "trees", [&](value& item, const std::string& place) {
            if (auto tree = m_json.as_object(item, place)) read_tree(*tree, place);
        });
    }

    void read_tree(object& tree, const std::string& at) {
        const auto left = m_json.numbers<std::int32_t>(tree, at, "left_children");
        const std::size_t count = left.size();
        const auto right = m_json.numbers<std::int32_t>(tree, at, "right_children", count);
        const auto split = m_json.numbers<float>(tree, at, "split_conditions", count);
        const auto column = m_json.numbers<std::uint32_t>(tree, at, "split_indices", count);
        const auto missing_left = m_json.numbers<std::uint8_t>(tree, at, "default_left", count);
        const auto cover = m_json.numbers<float>(tree, at, "sum_hessian", count);
        const auto gain = m_json.numbers<float>(tree, at, "loss_changes", count);
        refuse_others(tree, at);
        if (!m_json.ok()) return;
        foreign_tree out{at, std::vector<foreign_node>(count)};
        for (std::size_t i = 0; i < count; ++i) {
            foreign_node& node = out.nodes[i];
            node = {left[i],          right[i],         column[i],      0, missing_left[i] != 0,
                    double{split[i]}, double{cover[i]}, double{gain[i]}};
            if (left[i] < 0) continue;
            const auto threshold = float_below(split[i]);
            if (!threshold) {
                return m_json.refuse(at + ".split_conditions[" + std::to_string(i) + "]",
                                     "nothing is less than this; train again without infinite values");
            }
            node.threshold = *threshold;
        }
        m_model.trees.push_back(std::move(out));
    }

    void refuse_others(object& tree, const std::string& at) {
        if (auto categorical = m_json.find(tree, at, "categories_nodes")) {
            m_json.each(*categorical, at + ".categories_nodes", [&](value&, const std::string& place) {
                m_json.refuse(place, "a categorical split cannot be expressed; train on numbers alone");
            });
        }
        if (auto parameters = m_json.inner(tree, at, "tree_param")) {
            if (m_json.number_or<int>(*parameters, at + ".tree_param", "size_leaf_vector", 1) > 1) {
                m_json.refuse(at + ".tree_param.size_leaf_vector",
                              "leaves of several values cannot be expressed; train with one_output_per_tree");
            }
        }
    }

    json_source m_json;
    foreign_model m_model;
    std::size_t m_trees_a_round = 1;
};

}  // namespace detail

/// The model in an XGBoost JSON text; `where` names it in errors.
[[nodiscard]] inline result<foreign_model, error> read_xgboost(bytes text, std::string_view where) {
    return detail::xgboost_reader{text, where}.run();
}

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
