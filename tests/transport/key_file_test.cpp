// SPDX-License-Identifier: MIT
// Key files: made once with mode 0600, read back the same, refused when others may read them or they hold no key.
#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <mldefender/transport/key_file.hpp>

using namespace mldefender;
using namespace mldefender::transport;

namespace {

struct scratch_folder {
    scratch_folder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "mld-keys-XXXXXX").string();
        REQUIRE(::mkdtemp(pattern.data()) != nullptr);
        path = pattern;
    }
    ~scratch_folder() { std::filesystem::remove_all(path); }
    std::string path;
};

errc loads(const std::string& path, secret_arena& arena) {
    const auto loaded = load_key(path, arena);
    return loaded ? errc::ok : loaded.failure().code;
}

void write(const std::string& path, const std::string& text) {
    std::ofstream(path) << text;
    REQUIRE(::chmod(path.c_str(), 0600) == 0);
}

}  // namespace

TEST_CASE("a key is made once, private, and read back") {
    const scratch_folder folder;
    const auto arena = secret_arena::create().value();
    const std::string path = folder.path + "/epoch.key";
    CHECK(loads(path, *arena) == errc::not_found);
    const secret made = create_key(path, *arena).value();
    struct stat found {};
    REQUIRE(::stat(path.c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0600);
    CHECK(found.st_size == 65);
    const secret read = load_key(path, *arena).value();
    CHECK(sodium_memcmp(made.bytes().data(), read.bytes().data(), key_size) == 0);
    CHECK(sodium_is_zero(made.bytes().data(), key_size) == 0);
    CHECK(create_key(path, *arena).failure().code == errc::already_exists);
    CHECK(arena->free_bytes() == (32U << 10) - 2 * secret_arena::unit);  // what was read on the way is given back
}

TEST_CASE("a key that others may read or write is refused, with the fix") {
    const scratch_folder folder;
    const auto arena = secret_arena::create().value();
    const std::string path = folder.path + "/epoch.key";
    REQUIRE(create_key(path, *arena).ok());
    for (const mode_t mode : {0640U, 0604U, 0660U, 0610U, 0602U, 0666U}) {
        REQUIRE(::chmod(path.c_str(), mode) == 0);
        const auto loaded = load_key(path, *arena);
        REQUIRE(!loaded.ok());
        CHECK(loaded.failure().code == errc::permission);
        CHECK(loaded.failure().what.find("chmod 600") != std::string::npos);
    }
    for (const mode_t mode : {0600U, 0400U}) {
        REQUIRE(::chmod(path.c_str(), mode) == 0);
        CHECK(loads(path, *arena) == errc::ok);
    }
}

TEST_CASE("what holds no key is refused") {
    const scratch_folder folder;
    const auto arena = secret_arena::create().value();
    const std::string path = folder.path + "/epoch.key";
    const std::string digits(64, 'a');
    write(path, digits);
    CHECK(loads(path, *arena) == errc::ok);
    for (const std::string& text : {std::string{}, digits.substr(1), digits + "a", digits + "\n\n", digits + " ",
                                    "g" + digits.substr(1), std::string(64, '\0'), std::string(100000, 'a')}) {
        write(path, text);
        CHECK(loads(path, *arena) == errc::corrupt);
    }
    CHECK(loads(folder.path, *arena) == errc::bad_argument);
    REQUIRE(::mkfifo((folder.path + "/pipe").c_str(), 0600) == 0);
    CHECK(loads(folder.path + "/pipe", *arena) == errc::bad_argument);
}
