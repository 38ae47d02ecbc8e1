// SPDX-License-Identifier: MIT
// Frames between two ends: what arrives is what was sent, and nothing else arrives. Every single-bit flip, replay,
// reordering, truncation, reflection, other channel, sender or session is refused with its reason; a stated length
// never makes the opener allocate beyond its bound; without compression a frame's length tells the content's only.
#include <doctest/doctest.h>
#include <lz4.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <mldefender/transport/session.hpp>

#include "support/sessions.hpp"

using namespace mldefender;
using namespace mldefender::transport;
using test::counting_salt;
using test::frame_bytes;
using test::second;

namespace {

struct ends {
    frame_sealer sealer;
    frame_opener opener;
    std::shared_ptr<refusal_book> book;
};

ends make_ends(session_options options = {}, std::shared_ptr<key_ring> ring = test::one_epoch()) {
    ends made;
    made.book = std::make_shared<refusal_book>();
    auto sealer = frame_sealer::create(ring, test::way(), counting_salt(), options);
    auto opener = frame_opener::create(ring, test::way(), counting_salt(), options, made.book);
    REQUIRE(sealer.ok());
    REQUIRE(opener.ok());
    made.sealer = std::move(sealer).value();
    made.opener = std::move(opener).value();
    return made;
}

refusal why(frame_opener& opener, bytes frame, std::int64_t now_ns = second) {
    const auto opened = opener.open(frame, now_ns);
    return opened ? refusal::none : opened.failure();
}

bool same(bytes a, bytes b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

std::vector<session_options> every_kind() {
    std::vector<session_options> kinds;
    REQUIRE(sodium_init() >= 0);
    for (const suite algorithm : {suite::xchacha20_poly1305, suite::aes256_gcm}) {
        if (!available(algorithm)) continue;
        for (const compression pack : {compression::off, compression::lz4}) {
            for (const order accepted : {order::stream, order::datagram}) {
                kinds.push_back({algorithm, pack, accepted, 1U << 20});
            }
        }
    }
    return kinds;
}

/// A frame sealed by hand, for content no sealer of ours would make.
frame_bytes forged(key_ring& ring, std::uint8_t flags, std::uint32_t stated, bytes content,
                   std::uint64_t sequence = 0) {
    const route way = test::way();
    auto key = ring.arena().allocate(key_size);
    auto scratch = ring.arena().allocate(key_size);
    auto made = cipher::create(suite::xchacha20_poly1305, ring.arena());
    REQUIRE(made.ok());
    REQUIRE(ring.derive(7, way, key->bytes().first<key_size>()));
    made->set_key(key->bytes().first<key_size>(), counting_salt(), scratch->bytes().first<key_size>());
    const std::size_t start = header_size + ((flags & flag_lz4) != 0 ? length_size : 0);
    frame_bytes frame(start + content.size() + tag_size);
    frame[0] = 'M';
    frame[1] = frame_version;
    frame[2] = 1;
    frame[3] = flags;
    transport::detail::store_le32(&frame[4], 7);
    transport::detail::store_le64(&frame[8], sequence);
    if (start > header_size) transport::detail::store_le32(&frame[header_size], stated);
    transport::detail::associated_data also{way};
    made->seal(sequence, also.with(frame.data(), start), content, &frame[start], &frame[start + content.size()]);
    return frame;
}

std::atomic<std::size_t> largest_allocation{0};

}  // namespace

// Out of line, or compilers see half of a pair and warn.
[[gnu::noinline]] void* operator new(std::size_t size) {
    std::size_t seen = largest_allocation.load(std::memory_order_relaxed);
    while (size > seen && !largest_allocation.compare_exchange_weak(seen, size, std::memory_order_relaxed)) {
    }
    if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc{};
}
void* operator new[](std::size_t size) { return ::operator new(size); }
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

TEST_CASE("what is sealed opens, at every size and in every suite") {
    for (const session_options& kind : every_kind()) {
        auto [sealer, opener, book] = make_ends(kind);
        for (const std::size_t size : {0U, 1U, 63U, 64U, 100U, 255U, 256U, 257U, 1000U, 65536U, 1U << 20}) {
            const frame_bytes content = test::event_like(size);
            const frame_bytes frame = test::sealed(sealer, content);
            const bool packed = kind.pack == compression::lz4 && size >= min_compressed;
            REQUIRE(!frame.empty());
            CHECK(((frame[3] & flag_lz4) != 0) == packed);
            CHECK((packed ? frame.size() < frame_size(size) : frame.size() == frame_size(size)));
            const auto opened = opener.open(frame, second);
            REQUIRE(opened.ok());
            CHECK(same(*opened, content));
        }
        CHECK(book->lines().empty());
    }
}

TEST_CASE("content that does not shrink travels as it is") {
    auto [sealer, opener, book] = make_ends({.pack = compression::lz4});
    frame_bytes noise(4096);
    std::mt19937 random(1);
    for (auto& octet : noise) octet = static_cast<std::uint8_t>(random());
    const frame_bytes frame = test::sealed(sealer, noise);
    CHECK(frame.size() == frame_size(noise.size()));
    CHECK(frame[3] == 0);
    CHECK(why(opener, frame) == refusal::none);
}

TEST_CASE("every single-bit flip of header, body and tag is refused") {
    for (const session_options& kind : every_kind()) {
        auto [sealer, opener, book] = make_ends(kind);
        const frame_bytes content = test::event_like(300);
        const frame_bytes frame = test::sealed(sealer, content);
        for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
            frame_bytes flipped = frame;
            flipped[bit / 8] = static_cast<std::uint8_t>(flipped[bit / 8] ^ (1U << (bit % 8)));
            const refusal got = why(opener, flipped);
            if (got == refusal::none) FAIL_CHECK("bit " << bit << " may be flipped");
            if (bit >= 8 * 20) CHECK(got == refusal::auth_failed);
        }
        const auto opened = opener.open(frame, second);  // and none of them spoilt the true one
        REQUIRE(opened.ok());
        CHECK(same(*opened, content));
    }
}

