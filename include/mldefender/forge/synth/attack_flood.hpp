// SPDX-License-Identifier: MIT
// Denial of service as the victim's side sees it: floods of every kind from one, many or invented sources, reflections,
// slow HTTP. Sources, rates, sizes and what the victim still answers are drawn anew each time. Listed in scenario.hpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <mldefender/forge/synth/attack_plan.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace detail::attack {

/// Who floods whom, how fast and for how long; shared by all floods.
struct flood_plan {
    std::vector<host> victims;  ///< one, or many of one network
    std::vector<host> sources;  ///< empty: each packet has an invented source
    std::int64_t start_ns;
    std::int64_t packets;
    pace rhythm;

    [[nodiscard]] static flood_plan draw(stage& s, bool may_spoof) {
        rng& r = s.random;
        flood_plan p{};
        host& victim = s.net.local(r);
        p.victims.push_back(victim);
        const std::uint32_t kind = may_spoof ? r.below(3) : r.below(2) + 1;
        if (kind == 1) {  // one machine, outside or inside
            p.sources.push_back(r.chance(0.7) ? s.net.new_outside(r) : s.net.other_local(r, victim));
        } else if (kind == 2) {
            for (std::int64_t n = r.log_between(3, 400); n > 0; --n) p.sources.push_back(s.net.draw_outside(r));
        }
        for (host& h : p.sources) h.has_v6 = h.has_v6 && r.chance(0.3);
        p.draw_pace(s);
        return p;
    }
    /// Local machines, taken over, flood somebody outside; some of them invent their sources.
    [[nodiscard]] static flood_plan outwards(stage& s, bool may_spoof) {
        rng& r = s.random;
        flood_plan p{};
        p.victims.push_back(s.net.draw_outside(r));
        if (!may_spoof || r.chance(0.8)) {
            for (int n = r.chance(0.7) ? 1 : r.pick_int(2, 6); n > 0; --n) p.sources.push_back(s.net.local(r));
        }
        p.draw_pace(s);
        return p;
    }
    /// Hundreds of addresses of one network at once, so that each gets little.
    void spread(stage& s) {
        const network& n = s.net.local_network();
        for (std::uint32_t i = 1, count = 1U << (32 - n.prefix); i < std::min(count - 1, 1024U); ++i) {
            const address a = address::v4(n.base.v4_number() + i);
            const host* const known = s.net.find_local(a);
            victims.push_back(known != nullptr ? *known : s.net.nobody(a));
        }
    }
    /// Calls `once(source, victim, when)` for each packet of the flood.
    template <class F>
    void run(stage& s, F&& once) {
        repeat(s, {start_ns, packets, rhythm}, [&](std::int64_t when) {
            host& victim = s.random.pick(victims);
            if (sources.empty()) {
                host invented = s.net.draw_outside(s.random);
                once(invented, victim, when);
            } else {
                once(s.random.pick(sources), victim, when);
            }
        });
    }

private:
    void draw_pace(stage& s) {
        rng& r = s.random;
        start_ns = r.between(s.out.begin_ns() - s.span_ns() / 4, s.out.end_ns() - s.span_ns() / 4);
        const std::int64_t length = r.log_between(units::second, 120 * units::second);
        packets = s.scaled(r.log_between(300, 9000));
        rhythm = pace::poisson(std::clamp<std::int64_t>(length / packets, units::us, 40 * units::ms));
        rhythm.burst_share = r.chance(0.3) ? 0.02 : 0.0;
    }
};

inline constexpr std::uint16_t victim_ports[] = {80, 443, 22, 53, 25565, 8080, 3389, 5060, 21, 25, 7777, 27015};

