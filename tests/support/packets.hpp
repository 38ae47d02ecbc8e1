// SPDX-License-Identifier: MIT
// Decoded packets for tests of everything behind the parser: one call per packet, with lengths as a parser would give
// them (20 bytes of IPv4 header, 20 of TCP, 8 of UDP or ICMP). Usable while compiling.
#pragma once

#include <cstdint>

#include <mldefender/core/flow_table.hpp>
#include <mldefender/core/packet.hpp>

namespace mldefender::test {

inline constexpr std::int64_t ms = 1'000'000, second = 1'000'000'000, minute = 60 * second;

inline constexpr address client = address::v4(10, 0, 0, 5), server = address::v4(198, 51, 100, 7);

/// From `client` to `server`.
[[nodiscard]] constexpr five_tuple tuple_of(ip_protocol protocol, std::uint16_t from_port, std::uint16_t to_port,
                                            const address& from = client, const address& to = server) {
    return {from, to, from_port, to_port, protocol};
}

[[nodiscard]] constexpr packet packet_of(const five_tuple& t, std::int64_t at_ns, std::uint32_t payload = 0) {
    packet p;
    p.timestamp_ns = at_ns;
    p.tuple = t;
    p.header_len = t.protocol == ip_protocol::tcp ? 40 : 28;
    p.payload_len = payload;
    p.ip_len = p.header_len + payload;
    p.wire_len = p.ip_len + 14;
    p.ttl = 64;
    return p;
}

/// A segment without check of its sequence; `seq` matters only to retransmissions.
[[nodiscard]] constexpr packet segment(const five_tuple& t, std::int64_t at_ns, std::uint8_t flags,
                                       std::uint32_t payload = 0, std::uint32_t seq = 1000) {
    packet p = packet_of(t, at_ns, payload);
    p.tcp_flags = flags;
    p.tcp_seq = seq;
    p.tcp_window = 64240;
    return p;
}

/// One flow fed packet by packet, without table: the direction follows from the tuple.
struct single_flow {
    flow f;

    constexpr single_flow& operator<<(const packet& p) {
        if (f.packets() == 0) begin(f, p, flow_id_of(p.tuple, p.timestamp_ns));
        add(f, p, p.tuple == f.tuple);
        return *this;
    }
};

}  // namespace mldefender::test
