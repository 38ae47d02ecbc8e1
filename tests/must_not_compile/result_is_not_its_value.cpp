// SPDX-License-Identifier: MIT
// A result does not turn into its value by itself: the caller has to look at ok() first.
// refused: cannot convert|no viable conversion
#include <mldefender/core/result.hpp>

mldefender::result<int> source();

int use() {
    const auto got = source();
#ifdef MUST_NOT_COMPILE
    const int value = got;
#else
    const int value = got.ok() ? got.value() : 0;
#endif
    return value;
}
