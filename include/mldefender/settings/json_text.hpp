// SPDX-License-Identifier: MIT
// Small helpers of the settings component: JSON string literals, numbers as JSON. Not for the event log, which has its
// own writer. Called by binding.hpp only.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
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

}  // namespace detail
}  // namespace settings
}  // namespace v0
}  // namespace mldefender
