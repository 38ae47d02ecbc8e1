// SPDX-License-Identifier: MIT
// The trainer learns what can be learnt, gives the same bytes on any number of threads, and says what is missing.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <mldefender/core/score.hpp>
#include <mldefender/forge/export.hpp>
#include <mldefender/forge/synth/random.hpp>
#include <mldefender/forge/trainer.hpp>

#include "support/random_forest.hpp"

using namespace mldefender;
using forge::dataset;
using test_support::numbered_features;

namespace {

constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

float unit(forge::rng& random) { return static_cast<float>(random.below(65536)) / 65536.0F; }

std::vector<std::string> numbered(std::size_t count) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < count; ++i) names.push_back(std::string{"f"}.append(std::to_string(i)));
    return names;
}

// Ten features; an attack when exactly one of the first two exceeds a half: scan when it is f0, web when it is f1.
// A share of the labels is wrong.
dataset xor_problem(std::size_t rows, double wrong_share, std::uint64_t seed) {
    dataset data{numbered(10)};
    forge::rng random{seed};
    for (std::size_t r = 0; r < rows; ++r) {
        std::array<float, 10> row{};
        for (float& value : row) value = unit(random);
        const bool first = row[0] > 0.5F;
        const bool second = row[1] > 0.5F;
        attack_class label = first == second ? attack_class::none : (first ? attack_class::scan : attack_class::web);
        if (double{unit(random)} < wrong_share)
            label = label == attack_class::none ? attack_class::scan : attack_class::none;
        REQUIRE(data.add_row(row, label, static_cast<std::uint32_t>(r / 10)).ok());
    }
    return data;
}

forge::train_settings settings_for(std::string name) {
    forge::train_settings s;
    s.name = std::move(name);
    s.command = "trainer_test";
    s.positives = {attack_class::scan, attack_class::web};
    s.trees = 60;
    s.threads = 2;
    s.candidates = 5;
    return s;
}

forge::train_settings boosted(std::string name) {
    auto s = settings_for(std::move(name));
    s.method = forge::growth::boosted;
    s.held_out = 0.25;
    s.suspicious_floor = 0.02F;
    s.malicious_floor = 0.02F;
    return s;
}

template <std::size_t Features>
basic_bundle_forest<numbered_features<Features>> bundle_of(const forge::trained_model& trained) {
    auto made = basic_bundle_forest<numbered_features<Features>>::make(trained.model);
    REQUIRE(made.ok());
    return *made;
}

basic_bundle_forest<numbered_features<10>> detector(const forge::trained_model& trained) {
    auto made = basic_bundle_forest<numbered_features<10>>::make(trained.model);
    REQUIRE(made.ok());
    return *made;
}

std::string refusal(const dataset& data, const forge::train_settings& settings) {
    const auto trained = forge::train(data, settings);
    REQUIRE(!trained.ok());
    CHECK(trained.failure().code == errc::bad_argument);
    return trained.failure().text();
}

}  // namespace

TEST_CASE("trainer: an exclusive or is learnt, with the class of each corner") {
    const auto trained = forge::train(xor_problem(4000, 0, 1), settings_for("corners"));
    REQUIRE(trained.ok());
    const auto forest = detector(*trained);
    forge::rng random{99};
    int wrong = 0;
    int wrong_class = 0;
    for (int i = 0; i < 2000; ++i) {
        std::array<float, 10> row{};
        for (float& value : row) value = unit(random);
        if (std::abs(row[0] - 0.5F) < 0.03F || std::abs(row[1] - 0.5F) < 0.03F) continue;
        const bool attack = (row[0] > 0.5F) != (row[1] > 0.5F);
        const forest_answer answer = forest.answer(row);
        if ((answer.score > 0.5F) != attack) ++wrong;
        if (attack && answer.label != (row[0] > 0.5F ? attack_class::scan : attack_class::web)) ++wrong_class;
    }
    CHECK(wrong <= 20);
    CHECK(wrong_class <= 20);
    CHECK(trained->report.area_under_roc > 0.99);
    CHECK(trained->model.inputs.size() <= 10);

    // The two features that matter brought nearly all of the gain, and explanations name them.
    float both = 0;
    for (std::size_t i = 0; i < trained->model.inputs.size(); ++i) {
        const std::string& input = trained->model.inputs[i];
        if (input == "f0" || input == "f1") both += trained->model.importance[i];
    }
    CHECK(both > 0.8F);
    std::array<contribution, 2> moved{};
    REQUIRE(forest.explain(std::array<float, 10>{0.9F, 0.1F, 0.5F, 0.5F, 0.5F, 0.5F, 0.5F, 0.5F, 0.5F, 0.5F}, moved) ==
            2);
    CHECK(moved[0].feature + moved[1].feature == 1);
}

