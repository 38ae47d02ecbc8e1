// SPDX-License-Identifier: MIT
// math.hpp: against the C library over many magnitudes, and the same while compiling.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <mldefender/core/math.hpp>

using namespace mldefender;

TEST_CASE("square root") {
    static_assert(square_root(144.0) == 12.0);
    static_assert(square_root(0.0) == 0.0 && square_root(-1.0) == 0.0);
    constexpr double small = square_root(2e-9), large = square_root(3e20);
    CHECK(small == doctest::Approx(std::sqrt(2e-9)).epsilon(1e-14));
    CHECK(large == doctest::Approx(std::sqrt(3e20)).epsilon(1e-14));
    CHECK(square_root(2.0) == std::sqrt(2.0));
    CHECK(square_root(std::numeric_limits<double>::quiet_NaN()) == 0);
}

TEST_CASE("exponential") {
    static_assert(exponential(0) == 1);
    constexpr double infinity = std::numeric_limits<double>::infinity();
    CHECK(exponential(-infinity) == 0);
    CHECK(exponential(infinity) == infinity);
    CHECK(std::isnan(exponential(std::numeric_limits<double>::quiet_NaN())));
    double worst = 0;
    for (double x = -708; x <= 709; x += 0.01237) {
        worst = std::max(worst, std::abs(exponential(x) - std::exp(x)) / std::exp(x));
    }
    CHECK(worst < 4e-16);
}

TEST_CASE("logarithm to base 2") {
    static_assert(log2_of(1.0) == 0.0 && log2_of(0.0) == 0.0 && log2_of(-3.0) == 0.0);
    for (int exponent = -60; exponent <= 60; ++exponent) CHECK(log2_of(std::ldexp(1.0, exponent)) == exponent);
    for (double x = 1e-12; x < 1e15; x *= 1.37) REQUIRE(log2_of(x) == doctest::Approx(std::log2(x)).epsilon(1e-9));
}
