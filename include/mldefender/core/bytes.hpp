// SPDX-License-Identifier: MIT
// Views of bytes and a bounds-checked cursor over them: the only way protocol code touches a payload.
// A cursor refuses to read past its end: it then stays failed and yields zeros, so a reader checks once at
// the end of a header rather than at every field. Works at compile time; independent of the host's byte order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace mldefender {
inline namespace v0 {

/// Read-only bytes owned by somebody else (a capture buffer, usually valid until the next read).
using bytes = std::span<const std::uint8_t>;

/// @{
/// Big-endian loads at an offset the caller has already checked.
[[nodiscard]] constexpr std::uint16_t load_be16(const std::uint8_t* at) noexcept {
    return static_cast<std::uint16_t>((at[0] << 8) | at[1]);
}
[[nodiscard]] constexpr std::uint32_t load_be32(const std::uint8_t* at) noexcept {
    return (std::uint32_t{at[0]} << 24) | (std::uint32_t{at[1]} << 16) | (std::uint32_t{at[2]} << 8) | at[3];
}
[[nodiscard]] constexpr std::uint64_t load_be64(const std::uint8_t* at) noexcept {
    return (std::uint64_t{load_be32(at)} << 32) | load_be32(at + 4);
}
/// @}
/// @{
/// Little-endian loads at an offset the caller has already checked.
[[nodiscard]] constexpr std::uint16_t load_le16(const std::uint8_t* at) noexcept {
    return static_cast<std::uint16_t>((at[1] << 8) | at[0]);
}
[[nodiscard]] constexpr std::uint32_t load_le32(const std::uint8_t* at) noexcept {
    return (std::uint32_t{at[3]} << 24) | (std::uint32_t{at[2]} << 16) | (std::uint32_t{at[1]} << 8) | at[0];
}
[[nodiscard]] constexpr std::uint64_t load_le64(const std::uint8_t* at) noexcept {
    return (std::uint64_t{load_le32(at + 4)} << 32) | load_le32(at);
}
/// @}

/// Walks a span front to back. Failure is sticky: after the first read past the end `ok()` is false, every
/// further read yields 0 or an empty span, and the position no longer moves.
class cursor {
public:
    /// Stands at the first byte of `data`, which must outlive it.
    constexpr explicit cursor(bytes data) noexcept : m_data(data) {}

    /// False once a read went past the end.
    [[nodiscard]] constexpr bool ok() const noexcept { return m_ok; }
    /// Bytes not yet read; 0 after a failure.
    [[nodiscard]] constexpr std::size_t remaining() const noexcept { return m_ok ? m_data.size() - m_at : 0; }
    /// Bytes read or skipped so far.
    [[nodiscard]] constexpr std::size_t position() const noexcept { return m_at; }
    /// What has not been read, without reading it; empty after a failure.
    [[nodiscard]] constexpr bytes rest() const noexcept { return m_ok ? m_data.subspan(m_at) : bytes{}; }

    /// @{
    /// The next number of so many bits, big (`be`) or little (`le`) endian; 0 and failure when there are fewer bytes.
    constexpr std::uint8_t u8() noexcept {
        const bytes b = take(1);
        return b.empty() ? std::uint8_t{0} : b[0];
    }
    constexpr std::uint16_t be16() noexcept {
        const bytes b = take(2);
        return b.empty() ? std::uint16_t{0} : load_be16(b.data());
    }
    constexpr std::uint32_t be24() noexcept {
        const bytes b = take(3);
        return b.empty() ? 0U : (std::uint32_t{b[0]} << 16) | (std::uint32_t{b[1]} << 8) | b[2];
    }
    constexpr std::uint32_t be32() noexcept {
        const bytes b = take(4);
        return b.empty() ? 0U : load_be32(b.data());
    }
    constexpr std::uint64_t be64() noexcept {
        const bytes b = take(8);
        return b.empty() ? 0U : load_be64(b.data());
    }
    constexpr std::uint16_t le16() noexcept {
        const bytes b = take(2);
        return b.empty() ? std::uint16_t{0} : load_le16(b.data());
    }
    constexpr std::uint32_t le32() noexcept {
        const bytes b = take(4);
        return b.empty() ? 0U : load_le32(b.data());
    }
    constexpr std::uint64_t le64() noexcept {
        const bytes b = take(8);
        return b.empty() ? 0U : load_le64(b.data());
    }
    /// @}
    /// The next `count` bytes, or an empty span and failure when there are fewer.
    constexpr bytes take(std::size_t count) noexcept {
        if (!m_ok || m_data.size() - m_at < count) {
            m_ok = false;
            return {};
        }
        const bytes taken = m_data.subspan(m_at, count);
        m_at += count;
        return taken;
    }
    /// Passes over `count` bytes; failure when there are fewer.
    constexpr void skip(std::size_t count) noexcept { (void)take(count); }

private:
    bytes m_data;
    std::size_t m_at = 0;
    bool m_ok = true;
};

/// True when `data` starts with the characters of `prefix`.
[[nodiscard]] constexpr bool starts_with(bytes data, std::string_view prefix) noexcept {
    if (data.size() < prefix.size()) return false;
    for (std::size_t i = 0; i < prefix.size(); ++i) {
        if (data[i] != static_cast<std::uint8_t>(prefix[i])) return false;
    }
    return true;
}

}  // namespace v0
}  // namespace mldefender
