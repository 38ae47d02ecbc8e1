// SPDX-License-Identifier: MIT
// Things and machines: MQTT, Modbus/TCP, S7, DNP3, and BitTorrent's family. Function codes and whether they change a
// device, message types, refusals; no values, topics or hashes. Modbus has little to tell it by, so its lengths and
// function must agree exactly. Called per packet.
#pragma once

#include <mldefender/core/app/login.hpp>
#include <mldefender/core/app/message.hpp>
#include <mldefender/core/app/text.hpp>

namespace mldefender {
inline namespace v0 {
namespace detail::app {

/// MQTT's remaining length: up to four bytes of seven bits. Yields the header's size, 0 when malformed.
[[nodiscard]] constexpr std::size_t mqtt_header(bytes payload, std::uint32_t& remaining) noexcept {
    remaining = 0;
    for (std::size_t i = 1; i < 5 && i < payload.size(); ++i) {
        remaining |= std::uint32_t{payload[i] & 0x7fU} << (7 * (i - 1));
        if ((payload[i] & 0x80) == 0) return i + 1;
    }
    return 0;
}
/// A CONNECT with the protocol's name in it, or its acknowledgement.
[[nodiscard]] constexpr bool looks_like_mqtt(bytes payload) noexcept {
    if (payload.size() < 4) return false;
    std::uint32_t remaining = 0;
    const std::size_t header = mqtt_header(payload, remaining);
    if (payload[0] == 0x10 && header != 0) {
        const bytes name = slice(payload, header);
        return name.size() >= 7 && name[0] == 0 &&
               (starts_with(slice(name, 1), "\x04MQTT") || starts_with(slice(name, 1), "\x06MQIsdp"));
    }
    return payload[0] == 0x20 && remaining == 2 && payload.size() == 4 && payload[2] <= 1 && payload[3] <= 5;
}
[[nodiscard]] constexpr app_message read_mqtt(bytes payload) noexcept {
    std::uint32_t remaining = 0;
    const std::size_t header = mqtt_header(payload, remaining);
    if (header == 0 || payload[0] < 0x10) return {};
    small_details d;
    d.type = payload[0] >> 4;
    d.amount = remaining;
    app_message m{app_protocol::mqtt, d};
    bytes body = slice(payload, header, remaining);
    if (d.type == 1 && looks_like_mqtt(payload)) {
        body = slice(body, std::size_t{2} + body[1]);
        if (body.size() < 4) return m;
        const std::uint8_t flags = body[1];
        if ((flags & 0xc0) != 0) m.facts |= app_fact::auth_attempt;
        m.name = body.size() > 6 ? slice(body, 6, load_be16(body.data() + 4)) : bytes{};  // client id before MQTT 5
    } else if (d.type == 2 && body.size() >= 2) {
        m.is_response = true;
        m.code = body[1];
        m.facts |= m.code == 0 ? app_fact::auth_success : 0U;
        if (m.code == 4 || m.code == 5 || m.code == 0x86 || m.code == 0x87) m.facts |= app_fact::auth_failure;
    }
    return m;
}

/// Functions of the Modbus specification (1.1b3).
[[nodiscard]] constexpr bool is_modbus_function(std::uint8_t function) noexcept {
    const unsigned plain = function & 0x7fU;
    return (plain >= 1 && plain <= 8) || plain == 11 || plain == 12 || (plain >= 15 && plain <= 17) ||
           (plain >= 20 && plain <= 24) || plain == 43 || plain == 90;
}
[[nodiscard]] constexpr bool looks_like_modbus(bytes payload) noexcept {
    if (payload.size() < 8 || payload[2] != 0 || payload[3] != 0) return false;
    const std::size_t length = load_be16(payload.data() + 4);
    if (length < 2 || length > 254 || length + 6 > payload.size() || !is_modbus_function(payload[7])) return false;
    const bytes next = slice(payload, 6 + length);  // a further message, if any
    return next.empty() || (next.size() >= 8 && next[2] == 0 && next[3] == 0 && next[4] == 0);
}
[[nodiscard]] constexpr app_message read_modbus(bytes payload, bool to_responder) noexcept {
    if (!looks_like_modbus(payload)) return {};
    small_details d;
    const std::uint8_t function = payload[7];
    d.sequence = load_be16(payload.data());
    d.type = function & 0x7fU;
    d.amount = load_be16(payload.data() + 4) - 2U;
    app_message m{app_protocol::modbus, d};
    m.is_response = !to_responder;
    if ((function & 0x80) != 0) {
        m.is_response = true;
        m.code = payload.size() > 8 ? payload[8] : 0U;
        m.facts |= app_fact::device_error;
    } else if (to_responder && (d.type == 5 || d.type == 6 || d.type == 15 || d.type == 16 || d.type >= 21) &&
               d.type < 24) {
        m.facts |= app_fact::device_write;
    }
    return m;
}

/// S7 communication: kind 1 request, 3 answer with data, 7 user data; functions 4 read, 5 write, 0x1a..0x1c
/// download, 0x28 start, 0x29 stop.
[[nodiscard]] constexpr app_message read_s7comm(bytes payload) noexcept {
    if (match_tpkt(payload) != app_protocol::s7comm) return {};
    small_details d;
    if (payload[5] != 0xf0) {
        d.type = payload[5];
        app_message connect{app_protocol::s7comm, d};
        connect.is_response = payload[5] == 0xd0;
        return connect;
    }
    const bytes s7 = slice(payload, 7);
    const std::uint8_t kind = s7.size() > 1 ? s7[1] : std::uint8_t{0};
    const bool answer = kind == 2 || kind == 3;
    const bytes parameters = slice(s7, answer ? 12 : 10);
    d.version = kind;
    d.type = kind == 7 || parameters.empty() ? std::uint8_t{0} : parameters[0];
    app_message m{app_protocol::s7comm, d};
    m.is_response = answer;
    if (answer && s7.size() >= 12) {
        m.code = load_be16(s7.data() + 10);
        if (m.code != 0) m.facts |= app_fact::device_error;
    }
    if (!answer && (d.type == 5 || (d.type >= 0x1a && d.type <= 0x1c) || d.type == 0x28 || d.type == 0x29)) {
        m.facts |= app_fact::device_write;
    }
    return m;
}

/// DNP3's start bytes and a link length that can be; IEEE 1815.
[[nodiscard]] constexpr bool looks_like_dnp3(bytes payload) noexcept {
    return payload.size() >= 10 && payload[0] == 0x05 && payload[1] == 0x64 && payload[2] >= 5;
}
[[nodiscard]] constexpr app_message read_dnp3(bytes payload) noexcept {
    if (!looks_like_dnp3(payload)) return {};
    small_details d;
    d.amount = payload[2];
    // Link header 10, transport 1, application control 1, function.
    d.type = payload.size() > 12 && payload[2] > 7 ? payload[12] : std::uint8_t{0};
    app_message m{app_protocol::dnp3, d};
    m.is_response = (payload[3] & 0x80) == 0;  // direction bit: set by the master
    if (!m.is_response && ((d.type >= 2 && d.type <= 6) || d.type == 13 || d.type == 14))
        m.facts |= app_fact::device_write;
    return m;
}

/// Handshake, distributed hash table, a tracker's UDP connect, or the start of a uTP connection.
[[nodiscard]] constexpr bittorrent_kind match_bittorrent(bytes payload, bool datagram) noexcept {
    if (starts_with(payload,
                    "\x13"
                    "BitTorrent protocol"))
        return bittorrent_kind::handshake;
    if (!datagram || payload.size() < 16) return bittorrent_kind::none;
    if (payload[0] == 'd' && payload[1] >= '1' && payload[1] <= '2' && payload[2] == ':') {
        const std::uint8_t key = payload[3];
        if ((key == 'a' || key == 'q') && contains(slice(payload, 0, 24), "d2:id20:"))
            return bittorrent_kind::dht_query;
        if (key == 'r' || key == 'i' || key == 'e') {
            if (contains(slice(payload, 0, 32), "2:id20:") || contains(payload.last(16), "1:y1:")) {
                return bittorrent_kind::dht_reply;
            }
        }
    }
    if (load_be64(payload.data()) == 0x0000041727101980ULL && load_be32(payload.data() + 8) == 0) {
        return bittorrent_kind::tracker;
    }
    // uTP (BEP 29): version 1, a SYN acknowledges nothing; an answer's extension list must fit.
    if (payload[0] == 0x41 && payload.size() >= 20 && payload.size() <= 34 && payload[1] <= 2) {
        const bool nothing_yet = load_be32(payload.data() + 8) == 0;
        return nothing_yet && load_be16(payload.data() + 16) <= 1 ? bittorrent_kind::utp : bittorrent_kind::none;
    }
    return bittorrent_kind::none;
}
[[nodiscard]] constexpr app_message read_bittorrent(bytes payload) noexcept {
    const bittorrent_kind kind = match_bittorrent(payload, true);
    if (kind == bittorrent_kind::none) return {};
    small_details d;
    d.type = static_cast<std::uint16_t>(kind);
    app_message m{app_protocol::bittorrent, d};
    m.is_response = kind == bittorrent_kind::dht_reply;
    return m;
}

}  // namespace detail::app
}  // namespace v0
}  // namespace mldefender
