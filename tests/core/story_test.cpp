// SPDX-License-Identifier: MIT
// story.hpp: what belongs to one attack, how far back it reaches, when it ends, and the bound on open stories.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include <mldefender/core/story.hpp>

#include "support/packets.hpp"

using namespace mldefender;
using namespace mldefender::test;

namespace {

constexpr address attacker = address::v4(203, 0, 113, 9);
constexpr std::int64_t start = 1000 * second;

// One unanswered SYN at `at`.
flow probe(std::int64_t at, std::uint16_t port = 80, const address& to = server, const address& from = attacker) {
    single_flow s;
    return (s << segment(tuple_of(ip_protocol::tcp, 40000, port, from, to), at, tcp_flag::syn)).f;
}
// A connection with data both ways.
flow used(std::int64_t at, std::uint16_t port = 80, const address& to = server, const address& from = attacker) {
    const five_tuple t = tuple_of(ip_protocol::tcp, 40000, port, from, to);
    single_flow s;
    s << segment(t, at, tcp_flag::syn) << segment(t.reversed(), at, tcp_flag::syn | tcp_flag::ack)
      << segment(t, at, tcp_flag::ack) << segment(t, at, tcp_flag::ack, 300)
      << segment(t.reversed(), at, tcp_flag::ack, 5000);
    return s.f;
}

struct watched_stories {
    explicit watched_stories(const story_options& options = {}) : table(options) {}
    story& add(const flow& f, attack_class attack, std::int64_t now) {
        return table.add(f, attack, now, opened, [this](const story& s) { closed.push_back(s); });
    }
    void close(std::int64_t now, bool all = false) {
        table.close_quiet(now, all, [this](const story& s) { closed.push_back(s); });
    }
    story_table table;
    bool opened = false;
    std::vector<story> closed;
};

}  // namespace

TEST_CASE("one attacker and class are one story, another class or attacker is another") {
    watched_stories w;
    const story& first = w.add(probe(start), attack_class::scan, start);
    CHECK(w.opened);
    CHECK(first.actor == attacker);
    CHECK(first.flows == 1);
    w.add(probe(start, 81), attack_class::scan, start + second);
    CHECK_FALSE(w.opened);
    CHECK(first.flows == 2);
    CHECK(first.any_port);
    CHECK_FALSE(first.any_peer);
    w.add(probe(start), attack_class::lateral, start);
    CHECK(w.opened);
    w.add(probe(start, 80, server, client), attack_class::scan, start);
    CHECK(w.opened);
    CHECK(w.table.size() == 3);
}

TEST_CASE("floods are told from the victim's side") {
    watched_stories w;
    const story& s = w.add(probe(start, 80, server, attacker), attack_class::ddos, start);
    w.add(probe(start, 80, server, client), attack_class::ddos, start);
    CHECK_FALSE(w.opened);
    CHECK(s.by_victim);
    CHECK(s.actor == server);
    CHECK(s.any_peer);
    CHECK(s.flows == 2);
    CHECK(told_by_victim(attack_class::ddos));
    CHECK_FALSE(told_by_victim(attack_class::scan));
}

TEST_CASE("a story claims flows that look like its own, from 10 s before it opened") {
    watched_stories w;
    w.add(probe(start), attack_class::scan, start);
    CHECK(w.table.match(probe(start)) != nullptr);
    CHECK(w.table.match(probe(start - 10 * second)) != nullptr);
    CHECK(w.table.match(probe(start - 10 * second - 1)) == nullptr);
    CHECK(w.table.match(probe(start + 60 * second)) != nullptr);
    CHECK(w.table.match(probe(start + 60 * second + 1)) == nullptr);
    CHECK(w.table.match(probe(start, 80, server, client)) == nullptr);
}

TEST_CASE("only what its flows differ in is left open") {
    watched_stories w;
    w.add(probe(start, 80), attack_class::scan, start);
    CHECK(w.table.match(probe(start, 81)) == nullptr);
    CHECK(w.table.match(probe(start, 80, client)) == nullptr);
    w.add(probe(start, 82), attack_class::scan, start);
    CHECK(w.table.match(probe(start, 81)) != nullptr);
    CHECK(w.table.match(probe(start, 81, client)) == nullptr);
    w.add(probe(start, 82, client), attack_class::scan, start);
    CHECK(w.table.match(probe(start, 81, address::v4(10, 9, 9, 9))) != nullptr);
    flow datagram = probe(start);
    datagram.tuple.protocol = ip_protocol::udp;
    CHECK(w.table.match(datagram) == nullptr);
}

