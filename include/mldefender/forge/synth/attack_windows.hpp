// SPDX-License-Identifier: MIT
// Intruders inside a Windows network: remote execution by services, tasks, WMI, DCOM and WinRM, directory theft, worms
// over SMB, bulk encryption of shares. The same sessions administrators and users have, with other calls, order and
// rate. Listed in scenario.hpp.
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

struct remote_service {
    static constexpr std::string_view name = "remote_service";
    static constexpr std::string_view about =
        "psexec, smbexec and their kin: administrative share, a program written, a service or task created over RPC "
        "pipes";
    static constexpr attack_class label = attack_class::lateral;
    static constexpr int weight = 14;
    static void emit(stage& s) {
        rng& r = s.random;
        host& attacker = s.net.local(r);
        const int victims = r.chance(0.7) ? 1 : r.pick_int(2, 12);
        const pace rhythm = pace::poisson(r.log_between(10 * units::ms, 20 * units::second));
        repeat(s, {s.some_time(), victims, rhythm}, [&](std::int64_t when) {
            host& victim = s.net.other_local(r, attacker);
            return &victim != &attacker ? strike(s, attacker, victim, when) : when;
        });
    }
    static std::int64_t strike(stage& s, host& attacker, host& victim, std::int64_t when) {
        rng& r = s.random;
        tcp_session t{s, {&attacker, &victim, 445, when}};
        smb_client smb{s, t.open()};
        smb.log_in("administrator", true, r.chance(0.25));
        const bool drops_file = r.chance(0.55);
        if (drops_file) {
            smb.connect_tree(r.chance(0.8) ? "ADMIN$" : "C$");
            smb.create(world::word(r) + ".exe", true);
            for (std::int64_t left = r.log_between(2'000, 900'000); left > 0 && !t.over(); left -= 65536)
                smb.write(std::min<std::int64_t>(left, 65536));
            smb.close();
        }
        smb.connect_tree("IPC$");
        const std::uint32_t kind = r.below(10);
        if (kind < 6)
            service(s, smb);
        else if (kind < 8)
            task(s, smb);
        else
            survey(s, smb);
        const bool talks = r.chance(0.5);
        if (talks) {  // commands and output through a pipe or an output file
            smb.create(r.chance(0.5) ? "RemCom_communication" : "__output", true);
            for (int n = r.pick_int(1, 30); n > 0 && !t.over(); --n) {
                if (r.chance(0.5)) smb.write(r.log_between(8, 400), body_kind::text);
                smb.read(r.log_between(1, 4000));
                smb.pause(r.log_between(units::ms, 6 * units::second));
            }
            smb.close();
        }
        if (drops_file && r.chance(0.7)) {
            smb.create(world::word(r) + ".exe", true);
            smb.set_info(13, {});
            smb.close();
        }
        smb.log_off();
        t.end();
        return t.now();
    }

private:
    static void service(stage& s, smb_client& smb) {
        rng& r = s.random;
        smb.bind_pipe(payload::rpc::service_control);
        smb.procedure(15, 60, 28);                                         // open manager
        if (r.chance(0.4)) smb.procedure(14, size_range{200, 2000}, 600);  // list
        smb.procedure(12, size_range{220, 700}, 28);                       // create service
        smb.procedure(16, 80, 28);                                         // open service
        smb.procedure(19, 40, 8);                                          // start
        smb.pause(r.log_between(10 * units::ms, 8 * units::second));
        for (int n = r.pick_int(0, 4); n > 0; --n) smb.procedure(6, 28, 32);
        if (r.chance(0.7)) smb.procedure(2, 24, 8);  // delete
        smb.procedure(0, 24, 28);
        smb.close();
    }
    static void task(stage& s, smb_client& smb) {
        rng& r = s.random;
        smb.bind_pipe(r.chance(0.7) ? payload::rpc::task_scheduler : payload::rpc::at_service);
        smb.procedure(1, size_range{1200, 3500}, 60);  // register
        smb.procedure(12, 120, 60);                    // run
        smb.pause(r.log_between(100 * units::ms, 4 * units::second));
        for (int n = r.pick_int(0, 5); n > 0; --n) smb.procedure(8, 80, 80);
        if (r.chance(0.7)) smb.procedure(13, 100, 8);  // delete
        smb.close();
    }
    static void survey(stage& s, smb_client& smb) {
        rng& r = s.random;
        for (const auto* i : {&payload::rpc::accounts, &payload::rpc::local_security, &payload::rpc::server_service,
                              &payload::rpc::workstation, &payload::rpc::registry}) {
            if (r.chance(0.4)) continue;
            smb.bind_pipe(*i);
            for (int n = r.pick_int(2, 20); n > 0; --n)
                smb.procedure(static_cast<std::uint16_t>(r.pick_int(0, 46)), 90, size_range{40, 3000});
            smb.close();
        }
    }
};

