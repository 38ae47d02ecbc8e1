// SPDX-License-Identifier: MIT
// The directory's protocols, all BER: Kerberos, LDAP and SNMP. Message types, error codes, the encryption asked for,
// who binds, what is searched for. Walks only the items it needs; a ticket or an entry list cut by the segment is read
// as far as it goes, and LDAP that is signed but not sealed inside its wrapping. Refuses anything whose first fixed
// fields are not what the RFCs demand. Called per packet.
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

/// RFC 3962, RFC 8009.
[[nodiscard]] constexpr bool is_aes(std::int16_t etype) noexcept { return etype >= 17 && etype <= 20; }

/// The type of EncryptedData, whose first field it is; 0 when there is none.
[[nodiscard]] constexpr std::int16_t etype_of(bytes encrypted) noexcept {
    bytes data = expect_ber(encrypted, 0x30);
    bytes etype = find_ber(data, 0xa0);
    return static_cast<std::int16_t>(ber_number(expect_ber(etype, 0x02)));
}

/// The type a ticket is encrypted with.
[[nodiscard]] constexpr std::int16_t ticket_etype(bytes wrapped) noexcept {
    bytes application = expect_ber(wrapped, 0x61);
    return etype_of(find_ber(expect_ber(application, 0x30), 0xa3));
}

/// What a request lists: the first one, and whether that is RC4 or DES. Numbers that are none are passed over, as a
/// KDC does.
constexpr void read_etypes(bytes etypes, kerberos_details& d) noexcept {
    bool decided = false;
    while (!etypes.empty() && d.etypes < 32) {
        const ber_item item = next_ber(etypes);
        if (item.tag != 0x02) break;
        const auto etype = static_cast<std::int16_t>(ber_number(item.value));
        if (d.etypes++ == 0) d.first_etype = etype;
        if (decided || etype <= 0) continue;
        decided = true;
        d.weak_first = etype <= 3 || etype == 23 || etype == 24;
    }
}

constexpr void read_padata(bytes list, kerberos_details& d) noexcept {
    for (int i = 0; i < 16 && !list.empty(); ++i) {
        bytes element = expect_ber(list, 0x30);
        if (element.empty()) break;
        bytes type = find_ber(element, 0xa1);
        const std::uint32_t number = ber_number(expect_ber(type, 0x02));
        bytes value = find_ber(element, 0xa2);
        bytes octets = expect_ber(value, 0x04);
        if (number == 2) {  // PA-ENC-TIMESTAMP
            d.preauthenticated = true;
            d.weak_login = etype_of(octets) == 23;
        }
        if (number != 1) continue;  // PA-TGS-REQ: an AP-REQ with the ticket one has
        bytes request = expect_ber(octets, 0x6e);
        d.aes = d.aes || is_aes(ticket_etype(find_ber(expect_ber(request, 0x30), 0xa3)));
    }
}

constexpr void read_kdc_request(bytes fields, kerberos_details& d, app_message& common) noexcept {
    bytes padata = find_ber(fields, 0xa3);
    read_padata(expect_ber(padata, 0x30), d);
    bytes wrapped = find_ber(fields, 0xa4);
    const bytes body = expect_ber(wrapped, 0x30);
    common.name = principal_name(find_ber(body, d.type == 10 ? 0xa1 : 0xa3));
    bytes etypes = find_ber(body, 0xa8);
    read_etypes(expect_ber(etypes, 0x30), d);
    d.weak_login = d.weak_login && is_aes(d.first_etype);
    if (d.type == 10) common.facts |= app_fact::auth_attempt;
}

constexpr void read_kdc_reply(bytes fields, kerberos_details& d, app_message& common) noexcept {
    bytes wrapped = find_ber(fields, 0xa5);
    bytes application = expect_ber(wrapped, 0x61);
    const bytes ticket = expect_ber(application, 0x30);
    common.name = principal_name(find_ber(ticket, 0xa2));
    d.first_etype = etype_of(find_ber(ticket, 0xa3));
    d.aes = is_aes(d.first_etype) || is_aes(etype_of(find_ber(fields, 0xa6)));
    if (d.type == 11) common.facts |= app_fact::auth_success;
}

/// The rest of a request for a ticket, whose list of encryption types often lies behind the first segment: an item
/// [8] that holds a sequence of integers, every length as it must be.
[[nodiscard]] constexpr app_message read_kdc_request_rest(bytes payload) noexcept {
    for (std::size_t at = find_byte(payload, 0xa8); payload.size() - at >= 8; at = find_byte(payload, 0xa8, at + 1)) {
        const std::uint8_t length = payload[at + 1];
        if (length < 5 || length > 0x60 || payload[at + 2] != 0x30 || payload[at + 3] != length - 2) continue;
        bytes list = slice(payload, at + 4, length - std::size_t{2});
        if (list.size() + 2 != length) continue;
        const bytes etypes = list;
        bool integers = true;
        while (integers && !list.empty()) {
            const ber_item item = next_ber(list);
            integers = item.tag == 0x02 && item.whole && item.value.size() <= 2 && !item.value.empty();
        }
        if (!integers) continue;
        kerberos_details d;
        d.type = 12;
        read_etypes(etypes, d);
        return {app_protocol::kerberos, d};
    }
    return {};
}

