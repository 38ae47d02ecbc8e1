// SPDX-License-Identifier: MIT
// words.hpp and json_syntax.hpp: what people mistyped, and where.
#include <doctest/doctest.h>

#include <cstddef>
#include <optional>
#include <string>

#include <mldefender/core/json_syntax.hpp>
#include <mldefender/core/words.hpp>

using namespace mldefender;

TEST_CASE("words: the distance counts insertions, deletions and replacements") {
    CHECK(edit_distance("", "") == 0);
    CHECK(edit_distance("", "abc") == 3);
    CHECK(edit_distance("kitten", "sitting") == 3);
    CHECK(edit_distance("flow_duratoin", "flow_duration") == 2);
    CHECK(edit_distance("abc", "abc") == 0);
}

TEST_CASE("json syntax: the first character that cannot stand where it does") {
    const auto offset = [](const std::string& text) { return json_syntax{text}.error_offset(); };
    for (const char* good : {"{}", " [1, -2.5e3, true, null, \"a\\\"b\"] ", "{\"a\": {\"b\": []}, \"c\": 1}"}) {
        CHECK(!offset(good));
    }
    CHECK(offset("") == std::optional<std::size_t>{0});
    CHECK(offset("{\"a\":1,}") == std::optional<std::size_t>{7});
    CHECK(offset("{\"a\" 1}") == std::optional<std::size_t>{5});
    CHECK(offset("{1:2}") == std::optional<std::size_t>{1});
    CHECK(offset("[1 2]") == std::optional<std::size_t>{3});
    CHECK(offset("[truth]") == std::optional<std::size_t>{1});
    CHECK(offset("[NaN]") == std::optional<std::size_t>{1});
    CHECK(offset("[\"open]") == std::optional<std::size_t>{1});
    CHECK(offset("{} {}") == std::optional<std::size_t>{3});
    CHECK(!offset(std::string(64, '[') + std::string(64, ']')));
    CHECK(offset(std::string(66, '[') + std::string(66, ']')).has_value());
}
