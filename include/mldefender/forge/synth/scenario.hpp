// SPDX-License-Identifier: MIT
// The synthesiser's door: the table of behaviours and `synthesise`, which draws a network, a time, a mix of behaviours,
// plays them and hands every frame with its label to a sink in order of time. The same options, seed and index give the
// same bytes on every machine. It refuses names of behaviours it does not know. Called by mldefender-forge and by
// tests.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mldefender/core/result.hpp>
#include <mldefender/forge/synth/attack_device.hpp>
#include <mldefender/forge/synth/attack_flood.hpp>
#include <mldefender/forge/synth/attack_guess.hpp>
#include <mldefender/forge/synth/attack_malware.hpp>
#include <mldefender/forge/synth/attack_scan.hpp>
#include <mldefender/forge/synth/attack_web.hpp>
#include <mldefender/forge/synth/attack_windows.hpp>
#include <mldefender/forge/synth/benign_industry.hpp>
#include <mldefender/forge/synth/benign_infrastructure.hpp>
#include <mldefender/forge/synth/benign_logins.hpp>
#include <mldefender/forge/synth/benign_machines.hpp>
#include <mldefender/forge/synth/benign_media.hpp>
#include <mldefender/forge/synth/benign_office.hpp>
#include <mldefender/forge/synth/benign_web.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {

namespace detail {

template <class... Bs>
[[nodiscard]] constexpr auto table_of() noexcept {
    return std::array<behaviour_info, sizeof...(Bs)>{info_of<Bs>()...};
}

inline constexpr auto all_behaviours = table_of<
    benign::browsing, benign::video, benign::software_update, benign::chat, benign::polling, benign::cloud_upload,
    benign::web_server, benign::flash_crowd, benign::load_balancer, benign::phone_wakes, benign::encrypted_dns,
    benign::phone_call, benign::conference, benign::game, benign::torrent, benign::tunnel, benign::domain_logon,
    benign::file_server, benign::domain_controllers, benign::management, benign::printing, benign::mail,
    benign::database, benign::remote_shell, benign::remote_desktop, benign::file_transfer, benign::name_noise,
    benign::recursive_resolver, benign::time_sync, benign::neighbourhood, benign::monitoring, benign::telemetry,
    benign::industry, benign::building, benign::failures, benign::trace_route, benign::odd_ends, benign::program_logins,
    benign::service_calls, benign::network_files, benign::backup, benign::inventory, benign::device_setup,
    benign::chat_room, attack::tcp_flood, attack::datagram_flood, attack::network_flood, attack::device_flood,
    attack::ping_flood, attack::request_flood, attack::slow_http, attack::reflection, attack::reflector_abuse,
    attack::tcp_scan, attack::connect_scan, attack::datagram_scan, attack::ping_sweep, attack::host_discovery,
    attack::system_probe, attack::odd_scan, attack::guess_ssh, attack::guess_ftp, attack::guess_desktop,
    attack::guess_share, attack::guess_ticket, attack::guess_web, attack::guess_telnet, attack::guess_directory,
    attack::guess_voice, attack::remote_service, attack::remote_objects, attack::remote_management,
    attack::directory_theft, attack::smb_worm, attack::share_encryption, attack::address_beacon, attack::beacon,
    attack::name_beacon, attack::bare_channel, attack::chat_bot, attack::infection, attack::domain_generation,
    attack::name_channel, attack::echo_channel, attack::data_theft, attack::device_bot, attack::device_loading,
    attack::spam, attack::click_fraud, attack::injection, attack::path_scanner>();

}  // namespace detail

/// Every behaviour, with label, weight and a line of description.
[[nodiscard]] constexpr std::span<const behaviour_info> behaviours() noexcept { return detail::all_behaviours; }

/// The behaviour of a name, or nullptr.
[[nodiscard]] constexpr const behaviour_info* find_behaviour(std::string_view name) noexcept {
    for (const behaviour_info& b : behaviours()) {
        if (b.name == name) return &b;
    }
    return nullptr;
}

/// Names of all behaviours, in the table's order.
[[nodiscard]] inline std::vector<std::string_view> behaviour_names() {
    std::vector<std::string_view> names;
    for (const behaviour_info& b : behaviours()) names.push_back(b.name);
    return names;
}

