// SPDX-License-Identifier: MIT
// link.hpp: every link type and encapsulation leads to the same datagram, everything else to the right refusal.
#include <doctest/doctest.h>

#include <mldefender/core/link.hpp>

#include "support/frames.hpp"

using namespace mldefender;
using test::frame;

namespace {

const frame datagram4 = test::ipv4({}, test::udp(1, 2, test::text_of("four")));
const frame datagram6 =
    test::ipv6({.source = *parse_address("2001:db8::1"), .destination = *parse_address("2001:db8::2")},
               test::udp(1, 2, test::text_of("six")));

errc code_of(bytes f, link_type link) {
    link_view out;
    return strip_link(f, link, out);
}

void leads_to(const frame& expected, bytes f, link_type link, std::uint16_t vlan = 0) {
    link_view out;
    REQUIRE(strip_link(f, link, out) == errc::ok);
    CHECK(out.vlan == vlan);
    REQUIRE(out.datagram.size() == expected.size);
    CHECK(std::equal(out.datagram.begin(), out.datagram.end(), expected.data.begin()));
}

frame prefixed(frame head, bytes inside) { return head.add(inside); }

}  // namespace

TEST_CASE("ethernet leads to both IP versions") {
    leads_to(datagram4, test::ethernet(0x0800, datagram4), link_type::ethernet);
    leads_to(datagram6, test::ethernet(0x86dd, datagram6), link_type::ethernet);
}

TEST_CASE("VLAN tags are removed and the outermost id kept") {
    leads_to(datagram4, test::ethernet(0x8100, test::vlan(7, 0x0800, datagram4)), link_type::ethernet, 7);
    const frame inner = test::vlan(0x3007, 0x86dd, datagram6);  // priority bits are not part of the id
    leads_to(datagram6, test::ethernet(0x8100, inner), link_type::ethernet, 7);
    for (const unsigned outer : {0x88a8U, 0x9100U, 0x8100U}) {
        leads_to(datagram6, test::ethernet(outer, test::vlan(42, 0x8100, inner)), link_type::ethernet, 42);
    }
}

TEST_CASE("more than four VLAN tags are refused") {
    frame stack = datagram4;
    unsigned type = 0x0800;
    for (int tags = 0; tags < 4; ++tags) {
        stack = test::vlan(5, type, stack);
        type = 0x8100;
    }
    leads_to(datagram4, test::ethernet(type, stack), link_type::ethernet, 5);
    CHECK(code_of(test::ethernet(type, test::vlan(5, type, stack)), link_type::ethernet) == errc::too_deep);
}

TEST_CASE("MPLS labels are popped to the bottom of the stack") {
    const frame two = prefixed(frame{}.be32(0x00010040).be32(0x00020140), datagram4);
    leads_to(datagram4, test::ethernet(0x8847, two), link_type::ethernet);
    leads_to(datagram6, test::ethernet(0x8848, prefixed(frame{}.be32(0x00020140), datagram6)), link_type::ethernet);
    const frame control_word = prefixed(frame{}.be32(0x00020140).be32(0), datagram4);
    CHECK(code_of(test::ethernet(0x8847, control_word), link_type::ethernet) == errc::not_ip);
    frame endless;
    for (int labels = 0; labels < 40; ++labels) endless.be32(0x00010040);
    CHECK(code_of(test::ethernet(0x8847, endless), link_type::ethernet) == errc::too_deep);
}

TEST_CASE("PPPoE sessions carry IP, discovery does not") {
    const frame session =
        prefixed(frame{}.be16(0x1100).be16(9).be16(static_cast<unsigned>(datagram4.size) + 2).be16(0x0021), datagram4);
    leads_to(datagram4, test::ethernet(0x8864, session), link_type::ethernet);
    leads_to(datagram4, session, link_type::pppoe);
    frame discovery = session;
    discovery.data[1] = 9;
    CHECK(code_of(discovery, link_type::pppoe) == errc::not_ip);
    discovery.data[0] = 0x21;
    CHECK(code_of(discovery, link_type::pppoe) == errc::bad_version);
}

