// SPDX-License-Identifier: MIT
// Models as files: reads a bundle (.mldf) and scores with it exactly as a compiled-in model would. Refuses any byte
// out of place before building anything: sizes, section table, check sum, text, tables (find_fault) and feature
// names; memory stays proportional to the input. Called by whoever loads a model at run time; written by the forge.
//
// All numbers little endian, nothing aligned, no gaps:
//     "MLDF", u16 format (1; 2 with the last section), u16 sections (6 or 7), u32 size of the file, u32 0
//     6 or 7 x { 4 characters, u32 offset, u32 bytes }   sections in this order, each beginning where the last ended:
//     "info"  u64 seed, f32 suspicious, f32 malicious, then name, version, command, feature-list hash,
//             each u16 length and text
//     "json"  metadata for people and tools, a UTF-8 JSON object; not interpreted here
//     "inpt"  per input: u8 length, feature name, f32 importance
//     "cali"  per point: f32 score, f32 confidence
//     "root"  per tree: u32 first node
//     "node"  per node: f32 value, u32 left, u16 input, u16 extra (see forest_node)
//     "leaf"  of a model that has leaf values: u16 link, u16 precision, u16 class, u16 0, f64 start, f64 slope, then
//     per
//             node f64 (see leaf_sum)
//     SHA-256 of everything before it; its first 16 hexadecimal digits are the model's hash
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mldefender/core/bytes.hpp>
#include <mldefender/core/detail/sha256.hpp>
#include <mldefender/core/forest.hpp>
#include <mldefender/core/model.hpp>
#include <mldefender/core/result.hpp>

