// SPDX-License-Identifier: MIT
// Fuzzes recognition: the first six bytes choose transport and ports, the rest is the payload. What is recognised must
// also be readable without harm.
#include <fuzz/app_target.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace mldefender;
    if (size < 6) return 0;
    const auto transport = (data[0] & 1) != 0 ? ip_protocol::tcp : ip_protocol::udp;
    const std::uint16_t source = load_be16(data + 2);
    const std::uint16_t destination = load_be16(data + 4);
    const bytes payload{data + 6, size - 6};
    const app_protocol named = recognise(payload, transport, source, destination);
    const app_protocol guessed = guess_by_port(transport, source, destination);
    if (named >= app_protocol::count_ || guessed >= app_protocol::count_) __builtin_trap();
    return fuzz::read_as({named, guessed}, payload.data(), payload.size());
}
