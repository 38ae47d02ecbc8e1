// SPDX-License-Identifier: MIT
// Everything about the pipeline that can be set: what is decoded, what a flow is, how much is remembered, when flows
// are looked at, when a score is an alert, which networks are ours. Plain values; the settings component binds them to
// names.
#pragma once

#include <cstddef>
#include <cstdint>

#include <mldefender/core/address.hpp>
#include <mldefender/core/flow_table.hpp>
#include <mldefender/core/hash.hpp>
#include <mldefender/core/parse.hpp>
#include <mldefender/core/score.hpp>
#include <mldefender/core/story.hpp>
#include <mldefender/core/window_book.hpp>

namespace mldefender {
inline namespace v0 {

/// Which events reach the sink besides the stories' alerts.
enum class flow_logging : std::uint8_t {
    none,    ///< no flow lines
    alerts,  ///< flows on which rules and forests disagree
    all,     ///< one line per flow
};

/// The networks to be protected. Empty: every private address (RFC 1918, RFC 6598, link-local, unique local).
class protected_networks {
public:
    static constexpr std::size_t capacity = 32;  ///< networks that fit
    /// False when full.
    constexpr bool add(const network& n) noexcept { return m_networks.push(n); }
    /// True for addresses inside, and for multicast, which nobody owns.
    [[nodiscard]] constexpr bool contains(const address& a) const noexcept {
        if (m_networks.empty()) return is_private(a) || is_multicast(a);
        for (const network& n : m_networks) {
            if (n.contains(a)) return true;
        }
        return is_multicast(a);
    }

private:
    short_list<network, capacity> m_networks;
};

/// When flows are looked at. A decision costs about a microsecond, so it is made when something can have changed.
struct decision_schedule {
    std::uint32_t hot_contacts = 8;  ///< a new flow is judged at once when its initiator began so many in 10 s
    std::uint32_t hot_asked = 64;    ///< or when its responder was asked so often
    std::uint32_t growth = 8;        ///< then at 4, 32, 256, ... packets, and 2 s after it fell silent
    std::int64_t recheck_ns = 30'000'000'000;  ///< and when it lives on without such growth
};

/// Everything that can be set.
struct pipeline_options {
    parse_options parsing{.any_protocol = true};  ///< what is decoded
    flow_options flows;                           ///< what a flow is
    window_options windows;                       ///< how many hosts and pairs are remembered
    story_options stories;                        ///< how alerts are grouped
    decision_thresholds thresholds;               ///< when a score is suspicious, malicious, urgent
    decision_schedule schedule;                   ///< when flows are looked at
    rule_set rules;                               ///< the fast detector
    protected_networks site;                      ///< whose side we are on
    flow_logging logging = flow_logging::alerts;  ///< which flow lines are written
    std::size_t hold_capacity = 8192;             ///< ended flows waiting for a story to claim them
    std::int64_t hold_ns = 10'000'000'000;        ///< how long they wait
    hash_secret secret;                           ///< random for live capture, zero for files
    std::uint64_t (*clock_us)() = nullptr;        ///< monotonic microseconds for mld.sys.latency_us, or none
};

}  // namespace v0
}  // namespace mldefender
