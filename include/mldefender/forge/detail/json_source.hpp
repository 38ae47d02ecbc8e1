// SPDX-License-Identifier: MIT
// JSON documents of models: looks members up, turns numbers into the type asked for straight from their digits (a
// binary32 that went through binary64 may round twice), and keeps the first thing that is wrong with its path. After
// a refusal every further step yields nothing, so readers check once. Called by the import_*.hpp readers of JSON.
#pragma once

#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <mldefender/core/bytes.hpp>
#include <mldefender/core/json_syntax.hpp>
#include <mldefender/core/result.hpp>
#include <mldefender/forge/foreign_model.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace detail {

/// The whole text as a number, finite and within the type; nothing otherwise. `true` and `false` are 1 and 0.
template <class Number>
[[nodiscard]] std::optional<Number> parse_number(std::string_view text) noexcept {
    if constexpr (std::is_integral_v<Number>) {
        if (text == "true" || text == "false") return text == "true" ? Number{1} : Number{0};
    }
    Number value{};
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
    if constexpr (!std::is_integral_v<Number>) {
        if (!std::isfinite(value)) return std::nullopt;
    }
    return value;
}

/// One document. Objects and values it hands out live as long as it does, and are read front to back.
class json_source {
public:
    using object = simdjson::ondemand::object;
    using value = simdjson::ondemand::value;

    /// A copy of `text`; `where` names it in errors.
    json_source(bytes text, std::string_view where)
        : m_text(reinterpret_cast<const char*>(text.data()), text.size()), m_where(where) {}

    /// True until something was refused.
    [[nodiscard]] bool ok() const noexcept { return m_error.code == errc::ok; }
    /// The first refusal.
    [[nodiscard]] const error& failure() const noexcept { return m_error; }

    /// Remembers a refusal, unless there is one already.
    void refuse(const std::string& path, const std::string& what) {
        if (ok()) m_error = refuse_import(m_where, path, what);
    }

    /// The document, which must be an object.
    [[nodiscard]] std::optional<object> root() {
        object found;
        if (const auto wrong = json_syntax{m_text}.error_offset()) {
            refuse("byte " + std::to_string(*wrong),
                   "no JSON from here on; the file is cut short, damaged or of another kind");
            return std::nullopt;
        }
        auto failed = m_parser.iterate(m_text).get(m_document);
        if (failed == simdjson::SUCCESS) failed = m_document.get_object().get(found);
        if (failed != simdjson::SUCCESS) {
            refuse("", std::string{"no JSON object: "} + simdjson::error_message(failed));
            return std::nullopt;
        }
        return found;
    }

    /// A member, refused when it is not there.
    [[nodiscard]] std::optional<value> member(object& in, const std::string& path, std::string_view key) {
        std::optional<value> found = find(in, path, key);
        if (!found) refuse(joined(path, key), "is missing; the file is cut short or of another kind");
        return found;
    }

    /// A member that may be missing or null.
    [[nodiscard]] std::optional<value> find(object& in, const std::string& path, std::string_view key) {
        if (!ok()) return std::nullopt;
        value found;
        const auto failed = in.find_field_unordered(key).get(found);
        if (failed == simdjson::NO_SUCH_FIELD) return std::nullopt;
        if (failed != simdjson::SUCCESS) {
            malformed(joined(path, key), failed);
            return std::nullopt;
        }
        if (token(found) == "null") return std::nullopt;
        return found;
    }

    /// A member that is an object.
    [[nodiscard]] std::optional<object> inner(object& in, const std::string& path, std::string_view key) {
        std::optional<value> found = member(in, path, key);
        return found ? as_object(*found, joined(path, key)) : std::nullopt;
    }

    /// A value that must be an object.
    [[nodiscard]] std::optional<object> as_object(value& from, const std::string& path) {
        object found;
        if (!ok()) return std::nullopt;
        if (const auto failed = from.get_object().get(found); failed != simdjson::SUCCESS) {
            refuse(path, "must be an object");
            return std::nullopt;
        }
        return found;
    }

    /// A member that is a text; "" after a refusal.
    [[nodiscard]] std::string text(object& in, const std::string& path, std::string_view key) {
        std::optional<value> found = member(in, path, key);
        return found ? text(*found, joined(path, key)) : std::string{};
    }

