// SPDX-License-Identifier: MIT
// Recognition: every sample is named right by content, truncations and noise are not named wrong, and ports are a
// guess of their own. Also the properties all readers share: bounded, inside the payload, same while compiling.
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <core/app_samples.hpp>
#include <mldefender/core/app/read.hpp>

namespace {

using namespace mldefender;
using test::sample;
using test::samples;

constexpr app_protocol recognised(const sample& s) {
    return recognise(s.data.view(), s.transport, s.source_port, s.destination_port);
}

// The whole table while compiling: what runs on packets is what the compiler checked.
constexpr bool all_recognised() {
    for (const sample& s : samples) {
        if (recognised(s) != s.protocol) return false;
        if (!read_message(s.protocol, s.data.view(), s.to_responder)) return false;
    }
    return true;
}
static_assert(all_recognised());

// In a block of exactly its size, so that a sanitizer sees a read of one byte too many.
std::vector<std::uint8_t> exact_copy(bytes data) { return {data.begin(), data.end()}; }

void check_properties(const std::vector<std::uint8_t>& payload, app_protocol protocol) {
    for (const bool to_responder : {false, true}) {
        const app_message m = read_message(protocol, payload, to_responder);
        if (!m) continue;
        const bool same = m.protocol == protocol ||
                          (protocol == app_protocol::rtp && m.protocol == app_protocol::rtcp) ||
                          (protocol == app_protocol::rtcp && m.protocol == app_protocol::rtp);
        REQUIRE(same);
        if (m.name.empty()) continue;
        REQUIRE(m.name.data() >= payload.data());
        REQUIRE(m.name.data() + m.name.size() <= payload.data() + payload.size());
    }
}

}  // namespace

TEST_CASE("every sample is recognised and read") {
    std::set<app_protocol> seen;
    for (const sample& s : samples) {
        CAPTURE(name_of(s.protocol));
        CHECK(name_of(recognised(s)) == name_of(s.protocol));
        CHECK(read_message(s.protocol, s.data.view(), s.to_responder).protocol == s.protocol);
        seen.insert(s.protocol);
    }
    // Every protocol up to vnc has a reader and therefore a sample; later ones are named by port alone.
    for (auto p = app_protocol::dns; p <= app_protocol::vnc; p = static_cast<app_protocol>(static_cast<int>(p) + 1)) {
        CAPTURE(name_of(p));
        CHECK(seen.count(p) == 1);
    }
}

TEST_CASE("truncated messages are never named as something else") {
    for (const sample& s : samples) {
        for (std::size_t length = 0; length < s.data.size; ++length) {
            const auto payload = exact_copy(s.data.first(length));
            const app_protocol named = recognise(payload, s.transport, s.source_port, s.destination_port);
            CAPTURE(name_of(s.protocol));
            CAPTURE(length);
            CAPTURE(name_of(named));
            CHECK((named == s.protocol || named == app_protocol::unknown));
            check_properties(payload, s.protocol);
        }
    }
}

TEST_CASE("every reader survives every other protocol's messages, damaged") {
    std::mt19937 random{7};
    for (const sample& s : samples) {
        for (int round = 0; round < 40; ++round) {
            auto payload = exact_copy(s.data.view());
            for (int change = 0; change < 3; ++change) {
                payload[random() % payload.size()] = static_cast<std::uint8_t>(random() % 3 == 0 ? 0xff : random());
            }
            payload.resize(1 + random() % payload.size());
            payload.shrink_to_fit();
            for (std::size_t p = 0; p <= app_protocol_count; ++p)
                check_properties(payload, static_cast<app_protocol>(p));
        }
    }
}

