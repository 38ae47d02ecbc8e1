// SPDX-License-Identifier: MIT
// Programs that log in again and again, and rightly: jobs over SSH, scripts on shares, binds of application servers,
// tickets, polled mailboxes, short database connections. As dense as guessing passwords, from the same hosts at the
// same services; only what follows the log-in tells them apart. Listed in scenario.hpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include <mldefender/forge/synth/behaviour.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace detail::benign {

struct program_logins {
    static constexpr std::string_view name = "program_logins";
    static constexpr std::string_view about =
        "programs that log in again and again, rightly: jobs over SSH, scripts on shares, binds, tickets, mailboxes, "
        "databases";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 22;
    static void emit(stage& s) {
        rng& r = s.random;
        host& server = r.chance(0.85) ? s.net.server(r) : s.net.outside(r);
        host& program = r.chance(0.85) ? s.net.other_local(r, server) : s.net.outside(r);
        if (&program == &server) return;
        const std::uint32_t kind = r.below(7);
        const script job = script::draw(r);
        const int lanes = r.chance(0.7) ? 1 : r.pick_int(2, 8);
        const std::int64_t start = s.some_time();
        for (int lane = 0; lane < lanes; ++lane) {
            std::int64_t when = start + r.log_between(units::us, units::second);
            for (int left = s.scaled(r.log_between(4, 200)); left > 0 && s.goes_on(when); --left) {
                when = once(s, kind, job, program, server, when);
                when += r.around(job.gap_ns, job.jitter_percent);
            }
        }
    }

private:
    /// What every run of one program has in common.
    struct script {
        std::string_view own;   ///< its SSH program
        int steps;              ///< exchanges after the log-in
        std::int64_t said;      ///< bytes asked, about
        std::int64_t answered;  ///< bytes answered, about
        std::int64_t work_ns;   ///< what the server takes for one
        std::int64_t gap_ns;    ///< between two runs
        int jitter_percent;
        bool by_key;
        bool kerberos;
        bool writes;
        double mistakes;  ///< share of runs in which the log-in fails first

        [[nodiscard]] static script draw(rng& r) {
            script j{};
            j.own = r.pick(payload::ssh_clients);
            j.steps = r.pick_int(1, 5);
            j.said = r.log_between(30, 800);
            j.answered = r.log_between(20, 20'000);
            j.work_ns = r.log_between(100 * units::us, 2 * units::second);
            j.gap_ns = r.log_between(units::ms, 30 * units::second);
            j.jitter_percent = r.pick_int(1, 80);
            j.by_key = r.chance(0.7);
            j.kerberos = r.chance(0.4);
            j.writes = r.chance(0.4);
            j.mistakes = r.chance(0.8) ? 0.0 : 0.02;
            return j;
        }
    };