TEST_CASE("a frame cut at any length, or made longer, is refused") {
    for (const session_options& kind : every_kind()) {
        auto [sealer, opener, book] = make_ends(kind);
        frame_bytes frame = test::sealed(sealer, test::event_like(300));
        for (std::size_t size = 0; size < frame.size(); ++size) {
            const frame_bytes cut(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size));
            CHECK(why(opener, cut) != refusal::none);
        }
        frame.push_back(0);
        CHECK(why(opener, frame) == refusal::auth_failed);
    }
}

TEST_CASE("1000 of 1000 replayed frames are refused, in streams and as datagrams") {
    for (const session_options& kind : every_kind()) {
        auto [sealer, opener, book] = make_ends(kind);
        std::vector<frame_bytes> frames;
        for (int i = 0; i < 1000; ++i) frames.push_back(test::sealed(sealer, test::event_like(64)));
        for (const auto& frame : frames) REQUIRE(why(opener, frame) == refusal::none);
        int refused = 0;
        for (const auto& frame : frames) refused += why(opener, frame) == refusal::replay ? 1 : 0;
        CHECK(refused == 1000);
        CHECK(book->count("sensor-1", refusal::replay) == 1000);
    }
}

TEST_CASE("a stream refuses what comes too early and goes on where it stopped") {
    auto [sealer, opener, book] = make_ends();
    const frame_bytes first = test::sealed(sealer, test::octets("one"));
    const frame_bytes next = test::sealed(sealer, test::octets("two"));
    CHECK(why(opener, next) == refusal::gap);
    CHECK(opener.next_sequence() == 0);
    CHECK(why(opener, first) == refusal::none);
    CHECK(why(opener, next) == refusal::none);
    CHECK(opener.next_sequence() == 2);
}

