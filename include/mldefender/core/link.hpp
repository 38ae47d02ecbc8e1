// SPDX-License-Identifier: MIT
// From a frame to the IP datagram in it: link headers, VLAN tags, PPPoE, PPP, MPLS and LLC/SNAP. A frame that
// carries something else (ARP, LLDP, spanning tree) yields `errc::not_ip`, which is normal and counted apart; a frame
// too short for its own headers yields `errc::truncated`. Called by parse.hpp for frames and for tunnelled frames.
#pragma once

#include <cstddef>
#include <cstdint>

#include <mldefender/core/bytes.hpp>
#include <mldefender/core/packet.hpp>
#include <mldefender/core/result.hpp>

namespace mldefender {
inline namespace v0 {

/// EtherType values that are followed or recognised (IEEE registry).
namespace ether_type {
inline constexpr std::uint16_t ipv4 = 0x0800;            ///< IPv4
inline constexpr std::uint16_t ipv6 = 0x86dd;            ///< IPv6
inline constexpr std::uint16_t vlan = 0x8100;            ///< 802.1Q customer tag
inline constexpr std::uint16_t qinq = 0x88a8;            ///< 802.1ad service tag
inline constexpr std::uint16_t qinq_old = 0x9100;        ///< service tag of older equipment
inline constexpr std::uint16_t mpls = 0x8847;            ///< MPLS
inline constexpr std::uint16_t mpls_multicast = 0x8848;  ///< MPLS with an upstream-assigned label
inline constexpr std::uint16_t pppoe_session = 0x8864;   ///< PPPoE, session stage
inline constexpr std::uint16_t teb = 0x6558;             ///< a whole Ethernet frame, in GRE
inline constexpr std::uint16_t ppp = 0x880b;             ///< PPP, in PPTP's GRE
inline constexpr std::uint16_t erspan = 0x88be;          ///< a mirrored Ethernet frame, in GRE
}  // namespace ether_type

/// What remains of a frame once its link headers are gone.
struct link_view {
    bytes datagram;          ///< from the IP header on, as captured; link padding may follow the datagram
    std::uint16_t vlan = 0;  ///< outermost 802.1Q id, 0 when untagged; left alone when already set
};

namespace detail {

inline constexpr int max_vlan_tags = 4;
inline constexpr int max_mpls_labels = 16;

/// Hands over `rest` when it starts with an IP header of a known version.
constexpr errc accept_ip(bytes rest, link_view& out) noexcept {
    if (rest.empty()) return errc::truncated;
    if (rest[0] >> 4 != 4 && rest[0] >> 4 != 6) return errc::bad_version;
    out.datagram = rest;
    return errc::ok;
}

/// Pops labels to the bottom of the stack. What follows is IP when its first nibble says so (RFC 4928);
/// otherwise a pseudowire or a control channel.
constexpr errc strip_mpls(bytes rest, link_view& out) noexcept {
    for (int labels = 0; labels < max_mpls_labels; ++labels) {
        if (rest.size() < 4) return errc::truncated;
        const bool bottom = (rest[2] & 1) != 0;
        rest = rest.subspan(4);
        if (bottom) return accept_ip(rest, out) == errc::bad_version ? errc::not_ip : accept_ip(rest, out);
    }
    return errc::too_deep;
}

/// PPP with or without the HDLC address and control bytes, protocol field of one or two bytes (RFC 1661, 1662);
/// Cisco HDLC, which shares the link type, has an EtherType instead.
constexpr errc strip_ppp(bytes rest, link_view& out) noexcept {
    if (rest.size() >= 4 && (rest[0] == 0x0f || rest[0] == 0x8f) && rest[1] == 0) {
        const std::uint16_t type = load_be16(rest.data() + 2);
        return type == ether_type::ipv4 || type == ether_type::ipv6 ? accept_ip(rest.subspan(4), out) : errc::not_ip;
    }
    if (rest.size() >= 2 && rest[0] == 0xff && rest[1] == 0x03) rest = rest.subspan(2);
    if (rest.empty()) return errc::truncated;
    unsigned protocol = rest[0];
    std::size_t used = 1;
    if ((protocol & 1) == 0) {
        if (rest.size() < 2) return errc::truncated;
        protocol = load_be16(rest.data());
        used = 2;
    }
    switch (protocol) {
        case 0x0021:
        case 0x0057: return accept_ip(rest.subspan(used), out);
        case 0x0281: return strip_mpls(rest.subspan(used), out);
        default: return errc::not_ip;
    }
}

/// A PPPoE session header (RFC 2516) and the PPP frame in it; discovery frames carry no IP.
constexpr errc strip_pppoe(bytes rest, link_view& out) noexcept {
    if (rest.size() < 6) return errc::truncated;
    if (rest[0] != 0x11) return errc::bad_version;
    if (rest[1] != 0) return errc::not_ip;
    return strip_ppp(rest.subspan(6), out);
}

/// LLC with a SNAP header for an Ethernet type (RFC 1042); every other LLC frame is not IP.
constexpr errc strip_llc(bytes rest, link_view& out) noexcept {
    if (rest.size() < 8) return errc::not_ip;
    if (rest[0] != 0xaa || rest[1] != 0xaa || rest[2] != 3 || (rest[3] | rest[4] | rest[5]) != 0) return errc::not_ip;
    const std::uint16_t type = load_be16(rest.data() + 6);
    return type == ether_type::ipv4 || type == ether_type::ipv6 ? accept_ip(rest.subspan(8), out) : errc::not_ip;
}

}  // namespace detail

/// Follows an EtherType to the IP datagram: VLAN tags (at most 4), MPLS, PPPoE. Values below 0x600 are lengths
/// of LLC frames.
constexpr errc strip_ether_type(std::uint16_t type, bytes rest, link_view& out) noexcept {
    for (int tags = 0; tags <= detail::max_vlan_tags; ++tags) {
        switch (type) {
            case ether_type::ipv4:
            case ether_type::ipv6: return detail::accept_ip(rest, out);
            case ether_type::vlan:
            case ether_type::qinq:
            case ether_type::qinq_old:
                if (rest.size() < 4) return errc::truncated;
                if (out.vlan == 0) out.vlan = static_cast<std::uint16_t>(load_be16(rest.data()) & 0x0fff);
                type = load_be16(rest.data() + 2);
                rest = rest.subspan(4);
                continue;
            case ether_type::mpls:
            case ether_type::mpls_multicast: return detail::strip_mpls(rest, out);
            case ether_type::pppoe_session: return detail::strip_pppoe(rest, out);
            default: return type < 0x600 ? detail::strip_llc(rest, out) : errc::not_ip;
        }
    }
    return errc::too_deep;
}

/// An Ethernet frame, from the destination address on.
constexpr errc strip_ethernet(bytes frame, link_view& out) noexcept {
    if (frame.size() < 14) return errc::truncated;
    return strip_ether_type(load_be16(frame.data() + 12), frame.subspan(14), out);
}

namespace detail {

/// BSD loopback: the address family as a 32-bit number, in the capturing host's byte order for link type null (so
/// whichever reading is small is meant), big endian for loop. Families: 2 is IPv4 everywhere; IPv6 is 10 on
/// Linux, 23 on Windows, 24, 28 and 30 on the BSDs and macOS.
constexpr errc strip_null(bytes frame, link_view& out) noexcept {
    if (frame.size() < 4) return errc::truncated;
    const std::uint32_t big = load_be32(frame.data());
    const std::uint32_t family = big > 0xffff ? load_le32(frame.data()) : big;
    switch (family) {
        case 2:
        case 10:
        case 23:
        case 24:
        case 28:
        case 30: return accept_ip(frame.subspan(4), out);
        default: return errc::not_ip;
    }
}

/// Linux cooked capture: `header` bytes, the protocol at `protocol_at`, the device type at `device_at`. Netlink
/// (824) and 802.11 (801 to 803) devices use the protocol field for something else.
constexpr errc strip_cooked(bytes frame, std::size_t header, std::size_t protocol_at, std::size_t device_at,
                            link_view& out) noexcept {
    if (frame.size() < header) return errc::truncated;
    const std::uint16_t device = load_be16(frame.data() + device_at);
    if (device == 824 || (device >= 801 && device <= 803)) return errc::not_ip;
    const std::uint16_t type = load_be16(frame.data() + protocol_at);
    if (type == 4) return strip_llc(frame.subspan(header), out);
    return type < 0x600 ? errc::not_ip : strip_ether_type(type, frame.subspan(header), out);
}

}  // namespace detail

/// Finds the IP datagram of a frame of any supported link type. On failure `out.datagram` is unspecified.
constexpr errc strip_link(bytes frame, link_type link, link_view& out) noexcept {
    switch (link) {
        case link_type::ethernet: return strip_ethernet(frame, out);
        case link_type::linux_cooked: return detail::strip_cooked(frame, 16, 14, 2, out);
        case link_type::linux_cooked_v2: return detail::strip_cooked(frame, 20, 0, 8, out);
        case link_type::raw:
        case link_type::ipv4:
        case link_type::ipv6: return detail::accept_ip(frame, out);
        case link_type::null:
        case link_type::loop: return detail::strip_null(frame, out);
        case link_type::ppp:
        case link_type::ppp_hdlc: return detail::strip_ppp(frame, out);
        case link_type::pppoe: return detail::strip_pppoe(frame, out);
    }
    return errc::unsupported_link;
}

}  // namespace v0
}  // namespace mldefender
