// SPDX-License-Identifier: MIT
// Reads capture files: pcap (microseconds and nanoseconds, both byte orders) and pcapng (several sections and
// interfaces, each with its own link type and clock), from a path or from standard input. Damage ends the capture with
// an error that names file, offset and fix, after every packet before it has been delivered; compressed and modified
// files are refused by name. Needs no libpcap. Called by the sensor, the tests and the benchmarks.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
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

/// What a single read yielded.
enum class read_status : std::uint8_t {
    packet,  ///< a packet was delivered
    end,     ///< the capture ended where it should
    failed,  ///< damaged or unreadable: see `failure()`
};

/// A capture file being read front to back. Movable, not copyable; one thread at a time.
class file_reader {
public:
    /// An empty reader, at its end.
    file_reader() = default;

    /// Opens a file, or standard input for "-", and reads its header. Fails with `io`, `not_found`, `permission` or
    /// `bad_argument` (a folder) when the system refuses, `truncated` when the header is cut, `bad_version` or
    /// `corrupt` when it is no capture this library reads.
    [[nodiscard]] static result<file_reader, error> open(const std::string& path) {
        const bool standard_input = path == "-";
        const int fd =
            standard_input ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        const std::string name = standard_input ? "standard input" : path;
        if (fd < 0) return refused(errno, name);
        auto source = detail::byte_source::from(detail::file_descriptor{fd}, name);
        if (!source) return source.failure();
        return start(std::move(source).value(), name);
    }

    /// Reads a capture that lies in memory; the bytes must outlive the reader. `name` appears in errors.
    [[nodiscard]] static result<file_reader, error> from_memory(bytes capture, const std::string& name = "memory") {
        return start(detail::byte_source{capture}, name);
    }

    /// The next packet; its bytes stay valid until the next call.
    read_status next(raw_packet& out) {
        if (read_burst({&out, 1}) == 1) return read_status::packet;
        return m_failure.code == errc::ok ? read_status::end : read_status::failed;
    }

    /// Fills `out` with as many packets as are at hand, at least one; 0 at the end or on damage (`failed()`).
    /// Their bytes stay valid until the next call. Reads from the system only between bursts.
    std::size_t read_burst(std::span<raw_packet> out) {
        if (out.empty()) return 0;
        while (!m_ended) {
            const std::size_t count = m_is_pcapng ? take_blocks(out) : take_records(out);
            if (count > 0 || !prepare()) return count;
        }
        return 0;
    }

    /// Lets a signal handler end the reading of a pipe that has nothing to say: reading stops when `*stop`, which must
    /// outlive the reader, is not 0. In the middle of a packet that is a failure like any other cut.
    void end_when(const volatile std::sig_atomic_t* stop) noexcept { m_source.end_when(stop); }

    /// True once reading stopped at damage or at a read error.
    [[nodiscard]] bool failed() const noexcept { return m_failure.code != errc::ok; }
    /// Why; `errc::ok` as long as nothing is wrong.
    [[nodiscard]] const error& failure() const noexcept { return m_failure; }
    /// Bytes of the file consumed so far.
    [[nodiscard]] std::uint64_t bytes_read() const noexcept { return m_source.offset(); }
    /// Size of the file in bytes, 0 when unknown, as for a pipe.
    [[nodiscard]] std::uint64_t bytes_total() const noexcept { return m_source.total(); }
    /// Path, or "standard input".
    [[nodiscard]] const std::string& name() const noexcept { return m_name; }

private:
    static error refused(int code, const std::string& name) {
        switch (code) {
            case ENOENT: return {errc::not_found, "no such file; check the path", name, code};
            case EACCES:
            case EPERM: return {errc::permission, "may not be read; check the file's permissions", name, code};
            default: return {errc::io, std::string("cannot be opened: ") + std::strerror(code), name, code};
        }
    }

