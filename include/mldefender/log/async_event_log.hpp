// SPDX-License-Identifier: MIT
// An event log behind a thread of its own, so that neither formatting, hashing nor a slow disk delays the detectors.
// A bounded queue lies between: when it is full, replaying a file waits (nothing is lost) and live capture drops the
// event and counts it. Events are copied; the texts they view must live until the writer is done (`flush`).
// `write` may be called from several threads; events of one thread keep their order.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <mldefender/core/event.hpp>
#include <mldefender/core/result.hpp>
#include <mldefender/log/artifact.hpp>
#include <mldefender/log/event_log.hpp>

namespace mldefender {
inline namespace v0 {
namespace log {

/// What `write` does when the queue is full.
enum class when_full : std::uint8_t { wait, drop };

/// How the queue behaves.
struct async_log_options {
    std::size_t capacity = 4096;                ///< events in the queue, each about a kilobyte
    when_full policy = when_full::drop;         ///< what a full queue means
    std::size_t group_lines = 64;               ///< so many wake the writer
    std::chrono::milliseconds group_time{200};  ///< the longest an event waits in the queue
};

/// Counters of the queue and of the log behind it.
struct async_log_counters {
    event_log_counters log;     ///< of the log itself
    std::uint64_t dropped = 0;  ///< the queue was full
    std::uint64_t deepest = 0;  ///< most events ever in the queue
    bool failing = false;       ///< the disk refuses lines at present
};

/// See the top of the file. The log is owned; its counters are read through here.
template <class Log = event_log>
class basic_async_event_log {
public:
    /// Takes the log over and starts the writer.
    basic_async_event_log(std::unique_ptr<Log> log, const async_log_options& options)
        : m_log(std::move(log)), m_options(options) {
        m_options.capacity = std::max<std::size_t>(1, m_options.capacity);
        m_options.group_lines = std::clamp<std::size_t>(m_options.group_lines, 1, m_options.capacity);
        m_incoming.events.reserve(m_options.capacity);
        m_taken.events.reserve(m_options.capacity);
        m_writer = std::thread{[this] { run(); }};
    }
    basic_async_event_log(const basic_async_event_log&) = delete;
    basic_async_event_log& operator=(const basic_async_event_log&) = delete;
    /// Writes what is queued, commits and joins the thread.
    ~basic_async_event_log() {
        {
            const std::lock_guard lock{m_mutex};
            m_stopping = true;
        }
        m_wake.notify_one();
        m_writer.join();
    }

    /// Queues a copy of the event and, if it deserves one, of its artifact. False when it was dropped.
    bool write(const event& e, const artifact_content* artifact = nullptr) {
        std::unique_lock lock{m_mutex};
        if (m_incoming.events.size() >= m_options.capacity) {
            if (m_options.policy == when_full::drop) {
                ++m_dropped;
                return false;
            }
            m_room.wait(lock, [this] { return m_incoming.events.size() < m_options.capacity; });
        }
        const bool evidence = artifact != nullptr && deserves_artifact(e);
        if (evidence) m_incoming.artifacts.push_back({m_incoming.events.size(), kept_artifact{*artifact}});
        m_incoming.events.push_back(e);
        m_deepest = std::max<std::uint64_t>(m_deepest, m_incoming.events.size());
        const bool due = e.priority == priority::critical || m_incoming.events.size() >= m_options.group_lines;
        if (due && !std::exchange(m_due, true)) {
            lock.unlock();
            m_wake.notify_one();
        }
        return true;
    }

    /// Returns when everything queued before is committed and forced to the disk, or says why it could not be.
    result<void, error> flush() {
        std::unique_lock lock{m_mutex};
        const std::uint64_t ticket = ++m_flush_wanted;
        m_wake.notify_one();
        m_room.wait(lock, [this, ticket] { return m_flush_done >= ticket; });
        return m_flush_result;
    }

    /// A snapshot, at most one group old.
    [[nodiscard]] async_log_counters counters() const {
        const std::lock_guard lock{m_mutex};
        return {m_log_counters, m_dropped, m_deepest, m_log_failing};
    }
    /// Why the log last failed; empty text when it never did.
    [[nodiscard]] error last_error() const {
        const std::lock_guard lock{m_mutex};
        return m_last_error;
    }

private:
    /// An artifact's content with its own memory.
    struct kept_artifact {
        explicit kept_artifact(const artifact_content& content)
            : features(content.features.begin(), content.features.end()),
              names(content.names),
              to_server(content.payload_to_server.begin(), content.payload_to_server.end()),
              to_client(content.payload_to_client.begin(), content.payload_to_client.end()) {}
        [[nodiscard]] artifact_content view() const noexcept { return {features, names, to_server, to_client}; }

        std::vector<float> features;
        std::span<const std::string_view> names;
        std::vector<std::uint8_t> to_server;
        std::vector<std::uint8_t> to_client;
    };

    struct batch {
        std::vector<event> events;
        std::vector<std::pair<std::size_t, kept_artifact>> artifacts;  ///< by position in `events`, ascending
        void clear() noexcept {
            events.clear();
            artifacts.clear();
        }
    };

    void run() {
        std::unique_lock lock{m_mutex};
        for (;;) {
            m_wake.wait_for(lock, m_options.group_time,
                            [this] { return m_due || m_stopping || m_flush_wanted != m_flush_done; });
            std::swap(m_incoming, m_taken);
            m_due = false;
            const bool stopping = m_stopping;
            const std::uint64_t ticket = m_flush_wanted;
            const bool flushing = ticket != m_flush_done;
            lock.unlock();
            m_room.notify_all();
            auto flushed = write_taken(flushing || stopping);
            lock.lock();
            m_log_counters = m_log->counters();
            m_log_failing = m_log->failing();
            m_last_error = m_log->last_error();
            if (flushing) {
                m_flush_done = ticket;
                m_flush_result = std::move(flushed);
                m_room.notify_all();
            }
            if (stopping && m_incoming.events.empty()) return;
        }
    }

    /// Writes a batch and commits it as one group: while the disk is busy with it, the next one gathers.
    result<void, error> write_taken(bool flushing) {
        auto next = m_taken.artifacts.begin();
        const std::int64_t now = now_ns();
        for (std::size_t i = 0; i < m_taken.events.size(); ++i) {
            const bool evidence = next != m_taken.artifacts.end() && next->first == i;
            if (evidence) {
                const artifact_content content = next->second.view();
                (void)m_log->append(m_taken.events[i], now, &content);
                ++next;
            } else {
                (void)m_log->append(m_taken.events[i], now);
            }
        }
        m_taken.clear();
        if (flushing) return m_log->flush();
        if (m_log->failing()) {
            m_log->poll(now);
            return {};
        }
        return m_log->commit(now);
    }

    [[nodiscard]] static std::int64_t now_ns() noexcept {
        return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
            .count();
    }

    std::unique_ptr<Log> m_log;  // touched by the writer alone once it runs
    async_log_options m_options;

    mutable std::mutex m_mutex;  // guards everything below but m_taken
    std::condition_variable m_wake;
    std::condition_variable m_room;
    batch m_incoming;
    std::uint64_t m_dropped = 0;
    std::uint64_t m_deepest = 0;
    std::uint64_t m_flush_wanted = 0;
    std::uint64_t m_flush_done = 0;
    result<void, error> m_flush_result;
    event_log_counters m_log_counters;
    error m_last_error;
    bool m_log_failing = false;
    bool m_due = false;
    bool m_stopping = false;

    batch m_taken;  // the writer's own
    std::thread m_writer;
};

using async_event_log = basic_async_event_log<>;  ///< With plain artifacts, which nobody seals.

}  // namespace log
}  // namespace v0
}  // namespace mldefender
