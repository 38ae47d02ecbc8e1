// SPDX-License-Identifier: MIT
// sketch.hpp: how far the estimate of distinct values may be off, merging, saturation.
#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>

#include <mldefender/core/hash.hpp>
#include <mldefender/core/sketch.hpp>

using namespace mldefender;

namespace {

template <std::size_t Bits>
distinct_counter<Bits> counter_of(std::uint64_t first, std::uint64_t count) {
    distinct_counter<Bits> c;
    for (std::uint64_t i = 0; i < count; ++i) c.add(hash_of(first + i));
    return c;
}

// Root mean square of the relative error over 200 different sets.
template <std::size_t Bits>
double error_at(std::uint64_t count) {
    double squares = 0;
    for (std::uint64_t run = 0; run < 200; ++run) {
        const double off =
            static_cast<double>(counter_of<Bits>(run * 100'000, count).count()) / static_cast<double>(count) - 1;
        squares += off * off;
    }
    return std::sqrt(squares / 200);
}

}  // namespace

TEST_CASE("nothing, one and the same again") {
    distinct_counter<256> c;
    CHECK(c.count() == 0);
    for (int i = 0; i < 100; ++i) c.add(hash_of(std::uint64_t{7}));
    // -256 ln(1 - 1/256) = 1.00196
    CHECK(c.count() == doctest::Approx(1.00196).epsilon(1e-5));
}

TEST_CASE("the estimate follows -m ln(1 - set / m)") {
    distinct_counter<64> c;
    for (std::uint64_t bit = 0; bit < 32; ++bit) c.add(bit);
    CHECK(c.count() == doctest::Approx(64 * std::log(2.0)).epsilon(1e-5));
    for (std::uint64_t bit = 32; bit < 63; ++bit) c.add(bit);
    CHECK(c.count() == doctest::Approx(64 * std::log(64.0)).epsilon(1e-5));
    // Full: m ln m + m / 2, the largest value there is.
    c.add(63);
    CHECK(c.count() == doctest::Approx(64 * std::log(64.0) + 32).epsilon(1e-5));
}

TEST_CASE("errors stay within what thresholds allow") {
    // Linear counting's standard error at load t = n/m is sqrt(m (e^t - t - 1)) / n.
    CHECK(error_at<256>(10) < 0.05);
    CHECK(error_at<256>(40) < 0.05);
    CHECK(error_at<256>(256) < 0.065);
    CHECK(error_at<64>(10) < 0.10);
    CHECK(error_at<64>(64) < 0.13);
}

TEST_CASE("merging equals adding everything to one") {
    distinct_counter<128> left = counter_of<128>(0, 60);
    const distinct_counter<128> right = counter_of<128>(30, 60);
    left.merge(right);
    CHECK(left.count() == counter_of<128>(0, 90).count());
    left.merge(right);
    CHECK(left.count() == counter_of<128>(0, 90).count());
}

TEST_CASE("saturates, never overflows") {
    CHECK(counter_of<256>(0, 1'000'000).count() == doctest::Approx(256 * std::log(256.0) + 128));
    static_assert(distinct_counter<64>{}.count() == 0, "usable while compiling");
}
