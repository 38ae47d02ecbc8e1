// SPDX-License-Identifier: MIT
// Rows with the score the original model gave them, to prove that an imported one answers alike: a CSV text whose first
// line names features, in any order, and one column `score`. Features without a column are 0; an empty field or nan is
// a missing value. Refuses unknown names and fields that are no number, naming the line. Called by the forge tool.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <mldefender/core/bundle.hpp>
#include <mldefender/core/bytes.hpp>
#include <mldefender/core/feature.hpp>
#include <mldefender/core/result.hpp>
#include <mldefender/forge/foreign_model.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {

/// How an imported model's scores compare with those of the original.
struct row_comparison {
    std::size_t rows = 0;           ///< compared
    std::size_t equal = 0;          ///< equal to the last bit of a binary32
    double largest_difference = 0;  ///< of the scores, 0..1
    std::size_t largest_line = 0;   ///< where it stands; 0 while nothing differs
};

namespace detail {

/// A field as binary32: the nearest value, as other programs read it; nothing when it is no number. Infinity is one.
[[nodiscard]] inline std::optional<float> parse_field(std::string_view field) noexcept {
    if (field.empty()) return std::numeric_limits<float>::quiet_NaN();
    float value = 0;
    const char* const end = field.data() + field.size();
    const auto parsed = std::from_chars(field.data(), end, value);
    if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
    return value;
}

[[nodiscard]] inline std::vector<std::string_view> split_fields(std::string_view line) {
    std::vector<std::string_view> fields;
    for (std::size_t start = 0;;) {
        const std::size_t end = std::min(line.find(',', start), line.size());
        fields.push_back(line.substr(start, end - start));
        if (end == line.size()) return fields;
        start = end + 1;
    }
}

/// The column of the score counts as one past the features.
inline result<std::vector<std::size_t>, error> read_columns(std::string_view line, std::string_view where) {
    std::vector<std::size_t> columns;
    for (const std::string_view name : split_fields(line)) {
        const auto feature = feature_index(name);
        if (!feature && name != "score") {
            return refuse_import(where, "line 1",
                                 shown(name) + " is neither a feature nor score, the nearest feature is " +
                                     json_string(nearest_feature(name)));
        }
        columns.push_back(feature.value_or(feature_count));
        if (std::find(columns.begin(), columns.end() - 1, columns.back()) != columns.end() - 1) {
            return refuse_import(where, "line 1", shown(name) + " names a second column");
        }
    }
    if (std::find(columns.begin(), columns.end(), feature_count) == columns.end()) {
        return refuse_import(where, "line 1", "no column is named score");
    }
    return columns;
}

inline void compare_row(float expected, float ours, std::size_t line, row_comparison& out) {
    ++out.rows;
    if (std::bit_cast<std::uint32_t>(expected) == std::bit_cast<std::uint32_t>(ours)) ++out.equal;
    const double apart = std::abs(double{expected} - double{ours});
    if (apart <= out.largest_difference) return;
    out.largest_difference = apart;
    out.largest_line = line;
}

}  // namespace detail

/// Scores every row with `forest` and compares. Fails with bad_value, naming the line in `where`.
[[nodiscard]] inline result<row_comparison, error> compare_rows(const bundle_forest& forest, bytes csv,
                                                                std::string_view where) {
    std::string_view rest{reinterpret_cast<const char*>(csv.data()), csv.size()};
    std::vector<std::size_t> columns;
    row_comparison out;
    for (std::size_t number = 1; !rest.empty(); ++number) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty()) continue;
        const auto bad = [&](const std::string& what) {
            return detail::refuse_import(where, "line " + std::to_string(number), what);
        };
        if (columns.empty()) {
            auto named = detail::read_columns(line, where);
            if (!named) return named.failure();
            columns = std::move(*named);
            continue;
        }
        const auto fields = detail::split_fields(line);
        if (fields.size() != columns.size()) {
            return bad("has " + std::to_string(fields.size()) + " fields, not " + std::to_string(columns.size()));
        }
        std::array<float, feature_count + 1> row{};
        for (std::size_t i = 0; i < fields.size(); ++i) {
            const auto value = detail::parse_field(fields[i]);
            if (!value) return bad(detail::shown(fields[i]) + " is not a number in range");
            row[columns[i]] = *value;
        }
        if (!(row[feature_count] >= 0 && row[feature_count] <= 1)) return bad("the score must be in 0..1");
        feature_vector features{};
        std::copy_n(row.begin(), feature_count, features.begin());
        detail::compare_row(row[feature_count], forest.score(features), number, out);
    }
    if (out.rows == 0) return detail::refuse_import(where, "", "there are no rows to compare");
    return out;
}

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
