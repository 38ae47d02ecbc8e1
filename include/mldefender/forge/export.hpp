// SPDX-License-Identifier: MIT
// Writes a model in its three equivalent forms: the run-time bundle (layout in core/bundle.hpp), the constexpr header a
// program compiles in, and JSON for other programs, which import_json.hpp reads back. The same model gives the same
// bytes everywhere. Refuses models that find_fault refuses and names that are not C++ identifiers. Called by the
// trainer, for the hash, and by the forge.
#pragma once

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <mldefender/core/bundle.hpp>
#include <mldefender/core/bytes.hpp>
#include <mldefender/core/detail/sha256.hpp>
#include <mldefender/core/model.hpp>
#include <mldefender/core/result.hpp>
#include <mldefender/forge/detail/json_text.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {

namespace detail {

inline void put_number(std::vector<std::uint8_t>& out, std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}
inline void put_float(std::vector<std::uint8_t>& out, float value) {
    put_number(out, std::bit_cast<std::uint32_t>(value), 4);
}
inline void put_double(std::vector<std::uint8_t>& out, double value) {
    put_number(out, std::bit_cast<std::uint64_t>(value), 8);
}
inline void put_text(std::vector<std::uint8_t>& out, std::string_view text, int length_size) {
    put_number(out, text.size(), length_size);
    out.insert(out.end(), text.begin(), text.end());
}

inline std::vector<std::uint8_t> info_section(const model_data& model) {
    std::vector<std::uint8_t> out;
    put_number(out, model.seed, 8);
    put_float(out, model.suspicious);
    put_float(out, model.malicious);
    for (const std::string* text : {&model.name, &model.version, &model.command, &model.feature_list_hash}) {
        put_text(out, *text, 2);
    }
    return out;
}

inline std::vector<std::uint8_t> input_section(const model_data& model) {
    std::vector<std::uint8_t> out;
    for (std::size_t i = 0; i < model.inputs.size(); ++i) {
        put_text(out, model.inputs[i], 1);
        put_float(out, model.importance[i]);
    }
    return out;
}

inline std::vector<std::uint8_t> calibration_section(const model_data& model) {
    std::vector<std::uint8_t> out;
    for (const calibration_point& point : model.calibration) {
        put_float(out, point.score);
        put_float(out, point.confidence);
    }
    return out;
}

inline std::vector<std::uint8_t> root_section(const model_data& model) {
    std::vector<std::uint8_t> out;
    for (const std::uint32_t root : model.roots) put_number(out, root, 4);
    return out;
}

inline std::vector<std::uint8_t> node_section(const model_data& model) {
    std::vector<std::uint8_t> out;
    for (const forest_node& node : model.nodes) {
        put_float(out, node.value);
        put_number(out, node.left, 4);
        put_number(out, node.input, 2);
        put_number(out, node.extra, 2);
    }
    return out;
}

inline std::vector<std::uint8_t> leaf_section(const model_data& model) {
    std::vector<std::uint8_t> out;
    if (model.leaf_values.empty()) return out;
    put_number(out, static_cast<std::uint64_t>(model.sum.link), 2);
    put_number(out, static_cast<std::uint64_t>(model.sum.precision), 2);
    put_number(out, static_cast<std::uint64_t>(model.sum.label), 2);
    put_number(out, 0, 2);
    put_double(out, model.sum.start);
    put_double(out, model.sum.slope);
    for (const double value : model.leaf_values) put_double(out, value);
    return out;
}

inline bool texts_fit(const model_data& model) {
    for (const std::string* text : {&model.name, &model.version, &model.command, &model.feature_list_hash}) {
        if (text->size() > 0xffff) return false;
    }
    for (const std::string& input : model.inputs) {
        if (input.size() > 0xff) return false;
    }
    return model.importance.size() == model.inputs.size();
}

/// A float or double as a hexadecimal literal: exact, and quick to compile.
template <class Number>
std::string hex_literal(Number value) {
    char digits[64];
    const bool negative = std::signbit(value);
    const Number size = negative ? -value : value;
    const auto end = std::to_chars(digits, digits + sizeof(digits), size, std::chars_format::hex).ptr;
    return (negative ? "-0x" : "0x") + std::string(digits, end) + (sizeof(Number) == sizeof(float) ? "F" : "");
}

inline std::string string_literal(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '\n') {
            out += "\\n\"\n        \"";
        } else if (c == '"' || c == '\\' || c == '?') {
            out += '\\';
            out += c;
        } else {
            out += c;
        }
    }
    return out + '"';
}

