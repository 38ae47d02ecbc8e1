// SPDX-License-Identifier: MIT
// What networks say by themselves: name look-ups of every kind, time, addresses, announcements, monitoring, telemetry,
// industrial control, and the odd ends every capture has (closed ports retried, single flows, connections without a
// beginning). Regular periods, sweeps that are polls, long names and failures that are no attack. Listed in
// scenario.hpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <mldefender/forge/synth/behaviour.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace detail::benign {

struct name_noise {
    static constexpr std::string_view name = "name_noise";
    static constexpr std::string_view about =
        "look-ups without a visit: content networks, reverse names, services, search-list misses, look-alike hashes of "
        "virus scanners";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 16;
    static void emit(stage& s) {
        host& asker = s.net.local(s.random);
        const std::uint32_t kind = s.random.below(6);
        const std::int64_t gap = s.random.log_between(30 * units::ms, 20 * units::second);
        int left = s.scaled(s.random.log_between(3, 300));
        const std::string suffix = kind == 1 ? s.net.domain_name() : s.net.site(s.random);
        detail::now_and_then(s, gap, [&](std::int64_t when) {
            if (left-- <= 0) return;
            lookup_shape shape;
            shape.both_families = s.random.chance(0.3);
            shape.reply.aliases = s.random.chance(0.4);
            shape.answered = !s.random.chance(0.02);
            look_up(s, asker, make(s, kind, suffix, shape), when, shape);
        });
    }

private:
    static std::string make(stage& s, std::uint32_t kind, const std::string& suffix, lookup_shape& shape) {
        rng& r = s.random;
        blob b;
        switch (kind) {
            case 0: return s.net.cdn_name(r);
            case 1:  // a short name tried with the search list: does not exist
                shape.reply.code = r.chance(0.8) ? 3 : 0;
                return world::word(r) + "." + suffix;
            case 2:
                shape.type = payload::dns_type::ptr;
                shape.both_families = false;
                shape.reply.code = r.chance(0.5) ? 3 : 0;
                return payload::reverse_name(static_cast<std::uint32_t>(s.net.public_v4(r).low));
            case 3: {  // reputation services carry hashes in names
                const std::int64_t length = r.between(16, 48);
                b.random_text(r, static_cast<std::size_t>(length), r.chance(0.5) ? hex_digits : lower_digits)
                    .text(".r.")
                    .text(suffix);
                shape.type = r.chance(0.3) ? payload::dns_type::txt : payload::dns_type::a;
                shape.reply.code = r.chance(0.2) ? 3 : 0;
                return std::string{b.characters()};
            }
            case 4: {
                static constexpr std::uint16_t types[] = {1, 2, 5, 6, 15, 16, 28, 33, 65, 1, 28};
                shape.type = r.pick(types);
                return s.net.site(r);
            }
            default:  // a browser probing for wild cards, a dead name retried
                shape.reply.code = r.chance(0.15) ? 2 : r.chance(0.3) ? 3 : 0;
                return r.chance(0.2) ? world::word(r) : world::domain_word(r);
        }
    }
};

struct recursive_resolver {
    static constexpr std::string_view name = "recursive_resolver";
    static constexpr std::string_view about =
        "a resolver of one's own asking many name servers, some slow, some silent";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 4;
    static void emit(stage& s) {
        host& resolver = s.net.server(s.random);
        detail::now_and_then(s, s.random.log_between(20 * units::ms, 3 * units::second), [&](std::int64_t when) {
            lookup_shape shape;
            shape.server = s.random.chance(0.5) ? &s.net.outside(s.random) : &s.net.new_outside(s.random);
            shape.answered = !s.random.chance(0.05);
            shape.reply.code = s.random.chance(0.1) ? 3 : 0;
            const std::string site = s.random.chance(0.5) ? s.net.site(s.random) : s.net.cdn_name(s.random);
            look_up(s, resolver, site, when, shape);
        });
    }
};

