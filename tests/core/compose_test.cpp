// SPDX-License-Identifier: MIT
// compose.hpp: an event's fields from a flow, its features and the scores shown.
#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <string_view>

#include <mldefender/core/compose.hpp>

#include "support/packets.hpp"
#include "support/recording_sink.hpp"

using namespace mldefender;
using namespace mldefender::test;

namespace {

constexpr five_tuple there = tuple_of(ip_protocol::tcp, 40000, 443);
constexpr std::uint8_t syn = tcp_flag::syn, ack = tcp_flag::ack;

flow handshake() {
    single_flow s;
    s << segment(there, second, syn) << segment(there.reversed(), 2 * second, syn | ack)
      << segment(there, 3 * second, ack, 100);
    s.f.app.protocol = app_protocol::tls;
    s.f.interface_index = 4;
    return s.f;
}

event composed(const flow& f, const shown_scores& shown, const feature_vector& v) {
    event e;
    compose(e, f, v, shown, rule_set{}, small_forests{}, decision_thresholds{});
    return e;
}
event composed(const flow& f, const shown_scores& shown) { return composed(f, shown, extract(f, {})); }

std::uint64_t rule_bit(std::string_view name) {
    for (std::size_t i = 0; i < rule_count; ++i) {
        if (default_rules[i].name == name) return std::uint64_t{1} << i;
    }
    return 0;
}

}  // namespace

TEST_CASE("the flow's own fields") {
    const event e = composed(handshake(), {});
    CHECK(e.flow_id == flow_id_of(there, second));
    CHECK(e.tuple == there);
    CHECK(e.interface_index == 4);
    CHECK(e.app_protocol == "tls");
    CHECK(e.flow.start_ns == second);
    CHECK(e.flow.end_ns == 3 * second);
    CHECK(e.flow.packets_to_server == 2);
    CHECK(e.flow.packets_to_client == 1);
    CHECK(e.flow.bytes_to_server == 180);
    CHECK(e.flow.bytes_to_client == 40);
    CHECK(e.flow.tcp_flags == (syn | ack));
    CHECK(e.flow.state == flow_state::established);
    CHECK(e.features.syn == 2);
    CHECK(e.features.ack == 2);
    CHECK(e.features.packets_per_s == doctest::Approx(1.5));
    CHECK(e.features.iat_mean_us == doctest::Approx(1e6));
}

TEST_CASE("the state of a connection") {
    const auto state = [](auto... packets) {
        single_flow s;
        (s << ... << packets);
        return composed(s.f, {}).flow.state;
    };
    const five_tuple back = there.reversed();
    CHECK(state(segment(there, 0, syn)) == flow_state::opened);
    CHECK(state(segment(there, 0, syn), segment(back, 1, syn | ack)) == flow_state::established);
    CHECK(state(segment(there, 0, syn), segment(back, 1, tcp_flag::rst)) == flow_state::closed);
    CHECK(state(segment(there, 0, syn), segment(back, 1, syn | ack), segment(there, 2, tcp_flag::fin | ack)) ==
          flow_state::closed);
}

TEST_CASE("a calm flow has no class, no signature, and is sure of its calm") {
    const event e = composed(handshake(), {.ml = 0.1F, .raw = 0.1F, .attack = attack_class::scan});
    CHECK(e.verdict == verdict::benign);
    CHECK(e.attack_class == attack_class::none);
    CHECK(e.signature.id == 0);
    CHECK(e.confidence == doctest::Approx(0.9));
    CHECK_FALSE(e.fast_triggered);
}

TEST_CASE("the rules' decision: reasons, signature and techniques of its class") {
    shown_scores shown{.fast = 0.9F, .attack = attack_class::scan};
    shown.rules = rule_bit("port_sweep") | rule_bit("login_failures");
    const event e = composed(handshake(), shown);
    CHECK(e.score == 0.9F);
    CHECK(e.verdict == verdict::malicious);
    CHECK(e.attack_class == attack_class::scan);
    CHECK(e.fast_triggered);
    REQUIRE(e.fast_reasons.size() == 2);
    CHECK(e.techniques.size() == 1);  // only what belongs to the class told
    CHECK(e.tactics.size() == 1);
    CHECK(e.signature.title == "One host tries many ports");
    CHECK(e.signature.id >= first_rule_signature);
    CHECK(e.confidence == doctest::Approx(0.9));
    CHECK(e.source == decision_source::divergence);
}

TEST_CASE("the forests' decision: the class's own signature, confidence and explanation of the model") {
    feature_vector v = extract(handshake(), {});
    v[*feature_index("src_new_ports")] = 40;
    shown_scores shown{.ml = 0.9F, .raw = 1, .attack = attack_class::scan, .label = attack_class::scan, .model = 1};
    const event e = composed(handshake(), shown, v);
    CHECK(e.signature.id == class_signature_id(attack_class::scan));
    CHECK(e.model_index == 1);
    CHECK(e.ml_label == attack_class::scan);
    CHECK(e.confidence == doctest::Approx(1));
    REQUIRE(e.explain.size() == 1);
    CHECK(e.explain[0].feature == "src_new_ports");
    CHECK(e.explain[0].value == 40);
    CHECK(e.explain[0].weight > 0);
    CHECK(e.features.src_new_ports == 40);
}

TEST_CASE("where the hosts lie decides the direction") {
    const auto direction = [](bool initiator_external, bool responder_external) {
        const flow f = handshake();
        return composed(
                   f, {},
                   extract(f, {.initiator_external = initiator_external, .responder_external = responder_external}))
            .direction;
    };
    CHECK(direction(false, false) == flow_direction::internal);
    CHECK(direction(false, true) == flow_direction::outbound);
    CHECK(direction(true, false) == flow_direction::inbound);
    CHECK(direction(true, true) == flow_direction::external);
}

TEST_CASE("the larger score is the one shown, the rules' on a tie") {
    CHECK(score_of({.fast = 0.4F, .ml = 0.6F}) == 0.6F);
    CHECK(score_of({.fast = 0.7F, .ml = 0.6F}) == 0.7F);
    CHECK(score_of({}) == 0);
}
