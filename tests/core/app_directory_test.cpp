// SPDX-License-Identifier: MIT
// app/directory.hpp: which encryption Kerberos asks for and gives, also behind the first segment; what an LDAP search
// looks for, also inside a signature; and the everyday requests that resemble both.
#include <doctest/doctest.h>

#include <initializer_list>
#include <string_view>

#include <core/app_samples.hpp>

using namespace mldefender;
using namespace mldefender::test;

namespace {

constexpr app_message read_kdc(bytes payload) { return read_message(app_protocol::kerberos, payload, true); }
constexpr app_message read_directory(bytes payload) { return read_message(app_protocol::ldap, payload, true); }

constexpr frame etype_list(std::initializer_list<int> etypes) {
    frame list;
    for (const int etype : etypes) list.u8(2).u8(1).u8(static_cast<unsigned>(etype) & 0xff);
    return ber(0xa8, ber(0x30, list));
}
constexpr frame encrypted(unsigned etype, std::size_t cipher = 8) {
    return ber(0x30, join(ber(0xa0, ber_int(etype)), ber(0xa2, ber(4, frame{}.zeros(cipher)))));
}
constexpr frame ticket(unsigned etype, std::size_t cipher = 8) {
    return ber(0x61, ber(0x30, join(ber(0xa0, ber_int(5)), ber(0xa3, encrypted(etype, cipher)))));
}
constexpr frame request(unsigned type, const frame& padata, const frame& etypes) {
    frame fields = join(ber(0xa1, ber_int(5)), ber(0xa2, ber_int(type)));
    if (padata.size != 0) fields.add(ber(0xa3, ber(0x30, padata)));
    fields.add(ber(0xa4, ber(0x30, etypes)));
    return ber(0x60 | type, ber(0x30, fields));
}
// PA-TGS-REQ: an AP-REQ around the ticket one has.
constexpr frame with_ticket(unsigned etype, std::size_t cipher = 8) {
    const frame ap = join(join(ber(0xa0, ber_int(5)), ber(0xa1, ber_int(14))), ber(0xa3, ticket(etype, cipher)));
    return ber(0x30, join(ber(0xa1, ber_int(1)), ber(0xa2, ber(4, ber(0x6e, ber(0x30, ap))))));
}
constexpr frame reply(unsigned type, unsigned ticket_etype, unsigned part_etype) {
    const frame head = join(ber(0xa0, ber_int(5)), ber(0xa1, ber_int(type)));
    return ber(0x60 | type,
               ber(0x30, join(head, join(ber(0xa5, ticket(ticket_etype)), ber(0xa6, encrypted(part_etype))))));
}

constexpr frame search(std::string_view base, unsigned scope, const frame& filter) {
    const frame limits = join(join(ber_int(0, 0x0a), ber_int(0)), join(ber_int(0), ber_int(0, 1)));
    return ldap(0x63, join(join(ber_text(4, base), ber_int(scope, 0x0a)), join(limits, filter)));
}
constexpr frame present(std::string_view name) { return ber_text(0x87, name); }
constexpr frame equal(std::string_view name, std::string_view value) {
    return ber(0xa3, join(ber_text(4, name), ber_text(4, value)));
}
constexpr frame bits(std::string_view name, std::string_view value) {
    return ber(0xa9, join(join(ber_text(0x81, "1.2.840.113556.1.4.803"), ber_text(0x82, name)), ber_text(0x83, value)));
}
constexpr frame substring(std::string_view name, std::string_view part) {
    return ber(0xa4, join(ber_text(4, name), ber(0x30, ber_text(0x81, part))));
}
constexpr std::string_view domain = "DC=example,DC=org";

bool probes(const frame& filter, unsigned scope = 2) {
    return read_directory(search(domain, scope, filter)).ldap()->probes;
}
bool everything(const frame& filter, std::string_view base = domain, unsigned scope = 2) {
    return read_directory(search(base, scope, filter)).ldap()->everything;
}

// RFC 4121: a token of 16 bytes with its checksum rotated to the front, the way Windows signs.
frame signed_token(const frame& message) {
    const frame token = frame{}.be16(0x0504).u8(4).u8(0xff).be16(12).be16(12).be64(7).zeros(12).add(message);
    return frame{}.be32(static_cast<std::uint32_t>(token.size)).add(token);
}

static_assert(read_kdc(request(12, with_ticket(18), etype_list({23}))).kerberos()->aes);
static_assert(read_directory(search(domain, 2, present("servicePrincipalName"))).ldap()->probes);

}  // namespace

