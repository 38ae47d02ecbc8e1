// SPDX-License-Identifier: MIT
// Scans as nmap, masscan and hand-made tools do them: every TCP technique, UDP, SCTP, IP protocols, ICMP sweeps,
// versions and system fingerprints, with decoys or through others (FTP bounce, idle hosts), from a probe a minute to
// thousands a second, down one host or across a network, IPv4 and IPv6. Targets answer as their hosts would: open,
// closed, filtered. Listed in scenario.hpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <mldefender/forge/synth/attack_flood.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace detail::attack {

/// What is probed, in which order and rhythm.
struct scan_plan {
    host* scanner;
    std::vector<host> targets;
    std::vector<std::uint16_t> ports;
    std::int64_t start_ns;
    std::int64_t gap_ns;
    double open_share;
    double filtered_share;
    bool shuffled;
    bool six = false;
    std::vector<host> decoys;  ///< others in whose name the same probes are sent

    [[nodiscard]] static scan_plan draw(stage& s, bool many_ports) {
        rng& r = s.random;
        scan_plan p{};
        const bool inbound = r.chance(0.35);
        p.scanner = inbound ? &s.net.new_outside(r) : &s.net.local(r);
        const bool horizontal = !many_ports || r.chance(0.35);
        const std::int64_t port_count = horizontal ? r.log_between(1, 5) : r.log_between(15, 2500);
        p.six = p.scanner->has_v6 && r.chance(s.net.traits.v6_share * 0.5);
        p.draw_targets(s, horizontal, !inbound && r.chance(0.25));
        p.draw_ports(r, port_count);
        p.draw_timing(s);
        p.open_share = r.pick_int(0, 12) * 0.01;
        p.filtered_share = r.chance(0.4) ? r.pick_int(0, 100) * 0.01 : 0.0;
        p.shuffled = r.chance(0.75);
        if (r.chance(0.06)) {
            for (int n = r.pick_int(2, 8); n > 0; --n)
                p.decoys.push_back(inbound ? s.net.draw_outside(r) : s.net.nobody(s.net.local_address(r)));
        }
        return p;
    }
    /// Calls `once(target, port, when, state)`: state 0 open, 1 closed, 2 silent.
    template <class F>
    void run(stage& s, F&& once) {
        std::vector<std::uint32_t> order(targets.size() * ports.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint32_t>(i);
        if (shuffled) {
            for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[s.random.below(i)]);
        }
        std::size_t next = 0;
        pace rhythm = pace::steady(gap_ns, 60);
        repeat(s, {start_ns, static_cast<std::int64_t>(order.size()), rhythm}, [&](std::int64_t when) {
            const std::uint32_t at = order[next++];
            host& target = targets[at / ports.size()];
            const bool silent = target.bits_per_second == 0 || s.random.chance(filtered_share);
            const int state = silent ? 2 : s.random.chance(open_share) ? 0 : 1;
            once(target, ports[at % ports.size()], when, state);
            return when + (s.random.chance(0.05) ? s.random.exponential(gap_ns * 5) : 0);
        });
    }

private:
    /// Neighbours in a row, or somewhere in the world; known hosts answer, most other addresses do not.
    void draw_targets(stage& s, bool horizontal, bool outwards) {
        rng& r = s.random;
        const std::int64_t hosts = horizontal ? r.log_between(8, 1000) : r.log_between(1, 6);
        const std::uint32_t base = outwards ? static_cast<std::uint32_t>(s.net.public_v4(r).low) & ~0xffU
                                            : s.net.local_network().base.v4_number();
        const bool random_targets = outwards && r.chance(0.5);
        const std::uint32_t numbering = r.below(3);
        for (std::int64_t i = 0; i < hosts; ++i) {
            const address a = random_targets ? s.net.public_v4(r)
                              : horizontal   ? address::v4(base + 1 + static_cast<std::uint32_t>(i))
                                             : s.net.local_address(r);
            host* known = six && r.chance(0.05) ? &s.net.local(r) : s.net.find_local(a);
            if (known == nullptr && !horizontal && i == 0) known = &s.net.other_local(r, *scanner);
            host target = known != nullptr ? *known : s.net.nobody(a);
            if (known == nullptr) target.os = &r.pick(tcp_stacks);
            target.has_v6 = six;
            if (six && (known == nullptr || target.v6 == address{}))
                target.v6 = address{s.net.local_v6_prefix().high, low_half(r, numbering, i)};
            if (known == nullptr && r.chance(horizontal ? 0.8 : 0.3)) target.bits_per_second = 0;  // nobody home
            if (target.v4 != scanner->v4 && target.at(six) != scanner->at(six)) targets.push_back(target);
        }
        if (targets.empty()) {
            targets.push_back(s.net.nobody(s.net.local_address(r)));
            six = false;
        }
    }
    /// How hosts of an IPv6 network are guessed (RFC 7707): counted, made from card addresses, or words and ports.
    [[nodiscard]] static std::uint64_t low_half(rng& r, std::uint32_t numbering, std::int64_t i) {
        static constexpr std::uint64_t words[] = {0xcafe, 0xbeef, 0xdead, 0xface, 0x80, 0x443, 0x25, 0x53};
        const auto number = static_cast<std::uint64_t>(i);
        if (numbering == 0) return number + 1;
        if (numbering == 1) return 0x0200'00ff'fe00'0000ULL | (0x5056ULL << 40) | (number + (r.next() & 0xf000U));
        return (number << 16) | r.pick(words);
    }
    /// From a probe in five minutes to a hundred thousand a second, as the tools' timing templates have it.
    void draw_timing(stage& s) {
        rng& r = s.random;
        static constexpr std::int64_t slow[] = {300 * units::second, 15 * units::second, 15 * units::second,
                                                5 * units::second, 400 * units::ms};
        const auto probes = static_cast<std::int64_t>(targets.size() * ports.size());
        if (r.chance(0.1)) {
            gap_ns = r.pick(slow);
        } else {
            gap_ns = r.log_between(10 * units::us, 800 * units::ms);
            if (gap_ns * probes > 2 * s.span_ns() && r.chance(0.7))
                gap_ns = std::max<std::int64_t>(s.span_ns() / probes, 10 * units::us);
        }
        start_ns = r.between(s.out.begin_ns() - s.span_ns() / 8, s.out.end_ns() - s.span_ns() / 3);
    }
    void draw_ports(rng& r, std::int64_t count) {
        static constexpr std::uint16_t usual[] = {21,   22,   23,   25,   53,   80,    110,  111,  135,  139,
                                                  143,  443,  445,  993,  1433, 1723,  3306, 3389, 5432, 5900,
                                                  5985, 6379, 8080, 8443, 9200, 27017, 161,  2222, 8000, 8888};
        if (count <= 30) {
            const std::uint32_t first = r.below(std::size(usual));
            for (std::int64_t i = 0; i < count; ++i)
                ports.push_back(usual[(first + static_cast<std::size_t>(i)) % std::size(usual)]);
            return;
        }
        const bool low = r.chance(0.5);
        const auto first = static_cast<std::uint16_t>(low ? 1 : r.between(1, 40000));
        for (std::int64_t i = 0; i < count; ++i) ports.push_back(static_cast<std::uint16_t>(first + i));
    }
};

