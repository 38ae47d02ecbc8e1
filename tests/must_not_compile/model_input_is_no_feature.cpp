// SPDX-License-Identifier: MIT
// A model that names a feature the list does not have could only score garbage.
// refused: an input is not a feature of the list
#include "small_model.hpp"

struct model : small_model {
#ifdef MUST_NOT_COMPILE
    static constexpr std::string_view inputs[] = {"flow_durration"};
#else
    static constexpr std::string_view inputs[] = {"flow_duration"};
#endif
};

float use(const mldefender::feature_vector& row) { return mldefender::forest<model>::score(row); }
