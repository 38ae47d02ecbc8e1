// SPDX-License-Identifier: MIT
// Text of numbers, times and strings as event lines hold them, at the edges of their types.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include <mldefender/log/text_cursor.hpp>

using namespace mldefender;

namespace {

template <class Write>
std::string written(Write write) {
    std::string memory(1024, '?');
    log::text_cursor out{memory.data()};
    write(out);
    memory.resize(out.size());
    return memory;
}
std::string four(double number) {
    return written([number](log::text_cursor& out) { out.fixed<4>(number); });
}
std::string weight(double number) {
    return written([number](log::text_cursor& out) { out.signed_hundredths(number); });
}
std::string time(std::int64_t ns) {
    return written([ns](log::text_cursor& out) { out.timestamp(ns); });
}
std::string escaped(std::string_view text) {
    return written([text](log::text_cursor& out) { out.escaped(text); });
}

}  // namespace

TEST_CASE("fixed-point numbers always show a fraction and never more than asked for") {
    CHECK(four(0) == "0.0");
    CHECK(four(1) == "1.0");
    CHECK(four(0.5) == "0.5");
    CHECK(four(0.00005) == "0.0001");
    CHECK(four(0.00004) == "0.0");
    CHECK(four(-0.00004) == "0.0");
    CHECK(four(-1.25) == "-1.25");
    CHECK(four(0.99999) == "1.0");
    CHECK(four(123456.789) == "123456.789");
    CHECK(four(std::nan("")) == "0.0");
    CHECK(four(std::numeric_limits<double>::infinity()) == "900000000000.0");
    CHECK(four(-std::numeric_limits<double>::infinity()) == "-900000000000.0");
    CHECK(written([](log::text_cursor& out) { out.fixed<1>(0.25); }) == "0.3");
    CHECK(written([](log::text_cursor& out) { out.fixed<6>(0.000001); }) == "0.000001");
}

TEST_CASE("weights carry their sign") {
    CHECK(weight(0.31) == "+0.31");
    CHECK(weight(-0.005) == "-0.01");
    CHECK(weight(-0.001) == "+0.00");
    CHECK(weight(std::nan("")) == "+0.00");
    CHECK(weight(12) == "+12.00");
}

TEST_CASE("times are right across leap years, before 1970 and at both ends") {
    CHECK(time(0) == "1970-01-01T00:00:00.000000+0000");
    CHECK(time(-1) == "1969-12-31T23:59:59.999999+0000");
    CHECK(time(951782400'000'000'000) == "2000-02-29T00:00:00.000000+0000");
    CHECK(time(4107542399'999'999'999) == "2100-02-28T23:59:59.999999+0000");
    CHECK(time(4107542400'000'000'000) == "2100-03-01T00:00:00.000000+0000");
    CHECK(time(INT64_MAX) == "2262-04-11T23:47:16.854775+0000");
    CHECK(time(INT64_MIN) == "1677-09-21T00:12:43.145224+0000");
    CHECK(log::utc_day(-1) == -1);
    CHECK(log::utc_day(log::ns_per_day) == 1);
}

TEST_CASE("strings are escaped as RFC 8259 asks and made UTF-8") {
    CHECK(escaped("") == "");
    CHECK(escaped(std::string_view{}) == "");
    CHECK(escaped("plain /text/") == "plain /text/");
    CHECK(escaped("a\"b\\c") == "a\\\"b\\\\c");
    CHECK(escaped(std::string_view{"\0\x1f\n\t\x7f", 5}) == "\\u0000\\u001f\\n\\t\x7f");
    CHECK(escaped("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80") == "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
    const std::string bad = "\xef\xbf\xbd";
    CHECK(escaped("\xff") == bad);
    CHECK(escaped("\x80z") == bad + "z");
    CHECK(escaped("\xc0\xaf") == bad + bad);                      // overlong
    CHECK(escaped("\xe0\x80\x80") == bad + bad + bad);            // overlong
    CHECK(escaped("\xed\xa0\x80") == bad + bad + bad);            // surrogate
    CHECK(escaped("\xf4\x90\x80\x80") == bad + bad + bad + bad);  // beyond U+10FFFF
    CHECK(escaped("\xf0\x9f\x98") == bad + bad + bad);            // cut off
    CHECK(escaped("\xc3") == bad);
}

TEST_CASE("whole numbers, hex and dates") {
    CHECK(written([](log::text_cursor& out) { out.integer(UINT64_MAX); }) == "18446744073709551615");
    CHECK(written([](log::text_cursor& out) { out.hex(std::uint8_t{0x0f}); }) == "0f");
    CHECK(written([](log::text_cursor& out) { out.date(log::to_utc(0)); }) == "1970-01-01");
}