TEST_CASE("datagrams arrive in any order, each once, within the window") {
    auto [sealer, opener, book] = make_ends({.accepted = order::datagram});
    std::vector<frame_bytes> frames;
    for (int i = 0; i < 9000; ++i) frames.push_back(test::sealed(sealer, test::octets("x")));
    std::mt19937 random(3);
    std::shuffle(frames.begin() + 1000, frames.end(), random);
    for (std::size_t i = 1000; i < frames.size(); ++i) CHECK(why(opener, frames[i]) == refusal::none);
    CHECK(why(opener, frames[0]) == refusal::replay);  // 8999 back: too old to tell
    CHECK(why(opener, frames[999]) == refusal::none);  // 8000 back and never seen
    CHECK(why(opener, frames[999]) == refusal::replay);
}

TEST_CASE("a stream that ends early is told from one that was ended, and nothing follows the end") {
    auto [sealer, opener, book] = make_ends();
    frame_bytes last(frame_size(3));
    CHECK(why(opener, test::sealed(sealer, test::octets("one"))) == refusal::none);
    CHECK(!opener.finished());
    REQUIRE(sealer.seal_final(test::octets("end"), last, second).ok());
    CHECK(sealer.seal(test::octets("more"), last, second).failure() == errc::unavailable);
    CHECK(why(opener, last) == refusal::none);
    CHECK(opener.finished());
    CHECK(why(opener, last) == refusal::replay);
}

TEST_CASE("a frame of another channel, sender, receiver, direction, session or key is refused") {
    const auto ring = test::one_epoch();
    const auto stranger = test::one_epoch(1);
    struct other {
        std::shared_ptr<key_ring> keys;
        route way;
        salt session;
    };
    const std::vector<other> others{
        {ring, test::way("config"), counting_salt()},
        {ring, test::way("events", "sensor-2"), counting_salt()},
        {ring, test::way("events", "sensor-1", "firewall"), counting_salt()},
        {ring, test::way("events", "sensor-1", "collector", direction::backward), counting_salt()},
        {ring, test::way("events", "collector", "sensor-1"), counting_salt()},
        {ring, test::way(), counting_salt(0xa1)},
        {stranger, test::way(), counting_salt()},
    };
    for (const suite algorithm : {suite::xchacha20_poly1305, suite::aes256_gcm}) {
        if (!available(algorithm)) continue;
        auto [sealer, opener, book] = make_ends({.algorithm = algorithm}, ring);
        for (const other& each : others) {
            auto wrong = frame_sealer::create(each.keys, each.way, each.session, {.algorithm = algorithm});
            REQUIRE(wrong.ok());
            CHECK(why(opener, test::sealed(*wrong, test::octets("hello"))) == refusal::auth_failed);
        }
        CHECK(book->count("sensor-1", refusal::auth_failed) == others.size());
        CHECK(why(opener, test::sealed(sealer, test::octets("hello"))) == refusal::none);
    }
}

TEST_CASE("names are told apart even when their letters make the same row") {
    const auto ring = test::one_epoch();
    auto sealer = frame_sealer::create(ring, test::way("a", "x", "xb"), counting_salt(), {});
    auto opener = frame_opener::create(ring, test::way("ax", "x", "b"), counting_salt(), {}, nullptr);
    CHECK(why(*opener, test::sealed(*sealer, test::octets("hello"))) == refusal::auth_failed);
}

TEST_CASE("a frame sent back to its sender is refused, even when both ends have one name") {
    const auto ring = test::one_epoch();
    const route there = test::way("events", "twin", "twin", direction::forward);
    const route back = test::way("events", "twin", "twin", direction::backward);
    auto sealer = frame_sealer::create(ring, there, counting_salt(), {});
    auto answers = frame_opener::create(ring, back, counting_salt(), {}, nullptr);
    CHECK(why(*answers, test::sealed(*sealer, test::octets("hello"))) == refusal::auth_failed);
}

TEST_CASE("another suite than the session's is refused by name") {
    if (!available(suite::aes256_gcm)) return;
    const auto ring = test::one_epoch();
    auto [sealer, opener, book] = make_ends({.algorithm = suite::aes256_gcm}, ring);
    auto other = frame_sealer::create(ring, test::way(), counting_salt(), {});
    CHECK(why(opener, test::sealed(*other, test::octets("hello"))) == refusal::unsupported_suite);
    CHECK(book->lines().at(0).advice.find("algorithm") != std::string_view::npos);
}

