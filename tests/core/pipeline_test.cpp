// SPDX-License-Identifier: MIT
// pipeline.hpp: counters that add up, odd clocks, quiet interfaces, holding and claiming flows, alerts of a story,
// rules replaced while running. That any number of workers agrees is in determinism_test.cpp.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <span>
#include <vector>

#include <mldefender/core/pipeline.hpp>

#include "support/recording_sink.hpp"
#include "support/traffic.hpp"

using namespace mldefender;
using namespace mldefender::test;

namespace {

using recorded = pipeline<calm_forests, recording_sink>;

pipeline_options small_options(flow_logging logging = flow_logging::all) {
    pipeline_options o;
    o.flows.capacity = 4096;
    o.windows.hosts = o.windows.pairs = 2048;
    o.stories.capacity = 512;
    o.logging = logging;
    return o;
}

// A pipeline and what came out of it.
struct rig {
    explicit rig(const pipeline_options& options = small_options())
        : p(std::make_unique<recorded>(options, calm_forests{}, sink)) {}
    rig& feed(const capture& c) {
        const auto packets = c.packets();
        p->consume(packets);
        return *this;
    }
    rig& feed(const frame& f, std::int64_t at) { return p->consume(raw_of(f, at)), *this; }
    rig& finish() { return p->finish(), *this; }
    recording_sink sink;
    std::unique_ptr<recorded> p;
};

const address attacker = address::v4(203, 0, 113, 66), victim = address::v4(10, 0, 0, 9);

capture port_scan(std::int64_t at = epoch_ns, int ports = 120) {
    capture c;
    scan_ports(c, attacker, victim, at, ports, 9 * ms);
    return c;
}

}  // namespace

TEST_CASE("nothing in, nothing out") {
    rig r;
    r.finish();
    CHECK(r.sink.alerts.empty());
    CHECK(r.sink.flows.empty());
    CHECK(r.p->totals().packets == 0);
    CHECK(r.p->active_flows() == 0);
    rig empty_call;
    empty_call.p->consume(std::span<const raw_packet>{});
    empty_call.finish();
    CHECK(empty_call.p->totals().packets == 0);
}

TEST_CASE("the counters add up") {
    const capture c = mixed_capture(21, 30);
    rig r;
    r.feed(c).finish();
    const statistics s = r.p->totals();
    const std::uint64_t undecoded = std::accumulate(s.undecoded.begin(), s.undecoded.end(), std::uint64_t{0});
    CHECK(s.packets == c.size());
    CHECK(s.packets == s.ip_packets + undecoded + s.fragments_skipped);
    CHECK(s.undecoded[static_cast<std::size_t>(errc::not_ip)] == 30);
    CHECK(s.undecoded[static_cast<std::size_t>(errc::truncated)] == 30);
    CHECK(s.malformed() == 30);
    CHECK(s.flows_begun == s.flows_ended);
    CHECK(s.flows_begun == r.sink.flows.size());
    CHECK(s.flows_begun == std::accumulate(s.flows_by_verdict.begin(), s.flows_by_verdict.end(), std::uint64_t{0}));
    CHECK(s.flows_begun == std::accumulate(s.flows_by_class.begin(), s.flows_by_class.end(), std::uint64_t{0}));
    CHECK(s.alerts == r.sink.alerts.size());
    std::uint64_t bytes = 0;
    for (const raw_packet& p : c.packets()) bytes += p.wire_len;
    CHECK(s.bytes == bytes);
    std::uint64_t in_flows = 0;
    for (const event& e : r.sink.flows) in_flows += e.flow.packets_to_server + e.flow.packets_to_client;
    CHECK(in_flows == s.ip_packets);
    CHECK(r.p->active_flows() == 0);
    CHECK(r.p->open_stories() == 0);
}

