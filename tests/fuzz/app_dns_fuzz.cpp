// SPDX-License-Identifier: MIT
// Fuzzes the reader of DNS and its relatives: names that loop, counts that lie.
#include <fuzz/app_target.hpp>

MLDEFENDER_FUZZ_READERS(dns, mdns, llmnr, nbns)
