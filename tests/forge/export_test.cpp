// SPDX-License-Identifier: MIT
// A model's header and its bundle are the same model: same tables, same hash, same scores. golden_model.hpp beside
// this file was written by header_text; after a deliberate change run this test with UPDATE_GOLDEN=1 set.
#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <mldefender/core/bundle.hpp>
#include <mldefender/core/forest.hpp>
#include <mldefender/forge/export.hpp>
#include <mldefender/forge/synth/random.hpp>
#include <mldefender/forge/trainer.hpp>

#include "golden_model.hpp"
#include "support/random_forest.hpp"

using namespace mldefender;
using test_support::numbered_features;
using test_support::random_forest;

namespace {

const std::string golden_path = (std::filesystem::path{__FILE__}.parent_path() / "golden_model.hpp").string();

// A small training whose text fields need every kind of escape.
forge::trained_model golden_training() {
    forge::dataset data{{"f0", "f1", "f2", "f3"}};
    data.describe("corners with \"noise\" \\ 1 %");
    forge::rng random{42};
    for (std::uint32_t r = 0; r < 800; ++r) {
        std::array<float, 4> row{};
        for (float& value : row) value = static_cast<float>(random.below(2001)) / 1000.0F - 1.0F;
        const bool attack = (row[0] > 0) != (row[2] > 0.5F) || random.below(100) == 0;
        const attack_class label = row[0] > 0 ? attack_class::exfil : attack_class::lateral;
        REQUIRE(data.add_row(row, attack ? label : attack_class::none, r / 8).ok());
    }
    forge::train_settings settings;
    settings.name = "golden_model";
    settings.command = "export_test --say \"what?\?!\" 'C:\\x'";
    settings.seed = 0xffff'ffff'ffff'ffffULL;
    settings.positives = {attack_class::exfil, attack_class::lateral};
    settings.trees = 5;
    settings.max_leaves = 6;
    auto trained = forge::train(data, settings);
    REQUIRE(trained.ok());
    return *trained;
}

std::string read_text(const std::string& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

using golden_forest = basic_forest<models::golden_model, numbered_features<4>>;

// The header works while compiling.
static_assert(golden_forest::score(std::array<float, 4>{1, 0, 0, 0}) > 0.5F);
static_assert(golden_forest::score(std::array<float, 4>{1, 0, 1, 0}) < 0.5F);
static_assert(golden_forest::answer(std::array<float, 4>{1, 0, 0, 0}).label == attack_class::exfil);
static_assert(golden_forest::answer(std::array<float, 4>{-1, 0, 1, 0}).label == attack_class::lateral);

}  // namespace

TEST_CASE("export: training and writing again gives the committed header, byte for byte") {
    const forge::trained_model trained = golden_training();
    const auto text = forge::header_text(trained.model);
    REQUIRE(text.ok());
    if (std::getenv("UPDATE_GOLDEN") != nullptr) REQUIRE(forge::save_header(trained.model, golden_path).ok());
    CHECK(*text == read_text(golden_path));
}

TEST_CASE("export: header and bundle hold the same model") {
    const forge::trained_model trained = golden_training();
    const auto bundle = forge::bundle_bytes(trained.model);
    REQUIRE(bundle.ok());
    const auto from_bundle = read_bundle(*bundle, "memory");
    REQUIRE(from_bundle.ok());
    const model_data from_header = copy_model<models::golden_model>();
    CHECK(*from_bundle == trained.model);
    CHECK(from_header == trained.model);
    CHECK(forge::bundle_hash(*forge::bundle_bytes(from_header)) == models::golden_model::hash);

    const auto loaded = basic_bundle_forest<numbered_features<4>>::make(*from_bundle);
    REQUIRE(loaded.ok());
    CHECK(loaded->hash() == golden_forest::hash());
    test_support::random_numbers random{1};
    std::size_t differences = 0;
    for (int i = 0; i < 100'000; ++i) {
        std::array<float, 4> row{};
        for (float& value : row) value = test_support::nasty_value(random);
        const forest_answer a = golden_forest::answer(row);
        const forest_answer b = loaded->answer(row);
        if (a.score != b.score || a.label != b.label || a.score != golden_forest::score(row)) ++differences;
        if (golden_forest::confidence(a.score) != loaded->confidence(b.score)) ++differences;
    }
    CHECK(differences == 0);
}

TEST_CASE("export: files appear complete and read back") {
    const model_data model = golden_training().model;
    const auto folder = std::filesystem::temp_directory_path() / "mldefender_export_test";
    std::filesystem::create_directories(folder);
    const std::string bundle = (folder / "golden.mldf").string();
    const std::string header = (folder / "golden.hpp").string();
    REQUIRE(forge::save_bundle(model, bundle).ok());
    REQUIRE(forge::save_header(model, header).ok());
    const auto back = load_bundle(bundle);
    REQUIRE(back.ok());
    CHECK(*back == model);
    CHECK(read_text(header) == *forge::header_text(model));
    CHECK(std::distance(std::filesystem::directory_iterator{folder}, {}) == 2);
    std::filesystem::remove_all(folder);

    const auto refused = forge::save_bundle(model, bundle);  // the folder is gone
    REQUIRE(!refused.ok());
    CHECK(refused.failure().code == errc::io);
    CHECK(refused.failure().system_errno == ENOENT);
    CHECK(refused.failure().where == bundle);
}

TEST_CASE("export: what would not read back is not written") {
    const auto refuses = [](void (*spoil)(model_data&)) {
        model_data model = random_forest(3, 4, 5, 1);
        REQUIRE(forge::bundle_bytes(model).ok());
        spoil(model);
        return !forge::bundle_bytes(model).ok() && !forge::header_text(model).ok();
    };
    CHECK(refuses([](model_data& m) { m.nodes[0].left = 7; }));
    CHECK(refuses([](model_data& m) { m.command = "two\nlines"; }));
    CHECK(refuses([](model_data& m) { m.command.assign(70'000, 'x'); }));
    CHECK(refuses([](model_data& m) { m.metadata = "not an object"; }));
    CHECK(refuses([](model_data& m) { m.inputs[1] = m.inputs[0]; }));
    CHECK(refuses([](model_data& m) { m.inputs[1].assign(300, 'x'); }));
    CHECK(refuses([](model_data& m) { m.importance.pop_back(); }));
    CHECK(refuses([](model_data& m) { m.importance[0] = -1; }));
    CHECK(refuses([](model_data& m) { m.name.clear(); }));

    model_data model = random_forest(3, 4, 5, 1);
    for (const char* name : {"a-b", "3d", "Upper", "_x"}) {
        model.name = name;
        CHECK(forge::bundle_bytes(model).ok());
        CHECK(forge::header_text(model).failure().code == errc::bad_value);
    }
}

TEST_CASE("export: floats are written exactly") {
    CHECK(forge::detail::hex_literal(0.0F) == "0x0p+0F");
    CHECK(forge::detail::hex_literal(-0.0F) == "-0x0p+0F");
    CHECK(forge::detail::hex_literal(1.5F) == "0x1.8p+0F");
    CHECK(forge::detail::hex_literal(-0.1F) == "-0x1.99999ap-4F");
    for (const float value : test_support::special_thresholds) {
        CHECK(std::strtof(forge::detail::hex_literal(value).c_str(), nullptr) == value);
    }
}
