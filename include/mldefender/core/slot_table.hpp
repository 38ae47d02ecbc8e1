// SPDX-License-Identifier: MIT
// A fixed-capacity hash table that never allocates after construction and never refuses an insertion: when both
// candidate buckets are full it gives up the least valuable record in them. Flows, host windows and pair histories
// live in one each. Split into 64 shards by the top bits of the hash; different shards may be used by different
// threads without locks, one shard by one thread at a time.
//
// Buckets of eight with two candidate buckets a key: the whole bucket header is one cache line (tags, last-seen
// ticks, worth), so a look-up costs one miss for the header and one for the record, and eviction compares sixteen
// records without touching any of them.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <mldefender/core/hash.hpp>
#include <mldefender/core/platform.hpp>

namespace mldefender {
inline namespace v0 {

/// Shards of every table: enough for any worker count we expect, few enough to keep each shard's lists short.
inline constexpr std::size_t shard_count = 64;

/// The shard a hash belongs to.
[[nodiscard]] constexpr std::size_t shard_of(std::uint64_t hash) noexcept { return hash >> 58; }

/// Time as the table keeps it: units of 2^20 ns (about 1 ms) modulo 2^32; differences are good for 26 days.
[[nodiscard]] constexpr std::uint32_t coarse_ticks(std::int64_t timestamp_ns) noexcept {
    return static_cast<std::uint32_t>(static_cast<std::uint64_t>(timestamp_ns) >> 20);
}

/// `Record` must be default constructible and trivially destructible.
template <class Record>
class slot_table {
    static constexpr std::size_t ways = 8;

    struct alignas(64) bucket {
        std::array<std::uint16_t, ways> tag{};
        std::array<std::uint32_t, ways> seen{};
        std::array<std::uint8_t, ways> worth{};
        std::uint8_t used = 0;     // bit per way
        std::uint8_t settled = 0;  // bit per way: for_quiet has shown it since it was last touched
    };

public:
    static constexpr std::uint32_t none = 0xffffffffU;  ///< "no slot"

    /// Room for at least `capacity` records, rounded up to a multiple of 512: 64 shards of whole buckets.
    constexpr explicit slot_table(std::size_t capacity)
        : m_buckets_per_shard(std::max<std::size_t>(1, (capacity + shard_count * ways - 1) / (shard_count * ways))),
          m_bucket_total(m_buckets_per_shard * shard_count),
          m_words_per_shard((m_buckets_per_shard + 63) / 64) {
        m_occupied = std::allocator<std::uint64_t>{}.allocate(m_words_per_shard * shard_count);
        for (std::size_t i = 0; i < m_words_per_shard * shard_count; ++i) std::construct_at(m_occupied + i);
        m_buckets = std::allocator<bucket>{}.allocate(m_bucket_total);
        for (std::size_t i = 0; i < m_bucket_total; ++i) std::construct_at(m_buckets + i);
        // Records are constructed one by one when first used: untouched pages of a large table cost nothing.
        m_records = std::allocator<Record>{}.allocate(m_bucket_total * ways);
    }
    constexpr ~slot_table() {
        std::allocator<std::uint64_t>{}.deallocate(m_occupied, m_words_per_shard * shard_count);
        std::allocator<bucket>{}.deallocate(m_buckets, m_bucket_total);
        std::allocator<Record>{}.deallocate(m_records, m_bucket_total * ways);
    }
    slot_table(const slot_table&) = delete;
    slot_table& operator=(const slot_table&) = delete;

    /// Records that fit.
    [[nodiscard]] constexpr std::size_t capacity() const noexcept { return m_bucket_total * ways; }
    /// The record in a slot in use.
    [[nodiscard]] constexpr Record& operator[](std::uint32_t slot) noexcept { return m_records[slot]; }
    /// The record in a slot in use.
    [[nodiscard]] constexpr const Record& operator[](std::uint32_t slot) const noexcept { return m_records[slot]; }

    /// Live records in one shard.
    [[nodiscard]] constexpr std::size_t size(std::size_t shard) const noexcept { return m_live[shard].count; }
    /// Live records of all shards.
    [[nodiscard]] constexpr std::size_t size() const noexcept {
        std::size_t total = 0;
        for (const auto& live : m_live) total += live.count;
        return total;
    }

    /// Asks the processor for the bucket headers of `hash`, to be used a few packets later.
    constexpr void prefetch(std::uint64_t hash) const noexcept {
        prefetch_read(&m_buckets[first_bucket(hash)]);
        prefetch_read(&m_buckets[second_bucket(hash)]);
    }
    /// Asks for the record whose tag matches first; call when the headers have had time to arrive.
    /// Run time only.
    void prefetch_record(std::uint64_t hash) const noexcept {
        const std::size_t at = first_bucket(hash);
        const bucket& b = m_buckets[at];
        for (std::size_t way = 0; way < ways; ++way) {
            if (((b.used >> way) & 1U) != 0 && b.tag[way] == tag_of(hash)) {
                const auto* record = as_bytes_of(&m_records[at * ways + way]);
                for (std::size_t line = 0; line < sizeof(Record); line += 64) prefetch_write(record + line);
                return;
            }
        }
    }

    /// The slot of the record for which `same(record)` holds among those with this hash, or `none`.
    template <class Same>
    [[nodiscard]] constexpr std::uint32_t find(std::uint64_t hash, Same&& same) const noexcept {
        const std::size_t candidates[2] = {first_bucket(hash), second_bucket(hash)};
        for (const std::size_t at : candidates) {
            const bucket& b = m_buckets[at];
            for (std::size_t way = 0; way < ways; ++way) {
                if (b.tag[way] != tag_of(hash) || ((b.used >> way) & 1U) == 0) continue;
                const auto slot = static_cast<std::uint32_t>(at * ways + way);
                if (same(m_records[slot])) return slot;
            }
        }
        return none;
    }

    /// A fresh, default-constructed record for `hash`. When both buckets are full, the record of least worth (then
    /// the longest unseen) is handed to `evicted(slot)` first and replaced.
    template <class Evicted>
    constexpr std::uint32_t insert(std::uint64_t hash, std::uint32_t now_ticks, Evicted&& evicted) noexcept {
        const std::size_t one = first_bucket(hash);
        const std::size_t two = second_bucket(hash);
        const bool second_is_emptier = std::popcount(m_buckets[two].used) < std::popcount(m_buckets[one].used);
        const std::size_t at = second_is_emptier ? two : one;
        std::uint32_t slot = none;
        if (m_buckets[at].used != 0xff) {
            const auto way = static_cast<std::size_t>(std::countr_one(m_buckets[at].used));
            slot = static_cast<std::uint32_t>(at * ways + way);
        } else {
            slot = least_valuable(one, two, now_ticks);
            evicted(slot);
            erase(slot);
        }
        bucket& b = m_buckets[slot / ways];
        const std::size_t way = slot % ways;
        b.used = static_cast<std::uint8_t>(b.used | (1U << way));
        occupied_word(slot / ways) |= occupied_bit(slot / ways);
        b.settled = static_cast<std::uint8_t>(b.settled & ~(1U << way));
        b.tag[way] = tag_of(hash);
        b.seen[way] = now_ticks;
        b.worth[way] = 0;
        ++m_live[shard_of(hash)].count;
        std::construct_at(m_records + slot);
        return slot;
    }

    /// Notes that a record was seen, and what it is worth when room runs out (0 goes first).
    constexpr void touch(std::uint32_t slot, std::uint32_t now_ticks, std::uint8_t worth) noexcept {
        bucket& b = m_buckets[slot / ways];
        b.seen[slot % ways] = now_ticks;
        b.worth[slot % ways] = worth;
        b.settled = static_cast<std::uint8_t>(b.settled & ~(1U << (slot % ways)));
    }

    /// Frees a slot in use; its record is not destroyed before the slot is used again.
    constexpr void erase(std::uint32_t slot) noexcept {
        bucket& b = m_buckets[slot / ways];
        b.used = static_cast<std::uint8_t>(b.used & ~(1U << (slot % ways)));
        if (b.used == 0) occupied_word(slot / ways) &= ~occupied_bit(slot / ways);
        --m_live[slot / ways / m_buckets_per_shard].count;
    }

    /// Calls `visit(slot)` once for every record of a shard that has not been touched for at least `ticks`, and not
    /// again before it has been touched anew.
    template <class Visit>
    constexpr void for_quiet(std::size_t shard, std::uint32_t now_ticks, std::uint32_t ticks, Visit&& visit) noexcept {
        for_occupied(shard, [&](std::size_t at) {
            bucket& b = m_buckets[at];
            std::uint32_t left = static_cast<std::uint32_t>(b.used) & ~static_cast<std::uint32_t>(b.settled);
            for (; left != 0; left &= left - 1) {
                const auto way = static_cast<std::size_t>(std::countr_zero(left));
                if (age_of(b.seen[way], now_ticks) < ticks) continue;
                b.settled = static_cast<std::uint8_t>(b.settled | (1U << way));
                visit(static_cast<std::uint32_t>(at * ways + way));
            }
            return true;
        });
    }

    /// Calls `visit(slot)` for every record of a shard not seen for at least `ticks`; `visit` may erase it, and returns
    /// false to see no more.
    template <class Visit>
    constexpr void for_unseen(std::size_t shard, std::uint32_t now_ticks, std::uint32_t ticks, Visit&& visit) noexcept {
        for_occupied(shard, [&](std::size_t at) {
            for (std::uint32_t left = m_buckets[at].used; left != 0; left &= left - 1) {
                const auto way = static_cast<std::size_t>(std::countr_zero(left));
                if (age_of(m_buckets[at].seen[way], now_ticks) < ticks) continue;
                if (!visit(static_cast<std::uint32_t>(at * ways + way))) return false;
            }
            return true;
        });
    }

private:
    [[nodiscard]] static constexpr std::uint16_t tag_of(std::uint64_t hash) noexcept {
        return static_cast<std::uint16_t>(hash);
    }
    /// A bucket number from 32 bits, by multiplication: any number of buckets will do (Lemire 2019).
    [[nodiscard]] constexpr std::size_t place_of(std::uint64_t bits) const noexcept {
        return static_cast<std::size_t>(((bits & 0xffffffffU) * m_buckets_per_shard) >> 32);
    }
    [[nodiscard]] constexpr std::size_t first_bucket(std::uint64_t hash) const noexcept {
        return shard_of(hash) * m_buckets_per_shard + place_of(hash >> 16);
    }
    [[nodiscard]] constexpr std::size_t second_bucket(std::uint64_t hash) const noexcept {
        // From the tag alone plus the first bucket, like cuckoo filters, would do too; independent bits spread better.
        const std::uint64_t other = fold_multiply(hash, 0xd6e8feb86659fd93ULL);
        return shard_of(hash) * m_buckets_per_shard + place_of(other);
    }
    // Walks the buckets of a shard that hold anything until `use(bucket)` returns false.
    template <class Use>
    constexpr void for_occupied(std::size_t shard, Use&& use) const noexcept {
        for (std::size_t word = 0; word < m_words_per_shard; ++word) {
            std::uint64_t left = m_occupied[shard * m_words_per_shard + word];
            for (; left != 0; left &= left - 1) {
                const auto bit = static_cast<std::size_t>(std::countr_zero(left));
                if (!use(shard * m_buckets_per_shard + word * 64 + bit)) return;
            }
        }
    }
    [[nodiscard]] constexpr std::uint64_t& occupied_word(std::size_t at) noexcept {
        return m_occupied[at / m_buckets_per_shard * m_words_per_shard + at % m_buckets_per_shard / 64];
    }
    [[nodiscard]] constexpr std::uint64_t occupied_bit(std::size_t at) const noexcept {
        return 1ULL << (at % m_buckets_per_shard % 64);
    }
    // A clock that steps back must not make a record look ancient.
    [[nodiscard]] static constexpr std::uint32_t age_of(std::uint32_t seen, std::uint32_t now) noexcept {
        const std::uint32_t age = now - seen;
        return age > 0x7fffffffU ? 0 : age;
    }
    [[nodiscard]] constexpr std::uint32_t least_valuable(std::size_t one, std::size_t two,
                                                         std::uint32_t now) const noexcept {
        std::uint32_t worst = 0;
        std::uint64_t lowest = ~0ULL;
        const std::size_t candidates[2] = {one, two};
        for (const std::size_t at : candidates) {
            for (std::size_t way = 0; way < ways; ++way) {
                const bucket& b = m_buckets[at];
                const std::uint64_t rank =
                    (std::uint64_t{b.worth[way]} << 32) | (0xffffffffU - age_of(b.seen[way], now));
                if (rank < lowest) {
                    lowest = rank;
                    worst = static_cast<std::uint32_t>(at * ways + way);
                }
            }
        }
        return worst;
    }
    [[nodiscard]] static const char* as_bytes_of(const Record* record) noexcept {
        return static_cast<const char*>(static_cast<const void*>(record));
    }

    // One line each, so that workers on neighbouring shards do not share it.
    struct alignas(64) live_count {
        std::size_t count = 0;
    };

    std::size_t m_buckets_per_shard;
    std::size_t m_bucket_total;
    // One bit per bucket that holds anything, whole words for each shard: a walk over a shard costs what it holds, not
    // what it could hold, which matters when little happens for long.
    std::size_t m_words_per_shard;
    std::uint64_t* m_occupied = nullptr;
    bucket* m_buckets = nullptr;
    Record* m_records = nullptr;
    std::array<live_count, shard_count> m_live{};
};

}  // namespace v0
}  // namespace mldefender
