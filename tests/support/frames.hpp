// SPDX-License-Identifier: MIT
// Tiny frame builders for tests: each layer wraps the one inside it and fills in lengths and check sums, all usable
// while compiling. Not for the product: frames hold at most 2 KiB and nothing is validated, since tests also
// need wrong headers. `test::tcp_frame(...)` and friends cover the common case in one call.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <mldefender/core/address.hpp>
#include <mldefender/core/bytes.hpp>
#include <mldefender/core/packet.hpp>

namespace mldefender::test {

/// Bytes of a frame or of a layer, owned.
struct frame {
    std::array<std::uint8_t, 2048> data{};
    std::size_t size = 0;

    constexpr frame& u8(unsigned value) {
        data.at(size) = static_cast<std::uint8_t>(value);
        ++size;
        return *this;
    }
    constexpr frame& be16(unsigned value) { return u8(value >> 8 & 0xff).u8(value & 0xff); }
    constexpr frame& be32(std::uint32_t value) { return be16(value >> 16).be16(value & 0xffff); }
    constexpr frame& be64(std::uint64_t value) {
        return be32(static_cast<std::uint32_t>(value >> 32)).be32(static_cast<std::uint32_t>(value));
    }
    constexpr frame& le16(unsigned value) { return u8(value & 0xff).u8(value >> 8 & 0xff); }
    constexpr frame& le32(std::uint32_t value) { return le16(value & 0xffff).le16(value >> 16); }
    constexpr frame& add(bytes more) {
        for (const std::uint8_t b : more) u8(b);
        return *this;
    }
    constexpr frame& text(std::string_view characters) {
        for (const char c : characters) u8(static_cast<std::uint8_t>(c));
        return *this;
    }
    constexpr frame& zeros(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) u8(0);
        return *this;
    }
    constexpr frame& ip(const address& a) { return a.is_v4() ? be32(a.v4_number()) : be64(a.high).be64(a.low); }
    constexpr void set_be16(std::size_t at, unsigned value) {
        data.at(at) = static_cast<std::uint8_t>(value >> 8);
        data.at(at + 1) = static_cast<std::uint8_t>(value);
    }
    /// The first `count` bytes, as a snap length would leave them.
    [[nodiscard]] constexpr bytes first(std::size_t count) const { return bytes{data.data(), count}; }
    [[nodiscard]] constexpr bytes view() const { return first(size); }
    constexpr operator bytes() const { return view(); }
};

/// A layer holding these characters.
[[nodiscard]] constexpr frame text_of(std::string_view characters) { return frame{}.text(characters); }

