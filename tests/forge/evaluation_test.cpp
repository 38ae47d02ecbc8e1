// SPDX-License-Identifier: MIT
// Measurements say what the rows say: rates and how sure they are, flows by their highest decision, confidence against
// what was observed, and which features a model lives on.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <mldefender/forge/evaluation.hpp>
#include <mldefender/forge/export.hpp>
#include <mldefender/forge/rows.hpp>

using namespace mldefender;
using forge::dataset;
using forge::episode_count;

namespace {

/// Two trees over two features: attacks (scan) have more than 10 SYNs or ask more than 20 ports; 0.5 for each.
model_data two_signs() {
    model_data m;
    m.name = "signs";
    m.version = "1";
    m.command = "evaluation_test";
    m.metadata = "{}";
    m.suspicious = 0.4F;
    m.malicious = 0.8F;
    m.inputs = {"syn_flag_count", "src_ports_60s"};
    m.importance = {0.5F, 0.5F};
    m.calibration = {{0, 0.01F}, {0.5F, 0.6F}, {1, 0.99F}};
    m.roots = {0, 3};
    const auto leaf = [](float value) {
        forest_node n;
        n.value = value;
        n.extra = value > 0 ? static_cast<std::uint16_t>(attack_class::scan) : std::uint16_t{0};
        return n;
    };
    m.nodes = {{10, 1, 0, 16384}, leaf(0), leaf(1), {20, 4, 1, 16384}, leaf(0), leaf(1)};
    m.feature_list_hash = "0000000000000000";
    return m;
}

bundle_forest signs_forest() {
    auto made = bundle_forest::make(two_signs());
    REQUIRE(made.ok());
    return *made;
}

class rows {
public:
    void add(float syns, float ports, attack_class label, std::uint32_t group, std::uint32_t flow, const char* source) {
        feature_vector v{};
        v[*feature_index("syn_flag_count")] = syns;
        v[*feature_index("src_ports_60s")] = ports;
        REQUIRE(data.add_row(v, label, forge::row_origin{group, flow, source}).ok());
    }
    dataset data = forge::feature_dataset();
};

const forge::source_result& result_of(const std::vector<forge::source_result>& results, const char* name, bool attack) {
    const auto found = std::find_if(results.begin(), results.end(),
                                    [&](const auto& r) { return r.name == name && r.attack == attack; });
    REQUIRE(found != results.end());
    return *found;
}

}  // namespace

TEST_CASE("evaluation: Wilson's interval of a rate") {
    // 10 of 100, one flow an episode: published values are 0.0552 and 0.1744.
    std::vector<episode_count> episodes(100, episode_count{1, 0});
    for (std::size_t i = 0; i < 10; ++i) episodes[i].flagged = 1;
    const auto r = forge::rate_of(episodes);
    CHECK(r.rate == doctest::Approx(0.1));
    CHECK(r.low == doctest::Approx(0.0552).epsilon(0.01));
    CHECK(r.high == doctest::Approx(0.1744).epsilon(0.01));
    const std::vector<episode_count> none{{1000, 0}};
    CHECK(forge::rate_of(none).rate == 0);
    CHECK(forge::rate_of(none).low == 0);
    CHECK(forge::rate_of(none).high == doctest::Approx(3.84 / 1003.84).epsilon(0.01));
    CHECK(forge::rate_of({}).high == 1);
}

TEST_CASE("evaluation: flows that fall together make a rate less sure") {
    std::vector<episode_count> apart(50, episode_count{20, 2});
    std::vector<episode_count> together(50, episode_count{20, 0});
    for (std::size_t i = 0; i < 5; ++i) together[i].flagged = 20;
    const auto even = forge::rate_of(apart);
    const auto clumped = forge::rate_of(together);
    CHECK(even.rate == doctest::Approx(clumped.rate));
    CHECK(clumped.high - clumped.low > 3 * (even.high - even.low));
}

TEST_CASE("evaluation: a flow is what its highest decision is") {
    rows r;
    r.add(1, 1, attack_class::scan, 0, 0, "sweep");   // nothing yet
    r.add(20, 1, attack_class::scan, 0, 0, "sweep");  // suspicious
    r.add(20, 50, attack_class::scan, 0, 1, "sweep");
    r.add(2, 3, attack_class::scan, 1, 0, "sweep");
    r.add(2, 3, attack_class::none, 1, 1, "web");
    r.add(11, 3, attack_class::none, 2, 0, "web");
    const std::vector<bundle_forest> models{signs_forest()};
    const auto flows = forge::judge_flows(r.data, models, 2);
    REQUIRE(flows.size() == 5);
    CHECK(flows[0].named == attack_class::scan);
    CHECK(flows[0].score >= common_scale.suspicious);
    CHECK(flows[0].score < common_scale.malicious);
    CHECK(flows[1].score >= common_scale.malicious);
    CHECK(flows[2].named == attack_class::none);

    const auto results = forge::results_by_source(r.data, flows, models.size());
    REQUIRE(results.size() == 4);
    const auto& sweep = result_of(results, "sweep", true);
    CHECK(sweep.flows == 3);
    CHECK(sweep.suspicious == 2);
    CHECK(sweep.malicious == 1);
    CHECK(sweep.episodes == 2);
    CHECK(sweep.seen == 1);
    CHECK(sweep.by_model == std::vector<std::size_t>{2});
    // Against the two ordinary flows (one flagged): wins 1 + 1, ties, of 6 pairs: (1.5 + 2 + 0.5) / 6.
    CHECK(sweep.area_under_roc == doctest::Approx(4.0 / 6));
    const auto& web = result_of(results, "web", false);
    CHECK(web.flows == 2);
    CHECK(web.flagged.rate == doctest::Approx(0.5));
    CHECK(result_of(results, "", true).flows == 3);

    const auto counts = forge::confusion_of(flows);
    const auto scan = static_cast<std::size_t>(attack_class::scan);
    CHECK(counts[scan][scan] == 2);
    CHECK(counts[scan][0] == 1);
    CHECK(counts[0][scan] == 1);
    CHECK(counts[0][0] == 1);
}

