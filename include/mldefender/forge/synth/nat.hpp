// SPDX-License-Identifier: MIT
// Address translation as a sensor on the outer side of a router sees it: every local host speaks from one address,
// ports are kept where they are free and changed where two hosts want the same one, and what stays inside is not seen
// at all. IPv6 is not translated. It refuses nothing: what cannot be seen outside is reported as such. Called by the
// trace and the frame writer, so that behaviours need not know where the sensor stands.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <unordered_set>

#include <mldefender/core/address.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {

/// One router's translation table. Not thread safe.
class translator {
public:
    /// Local hosts are those of `inside`, or those whose IPv6 address begins like `inside_v6`; outside, the former all
    /// are `outer`.
    translator(const network& inside, const address& inside_v6, const address& outer) noexcept
        : m_inside(inside), m_inside_v6(inside_v6), m_outer(outer) {}

    /// The address all local hosts show.
    [[nodiscard]] const address& outer() const noexcept { return m_outer; }

    /// Rewrites a tuple into what is seen outside. False when it is not seen there: between local hosts, or to
    /// everybody. Only one end can be local, so either direction of a conversation is rewritten alike.
    bool translate(five_tuple& t) {
        const bool from_inside = is_inside(t.source);
        if (from_inside == is_inside(t.destination) || is_multicast(t.destination)) return false;
        if (!t.source.is_v4()) return true;
        if (from_inside)
            map(t.source, t.source_port, t.protocol);
        else
            map(t.destination, t.destination_port, t.protocol);
        return true;
    }

private:
    [[nodiscard]] bool is_inside(const address& a) const noexcept {
        return a.is_v4() ? m_inside.contains(a) || a == address::v4(0) : a.high == m_inside_v6.high;
    }
    [[nodiscard]] static std::uint64_t key_of(const address& a, std::uint16_t port, ip_protocol protocol) noexcept {
        return (std::uint64_t{a.v4_number()} << 24) | (std::uint64_t{port} << 8) | static_cast<std::uint64_t>(protocol);
    }
    void map(address& a, std::uint16_t& port, ip_protocol protocol) {
        if (port != 0) {
            const auto [known, is_new] = m_ports.try_emplace(key_of(a, port, protocol), port);
            if (is_new) {
                std::uint16_t wanted = port;  // the next one that nobody has
                while (!m_taken.insert(key_of(m_outer, wanted, protocol)).second)
                    wanted = wanted == 65535 ? std::uint16_t{1024} : static_cast<std::uint16_t>(wanted + 1);
                known->second = wanted;
            }
            port = known->second;
        }
        a = m_outer;
    }

    network m_inside;
    address m_inside_v6;
    address m_outer;
    std::unordered_map<std::uint64_t, std::uint16_t> m_ports;
    std::unordered_set<std::uint64_t> m_taken;
};

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
