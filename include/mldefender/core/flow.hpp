// SPDX-License-Identifier: MIT
// A flow: what both directions of one 5-tuple have done so far, in fixed memory. Updated packet by packet by the flow
// table, read by feature extraction. It keeps sums, never packets; mean and deviation come out of sums of squares.
// It refuses nothing: order, gaps and cut payloads are counted as they come.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include <mldefender/core/app/traffic.hpp>
#include <mldefender/core/attack.hpp>
#include <mldefender/core/math.hpp>
#include <mldefender/core/packet.hpp>

namespace mldefender {
inline namespace v0 {

/// Count, sum, sum of squares, least and largest of a series of non-negative numbers.
struct moments {
    double sum = 0;           ///< of the values
    double squares = 0;       ///< sum of the values' squares
    float least = 0;          ///< 0 while empty
    float largest = 0;        ///< 0 while empty
    std::uint32_t count = 0;  ///< how many values

    /// Counts one value of 0 or more.
    constexpr void add(double x) noexcept {
        const auto value = static_cast<float>(x);
        least = count == 0 ? value : std::min(least, value);
        largest = std::max(largest, value);
        sum += x;
        squares += x * x;
        ++count;
    }
    /// Arithmetic mean, 0 while empty.
    [[nodiscard]] constexpr double mean() const noexcept { return count == 0 ? 0 : sum / count; }
    /// Population standard deviation; 0 for fewer than two values.
    [[nodiscard]] constexpr double deviation() const noexcept {
        if (count < 2) return 0;
        const double variance = squares / count - mean() * mean();
        return square_root(std::max(0.0, variance));
    }
};

/// The sum of two series, as if they had been one.
[[nodiscard]] constexpr moments joined(const moments& a, const moments& b) noexcept {
    if (a.count == 0) return b;
    if (b.count == 0) return a;
    return {a.sum + b.sum, a.squares + b.squares, std::min(a.least, b.least), std::max(a.largest, b.largest),
            a.count + b.count};
}

/// How many payload bytes of each direction are kept for artifacts.
inline constexpr std::size_t first_bytes_kept = 32;

/// One direction of a flow.
struct flow_side {
    moments lengths;                    ///< IP datagram lengths, bytes
    moments gaps;                       ///< inter-arrival times, microseconds
    std::int64_t first_ns = 0;          ///< first packet of this direction, since the Unix epoch; 0 while there is none
    std::int64_t last_ns = 0;           ///< last packet of this direction
    std::uint64_t payload_bytes = 0;    ///< transport payload on the wire
    std::uint32_t payload_packets = 0;  ///< packets with payload
    std::uint32_t header_bytes = 0;     ///< IP and transport headers
    std::uint32_t psh = 0;              ///< segments with PSH
    std::uint32_t ack = 0;              ///< segments with ACK
    std::uint16_t syn = 0;              ///< segments with SYN
    std::uint16_t fin = 0;              ///< segments with FIN
    std::uint16_t rst = 0;              ///< segments with RST
    std::uint16_t urg = 0;              ///< segments with URG
    std::uint32_t next_seq = 0;         ///< sequence number expected next
    std::uint16_t retransmissions = 0;  ///< segments that began before `next_seq`
    std::uint16_t first_window = 0;     ///< TCP window of the first segment
    std::uint8_t first_ttl = 0;         ///< TTL or hop limit of the first packet
    std::uint8_t tcp_flags = 0;         ///< OR of all flags
    std::uint8_t first_bytes_count = 0;                        ///< how many of `first_bytes` are there
    std::array<std::uint8_t, first_bytes_kept> first_bytes{};  ///< the first payload bytes, for artifacts
    float entropy = 0;  ///< bits per byte of the first payload, at most 256 bytes of it

    /// Packets of this direction.
    [[nodiscard]] constexpr std::uint32_t packets() const noexcept { return lengths.count; }
    /// IP bytes of this direction.
    [[nodiscard]] constexpr std::uint64_t bytes() const noexcept { return static_cast<std::uint64_t>(lengths.sum); }
};

/// Where a TCP connection stands; other protocols use `opened` and `established` (answered) only.
enum class flow_progress : std::uint8_t {
    opened,       ///< the initiator spoke, nobody answered
    accepted,     ///< SYN-ACK seen
    refused,      ///< RST, or ICMP unreachable, before anything was accepted
    established,  ///< handshake complete, or data both ways
    closing,      ///< one FIN seen
    closed,       ///< both FINs, or RST after data
};

/// Why a flow was taken out of the table.
enum class flow_end : std::uint8_t { open, idle, active, finished, evicted, flushed };

/// Bookkeeping the pipeline keeps with a flow: when to decide next, the worst decision so far, what the windows know.
struct flow_decision {
    std::int64_t last_ns = 0;                  ///< time of the last decision, 0 before the first
    std::uint64_t judged_packets = 0;          ///< packets the last decision saw
    std::uint32_t next_packets = 4;            ///< decide when this many packets have been seen
    std::uint32_t next_report = 4;             ///< tell the windows about traffic at this many packets
    std::uint32_t reported_forward = 0;        ///< packets the windows know of
    std::uint32_t reported_backward = 0;       ///< the same towards the initiator
    float reported_bytes_forward = 0;          ///< bytes the windows know of
    float reported_bytes_backward = 0;         ///< the same towards the initiator
    float score = 0;                           ///< the highest threat so far
    float fast_score = 0;                      ///< the detectors' scores in that decision
    float ml_score = 0;                        ///< the forests' share of it
    float raw_score = 0;                       ///< the forest's own score behind `ml_score`
    attack_class attack = attack_class::none;  ///< class of that decision
    attack_class label = attack_class::none;   ///< class the forests gave
    std::uint8_t model = 0;                    ///< which forest
    std::uint8_t level = 1;                    ///< what it needed: 1 flow features, 2 windows, 3 pair histories
    std::uint64_t rules = 0;                   ///< bit per rule that fired
    bool provisional = false;                  ///< decided on the first packet, by its hosts' windows alone
    bool end_told = false;                     ///< the windows know that it ended
    bool joined = false;                       ///< counted to a story by its looks
    std::uint32_t batch = 0;  ///< burst in which a decision was last asked for, so that it is asked once
};

/// Everything known about one flow. Forward is initiator to responder.
struct flow {
    five_tuple tuple;                                ///< initiator first: the sender of the first packet seen
    std::uint64_t id = 0;                            ///< a hash of tuple and start: the same in every run over a file
    std::int64_t first_ns = 0;                       ///< first packet, since the Unix epoch
    std::int64_t last_ns = 0;                        ///< last packet so far
    flow_side forward;                               ///< initiator to responder
    flow_side backward;                              ///< responder to initiator
    moments gaps;                                    ///< inter-arrival times over both directions, microseconds
    moments active;                                  ///< lengths of bursts without a pause of 5 s, seconds
    moments idle;                                    ///< those pauses, seconds
    std::int64_t burst_ns = 0;                       ///< start of the burst now running
    app_traffic app;                                 ///< what its payloads told
    flow_decision decision;                          ///< what was decided about it
    std::uint16_t interface_index = 0;               ///< where it was seen, position on the command line
    flow_progress progress = flow_progress::opened;  ///< how far the connection came
    flow_end end = flow_end::open;                   ///< why it left the table, `open` while it is there
    std::uint8_t ip_version = 4;                     ///< 4 or 6
    std::uint8_t icmp_type = 0;                      ///< of the first packet
    std::uint8_t icmp_code = 0;                      ///< of the first packet
    bool midstream = false;                          ///< TCP whose beginning was not seen
    bool responder_left = false;                     ///< the responder was the first to end the TCP connection

    /// Packets of both directions.
    [[nodiscard]] constexpr std::uint64_t packets() const noexcept {
        return std::uint64_t{forward.packets()} + backward.packets();
    }
    /// First to last packet, seconds.
    [[nodiscard]] constexpr double duration_s() const noexcept {
        return static_cast<double>(last_ns - first_ns) * 1e-9;
    }
    /// True when the responder has sent anything.
    [[nodiscard]] constexpr bool answered() const noexcept { return backward.packets() > 0; }
};

/// Shannon entropy in bits per byte of at most the first 256 bytes, 0..8.
[[nodiscard]] constexpr float byte_entropy(bytes data) noexcept {
    if (data.size() > 256) data = data.first(256);
    if (data.empty()) return 0;
    std::array<std::uint16_t, 256> histogram{};
    for (const std::uint8_t byte : data) ++histogram[byte];
    // H = log2(n) - (1/n) sum c log2(c); c log2(c) comes from a table as c is at most 256.
    constexpr auto table = [] {
        std::array<float, 257> t{};
        for (std::size_t c = 1; c < t.size(); ++c)
            t[c] = static_cast<float>(static_cast<double>(c) * log2_of(static_cast<double>(c)));
        return t;
    }();
    float sum = 0;
    for (const std::uint8_t byte : data) {
        sum += table[histogram[byte]];
        histogram[byte] = 0;
    }
    const auto n = static_cast<float>(data.size());
    return std::max(0.0F, (table[data.size()] - sum) / n);
}

namespace detail {

/// Gaps longer than this end a burst (CICFlowMeter's activity timeout).
inline constexpr std::int64_t burst_pause_ns = 5'000'000'000;

constexpr void count_flags(flow_side& side, const packet& p) noexcept {
    side.tcp_flags |= p.tcp_flags;
    side.syn = static_cast<std::uint16_t>(side.syn + ((p.tcp_flags & tcp_flag::syn) != 0));
    side.fin = static_cast<std::uint16_t>(side.fin + ((p.tcp_flags & tcp_flag::fin) != 0));
    side.rst = static_cast<std::uint16_t>(side.rst + ((p.tcp_flags & tcp_flag::rst) != 0));
    side.urg = static_cast<std::uint16_t>(side.urg + ((p.tcp_flags & tcp_flag::urg) != 0));
    side.psh += (p.tcp_flags & tcp_flag::psh) != 0;
    side.ack += (p.tcp_flags & tcp_flag::ack) != 0;
}

constexpr void follow_sequence(flow_side& side, const packet& p) noexcept {
    const std::uint32_t length = p.payload_len + ((p.tcp_flags & (tcp_flag::syn | tcp_flag::fin)) != 0);
    const auto behind = static_cast<std::int32_t>(p.tcp_seq - side.next_seq);
    if (side.packets() > 1 && length > 0 && behind < 0) {
        if (side.retransmissions < 0xffff) ++side.retransmissions;
    } else {
        side.next_seq = p.tcp_seq + length;
    }
}

constexpr void keep_first_bytes(flow_side& side, bytes payload) noexcept {
    side.entropy = byte_entropy(payload);
    side.first_bytes_count = static_cast<std::uint8_t>(std::min(payload.size(), first_bytes_kept));
    for (std::size_t i = 0; i < side.first_bytes_count; ++i) side.first_bytes[i] = payload[i];
}

constexpr void add_to_side(flow_side& side, const packet& p) noexcept {
    if (side.packets() == 0) {
        side.first_ns = p.timestamp_ns;
        side.first_window = p.tcp_window;
        side.first_ttl = p.ttl;
    } else {
        side.gaps.add(static_cast<double>(std::max<std::int64_t>(0, p.timestamp_ns - side.last_ns)) * 1e-3);
    }
    side.last_ns = p.timestamp_ns;
    side.lengths.add(p.ip_len);
    side.header_bytes += p.header_len;
    if (p.tuple.protocol == ip_protocol::tcp) {
        count_flags(side, p);
        follow_sequence(side, p);
    }
    if (p.payload_len == 0) return;
    if (side.payload_packets == 0) keep_first_bytes(side, p.payload);
    ++side.payload_packets;
    side.payload_bytes += p.payload_len;
}

[[nodiscard]] constexpr flow_progress next_progress(const flow& f, const packet& p, bool forward) noexcept {
    if (p.tuple.protocol != ip_protocol::tcp) {
        return f.answered() ? flow_progress::established : f.progress;
    }
    if ((p.tcp_flags & tcp_flag::rst) != 0) {
        const bool nothing_accepted = f.progress == flow_progress::opened && f.forward.payload_bytes == 0;
        return nothing_accepted && !forward ? flow_progress::refused : flow_progress::closed;
    }
    if (f.forward.fin > 0 && f.backward.fin > 0) return flow_progress::closed;
    if (f.forward.fin > 0 || f.backward.fin > 0) return flow_progress::closing;
    if (f.progress >= flow_progress::established) return f.progress;
    if (!forward && (p.tcp_flags & (tcp_flag::syn | tcp_flag::ack)) == (tcp_flag::syn | tcp_flag::ack)) {
        return flow_progress::accepted;
    }
    if (f.progress == flow_progress::accepted && forward && (p.tcp_flags & tcp_flag::ack) != 0) {
        return flow_progress::established;
    }
    const bool data_both_ways = f.forward.payload_bytes > 0 && f.backward.payload_bytes > 0;
    return data_both_ways ? flow_progress::established : f.progress;
}

}  // namespace detail

/// Starts a flow with the tuple of its first packet; `add` must follow with that packet.
constexpr void begin(flow& f, const packet& p, std::uint64_t id) noexcept {
    f.tuple = p.tuple;
    f.id = id;
    f.first_ns = p.timestamp_ns;
    f.last_ns = p.timestamp_ns;
    f.burst_ns = p.timestamp_ns;
    f.ip_version = p.ip_version;
    f.icmp_type = p.icmp_type;
    f.icmp_code = p.icmp_code;
    f.midstream = p.tuple.protocol == ip_protocol::tcp && (p.tcp_flags & tcp_flag::syn) == 0;
}

/// Adds one packet; `forward` tells whether the initiator sent it.
constexpr void add(flow& f, const packet& p, bool forward) noexcept {
    if (f.packets() > 0) {
        const std::int64_t gap_ns = std::max<std::int64_t>(0, p.timestamp_ns - f.last_ns);
        f.gaps.add(static_cast<double>(gap_ns) * 1e-3);
        if (gap_ns > detail::burst_pause_ns) {
            f.active.add(static_cast<double>(f.last_ns - f.burst_ns) * 1e-9);
            f.idle.add(static_cast<double>(gap_ns) * 1e-9);
            f.burst_ns = p.timestamp_ns;
        }
    }
    detail::add_to_side(forward ? f.forward : f.backward, p);
    const flow_progress before = f.progress;
    f.progress = detail::next_progress(f, p, forward);
    if (before < flow_progress::closing && f.progress >= flow_progress::closing) f.responder_left = !forward;
    f.last_ns = std::max(f.last_ns, p.timestamp_ns);
}

}  // namespace v0
}  // namespace mldefender
