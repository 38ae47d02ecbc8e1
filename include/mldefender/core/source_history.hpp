// SPDX-License-Identifier: MIT
// How many events a source has caused in the last 24 hours, for mld.ctx.src_events_24h: an hourly ring per source in
// fixed memory; sources with few events are forgotten first. Used by the pipeline's single-threaded last step.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include <mldefender/core/address.hpp>
#include <mldefender/core/slot_table.hpp>

namespace mldefender {
inline namespace v0 {

/// Event counts by source.
class source_history {
public:
    /// Remembers so many sources at most, rounded up to a multiple of 512.
    constexpr explicit source_history(std::size_t capacity) : m_sources(capacity) {}

    /// Counts an event of `source` and returns how many it had in the 24 hours before.
    constexpr std::uint32_t count_one(const address& source, std::int64_t now_ns) noexcept {
        const std::uint64_t key = hash_of(source);
        const std::uint32_t ticks = coarse_ticks(now_ns);
        std::uint32_t slot = m_sources.find(key, [&](const record& r) { return r.source == source; });
        if (slot == slot_table<record>::none) {
            slot = m_sources.insert(key, ticks, [](std::uint32_t) {});
            m_sources[slot].source = source;
        }
        record& r = m_sources[slot];
        const std::int64_t hour = now_ns / 3'600'000'000'000;
        std::uint32_t before = 0;
        for (std::size_t i = 0; i < r.count.size(); ++i) before += hour - r.hour[i] < 24 ? r.count[i] : 0;
        const auto place = static_cast<std::size_t>(static_cast<std::uint64_t>(hour) % r.count.size());
        if (r.hour[place] != hour) {
            r.hour[place] = hour;
            r.count[place] = 0;
        }
        ++r.count[place];
        m_sources.touch(slot, ticks, static_cast<std::uint8_t>(std::min<std::uint32_t>(before, 255)));
        return before;
    }

private:
    struct record {
        address source;
        std::array<std::int64_t, 24> hour{};
        std::array<std::uint32_t, 24> count{};
    };
    slot_table<record> m_sources;
};

}  // namespace v0
}  // namespace mldefender
