// SPDX-License-Identifier: MIT
// Machines among themselves: services calling services over HTTP/2, network file systems, backups at night, an
// inventory that visits every machine as policy allows, new devices being set up, rooms where people chat. Fan-out,
// bulk uploads, refused ports and long idle connections that are no attack. Listed in scenario.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include <mldefender/forge/synth/benign_web.hpp>
#include <mldefender/forge/synth/payload_machines.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace detail::benign {

struct service_calls {
    static constexpr std::string_view name = "service_calls";
    static constexpr std::string_view about =
        "services calling services over HTTP/2 in clear: few connections for hours, many small calls at once, pings";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 5;
    static void emit(stage& s) {
        rng& r = s.random;
        host& caller = s.net.server(r);
        static constexpr std::uint16_t ports[] = {50051, 8080, 9090, 6565, 8500, 2379, 20880};
        for (int services = r.pick_int(1, 6); services > 0; --services) {
            host& service = s.net.other_local(r, caller);
            if (&service == &caller) return;
            tcp_session t{s, {&caller, &service, r.pick(ports), s.some_time()}};
            t.open().up(payload::http2_preface()).down(payload::http2_settings());
            blob path{"/"};
            path.text(world::word(r)).u8('.').text(world::word(r)).u8('/').text(world::word(r));
            const std::int64_t gap = r.log_between(5 * units::ms, 10 * units::second);
            const std::int64_t size = r.log_between(8, 4000);
            std::uint32_t stream = 1;
            for (int n = r.pick_int(10, 600); n > 0 && !t.over(); --n) {
                for (int at_once = r.chance(0.8) ? 1 : r.pick_int(2, 8); at_once > 0; --at_once, stream += 2) {
                    t.up(payload::http2_call(stream, path.characters(), service.name, r.lognormal(size, 0.8)));
                    t.think(r.log_between(200 * units::us, 80 * units::ms));
                    t.down(payload::http2_reply(r, stream, r.lognormal(size * 2, 1.0)));
                }
                if (r.chance(0.05)) t.up(payload::http2_ping(r)).down(payload::http2_ping(r));
                t.think(r.exponential(gap));
            }
            t.end();
        }
    }
};

