// SPDX-License-Identifier: MIT
// Writes a small MaxMind DB file (format 2.0, maxmind.github.io/MaxMind-DB): an IPv6 tree of 24-bit records with
// country records, enough for the real library to read. For tests of the country look-up.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mldefender/core/address.hpp>

namespace mldefender::test {

class mmdb_writer {
public:
    /// All addresses of the network are in the country. Networks must not contain each other.
    void add(const network& where, std::string_view country) {
        const unsigned depth = where.base.is_v4() ? 96U + where.prefix : where.prefix;
        // In the tree IPv4 lives at ::/96, not at ::ffff:0:0/96.
        const address key = where.base.is_v4() ? address{0, where.base.v4_number()} : where.base;
        std::size_t node = 0;
        for (unsigned i = 0; i < depth; ++i) {
            const bool bit = ((i < 64 ? key.high >> (63 - i) : key.low >> (127 - i)) & 1) != 0;
            record& next = bit ? m_nodes[node].second : m_nodes[node].first;
            if (i + 1 == depth) {
                next = {kind::data, m_data.size()};
            } else {
                if (next.what != kind::node) {
                    const std::size_t made = m_nodes.size();
                    next = {kind::node, made};
                    node = made;
                    m_nodes.emplace_back();
                    continue;
                }
                node = next.value;
            }
        }
        m_data += map(1) + text("country") + map(1) + text("iso_code") + text(country);
    }

    [[nodiscard]] std::string file() const {
        std::string out;
        for (const auto& [left, right] : m_nodes) out += number(left) + number(right);
        out += std::string(16, '\0') + m_data + "\xab\xcd\xefMaxMind.com" + map(9);
        out += text("binary_format_major_version") + unsigned_of("\xa1", 2, 1);
        out += text("binary_format_minor_version") + unsigned_of("\xa1", 0, 1);
        out += text("build_epoch") + std::string{"\x04\x02"} + big_endian(1'700'000'000, 4);
        out += text("database_type") + text("Test-Country");
        out += text("description") + map(1) + text("en") + text("test");
        out += text("ip_version") + unsigned_of("\xa1", 6, 1);
        out += text("languages") + std::string{"\x01\x04"} + text("en");
        out += text("node_count") + unsigned_of("\xc4", static_cast<std::uint32_t>(m_nodes.size()), 4);
        out += text("record_size") + unsigned_of("\xa1", 24, 1);
        return out;
    }

private:
    enum class kind { none, node, data };
    struct record {
        kind what = kind::none;
        std::size_t value = 0;
    };

    [[nodiscard]] std::string number(const record& r) const {
        const std::size_t count = m_nodes.size();
        const std::size_t value = r.what == kind::node ? r.value : r.what == kind::data ? count + 16 + r.value : count;
        return big_endian(static_cast<std::uint32_t>(value), 3);
    }
    static std::string big_endian(std::uint32_t value, unsigned octets) {
        std::string out;
        for (unsigned i = octets; i-- > 0;) out += static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
        return out;
    }
    static std::string unsigned_of(const char* control, std::uint32_t value, unsigned octets) {
        return std::string{control}.append(big_endian(value, octets));
    }
    static std::string map(unsigned members) { return {static_cast<char>(0xe0 | members)}; }
    static std::string text(std::string_view t) {
        return static_cast<char>(0x40 | t.size()) + std::string{t};  // up to 28 bytes
    }

    std::vector<std::pair<record, record>> m_nodes{1};
    std::string m_data;
};

}  // namespace mldefender::test
