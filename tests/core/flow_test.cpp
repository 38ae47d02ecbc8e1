// SPDX-License-Identifier: MIT
// flow.hpp: sums worked out by hand, and how a connection progresses packet by packet.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include <mldefender/core/flow.hpp>

#include "support/packets.hpp"

using namespace mldefender;
using namespace mldefender::test;

namespace {

constexpr five_tuple there = tuple_of(ip_protocol::tcp, 40000, 443);
constexpr five_tuple back = there.reversed();
constexpr std::uint8_t syn = tcp_flag::syn, ack = tcp_flag::ack, fin = tcp_flag::fin, rst = tcp_flag::rst,
                       psh = tcp_flag::psh;

// Progress after each packet.
std::vector<flow_progress> progress_of(const std::vector<packet>& packets) {
    single_flow s;
    std::vector<flow_progress> out;
    for (const packet& p : packets) out.push_back((s << p).f.progress);
    return out;
}

}  // namespace

TEST_CASE("moments by hand: 2, 4, 4, 4, 5, 5, 7, 9") {
    constexpr auto m = [] {
        moments sum;
        for (const double x : {2, 4, 4, 4, 5, 5, 7, 9}) sum.add(x);
        return sum;
    }();
    static_assert(m.count == 8 && m.sum == 40 && m.squares == 232 && m.least == 2 && m.largest == 9);
    CHECK(m.mean() == 5);
    CHECK(m.deviation() == 2);
}

TEST_CASE("moments of nothing and of one value") {
    CHECK(moments{}.mean() == 0);
    CHECK(moments{}.deviation() == 0);
    moments one;
    one.add(3);
    CHECK(one.mean() == 3);
    CHECK(one.deviation() == 0);
    CHECK(one.least == 3);
    CHECK(one.largest == 3);
}

TEST_CASE("equal large values deviate by no more than rounding: a ten-millionth") {
    moments m;
    for (int i = 0; i < 1000; ++i) m.add(123'456'789.125);
    CHECK(m.deviation() < 1e-6 * m.mean());
}

TEST_CASE("joined moments are those of one series") {
    moments a, b, all;
    for (const double x : {1.0, 9.0}) a.add(x), all.add(x);
    for (const double x : {4.0, 2.0, 30.0}) b.add(x), all.add(x);
    const moments j = joined(a, b);
    CHECK(j.count == all.count);
    CHECK(j.sum == all.sum);
    CHECK(j.squares == all.squares);
    CHECK(j.least == 1);
    CHECK(j.largest == 30);
    CHECK(joined({}, b).least == 2);
    CHECK(joined(a, {}).largest == 9);
    CHECK(joined({}, {}).count == 0);
}

TEST_CASE("entropy in bits per byte") {
    const auto entropy = [](std::vector<std::uint8_t> data) { return byte_entropy(data); };
    CHECK(entropy({}) == 0);
    CHECK(entropy({7, 7, 7, 7}) == 0);
    CHECK(entropy({0, 1}) == doctest::Approx(1));
    CHECK(entropy({0, 1, 2, 3, 0, 1, 2, 3}) == doctest::Approx(2));
    // 3 of 4 and 1 of 4: 0.75 log2(4/3) + 0.25 log2(4)
    CHECK(entropy({5, 5, 5, 9}) == doctest::Approx(0.811278).epsilon(1e-5));
    std::vector<std::uint8_t> all(256);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint8_t>(i);
    CHECK(entropy(all) == doctest::Approx(8));
    // Only the first 256 bytes count.
    all.resize(1000, 0);
    CHECK(entropy(all) == doctest::Approx(8));
}

