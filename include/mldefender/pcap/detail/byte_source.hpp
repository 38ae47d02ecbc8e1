// SPDX-License-Identifier: MIT
// Bytes of a capture file in large reads through one buffer, from a file, a pipe or memory. Reads rather than maps: a
// mapped file that another program shortens kills its reader with SIGBUS, and pipes cannot be mapped. Bytes handed out
// stay valid until the next `fill`. Called by file_reader only.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include <mldefender/core/bytes.hpp>
#include <mldefender/core/result.hpp>

namespace mldefender {
inline namespace v0 {
namespace pcap::detail {

/// An owned file descriptor, -1 when there is none.
class file_descriptor {
public:
    file_descriptor() noexcept = default;
    explicit file_descriptor(int fd) noexcept : m_fd(fd) {}
    file_descriptor(file_descriptor&& other) noexcept : m_fd(std::exchange(other.m_fd, -1)) {}
    file_descriptor& operator=(file_descriptor&& other) noexcept {
        std::swap(m_fd, other.m_fd);
        return *this;
    }
    ~file_descriptor() { (void)close(); }

    [[nodiscard]] int get() const noexcept { return m_fd; }
    [[nodiscard]] bool is_open() const noexcept { return m_fd >= 0; }
    /// 0, or the errno with which the system refused.
    int close() noexcept {
        const int fd = std::exchange(m_fd, -1);
        return fd < 0 || ::close(fd) == 0 ? 0 : errno;
    }

private:
    int m_fd = -1;
};

class byte_source {
public:
    /// Large enough that a read costs nothing per packet, small enough to stay in a second-level cache.
    static constexpr std::size_t buffer_size = std::size_t{512} * 1024;

    byte_source() noexcept = default;

    /// From memory the caller keeps alive.
    explicit byte_source(bytes memory) noexcept : m_at(memory.data()), m_end(memory.data() + memory.size()) {
        m_total = memory.size();
        m_ended = true;
    }

    /// From an open descriptor, which is read from its current position.
    static result<byte_source, error> from(file_descriptor fd, const std::string& name) {
        byte_source source;
        struct stat status {};
        if (::fstat(fd.get(), &status) != 0) return error{errc::io, "cannot be examined", name, errno};
        if (S_ISDIR(status.st_mode)) return error{errc::bad_argument, "is a folder, not a capture file", name, EISDIR};
        if (S_ISREG(status.st_mode)) source.m_total = static_cast<std::uint64_t>(status.st_size);
        (void)::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
        source.m_fd = std::move(fd);
        if (!source.reserve(buffer_size)) return error{errc::too_large, "not enough memory for a buffer", name, ENOMEM};
        return source;
    }

    [[nodiscard]] const std::uint8_t* at() const noexcept { return m_at; }
    [[nodiscard]] std::size_t available() const noexcept { return static_cast<std::size_t>(m_end - m_at); }
    /// Bytes consumed so far: the position of `at()` in the file.
    [[nodiscard]] std::uint64_t offset() const noexcept { return m_offset; }
    /// Size of a regular file, 0 when unknown.
    [[nodiscard]] std::uint64_t total() const noexcept { return m_total; }
    [[nodiscard]] int system_errno() const noexcept { return m_errno; }

    /// Ends the data when `*stop`, which a signal handler sets, is not 0 while there is nothing to read.
    void end_when(const volatile std::sig_atomic_t* stop) noexcept { m_stop = stop; }

    void consume(std::size_t count) noexcept {
        m_at += count;
        m_offset += count;
    }

    /// Makes at least `count` bytes available; false at the end of the data, on a read error (`system_errno`), or
    /// without memory (ENOMEM). Earlier views become invalid. Returns as soon as there is enough, so that a slow
    /// pipe is not waited for longer than needed.
    bool fill(std::size_t count) noexcept {
        if (available() >= count) return true;
        if (m_ended) return false;
        const std::size_t kept = available();
        if (count > m_capacity) {
            if (!reserve(count)) return false;
        } else if (kept > 0 && m_at != m_buffer.get()) {
            std::memmove(m_buffer.get(), m_at, kept);
        }
        m_at = m_buffer.get();
        std::size_t held = kept;
        while (held < count && read_more(held)) {
        }
        m_end = m_at + held;
        return held >= count;
    }

    /// Consumes `count` bytes without holding them at once; false when the data ends before.
    bool skip(std::uint64_t count) noexcept {
        while (count > 0) {
            if (available() == 0 && !fill(1)) return false;
            const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(count, available()));
            consume(step);
            count -= step;
        }
        return true;
    }

private:
    bool read_more(std::size_t& held) noexcept {
        for (;;) {
            if (m_stop != nullptr && !wait()) return false;
            const ssize_t got = ::read(m_fd.get(), m_buffer.get() + held, m_capacity - held);
            if (got > 0) {
                held += static_cast<std::size_t>(got);
                return true;
            }
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) m_errno = errno;
            m_ended = true;
            return false;
        }
    }

    /// Waits until a read will not block; false when told to stop. Polls, since a signal may come just before a read.
    bool wait() noexcept {
        pollfd waiting{m_fd.get(), POLLIN, 0};
        while (*m_stop == 0) {
            if (const int ready = ::poll(&waiting, 1, 100); ready > 0 || (ready < 0 && errno != EINTR)) return true;
        }
        m_ended = true;
        return false;
    }

    /// Grows the buffer, keeping what is available.
    bool reserve(std::size_t capacity) noexcept {
        std::unique_ptr<std::uint8_t[]> larger(new (std::nothrow) std::uint8_t[capacity]);
        if (!larger) {
            m_errno = ENOMEM;
            return false;
        }
        const std::size_t kept = available();
        if (kept > 0) std::memcpy(larger.get(), m_at, kept);
        m_buffer = std::move(larger);
        m_capacity = capacity;
        m_at = m_buffer.get();
        m_end = m_at + kept;
        return true;
    }

    file_descriptor m_fd;
    std::unique_ptr<std::uint8_t[]> m_buffer;
    std::size_t m_capacity = 0;
    const std::uint8_t* m_at = nullptr;
    const std::uint8_t* m_end = nullptr;
    std::uint64_t m_offset = 0;
    std::uint64_t m_total = 0;
    const volatile std::sig_atomic_t* m_stop = nullptr;
    int m_errno = 0;
    bool m_ended = false;
};

}  // namespace pcap::detail
}  // namespace v0
}  // namespace mldefender
