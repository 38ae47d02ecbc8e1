// SPDX-License-Identifier: MIT
// Ordinary traffic that is not the web: telephony, conferences, games, peer-to-peer with its many failures, tunnels of
// every kind. Steady datagram streams and hundreds of peers that are not floods or scans. Listed in scenario.hpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include <mldefender/forge/synth/behaviour.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace detail::benign {

/// A two-way stream of datagrams at a steady rate.
struct stream_shape {
    std::int64_t period_ns = 20 * units::ms;
    std::int64_t up_size = 172;
    std::int64_t down_size = 172;
    int jitter_percent = 10;
    double silence = 0.0;  ///< share of slots without a datagram
};
template <class Make>
void stream(stage& s, udp_session& u, std::int64_t from, std::int64_t length, const stream_shape& shape, Make&& make) {
    const std::int64_t end = std::min(from + length, s.out.end_ns());
    for (const way to : {way::up, way::down}) {
        const std::int64_t size = to == way::up ? shape.up_size : shape.down_size;
        if (size == 0) continue;
        for (std::int64_t when = from; when < end && !s.out.full();
             when += s.random.around(shape.period_ns, shape.jitter_percent)) {
            if (s.random.chance(shape.silence)) continue;
            u.at(to, when, make(to, s.random.around(size, shape.jitter_percent)));
        }
    }
}

struct phone_call {
    static constexpr std::string_view name = "phone_call";
    static constexpr std::string_view about = "SIP registration and call with RTP and RTCP both ways";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 6;
    static constexpr busy_hours hours = busy_hours::office;
    static void emit(stage& s) {
        host& phone = s.net.client(s.random);
        host& exchange = s.random.chance(0.5) ? s.net.server(s.random) : s.net.outside(s.random);
        if (&phone == &exchange) return;
        const std::string user = world::word(s.random);
        udp_session u{
            s, {&phone, &exchange, 5060, s.some_time(), s.random.chance(0.5) ? std::uint16_t{5060} : std::uint16_t{0}}};
        rng& r = s.random;
        u.up(payload::sip_request(r, "REGISTER", user, false)).down(payload::sip_reply(r, 401, "REGISTER", user));
        u.up(payload::sip_request(r, "REGISTER", user, true)).down(payload::sip_reply(r, 200, "REGISTER", user));
        if (r.chance(0.3)) return;
        const auto port = static_cast<std::uint16_t>(r.between(5000, 32000) * 2);
        const auto own = static_cast<std::uint16_t>(r.between(5000, 32000) * 2);
        u.think(r.log_between(10 * units::ms, 20 * units::second));
        u.up(payload::sip_request(r, "INVITE", user, true, phone.v4, own))
            .down(payload::sip_reply(r, 100, "INVITE", user));
        u.down(payload::sip_reply(r, 180, "INVITE", user)).think(r.between(1, 8) * units::second);
        u.down(payload::sip_reply(r, 200, "INVITE", user, exchange.v4, port))
            .up(payload::sip_request(r, "ACK", user, false));
        const std::int64_t talk = r.log_between(3 * units::second, 60 * units::second);
        udp_session media{s, {&phone, &exchange, port, u.now(), own}};
        std::uint16_t sequence = 0;
        const std::uint32_t source = s.random.below(1U << 31);
        const std::uint8_t codec = s.random.chance(0.5) ? std::uint8_t{0} : std::uint8_t{18};
        const std::int64_t bytes_each = codec == 0 ? 172 : 32;
        stream(s, media, u.now(), talk,
               {20 * units::ms, bytes_each, s.random.chance(0.9) ? bytes_each : 0, 0, s.random.chance(0.4) ? 0.4 : 0.0},
               [&](way to, std::int64_t n) {
                   ++sequence;
                   return payload::rtp(codec, sequence, sequence * 160U, source + (to == way::up), n);
               });
        udp_session control{
            s, {&phone, &exchange, static_cast<std::uint16_t>(port + 1), u.now(), static_cast<std::uint16_t>(own + 1)}};
        stream(s, control, u.now(), talk, {5 * units::second, 60, 60, 5, 0.0},
               [&](way, std::int64_t) { return payload::rtcp(r, source); });
        u.think(talk).up(payload::sip_request(r, "BYE", user, false)).down(payload::sip_reply(r, 200, "BYE", user));
    }
};

