// SPDX-License-Identifier: MIT
// The fast detector: named rules, each a handful of thresholds over features that must all hold. A rule describes
// general behaviour (how many, how fast, how often refused), never one program's signature. Thresholds, scores and
// switches are data, so configuration can change each number by name; rules cannot be added at run time.
// Called by the pipeline at each decision.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <mldefender/core/attack.hpp>
#include <mldefender/core/feature.hpp>

namespace mldefender {
inline namespace v0 {

/// One threshold: the feature is at least, or at most, `value`.
struct rule_condition {
    std::string_view feature;  ///< its name; "" when the condition is unused
    bool at_least = true;      ///< else at most
    float value = 0;           ///< the threshold, in the feature's unit
};

/// One rule. It fires when every condition holds; unused conditions have an empty feature name.
struct rule {
    std::string_view name;                       ///< as in mld.fast.reasons and in configuration
    std::string_view title;                      ///< as in alert.signature
    attack_class attack = attack_class::none;    ///< what it means when it fires
    std::string_view technique;                  ///< ATT&CK technique id
    float score = 0;                             ///< 0..1 when it fires
    std::uint32_t revision = 1;                  ///< alert.rev
    bool enabled = true;                         ///< a rule that is off never fires
    std::array<rule_condition, 6> conditions{};  ///< all must hold
};

namespace detail {

[[nodiscard]] constexpr rule_condition at_least(std::string_view feature, float value) noexcept {
    return {feature, true, value};
}
[[nodiscard]] constexpr rule_condition at_most(std::string_view feature, float value) noexcept {
    return {feature, false, value};
}

}  // namespace detail

/// The rules as shipped. Order is fixed: signature ids and rule bits count from it, so new rules go to the end.
inline constexpr std::array default_rules{
    rule{"external_contacts",
         "Many outside addresses tried in a short time",
         attack_class::botnet,
         "T1046",
         0.75F,
         1,
         true,
         {detail::at_least("src_external_dsts_30s", 60), detail::at_least("src_failed_60s", 0.9F),
          detail::at_least("src_dsts_per_port_60s", 15), detail::at_most("total_bwd_packets", 1),
          detail::at_least("responder_external", 1)}},
    rule{"smb_fanout",
         "One host opens file sharing on many others",
         attack_class::lateral,
         "T1021.002",
         0.9F,
         1,
         true,
         {detail::at_least("src_smb_dsts_60s", 10), detail::at_least("is_windows_service", 1),
          detail::at_most("bwd_payload_bytes", 20000)}},
    rule{"dns_entropy",
         "Lookups of many random names that do not exist",
         attack_class::botnet,
         "T1568.002",
         0.9F,
         1,
         true,
         {detail::at_least("src_names_60s", 30), detail::at_least("src_lookups_failed_60s", 0.5F),
          detail::at_least("src_name_entropy_60s", 2.8F), detail::at_least("is_dns", 1)}},
    rule{"syn_flood",
         "Flood of connection attempts that are never completed",
         attack_class::ddos,
         "T1498.001",
         0.95F,
         1,
         true,
         {detail::at_least("dst_flows", 1000), detail::at_least("dst_incomplete", 0.8F),
          detail::at_most("tcp_progress", 2), detail::at_least("protocol", 6), detail::at_most("protocol", 6),
          detail::at_least("dst_busy_port", 1)}},
    rule{"port_sweep",
         "One host tries many ports",
         attack_class::scan,
         "T1046",
         0.9F,
         1,
         true,
         {detail::at_least("src_new_ports", 15), detail::at_least("src_failed_60s", 0.6F),
          detail::at_least("src_ports_per_dst_60s", 4), detail::at_most("total_bwd_packets", 6),
          detail::at_least("syn_flag_count", 1), detail::at_most("bwd_payload_bytes", 2000)}},
    rule{"address_sweep",
         "One host tries many addresses",
         attack_class::scan,
         "T1018",
         0.9F,
         1,
         true,
         {detail::at_least("src_dsts_60s", 30), detail::at_least("src_failed_60s", 0.7F),
          detail::at_least("src_dsts_per_port_60s", 6), detail::at_most("fwd_payload_bytes", 0),
          detail::at_most("total_bwd_packets", 6), detail::at_most("responder_multicast", 0)}},
    // A program that logs in for good is answered more, sooner or later; mail, files and databases say when they
    // refuse.
    rule{"login_attempts",
         "Password guessing: many short logins at one service",
         attack_class::bruteforce,
         "T1110.001",
         0.9F,
         1,
         true,
         {detail::at_least("pair_recent_short", 10), detail::at_least("is_remote_login", 1),
          detail::at_most("pair_recent_long", 1), detail::at_most("pair_bytes_in_mean", 3900),
          detail::at_least("bwd_payload_bytes", 1), detail::at_most("pair_interval_median", 30)}},
    rule{"login_failures",
         "Password guessing: many refused logins",
         attack_class::bruteforce,
         "T1110",
         0.9F,
         1,
         true,
         {detail::at_least("src_rejected_60s", 8), detail::at_least("is_login_service", 1)}},
    rule{"beacon",
         "Connections to one outside service as regular as a clock",
         attack_class::botnet,
         "T1071",
         0.5F,
         1,
         false,
         {detail::at_least("beacon", 0.9F), detail::at_least("responder_external", 1),
          detail::at_least("pair_contacts", 9), detail::at_least("pair_interval_median", 5)}},
    rule{"stealth_probes",
         "Packets that open nothing, as stealth scans send",
         attack_class::scan,
         "T1046",
         0.85F,
         1,
         true,
         {detail::at_least("src_probes", 20), detail::at_least("src_new_ports", 15),
          detail::at_least("src_ports_per_dst_60s", 4), detail::at_most("total_bwd_packets", 3)}},
    rule{"datagram_flood",
         "Flood of datagrams without an answer",
         attack_class::ddos,
         "T1498",
         0.9F,
         1,
         true,
         {detail::at_least("dst_packets_s", 200), detail::at_most("dst_reply_ratio", 0.1F),
          detail::at_least("dst_flows", 1000), detail::at_least("dst_unanswered", 0.9F),
          detail::at_most("total_bwd_packets", 0), detail::at_least("dst_busy_port", 1)}},
    rule{"dns_tunnel",
         "Long random names in one conversation with a name server",
         attack_class::dns_tunnel,
         "T1071.004",
         0.9F,
         1,
         true,
         {detail::at_least("dns_queries", 15), detail::at_least("dns_name_length_mean", 50),
          detail::at_least("dns_name_entropy_mean", 3.6F)}},
    rule{"ping_sweep",
         "One host pings many addresses",
         attack_class::scan,
         "T1018",
         0.85F,
         1,
         true,
         {detail::at_least("src_icmp_flows", 16), detail::at_least("src_new_dsts", 15),
          detail::at_least("src_failed_60s", 0.5F), detail::at_most("total_fwd_packets", 4)}},
    // A route trace asks for up to 90 ports too.
    rule{"datagram_port_sweep",
         "One host tries many datagram ports",
         attack_class::scan,
         "T1046",
         0.9F,
         1,
         true,
         {detail::at_least("src_ports_60s", 120), detail::at_least("src_failed_60s", 0.6F),
          detail::at_least("src_ports_per_dst_60s", 10), detail::at_most("total_bwd_packets", 1),
          detail::at_least("protocol", 17), detail::at_most("protocol", 17)}},
    rule{"remote_execution",
         "A service, task or process started on another host by remote procedure call",
         attack_class::lateral,
         "T1021",
         0.65F,
         1,
         true,
         {detail::at_least("rpc_executions", 1)}},
    rule{"admin_share_execution",
         "A program started through an administrative share",
         attack_class::lateral,
         "T1569.002",
         0.9F,
         1,
         true,
         {detail::at_least("rpc_executions", 1), detail::at_least("smb_admin_share", 1)}},
    // Controllers replicate with each other for months; somebody who steals the directory has just come.
    rule{"directory_replication",
         "The directory's contents asked for by a host that never did before",
         attack_class::lateral,
         "T1003.006",
         0.65F,
         1,
         true,
         {detail::at_least("rpc_replications", 1), detail::at_most("pair_contacts", 4)}},
    rule{"remote_abuse",
         "A remote call hardly any program makes: secrets, event logs, drivers, forced log-ins",
         attack_class::lateral,
         "T1210",
         0.65F,
         1,
         true,
         {detail::at_least("rpc_abuses", 1)}},
    rule{"account_listing",
         "Accounts, groups, sessions or endpoints listed over the network",
         attack_class::lateral,
         "T1087.002",
         0.55F,
         1,
         true,
         {detail::at_least("rpc_enumerations", 1)}},
    rule{"machine_logins",
         "A machine account tried again and again at a controller",
         attack_class::lateral,
         "T1210",
         0.9F,
         1,
         true,
         {detail::at_least("rpc_channels", 1), detail::at_least("pair_recent_contacts", 20)}},
    rule{"smb_exploit",
         "Messages of old file sharing beyond what the protocol allows",
         attack_class::lateral,
         "T1210",
         0.75F,
         1,
         true,
         {detail::at_least("smb_oddities", 1)}},
    rule{"remote_shell",
         "Commands given through remote management, their answers polled",
         attack_class::lateral,
         "T1021.006",
         0.6F,
         1,
         true,
         {detail::at_least("is_windows_service", 1), detail::at_least("http_posts", 20),
          detail::at_least("http_error_share", 0.05F)}},
    rule{"clear_program",
         "A program downloaded without encryption",
         attack_class::botnet,
         "T1105",
         0.55F,
         1,
         true,
         {detail::at_least("http_programs", 1), detail::at_least("responder_external", 1)}},
    rule{"post_to_address",
         "Data posted to a bare address on an unusual port",
         attack_class::botnet,
         "T1571",
         0.6F,
         1,
         true,
         {detail::at_least("http_posts", 1), detail::at_least("http_host_address", 1),
          detail::at_least("http_odd_port", 1), detail::at_least("responder_external", 1)}},
    rule{"anonymous_post",
         "Data posted to a bare address by a program that does not say its name",
         attack_class::botnet,
         "T1071.001",
         0.6F,
         1,
         true,
         {detail::at_least("http_posts", 1), detail::at_least("http_host_address", 1),
          detail::at_most("http_agent_length", 0), detail::at_least("http_least_headers", 1),
          detail::at_least("responder_external", 1)}},
    rule{"web_injection",
         "A web request that tries to have its data executed",
         attack_class::web,
         "T1190",
         0.75F,
         1,
         true,
         {detail::at_least("http_injections", 1)}},
    rule{"dns_bulk",
         "Long names asked for records that carry bulk data",
         attack_class::dns_tunnel,
         "T1071.004",
         0.85F,
         1,
         true,
         {detail::at_least("dns_queries", 15), detail::at_least("dns_bulk_share", 0.5F),
          detail::at_least("dns_label_max", 40), detail::at_least("dns_name_length_mean", 34)}},
    rule{"icmp_tunnel",
         "Pings that carry a conversation: sizes vary, answers differ from questions",
         attack_class::dns_tunnel,
         "T1095",
         0.8F,
         1,
         true,
         {detail::at_least("protocol", 1), detail::at_most("protocol", 1), detail::at_least("total_fwd_packets", 20),
          detail::at_least("total_bwd_packets", 20), detail::at_least("packet_length_std", 50),
          detail::at_least("fwd_payload_bytes", 1000)}},
    rule{"icmp_fingerprint",
         "Control messages that tools send to tell systems apart",
         attack_class::scan,
         "T1595",
         0.6F,
         1,
         true,
         {detail::at_least("icmp_odd", 1)}},
    rule{"bare_download",
         "A download in clear by a program that says next to nothing about itself",
         attack_class::botnet,
         "T1105",
         0.55F,
         1,
         true,
         {detail::at_least("http_least_headers", 1), detail::at_most("http_least_headers", 2),
          detail::at_least("http_requests", 1), detail::at_least("bwd_payload_bytes", 1000),
          detail::at_least("responder_external", 1)}},
    rule{"telnet_sweep",
         "One host tries telnet on many outside addresses",
         attack_class::botnet,
         "T1595.001",
         0.8F,
         1,
         true,
         {detail::at_least("src_telnet_dsts_60s", 5), detail::at_least("src_failed_60s", 0.8F),
          detail::at_least("responder_external", 1), detail::at_most("bwd_payload_bytes", 2000),
          detail::at_least("syn_flag_count", 1)}},
    // Backups and deployment use it too, but come back; somebody who moves through a network has just come.
    rule{"admin_share",
         "An administrative share opened by a host that never did before",
         attack_class::lateral,
         "T1021.002",
         0.5F,
         1,
         true,
         {detail::at_least("smb_admin_share", 1), detail::at_most("pair_contacts", 3)}},
    rule{"directory_probe",
         "The directory searched for accounts worth attacking: services, delegation, no pre-authentication",
         attack_class::lateral,
         "T1087.002",
         0.6F,
         1,
         true,
         {detail::at_least("directory_probes", 1)}},
    rule{"directory_dump",
         "The whole directory fetched in one search",
         attack_class::lateral,
         "T1087.002",
         0.6F,
         1,
         true,
         {detail::at_least("directory_sweeps", 1), detail::at_least("bwd_payload_bytes", 100000)}},
    rule{"kerberos_downgrade",
         "A ticket asked for with old encryption in a domain that has better",
         attack_class::lateral,
         "T1558",
         0.55F,
         1,
         true,
         {detail::at_least("kerberos_downgrade", 1)}},
    // A log-on asks for two or three services; old ones among them get such tickets every day.
    rule{"ticket_harvest",
         "One host collects tickets that can be guessed offline",
         attack_class::lateral,
         "T1558.003",
         0.75F,
         1,
         true,
         {detail::at_least("src_weak_tickets_60s", 6), detail::at_least("is_windows_service", 1)}},
    rule{"dns_oversized",
         "A DNS answer as large as the protocol allows",
         attack_class::lateral,
         "T1210",
         0.6F,
         1,
         true,
         {detail::at_least("dns_oversized", 1)}},
    // People know servers by name and ask for the shares only; tools have a list of addresses.
    rule{"share_discovery",
         "A server known by its address only asked for its shares and version",
         attack_class::lateral,
         "T1135",
         0.5F,
         1,
         true,
         {detail::at_least("smb_by_address", 1), detail::at_least("discovery_kinds", 2),
          detail::at_most("pair_contacts", 3)}},
    rule{"share_sweep",
         "Shares, accounts or sessions listed on many hosts",
         attack_class::lateral,
         "T1135",
         0.75F,
         1,
         true,
         {detail::at_least("src_listed_dsts_60s", 5), detail::at_least("is_windows_service", 1)}},
    // An old account, or an old service: each is ordinary. Both at once look like a controller that has been told to.
    rule{"encryption_downgrade",
         "Log-in and service ticket both fall back to old encryption that the client did not want",
         attack_class::lateral,
         "T1556.001",
         0.55F,
         1,
         true,
         {detail::at_least("src_weak_logins_60s", 1), detail::at_least("src_weak_tickets_60s", 1),
          detail::at_least("is_windows_service", 1)}},
    // A server gives up after six answers; those that reflect for somebody are asked again and again.
    rule{"reflected_answers",
         "Answers to connections nobody here opened, again and again",
         attack_class::ddos,
         "T1498.002",
         0.6F,
         1,
         true,
         {detail::at_least("fwd_syn_ack", 1), detail::at_least("syn_flag_count", 8),
          detail::at_most("total_bwd_packets", 0), detail::at_most("fwd_payload_bytes", 0)}},
    // Weights in oddity.hpp: two or three signs that each mean little, by one host within ten minutes.
    rule{"gathered_signs",
         "Several signs of a program that poses as another or hides what it does",
         attack_class::botnet,
         "T1071.001",
         0.6F,
         1,
         true,
         {detail::at_least("src_oddity_weight_10m", 5), detail::at_least("oddity_weight", 1),
          detail::at_least("responder_external", 1)}},
    // Browsers and tests open connections without a word too, but end them themselves.
    rule{"mute_contacts",
         "One outside service takes connections and ends them without a word, again and again",
         attack_class::botnet,
         "T1008",
         0.6F,
         1,
         true,
         {detail::at_least("pair_recent_mute", 12), detail::at_least("pair_mute_share", 0.8F),
          detail::at_least("responder_external", 1), detail::at_most("fwd_payload_bytes", 0),
          detail::at_most("bwd_payload_bytes", 0), detail::at_most("midstream", 0)}},
    // A full handshake of an ordinary library and the head of an ordinary request take 600 bytes and more.
    rule{"bare_secure_download",
         "A large download over TLS by a program that says next to nothing",
         attack_class::botnet,
         "T1105",
         0.55F,
         1,
         true,
         {detail::at_least("is_encrypted", 1), detail::at_least("is_web", 1), detail::at_most("fwd_payload_bytes", 400),
          detail::at_least("bwd_payload_bytes", 100000), detail::at_least("responder_external", 1),
          detail::at_most("midstream", 0)}},
};

/// Rules as shipped; a set of rules always has so many.
inline constexpr std::size_t rule_count = default_rules.size();

/// First signature id of the rules (`alert.signature_id`); rule i has this plus i.
inline constexpr std::uint32_t first_rule_signature = 8383100;

/// What the rules say about one feature vector.
struct rule_outcome {
    float score = 0;                           ///< largest score of the rules that fired
    attack_class attack = attack_class::none;  ///< class of that rule
    std::uint8_t author = 0;                   ///< its index; ties go to the first listed
    std::uint8_t level = 1;                    ///< what its conditions needed: 1 flow, 2 windows, 3 pairs
    std::uint64_t fired = 0;                   ///< bit per rule
};

/// The rules with their feature names resolved. Copyable; `evaluate` is const and safe from any thread.
class rule_set {
public:
    constexpr rule_set() noexcept : m_rules(default_rules) { resolve(); }

    /// The rules with their present settings, in the order of their bits.
    [[nodiscard]] constexpr const std::array<rule, rule_count>& rules() const noexcept { return m_rules; }

    /// Changes one rule's switch or score. False when there is no such rule.
    constexpr bool enable(std::string_view name, bool on) noexcept {
        rule* r = find(name);
        if (r != nullptr) r->enabled = on;
        return r != nullptr;
    }
    /// The score the rule gives when it fires, 0..1.
    constexpr bool set_score(std::string_view name, float score) noexcept {
        rule* r = find(name);
        if (r != nullptr) r->score = score;
        return r != nullptr;
    }
    /// Changes the threshold of the rule's condition on `feature` (the first one, when there are two).
    constexpr bool set_threshold(std::string_view name, std::string_view feature, float value) noexcept {
        rule* r = find(name);
        if (r == nullptr) return false;
        for (rule_condition& c : r->conditions) {
            if (!c.feature.empty() && c.feature == feature) {
                c.value = value;
                return true;
            }
        }
        return false;
    }

    /// Every rule that fires, and the one with the largest score.
    [[nodiscard]] constexpr rule_outcome evaluate(const feature_vector& v) const noexcept {
        rule_outcome out;
        for (std::size_t i = 0; i < rule_count; ++i) {
            if (!m_rules[i].enabled || !holds(i, v)) continue;
            out.fired |= std::uint64_t{1} << i;
            if (m_rules[i].score > out.score) {
                out.score = m_rules[i].score;
                out.attack = m_rules[i].attack;
                out.author = static_cast<std::uint8_t>(i);
                out.level = m_levels[i];
            }
        }
        return out;
    }

private:
    static constexpr std::uint16_t unused = 0xffff;

    [[nodiscard]] constexpr rule* find(std::string_view name) noexcept {
        for (rule& r : m_rules) {
            if (r.name == name) return &r;
        }
        return nullptr;
    }
    constexpr void resolve() noexcept {
        for (std::size_t i = 0; i < rule_count; ++i) {
            for (std::size_t c = 0; c < m_rules[i].conditions.size(); ++c) {
                const auto index = feature_index(m_rules[i].conditions[c].feature);
                m_inputs[i][c] = index ? static_cast<std::uint16_t>(*index) : unused;
                if (index) m_levels[i] = std::max(m_levels[i], static_cast<std::uint8_t>(features[*index].level));
            }
        }
    }
    [[nodiscard]] constexpr bool holds(std::size_t i, const feature_vector& v) const noexcept {
        for (std::size_t c = 0; c < m_inputs[i].size(); ++c) {
            if (m_inputs[i][c] == unused) continue;
            const rule_condition& condition = m_rules[i].conditions[c];
            const float x = v[m_inputs[i][c]];
            if (condition.at_least ? x < condition.value : x > condition.value) return false;
        }
        return true;
    }

    std::array<rule, rule_count> m_rules;
    std::array<std::array<std::uint16_t, 6>, rule_count> m_inputs{};
    std::array<std::uint8_t, rule_count> m_levels{};
};

namespace detail {

[[nodiscard]] consteval bool rules_name_known_features() {
    for (const rule& r : default_rules) {
        for (const rule_condition& c : r.conditions) {
            if (!c.feature.empty() && !feature_index(c.feature)) return false;
        }
    }
    return rule_count <= 64;
}
static_assert(rules_name_known_features(), "default_rules: a condition names a feature that is not in feature.hpp");

}  // namespace detail

}  // namespace v0
}  // namespace mldefender
