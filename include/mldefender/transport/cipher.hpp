// SPDX-License-Identifier: MIT
// One key of one session, ready to seal and open: libsodium's authenticated ciphers with the sequence as nonce. The
// nonce repeats when a key, a salt and a sequence number do; whoever makes them (the sealer, the key ring, a random
// salt per session) sees to it that they never do. Refuses AES where the processor has no instructions for it.
#pragma once

#include <sodium.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include <mldefender/core/bytes.hpp>
#include <mldefender/core/result.hpp>
#include <mldefender/transport/frame.hpp>
#include <mldefender/transport/secret.hpp>

namespace mldefender {
inline namespace v0 {
namespace transport {

inline constexpr std::size_t key_size = 32;  ///< bytes of every key

/// 32 bytes out of a key and what the result is for: BLAKE2b-256, keyed; `purpose` (at most 16 bytes, filled with
/// zeros) is its personalisation.
inline void derive_key(std::span<std::uint8_t, key_size> out, std::span<const std::uint8_t, key_size> key,
                       std::string_view purpose, bytes about) noexcept {
    std::array<std::uint8_t, crypto_generichash_blake2b_PERSONALBYTES> personal{};
    for (std::size_t i = 0; i < purpose.size() && i < personal.size(); ++i) {
        personal[i] = static_cast<std::uint8_t>(purpose[i]);
    }
    crypto_generichash_blake2b_salt_personal(out.data(), out.size(), about.data(), about.size(), key.data(), key.size(),
                                             nullptr, personal.data());
}

/// Whether this machine can use the suite. `sodium_init()` must have succeeded; making an arena does that.
[[nodiscard]] inline bool available(suite algorithm) noexcept {
    return algorithm == suite::xchacha20_poly1305 || crypto_aead_aes256gcm_is_available() != 0;
}

/// A cipher without a key until `set_key`. Not shared between threads while a key is being set.
class cipher {
public:
    cipher() noexcept = default;

    /// Takes its memory from the arena. Errors: unavailable (no AES instructions, no room).
    [[nodiscard]] static result<cipher, error> create(suite algorithm, secret_arena& arena) {
        if (!available(algorithm)) {
            return error{errc::unavailable, "this processor has no AES instructions; use xchacha20_poly1305", "", 0};
        }
        auto memory = arena.allocate(algorithm == suite::aes256_gcm ? sizeof(crypto_aead_aes256gcm_state) : key_size);
        if (!memory) return memory.failure();
        cipher made;
        made.m_algorithm = algorithm;
        made.m_memory = std::move(memory).value();
        return made;
    }

    /// Prepares `key` for the session of `session_salt`. XChaCha20: its own first step, HChaCha20, so that any
    /// XChaCha20-Poly1305 with the nonce `salt || sequence` does the same. AES: a key of its own per salt, since
    /// its nonce has room for 4 bytes of it only. `scratch` is secret memory that is wiped.
    void set_key(std::span<const std::uint8_t, key_size> key, const salt& session_salt,
                 std::span<std::uint8_t, key_size> scratch) noexcept {
        if (m_algorithm == suite::xchacha20_poly1305) {
            crypto_core_hchacha20(m_memory.bytes().data(), session_salt.data(), key.data(), nullptr);
            m_prefix = {};
        } else {
            derive_key(scratch, key, "mld aes256 v1", session_salt);
            crypto_aead_aes256gcm_beforenm(aes(), scratch.data());
            for (std::size_t i = 0; i < m_prefix.size(); ++i) m_prefix[i] = session_salt[i];
        }
        sodium_memzero(scratch.data(), scratch.size());
    }

    /// Wipes the key.
    void forget() noexcept { sodium_memzero(m_memory.bytes().data(), m_memory.bytes().size()); }

    /// Encrypts `content` (which may lie at `out`) and writes as many bytes to `out` and 16 to `tag`.
    void seal(std::uint64_t sequence, bytes also, bytes content, std::uint8_t* out, std::uint8_t* tag) const noexcept {
        const auto nonce = nonce_of(sequence);
        if (m_algorithm == suite::xchacha20_poly1305) {
            crypto_aead_chacha20poly1305_ietf_encrypt_detached(out, tag, nullptr, content.data(), content.size(),
                                                               also.data(), also.size(), nullptr, nonce.data(),
                                                               m_memory.bytes().data());
        } else {
            crypto_aead_aes256gcm_encrypt_detached_afternm(out, tag, nullptr, content.data(), content.size(),
                                                           also.data(), also.size(), nullptr, nonce.data(), aes());
        }
    }

    /// Decrypts `sealed` to as many bytes at `out` when the 16 bytes at `tag` are right; else false, and `out` holds
    /// nothing of use.
    [[nodiscard]] bool open(std::uint64_t sequence, bytes also, bytes sealed, const std::uint8_t* tag,
                            std::uint8_t* out) const noexcept {
        const auto nonce = nonce_of(sequence);
        if (m_algorithm == suite::xchacha20_poly1305) {
            return crypto_aead_chacha20poly1305_ietf_decrypt_detached(out, nullptr, sealed.data(), sealed.size(), tag,
                                                                      also.data(), also.size(), nonce.data(),
                                                                      m_memory.bytes().data()) == 0;
        }
        return crypto_aead_aes256gcm_decrypt_detached_afternm(out, nullptr, sealed.data(), sealed.size(), tag,
                                                              also.data(), also.size(), nonce.data(), aes()) == 0;
    }

private:
    [[nodiscard]] crypto_aead_aes256gcm_state* aes() noexcept {
        return reinterpret_cast<crypto_aead_aes256gcm_state*>(m_memory.bytes().data());
    }
    [[nodiscard]] const crypto_aead_aes256gcm_state* aes() const noexcept {
        return reinterpret_cast<const crypto_aead_aes256gcm_state*>(m_memory.bytes().data());
    }
    [[nodiscard]] std::array<std::uint8_t, 12> nonce_of(std::uint64_t sequence) const noexcept {
        std::array<std::uint8_t, 12> nonce{m_prefix[0], m_prefix[1], m_prefix[2], m_prefix[3]};
        detail::store_le64(&nonce[4], sequence);
        return nonce;
    }

    suite m_algorithm = suite::xchacha20_poly1305;
    std::array<std::uint8_t, 4> m_prefix{};
    secret m_memory;
};

}  // namespace transport
}  // namespace v0
}  // namespace mldefender
