// SPDX-License-Identifier: MIT
// Denial of service as the victim's side sees it: floods of every kind from one, many or invented sources, reflections,
// slow HTTP. Sources, rates, sizes and what the victim still answers are drawn anew each time. Listed in scenario.hpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <mldefender/forge/synth/benign_web.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace detail::attack {

/// Who attacks whom, how fast and for how long; shared by all floods.
struct flood_plan {
    host* victim;
    std::vector<host> sources;  ///< empty: each packet has an invented source
    std::int64_t start_ns;
    std::int64_t length_ns;
    std::int64_t gap_ns;  ///< mean time between packets
    bool bursty;

    [[nodiscard]] static flood_plan draw(stage& s, bool may_spoof) {
        rng& r = s.random;
        flood_plan p{};
        p.victim = &s.net.local(r);
        const std::uint32_t kind = may_spoof ? r.below(3) : r.below(2) + 1;
        if (kind == 1) {  // one machine, outside or inside
            p.sources.push_back(r.chance(0.7) ? s.net.new_outside(r) : s.net.other_local(r, *p.victim));
        } else if (kind == 2) {
            for (std::int64_t n = r.log_between(3, 400); n > 0; --n) p.sources.push_back(s.net.draw_outside(r));
        }
        for (host& h : p.sources) h.has_v6 = h.has_v6 && r.chance(0.3);
        p.start_ns = r.between(s.out.begin_ns() - s.span_ns() / 4, s.out.end_ns() - s.span_ns() / 4);
        p.length_ns = r.log_between(units::second, 120 * units::second);
        const std::int64_t packets = s.scaled(r.log_between(300, 9000));
        p.gap_ns = std::clamp<std::int64_t>(p.length_ns / packets, units::us, 40 * units::ms);
        p.length_ns = p.gap_ns * packets;
        p.bursty = r.chance(0.3);
        return p;
    }
    /// Calls `once(source, when)` for each packet of the flood.
    template <class F>
    void run(stage& s, F&& once) {
        std::int64_t when = start_ns;
        while (when < start_ns + length_ns && s.goes_on(when)) {
            if (sources.empty()) {
                host invented = s.net.draw_outside(s.random);
                once(invented, when);
            } else {
                once(s.random.pick(sources), when);
            }
            when += bursty && s.random.chance(0.02) ? 40 * gap_ns : s.random.exponential(gap_ns) + 200;
        }
    }
};

/// A bare TCP packet, claimed for the label; false when its tuple is somebody else's.
inline bool shoot(stage& s, host& from, host& to, bool six, std::int64_t when, tcp_fields f, const body& b = {}) {
    if (!s.out.claim({from.at(six), to.at(six), f.source_port, f.destination_port, ip_protocol::tcp}, s.tag.label))
        return false;
    if (s.net.traits.view == visibility::server_only) return true;  // only answers are seen
    s.wire.tcp(s.tag, when, from, to, six, f, b);
    return true;
}
/// The victim's answer to a bare packet.
inline void answer(stage& s, host& from, host& to, bool six, std::int64_t when, const tcp_fields& asked,
                   std::uint8_t flags) {
    if (s.net.traits.view == visibility::client_only) return;
    static constexpr std::uint8_t mss_option[] = {2, 4, 5, 0xb4};
    tcp_fields f;
    f.source_port = asked.destination_port;
    f.destination_port = asked.source_port;
    f.seq = flags & tcp_flag::syn ? s.random.below(1ULL << 32) : 0;
    f.ack = asked.seq + 1;
    f.flags = flags;
    if (flags & tcp_flag::syn) {
        f.window = from.os->window;
        f.options = {mss_option, 4};
    }
    s.wire.tcp(s.tag, when + 2 * from.delay_ns + s.random.exponential(30 * units::us), from, to, six, f);
}
inline constexpr std::uint16_t victim_ports[] = {80, 443, 22, 53, 25565, 8080, 3389, 5060, 21, 25, 7777, 27015};

