// SPDX-License-Identifier: MIT
// Password guessing against SSH, FTP, RDP, SMB, Kerberos, LDAP, WinRM, web log-ins, telnet, mail, telephony and
// databases: from one host or from hundreds, one task or sixteen, one password in minutes or hundreds a second, one or
// several tries a connection, spraying one password over many accounts. Failures come as the services give them. Each
// behaviour's `play` takes a plan, so that tests choose the pace. Listed in scenario.hpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <mldefender/forge/synth/attack_plan.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace detail::attack {

/// Who guesses, where, in how many parallel tasks and at which pace.
struct guess_plan {
    std::vector<host*> attackers;  ///< one, or many that share the work
    host* victim = nullptr;        ///< whose accounts
    int tasks = 1;                 ///< running at once
    int attempts = 100;            ///< connections in all
    pace rhythm;                   ///< from the end of an attempt to the next of its task
    std::int64_t start_ns = 0;     ///< of the first

    [[nodiscard]] static guess_plan draw(stage& s) {
        rng& r = s.random;
        guess_plan p{};
        const opponents who = opponents::draw(s, 0.5, 0.8);
        p.victim = who.victim;
        p.attackers.push_back(who.attacker);
        static constexpr int tasks[] = {1, 1, 1, 2, 4, 4, 8, 16, 16};
        p.tasks = r.pick(tasks);
        p.attempts = s.scaled(r.log_between(8, 900));
        p.rhythm = pace::steady(r.chance(0.5) ? r.log_between(units::ms, 100 * units::ms)
                                              : r.log_between(100 * units::ms, 90 * units::second));
        if (r.chance(0.12)) {  // a few attempts from each of many, as rented botnets do
            p.tasks = 1;
            for (std::int64_t n = r.log_between(5, 200); n > 0; --n) p.attackers.push_back(&s.net.new_outside(r));
        }
        p.start_ns = s.some_time();
        return p;
    }
    /// Calls `once(attacker, when)` for each attempt; it returns when the attempt ended.
    template <class F>
    void run(stage& s, F&& once) {
        for (int task = 0; task < tasks; ++task) {
            const std::int64_t start = start_ns + s.random.log_between(units::us, 300 * units::ms);
            repeat(s, {start, attempts / tasks + 1, rhythm},
                   [&](std::int64_t when) { return once(*s.random.pick(attackers), when); });
        }
    }
};

struct guess_ssh {
    static constexpr std::string_view name = "guess_ssh";
    static constexpr std::string_view about = "SSH password guessing, 1 to 6 tries a connection";
    static constexpr attack_class label = attack_class::bruteforce;
    static constexpr int weight = 14;
    static void emit(stage& s) { play(s, guess_plan::draw(s)); }
    /// The same at a given pace.
    static void play(stage& s, guess_plan plan) {
        rng& r = s.random;
        const int tries = r.pick_int(1, 6);
        const std::string_view own = r.pick(payload::ssh_clients);
        const std::string_view theirs = payload::ssh_clients[r.below(4)];
        const std::uint16_t port = r.chance(0.9) ? std::uint16_t{22} : std::uint16_t{2222};
        const bool overloaded = r.chance(0.2);  // the server drops some (MaxStartups)
        plan.run(s, [&](host& attacker, std::int64_t when) {
            tcp_session t{s, {&attacker, plan.victim, port, when}};
            if (overloaded && r.chance(0.2)) {
                t.open().reset(way::down);
                return t.now();
            }
            t.open();
            start_ssh(s, t, own, theirs);
            if (r.chance(0.3)) t.up(message{blob{}, 60}).down(message{blob{}, 76});  // which methods are there
            for (int i = 0; i < tries; ++i) ssh_password(s, t, false);
            t.end();
            return t.now();
        });
    }
};

