// SPDX-License-Identifier: MIT
// TLS, DTLS and QUIC: what a hello says, when it is complete, self-signed certificates, and what is refused.
#include <doctest/doctest.h>

#include <core/app_samples.hpp>

namespace {

using namespace mldefender;
using namespace mldefender::test;

constexpr app_message read_tls(bytes payload) { return read_message(app_protocol::tls, payload, true); }

constexpr frame extensions = join(join(tls_extension(0x2a2a, frame{}.u8(0)), server_name_extension("host.example")),
                                  join(tls_extension(16, frame{}.be16(12).u8(2).text("h2").u8(8).text("http/1.1")),
                                       tls_extension(43, frame{}.u8(6).be16(0x3a3a).be16(0x0304).be16(0x0303))));
constexpr frame hello = client_hello(extensions);
static_assert(read_tls(hello).tls()->hello_version == 0x0304);
static_assert(!read_tls(hello).has(app_fact::no_sni | app_fact::cut_short));

/// A certificate message whose first certificate has these two names.
frame certificate(std::string_view issuer, std::string_view subject) {
    const auto name = [](std::string_view text) { return ber(0x30, ber_text(0x0c, text)); };
    frame fields = join(ber(0xa0, ber_int(2)), join(ber_int(7), ber(0x30, ber_text(6, "alg"))));
    fields.add(name(issuer)).add(ber(0x30, ber_text(0x17, "2601"))).add(name(subject));
    const frame der = ber(0x30, ber(0x30, fields));
    const auto length = static_cast<unsigned>(der.size);
    return tls_handshake(11, frame{}.u8(0).be16(length + 3).u8(0).be16(length).add(der));
}

}  // namespace

TEST_CASE("a client hello's name, versions, suites and ALPN") {
    const app_message m = read_tls(hello);
    REQUIRE(m.tls() != nullptr);
    const tls_details& d = *m.tls();
    CHECK_FALSE(m.is_response);
    CHECK(d.content_type == 22);
    CHECK(d.handshake == 1);
    CHECK(d.record_version == 0x0301);
    CHECK(d.cipher_count == 2);     // GREASE left out
    CHECK(d.extension_count == 3);  // GREASE left out
    CHECK(d.alpn == alpn_class::h2);
    CHECK(d.fingerprint != 0);
    CHECK(std::string(m.name.begin(), m.name.end()) == "host.example");
}

TEST_CASE("the fingerprint ignores the order of extensions, the name and GREASE") {
    const frame a = tls_extension(10, frame{}.be16(0));
    const frame b = tls_extension(23, bytes{});
    const auto fingerprint = [](const frame& list) { return read_tls(client_hello(list)).tls()->fingerprint; };
    CHECK(fingerprint(join(a, b)) == fingerprint(join(b, a)));
    CHECK(fingerprint(join(a, b)) != fingerprint(a));
    CHECK(fingerprint(join(a, tls_extension(0x5a5a, bytes{}))) == fingerprint(a));
    CHECK(fingerprint(server_name_extension("a.example")) == fingerprint(server_name_extension("b.example")));
}

TEST_CASE("a missing name counts only when the hello is complete") {
    const frame nameless = client_hello(tls_extension(10, frame{}.be16(0)));
    CHECK(read_tls(nameless).has(app_fact::no_sni));
    for (std::size_t length = 12; length < nameless.size; ++length) {
        const app_message m = read_tls(nameless.first(length));
        CHECK_FALSE(m.has(app_fact::no_sni));
        if (m && m.tls()->handshake == 1 && length > 48) CHECK(m.has(app_fact::cut_short));
        if (m) CHECK(m.tls()->fingerprint == 0);
    }
    CHECK(read_tls(client_hello(server_name_extension("198.51.100.7"))).has(app_fact::host_is_address));
    CHECK_FALSE(read_tls(hello).has(app_fact::host_is_address));
}

