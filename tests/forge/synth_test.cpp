// SPDX-License-Identifier: MIT
// The traffic synthesiser as a whole: the same seed gives the same bytes on every compiler, every behaviour writes
// frames the parser accepts with right check sums, one conversation has one label, time never runs backwards.
#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <mldefender/core/parse.hpp>
#include <mldefender/forge/synth.hpp>

namespace {

using namespace mldefender;
using namespace mldefender::forge;

std::uint64_t digest(const scenario_options& options, std::uint64_t seed, std::uint64_t from, std::uint64_t to) {
    std::uint64_t h = 0xcbf29ce484222325ULL;
    const auto add = [&h](std::uint64_t word) { h = (h ^ word) * 0x100000001b3ULL; };
    for (std::uint64_t i = from; i < to; ++i) {
        synthesise(options, seed, i, [&](const labelled_frame& f) {
            add(static_cast<std::uint64_t>(f.timestamp_ns));
            add(f.wire_len);
            add(static_cast<std::uint64_t>(f.label));
            for (const std::uint8_t byte : f.data) add(byte);
        });
    }
    return h;
}

/// Options that play one behaviour alone, whole frames stored.
scenario_options alone(const behaviour_info& b) {
    scenario_options o;
    o.only = {std::string{b.name}};
    o.attack_share = b.label == attack_class::none ? 0.0 : 1.0;
    o.background_share = 0.0;
    o.max_frames = 4000;
    o.longest_ns = 120 * units::second;
    o.body_bytes = 65535;
    return o;
}

std::uint32_t sum_of(bytes b) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < b.size(); ++i) sum += static_cast<std::uint64_t>(b[i]) << (i % 2 == 0 ? 8 : 0);
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint32_t>(sum);
}

/// IP header and transport check sums of a whole frame; fragments and absent UDP sums count as right.
bool sums_right(bytes frame) {
    std::size_t at = 12;
    if (load_be16(&frame[at]) == 0x8100) at += 4;
    const bool six = load_be16(&frame[at]) == 0x86dd;
    at += 2;
    const std::size_t header = six ? 40 : 20;
    const std::size_t length = six ? load_be16(&frame[at + 4]) : load_be16(&frame[at + 2]) - 20U;
    const std::uint8_t protocol = six ? frame[at + 6] : frame[at + 9];
    if (!six && sum_of(frame.subspan(at, 20)) != 0xffff) return false;
    if (!six && (load_be16(&frame[at + 6]) & 0x3fff) != 0) return true;
    const bytes transport = frame.subspan(at + header, length);
    if (protocol == 132) {
        std::vector<std::uint8_t> cleared{transport.begin(), transport.end()};
        for (std::size_t i = 8; i < 12; ++i) cleared[i] = 0;
        return forge::detail::crc32c(cleared) == load_le32(&transport[8]);
    }
    if (protocol != 1 && protocol != 6 && protocol != 17 && protocol != 58) return true;
    if (protocol == 17 && load_be16(&transport[6]) == 0) return !six;
    std::vector<std::uint8_t> whole;
    if (protocol != 1) {
        const bytes ends = six ? frame.subspan(at + 8, 32) : frame.subspan(at + 12, 8);
        whole.assign(ends.begin(), ends.end());
        whole.insert(whole.end(),
                     {0, protocol, static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length)});
    }
    whole.insert(whole.end(), transport.begin(), transport.end());
    return sum_of(whole) == 0xffff;
}

five_tuple ordered(const five_tuple& t) { return std::min(t, t.reversed()); }

}  // namespace

TEST_CASE("synth: the same seed gives the same bytes, another index others") {
    scenario_options o;
    o.longest_ns = 60 * units::second;
    o.max_frames = 20'000;
    const std::uint64_t once = digest(o, 1, 0, 6);
    CHECK(once == digest(o, 1, 0, 6));
    CHECK(once != digest(o, 1, 1, 7));
    CHECK(once != digest(o, 2, 0, 6));
}

TEST_CASE("synth: golden digest, equal for every compiler and machine") {
    // A change here changes every training set: models must be trained again.
    scenario_options o;
    o.longest_ns = 60 * units::second;
    o.max_frames = 2000;
    CHECK(digest(o, 42, 0, 100) == 7235387971361250191U);
}

