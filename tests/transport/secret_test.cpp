// SPDX-License-Identifier: MIT
// The memory of keys: locked, not dumped, wiped when given back, bounded, and owned by one.
#include <doctest/doctest.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <type_traits>
#include <utility>

#include <mldefender/transport/secret.hpp>

using namespace mldefender;
using namespace mldefender::transport;

static_assert(!std::is_copy_constructible_v<secret> && !std::is_copy_assignable_v<secret>);
static_assert(std::is_nothrow_move_constructible_v<secret> && std::is_nothrow_move_assignable_v<secret>);

namespace {

/// The VmFlags of the mapping an address lies in.
std::string flags_of(const void* address) {
    std::ifstream maps("/proc/self/smaps");
    const auto wanted = reinterpret_cast<std::uintptr_t>(address);
    bool inside = false;
    for (std::string line; std::getline(maps, line);) {
        unsigned long long from = 0;
        unsigned long long to = 0;
        if (std::sscanf(line.c_str(), "%llx-%llx ", &from, &to) == 2) inside = wanted >= from && wanted < to;
        if (inside && line.rfind("VmFlags:", 0) == 0) return line + " ";
    }
    return {};
}

}  // namespace

TEST_CASE("keys are kept out of core dumps, and out of swap where the system allows it") {
    const auto arena = secret_arena::create(4096).value();
    const secret key = arena->allocate(32).value();
    const std::string flags = flags_of(key.bytes().data());
    REQUIRE(!flags.empty());
    CHECK(flags.find(" dd ") != std::string::npos);
    CHECK((flags.find(" lo ") != std::string::npos) == arena->locked());
}

TEST_CASE("a secret that is given back leaves zeros") {
    const auto arena = secret_arena::create(4096).value();
    const std::uint8_t* where = nullptr;
    {
        secret key = arena->allocate(100).value();
        for (auto& octet : key.bytes()) octet = 0xee;
        where = key.bytes().data();
    }
    int left = 0;
    for (int i = 0; i < 128; ++i) left += where[i] != 0 ? 1 : 0;  // the arena still owns this memory
    CHECK(left == 0);
}

TEST_CASE("moving leaves the source empty and wipes what was there") {
    const auto arena = secret_arena::create(4096).value();
    secret a = arena->allocate(32).value();
    secret b = arena->allocate(32).value();
    a.bytes()[0] = 1;
    b.bytes()[0] = 2;
    const std::uint8_t* of_b = b.bytes().data();
    b = std::move(a);
    CHECK(a.bytes().empty());
    CHECK(b.bytes()[0] == 1);
    CHECK(of_b[0] == 0);
    CHECK(arena->free_bytes() == 4096 - 64);
}

TEST_CASE("a full arena refuses and says so; blocks that were given back are found again") {
    const auto arena = secret_arena::create(256).value();
    secret a = arena->allocate(64).value();
    secret b = arena->allocate(65).value();
    CHECK(arena->free_bytes() == 64);
    CHECK(arena->allocate(65).failure().code == errc::unavailable);
    CHECK(arena->allocate(0).failure().code == errc::unavailable);
    a = {};
    CHECK(arena->free_bytes() == 128);
    CHECK(!arena->allocate(65).ok());  // two units, but not side by side
    b = {};
    CHECK(arena->allocate(256).ok());
    CHECK(secret_arena::create(0).failure().code == errc::too_large);
    CHECK(secret_arena::create((1U << 20) + 1).failure().code == errc::too_large);
}

TEST_CASE("secrets keep their arena alive") {
    secret key;
    {
        const auto arena = secret_arena::create(256).value();
        key = arena->allocate(32).value();
    }
    key.bytes()[31] = 7;
    CHECK(key.bytes()[31] == 7);
}
