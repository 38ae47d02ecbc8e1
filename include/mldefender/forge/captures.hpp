// SPDX-License-Identifier: MIT
// Rows from recorded traffic whose labels are known, for measuring only: nothing here reaches a training. A list says
// which captures are ordinary and which flows of the others are the attack; packets come from whoever can read them.
// Refuses lists without the columns it needs, unknown labels and addresses that are none, naming the line. Called by
// the forge tool.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mldefender/core/address.hpp>
#include <mldefender/core/attack.hpp>
#include <mldefender/core/packet.hpp>
#include <mldefender/core/pipeline.hpp>
#include <mldefender/core/result.hpp>
#include <mldefender/forge/rows.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {

/// One capture of a list.
struct capture_entry {
    std::string path;                         ///< relative to the list's root
    std::string family;                       ///< free text; rows carry it as their source
    attack_class label = attack_class::none;  ///< of the flows in scope; `anomaly` for an attack of no named class
    std::vector<address> hosts;               ///< flows touching one of these are the attack; none: all flows are
};

namespace detail {

[[nodiscard]] inline std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> parts;
    for (std::size_t end = text.find(at); end != std::string_view::npos; end = text.find(at)) {
        parts.push_back(text.substr(0, end));
        text.remove_prefix(end + 1);
    }
    parts.push_back(text);
    return parts;
}

/// "benign", "attack" or "mixed", or the name of an attack class.
[[nodiscard]] inline std::optional<attack_class> label_of(std::string_view word) {
    if (word == "benign") return attack_class::none;
    if (word == "attack" || word == "mixed") return attack_class::anomaly;
    return parse_attack_class(word);
}

/// Addresses after each "host:" of "host:A and host:B"; nothing when one of them is none.
[[nodiscard]] inline std::optional<std::vector<address>> hosts_of(std::string_view scope) {
    std::vector<address> hosts;
    for (std::string_view word : split(scope, ' ')) {
        if (!word.starts_with("host:")) continue;
        const auto host = parse_address(word.substr(5));
        if (!host) return std::nullopt;
        hosts.push_back(*host);
    }
    return hosts;
}

}  // namespace detail

/// Reads a list of captures: tab-separated, a header line with at least `path`, `family` and `label`; `attack_scope`
/// ("all", "host:A", "host:A and host:B") is optional, other columns are ignored. `name` appears in errors, which are
/// bad_value.
[[nodiscard]] inline result<std::vector<capture_entry>, error> parse_capture_list(std::string_view text,
                                                                                  const std::string& name) {
    std::vector<capture_entry> captures;
    std::size_t line_number = 0;
    std::vector<std::string_view> header;
    const auto wrong = [&](std::string what) {
        return error{errc::bad_value, std::move(what), name + ':' + std::to_string(line_number), 0};
    };
    for (std::string_view line : detail::split(text, '\n')) {
        ++line_number;
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty()) continue;
        const auto fields = detail::split(line, '\t');
        if (header.empty()) {
            header = fields;
            for (const std::string_view needed : {"path", "family", "label"}) {
                if (std::find(header.begin(), header.end(), needed) == header.end())
                    return wrong("the header has no column '" + std::string{needed} + "'");
            }
            continue;
        }
        const auto field = [&](std::string_view column) -> std::string_view {
            const auto at = static_cast<std::size_t>(std::find(header.begin(), header.end(), column) - header.begin());
            return at < fields.size() ? fields[at] : std::string_view{};
        };
        const auto label = detail::label_of(field("label"));
        if (!label) {
            return wrong("label '" + std::string{field("label")} +
                         "' is unknown; use benign, attack, mixed or the name of an attack class");
        }
        auto hosts = detail::hosts_of(field("attack_scope"));
        if (!hosts) return wrong("the attack scope names a host that is no address");
        if (field("path").empty()) return wrong("the path is empty");
        captures.push_back({std::string{field("path")}, std::string{field("family")}, *label, std::move(*hosts)});
    }
    if (header.empty()) return wrong("the list is empty; its first line must name the columns");
    return captures;
}

/// The rows of one capture. `next(raw_packet&)` delivers packets until it returns false. `entry` must outlive the rows:
/// their source is its family.
template <class Next>
[[nodiscard]] std::vector<labelled_row> rows_of_packets(const sample_limits& limits, const capture_entry& entry,
                                                        Next&& next) {
    const auto truth = [&entry](const flow& f) -> std::optional<flow_truth> {
        const auto touches = [&f](const address& a) { return a == f.tuple.source || a == f.tuple.destination; };
        const bool in_scope = entry.hosts.empty() || std::any_of(entry.hosts.begin(), entry.hosts.end(), touches);
        return flow_truth{in_scope ? entry.label : attack_class::none, entry.family};
    };
    detail::row_sink<decltype(truth)> sink{limits, 1, truth};
    pipeline<max_threat<detail::silent_forest>, decltype(sink)> path{detail::row_options(), {}, sink};
    raw_packet raw{};
    while (next(raw)) path.consume(raw);
    path.finish();
    return sink.rows();
}

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
