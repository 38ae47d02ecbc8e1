// SPDX-License-Identifier: MIT
// Fuzzes parse.hpp, fragment.hpp and community_id.hpp: whatever the bytes, link type and options, nothing is read out
// of bounds and an accepted packet keeps its promises. The first four bytes choose link type, options and wire length.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <mldefender/core/community_id.hpp>
#include <mldefender/core/fragment.hpp>
#include <mldefender/core/parse.hpp>

namespace {

using namespace mldefender;

constexpr std::array links{link_type::ethernet, link_type::ethernet,     link_type::null,
                           link_type::ppp,      link_type::ppp_hdlc,     link_type::pppoe,
                           link_type::raw,      link_type::loop,         link_type::ipv4,
                           link_type::ipv6,     link_type::linux_cooked, link_type::linux_cooked_v2};

void require(bool promise) {
    if (!promise) std::abort();
}

void check(const packet& p, bytes data) {
    require(p.payload.size() <= p.payload_len);
    require(p.header_len + p.payload_len <= p.ip_len);
    require(p.wire_len >= data.size());
    require(p.ip_version == 4 || p.ip_version == 6);
    require(p.tunnel_depth <= 15);
    require(!p.later_fragment || p.fragment);
    if (p.payload.empty()) return;
    require(p.payload.data() >= data.data());
    require(p.payload.data() + p.payload.size() <= data.data() + data.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 4) return 0;
    const parse_options options{(data[1] & 1) != 0, static_cast<std::uint8_t>(data[1] >> 4)};
    const bytes frame{data + 4, size - 4};
    const raw_packet raw{1, frame, load_be16(data + 2), links[data[0] % links.size()]};
    auto p = parse(raw, options);
    if (!p) {
        require(p.failure() != errc::ok);
        return 0;
    }
    check(*p, frame);
    fragment_table<16> fragments;
    (void)fragments.resolve(*p);
    require(community_id(p->tuple, p->icmp_type, p->icmp_code).view().starts_with("1:"));
    return 0;
}