/// What scenarios of a set have in common.
struct scenario_options {
    double attack_share = 0.6;                      ///< scenarios with at least one attack, 0..1
    double background_share = 0.8;                  ///< attack scenarios that also have ordinary traffic, 0..1
    std::int64_t shortest_ns = 20 * units::second;  ///< shortest capture, > 0
    std::int64_t longest_ns = 600 * units::second;  ///< longest capture, lengths between are log-uniform
    std::size_t max_frames = 200'000;               ///< of one scenario; later frames are dropped
    std::uint32_t body_bytes = 256;                 ///< filler kept per frame; 65535 stores whole frames
    int intensity_percent = 100;                    ///< scales counts in behaviours
    std::vector<std::string> only;                  ///< names of behaviours to choose from; empty: all
};

/// Says which name in `only` is unknown, or whether a number is out of range, before anything is generated.
[[nodiscard]] inline result<void, error> check(const scenario_options& o) {
    for (const std::string& name : o.only) {
        if (find_behaviour(name) == nullptr) {
            return error{errc::bad_argument, "unknown behaviour '" + name + "'; the list is in behaviour_names()",
                         "only", 0};
        }
    }
    if (o.shortest_ns <= 0 || o.longest_ns < o.shortest_ns)
        return error{errc::bad_argument, "durations must satisfy 0 < shortest <= longest", "shortest_ns", 0};
    if (o.max_frames == 0 || o.intensity_percent <= 0)
        return error{errc::bad_argument, "must be positive", "max_frames, intensity_percent", 0};
    return {};
}

