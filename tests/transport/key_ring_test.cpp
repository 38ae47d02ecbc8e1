// SPDX-License-Identifier: MIT
// Epochs: which key seals and which opens at each moment, the change from one to the next, and keys that are gone.
#include <doctest/doctest.h>

#include <type_traits>

#include <mldefender/transport/key_ring.hpp>

#include "support/sessions.hpp"

using namespace mldefender;
using namespace mldefender::transport;
using test::counting_key;
using test::counting_salt;
using test::second;

namespace {

struct rotating {
    std::shared_ptr<secret_arena> arena = secret_arena::create().value();
    std::shared_ptr<key_ring> ring = std::make_shared<key_ring>(arena);

    rotating() {
        REQUIRE(ring->add(1, counting_key(*arena, 1), {0, 20 * second, 5 * second}, 0).ok());
        REQUIRE(ring->add(2, counting_key(*arena, 2), {10 * second, 30 * second, 5 * second}, 0).ok());
    }
    std::uint32_t sends(std::int64_t now) const { return ring->sending(now)->id; }
    refusal receives(std::uint32_t id, std::int64_t now) const {
        const auto got = ring->receiving(id, now);
        return got ? refusal::none : got.failure();
    }
};

}  // namespace

TEST_CASE("senders change when the next epoch begins, receivers hold both by number") {
    const rotating keys;
    CHECK(keys.sends(0) == 1);
    CHECK(keys.ring->sending(0)->until_ns == 10 * second);  // asks again when the next one begins
    CHECK(keys.sends(10 * second - 1) == 1);
    CHECK(keys.sends(10 * second) == 2);
    CHECK(keys.receives(1, 15 * second) == refusal::none);
    CHECK(keys.receives(2, 1 * second) == refusal::none);  // a sender's clock may run ahead
    CHECK(keys.receives(1, 25 * second - 1) == refusal::none);
    CHECK(keys.receives(1, 25 * second) == refusal::stale_epoch);
    CHECK(keys.receives(3, 15 * second) == refusal::unknown_key_id);
    CHECK(keys.receives(0, 15 * second) == refusal::stale_epoch);
    CHECK(keys.ring->sending(30 * second).failure() == refusal::stale_epoch);
    CHECK(keys.ring->sending(-1).failure() == refusal::unknown_key_id);
}

TEST_CASE("a third epoch waits for the first to end, and its memory is used again") {
    rotating keys;
    const std::size_t room = keys.arena->free_bytes();
    const auto early = keys.ring->add(3, counting_key(*keys.arena, 3), {30 * second, 40 * second, 0}, 20 * second);
    CHECK(early.failure().code == errc::unavailable);
    CHECK(early.failure().what.find("revoke") != std::string::npos);
    CHECK(keys.arena->free_bytes() == room);
    CHECK(keys.ring->add(3, counting_key(*keys.arena, 3), {30 * second, 40 * second, 0}, 25 * second).ok());
    CHECK(keys.arena->free_bytes() == room);
    CHECK(keys.receives(1, 25 * second) == refusal::stale_epoch);
    CHECK(keys.ring->expire(40 * second) == 2);
    CHECK(keys.arena->free_bytes() == room + 4 * secret_arena::unit);
}

TEST_CASE("epochs rise, windows are not empty, keys have 32 bytes") {
    rotating keys;
    const epoch_window good{0, second, 0};
    CHECK(keys.ring->add(2, counting_key(*keys.arena, 3), good, 0).failure().code == errc::already_exists);
    CHECK(keys.ring->add(3, counting_key(*keys.arena, 3), {5, 5, 0}, 0).failure().code == errc::bad_argument);
    CHECK(keys.ring->add(3, counting_key(*keys.arena, 3), {0, 5, -1}, 0).failure().code == errc::bad_argument);
    CHECK(keys.ring->add(3, keys.arena->allocate(31).value(), good, 0).failure().code == errc::bad_argument);
    CHECK(keys.ring->add(3, secret{}, good, 0).failure().code == errc::bad_argument);
}

TEST_CASE("a revoked key opens nothing more, in sessions that used it before too") {
    const auto ring = test::one_epoch();
    auto sealer = frame_sealer::create(ring, test::way(), counting_salt(), {});
    auto opener = frame_opener::create(ring, test::way(), counting_salt(), {}, nullptr);
    CHECK(opener->open(test::sealed(*sealer, test::octets("a")), second).ok());
    const auto later = test::sealed(*sealer, test::octets("b"));
    REQUIRE(ring->revoke(7));
    CHECK(!ring->revoke(7));
    CHECK(opener->open(later, second).failure() == refusal::stale_epoch);
    CHECK(test::sealed(*sealer, test::octets("c")).empty());
}

TEST_CASE("a frame of an expired epoch is stale, one of an epoch nobody published unknown") {
    const auto ring = test::one_epoch();
    auto sealer = frame_sealer::create(ring, test::way(), counting_salt(), {});
    auto opener = frame_opener::create(ring, test::way(), counting_salt(), {}, nullptr);
    auto frame = test::sealed(*sealer, test::octets("a"), 99 * second);
    CHECK(opener->open(frame, 110 * second).failure() == refusal::stale_epoch);
    CHECK(opener->open(frame, 110 * second - 1).ok());
    frame[4] = 8;
    CHECK(opener->open(frame, second).failure() == refusal::unknown_key_id);
}

TEST_CASE("the key of one sender is not the key of another, nor of another route of its own") {
    const rotating keys;
    auto a = keys.arena->allocate(key_size).value();
    auto b = keys.arena->allocate(key_size).value();
    const auto differs = [&](const route& left, const route& right) {
        REQUIRE(keys.ring->derive(1, left, a.bytes().first<key_size>()));
        REQUIRE(keys.ring->derive(1, right, b.bytes().first<key_size>()));
        return sodium_memcmp(a.bytes().data(), b.bytes().data(), key_size) != 0;
    };
    CHECK(differs(test::way(), test::way("events", "sensor-2")));
    CHECK(differs(test::way(), test::way("config")));
    CHECK(differs(test::way(), test::way("events", "sensor-1", "collector", direction::backward)));
    CHECK(!differs(test::way(), test::way()));
}

TEST_CASE("a session's salt needs both sides' bytes, in their order") {
    std::array<std::uint8_t, 32> zeros{};
    std::array<std::uint8_t, 32> ones{};
    ones.fill(1);
    CHECK(session_salt(zeros, ones) == session_salt(zeros, ones));
    CHECK(session_salt(zeros, ones) != session_salt(ones, zeros));
    CHECK(session_salt(zeros, ones) != session_salt(zeros, zeros));
}

TEST_CASE("the clock of keys goes forward") {
    const std::int64_t before = key_clock_ns();
    CHECK(before > 0);
    CHECK(key_clock_ns() >= before);
}
