// SPDX-License-Identifier: MIT
// Names the application protocol of a flow from one payload. Structure decides; ports only settle what structure
// leaves open (FTP's greeting against SMTP's, mDNS against DNS) and admit formats too plain to be believed elsewhere
// (NTP, NBNS). Refuses to guess: random or encrypted bytes are `unknown`, and guess_by_port() is the caller's choice.
// Called by the flow table for the first few payloads of each direction.
#pragma once

#include <mldefender/core/app/datagram.hpp>
#include <mldefender/core/app/dcerpc.hpp>
#include <mldefender/core/app/device.hpp>
#include <mldefender/core/app/directory.hpp>
#include <mldefender/core/app/dns.hpp>
#include <mldefender/core/app/http.hpp>
#include <mldefender/core/app/line.hpp>
#include <mldefender/core/app/login.hpp>
#include <mldefender/core/app/protocol.hpp>
#include <mldefender/core/app/smb.hpp>
#include <mldefender/core/app/tls.hpp>

namespace mldefender {
inline namespace v0 {
namespace detail::app {

/// Server and client options of Telnet: IAC, then WILL, WONT, DO or DONT with an option, or a subnegotiation.
[[nodiscard]] constexpr bool looks_like_telnet(bytes payload) noexcept {
    return payload.size() >= 3 && payload[0] == 0xff && payload[1] >= 0xfa && payload[1] <= 0xfe && payload[2] <= 49;
}

[[nodiscard]] constexpr app_protocol recognise_tcp(bytes payload, std::uint16_t source_port,
                                                   std::uint16_t destination_port) noexcept {
    using enum app_protocol;
    const auto on = [=](std::uint16_t port) noexcept { return source_port == port || destination_port == port; };
    if (looks_like_tls(payload)) return tls;
    if (const app_protocol family = match_http_family(payload, false); family != unknown) return family;
    if (looks_like_ssh(payload)) return ssh;
    if (looks_like_smb(payload)) return smb;
    if (const app_protocol framed = match_tpkt(payload); framed != unknown) return framed;
    if (looks_like_dcerpc(payload)) return dcerpc;
    if (match_bittorrent(payload, false) != bittorrent_kind::none) return bittorrent;
    if (looks_like_mysql(payload)) return mysql;
    if (looks_like_vnc(payload)) return vnc;
    if (looks_like_kerberos(payload)) return kerberos;
    if (const bytes message = strip_dns_tcp_length(payload); looks_like_dns(message, !on(53))) {
        // Elsewhere the length must be exact: a two-byte prefix is not much of a signature.
        if (on(53) || load_be16(payload.data()) + std::size_t{2} == payload.size()) return dns;
    }
    if (looks_like_ldap(payload)) return ldap;
    if (looks_like_mqtt(payload)) return mqtt;
    // Elsewhere only the usual request: an address and a count.
    if (looks_like_modbus(payload) && (on(502) || payload.size() == 12)) return modbus;
    if (looks_like_dnp3(payload)) return dnp3;
    if (looks_like_telnet(payload)) return telnet;
    if (looks_like_syslog(payload) && (on(514) || on(601))) return syslog;
    return match_line_protocol(payload, source_port, destination_port);
}

/// DNS and its relatives, which share a format: the port says which one it is.
[[nodiscard]] constexpr app_protocol match_dns_family(bytes payload, std::uint16_t source_port,
                                                      std::uint16_t destination_port) noexcept {
    using enum app_protocol;
    const auto on = [=](std::uint16_t port) noexcept { return source_port == port || destination_port == port; };
    const bool strict = !(on(53) || on(5353) || on(5355) || on(137));
    if (on(137)) {
        // NetBIOS opcodes 5 to 9 (registration, release, ...) and its "*" queries have DNS's header and name.
        if (payload.size() < 12 || (payload.size() > 12 && payload[12] != 0x20)) return unknown;
        return load_be16(payload.data() + 4) + load_be16(payload.data() + 6) <= 4 ? nbns : unknown;
    }
    if (!looks_like_dns(payload, strict)) return unknown;
    return on(5353) ? mdns : on(5355) ? llmnr : dns;
}

[[nodiscard]] constexpr app_protocol recognise_udp(bytes payload, std::uint16_t source_port,
                                                   std::uint16_t destination_port) noexcept {
    using enum app_protocol;
    const auto on = [=](std::uint16_t port) noexcept { return source_port == port || destination_port == port; };
    if (looks_like_stun(payload)) return stun;
    if (looks_like_dtls(payload)) return dtls;
    if (looks_like_quic(payload)) return quic;
    if (looks_like_dhcp4(payload)) return dhcp;
    if ((on(546) || on(547)) && looks_like_dhcp6(payload)) return dhcp;
    if (on(138) && looks_like_nbdgm(payload)) return nbdgm;
    if (on(123) && looks_like_ntp(payload)) return ntp;
    if (const app_protocol family = match_dns_family(payload, source_port, destination_port); family != unknown) {
        return family;
    }
    if (const app_protocol family = match_http_family(payload, true); family != unknown) return family;
    if (match_bittorrent(payload, true) != bittorrent_kind::none) return bittorrent;
    if (looks_like_snmp(payload)) return snmp;
    if (looks_like_kerberos(payload)) return kerberos;
    if (looks_like_ldap(payload)) return ldap;
    if (looks_like_wireguard(payload)) return wireguard;
    if (looks_like_syslog(payload)) return syslog;
    if (looks_like_dnp3(payload)) return dnp3;
    if (source_port >= 1024 && destination_port >= 1024) {
        if (looks_like_rtcp(payload)) return rtcp;
        if (looks_like_rtp(payload)) return rtp;
    }
    return unknown;
}

}  // namespace detail::app

/// The protocol this payload belongs to, or `unknown`. Meant for the first payload-carrying packets of a flow, both
/// directions, until known or four have been seen; stateless, bounded, about 20 to 60 ns.
[[nodiscard]] constexpr app_protocol recognise(bytes payload, ip_protocol transport, std::uint16_t source_port,
                                               std::uint16_t destination_port) noexcept {
    if (payload.empty()) return app_protocol::unknown;
    if (transport == ip_protocol::tcp) return detail::app::recognise_tcp(payload, source_port, destination_port);
    if (transport == ip_protocol::udp) return detail::app::recognise_udp(payload, source_port, destination_port);
    return app_protocol::unknown;
}

}  // namespace v0
}  // namespace mldefender
