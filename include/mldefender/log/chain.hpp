// SPDX-License-Identifier: MIT
// The keyed hash chain over the lines of a log (`mld.chain`): whoever lacks the key cannot alter, remove or insert a
// line without `verify` noticing. A link is the first 16 bytes of HMAC-SHA256 over the previous link's 32 hex digits
// and the line, without its line feed, with `mld.chain` set to 32 zeros; before the first line it is 32 zeros.
// A key kept beside the log only shows accidental damage: give it a path the attacker cannot read.
#pragma once

#include <sodium.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <mldefender/core/result.hpp>
#include <mldefender/log/detail/file.hpp>
#include <mldefender/log/line_writer.hpp>
#include <mldefender/log/text_cursor.hpp>

namespace mldefender {
inline namespace v0 {
namespace log {

/// A link of the chain as it stands in a line: 32 lower-case hex digits.
using chain_link = std::array<char, chain_digits>;

/// What the first line of a log is chained to: 32 zeros.
[[nodiscard]] constexpr chain_link first_link() noexcept {
    chain_link zeros{};
    zeros.fill('0');
    return zeros;
}

/// The link in `digits`, or nothing when they are not 32 lower-case hex digits.
[[nodiscard]] constexpr result<chain_link> parse_link(std::string_view digits) noexcept {
    if (digits.size() != chain_digits) return errc::bad_value;
    chain_link link{};
    for (std::size_t i = 0; i < chain_digits; ++i) {
        const char c = digits[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return errc::bad_value;
        link[i] = c;
    }
    return link;
}

/// 256 secret bits, wiped from memory when they are no longer needed.
class chain_key {
public:
    static constexpr std::size_t size = crypto_auth_hmacsha256_KEYBYTES;  ///< bytes

    chain_key() noexcept = default;
    /// Moving wipes the source.
    chain_key(chain_key&& other) noexcept { take(other); }
    /// Moving wipes the source.
    chain_key& operator=(chain_key&& other) noexcept {
        if (this != &other) take(other);
        return *this;
    }
    chain_key(const chain_key&) = delete;
    chain_key& operator=(const chain_key&) = delete;
    ~chain_key() { sodium_memzero(m_secret.data(), m_secret.size()); }

    /// A key from bytes the caller owns and wipes; for tests and for keys that come from elsewhere.
    [[nodiscard]] static chain_key from_bytes(const std::array<std::uint8_t, size>& secret) noexcept {
        chain_key key;
        key.m_secret = secret;
        return key;
    }

    /// Reads a key file: 64 hex digits and a line feed. Refuses a file that others than its owner may read.
    [[nodiscard]] static result<chain_key, error> load(const std::string& path) {
        if (sodium_init() < 0) return error{errc::unavailable, "libsodium cannot be initialised", path, 0};
        auto file = detail::open_file(path, O_RDONLY);
        if (!file) return file.failure();
        struct stat found {};
        if (::fstat(file->get(), &found) != 0) return detail::system_error("examine", path, errno);
        if ((found.st_mode & 077) != 0) {
            return error{errc::permission, "the chain key may be read by others; chmod 600 it", path, 0};
        }
        std::array<char, size * 2> digits{};
        const ssize_t got = ::read(file->get(), digits.data(), digits.size());
        chain_key key;
        std::size_t octets = 0;
        const bool whole =
            got == static_cast<ssize_t>(digits.size()) &&
            sodium_hex2bin(key.m_secret.data(), size, digits.data(), digits.size(), nullptr, &octets, nullptr) == 0 &&
            octets == size;
        sodium_memzero(digits.data(), digits.size());
        if (!whole) return error{errc::corrupt, "is not a chain key: it should hold 64 hex digits", path, 0};
        return key;
    }

    /// Reads the key file, or makes it with random bytes (mode 0600) when there is none.
    [[nodiscard]] static result<chain_key, error> load_or_create(const std::string& path) {
        auto found = load(path);
        if (found || found.failure().code != errc::not_found) return found;
        auto file = detail::open_file(path, O_WRONLY | O_CREAT | O_EXCL);
        if (!file && file.failure().code == errc::already_exists) return load(path);  // another process was faster
        if (!file) return file.failure();
        chain_key key;
        randombytes_buf(key.m_secret.data(), size);
        std::array<char, size * 2 + 1> digits{};
        sodium_bin2hex(digits.data(), digits.size(), key.m_secret.data(), size);
        digits.back() = '\n';
        const int failed = detail::write_all(file->get(), {digits.data(), digits.size()});
        sodium_memzero(digits.data(), digits.size());
        if (failed == 0 && ::fsync(file->get()) == 0) return key;
        const error why = detail::system_error("write the chain key", path, failed != 0 ? failed : errno);
        (void)::unlink(path.c_str());
        return why;
    }

    /// The secret bytes, `size` of them.
    [[nodiscard]] const std::uint8_t* data() const noexcept { return m_secret.data(); }

private:
    void take(chain_key& other) noexcept {
        m_secret = other.m_secret;
        sodium_memzero(other.m_secret.data(), other.m_secret.size());
    }

    std::array<std::uint8_t, size> m_secret{};
};

/// The running end of a chain. Not shared between threads.
class chain {
public:
    chain() noexcept { set_key(chain_key{}); }
    /// Continues after `last`, the link of the last line there is.
    explicit chain(const chain_key& key, const chain_link& last = first_link()) noexcept : m_last(last) {
        set_key(key);
    }
    /// A copy continues on its own.
    chain(const chain&) = default;
    /// A copy continues on its own.
    chain& operator=(const chain&) = default;
    ~chain() { sodium_memzero(&m_keyed, sizeof m_keyed); }

    /// The link of the last line.
    [[nodiscard]] const chain_link& last() const noexcept { return m_last; }
    /// Goes back (a line was withdrawn) or forward (a line was read) to a known link.
    void rewind(const chain_link& link) noexcept { m_last = link; }

    /// The link of a line that follows the last one: the text before, the 32 digits left out, the text after.
    [[nodiscard]] chain_link link_of(std::string_view before, std::string_view after) const noexcept {
        crypto_auth_hmacsha256_state state = m_keyed;
        const chain_link zeros = first_link();
        update(state, {m_last.data(), m_last.size()});
        update(state, before);
        update(state, {zeros.data(), zeros.size()});
        update(state, after);
        std::array<std::uint8_t, crypto_auth_hmacsha256_BYTES> digest{};
        crypto_auth_hmacsha256_final(&state, digest.data());
        sodium_memzero(&state, sizeof state);
        chain_link link{};
        text_cursor{link.data()}.hex(std::span{digest}.first<chain_digits / 2>());
        return link;
    }

    /// Computes the link of the line and makes it the last one.
    const chain_link& advance(std::string_view before, std::string_view after) noexcept {
        return m_last = link_of(before, after);
    }

private:
    void set_key(const chain_key& key) noexcept { crypto_auth_hmacsha256_init(&m_keyed, key.data(), chain_key::size); }
    static void update(crypto_auth_hmacsha256_state& state, std::string_view text) noexcept {
        crypto_auth_hmacsha256_update(&state, reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    }

    // The state after the key's two blocks: copied for each line, so that the key is hashed once.
    crypto_auth_hmacsha256_state m_keyed{};
    chain_link m_last = first_link();
};

}  // namespace log
}  // namespace v0
}  // namespace mldefender
