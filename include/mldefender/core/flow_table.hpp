// SPDX-License-Identifier: MIT
// The flows being watched: finds or begins the flow of a packet, ends flows that are idle, too old, finished or
// pushed out. Fixed memory; under a flood of new 5-tuples the least valuable flow (one-way, one packet, long unseen)
// goes first, so established connections survive. Refuses nothing; counts what it pushed out.
// The pipeline owns one table; different shards may be updated by different threads.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include <mldefender/core/flow.hpp>
#include <mldefender/core/hash.hpp>
#include <mldefender/core/slot_table.hpp>

namespace mldefender {
inline namespace v0 {

/// What a flow is. The defaults suit monitoring; every value is configuration.
struct flow_options {
    std::size_t capacity = 200'000;                      ///< flows held, rounded up to a multiple of 512
    std::int64_t idle_timeout_ns = 120'000'000'000;      ///< a longer pause ends the flow
    std::int64_t active_timeout_ns = 1'800'000'000'000;  ///< a longer life is cut into several flows; 0: never
    bool early_close = true;      ///< a new SYN after both FINs or a RST begins a new flow, and closed flows go soon
    bool count_fragments = true;  ///< later fragments count to the flow of their datagram
};

/// A flow silent for this long has had its say: its probe was not answered, its lookup failed.
inline constexpr std::int64_t quiet_ns = 2'000'000'000;

/// What `flow_table::update` did with a packet.
struct flow_update {
    std::uint32_t slot = 0;                        ///< where the flow lies, valid until the next update
    bool begun = false;                            ///< the packet began this flow
    bool forward = true;                           ///< sent by the initiator
    flow_progress before = flow_progress::opened;  ///< progress before this packet
};

/// The table. `Ended` callables receive `(flow&)` just before a flow leaves.
class flow_table {
public:
    /// Allocates all it will ever need.
    constexpr explicit flow_table(const flow_options& options) : m_options(options), m_flows(options.capacity) {}

    /// As given.
    [[nodiscard]] constexpr const flow_options& options() const noexcept { return m_options; }
    /// Flows that fit, a multiple of 512.
    [[nodiscard]] constexpr std::size_t capacity() const noexcept { return m_flows.capacity(); }
    /// Flows held now.
    [[nodiscard]] constexpr std::size_t size() const noexcept { return m_flows.size(); }
    /// The flow in a slot that `update` or a visit named.
    [[nodiscard]] constexpr flow& operator[](std::uint32_t slot) noexcept { return m_flows[slot]; }
    /// The same, to look at.
    [[nodiscard]] constexpr const flow& operator[](std::uint32_t slot) const noexcept { return m_flows[slot]; }

    /// Hints that a packet with this hash comes soon; `near` asks for the record once the header has been asked for.
    constexpr void prefetch(std::uint64_t hash) const noexcept { m_flows.prefetch(hash); }
    /// Asks for the record behind a header that has arrived; run time only.
    void prefetch_record(std::uint64_t hash) const noexcept { m_flows.prefetch_record(hash); }

    /// Counts `p` to its flow. `hash` is the symmetric hash of its tuple. Flows that end on the way (timed out, or
    /// pushed out to make room) are handed to `ended` first.
    template <class Ended>
    constexpr flow_update update(const packet& p, std::uint64_t hash, Ended&& ended) noexcept {
        const std::uint32_t now = coarse_ticks(p.timestamp_ns);
        const five_tuple reversed = p.tuple.reversed();
        std::uint32_t slot =
            m_flows.find(hash, [&](const flow& f) { return f.tuple == p.tuple || f.tuple == reversed; });
        if (slot != slots::none) {
            if (const flow_end why = ends_before(m_flows[slot], p); why != flow_end::open) {
                finish(slot, why, ended);
                slot = slots::none;
            }
        }
        flow_update done;
        if (slot == slots::none) {
            slot = m_flows.insert(hash, now, [&](std::uint32_t victim) { tell(victim, flow_end::evicted, ended); });
            begin(m_flows[slot], p, flow_id_of(p.tuple, p.timestamp_ns));
            done.begun = true;
        }
        flow& f = m_flows[slot];
        done.slot = slot;
        done.forward = done.begun || f.tuple == p.tuple;
        done.before = f.progress;
        add(f, p, done.forward);
        m_flows.touch(slot, now, worth_of(f));
        return done;
    }

    /// Most flows one call of `expire` or `flush` ends in a shard. After a flood a quarter of a million may be due at
    /// once: in portions, whoever keeps a copy of each needs megabytes for it, not hundreds of them.
    static constexpr std::size_t ends_at_once = 64;

    /// Ends the flows of a shard that have been idle for too long at `now_ns`, then shows those that have just fallen
    /// silent to `quiet(slot)`, once per silence. Cheap when called often: it looks once a second, or at once when the
    /// last look ended `ends_at_once` flows.
    template <class Quiet, class Ended>
    constexpr void expire(std::size_t shard, std::int64_t now_ns, Quiet&& quiet, Ended&& ended) noexcept {
        if (now_ns < m_next_look_ns[shard]) return;
        const std::int64_t shortest =
            m_options.early_close ? std::min(closed_linger_ns, m_options.idle_timeout_ns) : m_options.idle_timeout_ns;
        const auto ticks = static_cast<std::uint32_t>(shortest >> 20);
        std::size_t count = 0;
        m_flows.for_unseen(shard, coarse_ticks(now_ns), ticks, [&](std::uint32_t slot) {
            const flow& f = m_flows[slot];
            const std::int64_t idle_ns = now_ns - f.last_ns;
            const bool idle = idle_ns > m_options.idle_timeout_ns;
            if (!idle && !(is_over(f) && idle_ns > closed_linger_ns)) return true;
            finish(slot, idle ? flow_end::idle : flow_end::finished, ended);
            return ++count < ends_at_once;
        });
        m_next_look_ns[shard] = count < ends_at_once ? now_ns + look_every_ns : now_ns;
        m_flows.for_quiet(shard, coarse_ticks(now_ns), static_cast<std::uint32_t>(quiet_ns >> 20), quiet);
    }

    /// Ends up to `ends_at_once` flows of a shard: the capture is over. Call until `size()` is 0.
    template <class Ended>
    constexpr void flush(std::size_t shard, Ended&& ended) noexcept {
        std::size_t count = 0;
        m_flows.for_unseen(shard, 0, 0, [&](std::uint32_t slot) {
            finish(slot, is_over(m_flows[slot]) ? flow_end::finished : flow_end::flushed, ended);
            return ++count < ends_at_once;
        });
    }

private:
    using slots = slot_table<flow>;
    // A closed connection lingers for its last acknowledgements.
    static constexpr std::int64_t closed_linger_ns = 5'000'000'000;
    static constexpr std::int64_t look_every_ns = 1'000'000'000;

    [[nodiscard]] constexpr bool is_over(const flow& f) const noexcept {
        return m_options.early_close && f.tuple.protocol == ip_protocol::tcp &&
               (f.progress == flow_progress::closed || f.progress == flow_progress::refused);
    }

    /// Why `f` is over before `p` is counted, or `open`.
    [[nodiscard]] constexpr flow_end ends_before(const flow& f, const packet& p) const noexcept {
        if (p.timestamp_ns - f.last_ns > m_options.idle_timeout_ns) return flow_end::idle;
        if (m_options.active_timeout_ns > 0 && p.timestamp_ns - f.first_ns > m_options.active_timeout_ns)
            return flow_end::active;
        const bool opens_anew = (p.tcp_flags & (tcp_flag::syn | tcp_flag::ack)) == tcp_flag::syn;
        return is_over(f) && opens_anew ? flow_end::finished : flow_end::open;
    }

    /// What a flow is worth when room runs out: answered before unanswered, then talkative before brief.
    [[nodiscard]] static constexpr std::uint8_t worth_of(const flow& f) noexcept {
        if (f.progress == flow_progress::closed || f.progress == flow_progress::refused) return 1;
        if (!f.answered()) return f.packets() > 1 ? 2 : 0;
        return f.forward.payload_packets > 0 && f.backward.payload_packets > 0 ? 4 : 3;
    }

    template <class Ended>
    constexpr void tell(std::uint32_t slot, flow_end why, Ended&& ended) noexcept {
        m_flows[slot].end = why;
        ended(m_flows[slot]);
    }
    template <class Ended>
    constexpr void finish(std::uint32_t slot, flow_end why, Ended&& ended) noexcept {
        tell(slot, why, ended);
        m_flows.erase(slot);
    }

    flow_options m_options;
    slots m_flows;
    std::array<std::int64_t, shard_count> m_next_look_ns{};
};

}  // namespace v0
}  // namespace mldefender