TEST_CASE("Kerberos: the first type that is one decides whether old encryption is preferred") {
    const auto weak = [](std::initializer_list<int> etypes) {
        return read_kdc(request(10, frame{}, etype_list(etypes))).kerberos()->weak_first;
    };
    CHECK(weak({23}));
    CHECK(weak({0, 0, 23, -128, 24}));
    CHECK(weak({3, 18}));
    CHECK(weak({23, 16, 3, 18}));
    CHECK_FALSE(weak({18, 17, 23, 24, 3}));
    CHECK_FALSE(weak({-128, 17, 23}));
    CHECK_FALSE(weak({0, 18, 23}));
    CHECK_FALSE(weak({16, 23}));
    CHECK_FALSE(weak({}));
}

TEST_CASE("Kerberos: AES is seen in the ticket one has, the ticket one gets, and the KDC's own part") {
    CHECK(read_kdc(request(12, with_ticket(18), etype_list({23}))).kerberos()->aes);
    CHECK_FALSE(read_kdc(request(12, with_ticket(23), etype_list({18}))).kerberos()->aes);
    CHECK(read_kdc(reply(11, 18, 23)).kerberos()->aes);
    CHECK(read_kdc(reply(13, 23, 17)).kerberos()->aes);
    CHECK(read_kdc(reply(13, 23, 17)).kerberos()->first_etype == 23);
    CHECK_FALSE(read_kdc(reply(13, 23, 23)).kerberos()->aes);
    const frame log_in = kdc_request(10, "alice", 18, true);
    CHECK_FALSE(read_kdc(log_in).kerberos()->aes);  // wanted, not seen
    CHECK(read_kdc(log_in).kerberos()->preauthenticated);
}

TEST_CASE("Kerberos: a log-in with RC4 by a client that prefers AES") {
    const auto weak = [](unsigned stamp_etype, std::initializer_list<int> etypes) {
        const frame stamp = ber(0x30, join(ber(0xa1, ber_int(2)), ber(0xa2, ber(4, encrypted(stamp_etype)))));
        const app_message m = read_kdc(request(10, stamp, etype_list(etypes)));
        CHECK(m.kerberos()->preauthenticated);
        return m.kerberos()->weak_login;
    };
    CHECK(weak(23, {18, 17, 23}));
    CHECK_FALSE(weak(18, {18, 17, 23}));
    CHECK_FALSE(weak(23, {23, 24}));  // its own wish
    CHECK_FALSE(read_kdc(request(10, frame{}, etype_list({18, 23}))).kerberos()->weak_login);
}

TEST_CASE("Kerberos: a list of types behind the first segment is found, and nothing that only looks like one") {
    const frame whole = request(12, with_ticket(18, 900), etype_list({23, 24}));
    const bytes all = whole;
    const app_message head = read_kdc(all.first(600));
    REQUIRE(head);
    CHECK(head.kerberos()->aes);
    CHECK(head.kerberos()->etypes == 0);
    const app_message tail = read_kdc(all.subspan(600));
    REQUIRE(tail);
    CHECK(tail.kerberos()->type == 12);
    CHECK(tail.kerberos()->weak_first);
    CHECK(tail.kerberos()->etypes == 2);
    CHECK_FALSE(read_kdc(frame{}.zeros(40).u8(0xa8).u8(5).u8(0x30).u8(3).u8(4).u8(1).u8(23).zeros(8)));
    CHECK_FALSE(read_kdc(frame{}.zeros(40).u8(0xa8).u8(9).u8(0x30).u8(3).u8(2).u8(1).u8(23).zeros(8)));
    CHECK_FALSE(read_kdc(frame{}.zeros(40).u8(0xa8).u8(5).u8(0x30).u8(3).u8(2)));
    CHECK_FALSE(read_kdc(frame{}.zeros(400)));
}

