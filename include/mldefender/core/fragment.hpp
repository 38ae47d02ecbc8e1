// SPDX-License-Identifier: MIT
// Gives later fragments the ports of their datagram's first fragment, so that they count to the same flow. It does not
// reassemble and holds no payload: a fixed table of recent first fragments, 30 s each, the oldest of a bucket
// replaced when it is full, so a flood of fragments costs neither memory nor time. One table per worker, between parser
// and flow table. A later fragment that comes before its first keeps ports 0.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <mldefender/core/address.hpp>
#include <mldefender/core/hash.hpp>
#include <mldefender/core/packet.hpp>

namespace mldefender {
inline namespace v0 {

/// What a fragment table has seen.
struct fragment_counters {
    std::uint64_t firsts = 0;    ///< first fragments registered
    std::uint64_t resolved = 0;  ///< later fragments that got their ports
    std::uint64_t orphans = 0;   ///< later fragments without a known first one
    std::uint64_t replaced = 0;  ///< first fragments forgotten before their 30 s because the bucket was full

    /// Equal in every counter.
    friend constexpr bool operator==(const fragment_counters&, const fragment_counters&) noexcept = default;
};

/// Recent first fragments by (source, destination, protocol, identification). `Capacity` is a power of two, at least 4;
/// an entry takes 56 bytes. Not thread safe: one owner. Usable while compiling.
template <std::size_t Capacity = 4096>
class fragment_table {
    static constexpr std::size_t ways = 4;
    static_assert(Capacity >= ways && (Capacity & (Capacity - 1)) == 0,
                  "fragment_table: Capacity is a power of two, >= 4");

public:
    /// How long a datagram's fragments may be apart (RFC 8200 gives reassembly 60 s, Linux 30 s).
    static constexpr std::int64_t lifetime_ns = 30'000'000'000;

    /// `secret` decides the buckets. Live sensors pass a random one, since an attacker chooses the keys; replays keep
    /// 0.
    constexpr explicit fragment_table(hash_secret secret = {}) noexcept : m_secret(secret) {}

    /// Registers a first fragment; fills in ports (ICMP: type and code) of a later one. Every other packet passes
    /// untouched. False only for a later fragment whose first one is unknown.
    constexpr bool resolve(packet& p) noexcept {
        if (!p.fragment) return true;
        if (p.later_fragment) return complete(p);
        add(p);
        return true;
    }

    /// What has been seen so far.
    [[nodiscard]] constexpr const fragment_counters& counters() const noexcept { return m_counters; }

private:
    struct entry {
        address source;
        address destination;
        std::int64_t seen_ns = 0;
        std::uint32_t id = 0;
        std::uint16_t source_port = 0;
        std::uint16_t destination_port = 0;
        ip_protocol protocol = ip_protocol::tcp;
        std::uint8_t icmp_type = 0;
        std::uint8_t icmp_code = 0;
        bool used = false;
    };

    [[nodiscard]] static constexpr bool alive(const entry& e, std::int64_t now_ns) noexcept {
        return e.used && now_ns - e.seen_ns <= lifetime_ns;
    }
    [[nodiscard]] static constexpr bool same(const entry& e, const packet& p) noexcept {
        return e.used && e.id == p.fragment_id && e.protocol == p.tuple.protocol && e.source == p.tuple.source &&
               e.destination == p.tuple.destination;
    }
    [[nodiscard]] constexpr entry* bucket_of(const packet& p) noexcept {
        const std::uint64_t datagram =
            (std::uint64_t{p.fragment_id} << 8) | static_cast<std::uint8_t>(p.tuple.protocol);
        const std::uint64_t h =
            hash_of(p.tuple.source, m_secret) ^ hash_of(hash_of(p.tuple.destination, m_secret) + datagram, m_secret);
        return m_entries.data() + (h % (Capacity / ways)) * ways;
    }

    constexpr bool complete(packet& p) noexcept {
        const entry* const bucket = bucket_of(p);
        for (std::size_t i = 0; i < ways; ++i) {
            const entry& e = bucket[i];
            if (!same(e, p) || !alive(e, p.timestamp_ns)) continue;
            p.tuple.source_port = e.source_port;
            p.tuple.destination_port = e.destination_port;
            p.icmp_type = e.icmp_type;
            p.icmp_code = e.icmp_code;
            ++m_counters.resolved;
            return true;
        }
        ++m_counters.orphans;
        return false;
    }

    /// Into the entry of the same datagram, else a free or expired one, else the oldest.
    constexpr void add(const packet& p) noexcept {
        entry* const bucket = bucket_of(p);
        entry* slot = bucket;
        for (std::size_t i = 0; i < ways; ++i) {
            if (same(bucket[i], p)) {
                slot = bucket + i;
                break;
            }
            if (alive(*slot, p.timestamp_ns) &&
                (!alive(bucket[i], p.timestamp_ns) || bucket[i].seen_ns < slot->seen_ns)) {
                slot = bucket + i;
            }
        }
        if (alive(*slot, p.timestamp_ns) && !same(*slot, p)) ++m_counters.replaced;
        ++m_counters.firsts;
        *slot = {p.tuple.source,           p.tuple.destination, p.timestamp_ns, p.fragment_id, p.tuple.source_port,
                 p.tuple.destination_port, p.tuple.protocol,    p.icmp_type,    p.icmp_code,   true};
    }

    std::array<entry, Capacity> m_entries{};
    hash_secret m_secret;
    fragment_counters m_counters;
};

}  // namespace v0
}  // namespace mldefender
