// SPDX-License-Identifier: MIT
// source_history.hpp: events of the last 24 hours by source, hour by hour, within a bound.
#include <doctest/doctest.h>

#include <cstdint>

#include <mldefender/core/source_history.hpp>

#include "support/packets.hpp"

using namespace mldefender;
using namespace mldefender::test;

namespace {

constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t start = 1'700'000'000 * second;

}  // namespace

TEST_CASE("each event learns how many came before it") {
    source_history h{512};
    for (std::uint32_t i = 0; i < 5; ++i) CHECK(h.count_one(client, start + i * second) == i);
    CHECK(h.count_one(server, start) == 0);
    CHECK(h.count_one(client, start + 10 * second) == 5);
}

TEST_CASE("after a day they are forgotten, hour by hour") {
    source_history h{512};
    h.count_one(client, start);
    h.count_one(client, start + hour);
    h.count_one(client, start + hour);
    CHECK(h.count_one(client, start + 23 * hour) == 3);
    CHECK(h.count_one(client, start + 24 * hour) == 3);  // the first hour's place is used again, 2 + 1 remain
    CHECK(h.count_one(client, start + 25 * hour) == 2);
    CHECK(h.count_one(client, start + 100 * hour) == 0);
}

TEST_CASE("captures that begin at time 0 count too") {
    source_history h{512};
    CHECK(h.count_one(client, 0) == 0);
    CHECK(h.count_one(client, 5) == 1);
}

TEST_CASE("many sources stay within the bound, the busiest is remembered") {
    source_history h{512};
    for (int i = 0; i < 300; ++i) h.count_one(client, start);
    for (std::uint32_t i = 0; i < 100'000; ++i) h.count_one(address::v4(i), start + i * ms);
    CHECK(h.count_one(client, start + 100 * second) == 300);
}
