// SPDX-License-Identifier: MIT
// From decisions to events, the last step of a burst: alarmed flows open, join and refresh stories, ended flows wait a
// while for a story to claim them, and what deserves a line is composed and handed to the sink. One thread at a time,
// in burst order; `match` may be called by several between two bursts. Refuses nothing; memory is fixed.
// The pipeline owns one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <mldefender/core/bounded_queue.hpp>
#include <mldefender/core/compose.hpp>
#include <mldefender/core/event.hpp>
#include <mldefender/core/feature.hpp>
#include <mldefender/core/flow.hpp>
#include <mldefender/core/pipeline_options.hpp>
#include <mldefender/core/score.hpp>
#include <mldefender/core/source_history.hpp>
#include <mldefender/core/statistics.hpp>
#include <mldefender/core/story.hpp>

namespace mldefender {
inline namespace v0 {

/// A flow that has ended and waits for a story to claim it.
struct held_flow {
    flow what;                    ///< as it was in the end
    feature_vector features;      ///< as they were when it fell silent
    std::int64_t release_ns = 0;  ///< when it has waited for long enough
};

/// What became of one look at a flow.
struct outcome {
    bool joins = false;          ///< belongs to an open story; nothing was decided
    std::int64_t now_ns = 0;     ///< time of the look
    flow* about = nullptr;       ///< stays put until the burst is over
    held_flow* ended = nullptr;  ///< the same with its features, when it has ended
    decision made;               ///< what rules and forests say
};

/// `Forests` and `Sink` are the pipeline's.
template <class Forests, class Sink>
class storyteller {
public:
    /// All three must outlive the storyteller; the pipeline may change rules and thresholds between bursts.
    constexpr storyteller(const pipeline_options& options, const Forests& forests, Sink& sink)
        : m_options(&options),
          m_forests(&forests),
          m_sink(&sink),
          m_stories(options.stories),
          m_sources(options.stories.capacity),
          m_hold(options.hold_capacity) {}

    /// The malicious story `f` belongs to by its looks, if one is open. Safe from several threads between bursts.
    [[nodiscard]] constexpr bool is_told(const flow& f) const noexcept {
        const story* s = m_stories.match(f);
        return s != nullptr && s->malicious;
    }
    /// Attacks that have not been closed.
    [[nodiscard]] constexpr std::size_t open_stories() const noexcept { return m_stories.size(); }
    /// Alerts, stories, verdicts so far.
    [[nodiscard]] constexpr const statistics& counted() const noexcept { return m_counted; }

    /// What the events of this burst show: when it came (the clock of the options), and capture drops so far.
    constexpr void begin_burst(std::uint64_t arrival_us, std::uint64_t drops) noexcept {
        m_arrival_us = arrival_us;
        m_drops = drops;
    }

    /// Takes one outcome; `look()` computes the present features of a flow that goes on.
    template <class Look>
    constexpr void hear(const outcome& o, Look&& look) {
        const auto known = [&] { return o.ended != nullptr ? o.ended->features : look(); };
        const bool alarmed = !o.joins && o.made.score >= m_options->thresholds.verdicts.suspicious &&
                             o.made.attack != attack_class::none;
        if (o.joins) join_story(o, known);
        if (alarmed) tell_story(o, known);
        if (o.ended != nullptr) hold(*o.ended);
    }

    /// Lets go of flows that have waited for long enough.
    constexpr void release_due(std::int64_t now_ns) {
        while (!m_hold.empty() && m_hold.front().release_ns <= now_ns) release_oldest();
    }
    /// Closes stories nothing was added to for long; cheap enough for once a second.
    constexpr void close_quiet(std::int64_t now_ns) {
        m_stories.close_quiet(now_ns, false, [this](story& s) { tell_closed(s); });
    }
    /// Lets go of every flow and closes every story: the capture is over.
    constexpr void finish(std::int64_t now_ns) {
        while (!m_hold.empty()) release_oldest();
        m_stories.close_quiet(now_ns, true, [this](story& s) { tell_closed(s); });
    }

private:
    template <class Look>
    constexpr void join_story(const outcome& o, const Look& look) {
        const story* s = m_stories.match(*o.about);
        if (s == nullptr) return;
        if (o.ended != nullptr && o.about->decision.joined) return;
        o.about->decision.joined = true;
        story& joined = m_stories.join(*s, *o.about, o.now_ns);
        if (m_stories.is_due(joined, o.now_ns)) {
            tell(joined, *o.about, look(), o.now_ns, story_phase::refreshed);
        }
    }

    template <class Look>
    constexpr void tell_story(const outcome& o, const Look& look) {
        bool opened = false;
        story& s = m_stories.add(*o.about, o.made.attack, o.now_ns, opened, [this](story& old) { tell_closed(old); });
        const bool malicious = o.made.score >= m_options->thresholds.verdicts.malicious;
        const bool worse = malicious && !s.malicious;
        s.worst.rules |= o.made.fast.fired;
        if (opened || o.made.score > score_of(s.worst)) {
            const std::uint64_t rules = s.worst.rules;
            s.worst = shown_of(o.about->decision);
            s.worst.rules |= rules;
        }
        s.malicious = s.malicious || malicious;
        m_counted.stories_opened += opened;
        if (opened || worse || m_stories.is_due(s, o.now_ns)) {
            tell(s, *o.about, look(), o.now_ns, opened ? story_phase::opened : story_phase::refreshed);
        }
    }

    [[nodiscard]] static constexpr shown_scores shown_of(const flow_decision& d) noexcept {
        return {d.fast_score, d.ml_score, d.raw_score, d.attack, d.label, d.model, d.level, d.rules};
    }

    constexpr void tell(story& s, const flow& f, const feature_vector& v, std::int64_t now_ns, story_phase phase) {
        event e;
        compose(e, f, v, s.worst, m_options->rules, *m_forests, m_options->thresholds);
        e.kind = event_kind::alert;
        e.timestamp_ns = now_ns;
        fill_story(e, s, phase, now_ns);
        s.told = e;
        s.told_ns = now_ns;
        s.refreshes = static_cast<std::uint8_t>(s.refreshes + (phase == story_phase::refreshed && s.refreshes < 5));
        write(e, f, v);
    }

    constexpr void tell_closed(story& s) {
        event e = s.told;
        e.timestamp_ns = std::max(s.last_ns, s.told_ns);
        fill_story(e, s, story_phase::closed, e.timestamp_ns);
        write(e, flow{}, feature_vector{});
    }

    static constexpr void fill_story(event& e, const story& s, story_phase phase, std::int64_t now_ns) noexcept {
        e.story.id = s.id;
        e.story.flows = s.flows;
        const float targets = s.any_peer || s.by_victim ? s.peers.count() : s.ports.count();
        e.story.targets = static_cast<std::uint32_t>(targets + 0.5F);
        e.story.duration_s =
            static_cast<std::uint32_t>(std::max<std::int64_t>(0, now_ns - s.opened_ns) / 1'000'000'000);
        e.story.phase = phase;
        e.story.by_victim = s.by_victim;
        e.response.action = response_action::alert;
    }

    constexpr void write(event& e, const flow& f, const feature_vector& v) {
        if (e.verdict != verdict::benign) e.source_events_24h = m_sources.count_one(e.tuple.source, e.timestamp_ns);
        if (m_options->clock_us != nullptr)
            e.latency_us = static_cast<std::uint32_t>(m_options->clock_us() - m_arrival_us);
        e.drops = m_drops;
        m_counted.alerts += e.kind == event_kind::alert;
        m_sink->write(std::as_const(e), f, v);
    }

    /// Keeps an ended flow for a while, so that a story opening meanwhile can claim it.
    constexpr void hold(const held_flow& ended) {
        if (m_hold.full()) {
            ++m_counted.held_early;
            release_oldest();
        }
        m_hold.push(ended);
    }

    constexpr void release_oldest() {
        release(m_hold.front());
        m_hold.pop();
    }

    constexpr void release(const held_flow& h) {
        const story* s = m_stories.match(h.what);
        shown_scores shown = shown_of(h.what.decision);
        if (s != nullptr && score_of(s->worst) > score_of(shown)) shown = s->worst;
        const verdict v = verdict_of(score_of(shown), m_options->thresholds.verdicts);
        ++m_counted.flows_by_verdict[static_cast<std::size_t>(v)];
        ++m_counted.flows_by_class[v == verdict::benign ? 0 : static_cast<std::size_t>(shown.attack)];
        const bool divergent = is_divergent(shown.fast, shown.ml);
        m_counted.divergent += divergent;
        const bool wanted = m_options->logging == flow_logging::all ||
                            (m_options->logging == flow_logging::alerts && divergent && s == nullptr);
        if (!wanted) return;
        event e;
        compose(e, h.what, h.features, shown, m_options->rules, *m_forests, m_options->thresholds);
        e.kind = event_kind::flow;
        e.timestamp_ns = std::max(h.what.last_ns, h.what.decision.last_ns);
        write(e, h.what, h.features);
    }

    const pipeline_options* m_options;
    const Forests* m_forests;
    Sink* m_sink;
    story_table m_stories;
    source_history m_sources;
    bounded_queue<held_flow> m_hold;
    statistics m_counted;
    std::uint64_t m_arrival_us = 0;
    std::uint64_t m_drops = 0;
};

}  // namespace v0
}  // namespace mldefender
