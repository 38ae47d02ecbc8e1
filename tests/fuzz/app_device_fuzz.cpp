// SPDX-License-Identifier: MIT
// Fuzzes the readers of devices and peers: MQTT, Modbus, S7, DNP3, BitTorrent.
#include <fuzz/app_target.hpp>

MLDEFENDER_FUZZ_READERS(mqtt, modbus, s7comm, dnp3, bittorrent)
