// SPDX-License-Identifier: MIT
// Confidence rises with the score and matches the shares it was made from; thresholds keep to their budget.
#include <doctest/doctest.h>

#include <vector>

#include <mldefender/core/forest.hpp>
#include <mldefender/core/model.hpp>
#include <mldefender/forge/calibration.hpp>

using namespace mldefender;
using forge::judged_row;

namespace {

void add(std::vector<judged_row>& rows, float score, attack_class label, int times, std::uint32_t weight = 1024) {
    for (int i = 0; i < times; ++i) rows.push_back({score, label, weight});
}

}  // namespace

TEST_CASE("calibration: confidence is the share of attacks at a score") {
    std::vector<judged_row> rows;
    add(rows, 0.1F, attack_class::none, 900);
    add(rows, 0.1F, attack_class::scan, 100);
    add(rows, 0.9F, attack_class::none, 100);
    add(rows, 0.9F, attack_class::scan, 900);
    const auto points = forge::calibrate(rows);
    CHECK(points.front().score == 0);
    CHECK(points.back().score == 1);
    CHECK(confidence_of(points, 0.1F) == doctest::Approx(0.1).epsilon(0.05));
    CHECK(confidence_of(points, 0.9F) == doctest::Approx(0.9).epsilon(0.05));
    CHECK(confidence_of(points, 0.5F) > 0.3F);
    CHECK(confidence_of(points, 0.5F) < 0.7F);
}

TEST_CASE("calibration: weights count, not rows") {
    std::vector<judged_row> rows;
    add(rows, 0.5F, attack_class::none, 1000, 100);
    add(rows, 0.5F, attack_class::scan, 100, 1000);
    CHECK(confidence_of(forge::calibrate(rows), 0.5F) == doctest::Approx(0.5).epsilon(0.01));
}

TEST_CASE("calibration: never falls, whatever the rows, and is never certain") {
    std::vector<judged_row> rows;
    for (int i = 0; i <= 100; ++i) {  // the higher the score, the fewer attacks
        add(rows, static_cast<float>(i) / 100, attack_class::none, i);
        add(rows, static_cast<float>(i) / 100, attack_class::scan, 100 - i);
    }
    const auto pooled = forge::calibrate(rows);
    for (std::size_t i = 1; i < pooled.size(); ++i) {
        CHECK(pooled[i].score > pooled[i - 1].score);
        CHECK(pooled[i].confidence >= pooled[i - 1].confidence);
    }
    CHECK(confidence_of(pooled, 0.7F) == doctest::Approx(0.5).epsilon(0.01));

    std::vector<judged_row> sure;
    add(sure, 0, attack_class::none, 500);
    add(sure, 1, attack_class::scan, 500);
    const auto points = forge::calibrate(sure);
    CHECK(points.front().confidence > 0);
    CHECK(points.front().confidence < 0.01F);
    CHECK(points.back().confidence < 1);
    CHECK(points.back().confidence > 0.99F);
    CHECK(forge::calibrate({}).front().confidence == 0.5F);
}

TEST_CASE("calibration: scores that fill a small part of the scale are told apart all the same") {
    std::vector<judged_row> rows;
    for (int i = 0; i < 3000; ++i) {  // between 0.40 and 0.43 the share of attacks rises from 0 to 1
        const float share = static_cast<float>(i) / 3000;
        rows.push_back({0.4F + 0.03F * share, i * 7919 % 3000 < i ? attack_class::scan : attack_class::none, 1024});
    }
    const auto points = forge::calibrate(rows);
    CHECK(points.size() > 12);
    CHECK(points.size() <= max_calibration_points);
    for (const float share : {0.1F, 0.3F, 0.5F, 0.7F, 0.9F}) {
        CHECK(confidence_of(points, 0.4F + 0.03F * share) == doctest::Approx(share).epsilon(0.15));
    }
}

TEST_CASE("calibration: the Brier score is the squared error of the confidence") {
    std::vector<judged_row> rows;
    add(rows, 0.25F, attack_class::none, 300);
    add(rows, 0.25F, attack_class::scan, 100);
    const std::vector<calibration_point> honest{{0, 0.25F}, {1, 0.25F}};
    const std::vector<calibration_point> bold{{0, 1}, {1, 1}};
    CHECK(forge::brier_score(rows, honest) == doctest::Approx(0.25 * 0.75));
    CHECK(forge::brier_score(rows, bold) == doctest::Approx(0.75));
    add(rows, 0.25F, attack_class::scan, 1, 1024 * 400);  // weights count
    CHECK(forge::brier_score(rows, bold) == doctest::Approx(0.375));
    CHECK(forge::brier_score({}, honest) == 0);
}

TEST_CASE("calibration: a threshold keeps to its budget of false alarms") {
    std::vector<judged_row> rows;
    for (int i = 0; i < 1000; ++i) rows.push_back({static_cast<float>(i) / 1000, attack_class::none, 1});
    add(rows, 0.9965F, attack_class::web, 10);
    for (const double budget : {0.0, 0.001, 0.01, 0.25}) {
        const float threshold = forge::threshold_for(rows, budget, 0.1F);
        CHECK(forge::operate(rows, threshold).false_positive_rate <= budget);
        CHECK(forge::operate(rows, threshold).false_positive_rate >= budget - 0.0011);
    }
    CHECK(forge::threshold_for(rows, 0.25, 0.9F) == 0.9F);
    CHECK(forge::threshold_for(rows, 1, 0.1F) == 0.1F);
    CHECK(forge::threshold_for({}, 0.01, 0.4F) == 0.4F);
    const auto point = forge::operate(rows, 0.9F);
    CHECK(point.recall == 1);
    CHECK(point.recall_by_class[static_cast<std::size_t>(attack_class::web)] == 1);
    CHECK(point.recall_by_class[static_cast<std::size_t>(attack_class::scan)] == 0);
}

TEST_CASE("calibration: equal benign scores do not slip over the threshold together") {
    std::vector<judged_row> rows;
    add(rows, 0.2F, attack_class::none, 990);
    add(rows, 0.8F, attack_class::none, 10);  // the budget allows 5 of these, so none may pass
    add(rows, 0.9F, attack_class::scan, 10);
    const float threshold = forge::threshold_for(rows, 0.005, 0.1F);
    CHECK(threshold > 0.8F);
    CHECK(threshold <= 0.9F);
}

TEST_CASE("calibration: area under the curve") {
    std::vector<judged_row> rows;
    add(rows, 0.2F, attack_class::none, 4);
    add(rows, 0.8F, attack_class::scan, 3);
    CHECK(forge::area_under_roc(rows) == 1);
    add(rows, 0.1F, attack_class::scan, 3);
    CHECK(forge::area_under_roc(rows) == 0.5);
    add(rows, 0.2F, attack_class::scan, 6);  // ties count half
    CHECK(forge::area_under_roc(rows) == 0.5);
    CHECK(forge::area_under_roc({}) == 0.5);
}