struct guess_ftp {
    static constexpr std::string_view name = "guess_ftp";
    static constexpr std::string_view about = "guessing at services that speak lines: FTP, POP3, IMAP, SMTP AUTH";
    static constexpr attack_class label = attack_class::bruteforce;
    static constexpr int weight = 8;
    static void emit(stage& s) { play(s, guess_plan::draw(s)); }
    /// The same at a given pace.
    static void play(stage& s, guess_plan plan) {
        rng& r = s.random;
        const std::uint32_t kind = r.chance(0.6) ? 0 : 1 + r.below(3);
        static constexpr std::uint16_t ports[] = {21, 110, 143, 25};
        static constexpr line_pair users[] = {{"USER ", "331 Please specify the password.\r\n"},
                                              {"USER ", "+OK\r\n"},
                                              {"", ""},
                                              {"AUTH LOGIN\r\n", "334 VXNlcm5hbWU6\r\n"}};
        static constexpr line_pair passwords[] = {{"PASS ", "530 Login incorrect.\r\n"},
                                                  {"PASS ", "-ERR failed\r\n"},
                                                  {"a1 LOGIN admin ", "a1 NO failed\r\n"},
                                                  {"", "535 5.7.8 failed\r\n"}};
        static constexpr std::string_view greetings[] = {"220 (vsFTPd 3.0.3)\r\n", "+OK ready\r\n",
                                                         "* OK IMAP4 ready\r\n", "220 ESMTP\r\n"};
        const int tries = r.pick_int(1, 4);
        const std::int64_t delay = r.log_between(units::ms, 4 * units::second);
        plan.run(s, [&](host& attacker, std::int64_t when) {
            tcp_session t{s, {&attacker, plan.victim, ports[kind], when}};
            t.open().down(blob{greetings[kind]});
            for (int i = 0; i < tries; ++i) {
                if (kind != 2) {
                    blob name{users[kind].said};
                    if (kind != 3) name.random_text(r, 4 + r.below(6), lower_letters).text("\r\n");
                    t.up(name).down(blob{users[kind].answered});
                }
                if (kind == 3) t.up(blob{"YWRtaW4=\r\n"}).down(blob{"334 UGFzc3dvcmQ6\r\n"});
                t.up(blob{passwords[kind].said}.random_text(r, 4 + r.below(9), lower_digits).text("\r\n"))
                    .think(r.around(delay, 30));
                t.down(blob{passwords[kind].answered});
            }
            t.end();
            return t.now();
        });
    }
};

struct guess_desktop {
    static constexpr std::string_view name = "guess_desktop";
    static constexpr std::string_view about = "RDP and VNC guessing: short sessions that never get a picture";
    static constexpr attack_class label = attack_class::bruteforce;
    static constexpr int weight = 7;
    static void emit(stage& s) { play(s, guess_plan::draw(s)); }
    /// The same at a given pace.
    static void play(stage& s, guess_plan plan) {
        rng& r = s.random;
        const bool rdp = r.chance(0.75);
        const auto hello = payload::tls_client::draw(r);
        const std::string user = world::word(r);
        plan.run(s, [&](host& attacker, std::int64_t when) {
            tcp_session t{s, {&attacker, plan.victim, rdp ? std::uint16_t{3389} : std::uint16_t{5900}, when}};
            t.open();
            if (rdp) {
                t.up(payload::rdp_request(user)).down(payload::rdp_confirm());
                start_tls(s, t, hello, {}, false, true);
                for (int n = 0; n < 2; ++n)
                    t.up(payload::tls_data(r.between(60, 600))).down(payload::tls_data(r.between(50, 300)));
                if (r.chance(0.5)) t.down(payload::tls_alert(r));
            } else {
                t.down(blob{"RFB 003.008\n"}).up(blob{"RFB 003.008\n"}).down(blob{}.u8(1).u8(2)).up(blob{}.u8(2));
                t.down(message{blob{}, 16})
                    .up(message{blob{}, 16})
                    .down(blob{}.be32(1).be32(22).text("Authentication failure"));
            }
            t.end();
            return t.now();
        });
    }
};

struct guess_share {
    static constexpr std::string_view name = "guess_share";
    static constexpr std::string_view about =
        "SMB log-ons failing by NTLM, one or many accounts, one target or a row of them";
    static constexpr attack_class label = attack_class::bruteforce;
    static constexpr int weight = 7;
    static void emit(stage& s) { play(s, guess_plan::draw(s)); }
    /// The same at a given pace.
    static void play(stage& s, guess_plan plan) {
        rng& r = s.random;
        const std::string user = world::word(r);
        const bool spray = r.chance(0.5);
        const bool row = r.chance(0.3);
        plan.run(s, [&](host& attacker, std::int64_t when) {
            host& target = row ? s.net.other_local(r, attacker) : *plan.victim;
            if (&target == &attacker) return when;
            tcp_session t{s, {&attacker, &target, 445, when}};
            smb_client smb{s, t.open()};
            const std::string account = spray ? world::word(r) : user;
            smb.log_in(account, false, false);
            t.end();
            return t.now();
        });
    }
};

