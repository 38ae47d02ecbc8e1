// SPDX-License-Identifier: MIT
// From a flow and its hosts' windows to the numbers rules and forests read: the one place where a feature is
// computed, for the sensor and for the trainer alike. Every value is finite and within the range its table row states.
// Called by the pipeline at each decision.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include <mldefender/core/feature.hpp>
#include <mldefender/core/flow.hpp>
#include <mldefender/core/window.hpp>

namespace mldefender {
inline namespace v0 {

/// What is known around a flow; null pointers stand for hosts and pairs without a record (their features are 0).
struct flow_context {
    const host_window* initiator = nullptr;  ///< the initiator's last minute
    const host_window* responder = nullptr;  ///< the responder's last minute
    const pair_history* pair = nullptr;      ///< how the initiator used this service before
    std::int64_t now_ns = 0;                 ///< time of the decision
    bool initiator_external = false;         ///< it lies outside the protected networks
    bool responder_external = false;         ///< it lies outside the protected networks
};

namespace detail {

using namespace literals;

/// a / b, or 0 when b is 0.
[[nodiscard]] constexpr float share(double a, double b) noexcept { return b > 0 ? static_cast<float>(a / b) : 0.0F; }

template <class Number>
[[nodiscard]] constexpr float number(Number n) noexcept {
    return static_cast<float>(n);
}

constexpr void put_lengths(feature_vector& v, std::size_t first, const moments& m) noexcept {
    v[first] = m.least;
    v[first + 1] = m.largest;
    v[first + 2] = number(m.mean());
    v[first + 3] = number(m.deviation());
}

constexpr void put_gaps(feature_vector& v, std::size_t first, const moments& m) noexcept {
    v[first] = number(m.mean());
    v[first + 1] = number(m.deviation());
    v[first + 2] = m.largest;
    v[first + 3] = m.least;
}

constexpr void put_volume(feature_vector& v, const flow& f) noexcept {
    // Rates over less than a millisecond would say more about the capture's clock than about the flow.
    const double seconds = std::max(1e-3, f.duration_s());
    const double bytes_both = f.forward.lengths.sum + f.backward.lengths.sum;
    v["protocol"_feature] = number(static_cast<int>(f.tuple.protocol));
    v["destination_port"_feature] = f.tuple.destination_port;
    v["flow_duration"_feature] = number(f.duration_s());
    v["total_fwd_packets"_feature] = number(f.forward.packets());
    v["total_bwd_packets"_feature] = number(f.backward.packets());
    v["total_fwd_bytes"_feature] = number(f.forward.lengths.sum);
    v["total_bwd_bytes"_feature] = number(f.backward.lengths.sum);
    v["flow_bytes_s"_feature] = number(bytes_both / seconds);
    v["flow_packets_s"_feature] = number(static_cast<double>(f.packets()) / seconds);
    v["down_up_ratio"_feature] = share(f.backward.lengths.sum, f.forward.lengths.sum);
    v["fwd_header_length"_feature] = number(f.forward.header_bytes);
    v["bwd_header_length"_feature] = number(f.backward.header_bytes);
    v["fwd_act_data_pkts"_feature] = number(f.forward.payload_packets);
    v["bwd_act_data_pkts"_feature] = number(f.backward.payload_packets);
    v["fwd_segment_size_avg"_feature] = share(static_cast<double>(f.forward.payload_bytes), f.forward.payload_packets);
    v["bwd_segment_size_avg"_feature] =
        share(static_cast<double>(f.backward.payload_bytes), f.backward.payload_packets);
    v["fwd_payload_bytes"_feature] = number(f.forward.payload_bytes);
    v["bwd_payload_bytes"_feature] = number(f.backward.payload_bytes);
    v["fwd_payload_entropy"_feature] = f.forward.entropy;
    v["bwd_payload_entropy"_feature] = f.backward.entropy;
}

constexpr void put_shape(feature_vector& v, const flow& f) noexcept {
    put_lengths(v, "fwd_packet_length_min"_feature, f.forward.lengths);
    put_lengths(v, "bwd_packet_length_min"_feature, f.backward.lengths);
    put_lengths(v, "packet_length_min"_feature, joined(f.forward.lengths, f.backward.lengths));
    put_gaps(v, "flow_iat_mean"_feature, f.gaps);
    put_gaps(v, "fwd_iat_mean"_feature, f.forward.gaps);
    put_gaps(v, "bwd_iat_mean"_feature, f.backward.gaps);
    v["active_mean"_feature] = number(f.active.mean());
    v["idle_mean"_feature] = number(f.idle.mean());
    v["idle_max"_feature] = f.idle.largest;
    v["idle_std"_feature] = number(f.idle.deviation());
}

constexpr void put_tcp(feature_vector& v, const flow& f) noexcept {
    const flow_side& a = f.forward;
    const flow_side& b = f.backward;
    v["fwd_psh_flags"_feature] = number(a.psh);
    v["bwd_psh_flags"_feature] = number(b.psh);
    v["fin_flag_count"_feature] = number(a.fin + b.fin);
    v["syn_flag_count"_feature] = number(a.syn + b.syn);
    v["rst_flag_count"_feature] = number(a.rst + b.rst);
    v["psh_flag_count"_feature] = number(a.psh + b.psh);
    v["ack_flag_count"_feature] = number(a.ack + b.ack);
    v["urg_flag_count"_feature] = number(a.urg + b.urg);
    v["init_fwd_win_bytes"_feature] = a.first_window;
    v["init_bwd_win_bytes"_feature] = b.first_window;
    v["retransmissions"_feature] = number(a.retransmissions + b.retransmissions);
    v["tcp_progress"_feature] = number(static_cast<int>(f.progress));
    v["midstream"_feature] = f.midstream;
    constexpr std::uint8_t answer = tcp_flag::syn | tcp_flag::ack;
    v["fwd_syn_ack"_feature] = (a.tcp_flags & answer) == answer && b.syn == 0;
}

[[nodiscard]] constexpr bool is_encrypted(app_protocol p) noexcept {
    using enum app_protocol;
    return p == tls || p == quic || p == ssh || p == dtls || p == wireguard || p == openvpn;
}
[[nodiscard]] constexpr bool is_web(app_protocol p) noexcept {
    using enum app_protocol;
    return p == http || p == tls || p == quic;
}
[[nodiscard]] constexpr bool is_login_service(app_protocol p) noexcept {
    using enum app_protocol;
    switch (p) {
        case ssh:
        case rdp:
        case ftp:
        case telnet:
        case smtp:
        case imap:
        case pop3:
        case ldap:
        case kerberos:
        case smb:
        case mysql:
        case mssql:
        case postgresql:
        case redis:
        case vnc: return true;
        default: return false;
    }
}
[[nodiscard]] constexpr bool is_remote_login(app_protocol p) noexcept {
    using enum app_protocol;
    return p == ssh || p == rdp || p == telnet || p == vnc;
}
[[nodiscard]] constexpr bool is_windows_service(app_protocol p, std::uint16_t port) noexcept {
    using enum app_protocol;
    return p == smb || p == dcerpc || p == kerberos || p == ldap || port == 5985 || port == 5986;
}

/// HTTP in clear on a port where hardly any server or proxy has it.
[[nodiscard]] constexpr bool is_odd_http_port(const flow& f) noexcept {
    if (f.app.protocol != app_protocol::http) return false;
    switch (f.tuple.destination_port) {
        case 80:
        case 81:
        case 3128:
        case 5357:
        case 5985:
        case 8000:
        case 8008:
        case 8080:
        case 8081:
        case 8088:
        case 8888: return false;
        default: return true;
    }
}

constexpr void put_calls(feature_vector& v, const app_traffic& t) noexcept {
    v["rpc_executions"_feature] = t.rpc_executions;
    v["rpc_replications"_feature] = t.rpc_replications;
    v["rpc_abuses"_feature] = t.rpc_abuses;
    v["rpc_enumerations"_feature] = t.rpc_enumerations;
    v["rpc_channels"_feature] = t.rpc_channels;
    v["smb_oddities"_feature] = t.smb_oddities;
    v["http_posts"_feature] = t.http_posts;
    v["http_agent_length"_feature] = t.http_agent_length;
    v["http_least_headers"_feature] = t.http_least_headers;
    v["http_host_address"_feature] = t.http_host_address;
    v["http_injections"_feature] = t.http_injections;
    v["http_programs"_feature] = t.http_programs;
    v["oddity_weight"_feature] = number(weight_of(t.oddities & ~bit_of(oddity::tls_obsolete)));
}

constexpr void put_discovery(feature_vector& v, const app_traffic& t) noexcept {
    constexpr unsigned downgrade = kerberos_sign::weak_asked | kerberos_sign::aes_used;
    v["directory_probes"_feature] = t.ldap_probes;
    v["directory_sweeps"_feature] = t.ldap_sweeps;
    v["kerberos_downgrade"_feature] = (t.kerberos & downgrade) == downgrade;
    v["dns_oversized"_feature] = t.dns_oversized;
    v["smb_by_address"_feature] = t.smb_by_address;
    v["discovery_kinds"_feature] = number(std::popcount(t.discovery));
}

constexpr void put_application(feature_vector& v, const flow& f, const flow_context& c) noexcept {
    const app_traffic& t = f.app;
    // A flow without payload is still known by its port: a refused or unanswered SSH connection is about SSH.
    const app_protocol protocol = t.protocol != app_protocol::unknown
                                      ? t.protocol
                                      : guess_by_port(f.tuple.protocol, f.tuple.source_port, f.tuple.destination_port);
    v["responder_external"_feature] = c.responder_external;
    v["initiator_external"_feature] = c.initiator_external;
    v["responder_multicast"_feature] = is_multicast(f.tuple.destination);
    v["is_encrypted"_feature] = is_encrypted(protocol);
    v["is_dns"_feature] = protocol == app_protocol::dns;
    v["is_web"_feature] = is_web(protocol);
    v["is_login_service"_feature] = is_login_service(protocol);
    v["is_remote_login"_feature] = is_remote_login(protocol);
    v["is_windows_service"_feature] = is_windows_service(protocol, f.tuple.destination_port);
    v["dns_queries"_feature] = number(t.dns_queries);
    v["dns_name_length_mean"_feature] = share(t.dns_name_sum, t.dns_queries);
    v["dns_name_length_max"_feature] = t.dns_name_max;
    v["dns_label_max"_feature] = t.dns_label_max;
    v["dns_name_entropy_mean"_feature] = share(t.dns_entropy_sum, t.dns_queries);
    v["dns_nxdomain_share"_feature] = share(t.dns_failures, t.dns_answers);
    v["dns_bulk_share"_feature] = share(t.dns_bulk, t.dns_queries);
    v["dns_answer_bytes_mean"_feature] = share(t.dns_answer_bytes, t.dns_answers);
    v["http_requests"_feature] = number(t.http_requests);
    v["http_error_share"_feature] = share(t.http_errors, t.http_answers);
    v["http_uri_suspicious"_feature] = t.uri_suspicious;
    v["login_attempts"_feature] = number(t.attempts);
    v["login_failures"_feature] = number(t.failures);
    v["smb_file_changes"_feature] = number(t.file_changes);
    v["smb_admin_share"_feature] = t.admin_share;
    v["remote_control"_feature] = number(t.remote_control);
    v["tls_no_name"_feature] = t.tls_no_name;
    v["icmp_odd"_feature] = f.app.icmp_odd;
    v["http_odd_port"_feature] = is_odd_http_port(f);
    put_calls(v, t);
    put_discovery(v, t);
}

constexpr void put_initiator_ten(feature_vector& v, const host_activity& a) noexcept {
    const double unanswered = static_cast<double>(a.tcp_contacts) - a.tcp_accepted - a.tcp_refused;
    v["src_flows"_feature] = number(a.contacts);
    v["src_new_dsts"_feature] = a.destinations.count();
    v["src_new_ports"_feature] = a.ports.count();
    v["src_syn_unanswered"_feature] = share(std::max(0.0, unanswered), a.tcp_contacts);
    v["src_refused"_feature] = std::min(1.0F, share(a.tcp_refused, a.tcp_contacts));
    v["src_probes"_feature] = number(a.probes);
    v["src_icmp_flows"_feature] = number(a.icmp_contacts);
}

constexpr void put_initiator_sixty(feature_vector& v, const host_activity& a) noexcept {
    const double failed = static_cast<double>(a.contacts) - a.accepted;
    const float destinations = a.destinations.count();
    const float ports = a.ports.count();
    v["src_dsts_60s"_feature] = destinations;
    v["src_ports_60s"_feature] = ports;
    v["src_ports_per_dst_60s"_feature] = share(ports, destinations);
    v["src_dsts_per_port_60s"_feature] = share(destinations, ports);
    v["src_flows_60s"_feature] = number(a.contacts);
    v["src_failed_60s"_feature] = share(std::max(0.0, failed), a.contacts);
    v["src_short_flows_60s"_feature] = number(a.short_flows);
    v["src_silent_flows_60s"_feature] = number(a.silent_flows);
    v["src_smb_dsts_60s"_feature] = a.smb_destinations.count();
    v["src_rdp_dsts_60s"_feature] = a.rdp_destinations.count();
    v["src_ssh_dsts_60s"_feature] = a.ssh_destinations.count();
    v["src_telnet_dsts_60s"_feature] = a.telnet_destinations.count();
    v["src_lookups_60s"_feature] = number(a.lookups);
    v["src_names_60s"_feature] = a.names.count();
    v["src_lookups_failed_60s"_feature] = std::min(1.0F, share(a.lookups_failed, a.lookups));
    v["src_name_entropy_60s"_feature] = share(a.name_entropy_sum, a.lookups);
    v["src_name_length_60s"_feature] = share(a.name_length_sum, a.lookups);
    v["src_credentials_60s"_feature] = number(a.credentials);
    v["src_rejected_60s"_feature] = number(a.rejected);
    v["src_file_changes_60s"_feature] = number(a.file_changes);
    v["src_bytes_out_60s"_feature] = a.bytes_out;
    v["src_upload_ratio_60s"_feature] = a.bytes_out / std::max(1000.0F, a.bytes_in);
    v["src_weak_tickets_60s"_feature] = number(a.weak_tickets);
    v["src_weak_logins_60s"_feature] = number(a.weak_logins);
    v["src_listed_dsts_60s"_feature] = a.listed_destinations.count();
}

constexpr void put_initiator(feature_vector& v, const host_window& w, std::int64_t now_ns) noexcept {
    // Each span contains the shorter one, so older buckets are merged on top.
    host_activity sum;
    w.merge_span(sum, now_ns, 0, 1);
    put_initiator_ten(v, sum);
    w.merge_span(sum, now_ns, 2, 3);
    v["src_external_dsts_30s"_feature] = sum.external_destinations.count();
    w.merge_span(sum, now_ns, 4, 5);
    put_initiator_sixty(v, sum);
    v["src_oddity_weight_10m"_feature] = number(weight_of(w.signs.recent(now_ns)));
}

constexpr void put_responder(feature_vector& v, const flow& f, const host_window& w, std::int64_t now_ns) noexcept {
    host_activity a;
    w.merge_span(a, now_ns, 0, 1);
    const float sources = a.sources.count();
    constexpr double span_s = 10;
    v["dst_srcs"_feature] = sources;
    v["dst_flows"_feature] = number(a.asked);
    v["dst_busy_port"_feature] = a.busy_lead > 0 && a.busy_port == f.tuple.destination_port;
    v["dst_unanswered"_feature] = share(std::max(0.0, static_cast<double>(a.asked) - a.answered), a.asked);
    v["dst_incomplete"_feature] = share(std::max(0.0, static_cast<double>(a.asked_tcp) - a.completed_tcp), a.asked_tcp);
    v["dst_packets_s"_feature] = number(a.packets_received / span_s);
    v["dst_bytes_s"_feature] = number(a.bytes_received / span_s);
    v["dst_reply_ratio"_feature] = share(a.packets_sent, a.packets_received);
    v["dst_flows_per_src"_feature] = share(a.asked, sources);
    w.merge_span(a, now_ns, 2, 5);
    v["dst_rejections_60s"_feature] = number(a.rejections);
}

constexpr void put_pair(feature_vector& v, pair_history p, std::int64_t now_ns) noexcept {
    p.fade(now_ns);
    const pair_history::rhythm r = p.measure();
    v["pair_contacts"_feature] = number(p.contacts);
    v["pair_recent_contacts"_feature] = p.recent_contacts;
    v["pair_recent_short"_feature] = p.recent_short;
    v["pair_recent_long"_feature] = p.recent_long;
    v["pair_bytes_out_mean"_feature] = share(p.bytes_out, p.contacts);
    v["pair_bytes_in_mean"_feature] = share(p.bytes_in, p.contacts);
    v["pair_recent_rejected"_feature] = p.recent_rejected;
    v["pair_recent_mute"_feature] = p.recent_mute;
    v["pair_mute_share"_feature] = share(p.recent_mute, p.recent_short + p.recent_long);
    v["pair_interval_median"_feature] = r.median_s;
    v["pair_interval_spread"_feature] = r.spread;
    v["beacon"_feature] = p.periodicity();
    v["pair_age"_feature] = number(static_cast<double>(std::max<std::int64_t>(0, now_ns - p.first_ns)) * 1e-9);
}

struct feature_bounds {
    feature_vector lowest{};
    feature_vector highest{};
};
inline constexpr feature_bounds bounds_of_features = [] {
    feature_bounds b;
    for (std::size_t i = 0; i < feature_count; ++i) {
        b.lowest[i] = features[i].lowest;
        b.highest[i] = features[i].highest;
    }
    return b;
}();

/// Clocks that jump and ratios with tiny denominators leave the ranges of the table; NaN becomes the lower end.
constexpr void keep_in_range(feature_vector& v) noexcept {
    for (std::size_t i = 0; i < feature_count; ++i) {
        const float x = v[i] > bounds_of_features.lowest[i] ? v[i] : bounds_of_features.lowest[i];
        v[i] = x < bounds_of_features.highest[i] ? x : bounds_of_features.highest[i];
    }
}

}  // namespace detail

/// All features of `f` at `context.now_ns`.
[[nodiscard]] constexpr feature_vector extract(const flow& f, const flow_context& context) noexcept {
    feature_vector v{};
    detail::put_volume(v, f);
    detail::put_shape(v, f);
    detail::put_tcp(v, f);
    detail::put_application(v, f, context);
    if (context.initiator != nullptr) detail::put_initiator(v, *context.initiator, context.now_ns);
    if (context.responder != nullptr) detail::put_responder(v, f, *context.responder, context.now_ns);
    if (context.pair != nullptr) detail::put_pair(v, *context.pair, context.now_ns);
    detail::keep_in_range(v);
    return v;
}

}  // namespace v0
}  // namespace mldefender
