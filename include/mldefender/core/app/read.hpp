// SPDX-License-Identifier: MIT
// One entry to all protocol readers: what does this payload say, given the flow's protocol? Refuses by yielding a
// message of protocol `unknown`. Called by the flow table for every payload of a flow whose protocol is known.
#pragma once

#include <mldefender/core/app/recognise.hpp>

namespace mldefender {
inline namespace v0 {

/// Reads one payload of a flow of `protocol`; `to_responder` tells its direction. The result's `name` points into
/// `payload`. Bounded work whatever the payload says; nothing is kept between calls.
[[nodiscard]] constexpr app_message read_message(app_protocol protocol, bytes payload, bool to_responder) noexcept {
    if (payload.empty()) return {};
    switch (protocol) {
        case app_protocol::dns: return detail::app::read_dns_any(payload);
        case app_protocol::mdns:
        case app_protocol::llmnr:
        case app_protocol::nbns: return detail::app::read_dns(protocol, payload);
        case app_protocol::tls: return detail::app::read_tls(payload);
        case app_protocol::dtls: return detail::app::read_dtls(payload);
        case app_protocol::quic: return detail::app::read_quic(payload);
        case app_protocol::http:
        case app_protocol::rtsp:
        case app_protocol::ssdp:
        case app_protocol::sip: return detail::app::read_http(protocol, payload);
        case app_protocol::ssh: return detail::app::read_ssh(payload, to_responder);
        case app_protocol::smb: return detail::app::read_smb(payload);
        case app_protocol::dcerpc: return detail::app::read_dcerpc(payload);
        case app_protocol::rdp: return detail::app::read_rdp(payload);
        case app_protocol::kerberos: return detail::app::read_kerberos(payload);
        case app_protocol::ldap: return detail::app::read_ldap(payload);
        case app_protocol::snmp: return detail::app::read_snmp(payload);
        case app_protocol::smtp:
        case app_protocol::imap:
        case app_protocol::pop3:
        case app_protocol::ftp:
        case app_protocol::irc: return detail::app::read_line_protocol(protocol, payload);
        case app_protocol::telnet: return detail::app::read_telnet(payload, to_responder);
        case app_protocol::syslog: return detail::app::read_syslog(payload);
        case app_protocol::ntp: return detail::app::read_ntp(payload);
        case app_protocol::dhcp: return detail::app::read_dhcp(payload);
        case app_protocol::nbdgm: return detail::app::read_nbdgm(payload);
        case app_protocol::wireguard: return detail::app::read_wireguard(payload);
        case app_protocol::stun: return detail::app::read_stun(payload);
        case app_protocol::rtp:
        case app_protocol::rtcp: return detail::app::read_rtp(payload);
        case app_protocol::mqtt: return detail::app::read_mqtt(payload);
        case app_protocol::modbus: return detail::app::read_modbus(payload, to_responder);
        case app_protocol::s7comm: return detail::app::read_s7comm(payload);
        case app_protocol::dnp3: return detail::app::read_dnp3(payload);
        case app_protocol::bittorrent: return detail::app::read_bittorrent(payload);
        case app_protocol::mysql: return detail::app::read_mysql(payload, to_responder);
        case app_protocol::vnc: return detail::app::read_vnc(payload, to_responder);
        default: return {};
    }
}

}  // namespace v0
}  // namespace mldefender
