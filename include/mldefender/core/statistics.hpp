// SPDX-License-Identifier: MIT
// What the pipeline counts: packets in, what could not be decoded and why, flows, decisions, alerts. Plain numbers,
// one set per worker, added up on demand. Read by summaries and metrics.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <mldefender/core/attack.hpp>
#include <mldefender/core/result.hpp>

namespace mldefender {
inline namespace v0 {

/// Counters since start.
struct statistics {
    std::uint64_t packets = 0;                          ///< frames handed in
    std::uint64_t bytes = 0;                            ///< their lengths on the wire
    std::uint64_t ip_packets = 0;                       ///< decoded and counted to a flow
    std::uint64_t fragments_skipped = 0;                ///< later fragments left out by configuration
    std::array<std::uint64_t, errc_count> undecoded{};  ///< by reason; `not_ip` is normal
    std::uint64_t flows_begun = 0;                      ///< flows seen for the first time
    std::uint64_t flows_ended = 0;                      ///< flows taken out of the table for any reason
    std::uint64_t flows_evicted = 0;                    ///< pushed out of a full table
    std::uint64_t hosts_evicted = 0;                    ///< host windows pushed out of a full book
    std::uint64_t pairs_evicted = 0;                    ///< pair histories pushed out of a full book
    std::uint64_t decisions = 0;                        ///< feature vectors scored
    std::uint64_t held_early = 0;  ///< flow lines written before their hold time because the hold was full
    std::array<std::uint64_t, 3> flows_by_verdict{};                 ///< ended flows: benign, suspicious, malicious
    std::array<std::uint64_t, attack_class_count> flows_by_class{};  ///< ended flows, by class of their worst decision
    std::uint64_t stories_opened = 0;                                ///< attacks
    std::uint64_t alerts = 0;                                        ///< alert lines
    std::uint64_t divergent = 0;  ///< ended flows on which rules and forests disagreed

    /// Frames that carried IP but could not be decoded.
    [[nodiscard]] constexpr std::uint64_t malformed() const noexcept {
        std::uint64_t sum = 0;
        for (std::size_t i = 1; i < errc_count; ++i) {
            if (static_cast<errc>(i) != errc::not_ip && static_cast<errc>(i) != errc::unsupported_proto)
                sum += undecoded[i];
        }
        return sum;
    }

    /// Adds another worker's counters.
    constexpr statistics& operator+=(const statistics& other) noexcept {
        packets += other.packets;
        bytes += other.bytes;
        ip_packets += other.ip_packets;
        fragments_skipped += other.fragments_skipped;
        flows_begun += other.flows_begun;
        flows_ended += other.flows_ended;
        flows_evicted += other.flows_evicted;
        hosts_evicted += other.hosts_evicted;
        pairs_evicted += other.pairs_evicted;
        decisions += other.decisions;
        held_early += other.held_early;
        stories_opened += other.stories_opened;
        alerts += other.alerts;
        divergent += other.divergent;
        for (std::size_t i = 0; i < undecoded.size(); ++i) undecoded[i] += other.undecoded[i];
        for (std::size_t i = 0; i < flows_by_verdict.size(); ++i) flows_by_verdict[i] += other.flows_by_verdict[i];
        for (std::size_t i = 0; i < flows_by_class.size(); ++i) flows_by_class[i] += other.flows_by_class[i];
        return *this;
    }
};

}  // namespace v0
}  // namespace mldefender