TEST_CASE("random bytes are almost never taken for a protocol") {
    std::mt19937 random{11};
    constexpr int rounds = 40000;
    int tcp_named = 0;
    int udp_named = 0;
    for (int round = 0; round < rounds; ++round) {
        std::vector<std::uint8_t> payload(20 + random() % 200);
        for (auto& byte : payload) byte = static_cast<std::uint8_t>(random());
        tcp_named += recognise(payload, ip_protocol::tcp, 40000, 40001) != app_protocol::unknown;
        udp_named += recognise(payload, ip_protocol::udp, 40000, 40001) != app_protocol::unknown;
    }
    CHECK(tcp_named <= rounds / 2000);
    CHECK(udp_named <= rounds * 6 / 1000);  // RTP: 1 in 128 headers fits, a static or dynamic type, no padding or CSRC
}

TEST_CASE("the payload wins over the port") {
    const auto tls = test::client_hello(test::server_name_extension("host.example"));
    CHECK(recognise(tls, ip_protocol::tcp, 40000, 80) == app_protocol::tls);
    CHECK(recognise(test::text_of("GET / HTTP/1.0\r\n\r\n"), ip_protocol::tcp, 40000, 443) == app_protocol::http);
    CHECK(recognise(test::text_of("SSH-2.0-x\r\n"), ip_protocol::tcp, 40000, 21) == app_protocol::ssh);
    CHECK(recognise(bytes{}, ip_protocol::tcp, 40000, 443) == app_protocol::unknown);
    CHECK(recognise(tls, ip_protocol::icmp, 0, 0) == app_protocol::unknown);
    CHECK(recognise(tls, ip_protocol::sctp, 40000, 443) == app_protocol::unknown);
}

TEST_CASE("an ambiguous greeting is decided by words, then by port, else left open") {
    const auto plain = test::text_of("220 ready\r\n");
    CHECK(recognise(plain, ip_protocol::tcp, 21, 40000) == app_protocol::ftp);
    CHECK(recognise(plain, ip_protocol::tcp, 25, 40000) == app_protocol::smtp);
    CHECK(recognise(plain, ip_protocol::tcp, 4000, 40000) == app_protocol::unknown);
    CHECK(recognise(test::text_of("220 x ESMTP\r\n"), ip_protocol::tcp, 21, 40000) == app_protocol::smtp);
    CHECK(recognise(test::text_of("USER bob\r\n"), ip_protocol::tcp, 40000, 110) == app_protocol::pop3);
    CHECK(recognise(test::text_of("cap multigraph\n"), ip_protocol::tcp, 40000, 4949) == app_protocol::unknown);
    CHECK(recognise(test::text_of("+OK\r\n"), ip_protocol::tcp, 6379, 40000) == app_protocol::unknown);
}

TEST_CASE("ports are a guess, destination first") {
    CHECK(guess_by_port(ip_protocol::tcp, 40000, 443) == app_protocol::tls);
    CHECK(guess_by_port(ip_protocol::tcp, 443, 40000) == app_protocol::tls);
    CHECK(guess_by_port(ip_protocol::tcp, 53, 3389) == app_protocol::rdp);
    CHECK(guess_by_port(ip_protocol::udp, 40000, 443) == app_protocol::quic);
    CHECK(guess_by_port(ip_protocol::udp, 40000, 40001) == app_protocol::unknown);
    CHECK(guess_by_port(ip_protocol::icmp, 53, 53) == app_protocol::unknown);
    for (std::uint32_t port = 0; port < 65536; ++port) {
        const auto number = static_cast<std::uint16_t>(port);
        CHECK(guess_by_port(ip_protocol::tcp, 0, number) < app_protocol::count_);
        CHECK(guess_by_port(ip_protocol::udp, 0, number) < app_protocol::count_);
    }
}

TEST_CASE("names are distinct and lower case") {
    std::set<std::string> names;
    for (std::size_t i = 0; i < app_protocol_count; ++i) {
        const std::string name{name_of(static_cast<app_protocol>(i))};
        CHECK(names.insert(name).second);
        CHECK(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") == std::string::npos);
    }
    CHECK(name_of(static_cast<app_protocol>(250)) == "unknown");
    CHECK(name_of(rpc_interface::drsuapi) == "drsuapi");
    CHECK(name_of(rpc_interface::count_) == "invalid");
}
