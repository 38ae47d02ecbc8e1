// SPDX-License-Identifier: MIT
// flow_table.hpp: which packets make one flow, when a flow ends and why, and who stays when room runs out.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <mldefender/core/flow_table.hpp>

#include "support/packets.hpp"
#include "support/traffic.hpp"

using namespace mldefender;
using namespace mldefender::test;

namespace {

constexpr std::uint8_t syn = tcp_flag::syn, ack = tcp_flag::ack, fin = tcp_flag::fin, rst = tcp_flag::rst;
constexpr five_tuple there = tuple_of(ip_protocol::tcp, 40000, 443);
constexpr five_tuple back = there.reversed();

// A table that remembers what ended.
struct watched_table {
    explicit watched_table(const flow_options& options) : table(options) {}
    flow_update operator()(const packet& p) {
        return table.update(p, symmetric_hash(p.tuple), [this](flow& f) { ended.push_back(f); });
    }
    void expire(std::int64_t now_ns) {
        for (std::size_t shard = 0; shard < shard_count; ++shard) {
            table.expire(
                shard, now_ns, [this](std::uint32_t slot) { quiet.push_back(table[slot].id); },
                [this](flow& f) { ended.push_back(f); });
        }
    }
    void flush() {
        while (table.size() > 0) {
            for (std::size_t shard = 0; shard < shard_count; ++shard)
                table.flush(shard, [this](flow& f) { ended.push_back(f); });
        }
    }
    flow_table table;
    std::vector<flow> ended;
    std::vector<std::uint64_t> quiet;
};

flow_options small(bool early_close = true) {
    flow_options o;
    o.capacity = 512;
    o.early_close = early_close;
    return o;
}

}  // namespace

TEST_CASE("both directions are one flow, seen from whoever spoke first") {
    watched_table t{small()};
    const flow_update first = t(segment(there, 0, syn));
    CHECK(first.begun);
    CHECK(first.forward);
    const flow_update answer = t(segment(back, ms, syn | ack));
    CHECK_FALSE(answer.begun);
    CHECK_FALSE(answer.forward);
    CHECK(answer.slot == first.slot);
    CHECK(answer.before == flow_progress::opened);
    CHECK(t.table[first.slot].progress == flow_progress::accepted);
    CHECK(t.table[first.slot].tuple == there);
    CHECK(t.table[first.slot].id == flow_id_of(there, 0));
    CHECK(t.table.size() == 1);
}

TEST_CASE("a host that talks to itself on one port goes forward only") {
    watched_table t{small()};
    const five_tuple self{client, client, 7, 7, ip_protocol::udp};
    t(packet_of(self, 0));
    const flow_update u = t(packet_of(self, 1));
    CHECK(u.forward);
    CHECK(t.table.size() == 1);
}

TEST_CASE("another port, protocol or address is another flow") {
    watched_table t{small()};
    t(segment(there, 0, syn));
    CHECK(t(segment(tuple_of(ip_protocol::tcp, 40001, 443), 1, syn)).begun);
    CHECK(t(packet_of(tuple_of(ip_protocol::udp, 40000, 443), 2)).begun);
    CHECK(t(segment(tuple_of(ip_protocol::tcp, 40000, 443, client, address::v4(198, 51, 100, 8)), 3, syn)).begun);
    // The same addresses with the ports the other way round.
    CHECK(t(segment(tuple_of(ip_protocol::tcp, 443, 40000), 4, syn)).begun);
    CHECK(t.table.size() == 5);
}

TEST_CASE("the idle timeout: a pause of just its length keeps the flow, one more nanosecond ends it") {
    const flow_options o = small();
    watched_table t{o};
    t(packet_of(tuple_of(ip_protocol::udp, 1, 2), 0));
    CHECK_FALSE(t(packet_of(tuple_of(ip_protocol::udp, 1, 2), o.idle_timeout_ns)).begun);
    CHECK(t(packet_of(tuple_of(ip_protocol::udp, 1, 2), 2 * o.idle_timeout_ns + 1)).begun);
    REQUIRE(t.ended.size() == 1);
    CHECK(t.ended[0].end == flow_end::idle);
    CHECK(t.ended[0].packets() == 2);
    CHECK(t.table.size() == 1);
}

