// SPDX-License-Identifier: MIT
// parse.hpp and tunnel.hpp: transports, lengths that come from the IP header, snap lengths, fragments, extension
// headers, tunnels with their limits, and malformed input. Every prefix of every sample is parsed from a buffer of
// exactly its size, so that the sanitizers see any read past its end.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include <mldefender/core/parse.hpp>

#include "support/frames.hpp"

using namespace mldefender;
using test::frame;

namespace {

const address a4 = address::v4(192, 0, 2, 1);
const address b4 = address::v4(198, 51, 100, 2);
const address a6 = *parse_address("2001:db8::1");
const address b6 = *parse_address("2001:db8::2");
constexpr parse_options open_tunnels{.decapsulate = true, .max_depth = 4};

test::ip_fields v4(unsigned protocol) {
    return {.source = a4, .destination = b4, .protocol = static_cast<std::uint8_t>(protocol)};
}
test::ip_fields v6(unsigned protocol) {
    return {.source = a6, .destination = b6, .protocol = static_cast<std::uint8_t>(protocol)};
}

/// A decoded packet with a copy of its payload, since the frames of these tests are temporaries.
struct decoded : packet {
    std::string text;
};

decoded parsed(const frame& f, const parse_options& options = {}) {
    const result<packet> p = parse(test::raw_of(f, 5), options);
    REQUIRE(name_of(p.failure()) == "ok");
    REQUIRE(p.ok());
    CHECK(p->timestamp_ns == 5);
    CHECK(p->wire_len == f.size);
    decoded out{*p, {p->payload.begin(), p->payload.end()}};
    out.payload = {};
    return out;
}
errc refused(const frame& f, const parse_options& options = {}) {
    const result<packet> p = parse(test::raw_of(f), options);
    return p.ok() ? errc::ok : p.failure();
}

frame udp4(std::string_view payload = "hello") {
    return test::ipv4(v4(17), test::udp(1000, 53, test::text_of(payload)));
}
frame vxlan(bytes inside, unsigned port = 4789) {
    const frame header = frame{}.be32(0x08000000).be32(0x00002a00).add(inside);
    return test::ethernet(0x0800, test::ipv4(v4(17), test::udp(5555, static_cast<std::uint16_t>(port), header)));
}
frame gre(unsigned flags, unsigned type, bytes options, bytes inside) {
    return test::ethernet(0x0800, test::ipv4(v4(47), frame{}.be16(flags).be16(type).add(options).add(inside)));
}

/// One of everything, for the truncation property.
std::vector<std::pair<frame, link_type>> samples() {
    std::vector<std::pair<frame, link_type>> all;
    const auto add = [&all](const frame& f, link_type link = link_type::ethernet) { all.emplace_back(f, link); };
    add(test::tcp_frame({a4, b4, 1, 2}, tcp_flag::psh | tcp_flag::ack, "payload"));
    add(test::tcp_frame({a6, b6, 1, 2}, tcp_flag::syn));
    add(test::udp_frame({a4, b4, 1, 2}, "payload"));
    add(test::icmp_frame(a4, b4, 8, 0, "ping"));
    add(test::icmp_frame(a6, b6, 135, 0, "neighbour"));
    add(test::ethernet(0x0800,
                       test::ipv4(v4(6), test::tcp({}, test::text_of("x"), frame{}.zeros(8)), frame{}.zeros(12))));
    add(test::ethernet(0x0800, test::ipv4(v4(132), test::sctp(1, 2, frame{}.zeros(16)))));
    add(test::ethernet(0x88a8, test::vlan(1, 0x8100, test::vlan(2, 0x0800, udp4()))));
    add(test::ethernet(0x8847, frame{}.be32(0x00020140).add(udp4())));
    add(test::ethernet(0x8864, frame{}.be16(0x1100).be16(1).be16(2).be16(0x0021).add(udp4())));
    const frame extensions =
        frame{}.u8(60).u8(0).zeros(6).u8(51).u8(0).zeros(6).u8(44).u8(1).zeros(10).u8(17).u8(0).be16(1).be32(7);
    add(test::ethernet(0x86dd, test::ipv6(v6(17), test::udp(1, 2, frame{}.zeros(24)), extensions)));
    add(vxlan(test::tcp_frame({a6, b6, 1, 2}, tcp_flag::syn)));
    add(gre(0xb000, 0x6558, frame{}.zeros(12), test::udp_frame({a4, b4, 1, 2})));
    add(gre(0x3081, 0x880b, frame{}.zeros(12), frame{}.be16(0xff03).be16(0x0021).add(udp4())));
    add(gre(0x1000, 0x88be, frame{}.zeros(4), frame{}.zeros(8).add(test::udp_frame({a4, b4, 1, 2}))));
    add(test::ethernet(0x0800, test::ipv4(v4(4), test::ipv4(v4(41), test::ipv6(v6(17), test::udp(1, 2))))));
    add(frame{}.be16(0).be16(1).be16(6).be64(0).be16(0x0800).add(udp4()), link_type::linux_cooked);
    add(frame{}.be16(0x0800).be16(0).be32(2).be16(1).u8(0).u8(6).be64(0).add(udp4()), link_type::linux_cooked_v2);
    add(frame{}.be32(2).add(udp4()), link_type::null);
    add(frame{}.be32(2).add(udp4()), link_type::loop);
    add(frame{}.be16(0x0021).add(udp4()), link_type::ppp);
    add(udp4(), link_type::raw);
    return all;
}

void check_sane(const packet& p, bytes data) {
    CHECK(p.payload.size() <= p.payload_len);
    CHECK(p.header_len + p.payload_len <= p.ip_len);
    CHECK(p.wire_len >= data.size());
    CHECK((p.ip_version == 4 || p.ip_version == 6));
    if (!p.payload.empty()) {
        CHECK(p.payload.data() >= data.data());
        CHECK(p.payload.data() + p.payload.size() <= data.data() + data.size());
    }
}

}  // namespace