struct tcp_flood {
    static constexpr std::string_view name = "tcp_flood";
    static constexpr std::string_view about =
        "SYN, ACK, RST, FIN, SYN-ACK and mixed floods, from invented or real sources, answered or not";
    static constexpr attack_class label = attack_class::ddos;
    static constexpr int weight = 14;
    static void emit(stage& s) {
        rng& r = s.random;
        flood_plan plan = flood_plan::draw(s, true);
        static constexpr std::uint8_t kinds[] = {tcp_flag::syn,
                                                 tcp_flag::syn,
                                                 tcp_flag::syn,
                                                 tcp_flag::ack,
                                                 tcp_flag::rst,
                                                 tcp_flag::fin | tcp_flag::ack,
                                                 tcp_flag::psh | tcp_flag::ack,
                                                 tcp_flag::syn | tcp_flag::ack,
                                                 0xff};
        const std::uint8_t kind = r.pick(kinds);
        const std::uint16_t port =
            r.chance(0.8) ? r.pick(victim_ports) : static_cast<std::uint16_t>(r.between(1, 65535));
        const bool any_port = r.chance(0.15);
        const std::uint32_t reply = r.below(4);  // nothing, SYN-ACK, RST, now and then
        const bool fixed_window = r.chance(0.5);
        const auto window = static_cast<std::uint16_t>(r.chance(0.5) ? r.next() : 1024U * r.below(64));
        const bool options = r.chance(0.5);
        const auto load = static_cast<std::uint32_t>(kind != tcp_flag::syn && r.chance(0.4) ? r.log_between(1, 1400)
                                                     : r.chance(0.05)                       ? r.log_between(1, 1000)
                                                                                            : 0);
        const bool fixed_source = r.chance(0.1);
        plan.run(s, [&](host& from, std::int64_t when) {
            tcp_fields f;
            f.source_port = fixed_source ? port : static_cast<std::uint16_t>(r.between(1024, 65535));
            f.destination_port = any_port ? static_cast<std::uint16_t>(r.between(1, 65535)) : port;
            f.seq = r.below(1ULL << 32);
            f.flags = kind != 0xff ? kind : static_cast<std::uint8_t>(r.next() & 0x3f);
            f.ack = f.flags & tcp_flag::ack ? r.below(1ULL << 32) : 0;
            f.window = fixed_window ? window : from.os->window;
            static constexpr std::uint8_t usual[] = {2, 4, 5, 0xb4, 1, 3, 3, 7, 1, 1, 4, 2};
            if (options && f.flags == tcp_flag::syn)
                f.options = {usual, r.chance(0.5) ? std::size_t{4} : std::size_t{12}};
            const bool six = from.has_v6 && plan.victim->has_v6 && r.chance(s.net.traits.v6_share);
            if (!shoot(s, from, *plan.victim, six, when, f, {{}, load, body_kind::random, s.out.body_bytes()})) return;
            if (reply == 0 || (reply == 3 && r.chance(0.8))) return;
            const bool opens = f.flags == tcp_flag::syn && reply != 2;
            answer(s, *plan.victim, from, six, when, f, opens ? tcp_flag::syn | tcp_flag::ack : tcp_flag::rst);
            if (opens && r.chance(0.3))
                answer(s, *plan.victim, from, six, when + units::second, f, tcp_flag::syn | tcp_flag::ack);
        });
    }
};

struct datagram_flood {
    static constexpr std::string_view name = "datagram_flood";
    static constexpr std::string_view about =
        "UDP floods on one or all ports, small or large, from one, many or invented sources";
    static constexpr attack_class label = attack_class::ddos;
    static constexpr int weight = 8;
    static void emit(stage& s) {
        rng& r = s.random;
        flood_plan plan = flood_plan::draw(s, true);
        const std::uint16_t port =
            r.chance(0.5) ? r.pick(victim_ports) : static_cast<std::uint16_t>(r.between(1, 65535));
        const bool any_port = r.chance(0.4);
        const bool same_source = r.chance(0.3);
        const auto source = static_cast<std::uint16_t>(r.between(1024, 65535));
        const std::int64_t size = r.chance(0.1) ? r.between(1500, 4000) : r.log_between(1, 1472);
        const bool fixed_size = r.chance(0.7);
        const body_kind looks = r.chance(0.5) ? body_kind::random : r.chance(0.5) ? body_kind::zeros : body_kind::text;
        const bool unreachable = r.chance(0.3);
        plan.run(s, [&](host& from, std::int64_t when) {
            const std::uint16_t to = any_port ? static_cast<std::uint16_t>(r.between(1, 65535)) : port;
            const std::uint16_t own = same_source ? source : static_cast<std::uint16_t>(r.between(1024, 65535));
            udp_session u{s, {&from, plan.victim, to, when, own}};
            u.up(message{blob{}, fixed_size ? size : r.around(size, 50), looks});
            if (unreachable && r.chance(0.1)) u.unreachable();
        });
    }
};

