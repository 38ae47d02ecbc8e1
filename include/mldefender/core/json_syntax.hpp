// SPDX-License-Identifier: MIT
// Finds where a text stops being JSON: brackets, commas, colons, quotes, and where a value begins; not UTF-8, escapes
// and the details of numbers. For error messages, which a parser gives without a place, and ahead of look-ups by
// simdjson's on-demand interface, which take the structure of what they skip for granted. Called by settings and forge.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

namespace mldefender {
inline namespace v0 {

/// One scan of one text; nesting deeper than 64 is refused, too.
class json_syntax {
public:
    /// Of a text that outlives this.
    explicit json_syntax(std::string_view text) noexcept : m_text(text) {}

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

}  // namespace v0
}  // namespace mldefender