TEST_CASE("TCP over IPv4") {
    const decoded p = parsed(
        test::ethernet_ip(test::ipv4({.source = a4, .destination = b4, .protocol = 6, .ttl = 57},
                                     test::tcp({40000, 443, 0x01020304, 0x05060708, tcp_flag::psh | tcp_flag::ack, 512},
                                               test::text_of("GET"), frame{}.zeros(12)))));
    CHECK(p.tuple == five_tuple{a4, b4, 40000, 443, ip_protocol::tcp});
    CHECK(p.tcp_seq == 0x01020304);
    CHECK(p.tcp_ack == 0x05060708);
    CHECK(p.tcp_flags == (tcp_flag::psh | tcp_flag::ack));
    CHECK(p.tcp_window == 512);
    CHECK(p.ttl == 57);
    CHECK(p.ip_version == 4);
    CHECK(p.ip_len == 55);
    CHECK(p.header_len == 52);
    CHECK(p.payload_len == 3);
    CHECK(p.text == "GET");
    CHECK_FALSE(p.fragment);
}

TEST_CASE("UDP, SCTP and TCP over IPv6") {
    const decoded udp = parsed(test::udp_frame({a6, b6, 5353, 53}, "query"));
    CHECK(udp.tuple == five_tuple{a6, b6, 5353, 53, ip_protocol::udp});
    CHECK(udp.ip_version == 6);
    CHECK(udp.ip_len == 53);
    CHECK(udp.header_len == 48);
    CHECK(udp.text == "query");
    const decoded sctp = parsed(test::ethernet_ip(test::ipv6(v6(132), test::sctp(7, 80, test::text_of("chunk")))));
    CHECK(sctp.tuple == five_tuple{a6, b6, 7, 80, ip_protocol::sctp});
    CHECK(sctp.text == "chunk");
    CHECK(parsed(test::tcp_frame({a6, b6, 1, 2}, tcp_flag::rst)).tcp_flags == tcp_flag::rst);
}

