// SPDX-License-Identifier: MIT
// Any bytes as LightGBM text; see import_target.hpp.
#include "import_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    return fuzz::read_as(mldefender::forge::model_format::lightgbm, data, size);
}
