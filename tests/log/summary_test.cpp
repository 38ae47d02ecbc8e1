// SPDX-License-Identifier: MIT
// The one-sentence summary: golden sentences for every attack class, phase and response; never too long.
#include <doctest/doctest.h>

#include <array>
#include <random>
#include <set>
#include <string>

#include <mldefender/log/summary.hpp>

#include "support/log_events.hpp"

using namespace mldefender;

namespace {

std::string summary(const event& e) {
    std::array<char, 1024> memory{};
    return std::string{log::write_summary(e, memory)};
}

event alert_of(attack_class c) {
    event e = test::sample_alert();
    e.attack_class = c;
    e.response = {};
    return e;
}

}  // namespace

TEST_CASE("every class has its own words") {
    std::set<std::string> sentences;
    for (std::size_t c = 1; c < attack_class_count; ++c)
        sentences.insert(summary(alert_of(static_cast<attack_class>(c))));
    CHECK(sentences.size() == attack_class_count - 1);
    CHECK(summary(alert_of(attack_class::scan)) ==
          "192.168.1.57 is probing 203.0.113.77:443 (tls) for open doors (score 0.91); the fast rules and the model "
          "agree; nothing was blocked.");
    CHECK(summary(alert_of(attack_class::exfil)) ==
          "192.168.1.57 is sending unusually much data out to 203.0.113.77:443 (tls), 20.4 kB out and 9.1 kB back "
          "(score 0.91); the fast rules and the model agree; nothing was blocked.");
}

TEST_CASE("a story tells its phase and extent") {
    event e = alert_of(attack_class::bruteforce);
    e.story = {7, 240, 1, 35, story_phase::closed, false};
    CHECK(summary(e) ==
          "Over: 192.168.1.57 kept guessing passwords on 203.0.113.77:443 (tls), 240 connections in 35 s (score 0.91); "
          "the fast rules and the model agree; nothing was blocked.");
    e.story = {7, 240, 12, 7300, story_phase::refreshed, false};
    CHECK(
        summary(e).starts_with("Still going on: 192.168.1.57 keeps guessing passwords on 203.0.113.77:443 (tls), 12 "
                               "targets, 240 connections in 2 h (score"));
    e = alert_of(attack_class::ddos);
    e.story = {8, 90000, 0, 12, story_phase::opened, true};
    CHECK(summary(e).starts_with("203.0.113.77:443 is being flooded, last by 192.168.1.57, 90000 connections in 12 s"));
}

TEST_CASE("what was done is said as it is") {
    event e = test::sample_alert();
    const auto ending = [&e](response_action action, response_status status, std::uint32_t ttl) {
        e.response = {action, status, ttl, ""};
        const std::string sentence = summary(e);
        return sentence.substr(sentence.find("agree; ") + 7);
    };
    using enum response_action;
    CHECK(ending(block, response_status::applied, 3600) == "blocked for 1 h.");
    CHECK(ending(block, response_status::applied, 0) == "blocked until undone.");
    CHECK(ending(block, response_status::dryrun, 90) == "dry run: would be blocked for 90 s.");
    CHECK(ending(quarantine, response_status::failed, 90) == "could not be quarantined.");
    CHECK(ending(ratelimit, response_status::pending, 600) == "about to be slowed down for 10 min.");
    CHECK(ending(block, response_status::skipped, 9) == "on the allow list, so not blocked.");
    CHECK(ending(block, response_status::applied, 7 * 86400) == "blocked for 7 d.");
    CHECK(ending(response_action::alert, response_status::applied, 0) == "nothing was blocked.");
}

TEST_CASE("flow lines say ordinary things plainly") {
    CHECK(summary(test::sample_flow(1)) ==
          "192.168.1.20 to 192.168.1.1:53 (dns), 0 B out and 0 B back: looks ordinary (score 0.02); no detector is "
          "alarmed.");
    event e = test::sample_flow(1);
    e.score = e.ml_score = 0.9F;
    e.attack_class = attack_class::dns_tunnel;
    decide(e);
    CHECK(summary(e) ==
          "192.168.1.20 to 192.168.1.1:53 (dns), 0 B out and 0 B back: looks like DNS or ICMP tunnel (score 0.9); the "
          "fast rules and the model disagree.");
}

TEST_CASE("no sentence is longer than the schema allows, and all are finished") {
    std::mt19937_64 random{3};
    for (int i = 0; i < 20000; ++i) {
        event e = test::random_event(random);
        e.tuple.source = {0x2001'1db8'1111'2222, 0x3333'4444'5555'6666};
        e.tuple.destination = {0x2001'1db8'aaaa'bbbb, 0xcccc'dddd'eeee'ffff};
        e.app_protocol = i % 2 == 0 ? "a-protocol-with-a-long-name" : "not \"plain\" \xff\xff\xff\xff";
        const std::string sentence = summary(e);
        REQUIRE(sentence.size() <= log::max_summary_bytes);
        REQUIRE_MESSAGE(sentence.ends_with('.'), sentence);
    }
}