TEST_CASE("trainer: out-of-bag scores are honest about noise") {
    const auto trained = forge::train(xor_problem(6000, 0.2, 2), settings_for("noisy"));
    REQUIRE(trained.ok());
    // 20 % of the labels are flipped: no forest can rank better than about 0.8, and memorising would show 1.
    CHECK(trained->report.area_under_roc > 0.70);
    CHECK(trained->report.area_under_roc < 0.85);
    const auto forest = detector(*trained);
    CHECK(forest.confidence(1.0F) < 0.95F);
    CHECK(forest.confidence(0.0F) > 0.05F);
    CHECK(trained->report.suspicious.false_positive_rate <= 0.01);
    CHECK(trained->report.malicious.false_positive_rate <= 0.001);
    CHECK(trained->report.malicious.threshold >= trained->report.suspicious.threshold);
}

TEST_CASE("trainer: labels that follow nothing are not learnt") {
    dataset data{numbered(10)};
    forge::rng random{5};
    for (std::uint32_t r = 0; r < 4000; ++r) {
        std::array<float, 10> row{};
        for (float& value : row) value = unit(random);
        REQUIRE(data.add_row(row, random.below(2) == 0 ? attack_class::none : attack_class::scan, r / 10).ok());
    }
    const auto trained = forge::train(data, settings_for("nothing"));
    REQUIRE(trained.ok());
    CHECK(trained->report.area_under_roc > 0.45);
    CHECK(trained->report.area_under_roc < 0.55);
}

TEST_CASE("trainer: the number of threads does not change a byte, the seed does") {
    const dataset data = xor_problem(3000, 0.05, 3);
    auto settings = settings_for("same");
    settings.threads = 1;
    const auto one = forge::train(data, settings);
    settings.threads = 5;
    const auto five = forge::train(data, settings);
    REQUIRE((one.ok() && five.ok()));
    CHECK(one->model == five->model);
    CHECK(*forge::bundle_bytes(one->model) == *forge::bundle_bytes(five->model));
    CHECK(*forge::header_text(one->model) == *forge::header_text(five->model));
    settings.seed = 2;
    const auto other = forge::train(data, settings);
    REQUIRE(other.ok());
    CHECK(other->model.nodes != one->model.nodes);
}

TEST_CASE("trainer: a known problem gives a known model") {
    // A change here changes every model that is rebuilt from its recorded command: make it on purpose.
    auto settings = settings_for("golden");
    settings.trees = 10;
    const auto trained = forge::train(xor_problem(1000, 0.05, 7), settings);
    REQUIRE(trained.ok());
    CHECK(trained->model.hash == "f6573fc857e3584e");
    CHECK(trained->model.hash == forge::bundle_hash(*forge::bundle_bytes(trained->model)));
}

TEST_CASE("trainer: leaves respect their limits and hold exact probabilities") {
    auto settings = settings_for("limits");
    settings.max_leaves = 5;
    const auto trained = forge::train(xor_problem(3000, 0.1, 4), settings);
    REQUIRE(trained.ok());
    const model_data& model = trained->model;
    CHECK(find_fault(model.tables()) == model_fault::none);
    CHECK(model.roots.size() == 60);
    CHECK(model.nodes.size() <= 60 * 9);
    CHECK(model.nodes.size() >= 60 * 5);
    double importance = 0;
    for (const float share : model.importance) importance += double{share};
    CHECK(importance == doctest::Approx(1).epsilon(1e-5));

    settings.min_rows_per_leaf = 1200;  // of about 3000 drawn rows, some drawn twice: at most one split fits
    const auto coarse = forge::train(xor_problem(3000, 0.1, 4), settings);
    if (coarse.ok()) CHECK(coarse->model.nodes.size() <= 60 * 3);
}

