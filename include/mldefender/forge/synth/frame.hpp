// SPDX-License-Identifier: MIT
// Writes whole frames (Ethernet, 802.1Q, IPv4 or IPv6, TCP, UDP, ICMP, SCTP, IPv4 fragments) into a trace, with right
// lengths, check sums, TTLs, padding and identification. A body that is only a size is stored cut short; what is not
// stored counts as zeros, so check sums are those of the frame filled up with zeros. It refuses frames the trace does
// not want. Called by conversations and by behaviours that craft packets.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include <mldefender/core/address.hpp>
#include <mldefender/core/bytes.hpp>
#include <mldefender/core/packet.hpp>
#include <mldefender/forge/synth/blob.hpp>
#include <mldefender/forge/synth/random.hpp>
#include <mldefender/forge/synth/trace.hpp>
#include <mldefender/forge/synth/world.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {

/// Payload of one frame: `head`, then filler up to `size`, of which `kept` bytes of filler at most are stored.
struct body {
    bytes head;                          ///< exact bytes
    std::uint32_t size = 0;              ///< bytes altogether, on the wire
    body_kind kind = body_kind::random;  ///< what the filler looks like
    std::uint32_t kept = 64;             ///< bytes of filler stored in the trace at most
};

/// TCP header fields a sender chooses.
struct tcp_fields {
    std::uint16_t source_port = 0;       ///< in host order, like all of these
    std::uint16_t destination_port = 0;  ///< of the receiver
    std::uint32_t seq = 0;               ///< of the first payload byte
    std::uint32_t ack = 0;               ///< sent whether the ACK bit is set or not
    std::uint16_t window = 0;            ///< as on the wire, not scaled
    std::uint8_t flags = 0;              ///< bits of `tcp_flag`
    std::uint8_t ttl = 0;                ///< as sent; 0: what the host's system uses
    bytes options;                       ///< a multiple of four bytes, at most 40
};

namespace detail {

inline void store_be16(std::uint8_t* at, std::uint32_t v) noexcept {
    at[0] = static_cast<std::uint8_t>(v >> 8);
    at[1] = static_cast<std::uint8_t>(v);
}
inline void store_be32(std::uint8_t* at, std::uint32_t v) noexcept {
    store_be16(at, v >> 16);
    store_be16(at + 2, v);
}
inline void store_be64(std::uint8_t* at, std::uint64_t v) noexcept {
    store_be32(at, static_cast<std::uint32_t>(v >> 32));
    store_be32(at + 4, static_cast<std::uint32_t>(v));
}
/// One's complement sum of big-endian words (RFC 1071), to be folded by `fold`.
[[nodiscard]] inline std::uint64_t sum_words(const std::uint8_t* at, std::size_t count) noexcept {
    std::uint64_t sum = 0;
    std::size_t i = 0;
    for (; i + 4 <= count; i += 4) sum += load_be32(at + i);
    if (i + 2 <= count) {
        sum += load_be16(at + i);
        i += 2;
    }
    if (i < count) sum += static_cast<std::uint64_t>(at[i]) << 8;
    return sum;
}
[[nodiscard]] inline std::uint16_t fold(std::uint64_t sum) noexcept {
    while (sum >> 16) sum = (sum & 0xffffU) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}
/// CRC-32C (Castagnoli), reflected, as RFC 9260 wants it.
[[nodiscard]] inline std::uint32_t crc32c(bytes b) noexcept {
    std::uint32_t crc = ~0U;
    for (const std::uint8_t byte : b) {
        crc ^= byte;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1U ? 0x82f63b78U : 0U);
    }
    return ~crc;
}

}  // namespace detail

/// Writes frames of one scenario. Not thread safe.
class frame_writer {
public:
    /// Writes into `out`, which like `random` must outlive it.
    frame_writer(trace& out, rng& random) noexcept : m_out(&out), m_random(&random) {}

    std::uint16_t vlan = 0;  ///< 802.1Q id of all frames, 0 untagged
    bool padded = true;      ///< short frames are filled up to 60 bytes, as behind a network card

