// SPDX-License-Identifier: MIT
// Rows keep whole flows, fairly, of every behaviour, and the same ones on any number of threads.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <mldefender/forge/rows.hpp>

using namespace mldefender;

namespace {

forge::row_settings settings() {
    forge::row_settings s;
    s.seed = 11;
    s.scenarios = 6;
    s.scenario.longest_ns = 60 * forge::units::second;
    s.limits = {5, 7, 3};
    return s;
}

}  // namespace

TEST_CASE("rows: the same on any number of threads, others with another seed") {
    auto s = settings();
    s.threads = 1;
    const auto one = forge::collect_rows(s);
    s.threads = 3;
    CHECK(one == forge::collect_rows(s));
    s.seed = 12;
    CHECK(!(one == forge::collect_rows(s)));
}

TEST_CASE("rows: every behaviour has its share, in whole flows") {
    const auto data = forge::collect_rows(settings());
    REQUIRE(data.rows() > 100);
    std::map<std::pair<std::uint32_t, std::pair<attack_class, std::uint16_t>>, std::set<std::uint32_t>> flows;
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> rows;
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::pair<attack_class, std::uint16_t>> truth;
    for (std::size_t r = 0; r < data.rows(); ++r) {
        const std::pair flow{data.groups()[r], data.flows()[r]};
        const std::pair what{data.labels()[r], data.sources()[r]};
        flows[{data.groups()[r], what}].insert(data.flows()[r]);
        ++rows[flow];
        CHECK(truth.try_emplace(flow, what).first->second == what);
        const auto* behaviour = forge::find_behaviour(data.source_names()[data.sources()[r]]);
        REQUIRE(behaviour != nullptr);
        if (data.labels()[r] != attack_class::none) CHECK(behaviour->label == data.labels()[r]);
    }
    bool full = false;
    for (const auto& [source, members] : flows) {
        const std::size_t limit = source.second.first == attack_class::none ? 5 : 7;
        CHECK(members.size() <= limit);
        full = full || members.size() == limit;
    }
    CHECK(full);
    for (const auto& [flow, count] : rows) CHECK(count <= 3);
}

TEST_CASE("rows: which flows are kept does not depend on who comes first, and is fair") {
    std::vector<std::size_t> kept(200, 0);
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        forge::detail::flow_sample forwards{20, 2, seed};
        forge::detail::flow_sample backwards{20, 2, seed};
        feature_vector v{};
        for (std::uint64_t key = 0; key < 200; ++key) {
            v[0] = static_cast<float>(key);
            forwards.offer(key, v);
            v[0] = static_cast<float>(199 - key);
            backwards.offer(199 - key, v);
        }
        std::set<float> one;
        std::set<float> other;
        forwards.for_each([&](const auto& rows) { one.insert(rows.front()[0]); });
        backwards.for_each([&](const auto& rows) { other.insert(rows.front()[0]); });
        CHECK(one.size() == 20);
        CHECK(one == other);
        for (const float key : one) ++kept[static_cast<std::size_t>(key)];
    }
    for (const std::size_t times : kept) {  // 30 expected, deviation 5.2
        CHECK(times > 8);
        CHECK(times < 56);
    }
}

TEST_CASE("rows: of a flow with many decisions a fair sample is kept") {
    std::vector<std::size_t> kept(50, 0);
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
        forge::detail::flow_sample sample{1, 5, seed};
        feature_vector v{};
        for (int i = 0; i < 50; ++i) {
            v[0] = static_cast<float>(i);
            sample.offer(7, v);
        }
        sample.for_each([&](const auto& rows) {
            CHECK(rows.size() == 5);
            for (const auto& row : rows) ++kept[static_cast<std::size_t>(row[0])];
        });
    }
    for (const std::size_t times : kept) {  // 50 expected, deviation 6.7
        CHECK(times > 20);
        CHECK(times < 85);
    }
}