struct guess_ticket {
    static constexpr std::string_view name = "guess_ticket";
    static constexpr std::string_view about =
        "Kerberos: user names tried, one password sprayed over accounts, tickets asked for without need";
    static constexpr attack_class label = attack_class::bruteforce;
    static constexpr int weight = 5;
    static void emit(stage& s) { play(s, guess_plan::draw(s)); }
    /// The same at a given pace.
    static void play(stage& s, guess_plan plan) {
        rng& r = s.random;
        plan.attackers.assign(1, &s.net.client(r));  // only hosts inside reach it
        const std::string realm = s.net.domain_name();
        const bool tcp = r.chance(0.3);
        const bool names_only = r.chance(0.4);
        plan.run(s, [&](host& attacker, std::int64_t when) {
            if (&attacker == &s.net.domain_controller()) return when;
            const std::string user = world::word(r);
            const int refused = names_only ? (r.chance(0.85) ? 6 : 25) : (r.chance(0.9) ? 24 : 6);
            return kerberos_talk(s, attacker, {10, user, realm, "krbtgt", 0, !names_only, r.chance(0.5) ? 23 : 18},
                                 {30, user, realm, "krbtgt", refused}, when, tcp);
        });
    }
};

struct guess_web {
    static constexpr std::string_view name = "guess_web";
    static constexpr std::string_view about =
        "web log-in forms, basic authentication and stuffed credentials, in clear or over TLS";
    static constexpr attack_class label = attack_class::bruteforce;
    static constexpr int weight = 7;
    static void emit(stage& s) { play(s, guess_plan::draw(s)); }
    /// The same at a given pace.
    static void play(stage& s, guess_plan plan) {
        rng& r = s.random;
        const bool secret = r.chance(0.4);
        const bool basic = r.chance(0.4);
        const std::string site = s.net.site(r);
        const bool keep = r.chance(0.5);
        const int tries = keep ? r.pick_int(2, 40) : 1;
        const auto hello = payload::tls_client::draw(r);
        const std::int64_t size = r.log_between(150, 5000);
        const std::string_view agent = r.pick(payload::agents);
        static constexpr std::uint16_t clear[] = {80, 80, 80, 8080};
        const std::uint16_t port = secret ? std::uint16_t{443} : r.pick(clear);
        plan.run(s, [&](host& attacker, std::int64_t when) {
            tcp_session t{s, {&attacker, plan.victim, port, when}};
            t.open();
            if (secret) start_tls(s, t, hello, {}, r.chance(0.5));
            for (int i = 0; i < tries && !t.over(); ++i) {
                const std::int64_t form = r.between(30, 80);
                const int status = basic ? 401 : r.chance(0.5) ? 200 : 302;
                if (secret) {
                    t.up(payload::tls_data(350 + form))
                        .think(r.log_between(units::ms, 300 * units::ms))
                        .down(payload::tls_data(r.around(size, 2)));
                    continue;
                }
                blob header{"Authorization: Basic "};
                header.random_text(r, 16, base64_digits).text("\r\n");
                t.up(payload::http_ask(r, {.method = basic ? "GET" : "POST",
                                           .path = basic ? "/admin" : "/login",
                                           .host = site,
                                           .agent = agent,
                                           .body = basic ? 0 : form,
                                           .body_head = basic ? "" : "username=admin&password=",
                                           .extra = basic ? header.characters() : ""}));
                t.think(r.log_between(units::ms, 300 * units::ms))
                    .down(payload::http_reply(r, status, r.around(size, 2)));
            }
            t.end();
            return t.now();
        });
    }
};

