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

/// The operation as a bit of a mask; all from 31 on share the last one.
[[nodiscard]] constexpr std::uint32_t operation_bit(std::uint16_t operation) noexcept {
    return 1U << (operation < 31 ? operation : 31U);
}

/// The effect of `operation` on an interface. WMI shares its connection with DCOM, and a bind may be out of sight, so
/// `seen` (mask_of() of all interfaces bound before) decides where the last bind does not. `before` holds the
/// operation_bit() of what was called on the interface already.
[[nodiscard]] constexpr rpc_effect effect_of(rpc_interface interface_, std::uint16_t operation, std::uint32_t seen,
                                             std::uint32_t before = 0) noexcept {
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
        // [MS-EVEN]: ClearEventLog in both character sets; OpenBEL, a log read from wherever its path points to.
        case eventlog: return one_of(operation, {0, 9, 12}) ? rpc_effect::abuse : rpc_effect::none;
        // [MS-RPRN]: printer drivers installed (9, 89); change notifications sent elsewhere (62, 65), which a print
        // client asks for as well, but having opened the printer with OpenPrinterEx (69).
        case spoolss:
            if (one_of(operation, {62, 65})) {
                return (before & operation_bit(69)) == 0 ? rpc_effect::abuse : rpc_effect::none;
            }
            return one_of(operation, {9, 89}) ? rpc_effect::abuse : rpc_effect::none;
        // [MS-PAR]: AddPrinterDriver, InstallPrinterDriverFromPackage.
        case print_async: return one_of(operation, {39, 62}) ? rpc_effect::abuse : rpc_effect::none;
        case efsrpc: return rpc_effect::abuse;
        // [MS-DFSNM]: stand-alone roots made and removed on a server named by the caller; [MS-FSRVP]: is a path there.
        case netdfs: return one_of(operation, {12, 13, 15}) ? rpc_effect::abuse : rpc_effect::none;
        case fsrvp: return one_of(operation, {8, 9}) ? rpc_effect::abuse : rpc_effect::none;
        // [MS-RSP]: a host shut down, by any of its interfaces.
        case initshutdown: return one_of(operation, {0, 2}) ? rpc_effect::abuse : rpc_effect::none;
        // [MS-LSAD]: private data set or retrieved.
        case lsarpc: return one_of(operation, {28, 29, 42, 43}) ? rpc_effect::abuse : rpc_effect::none;
        case backupkey: return rpc_effect::abuse;
        // [MS-SAMR]: users, groups and aliases listed, members asked for; 37 and 58 set a user's password, 38 changes
        // it by its hashes, 22 and 31 put somebody into a group.
        case samr:
            if (one_of(operation, {22, 31, 37, 38, 58})) return rpc_effect::abuse;
            return one_of(operation, {11, 13, 15, 25, 33, 40, 47, 51}) ? rpc_effect::enumeration : rpc_effect::none;
        // [MS-SRVS], [MS-WKST]: sessions, connections and logged-on users.
        case srvsvc: return one_of(operation, {8, 12}) ? rpc_effect::enumeration : rpc_effect::none;
        case wkssvc: return operation == 2 ? rpc_effect::enumeration : rpc_effect::none;
        // [MS-RRP]: OpenUsers, the keys of whoever is logged on; monitoring reads the machine's own. Keys loaded,
        // replaced, restored, saved to a file (13, 18, 19, 20, 31), values set (22), the host shut down (24, 30).
        case winreg:
            if (one_of(operation, {13, 18, 19, 20, 22, 24, 30, 31})) return rpc_effect::abuse;
            return operation == 4 ? rpc_effect::enumeration : rpc_effect::none;
        // C706: the whole endpoint map rather than one interface's place.
        case epm: return operation == 2 ? rpc_effect::enumeration : rpc_effect::none;
        // [MS-NRPC]: ServerAuthenticate 1 to 3; PasswordSet and PasswordSet2 are rarer than once a month.
        case netlogon: return one_of(operation, {5, 15, 26}) ? rpc_effect::channel : rpc_effect::none;
        default: return rpc_effect::none;
    }
}

/// The effect of `operation` on a connection joined midway, on which no interface is known: a number that only one
/// interface has, or numbers that go together. `before` as in effect_of(); `object` when the call names an object, as
/// DCOM's do; `piped` when it goes through a pipe of file sharing.
[[nodiscard]] constexpr rpc_effect effect_midway(std::uint16_t operation, std::uint32_t before, bool object,
                                                 bool piped) noexcept {
    // [MS-LSAD]: RetrievePrivateData; other interfaces behind pipes have no such operation, or none that is used.
    if (piped && operation == 43) return rpc_effect::abuse;
    // [MS-DRSR]: GetNCChanges by somebody who has bound (0), cracked a name (12) and asked for the controllers (16).
    constexpr std::uint32_t a_client = operation_bit(0) | operation_bit(12) | operation_bit(16);
    if (operation == 3 && (before & a_client) == a_client) return rpc_effect::replication;
    // [MS-OAUT]: Invoke a second time, and nothing called but what IDispatch and IRemUnknown have; WMI also queries.
    constexpr std::uint32_t automation = operation_bit(3) | operation_bit(4) | operation_bit(5) | operation_bit(6);
    if (object && operation == 6 && (before & operation_bit(6)) != 0 && (before & ~automation) == 0) {
        return rpc_effect::execution;
    }
    return effect_of(rpc_interface::none, operation, 0);
}

}  // namespace v0
}  // namespace mldefender
