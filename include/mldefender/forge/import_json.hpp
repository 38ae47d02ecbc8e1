// SPDX-License-Identifier: MIT
// Reads the JSON that json_text in export.hpp writes: the tables of model.hpp as they are, so that a model comes back
// to the last bit. Refuses what does not look so, naming the JSON path, and what find_fault refuses. Called by
// import.hpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mldefender/core/attack.hpp>
#include <mldefender/core/bundle.hpp>
#include <mldefender/forge/detail/json_source.hpp>
#include <mldefender/forge/export.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {

namespace detail {

class json_model_reader {
public:
    json_model_reader(bytes text, std::string_view where) : m_json(text, where), m_where(where) {}

    result<model_data, error> run() {
        if (auto root = m_json.root()) read_root(*root);
        if (!m_json.ok()) return m_json.failure();
        const auto bundle = bundle_bytes(m_model);
        if (!bundle) return refuse_import(m_where, "", "gives no model: " + bundle.failure().what);
        m_model.hash = bundle_hash(*bundle);
        return std::move(m_model);
    }

private:
    using object = json_source::object;
    using value = json_source::value;

    void read_root(object& root) {
        const std::string format = m_json.text(root, "", "format");
        if (m_json.ok() && format != json_format) {
            return m_json.refuse("format", shown(format) + " is not " + std::string{json_format} +
                                               "; export the model with this version");
        }
        m_model.name = m_json.text(root, "", "name");
        m_model.version = m_json.text(root, "", "version");
        m_model.command = m_json.text(root, "", "command");
        m_model.feature_list_hash = m_json.text(root, "", "feature_list_hash");
        m_model.metadata = m_json.text(root, "", "metadata");
        m_model.seed = m_json.number<std::uint64_t>(root, "", "seed");
        m_model.suspicious = m_json.number<float>(root, "", "suspicious");
        m_model.malicious = m_json.number<float>(root, "", "malicious");
        m_model.inputs = m_json.texts(root, "", "inputs");
        m_model.importance = m_json.numbers<float>(root, "", "importance", m_model.inputs.size());
        const auto scores = m_json.numbers<float>(root, "", "calibration_scores");
        const auto confidences = m_json.numbers<float>(root, "", "calibration_confidences", scores.size());
        if (m_json.ok()) {
            for (std::size_t i = 0; i < scores.size(); ++i) m_model.calibration.push_back({scores[i], confidences[i]});
        }
        m_model.roots = m_json.numbers<std::uint32_t>(root, "", "roots");
        read_nodes(root);
        if (auto sum = m_json.find(root, "", "sum")) {
            if (auto inside = m_json.as_object(*sum, "sum")) read_sum(*inside);
        }
    }

    void read_nodes(object& root) {
        auto nodes = m_json.inner(root, "", "nodes");
        if (!nodes) return;
        const auto values = m_json.numbers<float>(*nodes, "nodes", "value");
        const auto left = m_json.numbers<std::uint32_t>(*nodes, "nodes", "left", values.size());
        const auto input = m_json.numbers<std::uint16_t>(*nodes, "nodes", "input", values.size());
        const auto extra = m_json.numbers<std::uint16_t>(*nodes, "nodes", "extra", values.size());
        if (!m_json.ok()) return;
        for (std::size_t i = 0; i < values.size(); ++i) {
            m_model.nodes.push_back({values[i], left[i], input[i], extra[i]});
        }
    }

    void read_sum(object& sum) {
        const std::string link = m_json.text(sum, "sum", "link");
        const std::string precision = m_json.text(sum, "sum", "precision");
        const std::string label = m_json.text(sum, "sum", "class");
        m_model.sum.start = m_json.number<double>(sum, "sum", "start");
        m_model.sum.slope = m_json.number<double>(sum, "sum", "slope");
        m_model.leaf_values = m_json.numbers<double>(sum, "sum", "leaf_values", m_model.nodes.size());
        const bool mean = link == name_of(score_link::mean);
        const bool single = precision == name_of(sum_precision::binary32);
        const auto known = parse_attack_class(label);
        if (!mean && link != name_of(score_link::logistic)) m_json.refuse("sum.link", "is neither mean nor logistic");
        if (!single && precision != name_of(sum_precision::binary64)) {
            m_json.refuse("sum.precision", "is neither binary32 nor binary64");
        }
        if (!known) m_json.refuse("sum.class", shown(label) + " is no attack class");
        m_model.sum.link = mean ? score_link::mean : score_link::logistic;
        m_model.sum.precision = single ? sum_precision::binary32 : sum_precision::binary64;
        m_model.sum.label = known.value_or(attack_class::none);
    }

    json_source m_json;
    std::string_view m_where;
    model_data m_model;
};

}  // namespace detail

/// The model in a JSON text of ours, sealed with the hash of its bundle; `where` names it in errors.
[[nodiscard]] inline result<model_data, error> read_json_model(bytes text, std::string_view where) {
    return detail::json_model_reader{text, where}.run();
}

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
