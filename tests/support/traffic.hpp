// SPDX-License-Identifier: MIT
// Made-up captures, the same for the same seed: conversations, lookups, scans, floods and guessing as whole frames in
// order of time. They exist to exercise the pipeline from end to end in tests and benchmarks, not to look real enough
// to learn from.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <mldefender/core/packet.hpp>

#include "frames.hpp"
#include "packets.hpp"

namespace mldefender::test {

/// splitmix64 (Steele, Lea, Flood 2014).
class dice {
public:
    constexpr explicit dice(std::uint64_t seed) : m_state(seed) {}
    constexpr std::uint64_t next() {
        std::uint64_t z = (m_state += 0x9e3779b97f4a7c15ULL);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }
    constexpr std::uint64_t below(std::uint64_t count) { return next() % count; }
    /// lowest..highest, both included.
    constexpr std::int64_t between(std::int64_t lowest, std::int64_t highest) {
        return lowest + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(highest - lowest + 1)));
    }

private:
    std::uint64_t m_state;
};

/// Frames and their times. `packets()` sorts by time (equal times keep the order of adding) and points into the
/// capture.
class capture {
public:
    void add(std::int64_t at_ns, const frame& f, std::size_t padded_to = 0) {
        const std::size_t size = std::max(f.size, padded_to);
        m_index.push_back({at_ns, m_bytes.size(), size});
        m_bytes.insert(m_bytes.end(), f.data.begin(), f.data.begin() + static_cast<std::ptrdiff_t>(size));
    }
    [[nodiscard]] std::size_t size() const { return m_index.size(); }

    [[nodiscard]] std::vector<raw_packet> packets() const {
        std::vector<item> sorted = m_index;
        std::stable_sort(sorted.begin(), sorted.end(), [](const item& a, const item& b) { return a.at_ns < b.at_ns; });
        std::vector<raw_packet> out;
        out.reserve(sorted.size());
        for (const item& i : sorted) {
            out.push_back({i.at_ns, bytes{m_bytes}.subspan(i.offset, i.size), static_cast<std::uint32_t>(i.size),
                           link_type::ethernet});
        }
        return out;
    }

private:
    struct item {
        std::int64_t at_ns;
        std::size_t offset;
        std::size_t size;
    };
    std::vector<item> m_index;
    std::vector<std::uint8_t> m_bytes;
};

inline constexpr std::int64_t epoch_ns = 1'700'000'000 * second;

/// A whole TCP connection: handshake, `rounds` of request and answer `pause_ns` apart, FIN both ways. Returns its end.
inline std::int64_t converse(capture& c, five_tuple t, std::int64_t at_ns, int rounds, std::int64_t pause_ns,
                             std::string_view request, std::string_view answer, std::size_t padded_to = 0) {
    t.protocol = ip_protocol::tcp;
    const five_tuple back = t.reversed();
    std::uint32_t mine = 1000, yours = 2000;
    const auto step = pause_ns / 10;
    c.add(at_ns, tcp_frame(t, tcp_flag::syn, {}, mine++), padded_to);
    c.add(at_ns += step, tcp_frame(back, tcp_flag::syn | tcp_flag::ack, {}, yours++, mine), padded_to);
    c.add(at_ns += step, tcp_frame(t, tcp_flag::ack, {}, mine, yours), padded_to);
    for (int i = 0; i < rounds; ++i) {
        c.add(at_ns += pause_ns, tcp_frame(t, tcp_flag::psh | tcp_flag::ack, request, mine, yours), padded_to);
        mine += static_cast<std::uint32_t>(request.size());
        c.add(at_ns += step, tcp_frame(back, tcp_flag::psh | tcp_flag::ack, answer, yours, mine), padded_to);
        yours += static_cast<std::uint32_t>(answer.size());
    }
    c.add(at_ns += pause_ns, tcp_frame(t, tcp_flag::fin | tcp_flag::ack, {}, mine++, yours), padded_to);
    c.add(at_ns += step, tcp_frame(back, tcp_flag::fin | tcp_flag::ack, {}, yours++, mine), padded_to);
    c.add(at_ns += step, tcp_frame(t, tcp_flag::ack, {}, mine, yours), padded_to);
    return at_ns;
}

