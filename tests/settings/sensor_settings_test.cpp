// SPDX-License-Identifier: MIT
// Tests of settings/sensor_settings.hpp: the defaults are the pipeline's own, every key reaches its option, and what
// does not fit together is refused.
#include <mldefender/settings/sensor_settings.hpp>

#include <set>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

using namespace mldefender;
using settings::sensor_settings;

namespace {

/// The settings after a document, which must be accepted.
sensor_settings after(std::string_view document) {
    sensor_settings s;
    settings::binding b;
    settings::bind(b, s);
    const auto loaded = b.load_text(document, "test.json");
    REQUIRE_MESSAGE(loaded.ok(), (loaded.ok() ? "" : loaded.failure().text()));
    return s;
}

std::string complaint(std::string_view document) {
    sensor_settings s;
    settings::binding b;
    settings::bind(b, s);
    const auto loaded = b.load_text(document, "test.json");
    return loaded.ok() ? "" : loaded.failure().text();
}

const rule& rule_of(const rule_set& rules, std::string_view name) {
    for (const rule& r : rules.rules()) {
        if (r.name == name) return r;
    }
    FAIL("no such rule");
    return rules.rules()[0];
}

}  // namespace

TEST_CASE("without a document the pipeline's own defaults hold") {
    const pipeline_options made = settings::to_options(sensor_settings{});
    const pipeline_options own;
    CHECK(made.parsing.decapsulate == own.parsing.decapsulate);
    CHECK(made.parsing.any_protocol == own.parsing.any_protocol);
    CHECK(made.flows.capacity == own.flows.capacity);
    CHECK(made.flows.idle_timeout_ns == own.flows.idle_timeout_ns);
    CHECK(made.flows.active_timeout_ns == own.flows.active_timeout_ns);
    CHECK(made.flows.early_close == own.flows.early_close);
    CHECK(made.flows.count_fragments == own.flows.count_fragments);
    CHECK(made.windows.hosts == own.windows.hosts);
    CHECK(made.windows.pairs == own.windows.pairs);
    CHECK(made.hold_ns == own.hold_ns);
    CHECK(made.hold_capacity == own.hold_capacity);
    CHECK(made.stories.refresh_ns == own.stories.refresh_ns);
    CHECK(made.stories.close_after_ns == own.stories.close_after_ns);
    CHECK(made.stories.reach_back_ns == own.stories.reach_back_ns);
    CHECK(made.thresholds.verdicts.suspicious == own.thresholds.verdicts.suspicious);
    CHECK(made.site.contains(address::v4(0x0a000001)));
    CHECK_FALSE(made.site.contains(address::v4(0x08080808)));
    for (std::size_t i = 0; i < rule_count; ++i) {
        const rule& a = made.rules.rules()[i];
        const rule& b = own.rules.rules()[i];
        CHECK(a.enabled == b.enabled);
        CHECK(a.score == b.score);
        for (std::size_t c = 0; c < a.conditions.size(); ++c) CHECK(a.conditions[c].value == b.conditions[c].value);
    }
}

TEST_CASE("every key can be given its default, once") {
    sensor_settings s;
    settings::binding b;
    settings::bind(b, s);
    const auto keys = b.keys();
    CHECK(std::set<std::string>(keys.begin(), keys.end()).size() == keys.size());
    for (const std::string& key : keys) {
        CHECK(complaint("{\"" + key.substr(0, key.find('.')) + "\": null}") != "");
    }
}

TEST_CASE("flow keys reach the pipeline") {
    const auto o = settings::to_options(after(R"({"flow": {"capacity": 1024, "idle_timeout_s": 1.5,
        "active_timeout_s": 0, "early_close": false, "count_fragments": false, "hosts": 600, "pairs": 700,
        "hold_s": 0, "hold_capacity": 9}})"));
    CHECK(o.flows.capacity == 1024);
    CHECK(o.flows.idle_timeout_ns == 1'500'000'000);
    CHECK(o.flows.active_timeout_ns == 0);
    CHECK_FALSE(o.flows.early_close);
    CHECK_FALSE(o.flows.count_fragments);
    CHECK(o.windows.hosts == 600);
    CHECK(o.windows.pairs == 700);
    CHECK(o.hold_ns == 0);
    CHECK(o.stories.reach_back_ns == 0);
    CHECK(o.hold_capacity == 9);
}

