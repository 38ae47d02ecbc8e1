// SPDX-License-Identifier: MIT
// Country codes of addresses from an optional MaxMind DB file (GeoLite2-Country, DB-IP and the like). Without a file
// every address has the empty code. Refuses a damaged file when it is opened; a damaged record yields no code.
// The event log asks it for events that lack a code.
#pragma once

#include <maxminddb.h>
#include <netinet/in.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include <mldefender/core/address.hpp>
#include <mldefender/core/event.hpp>
#include <mldefender/core/result.hpp>
#include <mldefender/log/detail/file.hpp>

namespace mldefender {
inline namespace v0 {
namespace log {

/// An open country file, mapped into memory. Look-ups are safe from several threads.
class country_db {
public:
    /// A data base that knows no country.
    country_db() noexcept = default;

    /// Opens a .mmdb file; "" yields the data base that knows no country.
    [[nodiscard]] static result<country_db, error> open(const std::string& path) {
        country_db db;
        if (path.empty()) return db;
        auto file = std::make_unique<MMDB_s>();
        const int status = MMDB_open(path.c_str(), MMDB_MODE_MMAP, file.get());
        if (status == MMDB_FILE_OPEN_ERROR) return detail::system_error("open the country file", path, errno);
        if (status != MMDB_SUCCESS) {
            return error{errc::corrupt, std::string{"is not a usable MaxMind DB file: "} + MMDB_strerror(status), path,
                         0};
        }
        db.m_file.reset(file.release());
        return db;
    }

    /// True when no file was opened.
    [[nodiscard]] bool empty() const noexcept { return m_file == nullptr; }

    /// The country an address is registered in, or the empty code.
    [[nodiscard]] country_code find(const address& host) const noexcept {
        if (empty()) return {};
        int status = MMDB_SUCCESS;
        MMDB_lookup_result_s found = lookup(host, status);
        if (status != MMDB_SUCCESS || !found.found_entry) return {};
        MMDB_entry_data_s data{};
        status = MMDB_get_value(&found.entry, &data, "country", "iso_code", nullptr);
        if (status != MMDB_SUCCESS || !data.has_data || data.type != MMDB_DATA_TYPE_UTF8_STRING ||
            data.data_size != 2) {
            return {};
        }
        return country_code{{data.utf8_string[0], data.utf8_string[1]}};
    }

private:
    [[nodiscard]] MMDB_lookup_result_s lookup(const address& host, int& status) const noexcept {
        if (host.is_v4()) {
            sockaddr_in v4{};
            v4.sin_family = AF_INET;
            v4.sin_addr.s_addr = htonl(host.v4_number());
            return MMDB_lookup_sockaddr(m_file.get(), reinterpret_cast<const sockaddr*>(&v4), &status);
        }
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        for (std::size_t i = 0; i < 8; ++i) {
            v6.sin6_addr.s6_addr[i] = static_cast<std::uint8_t>(host.high >> (56 - 8 * i));
            v6.sin6_addr.s6_addr[8 + i] = static_cast<std::uint8_t>(host.low >> (56 - 8 * i));
        }
        return MMDB_lookup_sockaddr(m_file.get(), reinterpret_cast<const sockaddr*>(&v6), &status);
    }

    struct closer {
        void operator()(MMDB_s* file) const noexcept {
            MMDB_close(file);
            delete file;
        }
    };
    std::unique_ptr<MMDB_s, closer> m_file;
};

}  // namespace log
}  // namespace v0
}  // namespace mldefender
