// SPDX-License-Identifier: MIT
// The directory's protocols, all BER: Kerberos, LDAP and SNMP. Message types, error codes, the encryption asked for,
// who binds. Walks only the outer items it needs; a ticket or an entry list cut by the segment is read as far as it
// goes. Refuses anything whose first fixed fields are not what the RFCs demand. Called per packet.
#pragma once

#include <mldefender/core/app/message.hpp>
#include <mldefender/core/app/text.hpp>

namespace mldefender {
inline namespace v0 {
namespace detail::app {

/// Behind TCP's four length bytes, if they are there.
[[nodiscard]] constexpr bytes strip_kerberos_length(bytes payload) noexcept {
    return payload.size() > 8 && payload[0] == 0 && payload[1] == 0 ? payload.subspan(4) : payload;
}

/// An application tag of Kerberos 5 around a sequence that begins with protocol version 5.
[[nodiscard]] constexpr bool looks_like_kerberos(bytes payload) noexcept {
    bytes rest = strip_kerberos_length(payload);
    if (rest.size() < 12) return false;
    const ber_item outer = next_ber(rest);
    const unsigned type = outer.tag & 0x1fU;
    if ((outer.tag & 0xe0) != 0x60 || !((type >= 10 && type <= 15) || (type >= 20 && type <= 22) || type == 30)) {
        return false;
    }
    bytes sequence = outer.value;
    bytes fields = expect_ber(sequence, 0x30);
    bytes version = expect_ber(fields, type == 10 || type == 12 ? 0xa1 : 0xa0);
    const bytes number = expect_ber(version, 0x02);
    return number.size() == 1 && number[0] == 5;
}

/// First string of a PrincipalName.
[[nodiscard]] constexpr bytes principal_name(bytes principal) noexcept {
    bytes fields = expect_ber(principal, 0x30);
    bytes strings = find_ber(fields, 0xa1);
    bytes list = expect_ber(strings, 0x30);
    return next_ber(list).value;
}

constexpr void read_kdc_request(bytes fields, kerberos_details& d, app_message& common) noexcept {
    bytes padata = find_ber(fields, 0xa3);
    bytes list = expect_ber(padata, 0x30);
    for (int i = 0; i < 16 && !list.empty(); ++i) {
        bytes element = expect_ber(list, 0x30);
        bytes type = find_ber(element, 0xa1);
        if (element.empty()) break;
        if (ber_number(expect_ber(type, 0x02)) == 2) d.preauthenticated = true;  // PA-ENC-TIMESTAMP
    }
    bytes wrapped = find_ber(fields, 0xa4);
    const bytes body = expect_ber(wrapped, 0x30);
    common.name = principal_name(find_ber(body, d.type == 10 ? 0xa1 : 0xa3));
    bytes wrapped_etypes = find_ber(body, 0xa8);
    bytes etypes = expect_ber(wrapped_etypes, 0x30);
    while (!etypes.empty() && d.etypes < 32) {
        const ber_item item = next_ber(etypes);
        if (item.tag != 0x02) break;
        if (d.etypes++ == 0) d.first_etype = static_cast<std::int16_t>(ber_number(item.value));
    }
    if (d.type == 10) common.facts |= app_fact::auth_attempt;
}

constexpr void read_kdc_reply(bytes fields, kerberos_details& d, app_message& common) noexcept {
    bytes wrapped = find_ber(fields, 0xa5);
    bytes application = expect_ber(wrapped, 0x61);
    const bytes ticket = expect_ber(application, 0x30);
    common.name = principal_name(find_ber(ticket, 0xa2));
    bytes part = find_ber(ticket, 0xa3);
    bytes encrypted_data = expect_ber(part, 0x30);
    bytes etype = find_ber(encrypted_data, 0xa0);
    d.first_etype = static_cast<std::int16_t>(ber_number(expect_ber(etype, 0x02)));
    if (d.type == 11) common.facts |= app_fact::auth_success;
}

[[nodiscard]] constexpr app_message read_kerberos(bytes payload) noexcept {
    if (!looks_like_kerberos(payload)) return {};
    bytes rest = strip_kerberos_length(payload);
    const ber_item outer = next_ber(rest);
    bytes sequence = outer.value;
    const bytes fields = expect_ber(sequence, 0x30);
    kerberos_details d;
    app_message common;
    d.type = outer.tag & 0x1f;
    if (d.type == 10 || d.type == 12) read_kdc_request(fields, d, common);
    if (d.type == 11 || d.type == 13) read_kdc_reply(fields, d, common);
    if (d.type == 30) {
        bytes code = find_ber(fields, 0xa6);
        common.code = ber_number(expect_ber(code, 0x02));
        common.name = principal_name(find_ber(fields, 0xa8));
        // 6 client unknown, 18 revoked, 23 password expired, 24 pre-authentication failed; 25 merely asks for it.
        if (common.code == 6 || common.code == 18 || common.code == 23 || common.code == 24) {
            common.facts |= app_fact::auth_failure;
        }
    }
    // RC4 (23, 24) where AES has been the default for fifteen years: tickets that can be guessed offline.
    if ((d.type == 12 || d.type == 13) && (d.first_etype == 23 || d.first_etype == 24)) {
        common.facts |= app_fact::weak_encryption;
    }
    if (!outer.whole) common.facts |= app_fact::cut_short;
    common.is_response = d.type == 11 || d.type == 13 || d.type == 15 || d.type == 30;
    return {app_protocol::kerberos, d, common};
}

/// A sequence of a message id and an operation of RFC 4511.
[[nodiscard]] constexpr bool looks_like_ldap(bytes payload) noexcept {
    if (payload.size() < 7 || payload[0] != 0x30) return false;
    bytes rest = payload;
    bytes fields = next_ber(rest).value;
    const bytes id = expect_ber(fields, 0x02);
    if (id.empty() || id.size() > 4 || fields.empty()) return false;
    const unsigned operation = fields[0] & 0x1fU;
    const bool constructed = (fields[0] & 0xe0) == 0x60;
    const bool primitive = (fields[0] & 0xe0) == 0x40;
    return (constructed && (operation <= 9 || (operation >= 11 && operation <= 15) || operation == 19 ||
                            (operation >= 23 && operation <= 25))) ||
           (primitive && (operation == 2 || operation == 10 || operation == 16));
}

[[nodiscard]] constexpr app_message read_ldap(bytes payload) noexcept {
    if (!looks_like_ldap(payload)) return {};
    bytes rest = payload;
    const ber_item outer = next_ber(rest);
    bytes fields = outer.value;
    ldap_details d;
    app_message common;
    d.message_id = ber_number(expect_ber(fields, 0x02));
    const ber_item operation = next_ber(fields);
    d.operation = operation.tag & 0x1f;
    bytes inside = operation.value;
    switch (d.operation) {
        case 0: {
            (void)expect_ber(inside, 0x02);
            common.name = expect_ber(inside, 0x04);
            const ber_item credentials = next_ber(inside);
            if (credentials.tag == 0x80 ? !credentials.value.empty() : presents_credentials(credentials.value)) {
                common.facts |= app_fact::auth_attempt;
            }
            break;
        }
        case 3:
            common.name = expect_ber(inside, 0x04);
            d.scope = static_cast<std::uint8_t>(ber_number(expect_ber(inside, 0x0a)));
            break;
        case 1:
        case 5:
        case 7:
        case 9:
        case 11:
        case 13:
        case 15:
        case 24:
            common.code = ber_number(expect_ber(inside, 0x0a));
            if (d.operation == 1 && common.code == 0) common.facts |= app_fact::auth_success;
            if (d.operation == 1 && common.code == 49) common.facts |= app_fact::auth_failure;
            break;
        default: break;
    }
    if (!outer.whole) common.facts |= app_fact::cut_short;
    common.is_response = d.operation == 1 || d.operation == 4 || d.operation == 5 || d.operation == 7 ||
                         d.operation == 9 || d.operation == 11 || d.operation == 13 || d.operation == 15 ||
                         d.operation == 19 || d.operation == 24 || d.operation == 25;
    return {app_protocol::ldap, d, common};
}

/// A sequence of version 0, 1 or 3 and a community string (or version 3's header).
[[nodiscard]] constexpr bool looks_like_snmp(bytes payload) noexcept {
    if (payload.size() < 10 || payload[0] != 0x30) return false;
    bytes rest = payload;
    bytes fields = next_ber(rest).value;
    const bytes version = expect_ber(fields, 0x02);
    if (version.size() != 1 || version[0] > 3 || version[0] == 2 || fields.size() < 4) return false;
    if (version[0] == 3) return fields[0] == 0x30;
    const ber_item community = next_ber(fields);
    return community.tag == 0x04 && community.whole && !fields.empty() && fields[0] >= 0xa0 && fields[0] <= 0xa8;
}

[[nodiscard]] constexpr app_message read_snmp(bytes payload) noexcept {
    if (!looks_like_snmp(payload)) return {};
    bytes rest = payload;
    bytes fields = next_ber(rest).value;
    small_details d;
    d.version = ber_number(expect_ber(fields, 0x02));
    app_message common;
    if (d.version != 3) {
        common.name = expect_ber(fields, 0x04);
        const ber_item pdu = next_ber(fields);
        bytes numbers = pdu.value;
        d.type = pdu.tag;
        (void)expect_ber(numbers, 0x02);  // request id
        (void)expect_ber(numbers, 0x02);  // error status or non-repeaters
        const std::uint32_t third = ber_number(expect_ber(numbers, 0x02));
        if (d.type == 0xa5) {
            d.amount = third;
            common.facts |= app_fact::amplifier_request;
        }
    }
    app_message m{app_protocol::snmp, d};
    m.is_response = d.type == 0xa2;
    m.facts = common.facts;
    m.name = common.name;
    return m;
}

}  // namespace detail::app
}  // namespace v0
}  // namespace mldefender