TEST_CASE("trainer: unknown values go right, in training as in use") {
    dataset data{numbered(10)};
    forge::rng random{6};
    for (std::uint32_t r = 0; r < 3000; ++r) {
        std::array<float, 10> row{};
        for (float& value : row) value = unit(random);
        const bool attack = random.below(2) == 0;
        if (attack) row[4] = nan_value;
        REQUIRE(data.add_row(row, attack ? attack_class::scan : attack_class::none, r / 10).ok());
    }
    const auto trained = forge::train(data, settings_for("unknown"));
    REQUIRE(trained.ok());
    const auto forest = detector(*trained);
    std::array<float, 10> row{};
    row.fill(0.5F);
    CHECK(forest.score(row) < 0.2F);
    row[4] = nan_value;
    CHECK(forest.score(row) > 0.8F);
}

TEST_CASE("trainer: other attacks are left out or count as benign, features can be kept away") {
    auto settings = settings_for("scans");
    settings.positives = {attack_class::scan};
    settings.without = {"f1"};
    const dataset data = xor_problem(3000, 0, 8);
    const auto without = forge::train(data, settings);
    REQUIRE(without.ok());
    CHECK(without->report.rows_by_class[static_cast<std::size_t>(attack_class::web)] == 0);
    CHECK(without->report.rows + without->report.rows_left_out == 3000);
    CHECK(std::find(without->model.inputs.begin(), without->model.inputs.end(), "f1") == without->model.inputs.end());
    settings.others = forge::other_attacks::benign;
    const auto with = forge::train(data, settings);
    REQUIRE(with.ok());
    CHECK(with->report.rows == 3000);
    CHECK(with->report.rows_left_out == 0);
}

TEST_CASE("trainer: rare classes weigh as much as common ones") {
    dataset data{numbered(10)};
    forge::rng random{10};
    for (std::uint32_t r = 0; r < 20000; ++r) {  // 1 % web, told by f3; 20 % scan, told by f2
        std::array<float, 10> row{};
        for (float& value : row) value = unit(random);
        attack_class label = attack_class::none;
        if (r % 100 == 0) {
            label = attack_class::web;
            row[3] += 2;
        } else if (r % 5 == 0) {
            label = attack_class::scan;
            row[2] += 2;
        }
        REQUIRE(data.add_row(row, label, r / 10).ok());
    }
    const auto trained = forge::train(data, settings_for("rare"));
    REQUIRE(trained.ok());
    CHECK(trained->report.malicious.recall_by_class[static_cast<std::size_t>(attack_class::web)] > 0.9);
    CHECK(trained->report.malicious.recall_by_class[static_cast<std::size_t>(attack_class::scan)] > 0.9);
    CHECK(trained->report.malicious.false_positive_rate <= 0.001);
}

TEST_CASE("trainer: boosted trees of few leaves share the work") {
    // Twelve kinds of attack, each told by a feature of its own: a tree of four leaves can know three.
    constexpr std::size_t kinds = 12;
    const auto make = [](std::uint64_t seed) {
        dataset data{numbered(kinds)};
        forge::rng random{seed};
        for (std::uint32_t r = 0; r < 12000; ++r) {
            std::array<float, kinds> row{};
            for (float& value : row) value = unit(random);
            const bool attack = random.below(3) == 0;
            if (attack) row[random.below(kinds)] += 1;
            REQUIRE(data.add_row(row, attack ? attack_class::scan : attack_class::none, r / 10).ok());
        }
        return data;
    };
    auto settings = boosted("shared");
    settings.trees = 100;
    settings.max_leaves = 4;
    const dataset data = make(21);
    const auto together = forge::train(data, settings);
    REQUIRE(together.ok());
    settings.method = forge::growth::bagged;
    const auto alone = forge::train(data, settings);
    REQUIRE(alone.ok());
    CHECK(together->report.malicious.recall > 0.95);
    CHECK(together->report.malicious.recall > alone->report.malicious.recall + 0.2);
    CHECK(together->report.malicious.false_positive_rate <= 0.001);
    CHECK(find_fault(together->model.tables()) == model_fault::none);

    // What the report says of held-out rows holds for rows of another seed, and ordinary ones score near nothing.
    const auto forest = bundle_of<kinds>(*together);
    const dataset fresh = make(22);
    std::array<std::size_t, 2> over{};
    std::array<std::size_t, 2> total{};
    double ordinary = 0;
    for (std::size_t r = 0; r < fresh.rows(); ++r) {
        std::array<float, kinds> row{};
        for (std::size_t c = 0; c < kinds; ++c) row[c] = fresh.column(c)[r];
        const std::size_t attack = fresh.labels()[r] == attack_class::none ? 0 : 1;
        const float score = forest.score(row);
        ++total[attack];
        over[attack] += score >= forest.suspicious() ? 1U : 0U;
        if (attack == 0)
            ordinary += double{on_common_scale(score, forest.suspicious(), forest.malicious(), forest.ends())};
    }
    CHECK(static_cast<double>(over[1]) > 0.95 * static_cast<double>(total[1]));
    CHECK(static_cast<double>(over[0]) < 0.03 * static_cast<double>(total[0]));
    CHECK(ordinary / static_cast<double>(total[0]) < 0.1);
}

