// SPDX-License-Identifier: MIT
// Every reason has a name and advice of its own; counting is by component, exact under threads, and bounded.
#include <doctest/doctest.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include <mldefender/transport/refusal.hpp>

using namespace mldefender::transport;

TEST_CASE("every reason has its own name and advice") {
    std::set<std::string_view> names;
    std::set<std::string_view> advice;
    for (std::size_t i = 1; i < refusal_count; ++i) {
        names.insert(name_of(static_cast<refusal>(i)));
        advice.insert(advice_for(static_cast<refusal>(i)));
    }
    CHECK(names.size() == refusal_count - 1);
    CHECK(advice.size() == refusal_count - 1);
    CHECK(advice.count("") == 0);
    CHECK(advice_for(refusal::none).empty());
}

TEST_CASE("refusals are counted by component and reason") {
    refusal_book book;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&book] {
            for (int i = 0; i < 1000; ++i) book.record("sensor-1", i % 2 == 0 ? refusal::replay : refusal::auth_failed);
        });
    }
    for (auto& thread : threads) thread.join();
    book.record("firewall", refusal::stale_epoch);
    book.record("firewall", refusal::none);
    const auto lines = book.lines();
    REQUIRE(lines.size() == 3);
    CHECK(lines[0].component == "firewall");
    CHECK(lines[0].why == refusal::stale_epoch);
    CHECK(lines[0].advice == advice_for(refusal::stale_epoch));
    CHECK(book.count("sensor-1", refusal::replay) == 2000);
    CHECK(book.count("sensor-1", refusal::auth_failed) == 2000);
    CHECK(book.count("nobody", refusal::replay) == 0);
}

TEST_CASE("names from outside do not fill the memory") {
    refusal_book book;
    for (std::size_t i = 0; i < 3000; ++i) book.record("c" + std::to_string(i), refusal::auth_failed);
    CHECK(book.lines().size() == refusal_book::max_components + 1);
    CHECK(book.count("(other)", refusal::auth_failed) == 3000 - refusal_book::max_components);
}
