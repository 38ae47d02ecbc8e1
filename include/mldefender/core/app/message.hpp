// SPDX-License-Identifier: MIT
// What one payload said, for every protocol that has a reader: a common part (direction, code, facts, name) and one
// small group of numbers per family. Flat, at most 96 bytes, nothing owned. Only general behaviour is kept, the
// input of a feature or an event; never the content.
// Filled by the readers in this folder through read_message() (read.hpp); read by flows, windows and events.
#pragma once

#include <cstdint>
#include <type_traits>

#include <mldefender/core/app/protocol.hpp>
#include <mldefender/core/bytes.hpp>

namespace mldefender {
inline namespace v0 {

/// Things a message may do, whatever its protocol: bits of `app_message::facts`.
namespace app_fact {
inline constexpr std::uint32_t auth_attempt = 1U << 0;       ///< credentials (or one round of them) are presented
inline constexpr std::uint32_t auth_failure = 1U << 1;       ///< the server refuses credentials
inline constexpr std::uint32_t auth_success = 1U << 2;       ///< the server accepts credentials
inline constexpr std::uint32_t lookup_failed = 1U << 3;      ///< the looked-up name does not exist (NXDOMAIN)
inline constexpr std::uint32_t amplifier_request = 1U << 4;  ///< small request for a large answer: NTP mode 6/7 list,
                                                             ///< DNS ANY, SNMP GetBulk, SSDP search for everything
inline constexpr std::uint32_t no_sni = 1U << 5;             ///< a complete client hello without server name
inline constexpr std::uint32_t self_signed = 1U << 6;        ///< first certificate's issuer equals its subject
inline constexpr std::uint32_t host_is_address = 1U << 7;    ///< HTTP host, TLS or SMB server name is an IPv4 address
inline constexpr std::uint32_t template_marker = 1U << 8;    ///< "${" in the head or the form of an HTTP request
inline constexpr std::uint32_t credentials_sent = 1U << 9;   ///< HTTP Authorization header
inline constexpr std::uint32_t admin_share = 1U << 10;       ///< connects to ADMIN$ or a drive share (C$)
inline constexpr std::uint32_t ipc_share = 1U << 11;         ///< connects to IPC$
inline constexpr std::uint32_t pipe_open = 1U << 12;         ///< opens a named pipe
inline constexpr std::uint32_t file_create = 1U << 13;       ///< opens a file so that it is created or overwritten
inline constexpr std::uint32_t file_write = 1U << 14;        ///< writes or uploads
inline constexpr std::uint32_t file_read = 1U << 15;         ///< reads or downloads
inline constexpr std::uint32_t file_rename = 1U << 16;       ///< renames a file
inline constexpr std::uint32_t file_delete = 1U << 17;       ///< deletes a file
inline constexpr std::uint32_t remote_execution = 1U << 18;  ///< opens an interface that starts programs: service
                                                             ///< manager, task scheduler, WMI, DCOM activation
inline constexpr std::uint32_t weak_encryption = 1U << 19;   ///< Kerberos RC4 asked for first or given
inline constexpr std::uint32_t device_write = 1U << 20;      ///< Modbus, S7 or DNP3 function that changes a device
inline constexpr std::uint32_t device_error = 1U << 21;      ///< Modbus exception or S7 error
inline constexpr std::uint32_t encrypted = 1U << 22;         ///< from here on content cannot be read (SMB3, STARTTLS)
inline constexpr std::uint32_t cut_short = 1U << 23;         ///< the message goes on behind this payload
inline constexpr std::uint32_t auth_challenge = 1U << 24;    ///< HTTP 401, 403, 407, SIP 401, 407: asks for
                                                             ///< credentials; a refusal if the request carried some
}  // namespace app_fact

/// Families of DCE/RPC interfaces and the named pipes that lead to them. At most 32: also bits of a mask.
enum class rpc_interface : std::uint8_t {
    none,
    epm,     ///< endpoint mapper
    svcctl,  ///< service control manager
    atsvc,   ///< AT scheduler
    itaskscheduler,
    wmi,      ///< IWbem*
    dcom,     ///< activation, OXID resolver, IRemUnknown, IDispatch
    drsuapi,  ///< directory replication
    samr,     ///< account database
    lsarpc,   ///< security policy
    netlogon,
    srvsvc,  ///< shares and sessions
    wkssvc,
    winreg,   ///< remote registry
    spoolss,  ///< print spooler
    eventlog,
    efsrpc,     ///< encrypting file system
    backupkey,  ///< data protection master keys
    initshutdown,
    browser,
    netdfs,
    dnsserver,
    print_async,  ///< the print spooler's other interface, with numbers of its own
    fsrvp,        ///< shadow copies of shares
    mgmt,         ///< RPC's own management interface
    other,        ///< an interface or pipe without an entry here
    count_
};

/// The interface's name, lower case.
[[nodiscard]] constexpr std::string_view name_of(rpc_interface interface_) noexcept {
    constexpr std::string_view names[] = {
        "none",      "epm",         "svcctl", "atsvc",     "itaskscheduler", "wmi",     "dcom",
        "drsuapi",   "samr",        "lsarpc", "netlogon",  "srvsvc",         "wkssvc",  "winreg",
        "spoolss",   "eventlog",    "efsrpc", "backupkey", "initshutdown",   "browser", "netdfs",
        "dnsserver", "print_async", "fsrvp",  "mgmt",      "other"};
    static_assert(sizeof(names) / sizeof(names[0]) == static_cast<std::size_t>(rpc_interface::count_));
    return interface_ < rpc_interface::count_ ? names[static_cast<std::size_t>(interface_)] : "invalid";
}
/// The interface as a bit of `smb_details::pipes`; 0 for `none`.
[[nodiscard]] constexpr std::uint32_t mask_of(rpc_interface interface_) noexcept {
    return interface_ == rpc_interface::none ? 0U : 1U << static_cast<unsigned>(interface_);
}
/// True for interfaces whose purpose is to start something on another host.
[[nodiscard]] constexpr bool starts_programs(rpc_interface interface_) noexcept {
    constexpr std::uint32_t starters = mask_of(rpc_interface::svcctl) | mask_of(rpc_interface::atsvc) |
                                       mask_of(rpc_interface::itaskscheduler) | mask_of(rpc_interface::wmi) |
                                       mask_of(rpc_interface::dcom);
    return (mask_of(interface_) & starters) != 0;
}

/// Request methods of HTTP, RTSP, SSDP and SIP.
enum class request_method : std::uint8_t {
    none,
    get,
    head,
    post,
    put,
    delete_,
    options,
    connect,
    patch,
    trace,
    dav,
    search,
    notify,
    subscribe,
    invite,
    ack,
    bye,
    cancel,
    register_,
    message,
    info,
    prack,
    publish,
    refer,
    update,
    describe,
    setup,
    play,
    other
};

/// Coarse class of a Content-Type header.
enum class content_class : std::uint8_t { none, text, form, json, xml, image, media, binary, other };

/// First protocol of a TLS ALPN list.
enum class alpn_class : std::uint8_t { none, http1, h2, h3, other };

/// What a line of FTP, SMTP, POP3, IMAP, IRC or Telnet asks for, as far as anybody needs to know.
enum class text_verb : std::uint8_t {
    none,
    hello,
    user,
    password,
    auth,
    list,
    retrieve,
    store,
    rename,
    delete_,
    mail_from,
    recipient,
    data,
    join,
    message,
    start_tls,
    quit,
    negotiate,
    prompt,
    other
};

/// What an SSH payload is.
enum class ssh_kind : std::uint8_t { none, banner, kexinit, key_exchange, new_keys };

/// DNS, mDNS, LLMNR, NBNS. `code` is the rcode, `name` the first question's name in wire form (length-prefixed
/// labels, see dns_name_text) unless it was compressed.
struct dns_details {
    std::uint64_t name_hash = 0;          ///< of the name in lower case; 0 without question
    std::uint64_t suffix_hash = 0;        ///< of its last two labels, three below a country's "co.uk"-like suffix
    std::uint32_t min_ttl_s = 0;          ///< smallest TTL among the answers, 0 without answers
    std::uint16_t id = 0;                 ///< pairs answer and question
    std::uint16_t qtype = 0;              ///< RFC 1035 type of the first question
    std::uint16_t answers = 0;            ///< answer count claimed by the header
    std::uint16_t name_len = 0;           ///< characters, dots between labels included
    std::uint16_t entropy_millibits = 0;  ///< Shannon entropy of the name's characters, 0..8000
    std::uint16_t subname_len = 0;        ///< characters in front of the suffix, its dot not included
    std::uint16_t digit_permille = 0;     ///< decimal digits among the characters
    std::uint16_t text_bytes = 0;         ///< record data of TXT and NULL answers
    std::uint16_t answer_bytes = 0;       ///< record data of all answers
    std::uint8_t labels = 0;              ///< parts of the name, the root not counted
    std::uint8_t longest_label = 0;       ///< characters, 0..63
    std::uint8_t opcode = 0;              ///< 0 query, 5 update; NBNS 5 registration, 6 release
    std::uint8_t questions = 0;           ///< question count claimed by the header, at most 255
    std::uint16_t stream_len = 0;         ///< length TCP's prefix announces, 0 without one
};

/// TLS. `name` is the server name of a client hello, `code` an alert's description.
struct tls_details {
    std::uint64_t fingerprint = 0;       ///< hash of version, ciphers in order and extensions in any order (browsers
                                         ///< shuffle them), GREASE left out; 0 when the hello is incomplete
    std::uint16_t record_version = 0;    ///< 0x0301 .. 0x0303 as on the wire
    std::uint16_t hello_version = 0;     ///< highest version offered or the one chosen, supported_versions included
    std::uint16_t cipher_count = 0;      ///< offered suites without GREASE
    std::uint16_t cipher = 0;            ///< the suite a server chose
    std::uint16_t extension_count = 0;   ///< without GREASE
    std::uint8_t content_type = 0;       ///< 20 change cipher spec, 21 alert, 22 handshake, 23 data, 24 heartbeat
    std::uint8_t handshake = 0;          ///< first handshake message: 1 client hello, 2 server hello, 11 certificate
    alpn_class alpn = alpn_class::none;  ///< first protocol offered or the one chosen
};

/// What the header lines of an HTTP message say besides numbers: bits of `http_details::marks`.
namespace http_mark {
inline constexpr std::uint8_t browser = 1U << 0;    ///< a User-Agent that begins as all browsers' do
inline constexpr std::uint8_t language = 1U << 1;   ///< Accept-Language
inline constexpr std::uint8_t from_page = 1U << 2;  ///< Referer or Origin: another page led here
inline constexpr std::uint8_t cookie = 1U << 3;     ///< Cookie
inline constexpr std::uint8_t anything = 1U << 4;   ///< Accept is missing or takes everything first
inline constexpr std::uint8_t encoded = 1U << 5;    ///< Content-Encoding: the body is compressed
inline constexpr std::uint8_t share = 1U << 6;      ///< headers or agents of file access by HTTP (WebDAV, [MS-WDV])
inline constexpr std::uint8_t body_cut = 1U << 7;   ///< the head ends with this payload, so the body comes later
}  // namespace http_mark

/// HTTP/1, RTSP, SSDP, SIP. `code` is the status; `name` the Host header (for SIP the request target's address).
struct http_details {
    std::uint64_t content_length = 0;  ///< 0 when not given
    std::uint64_t agent_hash = 0;      ///< of the User-Agent or Server header, 0 without one
    std::uint16_t uri_len = 0;         ///< bytes of the request target, as far as this payload goes
    std::uint16_t query_len = 0;       ///< bytes behind the first '?'
    std::uint16_t escapes = 0;         ///< %-escapes in the request target
    std::uint16_t agent_len = 0;       ///< bytes of the User-Agent or Server header
    std::uint8_t quotes = 0;           ///< ' " ` in the target, escapes decoded; the counts stop at 255
    std::uint8_t brackets = 0;         ///< < > ( ) { }
    std::uint8_t traversals = 0;       ///< ".." followed by a slash or backslash
    std::uint8_t separators = 0;       ///< ; | $ and control characters: what a shell would act on
    std::uint8_t body_marks = 0;       ///< quotes and angle brackets in the first 512 bytes of a form's body
    std::uint8_t injections = 0;       ///< attempts to have data executed, see injection.hpp
    std::uint8_t headers = 0;          ///< header lines seen in this payload
    std::uint8_t marks = 0;            ///< http_mark bits
    std::uint8_t host_switches = 0;    ///< changes between letter and digit in the registered part of the host's name
    request_method method = request_method::none;  ///< `none` for answers
    content_class content = content_class::none;   ///< of the Content-Type header
};

/// SSH. `name` is the software part of the banner.
struct ssh_details {
    std::uint64_t software_hash = 0;  ///< of the banner's software part, 0 for packets
    std::uint8_t version = 0;         ///< major version of the banner: 1 or 2 (1.99 counts as 2)
    ssh_kind kind = ssh_kind::none;   ///< what this payload begins with
};

/// DCE/RPC. `code` is the status of a fault or the reason of a bind refusal.
struct rpc_details {
    std::uint16_t opnum = 0;         ///< of a request
    std::uint16_t fragment_len = 0;  ///< bytes of this fragment, its header included
    std::uint8_t ptype = 0xff;  ///< 0 request, 2 response, 3 fault, 11 bind, 12 bind ack, 13 nak, 14 alter; 0xff none
    std::uint8_t contexts = 0;  ///< interfaces offered by a bind
    rpc_interface interface_ = rpc_interface::none;  ///< of a bind or alter context; requests carry only opnum
    bool object = false;                             ///< a request names the object it is for, as DCOM's do
};

/// SMB 1 to 3. `code` is the NT status; `name` a tree or file name in UTF-16LE (SMB 1 without Unicode: OEM). Several
/// messages in one payload are added up; `command` is the first one's.
struct smb_details {
    std::uint32_t pipes = 0;             ///< pipes opened, mask_of(rpc_interface)
    std::uint32_t write_bytes = 0;       ///< bytes of write requests
    std::uint32_t read_bytes = 0;        ///< bytes asked for by read requests, given by responses
    std::uint32_t total_data = 0;        ///< SMB 1 transactions: data bytes announced in all
    std::uint32_t data_count = 0;        ///< SMB 1 transactions: data bytes in this message
    std::uint32_t total_parameters = 0;  ///< SMB 1 transactions: parameter bytes announced in all
    std::uint16_t command = 0;           ///< of the first message
    std::uint16_t tree_id = 0;           ///< low 16 bits
    std::uint8_t version = 0;            ///< 1: SMB 1; 2: SMB 2 and 3; 3: SMB 3 encrypted or compressed
    std::uint8_t messages = 0;           ///< read in this payload
    std::uint8_t creates = 0;            ///< create requests that create or overwrite
    std::uint8_t renames = 0;            ///< requests to rename
    std::uint8_t deletes = 0;            ///< requests to delete, now or on close
    rpc_details rpc;                     ///< DCE/RPC carried by a pipe; ptype 0xff when none
};

/// Kerberos. `code` is the error code of a KRB-ERROR, `name` the client (AS-REQ) or the service's first part.
struct kerberos_details {
    std::uint8_t type = 0;         ///< 10 AS-REQ, 11 AS-REP, 12 TGS-REQ, 13 TGS-REP, 14 AP-REQ, 15 AP-REP, 30 KRB-ERROR
    std::uint8_t etypes = 0;       ///< encryption types listed by a request
    std::int16_t first_etype = 0;  ///< listed first, or the one of the ticket given; 23 is RC4
    bool preauthenticated = false;  ///< an AS-REQ with an encrypted time stamp
    bool weak_first = false;        ///< a request prefers RC4 or DES to whatever else it lists
    bool aes = false;               ///< something in the message is encrypted with AES: a ticket, the KDC's part
    bool weak_login = false;  ///< a time stamp encrypted with RC4 by a client that prefers AES: so the KDC wants it
};

/// LDAP. `code` is the result code, `name` the name of a bind or the base of a search.
struct ldap_details {
    std::uint32_t message_id = 0;  ///< pairs answer and request
    std::uint8_t operation = 0;  ///< application tag: 0 bind, 1 bind response, 3 search, 4 entry, 5 done, 6 modify, ...
    std::uint8_t scope = 0;      ///< of a search: 0 base, 1 one level, 2 subtree
    bool probes = false;         ///< a search for accounts worth attacking, see directory.hpp
    bool everything = false;     ///< a search that any entry below the directory's root satisfies
};

/// RDP. `name` is the user (or token) of the routing cookie; `code` a negotiation failure.
struct rdp_details {
    std::uint32_t protocols = 0;  ///< asked for or chosen: 0 RDP, 1 TLS, 2 CredSSP, 8 early authorisation
    std::uint8_t kind = 0;        ///< X.224 type: 0xe0 connection request, 0xd0 confirm, 0xf0 data
    bool has_cookie = false;      ///< a routing cookie came with the request
};

/// FTP, SMTP, POP3, IMAP, IRC, Telnet, syslog. `code` is the reply code (FTP, SMTP, IRC) or priority (syslog);
/// `name` the user name where a line states one.
struct text_details {
    text_verb verb = text_verb::none;  ///< of the first line that has one
    std::uint8_t lines = 0;            ///< read, at most 16
    std::uint8_t recipients = 0;       ///< SMTP RCPT lines
    std::uint8_t attempts = 0;         ///< lines that present credentials
    std::uint8_t failures = 0;         ///< lines that refuse them
};

/// Protocols with a type and little else. What `type` holds: NTP mode; DHCP message type (option 53, or DHCPv6's own);
/// SNMP PDU tag (0xa0 get, 0xa1 next, 0xa2 response, 0xa5 bulk); RTP payload or RTCP packet type; MQTT packet type;
/// Modbus, S7 or DNP3 function; STUN message type; DTLS content type; QUIC and WireGuard packet type; MySQL sequence
/// number; bittorrent_kind.
struct small_details {
    std::uint32_t version = 0;   ///< NTP, SNMP, QUIC (as on the wire), DTLS, MQTT level, MySQL protocol
    std::uint32_t amount = 0;    ///< NTP stratum or request code, SNMP repetitions, RTP SSRC, Modbus data bytes, ...
    std::uint16_t type = 0;      ///< as listed above
    std::uint16_t sequence = 0;  ///< RTP sequence number, Modbus transaction
};

/// What a BitTorrent payload is (`small_details::type`).
enum class bittorrent_kind : std::uint8_t { none, handshake, dht_query, dht_reply, utp, tracker };

namespace detail::app {

/// The numbers of one family: a tagged union rather than std::variant, which has a valueless state to think about
/// and costs more to copy.
struct any_details {
    enum class family : std::uint8_t { none, dns, tls, http, ssh, rpc, smb, kerberos, ldap, rdp, text, small };
    struct nothing {};

    constexpr any_details() noexcept : none{} {}
    constexpr any_details(const dns_details& d) noexcept : held(family::dns), dns(d) {}
    constexpr any_details(const tls_details& d) noexcept : held(family::tls), tls(d) {}
    constexpr any_details(const http_details& d) noexcept : held(family::http), http(d) {}
    constexpr any_details(const ssh_details& d) noexcept : held(family::ssh), ssh(d) {}
    constexpr any_details(const rpc_details& d) noexcept : held(family::rpc), rpc(d) {}
    constexpr any_details(const smb_details& d) noexcept : held(family::smb), smb(d) {}
    constexpr any_details(const kerberos_details& d) noexcept : held(family::kerberos), kerberos(d) {}
    constexpr any_details(const ldap_details& d) noexcept : held(family::ldap), ldap(d) {}
    constexpr any_details(const rdp_details& d) noexcept : held(family::rdp), rdp(d) {}
    constexpr any_details(const text_details& d) noexcept : held(family::text), text(d) {}
    constexpr any_details(const small_details& d) noexcept : held(family::small), small(d) {}

    family held = family::none;
    union {
        nothing none;
        dns_details dns;
        tls_details tls;
        http_details http;
        ssh_details ssh;
        rpc_details rpc;
        smb_details smb;
        kerberos_details kerberos;
        ldap_details ldap;
        rdp_details rdp;
        text_details text;
        small_details small;
    };
};

}  // namespace detail::app

/// One message. `name` points into the payload and lives as long as that.
class app_message {
    using family = detail::app::any_details::family;

public:
    /// `unknown` when the payload held nothing readable: the middle of a longer message, encrypted content, garbage.
    app_protocol protocol = app_protocol::unknown;
    bool is_response = false;  ///< an answer rather than a request, as far as the message says
    std::uint32_t code = 0;    ///< status, error or result code in the protocol's own terms
    std::uint32_t facts = 0;   ///< app_fact bits
    bytes name;                ///< see the details of the protocol

    /// Nothing was read.
    constexpr app_message() noexcept = default;
    /// A message of `of` with its family's numbers; the reader then fills the common part.
    constexpr app_message(app_protocol of, const detail::app::any_details& d) noexcept : protocol(of), m_details(d) {}
    /// The same with the common part of `common`.
    constexpr app_message(app_protocol of, const detail::app::any_details& d, const app_message& common) noexcept
        : protocol(of),
          is_response(common.is_response),
          code(common.code),
          facts(common.facts),
          name(common.name),
          m_details(d) {}

    /// True when something was read.
    constexpr explicit operator bool() const noexcept { return protocol != app_protocol::unknown; }
    /// True when any of the `app_fact` bits is set.
    [[nodiscard]] constexpr bool has(std::uint32_t any_of) const noexcept { return (facts & any_of) != 0; }

    /// Numbers of DNS, mDNS, LLMNR and NBNS; like all that follow null when the message is of another family.
    [[nodiscard]] constexpr const dns_details* dns() const noexcept {
        return m_details.held == family::dns ? &m_details.dns : nullptr;
    }
    /// Numbers of TLS.
    [[nodiscard]] constexpr const tls_details* tls() const noexcept {
        return m_details.held == family::tls ? &m_details.tls : nullptr;
    }
    /// Numbers of HTTP, RTSP, SSDP and SIP.
    [[nodiscard]] constexpr const http_details* http() const noexcept {
        return m_details.held == family::http ? &m_details.http : nullptr;
    }
    /// Numbers of SSH.
    [[nodiscard]] constexpr const ssh_details* ssh() const noexcept {
        return m_details.held == family::ssh ? &m_details.ssh : nullptr;
    }
    /// Numbers of DCE/RPC, whether it came over TCP or inside an SMB pipe.
    [[nodiscard]] constexpr const rpc_details* rpc() const noexcept {
        if (m_details.held == family::rpc) return &m_details.rpc;
        return m_details.held == family::smb && m_details.smb.rpc.ptype != 0xff ? &m_details.smb.rpc : nullptr;
    }
    /// Numbers of SMB.
    [[nodiscard]] constexpr const smb_details* smb() const noexcept {
        return m_details.held == family::smb ? &m_details.smb : nullptr;
    }
    /// Numbers of Kerberos.
    [[nodiscard]] constexpr const kerberos_details* kerberos() const noexcept {
        return m_details.held == family::kerberos ? &m_details.kerberos : nullptr;
    }
    /// Numbers of LDAP.
    [[nodiscard]] constexpr const ldap_details* ldap() const noexcept {
        return m_details.held == family::ldap ? &m_details.ldap : nullptr;
    }
    /// Numbers of RDP.
    [[nodiscard]] constexpr const rdp_details* rdp() const noexcept {
        return m_details.held == family::rdp ? &m_details.rdp : nullptr;
    }
    /// Numbers of the line protocols, Telnet and syslog.
    [[nodiscard]] constexpr const text_details* text() const noexcept {
        return m_details.held == family::text ? &m_details.text : nullptr;
    }
    /// Numbers of the protocols listed at `small_details`.
    [[nodiscard]] constexpr const small_details* small() const noexcept {
        return m_details.held == family::small ? &m_details.small : nullptr;
    }

private:
    detail::app::any_details m_details;
};

static_assert(sizeof(app_message) <= 96 && std::is_trivially_copyable_v<app_message>);

}  // namespace v0
}  // namespace mldefender
