// SPDX-License-Identifier: MIT
// observe.hpp: which packet makes a flow report what to the windows, and that traffic is reported exactly once.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include <mldefender/core/observe.hpp>

#include "support/packets.hpp"

using namespace mldefender;
using namespace mldefender::test;
using enum observation_kind;

namespace {

constexpr five_tuple there = tuple_of(ip_protocol::tcp, 40000, 443);
constexpr five_tuple back = there.reversed();
constexpr five_tuple ask = tuple_of(ip_protocol::udp, 40000, 53);
constexpr std::uint8_t syn = tcp_flag::syn, ack = tcp_flag::ack, rst = tcp_flag::rst, fin = tcp_flag::fin;

// One flow through a table, its reports collected.
struct reporter {
    std::vector<observation> operator()(const packet& p, const app_news& news = {}, bool external = false) {
        std::vector<observation> out;
        const flow_update u = table.update(p, symmetric_hash(p.tuple), [](flow&) {});
        slot = u.slot;
        observe_packet(table[u.slot], p, u, news, external, [&](const observation& o) { out.push_back(o); });
        all.insert(all.end(), out.begin(), out.end());
        return out;
    }
    observation end(std::int64_t now) {
        observation last;
        observe_end(table[slot], now, [&](const observation& o) { last = o; });
        all.push_back(last);
        return last;
    }
    flow_table table{flow_options{.capacity = 512}};
    std::uint32_t slot = 0;
    std::vector<observation> all;
};

std::vector<observation_kind> kinds(const std::vector<observation>& list) {
    std::vector<observation_kind> out;
    for (const observation& o : list) out.push_back(o.kind);
    return out;
}
using list = std::vector<observation_kind>;

}  // namespace

TEST_CASE("a handshake: contact, accepted, completed, then silence") {
    reporter r;
    CHECK(kinds(r(segment(there, 0, syn))) == list{contact});
    CHECK(kinds(r(segment(back, 1, syn | ack))) == list{accepted});
    CHECK(kinds(r(segment(there, 2, ack))) == list{completed});
    CHECK(kinds(r(segment(there, 3, ack, 10))) == list{traffic});  // the fourth packet
    CHECK(r(segment(back, 4, ack, 10)).empty());
    CHECK(r(segment(there, 5, fin | ack)).empty());
    CHECK(kinds(r(segment(back, 6, fin | ack))) == list{ended});
}

TEST_CASE("a refusal, and a datagram that is answered") {
    reporter refusal;
    refusal(segment(there, 0, syn));
    CHECK(kinds(refusal(segment(back, 1, rst | ack))) == list{refused, ended});
    reporter question;
    CHECK(kinds(question(packet_of(ask, 0, 30))) == list{contact});
    CHECK(kinds(question(packet_of(ask.reversed(), 1, 90))) == list{accepted, completed});
    CHECK(question(packet_of(ask, 2, 30)).empty());
}

TEST_CASE("a connection seen from its middle is accepted by whatever comes back") {
    reporter r;
    const auto begun = r(segment(there, 0, ack, 100));
    CHECK(kinds(begun) == list{contact});
    CHECK(begun[0].midstream);
    CHECK_FALSE(begun[0].bare_probe);
    CHECK(kinds(r(segment(back, 1, ack))) == list{accepted});
    CHECK(r(segment(back, 2, ack)).empty());
}

TEST_CASE("bare probes: TCP that opens nothing, datagrams without content") {
    const auto is_probe = [](const packet& p) { return reporter{}(p).at(0).bare_probe; };
    CHECK(is_probe(segment(there, 0, fin)));
    CHECK(is_probe(segment(there, 0, 0)));
    CHECK(is_probe(segment(there, 0, ack)));
    CHECK(is_probe(segment(there, 0, fin | tcp_flag::psh | tcp_flag::urg)));
    CHECK_FALSE(is_probe(segment(there, 0, syn)));
    CHECK_FALSE(is_probe(segment(there, 0, rst)));
    CHECK_FALSE(is_probe(segment(there, 0, ack, 1)));
    CHECK(is_probe(packet_of(ask, 0)));
    CHECK_FALSE(is_probe(packet_of(ask, 0, 1)));
    CHECK_FALSE(is_probe(packet_of(tuple_of(ip_protocol::icmp, 0, 0), 0)));
}

TEST_CASE("traffic is reported at 4, 8, 16, 32, 64 and then every 64 packets") {
    reporter r;
    std::vector<int> reported;
    for (int i = 1; i <= 300; ++i) {
        if (kinds(r(packet_of(ask, i, 100))) == list{traffic}) reported.push_back(i);
    }
    CHECK(reported == std::vector<int>{4, 8, 16, 32, 64, 128, 192, 256});
}

