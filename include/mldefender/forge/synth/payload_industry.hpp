// SPDX-License-Identifier: MIT
// Messages of industrial control as the standards define them: Modbus/TCP, S7 over COTP, DNP3 with its check sums,
// OPC-UA, IEC 60870-5-104, BACnet/IP. Reads and their answers, and the openings; nothing writes to a device. Called by
// the industry behaviour.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include <mldefender/forge/synth/blob.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace payload {

/// Modbus/TCP request, or answer carrying `words` registers.
inline blob modbus(rng& r, std::uint16_t transaction, std::uint8_t function, std::uint16_t at, std::uint8_t words,
                   bool answer) {
    blob b;
    if (!answer) return b.be16(transaction).be16(0).be16(6).u8(1).u8(function).be16(at).be16(words);
    return b.be16(transaction).be16(0).be16(3U + 2U * words).u8(1).u8(function).u8(2U * words).random(r, 2U * words);
}

/// COTP's connection request (0xe0) or confirm (0xd0) between two places of a rack.
inline blob cotp(std::uint8_t kind) {
    blob b;
    b.u8(3).u8(0).be16(22).u8(17).u8(kind).be16(kind == 0xe0 ? 0 : 1).be16(1).u8(0);
    return b.u8(0xc0).u8(1).u8(10).u8(0xc1).u8(2).be16(0x0100).u8(0xc2).u8(2).be16(0x0102);
}
/// S7 kind 1 job or 3 answer: set-up of communication (function 0xf0) or a read (4) of `size` bytes of a data block.
inline blob s7(rng& r, int kind, int function, std::uint16_t reference, std::uint16_t size) {
    blob parameters;
    blob data;
    parameters.u8(static_cast<std::uint64_t>(function));
    if (function == 0xf0) {
        parameters.u8(0).be16(1).be16(1).be16(480);
    } else {
        parameters.u8(1);
        if (kind == 1) parameters.u8(0x12).u8(10).u8(0x10).u8(2).be16(size).be16(1).u8(0x84).be24(0);
        if (kind == 3) data.u8(0xff).u8(4).be16(size * 8ULL).random(r, size);
    }
    blob b;
    const std::size_t header = kind == 3 ? 12 : 10;
    b.u8(3).u8(0).be16(7 + header + parameters.size() + data.size()).u8(2).u8(0xf0).u8(0x80);
    b.u8(0x32).u8(static_cast<std::uint64_t>(kind)).be16(0).be16(reference).be16(parameters.size()).be16(data.size());
    if (kind == 3) b.be16(0);
    return b.raw(parameters.view()).raw(data.view());
}

/// DNP3's check sum over a block (IEEE 1815).
[[nodiscard]] inline std::uint16_t dnp3_sum(bytes block) noexcept {
    std::uint16_t crc = 0;
    for (const std::uint8_t byte : block) {
        crc = static_cast<std::uint16_t>(crc ^ byte);
        for (int bit = 0; bit < 8; ++bit)
            crc = static_cast<std::uint16_t>((crc >> 1) ^ ((crc & 1U) != 0 ? 0xa6bcU : 0U));
    }
    return static_cast<std::uint16_t>(~crc);
}
/// A frame of link, transport and application layer: a read of class data, or an answer with `size` bytes of points.
inline blob dnp3(rng& r, std::uint8_t sequence, bool answer, std::size_t size) {
    blob content;
    content.u8(0xc0U | (sequence & 0x3fU)).u8(0xc0U | (sequence & 0x0fU)).u8(answer ? 129 : 1);
    if (answer) {
        content.be16(0);
        const std::size_t points = std::clamp<std::size_t>(size, 1, 40);
        content.u8(30).u8(2).u8(0).u8(0).u8(points - 1);  // 16-bit analogue inputs with flags
        for (std::size_t i = 0; i < points; ++i) content.u8(1).random(r, 2);
    } else {
        content.u8(60).u8(2).u8(6).u8(60).u8(3).u8(6).u8(60).u8(4).u8(6);
    }
    blob b;
    b.u8(5).u8(0x64).u8(5 + content.size()).u8(answer ? 0x44 : 0xc4);
    answer ? b.le16(1).le16(10) : b.le16(10).le16(1);
    b.le16(dnp3_sum(b.view()));
    for (std::size_t at = 0; at < content.size(); at += 16) {
        const bytes block = content.view().subspan(at, std::min<std::size_t>(16, content.size() - at));
        b.raw(block).le16(dnp3_sum(block));
    }
    return b;
}

