// SPDX-License-Identifier: MIT
// The log on its own thread: several producers lose nothing when they may wait, drops are counted when they may not,
// flush means committed, and the artifact travels with its event. Also run under ThreadSanitizer.
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <mldefender/log/async_event_log.hpp>
#include <mldefender/log/event_reader.hpp>
#include <mldefender/log/verify.hpp>

#include "support/log_events.hpp"

using namespace mldefender;

namespace {

std::unique_ptr<log::event_log> open_log(const std::string& directory) {
    auto opened =
        log::event_log::open({.directory = directory, .sync = log::durability::on_close}, test::sample_identity());
    REQUIRE(opened.ok());
    return std::move(*opened);
}

/// A log whose writer stands still until it is told to go on.
struct gated_log {
    struct gate {
        std::mutex mutex;
        std::condition_variable changed;
        bool open = false;
        bool waiting = false;
    };
    explicit gated_log(gate& g) : m_gate(g) {}
    bool append(const event&, std::int64_t, const log::artifact_content* = nullptr) {
        std::unique_lock lock{m_gate.mutex};
        m_gate.waiting = true;
        m_gate.changed.notify_all();
        m_gate.changed.wait(lock, [this] { return m_gate.open; });
        ++m_counters.lines;
        return true;
    }
    void poll(std::int64_t) {}
    result<void, error> commit(std::int64_t) { return {}; }
    result<void, error> flush() { return error{errc::io, "tried", "gate", 0}; }
    [[nodiscard]] const log::event_log_counters& counters() const { return m_counters; }
    [[nodiscard]] bool failing() const { return false; }
    [[nodiscard]] const error& last_error() const { return m_error; }

    gate& m_gate;
    log::event_log_counters m_counters;
    error m_error;
};

void wait_until_stuck(gated_log::gate& gate) {
    std::unique_lock lock{gate.mutex};
    gate.changed.wait(lock, [&gate] { return gate.waiting; });
}
void let_go(gated_log::gate& gate) {
    const std::lock_guard lock{gate.mutex};
    gate.open = true;
    gate.changed.notify_all();
}

}  // namespace

TEST_CASE("producers that wait lose nothing and keep their order") {
    const test::scratch_directory scratch;
    constexpr std::uint64_t per_thread = 2000;
    constexpr std::uint64_t threads = 3;
    {
        log::async_event_log sink{open_log(scratch.path()), {.capacity = 100, .policy = log::when_full::wait}};
        std::vector<std::thread> producers;
        for (std::uint64_t t = 0; t < threads; ++t) {
            producers.emplace_back([&sink, t] {
                for (std::uint64_t i = 0; i < per_thread; ++i) {
                    event e = test::sample_flow(i);
                    e.interface_index = 0;
                    e.flow_id = t * 1'000'000 + i;
                    sink.write(e);
                }
            });
        }
        for (std::thread& producer : producers) producer.join();
        REQUIRE(sink.flush().ok());
        CHECK(sink.counters().log.lines == threads * per_thread);
        CHECK(sink.counters().dropped == 0);
        CHECK(sink.counters().deepest <= 100);
    }
    std::map<std::uint64_t, std::uint64_t> next;
    std::uint64_t lines = 0;
    const auto read = log::for_each_event(scratch / "2026-11-20.jsonl", [&](const log::event_record& r, const auto&) {
        const std::uint64_t thread = r.event.flow_id / 1'000'000;
        CHECK(r.event.flow_id % 1'000'000 == next[thread]++);
        CHECK(r.seq == ++lines);
    });
    CHECK(read.ok());
    CHECK(lines == threads * per_thread);
    const auto report = log::verify_directory(scratch.path());
    REQUIRE(report.ok());
    CHECK_FALSE(report->broken);
}

TEST_CASE("live capture never waits: what does not fit is dropped and counted") {
    gated_log::gate gate;
    log::basic_async_event_log<gated_log> sink{std::make_unique<gated_log>(gate),
                                               {.capacity = 4, .policy = log::when_full::drop, .group_lines = 1}};
    CHECK(sink.write(test::sample_flow(0)));
    wait_until_stuck(gate);  // the writer holds the first event; the queue is empty
    for (std::uint64_t i = 0; i < 4; ++i) CHECK(sink.write(test::sample_flow(i)));
    for (std::uint64_t i = 0; i < 6; ++i) CHECK_FALSE(sink.write(test::sample_flow(i)));
    CHECK(sink.counters().dropped == 6);
    CHECK(sink.counters().deepest == 4);
    let_go(gate);
    const auto flushed = sink.flush();
    REQUIRE_FALSE(flushed.ok());  // the log's own complaint arrives
    CHECK(flushed.failure().where == "gate");
    CHECK(sink.counters().log.lines == 5);
}

TEST_CASE("a waiting producer goes on when there is room again") {
    gated_log::gate gate;
    log::basic_async_event_log<gated_log> sink{std::make_unique<gated_log>(gate),
                                               {.capacity = 1, .policy = log::when_full::wait, .group_lines = 1}};
    sink.write(test::sample_flow(0));
    wait_until_stuck(gate);
    std::thread producer{[&sink] {
        for (std::uint64_t i = 0; i < 20; ++i) sink.write(test::sample_flow(i));
    }};
    let_go(gate);
    producer.join();
    (void)sink.flush();
    CHECK(sink.counters().log.lines == 21);
    CHECK(sink.counters().dropped == 0);
}

TEST_CASE("the artifact's content is copied with its event") {
    const test::scratch_directory scratch;
    static constexpr std::array<std::string_view, 2> names{"a", "b"};
    {
        log::async_event_log sink{open_log(scratch.path()), {}};
        for (int i = 0; i < 4; ++i) {
            std::vector<float> values{static_cast<float>(i), 2};
            std::vector<std::uint8_t> payload(3, static_cast<std::uint8_t>(i));
            const log::artifact_content content{values, names, payload, {}};
            sink.write(i % 2 == 0 ? test::sample_flow(0) : test::sample_alert(), &content);
        }
    }
    std::vector<std::string> found;
    const auto read = log::for_each_event(scratch / "2026-11-20.jsonl", [&](const log::event_record& r, const auto&) {
        if (!r.artifact.empty()) found.push_back(log::read_artifact(scratch / r.artifact).value());
    });
    CHECK(read.ok());
    REQUIRE(found.size() == 2);
    CHECK(found[0].find("\"a\":1,\"b\":2") != std::string::npos);
    CHECK(found[0].find("\"010101\"") != std::string::npos);
    CHECK(found[1].find("\"a\":3,\"b\":2") != std::string::npos);
}
