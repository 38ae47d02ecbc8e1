// SPDX-License-Identifier: MIT
// Devices and datagrams: MQTT, Modbus, S7, DNP3, NTP, DHCP, RTP, BitTorrent; types, writes, errors, amplifiers.
#include <doctest/doctest.h>

#include <core/app_samples.hpp>

namespace {

using namespace mldefender;
using namespace mldefender::test;

constexpr frame modbus_write = frame{}.be16(7).be16(0).be16(6).u8(1).u8(5).be16(1).be16(0xff00);
static_assert(read_message(app_protocol::modbus, modbus_write, true).has(app_fact::device_write));

frame rtp(unsigned type, std::size_t media, unsigned first = 0x80) {
    return frame{}.u8(first).u8(type).be16(9).be32(160).be32(0x11223344).zeros(media);
}
app_protocol named_udp(const frame& f) { return recognise(f, ip_protocol::udp, 40000, 40002); }

}  // namespace

TEST_CASE("Modbus functions, writes and exceptions") {
    const auto read = [](const frame& f, bool to_responder) {
        return read_message(app_protocol::modbus, f, to_responder);
    };
    CHECK(read(modbus_write, true).small()->type == 5);
    CHECK(read(modbus_write, true).small()->sequence == 7);
    CHECK_FALSE(read(modbus_write, false).has(app_fact::device_write));  // the echo
    const frame exception = frame{}.be16(7).be16(0).be16(3).u8(1).u8(0x83).u8(2);
    CHECK(read(exception, false).has(app_fact::device_error));
    CHECK(read(exception, false).code == 2);
    CHECK_FALSE(read(frame{}.be16(7).be16(1).be16(6).u8(1).u8(5).be32(0), true));
    CHECK_FALSE(read(frame{}.be16(7).be16(0).be16(200).u8(1).u8(5).be32(0), true));
    CHECK_FALSE(read(frame{}.be16(7).be16(0).be16(6).u8(1).u8(99).be32(0), true));
    CHECK(recognise(frame{}.be16(7).be16(0).be16(4).u8(1).u8(5).be16(0), ip_protocol::tcp, 40000, 40001) ==
          app_protocol::unknown);  // too plain for a foreign port
}

TEST_CASE("MQTT connects and refusals") {
    const auto read = [](const frame& f) { return read_message(app_protocol::mqtt, f, true); };
    const frame connect = frame{}.u8(0x10).u8(18).be16(4).text("MQTT").u8(4).u8(0xc2).be16(60).be16(6).text("sensor");
    CHECK(read(connect).has(app_fact::auth_attempt));
    CHECK(read(connect).name.size() == 6);
    const frame anonymous = frame{}.u8(0x10).u8(12).be16(4).text("MQTT").u8(4).u8(2).be16(60).be16(0);
    CHECK_FALSE(read(anonymous).has(app_fact::auth_attempt));
    CHECK(read(frame{}.u8(0x20).u8(2).u8(0).u8(5)).has(app_fact::auth_failure));
    CHECK(read(frame{}.u8(0x20).u8(2).u8(0).u8(0)).has(app_fact::auth_success));
    CHECK(read(frame{}.u8(0x30).u8(0x85).u8(1).zeros(20)).small()->amount == 133);
    CHECK_FALSE(read(frame{}.u8(0x30).be32(0xffffffff)));
}

TEST_CASE("S7 and DNP3 functions that change a device") {
    const auto s7 = [](unsigned kind, unsigned function) {
        frame f = frame{}.be16(0x0300).be16(25).u8(2).u8(0xf0).u8(0x80).u8(0x32).u8(kind).zeros(8);
        if (kind == 3) f.be16(0);
        return read_message(app_protocol::s7comm, f.u8(function).zeros(4), true);
    };
    CHECK(s7(1, 5).has(app_fact::device_write));
    CHECK(s7(1, 0x29).has(app_fact::device_write));
    CHECK_FALSE(s7(1, 4).has(app_fact::device_write));
    CHECK(s7(3, 5).is_response);
    CHECK_FALSE(s7(3, 5).has(app_fact::device_write | app_fact::device_error));
    const frame connect = frame{}.be16(0x0300).be16(22).u8(17).u8(0xe0).zeros(5).u8(0xc1).u8(2).be16(0x100);
    CHECK(recognise(connect, ip_protocol::tcp, 40000, 102) == app_protocol::s7comm);
    const frame operate = frame{}.be16(0x0564).u8(12).u8(0xc4).zeros(6).u8(0xc0).u8(0xc1).u8(4).zeros(4);
    CHECK(read_message(app_protocol::dnp3, operate, true).has(app_fact::device_write));
    CHECK(read_message(app_protocol::dnp3, operate, true).small()->type == 4);
}

