// SPDX-License-Identifier: MIT
// The few things that depend on the compiler. Nothing here changes meaning, only speed; every function is also
// usable while compiling, where it does nothing.
#pragma once

#include <cstddef>
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

/// Hints that all of `object` will be read soon; run time only.
template <class Object>
void prefetch_whole(const Object& object) noexcept {
    const auto* at = static_cast<const char*>(static_cast<const void*>(&object));
    for (std::size_t line = 0; line < sizeof(Object); line += 64) __builtin_prefetch(at + line, 0, 3);
}

}  // namespace v0
}  // namespace mldefender
