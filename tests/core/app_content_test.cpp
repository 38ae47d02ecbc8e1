// SPDX-License-Identifier: MIT
// app/content.hpp: what a body is by its first bytes, and bodies too short to tell.
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include <mldefender/core/app/content.hpp>

#include "support/frames.hpp"
#include "support/traffic.hpp"

using namespace mldefender;
using namespace mldefender::test;

namespace {

body_kind kind(std::string_view text) { return detail::app::kind_of_body(text_of(text)); }
frame noise(std::size_t count, std::uint64_t seed) {
    frame f;
    dice random{seed};
    while (f.size < count) f.u8(static_cast<unsigned>(random.below(256)));
    return f;
}

constexpr frame library = text_of("PK\x03\x04rest");
static_assert(detail::app::kind_of_body(library) == body_kind::package);

}  // namespace

TEST_CASE("formats by their first bytes") {
    CHECK(kind("MZ\x90 and more") == body_kind::program);
    CHECK(kind("\x7f"
               "ELF\x02\x01") == body_kind::program);
    CHECK(kind("\xd0\xcf\x11\xe0") == body_kind::package);
    CHECK(kind("MSCF....") == body_kind::package);
    CHECK(kind("CWS\x0a....") == body_kind::package);
    CHECK(kind("\x89PNG....") == body_kind::known);
    CHECK(kind("....ftypmp42") == body_kind::known);
    CHECK(kind("MZ") == body_kind::none);
    CHECK(kind("PK") == body_kind::none);
    CHECK(kind("") == body_kind::none);
}

TEST_CASE("an address and nothing else") {
    CHECK(kind("203.0.113.9") == body_kind::address);
    CHECK(kind(" 203.0.113.9\r\n") == body_kind::address);
    CHECK(kind("2001:db8::17:a") == body_kind::address);
    for (const char* text :
         {"203.0.113", "203.0.113.9 is yours", "1.2.3.4.5", "12:34", "a.b.c.d", "....", "cafe.1.2.3"})
        CHECK(kind(text) == body_kind::text);
}

TEST_CASE("text, order and noise") {
    CHECK(kind("<!DOCTYPE html>\r\n\t<p>caf\xc3\xa9") == body_kind::text);
    CHECK(detail::app::kind_of_body(frame{}.be16(0xfffe).text("a").u8(0).text("b").u8(0)) == body_kind::text);
    CHECK(detail::app::kind_of_body(frame{}.be32(7).zeros(200)) == body_kind::structured);
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        CAPTURE(seed);
        CHECK(detail::app::kind_of_body(frame{}.u8(1).add(noise(255, seed))) == body_kind::unreadable);
        CHECK(detail::app::kind_of_body(frame{}.u8(1).add(noise(60, seed))) != body_kind::unreadable);
    }
    // One in four bytes from a table of few values: order enough.
    frame half;
    for (unsigned i = 0; half.size < 256; ++i) half.u8(i % 2 == 0 ? 0 : i * 37 % 256);
    CHECK(detail::app::kind_of_body(half) == body_kind::structured);
}

TEST_CASE("the size of a first chunk is no part of the body") {
    const auto rest = [](std::string_view text) {
        const frame f = text_of(text);
        const bytes left = detail::app::skip_chunk_size(f);
        return std::string{left.begin(), left.end()};
    };
    CHECK(rest("1f4\r\nMZ") == "MZ");
    CHECK(rest("MZ") == "MZ");
    CHECK(rest("1f4 MZ") == "1f4 MZ");
    CHECK(rest("123456789\r\nx") == "123456789\r\nx");
    CHECK(rest("").empty());
}
