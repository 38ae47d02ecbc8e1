// SPDX-License-Identifier: MIT
// executor.hpp: every worker runs every step exactly once, steps see each other's writes, thousands of short steps.
#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

#include <mldefender/core/executor.hpp>

using namespace mldefender;

TEST_CASE("inline: one worker, in place, while compiling too") {
    constexpr auto ran = [] {
        int times = 0;
        inline_executor{}.run([&](std::size_t worker) { times += 1 + static_cast<int>(worker); });
        return times;
    }();
    static_assert(ran == 1 && inline_executor::workers() == 1);
    CHECK(ran == 1);
}

TEST_CASE("each step runs once per worker, the first on the caller's thread") {
    for (const std::size_t workers : {0U, 1U, 2U, 5U}) {
        worker_pool pool{workers};
        const std::size_t expected = workers == 0 ? 1 : workers;
        REQUIRE(pool.workers() == expected);
        std::vector<int> times(expected);
        std::thread::id first;
        for (int step = 0; step < 200; ++step) {
            pool.run([&](std::size_t worker) {
                ++times[worker];
                if (worker == 0) first = std::this_thread::get_id();
            });
        }
        for (const int t : times) CHECK(t == 200);
        CHECK(first == std::this_thread::get_id());
    }
}

TEST_CASE("what one step wrote, every worker reads in the next") {
    worker_pool pool{4};
    std::vector<int> written(4), read(4);
    std::atomic<int> wrong{0};
    for (int step = 1; step <= 300; ++step) {
        pool.run([&](std::size_t worker) { written[worker] = step; });
        pool.run([&](std::size_t worker) {
            for (const int w : written) {
                if (w != step) ++wrong;
            }
            ++read[worker];
        });
    }
    CHECK(wrong == 0);
    for (const int r : read) CHECK(r == 300);
}

TEST_CASE("workers that went to sleep wake up, and an unused pool ends") {
    worker_pool idle{3};
    worker_pool pool{3};
    std::atomic<int> ran{0};
    for (int round = 0; round < 5; ++round) {
        // Longer than any worker spins before it sleeps.
        for (int i = 0; i < 20'000; ++i) std::this_thread::yield();
        pool.run([&](std::size_t) { ++ran; });
    }
    CHECK(ran == 15);
}
