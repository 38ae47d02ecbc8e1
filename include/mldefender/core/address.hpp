// SPDX-License-Identifier: MIT
// IP addresses, networks and the 5-tuple. One 128-bit number holds both families (IPv4 as ::ffff:a.b.c.d), so
// that hashing and comparing never branch on the family. `parse` accepts what inet_pton accepts and refuses
// the rest (zones, short forms, leading zeros); text goes out in the RFC 5952 spelling.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <mldefender/core/bytes.hpp>

namespace mldefender {
inline namespace v0 {

/// An IPv4 or IPv6 address as a 128-bit number in host order.
struct address {
    std::uint64_t high = 0;  ///< IPv6: the first 64 bits; IPv4: 0
    /// IPv6: the last 64 bits; IPv4: 0xffff and the 32 bits of the address (RFC 4291 mapped form).
    std::uint64_t low = 0;

    /// Equal in all 128 bits; an IPv4 address equals its mapped IPv6 form.
    friend constexpr bool operator==(const address&, const address&) noexcept = default;
    /// Numeric order: IPv4 comes before all but the lowest IPv6 addresses.
    friend constexpr auto operator<=>(const address&, const address&) noexcept = default;

    /// From the number 0xAABBCCDD for a.b.c.d-style addresses.
    [[nodiscard]] static constexpr address v4(std::uint32_t number) noexcept {
        return {0, 0x0000'ffff'0000'0000ULL | number};
    }
    /// From four octets: `address::v4(192, 0, 2, 1)`.
    [[nodiscard]] static constexpr address v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) noexcept {
        return v4((std::uint32_t{a} << 24) | (std::uint32_t{b} << 16) | (std::uint32_t{c} << 8) | d);
    }
    /// From 16 bytes in network order; the caller has checked that they are there.
    [[nodiscard]] static constexpr address v6(const std::uint8_t* octets) noexcept {
        return {load_be64(octets), load_be64(octets + 8)};
    }
    /// True for IPv4, which includes IPv4-mapped IPv6.
    [[nodiscard]] constexpr bool is_v4() const noexcept { return high == 0 && (low >> 32) == 0xffffU; }
    /// The IPv4 number; meaningful only when `is_v4()`.
    [[nodiscard]] constexpr std::uint32_t v4_number() const noexcept { return static_cast<std::uint32_t>(low); }
};

namespace detail {

[[nodiscard]] constexpr std::optional<std::uint32_t> parse_v4(std::string_view text) noexcept {
    std::uint32_t number = 0;
    std::size_t at = 0;
    for (int part = 0; part < 4; ++part) {
        if (part > 0 && (at >= text.size() || text[at++] != '.')) return std::nullopt;
        const std::size_t first = at;
        std::uint32_t octet = 0;
        while (at < text.size() && text[at] >= '0' && text[at] <= '9' && at - first < 3) {
            octet = octet * 10 + static_cast<std::uint32_t>(text[at++] - '0');
        }
        if (at == first || octet > 255 || (at - first > 1 && text[first] == '0')) return std::nullopt;
        number = (number << 8) | octet;
    }
    return at == text.size() ? std::optional{number} : std::nullopt;
}

[[nodiscard]] constexpr int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

[[nodiscard]] constexpr address from_groups(const std::array<std::uint16_t, 8>& groups) noexcept {
    address a;
    for (std::size_t i = 0; i < 4; ++i) a.high = (a.high << 16) | groups[i];
    for (std::size_t i = 4; i < 8; ++i) a.low = (a.low << 16) | groups[i];
    return a;
}

[[nodiscard]] constexpr std::optional<address> parse_v6(std::string_view text) noexcept {
    std::array<std::uint16_t, 8> groups{};
    std::size_t count = 0;
    std::optional<std::size_t> gap;
    std::size_t at = 0;
    if (text.starts_with("::")) {
        gap = 0;
        at = 2;
    }
    while (at < text.size()) {
        std::size_t end = text.find(':', at);
        if (end == std::string_view::npos) end = text.size();
        const std::string_view part = text.substr(at, end - at);
        if (part.find('.') != std::string_view::npos) {
            const auto tail = end == text.size() && count <= 6 ? parse_v4(part) : std::nullopt;
            if (!tail) return std::nullopt;
            groups[count++] = static_cast<std::uint16_t>(*tail >> 16);
            groups[count++] = static_cast<std::uint16_t>(*tail);
            at = end;
            break;
        }
        if (part.empty() || part.size() > 4 || count == 8) return std::nullopt;
        std::uint32_t group = 0;
        for (const char c : part) {
            if (hex_digit(c) < 0) return std::nullopt;
            group = group * 16 + static_cast<std::uint32_t>(hex_digit(c));
        }
        groups[count++] = static_cast<std::uint16_t>(group);
        at = end;
        if (at == text.size()) break;
        ++at;
        if (at < text.size() && text[at] == ':') {
            if (gap) return std::nullopt;
            gap = count;
            ++at;
        } else if (at == text.size()) {
            return std::nullopt;
        }
    }
    if (gap ? count == 8 : count != 8) return std::nullopt;
    if (gap) {
        std::array<std::uint16_t, 8> spread{};
        for (std::size_t i = 0; i < *gap; ++i) spread[i] = groups[i];
        for (std::size_t i = *gap; i < count; ++i) spread[8 - count + i] = groups[i];
        groups = spread;
    }
    return from_groups(groups);
}

}  // namespace detail

/// Reads an address in the usual spelling; nothing for anything else.
[[nodiscard]] constexpr std::optional<address> parse_address(std::string_view text) noexcept {
    if (text.find(':') != std::string_view::npos) return detail::parse_v6(text);
    if (const auto number = detail::parse_v4(text)) return address::v4(*number);
    return std::nullopt;
}

/// Text of an address without allocating; at most 45 characters.
struct address_text {
    std::array<char, 46> characters{};  ///< the text; not terminated
    std::uint8_t length = 0;            ///< how many of the characters count
    /// The text; valid as long as this object.
    [[nodiscard]] constexpr std::string_view view() const noexcept { return {characters.data(), length}; }
    /// The same without asking, for interfaces that take a view.
    constexpr operator std::string_view() const noexcept { return view(); }
};

/// The RFC 5952 spelling (lower case, longest run of zeros as `::`), dotted quads for IPv4.
[[nodiscard]] constexpr address_text to_text(const address& a) noexcept {
    address_text out;
    const auto put = [&out](char c) { out.characters[out.length++] = c; };
    const auto put_number = [&put](std::uint32_t number, std::uint32_t base) {
        std::array<char, 10> digits{};
        std::size_t count = 0;
        do {
            digits[count++] = "0123456789abcdef"[number % base];
            number /= base;
        } while (number != 0);
        while (count > 0) put(digits[--count]);
    };
    if (a.is_v4()) {
        for (int shift = 24; shift >= 0; shift -= 8) {
            if (shift < 24) put('.');
            put_number((a.v4_number() >> shift) & 0xffU, 10);
        }
        return out;
    }
    std::array<std::uint16_t, 8> groups{};
    for (std::size_t i = 0; i < 8; ++i) {
        groups[i] = static_cast<std::uint16_t>((i < 4 ? a.high : a.low) >> (48 - 16 * (i % 4)));
    }
    std::size_t best_at = 8;
    std::size_t best_length = 1;  // a single zero group is not compressed
    for (std::size_t i = 0; i < 8;) {
        std::size_t end = i;
        while (end < 8 && groups[end] == 0) ++end;
        if (end - i > best_length) {
            best_at = i;
            best_length = end - i;
        }
        i = end > i ? end : i + 1;
    }
    for (std::size_t i = 0; i < 8;) {
        if (i == best_at) {
            put(':');
            put(':');
            i += best_length;
            continue;
        }
        if (i > 0 && i != best_at + best_length) put(':');
        put_number(groups[i], 16);
        ++i;
    }
    return out;
}

/// A CIDR network: the addresses whose first `prefix` bits equal those of `base`. Lengths count in the family's
/// own terms (0..32 for IPv4, 0..128 for IPv6).
struct network {
    address base;             ///< first address; bits behind the prefix are ignored
    std::uint8_t prefix = 0;  ///< 0..32 for IPv4, 0..128 for IPv6

    /// False for an address of the other family.
    [[nodiscard]] constexpr bool contains(const address& a) const noexcept {
        if (base.is_v4() != a.is_v4()) return false;
        const unsigned bits = base.is_v4() ? 96U + prefix : prefix;
        const std::uint64_t high_mask = bits >= 64 ? ~0ULL : (bits == 0 ? 0 : ~0ULL << (64 - bits));
        const std::uint64_t low_mask = bits <= 64 ? 0 : (bits >= 128 ? ~0ULL : ~0ULL << (128 - bits));
        return ((base.high ^ a.high) & high_mask) == 0 && ((base.low ^ a.low) & low_mask) == 0;
    }
};

/// Reads "10.0.0.0/8" or a plain address (its own network); nothing for anything else.
[[nodiscard]] constexpr std::optional<network> parse_network(std::string_view text) noexcept {
    const std::size_t slash = text.find('/');
    const auto base = parse_address(text.substr(0, slash));
    if (!base) return std::nullopt;
    const std::uint32_t longest = base->is_v4() ? 32 : 128;
    if (slash == std::string_view::npos) return network{*base, static_cast<std::uint8_t>(longest)};
    const std::string_view digits = text.substr(slash + 1);
    if (digits.empty() || digits.size() > 3) return std::nullopt;
    std::uint32_t prefix = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9') return std::nullopt;
        prefix = prefix * 10 + static_cast<std::uint32_t>(c - '0');
    }
    if (prefix > longest) return std::nullopt;
    return network{*base, static_cast<std::uint8_t>(prefix)};
}

/// Loopback, private (RFC 1918, RFC 6598), link-local and unique-local addresses: a host that is on the inside
/// unless the configuration says otherwise.
[[nodiscard]] constexpr bool is_private(const address& a) noexcept {
    if (a.is_v4()) {
        const std::uint32_t n = a.v4_number();
        return (n >> 24) == 10 || (n >> 24) == 127 || (n >> 20) == 0xac1 || (n >> 16) == 0xc0a8 ||
               (n >> 16) == 0xa9fe || (n >> 22) == (0x64400000U >> 22);
    }
    return (a.high >> 57) == (0xfcULL >> 1) || (a.high >> 54) == (0xfe80ULL >> 6) || (a.high == 0 && a.low == 1);
}

/// Multicast of either family and the IPv4 limited broadcast: destinations that never answer.
[[nodiscard]] constexpr bool is_multicast(const address& a) noexcept {
    if (a.is_v4()) return (a.v4_number() >> 28) == 0xe || a.v4_number() == 0xffffffffU;
    return (a.high >> 56) == 0xff;
}

/// IP protocol numbers with a name here (IANA). Any other number is a valid value too: such a flow has no ports.
enum class ip_protocol : std::uint8_t {
    icmp = 1,
    igmp = 2,
    ipip = 4,
    tcp = 6,
    udp = 17,
    ipv6 = 41,
    gre = 47,
    esp = 50,
    ah = 51,
    icmpv6 = 58,
    ospf = 89,
    pim = 103,
    vrrp = 112,
    l2tp = 115,
    sctp = 132,
};

/// Source and destination of a packet, or initiator and responder of a flow. Ports are 0 where the protocol
/// has none (ICMP carries type and code in the packet, not here).
struct five_tuple {
    address source;                           ///< sender of a packet, or initiator
    address destination;                      ///< receiver of a packet, or responder
    std::uint16_t source_port = 0;            ///< in host order
    std::uint16_t destination_port = 0;       ///< in host order
    ip_protocol protocol = ip_protocol::tcp;  ///< transport, 0..255 as in the IP header

    /// Equal in all members: the reversed tuple is another one.
    friend constexpr bool operator==(const five_tuple&, const five_tuple&) noexcept = default;
    /// By source, destination, ports and protocol, for sorted containers.
    friend constexpr auto operator<=>(const five_tuple&, const five_tuple&) noexcept = default;

    /// The tuple of the answering direction.
    [[nodiscard]] constexpr five_tuple reversed() const noexcept {
        return {destination, source, destination_port, source_port, protocol};
    }
};

}  // namespace v0
}  // namespace mldefender
