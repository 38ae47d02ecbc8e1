// SPDX-License-Identifier: MIT
// The way of a packet, left to right: raw packet -> packet -> flow -> windows -> features -> rules and forests ->
// maximum threat -> story -> event -> sink. Packets are taken in bursts, and each step runs over the whole burst
// before the next begins: workers own shards of flows and hosts, meet between steps, and need no locks; the outcome
// is the same for any number of them.
// Decisions see the windows as they are at the end of their burst, so bursts never span more than 5 ms of capture time.
// It prints nothing, reads no clock of its own, and refuses nothing: what cannot be decoded is counted.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <mldefender/core/executor.hpp>
#include <mldefender/core/flow_table.hpp>
#include <mldefender/core/fragment.hpp>
#include <mldefender/core/observe.hpp>
#include <mldefender/core/parse.hpp>
#include <mldefender/core/pipeline_options.hpp>
#include <mldefender/core/score.hpp>
#include <mldefender/core/statistics.hpp>
#include <mldefender/core/storyteller.hpp>
#include <mldefender/core/window_book.hpp>

namespace mldefender {
inline namespace v0 {

namespace detail {

/// Position of a result in its burst, the same whatever worker produced it.
struct burst_order {
    std::uint32_t packet = 0;
    std::uint32_t shard = 0;
    friend constexpr bool operator<(const burst_order& a, const burst_order& b) noexcept {
        return a.packet != b.packet ? a.packet < b.packet : a.shard < b.shard;
    }
};

struct keyed_observation {
    burst_order order;
    window_keys keys;
    observation what;
};

enum class occasion : std::uint8_t { first_packet, more_packets, quiet, ended };

/// A flow to be looked at.
struct task {
    burst_order order;
    occasion why = occasion::first_packet;
    std::uint32_t where = 0;  ///< slot of a live flow, or index of an ended one
    std::uint64_t flow_id = 0;
    std::int64_t now_ns = 0;
};

struct ordered_outcome {
    burst_order order;
    outcome what;
};

struct worker_state {
    std::vector<keyed_observation> observations;
    std::vector<task> tasks;
    std::vector<held_flow> ended;
    std::vector<ordered_outcome> outcomes;
    statistics counted;
    bool saw_fragment = false;
};

}  // namespace detail

/// `Forests` is a max_threat<...>. `Sink` has `write(const event&, const flow&, const feature_vector&)`, called in
/// order on the thread that calls `consume`; it may also have `scored(const flow&, const feature_vector&, const
/// decision&, std::int64_t now_ns)`, called by the workers for every decision.
template <class Forests, class Sink, class Executor = inline_executor>
class pipeline {
public:
    static constexpr std::size_t burst_capacity = 1024;  ///< packets processed together at most
    static constexpr std::int64_t tick_ns = 5'000'000;   ///< capture time one burst spans at most

    /// `sink` and `executor` must outlive the pipeline. Without executor all work is done by the caller.
    constexpr pipeline(const pipeline_options& options, Forests forests, Sink& sink, Executor* executor = nullptr)
        : m_options(options),
          m_forests(std::move(forests)),
          m_sink(&sink),
          m_executor(executor),
          m_flows(options.flows),
          m_book(options.windows),
          m_fragments(options.secret),
          m_teller(m_options, m_forests, sink),
          m_workers(executor == nullptr ? 1 : executor->workers()) {}

    /// Takes packets in order of capture; their bytes are not needed after the call. Times before 1970 count as 1970.
    constexpr void consume(std::span<const raw_packet> packets, std::uint16_t interface_index = 0) {
        m_interface = interface_index;
        while (!packets.empty()) {
            const std::size_t count = within_tick(packets);
            process(packets.first(count));
            packets = packets.subspan(count);
        }
    }
    /// The same for a single packet.
    constexpr void consume(const raw_packet& one, std::uint16_t interface_index = 0) {
        consume({&one, 1}, interface_index);
    }

    /// Lets time pass without packets: quiet interfaces still time out flows and close stories.
    constexpr void advance(std::int64_t now_ns) {
        if (now_ns <= m_now_ns) return;
        m_now_ns = plausible(now_ns);
        m_raw = {};
        run_burst();
    }

    /// Ends every flow and story. The capture is over; call once.
    constexpr void finish() {
        m_finishing = true;
        m_raw = {};
        do {
            run_burst();
        } while (m_flows.size() > 0);
        m_teller.finish(m_now_ns);
    }

    /// Counters since start, summed over the workers. Not while `consume` runs.
    [[nodiscard]] constexpr statistics totals() const noexcept {
        statistics sum = m_counted;
        sum += m_teller.counted();
        for (const auto& w : m_workers) sum += w.counted;
        return sum;
    }
    /// Flows in the table.
    [[nodiscard]] constexpr std::size_t active_flows() const noexcept { return m_flows.size(); }
    /// Attacks that have not been closed.
    [[nodiscard]] constexpr std::size_t open_stories() const noexcept { return m_teller.open_stories(); }
    /// The newest time seen, of packets or `advance`, since the Unix epoch.
    [[nodiscard]] constexpr std::int64_t now_ns() const noexcept { return m_now_ns; }
    /// What became of fragments.
    [[nodiscard]] constexpr const fragment_counters& fragments() const noexcept { return m_fragments.counters(); }

    /// Capture drops so far, shown in events.
    constexpr void set_drops(std::uint64_t drops) noexcept { m_drops = drops; }
    /// Replaces rules and thresholds between two calls of `consume`: a reread configuration.
    constexpr void set_rules(const rule_set& rules, const decision_thresholds& thresholds) noexcept {
        m_options.rules = rules;
        m_options.thresholds = thresholds;
    }

private:
    // --- the burst -------------------------------------------------------------------------------------------------

    [[nodiscard]] static constexpr std::size_t within_tick(std::span<const raw_packet> packets) noexcept {
        const std::size_t most = std::min(packets.size(), burst_capacity);
        const std::int64_t tick = packets[0].timestamp_ns / tick_ns;
        std::size_t count = 1;
        while (count < most && packets[count].timestamp_ns / tick_ns == tick) ++count;
        return count;
    }

    /// Times outside 1970..2116 come from broken captures; inside no sum and no difference of times overflows.
    [[nodiscard]] static constexpr std::int64_t plausible(std::int64_t time_ns) noexcept {
        return std::clamp<std::int64_t>(time_ns, 0, std::int64_t{1} << 62);
    }

    constexpr void process(std::span<const raw_packet> packets) {
        m_raw = packets;
        if (m_packets.size() < packets.size()) {
            m_packets.resize(packets.size());
            m_status.resize(packets.size());
            m_hashes.resize(packets.size());
        }
        for (const raw_packet& p : packets) m_now_ns = std::max(m_now_ns, plausible(p.timestamp_ns));
        run_burst();
    }

    constexpr void run_burst() {
        ++m_burst;
        if (m_options.clock_us != nullptr) m_arrival_us = m_options.clock_us();
        m_expire_due = m_finishing || m_now_ns >= m_next_expire_ns;
        if (m_expire_due) m_next_expire_ns = m_now_ns + expire_every_ns;
        in_parallel([this](std::size_t w) { decode(w); });
        join_fragments();
        in_parallel([this](std::size_t w) { update_flows(w); });
        in_parallel([this](std::size_t w) { update_windows(w); });
        in_parallel([this](std::size_t w) { decide_flows(w); });
        conclude();
    }

    /// Small bursts are not worth waking anybody for: the caller does every worker's part.
    template <class Step>
    constexpr void in_parallel(Step&& step) {
        if (m_executor != nullptr && (m_raw.size() >= worth_sharing || m_finishing)) {
            m_executor->run(step);
        } else {
            for (std::size_t w = 0; w < m_workers.size(); ++w) step(w);
        }
    }

    // --- packets ---------------------------------------------------------------------------------------------------

    constexpr void decode(std::size_t w) {
        detail::worker_state& me = m_workers[w];
        me.saw_fragment = false;
        const std::size_t begin = m_raw.size() * w / m_workers.size();
        const std::size_t end = m_raw.size() * (w + 1) / m_workers.size();
        for (std::size_t i = begin; i < end; ++i) {
            m_status[i] = parse_into(m_raw[i], m_options.parsing, m_packets[i]);
            ++me.counted.packets;
            me.counted.bytes += m_raw[i].wire_len;
            if (m_status[i] != errc::ok) {
                ++me.counted.undecoded[static_cast<std::size_t>(m_status[i])];
                m_hashes[i] = 0;
            } else {
                m_packets[i].timestamp_ns = plausible(m_packets[i].timestamp_ns);
                m_hashes[i] = symmetric_hash(m_packets[i].tuple, m_options.secret);
                me.saw_fragment = me.saw_fragment || m_packets[i].fragment;
            }
        }
    }

    /// Fragments need the order of the whole burst, and are rare.
    constexpr void join_fragments() {
        bool any = false;
        for (const auto& w : m_workers) any = any || w.saw_fragment;
        if (!any || m_raw.empty()) return;
        for (std::size_t i = 0; i < m_raw.size(); ++i) {
            if (m_status[i] != errc::ok || !m_packets[i].fragment) continue;
            const bool later = m_packets[i].later_fragment;
            m_fragments.resolve(m_packets[i]);
            m_hashes[i] = symmetric_hash(m_packets[i].tuple, m_options.secret);
            if (later && !m_options.flows.count_fragments) {
                m_status[i] = errc::not_found;
                ++m_counted.fragments_skipped;
            }
        }
    }

    // --- flows -----------------------------------------------------------------------------------------------------

    constexpr void update_flows(std::size_t w) {
        detail::worker_state& me = m_workers[w];
        me.observations.clear();
        me.tasks.clear();
        me.ended.clear();
        const std::size_t workers = m_workers.size();
        for (std::size_t i = 0; i < header_lead; ++i) hint_header(i);
        for (std::size_t i = 0; i < record_lead; ++i) hint_record(i);
        for (std::size_t i = 0; i < m_raw.size(); ++i) {
            hint_header(i + header_lead);
            hint_record(i + record_lead);
            if (m_status[i] == errc::ok && shard_of(m_hashes[i]) % workers == w) update_flow(me, i);
        }
        if (!m_expire_due) return;
        for (std::size_t shard = w; shard < shard_count; shard += workers) {
            const detail::burst_order order{static_cast<std::uint32_t>(m_raw.size()),
                                            static_cast<std::uint32_t>(shard)};
            const auto ended = [&](flow& f) { end_flow(me, f, order, m_now_ns); };
            if (m_finishing) {
                m_flows.flush(shard, ended);
            } else {
                m_flows.expire(
                    shard, m_now_ns, [&](std::uint32_t slot) { judge_quiet(me, slot, order); }, ended);
            }
        }
    }

    // Packets ahead of the present one whose flow is asked for, so that it has arrived when their turn comes.
    static constexpr std::size_t header_lead = 12, record_lead = 5;

    constexpr void hint_header(std::size_t i) const noexcept {
        if (!std::is_constant_evaluated() && i < m_raw.size()) m_flows.prefetch(m_hashes[i]);
    }
    constexpr void hint_record(std::size_t i) const noexcept {
        if (!std::is_constant_evaluated() && i < m_raw.size()) m_flows.prefetch_record(m_hashes[i]);
    }

    constexpr void update_flow(detail::worker_state& me, std::size_t i) {
        const packet& p = m_packets[i];
        const detail::burst_order order{static_cast<std::uint32_t>(i), 0};
        ++me.counted.ip_packets;
        const flow_update u = m_flows.update(p, m_hashes[i], [&](flow& f) { end_flow(me, f, order, p.timestamp_ns); });
        flow& f = m_flows[u.slot];
        if (u.begun) {
            f.interface_index = m_interface;
            ++me.counted.flows_begun;
        }
        const app_news news = read_payload(f.app, p, u.forward);
        const bool external = !m_options.site.contains(f.tuple.destination);
        observe_packet(f, p, u, news, external, [&](const observation& o) { report(me, o, order); });
        schedule(me, f, u, p, order);
    }

    constexpr void report(detail::worker_state& me, const observation& o, detail::burst_order order) {
        const window_keys keys = keys_of(o.tuple, m_options.secret);
        m_book.prefetch(keys);  // needed in the next step, when the whole burst has been through this one
        me.observations.push_back({order, keys, o});
    }

    /// Asks for a decision when the flow is new, has grown, or has gone on for long.
    constexpr void schedule(detail::worker_state& me, flow& f, const flow_update& u, const packet& p,
                            detail::burst_order order) {
        const decision_schedule& s = m_options.schedule;
        const std::int64_t since = f.decision.last_ns == 0 ? f.first_ns : f.decision.last_ns;
        const bool grown = f.packets() >= f.decision.next_packets;
        if (!u.begun && !grown && p.timestamp_ns - since < s.recheck_ns) return;
        if (grown)
            f.decision.next_packets =
                static_cast<std::uint32_t>(std::min<std::uint64_t>(f.packets() * s.growth, 0xffffffffU));
        if (!u.begun) f.decision.last_ns = p.timestamp_ns;
        if (f.decision.batch == m_burst) return;
        f.decision.batch = m_burst;
        const auto why = u.begun ? detail::occasion::first_packet : detail::occasion::more_packets;
        me.tasks.push_back({order, why, u.slot, f.id, p.timestamp_ns});
    }

    /// Decides while the windows still know the time when the flow fell silent: at its end, minutes later, they do not.
    constexpr void judge_quiet(detail::worker_state& me, std::uint32_t slot, detail::burst_order order) {
        flow& f = m_flows[slot];
        observe_quiet(f, settled_at(f), [&](const observation& o) { report(me, o, order); });
        if (f.decision.judged_packets == f.packets()) return;
        me.tasks.push_back({order, detail::occasion::quiet, slot, f.id, settled_at(f)});
    }
    [[nodiscard]] constexpr std::int64_t settled_at(const flow& f) const noexcept {
        return std::min(m_now_ns, f.last_ns + quiet_ns);
    }

    constexpr void end_flow(detail::worker_state& me, flow& f, detail::burst_order order, std::int64_t now_ns) {
        ++me.counted.flows_ended;
        me.counted.flows_evicted += f.end == flow_end::evicted;
        observe_end(f, now_ns, [&](const observation& o) { report(me, o, order); });
        me.tasks.push_back({order, detail::occasion::ended, static_cast<std::uint32_t>(me.ended.size()), f.id, now_ns});
        me.ended.emplace_back().what = f;
        f.id = ended_id;  // a decision asked for earlier in this burst must not count the flow twice
    }

    // --- windows ---------------------------------------------------------------------------------------------------

    constexpr void update_windows(std::size_t w) {
        detail::worker_state& me = m_workers[w];
        window_book::evictions lost;
        const std::size_t workers = m_workers.size();
        in_order(&detail::worker_state::observations, [&](const detail::keyed_observation& o) {
            m_book.apply(o.what, o.keys, lost, [&](std::size_t shard) { return shard % workers == w; });
        });
        me.counted.hosts_evicted += lost.hosts;
        me.counted.pairs_evicted += lost.pairs;
        if (m_now_ns < m_next_forget_ns) return;
        for (std::size_t shard = w; shard < shard_count; shard += workers) m_book.forget(shard, m_now_ns);
    }

    /// Visits what all workers put into `list`, in burst order; each worker's own list is in order already. Changes no
    /// list, so that every worker can walk all of them at once.
    template <class Item, class Visit>
    constexpr void in_order(std::vector<Item> detail::worker_state::*list, Visit&& visit) {
        if (m_workers.size() == 1) {
            for (const Item& item : m_workers[0].*list) visit(item);
            return;
        }
        std::array<std::size_t, shard_count> at{};
        for (;;) {
            const Item* next = nullptr;
            std::size_t from = 0;
            for (std::size_t w = 0; w < m_workers.size(); ++w) {
                const auto& items = m_workers[w].*list;
                if (at[w] == items.size()) continue;
                if (next == nullptr || items[at[w]].order < next->order) {
                    next = &items[at[w]];
                    from = w;
                }
            }
            if (next == nullptr) return;
            ++at[from];
            visit(*next);
        }
    }

    // --- decisions -------------------------------------------------------------------------------------------------

    constexpr void decide_flows(std::size_t w) {
        detail::worker_state& me = m_workers[w];
        me.outcomes.clear();
        flow_context next = me.tasks.empty() ? flow_context{} : context_of(me, me.tasks[0]);
        for (std::size_t i = 0; i < me.tasks.size(); ++i) {
            const flow_context context = next;
            if (i + 1 < me.tasks.size()) next = context_of(me, me.tasks[i + 1]);
            const detail::task& t = me.tasks[i];
            if (t.why == detail::occasion::ended) {
                decide_ended(me, t, context);
            } else if (m_flows[t.where].id == t.flow_id) {
                decide_live(me, t, context);
            }
        }
    }

    /// A decision reads kilobytes about the two hosts: they are asked for while the one before is made.
    [[nodiscard]] constexpr flow_context context_of(const detail::worker_state& me,
                                                    const detail::task& t) const noexcept {
        const bool ended = t.why == detail::occasion::ended;
        const flow& f = ended ? me.ended[t.where].what : m_flows[t.where];
        const flow_context c = context_of(f, ended ? settled_at(f) : t.now_ns);
        if (std::is_constant_evaluated()) return c;
        if (c.initiator != nullptr) c.initiator->prefetch(c.now_ns);
        if (c.responder != nullptr) c.responder->prefetch(c.now_ns);
        return c;
    }

    constexpr void decide_live(detail::worker_state& me, const detail::task& t, const flow_context& context) {
        flow& f = m_flows[t.where];
        if (m_teller.is_told(f)) {
            if (!f.decision.joined) {
                f.decision.joined = true;
                me.outcomes.push_back({t.order, {true, t.now_ns, &f, nullptr, {}}});
            }
            return;
        }
        if (t.why == detail::occasion::first_packet && !is_hot(context)) return;
        const feature_vector v = extract(f, context);
        const decision d = judge(me, f, v, t.now_ns);
        if (d.score >= m_options.thresholds.verdicts.suspicious)
            me.outcomes.push_back({t.order, {false, t.now_ns, &f, nullptr, d}});
    }

    constexpr void decide_ended(detail::worker_state& me, const detail::task& t, const flow_context& context) {
        held_flow& held = me.ended[t.where];
        flow& f = held.what;
        const bool joins = m_teller.is_told(f);
        held.features = extract(f, context);
        held.release_ns = t.now_ns + m_options.hold_ns;
        const bool judged = joins || f.decision.judged_packets == f.packets();
        const decision d = judged ? decision{} : judge(me, f, held.features, settled_at(f));
        me.outcomes.push_back({t.order, {joins, t.now_ns, &f, &held, d}});
    }

    [[nodiscard]] constexpr flow_context context_of(const flow& f, std::int64_t now_ns) const noexcept {
        flow_context c;
        c.now_ns = now_ns;
        c.initiator_external = !m_options.site.contains(f.tuple.source);
        c.responder_external = !m_options.site.contains(f.tuple.destination);
        m_book.look_up(f.tuple, keys_of(f.tuple, m_options.secret), c);
        return c;
    }

    /// A first packet says little, unless its hosts are busy with many others.
    [[nodiscard]] constexpr bool is_hot(const flow_context& c) const noexcept {
        const auto count = [&](const host_window* w, std::uint32_t host_activity::*what) {
            return w == nullptr ? 0U : w->total(what, c.now_ns, 1);
        };
        return count(c.initiator, &host_activity::contacts) >= m_options.schedule.hot_contacts ||
               count(c.responder, &host_activity::asked) >= m_options.schedule.hot_asked;
    }

    constexpr decision judge(detail::worker_state& me, flow& f, const feature_vector& v, std::int64_t now_ns) {
        const decision d = decide_on(v, m_options.rules, m_forests);
        ++me.counted.decisions;
        if constexpr (requires { m_sink->scored(f, v, d, now_ns); }) m_sink->scored(f, v, d, now_ns);
        flow_decision& kept = f.decision;
        kept.last_ns = now_ns;
        kept.judged_packets = f.packets();
        // On its first packet a flow is judged by the company it keeps; an answer is the first news of its own.
        const bool overruled = kept.provisional && f.answered();
        kept.provisional = f.packets() == 1;
        kept.rules = overruled ? d.fast.fired : kept.rules | d.fast.fired;
        if (!overruled && (d.score < kept.score || d.score == 0)) return d;
        kept.score = d.score;
        kept.fast_score = d.fast.score;
        kept.ml_score = d.ml.score;
        kept.raw_score = d.ml.raw;
        kept.attack = d.attack;
        kept.label = d.ml.label;
        kept.model = d.ml.author;
        kept.level = d.by_rules ? d.fast.level : std::uint8_t{1};  // the forests' own comes with the explanation
        return d;
    }

    // --- conclusions ----------------------------------------------------------------------------------------

    constexpr void conclude() {
        m_teller.begin_burst(m_arrival_us, m_drops);
        in_order(&detail::worker_state::outcomes, [this](const detail::ordered_outcome& o) {
            const outcome& what = o.what;
            m_teller.hear(what, [&] { return extract(*what.about, context_of(*what.about, what.now_ns)); });
        });
        m_teller.release_due(m_now_ns);
        if (m_now_ns >= m_next_forget_ns) {
            m_next_forget_ns = m_now_ns + forget_every_ns;
            m_teller.close_quiet(m_now_ns);
        }
    }

    static constexpr std::uint64_t ended_id = ~std::uint64_t{0};  // no flow has it: ids have 53 bits
    static constexpr std::size_t worth_sharing = 256;
    static constexpr std::int64_t expire_every_ns = 100'000'000;
    static constexpr std::int64_t forget_every_ns = 1'000'000'000;

    pipeline_options m_options;
    Forests m_forests;
    Sink* m_sink;
    Executor* m_executor;
    flow_table m_flows;
    window_book m_book;
    fragment_table<> m_fragments;
    storyteller<Forests, Sink> m_teller;

    // The burst being worked on.
    std::vector<detail::worker_state> m_workers;
    std::vector<packet> m_packets;
    std::vector<errc> m_status;
    std::vector<std::uint64_t> m_hashes;
    std::span<const raw_packet> m_raw;
    std::uint32_t m_burst = 0;
    std::uint16_t m_interface = 0;
    bool m_expire_due = false;
    bool m_finishing = false;

    std::int64_t m_now_ns = 0;
    std::int64_t m_next_expire_ns = 0;
    std::int64_t m_next_forget_ns = 0;
    std::uint64_t m_arrival_us = 0;
    std::uint64_t m_drops = 0;
    statistics m_counted;  ///< what no worker counts
};

}  // namespace v0
}  // namespace mldefender
