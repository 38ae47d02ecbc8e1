// SPDX-License-Identifier: MIT
// What the messages of one flow add up to: the protocol once recognised, and the few counts features need. Payloads
// are read one by one and never joined, so a message split over segments counts by its first part.
// Called by the flow table for each packet with payload; what a host window should hear comes back as `app_news`.
#pragma once

#include <algorithm>
#include <cstdint>

#include <mldefender/core/app/content.hpp>
#include <mldefender/core/app/message.hpp>
#include <mldefender/core/app/oddity.hpp>
#include <mldefender/core/app/read.hpp>
#include <mldefender/core/app/recognise.hpp>
#include <mldefender/core/app/rpc_effect.hpp>
#include <mldefender/core/packet.hpp>

namespace mldefender {
inline namespace v0 {

/// Payloads looked at before a flow's protocol is left to its port, and in protocols that encrypt after a greeting.
inline constexpr std::uint8_t recognition_attempts = 4;

/// What one payload tells the windows of its hosts.
struct app_news {
    bool lookup = false;            ///< a DNS question was asked
    bool lookup_failed = false;     ///< a DNS answer carried an error
    std::uint8_t attempts = 0;      ///< credentials presented
    std::uint8_t failures = 0;      ///< credentials refused
    std::uint8_t file_changes = 0;  ///< files written, renamed, deleted
    bool weak_ticket = false;       ///< a ticket with RC4 was given where AES is in use
    bool weak_login = false;        ///< a log-in with RC4 by a client that prefers AES
    bool listing = false;           ///< shares, accounts, sessions or endpoints were asked for
    float name_entropy = 0;         ///< of a lookup, bits per character
    float name_length = 0;          ///< of a lookup, characters
    std::uint64_t name_hash = 0;    ///< of a lookup's whole name
    std::uint32_t oddities = 0;     ///< signs of this payload, bit_of(oddity)

    /// True when there is something to tell the windows.
    [[nodiscard]] constexpr bool any() const noexcept {
        return lookup || lookup_failed || attempts != 0 || failures != 0 || file_changes != 0 || weak_ticket ||
               weak_login || listing || oddities != 0;
    }
};

/// What a client learns of a server without an account that matters: bits of `app_traffic::discovery`.
namespace discovery_kind {
inline constexpr std::uint8_t shares = 1;       ///< the list of shares
inline constexpr std::uint8_t server = 2;       ///< the server's version and role
inline constexpr std::uint8_t workstation = 4;  ///< the workstation's version and domain
}  // namespace discovery_kind

/// What a flow's Kerberos messages have in common: bits of `app_traffic::kerberos`.
namespace kerberos_sign {
inline constexpr std::uint8_t weak_asked = 1;  ///< the client prefers RC4 or DES
inline constexpr std::uint8_t aes_used = 2;    ///< a ticket or an answer is encrypted with AES: the domain has it
}  // namespace kerberos_sign

/// The application side of a flow so far.
struct app_traffic {
    app_protocol protocol = app_protocol::unknown;     ///< recognised so far
    bool by_payload = false;                           ///< recognised by content rather than by port
    std::uint8_t payloads_tried = 0;                   ///< at most `recognition_attempts`
    bool tls_no_name = false;                          ///< a complete client hello came without server name
    bool admin_share = false;                          ///< an SMB tree ADMIN$ or a drive (C$) was asked for
    bool http_host_address = false;                    ///< a request named its server by address
    rpc_interface rpc_bound = rpc_interface::none;     ///< interface of the last bind, or of the last pipe opened
    bool icmp_odd = false;                             ///< an ICMP request tools send and stacks do not
    std::uint8_t http_injections = 0;                  ///< attempts to have data executed, at most 255
    std::uint8_t http_agent_length = 0;                ///< characters of the first User-Agent, at most 255
    std::uint8_t http_least_headers = 0;               ///< fewest header lines of a request
    std::uint8_t dns_label_max = 0;                    ///< longest label asked for, characters
    std::uint8_t uri_suspicious = 0;                   ///< highest count of injection marks in one request, 0..255
    std::uint8_t spoke = 0;                            ///< bit 0: the initiator sent payload, bit 1: the responder
    std::uint8_t http_marks = 0;                       ///< http_mark bits of the last request
    content_class body_content = content_class::none;  ///< what that body is said to be
    std::uint16_t dns_name_max = 0;                    ///< longest name asked for, characters
    std::uint32_t dns_queries = 0;                     ///< questions
    std::uint32_t dns_bulk = 0;                        ///< questions of types that carry bulk data
    std::uint32_t dns_answers = 0;                     ///< answers of any kind
    std::uint32_t dns_failures = 0;                    ///< answers with an error
    std::uint32_t http_requests = 0;                   ///< requests in clear
    std::uint32_t http_answers = 0;                    ///< answers in clear
    std::uint32_t http_errors = 0;                     ///< answers with a status of 400 or more
    std::uint32_t attempts = 0;                        ///< credentials presented
    std::uint32_t failures = 0;                        ///< credentials refused
    std::uint32_t file_changes = 0;                    ///< files written, renamed, deleted
    std::uint32_t remote_control = 0;                  ///< calls that start services, tasks or programs elsewhere
    std::uint32_t rpc_seen = 0;                        ///< interfaces bound so far, mask_of(rpc_interface)
    std::uint16_t rpc_executions = 0;                  ///< calls that start something on the responder
    std::uint16_t rpc_replications = 0;                ///< calls that copy or change the directory
    std::uint16_t rpc_abuses = 0;                      ///< calls hardly any program makes (rpc_effect::abuse)
    std::uint16_t rpc_enumerations = 0;                ///< calls that list accounts, sessions or endpoints
    std::uint16_t rpc_channels = 0;                    ///< machine log-ins at a controller
    std::uint16_t smb_oddities = 0;                    ///< SMB requests no ordinary client makes, see read_smb
    std::uint16_t http_posts = 0;                      ///< POST requests in clear
    std::uint16_t http_programs = 0;                   ///< answers in clear whose content starts as a program does
    float dns_name_sum = 0;                            ///< of all names asked for, characters
    float dns_entropy_sum = 0;                         ///< of all names asked for, bits per character
    float dns_answer_bytes = 0;                        ///< of all answers, bytes
    std::uint32_t oddities = 0;                        ///< signs so far, bit_of(oddity)
    std::uint32_t body_seq = 0;        ///< where an answer's body begins when it is still to come, else 0
    std::uint32_t rpc_operations = 0;  ///< operation_bit() of all calls since the last bind
    std::uint8_t discovery = 0;        ///< discovery_kind bits
    std::uint8_t kerberos = 0;         ///< kerberos_sign bits
    std::uint8_t ldap_probes = 0;      ///< searches for accounts worth attacking, at most 255
    std::uint8_t ldap_sweeps = 0;      ///< searches for everything there is, at most 255
    std::uint8_t dns_oversized = 0;    ///< answers near the limit of TCP's framing, at most 255
    bool smb_by_address = false;       ///< a share was asked for at a server written as an address
};

namespace detail {

// RFC 1035 and IANA: NULL 10, TXT 16, KEY 25, ANY 255 and the private range carry what tunnels want to carry.
[[nodiscard]] constexpr bool carries_bulk(std::uint16_t qtype) noexcept {
    return qtype == 10 || qtype == 16 || qtype == 25 || qtype == 255 || qtype >= 0xff00;
}

[[nodiscard]] constexpr std::uint8_t at_most_255(std::uint32_t n) noexcept {
    return static_cast<std::uint8_t>(std::min<std::uint32_t>(n, 255));
}

/// Counts that stop at their type's end instead of starting again.
template <class Counter>
constexpr void count_up(Counter& counter) noexcept {
    counter = static_cast<Counter>(counter + (counter < static_cast<Counter>(~Counter{})));
}

/// An answer that leaves no room for anything more. Zones are handed over in messages of any size (RFC 5936, RFC 1995).
[[nodiscard]] constexpr bool is_oversized(const app_message& m, const dns_details& d) noexcept {
    constexpr std::uint16_t ixfr = 251, axfr = 252;
    return m.is_response && d.stream_len >= 60000 && d.qtype != ixfr && d.qtype != axfr && d.questions != 0;
}

constexpr void read_dns(app_traffic& t, const app_message& m, const dns_details& d, std::uint32_t payload_len,
                        app_news& news) noexcept {
    if (is_oversized(m, d)) count_up(t.dns_oversized);
    if (m.is_response) {
        ++t.dns_answers;
        t.dns_answer_bytes += static_cast<float>(payload_len);
        if (m.code != 0) {
            ++t.dns_failures;
            news.lookup_failed = true;
        }
        return;
    }
    ++t.dns_queries;
    t.dns_bulk += carries_bulk(d.qtype);
    t.dns_name_max = std::max(t.dns_name_max, d.name_len);
    t.dns_label_max = std::max(t.dns_label_max, d.longest_label);
    t.dns_name_sum += static_cast<float>(d.name_len);
    t.dns_entropy_sum += static_cast<float>(d.entropy_millibits) / 1000.0F;
    news.lookup = true;
    news.name_entropy = static_cast<float>(d.entropy_millibits) / 1000.0F;
    news.name_length = static_cast<float>(d.name_len);
    news.name_hash = d.name_hash;
}

/// True when the body of an answer begins with the mark of a Windows or Unix program.
[[nodiscard]] constexpr bool carries_program(bytes payload) noexcept {
    const std::size_t end = app::find_text(payload, "\r\n\r\n");
    if (end + 8 > payload.size()) return false;
    const bytes body = payload.subspan(end + 4);
    return (body[0] == 'M' && body[1] == 'Z') ||
           (body[0] == 0x7f && body[1] == 'E' && body[2] == 'L' && body[3] == 'F');
}

/// Whose name a request gives, and what it leaves out. Browsers tell their language with every request and, but for
/// the first page, where they come from; what they take first is a page, a style or an image, never anything.
[[nodiscard]] constexpr std::uint32_t oddities_of_request(const app_message& m, const http_details& d) noexcept {
    if (m.has(app_fact::cut_short)) return 0;
    const auto has = [&](std::uint8_t mark) noexcept { return (d.marks & mark) != 0; };
    const bool alone = !has(http_mark::from_page) && !has(http_mark::cookie);
    const bool post = d.method == request_method::post;
    std::uint32_t found = 0;
    const bool hasty = d.method == request_method::get && has(http_mark::anything);
    if (has(http_mark::browser) && alone && (!has(http_mark::language) || hasty)) {
        // Services that speak XML or JSON were told a browser's name by those who made their libraries.
        const bool service =
            d.content == content_class::json || d.content == content_class::xml || d.content == content_class::other;
        found |= bit_of(oddity::posed_request) | (post && !service ? bit_of(oddity::posed_post) : 0U);
    }
    if (d.agent_len == 0) found |= bit_of(oddity::nameless_request);
    if (post && alone && d.content == content_class::form) found |= bit_of(oddity::unasked_form);
    if (m.has(app_fact::host_is_address)) found |= bit_of(oddity::host_address);
    if (d.host_switches >= 4) found |= bit_of(oddity::random_name);
    if (has(http_mark::share)) found |= bit_of(oddity::foreign_share);
    return found;
}

/// What an answer's body is against what was said about it.
[[nodiscard]] constexpr std::uint32_t oddities_of_body(const app_traffic& t, content_class said, bytes body) noexcept {
    const bool led = (t.http_marks & (http_mark::from_page | http_mark::cookie)) != 0;
    const bool text = said == content_class::text || said == content_class::json || said == content_class::xml;
    switch (app::kind_of_body(body)) {
        case body_kind::address: return bit_of(oddity::own_address);
        case body_kind::program:
        case body_kind::package:
            return (led ? 0U : bit_of(oddity::package)) |
                   (text || said == content_class::image ? bit_of(oddity::disguised) : 0U);
        case body_kind::structured: return text ? bit_of(oddity::disguised) : 0U;
        case body_kind::unreadable:
            return text || said == content_class::image ? bit_of(oddity::disguised) : bit_of(oddity::unreadable);
        default: return 0;
    }
}

[[nodiscard]] constexpr std::uint32_t oddities_of_answer(app_traffic& t, const app_message& m, const http_details& d,
                                                         const packet& p) noexcept {
    constexpr std::uint32_t shy =
        bit_of(oddity::posed_request) | bit_of(oddity::nameless_request) | bit_of(oddity::foreign_share);
    t.body_seq = 0;
    const bool missing = m.code == 403 || m.code == 404 || m.code == 410;
    if (missing && (t.oddities & shy) != 0)
        return bit_of(oddity::not_there) | (t.http_posts > 0 ? bit_of(oddity::lost_post) : 0U);
    if (m.code != 200 || m.has(app_fact::cut_short) || (d.marks & http_mark::encoded) != 0) return 0;
    if ((d.marks & http_mark::body_cut) != 0) {
        t.body_seq = p.tcp_seq + p.payload_len;
        t.body_content = d.content;
        return 0;
    }
    const std::size_t head = app::find_text(p.payload, "\r\n\r\n");
    return oddities_of_body(t, d.content, app::skip_chunk_size(app::slice(p.payload, head + 4)));
}

constexpr void read_http_request(app_traffic& t, const app_message& m, const http_details& d) noexcept {
    t.http_marks = d.marks;
    if (!m.has(app_fact::cut_short)) {
        // 0 while no whole head was seen; one without any header counts as one with its first.
        const std::uint8_t lines = std::max<std::uint8_t>(d.headers, 1);
        t.http_least_headers = t.http_least_headers == 0 ? lines : std::min(t.http_least_headers, lines);
        if (t.http_agent_length == 0) t.http_agent_length = at_most_255(d.agent_len);
    }
    t.http_injections = at_most_255(std::uint32_t{t.http_injections} + d.injections);
    t.http_host_address = t.http_host_address || m.has(app_fact::host_is_address);
    if (d.method == request_method::post) count_up(t.http_posts);
}

constexpr void read_http(app_traffic& t, const app_message& m, const http_details& d, const packet& p,
                         app_news& news) noexcept {
    if (m.is_response) {
        ++t.http_answers;
        t.http_errors += m.code >= 400;
        // Updaters of systems and browsers fetch in pieces (Range, RFC 9110), so that they can go on after a break.
        constexpr std::uint16_t partial_content = 206;
        if (m.code != partial_content && carries_program(p.payload)) count_up(t.http_programs);
        if (t.protocol == app_protocol::http) news.oddities |= oddities_of_answer(t, m, d, p);
        return;
    }
    ++t.http_requests;
    // SSDP and SIP look alike but have conventions of their own.
    if (t.protocol != app_protocol::http) return;
    read_http_request(t, m, d);
    news.oddities |= oddities_of_request(m, d);
    // A path traversal or a template marker is worth several quotes: one of them is already odd.
    const std::uint32_t marks = std::uint32_t{d.quotes} + d.brackets + d.separators + d.body_marks + 4U * d.traversals +
                                (m.has(app_fact::template_marker) ? 8U : 0U);
    t.uri_suspicious = std::max(t.uri_suspicious, at_most_255(marks));
}

/// What neither a client nor a server in good order says ([MS-CIFS], [MS-SMB]): a transaction that announces more than
/// its 16-bit counters allow, a request the server has never implemented or has no resources for.
[[nodiscard]] constexpr bool is_odd(const app_message& m, const smb_details& d) noexcept {
    constexpr std::uint32_t not_implemented = 0xc0000002, insufficient_resources = 0xc0000205;
    if (d.version != 1) return false;
    return m.is_response ? m.code == not_implemented || m.code == insufficient_resources : d.total_data > 0xffff;
}

constexpr void read_smb(app_traffic& t, const app_message& m, const smb_details& d) noexcept {
    if (is_odd(m, d)) count_up(t.smb_oddities);
    t.smb_by_address = t.smb_by_address || m.has(app_fact::host_is_address);
    for (unsigned i = 1; i < static_cast<unsigned>(rpc_interface::count_); ++i) {
        if (((d.pipes >> i) & 1U) != 0) t.rpc_bound = static_cast<rpc_interface>(i);
    }
}

/// Calls that tell about a server, by interface and number; alone each is ordinary.
[[nodiscard]] constexpr std::uint8_t discovered_by(rpc_interface interface_, std::uint16_t operation) noexcept {
    switch (interface_) {
        // [MS-SRVS]: ShareEnum, ShareEnumSticky, ServerGetInfo; [MS-WKST]: WkstaGetInfo.
        case rpc_interface::srvsvc:
            if (operation == 15 || operation == 36) return discovery_kind::shares;
            return operation == 21 ? discovery_kind::server : std::uint8_t{0};
        case rpc_interface::wkssvc: return operation == 0 ? discovery_kind::workstation : std::uint8_t{0};
        default: return 0;
    }
}

/// What the call is for, with what only the connection knows: how it began, through what it goes, how long it is.
[[nodiscard]] constexpr rpc_effect effect_of(const app_traffic& t, const rpc_details& d) noexcept {
    const bool piped = t.protocol == app_protocol::smb;
    if (t.rpc_bound == rpc_interface::none && t.rpc_seen == 0) {
        return effect_midway(d.opnum, t.rpc_operations, d.object, piped);
    }
    // Every client has a port for asking where an interface is; file sharing is the way round it.
    if (t.rpc_bound == rpc_interface::epm && piped && d.opnum == 3) return rpc_effect::enumeration;
    // [MS-LSAT]: LookupSids 1 to 3 with a hundred identifiers and more tries out the numbers of accounts.
    const bool lookup = d.opnum == 15 || d.opnum == 57 || d.opnum == 76;
    if (t.rpc_bound == rpc_interface::lsarpc && lookup && d.fragment_len >= 4000) return rpc_effect::enumeration;
    return mldefender::effect_of(t.rpc_bound, d.opnum, t.rpc_seen, t.rpc_operations);
}

constexpr void read_rpc(app_traffic& t, const rpc_details& d, app_news& news) noexcept {
    constexpr std::uint8_t request = 0, bind = 11, alter_context = 14;
    if (d.ptype == bind || d.ptype == alter_context) {
        // Some clients hide the interface among many invented ones; the pipe it goes through still tells.
        const bool known = d.interface_ != rpc_interface::none && d.interface_ != rpc_interface::other;
        if (known || t.protocol != app_protocol::smb) t.rpc_bound = d.interface_;
        t.rpc_seen |= mask_of(t.rpc_bound);
        t.rpc_operations = 0;
        // Clients offer one or two interfaces in two encodings; a dozen invented ones hide the one that is meant.
        if (d.contexts >= 8) count_up(t.rpc_abuses);
    }
    if (d.ptype != request) return;
    const std::uint8_t told = discovered_by(t.rpc_bound, d.opnum);
    t.discovery = static_cast<std::uint8_t>(t.discovery | told);
    news.listing = news.listing || told == discovery_kind::shares;
    const rpc_effect effect = effect_of(t, d);
    t.rpc_operations |= operation_bit(d.opnum);
    switch (effect) {
        case rpc_effect::execution: count_up(t.rpc_executions); break;
        case rpc_effect::replication: count_up(t.rpc_replications); break;
        case rpc_effect::abuse: count_up(t.rpc_abuses); break;
        case rpc_effect::enumeration:
            count_up(t.rpc_enumerations);
            news.listing = true;
            break;
        case rpc_effect::channel:
            count_up(t.rpc_channels);
            // One log-in is a machine that starts; as many on one connection are an attempt to get in without a key.
            if (t.rpc_channels >= 10) count_up(t.rpc_abuses);
            ++t.attempts;
            ++news.attempts;
            break;
        case rpc_effect::none: break;
    }
}

constexpr void read_kerberos(app_traffic& t, const kerberos_details& d, app_news& news) noexcept {
    constexpr std::uint8_t ticket_reply = 13;
    const unsigned signs = (d.weak_first ? kerberos_sign::weak_asked : 0U) | (d.aes ? kerberos_sign::aes_used : 0U);
    t.kerberos = static_cast<std::uint8_t>(t.kerberos | signs);
    const bool weak = d.first_etype == 23 || d.first_etype == 24;
    news.weak_login = d.weak_login;
    news.weak_ticket = d.type == ticket_reply && weak && (t.kerberos & kerberos_sign::aes_used) != 0;
}

constexpr void read_ldap(app_traffic& t, const ldap_details& d) noexcept {
    if (d.probes) count_up(t.ldap_probes);
    if (d.everything) count_up(t.ldap_sweeps);
}

constexpr void read_facts(app_traffic& t, const app_message& m, app_news& news) noexcept {
    const text_details* text = m.text();
    const std::uint32_t attempts = text != nullptr ? text->attempts : m.has(app_fact::auth_attempt);
    const std::uint32_t failures = text != nullptr ? text->failures : m.has(app_fact::auth_failure);
    const smb_details* smb = m.smb();
    std::uint32_t changes = smb != nullptr ? std::uint32_t{smb->renames} + smb->deletes : 0;
    changes += m.has(app_fact::file_write) && !m.is_response;
    t.attempts += attempts;
    t.failures += failures;
    t.file_changes += changes;
    t.admin_share = t.admin_share || m.has(app_fact::admin_share);
    t.tls_no_name = t.tls_no_name || m.has(app_fact::no_sni);
    t.remote_control += m.has(app_fact::remote_execution);
    news.attempts = at_most_255(news.attempts + attempts);
    news.failures = at_most_255(failures);
    news.file_changes = at_most_255(changes);
}

/// Ports TLS is usual on; a name or a well-known service decides the others.
[[nodiscard]] constexpr bool is_usual_tls_port(std::uint16_t port) noexcept {
    return port == 443 || port == 8443 || guess_by_port(ip_protocol::tcp, 0, port) == app_protocol::tls ||
           (port >= 5222 && port <= 5230) || port == 5061;
}

[[nodiscard]] constexpr std::uint32_t oddities_of_tls(const app_message& m, const tls_details& d,
                                                      const packet& p) noexcept {
    constexpr std::uint8_t client_hello = 1;
    std::uint32_t found = m.has(app_fact::self_signed) ? bit_of(oddity::tls_self_signed) : 0U;
    if (d.handshake != client_hello || m.is_response) return found;
    if (m.has(app_fact::no_sni)) found |= bit_of(oddity::tls_nameless);
    if (d.hello_version != 0 && d.hello_version <= 0x0301) found |= bit_of(oddity::tls_obsolete);
    if (!is_usual_tls_port(p.tuple.destination_port)) found |= bit_of(oddity::odd_port);
    return found;
}

[[nodiscard]] constexpr std::uint32_t oddities_of_lines(app_protocol protocol, const text_details& d,
                                                        bool forward) noexcept {
    if (!forward) return 0;
    if (protocol == app_protocol::irc) return bit_of(oddity::chat);
    if (protocol == app_protocol::smtp && d.verb == text_verb::mail_from) return bit_of(oddity::mail_out);
    if (protocol == app_protocol::ftp && d.verb == text_verb::store) return bit_of(oddity::file_out);
    return 0;
}

/// What a command line says first, and what it answers when asked who is there.
[[nodiscard]] constexpr bool is_shell(bytes payload) noexcept {
    const bytes head = app::slice(payload, 0, 256);
    if (app::contains(head, "Microsoft Windows [Version ")) return true;
    const std::size_t user = app::find_text(head, "uid=");
    return user < head.size() && app::contains(head.subspan(user), " gid=") && app::contains(head.subspan(user), ")");
}

/// A Windows program, at the start or behind its length as loaders send it: the mark, and the sentence every linker
/// writes into the stub.
[[nodiscard]] constexpr bool is_raw_program(bytes payload) noexcept {
    const auto marked = [&](std::size_t at) noexcept {
        return payload.size() > at + 64 && payload[at] == 'M' && payload[at + 1] == 'Z';
    };
    return (marked(0) || marked(4)) && app::contains(app::slice(payload, 0, 512), "This program ");
}

/// JSON of a miner and its pool ("stratum").
[[nodiscard]] constexpr bool is_mining(bytes payload) noexcept {
    const bytes head = app::slice(payload, 0, 256);
    return !head.empty() && head[0] == '{' &&
           (app::contains(head, "\"mining.") || app::contains(head, "\"eth_submit") ||
            (app::contains(head, "\"method\":\"login\"") && app::contains(head, "\"agent\"")));
}

/// What stands out in a connection whose protocol nobody knows.
[[nodiscard]] constexpr std::uint32_t oddities_of_stream(app_traffic& t, const packet& p, bool forward) noexcept {
    t.spoke = static_cast<std::uint8_t>(t.spoke | (forward ? 1U : 2U));
    if (p.tuple.protocol != ip_protocol::tcp || t.by_payload) return 0;
    if (is_raw_program(p.payload)) return bit_of(oddity::raw_program);
    if (is_shell(p.payload)) return bit_of(oddity::raw_shell);
    if (is_mining(p.payload)) return bit_of(oddity::mining);
    const std::uint16_t port = forward ? p.tuple.destination_port : p.tuple.source_port;
    const bool unknown = t.protocol == app_protocol::unknown && port >= 1024;
    return unknown && t.spoke == 3 ? bit_of(oddity::own_protocol) : 0U;
}

constexpr void recognise_protocol(app_traffic& t, const packet& p) noexcept {
    ++t.payloads_tried;
    if (t.by_payload) return;
    const app_protocol found = recognise(p.payload, p.tuple.protocol, p.tuple.source_port, p.tuple.destination_port);
    if (found != app_protocol::unknown) {
        t.protocol = found;
        t.by_payload = true;
    } else if (t.protocol == app_protocol::unknown) {
        t.protocol = guess_by_port(p.tuple.protocol, p.tuple.source_port, p.tuple.destination_port);
    }
}

}  // namespace detail

/// True for protocols in which messages beyond the first ones still tell something.
[[nodiscard]] constexpr bool keeps_talking(app_protocol p) noexcept {
    switch (p) {
        case app_protocol::dns:
        case app_protocol::http:
        case app_protocol::smb:
        case app_protocol::dcerpc:
        case app_protocol::kerberos:
        case app_protocol::ldap:
        case app_protocol::smtp:
        case app_protocol::imap:
        case app_protocol::pop3:
        case app_protocol::ftp:
        case app_protocol::telnet:
        case app_protocol::sip:
        case app_protocol::mysql: return true;
        default: return false;
    }
}

namespace detail {

/// The message in a payload of a known protocol; or the body of an answer whose head came before.
constexpr void read_known_payload(app_traffic& t, const packet& p, bool forward, app_news& news) noexcept {
    const app_message m = read_message(t.protocol, p.payload, forward);
    if (!m) {
        if (t.body_seq != 0 && !forward && p.tcp_seq == t.body_seq) {
            news.oddities |= oddities_of_body(t, t.body_content, app::skip_chunk_size(p.payload));
            t.body_seq = 0;
        }
        return;
    }
    if (const dns_details* dns = m.dns()) read_dns(t, m, *dns, p.payload_len, news);
    if (const http_details* http = m.http()) read_http(t, m, *http, p, news);
    if (const smb_details* smb = m.smb()) read_smb(t, m, *smb);
    if (const rpc_details* rpc = m.rpc()) read_rpc(t, *rpc, news);
    if (const kerberos_details* kerberos = m.kerberos()) read_kerberos(t, *kerberos, news);
    if (const ldap_details* ldap = m.ldap()) read_ldap(t, *ldap);
    if (const tls_details* tls = m.tls()) news.oddities |= oddities_of_tls(m, *tls, p);
    if (const text_details* text = m.text()) news.oddities |= oddities_of_lines(t.protocol, *text, forward);
    read_facts(t, m, news);
}

}  // namespace detail

/// RFC 792, 950: requests that stacks hardly ever send by themselves; tools tell systems apart by the answers.
[[nodiscard]] constexpr bool is_odd_icmp(const packet& p) noexcept {
    if (p.tuple.protocol != ip_protocol::icmp) return false;
    constexpr std::uint8_t echo = 8, time_stamp = 13, information = 15, mask = 17;
    if (p.icmp_type == echo) return p.icmp_code != 0;
    return p.icmp_type == time_stamp || p.icmp_type == information || p.icmp_type == mask;
}

/// Reads the payload of `p`, sent by the initiator when `forward`, into the sums.
constexpr app_news read_payload(app_traffic& t, const packet& p, bool forward) noexcept {
    app_news news;
    t.icmp_odd = t.icmp_odd || is_odd_icmp(p);
    if (p.payload.empty()) return news;
    const bool early = t.payloads_tried < recognition_attempts;
    if (early) detail::recognise_protocol(t, p);
    if (early) news.oddities |= detail::oddities_of_stream(t, p, forward);
    if (t.protocol != app_protocol::unknown && (early || keeps_talking(t.protocol)))
        detail::read_known_payload(t, p, forward, news);
    news.oddities &= ~t.oddities;
    t.oddities |= news.oddities;
    return news;
}

}  // namespace v0
}  // namespace mldefender
