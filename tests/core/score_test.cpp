// SPDX-License-Identifier: MIT
// score.hpp: the common scale is anchored and monotone, the maximum wins, ties go to the first listed, rules before
// forests, NaN counts as 0.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string_view>

#include <mldefender/core/score.hpp>

using namespace mldefender;

namespace {

// Says what it is told to.
struct fixed_detector {
    float score = 0;
    attack_class label = attack_class::scan;
    float low = 0.5F, high = 0.7F;
    [[nodiscard]] constexpr forest_answer answer(const feature_vector&) const noexcept { return {score, label}; }
    [[nodiscard]] constexpr float suspicious() const noexcept { return low; }
    [[nodiscard]] constexpr float malicious() const noexcept { return high; }
};

constexpr feature_vector row{};

// A row on which the shipped rule with this name fires alone.
feature_vector row_for(std::string_view name) {
    feature_vector v{};
    for (const rule& r : default_rules) {
        if (r.name != name) continue;
        for (const rule_condition& c : r.conditions) {
            if (!c.feature.empty()) v[*feature_index(c.feature)] = c.value;
        }
    }
    return v;
}

}  // namespace

TEST_CASE("the common scale: anchors") {
    static_assert(on_common_scale(0, 0.3F, 0.6F) == 0);
    static_assert(on_common_scale(0.3F, 0.3F, 0.6F) == common_scale.suspicious);
    static_assert(on_common_scale(0.6F, 0.3F, 0.6F) == common_scale.malicious);
    static_assert(on_common_scale(1, 0.3F, 0.6F) == 1);
    CHECK(on_common_scale(0.15F, 0.3F, 0.6F) == doctest::Approx(0.25));
    CHECK(on_common_scale(0.45F, 0.3F, 0.6F) == doctest::Approx(0.6));
    CHECK(on_common_scale(0.8F, 0.3F, 0.6F) == doctest::Approx(0.85));
    CHECK(on_common_scale(2, 0.3F, 0.6F) == 1);
    CHECK(on_common_scale(-1, 0.3F, 0.6F) == 0);
}

TEST_CASE("the common scale: begins and ends where the scores of a forest do") {
    constexpr score_ends ends{0.2F, 0.6F};
    static_assert(on_common_scale(0.2F, 0.4F, 0.5F, ends) == 0);
    static_assert(on_common_scale(0.4F, 0.4F, 0.5F, ends) == common_scale.suspicious);
    static_assert(on_common_scale(0.5F, 0.4F, 0.5F, ends) == common_scale.malicious);
    static_assert(on_common_scale(0.6F, 0.4F, 0.5F, ends) == 1);
    CHECK(on_common_scale(0.3F, 0.4F, 0.5F, ends) == doctest::Approx(0.25));
    CHECK(on_common_scale(0.55F, 0.4F, 0.5F, ends) == doctest::Approx(0.85));
    CHECK(on_common_scale(0.9F, 0.4F, 0.5F, ends) == 1);
    CHECK(on_common_scale(0.1F, 0.4F, 0.5F, ends) == 0);
}

TEST_CASE("the common scale: a calibration shows where scores begin and end to mean something") {
    constexpr std::array<calibration_point, 6> points{
        {{0, 0.001F}, {0.2F, 0.01F}, {0.3F, 0.3F}, {0.5F, 0.9F}, {0.6F, 0.99F}, {1, 0.99F}}};
    static_assert(ends_of(points, 0.4F, 0.5F).quiet == 0.2F);
    static_assert(ends_of(points, 0.4F, 0.5F).certain == 0.6F);
    static_assert(ends_of(points, 0.2F, 0.5F).quiet == 0);    // never as high as suspicion
    static_assert(ends_of(points, 0.4F, 0.6F).certain == 1);  // never as low as malice
    static_assert(ends_of({}, 0.4F, 0.5F).quiet == 0);
    static_assert(ends_of({}, 0.4F, 0.5F).certain == 1);
}