/// What a tool's bare probes look like.
struct probe_style {
    std::uint8_t flags = tcp_flag::syn;
    std::uint16_t source = 0;   ///< first source port
    std::uint32_t sources = 0;  ///< one port, two, any
    std::uint16_t window = 1024;
    bool with_mss = true;
    std::uint8_t ttl = 0;  ///< 0: the system's own
    int retries = 0;

    [[nodiscard]] static probe_style draw(rng& r) {
        static constexpr std::uint8_t techniques[] = {tcp_flag::syn,
                                                      tcp_flag::syn,
                                                      tcp_flag::syn,
                                                      tcp_flag::syn,
                                                      tcp_flag::fin,
                                                      0,
                                                      tcp_flag::fin | tcp_flag::psh | tcp_flag::urg,
                                                      tcp_flag::ack,
                                                      tcp_flag::fin | tcp_flag::ack};
        static constexpr std::uint16_t windows[] = {1024, 2048, 3072, 4096, 64240, 29200, 65535, 0};
        static constexpr std::uint16_t trusted[] = {20, 53, 80, 443, 88, 67};
        probe_style p;
        p.flags = r.pick(techniques);
        p.source = r.chance(0.9) ? static_cast<std::uint16_t>(r.between(32768, 65000)) : r.pick(trusted);
        p.sources = r.below(3);
        p.window = r.pick(windows);
        p.with_mss = r.chance(0.7);
        p.ttl = r.chance(0.5)   ? std::uint8_t{0}
                : r.chance(0.3) ? std::uint8_t{255}
                : r.chance(0.5) ? std::uint8_t{64}
                                : std::uint8_t{1};
        p.retries = r.pick_int(0, 2);
        return p;
    }
    /// The next probe.
    [[nodiscard]] tcp_fields make(rng& r, std::uint16_t port) const {
        static constexpr std::uint8_t mss_option[] = {2, 4, 5, 0xb4};
        tcp_fields f;
        f.source_port = sources == 0   ? source
                        : sources == 1 ? static_cast<std::uint16_t>(source + r.below(2))
                                       : any_port(r);
        f.destination_port = port;
        f.seq = r.below(1ULL << 32);
        f.flags = flags;
        f.ack = flags & tcp_flag::ack ? r.below(1ULL << 32) : 0;
        f.window = window;
        f.ttl = ttl != 1 ? ttl : static_cast<std::uint8_t>(r.between(37, 60));  // drawn for each probe
        if (with_mss && flags == tcp_flag::syn) f.options = {mss_option, 4};
        return f;
    }
};