/// A DNS question for one name of two labels below "example", with or without an answer.
[[nodiscard]] inline frame dns_message(std::uint16_t id, std::string_view label, bool answer, std::uint8_t code) {
    frame m;
    m.be16(id).be16((answer ? 0x8180U : 0x0100U) | code).be16(1).be16(0).be16(0).be16(0);
    m.u8(static_cast<unsigned>(label.size())).text(label).u8(7).text("example").u8(0).be16(1).be16(1);
    return m;
}

inline void look_up(capture& c, const five_tuple& t, std::int64_t at_ns, std::string_view label, std::uint8_t code) {
    const auto framed = [](const five_tuple& way, const frame& message) {
        return ethernet_ip(ip({.source = way.source, .destination = way.destination, .protocol = 17},
                              udp(way.source_port, way.destination_port, message)));
    };
    const auto id = static_cast<std::uint16_t>(t.source_port ^ 0x5555U);
    c.add(at_ns, framed(t, dns_message(id, label, false, 0)));
    c.add(at_ns + 12 * ms, framed(t.reversed(), dns_message(id, label, true, code)));
}

/// SYNs to `ports` ports of one host, each refused.
inline void scan_ports(capture& c, const address& from, const address& to, std::int64_t at_ns, int ports,
                       std::int64_t pause_ns) {
    for (int i = 0; i < ports; ++i, at_ns += pause_ns) {
        const five_tuple t = tuple_of(ip_protocol::tcp, 45000, static_cast<std::uint16_t>(20 + i), from, to);
        c.add(at_ns, tcp_frame(t, tcp_flag::syn));
        c.add(at_ns + ms / 5, tcp_frame(t.reversed(), tcp_flag::rst | tcp_flag::ack));
    }
}

/// SYNs from as many forged addresses to one port of `to`, none answered.
inline void flood(capture& c, const address& to, std::uint16_t port, std::int64_t at_ns, int packets,
                  std::int64_t pause_ns, dice& random) {
    for (int i = 0; i < packets; ++i, at_ns += pause_ns) {
        const address from = address::v4(0x2d000000U | static_cast<std::uint32_t>(random.below(1U << 24)));
        const auto from_port = static_cast<std::uint16_t>(random.between(1024, 65535));
        c.add(at_ns, tcp_frame(tuple_of(ip_protocol::tcp, from_port, port, from, to), tcp_flag::syn));
    }
}

