// SPDX-License-Identifier: MIT
// SMB, DCE/RPC, Kerberos, LDAP, SNMP and RDP: log-ins, shares, pipes, files, interfaces and refusals.
#include <string>

#include <doctest/doctest.h>

#include <core/app_samples.hpp>

namespace {

using namespace mldefender;
using namespace mldefender::test;

constexpr app_message read_smb(bytes payload) { return read_message(app_protocol::smb, payload, true); }

constexpr frame admin = smb2_tree_connect("\\\\host\\ADMIN$");
static_assert(read_smb(admin).has(app_fact::admin_share) && read_smb(admin).smb()->command == 3);
static_assert(read_message(app_protocol::dcerpc, rpc_bind(svcctl_uuid), true).rpc()->interface_ ==
              rpc_interface::svcctl);

frame session_setup(const frame& blob) {
    return smb2(1, false, 0,
                frame{}.le16(25).zeros(10).le16(64 + 24).le16(static_cast<unsigned>(blob.size)).zeros(8).add(blob));
}
frame ntlm(unsigned type) { return frame{}.text("NTLMSSP").u8(0).le32(type).zeros(40); }
frame smb2_create(std::string_view path, std::uint32_t disposition, std::uint32_t options = 0) {
    return smb2(5, false, 0, smb2_create_body(path, disposition, options));
}
frame smb2_write(const frame& data) {
    return smb2(9, false, 0,
                frame{}.le16(49).le16(64 + 48).le32(static_cast<std::uint32_t>(data.size)).zeros(40).add(data));
}
frame set_info(unsigned file_class) { return smb2(17, false, 0, frame{}.le16(33).u8(1).u8(file_class).zeros(28)); }

}  // namespace

TEST_CASE("SMB 2 log-ins: attempt, refusal, success") {
    CHECK(read_smb(session_setup(ntlm(3))).has(app_fact::auth_attempt));
    CHECK_FALSE(read_smb(session_setup(ntlm(1))).has(app_fact::auth_attempt));
    CHECK(read_smb(session_setup(frame{}.zeros(600))).has(app_fact::auth_attempt));  // a Kerberos ticket
    const auto answer = [](std::uint32_t status) { return read_smb(smb2(1, true, status, frame{}.zeros(8))); };
    CHECK(answer(0xc000006d).has(app_fact::auth_failure));
    CHECK(answer(0xc000006d).code == 0xc000006d);
    CHECK(answer(0xc0000234).has(app_fact::auth_failure));
    CHECK(answer(0).has(app_fact::auth_success));
    CHECK_FALSE(answer(0xc0000016).has(app_fact::auth_failure | app_fact::auth_success));  // more processing required
    CHECK_FALSE(read_smb(smb2(3, true, 0xc0000022, frame{})).has(app_fact::auth_failure));
}

TEST_CASE("shares") {
    const auto facts = [](std::string_view path) { return read_smb(smb2_tree_connect(path)).facts; };
    CHECK(facts("\\\\host\\IPC$") == app_fact::ipc_share);
    CHECK(facts("\\\\host\\admin$") == app_fact::admin_share);
    CHECK(facts("\\\\host\\c$") == app_fact::admin_share);
    CHECK(facts("\\\\host\\public") == 0);
    CHECK(facts("\\\\host\\hidden$") == 0);
    CHECK(facts("$") == 0);
    CHECK(read_smb(smb2_tree_connect("\\\\h\\x")).name.size() == 10);
}

TEST_CASE("servers written as addresses") {
    const auto by_address = [](std::string_view path) {
        return read_smb(smb2_tree_connect(path)).has(app_fact::host_is_address);
    };
    CHECK(by_address("\\\\192.0.2.7\\IPC$"));
    CHECK(by_address("\\\\10.0.0.1\\public"));
    CHECK_FALSE(by_address("\\\\host\\192.0.2.7"));
    CHECK_FALSE(by_address("\\\\192.0.2.7.example.org\\x"));
    CHECK_FALSE(by_address("\\\\192.0.2\\x"));
    CHECK_FALSE(by_address("\\\\...\\x"));
    CHECK_FALSE(by_address("x"));
    const frame words = frame{}.u8(0xff).zeros(5).le16(1);
    const frame old =
        smb1(0x75, false, 0, words, frame{}.u8(0).add(wide("\\\\192.0.2.7\\C$")).le16(0).text("?????").u8(0));
    CHECK(read_smb(old).has(app_fact::host_is_address));
    CHECK(read_smb(old).has(app_fact::admin_share));
}