TEST_CASE("gaps, bursts and pauses by hand") {
    single_flow s;
    // forward at 0, 1 s; backward at 1.5 s; forward at 8.5 s (a pause of 7 s); backward at 9 s.
    s << segment(there, 0, syn) << segment(there, second, syn) << segment(back, 1500 * ms, syn | ack)
      << segment(there, 8500 * ms, ack) << segment(back, 9 * second, ack);
    CHECK(s.f.gaps.count == 4);
    CHECK(s.f.gaps.sum == doctest::Approx(9e6));
    CHECK(s.f.gaps.least == doctest::Approx(5e5));
    CHECK(s.f.gaps.largest == doctest::Approx(7e6));
    CHECK(s.f.forward.gaps.count == 2);
    CHECK(s.f.forward.gaps.mean() == doctest::Approx(4.25e6));  // 1 s and 7.5 s
    CHECK(s.f.forward.gaps.deviation() == doctest::Approx(3.25e6));
    CHECK(s.f.backward.gaps.mean() == doctest::Approx(7.5e6));
    CHECK(s.f.active.count == 1);
    CHECK(s.f.active.sum == doctest::Approx(1.5));
    CHECK(s.f.idle.count == 1);
    CHECK(s.f.idle.sum == doctest::Approx(7));
    CHECK(s.f.duration_s() == doctest::Approx(9));
}

TEST_CASE("a pause of exactly 5 s does not end a burst") {
    single_flow s;
    s << segment(there, 0, syn) << segment(there, 5 * second, syn);
    CHECK(s.f.idle.count == 0);
    s << segment(there, 10 * second + 1, syn);
    CHECK(s.f.idle.count == 1);
    CHECK(s.f.active.sum == doctest::Approx(5));
}

TEST_CASE("time that steps back gives no negative gap and no negative duration") {
    single_flow s;
    s << segment(there, 10 * second, syn) << segment(back, 4 * second, syn | ack) << segment(there, 5 * second, ack);
    CHECK(s.f.gaps.sum == 0);
    CHECK(s.f.gaps.least == 0);
    CHECK(s.f.forward.gaps.sum == 0);
    CHECK(s.f.duration_s() == 0);
    CHECK(s.f.last_ns == 10 * second);
}

TEST_CASE("handshake, data, both FINs") {
    using enum flow_progress;
    CHECK(progress_of({segment(there, 0, syn), segment(back, 1, syn | ack), segment(there, 2, ack),
                       segment(there, 3, psh | ack, 10), segment(back, 4, ack, 10), segment(there, 5, fin | ack),
                       segment(back, 6, fin | ack), segment(there, 7, ack)}) ==
          std::vector{opened, accepted, established, established, established, closing, closed, closed});
}

TEST_CASE("a refusal is an RST of the responder before anything was accepted") {
    using enum flow_progress;
    CHECK(progress_of({segment(there, 0, syn), segment(back, 1, rst | ack)}) == std::vector{opened, refused});
    CHECK(progress_of({segment(there, 0, syn), segment(there, 1, rst)}) == std::vector{opened, closed});
    CHECK(progress_of({segment(there, 0, syn), segment(back, 1, syn | ack), segment(back, 2, rst)}) ==
          std::vector{opened, accepted, closed});
    CHECK(progress_of({segment(there, 0, syn), segment(back, 1, syn | ack), segment(there, 2, ack),
                       segment(there, 3, rst)}) == std::vector{opened, accepted, established, closed});
}

TEST_CASE("mid-stream: data both ways makes it established, a bare ACK does not") {
    using enum flow_progress;
    CHECK(progress_of({segment(there, 0, ack), segment(back, 1, ack)}) == std::vector{opened, opened});
    CHECK(progress_of({segment(there, 0, ack, 5), segment(back, 1, ack), segment(back, 2, ack, 5)}) ==
          std::vector{opened, opened, established});
    single_flow s;
    CHECK((s << segment(there, 0, ack)).f.midstream);
    CHECK_FALSE((single_flow{} << segment(there, 0, syn)).f.midstream);
    // Seen from its SYN-ACK on, a connection is not one whose beginning was missed altogether.
    CHECK_FALSE((single_flow{} << segment(back, 0, syn | ack)).f.midstream);
}

TEST_CASE("one FIN is closing, a repeated one too") {
    using enum flow_progress;
    CHECK(progress_of({segment(there, 0, syn), segment(back, 1, syn | ack), segment(there, 2, ack),
                       segment(there, 3, fin | ack), segment(there, 4, fin | ack), segment(back, 5, ack, 100)}) ==
          std::vector{opened, accepted, established, closing, closing, closing});
}

