// SPDX-License-Identifier: MIT
// Who writes the events (`identity`: host, site, interfaces, models) and how each gets its name (`event_id`, a UUID
// of version 7). Randomness is a parameter: `sodium_random` is the default source, tests bring their own.
// Used by the line writer and the event log.
#pragma once

#include <sodium.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mldefender {
inline namespace v0 {
namespace log {

/// A model as events name it.
struct model_identity {
    std::string name_version;  ///< "name@version"
    std::string hash;          ///< first 64 bits of the SHA-256 of the model file, 16 hex digits
};

/// What is the same in every event of one sensor. `event::interface_index` and `event::model_index` point into the
/// lists; an index beyond them is written as "".
struct identity {
    std::string host;                     ///< sensor name
    std::string deployment;               ///< site
    std::vector<std::string> interfaces;  ///< by `event::interface_index`
    std::vector<model_identity> models;   ///< by `event::model_index`
};

/// A UUID as 16 bytes in network order.
struct uuid {
    std::array<std::uint8_t, 16> octets{};  ///< as they are spelled

    /// The usual spelling, 36 characters, into `out`.
    constexpr void write(std::span<char, 36> out) const noexcept {
        std::size_t at = 0;
        for (std::size_t i = 0; i < octets.size(); ++i) {
            if (i == 4 || i == 6 || i == 8 || i == 10) out[at++] = '-';
            out[at++] = "0123456789abcdef"[octets[i] >> 4];
            out[at++] = "0123456789abcdef"[octets[i] & 15];
        }
    }
};

/// A UUID of version 7 (RFC 9562, section 5.7; its method 3 for the 12 bits after the milliseconds): sorts by event
/// time to a quarter of a microsecond, then 62 random bits. Times before 1970 count as 1970.
[[nodiscard]] constexpr uuid make_uuid_v7(std::int64_t timestamp_ns, std::uint64_t random) noexcept {
    const std::uint64_t ns = timestamp_ns < 0 ? 0 : static_cast<std::uint64_t>(timestamp_ns);
    const std::uint64_t ms = ns / 1'000'000;
    const std::uint64_t fraction = ns % 1'000'000 * 4096 / 1'000'000;
    uuid id;
    for (std::size_t i = 0; i < 6; ++i) id.octets[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
    id.octets[6] = static_cast<std::uint8_t>(0x70 | (fraction >> 8));
    id.octets[7] = static_cast<std::uint8_t>(fraction);
    for (std::size_t i = 0; i < 8; ++i) id.octets[8 + i] = static_cast<std::uint8_t>(random >> (56 - 8 * i));
    id.octets[8] = static_cast<std::uint8_t>(0x80 | (id.octets[8] & 0x3f));
    return id;
}

/// Random numbers from the system, drawn a page at a time so that a line does not cost a system call.
/// `sodium_init()` must have succeeded (opening an event log does that). One thread at a time.
class sodium_random {
public:
    /// The next number.
    [[nodiscard]] std::uint64_t operator()() noexcept {
        if (m_at + sizeof(std::uint64_t) > m_pool.size()) {
            randombytes_buf(m_pool.data(), m_pool.size());
            m_at = 0;
        }
        std::uint64_t number = 0;
        std::memcpy(&number, m_pool.data() + m_at, sizeof number);
        m_at += sizeof number;
        return number;
    }

private:
    std::array<std::uint8_t, 1024> m_pool{};
    std::size_t m_at = 1024;
};

}  // namespace log
}  // namespace v0
}  // namespace mldefender
