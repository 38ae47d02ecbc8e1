// SPDX-License-Identifier: MIT
// A model that names a feature the list does not have could only score garbage.
// refused: an input is not a feature of the list
#include <mldefender/core/forest.hpp>

struct model {
    static constexpr std::string_view name = "m", version = "1", hash = "", command = "", feature_list_hash = "",
                                      metadata = "{}";
    static constexpr std::uint64_t seed = 0;
    static constexpr float suspicious = 0.5F, malicious = 0.75F;
#ifdef MUST_NOT_COMPILE
    static constexpr std::string_view inputs[] = {"flow_durration"};
#else
    static constexpr std::string_view inputs[] = {"flow_duration"};
#endif
    static constexpr float importance[] = {1};
    static constexpr mldefender::calibration_point calibration[] = {{0, 0.1F}, {1, 0.9F}};
    static constexpr std::uint32_t roots[] = {0};
    static constexpr mldefender::forest_node nodes[] = {{1, 1, 0, 16384}, {}, {1, 0, 0, 1}};
};

float use(const mldefender::feature_vector& row) { return mldefender::forest<model>::score(row); }
