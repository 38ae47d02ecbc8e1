// SPDX-License-Identifier: MIT
// Scans as nmap, masscan and hand-made tools do them: every TCP technique, UDP, ICMP sweeps and fingerprints, versions,
// from a probe every few seconds to thousands a second, down one host or across a network, IPv4 and IPv6; FTP bounce.
// Targets answer as their hosts would: open, closed, filtered. Listed in scenario.hpp.
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

    [[nodiscard]] static scan_plan draw(stage& s, bool many_ports) {
        rng& r = s.random;
        scan_plan p{};
        const bool inbound = r.chance(0.35);
        p.scanner = inbound ? &s.net.new_outside(r) : &s.net.local(r);
        const bool horizontal = !many_ports || r.chance(0.35);
        const std::int64_t hosts = horizontal ? r.log_between(8, 1000) : r.log_between(1, 6);
        const std::int64_t port_count = horizontal ? r.log_between(1, 5) : r.log_between(15, 2500);
        const bool outwards = !inbound && r.chance(0.25);
        p.six = s.random.chance(s.net.traits.v6_share * 0.5);
        const std::uint32_t base = outwards ? static_cast<std::uint32_t>(s.net.public_v4(r).low) & ~0xffU
                                            : s.net.local_network().base.v4_number();
        const bool random_targets = outwards && r.chance(0.5);
        for (std::int64_t i = 0; i < hosts; ++i) {
            const address a = random_targets ? s.net.public_v4(r)
                              : horizontal   ? address::v4(base + 1 + static_cast<std::uint32_t>(i))
                                             : s.net.local_address(r);
            host* known = s.net.find_local(a);
            if (known == nullptr && !horizontal && i == 0) known = &s.net.other_local(r, *p.scanner);
            host target = known != nullptr ? *known : s.net.nobody(a);
            if (known == nullptr) target.os = &r.pick(tcp_stacks);
            target.has_v6 = p.six;
            if (p.six && target.v6 == address{})
                target.v6 = address{s.net.local_v6_prefix().high, static_cast<std::uint64_t>(i + 1)};
            if (known == nullptr && r.chance(horizontal ? 0.8 : 0.3)) target.bits_per_second = 0;  // nobody home
            if (target.v4 != p.scanner->v4) p.targets.push_back(target);
        }
        if (p.scanner->v6 == address{}) p.six = false;
        if (p.targets.empty()) p.targets.push_back(s.net.nobody(s.net.local_address(r)));
        draw_ports(r, p, port_count);
        const auto probes = static_cast<std::int64_t>(p.targets.size() * p.ports.size());
        p.gap_ns = r.log_between(20 * units::us, 800 * units::ms);
        if (p.gap_ns * probes > 2 * s.span_ns() && r.chance(0.7))
            p.gap_ns = std::max<std::int64_t>(s.span_ns() / probes, 10 * units::us);
        p.start_ns = r.between(s.out.begin_ns() - s.span_ns() / 8, s.out.end_ns() - s.span_ns() / 3);
        p.open_share = r.pick_int(0, 12) * 0.01;
        p.filtered_share = r.chance(0.4) ? r.pick_int(0, 100) * 0.01 : 0.0;
        p.shuffled = r.chance(0.75);
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
        std::int64_t when = start_ns;
        for (const std::uint32_t at : order) {
            if (!s.goes_on(when)) return;
            host& target = targets[at / ports.size()];
            const bool silent = target.bits_per_second == 0 || s.random.chance(filtered_share);
            const int state = silent ? 2 : s.random.chance(open_share) ? 0 : 1;
            once(target, ports[at % ports.size()], when, state);
            when += s.random.chance(0.05) ? s.random.exponential(gap_ns * 6) : s.random.around(gap_ns, 60);
        }
    }

private:
    static void draw_ports(rng& r, scan_plan& p, std::int64_t count) {
        static constexpr std::uint16_t usual[] = {21,   22,   23,   25,   53,   80,    110,  111,  135,  139,
                                                  143,  443,  445,  993,  1433, 1723,  3306, 3389, 5432, 5900,
                                                  5985, 6379, 8080, 8443, 9200, 27017, 161,  2222, 8000, 8888};
        if (count <= 30) {
            const std::uint32_t first = r.below(std::size(usual));
            for (std::int64_t i = 0; i < count; ++i)
                p.ports.push_back(usual[(first + static_cast<std::size_t>(i)) % std::size(usual)]);
            return;
        }
        const bool low = r.chance(0.5);
        const auto first = static_cast<std::uint16_t>(low ? 1 : r.between(1, 40000));
        for (std::int64_t i = 0; i < count; ++i) p.ports.push_back(static_cast<std::uint16_t>(first + i));
    }
};