    /// A TCP segment; `from` is not const because its IP identification counts on.
    void tcp(behaviour_tag tag, std::int64_t when, host& from, const host& to, bool six, const tcp_fields& f,
             const body& payload = {}) {
        if (!m_out->wants(when)) return;
        ends e{&from, &to, f.source_port, f.destination_port};
        if (!seen(e, ip_protocol::tcp, six)) return;
        const auto header = static_cast<std::uint32_t>(20 + f.options.size());
        m_ttl = f.ttl;
        std::uint8_t* const at = begin(tag, when, *e.from, *e.to, six, ip_protocol::tcp, header, payload);
        m_ttl = 0;
        detail::store_be16(at, e.source_port);
        detail::store_be16(at + 2, e.destination_port);
        detail::store_be32(at + 4, f.seq);
        detail::store_be32(at + 8, f.ack);
        at[12] = static_cast<std::uint8_t>((header / 4) << 4);
        at[13] = f.flags;
        detail::store_be16(at + 14, f.window);
        if (!f.options.empty()) std::memcpy(at + 20, f.options.data(), f.options.size());
        finish(at, header, 16, *e.from, *e.to, six, ip_protocol::tcp, payload);
    }

    /// A datagram; over 1472 bytes (IPv4) it goes out in fragments 50 us apart.
    void udp(behaviour_tag tag, std::int64_t when, host& from, const host& to, bool six, std::uint16_t source_port,
             std::uint16_t destination_port, const body& payload) {
        if (!m_out->wants(when)) return;
        ends e{&from, &to, source_port, destination_port};
        if (!seen(e, ip_protocol::udp, six)) return;
        const std::uint32_t whole = payload.size;
        body first = payload;
        if (!six && whole > 1472) first.size = 1472;
        if (first.head.size() > first.size) first.head = first.head.first(first.size);
        m_more_fragments = first.size < whole;
        std::uint8_t* const at = begin(tag, when, *e.from, *e.to, six, ip_protocol::udp, 8, first);
        m_more_fragments = false;
        detail::store_be16(at, e.source_port);
        detail::store_be16(at + 2, e.destination_port);
        detail::store_be16(at + 4, 8 + whole);
        finish(at, 8, 6, *e.from, *e.to, six, ip_protocol::udp, first, whole != first.size);
        for (std::uint32_t done = first.size + 8; done < whole + 8; done += 1480) {
            const std::uint32_t size = std::min(1480U, whole + 8 - done);
            when += 50 * units::us;
            if (!m_out->wants(when)) return;
            m_fragment_offset = static_cast<std::uint16_t>(done / 8);
            m_more_fragments = done + size < whole + 8;
            body rest{{}, size, payload.kind, payload.kept};
            if (done - 8 < payload.head.size()) rest.head = payload.head.subspan(done - 8);
            std::uint8_t* const more = begin(tag, when, *e.from, *e.to, false, ip_protocol::udp, 0, rest);
            fill_body(more, rest);
            m_fragment_offset = 0;
            m_more_fragments = false;
        }
    }

    /// ICMP or, with `six`, ICMPv6; `rest` is the second header word (identifier and sequence, or unused).
    void icmp(behaviour_tag tag, std::int64_t when, host& from, const host& to, bool six, std::uint8_t type,
              std::uint8_t code, std::uint32_t rest, const body& payload = {}) {
        if (!m_out->wants(when)) return;
        const ip_protocol protocol = six ? ip_protocol::icmpv6 : ip_protocol::icmp;
        ends e{&from, &to, 0, 0};
        if (!seen(e, protocol, six)) return;
        std::uint8_t* const at = begin(tag, when, *e.from, *e.to, six, protocol, 8, payload);
        at[0] = type;
        at[1] = code;
        detail::store_be32(at + 4, rest);
        finish(at, 8, 2, *e.from, *e.to, six, protocol, payload);
    }

