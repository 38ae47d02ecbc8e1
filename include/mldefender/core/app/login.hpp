// SPDX-License-Identifier: MIT
// Log-in services that are binary or encrypted after a greeting: SSH, RDP, MySQL and VNC. Reads the greeting, the
// negotiation and whatever says that credentials were presented or refused; everything behind it is left alone.
// S7 shares RDP's TPKT framing and is told apart here. Called per packet.
#pragma once

#include <mldefender/core/app/message.hpp>
#include <mldefender/core/app/text.hpp>

namespace mldefender {
inline namespace v0 {
namespace detail::app {

[[nodiscard]] constexpr bool looks_like_ssh(bytes payload) noexcept {
    return payload.size() >= 8 && starts_with(payload, "SSH-") && (payload[4] == '1' || payload[4] == '2');
}

/// Kind of a packet of the clear key exchange (RFC 4253); `none` for what is encrypted.
[[nodiscard]] constexpr ssh_kind ssh_packet_kind(bytes packet) noexcept {
    if (packet.size() < 6) return ssh_kind::none;
    const std::uint32_t length = load_be32(packet.data());
    if (length < 2 || length > 35000 || packet[4] < 4 || packet[4] >= length) return ssh_kind::none;
    const std::uint8_t code = packet[5];
    if (code == 20) return ssh_kind::kexinit;
    if (code == 21 && length <= 64) return ssh_kind::new_keys;
    return code >= 30 && code <= 34 ? ssh_kind::key_exchange : ssh_kind::none;
}

/// The banner, or a packet of the key exchange. A client that offers keys is about to log in: one attempt.
[[nodiscard]] constexpr app_message read_ssh(bytes payload, bool to_responder) noexcept {
    ssh_details d;
    bytes software;
    ssh_kind kind = ssh_kind::none;  // of the first packet
    if (looks_like_ssh(payload)) {
        bytes rest = payload;
        const bytes line = next_line(rest);
        software = slice(line, find_byte(line, '-', 4) + 1, 255);
        d.kind = ssh_kind::banner;
        d.version = static_cast<std::uint8_t>(line[4] == '2' || (line.size() > 6 && line[6] == '9') ? 2 : 1);
        d.software_hash = text_hash(software);
        kind = ssh_packet_kind(rest);
    } else {
        d.kind = kind = ssh_packet_kind(payload);
        d.version = 2;
        if (kind == ssh_kind::none) return {};
    }
    app_message m{app_protocol::ssh, d};
    m.is_response = !to_responder;
    m.name = software;
    if (to_responder && kind == ssh_kind::kexinit) m.facts |= app_fact::auth_attempt;
    return m;
}

/// TPKT (RFC 1006): version 3, reserved 0, a length that holds an X.224 header.
[[nodiscard]] constexpr bool looks_like_tpkt(bytes payload) noexcept {
    return payload.size() >= 7 && payload[0] == 3 && payload[1] == 0 && load_be16(payload.data() + 2) >= 7 &&
           (payload[5] == 0xe0 || payload[5] == 0xd0 || payload[5] == 0xf0) && payload[4] >= 2;
}

/// rdp or s7comm by what the X.224 header is followed by; unknown when neither is certain.
[[nodiscard]] constexpr app_protocol match_tpkt(bytes payload) noexcept {
    if (!looks_like_tpkt(payload)) return app_protocol::unknown;
    if (payload[5] == 0xf0) {
        if (payload.size() > 7 && payload[7] == 0x32) return app_protocol::s7comm;
        return payload.size() > 8 && payload[7] == 0x7f && payload[8] >= 0x65 && payload[8] <= 0x66
                   ? app_protocol::rdp
                   : app_protocol::unknown;
    }
    const bytes variable = slice(payload, 11);
    if (variable.empty()) return payload[4] == 6 ? app_protocol::rdp : app_protocol::unknown;
    if (starts_with(variable, "Cookie:") || starts_with(variable, "tsv:")) return app_protocol::rdp;
    if (variable.size() >= 8 && variable[0] >= 1 && variable[0] <= 3 && variable[2] == 8 && variable[3] == 0) {
        return app_protocol::rdp;
    }
    return variable[0] >= 0xc0 && variable[0] <= 0xc2 ? app_protocol::s7comm : app_protocol::unknown;
}

/// Connection request (one log-in attempt: clients connect anew for each), confirm or data of RDP.
[[nodiscard]] constexpr app_message read_rdp(bytes payload) noexcept {
    if (!looks_like_tpkt(payload)) return {};
    rdp_details d;
    d.kind = payload[5];
    bytes variable = slice(slice(payload, 0, load_be16(payload.data() + 2)), 11);
    bytes name;
    std::uint32_t code = 0;
    if (d.kind != 0xf0) {
        if (starts_with(variable, "Cookie: ")) {
            d.has_cookie = true;
            const bytes line = next_line(variable);
            name = slice(line, find_byte(line, '=') + 1);
        }
        if (variable.size() >= 8 && variable[0] >= 1 && variable[0] <= 3) {
            const std::uint32_t value = load_le32(variable.data() + 4);
            if (variable[0] == 3) {
                code = value;
            } else {
                d.protocols = value;
            }
        }
    }
    app_message m{app_protocol::rdp, d};
    m.is_response = d.kind == 0xd0;
    m.code = code;
    m.name = name;
    if (d.kind == 0xe0) m.facts |= app_fact::auth_attempt;
    return m;
}

/// The server's greeting: packet 0, protocol 10, a version that begins with digits.
[[nodiscard]] constexpr bool looks_like_mysql(bytes payload) noexcept {
    return payload.size() > 20 && payload[3] == 0 && payload[4] == 10 &&
           (load_le32(payload.data()) & 0xffffffU) + 4U == payload.size() && is_digit(payload[5]) &&
           find_byte(slice(payload, 5, 64), 0) < 64 && find_byte(slice(payload, 5, 8), '.') < 8;
}

[[nodiscard]] constexpr app_message read_mysql(bytes payload, bool to_responder) noexcept {
    if (payload.size() < 5) return {};
    const std::uint32_t length = load_le32(payload.data()) & 0xffffffU;
    if (length == 0 || length + 4 < payload.size()) return {};
    small_details d;
    d.type = payload[3];
    std::uint32_t facts = 0;
    std::uint32_t code = 0;
    if (to_responder) {
        if (d.type == 1 && length > 32) facts |= app_fact::auth_attempt;
    } else if (d.type == 0) {
        d.version = payload[4];
    } else if (payload[4] == 0xff && payload.size() >= 7) {
        code = load_le16(payload.data() + 5);
        if (code == 1045 || code == 1044) facts |= app_fact::auth_failure;  // access denied
    } else if (payload[4] == 0 && d.type >= 2 && d.type <= 6 && length < 16) {
        facts |= app_fact::auth_success;
    }
    app_message m{app_protocol::mysql, d};
    m.is_response = !to_responder;
    m.facts = facts;
    m.code = code;
    return m;
}

/// "RFB 003.008": the client's echo of it begins one attempt.
[[nodiscard]] constexpr bool looks_like_vnc(bytes payload) noexcept {
    return payload.size() >= 12 && starts_with(payload, "RFB 00") && payload[7] == '.' && payload[11] == '\n';
}
[[nodiscard]] constexpr app_message read_vnc(bytes payload, bool to_responder) noexcept {
    if (!looks_like_vnc(payload)) return {};
    small_details d;
    d.version =
        static_cast<std::uint32_t>(leading_number(payload.subspan(4)) * 100 + leading_number(payload.subspan(8)));
    app_message m{app_protocol::vnc, d};
    m.is_response = !to_responder;
    if (to_responder) m.facts |= app_fact::auth_attempt;
    return m;
}

}  // namespace detail::app
}  // namespace v0
}  // namespace mldefender