struct conference {
    static constexpr std::string_view name = "conference";
    static constexpr std::string_view about = "video calls: STUN probes to several candidates, then one fat stream";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 4;
    static void emit(stage& s) {
        host& user = s.net.client(s.random);
        const std::int64_t start = s.some_time();
        for (int probes = s.random.pick_int(1, 8); probes > 0; --probes) {
            const auto port = static_cast<std::uint16_t>(s.random.chance(0.5) ? 3478 : s.random.between(10000, 65000));
            udp_session u{s, {&user, &s.net.outside(s.random), port, start + s.random.between(0, 500 * units::ms)}};
            u.up(payload::stun(s.random, false));
            if (s.random.chance(0.6))
                u.down(payload::stun(s.random, true));
            else
                u.think(500 * units::ms).up(payload::stun(s.random, false));
        }
        const auto port = static_cast<std::uint16_t>(s.random.chance(0.5) ? 3478 : s.random.between(10000, 65000));
        udp_session u{s, {&user, &s.net.outside(s.random), port, start}};
        u.up(payload::stun(s.random, false)).down(payload::stun(s.random, true));
        std::uint16_t sequence = 0;
        const stream_shape shape{s.random.log_between(3 * units::ms, 30 * units::ms), s.random.log_between(100, 1180),
                                 s.random.log_between(100, 1180), 30, 0.1};
        stream(s, u, u.now(), s.random.log_between(3 * units::second, 40 * units::second), shape,
               [&](way, std::int64_t n) {
                   ++sequence;
                   return payload::rtp(96, sequence, sequence * 90U, 77, n);
               });
    }
};

struct game {
    static constexpr std::string_view name = "game";
    static constexpr std::string_view about =
        "games: a server list queried at many hosts, then small datagrams at a steady rate";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 5;
    static constexpr busy_hours hours = busy_hours::evening;
    static void emit(stage& s) {
        host& user = s.net.client(s.random);
        const std::int64_t start = s.some_time();
        const auto port = static_cast<std::uint16_t>(s.random.between(2000, 62000));
        const std::uint16_t own = s.random.chance(0.5) ? port : std::uint16_t{0};
        for (int servers = s.random.chance(0.4) ? s.random.pick_int(2, 60) : 0; servers > 0; --servers) {
            udp_session u{
                s, {&user, &s.net.new_outside(s.random), port, start + s.random.between(0, 6 * units::second), own}};
            blob b;
            u.up(message{b.be32(0xffffffff).text("TSource Engine Query").u8(0)});
            if (s.random.chance(0.75))
                u.down(message{blob{}.be32(0xffffffff).u8(0x49), s.random.between(60, 300), body_kind::text});
        }
        udp_session u{s, {&user, &s.net.outside(s.random), port, start, own}};
        const stream_shape shape{s.random.log_between(15 * units::ms, 120 * units::ms), s.random.log_between(24, 120),
                                 s.random.log_between(40, 500), 40, 0.05};
        stream(s, u, start, s.random.log_between(5 * units::second, 120 * units::second), shape,
               [](way, std::int64_t n) {
                   return message{blob{}, n};
               });
    }
};

