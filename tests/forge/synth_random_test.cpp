// SPDX-License-Identifier: MIT
// The generator and its distributions: golden values (they may never move) and plain statistics.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include <mldefender/forge/synth/random.hpp>

using mldefender::forge::rng;

TEST_CASE("rng: golden numbers, and the same while compiling") {
    constexpr auto drawn = [] {
        rng r{1, 2};
        return std::array<std::uint64_t, 4>{r.next(), r.below(1000),
                                            static_cast<std::uint64_t>(r.exponential(1'000'000)),
                                            static_cast<std::uint64_t>(r.lognormal(1'000'000, 1.0))};
    };
    constexpr std::array<std::uint64_t, 4> while_compiling = drawn();
    CHECK(while_compiling == drawn());
    CHECK(while_compiling == std::array<std::uint64_t, 4>{6144454253271056774U, 148U, 1004086U, 1714565U});
}

TEST_CASE("rng: streams and forks differ") {
    rng a{7, 0};
    rng b{7, 1};
    CHECK(a.next() != b.next());
    rng c = a;
    CHECK(a.next() == c.next());
    CHECK(a.fork(1).next() != a.fork(1).next());
}

TEST_CASE("rng: ranges are respected") {
    rng r{3};
    for (int i = 0; i < 10'000; ++i) {
        CHECK(r.below(7) < 7);
        const auto x = r.between(-5, 5);
        CHECK((x >= -5 && x <= 5));
        const auto y = r.log_between(10, 100'000);
        CHECK((y >= 10 && y <= 100'000));
        const auto z = r.pareto(100, 1.2, 5000);
        CHECK((z >= 99 && z <= 5000));
        const auto w = r.around(1000, 10);
        CHECK((w >= 900 && w <= 1100));
    }
    CHECK(r.below(0) == 0);
    CHECK(r.between(9, 3) == 9);
    CHECK_FALSE(r.chance(0.0));
    CHECK(r.chance(1.0));
}

TEST_CASE("rng: moments and quantiles come out") {
    rng r{5};
    constexpr int n = 100'000;
    double exponential = 0;
    int below_median = 0;
    int low_decade = 0;
    int heads = 0;
    std::vector<int> chosen(3, 0);
    constexpr int weights[] = {1, 2, 7};
    for (int i = 0; i < n; ++i) {
        exponential += static_cast<double>(r.exponential(1'000'000)) / n;
        below_median += r.lognormal(50'000, 1.2) < 50'000 ? 1 : 0;
        low_decade += r.log_between(1'000, 1'000'000) < 10'000 ? 1 : 0;
        heads += r.chance(0.3) ? 1 : 0;
        ++chosen[r.weighted(weights)];
    }
    CHECK(exponential == doctest::Approx(1e6).epsilon(0.02));
    CHECK(below_median == doctest::Approx(n / 2).epsilon(0.02));
    CHECK(low_decade == doctest::Approx(n / 3).epsilon(0.03));
    CHECK(heads == doctest::Approx(n * 0.3).epsilon(0.03));
    CHECK(chosen[2] == doctest::Approx(n * 0.7).epsilon(0.02));
}

TEST_CASE("rng: the tables are logarithms and powers") {
    for (std::uint64_t x = 1; x < 1'000'000'000; x = x * 7 / 5 + 1) {
        const double got = static_cast<double>(mldefender::forge::detail::log2_q32(x)) / 4294967296.0;
        CHECK(got == doctest::Approx(std::log2(static_cast<double>(x))).epsilon(1e-5));
    }
    for (double e = -20; e < 40; e += 0.37) {
        const double got = mldefender::forge::detail::exp2_of_q32(static_cast<std::int64_t>(e * 4294967296.0));
        CHECK(got == doctest::Approx(std::exp2(e)).epsilon(1e-5));
    }
}
