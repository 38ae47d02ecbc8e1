// SPDX-License-Identifier: MIT
// The application protocols that have a name here, their spelling in events, and the last resort of naming one
// by its port. A port is a guess: recognise.hpp, which looks at the payload, always wins over it.
// Used by the flow table, features and event lines; holds no parsing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <mldefender/core/address.hpp>

namespace mldefender {
inline namespace v0 {

/// An application protocol. Those after `vnc` are named by their port alone and have no reader.
enum class app_protocol : std::uint8_t {
    unknown,
    dns,
    tls,
    quic,
    http,
    ssh,
    smb,
    dcerpc,
    rdp,
    kerberos,
    ldap,
    smtp,
    imap,
    pop3,
    ftp,
    telnet,
    ntp,
    dhcp,
    mdns,
    llmnr,
    nbns,
    nbdgm,
    ssdp,
    snmp,
    sip,
    rtp,
    rtcp,
    rtsp,
    mqtt,
    modbus,
    s7comm,
    dnp3,
    bittorrent,
    irc,
    syslog,
    stun,
    dtls,
    wireguard,
    mysql,
    vnc,
    mssql,
    postgresql,
    redis,
    memcached,
    tftp,
    radius,
    openvpn,
    xmpp,
    nfs,
    rpcbind,
    count_
};

/// Number of protocols, for counters indexed by `app_protocol`.
inline constexpr std::size_t app_protocol_count = static_cast<std::size_t>(app_protocol::count_);

namespace detail::app {
inline constexpr std::string_view app_protocol_names[] = {
    "unknown", "dns",        "tls",        "quic",      "http",   "ssh",    "smb",     "dcerpc",    "rdp",   "kerberos",
    "ldap",    "smtp",       "imap",       "pop3",      "ftp",    "telnet", "ntp",     "dhcp",      "mdns",  "llmnr",
    "nbns",    "nbdgm",      "ssdp",       "snmp",      "sip",    "rtp",    "rtcp",    "rtsp",      "mqtt",  "modbus",
    "s7comm",  "dnp3",       "bittorrent", "irc",       "syslog", "stun",   "dtls",    "wireguard", "mysql", "vnc",
    "mssql",   "postgresql", "redis",      "memcached", "tftp",   "radius", "openvpn", "xmpp",      "nfs",   "rpcbind",
};
static_assert(sizeof(app_protocol_names) / sizeof(app_protocol_names[0]) == app_protocol_count);
}  // namespace detail::app

/// The protocol's name as in `app_proto` of an event: lower case, "unknown" when there is none.
[[nodiscard]] constexpr std::string_view name_of(app_protocol protocol) noexcept {
    const auto index = static_cast<std::size_t>(protocol);
    return index < app_protocol_count ? detail::app::app_protocol_names[index] : "unknown";
}

namespace detail::app {

[[nodiscard]] constexpr app_protocol tcp_port_owner(std::uint16_t port) noexcept {
    using enum app_protocol;
    switch (port) {
        case 20:
        case 21: return ftp;
        case 22: return ssh;
        case 23:
        case 2323: return telnet;
        case 25:
        case 587:
        case 2525: return smtp;
        case 53: return dns;
        case 80:
        case 8000:
        case 8008:
        case 8080:
        case 8888:
        case 3128:
        case 5985: return http;
        case 88:
        case 464: return kerberos;
        case 102: return s7comm;
        case 110: return pop3;
        case 111: return rpcbind;
        case 135:
        case 593: return dcerpc;
        case 139:
        case 445: return smb;
        case 143: return imap;
        case 389:
        case 3268: return ldap;
        case 443:
        case 465:
        case 636:
        case 853:
        case 989:
        case 990:
        case 993:
        case 995:
        case 3269:
        case 5986:
        case 8443:
        case 8883: return tls;
        case 502: return modbus;
        case 514:
        case 601: return syslog;
        case 554:
        case 8554: return rtsp;
        case 1433: return mssql;
        case 1883: return mqtt;
        case 2049: return nfs;
        case 3306: return mysql;
        case 3389: return rdp;
        case 5060: return sip;
        case 5061: return tls;
        case 5222:
        case 5269: return xmpp;
        case 5432: return postgresql;
        case 5900:
        case 5901: return vnc;
        case 6379: return redis;
        case 6660:
        case 6661:
        case 6662:
        case 6663:
        case 6664:
        case 6665:
        case 6666:
        case 6667:
        case 6668:
        case 6669:
        case 7000: return irc;
        case 6881: return bittorrent;
        case 11211: return memcached;
        case 20000: return dnp3;
        default: return unknown;
    }
}

[[nodiscard]] constexpr app_protocol udp_port_owner(std::uint16_t port) noexcept {
    using enum app_protocol;
    switch (port) {
        case 53: return dns;
        case 67:
        case 68:
        case 546:
        case 547: return dhcp;
        case 69: return tftp;
        case 80:
        case 443: return quic;
        case 88:
        case 464: return kerberos;
        case 111: return rpcbind;
        case 123: return ntp;
        case 137: return nbns;
        case 138: return nbdgm;
        case 161:
        case 162: return snmp;
        case 389: return ldap;
        case 514: return syslog;
        case 1194: return openvpn;
        case 1812:
        case 1813:
        case 1645:
        case 1646: return radius;
        case 1900: return ssdp;
        case 2049: return nfs;
        case 3389: return rdp;
        case 3478: return stun;
        case 5060: return sip;
        case 5353: return mdns;
        case 5355: return llmnr;
        case 6881: return bittorrent;
        case 11211: return memcached;
        case 20000: return dnp3;
        case 51820: return wireguard;
        default: return unknown;
    }
}

}  // namespace detail::app

/// The protocol usually found at these ports, destination before source; `unknown` when neither is well known.
/// For flows whose payload said nothing: encrypted, unseen or cut away by the snap length.
[[nodiscard]] constexpr app_protocol guess_by_port(ip_protocol transport, std::uint16_t source_port,
                                                   std::uint16_t destination_port) noexcept {
    if (transport != ip_protocol::tcp && transport != ip_protocol::udp) return app_protocol::unknown;
    const auto owner = transport == ip_protocol::tcp ? detail::app::tcp_port_owner : detail::app::udp_port_owner;
    const app_protocol by_destination = owner(destination_port);
    return by_destination != app_protocol::unknown ? by_destination : owner(source_port);
}

}  // namespace v0
}  // namespace mldefender
