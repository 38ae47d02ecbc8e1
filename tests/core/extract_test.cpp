// SPDX-License-Identifier: MIT
// extract.hpp and feature.hpp: every feature of one hand-made flow against a value worked out by hand, ranges under
// garbage, and the table itself. A new feature needs its row in `expected_by_hand`.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <mldefender/core/extract.hpp>

#include "support/packets.hpp"
#include "support/traffic.hpp"

using namespace mldefender;
using namespace mldefender::test;

namespace {

constexpr five_tuple there = tuple_of(ip_protocol::tcp, 40000, 443);
constexpr std::uint8_t syn = tcp_flag::syn, ack = tcp_flag::ack, fin = tcp_flag::fin, psh = tcp_flag::psh;
constexpr std::array<std::uint8_t, 4> two_symbols{0, 1, 0, 1}, four_symbols{0, 1, 2, 3};

// A handshake, 100 bytes asked, 1000 and (6 s later) 500 answered, both FINs.
flow hand_made_flow() {
    const five_tuple back = there.reversed();
    single_flow s;
    packet request = segment(there, 300 * ms, psh | ack, 100, 1001);
    request.payload = two_symbols;
    packet answer = segment(back, 500 * ms, psh | ack, 1000, 5001);
    answer.payload = four_symbols;
    packet accepted = segment(back, 100 * ms, syn | ack, 0, 5000);
    accepted.tcp_window = 65535;
    s << segment(there, 0, syn, 0, 1000) << accepted << segment(there, 200 * ms, ack, 0, 1001) << request << answer
      << segment(back, 6500 * ms, psh | ack, 500, 6001) << segment(there, 6600 * ms, fin | ack, 0, 1101)
      << segment(back, 6700 * ms, fin | ack, 0, 6501);
    app_traffic& t = s.f.app;
    t.protocol = app_protocol::smb;
    t.tls_no_name = t.admin_share = true;
    t.dns_queries = 4;
    t.dns_name_sum = 100;
    t.dns_name_max = 40;
    t.dns_label_max = 30;
    t.dns_entropy_sum = 12;
    t.dns_bulk = 1;
    t.dns_answers = 2;
    t.dns_failures = 1;
    t.dns_answer_bytes = 300;
    t.http_requests = 7;
    t.http_answers = 5;
    t.http_errors = 2;
    t.uri_suspicious = 9;
    t.attempts = 3;
    t.failures = 2;
    t.file_changes = 11;
    t.remote_control = 6;
    t.rpc_executions = 12;
    t.rpc_replications = 13;
    t.rpc_abuses = 14;
    t.rpc_enumerations = 15;
    t.rpc_channels = 16;
    t.smb_oddities = 17;
    t.http_posts = 18;
    t.http_agent_length = 19;
    t.http_least_headers = 20;
    t.http_programs = 21;
    t.http_injections = 22;
    t.http_host_address = t.icmp_odd = t.smb_by_address = true;
    t.ldap_probes = 23;
    t.ldap_sweeps = 24;
    t.dns_oversized = 25;
    t.discovery = discovery_kind::shares | discovery_kind::workstation;
    t.kerberos = kerberos_sign::weak_asked | kerberos_sign::aes_used;
    t.oddities = bit_of(oddity::posed_request) | bit_of(oddity::own_address) | bit_of(oddity::tls_obsolete);
    return s.f;
}

constexpr std::int64_t now = 65 * second;  // bucket 6: "10 s" is 50..70, "30 s" 30..70, "60 s" 10..70

observation seen(std::int64_t at, observation_kind kind, const five_tuple& t) {
    observation o;
    o.timestamp_ns = at;
    o.kind = kind;
    o.tuple = t;
    return o;
}
five_tuple to(ip_protocol protocol, std::uint16_t port, std::uint8_t host) {
    return tuple_of(protocol, 1, port, client, address::v4(198, 51, 100, host));
}

host_window initiator_window() {
    using enum observation_kind;
    host_window w;
    const auto note = [&](observation o) { note_initiator(w, o); };
    note(seen(9 * second, contact, to(ip_protocol::tcp, 9999, 9)));  // too long ago for everything
    observation web = seen(61 * second, contact, to(ip_protocol::tcp, 443, 1));
    web.responder_external = true;
    web.forward_bytes = 4000;
    web.backward_bytes = 500;
    note(web);
    note(seen(61 * second, accepted, web.tuple));
    observation files = seen(52 * second, contact, to(ip_protocol::tcp, 445, 2));
    files.bare_probe = true;
    note(files);
    note(seen(52 * second, refused, files.tuple));
    observation names = seen(41 * second, contact, to(ip_protocol::udp, 53, 3));
    names.responder_external = true;
    note(names);
    note(seen(55 * second, contact, to(ip_protocol::icmp, 0, 4)));
    note(seen(12 * second, contact, to(ip_protocol::tcp, 22, 5)));
    note(seen(13 * second, contact, to(ip_protocol::tcp, 23, 5)));
    note(seen(14 * second, contact, to(ip_protocol::tcp, 3389, 5)));
    note(seen(15 * second, contact, to(ip_protocol::tcp, 139, 6)));
    observation over = seen(33 * second, ended, web.tuple);
    over.short_lived = over.silent = true;
    note(over);
    over.silent = false;
    note(over);
    for (int i = 0; i < 4; ++i) {
        observation asked = seen(35 * second, lookup, names.tuple);
        asked.name_entropy = 3;
        asked.name_length = 20;
        asked.name_hash = hash_of(static_cast<std::uint64_t>(i % 2));
        note(asked);
    }
    note(seen(36 * second, lookup_failed, names.tuple));
    for (int i = 0; i < 5; ++i) note(seen(25 * second, credentials, web.tuple));
    for (int i = 0; i < 3; ++i) note(seen(25 * second, rejected, web.tuple));
    for (int i = 0; i < 6; ++i) note(seen(25 * second, file_change, files.tuple));
    for (int i = 0; i < 7; ++i) note(seen(25 * second, weak_ticket, web.tuple));
    for (int i = 0; i < 2; ++i) note(seen(25 * second, weak_login, web.tuple));
    note(seen(26 * second, listing, files.tuple));
    note(seen(27 * second, listing, files.tuple));
    note(seen(28 * second, listing, web.tuple));
    observation strange = seen(26 * second, odd, web.tuple);
    strange.responder_external = true;
    strange.oddities = bit_of(oddity::posed_request) | bit_of(oddity::odd_port) | bit_of(oddity::tls_obsolete);
    note(strange);
    strange.oddities = bit_of(oddity::not_there);
    note(strange);
    strange.responder_external = false;  // what stays inside is no sign
    strange.oddities = bit_of(oddity::raw_program);
    note(strange);
    return w;
}

host_window responder_window() {
    using enum observation_kind;
    host_window w;
    const auto note = [&](observation o) { note_responder(w, o); };
    for (std::uint8_t i = 0; i < 3; ++i) {
        const five_tuple t = tuple_of(ip_protocol::tcp, 1, 443, address::v4(10, 0, 0, i), server);
        for (int times = 0; times < 2; ++times) {
            observation o = seen(62 * second, contact, t);
            o.forward_packets = 10;
            o.forward_bytes = 500;
            o.backward_packets = 5;
            note(o);
        }
    }
    note(seen(62 * second, contact, tuple_of(ip_protocol::udp, 1, 53, address::v4(10, 0, 0, 0), server)));
    for (int i = 0; i < 4; ++i) note(seen(63 * second, accepted, there));
    for (int i = 0; i < 3; ++i) note(seen(63 * second, completed, there));
    for (int i = 0; i < 2; ++i) note(seen(20 * second, rejected, there));
    note(seen(20 * second, contact, there));  // outside the 10 s
    return w;
}

pair_history pair_of_contacts() {
    pair_history p;
    // Every 10 s from 20 s on, the last gap 12 s.
    for (const std::int64_t at : {20, 30, 40, 52}) note_pair(p, seen(at * second, observation_kind::contact, there));
    observation over = seen(53 * second, observation_kind::ended, there);
    over.short_lived = true;
    over.forward_bytes = 600;
    over.backward_bytes = 200;
    note_pair(p, over);
    over = seen(54 * second, observation_kind::ended, there);
    over.mute = true;
    note_pair(p, over);
    note_pair(p, seen(54 * second, observation_kind::rejected, there));
    return p;
}

// -m ln(1 - n / m): n distinct values that fall on n different bits.
double linear(double n, double m) { return -m * std::log(1 - n / m); }
double fade(double seconds) { return std::exp2(-seconds / 300); }

const std::map<std::string_view, double>& expected_by_hand() {
    static const std::map<std::string_view, double> table{
        {"protocol", 6},
        {"destination_port", 443},
        {"flow_duration", 6.7},
        {"total_fwd_packets", 4},
        {"total_bwd_packets", 4},
        {"total_fwd_bytes", 260},
        {"total_bwd_bytes", 1660},
        {"fwd_packet_length_min", 40},
        {"fwd_packet_length_max", 140},
        {"fwd_packet_length_mean", 65},
        {"fwd_packet_length_std", std::sqrt(1875)},
        {"bwd_packet_length_min", 40},
        {"bwd_packet_length_max", 1040},
        {"bwd_packet_length_mean", 415},
        {"bwd_packet_length_std", std::sqrt(171875)},
        {"packet_length_min", 40},
        {"packet_length_max", 1040},
        {"packet_length_mean", 240},
        {"packet_length_std", std::sqrt(117500)},
        {"flow_bytes_s", 1920 / 6.7},
        {"flow_packets_s", 8 / 6.7},
        {"flow_iat_mean", 957142.857},
        {"flow_iat_std", 2059026.91},
        {"flow_iat_max", 6e6},
        {"flow_iat_min", 1e5},
        {"fwd_iat_mean", 2.2e6},
        {"fwd_iat_std", 2899425.23},
        {"fwd_iat_max", 6.3e6},
        {"fwd_iat_min", 1e5},
        {"bwd_iat_mean", 2.2e6},
        {"bwd_iat_std", 2688246.02},
        {"bwd_iat_max", 6e6},
        {"bwd_iat_min", 2e5},
        {"fwd_psh_flags", 1},
        {"bwd_psh_flags", 2},
        {"fin_flag_count", 2},
        {"syn_flag_count", 2},
        {"rst_flag_count", 0},
        {"psh_flag_count", 3},
        {"ack_flag_count", 7},
        {"urg_flag_count", 0},
        {"fwd_header_length", 160},
        {"bwd_header_length", 160},
        {"down_up_ratio", 1660.0 / 260},
        {"init_fwd_win_bytes", 64240},
        {"init_bwd_win_bytes", 65535},
        {"fwd_act_data_pkts", 1},
        {"bwd_act_data_pkts", 2},
        {"fwd_segment_size_avg", 100},
        {"bwd_segment_size_avg", 750},
        {"fwd_payload_bytes", 100},
        {"bwd_payload_bytes", 1500},
        {"active_mean", 0.5},
        {"idle_mean", 6},
        {"idle_max", 6},
        {"idle_std", 0},
        {"fwd_payload_entropy", 1},
        {"bwd_payload_entropy", 2},
        {"retransmissions", 0},
        {"tcp_progress", 5},
        {"midstream", 0},
        {"fwd_syn_ack", 0},
        {"responder_external", 1},
        {"initiator_external", 0},
        {"responder_multicast", 0},
        {"is_encrypted", 0},
        {"is_dns", 0},
        {"is_web", 0},
        {"is_login_service", 1},
        {"is_remote_login", 0},
        {"is_windows_service", 1},
        {"dns_queries", 4},
        {"dns_name_length_mean", 25},
        {"dns_name_length_max", 40},
        {"dns_label_max", 30},
        {"dns_name_entropy_mean", 3},
        {"dns_nxdomain_share", 0.5},
        {"dns_bulk_share", 0.25},
        {"dns_answer_bytes_mean", 150},
        {"http_requests", 7},
        {"http_error_share", 0.4},
        {"http_uri_suspicious", 9},
        {"login_attempts", 3},
        {"login_failures", 2},
        {"smb_file_changes", 11},
        {"smb_admin_share", 1},
        {"remote_control", 6},
        {"tls_no_name", 1},
        {"rpc_executions", 12},
        {"rpc_replications", 13},
        {"rpc_abuses", 14},
        {"rpc_enumerations", 15},
        {"rpc_channels", 16},
        {"smb_oddities", 17},
        {"http_posts", 18},
        {"http_agent_length", 19},
        {"http_least_headers", 20},
        {"http_programs", 21},
        {"http_injections", 22},
        {"http_host_address", 1},
        {"http_odd_port", 0},  // not HTTP
        {"icmp_odd", 1},
        {"src_flows", 3},
        {"src_new_dsts", linear(3, 256)},
        {"src_new_ports", linear(3, 256)},
        {"src_syn_unanswered", 0},
        {"src_refused", 0.5},
        {"src_probes", 1},
        {"src_icmp_flows", 1},
        {"src_dsts_60s", linear(6, 256)},
        {"src_ports_60s", linear(8, 256)},
        {"src_ports_per_dst_60s", linear(8, 256) / linear(6, 256)},
        {"src_dsts_per_port_60s", linear(6, 256) / linear(8, 256)},
        {"src_flows_60s", 8},
        {"src_failed_60s", 7.0 / 8},
        {"src_external_dsts_30s", linear(2, 256)},
        {"src_short_flows_60s", 2},
        {"src_silent_flows_60s", 1},
        {"src_smb_dsts_60s", linear(2, 64)},
        {"src_rdp_dsts_60s", linear(1, 64)},
        {"src_ssh_dsts_60s", linear(1, 64)},
        {"src_telnet_dsts_60s", linear(1, 64)},
        {"src_lookups_60s", 4},
        {"src_names_60s", linear(2, 128)},
        {"src_lookups_failed_60s", 0.25},
        {"src_name_entropy_60s", 3},
        {"src_name_length_60s", 20},
        {"src_credentials_60s", 5},
        {"src_rejected_60s", 3},
        {"src_file_changes_60s", 6},
        {"src_bytes_out_60s", 4000},
        {"src_upload_ratio_60s", 4},
        {"oddity_weight", 3},
        {"src_oddity_weight_10m", 4},
        {"dst_srcs", linear(3, 256)},
        {"dst_flows", 7},
        {"dst_unanswered", 3.0 / 7},
        {"dst_incomplete", 0.5},
        {"dst_packets_s", 6},
        {"dst_bytes_s", 300},
        {"dst_reply_ratio", 0.5},
        {"dst_flows_per_src", 7 / linear(3, 256)},
        {"dst_busy_port", 1},
        {"dst_rejections_60s", 2},
        {"pair_contacts", 4},
        {"pair_recent_contacts", fade(45) + fade(35) + fade(25) + fade(13)},
        {"pair_recent_short", fade(12)},
        {"pair_recent_long", fade(11)},
        {"pair_bytes_out_mean", 150},
        {"pair_bytes_in_mean", 50},
        {"pair_recent_rejected", fade(11)},
        {"pair_recent_mute", fade(11)},
        {"pair_mute_share", fade(11) / (fade(12) + fade(11))},
        {"pair_interval_median", 10},
        {"pair_interval_spread", 0},
        {"beacon", 3.0 / 8},
        {"pair_age", 45},
        {"directory_probes", 23},
        {"directory_sweeps", 24},
        {"kerberos_downgrade", 1},
        {"dns_oversized", 25},
        {"smb_by_address", 1},
        {"discovery_kinds", 2},
        {"src_weak_tickets_60s", 7},
        {"src_weak_logins_60s", 2},
        {"src_listed_dsts_60s", linear(2, 64)},
    };
    return table;
}

}  // namespace

