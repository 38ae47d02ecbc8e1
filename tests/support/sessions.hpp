// SPDX-License-Identifier: MIT
// Keys and sessions for tests of the transport: a fixed key per epoch, so that frames can be published as vectors, and
// both ends of one session.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <mldefender/transport/session.hpp>

namespace mldefender::test {

inline constexpr std::int64_t second = 1'000'000'000;
using frame_bytes = std::vector<std::uint8_t>;

/// 32 bytes: `first`, `first` + 1, ...
inline transport::secret counting_key(transport::secret_arena& arena, std::uint8_t first) {
    auto key = arena.allocate(transport::key_size);
    if (!key) return {};
    for (std::uint8_t& octet : key->bytes()) octet = first++;
    return std::move(key).value();
}

/// A ring with epoch 7 from 0 s to 100 s, and 10 s of grace.
inline std::shared_ptr<transport::key_ring> one_epoch(std::uint8_t first = 0) {
    auto arena = transport::secret_arena::create();
    if (!arena) return nullptr;
    auto ring = std::make_shared<transport::key_ring>(*arena);
    const auto added = ring->add(7, counting_key(**arena, first), {0, 100 * second, 10 * second}, 0);
    return added ? ring : nullptr;
}

inline transport::route way(std::string_view channel = "events", std::string_view sender = "sensor-1",
                            std::string_view receiver = "collector",
                            transport::direction direction = transport::direction::forward) {
    return transport::route::make(channel, sender, receiver, direction).value();
}

inline transport::salt counting_salt(std::uint8_t first = 0xa0) {
    transport::salt made{};
    for (std::uint8_t& octet : made) octet = first++;
    return made;
}

inline bytes octets(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

/// A frame of its own; empty when sealing failed.
inline frame_bytes sealed(transport::frame_sealer& sealer, bytes content, std::int64_t now_ns = second) {
    frame_bytes frame(transport::frame_size(content.size()));
    const auto size = sealer.seal(content, frame, now_ns);
    frame.resize(size ? *size : 0);
    return frame;
}

/// Text that compresses about as well as event lines do.
inline frame_bytes event_like(std::size_t size) {
    constexpr std::string_view line =
        R"({"timestamp":"2026-11-20T10:00:00.123456+0000","src_ip":"192.168.1.57","dest_ip":"203.0.113.77","proto":"TCP"})";
    frame_bytes text;
    std::uint32_t state = 1;
    while (text.size() < size) {
        for (const char c : line) {
            state = state * 1664525U + 1013904223U;
            text.push_back(c >= '0' && c <= '9' ? static_cast<std::uint8_t>('0' + (state >> 24) % 10)
                                                : static_cast<std::uint8_t>(c));
        }
    }
    text.resize(size);
    return text;
}

}  // namespace mldefender::test
