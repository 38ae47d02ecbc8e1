// SPDX-License-Identifier: MIT
// From captured bytes to a decoded packet: link layer (link.hpp), IPv4 and IPv6 with extension headers, then TCP, UDP,
// ICMP, ICMPv6 or SCTP; tunnels (tunnel.hpp) when asked. Lengths come from the IP header, never from what was captured,
// so a snap length does not change what is counted and link padding never becomes payload. Malformed input is an
// `errc`. No allocation, no state, usable while compiling. Called once per packet by the pipeline and the forge.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <mldefender/core/address.hpp>
#include <mldefender/core/bytes.hpp>
#include <mldefender/core/link.hpp>
#include <mldefender/core/packet.hpp>
#include <mldefender/core/result.hpp>
#include <mldefender/core/tunnel.hpp>

namespace mldefender {
inline namespace v0 {

/// What the parser may do beyond reading the outermost IP header.
struct parse_options {
    bool decapsulate = false;    ///< open GRE, VXLAN and IP in IP, and report the innermost packet
    std::uint8_t max_depth = 4;  ///< most encapsulations opened before `errc::too_deep`
    bool any_protocol = false;   ///< take IP protocols without a reader too, as packets without ports
};

namespace detail {

/// IPv6 extension headers (and AH) followed before `errc::too_deep`; real chains have one or two.
inline constexpr int max_extension_headers = 8;

/// What an IP header leaves to the transport: the captured bytes and their count on the wire.
struct ip_payload {
    bytes captured;
    std::uint32_t wire_len = 0;
    std::uint8_t protocol = 0;
};

/// Moves past `count` header bytes which the caller has checked against both lengths.
constexpr void advance(ip_payload& p, std::size_t count) noexcept {
    p.captured = p.captured.subspan(count);
    p.wire_len -= static_cast<std::uint32_t>(count);
}

constexpr errc read_ipv4(bytes datagram, std::uint32_t wire_left, packet& out, ip_payload& upper) noexcept {
    if (datagram.size() < 20) return errc::truncated;
    const std::uint8_t* const h = datagram.data();
    const std::size_t header = std::size_t{h[0] & 0x0fU} * 4;
    std::uint32_t total = load_be16(h + 2);
    if (total == 0) total = wire_left;  // segmentation offload: the network card fills it in after the capture
    if (header < 20 || total < header) return errc::bad_header_length;
    if (datagram.size() < header) return errc::truncated;
    const std::uint16_t fragment = load_be16(h + 6);
    out.ip_version = 4;
    out.ip_len = total;
    out.ttl = h[8];
    out.tuple.source = address::v4(load_be32(h + 12));
    out.tuple.destination = address::v4(load_be32(h + 16));
    out.fragment = (fragment & 0x3fff) != 0;
    out.later_fragment = (fragment & 0x1fff) != 0;
    out.fragment_id = load_be16(h + 4);
    upper.captured = datagram.subspan(header, std::min<std::size_t>(datagram.size(), total) - header);
    upper.wire_len = total - static_cast<std::uint32_t>(header);
    upper.protocol = h[9];
    return errc::ok;
}

/// Follows headers that have the common "next header, length" start, the fragment header and AH. A later fragment
/// stops the walk: what follows is the middle of something.
constexpr errc skip_extensions(packet& out, ip_payload& upper) noexcept {
    for (int headers = 0;; ++headers) {
        std::size_t unit = 8;
        std::size_t extra = 1;
        switch (upper.protocol) {
            case ip_next::hop_by_hop:
            case ip_next::routing:
            case ip_next::destination_options:
            case ip_next::mobility:
            case ip_next::hip:
            case ip_next::shim6: break;
            case ip_next::ah:
                unit = 4;
                extra = 2;
                break;
            case ip_next::fragment: break;
            default: return errc::ok;
        }
        if (headers == max_extension_headers) return errc::too_deep;
        if (upper.captured.size() < 8) return errc::truncated;
        const std::uint8_t* const h = upper.captured.data();
        const bool is_fragment = upper.protocol == ip_next::fragment;
        const std::size_t length = is_fragment ? 8 : (h[1] + extra) * unit;
        if (length > upper.wire_len) return errc::bad_header_length;
        if (length > upper.captured.size()) return errc::truncated;
        upper.protocol = h[0];
        if (is_fragment) {
            const std::uint16_t field = load_be16(h + 2);
            out.fragment = (field & 0xfff9) != 0;  // an "atomic" fragment (RFC 6946) is none
            out.later_fragment = (field & 0xfff8) != 0;
            out.fragment_id = load_be32(h + 4);
        }
        advance(upper, length);
        if (out.later_fragment) return errc::ok;
    }
}

constexpr errc read_ipv6(bytes datagram, std::uint32_t wire_left, packet& out, ip_payload& upper) noexcept {
    if (datagram.size() < 40) return errc::truncated;
    const std::uint8_t* const h = datagram.data();
    std::uint32_t length = load_be16(h + 4);
    if (length == 0 && h[6] != ip_next::none && wire_left > 40) length = wire_left - 40;  // offload, jumbograms
    out.ip_version = 6;
    out.ip_len = 40 + length;
    out.ttl = h[7];
    out.tuple.source = address::v6(h + 8);
    out.tuple.destination = address::v6(h + 24);
    upper.captured = datagram.subspan(40, std::min<std::size_t>(datagram.size() - 40, length));
    upper.wire_len = length;
    upper.protocol = h[6];
    return skip_extensions(out, upper);
}

/// Splits a segment at its header's end. `header` may exceed what was captured, or, in a first fragment, what this
/// fragment holds.
constexpr void take_payload(const ip_payload& p, std::size_t header, packet& out) noexcept {
    const std::size_t captured = std::min(header, p.captured.size());
    const auto on_wire = static_cast<std::uint32_t>(std::min<std::size_t>(header, p.wire_len));
    out.payload = p.captured.subspan(captured);
    out.payload_len = p.wire_len - on_wire;
    out.header_len = static_cast<std::uint16_t>(out.ip_len - out.payload_len);
}

/// The header length a TCP header claims; its first 13 bytes are there.
constexpr std::size_t tcp_header_len(const std::uint8_t* header) noexcept {
    return static_cast<std::size_t>(header[12] >> 4) * 4;
}

/// A TCP header cut short by a snap length, or split by a fragment, after its ports: what is there is taken.
constexpr void read_short_tcp(const ip_payload& p, packet& out) noexcept {
    const std::uint8_t* const h = p.captured.data();
    if (p.captured.size() >= 8) out.tcp_seq = load_be32(h + 4);
    if (p.captured.size() >= 12) out.tcp_ack = load_be32(h + 8);
    if (p.captured.size() >= 14) out.tcp_flags = h[13];
    if (p.captured.size() >= 16) out.tcp_window = load_be16(h + 14);
    const std::size_t header = p.captured.size() >= 13 ? tcp_header_len(h) : 20;
    take_payload(p, std::max<std::size_t>(header, 20), out);
}

constexpr errc read_tcp(const ip_payload& p, packet& out) noexcept {
    const std::uint8_t* const h = p.captured.data();
    if (p.captured.size() < 20) {
        read_short_tcp(p, out);
        return errc::ok;
    }
    const std::size_t header = tcp_header_len(h);
    if (header < 20 || (header > p.wire_len && !out.fragment)) return errc::bad_header_length;
    out.tcp_seq = load_be32(h + 4);
    out.tcp_ack = load_be32(h + 8);
    out.tcp_flags = h[13];
    out.tcp_window = load_be16(h + 14);
    take_payload(p, header, out);
    return errc::ok;
}

constexpr errc read_udp(const ip_payload& p, packet& out) noexcept {
    take_payload(p, 8, out);
    if (p.captured.size() < 8 || out.fragment) return errc::ok;
    const std::uint32_t length = load_be16(p.captured.data() + 4);
    if (length == 0) return errc::ok;  // jumbograms and offload
    if (length < 8) return errc::bad_header_length;
    // A UDP length below IP's leaves a trailer that is not payload; one above it is a lie, and IP's counts.
    out.payload_len = std::min(out.payload_len, length - 8);
    out.payload = out.payload.first(std::min<std::size_t>(out.payload.size(), out.payload_len));
    return errc::ok;
}

/// The least a segment must have on the wire to be one of its protocol (RFC 9293, 768, 792, 4443, 9260).
constexpr std::uint32_t smallest_segment(ip_protocol protocol) noexcept {
    switch (protocol) {
        case ip_protocol::tcp: return 20;
        case ip_protocol::udp: return 8;
        case ip_protocol::icmp: return 4;
        case ip_protocol::icmpv6: return 4;
        case ip_protocol::sctp: return 12;
        default: return 0;
    }
}

constexpr errc read_transport(const ip_payload& p, packet& out) noexcept {
    switch (p.protocol) {
        case static_cast<std::uint8_t>(ip_protocol::tcp):
        case static_cast<std::uint8_t>(ip_protocol::udp):
        case static_cast<std::uint8_t>(ip_protocol::sctp): break;
        case static_cast<std::uint8_t>(ip_protocol::icmp):
            if (out.ip_version != 4) return errc::unsupported_proto;
            break;
        case static_cast<std::uint8_t>(ip_protocol::icmpv6):
            if (out.ip_version != 6) return errc::unsupported_proto;
            break;
        default: return errc::unsupported_proto;
    }
    out.tuple.protocol = static_cast<ip_protocol>(p.protocol);
    if (out.later_fragment) {
        take_payload(p, 0, out);
        return errc::ok;
    }
    if (p.wire_len < smallest_segment(out.tuple.protocol) && !out.fragment) return errc::truncated;
    const bool is_icmp = out.tuple.protocol == ip_protocol::icmp || out.tuple.protocol == ip_protocol::icmpv6;
    if (p.captured.size() < (is_icmp ? 2U : 4U)) return errc::truncated;
    if (is_icmp) {
        out.icmp_type = p.captured[0];
        out.icmp_code = p.captured[1];
        take_payload(p, 8, out);
        return errc::ok;
    }
    out.tuple.source_port = load_be16(p.captured.data());
    out.tuple.destination_port = load_be16(p.captured.data() + 2);
    if (out.tuple.protocol == ip_protocol::tcp) return read_tcp(p, out);
    if (out.tuple.protocol == ip_protocol::udp) return read_udp(p, out);
    take_payload(p, 12, out);
    return errc::ok;
}

/// `read_transport`, then for what it does not read the packet as far as IP tells it, when asked for.
constexpr errc read_upper(const ip_payload& p, const parse_options& options, packet& out) noexcept {
    const errc e = read_transport(p, out);
    if (e != errc::unsupported_proto || !options.any_protocol) return e;
    out.tuple.protocol = static_cast<ip_protocol>(p.protocol);
    take_payload(p, 0, out);
    return errc::ok;
}

/// One IP header and what it carries. `datagram` is as captured, `wire_left` its length on the wire with padding.
constexpr errc read_datagram(bytes datagram, std::uint32_t wire_left, packet& out, ip_payload& upper) noexcept {
    if (datagram[0] >> 4 == 6) return read_ipv6(datagram, wire_left, out, upper);
    const errc e = read_ipv4(datagram, wire_left, out, upper);
    if (e != errc::ok || upper.protocol != ip_next::ah || out.later_fragment) return e;
    return skip_extensions(out, upper);
}

/// Opens what `upper` carries if it is a tunnel; `errc::not_found` when it is none.
constexpr errc open_tunnel(const ip_payload& upper, const packet& p, link_view& inner) noexcept {
    if (p.fragment) return errc::not_found;  // only a reassembled datagram could be opened
    switch (upper.protocol) {
        case ip_next::ipip:
        case ip_next::ipv6: return accept_ip(upper.captured, inner);
        case ip_next::gre: return open_gre(upper.captured, inner);
        case static_cast<std::uint8_t>(ip_protocol::udp):
            if (upper.captured.size() < 8 || load_be16(upper.captured.data() + 2) != vxlan_port) return errc::not_found;
            return open_vxlan(upper.captured.subspan(8), inner);
        default: return errc::not_found;
    }
}

/// `parse_into` for frames that may hold tunnels, from the outermost datagram on. When the inside of VXLAN does not
/// decode, the UDP packet around it is the result: the port alone proves nothing, and nobody shall hide by looking
/// like a broken tunnel.
constexpr errc parse_nested(link_view at, std::uint32_t wire_left, const parse_options& options, packet& out) noexcept {
    packet around;
    bool have_around = false;
    errc failure = errc::ok;
    for (std::uint8_t depth = 0; failure == errc::ok; ++depth) {
        packet level;
        level.timestamp_ns = out.timestamp_ns;
        level.wire_len = out.wire_len;
        level.vlan = at.vlan;
        level.tunnel_depth = depth;
        ip_payload upper;
        failure = read_datagram(at.datagram, wire_left, level, upper);
        if (failure != errc::ok) break;
        const errc transport = read_upper(upper, options, level);
        failure = open_tunnel(upper, level, at);
        if (failure == errc::not_found) {
            failure = transport;
            if (failure == errc::ok) return out = level, failure;
            break;
        }
        if (transport == errc::ok) {
            around = level;
            have_around = true;
        }
        if (failure == errc::ok && depth >= options.max_depth) failure = errc::too_deep;
        if (failure != errc::ok) break;
        // The inner datagram ends where the outer one's payload does.
        const auto skipped = static_cast<std::uint32_t>(at.datagram.data() - upper.captured.data());
        wire_left = upper.wire_len - skipped;
    }
    if (have_around) return out = around, errc::ok;
    return failure;
}

}  // namespace detail

/// Decodes one packet into `out`, which is overwritten; on failure its content is unspecified. The same as `parse`
/// without the copy of the result, for loops over bursts. Codes: `truncated` (captured or sent too short),
/// `bad_version`, `bad_header_length`, `bad_value` (a field contradicts its format), `unsupported_link`, `not_ip`,
/// `unsupported_proto` (also GRE and IP in IP without `decapsulate`, ESP, no next header; never with `any_protocol`),
/// `too_deep`.
/// `out.payload` points into `raw.data`. Reentrant; touches nothing but its arguments.
[[nodiscard]] constexpr errc parse_into(const raw_packet& raw, const parse_options& options, packet& out) noexcept {
    link_view at;
    const errc link = strip_link(raw.data, raw.link, at);
    if (link != errc::ok) return link;
    const auto captured = static_cast<std::uint32_t>(raw.data.size());
    out = packet{};
    out.timestamp_ns = raw.timestamp_ns;
    out.wire_len = std::max(raw.wire_len, captured);
    out.vlan = at.vlan;
    const std::uint32_t wire_left = out.wire_len - captured + static_cast<std::uint32_t>(at.datagram.size());
    if (options.decapsulate) return detail::parse_nested(at, wire_left, options, out);
    detail::ip_payload upper;
    const errc network = detail::read_datagram(at.datagram, wire_left, out, upper);
    return network == errc::ok ? detail::read_upper(upper, options, out) : network;
}

/// Decodes one packet. See `parse_into` for the codes; ICMP tuples have ports 0, type and code are in the packet; later
/// fragments have ports 0 and `later_fragment` until `fragment_table` gives them those of the first.
[[nodiscard]] constexpr result<packet> parse(const raw_packet& raw, const parse_options& options = {}) noexcept {
    packet out;
    const errc e = parse_into(raw, options, out);
    if (e != errc::ok) return e;
    return out;
}

}  // namespace v0
}  // namespace mldefender