    /// An SCTP packet of one chunk (RFC 9260), with its CRC-32C.
    void sctp(behaviour_tag tag, std::int64_t when, host& from, const host& to, bool six, std::uint16_t source_port,
              std::uint16_t destination_port, std::uint32_t verification, bytes chunk) {
        if (!m_out->wants(when)) return;
        ends e{&from, &to, source_port, destination_port};
        if (!seen(e, ip_protocol::sctp, six)) return;
        const body b{chunk, static_cast<std::uint32_t>(chunk.size()), body_kind::zeros, 0};
        std::uint8_t* const at = begin(tag, when, *e.from, *e.to, six, ip_protocol::sctp, 12, b);
        detail::store_be16(at, e.source_port);
        detail::store_be16(at + 2, e.destination_port);
        detail::store_be32(at + 4, verification);
        fill_body(at + 12, b);
        const std::uint32_t crc = detail::crc32c({at, 12 + chunk.size()});
        for (std::size_t i = 0; i < 4; ++i) at[8 + i] = static_cast<std::uint8_t>(crc >> (8 * i));
    }

    /// A datagram of any other protocol: GRE, ESP, or one that nobody speaks.
    void other(behaviour_tag tag, std::int64_t when, host& from, const host& to, bool six, ip_protocol protocol,
               const body& payload) {
        if (!m_out->wants(when)) return;
        ends e{&from, &to, 0, 0};
        if (!seen(e, protocol, six)) return;
        fill_body(begin(tag, when, *e.from, *e.to, six, protocol, 0, payload), payload);
    }

private:
    /// Who speaks to whom, as it looks where the sensor stands.
    struct ends {
        host* from;
        const host* to;
        std::uint16_t source_port;
        std::uint16_t destination_port;
    };
    /// Translates addresses and ports when the sensor is outside of the router; false when it sees nothing there.
    [[nodiscard]] bool seen(ends& e, ip_protocol protocol, bool six) {
        translator* const nat = m_out->nat;
        if (nat == nullptr) return true;
        five_tuple t{e.from->at(six), e.to->at(six), e.source_port, e.destination_port, protocol};
        if (!nat->translate(t)) return false;
        ++e.from->ip_id;  // the copies below forget theirs
        m_outer = {*e.from, *e.to};
        host& inner = m_outer[e.from->local ? 0 : 1];
        inner.mac = {2, 0, 0, 0, 0, 1};
        ++inner.hops;
        (six ? m_outer[0].v6 : m_outer[0].v4) = t.source;
        (six ? m_outer[1].v6 : m_outer[1].v4) = t.destination;
        e = {&m_outer[0], &m_outer[1], t.source_port, t.destination_port};
        return true;
    }

    [[nodiscard]] static std::uint32_t stored_of(const body& b) noexcept {
        const auto head = static_cast<std::uint32_t>(b.head.size());
        return std::min(b.size, head + b.kept);
    }

