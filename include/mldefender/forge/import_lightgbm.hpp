// SPDX-License-Identifier: MIT
// Reads what LightGBM's save_model("x.txt") writes: binary objective, formats v2 to v4. Comparisons are `x <=
// threshold` in binary64, where a value of at most 1e-35 in size counts as 0 and the missing type of a node says where
// NaN goes; leaves are added in binary64. Refuses other objectives, random-forest averages, categorical splits, linear
// leaves and zeros taken for missing where that is no threshold, naming the line. Called by import.hpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mldefender/core/bytes.hpp>
#include <mldefender/forge/detail/json_source.hpp>
#include <mldefender/forge/foreign_model.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {

namespace detail {

/// LightGBM's kZeroThreshold: whatever is not larger in size is zero to it.
inline constexpr float lightgbm_zero = 1e-35F;

class lightgbm_reader {
public:
    lightgbm_reader(bytes text, std::string_view where)
        : m_rest(reinterpret_cast<const char*>(text.data()), text.size()), m_where(where) {}

    result<foreign_model, error> run() {
        read_head();
        while (ok() && m_line.starts_with("Tree=")) read_tree();
        if (ok() && m_line != "end of trees") refuse("expected \"end of trees\"; the file is cut short");
        if (!ok()) return m_error;
        return std::move(m_model);
    }

private:
    struct entry {
        std::string_view text;
        std::size_t line = 0;
    };
    using entries = std::map<std::string_view, entry>;

    [[nodiscard]] bool ok() const noexcept { return m_error.code == errc::ok; }
    void refuse(const std::string& what) { refuse(m_number, what); }
    void refuse(std::size_t line, const std::string& what) {
        if (ok()) m_error = refuse_import(m_where, "line " + std::to_string(line), what);
    }

    // The next line, without its end; false behind the last one.
    bool next_line() {
        if (m_rest.empty()) {
            m_line = {};
            return false;
        }
        const std::size_t end = std::min(m_rest.find('\n'), m_rest.size());
        m_line = m_rest.substr(0, end);
        if (m_line.ends_with('\r')) m_line.remove_suffix(1);
        m_rest.remove_prefix(std::min(end + 1, m_rest.size()));
        ++m_number;
        return true;
    }

    // Lines key=value up to the next tree or the end of the trees.
    entries read_entries() {
        entries found;
        while (next_line() && !m_line.starts_with("Tree=") && m_line != "end of trees") {
            if (m_line.empty()) continue;
            const std::size_t equals = std::min(m_line.find('='), m_line.size());
            const std::string_view key = m_line.substr(0, equals);
            const entry value{m_line.substr(std::min(equals + 1, m_line.size())), m_number};
            if (!found.emplace(key, value).second) refuse(shown(key) + " stands here a second time");
        }
        return found;
    }

    std::optional<entry> find(const entries& in, std::string_view key) {
        const auto found = in.find(key);
        return found == in.end() ? std::nullopt : std::optional{found->second};
    }

    entry need(const entries& in, std::string_view key) {
        const auto found = find(in, key);
        if (!found) refuse("before this line, " + shown(key) + " is missing; the file is cut short or of another kind");
        return found.value_or(entry{{}, m_number});
    }

    template <class Number>
    Number number(const entry& from, std::string_view key) {
        const auto parsed = parse_number<Number>(from.text);
        if (!parsed) refuse(from.line, std::string{key} + ": " + shown(from.text) + " is not a number in range");
        return parsed.value_or(Number{});
    }

    static std::vector<std::string_view> words(std::string_view text) {
        std::vector<std::string_view> out;
        while (!text.empty()) {
            const std::size_t end = std::min(text.find(' '), text.size());
            if (end > 0) out.push_back(text.substr(0, end));
            text.remove_prefix(std::min(end + 1, text.size()));
        }
        return out;
    }

    template <class Number>
    std::vector<Number> numbers(const entries& in, std::string_view key, std::size_t count) {
        std::vector<Number> out;
        const entry from = need(in, key);
        for (const std::string_view word : words(from.text)) out.push_back(number<Number>({word, from.line}, key));
        if (ok() && out.size() != count) {
            refuse(from.line,
                   std::string{key} + ": has " + std::to_string(out.size()) + " numbers, not " + std::to_string(count));
        }
        if (!ok()) out.assign(count, Number{});
        return out;
    }

    void read_head() {
        const entries head = read_entries();
        if (m_number == 0 || !head.contains("tree"))
            return refuse("no text model of LightGBM: it begins with \"tree\"");
        const entry version = need(head, "version");
        if (ok() && version.text != "v2" && version.text != "v3" && version.text != "v4") {
            refuse(version.line, "format " + shown(version.text) + " is none of v2, v3, v4");
        }
        m_model.source = "lightgbm, text format " + std::string{version.text.substr(0, 8)};
        for (const std::string_view key : {"num_class", "num_tree_per_iteration"}) {
            const entry count = need(head, key);
            if (ok() && number<int>(count, key) != 1) {
                refuse(count.line, "several classes cannot be expressed; train attack against the rest");
            }
        }
        if (const auto average = find(head, "average_output")) {
            refuse(average->line, "an average of trees (boosting=rf) cannot be expressed; train with boosting=gbdt");
        }
        read_objective(head);
        const entry names = need(head, "feature_names");
        m_model.column_place = "line " + std::to_string(names.line) + ", feature_names";
        for (const std::string_view name : words(names.text)) m_model.columns.emplace_back(name);
    }