struct torrent {
    static constexpr std::string_view name = "torrent";
    static constexpr std::string_view about =
        "peer-to-peer: distributed look-ups, hundreds of peers of which most never answer, pieces from the rest";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 8;
    static void emit(stage& s) {
        host& user = s.net.client(s.random);
        const auto own = static_cast<std::uint16_t>(s.random.between(6881, 65000));
        const std::int64_t start = s.some_time();
        const std::int64_t width = s.random.log_between(5 * units::second, 120 * units::second);
        const std::uint16_t usual = s.random.chance(0.15) ? std::uint16_t{6881} : std::uint16_t{0};
        const int peers = s.scaled(s.random.log_between(10, 500));
        for (int i = 0; i < peers && !s.out.full(); ++i) {
            host& peer = s.net.new_outside(s.random);
            const auto port = usual != 0 ? usual : static_cast<std::uint16_t>(s.random.between(1025, 65535));
            const std::int64_t when = start + s.random.between(0, width);
            const std::uint32_t kind = s.random.below(10);
            if (kind < 5) {
                udp_session u{s, {&user, &peer, port, when, own}};
                u.up(payload::dht(s.random, false));
                if (s.random.chance(0.6))
                    u.down(payload::dht(s.random, true));
                else if (s.random.chance(0.1))
                    u.unreachable();
            } else if (kind < 8) {
                tcp_session t{s, {&user, &peer, port, when}};
                if (s.random.chance(0.45))
                    t.unanswered(s.random.pick_int(0, 3));
                else if (s.random.chance(0.3))
                    t.refused();
                else
                    exchange(s, t);
            } else {
                udp_session u{s, {&user, &peer, port, when, own}};
                u.up(payload::utp(s.random, 4));
                if (s.random.chance(0.5)) continue;
                u.down(payload::utp(s.random, 2));
                for (int n = s.random.pick_int(2, 60); n > 0 && !u.over(); --n) {
                    u.down(message{payload::utp(s.random, 0), s.random.between(60, 1400)})
                        .up(payload::utp(s.random, 2));
                }
            }
        }
        for (int trackers = s.random.pick_int(0, 5); trackers > 0; --trackers) announce(s, user, own, start);
        for (int i = peers / 8; i > 0; --i) {  // and those who call back
            tcp_session t{s, {&s.net.new_outside(s.random), &user, own, start + s.random.between(0, width)}};
            exchange(s, t);
        }
    }

private:
    /// A tracker asked for peers, by HTTP or by datagrams (BEP 15); many are gone.
    static void announce(stage& s, host& user, std::uint16_t own, std::int64_t when) {
        rng& r = s.random;
        const std::string site = world::domain_word(r);
        when = look_up_site(s, user, site, when);
        host& tracker = s.net.new_outside(r);
        if (r.chance(0.5)) {
            udp_session u{s, {&user, &tracker, r.chance(0.5) ? std::uint16_t{6969} : std::uint16_t{1337}, when, own}};
            u.up(blob{}.be64(0x41727101980ULL).be32(0).random(r, 4));
            if (r.chance(0.5)) return;
            u.down(blob{}.be32(0).random(r, 12)).up(message{blob{}.random(r, 8).be32(1), 98});
            u.down(message{blob{}.be32(1).random(r, 4), 20 + 6 * r.between(1, 100)});
            return;
        }
        tcp_session t{s, {&user, &tracker, 80, when}};
        if (r.chance(0.3)) return t.unanswered();
        blob path{"/announce?info_hash="};
        path.random_text(r, 40, hex_digits).text("&port=").number(own).text("&uploaded=0&left=1000&compact=1");
        t.open().up(payload::http_ask(r, {.path = path.characters(), .host = site, .agent = "Transmission/3.00"}));
        t.down(payload::http_reply(r, 200, r.between(60, 700), "text/plain")).end();
    }
    static void exchange(stage& s, tcp_session& t) {
        t.open().up(payload::bittorrent(s.random)).down(payload::bittorrent(s.random));
        for (int pieces = s.random.pick_int(0, 12); pieces > 0 && !t.over(); --pieces) {
            t.up(message{blob{}, s.random.between(17, 90)}).think(s.random.log_between(units::ms, 2 * units::second));
            t.down(message{blob{}, s.random.log_between(20, 33'000)});
        }
        t.end();
    }
};

struct tunnel {
    static constexpr std::string_view name = "tunnel";
    static constexpr std::string_view about =
        "virtual private networks: WireGuard, OpenVPN over UDP and TCP, IPsec with NAT traversal or bare";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 6;
    static void emit(stage& s) {
        host& user = s.net.client(s.random);
        host& server = s.net.outside(s.random);
        const std::int64_t start = s.some_time();
        const stream_shape shape{s.random.log_between(2 * units::ms, 4 * units::second), s.random.log_between(60, 1300),
                                 s.random.log_between(60, 1400), 60, 0.2};
        const std::int64_t length = std::min<std::int64_t>(s.random.log_between(2 * units::second, 300 * units::second),
                                                           shape.period_ns * 4000);
        const std::uint32_t kind = s.random.below(5);
        if (kind == 4) return bare(s, user, server, start, length, shape);
        if (kind == 0) {
            udp_session u{
                s,
                {&user, &server,
                 static_cast<std::uint16_t>(s.random.chance(0.6) ? 51820 : s.random.between(1024, 65000)), start}};
            u.up(payload::wireguard(s.random, 1, 148)).down(payload::wireguard(s.random, 2, 92));
            stream(s, u, u.now(), length, shape,
                   [&](way, std::int64_t n) { return payload::wireguard(s.random, 4, (n + 31) / 16 * 16); });
        } else if (kind == 1) {
            udp_session u{s, {&user, &server, 1194, start}};
            u.up(payload::open_vpn(s.random, 7, 14)).down(payload::open_vpn(s.random, 8, 26));
            for (int i = 0; i < 6; ++i)
                u.up(payload::open_vpn(s.random, 4, 300)).down(payload::open_vpn(s.random, 4, 1100));
            stream(s, u, u.now(), length, shape,
                   [&](way, std::int64_t n) { return payload::open_vpn(s.random, 6, n); });
        } else if (kind == 2) {
            udp_session key{s, {&user, &server, 500, start, 500}};
            key.up(payload::isakmp(s.random, 34, 420)).down(payload::isakmp(s.random, 34, 440));
            udp_session u{s, {&user, &server, 4500, key.now(), 4500}};
            u.up(payload::isakmp(s.random, 35, 1200)).down(payload::isakmp(s.random, 35, 1100));
            std::uint32_t sequence = 0;
            stream(s, u, u.now(), length, shape,
                   [&](way, std::int64_t n) { return payload::esp_in_udp(s.random, ++sequence, n); });
        } else {
            tcp_session t{s, {&user, &server, s.random.chance(0.5) ? std::uint16_t{443} : std::uint16_t{1194}, start}};
            t.open().up(payload::open_vpn(s.random, 7, 16)).down(payload::open_vpn(s.random, 8, 28));
            while (!t.over() && t.now() < start + length) {
                t.up(message{blob{}, s.random.log_between(40, 1400)})
                    .down(message{blob{}, s.random.log_between(40, 6000)});
                t.think(s.random.exponential(shape.period_ns * 4));
            }
            t.end();
        }
    }

private:
    /// ESP without a transport header, after its key exchange.
    static void bare(stage& s, host& user, host& server, std::int64_t start, std::int64_t length,
                     const stream_shape& shape) {
        rng& r = s.random;
        udp_session key{s, {&user, &server, 500, start, 500}};
        key.up(payload::isakmp(r, 34, 420)).down(payload::isakmp(r, 34, 440));
        key.up(payload::isakmp(r, 35, 1200)).down(payload::isakmp(r, 35, 1100));
        if (!s.out.claim({user.v4, server.v4, 0, 0, ip_protocol::esp}, s.tag.label)) return;
        std::uint32_t sequence = 0;
        for (std::int64_t when = key.now(); when < start + length && s.goes_on(when);
             when += r.around(shape.period_ns, shape.jitter_percent)) {
            ++sequence;
            const bool up = r.chance(0.5);
            const message m = payload::esp_in_udp(r, sequence, up ? shape.up_size : shape.down_size);
            const body b{m.head.view(), m.size, m.kind, s.out.later_body_bytes()};
            s.wire.other(s.tag, when, up ? user : server, up ? server : user, false, ip_protocol::esp, b);
        }
    }
};

}  // namespace detail::benign
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
