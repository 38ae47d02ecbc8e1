// SPDX-License-Identifier: MIT
// How long an attack goes on before the sensor says so, with the rules and models as shipped: guessing and worms must
// be told within 60 s of their tenth attempt, at the paces listed, in a network where ordinary people work.
#include <doctest/doctest.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include <mldefender/core/forest.hpp>
#include <mldefender/core/models/ddos.hpp>
#include <mldefender/core/models/internal.hpp>
#include <mldefender/core/models/ransomware.hpp>
#include <mldefender/core/models/traffic.hpp>
#include <mldefender/core/pipeline.hpp>
#include <mldefender/core/score.hpp>
#include <mldefender/forge/synth.hpp>

#include "support/recording_sink.hpp"

namespace {

using namespace mldefender;
using namespace mldefender::forge;
namespace attack = mldefender::forge::detail::attack;

using shipped_forests =
    max_threat<forest<models::ddos>, forest<models::ransomware>, forest<models::traffic>, forest<models::internal>>;

constexpr std::int64_t begin_ns = 1'700'000'000 * units::second;
constexpr std::int64_t patience_ns = 60 * units::second;
constexpr std::uint64_t networks = 4;

/// What came of one capture.
struct outcome {
    std::int64_t tenth_ns = 0;  ///< start of the tenth conversation of the attack, 0 when there were fewer
    std::int64_t told_ns = 0;   ///< first alert of the class about the attacker, 0 when there was none
};

/// Plays one attack in a small network of its own, with `background` ordinary behaviours around it.
template <class Play>
outcome watch(std::uint64_t seed, std::int64_t length_ns, attack_class expected, Play&& play) {
    rng random{seed, 1};
    world net{random, 24, 6};
    trace out{begin_ns, begin_ns + length_ns, 400'000, 256};
    rng filler = random.fork(1);
    frame_writer wire{out, filler};
    rng attacking = random.fork(2);
    stage s{net, attacking, out, wire, {expected, "attack"}, 100};
    const address attacker = play(s);
    for (const std::string_view name : {"browsing", "telemetry", "file_server", "name_noise", "mail", "polling"}) {
        rng ordinary = random.fork(3);
        stage calm{net, ordinary, out, wire, {attack_class::none, name}, 100};
        find_behaviour(name)->emit(calm);
    }

    outcome o;
    test::recording_sink sink;
    pipeline<shipped_forests, test::recording_sink> path{{}, {}, sink};
    std::set<five_tuple> seen;
    out.replay([&](const labelled_frame& f) {
        const raw_packet raw{f.timestamp_ns, f.data, f.wire_len, link_type::ethernet};
        if (f.label != attack_class::none) {
            const auto p = parse(raw);
            REQUIRE(p);
            const five_tuple t = p->tuple.source == attacker ? p->tuple : p->tuple.reversed();
            if (t.source == attacker && seen.insert(t).second && seen.size() == 10) o.tenth_ns = f.timestamp_ns;
        }
        path.consume(raw);
    });
    path.finish();
    for (const event& e : sink.alerts) {
        const bool about = e.tuple.source == attacker || e.tuple.destination == attacker;
        if (about && e.attack_class == expected && o.told_ns == 0) o.told_ns = e.timestamp_ns;
    }
    return o;
}

/// Every network must have been told in time.
template <class Play>
void told_in_time(std::string_view what, std::int64_t length_ns, attack_class expected, Play&& play) {
    for (std::uint64_t seed = 1; seed <= networks; ++seed) {
        CAPTURE(what);
        CAPTURE(seed);
        const outcome o = watch(seed, length_ns, expected, play);
        REQUIRE(o.tenth_ns != 0);
        CHECK(o.told_ns != 0);
        const double late_s = static_cast<double>(o.told_ns - o.tenth_ns) * 1e-9;
        CAPTURE(late_s);
        CHECK(o.told_ns <= o.tenth_ns + patience_ns);
    }
}

/// A guesser outside, a server inside.
attack::guess_plan guesser(stage& s, int tasks, std::int64_t gap_ns) {
    attack::guess_plan p;
    p.attackers.push_back(&s.net.new_outside(s.random));
    p.victim = s.net.servers().back();
    p.tasks = tasks;
    p.attempts = 600;
    p.rhythm = attack::pace::steady(gap_ns, 10);
    p.start_ns = begin_ns + 5 * units::second;
    return p;
}

/// Guessing at every pace down to one attempt in `slowest_ns`.
template <class Guess>
void guessing_is_told(std::int64_t slowest_ns) {
    struct speed {
        std::string_view name;
        int tasks;
        std::int64_t gap_ns;
    };
    for (const speed& v :
         {speed{"sixteen tasks at once", 16, 10 * units::ms}, speed{"four tasks", 4, 500 * units::ms},
          speed{"one a second", 1, units::second}, speed{"one in five seconds", 1, 5 * units::second},
          speed{"one in twelve seconds", 1, 12 * units::second}, speed{"one in thirty seconds", 1, 30 * units::second},
          speed{"one a minute", 1, 60 * units::second}}) {
        if (v.gap_ns > slowest_ns) continue;
        told_in_time(v.name, 20 * v.gap_ns + 120 * units::second, attack_class::bruteforce, [&](stage& s) {
            const attack::guess_plan p = guesser(s, v.tasks, v.gap_ns);
            Guess::play(s, p);
            return p.attackers.front()->v4;
        });
    }
}

}  // namespace

TEST_CASE("alerts: SSH guessing, where success cannot be read") {
    guessing_is_told<attack::guess_ssh>(5 * units::second);
}
TEST_CASE("alerts: guessing at FTP and mail, which refuse in clear") {
    guessing_is_told<attack::guess_ftp>(30 * units::second);
}
TEST_CASE("alerts: RDP and VNC guessing") { guessing_is_told<attack::guess_desktop>(12 * units::second); }
TEST_CASE("alerts: SMB guessing") { guessing_is_told<attack::guess_share>(5 * units::second); }

TEST_CASE("alerts: a worm that sweeps for file sharing") {
    for (const std::int64_t gap : {5 * units::ms, 200 * units::ms, units::second, 4 * units::second}) {
        for (const double outwards : {0.0, 0.7}) {
            CAPTURE(gap);
            CAPTURE(outwards);
            told_in_time("worm", 40 * gap + 90 * units::second, attack_class::lateral, [&](stage& s) {
                attack::worm_plan p;
                p.source = s.net.clients().front();
                p.rhythm = attack::pace::poisson(gap);
                p.targets = 400;
                p.start_ns = begin_ns + 5 * units::second;
                p.outwards = outwards;
                attack::smb_worm::play(s, p);
                return p.source->v4;
            });
        }
    }
}
