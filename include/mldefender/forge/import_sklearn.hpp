// SPDX-License-Identifier: MIT
// Reads what tools/forge/dump_sklearn.py writes about scikit-learn's RandomForestClassifier, ExtraTreesClassifier,
// DecisionTreeClassifier and GradientBoostingClassifier: one JSON object with `format`, `source`, `link` (mean or
// logistic), `start`, `features`, and per tree the arrays left, right, feature, threshold, missing_left, value, cover,
// gain. Comparisons are `x <= threshold` of a binary32 with a binary64; values are added in binary64. Refuses what
// does not look so, naming the JSON path. Called by import.hpp.
#pragma once

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

/// Of the dump, in its member `format`; another number means another layout.
inline constexpr std::string_view sklearn_format = "mldefender-sklearn 1";

namespace detail {

class sklearn_reader {
public:
    sklearn_reader(bytes text, std::string_view where) : m_json(text, where) {}

    result<foreign_model, error> run() {
        if (auto root = m_json.root()) read_root(*root);
        if (!m_json.ok()) return m_json.failure();
        return std::move(m_model);
    }

private:
    using object = json_source::object;
    using value = json_source::value;

    void read_root(object& root) {
        const std::string format = m_json.text(root, "", "format");
        if (m_json.ok() && format != sklearn_format) {
            return m_json.refuse("format", shown(format) + " is not " + std::string{sklearn_format} +
                                               "; dump the model with the script of this version");
        }
        m_model.source = m_json.text(root, "", "source");
        const std::string link = m_json.text(root, "", "link");
        if (m_json.ok() && link != "mean" && link != "logistic") {
            m_json.refuse("link", shown(link) + " is neither mean nor logistic");
        }
        m_model.sum.link = link == "mean" ? score_link::mean : score_link::logistic;
        m_model.sum.start = m_json.number<double>(root, "", "start");
        m_model.column_place = "features";
        m_model.columns = m_json.texts(root, "", "features");
        m_json.each(root, "", "trees", [&](value& item, const std::string& place) {
            if (auto tree = m_json.as_object(item, place)) read_tree(*tree, place);
        });
    }

    void read_tree(object& tree, const std::string& at) {
        const auto left = m_json.numbers<std::int32_t>(tree, at, "left");
        const std::size_t count = left.size();
        const auto right = m_json.numbers<std::int32_t>(tree, at, "right", count);
        const auto column = m_json.numbers<std::int32_t>(tree, at, "feature", count);
        const auto threshold = m_json.numbers<double>(tree, at, "threshold", count);
        const auto missing_left = m_json.numbers<std::uint8_t>(tree, at, "missing_left", count);
        const auto leaf = m_json.numbers<double>(tree, at, "value", count);
        const auto cover = m_json.numbers<double>(tree, at, "cover", count);
        const auto gain = m_json.numbers<double>(tree, at, "gain", count);
        if (!m_json.ok()) return;
        foreign_tree out{at, std::vector<foreign_node>(count)};
        for (std::size_t i = 0; i < count; ++i) {
            // The column of a leaf is negative: as an unsigned number it is one that nothing has.
            out.nodes[i] = {left[i],  right[i], static_cast<std::uint32_t>(column[i]), 0, missing_left[i] != 0, leaf[i],
                            cover[i], gain[i]};
            if (left[i] < 0) continue;
            const auto ours = float_at_most(threshold[i]);
            if (!ours) {
                return m_json.refuse(at + ".threshold[" + std::to_string(i) + "]",
                                     "no binary32 is as small as this; scale the column and train again");
            }
            out.nodes[i].threshold = *ours;
        }
        m_model.trees.push_back(std::move(out));
    }

    json_source m_json;
    foreign_model m_model;
};

}  // namespace detail

/// The model in a dump of scikit-learn; `where` names it in errors.
[[nodiscard]] inline result<foreign_model, error> read_sklearn(bytes text, std::string_view where) {
    return detail::sklearn_reader{text, where}.run();
}

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
