// SPDX-License-Identifier: MIT
// Small tools shared by the protocol readers: searching and comparing bytes as ASCII text, a byte hash, and a BER
// walker for LDAP, SNMP, Kerberos and certificates. Nothing trusts a length: an item that claims more than there is
// comes back cut short and says so. Private to the readers in this folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include <mldefender/core/bytes.hpp>

namespace mldefender {
inline namespace v0 {
namespace detail::app {

[[nodiscard]] constexpr std::uint8_t lower(std::uint8_t c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<std::uint8_t>(c | 0x20) : c;
}
[[nodiscard]] constexpr bool is_digit(std::uint8_t c) noexcept { return c >= '0' && c <= '9'; }
[[nodiscard]] constexpr bool is_alpha(std::uint8_t c) noexcept { return lower(c) >= 'a' && lower(c) <= 'z'; }

/// Position of the first `wanted` at or after `from`, or `data.size()`.
[[nodiscard]] constexpr std::size_t find_byte(bytes data, std::uint8_t wanted, std::size_t from = 0) noexcept {
    if (from >= data.size()) return data.size();
    if (!std::is_constant_evaluated()) {
        const void* const hit = std::memchr(data.data() + from, wanted, data.size() - from);
        return hit == nullptr ? data.size()
                              : static_cast<std::size_t>(static_cast<const std::uint8_t*>(hit) - data.data());
    }
    while (from < data.size() && data[from] != wanted) ++from;
    return from;
}

/// `data` from `from` on, at most `count` bytes; empty when it starts behind the end.
[[nodiscard]] constexpr bytes slice(bytes data, std::size_t from, std::size_t count = ~std::size_t{0}) noexcept {
    if (from >= data.size()) return {};
    const std::size_t there = data.size() - from;
    return data.subspan(from, count < there ? count : there);
}

/// True when `data` starts with `prefix`, letter case aside; `prefix` is given in lower case.
[[nodiscard]] constexpr bool starts_with_fold(bytes data, std::string_view prefix) noexcept {
    if (data.size() < prefix.size()) return false;
    for (std::size_t i = 0; i < prefix.size(); ++i) {
        if (lower(data[i]) != static_cast<std::uint8_t>(prefix[i])) return false;
    }
    return true;
}

/// Position of `wanted`, or `data.size()` when it does not occur.
[[nodiscard]] constexpr std::size_t find_text(bytes data, std::string_view wanted) noexcept {
    for (std::size_t at = 0;; ++at) {
        at = find_byte(data, static_cast<std::uint8_t>(wanted[0]), at);
        if (data.size() - at < wanted.size()) return data.size();
        if (starts_with(data.subspan(at), wanted)) return at;
    }
}
[[nodiscard]] constexpr bool contains(bytes data, std::string_view wanted) noexcept {
    return find_text(data, wanted) < data.size();
}
/// Like `contains`, letter case aside; `wanted` is given in lower case. For short texts: it looks at every byte.
[[nodiscard]] constexpr bool contains_fold(bytes data, std::string_view wanted) noexcept {
    for (std::size_t at = 0; data.size() - at >= wanted.size(); ++at) {
        if (starts_with_fold(data.subspan(at), wanted)) return true;
    }
    return false;
}

/// Cuts the next line off `rest`, without its line end. A last line without line end counts.
[[nodiscard]] constexpr bytes next_line(bytes& rest) noexcept {
    const std::size_t end = find_byte(rest, '\n');
    bytes line = rest.first(end);
    rest = slice(rest, end + 1);
    if (!line.empty() && line.back() == '\r') line = line.first(line.size() - 1);
    return line;
}

[[nodiscard]] constexpr bytes trim(bytes text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text = text.subspan(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text = text.first(text.size() - 1);
    return text;
}

/// Leading decimal digits as a number; stops growing at 10^12, so it cannot overflow. 0 without digits.
[[nodiscard]] constexpr std::uint64_t leading_number(bytes text) noexcept {
    std::uint64_t number = 0;
    for (const std::uint8_t c : text) {
        if (!is_digit(c) || number >= 1'000'000'000'000ULL) break;
        number = number * 10 + (c - std::uint64_t{'0'});
    }
    return number;
}

/// Three digits followed by a blank, a dash or the end, as replies of FTP, SMTP and HTTP begin; else 0.
[[nodiscard]] constexpr std::uint16_t reply_code(bytes line) noexcept {
    if (line.size() < 3 || !is_digit(line[0]) || !is_digit(line[1]) || !is_digit(line[2])) return 0;
    if (line.size() > 3 && line[3] != ' ' && line[3] != '-' && line[3] != '\r' && line[3] != '\n') return 0;
    return static_cast<std::uint16_t>(leading_number(line.first(3)));
}

/// True when the first bytes (up to 16) are printable ASCII or usual white space.
[[nodiscard]] constexpr bool starts_as_text(bytes data) noexcept {
    for (const std::uint8_t c : slice(data, 0, 16)) {
        if ((c < 0x20 || c > 0x7e) && c != '\r' && c != '\n' && c != '\t') return false;
    }
    return !data.empty();
}

/// Little-endian loads that yield 0 behind the end.
[[nodiscard]] constexpr std::uint16_t le16_at(bytes data, std::size_t at) noexcept {
    return data.size() >= at + 2 ? load_le16(data.data() + at) : std::uint16_t{0};
}
[[nodiscard]] constexpr std::uint32_t le32_at(bytes data, std::size_t at) noexcept {
    return data.size() >= at + 4 ? load_le32(data.data() + at) : 0U;
}

/// A security blob of an SMB session set-up or LDAP bind: NTLM type 3 or a Kerberos ticket present credentials, NTLM
/// type 1 does not.
[[nodiscard]] constexpr bool presents_credentials(bytes blob) noexcept {
    const bytes head = slice(blob, 0, 160);
    const std::size_t at = find_text(head, "NTLMSSP");
    return at < head.size() ? le32_at(head, at + 8) == 3 : blob.size() > 400;
}

/// FNV-1a with 64 bits (Fowler, Noll, Vo): for rarity counts and equality, not against an adversary.
inline constexpr std::uint64_t hash_seed = 0xcbf29ce484222325ULL;
[[nodiscard]] constexpr std::uint64_t hash_step(std::uint64_t hash, std::uint64_t value) noexcept {
    return (hash ^ value) * 0x00000100000001b3ULL;
}
[[nodiscard]] constexpr std::uint64_t text_hash(bytes data) noexcept {
    std::uint64_t hash = hash_seed;
    for (const std::uint8_t byte : data) hash = hash_step(hash, byte);
    return hash;
}

/// One tag-length-value of BER. `whole` is false when the value was cut short by the end of the data.
struct ber_item {
    std::uint8_t tag = 0;  ///< 0: nothing more to read
    bool whole = false;
    bytes value;
};

/// Cuts the next item off `rest`. Multi-byte tags and indefinite lengths do not occur in the protocols read here
/// and end the walk.
[[nodiscard]] constexpr ber_item next_ber(bytes& rest) noexcept {
    cursor in{rest};
    const std::uint8_t tag = in.u8();
    std::size_t length = in.u8();
    if (length >= 0x80) {
        const std::size_t octets = length & 0x7f;
        if (octets == 0 || octets > 4) return {};
        length = 0;
        for (std::size_t i = 0; i < octets; ++i) length = (length << 8) | in.u8();
    }
    if (!in.ok() || tag == 0 || (tag & 0x1f) == 0x1f) return {};
    const ber_item item{tag, length <= in.remaining(), slice(in.rest(), 0, length)};
    rest = slice(in.rest(), item.value.size());
    return item;
}

/// The value of the next item when it has this tag, else nothing; `rest` moves only on a match.
[[nodiscard]] constexpr bytes expect_ber(bytes& rest, std::uint8_t tag) noexcept {
    bytes after = rest;
    const ber_item item = next_ber(after);
    if (item.tag != tag) return {};
    rest = after;
    return item.value;
}

/// The value of the first item with this tag among the following ones (at most 32 are looked at).
[[nodiscard]] constexpr bytes find_ber(bytes rest, std::uint8_t tag) noexcept {
    for (int i = 0; i < 32 && !rest.empty(); ++i) {
        const ber_item item = next_ber(rest);
        if (item.tag == tag) return item.value;
        if (item.tag == 0) break;
    }
    return {};
}

/// A BER integer's low 32 bits, two's complement as far as that goes; 0 when empty.
[[nodiscard]] constexpr std::uint32_t ber_number(bytes value) noexcept {
    std::uint32_t number = !value.empty() && value[0] >= 0x80 ? ~0U : 0U;
    for (const std::uint8_t byte : slice(value, 0, 8)) number = (number << 8) | byte;
    return number;
}

}  // namespace detail::app
}  // namespace v0
}  // namespace mldefender
