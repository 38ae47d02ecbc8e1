// SPDX-License-Identifier: MIT
// A user's first program: reads an address, prints it back. Exits 1 when the library does not do what it says.
#include <mldefender/core/address.hpp>
#include <mldefender/core/version.hpp>

#include <cstdio>

int main() {
    const auto host = mldefender::parse_address("2001:db8:0:0:0:0:0:1");
    if (!host) return 1;
    const auto text = mldefender::to_text(*host);
    std::printf("mldefender %.*s: %.*s\n", static_cast<int>(mldefender::version.size()), mldefender::version.data(),
                static_cast<int>(text.view().size()), text.view().data());
    return text.view() == "2001:db8::1" ? 0 : 1;
}
