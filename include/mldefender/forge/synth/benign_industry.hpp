// SPDX-License-Identifier: MIT
// Control systems at work: masters that poll their stations several times a second for years, stations that report by
// themselves, buildings that ask who is there. Regular as a clock, never ending, sometimes to many stations: no beacon
// and no scan. Listed in scenario.hpp.
#pragma once

#include <cstdint>

#include <mldefender/forge/synth/behaviour.hpp>
#include <mldefender/forge/synth/payload_industry.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace detail::benign {

struct industry {
    static constexpr std::string_view name = "industry";
    static constexpr std::string_view about =
        "control systems: Modbus, S7, DNP3, OPC-UA and IEC 104 polled several times a second on connections that never "
        "end";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 6;
    static void emit(stage& s) {
        host& master = s.net.local(s.random);
        const std::uint32_t kind = s.random.below(5);
        static constexpr std::uint16_t ports[] = {502, 102, 20000, 4840, 2404};
        const std::int64_t period = s.random.log_between(20 * units::ms, 10 * units::second);
        for (int stations = s.random.pick_int(1, 8); stations > 0; --stations) {
            host& station = s.net.other_local(s.random, master);
            if (&station == &master) return;
            tcp_session t{s, {&master, &station, ports[kind], s.out.begin_ns() - s.random.between(0, period)}};
            const bool opens = s.random.chance(0.5);
            opens ? t.open() : t.midway();
            if (opens) greet(s, t, kind);
            const auto size = static_cast<std::uint16_t>(s.random.between(1, 100));
            for (std::uint16_t n = 0; !t.over() && n < 3000; ++n) {
                poll(s, t, kind, n, size);
                t.think(s.random.around(period, 10));
            }
        }
    }

private:
    static void greet(stage& s, tcp_session& t, std::uint32_t kind) {
        rng& r = s.random;
        if (kind == 1) {
            t.up(payload::cotp(0xe0)).down(payload::cotp(0xd0));
            t.up(payload::s7(r, 1, 0xf0, 0, 0)).down(payload::s7(r, 3, 0xf0, 0, 0));
        } else if (kind == 3) {
            const std::string endpoint = "opc.tcp://" + t.server().name + ":4840";
            t.up(payload::opc_ua_hello(false, endpoint)).down(payload::opc_ua_hello(true, endpoint));
            t.up(payload::opc_ua_open(r, false)).down(payload::opc_ua_open(r, true));
        } else if (kind == 4) {
            t.up(payload::iec104_control(0x07)).down(payload::iec104_control(0x0b));
        }
    }
    static void poll(stage& s, tcp_session& t, std::uint32_t kind, std::uint16_t n, std::uint16_t size) {
        rng& r = s.random;
        const auto sequence = static_cast<std::uint8_t>(n);
        if (kind == 0) {
            const std::uint8_t function = r.chance(0.9) ? std::uint8_t{3} : std::uint8_t{4};
            const auto words = static_cast<std::uint8_t>(size);
            t.up(payload::modbus(r, n, function, 100, words, false))
                .down(payload::modbus(r, n, function, 100, words, true));
        } else if (kind == 1) {
            t.up(payload::s7(r, 1, 4, n, size)).down(payload::s7(r, 3, 4, n, size));
        } else if (kind == 2) {
            t.up(payload::dnp3(r, sequence, false, 0)).down(payload::dnp3(r, sequence, true, size));
        } else if (kind == 3) {
            const std::size_t values = 1 + size % 12U;
            t.up(payload::opc_ua_read(r, n, false, values)).down(payload::opc_ua_read(r, n, true, values));
        } else {
            t.down(payload::iec104_values(r, n, 0, 1 + size % 20U));
            if (n % 8 == 7) t.up(payload::iec104_acknowledge(static_cast<std::uint16_t>(n + 1)));
            if (r.chance(0.01)) t.up(payload::iec104_control(0x43)).down(payload::iec104_control(0x83));
        }
    }
};

struct building {
    static constexpr std::string_view name = "building";
    static constexpr std::string_view about =
        "building automation by BACnet: who is there, asked to everybody, then properties of every controller read in "
        "turn";
    static constexpr attack_class label = attack_class::none;
    static constexpr int weight = 3;
    static void emit(stage& s) {
        rng& r = s.random;
        host& centre = s.net.server(r);
        host everyone = s.net.nobody(address::v4(0xffffffffU));
        udp_session{s, {&centre, &everyone, 47808, s.some_time(), 47808}}.up(payload::bacnet_who_is());
        const std::int64_t period = r.log_between(units::second, 60 * units::second);
        for (int controllers = r.pick_int(1, 20); controllers > 0; --controllers) {
            host& controller = s.net.other_local(r, centre);
            if (&controller == &centre) return;
            std::uint8_t invoke = 0;
            regularly(s, period, 5, [&](std::int64_t when) {
                udp_session u{s, {&centre, &controller, 47808, when, 47808}};
                for (int n = r.pick_int(1, 6); n > 0; --n, ++invoke)
                    u.up(payload::bacnet_read(r, invoke, false)).down(payload::bacnet_read(r, invoke, true));
            });
        }
    }
};

}  // namespace detail::benign
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
