// SPDX-License-Identifier: MIT
// What one flow cannot show: how a host behaved in the last seconds, as the one who asks and as the one who is asked,
// and how regularly one host returns to the same service. Flows report `observation`s; windows hold them as counters
// and bitmaps in 10 s buckets, so that memory stays bounded and any span up to a minute is a merge of buckets.
// Fed and read by the pipeline; features read merged spans.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include <mldefender/core/address.hpp>
#include <mldefender/core/app/oddity.hpp>
#include <mldefender/core/hash.hpp>
#include <mldefender/core/math.hpp>
#include <mldefender/core/platform.hpp>
#include <mldefender/core/sketch.hpp>

namespace mldefender {
inline namespace v0 {

/// What a flow reports about its two hosts.
enum class observation_kind : std::uint8_t {
    contact,        ///< a flow began
    accepted,       ///< the responder answered for the first time (SYN-ACK, or any reply without TCP)
    refused,        ///< RST or ICMP unreachable instead of an answer
    completed,      ///< TCP handshake complete
    traffic,        ///< nothing but more bytes and packets, which other reports may carry as well
    ended,          ///< the flow left the table
    lookup,         ///< a DNS question
    lookup_failed,  ///< NXDOMAIN or another error in a DNS answer
    credentials,    ///< a login was tried
    rejected,       ///< a login failed
    file_change,    ///< a file on a share was written, renamed or deleted
    weak_ticket,    ///< a Kerberos ticket with RC4 was given where AES is in use
    weak_login,     ///< a log-in with RC4 by a client that prefers AES
    listing,        ///< the responder was asked for its shares, accounts, sessions or endpoints
    odd,            ///< signs of a program that would rather not be known
};

/// One report. Addresses are the flow's initiator and responder.
struct observation {
    std::int64_t timestamp_ns = 0;                      ///< of the packet that caused it, since the Unix epoch
    five_tuple tuple;                                   ///< initiator first
    std::uint32_t packet_index = 0;                     ///< in the burst, for a stable order across workers
    std::uint32_t forward_packets = 0;                  ///< packets since the last report, initiator to responder
    std::uint32_t backward_packets = 0;                 ///< the same the other way
    float forward_bytes = 0;                            ///< IP bytes since the last report
    float backward_bytes = 0;                           ///< the same the other way
    float name_entropy = 0;                             ///< lookup: bits per character
    float name_length = 0;                              ///< lookup: characters
    std::uint64_t name_hash = 0;                        ///< lookup: hash of the whole name
    std::uint32_t oddities = 0;                         ///< odd: new signs, bit_of(oddity)
    observation_kind kind = observation_kind::contact;  ///< what happened
    bool midstream = false;                             ///< contact: a TCP flow whose beginning was not seen
    bool bare_probe = false;                            ///< contact: TCP without SYN, or without payload over UDP
    bool responder_external = false;                    ///< the responder lies outside the protected networks
    bool short_lived = false;                           ///< ended: little was said in either direction
    bool silent = false;                                ///< ended: the responder never sent anything
    bool mute = false;  ///< ended: a TCP connection the responder took and ended without a word
};

inline constexpr std::int64_t bucket_ns = 10'000'000'000;  ///< length of one time bucket
inline constexpr std::size_t bucket_count = 6;             ///< buckets kept: a minute

/// One host's behaviour during one bucket, or over a merged span of buckets.
struct host_activity {
    // As initiator.
    distinct_counter<256> destinations;           ///< hosts contacted
    distinct_counter<256> ports;                  ///< responder ports contacted
    distinct_counter<256> external_destinations;  ///< hosts contacted outside the protected networks
    distinct_counter<128> names;                  ///< DNS names asked for
    distinct_counter<64> smb_destinations;        ///< hosts contacted at SMB
    distinct_counter<64> rdp_destinations;        ///< hosts contacted at RDP
    distinct_counter<64> ssh_destinations;        ///< hosts contacted at SSH
    distinct_counter<64> telnet_destinations;     ///< hosts contacted at telnet
    distinct_counter<64> listed_destinations;     ///< hosts asked for lists of what they hold
    std::uint32_t contacts = 0;                   ///< flows begun
    std::uint32_t tcp_contacts = 0;               ///< of which TCP whose beginning was seen
    std::uint32_t probes = 0;                     ///< TCP segments that open nothing: FIN, NULL, XMAS, stray ACK
    std::uint32_t accepted = 0;                   ///< of which answered
    std::uint32_t tcp_accepted = 0;               ///< of which TCP, by SYN-ACK
    std::uint32_t tcp_refused = 0;                ///< TCP flows refused by RST
    std::uint32_t refused = 0;                    ///< flows refused by RST or ICMP
    std::uint32_t icmp_contacts = 0;              ///< ICMP flows begun
    std::uint32_t short_flows = 0;                ///< ended flows in which little was said
    std::uint32_t silent_flows = 0;               ///< ended flows without an answer
    std::uint32_t lookups = 0;                    ///< DNS questions
    std::uint32_t lookups_failed = 0;             ///< DNS errors received
    std::uint32_t credentials = 0;                ///< logins tried
    std::uint32_t rejected = 0;                   ///< logins refused
    std::uint32_t file_changes = 0;               ///< files on shares written, renamed or deleted
    std::uint32_t weak_tickets = 0;               ///< Kerberos tickets with RC4 received where AES is in use
    std::uint32_t weak_logins = 0;                ///< log-ins with RC4 although AES was offered
    float name_entropy_sum = 0;                   ///< of names asked for, bits per character
    float name_length_sum = 0;                    ///< of names asked for, characters
    float bytes_out = 0;                          ///< IP bytes sent in flows it began
    float bytes_in = 0;                           ///< IP bytes received in flows it began
    // As responder.
    distinct_counter<256> sources;    ///< hosts that contacted this one
    std::uint32_t asked = 0;          ///< flows towards this host
    std::uint32_t busy_lead = 0;      ///< how clearly `busy_port` leads (majority vote of Boyer and Moore, 1981)
    std::uint16_t busy_port = 0;      ///< the port asked for most, if one has the majority
    std::uint32_t asked_tcp = 0;      ///< of which TCP
    std::uint32_t answered = 0;       ///< flows it answered
    std::uint32_t completed_tcp = 0;  ///< complete handshakes
    std::uint32_t rejections = 0;     ///< logins this host refused
    float packets_received = 0;       ///< in flows towards this host
    float bytes_received = 0;         ///< IP bytes, in flows towards this host
    float packets_sent = 0;           ///< in flows towards this host

    /// Adds another bucket or another worker's share.
    constexpr void merge(const host_activity& other) noexcept {
        destinations.merge(other.destinations);
        ports.merge(other.ports);
        external_destinations.merge(other.external_destinations);
        names.merge(other.names);
        smb_destinations.merge(other.smb_destinations);
        rdp_destinations.merge(other.rdp_destinations);
        ssh_destinations.merge(other.ssh_destinations);
        telnet_destinations.merge(other.telnet_destinations);
        listed_destinations.merge(other.listed_destinations);
        sources.merge(other.sources);
        if (other.busy_port == busy_port) {
            busy_lead += other.busy_lead;
        } else if (other.busy_lead > busy_lead) {
            busy_port = other.busy_port;
            busy_lead = other.busy_lead - busy_lead;
        } else {
            busy_lead -= other.busy_lead;
        }
        for (const auto field : counters()) this->*field += other.*field;
        for (const auto field : sums()) this->*field += other.*field;
    }

private:
    using counter = std::uint32_t host_activity::*;
    using total = float host_activity::*;
    [[nodiscard]] static constexpr std::array<counter, 22> counters() noexcept {
        return {&host_activity::contacts,      &host_activity::tcp_contacts,  &host_activity::probes,
                &host_activity::accepted,      &host_activity::tcp_accepted,  &host_activity::tcp_refused,
                &host_activity::refused,       &host_activity::icmp_contacts, &host_activity::short_flows,
                &host_activity::silent_flows,  &host_activity::lookups,       &host_activity::lookups_failed,
                &host_activity::credentials,   &host_activity::rejected,      &host_activity::file_changes,
                &host_activity::asked,         &host_activity::asked_tcp,     &host_activity::answered,
                &host_activity::completed_tcp, &host_activity::rejections,    &host_activity::weak_tickets,
                &host_activity::weak_logins};
    }
    [[nodiscard]] static constexpr std::array<total, 7> sums() noexcept {
        return {&host_activity::name_entropy_sum, &host_activity::name_length_sum,  &host_activity::bytes_out,
                &host_activity::bytes_in,         &host_activity::packets_received, &host_activity::bytes_received,
                &host_activity::packets_sent};
    }
};

/// Which signs a host's outside contacts have shown lately, each with the time it was last seen.
struct odd_signs {
    static constexpr std::uint32_t memory_s = 600;     ///< how long a sign counts
    std::array<std::uint32_t, oddity_count> seen_s{};  ///< seconds since the Unix epoch, 0 never

    constexpr void note(std::uint32_t mask, std::int64_t now_ns) noexcept {
        const auto now = static_cast<std::uint32_t>(now_ns / 1'000'000'000);
        for (std::size_t i = 0; i < oddity_count; ++i) {
            if (((mask >> i) & 1U) != 0) seen_s[i] = std::max(seen_s[i], std::max(now, 1U));
        }
    }
    /// The signs of the last `memory_s` seconds, bit_of(oddity).
    [[nodiscard]] constexpr std::uint32_t recent(std::int64_t now_ns) const noexcept {
        const auto now = static_cast<std::uint32_t>(now_ns / 1'000'000'000);
        std::uint32_t mask = 0;
        for (std::size_t i = 0; i < oddity_count; ++i) {
            if (seen_s[i] != 0 && now <= seen_s[i] + std::uint64_t{memory_s}) mask |= 1U << i;
        }
        return mask;
    }
};

/// One host's last minute. Buckets are cleared when first used again, so a new host costs little.
struct host_window {
    address host;                                      ///< whose window it is
    static constexpr std::int64_t unused = INT64_MIN;  ///< no time has this bucket number
    /// Bucket number each place holds.
    std::array<std::int64_t, bucket_count> epoch{unused, unused, unused, unused, unused, unused};
    std::uint8_t weight = 0;  ///< how much is known of the host, for eviction
    odd_signs signs;          ///< of its outside contacts
    /// Meaningful only where `epoch` says so: left unset until `at` first uses a place, since a flood of forged hosts
    /// pays for every byte that is set.
    union {
        std::array<host_activity, bucket_count> activity;
    };

    constexpr host_window() noexcept {
        if (std::is_constant_evaluated()) std::construct_at(&activity);
    }

    /// The bucket of `timestamp_ns`, cleared when its place held another one: usually one a minute older, and when
    /// a clock steps back a newer one, since nothing would be noted until the time is reached again otherwise.
    constexpr host_activity& at(std::int64_t timestamp_ns) noexcept {
        const std::int64_t number = timestamp_ns / bucket_ns;
        const auto place = static_cast<std::size_t>(static_cast<std::uint64_t>(number) % bucket_count);
        if (epoch[place] != number) {
            epoch[place] = number;
            activity[place] = host_activity{};
        }
        return activity[place];
    }

    /// Asks for what `merge_span` reads of the last minute; run time only.
    void prefetch(std::int64_t timestamp_ns) const noexcept {
        const std::int64_t number = timestamp_ns / bucket_ns;
        for (std::size_t place = 0; place < bucket_count; ++place) {
            if (epoch[place] > number || epoch[place] + static_cast<std::int64_t>(bucket_count) <= number) continue;
            prefetch_whole(activity[place]);
        }
    }

    /// One counter summed over the current bucket and the `oldest` ones before it.
    [[nodiscard]] constexpr std::uint32_t total(std::uint32_t host_activity::*what, std::int64_t timestamp_ns,
                                                std::int64_t oldest) const noexcept {
        const std::int64_t number = timestamp_ns / bucket_ns;
        std::uint32_t sum = 0;
        for (std::size_t place = 0; place < bucket_count; ++place) {
            if (epoch[place] <= number && epoch[place] >= number - oldest) sum += activity[place].*what;
        }
        return sum;
    }

    /// Adds the buckets from `newest` to `oldest` places before the current one (0 is the current one) to `sum`.
    constexpr void merge_span(host_activity& sum, std::int64_t timestamp_ns, std::int64_t newest,
                              std::int64_t oldest) const noexcept {
        const std::int64_t number = timestamp_ns / bucket_ns;
        for (std::int64_t n = number - oldest; n <= number - newest; ++n) {
            const auto place = static_cast<std::size_t>(static_cast<std::uint64_t>(n) % bucket_count);
            if (epoch[place] == n) sum.merge(activity[place]);
        }
    }
};

/// How one host has returned to one service (address, port, protocol) of another.
struct pair_history {
    static constexpr std::size_t kept = 8;  ///< intervals remembered

    address initiator;                        ///< who comes back
    address responder;                        ///< to whom
    std::uint16_t port = 0;                   ///< to which service
    ip_protocol protocol = ip_protocol::tcp;  ///< over which transport
    std::uint8_t gap_count = 0;               ///< how many of `gaps_s` are known
    std::uint8_t next = 0;                    ///< place in the ring that is written next
    std::array<float, kept> gaps_s{};         ///< the last intervals between contacts, a ring
    std::int64_t first_ns = 0;                ///< first contact, since the Unix epoch
    std::int64_t last_ns = 0;                 ///< of the last contact
    std::int64_t faded_ns = 0;                ///< when the recent counts were last faded
    std::uint32_t contacts = 0;               ///< flows begun in all
    float recent_contacts = 0;                ///< halves every 5 minutes
    float recent_short = 0;                   ///< the same for flows in which little was said
    float recent_long = 0;                    ///< the same for flows in which more was said
    float recent_rejected = 0;                ///< the same for refused logins
    float recent_mute = 0;  ///< the same for connections taken and ended by the responder without a word
    float bytes_out = 0;    ///< IP bytes from initiator to responder in all
    float bytes_in = 0;     ///< the same the other way

    /// Fades the recent counts by the time passed since the last report.
    constexpr void fade(std::int64_t now_ns) noexcept {
        const double halves = static_cast<double>(std::max<std::int64_t>(0, now_ns - faded_ns)) / 300e9;
        faded_ns = std::max(faded_ns, now_ns);
        const float keep = halves > 20 ? 0.0F : half_to_the(halves);
        recent_contacts *= keep;
        recent_short *= keep;
        recent_long *= keep;
        recent_rejected *= keep;
        recent_mute *= keep;
    }

    /// Median of the kept intervals in seconds, and the median distance from it as a share of it (0 is a clock).
    struct rhythm {
        float median_s = 0;  ///< 0 when fewer than three intervals are known
        float spread = 1;    ///< 0 a clock, 1 no rhythm at all
    };
    /// The rhythm of the kept intervals.
    [[nodiscard]] constexpr rhythm measure() const noexcept {
        if (gap_count < 3) return {};
        std::array<float, kept> gaps = gaps_s;
        const float median = middle_of(gaps);
        if (median <= 0) return {};
        for (std::size_t i = 0; i < gap_count; ++i) gaps[i] = gaps[i] > median ? gaps[i] - median : median - gaps[i];
        return {median, std::min(1.0F, middle_of(gaps) / median)};
    }

    /// Periodicity 0..1: 1 when contacts come like a clock. Needs intervals of a second or more, so that the parallel
    /// connections of a page do not count, and grows with the number of intervals known (4 of 8 give at most 0.5).
    [[nodiscard]] constexpr float periodicity() const noexcept {
        const rhythm r = measure();
        if (r.median_s < 1) return 0;
        return (1 - r.spread) * static_cast<float>(gap_count) / static_cast<float>(kept);
    }

private:
    /// Sorts the known part in place (eight values at most) and returns its middle.
    [[nodiscard]] constexpr float middle_of(std::array<float, kept>& values) const noexcept {
        for (std::size_t i = 1; i < gap_count; ++i) {
            for (std::size_t j = i; j > 0 && values[j] < values[j - 1]; --j) std::swap(values[j], values[j - 1]);
        }
        return values[gap_count / 2U];
    }

    // 2^-x for 0 <= x <= 20: exact halvings and four terms of the series for the rest (relative error below 1.5e-3).
    [[nodiscard]] static constexpr float half_to_the(double x) noexcept {
        const auto whole = static_cast<int>(x);
        const double rest = (x - whole) * 0.6931471805599453;
        double value = 1 - rest * (1 - rest * (0.5 - rest * (1.0 / 6 - rest / 24)));
        for (int i = 0; i < whole; ++i) value *= 0.5;
        return static_cast<float>(value);
    }
};

namespace detail {

inline constexpr std::uint16_t smb_port = 445, netbios_port = 139, rdp_port = 3389, ssh_port = 22;

constexpr void note_fan_out(host_activity& a, const five_tuple& t, std::uint64_t destination) noexcept {
    if (t.protocol != ip_protocol::tcp) return;
    switch (t.destination_port) {
        case smb_port:
        case netbios_port: a.smb_destinations.add(destination); break;
        case rdp_port: a.rdp_destinations.add(destination); break;
        case ssh_port: a.ssh_destinations.add(destination); break;
        case 23:
        case 2323: a.telnet_destinations.add(destination); break;
        default: break;
    }
}

constexpr void vote_for_port(host_activity& a, std::uint16_t port) noexcept {
    if (a.busy_lead == 0) a.busy_port = port;
    if (a.busy_port == port) {
        ++a.busy_lead;
    } else {
        --a.busy_lead;
    }
}

constexpr void note_contact(host_activity& a, const observation& o) noexcept {
    const std::uint64_t destination = hash_of(o.tuple.destination);
    ++a.contacts;
    a.probes += o.bare_probe;
    a.destinations.add(destination);
    a.ports.add(hash_of(o.tuple.destination_port * 256ULL + static_cast<std::uint64_t>(o.tuple.protocol)));
    if (o.responder_external) a.external_destinations.add(destination);
    a.tcp_contacts += o.tuple.protocol == ip_protocol::tcp && !o.midstream;
    a.icmp_contacts += o.tuple.protocol == ip_protocol::icmp || o.tuple.protocol == ip_protocol::icmpv6;
    note_fan_out(a, o.tuple, destination);
}

}  // namespace detail

/// Adds a report to the window of the flow's initiator.
constexpr void note_initiator(host_window& window, const observation& o) noexcept {
    host_activity& a = window.at(o.timestamp_ns);
    const bool tcp = o.tuple.protocol == ip_protocol::tcp;
    a.bytes_out += o.forward_bytes;
    a.bytes_in += o.backward_bytes;
    switch (o.kind) {
        case observation_kind::contact: detail::note_contact(a, o); break;
        case observation_kind::accepted:
            ++a.accepted;
            a.tcp_accepted += tcp;
            break;
        case observation_kind::refused:
            ++a.refused;
            a.tcp_refused += tcp;
            break;
        case observation_kind::completed: break;
        case observation_kind::traffic: break;
        case observation_kind::ended:
            a.short_flows += o.short_lived;
            a.silent_flows += o.silent;
            break;
        case observation_kind::lookup:
            ++a.lookups;
            a.names.add(o.name_hash);
            a.name_entropy_sum += o.name_entropy;
            a.name_length_sum += o.name_length;
            break;
        case observation_kind::lookup_failed: ++a.lookups_failed; break;
        case observation_kind::credentials: ++a.credentials; break;
        case observation_kind::rejected: ++a.rejected; break;
        case observation_kind::file_change: ++a.file_changes; break;
        case observation_kind::weak_ticket: ++a.weak_tickets; break;
        case observation_kind::weak_login: ++a.weak_logins; break;
        case observation_kind::listing: a.listed_destinations.add(hash_of(o.tuple.destination)); break;
        case observation_kind::odd:
            if (o.responder_external) window.signs.note(o.oddities, o.timestamp_ns);
            break;
    }
}

/// Adds a report to the window of the flow's responder.
constexpr void note_responder(host_window& window, const observation& o) noexcept {
    host_activity& a = window.at(o.timestamp_ns);
    a.packets_received += static_cast<float>(o.forward_packets);
    a.bytes_received += o.forward_bytes;
    a.packets_sent += static_cast<float>(o.backward_packets);
    switch (o.kind) {
        case observation_kind::contact:
            ++a.asked;
            detail::vote_for_port(a, o.tuple.destination_port);
            a.asked_tcp += o.tuple.protocol == ip_protocol::tcp;
            a.sources.add(hash_of(o.tuple.source));
            break;
        case observation_kind::accepted: ++a.answered; break;
        case observation_kind::completed: a.completed_tcp += o.tuple.protocol == ip_protocol::tcp; break;
        case observation_kind::rejected: ++a.rejections; break;
        default: break;
    }
}

/// True for reports a pair history listens to.
[[nodiscard]] constexpr bool concerns_pair(observation_kind kind) noexcept {
    return kind == observation_kind::contact || kind == observation_kind::ended || kind == observation_kind::rejected ||
           kind == observation_kind::traffic;
}

/// Adds a report to the history of the pair.
constexpr void note_pair(pair_history& pair, const observation& o) noexcept {
    pair.fade(o.timestamp_ns);
    pair.bytes_out += o.forward_bytes;
    pair.bytes_in += o.backward_bytes;
    switch (o.kind) {
        case observation_kind::contact:
            if (pair.contacts == 0) {
                pair.first_ns = o.timestamp_ns;
            } else {
                pair.gaps_s[pair.next] = static_cast<float>(static_cast<double>(o.timestamp_ns - pair.last_ns) * 1e-9);
                pair.next = static_cast<std::uint8_t>((pair.next + 1U) % pair_history::kept);
                pair.gap_count =
                    std::min<std::uint8_t>(pair_history::kept, static_cast<std::uint8_t>(pair.gap_count + 1));
            }
            pair.last_ns = o.timestamp_ns;
            ++pair.contacts;
            pair.recent_contacts += 1;
            break;
        case observation_kind::ended:
            pair.recent_short += o.short_lived;
            pair.recent_long += !o.short_lived;
            pair.recent_mute += o.mute;
            break;
        case observation_kind::rejected: pair.recent_rejected += 1; break;
        default: break;
    }
}

}  // namespace v0
}  // namespace mldefender