/// Sum for the Internet check sum (RFC 1071), not yet folded.
[[nodiscard]] constexpr std::uint64_t ones_sum(bytes data, std::uint64_t sum = 0) {
    for (std::size_t i = 0; i < data.size(); ++i) sum += i % 2 == 0 ? unsigned{data[i]} << 8 : unsigned{data[i]};
    return sum;
}
[[nodiscard]] constexpr std::uint16_t fold(std::uint64_t sum) {
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

/// IP header fields a test may want to choose. `more_fragments` and `offset` (bytes) make fragments.
struct ip_fields {
    address source = address::v4(192, 0, 2, 1);
    address destination = address::v4(198, 51, 100, 2);
    std::uint8_t protocol = 17;
    std::uint8_t ttl = 64;
    std::uint16_t id = 0x1234;
    bool more_fragments = false;
    std::uint16_t offset = 0;
};

/// Writes the transport check sum into an unfragmented TCP, UDP, ICMP or ICMPv6 segment.
constexpr void fill_checksum(frame& segment, const ip_fields& f) {
    std::size_t at = 0;
    switch (f.protocol) {
        case 1: at = 2; break;
        case 6: at = 16; break;
        case 17: at = 6; break;
        case 58: at = 2; break;
        default: return;
    }
    if (f.more_fragments || f.offset != 0 || segment.size < at + 2) return;
    segment.set_be16(at, 0);
    frame pseudo;
    if (f.protocol != 1) {
        pseudo.ip(f.source).ip(f.destination).be32(static_cast<std::uint32_t>(segment.size)).be32(f.protocol);
    }
    const std::uint16_t sum = fold(ones_sum(segment, ones_sum(pseudo)));
    segment.set_be16(at, sum == 0 && f.protocol == 17 ? 0xffff : sum);
}

/// An IPv4 datagram; `options` must be a multiple of 4 bytes.
[[nodiscard]] constexpr frame ipv4(const ip_fields& f, frame inside, bytes options = {}) {
    fill_checksum(inside, f);
    const auto header = static_cast<unsigned>(20 + options.size());
    frame out;
    out.u8(0x40 | header / 4).u8(0).be16(static_cast<unsigned>(header + inside.size)).be16(f.id);
    out.be16((f.more_fragments ? 0x2000U : 0U) | f.offset / 8U).u8(f.ttl).u8(f.protocol).be16(0);
    out.ip(f.source).ip(f.destination).add(options);
    out.set_be16(10, fold(ones_sum(out)));
    return out.add(inside);
}

/// An IPv6 datagram. `extensions` holds ready-made extension headers, the first of type `first_extension`; the
/// last one must name `f.protocol` as its next header.
[[nodiscard]] constexpr frame ipv6(const ip_fields& f, frame inside, bytes extensions = {},
                                   unsigned first_extension = 0) {
    fill_checksum(inside, f);
    frame out;
    out.be32(0x60000000).be16(static_cast<unsigned>(extensions.size() + inside.size));
    out.u8(extensions.empty() ? f.protocol : first_extension).u8(f.ttl).ip(f.source).ip(f.destination);
    return out.add(extensions).add(inside);
}

/// IPv4 or IPv6 by the family of the source address.
[[nodiscard]] constexpr frame ip(const ip_fields& f, const frame& inside) {
    return f.source.is_v4() ? ipv4(f, inside) : ipv6(f, inside);
}

struct tcp_fields {
    std::uint16_t source_port = 40000;
    std::uint16_t destination_port = 443;
    std::uint32_t seq = 1000;
    std::uint32_t ack = 0;
    std::uint8_t flags = tcp_flag::syn;
    std::uint16_t window = 64240;
};

/// A TCP segment; the check sum is filled in by the IP layer. `options` must be a multiple of 4 bytes.
[[nodiscard]] constexpr frame tcp(const tcp_fields& f, bytes payload = {}, bytes options = {}) {
    frame out;
    out.be16(f.source_port).be16(f.destination_port).be32(f.seq).be32(f.ack);
    out.u8(static_cast<unsigned>((20 + options.size()) / 4) << 4).u8(f.flags).be16(f.window).be32(0);
    return out.add(options).add(payload);
}

/// A UDP datagram; the check sum is filled in by the IP layer.
[[nodiscard]] constexpr frame udp(std::uint16_t source_port, std::uint16_t destination_port, bytes payload = {}) {
    frame out;
    out.be16(source_port).be16(destination_port).be16(static_cast<unsigned>(8 + payload.size())).be16(0);
    return out.add(payload);
}

/// An ICMP or ICMPv6 message; `rest` is the second header word (identifier and sequence of an echo).
[[nodiscard]] constexpr frame icmp(std::uint8_t type, std::uint8_t code, std::uint32_t rest = 0, bytes payload = {}) {
    return frame{}.u8(type).u8(code).be16(0).be32(rest).add(payload);
}

/// An SCTP packet with one chunk of the given type.
[[nodiscard]] constexpr frame sctp(std::uint16_t source_port, std::uint16_t destination_port, bytes chunk = {}) {
    return frame{}.be16(source_port).be16(destination_port).be32(0).be32(0).add(chunk);
}

/// An Ethernet frame; no padding, no check sequence.
[[nodiscard]] constexpr frame ethernet(unsigned ether_type, bytes inside) {
    return frame{}.be16(0x0200).be32(1).be16(0x0200).be32(2).be16(ether_type).add(inside);
}
/// An 802.1Q (0x8100) or 802.1ad (0x88a8) tag, to be put inside `ethernet(0x8100, ...)`.
[[nodiscard]] constexpr frame vlan(unsigned id, unsigned ether_type, bytes inside) {
    return frame{}.be16(id).be16(ether_type).add(inside);
}
/// An Ethernet frame around an IP datagram, with the ether type its version asks for.
[[nodiscard]] constexpr frame ethernet_ip(bytes datagram) {
    return ethernet(datagram[0] >> 4 == 6 ? 0x86dd : 0x0800, datagram);
}

/// Whole Ethernet frames from a 5-tuple. The protocol of the tuple is ignored.
[[nodiscard]] constexpr frame tcp_frame(const five_tuple& t, std::uint8_t flags, std::string_view payload = {},
                                        std::uint32_t seq = 1000, std::uint32_t ack = 0) {
    const frame segment = tcp({t.source_port, t.destination_port, seq, ack, flags}, text_of(payload));
    return ethernet_ip(ip({.source = t.source, .destination = t.destination, .protocol = 6}, segment));
}
[[nodiscard]] constexpr frame udp_frame(const five_tuple& t, std::string_view payload = {}) {
    const frame datagram = udp(t.source_port, t.destination_port, text_of(payload));
    return ethernet_ip(ip({.source = t.source, .destination = t.destination, .protocol = 17}, datagram));
}
[[nodiscard]] constexpr frame icmp_frame(const address& source, const address& destination, std::uint8_t type,
                                         std::uint8_t code, std::string_view payload = {}) {
    const std::uint8_t protocol = source.is_v4() ? 1 : 58;
    const frame message = icmp(type, code, 0x00010001, text_of(payload));
    return ethernet_ip(ip({.source = source, .destination = destination, .protocol = protocol}, message));
}

/// The frame as a capture source would hand it over. The frame must outlive the raw packet.
[[nodiscard]] constexpr raw_packet raw_of(const frame& f, std::int64_t timestamp_ns = 0,
                                          link_type link = link_type::ethernet) {
    return {timestamp_ns, f.view(), static_cast<std::uint32_t>(f.size), link};
}
/// The same cut to `captured` bytes by a snap length.
[[nodiscard]] constexpr raw_packet raw_cut(const frame& f, std::size_t captured, link_type link = link_type::ethernet) {
    return {0, f.first(captured), static_cast<std::uint32_t>(f.size), link};
}

}  // namespace mldefender::test