TEST_CASE("every feature of a hand-made flow has the value worked out by hand") {
    const flow f = hand_made_flow();
    const host_window initiator = initiator_window(), responder = responder_window();
    const pair_history pair = pair_of_contacts();
    const feature_vector v = extract(f, {&initiator, &responder, &pair, now, false, true});
    const auto& expected = expected_by_hand();
    for (std::size_t i = 0; i < feature_count; ++i) {
        const std::string name{features[i].name};
        CAPTURE(name);
        const auto row = expected.find(features[i].name);
        if (row == expected.end()) {
            FAIL_CHECK("no value by hand for this feature");
            continue;
        }
        CHECK(v[i] == doctest::Approx(row->second).epsilon(2e-5));
    }
    CHECK(expected.size() == feature_count);
}

TEST_CASE("without windows and pair their features are 0") {
    const feature_vector v = extract(hand_made_flow(), {.now_ns = now});
    for (std::size_t i = 0; i < feature_count; ++i) {
        if (features[i].level != feature_level::flow) CHECK(v[i] == 0);
    }
}

TEST_CASE("the kind of service goes by payload, then by port") {
    using namespace mldefender::literals;
    const auto flags = [](app_protocol by_payload, std::uint16_t port) {
        single_flow s;
        s << segment(tuple_of(ip_protocol::tcp, 40000, port), 0, syn);
        s.f.app.protocol = by_payload;
        const feature_vector v = extract(s.f, {});
        return std::array{v["is_encrypted"_feature], v["is_web"_feature], v["is_login_service"_feature],
                          v["is_windows_service"_feature], v["is_dns"_feature]};
    };
    CHECK(flags(app_protocol::tls, 8443) == std::array{1.0F, 1.0F, 0.0F, 0.0F, 0.0F});
    CHECK(flags(app_protocol::ssh, 2200) == std::array{1.0F, 0.0F, 1.0F, 0.0F, 0.0F});
    CHECK(flags(app_protocol::unknown, 22) == std::array{1.0F, 0.0F, 1.0F, 0.0F, 0.0F});
    CHECK(flags(app_protocol::unknown, 445) == std::array{0.0F, 0.0F, 1.0F, 1.0F, 0.0F});
    CHECK(flags(app_protocol::unknown, 5985)[3] == 1.0F);
    CHECK(flags(app_protocol::dns, 99)[4] == 1.0F);
    CHECK(flags(app_protocol::unknown, 40123) == std::array{0.0F, 0.0F, 0.0F, 0.0F, 0.0F});
}

