// SPDX-License-Identifier: MIT
// First bytes of everything else: SSH, time, address assignment, announcements, telephony, telemetry, control,
// peer-to-peer, tunnels, management, databases. As exact as a protocol reader looks, filler behind. Called by dialogues
// and behaviours.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <mldefender/forge/synth/blob.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace payload {

/// Banners of common clients and servers.
inline constexpr std::array<std::string_view, 10> ssh_clients{"SSH-2.0-OpenSSH_9.2p1 Debian-2",
                                                              "SSH-2.0-OpenSSH_8.9p1 Ubuntu-3",
                                                              "SSH-2.0-OpenSSH_7.4",
                                                              "SSH-2.0-OpenSSH_6.6.1",
                                                              "SSH-2.0-PuTTY_Release_0.78",
                                                              "SSH-2.0-libssh2_1.10.0",
                                                              "SSH-2.0-libssh_0.9.6",
                                                              "SSH-2.0-paramiko_2.12.0",
                                                              "SSH-2.0-Go",
                                                              "SSH-2.0-JSCH-0.1.54"};

/// A banner line.
inline blob ssh_banner(std::string_view name) {
    blob b{name};
    return b.text("\r\n");
}
/// Key exchange offer; `length` is the packet's length on the wire.
inline message ssh_kexinit(rng& r, std::int64_t length) {
    blob b;
    b.be32(static_cast<std::uint64_t>(length - 4)).u8(6).u8(20).random(r, 16);
    constexpr std::string_view kex = "curve25519-sha256,ecdh-sha2-nistp256,diffie-hellman-group14-sha256";
    b.be32(kex.size()).text(kex);
    return {std::move(b), length, body_kind::text};
}
/// A packet in clear with the given message number (30 key exchange, 31 answer, 21 new keys).
inline message ssh_packet(int number, std::int64_t length) {
    blob b;
    b.be32(static_cast<std::uint64_t>(length - 4)).u8(10).u8(static_cast<std::uint64_t>(number));
    return {std::move(b), length};
}