TEST_CASE("fragments count to the datagram's flow, or not at all") {
    ip_fields part{.source = client, .destination = server, .protocol = 17, .id = 77, .more_fragments = true};
    const frame first = ethernet_ip(ipv4(part, udp(4000, 5000, frame{}.zeros(56))));
    part.more_fragments = false;
    part.offset = 64;
    const frame last = ethernet_ip(ipv4(part, text_of("the rest")));
    for (const bool counted : {true, false}) {
        CAPTURE(counted);
        pipeline_options o = small_options();
        o.flows.count_fragments = counted;
        rig r{o};
        r.feed(first, epoch_ns).feed(last, epoch_ns + 1).finish();
        REQUIRE(r.sink.flows.size() == 1);
        CHECK(r.sink.flows[0].flow.packets_to_server == (counted ? 2 : 1));
        CHECK(r.sink.flows[0].tuple.destination_port == 5000);
        CHECK(r.p->totals().fragments_skipped == (counted ? 0 : 1));
        CHECK(r.p->totals().ip_packets == (counted ? 2 : 1));
    }
}

TEST_CASE("a scan is one story: opened, refreshed at most every 10 s, closed") {
    rig r;
    capture c = port_scan(epoch_ns, 1);
    scan_ports(c, attacker, victim, epoch_ns, 1500, 20 * ms);  // 30 s
    r.feed(c).finish();
    REQUIRE(r.sink.alerts.size() >= 3);
    CHECK(r.p->totals().stories_opened == 1);
    CHECK(r.sink.alerts.front().story.phase == story_phase::opened);
    CHECK(r.sink.alerts.back().story.phase == story_phase::closed);
    for (const event& e : r.sink.alerts) {
        CHECK(e.story.id == r.sink.alerts.front().flow_id);
        CHECK(e.tuple.source == attacker);
        CHECK(e.attack_class == attack_class::scan);
        CHECK(e.verdict == verdict::malicious);
        CHECK(e.response.action == response_action::alert);
    }
    std::int64_t told = r.sink.alerts[0].timestamp_ns;
    for (std::size_t i = 1; i + 1 < r.sink.alerts.size(); ++i) {
        CHECK(r.sink.alerts[i].story.phase == story_phase::refreshed);
        CHECK(r.sink.alerts[i].timestamp_ns - told >= 10 * second);
        told = r.sink.alerts[i].timestamp_ns;
    }
    // At most one refresh per 10 s of a scan of 30 s.
    CHECK(r.sink.alerts.size() <= 2 + 3);
    CHECK(r.sink.alerts.back().story.flows >= 1490);
}

TEST_CASE("flows that ended before the alarm belong to the story as well") {
    rig r;
    r.feed(port_scan()).finish();
    REQUIRE_FALSE(r.sink.alerts.empty());
    CHECK(r.sink.flows.size() == 120);
    for (const event& e : r.sink.flows) REQUIRE(e.verdict == verdict::malicious);
    CHECK(r.p->totals().flows_by_class[static_cast<std::size_t>(attack_class::scan)] == 120);
}

