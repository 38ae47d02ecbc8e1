// SPDX-License-Identifier: MIT
// fragment.hpp: later fragments get their first one's ports, for 30 s, within a fixed table.
#include <doctest/doctest.h>

#include <memory>

#include <mldefender/core/fragment.hpp>
#include <mldefender/core/parse.hpp>

#include "support/frames.hpp"

using namespace mldefender;

namespace {

constexpr std::int64_t second = 1'000'000'000;

packet first_of(std::uint32_t id, std::int64_t at = 0, ip_protocol protocol = ip_protocol::udp) {
    packet p;
    p.timestamp_ns = at;
    p.tuple = {address::v4(192, 0, 2, 1), address::v4(198, 51, 100, 2), 1000, 53, protocol};
    p.fragment = true;
    p.fragment_id = id;
    return p;
}
packet later_of(std::uint32_t id, std::int64_t at = 0, ip_protocol protocol = ip_protocol::udp) {
    packet p = first_of(id, at, protocol);
    p.tuple.source_port = p.tuple.destination_port = 0;
    p.later_fragment = true;
    return p;
}

}  // namespace

TEST_CASE("a parsed datagram's fragments end up in one flow") {
    fragment_table<16> table;
    test::ip_fields fields{.protocol = 17, .id = 9, .more_fragments = true};
    const test::frame first = test::ethernet_ip(test::ipv4(fields, test::udp(1000, 2000, test::frame{}.zeros(56))));
    fields.offset = 64;
    fields.more_fragments = false;
    const test::frame last = test::ethernet_ip(test::ipv4(fields, test::text_of("rest")));
    packet a = *parse(test::raw_of(first));
    packet b = *parse(test::raw_of(last, second));
    CHECK(table.resolve(a));
    CHECK(table.resolve(b));
    CHECK(b.tuple == a.tuple);
    CHECK(b.later_fragment);
    CHECK(table.counters() == fragment_counters{1, 1, 0, 0});
}

TEST_CASE("whole packets pass untouched") {
    fragment_table<4> table;
    packet p = first_of(1);
    p.fragment = false;
    CHECK(table.resolve(p));
    CHECK(table.counters() == fragment_counters{});
}

TEST_CASE("every part of the key counts") {
    fragment_table<64> table;
    packet first = first_of(1);
    CHECK(table.resolve(first));
    packet other_id = later_of(2);
    packet other_protocol = later_of(1, 0, ip_protocol::tcp);
    packet other_source = later_of(1);
    other_source.tuple.source.low ^= 1;
    packet reversed = later_of(1);
    reversed.tuple = reversed.tuple.reversed();
    for (packet* p : {&other_id, &other_protocol, &other_source, &reversed}) {
        CHECK_FALSE(table.resolve(*p));
        CHECK(p->tuple.source_port == 0);
    }
    CHECK(table.counters().orphans == 4);
}

TEST_CASE("ICMP fragments share type and code") {
    fragment_table<4> table;
    packet first = first_of(1, 0, ip_protocol::icmp);
    first.icmp_type = 8;
    first.icmp_code = 3;
    packet later = later_of(1, 0, ip_protocol::icmp);
    CHECK(table.resolve(first));
    CHECK(table.resolve(later));
    CHECK(later.icmp_type == 8);
    CHECK(later.icmp_code == 3);
}

TEST_CASE("a first fragment is forgotten after 30 s, and a reused id means the newest") {
    fragment_table<4> table;
    packet first = first_of(1);
    CHECK(table.resolve(first));
    packet in_time = later_of(1, 30 * second);
    CHECK(table.resolve(in_time));
    packet late = later_of(1, 30 * second + 1);
    CHECK_FALSE(table.resolve(late));
    packet again = first_of(1, 40 * second);
    again.tuple.source_port = 7;
    CHECK(table.resolve(again));
    packet after = later_of(1, 41 * second);
    CHECK(table.resolve(after));
    CHECK(after.tuple.source_port == 7);
    CHECK(table.counters().replaced == 0);
}

TEST_CASE("a full bucket loses its oldest datagram and says so") {
    fragment_table<4> table;
    for (std::uint32_t id = 0; id < 5; ++id) {
        packet first = first_of(id, id);
        CHECK(table.resolve(first));
    }
    CHECK(table.counters().replaced == 1);
    packet oldest = later_of(0, 10);
    CHECK_FALSE(table.resolve(oldest));
    for (std::uint32_t id = 1; id < 5; ++id) {
        packet later = later_of(id, 10);
        CHECK(table.resolve(later));
    }
}

TEST_CASE("a flood of fragments is bounded, and most recent datagrams still resolve") {
    const auto table = std::make_unique<fragment_table<1024>>(hash_secret{3, 4});
    std::uint32_t resolved = 0;
    for (std::uint32_t id = 0; id < 20000; ++id) {
        packet first = first_of(id, id);
        CHECK(table->resolve(first));
        packet later = later_of(id, id);
        resolved += table->resolve(later) ? 1 : 0;
    }
    CHECK(resolved == 20000);
    CHECK(table->counters().replaced >= 20000 - 1024);
    std::uint32_t recent = 0;
    for (std::uint32_t id = 20000 - 512; id < 20000; ++id) {
        packet later = later_of(id, 20000);
        recent += table->resolve(later) ? 1 : 0;
    }
    CHECK(recent > 400);
}

namespace {
constexpr bool resolves_while_compiling() {
    fragment_table<4> table;
    packet first;
    first.fragment = true;
    first.tuple.source_port = 5;
    packet later;
    later.fragment = later.later_fragment = true;
    return table.resolve(first) && table.resolve(later) && later.tuple.source_port == 5;
}
static_assert(resolves_while_compiling());
}  // namespace
