// SPDX-License-Identifier: MIT
// The two ends of a session: `frame_sealer` numbers, compresses and seals, `frame_opener` authenticates, checks the
// order and unpacks. Both follow the key source from epoch to epoch by themselves; the numbering goes on. A session's
// salt is new at every start (`session_salt`), or nonces would repeat. One thread at a time each. Sealing and opening
// allocate only when a larger frame than ever before comes, never more than the configured maximum.
#pragma once

#include <lz4.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <utility>

#include <mldefender/core/bytes.hpp>
#include <mldefender/core/result.hpp>
#include <mldefender/transport/cipher.hpp>
#include <mldefender/transport/frame.hpp>
#include <mldefender/transport/key_ring.hpp>
#include <mldefender/transport/refusal.hpp>
#include <mldefender/transport/replay.hpp>
#include <mldefender/transport/secret.hpp>

namespace mldefender {
inline namespace v0 {
namespace transport {

/// Whether content is compressed before it is sealed. A compressed frame's length tells about its content: leave it
/// off where secrets stand beside what an attacker may choose.
enum class compression : std::uint8_t {
    off,
    lz4,  ///< from 256 bytes, and only when it shrinks
};

/// In which order an opener accepts frames.
enum class order : std::uint8_t {
    stream,    ///< exactly one after the other, up to a final one
    datagram,  ///< any, each once, within a window of 8192
};

/// What both ends of a session agree on.
struct session_options {
    suite algorithm = suite::xchacha20_poly1305;         ///< the only one accepted
    compression pack = compression::off;                 ///< of the sealer
    order accepted = order::stream;                      ///< of the opener
    std::uint32_t max_content = std::uint32_t{1} << 20;  ///< bytes a frame may hold; at most 1 GiB
};

namespace detail {

inline constexpr std::uint32_t largest_content = std::uint32_t{1} << 30;

/// Bytes that grow without being filled, and are wiped.
class wiped_buffer {
public:
    wiped_buffer() noexcept = default;
    wiped_buffer(wiped_buffer&& other) noexcept
        : m_data(std::move(other.m_data)), m_size(std::exchange(other.m_size, 0)) {}
    wiped_buffer& operator=(wiped_buffer&& other) noexcept {
        wipe();
        m_data = std::move(other.m_data);
        m_size = std::exchange(other.m_size, 0);
        return *this;
    }
    wiped_buffer(const wiped_buffer&) = delete;
    wiped_buffer& operator=(const wiped_buffer&) = delete;
    ~wiped_buffer() { wipe(); }

    /// Room for `size` bytes, whose values are not kept.
    [[nodiscard]] std::uint8_t* room(std::size_t size) {
        if (size > m_size || m_data == nullptr) {
            wipe();
            m_size = 0;
            m_data = std::make_unique_for_overwrite<std::uint8_t[]>(size);
            m_size = size;
        }
        return m_data.get();
    }

private:
    void wipe() noexcept {
        if (m_data != nullptr) sodium_memzero(m_data.get(), m_size);
    }

    std::unique_ptr<std::uint8_t[]> m_data;
    std::size_t m_size = 0;
};

/// What both ends hold beside their ciphers.
struct session_base {
    std::shared_ptr<const key_source> keys;
    route way;
    salt session{};
    session_options options;
    associated_data also;
    secret route_key;
    secret scratch;

    [[nodiscard]] result<void, error> prepare(std::shared_ptr<const key_source> source, const route& where,
                                              const salt& own, const session_options& wanted) {
        if (source == nullptr || where.encoded().empty()) {
            return error{errc::bad_argument, "a session needs keys and a route", "", 0};
        }
        if (wanted.max_content > largest_content) {
            return error{errc::too_large, "a frame holds at most 1 GiB", "max_content", 0};
        }
        auto first = source->arena().allocate(key_size);
        if (!first) return first.failure();
        auto second = source->arena().allocate(key_size);
        if (!second) return second.failure();
        keys = std::move(source);
        way = where;
        session = own;
        options = wanted;
        also = associated_data{where};
        route_key = std::move(first).value();
        scratch = std::move(second).value();
        return {};
    }

    [[nodiscard]] bool set_key(cipher& target, std::uint32_t id) noexcept {
        const auto derived = route_key.bytes().first<key_size>();
        const bool there = keys->derive(id, way, derived);
        if (there) target.set_key(derived, session, scratch.bytes().first<key_size>());
        sodium_memzero(derived.data(), derived.size());
        return there;
    }
};

}  // namespace detail

/// The sending end of a session.
class frame_sealer {
public:
    /// How much one key of a session may seal: 2^32 frames, and with AES 2^38 bytes (the 2^24.5 full records of
    /// RFC 8446, section 5.5).
    static constexpr std::uint64_t max_frames = std::uint64_t{1} << 32;
    static constexpr std::uint64_t max_aes_bytes = std::uint64_t{1} << 38;  ///< see `max_frames`

    /// Seals nothing; use `create`.
    frame_sealer() = default;

    /// `own` must never be used twice with the same keys and route. Errors: bad_argument, too_large, unavailable (no
    /// AES instructions, no room for keys).
    [[nodiscard]] static result<frame_sealer, error> create(std::shared_ptr<const key_source> keys, const route& way,
                                                            const salt& own, const session_options& options) {
        frame_sealer made;
        const auto prepared = made.m_base.prepare(std::move(keys), way, own, options);
        if (!prepared) return prepared.failure();
        auto ready = cipher::create(options.algorithm, made.m_base.keys->arena());
        if (!ready) return ready.failure();
        made.m_cipher = std::move(ready).value();
        return made;
    }

    /// Seals `content` to the front of `out`, which has room for `frame_size(content.size())` and does not overlap it;
    /// returns the frame's bytes. Nothing is consumed by a failure. Errors: too_large (content beyond `max_content`),
    /// truncated (`out` is too short), wrong_key (no key is valid now), unavailable (the key or the numbers are used
    /// up, or the stream was ended: start a new epoch or session).
    [[nodiscard]] result<std::size_t> seal(bytes content, std::span<std::uint8_t> out, std::int64_t now_ns) noexcept {
        return seal_with(content, out, now_ns, 0);
    }
    /// The same, as the last frame of its stream: nothing can follow, and the other end knows that all has come.
    [[nodiscard]] result<std::size_t> seal_final(bytes content, std::span<std::uint8_t> out,
                                                 std::int64_t now_ns) noexcept {
        const auto sealed = seal_with(content, out, now_ns, flag_final);
        if (sealed) m_ended = true;
        return sealed;
    }

    /// The number of the next frame.
    [[nodiscard]] std::uint64_t next_sequence() const noexcept { return m_sequence; }

private:
    [[nodiscard]] result<std::size_t> seal_with(bytes content, std::span<std::uint8_t> out, std::int64_t now_ns,
                                                std::uint8_t flags) noexcept {
        if (m_base.keys == nullptr || m_ended) return errc::unavailable;
        if (content.size() > m_base.options.max_content) return errc::too_large;
        if (out.size() < frame_size(content.size())) return errc::truncated;
        const errc key = follow_keys(now_ns);
        if (key != errc::ok) return key;
        if (used_up(content.size())) return errc::unavailable;

        std::uint8_t* frame = out.data();
        bytes plain = content;
        std::size_t start = header_size;
        if (const std::size_t packed = pack(content, frame + header_size + length_size); packed != 0) {
            flags |= flag_lz4;
            detail::store_le32(frame + header_size, static_cast<std::uint32_t>(content.size()));
            start += length_size;
            plain = {frame + start, packed};
        }
        frame[0] = 'M';
        frame[1] = frame_version;
        frame[2] = static_cast<std::uint8_t>(m_base.options.algorithm);
        frame[3] = flags;
        detail::store_le32(frame + 4, m_key.id);
        detail::store_le64(frame + 8, m_sequence);
        m_cipher.seal(m_sequence, m_base.also.with(frame, start), plain, frame + start, frame + start + plain.size());
        ++m_sequence;
        ++m_frames;
        m_bytes += plain.size();
        return start + plain.size() + tag_size;
    }

    /// The compressed size, when that saves more than the length it costs; else 0.
    [[nodiscard]] std::size_t pack(bytes content, std::uint8_t* out) const noexcept {
        if (m_base.options.pack == compression::off || content.size() < min_compressed) return 0;
        const int packed =
            LZ4_compress_default(reinterpret_cast<const char*>(content.data()), reinterpret_cast<char*>(out),
                                 static_cast<int>(content.size()), static_cast<int>(content.size() - length_size - 1));
        return packed > 0 ? static_cast<std::size_t>(packed) : 0;
    }

    [[nodiscard]] errc follow_keys(std::int64_t now_ns) noexcept {
        const std::uint64_t generation = m_base.keys->generation();
        if (m_ready && now_ns < m_key.until_ns && generation == m_generation) return errc::ok;
        const auto choice = m_base.keys->sending(now_ns);
        if (!choice) {
            if (m_ready) m_cipher.forget();
            m_ready = false;
            return errc::wrong_key;
        }
        if (!m_ready || choice->id != m_key.id) {
            // The count goes on when a key comes back: a session has one cipher per epoch.
            m_ready = m_base.set_key(m_cipher, choice->id);
            if (!m_ready) return errc::wrong_key;
            if (choice->id != m_key.id) m_frames = m_bytes = 0;
        }
        m_key = *choice;
        m_generation = generation;
        m_ready = true;
        return errc::ok;
    }

    [[nodiscard]] bool used_up(std::size_t next) const noexcept {
        if (m_frames >= max_frames || m_sequence == std::numeric_limits<std::uint64_t>::max()) return true;
        return m_base.options.algorithm == suite::aes256_gcm && m_bytes + next > max_aes_bytes;
    }

    detail::session_base m_base;
    cipher m_cipher;
    key_choice m_key;
    std::uint64_t m_generation = 0;
    std::uint64_t m_sequence = 0;
    std::uint64_t m_frames = 0;
    std::uint64_t m_bytes = 0;
    bool m_ready = false;
    bool m_ended = false;
};

/// The receiving end of a session.
class frame_opener {
public:
    /// Opens nothing; use `create`.
    frame_opener() = default;

    /// Refusals are counted in `book` under the sender's name; null counts nothing. Errors as `frame_sealer::create`.
    [[nodiscard]] static result<frame_opener, error> create(std::shared_ptr<const key_source> keys, const route& way,
                                                            const salt& own, const session_options& options,
                                                            std::shared_ptr<refusal_book> book) {
        frame_opener made;
        const auto prepared = made.m_base.prepare(std::move(keys), way, own, options);
        if (!prepared) return prepared.failure();
        for (slot& each : made.m_slots) {
            auto ready = cipher::create(options.algorithm, made.m_base.keys->arena());
            if (!ready) return ready.failure();
            each.opened = std::move(ready).value();
        }
        made.m_book = std::move(book);
        return made;
    }

    /// The content of `frame`, valid until the next call, or why it is refused. A refused frame changes nothing but
    /// its counter, except that an authentic one which does not unpack keeps its number.
    [[nodiscard]] result<bytes, refusal> open(bytes frame, std::int64_t now_ns) {
        const auto opened = open_uncounted(frame, now_ns);
        if (!opened && m_book != nullptr) m_book->record(m_base.way.sender(), opened.failure());
        return opened;
    }

    /// True when the last frame of the stream has come. False at the end of a connection: the stream was cut.
    [[nodiscard]] bool finished() const noexcept { return m_finished; }
    /// The number of the next frame: all before it have come (stream), or the highest plus one (datagram).
    [[nodiscard]] std::uint64_t next_sequence() const noexcept {
        return m_base.options.accepted == order::stream ? m_stream.next() : m_window.next();
    }

private:
    struct slot {
        bool ready = false;
        key_choice key;
        cipher opened;
    };

    [[nodiscard]] result<bytes, refusal> open_uncounted(bytes frame, std::int64_t now_ns) {
        const auto header = peek(frame, m_base.options.max_content);
        if (!header) return header.failure();
        if (m_base.keys == nullptr || header->algorithm != m_base.options.algorithm) return refusal::unsupported_suite;
        const auto key = cipher_for(header->key_id, now_ns);
        if (!key) return key.failure();

        const std::size_t start = header->size();
        const bytes sealed = frame.subspan(start, frame.size() - start - tag_size);
        const std::uint8_t* tag = frame.data() + frame.size() - tag_size;
        std::uint8_t* plain = (header->compressed() ? m_packed : m_content).room(sealed.size());
        if (!(*key)->open(header->sequence, m_base.also.with(frame.data(), start), sealed, tag, plain)) {
            return refusal::auth_failed;
        }
        const refusal place = accept(*header);
        if (place != refusal::none) return sodium_memzero(plain, sealed.size()), place;
        if (!header->compressed()) return bytes{plain, sealed.size()};
        return unpack({plain, sealed.size()}, header->content_size);
    }

    [[nodiscard]] refusal accept(const frame_header& header) noexcept {
        if (m_base.options.accepted == order::datagram) return m_window.accept(header.sequence);
        if (m_finished) return refusal::replay;
        const refusal place = m_stream.accept(header.sequence);
        if (place == refusal::none) m_finished = (header.flags & flag_final) != 0;
        return place;
    }

    /// Into a buffer of exactly the authenticated length: LZ4 neither writes beyond it nor may stay below.
    [[nodiscard]] result<bytes, refusal> unpack(bytes packed, std::size_t size) {
        std::uint8_t* content = m_content.room(size);
        const int got =
            LZ4_decompress_safe(reinterpret_cast<const char*>(packed.data()), reinterpret_cast<char*>(content),
                                static_cast<int>(packed.size()), static_cast<int>(size));
        if (got < 0 || static_cast<std::size_t>(got) != size) return refusal::decompress_failed;
        return bytes{content, size};
    }

    [[nodiscard]] result<const cipher*, refusal> cipher_for(std::uint32_t id, std::int64_t now_ns) noexcept {
        if (const std::uint64_t generation = m_base.keys->generation(); generation != m_generation) {
            for (slot& each : m_slots) forget(each);
            m_generation = generation;
        }
        for (slot& each : m_slots) {
            if (each.ready && now_ns >= each.key.until_ns) forget(each);
            if (each.ready && each.key.id == id) return &each.opened;
        }
        const auto choice = m_base.keys->receiving(id, now_ns);
        if (!choice) return choice.failure();
        // The key of the lower number gives way: two are held, and the older goes first.
        slot& taken =
            !m_slots[0].ready || (m_slots[1].ready && m_slots[0].key.id < m_slots[1].key.id) ? m_slots[0] : m_slots[1];
        forget(taken);
        if (!m_base.set_key(taken.opened, id)) return refusal::stale_epoch;
        taken.key = *choice;
        taken.ready = true;
        return &taken.opened;
    }

    static void forget(slot& each) noexcept {
        if (each.ready) each.opened.forget();
        each.ready = false;
    }

    detail::session_base m_base;
    std::array<slot, 2> m_slots;
    std::shared_ptr<refusal_book> m_book;
    std::uint64_t m_generation = 0;
    stream_order m_stream;
    replay_window m_window;
    detail::wiped_buffer m_packed;
    detail::wiped_buffer m_content;
    bool m_finished = false;
};

}  // namespace transport
}  // namespace v0
}  // namespace mldefender
