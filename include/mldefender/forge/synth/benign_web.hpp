// SPDX-License-Identifier: MIT
// People and programs on the web: pages, video, updates, chat, polling, uploads, visitors of one's own server, crowds.
// Includes what looks like an attack and is none: bursts of connections, regular periods, large uploads, failed pages.
// Listed in scenario.hpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include <mldefender/forge/synth/behaviour.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace detail::benign {

/// One HTTP/1 connection with several requests.
inline std::int64_t http_talk(stage& s, const call& c, std::string_view site, int requests, std::int64_t answer,
                              std::int64_t pause_ns, std::string_view agent) {
    tcp_session t{s, c};
    t.open();
    const std::int64_t cookie = s.random.chance(0.5) ? s.random.between(20, 700) : 0;
    for (int i = 0; i < requests && !t.over(); ++i) {
        if (i > 0) t.think(s.random.lognormal(pause_ns, 1.0));
        const std::string path = payload::web_path(s.random, world::word(s.random));
        t.up(payload::http_ask(s.random, {.path = path, .host = site, .agent = agent, .cookie = cookie}));
        t.think(s.random.log_between(units::ms, 150 * units::ms));
        const int status = s.random.chance(0.88) ? 200 : s.random.chance(0.5) ? 304 : s.random.chance(0.5) ? 302 : 404;
        const std::int64_t size = status == 200 ? std::min<std::int64_t>(s.random.lognormal(answer, 1.3), 2'000'000)
                                                : s.random.between(0, 500);
        static constexpr std::string_view types[] = {"text/html", "image/webp", "application/javascript",
                                                     "application/json", "font/woff2"};
        const std::string_view type = s.random.pick(types);
        t.down(payload::http_reply(s.random, status, size, status == 200 ? type : "text/html"));
    }
    if (s.random.chance(0.4)) t.think(s.random.log_between(units::ms, 60 * units::second));
    t.end();
    return t.now();
}

/// One QUIC connection: hellos, then data both ways.
inline void quic_talk(stage& s, host& client, host& server, std::int64_t when, std::int64_t down_bytes) {
    udp_session u{s, {&client, &server, 443, when}};
    const std::int64_t first = s.random.between(1200, 1357);
    u.up(payload::quic_packet(s.random, 0, first));
    u.down(payload::quic_packet(s.random, 0, first))
        .down(payload::quic_packet(s.random, 2, s.random.between(700, 1357)));
    u.up(payload::quic_packet(s.random, 2, s.random.between(60, 140)))
        .up(payload::quic_packet(s.random, 4, s.random.between(60, 700)));
    int in_row = 0;
    for (std::int64_t left = down_bytes; left > 0 && !u.over(); left -= 1300) {
        u.down(payload::quic_packet(s.random, 4, std::min<std::int64_t>(left + 30, s.random.between(1200, 1357))));
        if (++in_row % s.random.pick_int(2, 12) == 0) {
            u.up(payload::quic_packet(s.random, 4, s.random.between(33, 60)));
            if (s.random.chance(0.05)) u.think(s.random.log_between(10 * units::ms, 3 * units::second));
        }
    }
}

struct browsing {
    static constexpr std::string_view name = "browsing";
    static constexpr std::string_view about =
        "people reading pages: look-ups, parallel HTTP/1, HTTP/2 and QUIC connections, CDNs, ads, some of them failing";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 40;

