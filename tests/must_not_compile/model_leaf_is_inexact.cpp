// SPDX-License-Identifier: MIT
// A probability that is no multiple of 2^-16 would make sums depend on the order of addition.
// refused: multiples of 2.-16
#include "small_model.hpp"

struct model : small_model {
#ifdef MUST_NOT_COMPILE
    static constexpr float probability = 0.1F;
#else
    static constexpr float probability = 0.125F;
#endif
    static constexpr mldefender::forest_node nodes[] = {{1, 1, 0, 16384}, {}, {probability, 0, 0, 1}};
};

float use(const mldefender::feature_vector& row) { return mldefender::forest<model>::score(row); }
