// SPDX-License-Identifier: MIT
// The derived words of a decision, at and around every threshold, and with scores that are not numbers.
#include <doctest/doctest.h>

#include <cstdlib>
#include <limits>

#include <mldefender/core/verdict.hpp>

using namespace mldefender;
using enum decision_source;

namespace {
constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();
}  // namespace

TEST_CASE("scores are compared as they are shown") {
    CHECK(score_e4(0.5F) == 5000);
    CHECK(score_e4(0.29999F) == 3000);
    CHECK(score_e4(nan) == 0);
    CHECK(score_e4(-1) == 0);
    CHECK(score_e4(2) == 10000);
    CHECK(score_e4(infinity) == 10000);
    CHECK(divergence_of(0.8F, 0.5F) == 0.3F);
    CHECK(divergence_of(0.2F, 0.5F) == 0.3F);
    CHECK(divergence_of(nan, 0.25F) == 0.25F);
}

TEST_CASE("verdict and priority begin at their thresholds") {
    CHECK(verdict_of(0.4999F) == verdict::benign);
    CHECK(verdict_of(0.5F) == verdict::suspicious);
    CHECK(verdict_of(0.6999F) == verdict::suspicious);
    CHECK(verdict_of(0.7F) == verdict::malicious);
    CHECK(verdict_of(nan) == verdict::benign);
    CHECK(verdict_of(0.3F, {0.2F, 0.4F}) == verdict::suspicious);
    CHECK(priority_of(0.6999F) == priority::low);
    CHECK(priority_of(0.7F) == priority::medium);
    CHECK(priority_of(0.85F) == priority::high);
    CHECK(priority_of(0.9499F) == priority::high);
    CHECK(priority_of(0.95F) == priority::critical);
    CHECK(priority_of(0.2F, {0.1F, 0.15F, 0.2F}) == priority::critical);
}

TEST_CASE("the source follows the rules in their order") {
    CHECK(source_of(0.9F, 0.6F, 0.5F, 0.5F) == divergence);  // both alarmed, but 0.3 apart
    CHECK(source_of(0.8F, 0.5001F, 0.5F, 0.5F) == fast_priority);
    CHECK(source_of(0.1F, 0.4F, 0.5F, 0.5F) == divergence);  // neither alarmed
    CHECK(source_of(0.6F, 0.4F, 0.5F, 0.5F) == fast_only);
    CHECK(source_of(0.4F, 0.6F, 0.5F, 0.5F) == ml_only);
    CHECK(source_of(0.5F, 0.4F, 0.5F, 0.5F) == fast_only);  // a threshold is reached by an equal score
    CHECK(source_of(0.9F, 0.8F, 0.5F, 0.5F) == consensus);
    CHECK(source_of(0.9F, 0.75F, 0.5F, 0.5F) == fast_priority);  // 0.15 is no longer consensus
    CHECK(source_of(0.7F, 0.9F, 0.5F, 0.5F) == ml_priority);
    CHECK(source_of(0.1F, 0.2F, 0.5F, 0.5F) == ml_priority);
    CHECK(source_of(0, 0, 0.5F, 0.5F) == fast_priority);
    CHECK(source_of(nan, nan, 0.5F, 0.5F) == fast_priority);
    CHECK(source_of(0.6F, 0.4F, 0.7F, 0.3F) == ml_only);
}

TEST_CASE("a reason is given exactly when the detectors diverge") {
    for (int fast = 0; fast <= 100; ++fast) {
        for (int ml = 0; ml <= 100; ++ml) {
            const float f = static_cast<float>(fast) / 100;
            const float m = static_cast<float>(ml) / 100;
            const bool diverges = source_of(f, m, 0.5F, 0.5F) == divergence;
            REQUIRE(diverges == (std::abs(fast - ml) >= 30));
            REQUIRE(divergence_reason(f, m, 0.5F, 0.5F).empty() == !diverges);
        }
    }
    CHECK(divergence_reason(0.9F, 0.1F, 0.5F, 0.5F) != divergence_reason(0.1F, 0.9F, 0.5F, 0.5F));
}

TEST_CASE("names read back") {
    for (const auto v : {verdict::benign, verdict::suspicious, verdict::malicious}) {
        CHECK(parse_verdict(name_of(v)) == v);
    }
    for (const auto p : {priority::low, priority::medium, priority::high, priority::critical}) {
        CHECK(parse_priority(name_of(p)) == p);
    }
    for (const auto s : {fast_only, ml_only, fast_priority, ml_priority, consensus, divergence}) {
        CHECK(parse_decision_source(name_of(s)) == s);
    }
    CHECK_FALSE(parse_verdict(""));
}