TEST_CASE("trainer: boosting gives the same bytes on any number of threads") {
    const dataset data = xor_problem(3000, 0.05, 3);
    auto settings = boosted("same");
    settings.threads = 1;
    const auto one = forge::train(data, settings);
    settings.threads = 3;
    const auto three = forge::train(data, settings);
    REQUIRE((one.ok() && three.ok()));
    CHECK(*forge::bundle_bytes(one->model) == *forge::bundle_bytes(three->model));
}

TEST_CASE("trainer: a known problem gives a known boosted model") {
    auto settings = boosted("golden");
    settings.trees = 10;
    settings.least_importance = 0.001;
    settings.hopeless = 0.05;
    settings.balance = forge::class_balance::sources;
    const auto trained = forge::train(xor_problem(1000, 0.05, 7), settings);
    REQUIRE(trained.ok());
    CHECK(trained->model.hash == "2283f78721ddbe0e");
}

TEST_CASE("trainer: wrong labels do not take a boosted forest over") {
    const auto trained = forge::train(xor_problem(8000, 0.2, 2), boosted("noisy"));
    REQUIRE(trained.ok());
    CHECK(trained->report.area_under_roc > 0.70);
    CHECK(trained->report.area_under_roc < 0.85);
    CHECK(trained->report.brier < 0.25);
    const auto forest = detector(*trained);
    CHECK(forest.confidence(1.0F) < 0.95F);
    CHECK(forest.confidence(0.0F) > 0.05F);
}

TEST_CASE("trainer: held-out groups set the thresholds and are never drawn") {
    auto settings = settings_for("held");
    settings.held_out = 0.25;
    const auto trained = forge::train(xor_problem(4000, 0.05, 9), settings);
    REQUIRE(trained.ok());
    CHECK(trained->report.bootstrap_units > 250);  // of 400 groups of 10 rows
    CHECK(trained->report.bootstrap_units < 350);
    // Bagged trees also judge what they happened not to draw, so every row is judged.
    CHECK(trained->report.rows_judged == 4000);
    auto together = boosted("held");
    const auto added = forge::train(xor_problem(4000, 0.05, 9), together);
    REQUIRE(added.ok());
    CHECK(added->report.rows_judged == 10 * (400 - added->report.bootstrap_units));
    CHECK(added->model.metadata.find("\"held_out\":{\"rows\"") != std::string::npos);
}

TEST_CASE("trainer: a first small forest drops what carries nothing and leaves out what cannot be told") {
    auto settings = boosted("pruned");
    settings.least_importance = 0.05;
    settings.hopeless = 0.3;
    const auto trained = forge::train(xor_problem(6000, 0.1, 11), settings);
    REQUIRE(trained.ok());
    // Eight features are noise; a tenth of the ordinary corner is labelled scan and looks like nothing else.
    const std::vector<std::string>& dropped = trained->report.pruning.dropped;
    CHECK(dropped.size() >= 6);
    for (const char* needed : {"f0", "f1"}) {
        CHECK(std::find(dropped.begin(), dropped.end(), needed) == dropped.end());
    }
    for (const std::string& name : dropped) {
        CHECK(std::find(trained->model.inputs.begin(), trained->model.inputs.end(), name) ==
              trained->model.inputs.end());
        CHECK(trained->model.metadata.find('"' + name + '"') != std::string::npos);
    }
    CHECK(trained->report.pruning.hopeless_rows > 150);
    CHECK(trained->report.pruning.hopeless_rows < 600);
}

