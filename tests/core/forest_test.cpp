// SPDX-License-Identifier: MIT
// The forest engine: the reference walk, its agreement with the fast layout to the last bit, explanations,
// calibration, and the check that decides what is a forest.
#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <mldefender/core/bundle.hpp>
#include <mldefender/core/forest.hpp>

#include "support/random_forest.hpp"

using namespace mldefender;
using test_support::nasty_value;
using test_support::numbered_features;
using test_support::random_forest;
using test_support::random_numbers;

namespace test_models {

// Two trees over three named features, in another order than the list's: votes for scan and ddos.
struct tiny_model {
    static constexpr std::string_view name = "tiny";
    static constexpr std::string_view version = "1";
    static constexpr std::string_view hash = "0123456789abcdef";
    static constexpr std::string_view command = "by hand";
    static constexpr std::string_view feature_list_hash = "0000000000000000";
    static constexpr std::string_view metadata = "{}";
    static constexpr std::uint64_t seed = 0;
    static constexpr float suspicious = 0.5F;
    static constexpr float malicious = 0.75F;
    static constexpr std::string_view inputs[] = {"f2", "f0"};
    static constexpr float importance[] = {0.75F, 0.25F};
    static constexpr calibration_point calibration[] = {{0, 0.1F}, {0.5F, 0.6F}, {1, 0.9F}};
    static constexpr std::uint32_t roots[] = {0, 5};
    static constexpr forest_node nodes[] = {
        {1.0F, 1, 0, 16384},   // f2 <= 1 ? node 1 : node 2, mean 0.5
        {0.25F, 0, 0, 2},      // scan, 0.25
        {-0.0F, 3, 1, 24576},  // f0 <= 0 ? node 3 : node 4, mean 0.75
        {0.5F, 0, 0, 1},       // ddos, 0.5
        {1.0F, 0, 0, 2},       // scan, 1
        {2.0F, 6, 1, 8192},    // f0 <= 2 ? node 6 : node 7, mean 0.25
        {0, 0, 0, 0},          // benign
        {0.75F, 0, 0, 1},      // ddos, 0.75
    };
};

}  // namespace test_models

namespace {

constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

using tiny = basic_forest<test_models::tiny_model, numbered_features<3>>;
using row3 = std::array<float, 3>;

static_assert(tiny::score(row3{0, 0, 0}) == 0.125F);
static_assert(tiny::score(row3{3, 0, 5}) == 0.875F);
static_assert(tiny::answer(row3{3, 0, 5}).label == attack_class::scan);
static_assert(tiny::answer(row3{3, 0, 0}).label == attack_class::ddos);
static_assert(tiny::score(row3{0, 0, nan_value}) == 0.25F, "NaN goes right, +0 <= -0 goes left");
static_assert(tiny::score(row3{-infinity, 0, infinity}) == 0.25F);

// Every row the two must agree on, to the last bit.
template <std::size_t Width>
void check_layouts(const model_data& model, std::uint64_t seed, std::size_t rows) {
    auto made = basic_bundle_forest<numbered_features<Width>>::make(model);
    REQUIRE(made.ok());
    const auto& forest = *made;
    random_numbers random{seed};
    std::array<float, Width> row{};
    std::size_t differences = 0;
    for (std::size_t i = 0; i < rows; ++i) {
        for (float& value : row) value = nasty_value(random);
        const forest_answer slow = forest.view().answer(row);
        const forest_answer fast = forest.answer(row);
        const float fast_score = forest.score(row);
        if (std::bit_cast<std::uint32_t>(slow.score) != std::bit_cast<std::uint32_t>(fast.score)) ++differences;
        if (std::bit_cast<std::uint32_t>(slow.score) != std::bit_cast<std::uint32_t>(fast_score)) ++differences;
        if (slow.label != fast.label) ++differences;
    }
    CHECK(differences == 0);
}

model_fault fault_after(void (*spoil)(model_data&)) {
    model_data model = random_forest(3, 4, 5, 1);
    REQUIRE(find_fault(model.tables()) == model_fault::none);
    spoil(model);
    return find_fault(model.tables());
}

std::size_t first_leaf(const model_data& model) {
    std::size_t at = 0;
    while (!model.nodes[at].is_leaf()) ++at;
    return at;
}

}  // namespace

