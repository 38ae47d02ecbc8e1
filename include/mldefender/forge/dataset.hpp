// SPDX-License-Identifier: MIT
// Training data: named feature columns, and for each row its attack class, weight and where it comes from: the group
// (rows of one episode, which must not be split between training and judging), the flow and the behaviour. Refuses rows
// of another width, infinities and weights that are not positive. Saved and loaded as one checked file, so that
// synthesis and training can be separate steps. Filled by rows.hpp, read by the trainer and the evaluation.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mldefender/core/attack.hpp>
#include <mldefender/core/bytes.hpp>
#include <mldefender/core/detail/sha256.hpp>
#include <mldefender/core/result.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {

/// Where a row comes from.
struct row_origin {
    std::uint32_t group = 0;  ///< episode: rows that must not be split between training and judging
    std::uint32_t flow = 0;   ///< rows with the same number in the same group judge the same conversation
    std::string_view source;  ///< behaviour or family of traffic, "" when unknown
};

/// Rows of features with labels, column after column. Not thread safe while rows are added.
class dataset {
public:
    dataset() = default;

    /// An empty dataset with these columns.
    explicit dataset(std::vector<std::string> names) : m_names(std::move(names)), m_columns(m_names.size()) {}

    /// Adds a row: one float per column (NaN means unknown), its class (`none` is benign), the episode it comes
    /// from and its weight (> 0). Fails with bad_argument for another width and bad_value for an infinity or weight.
    /// Without a flow number given, the row is a flow of its own.
    result<void, errc> add_row(std::span<const float> row, attack_class label, std::uint32_t group,
                               float weight = 1.0F) {
        return add_row(row, label, row_origin{group, static_cast<std::uint32_t>(rows()), {}}, weight);
    }
    /// The same with all that is known of the row's origin; too_large after 65,536 different sources.
    result<void, errc> add_row(std::span<const float> row, attack_class label, const row_origin& from,
                               float weight = 1.0F) {
        if (row.size() != m_columns.size() || static_cast<std::size_t>(label) >= attack_class_count) {
            return errc::bad_argument;
        }
        if (!(weight > 0) || std::isinf(weight)) return errc::bad_value;
        for (const float value : row) {
            if (std::isinf(value)) return errc::bad_value;
        }
        const auto source = source_number(from.source);
        if (!source) return errc::too_large;
        for (std::size_t c = 0; c < row.size(); ++c) m_columns[c].push_back(row[c]);
        m_labels.push_back(label);
        m_weights.push_back(weight);
        m_groups.push_back(from.group);
        m_flows.push_back(from.flow);
        m_sources.push_back(*source);
        return {};
    }

    /// Adds all rows of another dataset with the same columns; bad_argument when they differ.
    result<void, errc> append(const dataset& other) {
        if (other.m_names != m_names) return errc::bad_argument;
        std::vector<std::uint16_t> renumbered;
        for (const std::string& name : other.m_source_names) {
            const auto number = source_number(name);
            if (!number) return errc::too_large;
            renumbered.push_back(*number);
        }
        const auto join = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
        for (std::size_t c = 0; c < m_columns.size(); ++c) join(m_columns[c], other.m_columns[c]);
        join(m_labels, other.m_labels);
        join(m_weights, other.m_weights);
        join(m_groups, other.m_groups);
        join(m_flows, other.m_flows);
        for (const std::uint16_t source : other.m_sources) m_sources.push_back(renumbered[source]);
        return {};
    }

    /// Rows added so far.
    [[nodiscard]] std::size_t rows() const noexcept { return m_labels.size(); }
    /// Features of a row.
    [[nodiscard]] std::size_t columns() const noexcept { return m_columns.size(); }
    /// Names of the columns, in order.
    [[nodiscard]] const std::vector<std::string>& names() const noexcept { return m_names; }
    /// All values of a column, one per row; `index` < columns().
    [[nodiscard]] std::span<const float> column(std::size_t index) const noexcept { return m_columns[index]; }
    /// The class of each row.
    [[nodiscard]] std::span<const attack_class> labels() const noexcept { return m_labels; }
    /// The weight of each row, > 0.
    [[nodiscard]] std::span<const float> weights() const noexcept { return m_weights; }
    /// The episode each row comes from.
    [[nodiscard]] std::span<const std::uint32_t> groups() const noexcept { return m_groups; }
    /// The conversation each row judges, a number within its group.
    [[nodiscard]] std::span<const std::uint32_t> flows() const noexcept { return m_flows; }
    /// The behaviour or family of each row, an index into source_names().
    [[nodiscard]] std::span<const std::uint16_t> sources() const noexcept { return m_sources; }
    /// Names of behaviours and families, in the order they first came; "" is unknown.
    [[nodiscard]] const std::vector<std::string>& source_names() const noexcept { return m_source_names; }