TEST_CASE("trainer: behaviours that say little are not forgotten for one that says much") {
    // 40 rows of a kind told by f3 beside 4,000 of one told by f2, both of one class.
    dataset data{numbered(10)};
    forge::rng random{31};
    for (std::uint32_t r = 0; r < 14000; ++r) {
        std::array<float, 10> row{};
        for (float& value : row) value = unit(random);
        const bool loud = r % 7 < 2;
        const bool quiet = r % 350 == 3;
        if (loud) row[2] += 0.7F;
        if (quiet) row[3] += 0.7F;
        const char* source = loud ? "loud" : quiet ? "quiet" : "people";
        REQUIRE(data.add_row(row, loud || quiet ? attack_class::scan : attack_class::none,
                             forge::row_origin{r / 10, r, source})
                    .ok());
    }
    const auto weight_of_quiet = [&](forge::class_balance balance) {
        auto settings = settings_for("quiet");
        settings.balance = balance;
        const auto trained = forge::train(data, settings);
        REQUIRE(trained.ok());
        std::array<float, 10> row{};
        row.fill(0.5F);
        row[3] = 1.6F;
        return detector(*trained).score(row);
    };
    CHECK(weight_of_quiet(forge::class_balance::sources) > weight_of_quiet(forge::class_balance::rows) + 0.2F);
}

TEST_CASE("trainer: a dear false alarm makes a careful forest, a heavy class a bold one") {
    const dataset data = xor_problem(6000, 0.2, 13);
    const auto score_at = [&](auto change) {
        auto settings = settings_for("cost");
        change(settings);
        const auto trained = forge::train(data, settings);
        REQUIRE(trained.ok());
        return detector(*trained).score(
            std::array<float, 10>{0.9F, 0.1F, 0.5F, 0.5F, 0.5F, 0.5F, 0.5F, 0.5F, 0.5F, 0.5F});
    };
    const float plain = score_at([](auto&) {});
    CHECK(score_at([](auto& s) { s.false_alarm_cost = 5; }) < plain - 0.1F);
    CHECK(score_at([](auto& s) { s.class_weights = {{attack_class::scan, 5.0}}; }) > plain + 0.05F);
    CHECK(score_at([](auto& s) { s.class_weights = {{attack_class::none, 5.0}}; }) < plain - 0.1F);
}

TEST_CASE("trainer: progress is told after each tree") {
    auto settings = settings_for("progress");
    settings.trees = 12;
    std::vector<std::size_t> seen;
    settings.progress = [&](std::size_t done, std::size_t trees) {
        CHECK(trees == 12);
        seen.push_back(done);
    };
    REQUIRE(forge::train(xor_problem(1000, 0, 1), settings).ok());
    REQUIRE(seen.size() == 12);
    for (std::size_t i = 0; i < seen.size(); ++i) CHECK(seen[i] == i + 1);
}

