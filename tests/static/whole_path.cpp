// SPDX-License-Identifier: MIT
// The whole path while compiling: the frames of a small port scan go through parser, flows, windows, features, rules,
// a forest, stories and events, and the verdict is asserted. Building this file is the test.
#include <array>
#include <cstddef>
#include <cstdint>

#include <mldefender/core/pipeline.hpp>

#include "support/recording_sink.hpp"

namespace whole_path_test {

using namespace mldefender;

constexpr std::size_t frame_size = 54;
using tcp_frame = std::array<std::uint8_t, frame_size>;

// Ethernet, IPv4 and TCP headers without payload.
constexpr tcp_frame tcp_segment(std::uint32_t from, std::uint32_t to, std::uint16_t from_port, std::uint16_t to_port,
                                std::uint8_t flags) {
    tcp_frame f{};
    const auto be16 = [&f](std::size_t at, std::uint32_t value) {
        f[at] = static_cast<std::uint8_t>(value >> 8);
        f[at + 1] = static_cast<std::uint8_t>(value);
    };
    const auto be32 = [&be16](std::size_t at, std::uint32_t value) {
        be16(at, value >> 16);
        be16(at + 2, value & 0xffff);
    };
    be16(12, 0x0800);
    f[14] = 0x45;
    be16(16, 40);
    f[22] = 64;
    f[23] = 6;
    be32(26, from);
    be32(30, to);
    be16(34, from_port);
    be16(36, to_port);
    f[46] = 0x50;
    f[47] = flags;
    be16(48, 1024);
    return f;
}

struct counting_sink {
    int alerts = 0;
    int flow_lines = 0;
    int malicious_flows = 0;
    attack_class attack = attack_class::none;
    address attacker;
    decision_source source = decision_source::divergence;

    constexpr void write(const event& e, const flow&, const feature_vector&) {
        if (e.kind == event_kind::alert) {
            ++alerts;
            attack = e.attack_class;
            attacker = e.tuple.source;
            source = e.source;
        } else {
            ++flow_lines;
            malicious_flows += e.verdict == verdict::malicious;
        }
    }
};

constexpr pipeline_options small_options() {
    pipeline_options o;
    o.flows.capacity = o.windows.hosts = o.windows.pairs = o.stories.capacity = 512;
    o.logging = flow_logging::all;
    o.hold_capacity = 64;
    return o;
}

constexpr std::uint32_t attacker_number = 0xc0000201, victim_number = 0xc6336402;

// `ports` SYN packets 10 ms apart to as many ports, each refused.
constexpr counting_sink scan_of(std::uint16_t ports) {
    counting_sink sink;
    pipeline<max_threat<forest<test::many_ports_model>>, counting_sink> p{small_options(), {}, sink};
    for (std::uint16_t i = 0; i < ports; ++i) {
        const auto port = static_cast<std::uint16_t>(1 + i);
        const std::int64_t when = 1'700'000'000'000'000'000 + i * 10'000'000LL;
        const tcp_frame probe = tcp_segment(attacker_number, victim_number, 40000, port, tcp_flag::syn);
        const tcp_frame refusal =
            tcp_segment(victim_number, attacker_number, port, 40000, tcp_flag::rst | tcp_flag::ack);
        p.consume(raw_packet{when, probe, frame_size, link_type::ethernet});
        p.consume(raw_packet{when + 200'000, refusal, frame_size, link_type::ethernet});
    }
    p.finish();
    return sink;
}

constexpr counting_sink attack = scan_of(24);
static_assert(attack.attack == attack_class::scan);
static_assert(attack.attacker == address::v4(attacker_number));
static_assert(attack.alerts == 2, "one story: opened and closed");
static_assert(attack.flow_lines == 24 && attack.malicious_flows == 24,
              "flows before the alert belong to the story too");

constexpr counting_sink calm = scan_of(3);
static_assert(calm.alerts == 0 && calm.flow_lines == 3 && calm.malicious_flows == 0);

}  // namespace whole_path_test
