// SPDX-License-Identifier: MIT
// Tests of log/run_report.hpp: quantiles within the promised error, stories that are joined, bounded and sorted, and a
// table and a JSON object that hold the numbers they were given.
#include <mldefender/log/run_report.hpp>

#include <simdjson.h>

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

using namespace mldefender;
using log::duration_histogram;
using log::run_report;

namespace {

event alert(std::uint64_t story, std::uint32_t attacker, std::uint64_t flows, attack_class attack = attack_class::scan,
            float score = 0.8F) {
    event e;
    e.kind = event_kind::alert;
    e.timestamp_ns = 1'700'000'000'000'000'000 + static_cast<std::int64_t>(flows) * 1'000'000'000;
    e.tuple.source = address::v4(attacker);
    e.tuple.destination = address::v4(0x0a000001);
    e.attack_class = attack;
    e.score = score;
    e.verdict = score >= 0.7F ? verdict::malicious : verdict::suspicious;
    e.story.id = story;
    e.story.flows = flows;
    e.story.targets = 3;
    return e;
}

simdjson::dom::element parsed(simdjson::dom::parser& parser, const std::string& text) {
    simdjson::dom::element root;
    REQUIRE(parser.parse(text).get(root) == simdjson::SUCCESS);
    return root;
}

}  // namespace

TEST_CASE("an empty histogram has no quantiles, one value is all of them") {
    duration_histogram h;
    CHECK(h.count() == 0);
    CHECK(h.quantile(0.5) == 0);
    h.add(1000, 5);
    CHECK(h.count() == 5);
    for (const double q : {0.0, 0.5, 1.0}) CHECK(h.quantile(q) == h.quantile(0));
}

TEST_CASE("a quantile is never below the value and at most a quarter octave above") {
    for (std::uint64_t ns = 4; ns < (1ULL << 40); ns = ns + ns / 7 + 1) {
        duration_histogram h;
        h.add(ns);
        CHECK(h.quantile(0.5) > ns);
        CHECK(static_cast<double>(h.quantile(0.5)) <= 1.25 * static_cast<double>(ns) + 1);
    }
}

TEST_CASE("durations beyond both ends are kept in the outermost buckets") {
    duration_histogram h;
    h.add(0);
    CHECK(h.quantile(0.5) == 5);
    duration_histogram late;
    late.add(UINT64_MAX);
    CHECK(late.quantile(0.5) > (1ULL << 39));
}

