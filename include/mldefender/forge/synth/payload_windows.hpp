// SPDX-License-Identifier: MIT
// First bytes of the protocols of a Windows network: SMB1 and SMB2 (MS-SMB2), NTLMSSP, DCE/RPC (C706, MS-RPCE),
// Kerberos (RFC 4120), LDAP (RFC 4511), RDP (MS-RDPBCGR). Headers are complete, bodies as far as a reader looks. Called
// by dialogues.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <mldefender/forge/synth/blob.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace payload {

/// An RPC interface: UUID fields in their printed order, and version.
struct rpc_interface {
    std::uint32_t first;         ///< first field of the UUID
    std::uint16_t second;        ///< second field
    std::uint16_t third;         ///< third field
    std::uint64_t last;          ///< the last two fields together
    std::uint16_t version = 1;   ///< major version
    std::string_view pipe = {};  ///< named pipe that carries it over SMB
};

// Well-known interfaces, from the MS-* protocol documents named beside them.
namespace rpc {
inline constexpr rpc_interface endpoint_mapper{0xe1af8308, 0x5d1f, 0x11c9, 0x91a408002b14a0fa, 3, "epmapper"};
inline constexpr rpc_interface service_control{0x367abb81, 0x9844, 0x35f1, 0xad3298f038001003, 2, "svcctl"};  // MS-SCMR
inline constexpr rpc_interface at_service{0x1ff70682, 0x0a51, 0x30e8, 0x076d740be8cee98b, 1, "atsvc"};        // MS-TSCH
inline constexpr rpc_interface task_scheduler{0x86d35949, 0x83c9, 0x4044, 0xb424db363231fd0c, 1, "atsvc"};    // MS-TSCH
inline constexpr rpc_interface replication{0xe3514235, 0x4b06, 0x11d1, 0xab0400c04fc2dcd2, 4, "lsass"};       // MS-DRSR
inline constexpr rpc_interface accounts{0x12345778, 0x1234, 0xabcd, 0xef000123456789ac, 1, "samr"};           // MS-SAMR
inline constexpr rpc_interface local_security{0x12345778, 0x1234, 0xabcd, 0xef000123456789ab, 0, "lsarpc"};   // MS-LSAD
inline constexpr rpc_interface net_logon{0x12345678, 0x1234, 0xabcd, 0xef0001234567cffb, 1, "netlogon"};      // MS-NRPC
inline constexpr rpc_interface server_service{0x4b324fc8, 0x1670, 0x01d3, 0x12785a47bf6ee188, 3, "srvsvc"};   // MS-SRVS
inline constexpr rpc_interface workstation{0x6bffd098, 0xa112, 0x3610, 0x983346c3f87e345a, 1, "wkssvc"};      // MS-WKST
inline constexpr rpc_interface registry{0x338cd001, 0x2244, 0x31f1, 0xaaaa900090380003, 1, "winreg"};         // MS-RRP
inline constexpr rpc_interface spooler{0x12345678, 0x1234, 0xabcd, 0xef000123456789ab, 1, "spoolss"};         // MS-RPRN
inline constexpr rpc_interface activation{0x000001a0, 0, 0, 0xc000000000000046, 0, {}};                       // MS-DCOM
inline constexpr rpc_interface oxid_resolver{0x99fcfec4, 0x5260, 0x101b, 0xbbcb00aa0021347a, 0, {}};          // MS-DCOM
inline constexpr rpc_interface remote_unknown{0x00000143, 0, 0, 0xc000000000000046, 0, {}};                   // MS-DCOM
inline constexpr rpc_interface wmi_login{0xf309ad18, 0xd86a, 0x11d0, 0xa07500c04fb68820, 0, {}};              // MS-WMI
inline constexpr rpc_interface wmi_services{0x9556dc99, 0x828c, 0x11cf, 0xa37e00aa003240c7, 0, {}};           // MS-WMI
}  // namespace rpc

/// UUID and version as they go over the wire, little endian.
inline void rpc_uuid(blob& b, const rpc_interface& i) { b.le32(i.first).le16(i.second).le16(i.third).be64(i.last); }