struct ping_flood {
    static constexpr std::string_view name = "ping_flood";
    static constexpr std::string_view about = "ICMP echo floods, small and large, answered or not";
    static constexpr attack_class label = attack_class::ddos;
    static constexpr int weight = 4;
    static void emit(stage& s) {
        rng& r = s.random;
        flood_plan plan = flood_plan::draw(s, true);
        const bool answered = r.chance(0.5);
        const auto size = static_cast<std::uint32_t>(r.chance(0.5) ? r.pick_int(0, 64) : r.between(64, 1460));
        std::uint16_t sequence = 0;
        const auto identifier = static_cast<std::uint16_t>(r.next());
        plan.run(s, [&](host& from, std::int64_t when) {
            ping(s, from, *plan.victim, when, ++sequence, {size, answered, identifier, body_kind::random});
        });
    }
};

struct request_flood {
    static constexpr std::string_view name = "request_flood";
    static constexpr std::string_view about =
        "HTTP and TLS floods with whole handshakes: random paths and queries, many short connections, few or many "
        "clients";
    static constexpr attack_class label = attack_class::ddos;
    static constexpr int weight = 8;
    static void emit(stage& s) {
        rng& r = s.random;
        flood_plan plan = flood_plan::draw(s, false);
        plan.gap_ns = std::max<std::int64_t>(plan.gap_ns * 5, 200 * units::us);
        plan.length_ns = std::min(plan.length_ns * 2, plan.gap_ns * 2500);
        const bool secret = r.chance(0.3);
        const bool post = r.chance(0.25);
        const std::string site = s.net.site(r);
        const int requests = r.pick_int(1, 4);
        const auto hello = payload::tls_client::draw(r);
        const std::uint16_t port = secret          ? std::uint16_t{443}
                                   : r.chance(0.8) ? std::uint16_t{80}
                                                   : std::uint16_t{8080};
        const std::int64_t size = r.log_between(100, 8000);
        plan.run(s, [&](host& from, std::int64_t when) {
            tcp_session t{s, {&from, plan.victim, port, when}};
            if (r.chance(0.1)) return t.unanswered(0);  // the victim is busy
            t.open();
            if (secret) start_tls(s, t, hello, {}, false);
            for (int i = 0; i < requests; ++i) {
                std::string path = "/?" + std::to_string(r.below(1U << 30));
                path += "=" + std::to_string(r.below(1000));
                const std::int64_t body_size = post ? r.log_between(10, 3000) : 0;
                if (secret)
                    t.up(payload::tls_data(120)).down(payload::tls_data(size));
                else
                    t.up(payload::http_ask(r, {.method = post ? "POST" : "GET",
                                               .path = path,
                                               .host = site,
                                               .agent = payload::agents[r.below(6)],
                                               .body = body_size}));
                if (!secret && r.chance(0.7)) t.down(payload::http_reply(r, r.chance(0.8) ? 200 : 503, size));
            }
            t.end();
        });
    }
};

struct slow_http {
    static constexpr std::string_view name = "slow_http";
    static constexpr std::string_view about =
        "slow headers, slow bodies and slow readers: hundreds of connections kept busy by a few bytes each";
    static constexpr attack_class label = attack_class::ddos;
    static constexpr int weight = 5;
    static void emit(stage& s) {
        rng& r = s.random;
        host& victim = s.net.server(r);
        host& attacker = r.chance(0.7) ? s.net.new_outside(r) : s.net.client(r);
        const std::int64_t start = s.some_time();
        const std::int64_t beat = r.log_between(units::second, 20 * units::second);
        const std::int64_t gap = r.log_between(units::ms, 200 * units::ms);
        const std::uint32_t kind = r.below(3);
        const std::uint16_t port = r.chance(0.8) ? std::uint16_t{80} : std::uint16_t{8080};
        for (int i = s.scaled(r.log_between(40, 500)); i > 0 && !s.out.full(); --i) {
            tcp_session t{s, {&attacker, &victim, port, start + i * gap}};
            t.open();
            if (kind == 0) t.up(message{blob{"GET / HTTP/1.1\r\nHost: victim\r\nUser-Agent: Mozilla/5.0\r\n"}});
            if (kind == 1) t.up(message{blob{"POST / HTTP/1.1\r\nHost: victim\r\nContent-Length: 100000\r\n\r\n"}});
            if (kind == 2)
                t.up(message{blob{"GET /big HTTP/1.1\r\nHost: victim\r\n\r\n"}})
                    .down(message{blob{"HTTP/1.1 200 OK\r\n"}, 4000});
            for (int beats = 0; beats < 60 && !t.over(); ++beats) {
                t.think(r.around(beat, 10));
                if (kind == 0)
                    t.up(message{blob{"X-a: 1\r\n"}});
                else if (kind == 1)
                    t.up(message{blob{"a="}, r.between(2, 12), body_kind::text});
                else
                    t.keep_alive();
            }
            if (r.chance(0.5)) t.reset(way::down);
        }
    }
};