TEST_CASE("a bomb and a lie about the size are refused without allocating beyond the bound") {
    const auto ring = test::one_epoch();
    constexpr std::uint32_t bound = 64U << 10;
    auto [sealer, opener, book] = make_ends({.max_content = bound}, ring);
    const frame_bytes zeros(16U << 20);
    frame_bytes bomb(static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(zeros.size()))));
    bomb.resize(static_cast<std::size_t>(
        LZ4_compress_default(reinterpret_cast<const char*>(zeros.data()), reinterpret_cast<char*>(bomb.data()),
                             static_cast<int>(zeros.size()), static_cast<int>(bomb.size()))));
    REQUIRE(zeros.size() / bomb.size() >= 250);
    const frame_bytes small_bomb(bomb.begin(), bomb.begin() + 1000);

    const frame_bytes content = test::event_like(2000);
    frame_bytes packed(2000);
    packed.resize(static_cast<std::size_t>(LZ4_compress_default(reinterpret_cast<const char*>(content.data()),
                                                                reinterpret_cast<char*>(packed.data()), 2000, 2000)));
    struct lie {
        frame_bytes frame;
        refusal expected;
    };
    std::vector<lie> lies;
    lies.push_back({forged(*ring, flag_lz4, 16U << 20, bomb), refusal::size_anomaly});        // honest, too large
    lies.push_back({forged(*ring, flag_lz4, 0xffffffffU, bomb), refusal::size_anomaly});      // absurd
    lies.push_back({forged(*ring, flag_lz4, bound + 1, small_bomb), refusal::size_anomaly});  // one too many
    lies.push_back({forged(*ring, flag_lz4, bound, {content.data(), 100}), refusal::size_anomaly});  // over 255:1
    lies.push_back({forged(*ring, 0, 0, frame_bytes(bound + 1)), refusal::size_anomaly});
    lies.push_back({forged(*ring, flag_lz4, bound, bomb, 0), refusal::size_anomaly});  // body beyond the bound
    lies.push_back({forged(*ring, flag_lz4, bound, small_bomb, 0), refusal::decompress_failed});
    lies.push_back({forged(*ring, flag_lz4, 1999, packed, 1), refusal::decompress_failed});
    lies.push_back({forged(*ring, flag_lz4, 2001, packed, 2), refusal::decompress_failed});
    lies.push_back({forged(*ring, flag_lz4, 0, packed, 3), refusal::decompress_failed});

    (void)why(opener, {});  // the book's first entry
    largest_allocation = 0;
    for (const lie& each : lies) CHECK(why(opener, each.frame) == each.expected);
    CHECK(largest_allocation <= bound);
    CHECK(largest_allocation > 0);
    const auto opened = opener.open(forged(*ring, flag_lz4, 2000, packed, 4), second);
    REQUIRE(opened.ok());
    CHECK(same(*opened, content));
}

TEST_CASE("without compression a frame's length depends on the content's length and nothing else") {
    auto [sealer, opener, book] = make_ends({.pack = compression::off});
    auto [packing, unused, unread] = make_ends({.pack = compression::lz4});
    for (const std::size_t size : {0U, 100U, 300U, 5000U}) {
        std::set<std::size_t> plain;
        std::set<std::size_t> packed;
        std::mt19937 random(5);
        for (int i = 0; i < 50; ++i) {
            frame_bytes content(size);
            // From all alike to all different.
            for (auto& octet : content) octet = static_cast<std::uint8_t>(random() % static_cast<unsigned>(1 + i));
            plain.insert(test::sealed(sealer, content).size());
            packed.insert(test::sealed(packing, content).size());
        }
        CHECK(plain == std::set<std::size_t>{size + 32});
        CHECK((packed.size() > 1) == (size >= min_compressed));  // the test can tell
    }
}