/// NTLMSSP message 1 (negotiate), 2 (challenge) or 3 (authenticate).
inline blob ntlm(rng& r, int kind, std::string_view user = {}, std::string_view domain = {}) {
    blob b;
    b.text("NTLMSSP").u8(0).le32(static_cast<std::uint64_t>(kind));
    if (kind == 1) return b.le32(0xe2088297).zeros(16).le32(0x0a00).le32(0x0f000000);
    if (kind == 2)
        return b.le16(12)
            .le16(12)
            .le32(56)
            .le32(0xe2898215)
            .random(r, 8)
            .zeros(8)
            .le16(80)
            .le16(80)
            .le32(68)
            .le64(0)
            .random(r, 92);
    const std::size_t names = 2 * (user.size() + domain.size());
    b.le16(24).le16(24).le32(88 + names).le16(250).le16(250).le32(112 + names);
    b.le16(2 * domain.size())
        .le16(2 * domain.size())
        .le32(88)
        .le16(2 * user.size())
        .le16(2 * user.size())
        .le32(88 + 2 * domain.size());
    b.le16(0).le16(0).le32(88).le16(16).le16(16).le32(362 + names).le32(0xe2888215).zeros(24);
    return b.utf16(domain).utf16(user).random(r, 290);
}

/// The start of a negotiation of about `size` bytes: which mechanisms, and a token (RFC 4178).
inline blob spnego(rng& r, std::int64_t size) {
    blob kinds = der_id("\x2a\x86\x48\x86\xf7\x12\x01\x02\x02");
    kinds.raw(der_id("\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a").view());
    blob token;
    token.random(r, static_cast<std::size_t>(std::max<std::int64_t>(size - 60, 8)));
    blob fields;
    fields.raw(der(0xa0, der(0x30, kinds)).view()).raw(der(0xa2, der(4, token)).view());
    blob content = der_id("\x2b\x06\x01\x05\x05\x02");
    return der(0x60, content.raw(der(0xa0, der(0x30, fields)).view()));
}
/// Its end: accepted, with a token of `size` bytes unless that is 0.
inline blob spnego_done(rng& r, std::int64_t size) {
    blob fields;
    fields.raw(der(0xa0, blob{}.u8(10).u8(1).u8(0)).view());
    blob token;
    if (size > 0) fields.raw(der(0xa2, der(4, token.random(r, static_cast<std::size_t>(size)))).view());
    return der(0xa1, der(0x30, fields));
}

/// Binds `i`; `auth_size` bytes of authentication follow, none or at least 56.
inline blob rpc_bind(rng& r, const rpc_interface& i, std::uint32_t call_id, std::uint16_t auth_size = 0) {
    blob b;
    const std::size_t length = 72 + (auth_size > 0 ? 8U + auth_size : 0U);
    b.u8(5).u8(0).u8(11).u8(3).le32(0x10).le16(length).le16(auth_size).le32(call_id);
    b.le16(4280).le16(4280).le32(0).le32(1).le16(0).le16(1);
    rpc_uuid(b, i);
    b.le32(i.version);
    b.le32(0x8a885d04).le16(0x1ceb).le16(0x11c9).be64(0x9fe808002b104860).le32(2);
    if (auth_size > 0) b.u8(10).u8(5).be16(0).le32(1).raw(ntlm(r, 1).view()).zeros(auth_size - 40U);
    return b;
}
/// Accepts a bind, with as many bytes of authentication.
inline blob rpc_bind_ack(rng& r, std::uint32_t call_id, std::uint16_t auth_size = 0) {
    blob b;
    b.u8(5)
        .u8(0)
        .u8(12)
        .u8(3)
        .le32(0x10)
        .le16(68 + (auth_size > 0 ? 8U + auth_size : 0U))
        .le16(auth_size)
        .le32(call_id);
    b.le16(4280).le16(4280).random(r, 4).le16(14).text("\\PIPE\\service").u8(0).be16(0).le32(1).le32(0);
    b.le32(0x8a885d04).le16(0x1ceb).le16(0x11c9).be64(0x9fe808002b104860).le32(2);
    if (auth_size > 0) {
        b.u8(10).u8(5).be16(0).le32(1).text("NTLMSSP").u8(0).le32(2).le32(0).le32(56).le32(0xe2898215).random(r, 8);
        b.zeros(8).le32(0).le32(56).le32(0x0a00).le32(0x0f000000).zeros(auth_size - 56U);
    }
    return b;
}
/// Most stub bytes of one fragment.
inline constexpr std::int64_t rpc_fragment = 4256;

