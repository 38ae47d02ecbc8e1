// SPDX-License-Identifier: MIT
// A sink of your own: every flow of a capture as a line of CSV, with two features picked by name. A sink sees the
// event, the flow behind it and the whole feature vector. Without an argument it reads a recording of ordinary use
// (run it from the top of the source folder).
#include <array>
#include <cstdio>
#include <span>
#include <string>

#include <mldefender/core/models/internal.hpp>
#include <mldefender/core/pipeline.hpp>
#include <mldefender/pcap/file_reader.hpp>

using namespace mldefender;

struct csv_sink {
    unsigned long long lines = 0;

    void write(const event& e, const flow& f, const feature_vector& row) {
        if (e.kind != event_kind::flow) return;
        constexpr std::size_t entropy = *feature_index("fwd_payload_entropy");
        constexpr std::size_t ratio = *feature_index("down_up_ratio");
        ++lines;
        std::printf("%s,%s,%u,%s,%llu,%.2f,%.2f,%s\n", std::string{to_text(e.tuple.source).view()}.c_str(),
                    std::string{to_text(e.tuple.destination).view()}.c_str(),
                    static_cast<unsigned>(e.tuple.destination_port), std::string{e.app_protocol}.c_str(),
                    static_cast<unsigned long long>(f.packets()), static_cast<double>(row[entropy]),
                    static_cast<double>(row[ratio]), std::string{name_of(e.verdict)}.c_str());
    }
};

int main(int argc, char** argv) {
    auto opened = pcap::file_reader::open(argc > 1 ? argv[1] : "examples/captures/benign.pcap");
    if (!opened) return std::fprintf(stderr, "%s\n", opened.failure().text().c_str()), 1;

    pipeline_options options;
    options.logging = flow_logging::all;
    csv_sink sink;
    pipeline<max_threat<forest<models::internal>>, csv_sink> detect{options, {}, sink};
    std::puts("source,destination,port,protocol,packets,entropy,ratio,verdict");
    std::array<raw_packet, 1024> burst;
    while (const std::size_t count = opened->read_burst(burst)) detect.consume(std::span{burst}.first(count));
    detect.finish();
    if (opened->failed()) return std::fprintf(stderr, "%s\n", opened->failure().text().c_str()), 1;
    return sink.lines == detect.totals().flows_begun ? 0 : 1;
}
