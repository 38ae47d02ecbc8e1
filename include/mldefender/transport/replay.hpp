// SPDX-License-Identifier: MIT
// Which sequence numbers were accepted already. A stream accepts exactly the next one, so what is lost, repeated or
// reordered shows; datagrams may come in any order within a window of 8192, each once (the method of RFC 6479).
// Only for numbers that were authenticated: a forged one would close the window for the true ones.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <mldefender/transport/refusal.hpp>

namespace mldefender {
inline namespace v0 {
namespace transport {

/// Accepts 0, 1, 2, ... and nothing else.
class stream_order {
public:
    /// `none` and one step further, or `replay` (accepted before), or `gap` (ahead of the next).
    [[nodiscard]] constexpr refusal accept(std::uint64_t sequence) noexcept {
        if (sequence < m_next) return refusal::replay;
        if (sequence > m_next) return refusal::gap;
        ++m_next;
        return refusal::none;
    }
    /// The number that is accepted next.
    [[nodiscard]] constexpr std::uint64_t next() const noexcept { return m_next; }

private:
    std::uint64_t m_next = 0;
};

/// Accepts each number once, down to 8191 below the highest one accepted.
class replay_window {
public:
    static constexpr std::uint64_t width = 8192;  ///< numbers remembered

    /// `none`, or `replay` (accepted before, or too old to tell).
    [[nodiscard]] constexpr refusal accept(std::uint64_t sequence) noexcept {
        if (sequence >= m_next) {
            move_to(sequence);
        } else if (m_next - 1 - sequence >= width) {
            return refusal::replay;
        }
        std::uint64_t& word = m_words[sequence / 64 % words];
        const std::uint64_t bit = std::uint64_t{1} << (sequence % 64);
        if ((word & bit) != 0) return refusal::replay;
        word |= bit;
        return refusal::none;
    }
    /// One more than the highest number accepted; 0 before the first.
    [[nodiscard]] constexpr std::uint64_t next() const noexcept { return m_next; }

private:
    // One word more than the width: the window rarely starts at a word's first bit.
    static constexpr std::uint64_t words = width / 64 + 1;

    constexpr void move_to(std::uint64_t sequence) noexcept {
        const std::uint64_t current = m_next == 0 ? 0 : (m_next - 1) / 64;
        const std::uint64_t target = sequence / 64;
        const std::uint64_t steps = target - current < words ? target - current : words;
        for (std::uint64_t i = 0; i < steps; ++i) m_words[(target - i) % words] = 0;
        m_next = sequence + 1;
    }

    std::array<std::uint64_t, words> m_words{};
    std::uint64_t m_next = 0;
};

}  // namespace transport
}  // namespace v0
}  // namespace mldefender
