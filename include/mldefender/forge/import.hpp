// SPDX-License-Identifier: MIT
// Models of other programs as ours: recognises the file, has its reader read it, and carries it over (see
// foreign_model.hpp for what stays exact). Refuses files of no known kind, saying what would be one. Called by the
// forge tool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <mldefender/core/bundle.hpp>
#include <mldefender/core/bytes.hpp>
#include <mldefender/core/result.hpp>
#include <mldefender/forge/foreign_model.hpp>
#include <mldefender/forge/import_json.hpp>
#include <mldefender/forge/import_lightgbm.hpp>
#include <mldefender/forge/import_sklearn.hpp>
#include <mldefender/forge/import_xgboost.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {

/// The kinds of files that are read.
enum class model_format : std::uint8_t {
    sklearn,   ///< JSON by tools/forge/dump_sklearn.py
    xgboost,   ///< JSON by save_model
    lightgbm,  ///< text by save_model
    json       ///< JSON of ours, by json_text
};

/// Of these files.
inline constexpr std::string_view model_format_names[] = {"sklearn", "xgboost", "lightgbm", "json"};

/// Larger files are refused.
inline constexpr std::size_t max_import_bytes = std::size_t{512} << 20;

/// What a text looks like, by its first letters and the words only that kind has; nothing when like none.
[[nodiscard]] inline std::optional<model_format> recognise_model(std::string_view text) noexcept {
    if (text.starts_with("tree\n") || text.starts_with("tree\r\n")) return model_format::lightgbm;
    const std::size_t start = text.find_first_not_of(" \t\r\n");
    if (start == std::string_view::npos || text[start] != '{') return std::nullopt;
    const std::string_view head = text.substr(start, 200);
    if (head.find("\"mldefender-sklearn ") != std::string_view::npos) return model_format::sklearn;
    if (head.find("\"mldefender-model ") != std::string_view::npos) return model_format::json;
    if (text.find("\"learner\"") != std::string_view::npos) return model_format::xgboost;
    return std::nullopt;
}

/// The model in a text of this kind. Fails with bad_value; the error names the place in `where` and the fix. A model of
/// our own JSON has its names and thresholds in it: `settings` are for the others.
[[nodiscard]] inline result<model_data, error> import_model(bytes text, model_format format,
                                                            const import_settings& settings, std::string_view where) {
    if (format == model_format::json) return read_json_model(text, where);
    const auto foreign = format == model_format::sklearn   ? read_sklearn(text, where)
                         : format == model_format::xgboost ? read_xgboost(text, where)
                                                           : read_lightgbm(text, where);
    if (!foreign) return foreign.failure();
    return adopt(*foreign, settings, where);
}

/// A text read from a file, and what kind it is.
struct model_file {
    std::vector<std::uint8_t> text;               ///< all of it
    model_format format = model_format::sklearn;  ///< by `recognise_model`
};

/// Reads a file. Fails with not_found or io and errno when the system refuses, too_large, or bad_value for a file of
/// no known kind.
[[nodiscard]] inline result<model_file, error> load_model_file(const std::string& path) {
    auto text = mldefender::detail::read_file(path, "model", max_import_bytes);
    if (!text) return text.failure();
    if (text->size() > max_import_bytes) return error{errc::too_large, "is larger than 512 MiB", path, 0};
    const auto format = recognise_model({reinterpret_cast<const char*>(text->data()), text->size()});
    if (!format) {
        return error{errc::bad_value,
                     "is no model this version reads; bring XGBoost's save_model(\"x.json\"), LightGBM's "
                     "save_model(\"x.txt\"), or what dump_sklearn.py writes",
                     path, 0};
    }
    return model_file{std::move(*text), *format};
}

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
