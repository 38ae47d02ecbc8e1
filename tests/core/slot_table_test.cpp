// SPDX-License-Identifier: MIT
// slot_table.hpp: finding, the order in which records are given up, capacity, walks by age, a clock that steps back.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include <mldefender/core/slot_table.hpp>

using namespace mldefender;

namespace {

struct record {
    std::uint64_t key = 0;
};
using table = slot_table<record>;

// All hashes of one shard in the smallest table share both buckets.
constexpr std::uint64_t crowded(std::uint64_t n) { return n; }

std::uint32_t put(table& t, std::uint64_t key, std::uint32_t now = 0, std::uint8_t worth = 0,
                  std::vector<std::uint64_t>* gone = nullptr) {
    const std::uint32_t slot = t.insert(crowded(key), now, [&](std::uint32_t old) {
        if (gone != nullptr) gone->push_back(t[old].key);
    });
    t[slot].key = key;
    t.touch(slot, now, worth);
    return slot;
}
bool holds(const table& t, std::uint64_t key) {
    return t.find(crowded(key), [&](const record& r) { return r.key == key; }) != table::none;
}

}  // namespace

TEST_CASE("capacity is rounded up to a multiple of 512") {
    CHECK(table{0}.capacity() == 512);
    CHECK(table{1}.capacity() == 512);
    CHECK(table{512}.capacity() == 512);
    CHECK(table{513}.capacity() == 1024);
    CHECK(table{100'000}.capacity() == 100'352);
}

TEST_CASE("the table never holds more than its capacity, and counts right") {
    table t{1024};
    std::uint64_t evicted = 0;
    for (std::uint64_t i = 0; i < 20'000; ++i) {
        t.insert(hash_of(i), 0, [&](std::uint32_t) { ++evicted; });
        REQUIRE(t.size() <= t.capacity());
        REQUIRE(t.size() + evicted == i + 1);
    }
    // Two choices of eight fill nearly everything.
    CHECK(t.size() > t.capacity() * 95 / 100);
    std::size_t sum = 0;
    for (std::size_t shard = 0; shard < shard_count; ++shard) sum += t.size(shard);
    CHECK(sum == t.size());
}

TEST_CASE("records with the same hash are told apart by the caller's test") {
    table t{512};
    for (std::uint64_t key = 1; key <= 3; ++key) {
        const std::uint32_t slot = t.insert(99, 0, [](std::uint32_t) {});
        t[slot].key = key;
    }
    for (std::uint64_t key = 1; key <= 3; ++key) {
        const std::uint32_t slot = t.find(99, [&](const record& r) { return r.key == key; });
        REQUIRE(slot != table::none);
        CHECK(t[slot].key == key);
    }
    CHECK(t.find(99, [](const record&) { return false; }) == table::none);
    CHECK(t.find(98, [](const record&) { return true; }) == table::none);
}

TEST_CASE("erased records are gone and their room is used again") {
    table t{512};
    const std::uint32_t slot = put(t, 5);
    CHECK(holds(t, 5));
    t.erase(slot);
    CHECK_FALSE(holds(t, 5));
    CHECK(t.size() == 0);
    CHECK(put(t, 6) == slot);
    CHECK(t[slot].key == 6);
}

TEST_CASE("a new record starts from scratch") {
    table t{512};
    const std::uint32_t slot = put(t, 5);
    t.erase(slot);
    const std::uint32_t again = t.insert(crowded(5), 0, [](std::uint32_t) {});
    CHECK(again == slot);
    CHECK(t[again].key == 0);
}

TEST_CASE("the least worthy goes first, among equals the one longest unseen") {
    table t{512};
    std::vector<std::uint64_t> gone;
    for (std::uint64_t key = 0; key < 8; ++key) {
        put(t, key, static_cast<std::uint32_t>(100 + key), static_cast<std::uint8_t>(key == 3 || key == 5 ? 1 : 2),
            &gone);
    }
    REQUIRE(gone.empty());
    put(t, 10, 200, 2, &gone);
    CHECK(gone == std::vector<std::uint64_t>{3});
    put(t, 11, 200, 2, &gone);
    CHECK(gone == std::vector<std::uint64_t>{3, 5});
    put(t, 12, 200, 2, &gone);
    CHECK(gone == std::vector<std::uint64_t>{3, 5, 0});
    CHECK(holds(t, 7));
    CHECK_FALSE(holds(t, 0));
    CHECK(t.size() == 8);
}

TEST_CASE("touching keeps a record") {
    table t{512};
    std::vector<std::uint64_t> gone;
    std::vector<std::uint32_t> slots;
    for (std::uint64_t key = 0; key < 8; ++key) slots.push_back(put(t, key, static_cast<std::uint32_t>(key), 0, &gone));
    t.touch(slots[0], 100, 0);
    put(t, 20, 101, 0, &gone);
    CHECK(gone == std::vector<std::uint64_t>{1});
}

TEST_CASE("walks see what is old enough, and may erase") {
    table t{4096};
    for (std::uint64_t i = 0; i < 600; ++i) {
        const std::uint32_t slot = t.insert(hash_of(i), static_cast<std::uint32_t>(i), [](std::uint32_t) {});
        t[slot].key = i;
    }
    REQUIRE(t.size() == 600);
    std::set<std::uint64_t> seen;
    for (std::size_t shard = 0; shard < shard_count; ++shard) {
        t.for_unseen(shard, 1000, 501, [&](std::uint32_t slot) {
            seen.insert(t[slot].key);
            t.erase(slot);
            return true;
        });
    }
    // Age 1000 - i >= 501.
    CHECK(seen.size() == 500);
    CHECK(*seen.rbegin() == 499);
    CHECK(t.size() == 100);
    seen.clear();
    for (std::size_t shard = 0; shard < shard_count; ++shard) {
        t.for_unseen(shard, 0, 0, [&](std::uint32_t slot) { return seen.insert(t[slot].key), true; });
    }
    CHECK(seen.size() == 100);
    CHECK(*seen.begin() == 500);
}

TEST_CASE("a walk ends when it is told to") {
    table t{512};
    for (std::uint64_t key = 0; key < 8; ++key) put(t, key);
    int visits = 0;
    t.for_unseen(0, 0, 0, [&](std::uint32_t) { return ++visits < 3; });
    CHECK(visits == 3);
}

TEST_CASE("silence is told once, until the record is touched again") {
    table t{512};
    const std::uint32_t slot = put(t, 1, 10);
    int told = 0;
    const auto look = [&](std::uint32_t now) { t.for_quiet(0, now, 5, [&](std::uint32_t) { ++told; }); };
    look(14);
    CHECK(told == 0);
    look(15);
    CHECK(told == 1);
    look(30);
    CHECK(told == 1);
    t.touch(slot, 40, 0);
    look(44);
    CHECK(told == 1);
    look(45);
    CHECK(told == 2);
    // A record that takes the place of a quiet one has not been told of.
    t.erase(slot);
    REQUIRE(put(t, 2, 50) == slot);
    look(60);
    CHECK(told == 3);
}

TEST_CASE("a clock that steps back makes nothing look ancient") {
    table t{512};
    put(t, 1, 1000);
    int visits = 0;
    t.for_unseen(0, 900, 1, [&](std::uint32_t) { return ++visits, true; });
    CHECK(visits == 0);
    // The counter of ticks wraps every 52 days.
    put(t, 2, 0xfffffff0U);
    t.for_unseen(0, 0x10, 0x20, [&](std::uint32_t slot) {
        CHECK(t[slot].key == 2);
        return ++visits > 0;
    });
    CHECK(visits == 1);
}

TEST_CASE("ticks count units of 2^20 ns, before the epoch too") {
    static_assert(coarse_ticks(0) == 0 && coarse_ticks((1 << 20) - 1) == 0 && coarse_ticks(1 << 20) == 1);
    static_assert(coarse_ticks(0) - coarse_ticks(-(1 << 20)) == 1);
}

TEST_CASE("shards are the top six bits and stay apart") {
    static_assert(shard_of(0) == 0 && shard_of(~0ULL) == shard_count - 1);
    table t{2048};
    for (std::uint64_t i = 0; i < 1000; ++i) {
        const std::uint64_t hash = hash_of(i);
        const std::uint32_t slot = t.insert(hash, 0, [](std::uint32_t) {});
        REQUIRE(slot / (t.capacity() / shard_count) == shard_of(hash));
    }
}
