// SPDX-License-Identifier: MIT
// Fuzzes the readers of TLS, DTLS and QUIC: nested lengths, hellos cut anywhere.
#include <fuzz/app_target.hpp>

MLDEFENDER_FUZZ_READERS(tls, dtls, quic)
