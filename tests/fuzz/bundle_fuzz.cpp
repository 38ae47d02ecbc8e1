// SPDX-License-Identifier: MIT
// Any bytes as a model bundle, as they are and with size and check sum put right, so that mutations reach the tables.
// An accepted bundle must write back to the same bytes, and both walks must agree on rows made from the input.
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <mldefender/core/bundle.hpp>
#include <mldefender/forge/export.hpp>

#include "support/random_forest.hpp"

namespace {

using namespace mldefender;

void expect(bool condition) {
    if (!condition) std::abort();
}

void use(const std::vector<std::uint8_t>& file) {
    auto model = read_bundle(file, "fuzz");
    if (!model.ok()) {
        expect(!model.failure().what.empty());
        return;
    }
    expect(*forge::bundle_bytes(*model) == file);
    // Rename the inputs so that they resolve: what they were called does not matter to the walks.
    for (std::size_t i = 0; i < model->inputs.size(); ++i)
        model->inputs[i] = std::string{"f"}.append(std::to_string(i));
    const auto made = basic_bundle_forest<test_support::numbered_features<256>>::make(*model);
    expect(made.ok());
    test_support::random_numbers random{file.size()};
    std::array<float, 256> row{};
    for (int i = 0; i < 8; ++i) {
        for (float& value : row) value = test_support::nasty_value(random);
        const forest_answer slow = made->view().answer(row);
        const forest_answer fast = made->answer(row);
        expect(slow.score == fast.score && slow.label == fast.label && fast.score >= 0 && fast.score <= 1);
        const float confidence = made->confidence(fast.score);
        expect(confidence >= 0 && confidence <= 1);
        std::array<contribution, 4> moved{};
        expect(made->explain(row, moved) <= moved.size());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::vector<std::uint8_t> file(data, data + size);
    use(file);
    if (file.size() < 12) return 0;
    const auto total = static_cast<std::uint32_t>(file.size() + 32);
    for (std::size_t i = 0; i < 4; ++i) file[8 + i] = static_cast<std::uint8_t>(total >> (8 * i));
    const auto digest = detail::sha256_of(file);
    file.insert(file.end(), digest.begin(), digest.end());
    use(file);
    return 0;
}
