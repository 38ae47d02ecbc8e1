// SPDX-License-Identifier: MIT
// Writes JSON text into memory the caller has reserved: literals, escaped strings, integers, fixed-point numbers,
// times. Nothing here checks for room (the line writer computes a bound once per line), nothing allocates, and no
// number leaves it that JSON cannot hold: NaN is 0, infinities are clamped. Bytes that are not UTF-8 become U+FFFD.
// Used by the line writer, the summary and artifacts.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace mldefender {
inline namespace v0 {
namespace log {

/// A moment's calendar date and time of day, UTC, proleptic Gregorian.
struct utc_time {
    std::int32_t year = 1970;         ///< four digits
    std::uint32_t month = 1;          ///< 1..12
    std::uint32_t day = 1;            ///< 1..31
    std::uint32_t second_of_day = 0;  ///< 0..86399
    std::uint32_t nanosecond = 0;     ///< 0..999999999
};

inline constexpr std::int64_t ns_per_second = 1'000'000'000;        ///< nanoseconds
inline constexpr std::int64_t ns_per_day = 86'400 * ns_per_second;  ///< of a day without leap second

/// Days since the Unix epoch, rounded down, also before 1970.
[[nodiscard]] constexpr std::int64_t utc_day(std::int64_t timestamp_ns) noexcept {
    return timestamp_ns / ns_per_day - (timestamp_ns % ns_per_day < 0 ? 1 : 0);
}

/// Calendar form of a time; any 64-bit number of nanoseconds has a four-digit year. Date arithmetic: Howard Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
[[nodiscard]] constexpr utc_time to_utc(std::int64_t timestamp_ns) noexcept {
    const std::int64_t days = utc_day(timestamp_ns);
    // Not days * ns_per_day: that product leaves 64 bits for the first day that can be represented.
    std::int64_t rest = timestamp_ns % ns_per_day;
    if (rest < 0) rest += ns_per_day;
    const std::int64_t z = days + 719468;
    const std::int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    const auto day_of_era = static_cast<std::uint32_t>(z - era * 146097);
    const std::uint32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const std::uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::uint32_t shifted_month = (5 * day_of_year + 2) / 153;
    utc_time t;
    t.day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    t.month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    t.year = static_cast<std::int32_t>(era * 400 + year_of_era + (t.month <= 2 ? 1 : 0));
    t.second_of_day = static_cast<std::uint32_t>(rest / ns_per_second);
    t.nanosecond = static_cast<std::uint32_t>(rest % ns_per_second);
    return t;
}

namespace detail {

inline constexpr std::array<std::uint64_t, 7> powers_of_ten{1, 10, 100, 1000, 10000, 100000, 1000000};
/// Largest magnitude written: times 10^4 it still fits a double's 53 bits of integers.
inline constexpr double largest_number = 9e11;

/// Length of the valid UTF-8 sequence at `at` (RFC 3629: no surrogates, no overlong forms), 0 when there is none.
[[nodiscard]] constexpr std::size_t utf8_length(std::string_view text, std::size_t at) noexcept {
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<std::uint8_t>(text[i]) : std::uint8_t{0};
    };
    const auto tail = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
    const std::uint8_t first = byte(at);
    const std::uint8_t second = byte(at + 1);
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) return tail(at + 1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        const bool second_fits = (first != 0xe0 || second >= 0xa0) && (first != 0xed || second < 0xa0);
        return tail(at + 1) && second_fits && tail(at + 2) ? 3 : 0;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        const bool second_fits = (first != 0xf0 || second >= 0x90) && (first != 0xf4 || second < 0x90);
        return tail(at + 1) && second_fits && tail(at + 2) && tail(at + 3) ? 4 : 0;
    }
    return 0;
}

[[nodiscard]] constexpr bool is_plain(char c) noexcept {
    const auto byte = static_cast<std::uint8_t>(c);
    return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

}  // namespace detail

/// An upper bound of what `text_cursor::escaped` writes for a text.
[[nodiscard]] constexpr std::size_t escaped_bound(std::string_view text) noexcept { return text.size() * 6; }

/// A position in reserved memory. The caller guarantees room: 20 bytes an integer, 24 a fixed-point number, 32 a
/// time, `escaped_bound` a text.
class text_cursor {
public:
    /// Starts writing at `at`.
    explicit text_cursor(char* at) noexcept : m_begin(at), m_at(at) {}

    /// Bytes written.
    [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(m_at - m_begin); }
    /// The text written.
    [[nodiscard]] std::string_view view() const noexcept { return {m_begin, size()}; }

    /// Bytes as they are: JSON syntax and text known to need no escaping.
    text_cursor& put(std::string_view raw) noexcept {
        if (!raw.empty()) std::memcpy(m_at, raw.data(), raw.size());  // an empty view may be null
        m_at += raw.size();
        return *this;
    }
    /// A literal, whose length the compiler knows: a few moves instead of a call.
    template <std::size_t N>
    text_cursor& put(const char (&literal)[N]) noexcept {
        std::memcpy(m_at, literal, N - 1);
        m_at += N - 1;
        return *this;
    }
    /// One byte as it is.
    text_cursor& put(char c) noexcept {
        *m_at++ = c;
        return *this;
    }

    /// A whole number in decimal digits.
    text_cursor& integer(std::uint64_t number) noexcept {
        m_at = std::to_chars(m_at, m_at + 20, number).ptr;
        return *this;
    }

    /// `Decimals` (1..6) digits after the point, trailing zeros removed but the first: a number that is always seen
    /// to be a fraction, so that no index takes the field for an integer. Rounds half away from zero.
    template <std::size_t Decimals>
    text_cursor& fixed(double number) noexcept {
        static_assert(Decimals >= 1 && Decimals <= 6);
        if (!(number == number)) number = 0;
        const bool negative = number < 0;
        if (negative) number = -number;
        if (number > detail::largest_number) number = detail::largest_number;
        constexpr std::uint64_t scale = detail::powers_of_ten[Decimals];
        const auto scaled = static_cast<std::uint64_t>(number * static_cast<double>(scale) + 0.5);
        if (negative && scaled != 0) put('-');
        integer(scaled / scale).put('.');
        std::uint64_t fraction = scaled % scale;
        for (std::size_t i = Decimals; i-- > 0;) {
            m_at[i] = static_cast<char>('0' + fraction % 10);
            fraction /= 10;
        }
        std::size_t digits = Decimals;
        while (digits > 1 && m_at[digits - 1] == '0') --digits;
        m_at += digits;
        return *this;
    }

    /// Two decimals behind a sign, for weights: "+0.31".
    text_cursor& signed_hundredths(double number) noexcept {
        const bool negative = number < 0;
        if (!(number == number)) number = 0;
        double magnitude = negative ? -number : number;
        if (magnitude > detail::largest_number) magnitude = detail::largest_number;
        const auto scaled = static_cast<std::uint64_t>(magnitude * 100 + 0.5);
        put(negative && scaled != 0 ? '-' : '+').integer(scaled / 100).put('.');
        return digits<2>(static_cast<std::uint32_t>(scaled % 100));
    }

    /// A number in exactly `Count` decimal digits.
    template <std::size_t Count>
    text_cursor& digits(std::uint32_t number) noexcept {
        for (std::size_t i = Count; i-- > 0;) {
            m_at[i] = static_cast<char>('0' + number % 10);
            number /= 10;
        }
        m_at += Count;
        return *this;
    }

    /// Two lower-case hex digits per octet.
    text_cursor& hex(std::span<const std::uint8_t> octets) noexcept {
        for (const std::uint8_t octet : octets) hex(octet);
        return *this;
    }
    /// Two lower-case hex digits per octet.
    text_cursor& hex(std::uint8_t octet) noexcept {
        put("0123456789abcdef"[octet >> 4]);
        return put("0123456789abcdef"[octet & 15]);
    }

    /// "2026-11-20": 10 bytes.
    text_cursor& date(const utc_time& t) noexcept {
        digits<4>(static_cast<std::uint32_t>(t.year)).put('-');
        digits<2>(t.month).put('-');
        return digits<2>(t.day);
    }

    /// "2026-11-20T22:10:00.123456+0000": 31 bytes. Microseconds are rounded down.
    text_cursor& timestamp(std::int64_t timestamp_ns) noexcept {
        const utc_time t = to_utc(timestamp_ns);
        date(t).put('T').digits<2>(t.second_of_day / 3600).put(':').digits<2>(t.second_of_day / 60 % 60).put(':');
        return digits<2>(t.second_of_day % 60).put('.').digits<6>(t.nanosecond / 1000).put("+0000");
    }

    /// The inside of a JSON string (RFC 8259): quotes, backslashes and control characters escaped, each byte that is
    /// not part of valid UTF-8 replaced by U+FFFD.
    text_cursor& escaped(std::string_view text) noexcept {
        std::size_t plain = 0;
        while (plain < text.size() && detail::is_plain(text[plain])) ++plain;
        put(text.substr(0, plain));
        for (std::size_t at = plain; at < text.size();) {
            const std::size_t length = detail::utf8_length(text, at);
            if (length == 0) put("\xef\xbf\xbd");
            if (length == 1) escaped_ascii(text[at]);
            if (length > 1) put(text.substr(at, length));
            at += length == 0 ? 1 : length;
        }
        return *this;
    }

private:
    void escaped_ascii(char c) noexcept {
        if (detail::is_plain(c)) {
            put(c);
        } else if (c == '"' || c == '\\') {
            put('\\').put(c);
        } else if (c == '\n') {
            put("\\n");
        } else if (c == '\t') {
            put("\\t");
        } else {
            put("\\u00").hex(static_cast<std::uint8_t>(c));
        }
    }

    char* m_begin;
    char* m_at;
};

}  // namespace log
}  // namespace v0
}  // namespace mldefender
