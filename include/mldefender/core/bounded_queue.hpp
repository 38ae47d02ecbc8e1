// SPDX-License-Identifier: MIT
// A first-in, first-out queue with a fixed bound, in a ring that grows up to it: for values that wait for a time, such
// as flows an attack may still claim. The caller makes room before it pushes into a full queue. One thread at a time.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <utility>
#include <vector>

namespace mldefender {
inline namespace v0 {

/// A queue of at most `capacity` values.
template <class T>
class bounded_queue {
public:
    /// Holds at most `capacity` values (at least 1); memory grows as it fills.
    constexpr explicit bounded_queue(std::size_t capacity) : m_capacity(std::max<std::size_t>(1, capacity)) {}

    /// Values waiting.
    [[nodiscard]] constexpr std::size_t size() const noexcept { return m_size; }
    /// True when `front` and `pop` are not allowed.
    [[nodiscard]] constexpr bool empty() const noexcept { return m_size == 0; }
    /// True when `push` is not allowed.
    [[nodiscard]] constexpr bool full() const noexcept { return m_size == m_capacity; }
    /// The oldest value; the queue must not be empty.
    [[nodiscard]] constexpr T& front() noexcept { return assert(m_size > 0), m_items[m_head]; }

    /// Adds a value; the queue must not be full.
    template <class Value>
    constexpr void push(Value&& value) {
        assert(!full());
        if (m_size == m_items.size()) grow();
        m_items[(m_head + m_size) % m_items.size()] = std::forward<Value>(value);
        ++m_size;
    }
    /// Drops the oldest value; the queue must not be empty.
    constexpr void pop() noexcept {
        assert(m_size > 0);
        m_head = (m_head + 1) % m_items.size();
        --m_size;
    }

private:
    constexpr void grow() {
        std::vector<T> larger(std::min(m_capacity, std::max<std::size_t>(16, m_items.size() * 2)));
        for (std::size_t i = 0; i < m_size; ++i) larger[i] = std::move(m_items[(m_head + i) % m_items.size()]);
        m_items = std::move(larger);
        m_head = 0;
    }

    std::size_t m_capacity;
    std::size_t m_head = 0;
    std::size_t m_size = 0;
    std::vector<T> m_items;
};

}  // namespace v0
}  // namespace mldefender
