// SPDX-License-Identifier: MIT
// A row of another length than the feature list is refused by its type, not discovered by a read past its end.
// refused: no matching function|could not convert|cannot convert|no viable conversion
#include "small_model.hpp"

#ifdef MUST_NOT_COMPILE
using row = std::array<float, mldefender::feature_count - 1>;
#else
using row = std::array<float, mldefender::feature_count>;
#endif

float use(const row& values) { return mldefender::forest<small_model>::score(values); }
