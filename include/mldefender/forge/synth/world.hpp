// SPDX-License-Identifier: MIT
// The virtual network a scenario plays in: an address plan, local hosts with operating systems, outside hosts with
// distances, names, and how the sensor sees it all (VLAN, padding, offload, address translation, one-way visibility,
// loss), at what time of day. Everything is
// drawn from the scenario's generator so that no two networks look alike; benign and attack behaviours share the same
// hosts and stacks, so that neither a TTL nor a window tells them apart. Called by the scenario and by behaviours.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include <mldefender/core/address.hpp>
#include <mldefender/forge/synth/random.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {

/// How an operating system writes its TCP: what real first packets show.
struct tcp_stack {
    std::uint8_t ttl;             ///< TTL or hop limit its packets start with
    std::uint16_t window;         ///< of the first packet
    std::uint8_t window_shift;    ///< 0xff: no window scale option
    bool sack;                    ///< offers selective acknowledgements
    bool timestamps;              ///< offers time stamps
    bool timestamps_from_server;  ///< answers a time stamp offer
    std::uint8_t id_mode;         ///< IP identification: 0 zero, 1 counter, 2 random
    std::uint16_t first_port;     ///< ephemeral range
    std::uint16_t last_port;      ///< end of that range, inclusive
    bool random_ports;            ///< draws ephemeral ports; else counts them up
    std::int64_t retry_ns;        ///< first SYN retransmission
    std::uint8_t retries;         ///< SYN retransmissions before giving up
};

