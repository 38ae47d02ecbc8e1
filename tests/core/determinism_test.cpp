// SPDX-License-Identifier: MIT
// Every field of every event and every feature behind it, for one made-up capture, folded into one number: the same
// on every machine, run after run and with any number of workers. When a change is meant to change results, copy the
// new numbers from the failure and say in the commit why they are right.
#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include <mldefender/core/pipeline.hpp>

#include "support/recording_sink.hpp"
#include "support/traffic.hpp"

using namespace mldefender;

namespace {

constexpr std::uint64_t golden_events = 4875;
constexpr std::uint64_t golden_digest = 12963459466757004123ULL;

struct outcome_of_run {
    std::uint64_t digest = 0;
    std::uint64_t events = 0;
    std::uint64_t alerts = 0;
    statistics totals;
};

pipeline_options test_options() {
    pipeline_options o;
    o.flows.capacity = 4096;
    o.windows.hosts = 1024;
    o.windows.pairs = 2048;
    o.logging = flow_logging::all;
    o.hold_capacity = 512;
    return o;
}

template <class Executor>
outcome_of_run run(std::span<const raw_packet> packets, const pipeline_options& options, Executor* executor) {
    test::digest_sink sink;
    pipeline<test::small_forests, test::digest_sink, Executor> p{options, {}, sink, executor};
    p.consume(packets);
    p.finish();
    return {sink.all.value(), sink.events, sink.alerts, p.totals()};
}

outcome_of_run run_alone(std::span<const raw_packet> packets, const pipeline_options& options) {
    return run<inline_executor>(packets, options, nullptr);
}

}  // namespace

TEST_CASE("the events of a known capture are known") {
    const test::capture made = test::mixed_capture(42, 60);
    const std::vector<raw_packet> packets = made.packets();
    const outcome_of_run once = run_alone(packets, test_options());
    CHECK(once.events == golden_events);
    CHECK(once.digest == golden_digest);
    // The capture must go on exercising what the digest is meant to guard.
    CHECK(once.alerts >= 8);
    CHECK(once.totals.flows_evicted > 0);
    CHECK(once.totals.hosts_evicted > 0);
    CHECK(once.totals.pairs_evicted > 0);
    CHECK(once.totals.held_early > 0);
    CHECK(once.totals.malformed() > 0);
    CHECK(once.totals.flows_by_verdict[0] > 100);
    CHECK(once.totals.flows_by_verdict[2] > 100);
}

TEST_CASE("a second run says the same") {
    const test::capture made = test::mixed_capture(3, 30);
    const std::vector<raw_packet> packets = made.packets();
    const outcome_of_run once = run_alone(packets, test_options());
    const outcome_of_run again = run_alone(packets, test_options());
    CHECK(once.events > 1000);
    CHECK(again.digest == once.digest);
}

TEST_CASE("any number of workers says the same") {
    // Four times as dense as the other captures, so that bursts are large enough to be shared.
    test::capture made = test::mixed_capture(5, 20);
    test::dice random{11};
    test::flood(made, address::v4(10, 0, 0, 9), 443, test::epoch_ns + 12 * test::second, 40'000, 10'000, random);
    const std::vector<raw_packet> packets = made.packets();
    const outcome_of_run alone = run_alone(packets, test_options());
    for (const std::size_t workers : {1U, 2U, 3U, 7U}) {
        CAPTURE(workers);
        worker_pool pool{workers};
        const outcome_of_run shared = run(std::span{packets}, test_options(), &pool);
        CHECK(shared.digest == alone.digest);
        CHECK(shared.events == alone.events);
        CHECK(shared.totals.flows_evicted == alone.totals.flows_evicted);
        CHECK(shared.totals.hosts_evicted == alone.totals.hosts_evicted);
        CHECK(shared.totals.decisions == alone.totals.decisions);
    }
}

TEST_CASE("how packets are handed over does not matter while ticks stay whole") {
    const test::capture made = test::mixed_capture(8, 15);
    const std::vector<raw_packet> packets = made.packets();
    const outcome_of_run at_once = run_alone(packets, test_options());
    constexpr std::int64_t tick = pipeline<test::small_forests, test::digest_sink>::tick_ns;
    for (const std::size_t ticks_together : {1U, 3U, 100U}) {
        CAPTURE(ticks_together);
        test::digest_sink sink;
        pipeline<test::small_forests, test::digest_sink> p{test_options(), {}, sink};
        std::span<const raw_packet> left = packets;
        while (!left.empty()) {
            std::size_t count = 1;
            const std::int64_t until = left[0].timestamp_ns / tick + static_cast<std::int64_t>(ticks_together);
            while (count < left.size() && left[count].timestamp_ns / tick < until) ++count;
            p.consume(left.first(count));
            left = left.subspan(count);
        }
        p.finish();
        CHECK(sink.all.value() == at_once.digest);
    }
}
