// SPDX-License-Identifier: MIT
// feature.hpp: the table is complete and consistent, names are found and unknown ones are not.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include <mldefender/core/feature.hpp>

using namespace mldefender;

TEST_CASE("names are unique snake_case, rows are complete, ranges are ranges") {
    std::set<std::string_view> names;
    for (const feature_info& f : features) {
        const std::string name{f.name};
        CAPTURE(name);
        CHECK(names.insert(f.name).second);
        CHECK(std::all_of(f.name.begin(), f.name.end(),
                          [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }));
        CHECK_FALSE(f.unit.empty());
        CHECK_FALSE(f.formula.empty());
        CHECK_FALSE(f.source.empty());
        CHECK(f.lowest < f.highest);
    }
}

TEST_CASE("at least 40 flow features and 20 of host windows") {
    const auto count = [](auto test) { return std::count_if(std::begin(features), std::end(features), test); };
    CHECK(count([](const feature_info& f) { return f.level == feature_level::flow; }) >= 40);
    CHECK(count([](const feature_info& f) { return f.level == feature_level::window; }) >= 20);
    CHECK(count([](const feature_info& f) { return f.level == feature_level::pair; }) >= 1);
}

TEST_CASE("names lead to positions") {
    for (std::size_t i = 0; i < feature_count; ++i) CHECK(feature_index(features[i].name) == i);
    CHECK_FALSE(feature_index("").has_value());
    CHECK_FALSE(feature_index("flow_duratio").has_value());
    CHECK_FALSE(feature_index("flow_durationn").has_value());
    using namespace mldefender::literals;
    static_assert("protocol"_feature == 0);
}