struct guess_telnet {
    static constexpr std::string_view name = "guess_telnet";
    static constexpr std::string_view about = "default passwords at telnet and databases";
    static constexpr attack_class label = attack_class::bruteforce;
    static constexpr int weight = 5;
    static void emit(stage& s) { play(s, guess_plan::draw(s)); }
    /// The same at a given pace.
    static void play(stage& s, guess_plan plan) {
        rng& r = s.random;
        const std::uint32_t kind = r.chance(0.6) ? 0 : 1 + r.below(2);
        static constexpr std::uint16_t ports[] = {23, 3306, 1433};
        const int tries = r.pick_int(1, 3);
        plan.run(s, [&](host& attacker, std::int64_t when) {
            tcp_session t{s, {&attacker, plan.victim, ports[kind], when}};
            t.open();
            if (kind == 0) {
                t.down(blob{}.be24(0xfffd18).be24(0xfffd20)).up(blob{}.be24(0xfffc18).be24(0xfffc20));
                for (int i = 0; i < tries; ++i) {
                    t.down(blob{"login: "})
                        .up(blob{"root\r\n"})
                        .down(blob{"root\r\nPassword: "})
                        .up(blob{}.random_text(r, 6, lower_digits).text("\r\n"));
                    t.think(r.log_between(100 * units::ms, 3 * units::second)).down(blob{"\r\nLogin incorrect\r\n"});
                }
            } else if (kind == 1) {
                start_mysql(s, t, false);
            } else {
                start_tds(s, t, false);
            }
            t.end();
            return t.now();
        });
    }
};

struct guess_directory {
    static constexpr std::string_view name = "guess_directory";
    static constexpr std::string_view about =
        "binds refused by the directory, log-ons refused by remote management: LDAP and WinRM, one account or many";
    static constexpr attack_class label = attack_class::bruteforce;
    static constexpr int weight = 4;
    static void emit(stage& s) { play(s, guess_plan::draw(s)); }
    /// The same at a given pace.
    static void play(stage& s, guess_plan plan) {
        rng& r = s.random;
        const bool binds = r.chance(0.6);
        const int tries = r.pick_int(1, 5);
        plan.run(s, [&](host& attacker, std::int64_t when) {
            tcp_session t{s, {&attacker, plan.victim, binds ? std::uint16_t{389} : std::uint16_t{5985}, when}};
            t.open();
            for (int i = 0; i < tries && !t.over(); ++i) {
                if (binds) {
                    const std::string user = "cn=" + world::word(r);
                    t.up(payload::ldap(static_cast<std::uint64_t>(i) + 1, 0x60, user, r.between(6, 14)));
                    t.think(r.log_between(units::ms, 50 * units::ms));
                    t.down(payload::ldap_refused(static_cast<std::uint64_t>(i) + 1));
                    continue;
                }
                blob header{"Authorization: Negotiate "};
                header.random_text(r, 180, base64_digits).text("\r\n");
                t.up(payload::http_ask(r, {.method = "POST",
                                           .path = "/wsman",
                                           .host = plan.victim->name,
                                           .agent = "Microsoft WinRM Client",
                                           .extra = header.characters()}));
                t.think(r.log_between(units::ms, 200 * units::ms)).down(payload::http_reply(r, 401, 0));
            }
            t.end();
            return t.now();
        });
    }
};

struct guess_voice {
    static constexpr std::string_view name = "guess_voice";
    static constexpr std::string_view about =
        "telephony: extensions tried one after the other, then passwords for those that exist, by REGISTER over UDP";
    static constexpr attack_class label = attack_class::bruteforce;
    static constexpr int weight = 4;
    static void emit(stage& s) { play(s, guess_plan::draw(s)); }
    /// The same at a given pace.
    static void play(stage& s, guess_plan plan) {
        rng& r = s.random;
        const bool names = r.chance(0.5);
        std::uint32_t extension = 100 + r.below(900);
        const std::uint16_t own = r.chance(0.6) ? any_port(r) : std::uint16_t{0};
        plan.run(s, [&](host& attacker, std::int64_t when) {
            if (names) ++extension;
            const std::string user = std::to_string(extension);
            udp_session u{s, {&attacker, plan.victim, 5060, when, own}};
            const int status = names ? (r.chance(0.9) ? 404 : 401) : 403;
            u.up(payload::sip_request(r, "REGISTER", user, !names));
            u.think(r.log_between(units::ms, 50 * units::ms)).down(payload::sip_reply(r, status, "REGISTER", user));
            return u.now();
        });
    }
};

}  // namespace detail::attack
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