    static void page(stage& s, host& user, const payload::tls_client& hello, std::string_view agent,
                     std::int64_t when) {
        const int hosts = s.random.pick_int(1, 12);
        for (int h = 0; h < hosts; ++h) {
            const std::string site = h == 0 || s.random.chance(0.5) ? s.net.site(s.random) : s.net.cdn_name(s.random);
            when = s.random.chance(0.6) ? look_up_site(s, user, site, when) : when;
            host& server = s.net.outside(s.random);
            const int connections = s.random.pick_int(1, h == 0 ? 6 : 2);
            for (int c = 0; c < connections; ++c) {
                const std::int64_t start = when + s.random.log_between(10 * units::us, 300 * units::ms);
                fetch(s, user, server, hello, agent, site, start);
            }
            when += s.random.log_between(units::ms, 400 * units::ms);
        }
    }
    /// One connection of a page, over whichever protocol the server speaks; a few never come about.
    static void fetch(stage& s, host& user, host& server, const payload::tls_client& hello, std::string_view agent,
                      std::string_view site, std::int64_t start) {
        rng& r = s.random;
        const std::uint32_t kind = r.below(20);
        const call c{&user, &server, kind < 4 ? std::uint16_t{80} : std::uint16_t{443}, start};
        if (kind < 4) {
            http_talk(s, c, site, r.pick_int(1, 8), 6000, 400 * units::ms, agent);
        } else if (kind < 8) {
            quic_talk(s, user, server, start, r.pareto(4'000, 0.9, 2'000'000));
        } else if (kind < 14) {
            h2_talk(s, c, hello, site,
                    {r.pick_int(1, 4), 12, 6'000, 2 * units::second, r.chance(0.3) ? 180 * units::second : 0});
        } else if (kind < 19) {
            const int requests = r.pick_int(1, 6);
            const bool resumed = r.chance(0.4);
            tls_talk(s, c, hello, site, {requests, 500, 12'000, 1.5, 300 * units::ms, resumed});
        } else if (r.chance(0.5)) {  // opened beforehand, or the loser of a race between two addresses
            tcp_session unused{s, c};
            unused.open().think(r.log_between(units::ms, 10 * units::second)).end();
        } else {
            tcp_session failing{s, c};
            r.chance(0.7) ? failing.unanswered(r.pick_int(0, 3)) : failing.refused();
        }
    }
    static void emit(stage& s) {
        host& user = s.net.client(s.random);
        const auto hello = payload::tls_client::draw(s.random);
        const std::string_view agent = payload::agents[s.random.below(6)];
        std::int64_t when = s.some_time();
        for (int pages = s.scaled(s.random.between(1, 8)); pages > 0 && s.goes_on(when); --pages) {
            page(s, user, hello, agent, when);
            when += s.random.lognormal(15 * units::second, 1.0);
        }
    }
};

struct video {
    static constexpr std::string_view name = "video";
    static constexpr std::string_view about =
        "streamed video and music: large chunks at a steady beat over TLS or QUIC";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 6;
    static constexpr busy_hours hours = busy_hours::evening;
    static void emit(stage& s) {
        host& user = s.net.client(s.random);
        host& server = s.net.outside(s.random);
        const std::string site = s.net.cdn_name(s.random);
        std::int64_t when = look_up_site(s, user, site, s.some_time());
        const std::int64_t chunk = s.random.log_between(60'000, 900'000);
        const int chunks = s.random.pick_int(2, 10);
        if (s.random.chance(0.4)) {
            for (int i = 0; i < chunks && s.goes_on(when); ++i, when += s.random.around(5 * units::second, 40)) {
                quic_talk(s, user, server, when, chunk / 2);
            }
            return;
        }
        tls_talk(s, {&user, &server, 443, when}, payload::tls_client::draw(s.random), site,
                 {chunks, 700, chunk, 0.4, 4 * units::second});
    }
};

struct software_update {
    static constexpr std::string_view name = "software_update";
    static constexpr std::string_view about = "checks for updates, then a few large downloads in clear or over TLS";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 8;
    static constexpr busy_hours hours = busy_hours::night;
    static void emit(stage& s) {
        host& machine = s.net.local(s.random);
        const std::string site = s.net.site(s.random);
        host& server = s.net.outside(s.random);
        const std::int64_t when = look_up_site(s, machine, site, s.some_time());
        const std::string_view agent = payload::agents[6 + s.random.below(10)];
        const std::int64_t size = s.random.log_between(500, 1'500'000);
        const int files = s.random.pick_int(1, 8);
        if (s.random.chance(0.6))
            http_talk(s, {&machine, &server, 80, when}, site, files, size, 50 * units::ms, agent);
        else
            tls_talk(s, {&machine, &server, 443, when}, payload::tls_client::draw(s.random), site,
                     {files, 300, size, 0.8, 100 * units::ms});
    }
};

struct chat {
    static constexpr std::string_view name = "chat";
    static constexpr std::string_view about =
        "messengers and push channels: one long connection, small messages, heartbeats";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 14;
    static void emit(stage& s) {
        host& user = s.net.client(s.random);
        static constexpr std::uint16_t ports[] = {443, 443, 443, 5223, 5228, 5222, 8443, 4070, 993};
        const std::uint16_t port = s.random.pick(ports);
        tcp_session t{s, {&user, &s.net.outside(s.random), port, s.some_time()}};
        if (s.random.chance(0.35)) {
            t.midway();
        } else {
            t.open();
            const auto hello = payload::tls_client::draw(s.random);
            const std::string& site = s.net.site(s.random);
            start_tls(s, t, hello, site, s.random.chance(0.5));
        }
        const std::int64_t beat = s.random.log_between(5 * units::second, 240 * units::second);
        while (!t.over()) {
            if (s.random.chance(0.4)) {
                for (int burst = s.random.pick_int(1, 6); burst > 0; --burst) {
                    t.up(payload::tls_data(s.random.log_between(20, 1200)))
                        .down(payload::tls_data(s.random.log_between(20, 2500)));
                    t.think(s.random.log_between(200 * units::ms, 8 * units::second));
                }
            } else if (s.random.chance(0.3)) {
                t.keep_alive();
            } else {
                t.up(payload::tls_data(s.random.between(20, 60))).down(payload::tls_data(s.random.between(20, 60)));
            }
            t.think(s.random.around(beat, 20));
            if (s.random.chance(0.02)) return t.end();
        }
    }
};

struct polling {
    static constexpr std::string_view name = "polling";
    static constexpr std::string_view about =
        "programs asking an API at a regular period, new connection each time or kept open";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 10;
    static void emit(stage& s) {
        host& machine = s.net.local(s.random);
        host& server = s.random.chance(0.7) ? s.net.outside(s.random) : s.net.server(s.random);
        if (&machine == &server) return;
        const auto hello = payload::tls_client::draw(s.random);
        const std::string site = s.net.site(s.random);
        const std::string_view agent = payload::agents[8 + s.random.below(8)];
        const std::int64_t period = s.random.log_between(units::second, 120 * units::second);
        const std::int64_t answer = s.random.log_between(60, 6000);
        const bool secret = s.random.chance(0.75);
        static constexpr std::uint16_t clear_ports[] = {80, 80, 8080, 8086, 9090, 9200, 3000, 5000};
        const std::uint16_t port = secret ? std::uint16_t{443} : s.random.pick(clear_ports);
        if (s.random.chance(0.4)) {
            const auto times = static_cast<int>(std::min<std::int64_t>(s.span_ns() / period + 2, 400));
            const call c{&machine, &server, port, s.out.begin_ns() - s.random.between(0, period)};
            if (secret)
                tls_talk(s, c, hello, site, {times, 300, answer, 0.1, period});
            else
                http_talk(s, c, site, times, answer, period, agent);
            return;
        }
        detail::regularly(s, period, s.random.pick_int(0, 15), [&](std::int64_t when) {
            if (s.random.chance(0.3)) when = look_up_site(s, machine, site, when);
            const call c{&machine, &server, port, when};
            if (secret)
                tls_talk(s, c, hello, site, {1, 300, answer, 0.1, units::second, s.random.chance(0.7)});
            else
                http_talk(s, c, site, 1, answer, units::second, agent);
        });
    }
};

struct cloud_upload {
    static constexpr std::string_view name = "cloud_upload";
    static constexpr std::string_view about =
        "photos, files and backups going up to a cloud service: large uploads that are wanted";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 6;
    static constexpr busy_hours hours = busy_hours::night;
    static void emit(stage& s) {
        host& user = s.net.local(s.random);
        host& server = s.net.outside(s.random);
        const std::string site = s.net.site(s.random);
        std::int64_t when = look_up_site(s, user, site, s.some_time());
        const int files = s.random.pick_int(1, 12);
        const std::int64_t size = s.random.log_between(20'000, 1'500'000);
        for (int lanes = s.random.pick_int(1, 3); lanes > 0; --lanes) {
            tls_talk(s, {&user, &server, 443, when}, payload::tls_client::draw(s.random), site,
                     {files, size, 400, 0.8, 300 * units::ms});
            when += s.random.log_between(units::ms, 3 * units::second);
        }
    }
};

struct web_server {
    static constexpr std::string_view name = "web_server";
    static constexpr std::string_view about =
        "visitors of one's own server from everywhere: pages, forms, crawlers, missing pages, log-ins";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 10;
    static void emit(stage& s) {
        host& server = s.net.server(s.random);
        const std::string site = s.net.site(s.random);
        const bool secret = s.random.chance(0.5);
        const std::uint16_t port = secret ? (s.random.chance(0.9) ? std::uint16_t{443} : std::uint16_t{8443})
                                          : (s.random.chance(0.8) ? std::uint16_t{80} : std::uint16_t{8080});
        detail::now_and_then(
            s, s.random.log_between(200 * units::ms, 20 * units::second) * 100 / s.intensity_percent,
            [&](std::int64_t when) {
                host& visitor = s.random.chance(0.8) ? s.net.visitor(s.random) : s.net.client(s.random);
                const call c{&visitor, &server, port, when};
                const int requests = s.random.pick_int(1, 12);
                if (secret)
                    tls_talk(s, c, payload::tls_client::draw(s.random), site,
                             {requests, 500, 8000, 1.2, 800 * units::ms});
                else
                    http_talk(s, c, site, requests, 5000, 800 * units::ms, payload::agents[s.random.below(16)]);
            });
    }
};

struct flash_crowd {
    static constexpr std::string_view name = "flash_crowd";
    static constexpr std::string_view about =
        "a crowd of real visitors at one server within seconds: many clients, whole handshakes, real requests";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 3;
    static void emit(stage& s) {
        host& server = s.net.server(s.random);
        const std::string site = s.net.site(s.random);
        const bool secret = s.random.chance(0.5);
        const std::int64_t start = s.some_time();
        const std::int64_t width = s.random.log_between(2 * units::second, 60 * units::second);
        for (int n = s.scaled(s.random.log_between(60, 900)); n > 0 && !s.out.full(); --n) {
            host& visitor = s.net.visitor(s.random);
            const call c{&visitor, &server, secret ? std::uint16_t{443} : std::uint16_t{80},
                         start + s.random.between(0, width)};
            const int requests = s.random.pick_int(1, 4);
            if (s.random.chance(0.05))
                tcp_session{s, c}.unanswered(s.random.pick_int(0, 2));
            else if (secret)
                tls_talk(s, c, payload::tls_client::draw(s.random), site, {requests, 500, 5000, 1.0, 500 * units::ms});
            else
                http_talk(s, c, site, requests, 5000, 500 * units::ms, payload::agents[s.random.below(6)]);
        }
    }
};

struct load_balancer {
    static constexpr std::string_view name = "load_balancer";
    static constexpr std::string_view about =
        "machines calling machines: a front end opening short connections to back ends all the time";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 5;
    static void emit(stage& s) {
        host& front = s.net.local(s.random);
        host& back = s.net.other_local(s.random, front);
        if (&front == &back) return;
        static constexpr std::uint16_t ports[] = {80, 8080, 3000, 5000, 8000, 9000, 8443};
        const std::uint16_t port = s.random.pick(ports);
        const std::int64_t gap = s.random.log_between(10 * units::ms, 2 * units::second);
        int left = s.scaled(s.random.log_between(20, 1500));
        detail::now_and_then(s, gap, [&](std::int64_t when) {
            if (left-- > 0)
                http_talk(s, {&front, &back, port, when}, back.name, s.random.pick_int(1, 3), 1500, 30 * units::ms,
                          payload::agents[14]);
        });
    }
};

struct phone_wakes {
    static constexpr std::string_view name = "phone_wakes";
    static constexpr std::string_view about =
        "a phone or laptop waking up: address renewed, Internet checked, time asked, look-ups and a dozen connections "
        "within seconds";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 10;
    static void emit(stage& s) {
        host& phone = s.net.client(s.random);
        std::int64_t when = s.some_time();
        const auto hello = payload::tls_client::draw(s.random);
        greet_network(s, phone, when);
        for (int apps = s.random.pick_int(5, 40); apps > 0 && s.goes_on(when); --apps) {
            const std::string site = s.random.chance(0.7) ? s.net.site(s.random) : s.net.cdn_name(s.random);
            const std::int64_t ready = look_up_site(s, phone, site, when);
            host& server = s.net.outside(s.random);
            if (s.random.chance(0.05))
                tcp_session{s, {&phone, &server, 443, ready}}.unanswered();
            else if (s.random.chance(0.2))
                quic_talk(s, phone, server, ready, s.random.lognormal(3000, 1.0));
            else
                tls_talk(s, {&phone, &server, 443, ready}, hello, site,
                         {s.random.pick_int(1, 3), 500, 3000, 1.2, 400 * units::ms, s.random.chance(0.4)});
            when += s.random.log_between(2 * units::ms, 2 * units::second);
        }
    }

private:
    static void greet_network(stage& s, host& phone, std::int64_t when) {
        rng& r = s.random;
        if (r.chance(0.6) && &phone != &s.net.gateway()) {
            udp_session lease{s, {&phone, &s.net.gateway(), 67, when, 68}};
            lease.up(payload::dhcp(r, 3, phone.mac, phone.name)).down(payload::dhcp(r, 5, phone.mac, phone.name));
        }
        if (r.chance(0.6)) {
            tcp_session t{s, {&phone, &s.net.outside(r), 80, when}};
            t.open().up(payload::http_ask(
                r,
                {.path = "/generate_204", .host = "check.example", .agent = payload::agents[3], .keep_alive = false}));
            t.down(payload::http_reply(r, 204, 0)).end();
        }
        if (r.chance(0.4)) {
            udp_session time{s, {&phone, &s.net.outside(r), 123, when}};
            time.up(payload::ntp(r, 3)).down(payload::ntp(r, 4));
        }
    }
};

struct encrypted_dns {
    static constexpr std::string_view name = "encrypted_dns";
    static constexpr std::string_view about = "DNS over HTTPS or TLS: many small questions on one connection";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 4;
    static void emit(stage& s) {
        host& user = s.net.client(s.random);
        const std::uint16_t port = s.random.chance(0.7) ? std::uint16_t{443} : std::uint16_t{853};
        const call c{&user, &s.net.outside(s.random), port, s.some_time()};
        const auto hello = payload::tls_client::draw(s.random);
        const tls_shape shape{s.random.pick_int(3, 80), 90, 160, 0.3,
                              s.random.log_between(20 * units::ms, 4 * units::second)};
        tls_talk(s, c, hello, s.net.site(s.random), shape);
    }
};

}  // namespace detail::benign
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
