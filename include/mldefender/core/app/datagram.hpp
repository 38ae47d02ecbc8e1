// SPDX-License-Identifier: MIT
// Small fixed headers over UDP: NTP, DHCP, NetBIOS datagrams, WireGuard, STUN, RTP and RTCP. RTP has next to no
// structure, so its check is deliberately narrow and comes last in recognise.hpp; a stream whose first packets are
// unusual stays unnamed rather than naming noise. Called per packet.
#pragma once

#include <mldefender/core/app/message.hpp>
#include <mldefender/core/app/text.hpp>

namespace mldefender {
inline namespace v0 {
namespace detail::app {

/// Version 1 to 4 and a mode; the private modes 6 and 7 have headers of their own.
[[nodiscard]] constexpr bool looks_like_ntp(bytes payload) noexcept {
    if (payload.size() < 8) return false;
    const unsigned version = (payload[0] >> 3) & 7U;
    const unsigned mode = payload[0] & 7U;
    if (version == 0 || version > 4) return false;
    if (mode == 7 || mode == 6) return true;
    return mode != 0 ? payload.size() >= 48 && payload[1] <= 16 : version == 1 && payload.size() >= 48;
}
[[nodiscard]] constexpr app_message read_ntp(bytes payload) noexcept {
    if (!looks_like_ntp(payload)) return {};
    small_details d;
    d.type = payload[0] & 7U;
    d.version = (payload[0] >> 3) & 7U;
    const bool is_private = d.type == 7;
    d.amount = payload[is_private ? 3 : 1];
    app_message m{app_protocol::ntp, d};
    m.is_response =
        d.type == 4 || (is_private && (payload[0] & 0x80) != 0) || (d.type == 6 && (payload[1] & 0x80) != 0);
    // Mode 7 codes 20 and 42 list peers (monlist); mode 6 operation 2 reads variables.
    if (!m.is_response &&
        ((is_private && (d.amount == 42 || d.amount == 20)) || (d.type == 6 && (payload[1] & 31) == 2))) {
        m.facts |= app_fact::amplifier_request;
    }
    return m;
}

[[nodiscard]] constexpr bool looks_like_dhcp4(bytes payload) noexcept {
    return payload.size() >= 240 && (payload[0] == 1 || payload[0] == 2) && payload[2] <= 16 &&
           load_be32(payload.data() + 236) == 0x63825363;
}
/// DHCPv6 has a type and options and no magic: only believed on its ports.
[[nodiscard]] constexpr bool looks_like_dhcp6(bytes payload) noexcept {
    return payload.size() >= 8 && payload[0] >= 1 && payload[0] <= 13 && payload[4] == 0 && payload[5] <= 150;
}
[[nodiscard]] constexpr app_message read_dhcp(bytes payload) noexcept {
    small_details d;
    bytes name;
    bool response = false;
    if (looks_like_dhcp4(payload)) {
        d.version = 4;
        response = payload[0] == 2;
        cursor in{payload.subspan(240)};
        for (int i = 0; i < 64 && in.remaining() > 0; ++i) {
            const std::uint8_t option = in.u8();
            if (option == 0) continue;
            if (option == 255) break;
            const bytes value = in.take(in.u8());
            if (option == 53 && !value.empty()) d.type = value[0];
            if (option == 12) name = value;  // host name
        }
    } else if (looks_like_dhcp6(payload)) {
        d.version = 6;
        d.type = payload[0];
        response = d.type == 2 || d.type == 7;
    } else {
        return {};
    }
    app_message m{app_protocol::dhcp, d};
    m.is_response = response;
    m.name = name;
    return m;
}

[[nodiscard]] constexpr bool looks_like_nbdgm(bytes payload) noexcept {
    return payload.size() >= 14 && payload[0] >= 0x10 && payload[0] <= 0x16 && (payload[1] & 0xf0) == 0;
}
[[nodiscard]] constexpr app_message read_nbdgm(bytes payload) noexcept {
    if (!looks_like_nbdgm(payload)) return {};
    small_details d;
    d.type = payload[0];
    return {app_protocol::nbdgm, d};
}

/// The four message types, each with its own size.
[[nodiscard]] constexpr bool looks_like_wireguard(bytes payload) noexcept {
    if (payload.size() < 32 || payload[1] != 0 || payload[2] != 0 || payload[3] != 0) return false;
    return (payload[0] == 1 && payload.size() == 148) || (payload[0] == 2 && payload.size() == 92) ||
           (payload[0] == 3 && payload.size() == 64);
}
[[nodiscard]] constexpr app_message read_wireguard(bytes payload) noexcept {
    if (payload.size() < 16 || payload[0] < 1 || payload[0] > 4 || payload[1] != 0) return {};
    small_details d;
    d.type = payload[0];
    app_message m{app_protocol::wireguard, d};
    m.is_response = d.type == 2;
    return m;
}

/// RFC 8489: two zero bits, a length in whole words, the magic cookie; RFC 3489 without cookie must fill the packet.
[[nodiscard]] constexpr bool looks_like_stun(bytes payload) noexcept {
    if (payload.size() < 20 || (payload[0] & 0xc0) != 0) return false;
    const std::size_t length = load_be16(payload.data() + 2);
    if ((length & 3) != 0) return false;
    if (load_be32(payload.data() + 4) == 0x2112a442) return length + 20 <= payload.size() + 4096;
    const std::uint16_t type = load_be16(payload.data());
    return (type == 0x0001 || type == 0x0101 || type == 0x0111) && length + 20 == payload.size() &&
           (length == 0 || (length >= 8 && payload[20] <= 0x80));
}
[[nodiscard]] constexpr app_message read_stun(bytes payload) noexcept {
    if (!looks_like_stun(payload)) return {};
    small_details d;
    d.type = load_be16(payload.data());
    app_message m{app_protocol::stun, d};
    m.is_response = (d.type & 0x0100) != 0;
    return m;
}

/// RTCP: version 2, packet type 200..207, a length that fits; the first packet of a compound is a report.
[[nodiscard]] constexpr bool looks_like_rtcp(bytes payload) noexcept {
    if (payload.size() < 8 || (payload[0] & 0xc0) != 0x80 || payload[1] < 200 || payload[1] > 207) return false;
    const std::size_t length = (load_be16(payload.data() + 2) + std::size_t{1}) * 4;
    if (length > payload.size() || length < 8) return false;
    if (length == payload.size()) return true;
    const bytes next = payload.subspan(length);  // a further packet, or SRTCP's index and tag
    return (next.size() >= 4 && (next[0] & 0xc0) == 0x80 && next[1] >= 200 && next[1] <= 207) || next.size() == 14;
}

/// RTP: version 2, no CSRC list; a static payload type in use, or a dynamic one with a plain header.
[[nodiscard]] constexpr bool looks_like_rtp(bytes payload) noexcept {
    if (payload.size() < 16 || (payload[0] & 0xc0) != 0x80 || (payload[0] & 0x0f) != 0) return false;
    const unsigned type = payload[1] & 0x7fU;
    if (load_be32(payload.data() + 8) == 0) return false;  // SSRC
    if ((payload[0] & 0x10) != 0) {
        const std::uint16_t profile = load_be16(payload.data() + 12);
        const std::size_t length = load_be16(payload.data() + 14) * std::size_t{4};
        if ((profile != 0xbede && (profile & 0xfff0) != 0x1000) || length + 16 >= payload.size()) return false;
    }
    if ((payload[0] & 0x20) != 0) {  // padding: its last byte says how much
        if (payload.back() == 0 || payload.back() > payload.size() - 12) return false;
    }
    const std::size_t media = payload.size() - 12;
    switch (type) {
        case 0:
        case 8:
        case 9: return media % 8 == 0 || media % 10 == 0;            // 64 kbit/s audio in frames of ms
        case 3: return media % 33 == 0 || (payload[0] & 0x10) != 0;  // GSM frames
        case 4: return media <= 240;                                 // G.723
        case 18: return media <= 100;                                // G.729
        case 13: return media <= 40;                                 // comfort noise
        case 2:
        case 5:
        case 10:
        case 11:
        case 14:
        case 15:
        case 26:
        case 28:
        case 31:
        case 32:
        case 33:
        case 34: return true;
        default: return type >= 96;
    }
}
[[nodiscard]] constexpr app_message read_rtp(bytes payload) noexcept {
    if (payload.size() < 12 || (payload[0] & 0xc0) != 0x80) return {};
    small_details d;
    if (looks_like_rtcp(payload)) {
        d.type = payload[1];
        d.amount = load_be32(payload.data() + 4);
        return {app_protocol::rtcp, d};
    }
    d.type = payload[1] & 0x7fU;
    d.sequence = load_be16(payload.data() + 2);
    d.amount = load_be32(payload.data() + 8);
    return {app_protocol::rtp, d};
}

}  // namespace detail::app
}  // namespace v0
}  // namespace mldefender