[[nodiscard]] constexpr app_message read_kerberos(bytes payload) noexcept {
    if (!looks_like_kerberos(payload)) return read_kdc_request_rest(payload);
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

/// The message inside a SASL wrapping that signs and does not encrypt (RFC 4752, [MS-ADTS]): behind a length of four
/// bytes and a token of the mechanism, ending where the wrapping does, but for a checksum. Nothing when there is none.
[[nodiscard]] constexpr bytes signed_ldap(bytes payload) noexcept {
    if (payload.size() < 24 || payload[0] != 0) return {};
    const std::size_t end = load_be32(payload.data()) + std::size_t{4};
    for (std::size_t at = find_byte(payload, 0x30, 8); at < 80 && at + 16 < payload.size();
         at = find_byte(payload, 0x30, at + 1)) {
        bytes rest = payload.subspan(at);
        const ber_item item = next_ber(rest);
        const std::size_t item_end = payload.size() - rest.size();
        const bool fits = item.whole ? item_end <= end && item_end + 32 >= end : end > payload.size();
        if (const bytes message = payload.subspan(at); fits && looks_like_ldap(message)) return message;
    }
    return {};
}

/// Equal but for letter case; `name` is given in lower case.
[[nodiscard]] constexpr bool is_attribute(bytes text, std::string_view name) noexcept {
    return text.size() == name.size() && starts_with_fold(text, name);
}

inline constexpr std::string_view telling_attributes[] = {"serviceprincipalname", "msds-allowedtodelegateto",
                                                          "msds-allowedtoactonbehalfofotheridentity", "ms-mcs-admpwd",
                                                          "mslaps-password"};

/// One item of a search filter and what is below it (RFC 4511, 4.5.1). Accounts worth attacking are those with service
/// names of any kind, those trusted to act for others, those whose password guards no ticket, protected groups'
/// members, and the passwords some deployments keep in the directory. `types` counts the account types listed.
constexpr void see_filter(const ber_item& item, int depth, unsigned& types, ldap_details& d) noexcept {
    constexpr std::uint64_t trusted = 0x80000, no_preauthentication = 0x400000, trusted_for_others = 0x1000000;
    bytes inside = item.value;
    switch (item.tag) {
        case 0xa0:  // and
        case 0xa1:  // or
            for (int i = 0; i < 32 && depth < 8 && !inside.empty(); ++i) {
                const ber_item child = next_ber(inside);
                if (child.tag == 0) break;
                see_filter(child, depth + 1, types, d);
            }
            break;
        case 0x87:  // present
            for (const std::string_view name : telling_attributes) d.probes = d.probes || is_attribute(inside, name);
            if (depth == 0 && (is_attribute(inside, "objectclass") || is_attribute(inside, "objectcategory"))) {
                d.everything = true;
            }
            break;
        case 0xa4:  // substrings
            d.probes = d.probes || is_attribute(expect_ber(inside, 0x04), "serviceprincipalname");
            break;
        case 0xa3: {  // equality
            const bytes name = expect_ber(inside, 0x04);
            const bytes value = expect_ber(inside, 0x04);
            d.probes = d.probes || (is_attribute(name, "admincount") && value.size() == 1 && value[0] == '1');
            if (is_attribute(name, "samaccounttype") && ++types >= 4) d.everything = true;
            break;
        }
        case 0xa9: {  // extensible: bits of a number
            const bytes name = find_ber(inside, 0x82);
            const std::uint64_t bits = leading_number(find_ber(inside, 0x83));
            d.probes = d.probes || (is_attribute(name, "useraccountcontrol") &&
                                    (bits & (trusted | no_preauthentication | trusted_for_others)) != 0);
            break;
        }
        default: break;
    }
}

/// A search request behind its base: scope, limits, filter. Only what reaches below one entry is looked at.
constexpr void read_search(bytes inside, bytes base, ldap_details& d) noexcept {
    d.scope = static_cast<std::uint8_t>(ber_number(expect_ber(inside, 0x0a)));
    (void)expect_ber(inside, 0x0a);  // aliases
    (void)expect_ber(inside, 0x02);  // size limit
    (void)expect_ber(inside, 0x02);  // time limit
    (void)expect_ber(inside, 0x01);  // types only
    if (d.scope == 0) return;
    unsigned types = 0;
    see_filter(next_ber(inside), 0, types, d);
    d.everything = d.everything && d.scope == 2 && (base.empty() || starts_with_fold(base, "dc="));
}

[[nodiscard]] constexpr app_message read_ldap(bytes payload) noexcept {
    if (!looks_like_ldap(payload)) {
        payload = signed_ldap(payload);
        if (payload.empty()) return {};
    }
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
            read_search(inside, common.name, d);
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
