// SPDX-License-Identifier: MIT
// Checks the keyed hash chain over a whole log directory and names the first line that does not fit, and whether
// lines were altered, removed or inserted. Lines are followed by `mld.seq` across the day files, as events near
// midnight may be written to the older file after the newer one. Reads only. Called by `mldefender-log verify`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mldefender/core/result.hpp>
#include <mldefender/log/chain.hpp>
#include <mldefender/log/detail/resume.hpp>
#include <mldefender/log/event_reader.hpp>

namespace mldefender {
inline namespace v0 {
namespace log {

/// What happened to a log.
enum class tampering : std::uint8_t { altered, removed, inserted };

/// As `mldefender-log verify` prints it.
[[nodiscard]] constexpr std::string_view name_of(tampering t) noexcept {
    switch (t) {
        case tampering::altered: return "altered";
        case tampering::removed: return "removed";
        case tampering::inserted: return "inserted";
    }
    return "altered";
}

/// The first place where the chain breaks.
struct chain_break {
    tampering kind = tampering::altered;  ///< what was done to the log
    std::string where;                    ///< "file:line" of the first line that does not fit
    std::string what;                     ///< the finding, for a person
};

/// What `verify_directory` found.
struct verify_report {
    std::uint64_t lines = 0;              ///< that fit the chain
    std::uint64_t first_seq = 0;          ///< of the first line, 0 without lines
    std::uint64_t last_seq = 0;           ///< of the last line that fits
    chain_link last_link = first_link();  ///< note it down: a later check can be compared with it
    /// Gaps in `mld.seq` over which the chain holds: the sensor itself lost these lines (disk full) and counted them.
    std::uint64_t lost_by_sensor = 0;
    /// The log does not start with line 1: older files are gone, and the first line's own link cannot be checked.
    bool starts_late = false;
    /// An unfinished last line: being written now, or left by a crash (the sensor cuts it at its next start).
    bool torn_tail = false;
    std::optional<chain_break> broken;  ///< where the chain breaks; nothing when intact
};

namespace detail {

/// One day file during the check. Kept closed until its turn comes, so that years of files need few descriptors.
class chain_source {
public:
    explicit chain_source(std::string path) : m_path(std::move(path)) {}

    /// Reads the file's next line.
    result<void, error> advance() {
        if (!m_file) {
            auto opened = log_file::open(m_path);
            if (!opened) return opened.failure();
            m_file = std::move(*opened);
        }
        auto next = m_file->next();
        if (!next) return next.failure();
        m_line = *next;
        m_stamp = m_line.text ? find_stamp(*m_line.text) : std::nullopt;
        m_where = m_file->where();
        if (!m_line.text) m_file.reset();
        return {};
    }
    /// Remembers only the first line's number.
    void rest() noexcept { m_file.reset(), m_resting = true; }
    result<void, error> wake() { return std::exchange(m_resting, false) ? advance() : result<void, error>{}; }

    [[nodiscard]] bool finished() const noexcept { return !m_line.text; }
    [[nodiscard]] bool torn() const noexcept { return m_line.torn; }
    [[nodiscard]] const std::optional<found_stamp>& stamp() const noexcept { return m_stamp; }
    /// A line without a readable stamp comes first: it is broken whatever its place.
    [[nodiscard]] std::uint64_t order() const noexcept { return m_stamp && !torn() ? m_stamp->end.seq : torn_order(); }
    [[nodiscard]] const std::string& where() const noexcept { return m_where; }

    [[nodiscard]] chain_link computed(const chain& after) const noexcept {
        return after.link_of(m_line.text->substr(0, m_stamp->chain_at),
                             m_line.text->substr(m_stamp->chain_at + chain_digits));
    }

private:
    [[nodiscard]] std::uint64_t torn_order() const noexcept { return torn() ? UINT64_MAX : 0; }

    std::string m_path;
    std::optional<log_file> m_file;
    log_file::line m_line;
    std::optional<found_stamp> m_stamp;
    std::string m_where;
    bool m_resting = false;
};

class chain_checker {
public:
    chain_checker(const chain_key& key, verify_report& report) noexcept : m_chain(key), m_report(report) {}

    result<void, error> run(const std::vector<std::string>& files) {
        for (const std::string& path : files) {
            m_sources.emplace_back(path);
            if (auto first = m_sources.back().advance(); !first) return first;
            m_sources.back().rest();
        }
        for (chain_source* source = lowest(); source != nullptr; source = following(source)) {
            if (auto woken = source->wake(); !woken) return woken;
            if (source->torn()) {
                m_report.torn_tail = true;
                return {};
            }
            if (auto stepped = step(*source); !stepped || m_report.broken) return stepped;
            if (auto next = source->advance(); !next) return next;
        }
        return {};
    }

private:
    [[nodiscard]] chain_source* lowest() noexcept {
        chain_source* best = nullptr;
        for (chain_source& source : m_sources) {
            if (!source.finished() && (best == nullptr || source.order() < best->order())) best = &source;
        }
        return best;
    }

    /// The same file as long as its lines follow each other, without a look at all the others.
    [[nodiscard]] chain_source* following(chain_source* source) noexcept {
        const bool continues = !source->finished() && source->order() == m_report.last_seq + 1;
        return continues ? source : lowest();
    }

    result<void, error> step(chain_source& source) {
        if (!source.stamp()) {
            broken(tampering::altered, source.where(), "is not an event line of this log");
            return {};
        }
        const line_end& stored = source.stamp()->end;
        const bool first = m_report.lines == 0;
        if (first && stored.seq > 1) {
            m_report.starts_late = true;
            m_chain.rewind(stored.link);
        } else if (source.computed(m_chain) == stored.link) {
            m_chain.rewind(stored.link);
        } else {
            return explain(source);
        }
        if (first) m_report.first_seq = stored.seq;
        if (!first && stored.seq > m_report.last_seq + 1) m_report.lost_by_sensor += stored.seq - m_report.last_seq - 1;
        m_report.last_seq = stored.seq;
        m_report.last_link = stored.link;
        ++m_report.lines;
        return {};
    }

    /// Tells what was done from the numbers and from whether the next line still follows the last good one.
    result<void, error> explain(chain_source& source) {
        const std::string where = source.where();
        const std::uint64_t expected = m_report.last_seq + 1;
        const std::uint64_t seq = source.stamp()->end.seq;
        if (m_report.lines > 0 && seq < expected) {
            broken(tampering::inserted, where, "line " + std::to_string(seq) + " comes a second time");
            return {};
        }
        if (auto next = source.advance(); !next) return next;
        const chain_source* after = lowest();
        if (after != nullptr && after->stamp() && !after->torn() && after == &source &&
            after->computed(m_chain) == after->stamp()->end.link) {
            broken(tampering::inserted, where, "this line was not written by the sensor; the next one was");
        } else if (seq > expected) {
            broken(tampering::removed, where,
                   "lines " + std::to_string(expected) + " to " + std::to_string(seq - 1) + " are missing before it");
        } else {
            broken(tampering::altered, where, "line " + std::to_string(seq) + " is not as the sensor wrote it");
        }
        return {};
    }

    void broken(tampering kind, const std::string& where, std::string what) {
        m_report.broken = chain_break{kind, where, std::move(what)};
    }

    chain m_chain;
    verify_report& m_report;
    std::vector<chain_source> m_sources;
};

}  // namespace detail

/// Follows the chain through all event files of a directory. Fails only when something cannot be read; a broken
/// chain is a report. `key_path` as in `event_log_options` ("" is DIR/.chain.key).
[[nodiscard]] inline result<verify_report, error> verify_directory(const std::string& directory,
                                                                   std::string key_path = {}) {
    if (key_path.empty()) key_path = directory + "/.chain.key";
    auto key = chain_key::load(key_path);
    if (!key) return key.failure();
    auto files = event_files(directory);
    if (!files) return files.failure();
    // Read before the lines: a sensor that is running may move the head on meanwhile.
    std::optional<detail::line_end> head;
    if (const auto text = detail::read_file(key_path + ".head", 4096)) head = detail::parse_head(text.value());
    verify_report report;
    if (auto done = detail::chain_checker{*key, report}.run(*files); !done) return done.failure();
    if (!report.broken && head && head->seq > report.last_seq) {
        report.broken = chain_break{tampering::removed, files->empty() ? directory : files->back(),
                                    "lines " + std::to_string(report.last_seq + 1) + " to " +
                                        std::to_string(head->seq) + " are missing at the end"};
    }
    return report;
}

}  // namespace log
}  // namespace v0
}  // namespace mldefender
