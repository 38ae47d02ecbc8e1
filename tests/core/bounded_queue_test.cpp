// SPDX-License-Identifier: MIT
// bounded_queue.hpp: order across growth and wrap-around, the bound, a capacity of nothing.
#include <doctest/doctest.h>

#include <cstddef>
#include <memory>

#include <mldefender/core/bounded_queue.hpp>

using namespace mldefender;

TEST_CASE("first in, first out, through growth and around the ring") {
    bounded_queue<int> q{100};
    int in = 0, out = 0;
    // Three in, two out: the head wanders while the ring grows from 16 to 100.
    while (!q.full()) {
        for (int i = 0; i < 3 && !q.full(); ++i) q.push(in++);
        for (int i = 0; i < 2 && !q.full(); ++i, q.pop()) CHECK(q.front() == out++);
    }
    CHECK(q.size() == 100);
    for (; !q.empty(); q.pop()) CHECK(q.front() == out++);
    CHECK(out == in);
    CHECK(q.size() == 0);
}

TEST_CASE("full at its bound, and usable again after a pop") {
    bounded_queue<int> q{2};
    q.push(1);
    CHECK_FALSE(q.full());
    q.push(2);
    CHECK(q.full());
    q.pop();
    CHECK_FALSE(q.full());
    q.push(3);
    CHECK(q.front() == 2);
    q.pop();
    CHECK(q.front() == 3);
}

TEST_CASE("a capacity of nothing holds one") {
    bounded_queue<int> q{0};
    CHECK_FALSE(q.full());
    q.push(7);
    CHECK(q.full());
    CHECK(q.front() == 7);
}

TEST_CASE("values are moved, not copied") {
    bounded_queue<std::unique_ptr<int>> q{40};
    for (int i = 0; i < 40; ++i) q.push(std::make_unique<int>(i));
    for (int i = 0; i < 40; ++i, q.pop()) CHECK(*q.front() == i);
}
