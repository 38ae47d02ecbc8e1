// SPDX-License-Identifier: MIT
// The sensor's parts put together: the four forests, the pipeline, and the sink that hands events to the log and to
// the summary. Used by the two loops in run.hpp.
#pragma once

#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include <mldefender/core/models/ddos.hpp>
#include <mldefender/core/models/internal.hpp>
#include <mldefender/core/models/ransomware.hpp>
#include <mldefender/core/models/traffic.hpp>
#include <mldefender/core/pipeline.hpp>
#include <mldefender/core/replaceable_forest.hpp>
#include <mldefender/log/async_event_log.hpp>
#include <mldefender/log/country.hpp>
#include <mldefender/log/run_report.hpp>

#include "options.hpp"

namespace mldefender::sensor {

using forests = max_threat<replaceable_forest<models::ddos>, replaceable_forest<models::ransomware>,
                           replaceable_forest<models::traffic>, replaceable_forest<models::internal>>;

/// Hands each event to the log (when there is one) and to the summary.
class sink {
public:
    sink(log::async_event_log* events, log::run_report& report) : m_events(events), m_report(&report) {
        for (std::size_t i = 0; i < feature_count; ++i) m_names[i] = features[i].name;
    }
    void write(const event& e, const flow& f, const feature_vector& v) {
        m_report->note(e);
        if (m_events == nullptr) return;
        ++m_handed;
        const auto first_bytes = [](const flow_side& side) {
            return bytes{side.first_bytes}.first(side.first_bytes_count);
        };
        const log::artifact_content content{v, m_names, first_bytes(f.forward), first_bytes(f.backward)};
        m_events->write(e, &content);
    }

    /// Events handed to the log; those it has not committed when the run ends are lost.
    [[nodiscard]] std::uint64_t handed() const { return m_handed; }

private:
    log::async_event_log* m_events;
    std::uint64_t m_handed = 0;
    log::run_report* m_report;
    std::array<std::string_view, feature_count> m_names{};
};

using detector = pipeline<forests, sink, worker_pool>;

inline std::uint64_t monotonic_us() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

/// A bundle that takes the place of the built-in forest `name`.
inline result<bundle_forest, error> load_forest(const std::string& path, std::string_view name) {
    auto model = load_bundle(path);
    if (!model) return model.failure();
    if (model->name != name) {
        return error{errc::bad_value, "holds the forest '" + model->name + "', not '" + std::string{name} + "'", path,
                     0};
    }
    return bundle_forest::make(std::move(*model));
}

/// The built-in forests, or the bundles the configuration names.
inline result<forests, error> load_forests(const settings::sensor_settings& s) {
    forests all;
    std::size_t position = 0;
    error failure;
    all.for_each_mutable([&](auto& forest) {
        const std::string& path = s.models[position++];
        if (path.empty() || failure.code != errc::ok) return;
        auto made = load_forest(path, forest.name());
        if (made) {
            forest.replace(std::move(*made));
        } else {
            failure = made.failure();
            failure.what += "; see models." + std::string{forest.name()} + " in the configuration";
        }
    });
    if (failure.code != errc::ok) return failure;
    return all;
}

inline result<std::unique_ptr<log::country_db>, error> load_countries(const settings::sensor_settings& s) {
    if (s.country_file.empty()) return std::unique_ptr<log::country_db>{};
    auto opened = log::country_db::open(s.country_file);
    if (!opened) return opened.failure();
    return std::make_unique<log::country_db>(std::move(*opened));
}

/// Whether the files a configuration names can be used.
inline result<void, error> check_files(const settings::sensor_settings& s) {
    if (auto all = load_forests(s); !all) return all.failure();
    if (auto countries = load_countries(s); !countries) return countries.failure();
    return {};
}

inline std::string machine_name() {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string{name.data()} : std::string{"sensor"};
}

inline log::identity identity_of(const options& o, const forests& all) {
    log::identity who;
    who.host = o.configured.host.empty() ? machine_name() : o.configured.host;
    who.deployment = o.configured.deployment;
    for (const std::string& file : o.files) who.interfaces.push_back(file.substr(file.rfind('/') + 1));
    for (const std::string& interface : o.interfaces) who.interfaces.push_back(interface);
    all.for_each([&](const auto& forest) {
        who.models.push_back(
            {std::string{forest.name()} + "@" + std::string{forest.version()}, std::string{forest.hash()}});
    });
    return who;
}

/// Everything that lives as long as a run.
struct assembly {
    std::unique_ptr<log::country_db> countries;
    std::unique_ptr<log::async_event_log> events;
    log::run_report report;
    std::unique_ptr<sink> events_sink;
    std::unique_ptr<worker_pool> pool;
    std::unique_ptr<detector> detect;
};

/// Opens the log and builds the pipeline.
inline result<void, error> assemble(assembly& a, const options& o) {
    auto all = load_forests(o.configured);
    if (!all) return all.failure();
    const bool live = !o.interfaces.empty();
    auto countries = load_countries(o.configured);
    if (!countries) return countries.failure();
    a.countries = std::move(*countries);
    if (!o.events.empty()) {
        log::event_log_options options;
        options.directory = o.events;
        options.chain_key_path = o.configured.chain_key;
        options.sync = live ? log::durability::each_group : log::durability::on_close;
        options.countries = a.countries.get();
        auto opened = log::event_log::open(options, identity_of(o, *all));
        if (!opened) return opened.failure();
        log::async_log_options queue;
        queue.policy = live ? log::when_full::drop : log::when_full::wait;
        a.events = std::make_unique<log::async_event_log>(std::move(opened).value(), queue);
    }
    pipeline_options options = settings::to_options(o.configured);
    options.logging = o.logging;
    if (live) {
        std::random_device random;
        const auto draw = [&random] { return (std::uint64_t{random()} << 32) | random(); };
        options.secret = {draw(), draw()};
        options.clock_us = monotonic_us;
    }
    a.events_sink = std::make_unique<sink>(a.events.get(), a.report);
    if (o.workers > 1) a.pool = std::make_unique<worker_pool>(o.workers);
    a.detect = std::make_unique<detector>(options, std::move(*all), *a.events_sink, a.pool.get());
    return {};
}

}  // namespace mldefender::sensor