inline bool is_identifier(std::string_view name) {
    for (const char c : name) {
        if (!((c >= 'a' && c <= 'z') || c == '_' || (c >= '0' && c <= '9'))) return false;
    }
    return !name.empty() && name.front() >= 'a' && name.front() <= 'z';
}

/// "    static constexpr T name[] = {", items with `per_line` to a line, "};".
template <class Items, class Write>
void put_table(std::string& out, std::string_view comment, std::string_view declaration, const Items& items,
               std::size_t per_line, Write write) {
    out += "    /// " + std::string{comment} + "\n    static constexpr " + std::string{declaration} + "[] = {";
    std::size_t column = 0;
    for (const auto& item : items) {
        out += column++ % per_line == 0 ? "\n        " : " ";
        out += write(item) + ",";
    }
    out += "\n    };\n";
}

inline void put_texts(std::string& out, const model_data& model, std::string_view hash) {
    const auto text = [&](std::string_view comment, std::string_view name, std::string_view value) {
        out += "    /// " + std::string{comment} + "\n    static constexpr std::string_view " + std::string{name} +
               " = " + string_literal(value) + ";\n";
    };
    text("Detector.", "name", model.name);
    text("Version of the model.", "version", model.version);
    text("First 16 digits of the SHA-256 of the equivalent bundle.", "hash", hash);
    text("What rebuilds this file.", "command", model.command);
    text("Hash of the whole feature list it was trained with.", "feature_list_hash", model.feature_list_hash);
    out += "    /// Seed of the training.\n    static constexpr std::uint64_t seed = " + std::to_string(model.seed) +
           "ULL;\n    /// Scores from here on deserve watching.\n    static constexpr float suspicious = " +
           hex_literal(model.suspicious) +
           ";\n    /// Scores from here on deserve a response.\n    static constexpr float malicious = " +
           hex_literal(model.malicious) + ";\n";
    text("Training data, settings and scores, a JSON object.", "metadata", model.metadata);
}

inline void put_tables(std::string& out, const model_data& model) {
    put_table(out, "Features the model reads; nodes refer to positions in here.", "std::string_view inputs",
              model.inputs, 3, [](const std::string& input) { return string_literal(input); });
    put_table(out, "Share of the Gini gain each input brought.", "float importance", model.importance, 6,
              [](float value) { return hex_literal(value); });
    put_table(out, "Score and what share of training rows with it were attacks.", "calibration_point calibration",
              model.calibration, 3, [](const calibration_point& point) {
                  return "{" + hex_literal(point.score) + ", " + hex_literal(point.confidence) + "}";
              });
    put_table(out, "First node of each tree.", "std::uint32_t roots", model.roots, 16,
              [](std::uint32_t root) { return std::to_string(root); });
    put_table(out, "threshold or probability, left child (0: leaf), input, mean or class; see forest_node.",
              "forest_node nodes", model.nodes, 4, [](const forest_node& node) {
                  return "{" + hex_literal(node.value) + "," + std::to_string(node.left) + "," +
                         std::to_string(node.input) + "," + std::to_string(node.extra) + "}";
              });
    if (model.leaf_values.empty()) return;
    const leaf_sum& sum = model.sum;
    out += "    /// How leaf values are added.\n    static constexpr leaf_sum sum = {score_link::" +
           std::string{name_of(sum.link)} + ", sum_precision::" + std::string{name_of(sum.precision)} +
           ", attack_class::" + std::string{name_of(sum.label)} + ", " + hex_literal(sum.start) + ", " +
           hex_literal(sum.slope) + "};\n";
    put_table(
        out, "Leaf value of each node, 0 for inner ones.", "double leaf_values", model.leaf_values, 8,
        [](double value) { return value == 0 ? std::string{std::signbit(value) ? "-0." : "0"} : hex_literal(value); });
}

inline result<void, error> save_bytes(std::string_view data, const std::string& path) {
    const auto failed = [&](const char* what) { return error{errc::io, what, path, errno}; };
    const std::string temporary = path + ".tmp";
    std::FILE* file = std::fopen(temporary.c_str(), "wb");
    if (file == nullptr) return failed("cannot create the file");
    const bool written = std::fwrite(data.data(), 1, data.size(), file) == data.size();
    if (std::fclose(file) != 0 || !written) return failed("cannot write the file");
    if (std::rename(temporary.c_str(), path.c_str()) != 0) return failed("cannot rename the finished file");
    return {};
}

}  // namespace detail