TEST_CASE("synth: every behaviour writes frames that parse, sum up and carry one label a conversation") {
    std::set<std::string_view> names;
    for (const behaviour_info& b : behaviours()) {
        CAPTURE(b.name);
        CHECK(names.insert(b.name).second);
        CHECK_FALSE(b.about.empty());
        CHECK(b.weight > 0);
        const scenario_options o = alone(b);
        REQUIRE(check(o));
        std::size_t frames = 0;
        std::size_t own = 0;
        std::size_t wrong_sums = 0;
        std::size_t unparsed = 0;
        std::size_t foreign = 0;
        std::size_t relabelled = 0;
        for (std::uint64_t i = 0; i < 6; ++i) {
            std::int64_t last = 0;
            bool in_order = true;
            std::map<five_tuple, attack_class> labels;
            synthesise(o, 11, i, [&](const labelled_frame& f) {
                in_order = in_order && f.timestamp_ns >= last;
                last = f.timestamp_ns;
                ++frames;
                own += f.label == b.label ? 1U : 0U;
                foreign += f.behaviour != b.name || (f.label != b.label && f.label != attack_class::none) ? 1U : 0U;
                const raw_packet raw{f.timestamp_ns, f.data, f.wire_len, link_type::ethernet};
                const auto p = parse(raw, {.any_protocol = true});
                if (!p || f.data.size() != f.wire_len) {
                    ++unparsed;
                    return;
                }
                wrong_sums += sums_right(f.data) ? 0U : 1U;
                if (p->later_fragment) return;
                const auto known = labels.try_emplace(ordered(p->tuple), f.label).first;
                relabelled += known->second == f.label ? 0U : 1U;
            });
            CHECK(in_order);
        }
        CHECK(frames > 0);
        CHECK(own > 0);
        CHECK(foreign == 0);
        CHECK(unparsed == 0);
        CHECK(wrong_sums == 0);
        CHECK(relabelled == 0);
    }
}

TEST_CASE("synth: cut bodies keep the wire's lengths") {
    scenario_options o;
    o.only = {"cloud_upload"};
    o.attack_share = 0;
    o.max_frames = 3000;
    std::size_t cut = 0;
    for (std::uint64_t i = 0; i < 10; ++i) {
        synthesise(o, 3, i, [&](const labelled_frame& f) {
            cut += f.data.size() < f.wire_len ? 1U : 0U;
            CHECK(f.data.size() <= f.wire_len);
            const auto p = parse(raw_packet{f.timestamp_ns, f.data, f.wire_len, link_type::ethernet});
            REQUIRE(p);
            CHECK(p->payload.size() <= p->payload_len);
        });
    }
    CHECK(cut > 100);
}

TEST_CASE("synth: a set covers every class, with and without attacks") {
    scenario_options o;
    o.longest_ns = 40 * units::second;
    o.max_frames = 3000;
    std::set<attack_class> seen;
    std::size_t calm = 0;
    for (std::uint64_t i = 0; i < 250; ++i) {
        bool attacked = false;
        synthesise(o, 5, i, [&](const labelled_frame& f) {
            seen.insert(f.label);
            attacked = attacked || f.label != attack_class::none;
        });
        calm += attacked ? 0U : 1U;
    }
    CHECK(seen.size() == attack_class_count - 1);  // all but `anomaly`, which is no behaviour
    CHECK(calm > 60);
    CHECK(calm < 160);
}

TEST_CASE("synth: attackers and users share their stacks") {
    // Neither the TTL nor the window of a first packet may tell them apart: each value of an ordinary client must also
    // occur among beacons, and the other way round.
    const auto stacks_of = [](const char* name, double attack_share) {
        scenario_options o;
        o.only = {name};
        o.attack_share = attack_share;
        o.background_share = 0;
        o.max_frames = 2000;
        std::set<std::uint32_t> seen;
        for (std::uint64_t i = 0; i < 400; ++i) {
            synthesise(o, 9, i, [&](const labelled_frame& f) {
                const auto p = parse(raw_packet{f.timestamp_ns, f.data, f.wire_len, link_type::ethernet});
                if (!p || p->tcp_flags != tcp_flag::syn) return;
                const std::uint32_t first_ttl = p->ttl > 128 ? 255 : p->ttl > 64 ? 128 : 64;
                seen.insert((std::uint32_t{p->tcp_window} << 8) | first_ttl);
            });
        }
        return seen;
    };
    CHECK(stacks_of("phone_wakes", 0) == stacks_of("beacon", 1));
}

TEST_CASE(
    "synth: outside of a translating router every local host speaks from one address, and nothing inside is seen") {
    scenario_options o;
    o.max_frames = 3000;
    std::size_t translated = 0;
    for (std::uint64_t i = 0; i < 400; ++i) {
        rng r{6, i + 1};
        const auto clients = static_cast<int>(r.log_between(1, 40));
        const auto servers = static_cast<int>(r.log_between(1, 12));
        world net{r, clients, servers};
        forge::detail::draw_traits(r, net.traits);
        if (!net.traits.translated) continue;
        trace frames = forge::detail::play_scenario(o, 6, i);
        std::map<five_tuple, attack_class> labels;
        bool outer_only = true;
        frames.replay([&](const labelled_frame& f) {
            const raw_packet raw{f.timestamp_ns, f.data, f.wire_len, link_type::ethernet};
            const auto p = parse(raw, {.any_protocol = true});
            REQUIRE(p);
            for (const address& a : {p->tuple.source, p->tuple.destination}) {
                outer_only = outer_only && !net.local_network().contains(a) && !is_multicast(a);
            }
            if (p->later_fragment) return;
            const auto known = labels.try_emplace(ordered(p->tuple), f.label).first;
            outer_only = outer_only && known->second == f.label;
        });
        CHECK(outer_only);
        translated += frames.size() > 0 ? 1U : 0U;
    }
    CHECK(translated >= 10);
}

