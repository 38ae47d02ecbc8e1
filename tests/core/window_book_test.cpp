// SPDX-License-Identifier: MIT
// window_book.hpp: reports reach both hosts and the pair, look-ups find them, silence is forgotten, forged hosts push
// out each other and not those with a history.
#include <doctest/doctest.h>

#include <cstdint>
#include <memory>

#include <mldefender/core/window_book.hpp>

#include "support/packets.hpp"

using namespace mldefender;
using namespace mldefender::test;

namespace {

constexpr five_tuple there = tuple_of(ip_protocol::tcp, 40000, 443);

struct book {
    explicit book(const window_options& options = {512, 512}) : b(options) {}
    void operator()(const five_tuple& t, std::int64_t at, observation_kind kind = observation_kind::contact) {
        observation o;
        o.timestamp_ns = at;
        o.kind = kind;
        o.tuple = t;
        b.apply(o, keys_of(t, {}), lost, [](std::size_t) { return true; });
    }
    [[nodiscard]] flow_context look_up(const five_tuple& t) const {
        flow_context c;
        b.look_up(t, keys_of(t, {}), c);
        return c;
    }
    void forget(std::int64_t now) {
        for (std::size_t shard = 0; shard < shard_count; ++shard) b.forget(shard, now);
    }
    window_book b;
    window_book::evictions lost;
};

}  // namespace

TEST_CASE("a contact is noted for initiator, responder and pair") {
    book b;
    b(there, second);
    const flow_context c = b.look_up(there);
    REQUIRE(c.initiator != nullptr);
    REQUIRE(c.responder != nullptr);
    REQUIRE(c.pair != nullptr);
    CHECK(c.initiator->host == client);
    CHECK(c.initiator->total(&host_activity::contacts, second, 0) == 1);
    CHECK(c.initiator->total(&host_activity::asked, second, 0) == 0);
    CHECK(c.responder->host == server);
    CHECK(c.responder->total(&host_activity::asked, second, 0) == 1);
    CHECK(c.pair->contacts == 1);
    CHECK(b.b.hosts() == 2);
    CHECK(b.b.pairs() == 1);
}

TEST_CASE("the initiator's port does not make another pair, the service does") {
    book b;
    b(there, 0);
    b(tuple_of(ip_protocol::tcp, 40001, 443), 0);
    CHECK(b.b.pairs() == 1);
    b(tuple_of(ip_protocol::tcp, 40001, 80), 0);
    b(tuple_of(ip_protocol::udp, 40001, 443), 0);
    CHECK(b.b.pairs() == 3);
    CHECK(b.b.hosts() == 2);
    CHECK(b.look_up(there).pair->contacts == 2);
}

TEST_CASE("only a contact begins a pair") {
    book b;
    b(there, 0, observation_kind::ended);
    b(there, 0, observation_kind::rejected);
    CHECK(b.b.pairs() == 0);
    b(there, 0);
    b(there, 0, observation_kind::rejected);
    CHECK(b.look_up(there).pair->recent_rejected == 1);
}

TEST_CASE("unknown hosts and pairs are null") {
    const book b;
    const flow_context c = b.look_up(there);
    CHECK(c.initiator == nullptr);
    CHECK(c.responder == nullptr);
    CHECK(c.pair == nullptr);
}

TEST_CASE("hosts are forgotten after 12 minutes of silence, pairs after 6 h") {
    book b;
    b(there, 0);
    b.forget(12 * minute - second);
    CHECK(b.b.hosts() == 2);
    b.forget(12 * minute + second);
    CHECK(b.b.hosts() == 0);
    CHECK(b.b.pairs() == 1);
    b.forget(6 * 60 * minute - second);
    CHECK(b.b.pairs() == 1);
    b.forget(6 * 60 * minute + second);
    CHECK(b.b.pairs() == 0);
}

TEST_CASE("each worker notes its own shards, together everything once") {
    book whole, split;
    for (std::uint16_t i = 0; i < 200; ++i) {
        observation o;
        o.tuple = tuple_of(ip_protocol::tcp, 1, i, address::v4(10, 0, 0, static_cast<std::uint8_t>(i % 7)));
        const window_keys keys = keys_of(o.tuple, {});
        whole.b.apply(o, keys, whole.lost, [](std::size_t) { return true; });
        for (std::size_t w = 0; w < 3; ++w)
            split.b.apply(o, keys, split.lost, [w](std::size_t shard) { return shard % 3 == w; });
    }
    CHECK(split.b.hosts() == whole.b.hosts());
    CHECK(split.b.pairs() == whole.b.pairs());
    const five_tuple one = tuple_of(ip_protocol::tcp, 1, 7, address::v4(10, 0, 0, 0));
    CHECK(split.look_up(one).initiator->total(&host_activity::contacts, 0, 0) ==
          whole.look_up(one).initiator->total(&host_activity::contacts, 0, 0));
}

TEST_CASE("forged hosts push out each other; a host with a history stays, memory stays bounded") {
    book b;
    for (int i = 0; i < 100; ++i) b(there, i * ms);
    for (std::uint32_t i = 0; i < 100'000; ++i) {
        b(tuple_of(ip_protocol::tcp, 1, 80, address::v4(0x2d000000U + i), server), second + i * 10'000LL);
    }
    CHECK(b.b.hosts() <= 512);
    CHECK(b.b.pairs() <= 512);
    CHECK(b.lost.hosts > 99'000);
    CHECK(b.lost.pairs > 99'000);
    const flow_context c = b.look_up(there);
    REQUIRE(c.initiator != nullptr);
    CHECK(c.initiator->total(&host_activity::contacts, second, 0) == 100);
    REQUIRE(c.responder != nullptr);
    CHECK(c.responder->total(&host_activity::asked, second, 0) == 100'100);
    CHECK(c.pair != nullptr);
}

TEST_CASE("keys depend on the secret and on the direction") {
    const window_keys plain = keys_of(there, {}), secret = keys_of(there, {1, 2}), back = keys_of(there.reversed(), {});
    CHECK(plain.initiator != secret.initiator);
    CHECK(plain.pair != secret.pair);
    CHECK(plain.initiator == back.responder);
    CHECK(plain.pair != back.pair);
}
