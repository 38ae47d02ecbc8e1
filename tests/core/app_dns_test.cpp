// SPDX-License-Identifier: MIT
// DNS messages: what is read from questions and answers, the numbers of a name, and what is refused.
#include <cmath>
#include <map>
#include <string>

#include <doctest/doctest.h>

#include <core/app_samples.hpp>

namespace {

using namespace mldefender;
using namespace mldefender::test;

constexpr app_message read_udp(bytes payload) { return read_message(app_protocol::dns, payload, true); }

constexpr frame nxdomain = dns_query("nope.example.org", 28, 0x8183);
static_assert(read_udp(nxdomain).has(app_fact::lookup_failed));
static_assert(read_udp(nxdomain).code == 3 && read_udp(nxdomain).is_response);
static_assert(read_udp(nxdomain).dns()->qtype == 28);

double entropy_of(const std::string& text) {
    std::map<char, double> counts;
    for (const char c : text) counts[c] += 1;
    double sum = 0;
    for (const auto& [c, n] : counts)
        sum -= n / static_cast<double>(text.size()) * std::log2(n / static_cast<double>(text.size()));
    return sum;
}

}  // namespace

TEST_CASE("a question's name becomes numbers") {
    const frame query = dns_query("a1b2c3.Files.Example.org", 16);
    const app_message m = read_udp(query);
    REQUIRE(m.dns() != nullptr);
    const dns_details& d = *m.dns();
    CHECK_FALSE(m.is_response);
    CHECK(d.qtype == 16);
    CHECK(d.id == 0x1234);
    CHECK(d.labels == 4);
    CHECK(d.longest_label == 7);
    CHECK(d.name_len == 24);
    CHECK(d.subname_len == 12);  // a1b2c3.Files
    CHECK(d.digit_permille == 3 * 1000 / 21);
    CHECK(dns_name_text(m.name).view() == "a1b2c3.Files.Example.org");
}

TEST_CASE("entropy agrees with its definition") {
    for (const char* label : {"a", "aa", "abab", "example", "qwertyuiopasdfghjklzxcvbnm0123456789", "mississippi"}) {
        const frame query = dns_query(label, 1);
        const double expected = entropy_of(label) * 1000;
        CAPTURE(label);
        CHECK(std::abs(read_udp(query).dns()->entropy_millibits - expected) < 3.0);
    }
}

TEST_CASE("hashes ignore case and tell names and suffixes apart") {
    const auto details = [](std::string_view name) { return *read_udp(dns_query(name, 1)).dns(); };
    CHECK(details("WWW.example.ORG").name_hash == details("www.EXAMPLE.org").name_hash);
    CHECK(details("www.example.org").name_hash != details("ww.wexample.org").name_hash);
    CHECK(details("a.example.org").suffix_hash == details("b.c.example.org").suffix_hash);
    CHECK(details("a.example.org").suffix_hash != details("a.example.net").suffix_hash);
    // Below a country's registry the owner's label counts too.
    CHECK(details("a.shop.co.uk").suffix_hash != details("a.other.co.uk").suffix_hash);
    CHECK(details("a.shop.co.uk").suffix_hash == details("b.shop.co.uk").suffix_hash);
    CHECK(details("x.longname.uk").suffix_hash == details("y.longname.uk").suffix_hash);
}

TEST_CASE("answers add up, however many the payload holds") {
    const frame data = text_of("0123456789");
    frame response = dns_query("t.example.org", 16, 0x8180, 3);
    response.add(dns_answer(16, 300, data)).add(dns_answer(10, 20, data)).add(dns_answer(1, 60, data.first(4)));
    const app_message whole = read_udp(response);
    CHECK(whole.dns()->text_bytes == 20);
    CHECK(whole.dns()->answer_bytes == 24);
    CHECK(whole.dns()->min_ttl_s == 20);
    CHECK(whole.dns()->answers == 3);
    const app_message cut = read_udp(response.first(response.size - 40));
    CHECK(cut.dns()->answers == 3);
    CHECK(cut.dns()->text_bytes == 10);
}

TEST_CASE("a question for everything is an amplifier's request, but not on the local link") {
    CHECK(read_udp(dns_query("example.org", 255)).has(app_fact::amplifier_request));
    CHECK_FALSE(read_message(app_protocol::mdns, dns_query("x.local", 255), true).has(app_fact::amplifier_request));
    CHECK_FALSE(read_udp(dns_query("example.org", 1)).has(app_fact::amplifier_request));
}

TEST_CASE("TCP's length is stripped, also when the message goes on in the next segment") {
    const frame query = dns_query("host.example.org", 252);
    const frame framed = frame{}.be16(static_cast<unsigned>(query.size)).add(query);
    CHECK(read_udp(framed).dns()->name_len == 16);
    frame longer = frame{}.be16(4000).add(dns_query("host.example.org", 252, 0x8180, 200));
    CHECK(read_udp(longer).dns()->name_len == 16);
    CHECK(read_udp(longer).dns()->stream_len == 4000);
    CHECK(read_udp(framed).dns()->stream_len == query.size);
    CHECK(read_udp(query).dns()->stream_len == 0);
    CHECK(recognise(longer, ip_protocol::tcp, 53, 40000) == app_protocol::dns);
    CHECK(recognise(longer, ip_protocol::tcp, 5300, 40000) == app_protocol::unknown);
}

TEST_CASE("names that loop, point forward or run out are refused") {
    const frame header = frame{}.be16(1).be16(0x0100).be16(1).be16(0).be32(0);
    const auto refused = [&](const frame& name) {
        const frame message = join(header, name);
        return !read_udp(message) && recognise(message, ip_protocol::udp, 40000, 53) == app_protocol::unknown;
    };
    CHECK(refused(frame{}.be16(0xc00c).be32(0x00010001)));                  // points at itself
    CHECK(refused(frame{}.u8(1).text("a").be16(0xc00c).be32(0x00010001)));  // a loop
    CHECK(refused(frame{}.be16(0xc0ff).be32(0x00010001)));                  // forward
    CHECK(refused(frame{}.be16(0xc000).be32(0x00010001)));                  // into the header
    CHECK(refused(frame{}.u8(0x40).zeros(80)));                             // reserved label type
    CHECK(refused(frame{}.u8(20).text("short")));                           // label longer than the message
    frame endless;
    for (int i = 0; i < 5; ++i) endless.u8(63).add(frame{}.zeros(63));
    CHECK(refused(endless.u8(0).be32(0x00010001)));  // more than 255 octets
}

TEST_CASE("the root and an empty message") {
    CHECK(read_udp(dns_query("", 2)).dns()->labels == 0);
    CHECK(read_udp(dns_query("", 2)).dns()->entropy_millibits == 0);
    CHECK_FALSE(read_udp(frame{}.zeros(11)));
    CHECK_FALSE(read_message(app_protocol::dns, bytes{}, true));
}

TEST_CASE("text of a name keeps its bounds and hides what is not printable") {
    CHECK(dns_name_text(frame{}.u8(3).u8('a').u8(7).u8('b').u8(0)).view() == "a?b");
    CHECK(dns_name_text(frame{}.u8(9).text("cut")).view() == "cut");
    CHECK(dns_name_text(bytes{}).view().empty());
    frame long_name;
    for (int i = 0; i < 20; ++i) long_name.u8(63).add(frame{}.zeros(63));
    CHECK(dns_name_text(long_name).view().size() == 253);
}
