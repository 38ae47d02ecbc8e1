// SPDX-License-Identifier: MIT
// Where synthetic frames are collected: one arena of bytes and an index, so that behaviours may write in any order of
// time and the reader gets them sorted. It refuses frames outside the capture's time and beyond its bound (counted),
// and it keeps the promise that one 5-tuple has one label. Bulk bodies are stored cut short, like a capture with a snap
// length; lengths in the headers and `wire_len` stay those of the wire. Used by the frame writer and the scenario.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <mldefender/core/address.hpp>
#include <mldefender/core/attack.hpp>
#include <mldefender/core/bytes.hpp>
#include <mldefender/forge/synth/nat.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {

/// One synthetic frame as handed to the trainer. `data` starts at the Ethernet header and is valid during the call.
struct labelled_frame {
    std::int64_t timestamp_ns = 0;            ///< since the Unix epoch
    bytes data;                               ///< may be shorter than `wire_len` (cut bodies)
    std::uint32_t wire_len = 0;               ///< length of the frame on the wire
    attack_class label = attack_class::none;  ///< of the behaviour that sent it
    std::string_view behaviour;               ///< name of the behaviour that sent it (static storage)
};

/// Who sends: what goes into the label of each frame.
struct behaviour_tag {
    attack_class label = attack_class::none;  ///< `none` for ordinary traffic
    std::string_view name;                    ///< of the behaviour, static storage
};

/// Frames of one scenario. Not thread safe.
class trace {
public:
    /// Keeps frames with begin_ns <= timestamp < end_ns, at most max_frames of them; cut frames keep at most
    /// `body_bytes` of filler (headers and protocol heads are always whole).
    trace(std::int64_t begin_ns, std::int64_t end_ns, std::size_t max_frames, std::uint32_t body_bytes)
        : m_begin(begin_ns), m_end(end_ns), m_max(max_frames), m_body_bytes(body_bytes) {}

    translator* nat = nullptr;  ///< when the sensor stands outside of a translating router; outlives the trace

    /// First moment of the capture, since the Unix epoch.
    [[nodiscard]] std::int64_t begin_ns() const noexcept { return m_begin; }
    /// First moment after the capture.
    [[nodiscard]] std::int64_t end_ns() const noexcept { return m_end; }
    /// Filler kept per frame, bytes.
    [[nodiscard]] std::uint32_t body_bytes() const noexcept { return m_body_bytes; }
    /// The same for frames deep in a conversation, where nobody reads bodies any more.
    [[nodiscard]] std::uint32_t later_body_bytes() const noexcept {
        return m_body_bytes >= 1500 ? m_body_bytes : std::min(m_body_bytes, 64U);
    }
    /// Frames kept so far.
    [[nodiscard]] std::size_t size() const noexcept { return m_index.size(); }
    /// True when no further frame will be kept: behaviours that loop stop then.
    [[nodiscard]] bool full() const noexcept { return m_index.size() >= m_max; }
    /// True when a frame of this time would be kept.
    [[nodiscard]] bool wants(std::int64_t timestamp_ns) const noexcept {
        return timestamp_ns >= m_begin && timestamp_ns < m_end && !full();
    }

    /// Reserves a frame of `stored` bytes and returns where to write them (zeroed).
    std::uint8_t* add(std::int64_t timestamp_ns, std::uint32_t stored, std::uint32_t wire_len, behaviour_tag tag) {
        const std::size_t at = m_arena.size();
        m_arena.resize(at + stored);
        m_index.push_back({timestamp_ns, at, stored, wire_len, number_of(tag)});
        return m_arena.data() + at;
    }

    /// Takes a conversation for a label. False when either direction already belongs to another label, or when the
    /// sensor does not see it, so that the caller picks other ports or stays silent.
    bool claim(five_tuple tuple, attack_class label) {
        if (nat != nullptr && !nat->translate(tuple)) return false;
        const std::uint64_t key = std::min(mix(tuple), mix(tuple.reversed()));
        return m_owner.try_emplace(key, label).first->second == label;
    }

    /// Keeps one conversation only (that of a random frame), like a capture filtered to one flow.
    void focus(std::size_t frame) {
        if (frame >= m_index.size()) return;
        const std::uint64_t wanted = ends_of(m_index[frame]);
        std::erase_if(m_index, [&](const entry& e) { return ends_of(e) != wanted; });
    }

    /// Hands out the frames in order of time (ties in order of writing).
    template <class Sink>
    void replay(Sink&& sink) {
        std::vector<std::pair<std::int64_t, std::uint32_t>> order;
        order.reserve(m_index.size());
        for (std::size_t i = 0; i < m_index.size(); ++i) {
            order.emplace_back(m_index[i].timestamp_ns, static_cast<std::uint32_t>(i));
        }
        std::sort(order.begin(), order.end());
        for (const auto& [when, at] : order) {
            const entry& e = m_index[at];
            const behaviour_tag& tag = m_tags[e.tag];
            sink(labelled_frame{when, bytes{m_arena.data() + e.offset, e.stored}, e.wire_len, tag.label, tag.name});
        }
    }

private:
    struct entry {
        std::int64_t timestamp_ns;
        std::size_t offset;
        std::uint32_t stored;
        std::uint32_t wire_len;
        std::uint32_t tag;
    };

    /// A number for the unordered pair of ends of a stored frame; frames here are our own, so offsets are known.
    [[nodiscard]] std::uint64_t ends_of(const entry& e) const noexcept {
        const std::uint8_t* at = m_arena.data() + e.offset + 12;
        if (load_be16(at) == 0x8100) at += 4;
        const bool six = load_be16(at) == 0x86dd;
        at += 2;
        const auto protocol = static_cast<ip_protocol>(six ? at[6] : at[9]);
        const std::uint8_t* const transport = at + (six ? 40 : 20);
        const bool ports =
            protocol == ip_protocol::tcp || protocol == ip_protocol::udp || protocol == ip_protocol::sctp;
        five_tuple t;
        t.source = six ? address::v6(at + 8) : address::v4(load_be32(at + 12));
        t.destination = six ? address::v6(at + 24) : address::v4(load_be32(at + 16));
        if (ports) t.source_port = load_be16(transport);
        if (ports) t.destination_port = load_be16(transport + 2);
        t.protocol = protocol;
        return std::min(mix(t), mix(t.reversed()));
    }
    [[nodiscard]] static std::uint64_t mix(const five_tuple& t) noexcept {
        std::uint64_t h = static_cast<std::uint64_t>(t.protocol);
        const std::uint64_t ports = (std::uint64_t{t.source_port} << 16) | t.destination_port;
        for (const std::uint64_t word : {t.source.high, t.source.low, t.destination.high, t.destination.low, ports}) {
            h = (h ^ word) * 0x9e3779b97f4a7c15ULL;
            h ^= h >> 29;
        }
        return h;
    }
    [[nodiscard]] std::uint32_t number_of(behaviour_tag tag) {
        for (std::size_t i = m_tags.size(); i > 0; --i) {
            if (m_tags[i - 1].name == tag.name && m_tags[i - 1].label == tag.label) {
                return static_cast<std::uint32_t>(i - 1);
            }
        }
        m_tags.push_back(tag);
        return static_cast<std::uint32_t>(m_tags.size() - 1);
    }

    std::int64_t m_begin;
    std::int64_t m_end;
    std::size_t m_max;
    std::uint32_t m_body_bytes;
    std::vector<std::uint8_t> m_arena;
    std::vector<entry> m_index;
    std::vector<behaviour_tag> m_tags;
    std::unordered_map<std::uint64_t, attack_class> m_owner;
};

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
