// SPDX-License-Identifier: MIT
// Where a log directory ended: which files are its lines, what its last good line was, and how much of a torn line
// had to be cut. Only an unterminated tail is ever removed; a damaged line that is complete stays as evidence.
// Called by the event log at start; the file listing also by the readers.
#pragma once

#include <dirent.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mldefender/core/result.hpp>
#include <mldefender/log/chain.hpp>
#include <mldefender/log/detail/file.hpp>

namespace mldefender {
inline namespace v0 {
namespace log {
namespace detail {

/// "2026-11-20.jsonl", the only names taken for event files.
[[nodiscard]] constexpr bool is_day_file(std::string_view name) noexcept {
    constexpr std::string_view shape = "dddd-dd-dd.jsonl";
    if (name.size() != shape.size()) return false;
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (i < 10 && shape[i] == 'd' ? (name[i] < '0' || name[i] > '9') : name[i] != shape[i]) return false;
    }
    return true;
}

/// Names in a directory that satisfy `wanted`, sorted.
template <class Predicate>
[[nodiscard]] result<std::vector<std::string>, error> list_directory(const std::string& path, Predicate wanted) {
    DIR* directory = ::opendir(path.c_str());
    if (directory == nullptr) return system_error("list", path, errno);
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(directory)) {
        if (wanted(std::string_view{entry->d_name})) names.emplace_back(entry->d_name);
    }
    ::closedir(directory);
    std::sort(names.begin(), names.end());
    return names;
}

/// What the next line continues from.
struct line_end {
    std::uint64_t seq = 0;
    chain_link link = first_link();
};

/// `mld.seq` and `mld.chain` of a line this library wrote, found without parsing the rest: a quote inside a text is
/// escaped, so these keys appear nowhere else.
struct found_stamp {
    line_end end;
    std::size_t chain_at = 0;
};
[[nodiscard]] inline std::optional<found_stamp> find_stamp(std::string_view line) noexcept {
    constexpr std::string_view seq_key = ",\"seq\":";
    constexpr std::string_view chain_key_text = ",\"chain\":\"";
    const std::size_t seq_at = line.find(seq_key);
    const std::size_t chain_at = line.find(chain_key_text);
    if (seq_at == std::string_view::npos || chain_at == std::string_view::npos || !line.ends_with("}}")) return {};
    found_stamp found;
    const char* const digits = line.data() + seq_at + seq_key.size();
    if (std::from_chars(digits, line.data() + line.size(), found.end.seq).ec != std::errc{}) return {};
    found.chain_at = chain_at + chain_key_text.size();
    const auto link = parse_link(line.substr(found.chain_at, chain_digits));
    if (!link) return {};
    found.end.link = *link;
    return found;
}

/// Bytes [from, to) of an open file.
[[nodiscard]] inline result<std::string, error> read_range(const descriptor& file, const std::string& path,
                                                           std::int64_t from, std::int64_t to) {
    std::string text(static_cast<std::size_t>(to - from), '\0');
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t got =
            ::pread(file.get(), text.data() + done, text.size() - done, from + static_cast<std::int64_t>(done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return system_error("read", path, errno);
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    text.resize(done);
    return text;
}

struct file_end {
    std::optional<line_end> last;  ///< of the last good line among the last mebibyte
    std::uint64_t cut_bytes = 0;
};

/// Cuts an unterminated tail off one file and finds its last good line.
[[nodiscard]] inline result<file_end, error> repair_file(const std::string& path) {
    constexpr std::int64_t window = 1 << 20;
    auto file = open_file(path, O_RDWR);
    if (!file) return file.failure();
    const std::int64_t size = ::lseek(file->get(), 0, SEEK_END);
    if (size < 0) return system_error("examine", path, errno);
    std::int64_t whole = size;  // where the last complete line ends
    std::string tail;
    std::int64_t from = size;
    file_end end;
    while (from > 0) {
        const std::int64_t to = from;
        from = std::max<std::int64_t>(0, to - window);
        auto block = read_range(*file, path, from, to);
        if (!block) return block.failure();
        tail = std::move(*block);
        const std::size_t feed = tail.rfind('\n');
        whole = feed == std::string::npos ? from : from + static_cast<std::int64_t>(feed) + 1;
        if (feed != std::string::npos) break;
    }
    if (whole < size) {
        if (::ftruncate(file->get(), whole) != 0) return system_error("cut the torn last line", path, errno);
        end.cut_bytes = static_cast<std::uint64_t>(size - whole);
    }
    from = std::max<std::int64_t>(0, whole - window);
    auto block = read_range(*file, path, from, whole);
    if (!block) return block.failure();
    std::string_view lines = *block;
    while (!lines.empty() && !end.last) {
        lines.remove_suffix(1);  // the line feed
        const std::size_t before = lines.rfind('\n');
        const std::size_t start = before == std::string_view::npos ? 0 : before + 1;
        if (const auto stamp = find_stamp(lines.substr(start))) end.last = stamp->end;
        lines = lines.substr(0, start);
    }
    return end;
}

/// The last good line of a directory (the one with the largest seq) after all its files were repaired.
struct directory_end {
    line_end last;
    std::uint64_t cut_bytes = 0;
};
[[nodiscard]] inline result<directory_end, error> repair_directory(const std::string& directory) {
    auto names = list_directory(directory, is_day_file);
    if (!names) return names.failure();
    directory_end end;
    for (const std::string& name : *names) {
        auto found = repair_file(directory + '/' + name);
        if (!found) return found.failure();
        end.cut_bytes += found->cut_bytes;
        if (found->last && found->last->seq >= end.last.seq) end.last = *found->last;
    }
    return end;
}

/// The last commit as remembered beside the key, so that lines cut off the end of the log are missed.
/// Text: seq in 20 digits, a blank, the link, a line feed.
inline constexpr std::size_t head_size = 20 + 1 + chain_digits + 1;

[[nodiscard]] inline std::optional<line_end> parse_head(std::string_view text) noexcept {
    if (text.size() != head_size || text[20] != ' ' || text.back() != '\n') return {};
    line_end end;
    const auto parsed = std::from_chars(text.data(), text.data() + 20, end.seq);
    const auto link = parse_link(text.substr(21, chain_digits));
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + 20 || !link) return {};
    end.link = *link;
    return end;
}

inline void write_head(const descriptor& file, const line_end& end) noexcept {
    std::array<char, head_size> text{};
    text.fill('0');
    std::array<char, 20> digits{};
    const auto length =
        static_cast<std::size_t>(std::to_chars(digits.data(), digits.data() + 20, end.seq).ptr - digits.data());
    std::copy_n(digits.data(), length, text.data() + 20 - length);
    text[20] = ' ';
    std::copy(end.link.begin(), end.link.end(), text.begin() + 21);
    text.back() = '\n';
    if (::pwrite(file.get(), text.data(), text.size(), 0) < 0) return;  // an older head stays true
}

}  // namespace detail
}  // namespace log
}  // namespace v0
}  // namespace mldefender
