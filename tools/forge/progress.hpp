// SPDX-License-Identifier: MIT
// How far a long piece of work is, on standard error. Included by the commands of mldefender-forge.
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>
#include <utility>

namespace forge_tool {

/// "what [####----] done of all, seconds left", in place on a terminal; elsewhere a line without the bar now and then.
class progress_line {
public:
    explicit progress_line(std::string what) : m_what(std::move(what)) {}
    void operator()(std::size_t done, std::size_t all) {
        const auto now = std::chrono::steady_clock::now();
        const bool last = done == all;
        if (!last && now - m_shown < (m_terminal ? std::chrono::milliseconds{200} : std::chrono::milliseconds{10'000}))
            return;
        m_shown = now;
        const double elapsed = std::chrono::duration<double>(now - m_started).count();
        const double left = elapsed / static_cast<double>(done) * static_cast<double>(all - done);
        constexpr std::size_t width = 30;
        const std::size_t filled = width * done / all;
        const std::string bar =
            m_terminal ? fmt::format(" [{:#<{}}{:-<{}}]", "", filled, "", width - filled) : std::string{":"};
        fmt::print(stderr, "{}{}{} {} of {}, {:.0f} s left{}", m_terminal ? "\r\033[K" : "", m_what, bar, done, all,
                   left, m_terminal && !last ? "" : "\n");
        std::fflush(stderr);
    }

private:
    std::string m_what;
    bool m_terminal = ::isatty(STDERR_FILENO) == 1;
    std::chrono::steady_clock::time_point m_started = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point m_shown = m_started;
};

}  // namespace forge_tool
