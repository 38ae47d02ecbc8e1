// SPDX-License-Identifier: MIT
// Runs a fuzz target without libFuzzer: every file of the corpus folder given, each cut short at a few places, and a
// fixed number of mutations and of random inputs, the same on every run. Passing means that nothing crashed,
// asserted or tripped a sanitizer; a corpus folder that is not there is fine, one that cannot be read fails.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using input = std::vector<std::uint8_t>;

constexpr std::size_t random_inputs = 2000;
constexpr std::size_t mutations_per_file = 200;
constexpr std::size_t largest_random_input = 512;

// The input is copied into a block of exactly its size, so that a sanitizer sees a read of one byte too many.
void run(const input& bytes) {
    const input exact(bytes.begin(), bytes.end());
    LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

input mutate(input bytes, std::mt19937& random) {
    if (bytes.empty()) return bytes;
    for (unsigned changes = 1 + random() % 8; changes > 0; --changes) {
        const std::size_t at = random() % bytes.size();
        switch (random() % 4) {
            case 0: bytes[at] = static_cast<std::uint8_t>(random()); break;
            case 1: bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ (1U << (random() % 8))); break;
            case 2: bytes[at] = 0xff; break;
            default: bytes[at] = 0; break;
        }
    }
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    return bytes;
}

bool replay_folder(const std::filesystem::path& folder, std::mt19937& random, std::size_t& count) {
    // Sorted, because the order the file system lists in would change which mutations run.
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const auto& file : files) {
        std::ifstream stream(file, std::ios::binary);
        if (!stream) {
            std::fprintf(stderr, "%s: cannot be read\n", file.c_str());
            return false;
        }
        const std::string text{std::istreambuf_iterator<char>(stream), {}};
        const input bytes(text.begin(), text.end());
        run(bytes);
        for (std::size_t i = 0; i < mutations_per_file; ++i) run(mutate(bytes, random));
        count += 1 + mutations_per_file;
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    std::mt19937 random(1);
    std::size_t count = 1;
    run({});
    for (int i = 1; i < argc; ++i) {
        if (std::filesystem::is_directory(argv[i]) && !replay_folder(argv[i], random, count)) return 1;
    }
    for (std::size_t i = 0; i < random_inputs; ++i) {
        input bytes(random() % largest_random_input);
        for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
        run(bytes);
    }
    std::printf("%zu inputs survived\n", count + random_inputs);
    return 0;
}
