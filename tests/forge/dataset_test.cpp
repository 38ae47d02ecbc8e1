// SPDX-License-Identifier: MIT
// Datasets take valid rows only, and come back from disk as they were or not at all.
#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include <mldefender/forge/dataset.hpp>

using namespace mldefender;
using forge::dataset;

namespace {

// A file that is gone when the test is.
struct scratch_file {
    std::string path;
    explicit scratch_file(const char* name)
        : path((std::filesystem::temp_directory_path() / ("mldefender_" + std::string{name})).string()) {}
    ~scratch_file() { (void)std::remove(path.c_str()); }
    scratch_file(const scratch_file&) = delete;
    scratch_file& operator=(const scratch_file&) = delete;

    [[nodiscard]] std::vector<char> read() const {
        std::ifstream in{path, std::ios::binary};
        return {std::istreambuf_iterator<char>{in}, {}};
    }
    void write(const std::vector<char>& data) const {
        std::ofstream{path, std::ios::binary}.write(data.data(), static_cast<std::streamsize>(data.size()));
    }
};

dataset sample() {
    dataset data{{"flow_duration", "beacon"}};
    data.describe("two flows");
    REQUIRE(data.add_row(std::array<float, 2>{1.5F, 0.25F}, attack_class::none, 7).ok());
    REQUIRE(
        data.add_row(std::array<float, 2>{-0.0F, 1e-40F}, attack_class::botnet, forge::row_origin{8, 3, "beacon"}, 2.5F)
            .ok());
    return data;
}

}  // namespace

TEST_CASE("dataset: rows that make no sense are refused and change nothing") {
    dataset data = sample();
    constexpr float infinity = std::numeric_limits<float>::infinity();
    CHECK(data.add_row(std::array<float, 1>{1}, attack_class::none, 0).failure() == errc::bad_argument);
    CHECK(data.add_row(std::array<float, 2>{1, 2}, attack_class::count_, 0).failure() == errc::bad_argument);
    CHECK(data.add_row(std::array<float, 2>{1, infinity}, attack_class::none, 0).failure() == errc::bad_value);
    CHECK(data.add_row(std::array<float, 2>{1, 2}, attack_class::none, 0, 0).failure() == errc::bad_value);
    CHECK(data.add_row(std::array<float, 2>{1, 2}, attack_class::none, 0, infinity).failure() == errc::bad_value);
    CHECK(data == sample());
}

TEST_CASE("dataset: joins with its like only") {
    dataset data = sample();
    REQUIRE(data.append(sample()).ok());
    CHECK(data.rows() == 4);
    CHECK(data.column(0)[2] == 1.5F);
    CHECK(data.labels()[3] == attack_class::botnet);
    CHECK(data.weights()[3] == 2.5F);
    CHECK(data.groups()[2] == 7);
    CHECK(data.flows()[0] == 0);  // a flow of its own
    CHECK(data.flows()[3] == 3);
    CHECK(data.source_names() == std::vector<std::string>{"", "beacon"});
    CHECK(data.append(dataset{{"beacon", "flow_duration"}}).failure() == errc::bad_argument);
    CHECK(data.rows() == 4);
}

TEST_CASE("dataset: sources keep their names when datasets are joined") {
    dataset data{{"flow_duration", "beacon"}};
    REQUIRE(data.add_row(std::array<float, 2>{1, 2}, attack_class::none, forge::row_origin{1, 1, "chat"}).ok());
    REQUIRE(data.append(sample()).ok());
    const dataset twice = data;
    REQUIRE(data.append(twice).ok());
    std::vector<std::string> names;
    for (const std::uint16_t source : data.sources()) names.push_back(data.source_names()[source]);
    CHECK(names == std::vector<std::string>{"chat", "", "beacon", "chat", "", "beacon"});
}

TEST_CASE("dataset: a feature list has a name of its own") {
    const std::vector<std::string> list{"a", "bc"};
    const std::vector<std::string> other{"ab", "c"};
    CHECK(forge::feature_list_hash(list).size() == 16);
    CHECK(forge::feature_list_hash(list) != forge::feature_list_hash(other));
}

TEST_CASE("dataset: comes back from disk as it was") {
    const scratch_file file{"dataset"};
    REQUIRE(forge::save_dataset(sample(), file.path).ok());
    CHECK(!std::filesystem::exists(file.path + ".tmp"));
    const auto back = forge::load_dataset(file.path);
    REQUIRE(back.ok());
    CHECK(*back == sample());
    CHECK(std::signbit(back->column(0)[1]));

    REQUIRE(forge::save_dataset(dataset{}, file.path).ok());
    CHECK(*forge::load_dataset(file.path) == dataset{});
}

TEST_CASE("dataset: a damaged file is refused wherever it is damaged") {
    const scratch_file file{"dataset_damaged"};
    REQUIRE(forge::save_dataset(sample(), file.path).ok());
    const std::vector<char> whole = file.read();
    for (std::size_t at = 0; at < whole.size(); ++at) {
        std::vector<char> damaged = whole;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
        file.write(damaged);
        CHECK(!forge::load_dataset(file.path).ok());
        damaged.resize(at);
        file.write(damaged);
        CHECK(forge::load_dataset(file.path).failure().code == errc::corrupt);
    }
}

TEST_CASE("dataset: sound check sums do not make nonsense a dataset") {
    const scratch_file file{"dataset_nonsense"};
    REQUIRE(forge::save_dataset(sample(), file.path).ok());
    const std::vector<char> whole = file.read();
    const std::size_t body = whole.size() - 32;
    std::size_t refused = 0;
    for (std::size_t at = 8; at < body; ++at) {
        std::vector<std::uint8_t> changed(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(body));
        changed[at] = 0xff;
        const auto digest = detail::sha256_of(changed);
        std::vector<char> out(changed.begin(), changed.end());
        out.insert(out.end(), digest.begin(), digest.end());
        file.write(out);
        const auto got = forge::load_dataset(file.path);
        if (got.ok()) continue;  // the byte was a value or a letter
        ++refused;
        CHECK(got.failure().code == errc::corrupt);
        CHECK(got.failure().where == file.path);
    }
    CHECK(refused >= 20);  // counts, lengths, labels, weights
}

TEST_CASE("dataset: a missing file and an impossible folder are named") {
    const auto missing = forge::load_dataset("/nonexistent/data.mldd");
    CHECK(missing.failure().code == errc::not_found);
    CHECK(missing.failure().where == "/nonexistent/data.mldd");
    CHECK(!forge::save_dataset(sample(), "/nonexistent/data.mldd").ok());
}