TEST_CASE("a flood of forged sources is one story of its victim; sessions with the victim are no part of it") {
    capture c;
    dice random{5};
    for (std::uint16_t i = 0; i < 20; ++i) {
        converse(c, tuple_of(ip_protocol::tcp, static_cast<std::uint16_t>(20'000 + i), 443, client, victim),
                 epoch_ns + i * 100 * ms, 6, 200 * ms, "\x17\x03\x03\x01\x10 opaque", "\x17\x03\x03\x05\x30 opaque");
    }
    flood(c, victim, 443, epoch_ns + second, 6000, ms / 2, random);
    rig r;
    r.feed(c).finish();
    CHECK(r.p->totals().stories_opened == 1);
    REQUIRE_FALSE(r.sink.alerts.empty());
    CHECK(r.sink.alerts.front().story.by_victim);
    CHECK(r.sink.alerts.front().tuple.destination == victim);
    CHECK(r.sink.alerts.front().attack_class == attack_class::ddos);
    std::size_t flood_lines = 0;
    for (const event& e : r.sink.flows) {
        if (e.tuple.source == client) {
            CHECK(e.verdict == verdict::benign);
        } else {
            flood_lines += e.verdict == verdict::malicious;
        }
    }
    // Those more than 10 s before the opening are none here: all of them.
    CHECK(flood_lines == 6000);
}

TEST_CASE("a full hold releases early, counts it, and loses no line") {
    pipeline_options o = small_options();
    o.hold_capacity = 10;
    rig r{o};
    r.feed(port_scan()).finish();
    CHECK(r.sink.flows.size() == 120);
    CHECK(r.p->totals().held_early == 110);
}

TEST_CASE("flow lines wait for the hold time and come in order of ending") {
    pipeline_options o = small_options();
    rig r{o};
    const five_tuple t = tuple_of(ip_protocol::tcp, 1000, 80, client, server);
    r.feed(tcp_frame(t, tcp_flag::syn), epoch_ns).feed(tcp_frame(t.reversed(), tcp_flag::rst), epoch_ns + ms);
    r.p->advance(epoch_ns + 8 * second);  // ended after lingering 5 s
    CHECK(r.p->active_flows() == 0);
    CHECK(r.sink.flows.empty());
    r.p->advance(epoch_ns + 30 * second);
    CHECK(r.sink.flows.size() == 1);
    r.finish();
    CHECK(r.sink.flows.size() == 1);
}

TEST_CASE("time passes without packets: idle flows end, stories close") {
    rig r;
    r.feed(port_scan());
    CHECK(r.p->open_stories() == 1);
    for (int s = 0; s < 200; ++s) r.p->advance(epoch_ns + s * second);
    CHECK(r.p->active_flows() == 0);
    CHECK(r.p->open_stories() == 0);
    CHECK(r.sink.alerts.back().story.phase == story_phase::closed);
    // Going back is ignored.
    const std::int64_t now = r.p->now_ns();
    r.p->advance(now - second);
    CHECK(r.p->now_ns() == now);
}

TEST_CASE("which lines are written") {
    const auto lines = [](flow_logging logging) {
        rig r{small_options(logging)};
        r.feed(port_scan()).finish();
        return std::pair{r.sink.flows.size(), r.sink.alerts.size()};
    };
    CHECK(lines(flow_logging::all).first == 120);
    CHECK(lines(flow_logging::none).first == 0);
    CHECK(lines(flow_logging::none).second >= 2);
    // Flows of a story are not told again as divergent ones.
    CHECK(lines(flow_logging::alerts).first == 0);
}

TEST_CASE("rules can be replaced while packets flow") {
    rule_set off;
    for (const rule& r : default_rules) off.enable(r.name, false);
    rig r;
    r.p->set_rules(off, {});
    r.feed(port_scan(epoch_ns));
    CHECK(r.p->totals().stories_opened == 0);
    r.p->set_rules(rule_set{}, {});
    r.feed(port_scan(epoch_ns + 300 * second));
    CHECK(r.p->totals().stories_opened == 1);
    decision_thresholds deaf;
    deaf.verdicts = {0.99F, 0.999F};
    r.p->set_rules(rule_set{}, deaf);
    r.feed(port_scan(epoch_ns + 900 * second)).finish();
    CHECK(r.p->totals().stories_opened == 1);
}

TEST_CASE("a clock that steps back neither loses packets nor crashes") {
    capture c = port_scan();
    auto packets = c.packets();
    // The second half claims to be an hour earlier, with jitter within.
    for (std::size_t i = packets.size() / 2; i < packets.size(); ++i) {
        packets[i].timestamp_ns -= 3600 * second + static_cast<std::int64_t>(i % 7) * 300 * ms;
    }
    rig r;
    r.p->consume(packets);
    r.finish();
    const statistics s = r.p->totals();
    CHECK(s.ip_packets == packets.size());
    CHECK(s.flows_begun == s.flows_ended);
    CHECK(s.flows_begun == r.sink.flows.size());
    std::uint64_t in_flows = 0;
    for (const event& e : r.sink.flows) {
        in_flows += e.flow.packets_to_server + e.flow.packets_to_client;
        REQUIRE(e.flow.end_ns >= e.flow.start_ns);
    }
    CHECK(in_flows == packets.size());
}

TEST_CASE("times near 0 give the same verdicts as ordinary ones, times before 0 lose nothing") {
    const auto run_from = [](std::int64_t start) {
        rig r;
        r.feed(port_scan(start)).finish();
        return r;
    };
    const rig ordinary = run_from(epoch_ns);
    for (const std::int64_t start : {std::int64_t{0}, std::int64_t{5}, 30 * second}) {
        CAPTURE(start);
        const rig odd = run_from(start);
        CHECK(odd.sink.flows.size() == ordinary.sink.flows.size());
        CHECK(odd.p->totals().stories_opened == 1);
        CHECK(odd.p->totals().flows_by_verdict == ordinary.p->totals().flows_by_verdict);
    }
    for (const std::int64_t start : {-1 * second, -3600 * second}) {
        CAPTURE(start);
        const rig odd = run_from(start);
        CHECK(odd.p->totals().ip_packets == ordinary.p->totals().ip_packets);
        CHECK(odd.p->totals().flows_begun == ordinary.p->totals().flows_begun);
        CHECK(odd.p->totals().stories_opened == 1);
    }
}

TEST_CASE("the first and the last moment a clock can show do no harm") {
    const five_tuple t = tuple_of(ip_protocol::udp, 1, 2);
    rig r;
    for (const std::int64_t at :
         {std::numeric_limits<std::int64_t>::min(), std::int64_t{0}, std::numeric_limits<std::int64_t>::max(),
          std::numeric_limits<std::int64_t>::min(), epoch_ns}) {
        r.feed(udp_frame(t, "x"), at);
    }
    r.finish();
    const statistics s = r.p->totals();
    CHECK(s.ip_packets == 5);
    CHECK(s.flows_begun == s.flows_ended);
    CHECK(s.flows_begun == r.sink.flows.size());
}

TEST_CASE("interface, drops and the clock reach the events") {
    pipeline_options o = small_options();
    static std::uint64_t clock;
    clock = 1000;
    o.clock_us = [] { return clock += 7; };
    recording_sink sink;
    recorded p{o, {}, sink};
    p.set_drops(12);
    const frame f = udp_frame(tuple_of(ip_protocol::udp, 1, 2), "x");
    p.consume(raw_of(f, epoch_ns), 3);
    p.finish();
    REQUIRE(sink.flows.size() == 1);
    CHECK(sink.flows[0].interface_index == 3);
    CHECK(sink.flows[0].drops == 12);
    CHECK(sink.flows[0].latency_us == 7);
}

TEST_CASE("protected networks decide the direction") {
    const auto direction = [](const protected_networks& site) {
        pipeline_options o = small_options();
        o.site = site;
        rig r{o};
        r.feed(udp_frame(tuple_of(ip_protocol::udp, 1, 2), "x"), epoch_ns).finish();
        return r.sink.flows.at(0).direction;
    };
    CHECK(direction({}) == flow_direction::outbound);
    protected_networks both, none;
    both.add(*parse_network("10.0.0.0/8"));
    both.add(*parse_network("198.51.100.0/24"));
    none.add(*parse_network("192.0.2.0/24"));
    CHECK(direction(both) == flow_direction::internal);
    CHECK(direction(none) == flow_direction::external);
    protected_networks full;
    for (std::size_t i = 0; i < protected_networks::capacity; ++i) CHECK(full.add({}));
    CHECK_FALSE(full.add({}));
}

TEST_CASE("every decision can be watched") {
    struct watcher {
        std::uint64_t scored_rows = 0;
        void write(const event&, const flow&, const feature_vector&) {}
        void scored(const flow& f, const feature_vector&, const decision&, std::int64_t) {
            ++scored_rows;
            CHECK(f.packets() > 0);
        }
    } sink;
    pipeline<calm_forests, watcher> p{small_options(), {}, sink};
    const capture c = mixed_capture(1, 5);
    const auto packets = c.packets();
    p.consume(packets);
    p.finish();
    CHECK(sink.scored_rows == p.totals().decisions);
    CHECK(sink.scored_rows > 0);
}

TEST_CASE("a live secret changes nothing that is told, only where things lie") {
    const auto run_with = [](hash_secret secret) {
        pipeline_options o;
        o.logging = flow_logging::all;
        o.secret = secret;
        rig r{o};
        r.feed(mixed_capture(4, 10)).finish();
        std::vector<std::uint64_t> ids;
        for (const event& e : r.sink.flows) ids.push_back(e.flow_id);
        std::sort(ids.begin(), ids.end());
        return std::pair{ids, r.p->totals().flows_by_verdict};
    };
    const auto plain = run_with({}), secret = run_with({0x1122334455667788ULL, 42});
    CHECK(plain.first == secret.first);
    CHECK(plain.second == secret.second);
}
