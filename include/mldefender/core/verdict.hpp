// SPDX-License-Identifier: MIT
// The words and thresholds of a decision: verdict, priority, which detector is the authority, and why two detectors
// disagree. Scores are compared in ten-thousandths, the precision in which an event line shows them, so that whoever
// reads a line can check every derived word in it. NaN counts as 0, values outside 0..1 are clamped.
// Used by score.hpp, the pipeline and event.hpp; includes no other part of the library.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mldefender {
inline namespace v0 {

/// The final classification: `suspicious` is watched, `malicious` is answered.
enum class verdict : std::uint8_t { benign, suspicious, malicious };

/// Order in which a person should look at events.
enum class priority : std::uint8_t { low, medium, high, critical };

/// Which detector is authoritative for a decision, in the order of the event schema.
enum class decision_source : std::uint8_t { fast_only, ml_only, fast_priority, ml_priority, consensus, divergence };

/// Scores from which a verdict is given; suspicious <= malicious.
struct verdict_thresholds {
    float suspicious = 0.5F;  ///< 0..1
    float malicious = 0.7F;   ///< 0..1
};

/// Scores from which a priority is given; medium <= high <= critical.
struct priority_thresholds {
    float medium = 0.7F;     ///< 0..1
    float high = 0.85F;      ///< 0..1
    float critical = 0.95F;  ///< 0..1
};

namespace detail {

inline constexpr std::array<std::string_view, 3> verdict_names{"benign", "suspicious", "malicious"};
inline constexpr std::array<std::string_view, 4> priority_names{"low", "medium", "high", "critical"};
inline constexpr std::array<std::string_view, 6> decision_source_names{"fast_only",   "ml_only",   "fast_priority",
                                                                       "ml_priority", "consensus", "divergence"};

/// The name at the enumerator's position; the first one for a value outside the set.
template <class Enum, std::size_t N>
[[nodiscard]] constexpr std::string_view name_at(const std::array<std::string_view, N>& names, Enum value) noexcept {
    const auto at = static_cast<std::size_t>(value);
    return names[at < N ? at : 0];
}

template <class Enum, std::size_t N>
[[nodiscard]] constexpr std::optional<Enum> find_name(const std::array<std::string_view, N>& names,
                                                      std::string_view name) noexcept {
    for (std::size_t i = 0; i < N; ++i) {
        if (names[i] == name) return static_cast<Enum>(i);
    }
    return std::nullopt;
}

}  // namespace detail

/// @{
/// The value as an event line spells it.
[[nodiscard]] constexpr std::string_view name_of(verdict v) noexcept {
    return detail::name_at(detail::verdict_names, v);
}
[[nodiscard]] constexpr std::string_view name_of(priority p) noexcept {
    return detail::name_at(detail::priority_names, p);
}
[[nodiscard]] constexpr std::string_view name_of(decision_source s) noexcept {
    return detail::name_at(detail::decision_source_names, s);
}
/// @}
/// @{
/// The value so spelled in an event line, or nothing.
[[nodiscard]] constexpr std::optional<verdict> parse_verdict(std::string_view name) noexcept {
    return detail::find_name<verdict>(detail::verdict_names, name);
}
[[nodiscard]] constexpr std::optional<priority> parse_priority(std::string_view name) noexcept {
    return detail::find_name<priority>(detail::priority_names, name);
}
[[nodiscard]] constexpr std::optional<decision_source> parse_decision_source(std::string_view name) noexcept {
    return detail::find_name<decision_source>(detail::decision_source_names, name);
}
/// @}

/// A score as an event line shows it, in ten-thousandths: 0..10000, rounded half up, NaN as 0.
[[nodiscard]] constexpr std::int32_t score_e4(float score) noexcept {
    if (!(score > 0)) return 0;
    if (score >= 1) return 10000;
    return static_cast<std::int32_t>(static_cast<double>(score) * 10000 + 0.5);
}

/// Gap between the fast and the forest score, 0..1 in steps of 0.0001 (`mld.divergence`).
[[nodiscard]] constexpr float divergence_of(float fast, float ml) noexcept {
    const std::int32_t gap = score_e4(fast) - score_e4(ml);
    return static_cast<float>((gap < 0 ? -gap : gap) / 10000.0);
}

/// From this gap on the detectors disagree and the event keeps its artifact.
inline constexpr float divergent_gap = 0.3F;
/// Below this gap two alarmed detectors agree.
inline constexpr float consensus_gap = 0.15F;

/// True when the gap reaches `divergent_gap`.
[[nodiscard]] constexpr bool is_divergent(float fast, float ml) noexcept {
    return score_e4(divergence_of(fast, ml)) >= score_e4(divergent_gap);
}

/// A threshold is reached by an equal score, here and in every other function of this file.
[[nodiscard]] constexpr verdict verdict_of(float score, const verdict_thresholds& at = {}) noexcept {
    if (score_e4(score) >= score_e4(at.malicious)) return verdict::malicious;
    return score_e4(score) >= score_e4(at.suspicious) ? verdict::suspicious : verdict::benign;
}

/// The priority of a score that is alerted.
[[nodiscard]] constexpr priority priority_of(float score, const priority_thresholds& from = {}) noexcept {
    if (score_e4(score) >= score_e4(from.critical)) return priority::critical;
    if (score_e4(score) >= score_e4(from.high)) return priority::high;
    return score_e4(score) >= score_e4(from.medium) ? priority::medium : priority::low;
}

/// Which detector decides. A gap of 0.3 or more is `divergence` whatever the thresholds; then only one alarmed is
/// `*_only`; both alarmed and less than 0.15 apart is `consensus`; otherwise the larger one's `*_priority`, the fast
/// one's on a tie, as it is listed first in every set of detectors.
[[nodiscard]] constexpr decision_source source_of(float fast, float ml, float fast_threshold,
                                                  float ml_threshold) noexcept {
    if (is_divergent(fast, ml)) return decision_source::divergence;
    const bool fast_alarmed = score_e4(fast) >= score_e4(fast_threshold);
    const bool ml_alarmed = score_e4(ml) >= score_e4(ml_threshold);
    if (fast_alarmed != ml_alarmed) return fast_alarmed ? decision_source::fast_only : decision_source::ml_only;
    if (fast_alarmed && score_e4(divergence_of(fast, ml)) < score_e4(consensus_gap)) return decision_source::consensus;
    return score_e4(ml) > score_e4(fast) ? decision_source::ml_priority : decision_source::fast_priority;
}

/// Why the detectors disagree, one of four static sentences; "" below a gap of 0.3.
[[nodiscard]] constexpr std::string_view divergence_reason(float fast, float ml, float fast_threshold,
                                                           float ml_threshold) noexcept {
    if (!is_divergent(fast, ml)) return "";
    const bool fast_alarmed = score_e4(fast) >= score_e4(fast_threshold);
    const bool ml_alarmed = score_e4(ml) >= score_e4(ml_threshold);
    if (fast_alarmed && ml_alarmed) return "both alarmed, but one is far surer than the other";
    if (fast_alarmed) return "a rule threshold was crossed, but the flow looks ordinary to the model";
    if (ml_alarmed) return "the flow looks like an attack to the model, but no rule threshold was crossed";
    return "neither is alarmed, but one is far nearer to its threshold";
}

}  // namespace v0
}  // namespace mldefender