TEST_CASE("a service that was really used is no part of a scan, a session no part of a flood") {
    watched_stories w;
    w.add(probe(start), attack_class::scan, start);
    CHECK(w.table.match(used(start)) == nullptr);
    watched_stories flood;
    flood.add(probe(start), attack_class::ddos, start);
    flood.add(probe(start, 80, server, client), attack_class::ddos, start);
    CHECK(flood.table.match(probe(start, 80, server, address::v4(45, 1, 2, 3))) != nullptr);
    CHECK(flood.table.match(used(start, 80, server, address::v4(45, 1, 2, 3))) == nullptr);
    // Guessed logins are sessions, so those belong.
    watched_stories guesses;
    guesses.add(used(start, 22), attack_class::bruteforce, start);
    CHECK(guesses.table.match(used(start, 22)) != nullptr);
}

TEST_CASE("joining counts the flow and keeps the story alive") {
    watched_stories w;
    const story& s = w.add(probe(start), attack_class::scan, start);
    const flow later = probe(start + 30 * second);
    const story* found = w.table.match(later);
    REQUIRE(found != nullptr);
    CHECK(&w.table.join(*found, later, start + 30 * second) == &s);
    CHECK(s.flows == 2);
    CHECK(s.last_ns == start + 30 * second);
    w.close(start + 89 * second);
    CHECK(w.closed.empty());
    w.close(start + 90 * second);
    CHECK(w.closed.size() == 1);
}

TEST_CASE("silence of a minute ends a story, the end of the capture ends all") {
    watched_stories w;
    w.add(probe(start), attack_class::scan, start);
    w.add(probe(start, 22, server, client), attack_class::bruteforce, start + 30 * second);
    w.close(start + 60 * second - 1);
    CHECK(w.closed.empty());
    w.close(start + 60 * second);
    REQUIRE(w.closed.size() == 1);
    CHECK(w.closed[0].attack == attack_class::scan);
    CHECK(w.table.size() == 1);
    w.close(start + 60 * second, true);
    CHECK(w.closed.size() == 2);
    CHECK(w.table.size() == 0);
    CHECK(w.table.match(probe(start)) == nullptr);
}

TEST_CASE("too many stories: the table stays bounded, each one pushed out is told") {
    story_options o;
    o.capacity = 512;
    watched_stories w{o};
    for (std::uint32_t i = 0; i < 3000; ++i) {
        const std::int64_t at = start + i * ms;
        w.add(probe(at, 80, server, address::v4(0x2d000000U + i)), attack_class::scan, at);
        REQUIRE(w.opened);
        REQUIRE(w.table.size() <= 512);
        REQUIRE(w.table.size() + w.closed.size() == i + 1);
    }
    // Those that went were the older ones: the last few are all there.
    for (std::uint32_t i = 2990; i < 3000; ++i)
        CHECK(w.table.match(probe(start + 3 * second, 80, server, address::v4(0x2d000000U + i))) != nullptr);
    w.close(start, true);
    CHECK(w.closed.size() == 3000);
}

TEST_CASE("distinct hosts and ports are counted for the event") {
    watched_stories w;
    story* s = nullptr;
    for (std::uint16_t port = 1; port <= 20; ++port) s = &w.add(probe(start, port), attack_class::scan, start);
    CHECK(s->ports.count() == doctest::Approx(20).epsilon(0.1));
    CHECK(s->peers.count() == doctest::Approx(1).epsilon(0.01));
}

TEST_CASE("a story is due after the interval, then after twice as long each time, 32 times at most") {
    watched_stories w;
    story s;
    s.told_ns = start;
    const std::int64_t interval = w.table.options().refresh_ns;
    for (std::uint8_t refreshes = 0; refreshes < 10; ++refreshes) {
        s.refreshes = refreshes;
        const std::int64_t due = start + (interval << (refreshes < 5 ? refreshes : 5));
        CHECK_FALSE(w.table.is_due(s, due - 1));
        CHECK(w.table.is_due(s, due));
    }
}
