// SPDX-License-Identifier: MIT
// hash.hpp: fixed values, so that a change to the hash is a decision rather than an accident (flow ids are in events
// that people keep), both directions alike, and the same answer with and without a 128-bit type.
#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cstdint>
#include <set>

#include <mldefender/core/hash.hpp>

#include "support/packets.hpp"
#include "support/traffic.hpp"

using namespace mldefender;

namespace {

constexpr five_tuple golden_tuple{address::v4(192, 0, 2, 1), address::v4(198, 51, 100, 7), 40000, 443,
                                  ip_protocol::tcp};
constexpr hash_secret some_secret{0x0123456789abcdefULL, 0xfedcba9876543210ULL};

}  // namespace

TEST_CASE("golden values") {
    CHECK(hash_of(std::uint64_t{0}) == 0xbeb124275d76700eULL);
    CHECK(hash_of(std::uint64_t{1}) == 0x640b0e06cb5c56ffULL);
    CHECK(hash_of(std::uint64_t{1}, some_secret) == 0xb2229bd10729a378ULL);
    CHECK(hash_of(golden_tuple.source) == 0xb4c525a5c2f6eac9ULL);
    CHECK(hash_of(*parse_address("2001:db8::1"), some_secret) == 0x012df72a56e8e0c7ULL);
    CHECK(symmetric_hash(golden_tuple) == 0x8d1c9df608208d31ULL);
    CHECK(symmetric_hash(golden_tuple, some_secret) == 0x2fc31459e910e34bULL);
    CHECK(flow_id_of(golden_tuple, 1'700'000'000'000'000'000) == 0x000f08a28dd88032ULL);
}

TEST_CASE("the portable multiplication agrees with the wide one") {
    test::dice random{1};
    const std::array<std::uint64_t, 6> edges{0, 1, 0xffffffffU, 0x100000000U, 0x8000000000000000U, ~0ULL};
    for (const std::uint64_t a : edges) {
        for (const std::uint64_t b : edges) CHECK(detail::fold_multiply_portable(a, b) == fold_multiply(a, b));
    }
    for (int i = 0; i < 10'000; ++i) {
        const std::uint64_t a = random.next(), b = random.next();
        REQUIRE(detail::fold_multiply_portable(a, b) == fold_multiply(a, b));
    }
    // 2^63 * 2^63 = 2^126: low half 0, high half 2^62.
    static_assert(fold_multiply(1ULL << 63, 1ULL << 63) == 1ULL << 62);
    static_assert(detail::fold_multiply_portable(~0ULL, ~0ULL) == (1ULL ^ (~0ULL - 1)));
}

TEST_CASE("both directions of a tuple hash alike, whatever is equal in it") {
    test::dice random{2};
    const auto any_address = [&] {
        return random.below(2) == 0 ? address::v4(static_cast<std::uint32_t>(random.below(4)))
                                    : address{random.next(), random.next()};
    };
    for (int i = 0; i < 10'000; ++i) {
        const five_tuple t{any_address(), any_address(), static_cast<std::uint16_t>(random.below(3)),
                           static_cast<std::uint16_t>(random.below(3)), ip_protocol::udp};
        REQUIRE(symmetric_hash(t, some_secret) == symmetric_hash(t.reversed(), some_secret));
    }
}

TEST_CASE("every part of a tuple and of the secret counts") {
    std::set<std::uint64_t> seen{symmetric_hash(golden_tuple)};
    const auto differs = [&](auto change) {
        five_tuple t = golden_tuple;
        hash_secret secret;
        change(t, secret);
        return seen.insert(symmetric_hash(t, secret)).second;
    };
    CHECK(differs([](five_tuple& t, hash_secret&) { t.source = address::v4(192, 0, 2, 2); }));
    CHECK(differs([](five_tuple& t, hash_secret&) { t.destination = address::v4(198, 51, 100, 8); }));
    CHECK(differs([](five_tuple& t, hash_secret&) { t.source_port = 40001; }));
    CHECK(differs([](five_tuple& t, hash_secret&) { t.destination_port = 444; }));
    CHECK(differs([](five_tuple& t, hash_secret&) { t.protocol = ip_protocol::udp; }));
    CHECK(differs([](five_tuple& t, hash_secret&) { std::swap(t.source_port, t.destination_port); }));
    CHECK(differs([](five_tuple&, hash_secret& s) { s.first = 1; }));
    CHECK(differs([](five_tuple&, hash_secret& s) { s.second = 1; }));
}

TEST_CASE("one flipped bit changes about half of the hash") {
    double changed = 0;
    for (int bit = 0; bit < 64; ++bit) {
        changed += std::popcount(hash_of(std::uint64_t{42}) ^ hash_of(std::uint64_t{42} ^ (1ULL << bit)));
    }
    CHECK(changed / 64 == doctest::Approx(32).epsilon(0.1));
}

TEST_CASE("a flow id has 53 bits, depends on time and initiator's tuple, and on no secret") {
    for (std::int64_t at = 0; at < 1000; ++at) REQUIRE(flow_id_of(golden_tuple, at) < (1ULL << 53));
    CHECK(flow_id_of(golden_tuple, 1) != flow_id_of(golden_tuple, 2));
    CHECK(flow_id_of(golden_tuple, -1) < (1ULL << 53));
}