struct tcp_scan {
    static constexpr std::string_view name = "tcp_scan";
    static constexpr std::string_view about =
        "SYN, FIN, NULL, XMAS, ACK, window and Maimon scans; vertical and horizontal, T2 to masscan speed";
    static constexpr attack_class label = attack_class::scan;
    static constexpr int weight = 16;
    static void emit(stage& s) {
        rng& r = s.random;
        scan_plan plan = scan_plan::draw(s, true);
        static constexpr std::uint8_t techniques[] = {tcp_flag::syn,
                                                      tcp_flag::syn,
                                                      tcp_flag::syn,
                                                      tcp_flag::syn,
                                                      tcp_flag::fin,
                                                      0,
                                                      tcp_flag::fin | tcp_flag::psh | tcp_flag::urg,
                                                      tcp_flag::ack,
                                                      tcp_flag::fin | tcp_flag::ack};
        const std::uint8_t flags = r.pick(techniques);
        const auto source = static_cast<std::uint16_t>(r.between(32768, 65000));
        const std::uint32_t sources = r.below(3);  // one port, two, any
        static constexpr std::uint16_t windows[] = {1024, 2048, 3072, 4096, 64240, 29200, 65535, 0};
        const std::uint16_t window = r.pick(windows);
        const bool with_mss = r.chance(0.7);
        const int retries = r.pick_int(0, 2);
        const bool drops = r.chance(0.2);  // leaves half-open connections alone
        plan.run(s, [&](host& target, std::uint16_t port, std::int64_t when, int state) {
            tcp_fields f;
            f.source_port = sources == 0   ? source
                            : sources == 1 ? static_cast<std::uint16_t>(source + r.below(2))
                                           : static_cast<std::uint16_t>(r.between(1024, 65000));
            f.destination_port = port;
            f.seq = r.below(1ULL << 32);
            f.flags = flags;
            f.ack = flags & tcp_flag::ack ? r.below(1ULL << 32) : 0;
            f.window = window;
            static constexpr std::uint8_t mss_option[] = {2, 4, 5, 0xb4};
            if (with_mss && flags == tcp_flag::syn) f.options = {mss_option, 4};
            if (!shoot(s, *plan.scanner, target, plan.six, when, f)) return;
            const bool odd = flags == tcp_flag::fin || flags == 0 || (flags & tcp_flag::urg) != 0;
            if (state == 2 || (odd && state == 0)) {
                if (retries > 0 && target.bits_per_second != 0)
                    shoot(s, *plan.scanner, target, plan.six, when + r.around(units::second, 5), f);
                return;
            }
            if (flags != tcp_flag::syn || state == 1) {
                answer(s, target, *plan.scanner, plan.six, when, f,
                       flags & tcp_flag::ack ? tcp_flag::rst : tcp_flag::rst | tcp_flag::ack);
                return;
            }
            answer(s, target, *plan.scanner, plan.six, when, f, tcp_flag::syn | tcp_flag::ack);
            if (drops) return;
            f.flags = tcp_flag::rst;
            ++f.seq;
            f.window = 0;
            f.options = {};
            shoot(s, *plan.scanner, target, plan.six,
                  when + 2 * (target.delay_ns + plan.scanner->delay_ns) + 40 * units::us, f);
        });
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
            ping(s, *scanner, target, when, ++sequence, {size, state != 2, 7, body_kind::random});
            if (kind == 0 || !s.out.claim({scanner->v4, target.v4, 0, 0, ip_protocol::icmp}, s.tag.label)) return;
            s.wire.icmp(s.tag, when + units::ms, *scanner, target, false, kind == 1 ? 13 : 17, kind == 2 ? 1 : 0, 7,
                        {{}, 12, body_kind::zeros, 12});
            if (state != 2 && kind == 1)
                s.wire.icmp(s.tag, when + 2 * units::ms, target, *scanner, false, 14, 0, 7,
                            {{}, 12, body_kind::zeros, 12});
        });
    }
};

struct odd_scan {
    static constexpr std::string_view name = "odd_scan";
    static constexpr std::string_view about =
        "FTP bounce scans: a server is told to knock at another host's ports, one after the other";
    static constexpr attack_class label = attack_class::scan;
    static constexpr int weight = 2;
    static void emit(stage& s) {
        rng& r = s.random;
        host& scanner = s.net.local(r);
        host& server = s.net.other_local(r, scanner);
        host& target = s.net.other_local(r, server);
        if (&scanner == &server || &target == &server) return;
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
};

}  // namespace detail::attack
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
