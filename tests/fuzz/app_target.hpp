// SPDX-License-Identifier: MIT
// What the application readers' fuzz targets share: feed one reader from both sides, and stop the program when a
// name points outside the payload or a message claims another protocol than the reader's family.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include <mldefender/core/app/read.hpp>

namespace mldefender::fuzz {

inline void check(const app_message& m, bytes payload) {
    if (!m || m.name.empty()) return;
    const bool inside =
        m.name.data() >= payload.data() && m.name.data() + m.name.size() <= payload.data() + payload.size();
    if (!inside) __builtin_trap();
}

/// Reads the input as each of `protocols`, from either side.
inline int read_as(std::initializer_list<app_protocol> protocols, const std::uint8_t* data, std::size_t size) {
    const bytes payload{data, size};
    for (const app_protocol protocol : protocols) {
        for (const bool to_responder : {false, true}) check(read_message(protocol, payload, to_responder), payload);
    }
    return 0;
}

}  // namespace mldefender::fuzz

/// Defines a fuzz target that reads its input as the given protocols.
#define MLDEFENDER_FUZZ_READERS(...)                                                    \
    extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { \
        using enum mldefender::app_protocol;                                            \
        return mldefender::fuzz::read_as({__VA_ARGS__}, data, size);                    \
    }
