// SPDX-License-Identifier: MIT
// Our end of the conversation with another binding (transport_frames.py): one request per line, one answer per line.
//   seal SUITE off|lz4 HEX     the next frame of the session as hex
//   open SUITE HEX             "ok HEX", or the name of the refusal
// Keys and names are those of tests/support/sessions.hpp. Exits 1 at a request it does not understand.
#include <sodium.h>

#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>

#include <mldefender/transport/session.hpp>

#include "support/sessions.hpp"

using namespace mldefender;
using namespace mldefender::transport;

namespace {

std::string to_hex(bytes data) {
    std::string text(data.size() * 2 + 1, '\0');
    sodium_bin2hex(text.data(), text.size(), data.data(), data.size());
    text.pop_back();
    return text;
}

test::frame_bytes from_hex(const std::string& text) {
    test::frame_bytes data(text.size() / 2);
    std::size_t got = 0;
    if (sodium_hex2bin(data.data(), data.size(), text.data(), text.size(), nullptr, &got, nullptr) != 0) return {};
    return data;
}

}  // namespace

int main() {
    const auto ring = test::one_epoch();
    if (ring == nullptr) return 1;
    std::map<std::pair<int, std::string>, frame_sealer> sealers;
    std::map<int, frame_opener> openers;
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        std::string verb;
        std::string pack;
        std::string text;
        int number = 0;
        words >> verb >> number;
        session_options options{.algorithm = static_cast<suite>(number), .accepted = order::datagram};
        if (verb == "seal") {
            words >> pack >> text;
            options.pack = pack == "lz4" ? compression::lz4 : compression::off;
            const std::pair name{number, pack};
            if (!sealers.contains(name)) {
                // Each session its own salt.
                auto made =
                    frame_sealer::create(ring, test::way(), test::counting_salt(pack == "lz4" ? 1 : 2), options);
                if (!made) return std::cerr << made.failure().text() << '\n', 1;
                sealers.emplace(name, std::move(made).value());
            }
            std::cout << to_hex(test::sealed(sealers.at(name), from_hex(text))) << std::endl;
        } else if (verb == "open") {
            words >> text;
            if (!openers.contains(number)) {
                auto made = frame_opener::create(ring, test::way(), test::counting_salt(3), options, nullptr);
                if (!made) return std::cerr << made.failure().text() << '\n', 1;
                openers.emplace(number, std::move(made).value());
            }
            const auto opened = openers.at(number).open(from_hex(text), test::second);
            std::cout << (opened ? "ok " + to_hex(*opened) : std::string{name_of(opened.failure())}) << std::endl;
        } else {
            return 1;
        }
    }
}
