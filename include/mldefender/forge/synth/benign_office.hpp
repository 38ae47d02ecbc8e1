// SPDX-License-Identifier: MIT
// Offices and server rooms: the Windows domain (Kerberos, LDAP, SMB, RPC, print, replication), mail, databases, remote
// work by SSH and RDP with its mistyped passwords, file transfer, backups. Administration that uses the same protocols
// as an intruder, in the way administrators do. Listed in scenario.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include <mldefender/forge/synth/behaviour.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace detail::benign {

struct domain_logon {
    static constexpr std::string_view name = "domain_logon";
    static constexpr std::string_view about =
        "a workstation logging on: Kerberos with pre-authentication, LDAP, policy files, RPC to the controller";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 16;
    static constexpr busy_hours hours = busy_hours::office;
    static void emit(stage& s) {
        host& station = s.net.client(s.random);
        host& controller = s.net.domain_controller();
        const std::string user = world::word(s.random);
        const std::string realm = s.net.domain_name();
        std::int64_t when = s.some_time();
        lookup_shape locate;
        locate.type = payload::dns_type::srv;
        locate.server = &controller;
        when = look_up(s, station, "_ldap._tcp.dc._msdcs." + realm, when, locate);
        if (s.random.chance(0.7)) when = find_controller(s, station, controller, when);
        const bool tcp = s.random.chance(0.6);
        if (s.random.chance(0.9)) when = kerberos_talk(s, station, {10, user, realm}, {30, user, realm}, when, false);
        for (int typos = s.random.chance(0.08) ? s.random.pick_int(1, 3) : 0; typos > 0; --typos) {
            when = kerberos_talk(s, station, {10, user, realm, "krbtgt", 0, true}, {30, user, realm, "krbtgt", 24},
                                 when, tcp);
            when += s.random.log_between(2 * units::second, 15 * units::second);
        }
        when = kerberos_talk(s, station, {10, user, realm, "krbtgt", 0, true},
                             {11, user, realm, "krbtgt", 0, false, 18, 1100}, when, tcp);
        for (int tickets = s.random.pick_int(1, 5); tickets > 0; --tickets) {
            const std::int64_t size = s.random.between(900, 2200);
            when = kerberos_talk(s, station, {12, user, realm, "cifs", 0, false, 18, size},
                                 {13, user, realm, "cifs", 0, false, 18, size}, when, true);
        }
        search(s, station, controller, when);
        policy(s, station, controller, user, when + s.random.log_between(units::ms, 2 * units::second));
        if (s.random.chance(0.5)) {
            const std::int64_t mapped = map_endpoint(s, station, controller, when);
            tcp_session t{s,
                          {&station, &controller, static_cast<std::uint16_t>(s.random.between(49152, 49180)), mapped}};
            rpc_client rpc{s, t.open()};
            rpc.bind(s.random.chance(0.5) ? payload::rpc::net_logon : payload::rpc::local_security, true);
            for (int calls = s.random.pick_int(1, 8); calls > 0; --calls)
                rpc.procedure(s.random.pick(logon_calls), 200, 300);
            t.end();
        }
    }
    /// What log-ons ask the security authority and Netlogon for; none of it is sensitive in either.
    static constexpr std::uint16_t logon_calls[] = {21, 44, 45, 76, 77, 77, 78, 80};
    /// Which controller is near: LDAP over a datagram (MS-ADTS).
    static std::int64_t find_controller(stage& s, host& station, host& controller, std::int64_t when) {
        udp_session u{s, {&station, &controller, 389, when}};
        u.up(payload::ldap(1, 0x63, "", s.random.between(40, 90)));
        u.think(s.random.log_between(100 * units::us, 5 * units::ms));
        u.down(payload::ldap(1, 0x64, "", s.random.between(100, 160)));
        return u.now();
    }
    static void search(stage& s, host& station, host& controller, std::int64_t when) {
        tcp_session t{s,
                      {&station, &controller, s.random.chance(0.8) ? std::uint16_t{389} : std::uint16_t{3268}, when}};
        t.open()
            .up(payload::ldap(1, 0x60, "", s.random.between(60, 1800)))
            .down(payload::ldap(1, 0x61, "", s.random.between(0, 200)));
        for (int n = s.random.pick_int(1, 10); n > 0; --n) {
            t.up(payload::ldap(2, 0x63, s.net.domain_name(), s.random.between(40, 300)));
            t.down(payload::ldap(2, 0x64, s.net.domain_name(), s.random.log_between(100, 9000)));
        }
        t.up(payload::ldap(9, 0x42, "")).end();
    }
    static void policy(stage& s, host& station, host& controller, std::string_view user, std::int64_t when) {
        tcp_session t{s, {&station, &controller, 445, when}};
        smb_client smb{s, t.open()};
        smb.log_in(user, true, s.random.chance(0.8));
        if (s.random.chance(0.5)) smb.connect_tree("IPC$");
        smb.connect_tree("SYSVOL");
        for (int files = s.random.pick_int(1, 10); files > 0 && !t.over(); --files) {
            const std::string file = world::word(s.random) + ".ini";
            smb.create(file, false, s.random.chance(0.1) ? payload::status_not_found : 0);
            smb.read(s.random.log_between(60, 8000));
            smb.close();
        }
        t.think(s.random.log_between(units::ms, 15 * units::second));
        smb.log_off();
        t.end();
    }
};

