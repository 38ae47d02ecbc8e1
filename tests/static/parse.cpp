// SPDX-License-Identifier: MIT
// Parsing is usable while compiling: frames of both IP versions, tags, tunnels, refusals.
#include <mldefender/core/parse.hpp>

#include "support/frames.hpp"

namespace {

using namespace mldefender;

constexpr five_tuple v4{address::v4(192, 0, 2, 1), address::v4(198, 51, 100, 2), 40000, 443, ip_protocol::tcp};
constexpr five_tuple v6{*parse_address("2001:db8::1"), *parse_address("2001:db8::2"), 40000, 53, ip_protocol::udp};
constexpr test::frame syn = test::tcp_frame(v4, tcp_flag::syn);
constexpr test::frame query = test::udp_frame(v6, "query");

constexpr packet p4 = *parse(test::raw_of(syn, 7));
static_assert(p4.tuple == v4 && p4.tcp_flags == tcp_flag::syn && p4.payload_len == 0 && p4.timestamp_ns == 7);
static_assert(parse(test::raw_of(query))->tuple == v6);
static_assert(parse(test::raw_of(query))->payload_len == 5);
static_assert(parse(test::raw_of(query))->payload[0] == 'q');

constexpr test::frame tagged = test::ethernet(0x8100, test::vlan(12, 0x0800, bytes{syn}.subspan(14)));
static_assert(parse(test::raw_of(tagged))->vlan == 12);

constexpr test::frame tunnel =
    test::ethernet_ip(test::ipv4({.protocol = 47}, test::frame{}.be16(0).be16(0x6558).add(query)));
static_assert(parse(test::raw_of(tunnel)).failure() == errc::unsupported_proto);
static_assert(parse(test::raw_of(tunnel), {.decapsulate = true})->tuple == v6);
static_assert(parse(test::raw_of(tunnel), {.decapsulate = true})->tunnel_depth == 1);

static_assert(parse(test::raw_cut(syn, 30)).failure() == errc::truncated);
static_assert(parse(test::raw_of(test::ethernet(0x0806, {}))).failure() == errc::not_ip);
static_assert(noexcept(parse(raw_packet{})));

}  // namespace
