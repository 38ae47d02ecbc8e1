// SPDX-License-Identifier: MIT
// Where keys live: one guarded region of memory, kept out of swap and core dumps, handed out in blocks that are wiped
// when they are given back. A `secret` moves and never copies. An arena that is full refuses; it does not grow, and
// nothing falls back to ordinary memory. Used by the key ring, the ciphers and the key files.
#pragma once

#include <sodium.h>

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>

#include <mldefender/core/result.hpp>

namespace mldefender {
inline namespace v0 {
namespace transport {

class secret;

/// The memory of all keys of a process. Safe to use from several threads; lives as long as its last secret.
class secret_arena : public std::enable_shared_from_this<secret_arena> {
public:
    static constexpr std::size_t unit = 64;             ///< bytes; every secret starts at a multiple
    static constexpr std::size_t max_units = 1U << 14;  ///< one mebibyte

    /// Maps and locks `size` bytes, rounded up to units. Errors: unavailable (no libsodium, no memory), too_large.
    [[nodiscard]] static result<std::shared_ptr<secret_arena>, error> create(std::size_t size = 32U << 10) {
        if (sodium_init() < 0) return error{errc::unavailable, "libsodium cannot be initialised", "", 0};
        const std::size_t units = (size + unit - 1) / unit;
        if (units == 0 || units > max_units) {
            return error{errc::too_large, "an arena for keys holds 1 byte to 1 MiB", "", 0};
        }
        auto* memory = static_cast<std::uint8_t*>(sodium_malloc(units * unit));
        if (memory == nullptr) return error{errc::unavailable, "no memory for keys", "", 0};
        // sodium_malloc locks too, but does not say when that failed.
        const bool locked = sodium_mlock(memory, units * unit) == 0;
        sodium_memzero(memory, units * unit);
        return std::shared_ptr<secret_arena>{new secret_arena{memory, units, locked}};
    }

    secret_arena(const secret_arena&) = delete;
    secret_arena& operator=(const secret_arena&) = delete;
    ~secret_arena() { sodium_free(m_memory); }

    /// False when the system refused to keep the keys out of swap: raise RLIMIT_MEMLOCK (systemd: LimitMEMLOCK=).
    [[nodiscard]] bool locked() const noexcept { return m_locked; }
    /// Bytes not handed out.
    [[nodiscard]] std::size_t free_bytes() const noexcept {
        const std::scoped_lock lock{m_mutex};
        return (m_units - m_used.count()) * unit;
    }
    /// `size` zero bytes, at least 1. Errors: unavailable (the arena is full).
    [[nodiscard]] result<secret, error> allocate(std::size_t size);

private:
    friend class secret;

    secret_arena(std::uint8_t* memory, std::size_t units, bool locked) noexcept
        : m_memory(memory), m_units(units), m_locked(locked) {}

    void give_back(const std::uint8_t* data, std::size_t size) noexcept {
        const std::scoped_lock lock{m_mutex};
        const std::size_t first = static_cast<std::size_t>(data - m_memory) / unit;
        const std::size_t count = (size + unit - 1) / unit;
        sodium_memzero(m_memory + first * unit, count * unit);
        for (std::size_t i = 0; i < count; ++i) m_used.reset(first + i);
    }

    std::uint8_t* m_memory;
    std::size_t m_units;
    bool m_locked;
    mutable std::mutex m_mutex;
    std::bitset<max_units> m_used;
};

/// A block of an arena that only its owner sees. Wiped when it is destroyed or moved over.
class secret {
public:
    secret() noexcept = default;
    /// Leaves the source empty.
    secret(secret&& other) noexcept : m_arena(std::move(other.m_arena)), m_bytes(std::exchange(other.m_bytes, {})) {}
    /// Leaves the source empty.
    secret& operator=(secret&& other) noexcept {
        if (this != &other) {
            release();
            m_arena = std::move(other.m_arena);
            m_bytes = std::exchange(other.m_bytes, {});
        }
        return *this;
    }
    secret(const secret&) = delete;
    secret& operator=(const secret&) = delete;
    ~secret() { release(); }

    /// The bytes; empty for a secret that was moved from.
    [[nodiscard]] std::span<std::uint8_t> bytes() noexcept { return m_bytes; }
    /// The bytes; empty for a secret that was moved from.
    [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept { return m_bytes; }

private:
    friend class secret_arena;

    secret(std::shared_ptr<secret_arena> arena, std::span<std::uint8_t> bytes) noexcept
        : m_arena(std::move(arena)), m_bytes(bytes) {}

    void release() noexcept {
        if (!m_bytes.empty()) m_arena->give_back(m_bytes.data(), m_bytes.size());
        m_bytes = {};
        m_arena.reset();
    }

    std::shared_ptr<secret_arena> m_arena;
    std::span<std::uint8_t> m_bytes;
};

inline result<secret, error> secret_arena::allocate(std::size_t size) {
    const std::size_t count = (size + unit - 1) / unit;
    const std::scoped_lock lock{m_mutex};
    std::size_t run = 0;
    for (std::size_t i = 0; count > 0 && i < m_units; ++i) {
        run = m_used.test(i) ? 0 : run + 1;
        if (run < count) continue;
        const std::size_t first = i + 1 - count;
        for (std::size_t k = first; k <= i; ++k) m_used.set(k);
        return secret{shared_from_this(), {m_memory + first * unit, size}};
    }
    return error{errc::unavailable, "no room for another key; create the arena with more bytes", "", 0};
}

}  // namespace transport
}  // namespace v0
}  // namespace mldefender