TEST_CASE("the active timeout cuts a long life; 0 never does") {
    flow_options o = small();
    o.active_timeout_ns = 60 * second;
    const five_tuple talk = tuple_of(ip_protocol::udp, 1, 2);
    watched_table t{o};
    for (std::int64_t at = 0; at <= 60; at += 10) t(packet_of(talk, at * second));
    CHECK(t.ended.empty());
    CHECK(t(packet_of(talk, 60 * second + 1)).begun);
    REQUIRE(t.ended.size() == 1);
    CHECK(t.ended[0].end == flow_end::active);
    o.active_timeout_ns = 0;
    watched_table forever{o};
    for (std::int64_t at = 0; at <= 100'000; at += 100) forever(packet_of(talk, at * second));
    CHECK(forever.ended.empty());
}

TEST_CASE("early close: a new SYN after RST or both FINs begins a new flow") {
    for (const bool reset : {true, false}) {
        CAPTURE(reset);
        for (const bool early : {true, false}) {
            CAPTURE(early);
            watched_table t{small(early)};
            t(segment(there, 0, syn));
            t(segment(back, 1, syn | ack));
            t(segment(there, 2, ack));
            if (reset) {
                t(segment(back, 3, rst));
            } else {
                t(segment(there, 3, fin | ack));
                t(segment(back, 4, fin | ack));
            }
            CHECK_FALSE(t(segment(there, 5, ack)).begun);  // the last acknowledgement belongs to the old one
            CHECK(t(segment(there, 6, syn)).begun == early);
            CHECK(t.ended.size() == (early ? 1 : 0));
            if (early) CHECK(t.ended[0].end == flow_end::finished);
        }
    }
}

TEST_CASE("a SYN-ACK or a SYN within a living flow begins nothing") {
    watched_table t{small()};
    t(segment(there, 0, syn));
    CHECK_FALSE(t(segment(there, 1, syn)).begun);  // the SYN again
    t(segment(back, 2, syn | ack));
    t(segment(there, 3, ack));
    CHECK_FALSE(t(segment(there, 4, syn)).begun);
    t(segment(there, 5, rst));
    CHECK_FALSE(t(segment(back, 6, syn | ack)).begun);
}

TEST_CASE("expiry: closed flows linger 5 s, open ones until the idle timeout, each with its reason") {
    watched_table t{small()};
    t(segment(there, 0, syn));
    t(segment(back, 0, rst | ack));
    const five_tuple open = tuple_of(ip_protocol::udp, 1, 2);
    t(packet_of(open, 0));
    t.expire(5 * second);
    CHECK(t.ended.empty());
    t.expire(7 * second);
    REQUIRE(t.ended.size() == 1);
    CHECK(t.ended[0].end == flow_end::finished);
    CHECK(t.ended[0].tuple == there);
    t.expire(120 * second);
    CHECK(t.ended.size() == 1);
    t.expire(122 * second);
    REQUIRE(t.ended.size() == 2);
    CHECK(t.ended[1].end == flow_end::idle);
    CHECK(t.table.size() == 0);
}

TEST_CASE("without early close a closed flow waits for the idle timeout as well") {
    watched_table t{small(false)};
    t(segment(there, 0, syn));
    t(segment(back, 0, rst | ack));
    t.expire(100 * second);
    CHECK(t.ended.empty());
    t.expire(122 * second);
    REQUIRE(t.ended.size() == 1);
    CHECK(t.ended[0].end == flow_end::idle);
}

TEST_CASE("silence is shown once, after two seconds, and again after new packets") {
    watched_table t{small()};
    const std::uint64_t id = t.table[t(packet_of(there, 0)).slot].id;
    t.expire(second);
    CHECK(t.quiet.empty());
    t.expire(4 * second);
    CHECK(t.quiet == std::vector{id});
    t.expire(8 * second);
    CHECK(t.quiet.size() == 1);
    t(packet_of(there, 9 * second));
    t.expire(12 * second);
    CHECK(t.quiet.size() == 2);
}

TEST_CASE("expiry looks at most once a second") {
    watched_table t{small()};
    t.expire(200 * second);
    t(packet_of(there, 0));
    t.expire(200 * second + 900 * ms);
    CHECK(t.ended.empty());
    t.expire(201 * second);
    CHECK(t.ended.size() == 1);
}

TEST_CASE("the end of the capture ends everything, closed flows as finished") {
    watched_table t{small()};
    t(segment(there, 0, syn));
    t(segment(back, 0, rst | ack));
    t(packet_of(tuple_of(ip_protocol::udp, 1, 2), 0));
    t.flush();
    REQUIRE(t.ended.size() == 2);
    CHECK(t.table.size() == 0);
    int finished = 0;
    for (const flow& f : t.ended) {
        finished += f.end == flow_end::finished;
        CHECK((f.end == flow_end::finished || f.end == flow_end::flushed));
    }
    CHECK(finished == 1);
}

TEST_CASE("many flows that are due at once end in portions, none is forgotten") {
    flow_options o;
    o.capacity = 65'536;
    watched_table t{o};
    for (std::uint32_t i = 0; i < 30'000; ++i) t(packet_of(tuple_of(ip_protocol::udp, 1, 2, address::v4(i)), 0));
    REQUIRE(t.table.size() == 30'000);
    t.expire(200 * second);
    CHECK(t.ended.size() <= flow_table::ends_at_once * shard_count);
    for (int i = 1; t.table.size() > 0; ++i) {
        REQUIRE(i < 10);
        t.expire(200 * second + i * 100 * ms);  // need not wait for the next second
    }
    CHECK(t.ended.size() == 30'000);
}

TEST_CASE("established flows survive a flood of a million new tuples in a small table") {
    flow_options o;
    o.capacity = 4096;
    watched_table t{o};
    std::vector<std::uint32_t> slots;
    const auto talk = [](std::uint16_t i) { return tuple_of(ip_protocol::tcp, i, 443); };
    for (std::uint16_t i = 0; i < 500; ++i) {
        t(segment(talk(i), 0, syn));
        t(segment(talk(i).reversed(), 1, syn | ack));
        t(segment(talk(i), 2, ack));
        t(segment(talk(i), 3, ack, 20));
        slots.push_back(t(segment(talk(i).reversed(), 4, ack, 20)).slot);
    }
    REQUIRE(t.ended.empty());
    std::uint64_t evicted = 0;
    for (std::uint32_t i = 0; i < 1'000'000; ++i) {
        const packet p =
            segment(tuple_of(ip_protocol::tcp, static_cast<std::uint16_t>(i), 80, address::v4(0x2d000000U + i * 7919U)),
                    second + i * 20'000LL, syn);
        t.table.update(p, symmetric_hash(p.tuple), [&](flow& f) {
            ++evicted;
            REQUIRE(f.end == flow_end::evicted);
            REQUIRE(f.packets() == 1);
        });
    }
    CHECK(t.table.size() <= t.table.capacity());
    CHECK(evicted == 1'000'500 - t.table.size());
    for (std::uint16_t i = 0; i < 500; ++i) REQUIRE(t.table[slots[i]].tuple == talk(i));
}

TEST_CASE("an answered flow outlives an unanswered one, data outlives a bare answer") {
    // The eight places of one shard's two buckets are shared by these hashes.
    flow_table table{small()};
    std::vector<flow> gone;
    const auto feed = [&](const packet& p) { table.update(p, 1, [&](flow& f) { gone.push_back(f); }); };
    const auto talk = [](std::uint16_t i) { return tuple_of(ip_protocol::tcp, i, 80); };
    for (std::uint16_t i = 0; i < 8; ++i) feed(segment(talk(i), i * 10 * ms, syn));
    feed(segment(talk(0).reversed(), 100 * ms, syn | ack));  // answered
    feed(segment(talk(1), 110 * ms, syn));                   // asked twice
    feed(segment(talk(2).reversed(), 120 * ms, rst | ack));  // refused: over
    for (std::uint16_t i = 8; i < 13; ++i) feed(segment(talk(i), (200 + i * 10) * ms, syn));
    // First the five with one packet, oldest first.
    REQUIRE(gone.size() == 5);
    for (std::size_t i = 0; i < 5; ++i) CHECK(gone[i].tuple == talk(static_cast<std::uint16_t>(i + 3)));
    for (std::uint16_t i = 8; i < 13; ++i) feed(segment(talk(i), 500 * ms, syn));
    feed(segment(talk(50), 600 * ms, syn));
    REQUIRE(gone.size() == 6);
    CHECK(gone[5].tuple == talk(2));
    feed(segment(talk(50), 610 * ms, syn));
    feed(segment(talk(51), 620 * ms, syn));
    REQUIRE(gone.size() == 7);
    CHECK(gone[6].tuple == talk(1));
}
