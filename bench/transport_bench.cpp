// SPDX-License-Identifier: MIT
// What a frame costs, beside what it is compared with in the same run: the obvious sequence of calls (LZ4, a random
// nonce, libsodium's XChaCha20-Poly1305 under one key) and the bare authenticated cipher a frame is sealed with, which
// is given the same associated data. Arguments are bytes of content that looks like event lines.
#include <benchmark/benchmark.h>
#include <lz4.h>
#include <sodium.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <mldefender/transport/session.hpp>

#include "support/sessions.hpp"

namespace {

using namespace mldefender;
using namespace mldefender::transport;
using octets = std::vector<std::uint8_t>;

constexpr int sizes[] = {100, 1000, 10000, 100000};

void every_size(benchmark::internal::Benchmark* bench) {
    for (const int size : sizes) bench->Arg(size);
}

struct fixture {
    std::shared_ptr<key_ring> ring = test::one_epoch();
    octets content;
    octets frame;

    explicit fixture(benchmark::State& state)
        : content(test::event_like(static_cast<std::size_t>(state.range(0)))), frame(frame_size(content.size())) {}
};

void finish(benchmark::State& state, std::size_t wire) {
    state.SetItemsProcessed(state.iterations());
    state.counters["wire"] = static_cast<double>(wire);
}

void seal(benchmark::State& state, session_options options) {
    fixture here(state);
    auto sealer = frame_sealer::create(here.ring, test::way(), test::counting_salt(), options);
    if (!sealer) return state.SkipWithError(sealer.failure().what.c_str());
    std::size_t size = 0;
    for (auto _ : state) {
        size = *sealer->seal(here.content, here.frame, test::second);
        benchmark::DoNotOptimize(here.frame.data());
    }
    finish(state, size);
}

void open(benchmark::State& state, session_options options) {
    // An opener takes each frame once, so a batch is sealed beforehand and a new session opens it again.
    fixture here(state);
    constexpr std::size_t batch = 64;
    auto sealer = frame_sealer::create(here.ring, test::way(), test::counting_salt(), options);
    if (!sealer) return state.SkipWithError(sealer.failure().what.c_str());
    std::vector<octets> frames;
    for (std::size_t i = 0; i < batch; ++i) frames.push_back(test::sealed(*sealer, here.content));
    frame_opener opener;
    std::size_t at = batch;
    for (auto _ : state) {
        if (at == batch) {
            state.PauseTiming();
            opener = frame_opener::create(here.ring, test::way(), test::counting_salt(), options, nullptr).value();
            // The first frame derives the key and makes the buffer: once in a session, not once in 64 frames.
            if (!opener.open(frames[0], test::second)) return state.SkipWithError("a frame is refused");
            at = 1;
            state.ResumeTiming();
        }
        if (!opener.open(frames[at++], test::second)) return state.SkipWithError("a frame is refused");
    }
    finish(state, frames[0].size());
}

void naive_seal(benchmark::State& state) {
    fixture here(state);
    octets key(32);
    randombytes_buf(key.data(), key.size());
    octets packed(static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(here.content.size()))));
    octets frame(24 + packed.size() + 16);
    std::size_t size = 0;
    for (auto _ : state) {
        const int got = LZ4_compress_default(reinterpret_cast<const char*>(here.content.data()),
                                             reinterpret_cast<char*>(packed.data()),
                                             static_cast<int>(here.content.size()), static_cast<int>(packed.size()));
        randombytes_buf(frame.data(), 24);
        unsigned long long sealed = 0;
        crypto_aead_xchacha20poly1305_ietf_encrypt(frame.data() + 24, &sealed, packed.data(),
                                                   static_cast<unsigned long long>(got), nullptr, 0, nullptr,
                                                   frame.data(), key.data());
        size = 24 + sealed;
        benchmark::DoNotOptimize(frame.data());
    }
    finish(state, size);
}

void naive_open(benchmark::State& state) {
    fixture here(state);
    octets key(32);
    octets nonce(24);
    octets packed(static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(here.content.size()))));
    const int got =
        LZ4_compress_default(reinterpret_cast<const char*>(here.content.data()), reinterpret_cast<char*>(packed.data()),
                             static_cast<int>(here.content.size()), static_cast<int>(packed.size()));
    octets frame(packed.size() + 16);
    unsigned long long sealed = 0;
    crypto_aead_xchacha20poly1305_ietf_encrypt(frame.data(), &sealed, packed.data(),
                                               static_cast<unsigned long long>(got), nullptr, 0, nullptr, nonce.data(),
                                               key.data());
    octets content(here.content.size());
    for (auto _ : state) {
        if (crypto_aead_xchacha20poly1305_ietf_decrypt(packed.data(), nullptr, nullptr, frame.data(), sealed, nullptr,
                                                       0, nonce.data(), key.data()) != 0 ||
            LZ4_decompress_safe(reinterpret_cast<const char*>(packed.data()), reinterpret_cast<char*>(content.data()),
                                got, static_cast<int>(content.size())) < 0) {
            return state.SkipWithError("does not open");
        }
        benchmark::DoNotOptimize(content.data());
    }
    finish(state, 24 + sealed);
}

