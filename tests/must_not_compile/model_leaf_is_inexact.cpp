// SPDX-License-Identifier: MIT
// A probability that is no multiple of 2^-16 would make sums depend on the order of addition.
// refused: multiples of 2.-16
#include <mldefender/core/forest.hpp>

struct model {
    static constexpr std::string_view name = "m", version = "1", hash = "", command = "", feature_list_hash = "",
                                      metadata = "{}";
    static constexpr std::uint64_t seed = 0;
    static constexpr float suspicious = 0.5F, malicious = 0.75F;
    static constexpr std::string_view inputs[] = {"flow_duration"};
    static constexpr float importance[] = {1};
    static constexpr mldefender::calibration_point calibration[] = {{0, 0.1F}, {1, 0.9F}};
    static constexpr std::uint32_t roots[] = {0};
#ifdef MUST_NOT_COMPILE
    static constexpr float probability = 0.1F;
#else
    static constexpr float probability = 0.125F;
#endif
    static constexpr mldefender::forest_node nodes[] = {{1, 1, 0, 16384}, {}, {probability, 0, 0, 1}};
};

float use(const mldefender::feature_vector& row) { return mldefender::forest<model>::score(row); }