    static result<file_reader, error> start(detail::byte_source source, const std::string& name) {
        file_reader reader;
        reader.m_source = std::move(source);
        reader.m_name = name;
        reader.m_ended = false;
        if (!reader.m_source.fill(4)) {
            if (reader.m_source.system_errno() != 0) {
                (void)reader.fail_read();
                return reader.m_failure;
            }
            if (reader.m_source.available() == 0) return error{errc::truncated, "the file is empty", name, 0};
            return error{errc::truncated, "too short to be a capture file", name, 0};
        }
        const std::uint32_t magic = load_be32(reader.m_source.at());
        if (magic == detail::magic::pcapng) {
            reader.m_is_pcapng = true;
            return reader;
        }
        if (!reader.read_file_header(magic)) return reader.m_failure;
        return reader;
    }

    // ---- pcap

    bool read_file_header(std::uint32_t magic) {
        switch (magic) {
            case detail::magic::micro: m_order.big = true; break;
            case detail::magic::micro_swapped: break;
            case detail::magic::nano: m_order.big = true; [[fallthrough]];
            case detail::magic::nano_swapped: m_ns_per_unit = 1; break;
            default: return fail_foreign(magic);
        }
        if (!m_source.fill(detail::file_header_size)) return fail_cut("the file header", detail::file_header_size);
        const std::uint8_t* const h = m_source.at();
        const std::uint16_t major = m_order.u16(h + 4);
        if (major != 2)
            return fail(errc::bad_version, "pcap version " + std::to_string(major) + " is unknown, only 2 is read");
        m_link = detail::link_from_file(m_order.u32(h + 20));
        m_source.consume(detail::file_header_size);
        return true;
    }

    bool fail_foreign(std::uint32_t magic) {
        const char* const compressed = "is compressed; unpack it first, or pipe it in: ";
        if (magic >> 16 == detail::magic::gzip)
            return fail(errc::bad_version, std::string(compressed) + "gunzip -c FILE | ... -");
        if (magic == detail::magic::zstd)
            return fail(errc::bad_version, std::string(compressed) + "zstd -dc FILE | ... -");
        if (magic == detail::magic::xz) return fail(errc::bad_version, std::string(compressed) + "xz -dc FILE | ... -");
        if (magic == detail::magic::kuznetzov || magic == detail::magic::kuznetzov_swapped) {
            return fail(errc::bad_version,
                        "is a modified pcap (Kuznetzov's format); convert it: editcap -F pcap FILE NEW");
        }
        if (magic == detail::magic::snoop)
            return fail(errc::bad_version, "is a snoop file; convert it: editcap -F pcap FILE NEW");
        return fail(errc::corrupt, "is no capture file (neither pcap nor pcapng)");
    }

    /// Delivers the complete records in the buffer.
    std::size_t take_records(std::span<raw_packet> out) noexcept {
        const std::uint8_t* at = m_source.at();
        std::size_t left = m_source.available();
        std::size_t count = 0;
        while (count < out.size() && left >= detail::record_header_size) {
            const std::uint32_t captured = m_order.u32(at + 8);
            if (captured > detail::max_captured || left - detail::record_header_size < captured) break;
            raw_packet& p = out[count++];
            p.timestamp_ns =
                std::int64_t{m_order.u32(at)} * 1'000'000'000 + std::int64_t{m_order.u32(at + 4)} * m_ns_per_unit;
            p.data = bytes{at + detail::record_header_size, captured};
            p.wire_len = std::max(m_order.u32(at + 12), captured);
            p.link = m_link;
            at += detail::record_header_size + captured;
            left -= detail::record_header_size + captured;
        }
        m_source.consume(static_cast<std::size_t>(at - m_source.at()));
        return count;
    }

    /// Called when no complete packet is in the buffer: reads more, skips what is not a packet. False at the end, which
    /// `m_ended` and `m_failure` then describe.
    bool prepare() { return m_is_pcapng ? prepare_block() : prepare_record(); }