TEST_CASE("PPP in all its framings") {
    leads_to(datagram4, prefixed(frame{}.be16(0x0021), datagram4), link_type::ppp);
    leads_to(datagram4, prefixed(frame{}.u8(0x21), datagram4), link_type::ppp);
    leads_to(datagram6, prefixed(frame{}.be16(0x0057), datagram6), link_type::ppp);
    leads_to(datagram4, prefixed(frame{}.be16(0xff03).be16(0x0021), datagram4), link_type::ppp);
    leads_to(datagram4, prefixed(frame{}.be16(0xff03).be16(0x0021), datagram4), link_type::ppp_hdlc);
    leads_to(datagram6, prefixed(frame{}.be16(0x0f00).be16(0x86dd), datagram6), link_type::ppp_hdlc);
    leads_to(datagram4, prefixed(frame{}.be16(0x0281).be32(0x00020140), datagram4), link_type::ppp);
    CHECK(code_of(prefixed(frame{}.be16(0xc021), datagram4), link_type::ppp) == errc::not_ip);
    CHECK(code_of(frame{}.u8(0), link_type::ppp) == errc::truncated);
    CHECK(code_of(frame{}.be16(0xff03), link_type::ppp) == errc::truncated);
}

TEST_CASE("Linux cooked captures, both versions") {
    leads_to(datagram4, prefixed(frame{}.be16(0).be16(1).be16(6).be64(0).be16(0x0800), datagram4),
             link_type::linux_cooked);
    leads_to(datagram6, prefixed(frame{}.be16(4).be16(1).be16(6).be64(0).be16(0x86dd), datagram6),
             link_type::linux_cooked);
    const frame tagged = test::vlan(3, 0x0800, datagram4);
    leads_to(datagram4, prefixed(frame{}.be16(0).be16(1).be16(6).be64(0).be16(0x8100), tagged), link_type::linux_cooked,
             3);
    const auto v2 = [](unsigned type, unsigned device) {
        return frame{}.be16(type).be16(0).be32(2).be16(device).u8(0).u8(6).be64(0);
    };
    leads_to(datagram4, prefixed(v2(0x0800, 1), datagram4), link_type::linux_cooked_v2);
    leads_to(datagram6, prefixed(v2(0x86dd, 65534), datagram6), link_type::linux_cooked_v2);
    CHECK(code_of(prefixed(v2(0x0806, 1), datagram4), link_type::linux_cooked_v2) == errc::not_ip);
    CHECK(code_of(prefixed(v2(0x0800, 824), datagram4), link_type::linux_cooked_v2) == errc::not_ip);
    CHECK(code_of(prefixed(v2(0x0003, 1), datagram4), link_type::linux_cooked_v2) == errc::not_ip);
}

TEST_CASE("raw IP takes the version from its first nibble") {
    for (const link_type link : {link_type::raw, link_type::ipv4, link_type::ipv6}) {
        leads_to(datagram4, datagram4, link);
        leads_to(datagram6, datagram6, link);
        CHECK(code_of(frame{}.u8(0x50), link) == errc::bad_version);
        CHECK(code_of({}, link) == errc::truncated);
    }
}

TEST_CASE("null and loopback in both byte orders") {
    leads_to(datagram4, prefixed(frame{}.be32(2), datagram4), link_type::null);
    leads_to(datagram4, prefixed(frame{}.le32(2), datagram4), link_type::null);
    leads_to(datagram4, prefixed(frame{}.be32(2), datagram4), link_type::loop);
    for (const std::uint32_t family : {10U, 23U, 24U, 28U, 30U}) {
        leads_to(datagram6, prefixed(frame{}.le32(family), datagram6), link_type::null);
        leads_to(datagram6, prefixed(frame{}.be32(family), datagram6), link_type::null);
    }
    CHECK(code_of(prefixed(frame{}.le32(16), datagram4), link_type::null) == errc::not_ip);
}

TEST_CASE("LLC carries IP only behind SNAP") {
    leads_to(datagram4, test::ethernet(100, prefixed(frame{}.be32(0xaaaa0300).be16(0).be16(0x0800), datagram4)),
             link_type::ethernet);
    CHECK(code_of(test::ethernet(38, prefixed(frame{}.be32(0x42420300), datagram4)), link_type::ethernet) ==
          errc::not_ip);
    CHECK(code_of(test::ethernet(100, prefixed(frame{}.be32(0xaaaa0300).be16(0x000c).be16(0x2000), datagram4)),
                  link_type::ethernet) == errc::not_ip);
}

TEST_CASE("frames without IP and unknown links are told apart") {
    CHECK(code_of(test::ethernet(0x0806, datagram4), link_type::ethernet) == errc::not_ip);
    CHECK(code_of(test::ethernet(0x88cc, datagram4), link_type::ethernet) == errc::not_ip);
    CHECK(code_of(datagram4, static_cast<link_type>(147)) == errc::unsupported_link);
    CHECK(code_of(test::ethernet(0x0800, frame{}.u8(0x00)), link_type::ethernet) == errc::bad_version);
    CHECK(code_of(test::ethernet(0x0800, {}), link_type::ethernet) == errc::truncated);
    CHECK(code_of(frame{}.zeros(13), link_type::ethernet) == errc::truncated);
}
