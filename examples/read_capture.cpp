// SPDX-License-Identifier: MIT
// A capture through the whole pipeline: packets from a file, alerts on standard output. Without an argument it reads
// a recording of a port scan (run it from the top of the source folder).
#include <array>
#include <cstdio>
#include <span>
#include <string>

#include <mldefender/core/models/ddos.hpp>
#include <mldefender/core/models/internal.hpp>
#include <mldefender/core/models/ransomware.hpp>
#include <mldefender/core/models/traffic.hpp>
#include <mldefender/core/pipeline.hpp>
#include <mldefender/pcap/file_reader.hpp>

using namespace mldefender;

// A sink is anything with this member. It is called in order, on the thread that calls `consume`.
struct printing_sink {
    int alerts = 0;
    void write(const event& e, const flow&, const feature_vector&) {
        if (e.kind != event_kind::alert) return;
        ++alerts;
        std::printf("%s by %s against %s, score %.2f\n", name_of(e.attack_class).data(),
                    std::string{to_text(e.tuple.source).view()}.c_str(),
                    std::string{to_text(e.tuple.destination).view()}.c_str(), static_cast<double>(e.score));
    }
};

int main(int argc, char** argv) {
    auto opened = pcap::file_reader::open(argc > 1 ? argv[1] : "examples/captures/port-scan.pcap");
    if (!opened) return std::fprintf(stderr, "%s\n", opened.failure().text().c_str()), 1;

    using forests =
        max_threat<forest<models::ddos>, forest<models::ransomware>, forest<models::traffic>, forest<models::internal>>;
    printing_sink sink;
    pipeline<forests, printing_sink> detect{pipeline_options{}, forests{}, sink};

    std::array<raw_packet, 1024> burst;
    while (const std::size_t count = opened->read_burst(burst)) detect.consume(std::span{burst}.first(count));
    detect.finish();
    if (opened->failed()) return std::fprintf(stderr, "%s\n", opened->failure().text().c_str()), 1;

    const statistics seen = detect.totals();
    std::printf("%llu packets, %llu flows, %d alerts\n", static_cast<unsigned long long>(seen.packets),
                static_cast<unsigned long long>(seen.flows_begun), sink.alerts);
    return argc > 1 || sink.alerts > 0 ? 0 : 1;
}
