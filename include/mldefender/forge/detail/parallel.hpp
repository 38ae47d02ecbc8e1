// SPDX-License-Identifier: MIT
// Splits independent pieces of work over threads. Which thread does a piece is left to chance, so pieces must not
// care. Exceptions of a piece reach the caller. Used by the trainer, the
// row collector and the evaluation.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace detail {

/// `wanted` threads, or one per processor when 0; never more than there are pieces.
[[nodiscard]] inline std::size_t thread_count(std::size_t wanted, std::size_t pieces) {
    const std::size_t processors = std::max<std::size_t>(1, std::thread::hardware_concurrency());
    return std::max<std::size_t>(1, std::min(wanted == 0 ? processors : wanted, pieces));
}

/// Calls work(piece, worker) for each piece of 0..pieces-1, worker in 0..threads-1, and returns when all are done.
template <class Work>
void for_each_piece(std::size_t pieces, std::size_t threads, Work work) {
    std::atomic<std::size_t> next{0};
    std::exception_ptr failure;
    std::mutex failure_mutex;
    const auto run = [&](std::size_t worker) {
        try {
            for (std::size_t piece = next++; piece < pieces; piece = next++) work(piece, worker);
        } catch (...) {
            const std::lock_guard lock{failure_mutex};
            failure = std::current_exception();
            next = pieces;
        }
    };
    std::vector<std::jthread> helpers;
    for (std::size_t worker = 1; worker < threads; ++worker) helpers.emplace_back(run, worker);
    run(0);
    helpers.clear();
    if (failure) std::rethrow_exception(failure);
}

/// Calls work(begin, end, worker) for pieces of 0..count-1.
template <class Work>
void for_each_block(std::size_t count, std::size_t threads, Work work) {
    constexpr std::size_t block = 65536;
    for_each_piece((count + block - 1) / block, threads, [&](std::size_t piece, std::size_t worker) {
        work(piece * block, std::min(count, (piece + 1) * block), worker);
    });
}

}  // namespace detail
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
