// SPDX-License-Identifier: MIT
// The features: one table that says what each number is, in which unit and range, how it is computed and where the
// name comes from. Its order is the order of every feature vector; models name their inputs, so a changed order
// cannot make them score garbage. Names follow CICFlowMeter and nfstream (in snake_case) where the meaning is the same.
// Filled by extract.hpp; read by rules, forests, the trainer and artifacts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mldefender {
inline namespace v0 {

/// What a feature needs to be known.
enum class feature_level : std::uint8_t {
    flow = 1,    ///< the flow alone
    window = 2,  ///< what its hosts did lately
    pair = 3,    ///< how the initiator has used this service before
};

/// One row of the feature table.
struct feature_info {
    std::string_view name;     ///< as models and rules spell it, snake_case
    std::string_view unit;     ///< of its values, e.g. "bytes", "us"
    float lowest;              ///< least possible value
    float highest;             ///< largest possible value; larger ones count as this
    feature_level level;       ///< what it takes to know it
    std::string_view formula;  ///< in words
    std::string_view source;   ///< whose definition it follows, "" for our own
};

/// Every feature, in the order of `feature_vector`. "10 s" means the current and the previous 10 s bucket, "30 s" the
/// current and three, "60 s" the current and five before it. Ratios and shares with an empty denominator are 0.
inline constexpr feature_info features[] = {
    {"protocol", "number", 0, 255, feature_level::flow, "IP protocol number", "CICFlowMeter"},
    {"destination_port", "port", 0, 65535, feature_level::flow, "responder's port", "CICFlowMeter"},
    {"flow_duration", "s", 0, 1e+09F, feature_level::flow, "last packet - first packet", "CICFlowMeter"},
    {"total_fwd_packets", "packets", 0, 4e+09F, feature_level::flow, "packets initiator -> responder", "CICFlowMeter"},
    {"total_bwd_packets", "packets", 0, 4e+09F, feature_level::flow, "packets responder -> initiator", "CICFlowMeter"},
    {"total_fwd_bytes", "bytes", 0, 1e+15F, feature_level::flow, "IP bytes initiator -> responder",
     "nfstream src2dst_bytes"},
    {"total_bwd_bytes", "bytes", 0, 1e+15F, feature_level::flow, "IP bytes responder -> initiator",
     "nfstream dst2src_bytes"},
    {"fwd_packet_length_min", "bytes", 0, 65535, feature_level::flow, "least of the IP lengths of initiator's packets",
     "CICFlowMeter"},
    {"fwd_packet_length_max", "bytes", 0, 65535, feature_level::flow,
     "largest of the IP lengths of initiator's packets", "CICFlowMeter"},
    {"fwd_packet_length_mean", "bytes", 0, 65535, feature_level::flow, "mean of the IP lengths of initiator's packets",
     "CICFlowMeter"},
    {"fwd_packet_length_std", "bytes", 0, 65535, feature_level::flow,
     "standard deviation of the IP lengths of initiator's packets", "CICFlowMeter"},
    {"bwd_packet_length_min", "bytes", 0, 65535, feature_level::flow, "least of the IP lengths of responder's packets",
     "CICFlowMeter"},
    {"bwd_packet_length_max", "bytes", 0, 65535, feature_level::flow,
     "largest of the IP lengths of responder's packets", "CICFlowMeter"},
    {"bwd_packet_length_mean", "bytes", 0, 65535, feature_level::flow, "mean of the IP lengths of responder's packets",
     "CICFlowMeter"},
    {"bwd_packet_length_std", "bytes", 0, 65535, feature_level::flow,
     "standard deviation of the IP lengths of responder's packets", "CICFlowMeter"},
    {"packet_length_min", "bytes", 0, 65535, feature_level::flow, "least of the IP lengths of all packets",
     "CICFlowMeter"},
    {"packet_length_max", "bytes", 0, 65535, feature_level::flow, "largest of the IP lengths of all packets",
     "CICFlowMeter"},
    {"packet_length_mean", "bytes", 0, 65535, feature_level::flow, "mean of the IP lengths of all packets",
     "CICFlowMeter"},
    {"packet_length_std", "bytes", 0, 65535, feature_level::flow, "standard deviation of the IP lengths of all packets",
     "CICFlowMeter"},
    {"flow_bytes_s", "bytes/s", 0, 1e+12F, feature_level::flow, "IP bytes / max(duration, 1 ms)", "CICFlowMeter"},
    {"flow_packets_s", "packets/s", 0, 1e+09F, feature_level::flow, "packets / max(duration, 1 ms)", "CICFlowMeter"},
    {"flow_iat_mean", "us", 0, 1e+13F, feature_level::flow, "mean of the gaps between all packets", "CICFlowMeter"},
    {"flow_iat_std", "us", 0, 1e+13F, feature_level::flow, "standard deviation of the gaps between all packets",
     "CICFlowMeter"},
    {"flow_iat_max", "us", 0, 1e+13F, feature_level::flow, "largest of the gaps between all packets", "CICFlowMeter"},
    {"flow_iat_min", "us", 0, 1e+13F, feature_level::flow, "least of the gaps between all packets", "CICFlowMeter"},
    {"fwd_iat_mean", "us", 0, 1e+13F, feature_level::flow, "mean of the gaps between the initiator's packets",
     "CICFlowMeter"},
    {"fwd_iat_std", "us", 0, 1e+13F, feature_level::flow,
     "standard deviation of the gaps between the initiator's packets", "CICFlowMeter"},
    {"fwd_iat_max", "us", 0, 1e+13F, feature_level::flow, "largest of the gaps between the initiator's packets",
     "CICFlowMeter"},
    {"fwd_iat_min", "us", 0, 1e+13F, feature_level::flow, "least of the gaps between the initiator's packets",
     "CICFlowMeter"},
    {"bwd_iat_mean", "us", 0, 1e+13F, feature_level::flow, "mean of the gaps between the responder's packets",
     "CICFlowMeter"},
    {"bwd_iat_std", "us", 0, 1e+13F, feature_level::flow,
     "standard deviation of the gaps between the responder's packets", "CICFlowMeter"},
    {"bwd_iat_max", "us", 0, 1e+13F, feature_level::flow, "largest of the gaps between the responder's packets",
     "CICFlowMeter"},
    {"bwd_iat_min", "us", 0, 1e+13F, feature_level::flow, "least of the gaps between the responder's packets",
     "CICFlowMeter"},
    {"fwd_psh_flags", "packets", 0, 4e+09F, feature_level::flow, "initiator's packets with PSH", "CICFlowMeter"},
    {"bwd_psh_flags", "packets", 0, 4e+09F, feature_level::flow, "responder's packets with PSH", "CICFlowMeter"},
    {"fin_flag_count", "packets", 0, 4e+09F, feature_level::flow, "packets with FIN, both directions", "CICFlowMeter"},
    {"syn_flag_count", "packets", 0, 4e+09F, feature_level::flow, "packets with SYN, both directions", "CICFlowMeter"},
    {"rst_flag_count", "packets", 0, 4e+09F, feature_level::flow, "packets with RST, both directions", "CICFlowMeter"},
    {"psh_flag_count", "packets", 0, 4e+09F, feature_level::flow, "packets with PSH, both directions", "CICFlowMeter"},
    {"ack_flag_count", "packets", 0, 4e+09F, feature_level::flow, "packets with ACK, both directions", "CICFlowMeter"},
    {"urg_flag_count", "packets", 0, 4e+09F, feature_level::flow, "packets with URG, both directions", "CICFlowMeter"},
    {"fwd_header_length", "bytes", 0, 4e+09F, feature_level::flow,
     "IP and transport header bytes initiator -> responder", "CICFlowMeter"},
    {"bwd_header_length", "bytes", 0, 4e+09F, feature_level::flow,
     "IP and transport header bytes responder -> initiator", "CICFlowMeter"},
    {"down_up_ratio", "ratio", 0, 1e+06F, feature_level::flow, "IP bytes back / IP bytes out", "CICFlowMeter"},
    {"init_fwd_win_bytes", "bytes", 0, 65535, feature_level::flow, "TCP window of the initiator's first segment",
     "CICFlowMeter"},
    {"init_bwd_win_bytes", "bytes", 0, 65535, feature_level::flow, "TCP window of the responder's first segment",
     "CICFlowMeter"},
    {"fwd_act_data_pkts", "packets", 0, 4e+09F, feature_level::flow, "initiator's packets with payload",
     "CICFlowMeter"},
    {"bwd_act_data_pkts", "packets", 0, 4e+09F, feature_level::flow, "responder's packets with payload", "own"},
    {"fwd_segment_size_avg", "bytes", 0, 65535, feature_level::flow, "payload bytes / packets with payload, initiator",
     "CICFlowMeter"},
    {"bwd_segment_size_avg", "bytes", 0, 65535, feature_level::flow, "payload bytes / packets with payload, responder",
     "CICFlowMeter"},
    {"fwd_payload_bytes", "bytes", 0, 1e+15F, feature_level::flow, "payload bytes initiator -> responder", "own"},
    {"bwd_payload_bytes", "bytes", 0, 1e+15F, feature_level::flow, "payload bytes responder -> initiator", "own"},
    {"active_mean", "s", 0, 1e+09F, feature_level::flow, "mean length of bursts without a pause of 5 s",
     "CICFlowMeter"},
    {"idle_mean", "s", 0, 1e+09F, feature_level::flow, "mean length of those pauses", "CICFlowMeter"},
    {"idle_max", "s", 0, 1e+09F, feature_level::flow, "longest of those pauses", "CICFlowMeter"},
    {"idle_std", "s", 0, 1e+09F, feature_level::flow, "standard deviation of those pauses", "CICFlowMeter"},
    {"fwd_payload_entropy", "bits/byte", 0, 8, feature_level::flow,
     "Shannon entropy of the initiator's first payload (256 bytes at most)", "Shannon 1948"},
    {"bwd_payload_entropy", "bits/byte", 0, 8, feature_level::flow,
     "Shannon entropy of the responder's first payload (256 bytes at most)", "Shannon 1948"},
    {"retransmissions", "packets", 0, 131070, feature_level::flow,
     "TCP segments that begin before the next expected byte", "own"},
    {"tcp_progress", "0..5", 0, 5, feature_level::flow,
     "0 opened, 1 accepted, 2 refused, 3 established, 4 closing, 5 closed", "own"},
    {"midstream", "0/1", 0, 1, feature_level::flow, "TCP flow whose SYN was not seen", "own"},
    {"fwd_syn_ack", "0/1", 0, 1, feature_level::flow,
     "the initiator's packets carry SYN and ACK: an answer nobody here asked for", "own"},
    {"responder_external", "0/1", 0, 1, feature_level::flow, "responder outside the protected networks", "own"},
    {"initiator_external", "0/1", 0, 1, feature_level::flow, "initiator outside the protected networks", "own"},
    {"responder_multicast", "0/1", 0, 1, feature_level::flow, "responder is a multicast or broadcast address", "own"},
    {"is_encrypted", "0/1", 0, 1, feature_level::flow, "TLS, QUIC, SSH or a VPN protocol", "own"},
    {"is_dns", "0/1", 0, 1, feature_level::flow, "DNS by payload or port", "own"},
    {"is_web", "0/1", 0, 1, feature_level::flow, "HTTP, TLS or QUIC", "own"},
    {"is_login_service", "0/1", 0, 1, feature_level::flow,
     "a service with passwords: SSH, RDP, FTP, Telnet, mail, LDAP, Kerberos, SMB, databases", "own"},
    {"is_remote_login", "0/1", 0, 1, feature_level::flow, "a terminal or desktop from afar: SSH, RDP, Telnet, VNC",
     "own"},
    {"is_windows_service", "0/1", 0, 1, feature_level::flow, "SMB, DCE/RPC, Kerberos, LDAP or WinRM", "own"},
    {"dns_queries", "messages", 0, 4e+09F, feature_level::flow, "DNS questions in the flow", "own"},
    {"dns_name_length_mean", "characters", 0, 255, feature_level::flow, "mean length of the names asked for", "own"},
    {"dns_name_length_max", "characters", 0, 255, feature_level::flow, "longest name asked for", "own"},
    {"dns_label_max", "characters", 0, 63, feature_level::flow, "longest label", "own"},
    {"dns_name_entropy_mean", "bits/char", 0, 6, feature_level::flow, "mean character entropy of the names", "own"},
    {"dns_nxdomain_share", "share", 0, 1, feature_level::flow, "answers with an error / answers", "own"},
    {"dns_bulk_share", "share", 0, 1, feature_level::flow,
     "questions of type TXT, NULL, KEY, PRIVATE or ANY / questions", "own"},
    {"dns_answer_bytes_mean", "bytes", 0, 65535, feature_level::flow, "mean payload of DNS answers", "own"},
    {"http_requests", "messages", 0, 4e+09F, feature_level::flow, "HTTP requests in the flow", "own"},
    {"http_error_share", "share", 0, 1, feature_level::flow, "HTTP answers with status 400 and above / answers", "own"},
    {"http_uri_suspicious", "characters", 0, 255, feature_level::flow,
     "largest number of quotes, brackets, '..' and escapes in a request target", "own"},
    {"login_attempts", "messages", 0, 4e+09F, feature_level::flow, "credentials presented in the flow", "own"},
    {"login_failures", "messages", 0, 4e+09F, feature_level::flow, "logins refused in the flow", "own"},
    {"smb_file_changes", "messages", 0, 4e+09F, feature_level::flow, "SMB writes, renames and deletions", "own"},
    {"smb_admin_share", "0/1", 0, 1, feature_level::flow, "an administrative share was opened", "own"},
    {"remote_control", "messages", 0, 4e+09F, feature_level::flow,
     "uses of remote service, task, registry, WMI or replication interfaces", "own"},
    {"tls_no_name", "0/1", 0, 1, feature_level::flow, "TLS hello without a server name", "own"},
    {"rpc_executions", "messages", 0, 65535, feature_level::flow,
     "remote procedure calls that create or start services, tasks, processes or automation objects", "own"},
    {"rpc_replications", "messages", 0, 65535, feature_level::flow,
     "remote procedure calls that copy the directory or write to its replication", "own"},
    {"rpc_abuses", "messages", 0, 65535, feature_level::flow,
     "remote procedure calls that clear logs, take secrets, set passwords, install drivers or force log-ins", "own"},
    {"rpc_enumerations", "messages", 0, 65535, feature_level::flow,
     "remote procedure calls that list accounts, groups, sessions or endpoints", "own"},
    {"rpc_channels", "messages", 0, 65535, feature_level::flow, "machine log-ins at a controller (Netlogon)", "own"},
    {"smb_oddities", "messages", 0, 65535, feature_level::flow,
     "SMB 1 requests beyond the protocol's limits, and answers that nothing such is implemented", "own"},
    {"http_posts", "messages", 0, 65535, feature_level::flow, "HTTP POST requests in the flow", "own"},
    {"http_agent_length", "characters", 0, 255, feature_level::flow,
     "length of the first User-Agent in an HTTP request, 0 without one", "own"},
    {"http_least_headers", "lines", 0, 255, feature_level::flow,
     "fewest header lines of an HTTP request, 0 while none was seen whole", "own"},
    {"http_host_address", "0/1", 0, 1, feature_level::flow, "an HTTP request named its server by address", "own"},
    {"http_programs", "messages", 0, 65535, feature_level::flow,
     "HTTP answers whose content starts as a Windows or Unix program does", "own"},
    {"http_injections", "messages", 0, 255, feature_level::flow,
     "attempts in HTTP requests to have data executed: SQL clauses, active tags, look-ups, climbing paths, commands",
     "own"},
    {"http_odd_port", "0/1", 0, 1, feature_level::flow, "HTTP in clear on a port where hardly any server has it",
     "own"},
    {"icmp_odd", "0/1", 0, 1, feature_level::flow,
     "ICMP request other than echo with code 0: time stamp, mask, information, or echo with another code", "own"},
    {"oddity_weight", "weight", 0, 255, feature_level::flow,
     "weights of the signs that the flow is of a program which would rather not be known (oddity.hpp), old TLS left "
     "out",
     "own"},
    {"src_flows", "flows", 0, 4e+09F, feature_level::window, "flows the initiator began in 10 s", "own"},
    {"src_new_dsts", "hosts", 0, 1600, feature_level::window, "distinct destinations of the initiator in 10 s", "own"},
    {"src_new_ports", "ports", 0, 1600, feature_level::window, "distinct destination ports of the initiator in 10 s",
     "own"},
    {"src_syn_unanswered", "share", 0, 1, feature_level::window,
     "TCP openings of the initiator without any answer / openings, 10 s", "own"},
    {"src_refused", "share", 0, 1, feature_level::window,
     "TCP openings of the initiator that were refused / openings, 10 s", "own"},
    {"src_probes", "flows", 0, 4e+09F, feature_level::window,
     "flows of the initiator that open nothing (FIN, NULL, XMAS, stray ACK, empty UDP), 10 s", "own"},
    {"src_icmp_flows", "flows", 0, 4e+09F, feature_level::window, "ICMP flows of the initiator in 10 s", "own"},
    {"src_dsts_60s", "hosts", 0, 1600, feature_level::window, "distinct destinations of the initiator in 60 s", "own"},
    {"src_ports_60s", "ports", 0, 1600, feature_level::window, "distinct destination ports of the initiator in 60 s",
     "own"},
    {"src_ports_per_dst_60s", "ratio", 0, 1600, feature_level::window,
     "distinct destination ports / distinct destinations of the initiator, 60 s", "own"},
    {"src_dsts_per_port_60s", "ratio", 0, 1600, feature_level::window,
     "distinct destinations / distinct destination ports of the initiator, 60 s", "own"},
    {"src_flows_60s", "flows", 0, 4e+09F, feature_level::window, "flows the initiator began in 60 s", "own"},
    {"src_failed_60s", "share", 0, 1, feature_level::window, "flows of the initiator without acceptance / flows, 60 s",
     "own"},
    {"src_external_dsts_30s", "hosts", 0, 1600, feature_level::window,
     "distinct destinations outside the protected networks in 30 s", "own"},
    {"src_short_flows_60s", "flows", 0, 4e+09F, feature_level::window,
     "ended flows of the initiator in which little was said, 60 s", "own"},
    {"src_silent_flows_60s", "flows", 0, 4e+09F, feature_level::window,
     "ended flows of the initiator that nobody answered, 60 s", "own"},
    {"src_smb_dsts_60s", "hosts", 0, 270, feature_level::window, "distinct hosts the initiator asked for SMB in 60 s",
     "own"},
    {"src_rdp_dsts_60s", "hosts", 0, 270, feature_level::window, "distinct hosts the initiator asked for RDP in 60 s",
     "own"},
    {"src_ssh_dsts_60s", "hosts", 0, 270, feature_level::window, "distinct hosts the initiator asked for SSH in 60 s",
     "own"},
    {"src_telnet_dsts_60s", "hosts", 0, 270, feature_level::window,
     "distinct hosts the initiator asked for Telnet in 60 s", "own"},
    {"src_lookups_60s", "messages", 0, 4e+09F, feature_level::window, "DNS questions of the initiator in 60 s", "own"},
    {"src_names_60s", "names", 0, 680, feature_level::window, "distinct names the initiator asked for in 60 s", "own"},
    {"src_lookups_failed_60s", "share", 0, 1, feature_level::window,
     "failed DNS answers / questions of the initiator, 60 s", "own"},
    {"src_name_entropy_60s", "bits/char", 0, 6, feature_level::window,
     "mean character entropy of the names the initiator asked for, 60 s", "own"},
    {"src_name_length_60s", "characters", 0, 255, feature_level::window,
     "mean length of the names the initiator asked for, 60 s", "own"},
    {"src_credentials_60s", "messages", 0, 4e+09F, feature_level::window, "logins the initiator tried in 60 s", "own"},
    {"src_rejected_60s", "messages", 0, 4e+09F, feature_level::window,
     "logins of the initiator that were refused in 60 s", "own"},
    {"src_file_changes_60s", "messages", 0, 4e+09F, feature_level::window,
     "files the initiator wrote, renamed or deleted on shares in 60 s", "own"},
    {"src_bytes_out_60s", "bytes", 0, 1e+15F, feature_level::window, "bytes the initiator sent in flows it began, 60 s",
     "own"},
    {"src_upload_ratio_60s", "ratio", 0, 1e+06F, feature_level::window,
     "bytes sent / max(bytes received, 1 kB) in flows it began, 60 s", "own"},
    {"src_oddity_weight_10m", "weight", 0, 255, feature_level::window,
     "weights of the kinds of such signs in the initiator's outside flows, 10 minutes", "own"},
    {"dst_srcs", "hosts", 0, 1600, feature_level::window, "distinct initiators that asked the responder in 10 s",
     "own"},
    {"dst_flows", "flows", 0, 4e+09F, feature_level::window, "flows towards the responder in 10 s", "own"},
    {"dst_unanswered", "share", 0, 1, feature_level::window,
     "flows towards the responder it did not answer / flows, 10 s", "own"},
    {"dst_incomplete", "share", 0, 1, feature_level::window,
     "TCP flows towards the responder without a complete handshake / TCP flows, 10 s", "own"},
    {"dst_packets_s", "packets/s", 0, 1e+09F, feature_level::window, "packets received by the responder / 10 s", "own"},
    {"dst_bytes_s", "bytes/s", 0, 1e+12F, feature_level::window, "bytes received by the responder / 10 s", "own"},
    {"dst_reply_ratio", "ratio", 0, 1e+06F, feature_level::window,
     "packets sent by the responder / packets received, 10 s", "own"},
    {"dst_flows_per_src", "ratio", 0, 1e+09F, feature_level::window,
     "flows towards the responder / distinct initiators, 10 s", "own"},
    {"dst_busy_port", "0/1", 0, 1, feature_level::window,
     "the flow's port is the one asked for in most flows towards the responder, 10 s", "own"},
    {"dst_rejections_60s", "messages", 0, 4e+09F, feature_level::window, "logins the responder refused in 60 s", "own"},
    {"pair_contacts", "flows", 0, 4e+09F, feature_level::pair, "flows of the initiator to this service so far", "own"},
    {"pair_recent_contacts", "flows", 0, 4e+09F, feature_level::pair, "the same, halving every 5 minutes", "own"},
    {"pair_recent_short", "flows", 0, 4e+09F, feature_level::pair,
     "ended flows to this service in which little was said, halving every 5 minutes", "own"},
    {"pair_recent_long", "flows", 0, 4e+09F, feature_level::pair,
     "ended flows to this service in which more was said, halving every 5 minutes", "own"},
    {"pair_bytes_out_mean", "bytes", 0, 1e+15F, feature_level::pair, "bytes sent to this service / contacts", "own"},
    {"pair_bytes_in_mean", "bytes", 0, 1e+15F, feature_level::pair, "bytes received from this service / contacts",
     "own"},
    {"pair_recent_rejected", "messages", 0, 4e+09F, feature_level::pair,
     "refused logins at this service, halving every 5 minutes", "own"},
    {"pair_recent_mute", "flows", 0, 4e+09F, feature_level::pair,
     "connections this service took and ended without a word from either side, halving every 5 minutes", "own"},
    {"pair_mute_share", "share", 0, 1, feature_level::pair, "those / ended flows to this service, both recent", "own"},
    {"pair_interval_median", "s", 0, 1e+09F, feature_level::pair, "median of the last 8 intervals between contacts",
     "own"},
    {"pair_interval_spread", "share", 0, 1, feature_level::pair, "median distance from that median, as a share of it",
     "own"},
    {"beacon", "0..1", 0, 1, feature_level::pair,
     "periodicity of the contacts: (1 - spread) x intervals known / 8, intervals of a second or more", "own"},
    {"pair_age", "s", 0, 1e+09F, feature_level::pair, "time since the first contact", "own"},
};

/// Number of features, and length of a feature vector.
inline constexpr std::size_t feature_count = sizeof(features) / sizeof(features[0]);

/// One value per feature, in the order of the table.
using feature_vector = std::array<float, feature_count>;

/// Position of a feature by name; nothing for an unknown name.
[[nodiscard]] constexpr std::optional<std::size_t> feature_index(std::string_view name) noexcept {
    for (std::size_t i = 0; i < feature_count; ++i) {
        if (features[i].name == name) return i;
    }
    return std::nullopt;
}

namespace literals {

/// `v["flow_duration"_feature]`: the position of a feature, found while compiling; a misspelt name does not compile.
[[nodiscard]] consteval std::size_t operator""_feature(const char* name, std::size_t length) {
    return feature_index(std::string_view{name, length}).value();
}

}  // namespace literals

}  // namespace v0
}  // namespace mldefender
