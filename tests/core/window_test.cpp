// SPDX-License-Identifier: MIT
// window.hpp: buckets that roll over, spans that merge, how the rhythm of contacts is told from page loads, fading.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include <mldefender/core/window.hpp>

#include "support/packets.hpp"
#include "support/traffic.hpp"

using namespace mldefender;
using namespace mldefender::test;

namespace {

constexpr five_tuple there = tuple_of(ip_protocol::tcp, 40000, 443);

observation seen(std::int64_t at, observation_kind kind = observation_kind::contact, const five_tuple& t = there) {
    observation o;
    o.timestamp_ns = at;
    o.kind = kind;
    o.tuple = t;
    return o;
}
// Windows live in tables, not on the stack: there the compiler takes unused places for forgotten ones.
std::unique_ptr<host_window> fresh_window() { return std::make_unique<host_window>(); }

std::uint32_t contacts(const host_window& w, std::int64_t now, std::int64_t newest, std::int64_t oldest) {
    host_activity sum;
    w.merge_span(sum, now, newest, oldest);
    return sum.contacts;
}
pair_history pair_with(const std::vector<double>& contact_times_s) {
    pair_history p;
    for (const double at : contact_times_s) note_pair(p, seen(static_cast<std::int64_t>(at * 1e9)));
    return p;
}

}  // namespace

TEST_CASE("a bucket is used again a minute later, cleared") {
    const auto window = fresh_window();
    host_window& w = *window;
    note_initiator(w, seen(5 * second));
    note_initiator(w, seen(9999 * ms));
    CHECK(w.at(0).contacts == 2);
    note_initiator(w, seen(10 * second));
    CHECK(w.at(10 * second).contacts == 1);
    note_initiator(w, seen(65 * second));  // the place of bucket 0
    CHECK(w.at(65 * second).contacts == 1);
    CHECK(contacts(w, 65 * second, 0, 5) == 2);
}

TEST_CASE("spans: the current bucket, those before it, and nothing older than a minute") {
    const auto window = fresh_window();
    host_window& w = *window;
    for (int bucket = 10; bucket < 16; ++bucket) {
        for (int i = 0; i < bucket; ++i) note_initiator(w, seen(bucket * 10 * second + i * ms));
    }
    const std::int64_t now = 155 * second;
    CHECK(contacts(w, now, 0, 0) == 15);
    CHECK(contacts(w, now, 0, 1) == 15 + 14);
    CHECK(contacts(w, now, 2, 3) == 13 + 12);
    CHECK(contacts(w, now, 4, 5) == 11 + 10);
    CHECK(contacts(w, now, 0, 5) == 75);
    CHECK(contacts(w, now + 10 * second, 0, 5) == 65);
    CHECK(contacts(w, now + 60 * second, 0, 5) == 0);
    CHECK(w.total(&host_activity::contacts, now, 1) == 29);
    CHECK(w.total(&host_activity::contacts, now, 5) == 75);
    CHECK(w.total(&host_activity::contacts, now + 55 * second, 5) == 0);
}

TEST_CASE("a new window holds nothing at any time, near 0 and below it too") {
    const auto window = fresh_window();
    const host_window& w = *window;
    for (const std::int64_t now :
         {-25 * second, -15 * second, -1 * second, std::int64_t{0}, 15 * second, 45 * second}) {
        CAPTURE(now);
        CHECK(contacts(w, now, 0, 5) == 0);
        CHECK(w.total(&host_activity::contacts, now, 5) == 0);
    }
}

TEST_CASE("a clock that steps back finds its window working") {
    const auto window = fresh_window();
    host_window& w = *window;
    note_initiator(w, seen(1000 * second));
    note_initiator(w, seen(400 * second));
    CHECK(contacts(w, 400 * second, 0, 5) == 1);
}