/// The bundle of a model. `model.hash` is not used. Fails with bad_value, naming the fault.
[[nodiscard]] inline result<std::vector<std::uint8_t>, error> bundle_bytes(const model_data& model) {
    const model_fault fault = find_fault(model.tables());
    if (fault != model_fault::none) return error{errc::bad_value, std::string{describe(fault)}, model.name, 0};
    if (!detail::texts_fit(model)) {
        return error{errc::bad_value, "a text is too long, or importance and inputs differ in number", model.name, 0};
    }
    const std::vector<std::uint8_t> sections[] = {
        detail::info_section(model),  {model.metadata.begin(), model.metadata.end()},
        detail::input_section(model), detail::calibration_section(model),
        detail::root_section(model),  detail::node_section(model),
        detail::leaf_section(model)};
    static_assert(std::size(sections) == std::size(bundle_sections));
    const bool has_leaf_values = !model.leaf_values.empty();
    const std::size_t section_count = std::size(sections) - (has_leaf_values ? 0 : 1);
    const std::size_t head_size = 16 + 12 * section_count;
    std::size_t size = head_size + sizeof(mldefender::detail::sha256_digest);
    for (const auto& section : sections) size += section.size();
    if (size > max_bundle_bytes) return error{errc::too_large, "the bundle would exceed 256 MiB", model.name, 0};

    std::vector<std::uint8_t> out(bundle_magic.begin(), bundle_magic.end());
    detail::put_number(out, has_leaf_values ? bundle_format_leaf_values : bundle_format, 2);
    detail::put_number(out, section_count, 2);
    detail::put_number(out, size, 4);
    detail::put_number(out, 0, 4);
    std::size_t offset = head_size;
    for (std::size_t i = 0; i < section_count; ++i) {
        out.insert(out.end(), bundle_sections[i].begin(), bundle_sections[i].end());
        detail::put_number(out, offset, 4);
        detail::put_number(out, sections[i].size(), 4);
        offset += sections[i].size();
    }
    for (const auto& section : sections) out.insert(out.end(), section.begin(), section.end());
    const auto digest = mldefender::detail::sha256_of(out);
    out.insert(out.end(), digest.begin(), digest.end());
    // What cannot be read back must not be written: control characters, a name twice, metadata that is no object.
    auto back = read_bundle(out, model.name);
    if (!back.ok()) return back.failure();
    return out;
}

/// Hash of a bundle that bundle_bytes wrote: the first 16 hexadecimal digits of the digest at its end.
[[nodiscard]] inline std::string bundle_hash(bytes bundle) {
    mldefender::detail::sha256_digest digest{};
    std::copy_n(bundle.end() - static_cast<std::ptrdiff_t>(digest.size()), digest.size(), digest.begin());
    return mldefender::detail::short_hex(digest);
}

/// The model as a C++ header: struct `mldefender::models::NAME` with the members model.hpp lists.
[[nodiscard]] inline result<std::string, error> header_text(const model_data& model) {
    const auto bundle = bundle_bytes(model);
    if (!bundle.ok()) return bundle.failure();
    if (!detail::is_identifier(model.name)) {
        return error{errc::bad_value, "a model's name becomes a type: use a-z, 0-9 and _, a letter first", model.name,
                     0};
    }
    std::string out =
        "// SPDX-License-Identifier: MIT\n// Random forest '" + model.name +
        "': " + std::to_string(model.roots.size()) + " trees, " + std::to_string(model.nodes.size()) + " nodes, " +
        std::to_string(model.inputs.size()) +
        " inputs. Generated by the forge:\n"
        "// `command` below rebuilds it from `seed`, to the same bytes. Change the training, not this file.\n"
        "// Tables are laid out as <mldefender/core/model.hpp> says and checked by forest<>, which is how\n"
        "// to use it.\n"
        "#pragma once\n// clang-format off\n\n#include <cstdint>\n#include <string_view>\n\n"
        "#include <mldefender/core/model.hpp>\n\nnamespace mldefender {\ninline namespace v0 {\n"
        "namespace models {\n\n/// Tables of the forest '" +
        model.name + "', for forest<models::" + model.name + ">.\nstruct " + model.name + " {\n";
    detail::put_texts(out, model, bundle_hash(*bundle));
    detail::put_tables(out, model);
    out += "};\n\n}  // namespace models\n}  // namespace v0\n}  // namespace mldefender\n";
    return out;
}

