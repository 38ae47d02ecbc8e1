// SPDX-License-Identifier: MIT
// Fuzzes the DCE/RPC reader: context lists, both byte orders.
#include <fuzz/app_target.hpp>

MLDEFENDER_FUZZ_READERS(dcerpc)