    /// Where the rows come from, for the model's metadata: generator, seed, scale.
    [[nodiscard]] const std::string& description() const noexcept { return m_description; }
    /// Sets that text.
    void describe(std::string text) { m_description = std::move(text); }

    /// Equal in every row, name and text. A dataset with NaN equals nothing.
    bool operator==(const dataset&) const = default;

private:
    friend result<dataset, error> load_dataset(const std::string& path);

    // Rows of a source come in runs, so the last one is looked at first.
    std::optional<std::uint16_t> source_number(std::string_view name) {
        if (!m_sources.empty() && m_source_names[m_sources.back()] == name) return m_sources.back();
        const auto known = std::find(m_source_names.begin(), m_source_names.end(), name);
        const auto number = static_cast<std::size_t>(known - m_source_names.begin());
        if (number > 0xffff) return std::nullopt;
        if (known == m_source_names.end()) m_source_names.emplace_back(name);
        return static_cast<std::uint16_t>(number);
    }

    std::string m_description;
    std::vector<std::string> m_names;
    std::vector<std::vector<float>> m_columns;
    std::vector<attack_class> m_labels;
    std::vector<float> m_weights;
    std::vector<std::uint32_t> m_groups;
    std::vector<std::uint32_t> m_flows;
    std::vector<std::string> m_source_names;
    std::vector<std::uint16_t> m_sources;
};

/// Identifies a feature list: SHA-256 of its names joined by newlines, 16 hexadecimal digits.
[[nodiscard]] inline std::string feature_list_hash(std::span<const std::string> names) {
    mldefender::detail::sha256 hash;
    for (const std::string& name : names) {
        const std::string line = name + '\n';
        const std::vector<std::uint8_t> raw(line.begin(), line.end());
        hash.update(raw);
    }
    return mldefender::detail::short_hex(hash.finish());
}

namespace detail {

inline constexpr std::string_view dataset_magic = "MLDD0002";

struct close_file {
    void operator()(std::FILE* file) const noexcept { (void)std::fclose(file); }
};
using file_handle = std::unique_ptr<std::FILE, close_file>;

inline error file_error(std::string_view what, const std::string& path) {
    const int number = errno;
    return {number == ENOENT ? errc::not_found : errc::io, std::string{what}, path, number};
}

/// Writes little-endian numbers through a block buffer and hashes what it writes.
class dataset_writer {
public:
    explicit dataset_writer(std::FILE* file) : m_file(file) { m_block.reserve(block_size + 8); }

    void number(std::uint64_t value, int size) {
        for (int i = 0; i < size; ++i) m_block.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
        if (m_block.size() >= block_size) flush();
    }
    void text(std::string_view value) {
        number(value.size(), 4);
        for (const char c : value) number(static_cast<std::uint8_t>(c), 1);
    }
    /// Appends the digest; true when every byte was taken by the system.
    bool finish() {
        flush();
        const auto digest = m_hash.finish();
        m_ok = m_ok && std::fwrite(digest.data(), 1, digest.size(), m_file) == digest.size();
        return m_ok && std::fflush(m_file) == 0;
    }

private:
    static constexpr std::size_t block_size = 1U << 20;

    void flush() {
        m_hash.update(m_block);
        m_ok = m_ok && std::fwrite(m_block.data(), 1, m_block.size(), m_file) == m_block.size();
        m_block.clear();
    }

    std::FILE* m_file;
    std::vector<std::uint8_t> m_block;
    mldefender::detail::sha256 m_hash;
    bool m_ok = true;
};

/// Everything up to the end of the file, then checked against its digest.
inline result<std::vector<std::uint8_t>, error> read_checked(const std::string& path) {
    const file_handle file{std::fopen(path.c_str(), "rb")};
    if (!file) return file_error("cannot open the dataset", path);
    std::vector<std::uint8_t> data;
    std::size_t got = 1;
    while (got > 0) {
        const std::size_t before = data.size();
        data.resize(before + (std::size_t{4} << 20));
        got = std::fread(data.data() + before, 1, data.size() - before, file.get());
        data.resize(before + got);
    }
    if (std::ferror(file.get()) != 0) return file_error("cannot read the dataset", path);
    constexpr std::size_t digest_size = sizeof(mldefender::detail::sha256_digest);
    if (data.size() < digest_size + dataset_magic.size() || !starts_with(data, dataset_magic)) {
        return error{errc::corrupt, "not a dataset: it does not begin with MLDD0002", path, 0};
    }
    const bytes body = bytes{data}.first(data.size() - digest_size);
    const auto digest = mldefender::detail::sha256_of(body);
    for (std::size_t i = 0; i < digest_size; ++i) {
        if (data[body.size() + i] != digest[i]) {
            return error{errc::corrupt, "the dataset does not match its SHA-256: cut short or damaged; make it again",
                         path, 0};
        }
    }
    data.resize(body.size());
    return data;
}

inline std::string read_string(cursor& at) {
    const bytes raw = at.take(at.le32());
    return {raw.begin(), raw.end()};
}

/// A count and that many strings; the cursor fails when there cannot be so many.
inline std::vector<std::string> read_strings(cursor& at) {
    const std::uint32_t count = at.le32();
    std::vector<std::string> names;
    if (count > at.remaining() / 4) at.skip(at.remaining() + 1);
    for (std::uint32_t i = 0; at.ok() && i < count; ++i) names.push_back(read_string(at));
    return names;
}

}  // namespace detail

