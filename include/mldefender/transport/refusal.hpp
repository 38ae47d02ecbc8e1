// SPDX-License-Identifier: MIT
// Why a frame was refused, and who it claimed to come from: the misconfigurations an operator sees (wrong key, wrong
// algorithm, odd sizes), each with advice. These words stay on this machine: whatever answers the peer says the same
// for all of them, since the difference would help whoever guesses. Counted by the opener, read by metrics.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace mldefender {
inline namespace v0 {
namespace transport {

/// Why a frame is not opened. A closed set: counters are indexed by it, so `count_` stays last.
enum class refusal : std::uint8_t {
    none,
    not_a_frame,        ///< does not start as a frame does
    unsupported_suite,  ///< another version, flag or algorithm than the session's
    size_anomaly,       ///< shorter than any frame, or a length beyond the configured maximum
    unknown_key_id,     ///< sealed under a key this side never held
    stale_epoch,        ///< sealed under a key whose time, with its grace, is over
    auth_failed,        ///< altered, or another key, channel, sender, receiver, direction or session
    replay,             ///< authentic, but seen before or older than the window
    gap,                ///< authentic, but a frame of the stream before it is missing
    decompress_failed,  ///< authentic, but its content does not unpack to the length it states
    count_
};

/// Number of reasons, `none` among them, for counters indexed by `refusal`.
inline constexpr std::size_t refusal_count = static_cast<std::size_t>(refusal::count_);

/// The name as it appears in summaries and metrics.
[[nodiscard]] constexpr std::string_view name_of(refusal why) noexcept {
    switch (why) {
        case refusal::none: return "none";
        case refusal::not_a_frame: return "not_a_frame";
        case refusal::unsupported_suite: return "unsupported_suite";
        case refusal::size_anomaly: return "size_anomaly";
        case refusal::unknown_key_id: return "unknown_key_id";
        case refusal::stale_epoch: return "stale_epoch";
        case refusal::auth_failed: return "auth_failed";
        case refusal::replay: return "replay";
        case refusal::gap: return "gap";
        case refusal::decompress_failed: return "decompress_failed";
        case refusal::count_: break;
    }
    return "invalid";
}

/// What the operator should look at, one sentence; "" for `none`.
[[nodiscard]] constexpr std::string_view advice_for(refusal why) noexcept {
    switch (why) {
        case refusal::not_a_frame: return "something else talks to this port: check the address the peer sends to";
        case refusal::unsupported_suite:
            return "the peer seals with another algorithm or a newer version: give both sides the same suite and "
                   "release (aes256_gcm needs AES instructions on both)";
        case refusal::size_anomaly:
            return "a frame is cut short or larger than allowed: compare the maximum frame size of both sides and "
                   "look for a proxy that cuts";
        case refusal::unknown_key_id:
            return "the peer uses a key this side was never given: publish the epoch to both, or enrol the peer again";
        case refusal::stale_epoch:
            return "the peer still seals with an expired key: see that it fetches new epochs and that it is running";
        case refusal::auth_failed:
            return "the keys of this epoch differ, or peer, channel or session are not the configured ones, or "
                   "somebody alters frames: compare the names and key files of both sides";
        case refusal::replay:
            return "a frame arrived twice: a network that repeats, or somebody who sends recorded frames again";
        case refusal::gap:
            return "frames of a stream are missing: the peer has to send again from the last acknowledged";
        case refusal::decompress_failed:
            return "an authentic peer packs its content wrongly: compare the releases of both sides";
        case refusal::none:
        case refusal::count_: break;
    }
    return "";
}

/// How often each component was refused, by reason. Safe to use from several threads. Bounded: components beyond
/// `max_components` are counted together as "(other)", since a name may come from outside.
class refusal_book {
public:
    static constexpr std::size_t max_components = 1024;  ///< distinct names kept

    /// One line of the operator's view.
    struct line {
        std::string component;        ///< the sender the frame claimed to be from
        refusal why = refusal::none;  ///< never `none`
        std::uint64_t count = 0;      ///< never 0
        std::string_view advice;      ///< what to look at
    };

    /// Counts one refusal; `none` is not counted.
    void record(std::string_view component, refusal why) {
        if (why == refusal::none || why >= refusal::count_) return;
        const std::scoped_lock lock{m_mutex};
        auto found = m_counts.find(component);
        if (found == m_counts.end()) {
            const bool full = m_counts.size() >= max_components;
            found = m_counts.try_emplace(full ? std::string{"(other)"} : std::string{component}).first;
        }
        ++found->second[static_cast<std::size_t>(why)];
    }

    /// How often `component` was refused for that reason.
    [[nodiscard]] std::uint64_t count(std::string_view component, refusal why) const {
        const std::scoped_lock lock{m_mutex};
        const auto found = m_counts.find(component);
        return found == m_counts.end() || why >= refusal::count_ ? 0 : found->second[static_cast<std::size_t>(why)];
    }

    /// Everything that was counted, sorted by component, then reason.
    [[nodiscard]] std::vector<line> lines() const {
        const std::scoped_lock lock{m_mutex};
        std::vector<line> all;
        for (const auto& [component, counts] : m_counts) {
            for (std::size_t i = 1; i < refusal_count; ++i) {
                const auto why = static_cast<refusal>(i);
                if (counts[i] > 0) all.push_back({component, why, counts[i], advice_for(why)});
            }
        }
        return all;
    }

private:
    mutable std::mutex m_mutex;
    std::map<std::string, std::array<std::uint64_t, refusal_count>, std::less<>> m_counts;
};

}  // namespace transport
}  // namespace v0
}  // namespace mldefender
