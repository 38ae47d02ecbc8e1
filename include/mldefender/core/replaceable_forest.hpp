// SPDX-License-Identifier: MIT
// A built-in forest that a model bundle read at run time may replace: the sensor's detectors, so that one binary
// serves both. The replacement must be made before packets flow; it answers with the same members as `forest<Model>`.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include <mldefender/core/bundle.hpp>
#include <mldefender/core/forest.hpp>

namespace mldefender {
inline namespace v0 {

/// `forest<Model>` until `replace` is called.
template <class Model>
class replaceable_forest {
public:
    /// Uses `model` from now on. Not while another thread scores.
    void replace(bundle_forest model) {
        m_bundle = std::move(model);
        m_replaced = true;
    }
    /// True once a bundle answers.
    [[nodiscard]] bool replaced() const noexcept { return m_replaced; }

    /// Detector, e.g. "ddos".
    [[nodiscard]] std::string_view name() const noexcept { return m_replaced ? m_bundle.name() : built_in::name(); }
    /// Of the model that answers, free text.
    [[nodiscard]] std::string_view version() const noexcept {
        return m_replaced ? m_bundle.version() : built_in::version();
    }
    /// First 16 hexadecimal digits of the SHA-256 of its bundle.
    [[nodiscard]] std::string_view hash() const noexcept { return m_replaced ? m_bundle.hash() : built_in::hash(); }
    /// Scores from here on deserve watching.
    [[nodiscard]] float suspicious() const noexcept {
        return m_replaced ? m_bundle.suspicious() : built_in::suspicious();
    }
    /// Scores from here on deserve a response.
    [[nodiscard]] float malicious() const noexcept { return m_replaced ? m_bundle.malicious() : built_in::malicious(); }
    /// Where its scores begin and end to mean something.
    [[nodiscard]] score_ends ends() const noexcept { return m_replaced ? m_bundle.ends() : built_in::ends(); }
    /// Score of a row, 0..1; see basic_forest and basic_bundle_forest.
    [[nodiscard]] float score(const feature_vector& row) const noexcept {
        return m_replaced ? m_bundle.score(row) : built_in::score(row);
    }
    /// Score and attack class.
    [[nodiscard]] forest_answer answer(const feature_vector& row) const noexcept {
        return m_replaced ? m_bundle.answer(row) : built_in::answer(row);
    }
    /// See forest_view::explain.
    std::size_t explain(const feature_vector& row, std::span<contribution> out) const noexcept {
        return m_replaced ? m_bundle.explain(row, out) : built_in::explain(row, out);
    }
    /// Share of training flows with such a score that were attacks.
    [[nodiscard]] float confidence(float score) const noexcept {
        return m_replaced ? m_bundle.confidence(score) : built_in::confidence(score);
    }

private:
    using built_in = forest<Model>;
    bundle_forest m_bundle;
    bool m_replaced = false;
};

}  // namespace v0
}  // namespace mldefender