/// A bit of everything over about `seconds` of capture time: web use, lookups, pings, IPv6, fragments, frames that
/// cannot be decoded, and four attacks: a scan, a flood, password guessing, random names.
[[nodiscard]] inline capture mixed_capture(std::uint64_t seed, int seconds) {
    capture c;
    dice random{seed};
    // Draws are never two arguments of one call: the order of their evaluation is the compiler's choice.
    const auto moment = [&] { return epoch_ns + random.between(0, seconds * second); };
    const auto host = [&] { return address::v4(10, 0, 0, static_cast<std::uint8_t>(random.between(2, 40))); };
    const auto port = [&] { return static_cast<std::uint16_t>(random.between(1024, 65535)); };
    for (int i = 0; i < seconds * 6; ++i) {
        const address to = address::v4(0xc6336400U | static_cast<std::uint32_t>(random.below(64)));
        const bool web = random.below(3) != 0;
        const std::int64_t at = moment();
        const std::uint16_t from_port = port();
        const address from = host();
        const auto rounds = static_cast<int>(random.between(1, 9));
        converse(c, tuple_of(ip_protocol::tcp, from_port, web ? 80 : 443, from, to), at, rounds,
                 random.between(2, 300) * ms,
                 web ? "GET /index.html HTTP/1.1\r\nHost: www.example\r\n\r\n" : "\x17\x03\x03\x01\x10 opaque",
                 web ? "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello, world" : "\x17\x03\x03\x05\x30 opaque");
    }
    for (int i = 0; i < seconds * 4; ++i) {
        const std::int64_t at = moment();
        const std::uint16_t from_port = port();
        look_up(c, tuple_of(ip_protocol::udp, from_port, 53, host(), address::v4(10, 0, 0, 1)), at, "www", 0);
    }
    const address six = *parse_address("2001:db8::5"), other = *parse_address("2001:db8::9");
    for (int i = 0; i < seconds; ++i) {
        const std::int64_t at = moment();
        c.add(at, icmp_frame(client, server, 8, 0, "ping"));
        c.add(at + 20 * ms, icmp_frame(server, client, 0, 0, "ping"));
        const std::uint16_t from_port = port();
        converse(c, tuple_of(ip_protocol::tcp, from_port, 22, six, other), moment(), 3, 50 * ms, "SSH-2.0-one\r\n",
                 "SSH-2.0-two\r\n");
        ip_fields part{.source = client, .destination = server, .protocol = 17, .id = static_cast<std::uint16_t>(i)};
        part.more_fragments = true;
        const std::int64_t when = moment();
        c.add(when, ethernet_ip(ipv4(part, udp(4000, 5000, frame{}.zeros(56)))));
        part.more_fragments = false;
        part.offset = 64;
        c.add(when + ms, ethernet_ip(ipv4(part, text_of("the rest"))));
        c.add(moment(), ethernet(0x0806, frame{}.zeros(28)));
        c.add(moment(), ethernet(0x0800, frame{}.u8(0x45).zeros(7)));
    }
    const address attacker = address::v4(203, 0, 113, 66), victim = address::v4(10, 0, 0, 9);
    scan_ports(c, attacker, victim, epoch_ns + seconds * second / 5, 120, 9 * ms);
    flood(c, victim, 80, epoch_ns + seconds * second / 2, 4000, ms / 2, random);
    for (int i = 0; i < 40; ++i) {
        converse(c, tuple_of(ip_protocol::tcp, static_cast<std::uint16_t>(50000 + i), 22, client, victim),
                 epoch_ns + seconds * second / 3 + i * 400 * ms, 3, 20 * ms, "SSH-2.0-guess\r\n", "SSH-2.0-server\r\n");
        const std::string_view letters = "q7xk2vz9pw4jh8m3t6";
        look_up(c, tuple_of(ip_protocol::udp, static_cast<std::uint16_t>(30000 + i), 53, client, server),
                epoch_ns + 2 * seconds * second / 3 + i * 90 * ms, letters.substr(static_cast<std::size_t>(i) % 9, 9),
                3);
    }
    return c;
}

/// `flows` connections of 20 packets or more, every frame 64 bytes, begun evenly over `seconds`.
[[nodiscard]] inline capture small_packets(int flows, int seconds, std::uint64_t seed = 1, int most_rounds = 9) {
    capture c;
    dice random{seed};
    for (int i = 0; i < flows; ++i) {
        const address from = address::v4(0x0a000000U | static_cast<std::uint32_t>(random.between(1, 2000)));
        const address to = address::v4(0xc6336400U | static_cast<std::uint32_t>(random.below(256)));
        const auto port = static_cast<std::uint16_t>(random.between(1024, 65535));
        const std::int64_t at = epoch_ns + random.between(0, seconds * second);
        const auto rounds = static_cast<int>(random.between(most_rounds - 2, most_rounds));
        converse(c, tuple_of(ip_protocol::tcp, port, 5000, from, to), at, rounds, random.between(20, 400) * ms,
                 "0123456789", "9876543210", 64);
    }
    return c;
}

}  // namespace mldefender::test
