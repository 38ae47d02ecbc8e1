// SPDX-License-Identifier: MIT
// First bytes of everything else: SSH, time, address assignment, announcements, telephony, telemetry, peer-to-peer,
// tunnels, management, databases. As exact as a protocol reader looks, filler behind. Called by dialogues
// and behaviours.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <string_view>

#include <mldefender/core/address.hpp>
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
/// An SSH packet in clear around a payload: length, padding to a multiple of eight (RFC 4253).
inline blob ssh_packet(rng& r, const blob& content) {
    const std::size_t padding = 8 - (content.size() + 5) % 8 + ((content.size() + 5) % 8 > 4 ? 8U : 0U);
    blob b;
    return b.be32(1 + content.size() + padding).u8(padding).raw(content.view()).random(r, padding);
}
/// A string behind its length.
inline blob& ssh_string(blob& b, std::string_view s) { return b.be32(s.size()).text(s); }

/// Key exchange offer of about `length` bytes: cookie, ten lists of names, no guess.
inline message ssh_kexinit(rng& r, std::int64_t length) {
    static constexpr std::string_view lists[] = {"curve25519-sha256,ecdh-sha2-nistp256,diffie-hellman-group14-sha256",
                                                 "ssh-ed25519,rsa-sha2-512",
                                                 "chacha20-poly1305@openssh.com,aes128-ctr",
                                                 "aes256-ctr,aes128-ctr",
                                                 "hmac-sha2-256-etm@openssh.com",
                                                 "hmac-sha2-256",
                                                 "none,zlib@openssh.com",
                                                 "none",
                                                 "",
                                                 ""};
    blob content;
    content.u8(20).random(r, 16);
    blob first{lists[0]};
    while (static_cast<std::int64_t>(first.size()) + 340 < length) first.text(",diffie-hellman-group16-sha512");
    ssh_string(content, first.characters());
    for (std::size_t i = 1; i < std::size(lists); ++i) ssh_string(content, lists[i]);
    return ssh_packet(r, content.u8(0).be32(0));
}
/// The client's public value; `length` bytes on the wire, about.
inline message ssh_key_exchange(rng& r, std::int64_t length) {
    blob content;
    const auto size = static_cast<std::size_t>(length > 60 ? length - 16 : 32);
    return ssh_packet(r, content.u8(30).be32(size).random(r, size));
}
/// The server's host key, public value and signature, and the switch to new keys; about `length` bytes.
inline message ssh_key_answer(rng& r, std::int64_t length) {
    const auto modulus = static_cast<std::size_t>(length > 500 ? 257 : 129);
    const auto rest = static_cast<std::size_t>(length > 420 ? length - 420 : 32);
    blob key;
    ssh_string(key, "ssh-rsa").be32(3).be24(65537).be32(modulus).u8(0).random(r, modulus - 1);
    blob signature;
    ssh_string(signature, "rsa-sha2-512").be32(rest).random(r, rest);
    blob content;
    content.u8(31).be32(key.size()).raw(key.view()).be32(32).random(r, 32).be32(signature.size());
    blob b = ssh_packet(r, content.raw(signature.view()));
    return b.raw(ssh_packet(r, blob{}.u8(21)).view());
}
/// The client's switch to new keys.
inline blob ssh_new_keys() { return blob{}.be32(12).u8(10).u8(21).zeros(10); }

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
/// Header lines requests and answers of a dialogue share.
inline blob& sip_lines(rng& r, blob& b, std::string_view method, std::string_view user) {
    b.text("\r\nVia: SIP/2.0/UDP host:5060;branch=z9hG4bK").random_text(r, 10, hex_digits);
    b.text("\r\nFrom: <sip:").text(user).text("@voice.example>;tag=").random_text(r, 8, hex_digits);
    b.text("\r\nTo: <sip:").text(user).text("@voice.example>\r\nCall-ID: ").random_text(r, 16, hex_digits);
    return b.text("\r\nCSeq: 1 ").text(method).text("\r\n");
}
/// What media is offered, when `port` is not 0; ends the message.
inline message sip_end(blob& b, const address& at, std::uint16_t port) {
    blob offer;
    if (port != 0) {
        const address_text numeric = to_text(at);
        const std::string_view family = at.is_v4() ? "IP4 " : "IP6 ";
        offer.text("v=0\r\no=- 1 1 IN ").text(family).text(numeric.view()).text("\r\ns=call\r\nc=IN ").text(family);
        offer.text(numeric.view()).text("\r\nt=0 0\r\nm=audio ").number(port).text(" RTP/AVP 0 8 18 101\r\n");
        offer.text("a=rtpmap:0 PCMU/8000\r\na=rtpmap:18 G729/8000\r\na=ptime:20\r\na=sendrecv\r\n");
        b.text("Content-Type: application/sdp\r\n");
    }
    b.text("Content-Length: ").number(offer.size()).text("\r\n\r\n").raw(offer.view());
    return std::move(b);
}
/// A request, with credentials or an offer of media at `media` when its port is not 0.
inline message sip_request(rng& r, std::string_view method, std::string_view user, bool credentials,
                           const address& media = {}, std::uint16_t media_port = 0) {
    blob b{method};
    b.text(" sip:").text(user).text("@voice.example SIP/2.0");
    sip_lines(r, b, method, user).text("Max-Forwards: 70\r\nContact: <sip:").text(user).text("@host:5060>\r\n");
    if (credentials) {
        b.text("Authorization: Digest username=\"").text(user).text("\", realm=\"voice.example\", nonce=\"");
        b.random_text(r, 16, hex_digits).text("\", uri=\"sip:voice.example\", response=\"");
        b.random_text(r, 32, hex_digits).text("\"\r\n");
    }
    return sip_end(b, media, media_port);
}
/// An answer: 100, 180, 200, 401, 403, 404.
inline message sip_reply(rng& r, int status, std::string_view method, std::string_view user, const address& media = {},
                         std::uint16_t media_port = 0) {
    blob b{"SIP/2.0 "};
    b.number(static_cast<std::uint64_t>(status)).u8(' ');
    b.text(status == 100   ? "Trying"
           : status == 180 ? "Ringing"
           : status == 200 ? "OK"
           : status == 401 ? "Unauthorized"
           : status == 403 ? "Forbidden"
                           : "Not Found");
    sip_lines(r, b, method, user);
    if (status == 401) {
        b.text("WWW-Authenticate: Digest realm=\"voice.example\", nonce=\"").random_text(r, 16, hex_digits);
        b.text("\"\r\n");
    }
    return sip_end(b, media, media_port);
}
/// A sender report with its description (RFC 3550).
inline blob rtcp(rng& r, std::uint32_t source) {
    blob b;
    b.u8(0x80).u8(200).be16(6).be32(source).random(r, 20);
    return b.u8(0x81).u8(202).be16(5).be32(source).u8(1).u8(10).text("user@host1").zeros(4);
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
/// A host telling its service and address to everybody: PTR, SRV and A records (RFC 6762).
inline blob mdns_announcement(rng& r, std::string_view name, const address& at) {
    static constexpr std::string_view services[] = {"_http", "_ipp", "_airplay", "_googlecast", "_hap", "_ssh"};
    const std::string_view service = r.pick(services);
    const auto label = [](blob& b, std::string_view s) -> blob& { return b.u8(s.size()).text(s); };
    blob b;
    b.be16(0).be16(0x8400).be16(0).be16(3).be16(0).be16(0);
    label(label(label(b, service), "_tcp"), "local").u8(0).be16(12).be16(1).be32(4500).be16(name.size() + 3);
    const std::size_t whole = b.size();
    label(b, name).be16(0xc00c).be16(0xc000U | whole).be16(33).be16(0x8001).be32(120).be16(6 + name.size() + 3);
    b.be16(0).be16(0).be16(80);
    const std::size_t host = b.size();
    label(b, name).be16(0xc00c + service.size() + 1 + 5).be16(0xc000U | host).be16(1).be16(0x8001).be32(120);
    return b.be16(4).be32(at.v4_number());
}
/// A probe for any device (WS-Discovery).
inline blob ws_discovery(rng& r) {
    blob b{
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><soap:Envelope "
        "xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\" "
        "xmlns:wsa=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" "
        "xmlns:wsd=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\"><soap:Header><wsa:To>"
        "urn:schemas-xmlsoap-org:ws:2005:04:discovery</wsa:To><wsa:Action>"
        "http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</wsa:Action><wsa:MessageID>urn:uuid:"};
    b.random_text(r, 8, hex_digits).text("-0000-4000-8000-").random_text(r, 12, hex_digits);
    return b.text("</wsa:MessageID></soap:Header><soap:Body><wsd:Probe/></soap:Body></soap:Envelope>");
}
/// A NetBIOS name in its first-level encoding (RFC 1001), behind its length and before a zero.
inline blob& netbios_name(blob& b, std::string_view name) {
    b.u8(32);
    for (std::size_t i = 0; i < 16; ++i) {
        const auto c = static_cast<std::uint8_t>(i < name.size() && i < 15 ? name[i] & 0x5f : (i == 15 ? 0 : ' '));
        b.u8('A' + (c >> 4)).u8('A' + (c & 15U));
    }
    return b.u8(0);
}
/// A datagram to a group carrying a host announcement in a mail slot.
inline blob netbios_datagram(rng& r, std::uint32_t from, std::string_view name, std::string_view group) {
    blob slot;
    slot.u8(0xff).text("SMB").u8(0x25).le32(0).zeros(23).u8(17).zeros(2).le16(33).zeros(18).le16(33).le16(86);
    slot.u8(3).u8(0).le16(1).le16(0).le16(2).le16(50).text("\\MAILSLOT\\BROWSE").u8(0);
    slot.u8(1).u8(0x80).le32(720'000);
    for (std::size_t i = 0; i < 16; ++i) slot.u8(i < name.size() && i < 15 ? static_cast<std::uint8_t>(name[i]) : 0);
    slot.u8(10).u8(0).le32(0x00011003).u8(15).u8(1).le16(0xaa55).u8(0);
    blob names;
    netbios_name(netbios_name(names, name), group);
    blob b;
    b.u8(0x11).u8(2).random(r, 2).be32(from).be16(138).be16(names.size() + slot.size()).be16(0);
    return b.raw(names.view()).raw(slot.view());
}
/// Header of a one-question LLMNR or mDNS query.
inline blob llmnr_like_flags(std::uint16_t id) {  // header of a one-question LLMNR or mDNS query
    blob b;
    return b.be16(id).be16(0).be16(1).be16(0).be16(0).be16(0);
}
/// NetBIOS name query to everybody.
inline blob netbios_query(rng& r, std::string_view name) {
    blob b;
    b.random(r, 2).be16(0x0110).be16(1).be16(0).be16(0).be16(0);
    return netbios_name(b, name).be16(32).be16(1);
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
/// An IKEv2 message of one payload: exchange 34 opens with a nonce, 35 authenticates sealed.
inline message isakmp(rng& r, int exchange, std::int64_t size) {
    blob b;
    b.random(r, 8).random(r, 8).u8(exchange == 34 ? 40 : 46).u8(0x20).u8(static_cast<std::uint64_t>(exchange)).u8(8);
    b.be32(exchange == 34 ? 0 : 1).be32(static_cast<std::uint64_t>(size));
    b.u8(0).u8(0).be16(static_cast<std::uint64_t>(size - 28));
    return {std::move(b), size};
}
/// The first message of a MySQL server.
inline blob mysql_greeting(rng& r) {
    blob b;
    b.u8(10).text("8.0.32").u8(0).random(r, 4);
    b.random_text(r, 8, lower_digits).u8(0).le16(0xffff).u8(33).le16(2).le16(0xdfff).u8(21).zeros(10);
    b.random_text(r, 12, lower_digits).u8(0).text("mysql_native_password").u8(0);
    blob whole;
    return whole.u8(b.size()).be24(0).raw(b.view());
}
/// The client's log-in.
inline blob mysql_log_in(rng& r, std::string_view user) {
    blob b;
    b.le32(0x00bfa685).le32(1U << 24).u8(33).zeros(23).text(user).u8(0).u8(20).random(r, 20);
    b.text("mysql_native_password").u8(0);
    blob whole;
    return whole.u8(b.size()).be16(0).u8(1).raw(b.view());
}
/// Accepted, or error 1045.
inline blob mysql_answer(bool right) {
    blob b;
    if (right) return b.u8(7).be16(0).u8(2).u8(0).u8(0).u8(0).le16(2).le16(0);
    constexpr std::string_view words = "#28000Access denied for user 'app'@'host' (using password: YES)";
    return b.u8(3 + words.size()).be16(0).u8(2).u8(0xff).le16(1045).text(words);
}
/// A query.
inline blob mysql_query(rng& r, std::size_t size) {
    blob b;
    return b.le16(size + 1).u8(0).u8(0).u8(3).text("SELECT ").random_text(r, size > 7 ? size - 7 : 0, lower_letters);
}
/// A result of one column and about `size` bytes of rows, each at most 250.
inline message mysql_rows(rng& r, std::int64_t size) {
    blob b;
    b.u8(1).be16(0).u8(1).u8(1);
    blob column;
    column.u8(3)
        .text("def")
        .u8(0)
        .u8(0)
        .u8(0)
        .u8(1)
        .text("a")
        .u8(0)
        .u8(12)
        .le16(33)
        .le32(255)
        .u8(253)
        .le16(0)
        .u8(0)
        .zeros(2);
    b.u8(column.size()).be16(0).u8(2).raw(column.view()).u8(5).be16(0).u8(3).u8(0xfe).le16(0).le16(2);
    std::uint8_t number = 4;
    for (std::int64_t left = std::min<std::int64_t>(size, 6000); left > 0; left -= 250) {
        const auto part = static_cast<std::size_t>(std::min<std::int64_t>(left, 240));
        b.u8(part + 1).be16(0).u8(number++).u8(part).random_text(r, part, lower_letters);
    }
    return {b.u8(5).be16(0).u8(number).u8(0xfe).le16(0).le16(2)};
}
/// The client's first message.
inline blob postgres_startup(std::string_view user) {
    blob b;
    b.be32(0x30000).text("user").u8(0).text(user).u8(0).text("database").u8(0).text("data").u8(0).u8(0);
    blob whole;
    return whole.be32(b.size() + 4).raw(b.view());
}
/// The server asks for an MD5 of the password.
inline blob postgres_asks_password(rng& r) { return blob{"R"}.be32(12).be32(5).random(r, 4); }
/// The client's answer.
inline blob postgres_password(rng& r) { return blob{"p"}.be32(40).text("md5").random_text(r, 32, hex_digits).u8(0); }
/// Accepted: parameters, and ready for queries.
inline blob postgres_ready() {
    blob b{"R"};
    b.be32(8).be32(0);
    for (const std::string_view word : {"server_version", "client_encoding", "TimeZone", "integer_datetimes"})
        b.text("S").be32(4 + word.size() + 1 + 5).text(word).u8(0).text("1500").u8(0);
    return b.text("K").be32(12).be32(4711).be32(12345).text("Z").be32(5).text("I");
}
/// A simple query of about `size` bytes.
inline blob postgres_query(rng& r, std::size_t size) {
    return blob{"Q"}.be32(size + 5).text("SELECT ").random_text(r, size > 7 ? size - 7 : 0, lower_letters).u8(0);
}
/// Rows of one column, about `size` bytes, and the end of the command.
inline message postgres_rows(rng& r, std::int64_t size) {
    blob b{"T"};
    b.be32(6 + 20).be16(1).text("a").u8(0).be32(0).be16(0).be32(25).be16(0xffff).be32(0xffffffff).be16(0);
    for (std::int64_t left = std::min<std::int64_t>(size, 6000); left > 0; left -= 250) {
        const auto part = static_cast<std::size_t>(std::min<std::int64_t>(left, 240));
        b.text("D").be32(10 + part).be16(1).be32(part).random_text(r, part, lower_letters);
    }
    return {b.text("C").be32(13).text("SELECT 1").u8(0).text("Z").be32(5).text("I")};
}
/// Pre-login to Microsoft SQL Server (type 0x12), or its answer (type 4), that wants no encryption.
inline blob tds_prelogin(rng& r, std::uint8_t type) {
    blob b;
    b.u8(type).u8(1).be16(8 + 21 + 6 + 1 + 1 + 4).be16(0).u8(1).u8(0);
    b.u8(0).be16(21).be16(6).u8(1).be16(27).be16(1).u8(2).be16(28).be16(1).u8(3).be16(29).be16(4).u8(0xff);
    return b.be32(0x0f000000).be16(0).u8(2).u8(0).random(r, 4);
}
/// LOGIN7 with short names.
inline blob tds_log_in(rng& r) {
    blob names;
    const std::size_t base = 94;
    blob fields;
    const auto field = [&](std::string_view s) {
        fields.le16(base + names.size()).le16(s.size());
        names.utf16(s);
    };
    field("station");
    field("app");
    blob password;
    fields.le16(base + names.size()).le16(8);
    names.random(r, 16);
    for (const std::string_view s : {"program", "server", "", "odbc", "", "data"}) field(s);
    fields.random(r, 6).le16(base + names.size()).le16(0).le16(base + names.size()).le16(0);
    fields.le16(base + names.size()).le16(0).le32(0);
    blob login;
    login.le32(base + names.size()).le32(0x74000004).le32(4096).le32(7).le32(1234).le32(0);
    login.u8(0xe0).u8(3).u8(0).u8(0).le32(0).le32(1033).raw(fields.view()).raw(names.view());
    blob whole;
    return whole.u8(16).u8(1).be16(8 + login.size()).be16(0).u8(1).u8(0).raw(login.view());
}
/// Accepted (a token "done"), or error 18456.
inline blob tds_answer(bool right) {
    blob tokens;
    if (!right) {
        const std::string_view words = "Login failed for user 'app'.";
        tokens.u8(0xaa).le16(12 + 2 * words.size() + 2 + 2).le32(18456).u8(1).u8(14).le16(words.size()).utf16(words);
        tokens.u8(1).utf16("s").u8(0).le32(1);
    }
    tokens.u8(0xfd).le16(right ? 0 : 2).le16(0).le64(0);
    blob whole;
    return whole.u8(4).u8(1).be16(8 + tokens.size()).be16(0).u8(1).u8(0).raw(tokens.view());
}

/// A batch of about `size` bytes.
inline blob tds_query(rng& r, std::size_t size) {
    blob b;
    const std::size_t letters = size / 2;
    b.u8(1).u8(1).be16(8 + 22 + 2 * letters).be16(0).u8(1).u8(0);
    b.le32(22).le32(18).le16(2).le64(0).le32(1);
    for (std::size_t i = 0; i < letters; ++i) b.u8(static_cast<std::uint8_t>(lower_letters[r.below(26)])).u8(0);
    return b;
}
/// One row of one text column of `size` bytes.
inline blob tds_rows(rng& r, std::int64_t size) {
    const auto letters = static_cast<std::size_t>(size / 2);
    blob tokens;
    tokens.u8(0x81).le16(1).le32(0).le16(9).u8(0xe7).le16(8000).le32(0xd0000904).u8(0x34).u8(1).utf16("a");
    tokens.u8(0xd1).le16(2 * letters);
    for (std::size_t i = 0; i < letters; ++i) tokens.u8(static_cast<std::uint8_t>(lower_letters[r.below(26)])).u8(0);
    tokens.u8(0xfd).le16(0x10).le16(0xc1).le64(1);
    blob whole;
    return whole.u8(4).u8(1).be16(8 + tokens.size()).be16(0).u8(1).u8(0).raw(tokens.view());
}
/// A MongoDB message with one document that holds one string of about `size` bytes.
inline blob mongo(rng& r, std::uint32_t id, std::uint32_t answers, std::size_t size) {
    blob document;
    document.u8(2).text("find").u8(0).le32(size + 1).random_text(r, size, lower_letters).u8(0).u8(0);
    blob b;
    b.le32(16 + 4 + 1 + 4 + document.size()).le32(id).le32(answers).le32(2013).le32(0).u8(0);
    return b.le32(4 + document.size()).raw(document.view());
}

}  // namespace payload
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