    static std::int64_t once(stage& s, std::uint32_t kind, const script& job, host& program, host& server,
                             std::int64_t when) {
        switch (kind) {
            case 0:
            case 1: return shell(s, job, program, server, when);
            case 2: return share(s, job, program, server, when);
            case 3: return directory(s, job, program, server, when);
            case 4: return ticket(s, job, program, when);
            case 5: return mailbox(s, job, program, server, when);
            default: return query(s, job, program, server, when);
        }
    }
    static std::int64_t shell(stage& s, const script& job, host& program, host& server, std::int64_t when) {
        rng& r = s.random;
        tcp_session t{s, {&program, &server, 22, when}};
        t.open();
        start_ssh(s, t, job.own, payload::ssh_clients[r.below(4)]);
        if (r.chance(0.7)) t.up(message{blob{}, 60}).down(message{blob{}, 76});  // which methods are there
        if (r.chance(job.mistakes)) ssh_password(s, t, false);
        if (job.by_key) {
            t.up(message{blob{}, r.between(100, 500)}).down(message{blob{}, r.between(60, 420)});  // is this key known
            t.up(message{blob{}, r.between(200, 700)});
            t.think(r.log_between(200 * units::us, 60 * units::ms)).down(message{blob{}, 28});
        } else {
            ssh_password(s, t, true);
        }
        if (r.chance(0.6)) t.down(message{blob{}, r.between(300, 700)});                      // host keys of OpenSSH
        t.up(message{blob{}, r.between(60, 130)}).down(message{blob{}, r.between(40, 60)});   // a channel
        t.up(message{blob{}, r.between(60, 300)}).down(message{blob{}, r.between(40, 160)});  // a command
        for (int n = r.pick_int(0, job.steps); n > 0 && !t.over(); --n) {
            t.think(r.around(job.work_ns, 50));
            if (job.writes) t.up(message{blob{}, r.lognormal(job.said * 4, 0.6)});
            t.down(message{blob{}, r.lognormal(job.answered, 0.4)});
        }
        t.down(message{blob{}, r.between(80, 180)}).up(message{blob{}, 36});
        t.up(message{blob{}, 60}).end();
        return t.now();
    }
    static std::int64_t share(stage& s, const script& job, host& program, host& server, std::int64_t when) {
        rng& r = s.random;
        tcp_session t{s, {&program, &server, 445, when}};
        smb_client smb{s, t.open()};
        if (!smb.log_in(program.name, !r.chance(job.mistakes), job.kerberos)) {
            t.end();
            return t.now();
        }
        if (r.chance(0.5)) smb.connect_tree("IPC$");
        smb.connect_tree(world::word(r));
        for (int n = r.pick_int(0, job.steps); n > 0 && !t.over(); --n) {
            const std::string file = world::word(r) + ".dat";
            smb.create(file, job.writes, r.chance(0.05) ? payload::status_not_found : 0);
            if (job.writes) {
                smb.write(r.lognormal(job.answered, 0.5), body_kind::text);
            } else if (r.chance(0.5)) {
                smb.read(r.lognormal(job.answered, 0.5));
            } else {
                smb.list(r.pick_int(1, 40));
            }
            smb.close();
        }
        smb.log_off();
        t.end();
        return t.now();
    }
    static std::int64_t directory(stage& s, const script& job, host& program, host& server, std::int64_t when) {
        rng& r = s.random;
        tcp_session t{s, {&program, &server, 389, when}};
        t.open().up(payload::ldap(1, 0x60, "cn=app", r.between(20, 60)));
        t.think(r.log_between(100 * units::us, 20 * units::ms)).down(payload::ldap(1, 0x61, "", 0));
        for (int n = r.pick_int(0, job.steps); n > 0; --n) {
            t.up(payload::ldap(2, 0x63, s.net.domain_name(), r.lognormal(80, 0.4)));
            t.down(payload::ldap(2, 0x64, s.net.domain_name(), r.lognormal(job.answered / 4 + 40, 0.4)));
        }
        t.up(payload::ldap(9, 0x42, "")).end();
        return t.now();
    }
    static std::int64_t ticket(stage& s, const script& job, host& program, std::int64_t when) {
        const std::string realm = s.net.domain_name();
        host& controller = s.net.domain_controller();
        if (&controller == &program) return when + units::second;
        when = kerberos_talk(s, program, {10, program.name, realm}, {30, program.name, realm}, when, false);
        when = kerberos_talk(s, program, {10, program.name, realm, "krbtgt", 0, true},
                             {11, program.name, realm, "krbtgt", 0, false, 18, 1100}, when, job.kerberos);
        for (int n = s.random.pick_int(0, job.steps); n > 0; --n) {
            const std::int64_t size = s.random.between(900, 2200);
            when = kerberos_talk(s, program, {12, program.name, realm, "cifs", 0, false, 18, size},
                                 {13, program.name, realm, "cifs", 0, false, 18, size}, when, true);
        }
        return when;
    }
    static std::int64_t mailbox(stage& s, const script& job, host& program, host& server, std::int64_t when) {
        rng& r = s.random;
        const std::uint32_t kind = r.below(3);
        static constexpr std::uint16_t ports[] = {143, 110, 21};
        tcp_session t{s, {&program, &server, ports[kind], when}};
        t.open();
        if (kind == 0) {
            speak(t, "* OK IMAP4 ready\r\n",
                  {{"a1 LOGIN app secret\r\n", "a1 OK Logged in\r\n"},
                   {"a2 SELECT INBOX\r\n", "* 3 EXISTS\r\na2 OK\r\n"}});
        } else if (kind == 1) {
            speak(
                t, "+OK ready\r\n",
                {{"USER app\r\n", "+OK\r\n"}, {"PASS secret\r\n", "+OK logged in\r\n"}, {"STAT\r\n", "+OK 2 320\r\n"}});
        } else {
            speak(t, "220 ready\r\n",
                  {{"USER app\r\n", "331 Please specify the password.\r\n"},
                   {"PASS secret\r\n", "230 Login successful.\r\n"},
                   {"CWD in\r\n", "250 done\r\n"}});
        }
        for (int n = r.pick_int(0, job.steps); n > 0; --n) {
            t.up(blob{kind == 0   ? "a3 FETCH 1 BODY\r\n"
                      : kind == 1 ? "RETR 1\r\n"
                                  : "STAT in\r\n"})
                .down(message{blob{kind == 0   ? "* 1 FETCH "
                                   : kind == 1 ? "+OK 1200 octets\r\n"
                                               : "213-"},
                              std::max<std::int64_t>(20, r.lognormal(job.answered, 0.5)), body_kind::text});
        }
        if (r.chance(0.8))
            t.up(blob{kind == 0 ? "a4 LOGOUT\r\n" : "QUIT\r\n"})
                .down(blob{kind == 0   ? "* BYE\r\n"
                           : kind == 1 ? "+OK\r\n"
                                       : "221 Bye\r\n"});
        t.end();
        return t.now();
    }
    static std::int64_t query(stage& s, const script& job, host& program, host& server, std::int64_t when) {
        rng& r = s.random;
        const bool mysql = r.chance(0.5);
        tcp_session t{s, {&program, &server, mysql ? std::uint16_t{3306} : std::uint16_t{5432}, when}};
        t.open();
        if (mysql) {
            start_mysql(s, t, true);
        } else {
            start_postgres(s, t);
        }
        for (int n = r.pick_int(1, job.steps); n > 0; --n) {
            const auto asked = static_cast<std::size_t>(std::min<std::int64_t>(r.lognormal(job.said + 20, 0.3), 4000));
            t.up(mysql ? payload::mysql_query(r, asked) : payload::postgres_query(r, asked));
            t.think(r.around(job.work_ns / 20 + 1, 50));
            t.down(mysql ? payload::mysql_rows(r, r.lognormal(job.answered, 0.4))
                         : payload::postgres_rows(r, r.lognormal(job.answered, 0.4)));
        }
        t.end();
        return t.now();
    }
};

}  // namespace detail::benign
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
