// SPDX-License-Identifier: MIT
// The event value: copyable without a heap, usable while compiling, its words as the schema spells them.
#include <doctest/doctest.h>

#include <type_traits>

#include <mldefender/core/event.hpp>

using namespace mldefender;

static_assert(std::is_trivially_copyable_v<event>);
static_assert(sizeof(event) <= 1280, "events are copied into queues of thousands");

namespace {

constexpr event made_while_compiling() {
    event e;
    e.score = 0.96F;
    e.fast_score = 0.96F;
    e.ml_score = 0.5F;
    e.explain.push({"beacon", 0.97F, 0.31F});
    decide(e);
    return e;
}
static_assert(made_while_compiling().verdict == verdict::malicious);
static_assert(made_while_compiling().priority == priority::critical);
static_assert(made_while_compiling().source == decision_source::divergence);
static_assert(!made_while_compiling().divergence_reason.empty());
static_assert(deserves_artifact(made_while_compiling()));
static_assert(!deserves_artifact(event{}));

}  // namespace

TEST_CASE("a short list keeps the first items and says when it is full") {
    short_list<int, 2> list;
    CHECK(list.empty());
    CHECK(list.push(1));
    CHECK(list.push(2));
    CHECK_FALSE(list.push(3));
    CHECK(list.size() == 2);
    CHECK(list[1] == 2);
    int sum = 0;
    for (const int item : list) sum += item;
    CHECK(sum == 3);
    list.clear();
    CHECK(list.empty());
}

TEST_CASE("names are the schema's and read back") {
    CHECK(name_of(flow_state::opened) == "new");
    for (const auto s : {flow_state::opened, flow_state::established, flow_state::closed, flow_state::bypassed}) {
        CHECK(parse_flow_state(name_of(s)) == s);
    }
    for (const auto d :
         {flow_direction::inbound, flow_direction::outbound, flow_direction::internal, flow_direction::external}) {
        CHECK(parse_flow_direction(name_of(d)) == d);
    }
    for (const auto a : {response_action::none, response_action::alert, response_action::ratelimit,
                         response_action::quarantine, response_action::block}) {
        CHECK(parse_response_action(name_of(a)) == a);
    }
    for (const auto s : {response_status::applied, response_status::dryrun, response_status::failed,
                         response_status::skipped, response_status::pending}) {
        CHECK(parse_response_status(name_of(s)) == s);
    }
    for (const auto k : {event_kind::alert, event_kind::flow}) CHECK(parse_event_kind(name_of(k)) == k);
    CHECK_FALSE(parse_event_kind("Alert"));
    CHECK(name_of(static_cast<event_kind>(99)) == "alert");
    CHECK(name_of(ip_protocol::icmpv6) == "IPv6-ICMP");
    CHECK(name_of(ip_protocol::sctp) == "SCTP");
    CHECK(name_of(static_cast<ip_protocol>(255)) == "UNKNOWN");
}

TEST_CASE("signature ids stay within this product's block") {
    CHECK(class_signature_id(attack_class::none) == 0);
    CHECK(class_signature_id(attack_class::ddos) == 8383001);
    CHECK(class_signature_id(attack_class::anomaly) == 8383010);
}

TEST_CASE("an unknown country is empty text") {
    CHECK(country_code{}.view().empty());
    CHECK(country_code{{'N', 'L'}}.view() == "NL");
}