    void read_objective(const entries& head) {
        m_model.sum = {score_link::logistic, sum_precision::binary64, attack_class::none, 0, 1};
        const auto objective = find(head, "objective");
        if (!objective) return refuse("the model names no objective; train with objective=binary");
        const auto said = words(objective->text);
        if (said.empty() || said.front() != "binary") {
            return refuse(objective->line,
                          shown(objective->text) + " cannot be expressed; train with objective=binary");
        }
        for (const std::string_view word : said) {
            if (word.starts_with("sigmoid:"))
                m_model.sum.slope = number<double>({word.substr(8), objective->line}, "sigmoid");
        }
    }

    void read_tree() {
        foreign_tree tree{std::string{m_line.substr(0, 40)} + " at line " + std::to_string(m_number), {}};
        const entries in = read_entries();
        const entry leaves = need(in, "num_leaves");
        const auto count = ok() ? number<std::size_t>(leaves, "num_leaves") : 0;
        if (count == 0 || count > max_model_nodes / 2) refuse(leaves.line, "num_leaves: must be 1 or more");
        if (ok()) refuse_others(in);
        if (!ok()) return;
        if (count == 1) {
            tree.nodes.resize(1);
            tree.nodes[0].value = numbers<double>(in, "leaf_value", 1)[0];
        } else {
            fill(tree, in, count);
        }
        m_model.trees.push_back(std::move(tree));
    }

    void refuse_others(const entries& in) {
        const auto categories = find(in, "num_cat");
        if (categories && number<int>(*categories, "num_cat") != 0) {
            refuse(categories->line, "a categorical split cannot be expressed; train on numbers alone");
        }
        const auto linear = find(in, "is_linear");
        if (linear && number<int>(*linear, "is_linear") != 0) {
            refuse(linear->line, "linear leaves cannot be expressed; train with linear_tree=false");
        }
    }

    // Inner nodes first, then leaves, as children refer to them: leaf n is ~n.
    void fill(foreign_tree& tree, const entries& in, std::size_t leaves) {
        const std::size_t inner = leaves - 1;
        const auto column = numbers<std::uint32_t>(in, "split_feature", inner);
        const auto threshold = numbers<double>(in, "threshold", inner);
        const auto decision = numbers<int>(in, "decision_type", inner);
        const auto left = numbers<std::int32_t>(in, "left_child", inner);
        const auto right = numbers<std::int32_t>(in, "right_child", inner);
        const auto leaf = numbers<double>(in, "leaf_value", leaves);
        const auto gain =
            in.contains("split_gain") ? numbers<double>(in, "split_gain", inner) : std::vector<double>(inner);
        const auto cover =
            in.contains("leaf_count") ? numbers<double>(in, "leaf_count", leaves) : std::vector<double>(leaves, 1);
        if (!ok()) return;
        const auto place = [&](std::int32_t child) {
            return child >= 0 ? child : static_cast<std::int32_t>(inner) + ~child;
        };
        tree.nodes.resize(inner + leaves);
        const std::size_t threshold_line = in.at("threshold").line;
        for (std::size_t i = 0; i < inner; ++i) {
            // ~child of the most negative number is the largest: a place no tree has, as long as nothing overflows.
            const bool fits = std::max(left[i], ~left[i]) <= std::int32_t{1} << 24 &&
                              std::max(right[i], ~right[i]) <= std::int32_t{1} << 24;
            if (!fits)
                return refuse(in.at("left_child").line, "node " + std::to_string(i) + ": a child does not exist");
            foreign_node& node = tree.nodes[i];
            node = {place(left[i]), place(right[i]), column[i], 0, false, 0, 1, gain[i]};
            if (!compare(threshold[i], decision[i], node)) {
                return refuse(threshold_line, "node " + std::to_string(i) + ": " + m_why);
            }
        }
        for (std::size_t i = 0; i < leaves; ++i) {
            tree.nodes[inner + i].value = leaf[i];
            tree.nodes[inner + i].cover = cover[i];
        }
    }

    // decision_type: 1 categorical, 2 missing values go left, 4 zero and 8 NaN are missing values; otherwise NaN is
    // taken for 0. False when no single threshold decides alike.
    bool compare(double limit, int decision, foreign_node& node) {
        m_why = "a categorical split cannot be expressed; train on numbers alone";
        if ((decision & 1) != 0) return false;
        m_why = "its decision type is unknown; this LightGBM is newer than the reader";
        if (decision < 0 || decision > 15 || (decision >> 2) == 3) return false;
        const bool default_left = (decision & 2) != 0;
        const bool zero_left = 0 <= limit;
        m_why = "zeros count as missing here; train with zero_as_missing=false";
        if ((decision & 4) != 0 && default_left != zero_left) return false;
        m_why = "no binary32 is as small as this; scale the column and train again";
        const auto floor = float_at_most(limit);
        if (!floor) return false;
        // All that counts as zero goes the way of zero.
        node.threshold =
            zero_left ? std::max(*floor, lightgbm_zero) : std::min(*floor, std::nextafter(-lightgbm_zero, -1.0F));
        node.missing_left = (decision & 12) == 0 ? zero_left : default_left;
        return true;
    }

    std::string_view m_rest;
    std::string_view m_where;
    std::string_view m_line;
    std::size_t m_number = 0;
    error m_error;
    const char* m_why = "";
    foreign_model m_model;
};

}  // namespace detail

/// The model in a LightGBM text; `where` names it in errors.
[[nodiscard]] inline result<foreign_model, error> read_lightgbm(bytes text, std::string_view where) {
    return detail::lightgbm_reader{text, where}.run();
}

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
