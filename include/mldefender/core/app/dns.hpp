// SPDX-License-Identifier: MIT
// DNS over UDP and TCP, and its relatives mDNS, LLMNR and NBNS: the first question's name as numbers (length, labels,
// entropy, hashes) and the sizes and TTLs of the answers. Refuses headers whose counts the message cannot hold;
// compression pointers must point backwards, so no message can make it loop. Called per packet.
#pragma once

#include <array>

#include <mldefender/core/app/message.hpp>
#include <mldefender/core/app/text.hpp>
#include <mldefender/core/math.hpp>

namespace mldefender {
inline namespace v0 {
namespace detail::app {

inline constexpr std::size_t dns_header_len = 12;

/// n * log2(n) in 1/4096 bit, and what adding one more of a character does to that sum.
struct entropy_tables {
    std::uint32_t sum[257];
    std::uint16_t step[256];
};
[[nodiscard]] consteval entropy_tables make_entropy_tables() noexcept {
    entropy_tables tables{};
    for (std::size_t n = 2; n <= 256; ++n) {
        const auto count = static_cast<double>(n);
        tables.sum[n] = static_cast<std::uint32_t>(count * log2_of(count) * 4096 + 0.5);
    }
    for (std::size_t n = 0; n < 256; ++n)
        tables.step[n] = static_cast<std::uint16_t>(tables.sum[n + 1] - tables.sum[n]);
    return tables;
}
inline constexpr entropy_tables entropy = make_entropy_tables();

/// Collects one name's characters: H = log2(n) - sum(c log2 c) / n, in integers so that every machine agrees.
class name_meter {
public:
    constexpr void add_label(bytes label, dns_details& d) noexcept {
        std::uint64_t hash = hash_seed;
        for (const std::uint8_t raw : label) {
            const std::uint8_t c = lower(raw);  // resolvers may randomise the case
            m_sum += entropy.step[m_counts[c]++];
            m_digits += is_digit(c) ? 1U : 0U;
            hash = hash_step(hash, c);
        }
        m_characters += static_cast<std::uint32_t>(label.size());
        for (std::size_t i = last_labels - 1; i > 0; --i) m_last[i] = m_last[i - 1];
        m_last[0] = {hash, static_cast<std::uint8_t>(label.size())};
        d.name_hash = hash_step(hash_step(d.name_hash == 0 ? hash_seed : d.name_hash, hash), label.size());
        if (d.labels < 255) ++d.labels;
        if (label.size() > d.longest_label) d.longest_label = static_cast<std::uint8_t>(label.size());
    }
    constexpr void finish(dns_details& d) const noexcept {
        if (d.labels == 0) return;
        d.name_len = static_cast<std::uint16_t>(m_characters + d.labels - 1U);
        d.digit_permille = static_cast<std::uint16_t>(m_characters == 0 ? 0 : m_digits * 1000U / m_characters);
        if (m_characters > 1) {
            const std::uint32_t n = m_characters < 256 ? m_characters : 256;
            const std::uint32_t all = entropy.sum[n];
            d.entropy_millibits = static_cast<std::uint16_t>((all > m_sum ? all - m_sum : 0U) / n * 1000U / 4096U);
        }
        // "co.uk", "com.br": a short label below a two-letter country belongs to the registry, not the owner.
        const bool registry = d.labels >= 3 && m_last[0].length == 2 && m_last[1].length <= 3;
        const std::size_t parts = registry ? 3 : (d.labels >= 2 ? 2 : 1);
        std::uint32_t suffix_len = static_cast<std::uint32_t>(parts) - 1;
        d.suffix_hash = hash_seed;
        for (std::size_t i = 0; i < parts; ++i) {
            d.suffix_hash = hash_step(d.suffix_hash, m_last[i].hash);
            suffix_len += m_last[i].length;
        }
        d.subname_len = static_cast<std::uint16_t>(d.name_len > suffix_len ? d.name_len - suffix_len - 1 : 0);
    }

private:
    struct part {
        std::uint64_t hash = 0;
        std::uint8_t length = 0;
    };
    static constexpr std::size_t last_labels = 3;

    std::array<std::uint8_t, 256> m_counts{};
    std::array<part, last_labels> m_last{};
    std::uint32_t m_sum = 0;
    std::uint32_t m_digits = 0;
    std::uint32_t m_characters = 0;
};

/// Calls `with_label` for each label of the name at `at`; returns where the message goes on behind the name, or 0
/// when the name is not well formed or longer than RFC 1035's 255 octets.
template <class WithLabel>
[[nodiscard]] constexpr std::size_t walk_dns_name(bytes message, std::size_t at, WithLabel&& with_label) noexcept {
    std::size_t end = 0;  // set at the first pointer: the name continues elsewhere, the message behind the pointer
    std::size_t total = 0;
    std::size_t bound = at;
    while (at < message.size()) {
        const std::uint8_t length = message[at];
        if (length == 0) return end != 0 ? end : at + 1;
        if (length >= 0xc0) {
            if (at + 1 >= message.size()) return 0;
            const std::size_t target = load_be16(message.data() + at) & 0x3fffU;
            if (end == 0) end = at + 2;
            if (target < dns_header_len || target >= bound) return 0;  // only backwards: ends for certain
            bound = at = target;
            continue;
        }
        if (length > 63 || message.size() - at - 1 < length) return 0;
        total += length + 1U;
        if (total > 255) return 0;
        with_label(message.subspan(at + 1, length));
        at += length + 1U;
    }
    return 0;
}

[[nodiscard]] constexpr std::size_t skip_dns_name(bytes message, std::size_t at) noexcept {
    while (at < message.size() && message[at] < 0xc0) {
        if (message[at] == 0) return at + 1;
        at += message[at] + std::size_t{1};
    }
    return at + 1 < message.size() ? at + 2 : message.size();
}

/// Answer sizes and TTLs, for as many answers as the payload holds (at most 64).
constexpr void read_dns_answers(bytes message, std::size_t at, dns_details& d) noexcept {
    std::uint32_t text = 0;
    std::uint32_t all = 0;
    for (unsigned i = 0; i < d.answers && i < 64; ++i) {
        at = skip_dns_name(message, at);
        if (at >= message.size() || message.size() - at < 10) break;
        const std::uint16_t type = load_be16(message.data() + at);
        const std::uint32_t ttl = load_be32(message.data() + at + 4);
        const std::uint16_t length = load_be16(message.data() + at + 8);
        d.min_ttl_s = i == 0 || ttl < d.min_ttl_s ? ttl : d.min_ttl_s;
        all += length;
        if (type == 16 || type == 10) text += length;
        at += std::size_t{10} + length;
    }
    d.text_bytes = static_cast<std::uint16_t>(text < 0xffff ? text : 0xffff);
    d.answer_bytes = static_cast<std::uint16_t>(all < 0xffff ? all : 0xffff);
}

/// The message behind TCP's two-byte length; empty when that length cannot be.
[[nodiscard]] constexpr bytes strip_dns_tcp_length(bytes payload) noexcept {
    if (payload.size() < 2 + dns_header_len) return {};
    const std::size_t length = load_be16(payload.data());
    return length < dns_header_len ? bytes{} : slice(payload, 2, length);
}

/// Header and first question as a DNS message has them: known opcode, reserved bit clear, counts that fit, a
/// well-formed name, a known class. `strict` for ports that are not DNS's own: one question, nothing unusual.
[[nodiscard]] constexpr bool looks_like_dns(bytes message, bool strict) noexcept {
    if (message.size() < dns_header_len) return false;
    const std::uint16_t flags = load_be16(message.data() + 2);
    const std::uint16_t questions = load_be16(message.data() + 4);
    const std::uint32_t answers = load_be16(message.data() + 6);
    const std::uint32_t records = answers + load_be16(message.data() + 8) + load_be16(message.data() + 10);
    const bool response = (flags & 0x8000) != 0;
    const unsigned opcode = (flags >> 11) & 15;
    if (opcode == 3 || opcode > 9 || (flags & 0x40) != 0) return false;
    if (questions > 32 || records > 512) return false;
    if (!response && strict && (answers != 0 || (flags & 15) != 0)) return false;
    if (strict && (questions != 1 || opcode != 0 || (flags & 15) > 10)) return false;
    if (questions == 0) return !strict && (response || records > 0);
    const std::size_t at = walk_dns_name(message, dns_header_len, [](bytes) {});
    if (at == 0 || message.size() - at < 4) return false;
    const std::uint16_t qtype = load_be16(message.data() + at);
    const unsigned qclass = load_be16(message.data() + at + 2) & 0x7fffU;
    return qtype != 0 && (qclass == 1 || qclass == 255 || (!strict && (qclass == 3 || qclass == 4 || qclass == 254)));
}

/// Reads a message of `of` (dns, mdns, llmnr or nbns) behind TCP's length, which is `stream_len` when there was one.
[[nodiscard]] constexpr app_message read_dns(app_protocol of, bytes message, std::uint16_t stream_len = 0) noexcept {
    if (message.size() < dns_header_len) return {};
    dns_details d;
    d.stream_len = stream_len;
    d.id = load_be16(message.data());
    const std::uint16_t flags = load_be16(message.data() + 2);
    const std::uint16_t questions = load_be16(message.data() + 4);
    d.answers = load_be16(message.data() + 6);
    d.opcode = static_cast<std::uint8_t>((flags >> 11) & 15);
    d.questions = static_cast<std::uint8_t>(questions < 255 ? questions : 255);
    if (questions > 32 || ((flags & 0x40) != 0 && of == app_protocol::dns)) return {};
    std::size_t at = dns_header_len;
    bytes name;
    if (questions > 0) {
        name_meter meter;
        at = walk_dns_name(message, at, [&](bytes label) { meter.add_label(label, d); });
        if (at == 0 || message.size() - at < 4) return {};
        meter.finish(d);
        d.qtype = load_be16(message.data() + at);
        name = message.subspan(dns_header_len, at - dns_header_len);
        if (name.size() != (d.labels == 0 ? std::size_t{1} : d.name_len + std::size_t{2})) name = {};  // compressed
        at += 4;
    }
    const bool response = (flags & 0x8000) != 0;
    if (response && questions <= 1) read_dns_answers(message, at, d);
    app_message m{of, d};
    m.is_response = response;
    m.code = flags & 15U;
    m.name = name;
    if (response && m.code == 3) m.facts |= app_fact::lookup_failed;
    if (!response && d.qtype == 255 && of == app_protocol::dns) m.facts |= app_fact::amplifier_request;
    return m;
}

/// A DNS message with or without TCP's length in front: whichever reading makes sense.
[[nodiscard]] constexpr app_message read_dns_any(bytes payload) noexcept {
    const bytes behind_length = strip_dns_tcp_length(payload);
    const bool exact = payload.size() > 2 && load_be16(payload.data()) + std::size_t{2} == payload.size();
    // Cut short by its segment: nothing else says that there is a length, so that both readings are tried.
    const bool cut = payload.size() > 2 && load_be16(payload.data()) + std::size_t{2} > payload.size();
    if ((exact || (cut && !looks_like_dns(payload, false))) && looks_like_dns(behind_length, false)) {
        return read_dns(app_protocol::dns, behind_length, load_be16(payload.data()));
    }
    const app_message plain = read_dns(app_protocol::dns, payload);
    return plain ? plain : read_dns(app_protocol::dns, behind_length);
}

}  // namespace detail::app

/// A DNS name as dotted text, cut at 253 characters.
struct dns_text {
    std::array<char, 253> characters{};  ///< not terminated
    std::uint8_t length = 0;             ///< characters in use
    /// The text; lives as long as this object.
    [[nodiscard]] constexpr std::string_view view() const noexcept { return {characters.data(), length}; }
};

/// The dotted spelling of `app_message::name` of a DNS message; bytes that are not printable become '?'.
[[nodiscard]] constexpr dns_text dns_name_text(bytes wire) noexcept {
    dns_text out;
    const auto put = [&out](std::uint8_t c) {
        if (out.length < out.characters.size()) out.characters[out.length++] = static_cast<char>(c);
    };
    while (!wire.empty() && wire[0] != 0 && wire[0] < 64) {
        if (out.length > 0) put('.');
        for (const std::uint8_t c : detail::app::slice(wire, 1, wire[0])) put(c > 0x20 && c < 0x7f ? c : '?');
        wire = detail::app::slice(wire, wire[0] + std::size_t{1});
    }
    return out;
}

}  // namespace v0
}  // namespace mldefender
