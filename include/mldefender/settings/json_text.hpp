// SPDX-License-Identifier: MIT
// Small helpers of the settings component: JSON string literals, numbers as JSON, the place of a syntax error. Not for
// the event log, which has its own writer. Called by binding.hpp only.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace mldefender {
inline namespace v0 {
namespace settings {
namespace detail {

/// A JSON string literal. The text is UTF-8, as it comes from source code or a parsed document.
[[nodiscard]] inline std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out.append({'\\', c});
        } else if (static_cast<unsigned char>(c) < 0x20) {
            constexpr std::string_view digits = "0123456789abcdef";
            out.append("\\u00").append({digits[static_cast<unsigned char>(c) >> 4], digits[c & 15]});
        } else {
            out.push_back(c);
        }
    }
    return out.append("\"");
}

/// The shortest decimal text that reads back as the number; whole numbers without a point.
template <class Number>
[[nodiscard]] std::string number_text(Number number) {
    char text[64];
    if constexpr (!std::is_integral_v<Number>) {
        if (std::abs(number) < Number(1e15) && number == std::floor(number)) {
            return number_text(static_cast<std::int64_t>(number));
        }
    }
    return {text, std::to_chars(text, text + sizeof text, number).ptr};
}

/// Finds where a text stops being JSON, for error messages: simdjson judges, this only points. What it does not look
/// at (UTF-8, escapes, numbers in detail) simply yields no place.
class syntax_scanner {
public:
    explicit syntax_scanner(std::string_view text) noexcept : m_text(text) {}

    /// Offset of the first character that cannot stand where it does; nothing when the scan meets no such character.
    [[nodiscard]] std::optional<std::size_t> error_offset() noexcept {
        const bool good = value(0) && (blanks(), m_at == m_text.size());
        return good ? std::nullopt : std::optional{m_at};
    }

private:
    [[nodiscard]] char here() const noexcept { return m_at < m_text.size() ? m_text[m_at] : '\0'; }
    void blanks() noexcept {
        while (here() == ' ' || here() == '\t' || here() == '\n' || here() == '\r') ++m_at;
    }
    bool accept(char c) noexcept {
        blanks();
        if (here() != c) return false;
        ++m_at;
        return true;
    }
    bool value(std::size_t depth) noexcept {
        blanks();
        if (depth > 64) return false;
        if (here() == '{' || here() == '[') return members(here() == '{', depth);
        if (here() == '"') return text();
        return scalar();
    }
    bool members(bool object, std::size_t depth) noexcept {
        const char close = object ? '}' : ']';
        ++m_at;
        if (accept(close)) return true;
        for (;;) {
            if (object && (blanks(), here() != '"' || !text() || !accept(':'))) return false;
            if (!value(depth + 1)) return false;
            if (accept(close)) return true;
            if (!accept(',')) return false;
        }
    }
    bool text() noexcept {
        const std::size_t start = m_at++;
        for (; m_at < m_text.size() && static_cast<unsigned char>(here()) >= 0x20; ++m_at) {
            if (here() == '"') return ++m_at, true;
            if (here() == '\\') ++m_at;
        }
        m_at = start;  // an open quote is the mistake, not the end of the line
        return false;
    }
    bool scalar() noexcept {
        const std::string_view rest = m_text.substr(m_at);
        for (const std::string_view word : {"true", "false", "null"}) {
            if (rest.starts_with(word)) return m_at += word.size(), true;
        }
        const std::size_t digits = std::min(rest.find_first_not_of("+-.0123456789eE"), rest.size());
        m_at += digits;
        return digits != 0;
    }

    std::string_view m_text;
    std::size_t m_at = 0;
};

}  // namespace detail
}  // namespace settings
}  // namespace v0
}  // namespace mldefender
