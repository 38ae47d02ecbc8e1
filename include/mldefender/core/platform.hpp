// SPDX-License-Identifier: MIT
// The few things that depend on the compiler. Nothing here changes meaning, only speed; every function is also
// usable while compiling, where it does nothing.
#pragma once

#include <type_traits>

namespace mldefender {
inline namespace v0 {

/// Hints that `at` will be read soon.
constexpr void prefetch_read(const void* at) noexcept {
    if (!std::is_constant_evaluated()) __builtin_prefetch(at, 0, 3);
}

/// Hints that `at` will be written soon.
constexpr void prefetch_write(const void* at) noexcept {
    if (!std::is_constant_evaluated()) __builtin_prefetch(at, 1, 3);
}

}  // namespace v0
}  // namespace mldefender