struct remote_objects {
    static constexpr std::string_view name = "remote_objects";
    static constexpr std::string_view about =
        "WMI and DCOM execution: port 135, activation, then a high port with a few sealed calls, output fetched over "
        "SMB";
    static constexpr attack_class label = attack_class::lateral;
    static constexpr int weight = 12;
    static void emit(stage& s) {
        rng& r = s.random;
        const opponents who = opponents::inside(s);
        if (!who) return;
        host& attacker = *who.attacker;
        host& victim = *who.victim;
        std::int64_t when = s.some_time();
        tcp_session door{s, {&attacker, &victim, 135, when}};
        rpc_client first{s, door.open()};
        first.bind(payload::rpc::oxid_resolver, r.chance(0.5));
        first.procedure(5, 24, 120);
        tcp_session activate{s, {&attacker, &victim, 135, door.now()}};
        rpc_client second{s, activate.open()};
        second.bind(payload::rpc::activation, true);
        second.procedure(4, size_range{700, 1100}, size_range{900, 1300});
        const auto port = static_cast<std::uint16_t>(r.chance(0.7) ? r.between(49152, 49200) : r.between(1025, 65000));
        tcp_session t{s, {&attacker, &victim, port, activate.now()}};
        rpc_client objects{s, t.open()};
        const bool wmi = r.chance(0.7);
        objects.bind(wmi ? payload::rpc::wmi_login : payload::rpc::remote_unknown, true);
        objects.procedure(6, size_range{180, 400}, size_range{200, 500});
        if (wmi) objects.bind(payload::rpc::wmi_services, true);
        for (int commands = r.pick_int(1, 12); commands > 0 && !t.over(); --commands) {
            objects.procedure(6, size_range{150, 260}, size_range{2000, 40'000});  // get the class
            objects.procedure(24, size_range{900, 2200}, size_range{300, 900});    // run the method
            if (r.chance(0.5)) objects.procedure(5, 80, 60);
            t.think(r.log_between(50 * units::ms, 15 * units::second));
        }
        t.end();
        door.end();
        activate.end();
        if (!r.chance(0.5)) return;
        tcp_session share{s, {&attacker, &victim, 445, activate.now() + r.log_between(units::ms, 2 * units::second)}};
        smb_client smb{s, share.open()};
        smb.log_in("administrator", true, r.chance(0.2));
        smb.connect_tree("ADMIN$");
        for (int n = r.pick_int(1, 12); n > 0; --n) {
            const std::string output = "__" + std::to_string(r.below(1U << 30));
            smb.create(output, false, r.chance(0.3) ? 0xc0000043U : 0U);
            smb.read(r.log_between(2, 6000));
            smb.set_info(13, {});
            smb.close();
            smb.pause(r.log_between(100 * units::ms, 5 * units::second));
        }
        share.end();
    }
};

struct remote_management {
    static constexpr std::string_view name = "remote_management";
    static constexpr std::string_view about =
        "commands by WinRM: a shell over HTTP on 5985 with encrypted envelopes, answers polled";
    static constexpr attack_class label = attack_class::lateral;
    static constexpr int weight = 5;
    static void emit(stage& s) {
        rng& r = s.random;
        const opponents who = opponents::inside(s);
        if (!who) return;
        host& attacker = *who.attacker;
        host& victim = *who.victim;
        std::int64_t when = s.some_time();
        for (int connections = r.pick_int(1, 4); connections > 0; --connections) {
            tcp_session t{s, {&attacker, &victim, 5985, when}};
            t.open();
            const std::string_view agent = r.chance(0.5) ? "Microsoft WinRM Client" : "Ruby WinRM Client";
            t.up(payload::http_ask(r, {.method = "POST", .path = "/wsman", .host = victim.name, .agent = agent}))
                .down(payload::http_reply(r, 401, 0));
            for (int n = r.pick_int(3, 40); n > 0 && !t.over(); --n) {
                const std::int64_t size = r.log_between(900, 9000);
                t.up(payload::http_ask(
                    r, {.method = "POST",
                        .path = "/wsman",
                        .host = victim.name,
                        .agent = agent,
                        .body = size,
                        .body_head =
                            "--Encrypted Boundary\r\nContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n"}));
                t.think(r.log_between(2 * units::ms, 2 * units::second));
                t.down(payload::http_reply(r, 200, r.log_between(700, 30'000), "multipart/encrypted"));
            }
            t.end();
            when = t.now() - r.log_between(units::ms, units::second);
        }
    }
};

struct directory_theft {
    static constexpr std::string_view name = "directory_theft";
    static constexpr std::string_view about =
        "replication asked for by a workstation, null log-on floods at the controller, tickets roasted, directory "
        "dumped by LDAP";
    static constexpr attack_class label = attack_class::lateral;
    static constexpr int weight = 8;
    static void emit(stage& s) {
        host& attacker = s.net.client(s.random);
        host& controller = s.net.domain_controller();
        const std::int64_t when = s.some_time();
        switch (s.random.below(4)) {
            case 0: return replicate(s, attacker, controller, when);
            case 1: return null_log_ons(s, attacker, controller, when);
            case 2: return roast(s, attacker, when);
            default: return dump(s, attacker, controller, when);
        }
    }

private:
    static void replicate(stage& s, host& attacker, host& controller, std::int64_t when) {
        rng& r = s.random;
        const std::uint16_t port = service_port(r);
        when = map_endpoint(s, attacker, controller, when);
        tcp_session t{s, {&attacker, &controller, port, when}};
        rpc_client rpc{s, t.open()};
        rpc.bind(payload::rpc::replication, true);
        rpc.procedure(0, 88, 100);
        rpc.procedure(16, 120, size_range{300, 900});
        for (int n = r.pick_int(1, 200); n > 0 && !t.over(); --n) {
            rpc.procedure(12, size_range{90, 300}, size_range{150, 400});
            rpc.procedure(3, size_range{250, 700}, size_range{1500, 60'000});
        }
        t.end();
    }
    static void null_log_ons(stage& s, host& attacker, host& controller, std::int64_t when) {
        rng& r = s.random;
        const std::uint16_t port = service_port(r);
        const pace rhythm = pace::poisson(r.log_between(100 * units::us, 20 * units::ms));
        repeat(s, {when, r.pick_int(20, 600), rhythm}, [&](std::int64_t at) {
            if (r.chance(0.5)) at = map_endpoint(s, attacker, controller, at);
            tcp_session t{s, {&attacker, &controller, port, at}};
            rpc_client rpc{s, t.open()};
            rpc.bind(payload::rpc::net_logon, false);
            rpc.procedure(4, 70, 12);
            rpc.procedure(26, 130, 40, r.chance(0.95));
            t.end();
            return t.now();
        });
    }
    static void roast(stage& s, host& attacker, std::int64_t when) {
        rng& r = s.random;
        const std::string realm = s.net.domain_name();
        const pace rhythm = pace::poisson(r.log_between(100 * units::us, 50 * units::ms));
        repeat(s, {when, r.pick_int(2, 40), rhythm}, [&](std::int64_t at) {
            const std::int64_t size = r.between(900, 1600);
            const std::string service = world::word(r);
            return kerberos_talk(s, attacker, {12, "user", realm, service, 0, false, 23, size},
                                 {13, "user", realm, service, 0, false, 23, size}, at, true);
        });
    }
    static void dump(stage& s, host& attacker, host& controller, std::int64_t when) {
        rng& r = s.random;
        tcp_session t{s, {&attacker, &controller, 389, when}};
        t.open().up(payload::ldap(1, 0x60, "", 120)).down(payload::ldap(1, 0x61, ""));
        for (int n = r.pick_int(5, 120); n > 0 && !t.over(); --n) {
            t.up(payload::ldap(2, 0x63, "(&(objectClass=user)(servicePrincipalName=*))", r.between(40, 200)));
            t.down(payload::ldap(2, 0x64, s.net.domain_name(), r.log_between(4000, 90'000)));
        }
        t.end();
    }
    [[nodiscard]] static std::uint16_t service_port(rng& r) {
        return static_cast<std::uint16_t>(r.between(49152, 49800));
    }
};

/// Where a worm looks, and how fast.
struct worm_plan {
    host* source = nullptr;
    pace rhythm;
    int targets = 100;
    std::int64_t start_ns = 0;
    double outwards = 0;    ///< share of targets outside
    bool in_order = true;   ///< neighbours counted up, else anywhere in the network
    double exploits = 0.5;  ///< of open ports that are struck

    [[nodiscard]] static worm_plan draw(stage& s) {
        rng& r = s.random;
        worm_plan p;
        p.source = &s.net.local(r);
        p.rhythm = pace::draw(r, units::ms, 5 * units::second);
        p.targets = s.scaled(r.log_between(8, 600));
        p.start_ns = s.some_time();
        p.outwards = r.chance(0.4) ? 0.7 : 0.0;
        p.in_order = r.chance(0.6);
        p.exploits = r.chance(0.8) ? 0.5 : 0.0;
        return p;
    }
};

struct smb_worm {
    static constexpr std::string_view name = "smb_worm";
    static constexpr std::string_view about =
        "a worm: sweeps port 445 inside and outside, and where it opens sends old-dialect requests of unnatural sizes";
    static constexpr attack_class label = attack_class::lateral;
    static constexpr int weight = 9;
    static void emit(stage& s) { play(s, worm_plan::draw(s)); }
    /// The same as planned.
    static void play(stage& s, const worm_plan& p) {
        rng& r = s.random;
        const std::uint32_t base = s.net.local_network().base.v4_number();
        const std::uint32_t room = (1U << (32 - s.net.local_network().prefix)) - 2;
        std::uint32_t next = 0;
        repeat(s, {p.start_ns, p.targets, p.rhythm}, [&](std::int64_t when) {
            const address inside = p.in_order ? address::v4(base + 1 + next++ % room) : s.net.local_address(r);
            const address a = r.chance(p.outwards) ? s.net.public_v4(r) : inside;
            host* known = s.net.find_local(a);
            if (known == p.source) return;
            host silent = s.net.nobody(a);
            tcp_session t{s, {p.source, known != nullptr ? known : &silent, 445, when}};
            if (known == nullptr) return t.unanswered(r.pick_int(0, 2));
            if (r.chance(0.4)) return t.refused(r.pick_int(1, 2));
            t.open();
            probe(s, t, r.chance(p.exploits));
        });
    }

private:
    static void probe(stage& s, tcp_session& t, bool exploit) {
        rng& r = s.random;
        blob dialects;
        dialects.u8(0).le16(12).u8(2).text("NT LM 0.12").u8(0);
        t.up(payload::smb1(0x72, false, 0, 0, 0, dialects))
            .down(payload::smb1(0x72, true, 0, 0, 0, blob{}.u8(17).le16(5).u8(3), 90));
        t.up(payload::smb1(0x73, false, 0, 0, 0, blob{}.u8(13).u8(0xff), 60))
            .down(payload::smb1(0x73, true, 0, 0, 2048, blob{}.u8(3).u8(0xff), 70));
        t.up(payload::smb1(0x75, false, 0, 0, 2048, blob{}.u8(4).u8(0xff).zeros(12).text("\\\\host\\IPC$").u8(0)))
            .down(payload::smb1(0x75, true, 0, 2048, 2048, blob{}.u8(3).u8(0xff), 30));
        t.up(payload::smb1(0x25, false, 0, 2048, 2048, blob{}.u8(16).zeros(20), 30))
            .down(payload::smb1(0x25, true, 0xc0000205, 2048, 2048, blob{}.u8(0).le16(0)));
        if (!exploit) return t.end();
        t.up(payload::smb1(0xa0, false, 0, 2048, 2048, blob{}.u8(20).u8(0).le16(0).le32(30).le32(66512), 1000))
            .down(payload::smb1(0xa0, true, 0, 2048, 2048, blob{}.u8(0).le16(0)));
        for (int n = r.pick_int(10, 18); n > 0; --n)
            t.up(payload::smb1(0x33, false, 0, 2048, 2048, blob{}.u8(9).zeros(18), 4096));
        for (int grooms = r.pick_int(3, 18); grooms > 0; --grooms) {
            tcp_session groom{
                s, {&t.client(), &t.server(), 445, t.now() + r.log_between(100 * units::us, 30 * units::ms)}};
            groom.open().up(message{blob{}.be32(0xfff7).u8(0xfe).text("SMB"), r.between(130, 4200), body_kind::zeros});
            groom.think(r.log_between(10 * units::ms, 2 * units::second)).finish();
        }
        for (int n = r.pick_int(1, 8); n > 0; --n) {
            t.up(payload::smb1(0x32, false, 0, 2048, 2048, blob{}.u8(15).zeros(30).le16(14), 4096, body_kind::random));
            t.down(payload::smb1(0x32, true, 0xc0000002, 2048, 2048, blob{}.u8(0).le16(0)));
        }
        t.end();
    }
};

struct share_encryption {
    static constexpr std::string_view name = "share_encryption";
    static constexpr std::string_view about =
        "ransomware on shares: every file read, overwritten with noise, renamed, note dropped, as fast as the server "
        "allows";
    static constexpr attack_class label = attack_class::ransomware;
    static constexpr int weight = 12;
    static void emit(stage& s) {
        rng& r = s.random;
        host& infected = s.net.client(r);
        std::int64_t start = s.some_time();
        const std::string ending = "." + world::word(r);
        for (int servers = r.pick_int(1, 3); servers > 0; --servers) {
            host& server = s.net.server(r);
            tcp_session t{s, {&infected, &server, 445, start}};
            smb_client smb{s, r.chance(0.8) ? t.open() : t.midway()};
            smb.log_in(infected.name, true, r.chance(0.5));
            smb.connect_tree(world::word(r));
            const std::int64_t size = r.log_between(2'000, 150'000);
            const std::int64_t pause = r.log_between(50 * units::us, 100 * units::ms);
            const bool new_file = r.chance(0.3);
            for (int files = s.scaled(r.log_between(30, 400)); files > 0 && !t.over(); --files) {
                if (r.chance(0.1)) smb.list(r.pick_int(5, 60));
                const std::string file = world::word(r) + ".docx";
                const std::int64_t length = std::min<std::int64_t>(r.lognormal(size, 0.8), 300'000);
                smb.create(file, true);
                smb.read(length, body_kind::text);
                if (new_file) {
                    smb.close();
                    smb.create(file + ending, true);
                }
                smb.write(length, body_kind::random);
                smb.set_info(new_file ? std::uint8_t{13} : std::uint8_t{10}, file + ending);
                smb.close();
                if (r.chance(0.06)) {
                    smb.create("README" + ending + ".txt", true);
                    smb.write(r.between(600, 3000), body_kind::text);
                    smb.close();
                }
                t.think(r.exponential(pause));
            }
            t.end();
            start += r.log_between(10 * units::ms, 5 * units::second);
        }
    }
};

struct address_beacon {
    static constexpr std::string_view name = "address_beacon";
    static constexpr std::string_view about =
        "ransomware telling itself: the same small datagram to every address of outside networks within seconds";
    static constexpr attack_class label = attack_class::ransomware;
    static constexpr int weight = 9;
    static void emit(stage& s) {
        rng& r = s.random;
        host& infected = s.net.client(r);
        const std::uint16_t port = any_port(r);
        const std::uint16_t own = any_port(r);
        const std::int64_t size = r.between(8, 64);
        const body_kind looks = r.chance(0.5) ? body_kind::text : body_kind::random;
        const pace rhythm = pace::steady(r.log_between(50 * units::us, 100 * units::ms), 50);
        std::int64_t when = s.some_time();
        for (int networks = r.pick_int(1, 4); networks > 0; --networks) {
            std::uint32_t next = static_cast<std::uint32_t>(s.net.public_v4(r).low) & ~0xfffU;
            when = repeat(s, {when, s.scaled(r.log_between(20, 2000)), rhythm}, [&](std::int64_t at) {
                host target = s.net.nobody(address::v4(next++));
                udp_session u{s, {&infected, &target, port, at, own}};
                u.up(message{blob{}, size, looks});
                if (r.chance(0.01)) u.unreachable();
            });
            when += r.log_between(10 * units::ms, 20 * units::second);
        }
    }
};

}  // namespace detail::attack
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