TEST_CASE("capture keys reach the parser, or stay for the capture") {
    const sensor_settings s = after(R"({"capture": {"decapsulate": true, "other_protocols": false, "buffer_mb": 64,
        "snap_len": 96, "promiscuous": false, "filter": "tcp"}})");
    CHECK(settings::to_options(s).parsing.decapsulate);
    CHECK_FALSE(settings::to_options(s).parsing.any_protocol);
    CHECK(s.buffer_mb == 64);
    CHECK(s.snap_len == 96);
    CHECK_FALSE(s.promiscuous);
    CHECK(s.filter == "tcp");
}

TEST_CASE("thresholds and story times reach the pipeline") {
    const auto o = settings::to_options(after(R"({"alert": {"suspicious": 0.4, "malicious": 0.6, "fast": 0.3,
        "ml": 0.2, "priority_medium": 0.5, "priority_high": 0.6, "priority_critical": 0.7, "refresh_s": 5,
        "close_after_s": 30}})"));
    CHECK(o.thresholds.verdicts.suspicious == 0.4F);
    CHECK(o.thresholds.verdicts.malicious == 0.6F);
    CHECK(o.thresholds.fast == 0.3F);
    CHECK(o.thresholds.ml == 0.2F);
    CHECK(o.thresholds.priorities.medium == 0.5F);
    CHECK(o.thresholds.priorities.high == 0.6F);
    CHECK(o.thresholds.priorities.critical == 0.7F);
    CHECK(o.stories.refresh_ns == 5'000'000'000);
    CHECK(o.stories.close_after_ns == 30'000'000'000);
}

TEST_CASE("named networks replace the private ones") {
    const auto o = settings::to_options(after(R"({"protected_networks": ["192.0.2.0/24", "2001:db8::/32"]})"));
    CHECK(o.site.contains(address::v4(0xc0000205)));
    CHECK(o.site.contains(*parse_address("2001:db8::9")));
    CHECK_FALSE(o.site.contains(address::v4(0x0a000001)));
    CHECK(complaint(R"({"protected_networks": ["10.0.0.0/33"]})").find("expected a network") != std::string::npos);
}

TEST_CASE("rules change by name, condition by condition") {
    const auto o = settings::to_options(after(
        R"({"rules": {"smb_fanout": {"src_smb_dsts_60s": 25, "score": 0.5}, "port_sweep": {"enabled": false}}})"));
    const rule& smb = rule_of(o.rules, "smb_fanout");
    CHECK(smb.score == 0.5F);
    CHECK(smb.conditions[0].feature == "src_smb_dsts_60s");
    CHECK(smb.conditions[0].value == 25);
    CHECK(smb.enabled);
    CHECK_FALSE(rule_of(o.rules, "port_sweep").enabled);

    feature_vector row{};
    for (const rule_condition& c : smb.conditions) {
        if (!c.feature.empty()) row[*feature_index(c.feature)] = c.value;
    }
    CHECK(o.rules.evaluate(row).score == 0.5F);
    row[*feature_index("src_smb_dsts_60s")] = 24;
    CHECK(o.rules.evaluate(row).score < 0.5F);
}

TEST_CASE("a feature bounded from both sides keeps its second bound") {
    const pipeline_options options = settings::to_options(sensor_settings{});
    for (const rule& r : default_rules) {
        for (std::size_t i = 0; i < r.conditions.size(); ++i) {
            if (r.conditions[i].feature.empty() || !settings::detail::is_repeated(r, i)) continue;
            const rule& made = rule_of(options.rules, r.name);
            CHECK(made.conditions[i].value == r.conditions[i].value);
            CHECK(made.conditions[i].at_least == r.conditions[i].at_least);
        }
    }
}

TEST_CASE("contradictions name the keys") {
    sensor_settings s;
    CHECK(settings::contradiction(s) == "");
    s.thresholds.verdicts = {0.8F, 0.7F};
    CHECK(settings::contradiction(s).find("alert.suspicious") != std::string::npos);
    s = {};
    s.thresholds.priorities.high = 0.99F;
    CHECK(settings::contradiction(s).find("priority") != std::string::npos);
    s = {};
    s.protected_networks.resize(33, "10.0.0.0/8");
    CHECK(settings::contradiction(s).find("32") != std::string::npos);
}

TEST_CASE("files: none is the defaults, an absent one an error") {
    CHECK(settings::load_sensor_settings("").ok());
    const auto absent = settings::load_sensor_settings("/nonexistent/sensor.json");
    REQUIRE_FALSE(absent.ok());
    CHECK(absent.failure().code == errc::not_found);
}
