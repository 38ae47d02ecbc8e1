// SPDX-License-Identifier: MIT
// First bytes of what machines say to machines: HTTP/2 frames with literal header fields (RFC 9113, 7541), ONC RPC with
// the port mapper and NFS version 3 (RFC 5531, 1833, 1813). Called by benign_machines.hpp.
#pragma once

#include <cstdint>
#include <string_view>

#include <mldefender/forge/synth/blob.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace payload {

/// A frame's header before `size` bytes.
inline blob http2_frame(std::size_t size, std::uint8_t type, std::uint8_t flags, std::uint32_t stream) {
    return blob{}.be24(size).u8(type).u8(flags).be32(stream);
}
/// What a client says first: the preface, its settings, a larger window.
inline blob http2_preface() {
    blob b{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"};
    b.raw(http2_frame(12, 4, 0, 0).view()).be16(2).be32(0).be16(4).be32(1U << 20);
    return b.raw(http2_frame(4, 8, 0, 0).view()).be32(1U << 20);
}
/// The server's settings and its word on the client's.
inline blob http2_settings() {
    blob b = http2_frame(6, 4, 0, 0);
    return b.be16(3).be32(100).raw(http2_frame(0, 4, 1, 0).view());
}
/// A ping, which its answer repeats but for a flag nobody here reads.
inline blob http2_ping(rng& r) {
    blob b = http2_frame(8, 6, 0, 0);
    return b.random(r, 8);
}
/// A message whose only field is a string of `size` bytes (Protocol Buffers), behind the five bytes that frame it.
inline blob grpc_head(std::int64_t size) {
    const auto n = static_cast<std::uint64_t>(size);
    blob field;
    field.u8(0x0a);
    if (n < 128)
        field.u8(n);
    else
        field.u8(0x80U | (n & 0x7f)).u8(n >> 7);
    blob b;
    return b.u8(0).be32(field.size() + n).raw(field.view());
}
/// A call: header fields, then one message of `size` bytes, at most 16000.
inline message http2_call(std::uint32_t stream, std::string_view path, std::string_view host, std::int64_t size) {
    const std::int64_t length = size < 16'000 ? size : 16'000;
    blob fields;
    fields.u8(0x83).u8(0x86).u8(0x04).u8(path.size()).text(path).u8(0x01).u8(host.size()).text(host);
    fields.u8(0x0f).u8(0x10).u8(16).text("application/grpc");
    const blob head = grpc_head(length);
    blob b = http2_frame(fields.size(), 1, 4, stream);
    b.raw(fields.view()).raw(http2_frame(head.size() + static_cast<std::size_t>(length), 0, 1, stream).view());
    const std::int64_t total = static_cast<std::int64_t>(b.raw(head.view()).size()) + length;
    return {std::move(b), total, body_kind::text};
}
/// Its answer: status, one message of at most 12000 bytes, and how it ended.
inline message http2_reply(rng& r, std::uint32_t stream, std::int64_t size) {
    const std::int64_t length = size < 12'000 ? size : 12'000;
    blob fields;
    fields.u8(0x88).u8(0x0f).u8(0x10).u8(16).text("application/grpc");
    const blob head = grpc_head(length);
    blob b = http2_frame(fields.size(), 1, 4, stream);
    b.raw(fields.view()).raw(http2_frame(head.size() + static_cast<std::size_t>(length), 0, 0, stream).view());
    b.raw(head.view()).random_text(r, static_cast<std::size_t>(length), base64_digits);
    blob last;
    last.u8(0).u8(11).text("grpc-status").u8(1).text("0");
    return {b.raw(http2_frame(last.size(), 1, 5, stream).view()).raw(last.view())};
}

/// The beginning of a remote procedure's call.
inline blob onc_call(std::uint32_t id, std::uint32_t program, std::uint32_t version, std::uint32_t procedure) {
    blob b;
    b.be32(id).be32(0).be32(2).be32(program).be32(version).be32(procedure);
    return b;
}
/// The beginning of its answer.
inline blob onc_reply(std::uint32_t id) { return blob{}.be32(id).be32(1).be32(0).be64(0).be32(0); }
/// A whole message behind the mark TCP needs, `extra` filler bytes at its end.
inline message onc_record(const blob& b, std::int64_t extra = 0) {
    const std::uint64_t size = b.size() + static_cast<std::uint64_t>(extra);
    blob whole;
    whole.be32(0x8000'0000U | size).raw(b.view());
    const std::int64_t total = static_cast<std::int64_t>(whole.size()) + extra;
    return {std::move(whole), total};
}
/// Where is NFS? And where it is.
inline blob rpc_port_question(std::uint32_t id) {
    return onc_call(id, 100000, 2, 3).be64(0).be64(0).be32(100003).be32(3).be32(6).be32(0);
}
/// Port 2049.
inline blob rpc_port_answer(std::uint32_t id) { return onc_reply(id).be32(2049); }

/// NFS procedure 1 attributes, 6 read or 7 write of `size` bytes.
inline message nfs_call(rng& r, std::uint32_t id, std::uint32_t procedure, std::int64_t size) {
    blob b = onc_call(id, 100003, 3, procedure);
    b.be32(1).be32(24).be32(7).be32(4).text("host").be32(1000).be32(1000).be32(0).be64(0);
    b.be32(32).random(r, 32);
    const auto count = static_cast<std::uint64_t>(size);
    if (procedure == 6) b.be64(0).be32(count);
    if (procedure != 7) return onc_record(b);
    b.be64(0).be32(count).be32(0).be32(count);
    return onc_record(b, (size + 3) / 4 * 4);
}
/// Type, mode, owner, sizes and times of a file.
inline blob& nfs_file(rng& r, blob& b) {
    b.be32(1).be32(0644).be32(1).be32(1000).be32(1000).be64(4096).be64(4096).be64(0).be64(1).random(r, 8);
    for (int i = 0; i < 3; ++i) b.be32(1'600'000'000).be32(0);
    return b;
}
/// The answers to procedure 1.
inline message nfs_attributes(rng& r, std::uint32_t id) {
    blob b = onc_reply(id);
    return onc_record(nfs_file(r, b.be32(0)));
}
/// The answer to a read.
inline message nfs_read(std::uint32_t id, std::int64_t size) {
    const auto count = static_cast<std::uint64_t>(size);
    blob b = onc_reply(id);
    b.be32(0).be32(0).be32(count).be32(1).be32(count);
    return onc_record(b, (size + 3) / 4 * 4);
}
/// The answer to a write.
inline message nfs_written(rng& r, std::uint32_t id, std::int64_t size) {
    blob b = onc_reply(id);
    return onc_record(b.be32(0).be64(0).be32(static_cast<std::uint64_t>(size)).be32(2).random(r, 8));
}

}  // namespace payload
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