/// Shapes of common stacks (Linux old and new, Windows old and new, BSD/macOS/iOS, embedded); values as documented by
/// the vendors' defaults and RFC 6298/6335.
inline constexpr std::array<tcp_stack, 12> tcp_stacks{{
    {64, 64240, 7, true, true, true, 0, 32768, 60999, true, 1'000 * units::ms, 4},
    {64, 29200, 7, true, true, true, 1, 32768, 61000, true, 1'000 * units::ms, 4},
    {64, 14600, 6, true, true, true, 0, 32768, 61000, false, 1'000 * units::ms, 4},
    {64, 5840, 5, true, true, true, 0, 32768, 61000, false, 3'000 * units::ms, 4},
    {64, 62720, 9, true, true, true, 0, 1024, 65535, true, 1'000 * units::ms, 3},
    {128, 64240, 8, true, false, false, 1, 49152, 65535, false, 1'000 * units::ms, 4},
    {128, 8192, 8, true, false, true, 1, 49152, 65535, false, 3'000 * units::ms, 2},
    {128, 65535, 0xff, true, false, false, 1, 1025, 5000, false, 3'000 * units::ms, 2},
    {64, 65535, 6, true, true, true, 0, 49152, 65535, true, 1'000 * units::ms, 5},
    {64, 65535, 3, true, true, true, 2, 49152, 65535, false, 1'000 * units::ms, 5},
    {255, 4380, 0xff, false, false, false, 1, 4097, 65535, false, 3'000 * units::ms, 3},
    {64, 5744, 0xff, false, false, false, 1, 49153, 65535, false, 1'500 * units::ms, 4},
}};

/// One machine. Copies are allowed: a spoofing attacker sends as a copy with another address.
struct host {
    address v4;                                  ///< all zero when it speaks IPv6 only
    address v6;                                  ///< meaningful when `has_v6`
    std::array<std::uint8_t, 6> mac{};           ///< as frames at the sensor carry it: the gateway's for outside hosts
    const tcp_stack* os = tcp_stacks.data();     ///< how it writes TCP
    std::string name;                            ///< short host name, for protocols that carry one
    bool local = false;                          ///< inside the scenario's network
    bool has_v6 = false;                         ///< may use IPv6
    std::uint8_t hops = 0;                       ///< routers between this host and the sensor
    std::int64_t delay_ns = 0;                   ///< one way to the sensor
    std::int64_t bits_per_second = 100'000'000;  ///< of its access
    std::uint16_t mss = 1460;                    ///< offered in its SYN
    std::uint16_t next_port = 0;                 ///< ephemeral port used last
    std::uint16_t ip_id = 0;                     ///< IP identification used last
    std::uint32_t clock = 0;                     ///< TCP time stamp base, milliseconds

    /// Its IPv6 or IPv4 address.
    [[nodiscard]] const address& at(bool six) const noexcept { return six ? v6 : v4; }
};

/// What an observer standing at the sensor does not see of a conversation.
enum class visibility : std::uint8_t { both, client_only, server_only };

/// Knobs a whole scenario shares.
struct world_traits {
    std::uint16_t vlan = 0;              ///< 802.1Q id of all frames, 0 untagged
    bool padded = true;                  ///< short frames arrive padded to 60 bytes
    std::uint8_t offload = 1;            ///< segments merged into one frame by the sensor's card
    double loss = 0.0;                   ///< probability that a data segment is lost once
    int jitter_percent = 10;             ///< of every delay
    double v6_share = 0.0;               ///< conversations over IPv6 where both ends can
    visibility view = visibility::both;  ///< one-way captures
    double one_way_share = 0.0;          ///< conversations seen one way although the view is `both`
    int hour = 12;                       ///< local time of day at the capture's begin, 0..23
    int activity_percent = 100;          ///< how busy people are: by time of day, and some places more than others
    double busy_share = 0.0;             ///< of everything clients do, by one of them: hosts do several things at once
    double shared_share = 0.0;           ///< visitors from outside who share an address behind their provider's router
    bool translated = false;             ///< the sensor stands outside of a router that translates addresses
};

/// Hosts and names of one scenario. References to hosts stay valid.
class world {
public:
    /// Draws a network of at least one client and one server besides the gateway.
    world(rng& random, int clients, int local_servers) { build(random, clients, local_servers); }

    world_traits traits;  ///< how the sensor sees it

    /// The router, which is also a local server.
    [[nodiscard]] host& gateway() noexcept { return *m_gateway; }
    /// Who answers DNS: gateway, domain controller or an outside host.
    [[nodiscard]] host& resolver() noexcept { return *m_resolver; }
    /// The last local server, domain or not.
    [[nodiscard]] host& domain_controller() noexcept { return *m_controller; }
    /// Of the domain, e.g. "word.lan".
    [[nodiscard]] const std::string& domain_name() const noexcept { return m_domain; }
    /// Local hosts people use.
    [[nodiscard]] std::vector<host*>& clients() noexcept { return m_clients; }
    /// Local hosts that serve, the gateway first.
    [[nodiscard]] std::vector<host*>& servers() noexcept { return m_servers; }
    /// One of the clients, one of them more often when the traits say so.
    [[nodiscard]] host& client(rng& r) {
        return traits.busy_share > 0 && r.chance(traits.busy_share) ? *m_clients.front() : *r.pick(m_clients);
    }
    /// One of the servers.
    [[nodiscard]] host& server(rng& r) { return *r.pick(m_servers); }
    /// A local host of any kind.
    [[nodiscard]] host& local(rng& r) { return r.chance(0.6) ? client(r) : server(r); }
    /// A local host other than `not_this` (which comes back only when it is the only one).
    [[nodiscard]] host& other_local(rng& r, const host& not_this) {
        for (int tries = 0; tries < 8; ++tries) {
            host& drawn = local(r);
            if (&drawn != &not_this) return drawn;
        }
        return m_servers.front() == &not_this ? *m_clients.front() : *m_servers.front();
    }

    /// An outside host, popular ones far more often: the first of the list draw most of the traffic.
    [[nodiscard]] host& outside(rng& r) {
        const auto at = static_cast<std::size_t>(r.log_between(1, 240)) - 1;
        while (m_outside.size() <= at) m_outside.push_back(&new_outside(r));
        return *m_outside[at];
    }
    /// An outside host nobody talked to yet. Stays valid like all hosts.
    [[nodiscard]] host& new_outside(rng& r) {
        host h = draw_outside(r);
        m_hosts.push_back(std::move(h));
        return m_hosts.back();
    }
    /// Somebody from outside who comes by: a new host, now and then behind an address that others use too.
    [[nodiscard]] host& visitor(rng& r) {
        host& h = new_outside(r);
        if (traits.shared_share > 0 && r.chance(traits.shared_share)) {
            while (m_shared.size() < 4) m_shared.push_back(public_v4(r));
            h.v4 = r.pick(m_shared);
            h.has_v6 = false;
        }
        return h;
    }
    /// As `new_outside`, but not kept: for spoofed sources and peers met once.
    [[nodiscard]] host draw_outside(rng& r) {
        host h;
        h.v4 = public_v4(r);
        h.v6 = address{0x2000'0000'0000'0000ULL | (r.next() >> 4), r.next()};
        h.has_v6 = r.chance(0.4);
        h.mac = m_gateway_mac;
        h.os = &r.pick(tcp_stacks);
        h.hops = static_cast<std::uint8_t>(r.between(3, 24));
        h.delay_ns = m_uplink_ns + r.log_between(300 * units::us, 160 * units::ms);
        h.bits_per_second = r.log_between(2'000'000, 1'000'000'000);
        h.mss = r.chance(0.8) ? std::uint16_t{1460} : static_cast<std::uint16_t>(r.between(1300, 1460));
        settle(h, r);
        return h;
    }
    /// Routable unicast IPv4 outside the private and special ranges.
    [[nodiscard]] address public_v4(rng& r) const {
        for (;;) {
            const auto number = static_cast<std::uint32_t>(r.next() >> 32);
            const std::uint32_t top = number >> 24;
            const address a = address::v4(number);
            if (top == 0 || top >= 224 || is_private(a) || m_local.contains(a)) continue;
            return a;
        }
    }
    /// The local IPv4 network; scans and sweeps walk it.
    [[nodiscard]] const network& local_network() const noexcept { return m_local; }
    /// The local IPv6 /64, lower half 0.
    [[nodiscard]] const address& local_v6_prefix() const noexcept { return m_local_v6; }
    /// An address in the local network, most likely nobody's.
    [[nodiscard]] address local_address(rng& r) const {
        const std::uint32_t bits = 32U - m_local.prefix;
        return address::v4(m_local.base.v4_number() + 1 + r.below((1ULL << bits) - 2));
    }
    /// An address nobody answers at, as a host the frame writer can address.
    [[nodiscard]] host nobody(const address& a) const {
        host h;
        (a.is_v4() ? h.v4 : h.v6) = a;
        h.local = m_local.contains(a);
        h.mac = h.local ? mac_of(a) : m_gateway_mac;
        h.delay_ns = h.local ? 200 * units::us : m_uplink_ns + 40 * units::ms;
        h.hops = h.local ? 0 : 12;
        return h;
    }
    /// The local host at an address, if there is one.
    [[nodiscard]] host* find_local(const address& a) noexcept {
        for (host* h : m_clients) {
            if (h->v4 == a) return h;
        }
        for (host* h : m_servers) {
            if (h->v4 == a) return h;
        }
        return nullptr;
    }

    /// A site name people visit (the popular ones more often).
    [[nodiscard]] const std::string& site(rng& r) {
        const auto at = static_cast<std::size_t>(r.log_between(1, static_cast<std::int64_t>(m_sites.size()))) - 1;
        return m_sites[at];
    }
    /// A machine-made name as content networks use: long labels that are ordinary all the same.
    [[nodiscard]] std::string cdn_name(rng& r) {
        std::string name;
        const std::string_view alphabet = hex_or_letters(r);
        append(name, r, alphabet, r.between(6, 32));
        static constexpr std::string_view middles[] = {".",      "-static.",    ".edge.", ".r.",
                                                       ".prod.", "-eu-west-1.", ".g."};
        name += r.pick(middles);
        if (r.chance(0.3)) {
            append(name, r, "0123456789", r.between(1, 9));
            name += '.';
        }
        return name + r.pick(m_networks);
    }
    /// A pronounceable word, 1 to 4 syllables.
    [[nodiscard]] static std::string word(rng& r) {
        static constexpr std::string_view starts[] = {"b", "c", "d", "f",  "g",  "h",  "l",  "m",  "n",  "p",  "r", "s",
                                                      "t", "v", "w", "st", "tr", "pl", "gr", "sh", "ch", "br", "cl"};
        static constexpr std::string_view vowels[] = {"a", "e", "i", "o", "u", "ea", "oo", "ai", "ou"};
        static constexpr std::string_view ends[] = {"", "", "n", "r", "s", "t", "l", "ck", "m", "nd", "st"};
        std::string out;
        for (std::int64_t n = r.between(1, 3); n > 0; --n) {
            out += r.pick(starts);
            out += r.pick(vowels);
            out += r.pick(ends);
        }
        return out;
    }
    /// A registered-looking name: one or two words and a top-level domain.
    [[nodiscard]] static std::string domain_word(rng& r) {
        static constexpr std::string_view tops[] = {".com",   ".com", ".com", ".net",   ".org",    ".de",
                                                    ".co.uk", ".fr",  ".io",  ".jp",    ".com.br", ".ru",
                                                    ".cn",    ".it",  ".app", ".cloud", ".info"};
        std::string out = word(r);
        if (r.chance(0.4)) out += word(r);
        out += r.pick(tops);
        return out;
    }
    /// A fresh ephemeral port of a host.
    [[nodiscard]] static std::uint16_t ephemeral(host& h, rng& r) {
        if (h.os->random_ports) return static_cast<std::uint16_t>(r.between(h.os->first_port, h.os->last_port));
        const int step = r.chance(0.8) ? 1 : r.pick_int(2, 6);
        const int next = h.next_port + step;
        h.next_port = static_cast<std::uint16_t>(next > h.os->last_port ? h.os->first_port : next);
        return h.next_port;
    }

private:
    static void append(std::string& to, rng& r, std::string_view alphabet, std::int64_t count) {
        while (count-- > 0) to += alphabet[r.below(alphabet.size())];
    }
    static std::string_view hex_or_letters(rng& r) {
        return r.chance(0.5) ? std::string_view{"0123456789abcdef"}
                             : std::string_view{"abcdefghijklmnopqrstuvwxyz0123456789"};
    }
    [[nodiscard]] static std::array<std::uint8_t, 6> mac_of(const address& a) noexcept {
        const std::uint64_t x = (a.low ^ (a.high * 31)) * 0x9e3779b97f4a7c15ULL;
        std::array<std::uint8_t, 6> mac{};
        for (std::size_t i = 0; i < 6; ++i) mac[i] = static_cast<std::uint8_t>(x >> (8 * i + 8));
        mac[0] = static_cast<std::uint8_t>((mac[0] & 0xfcU) | 0x00U);
        return mac;
    }
    static void settle(host& h, rng& r) {
        h.next_port = static_cast<std::uint16_t>(r.between(h.os->first_port, h.os->last_port));
        h.ip_id = static_cast<std::uint16_t>(r.next());
        h.clock = static_cast<std::uint32_t>(r.next());
    }
    host& add_local(rng& r, std::uint32_t number) {
        host h;
        h.v4 = address::v4(m_local.base.v4_number() + number);
        h.v6 = address{m_local_v6.high, r.next() | 1U};
        h.has_v6 = m_has_v6;
        h.mac = mac_of(h.v4);
        h.local = true;
        h.os = &r.pick(tcp_stacks);
        h.hops = r.chance(m_routed_share) ? std::uint8_t{1} : std::uint8_t{0};
        h.delay_ns = r.log_between(m_near_ns, m_far_ns);
        h.bits_per_second = r.log_between(10'000'000, 2'000'000'000);
        h.mss = m_local_mss;
        h.name = word(r);
        if (r.chance(0.5)) append(h.name, r, "0123456789", 2);
        settle(h, r);
        m_hosts.push_back(std::move(h));
        return m_hosts.back();
    }
    void draw_plan(rng& r) {
        const std::uint32_t kind = r.below(10);
        std::uint32_t base = 0;
        if (kind < 4) {
            base = 0xc0a80000U | (r.below(256) << 8);
            m_local.prefix = 24;
        } else if (kind < 7) {
            base = 0x0a000000U | (r.below(65536) << 8);
            m_local.prefix = static_cast<std::uint8_t>(r.between(20, 25));
        } else if (kind < 9) {
            base = 0xac100000U | (r.below(4096) << 8);
            m_local.prefix = static_cast<std::uint8_t>(r.between(22, 24));
        } else {
            base = static_cast<std::uint32_t>(r.between(11, 223)) << 24;
            base |= r.below(65536) << 8;
            m_local.prefix = static_cast<std::uint8_t>(r.between(22, 26));
        }
        m_local.base = address::v4(base & (~0U << (32 - m_local.prefix)));
        m_has_v6 = r.chance(0.5);
        m_local_v6.high =
            r.chance(0.5) ? 0xfd00'0000'0000'0000ULL | (r.next() >> 8) : 0x2a00'0000'0000'0000ULL | (r.next() >> 12);
        m_near_ns = r.log_between(10 * units::us, 300 * units::us);
        m_far_ns = m_near_ns + r.log_between(20 * units::us, 12 * units::ms);
        m_uplink_ns = r.log_between(100 * units::us, 30 * units::ms);
        m_local_mss = r.chance(0.9) ? std::uint16_t{1460} : static_cast<std::uint16_t>(r.between(1240, 1452));
        m_routed_share = r.chance(0.3) ? 0.7 : 0.0;
        m_gateway_mac = mac_of(address::v4(static_cast<std::uint32_t>(r.next())));
    }
    void build(rng& r, int clients, int local_servers) {
        draw_plan(r);
        const std::uint32_t room = (1U << (32 - m_local.prefix)) - 2;
        std::uint32_t number = 1 + r.below(4);
        const auto next_number = [&] {
            number = number % room + 1 + r.below(3);
            return number > room ? number = 1 : number;
        };
        m_gateway = &add_local(r, 1 + r.below(2) * (room - 1));
        m_gateway->mac = m_gateway_mac;
        m_servers.push_back(m_gateway);
        for (int i = 0; i < (local_servers < 1 ? 1 : local_servers); ++i)
            m_servers.push_back(&add_local(r, next_number()));
        number = room / 3 + r.below(20);
        for (int i = 0; i < (clients < 1 ? 1 : clients); ++i) m_clients.push_back(&add_local(r, next_number()));
        m_controller = m_servers.back();
        const std::uint32_t kind = r.below(3);
        m_resolver = kind == 0 ? m_gateway : kind == 1 ? m_controller : &new_outside(r);
        m_domain = word(r);
        m_domain += r.chance(0.5) ? ".local" : ".lan";
        for (int i = 0; i < 120; ++i) {
            static constexpr std::string_view prefixes[] = {"www.",    "",     "api.",   "cdn.", "mail.",
                                                            "static.", "img.", "login.", "app.", "update.",
                                                            "ads.",    "m.",   "media.", "t.",   "push."};
            std::string name{r.pick(prefixes)};
            m_sites.push_back(name + domain_word(r));
        }
        for (int i = 0; i < 12; ++i) {
            std::string name = word(r);
            static constexpr std::string_view middles[] = {"cdn.net", "edge.com", "cloud.net", "-dns.com",
                                                           "static.com"};
            name += r.pick(middles);
            m_networks.push_back(name);
        }
    }

    network m_local;
    address m_local_v6;
    bool m_has_v6 = false;
    std::int64_t m_near_ns = 0;
    std::int64_t m_far_ns = 0;
    std::int64_t m_uplink_ns = 0;
    std::uint16_t m_local_mss = 1460;
    double m_routed_share = 0;
    std::array<std::uint8_t, 6> m_gateway_mac{};
    std::deque<host> m_hosts;
    std::vector<host*> m_clients;
    std::vector<host*> m_servers;
    std::vector<host*> m_outside;
    std::vector<address> m_shared;  ///< addresses of providers that many visitors share
    host* m_gateway = nullptr;
    host* m_resolver = nullptr;
    host* m_controller = nullptr;
    std::string m_domain;
    std::vector<std::string> m_sites;
    std::vector<std::string> m_networks;
};

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