struct reflection {
    static constexpr std::string_view name = "reflection";
    static constexpr std::string_view about =
        "answers nobody asked for: DNS, NTP, SNMP, SSDP, memcached, CLDAP, chargen and SYN-ACK from many reflectors, "
        "one-way and fragmented";
    static constexpr attack_class label = attack_class::ddos;
    static constexpr int weight = 10;
    static void emit(stage& s) {
        rng& r = s.random;
        host& victim = s.net.local(r);
        static constexpr std::uint16_t services[] = {53, 123, 161, 1900, 11211, 389, 19, 0, 3702, 0};
        const std::size_t kind = r.below(std::size(services));
        std::vector<host> reflectors;
        for (std::int64_t n = r.log_between(5, 3000); n > 0; --n) reflectors.push_back(s.net.draw_outside(r));
        for (host& h : reflectors) h.has_v6 = false;
        const std::int64_t packets = s.scaled(r.log_between(300, 8000));
        const std::int64_t length = r.log_between(50 * units::ms, 60 * units::second);
        const std::int64_t gap = std::max<std::int64_t>(length / packets, units::us);
        const auto target = static_cast<std::uint16_t>(r.between(1, 65535));
        const bool one_port = r.chance(0.5);
        const std::int64_t size = kind == 1 ? 440 : r.log_between(60, 4000);
        std::int64_t when = r.between(s.out.begin_ns(), s.out.end_ns() - s.span_ns() / 4);
        static constexpr std::uint16_t tcp_ports[] = {80, 443, 179, 22, 21};
        const std::uint16_t tcp_port = r.pick(tcp_ports);
        for (std::int64_t i = 0; i < packets && s.goes_on(when); ++i, when += r.exponential(gap) + 100) {
            host& from = r.pick(reflectors);
            const std::uint16_t to = one_port ? target : static_cast<std::uint16_t>(r.between(1, 65535));
            if (services[kind] == 0) {
                tcp_fields f;
                f.source_port = tcp_port;
                f.destination_port = to;
                f.seq = r.below(1ULL << 32);
                f.ack = r.below(1ULL << 32);
                f.flags = r.chance(0.95) ? tcp_flag::syn | tcp_flag::ack : tcp_flag::rst;
                f.window = from.os->window;
                static constexpr std::uint8_t mss_option[] = {2, 4, 5, 0xb4};
                if (f.flags & tcp_flag::syn) f.options = {mss_option, 4};
                const int times = r.chance(0.25) ? 2 : 1;
                for (int n = 0; n < times; ++n) shoot(s, from, victim, false, when + n * units::second, f);
                if (r.chance(0.05)) answer(s, victim, from, false, when, f, tcp_flag::rst);
                continue;
            }
            udp_session u{s, {&from, &victim, to, when, services[kind]}};
            u.up(content(s, kind, std::min<std::int64_t>(r.lognormal(size, 0.3), 6000)));
            if (r.chance(0.02)) u.unreachable();
        }
    }

private:
    static message content(stage& s, std::size_t kind, std::int64_t size) {
        rng& r = s.random;
        if (kind == 0) {
            payload::dns_reply reply;
            reply.answers = r.pick_int(1, 12);
            const std::uint16_t type = r.chance(0.5) ? payload::dns_type::txt : payload::dns_type::a;
            const blob b = payload::dns_answer(r, static_cast<std::uint16_t>(r.next()), "big.example.net", type, reply);
            return {b, std::max<std::int64_t>(size, static_cast<std::int64_t>(b.size()))};
        }
        if (kind == 1) return {blob{}.u8(0xd7).u8(0).u8(3).u8(0x2a).be16(6).be16(72), size, body_kind::random};
        if (kind == 2) return {payload::snmp(r, true, static_cast<std::size_t>(r.pick_int(1, 40)))};
        if (kind == 3) return {payload::ssdp_answer("upnp:rootdevice"), size, body_kind::text};
        if (kind == 4) return {blob{}.be32(0).be32(0x10000).text("VALUE a 0 1400\r\n"), size, body_kind::text};
        if (kind == 5)
            return {blob{}.u8(0x30).u8(0x84).be32(static_cast<std::uint64_t>(size)).u8(2).u8(1).u8(7).u8(0x64), size,
                    body_kind::text};
        return {blob{}, size, body_kind::text};
    }
};

}  // namespace detail::attack
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
