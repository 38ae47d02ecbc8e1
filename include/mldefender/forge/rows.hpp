// SPDX-License-Identifier: MIT
// From synthetic packets to training rows: each scenario goes through the sensor's own pipeline, and every decision the
// sensor would make becomes a row with the label of its conversation. So the trainer sees exactly what the sensor
// will see. Rows are sampled per scenario and class, since a flood makes a thousand alike.
// Called by the forge tool; scenarios run on several threads, the result depends on seed and count only.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <mldefender/core/pipeline.hpp>
#include <mldefender/forge/dataset.hpp>
#include <mldefender/forge/synth/random.hpp>
#include <mldefender/forge/synth/scenario.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {

/// How many scenarios, and how many rows of each.
struct row_settings {
    std::uint64_t seed = 1;          ///< the same seed gives the same rows
    std::size_t scenarios = 1000;    ///< each a network of its own, for 20 s to 10 min
    std::size_t benign_rows = 1200;  ///< most benign rows kept of one scenario
    std::size_t attack_rows = 500;   ///< most rows kept of each attack class of one scenario
    std::size_t threads = 0;         ///< 0: one per processor
    scenario_options scenario;       ///< what each of them is drawn from
    std::function<void(std::size_t done, std::size_t all)>
        progress;  ///< called after each scenario, one call at a time
};

/// One training row before it joins a dataset.
struct labelled_row {
    feature_vector features{};                ///< as the sensor would score it
    attack_class label = attack_class::none;  ///< what really happened
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

/// Keeps a fair sample of everything offered (algorithm R, Vitter 1985).
class row_sample {
public:
    row_sample(std::size_t capacity, std::uint64_t seed) : m_capacity(capacity), m_random(seed) {}
    void offer(const labelled_row& row) {
        ++m_offered;
        if (m_rows.size() < m_capacity) {
            m_rows.push_back(row);
        } else if (const std::uint64_t at = m_random.below(m_offered); at < m_capacity) {
            m_rows[at] = row;
        }
    }
    [[nodiscard]] const std::vector<labelled_row>& rows() const noexcept { return m_rows; }

private:
    std::size_t m_capacity;
    rng m_random;
    std::uint64_t m_offered = 0;
    std::vector<labelled_row> m_rows;
};

/// The pipeline's sink while rows are collected.
class row_sink {
public:
    row_sink(const row_settings& s, std::uint64_t index) {
        for (std::size_t c = 0; c < attack_class_count; ++c) {
            const std::size_t capacity = c == 0 ? s.benign_rows : s.attack_rows;
            m_samples.emplace_back(capacity, hash_of(s.seed * 1'000'003 + index * 64 + c));
        }
    }
    /// The label of a conversation, before its packets pass.
    void know(const five_tuple& t, attack_class label) { m_labels.try_emplace(symmetric_hash(t), label); }

    void write(const event&, const flow&, const feature_vector&) const noexcept {}
    void scored(const flow& f, const feature_vector& v, const decision&, std::int64_t) {
        const auto known = m_labels.find(symmetric_hash(f.tuple));
        if (known == m_labels.end()) return;
        m_samples[static_cast<std::size_t>(known->second)].offer({v, known->second});
    }
    [[nodiscard]] std::vector<labelled_row> rows() const {
        std::vector<labelled_row> all;
        for (const row_sample& s : m_samples) all.insert(all.end(), s.rows().begin(), s.rows().end());
        return all;
    }

private:
    std::unordered_map<std::uint64_t, attack_class> m_labels;
    std::vector<row_sample> m_samples;
};

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
    detail::row_sink sink{s, index};
    pipeline<max_threat<detail::silent_forest>, detail::row_sink> path{detail::row_options(), {}, sink};
    synthesise(s.scenario, s.seed, index, [&](const labelled_frame& frame) {
        const raw_packet raw{frame.timestamp_ns, frame.data, frame.wire_len, link_type::ethernet};
        if (const auto decoded = parse(raw, {.any_protocol = true})) sink.know(decoded.value().tuple, frame.label);
        path.consume(raw);
    });
    path.finish();
    return sink.rows();
}

/// The rows of all scenarios as a dataset; a row's group is its scenario.
[[nodiscard]] inline dataset collect_rows(const row_settings& s) {
    std::vector<std::string> names;
    for (const feature_info& f : features) names.emplace_back(f.name);
    dataset data{std::move(names)};
    std::vector<std::vector<labelled_row>> by_scenario(s.scenarios);
    std::atomic<std::size_t> next{0};
    std::size_t done = 0;
    std::mutex reporting;
    const auto work = [&] {
        for (std::size_t i = next++; i < s.scenarios; i = next++) {
            by_scenario[i] = rows_of_scenario(s, i);
            const std::lock_guard lock{reporting};
            ++done;
            if (s.progress) s.progress(done, s.scenarios);
        }
    };
    const std::size_t threads = s.threads != 0 ? s.threads : std::max(1U, std::thread::hardware_concurrency());
    std::vector<std::thread> helpers;
    for (std::size_t t = 1; t < threads; ++t) helpers.emplace_back(work);
    work();
    for (std::thread& h : helpers) h.join();
    for (std::size_t i = 0; i < by_scenario.size(); ++i) {
        for (const labelled_row& row : by_scenario[i]) {
            (void)data.add_row(row.features, row.label, static_cast<std::uint32_t>(i));
        }
        by_scenario[i] = {};
    }
    return data;
}

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
