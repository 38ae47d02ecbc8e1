// SPDX-License-Identifier: MIT
// Loads a JSON document into a struct: each key is bound once with its target, range and one line of documentation,
// and from the same list the published JSON Schema is made. Refuses unknown and repeated keys, wrong types and values
// out of range; the error names file, line, key and the fix. A failed load changes nothing, so a running program can
// reread its file. Keys that are absent leave their target alone: bind to a struct that holds the defaults.
#pragma once

#include <simdjson.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <mldefender/core/json_syntax.hpp>
#include <mldefender/core/result.hpp>
#include <mldefender/core/words.hpp>
#include <mldefender/settings/json_text.hpp>

namespace mldefender {
inline namespace v0 {
namespace settings {

/// Smallest and largest value accepted, both included.
struct range {
    double least = std::numeric_limits<double>::lowest();  ///< smallest value
    double most = std::numeric_limits<double>::max();      ///< largest value
};

/// Judges a text: "" accepts it, anything else says what is expected ("expected a network such as 10.0.0.0/8").
using text_check = std::function<std::string(std::string_view)>;

/// The largest document that is read.
inline constexpr std::size_t max_document_bytes = std::size_t{4} << 20;

/// A list of keys with their targets, which must outlive it. Keys are dotted paths: "flow.idle_s" is the member
/// `idle_s` of the object `flow`. A key must not be bound twice nor be the beginning of another one's path.
class binding {
public:
    /// Integers accept whole numbers only; the range is cut to what the type holds.
    template <class Number>
    requires(std::is_arithmetic_v<Number> && !std::is_same_v<Number, bool>) void number(std::string key, Number& target,
                                                                                        range within, std::string doc) {
        cut_to_type<Number>(within);
        entry e = make_entry(std::move(key), std::move(doc));
        e.type =
            std::string{std::is_integral_v<Number> ? "\"type\": \"integer\"" : "\"type\": \"number\""} + limits(within);
        e.fallback = detail::number_text(target);
        e.parse = [&target, within](simdjson::ondemand::value value, commits& todo) {
            return parse_number(
                value, within, [&](Number number) { todo.push_back([&target, number] { target = number; }); },
                Number{});
        };
        m_entries.push_back(std::move(e));
    }

    /// True or false.
    void boolean(std::string key, bool& target, std::string doc) {
        entry e = make_entry(std::move(key), std::move(doc));
        e.type = "\"type\": \"boolean\"";
        e.fallback = target ? "true" : "false";
        e.parse = [&target](simdjson::ondemand::value value, commits& todo) -> std::string {
            bool flag = false;
            if (value.get_bool().get(flag) != simdjson::SUCCESS) return "expected true or false";
            todo.push_back([&target, flag] { target = flag; });
            return {};
        };
        m_entries.push_back(std::move(e));
    }

    /// A text in quotes, judged by `check` if there is one.
    void text(std::string key, std::string& target, std::string doc, text_check check = {}) {
        entry e = make_entry(std::move(key), std::move(doc));
        e.type = "\"type\": \"string\"";
        e.fallback = detail::quoted(target);
        e.parse = [&target, check = std::move(check)](simdjson::ondemand::value value, commits& todo) -> std::string {
            std::string_view text;
            if (value.get_string().get(text) != simdjson::SUCCESS) return "expected a text in quotes";
            if (std::string complaint = check ? check(text) : std::string{}; !complaint.empty()) return complaint;
            todo.push_back([&target, copy = std::string{text}] { target = copy; });
            return {};
        };
        m_entries.push_back(std::move(e));
    }

    /// One of a few words, each standing for a value.
    template <class Value>
    void word(std::string key, Value& target, std::initializer_list<std::pair<std::string_view, Value>> words,
              std::string doc) {
        entry e = make_entry(std::move(key), std::move(doc));
        std::vector<std::pair<std::string, Value>> known;
        for (const auto& [name, value] : words) {
            known.emplace_back(name, value);
            e.type += (e.type.empty() ? "\"enum\": [" : ", ") + detail::quoted(name);
            if (value == target) e.fallback = detail::quoted(name);
        }
        e.type += ']';
        e.parse = [&target, known = std::move(known)](simdjson::ondemand::value value, commits& todo) -> std::string {
            std::string_view text;
            const bool is_text = value.get_string().get(text) == simdjson::SUCCESS;
            std::string expected = "expected one of";
            for (const auto& [name, meaning] : known) {
                if (is_text && name == text) {
                    todo.push_back([&target, chosen = meaning] { target = chosen; });
                    return {};
                }
                expected += ' ' + detail::quoted(name);
            }
            return expected;
        };
        m_entries.push_back(std::move(e));
    }

    /// A list of texts; it replaces the default list as a whole.
    void list(std::string key, std::vector<std::string>& target, std::string doc, text_check check = {}) {
        entry e = make_entry(std::move(key), std::move(doc));
        e.type = "\"type\": \"array\", \"items\": {\"type\": \"string\"}";
        e.fallback = "[";
        for (const std::string& item : target) e.fallback += (&item == &target[0] ? "" : ", ") + detail::quoted(item);
        e.fallback += ']';
        e.parse = [&target, check = std::move(check)](simdjson::ondemand::value value, commits& todo) -> std::string {
            std::vector<std::string> items;
            simdjson::ondemand::array array;
            if (value.get_array().get(array) != simdjson::SUCCESS) return "expected a list of texts in brackets";
            for (auto element : array) {
                std::string_view item;
                if (element.get_string().get(item) != simdjson::SUCCESS) return "expected a list of texts in quotes";
                if (std::string complaint = check ? check(item) : std::string{}; !complaint.empty()) return complaint;
                items.emplace_back(item);
            }
            todo.push_back([&target, items = std::move(items)] { target = items; });
            return {};
        };
        m_entries.push_back(std::move(e));
    }

    /// Reads and applies a file. On failure no target has changed.
    [[nodiscard]] result<void, error> load_file(const std::string& path) {
        std::ifstream file{path, std::ios::binary};
        if (!file) {
            const int number = errno;
            return error{number == ENOENT ? errc::not_found : errc::io,
                         std::string{"cannot open the configuration: "} + std::strerror(number), path, number};
        }
        std::string document(max_document_bytes + 1, '\0');
        file.read(document.data(), static_cast<std::streamsize>(document.size()));
        if (file.bad()) return error{errc::io, "cannot read the configuration; is it a file?", path, errno};
        document.resize(static_cast<std::size_t>(file.gcount()));
        return load_text(document, path);
    }

    /// Applies a document. `name` stands for the file in errors. The member "$schema" is allowed and ignored.
    [[nodiscard]] result<void, error> load_text(std::string_view document, const std::string& name) {
        if (document.size() > max_document_bytes) {
            return error{errc::too_large, "the configuration is larger than 4 MiB", name, 0};
        }
        const simdjson::padded_string padded{document};
        const std::string_view source{padded.data(), padded.size()};
        // The lazy walk below does not look at everything, so the strict parser judges the syntax first.
        simdjson::dom::parser strict;
        if (const auto failed = strict.parse(padded).error()) return bad_json(failed, source, name);
        simdjson::ondemand::parser parser;
        simdjson::ondemand::document tree;
        simdjson::ondemand::object root;
        if (parser.iterate(padded).get(tree) != simdjson::SUCCESS || tree.get_object().get(root) != simdjson::SUCCESS) {
            return error{errc::corrupt, "the configuration must be a JSON object in braces", name + ":1", 0};
        }
        walk state{source, name, {}, {}};
        if (auto done = read_object(root, "", state); !done) return done;
        for (const auto& commit : state.todo) commit();
        return {};
    }

    /// JSON Schema (draft 2020-12) of the documents this binding accepts, indented, with a line feed at the end.
    [[nodiscard]] std::string json_schema(std::string_view title) const {
        std::string out = "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n  \"title\": " +
                          detail::quoted(title) + ",\n";
        append_object(out, "", 1, "\"$schema\": {\"type\": \"string\"}");
        return out + "}\n";
    }

    /// All keys, in the order they were bound.
    [[nodiscard]] std::vector<std::string> keys() const {
        std::vector<std::string> names;
        for (const entry& e : m_entries) names.push_back(e.key);
        return names;
    }

private:
    using commits = std::vector<std::function<void()>>;

    struct entry {
        std::string key;
        std::string doc;
        std::string type;      ///< members of its schema
        std::string fallback;  ///< default, as JSON; "" when no word stands for it
        std::function<std::string(simdjson::ondemand::value, commits&)> parse;  ///< yields a complaint or ""
    };

    struct walk {
        std::string_view source;
        const std::string& name;
        commits todo;
        std::set<std::string> seen;
    };

    static entry make_entry(std::string key, std::string doc) { return {std::move(key), std::move(doc), {}, {}, {}}; }

    template <class Number>
    static void cut_to_type(range& within) noexcept {
        if constexpr (std::is_integral_v<Number>) {
            within.least = std::max(within.least, static_cast<double>(std::numeric_limits<Number>::min()));
            within.most = std::min(within.most, static_cast<double>(std::numeric_limits<Number>::max()));
        }
    }

    /// Limits beyond 2^53 are those of the type, and JSON readers would round them: left out.
    static std::string limits(const range& within) {
        constexpr double exact = 9007199254740992;
        std::string out;
        if (within.least >= -exact) {
            out += ", \"minimum\": " + detail::number_text(within.least);
        }
        if (within.most <= exact) {
            out += ", \"maximum\": " + detail::number_text(within.most);
        }
        return out;
    }

    template <class Number, class Keep>
    static std::string parse_number(simdjson::ondemand::value value, const range& within, Keep keep, Number) {
        // Whole numbers go through their own type: a double would round what is beyond 53 bits.
        using wide = std::conditional_t<std::is_floating_point_v<Number>, double,
                                        std::conditional_t<std::is_signed_v<Number>, std::int64_t, std::uint64_t>>;
        wide number{};
        const bool fits =
            value.get<wide>().get(number) == simdjson::SUCCESS && static_cast<double>(number) >= within.least &&
            static_cast<double>(number) <= within.most &&
            (std::is_floating_point_v<Number>
                 ? std::abs(static_cast<double>(number)) <= static_cast<double>(std::numeric_limits<Number>::max())
                 : static_cast<wide>(static_cast<Number>(number)) == number);
        if (fits) {
            keep(static_cast<Number>(number));
            return {};
        }
        std::string expected = std::is_integral_v<Number> ? "expected a whole number" : "expected a number";
        if (within.least > std::numeric_limits<double>::lowest()) {
            expected += " from " + detail::number_text(within.least);
        }
        if (within.most < std::numeric_limits<double>::max()) expected += " to " + detail::number_text(within.most);
        return expected;
    }

    [[nodiscard]] const entry* find(std::string_view key) const noexcept {
        const auto at =
            std::find_if(m_entries.begin(), m_entries.end(), [key](const entry& e) { return e.key == key; });
        return at == m_entries.end() ? nullptr : &*at;
    }
    [[nodiscard]] bool is_section(std::string_view path) const noexcept {
        return std::any_of(m_entries.begin(), m_entries.end(), [path](const entry& e) {
            return e.key.size() > path.size() && e.key.starts_with(path) && e.key[path.size()] == '.';
        });
    }

    result<void, error> read_object(simdjson::ondemand::object object, const std::string& prefix, walk& state) const {
        for (auto member : object) {
            simdjson::ondemand::field field;
            if (std::move(member).get(field) != simdjson::SUCCESS) return broken(prefix, state);
            const char* const at = field.key().raw();
            std::string_view name;
            if (field.unescaped_key().get(name) != simdjson::SUCCESS) return broken(prefix, state);
            const std::string key = prefix + std::string{name};
            if (key == "$schema") continue;
            if (!state.seen.insert(key).second) return complain(key, "is given twice; keep one", at, state);
            if (auto done = read_member(field.value(), key, at, state); !done) return done;
        }
        return {};
    }

    result<void, error> read_member(simdjson::ondemand::value value, const std::string& key, const char* at,
                                    walk& state) const {
        if (const entry* known = find(key)) {
            const std::string complaint = known->parse(value, state.todo);
            return complaint.empty() ? result<void, error>{} : complain(key, complaint, at, state);
        }
        if (!is_section(key)) return complain(key, "unknown key" + suggestion(key), at, state);
        simdjson::ondemand::object inner;
        if (value.get_object().get(inner) != simdjson::SUCCESS) {
            return complain(key, "expected an object in braces", at, state);
        }
        return read_object(inner, key + '.', state);
    }

    /// The nearest known key, if it is near enough to be meant.
    [[nodiscard]] std::string suggestion(const std::string& key) const {
        if (key.size() > 200) return {};
        const entry* best = nullptr;
        std::size_t best_distance = std::max<std::size_t>(2, key.size() / 3) + 1;
        for (const entry& e : m_entries) {
            // A member written at the wrong depth is as likely as a slip of the finger.
            const std::string_view last = std::string_view{e.key}.substr(e.key.rfind('.') + 1);
            const std::size_t apart = std::min(edit_distance(key, e.key), edit_distance(key, last) + 1);
            if (apart < best_distance) {
                best = &e;
                best_distance = apart;
            }
        }
        return best == nullptr ? "; remove it" : "; did you mean \"" + best->key + "\"?";
    }

    [[nodiscard]] static std::size_t line_of(std::string_view source, std::size_t offset) noexcept {
        return 1 + static_cast<std::size_t>(
                       std::count(source.begin(),
                                  source.begin() + static_cast<std::ptrdiff_t>(std::min(offset, source.size())), '\n'));
    }
    static error complain(const std::string& key, const std::string& problem, const char* at, const walk& state) {
        const auto offset = static_cast<std::size_t>(at - state.source.data());
        return {errc::bad_value, key + ": " + problem, state.name + ':' + std::to_string(line_of(state.source, offset)),
                0};
    }
    static error broken(const std::string& prefix, const walk& state) {
        return {errc::corrupt, "the JSON is broken within \"" + prefix + '"', state.name, 0};
    }

    static error bad_json(simdjson::error_code code, std::string_view source, const std::string& name) {
        error e{errc::corrupt, std::string{"is not valid JSON: "} + simdjson::error_message(code), name, 0};
        if (const auto offset = json_syntax{source}.error_offset())
            e.where += ':' + std::to_string(line_of(source, *offset));
        return e;
    }

    /// Members of the object at `prefix`, at the given depth of indentation.
    void append_object(std::string& out, const std::string& prefix, std::size_t depth,
                       const std::string& first_property = {}) const {
        const std::string indent(depth * 2, ' ');
        out += indent + "\"type\": \"object\",\n" + indent + "\"additionalProperties\": false,\n" + indent +
               "\"properties\": {";
        std::string separator = "\n";
        if (!first_property.empty()) out += std::exchange(separator, ",\n") + indent + "  " + first_property;
        std::set<std::string> done;
        for (const entry& e : m_entries) {
            if (!e.key.starts_with(prefix)) continue;
            const std::string name = e.key.substr(prefix.size(), e.key.find('.', prefix.size()) - prefix.size());
            if (!done.insert(name).second) continue;
            out += std::exchange(separator, ",\n") + indent + "  " + detail::quoted(name) + ": {";
            if (prefix + name == e.key) {
                out += e.type + (e.fallback.empty() ? "" : ", \"default\": " + e.fallback) +
                       ", \"description\": " + detail::quoted(e.doc) + '}';
            } else {
                out += '\n';
                append_object(out, prefix + name + '.', depth + 2);
                out += indent + "  }";
            }
        }
        out += '\n' + indent + "}\n";
    }

    std::vector<entry> m_entries;
};

}  // namespace settings
}  // namespace v0
}  // namespace mldefender