TEST_CASE("forest: a compile-time model scores the same while compiling and at run time") {
    constexpr row3 rows[] = {{0, 0, 0},         {3, 0, 5},         {3, 0, 0},     {0, 0, nan_value},
                             {nan_value, 0, 0}, {-infinity, 0, 2}, {-0.0F, 0, 1}, {0.0F, 0, 1.0000001F}};
    constexpr std::array<float, 8> while_compiling{tiny::score(rows[0]), tiny::score(rows[1]), tiny::score(rows[2]),
                                                   tiny::score(rows[3]), tiny::score(rows[4]), tiny::score(rows[5]),
                                                   tiny::score(rows[6]), tiny::score(rows[7])};
    for (std::size_t i = 0; i < 8; ++i) {
        const row3 row = rows[i];
        CHECK(tiny::score(row) == while_compiling[i]);
        CHECK(tiny::view().score(row) == while_compiling[i]);
        CHECK(tiny::answer(row).label == tiny::view().answer(row).label);
    }
    CHECK(tiny::name() == "tiny");
    CHECK(tiny::hash() == "0123456789abcdef");
    CHECK(tiny::malicious() == 0.75F);
}

TEST_CASE("forest: nothing voted means no class, equal votes go to the first listed") {
    model_data model = random_forest(2, 2, 1, 3);
    for (forest_node& node : model.nodes) {
        if (node.is_leaf()) node = {0, 0, 0, 0};
    }
    const std::vector<std::uint16_t> inputs{0};
    const std::array<float, 1> row{0};
    const forest_view view{model.nodes, model.roots, inputs};
    CHECK(view.answer(row).label == attack_class::none);
    CHECK(view.score(row) == 0);
    for (std::size_t i = 0; i < model.nodes.size(); ++i) {
        const auto label = static_cast<std::uint16_t>(i < model.roots[1] ? attack_class::web : attack_class::scan);
        if (model.nodes[i].is_leaf()) model.nodes[i] = {0.5F, 0, 0, label};
    }
    CHECK(view.answer(row).label == attack_class::scan);
    CHECK(view.score(row) == 0.5F);
}

