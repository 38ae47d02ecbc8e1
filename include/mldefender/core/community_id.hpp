// SPDX-License-Identifier: MIT
// Community ID, version 1 (github.com/corelight/community-id-spec): the same text for both directions of a flow,
// by which Zeek, Suricata and this sensor name the same conversation. No allocation, usable while compiling.
// Called once per event or flow line, not per packet. ICMP request and reply types pair up as in Zeek.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <mldefender/core/address.hpp>
#include <mldefender/core/detail/sha1.hpp>

namespace mldefender {
inline namespace v0 {

/// Text of a Community ID: "1:" and 28 characters of base64.
struct community_id_text {
    std::array<char, 30> characters{};  ///< not terminated
    /// The text; valid as long as this object.
    [[nodiscard]] constexpr std::string_view view() const noexcept { return {characters.data(), characters.size()}; }
    /// The same as `view`.
    constexpr operator std::string_view() const noexcept { return view(); }
};

namespace detail {

/// The type that answers (or asks for) an ICMP message type; -1 when the type is one-way.
[[nodiscard]] constexpr int icmp_counterpart(std::uint8_t type) noexcept {
    switch (type) {
        case 0: return 8;  // echo
        case 8: return 0;
        case 9: return 10;  // router advertisement, solicitation
        case 10: return 9;
        case 13: return 14;  // timestamp
        case 14: return 13;
        case 15: return 16;  // information
        case 16: return 15;
        case 17: return 18;  // address mask
        case 18: return 17;
        default: return -1;
    }
}
[[nodiscard]] constexpr int icmpv6_counterpart(std::uint8_t type) noexcept {
    switch (type) {
        case 128: return 129;  // echo
        case 129: return 128;
        case 130: return 131;  // multicast listener query, report
        case 131: return 130;
        case 133: return 134;  // router solicitation, advertisement
        case 134: return 133;
        case 135: return 136;  // neighbour solicitation, advertisement
        case 136: return 135;
        case 139: return 140;  // node information
        case 140: return 139;
        case 144: return 145;  // home agent address discovery
        case 145: return 144;
        default: return -1;
    }
}

/// Base64 with padding (RFC 4648) of a SHA-1 digest, behind the version.
[[nodiscard]] constexpr community_id_text spell_community_id(const sha1_digest& digest) noexcept {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    community_id_text out;
    out.characters[0] = '1';
    out.characters[1] = ':';
    for (std::size_t i = 0, at = 2; i < digest.size(); i += 3, at += 4) {
        const bool whole = i + 2 < digest.size();  // 20 bytes: only the last group is short, by one byte
        const std::uint32_t group =
            (std::uint32_t{digest[i]} << 16) | (std::uint32_t{digest[i + 1]} << 8) | (whole ? digest[i + 2] : 0U);
        out.characters[at] = alphabet[group >> 18];
        out.characters[at + 1] = alphabet[group >> 12 & 63];
        out.characters[at + 2] = alphabet[group >> 6 & 63];
        out.characters[at + 3] = whole ? alphabet[group & 63] : '=';
    }
    return out;
}

}  // namespace detail

/// The Community ID of a flow. `icmp_type` and `icmp_code` are read for ICMP and ICMPv6 only, and belong to the
/// direction of the tuple; `seed` (default 0, as everywhere) separates sites that do not want their ids to match.
[[nodiscard]] constexpr community_id_text community_id(const five_tuple& tuple, std::uint8_t icmp_type = 0,
                                                       std::uint8_t icmp_code = 0, std::uint16_t seed = 0) noexcept {
    five_tuple t = tuple;
    bool one_way = false;
    if (t.protocol == ip_protocol::icmp || t.protocol == ip_protocol::icmpv6) {
        const int other = t.protocol == ip_protocol::icmp ? detail::icmp_counterpart(icmp_type)
                                                          : detail::icmpv6_counterpart(icmp_type);
        one_way = other < 0;
        t.source_port = icmp_type;
        t.destination_port = static_cast<std::uint16_t>(one_way ? icmp_code : other);
    }
    const bool ordered = t.source != t.destination ? t.source < t.destination : t.source_port < t.destination_port;
    if (!one_way && !ordered) t = t.reversed();

    std::array<std::uint8_t, 40> message{};
    std::size_t size = 0;
    const auto put = [&](std::uint64_t number, std::size_t count) {
        while (count-- > 0) message[size++] = static_cast<std::uint8_t>(number >> (8 * count));
    };
    const auto put_address = [&](const address& a) {
        if (a.is_v4()) return put(a.v4_number(), 4);
        put(a.high, 8);
        put(a.low, 8);
    };
    put(seed, 2);
    put_address(t.source);
    put_address(t.destination);
    put(static_cast<std::uint8_t>(t.protocol), 1);
    put(0, 1);
    put(t.source_port, 2);
    put(t.destination_port, 2);
    return detail::spell_community_id(detail::sha1_short(bytes{message.data(), size}));
}

}  // namespace v0
}  // namespace mldefender
