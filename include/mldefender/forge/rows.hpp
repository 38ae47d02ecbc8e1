// SPDX-License-Identifier: MIT
// From synthetic packets to training rows: each scenario goes through the sensor's own pipeline, and every decision the
// sensor would make becomes a row with the label of its conversation. So the trainer sees exactly what the sensor
// will see. Flows are sampled per scenario and behaviour, since a flood makes a thousand alike.
// Called by the forge tool; scenarios run on several threads, the result depends on seed and count only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <mldefender/core/pipeline.hpp>
#include <mldefender/forge/dataset.hpp>
#include <mldefender/forge/detail/parallel.hpp>
#include <mldefender/forge/synth/random.hpp>
#include <mldefender/forge/synth/scenario.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {

/// How much is kept of one episode. Whole flows are drawn, so that a row is never judged without its siblings, and
/// each behaviour has a share of its own, so that the peers of one torrent do not crowd out everything else.
struct sample_limits {
    std::size_t benign_flows = 50;  ///< most flows kept of each ordinary behaviour, 1 or more
    std::size_t attack_flows = 50;  ///< most flows kept of each behaviour that attacks, 1 or more
    std::size_t flow_rows = 6;      ///< most decisions kept of one flow, 1 or more
};

/// How many scenarios, and how many rows of each.
struct row_settings {
    std::uint64_t seed = 1;        ///< the same seed gives the same rows
    std::size_t scenarios = 1000;  ///< each a network of its own, for 20 s to 10 min
    sample_limits limits;          ///< what is kept of each
    std::size_t threads = 0;       ///< 0: one per processor
    scenario_options scenario;     ///< what each of them is drawn from
    std::function<void(std::size_t done, std::size_t all)>
        progress;  ///< called after each scenario, one call at a time
};

/// What is known of a conversation.
struct flow_truth {
    attack_class label = attack_class::none;  ///< what really happens in it
    std::string_view source;                  ///< behaviour or family; must outlive the rows
};

/// One row before it joins a dataset.
struct labelled_row {
    feature_vector features{};  ///< as the sensor would score it
    flow_truth truth;           ///< of its flow
    std::uint32_t flow = 0;     ///< the same for all rows of a conversation
};

namespace detail {

/// A forest that never answers: while rows are collected nothing may open a story.
struct silent_forest {
    static constexpr std::string_view name() noexcept { return "silent"; }
    static constexpr std::string_view version() noexcept { return "0"; }
    static constexpr std::string_view hash() noexcept { return ""; }
    static constexpr float suspicious() noexcept { return 1; }
    static constexpr float malicious() noexcept { return 1; }
    static constexpr forest_answer answer(const feature_vector&) noexcept { return {}; }
    static constexpr std::size_t explain(const feature_vector&, std::span<contribution>) noexcept { return 0; }
    static constexpr float confidence(float score) noexcept { return score; }
};

/// Keeps a fair sample of the flows offered, those whose keys hash lowest, and of each flow a fair sample of its rows
/// (algorithm R, Vitter 1985). What it keeps depends on keys and seed, not on who came first.
class flow_sample {
public:
    flow_sample(std::size_t flows, std::size_t rows, std::uint64_t seed)
        : m_flows_kept(flows), m_rows_kept(rows), m_seed(seed) {}

    void offer(std::uint64_t key, const feature_vector& v) {
        const std::uint64_t rank = hash_of(key ^ m_seed);
        auto found = m_flows.find(rank);
        if (found == m_flows.end()) {
            if (m_flows.size() == m_flows_kept && rank > m_flows.rbegin()->first) return;
            found = m_flows.emplace(rank, kept{rng{m_seed, rank}, 0, {}}).first;
            if (m_flows.size() > m_flows_kept) m_flows.erase(std::prev(m_flows.end()));
        }
        kept& flow = found->second;
        ++flow.offered;
        if (flow.rows.size() < m_rows_kept) {
            flow.rows.push_back(v);
        } else if (const std::uint64_t at = flow.random.below(flow.offered); at < m_rows_kept) {
            flow.rows[at] = v;
        }
    }
    /// Calls use(rows of a flow) for each.
    template <class Use>
    void for_each(Use&& use) const {
        for (const auto& [rank, flow] : m_flows) use(flow.rows);
    }

private:
    struct kept {
        rng random;
        std::uint64_t offered;
        std::vector<feature_vector> rows;
    };
    std::size_t m_flows_kept;
    std::size_t m_rows_kept;
    std::uint64_t m_seed;
    std::map<std::uint64_t, kept> m_flows;
};

/// The pipeline's sink while rows are collected. `Truth` tells of a flow what is known: const flow& ->
/// std::optional<flow_truth>.
template <class Truth>
class row_sink {
public:
    row_sink(const sample_limits& limits, std::uint64_t seed, Truth truth)
        : m_limits(limits), m_seed(seed), m_truth(std::move(truth)) {}