struct tcp_scan {
    static constexpr std::string_view name = "tcp_scan";
    static constexpr std::string_view about =
        "SYN, FIN, NULL, XMAS, ACK, window and Maimon scans; vertical and horizontal, T0 to masscan speed, with decoys";
    static constexpr attack_class label = attack_class::scan;
    static constexpr int weight = 16;
    static void emit(stage& s) {
        scan_plan plan = scan_plan::draw(s, true);
        const probe_style style = probe_style::draw(s.random);
        const bool drops = s.random.chance(0.2);  // leaves half-open connections alone
        plan.run(s, [&](host& target, std::uint16_t port, std::int64_t when, int state) {
            for (host& decoy : plan.decoys) probe(s, decoy, target, plan.six, when, style, port, state, true);
            probe(s, *plan.scanner, target, plan.six, when, style, port, state, drops);
        });
    }

private:
    static void probe(stage& s, host& from, host& target, bool six, std::int64_t when, const probe_style& style,
                      std::uint16_t port, int state, bool drops) {
        rng& r = s.random;
        tcp_fields f = style.make(r, port);
        if (!shoot(s, from, target, six, when, f)) return;
        const bool odd = f.flags == tcp_flag::fin || f.flags == 0 || (f.flags & tcp_flag::urg) != 0;
        if (state == 2 || (odd && state == 0)) {
            if (style.retries > 0 && target.bits_per_second != 0)
                shoot(s, from, target, six, when + r.around(units::second, 5), f);
            return;
        }
        if (f.flags != tcp_flag::syn || state == 1) {
            const bool acked = (f.flags & tcp_flag::ack) != 0;
            return answer(s, target, from, six, when, f, acked ? tcp_flag::rst : tcp_flag::rst | tcp_flag::ack);
        }
        answer(s, target, from, six, when, f, tcp_flag::syn | tcp_flag::ack);
        if (drops) return;
        f.flags = tcp_flag::rst;
        ++f.seq;
        f.window = 0;
        f.options = {};
        f.ttl = 0;
        shoot(s, from, target, six, when + 2 * (target.delay_ns + from.delay_ns) + 40 * units::us, f);
    }
};

