// SPDX-License-Identifier: MIT
// The sensor's configuration document: every key, its range, its default and its explanation, bound to plain members,
// and how they become the pipeline's options. `mldefender-sensor --check-config` and docs/sensor.schema.json come from
// the same table. Refuses unknown keys, wrong types and values out of range through `binding`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <mldefender/core/pipeline.hpp>
#include <mldefender/settings/binding.hpp>

namespace mldefender {
inline namespace v0 {
namespace settings {

/// What can be configured. Durations are in seconds.
struct sensor_settings {
    std::string host;                             ///< sensor name in events; "": the machine's
    std::string deployment;                       ///< site name in events
    std::vector<std::string> protected_networks;  ///< CIDR; empty: every private address
    std::string country_file;                     ///< MaxMind file; "": no countries
    std::string chain_key;                        ///< key file of the hash chain; "": DIR/.chain.key

    bool promiscuous = true;           ///< also see what is addressed to others
    std::uint32_t buffer_mb = 16;      ///< kernel buffer per interface, 1..1024 MiB
    std::uint32_t snap_len = 262'144;  ///< most bytes taken of a frame, 96..262144
    std::string filter;                ///< pcap-filter expression; "": everything

    std::size_t flow_capacity = 200'000;  ///< flows held at once
    double idle_timeout_s = 120;          ///< a longer pause ends a flow
    double active_timeout_s = 1800;       ///< a longer life is cut into several flows; 0: never
    bool early_close = true;              ///< a finished TCP connection ends its flow
    bool count_fragments = true;          ///< later fragments count to their datagram's flow
    bool decapsulate = false;             ///< look into GRE, VXLAN and IP-in-IP
    bool other_protocols = true;          ///< flows of IP protocols without ports too
    std::size_t host_capacity = 16'384;   ///< hosts remembered
    std::size_t pair_capacity = 65'536;   ///< initiator-service pairs remembered

    double hold_s = 10;                ///< how long an ended flow's line waits for a story
    std::size_t hold_capacity = 8192;  ///< how many lines wait at most
    double refresh_s = 10;             ///< least time between two alerts of a story
    double close_after_s = 60;         ///< silence that ends a story

    decision_thresholds thresholds;                      ///< when a score is suspicious, malicious, urgent
    std::array<rule, rule_count> rules = default_rules;  ///< switches, scores and thresholds of the fast detector
    std::array<std::string, 4> models;  ///< bundle files in place of ddos, ransomware, traffic, internal
};

namespace detail {

inline std::string check_network(std::string_view text) {
    return parse_network(text) ? "" : "expected a network such as 10.0.0.0/8 or fd00::/8";
}

inline void bind_capture(binding& b, sensor_settings& s) {
    b.boolean("capture.promiscuous", s.promiscuous, "also see frames that are not for this machine");
    b.number("capture.buffer_mb", s.buffer_mb, {1, 1024},
             "kernel buffer per interface; what comes while it is full is dropped");
    b.number("capture.snap_len", s.snap_len, {96, 262'144}, "most bytes taken of a packet");
    b.text("capture.filter", s.filter, "a pcap-filter(7) expression; only matching packets are seen");
    b.boolean("capture.decapsulate", s.decapsulate, "look inside GRE, VXLAN and IP-in-IP");
    b.boolean("capture.other_protocols", s.other_protocols,
              "follow flows of IP protocols without ports too (IGMP, ESP, ...)");
}

inline void bind_flows(binding& b, sensor_settings& s) {
    b.number("flow.capacity", s.flow_capacity, {512, 16'777'216}, "flows held at once, about 0.6 kB each");
    b.number("flow.idle_timeout_s", s.idle_timeout_s, {1, 86'400}, "a longer pause ends a flow");
    b.number("flow.active_timeout_s", s.active_timeout_s, {0, 604'800},
             "a longer life is cut into several flows; 0: never");
    b.boolean("flow.early_close", s.early_close, "FIN and RST end a TCP flow; off: only time does");
    b.boolean("flow.count_fragments", s.count_fragments, "later IP fragments count to the flow of their datagram");
    b.number("flow.hosts", s.host_capacity, {512, 1'048'576}, "hosts whose last minute is remembered, about 2 kB each");
    b.number("flow.pairs", s.pair_capacity, {512, 16'777'216},
             "pairs of host and service that are remembered, about 130 B each");
    b.number("flow.hold_s", s.hold_s, {0, 600}, "how long an ended flow's line waits for an attack it may belong to");
    b.number("flow.hold_capacity", s.hold_capacity, {1, 1'048'576}, "ended flows that wait, about 1.2 kB each");
}

inline void bind_decisions(binding& b, sensor_settings& s) {
    b.number("alert.suspicious", s.thresholds.verdicts.suspicious, {0, 1},
             "score from which a flow is suspicious (watch)");
    b.number("alert.malicious", s.thresholds.verdicts.malicious, {0, 1},
             "score from which a flow is malicious (respond)");
    b.number("alert.fast", s.thresholds.fast, {0, 1}, "score from which the rules count as alarmed");
    b.number("alert.ml", s.thresholds.ml, {0, 1}, "score from which the forests count as alarmed");
    b.number("alert.priority_medium", s.thresholds.priorities.medium, {0, 1}, "score of priority medium");
    b.number("alert.priority_high", s.thresholds.priorities.high, {0, 1}, "score of priority high");
    b.number("alert.priority_critical", s.thresholds.priorities.critical, {0, 1}, "score of priority critical");
    b.number("alert.refresh_s", s.refresh_s, {1, 3600}, "least time between two alerts of one story");
    b.number("alert.close_after_s", s.close_after_s, {1, 86'400}, "silence that ends a story");
}

/// A rule may bound one feature from both sides; only the first bound has a key.
[[nodiscard]] inline bool is_repeated(const rule& r, std::size_t condition) {
    for (std::size_t i = 0; i < condition; ++i) {
        if (r.conditions[i].feature == r.conditions[condition].feature) return true;
    }
    return false;
}

inline void bind_rules(binding& b, sensor_settings& s) {
    for (std::size_t i = 0; i < rule_count; ++i) {
        rule& r = s.rules[i];
        const std::string prefix = "rules." + std::string{r.name} + ".";
        b.boolean(prefix + "enabled", r.enabled, std::string{r.title});
        b.number(prefix + "score", r.score, {0, 1}, "threat score when it fires");
        for (std::size_t c = 0; c < r.conditions.size(); ++c) {
            rule_condition& condition = r.conditions[c];
            if (condition.feature.empty() || is_repeated(r, c)) continue;
            b.number(prefix + std::string{condition.feature}, condition.value, {0, 1e9},
                     condition.at_least ? "fires from this value on" : "fires up to this value");
        }
    }
}

}  // namespace detail

/// Binds every key of the document to `s`, which must outlive `b`.
inline void bind(binding& b, sensor_settings& s) {
    b.text("host", s.host, "name of this sensor in events; empty: the machine's name");
    b.text("deployment", s.deployment, "name of the site in events");
    b.list("protected_networks", s.protected_networks, "the networks to protect; empty: all private addresses",
           detail::check_network);
    b.text("events.country_file", s.country_file, "a MaxMind country database (.mmdb); empty: no countries");
    b.text("events.chain_key", s.chain_key,
           "key file of the hash chain; empty: DIR/.chain.key, which shows accidents only");
    detail::bind_capture(b, s);
    detail::bind_flows(b, s);
    detail::bind_decisions(b, s);
    constexpr std::array<std::string_view, 4> names{"ddos", "ransomware", "traffic", "internal"};
    for (std::size_t i = 0; i < names.size(); ++i) {
        b.text("models." + std::string{names[i]}, s.models[i],
               "a model bundle (.mldf) in place of the built-in forest");
    }
    detail::bind_rules(b, s);
}

/// What does not fit together although each value is in range; "" when all is well.
[[nodiscard]] inline std::string contradiction(const sensor_settings& s) {
    if (s.thresholds.verdicts.suspicious > s.thresholds.verdicts.malicious) {
        return "alert.suspicious must not exceed alert.malicious";
    }
    const priority_thresholds& p = s.thresholds.priorities;
    if (p.medium > p.high || p.high > p.critical) return "alert.priority_medium, _high and _critical must ascend";
    if (s.protected_networks.size() > protected_networks::capacity)
        return "protected_networks holds at most 32 networks";
    return "";
}

namespace detail {

[[nodiscard]] inline std::int64_t to_ns(double seconds) { return static_cast<std::int64_t>(seconds * 1e9); }

/// Carries the edited numbers over to a rule set.
[[nodiscard]] inline rule_set edited_rules(const sensor_settings& s) {
    rule_set rules;
    for (const rule& r : s.rules) {
        rules.enable(r.name, r.enabled);
        rules.set_score(r.name, r.score);
        for (std::size_t i = 0; i < r.conditions.size(); ++i) {
            const rule_condition& c = r.conditions[i];
            if (!c.feature.empty() && !is_repeated(r, i)) rules.set_threshold(r.name, c.feature, c.value);
        }
    }
    return rules;
}

}  // namespace detail

/// The pipeline's options as configured; logging, secret and clock are the caller's.
[[nodiscard]] inline pipeline_options to_options(const sensor_settings& s) {
    pipeline_options o;
    o.parsing.decapsulate = s.decapsulate;
    o.parsing.any_protocol = s.other_protocols;
    o.flows.capacity = s.flow_capacity;
    o.flows.idle_timeout_ns = detail::to_ns(s.idle_timeout_s);
    o.flows.active_timeout_ns = detail::to_ns(s.active_timeout_s);
    o.flows.early_close = s.early_close;
    o.flows.count_fragments = s.count_fragments;
    o.windows.hosts = s.host_capacity;
    o.windows.pairs = s.pair_capacity;
    o.hold_ns = detail::to_ns(s.hold_s);
    o.hold_capacity = s.hold_capacity;
    o.stories.refresh_ns = detail::to_ns(s.refresh_s);
    o.stories.close_after_ns = detail::to_ns(s.close_after_s);
    o.stories.reach_back_ns = o.hold_ns;
    o.thresholds = s.thresholds;
    o.rules = detail::edited_rules(s);
    for (const std::string& n : s.protected_networks) {
        if (const auto network = parse_network(n)) o.site.add(*network);
    }
    return o;
}

/// Reads a configuration file, or the defaults when `path` is empty.
[[nodiscard]] inline result<sensor_settings, error> load_sensor_settings(const std::string& path) {
    sensor_settings s;
    binding b;
    bind(b, s);
    if (path.empty()) return s;
    if (auto loaded = b.load_file(path); !loaded) return loaded.failure();
    if (const std::string why = contradiction(s); !why.empty()) return error{errc::bad_argument, why, path, 0};
    return s;
}

}  // namespace settings
}  // namespace v0
}  // namespace mldefender
