// SPDX-License-Identifier: MIT
// Prints the feature table as Markdown: every feature with unit, range, formula and source, from the one table that
// the extractor, the models and the rules use. docs/features.md is this program's output.
#include <cstdio>
#include <string_view>

#include <mldefender/core/feature.hpp>

int main() {
    using namespace mldefender;
    const auto print = [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); };
    std::printf(
        "# Features\n\n"
        "The %zu numbers a decision is made from, in the order of `feature_vector`. Made from the table in\n"
        "`include/mldefender/core/feature.hpp` by `scripts/reference`.\n\n"
        "Level: 1 needs the flow alone, 2 what its hosts did lately, 3 how the initiator used this service before.\n"
        "\"10 s\" means the current and the previous 10 s bucket, \"30 s\" the current and three, \"60 s\" the current "
        "and\n"
        "five before it. Ratios and shares with an empty denominator are 0.\n\n"
        "| # | name | unit | range | level | formula | source |\n|---|---|---|---|---|---|---|\n",
        feature_count);
    for (std::size_t i = 0; i < feature_count; ++i) {
        const feature_info& f = features[i];
        std::printf("| %zu | `", i);
        print(f.name);
        print("` | ");
        print(f.unit);
        std::printf(" | %g..%g | %d | ", static_cast<double>(f.lowest), static_cast<double>(f.highest),
                    static_cast<int>(f.level));
        print(f.formula);
        print(" | ");
        print(f.source);
        print(" |\n");
    }
}
