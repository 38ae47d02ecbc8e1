// SPDX-License-Identifier: MIT
// A growing byte string to compose payloads with, and `message`: a head whose bytes matter plus a body that only has a
// size and a kind. Calls chain and are evaluated left to right, so draws inside a chain keep their order. It refuses
// nothing: what it writes is meant to be valid, tests check that. Used by all payload and dialogue headers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include <mldefender/core/bytes.hpp>
#include <mldefender/forge/synth/random.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {

/// Bytes under construction.
class blob {
public:
    /// An empty string with room for a usual message.
    blob() { m_bytes.reserve(192); }
    /// Begins with these characters.
    explicit blob(std::string_view characters) : blob() { text(characters); }

    /// Bytes so far.
    [[nodiscard]] std::size_t size() const noexcept { return m_bytes.size(); }
    /// The bytes; valid until the next change.
    [[nodiscard]] bytes view() const noexcept { return {m_bytes.data(), m_bytes.size()}; }
    /// The same as characters.
    [[nodiscard]] std::string_view characters() const noexcept {
        return {reinterpret_cast<const char*>(m_bytes.data()), m_bytes.size()};
    }

    /// Appends the low byte of `v`.
    blob& u8(std::uint64_t v) {
        m_bytes.push_back(static_cast<std::uint8_t>(v));
        return *this;
    }
    /// @{
    /// Appends the low bits of `v`, as many as the name says, big (`be`) or little (`le`) endian.
    blob& be16(std::uint64_t v) { return u8(v >> 8).u8(v); }
    blob& be24(std::uint64_t v) { return u8(v >> 16).be16(v); }
    blob& be32(std::uint64_t v) { return be16(v >> 16).be16(v); }
    blob& be64(std::uint64_t v) { return be32(v >> 32).be32(v); }
    blob& le16(std::uint64_t v) { return u8(v).u8(v >> 8); }
    blob& le32(std::uint64_t v) { return le16(v).le16(v >> 16); }
    blob& le64(std::uint64_t v) { return le32(v).le32(v >> 32); }
    /// @}
    /// Appends characters as they are.
    blob& text(std::string_view s) {
        for (const char c : s) m_bytes.push_back(static_cast<std::uint8_t>(c));
        return *this;
    }
    /// Decimal digits of a number.
    blob& number(std::uint64_t v) {
        std::array<char, 20> digits{};
        std::size_t at = digits.size();
        do {
            digits[--at] = static_cast<char>('0' + v % 10);
            v /= 10;
        } while (v != 0);
        return text({digits.data() + at, digits.size() - at});
    }
    /// UTF-16 little endian, as Windows protocols spell names.
    blob& utf16(std::string_view s) {
        for (const char c : s) u8(static_cast<std::uint8_t>(c)).u8(0);
        return *this;
    }
    /// Appends bytes as they are.
    blob& raw(bytes b) {
        m_bytes.insert(m_bytes.end(), b.begin(), b.end());
        return *this;
    }
    /// Appends `count` zero bytes.
    blob& zeros(std::size_t count) {
        m_bytes.resize(m_bytes.size() + count);
        return *this;
    }
    /// Appends `count` random bytes.
    blob& random(rng& r, std::size_t count) {
        const std::size_t at = m_bytes.size();
        m_bytes.resize(at + count);
        r.fill(m_bytes.data() + at, count);
        return *this;
    }
    /// `count` characters drawn from an alphabet.
    blob& random_text(rng& r, std::size_t count, std::string_view alphabet) {
        while (count-- > 0) u8(static_cast<std::uint8_t>(alphabet[r.below(alphabet.size())]));
        return *this;
    }
    /// Overwrites the two bytes at `at`, which must be there, big endian.
    void patch_be16(std::size_t at, std::uint64_t v) {
        m_bytes[at] = static_cast<std::uint8_t>(v >> 8);
        m_bytes[at + 1] = static_cast<std::uint8_t>(v);
    }
    /// Overwrites the two bytes at `at`, which must be there, little endian.
    void patch_le16(std::size_t at, std::uint64_t v) {
        m_bytes[at] = static_cast<std::uint8_t>(v);
        m_bytes[at + 1] = static_cast<std::uint8_t>(v >> 8);
    }

private:
    std::vector<std::uint8_t> m_bytes;
};

/// Alphabet of words.
inline constexpr std::string_view lower_letters = "abcdefghijklmnopqrstuvwxyz";
/// Alphabet of machine-made names.
inline constexpr std::string_view lower_digits = "abcdefghijklmnopqrstuvwxyz0123456789";
/// Alphabet of identifiers.
inline constexpr std::string_view hex_digits = "0123456789abcdef";
/// Alphabet of encoded bytes.
inline constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What a body looks like to an entropy estimate.
enum class body_kind : std::uint8_t { random, text, zeros };

/// Application data: `head` byte for byte, then filler up to `size` bytes altogether.
struct message {
    blob head;                           ///< the bytes a reader sees
    std::uint32_t size = 0;              ///< bytes altogether, at least head.size()
    body_kind kind = body_kind::random;  ///< what the filler looks like

    message() = default;
    /// A message without filler; implicit, so that a blob can be sent as it is.
    message(blob whole) : head(std::move(whole)), size(static_cast<std::uint32_t>(head.size())) {}
    /// `start`, filled up to `total` bytes; never shorter than `start`.
    message(blob start, std::int64_t total, body_kind body = body_kind::random)
        : head(std::move(start)), size(static_cast<std::uint32_t>(total)), kind(body) {
        if (size < head.size()) size = static_cast<std::uint32_t>(head.size());
    }
};

namespace payload {

/// DER: tag and length before an encoded content.
inline blob der(std::uint8_t tag, const blob& content) {
    blob b;
    b.u8(tag);
    if (content.size() < 128) {
        b.u8(content.size());
    } else {
        b.u8(0x82).be16(content.size());
    }
    return b.raw(content.view());
}
/// An INTEGER in DER: one byte below 128, else four (31 bits).
inline blob der_integer(std::uint64_t v) {
    blob b;
    if (v < 128) return der(2, b.u8(v));
    return der(2, b.be32(v & 0x7fff'ffffU));
}
/// A string in DER with the given tag.
inline blob der_text(std::uint8_t tag, std::string_view s) {
    blob b;
    return der(tag, b.text(s));
}
/// An OBJECT IDENTIFIER in DER, its content as encoded.
inline blob der_id(std::string_view encoded) {
    blob b;
    return der(6, b.text(encoded));
}

}  // namespace payload
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