TEST_CASE("pipes and files") {
    const app_message pipe = read_smb(smb2_create("svcctl", 1));
    CHECK(pipe.has(app_fact::pipe_open));
    CHECK(pipe.has(app_fact::remote_execution));
    CHECK(pipe.smb()->pipes == mask_of(rpc_interface::svcctl));
    CHECK(read_smb(smb2_create("PIPE\\samr", 1)).smb()->pipes == mask_of(rpc_interface::samr));
    CHECK(read_smb(smb2_create("mysamr", 1)).smb()->pipes == 0);
    CHECK(read_smb(smb2_create("report.docx", 1)).facts == 0);
    CHECK(read_smb(smb2_create("report.docx", 5)).smb()->creates == 1);
    CHECK(read_smb(smb2_create("report.docx", 1, 0x1000)).has(app_fact::file_delete));
    CHECK(read_smb(set_info(10)).smb()->renames == 1);
    CHECK(read_smb(set_info(13)).smb()->deletes == 1);
    CHECK(read_smb(set_info(4)).facts == 0);
    const app_message write = read_smb(smb2_write(text_of("0123456789")));
    CHECK(write.has(app_fact::file_write));
    CHECK(write.smb()->write_bytes == 10);
}

TEST_CASE("DCE/RPC inside pipes") {
    const app_message bound = read_smb(smb2_write(rpc_bind(svcctl_uuid)));
    REQUIRE(bound.rpc() != nullptr);
    CHECK(bound.rpc()->interface_ == rpc_interface::svcctl);
    CHECK(bound.has(app_fact::remote_execution));
    CHECK_FALSE(bound.has(app_fact::file_write));
    const frame request = rpc(0, frame{}.le32(0).le16(0).le16(12).zeros(8));
    const frame transceive =
        smb2(11, false, 0, frame{}.le16(57).le16(0).le32(0x0011c017).zeros(16).le32(64 + 56).zeros(28).add(request));
    CHECK(read_smb(transceive).rpc()->opnum == 12);
    CHECK(read_smb(admin).rpc() == nullptr);
}

TEST_CASE("reads, their answers, and pipes answered through them") {
    CHECK(read_smb(smb2(8, false, 0, frame{}.le16(49).le16(0).le32(4096).zeros(40))).smb()->read_bytes == 4096);
    CHECK(read_smb(smb2(8, false, 0, frame{}.le16(49).le16(0).le32(0xffffffff))).smb()->read_bytes == 0);
    const frame bind_ack = rpc(12, frame{}.zeros(12));
    const frame answer =
        frame{}.le16(17).u8(80).u8(0).le32(static_cast<std::uint32_t>(bind_ack.size)).zeros(8).add(bind_ack);
    CHECK(read_smb(smb2(8, true, 0, answer)).rpc()->ptype == 12);
    CHECK(read_smb(smb2(8, true, 0xc0000011, answer)).rpc() == nullptr);
    const frame old_read = frame{}.u8(0xff).zeros(9).le16(512).zeros(8);
    CHECK(read_smb(smb1(0x2e, false, 0, old_read, frame{})).smb()->read_bytes == 512);
    const frame old_write = frame{}.u8(0xff).zeros(19).le16(100).le16(64);
    CHECK(read_smb(smb1(0x2f, false, 0, old_write, frame{}.zeros(100))).has(app_fact::file_write));
    // A transaction on a pipe: the request behind its words, at the offset these state.
    const frame request = rpc(0, frame{}.zeros(6).le16(9));
    const frame words = frame{}.zeros(22).le16(static_cast<unsigned>(request.size)).le16(32 + 1 + 28 + 2).zeros(2);
    CHECK(read_smb(smb1(0x25, false, 0, words, request)).rpc()->opnum == 9);
}

TEST_CASE("a log-in chained to a tree connect reads as both") {
    // Session set-up with 13 words, 4 bytes of data, then tree connect at the offset the first block states.
    const frame login = frame{}.u8(0x75).u8(0).le16(32 + 1 + 26 + 2 + 4).zeros(10).le16(2).le16(2).zeros(8);
    frame data = frame{}.be32(0x01020304);
    data.u8(4).u8(0xff).zeros(5).le16(1);
    const frame path = frame{}.u8(0).add(wide("\\\\h\\IPC$")).le16(0);
    data.le16(static_cast<unsigned>(path.size)).add(path);
    const app_message m = read_smb(smb1(0x73, false, 0, login, data));
    CHECK(m.has(app_fact::auth_attempt));
    CHECK(m.has(app_fact::ipc_share));
    CHECK(m.smb()->command == 0x73);
}