    void write(const event&, const flow&, const feature_vector&) const noexcept {}
    void scored(const flow& f, const feature_vector& v, const decision&, std::int64_t) {
        const std::optional<flow_truth> known = m_truth(f);
        if (!known) return;
        sample_of(*known).offer(symmetric_hash(f.tuple), v);
    }
    [[nodiscard]] std::vector<labelled_row> rows() const {
        std::vector<labelled_row> all;
        std::uint32_t flow = 0;
        for (const auto& [truth, sample] : m_samples) {
            sample.for_each([&](const std::vector<feature_vector>& rows) {
                for (const feature_vector& v : rows) all.push_back({v, truth, flow});
                ++flow;
            });
        }
        return all;
    }

private:
    flow_sample& sample_of(const flow_truth& truth) {
        for (auto& [known, sample] : m_samples) {
            if (known.label == truth.label && known.source == truth.source) return sample;
        }
        const bool benign = truth.label == attack_class::none;
        const std::size_t flows = benign ? m_limits.benign_flows : m_limits.attack_flows;
        m_samples.emplace_back(truth, flow_sample{flows, m_limits.flow_rows, hash_of(m_seed + m_samples.size())});
        return m_samples.back().second;
    }

    sample_limits m_limits;
    std::uint64_t m_seed;
    Truth m_truth;
    std::vector<std::pair<flow_truth, flow_sample>> m_samples;  // in the order they first appear
};

/// The sensor's pipeline with nothing that could open a story, so that every flow is judged to its end.
[[nodiscard]] inline pipeline_options row_options() {
    pipeline_options o;
    for (const rule& r : default_rules) o.rules.enable(r.name, false);
    o.flows.capacity = 65'536;
    o.logging = flow_logging::none;
    o.hold_capacity = 1;
    return o;
}

}  // namespace detail

/// The rows of one scenario.
[[nodiscard]] inline std::vector<labelled_row> rows_of_scenario(const row_settings& s, std::uint64_t index) {
    std::unordered_map<std::uint64_t, flow_truth> known;  // of each conversation, before its packets pass
    const auto truth = [&known](const flow& f) -> std::optional<flow_truth> {
        const auto found = known.find(symmetric_hash(f.tuple));
        if (found == known.end()) return std::nullopt;
        return found->second;
    };
    detail::row_sink<decltype(truth)> sink{s.limits, s.seed * 1'000'003 + index * 64, truth};
    pipeline<max_threat<detail::silent_forest>, decltype(sink)> path{detail::row_options(), {}, sink};
    synthesise(s.scenario, s.seed, index, [&](const labelled_frame& frame) {
        const raw_packet raw{frame.timestamp_ns, frame.data, frame.wire_len, link_type::ethernet};
        if (const auto decoded = parse(raw, {.any_protocol = true})) {
            known.try_emplace(symmetric_hash(decoded.value().tuple), flow_truth{frame.label, frame.behaviour});
        }
        path.consume(raw);
    });
    path.finish();
    return sink.rows();
}

/// An empty dataset with the sensor's features as columns.
[[nodiscard]] inline dataset feature_dataset() {
    std::vector<std::string> names;
    for (const feature_info& f : features) names.emplace_back(f.name);
    return dataset{std::move(names)};
}

/// Adds the rows of one episode.
inline void add_rows(dataset& data, std::span<const labelled_row> rows, std::uint32_t group) {
    for (const labelled_row& row : rows) {
        (void)data.add_row(row.features, row.truth.label, row_origin{group, row.flow, row.truth.source});
    }
}

/// The rows of all scenarios as a dataset; a row's group is its scenario.
[[nodiscard]] inline dataset collect_rows(const row_settings& s) {
    std::vector<std::vector<labelled_row>> by_scenario(s.scenarios);
    std::size_t done = 0;
    std::mutex reporting;
    detail::for_each_piece(s.scenarios, detail::thread_count(s.threads, s.scenarios), [&](std::size_t i, std::size_t) {
        by_scenario[i] = rows_of_scenario(s, i);
        const std::lock_guard lock{reporting};
        ++done;
        if (s.progress) s.progress(done, s.scenarios);
    });
    dataset data = feature_dataset();
    for (std::size_t i = 0; i < by_scenario.size(); ++i) {
        add_rows(data, by_scenario[i], static_cast<std::uint32_t>(i));
        by_scenario[i] = {};
    }
    return data;
}

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
