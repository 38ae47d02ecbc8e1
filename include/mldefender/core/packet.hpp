// SPDX-License-Identifier: MIT
// A packet before and after decoding: `raw_packet` is what a capture source yields, `packet` the decoded view the
// flow table reads. Neither owns bytes; both stay valid as long as the source's buffer does.
// Capture sources (pcap, xdp) produce raw packets, parse.hpp turns them into packets.
#pragma once

#include <cstdint>

#include <mldefender/core/address.hpp>
#include <mldefender/core/bytes.hpp>

namespace mldefender {
inline namespace v0 {

/// Link types that can be decoded; values are those of the pcap registry (tcpdump.org/linktypes.html).
enum class link_type : std::uint16_t {
    null = 0,               ///< BSD loopback: address family in the capturing machine's byte order
    ethernet = 1,           ///< Ethernet II or 802.3
    ppp = 9,                ///< without or with HDLC framing
    ppp_hdlc = 50,          ///< always with HDLC framing
    pppoe = 51,             ///< a PPPoE session packet
    raw = 101,              ///< IPv4 or IPv6, told apart by their version field
    loop = 108,             ///< OpenBSD loopback: address family big endian
    linux_cooked = 113,     ///< SLL, what the device "any" gives
    ipv4 = 228,             ///< IPv4 without link header
    ipv6 = 229,             ///< IPv6 without link header
    linux_cooked_v2 = 276,  ///< SLL2
};

/// Bytes as captured, before any decoding.
struct raw_packet {
    std::int64_t timestamp_ns = 0;         ///< since the Unix epoch, the capture's own clock
    bytes data;                            ///< from the link header on; may be shorter than on the wire
    std::uint32_t wire_len = 0;            ///< length of the frame on the wire, >= data.size() for honest captures
    link_type link = link_type::ethernet;  ///< what `data` begins with
};

/// TCP flag bits as on the wire.
namespace tcp_flag {
inline constexpr std::uint8_t fin = 0x01;  ///< the sender has no more to say
inline constexpr std::uint8_t syn = 0x02;  ///< opens a connection
inline constexpr std::uint8_t rst = 0x04;  ///< refuses or aborts one
inline constexpr std::uint8_t psh = 0x08;  ///< to be handed to the program at once
inline constexpr std::uint8_t ack = 0x10;  ///< the acknowledgement number counts
inline constexpr std::uint8_t urg = 0x20;  ///< the urgent pointer counts
inline constexpr std::uint8_t ece = 0x40;  ///< congestion was met on the way (RFC 3168)
inline constexpr std::uint8_t cwr = 0x80;  ///< and the sender has slowed down
}  // namespace tcp_flag

/// A decoded packet. Lengths come from the IP header, so a frame cut short by a snap length still counts in full.
struct packet {
    std::int64_t timestamp_ns = 0;  ///< since the Unix epoch, as captured
    five_tuple tuple;               ///< sender first; ports in host order
    bytes payload;                  ///< transport payload as captured (may be cut short)
    std::uint32_t wire_len = 0;     ///< frame length on the wire, link header included
    std::uint32_t ip_len = 0;       ///< IP datagram length on the wire, IP header included
    std::uint32_t payload_len = 0;  ///< transport payload length on the wire
    std::uint32_t tcp_seq = 0;      ///< sequence number, TCP only
    std::uint32_t tcp_ack = 0;      ///< acknowledgement number, TCP only
    std::uint16_t tcp_window = 0;   ///< as on the wire, not scaled
    std::uint16_t header_len = 0;   ///< IP and transport headers together
    std::uint16_t vlan = 0;         ///< outermost 802.1Q id, 0 when untagged
    std::uint8_t tcp_flags = 0;     ///< bits of `tcp_flag`, 0 unless TCP
    std::uint8_t ip_version = 4;    ///< 4 or 6
    std::uint8_t ttl = 0;           ///< TTL or hop limit
    std::uint8_t icmp_type = 0;     ///< ICMP and ICMPv6 only
    std::uint8_t icmp_code = 0;     ///< ICMP and ICMPv6 only
    std::uint8_t tunnel_depth = 0;  ///< encapsulations removed
    bool fragment = false;          ///< any fragment of a larger datagram
    bool later_fragment = false;    ///< a fragment without transport header: ports are 0 until resolved
    std::uint32_t fragment_id = 0;  ///< IP identification, for joining later fragments to the first
};

}  // namespace v0
}  // namespace mldefender
