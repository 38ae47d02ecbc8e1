// SPDX-License-Identifier: MIT
// SHA-1 (FIPS 180-4) of short messages, usable while compiling. Only for Community IDs, whose specification asks for it
// and hashes at most 40 bytes: SHA-1 is broken as a signature and protects nothing here.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include <mldefender/core/bytes.hpp>

namespace mldefender {
inline namespace v0 {
namespace detail {

/// The 20 bytes of a SHA-1 digest.
using sha1_digest = std::array<std::uint8_t, 20>;

using sha1_state = std::array<std::uint32_t, 5>;

/// Mixes one 64-byte block into the state.
constexpr void sha1_block(sha1_state& state, const std::uint8_t* block) noexcept {
    std::array<std::uint32_t, 80> w{};
    for (std::size_t i = 0; i < 16; ++i) w[i] = load_be32(block + 4 * i);
    for (std::size_t i = 16; i < 80; ++i) w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    std::uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    const auto round = [&](std::uint32_t f, std::uint32_t k, std::uint32_t word) {
        const std::uint32_t next = std::rotl(a, 5) + f + e + k + word;
        e = d;
        d = c;
        c = std::rotl(b, 30);
        b = a;
        a = next;
    };
    for (std::size_t i = 0; i < 20; ++i) round((b & c) | (~b & d), 0x5a827999, w[i]);
    for (std::size_t i = 20; i < 40; ++i) round(b ^ c ^ d, 0x6ed9eba1, w[i]);
    for (std::size_t i = 40; i < 60; ++i) round((b & c) | (b & d) | (c & d), 0x8f1bbcdc, w[i]);
    for (std::size_t i = 60; i < 80; ++i) round(b ^ c ^ d, 0xca62c1d6, w[i]);
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

/// Longest message that fits into one block with its padding.
inline constexpr std::size_t sha1_longest = 55;

/// The digest of a message of at most `sha1_longest` bytes; what is longer is cut.
[[nodiscard]] constexpr sha1_digest sha1_short(bytes message) noexcept {
    const std::size_t size = std::min(message.size(), sha1_longest);
    std::array<std::uint8_t, 64> block{};
    for (std::size_t i = 0; i < size; ++i) block[i] = message[i];
    // Padding: a one bit, zeros, and the length in bits as a 64-bit number, of which two bytes are enough here.
    block[size] = 0x80;
    block[62] = static_cast<std::uint8_t>(size * 8 >> 8);
    block[63] = static_cast<std::uint8_t>(size * 8);
    sha1_state state{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    sha1_block(state, block.data());
    sha1_digest digest{};
    for (std::size_t i = 0; i < digest.size(); ++i) {
        digest[i] = static_cast<std::uint8_t>(state[i / 4] >> (24 - 8 * (i % 4)));
    }
    return digest;
}

}  // namespace detail
}  // namespace v0
}  // namespace mldefender
