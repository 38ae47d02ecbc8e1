// SPDX-License-Identifier: MIT
// One event: the content of the 83 leaves of an event line as a fixed-size value that is copied, never allocated.
// Text is held as views of static or configuration-owned text, which must outlive the event's writing. Identity of
// the sensor (host, site, models, interface names) is not repeated here: the log's line writer owns it.
// The pipeline fills events; the log, the uplink and the firewall read them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <mldefender/core/address.hpp>
#include <mldefender/core/attack.hpp>
#include <mldefender/core/verdict.hpp>

namespace mldefender {
inline namespace v0 {

/// `alert`: a story (attacker or victim, class) opened, refreshed or closed. `flow`: the decision on one flow.
enum class event_kind : std::uint8_t { alert, flow };
/// How far a connection got; `opened` is written as "new", which C++ keeps for itself.
enum class flow_state : std::uint8_t { opened, established, closed, bypassed };
/// Seen from the protected network; `external`: neither end is in it.
enum class flow_direction : std::uint8_t { inbound, outbound, internal, external };
/// What the response policy decided.
enum class response_action : std::uint8_t { none, alert, ratelimit, quarantine, block };
/// What became of that decision.
enum class response_status : std::uint8_t { applied, dryrun, failed, skipped, pending };
/// Where an alert's story stands; `none` for flow lines.
enum class story_phase : std::uint8_t { none, opened, refreshed, closed };

namespace detail {
inline constexpr std::array<std::string_view, 2> event_kind_names{"alert", "flow"};
inline constexpr std::array<std::string_view, 4> flow_state_names{"new", "established", "closed", "bypassed"};
inline constexpr std::array<std::string_view, 4> flow_direction_names{"inbound", "outbound", "internal", "external"};
inline constexpr std::array<std::string_view, 5> response_action_names{"none", "alert", "ratelimit", "quarantine",
                                                                       "block"};
inline constexpr std::array<std::string_view, 5> response_status_names{"applied", "dryrun", "failed", "skipped",
                                                                       "pending"};
}  // namespace detail

/// @{
/// The value as an event line spells it.
[[nodiscard]] constexpr std::string_view name_of(event_kind k) noexcept {
    return detail::name_at(detail::event_kind_names, k);
}
[[nodiscard]] constexpr std::string_view name_of(flow_state s) noexcept {
    return detail::name_at(detail::flow_state_names, s);
}
[[nodiscard]] constexpr std::string_view name_of(flow_direction d) noexcept {
    return detail::name_at(detail::flow_direction_names, d);
}
[[nodiscard]] constexpr std::string_view name_of(response_action a) noexcept {
    return detail::name_at(detail::response_action_names, a);
}
[[nodiscard]] constexpr std::string_view name_of(response_status s) noexcept {
    return detail::name_at(detail::response_status_names, s);
}
/// @}
/// @{
/// The value so spelled in an event line, or nothing.
[[nodiscard]] constexpr std::optional<event_kind> parse_event_kind(std::string_view name) noexcept {
    return detail::find_name<event_kind>(detail::event_kind_names, name);
}
[[nodiscard]] constexpr std::optional<flow_state> parse_flow_state(std::string_view name) noexcept {
    return detail::find_name<flow_state>(detail::flow_state_names, name);
}
[[nodiscard]] constexpr std::optional<flow_direction> parse_flow_direction(std::string_view name) noexcept {
    return detail::find_name<flow_direction>(detail::flow_direction_names, name);
}
[[nodiscard]] constexpr std::optional<response_action> parse_response_action(std::string_view name) noexcept {
    return detail::find_name<response_action>(detail::response_action_names, name);
}
[[nodiscard]] constexpr std::optional<response_status> parse_response_status(std::string_view name) noexcept {
    return detail::find_name<response_status>(detail::response_status_names, name);
}
/// @}

/// The transport's name as Suricata writes it (`proto`); "UNKNOWN" for numbers without a name.
[[nodiscard]] constexpr std::string_view name_of(ip_protocol p) noexcept {
    switch (p) {
        case ip_protocol::icmp: return "ICMP";
        case ip_protocol::igmp: return "IGMP";
        case ip_protocol::ipip: return "IPIP";
        case ip_protocol::tcp: return "TCP";
        case ip_protocol::udp: return "UDP";
        case ip_protocol::ipv6: return "IPv6";
        case ip_protocol::gre: return "GRE";
        case ip_protocol::esp: return "ESP";
        case ip_protocol::ah: return "AH";
        case ip_protocol::icmpv6: return "IPv6-ICMP";
        case ip_protocol::ospf: return "OSPF";
        case ip_protocol::pim: return "PIM";
        case ip_protocol::vrrp: return "VRRP";
        case ip_protocol::l2tp: return "L2TP";
        case ip_protocol::sctp: return "SCTP";
    }
    return "UNKNOWN";
}

/// A short list inside a value: the first `Capacity` items are kept, further ones are dropped and `push` says so.
template <class T, std::size_t Capacity>
class short_list {
public:
    /// Adds an item; false and no change when full.
    constexpr bool push(const T& item) noexcept {
        if (m_size == Capacity) return false;
        m_items[m_size++] = item;
        return true;
    }
    /// Forgets all items.
    constexpr void clear() noexcept { m_size = 0; }
    /// Items held.
    [[nodiscard]] constexpr std::size_t size() const noexcept { return m_size; }
    /// True without items.
    [[nodiscard]] constexpr bool empty() const noexcept { return m_size == 0; }
    /// Most items ever held.
    [[nodiscard]] static constexpr std::size_t capacity() noexcept { return Capacity; }
    /// First item.
    [[nodiscard]] constexpr const T* begin() const noexcept { return m_items.data(); }
    /// Behind the last item.
    [[nodiscard]] constexpr const T* end() const noexcept { return m_items.data() + m_size; }
    /// The item at a position below `size()`.
    [[nodiscard]] constexpr const T& operator[](std::size_t at) const noexcept { return m_items[at]; }

private:
    std::array<T, Capacity> m_items{};
    std::uint8_t m_size = 0;
};

/// The detection behind an alert. Ids of this product are 8383000..8383999; rev counts changes of the rule.
struct event_signature {
    std::uint32_t id = 0;        ///< stable number of the rule or class
    std::uint32_t revision = 0;  ///< of that rule
    std::string_view title;      ///< "" lets the line writer name the attack class
};

/// The id of a detection that no rule named: the class as the forests gave it. 0 for `none`.
[[nodiscard]] constexpr std::uint32_t class_signature_id(attack_class c) noexcept {
    return c == attack_class::none ? 0 : 8383000U + static_cast<std::uint32_t>(c);
}

/// Counters of the flow at the moment of the event; bytes are IP bytes on the wire.
struct event_flow {
    std::int64_t start_ns = 0;              ///< first packet
    std::int64_t end_ns = 0;                ///< last packet so far
    std::uint64_t packets_to_server = 0;    ///< initiator to responder
    std::uint64_t packets_to_client = 0;    ///< back
    std::uint64_t bytes_to_server = 0;      ///< initiator to responder
    std::uint64_t bytes_to_client = 0;      ///< back
    flow_state state = flow_state::opened;  ///< how far it got
    std::uint8_t tcp_flags = 0;             ///< OR of all flags seen, 0 when not TCP
};

/// The feature values every event shows (`mld.f`); units as in the schema.
struct event_features {
    double packets_per_s = 0;         ///< both directions
    double bytes_per_s = 0;           ///< both directions
    double iat_mean_us = 0;           ///< inter-arrival time
    double iat_std_us = 0;            ///< its standard deviation
    float packet_len_mean = 0;        ///< bytes
    float packet_len_std = 0;         ///< bytes
    std::uint32_t syn = 0;            ///< packets with SYN
    std::uint32_t ack = 0;            ///< packets with ACK
    std::uint32_t rst = 0;            ///< packets with RST
    std::uint32_t fin = 0;            ///< packets with FIN
    double down_up_ratio = 0;         ///< bytes back / bytes out
    float payload_entropy = 0;        ///< bits per byte, 0..8
    std::uint32_t src_new_dsts = 0;   ///< distinct destinations of the source in 10 s
    std::uint32_t src_new_ports = 0;  ///< distinct ports of the source in 10 s
    float src_syn_unanswered = 0;     ///< 0..1
    float beacon = 0;                 ///< 0..1
};

/// A feature that moved the forests: its value and the signed share of the score it brought along the paths.
struct explain_item {
    std::string_view feature;  ///< its name
    float value = 0;           ///< in the feature's unit
    float weight = 0;          ///< signed share of the score
};

/// ISO 3166 alpha-2 code; both characters 0 when unknown.
struct country_code {
    std::array<char, 2> letters{};  ///< capitals
    /// Same code.
    friend constexpr bool operator==(const country_code&, const country_code&) noexcept = default;
    /// Two letters or "".
    [[nodiscard]] constexpr std::string_view view() const noexcept {
        return {letters.data(), letters[0] == '\0' ? std::size_t{0} : std::size_t{2}};
    }
};

/// What was decided about the source and what became of it.
struct event_response {
    response_action action = response_action::none;     ///< what was decided
    response_status status = response_status::skipped;  ///< what became of it
    std::uint32_t ttl_s = 0;                            ///< 0 is permanent
    std::string_view rule;                              ///< set or rule that holds the block
};

/// The story an alert belongs to; told in the summary, and the artifact limit counts by it.
struct event_story {
    std::uint64_t id = 0;                   ///< 0: none
    std::uint64_t flows = 0;                ///< flows in the story so far
    std::uint32_t targets = 0;              ///< distinct hosts (or, for one target, ports) touched, 0 when not counted
    std::uint32_t duration_s = 0;           ///< since it opened
    story_phase phase = story_phase::none;  ///< what this alert tells
    bool by_victim = false;  ///< grouped by the responder (a flood from many sources) instead of the initiator
};

inline constexpr std::size_t max_fast_reasons = 8;   ///< rules an event names; further ones are left out
inline constexpr std::size_t max_explain_items = 5;  ///< features an event names
inline constexpr std::size_t max_attack_ids = 4;     ///< ATT&CK tactics, and as many techniques

/// One event, complete but for the sensor's identity, `seq`, `event_id` and `chain`, which the log gives it.
struct event {
    std::int64_t timestamp_ns = 0;       ///< decision time, the capture's clock
    std::uint64_t flow_id = 0;           ///< only the low 53 bits are written, so that every JSON reader keeps them
    five_tuple tuple;                    ///< initiator -> responder
    event_kind kind = event_kind::flow;  ///< alert or flow
    std::uint8_t ip_version = 4;         ///< 4 or 6
    std::uint8_t icmp_type = 0;          ///< for the Community ID of ICMP and ICMPv6
    std::uint8_t icmp_code = 0;          ///< likewise
    std::uint16_t interface_index = 0;   ///< into the identity's interface names
    std::uint8_t model_index = 0;        ///< into the identity's models: the one that gave the ML score
    flow_direction direction = flow_direction::external;  ///< seen from the protected network
    std::string_view app_protocol;                        ///< lower case, static; "" is written as "unknown"

    event_signature signature;                                ///< of an alert
    short_list<std::string_view, max_attack_ids> tactics;     ///< TAnnnn; empty: the class's own
    short_list<std::string_view, max_attack_ids> techniques;  ///< Tnnnn[.nnn]; empty: the class's own
    event_flow flow;                                          ///< counters

    mldefender::verdict verdict = mldefender::verdict::benign;               ///< final classification
    mldefender::priority priority = mldefender::priority::low;               ///< triage order
    decision_source source = decision_source::fast_priority;                 ///< which detector decides
    mldefender::attack_class attack_class = mldefender::attack_class::none;  ///< attack family
    mldefender::attack_class ml_label = mldefender::attack_class::none;      ///< class the forests gave
    std::uint8_t ml_level = 1;                                    ///< 1 flow features, 2 host windows, 3 pair histories
    bool fast_triggered = false;                                  ///< a fast rule fired
    float score = 0;                                              ///< final score, 0..1
    float confidence = 0;                                         ///< that the verdict is right, 0..1
    float fast_score = 0;                                         ///< of the fast rules, 0..1
    float ml_score = 0;                                           ///< of the forests, 0..1
    float anomaly = 0;                                            ///< distance to the learnt baseline, 0..1
    std::string_view divergence_reason;                           ///< static text, "" when they agree
    short_list<std::string_view, max_fast_reasons> fast_reasons;  ///< names of the rules that fired
    short_list<explain_item, max_explain_items> explain;          ///< features behind the ML score
    event_features features;                                      ///< values every event shows

    country_code source_country;          ///< unknown: the log looks it up when it has a country file
    country_code destination_country;     ///< likewise
    std::uint32_t source_events_24h = 0;  ///< earlier events of this source
    event_response response;              ///< what was decided against the source
    event_story story;                    ///< of an alert
    std::uint32_t latency_us = 0;         ///< last packet to decision
    std::uint64_t drops = 0;              ///< capture drops since start, packets
};

/// Thresholds behind the derived words of an event.
struct decision_thresholds {
    verdict_thresholds verdicts;     ///< on the final score
    priority_thresholds priorities;  ///< on the final score
    float fast = 0.5F;               ///< from here the fast detector counts as alarmed
    float ml = 0.5F;                 ///< from here the forests do
};

/// Derives verdict, priority, source and the reason of a divergence from the event's three scores.
constexpr void decide(event& e, const decision_thresholds& at = {}) noexcept {
    e.verdict = verdict_of(e.score, at.verdicts);
    e.priority = priority_of(e.score, at.priorities);
    e.source = source_of(e.fast_score, e.ml_score, at.fast, at.ml);
    e.divergence_reason = divergence_reason(e.fast_score, e.ml_score, at.fast, at.ml);
}

/// Whether the log keeps an artifact for this event: high priority, or detectors that disagree.
[[nodiscard]] constexpr bool deserves_artifact(const event& e) noexcept {
    return e.priority >= priority::high || is_divergent(e.fast_score, e.ml_score);
}

}  // namespace v0
}  // namespace mldefender