/// The cipher under the frame: the same calls, the same associated data, nothing else.
struct raw {
    octets key = octets(32);
    octets nonce = octets(12);
    octets also;
    octets sealed;
    octets tag = octets(16);
    crypto_aead_aes256gcm_state aes;

    explicit raw(const fixture& here) : also(16), sealed(here.content.size()) {
        const route way = test::way();
        also.insert(also.end(), way.encoded().begin(), way.encoded().end());
        if (crypto_aead_aes256gcm_is_available() != 0) crypto_aead_aes256gcm_beforenm(&aes, key.data());
    }
};

void raw_chacha_seal(benchmark::State& state) {
    fixture here(state);
    raw cipher(here);
    for (auto _ : state) {
        crypto_aead_chacha20poly1305_ietf_encrypt_detached(
            cipher.sealed.data(), cipher.tag.data(), nullptr, here.content.data(), here.content.size(),
            cipher.also.data(), cipher.also.size(), nullptr, cipher.nonce.data(), cipher.key.data());
        benchmark::DoNotOptimize(cipher.sealed.data());
    }
    finish(state, here.content.size());
}

void raw_chacha_open(benchmark::State& state) {
    fixture here(state);
    raw cipher(here);
    octets content(here.content.size());
    crypto_aead_chacha20poly1305_ietf_encrypt_detached(
        cipher.sealed.data(), cipher.tag.data(), nullptr, here.content.data(), here.content.size(), cipher.also.data(),
        cipher.also.size(), nullptr, cipher.nonce.data(), cipher.key.data());
    for (auto _ : state) {
        if (crypto_aead_chacha20poly1305_ietf_decrypt_detached(
                content.data(), nullptr, cipher.sealed.data(), cipher.sealed.size(), cipher.tag.data(),
                cipher.also.data(), cipher.also.size(), cipher.nonce.data(), cipher.key.data()) != 0) {
            return state.SkipWithError("does not open");
        }
        benchmark::DoNotOptimize(content.data());
    }
    finish(state, here.content.size());
}

void raw_aes_seal(benchmark::State& state) {
    fixture here(state);
    if (!available(suite::aes256_gcm)) return state.SkipWithError("no AES instructions");
    raw cipher(here);
    for (auto _ : state) {
        crypto_aead_aes256gcm_encrypt_detached_afternm(cipher.sealed.data(), cipher.tag.data(), nullptr,
                                                       here.content.data(), here.content.size(), cipher.also.data(),
                                                       cipher.also.size(), nullptr, cipher.nonce.data(), &cipher.aes);
        benchmark::DoNotOptimize(cipher.sealed.data());
    }
    finish(state, here.content.size());
}

void raw_aes_open(benchmark::State& state) {
    fixture here(state);
    if (!available(suite::aes256_gcm)) return state.SkipWithError("no AES instructions");
    raw cipher(here);
    octets content(here.content.size());
    crypto_aead_aes256gcm_encrypt_detached_afternm(cipher.sealed.data(), cipher.tag.data(), nullptr,
                                                   here.content.data(), here.content.size(), cipher.also.data(),
                                                   cipher.also.size(), nullptr, cipher.nonce.data(), &cipher.aes);
    for (auto _ : state) {
        if (crypto_aead_aes256gcm_decrypt_detached_afternm(content.data(), nullptr, cipher.sealed.data(),
                                                           cipher.sealed.size(), cipher.tag.data(), cipher.also.data(),
                                                           cipher.also.size(), cipher.nonce.data(), &cipher.aes) != 0) {
            return state.SkipWithError("does not open");
        }
        benchmark::DoNotOptimize(content.data());
    }
    finish(state, here.content.size());
}

constexpr session_options chacha{};
constexpr session_options chacha_lz4{.pack = compression::lz4};
constexpr session_options aes{.algorithm = suite::aes256_gcm};
constexpr session_options aes_lz4{.algorithm = suite::aes256_gcm, .pack = compression::lz4};

BENCHMARK_CAPTURE(seal, chacha, chacha)->Apply(every_size);
BENCHMARK_CAPTURE(seal, chacha_lz4, chacha_lz4)->Apply(every_size);
BENCHMARK_CAPTURE(seal, aes, aes)->Apply(every_size);
BENCHMARK_CAPTURE(seal, aes_lz4, aes_lz4)->Apply(every_size);
BENCHMARK(raw_chacha_seal)->Apply(every_size);
BENCHMARK(raw_aes_seal)->Apply(every_size);
BENCHMARK(naive_seal)->Apply(every_size);
BENCHMARK_CAPTURE(open, chacha, chacha)->Apply(every_size);
BENCHMARK_CAPTURE(open, chacha_lz4, chacha_lz4)->Apply(every_size);
BENCHMARK_CAPTURE(open, aes, aes)->Apply(every_size);
BENCHMARK_CAPTURE(open, aes_lz4, aes_lz4)->Apply(every_size);
BENCHMARK(raw_chacha_open)->Apply(every_size);
BENCHMARK(raw_aes_open)->Apply(every_size);
BENCHMARK(naive_open)->Apply(every_size);

}  // namespace
