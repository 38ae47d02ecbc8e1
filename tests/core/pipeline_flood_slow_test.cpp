// SPDX-License-Identifier: MIT
// The promise about floods, in full: five million distinct 5-tuples through a pipeline of default capacity stay under
// 256 MB, and a thousand connections that were established before are still the same flows afterwards. Memory is
// measured only where no sanitizer adds its own.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <mldefender/core/pipeline.hpp>

#include "support/recording_sink.hpp"
#include "support/traffic.hpp"

using namespace mldefender;
using namespace mldefender::test;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif
#else
constexpr bool sanitized = false;
#endif

namespace {

// Largest resident size so far, MB; 0 where the kernel does not say.
std::size_t most_memory_mb() {
    std::ifstream status{"/proc/self/status"};
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6)) / 1024;
    }
    return 0;
}

// Counts the lines of flows that saw all their packets.
struct survivors_sink {
    std::uint64_t whole = 0;
    std::uint64_t parts = 0;
    void write(const event& e, const flow& f, const feature_vector&) {
        if (e.kind != event_kind::flow || f.tuple.destination_port != 5000) return;
        ++(f.packets() == 9 ? whole : parts);
    }
};

five_tuple talk(std::uint32_t i) {
    return tuple_of(ip_protocol::tcp, static_cast<std::uint16_t>(2000 + i), 5000, address::v4(10, 1, 0, 1),
                    address::v4(10, 2, static_cast<std::uint8_t>(i / 250), static_cast<std::uint8_t>(i % 250)));
}

}  // namespace

TEST_CASE("five million 5-tuples: memory stays bounded, established flows survive") {
    constexpr std::uint32_t connections = 1000, distinct = sanitized ? 500'000 : 5'000'000;
    survivors_sink sink;
    pipeline_options options;
    options.logging = flow_logging::all;
    auto p = std::make_unique<pipeline<small_forests, survivors_sink>>(options, small_forests{}, sink);
    std::int64_t at = epoch_ns;
    const auto feed = [&](const frame& f) { p->consume(raw_of(f, at)); };
    for (std::uint32_t i = 0; i < connections; ++i, at += ms) {
        const five_tuple t = talk(i);
        feed(tcp_frame(t, tcp_flag::syn, {}, 1000));
        feed(tcp_frame(t.reversed(), tcp_flag::syn | tcp_flag::ack, {}, 2000, 1001));
        feed(tcp_frame(t, tcp_flag::ack, {}, 1001, 2001));
        feed(tcp_frame(t, tcp_flag::psh | tcp_flag::ack, "question", 1001, 2001));
        feed(tcp_frame(t.reversed(), tcp_flag::psh | tcp_flag::ack, "answer", 2001, 1009));
    }
    // 100,000 new flows a second for 50 s: less than the idle timeout, so only eviction makes room.
    frame probe = tcp_frame(tuple_of(ip_protocol::tcp, 1, 443, client, server), tcp_flag::syn);
    std::vector<frame> burst(500, probe);
    std::vector<raw_packet> raw(burst.size());
    for (std::uint32_t i = 0; i < distinct; i += 500, at += 5 * ms) {
        for (std::uint32_t k = 0; k < 500; ++k) {
            const std::uint32_t from = 0x2d000000U + (i + k);  // source address, IPv4 at 14 + 12
            burst[k].set_be16(26, from >> 16);
            burst[k].set_be16(28, from & 0xffff);
            raw[k] = raw_of(burst[k], at + k * 9'000);
        }
        p->consume(raw);
    }
    CHECK(p->active_flows() <= 200'192);
    for (std::uint32_t i = 0; i < connections; ++i) {
        const five_tuple t = talk(i);
        feed(tcp_frame(t, tcp_flag::psh | tcp_flag::ack, "more", 1009, 2007));
        feed(tcp_frame(t.reversed(), tcp_flag::fin | tcp_flag::ack, {}, 2007, 1013));
        feed(tcp_frame(t, tcp_flag::fin | tcp_flag::ack, {}, 1013, 2008));
        feed(tcp_frame(t.reversed(), tcp_flag::ack, {}, 2008, 1014));
    }
    p->finish();
    CHECK(sink.whole == connections);
    CHECK(sink.parts == 0);
    const statistics s = p->totals();
    CHECK(s.flows_begun == distinct + connections);
    CHECK(s.flows_ended == s.flows_begun);
    CHECK(s.flows_evicted >= distinct - 200'192);
    if (!sanitized && most_memory_mb() > 0) CHECK(most_memory_mb() < 256);
    MESSAGE("largest resident size " << most_memory_mb() << " MB");
}
