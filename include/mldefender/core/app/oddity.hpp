// SPDX-License-Identifier: MIT
// Weak signs that a program, not a person, talks to an outside host, and that it would rather not be known. None of
// them means anything alone: every network has a scale that posts without saying its name. Each has a weight, and a
// rule asks how much has come together at one inside host within ten minutes.
// Set by the protocol readers' sums (traffic.hpp) and by the flow itself (observe.hpp); kept per host (window.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mldefender {
inline namespace v0 {

/// The signs, in the order of their bits.
enum class oddity : std::uint8_t {
    posed_request,     ///< HTTP with a browser's name and without what every browser says: language, where from
    posed_post,        ///< the same, and it sends data
    nameless_request,  ///< HTTP without the name of a program
    unasked_form,      ///< a form filled in by nobody: posted without the page it stands on
    lost_post,         ///< data posted to what does not exist (any more)
    host_address,      ///< HTTP asks for a bare address instead of a name
    random_name,       ///< the name somebody registered is a jumble of letters and digits
    own_address,       ///< the answer is an address and nothing else: where does the world see me?
    package,           ///< a program, installer or archive came in clear, and no page led to it
    disguised,         ///< an answer said to be text or an image is neither
    unreadable,        ///< an answer of random bytes that no format begins with
    not_there,         ///< what a nameless or posing program asked for does not exist (any more)
    foreign_share,     ///< file access by HTTP (WebDAV, office programs) at an outside host
    raw_program,       ///< a program comes through a connection that speaks no known protocol
    raw_shell,         ///< a command line's greeting or answer goes through such a connection
    odd_port,          ///< TLS on a port where hardly any server has it
    tls_nameless,      ///< TLS hello without server name
    tls_self_signed,   ///< a certificate nobody vouches for
    tls_obsolete,      ///< a hello whose newest version is TLS 1.0 or older (RFC 8996)
    own_protocol,      ///< TCP to a high port in a protocol nobody knows
    chat,              ///< IRC
    mining,            ///< a miner talks to its pool in clear
    mail_out,          ///< mail handed to an outside server
    file_out,          ///< a file handed to an outside FTP server
    count_
};

/// Number of signs; at most 32, so that a mask holds them.
inline constexpr std::size_t oddity_count = static_cast<std::size_t>(oddity::count_);
static_assert(oddity_count <= 32);

/// The sign as a bit of a mask.
[[nodiscard]] constexpr std::uint32_t bit_of(oddity o) noexcept { return 1U << static_cast<unsigned>(o); }

/// Name and weight of a sign. 1: honest programs do it now and then; 2: few do; 3, 4: hardly any does; 5: none does.
/// Weight 0 marks those of the channel, which programs of one make share among themselves: all together count 1.
struct oddity_info {
    std::string_view name;    ///< as spelt above
    std::uint8_t weight = 0;  ///< see above
};
/// In the order of `oddity`.
inline constexpr oddity_info oddities[] = {
    {"posed_request", 2}, {"posed_post", 2},   {"nameless_request", 1}, {"unasked_form", 1}, {"lost_post", 2},
    {"host_address", 2},  {"random_name", 2},  {"own_address", 1},      {"package", 1},      {"disguised", 3},
    {"unreadable", 1},    {"not_there", 1},    {"foreign_share", 4},    {"raw_program", 5},  {"raw_shell", 5},
    {"odd_port", 0},      {"tls_nameless", 0}, {"tls_self_signed", 0},  {"tls_obsolete", 0}, {"own_protocol", 0},
    {"chat", 0},          {"mining", 0},       {"mail_out", 0},         {"file_out", 0},
};
static_assert(sizeof(oddities) / sizeof(oddities[0]) == oddity_count);

/// Sum of the weights of the signs in `mask`; those of the channel count 1 together.
[[nodiscard]] constexpr std::uint32_t weight_of(std::uint32_t mask) noexcept {
    std::uint32_t sum = 0;
    bool channel = false;
    for (std::size_t i = 0; i < oddity_count; ++i) {
        if (((mask >> i) & 1U) == 0) continue;
        sum += oddities[i].weight;
        channel = channel || oddities[i].weight == 0;
    }
    return sum + channel;
}

}  // namespace v0
}  // namespace mldefender
