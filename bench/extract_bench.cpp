// SPDX-License-Identifier: MIT
// Time to compute one feature vector: a flow alone, with quiet hosts, and with hosts whose whole minute is busy; and to
// evaluate the rules on it.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

#include <mldefender/core/extract.hpp>
#include <mldefender/core/rules.hpp>

#include "support/packets.hpp"
#include "support/traffic.hpp"

namespace {

using namespace mldefender;

struct surroundings {
    host_window initiator;
    host_window responder;
    pair_history pair;
    std::int64_t now_ns = 65 * test::second;

    // `contacts` reports in each of the last six buckets.
    explicit surroundings(std::uint32_t contacts) {
        test::dice random{1};
        for (std::uint32_t i = 0; i < contacts * 6; ++i) {
            observation o;
            o.timestamp_ns = (10 + i % 6 * 10) * test::second;
            const auto port = static_cast<std::uint16_t>(random.below(1000));
            const address other = address::v4(0x0a000000U + static_cast<std::uint32_t>(random.below(1000)));
            o.tuple = test::tuple_of(ip_protocol::tcp, 1, port, other, other);
            note_initiator(initiator, o);
            note_responder(responder, o);
            note_pair(pair, o);
        }
    }
    [[nodiscard]] flow_context context() const { return {&initiator, &responder, &pair, now_ns, false, true}; }
};

flow some_flow() {
    const five_tuple t = test::tuple_of(ip_protocol::tcp, 40000, 443);
    test::single_flow s;
    for (int i = 0; i < 40; ++i) {
        s << test::segment(i % 2 == 0 ? t : t.reversed(), i * 50 * test::ms, tcp_flag::ack,
                           static_cast<std::uint32_t>(i) * 30);
    }
    return s.f;
}

void run(benchmark::State& state, const flow_context& context) {
    const flow f = some_flow();
    for (auto _ : state) {
        feature_vector v = extract(f, context);
        benchmark::DoNotOptimize(v);
    }
    state.SetItemsProcessed(state.iterations());
}

void flow_alone(benchmark::State& state) { run(state, {}); }
void quiet_hosts(benchmark::State& state) {
    const surroundings around{1};
    run(state, around.context());
}
void busy_hosts(benchmark::State& state) {
    const surroundings around{1000};
    run(state, around.context());
}
void rules(benchmark::State& state) {
    const surroundings around{1000};
    const feature_vector v = extract(some_flow(), around.context());
    const rule_set all;
    for (auto _ : state) benchmark::DoNotOptimize(all.evaluate(v));
    state.SetItemsProcessed(state.iterations());
}

BENCHMARK(flow_alone);
BENCHMARK(quiet_hosts);
BENCHMARK(busy_hosts);
BENCHMARK(rules);

}  // namespace