TEST_CASE("compound chains and several messages in one segment add up") {
    const frame create = smb2_message(5, false, 0, smb2_create_body("a", 2, 0));
    frame first = create;
    while (first.size % 8 != 0) first.u8(0);
    const auto next = static_cast<std::uint32_t>(first.size);
    frame chain = smb2_message(5, false, 0, smb2_create_body("a", 2, 0), next);
    chain.zeros(next - chain.size).add(smb2_message(17, false, 0, frame{}.le16(33).u8(1).u8(10).zeros(28)));
    const app_message m = read_smb(join(netbios(chain), netbios(chain)));
    CHECK(m.smb()->messages == 4);
    CHECK(m.smb()->creates == 2);
    CHECK(m.smb()->renames == 2);
    CHECK(m.smb()->command == 5);
}

TEST_CASE("SMB 3 encrypted is named and left alone") {
    const app_message m = read_smb(netbios(frame{}.be32(0xfd534d42).zeros(60)));
    CHECK(m.has(app_fact::encrypted));
    CHECK(m.smb()->version == 3);
    CHECK(read_smb(admin.first(40)).has(app_fact::cut_short));
}

TEST_CASE("SMB 1: log-in, share, pipe, transaction totals") {
    const frame plain = smb1(0x73, false, 0, frame{}.u8(0xff).zeros(13).le16(24).le16(24).zeros(8), frame{}.zeros(60));
    CHECK(read_smb(plain).has(app_fact::auth_attempt));
    const frame anonymous =
        smb1(0x73, false, 0, frame{}.u8(0xff).zeros(13).le16(1).le16(0).zeros(8), frame{}.zeros(20));
    CHECK_FALSE(read_smb(anonymous).has(app_fact::auth_attempt));
    CHECK(read_smb(smb1(0x73, true, 0xc000006d, frame{}.zeros(6), frame{})).has(app_fact::auth_failure));

    const frame words = frame{}.u8(0xff).zeros(5).le16(1);
    const frame tree = smb1(0x75, false, 0, words, frame{}.u8(0).add(wide("\\\\h\\C$")).le16(0).text("?????").u8(0));
    CHECK(read_smb(tree).has(app_fact::admin_share));
    CHECK(read_smb(tree).smb()->version == 1);

    const frame open_words = frame{}.u8(0xff).zeros(4).le16(14).zeros(28).le32(1).zeros(9);
    CHECK(read_smb(smb1(0xa2, false, 0, open_words, frame{}.u8(0).add(wide("\\atsvc")))).has(app_fact::pipe_open));

    const frame trans = frame{}.le16(12).le16(4356).zeros(16).le16(0).le16(0).le16(80).le16(0).zeros(4);
    CHECK(read_smb(smb1(0x32, false, 0, trans, frame{})).smb()->total_data == 4356);
    CHECK(read_smb(smb1(0x32, false, 0, trans, frame{})).smb()->total_parameters == 12);
    const frame nt = frame{}.zeros(3).le32(30).le32(66512).zeros(8).le32(0).le32(0).le32(999).le32(0).zeros(5);
    CHECK(read_smb(smb1(0xa0, false, 0, nt, frame{})).smb()->total_data == 66512);
    CHECK(read_smb(smb1(0xa0, false, 0, nt, frame{})).smb()->data_count == 999);
    CHECK(read_smb(smb1(0x07, false, 0, frame{}, frame{})).smb()->renames == 1);
    CHECK(read_smb(smb1(0x06, false, 0, frame{}, frame{})).smb()->deletes == 1);
}

TEST_CASE("DCE/RPC binds, requests and faults") {
    const auto read = [](const frame& f) { return read_message(app_protocol::dcerpc, f, true); };
    CHECK(read(rpc_bind(svcctl_uuid)).has(app_fact::remote_execution));
    std::uint8_t unlisted[16] = {1, 2, 3};
    CHECK(read(rpc_bind(unlisted)).rpc()->interface_ == rpc_interface::other);
    CHECK(read(rpc_bind(unlisted)).facts == 0);
    CHECK(read(rpc(0, frame{}.zeros(6).le16(3))).rpc()->opnum == 3);
    CHECK_FALSE(read(rpc(0, frame{}.zeros(6).le16(3))).rpc()->object);
    frame for_object = rpc(0, frame{}.zeros(6).le16(3).zeros(16));
    for_object.data[3] = 0x83;
    CHECK(read(for_object).rpc()->object);
    CHECK(read(for_object).rpc()->opnum == 3);
    const app_message fault = read(rpc(3, frame{}.zeros(8).le32(5)));
    CHECK(fault.is_response);
    CHECK(fault.code == 5);
    CHECK(fault.has(app_fact::auth_failure));
    // The same bind in big-endian representation.
    frame big;
    big.u8(5).u8(0).u8(11).u8(3).be32(0).be16(72).be16(0).be32(1).be32(0).be32(0).u8(1).zeros(3).be16(0).u8(1).u8(0);
    big.be32(0xe3514235).be16(0x4b06).be16(0x11d1).be64(0xab0400c04fc2dcd2).be32(4).zeros(20);
    CHECK(read(big).rpc()->interface_ == rpc_interface::drsuapi);
    CHECK_FALSE(read(frame{}.u8(5).u8(0).u8(77).zeros(20)));
}