TEST_CASE("merging adds counters and joins sets") {
    const auto window = fresh_window();
    host_window& w = *window;
    for (std::uint8_t i = 0; i < 30; ++i) {
        const five_tuple t = tuple_of(ip_protocol::tcp, 1, 22, client, address::v4(10, 0, 1, i));
        note_initiator(w, seen(i % 2 == 0 ? 5 * second : 15 * second, observation_kind::contact, t));
        note_initiator(w, seen(15 * second, observation_kind::contact, t));
    }
    host_activity sum;
    w.merge_span(sum, 15 * second, 0, 1);
    CHECK(sum.contacts == 60);
    CHECK(sum.tcp_contacts == 60);
    CHECK(sum.destinations.count() == doctest::Approx(30).epsilon(0.1));
    CHECK(sum.ssh_destinations.count() == doctest::Approx(30).epsilon(0.2));
    CHECK(sum.ports.count() == doctest::Approx(1).epsilon(0.01));
}

TEST_CASE("each report reaches its counter on each side") {
    using enum observation_kind;
    const auto initiator = [](observation_kind kind) {
        const auto window = fresh_window();
        host_window& w = *window;
        note_initiator(w, seen(0, kind));
        return w.at(0);
    };
    const auto responder = [](observation_kind kind) {
        const auto window = fresh_window();
        host_window& w = *window;
        note_responder(w, seen(0, kind));
        return w.at(0);
    };
    CHECK(initiator(contact).contacts == 1);
    CHECK(initiator(accepted).accepted == 1);
    CHECK(initiator(accepted).tcp_accepted == 1);
    CHECK(initiator(refused).tcp_refused == 1);
    CHECK(initiator(lookup).lookups == 1);
    CHECK(initiator(lookup_failed).lookups_failed == 1);
    CHECK(initiator(credentials).credentials == 1);
    CHECK(initiator(rejected).rejected == 1);
    CHECK(initiator(file_change).file_changes == 1);
    CHECK(initiator(weak_ticket).weak_tickets == 1);
    CHECK(initiator(weak_login).weak_logins == 1);
    CHECK(initiator(listing).listed_destinations.count() == doctest::Approx(1).epsilon(0.01));
    CHECK(initiator(traffic).contacts == 0);
    CHECK(responder(contact).asked == 1);
    CHECK(responder(contact).asked_tcp == 1);
    CHECK(responder(accepted).answered == 1);
    CHECK(responder(completed).completed_tcp == 1);
    CHECK(responder(rejected).rejections == 1);
    CHECK(responder(lookup).asked == 0);
}

TEST_CASE("a mid-stream connection is a contact, but no opening") {
    const auto window = fresh_window();
    host_window& w = *window;
    observation o = seen(0);
    o.midstream = true;
    note_initiator(w, o);
    CHECK(w.at(0).contacts == 1);
    CHECK(w.at(0).tcp_contacts == 0);
}

TEST_CASE("the busiest port is known when one has the majority") {
    const auto window = fresh_window();
    host_window& w = *window;
    for (std::uint16_t i = 0; i < 100; ++i) {
        const std::uint16_t port = i % 3 == 0 ? static_cast<std::uint16_t>(1000 + i) : std::uint16_t{443};
        note_responder(
            w, seen((i < 50 ? 5 : 15) * second, observation_kind::contact, tuple_of(ip_protocol::tcp, 1, port)));
    }
    host_activity sum;
    w.merge_span(sum, 15 * second, 0, 1);
    CHECK(sum.busy_port == 443);
    CHECK(sum.busy_lead > 0);
}

TEST_CASE("periodicity: a clock, a clock with jitter, a person, a page") {
    CHECK(pair_with({0, 60, 120, 180, 240, 300, 360, 420, 480}).periodicity() == 1);
    const pair_history jitter = pair_with({0, 58, 121, 180, 239, 302, 360, 418, 481});
    CHECK(jitter.periodicity() > 0.9F);
    CHECK(jitter.periodicity() < 1);
    CHECK(pair_with({0, 3, 90, 95, 400, 410, 1000, 1100, 1101}).periodicity() < 0.4F);
    // Six parallel connections of a page, again and again: the usual gap is below a second.
    CHECK(pair_with({0, 0.01, 0.02, 0.03, 10, 10.01, 10.02, 10.03, 20}).periodicity() == 0);
}