struct time_sync {
    static constexpr std::string_view name = "time_sync";
    static constexpr std::string_view about = "NTP of clients and pools";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 10;
    static void emit(stage& s) {
        host& machine = s.net.local(s.random);
        const bool fixed = s.random.chance(0.5);
        const int servers = s.random.pick_int(1, 5);
        const int version = s.random.pick_int(2, 4);
        for (int i = 0; i < servers; ++i) {
            host& server = s.random.chance(0.8) ? s.net.outside(s.random) : s.net.server(s.random);
            if (&server == &machine) continue;
            detail::regularly(s, s.random.log_between(16, 1024) * units::second, 5, [&](std::int64_t when) {
                udp_session u{s, {&machine, &server, 123, when, fixed ? std::uint16_t{123} : std::uint16_t{0}}};
                u.up(payload::ntp(s.random, 3, version));
                if (s.random.chance(0.95)) u.down(payload::ntp(s.random, 4, version));
            });
        }
    }
};

struct neighbourhood {
    static constexpr std::string_view name = "neighbourhood";
    static constexpr std::string_view about =
        "DHCP, mDNS, SSDP, LLMNR, NetBIOS and neighbour discovery: announcements to everybody";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 16;
    static void emit(stage& s) {
        const int devices = s.random.pick_int(1, 12);
        for (int i = 0; i < devices; ++i) device(s, s.net.local(s.random));
    }

private:
    static host group(std::uint32_t v4, std::uint64_t v6_low) {
        host h;
        h.v4 = address::v4(v4);
        h.v6 = address{0xff02'0000'0000'0000ULL, v6_low};
        h.has_v6 = true;
        h.mac = v4 == 0xffffffffU ? std::array<std::uint8_t, 6>{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
                                  : std::array<std::uint8_t, 6>{0x01,
                                                                0,
                                                                0x5e,
                                                                static_cast<std::uint8_t>((v4 >> 16) & 0x7f),
                                                                static_cast<std::uint8_t>(v4 >> 8),
                                                                static_cast<std::uint8_t>(v4)};
        return h;
    }
    static void say(stage& s, host& from, host to, std::uint16_t port, std::uint16_t own, std::int64_t when,
                    const message& m) {
        udp_session{s, {&from, &to, port, when, own}}.up(m);
    }
    static void device(stage& s, host& d) {
        rng& r = s.random;
        const std::uint32_t does = r.below(128);
        const std::int64_t gap = r.log_between(4 * units::second, 120 * units::second);
        if (does & 1U) {
            detail::now_and_then(s, gap, [&](std::int64_t when) {
                blob b = payload::llmnr_like_flags(0);
                payload::dns_name(b, r.chance(0.5) ? "_services._dns-sd._udp.local" : d.name + ".local");
                const bool announces = r.chance(0.4);
                const message m{announces ? payload::mdns_announcement(r, d.name, d.v4) : b.be16(12).be16(1)};
                for (int n = announces ? r.pick_int(1, 3) : 1; n > 0; --n, when += units::second)
                    say(s, d, group(0xe00000fbU, 0xfb), 5353, 5353, when, m);
            });
        }
        if (does & 2U) {
            const bool search = r.chance(0.5);
            detail::now_and_then(s, gap, [&](std::int64_t when) {
                for (int n = r.pick_int(1, 5); n > 0; --n, when += r.log_between(units::ms, units::second)) {
                    say(s, d, group(0xeffffffaU, 0xc), 1900, search ? std::uint16_t{0} : std::uint16_t{1900}, when,
                        payload::ssdp(search, "upnp:rootdevice"));
                }
            });
        }
        if (does & 4U) {
            host llmnr = group(0xe00000fcU, 0x10003);
            detail::now_and_then(s, gap, [&](std::int64_t when) {
                blob b = payload::llmnr_like_flags(static_cast<std::uint16_t>(r.next()));
                payload::dns_name(b, world::word(r));
                const message m{b.be16(1).be16(1)};
                udp_session u{s, {&d, &llmnr, 5355, when}};
                u.up(m);
                if (r.chance(0.2)) return answer_name(s, d, u, b, when);
                u.think(100 * units::ms).up(m);
            });
        }
        if (does & 8U) {
            const std::uint32_t bits = 32U - s.net.local_network().prefix;
            host everyone = group(0xffffffffU, 1);
            everyone.v4 = address::v4(s.net.local_network().base.v4_number() | ((1U << bits) - 1));
            everyone.has_v6 = false;
            detail::now_and_then(s, gap, [&](std::int64_t when) {
                const bool query = r.chance(0.6);
                const std::uint16_t port = query ? std::uint16_t{137} : std::uint16_t{138};
                const std::string wanted = world::word(r);
                for (int n = query ? r.pick_int(1, 3) : 1; n > 0; --n, when += 750 * units::ms) {
                    say(s, d, everyone, port, port, when,
                        query ? payload::netbios_query(r, wanted)
                              : payload::netbios_datagram(r, d.v4.v4_number(), d.name, "WORKGROUP"));
                }
            });
        }
        if (does & 16U) lease(s, d);
        if (does & 64U) local_services(s, d, gap);
        if ((does & 32U) && d.has_v6) {
            detail::now_and_then(s, gap, [&](std::int64_t when) {
                host to = group(0, 0x1'ff00'0000ULL | (r.next() & 0xffffffU));
                to.v4 = {};
                blob b;
                b.be64(d.v6.high).be64(d.v6.low ^ r.below(256));
                if (s.out.claim({d.v6, to.v6, 0, 0, ip_protocol::icmpv6}, s.tag.label)) {
                    b.u8(1).u8(1).raw({d.mac.data(), 6});
                    s.wire.icmp(s.tag, when, d, to, true, 135, 0, 0, {b.view(), 24, body_kind::zeros, 64});
                }
            });
        }
    }
    /// The neighbour whose name it is answers alone, from the group's port to the asker's.
    static void answer_name(stage& s, host& d, udp_session& u, const blob& question, std::int64_t when) {
        rng& r = s.random;
        host& owner = s.net.other_local(r, d);
        if (&owner == &d) return;
        blob b{question.characters()};
        b.patch_be16(2, 0x8000);
        b.patch_be16(6, 1);
        b.be16(0xc00c).be16(1).be16(1).be32(30).be16(4).be32(owner.v4.v4_number());
        udp_session back{s, {&owner, &d, u.client_port(), when + r.log_between(units::ms, 100 * units::ms), 5355}};
        back.up(b);
    }
    /// Devices looking for each other (WS-Discovery) and programs telling their peers they are there.
    static void local_services(stage& s, host& d, std::int64_t gap) {
        rng& r = s.random;
        const bool discovers = r.chance(0.5);
        host everyone = group(0xffffffffU, 1);
        everyone.has_v6 = false;
        static constexpr std::uint16_t ports[] = {17500, 57621, 32412, 22222, 6667, 10001};
        const std::uint16_t port = r.pick(ports);
        blob beacon{"{\"host\": "};
        const message m{beacon.text(d.name), r.between(40, 250), body_kind::text};
        detail::now_and_then(s, gap, [&](std::int64_t when) {
            if (discovers)
                say(s, d, group(0xeffffffaU, 0xc), 3702, 0, when, payload::ws_discovery(r));
            else
                say(s, d, everyone, port, port, when, m);
        });
    }
    static void lease(stage& s, host& d) {
        rng& r = s.random;
        host unset = d;
        unset.v4 = address::v4(0);
        unset.has_v6 = false;
        const std::int64_t when = s.some_time();
        const host everyone = group(0xffffffffU, 1);
        const bool renew = r.chance(0.5);
        if (renew) {
            udp_session u{s, {&d, &s.net.gateway(), 67, when, 68}};
            if (&d != &s.net.gateway())
                u.up(payload::dhcp(r, 3, d.mac, d.name)).down(payload::dhcp(r, 5, d.mac, d.name));
            return;
        }
        say(s, unset, everyone, 67, 68, when, payload::dhcp(r, 1, d.mac, d.name));
        udp_session answer{s, {&s.net.gateway(), &d, 68, when + r.log_between(units::ms, units::second), 67}};
        answer.up(payload::dhcp(r, 2, d.mac, d.name));
        say(s, unset, everyone, 67, 68, answer.now() + 2 * units::ms, payload::dhcp(r, 3, d.mac, d.name));
        answer.think(4 * units::ms).up(payload::dhcp(r, 5, d.mac, d.name));
    }
};

struct monitoring {
    static constexpr std::string_view name = "monitoring";
    static constexpr std::string_view about =
        "a monitoring server polling its 3 to 50 hosts by ping, SNMP, HTTP or TCP connect, period after period, some "
        "of them down";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 8;
    static void emit(stage& s) {
        host& monitor = s.net.local(s.random);
        std::vector<host> targets;
        for (int n = s.random.pick_int(3, 50); n > 0; --n) {
            const bool ours = s.random.chance(0.8);
            if (!ours) {
                targets.push_back(s.net.outside(s.random));
                continue;
            }
            host& known = s.net.other_local(s.random, monitor);
            host target = known;
            if (s.random.chance(0.5)) target = s.net.nobody(s.net.local_address(s.random));
            if (target.v4 != monitor.v4) targets.push_back(target);
        }
        const std::uint32_t kind = s.random.below(4);
        const std::int64_t period = s.random.log_between(5 * units::second, 60 * units::second);
        const std::int64_t spread = s.random.chance(0.5) ? period / 2 : 200 * units::ms;
        static constexpr std::uint16_t ports[] = {80, 443, 22, 9100, 3306, 8080, 25};
        const std::uint16_t port = s.random.pick(ports);
        std::uint16_t sequence = 0;
        std::vector<bool> down;
        for (std::size_t i = 0; i < targets.size(); ++i) down.push_back(s.random.chance(0.06));
        detail::regularly(s, period, 2, [&](std::int64_t when) {
            ++sequence;
            for (std::size_t i = 0; i < targets.size() && !s.out.full(); ++i) {
                const std::int64_t at =
                    when + static_cast<std::int64_t>(i) * (spread / static_cast<std::int64_t>(targets.size()));
                poll(s, monitor, targets[i], at, kind, port, sequence, down[i]);
            }
        });
    }

private:
    static void poll(stage& s, host& monitor, host& target, std::int64_t when, std::uint32_t kind, std::uint16_t port,
                     std::uint16_t sequence, bool down) {
        if (kind == 0) {
            ping(s, monitor, target, when, sequence,
                 {56, !down, static_cast<std::uint16_t>(target.v4.low), body_kind::text});
        } else if (kind == 1) {
            udp_session u{s, {&monitor, &target, 161, when}};
            for (int n = s.random.pick_int(1, 4); n > 0; --n) {
                const auto values = static_cast<std::size_t>(s.random.pick_int(1, 12));
                u.up(payload::snmp(s.random, false, values));
                if (down) return;
                u.down(payload::snmp(s.random, true, values));
            }
        } else {
            tcp_session t{s, {&monitor, &target, port, when}};
            if (down) return s.random.chance(0.5) ? t.refused() : t.unanswered(1);
            t.open();
            if (kind == 2)
                t.up(payload::http_ask(s.random,
                                       {.path = "/health", .host = target.name, .agent = "check", .keep_alive = false}))
                    .down(payload::http_reply(s.random, 200, s.random.between(2, 9000)));
            t.end();
        }
    }
};

struct telemetry {
    static constexpr std::string_view name = "telemetry";
    static constexpr std::string_view about =
        "devices reporting home by MQTT, TLS, HTTP or bare datagrams, each with its own beat for hours";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 14;
    static void emit(stage& s) {
        host& device = s.net.local(s.random);
        host& cloud = s.random.chance(0.8) ? s.net.outside(s.random) : s.net.server(s.random);
        if (&device == &cloud) return;
        const std::int64_t period = s.random.log_between(500 * units::ms, 300 * units::second);
        const int jitter = s.random.pick_int(0, 30);
        const std::string topic = world::word(s.random) + "/" + device.name;
        const std::uint32_t kind = s.random.below(5);
        if (kind == 0) {
            tcp_session t{s, {&device, &cloud, 1883, s.out.begin_ns() - period / 2}};
            t.open().up(payload::mqtt(1, device.name, 0, s.random)).down(payload::mqtt(2, {}, 0, s.random));
            while (!t.over()) {
                const bool alive = s.random.chance(0.3);
                if (alive)
                    t.up(payload::mqtt(12, {}, 0, s.random)).down(payload::mqtt(13, {}, 0, s.random));
                else
                    t.up(payload::mqtt(3, topic, static_cast<std::size_t>(s.random.between(4, 300)), s.random));
                t.think(s.random.around(period, jitter));
            }
        } else if (kind == 1 || kind == 2) {
            const auto hello = payload::tls_client::draw(s.random);
            const std::string site = s.net.site(s.random);
            static constexpr std::uint16_t ports[] = {443, 443, 8883, 8443, 8886};
            const std::uint16_t port = s.random.pick(ports);
            const auto size = s.random.log_between(60, 3000);
            if (kind == 1) {
                const auto beats = static_cast<int>(std::min<std::int64_t>(s.span_ns() / period + 2, 600));
                tls_talk(s, {&device, &cloud, port, s.out.begin_ns() - period / 2}, hello, site,
                         {beats, size, 60, 0.2, period});
            } else {
                detail::regularly(s, std::max<std::int64_t>(period, 2 * units::second), jitter, [&](std::int64_t when) {
                    if (s.random.chance(0.4)) when = look_up_site(s, device, site, when);
                    tls_talk(s, {&device, &cloud, port, when}, hello, site, {1, size, 200, 0.2, units::second, true});
                });
            }
        } else if (kind == 3) {
            const auto port = static_cast<std::uint16_t>(s.random.between(1024, 60000));
            udp_session u{s, {&device, &cloud, port, s.out.begin_ns()}};
            const auto size = s.random.log_between(12, 500);
            const bool answered = s.random.chance(0.6);
            detail::regularly(s, std::max<std::int64_t>(period, 20 * units::ms), jitter, [&](std::int64_t when) {
                u.at(way::up, when, message{blob{}, s.random.around(size, 20)});
                if (answered)
                    u.at(way::down, when + 2 * cloud.delay_ns + units::us, message{blob{}, s.random.around(size, 20)});
            });
        } else {
            detail::regularly(s, std::max<std::int64_t>(period, units::second), jitter, [&](std::int64_t when) {
                tcp_session t{s,
                              {&device, &cloud, s.random.chance(0.8) ? std::uint16_t{80} : std::uint16_t{8080}, when}};
                t.open().up(payload::http_ask(s.random, {.method = "POST",
                                                         .path = "/v1/data",
                                                         .host = "iot",
                                                         .agent = "esp",
                                                         .body = s.random.between(20, 600),
                                                         .keep_alive = false}));
                t.down(payload::http_reply(s.random, 200, 2)).end();
            });
        }
    }
};

struct failures {
    static constexpr std::string_view name = "failures";
    static constexpr std::string_view about =
        "programs retrying what is down: closed ports, hosts that are gone, a service that moved";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 8;
    static void emit(stage& s) {
        host& client = s.net.local(s.random);
        host gone = s.random.chance(0.5) ? s.net.nobody(s.net.local_address(s.random)) : s.net.outside(s.random);
        if (gone.v4 == client.v4) return;
        static constexpr std::uint16_t ports[] = {80, 443, 445, 8080, 9100, 3306, 5432,
                                                  22, 25,  161, 1433, 3389, 7680, 5000};
        const std::uint16_t port = s.random.pick(ports);
        const bool refused = s.random.chance(0.5);
        const std::int64_t gap = s.random.log_between(units::second, 60 * units::second);
        int left = s.random.pick_int(1, 60);
        detail::now_and_then(s, gap, [&](std::int64_t when) {
            if (left-- <= 0) return;
            tcp_session t{s, {&client, &gone, port, when}};
            refused ? t.refused(s.random.pick_int(1, 3)) : t.unanswered();
        });
    }
};

struct trace_route {
    static constexpr std::string_view name = "trace_route";
    static constexpr std::string_view about = "pings and trace routes of people and programs looking for a fault";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 4;
    static void emit(stage& s) {
        host& user = s.net.local(s.random);
        host& target = s.random.chance(0.7) ? s.net.outside(s.random) : s.net.other_local(s.random, user);
        if (&user == &target) return;
        const std::int64_t start = s.some_time();
        const auto identifier = static_cast<std::uint16_t>(s.random.next());
        if (s.random.chance(0.6)) {
            const auto size = static_cast<std::uint32_t>(s.random.chance(0.7) ? (s.random.chance(0.5) ? 56 : 32)
                                                                              : s.random.between(8, 1400));
            const bool answered = s.random.chance(0.9);
            const int count = s.random.pick_int(1, 120);
            for (int i = 0; i < count; ++i) {
                ping(s, user, target, start + i * units::second, static_cast<std::uint16_t>(i),
                     {size, answered, identifier, body_kind::text});
            }
            return;
        }
        const int hops = s.random.pick_int(4, 18);
        std::uint16_t port = 33434;
        std::int64_t when = start;
        for (int hop = 1; hop <= hops; ++hop) {
            host& router = s.net.new_outside(s.random);
            for (int probe = 0; probe < 3; ++probe, ++port, when += s.random.log_between(units::ms, 200 * units::ms)) {
                udp_session u{s, {&user, &target, port, when}};
                u.up(message{blob{}, 32, body_kind::zeros});
                if (s.random.chance(0.3) || !s.out.claim({router.v4, user.v4, 0, 0, ip_protocol::icmp}, s.tag.label))
                    continue;
                s.wire.icmp(s.tag, when + 2 * router.delay_ns, router, user, false, 11, 0, 0,
                            {{}, 28, body_kind::zeros, 64});
            }
        }
    }
};

struct odd_ends {
    static constexpr std::string_view name = "odd_ends";
    static constexpr std::string_view about =
        "pieces of unknown conversations: no beginning, no end, one packet, one direction, any port";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 14;
    static void emit(stage& s) {
        host& user = s.net.local(s.random);
        for (int n = s.random.pick_int(1, 5); n > 0; --n) {
            host& peer = s.random.chance(0.75) ? s.net.outside(s.random) : s.net.other_local(s.random, user);
            if (&peer == &user) continue;
            const auto port = static_cast<std::uint16_t>(s.random.chance(0.4) ? 443 : s.random.log_between(20, 65000));
            if (s.random.chance(0.3))
                datagrams(s, user, peer, port);
            else
                segments(s, user, peer, port);
        }
    }

private:
    static void datagrams(stage& s, host& user, host& peer, std::uint16_t port) {
        udp_session u{s, {&user, &peer, port, s.some_time()}};
        const std::int64_t size = s.random.log_between(1, 1400);
        for (int n = static_cast<int>(s.random.log_between(1, 200)); n > 0 && !u.over(); --n) {
            u.up(message{blob{}, s.random.around(size, 30)});
            if (s.random.chance(0.5)) u.down(message{blob{}, s.random.log_between(1, 1400)});
            u.think(s.random.log_between(100 * units::us, 5 * units::second));
        }
    }
    static void segments(stage& s, host& user, host& peer, std::uint16_t port) {
        const bool inbound = s.random.chance(0.2);
        tcp_session t{s, {inbound ? &peer : &user, inbound ? &user : &peer, port, s.some_time()}};
        s.random.chance(0.4) ? t.open() : t.midway();
        const std::uint32_t kind = s.random.below(6);
        const std::int64_t up = s.random.log_between(1, 3000);
        const std::int64_t down = s.random.log_between(1, 20'000);
        const std::int64_t pause = s.random.log_between(units::ms, 10 * units::second);
        const body_kind looks = s.random.chance(0.5) ? body_kind::random : body_kind::text;
        for (int n = static_cast<int>(s.random.log_between(1, 80)); n > 0 && !t.over(); --n) {
            if (kind == 0) t.keep_alive();
            if (kind != 1) t.up(message{blob{}, std::min<std::int64_t>(s.random.lognormal(up, 0.7), 60'000), looks});
            if (kind != 2)
                t.down(message{blob{}, std::min<std::int64_t>(s.random.lognormal(down, 0.7), 200'000), looks});
            t.think(s.random.exponential(pause));
        }
        t.end();
    }
};

}  // namespace detail::benign
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