TEST_CASE("two frames of the same content share nothing but what the header shares") {
    auto [sealer, opener, book] = make_ends();
    const frame_bytes content(64);
    const frame_bytes first = test::sealed(sealer, content);
    const frame_bytes next = test::sealed(sealer, content);
    int equal = 0;
    for (std::size_t i = header_size; i < first.size(); ++i) equal += first[i] == next[i] ? 1 : 0;
    CHECK(equal < 8);
}

TEST_CASE("sealing refuses what it cannot do, and consumes no number for it") {
    auto [sealer, opener, book] = make_ends({.max_content = 100});
    frame_bytes out(1000);
    CHECK(sealer.seal(frame_bytes(101), out, second).failure() == errc::too_large);
    CHECK(sealer.seal(frame_bytes(10), std::span{out}.first(41), second).failure() == errc::truncated);
    CHECK(sealer.seal(frame_bytes(10), out, 100 * second).failure() == errc::wrong_key);
    CHECK(sealer.next_sequence() == 0);
    CHECK(sealer.seal(frame_bytes(10), out, second).ok());
    CHECK(frame_sealer{}.seal(frame_bytes(1), out, second).failure() == errc::unavailable);
    CHECK(frame_sealer::create(nullptr, test::way(), counting_salt(), {}).failure().code == errc::bad_argument);
    CHECK(frame_sealer::create(test::one_epoch(), route{}, counting_salt(), {}).failure().code == errc::bad_argument);
    CHECK(route::make("", "a", "b", direction::forward).failure().code == errc::bad_argument);
    CHECK(route::make("a", std::string(256, 'x'), "b", direction::forward).failure().code == errc::bad_argument);
}

TEST_CASE("keys change under load: no frame of any of four senders is lost or comes twice") {
    const auto arena = secret_arena::create().value();
    const auto ring = std::make_shared<key_ring>(arena);
    REQUIRE(ring->add(1, test::counting_key(*arena, 1), {0, 10, 5}, 0).ok());
    constexpr std::uint32_t epochs = 40;
    constexpr int frames_per_step = 50;
    std::atomic<std::int64_t> now{0};
    std::atomic<int> working{4};
    std::vector<int> delivered(4);
    std::vector<std::thread> senders;
    std::vector<std::set<std::uint32_t>> seen(4);
    for (std::size_t index = 0; index < 4; ++index) {
        senders.emplace_back([&, index] {
            const route own = test::way("events", "sensor-" + std::to_string(index));
            auto sealer = frame_sealer::create(ring, own, counting_salt(), {});
            auto opener = frame_opener::create(ring, own, counting_salt(), {}, nullptr);
            frame_bytes frame(frame_size(4));
            std::int64_t last = -1;
            // Each step of the clock is used by every sender; a frame is opened up to the grace later.
            while (last < 10 * epochs - 1) {
                const std::int64_t step = now.load();
                if (step == last) {
                    std::this_thread::yield();
                    continue;
                }
                last = step;
                for (int i = 0; i < frames_per_step; ++i) {
                    if (!sealer->seal(test::octets("line"), frame, step)) break;
                    seen[index].insert(load_le32(&frame[4]));
                    if (why(*opener, frame, step + 4) == refusal::none) ++delivered[index];
                }
                --working;
            }
        });
    }
    std::int64_t steps = 1;
    for (std::int64_t step = 0;;) {
        while (working.load() > 0) std::this_thread::yield();
        if (++step >= 10 * epochs) break;
        // The next epoch is published in the middle of each window and begins at its end.
        if (step % 10 == 5) {
            const auto epoch = static_cast<std::uint32_t>(step / 10 + 2);
            const std::int64_t start = step / 10 * 10 + 10;
            if (!ring->add(epoch, test::counting_key(*arena, static_cast<std::uint8_t>(epoch)), {start, start + 10, 5},
                           step)) {
                FAIL_CHECK("epoch " << epoch << " is refused");
            }
        }
        working = 4;
        ++steps;
        now = step;
    }
    for (auto& sender : senders) sender.join();
    CHECK(steps == 10 * epochs);
    for (std::size_t index = 0; index < 4; ++index) {
        CHECK(delivered[index] == steps * frames_per_step);
        CHECK(seen[index].size() == epochs);
    }
}
