// SPDX-License-Identifier: MIT
// Keys in files: 64 hex digits and a line feed, mode 0600. Read straight into secret memory. Refuses what others than
// the owner may read or write, what somebody else owns, and what is not a plain file. Called by tools at start.
#pragma once

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include <mldefender/core/result.hpp>
#include <mldefender/transport/cipher.hpp>
#include <mldefender/transport/secret.hpp>

namespace mldefender {
inline namespace v0 {
namespace transport {
namespace detail {

[[nodiscard]] inline error file_error(std::string_view step, const std::string& path, int number) {
    const errc code = number == ENOENT   ? errc::not_found
                      : number == EEXIST ? errc::already_exists
                      : number == EACCES ? errc::permission
                      : number == ENOSPC ? errc::disk_full
                                         : errc::io;
    return {code, "cannot " + std::string{step} + ": " + std::strerror(number), path, number};
}

/// A descriptor that closes itself.
struct open_descriptor {
    explicit open_descriptor(int opened) noexcept : number(opened) {}
    open_descriptor(const open_descriptor&) = delete;
    open_descriptor& operator=(const open_descriptor&) = delete;
    ~open_descriptor() {
        if (number >= 0) ::close(number);
    }
    int number;
};

inline constexpr std::size_t key_digits = key_size * 2;

/// Nothing when the file is one a key may be read from.
[[nodiscard]] inline result<void, error> check_key_file(int file, const std::string& path) {
    struct stat found {};
    if (::fstat(file, &found) != 0) return file_error("examine the key", path, errno);
    if (!S_ISREG(found.st_mode)) return error{errc::bad_argument, "is not a plain file", path, 0};
    if (found.st_uid != ::geteuid() && found.st_uid != 0) {
        return error{errc::permission, "belongs to another user; chown it to the one this program runs as", path, 0};
    }
    if ((found.st_mode & 077) != 0) {
        return error{errc::permission, "the key may be read or written by others; chmod 600 it and replace the key",
                     path, 0};
    }
    return {};
}

}  // namespace detail

/// Reads a key of 32 bytes. Errors: not_found, permission, corrupt (not 64 hex digits), io, unavailable (no room).
[[nodiscard]] inline result<secret, error> load_key(const std::string& path, secret_arena& arena) {
    // Without O_NONBLOCK a pipe in the key's place would hang here.
    const detail::open_descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (file.number < 0) return detail::file_error("open the key", path, errno);
    if (const auto allowed = detail::check_key_file(file.number, path); !allowed) return allowed.failure();
    // One byte more than there may be, so that a longer file shows.
    auto digits = arena.allocate(detail::key_digits + 2);
    if (!digits) return digits.failure();
    auto key = arena.allocate(key_size);
    if (!key) return key.failure();
    const auto text = digits->bytes();
    std::size_t have = 0;
    while (have < text.size()) {
        const ssize_t got = ::read(file.number, text.data() + have, text.size() - have);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return detail::file_error("read the key", path, errno);
        if (got == 0) break;
        have += static_cast<std::size_t>(got);
    }
    if (have == detail::key_digits + 1 && text[detail::key_digits] == '\n') --have;
    std::size_t octets = 0;
    if (have != detail::key_digits ||
        sodium_hex2bin(key->bytes().data(), key_size, reinterpret_cast<const char*>(text.data()), have, nullptr,
                       &octets, nullptr) != 0 ||
        octets != key_size) {
        return error{errc::corrupt, "is not a key: it should hold 64 hex digits", path, 0};
    }
    return std::move(key).value();
}

/// Makes a random key and its file, which must not exist yet. Errors: already_exists, permission, disk_full, io,
/// unavailable (no room). A file that could not be written whole is removed.
[[nodiscard]] inline result<secret, error> create_key(const std::string& path, secret_arena& arena) {
    auto key = arena.allocate(key_size);
    if (!key) return key.failure();
    auto digits = arena.allocate(detail::key_digits + 1);
    if (!digits) return digits.failure();
    randombytes_buf(key->bytes().data(), key_size);
    const auto text = digits->bytes();
    sodium_bin2hex(reinterpret_cast<char*>(text.data()), text.size(), key->bytes().data(), key_size);
    text.back() = '\n';
    const detail::open_descriptor file{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (file.number < 0) return detail::file_error("create the key", path, errno);
    const ssize_t wrote = ::write(file.number, text.data(), text.size());
    if (wrote == static_cast<ssize_t>(text.size()) && ::fsync(file.number) == 0) return std::move(key).value();
    const int number = wrote >= 0 && wrote != static_cast<ssize_t>(text.size()) ? ENOSPC : errno;
    (void)::unlink(path.c_str());
    return detail::file_error("write the key", path, number);
}

}  // namespace transport
}  // namespace v0
}  // namespace mldefender
