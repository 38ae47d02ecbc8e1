// SPDX-License-Identifier: MIT
// Counting distinct things in a few bytes: bitmaps with linear counting (Whang, Vander-Zanden, Taylor 1990). Two
// sketches merge by OR, so time buckets and workers combine without loss. Exact enough for windows: below 3 % error
// up to the number of bits, then saturating near bits * ln(bits), which every threshold stays far below.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include <mldefender/core/math.hpp>

namespace mldefender {
inline namespace v0 {

namespace detail {

// Estimates for every possible number of set bits: -m ln(1 - set/m); a full map reads as m ln(m) + m/2.
template <std::size_t Bits>
inline constexpr auto linear_counts = [] {
    std::array<float, Bits + 1> table{};
    constexpr double ln2 = 0.6931471805599453;
    constexpr auto m = static_cast<double>(Bits);
    for (std::size_t set = 0; set < Bits; ++set) {
        table[set] = static_cast<float>(-m * ln2 * log2_of(1.0 - static_cast<double>(set) / m));
    }
    table[Bits] = static_cast<float>(m * ln2 * log2_of(m) + m / 2);
    return table;
}();

}  // namespace detail

/// Counts distinct hashes. `Bits` is a power of two of at least 64.
template <std::size_t Bits>
class distinct_counter {
    static_assert(std::has_single_bit(Bits) && Bits >= 64, "distinct_counter<Bits>: a power of two of at least 64");

public:
    /// Adds one hash; its low bits choose the position, so pass well-mixed hashes only.
    constexpr void add(std::uint64_t hash) noexcept { m_words[(hash / 64) % (Bits / 64)] |= 1ULL << (hash % 64); }

    /// Adds all that the other one has seen.
    constexpr void merge(const distinct_counter& other) noexcept {
        for (std::size_t i = 0; i < m_words.size(); ++i) m_words[i] |= other.m_words[i];
    }
    /// Estimated number of distinct hashes added.
    [[nodiscard]] constexpr float count() const noexcept {
        std::size_t set = 0;
        for (const std::uint64_t word : m_words) set += static_cast<std::size_t>(std::popcount(word));
        return detail::linear_counts<Bits>[set];
    }

private:
    std::array<std::uint64_t, Bits / 64> m_words{};
};

}  // namespace v0
}  // namespace mldefender
