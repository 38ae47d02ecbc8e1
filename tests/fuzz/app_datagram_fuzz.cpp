// SPDX-License-Identifier: MIT
// Fuzzes the small datagram readers: NTP, DHCP, NetBIOS, WireGuard, STUN, RTP and RTCP.
#include <fuzz/app_target.hpp>

MLDEFENDER_FUZZ_READERS(ntp, dhcp, nbdgm, wireguard, stun, rtp, rtcp)
