// SPDX-License-Identifier: MIT
// POSIX files for the log: an owning descriptor, whole writes, errors that name the path and the fix. Files are made
// 0600 and directories 0700, since events tell who talks to whom. Nothing here retries beyond EINTR.
#pragma once

#include <fcntl.h>
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

namespace mldefender {
inline namespace v0 {
namespace log {
namespace detail {

/// An error made of errno: what was attempted, on what, and what the system said.
[[nodiscard]] inline error system_error(std::string_view step, std::string_view where, int number) {
    errc code = errc::io;
    std::string_view fix;
    switch (number) {
        case ENOENT: code = errc::not_found; break;
        case EEXIST: code = errc::already_exists; break;
        case EACCES:
        case EPERM:
            code = errc::permission;
            fix = "; run as the owner or change its permissions";
            break;
        case ENOSPC:
        case EDQUOT:
            code = errc::disk_full;
            fix = "; free some space";
            break;
        case EROFS:
            code = errc::permission;
            fix = "; choose a directory on a writable file system";
            break;
        default: break;
    }
    std::string what = "cannot ";
    what.append(step).append(": ").append(std::strerror(number)).append(fix);
    return {code, std::move(what), std::string{where}, number};
}

/// A file descriptor that closes itself; -1 when there is none.
class descriptor {
public:
    descriptor() noexcept = default;
    explicit descriptor(int number) noexcept : m_number(number) {}
    descriptor(descriptor&& other) noexcept : m_number(std::exchange(other.m_number, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept {
        if (this != &other) {
            close();
            m_number = std::exchange(other.m_number, -1);
        }
        return *this;
    }
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() { close(); }

    [[nodiscard]] int get() const noexcept { return m_number; }
    [[nodiscard]] explicit operator bool() const noexcept { return m_number >= 0; }
    void close() noexcept {
        if (m_number >= 0) ::close(std::exchange(m_number, -1));
    }

private:
    int m_number = -1;
};

[[nodiscard]] inline result<descriptor, error> open_file(const std::string& path, int flags) {
    const int number = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
    if (number < 0) return system_error("open", path, errno);
    return descriptor{number};
}

/// Writes everything or yields the errno that stopped it; part of the text may then be in the file.
[[nodiscard]] inline int write_all(int file, std::string_view text) noexcept {
    while (!text.empty()) {
        const ssize_t written = ::write(file, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return 0;
}

/// The whole file, refused beyond `limit` bytes.
[[nodiscard]] inline result<std::string, error> read_file(const std::string& path, std::size_t limit) {
    auto file = open_file(path, O_RDONLY);
    if (!file) return file.failure();
    std::string text;
    char block[16384];
    for (;;) {
        const ssize_t got = ::read(file->get(), block, sizeof block);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return system_error("read", path, errno);
        if (got == 0) return text;
        text.append(block, static_cast<std::size_t>(got));
        if (text.size() > limit) {
            return error{errc::too_large, "is larger than " + std::to_string(limit) + " bytes", path, 0};
        }
    }
}

/// The directory with all its parents, each made 0700 where missing.
[[nodiscard]] inline result<void, error> make_directories(const std::string& path) {
    for (std::size_t end = 1; end <= path.size(); ++end) {
        if (end != path.size() && path[end] != '/') continue;
        const std::string part = path.substr(0, end);
        if (::mkdir(part.c_str(), 0700) == 0 || errno == EEXIST) continue;
        const int number = errno;
        struct stat found {};
        if (::stat(part.c_str(), &found) != 0) return system_error("create the directory", part, number);
    }
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0) return system_error("open the directory", path, errno);
    if (!S_ISDIR(found.st_mode)) return error{errc::bad_argument, "is not a directory", path, 0};
    return {};
}

/// Makes a rename or a new file survive a power cut. Failing is no reason to stop: the file itself is written.
inline void sync_directory(const std::string& path) noexcept {
    const descriptor directory{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (directory) (void)::fsync(directory.get());
}

}  // namespace detail
}  // namespace log
}  // namespace v0
}  // namespace mldefender
