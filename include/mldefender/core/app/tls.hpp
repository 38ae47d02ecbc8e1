// SPDX-License-Identifier: MIT
// TLS records and the parts of a handshake that are in clear: hello versions, server name, suites, ALPN, alerts, and
// whether the first certificate is self-signed. DTLS and QUIC headers too, which are the same idea over UDP.
// A hello spread over several segments is read as far as it goes and marked cut_short. Called per packet.
#pragma once

#include <mldefender/core/app/message.hpp>
#include <mldefender/core/app/text.hpp>

namespace mldefender {
inline namespace v0 {
namespace detail::app {

/// RFC 8701 reserves 0x?a?a for values that mean nothing.
[[nodiscard]] constexpr bool is_grease(std::uint16_t value) noexcept {
    return (value & 0x0f0f) == 0x0a0a && (value >> 8) == (value & 0xff);
}

/// Four dotted numbers: addresses written where a name belongs.
[[nodiscard]] constexpr bool is_dotted_quad(bytes text) noexcept {
    int dots = 0;
    for (const std::uint8_t c : text) {
        if (c == '.') {
            ++dots;
        } else if (c == ':') {
            break;
        } else if (!is_digit(c)) {
            return false;
        }
    }
    return dots == 3;
}

[[nodiscard]] constexpr bool looks_like_tls(bytes payload) noexcept {
    if (payload.size() < 6) return false;
    const std::uint16_t length = load_be16(payload.data() + 3);
    if (payload[0] >= 0x14 && payload[0] <= 0x18 && payload[1] == 3 && payload[2] <= 4) {
        if (length == 0 || length > 16384 + 2048) return false;
        if (payload[0] == 0x16) return payload[5] <= 24 || length > payload.size();
        if (payload[0] == 0x14) return length == 1;
        if (payload[0] == 0x15) return length == 2 || length > 16;
        return true;
    }
    // The hello of SSL 2 as old clients still send it: two length bytes with the top bit, type 1, version 3.x.
    return payload.size() >= 11 && (payload[0] & 0x80) != 0 && payload[2] == 1 && payload[3] == 3 && payload[4] <= 3 &&
           (load_be16(payload.data()) & 0x7fffU) + 2U == payload.size() && payload[6] % 3 == 0;
}

/// First entry of an ALPN extension.
[[nodiscard]] constexpr alpn_class read_alpn(bytes extension) noexcept {
    if (extension.size() < 3) return alpn_class::none;
    const bytes first = slice(extension, 3, extension[2]);
    if (starts_with(first, "http/1")) return alpn_class::http1;
    if (starts_with(first, "h2")) return alpn_class::h2;
    if (starts_with(first, "h3")) return alpn_class::h3;
    return first.empty() ? alpn_class::none : alpn_class::other;
}

/// The highest version in supported_versions: a list in a client hello, one value in a server hello.
[[nodiscard]] constexpr std::uint16_t read_supported_versions(bytes extension, bool client) noexcept {
    std::uint16_t highest = 0;
    for (std::size_t at = client ? 1 : 0; at + 2 <= extension.size(); at += 2) {
        const std::uint16_t version = load_be16(extension.data() + at);
        if (!is_grease(version) && version > highest && version <= 0x0304) highest = version;
    }
    return highest;
}

/// Client or server hello behind its 4-byte handshake header.
constexpr void read_tls_hello(bytes body, bool client, bool whole, tls_details& d, app_message& common) noexcept {
    cursor in{body};
    d.hello_version = in.be16();
    in.skip(32);
    in.skip(in.u8());
    std::uint64_t fingerprint = hash_step(hash_seed, d.hello_version);
    if (client) {
        const bytes suites = in.take(in.be16());
        for (std::size_t at = 0; at + 2 <= suites.size(); at += 2) {
            const std::uint16_t suite = load_be16(suites.data() + at);
            if (is_grease(suite)) continue;
            ++d.cipher_count;
            fingerprint = hash_step(fingerprint, suite);
        }
        in.skip(in.u8());
    } else {
        d.cipher = in.be16();
        fingerprint = hash_step(fingerprint, d.cipher);
        in.skip(1);
    }
    const bool has_extensions = in.ok() && in.remaining() >= 2;
    cursor list{has_extensions ? slice(in.rest(), 2, load_be16(in.rest().data())) : bytes{}};
    std::uint64_t extensions = 0;
    while (list.remaining() >= 4) {
        const std::uint16_t type = list.be16();
        const bytes extension = list.take(list.be16());
        if (!list.ok()) break;
        if (is_grease(type)) continue;
        ++d.extension_count;
        extensions += hash_step(hash_step(hash_seed, type), 0x9e37);
        if (type == 0 && client && extension.size() > 5) {
            common.name = slice(extension, 5, load_be16(extension.data() + 3));
        } else if (type == 16) {
            d.alpn = read_alpn(extension);
        } else if (type == 43) {
            const std::uint16_t supported = read_supported_versions(extension, client);
            if (supported != 0) d.hello_version = supported;
        }
    }
    if (!whole || !in.ok() || !list.ok()) {
        common.facts |= app_fact::cut_short;
        return;
    }
    d.fingerprint = hash_step(fingerprint, extensions);
    if (client && common.name.empty()) common.facts |= app_fact::no_sni;
    if (is_dotted_quad(common.name)) common.facts |= app_fact::host_is_address;
}

/// True when the first certificate of a list names the same issuer and subject (RFC 5280 section 3.2).
[[nodiscard]] constexpr bool is_self_signed(bytes certificate_message) noexcept {
    bytes rest = slice(certificate_message, 6);  // length of the list, length of the first certificate
    bytes certificate = expect_ber(rest, 0x30);
    bytes fields = expect_ber(certificate, 0x30);
    (void)expect_ber(fields, 0xa0);  // version, absent in version 1
    (void)expect_ber(fields, 0x02);  // serial
    (void)expect_ber(fields, 0x30);  // signature algorithm
    const ber_item issuer = next_ber(fields);
    (void)expect_ber(fields, 0x30);  // validity
    const ber_item subject = next_ber(fields);
    if (issuer.tag != 0x30 || subject.tag != 0x30 || !subject.whole || issuer.value.size() != subject.value.size()) {
        return false;
    }
    for (std::size_t i = 0; i < issuer.value.size(); ++i) {
        if (issuer.value[i] != subject.value[i]) return false;
    }
    return !issuer.value.empty();
}

/// The handshake messages of one record. An encrypted one looks like an unknown type or an absurd length.
constexpr void read_tls_handshake(bytes record, bool whole, tls_details& d, app_message& common) noexcept {
    for (int i = 0; i < 8 && record.size() >= 4; ++i) {
        const std::uint8_t type = record[0];
        const std::size_t length = load_be32(record.data()) & 0xffffffU;
        if (type > 24 || length > 0x20000) return;
        const bytes body = slice(record, 4, length);
        const bool complete = body.size() == length && (whole || i > 0 || record.size() > 4 + length);
        if (d.handshake == 0) d.handshake = type;
        if (type == 1 || type == 2) {
            if (length < 38) return;
            read_tls_hello(body, type == 1, body.size() == length, d, common);
            common.is_response = type == 2;
        } else if (type == 11) {
            if (is_self_signed(body)) common.facts |= app_fact::self_signed;
            if (!complete) common.facts |= app_fact::cut_short;
        }
        record = slice(record, 4 + length);
    }
}

[[nodiscard]] constexpr app_message read_tls(bytes payload) noexcept {
    if (!looks_like_tls(payload)) return {};
    tls_details d;
    app_message common;
    d.content_type = payload[0];
    d.record_version = load_be16(payload.data() + 1);
    if (payload[0] >= 0x80) {  // SSL 2 hello
        d.content_type = 22;
        d.handshake = 1;
        d.hello_version = d.record_version = load_be16(payload.data() + 3);
        d.cipher_count = static_cast<std::uint16_t>(load_be16(payload.data() + 5) / 3);
        common.facts |= app_fact::no_sni;
    } else {
        bytes rest = payload;
        for (int i = 0; i < 4 && rest.size() > 5 && rest[0] >= 20 && rest[0] <= 24 && rest[1] == 3; ++i) {
            const std::size_t length = load_be16(rest.data() + 3);
            const bytes record = slice(rest, 5, length);
            if (rest[0] == 22) {
                read_tls_handshake(record, record.size() == length, d, common);
            } else if (rest[0] == 21 && length == 2 && record.size() == 2) {
                common.code = record[1];
            } else if (rest[0] == 20) {
                break;  // what follows is encrypted
            }
            rest = slice(rest, 5 + length);
        }
    }
    return {app_protocol::tls, d, common};
}

[[nodiscard]] constexpr bool looks_like_dtls(bytes payload) noexcept {
    if (payload.size() < 13 || payload[0] < 20 || payload[0] > 25) return false;
    const std::uint16_t version = load_be16(payload.data() + 1);
    const std::size_t length = load_be16(payload.data() + 11);
    return (version == 0xfeff || version == 0xfefd || version == 0x0100) && length > 0 && length <= payload.size() - 13;
}

[[nodiscard]] constexpr app_message read_dtls(bytes payload) noexcept {
    if (!looks_like_dtls(payload)) return {};
    small_details d;
    d.type = payload[0];
    d.version = load_be16(payload.data() + 1);
    if (d.type == 22 && payload.size() > 13) d.amount = payload[13];
    return {app_protocol::dtls, d};
}

/// Versions of the long header: 1, 2, drafts, negotiation patterns, and what Google and Facebook used before.
[[nodiscard]] constexpr bool is_quic_version(std::uint32_t version) noexcept {
    return version == 0 || version == 1 || version == 0x6b3343cf || version == 0x709a50c4 ||
           (version >> 8) == 0xff0000 || (version & 0x0f0f0f0f) == 0x0a0a0a0a || (version >> 16) == 0x5130 ||
           (version >> 16) == 0x5430 || (version >> 8) == 0xfaceb0;
}

/// RFC 8999 long header with sane connection ids, or the version-bearing header of gQUIC up to Q043.
[[nodiscard]] constexpr bool looks_like_quic(bytes payload) noexcept {
    if (payload.size() < 16) return false;
    if ((payload[0] & 0x80) != 0) {
        const std::uint32_t version = load_be32(payload.data() + 1);
        if (!is_quic_version(version)) return false;
        if ((version >> 16) == 0x5130) return payload.size() > 18;  // Q046 packs both lengths into one byte
        const std::size_t destination = payload[5];
        if (destination > 20 || payload.size() < 7 + destination) return false;
        const std::size_t source = payload[6 + destination];
        return source <= 20 && payload.size() >= 7 + destination + source &&
               ((payload[0] & 0x40) != 0 || version == 0) && (version != 0 || destination + source > 0);
    }
    return (payload[0] & 0x09) == 0x09 && payload[9] == 'Q' && payload[10] == '0' && is_digit(payload[11]) &&
           is_digit(payload[12]);
}

[[nodiscard]] constexpr app_message read_quic(bytes payload) noexcept {
    if (!looks_like_quic(payload)) return {};
    small_details d;
    const bool is_long = (payload[0] & 0x80) != 0;
    d.version = load_be32(payload.data() + (is_long ? 1 : 9));
    d.type = is_long ? (payload[0] >> 4) & 3U : 0U;
    return {app_protocol::quic, d};
}

}  // namespace detail::app
}  // namespace v0
}  // namespace mldefender
