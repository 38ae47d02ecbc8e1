// SPDX-License-Identifier: MIT
// The few real functions features and scores need, usable while compiling and the same to the last bit on every
// machine: a trained threshold must not move because a libm rounds differently. Not for general use: arguments of
// roots and logarithms are counts, lengths and times, never negative.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace mldefender {
inline namespace v0 {

/// Square root of x >= 0, correctly rounded at run time (IEEE 754); at compile time by Newton's iteration, then
/// corrected to the nearest double. Negative and NaN yield 0.
[[nodiscard]] constexpr double square_root(double x) noexcept {
    if (!(x > 0)) return 0;
    if (!std::is_constant_evaluated()) return std::sqrt(x);
    double guess = x > 1 ? x : 1;
    for (int i = 0; i < 1100; ++i) {
        const double next = 0.5 * (guess + x / guess);
        if (next >= guess) break;
        guess = next;
    }
    return guess;
}

/// Base-2 logarithm of x > 0, absolute error below 2e-9: exponent from the representation, mantissa m in
/// [sqrt(1/2), sqrt(2)) by the series 2/ln2 * atanh((m-1)/(m+1)) up to the 13th power. Non-positive and NaN yield 0.
[[nodiscard]] constexpr double log2_of(double x) noexcept {
    if (!(x > 0)) return 0;
    const auto bits = std::bit_cast<std::uint64_t>(x);
    auto exponent = static_cast<int>((bits >> 52) & 0x7ff) - 1023;
    double m = std::bit_cast<double>((bits & 0x000f'ffff'ffff'ffffULL) | 0x3ff0'0000'0000'0000ULL);
    if (m > 1.4142135623730951) {
        m *= 0.5;
        ++exponent;
    }
    const double z = (m - 1) / (m + 1);
    const double y = z * z;
    const double series =
        1 + y * (1.0 / 3 + y * (1.0 / 5 + y * (1.0 / 7 + y * (1.0 / 9 + y * (1.0 / 11 + y * (1.0 / 13))))));
    return exponent + z * series * 2.8853900817779268;  // 2 / ln 2
}

/// e to the power of x, relative error below 4e-16: x = k ln 2 + r with |r| <= ln 2 / 2, the Taylor series of e^r up to
/// the 13th power, and 2^k by its representation. Beyond -708 it is 0, beyond 709 infinity; NaN stays NaN.
[[nodiscard]] constexpr double exponential(double x) noexcept {
    if (x != x) return x;
    if (x < -708) return 0;
    if (x > 709) return std::numeric_limits<double>::infinity();
    const auto k = static_cast<int>(x * 1.4426950408889634 + (x < 0 ? -0.5 : 0.5));  // 1 / ln 2
    // ln 2 in two parts (Cody and Waite 1980): the first has so few bits that its product with k is exact.
    const double r = (x - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10;
    double series = 1;
    for (int n = 13; n > 0; --n) series = 1 + series * r / n;
    return series * std::bit_cast<double>(static_cast<std::uint64_t>(k + 1023) << 52);
}

}  // namespace v0
}  // namespace mldefender
