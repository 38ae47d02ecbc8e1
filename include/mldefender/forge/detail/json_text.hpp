// SPDX-License-Identifier: MIT
// Writes JSON: texts, rates with six decimals, objects with their keys in the order given, so that the same model gives
// the same bytes. Called for the metadata and the JSON form of models.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace detail {

[[nodiscard]] inline std::string json_number(double value) {
    char digits[64];
    return {digits, std::to_chars(digits, digits + sizeof(digits), value, std::chars_format::fixed, 6).ptr};
}

[[nodiscard]] inline std::string json_string(std::string_view text) {
    constexpr char hex[] = "0123456789abcdef";
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<std::uint8_t>(c);
        if (byte < 0x20) {
            out += "\\u00";
            out += hex[byte >> 4];
            out += hex[byte & 15];
        } else {
            if (c == '"' || c == '\\') out += '\\';
            out += c;
        }
    }
    return out + '"';
}

/// Builds one JSON object, a member a line at the top level.
class json_object {
public:
    explicit json_object(std::string_view separator = ",") : m_separator(separator) {}

    json_object& raw(std::string_view key, std::string_view value) {
        m_text += (m_text.empty() ? "" : m_separator) + json_string(key) + ":" + std::string{value};
        return *this;
    }
    json_object& text(std::string_view key, std::string_view value) { return raw(key, json_string(value)); }
    json_object& count(std::string_view key, std::uint64_t value) { return raw(key, std::to_string(value)); }
    json_object& rate(std::string_view key, double value) { return raw(key, json_number(value)); }
    [[nodiscard]] std::string done() const { return "{" + m_text + "}"; }

private:
    std::string m_separator;
    std::string m_text;
};

template <class Items, class Name>
[[nodiscard]] std::string json_names(const Items& items, Name name) {
    std::string out;
    for (const auto& item : items) out += (out.empty() ? "" : ",") + json_string(name(item));
    return "[" + out + "]";
}

}  // namespace detail
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
