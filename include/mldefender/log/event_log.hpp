// SPDX-License-Identifier: MIT
// The durable event log of one sensor: DIR/YYYY-MM-DD.jsonl by the event's UTC day, artifacts beside them, a keyed
// chain over all lines. Lines are committed in groups, one write each; a torn tail is cut at start; a full disk stops
// nothing: lines wait in bounded memory, then are counted as lost, and writing resumes by itself. One thread at a
// time; `async_event_log` puts it on a thread of its own. Refuses a directory another log has open.
#pragma once

#include <sys/file.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <mldefender/core/event.hpp>
#include <mldefender/core/result.hpp>
#include <mldefender/log/artifact.hpp>
#include <mldefender/log/chain.hpp>
#include <mldefender/log/country.hpp>
#include <mldefender/log/detail/file.hpp>
#include <mldefender/log/detail/resume.hpp>
#include <mldefender/log/identity.hpp>
#include <mldefender/log/line_writer.hpp>

namespace mldefender {
inline namespace v0 {
namespace log {

/// When written lines are forced to the disk.
enum class durability : std::uint8_t {
    each_group,  ///< live: a committed line survives a power cut
    on_close     ///< replaying files: lines survive a kill at once, a power cut after `flush` or a change of day
};

/// Bounds on artifacts, so that a flood cannot fill the disk with small files. What exceeds one is counted and its
/// event keeps an empty `mld.artifact`.
struct artifact_limits {
    std::uint32_t per_day = 1000;       ///< files a UTC day, those of earlier runs included
    std::uint32_t flows_per_day = 250;  ///< of these, for events outside a story
    std::uint32_t per_story = 8;        ///< files of one story
    std::uint32_t payload_bytes = 256;  ///< of each direction
};

/// Where and how a log writes.
struct event_log_options {
    std::string directory{};  ///< made when absent
    /// Key of the chain, created when absent; "" is DIR/.chain.key, which only shows accidental damage. The position
    /// of the log's end is kept in the same path with ".head" added, so every log needs its own key file.
    std::string chain_key_path{};
    std::uint32_t group_lines = 64;            ///< lines that make a full group
    std::int64_t group_ns = 200'000'000;       ///< oldest uncommitted line
    std::size_t max_pending_bytes = 4U << 20;  ///< lines kept in memory while the disk refuses them
    durability sync = durability::each_group;  ///< when lines are forced to disk
    artifact_limits artifacts{};               ///< bounds on evidence files
    const country_db* countries = nullptr;     ///< fills missing country codes; must outlive the log
};

/// What a log did so far.
struct event_log_counters {
    std::uint64_t lines = 0;                 ///< committed
    std::uint64_t groups = 0;                ///< committed writes
    std::uint64_t bytes = 0;                 ///< committed
    std::uint64_t lost_lines = 0;            ///< disk full or failing for too long; each leaves a gap in mld.seq
    std::uint64_t write_failures = 0;        ///< commits or syncs the system refused
    std::uint64_t artifacts = 0;             ///< files written
    std::uint64_t artifacts_over_limit = 0;  ///< wanted, but a limit was reached
    std::uint64_t artifact_failures = 0;     ///< refused by the system or the sealer
    std::uint64_t cut_bytes = 0;             ///< torn tails removed at start
};

/// See the top of the file. `Sealer` is called as `result<std::string, error> sealer(std::string_view plain)` for
/// every artifact, `Random` as `std::uint64_t random()` for every event id.
template <class Sealer = plain_sealer, class Random = sodium_random>
class basic_event_log {
public:
    /// Opens the directory (made when absent), repairs a torn tail and continues `mld.seq` and the chain.
    [[nodiscard]] static result<std::unique_ptr<basic_event_log>, error> open(event_log_options options, identity who,
                                                                              Sealer sealer = {}, Random random = {}) {
        if (sodium_init() < 0) return error{errc::unavailable, "libsodium cannot be initialised", "", 0};
        if (options.directory.empty()) return error{errc::bad_argument, "no directory for events was named", "", 0};
        if (auto made = detail::make_directories(options.directory); !made) return made.failure();
        std::unique_ptr<basic_event_log> log{
            new basic_event_log(std::move(options), std::move(who), std::move(sealer), std::move(random))};
        if (auto resumed = log->resume(); !resumed) return resumed.failure();
        return log;
    }

    basic_event_log(const basic_event_log&) = delete;
    basic_event_log& operator=(const basic_event_log&) = delete;
    /// Commits what is pending as far as the disk allows.
    ~basic_event_log() { (void)flush(); }

    /// Adds an event and commits if the group is full or old, or the event critical. `now_ns` is any steady clock.
    /// `artifact` is used when the event deserves one. False when the line was lost (and counted).
    bool write(const event& e, std::int64_t now_ns, const artifact_content* artifact = nullptr) {
        const bool kept = append(e, now_ns, artifact);
        if (e.priority == priority::critical && !m_failing) {
            (void)commit(now_ns);
        } else {
            poll(now_ns);
        }
        return kept;
    }

    /// Adds an event without committing, for callers that form their own groups. False when it was lost.
    bool append(const event& e, std::int64_t now_ns, const artifact_content* artifact = nullptr) {
        const std::uint64_t seq = m_next_seq++;
        if (m_failing && m_pending.size() >= m_options.max_pending_bytes) {
            ++m_counters.lost_lines;
            return false;
        }
        const bool incomplete = m_options.countries != nullptr &&
                                (e.source_country == country_code{} || e.destination_country == country_code{});
        if (m_pending_lines == 0) m_oldest_ns = now_ns;
        append_line(incomplete ? with_countries(e) : e, seq, artifact);
        ++m_pending_lines;
        return true;
    }

    /// To be called now and then: commits a group that is full or old, retries after a failure.
    void poll(std::int64_t now_ns) {
        if (m_pending_lines == 0) return;
        if (m_failing ? now_ns >= m_retry_ns
                      : m_pending_lines >= m_options.group_lines || now_ns - m_oldest_ns >= m_options.group_ns) {
            (void)commit(now_ns);
        }
    }

    /// Writes all pending lines now. Fails with the reason when some remain.
    result<void, error> commit(std::int64_t now_ns) {
        while (!m_segments.empty()) {
            if (auto done = commit_segment(); !done) {
                if (!m_failing) m_last_error = done.failure();
                m_failing = true;
                m_retry_ns = now_ns + m_options.group_ns;
                ++m_counters.write_failures;
                return done;
            }
            m_failing = false;
        }
        return {};
    }

    /// Commits, then forces everything to the disk whatever the durability.
    result<void, error> flush() {
        auto done = commit(m_retry_ns);
        if (done && m_file && ::fdatasync(m_file.get()) != 0) {
            return detail::system_error("force to disk", m_path, errno);
        }
        return done;
    }

    /// What was done since the log was opened.
    [[nodiscard]] const event_log_counters& counters() const noexcept { return m_counters; }
    /// Lines not yet committed.
    [[nodiscard]] std::size_t pending_lines() const noexcept { return m_pending_lines; }
    /// `mld.seq` of the next event.
    [[nodiscard]] std::uint64_t next_seq() const noexcept { return m_next_seq; }
    /// True from a failed commit to the next one that works; `last_error` then says why.
    [[nodiscard]] bool failing() const noexcept { return m_failing; }
    /// Why the last failed step failed; empty when none did.
    [[nodiscard]] const error& last_error() const noexcept { return m_last_error; }

private:
    /// Pending lines of one day, in the order they were added.
    struct segment {
        std::int64_t day = 0;
        std::size_t bytes = 0;
        std::size_t lines = 0;
        detail::line_end end;
    };

    basic_event_log(event_log_options options, identity who, Sealer sealer, Random random)
        : m_options(std::move(options)),
          m_identity(std::move(who)),
          m_writer(m_identity),
          m_sealer(std::move(sealer)),
          m_random(std::move(random)) {}

    result<void, error> resume() {
        auto lock = detail::open_file(m_options.directory + "/.lock", O_RDWR | O_CREAT);
        if (!lock) return lock.failure();
        if (::flock(lock->get(), LOCK_EX | LOCK_NB) != 0) {
            return error{errc::already_exists,
                         "another sensor writes its events here; stop it or name another directory",
                         m_options.directory, errno};
        }
        m_lock = std::move(*lock);
        const std::string key_path =
            m_options.chain_key_path.empty() ? m_options.directory + "/.chain.key" : m_options.chain_key_path;
        auto key = chain_key::load_or_create(key_path);
        if (!key) return key.failure();
        auto end = detail::repair_directory(m_options.directory);
        if (!end) return end.failure();
        m_counters.cut_bytes = end->cut_bytes;
        auto head = detail::open_file(key_path + ".head", O_RDWR | O_CREAT);
        if (!head) return head.failure();
        m_head = std::move(*head);
        // A head beyond the last line means that lines are missing: continue after it, so that verify shows the gap.
        if (auto text = detail::read_range(m_head, key_path + ".head", 0, detail::head_size)) {
            if (const auto remembered = detail::parse_head(*text); remembered && remembered->seq > end->last.seq) {
                end->last = *remembered;
            }
        }
        m_chain = chain{*key, end->last.link};
        m_next_seq = end->last.seq + 1;
        return {};
    }

    [[nodiscard]] const event& with_countries(const event& e) {
        m_completed = e;
        if (e.source_country == country_code{}) m_completed.source_country = m_options.countries->find(e.tuple.source);
        if (e.destination_country == country_code{}) {
            m_completed.destination_country = m_options.countries->find(e.tuple.destination);
        }
        return m_completed;
    }

    void append_line(const event& e, std::uint64_t seq, const artifact_content* artifact) {
        const std::int64_t day = utc_day(e.timestamp_ns);
        const std::size_t start = m_pending.size();
        const chain_link before = m_chain.last();
        line_stamp stamp{seq, make_uuid_v7(e.timestamp_ns, m_random()), {}};
        const bool wanted = artifact != nullptr && !m_failing && deserves_artifact(e) && within_limits(e, day);
        if (wanted) stamp.artifact = artifact_path(e.timestamp_ns, stamp.event_id);
        format_and_chain(e, stamp);
        if (wanted && !store_artifact(m_pending.view().substr(start), *artifact, stamp.artifact)) {
            m_pending.cut(start);
            m_chain.rewind(before);
            stamp.artifact = {};
            format_and_chain(e, stamp);
        } else if (wanted) {
            count_artifact(e);
        }
        if (m_segments.empty() || m_segments.back().day != day) m_segments.push_back({day, 0, 0, {}});
        segment& last = m_segments.back();
        last.bytes += m_pending.size() - start;
        ++last.lines;
        last.end = {seq, m_chain.last()};
    }

    void format_and_chain(const event& e, const line_stamp& stamp) {
        const std::size_t start = m_pending.size();
        const std::size_t chain_at = m_writer.append(m_pending, e, stamp);
        const std::string_view line = m_pending.view().substr(start, m_pending.size() - start - 1);
        const chain_link& link =
            m_chain.advance(line.substr(0, chain_at - start), line.substr(chain_at - start + chain_digits));
        std::memcpy(m_pending.data() + chain_at, link.data(), link.size());
    }

    // --- artifacts

    [[nodiscard]] std::string_view artifact_path(std::int64_t timestamp_ns, const uuid& id) noexcept {
        std::array<char, 36> name{};
        id.write(name);
        text_cursor path{m_artifact_path.data()};
        path.put("artifacts/").date(to_utc(timestamp_ns)).put('/').put(std::string_view{name.data(), name.size()});
        return path.put(".mlda").view();
    }

    [[nodiscard]] bool within_limits(const event& e, std::int64_t day) {
        if (day != m_artifact_day) {
            m_artifact_day = day;
            m_artifacts_today = existing_artifacts(e.timestamp_ns);
            m_flow_artifacts_today = 0;
        }
        const artifact_limits& limit = m_options.artifacts;
        const auto story = m_story_artifacts.find(e.story.id);
        const bool within = m_artifacts_today < limit.per_day &&
                            (e.story.id == 0 ? m_flow_artifacts_today < limit.flows_per_day
                                             : story == m_story_artifacts.end() || story->second < limit.per_story);
        if (!within) ++m_counters.artifacts_over_limit;
        return within;
    }

    [[nodiscard]] std::uint32_t existing_artifacts(std::int64_t timestamp_ns) const {
        std::array<char, 16> date{};
        const std::string_view day = text_cursor{date.data()}.date(to_utc(timestamp_ns)).view();
        const auto names = detail::list_directory(m_options.directory + "/artifacts/" + std::string{day},
                                                  [](std::string_view name) { return name.ends_with(".mlda"); });
        return names ? static_cast<std::uint32_t>(names.value().size()) : 0;
    }

    void count_artifact(const event& e) {
        ++m_counters.artifacts;
        ++m_artifacts_today;
        if (e.story.id == 0) {
            ++m_flow_artifacts_today;
            return;
        }
        // Forgetting all stories at once keeps memory bounded; the day's limit still holds.
        if (m_story_artifacts.size() >= 4096) m_story_artifacts.clear();
        ++m_story_artifacts[e.story.id];
    }

    [[nodiscard]] bool store_artifact(std::string_view line, const artifact_content& content, std::string_view path) {
        line.remove_suffix(1);
        const auto sealed = m_sealer(artifact_text(line, m_identity, content, m_options.artifacts.payload_bytes));
        const std::size_t slash = path.rfind('/');
        if (sealed && detail::store_whole(m_options.directory + '/' + std::string{path.substr(0, slash)},
                                          std::string{path.substr(slash + 1)}, sealed.value())) {
            return true;
        }
        ++m_counters.artifact_failures;
        return false;
    }

    // --- committing

    /// Writes the lines of the first segment in one call and forgets them; on failure the file is as before.
    result<void, error> commit_segment() {
        const segment group = m_segments.front();
        if (auto opened = open_day(group.day); !opened) return opened;
        if (m_torn && ::ftruncate(m_file.get(), m_file_size) != 0) {
            return detail::system_error("cut a torn line", m_path, errno);
        }
        m_torn = false;
        if (const int failed = detail::write_all(m_file.get(), m_pending.view().substr(0, group.bytes)); failed != 0) {
            m_torn = ::ftruncate(m_file.get(), m_file_size) != 0;
            return detail::system_error("write events", m_path, failed);
        }
        m_file_size += static_cast<std::int64_t>(group.bytes);
        if (m_options.sync == durability::each_group && ::fdatasync(m_file.get()) != 0) {
            // The lines are in the file and must not be written twice; whether they reached the disk is unknown.
            m_last_error = detail::system_error("force to disk", m_path, errno);
            ++m_counters.write_failures;
        }
        detail::write_head(m_head, group.end);
        m_segments.erase(m_segments.begin());
        m_pending.drop_front(group.bytes);
        m_pending_lines -= group.lines;
        m_counters.lines += group.lines;
        m_counters.bytes += group.bytes;
        ++m_counters.groups;
        return {};
    }

    /// Makes the file of a day the open one; also when someone removed the file under our feet.
    result<void, error> open_day(std::int64_t day) {
        struct stat found {};
        const bool usable = m_file && m_day == day && ::fstat(m_file.get(), &found) == 0 && found.st_nlink > 0;
        if (usable) return {};
        if (m_file && ::fdatasync(m_file.get()) != 0) {
            m_last_error = detail::system_error("force to disk", m_path, errno);
            ++m_counters.write_failures;
        }
        m_file.close();
        std::array<char, 16> date{};
        const std::string_view name = text_cursor{date.data()}.date(to_utc(day_start(day))).view();
        m_path = m_options.directory + '/' + std::string{name} + ".jsonl";
        auto file = detail::open_file(m_path, O_WRONLY | O_APPEND | O_CREAT);
        if (!file && file.failure().code == errc::not_found) {  // the directory was removed
            (void)detail::make_directories(m_options.directory);
            file = detail::open_file(m_path, O_WRONLY | O_APPEND | O_CREAT);
        }
        if (!file) return file.failure();
        if (::fstat(file->get(), &found) != 0) return detail::system_error("examine", m_path, errno);
        if (m_options.sync == durability::each_group) detail::sync_directory(m_options.directory);
        m_file = std::move(*file);
        m_file_size = found.st_size;
        m_day = day;
        m_torn = false;
        return {};
    }

    /// A moment within the day that 64 bits can hold (the first and the last day are not whole).
    [[nodiscard]] static std::int64_t day_start(std::int64_t day) noexcept {
        return day < 0 ? (day + 1) * ns_per_day - 1 : day * ns_per_day;
    }

    event_log_options m_options;
    identity m_identity;
    line_writer m_writer;
    Sealer m_sealer;
    Random m_random;
    chain m_chain;
    std::uint64_t m_next_seq = 1;

    line_buffer m_pending;
    std::vector<segment> m_segments;
    std::size_t m_pending_lines = 0;
    std::int64_t m_oldest_ns = 0;
    event m_completed;

    detail::descriptor m_lock;
    detail::descriptor m_head;
    detail::descriptor m_file;
    std::string m_path;
    std::int64_t m_day = 0;
    std::int64_t m_file_size = 0;
    bool m_torn = false;

    bool m_failing = false;
    std::int64_t m_retry_ns = 0;
    error m_last_error;
    event_log_counters m_counters;

    std::array<char, 96> m_artifact_path{};
    std::int64_t m_artifact_day = INT64_MIN;
    std::uint32_t m_artifacts_today = 0;
    std::uint32_t m_flow_artifacts_today = 0;
    std::unordered_map<std::uint64_t, std::uint32_t> m_story_artifacts;
};

/// The log the tools use.
using event_log = basic_event_log<>;

}  // namespace log
}  // namespace v0
}  // namespace mldefender
