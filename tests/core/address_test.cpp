// SPDX-License-Identifier: MIT
// address.hpp: text to address and back (RFC 4291, RFC 5952), networks, the ranges that count as private or multicast.
#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>

#include <mldefender/core/address.hpp>

using namespace mldefender;

namespace {

std::string shown(std::string_view text) {
    const auto a = parse_address(text);
    return a ? std::string{to_text(*a).view()} : "refused";
}

}  // namespace

TEST_CASE("text there and back, in the form RFC 5952 asks for") {
    const std::pair<const char*, const char*> cases[] = {
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
        {"2001:db8::1:0:0:1", "2001:db8::1:0:0:1"},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},  // one zero group stays
        {"fe80::a:b", "fe80::a:b"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
        {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    };
    for (const auto& one : cases) {  // clang 14 cannot capture a structured binding
        CAPTURE(one.first);
        CHECK(shown(one.first) == one.second);
    }
}

TEST_CASE("what is not an address is refused") {
    for (const char* text : {"",
                             ".",
                             "1.2.3",
                             "1.2.3.4.5",
                             "256.1.1.1",
                             "01.2.3.4",
                             "1.2.3.4 ",
                             " 1.2.3.4",
                             "1..2.3",
                             "1.2.3.-4",
                             ":",
                             ":::",
                             "1:2",
                             "1:2:3:4:5:6:7:8:9",
                             "12345::",
                             "1::2::3",
                             "g::",
                             "1:",
                             ":1",
                             "::1.2.3",
                             "1.2.3.4::",
                             "1:2:3:4:5:6:7:1.2.3.4",
                             "1:2:3:4:5:6:7:8::"}) {
        CAPTURE(text);
        CHECK(shown(text) == "refused");
    }
}

TEST_CASE("an IPv4 number and its text agree") {
    constexpr address a = address::v4(0xc0000201U);
    static_assert(a == address::v4(192, 0, 2, 1) && a.is_v4() && a.v4_number() == 0xc0000201U);
    static_assert(!parse_address("::1")->is_v4());
    static_assert(to_text(a).view() == "192.0.2.1");
}

TEST_CASE("networks hold what their prefix says, at both edges") {
    const auto holds = [](const char* net, const char* a) { return parse_network(net)->contains(*parse_address(a)); };
    CHECK(holds("10.0.0.0/8", "10.255.255.255"));
    CHECK_FALSE(holds("10.0.0.0/8", "11.0.0.0"));
    CHECK(holds("192.0.2.128/25", "192.0.2.128"));
    CHECK_FALSE(holds("192.0.2.128/25", "192.0.2.127"));
    CHECK(holds("192.0.2.1", "192.0.2.1"));
    CHECK_FALSE(holds("192.0.2.1", "192.0.2.2"));
    CHECK(holds("0.0.0.0/0", "203.0.113.9"));
    CHECK_FALSE(holds("0.0.0.0/0", "2001:db8::1"));
    CHECK(holds("::/0", "2001:db8::1"));
    CHECK_FALSE(holds("::/0", "10.0.0.1"));
    CHECK(holds("2001:db8::/32", "2001:db8:ffff::"));
    CHECK_FALSE(holds("2001:db8::/32", "2001:db9::"));
    CHECK(holds("2001:db8::/64", "2001:db8::ffff:ffff:ffff:ffff"));
    CHECK_FALSE(holds("2001:db8::/64", "2001:db8:0:1::"));
    CHECK(holds("2001:db8::8000:0/97", "2001:db8::8000:1"));
    CHECK_FALSE(holds("2001:db8::8000:0/97", "2001:db8::7fff:ffff"));
    CHECK(holds("2001:db8::5/128", "2001:db8::5"));
}

TEST_CASE("what is not a network is refused") {
    for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/8x", "10.0.0.0/-1", "10.0.0.0/0008",
                             "2001:db8::/129", "x/8"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_network(text).has_value());
    }
}

TEST_CASE("private and multicast ranges, just inside and just outside") {
    const auto is_private_text = [](const char* t) { return is_private(*parse_address(t)); };
    for (const char* inside :
         {"10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "169.254.1.1", "127.0.0.1",
          "100.64.0.0", "100.127.255.255", "fc00::1", "fdff::1", "fe80::1", "febf::1", "::1"}) {
        CAPTURE(inside);
        CHECK(is_private_text(inside));
    }
    for (const char* outside :
         {"9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0",
          "169.253.255.255", "100.63.255.255", "100.128.0.0", "fe00::1", "fec0::1", "2001:db8::1", "::2"}) {
        CAPTURE(outside);
        CHECK_FALSE(is_private_text(outside));
    }
    CHECK(is_multicast(*parse_address("224.0.0.1")));
    CHECK(is_multicast(*parse_address("239.255.255.255")));
    CHECK(is_multicast(*parse_address("255.255.255.255")));
    CHECK(is_multicast(*parse_address("ff02::1")));
    CHECK_FALSE(is_multicast(*parse_address("223.255.255.255")));
    CHECK_FALSE(is_multicast(*parse_address("240.0.0.0")));
    CHECK_FALSE(is_multicast(*parse_address("fe80::1")));
}

TEST_CASE("a tuple reversed twice is itself") {
    constexpr five_tuple t{address::v4(1), address::v4(2), 3, 4, ip_protocol::udp};
    static_assert(t.reversed() != t && t.reversed().reversed() == t);
    static_assert(t.reversed().source_port == 4 && t.reversed().protocol == ip_protocol::udp);
}
