// SPDX-License-Identifier: MIT
// The line on standard error that shows how far a run is: rewritten in place on a terminal, one line every few seconds
// otherwise. Says nothing during the first second.
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

namespace mldefender::sensor {

/// Prints at most a few times a second. One thread.
class progress {
public:
    using clock = std::chrono::steady_clock;

    [[nodiscard]] double seconds() const { return std::chrono::duration<double>(clock::now() - m_started).count(); }
    /// True when a new line is due.
    [[nodiscard]] bool due() {
        const auto now = clock::now();
        if (now - m_last < (m_terminal ? std::chrono::milliseconds{250} : std::chrono::milliseconds{5000}))
            return false;
        m_last = now;
        return true;
    }
    void show(const std::string& line) {
        if (m_terminal) {
            fmt::print(stderr, "\r\033[K{}", line);
        } else {
            fmt::print(stderr, "{}\n", line);
        }
        std::fflush(stderr);
        m_shown = true;
    }
    /// Clears the line, so that what follows starts at the left.
    void clear() {
        if (m_shown && m_terminal) fmt::print(stderr, "\r\033[K");
        m_shown = false;
    }

    /// "12.3 M packets, 2.1 M packets/s, 45 %, 3 s left".
    [[nodiscard]] std::string file_line(std::uint64_t packets, std::uint64_t read, std::uint64_t total) const {
        const double elapsed = seconds();
        std::string line = fmt::format("{} packets, {:.0f} packets/s", packets, static_cast<double>(packets) / elapsed);
        if (total > 0 && read > 0) {
            const double share = static_cast<double>(read) / static_cast<double>(total);
            line += fmt::format(", {:.0f} %, {:.0f} s left", share * 100, elapsed / share - elapsed);
        }
        return line;
    }

private:
    clock::time_point m_started = clock::now();
    clock::time_point m_last = m_started;
    bool m_terminal = ::isatty(STDERR_FILENO) == 1;
    bool m_shown = false;
};

}  // namespace mldefender::sensor