TEST_CASE("the common scale: monotone and within 0..1 for any thresholds") {
    const std::array<std::array<float, 2>, 6> thresholds{
        {{0.5F, 0.7F}, {0.1F, 0.9F}, {0.3F, 0.3F}, {0, 0}, {1, 1}, {0.2F, 1}}};
    for (const auto& pair : thresholds) {  // clang 14 cannot capture a structured binding
        const float suspicious = pair[0];
        const float malicious = pair[1];
        CAPTURE(suspicious);
        CAPTURE(malicious);
        float last = 0;
        for (int i = 0; i <= 1000; ++i) {
            const float x = on_common_scale(static_cast<float>(i) / 1000, suspicious, malicious);
            REQUIRE(x >= last);
            REQUIRE(x <= 1);
            last = x;
        }
        CHECK(last == 1);
    }
}

#ifdef NDEBUG
TEST_CASE("NaN counts as 0") { CHECK(on_common_scale(std::numeric_limits<float>::quiet_NaN(), 0.5F, 0.7F) == 0); }
#endif

TEST_CASE("the largest threat wins and keeps its author") {
    const max_threat forests{fixed_detector{0.4F}, fixed_detector{0.9F, attack_class::ddos}, fixed_detector{0.6F}};
    const threat t = forests(row);
    CHECK(t.author == 1);
    CHECK(t.label == attack_class::ddos);
    CHECK(t.raw == 0.9F);
    CHECK(t.score == on_common_scale(0.9F, 0.5F, 0.7F));
}

TEST_CASE("what is compared is the common scale, not the raw score") {
    // 0.4 with thresholds 0.2 and 0.35 is malicious, 0.6 with 0.7 and 0.9 is not even suspicious.
    const max_threat forests{fixed_detector{0.6F, attack_class::scan, 0.7F, 0.9F},
                             fixed_detector{0.4F, attack_class::exfil, 0.2F, 0.35F}};
    CHECK(forests(row).author == 1);
}

TEST_CASE("ties go to the first listed, silence has no author") {
    const max_threat tie{fixed_detector{0.8F, attack_class::web}, fixed_detector{0.8F, attack_class::scan}};
    CHECK(tie(row).author == 0);
    CHECK(tie(row).label == attack_class::web);
    const threat none = max_threat{fixed_detector{0, attack_class::web}, fixed_detector{0}}(row);
    CHECK(none.score == 0);
    CHECK(none.label == attack_class::none);
}

TEST_CASE("detectors are reached by position") {
    max_threat forests{fixed_detector{0.1F}, fixed_detector{0.2F}};
    float seen = 0;
    forests.with(1, [&](const auto& d) { seen = d.score; });
    CHECK(seen == 0.2F);
    forests.with(2, [&](const auto&) { FAIL("there is no third"); });
    forests.for_each_mutable([](auto& d) { d.score += 0.5F; });
    CHECK(forests(row).raw == doctest::Approx(0.7));
}

TEST_CASE("rules are listed before forests: they win ties, and lose to more") {
    rule_set rules;
    REQUIRE(rules.set_score("login_failures", 0.85F));
    const feature_vector v = row_for("login_failures");
    const decision lone = decide_on(v, rules, max_threat{fixed_detector{0}});
    CHECK(lone.by_rules);
    CHECK(lone.score == 0.85F);
    CHECK(lone.attack == attack_class::bruteforce);
    const decision more = decide_on(v, rules, max_threat{fixed_detector{0.95F}});
    CHECK_FALSE(more.by_rules);
    CHECK(more.attack == attack_class::scan);
    CHECK(more.fast.score == 0.85F);
    REQUIRE(rules.set_score("login_failures", 0.5F));
    const decision tie = decide_on(v, rules, max_threat{fixed_detector{0.5F}});
    REQUIRE(tie.ml.score == tie.fast.score);
    CHECK(tie.by_rules);
    const decision calm = decide_on(row, rules, max_threat{fixed_detector{0}});
    CHECK_FALSE(calm.by_rules);
    CHECK(calm.score == 0);
    CHECK(calm.attack == attack_class::none);
}

TEST_CASE("detectors that are 0.3 apart diverge") {
    rule_set rules;
    const decision d = decide_on(row_for("login_failures"), rules, max_threat{fixed_detector{0}});
    CHECK(d.divergent());
    CHECK_FALSE(decide_on(row, rules, max_threat{fixed_detector{0.1F}}).divergent());
}
