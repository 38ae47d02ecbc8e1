// SPDX-License-Identifier: MIT
// Time to score one row with four forests of 100 trees and 8 leaves each (6,000 nodes together) over rows that never
// repeat within the branch predictor's memory, by the reference walk and by the fast layout.
#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include <mldefender/core/bundle.hpp>

#include "support/random_forest.hpp"

namespace {

constexpr std::size_t width = 80;
using row_type = std::array<float, width>;
using detector = mldefender::basic_bundle_forest<test_support::numbered_features<width>>;

std::vector<detector> four_forests(std::size_t leaves) {
    std::vector<detector> forests;
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        forests.push_back(std::move(*detector::make(test_support::random_forest(100, leaves, width, seed))));
    }
    return forests;
}

std::vector<row_type> many_rows() {
    std::vector<row_type> rows(8192);
    test_support::random_numbers random{7};
    for (row_type& row : rows) {
        for (float& value : row) value = random.number();
    }
    return rows;
}

// Scores row after row with all four forests.
template <class Score>
void run(benchmark::State& state, Score score) {
    const std::vector<detector> forests = four_forests(static_cast<std::size_t>(state.range(0)));
    const std::vector<row_type> rows = many_rows();
    std::size_t at = 0;
    for (auto _ : state) {
        const row_type& row = rows[at++ % rows.size()];
        for (const detector& forest : forests) benchmark::DoNotOptimize(score(forest, row));
    }
    state.SetItemsProcessed(state.iterations());
}

void reference_walk(benchmark::State& state) {
    run(state, [](const detector& forest, const row_type& row) { return forest.view().score(row); });
}
void fast_score(benchmark::State& state) {
    run(state, [](const detector& forest, const row_type& row) { return forest.score(row); });
}
void fast_answer(benchmark::State& state) {
    run(state, [](const detector& forest, const row_type& row) { return forest.answer(row).score; });
}
void explain_top_8(benchmark::State& state) {
    run(state, [](const detector& forest, const row_type& row) {
        std::array<mldefender::contribution, 8> moved{};
        return forest.explain(row, moved);
    });
}

BENCHMARK(reference_walk)->ArgName("leaves")->Arg(8)->Arg(128);
BENCHMARK(fast_score)->ArgName("leaves")->Arg(8)->Arg(128);
BENCHMARK(fast_answer)->ArgName("leaves")->Arg(8)->Arg(128);
BENCHMARK(explain_top_8)->ArgName("leaves")->Arg(8);

}  // namespace
