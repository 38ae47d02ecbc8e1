// SPDX-License-Identifier: MIT
// One attack is one story: alarmed decisions are grouped by attacker (for floods: by victim) and class. A story is
// opened once, refreshed ever less often (10 s, then 20, 40, ...), and closed when nothing was added for a while; a
// flow that looks like the story's other flows belongs to it even when its own decision came too early to tell.
// Bounded: when there are too many stories, the one longest without news is closed to make room.
// Used by the pipeline's last, single-threaded step; `match` may be called by several threads between those steps.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include <mldefender/core/attack.hpp>
#include <mldefender/core/compose.hpp>
#include <mldefender/core/event.hpp>
#include <mldefender/core/flow.hpp>
#include <mldefender/core/hash.hpp>
#include <mldefender/core/sketch.hpp>
#include <mldefender/core/slot_table.hpp>

namespace mldefender {
inline namespace v0 {

/// How stories behave.
struct story_options {
    std::size_t capacity = 1024;               ///< open stories, rounded up to a multiple of 512
    std::int64_t refresh_ns = 10'000'000'000;  ///< least time to the first refresh; doubles with each, 32 times at most
    std::int64_t close_after_ns = 60'000'000'000;  ///< silence that ends a story
    std::int64_t reach_back_ns = 10'000'000'000;   ///< flows that ended this long before the opening still belong
};

/// One attack as seen so far. The shape (protocol, port, peer) is what all its flows have in common; a part in which
/// they differ is left open.
struct story {
    address actor;                             ///< attacker, or victim when `by_victim`
    attack_class attack = attack_class::none;  ///< what its flows are said to be
    bool by_victim = false;                    ///< told from the victim's side, as floods are
    bool malicious = false;                    ///< a decision reached the malicious threshold
    bool any_port = false;                     ///< flows go to several ports
    bool any_peer = false;                     ///< flows have several other ends
    ip_protocol protocol = ip_protocol::tcp;   ///< of all its flows
    std::uint16_t port = 0;                    ///< responder port
    address peer;                              ///< the other end
    std::uint64_t id = 0;                      ///< flow id of the flow that opened it
    std::int64_t opened_ns = 0;                ///< first alert, capture time since the Unix epoch
    std::int64_t last_ns = 0;                  ///< last flow added
    std::int64_t told_ns = 0;                  ///< last alert
    std::uint8_t refreshes = 0;                ///< alerts since it was opened
    std::uint64_t flows = 0;                   ///< flows counted to it so far
    shown_scores worst;                        ///< the decision with the largest score so far; rules of all decisions
    event told;                                ///< the last alert, for the closing line
    distinct_counter<256> peers;               ///< other ends, estimated
    distinct_counter<256> ports;               ///< responder ports, estimated
};

/// True when stories of this class are told from the victim's side, because the sources are many or forged.
[[nodiscard]] constexpr bool told_by_victim(attack_class c) noexcept { return c == attack_class::ddos; }

namespace detail {

/// The end of a flow its story is told of, and the other one.
[[nodiscard]] constexpr const address& actor_of(const flow& f, bool by_victim) noexcept {
    return by_victim ? f.tuple.destination : f.tuple.source;
}
[[nodiscard]] constexpr const address& peer_of(const flow& f, bool by_victim) noexcept {
    return actor_of(f, !by_victim);
}

/// Whether a flow could be one of those a story of this class is made of, whatever the other flows look like.
[[nodiscard]] constexpr bool fits_class(const flow& f, attack_class c) noexcept {
    switch (c) {
        // A probe says little and learns little: a service that was really used is not part of the scan.
        case attack_class::scan: return f.forward.packets() <= 12 && f.backward.payload_bytes <= 2048;
        case attack_class::ddos: return !f.answered() || f.progress < flow_progress::established;
        case attack_class::dns_tunnel:
        case attack_class::bruteforce:
        case attack_class::lateral:
        case attack_class::botnet:
        case attack_class::exfil:
        case attack_class::ransomware:
        case attack_class::web:
        case attack_class::anomaly: return true;
        case attack_class::none:
        case attack_class::count_: break;
    }
    return false;
}

/// Whether all flows of such a story must share port and peer with those known: only scans and floods spread.
[[nodiscard]] constexpr bool fits_shape(const story& s, const flow& f) noexcept {
    if (f.tuple.protocol != s.protocol) return false;
    // A flood of one port says nothing about the victim's other services; a flood of all ports is never answered.
    if (s.any_port && s.by_victim && f.answered()) return false;
    if (!s.any_port && f.tuple.destination_port != s.port) return false;
    return s.any_peer || peer_of(f, s.by_victim) == s.peer;
}

}  // namespace detail

/// The open stories.
class story_table {
public:
    /// Allocates all it will ever need.
    constexpr explicit story_table(const story_options& options) : m_options(options), m_stories(options.capacity) {}

    /// As given.
    [[nodiscard]] constexpr const story_options& options() const noexcept { return m_options; }
    /// Open stories.
    [[nodiscard]] constexpr std::size_t size() const noexcept { return m_open; }

    /// The open story `f` belongs to by its looks, or null. Safe from several threads while nothing is added.
    [[nodiscard]] constexpr const story* match(const flow& f) const noexcept {
        if (m_open == 0) return nullptr;
        const story* found = match_actor(f, false);
        return found != nullptr ? found : match_actor(f, true);
    }

    /// Adds an alarmed flow to the story of its actor and class. `opened` tells whether it is a new one; a story pushed
    /// out to make room is handed to `closed(const story&)`.
    template <class Closed>
    constexpr story& add(const flow& f, attack_class attack, std::int64_t now_ns, bool& opened,
                         Closed&& closed) noexcept {
        const bool by_victim = told_by_victim(attack);
        const address& actor = detail::actor_of(f, by_victim);
        const std::uint64_t hash = hash_of(actor);
        const std::uint32_t ticks = coarse_ticks(now_ns);
        std::uint32_t slot = m_stories.find(
            hash, [&](const story& s) { return s.actor == actor && s.attack == attack && s.by_victim == by_victim; });
        opened = slot == slot_table<story>::none;
        if (opened) {
            ++m_open;
            slot = m_stories.insert(hash, ticks, [&](std::uint32_t old) {
                closed(m_stories[old]);
                --m_open;
            });
            story& s = m_stories[slot];
            s.actor = actor;
            s.attack = attack;
            s.by_victim = by_victim;
            s.protocol = f.tuple.protocol;
            s.port = f.tuple.destination_port;
            s.peer = detail::peer_of(f, by_victim);
            s.id = f.id;
            s.opened_ns = now_ns;
        }
        story& s = m_stories[slot];
        m_stories.touch(slot, ticks, s.malicious);
        note(s, f, now_ns);
        return s;
    }

    /// Whether there has been nothing about `s` for long enough: an attack that goes on for hours is told ever less
    /// often.
    [[nodiscard]] constexpr bool is_due(const story& s, std::int64_t now_ns) const noexcept {
        return now_ns - s.told_ns >= m_options.refresh_ns << std::min<std::uint8_t>(s.refreshes, 5);
    }

    /// Counts a flow that `match` assigned to `found`.
    constexpr story& join(const story& found, const flow& f, std::int64_t now_ns) noexcept {
        const std::uint32_t slot = m_stories.find(hash_of(found.actor), [&](const story& s) { return &s == &found; });
        story& s = m_stories[slot];
        m_stories.touch(slot, coarse_ticks(now_ns), s.malicious);
        note(s, f, now_ns);
        return s;
    }

    /// Ends the stories without news since `close_after_ns`, or all of them when `all`.
    template <class Closed>
    constexpr void close_quiet(std::int64_t now_ns, bool all, Closed&& closed) noexcept {
        for (std::size_t shard = 0; shard < shard_count; ++shard) {
            m_stories.for_unseen(shard, 0, 0, [&](std::uint32_t slot) {
                if (all || now_ns - m_stories[slot].last_ns >= m_options.close_after_ns) {
                    closed(m_stories[slot]);
                    m_stories.erase(slot);
                    --m_open;
                }
                return true;
            });
        }
    }

private:
    [[nodiscard]] constexpr const story* match_actor(const flow& f, bool by_victim) const noexcept {
        const address& actor = detail::actor_of(f, by_victim);
        const std::uint32_t slot = m_stories.find(hash_of(actor), [&](const story& s) {
            return s.actor == actor && s.by_victim == by_victim && f.last_ns >= s.opened_ns - m_options.reach_back_ns &&
                   f.first_ns <= s.last_ns + m_options.close_after_ns && detail::fits_class(f, s.attack) &&
                   detail::fits_shape(s, f);
        });
        return slot == slot_table<story>::none ? nullptr : &m_stories[slot];
    }

    constexpr void note(story& s, const flow& f, std::int64_t now_ns) noexcept {
        const address& peer = detail::peer_of(f, s.by_victim);
        s.last_ns = std::max(s.last_ns, now_ns);
        ++s.flows;
        s.peers.add(hash_of(peer));
        s.ports.add(hash_of(f.tuple.destination_port));
        s.any_port = s.any_port || f.tuple.destination_port != s.port;
        s.any_peer = s.any_peer || peer != s.peer;
    }

    story_options m_options;
    slot_table<story> m_stories;
    std::size_t m_open = 0;  // the table's own count is a sum over shards, too slow to ask for each flow
};

}  // namespace v0
}  // namespace mldefender
