// SPDX-License-Identifier: MIT
// What the body of an HTTP answer is, by its first bytes: a program, an installer or an archive, media, text, nothing
// but an address, or bytes that no known format begins with. Reads at most the first 256 bytes of a body and refuses
// to judge fewer than 32 as unreadable: entropy of a few bytes says nothing.
// Called by traffic.hpp for the first body bytes of an answer.
#pragma once

#include <array>

#include <mldefender/core/app/text.hpp>

namespace mldefender {
inline namespace v0 {

/// What a body starts as.
enum class body_kind : std::uint8_t {
    none,        ///< too short to tell
    text,        ///< printable
    address,     ///< an IP address as text and nothing else
    program,     ///< a Windows or Unix executable
    package,     ///< what runs or unpacks: installer, cabinet, archive, Java, Flash
    known,       ///< another known format: image, audio, video, font, compressed stream, document
    structured,  ///< binary of an unknown format with some order in it
    unreadable,  ///< bytes as random as encryption makes them
};

namespace detail::app {

/// The body behind the head of a message, with the size line of a first chunk (RFC 9112, 7.1) cut off when there is
/// one.
[[nodiscard]] constexpr bytes skip_chunk_size(bytes body) noexcept {
    std::size_t digits = 0;
    const auto is_hex = [](std::uint8_t c) noexcept { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f'); };
    while (digits < body.size() && digits < 8 && is_hex(body[digits])) ++digits;
    if (digits == 0 || !starts_with(slice(body, digits), "\r\n")) return body;
    return slice(body, digits + 2);
}

/// An IPv4 or IPv6 address and nothing else but white space around it.
[[nodiscard]] constexpr bool is_lone_address(bytes body) noexcept {
    while (!body.empty() && body.front() <= ' ') body = body.subspan(1);
    while (!body.empty() && body.back() <= ' ') body = body.first(body.size() - 1);
    if (body.size() < 7 || body.size() > 45) return false;
    int dots = 0;
    int colons = 0;
    int digits = 0;
    for (const std::uint8_t c : body) {
        dots += c == '.';
        colons += c == ':';
        digits += is_digit(c);
        const bool hex = lower(c) >= 'a' && lower(c) <= 'f';
        if (c != '.' && c != ':' && !is_digit(c) && !hex) return false;
        if (hex && dots > 0) return false;
    }
    return (dots == 3 && colons == 0 && digits >= 4) || (colons >= 3 && dots == 0);
}

struct magic {
    std::string_view bytes;
    body_kind kind;
};
/// First bytes by which formats are known (file(1), IANA media types).
inline constexpr magic magics[] = {
    {"\x7f"
     "ELF",
     body_kind::program},
    {"\xd0\xcf\x11\xe0", body_kind::package},  // compound file: installers and old office documents
    {"MSCF", body_kind::package},
    {"PK\x03\x04", body_kind::package},
    {"Rar!", body_kind::package},
    {"7z\xbc\xaf", body_kind::package},
    {"\xca\xfe\xba\xbe", body_kind::package},  // Java class, universal binary
    {"\xca\xfe\xd0\x0d", body_kind::package},  // Pack200
    {"{\\rtf", body_kind::known},
    {"\x1f\x8b", body_kind::known},
    {"\xff\xd8\xff", body_kind::known},
    {"\x89PNG", body_kind::known},
    {"GIF8", body_kind::known},
    {"RIFF", body_kind::known},
    {"%PDF", body_kind::known},
    {"FWS", body_kind::package},  // Flash
    {"CWS", body_kind::package},
    {"ZWS", body_kind::package},
    {"OggS", body_kind::known},
    {"ID3", body_kind::known},
    {"FLV", body_kind::known},
    {"wOF", body_kind::known},
    {"BZh", body_kind::known},
    {"\xfd"
     "7zXZ",
     body_kind::known},
    {"\x28\xb5\x2f\xfd", body_kind::known},  // Zstandard
    {"\x1a\x45\xdf\xa3", body_kind::known},  // Matroska
};

[[nodiscard]] constexpr bool begins_with_magic(bytes body, std::string_view magic) noexcept {
    if (body.size() < magic.size()) return false;
    for (std::size_t i = 0; i < magic.size(); ++i) {
        if (body[i] != static_cast<std::uint8_t>(magic[i])) return false;
    }
    return true;
}

/// How many different values the first `count` bytes have; random ones differ more than any code or table does.
[[nodiscard]] constexpr std::size_t distinct_bytes(bytes data, std::size_t count) noexcept {
    std::array<bool, 256> seen{};
    std::size_t distinct = 0;
    for (const std::uint8_t byte : slice(data, 0, count)) {
        distinct += !seen[byte];
        seen[byte] = true;
    }
    return distinct;
}

[[nodiscard]] constexpr body_kind kind_of_body(bytes body) noexcept {
    if (body.size() < 4) return body_kind::none;
    if (body[0] == 'M' && body[1] == 'Z' && body.size() >= 8) return body_kind::program;
    for (const magic& m : magics) {
        if (begins_with_magic(body, m.bytes)) return m.kind;
    }
    if (body.size() >= 12 && begins_with_magic(body.subspan(4), "ftyp")) return body_kind::known;
    if (is_lone_address(body)) return body_kind::address;
    const bytes head = slice(body, 0, 256);
    std::size_t odd = 0;
    for (const std::uint8_t c : head) odd += (c < 0x20 && c != '\r' && c != '\n' && c != '\t') || c == 0x7f;
    // Text in UTF-16 has a zero in every second place and says so first.
    const bool wide = (body[0] == 0xff && body[1] == 0xfe) || (body[0] == 0xfe && body[1] == 0xff);
    if (wide || odd * 32 < head.size()) return body_kind::text;
    if (head.size() < 128) return body_kind::structured;
    // 256 random bytes hold 162 different values on average, and hardly ever fewer than 140 (128: 101, 85).
    return distinct_bytes(head, 128) >= 85 && distinct_bytes(head, 256) * 256 >= 140 * head.size()
               ? body_kind::unreadable
               : body_kind::structured;
}

}  // namespace detail::app
}  // namespace v0
}  // namespace mldefender
