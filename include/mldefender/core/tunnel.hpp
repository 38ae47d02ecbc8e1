// SPDX-License-Identifier: MIT
// Tunnels that can be opened: GRE (RFC 2784, 2890; PPTP's version 1, RFC 2637; mirrored ERSPAN), VXLAN (RFC 7348) and
// IP in IP. Each function finds the inner datagram or says why not; nothing is opened that the caller did not ask for.
// Called by parse.hpp, and only with `parse_options::decapsulate`.
#pragma once

#include <cstddef>
#include <cstdint>

#include <mldefender/core/bytes.hpp>
#include <mldefender/core/link.hpp>
#include <mldefender/core/result.hpp>

namespace mldefender {
inline namespace v0 {

/// IP protocol numbers of tunnels and of headers between IP and transport (IANA).
namespace ip_next {
inline constexpr std::uint8_t hop_by_hop = 0;            ///< IPv6 hop-by-hop options
inline constexpr std::uint8_t ipip = 4;                  ///< IPv4 in IP
inline constexpr std::uint8_t ipv6 = 41;                 ///< IPv6 in IP
inline constexpr std::uint8_t routing = 43;              ///< IPv6 routing header
inline constexpr std::uint8_t fragment = 44;             ///< IPv6 fragment header
inline constexpr std::uint8_t gre = 47;                  ///< GRE
inline constexpr std::uint8_t esp = 50;                  ///< encrypted payload of IPsec: ends the walk
inline constexpr std::uint8_t ah = 51;                   ///< authentication header of IPsec
inline constexpr std::uint8_t none = 59;                 ///< nothing follows
inline constexpr std::uint8_t destination_options = 60;  ///< IPv6 destination options
inline constexpr std::uint8_t mobility = 135;            ///< IPv6 mobility header
inline constexpr std::uint8_t hip = 139;                 ///< Host Identity Protocol
inline constexpr std::uint8_t shim6 = 140;               ///< Shim6
}  // namespace ip_next

/// UDP port of VXLAN (RFC 7348).
inline constexpr std::uint16_t vxlan_port = 4789;

namespace detail {

/// ERSPAN: type I has no header and no sequence number, type II an 8-byte header; both carry Ethernet.
constexpr errc open_erspan(bytes rest, bool sequenced, link_view& out) noexcept {
    const std::size_t header = sequenced ? 8 : 0;
    return rest.size() < header ? errc::truncated : strip_ethernet(rest.subspan(header), out);
}

}  // namespace detail

/// Opens a GRE packet. Routing (RFC 1701) is refused as every current stack does.
constexpr errc open_gre(bytes segment, link_view& out) noexcept {
    if (segment.size() < 4) return errc::truncated;
    const std::uint16_t flags = load_be16(segment.data());
    const std::uint16_t type = load_be16(segment.data() + 2);
    const unsigned gre_version = flags & 7U;
    const bool checksum = (flags & 0x8000) != 0;
    const bool key = (flags & 0x2000) != 0;
    const bool sequence = (flags & 0x1000) != 0;
    const bool acknowledgement = gre_version == 1 && (flags & 0x0080) != 0;
    if (gre_version > 1) return errc::bad_version;
    if ((flags & 0x4000) != 0) return errc::bad_value;
    const std::size_t header =
        4 + 4 * (std::size_t{checksum} + std::size_t{key} + std::size_t{sequence} + std::size_t{acknowledgement});
    if (segment.size() < header) return errc::truncated;
    const bytes inside = segment.subspan(header);
    if (gre_version == 1 && !sequence) return errc::not_ip;  // PPTP: a bare acknowledgement
    switch (type) {
        case ether_type::teb: return strip_ethernet(inside, out);
        case ether_type::ppp: return detail::strip_ppp(inside, out);
        case ether_type::erspan: return detail::open_erspan(inside, sequence, out);
        default: return strip_ether_type(type, inside, out);
    }
}

/// Opens the payload of a UDP packet to port 4789. Only a set I flag marks VXLAN; anything else that uses the
/// port is `errc::not_ip`, and the caller keeps the UDP packet.
constexpr errc open_vxlan(bytes udp_payload, link_view& out) noexcept {
    if (udp_payload.size() < 8) return errc::truncated;
    if ((udp_payload[0] & 0x08) == 0) return errc::not_ip;
    return strip_ethernet(udp_payload.subspan(8), out);
}

}  // namespace v0
}  // namespace mldefender