    bool prepare_record() {
        if (!m_source.fill(detail::record_header_size)) {
            return m_source.available() == 0 ? finish() : fail_cut("a packet header", detail::record_header_size);
        }
        const std::uint32_t captured = m_order.u32(m_source.at() + 8);
        if (captured > detail::max_captured) {
            return fail(errc::corrupt, "a packet of " + std::to_string(captured) + " bytes cannot be (at most " +
                                           std::to_string(detail::max_captured) + "): the file is damaged here");
        }
        const std::size_t record = detail::record_header_size + captured;
        return m_source.fill(record) || fail_cut("a packet", record);
    }

    // ---- pcapng

    /// Delivers packets from the complete blocks in the buffer; stops before any block that is no packet.
    std::size_t take_blocks(std::span<raw_packet> out) noexcept {
        std::size_t count = 0;
        while (count < out.size() && m_source.available() >= 12) {
            const std::uint8_t* const at = m_source.at();
            const std::uint32_t length = m_order.u32(at + 4);
            if (length < 12 || length % 4 != 0 || length > m_source.available()) break;
            if (m_order.u32(at + length - 4) != length) break;
            if (!take_packet(m_order.u32(at), bytes{at + 8, length - 12U}, out[count])) break;
            m_source.consume(length);
            ++count;
        }
        return count;
    }

    /// Decodes a packet block; false when it is of another type or contradicts itself.
    bool take_packet(std::uint32_t type, bytes body, raw_packet& out) noexcept {
        std::size_t header = 0;
        std::size_t interface = 0;
        std::uint32_t captured = 0;
        std::uint32_t wire = 0;
        switch (type) {
            case detail::block::enhanced_packet:
            case detail::block::old_packet:
                header = 20;
                if (body.size() < header) return false;
                interface = type == detail::block::old_packet ? m_order.u16(body.data()) : m_order.u32(body.data());
                captured = m_order.u32(body.data() + 12);
                wire = m_order.u32(body.data() + 16);
                break;
            case detail::block::simple_packet:
                header = 4;
                if (body.size() < header) return false;
                wire = m_order.u32(body.data());
                captured = wire;
                if (m_interfaces.empty()) return false;
                if (m_interfaces[0].snap_len != 0) captured = std::min(captured, m_interfaces[0].snap_len);
                break;
            default: return false;
        }
        if (interface >= m_interfaces.size() || captured > body.size() - header) return false;
        const detail::interface_description& from = m_interfaces[interface];
        if (header == 20) {
            const std::uint64_t units =
                (std::uint64_t{m_order.u32(body.data() + 4)} << 32) | m_order.u32(body.data() + 8);
            m_last_ns = from.time.to_ns(units);
        }
        out.timestamp_ns = m_last_ns;  // simple packets have no time: that of the packet before is nearest
        out.data = body.subspan(header, captured);
        out.wire_len = std::max(wire, captured);
        out.link = from.link;
        return true;
    }

    /// Handles one block that is not a deliverable packet, or reads more of one that is not complete.
    bool prepare_block() {
        if (!m_source.fill(12)) return m_source.available() == 0 ? finish() : fail_cut("a block header", 12);
        if (load_be32(m_source.at()) == detail::block::section) return start_section();
        const std::uint32_t type = m_order.u32(m_source.at());
        const std::uint32_t length = m_order.u32(m_source.at() + 4);
        if (length < 12 || length % 4 != 0) return fail_length(length);
        if (!is_known(type)) return skip_block(length);
        if (length > detail::max_block) return fail_length(length);
        const std::size_t had = m_source.available();
        if (!m_source.fill(length)) return fail_cut("a block", length);
        if (m_order.u32(m_source.at() + length - 4) != length) return fail_length(length);
        if (type == detail::block::interface) return add_interface(bytes{m_source.at() + 8, length - 12U}, length);
        if (had < length) return true;  // a packet that was not complete before
        return fail(errc::corrupt, "a packet block contradicts itself (unknown interface, or longer than its block)");
    }