struct file_server {
    static constexpr std::string_view name = "file_server";
    static constexpr std::string_view about =
        "people working on shares: listings, many files opened, read, edited, saved under another name";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 18;
    static constexpr busy_hours hours = busy_hours::office;
    static void emit(stage& s) {
        host& user = s.net.client(s.random);
        host& server = s.net.server(s.random);
        tcp_session t{s, {&user, &server, 445, s.some_time()}};
        smb_client smb{s, s.random.chance(0.8) ? t.open() : t.midway()};
        smb.log_in(user.name, true, s.random.chance(0.6));
        if (s.random.chance(0.6)) {
            smb.connect_tree("IPC$");
            smb.bind_pipe(payload::rpc::server_service);
            smb.procedure(s.random.chance(0.5) ? std::uint16_t{15} : std::uint16_t{16}, 80, 300);
            smb.close();
        }
        smb.connect_tree(s.random.chance(0.1) ? "C$" : world::word(s.random));
        const bool bulk = s.random.chance(0.25);  // a build, a sync, a copy of a folder
        const int files = s.scaled(bulk ? s.random.log_between(40, 600) : s.random.pick_int(1, 25));
        const std::int64_t size = s.random.log_between(500, 120'000);
        const double writes = s.random.pick_int(0, 100) * 0.01;
        for (int i = 0; i < files && !t.over(); ++i) {
            if (s.random.chance(bulk ? 0.05 : 0.4)) smb.list(s.random.pick_int(2, 60));
            const bool write = s.random.chance(writes);
            const std::string file = world::word(s.random) + ".docx";
            smb.create(file, write, s.random.chance(0.08) ? payload::status_not_found : 0);
            if (s.random.chance(0.5)) smb.query_info();
            const std::int64_t bytes_of = std::min<std::int64_t>(s.random.lognormal(size, 1.0), 400'000);
            if (!write || s.random.chance(0.2))
                smb.read(bytes_of, s.random.chance(0.5) ? body_kind::text : body_kind::random);
            if (write) smb.write(bytes_of, s.random.chance(0.5) ? body_kind::text : body_kind::random);
            if (write && s.random.chance(0.15)) smb.set_info(10, world::word(s.random) + ".docx");
            smb.close();
            t.think(bulk ? s.random.log_between(50 * units::us, 40 * units::ms)
                         : s.random.log_between(5 * units::ms, 15 * units::second));
        }
        if (s.random.chance(0.6)) smb.log_off();
        t.end();
    }
};

struct domain_controllers {
    static constexpr std::string_view name = "domain_controllers";
    static constexpr std::string_view about =
        "controllers replicating with each other over RPC at their period, as they should";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 6;
    static void emit(stage& s) {
        host& one = s.net.domain_controller();
        host& two = *s.net.servers()[s.random.below(s.net.servers().size())];
        if (&one == &two) return;
        const auto port = static_cast<std::uint16_t>(s.random.between(49152, 49180));
        detail::regularly(s, s.random.between(15, 120) * units::second, 20, [&](std::int64_t when) {
            if (s.random.chance(0.5)) when = map_endpoint(s, two, one, when);
            tcp_session t{s, {&two, &one, port, when}};
            rpc_client rpc{s, t.open()};
            rpc.bind(payload::rpc::replication, true);
            rpc.procedure(0, 88, 80);
            rpc.procedure(3, 260, size_range{200, 3000});
            rpc.procedure(1, 24, 24);
            t.end();
        });
    }
};

struct management {
    static constexpr std::string_view name = "management";
    static constexpr std::string_view about =
        "a management server asking machines for their state by WMI, WinRM or the service list, on schedule";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 8;
    static void emit(stage& s) {
        host& manager = s.net.server(s.random);
        const std::uint32_t kind = s.random.below(3);
        const int machines = s.random.pick_int(2, 20);
        std::int64_t when = s.some_time();
        for (int i = 0; i < machines && s.goes_on(when);
             ++i, when += s.random.log_between(200 * units::ms, 20 * units::second)) {
            host& machine = s.net.other_local(s.random, manager);
            if (&machine == &manager) continue;
            if (kind == 0) {
                tcp_session t{s, {&manager, &machine, 5985, when}};
                t.open();
                for (int n = s.random.pick_int(1, 4); n > 0; --n) {
                    const std::int64_t size = s.random.between(900, 3000);
                    t.up(payload::http_ask(s.random, {.method = "POST",
                                                      .path = "/wsman/subscriptions/1",
                                                      .host = machine.name,
                                                      .agent = "Microsoft WinRM Client",
                                                      .body = size}));
                    t.down(payload::http_reply(s.random, 200, s.random.between(300, 2000), "application/soap+xml"));
                }
                t.end();
            } else if (kind == 1) {
                const std::int64_t mapped = map_endpoint(s, manager, machine, when);
                tcp_session t{s,
                              {&manager, &machine, static_cast<std::uint16_t>(s.random.between(49152, 65000)), mapped}};
                rpc_client rpc{s, t.open()};
                rpc.bind(payload::rpc::wmi_services, true);
                for (int n = s.random.pick_int(2, 12); n > 0; --n) rpc.procedure(20, 180, size_range{200, 6000});
                t.end();
            } else {
                tcp_session t{s, {&manager, &machine, 445, when}};
                smb_client smb{s, t.open()};
                smb.log_in("monitor", true, true);
                smb.connect_tree("IPC$");
                smb.bind_pipe(s.random.chance(0.5) ? payload::rpc::registry : payload::rpc::workstation);
                for (int n = s.random.pick_int(1, 6); n > 0; --n) smb.procedure(0, 100, size_range{80, 2000});
                smb.close();
                smb.log_off();
                t.end();
            }
        }
    }
};

struct printing {
    static constexpr std::string_view name = "printing";
    static constexpr std::string_view about = "print jobs by spooler RPC, raw port 9100 or IPP";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 6;
    static constexpr busy_hours hours = busy_hours::office;
    static void emit(stage& s) {
        host& user = s.net.client(s.random);
        host& printer = s.net.server(s.random);
        const std::int64_t size = s.random.log_between(5'000, 600'000);
        const std::uint32_t kind = s.random.below(3);
        static constexpr std::uint16_t ports[] = {445, 9100, 631};
        tcp_session t{s, {&user, &printer, ports[kind], s.some_time()}};
        t.open();
        if (kind == 0) {
            smb_client smb{s, t};
            smb.log_in(user.name, true, true);
            smb.connect_tree("IPC$");
            smb.bind_pipe(payload::rpc::spooler);
            for (const std::uint16_t operation : {std::uint16_t{69}, std::uint16_t{17}, std::uint16_t{19}})
                smb.procedure(operation, size_range{80, 700}, 60);
            smb.close();
        } else if (kind == 1) {
            t.up(message{blob{"\x1b%-12345X@PJL JOB\r\n"}, size});
        } else {
            t.up(payload::http_ask(s.random,
                                   {.method = "POST", .path = "/ipp/print", .host = printer.name, .body = size}));
            t.down(payload::http_reply(s.random, 200, 300, "application/ipp"));
        }
        t.end();
    }
};

struct mail {
    static constexpr std::string_view name = "mail";
    static constexpr std::string_view about =
        "sending and fetching mail: SMTP between servers with block-list look-ups, submission, IMAP, POP3";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 8;
    static void emit(stage& s) {
        const std::uint32_t kind = s.random.below(4);
        if (kind == 0) return deliver(s);
        host& user = s.net.client(s.random);
        host& server = s.random.chance(0.5) ? s.net.outside(s.random) : s.net.server(s.random);
        static constexpr std::uint16_t ports[] = {0, 993, 143, 587};
        detail::regularly(s, s.random.between(30, 300) * units::second, 20, [&](std::int64_t when) {
            tcp_session t{s, {&user, &server, ports[kind], when}};
            t.open();
            if (kind == 1) {
                const auto hello = payload::tls_client::draw(s.random);
                start_tls(s, t, hello, "mail", s.random.chance(0.5));
                for (int n = s.random.pick_int(2, 10); n > 0; --n)
                    t.up(payload::tls_data(40)).down(payload::tls_data(s.random.log_between(60, 60'000)));
            } else if (kind == 2) {
                speak(t, "* OK IMAP4rev1 ready\r\n",
                      {{"a1 LOGIN user secret\r\n", "a1 OK Logged in\r\n"},
                       {"a2 SELECT INBOX\r\n", "* 12 EXISTS\r\na2 OK done\r\n"}});
                t.up(blob{"a3 FETCH 1:* (FLAGS)\r\n"})
                    .down(message{blob{"* 1 FETCH "}, s.random.log_between(200, 50'000), body_kind::text});
            } else {
                speak(t, "220 mail ESMTP\r\n",
                      {{"EHLO host\r\n", "250-mail\r\n250-STARTTLS\r\n250 AUTH LOGIN PLAIN\r\n"},
                       {"STARTTLS\r\n", "220 ready\r\n"}});
                const auto hello = payload::tls_client::draw(s.random);
                start_tls(s, t, hello, "mail", false);
                t.up(payload::tls_data(s.random.log_between(800, 400'000))).down(payload::tls_data(60));
            }
            t.end();
        });
    }

private:
    static void deliver(stage& s) {
        host& server = s.net.server(s.random);
        detail::now_and_then(s, s.random.log_between(2 * units::second, 40 * units::second), [&](std::int64_t when) {
            const bool inbound = s.random.chance(0.6);
            host& peer = s.net.new_outside(s.random);
            tcp_session t{s, {inbound ? &peer : &server, inbound ? &server : &peer, 25, when}};
            if (!inbound && s.random.chance(0.06)) return t.unanswered(2);
            if (inbound) {  // a block list answers "no such name" for good senders
                lookup_shape shape;
                shape.reply.code = s.random.chance(0.8) ? 3 : 0;
                blob reversed;
                reversed.number(s.random.below(256))
                    .u8('.')
                    .number(s.random.below(256))
                    .u8('.')
                    .number(s.random.below(256))
                    .u8('.')
                    .number(s.random.below(256));
                look_up(s, server, std::string{reversed.characters()} + ".list." + s.net.site(s.random), when, shape);
            }
            t.open();
            speak(t, "220 mail ESMTP Postfix\r\n",
                  {{"EHLO relay\r\n", "250-mail\r\n250 STARTTLS\r\n"},
                   {"MAIL FROM:<a@b>\r\n", "250 Ok\r\n"},
                   {"RCPT TO:<c@d>\r\n", s.random.chance(0.9) ? "250 Ok\r\n" : "550 unknown\r\n"},
                   {"DATA\r\n", "354 go\r\n"}});
            t.up(message{blob{"Received: from "}, s.random.log_between(900, 200'000), body_kind::text})
                .down(blob{"250 queued\r\n"});
            t.up(blob{"QUIT\r\n"}).down(blob{"221 Bye\r\n"}).end();
        });
    }
};

struct database {
    static constexpr std::string_view name = "database";
    static constexpr std::string_view about =
        "MySQL, PostgreSQL, SQL Server, Redis, MongoDB, memcached: pools of connections with many small queries";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 6;
    static void emit(stage& s) {
        host& application = s.net.local(s.random);
        host& server = s.net.server(s.random);
        if (&application == &server) return;
        const std::uint32_t kind = s.random.below(6);
        static constexpr std::uint16_t ports[] = {3306, 5432, 1433, 6379, 27017, 11211};
        const std::int64_t pause = s.random.log_between(500 * units::us, 5 * units::second);
        for (int lanes = s.random.pick_int(1, 8); lanes > 0 && !s.out.full(); --lanes) {
            tcp_session t{s, {&application, &server, ports[kind], s.some_time()}};
            t.open();
            if (kind == 0) start_mysql(s, t, true);
            if (kind == 1) start_postgres(s, t);
            if (kind == 2) start_tds(s, t, true);
            for (int n = s.random.pick_int(3, 120); n > 0 && !t.over(); --n) {
                const auto asked = static_cast<std::size_t>(s.random.log_between(30, 900));
                query(s, t, kind, asked, std::min<std::int64_t>(s.random.lognormal(400, 1.5), 200'000));
                t.think(s.random.exponential(pause));
            }
            t.end();
        }
    }

private:
    static void query(stage& s, tcp_session& t, std::uint32_t kind, std::size_t asked, std::int64_t answered) {
        rng& r = s.random;
        const auto id = static_cast<std::uint32_t>(r.next());
        switch (kind) {
            case 0: t.up(payload::mysql_query(r, asked)); break;
            case 1: t.up(payload::postgres_query(r, asked)); break;
            case 2: t.up(payload::tds_query(r, asked)); break;
            case 3: t.up(blob{"*2\r\n$3\r\nGET\r\n$8\r\n"}.random_text(r, 8, lower_letters).text("\r\n")); break;
            case 4: t.up(payload::mongo(r, id, 0, asked)); break;
            default: t.up(blob{"get "}.random_text(r, 12, lower_letters).text("\r\n"));
        }
        t.think(r.log_between(50 * units::us, 50 * units::ms));
        const auto size = static_cast<std::uint64_t>(answered);
        switch (kind) {
            case 0: t.down(payload::mysql_rows(r, answered)); break;
            case 1: t.down(payload::postgres_rows(r, answered)); break;
            case 2: t.down(payload::tds_rows(r, std::min<std::int64_t>(answered, 3900))); break;
            case 3: t.down(message{blob{"$"}.number(size).text("\r\n"), answered + 10, body_kind::text}); break;
            case 4:
                t.down(payload::mongo(r, id + 1, id, static_cast<std::size_t>(std::min<std::int64_t>(answered, 9000))));
                break;
            default:
                t.down(message{blob{"VALUE a 0 "}.number(size).text("\r\n"), answered + 20, body_kind::text})
                    .down(blob{"\r\nEND\r\n"});
        }
    }
};

struct remote_shell {
    static constexpr std::string_view name = "remote_shell";
    static constexpr std::string_view about =
        "SSH by people and programs: typing, a mistyped password, jobs on many machines, files copied";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 10;
    static void emit(stage& s) {
        host& user = s.net.local(s.random);
        const std::string_view own = s.random.pick(payload::ssh_clients);
        if (s.random.chance(0.3)) {  // one program, many machines
            std::int64_t when = s.some_time();
            for (int n = s.random.pick_int(3, 25); n > 0;
                 --n, when += s.random.log_between(20 * units::ms, 4 * units::second)) {
                host& machine = s.net.other_local(s.random, user);
                if (&machine != &user)
                    session(s, user, machine, own, when, 0, 2 + s.random.pick_int(0, 8), 40 * units::ms);
            }
            return;
        }
        host& server = s.random.chance(0.5) ? s.net.outside(s.random) : s.net.other_local(s.random, user);
        const int typos = s.random.chance(0.25) ? s.random.pick_int(1, 3) : 0;
        const int keys = s.random.pick_int(2, 200);
        const std::int64_t when = s.some_time();
        session(s, user, server, own, when, typos, keys, s.random.chance(0.5) ? 250 * units::ms : 20 * units::ms);
    }
    static void session(stage& s, host& user, host& server, std::string_view own, std::int64_t when, int typos,
                        int keys, std::int64_t pause) {
        tcp_session t{s, {&user, &server, s.random.chance(0.93) ? std::uint16_t{22} : std::uint16_t{2222}, when}};
        t.open();
        start_ssh(s, t, own, payload::ssh_clients[s.random.below(4)]);
        for (int i = 0; i < typos; ++i) {
            ssh_password(s, t, false);
            t.think(s.random.log_between(units::second, 8 * units::second));
        }
        if (typos == 3) return t.end();
        ssh_password(s, t, true);
        const bool copy = s.random.chance(0.2);
        for (int n = copy ? s.random.pick_int(1, 4) : keys; n > 0 && !t.over(); --n) {
            if (copy) {
                const bool upwards = s.random.chance(0.5);
                const message file{blob{}, s.random.log_between(3'000, 900'000)};
                upwards ? t.up(file) : t.down(file);
                continue;
            }
            t.up(message{blob{}, 36 + 8 * s.random.below(4)})
                .down(message{blob{},
                              s.random.chance(0.8) ? 36 + 8 * s.random.below(8) : s.random.log_between(60, 6000)});
            t.think(s.random.lognormal(pause, 0.9));
        }
        t.end();
    }
};

struct remote_desktop {
    static constexpr std::string_view name = "remote_desktop";
    static constexpr std::string_view about =
        "RDP sessions: a log-in, now and then a wrong password first, then pictures down and input up";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 5;
    static constexpr busy_hours hours = busy_hours::office;
    static void emit(stage& s) {
        host& user = s.net.client(s.random);
        host& server = s.net.other_local(s.random, user);
        if (&user == &server) return;
        std::int64_t when = s.some_time();
        for (int tries = s.random.chance(0.2) ? 2 : 1; tries > 0; --tries) {
            tcp_session t{s, {&user, &server, 3389, when}};
            t.open().up(payload::rdp_request(user.name)).down(payload::rdp_confirm());
            const auto hello = payload::tls_client::draw(s.random);
            start_tls(s, t, hello, server.name, false, true);
            for (int n = 0; n < 3; ++n)
                t.up(payload::tls_data(s.random.between(100, 700))).down(payload::tls_data(s.random.between(60, 400)));
            if (tries > 1) {
                t.end();
                when = t.now() + s.random.between(3, 12) * units::second;
                continue;
            }
            for (int n = s.random.pick_int(20, 300); n > 0 && !t.over(); --n) {
                if (s.random.chance(0.7)) t.up(payload::tls_data(s.random.between(20, 90)));
                t.down(payload::tls_data(std::min<std::int64_t>(s.random.lognormal(300, 1.8), 90'000)))
                    .think(s.random.exponential(120 * units::ms));
            }
            t.end();
        }
    }
};

struct file_transfer {
    static constexpr std::string_view name = "file_transfer";
    static constexpr std::string_view about =
        "FTP with data connections, rsync and backup runs inside the network and out of it";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 5;
    static void emit(stage& s) {
        host& user = s.net.local(s.random);
        host& server = s.random.chance(0.5) ? s.net.outside(s.random) : s.net.other_local(s.random, user);
        if (&user == &server) return;
        const bool upwards = s.random.chance(0.5);
        if (s.random.chance(0.5)) {
            tcp_session t{
                s, {&user, &server, s.random.chance(0.6) ? std::uint16_t{873} : std::uint16_t{10000}, s.some_time()}};
            t.open().up(blob{"@RSYNCD: 31.0\n"}).down(blob{"@RSYNCD: 31.0\n"});
            for (int n = s.random.pick_int(2, 30); n > 0 && !t.over(); --n) {
                const message file{blob{}, std::min<std::int64_t>(s.random.lognormal(40'000, 1.8), 1'500'000)};
                upwards ? t.up(file) : t.down(file);
                t.think(s.random.log_between(units::ms, 500 * units::ms));
            }
            return t.end();
        }
        tcp_session t{s, {&user, &server, 21, s.some_time()}};
        t.open();
        if (s.random.chance(0.15))
            speak(t, "220 FTP ready\r\n",
                  {{"USER me\r\n", "331 password\r\n"}, {"PASS oops\r\n", "530 Login incorrect.\r\n"}});
        speak(t, "220 FTP ready\r\n",
              {{"USER me\r\n", "331 Please specify the password.\r\n"},
               {"PASS secret\r\n", "230 Login successful.\r\n"},
               {"TYPE I\r\n", "200 Binary.\r\n"}});
        for (int n = s.random.pick_int(1, 10); n > 0 && !t.over(); --n) {
            t.up(blob{"PASV\r\n"}).down(blob{"227 Entering Passive Mode (1,2,3,4,5,6).\r\n"});
            tcp_session data{
                s, {&user, &server, static_cast<std::uint16_t>(s.random.between(20000, 60000)), t.now() + units::ms}};
            data.open();
            t.up(blob{upwards ? "STOR file\r\n" : "RETR file\r\n"}).down(blob{"150 Ok to send data.\r\n"});
            const message file{blob{}, s.random.log_between(300, 800'000)};
            upwards ? data.up(file) : data.down(file);
            data.finish(upwards ? way::up : way::down);
            t.think(data.now() > t.now() ? data.now() - t.now() : 0).down(blob{"226 Transfer complete.\r\n"});
        }
        t.up(blob{"QUIT\r\n"}).down(blob{"221 Goodbye.\r\n"}).end();
    }
};

}  // namespace detail::benign
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
