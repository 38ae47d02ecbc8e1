// SPDX-License-Identifier: MIT
// Models of other programs: golden rows that scikit-learn and XGBoost scored themselves (golden_import/, written by
// tests/peer/import_models.py --golden), LightGBM texts against a walk after LightGBM's own rules, thresholds on the
// next binary32 to either side, and what is refused with which words. tests/peer compares with the live programs.
#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mldefender/core/bundle.hpp>
#include <mldefender/forge/expected_rows.hpp>
#include <mldefender/forge/export.hpp>
#include <mldefender/forge/import.hpp>

#include "support/random_forest.hpp"

using namespace mldefender;
using namespace mldefender::literals;
using test_support::random_numbers;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();
constexpr double one_ulp = 0x1p-24;  // of scores below 1

std::string golden(const std::string& name) {
    const auto path = std::filesystem::path{__FILE__}.parent_path() / "golden_import" / name;
    std::ifstream in{path, std::ios::binary};
    REQUIRE(in.good());
    return {std::istreambuf_iterator<char>{in}, {}};
}

bytes as_bytes(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

forge::import_settings settings() {
    forge::import_settings s;
    s.name = "imported";
    s.label = attack_class::scan;
    s.command = "import_test";
    return s;
}

result<model_data, error> import_text(std::string_view text) {
    const auto format = forge::recognise_model(text);
    REQUIRE(format.has_value());
    return forge::import_model(as_bytes(text), *format, settings(), "here");
}

bundle_forest forest_of(std::string_view text) {
    auto model = import_text(text);
    INFO((model.ok() ? std::string{} : model.failure().text()));
    REQUIRE(model.ok());
    auto made = bundle_forest::make(std::move(*model));
    REQUIRE(made.ok());
    return std::move(*made);
}

std::string refusal(std::string_view text) {
    const auto model = import_text(text);
    if (model.ok()) return "accepted";
    CHECK(model.failure().where == "here");
    return model.failure().what;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

float next_up(float x) { return std::nextafter(x, infinity); }
float next_down(float x) { return std::nextafter(x, -infinity); }

// --- LightGBM, as its documentation and its own predictor decide it ----------------------------------------------

struct lightgbm_node {
    unsigned column = 0;
    double threshold = 0;
    int decision = 0;
    int left = 0, right = 0;
};
struct lightgbm_tree {
    std::vector<lightgbm_node> nodes;
    std::vector<double> leaves;
};

constexpr std::string_view lightgbm_columns[] = {"flow_duration", "total_fwd_packets", "down_up_ratio", "src_flows"};

bool goes_left(const lightgbm_node& node, float x) {
    constexpr double zero = double{1e-35F};
    const int missing = node.decision >> 2 & 3;  // 0 none, 1 zero, 2 NaN
    const bool default_left = (node.decision & 2) != 0;
    double value = double{x};
    if (std::abs(value) <= zero) value = 0;
    if (std::isnan(value) && missing != 2) value = 0;
    if (missing == 1 && value == 0) return default_left;
    if (std::isnan(value)) return default_left;
    return value <= node.threshold;
}

double lightgbm_value(const lightgbm_tree& tree, const feature_vector& row) {
    int at = tree.nodes.empty() ? -1 : 0;
    while (at >= 0) {
        const lightgbm_node& node = tree.nodes[static_cast<std::size_t>(at)];
        at = goes_left(node, row[*feature_index(lightgbm_columns[node.column])]) ? node.left : node.right;
    }
    return tree.leaves[static_cast<std::size_t>(~at)];
}

std::string exact(double value) {
    char digits[64];
    (void)std::snprintf(digits, sizeof digits, "%.17g", value);
    return digits;
}

std::string lightgbm_text(const std::vector<lightgbm_tree>& trees, double sigmoid) {
    std::string out =
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=3\n"
        "objective=binary sigmoid:" +
        exact(sigmoid) + "\nfeature_names=";
    for (const std::string_view name : lightgbm_columns) out += std::string{name} + " ";
    out.back() = '\n';
    out += "feature_infos=[0:1] [0:1] [0:1] [0:1]\n";
    for (std::size_t t = 0; t < trees.size(); ++t) {
        const lightgbm_tree& tree = trees[t];
        const auto row = [&](std::string_view key, const auto& items, auto text) {
            out += std::string{key} + "=";
            for (std::size_t i = 0; i < items.size(); ++i) out += (i == 0 ? "" : " ") + text(items[i]);
            out += "\n";
        };
        out += "\nTree=" + std::to_string(t) + "\nnum_leaves=" + std::to_string(tree.leaves.size()) + "\nnum_cat=0\n";
        row("split_feature", tree.nodes, [](const lightgbm_node& n) { return std::to_string(n.column); });
        row("threshold", tree.nodes, [](const lightgbm_node& n) { return exact(n.threshold); });
        row("decision_type", tree.nodes, [](const lightgbm_node& n) { return std::to_string(n.decision); });
        row("left_child", tree.nodes, [](const lightgbm_node& n) { return std::to_string(n.left); });
        row("right_child", tree.nodes, [](const lightgbm_node& n) { return std::to_string(n.right); });
        row("leaf_value", tree.leaves, [](double v) { return exact(v); });
        out += "is_linear=0\nshrinkage=0.1\n\n";
    }
    return out + "\nend of trees\n\nparameters:\n[objective: binary]\nend of parameters\n";
}

double random_threshold(random_numbers& random) {
    switch (random.below(8)) {
        case 0: return double{1e-35F};
        case 1: return -double{1e-35F};
        case 2: return 0;
        case 3: return random.below(2) == 0 ? 1e300 : -3e38;
        case 4: return double{random.number()};  // a binary32 itself
        case 5: return std::nextafter(double{random.number()}, random.below(2) == 0 ? 1e9 : -1e9);
        case 6: return double{random.number()} * (1 + 0x1p-25);  // between two binary32
        default: return double{random.number()} * std::ldexp(1.0, static_cast<int>(random.below(80)) - 40);
    }
}

// Leaf-wise growth, as LightGBM numbers it: splitting leaf l makes leaf n and takes l's place.
lightgbm_tree random_lightgbm_tree(std::size_t leaves, random_numbers& random) {
    lightgbm_tree tree;
    std::vector<std::pair<std::size_t, bool>> parent(1);  // node and side of each leaf
    tree.leaves.assign(1, 0);
    while (tree.leaves.size() < leaves) {
        const std::size_t leaf = random.below(tree.leaves.size());
        const int here = static_cast<int>(tree.nodes.size());
        if (here > 0) {
            lightgbm_node& above = tree.nodes[parent[leaf].first];
            (parent[leaf].second ? above.left : above.right) = here;
        }
        lightgbm_node node;
        node.column = static_cast<unsigned>(random.below(4));
        node.threshold = random_threshold(random);
        const int missing = static_cast<int>(random.below(3));
        const bool left = missing == 1 ? node.threshold >= 0 : random.below(2) == 0;  // the rest cannot be expressed
        node.decision = missing << 2 | (left ? 2 : 0);
        node.left = ~static_cast<int>(leaf);
        node.right = ~static_cast<int>(tree.leaves.size());
        tree.nodes.push_back(node);
        parent[leaf] = {static_cast<std::size_t>(here), true};
        parent.emplace_back(static_cast<std::size_t>(here), false);
        tree.leaves.push_back(0);
    }
    for (double& leaf : tree.leaves) leaf = double{random.number()} / 3 + 1e-9 * double{random.number()};
    return tree;
}

// On a threshold of the model, beside it, or anything else a row can hold.
feature_vector nasty_row(const std::vector<lightgbm_tree>& trees, random_numbers& random) {
    feature_vector row{};
    for (const std::string_view name : lightgbm_columns) {
        float& value = row[*feature_index(name)];
        const lightgbm_tree& tree = trees[random.below(trees.size())];
        value = tree.nodes.empty() || random.below(3) == 0
                    ? test_support::nasty_value(random)
                    : static_cast<float>(tree.nodes[random.below(tree.nodes.size())].threshold);
        if (random.below(3) == 0) value = random.below(2) == 0 ? next_up(value) : next_down(value);
    }
    return row;
}

void compare_with_lightgbm(const std::vector<lightgbm_tree>& trees, double sigmoid, const bundle_forest& forest,
                           std::size_t rows, random_numbers& random) {
    double apart = 0;
    for (std::size_t i = 0; i < rows; ++i) {
        const feature_vector row = nasty_row(trees, random);
        double sum = 0;
        for (const lightgbm_tree& tree : trees) sum += lightgbm_value(tree, row);
        const auto theirs = static_cast<float>(1 / (1 + std::exp(-sigmoid * sum)));
        apart = std::max(apart, std::abs(double{theirs} - double{forest.score(row)}));
        REQUIRE(forest.view().score(row) == forest.score(row));
    }
    CHECK(apart <= one_ulp);
}

}  // namespace

TEST_CASE("import: golden rows of scikit-learn come out to the bit") {
    for (const std::string name : {"sklearn_forest", "sklearn_boosted"}) {
        const bundle_forest forest = forest_of(golden(name + ".json"));
        const std::string rows = golden(name + ".csv");
        const auto compared = forge::compare_rows(forest, as_bytes(rows), name);
        REQUIRE(compared.ok());
        CHECK(compared->rows == 300);
        CHECK(compared->equal == 300);
    }
}

TEST_CASE("import: golden rows of XGBoost come out to the last bit of an exponential") {
    const bundle_forest forest = forest_of(golden("xgboost.json"));
    const std::string rows = golden("xgboost.csv");
    const auto compared = forge::compare_rows(forest, as_bytes(rows), "xgboost");
    REQUIRE(compared.ok());
    CHECK(compared->rows == 300);
    CHECK(compared->equal >= 297);
    CHECK(compared->largest_difference <= one_ulp);
    CHECK(forest.model().sum.start == doctest::Approx(std::log(0.25 / 0.75)));
    CHECK(forest.model().metadata ==
          R"({"source":"xgboost 1.7.4","trees":6,"score":"logistic","sum":"binary32","class":"scan"})");
    CHECK(forest.answer(feature_vector{}).label == attack_class::scan);
}

TEST_CASE("import: a LightGBM text decides like LightGBM where missing types and thresholds are odd") {
    const std::string text = golden("lightgbm.txt");
    const bundle_forest forest = forest_of(text);
    CHECK(forest.model().inputs ==
          std::vector<std::string>{"flow_duration", "total_fwd_packets", "down_up_ratio"});  // Column_2 splits nothing
    const std::vector<lightgbm_tree> trees = {
        {{{0, 0.29999999999999999, 2, 1, 2},
          {2, 1.0000000180025095e-35, 8, -1, -2},
          {1, 1.5000000000000002, 10, -3, -4}},
         {-0.42, 0.1, 0.3, 0.7}},
        {{{2, -1.0000000180025095e-35, 4, 1, 2}, {0, 16777217.000000004, 6, -1, -2}, {1, 1e300, 0, -3, -4}},
         {0.05, -0.25, 0.03, -0.0099999999999999985}},
        {{}, {-0.0625}}};
    random_numbers random{1};
    compare_with_lightgbm(trees, 1.5, forest, 20'000, random);
    // By hand: 0.3 of binary32 is above the binary64 0.3; a ratio of 0 is below 1e-35; missing packets go left.
    feature_vector row{};
    row["flow_duration"_feature] = 0.3F;
    row["total_fwd_packets"_feature] = nan_value;
    const double sum = 0.3 + 0.03 - 0.0625;
    CHECK(double{forest.score(row)} == doctest::Approx(1 / (1 + std::exp(-1.5 * sum))).epsilon(1e-7));
}

TEST_CASE("import: random LightGBM texts decide like LightGBM on every kind of row") {
    random_numbers random{2};
    for (int round = 0; round < 20; ++round) {
        std::vector<lightgbm_tree> trees;
        for (std::size_t t = 0; t < 1 + random.below(30); ++t) {
            trees.push_back(random_lightgbm_tree(1 + random.below(16), random));
        }
        const double sigmoid = round % 2 == 0 ? 1 : 0.7;
        const bool splits = trees.size() > 1 || !trees[0].nodes.empty();
        if (!splits) continue;
        const auto model = import_text(lightgbm_text(trees, sigmoid));
        if (!model.ok()) {  // a threshold of -3e38 times whatever: nothing else may be refused
            FAIL_CHECK(model.failure().text());
            continue;
        }
        compare_with_lightgbm(trees, sigmoid, *bundle_forest::make(*model), 2'000, random);
    }
}

TEST_CASE("import: a threshold keeps every comparison of a binary32") {
    random_numbers random{3};
    const auto agree = [](float limit, float x) {
        const auto below = forge::float_below(limit);
        return !below || (x <= *below) == (x < limit);
    };
    for (int i = 0; i < 200'000; ++i) {
        const auto anything = std::bit_cast<float>(static_cast<std::uint32_t>(random.next()));
        if (std::isfinite(anything)) {
            REQUIRE(forge::float_below(anything).has_value() == (anything != std::numeric_limits<float>::lowest()));
            for (const float x : {anything, next_up(anything), next_down(anything), 0.0F, -0.0F, infinity, -infinity}) {
                REQUIRE(agree(anything, x));
            }
        }
        auto limit = std::bit_cast<double>(random.next());
        if (i % 2 == 0 && std::isfinite(anything))
            limit = std::nextafter(double{anything}, i % 4 == 0 ? 1e300 : -1e300);
        const auto at_most = forge::float_at_most(limit);
        if (!at_most) {
            REQUIRE((!std::isfinite(limit) || limit < double{std::numeric_limits<float>::lowest()}));
            continue;
        }
        for (const float x : {*at_most, next_up(*at_most), next_down(*at_most), 0.0F, infinity, -infinity}) {
            REQUIRE((x <= *at_most) == (double{x} <= limit));
        }
    }
    CHECK(forge::float_below(0.0F) == -std::numeric_limits<float>::denorm_min());
    CHECK(forge::float_below(-0.0F) == -std::numeric_limits<float>::denorm_min());
    CHECK(!forge::float_below(infinity));
    CHECK(!forge::float_below(nan_value));
    CHECK(forge::float_at_most(1e300) == std::numeric_limits<float>::max());
    CHECK(!forge::float_at_most(std::numeric_limits<double>::infinity()));
    CHECK(!forge::float_at_most(-1e300));
}

TEST_CASE("import: what XGBoost models cannot say here is refused by path") {
    const std::string good = golden("xgboost.json");
    const auto says = [&](std::string_view from, std::string_view to, std::string_view words) {
        const std::string what = refusal(replaced(good, from, to));
        INFO(what);
        CHECK(what.find(words) != std::string::npos);
    };
    says("binary:logistic", "multi:softprob", "learner.objective.name: \"multi:softprob\" cannot be expressed");
    says("\"name\":\"gbtree\"", "\"name\":\"dart\"", "learner.gradient_booster.name: \"dart\"");
    says("\"num_class\":\"0\"", "\"num_class\":\"3\"", "learner.learner_model_param.num_class");
    says("\"num_target\":\"1\"", "\"num_target\":\"2\"", "learner.learner_model_param.num_target");
    says("\"base_score\":\"2.5E-1\"", "\"base_score\":\"1E0\"", "learner.learner_model_param.base_score: must be");
    says("\"best_iteration\":\"5\"", "\"best_iteration\":\"3\"", "booster[:4]");
    says("\"flow_duration\"", "\"flow_durations\"", "learner.feature_names[0]: \"flow_durations\" is no feature");
    says("\"flow_duration\"", "\"total_bwd_packets\"",
         "learner.feature_names[2]: \"total_bwd_packets\" names a second column");
    says("\"categories_nodes\":[]", "\"categories_nodes\":[2]", "trees[0].categories_nodes[0]: a categorical split");
    says("\"default_left\":[", "\"default_left\":[1,", "default_left: has");
    says("\"split_conditions\":[", "\"split_conditions\":[\"x\",", "split_conditions[0]: \"x\" is not a finite number");
    says("\"left_children\":[1,", "\"left_children\":[0,", "trees[0], node 0: its child 0 does not exist");
    says("\"left_children\":[1,", "\"left_children\":[9999,", "trees[0], node 0: its child 9999 does not exist");
    says("\"trees\":[", "\"trees\":[7,", "trees[0]: must be an object");
    says("\"learner_model_param\"", "\"other\"", "learner.learner_model_param: is missing");
    const std::size_t half = good.size() / 2;
    CHECK(refusal(good.substr(0, half)) == "byte " + std::to_string(half) +
                                               ": no JSON from here on; the file is cut short, damaged or of another "
                                               "kind");
    // Damage in what a look-up skips, found by the look-ups after it.
    says("\"attributes\":{", "\"attributes\":{{", "byte ");
    // Of later releases: the base score as a list.
    CHECK(import_text(replaced(good, "\"2.5E-1\"", "\"[2.5E-1]\"")).ok());
}

TEST_CASE("import: what scikit-learn dumps cannot say here is refused by path") {
    const std::string good = golden("sklearn_forest.json");
    const auto says = [&](std::string_view from, std::string_view to, std::string_view words) {
        const std::string what = refusal(replaced(good, from, to));
        INFO(what);
        CHECK(what.find(words) != std::string::npos);
    };
    says("sklearn 1", "sklearn 2", "format: \"mldefender-sklearn 2\" is not mldefender-sklearn 1");
    says("\"mean\"", "\"median\"", "link: \"median\" is neither");
    says("\"start\":0.0", "\"start\":0.5", "leaf values are not one for each node");
    says("\"threshold\":[", "\"threshold\":[1e999,", "trees[0].threshold[0]: \"1e999\" is not a finite number");
    says("\"value\":[", "\"value\":[null,", "trees[0].value[0]");
    says("\"feature\":[", "\"feature\":[99,", "trees[0].feature: has");
    const std::string split = good.substr(good.find("\"feature\":["), 13);
    says(split, replaced(split, split.substr(11, 1), "7" + std::string{"7"}), "splits on column");
}

TEST_CASE("import: what LightGBM texts cannot say here is refused by line") {
    const std::string good = golden("lightgbm.txt");
    const auto says = [&](std::string_view from, std::string_view to, std::string_view words) {
        const std::string what = refusal(replaced(good, from, to));
        INFO(what);
        CHECK(what.find(words) != std::string::npos);
    };
    says("num_class=1", "num_class=3", "line 3: several classes cannot be expressed");
    says("binary sigmoid", "lambdarank sigmoid", "line 7: \"lambdarank sigmoid:1.5\" cannot be expressed");
    says("objective=binary sigmoid:1.5\n", "", "names no objective");
    says("objective=", "average_output\nobjective=", "line 7: an average of trees");
    says("version=v4", "version=v9", "line 2: format \"v9\"");
    says("num_cat=0", "num_cat=2", "line 14: a categorical split");
    says("is_linear=0", "is_linear=1", "linear leaves cannot be expressed");
    says("decision_type=2 8 10", "decision_type=2 9 10", "node 1: a categorical split");
    says("decision_type=2 8 10", "decision_type=2 12 10", "node 1: its decision type is unknown");
    says("decision_type=2 8 10", "decision_type=2 4 10", "node 1: zeros count as missing");
    says("threshold=0.29999999999999999", "threshold=-1e300", "node 0: no binary32 is as small");
    says("threshold=0.29999999999999999", "threshold=nan", "threshold: \"nan\" is not a number");
    says("left_child=1 -1 -3", "left_child=1 -1", "left_child: has 2 numbers, not 3");
    says("left_child=1 -1 -3", "left_child=1 -1 -2147483648", "a child does not exist");
    says("left_child=1 -1 -3", "left_child=1 -1 -2", "does not exist or has two parents");
    says("left_child=1 -1 -3", "left_child=0 -1 -3", "does not exist or has two parents");
    says("split_feature=0 3 1", "split_feature=0 2 1",
         "line 8, feature_names[2]: \"Column_2\" is no feature of this version");
    says("split_feature=0 3 1", "split_feature=0 9 1", "splits on column 9 of 4");
    says("end of trees", "end", "the file is cut short");
    says("leaf_value=-0.4", "leaf_values=-0.4", "\"leaf_value\" is missing");
    says("\nnum_cat=0", "\nnum_cat=0\nnum_cat=0", "stands here a second time");
    for (std::size_t length = 5; length < good.find("end of trees"); length += 7) {
        CHECK(!import_text(good.substr(0, length)).ok());
    }
    CHECK(import_text(replaced(good, "version=v4\n", "version=v4\r\n")).ok());
}

TEST_CASE("import: settings and files that make no sense") {
    const std::string good = golden("lightgbm.txt");
    const auto says = [&](void (*spoil)(forge::import_settings&), std::string_view words) {
        forge::import_settings s = settings();
        spoil(s);
        const auto model = forge::import_model(as_bytes(good), forge::model_format::lightgbm, s, "here");
        REQUIRE(!model.ok());
        CHECK(model.failure().text().find(words) != std::string::npos);
    };
    says([](forge::import_settings& s) { s.name = "Not one"; }, "here: the detector's name must be");
    says([](forge::import_settings& s) { s.label = attack_class::none; }, "which attack class");
    says([](forge::import_settings& s) { s.malicious = 0.4F; }, "thresholds must be");
    says([](forge::import_settings& s) { s.command = "two\nlines"; }, "gives no model");
    CHECK(!forge::recognise_model("a,b,c"));
    CHECK(!forge::recognise_model("{\"a\":1}"));
    CHECK(!forge::recognise_model(""));
    CHECK(forge::load_model_file("/nonexistent/x.json").failure().code == errc::not_found);
}

TEST_CASE("import: JSON of ours comes back to the same bytes, whatever the model") {
    random_numbers random{9};
    std::vector<model_data> models = {*import_text(golden("xgboost.json")), *import_text(golden("sklearn_forest.json")),
                                      *import_text(golden("lightgbm.txt"))};
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
        models.push_back(test_support::random_forest(20, 9, 6, seed));
        models.push_back(models.back());
        test_support::add_leaf_values(models.back(), score_link::logistic, sum_precision::binary64, random);
        models.back().metadata = "{\"text\": \"\\\"\\\\ \\u00e9 \xc3\xa9\", \"line\":\n 1}";
    }
    for (model_data& model : models) {
        const auto bundle = forge::bundle_bytes(model);
        REQUIRE(bundle.ok());
        model.hash = forge::bundle_hash(*bundle);
        const auto text = forge::json_text(model);
        REQUIRE(text.ok());
        CHECK(forge::recognise_model(*text) == forge::model_format::json);
        const auto back = forge::read_json_model(as_bytes(*text), "here");
        INFO((back.ok() ? std::string{} : back.failure().text()));
        REQUIRE(back.ok());
        CHECK(*back == model);
        CHECK(*forge::bundle_bytes(*back) == *bundle);
    }
    const std::string text = *forge::json_text(models[0]);
    const auto says = [&](std::string_view from, std::string_view to, std::string_view words) {
        const std::string what = refusal(replaced(text, from, to));
        INFO(what);
        CHECK(what.find(words) != std::string::npos);
    };
    says("model 1", "model 2", "format: \"mldefender-model 2\"");
    says("\"left\":[1", "\"left\":[2", "breadth-first");
    says("\"class\":\"scan\"", "\"class\":\"spam\"", "sum.class: \"spam\" is no attack class");
    says("\"class\":\"scan\"", "\"class\":\"none\"", "leaf values");
    says("\"binary32\"", "\"binary16\"", "sum.precision");
    says("\"seed\":0", "\"seed\":-1", "seed: \"-1\" is not a whole number");
    says("\"roots\":[0", "\"roots\":[1", "tree roots");
}

TEST_CASE("import: the most important feature explains most, and unused columns are no inputs") {
    // One split on one feature decides nearly everything.
    const std::string text =
        R"({"format":"mldefender-sklearn 1","source":"hand","link":"logistic","start":-1,)"
        R"("features":["no feature at all","syn_flag_count","flow_duration"],"trees":[)"
        R"({"left":[1,-1,3,-1,-1],"right":[2,-1,4,-1,-1],"feature":[1,-2,2,-2,-2],"threshold":[0.5,-2,10,-2,-2],)"
        R"("missing_left":[0,0,1,0,0],"value":[0,-2,0,2,3],"cover":[100,60,40,30,10],"gain":[9,0,1,0,0]}]})";
    const bundle_forest forest = forest_of(text);
    CHECK(forest.model().inputs == std::vector<std::string>{"syn_flag_count", "flow_duration"});
    CHECK(forest.model().importance == std::vector<float>{0.9F, 0.1F});
    feature_vector row{};
    row["syn_flag_count"_feature] = 1;
    row["flow_duration"_feature] = nan_value;
    CHECK(forest.score(row) == static_cast<float>(1 / (1 + std::exp(-1.0))));
    row["flow_duration"_feature] = 11;
    CHECK(forest.score(row) == static_cast<float>(1 / (1 + std::exp(-2.0))));
    std::array<contribution, 4> moved{};
    REQUIRE(forest.explain(row, moved) == 2);
    CHECK(moved[0].feature == "syn_flag_count"_feature);
    CHECK(moved[0].weight > 0.6F);
    CHECK(moved[0].weight + moved[1].weight == doctest::Approx(1));
    row["syn_flag_count"_feature] = 0;
    REQUIRE(forest.explain(row, moved) == 1);
    CHECK(moved[0].weight == -1);
}

TEST_CASE("expected rows: what cannot be compared is refused by line") {
    const bundle_forest forest = forest_of(golden("lightgbm.txt"));
    const auto says = [&](std::string_view csv, std::string_view words) {
        const auto compared = forge::compare_rows(forest, as_bytes(csv), "rows.csv");
        REQUIRE(!compared.ok());
        INFO(compared.failure().text());
        CHECK(compared.failure().text().find(words) != std::string::npos);
    };
    says("", "rows.csv: there are no rows");
    says("flow_duration,score\n", "there are no rows");
    says("flow_duration\n1\n", "line 1: no column is named score");
    says("flow_duratoin,score\n1,0.5\n",
         "line 1: \"flow_duratoin\" is neither a feature nor score, the nearest feature is "
         "\"flow_duration\"");
    says("flow_duration,flow_duration,score\n", "line 1: \"flow_duration\" names a second column");
    says("flow_duration,score\n1,0.5\n\n1\n", "line 4: has 1 fields, not 2");
    says("flow_duration,score\n1x,0.5\n", "line 2: \"1x\" is not a number");
    says("flow_duration,score\n1,1.5\n", "line 2: the score must be in 0..1");
    const auto apart = forge::compare_rows(forest, as_bytes("score,flow_duration\r\n0,\r\n1,nan\r\n"), "rows.csv");
    REQUIRE(apart.ok());
    CHECK(apart->rows == 2);
    CHECK(apart->equal == 0);
    CHECK(apart->largest_difference > 0.3);
    CHECK(apart->largest_line >= 2);
}
