// SPDX-License-Identifier: MIT
// Time per packet to find and update its flow in a table of default capacity, hash included: few long flows, a million
// short ones, a flood that evicts with every packet. Packets are decoded beforehand.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <mldefender/core/flow_table.hpp>

#include "support/packets.hpp"
#include "support/traffic.hpp"

namespace {

using namespace mldefender;

packet nth_packet(std::uint32_t flow_number, std::int64_t at_ns, std::uint8_t flags, std::uint32_t payload) {
    const five_tuple t = test::tuple_of(ip_protocol::tcp, static_cast<std::uint16_t>(flow_number * 7), 443,
                                        address::v4(0x0a000000U + flow_number), test::server);
    return test::segment(t, at_ns, flags, payload);
}

// Items are packets; the table is fresh in each iteration, its construction not measured.
void run(benchmark::State& state, const std::vector<packet>& packets) {
    std::uint64_t ended = 0;
    for (auto _ : state) {
        state.PauseTiming();
        auto table = std::make_unique<flow_table>(flow_options{});
        state.ResumeTiming();
        for (const packet& p : packets)
            benchmark::DoNotOptimize(table->update(p, symmetric_hash(p.tuple), [&](flow&) { ++ended; }));
        state.PauseTiming();
        table.reset();
        state.ResumeTiming();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(packets.size()));
    state.counters["ended"] = static_cast<double>(ended) / static_cast<double>(state.iterations());
}

void few_long_flows(benchmark::State& state) {
    std::vector<packet> packets;
    for (std::uint32_t i = 0; i < 1'000'000; ++i) {
        packet p = nth_packet(i % 16, test::epoch_ns + i * 1000LL, tcp_flag::ack, 1000);
        p.tcp_seq = i / 16 * 1000;
        packets.push_back(p);
    }
    run(state, packets);
}
// Each flow has four packets in a row, as small transactions do.
void million_short_flows(benchmark::State& state) {
    std::vector<packet> packets;
    for (std::uint32_t i = 0; i < 4'000'000; ++i)
        packets.push_back(
            nth_packet(i / 4, test::epoch_ns + i * 1000LL, i % 4 == 0 ? tcp_flag::syn : tcp_flag::ack, 50));
    run(state, packets);
}
void syn_flood(benchmark::State& state) {
    std::vector<packet> packets;
    for (std::uint32_t i = 0; i < 1'000'000; ++i)
        packets.push_back(nth_packet(i, test::epoch_ns + i * 1000LL, tcp_flag::syn, 0));
    run(state, packets);
}

BENCHMARK(few_long_flows)->Unit(benchmark::kMillisecond);
BENCHMARK(million_short_flows)->Unit(benchmark::kMillisecond);
BENCHMARK(syn_flood)->Unit(benchmark::kMillisecond);

}  // namespace
