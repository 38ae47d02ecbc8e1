// SPDX-License-Identifier: MIT
// SMB 1, 2 and 3 over port 445 and NetBIOS sessions: log-ins, shares, pipes, and what is done to files. Walks the
// framed messages and compound chains of one payload (at most 8) and adds them up; DCE/RPC inside a pipe is read by
// dcerpc.hpp. Encrypted SMB 3 is named and left alone. Offsets are checked against what is there. Called per packet.
#pragma once

#include <mldefender/core/app/dcerpc.hpp>
#include <mldefender/core/app/message.hpp>
#include <mldefender/core/app/text.hpp>

namespace mldefender {
inline namespace v0 {
namespace detail::app {

/// What the messages of one payload add up to.
struct smb_sum {
    smb_details d;
    std::uint32_t status = 0;
    std::uint32_t facts = 0;
    bytes name;
    bool response = false;
};

/// Status codes that refuse a log-in ([MS-ERREF]): wrong password, unknown, disabled, locked, restricted accounts.
[[nodiscard]] constexpr bool refuses_login(std::uint32_t status) noexcept {
    switch (status) {
        case 0xc000006d:
        case 0xc000006a:
        case 0xc0000064:
        case 0xc0000072:
        case 0xc0000234:
        case 0xc0000071:
        case 0xc000006e:
        case 0xc000006f:
        case 0xc0000070:
        case 0xc0000022:
        case 0xc000015b:
        case 0xc0000193:
        case 0xc0000224:
        case 0xc000018d:
        case 0xc000005e: return true;
        default: return false;
    }
}

/// Compares the end of a UTF-16LE or OEM name with ASCII text, letter case aside, at a path boundary.
[[nodiscard]] constexpr bool name_ends_with(bytes name, std::string_view ending, bool wide) noexcept {
    const std::size_t unit = wide ? 2 : 1;
    if (name.size() < ending.size() * unit) return false;
    const bytes tail = name.last(ending.size() * unit);
    for (std::size_t i = 0; i < ending.size(); ++i) {
        if (lower(tail[i * unit]) != static_cast<std::uint8_t>(ending[i]) || (wide && tail[i * 2 + 1] != 0))
            return false;
    }
    const bytes before = name.first(name.size() - tail.size());
    return before.empty() || before[before.size() - unit] == '\\' || before[before.size() - unit] == '/';
}

/// True when the path's first part, the server, is written as four numbers.
[[nodiscard]] constexpr bool names_address(bytes path, bool wide) noexcept {
    const std::size_t unit = wide ? 2 : 1;
    unsigned dots = 0, digits = 0;
    for (std::size_t at = 2 * unit; at < path.size(); at += unit) {
        if (path[at] == '\\') break;
        if (path[at] != '.' && !is_digit(path[at])) return false;
        ++(path[at] == '.' ? dots : digits);
    }
    return dots == 3 && digits >= 4;
}

constexpr void see_share(bytes path, bool wide, smb_sum& sum) noexcept {
    const std::size_t unit = wide ? 2 : 1;
    sum.name = path;
    if (names_address(path, wide)) sum.facts |= app_fact::host_is_address;
    if (name_ends_with(path, "ipc$", wide)) {
        sum.facts |= app_fact::ipc_share;
    } else if (name_ends_with(path, "admin$", wide)) {
        sum.facts |= app_fact::admin_share;
    } else if (path.size() >= 3 * unit && path[path.size() - unit] == '$' && is_alpha(path[path.size() - 2 * unit]) &&
               path[path.size() - 3 * unit] == '\\') {
        sum.facts |= app_fact::admin_share;  // a drive
    }
}

struct pipe_name {
    std::string_view text;
    rpc_interface interface_;
};
inline constexpr pipe_name pipe_names[] = {
    {"svcctl", rpc_interface::svcctl},
    {"atsvc", rpc_interface::atsvc},
    {"samr", rpc_interface::samr},
    {"lsarpc", rpc_interface::lsarpc},
    {"lsass", rpc_interface::lsarpc},
    {"winreg", rpc_interface::winreg},
    {"srvsvc", rpc_interface::srvsvc},
    {"wkssvc", rpc_interface::wkssvc},
    {"netlogon", rpc_interface::netlogon},
    {"spoolss", rpc_interface::spoolss},
    {"epmapper", rpc_interface::epm},
    {"drsuapi", rpc_interface::drsuapi},
    {"eventlog", rpc_interface::eventlog},
    {"efsrpc", rpc_interface::efsrpc},
    {"browser", rpc_interface::browser},
    {"netdfs", rpc_interface::netdfs},
    {"initshutdown", rpc_interface::initshutdown},
    {"protected_storage", rpc_interface::backupkey},
    {"fssagentrpc", rpc_interface::fsrvp},
};

/// A name that is opened: one of the known pipes, or a file.
constexpr void see_open(bytes name, bool wide, bool creates, bool deletes_on_close, smb_sum& sum) noexcept {
    sum.name = name;
    for (const pipe_name& known : pipe_names) {
        if (!name_ends_with(name, known.text, wide)) continue;
        sum.facts |= app_fact::pipe_open;
        sum.d.pipes |= mask_of(known.interface_);
        if (starts_programs(known.interface_)) sum.facts |= app_fact::remote_execution;
        return;
    }
    if (creates) {
        sum.facts |= app_fact::file_create;
        ++sum.d.creates;
    }
    if (deletes_on_close) {
        sum.facts |= app_fact::file_delete;
        ++sum.d.deletes;
    }
}

/// DCE/RPC at `data`, if it is: the first message's details stay, later ones only add facts.
constexpr void see_pipe_data(bytes data, smb_sum& sum) noexcept {
    if (!looks_like_dcerpc(data)) return;
    rpc_details d;
    (void)read_rpc_fragment(data, d);
    sum.facts |= rpc_facts(d);
    if (sum.d.rpc.ptype == 0xff) sum.d.rpc = d;
}

constexpr void see_write(bytes data, std::uint32_t length, smb_sum& sum) noexcept {
    sum.d.write_bytes += length < 0x1000000 ? length : 0U;
    if (looks_like_dcerpc(data)) return see_pipe_data(data, sum);
    sum.facts |= app_fact::file_write;
}

constexpr void see_session_setup(std::uint32_t status, smb_sum& sum) noexcept {
    if (status == 0) sum.facts |= app_fact::auth_success;
    if (refuses_login(status)) sum.facts |= app_fact::auth_failure;
}

constexpr void read_smb2_request(std::uint16_t command, bytes message, smb_sum& sum) noexcept {
    const bytes body = slice(message, 64);
    switch (command) {
        case 1:
            if (presents_credentials(slice(message, le16_at(body, 12), le16_at(body, 14)))) {
                sum.facts |= app_fact::auth_attempt;
            }
            break;
        case 3: see_share(slice(message, le16_at(body, 4), le16_at(body, 6)), true, sum); break;
        case 5: {
            const std::uint32_t disposition = le32_at(body, 36);  // 1 opens, 3 opens or creates
            see_open(slice(message, le16_at(body, 44), le16_at(body, 46)), true, disposition != 1,
                     (le32_at(body, 40) & 0x1000) != 0, sum);
            break;
        }
        case 8:
            sum.d.read_bytes += le32_at(body, 4) < 0x1000000 ? le32_at(body, 4) : 0U;
            sum.facts |= app_fact::file_read;
            break;
        case 9: see_write(slice(message, le16_at(body, 2)), le32_at(body, 4), sum); break;
        case 11:
            if (le32_at(body, 4) == 0x0011c017) see_pipe_data(slice(message, le32_at(body, 24)), sum);
            break;
        case 17:
            if (body.size() < 4 || body[2] != 1) break;
            if (body[3] == 10 || body[3] == 65) {
                sum.facts |= app_fact::file_rename;
                ++sum.d.renames;
            } else if (body[3] == 13 || body[3] == 64) {
                sum.facts |= app_fact::file_delete;
                ++sum.d.deletes;
            }
            break;
        default: break;
    }
}

constexpr void read_smb2_response(std::uint16_t command, std::uint32_t status, bytes message, smb_sum& sum) noexcept {
    const bytes body = slice(message, 64);
    if (command == 1) see_session_setup(status, sum);
    if (command == 8 && status == 0 && body.size() >= 8) {
        sum.d.read_bytes += le32_at(body, 4) < 0x1000000 ? le32_at(body, 4) : 0U;
        see_pipe_data(slice(message, body[2]), sum);
    }
    if (command == 11 && le32_at(body, 4) == 0x0011c017) see_pipe_data(slice(message, le32_at(body, 32)), sum);
}

/// One SMB 2 message with its compound chain.
constexpr void read_smb2(bytes chain, smb_sum& sum) noexcept {
    sum.d.version = 2;
    for (int i = 0; i < 8 && chain.size() >= 64; ++i) {
        const std::uint32_t status = le32_at(chain, 8);
        const std::uint16_t command = le16_at(chain, 12);
        const std::uint32_t next = le32_at(chain, 20);
        const bytes message = next >= 64 ? slice(chain, 0, next) : chain;
        const bool response = (le32_at(chain, 16) & 1) != 0;
        if (sum.d.messages++ == 0) {
            sum.d.command = command;
            sum.d.tree_id = le16_at(chain, 36);
            sum.status = response ? status : 0;
            sum.response = response;
        }
        if (response) {
            read_smb2_response(command, status, message, sum);
        } else {
            read_smb2_request(command, message, sum);
        }
        if (next < 64) break;
        chain = slice(chain, next);
    }
}

/// Counts of SMB 1 transactions, which state their totals and what this message holds.
constexpr void read_smb1_transaction(std::uint8_t command, bytes message, bytes words, smb_sum& sum) noexcept {
    const bool nt = command == 0xa0 || command == 0xa1;
    const bool secondary = command == 0x33 || command == 0xa1 || command == 0x26;
    sum.d.total_parameters = nt ? le32_at(words, 3) : le16_at(words, 0);
    sum.d.total_data = nt ? le32_at(words, 7) : le16_at(words, 2);
    if (nt) {
        sum.d.data_count = le32_at(words, secondary ? 23 : 27);
    } else {
        sum.d.data_count = le16_at(words, secondary ? 10 : 22);
    }
    if (command == 0x25) see_pipe_data(slice(message, le16_at(words, 24)), sum);
}

constexpr void read_smb1_request(std::uint8_t command, bytes message, bytes words, bytes data, bool wide,
                                 smb_sum& sum) noexcept {
    switch (command) {
        case 0x73:
            // 12 words: a security blob; 13: two password hashes, empty for an anonymous session.
            if (words.size() == 24 ? presents_credentials(slice(data, 0, le16_at(words, 14)))
                                   : le16_at(words, 14) + le16_at(words, 16) > 1) {
                sum.facts |= app_fact::auth_attempt;
            }
            break;
        case 0x75: {
            bytes path = slice(data, le16_at(words, 6));
            const std::size_t end = wide ? find_text(path, std::string_view("\0\0", 2)) : find_byte(path, 0);
            if (wide && !path.empty() && path[0] == 0) path = path.subspan(1);  // alignment
            path = slice(path, 0, wide ? ((end + 1) & ~std::size_t{1}) : end);
            see_share(path, wide, sum);
            break;
        }
        case 0xa2: {
            const std::uint16_t length = le16_at(words, 5);
            const std::size_t pad = wide && !data.empty() && data[0] == 0 ? 1 : 0;
            const std::uint32_t disposition = le32_at(words, 35);
            bytes name = slice(data, pad, length);
            if (!wide && !name.empty() && name.back() == 0) name = name.first(name.size() - 1);
            see_open(name, wide, disposition != 1, (le32_at(words, 39) & 0x1000) != 0, sum);
            break;
        }
        case 0x2e:
            sum.d.read_bytes += le16_at(words, 10);
            sum.facts |= app_fact::file_read;
            break;
        case 0x2f: see_write(slice(message, le16_at(words, 22)), le16_at(words, 20), sum); break;
        case 0x06:
            sum.facts |= app_fact::file_delete;
            ++sum.d.deletes;
            break;
        case 0x07:
            sum.facts |= app_fact::file_rename;
            ++sum.d.renames;
            break;
        default: break;
    }
    if (command == 0x25 || command == 0x26 || command == 0x32 || command == 0x33 || command == 0xa0 ||
        command == 0xa1) {
        read_smb1_transaction(command, message, words, sum);
    }
}

/// One SMB 1 message; of an AndX chain the first two commands (session set-up, then tree connect).
constexpr void read_smb1(bytes message, smb_sum& sum) noexcept {
    if (message.size() < 33) return;
    const std::uint32_t status = le32_at(message, 5);
    const bool response = (message[9] & 0x80) != 0;
    const bool wide = (le16_at(message, 10) & 0x8000) != 0;
    std::uint8_t command = message[4];
    std::size_t at = 32;
    sum.d.version = 1;
    if (sum.d.messages++ == 0) {
        sum.d.command = command;
        sum.d.tree_id = le16_at(message, 24);
        sum.status = response ? status : 0;
        sum.response = response;
    }
    if (response && command == 0x73) see_session_setup(status, sum);
    for (int i = 0; i < 2 && at < message.size(); ++i) {
        const bytes words = slice(message, at + 1, std::size_t{2} * message[at]);
        const std::size_t data_at = at + 1 + std::size_t{2} * message[at];
        const bytes data = slice(message, data_at + 2, le16_at(message, data_at));
        if (response) {
            if (command == 0x25) see_pipe_data(slice(message, le16_at(words, 14)), sum);
            if (command == 0x2e) see_pipe_data(slice(message, le16_at(words, 12)), sum);
            break;
        }
        read_smb1_request(command, message, words, data, wide, sum);
        if (command != 0x73 || words.size() < 4 || words[0] == 0xff || le16_at(words, 2) <= at) break;
        command = words[0];
        at = le16_at(words, 2);
    }
}

/// NetBIOS session framing: 0 and 24 bits of length, then a message of SMB; or a session request on port 139.
[[nodiscard]] constexpr bool looks_like_smb(bytes payload) noexcept {
    if (payload.size() < 8) return false;
    if (payload[0] == 0 && payload[5] == 'S' && payload[6] == 'M' && payload[7] == 'B') {
        return payload[4] == 0xff || (payload[4] >= 0xfc && payload[4] <= 0xfe);
    }
    // Session request: called and calling name, 34 bytes each, in half-byte letters.
    return payload[0] == 0x81 && payload.size() >= 72 && payload[3] == 68 && payload[4] == 0x20 && payload[5] >= 'A' &&
           payload[5] <= 'P' && payload[38] == 0x20;
}

[[nodiscard]] constexpr app_message read_smb(bytes payload) noexcept {
    if (!looks_like_smb(payload)) return {};
    smb_sum sum;
    bytes rest = payload;
    for (int i = 0; i < 8 && looks_like_smb(rest) && rest[0] == 0; ++i) {
        const std::size_t length = load_be32(rest.data()) & 0xffffffU;
        const bytes message = slice(rest, 4, length);
        if (message.size() < length) sum.facts |= app_fact::cut_short;
        if (message.size() >= 4 && message[0] == 0xfe) {
            read_smb2(message, sum);
        } else if (message.size() >= 4 && message[0] == 0xff) {
            read_smb1(message, sum);
        } else {
            sum.d.version = 3;
            sum.facts |= app_fact::encrypted;
            ++sum.d.messages;
        }
        rest = slice(rest, 4 + length);
    }
    app_message m{app_protocol::smb, sum.d};
    m.is_response = sum.response;
    m.code = sum.status;
    m.facts = sum.facts;
    m.name = sum.name;
    return m;
}

}  // namespace detail::app
}  // namespace v0
}  // namespace mldefender