/// The packets of a TCP flood: all alike but for what is drawn anew.
class tcp_barrage {
public:
    /// Packets of one kind, towards one port or any.
    explicit tcp_barrage(stage& s, bool opens_only = false) {
        rng& r = s.random;
        static constexpr std::uint8_t kinds[] = {tcp_flag::syn,
                                                 tcp_flag::syn,
                                                 tcp_flag::syn,
                                                 tcp_flag::ack,
                                                 tcp_flag::ack,
                                                 tcp_flag::rst,
                                                 tcp_flag::fin | tcp_flag::ack,
                                                 tcp_flag::psh | tcp_flag::ack,
                                                 tcp_flag::syn | tcp_flag::ack,
                                                 mixed};
        m_kind = opens_only ? tcp_flag::syn : r.pick(kinds);
        m_port = port_of(r, victim_ports, 0.8);
        m_any_port = r.chance(0.15);
        m_reply = r.below(4);
        m_fixed_window = r.chance(0.5);
        m_window = static_cast<std::uint16_t>(r.chance(0.5) ? r.next() : 1024U * r.below(64));
        m_options = r.chance(0.5);
        m_load = static_cast<std::uint32_t>(m_kind != tcp_flag::syn && r.chance(0.4) ? r.log_between(1, 1400)
                                            : r.chance(0.05)                         ? r.log_between(1, 1000)
                                                                                     : 0);
        m_fixed_source = r.chance(0.1);
    }
    /// One packet, and what the victim says to it.
    void fire(stage& s, host& from, host& victim, std::int64_t when) {
        rng& r = s.random;
        tcp_fields f;
        f.source_port = m_fixed_source ? m_port : any_port(r);
        f.destination_port = m_any_port ? any_port(r, 1) : m_port;
        f.seq = r.below(1ULL << 32);
        f.flags = m_kind != mixed ? m_kind : static_cast<std::uint8_t>(r.next() & 0x3f);
        f.ack = f.flags & tcp_flag::ack ? r.below(1ULL << 32) : 0;
        f.window = m_fixed_window ? m_window : from.os->window;
        static constexpr std::uint8_t usual[] = {2, 4, 5, 0xb4, 1, 3, 3, 7, 1, 1, 4, 2};
        if (m_options && f.flags == tcp_flag::syn)
            f.options = {usual, r.chance(0.5) ? std::size_t{4} : std::size_t{12}};
        const bool six = from.has_v6 && victim.has_v6 && r.chance(s.net.traits.v6_share);
        if (!shoot(s, from, victim, six, when, f, {{}, m_load, body_kind::random, s.out.body_bytes()})) return;
        if (m_reply == 0 || (m_reply == 3 && r.chance(0.8))) return;
        const bool opens = f.flags == tcp_flag::syn && m_reply != 2;
        answer(s, victim, from, six, when, f, opens ? tcp_flag::syn | tcp_flag::ack : tcp_flag::rst);
        if (opens && r.chance(0.3))
            answer(s, victim, from, six, when + units::second, f, tcp_flag::syn | tcp_flag::ack);
    }

private:
    static constexpr std::uint8_t mixed = 0xff;
    std::uint8_t m_kind;
    std::uint16_t m_port;
    bool m_any_port;
    std::uint32_t m_reply;  ///< nothing, SYN-ACK, RST, now and then
    bool m_fixed_window;
    std::uint16_t m_window;
    bool m_options;
    std::uint32_t m_load;
    bool m_fixed_source;
};

struct tcp_flood {
    static constexpr std::string_view name = "tcp_flood";
    static constexpr std::string_view about =
        "SYN, ACK, RST, FIN, SYN-ACK and mixed floods, from invented or real sources, answered or not";
    static constexpr attack_class label = attack_class::ddos;
    static constexpr int weight = 14;
    static void emit(stage& s) {
        flood_plan plan = flood_plan::draw(s, true);
        tcp_barrage packets{s};
        plan.run(s, [&](host& from, host& victim, std::int64_t when) { packets.fire(s, from, victim, when); });
    }
};

