// SPDX-License-Identifier: MIT
// The whole path with the shipped models and the real event log in memory-backed storage (/dev/shm), one line per
// flow: what the sensor does between capture and disk. Items are packets.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mldefender/core/models/ddos.hpp>
#include <mldefender/core/models/internal.hpp>
#include <mldefender/core/models/ransomware.hpp>
#include <mldefender/core/models/traffic.hpp>
#include <mldefender/core/pipeline.hpp>
#include <mldefender/log/event_log.hpp>

#include "support/traffic.hpp"

namespace {

using namespace mldefender;
using forests =
    max_threat<forest<models::ddos>, forest<models::ransomware>, forest<models::traffic>, forest<models::internal>>;

struct log_sink {
    std::unique_ptr<log::event_log> events;
    std::vector<std::string_view> names;
    std::uint64_t lost = 0;

    void write(const event& e, const flow& f, const feature_vector& v) {
        const auto first_bytes = [](const flow_side& side) {
            return bytes{side.first_bytes}.first(side.first_bytes_count);
        };
        const log::artifact_content content{v, names, first_bytes(f.forward), first_bytes(f.backward)};
        lost += !events->write(e, e.timestamp_ns, &content);
    }
};

void run(benchmark::State& state, const test::capture& made, flow_logging logging) {
    const std::vector<raw_packet> packets = made.packets();
    const std::filesystem::path folder = "/dev/shm/mldefender-sensor-bench";
    log::identity who;
    who.host = "bench";
    who.interfaces = {"memory"};
    forests{}.for_each([&](const auto& f) { who.models.push_back({std::string{f.name()}, std::string{f.hash()}}); });
    for (auto _ : state) {
        state.PauseTiming();
        std::filesystem::remove_all(folder);
        log::event_log_options options;
        options.directory = folder;
        options.sync = log::durability::on_close;
        auto opened = log::event_log::open(options, who);
        if (!opened.ok()) return state.SkipWithError("the log does not open in /dev/shm");
        log_sink sink{std::move(*opened), {}};
        for (const feature_info& f : features) sink.names.push_back(f.name);
        pipeline_options settings;
        settings.logging = logging;
        auto p = std::make_unique<pipeline<forests, log_sink>>(settings, forests{}, sink);
        state.ResumeTiming();
        p->consume(packets);
        p->finish();
        state.PauseTiming();
        p.reset();
        if (sink.lost > 0) state.SkipWithError("the log lost lines");
        state.ResumeTiming();
    }
    std::filesystem::remove_all(folder);
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(packets.size()));
}

void small_packets_alerts(benchmark::State& state) {
    run(state, test::small_packets(10'000, 20), flow_logging::alerts);
}
void small_packets_every_flow(benchmark::State& state) {
    run(state, test::small_packets(10'000, 20), flow_logging::all);
}
void mix_every_flow(benchmark::State& state) { run(state, test::mixed_capture(7, 60), flow_logging::all); }

BENCHMARK(small_packets_alerts)->Unit(benchmark::kMillisecond);
BENCHMARK(small_packets_every_flow)->Unit(benchmark::kMillisecond);
BENCHMARK(mix_every_flow)->Unit(benchmark::kMillisecond);

}  // namespace
