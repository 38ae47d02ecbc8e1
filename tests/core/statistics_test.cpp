// SPDX-License-Identifier: MIT
// statistics.hpp: sums reach every counter, and what counts as malformed.
#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include <mldefender/core/statistics.hpp>

using namespace mldefender;

TEST_CASE("adding adds every counter") {
    // Only counters inside, so that a forgotten one shows: each is set to its position.
    static_assert(sizeof(statistics) % sizeof(std::uint64_t) == 0);
    constexpr std::size_t count = sizeof(statistics) / sizeof(std::uint64_t);
    std::array<std::uint64_t, count> numbers{};
    for (std::size_t i = 0; i < count; ++i) numbers[i] = i + 1;
    const auto s = std::bit_cast<statistics>(numbers);
    statistics sum = s;
    sum += s;
    numbers = std::bit_cast<decltype(numbers)>(sum);
    for (std::size_t i = 0; i < count; ++i) {
        CAPTURE(i);
        CHECK(numbers[i] == 2 * (i + 1));
    }
}

TEST_CASE("malformed is what carried IP and could not be decoded") {
    statistics s;
    s.undecoded[static_cast<std::size_t>(errc::not_ip)] = 5;
    s.undecoded[static_cast<std::size_t>(errc::unsupported_proto)] = 7;
    CHECK(s.malformed() == 0);
    s.undecoded[static_cast<std::size_t>(errc::truncated)] = 2;
    s.undecoded[static_cast<std::size_t>(errc::bad_header_length)] = 3;
    CHECK(s.malformed() == 5);
}
