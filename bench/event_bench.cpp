// SPDX-License-Identifier: MIT
// What an event costs: the line, the chain over it, its way through the log to the page cache, reading it back.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

#include <mldefender/log/async_event_log.hpp>
#include <mldefender/log/event_log.hpp>
#include <mldefender/log/event_reader.hpp>

namespace {

using namespace mldefender;

log::identity who() { return {"edge-01", "home", {"eth0"}, {{"traffic@1", "9f86d081884c7d65"}}}; }

event typical() {
    event e;
    e.kind = event_kind::alert;
    e.timestamp_ns = 1795212600123456789;
    e.flow_id = 1234567890123456;
    e.tuple = {address::v4(192, 168, 1, 57), address::v4(203, 0, 113, 77), 51514, 443, ip_protocol::tcp};
    e.app_protocol = "tls";
    e.signature = {8383021, 3, "MLD botnet: periodic beacon to a single rare host"};
    e.flow = {e.timestamp_ns - 48'000'000'000, e.timestamp_ns, 182, 161, 20384, 9120, flow_state::established, 0x1b};
    e.attack_class = e.ml_label = attack_class::botnet;
    e.score = e.ml_score = 0.9134F;
    e.fast_score = 0.86F;
    e.fast_reasons.push("beacon_period");
    for (int i = 0; i < 5; ++i) e.explain.push({"flow_iat_mean", 1204.5F, 0.17F});
    e.features = {7.146, 614.6, 139925.4, 1204.53, 86.02F, 41.77F, 1, 342, 0, 1, 0.4474, 7.412F, 3, 2, 0.015F, 0.97F};
    decide(e);
    e.priority = priority::medium;
    return e;
}

void event_line(benchmark::State& state) {
    const log::line_writer writer{who()};
    log::line_buffer buffer;
    event e = typical();
    for (auto _ : state) {
        buffer.clear();
        ++e.flow_id;
        benchmark::DoNotOptimize(writer.append(buffer, e, {1, {}, {}}));
    }
    state.SetItemsProcessed(state.iterations());
    state.counters["bytes"] = static_cast<double>(buffer.size());
}
BENCHMARK(event_line);

void event_chain(benchmark::State& state) {
    log::line_buffer buffer;
    const std::size_t at = log::line_writer{who()}.append(buffer, typical(), {1, {}, {}});
    log::chain links;
    for (auto _ : state) {
        benchmark::DoNotOptimize(links.advance(buffer.view().substr(0, at), buffer.view().substr(at + 32)));
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(event_chain);

void event_read(benchmark::State& state) {
    log::line_buffer buffer;
    log::line_writer{who()}.append(buffer, typical(), {1, {}, {}});
    log::event_reader reader;
    for (auto _ : state) benchmark::DoNotOptimize(reader.read(buffer.view().substr(0, buffer.size() - 1)));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(event_read);

/// A directory for one benchmark; removed afterwards.
struct scratch {
    std::string path = (std::filesystem::temp_directory_path() / "mldefender-bench-XXXXXX").string();
    scratch() {
        if (::mkdtemp(path.data()) == nullptr) path.clear();
    }
    ~scratch() { std::filesystem::remove_all(path); }
};

void event_log_write(benchmark::State& state) {
    const scratch directory;
    auto opened = log::event_log::open({.directory = directory.path, .sync = log::durability::on_close}, who());
    if (!opened) return state.SkipWithError(opened.failure().text().c_str());
    event e = typical();
    for (auto _ : state) {
        ++e.flow_id;
        (*opened)->write(e, 0);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(event_log_write)->Iterations(200'000);

/// What the detecting thread pays; the writer's thread does the rest, here fast enough or the wait is counted.
void async_log_write(benchmark::State& state) {
    const scratch directory;
    auto opened = log::event_log::open({.directory = directory.path, .sync = log::durability::on_close}, who());
    if (!opened) return state.SkipWithError(opened.failure().text().c_str());
    log::async_event_log sink{std::move(*opened), {.capacity = 1 << 16, .policy = log::when_full::wait}};
    event e = typical();
    for (auto _ : state) {
        ++e.flow_id;
        sink.write(e);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(async_log_write)->Iterations(60'000);

}  // namespace