struct connect_scan {
    static constexpr std::string_view name = "connect_scan";
    static constexpr std::string_view about =
        "connect and version scans: whole handshakes closed at once or followed by probes of several protocols";
    static constexpr attack_class label = attack_class::scan;
    static constexpr int weight = 8;
    static void emit(stage& s) {
        rng& r = s.random;
        scan_plan plan = scan_plan::draw(s, true);
        const bool versions = r.chance(0.4);
        plan.run(s, [&](host& target, std::uint16_t port, std::int64_t when, int state) {
            tcp_session t{s, {plan.scanner, &target, port, when}};
            if (state == 2) return t.unanswered(r.pick_int(0, 1));
            if (state == 1) return t.refused();
            t.open();
            if (versions) probe(s, t);
            r.chance(0.5) ? t.reset() : t.finish();
        });
    }

private:
    static void probe(stage& s, tcp_session& t) {
        rng& r = s.random;
        const std::uint32_t kind = r.below(5);
        if (kind == 0) t.down(payload::ssh_banner(payload::ssh_clients[r.below(4)]));
        if (kind == 1) t.up(blob{"GET / HTTP/1.0\r\n\r\n"}).down(payload::http_reply(r, 200, r.between(100, 4000)));
        if (kind == 2) t.up(blob{"\r\n\r\n"}).down(blob{"220 ready\r\n"});
        if (kind == 3) t.up(blob{"OPTIONS / HTTP/1.0\r\n\r\n"}).think(5 * units::second).up(blob{"HELP\r\n"});
        if (kind == 4)
            t.up(payload::tls_client_hello(r, payload::tls_client{}, {}))
                .down(payload::tls_server_flight(r, false, false));
    }
};

struct datagram_scan {
    static constexpr std::string_view name = "datagram_scan";
    static constexpr std::string_view about =
        "UDP scans with empty or protocol probes; closed ports answer by ICMP, at a limited rate";
    static constexpr attack_class label = attack_class::scan;
    static constexpr int weight = 6;
    static void emit(stage& s) {
        rng& r = s.random;
        scan_plan plan = scan_plan::draw(s, true);
        const auto source = static_cast<std::uint16_t>(r.between(32768, 65000));
        const bool limited = r.chance(0.6);
        const bool empty = r.chance(0.5);
        plan.run(s, [&](host& target, std::uint16_t port, std::int64_t when, int state) {
            udp_session u{s, {plan.scanner, &target, port, when, source}};
            message m{blob{}, empty ? 0 : r.between(1, 60), body_kind::zeros};
            if (port == 53) m = payload::dns_query(0, "version.bind", 16, false);
            if (port == 161) m = payload::snmp(r, false, 1);
            if (port == 123) m = payload::ntp(r, 3);
            u.up(m);
            if (state == 1 && (!limited || r.chance(0.15)))
                u.unreachable();
            else if (state == 0)
                u.down(message{blob{}, r.between(20, 300)});
            else if (r.chance(0.3))
                u.think(units::second).up(m);
        });
    }
};

struct ping_sweep {
    static constexpr std::string_view name = "ping_sweep";
    static constexpr std::string_view about =
        "host discovery: echo, time stamp and mask requests over a network, fingerprints with odd codes";
    static constexpr attack_class label = attack_class::scan;
    static constexpr int weight = 6;
    static void emit(stage& s) {
        rng& r = s.random;
        scan_plan plan = scan_plan::draw(s, false);
        plan.ports.assign(1, 0);
        const std::uint32_t kind = r.below(3);
        const auto size = static_cast<std::uint32_t>(r.chance(0.4) ? 0 : r.between(8, 120));
        std::uint16_t sequence = 0;
        plan.run(s, [&](host& target, std::uint16_t, std::int64_t when, int state) {
            host* scanner = plan.scanner;
            if (plan.six) target.v4 = {};  // then it is reached over IPv6
            ping(s, *scanner, target, when, ++sequence, {size, state != 2, 7, body_kind::random});
            if (kind == 0 || plan.six || !s.out.claim({scanner->v4, target.v4, 0, 0, ip_protocol::icmp}, s.tag.label))
                return;
            s.wire.icmp(s.tag, when + units::ms, *scanner, target, false, kind == 1 ? 13 : 17, kind == 2 ? 1 : 0, 7,
                        {{}, 12, body_kind::zeros, 12});
            if (state != 2 && kind == 1)
                s.wire.icmp(s.tag, when + 2 * units::ms, target, *scanner, false, 14, 0, 7,
                            {{}, 12, body_kind::zeros, 12});
        });
    }
};