    /// Link and network headers; returns where the transport header goes.
    std::uint8_t* begin(behaviour_tag tag, std::int64_t when, host& from, const host& to, bool six,
                        ip_protocol protocol, std::uint32_t header, const body& payload) {
        const std::uint32_t link = vlan != 0 ? 18 : 14;
        const std::uint32_t ip = six ? 40 : 20;
        const std::uint32_t datagram = ip + header + payload.size;
        const std::uint32_t full = link + datagram;
        const std::uint32_t wire = padded && full < 60 ? 60 : full;
        const std::uint32_t stored = wire > full ? wire : link + ip + header + stored_of(payload);
        std::uint8_t* at = m_out->add(when, stored, wire, tag);
        std::memcpy(at, to.mac.data(), 6);
        std::memcpy(at + 6, from.mac.data(), 6);
        at += 12;
        if (vlan != 0) {
            detail::store_be16(at, 0x8100);
            detail::store_be16(at + 2, vlan);
            at += 4;
        }
        detail::store_be16(at, six ? 0x86dd : 0x0800);
        at += 2;
        const auto ttl = static_cast<std::uint8_t>((m_ttl != 0 ? m_ttl : from.os->ttl) - from.hops);
        if (six) {
            at[0] = 0x60;
            detail::store_be16(at + 4, header + payload.size);
            at[6] = static_cast<std::uint8_t>(protocol);
            at[7] = ttl;
            detail::store_be64(at + 8, from.v6.high);
            detail::store_be64(at + 16, from.v6.low);
            detail::store_be64(at + 24, to.v6.high);
            detail::store_be64(at + 32, to.v6.low);
            return at + 40;
        }
        at[0] = 0x45;
        detail::store_be16(at + 2, datagram);
        detail::store_be16(at + 4, identification(from, protocol));
        const std::uint32_t do_not_fragment = protocol == ip_protocol::tcp ? 0x4000U : 0U;
        detail::store_be16(at + 6, do_not_fragment | (m_more_fragments ? 0x2000U : 0U) | m_fragment_offset);
        at[8] = ttl;
        at[9] = static_cast<std::uint8_t>(protocol);
        detail::store_be32(at + 12, from.v4.v4_number());
        detail::store_be32(at + 16, to.v4.v4_number());
        detail::store_be16(at + 10, detail::fold(detail::sum_words(at, 20)));
        return at + 20;
    }

    [[nodiscard]] std::uint16_t identification(host& from, ip_protocol protocol) noexcept {
        if (m_fragment_offset != 0) return from.ip_id;  // fragments of one datagram share it
        if (from.os->id_mode == 0 && protocol == ip_protocol::tcp && !m_more_fragments) return 0;
        if (from.os->id_mode == 2) return from.ip_id = static_cast<std::uint16_t>(m_random->next());
        return ++from.ip_id;
    }

    void fill_body(std::uint8_t* at, const body& payload) noexcept {
        const std::uint32_t head = std::min(payload.size, static_cast<std::uint32_t>(payload.head.size()));
        if (head > 0) std::memcpy(at, payload.head.data(), head);
        const std::uint32_t filler = stored_of(payload) - head;
        if (payload.kind == body_kind::random) {
            m_random->fill(at + head, filler);
        } else if (payload.kind == body_kind::text) {
            static constexpr char sample[] =
                "the eta oin shr dlu and <p class=\"a\"> for in 10 of {\"id\": 27, } to is\r\n";
            const std::uint32_t phase = m_random->below(sizeof sample - 1);
            for (std::uint32_t i = 0; i < filler; ++i) {
                at[head + i] = static_cast<std::uint8_t>(sample[(phase + i * 7 + i / 5) % (sizeof sample - 1)]);
            }
        }
    }

    /// Body and check sum of a transport segment at `at`.
    void finish(std::uint8_t* at, std::uint32_t header, std::uint32_t sum_at, const host& from, const host& to,
                bool six, ip_protocol protocol, const body& payload, bool skip_sum = false) noexcept {
        fill_body(at + header, payload);
        if (skip_sum) return;  // a fragmented UDP datagram over IPv4 may go without
        std::uint64_t sum = detail::sum_words(at, header + stored_of(payload));
        if (protocol != ip_protocol::icmp) {
            const auto add = [&sum](std::uint64_t word) { sum += (word >> 32) + (word & 0xffff'ffffU); };
            if (six) {
                add(from.v6.high), add(from.v6.low), add(to.v6.high), add(to.v6.low);
            } else {
                sum += std::uint64_t{from.v4.v4_number()} + to.v4.v4_number();
            }
            sum += static_cast<std::uint64_t>(protocol) + header + payload.size;
        }
        std::uint16_t check = detail::fold(sum);
        if (check == 0 && protocol == ip_protocol::udp) check = 0xffff;
        detail::store_be16(at + sum_at, check);
    }

    trace* m_out;
    rng* m_random;
    std::array<host, 2> m_outer;  ///< both ends as a translating router shows them
    std::uint8_t m_ttl = 0;       ///< of the present frame, 0: the host's
    std::uint16_t m_fragment_offset = 0;
    bool m_more_fragments = false;
};

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
