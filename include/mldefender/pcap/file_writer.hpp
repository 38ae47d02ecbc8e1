// SPDX-License-Identifier: MIT
// Writes capture files: pcap with nanosecond times, little endian, one link type. Refuses packets of another link
// type, longer than the snap length or outside the format's years; a full disk is an error of `write`, `flush` or
// `close`, never silence. Used by the forge, the laboratory scripts' tools and the tests. Needs no libpcap.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <mldefender/core/packet.hpp>
#include <mldefender/core/result.hpp>
#include <mldefender/pcap/detail/byte_source.hpp>
#include <mldefender/pcap/detail/format.hpp>

namespace mldefender {
inline namespace v0 {
namespace pcap {

/// A capture file being written. Movable, not copyable; one thread at a time. The destructor writes what is
/// buffered but cannot report; call `close`.
class file_writer {
public:
    /// A writer without a file: every write fails.
    file_writer() = default;
    /// Takes the other's file and leaves it without one.
    file_writer(file_writer&&) noexcept = default;
    /// Exchanges files; the one held before is closed with `other`.
    file_writer& operator=(file_writer&& other) noexcept {
        std::swap(m_fd, other.m_fd);
        std::swap(m_buffer, other.m_buffer);
        std::swap(m_path, other.m_path);
        std::swap(m_link, other.m_link);
        std::swap(m_snap_len, other.m_snap_len);
        return *this;
    }
    ~file_writer() { (void)close(); }

    /// Creates or empties `path`. Packets longer than `snap_len` (1 to 262144 bytes) are cut to it.
    [[nodiscard]] static result<file_writer, error> open(const std::string& path, link_type link = link_type::ethernet,
                                                         std::uint32_t snap_len = detail::max_captured) {
        if (snap_len == 0 || snap_len > detail::max_captured) {
            return error{errc::bad_argument, "the snap length must be 1 to 262144", path, 0};
        }
        const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
        if (fd < 0) return refusal("cannot be created", path, errno);
        file_writer writer;
        writer.m_fd = detail::file_descriptor{fd};
        writer.m_path = path;
        writer.m_link = link;
        writer.m_snap_len = snap_len;
        writer.m_buffer.reserve(buffer_size + detail::record_header_size + detail::max_captured);
        writer.put(detail::magic::nano);
        writer.put(2U | 4U << 16);  // version 2.4
        writer.put(0);
        writer.put(0);
        writer.put(snap_len);
        writer.put(static_cast<std::uint32_t>(link));
        return writer;
    }

    /// Appends one packet. Fails with `bad_argument` (link type), `bad_value` (time before 1970 or after 2106),
    /// `disk_full` or `io`. After the last two the end of the file is unknown.
    [[nodiscard]] result<void, error> write(const raw_packet& p) {
        if (!m_fd.is_open()) return error{errc::bad_argument, "the writer has no open file", m_path, 0};
        if (p.link != m_link)
            return error{errc::bad_argument, "a packet's link type differs from the file's", m_path, 0};
        const std::int64_t seconds = p.timestamp_ns / 1'000'000'000;
        if (p.timestamp_ns < 0 || seconds > 0xffffffffLL) {
            return error{errc::bad_value, "a packet's time is not within 1970 to 2106", m_path, 0};
        }
        const std::size_t captured = std::min<std::size_t>(p.data.size(), m_snap_len);
        put(static_cast<std::uint32_t>(seconds));
        put(static_cast<std::uint32_t>(p.timestamp_ns % 1'000'000'000));
        put(static_cast<std::uint32_t>(captured));
        put(std::max(p.wire_len, static_cast<std::uint32_t>(p.data.size())));
        m_buffer.insert(m_buffer.end(), p.data.begin(), p.data.begin() + static_cast<std::ptrdiff_t>(captured));
        return m_buffer.size() >= buffer_size ? flush() : result<void, error>{};
    }

    /// Hands everything buffered to the system.
    [[nodiscard]] result<void, error> flush() {
        std::size_t done = 0;
        while (done < m_buffer.size()) {
            const ssize_t wrote = ::write(m_fd.get(), m_buffer.data() + done, m_buffer.size() - done);
            if (wrote < 0 && errno == EINTR) continue;
            if (wrote <= 0) {
                const int code = wrote < 0 ? errno : ENOSPC;
                m_buffer.erase(m_buffer.begin(), m_buffer.begin() + static_cast<std::ptrdiff_t>(done));
                return refusal("cannot be written", m_path, code);
            }
            done += static_cast<std::size_t>(wrote);
        }
        m_buffer.clear();
        return {};
    }

    /// Flushes and closes. The file is closed even when this fails; closing twice is fine.
    [[nodiscard]] result<void, error> close() {
        if (!m_fd.is_open()) return {};
        result<void, error> flushed = flush();
        const int code = m_fd.close();
        m_buffer.clear();
        if (!flushed) return flushed;
        if (code != 0) return refusal("cannot be closed", m_path, code);
        return {};
    }

private:
    static constexpr std::size_t buffer_size = std::size_t{256} * 1024;

    static error refusal(const char* what, const std::string& path, int code) {
        const bool full = code == ENOSPC || code == EDQUOT;
        const errc kind = full ? errc::disk_full : (code == EACCES || code == EPERM ? errc::permission : errc::io);
        return {kind, std::string(what) + ": " + std::strerror(code) + (full ? "; free some space" : ""), path, code};
    }

    void put(std::uint32_t number) {
        const std::array<std::uint8_t, 4> octets{
            static_cast<std::uint8_t>(number), static_cast<std::uint8_t>(number >> 8),
            static_cast<std::uint8_t>(number >> 16), static_cast<std::uint8_t>(number >> 24)};
        m_buffer.insert(m_buffer.end(), octets.begin(), octets.end());
    }

    detail::file_descriptor m_fd;
    std::vector<std::uint8_t> m_buffer;
    std::string m_path;
    link_type m_link = link_type::ethernet;
    std::uint32_t m_snap_len = detail::max_captured;
};

}  // namespace pcap
}  // namespace v0
}  // namespace mldefender
