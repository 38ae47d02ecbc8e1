// SPDX-License-Identifier: MIT
// The layouts of pcap (draft-ietf-opsawg-pcap) and pcapng (draft-ietf-opsawg-pcapng) files: constants, the time
// arithmetic, and decoders over bytes that are already there. No I/O. Called by file_reader and file_writer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include <mldefender/core/bytes.hpp>
#include <mldefender/core/packet.hpp>

namespace mldefender {
inline namespace v0 {
namespace pcap::detail {

/// First four bytes of a capture file, read big endian.
namespace magic {
inline constexpr std::uint32_t micro = 0xa1b2c3d4, micro_swapped = 0xd4c3b2a1, nano = 0xa1b23c4d,
                               nano_swapped = 0x4d3cb2a1, kuznetzov = 0xa1b2cd34, kuznetzov_swapped = 0x34cdb2a1,
                               pcapng = 0x0a0d0d0a, snoop = 0x736e6f6f, zstd = 0x28b52ffd, xz = 0xfd377a58;
inline constexpr std::uint16_t gzip = 0x1f8b;
inline constexpr std::uint32_t byte_order = 0x1a2b3c4d;
}  // namespace magic

inline constexpr std::size_t file_header_size = 24;
inline constexpr std::size_t record_header_size = 16;
/// The most bytes of one packet in a pcap file (libpcap's own limit): a larger value is damage.
inline constexpr std::uint32_t max_captured = 262144;
/// The most bytes of a pcapng block that is held at once.
inline constexpr std::uint32_t max_block = 16U << 20;
/// The most interfaces of a pcapng section.
inline constexpr std::size_t max_interfaces = 65536;

namespace block {
inline constexpr std::uint32_t section = 0x0a0d0d0a, interface = 1, old_packet = 2, simple_packet = 3,
                               enhanced_packet = 6;
}

/// Numbers in the byte order of the file or section.
struct byte_order {
    bool big = false;
    [[nodiscard]] std::uint16_t u16(const std::uint8_t* p) const noexcept { return big ? load_be16(p) : load_le16(p); }
    [[nodiscard]] std::uint32_t u32(const std::uint8_t* p) const noexcept { return big ? load_be32(p) : load_le32(p); }
    [[nodiscard]] std::uint64_t u64(const std::uint8_t* p) const noexcept { return big ? load_be64(p) : load_le64(p); }
};

/// The link type a file's number means. 12 and 14 are what some systems write for raw IP; the upper half of the
/// field holds the length of a frame check sequence, which the IP header's length leaves out anyway.
[[nodiscard]] inline link_type link_from_file(std::uint32_t number) noexcept {
    const auto low = static_cast<std::uint16_t>(number);
    return low == 12 || low == 14 ? link_type::raw : static_cast<link_type>(low);
}

/// Latest time handed out, year 2116: differences of two times never overflow.
inline constexpr std::int64_t latest_ns = std::int64_t{1} << 62;

/// How an interface of a pcapng file counts time.
struct time_unit {
    std::uint64_t multiply = 1000;  ///< ns per unit, for units of a nanosecond or more
    std::uint64_t divide = 1;       ///< units per ns, for finer ones
    unsigned binary = 0;            ///< units are 2^-binary seconds when set (and when `is_binary`)
    bool is_binary = false;
    std::int64_t offset_s = 0;  ///< if_tsoffset

    /// From the if_tsresol byte; nothing for a resolution beyond 10^-19 or 2^-63 seconds.
    [[nodiscard]] static std::optional<time_unit> from_resolution(std::uint8_t value) noexcept {
        time_unit unit;
        const unsigned exponent = value & 0x7fU;
        if ((value & 0x80) != 0) {
            if (exponent > 63) return std::nullopt;
            unit.is_binary = true;
            unit.binary = exponent;
            return unit;
        }
        if (exponent > 19) return std::nullopt;
        unit.multiply = 1;
        for (unsigned i = exponent; i < 9; ++i) unit.multiply *= 10;
        for (unsigned i = 9; i < exponent; ++i) unit.divide *= 10;
        return unit;
    }

    /// Units since the epoch to ns; times outside [0, latest_ns] are moved to the nearer end.
    [[nodiscard]] std::int64_t to_ns(std::uint64_t units) const noexcept {
        constexpr auto latest = static_cast<std::uint64_t>(latest_ns);
        std::uint64_t ns = 0;
        if (is_binary) {
            const std::uint64_t seconds = units >> binary;
            if (seconds > latest / 1'000'000'000) return latest_ns;
            std::uint64_t fraction = units & ((std::uint64_t{1} << binary) - 1);
            // 2^30 > 10^9: with at most 34 fraction bits the product fits.
            const unsigned dropped = binary > 34 ? binary - 34 : 0;
            fraction = ((fraction >> dropped) * 1'000'000'000) >> (binary - dropped);
            ns = seconds * 1'000'000'000 + fraction;
        } else {
            ns = units / divide > latest / multiply ? latest : units / divide * multiply;
        }
        if (offset_s == 0) return static_cast<std::int64_t>(std::min(ns, latest));
        constexpr std::int64_t most_s = latest_ns / 1'000'000'000;
        const std::int64_t shift = std::clamp(offset_s, -most_s, most_s) * 1'000'000'000;
        return std::clamp<std::int64_t>(
            static_cast<std::int64_t>(std::min(ns, latest - 1)) + std::min(shift, latest_ns - 1), 0, latest_ns);
    }
};

/// What a pcapng interface description says about its packets.
struct interface_description {
    link_type link = link_type::ethernet;
    std::uint32_t snap_len = 0;  ///< 0: unlimited
    time_unit time;
};

/// Reads the body of an interface description block; nothing when it contradicts itself.
[[nodiscard]] inline std::optional<interface_description> read_interface(bytes body, byte_order order) noexcept {
    if (body.size() < 8) return std::nullopt;
    interface_description out;
    out.link = link_from_file(order.u16(body.data()));
    out.snap_len = order.u32(body.data() + 4);
    std::int64_t offset_s = 0;
    for (bytes rest = body.subspan(8); rest.size() >= 4;) {
        const std::uint16_t code = order.u16(rest.data());
        const std::size_t length = order.u16(rest.data() + 2);
        const std::size_t padded = (length + 3) & ~std::size_t{3};
        if (code == 0) break;
        if (rest.size() - 4 < padded) return std::nullopt;
        const std::uint8_t* const value = rest.data() + 4;
        if (code == 9 && length == 1) {
            const auto unit = time_unit::from_resolution(*value);
            if (!unit) return std::nullopt;
            out.time = *unit;
        } else if (code == 14 && length == 8) {
            offset_s = static_cast<std::int64_t>(order.u64(value));
        }
        rest = rest.subspan(4 + padded);
    }
    out.time.offset_s = offset_s;
    return out;
}

}  // namespace pcap::detail
}  // namespace v0
}  // namespace mldefender