struct network_files {
    static constexpr std::string_view name = "network_files";
    static constexpr std::string_view about =
        "NFS: the port mapper asked, then attributes and blocks of many files read and written on one connection";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 5;
    static void emit(stage& s) {
        rng& r = s.random;
        host& server = s.net.server(r);
        host& client = s.net.other_local(r, server);
        if (&client == &server) return;
        auto call = static_cast<std::uint32_t>(r.next());
        std::int64_t when = s.some_time();
        if (r.chance(0.6)) {
            udp_session map{s, {&client, &server, 111, when}};
            map.up(payload::rpc_port_question(call)).down(payload::rpc_port_answer(call));
            when = map.now();
        }
        tcp_session t{s,
                      {&client, &server, 2049, when,
                       r.chance(0.5) ? static_cast<std::uint16_t>(r.pick_int(665, 1023)) : std::uint16_t{0}}};
        r.chance(0.6) ? t.open() : t.midway();
        const double writes = r.pick_int(0, 100) * 0.01;
        const std::int64_t size = r.log_between(500, 60'000);
        const std::int64_t pause = r.log_between(50 * units::us, 2 * units::second);
        for (int n = s.scaled(r.log_between(10, 500)); n > 0 && !t.over(); --n) {
            ++call;
            t.up(payload::nfs_call(r, call, 1, 0)).down(payload::nfs_attributes(r, call));
            const std::int64_t length = std::min<std::int64_t>(r.pareto(size / 4 + 100, 1.1, 250'000), 250'000);
            if (r.chance(0.4)) {
                const bool write = r.chance(writes);
                ++call;
                t.up(payload::nfs_call(r, call, write ? 7U : 6U, length));
                t.think(r.log_between(30 * units::us, 12 * units::ms));
                t.down(write ? payload::nfs_written(r, call, length) : payload::nfs_read(call, length));
            }
            t.think(r.exponential(pause));
        }
        t.end();
    }
};

struct backup {
    static constexpr std::string_view name = "backup";
    static constexpr std::string_view about =
        "backups, mostly at night: machine after machine sends its files to a store by SMB, SSH or a protocol of its "
        "own, to the same place every time";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 6;
    static constexpr busy_hours hours = busy_hours::night;
    static void emit(stage& s) {
        rng& r = s.random;
        host& store = r.chance(0.75) ? s.net.server(r) : s.net.outside(r);
        const std::uint32_t kind = store.local ? r.below(3) : 1 + r.below(2);
        static constexpr std::uint16_t own[] = {9103, 10000, 1500, 8400, 13782, 9392, 6262};
        const std::uint16_t port = r.pick(own);
        const std::int64_t total = r.pareto(200'000, 0.6, 6'000'000);
        std::int64_t when = s.some_time();
        for (int machines = r.pick_int(1, 6); machines > 0 && s.goes_on(when); --machines) {
            host& machine = s.net.local(r);
            if (&machine == &store) continue;
            when = kind == 0   ? over_smb(s, machine, store, total, when)
                   : kind == 1 ? over_ssh(s, machine, store, total, when)
                               : own_way(s, machine, store, port, total, when);
            when += r.log_between(100 * units::ms, 30 * units::second);
        }
    }

private:
    static std::int64_t over_smb(stage& s, host& machine, host& store, std::int64_t total, std::int64_t when) {
        rng& r = s.random;
        tcp_session t{s, {&machine, &store, 445, when}};
        smb_client smb{s, t.open()};
        smb.log_in("backup", true, r.chance(0.5));
        smb.connect_tree("backup");
        for (std::int64_t left = total; left > 0 && !t.over();) {
            const std::int64_t size = std::min(r.lognormal(40'000, 1.4), left);
            smb.create(world::word(r) + ".bak", true);
            for (std::int64_t part = size; part > 0; part -= 65'536) smb.write(std::min<std::int64_t>(part, 65'536));
            if (r.chance(0.3)) smb.set_info(10, world::word(r) + ".bak");
            smb.close();
            left -= size + 1;
        }
        smb.log_off();
        t.end();
        return t.now();
    }
    static std::int64_t over_ssh(stage& s, host& machine, host& store, std::int64_t total, std::int64_t when) {
        rng& r = s.random;
        tcp_session t{s, {&machine, &store, 22, when}};
        start_ssh(s, t.open(), payload::ssh_clients[0], payload::ssh_clients[1]);
        t.up(message{blob{}, r.between(200, 700)}).down(message{blob{}, 28});  // its key is known
        for (std::int64_t left = total; left > 0 && !t.over(); left -= 120'000) {
            t.up(message{blob{}, std::min<std::int64_t>(left + 36, 120'000)}).down(message{blob{}, 36});
            if (r.chance(0.2)) t.think(r.log_between(units::ms, 2 * units::second));
        }
        t.end();
        return t.now();
    }
    static std::int64_t own_way(stage& s, host& machine, host& store, std::uint16_t port, std::int64_t total,
                                std::int64_t when) {
        rng& r = s.random;
        tcp_session t{s, {&machine, &store, port, when}};
        t.open()
            .up(message{blob{"Hello "}.text(machine.name), 80})
            .down(message{blob{"1000 OK "}, 60, body_kind::text});
        for (std::int64_t left = total; left > 0 && !t.over(); left -= 262'144) {
            t.up(message{blob{}.be32(65'536), std::min<std::int64_t>(left + 8, 262'144)});
            t.think(r.log_between(units::ms, 300 * units::ms)).down(message{blob{}, r.between(12, 60)});
        }
        t.end();
        return t.now();
    }
};

struct inventory {
    static constexpr std::string_view name = "inventory";
    static constexpr std::string_view about =
        "an authorised scanner inside policy: the machines on its list one after the other, a handful of ports each, "
        "log-ins with its own account where one opens";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 5;
    static void emit(stage& s) {
        rng& r = s.random;
        host& scanner = s.net.server(r);
        static constexpr std::array<std::uint16_t, 9> usual{22, 445, 161, 443, 3389, 5985, 9100, 135, 80};
        const std::uint32_t first = r.below(usual.size());
        const int ports = r.pick_int(1, 5);
        const std::int64_t gap = r.log_between(100 * units::ms, 10 * units::second);
        std::int64_t when = s.some_time();
        for (int machines = r.pick_int(3, 30); machines > 0; --machines) {
            host& machine = s.net.other_local(r, scanner);
            if (&machine == &scanner) return;
            if (r.chance(0.5)) ping(s, scanner, machine, when, 1, {32, true, 1, body_kind::text});
            for (int i = 0; i < ports && s.goes_on(when); ++i) {
                visit(s, scanner, machine, usual[(first + static_cast<std::uint32_t>(i)) % usual.size()], when);
                when += r.exponential(gap);
            }
            when += r.log_between(50 * units::ms, 20 * units::second);
        }
    }

private:
    static void visit(stage& s, host& scanner, host& machine, std::uint16_t port, std::int64_t when) {
        rng& r = s.random;
        if (port == 161) {
            udp_session u{s, {&scanner, &machine, port, when}};
            for (int n = r.pick_int(1, 12); n > 0; --n)
                u.up(payload::snmp(r, false, 6)).down(payload::snmp(r, true, 6));
            return;
        }
        tcp_session t{s, {&scanner, &machine, port, when}};
        if (r.chance(0.25)) return t.refused();
        if (r.chance(0.06)) return t.unanswered(1);
        t.open();
        if (port == 22) {
            start_ssh(s, t, payload::ssh_clients[5], payload::ssh_clients[r.below(4)]);
            ssh_password(s, t, true);
            for (int n = r.pick_int(1, 20); n > 0; --n)
                t.up(message{blob{}, 100}).down(message{blob{}, r.log_between(60, 6000)});
        } else if (port == 445) {
            smb_client smb{s, t};
            smb.log_in("inventory", true, true);
            smb.connect_tree("IPC$");
            smb.bind_pipe(payload::rpc::workstation);
            smb.procedure(0, 100, 300);
            smb.close();
            smb.log_off();
        } else if (port == 443 || port == 3389) {
            start_tls(s, t, payload::tls_client::draw(r), {}, false);
        } else if (port != 135) {
            t.up(payload::http_ask(r, {.path = "/", .host = machine.name, .agent = "inventory", .keep_alive = false}));
            const int status = r.chance(0.6) ? 200 : 401;
            t.down(payload::http_reply(r, status, r.log_between(100, 9000)));
        }
        t.end();
    }
};

struct device_setup {
    static constexpr std::string_view name = "device_setup";
    static constexpr std::string_view about =
        "a new device on the network: address, names, time, announcements, a phone that configures it, registration at "
        "its cloud with failed attempts, new firmware";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 6;
    static void emit(stage& s) {
        rng& r = s.random;
        host& device = s.net.client(r);
        host& phone = s.net.other_local(r, device);
        std::int64_t when = s.some_time();
        const std::string site = world::domain_word(r);
        for (int checks = r.pick_int(1, 4); checks > 0; --checks) when = connectivity(s, device, when);
        host& clock = s.net.outside(r);
        udp_session time{s, {&device, &clock, 123, when, 123}};
        for (int n = r.pick_int(1, 4); n > 0; --n) time.up(payload::ntp(r, 3)).down(payload::ntp(r, 4));
        if (&phone != &device) {
            for (int pages = r.pick_int(1, 8); pages > 0 && s.goes_on(when); --pages)
                when = http_talk(s, {&phone, &device, 80, when}, device.name, r.pick_int(1, 4), 900, 300 * units::ms,
                                 payload::agents[3]);
        }
        when = enrol(s, device, site, when);
        if (r.chance(0.6)) firmware(s, device, site, when);
    }

private:
    /// A page that answers nothing (204) when the Internet is there.
    static std::int64_t connectivity(stage& s, host& device, std::int64_t when) {
        rng& r = s.random;
        when = look_up_site(s, device, s.net.site(r), when);
        tcp_session t{s, {&device, &s.net.outside(r), 80, when}};
        t.open().up(payload::http_ask(r, {.path = "/generate_204", .host = s.net.site(r), .keep_alive = false}));
        t.down(payload::http_reply(r, 204, 0)).end();
        return t.now() + r.log_between(100 * units::ms, 10 * units::second);
    }
    static std::int64_t enrol(stage& s, host& device, std::string_view site, std::int64_t when) {
        rng& r = s.random;
        const auto hello = payload::tls_client::draw(r);
        host& cloud = s.net.outside(r);
        for (int tries = r.pick_int(1, 5); tries > 0 && s.goes_on(when); --tries) {
            when = look_up_site(s, device, site, when);
            if (tries > 1 && r.chance(0.5)) {
                tcp_session t{s, {&device, &cloud, 443, when}};
                r.chance(0.5) ? t.unanswered(2) : t.refused(2);
                when = t.now() + units::second;
                continue;
            }
            when = tls_talk(s, {&device, &cloud, 443, when}, hello, site, {r.pick_int(1, 6), 900, 1200, 0.5});
        }
        return when;
    }
    static void firmware(stage& s, host& device, std::string_view site, std::int64_t when) {
        rng& r = s.random;
        const std::int64_t size = r.log_between(80'000, 4'000'000);
        host& server = s.net.outside(r);
        if (r.chance(0.5)) {
            tls_talk(s, {&device, &server, 443, when}, payload::tls_client::draw(r), site, {1, 400, size, 0.1});
            return;
        }
        tcp_session t{s, {&device, &server, 80, when}};
        t.open().up(payload::http_ask(r, {.path = "/fw/latest", .host = site, .agent = "device/1.2"}));
        t.down(payload::http_reply(r, 200, size, "application/octet-stream")).end();
    }
};

struct chat_room {
    static constexpr std::string_view name = "chat_room";
    static constexpr std::string_view about =
        "people talking in IRC and XMPP rooms, in clear or over TLS: rooms joined, lines written, pings for hours";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 5;
    static constexpr busy_hours hours = busy_hours::evening;
    static void emit(stage& s) {
        rng& r = s.random;
        host& user = s.net.client(r);
        host& server = r.chance(0.8) ? s.net.outside(r) : s.net.server(r);
        if (&user == &server) return;
        const bool irc = r.chance(0.6);
        const bool secret = r.chance(0.4);
        const std::uint16_t port = irc ? (secret ? std::uint16_t{6697} : std::uint16_t{6667}) : std::uint16_t{5222};
        tcp_session t{s, {&user, &server, port, s.some_time()}};
        r.chance(0.7) ? t.open() : t.midway();
        const std::string& site = s.net.site(r);
        if (secret) start_tls(s, t, payload::tls_client::draw(r), site, false);
        const auto say = [&](bool own, std::int64_t length) {
            blob b{irc ? (own ? "PRIVMSG #talk :" : ":ann!a@host PRIVMSG #talk :")
                       : "<message to='room@example' type='groupchat' id='1'><body>"};
            while (static_cast<std::int64_t>(b.size()) < length) b.text(world::word(r)).u8(' ');
            b.text(irc ? "\r\n" : "</body></message>");
            return secret ? payload::tls_data(static_cast<std::int64_t>(b.size())) : message{b};
        };
        const auto alive = [&](std::string_view word) {
            return secret ? payload::tls_data(20) : message{blob{irc ? word : std::string_view{" "}}};
        };
        if (!secret) greet(s, t, irc, user.name, site);
        const std::int64_t pause = r.log_between(2 * units::second, 60 * units::second);
        while (!t.over()) {
            const std::uint32_t does = r.below(10);
            if (does < 2)
                t.up(alive("PING :a\r\n")).down(alive("PONG :a\r\n"));
            else if (does < 5)
                t.up(say(true, r.log_between(10, 300)));
            else
                t.down(say(false, r.log_between(10, 400)));
            t.think(r.exponential(pause));
            if (r.chance(0.01)) return t.end();
        }
    }

private:
    static void greet(stage& s, tcp_session& t, bool irc, std::string_view user, std::string_view site) {
        rng& r = s.random;
        if (irc) {
            blob hello{"NICK "};
            t.up(hello.text(user).text("\r\nUSER ").text(user).text(" 0 * :").text(user).text("\r\n"));
            t.down(message{blob{":server 001 "}.text(user).text(" :Welcome\r\n:server 372 :- "), r.between(400, 5000),
                           body_kind::text});
            t.up(blob{"JOIN #talk\r\n"})
                .down(message{blob{":server 353 = #talk :"}, r.between(60, 2000), body_kind::text});
            return;
        }
        blob hello{"<?xml version='1.0'?><stream:stream to='"};
        t.up(hello.text(site).text("' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"));
        t.down(blob{"<?xml version='1.0'?><stream:stream from='"}.text(site).text("'><stream:features/>"));
    }
};

}  // namespace detail::benign
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
