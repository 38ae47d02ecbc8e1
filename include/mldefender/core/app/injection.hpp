// SPDX-License-Identifier: MIT
// Attempts to make a web application run what is only data: clauses of SQL behind a quote, tags, look-ups of a
// logging library, climbing out of the document folder, shell commands behind a separator. Looks for the construct,
// not for one exploit's text, and only when the text holds a character that could start one.
// Called by http.hpp for request targets and form bodies.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <mldefender/core/app/text.hpp>
#include <mldefender/core/bytes.hpp>

namespace mldefender {
inline namespace v0 {
namespace detail::app {

[[nodiscard]] constexpr int digit_of(std::uint8_t c) noexcept {
    if (is_digit(c)) return c - '0';
    const std::uint8_t folded = lower(c);
    return folded >= 'a' && folded <= 'f' ? folded - 'a' + 10 : -1;
}

/// Text of a request with escapes decoded once, '+' as blank, letters in lower case; what does not fit is left out.
struct decoded_text {
    std::array<std::uint8_t, 512> data{};
    std::size_t size = 0;

    constexpr explicit decoded_text(bytes text) noexcept {
        for (std::size_t at = 0; at < text.size() && size < data.size(); ++at) {
            std::uint8_t c = text[at];
            if (c == '%' && text.size() - at > 2 && digit_of(text[at + 1]) >= 0 && digit_of(text[at + 2]) >= 0) {
                c = static_cast<std::uint8_t>(digit_of(text[at + 1]) * 16 + digit_of(text[at + 2]));
                at += 2;
            }
            data[size++] = c == '+' ? std::uint8_t{' '} : lower(c);
        }
    }
    [[nodiscard]] constexpr bytes from(std::size_t at) const noexcept {
        return at < size ? bytes{data.data() + at, size - at} : bytes{};
    }
};

constexpr void skip_blanks(bytes& text) noexcept {
    while (!text.empty() && (text[0] == ' ' || text[0] == '(' || text[0] == ')')) text = text.subspan(1);
}

/// Behind a quote: "or 1=1", "and x='y", or the end of a statement and a comment.
[[nodiscard]] constexpr bool continues_clause(bytes rest) noexcept {
    skip_blanks(rest);
    if (starts_with(rest, "--") || starts_with(rest, ";--") || starts_with(rest, "; --")) return true;
    const std::size_t word = starts_with(rest, "or ") ? 3 : starts_with(rest, "and ") ? 4 : 0;
    return word != 0 && find_byte(slice(rest, word, 16), '=') < slice(rest, word, 16).size();
}

[[nodiscard]] constexpr bool selects_union(bytes rest) noexcept {
    if (!starts_with(rest, "union ")) return false;
    rest = rest.subspan(6);
    skip_blanks(rest);
    if (starts_with(rest, "all ")) rest = rest.subspan(4);
    return starts_with(rest, "select ");
}

/// Behind '<': the beginning of a tag that runs or loads something.
[[nodiscard]] constexpr bool opens_active_tag(bytes rest) noexcept {
    for (const std::string_view tag : {"script", "img ", "img/", "svg", "iframe", "body on", "object"}) {
        if (starts_with(rest, tag)) return true;
    }
    return false;
}

/// Behind "${": a look-up with a scheme, "name:".
[[nodiscard]] constexpr bool looks_up(bytes rest) noexcept {
    std::size_t at = 0;
    while (at < rest.size() && at < 16 && is_alpha(rest[at])) ++at;
    return at > 0 && at < rest.size() && (rest[at] == ':' || rest[at] == '$');
}

/// Behind ';', '|', '&' or '`': a command of a shell.
[[nodiscard]] constexpr bool calls_shell(bytes rest) noexcept {
    skip_blanks(rest);
    for (const std::string_view command : {"wget ", "curl ", "cat ", "/bin/", "bash ", "sh ", "nc ", "chmod ", "ping -",
                                           "busybox ", "powershell", "cmd.exe", "uname ", "whoami"}) {
        if (starts_with(rest, command)) return true;
    }
    return false;
}

/// Number of look-ups with a scheme in the headers of a request.
[[nodiscard]] constexpr int count_lookups(bytes head) noexcept {
    int found = 0;
    for (bytes rest = slice(head, find_text(head, "${")); rest.size() > 2; rest = slice(rest, find_text(rest, "${"))) {
        rest = rest.subspan(2);
        found += looks_up(rest);
    }
    return found;
}

/// Number of injection attempts in a request target or a form, at most 255.
[[nodiscard]] constexpr std::uint8_t count_injections(bytes text) noexcept {
    const decoded_text seen{text};
    unsigned found = 0, climbs = 0;
    for (std::size_t at = 0; at < seen.size; ++at) {
        const bytes rest = seen.from(at + 1);
        switch (seen.data[at]) {
            case '\'':
            case '"': found += continues_clause(rest); break;
            case 'u': found += selects_union(seen.from(at)); break;
            case '<': found += opens_active_tag(rest); break;
            case '$': found += starts_with(rest, "{") && looks_up(slice(rest, 1)); break;
            case ';':
            case '|':
            case '&':
            case '`': found += calls_shell(rest); break;
            case '.':
                // A single step up is how some pages refer to their neighbours.
                if (starts_with(rest, "./") || starts_with(rest, ".\\")) found += ++climbs == 3;
                break;
            default: break;
        }
    }
    return static_cast<std::uint8_t>(found < 255 ? found : 255);
}

}  // namespace detail::app
}  // namespace v0
}  // namespace mldefender