TEST_CASE("periodicity needs intervals, and grows with them") {
    CHECK(pair_with({0}).periodicity() == 0);
    CHECK(pair_with({0, 10, 20}).periodicity() == 0);
    CHECK(pair_with({0, 10, 20, 30}).periodicity() == doctest::Approx(3.0 / 8));
    CHECK(pair_with({0, 10, 20, 30, 40}).periodicity() == doctest::Approx(0.5));
    // Only the last eight count: a beacon shows soon after something irregular.
    CHECK(pair_with({0, 7, 8, 9, 100, 110, 120, 130, 140, 150, 160, 170, 180}).periodicity() == 1);
}

TEST_CASE("the median interval and its spread, by hand") {
    // Gaps 10, 12, 8, 11, 30: sorted 8 10 11 12 30, median 11; distances 3 1 0 1 19, median 1.
    const pair_history::rhythm r = pair_with({0, 10, 22, 30, 41, 71}).measure();
    CHECK(r.median_s == doctest::Approx(11));
    CHECK(r.spread == doctest::Approx(1.0 / 11));
}

TEST_CASE("contacts at one and the same moment, and backwards, have no rhythm") {
    CHECK(pair_with({5, 5, 5, 5, 5}).measure().median_s == 0);
    CHECK(pair_with({50, 40, 30, 20, 10}).periodicity() == 0);
}

TEST_CASE("recent counts halve every five minutes") {
    pair_history p = pair_with({0});
    CHECK(p.recent_contacts == 1);
    p.fade(300 * second);
    CHECK(p.recent_contacts == doctest::Approx(0.5).epsilon(1e-3));
    p.fade(450 * second);
    CHECK(p.recent_contacts == doctest::Approx(0.5 / std::sqrt(2.0)).epsilon(1e-3));
    p.fade(400 * second);  // back in time: nothing more is lost
    CHECK(p.recent_contacts == doctest::Approx(0.5 / std::sqrt(2.0)).epsilon(1e-3));
    p.fade(1'000'000 * second);
    CHECK(p.recent_contacts == 0);
    CHECK(p.contacts == 1);
}

TEST_CASE("fading is close to exact at any point") {
    for (int seconds = 0; seconds < 6000; seconds += 17) {
        pair_history p = pair_with({0});
        p.fade(seconds * second);
        REQUIRE(p.recent_contacts == doctest::Approx(std::exp2(-seconds / 300.0)).epsilon(1.5e-3));
    }
}

TEST_CASE("signs are remembered for ten minutes, each by itself, and only those of outside contacts") {
    const auto window = fresh_window();
    host_window& w = *window;
    const auto note = [&](std::int64_t at, oddity what, bool external) {
        observation o = seen(at, observation_kind::odd);
        o.oddities = bit_of(what);
        o.responder_external = external;
        note_initiator(w, o);
    };
    CHECK(w.signs.recent(1000 * second) == 0);
    note(1000 * second, oddity::posed_request, true);
    note(1300 * second, oddity::own_address, true);
    note(1300 * second, oddity::mining, false);
    CHECK(w.signs.recent(1300 * second) == (bit_of(oddity::posed_request) | bit_of(oddity::own_address)));
    CHECK(w.signs.recent(1600 * second) == (bit_of(oddity::posed_request) | bit_of(oddity::own_address)));
    CHECK(w.signs.recent(1601 * second) == bit_of(oddity::own_address));
    note(1601 * second, oddity::posed_request, true);
    CHECK(w.signs.recent(1901 * second) == bit_of(oddity::posed_request));
    note(1700 * second, oddity::posed_request, true);
    note(1650 * second, oddity::posed_request, true);  // a clock that steps back forgets nothing
    CHECK(w.signs.recent(2300 * second) == bit_of(oddity::posed_request));
    CHECK(w.signs.recent(2301 * second) == 0);
}
