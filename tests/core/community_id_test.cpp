// SPDX-License-Identifier: MIT
// community_id.hpp against the published baseline of the Community ID specification (default seed and seed 1), and
// SHA-1 against known digests up to its longest message.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <mldefender/core/community_id.hpp>

using namespace mldefender;

namespace {

struct vector_row {
    ip_protocol protocol;
    const char* source;
    const char* destination;
    std::uint16_t source_port;       // ICMP: type
    std::uint16_t destination_port;  // ICMP: code, where the type is one-way
    const char* id;
    const char* id_seed_1;
};

constexpr auto icmp = ip_protocol::icmp;
constexpr auto icmp6 = ip_protocol::icmpv6;
constexpr auto tcp = ip_protocol::tcp;
constexpr auto udp = ip_protocol::udp;
constexpr auto sctp = ip_protocol::sctp;

const vector_row rows[] = {
    {icmp6, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 135, 0,
     "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=", "1:kHa1FhMYIT6Ym2Vm2AOtoOARDzY="},
    {icmp6, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 136, 0,
     "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=", "1:kHa1FhMYIT6Ym2Vm2AOtoOARDzY="},
    {icmp6, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 135, 0,
     "1:zavyT/cezQr1fmImYCwYnMXbgck=", "1:2hSqmsDZ2kdcY9kbiUzOEBic0iM="},
    {icmp6, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 136, 0,
     "1:zavyT/cezQr1fmImYCwYnMXbgck=", "1:2hSqmsDZ2kdcY9kbiUzOEBic0iM="},
    {icmp6, "3ffe:501:1800:2345::2", "3ffe:507:0:1:200:86ff:fe05:80da", 3, 0,
     "1:2ObVBgIn28oZvibYZhZMBgh7WdQ=", "1:lVEtCZpYu84Xqaa++3lXFyuu2n4="},
    {icmp6, "3ffe:501:410:0:2c0:dfff:fe47:33e", "3ffe:507:0:1:200:86ff:fe05:80da", 1, 4,
     "1:hLZd0XGWojozrvxqE0dWB1iM6R0=", "1:W8MHwXpWzpoSTD+cGcaJr4u0ys8="},
    {icmp6, "3ffe:507:0:1:200:86ff:fe05:80da", "3ffe:501:0:1001::2", 128, 0,
     "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg=", "1:GfZxjAkDk2MkegpBYHV6tadtFXQ="},
    {icmp6, "3ffe:501:0:1001::2", "3ffe:507:0:1:200:86ff:fe05:80da", 129, 0,
     "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg=", "1:GfZxjAkDk2MkegpBYHV6tadtFXQ="},
    {icmp6, "fe80::200:86ff:fe05:80da", "ff02::2", 133, 0,
     "1:hO+sN4H+MG5MY/8hIrXPqc4ZQz0=", "1:L7Ka0ZMYu+J3bL4ulW2PrqyXNo8="},
    {icmp6, "fe80::260:97ff:fe07:69ea", "ff02::1", 134, 0,
     "1:pkvHqCL88/tg1k4cPigmZXUtL00=", "1:K/ee5UCqAMAQXDorP5nSa2CGLjc="},
    {icmp6, "3ffe:507:0:1:260:97ff:fe07:69ea", "3ffe:507:0:1:200:86ff:fe05:80da", 3, 0,
     "1:NdobDX8PQNJbAyfkWxhtL2Pqp5w=", "1:OlOWx9psIbBFi7lOCw/4MhlKR9M="},
    {icmp6, "3ffe:507:0:1:200:86ff:fe05:80da", "3ffe:507:0:1:260:97ff:fe07:69ea", 3, 0,
     "1:/OGBt9BN1ofenrmSPWYicpij2Vc=", "1:Ij4ZxnC87/MXzhOjvH2vHu7LRmE="},
    {icmp, "192.168.0.89", "192.168.0.1", 8, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=", "1:03g6IloqVBdcZlPyX8r0hgoE7kA="},
    {icmp, "192.168.0.1", "192.168.0.89", 0, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=", "1:03g6IloqVBdcZlPyX8r0hgoE7kA="},
    {icmp, "192.168.0.1", "192.168.0.89", 0, 20, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=", "1:03g6IloqVBdcZlPyX8r0hgoE7kA="},
    {icmp, "192.168.0.89", "192.168.0.1", 20, 0, "1:3o2RFccXzUgjl7zDpqmY7yJi8rI=", "1:lCXHHxavE1Vq3oX9NH5ladQg02o="},
    {icmp, "192.168.0.89", "192.168.0.1", 20, 1, "1:tz/fHIDUHs19NkixVVoOZywde+I=", "1:Ie3wmFyxiEyikbsbcO03d2nh+PM="},
    {icmp, "10.0.0.1", "10.0.0.2", 11, 0, "1:YHxtAirCG//0OzkcVAukqKQN9xM=", "1:XjUibYHaafLQ3pxQeiMI8g25q20="},
    {tcp, "2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a", 63943, 25,
     "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=", "1:eJYTW6AOzFLlSUoESovMjnu7rMw="},
    {tcp, "128.232.110.120", "66.35.250.204", 34855, 80,
     "1:LQU9qZlK+B5F3KDmev6m5PMibrg=", "1:3V71V58M3Ksw/yuFALMcW0LAHvc="},
    {tcp, "10.0.0.1", "10.0.0.2", 10, 11569, "1:SXBGMX1lBOwhhoDrZynfROxnhnM=", "1:HmBRGR+fUyXF4t8WEtal7Y0gEAo="},
    {sctp, "192.168.170.8", "192.168.170.56", 7, 7, "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs=", "1:5w3ZRjeKBzqT3zsaEECDGjUbYeg="},
    {sctp, "192.168.170.8", "192.168.170.56", 7, 80,
     "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ=", "1:Y1/0jQg6e+I3ZwZZ9LP65DNbTXU="},
    {udp, "192.168.1.52", "8.8.8.8", 54585, 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ=", "1:Q9We8WO3piVF8yEQBNJF4uiSVrI="},
};

std::string hex(const detail::sha1_digest& digest) {
    std::string out;
    for (const std::uint8_t b : digest) {
        out += "0123456789abcdef"[b >> 4];
        out += "0123456789abcdef"[b & 15];
    }
    return out;
}
std::string sha1_of(std::string_view text) {
    const std::vector<std::uint8_t> data(text.begin(), text.end());
    return hex(detail::sha1_short(data));
}

}  // namespace

TEST_CASE("published vectors") {
    for (const vector_row& row : rows) {
        CAPTURE(row.id);
        const bool is_icmp = row.protocol == icmp || row.protocol == icmp6;
        five_tuple t{*parse_address(row.source), *parse_address(row.destination), 0, 0, row.protocol};
        std::uint8_t type = 0;
        std::uint8_t code = 0;
        if (is_icmp) {
            type = static_cast<std::uint8_t>(row.source_port);
            code = static_cast<std::uint8_t>(row.destination_port);
        } else {
            t.source_port = row.source_port;
            t.destination_port = row.destination_port;
        }
        CHECK(community_id(t, type, code).view() == row.id);
        CHECK(community_id(t, type, code, 1).view() == row.id_seed_1);
        if (!is_icmp) {
            CHECK(community_id(t.reversed()).view() == row.id);
        }
    }
}

TEST_CASE("paired ICMP types share an id with their answers") {
    const five_tuple there{address::v4(10, 0, 0, 1), address::v4(10, 0, 0, 2), 0, 0, icmp};
    const std::uint8_t pairs[][2] = {{8, 0}, {10, 9}, {13, 14}, {15, 16}, {17, 18}};
    for (const auto& pair : pairs) {
        CHECK(community_id(there, pair[0]).view() == community_id(there.reversed(), pair[1]).view());
    }
    five_tuple six{*parse_address("fe80::1"), *parse_address("fe80::2"), 0, 0, icmp6};
    const std::uint8_t pairs6[][2] = {{128, 129}, {130, 131}, {133, 134}, {135, 136}, {139, 140}, {144, 145}};
    for (const auto& pair : pairs6) {
        CHECK(community_id(six, pair[0]).view() == community_id(six.reversed(), pair[1]).view());
        CHECK(community_id(six, pair[1]).view() == community_id(six.reversed(), pair[0]).view());
    }
    CHECK(community_id(there, 3, 1).view() != community_id(there.reversed(), 3, 1).view());
}

TEST_CASE("equal addresses are ordered by port") {
    const address a = address::v4(127, 0, 0, 1);
    const five_tuple t{a, a, 5000, 80, tcp};
    CHECK(community_id(t).view() == community_id(t.reversed()).view());
}

TEST_CASE("SHA-1 examples") {
    CHECK(sha1_of("") == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    CHECK(sha1_of("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d");
    CHECK(sha1_of("The quick brown fox jumps over the lazy dog") == "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12");
    CHECK(sha1_of("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabc") ==
          "a617d006d1ca12671785098a19a87fe58443bde9");
}

static_assert(community_id({address::v4(192, 168, 1, 52), address::v4(8, 8, 8, 8), 54585, 53, ip_protocol::udp})
                  .view() == "1:d/FP5EW3wiY1vCndhwleRRKHowQ=");
