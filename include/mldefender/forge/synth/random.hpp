// SPDX-License-Identifier: MIT
// Pseudo-random numbers and distributions whose every bit is the same on every machine and compiler: xoshiro256++
// (Blackman and Vigna, 2018) seeded by splitmix64, and distributions on integers and tables. std:: distributions are
// refused because each standard library draws them differently; expressions of doubles that mix products and sums are
// refused because a compiler may fuse them. Two draws never stand in one expression whose order is unspecified
// (arguments of one call, operands of +): callers name the first. Used by everything in forge that draws.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace mldefender {
inline namespace v0 {
namespace forge {

namespace detail {

/// 2^(i/256) in Q30. Products of exact constants only, hence the same bits everywhere.
[[nodiscard]] consteval std::array<std::uint32_t, 257> make_exp2_table() {
    constexpr double roots[8] = {1.0027112750502025, 1.0054299011128027, 1.0108892860517005, 1.0218971486541166,
                                 1.0442737824274138, 1.0905077326652577, 1.189207115002721,  1.4142135623730951};
    std::array<std::uint32_t, 257> table{};
    for (std::size_t i = 0; i < 256; ++i) {
        double value = 1073741824.0;
        for (std::size_t bit = 0; bit < 8; ++bit) {
            if ((i >> bit) & 1U) value *= roots[bit];
        }
        table[i] = static_cast<std::uint32_t>(value);
    }
    table[256] = 2147483648U;
    return table;
}

/// log2(1 + i/256) in Q30, by repeated squaring: one bit of the logarithm a step.
[[nodiscard]] consteval std::array<std::uint32_t, 257> make_log2_table() {
    std::array<std::uint32_t, 257> table{};
    for (std::size_t i = 0; i < 256; ++i) {
        double x = static_cast<double>(256 + i) / 256.0;
        std::uint32_t bits = 0;
        for (int step = 0; step < 30; ++step) {
            x *= x;
            bits <<= 1;
            if (x >= 2) {
                bits |= 1;
                x *= 0.5;
            }
        }
        table[i] = bits;
    }
    table[256] = 1073741824U;
    return table;
}

inline constexpr auto exp2_table = make_exp2_table();
inline constexpr auto log2_table = make_log2_table();

/// 2^x for x in Q32, |x| < 60; relative error below 4e-6.
[[nodiscard]] constexpr double exp2_of_q32(std::int64_t x) noexcept {
    const std::int64_t whole = x >> 32;
    const auto fraction = static_cast<std::uint32_t>(x);
    const std::uint32_t at = fraction >> 24;
    const std::uint64_t rest = fraction & 0xff'ffffU;
    const std::uint64_t low = exp2_table[at];
    const std::uint64_t mantissa = low + (((exp2_table[at + 1] - low) * rest) >> 24);
    const auto scale = std::bit_cast<double>(static_cast<std::uint64_t>(1023 + whole - 30) << 52);
    return static_cast<double>(mantissa) * scale;
}

/// log2 of x >= 1 in Q32; absolute error below 2e-6. Zero counts as one.
[[nodiscard]] constexpr std::int64_t log2_q32(std::uint64_t x) noexcept {
    if (x == 0) return 0;
    const int whole = 63 - std::countl_zero(x);
    const std::uint64_t aligned = x << (63 - whole);  // top bit set
    const std::uint64_t at = (aligned >> 55) & 0xff;
    const std::uint64_t rest = (aligned >> 31) & 0xff'ffffU;
    const std::uint64_t low = log2_table[at];
    const std::uint64_t mantissa = low + (((log2_table[at + 1] - low) * rest) >> 24);
    return (std::int64_t{whole} << 32) + static_cast<std::int64_t>(mantissa << 2);
}

}  // namespace detail

/// A seeded source of random numbers. Copying copies the state: the copy repeats the original's numbers.
/// Not thread safe; `fork` gives independent streams.
class rng {
public:
    /// Stream `stream` of `seed`: different streams are unrelated.
    constexpr explicit rng(std::uint64_t seed, std::uint64_t stream = 0) noexcept {
        std::uint64_t x = seed ^ (stream * 0xd1342543de82ef95ULL);
        for (auto& word : m_state) {  // splitmix64
            x += 0x9e3779b97f4a7c15ULL;
            std::uint64_t z = x;
            z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
            z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
            word = z ^ (z >> 31);
        }
    }

    /// 64 uniform bits.
    constexpr std::uint64_t next() noexcept {
        const std::uint64_t out = std::rotl(m_state[0] + m_state[3], 23) + m_state[0];
        const std::uint64_t t = m_state[1] << 17;
        m_state[2] ^= m_state[0];
        m_state[3] ^= m_state[1];
        m_state[1] ^= m_state[2];
        m_state[0] ^= m_state[3];
        m_state[2] ^= t;
        m_state[3] = std::rotl(m_state[3], 45);
        return out;
    }
    /// Independent generator for a part of the work, so that changing one part leaves the others' numbers alone.
    constexpr rng fork(std::uint64_t stream) noexcept { return rng{next(), stream}; }

    /// 0 .. count-1; 0 when count is 0. The bias of multiply-shift (below 2^-32) is accepted.
    constexpr std::uint32_t below(std::uint64_t count) noexcept {
        return static_cast<std::uint32_t>(((next() >> 32) * count) >> 32);
    }
    /// low .. high, both included, of any span.
    constexpr std::int64_t between(std::int64_t low, std::int64_t high) noexcept {
        if (high <= low) return low;
        const std::uint64_t span = static_cast<std::uint64_t>(high - low) + 1;
        const std::uint64_t draw = next();
        return low + static_cast<std::int64_t>(span >> 32 ? draw % span : ((draw >> 32) * span) >> 32);
    }
    /// An int between low and high, both included.
    constexpr int pick_int(int low, int high) noexcept { return static_cast<int>(between(low, high)); }
    /// True with probability p.
    constexpr bool chance(double p) noexcept { return static_cast<double>(next() >> 11) * 0x1p-53 < p; }

    /// Log-uniform over low .. high (low >= 1): every order of magnitude is equally likely.
    constexpr std::int64_t log_between(std::int64_t low, std::int64_t high) noexcept {
        if (high <= low) return low;
        const std::int64_t from = detail::log2_q32(static_cast<std::uint64_t>(low));
        const std::int64_t to = detail::log2_q32(static_cast<std::uint64_t>(high));
        const auto drawn = static_cast<std::int64_t>(detail::exp2_of_q32(between(from, to)));
        return drawn < low ? low : drawn > high ? high : drawn;
    }
    /// Exponential with the given mean (gaps of a Poisson process).
    constexpr std::int64_t exponential(std::int64_t mean) noexcept {
        const std::uint64_t u = next() | 1U;
        const std::int64_t minus_log2 = (std::int64_t{64} << 32) - detail::log2_q32(u);
        const double e = static_cast<double>(minus_log2) * 1.6138586e-10;  // ln 2 / 2^32
        return static_cast<std::int64_t>(static_cast<double>(mean) * e);
    }
    /// Log-normal around `median`; sigma is the deviation of the natural logarithm (0.25 tight, 1 wide, 2 wild).
    constexpr std::int64_t lognormal(std::int64_t median, double sigma) noexcept {
        std::int64_t sum = 0;  // twelve uniforms less their mean: a normal deviate in Q32, cut at 6 deviations
        for (int i = 0; i < 6; ++i) {
            const std::uint64_t both = next();
            sum += static_cast<std::int64_t>(both >> 32) + static_cast<std::int64_t>(both & 0xffff'ffffU);
        }
        sum -= std::int64_t{6} << 32;
        const double exponent = static_cast<double>(sum) * (sigma * 1.4426950408889634);  // 1 / ln 2
        return static_cast<std::int64_t>(static_cast<double>(median) *
                                         detail::exp2_of_q32(static_cast<std::int64_t>(exponent)));
    }
    /// Heavy-tailed sizes: Pareto from `least` with shape alpha, cut at `most`.
    constexpr std::int64_t pareto(std::int64_t least, double alpha, std::int64_t most) noexcept {
        const std::int64_t minus_log2 = (std::int64_t{64} << 32) - detail::log2_q32(next() | 1U);
        const double exponent = static_cast<double>(minus_log2) / alpha;
        if (exponent > 40.0 * 4294967296.0) return most;
        const auto drawn = static_cast<std::int64_t>(static_cast<double>(least) *
                                                     detail::exp2_of_q32(static_cast<std::int64_t>(exponent)));
        return drawn > most ? most : drawn;
    }
    /// `value` changed by at most `percent` either way, uniformly.
    constexpr std::int64_t around(std::int64_t value, int percent) noexcept {
        const std::int64_t span = value / 100 * percent;
        return between(value - span, value + span);
    }
    /// One element of an array or vector that is not empty.
    template <class Container>
    constexpr auto& pick(Container& items) noexcept {
        return items[below(std::size(items))];
    }
    /// Index drawn with the given weights (their sum must be positive).
    template <class Weights>
    constexpr std::size_t weighted(const Weights& weights) noexcept {
        std::uint64_t sum = 0;
        for (const auto w : weights) sum += static_cast<std::uint64_t>(w);
        std::uint64_t at = below(sum);
        std::size_t index = 0;
        for (const auto w : weights) {
            if (at < static_cast<std::uint64_t>(w)) return index;
            at -= static_cast<std::uint64_t>(w);
            ++index;
        }
        return 0;
    }
    /// Uniform bytes.
    constexpr void fill(std::uint8_t* to, std::size_t count) noexcept {
        while (count > 0) {
            std::uint64_t word = next();
            for (std::size_t i = 0; i < 8 && count > 0; ++i, --count, word >>= 8)
                *to++ = static_cast<std::uint8_t>(word);
        }
    }

private:
    std::array<std::uint64_t, 4> m_state{};
};

/// Nanoseconds, spelled readably in behaviours.
namespace units {
inline constexpr std::int64_t us = 1'000;              ///< a microsecond
inline constexpr std::int64_t ms = 1'000'000;          ///< a millisecond
inline constexpr std::int64_t second = 1'000'000'000;  ///< a second
inline constexpr std::int64_t minute = 60 * second;    ///< a minute
}  // namespace units

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
