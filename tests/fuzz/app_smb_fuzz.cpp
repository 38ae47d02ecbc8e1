// SPDX-License-Identifier: MIT
// Fuzzes the SMB reader: offsets, compound chains, AndX chains, DCE/RPC inside pipes.
#include <fuzz/app_target.hpp>

MLDEFENDER_FUZZ_READERS(smb)