TEST_CASE("old encryption asked for counts only where better is in use") {
    using namespace mldefender::literals;
    const auto downgrade = [](std::uint8_t signs) {
        single_flow s;
        s << segment(there, 0, syn);
        s.f.app.kerberos = signs;
        return extract(s.f, {})["kerberos_downgrade"_feature];
    };
    CHECK(downgrade(0) == 0);
    CHECK(downgrade(kerberos_sign::weak_asked) == 0);
    CHECK(downgrade(kerberos_sign::aes_used) == 0);
    CHECK(downgrade(kerberos_sign::weak_asked | kerberos_sign::aes_used) == 1);
}

TEST_CASE("midstream, answers nobody asked for, multicast") {
    using namespace mldefender::literals;
    single_flow s;
    s << segment(there, 0, syn | ack);
    CHECK(extract(s.f, {})["fwd_syn_ack"_feature] == 1);
    single_flow m;
    m << segment(tuple_of(ip_protocol::tcp, 1, 2, client, address::v4(224, 0, 0, 251)), 0, ack);
    CHECK(extract(m.f, {})["midstream"_feature] == 1);
    CHECK(extract(m.f, {})["responder_multicast"_feature] == 1);
}

namespace {

constexpr bool all_in_range(const feature_vector& v) {
    for (std::size_t i = 0; i < feature_count; ++i) {
        // Not (a or b), so that NaN fails.
        if (!(v[i] >= features[i].lowest && v[i] <= features[i].highest)) return false;
    }
    return true;
}

// A flow, windows and a pair that no capture would give: jumping clocks, huge counts, any bytes.
constexpr feature_vector features_of_garbage(std::uint64_t seed, bool extremes) {
    dice random{seed};
    const auto moment = [&] {
        return extremes ? random.between(-2'000'000'000, 4'000'000'000) * second : random.between(0, 200) * second;
    };
    const auto big = [&] { return static_cast<std::uint32_t>(extremes ? random.next() : random.below(100)); };
    const five_tuple t{address{random.next(), random.next()}, address::v4(static_cast<std::uint32_t>(random.next())),
                       static_cast<std::uint16_t>(random.next()), static_cast<std::uint16_t>(random.next()),
                       random.below(2) == 0 ? ip_protocol::tcp : static_cast<ip_protocol>(random.below(256))};
    single_flow s;
    const std::uint64_t packets = 1 + random.below(20);
    for (std::uint64_t i = 0; i < packets; ++i) {
        // Drawn one by one: the order in which arguments are evaluated is the compiler's choice.
        const five_tuple way = random.below(2) == 0 ? t : t.reversed();
        const std::int64_t at = moment();
        const auto flags = static_cast<std::uint8_t>(random.next());
        const auto payload = static_cast<std::uint32_t>(random.below(65536));
        packet p = segment(way, at, flags, payload, static_cast<std::uint32_t>(random.next()));
        p.ip_len = static_cast<std::uint32_t>(random.below(65536));
        p.header_len = static_cast<std::uint16_t>(random.next());
        s << p;
    }
    app_traffic& a = s.f.app;
    a.protocol = static_cast<app_protocol>(random.below(static_cast<std::uint64_t>(app_protocol::count_)));
    a.dns_queries = big(), a.dns_bulk = big(), a.dns_answers = big(), a.dns_failures = big();
    a.http_requests = big(), a.http_answers = big(), a.http_errors = big(), a.attempts = big(), a.failures = big();
    a.dns_name_sum = static_cast<float>(big()), a.dns_entropy_sum = static_cast<float>(big());
    a.dns_answer_bytes = static_cast<float>(big());
    a.dns_label_max = static_cast<std::uint8_t>(random.next());
    a.dns_name_max = static_cast<std::uint16_t>(random.next());
    host_window initiator, responder;
    pair_history pair;
    for (int i = 0; i < 60; ++i) {
        observation o;
        o.timestamp_ns = moment();
        o.tuple = t;
        o.tuple.destination_port = static_cast<std::uint16_t>(random.next());
        o.kind = static_cast<observation_kind>(random.below(11));
        o.forward_packets = big(), o.backward_packets = big();
        o.forward_bytes = static_cast<float>(big()), o.backward_bytes = static_cast<float>(big());
        o.name_entropy = static_cast<float>(big()), o.name_length = static_cast<float>(big());
        note_initiator(initiator, o);
        note_responder(responder, o);
        note_pair(pair, o);
    }
    const std::int64_t decided = moment();
    return extract(s.f, {&initiator, &responder, &pair, decided, random.below(2) == 0, random.below(2) == 0});
}

static_assert(all_in_range(features_of_garbage(5, true)));

}  // namespace

