// SPDX-License-Identifier: MIT
// Fuzzes the readers of log-in services: SSH, RDP, MySQL, VNC.
#include <fuzz/app_target.hpp>

MLDEFENDER_FUZZ_READERS(ssh, rdp, mysql, vnc)