TEST_CASE("ICMP has no ports but a type and a code") {
    const decoded p = parsed(test::icmp_frame(a4, b4, 3, 1, "quoted"));
    CHECK(p.tuple == five_tuple{a4, b4, 0, 0, ip_protocol::icmp});
    CHECK(p.icmp_type == 3);
    CHECK(p.icmp_code == 1);
    CHECK(p.text == "quoted");
    CHECK(parsed(test::icmp_frame(a6, b6, 129, 0)).tuple.protocol == ip_protocol::icmpv6);
    CHECK(refused(test::ethernet_ip(test::ipv6(v6(1), test::icmp(8, 0)))) == errc::unsupported_proto);
    CHECK(refused(test::ethernet_ip(test::ipv4(v4(58), test::icmp(128, 0)))) == errc::unsupported_proto);
}

TEST_CASE("Ethernet padding is not payload") {
    frame f = test::tcp_frame({a4, b4, 1, 2}, tcp_flag::ack);
    f.zeros(60 - f.size);
    const decoded p = parsed(f);
    CHECK(p.payload_len == 0);
    CHECK(p.text.empty());
    frame trailer = test::udp_frame({a6, b6, 1, 2}, "abc");
    trailer.text("trailer");
    CHECK(parsed(trailer).text == "abc");
}

TEST_CASE("a snap length changes what is captured, not what is counted") {
    const frame f = test::tcp_frame({a4, b4, 1, 2}, tcp_flag::psh, std::string(1000, 'x'));
    const auto cut = parse(test::raw_cut(f, 96));
    REQUIRE(cut.ok());
    CHECK(cut->wire_len == 1054);
    CHECK(cut->ip_len == 1040);
    CHECK(cut->payload_len == 1000);
    CHECK(cut->payload.size() == 96 - 54);
    const auto ports_only = parse(test::raw_cut(f, 14 + 20 + 4));
    REQUIRE(ports_only.ok());
    CHECK(ports_only->tuple.source_port == 1);
    CHECK(ports_only->tuple.destination_port == 2);
    CHECK(ports_only->tcp_flags == 0);
    CHECK(ports_only->payload_len == 1000);
    const auto with_flags = parse(test::raw_cut(f, 14 + 20 + 14));
    REQUIRE(with_flags.ok());
    CHECK(with_flags->tcp_flags == tcp_flag::psh);
    CHECK(with_flags->tcp_seq == 1000);
    CHECK(parse(test::raw_cut(f, 14 + 20 + 3)).failure() == errc::truncated);
}

TEST_CASE("a zero IP length is what segmentation offload leaves: the wire length counts") {
    frame f = test::tcp_frame({a4, b4, 1, 2}, tcp_flag::ack, std::string(500, 'x'));
    f.set_be16(14 + 2, 0);
    CHECK(parsed(f).payload_len == 500);
    CHECK(parse(test::raw_cut(f, 100))->payload_len == 500);
    frame six = test::tcp_frame({a6, b6, 1, 2}, tcp_flag::ack, std::string(500, 'x'));
    six.set_be16(14 + 4, 0);
    CHECK(parsed(six).payload_len == 500);
}

TEST_CASE("a UDP length below the IP length leaves a trailer; one above is ignored") {
    frame f = test::udp_frame({a4, b4, 1, 2}, "payload");
    f.set_be16(14 + 20 + 4, 8 + 3);
    CHECK(parsed(f).text == "pay");
    CHECK(parsed(f).payload_len == 3);
    f.set_be16(14 + 20 + 4, 900);
    CHECK(parsed(f).payload_len == 7);
    f.set_be16(14 + 20 + 4, 0);
    CHECK(parsed(f).payload_len == 7);
    f.set_be16(14 + 20 + 4, 7);
    CHECK(refused(f) == errc::bad_header_length);
}

