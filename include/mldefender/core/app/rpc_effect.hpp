// SPDX-License-Identifier: MIT
// What a DCE/RPC call is for, by interface and operation number, as Microsoft's open specifications define them: the
// number stands in the clear even when the arguments are sealed. Only calls that administer, copy or probe another
// host are classified; everything a workstation's ordinary log-on asks for is `none`.
// Called by traffic.hpp for each request.
#pragma once

#include <cstdint>
#include <initializer_list>

#include <mldefender/core/app/message.hpp>

namespace mldefender {
inline namespace v0 {

/// What a remote procedure call does to the host that serves it.
enum class rpc_effect : std::uint8_t {
    none,         ///< nothing worth counting
    execution,    ///< creates or starts a service, task, process or automation object there
    replication,  ///< copies the directory, or writes to its replication
    abuse,        ///< what hardly any program asks of another host: clears logs, takes secrets, forces log-ins
    enumeration,  ///< lists accounts, groups, sessions or every endpoint
    channel,      ///< a machine authenticates itself to a controller
};

namespace detail {

[[nodiscard]] constexpr bool one_of(std::uint16_t operation, std::initializer_list<std::uint16_t> list) noexcept {
    for (const std::uint16_t o : list) {
        if (o == operation) return true;
    }
    return false;
}

}  // namespace detail

/// The effect of `operation` on an interface. WMI shares its connection with DCOM, and a bind may be out of sight, so
/// `seen` (mask_of() of all interfaces bound before) decides where the last bind does not.
[[nodiscard]] constexpr rpc_effect effect_of(rpc_interface interface_, std::uint16_t operation,
                                             std::uint32_t seen) noexcept {
    using enum rpc_interface;
    using detail::one_of;
    // [MS-WMI] 3.1.4.3: PutClass, PutInstance, ExecMethod and their asynchronous forms.
    if ((seen & mask_of(wmi)) != 0 && one_of(operation, {8, 9, 14, 15, 24, 25})) return rpc_effect::execution;
    switch (interface_) {
        // A connection joined midway: of what keeps going for long, ExecMethod has this number.
        case none: return operation == 24 && seen == 0 ? rpc_effect::execution : rpc_effect::none;
        // [MS-SCMR]: ChangeServiceConfig, CreateService and StartService in both character sets and for WOW64.
        case svcctl:
            return one_of(operation, {11, 12, 19, 23, 24, 31, 44, 45, 60}) ? rpc_effect::execution : rpc_effect::none;
        case atsvc: return operation == 0 ? rpc_effect::execution : rpc_effect::none;
        // [MS-TSCH]: SchRpcRegisterTask, SchRpcRun.
        case itaskscheduler: return one_of(operation, {1, 12}) ? rpc_effect::execution : rpc_effect::none;
        // [MS-OAUT]: IDispatch::Invoke; WMI's NTLMLogin has the same number.
        case dcom: return operation == 6 && (seen & mask_of(wmi)) == 0 ? rpc_effect::execution : rpc_effect::none;
        // [MS-DRSR]: GetNCChanges, ReplicaSync, ReplicaAdd, AddEntry. Cracking names (12) is an ordinary log-on.
        case drsuapi: return one_of(operation, {3, 4, 5, 17}) ? rpc_effect::replication : rpc_effect::none;
        // [MS-EVEN]: ClearEventLog in both character sets.
        case eventlog: return one_of(operation, {0, 12}) ? rpc_effect::abuse : rpc_effect::none;
        // [MS-RPRN]: change notifications sent elsewhere (62, 65), printer drivers installed (9, 89).
        case spoolss: return one_of(operation, {9, 62, 65, 89}) ? rpc_effect::abuse : rpc_effect::none;
        case efsrpc: return rpc_effect::abuse;
        // [MS-LSAD]: private data set or retrieved.
        case lsarpc: return one_of(operation, {28, 29, 42, 43}) ? rpc_effect::abuse : rpc_effect::none;
        case backupkey: return rpc_effect::abuse;
        // [MS-SAMR]: users, groups and aliases listed, members asked for; 37 and 58 set a user's password.
        case samr:
            if (one_of(operation, {37, 58})) return rpc_effect::abuse;
            return one_of(operation, {11, 13, 15, 25, 33, 40, 47, 51}) ? rpc_effect::enumeration : rpc_effect::none;
        // [MS-SRVS], [MS-WKST]: sessions, connections and logged-on users.
        case srvsvc: return one_of(operation, {8, 12}) ? rpc_effect::enumeration : rpc_effect::none;
        case wkssvc: return operation == 2 ? rpc_effect::enumeration : rpc_effect::none;
        // [MS-RRP]: OpenUsers, the keys of whoever is logged on; monitoring reads the machine's own.
        case winreg: return operation == 4 ? rpc_effect::enumeration : rpc_effect::none;
        // C706: the whole endpoint map rather than one interface's place.
        case epm: return operation == 2 ? rpc_effect::enumeration : rpc_effect::none;
        // [MS-NRPC]: ServerAuthenticate 1 to 3; PasswordSet and PasswordSet2 are rarer than once a month.
        case netlogon: return one_of(operation, {5, 15, 26}) ? rpc_effect::channel : rpc_effect::none;
        default: return rpc_effect::none;
    }
}

}  // namespace v0
}  // namespace mldefender