/// The datagrams of a UDP flood.
class datagram_barrage {
public:
    /// Datagrams of one look, towards one port or any.
    explicit datagram_barrage(stage& s) {
        rng& r = s.random;
        m_port = port_of(r, victim_ports, 0.5);
        m_any_port = r.chance(0.4);
        m_source = r.chance(0.3) ? any_port(r) : std::uint16_t{0};
        m_size = r.chance(0.1) ? r.between(1500, 4000) : r.log_between(1, 1472);
        m_fixed_size = r.chance(0.7);
        m_looks = r.chance(0.5) ? body_kind::random : r.chance(0.5) ? body_kind::zeros : body_kind::text;
        m_unreachable = r.chance(0.3);
    }
    /// One datagram.
    void fire(stage& s, host& from, host& victim, std::int64_t when) {
        rng& r = s.random;
        const std::uint16_t to = m_any_port ? any_port(r, 1) : m_port;
        const std::uint16_t own = m_source != 0 ? m_source : any_port(r);
        udp_session u{s, {&from, &victim, to, when, own}};
        u.up(message{blob{}, m_fixed_size ? m_size : r.around(m_size, 50), m_looks});
        if (m_unreachable && r.chance(0.1)) u.unreachable();
    }

private:
    std::uint16_t m_port;
    bool m_any_port;
    std::uint16_t m_source;
    std::int64_t m_size;
    bool m_fixed_size;
    body_kind m_looks;
    bool m_unreachable;
};

struct datagram_flood {
    static constexpr std::string_view name = "datagram_flood";
    static constexpr std::string_view about =
        "UDP floods on one or all ports, small or large, from one, many or invented sources";
    static constexpr attack_class label = attack_class::ddos;
    static constexpr int weight = 8;
    static void emit(stage& s) {
        flood_plan plan = flood_plan::draw(s, true);
        datagram_barrage packets{s};
        plan.run(s, [&](host& from, host& victim, std::int64_t when) { packets.fire(s, from, victim, when); });
    }
};

struct network_flood {
    static constexpr std::string_view name = "network_flood";
    static constexpr std::string_view about =
        "floods spread over every address of a network, so that no host gets much: TCP, UDP or ICMP, mostly from "
        "invented sources";
    static constexpr attack_class label = attack_class::ddos;
    static constexpr int weight = 4;
    static void emit(stage& s) {
        rng& r = s.random;
        flood_plan plan = flood_plan::draw(s, true);
        plan.spread(s);
        const std::uint32_t kind = r.below(5);
        tcp_barrage segments{s};
        datagram_barrage datagrams{s};
        std::uint16_t sequence = 0;
        const auto size = static_cast<std::uint32_t>(r.pick_int(0, 1400));
        plan.run(s, [&](host& from, host& victim, std::int64_t when) {
            if (kind < 3)
                segments.fire(s, from, victim, when);
            else if (kind < 4)
                datagrams.fire(s, from, victim, when);
            else
                ping(s, from, victim, when, ++sequence, {size, false, 1, body_kind::random});
        });
    }
};

