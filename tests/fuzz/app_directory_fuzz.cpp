// SPDX-License-Identifier: MIT
// Fuzzes the BER readers: Kerberos, LDAP and SNMP.
#include <fuzz/app_target.hpp>

MLDEFENDER_FUZZ_READERS(kerberos, ldap, snmp)
