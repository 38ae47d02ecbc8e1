// SPDX-License-Identifier: MIT
// rules.hpp: each rule of the shipped table fires exactly at its thresholds and is silent just beyond each of them;
// changing numbers and switches, the winner among several, levels.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <string_view>

#include <mldefender/core/rules.hpp>

using namespace mldefender;

namespace {

constexpr std::size_t position_of(std::string_view name) {
    for (std::size_t i = 0; i < rule_count; ++i) {
        if (default_rules[i].name == name) return i;
    }
    return rule_count;
}

// Everything at the harmless end: 0 for "at least" conditions, which all rules have at least one of.
feature_vector at_thresholds(const rule& r) {
    feature_vector v{};
    for (const rule_condition& c : r.conditions) {
        if (!c.feature.empty()) v[*feature_index(c.feature)] = c.value;
    }
    return v;
}

rule_set only(std::size_t index) {
    rule_set set;
    for (const rule& r : default_rules) set.enable(r.name, false);
    set.enable(default_rules[index].name, true);
    return set;
}

}  // namespace

TEST_CASE("every rule fires at its thresholds and not one step beyond any of them") {
    for (std::size_t i = 0; i < rule_count; ++i) {
        const rule& r = default_rules[i];
        const std::string name{r.name};
        CAPTURE(name);
        const rule_set set = only(i);
        const feature_vector v = at_thresholds(r);
        const rule_outcome out = set.evaluate(v);
        CHECK(out.fired == std::uint64_t{1} << i);
        CHECK(out.score == r.score);
        CHECK(out.attack == r.attack);
        CHECK(out.author == i);
        for (const rule_condition& c : r.conditions) {
            if (c.feature.empty()) continue;
            const std::string feature{c.feature};
            CAPTURE(feature);
            const float infinity = std::numeric_limits<float>::infinity();
            feature_vector beyond = v;
            beyond[*feature_index(c.feature)] = std::nextafter(c.value, c.at_least ? -infinity : infinity);
            CHECK(set.evaluate(beyond).fired == 0);
        }
    }
}

TEST_CASE("an idle network trips nothing") {
    rule_set all;
    for (const rule& r : default_rules) all.enable(r.name, true);
    const rule_outcome out = all.evaluate(feature_vector{});
    CHECK(out.fired == 0);
    CHECK(out.score == 0);
    CHECK(out.attack == attack_class::none);
}

TEST_CASE("rows are complete: unique names, technique, title, a class, a score, at least one lower bound") {
    std::set<std::string_view> names;
    for (const rule& r : default_rules) {
        const std::string name{r.name};
        CAPTURE(name);
        CHECK(names.insert(r.name).second);
        CHECK(r.title.size() > 10);
        CHECK(r.technique.starts_with("T1"));
        CHECK(r.attack != attack_class::none);
        CHECK(r.score > 0);
        CHECK(r.score <= 1);
        bool lower_bound = false;
        for (const rule_condition& c : r.conditions) {
            lower_bound = lower_bound || (!c.feature.empty() && c.at_least && c.value > 0);
        }
        CHECK(lower_bound);
    }
    for (const char* name : {"external_contacts", "smb_fanout", "dns_entropy", "syn_flood", "port_sweep",
                             "address_sweep", "login_attempts", "beacon"}) {
        CHECK(names.count(name) == 1);
    }
}

TEST_CASE("the largest score wins, ties go to the first listed, every rule that fired is told") {
    const std::size_t first = position_of("port_sweep"), second = position_of("address_sweep");
    rule_set set = only(first);
    set.enable("address_sweep", true);
    feature_vector both = at_thresholds(default_rules[first]);
    for (const rule_condition& c : default_rules[second].conditions) {
        if (c.feature.empty()) continue;
        float& x = both[*feature_index(c.feature)];
        x = c.at_least ? std::max(x, c.value) : std::min(x, c.value);
    }
    // Two rules may bound one feature from opposite sides; that is no case of both.
    const std::uint64_t expected = (std::uint64_t{1} << first) | (std::uint64_t{1} << second);
    if (set.evaluate(both).fired == expected) {
        REQUIRE(set.set_score("port_sweep", 0.8F));
        REQUIRE(set.set_score("address_sweep", 0.8F));
        CHECK(set.evaluate(both).author == std::min(first, second));
        REQUIRE(set.set_score("address_sweep", 0.81F));
        CHECK(set.evaluate(both).author == second);
        CHECK(set.evaluate(both).fired == expected);
    } else {
        FAIL("port_sweep and address_sweep exclude each other: choose another pair");
    }
}

TEST_CASE("thresholds, scores and switches change by name; unknown names are told") {
    rule_set set;
    CHECK_FALSE(set.enable("no_such_rule", true));
    CHECK_FALSE(set.set_score("no_such_rule", 1));
    CHECK_FALSE(set.set_threshold("no_such_rule", "src_new_ports", 1));
    CHECK_FALSE(set.set_threshold("port_sweep", "no_such_feature", 1));
    CHECK_FALSE(set.set_threshold("port_sweep", "", 1));
    const std::size_t i = position_of("login_failures");
    rule_set one = only(i);
    feature_vector v = at_thresholds(default_rules[i]);
    REQUIRE(one.set_threshold("login_failures", "src_rejected_60s", 50));
    CHECK(one.evaluate(v).fired == 0);
    v[*feature_index("src_rejected_60s")] = 50;
    CHECK(one.evaluate(v).fired == std::uint64_t{1} << i);
    REQUIRE(one.enable("login_failures", false));
    CHECK(one.evaluate(v).fired == 0);
}

TEST_CASE("the level is that of the deepest feature a rule needs") {
    for (std::size_t i = 0; i < rule_count; ++i) {
        std::uint8_t deepest = 1;
        for (const rule_condition& c : default_rules[i].conditions) {
            if (!c.feature.empty())
                deepest = std::max(deepest, static_cast<std::uint8_t>(features[*feature_index(c.feature)].level));
        }
        CHECK(only(i).evaluate(at_thresholds(default_rules[i])).level == deepest);
    }
    CHECK(rule_outcome{}.level == 1);
}

namespace {
static_assert(rule_set{}.evaluate(feature_vector{}).fired == 0);
static_assert(first_rule_signature + rule_count <= 8384000, "signature ids end at 8383999");
}  // namespace
