// SPDX-License-Identifier: MIT
// Arbitrary lines against the event reader and the stamp finder: refused or read, never a crash; a line that is read
// can be written again and gives a line that reads as well.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <mldefender/log/event_reader.hpp>
#include <mldefender/log/line_writer.hpp>

namespace log_ = mldefender::log;

namespace {

/// Lines are long and strict: starting from a good one, the input only replaces bytes of it. Otherwise nothing would
/// ever get past the first leaf.
std::string line_from(const std::uint8_t* data, std::size_t size) {
    static const std::string good = [] {
        mldefender::event e;
        e.kind = mldefender::event_kind::alert;
        e.explain.push({"beacon", 0.5F, 0.25F});
        e.fast_reasons.push("syn_flood");
        log_::line_buffer buffer;
        log_::line_writer{log_::identity{"host", "site", {"eth0"}, {{"m@1", "0011223344556677"}}}}.append(buffer, e,
                                                                                                          {});
        return std::string{buffer.view().substr(0, buffer.size() - 1)};
    }();
    if (size == 0 || data[0] % 2 == 0) return {reinterpret_cast<const char*>(data), size};
    std::string line = good;
    for (std::size_t at = 1; at + 3 <= size; at += 3) {
        line[(std::size_t{data[at]} << 8 | data[at + 1]) % line.size()] = static_cast<char>(data[at + 2]);
    }
    return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static log_::event_reader reader;
    static log_::event_reader second;
    const std::string line = line_from(data, size);
    if (const auto stamp = log_::detail::find_stamp(line)) {
        if (stamp->chain_at + log_::chain_digits > line.size()) std::abort();
    }
    const auto record = reader.read(line);
    if (!record) {
        if (record.failure().what.empty()) std::abort();
        return 0;
    }
    log_::line_buffer buffer;
    log_::line_writer{{}}.append(buffer, record->event, {record->seq, {}, record->artifact});
    const auto again = second.read(buffer.view().substr(0, buffer.size() - 1));
    if (!again || again->event.flow_id != record->event.flow_id || again->seq != record->seq) std::abort();
    return 0;
}