namespace mldefender {
inline namespace v0 {

/// A model that owns its tables: what a bundle holds, what the trainer yields, what the exporters write.
struct model_data {
    std::string name;                 ///< detector, e.g. "ddos"
    std::string version;              ///< of the model, free text
    std::string command;              ///< command line that rebuilds it
    std::string feature_list_hash;    ///< of the whole feature list it was trained with, 16 hexadecimal digits
    std::string metadata;             ///< a JSON object: training data, scores, settings
    std::string hash;                 ///< of the bundle; empty until it was written or read
    std::uint64_t seed = 0;           ///< of the training
    float suspicious = 0;             ///< scores from here on deserve watching, 0..1
    float malicious = 0;              ///< scores from here on deserve a response, `suspicious`..1
    std::vector<std::string> inputs;  ///< feature names
    std::vector<float> importance;    ///< one per input
    std::vector<calibration_point> calibration;  ///< ascending from score 0 to score 1
    std::vector<std::uint32_t> roots;            ///< first node of each tree, ascending
    std::vector<forest_node> nodes;              ///< tree after tree, each breadth first
    std::vector<double> leaf_values = {};        ///< one for each node, or none: see leaf_sum
    leaf_sum sum = {};                           ///< how they are added

    /// The tables as find_fault wants them; valid while this object is not changed.
    [[nodiscard]] model_tables tables() const noexcept {
        return {nodes, roots, inputs.size(), calibration, suspicious, malicious, leaf_values, sum};
    }

    bool operator==(const model_data&) const = default;  ///< Equal in tables and all texts.
};

/// A compile-time model as owned data, so that both kinds can be compared and exported alike.
template <class Model>
[[nodiscard]] model_data copy_model() {
    model_data model;
    model.name = Model::name;
    model.version = Model::version;
    model.command = Model::command;
    model.feature_list_hash = Model::feature_list_hash;
    model.metadata = Model::metadata;
    model.hash = Model::hash;
    model.seed = Model::seed;
    model.suspicious = Model::suspicious;
    model.malicious = Model::malicious;
    model.inputs.assign(std::begin(Model::inputs), std::end(Model::inputs));
    model.importance.assign(std::begin(Model::importance), std::end(Model::importance));
    model.calibration.assign(std::begin(Model::calibration), std::end(Model::calibration));
    model.roots.assign(std::begin(Model::roots), std::end(Model::roots));
    model.nodes.assign(std::begin(Model::nodes), std::end(Model::nodes));
    const model_tables tables = tables_of<Model>();
    model.leaf_values.assign(tables.leaf_values.begin(), tables.leaf_values.end());
    model.sum = tables.sum;
    return model;
}

/// Version of the layout above; others are refused.
inline constexpr std::uint16_t bundle_format = 1;
/// Version of the layout with leaf values, so that readers who would pass them over refuse the file.
inline constexpr std::uint16_t bundle_format_leaf_values = 2;
/// First bytes of the file.
inline constexpr std::string_view bundle_magic = "MLDF";
/// The sections, in the order they stand in the file; the last one only with leaf values.
inline constexpr std::string_view bundle_sections[] = {"info", "json", "inpt", "cali", "root", "node", "leaf"};
/// Larger files are refused before anything is allocated.
inline constexpr std::size_t max_bundle_bytes = std::size_t{256} << 20;

namespace detail {

inline error bundle_error(errc code, std::string_view where, const std::string& what) {
    return {code, "not a usable model bundle: " + what, std::string{where}, 0};
}

inline float read_float(cursor& at) noexcept { return std::bit_cast<float>(at.le32()); }

inline double read_double(cursor& at) noexcept { return std::bit_cast<double>(at.le64()); }

/// Text without control characters: bundle texts end up in logs and terminals.
inline bool read_text(cursor& at, std::size_t length, std::string& out) {
    const bytes raw = at.take(length);
    if (!at.ok()) return false;
    for (const std::uint8_t byte : raw) {
        if (byte < 0x20 || byte == 0x7f) return false;
    }
    out.assign(raw.begin(), raw.end());
    return true;
}

inline bool read_info(bytes section, model_data& model) {
    cursor at{section};
    model.seed = at.le64();
    model.suspicious = read_float(at);
    model.malicious = read_float(at);
    for (std::string* text : {&model.name, &model.version, &model.command, &model.feature_list_hash}) {
        if (!read_text(at, at.le16(), *text)) return false;
    }
    return at.ok() && at.remaining() == 0 && !model.name.empty();
}

inline bool read_metadata(bytes section, model_data& model) {
    model.metadata.assign(section.begin(), section.end());
    return section.size() >= 2 && section.front() == '{' && section.back() == '}' &&
           model.metadata.find('\0') == std::string::npos;
}

inline bool read_inputs(bytes section, model_data& model) {
    cursor at{section};
    while (at.ok() && at.remaining() > 0) {
        std::string name;
        if (!read_text(at, at.u8(), name) || name.empty()) return false;
        for (const std::string& other : model.inputs) {
            if (other == name) return false;
        }
        model.inputs.push_back(std::move(name));
        model.importance.push_back(read_float(at));
        if (!(model.importance.back() >= 0 && model.importance.back() <= 1)) return false;
        if (model.inputs.size() > max_model_inputs) return false;
    }
    return at.ok();
}

/// Reads a section of equal records; false when it is not a whole number of them.
template <std::size_t Size, class Record, class Read>
bool read_records(bytes section, std::vector<Record>& out, Read read) {
    if (section.size() % Size != 0) return false;
    out.reserve(section.size() / Size);
    cursor at{section};
    while (at.remaining() > 0) out.push_back(read(at));
    return true;
}

inline bool read_tables(bytes calibration, bytes roots, bytes nodes, model_data& model) {
    // Braced initialisation evaluates left to right, which is the order of the fields in the file.
    return read_records<8>(calibration, model.calibration,
                           [](cursor& at) {
                               return calibration_point{read_float(at), read_float(at)};
                           }) &&
           read_records<4>(roots, model.roots, [](cursor& at) { return at.le32(); }) &&
           read_records<12>(nodes, model.nodes, [](cursor& at) {
               return forest_node{read_float(at), at.le32(), at.le16(), at.le16()};
           });
}

inline bool read_leaf_values(bytes section, model_data& model) {
    constexpr std::size_t head = 24;
    if (section.size() <= head) return false;
    cursor at{section.first(head)};
    const std::uint16_t link = at.le16();
    const std::uint16_t precision = at.le16();
    const std::uint16_t label = at.le16();
    if (link > 1 || precision > 1 || label >= attack_class_count || at.le16() != 0) return false;
    const double start = read_double(at);
    const double slope = read_double(at);
    model.sum = {static_cast<score_link>(link), static_cast<sum_precision>(precision), static_cast<attack_class>(label),
                 start, slope};
    return read_records<8>(section.subspan(head), model.leaf_values, read_double);
}

/// Cuts the file into its sections, of which the last may be missing; the message says what is wrong, empty when
/// nothing is.
inline std::string cut_sections(bytes body, std::size_t file_size, std::span<bytes> all_sections) {
    cursor at{body};
    if (!starts_with(at.take(bundle_magic.size()), bundle_magic)) return "it does not begin with MLDF";
    const std::uint16_t format = at.le16();
    if (format != bundle_format && format != bundle_format_leaf_values) {
        return "its format is neither 1 nor 2; this version reads no other";
    }
    const std::span<bytes> sections =
        all_sections.first(all_sections.size() - (format == bundle_format_leaf_values ? 0 : 1));
    if (at.le16() != sections.size()) return "its number of sections is not that of its format";
    if (at.le32() != file_size) return "its size differs from the size it states: truncated or padded";
    if (at.le32() != 0) return "a reserved field is not 0";
    std::size_t next = at.position() + 12 * sections.size();
    for (std::size_t i = 0; i < sections.size(); ++i) {
        if (!starts_with(at.take(4), bundle_sections[i])) return "its sections are not the expected ones, in order";
        const std::size_t offset = at.le32();
        const std::size_t size = at.le32();
        if (!at.ok() || offset != next || offset > body.size() || body.size() - offset < size) {
            return "section '" + std::string{bundle_sections[i]} +
                   "' does not lie inside the file after the one before";
        }
        sections[i] = body.subspan(offset, size);
        next = offset + size;
    }
    return next == body.size() ? std::string{} : "there are bytes after the last section";
}

inline std::string read_sections(std::span<const bytes> sections, model_data& model) {
    if (!read_info(sections[0], model)) return "section 'info' is malformed";
    if (!read_metadata(sections[1], model)) return "section 'json' is not a JSON object";
    if (!read_inputs(sections[2], model)) return "section 'inpt' is malformed or names a feature twice";
    if (!read_tables(sections[3], sections[4], sections[5], model)) return "a table is not a whole number of records";
    if (!sections[6].empty() && !read_leaf_values(sections[6], model)) return "section 'leaf' is malformed";
    const model_fault fault = find_fault(model.tables());
    return fault == model_fault::none ? std::string{} : std::string{describe(fault)};
}

}  // namespace detail

/// Reads a bundle. `where` names the source in errors. Allocates at most a few times the size of `file`.
[[nodiscard]] inline result<model_data, error> read_bundle(bytes file, std::string_view where) {
    constexpr std::size_t digest_size = sizeof(detail::sha256_digest);
    if (file.size() > max_bundle_bytes) {
        return detail::bundle_error(errc::too_large, where, "it is larger than 256 MiB");
    }
    if (file.size() < bundle_magic.size() + digest_size) {
        return detail::bundle_error(errc::truncated, where, "it is too short");
    }
    const bytes body = file.first(file.size() - digest_size);
    std::array<bytes, std::size(bundle_sections)> sections;
    std::string wrong = detail::cut_sections(body, file.size(), sections);
    if (!wrong.empty()) return detail::bundle_error(errc::corrupt, where, wrong);

    const detail::sha256_digest digest = detail::sha256_of(body);
    if (!std::equal(digest.begin(), digest.end(), file.last(digest_size).begin())) {
        return detail::bundle_error(errc::corrupt, where, "its contents do not match its SHA-256; copy it again");
    }
    model_data model;
    wrong = detail::read_sections(sections, model);
    // An empty last section would be a second way to write a model of format 1.
    if (wrong.empty() && body[4] == bundle_format_leaf_values && model.leaf_values.empty()) {
        wrong = "it is of format 2 without leaf values";
    }
    if (!wrong.empty()) return detail::bundle_error(errc::corrupt, where, wrong);
    model.hash = detail::short_hex(digest);
    return model;
}

namespace detail {

/// A file of a model, `kind` in errors, as far as `most` bytes and a little more.
inline result<std::vector<std::uint8_t>, error> read_file(const std::string& path, std::string_view kind,
                                                          std::size_t most) {
    const auto failed = [&](const char* what) {
        const int number = errno;
        return error{number == ENOENT ? errc::not_found : errc::io, what + std::string{kind}, path, number};
    };
    std::FILE* file = std::fopen(path.c_str(), "rb");
    if (file == nullptr) return failed("cannot open the ");
    std::vector<std::uint8_t> data;
    std::array<std::uint8_t, 65536> block;
    std::size_t got = 1;
    while (got > 0 && data.size() <= most) {
        got = std::fread(block.data(), 1, block.size(), file);
        data.insert(data.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(got));
    }
    const bool broken = std::ferror(file) != 0;
    const error reason = failed("cannot read the ");
    (void)std::fclose(file);
    if (broken) return reason;
    return data;
}

}  // namespace detail

/// Reads the bundle in a file. Fails with not_found or io and errno when the system refuses, else as read_bundle.
[[nodiscard]] inline result<model_data, error> load_bundle(const std::string& path) {
    const auto data = detail::read_file(path, "model bundle", max_bundle_bytes);
    if (!data) return data.failure();
    return read_bundle(*data, path);
}

/// A run-time model as a detector, with the interface of `basic_forest`. Const functions are safe from any number
/// of threads; moving or assigning is not. Empty (every score 0) until made.
template <class Features>
class basic_bundle_forest {
public:
    /// A row: one float per feature of the list, in its order.
    using row_type = std::span<const float, Features::count>;

    basic_bundle_forest() = default;

    /// Takes a model whose every input is a feature of the list; says which one is not.
    [[nodiscard]] static result<basic_bundle_forest, error> make(model_data model) {  // NOLINT: it is moved below
        const model_fault fault = find_fault(model.tables());
        if (fault != model_fault::none) {
            return detail::bundle_error(errc::bad_value, model.name, std::string{describe(fault)});
        }
        basic_bundle_forest made;
        for (const std::string& input : model.inputs) {
            const auto index = Features::index(input);
            if (!index) {
                return detail::bundle_error(errc::not_found, model.name,
                                            "it needs feature '" + input + "', which this version does not compute; " +
                                                "train the model again");
            }
            made.m_inputs.push_back(static_cast<std::uint16_t>(*index));
        }
        made.m_ends = ends_of(model.calibration, model.suspicious, model.malicious);
        made.m_model = std::move(model);
        made.m_flat = detail::flat_forest{made.m_model.tables(), made.m_inputs};
        return made;
    }

    /// The model itself: names, hash, thresholds, metadata.
    [[nodiscard]] const model_data& model() const noexcept { return m_model; }
    /// Detector, e.g. "ddos"; the views of these three live as long as this object.
    [[nodiscard]] std::string_view name() const noexcept { return m_model.name; }
    /// Of the model, free text.
    [[nodiscard]] std::string_view version() const noexcept { return m_model.version; }
    /// First 16 hexadecimal digits of the SHA-256 of the bundle.
    [[nodiscard]] std::string_view hash() const noexcept { return m_model.hash; }
    /// Scores from here on deserve watching.
    [[nodiscard]] float suspicious() const noexcept { return m_model.suspicious; }
    /// Scores from here on deserve a response.
    [[nodiscard]] float malicious() const noexcept { return m_model.malicious; }
    /// Where its scores begin and end to mean something.
    [[nodiscard]] score_ends ends() const noexcept { return m_ends; }

    /// The reference walk; valid while this object is neither moved nor assigned.
    [[nodiscard]] forest_view view() const noexcept {
        return {m_model.nodes, m_model.roots, m_inputs, m_model.leaf_values, m_model.sum};
    }

    /// Mean probability over the trees, or what its leaf values add up to; 0..1.
    [[nodiscard]] float score(row_type row) const noexcept {
        if (!m_model.leaf_values.empty()) return detail::summed_score(m_flat, m_model.sum, row, tree_count());
        return detail::mean_of_units(m_flat.total(row), tree_count());
    }

    /// Score and attack class.
    [[nodiscard]] forest_answer answer(row_type row) const noexcept {
        if (!m_model.leaf_values.empty()) return detail::answer_of(m_model.sum, score(row));
        return detail::answer_of(m_flat.sums(row), tree_count());
    }

    /// See forest_view::explain.
    std::size_t explain(row_type row, std::span<contribution> out) const noexcept {
        return m_model.roots.empty() ? 0 : view().explain(row, out);
    }

    /// Share of training flows with such a score that were attacks.
    [[nodiscard]] float confidence(float score) const noexcept { return confidence_of(m_model.calibration, score); }

private:
    [[nodiscard]] std::size_t tree_count() const noexcept { return m_model.roots.empty() ? 1 : m_model.roots.size(); }

    model_data m_model;
    score_ends m_ends;
    std::vector<std::uint16_t> m_inputs;
    detail::flat_forest m_flat;
};

/// A run-time model over the standard features.
using bundle_forest = basic_bundle_forest<standard_features>;

}  // namespace v0
}  // namespace mldefender
