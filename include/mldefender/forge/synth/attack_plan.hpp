// SPDX-License-Identifier: MIT
// What attacks of every kind have in common: who strikes whom, at which port, how many times and in which rhythm. One
// behaviour says what a step is; how steps follow each other is said here, once. It refuses a host striking itself.
// Called by all attack_*.hpp and by tests that need an attack of a given pace.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include <mldefender/forge/synth/benign_web.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace detail::attack {

/// How the steps of an attack follow each other.
struct pace {
    std::int64_t gap_ns = units::second;  ///< mean time from one step to the next
    int jitter_percent = 15;              ///< of a steady pace; ignored when random
    bool random = false;                  ///< gaps of a Poisson process
    double burst_share = 0;               ///< steps after which it pauses forty times as long

    /// Steps about `gap_ns` apart, at most `jitter` percent off.
    [[nodiscard]] static constexpr pace steady(std::int64_t gap_ns, int jitter = 15) noexcept {
        return {gap_ns, jitter, false, 0};
    }
    /// Steps at random, `gap_ns` apart in the mean.
    [[nodiscard]] static constexpr pace poisson(std::int64_t gap_ns) noexcept { return {gap_ns, 0, true, 0}; }
    /// A pace of any kind whose gap is log-uniform between both.
    [[nodiscard]] static pace draw(rng& r, std::int64_t low_ns, std::int64_t high_ns) {
        const std::int64_t gap = r.log_between(low_ns, high_ns);
        return r.chance(0.5) ? poisson(gap) : steady(gap, r.pick_int(0, 60));
    }
    /// Time to the next step.
    [[nodiscard]] std::int64_t next(rng& r) const {
        if (burst_share > 0 && r.chance(burst_share)) return 40 * gap_ns;
        return std::max<std::int64_t>(1, random ? r.exponential(gap_ns) : r.around(gap_ns, jitter_percent));
    }
};

/// Steps that follow each other. Built in braces, whose order of drawing is fixed.
struct series {
    std::int64_t start_ns;  ///< of the first step
    std::int64_t times;     ///< how many, at most
    pace rhythm;            ///< from one to the next
};

/// Plays `once(when)` as often as the series says and as long as the capture lasts. A step that returns when it ended
/// is followed from there, one that returns nothing from where it began. Returns when the next step would have come.
template <class Step>
std::int64_t repeat(stage& s, const series& steps, Step&& once) {
    std::int64_t when = steps.start_ns;
    for (std::int64_t left = steps.times; left > 0 && s.goes_on(when); --left) {
        if constexpr (std::is_void_v<std::invoke_result_t<Step&, std::int64_t>>)
            once(when);
        else
            when = once(when);
        when += steps.rhythm.next(s.random);
    }
    return when;
}

/// Who strikes whom.
struct opponents {
    host* attacker = nullptr;  ///< who begins
    host* victim = nullptr;    ///< who is struck; another host

    /// From outside with the given probability, else from inside, at a local host: a server with `server_share`.
    [[nodiscard]] static opponents draw(stage& s, double outside_share, double server_share = 1.0) {
        rng& r = s.random;
        opponents o;
        o.victim = r.chance(server_share) ? &s.net.server(r) : &s.net.client(r);
        o.attacker = r.chance(outside_share) ? &s.net.new_outside(r) : &s.net.other_local(r, *o.victim);
        if (o.attacker == o.victim) o.attacker = &s.net.new_outside(r);
        return o;
    }
    /// One local host against another; none when there is but one.
    [[nodiscard]] static opponents inside(stage& s) {
        opponents o;
        o.attacker = &s.net.local(s.random);
        o.victim = &s.net.other_local(s.random, *o.attacker);
        if (o.attacker == o.victim) o.victim = nullptr;
        return o;
    }
    /// False when there is no victim.
    [[nodiscard]] explicit operator bool() const noexcept { return victim != nullptr; }
};

/// Any port from `low` up.
[[nodiscard]] inline std::uint16_t any_port(rng& r, int low = 1024) {
    return static_cast<std::uint16_t>(r.pick_int(low, 65535));
}
/// One of the usual ports, as often as `share` says, else any.
[[nodiscard]] inline std::uint16_t port_of(rng& r, std::span<const std::uint16_t> usual, double share = 1.0) {
    return r.chance(share) ? usual[r.below(usual.size())] : any_port(r);
}

/// A bare TCP packet, claimed for the label; false when its tuple is somebody else's.
inline bool shoot(stage& s, host& from, host& to, bool six, std::int64_t when, tcp_fields f, const body& b = {}) {
    if (!s.out.claim({from.at(six), to.at(six), f.source_port, f.destination_port, ip_protocol::tcp}, s.tag.label))
        return false;
    if (s.net.traits.view == visibility::server_only) return true;  // only answers are seen
    s.wire.tcp(s.tag, when, from, to, six, f, b);
    return true;
}
/// The answer of `from` to such a packet.
inline void answer(stage& s, host& from, host& to, bool six, std::int64_t when, const tcp_fields& asked,
                   std::uint8_t flags) {
    if (s.net.traits.view == visibility::client_only) return;
    static constexpr std::uint8_t mss_option[] = {2, 4, 5, 0xb4};
    tcp_fields f;
    f.source_port = asked.destination_port;
    f.destination_port = asked.source_port;
    f.seq = flags & tcp_flag::syn ? s.random.below(1ULL << 32) : 0;
    f.ack = asked.seq + 1;
    f.flags = flags;
    if (flags & tcp_flag::syn) {
        f.window = from.os->window;
        f.options = {mss_option, 4};
    }
    s.wire.tcp(s.tag, when + 2 * from.delay_ns + s.random.exponential(30 * units::us), from, to, six, f);
}

}  // namespace detail::attack
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