/// Of the JSON form, in its member `format`; another number means another layout.
inline constexpr std::string_view json_format = "mldefender-model 1";

namespace detail {

/// A JSON list of numbers, each in the fewest digits that read back as the same bits.
template <class Items, class Number>
std::string json_numbers(const Items& items, Number number) {
    std::string out = "[";
    char digits[64];
    for (const auto& item : items) {
        if (out.size() > 1) out += ',';
        out.append(digits, std::to_chars(digits, digits + sizeof(digits), number(item)).ptr);
    }
    return out + "]";
}

template <class Number>
std::string exact_number(Number number) {
    char digits[64];
    return {digits, std::to_chars(digits, digits + sizeof(digits), number).ptr};
}

inline std::string json_nodes(const model_data& model) {
    return json_object{}
        .raw("value", json_numbers(model.nodes, [](const forest_node& n) { return n.value; }))
        .raw("left", json_numbers(model.nodes, [](const forest_node& n) { return n.left; }))
        .raw("input", json_numbers(model.nodes, [](const forest_node& n) { return n.input; }))
        .raw("extra", json_numbers(model.nodes, [](const forest_node& n) { return n.extra; }))
        .done();
}

inline std::string json_sum(const model_data& model) {
    return json_object{}
        .text("link", name_of(model.sum.link))
        .text("precision", name_of(model.sum.precision))
        .text("class", name_of(model.sum.label))
        .raw("start", exact_number(model.sum.start))
        .raw("slope", exact_number(model.sum.slope))
        .raw("leaf_values", json_numbers(model.leaf_values, [](double value) { return value; }))
        .done();
}

}  // namespace detail

/// The model as one JSON object with the members of model_data; tables of nodes are columns. import_json.hpp reads it
/// back to the same bytes.
[[nodiscard]] inline result<std::string, error> json_text(const model_data& model) {
    const auto bundle = bundle_bytes(model);
    if (!bundle.ok()) return bundle.failure();
    const auto same = [](auto number) { return number; };
    detail::json_object out{",\n"};
    out.text("format", json_format)
        .text("name", model.name)
        .text("version", model.version)
        .text("hash", bundle_hash(*bundle))
        .text("command", model.command)
        .text("feature_list_hash", model.feature_list_hash)
        .text("metadata", model.metadata)
        .raw("seed", detail::exact_number(model.seed))
        .raw("suspicious", detail::exact_number(model.suspicious))
        .raw("malicious", detail::exact_number(model.malicious))
        .raw("inputs", detail::json_names(model.inputs, [](const std::string& name) { return name; }))
        .raw("importance", detail::json_numbers(model.importance, same))
        .raw("calibration_scores",
             detail::json_numbers(model.calibration, [](const calibration_point& p) { return p.score; }))
        .raw("calibration_confidences",
             detail::json_numbers(model.calibration, [](const calibration_point& p) { return p.confidence; }))
        .raw("roots", detail::json_numbers(model.roots, same))
        .raw("nodes", detail::json_nodes(model));
    if (!model.leaf_values.empty()) out.raw("sum", detail::json_sum(model));
    return out.done() + "\n";
}

/// Writes the bundle to `path`, which appears only when complete.
[[nodiscard]] inline result<void, error> save_bundle(const model_data& model, const std::string& path) {
    const auto data = bundle_bytes(model);
    if (!data.ok()) return data.failure();
    return detail::save_bytes({reinterpret_cast<const char*>(data->data()), data->size()}, path);
}

/// Writes the header to `path`, which appears only when complete.
[[nodiscard]] inline result<void, error> save_header(const model_data& model, const std::string& path) {
    const auto text = header_text(model);
    if (!text.ok()) return text.failure();
    return detail::save_bytes(*text, path);
}

/// Writes the JSON form to `path`, which appears only when complete.
[[nodiscard]] inline result<void, error> save_json(const model_data& model, const std::string& path) {
    const auto text = json_text(model);
    if (!text.ok()) return text.failure();
    return detail::save_bytes(*text, path);
}

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