/// Writes a dataset: "MLDD0002", description, column count, names, source count, names, u64 rows, the columns (f32),
/// labels (u8), weights (f32), groups (u32), flows (u32), sources (u16), SHA-256; little endian. The file appears only
/// when it is complete.
[[nodiscard]] inline result<void, error> save_dataset(const dataset& data, const std::string& path) {
    const std::string temporary = path + ".tmp";
    {
        const detail::file_handle file{std::fopen(temporary.c_str(), "wb")};
        if (!file) return detail::file_error("cannot create the dataset", temporary);
        detail::dataset_writer out{file.get()};
        for (const char c : detail::dataset_magic) out.number(static_cast<std::uint8_t>(c), 1);
        out.text(data.description());
        out.number(data.columns(), 4);
        for (const std::string& name : data.names()) out.text(name);
        out.number(data.source_names().size(), 4);
        for (const std::string& name : data.source_names()) out.text(name);
        out.number(data.rows(), 8);
        for (std::size_t c = 0; c < data.columns(); ++c) {
            for (const float value : data.column(c)) out.number(std::bit_cast<std::uint32_t>(value), 4);
        }
        for (const attack_class label : data.labels()) out.number(static_cast<std::uint8_t>(label), 1);
        for (const float weight : data.weights()) out.number(std::bit_cast<std::uint32_t>(weight), 4);
        for (const std::uint32_t group : data.groups()) out.number(group, 4);
        for (const std::uint32_t flow : data.flows()) out.number(flow, 4);
        for (const std::uint16_t source : data.sources()) out.number(source, 2);
        if (!out.finish()) return detail::file_error("cannot write the dataset", temporary);
    }
    if (std::rename(temporary.c_str(), path.c_str()) != 0) return detail::file_error("cannot rename the dataset", path);
    return {};
}

/// Reads what save_dataset wrote. Memory stays proportional to the size of the file.
[[nodiscard]] inline result<dataset, error> load_dataset(const std::string& path) {
    const auto body = detail::read_checked(path);
    if (!body.ok()) return body.failure();
    const error malformed{errc::corrupt, "the dataset's structure is wrong; make it again", path, 0};
    cursor at{*body};
    at.skip(detail::dataset_magic.size());
    std::string description = detail::read_string(at);
    auto names = detail::read_strings(at);
    auto sources = detail::read_strings(at);
    const std::uint64_t rows = at.le64();
    const std::size_t row_size = std::size_t{4} * names.size() + 15;
    if (!at.ok() || rows != at.remaining() / row_size || at.remaining() % row_size != 0) return malformed;

    dataset data{std::move(names)};
    data.m_source_names = std::move(sources);
    data.describe(std::move(description));
    for (auto& column : data.m_columns) {
        column.resize(rows);
        for (float& value : column) value = std::bit_cast<float>(at.le32());
    }
    for (std::uint64_t r = 0; r < rows; ++r) {
        const std::uint8_t label = at.u8();
        if (label >= attack_class_count) return malformed;
        data.m_labels.push_back(static_cast<attack_class>(label));
    }
    for (std::uint64_t r = 0; r < rows; ++r) data.m_weights.push_back(std::bit_cast<float>(at.le32()));
    for (std::uint64_t r = 0; r < rows; ++r) data.m_groups.push_back(at.le32());
    for (std::uint64_t r = 0; r < rows; ++r) data.m_flows.push_back(at.le32());
    for (std::uint64_t r = 0; r < rows; ++r) {
        const std::uint16_t source = at.le16();
        if (source >= data.m_source_names.size()) return malformed;
        data.m_sources.push_back(source);
    }
    for (const float weight : data.m_weights) {
        if (!(weight > 0) || std::isinf(weight)) return malformed;
    }
    return data;
}

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