TEST_CASE("malformed headers are refused with their reason") {
    const frame good = test::tcp_frame({a4, b4, 1, 2}, tcp_flag::ack, "data");
    frame f = good;
    f.data[14] = 0x44;  // IPv4 header of 16 bytes
    CHECK(refused(f) == errc::bad_header_length);
    f = good;
    f.set_be16(14 + 2, 19);
    CHECK(refused(f) == errc::bad_header_length);
    f = good;
    f.data[14] = 0x75;
    CHECK(refused(f) == errc::bad_version);
    f = good;
    f.data[14 + 20 + 12] = 0x40;  // TCP header of 16 bytes
    CHECK(refused(f) == errc::bad_header_length);
    f.data[14 + 20 + 12] = 0xf0;  // longer than the segment
    CHECK(refused(f) == errc::bad_header_length);
    f = good;
    f.set_be16(14 + 2, 20 + 19);  // the datagram ends inside its TCP header
    CHECK(refused(f) == errc::truncated);
    CHECK(refused(test::ethernet_ip(test::ipv4(v4(50), frame{}.zeros(40)))) == errc::unsupported_proto);
    CHECK(refused(test::ethernet_ip(test::ipv4(v4(2), frame{}.zeros(8)))) == errc::unsupported_proto);
    CHECK(refused(test::ethernet_ip(test::ipv6(v6(59), {}))) == errc::unsupported_proto);
    CHECK(refused(test::ethernet(0x0806, frame{}.zeros(28))) == errc::not_ip);
}

TEST_CASE("IPv6 extension headers are followed to the transport") {
    const frame chain =
        frame{}.u8(43).u8(0).zeros(6).u8(60).u8(2).zeros(22).u8(51).u8(0).zeros(6).u8(17).u8(1).zeros(10);
    const decoded p = parsed(test::ethernet_ip(test::ipv6(v6(17), test::udp(3, 4, test::text_of("end")), chain, 0)));
    CHECK(p.tuple == five_tuple{a6, b6, 3, 4, ip_protocol::udp});
    CHECK(p.header_len == 40 + chain.size + 8);
    CHECK(p.text == "end");

    frame endless;
    for (int i = 0; i < 8; ++i) endless.u8(60).u8(0).zeros(6);
    endless.data[endless.size - 8] = 17;
    CHECK(refused(test::ethernet_ip(test::ipv6(v6(17), test::udp(1, 2), endless, 60))) == errc::ok);
    endless.data[endless.size - 8] = 60;
    endless.u8(17).u8(0).zeros(6);
    CHECK(refused(test::ethernet_ip(test::ipv6(v6(17), test::udp(1, 2), endless, 60))) == errc::too_deep);
    const frame lies = frame{}.u8(17).u8(200).zeros(6);
    CHECK(refused(test::ethernet_ip(test::ipv6(v6(17), test::udp(1, 2), lies, 0))) == errc::bad_header_length);
}

TEST_CASE("AH is followed in IPv4 too") {
    const frame ah = frame{}.u8(6).u8(4).zeros(22).add(test::tcp({}, test::text_of("in the clear")));
    const decoded p = parsed(test::ethernet_ip(test::ipv4(v4(51), ah)));
    CHECK(p.tuple.destination_port == 443);
    CHECK(p.text == "in the clear");
}

TEST_CASE("IPv4 fragments: the first has ports, later ones do not") {
    test::ip_fields fields = v4(17);
    fields.id = 777;
    fields.more_fragments = true;
    frame datagram = test::udp(1000, 2000, frame{}.zeros(56));
    datagram.set_be16(4, 3000);  // the UDP length of the whole
    const decoded first = parsed(test::ethernet_ip(test::ipv4(fields, datagram)));
    CHECK(first.fragment);
    CHECK_FALSE(first.later_fragment);
    CHECK(first.fragment_id == 777);
    CHECK(first.tuple.source_port == 1000);
    CHECK(first.payload_len == 56);
    fields.offset = 64;
    const decoded later = parsed(test::ethernet_ip(test::ipv4(fields, test::text_of("middle of a datagram"))));
    CHECK(later.fragment);
    CHECK(later.later_fragment);
    CHECK(later.fragment_id == 777);
    CHECK(later.tuple == five_tuple{a4, b4, 0, 0, ip_protocol::udp});
    CHECK(later.payload_len == 20);
    CHECK(later.header_len == 20);
}