TEST_CASE("whatever comes in, every feature is finite and within its range") {
    for (std::uint64_t seed = 0; seed < 3000; ++seed) {
        CAPTURE(seed);
        REQUIRE(all_in_range(features_of_garbage(seed, false)));
        REQUIRE(all_in_range(features_of_garbage(seed, true)));
    }
}

TEST_CASE("while compiling and while running the same numbers come out") {
    static constexpr feature_vector compiled = features_of_garbage(11, false);
    const feature_vector ran = features_of_garbage(11, false);
    for (std::size_t i = 0; i < feature_count; ++i) CHECK(ran[i] == doctest::Approx(compiled[i]).epsilon(1e-6));
}

TEST_CASE("values out of range and NaN are brought back") {
    feature_vector v;
    v.fill(std::numeric_limits<float>::quiet_NaN());
    detail::keep_in_range(v);
    CHECK(all_in_range(v));
    v.fill(std::numeric_limits<float>::infinity());
    detail::keep_in_range(v);
    for (std::size_t i = 0; i < feature_count; ++i) CHECK(v[i] == features[i].highest);
    v.fill(-std::numeric_limits<float>::infinity());
    detail::keep_in_range(v);
    for (std::size_t i = 0; i < feature_count; ++i) CHECK(v[i] == features[i].lowest);
}

TEST_CASE("ordinary values stay as they are") {
    feature_vector v;
    for (std::size_t i = 0; i < feature_count; ++i) v[i] = (features[i].lowest + features[i].highest) / 2;
    const feature_vector before = v;
    detail::keep_in_range(v);
    CHECK(v == before);
}