/// OPC-UA's hello (HELF) or acknowledgement (ACKF).
inline blob opc_ua_hello(bool answer, std::string_view endpoint) {
    blob b{answer ? "ACKF" : "HELF"};
    b.le32(answer ? 28 : 32 + endpoint.size()).le32(0).le32(65536).le32(65536).le32(0).le32(0);
    return answer ? b : b.le32(endpoint.size()).text(endpoint);
}
/// The opening of a secure channel without security.
inline blob opc_ua_open(rng& r, bool answer) {
    constexpr std::string_view policy = "http://opcfoundation.org/UA/SecurityPolicy#None";
    blob rest;
    rest.le32(policy.size()).text(policy).le32(0xffffffff).le32(0xffffffff).le32(1).le32(1);
    if (!answer) {  // OpenSecureChannelRequest
        rest.u8(1).u8(0).le16(446).u8(0).u8(0).le64(0).le32(1).le32(0).le32(0xffffffff).le32(0).u8(0).u8(0).u8(0);
        rest.le32(0).le32(0).le32(1).le32(0xffffffff).le32(3'600'000);
    } else {
        rest.u8(1).u8(0).le16(449).le64(0).le32(1).le32(0).u8(0).le32(0).u8(0).u8(0).u8(0);
        rest.le32(0).random(r, 8).le64(0).le32(3'600'000).le32(0xffffffff);
    }
    blob b{"OPNF"};
    return b.le32(12 + rest.size()).le32(answer ? 7 : 0).raw(rest.view());
}
/// A read of `values` variables, or the answer.
inline blob opc_ua_read(rng& r, std::uint32_t request, bool answer, std::size_t values) {
    blob rest;
    rest.le32(1).le32(request + 2).le32(request + 2);
    if (!answer) {
        rest.u8(1).u8(0).le16(631).u8(0).u8(0).le64(0).le32(request).le32(0).le32(0xffffffff).le32(5000);
        rest.u8(0).u8(0).u8(0).le64(0).le32(2).le32(values);
        for (std::size_t i = 0; i < values; ++i)
            rest.u8(1).u8(2).le16(1000 + i).le32(13).le32(0xffffffff).le16(0).le32(0xffffffff);
    } else {
        rest.u8(1).u8(0).le16(634).le64(0).le32(request).le32(0).u8(0).le32(0).u8(0).u8(0).u8(0).le32(values);
        for (std::size_t i = 0; i < values; ++i) rest.u8(1).u8(10).random(r, 4);  // a float without times
        rest.le32(0xffffffff);
    }
    blob b{"MSGF"};
    return b.le32(12 + rest.size()).le32(7).raw(rest.view());
}

/// IEC 60870-5-104: start of data transfer (0x07, confirmed 0x0b) or a test (0x43, 0x83).
inline blob iec104_control(std::uint8_t function) { return blob{}.u8(0x68).u8(4).u8(function).zeros(3); }
/// Measured values sent without being asked: short floats of `points` objects.
inline blob iec104_values(rng& r, std::uint16_t sent, std::uint16_t received, std::size_t points) {
    blob b;
    b.u8(0x68).u8(4 + 6 + 8 * points).le16(2ULL * sent).le16(2ULL * received);
    b.u8(13).u8(points).u8(3).u8(0).le16(1);
    for (std::size_t i = 0; i < points; ++i) b.le16(100 + i).u8(0).random(r, 3).u8(0x42).u8(0);
    return b;
}
/// The master's acknowledgement of so many messages.
inline blob iec104_acknowledge(std::uint16_t received) {
    return blob{}.u8(0x68).u8(4).u8(1).u8(0).le16(2ULL * received);
}

/// BACnet/IP: who is there, asked to everybody (who-is), or a property read and its answer.
inline blob bacnet_who_is() {
    return blob{}.u8(0x81).u8(0x0b).be16(12).u8(1).u8(0x20).be16(0xffff).u8(0).u8(0xff).u8(0x10).u8(8);
}
/// A read of one property, or its answer with a real number.
inline blob bacnet_read(rng& r, std::uint8_t invoke, bool answer) {
    blob b;
    if (!answer)
        return b.u8(0x81).u8(0x0a).be16(17).u8(1).u8(4).u8(0).u8(5).u8(invoke).u8(12).u8(0x0c).be32(1).u8(0x19).u8(85);
    b.u8(0x81).u8(0x0a).be16(23).u8(1).u8(0).u8(0x30).u8(invoke).u8(12).u8(0x0c).be32(1).u8(0x19).u8(85);
    return b.u8(0x3e).u8(0x44).u8(0x41).random(r, 3).u8(0x3f);
}

}  // namespace payload
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
