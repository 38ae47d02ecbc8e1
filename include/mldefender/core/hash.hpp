// SPDX-License-Identifier: MIT
// Keyed hashing of addresses and 5-tuples. Attackers choose both, so tables are indexed under a secret; the secret
// never shows in an event (flow ids use the zero secret) and is zero when files are read, so replays repeat.
// Not a cryptographic MAC: it keeps strangers from aiming at one bucket, nothing more.
#pragma once

#include <cstdint>

#include <mldefender/core/address.hpp>

namespace mldefender {
inline namespace v0 {

/// 128 secret bits, drawn by the tool at start for live capture, zero for files.
struct hash_secret {
    std::uint64_t first = 0;   ///< 64 bits, any value
    std::uint64_t second = 0;  ///< 64 more
};

namespace detail {

/// `fold_multiply` in 64-bit arithmetic, for compilers without a 128-bit type.
[[nodiscard]] constexpr std::uint64_t fold_multiply_portable(std::uint64_t a, std::uint64_t b) noexcept {
    const std::uint64_t a_low = a & 0xffffffffU, a_high = a >> 32, b_low = b & 0xffffffffU, b_high = b >> 32;
    const std::uint64_t low = a_low * b_low, cross_a = a_high * b_low, cross_b = a_low * b_high, high = a_high * b_high;
    const std::uint64_t middle = (low >> 32) + (cross_a & 0xffffffffU) + (cross_b & 0xffffffffU);
    return ((middle << 32) | (low & 0xffffffffU)) ^ (high + (cross_a >> 32) + (cross_b >> 32) + (middle >> 32));
}

}  // namespace detail

/// Multiplies to 128 bits and folds the halves: the mixing step of the wyhash family (Wang Yi, public domain idea).
[[nodiscard]] constexpr std::uint64_t fold_multiply(std::uint64_t a, std::uint64_t b) noexcept {
#ifdef __SIZEOF_INT128__
    __extension__ using wide = unsigned __int128;
    const wide product = static_cast<wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
#else
    return detail::fold_multiply_portable(a, b);
#endif
}

/// Hash of one number under a secret.
[[nodiscard]] constexpr std::uint64_t hash_of(std::uint64_t value, hash_secret secret = {}) noexcept {
    return fold_multiply(
        fold_multiply(value ^ secret.first ^ 0x9e3779b97f4a7c15ULL, 0xe7037ed1a0b428dbULL) ^ secret.second,
        0x8ebc6af09c88c6e3ULL);
}

/// Hash of an address under a secret.
[[nodiscard]] constexpr std::uint64_t hash_of(const address& a, hash_secret secret = {}) noexcept {
    const std::uint64_t mixed =
        fold_multiply(a.high ^ secret.first ^ 0xa0761d6478bd642fULL, a.low ^ secret.second ^ 0xe7037ed1a0b428dbULL);
    return hash_of(mixed ^ a.low, secret);
}

/// Hash of a 5-tuple that is the same for both directions: the endpoints are put in order first.
[[nodiscard]] constexpr std::uint64_t symmetric_hash(const five_tuple& t, hash_secret secret = {}) noexcept {
    const bool ordered = t.source < t.destination || (t.source == t.destination && t.source_port <= t.destination_port);
    const address& a = ordered ? t.source : t.destination;
    const address& b = ordered ? t.destination : t.source;
    const std::uint64_t ports = (std::uint64_t{ordered ? t.source_port : t.destination_port} << 24) |
                                (std::uint64_t{ordered ? t.destination_port : t.source_port} << 8) |
                                static_cast<std::uint64_t>(t.protocol);
    const std::uint64_t left =
        fold_multiply(a.high ^ secret.first ^ 0xa0761d6478bd642fULL, a.low ^ 0xe7037ed1a0b428dbULL);
    const std::uint64_t right =
        fold_multiply(b.high ^ secret.second ^ 0x8ebc6af09c88c6e3ULL, b.low ^ 0x589965cc75374cc3ULL);
    return hash_of((left ^ a.low) + ((right ^ b.low) << 1) + ports * 0x9e3779b97f4a7c15ULL, secret);
}

/// Identity of a flow, stable for a capture: 53 bits, so that JSON readers with doubles keep it exact.
[[nodiscard]] constexpr std::uint64_t flow_id_of(const five_tuple& initiator_first, std::int64_t first_ns) noexcept {
    return hash_of(symmetric_hash(initiator_first) ^ hash_of(static_cast<std::uint64_t>(first_ns))) >> 11;
}

}  // namespace v0
}  // namespace mldefender