TEST_CASE("without TCP an answer is all there is") {
    using enum flow_progress;
    const five_tuple ask = tuple_of(ip_protocol::udp, 5000, 53);
    CHECK(progress_of({packet_of(ask, 0, 30), packet_of(ask, 1, 30), packet_of(ask.reversed(), 2, 60)}) ==
          std::vector{opened, opened, established});
}

TEST_CASE("flags, lengths and headers are counted by direction") {
    single_flow s;
    s << segment(there, 0, syn) << segment(back, 1, syn | ack) << segment(there, 2, psh | ack | tcp_flag::urg, 100)
      << segment(back, 3, ack, 1000, 2001) << segment(back, 4, psh | ack, 500, 3001);
    CHECK(s.f.forward.packets() == 2);
    CHECK(s.f.backward.packets() == 3);
    CHECK(s.f.packets() == 5);
    CHECK(s.f.forward.bytes() == 180);
    CHECK(s.f.backward.bytes() == 40 + 1040 + 540);
    CHECK(s.f.forward.header_bytes == 80);
    CHECK(s.f.backward.payload_packets == 2);
    CHECK(s.f.backward.payload_bytes == 1500);
    CHECK(s.f.forward.syn == 1);
    CHECK(s.f.backward.syn == 1);
    CHECK(s.f.forward.psh == 1);
    CHECK(s.f.forward.urg == 1);
    CHECK(s.f.backward.ack == 3);
    CHECK(s.f.forward.tcp_flags == (syn | psh | ack | tcp_flag::urg));
    CHECK(s.f.answered());
}

TEST_CASE("retransmissions begin before the next expected byte") {
    single_flow s;
    s << segment(there, 0, syn, 0, 100)    // next 101
      << segment(there, 1, ack, 50, 101)   // next 151
      << segment(there, 2, ack, 50, 101);  // again
    CHECK(s.f.forward.retransmissions == 1);
    s << segment(there, 3, ack, 0, 100);  // keep-alive without data: none
    CHECK(s.f.forward.retransmissions == 1);
    s << segment(there, 4, ack, 50, 151) << segment(there, 5, ack, 10, 160);
    CHECK(s.f.forward.retransmissions == 2);
    s << segment(there, 6, ack, 10, 500);  // a hole is no retransmission
    CHECK(s.f.forward.retransmissions == 2);
}

TEST_CASE("sequence numbers wrap") {
    single_flow s;
    s << segment(there, 0, ack, 100, 0xffffffb0U) << segment(there, 1, ack, 100, 0x00000014U);
    CHECK(s.f.forward.retransmissions == 0);
    s << segment(there, 2, ack, 100, 0xffffffb0U);
    CHECK(s.f.forward.retransmissions == 1);
}

TEST_CASE("the first bytes of each direction are kept, and their entropy") {
    std::array<std::uint8_t, 40> payload{};
    for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<std::uint8_t>(i % 2);
    single_flow s;
    packet p = segment(there, 0, psh | ack, 40);
    p.payload = payload;
    packet q = segment(there, 1, psh | ack, 3, 1040);
    const std::array<std::uint8_t, 3> other{9, 9, 9};
    q.payload = other;
    s << segment(there, 0, syn) << p << q;
    CHECK(s.f.forward.first_bytes_count == first_bytes_kept);
    CHECK(s.f.forward.first_bytes[1] == 1);
    CHECK(s.f.forward.entropy == doctest::Approx(1));
    CHECK(s.f.backward.first_bytes_count == 0);
    CHECK(s.f.backward.entropy == 0);
}

TEST_CASE("a payload cut off by the snap length counts by its length on the wire") {
    single_flow s;
    s << segment(there, 0, psh | ack, 1400);  // nothing captured
    CHECK(s.f.forward.payload_bytes == 1400);
    CHECK(s.f.forward.payload_packets == 1);
    CHECK(s.f.forward.first_bytes_count == 0);
}