/// Request (kind 0), response (2) or fault (3) of `size` stub bytes, at most `rpc_fragment`; `sealed` stubs look random
/// and carry a verifier, others begin with the null handles and pointers arguments begin with. `place` is the
/// fragment's: 1 the first, 2 the last, 3 both.
inline message rpc_call(rng& r, int kind, std::uint16_t operation, std::uint32_t call_id, std::int64_t size,
                        bool sealed = false, std::uint8_t place = 3) {
    blob b;
    const std::int64_t stub = std::min(size, rpc_fragment);
    const std::int64_t total = 24 + (kind == 3 ? 8 : stub);
    constexpr std::int64_t verifier = 24;
    const bool seals = sealed && kind != 3 && stub > verifier;
    b.u8(5).u8(0).u8(static_cast<std::uint64_t>(kind)).u8(place).le32(0x10).le16(static_cast<std::uint64_t>(total));
    b.le16(seals ? verifier - 8 : 0).le32(call_id).le32(static_cast<std::uint64_t>(stub)).le16(0);
    b.le16(kind == 0 ? operation : 0);
    if (kind == 3) return {b.le32(5).le32(0)};  // access denied
    if (seals) {
        b.random(r, static_cast<std::size_t>(stub - verifier)).u8(10).u8(6).u8(0).u8(0).le32(0).le32(1).zeros(12);
        return {std::move(b)};
    }
    b.zeros(static_cast<std::size_t>(std::min<std::int64_t>(stub, 64)));
    return {std::move(b), total, body_kind::text};
}

/// SMB2 commands (MS-SMB2 2.2.1).
namespace smb2_command {
inline constexpr std::uint16_t negotiate = 0;         ///< agrees on a dialect
inline constexpr std::uint16_t session_setup = 1;     ///< logs on
inline constexpr std::uint16_t log_off = 2;           ///< ends a session
inline constexpr std::uint16_t tree_connect = 3;      ///< connects to a share
inline constexpr std::uint16_t tree_disconnect = 4;   ///< leaves it
inline constexpr std::uint16_t create = 5;            ///< opens a file or pipe
inline constexpr std::uint16_t close = 6;             ///< closes it
inline constexpr std::uint16_t read = 8;              ///< reads from it
inline constexpr std::uint16_t write = 9;             ///< writes to it
inline constexpr std::uint16_t ioctl = 11;            ///< controls, pipe transceive among them
inline constexpr std::uint16_t query_directory = 14;  ///< lists a directory
inline constexpr std::uint16_t query_info = 16;       ///< asks for properties
inline constexpr std::uint16_t set_info = 17;         ///< renames, deletes, changes properties
}  // namespace smb2_command
/// @{
/// NT status (MS-ERREF 2.3) of an answer.
inline constexpr std::uint32_t status_logon_failure = 0xc000006d;
inline constexpr std::uint32_t status_more_processing = 0xc0000016;
inline constexpr std::uint32_t status_access_denied = 0xc0000022;
inline constexpr std::uint32_t status_not_found = 0xc0000034;
/// @}

/// Ids that run through one SMB session.
struct smb_ids {
    std::uint64_t next_message = 0;  ///< message id of the next request
    std::uint64_t session = 0;       ///< given by the server at log-on
    std::uint32_t tree = 0;          ///< given by the server with the share
};

/// NetBIOS length, SMB2 header and a body; the length field covers `extra` filler bytes after the body.
inline message smb2(const smb_ids& ids, std::uint64_t message_id, std::uint16_t command, bool response,
                    std::uint32_t status, const blob& content, std::int64_t extra = 0,
                    body_kind kind = body_kind::random) {
    blob b;
    const std::int64_t size = 64 + static_cast<std::int64_t>(content.size()) + extra;
    b.u8(0).be24(static_cast<std::uint64_t>(size));
    b.u8(0xfe).text("SMB").le16(64).le16(1).le32(status).le16(command).le16(31).le32(response ? 1 : 0).le32(0);
    b.le64(message_id).le32(0xfeff).le32(ids.tree).le64(ids.session).zeros(16).raw(content.view());
    return {std::move(b), size + 4, kind};
}
/// The old dialect: command byte, status, flags; `size` filler bytes follow.
inline message smb1(std::uint8_t command, bool response, std::uint32_t status, std::uint16_t tree, std::uint16_t user,
                    const blob& content, std::int64_t extra = 0, body_kind kind = body_kind::zeros) {
    blob b;
    const std::int64_t size = 32 + static_cast<std::int64_t>(content.size()) + extra;
    b.u8(0).be24(static_cast<std::uint64_t>(size)).u8(0xff).text("SMB").u8(command).le32(status);
    b.u8(response ? 0x98 : 0x18).le16(0xc807).le16(0).zeros(8).le16(0).le16(tree).le16(0xfeff).le16(user).le16(64);
    b.raw(content.view());
    return {std::move(b), size + 4, kind};
}