    /// A value that must be a text; "" after a refusal.
    [[nodiscard]] std::string text(value& from, const std::string& path) {
        std::string_view found;
        if (!ok()) return {};
        if (from.get_string().get(found) != simdjson::SUCCESS) refuse(path, "must be a text");
        return std::string{found};
    }

    /// A member that is a number, perhaps between quotes; 0 after a refusal.
    template <class Number>
    [[nodiscard]] Number number(object& in, const std::string& path, std::string_view key) {
        std::optional<value> found = member(in, path, key);
        return found ? number<Number>(*found, joined(path, key)) : Number{};
    }

    /// The same, `otherwise` when it is missing.
    template <class Number>
    [[nodiscard]] Number number_or(object& in, const std::string& path, std::string_view key, Number otherwise) {
        std::optional<value> found = find(in, path, key);
        return found ? number<Number>(*found, joined(path, key)) : otherwise;
    }

    /// A value that must be a number, perhaps between quotes; 0 after a refusal.
    template <class Number>
    [[nodiscard]] Number number(value& from, const std::string& path) {
        if (!ok()) return {};
        std::string_view digits = token(from);
        if (digits.size() >= 2 && digits.front() == '"' && digits.back() == '"') {
            digits = digits.substr(1, digits.size() - 2);
        }
        const auto parsed = parse_number<Number>(digits);
        if (!parsed) {
            refuse(path, shown(digits) + " is not " + (std::is_integral_v<Number> ? "a whole" : "a finite") +
                             " number in range");
        }
        return parsed.value_or(Number{});
    }

    /// Calls `use(value, path)` for each element of a member that must be an array, until something is refused.
    template <class Use>
    void each(object& in, const std::string& path, std::string_view key, Use use) {
        if (std::optional<value> found = member(in, path, key)) each(*found, joined(path, key), use);
    }

    /// The same for a value.
    template <class Use>
    void each(value& from, const std::string& path, Use use) {
        simdjson::ondemand::array items;
        if (!ok()) return;
        if (from.get_array().get(items) != simdjson::SUCCESS) return refuse(path, "must be a list");
        std::size_t index = 0;
        for (auto item : items) {
            const std::string place = path + "[" + std::to_string(index++) + "]";
            value element;
            if (const auto failed = item.get(element); failed != simdjson::SUCCESS) return malformed(place, failed);
            use(element, place);
            if (!ok()) return;
        }
    }

    /// A member that is a list of numbers.
    template <class Number>
    [[nodiscard]] std::vector<Number> numbers(object& in, const std::string& path, std::string_view key) {
        std::vector<Number> out;
        each(in, path, key, [&](value& item, const std::string& place) { out.push_back(number<Number>(item, place)); });
        return out;
    }

    /// The same, which must have `count` elements.
    template <class Number>
    [[nodiscard]] std::vector<Number> numbers(object& in, const std::string& path, std::string_view key,
                                              std::size_t count) {
        std::vector<Number> out = numbers<Number>(in, path, key);
        if (ok() && out.size() != count) {
            refuse(joined(path, key), "has " + std::to_string(out.size()) + " elements, not " + std::to_string(count));
        }
        return out;
    }

    /// A member that is a list of texts.
    [[nodiscard]] std::vector<std::string> texts(object& in, const std::string& path, std::string_view key) {
        std::vector<std::string> out;
        each(in, path, key, [&](value& item, const std::string& place) { out.push_back(text(item, place)); });
        return out;
    }

    /// "path.key".
    [[nodiscard]] static std::string joined(const std::string& path, std::string_view key) {
        return path.empty() ? std::string{key} : path + "." + std::string{key};
    }

private:
    // What stands there, without the white space behind it.
    [[nodiscard]] static std::string_view token(value& from) noexcept {
        std::string_view found = from.raw_json_token();
        while (!found.empty() &&
               (found.back() == ' ' || found.back() == '\n' || found.back() == '\r' || found.back() == '\t')) {
            found.remove_suffix(1);
        }
        return found;
    }

    void malformed(const std::string& path, simdjson::error_code failed) {
        refuse(path, std::string{"malformed JSON: "} + simdjson::error_message(failed));
    }

    simdjson::padded_string m_text;
    std::string_view m_where;
    simdjson::ondemand::parser m_parser;
    simdjson::ondemand::document m_document;
    error m_error;
};

}  // namespace detail
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
