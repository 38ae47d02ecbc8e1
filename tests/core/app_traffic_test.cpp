// SPDX-License-Identifier: MIT
// app/traffic.hpp: what a flow's messages add up to, what each payload tells the windows, and when reading stops.
#include <doctest/doctest.h>

#include <cstdint>
#include <string_view>

#include <mldefender/core/app/traffic.hpp>

#include "app_samples.hpp"
#include "support/packets.hpp"

using namespace mldefender;
using namespace mldefender::test;

namespace {

// Reads payloads of one flow one after the other.
struct listener {
    explicit listener(const five_tuple& tuple) : way(tuple) {}
    app_news operator()(bytes payload, bool forward = true) {
        packet p = packet_of(forward ? way : way.reversed(), 0, static_cast<std::uint32_t>(payload.size()));
        p.payload = payload;
        return read_payload(t, p, forward);
    }
    five_tuple way;
    app_traffic t;
};
listener dns() { return listener{tuple_of(ip_protocol::udp, 40000, 53)}; }
listener web() { return listener{tuple_of(ip_protocol::tcp, 40000, 80)}; }

}  // namespace

TEST_CASE("DNS: questions, answers, failures, bulk types and lengths add up") {
    listener l = dns();
    const app_news asked = l(dns_query("www.example", 1));
    CHECK(asked.lookup);
    CHECK(asked.any());
    CHECK(asked.name_length == 11);
    CHECK(asked.name_entropy > 2);
    CHECK(asked.name_hash != 0);
    l(dns_query("a-rather-long-label.example.org", 16));  // TXT
    const frame failed = dns_query("www.example", 1, 0x8183);
    const app_news answered = l(failed, false);
    CHECK(answered.lookup_failed);
    CHECK_FALSE(answered.lookup);
    CHECK_FALSE(l(dns_query("www.example", 1, 0x8180), false).any());
    CHECK(l.t.protocol == app_protocol::dns);
    CHECK(l.t.by_payload);
    CHECK(l.t.dns_queries == 2);
    CHECK(l.t.dns_bulk == 1);
    CHECK(l.t.dns_answers == 2);
    CHECK(l.t.dns_failures == 1);
    CHECK(l.t.dns_name_max == 31);
    CHECK(l.t.dns_label_max == 19);
    CHECK(l.t.dns_name_sum == 42);
    CHECK(l.t.dns_answer_bytes == static_cast<float>(2 * failed.size));
}

TEST_CASE("HTTP: requests, errors, and marks of injection") {
    listener l = web();
    l(text_of("GET /index.html HTTP/1.1\r\nHost: www.example\r\n\r\n"));
    CHECK(l.t.uri_suspicious == 0);
    l(text_of("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), false);
    l(text_of("GET /../../etc/passwd HTTP/1.1\r\nHost: www.example\r\n\r\n"));
    l(text_of("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), false);
    CHECK(l.t.protocol == app_protocol::http);
    CHECK(l.t.http_requests == 2);
    CHECK(l.t.http_answers == 2);
    CHECK(l.t.http_errors == 1);
    CHECK(l.t.uri_suspicious >= 8);
    // The worst request counts, not the last.
    l(text_of("GET / HTTP/1.1\r\nHost: www.example\r\n\r\n"));
    CHECK(l.t.uri_suspicious >= 8);
}

TEST_CASE("log-ins and refusals are news for the windows") {
    listener ftp{tuple_of(ip_protocol::tcp, 40000, 21)};
    ftp(text_of("220 ready\r\n"), false);
    ftp(text_of("USER someone\r\n"));
    const app_news tried = ftp(text_of("PASS secret\r\n"));
    CHECK(tried.attempts == 1);
    const app_news refused = ftp(text_of("530 Login incorrect\r\n"), false);
    CHECK(refused.failures == 1);
    CHECK(ftp.t.attempts == 1);
    CHECK(ftp.t.failures == 1);
}

TEST_CASE("a protocol that cannot be recognised goes by its port after its first payload") {
    listener l{tuple_of(ip_protocol::tcp, 40000, 22)};
    l(text_of("\x01\x02\x03"));
    CHECK(l.t.protocol == app_protocol::ssh);
    CHECK_FALSE(l.t.by_payload);
    listener unknown{tuple_of(ip_protocol::tcp, 40000, 40001)};
    unknown(text_of("\x01\x02\x03"));
    CHECK(unknown.t.protocol == app_protocol::unknown);
}

TEST_CASE("content beats the port") {
    listener l{tuple_of(ip_protocol::tcp, 40000, 22)};
    l(text_of("GET / HTTP/1.1\r\nHost: www.example\r\n\r\n"));
    CHECK(l.t.protocol == app_protocol::http);
}

TEST_CASE("after four payloads only protocols that keep talking are read on") {
    listener l{tuple_of(ip_protocol::tcp, 40000, 40001)};
    for (int i = 0; i < recognition_attempts; ++i) l(text_of("\x01\x02"));
    l(text_of("GET / HTTP/1.1\r\nHost: www.example\r\n\r\n"));
    CHECK(l.t.protocol == app_protocol::unknown);
    listener asks = dns();
    for (int i = 0; i < 50; ++i) asks(dns_query("www.example", 1));
    CHECK(asks.t.dns_queries == 50);
    CHECK(keeps_talking(app_protocol::dns));
    CHECK_FALSE(keeps_talking(app_protocol::tls));
}

TEST_CASE("an empty payload is no attempt") {
    listener l = web();
    for (int i = 0; i < 10; ++i) CHECK_FALSE(l({}).any());
    CHECK(l.t.payloads_tried == 0);
    l(text_of("GET / HTTP/1.1\r\nHost: www.example\r\n\r\n"));
    CHECK(l.t.http_requests == 1);
}