TEST_CASE("evaluation: confidence is compared with what is observed") {
    std::vector<forge::judged_row> judged;
    for (int i = 0; i < 100; ++i) {
        judged.push_back({0.25F, i < 20 ? attack_class::scan : attack_class::none, 1});
        judged.push_back({0.75F, i < 80 ? attack_class::scan : attack_class::none, 1});
    }
    const std::vector<calibration_point> honest{{0, 0}, {0.25F, 0.2F}, {0.75F, 0.8F}, {1, 1}};
    const auto right = forge::reliability_of(judged, honest);
    REQUIRE(right.size() == 2);
    CHECK(right[0].confidence == doctest::Approx(0.2));
    CHECK(right[0].observed == doctest::Approx(0.2));
    CHECK(right[0].weight == doctest::Approx(0.5));
    CHECK(right[1].rows == 100);
    CHECK(forge::calibration_error(right) == doctest::Approx(0));
    const std::vector<calibration_point> bold{{0, 0.05F}, {0.25F, 0.05F}, {0.75F, 0.95F}, {1, 0.95F}};
    CHECK(forge::calibration_error(forge::reliability_of(judged, bold)) == doctest::Approx(0.15));
}

TEST_CASE("evaluation: a model answers for its own classes and ordinary rows, whose weights are those of training") {
    rows r;
    for (std::uint32_t i = 0; i < 30; ++i) r.add(1, 1, attack_class::none, i, 0, "web");
    for (std::uint32_t i = 0; i < 10; ++i) r.add(20, 50, attack_class::scan, i, 1, "sweep");
    r.add(20, 50, attack_class::web, 3, 2, "injection");
    CHECK(forge::classes_of(two_signs()) == std::vector<attack_class>{attack_class::scan});
    const auto of_model = forge::rows_for(r.data, signs_forest(), 0.2, 1);
    CHECK(of_model.rows.size() == 40);
    std::uint64_t attack = 0;
    std::uint64_t all = 0;
    for (const auto& row : of_model.judged) {
        all += row.weight;
        attack += row.label == attack_class::none ? 0U : row.weight;
    }
    CHECK(static_cast<double>(attack) / static_cast<double>(all) == doctest::Approx(0.2).epsilon(0.001));
    rows ordinary;
    ordinary.add(1, 1, attack_class::none, 0, 0, "web");
    CHECK(forge::rows_for(ordinary.data, signs_forest(), 0.2, 1).rows.empty());
}

TEST_CASE("evaluation: shuffling a feature costs what the model owes to it") {
    rows r;
    for (std::uint32_t i = 0; i < 400; ++i) {
        const bool attack = i % 2 == 0;  // told by SYNs alone; ports say nothing here
        r.add(attack ? 20 : 1, i % 3 == 0 ? 50 : 1, attack ? attack_class::scan : attack_class::none, i, 0,
              attack ? "sweep" : "web");
    }
    const auto of_model = forge::rows_for(r.data, signs_forest(), 0.2, 1);
    const auto one = forge::permutation_importance(r.data, signs_forest(), of_model, 1000, 7, 1);
    const auto two = forge::permutation_importance(r.data, signs_forest(), of_model, 1000, 7, 2);
    REQUIRE(one.size() == 2);
    CHECK(one[0].name == "syn_flag_count");
    CHECK(one[0].worth > 0.2);
    CHECK(one[1].worth < 0.05);
    CHECK(one[1].worth > -0.05);
    for (std::size_t i = 0; i < 2; ++i) CHECK(one[i].worth == two[i].worth);
}

TEST_CASE("evaluation: rows of other features are refused by name") {
    CHECK(forge::check_columns(forge::feature_dataset()).ok());
    CHECK(forge::check_columns(dataset{{"a"}}).failure().what.find("1 features") != std::string::npos);
    std::vector<std::string> names = forge::feature_dataset().names();
    names[2] = "strange";
    CHECK(forge::check_columns(dataset{names}).failure().what.find("'strange'") != std::string::npos);
}
