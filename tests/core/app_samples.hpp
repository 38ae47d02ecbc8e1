// SPDX-License-Identifier: MIT
// Hand-written messages of every protocol with a reader, for the tests of core/app: built field by field from the
// RFCs and specifications, usable while compiling. Shared by the readers' own tests and by the properties that must
// hold for all of them.
#pragma once

#include <cstdint>
#include <string_view>

#include <mldefender/core/app/read.hpp>
#include <support/frames.hpp>

namespace mldefender::test {

/// Characters as UTF-16LE.
[[nodiscard]] constexpr frame wide(std::string_view text) {
    frame f;
    for (const char c : text) f.u8(static_cast<std::uint8_t>(c)).u8(0);
    return f;
}

/// One BER item with a length of one byte or, from 128 on, two more.
[[nodiscard]] constexpr frame ber(unsigned tag, bytes value) {
    frame f;
    f.u8(tag);
    if (value.size() < 128) {
        f.u8(static_cast<unsigned>(value.size()));
    } else {
        f.u8(0x82).be16(static_cast<unsigned>(value.size()));
    }
    return f.add(value);
}
[[nodiscard]] constexpr frame ber_int(unsigned value, unsigned tag = 2) { return ber(tag, frame{}.u8(value)); }
[[nodiscard]] constexpr frame ber_text(unsigned tag, std::string_view text) { return ber(tag, text_of(text)); }
[[nodiscard]] constexpr frame join(const frame& a, const frame& b) { return frame{}.add(a).add(b); }

/// A name in DNS wire form from its dotted spelling.
[[nodiscard]] constexpr frame dns_name(std::string_view dotted) {
    frame f;
    while (!dotted.empty()) {
        const std::size_t dot = dotted.find('.');
        const std::string_view label = dotted.substr(0, dot);
        f.u8(static_cast<unsigned>(label.size())).text(label);
        dotted = dot == std::string_view::npos ? std::string_view{} : dotted.substr(dot + 1);
    }
    return f.u8(0);
}
[[nodiscard]] constexpr frame dns_query(std::string_view name, unsigned qtype, unsigned flags = 0x0100,
                                        unsigned answers = 0) {
    return frame{}
        .be16(0x1234)
        .be16(flags)
        .be16(1)
        .be16(answers)
        .be16(0)
        .be16(0)
        .add(dns_name(name))
        .be16(qtype)
        .be16(1);
}
/// One answer whose name points back to the question.
[[nodiscard]] constexpr frame dns_answer(unsigned type, std::uint32_t ttl, bytes data) {
    return frame{}.be16(0xc00c).be16(type).be16(1).be32(ttl).be16(static_cast<unsigned>(data.size())).add(data);
}

[[nodiscard]] constexpr frame tls_record(unsigned type, bytes body) {
    return frame{}.u8(type).be16(0x0301).be16(static_cast<unsigned>(body.size())).add(body);
}
[[nodiscard]] constexpr frame tls_handshake(unsigned type, bytes body) {
    return frame{}.u8(type).u8(0).be16(static_cast<unsigned>(body.size())).add(body);
}
[[nodiscard]] constexpr frame tls_extension(unsigned type, bytes body) {
    return frame{}.be16(type).be16(static_cast<unsigned>(body.size())).add(body);
}
[[nodiscard]] constexpr frame server_name_extension(std::string_view host) {
    const auto length = static_cast<unsigned>(host.size());
    return tls_extension(0, frame{}.be16(length + 3).u8(0).be16(length).text(host));
}
/// A client hello with two suites, one of them GREASE, and the given extensions.
[[nodiscard]] constexpr frame client_hello(bytes extensions) {
    frame body;
    body.be16(0x0303).zeros(32).u8(0).be16(6).be16(0x1a1a).be16(0x1301).be16(0xc02f).u8(1).u8(0);
    body.be16(static_cast<unsigned>(extensions.size())).add(extensions);
    return tls_record(22, tls_handshake(1, body));
}

/// SMB 2 header and body behind NetBIOS framing. `next` is NextCommand.
[[nodiscard]] constexpr frame smb2_message(unsigned command, bool response, std::uint32_t status, bytes body,
                                           std::uint32_t next = 0) {
    frame f;
    f.be32(0xfe534d42).le16(64).le16(0).le32(status).le16(command).le16(1).le32(response ? 1 : 0).le32(next);
    return f.zeros(64 - 24).add(body);
}
[[nodiscard]] constexpr frame netbios(bytes message) {
    return frame{}.be32(static_cast<std::uint32_t>(message.size())).add(message);
}
[[nodiscard]] constexpr frame smb2(unsigned command, bool response, std::uint32_t status, bytes body) {
    return netbios(smb2_message(command, response, status, body));
}
[[nodiscard]] constexpr frame smb2_tree_connect(std::string_view path) {
    const frame name = wide(path);
    return smb2(3, false, 0, frame{}.le16(9).le16(0).le16(72).le16(static_cast<unsigned>(name.size)).add(name));
}
[[nodiscard]] constexpr frame smb2_create_body(std::string_view path, std::uint32_t disposition,
                                               std::uint32_t options) {
    const frame name = wide(path);
    frame body;
    body.le16(57).zeros(34).le32(disposition).le32(options).le16(64 + 56).le16(static_cast<unsigned>(name.size));
    return body.zeros(8).add(name);
}

/// SMB 1 header, words and bytes behind NetBIOS framing; Unicode strings.
[[nodiscard]] constexpr frame smb1(unsigned command, bool response, std::uint32_t status, bytes words, bytes data) {
    frame f;
    f.be32(0xff534d42).u8(command).le32(status).u8(response ? 0x80 : 0).le16(0x8000).zeros(20);
    f.u8(static_cast<unsigned>(words.size() / 2)).add(words).le16(static_cast<unsigned>(data.size())).add(data);
    return netbios(f);
}

/// Little-endian DCE/RPC common header with the fragment length filled in.
[[nodiscard]] constexpr frame rpc(unsigned ptype, bytes body) {
    frame f;
    f.u8(5).u8(0).u8(ptype).u8(3).le32(0x10).le16(static_cast<unsigned>(16 + body.size())).le16(0).le32(1);
    return f.add(body);
}
/// A bind to one interface, given as the UUID's bytes on the wire.
[[nodiscard]] constexpr frame rpc_bind(bytes uuid) {
    return rpc(11,
               frame{}.le16(4280).le16(4280).le32(0).u8(1).zeros(3).le16(0).u8(1).u8(0).add(uuid).le32(2).zeros(20));
}
inline constexpr std::uint8_t svcctl_uuid[] = {0x81, 0xbb, 0x7a, 0x36, 0x44, 0x98, 0xf1, 0x35,
                                               0xad, 0x32, 0x98, 0xf0, 0x38, 0x00, 0x10, 0x03};

/// AS-REQ or TGS-REQ for `name` with one encryption type.
[[nodiscard]] constexpr frame kdc_request(unsigned type, std::string_view name, unsigned etype, bool with_timestamp) {
    const frame strings = ber(0xa1, ber(0x30, ber_text(0x1b, name)));
    const frame principal = ber(0x30, join(ber(0xa0, ber_int(1)), strings));
    const frame etypes = ber(0xa8, ber(0x30, ber_int(etype)));
    const frame padata = ber(0x30, ber(0x30, join(ber(0xa1, ber_int(2)), ber(0xa2, ber_text(4, "x")))));
    frame fields = join(ber(0xa1, ber_int(5)), ber(0xa2, ber_int(type)));
    if (with_timestamp) fields.add(ber(0xa3, padata));
    fields.add(ber(0xa4, ber(0x30, join(ber(type == 10 ? 0xa1 : 0xa3, principal), etypes))));
    return ber(0x60 | type, ber(0x30, fields));
}
[[nodiscard]] constexpr frame krb_error(unsigned code) {
    return ber(0x7e, ber(0x30, join(join(ber(0xa0, ber_int(5)), ber(0xa1, ber_int(30))), ber(0xa6, ber_int(code)))));
}

[[nodiscard]] constexpr frame ldap(unsigned tag, bytes body) { return ber(0x30, join(ber_int(1), ber(tag, body))); }
[[nodiscard]] constexpr frame ldap_bind_response(unsigned code) {
    return ldap(0x61, join(join(ber_int(code, 0x0a), ber_text(4, "")), ber_text(4, "")));
}

[[nodiscard]] constexpr frame snmp_request(unsigned pdu, unsigned repetitions) {
    const frame numbers = join(join(ber_int(7), ber_int(0)), ber_int(repetitions));
    return ber(0x30, join(join(ber_int(1), ber_text(4, "public")), ber(pdu, numbers)));
}

[[nodiscard]] constexpr frame rdp_request(std::string_view cookie) {
    frame variable;
    variable.text(cookie).u8(1).u8(0).u8(8).u8(0).le32(3);
    frame f;
    f.u8(3).u8(0).be16(static_cast<unsigned>(11 + variable.size)).u8(static_cast<unsigned>(6 + variable.size)).u8(0xe0);
    return f.zeros(5).add(variable);
}

/// A message with what recognise() and read_message() should make of it.
struct sample {
    frame data;
    app_protocol protocol;
    ip_protocol transport;
    std::uint16_t source_port;
    std::uint16_t destination_port;
    bool to_responder = true;
};

inline constexpr auto over_tcp = ip_protocol::tcp;
inline constexpr auto over_udp = ip_protocol::udp;

/// One or more messages per protocol; ports are unusual wherever the format alone must suffice.
inline constexpr sample samples[] = {
    {dns_query("www.example.org", 1), app_protocol::dns, over_udp, 40000, 53},
    {dns_query("www.example.org", 1), app_protocol::dns, over_udp, 40000, 9953},
    {frame{}.be16(33).add(dns_query("www.example.org", 1)), app_protocol::dns, over_tcp, 40000, 53},
    {dns_query("printer.local", 255), app_protocol::mdns, over_udp, 5353, 5353},
    {dns_query("wpad", 1, 0), app_protocol::llmnr, over_udp, 50000, 5355},
    {frame{}
         .be16(1)
         .be16(0x0110)
         .be16(1)
         .be16(0)
         .be32(0)
         .u8(32)
         .text("FHEPFCELEHFCEPFFFACACACACACACAAA")
         .u8(0)
         .be16(32)
         .be16(1),
     app_protocol::nbns, over_udp, 137, 137},
    {client_hello(server_name_extension("host.example")), app_protocol::tls, over_tcp, 40000, 9443},
    {tls_record(21, frame{}.u8(2).u8(40)), app_protocol::tls, over_tcp, 40000, 443},
    {frame{}.u8(22).be16(0xfefd).zeros(8).be16(4).be32(0x01000000), app_protocol::dtls, over_udp, 40000, 4433},
    {frame{}.u8(0xc3).be32(1).u8(8).zeros(8).u8(0).zeros(30), app_protocol::quic, over_udp, 40000, 443},
    {text_of("GET /a?b=c HTTP/1.1\r\nHost: host.example\r\n\r\n"), app_protocol::http, over_tcp, 40000, 12345},
    {text_of("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"), app_protocol::http, over_tcp, 12345, 40000, false},
    {text_of("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nST: ssdp:all\r\n\r\n"), app_protocol::ssdp, over_udp,
     40000, 1900},
    {text_of("OPTIONS rtsp://camera/1 RTSP/1.0\r\nCSeq: 1\r\n\r\n"), app_protocol::rtsp, over_tcp, 40000, 554},
    {text_of("REGISTER sip:host.example SIP/2.0\r\nVia: x\r\n\r\n"), app_protocol::sip, over_udp, 5060, 5060},
    {text_of("SIP/2.0 401 Unauthorized\r\nVia: x\r\n\r\n"), app_protocol::sip, over_tcp, 5060, 40000, false},
    {text_of("SSH-2.0-OpenSSH_9.2\r\n"), app_protocol::ssh, over_tcp, 40000, 2200},
    {smb2_tree_connect("\\\\host\\ADMIN$"), app_protocol::smb, over_tcp, 40000, 445},
    {smb1(0x72, false, 0, frame{}, text_of("\x02NT LM 0.12")), app_protocol::smb, over_tcp, 40000, 139},
    {rpc_bind(svcctl_uuid), app_protocol::dcerpc, over_tcp, 40000, 49152},
    {kdc_request(10, "alice", 18, false), app_protocol::kerberos, over_udp, 40000, 88},
    {frame{}.be32(38).add(krb_error(24)), app_protocol::kerberos, over_tcp, 88, 40000, false},
    {ldap(0x60, join(join(ber_int(3), ber_text(4, "cn=a")), ber_text(0x80, "secret"))), app_protocol::ldap, over_tcp,
     40000, 389},
    {snmp_request(0xa5, 50), app_protocol::snmp, over_udp, 40000, 161},
    {rdp_request("Cookie: mstshash=alice\r\n"), app_protocol::rdp, over_tcp, 40000, 3389},
    {text_of("220 mail.example ESMTP\r\n"), app_protocol::smtp, over_tcp, 2500, 40000, false},
    {text_of("EHLO client\r\n"), app_protocol::smtp, over_tcp, 40000, 2500},
    {text_of("220 Welcome to FTP\r\n"), app_protocol::ftp, over_tcp, 2100, 40000, false},
    {text_of("USER alice\r\n"), app_protocol::ftp, over_tcp, 40000, 21},
    {text_of("+OK ready\r\n"), app_protocol::pop3, over_tcp, 110, 40000, false},
    {text_of("* OK IMAP4rev1 ready\r\n"), app_protocol::imap, over_tcp, 143, 40000, false},
    {text_of("a1 LOGIN alice secret\r\n"), app_protocol::imap, over_tcp, 40000, 1430},
    {text_of("NICK alice\r\nUSER a 0 * :Alice\r\n"), app_protocol::irc, over_tcp, 40000, 6667},
    {frame{}.u8(0xff).u8(0xfd).u8(0x18), app_protocol::telnet, over_tcp, 23, 40000, false},
    {text_of("<34>Oct 11 22:14:15 host su: no"), app_protocol::syslog, over_udp, 514, 514},
    {frame{}.u8(0x23).u8(2).zeros(46), app_protocol::ntp, over_udp, 123, 123},
    {frame{}.u8(1).u8(1).u8(6).zeros(233).be32(0x63825363).u8(53).u8(1).u8(3).u8(12).u8(2).text("pc").u8(255),
     app_protocol::dhcp, over_udp, 68, 67},
    {frame{}.u8(0x11).u8(2).be16(9).zeros(20), app_protocol::nbdgm, over_udp, 138, 138},
    {frame{}.u8(1).zeros(147), app_protocol::wireguard, over_udp, 40000, 51820},
    {frame{}.be16(1).be16(0).be32(0x2112a442).zeros(12), app_protocol::stun, over_udp, 40000, 3478},
    {frame{}.u8(0x80).u8(0).be16(7).be32(160).be32(0xabcdef01).zeros(160), app_protocol::rtp, over_udp, 40000, 40002},
    {frame{}.u8(0x81).u8(201).be16(7).be32(0xabcdef01).zeros(24), app_protocol::rtcp, over_udp, 40001, 40003},
    {frame{}.u8(0x10).u8(18).be16(4).text("MQTT").u8(4).u8(0xc2).be16(60).be16(6).text("sensor"), app_protocol::mqtt,
     over_tcp, 40000, 1999},
    {frame{}.be16(1).be16(0).be16(6).u8(1).u8(6).be16(1).be16(3), app_protocol::modbus, over_tcp, 40000, 502},
    {frame{}.be16(0x0300).be16(25).u8(2).u8(0xf0).u8(0x80).u8(0x32).u8(1).zeros(8).u8(5).zeros(7), app_protocol::s7comm,
     over_tcp, 40000, 102},
    {frame{}.be16(0x0564).u8(8).u8(0xc4).zeros(6).u8(0xc0).u8(0xc0).u8(5), app_protocol::dnp3, over_tcp, 40000, 20000},
    {frame{}.u8(19).text("BitTorrent protocol").zeros(48), app_protocol::bittorrent, over_tcp, 40000, 6881},
    {text_of("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"), app_protocol::bittorrent, over_udp, 40000,
     6881},
    {frame{}.u8(70).be16(0).u8(0).u8(10).text("8.0.33").u8(0).zeros(62), app_protocol::mysql, over_tcp, 3306, 40000,
     false},
    {text_of("RFB 003.008\n"), app_protocol::vnc, over_tcp, 5900, 40000, false},
};

}  // namespace mldefender::test