TEST_CASE("LDAP: accounts worth attacking") {
    CHECK(probes(present("servicePrincipalName")));
    CHECK(probes(substring("serviceprincipalname", "/")));
    CHECK(probes(ber(0xa0, join(equal("objectClass", "user"), present("SERVICEPRINCIPALNAME")))));
    CHECK(probes(ber(0xa1, ber(0xa0, present("ms-Mcs-AdmPwd")))));
    CHECK(probes(present("msDS-AllowedToDelegateTo")));
    CHECK(probes(equal("adminCount", "1")));
    CHECK(probes(bits("userAccountControl", "4194304")));
    CHECK(probes(bits("userAccountControl", "524288")));
    CHECK(probes(present("servicePrincipalName"), 1));
}

TEST_CASE("LDAP: what log-ons, group policy and address books search for is nothing of it") {
    CHECK_FALSE(probes(equal("servicePrincipalName", "HOST/printer.example.org")));
    CHECK_FALSE(probes(present("servicePrincipalName"), 0));  // one entry, known beforehand
    CHECK_FALSE(probes(bits("userAccountControl", "2")));     // accounts that are off
    CHECK_FALSE(probes(bits("groupType", "524288")));
    CHECK_FALSE(probes(equal("adminCount", "0")));
    CHECK_FALSE(probes(ber(0xa2, present("servicePrincipalName"))));  // those without
    CHECK_FALSE(probes(ber(0xa1, join(equal("distinguishedName", "DC=example,DC=org"), equal("cn", "a")))));
    CHECK_FALSE(probes(substring("displayName", "serviceprincipalname")));
    CHECK_FALSE(probes(frame{}));
    frame deep = present("servicePrincipalName");
    for (int i = 0; i < 8; ++i) deep = ber(0xa0, deep);
    CHECK(probes(deep));
    CHECK_FALSE(probes(ber(0xa0, deep)));  // deeper than anybody writes
}

TEST_CASE("LDAP: everything below the directory's root, or every type of account at once") {
    CHECK(everything(present("objectClass")));
    CHECK(everything(present("objectCategory"), ""));
    CHECK_FALSE(everything(present("objectClass"), "CN=Policies,CN=System,DC=example,DC=org"));
    CHECK_FALSE(everything(present("objectClass"), domain, 1));
    CHECK_FALSE(everything(present("objectClass"), domain, 0));
    CHECK_FALSE(everything(present("mail")));
    CHECK_FALSE(everything(ber(0xa0, join(present("objectClass"), equal("cn", "a")))));
    const auto type = [](std::string_view number) { return equal("samAccountType", number); };
    const frame three = join(join(type("805306368"), type("805306369")), type("268435456"));
    CHECK_FALSE(everything(ber(0xa1, three)));
    CHECK(everything(ber(0xa1, join(three, type("536870912")))));
}

TEST_CASE("LDAP: signed messages are read, sealed ones are not") {
    const frame asked = search(domain, 2, present("servicePrincipalName"));
    const app_message m = read_directory(signed_token(asked));
    REQUIRE(m);
    CHECK(m.ldap()->probes);
    CHECK(m.ldap()->message_id == 1);
    // Cut by its segment.
    const frame whole = signed_token(join(asked, frame{}));
    CHECK(read_directory(whole.first(whole.size - 2)).ldap()->operation == 3);
    CHECK_FALSE(read_directory(frame{}.be32(200).be16(0x0504).zeros(198)));
    // Where the message does not end with its wrapping, it is none.
    CHECK_FALSE(read_directory(frame{}.be32(220).be16(0x0504).zeros(26).add(asked).zeros(192 - asked.size)));
    CHECK_FALSE(read_directory(frame{}.zeros(12)));
}