TEST_CASE("every packet and byte is reported exactly once") {
    reporter r;
    for (int i = 0; i < 77; ++i) r(packet_of(i % 3 == 0 ? ask.reversed() : ask, i, static_cast<std::uint32_t>(i)));
    r.end(100);
    double packets[2] = {}, bytes_sent[2] = {};
    for (const observation& o : r.all) {
        packets[0] += o.forward_packets;
        packets[1] += o.backward_packets;
        bytes_sent[0] += o.forward_bytes;
        bytes_sent[1] += o.backward_bytes;
    }
    const flow& f = r.table[r.slot];
    CHECK(packets[0] == f.forward.packets());
    CHECK(packets[1] == f.backward.packets());
    CHECK(bytes_sent[0] == f.forward.lengths.sum);
    CHECK(bytes_sent[1] == f.backward.lengths.sum);
    CHECK(f.packets() == 77);
}

TEST_CASE("the end tells whether anybody answered and whether much was said") {
    reporter silent;
    silent(segment(there, 0, syn));
    const observation none = silent.end(5 * second);
    CHECK(none.kind == ended);
    CHECK(none.silent);
    CHECK(none.short_lived);
    CHECK(none.timestamp_ns == 5 * second);
    reporter talk;
    talk(segment(there, 0, syn));
    talk(segment(back, 1, syn | ack));
    talk(segment(back, 2, ack, 8192));
    const observation brief = talk.end(3);
    CHECK_FALSE(brief.silent);
    CHECK(brief.short_lived);
    CHECK(talk.end(4).timestamp_ns == 0);  // an end is told once
    reporter longer;
    longer(segment(there, 0, syn));
    longer(segment(back, 1, syn | ack));
    longer(segment(back, 2, ack, 8192));
    longer(segment(back, 3, ack, 1));
    CHECK_FALSE(longer.end(4).short_lived);
}

TEST_CASE("news of the application becomes one report each") {
    reporter r;
    app_news news;
    news.lookup = news.lookup_failed = true;
    news.name_entropy = 3.5F;
    news.name_length = 12;
    news.name_hash = 99;
    news.attempts = 2;
    news.failures = 1;
    news.file_changes = 3;
    news.weak_ticket = news.weak_login = news.listing = true;
    const auto out = r(packet_of(ask, 0, 30), news, true);
    CHECK(kinds(out) == list{contact, lookup, lookup_failed, credentials, credentials, rejected, file_change,
                             file_change, file_change, weak_ticket, weak_login, listing});
    CHECK(out[1].name_entropy == 3.5F);
    CHECK(out[1].name_length == 12);
    CHECK(out[1].name_hash == 99);
    for (const observation& o : out) {
        CHECK(o.responder_external);
        CHECK(o.tuple == ask);
    }
}

TEST_CASE("new signs are one report with their mask") {
    reporter r;
    app_news news;
    news.oddities = bit_of(oddity::posed_request) | bit_of(oddity::host_address);
    const auto out = r(packet_of(ask, 0, 30), news, true);
    CHECK(kinds(out) == list{contact, odd});
    CHECK(out[1].oddities == news.oddities);
    CHECK(out[1].responder_external);
}

TEST_CASE("mute: the responder takes the connection and ends it, nobody says a word") {
    const auto ended_by = [](const packet& last, bool greeted = false, bool midway = false) {
        reporter r;
        if (!midway) r(segment(there, 0, syn));
        r(segment(back, 1, syn | ack));
        r(segment(there, 2, ack));
        if (greeted) r(segment(back, 3, ack, 4));
        r(last);
        r.end(9);  // a reset was told as the end already
        return std::any_of(r.all.begin(), r.all.end(), [](const observation& o) { return o.mute; });
    };
    CHECK(ended_by(segment(back, 4, fin | ack)));
    CHECK(ended_by(segment(back, 4, rst)));
    CHECK_FALSE(ended_by(segment(there, 4, fin | ack)));  // who only looks whether a service is there
    CHECK_FALSE(ended_by(segment(there, 4, rst)));
    CHECK_FALSE(ended_by(segment(back, 4, fin | ack), true));
    CHECK_FALSE(ended_by(segment(back, 4, fin | ack), false, true));
    reporter refused;
    refused(segment(there, 0, syn));
    refused(segment(back, 1, rst | ack));
    for (const observation& o : refused.all) CHECK_FALSE(o.mute);
}