struct host_discovery {
    static constexpr std::string_view name = "host_discovery";
    static constexpr std::string_view about =
        "who is there: an echo, a SYN, an ACK and a time stamp request to every address, or reverse look-ups of all of "
        "them";
    static constexpr attack_class label = attack_class::scan;
    static constexpr int weight = 4;
    static void emit(stage& s) {
        rng& r = s.random;
        scan_plan plan = scan_plan::draw(s, false);
        plan.ports.assign(1, 443);
        plan.six = false;
        if (r.chance(0.25)) return by_name(s, plan);
        const auto source = static_cast<std::uint16_t>(r.between(32768, 65000));
        plan.run(s, [&](host& target, std::uint16_t, std::int64_t when, int state) {
            const bool up = state != 2;
            ping(s, *plan.scanner, target, when, 0, {0, up, 7, body_kind::zeros});
            if (up && r.chance(0.8)) return;  // known by now
            for (const bool acknowledges : {false, true}) {
                tcp_fields f;
                f.source_port = source;
                f.destination_port = acknowledges ? 80 : 443;
                f.seq = r.below(1ULL << 32);
                f.ack = acknowledges ? r.below(1ULL << 32) : 0;
                f.flags = acknowledges ? tcp_flag::ack : tcp_flag::syn;
                f.window = 1024;
                if (!shoot(s, *plan.scanner, target, false, when + 50 * units::us, f) || !up) continue;
                answer(s, target, *plan.scanner, false, when, f,
                       acknowledges ? tcp_flag::rst : tcp_flag::rst | tcp_flag::ack);
            }
            if (s.out.claim({plan.scanner->v4, target.v4, 0, 0, ip_protocol::icmp}, s.tag.label))
                s.wire.icmp(s.tag, when + 100 * units::us, *plan.scanner, target, false, 13, 0, 7,
                            {{}, 12, body_kind::zeros, 12});
        });
    }

private:
    static void by_name(stage& s, scan_plan& plan) {
        plan.run(s, [&](host& target, std::uint16_t, std::int64_t when, int state) {
            lookup_shape shape;
            shape.type = payload::dns_type::ptr;
            shape.reply.code = state == 2 ? 3 : 0;
            look_up(s, *plan.scanner, payload::reverse_name(target.v4.v4_number()), when, shape);
        });
    }
};

struct system_probe {
    static constexpr std::string_view name = "system_probe";
    static constexpr std::string_view about =
        "system fingerprints: odd flags and options at one open and one closed port, echoes with odd codes, a datagram "
        "to a closed port";
    static constexpr attack_class label = attack_class::scan;
    static constexpr int weight = 3;
    static void emit(stage& s) {
        rng& r = s.random;
        const opponents who = opponents::draw(s, 0.4, 0.6);
        repeat(s, {s.some_time(), r.pick_int(1, 8), pace::poisson(r.log_between(100 * units::ms, 20 * units::second))},
               [&](std::int64_t when) { once(s, *who.attacker, s.net.other_local(r, *who.attacker), when); });
    }

private:
    static void once(stage& s, host& from, host& target, std::int64_t when) {
        rng& r = s.random;
        if (&from == &target) return;
        static constexpr std::uint8_t flags[] = {tcp_flag::syn,
                                                 tcp_flag::syn,
                                                 tcp_flag::syn,
                                                 tcp_flag::syn,
                                                 tcp_flag::syn,
                                                 tcp_flag::syn,
                                                 tcp_flag::syn | tcp_flag::ece | tcp_flag::cwr,
                                                 0,
                                                 tcp_flag::syn | tcp_flag::fin | tcp_flag::urg | tcp_flag::psh,
                                                 tcp_flag::ack,
                                                 tcp_flag::syn,
                                                 tcp_flag::ack,
                                                 tcp_flag::fin | tcp_flag::psh | tcp_flag::urg};
        static constexpr std::uint8_t options[] = {3,    3,    10,   1,    2, 4, 5, 0xb4, 8, 10,
                                                   0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0,    4, 2};
        const std::uint16_t open = r.pick(victim_ports);
        const std::uint16_t closed = any_port(r, 30000);
        auto source = static_cast<std::uint16_t>(r.between(33000, 65000));
        int number = 0;
        for (const std::uint8_t f_flags : flags) {
            tcp_fields f;
            f.source_port = source++;
            f.destination_port = number < 10 ? open : closed;
            f.seq = r.below(1ULL << 32);
            f.ack = f_flags & tcp_flag::ack ? r.below(1ULL << 32) : 0;
            f.flags = f_flags;
            f.window = static_cast<std::uint16_t>(1U << (number % 12));
            f.options = {options, sizeof options};
            f.ttl = static_cast<std::uint8_t>(r.between(37, 60));
            if (shoot(s, from, target, false, when, f)) reply(s, from, target, when, f, number < 10);
            when += (number < 6 ? 100 : 25) * units::ms;
            ++number;
        }
        for (const std::uint8_t code : {std::uint8_t{9}, std::uint8_t{0}}) {
            if (!s.out.claim({from.v4, target.v4, 0, 0, ip_protocol::icmp}, s.tag.label)) break;
            const body b{{}, code == 9 ? 120U : 150U, body_kind::zeros, 150};
            s.wire.icmp(s.tag, when, from, target, false, 8, code, source, b);
            s.wire.icmp(s.tag, when + 2 * target.delay_ns + units::us, target, from, false, 0, code, source, b);
            when += 25 * units::ms;
        }
        udp_session u{s, {&from, &target, closed, when, source}};
        u.up(message{blob{}, 300, body_kind::text}).unreachable();
    }
    static void reply(stage& s, host& from, host& target, std::int64_t when, const tcp_fields& f, bool open) {
        const bool opens = open && (f.flags & tcp_flag::syn) != 0 && (f.flags & tcp_flag::fin) == 0;
        if (open && !opens && (f.flags & tcp_flag::ack) == 0) return;
        answer(s, target, from, false, when, f, opens ? tcp_flag::syn | tcp_flag::ack : tcp_flag::rst);
        if (!opens) return;
        tcp_fields away = f;
        away.flags = tcp_flag::rst;
        away.options = {};
        ++away.seq;
        shoot(s, from, target, false, when + 2 * (from.delay_ns + target.delay_ns) + 30 * units::us, away);
    }
};