namespace detail {

/// How one sensor sees its network; wide on purpose (domain randomisation).
inline void draw_traits(rng& r, world_traits& t) {
    t.vlan = r.chance(0.06) ? static_cast<std::uint16_t>(r.between(1, 4094)) : std::uint16_t{0};
    t.padded = r.chance(0.6);
    t.offload = r.chance(0.2) ? static_cast<std::uint8_t>(r.between(2, 16)) : std::uint8_t{1};
    t.loss = r.chance(0.4) ? 0.0 : static_cast<double>(r.log_between(1, 600)) * 1e-4;
    t.jitter_percent = static_cast<int>(r.log_between(2, 120));
    t.v6_share = r.chance(0.5) ? 0.0 : r.pick_int(1, 9) * 0.1;
    t.view = r.chance(0.94) ? visibility::both : r.chance(0.5) ? visibility::client_only : visibility::server_only;
    t.one_way_share = r.chance(0.85) ? 0.0 : r.pick_int(1, 30) * 0.01;
    t.busy_share = r.chance(0.5) ? 0.0 : r.pick_int(1, 6) * 0.1;
    t.shared_share = r.chance(0.6) ? 0.0 : r.pick_int(1, 8) * 0.1;
    t.translated = r.chance(0.06);
    t.hour = r.pick_int(0, 23);
    t.activity_percent = r.pick_int(60, 140) * (30 + share_at(busy_hours::office, t.hour)) / 100;
}

[[nodiscard]] inline const behaviour_info* choose(rng& r, const scenario_options& o, bool attack, int hour) {
    std::uint64_t sum = 0;
    const auto weight = [hour](const behaviour_info& b) {
        return static_cast<std::uint64_t>(b.weight * share_at(b.hours, hour));
    };
    const auto eligible = [&](const behaviour_info& b) {
        if ((b.label != attack_class::none) != attack) return false;
        return o.only.empty() || std::find(o.only.begin(), o.only.end(), b.name) != o.only.end();
    };
    for (const behaviour_info& b : behaviours()) {
        if (eligible(b)) sum += weight(b);
    }
    if (sum == 0) return nullptr;
    std::uint64_t at = r.below(sum);
    for (const behaviour_info& b : behaviours()) {
        if (!eligible(b)) continue;
        if (at < weight(b)) return &b;
        at -= weight(b);
    }
    return nullptr;
}

/// A moment of 2010 to 2030, at that local hour somewhere on earth.
[[nodiscard]] inline std::int64_t begin_at(rng& r, int hour) {
    const std::int64_t day = r.between(14'610, 21'914);
    const std::int64_t east = r.between(-11, 12);
    const std::int64_t in_hour = r.below(3600);
    return (day * 86'400 + (hour - east) * 3600 + in_hour) * units::second + r.below(1'000'000'000);
}

inline void play(const behaviour_info* b, world& net, rng r, trace& out, frame_writer& wire, int intensity_percent) {
    if (b == nullptr) return;
    stage s{net, r, out, wire, {b->label, b->name}, intensity_percent};
    b->emit(s);
}

/// Ordinary behaviours that use what an attack of this class uses: most backgrounds get one, so that a service alone
/// never gives an attack away.
[[nodiscard]] constexpr std::array<std::string_view, 4> look_alikes(attack_class c) noexcept {
    switch (c) {
        case attack_class::ddos: return {"web_server", "flash_crowd", "game", "recursive_resolver"};
        case attack_class::scan: return {"monitoring", "failures", "torrent", "inventory"};
        case attack_class::bruteforce: return {"remote_shell", "remote_desktop", "mail", "file_transfer"};
        case attack_class::botnet: return {"telemetry", "polling", "chat_room", "device_setup"};
        case attack_class::exfil: return {"cloud_upload", "file_transfer", "backup", "video"};
        case attack_class::dns_tunnel: return {"name_noise", "recursive_resolver", "trace_route", "mail"};
        case attack_class::web: return {"web_server", "load_balancer", "polling", "browsing"};
        default: return {"file_server", "domain_logon", "management", "printing"};
    }
}

/// Classes whose attack is visible in a single conversation.
[[nodiscard]] constexpr bool one_flow_tells(attack_class c) noexcept {
    return c == attack_class::none || c == attack_class::lateral || c == attack_class::dns_tunnel ||
           c == attack_class::exfil;
}

/// The frames of scenario `index`, unsorted.
[[nodiscard]] inline trace play_scenario(const scenario_options& o, std::uint64_t seed, std::uint64_t index) {
    rng r{seed, index + 1};
    const auto clients = static_cast<int>(r.log_between(1, 40));
    const auto servers = static_cast<int>(r.log_between(1, 12));
    world net{r, clients, servers};
    draw_traits(r, net.traits);
    const std::int64_t length = r.log_between(o.shortest_ns, o.longest_ns);
    const std::int64_t begin = begin_at(r, net.traits.hour);
    trace out{begin, begin + length, o.max_frames, o.body_bytes};
    const address outer = net.public_v4(r);
    translator nat{net.local_network(), net.local_v6_prefix(), outer};
    if (net.traits.translated) out.nat = &nat;
    rng filler = r.fork(1);
    frame_writer wire{out, filler};
    wire.vlan = net.traits.vlan;
    wire.padded = net.traits.padded;

    const bool attacked = r.chance(o.attack_share);
    const behaviour_info* first = nullptr;
    if (attacked) {  // before the background, so that a tuple wanted by both is the attack's
        const int attacks = r.chance(0.8) ? 1 : r.pick_int(2, 3);
        for (int i = 0; i < attacks; ++i) {
            const behaviour_info* const b = choose(r, o, true, net.traits.hour);
            if (i == 0) first = b;
            play(b, net, r.fork(2), out, wire, o.intensity_percent);
        }
    }
    const bool background = !attacked || first == nullptr || r.chance(o.background_share);
    if (background) {
        const std::uint32_t kind = r.below(20);
        const std::int64_t many = 4 + length / (25 * units::second) * net.traits.activity_percent / 100;
        const std::int64_t count = kind < 5 ? 1 : kind < 11 ? r.between(2, 5) : r.between(4, many + 6);
        for (std::int64_t i = 0; i < count && !out.full(); ++i) {
            const behaviour_info* const b = choose(r, o, false, net.traits.hour);
            play(b, net, r.fork(3), out, wire, o.intensity_percent);
        }
        if (first != nullptr && o.only.empty() && r.chance(0.7)) {
            const auto similar = look_alikes(first->label);
            for (int n = r.pick_int(1, 2); n > 0; --n) {
                const behaviour_info* const b = find_behaviour(r.pick(similar));
                play(b, net, r.fork(4), out, wire, o.intensity_percent);
            }
        }
        const bool alone = r.chance(kind < 5 ? 0.4 : 0.04);
        if (alone && out.size() > 0 && (first == nullptr || one_flow_tells(first->label)))
            out.focus(r.below(out.size()));
    }
    out.nat = nullptr;  // which ends here
    return out;
}

}  // namespace detail

/// Plays scenario number `index` of the set `seed` and calls sink(const labelled_frame&) for each frame in order of
/// time. Options are those `check` accepts. Memory is bounded by max_frames; nothing is shared, so different indices
/// may run on different threads.
template <class Sink>
void synthesise(const scenario_options& options, std::uint64_t seed, std::uint64_t index, Sink&& sink) {
    trace frames = detail::play_scenario(options, seed, index);
    frames.replay(sink);
}

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