TEST_CASE("Kerberos: who asks, with what, and how it is refused") {
    const auto read = [](const frame& f) { return read_message(app_protocol::kerberos, f, true); };
    const frame as = kdc_request(10, "alice", 18, true);
    const app_message asked = read(as);
    CHECK(asked.has(app_fact::auth_attempt));
    CHECK(asked.kerberos()->preauthenticated);
    CHECK(asked.kerberos()->first_etype == 18);
    CHECK(std::string(asked.name.begin(), asked.name.end()) == "alice");
    CHECK_FALSE(read(kdc_request(10, "alice", 18, false)).kerberos()->preauthenticated);
    CHECK_FALSE(read(kdc_request(10, "alice", 23, false)).has(app_fact::weak_encryption));
    CHECK(read(kdc_request(12, "MSSQLSvc", 23, false)).has(app_fact::weak_encryption));
    CHECK_FALSE(read(kdc_request(12, "MSSQLSvc", 18, false)).has(app_fact::weak_encryption));
    for (const unsigned code : {6U, 18U, 24U}) CHECK(read(krb_error(code)).has(app_fact::auth_failure));
    CHECK_FALSE(read(krb_error(25)).has(app_fact::auth_failure));
    CHECK(read(krb_error(25)).code == 25);
    const frame part = ber(0xa3, ber(0x30, ber(0xa0, ber_int(23))));
    const frame ticket = ber(0xa5, ber(0x61, ber(0x30, part)));
    const frame reply = ber(0x6d, ber(0x30, join(join(ber(0xa0, ber_int(5)), ber(0xa1, ber_int(13))), ticket)));
    CHECK(read(reply).has(app_fact::weak_encryption));
    CHECK(read(reply).is_response);
}

TEST_CASE("LDAP binds and searches") {
    const auto read = [](const frame& f) { return read_message(app_protocol::ldap, f, true); };
    const auto bind = [](const frame& credentials) {
        return ldap(0x60, join(join(ber_int(3), ber_text(4, "cn=admin")), credentials));
    };
    CHECK(read(bind(ber_text(0x80, "secret"))).has(app_fact::auth_attempt));
    CHECK_FALSE(read(bind(ber_text(0x80, ""))).has(app_fact::auth_attempt));
    CHECK(read(bind(ber(0xa3, ntlm(3)))).has(app_fact::auth_attempt));
    CHECK_FALSE(read(bind(ber(0xa3, ntlm(1)))).has(app_fact::auth_attempt));
    CHECK(read(ldap_bind_response(49)).has(app_fact::auth_failure));
    CHECK(read(ldap_bind_response(0)).has(app_fact::auth_success));
    CHECK_FALSE(read(ldap_bind_response(14)).has(app_fact::auth_failure | app_fact::auth_success));
    const app_message search = read(ldap(0x63, join(ber_text(4, "dc=example"), ber_int(2, 0x0a))));
    CHECK(search.ldap()->scope == 2);
    CHECK(search.ldap()->operation == 3);
    CHECK(search.name.size() == 10);
}

TEST_CASE("SNMP requests that amplify") {
    const auto read = [](const frame& f) { return read_message(app_protocol::snmp, f, true); };
    CHECK(read(snmp_request(0xa5, 50)).has(app_fact::amplifier_request));
    CHECK(read(snmp_request(0xa5, 50)).small()->amount == 50);
    CHECK_FALSE(read(snmp_request(0xa0, 0)).has(app_fact::amplifier_request));
    CHECK(read(snmp_request(0xa2, 0)).is_response);
    CHECK(read(ber(0x30, join(ber_int(3), ber(0x30, frame{}.zeros(8))))).small()->version == 3);
}

TEST_CASE("RDP's connection request and answer") {
    const app_message m = read_message(app_protocol::rdp, rdp_request("Cookie: mstshash=alice\r\n"), true);
    CHECK(m.has(app_fact::auth_attempt));
    CHECK(m.rdp()->has_cookie);
    CHECK(m.rdp()->protocols == 3);
    CHECK(m.name.size() == 5);
    CHECK_FALSE(read_message(app_protocol::rdp, rdp_request(""), true).rdp()->has_cookie);
    const frame refused = frame{}.be16(0x0300).be16(19).u8(14).u8(0xd0).zeros(5).u8(3).u8(0).le16(8).le32(5);
    CHECK(read_message(app_protocol::rdp, refused, false).code == 5);
}