/// Kerberos message kinds: 10 AS-REQ, 11 AS-REP, 12 TGS-REQ, 13 TGS-REP, 30 KRB-ERROR.
struct kerberos_shape {
    int kind = 10;                        ///< message type, see above
    std::string_view user;                ///< client principal, without realm
    std::string_view realm;               ///< domain, as names go over the wire
    std::string_view service = "krbtgt";  ///< server principal: krbtgt, or host and service class
    int error = 25;           ///< 6 unknown user, 18 revoked, 24 wrong password, 25 pre-authentication needed
    bool proof = false;       ///< AS-REQ with encrypted time stamp
    int cipher = 18;          ///< 18 AES256, 23 RC4
    std::int64_t ticket = 0;  ///< bytes of tickets inside
};

/// The message, without the length TCP puts before it.
inline blob kerberos(rng& r, const kerberos_shape& k) {
    const auto field = [](blob& to, int number, const blob& content) {
        to.raw(der(static_cast<std::uint8_t>(0xa0 + number), content).view());
    };
    const auto integer = [](int v) { return der_integer(static_cast<std::uint64_t>(v)); };
    const auto name = [&](int type, std::string_view s) {
        blob sequence;
        field(sequence, 0, integer(type));
        field(sequence, 1, der(0x30, der_text(0x1b, s)));
        return der(0x30, sequence);
    };
    const auto sealed = [&](std::int64_t size) {  // EncryptedData
        blob cipher;
        cipher.random(r, static_cast<std::size_t>(size));
        blob sequence;
        field(sequence, 0, integer(k.cipher));
        field(sequence, 2, der(4, cipher));
        return der(0x30, sequence);
    };
    const auto ticket = [&] {
        blob sequence;
        field(sequence, 0, integer(5));
        field(sequence, 1, der_text(0x1b, k.realm));
        field(sequence, 2, name(2, k.service));
        field(sequence, 3, sealed(k.ticket > 0 ? k.ticket : 200));
        return der(0x61, der(0x30, sequence));
    };
    const auto proof = [&](int type, const blob& value) {  // PA-DATA
        blob sequence;
        field(sequence, 1, integer(type));
        field(sequence, 2, der(4, value));
        return der(0x30, sequence);
    };
    blob fields;
    if (k.kind == 30) {
        field(fields, 0, integer(5));
        field(fields, 1, integer(30));
        field(fields, 4, der_text(0x18, "20260101000000Z"));
        field(fields, 5, integer(static_cast<int>(r.below(999'999))));
        field(fields, 6, integer(k.error));
        field(fields, 9, der_text(0x1b, k.realm));
        field(fields, 10, name(2, k.service));
        if (k.error == 25) field(fields, 12, der(4, der(0x30, proof(2, {}))));
    } else if (k.kind == 10 || k.kind == 12) {
        field(fields, 1, integer(5));
        field(fields, 2, integer(k.kind));
        blob options;
        options.u8(0).be32(0x40810010);
        blob proofs;
        if (k.kind == 12) {
            blob request;  // AP-REQ
            field(request, 0, integer(5));
            field(request, 1, integer(14));
            field(request, 2, der(3, blob{}.u8(0).be32(0)));
            field(request, 3, ticket());
            field(request, 4, sealed(140));
            proofs.raw(proof(1, der(0x6e, der(0x30, request))).view());
        } else {
            if (k.proof) proofs.raw(proof(2, sealed(56)).view());
            proofs.raw(proof(128, der(0x30, der(0xa0, der(1, blob{}.u8(0xff))))).view());
        }
        field(fields, 3, der(0x30, proofs));
        blob body;
        field(body, 0, der(3, options));
        if (k.kind == 10) field(body, 1, name(1, k.user));
        field(body, 2, der_text(0x1b, k.realm));
        field(body, 3, name(2, k.service));
        field(body, 5, der_text(0x18, "20370913024805Z"));
        field(body, 7, der_integer(r.next() >> 33));
        blob ciphers = integer(k.cipher);
        if (k.cipher == 18) ciphers.raw(integer(17).view()).raw(integer(23).view());
        field(body, 8, der(0x30, ciphers));
        field(fields, 4, der(0x30, body));
    } else {
        field(fields, 0, integer(5));
        field(fields, 1, integer(k.kind));
        field(fields, 3, der_text(0x1b, k.realm));
        field(fields, 4, name(1, k.user));
        field(fields, 5, ticket());
        field(fields, 6, sealed(180));
    }
    return der(static_cast<std::uint8_t>(0x60 + k.kind), der(0x30, fields));
}

/// With the four length bytes Kerberos puts before a message on TCP.
inline blob with_length(const blob& b) {
    blob out;
    return out.be32(b.size()).raw(b.view());
}

/// LDAP: operation tag 0x60 bind, 0x61 bind answer, 0x63 search, 0x64 entry, 0x65 done, 0x42 unbind. The last element
/// of the operation (credentials, filter value, attributes) is `extra` bytes of filler.
inline message ldap(std::uint64_t id, std::uint8_t operation, std::string_view what, std::int64_t extra = 0) {
    const auto filler = static_cast<std::uint64_t>(extra);
    blob content;
    if (operation == 0x60) {
        content.raw(der_integer(3).view()).raw(der_text(4, what).view()).u8(0x80).u8(0x82).be16(filler);
    } else if (operation == 0x61 || operation == 0x65) {
        content.u8(0x0a).u8(1).u8(0).raw(der_text(4, what).view()).u8(4).u8(0x82).be16(filler);
    } else if (operation == 0x63) {
        content.raw(der_text(4, what).view()).u8(0x0a).u8(1).u8(2).u8(0x0a).u8(1).u8(0);
        content.raw(der_integer(0).view()).raw(der_integer(0).view()).u8(1).u8(1).u8(0);
        content.u8(0x87).u8(11).text("objectClass").u8(0x30).u8(0x82).be16(filler + 4).u8(4).u8(0x82).be16(filler);
    } else if (operation == 0x64) {
        const auto long_of = [&content](std::uint8_t tag, std::uint64_t size) { content.u8(tag).u8(0x84).be32(size); };
        content.raw(der_text(4, what).view());
        long_of(0x30, filler + 26);
        long_of(0x30, filler + 20);
        content.raw(der_text(4, "cn").view());
        long_of(0x31, filler + 10);
        content.raw(der_text(4, "ab").view());
        long_of(4, filler);
    }
    const std::size_t whole = content.size() + static_cast<std::size_t>(extra);
    blob sequence;
    sequence.raw(der_integer(id).view()).u8(operation).u8(0x84).be32(whole).raw(content.view());
    blob b;
    b.u8(0x30).u8(0x84).be32(sequence.size() + static_cast<std::size_t>(extra)).raw(sequence.view());
    const std::int64_t total = static_cast<std::int64_t>(b.size()) + extra;
    return {std::move(b), total, body_kind::text};
}

/// The directory's "invalid credentials" (RFC 4511, code 49).
inline blob ldap_refused(std::uint64_t id) {
    blob result;
    result.u8(0x0a).u8(1).u8(49).u8(4).u8(0);
    result.raw(der_text(4, "80090308: LdapErr: DSID-0C090400, data 52e").view());
    return der(0x30, der_integer(id).raw(der(0x61, result).view()));
}

/// RDP connection request with cookie, and the server's confirmation.
inline blob rdp_request(std::string_view user) {
    blob cookie;
    cookie.text("Cookie: mstshash=").text(user).text("\r\n").u8(1).u8(0).le16(8).le32(3);
    blob b;
    return b.u8(3)
        .u8(0)
        .be16(11 + cookie.size())
        .u8(6 + cookie.size())
        .u8(0xe0)
        .be16(0)
        .be16(0)
        .u8(0)
        .raw(cookie.view());
}
/// The server's connection confirm that chooses TLS.
inline blob rdp_confirm() {
    blob b;
    return b.u8(3).u8(0).be16(19).u8(14).u8(0xd0).be16(0).be16(0x1234).u8(0).u8(2).u8(0x1f).le16(8).le32(2);
}

}  // namespace payload
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
