// SPDX-License-Identifier: MIT
// Errors are values. The hot path returns `result<T>`, a value or one closed `errc`; the cold path returns
// `result<T, error>`, which also says what was attempted, where, and the system's errno.
// Nothing here throws, prints or aborts; reading the value of a failed result is a programming error (assert).
#pragma once

#include <cassert>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace mldefender {
inline namespace v0 {

/// Why something could not be done. A closed set: counters are indexed by it, so `count_` stays last.
enum class errc : std::uint8_t {
    ok,
    truncated,          ///< fewer bytes than the header needs
    bad_version,        ///< IP version or format version not understood
    bad_header_length,  ///< a length field contradicts itself or its parent
    bad_value,          ///< a field holds a value its format forbids
    unsupported_link,   ///< link type without a decoder
    not_ip,             ///< a frame that carries no IP (ARP, LLDP, ...): normal, counted apart
    unsupported_proto,  ///< IP protocol that is not tracked
    too_deep,           ///< more nested headers than we are willing to follow
    not_found,          ///< a file, key or name that should be there
    already_exists,     ///< it is there and would be overwritten
    permission,         ///< the system or a rule of safety forbids it
    io,                 ///< the system refused; errno tells why
    disk_full,          ///< no room left to write
    corrupt,            ///< data whose check sum, chain or structure is wrong
    wrong_key,          ///< sealed or chained under another key
    too_large,          ///< beyond a configured or fixed bound
    bad_argument,       ///< the caller's input makes no sense
    unavailable,        ///< a feature this machine or build does not have
    count_
};

/// Number of distinct error codes, for counters indexed by `errc`.
inline constexpr std::size_t errc_count = static_cast<std::size_t>(errc::count_);

/// The code's name as it appears in summaries and metrics.
[[nodiscard]] constexpr std::string_view name_of(errc code) noexcept {
    switch (code) {
        case errc::ok: return "ok";
        case errc::truncated: return "truncated";
        case errc::bad_version: return "bad_version";
        case errc::bad_header_length: return "bad_header_length";
        case errc::bad_value: return "bad_value";
        case errc::unsupported_link: return "unsupported_link";
        case errc::not_ip: return "not_ip";
        case errc::unsupported_proto: return "unsupported_proto";
        case errc::too_deep: return "too_deep";
        case errc::not_found: return "not_found";
        case errc::already_exists: return "already_exists";
        case errc::permission: return "permission";
        case errc::io: return "io";
        case errc::disk_full: return "disk_full";
        case errc::corrupt: return "corrupt";
        case errc::wrong_key: return "wrong_key";
        case errc::too_large: return "too_large";
        case errc::bad_argument: return "bad_argument";
        case errc::unavailable: return "unavailable";
        case errc::count_: break;
    }
    return "invalid";
}

/// A cold-path error: enough for a person to act on. `what` names the failed step and the fix if there is
/// one, `where` the file, key or interface, `system_errno` the errno or 0.
struct error {
    errc code = errc::ok;  ///< for programs
    std::string what;      ///< the failed step, and the fix if there is one
    std::string where;     ///< file, key or interface; "" when there is none
    int system_errno = 0;  ///< 0 unless the system said why

    /// "where: what", the form every tool prints.
    [[nodiscard]] std::string text() const { return where.empty() ? what : where + ": " + what; }
};

/// Either a `T` or an `E`. `E` is `errc` on the hot path and `error` on the cold path.
template <class T, class E = errc>
class [[nodiscard]] result {
public:
    /// A success; implicit, so that `return value;` works.
    constexpr result(T value) noexcept : m_value(std::move(value)), m_ok(true) {}
    /// A failure; implicit, so that `return errc::truncated;` works.
    constexpr result(E failure) noexcept : m_error(std::move(failure)) {}

    /// True when there is a value.
    [[nodiscard]] constexpr bool ok() const noexcept { return m_ok; }
    /// The same, for conditions.
    constexpr explicit operator bool() const noexcept { return m_ok; }

    /// The value; only when `ok()`, which debug builds assert.
    [[nodiscard]] constexpr T& value() & noexcept { return assert(m_ok), m_value; }
    /// The value; only when `ok()`.
    [[nodiscard]] constexpr const T& value() const& noexcept { return assert(m_ok), m_value; }
    /// The value, to be moved from; only when `ok()`.
    [[nodiscard]] constexpr T&& value() && noexcept { return assert(m_ok), std::move(m_value); }
    /// The value; only when `ok()`.
    constexpr T& operator*() & noexcept { return value(); }
    /// The value; only when `ok()`.
    constexpr const T& operator*() const& noexcept { return value(); }
    /// A member of the value; only when `ok()`.
    constexpr T* operator->() noexcept { return &value(); }
    /// A member of the value; only when `ok()`.
    constexpr const T* operator->() const noexcept { return &value(); }

    /// What went wrong; meaningful only when not `ok()`.
    [[nodiscard]] constexpr const E& failure() const noexcept { return m_error; }

private:
    // Both members rather than a union: T stays constexpr-friendly and movable without hand-written lifetimes,
    // and results are returned, not stored.
    T m_value{};
    E m_error{};
    bool m_ok = false;
};

/// A step that yields nothing but may fail.
template <class E>
class [[nodiscard]] result<void, E> {
public:
    constexpr result() noexcept = default;
    /// A failure; implicit, so that `return errc::truncated;` works.
    constexpr result(E failure) noexcept : m_error(std::move(failure)), m_ok(false) {}

    /// True when the step succeeded.
    [[nodiscard]] constexpr bool ok() const noexcept { return m_ok; }
    /// The same, for conditions.
    constexpr explicit operator bool() const noexcept { return m_ok; }
    /// What went wrong; meaningful only when not `ok()`.
    [[nodiscard]] constexpr const E& failure() const noexcept { return m_error; }

private:
    E m_error{};
    bool m_ok = true;
};

}  // namespace v0
}  // namespace mldefender