TEST_CASE("trainer: what cannot be trained is refused with the reason") {
    const dataset data = xor_problem(500, 0, 1);
    const auto with = [&](void (*spoil)(forge::train_settings&)) {
        auto settings = settings_for("refused");
        spoil(settings);
        return refusal(data, settings);
    };
    CHECK(with([](auto& s) { s.name = "No Name"; }).find("name") != std::string::npos);
    CHECK(with([](auto& s) { s.positives.clear(); }).find("no attack class") != std::string::npos);
    CHECK(with([](auto& s) { s.positives = {attack_class::none}; }).find("'none'") != std::string::npos);
    CHECK(with([](auto& s) { s.positives = {attack_class::ddos}; }).find("no rows of the classes") !=
          std::string::npos);
    CHECK(with([](auto& s) { s.trees = 257; }).find("trees") != std::string::npos);
    CHECK(with([](auto& s) { s.max_leaves = 1; }).find("max_leaves") != std::string::npos);
    CHECK(with([](auto& s) { s.min_rows_per_leaf = 0; }).find("min_rows") != std::string::npos);
    CHECK(with([](auto& s) { s.max_bins = 256; }).find("max_bins") != std::string::npos);
    CHECK(with([](auto& s) { s.attack_share = 1; }).find("attack_share") != std::string::npos);
    CHECK(with([](auto& s) { s.false_alarm_cost = 0; }).find("false_alarm_cost") != std::string::npos);
    CHECK(with([](auto& s) {
              s.class_weights = {{attack_class::scan, -1.0}};
          }).find("class_weights") != std::string::npos);
    CHECK(with([](auto& s) {
              s.balance = forge::class_balance::sources;
              s.attack_share = 0;
          }).find("attack_share") != std::string::npos);
    CHECK(with([](auto& s) { s.learning_rate = 0; }).find("learning_rate") != std::string::npos);
    CHECK(with([](auto& s) { s.start = 0.6; }).find("start") != std::string::npos);
    CHECK(with([](auto& s) { s.veto = 2; }).find("veto") != std::string::npos);
    CHECK(with([](auto& s) { s.least_importance = 0.5; }).find("least_importance") != std::string::npos);
    CHECK(with([](auto& s) { s.hopeless = -0.1; }).find("hopeless") != std::string::npos);
    CHECK(with([](auto& s) { s.held_out = 0.9; }).find("held_out") != std::string::npos);
    CHECK(with([](auto& s) { s.method = forge::growth::boosted; }).find("held_out") != std::string::npos);
    CHECK(with([](auto& s) {
              s.held_out = 0.2;
              s.unit = forge::bootstrap_unit::row;
          }).find("only groups") != std::string::npos);
    CHECK(with([](auto& s) { s.held_out = 1e-9; }).find("too few groups") != std::string::npos);
    CHECK(with([](auto& s) { s.malicious_budget = std::nan(""); }).find("budgets") != std::string::npos);
    CHECK(with([](auto& s) { s.suspicious_floor = 0.9F; }).find("floors") != std::string::npos);
    CHECK(with([](auto& s) { s.without = numbered(10); }).find("constant or left out") != std::string::npos);
    CHECK(with([](auto& s) { s.min_rows_per_leaf = 5000; }).find("no feature separates") != std::string::npos);
    CHECK(refusal(xor_problem(50, 0, 1), settings_for("few")).find("groups") != std::string::npos);
    CHECK(refusal(dataset{numbered(3)}, settings_for("empty")).find("no benign rows") != std::string::npos);

    auto settings = settings_for("control");
    settings.command = "two\nlines";
    const auto trained = forge::train(data, settings);
    REQUIRE(!trained.ok());
    CHECK(trained.failure().what.find("info") != std::string::npos);
}

TEST_CASE("trainer: cuts separate neighbours exactly, whatever the floats") {
    const float tiny = std::numeric_limits<float>::denorm_min();
    const float pairs[][2] = {{1, std::nextafter(1.0F, 2.0F)},
                              {0, tiny},
                              {-tiny, 0},
                              {-3, 4},
                              {std::numeric_limits<float>::lowest(), std::numeric_limits<float>::max()}};
    for (const auto& [low, high] : pairs) {
        const float cut = forge::detail::cut_between(low, high);
        CHECK(low <= cut);
        CHECK(cut < high);
    }
}

TEST_CASE("trainer: a row's bin and its value lie on the same side of every cut") {
    forge::rng random{12};
    for (const std::size_t max_bins : {2U, 3U, 17U, 255U}) {
        std::vector<float> values;
        for (int i = 0; i < 5000; ++i) {
            const std::uint32_t kind = random.below(10);
            values.push_back(kind == 0 ? nan_value : kind < 4 ? 0.0F : kind == 4 ? -0.0F : unit(random) * 100 - 50);
        }
        const std::vector<std::uint32_t> weights(values.size(), 1024);
        const auto column = forge::detail::bin_column(values, weights, max_bins);
        CHECK(column.cuts.size() <= max_bins);  // one more for NaN
        CHECK(column.cuts.size() + 2 >= max_bins);
        CHECK(std::is_sorted(column.cuts.begin(), column.cuts.end()));
        std::size_t wrong = 0;
        for (std::size_t r = 0; r < values.size(); ++r) {
            for (std::size_t b = 0; b < column.cuts.size(); ++b) {
                if ((values[r] <= column.cuts[b]) != (column.bins[r] <= b)) ++wrong;
            }
        }
        CHECK(wrong == 0);
    }
}
