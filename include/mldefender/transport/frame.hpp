// SPDX-License-Identifier: MIT
// The frame as bytes: its header, where it may travel (`route`), and what is authenticated beside the content.
//   'M' | version | suite | flags | key id u32 | sequence u64 | [length before LZ4 u32] | ciphertext | tag 16
// Little endian. `peek` looks at a header that nobody has authenticated yet: good for choosing a key, for nothing else.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mldefender/core/bytes.hpp>
#include <mldefender/core/result.hpp>
#include <mldefender/transport/refusal.hpp>

namespace mldefender {
inline namespace v0 {
namespace transport {

/// The algorithms a frame can be sealed with, by their number on the wire.
enum class suite : std::uint8_t {
    xchacha20_poly1305 = 1,  ///< everywhere
    aes256_gcm = 2,          ///< only where the processor has AES instructions
};

inline constexpr std::size_t header_size = 16;      ///< bytes
inline constexpr std::size_t length_size = 4;       ///< bytes, only in a compressed frame
inline constexpr std::size_t tag_size = 16;         ///< bytes
inline constexpr std::uint8_t frame_version = 1;    ///< the only one there is
inline constexpr std::uint8_t flag_lz4 = 1;         ///< compressed before it was sealed
inline constexpr std::uint8_t flag_final = 2;       ///< the last frame of its stream
inline constexpr std::size_t min_compressed = 256;  ///< bytes; shorter content is never compressed

/// 16 bytes that make a session's or a file's nonces its own.
using salt = std::array<std::uint8_t, 16>;

/// Bytes of a frame that holds `content` bytes uncompressed; a compressed frame is never longer.
[[nodiscard]] constexpr std::size_t frame_size(std::size_t content) noexcept {
    return header_size + content + tag_size;
}

/// The header of a frame.
struct frame_header {
    suite algorithm = suite::xchacha20_poly1305;  ///< what it is sealed with
    std::uint8_t flags = 0;                       ///< `flag_lz4`, `flag_final`
    std::uint32_t key_id = 0;                     ///< selects exactly one key
    std::uint64_t sequence = 0;                   ///< counts the frames of a session from 0
    std::uint32_t content_size = 0;               ///< bytes after opening, as claimed

    /// True when the content was compressed.
    [[nodiscard]] constexpr bool compressed() const noexcept { return (flags & flag_lz4) != 0; }
    /// Bytes before the ciphertext.
    [[nodiscard]] constexpr std::size_t size() const noexcept { return header_size + (compressed() ? length_size : 0); }
};

/// Reads the header of `frame`, unauthenticated. Refuses what is no frame (not_a_frame), another version, suite or
/// flag (unsupported_suite), and lengths that cannot be true or exceed `max_content` bytes (size_anomaly): LZ4 makes
/// at most 255 bytes of one.
[[nodiscard]] constexpr result<frame_header, refusal> peek(bytes frame, std::size_t max_content) noexcept {
    if (frame.empty() || frame[0] != 'M') return refusal::not_a_frame;
    if (frame.size() < header_size + tag_size) return refusal::size_anomaly;
    const std::uint8_t number = frame[2];
    const bool known = number == static_cast<std::uint8_t>(suite::xchacha20_poly1305) ||
                       number == static_cast<std::uint8_t>(suite::aes256_gcm);
    if (frame[1] != frame_version || !known || (frame[3] & ~(flag_lz4 | flag_final)) != 0) {
        return refusal::unsupported_suite;
    }
    frame_header header{static_cast<suite>(number), frame[3], load_le32(&frame[4]), load_le64(&frame[8]), 0};
    if (frame.size() < header.size() + tag_size) return refusal::size_anomaly;
    const std::size_t sealed = frame.size() - header.size() - tag_size;
    const std::size_t content = header.compressed() ? load_le32(&frame[header_size]) : sealed;
    if (content > max_content || sealed > max_content || content > 0xffffffffU) return refusal::size_anomaly;
    if (header.compressed() && content / 255 > sealed) return refusal::size_anomaly;
    header.content_size = static_cast<std::uint32_t>(content);
    return header;
}

/// Which way a frame travels on its channel; so that a frame sent back to its sender is not one for it.
enum class direction : std::uint8_t {
    forward = 0,   ///< from the side that opened the session
    backward = 1,  ///< the answers
};

/// Where a frame belongs: bound into every frame, never sent. Both sides must name the same route.
class route {
public:
    route() = default;

    /// Names are 1 to 255 bytes. Errors: bad_argument.
    [[nodiscard]] static result<route, error> make(std::string_view channel, std::string_view sender,
                                                   std::string_view receiver, direction way) {
        route made;
        for (const std::string_view name : {channel, sender, receiver}) {
            if (name.empty() || name.size() > 255) {
                return error{errc::bad_argument, "channel, sender and receiver have 1 to 255 bytes", std::string{name},
                             0};
            }
            made.m_bytes.push_back(static_cast<std::uint8_t>(name.size()));
            made.m_bytes.insert(made.m_bytes.end(), name.begin(), name.end());
        }
        made.m_bytes.push_back(static_cast<std::uint8_t>(way));
        made.m_sender = sender;
        return made;
    }

    /// The sender's name.
    [[nodiscard]] const std::string& sender() const noexcept { return m_sender; }
    /// As authenticated: channel, sender and receiver, each behind a length byte, and the direction.
    [[nodiscard]] bytes encoded() const noexcept { return m_bytes; }

private:
    std::vector<std::uint8_t> m_bytes;
    std::string m_sender;
};

namespace detail {

constexpr void store_le32(std::uint8_t* at, std::uint32_t value) noexcept {
    for (int i = 0; i < 4; ++i) at[i] = static_cast<std::uint8_t>(value >> (8 * i));
}
constexpr void store_le64(std::uint8_t* at, std::uint64_t value) noexcept {
    for (int i = 0; i < 8; ++i) at[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

/// The associated data of a session's frames: the route stands still at the end, the header is put before it, with or
/// without the length, so that either form is one contiguous range.
class associated_data {
public:
    associated_data() = default;
    explicit associated_data(const route& way) : m_buffer(header_size + length_size) {
        const bytes tail = way.encoded();
        m_buffer.insert(m_buffer.end(), tail.begin(), tail.end());
    }

    /// For the first `size` bytes of a frame, which are 16 or 20.
    [[nodiscard]] bytes with(const std::uint8_t* frame, std::size_t size) noexcept {
        std::uint8_t* start = m_buffer.data() + (header_size + length_size - size);
        for (std::size_t i = 0; i < size; ++i) start[i] = frame[i];
        return {start, m_buffer.data() + m_buffer.size()};
    }

private:
    std::vector<std::uint8_t> m_buffer;
};

}  // namespace detail
}  // namespace transport
}  // namespace v0
}  // namespace mldefender