TEST_CASE("synth: a translator keeps free ports, changes taken ones, and answers find their way back") {
    const network inside{address::v4(0xc0a80100), 24};
    translator nat{inside, address{0xfd00'0000'0000'0001ULL, 0}, address::v4(0x05060708)};
    const address far = address::v4(0x08080808);
    const auto seen = [&](std::uint32_t host, std::uint16_t port) {
        five_tuple t{address::v4(host), far, port, 443, ip_protocol::tcp};
        REQUIRE(nat.translate(t));
        return t;
    };
    const five_tuple one = seen(0xc0a80105, 50000);
    CHECK(one.source == nat.outer());
    CHECK(one.source_port == 50000);
    const five_tuple two = seen(0xc0a80106, 50000);
    CHECK(two.source == nat.outer());
    CHECK(two.source_port != 50000);
    CHECK(seen(0xc0a80106, 50000) == two);
    five_tuple back{far, address::v4(0xc0a80106), 443, 50000, ip_protocol::tcp};
    REQUIRE(nat.translate(back));
    CHECK(back == two.reversed());
    five_tuple local{address::v4(0xc0a80105), address::v4(0xc0a80106), 1, 2, ip_protocol::udp};
    CHECK_FALSE(nat.translate(local));
    five_tuple everybody{address::v4(0xc0a80105), address::v4(0xe00000fb), 5353, 5353, ip_protocol::udp};
    CHECK_FALSE(nat.translate(everybody));
}

TEST_CASE("synth: offices sleep at night, backups do not") {
    CHECK(share_at(busy_hours::office, 10) > share_at(busy_hours::office, 3));
    CHECK(share_at(busy_hours::night, 3) > share_at(busy_hours::night, 10));
    CHECK(share_at(busy_hours::evening, 20) > share_at(busy_hours::evening, 3));
    for (int hour = 0; hour < 24; ++hour) {
        CHECK(share_at(busy_hours::always, hour) == 100);
        for (const busy_hours h : {busy_hours::office, busy_hours::evening, busy_hours::night})
            CHECK(share_at(h, hour) > 0);
    }
}

TEST_CASE("synth: look-alikes name ordinary behaviours") {
    for (std::size_t c = 1; c < attack_class_count; ++c) {
        for (const std::string_view name : forge::detail::look_alikes(static_cast<attack_class>(c))) {
            CAPTURE(name);
            REQUIRE(find_behaviour(name) != nullptr);
            CHECK(find_behaviour(name)->label == attack_class::none);
        }
    }
}

TEST_CASE("synth: docs/synthesiser.md lists every behaviour as the table does") {
    const char* const root = std::getenv("MLDEFENDER_SOURCE_DIR");
    if (root == nullptr) return;  // run by hand, not by ctest
    std::ifstream page{std::string{root} + "/docs/synthesiser.md"};
    std::vector<std::string> listed;
    for (std::string line; std::getline(page, line);) {
        if (line.starts_with("| `")) listed.push_back(line);
    }
    std::vector<std::string> expected;
    for (const behaviour_info& b : behaviours()) {
        expected.push_back("| `" + std::string{b.name} + "` | " + std::string{name_of(b.label)} + " | " +
                           std::to_string(b.weight) + " | " + std::string{name_of(b.hours)} + " | " +
                           std::string{b.about} + " |");
    }
    CHECK(listed == expected);
}

TEST_CASE("synth: options are checked before anything is generated") {
    scenario_options o;
    CHECK(check(o));
    o.only = {"browsing", "no_such_thing"};
    const auto wrong = check(o);
    REQUIRE_FALSE(wrong);
    CHECK(wrong.failure().code == errc::bad_argument);
    CHECK(wrong.failure().text().find("no_such_thing") != std::string::npos);
    o.only.clear();
    o.longest_ns = o.shortest_ns - 1;
    CHECK_FALSE(check(o));
    CHECK(behaviour_names().size() == behaviours().size());
    CHECK(find_behaviour("browsing") != nullptr);
    CHECK(find_behaviour("") == nullptr);
}
