// SPDX-License-Identifier: MIT
// Fuzzes the capture file reader from memory: it ends, at the end or with an error that says where, and hands out only
// bytes of the input. The first byte chooses whether a valid file header is put in front, so that
// random bytes reach the records too.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include <mldefender/pcap/file_reader.hpp>

namespace {

using namespace mldefender;

void require(bool promise) {
    if (!promise) std::abort();
}

/// Headers of the four kinds of pcap, and of a pcapng section in each byte order with one interface.
std::vector<std::uint8_t> header_of(std::uint8_t choice) {
    std::vector<std::uint8_t> out;
    const bool big = (choice & 1) != 0;
    const auto put = [&out, big](std::uint32_t number, int octets) {
        for (int i = 0; i < octets; ++i)
            out.push_back(static_cast<std::uint8_t>(number >> (8 * (big ? octets - 1 - i : i))));
    };
    switch (choice >> 1 & 3) {
        case 0: break;
        case 1:
        case 2:
            put((choice & 8) != 0 ? 0xa1b23c4d : 0xa1b2c3d4, 4);
            put(2, 2);
            put(4, 2);
            put(0, 4);
            put(0, 4);
            put(65535, 4);
            put(1, 4);
            break;
        default:
            for (const std::uint32_t word : {0x0a0d0d0aU, 28U, 0x1a2b3c4dU}) put(word, 4);
            put(1, 2);
            put(0, 2);
            for (const std::uint32_t word : {0xffffffffU, 0xffffffffU, 28U}) put(word, 4);
            put(1, 4);
            put(20, 4);
            put(1, 2);
            put(0, 2);
            put(96, 4);
            put(20, 4);
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    std::vector<std::uint8_t> file = header_of(data[0]);
    file.insert(file.end(), data + 1, data + size);
    auto reader = mldefender::pcap::file_reader::from_memory(file);
    if (!reader) {
        require(reader.failure().code != errc::ok && !reader.failure().what.empty());
        return 0;
    }
    std::array<raw_packet, 7> burst;
    std::uint64_t seen = 0;
    while (const std::size_t count = reader->read_burst(burst)) {
        require(count <= burst.size());
        for (std::size_t i = 0; i < count; ++i) {
            const raw_packet& p = burst[i];
            require(p.timestamp_ns >= 0 && p.wire_len >= p.data.size());
            require(p.data.empty() ||
                    (p.data.data() >= file.data() && p.data.data() + p.data.size() <= file.data() + file.size()));
            for (const std::uint8_t b : p.data) seen += b;
        }
    }
    require(reader->failed() == (reader->failure().code != errc::ok));
    require(reader->bytes_read() <= file.size());
    raw_packet more;
    require(reader->next(more) != mldefender::pcap::read_status::packet);
    return static_cast<int>(seen & 0);
}