TEST_CASE("IPv6 fragments, and the atomic fragment that is none") {
    const auto header = [](unsigned offset_and_more) {
        return frame{}.u8(17).u8(0).be16(offset_and_more).be32(0xdeadbeef);
    };
    const decoded first =
        parsed(test::ethernet_ip(test::ipv6(v6(17), test::udp(1, 2, frame{}.zeros(32)), header(1), 44)));
    CHECK(first.fragment);
    CHECK_FALSE(first.later_fragment);
    CHECK(first.fragment_id == 0xdeadbeef);
    CHECK(first.tuple.destination_port == 2);
    const decoded later = parsed(test::ethernet_ip(test::ipv6(v6(17), frame{}.zeros(32), header(40), 44)));
    CHECK(later.later_fragment);
    CHECK(later.tuple.destination_port == 0);
    const decoded atomic = parsed(test::ethernet_ip(test::ipv6(v6(17), test::udp(1, 2), header(0), 44)));
    CHECK_FALSE(atomic.fragment);
}

TEST_CASE("a first fragment too small for its TCP header still gives its ports") {
    test::ip_fields fields = v4(6);
    fields.more_fragments = true;
    const decoded p = parsed(test::ethernet_ip(test::ipv4(fields, frame{}.be16(1).be16(2).be32(9))));
    CHECK(p.tuple.source_port == 1);
    CHECK(p.tcp_seq == 9);
    CHECK(p.tcp_flags == 0);
    CHECK(p.payload_len == 0);
}

TEST_CASE("tunnels stay closed unless asked for") {
    const frame inner = test::tcp_frame({a6, b6, 1, 2}, tcp_flag::syn);
    CHECK(refused(gre(0, 0x6558, {}, inner)) == errc::unsupported_proto);
    CHECK(refused(test::ethernet_ip(test::ipv4(v4(4), udp4()))) == errc::unsupported_proto);
    CHECK(parsed(vxlan(inner)).tuple.destination_port == 4789);
}

TEST_CASE("GRE with every header option, and what it can carry") {
    const five_tuple inside{a6, b6, 1, 2, ip_protocol::tcp};
    const frame bridged = test::tcp_frame(inside, tcp_flag::syn, "deep");
    for (const unsigned flags : {0x0000U, 0x8000U, 0x2000U, 0x1000U, 0xb000U}) {
        frame options;
        for (const unsigned bit : {0x8000U, 0x2000U, 0x1000U}) {
            if ((flags & bit) != 0) options.be32(0x11223344);
        }
        const decoded p = parsed(gre(flags, 0x6558, options, bridged), open_tunnels);
        CHECK(p.tuple == inside);
        CHECK(p.tunnel_depth == 1);
        CHECK(p.text == "deep");
        CHECK(p.ip_len == 64);
    }
    CHECK(parsed(gre(0, 0x0800, {}, udp4()), open_tunnels).tuple.destination_port == 53);
    CHECK(parsed(gre(0x3081, 0x880b, frame{}.zeros(12), frame{}.u8(0x21).add(udp4())), open_tunnels)
              .tuple.destination_port == 53);
    CHECK(parsed(gre(0x1000, 0x88be, frame{}.zeros(4), frame{}.zeros(8).add(bridged)), open_tunnels).tuple == inside);
    CHECK(parsed(gre(0, 0x88be, {}, bridged), open_tunnels).tuple == inside);
    CHECK(refused(gre(0x2081, 0x880b, frame{}.zeros(8), {}), open_tunnels) == errc::not_ip);
    CHECK(refused(gre(0x0002, 0x0800, {}, udp4()), open_tunnels) == errc::bad_version);
    CHECK(refused(gre(0x4000, 0x0800, {}, udp4()), open_tunnels) == errc::bad_value);
    CHECK(refused(gre(0, 0x0806, {}, udp4()), open_tunnels) == errc::not_ip);
}

