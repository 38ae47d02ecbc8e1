// SPDX-License-Identifier: MIT
// What a behaviour is: a type with a name, a label, a sentence, a weight and `emit`, which plays it once on a stage.
// The registry (scenario.hpp) is a table of these. It refuses nothing at run time; the concept refuses at compile time.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <mldefender/core/attack.hpp>
#include <mldefender/forge/synth/dialogue.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {

/// When in the day a behaviour is seen. People work, go home and sleep; machines never do; backups wait for the night.
enum class busy_hours : std::uint8_t { always, office, evening, night };

/// "always", "office", "evening" or "night".
[[nodiscard]] constexpr std::string_view name_of(busy_hours h) noexcept {
    constexpr std::array<std::string_view, 4> names{"always", "office", "evening", "night"};
    return names[static_cast<std::size_t>(h)];
}

/// How often it is seen at that hour (0..23), compared with its best, in percent.
[[nodiscard]] constexpr int share_at(busy_hours h, int hour) noexcept {
    switch (h) {
        case busy_hours::office: return hour >= 8 && hour < 18 ? 100 : hour >= 6 && hour < 21 ? 35 : 8;
        case busy_hours::evening: return hour >= 17 && hour < 23 ? 100 : hour >= 9 && hour < 17 ? 45 : 15;
        case busy_hours::night: return hour >= 22 || hour < 6 ? 100 : 25;
        default: return 100;
    }
}

/// A composable piece of traffic. `weight` is how often scenarios choose it compared with others of its kind; one that
/// has `hours` is chosen by time of day too.
template <class B>
concept behaviour = requires(stage& s) {
    { B::name } -> std::convertible_to<std::string_view>;
    { B::about } -> std::convertible_to<std::string_view>;
    { B::label } -> std::convertible_to<attack_class>;
    { B::weight } -> std::convertible_to<int>;
    { B::emit(s) } -> std::same_as<void>;
};

/// One row of the table of behaviours.
struct behaviour_info {
    std::string_view name;                    ///< as scenario_options::only and labels spell it
    attack_class label = attack_class::none;  ///< class of its frames; `none` for ordinary traffic
    int weight = 10;                          ///< how often it is chosen, relative to others of its kind
    std::string_view about;                   ///< one sentence
    busy_hours hours = busy_hours::always;    ///< when in the day it is seen most
    /// Plays it once on a stage.
    void (*emit)(stage&) = nullptr;
};

/// The row of a behaviour type.
template <behaviour B>
[[nodiscard]] constexpr behaviour_info info_of() noexcept {
    busy_hours hours = busy_hours::always;
    if constexpr (requires { B::hours; }) hours = B::hours;
    return {B::name, B::label, B::weight, B::about, hours, &B::emit};
}

namespace detail {

/// Calls `once(when)` for a Poisson process of the given mean gap over the whole capture.
template <class F>
void now_and_then(stage& s, std::int64_t mean_gap_ns, F&& once) {
    std::int64_t when = s.out.begin_ns() - s.span_ns() / 10 + s.random.exponential(mean_gap_ns);
    while (s.goes_on(when)) {
        once(when);
        when += s.random.exponential(mean_gap_ns) + units::us;
    }
}
/// Calls `once(when)` at a steady period with the given jitter.
template <class F>
void regularly(stage& s, std::int64_t period_ns, int jitter_percent, F&& once) {
    std::int64_t when = s.out.begin_ns() - s.random.between(0, period_ns) + period_ns / 2;
    while (s.goes_on(when)) {
        once(when);
        when += s.random.around(period_ns, jitter_percent) + units::us;
    }
}

}  // namespace detail

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