struct device_flood {
    static constexpr std::string_view name = "device_flood";
    static constexpr std::string_view about =
        "machines of this network, taken over, flood somebody outside: UDP, SYN, ACK, GRE, HTTP, on command and for "
        "seconds";
    static constexpr attack_class label = attack_class::ddos;
    static constexpr int weight = 8;
    static void emit(stage& s) {
        rng& r = s.random;
        const std::uint32_t kind = r.below(10);
        flood_plan plan = flood_plan::outwards(s, kind < 8);
        for (int commands = r.pick_int(1, 3); commands > 0; --commands) {
            tcp_barrage segments{s};
            datagram_barrage datagrams{s};
            plan.run(s, [&](host& from, host& victim, std::int64_t when) {
                if (kind < 4)
                    segments.fire(s, from, victim, when);
                else if (kind < 7)
                    datagrams.fire(s, from, victim, when);
                else if (kind < 8)
                    wrapped(s, from, victim, when);
                else
                    request(s, from, victim, when);
            });
            plan.start_ns += plan.packets * plan.rhythm.gap_ns + r.log_between(units::second, 60 * units::second);
            plan.victims.assign(1, s.net.draw_outside(r));
        }
    }

private:
    /// A datagram inside GRE (RFC 2784), as such floods send to get around filters.
    static void wrapped(stage& s, host& from, host& victim, std::int64_t when) {
        if (!s.out.claim({from.v4, victim.v4, 0, 0, ip_protocol::gre}, s.tag.label)) return;
        blob b;
        b.be16(0).be16(0x0800).u8(0x45).u8(0).be16(28 + 512).random(s.random, 2).be16(0x4000).u8(64).u8(17).be16(0);
        b.be32(s.random.next()).be32(s.random.next());
        b.patch_be16(14, fold(sum_words(b.view().data() + 4, 20)));
        b.random(s.random, 4).be16(8 + 512).be16(0);
        s.wire.other(s.tag, when, from, victim, false, ip_protocol::gre,
                     {b.view(), static_cast<std::uint32_t>(b.size() + 512), body_kind::random, s.out.body_bytes()});
    }
    static void request(stage& s, host& from, host& victim, std::int64_t when) {
        tcp_session t{s, {&from, &victim, 80, when}};
        if (s.random.chance(0.2)) return t.unanswered(0);
        const address_text site = to_text(victim.v4);
        t.open().up(
            payload::http_ask(s.random, {.host = site.view(), .agent = s.random.pick(payload::agents), .posed = true}));
        if (s.random.chance(0.6)) t.down(payload::http_reply(s.random, 200, s.random.log_between(200, 20'000)));
        t.end();
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
        plan.run(s, [&](host& from, host& victim, std::int64_t when) {
            ping(s, from, victim, when, ++sequence, {size, answered, identifier, body_kind::random});
        });
    }
};

struct request_flood {
    static constexpr std::string_view name = "request_flood";
    static constexpr std::string_view about =
        "HTTP and TLS floods with whole handshakes: random paths and queries, many short connections or thousands of "
        "cancelled requests on few, few or many clients";
    static constexpr attack_class label = attack_class::ddos;
    static constexpr int weight = 8;
    static void emit(stage& s) {
        rng& r = s.random;
        flood_plan plan = flood_plan::draw(s, false);
        plan.rhythm.gap_ns = std::max<std::int64_t>(plan.rhythm.gap_ns * 5, 200 * units::us);
        plan.packets = std::min<std::int64_t>(plan.packets, 2500);
        const shape looks = shape::draw(s);
        if (looks.cancels) plan.packets = r.pick_int(2, 40);
        plan.run(s, [&](host& from, host& victim, std::int64_t when) {
            tcp_session t{s, {&from, &victim, looks.port, when}};
            if (r.chance(0.1)) return t.unanswered(0);  // the victim is busy
            t.open();
            if (looks.secret) start_tls(s, t, looks.hello, {}, false);
            looks.cancels ? cancel(s, t) : ask(s, t, looks);
            t.end();
        });
    }

private:
    struct shape {
        bool secret;
        bool cancels;  ///< requests on one connection, each taken back at once
        bool post;
        std::string site;
        int requests;
        payload::tls_client hello;
        std::uint16_t port;
        std::int64_t answered;

        [[nodiscard]] static shape draw(stage& s) {
            rng& r = s.random;
            shape x{};
            x.cancels = r.chance(0.2);
            x.secret = x.cancels || r.chance(0.3);
            x.post = r.chance(0.25);
            x.site = s.net.site(r);
            x.requests = r.pick_int(1, 4);
            x.hello = payload::tls_client::draw(r);
            static constexpr std::uint16_t clear[] = {80, 80, 80, 80, 8080};
            x.port = x.secret ? std::uint16_t{443} : r.pick(clear);
            x.answered = r.log_between(100, 8000);
            return x;
        }
    };
    static void ask(stage& s, tcp_session& t, const shape& looks) {
        rng& r = s.random;
        for (int i = 0; i < looks.requests; ++i) {
            std::string path = "/?" + std::to_string(r.below(1U << 30));
            path += "=" + std::to_string(r.below(1000));
            const std::int64_t size = looks.post ? r.log_between(10, 3000) : 0;
            if (looks.secret) {
                t.up(payload::tls_data(120)).down(payload::tls_data(looks.answered));
                continue;
            }
            t.up(payload::http_ask(r, {.method = looks.post ? "POST" : "GET",
                                       .path = path,
                                       .host = looks.site,
                                       .agent = payload::agents[r.below(6)],
                                       .body = size}));
            if (r.chance(0.7)) t.down(payload::http_reply(r, r.chance(0.8) ? 200 : 503, looks.answered));
        }
    }
    /// HTTP/2: request frames and their cancellation by the hundred, hardly anything comes back.
    static void cancel(stage& s, tcp_session& t) {
        rng& r = s.random;
        t.up(payload::tls_data(64)).down(payload::tls_data(46));
        for (int n = r.pick_int(20, 200); n > 0 && !t.over(); --n) {
            for (int in_row = r.pick_int(4, 20); in_row > 0; --in_row) t.up(payload::tls_data(r.between(50, 70)));
            t.down(payload::tls_data(r.between(13, 60))).think(r.exponential(2 * units::ms));
        }
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
        const opponents who = opponents::draw(s, 0.7);
        const std::uint32_t kind = r.below(3);
        const pace beat = pace::steady(r.log_between(units::second, 20 * units::second), 10);
        static constexpr std::uint16_t ports[] = {80, 80, 80, 80, 8080};
        const std::uint16_t port = r.pick(ports);
        const std::string site = s.net.site(r);
        const pace arrivals = pace::steady(r.log_between(units::ms, 200 * units::ms), 0);
        repeat(s, {s.some_time(), s.scaled(r.log_between(40, 500)), arrivals}, [&](std::int64_t when) {
            tcp_session t{s, {who.attacker, who.victim, port, when}};
            start(s, t.open(), kind, site);
            for (int beats = 0; beats < 60 && !t.over(); ++beats) {
                t.think(beat.next(r));
                if (kind == 0)
                    t.up(message{blob{"X-a: "}.number(r.below(5000)).text("\r\n")});
                else if (kind == 1)
                    t.up(message{blob{"a="}, r.between(2, 12), body_kind::text});
                else
                    t.keep_alive();
            }
            if (r.chance(0.5)) t.reset(way::down);
        });
    }

private:
    static void start(stage& s, tcp_session& t, std::uint32_t kind, std::string_view site) {
        blob b{kind == 1 ? "POST / HTTP/1.1\r\nHost: " : "GET /big HTTP/1.1\r\nHost: "};
        b.text(site).text("\r\nUser-Agent: ").text(payload::agents[s.random.below(6)]).text("\r\n");
        if (kind == 1) b.text("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100000\r\n\r\n");
        if (kind == 2) b.text("\r\n");
        t.up(b);
        if (kind == 2) t.down(payload::http_reply(s.random, 200, 400'000, "text/html", 4000));
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
        const pace rhythm = pace::poisson(std::max<std::int64_t>(length / packets, units::us));
        const std::uint16_t target = r.chance(0.5) ? any_port(r, 1) : std::uint16_t{0};
        const std::int64_t size = kind == 1 ? 440 : r.log_between(60, 4000);
        static constexpr std::uint16_t tcp_ports[] = {80, 443, 179, 22, 21};
        const std::uint16_t tcp_port = r.pick(tcp_ports);
        const std::int64_t start = r.between(s.out.begin_ns(), s.out.end_ns() - s.span_ns() / 4);
        repeat(s, {start, packets, rhythm}, [&](std::int64_t when) {
            host& from = r.pick(reflectors);
            const std::uint16_t to = target != 0 ? target : any_port(r, 1);
            if (services[kind] == 0) return half_opened(s, from, victim, tcp_port, to, when);
            udp_session u{s, {&from, &victim, to, when, services[kind]}};
            u.up(content(s, kind, std::min<std::int64_t>(r.lognormal(size, 0.3), 6000)));
            if (r.chance(0.02)) u.unreachable();
        });
    }

private:
    /// The answer to a SYN that somebody sent in the victim's name.
    static void half_opened(stage& s, host& from, host& victim, std::uint16_t own, std::uint16_t to,
                            std::int64_t when) {
        rng& r = s.random;
        tcp_fields f;
        f.source_port = own;
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
    }
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
        if (kind == 4)
            return {blob{}.be16(0).be16(0).be16(1).be16(0).text("VALUE a 0 1400\r\n"), size, body_kind::text};
        if (kind == 5) return payload::ldap(7, 0x64, "", size);
        return {blob{}, size, body_kind::text};
    }
};

struct reflector_abuse {
    static constexpr std::string_view name = "reflector_abuse";
    static constexpr std::string_view about =
        "this network's servers used against others: questions and SYNs in the name of a victim outside, answered and "
        "never acknowledged";
    static constexpr attack_class label = attack_class::ddos;
    static constexpr int weight = 6;
    static void emit(stage& s) {
        rng& r = s.random;
        std::vector<host> victims;
        for (std::int64_t n = r.chance(0.5) ? 1 : r.log_between(2, 200); n > 0; --n) {
            victims.push_back(s.net.draw_outside(r));
            victims.back().has_v6 = false;
        }
        const std::uint32_t kind = r.below(4);
        static constexpr std::uint16_t tcp_ports[] = {80, 443, 22, 179, 25};
        const std::uint16_t port = r.pick(tcp_ports);
        const bool whole_network = kind == 0 && r.chance(0.5);
        const pace rhythm = pace::draw(r, 200 * units::us, 200 * units::ms);
        repeat(s, {s.some_time(), s.scaled(r.log_between(40, 4000)), rhythm}, [&](std::int64_t when) {
            host& from = r.pick(victims);
            host silent = s.net.nobody(s.net.local_address(r));
            host* const known = whole_network ? s.net.find_local(silent.v4) : &s.net.server(r);
            kind == 0 ? half_open(s, from, known != nullptr ? *known : silent, known != nullptr, port, when)
                      : ask(s, from, *known, kind, when);
        });
    }

private:
    static void half_open(stage& s, host& from, host& server, bool answers, std::uint16_t port, std::int64_t when) {
        rng& r = s.random;
        tcp_fields f;
        f.source_port = any_port(r);
        f.destination_port = port;
        f.seq = r.below(1ULL << 32);
        f.flags = tcp_flag::syn;
        f.window = from.os->window;
        if (!shoot(s, from, server, false, when, f) || !answers) return;
        for (int again = 0, times = r.pick_int(1, 4); again < times; ++again)
            answer(s, server, from, false, when + (1LL << again) * units::second - units::second, f,
                   tcp_flag::syn | tcp_flag::ack);
    }
    static void ask(stage& s, host& from, host& server, std::uint32_t kind, std::int64_t when) {
        rng& r = s.random;
        static constexpr std::uint16_t ports[] = {0, 53, 123, 1900};
        udp_session u{s, {&from, &server, ports[kind], when, any_port(r)}};
        if (kind == 1) {
            const auto id = static_cast<std::uint16_t>(r.next());
            payload::dns_reply reply;
            reply.answers = r.pick_int(4, 20);
            const message big = payload::dns_answer(r, id, "example.org", payload::dns_type::txt, reply);
            u.up(payload::dns_query(id, "example.org", payload::dns_type::any, true)).down(big);
        } else if (kind == 2) {
            u.up(message{blob{}.u8(0x17).u8(0).u8(3).u8(0x2a).be32(0)});
            for (int n = r.pick_int(1, 20); n > 0; --n)
                u.down(message{blob{}.u8(0xd7).u8(0).u8(3).u8(0x2a).be16(6).be16(72), 440});
        } else {
            u.up(payload::ssdp(true, "ssdp:all"));
            for (int n = r.pick_int(1, 8); n > 0; --n) u.down(payload::ssdp_answer("upnp:rootdevice"));
        }
    }
};

}  // namespace detail::attack
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