TEST_CASE("forest: the fast layout agrees with the reference on every kind of row") {
    check_layouts<5>(random_forest(100, 8, 5, 11), 1, 300'000);
    check_layouts<80>(random_forest(100, 8, 80, 12), 2, 50'000);
    check_layouts<256>(random_forest(256, 3, 256, 13), 3, 5'000);
    check_layouts<7>(random_forest(9, 200, 7, 14), 4, 100'000);  // fewer trees than lanes
    check_layouts<7>(random_forest(11, 64, 7, 15), 5, 100'000);  // one more
    check_layouts<1>(random_forest(1, 2, 1, 16), 6, 10'000);
    check_layouts<3>(random_forest(256, 1, 3, 17), 7, 1'000);  // nothing but leaves
}

TEST_CASE("forest: keys order floats, with one zero and NaN above everything") {
    const float ascending[] = {-infinity,
                               std::numeric_limits<float>::lowest(),
                               -1.0F,
                               -std::numeric_limits<float>::denorm_min(),
                               0.0F,
                               std::numeric_limits<float>::denorm_min(),
                               std::numeric_limits<float>::min(),
                               1.0F,
                               std::numeric_limits<float>::max(),
                               infinity};
    for (std::size_t i = 1; i < std::size(ascending); ++i) {
        CHECK(detail::order_key(ascending[i - 1]) < detail::order_key(ascending[i]));
    }
    CHECK(detail::order_key(-0.0F) == detail::order_key(0.0F));
    CHECK(detail::order_key(nan_value) > detail::order_key(infinity));
    CHECK(detail::order_key(-nan_value) == detail::order_key(nan_value));
    CHECK(detail::order_key(std::bit_cast<float>(0xff80'0001U)) == 0xffff'ffffU);
}

TEST_CASE("forest: leaf values are added in the order of the trees in both layouts") {
    random_numbers random{77};
    for (const score_link link : {score_link::mean, score_link::logistic}) {
        for (const sum_precision precision : {sum_precision::binary64, sum_precision::binary32}) {
            if (link == score_link::mean && precision == sum_precision::binary32) continue;
            for (const std::size_t trees : {1U, 9U, 10U, 11U, 100U, 600U}) {
                model_data model = random_forest(trees, 12, 128, trees);
                test_support::add_leaf_values(model, link, precision, random);
                check_layouts<128>(model, trees, 2'000);
            }
        }
    }
    // 2^-20 is lost beside 2^19 in binary32 and kept in binary64; added last it is never lost.
    const auto scored = [](std::vector<double> values, sum_precision precision) {
        model_data model = random_forest(3, 1, 1, 5);
        model.leaf_values = std::move(values);
        model.sum = {score_link::logistic, precision, attack_class::scan, 0, 1};
        const auto made = basic_bundle_forest<numbered_features<1>>::make(model);
        REQUIRE(made.ok());
        CHECK(made->answer(std::array<float, 1>{}).label == attack_class::scan);
        return made->score(std::array<float, 1>{});
    };
    CHECK(scored({0x1p-20, 0x1p19, -0x1p19}, sum_precision::binary32) == 0.5F);
    CHECK(scored({0x1p-20, 0x1p19, -0x1p19}, sum_precision::binary64) > 0.5F);
    CHECK(scored({0x1p19, -0x1p19, 0x1p-20}, sum_precision::binary32) > 0.5F);
}

TEST_CASE("forest: missing values go where each node says, and each side of an input takes a column") {
    model_data model = random_forest(2, 2, 1, 3);
    for (const std::uint32_t root : model.roots) {
        model.nodes[root].value = 0;
        model.nodes[root].input = 0;
        model.nodes[root + 1] = {0.25F, 0, 0, 2};
        model.nodes[root + 2] = {0.75F, 0, 0, 2};
    }
    model.nodes[model.roots[1]].input = missing_goes_left;
    const auto made = basic_bundle_forest<numbered_features<1>>::make(model);
    REQUIRE(made.ok());
    for (const auto& [value, score] : {std::pair{nan_value, 0.5F},
                                       {-1.0F, 0.25F},
                                       {1.0F, 0.75F},
                                       {-infinity, 0.25F},
                                       {infinity, 0.75F},
                                       {-0.0F, 0.25F}}) {
        CHECK(made->score(std::array<float, 1>{value}) == score);
        CHECK(made->view().score(std::array<float, 1>{value}) == score);
    }
    const auto two_sides = [](std::size_t inputs_on_both) {
        model_data wide = random_forest(2, 200, 200, 3);
        std::size_t next = 0;
        for (std::size_t tree = 0; tree < 2; ++tree) {
            for (std::size_t i = wide.roots[tree]; i < (tree == 0 ? wide.roots[1] : wide.nodes.size()); ++i) {
                if (wide.nodes[i].is_leaf()) continue;
                const std::size_t input = tree == 0 ? next++ : next++ - 199;
                wide.nodes[i].input = static_cast<std::uint16_t>(input);
                if (tree == 1 && input < inputs_on_both) wide.nodes[i].input |= missing_goes_left;
            }
        }
        return find_fault(wide.tables());
    };
    CHECK(two_sides(57) == model_fault::none);  // 199 inputs, 57 of them twice: 256 columns
    CHECK(two_sides(58) == model_fault::size);
}

TEST_CASE("forest: leaf values that do not fit are refused") {
    const auto fault = [](void (*spoil)(model_data&), score_link link = score_link::logistic) {
        random_numbers random{5};
        model_data model = random_forest(3, 4, 5, 1);
        test_support::add_leaf_values(model, link, sum_precision::binary64, random);
        REQUIRE(find_fault(model.tables()) == model_fault::none);
        spoil(model);
        return find_fault(model.tables());
    };
    CHECK(fault([](model_data& m) { m.leaf_values.pop_back(); }) == model_fault::sum);
    CHECK(fault([](model_data& m) { m.leaf_values.clear(); }) == model_fault::sum);
    CHECK(fault([](model_data& m) { m.leaf_values[first_leaf(m)] = nan_value; }) == model_fault::sum);
    CHECK(fault([](model_data& m) { m.leaf_values[first_leaf(m)] = 1.5e6; }) == model_fault::sum);
    CHECK(fault([](model_data& m) { m.leaf_values[0] = 1; }) == model_fault::sum);
    CHECK(fault([](model_data& m) { m.leaf_values[first_leaf(m)] = 1.01; }, score_link::mean) == model_fault::sum);
    CHECK(fault([](model_data& m) { m.leaf_values[first_leaf(m)] = -0.01; }, score_link::mean) == model_fault::sum);
    CHECK(fault([](model_data& m) { m.sum.start = 0.5; }, score_link::mean) == model_fault::sum);
    CHECK(fault([](model_data& m) { m.sum.precision = sum_precision::binary32; }, score_link::mean) ==
          model_fault::sum);
    CHECK(fault([](model_data& m) { m.sum.precision = sum_precision::binary32; }) == model_fault::sum);  // slope
    CHECK(fault([](model_data& m) { m.sum.slope = 0; }) == model_fault::sum);
    CHECK(fault([](model_data& m) { m.sum.slope = infinity; }) == model_fault::sum);
    CHECK(fault([](model_data& m) { m.sum.start = nan_value; }) == model_fault::sum);
    CHECK(fault([](model_data& m) { m.sum.label = attack_class::none; }) == model_fault::sum);
    CHECK(fault([](model_data& m) { m.sum.label = attack_class::count_; }) == model_fault::sum);
    CHECK(fault([](model_data& m) { m.roots.resize(4097); }) == model_fault::size);
}

TEST_CASE("forest: 256 trees of the largest leaves still sum exactly") {
    model_data model = random_forest(256, 1, 1, 5);
    for (forest_node& node : model.nodes) node = {1.0F, 0, 0, 1};
    model.nodes[0].value = 65535.0F / 65536.0F;
    const auto made = basic_bundle_forest<numbered_features<1>>::make(model);
    REQUIRE(made.ok());
    const std::array<float, 1> row{0};
    CHECK(made->score(row) == 16777215.0F / 16777216.0F);
    CHECK(made->view().score(row) == 16777215.0F / 16777216.0F);
}

TEST_CASE("forest: an explanation lists what moved the score, and adds up to it") {
    const row3 row{3, 0, 5};
    std::array<contribution, 8> moved{};
    REQUIRE(tiny::explain(row, moved) == 2);
    CHECK(moved[0].feature == 0);  // f0: +0.25 in the first tree, +0.5 in the second, over 2 trees
    CHECK(moved[0].weight == 0.375F);
    CHECK(moved[0].value == 3.0F);
    CHECK(moved[1].feature == 2);  // f2: +0.25 over 2 trees
    CHECK(moved[1].weight == 0.125F);
    CHECK(tiny::view().base_rate() + moved[0].weight + moved[1].weight == tiny::score(row));

    std::array<contribution, 1> only{};
    CHECK(tiny::explain(row, only) == 1);
    CHECK(only[0].feature == 0);
    CHECK(tiny::explain(row, {}) == 0);
}

TEST_CASE("forest: explanations of random forests add up, sorted, ties by feature") {
    const model_data model = random_forest(50, 8, 20, 21);
    const auto made = basic_bundle_forest<numbered_features<20>>::make(model);
    REQUIRE(made.ok());
    random_numbers random{9};
    for (int i = 0; i < 200; ++i) {
        std::array<float, 20> row{};
        for (float& value : row) value = nasty_value(random);
        std::array<contribution, 20> moved{};
        const std::size_t count = made->explain(row, moved);
        double sum = made->view().base_rate();
        for (std::size_t k = 0; k < count; ++k) {
            sum += moved[k].weight;
            if (k == 0) continue;
            const float before = std::abs(moved[k - 1].weight);
            const float here = std::abs(moved[k].weight);
            CHECK((before > here || (before == here && moved[k - 1].feature < moved[k].feature)));
        }
        CHECK(sum == doctest::Approx(double{made->score(row)}).epsilon(1e-5));
    }
}

TEST_CASE("forest: confidence interpolates its calibration") {
    CHECK(tiny::confidence(0) == 0.1F);
    CHECK(tiny::confidence(-1) == 0.1F);
    CHECK(tiny::confidence(0.25F) == doctest::Approx(0.35));
    CHECK(tiny::confidence(0.5F) == doctest::Approx(0.6));
    CHECK(tiny::confidence(1) == doctest::Approx(0.9));
    CHECK(tiny::confidence(7) == 0.9F);
    CHECK(tiny::confidence(nan_value) == 0.1F);
}

TEST_CASE("forest: tables that are no forest are named by their fault") {
    CHECK(fault_after([](model_data& m) { m.nodes.clear(); }) == model_fault::size);
    CHECK(fault_after([](model_data& m) { m.roots.clear(); }) == model_fault::size);
    CHECK(fault_after([](model_data& m) { m.inputs.clear(); }) == model_fault::size);
    CHECK(fault_after([](model_data& m) { m.inputs.resize(257); }) == model_fault::size);
    CHECK(fault_after([](model_data& m) { m.roots.resize(257); }) == model_fault::size);
    CHECK(fault_after([](model_data& m) { m.roots[0] = 1; }) == model_fault::roots);
    CHECK(fault_after([](model_data& m) { m.roots[2] = m.roots[1]; }) == model_fault::roots);
    CHECK(fault_after([](model_data& m) { m.roots[2] = 0xffff'ffffU; }) == model_fault::roots);
    CHECK(fault_after([](model_data& m) { m.nodes[0].left = 2; }) == model_fault::order);
    CHECK(fault_after([](model_data& m) { m.nodes[0].left = 0xffff'ffffU; }) == model_fault::order);
    CHECK(fault_after([](model_data& m) { m.nodes[m.roots[1]].left = 1; }) == model_fault::order);
    CHECK(fault_after([](model_data& m) { m.nodes.pop_back(); }) == model_fault::order);
    CHECK(fault_after([](model_data& m) { m.nodes.push_back({}); }) == model_fault::order);
    CHECK(fault_after([](model_data& m) {  // a root that is a leaf, and an island that is its own child
              m.roots.resize(1);
              m.nodes = {{}, {0, 1, 0, 0}, {}};
          }) == model_fault::order);
    CHECK(fault_after([](model_data& m) { m.nodes[0].input = 5; }) == model_fault::input);
    CHECK(fault_after([](model_data& m) { m.nodes[first_leaf(m)].input = 1; }) == model_fault::input);
    CHECK(fault_after([](model_data& m) { m.nodes[0].value = nan_value; }) == model_fault::threshold);
    CHECK(fault_after([](model_data& m) { m.nodes[0].value = infinity; }) == model_fault::threshold);
    CHECK(fault_after([](model_data& m) { m.nodes[0].extra = 32769; }) == model_fault::probability);
    CHECK(fault_after([](model_data& m) { m.nodes[first_leaf(m)].value = 1.5F; }) == model_fault::probability);
    CHECK(fault_after([](model_data& m) { m.nodes[first_leaf(m)].value = -0.5F; }) == model_fault::probability);
    CHECK(fault_after([](model_data& m) { m.nodes[first_leaf(m)].value = nan_value; }) == model_fault::probability);
    CHECK(fault_after([](model_data& m) { m.nodes[first_leaf(m)].value = 0.1F; }) == model_fault::probability);
    CHECK(fault_after([](model_data& m) { m.nodes[first_leaf(m)] = {0.5F, 0, 0, 11}; }) == model_fault::label);
    CHECK(fault_after([](model_data& m) { m.nodes[first_leaf(m)] = {0.5F, 0, 0, 0}; }) == model_fault::label);
    CHECK(fault_after([](model_data& m) { m.nodes[first_leaf(m)] = {0, 0, 0, 1}; }) == model_fault::label);
    CHECK(fault_after([](model_data& m) { m.calibration.pop_back(); }) == model_fault::calibration);
    CHECK(fault_after([](model_data& m) { m.calibration[1].score = nan_value; }) == model_fault::calibration);
    CHECK(fault_after([](model_data& m) { m.calibration[1].confidence = 0; }) == model_fault::calibration);
    CHECK(fault_after([](model_data& m) { m.calibration[2].confidence = 1.5F; }) == model_fault::calibration);
    CHECK(fault_after([](model_data& m) { m.suspicious = 0; }) == model_fault::limits);
    CHECK(fault_after([](model_data& m) { m.malicious = 0.25F; }) == model_fault::limits);
    CHECK(fault_after([](model_data& m) { m.malicious = nan_value; }) == model_fault::limits);
}

TEST_CASE("forest: a tree deeper than the limit is refused") {
    for (const std::size_t depth : {max_model_depth, max_model_depth + 1}) {
        model_data model = random_forest(1, 1, 1, 1);
        model.nodes.clear();
        for (std::size_t level = 0; level < depth; ++level) {
            model.nodes.push_back({0, static_cast<std::uint32_t>(2 * level + 1), 0, 0});
            if (level > 0) model.nodes.push_back({});  // the right sibling ends at once
        }
        model.nodes.push_back({});
        model.nodes.push_back({});
        CHECK(find_fault(model.tables()) == (depth > max_model_depth ? model_fault::depth : model_fault::none));
    }
}

TEST_CASE("forest: each fault has words of its own") {
    for (int fault = 0; fault <= static_cast<int>(model_fault::limits); ++fault) {
        CHECK(describe(static_cast<model_fault>(fault)) != describe(static_cast<model_fault>(99)));
    }
}