TEST_CASE("a server hello, its suite, and a certificate behind it") {
    frame body;
    body.be16(0x0303).zeros(32).u8(0).be16(0xc030).u8(0);
    const frame flight = tls_record(22, join(tls_handshake(2, body), certificate("site", "site")));
    const app_message m = read_tls(flight);
    CHECK(m.is_response);
    CHECK(m.tls()->handshake == 2);
    CHECK(m.tls()->cipher == 0xc030);
    CHECK(m.tls()->hello_version == 0x0303);
    CHECK(m.has(app_fact::self_signed));
    const frame two_records = join(tls_record(22, tls_handshake(2, body)), tls_record(22, certificate("ca", "site")));
    CHECK_FALSE(read_tls(two_records).has(app_fact::self_signed));
    CHECK(read_tls(tls_record(22, certificate("x", "x"))).tls()->handshake == 11);
    // Issuer and subject of equal length but different text.
    CHECK_FALSE(read_tls(tls_record(22, certificate("aa", "ab"))).has(app_fact::self_signed));
    for (std::size_t length = 6; length + 1 < flight.size; ++length) {
        CHECK_FALSE(read_tls(flight.first(length)).has(app_fact::self_signed));
    }
}

TEST_CASE("alerts, data and SSL 2 hellos") {
    const app_message alert = read_tls(tls_record(21, frame{}.u8(2).u8(48)));
    CHECK(alert.code == 48);
    CHECK(alert.tls()->content_type == 21);
    CHECK(read_tls(tls_record(23, frame{}.zeros(40))).tls()->handshake == 0);
    const frame old = frame{}.u8(0x80).u8(9 + 6 + 16).u8(1).be16(0x0301).be16(6).be16(0).be16(16).zeros(6 + 16);
    CHECK(recognise(old, ip_protocol::tcp, 40000, 443) == app_protocol::tls);
    CHECK(read_tls(old).tls()->cipher_count == 2);
    CHECK(read_tls(old).has(app_fact::no_sni));
}

TEST_CASE("what is no TLS") {
    CHECK_FALSE(read_tls(frame{}.u8(22).be16(0x0401).be16(4).be32(0)));
    CHECK_FALSE(read_tls(frame{}.u8(22).be16(0x0301).be16(0).be32(0)));
    CHECK_FALSE(read_tls(frame{}.u8(22).be16(0x0301).be16(0xffff).be32(0)));
    CHECK_FALSE(read_tls(text_of("GET / HTTP/1.1\r\n\r\n")));
    CHECK_FALSE(read_tls(bytes{}));
    // An encrypted handshake record: nothing but its outside.
    const app_message sealed = read_tls(tls_record(22, frame{}.be32(0x9f8e7d6c).zeros(60)));
    CHECK((!sealed || sealed.tls()->handshake == 0));
}

TEST_CASE("QUIC's long header by version") {
    const auto quic = [](std::uint32_t version) {
        return frame{}.u8(0xc0).be32(version).u8(8).zeros(8).u8(0).zeros(40);
    };
    for (const std::uint32_t version : {1U, 0x6b3343cfU, 0xff00001dU, 0x1a2a3a4aU}) {
        CAPTURE(version);
        CHECK(recognise(quic(version), ip_protocol::udp, 40000, 40001) == app_protocol::quic);
        CHECK(read_message(app_protocol::quic, quic(version), true).small()->version == version);
    }
    CHECK(recognise(quic(0x01020304), ip_protocol::udp, 40000, 443) == app_protocol::unknown);
    const frame long_id = frame{}.u8(0xc0).be32(1).u8(21).zeros(60);
    CHECK(recognise(long_id, ip_protocol::udp, 40000, 443) == app_protocol::unknown);
    const frame old = frame{}.u8(0x0d).zeros(8).text("Q043").zeros(20);
    CHECK(recognise(old, ip_protocol::udp, 40000, 443) == app_protocol::quic);
}
