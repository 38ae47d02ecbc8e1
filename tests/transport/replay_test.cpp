// SPDX-License-Identifier: MIT
// The window against a plain set of everything accepted, and its edges.
#include <doctest/doctest.h>

#include <random>
#include <set>

#include <mldefender/transport/replay.hpp>

using namespace mldefender::transport;

TEST_CASE("the window agrees with a set that remembers everything") {
    std::mt19937_64 random(1);
    replay_window window;
    std::set<std::uint64_t> seen;
    std::uint64_t top = 0;
    int disagreements = 0;
    for (int i = 0; i < 200000; ++i) {
        // Mostly near the top, sometimes a jump, sometimes far behind.
        const std::uint64_t roll = random() % 100;
        const std::uint64_t number = roll == 0   ? top + random() % 20000
                                     : roll < 40 ? top + random() % 4
                                                 : top - std::min<std::uint64_t>(top, random() % 9000);
        const bool old = !seen.empty() && number + replay_window::width <= *seen.rbegin();
        const bool fresh = !old && seen.insert(number).second;
        if ((window.accept(number) == refusal::none) != fresh) ++disagreements;
        top = std::max(top, number);
    }
    CHECK(disagreements == 0);
}

TEST_CASE("the edge of the window, at every place within a word") {
    for (std::uint64_t top = 20000; top < 20130; ++top) {
        replay_window window;
        CHECK(window.accept(top) == refusal::none);
        CHECK(window.accept(top - 8192) == refusal::replay);
        CHECK(window.accept(top - 8191) == refusal::none);
        CHECK(window.accept(top - 8191) == refusal::replay);
        CHECK(window.next() == top + 1);
    }
}

TEST_CASE("a stream accepts the next number only") {
    stream_order stream;
    CHECK(stream.accept(1) == refusal::gap);
    CHECK(stream.accept(0) == refusal::none);
    CHECK(stream.accept(0) == refusal::replay);
    CHECK(stream.accept(2) == refusal::gap);
    CHECK(stream.accept(1) == refusal::none);
    CHECK(stream.next() == 2);
}
