// SPDX-License-Identifier: MIT
// A model whose child lies behind its parent would walk for ever: it is refused while compiling, with the reason.
// refused: every child ahead of its parent
#include <mldefender/core/forest.hpp>

struct model {
    static constexpr std::string_view name = "m", version = "1", hash = "", command = "", feature_list_hash = "",
                                      metadata = "{}";
    static constexpr std::uint64_t seed = 0;
    static constexpr float suspicious = 0.5F, malicious = 0.75F;
    static constexpr std::string_view inputs[] = {"flow_duration"};
    static constexpr float importance[] = {1};
    static constexpr mldefender::calibration_point calibration[] = {{0, 0.1F}, {1, 0.9F}};
    static constexpr std::uint32_t roots[] = {0, 1};
#ifdef MUST_NOT_COMPILE
    static constexpr mldefender::forest_node nodes[] = {{0.5F, 0, 0, 1}, {1, 1, 0, 0}, {}, {}};
#else
    static constexpr mldefender::forest_node nodes[] = {{0.5F, 0, 0, 1}, {1, 2, 0, 0}, {}, {}};
#endif
};

float use(const mldefender::feature_vector& row) { return mldefender::forest<model>::score(row); }
