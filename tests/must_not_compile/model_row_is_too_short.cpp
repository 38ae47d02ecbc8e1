// SPDX-License-Identifier: MIT
// A row of another length than the feature list is refused by its type, not discovered by a read past its end.
// refused: no matching function|could not convert|cannot convert|no viable conversion
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
    static constexpr mldefender::forest_node nodes[] = {{1, 1, 0, 16384}, {}, {1, 0, 0, 1}};
};

#ifdef MUST_NOT_COMPILE
using row = std::array<float, mldefender::feature_count - 1>;
#else
using row = std::array<float, mldefender::feature_count>;
#endif

float use(const row& values) { return mldefender::forest<model>::score(values); }