struct odd_scan {
    static constexpr std::string_view name = "odd_scan";
    static constexpr std::string_view about =
        "rare scans: FTP servers told to knock at another's ports, idle hosts that count, SCTP chunks, every IP "
        "protocol in turn";
    static constexpr attack_class label = attack_class::scan;
    static constexpr int weight = 4;
    static void emit(stage& s) {
        const opponents who = opponents::inside(s);
        if (!who) return;
        switch (s.random.below(4)) {
            case 0: return bounce(s, *who.attacker, *who.victim);
            case 1: return idle(s, *who.attacker, *who.victim);
            case 2: return associations(s);
            default: return protocols(s);
        }
    }

private:
    static void bounce(stage& s, host& scanner, host& server) {
        rng& r = s.random;
        host& target = s.net.other_local(r, server);
        if (&target == &server) return;
        tcp_session t{s, {&scanner, &server, 21, s.some_time()}};
        speak(t.open(), "220 FTP ready\r\n",
              {{"USER anonymous\r\n", "331 password\r\n"}, {"PASS -wwwuser@\r\n", "230 Login successful.\r\n"}});
        for (int port = r.pick_int(1, 1000), n = r.pick_int(30, 600); n > 0 && !t.over(); --n, ++port) {
            blob order{"PORT 10,0,0,1,"};
            t.up(order.number(static_cast<std::uint64_t>(port / 256))
                     .u8(',')
                     .number(static_cast<std::uint64_t>(port % 256))
                     .text("\r\n"))
                .down(blob{"200 PORT command successful.\r\n"});
            t.up(blob{"LIST\r\n"}).down(blob{"150 Here comes the listing.\r\n"});
            tcp_session out{s, {&server, &target, static_cast<std::uint16_t>(port), t.now() + units::ms, 20}};
            if (r.chance(0.9))
                out.refused();
            else
                out.unanswered(1);
            t.think(r.log_between(2 * units::ms, units::second)).down(blob{"425 Failed to establish connection.\r\n"});
        }
    }
    /// An idle host's counter is read, a SYN sent in its name, and its counter read again.
    static void idle(stage& s, host& scanner, host& bystander) {
        rng& r = s.random;
        host& target = s.net.other_local(r, bystander);
        if (&target == &bystander || &target == &scanner) return;
        const pace rhythm = pace::poisson(r.log_between(10 * units::ms, units::second));
        auto port = static_cast<std::uint16_t>(r.pick_int(1, 2000));
        repeat(s, {s.some_time(), r.pick_int(30, 600), rhythm}, [&](std::int64_t when) {
            tcp_fields ask;
            ask.source_port = any_port(r, 33000);
            ask.destination_port = 80;
            ask.seq = r.below(1ULL << 32);
            ask.ack = r.below(1ULL << 32);
            ask.flags = tcp_flag::syn | tcp_flag::ack;
            ask.window = 1024;
            if (shoot(s, scanner, bystander, false, when, ask))
                answer(s, bystander, scanner, false, when, ask, tcp_flag::rst);
            tcp_fields borrowed = ask;
            borrowed.source_port = 80;
            borrowed.destination_port = port++;
            borrowed.flags = tcp_flag::syn;
            borrowed.ack = 0;
            const std::int64_t later = when + 2 * units::ms;
            if (!shoot(s, bystander, target, false, later, borrowed)) return;
            const bool open = r.chance(0.05);
            answer(s, target, bystander, false, later, borrowed,
                   open ? tcp_flag::syn | tcp_flag::ack : tcp_flag::rst | tcp_flag::ack);
        });
    }
    /// SCTP INIT chunks, or COOKIE-ECHO chunks that no open port answers.
    static void associations(stage& s) {
        rng& r = s.random;
        scan_plan plan = scan_plan::draw(s, true);
        const bool echoes = r.chance(0.3);
        const auto source = static_cast<std::uint16_t>(r.between(32768, 65000));
        plan.run(s, [&](host& target, std::uint16_t port, std::int64_t when, int state) {
            host& from = *plan.scanner;
            if (!s.out.claim({from.at(plan.six), target.at(plan.six), source, port, ip_protocol::sctp}, s.tag.label))
                return;
            blob chunk;
            if (echoes)
                chunk.u8(10).u8(0).be16(8).random(r, 4);
            else
                chunk.u8(1).u8(0).be16(20).random(r, 4).be32(32768).be16(10).be16(2048).random(r, 4);
            s.wire.sctp(s.tag, when, from, target, plan.six, source, port, 0, chunk.view());
            if (state == 2 || (echoes && state == 0)) return;
            blob back;
            if (state == 0)
                back.u8(2).u8(0).be16(20).random(r, 4).be32(106496).be16(10).be16(2048).random(r, 4);
            else
                back.u8(6).u8(0).be16(4);
            s.wire.sctp(s.tag, when + 2 * target.delay_ns + 20 * units::us, target, from, plan.six, port, source,
                        static_cast<std::uint32_t>(r.next()), back.view());
        });
    }
    static void protocols(stage& s) {
        rng& r = s.random;
        scan_plan plan = scan_plan::draw(s, false);
        plan.six = false;
        plan.ports.clear();
        plan.targets.resize(std::min<std::size_t>(plan.targets.size(), 4));
        for (std::uint16_t number = 0; number < 256; ++number) {
            const bool known = number == 1 || number == 6 || number == 17 || number == 132 || number == 58 ||
                               number == 4 || number == 41 || number == 44 || number == 47 || number == 0 ||
                               number == 43 || number == 51 || number == 60 || number == 50;
            if (!known) plan.ports.push_back(number);
        }
        plan.run(s, [&](host& target, std::uint16_t number, std::int64_t when, int state) {
            host& from = *plan.scanner;
            const auto protocol = static_cast<ip_protocol>(number);
            if (!s.out.claim({from.v4, target.v4, 0, 0, protocol}, s.tag.label)) return;
            s.wire.other(s.tag, when, from, target, false, protocol, {});
            if (state != 1 || !r.chance(0.3)) return;
            if (!s.out.claim({target.v4, from.v4, 0, 0, ip_protocol::icmp}, s.tag.label)) return;
            blob quoted;
            quoted.u8(0x45).u8(0).be16(20).random(r, 2).be16(0).u8(60).u8(number).be16(0);
            quoted.be32(from.v4.v4_number()).be32(target.v4.v4_number());
            quoted.patch_be16(10, fold(sum_words(quoted.view().data(), 20)));
            s.wire.icmp(s.tag, when + 2 * target.delay_ns + 20 * units::us, target, from, false, 3, 2, 0,
                        {quoted.view(), 20, body_kind::zeros, 0});
        });
    }
};

}  // namespace detail::attack
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