    static bool is_known(std::uint32_t type) noexcept {
        return type == detail::block::interface || type == detail::block::enhanced_packet ||
               type == detail::block::simple_packet || type == detail::block::old_packet;
    }

    bool start_section() {
        if (!m_source.fill(28)) return fail_cut("a section header", 28);
        const std::uint8_t* const h = m_source.at();
        if (load_be32(h + 8) == detail::magic::byte_order)
            m_order.big = true;
        else if (load_le32(h + 8) == detail::magic::byte_order)
            m_order.big = false;
        else
            return fail(errc::corrupt, "a section header without a byte-order mark");
        const std::uint16_t major = m_order.u16(h + 12);
        if (major != 1)
            return fail(errc::bad_version, "pcapng version " + std::to_string(major) + " is unknown, only 1 is read");
        const std::uint32_t length = m_order.u32(h + 4);
        if (length < 28 || length % 4 != 0) return fail_length(length);
        m_interfaces.clear();
        return skip_block(length);
    }

    bool add_interface(bytes body, std::uint32_t length) {
        if (m_interfaces.size() == detail::max_interfaces) return fail(errc::too_large, "more than 65536 interfaces");
        const auto described = detail::read_interface(body, m_order);
        if (!described) return fail(errc::corrupt, "an interface description contradicts itself");
        m_interfaces.push_back(*described);
        m_source.consume(length);
        return true;
    }

    bool skip_block(std::uint32_t length) {
        const std::uint64_t start = m_source.offset();
        if (!m_source.skip(length - 4U) || !m_source.fill(4)) return fail_cut_at(start, "a block", length);
        if (m_order.u32(m_source.at()) != length) return fail_length(length);
        m_source.consume(4);
        return true;
    }

    // ---- ends

    bool finish() {
        m_ended = true;
        if (m_source.system_errno() != 0) return fail_read();
        return false;
    }
    bool fail(errc code, const std::string& what) {
        m_ended = true;
        m_failure = {code, "at byte " + std::to_string(m_source.offset()) + ": " + what, m_name, 0};
        return false;
    }
    bool fail_read() {
        const int code = m_source.system_errno();
        m_ended = true;
        m_failure = {code == ENOMEM ? errc::too_large : errc::io,
                     "at byte " + std::to_string(m_source.offset()) + ": cannot be read: " + std::strerror(code),
                     m_name, code};
        return false;
    }
    bool fail_length(std::uint32_t length) {
        return fail(errc::corrupt,
                    "a block length of " + std::to_string(length) + " cannot be: the file is damaged here");
    }
    bool fail_cut(const char* what, std::uint64_t need) { return fail_cut_at(m_source.offset(), what, need); }
    /// The file ends inside `what`, which began at byte `start`.
    bool fail_cut_at(std::uint64_t start, const char* what, std::uint64_t need) {
        if (m_source.system_errno() != 0) return fail_read();
        const std::uint64_t have = m_source.offset() - start + m_source.available();
        m_ended = true;
        m_failure = {errc::truncated,
                     "at byte " + std::to_string(start) + ": the file ends inside " + what + " (" +
                         std::to_string(need) + " bytes announced, " + std::to_string(have) +
                         " there); copy it again, or repair it: editcap FILE NEW",
                     m_name, 0};
        return false;
    }

    detail::byte_source m_source;
    std::string m_name;
    error m_failure;
    std::vector<detail::interface_description> m_interfaces;
    std::int64_t m_last_ns = 0;
    std::int64_t m_ns_per_unit = 1000;
    detail::byte_order m_order;
    link_type m_link = link_type::ethernet;
    bool m_is_pcapng = false;
    bool m_ended = true;
};

}  // namespace pcap
}  // namespace v0
}  // namespace mldefender
