// SPDX-License-Identifier: MIT
// Who does the pipeline's work. A step is a function of a worker number; an executor runs it for every number and
// returns when all are done. `inline_executor` does it in place (and while compiling), `worker_pool` on threads that
// wait in between. Results do not depend on which one is used.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace mldefender {
inline namespace v0 {

/// One worker: the caller.
struct inline_executor {
    /// Always one.
    [[nodiscard]] static constexpr std::size_t workers() noexcept { return 1; }
    /// Runs `step(0)` and returns when it has returned.
    template <class Step>
    constexpr void run(Step&& step) const {
        step(std::size_t{0});
    }
};

/// `workers` threads in all, the caller being the first. Steps must not throw. One caller at a time.
class worker_pool {
public:
    /// Starts `workers` - 1 threads (0 counts as 1), which wait until `run`.
    explicit worker_pool(std::size_t workers) : m_workers(std::max<std::size_t>(1, workers)) {
        m_threads.reserve(m_workers - 1);
        for (std::size_t w = 1; w < m_workers; ++w) m_threads.emplace_back([this, w] { serve(w); });
    }
    ~worker_pool() {
        m_stop = true;
        m_generation.fetch_add(1, std::memory_order_release);
        m_generation.notify_all();
        for (std::thread& t : m_threads) t.join();
    }
    worker_pool(const worker_pool&) = delete;
    worker_pool& operator=(const worker_pool&) = delete;

    /// Threads in all, the caller included.
    [[nodiscard]] std::size_t workers() const noexcept { return m_workers; }

    /// Runs `step(0) .. step(workers() - 1)`, the first on this thread, and returns when all have returned.
    template <class Step>
    void run(Step&& step) {
        m_step = [](void* context, std::size_t worker) {
            (*static_cast<std::remove_reference_t<Step>*>(context))(worker);
        };
        m_context = &step;
        m_running.store(m_workers - 1, std::memory_order_relaxed);
        m_generation.fetch_add(1, std::memory_order_release);
        m_generation.notify_all();
        step(std::size_t{0});
        for (std::uint32_t spins = 0; m_running.load(std::memory_order_acquire) != 0; ++spins) {
            if (spins > spins_before_yield) std::this_thread::yield();
        }
    }

private:
    // Steps follow each other within microseconds while packets flow, so waiting briefly beats sleeping.
    static constexpr std::uint32_t spins_before_yield = 2000;

    void serve(std::size_t worker) {
        std::uint32_t seen = 0;
        for (;;) {
            seen = wait_past(seen);
            if (m_stop) return;
            m_step(m_context, worker);
            m_running.fetch_sub(1, std::memory_order_release);
        }
    }
    std::uint32_t wait_past(std::uint32_t seen) {
        for (std::uint32_t spins = 0; spins < spins_before_yield; ++spins) {
            const std::uint32_t now = m_generation.load(std::memory_order_acquire);
            if (now != seen) return now;
        }
        m_generation.wait(seen, std::memory_order_acquire);
        return m_generation.load(std::memory_order_acquire);
    }

    std::size_t m_workers;
    void (*m_step)(void*, std::size_t) = nullptr;
    void* m_context = nullptr;
    std::atomic<bool> m_stop{false};
    std::atomic<std::uint32_t> m_generation{0};
    std::atomic<std::size_t> m_running{0};
    std::vector<std::thread> m_threads;
};

}  // namespace v0
}  // namespace mldefender
