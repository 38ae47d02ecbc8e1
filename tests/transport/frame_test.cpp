// SPDX-License-Identifier: MIT
// The header by its bytes, the published frames, and what a look at a header refuses before any key is asked for.
#include <doctest/doctest.h>

#include <array>
#include <string>

#include <mldefender/transport/frame.hpp>

#include "support/sessions.hpp"

using namespace mldefender;
using namespace mldefender::transport;

namespace {

constexpr std::size_t bound = 1000;

test::frame_bytes small_frame() {
    test::frame_bytes frame(40);
    const std::array<std::uint8_t, 16> header{'M', 1, 1, 2, 4, 3, 2, 1, 8, 7, 6, 5, 4, 3, 2, 1};
    std::copy(header.begin(), header.end(), frame.begin());
    return frame;
}

refusal refused(const test::frame_bytes& frame) {
    const auto header = peek(frame, bound);
    return header ? refusal::none : header.failure();
}

std::string hex(bytes data) {
    std::string text(data.size() * 2 + 1, '\0');
    sodium_bin2hex(text.data(), text.size(), data.data(), data.size());
    text.pop_back();
    return text;
}

}  // namespace

TEST_CASE("a header is read little endian") {
    const auto header = peek(small_frame(), bound);
    REQUIRE(header.ok());
    CHECK(header->algorithm == suite::xchacha20_poly1305);
    CHECK(header->flags == flag_final);
    CHECK(header->key_id == 0x01020304);
    CHECK(header->sequence == 0x0102030405060708);
    CHECK(header->content_size == 8);
    CHECK(!header->compressed());
}

TEST_CASE("what is no frame, or not one of ours, is told apart") {
    const auto with = [](std::size_t at, std::uint8_t value) {
        auto frame = small_frame();
        frame[at] = value;
        return refused(frame);
    };
    CHECK(refused({}) == refusal::not_a_frame);
    CHECK(with(0, 'G') == refusal::not_a_frame);
    CHECK(with(1, 2) == refusal::unsupported_suite);
    CHECK(with(2, 0) == refusal::unsupported_suite);
    CHECK(with(2, 3) == refusal::unsupported_suite);
    CHECK(with(3, 4) == refusal::unsupported_suite);
    CHECK(with(3, 0x80) == refusal::unsupported_suite);
    auto frame = small_frame();
    frame.resize(31);
    CHECK(refused(frame) == refusal::size_anomaly);
    frame.resize(32);
    CHECK(refused(frame) == refusal::none);
    frame[3] = flag_lz4;  // no room for the length
    CHECK(refused(frame) == refusal::size_anomaly);
    frame.resize(32 + bound);
    frame[3] = 0;
    CHECK(refused(frame) == refusal::none);
    frame.push_back(0);
    CHECK(refused(frame) == refusal::size_anomaly);
}

TEST_CASE("the frames that docs/crypto.md publishes") {
    const auto ring = test::one_epoch();
    auto plain = frame_sealer::create(ring, test::way(), test::counting_salt(), {});
    CHECK(hex(test::sealed(*plain, test::octets("hello"))) ==
          "4d0101000700000000000000000000005cf47aab259b1a3b7da1599e4041eda0463b748a2d");
    if (!available(suite::aes256_gcm)) return;
    auto aes = frame_sealer::create(ring, test::way(), test::counting_salt(), {.algorithm = suite::aes256_gcm});
    CHECK(hex(test::sealed(*aes, test::octets("hello"))) ==
          "4d0102000700000000000000000000003ecd8909879866d73d5095fbe00354516bfc71fdab");
}