TEST_CASE("quantiles of many durations stand in their order") {
    duration_histogram h;
    for (std::uint64_t i = 1; i <= 1000; ++i) h.add(i * 1000);
    CHECK(static_cast<double>(h.quantile(0.5)) == doctest::Approx(500'000).epsilon(0.25));
    CHECK(static_cast<double>(h.quantile(0.99)) == doctest::Approx(990'000).epsilon(0.25));
    CHECK(h.quantile(0.5) <= h.quantile(0.9));
    CHECK(h.quantile(0.9) <= h.quantile(1));
}

TEST_CASE("latency counts packets, not bursts") {
    run_report r;
    r.note_burst(99, 1000);
    r.note_burst(1, 1'000'000);
    r.note_burst(0, 5);
    CHECK(r.latency().count() == 100);
    CHECK(r.latency().quantile(0.5) < 2000);
    CHECK(r.latency().quantile(1) > 1'000'000);
}

TEST_CASE("alerts of one story are one row with its last counts and its largest score") {
    run_report r;
    r.note(alert(7, 0x0a000009, 1, attack_class::scan, 0.9F));
    r.note(alert(7, 0x0a000009, 50, attack_class::scan, 0.6F));
    event flow = alert(8, 0x0a000008, 99);
    flow.kind = event_kind::flow;
    r.note(flow);
    const auto top = r.top();
    REQUIRE(top.size() == 1);
    CHECK(top[0].actor == address::v4(0x0a000009));
    CHECK(top[0].flows == 50);
    CHECK(top[0].score == doctest::Approx(0.9));
    CHECK(top[0].worst == verdict::malicious);
    CHECK(top[0].last_ns - top[0].first_ns == 49'000'000'000);
}

TEST_CASE("a story told by its victim names the victim") {
    run_report r;
    event e = alert(1, 0x0a000009, 5, attack_class::ddos);
    e.story.by_victim = true;
    r.note(e);
    CHECK(r.top()[0].actor == address::v4(0x0a000001));
    CHECK(r.text({}, {}).find("10.0.0.1") != std::string::npos);
    CHECK(r.text({}, {}).find("victim") != std::string::npos);
}

TEST_CASE("the largest stories are shown, and memory is bounded") {
    run_report r;
    for (std::uint32_t i = 0; i < 5000; ++i) r.note(alert(i + 1, 0x0b000000 + i, i));
    const auto top = r.top();
    REQUIRE(top.size() == run_report::shown_stories);
    for (std::size_t i = 0; i < top.size(); ++i) CHECK(top[i].flows == 4999 - i);
}

TEST_CASE("stories of one size stand in the order of their addresses") {
    run_report r;
    for (const std::uint32_t last : {3U, 1U, 2U}) r.note(alert(last, 0x0a000000 + last, 10));
    const auto top = r.top();
    CHECK(top[0].actor == address::v4(0x0a000001));
    CHECK(top[2].actor == address::v4(0x0a000003));
}

TEST_CASE("the JSON object holds every number") {
    run_report r;
    r.note(alert(1, 0x0a000009, 5));
    r.note_burst(10, 5000);
    statistics s;
    s.packets = 10;
    s.bytes = 1000;
    s.ip_packets = 7;
    s.fragments_skipped = 1;
    s.undecoded[static_cast<std::size_t>(errc::not_ip)] = 1;
    s.undecoded[static_cast<std::size_t>(errc::truncated)] = 1;
    s.flows_begun = 4;
    s.flows_evicted = 2;
    s.decisions = 6;
    s.alerts = 1;
    s.stories_opened = 1;
    s.flows_by_verdict = {2, 1, 1};
    s.flows_by_class[static_cast<std::size_t>(attack_class::scan)] = 2;
    log::run_facts facts;
    facts.seconds = 2;
    facts.capture_drops = 8;
    facts.lines_lost = 3;
    facts.artifacts = 5;
    simdjson::dom::parser parser;
    const auto root = parsed(parser, r.json(s, facts));
    const auto number = [&root](std::string_view pointer) { return root.at_pointer(pointer).get_uint64().value(); };
    CHECK(number("/packets") == 10);
    CHECK(number("/bytes") == 1000);
    CHECK(number("/ip_packets") == 7);
    CHECK(number("/packets_per_s") == 5);
    CHECK(number("/fragments_skipped") == 1);
    CHECK(number("/not_ip") == 1);
    CHECK(number("/malformed/truncated") == 1);
    CHECK(number("/drops") == 8);
    CHECK(number("/lines_lost") == 3);
    CHECK(number("/artifacts") == 5);
    CHECK(number("/flows") == 4);
    CHECK(number("/flows_evicted") == 2);
    CHECK(number("/decisions") == 6);
    CHECK(number("/verdicts/malicious") == 1);
    CHECK(number("/classes/scan") == 2);
    CHECK(number("/attackers/0/flows") == 5);
    CHECK(root.at_pointer("/attackers/0/address").get_string().value() == "10.0.0.9");
    CHECK(root.at_pointer("/attackers/0/first").get_string().value() == "2023-11-14T22:13:25.000000+0000");
    CHECK(root.at_pointer("/latency_us/p50").get_double().value() >= 5);
}

TEST_CASE("a run of nothing is valid in both forms") {
    const run_report r;
    simdjson::dom::parser parser;
    const auto root = parsed(parser, r.json({}, {}));
    CHECK(root.at_pointer("/packets_per_s").get_uint64().value() == 0);
    CHECK(root.at_pointer("/attackers").get_array().value().size() == 0);
    const std::string text = r.text({}, {});
    CHECK(text.find("classes      none\n") != std::string::npos);
    CHECK(text.find("events       not written\n") != std::string::npos);
    CHECK(text.find("who") == std::string::npos);
    CHECK(text.back() == '\n');
}

TEST_CASE("the table says what could not be decoded, and why") {
    statistics s;
    s.undecoded[static_cast<std::size_t>(errc::not_ip)] = 3;
    s.undecoded[static_cast<std::size_t>(errc::bad_version)] = 2;
    const std::string text = run_report{}.text(s, {});
    CHECK(text.find("not decoded  3 not IP, 2 " + std::string{name_of(errc::bad_version)}) != std::string::npos);
}
