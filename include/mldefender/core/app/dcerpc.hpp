// SPDX-License-Identifier: MIT
// DCE/RPC over connections (version 5), on its own TCP ports and inside SMB pipes: which interface a bind asks for
// and which operation a request calls. Stub data is not read. The list of interfaces is those that matter for
// administration; an unlisted one is `other`. Called per packet, and by smb.hpp per pipe message.
#pragma once

#include <mldefender/core/app/message.hpp>
#include <mldefender/core/app/text.hpp>

namespace mldefender {
inline namespace v0 {
namespace detail::app {

/// An interface by the first two thirds of its UUID: data1 and data2:data3, and the last eight bytes as a number.
struct rpc_uuid {
    std::uint32_t data1;
    std::uint32_t data23;
    std::uint64_t data4;
    rpc_interface interface_;
};
// As published in [MS-SCMR], [MS-TSCH], [MS-WMI], [MS-DCOM], [MS-DRSR], [MS-SAMR], [MS-LSAD], [MS-NRPC], [MS-SRVS],
// [MS-WKST], [MS-RRP], [MS-RPRN], [MS-PAR], [MS-EVEN], [MS-EVEN6], [MS-EFSR], [MS-BKRP], [MS-RSP], [MS-DFSNM],
// [MS-FSRVP], C706.
inline constexpr rpc_uuid rpc_uuids[] = {
    {0xe1af8308, 0x5d1f11c9, 0x91a408002b14a0fa, rpc_interface::epm},
    {0x367abb81, 0x984435f1, 0xad3298f038001003, rpc_interface::svcctl},
    {0x1ff70682, 0x0a5130e8, 0x076d740be8cee98b, rpc_interface::atsvc},
    {0x86d35949, 0x83c94044, 0xb424db363231fd0c, rpc_interface::itaskscheduler},
    {0x378e52b0, 0xc0a911cf, 0x822d00aa0051e40f, rpc_interface::itaskscheduler},
    {0xf309ad18, 0xd86a11d0, 0xa07500c04fb68820, rpc_interface::wmi},
    {0x9556dc99, 0x828c11cf, 0xa37e00aa003240c7, rpc_interface::wmi},
    {0xd4781cd6, 0xe5d344df, 0xad94930efe48a887, rpc_interface::wmi},
    {0x027947e1, 0xd73111ce, 0xa357000000000001, rpc_interface::wmi},
    {0x1c1c45ee, 0x439511d2, 0xb60b00104b703efd, rpc_interface::wmi},
    {0x423ec01e, 0x2e3511d2, 0xb60400104b703efd, rpc_interface::wmi},
    {0x000001a0, 0x00000000, 0xc000000000000046, rpc_interface::dcom},
    {0x00000131, 0x00000000, 0xc000000000000046, rpc_interface::dcom},
    {0x00000143, 0x00000000, 0xc000000000000046, rpc_interface::dcom},
    {0x00020400, 0x00000000, 0xc000000000000046, rpc_interface::dcom},
    {0x4d9f4ab8, 0x7d1c11cf, 0x861e0020af6e7c57, rpc_interface::dcom},
    {0x99fcfec4, 0x5260101b, 0xbbcb00aa0021347a, rpc_interface::dcom},
    {0xe3514235, 0x4b0611d1, 0xab0400c04fc2dcd2, rpc_interface::drsuapi},
    {0x12345778, 0x1234abcd, 0xef000123456789ac, rpc_interface::samr},
    {0x12345778, 0x1234abcd, 0xef000123456789ab, rpc_interface::lsarpc},
    {0x12345678, 0x1234abcd, 0xef0001234567cffb, rpc_interface::netlogon},
    {0x4b324fc8, 0x167001d3, 0x12785a47bf6ee188, rpc_interface::srvsvc},
    {0x6bffd098, 0xa1123610, 0x983346c3f87e345a, rpc_interface::wkssvc},
    {0x338cd001, 0x224431f1, 0xaaaa900038001003, rpc_interface::winreg},
    {0x12345678, 0x1234abcd, 0xef000123456789ab, rpc_interface::spoolss},
    {0x76f03f96, 0xcdfd44fc, 0xa22c64950a001209, rpc_interface::print_async},
    {0x82273fdc, 0xe32a18c3, 0x3f78827929dc23ea, rpc_interface::eventlog},
    {0xf6beaff7, 0x1e194fbb, 0x9f8fb89e2018337c, rpc_interface::eventlog},
    {0xc681d488, 0xd85011d0, 0x8c5200c04fd90f7e, rpc_interface::efsrpc},
    {0xdf1941c5, 0xfe894e79, 0xbf10463657acf44d, rpc_interface::efsrpc},
    {0x3dde7c30, 0x165d11d1, 0xab8f00805f14db40, rpc_interface::backupkey},
    {0x894de0c0, 0x0d5511d3, 0xa32200c04fa321a1, rpc_interface::initshutdown},
    {0x6bffd098, 0xa1123610, 0x9833012892020162, rpc_interface::browser},
    {0x4fc742e0, 0x4a1011cf, 0x827300aa004ae673, rpc_interface::netdfs},
    {0x50abc2a4, 0x574d40b3, 0x9d66ee4fd5fba076, rpc_interface::dnsserver},
    {0xa8e0653c, 0x27444389, 0xa61d7373df8b2292, rpc_interface::fsrvp},
    {0xd95afe70, 0xa6d54259, 0x822e2c84da1ddb0d, rpc_interface::initshutdown},
    {0xafa8bd80, 0x7d8a11c9, 0xbef408002b102989, rpc_interface::mgmt},
};

/// The interface of a UUID as on the wire; its first three parts follow the message's byte order.
[[nodiscard]] constexpr rpc_interface interface_of(bytes uuid, bool little) noexcept {
    if (uuid.size() < 16) return rpc_interface::none;
    const std::uint8_t* const at = uuid.data();
    const std::uint32_t data1 = little ? load_le32(at) : load_be32(at);
    const std::uint32_t data23 =
        little ? (std::uint32_t{load_le16(at + 4)} << 16) | load_le16(at + 6) : load_be32(at + 4);
    const std::uint64_t data4 = load_be64(at + 8);
    for (const rpc_uuid& known : rpc_uuids) {
        if (known.data1 == data1 && known.data23 == data23 && known.data4 == data4) return known.interface_;
    }
    return rpc_interface::other;
}

/// Version 5.0 or 5.1, a packet type that exists, an integer representation that exists, a length that holds the
/// common header.
[[nodiscard]] constexpr bool looks_like_dcerpc(bytes payload) noexcept {
    if (payload.size() < 16 || payload[0] != 5 || payload[1] > 1 || payload[2] > 19) return false;
    const bool little = (payload[4] & 0x10) != 0;
    const std::uint16_t length = little ? load_le16(payload.data() + 8) : load_be16(payload.data() + 8);
    return (payload[4] & 0xef) == 0 && payload[5] <= 3 && payload[6] == 0 && payload[7] == 0 && length >= 16;
}

/// Reads one fragment into `d`; the return value is the status of a fault or refusal.
constexpr std::uint32_t read_rpc_fragment(bytes payload, rpc_details& d) noexcept {
    const bool little = (payload[4] & 0x10) != 0;
    const auto u16 = [little, payload](std::size_t at) noexcept -> std::uint16_t {
        if (payload.size() < at + 2) return 0;
        return little ? load_le16(payload.data() + at) : load_be16(payload.data() + at);
    };
    d.ptype = payload[2];
    d.fragment_len = u16(8);
    switch (d.ptype) {
        case 0:
            d.opnum = u16(22);
            d.object = (payload[3] & 0x80) != 0;
            return 0;
        case 3:
            return payload.size() < 28 ? 0U : little ? load_le32(payload.data() + 24) : load_be32(payload.data() + 24);
        case 13: return u16(16);
        case 11:
        case 14: break;
        default: return 0;
    }
    d.contexts = payload.size() > 24 ? payload[24] : std::uint8_t{0};
    // Contexts: id 2, transfer syntaxes 1, reserved 1, interface 16 + version 4, then 20 per transfer syntax.
    std::size_t at = 28;
    for (unsigned i = 0; i < d.contexts && i < 32 && payload.size() >= at + 20; ++i) {
        const rpc_interface found = interface_of(payload.subspan(at + 4, 16), little);
        if (d.interface_ == rpc_interface::none || d.interface_ == rpc_interface::other) d.interface_ = found;
        at += 24 + std::size_t{20} * payload[at + 2];
    }
    return 0;
}

/// The facts a DCE/RPC message stands for.
[[nodiscard]] constexpr std::uint32_t rpc_facts(const rpc_details& d) noexcept {
    return starts_programs(d.interface_) ? app_fact::remote_execution : 0U;
}

[[nodiscard]] constexpr app_message read_dcerpc(bytes payload) noexcept {
    if (!looks_like_dcerpc(payload)) return {};
    rpc_details d;
    const std::uint32_t code = read_rpc_fragment(payload, d);
    app_message m{app_protocol::dcerpc, d};
    m.code = code;
    m.is_response = d.ptype == 2 || d.ptype == 3 || d.ptype == 12 || d.ptype == 13 || d.ptype == 15;
    m.facts = rpc_facts(d);
    if (code == 5) m.facts |= app_fact::auth_failure;  // fault: access denied
    if (d.fragment_len > payload.size()) m.facts |= app_fact::cut_short;
    return m;
}

}  // namespace detail::app
}  // namespace v0
}  // namespace mldefender
