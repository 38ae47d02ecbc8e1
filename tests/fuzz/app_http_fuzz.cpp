// SPDX-License-Identifier: MIT
// Fuzzes the reader of HTTP, RTSP, SSDP and SIP: lines without ends, escapes, headers.
#include <fuzz/app_target.hpp>

MLDEFENDER_FUZZ_READERS(http, rtsp, ssdp, sip)
