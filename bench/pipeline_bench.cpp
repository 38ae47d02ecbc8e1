// SPDX-License-Identifier: MIT
// The whole path per packet, from frames in memory to events in a sink that drops them: decode, flows, windows,
// features, rules, four forests of 100 trees, stories. One core. Items are packets; the flood's items are flows.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <mldefender/core/bundle.hpp>
#include <mldefender/core/pipeline.hpp>

#include "support/detectors.hpp"
#include "support/traffic.hpp"

namespace {

using namespace mldefender;

// Memory stays with the process between iterations: what is measured is a sensor that has been running, not the
// kernel handing out its first pages.
const bool keeps_memory = mallopt(M_MMAP_MAX, 0) == 1 && mallopt(M_TRIM_THRESHOLD, -1) == 1;

struct null_sink {
    void write(const event& e, const flow&, const feature_vector&) { benchmark::DoNotOptimize(&e); }
};

void run(benchmark::State& state, const test::capture& made, const pipeline_options& options, std::size_t at_once) {
    const std::vector<raw_packet> packets = made.packets();
    const test::four_forests forests = test::random_four();
    statistics totals;
    for (auto _ : state) {
        null_sink sink;
        const auto p = std::make_unique<pipeline<test::four_forests, null_sink>>(options, forests, sink);
        for (std::span<const raw_packet> left = packets; !left.empty();) {
            const std::size_t count = std::min(at_once, left.size());
            p->consume(left.first(count));
            left = left.subspan(count);
        }
        p->finish();
        totals = p->totals();
    }
    if (!keeps_memory) state.SkipWithError("mallopt refused to keep memory");
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(packets.size()));
    state.counters["flows"] = static_cast<double>(totals.flows_begun);
    state.counters["decisions"] = static_cast<double>(totals.decisions);
    state.counters["ns_per_packet"] =
        benchmark::Counter(static_cast<double>(packets.size()) * 1e-9,
                           benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

// 10,000 connections of 20 packets and more, all frames 64 bytes, over 20 s: about 10,000 packets a second of capture.
void small_packets(benchmark::State& state) {
    run(state, test::small_packets(10'000, 20), {}, static_cast<std::size_t>(state.range(0)));
}
// The same packets in 2 s: what a full 100 Mbit/s line would bring.
void small_packets_dense(benchmark::State& state) {
    run(state, test::small_packets(10'000, 2), {}, static_cast<std::size_t>(state.range(0)));
}
// Everything the test traffic has, attacks included.
void mix(benchmark::State& state) { run(state, test::mixed_capture(7, 60), {}, 1024); }

// One SYN from each of 200,000 forged addresses: no flow has a second packet.
void syn_flood(benchmark::State& state) {
    test::capture c;
    test::dice random{3};
    test::flood(c, test::server, 443, test::epoch_ns, 500'000, 5'000, random);
    run(state, c, {}, 1024);
}

BENCHMARK(small_packets)->ArgName("at_once")->Arg(1024)->Arg(1)->Unit(benchmark::kMillisecond);
BENCHMARK(small_packets_dense)->ArgName("at_once")->Arg(1024)->Unit(benchmark::kMillisecond);
BENCHMARK(mix)->Unit(benchmark::kMillisecond);
BENCHMARK(syn_flood)->Unit(benchmark::kMillisecond);

}  // namespace