/// A time request (mode 3), answer (4) or any other mode.
inline blob ntp(rng& r, int mode, int version = 4) {
    blob b;
    b.u8(static_cast<std::uint64_t>((version << 3) | mode))
        .u8(mode == 3 ? 0 : 2)
        .u8(6)
        .u8(0xec)
        .be32(0x1000)
        .be32(0x800);
    return b.random(r, 36);
}
/// Message kind as in option 53: 1 discover, 2 offer, 3 request, 5 acknowledgement, 8 inform.
inline blob dhcp(rng& r, int kind, const std::array<std::uint8_t, 6>& mac, std::string_view name) {
    blob b;
    const bool request = kind == 1 || kind == 3 || kind == 8;
    b.u8(request ? 1 : 2).u8(1).u8(6).u8(0).random(r, 4).be32(0).zeros(16).raw({mac.data(), 6}).zeros(202);
    b.be32(0x63825363).u8(53).u8(1).u8(static_cast<std::uint64_t>(kind)).u8(12).u8(name.size()).text(name);
    b.u8(55).u8(8).u8(1).u8(3).u8(6).u8(15).u8(31).u8(33).u8(43).u8(44).u8(255);
    return b.size() < 300 ? b.zeros(300 - b.size()) : b;
}
/// A multicast search for `target`, or an announcement of it.
inline blob ssdp(bool search, std::string_view target) {
    blob b;
    if (search) {
        b.text("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 3\r\nST: ");
    } else {
        b.text(
            "NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nCACHE-CONTROL: max-age=1800\r\nNTS: "
            "ssdp:alive\r\nNT: ");
    }
    return b.text(target).text("\r\n\r\n");
}
/// The unicast answer to a search.
inline blob ssdp_answer(std::string_view target) {
    blob b{
        "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=1800\r\nEXT:\r\nLOCATION: http://device/root.xml\r\nSERVER: "
        "UPnP/1.0\r\nST: "};
    return b.text(target).text("\r\nUSN: uuid:device::").text(target).text("\r\n\r\n");
}
/// A request or answer of `size` bytes that begins with `first_line`.
inline message sip(rng& r, std::string_view first_line, std::string_view user, std::int64_t size) {
    blob b{first_line};
    b.text("\r\nVia: SIP/2.0/UDP host;branch=z9hG4bK")
        .random_text(r, 10, hex_digits)
        .text("\r\nFrom: <sip:")
        .text(user);
    b.text("@voice>;tag=").random_text(r, 8, hex_digits).text("\r\nCall-ID: ").random_text(r, 16, hex_digits);
    b.text("\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n");
    return {std::move(b), size, body_kind::text};
}
/// A media packet of `size` bytes; `type` is the payload type, marker bit included.
inline message rtp(std::uint8_t type, std::uint16_t sequence, std::uint32_t time, std::uint32_t source,
                   std::int64_t size) {
    blob b;
    b.u8(0x80).u8(type).be16(sequence).be32(time).be32(source);
    return {std::move(b), size};
}
/// A binding request or its answer.
inline blob stun(rng& r, bool answer) {
    blob b;
    b.be16(answer ? 0x0101 : 0x0001).be16(answer ? 12 : 0).be32(0x2112a442).random(r, 12);
    if (answer) b.be16(0x0020).be16(8).be16(1).random(r, 6);
    return b;
}
/// Packet kind: 1 connect, 2 its acknowledgement, 3 publish with `extra` bytes, 12 ping, 13 its answer.
inline blob mqtt(int kind, std::string_view topic, std::size_t extra, rng& r) {
    blob b;
    if (kind == 1)
        return b.u8(0x10)
            .u8(12 + topic.size())
            .be16(4)
            .text("MQTT")
            .u8(4)
            .u8(2)
            .be16(60)
            .be16(topic.size())
            .text(topic);
    if (kind == 2) return b.u8(0x20).u8(2).be16(0);
    if (kind == 12) return b.u8(0xc0).u8(0);
    if (kind == 13) return b.u8(0xd0).u8(0);
    const std::size_t length = 2 + topic.size() + extra;
    b.u8(0x30);
    if (length > 127)
        b.u8(0x80U | (length & 0x7f)).u8(length >> 7);
    else
        b.u8(length);
    return b.be16(topic.size()).text(topic).random_text(r, extra, "{\"temp\":2.5, id}0123456789");
}
/// Modbus/TCP request (`words` 0) or answer carrying that many registers.
inline blob modbus(rng& r, std::uint16_t transaction, std::uint8_t function, std::uint16_t at, std::uint8_t words,
                   bool answer) {
    blob b;
    if (!answer) return b.be16(transaction).be16(0).be16(6).u8(1).u8(function).be16(at).be16(words);
    return b.be16(transaction).be16(0).be16(3U + 2U * words).u8(1).u8(function).u8(2U * words).random(r, 2U * words);
}
/// An S7comm job of `size` bytes.
inline message s7(std::int64_t size) {
    blob b;
    b.u8(3)
        .u8(0)
        .be16(static_cast<std::uint64_t>(size))
        .u8(2)
        .u8(0xf0)
        .u8(0x80)
        .u8(0x32)
        .u8(1)
        .be16(0)
        .be16(1)
        .be16(14)
        .be16(0)
        .u8(4);
    return {std::move(b), size, body_kind::zeros};
}
/// A DNP3 read of `size` bytes, at most 255 behind the length field.
inline message dnp3(rng& r, std::int64_t size) {
    blob b;
    b.u8(5)
        .u8(0x64)
        .u8(static_cast<std::uint64_t>(size - 5))
        .u8(0xc4)
        .le16(10)
        .le16(1)
        .random(r, 2)
        .u8(0xc0)
        .u8(0xc1)
        .u8(1);
    return {std::move(b), size, body_kind::zeros};
}
/// A message of a four-character kind (HELF, ACKF, MSGF) with `extra` bytes.
inline blob opc_ua(std::string_view kind, std::size_t extra) {
    blob b{kind};
    return b.le32(8 + extra).zeros(extra);
}
/// The peer handshake.
inline blob bittorrent(rng& r) {
    blob b;
    return b.u8(19)
        .text("BitTorrent protocol")
        .be64(0x100005)
        .random(r, 20)
        .text("-TR2940-")
        .random_text(r, 12, lower_digits);
}
/// A get_peers query or its answer.
inline blob dht(rng& r, bool answer) {
    blob b{answer ? "d1:rd2:id20:" : "d1:ad2:id20:"};
    b.random(r, 20);
    if (answer) return b.text("5:nodes208:").random(r, 208).text("e1:t2:").random(r, 2).text("1:y1:re");
    return b.text("9:info_hash20:").random(r, 20).text("e1:q9:get_peers1:t2:").random(r, 2).text("1:y1:qe");
}
/// A header of type 0 data, 1 FIN, 2 state, 3 reset, 4 SYN.
inline blob utp(rng& r, int type) {
    blob b;
    return b.u8(static_cast<std::uint64_t>((type << 4) | 1)).u8(0).be16(r.below(65536)).random(r, 12).be16(1).be16(0);
}
/// A version 2c get request, or its answer, with so many values.
inline blob snmp(rng& r, bool answer, std::size_t values) {
    blob bindings;
    for (std::size_t i = 0; i < values; ++i) {
        bindings.u8(0x30).u8(answer ? 14 : 12).u8(6).u8(8).be32(0x2b060102).be16(0x0101).u8(r.below(20)).u8(0);
        if (answer)
            bindings.u8(0x42).u8(2).random(r, 2);
        else
            bindings.u8(5).u8(0);
    }
    blob pdu;
    pdu.u8(2)
        .u8(2)
        .random(r, 2)
        .u8(2)
        .u8(1)
        .u8(0)
        .u8(2)
        .u8(1)
        .u8(0)
        .u8(0x30)
        .u8(0x82)
        .be16(bindings.size())
        .raw(bindings.view());
    blob b;
    b.u8(0x30).u8(0x82).be16(3 + 8 + 4 + pdu.size()).u8(2).u8(1).u8(1).u8(4).u8(6).text("public");
    return b.u8(answer ? 0xa2 : 0xa0).u8(0x82).be16(pdu.size()).raw(pdu.view());
}
/// Header of a one-question LLMNR or mDNS query.
inline blob llmnr_like_flags(std::uint16_t id) {  // header of a one-question LLMNR or mDNS query
    blob b;
    return b.be16(id).be16(0).be16(1).be16(0).be16(0).be16(0);
}
/// NetBIOS name query or datagram header.
inline blob netbios_query(rng& r, std::string_view name) {
    blob b;
    b.random(r, 2).be16(0x0110).be16(1).be16(0).be16(0).be16(0).u8(32);
    for (std::size_t i = 0; i < 16; ++i) {
        const auto c = static_cast<std::uint8_t>(i < name.size() && i < 15 ? name[i] & 0x5f : (i == 15 ? 0 : ' '));
        b.u8('A' + (c >> 4)).u8('A' + (c & 15U));
    }
    return b.u8(0).be16(32).be16(1);
}
/// Type 1 initiation, 2 response, 4 data.
inline message wireguard(rng& r, int type, std::int64_t size) {
    blob b;
    b.le32(static_cast<std::uint64_t>(type)).random(r, 4);
    return {std::move(b), size};
}
/// Opcode 7 and 8 client and server reset, 4 control, 6 data.
inline message open_vpn(rng& r, int opcode, std::int64_t size) {
    blob b;
    b.u8(static_cast<std::uint64_t>(opcode) << 3).random(r, 8);
    return {std::move(b), size};
}
/// An encrypted packet behind its sequence number (RFC 3948).
inline message esp_in_udp(rng& r, std::uint32_t sequence, std::int64_t size) {
    blob b;
    b.be32(0xc0ffee01).be32(sequence).random(r, 8);
    return {std::move(b), size};
}
/// An IKEv2 header; exchange 34 opens, 35 authenticates.
inline message isakmp(rng& r, int exchange, std::int64_t size) {
    blob b;
    b.random(r, 8)
        .zeros(8)
        .u8(33)
        .u8(0x20)
        .u8(static_cast<std::uint64_t>(exchange))
        .u8(8)
        .be32(0)
        .be32(static_cast<std::uint64_t>(size));
    return {std::move(b), size};
}
/// The first message of a MySQL server.
inline blob mysql_greeting(rng& r) {
    blob b;
    return b.u8(74).be24(0).u8(10).text("8.0.32").u8(0).random(r, 60);
}
/// The client's first message.
inline blob postgres_startup(std::string_view user) {
    blob b;
    return b.be32(22 + user.size()).be32(0x30000).text("user").u8(0).text(user).u8(0).text("database").u8(0);
}
/// The first message to Microsoft SQL Server.
inline blob tds_prelogin(rng& r) {
    blob b;
    return b.u8(0x12).u8(1).be16(47).be32(0).random(r, 39);
}

}  // namespace payload
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
