// SPDX-License-Identifier: MIT
// What the windows should hear of a packet or of a flow's end: turns changes of one flow into observations. Most
// packets say nothing new and produce none.
// Called by the pipeline right after the flow table; `Out` receives each observation by value.
#pragma once

#include <cstdint>
#include <utility>

#include <mldefender/core/flow_table.hpp>
#include <mldefender/core/window.hpp>

namespace mldefender {
inline namespace v0 {

namespace detail {

[[nodiscard]] constexpr observation observe(const flow& f, observation_kind kind, std::int64_t now_ns) noexcept {
    observation o;
    o.timestamp_ns = now_ns;
    o.tuple = f.tuple;
    o.kind = kind;
    o.midstream = f.midstream;
    return o;
}

/// Adds what has been sent since the last report, and remembers that it was reported.
constexpr void fill_traffic(observation& o, flow& f) noexcept {
    flow_decision& d = f.decision;
    o.forward_packets = f.forward.packets() - d.reported_forward;
    o.backward_packets = f.backward.packets() - d.reported_backward;
    o.forward_bytes = static_cast<float>(f.forward.lengths.sum) - d.reported_bytes_forward;
    o.backward_bytes = static_cast<float>(f.backward.lengths.sum) - d.reported_bytes_backward;
    d.reported_forward = f.forward.packets();
    d.reported_backward = f.backward.packets();
    d.reported_bytes_forward = static_cast<float>(f.forward.lengths.sum);
    d.reported_bytes_backward = static_cast<float>(f.backward.lengths.sum);
}

// A flow opens nothing when TCP starts without SYN and carries nothing, or when a datagram is empty.
[[nodiscard]] constexpr bool is_bare_probe(const flow& f, const packet& p) noexcept {
    if (f.tuple.protocol == ip_protocol::tcp) {
        return (p.tcp_flags & (tcp_flag::syn | tcp_flag::rst)) == 0 && p.payload_len == 0;
    }
    return f.tuple.protocol == ip_protocol::udp && p.payload_len == 0;
}

template <class Out>
constexpr void observe_news(const flow& f, const app_news& news, std::int64_t now_ns, Out&& out) noexcept {
    if (news.lookup) {
        observation o = observe(f, observation_kind::lookup, now_ns);
        o.name_entropy = news.name_entropy;
        o.name_length = news.name_length;
        o.name_hash = news.name_hash;
        out(o);
    }
    if (news.lookup_failed) out(observe(f, observation_kind::lookup_failed, now_ns));
    for (std::uint8_t i = 0; i < news.attempts; ++i) out(observe(f, observation_kind::credentials, now_ns));
    for (std::uint8_t i = 0; i < news.failures; ++i) out(observe(f, observation_kind::rejected, now_ns));
    for (std::uint8_t i = 0; i < news.file_changes; ++i) out(observe(f, observation_kind::file_change, now_ns));
    if (news.weak_ticket) out(observe(f, observation_kind::weak_ticket, now_ns));
    if (news.weak_login) out(observe(f, observation_kind::weak_login, now_ns));
    if (news.listing) out(observe(f, observation_kind::listing, now_ns));
    if (news.oddities != 0) {
        observation o = observe(f, observation_kind::odd, now_ns);
        o.oddities = news.oddities;
        out(o);
    }
}

constexpr void observe_progress(const flow& f, const flow_update& u, std::int64_t now_ns, auto&& out) noexcept {
    const bool tcp = f.tuple.protocol == ip_protocol::tcp;
    const bool first_answer = !u.forward && f.backward.packets() == 1;
    if (u.before == f.progress) {
        // A mid-stream connection is accepted by whatever comes back.
        if (tcp && first_answer && f.midstream && f.progress == flow_progress::opened)
            out(observe(f, observation_kind::accepted, now_ns));
        return;
    }
    switch (f.progress) {
        case flow_progress::accepted: out(observe(f, observation_kind::accepted, now_ns)); break;
        case flow_progress::refused: out(observe(f, observation_kind::refused, now_ns)); break;
        case flow_progress::established:
            if (!tcp) out(observe(f, observation_kind::accepted, now_ns));
            out(observe(f, observation_kind::completed, now_ns));
            break;
        default: break;
    }
}

/// Little was said: at most 24 packets with payload and 8 KiB of payload, which a log-in and its refusal fit into.
[[nodiscard]] constexpr bool is_short_lived(const flow& f) noexcept {
    return f.forward.payload_packets + f.backward.payload_packets <= 24 &&
           f.forward.payload_bytes + f.backward.payload_bytes <= 8192;
}

/// A TCP connection was set up, seen from its beginning, and ended by the responder without a byte of payload. Who
/// only tests whether a service is there hangs up first.
[[nodiscard]] constexpr bool is_mute(const flow& f) noexcept {
    return f.tuple.protocol == ip_protocol::tcp && !f.midstream && f.responder_left && f.backward.syn > 0 &&
           f.progress != flow_progress::refused && f.forward.payload_bytes + f.backward.payload_bytes == 0;
}

}  // namespace detail

/// Reports the end of `f` at `now_ns`: once; what is sent after that is reported as traffic.
template <class Out>
constexpr void observe_end(flow& f, std::int64_t now_ns, Out&& out) noexcept {
    const bool told = std::exchange(f.decision.end_told, true);
    const bool nothing_new = f.packets() == std::uint64_t{f.decision.reported_forward} + f.decision.reported_backward;
    if (told && nothing_new) return;
    observation o = detail::observe(f, told ? observation_kind::traffic : observation_kind::ended, now_ns);
    o.short_lived = detail::is_short_lived(f);
    o.silent = !f.answered();
    o.mute = detail::is_mute(f);
    detail::fill_traffic(o, f);
    out(o);
}

/// Reports a flow that has fallen silent. For one that has no end of its own, or got no answer, that is the end: the
/// windows must know while it matters, not when the flow times out. An open connection merely rests.
template <class Out>
constexpr void observe_quiet(flow& f, std::int64_t now_ns, Out&& out) noexcept {
    if (f.tuple.protocol != ip_protocol::tcp || !f.answered()) observe_end(f, now_ns, out);
}

/// Reports what packet `p` changed in `f`.
template <class Out>
constexpr void observe_packet(flow& f, const packet& p, const flow_update& u, const app_news& news,
                              bool responder_external, Out&& out) noexcept {
    const auto place_and_send = [&](observation o) {
        o.responder_external = responder_external;
        out(o);
    };
    if (u.begun) {
        observation o = detail::observe(f, observation_kind::contact, p.timestamp_ns);
        o.bare_probe = detail::is_bare_probe(f, p);
        detail::fill_traffic(o, f);
        place_and_send(o);
    } else {
        detail::observe_progress(f, u, p.timestamp_ns, place_and_send);
        if (f.packets() >= f.decision.next_report) {
            f.decision.next_report += f.decision.next_report < 64 ? f.decision.next_report : 64;
            observation o = detail::observe(f, observation_kind::traffic, p.timestamp_ns);
            detail::fill_traffic(o, f);
            place_and_send(o);
        }
    }
    const bool over = f.progress == flow_progress::closed || f.progress == flow_progress::refused;
    if (over && !f.decision.end_told) observe_end(f, p.timestamp_ns, place_and_send);
    if (news.any()) detail::observe_news(f, news, p.timestamp_ns, place_and_send);
}

}  // namespace v0
}  // namespace mldefender
