// SPDX-License-Identifier: MIT
// Time per packet of decoding, and of reading capture files with and without decoding, beside a bare libpcap loop over
// the same files. The files are made here; with MLDEFENDER_CAPTURES naming a folder, all captures below it are read
// too. `per_packet` is the number to look at. Run from a release build.
#include <benchmark/benchmark.h>

#include <pcap/pcap.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <mldefender/core/community_id.hpp>
#include <mldefender/core/fragment.hpp>
#include <mldefender/core/parse.hpp>
#include <mldefender/pcap/file_reader.hpp>
#include <mldefender/pcap/file_writer.hpp>

#include "support/frames.hpp"

namespace {

using namespace mldefender;
namespace files = mldefender::pcap;

five_tuple talk(std::uint32_t number) {
    return {address::v4(0x0a000000 + number % 251), address::v4(0xc0000200 + number % 13),
            static_cast<std::uint16_t>(1024 + number), 443, ip_protocol::tcp};
}
five_tuple talk6(std::uint32_t number) {
    five_tuple t = talk(number);
    t.source = {0x20010db800000000ULL, number % 251};
    t.destination = {0x20010db800000001ULL, number % 13};
    return t;
}

test::frame plain(std::uint32_t n) { return test::tcp_frame(talk(n), tcp_flag::ack, "0123456789"); }
test::frame udp6(std::uint32_t n) { return test::udp_frame(talk6(n), "0123456789"); }
test::frame tagged(std::uint32_t n) {
    return test::ethernet(0x8100, test::vlan(7, 0x0800, bytes{plain(n)}.subspan(14)));
}
test::frame vxlan(std::uint32_t n) {
    const test::frame inside = test::frame{}.be32(0x08000000).be32(0).add(plain(n));
    return test::ethernet_ip(test::ipv4({.protocol = 17}, test::udp(5000, 4789, inside)));
}

void per_packet(benchmark::State& state, std::uint64_t packets) {
    state.SetItemsProcessed(static_cast<std::int64_t>(packets));
    state.counters["per_packet"] =
        benchmark::Counter(static_cast<double>(packets), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void decode(benchmark::State& state, test::frame (*make)(std::uint32_t), parse_options options) {
    std::vector<test::frame> frames;
    for (std::uint32_t i = 0; i < 64; ++i) frames.push_back(make(i));
    std::vector<raw_packet> raw;
    for (const test::frame& f : frames) raw.push_back(test::raw_of(f));
    std::uint64_t packets = 0;
    for (auto _ : state) {
        for (const raw_packet& r : raw) {
            packet p;
            benchmark::DoNotOptimize(parse_into(r, options, p));
            benchmark::DoNotOptimize(p);
        }
        packets += raw.size();
    }
    per_packet(state, packets);
}
BENCHMARK_CAPTURE(decode, tcp_ipv4, plain, {});
BENCHMARK_CAPTURE(decode, udp_ipv6, udp6, {});
BENCHMARK_CAPTURE(decode, tcp_ipv4_vlan, tagged, {});
BENCHMARK_CAPTURE(decode, tcp_ipv4_tunnels_asked, plain, {.decapsulate = true});
BENCHMARK_CAPTURE(decode, tcp_ipv4_in_vxlan, vxlan, {.decapsulate = true});

void fragments(benchmark::State& state) {
    fragment_table<4096> table;
    packet first = *parse(test::raw_of(plain(1)));
    first.fragment = true;
    packet later = first;
    later.later_fragment = true;
    std::uint64_t packets = 0;
    for (auto _ : state) {
        first.fragment_id = later.fragment_id = static_cast<std::uint32_t>(packets);
        benchmark::DoNotOptimize(table.resolve(first));
        benchmark::DoNotOptimize(table.resolve(later));
        packets += 2;
    }
    per_packet(state, packets);
}
BENCHMARK(fragments);

void community_ids(benchmark::State& state) {
    five_tuple t = talk(1);
    for (auto _ : state) {
        ++t.source_port;
        benchmark::DoNotOptimize(community_id(t));
    }
}
BENCHMARK(community_ids);

/// A file of half a million small packets, removed at the end of the program.
const std::vector<std::string>& small_packets() {
    static const struct scratch {
        std::vector<std::string> paths{
            (std::filesystem::temp_directory_path() / ("mldefender-bench-" + std::to_string(::getpid()) + ".pcap"))
                .string()};
        scratch() {
            auto opened = files::file_writer::open(paths[0]);
            if (!opened) std::abort();
            files::file_writer writer = std::move(opened).value();
            for (std::uint32_t i = 0; i < 500'000; ++i) {
                if (!writer.write(test::raw_of(plain(i), std::int64_t{i} * 1000))) std::abort();
            }
            if (!writer.close()) std::abort();
        }
        scratch(const scratch&) = delete;
        scratch& operator=(const scratch&) = delete;
        ~scratch() { std::filesystem::remove(paths[0]); }
    } made;
    return made.paths;
}

const std::vector<std::string>& captures() {
    static const std::vector<std::string> paths = [] {
        std::vector<std::string> found;
        const char* const root = std::getenv("MLDEFENDER_CAPTURES");
        if (root == nullptr) return found;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
            if (entry.is_regular_file()) found.push_back(entry.path().string());
        }
        return found;
    }();
    return paths;
}

using file_list = const std::vector<std::string>& (*)();

void bare_libpcap(benchmark::State& state, file_list list) {
    if (list().empty()) return state.SkipWithError("MLDEFENDER_CAPTURES is not set");
    std::uint64_t packets = 0;
    for (auto _ : state) {
        for (const std::string& path : list()) {
            char text[PCAP_ERRBUF_SIZE];
            pcap_t* const handle = pcap_open_offline(path.c_str(), text);
            if (handle == nullptr) return state.SkipWithError(text);
            pcap_pkthdr* header = nullptr;
            const u_char* data = nullptr;
            while (pcap_next_ex(handle, &header, &data) == 1) ++packets;
            pcap_close(handle);
        }
    }
    per_packet(state, packets);
}

void read_files(benchmark::State& state, file_list list, bool decode_too) {
    if (list().empty()) return state.SkipWithError("MLDEFENDER_CAPTURES is not set");
    std::uint64_t packets = 0;
    for (auto _ : state) {
        for (const std::string& path : list()) {
            auto reader = files::file_reader::open(path);
            if (!reader) return state.SkipWithError(reader.failure().text().c_str());
            std::array<raw_packet, 64> burst;
            while (const std::size_t count = reader->read_burst(burst)) {
                packets += count;
                if (!decode_too) continue;
                for (std::size_t i = 0; i < count; ++i) {
                    packet p;
                    benchmark::DoNotOptimize(parse_into(burst[i], {}, p));
                    benchmark::DoNotOptimize(p);
                }
            }
        }
    }
    per_packet(state, packets);
}

BENCHMARK_CAPTURE(bare_libpcap, small_packets, small_packets)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(read_files, small_packets, small_packets, false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(read_files, small_packets_decoded, small_packets, true)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(bare_libpcap, captures, captures)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(read_files, captures, captures, false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(read_files, captures_decoded, captures, true)->Unit(benchmark::kMillisecond);

}  // namespace
