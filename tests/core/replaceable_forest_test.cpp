// SPDX-License-Identifier: MIT
// replaceable_forest.hpp: the built-in model until a bundle takes its place, then the bundle in every answer.
#include <doctest/doctest.h>

#include <array>
#include <utility>

#include <mldefender/core/replaceable_forest.hpp>

#include "support/detectors.hpp"
#include "support/recording_sink.hpp"

using namespace mldefender;
using namespace mldefender::test;

TEST_CASE("built in, then replaced") {
    replaceable_forest<many_ports_model> f;
    feature_vector row{};
    row[*feature_index("src_new_ports")] = 20;
    CHECK_FALSE(f.replaced());
    CHECK(f.name() == "many_ports");
    CHECK(f.answer(row).score == 1);
    CHECK(f.answer(row).label == attack_class::scan);
    CHECK(f.answer(feature_vector{}).score == 0);
    CHECK(f.malicious() == 0.75F);

    const bundle_forest other = random_detector(9);
    f.replace(random_detector(9));
    CHECK(f.replaced());
    CHECK(f.name() == other.name());
    CHECK(f.version() == other.version());
    CHECK(f.hash() == other.hash());
    CHECK(f.suspicious() == other.suspicious());
    CHECK(f.malicious() == other.malicious());
    CHECK(f.answer(row).score == other.answer(row).score);
    CHECK(f.answer(row).label == other.answer(row).label);
    CHECK(f.confidence(0.5F) == other.confidence(0.5F));
    std::array<contribution, 4> mine{}, theirs{};
    REQUIRE(f.explain(row, mine) == other.explain(row, theirs));
    for (std::size_t i = 0; i < mine.size(); ++i) CHECK(mine[i].feature == theirs[i].feature);
}

TEST_CASE("replaced among others by position") {
    max_threat<replaceable_forest<many_ports_model>, replaceable_forest<many_ports_model>> all;
    std::size_t position = 0;
    all.for_each_mutable([&](auto& forest) {
        if (position++ == 1) forest.replace(random_detector(3));
    });
    std::array<bool, 2> replaced{};
    all.with(0, [&](const auto& f) { replaced[0] = f.replaced(); });
    all.with(1, [&](const auto& f) { replaced[1] = f.replaced(); });
    CHECK_FALSE(replaced[0]);
    CHECK(replaced[1]);
}
