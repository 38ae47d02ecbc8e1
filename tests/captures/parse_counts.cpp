// SPDX-License-Identifier: MIT
// Prints, for each capture named on the command line, its path, its packets and its IP packets (decoded ones and those
// of an IP protocol that is not tracked). Built and run by parse_counts.sh; ends with 1 when a capture cannot be read.
#include <array>
#include <cstdint>
#include <cstdio>

#include <mldefender/core/parse.hpp>
#include <mldefender/pcap/file_reader.hpp>

int main(int count, char** paths) {
    int failures = 0;
    for (int i = 1; i < count; ++i) {
        auto reader = mldefender::pcap::file_reader::open(paths[i]);
        if (!reader) {
            std::fprintf(stderr, "%s\n", reader.failure().text().c_str());
            ++failures;
            continue;
        }
        std::array<mldefender::raw_packet, 64> burst;
        std::uint64_t packets = 0;
        std::uint64_t ip_packets = 0;
        while (const std::size_t got = reader->read_burst(burst)) {
            packets += got;
            for (std::size_t k = 0; k < got; ++k) {
                mldefender::packet p;
                const mldefender::errc code = mldefender::parse_into(burst[k], {}, p);
                ip_packets += code == mldefender::errc::ok || code == mldefender::errc::unsupported_proto ? 1 : 0;
            }
        }
        if (reader->failed()) {
            std::fprintf(stderr, "%s\n", reader->failure().text().c_str());
            ++failures;
        }
        std::printf("%s\t%llu\t%llu\n", paths[i], static_cast<unsigned long long>(packets),
                    static_cast<unsigned long long>(ip_packets));
    }
    return failures == 0 ? 0 : 1;
}