TEST_CASE("VXLAN is opened by port and flag; a broken one stays the UDP packet it is") {
    const five_tuple inside{a6, b6, 1, 2, ip_protocol::udp};
    const frame f = vxlan(test::udp_frame(inside, "deep"));
    const decoded p = parsed(f, open_tunnels);
    CHECK(p.tuple == inside);
    CHECK(p.tunnel_depth == 1);
    CHECK(p.text == "deep");
    CHECK(parsed(vxlan(test::udp_frame(inside), 4790), open_tunnels).tuple.destination_port == 4790);
    frame unflagged = f;
    unflagged.data[14 + 20 + 8] = 0;
    for (const frame& outer : {unflagged, vxlan(frame{}.zeros(5)), vxlan(test::ethernet(0x0806, frame{}.zeros(28)))}) {
        const decoded kept = parsed(outer, open_tunnels);
        CHECK(kept.tuple.destination_port == 4789);
        CHECK(kept.tunnel_depth == 0);
    }
    const decoded tagged = parsed(vxlan(test::ethernet(0x8100, test::vlan(9, 0x0800, udp4()))), open_tunnels);
    CHECK(tagged.vlan == 9);
    CHECK(tagged.tuple.destination_port == 53);
}

TEST_CASE("nested tunnels end at the depth limit, and lengths are the innermost ones") {
    frame nested = udp4("core");
    for (int i = 0; i < 4; ++i) nested = test::ipv4(v4(4), nested);
    const decoded p = parsed(test::ethernet_ip(nested), open_tunnels);
    CHECK(p.tunnel_depth == 4);
    CHECK(p.ip_len == 32);
    CHECK(p.text == "core");
    CHECK(refused(test::ethernet_ip(test::ipv4(v4(4), nested)), open_tunnels) == errc::too_deep);
    CHECK(refused(test::ethernet_ip(nested), {.decapsulate = true, .max_depth = 3}) == errc::too_deep);
    CHECK(parsed(test::ethernet_ip(test::ipv4(v4(41), test::ipv6(v6(17), test::udp(1, 2)))), open_tunnels).ip_version ==
          6);
    CHECK(parsed(test::ethernet_ip(test::ipv6(v6(4), udp4())), open_tunnels).tunnel_depth == 1);
}

TEST_CASE("the inner datagram ends where the outer one does") {
    frame inner = test::udp_frame({a4, b4, 1, 2}, "12345678");
    inner.set_be16(14 + 2, 0);  // inner length unknown: bounded by the outer datagram, not by the padding behind it
    frame f = vxlan(inner);
    f.zeros(20);
    CHECK(parsed(f, open_tunnels).payload_len == 8);
    CHECK(parsed(f, open_tunnels).ip_len == 36);
}

TEST_CASE("fragments of tunnels are not opened") {
    test::ip_fields fields = v4(4);
    fields.more_fragments = true;
    CHECK(refused(test::ethernet_ip(test::ipv4(fields, udp4())), open_tunnels) == errc::unsupported_proto);
}

TEST_CASE("every truncation of every sample stays in bounds and yields sane values") {
    std::size_t accepted = 0;
    for (const auto& [f, link] : samples()) {
        for (const bool decapsulate : {false, true}) {
            for (std::size_t cut = 0; cut <= f.size; ++cut) {
                const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[cut]);
                std::copy_n(f.data.begin(), cut, exact.get());
                const bytes data{exact.get(), cut};
                for (const std::size_t wire : {cut, f.size, std::size_t{0}}) {
                    const raw_packet raw{1, data, static_cast<std::uint32_t>(wire), link};
                    const auto p = parse(raw, {.decapsulate = decapsulate, .max_depth = 4});
                    if (!p) continue;
                    ++accepted;
                    check_sane(*p, data);
                }
            }
            const auto whole = parse(test::raw_of(f, 0, link), {.decapsulate = true, .max_depth = 4});
            CHECK(whole.ok());
        }
    }
    CHECK(accepted > 1000);
}

TEST_CASE("every single-byte change of every sample stays in bounds and yields sane values") {
    for (const auto& [f, link] : samples()) {
        for (std::size_t at = 0; at < f.size; ++at) {
            for (const unsigned value : {0x00U, 0x01U, 0x0fU, 0x45U, 0x7fU, 0x80U, 0xffU}) {
                const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[f.size]);
                std::copy_n(f.data.begin(), f.size, exact.get());
                exact[at] = static_cast<std::uint8_t>(value);
                const bytes data{exact.get(), f.size};
                const auto p = parse({0, data, static_cast<std::uint32_t>(f.size), link}, open_tunnels);
                if (p) check_sane(*p, data);
            }
        }
    }
}
