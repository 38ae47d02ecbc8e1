// SPDX-License-Identifier: MIT
// From what detectors say to one decision: the maximum threat wins and keeps its author. Forests of different
// detectors have different score distributions, so each is first mapped onto one scale by its own two thresholds;
// then a number means the same whoever gave it. NaN counts as 0 (and is asserted against).
// Called by the pipeline; detectors are forests or anything with the same members.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

#include <mldefender/core/feature.hpp>
#include <mldefender/core/forest.hpp>
#include <mldefender/core/rules.hpp>
#include <mldefender/core/verdict.hpp>

namespace mldefender {
inline namespace v0 {

/// What the winning detector says.
struct threat {
    float score = 0;                          ///< 0..1 on the common scale
    float raw = 0;                            ///< the detector's own score
    attack_class label = attack_class::none;  ///< class the detector gave
    std::uint8_t author = 0;                  ///< position of the detector in its list
};

/// Where a detector's own thresholds lie on the common scale.
inline constexpr verdict_thresholds common_scale{};

/// Maps a detector's score onto the common scale: `quiet` and less become 0, `suspicious` 0.5, `malicious` 0.7,
/// `certain` and more 1, linear in between. Needs quiet < suspicious <= malicious <= certain.
[[nodiscard]] constexpr float on_common_scale(float raw, float suspicious, float malicious,
                                              score_ends ends = {}) noexcept {
    assert(raw == raw && "a detector returned NaN");
    if (!(raw > ends.quiet)) return 0;
    if (raw < suspicious) return common_scale.suspicious * (raw - ends.quiet) / (suspicious - ends.quiet);
    if (raw < malicious) {
        const float share = (raw - suspicious) / (malicious - suspicious);
        return common_scale.suspicious + (common_scale.malicious - common_scale.suspicious) * share;
    }
    if (raw >= ends.certain || malicious >= ends.certain) return 1;
    return common_scale.malicious + (1 - common_scale.malicious) * (raw - malicious) / (ends.certain - malicious);
}

namespace detail {

template <class Detector>
[[nodiscard]] constexpr float raw_score(const Detector& detector, const feature_vector& row) noexcept {
    if constexpr (requires { detector.score(row); }) {
        return detector.score(row);
    } else {
        return detector.answer(row).score;
    }
}

template <class Detector>
[[nodiscard]] constexpr score_ends ends_of(const Detector& detector) noexcept {
    if constexpr (requires { detector.ends(); }) {
        return detector.ends();
    } else {
        return {};
    }
}

}  // namespace detail

/// A list of detectors of which the largest score wins; ties go to the first listed. A detector has
/// `answer(row) -> forest_answer`, `score(row) -> float` if that alone is cheaper, `explain(row, out)`,
/// `confidence(raw)`, `ends()` if its scores do not fill 0..1, `name()`, `version()`, `hash()`, `suspicious()` and
/// `malicious()`.
template <class... Detectors>
class max_threat {
public:
    static constexpr std::size_t size = sizeof...(Detectors);  ///< how many detectors
    static_assert(size > 0 && size < 256);

    constexpr max_threat() = default;
    /// Takes the detectors in the order that breaks ties.
    constexpr explicit max_threat(Detectors... detectors) : m_detectors(std::move(detectors)...) {}

    /// Asks every detector; safe from any number of threads when they are.
    /// The winner. Its label is asked for only from half of suspicion on: it costs as much as the score, and ordinary
    /// flows, which are nearly all, need none.
    [[nodiscard]] constexpr threat operator()(const feature_vector& row) const noexcept {
        threat best;
        std::uint8_t position = 0;
        for_each([&](const auto& detector) {
            const float raw = detail::raw_score(detector, row);
            const float score =
                on_common_scale(raw, detector.suspicious(), detector.malicious(), detail::ends_of(detector));
            if (score > best.score) best = {score, raw, attack_class::none, position};
            ++position;
        });
        if (best.score < common_scale.suspicious / 2) return best;
        with(best.author, [&](const auto& detector) { best.label = detector.answer(row).label; });
        return best;
    }

    /// Calls `use(detector)` for the detector at `position`.
    template <class Use>
    constexpr void with(std::size_t position, Use&& use) const {
        std::size_t i = 0;
        for_each([&](const auto& detector) {
            if (i++ == position) use(detector);
        });
    }
    /// Calls `use(detector)` for each, in their order.
    template <class Use>
    constexpr void for_each(Use&& use) const {
        std::apply([&](const auto&... detector) { (use(detector), ...); }, m_detectors);
    }
    /// The same with detectors that may be changed, before packets flow.
    template <class Use>
    constexpr void for_each_mutable(Use&& use) {
        std::apply([&](auto&... detector) { (use(detector), ...); }, m_detectors);
    }

private:
    std::tuple<Detectors...> m_detectors;
};

/// A whole decision: both detectors, and the larger of them.
struct decision {
    rule_outcome fast;                         ///< what the rules say
    threat ml;                                 ///< what the forests say
    float score = 0;                           ///< the larger of both, 0..1
    attack_class attack = attack_class::none;  ///< none when the score is below suspicion
    bool by_rules = false;                     ///< the rules gave the score

    /// True when rules and forests disagree enough for a person to look.
    [[nodiscard]] constexpr bool divergent() const noexcept { return is_divergent(fast.score, ml.score); }
};

/// Lets the rules and the forests look at a row. The rules are listed first and win ties.
template <class Forests>
[[nodiscard]] constexpr decision decide_on(const feature_vector& row, const rule_set& rules,
                                           const Forests& forests) noexcept {
    decision d;
    d.fast = rules.evaluate(row);
    d.ml = forests(row);
    d.by_rules = d.fast.score >= d.ml.score && d.fast.score > 0;
    d.score = d.by_rules ? d.fast.score : d.ml.score;
    d.attack = d.by_rules ? d.fast.attack : d.ml.label;
    return d;
}

}  // namespace v0
}  // namespace mldefender
