// SPDX-License-Identifier: MIT
// Arbitrary bytes as frames: never a crash, never more than the bound, and never opened unless sealed by the key. The
// first byte of the input chooses: the rest as it comes, as the body of a frame whose header is right, or sealed, so
// that what is authentic and still wrong (LZ4 data, lengths, order) is reached as well.
#include <sodium.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include <mldefender/transport/session.hpp>

#include "support/sessions.hpp"

using namespace mldefender;
using namespace mldefender::transport;

namespace {

constexpr std::uint32_t bound = 4096;

struct world {
    std::shared_ptr<key_ring> ring = test::one_epoch();
    session_options options{suite::xchacha20_poly1305, compression::lz4, order::datagram, bound};
    cipher by_hand;
    transport::detail::associated_data also{test::way()};

    world() {
        auto made = cipher::create(suite::xchacha20_poly1305, ring->arena());
        auto key = ring->arena().allocate(key_size);
        auto scratch = ring->arena().allocate(key_size);
        if (!made || !key || !scratch) std::abort();
        if (!ring->derive(7, test::way(), key->bytes().first<key_size>())) std::abort();
        by_hand = std::move(made).value();
        by_hand.set_key(key->bytes().first<key_size>(), test::counting_salt(), scratch->bytes().first<key_size>());
    }
};

test::frame_bytes with_header(bytes body, std::uint8_t flags, std::uint64_t sequence) {
    test::frame_bytes frame{'M', frame_version, 1, flags, 7, 0, 0, 0};
    for (int i = 0; i < 8; ++i) frame.push_back(static_cast<std::uint8_t>(sequence >> (8 * i)));
    frame.insert(frame.end(), body.begin(), body.end());
    return frame;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static world here;
    auto opener = frame_opener::create(here.ring, test::way(), test::counting_salt(), here.options, nullptr);
    if (!opener) std::abort();
    if (size == 0) return 0;
    const std::uint8_t choice = data[0];
    const bytes rest{data + 1, size - 1};
    const std::uint8_t flags = choice >> 2 & 3;
    if (choice % 4 == 0) {
        if (opener->open(rest, 1).ok()) std::abort();
    } else if (choice % 4 == 1) {
        if (opener->open(with_header(rest, flags, 0), 1).ok()) std::abort();
    } else {
        auto frame = with_header(rest, flags, choice);
        const std::size_t start = header_size + ((flags & flag_lz4) != 0 ? length_size : 0);
        if (frame.size() < start) return 0;
        const std::size_t body = frame.size() - start;
        frame.resize(frame.size() + tag_size);
        here.by_hand.seal(choice, here.also.with(frame.data(), start), {&frame[start], body}, frame.data() + start,
                          frame.data() + start + body);
        const auto opened = opener->open(frame, 1);
        if (opened && opened->size() > bound) std::abort();
        if (!opened && opened.failure() == refusal::auth_failed) std::abort();
        if (opened && (flags & flag_lz4) == 0 && opened->size() != body) std::abort();
        if (opened && opener->open(frame, 1).ok()) std::abort();
    }
    return 0;
}
