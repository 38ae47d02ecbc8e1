// SPDX-License-Identifier: MIT
// A model whose child lies behind its parent would walk for ever: it is refused while compiling, with the reason.
// refused: every child ahead of its parent
#include "small_model.hpp"

struct model : small_model {
    static constexpr std::uint32_t roots[] = {0, 1};
#ifdef MUST_NOT_COMPILE
    static constexpr mldefender::forest_node nodes[] = {{0.5F, 0, 0, 1}, {1, 1, 0, 0}, {}, {}};
#else
    static constexpr mldefender::forest_node nodes[] = {{0.5F, 0, 0, 1}, {1, 2, 0, 0}, {}, {}};
#endif
};

float use(const mldefender::feature_vector& row) { return mldefender::forest<model>::score(row); }