TEST_CASE("NTP modes and the lists that amplify") {
    const auto read = [](const frame& f) { return read_message(app_protocol::ntp, f, true); };
    CHECK(read(frame{}.u8(0x23).zeros(47)).small()->type == 3);
    CHECK(read(frame{}.u8(0x24).u8(2).zeros(46)).is_response);
    CHECK(read(frame{}.u8(0x17).u8(0).u8(3).u8(42).zeros(4)).has(app_fact::amplifier_request));
    CHECK_FALSE(read(frame{}.u8(0x97).u8(0).u8(3).u8(42).zeros(4)).has(app_fact::amplifier_request));  // the answer
    CHECK(read(frame{}.u8(0x16).u8(2).zeros(10)).has(app_fact::amplifier_request));
    CHECK_FALSE(read(frame{}.u8(0x23).zeros(20)));
    CHECK_FALSE(read(frame{}.u8(0x03).zeros(47)));  // version 0
    CHECK(named_udp(frame{}.u8(0x23).zeros(47)) == app_protocol::unknown);
}

TEST_CASE("DHCP message types in both versions") {
    const auto read = [](const frame& f) { return read_message(app_protocol::dhcp, f, true); };
    frame offer = frame{}.u8(2).u8(1).u8(6).zeros(233).be32(0x63825363).u8(0).u8(53).u8(1).u8(2);
    CHECK(read(offer).small()->type == 2);
    CHECK(read(offer).is_response);
    CHECK(read(offer.u8(12).u8(200)).small()->type == 2);  // an option longer than what is left
    const frame solicit = frame{}.u8(1).zeros(3).be16(8).be16(2).be16(0);
    CHECK(recognise(solicit, ip_protocol::udp, 546, 547) == app_protocol::dhcp);
    CHECK(named_udp(solicit) == app_protocol::unknown);
    CHECK(read(solicit).small()->version == 6);
    CHECK_FALSE(read(frame{}.zeros(7)));
}

TEST_CASE("RTP is believed only when its header is plain") {
    CHECK(named_udp(rtp(0, 160)) == app_protocol::rtp);
    CHECK(named_udp(rtp(8, 240)) == app_protocol::rtp);
    CHECK(named_udp(rtp(111, 77)) == app_protocol::rtp);
    CHECK(named_udp(rtp(0, 161)) == app_protocol::unknown);        // no whole frames
    CHECK(named_udp(rtp(0, 160, 0x83)) == app_protocol::unknown);  // contributing sources
    CHECK(named_udp(rtp(60, 160)) == app_protocol::unknown);       // unassigned type
    CHECK(named_udp(rtp(96, 40, 0xa0)) == app_protocol::unknown);  // padding of length 0
    CHECK(named_udp(rtp(96, 40, 0x90)) == app_protocol::unknown);  // extension of no known profile
    CHECK(recognise(rtp(0, 160), ip_protocol::udp, 40000, 53) == app_protocol::unknown);
    CHECK(read_message(app_protocol::rtp, rtp(0, 160), true).small()->amount == 0x11223344);
    const frame report = frame{}.u8(0x80).u8(200).be16(6).be32(5).zeros(20);
    CHECK(read_message(app_protocol::rtp, report, true).protocol == app_protocol::rtcp);
    CHECK(named_udp(frame{}.u8(0x80).u8(200).be16(90).zeros(40)) == app_protocol::unknown);
}

TEST_CASE("BitTorrent's ways to begin") {
    const auto kind = [](const frame& f) {
        const app_message m = read_message(app_protocol::bittorrent, f, true);
        return m ? static_cast<bittorrent_kind>(m.small()->type) : bittorrent_kind::none;
    };
    CHECK(kind(frame{}.u8(19).text("BitTorrent protocol")) == bittorrent_kind::handshake);
    CHECK(kind(frame{}.be64(0x41727101980).be32(0).be32(7)) == bittorrent_kind::tracker);
    CHECK(kind(text_of("d1:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re")) == bittorrent_kind::dht_reply);
    const frame syn = frame{}.u8(0x41).u8(0).be16(77).be32(123456).be32(0).be32(0xf000).be16(1).be16(0);
    CHECK(kind(syn) == bittorrent_kind::utp);
    CHECK(named_udp(syn) == app_protocol::bittorrent);
    CHECK(kind(text_of("d1:xd2:nothing to see here")) == bittorrent_kind::none);
}

TEST_CASE("STUN and WireGuard") {
    CHECK(named_udp(frame{}.be16(0x0101).be16(0).be32(0x2112a442).zeros(12)) == app_protocol::stun);
    CHECK(named_udp(frame{}.be16(0x0001).be16(0).zeros(16)) == app_protocol::stun);  // RFC 3489
    CHECK(named_udp(frame{}.be16(0x0001).be16(3).be32(0x2112a442).zeros(12)) == app_protocol::unknown);
    CHECK(named_udp(frame{}.u8(2).zeros(91)) == app_protocol::wireguard);
    CHECK(named_udp(frame{}.u8(2).zeros(90)) == app_protocol::unknown);
    CHECK(read_message(app_protocol::wireguard, frame{}.u8(4).zeros(60), true).small()->type == 4);
}
