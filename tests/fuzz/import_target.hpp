// SPDX-License-Identifier: MIT
// What a reader of foreign models must keep for any bytes: it refuses with words, or gives a model whose bundle reads
// back, whose JSON comes back equal, and whose two walks agree to the bit with scores in 0..1. Shared by the
// import_*_fuzz.cpp targets.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include <mldefender/core/bundle.hpp>
#include <mldefender/forge/export.hpp>
#include <mldefender/forge/import.hpp>

#include "support/random_forest.hpp"

namespace fuzz {

inline void expect(bool condition) {
    if (!condition) std::abort();
}

inline void use(const mldefender::model_data& model) {
    using namespace mldefender;
    const auto bundle = forge::bundle_bytes(model);
    expect(bundle.ok());
    const auto again = read_bundle(*bundle, "fuzz");
    expect(again.ok() && *again == model);
    const auto text = forge::json_text(model);
    expect(text.ok());
    const auto back =
        forge::read_json_model({reinterpret_cast<const std::uint8_t*>(text->data()), text->size()}, "fuzz");
    expect(back.ok() && *back == model);
    const auto made = bundle_forest::make(model);
    if (!made.ok()) return;  // JSON of ours may name features of another version
    test_support::random_numbers random{model.nodes.size()};
    feature_vector row{};
    for (int i = 0; i < 4; ++i) {
        for (float& value : row) value = test_support::nasty_value(random);
        const float score = made->score(row);
        expect(std::bit_cast<std::uint32_t>(score) == std::bit_cast<std::uint32_t>(made->view().score(row)));
        expect(score >= 0 && score <= 1);
        std::array<contribution, 4> moved{};
        for (std::size_t n = made->explain(row, moved); n-- > 0;) {
            expect(moved[n].weight >= -1.001F && moved[n].weight <= 1.001F);
        }
    }
}

inline int read_as(mldefender::forge::model_format format, const std::uint8_t* data, std::size_t size) {
    mldefender::forge::import_settings settings;
    settings.name = "fuzz";
    settings.label = mldefender::attack_class::scan;
    const auto model = mldefender::forge::import_model({data, size}, format, settings, "fuzz");
    if (model.ok()) {
        use(*model);
    } else {
        expect(!model.failure().what.empty() && model.failure().what.size() < 4096);
    }
    return 0;
}

}  // namespace fuzz
