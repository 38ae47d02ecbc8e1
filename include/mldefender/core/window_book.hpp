// SPDX-License-Identifier: MIT
// All host windows and pair histories of a sensor, in fixed memory, split into shards like the flows. Observations
// are applied shard by shard in their order, so the content does not depend on how many workers share the work.
// The pipeline applies what flows reported, then reads the windows while nobody writes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <mldefender/core/extract.hpp>
#include <mldefender/core/slot_table.hpp>
#include <mldefender/core/window.hpp>

namespace mldefender {
inline namespace v0 {

/// Sizes of the books; both are rounded up to a multiple of 512.
struct window_options {
    std::size_t hosts = 16'384;  ///< host windows kept
    std::size_t pairs = 65'536;  ///< pair histories kept
};

/// The hashes under which a report's two hosts and their pair are kept.
struct window_keys {
    std::uint64_t initiator = 0;  ///< of the initiator's address
    std::uint64_t responder = 0;  ///< of the responder's address
    std::uint64_t pair = 0;       ///< of both, port and protocol
};

/// Keys of a flow under the sensor's secret.
[[nodiscard]] constexpr window_keys keys_of(const five_tuple& t, hash_secret secret) noexcept {
    window_keys k;
    k.initiator = hash_of(t.source, secret);
    k.responder = hash_of(t.destination, secret);
    const std::uint64_t service = t.destination_port * 256ULL + static_cast<std::uint64_t>(t.protocol);
    k.pair = hash_of(fold_multiply(k.initiator ^ 0x2d358dccaa6c78a5ULL, k.responder) ^ service, secret);
    return k;
}

/// The books. `apply` may run on different shards at once, `look_up` on any number of threads while nothing is applied.
class window_book {
public:
    /// Allocates all it will ever need.
    constexpr explicit window_book(const window_options& options) : m_hosts(options.hosts), m_pairs(options.pairs) {}

    /// Records pushed out by an `apply` call.
    struct evictions {
        std::uint64_t hosts = 0;  ///< host windows
        std::uint64_t pairs = 0;  ///< pair histories
    };

    /// Hints that a report with these keys comes soon.
    constexpr void prefetch(const window_keys& keys) const noexcept {
        m_hosts.prefetch(keys.initiator);
        m_hosts.prefetch(keys.responder);
        m_pairs.prefetch(keys.pair);
    }

    /// Notes `o` wherever `mine(shard)` says so.
    template <class Mine>
    constexpr void apply(const observation& o, const window_keys& keys, evictions& lost, Mine&& mine) noexcept {
        if (mine(shard_of(keys.initiator))) note_initiator(host(o.tuple.source, keys.initiator, o, lost), o);
        if (mine(shard_of(keys.responder))) note_responder(host(o.tuple.destination, keys.responder, o, lost), o);
        if (concerns_pair(o.kind) && mine(shard_of(keys.pair))) note_in_pair(o, keys.pair, lost);
    }

    /// Fills the pointers of `context` for a flow.
    constexpr void look_up(const five_tuple& t, const window_keys& keys, flow_context& context) const noexcept {
        context.initiator = find_host(t.source, keys.initiator);
        context.responder = find_host(t.destination, keys.responder);
        const std::uint32_t slot = find_pair(t, keys.pair);
        context.pair = slot == slot_table<pair_history>::none ? nullptr : &m_pairs[slot];
    }

    /// Forgets hosts and pairs of a shard that have been silent for longer than any feature looks back.
    constexpr void forget(std::size_t shard, std::int64_t now_ns) noexcept {
        m_hosts.for_unseen(shard, coarse_ticks(now_ns), coarse_ticks(host_memory_ns),
                           [&](std::uint32_t slot) { return m_hosts.erase(slot), true; });
        m_pairs.for_unseen(shard, coarse_ticks(now_ns), coarse_ticks(pair_memory_ns),
                           [&](std::uint32_t slot) { return m_pairs.erase(slot), true; });
    }

    /// Host windows held now.
    [[nodiscard]] constexpr std::size_t hosts() const noexcept { return m_hosts.size(); }
    /// Pair histories held now.
    [[nodiscard]] constexpr std::size_t pairs() const noexcept { return m_pairs.size(); }

private:
    // A flow's line is written when it has timed out, and still tells what its hosts did when it fell silent.
    static constexpr std::int64_t host_memory_ns = (odd_signs::memory_s + 120) * 1'000'000'000LL;
    static constexpr std::int64_t pair_memory_ns = 6LL * 3600 * 1'000'000'000;

    [[nodiscard]] constexpr const host_window* find_host(const address& a, std::uint64_t key) const noexcept {
        const std::uint32_t slot = m_hosts.find(key, [&](const host_window& w) { return w.host == a; });
        return slot == slot_table<host_window>::none ? nullptr : &m_hosts[slot];
    }
    [[nodiscard]] constexpr std::uint32_t find_pair(const five_tuple& t, std::uint64_t key) const noexcept {
        return m_pairs.find(key, [&](const pair_history& p) {
            return p.initiator == t.source && p.responder == t.destination && p.port == t.destination_port &&
                   p.protocol == t.protocol;
        });
    }

    constexpr host_window& host(const address& a, std::uint64_t key, const observation& o, evictions& lost) noexcept {
        const std::uint32_t now = coarse_ticks(o.timestamp_ns);
        std::uint32_t slot = m_hosts.find(key, [&](const host_window& w) { return w.host == a; });
        if (slot == slot_table<host_window>::none) {
            slot = m_hosts.insert(key, now, [&](std::uint32_t) { ++lost.hosts; });
            m_hosts[slot].host = a;
        } else if (m_hosts[slot].weight < 255) {
            ++m_hosts[slot].weight;
        }
        // A host heard of once, as a forged source is, goes before one that has a history.
        m_hosts.touch(slot, now, static_cast<std::uint8_t>(m_hosts[slot].weight / 4));
        return m_hosts[slot];
    }

    constexpr void note_in_pair(const observation& o, std::uint64_t key, evictions& lost) noexcept {
        const std::uint32_t now = coarse_ticks(o.timestamp_ns);
        std::uint32_t slot = find_pair(o.tuple, key);
        if (slot == slot_table<pair_history>::none) {
            if (o.kind != observation_kind::contact) return;
            slot = m_pairs.insert(key, now, [&](std::uint32_t) { ++lost.pairs; });
            pair_history& p = m_pairs[slot];
            p.initiator = o.tuple.source;
            p.responder = o.tuple.destination;
            p.port = o.tuple.destination_port;
            p.protocol = o.tuple.protocol;
        }
        note_pair(m_pairs[slot], o);
        m_pairs.touch(slot, now, static_cast<std::uint8_t>(std::min<std::uint32_t>(m_pairs[slot].contacts, 255)));
    }

    slot_table<host_window> m_hosts;
    slot_table<pair_history> m_pairs;
};

}  // namespace v0
}  // namespace mldefender
