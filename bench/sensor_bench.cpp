// SPDX-License-Identifier: MIT
// The whole path with the shipped models and the real event log in memory-backed storage (/dev/shm), one line per
// flow: what the sensor does between capture and disk. Items are packets.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
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
#include <mldefender/pcap/file_reader.hpp>
#include <mldefender/pcap/file_writer.hpp>

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

const std::filesystem::path folder = "/dev/shm/mldefender-sensor-bench";

// `feed(pipeline)` brings all packets, `count` of them.
template <class Feed>
void run(benchmark::State& state, std::size_t count, flow_logging logging, Feed feed) {
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
        feed(*p);
        p->finish();
        state.PauseTiming();
        p.reset();
        if (sink.lost > 0) state.SkipWithError("the log lost lines");
        state.ResumeTiming();
    }
    std::filesystem::remove_all(folder);
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
}

void run(benchmark::State& state, const test::capture& made, flow_logging logging) {
    const std::vector<raw_packet> packets = made.packets();
    run(state, packets.size(), logging, [&](auto& p) { p.consume(packets); });
}

// The same from a capture file in memory-backed storage. Two million packets; the argument is how many a connection
// has.
void small_packets_file(benchmark::State& state) {
    const auto connection = static_cast<int>(state.range(0));
    const std::string path = folder.string() + ".pcap";
    std::size_t count = 0;
    {
        const test::capture made = test::small_packets(2'000'000 / connection, 200, 1, (connection - 4) / 2);
        const std::vector<raw_packet> packets = made.packets();
        auto file = pcap::file_writer::open(path);
        bool written = file.ok();
        for (const raw_packet& p : packets) written = written && file->write(p).ok();
        if (!written || !file->close().ok()) return state.SkipWithError("no room for the capture in /dev/shm");
        count = packets.size();
    }
    std::vector<raw_packet> burst(1024);
    run(state, count, flow_logging::alerts, [&](auto& p) {
        auto file = pcap::file_reader::open(path);
        if (!file.ok()) return state.SkipWithError("the capture does not open");
        while (const std::size_t read = file->read_burst(burst)) p.consume(std::span{burst}.first(read));
    });
    std::filesystem::remove(path);
}

void small_packets_alerts(benchmark::State& state) {
    run(state, test::small_packets(10'000, 20), flow_logging::alerts);
}
void small_packets_every_flow(benchmark::State& state) {
    run(state, test::small_packets(10'000, 20), flow_logging::all);
}
void mix_every_flow(benchmark::State& state) { run(state, test::mixed_capture(7, 60), flow_logging::all); }

BENCHMARK(small_packets_file)->ArgName("connection")->Arg(20)->Arg(100)->Unit(benchmark::kMillisecond);
BENCHMARK(small_packets_alerts)->Unit(benchmark::kMillisecond);
BENCHMARK(small_packets_every_flow)->Unit(benchmark::kMillisecond);
BENCHMARK(mix_every_flow)->Unit(benchmark::kMillisecond);

}  // namespace
