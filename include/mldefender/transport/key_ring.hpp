// SPDX-License-Identifier: MIT
// The keys of the current epochs: the old and the new one side by side, found by their number and never by trying.
// Senders change over when the new epoch begins; receivers go on accepting the old one for a grace, so that a frame on
// its way is not lost. Times are of a clock nobody can set (`key_clock_ns`) and are parameters. Refuses a third epoch
// while two are in use. `key_source` is what sessions ask, so that keys may live elsewhere (PKCS#11).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <limits>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>

#include <mldefender/core/result.hpp>
#include <mldefender/transport/cipher.hpp>
#include <mldefender/transport/frame.hpp>
#include <mldefender/transport/refusal.hpp>
#include <mldefender/transport/secret.hpp>

namespace mldefender {
inline namespace v0 {
namespace transport {

/// Nanoseconds since the machine started, suspended time included: what validity windows are measured on.
[[nodiscard]] inline std::int64_t key_clock_ns() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

/// The key of one sender out of an epoch's: the holder of one sender's key cannot seal as another.
inline void derive_sender_key(std::span<std::uint8_t, key_size> out, std::span<const std::uint8_t, key_size> epoch_key,
                              std::string_view sender) noexcept {
    derive_key(out, epoch_key, "mld sender v1", {reinterpret_cast<const std::uint8_t*>(sender.data()), sender.size()});
}

/// The key of one route out of its sender's: channels, receivers and directions never share a nonce.
inline void derive_route_key(std::span<std::uint8_t, key_size> out, std::span<const std::uint8_t, key_size> sender_key,
                             const route& way) noexcept {
    derive_key(out, sender_key, "mld route v1", way.encoded());
}

/// The salt of a session to which each side gave 32 random bytes: fresh for both, so that neither a repeated start nor
/// a recorded session can bring an old one back.
[[nodiscard]] inline salt session_salt(std::span<const std::uint8_t, 32> opener,
                                       std::span<const std::uint8_t, 32> answerer) noexcept {
    std::array<std::uint8_t, 64> both{};
    for (std::size_t i = 0; i < 32; ++i) {
        both[i] = opener[i];
        both[32 + i] = answerer[i];
    }
    constexpr std::array<std::uint8_t, 16> personal{'m', 'l', 'd', ' ', 's', 'a', 'l', 't', ' ', 'v', '1'};
    salt made{};
    crypto_generichash_blake2b_salt_personal(made.data(), made.size(), both.data(), both.size(), nullptr, 0, nullptr,
                                             personal.data());
    return made;
}

/// A key a session may use, and until when it need not ask again.
struct key_choice {
    std::uint32_t id = 0;       ///< as in the frame
    std::int64_t until_ns = 0;  ///< of `key_clock_ns`; not valid from then on
};

/// Where sessions get keys from. All calls may come from several threads at once.
class key_source {
public:
    key_source() = default;
    key_source(const key_source&) = delete;
    key_source& operator=(const key_source&) = delete;
    virtual ~key_source() = default;

    /// The key to seal with now. Refused: stale_epoch (all are over), unknown_key_id (none has begun).
    [[nodiscard]] virtual result<key_choice, refusal> sending(std::int64_t now_ns) const noexcept = 0;
    /// The key a frame names. Refused: stale_epoch, unknown_key_id.
    [[nodiscard]] virtual result<key_choice, refusal> receiving(std::uint32_t id,
                                                                std::int64_t now_ns) const noexcept = 0;
    /// Writes the key of a route to secret memory; false when the key is gone.
    [[nodiscard]] virtual bool derive(std::uint32_t id, const route& way,
                                      std::span<std::uint8_t, key_size> out) const noexcept = 0;
    /// Changes whenever an earlier answer may no longer hold before its time.
    [[nodiscard]] virtual std::uint64_t generation() const noexcept = 0;
    /// Memory for what sessions derive.
    [[nodiscard]] virtual secret_arena& arena() const noexcept = 0;
};

/// When an epoch's key is in use, on `key_clock_ns`.
struct epoch_window {
    std::int64_t not_before_ns = 0;  ///< senders start; receivers accept it as soon as they hold it
    std::int64_t not_after_ns = 0;   ///< senders stop
    std::int64_t grace_ns = 0;       ///< receivers accept it so much longer
};

/// Epoch keys in memory, at most two.
class key_ring final : public key_source {
public:
    /// An empty ring whose keys and sessions live in `memory`, which is not null.
    explicit key_ring(std::shared_ptr<secret_arena> memory) noexcept : m_arena(std::move(memory)) {}

    /// Adds the next epoch and takes its 32-byte key. Epochs that are over at `now_ns` are wiped first.
    /// Errors: bad_argument (an empty window, not 32 bytes), already_exists (not after the newest epoch),
    /// unavailable (no room in the arena, or two are still in use: wait for the older, or revoke it).
    [[nodiscard]] result<void, error> add(std::uint32_t epoch, secret key, epoch_window window, std::int64_t now_ns) {
        const std::string name = "epoch " + std::to_string(epoch);
        if (key.bytes().size() != key_size) return error{errc::bad_argument, "a key has 32 bytes", name, 0};
        if (window.not_before_ns >= window.not_after_ns || window.grace_ns < 0) {
            return error{errc::bad_argument, "its window is empty", name, 0};
        }
        auto scratch = m_arena->allocate(key_size);
        if (!scratch) return scratch.failure();
        const std::scoped_lock lock{m_mutex};
        if (m_any && epoch <= m_newest) {
            return error{errc::already_exists, "epochs are added in rising order, each once", name, 0};
        }
        wipe_expired(now_ns);
        for (entry& slot : m_entries) {
            if (slot.used) continue;
            slot = {true, epoch, window, std::move(key), std::move(scratch).value()};
            m_any = true;
            m_newest = epoch;
            m_generation.fetch_add(1, std::memory_order_release);
            return {};
        }
        return error{errc::unavailable, "two epochs are still in use; wait for the older to end, or revoke it", name,
                     0};
    }

    /// Wipes the keys whose time and grace are over; returns how many.
    std::size_t expire(std::int64_t now_ns) noexcept {
        const std::scoped_lock lock{m_mutex};
        return wipe_expired(now_ns);
    }

    /// Wipes a key at once, as after a compromise: its frames are stale from now on. False when it is not held.
    bool revoke(std::uint32_t epoch) noexcept {
        const std::scoped_lock lock{m_mutex};
        for (entry& slot : m_entries) {
            if (slot.used && slot.epoch == epoch) return wipe(slot), true;
        }
        return false;
    }

    /// See `key_source`: the newest epoch that has begun and is not over.
    [[nodiscard]] result<key_choice, refusal> sending(std::int64_t now_ns) const noexcept override {
        const std::scoped_lock lock{m_mutex};
        const entry* best = nullptr;
        std::int64_t next_start = std::numeric_limits<std::int64_t>::max();
        for (const entry& slot : m_entries) {
            if (!slot.used || now_ns >= slot.window.not_after_ns) continue;
            if (now_ns < slot.window.not_before_ns) {
                next_start = slot.window.not_before_ns;
            } else if (best == nullptr || slot.epoch > best->epoch) {
                best = &slot;
            }
        }
        if (best == nullptr) {
            const bool waiting = !m_any || next_start != std::numeric_limits<std::int64_t>::max();
            return waiting ? refusal::unknown_key_id : refusal::stale_epoch;
        }
        const std::int64_t end = best->window.not_after_ns;
        return key_choice{best->epoch, end < next_start ? end : next_start};
    }

    /// See `key_source`: a key that was never held but is no newer than the newest counts as stale.
    [[nodiscard]] result<key_choice, refusal> receiving(std::uint32_t id, std::int64_t now_ns) const noexcept override {
        const std::scoped_lock lock{m_mutex};
        for (const entry& slot : m_entries) {
            if (!slot.used || slot.epoch != id) continue;
            const std::int64_t end = end_of(slot.window);
            if (now_ns >= end) return refusal::stale_epoch;
            return key_choice{id, end};
        }
        return m_any && id <= m_newest ? refusal::stale_epoch : refusal::unknown_key_id;
    }

    /// See `key_source`.
    [[nodiscard]] bool derive(std::uint32_t id, const route& way,
                              std::span<std::uint8_t, key_size> out) const noexcept override {
        const std::scoped_lock lock{m_mutex};
        for (const entry& slot : m_entries) {
            if (!slot.used || slot.epoch != id) continue;
            const auto scratch = slot.scratch.bytes().first<key_size>();
            derive_sender_key(scratch, slot.key.bytes().first<key_size>(), way.sender());
            derive_route_key(out, scratch, way);
            sodium_memzero(scratch.data(), scratch.size());
            return true;
        }
        return false;
    }

    /// See `key_source`.
    [[nodiscard]] std::uint64_t generation() const noexcept override {
        return m_generation.load(std::memory_order_acquire);
    }
    /// See `key_source`.
    [[nodiscard]] secret_arena& arena() const noexcept override { return *m_arena; }

private:
    struct entry {
        bool used = false;
        std::uint32_t epoch = 0;
        epoch_window window;
        secret key;
        mutable secret scratch;  // for the sender's key on its way; guarded by the mutex like everything here
    };

    [[nodiscard]] static std::int64_t end_of(const epoch_window& window) noexcept {
        const std::int64_t most = std::numeric_limits<std::int64_t>::max();
        return window.not_after_ns > most - window.grace_ns ? most : window.not_after_ns + window.grace_ns;
    }
    void wipe(entry& slot) noexcept {
        slot = entry{};
        m_generation.fetch_add(1, std::memory_order_release);
    }
    std::size_t wipe_expired(std::int64_t now_ns) noexcept {
        std::size_t count = 0;
        for (entry& slot : m_entries) {
            if (!slot.used || now_ns < end_of(slot.window)) continue;
            wipe(slot);
            ++count;
        }
        return count;
    }

    std::shared_ptr<secret_arena> m_arena;
    mutable std::mutex m_mutex;
    std::array<entry, 2> m_entries;
    std::uint32_t m_newest = 0;
    bool m_any = false;
    std::atomic<std::uint64_t> m_generation{1};
};

}  // namespace transport
}  // namespace v0
}  // namespace mldefender
