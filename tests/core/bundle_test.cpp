// SPDX-License-Identifier: MIT
// Bundles: a file written by hand after the documented layout is read; any damage is refused with words, wherever it
// is.
#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mldefender/core/bundle.hpp>

#include "support/random_forest.hpp"

using namespace mldefender;
using test_support::numbered_features;

namespace {

constexpr bool matches(const detail::sha256_digest& digest, std::string_view hex) {
    constexpr std::string_view digits = "0123456789abcdef";
    for (std::size_t i = 0; i < digest.size(); ++i) {
        if (hex[2 * i] != digits[digest[i] >> 4] || hex[2 * i + 1] != digits[digest[i] & 15]) return false;
    }
    return true;
}

// FIPS 180-4 examples (NIST, "SHA256.pdf"), and the empty message.
constexpr std::uint8_t abc[] = {'a', 'b', 'c'};
static_assert(matches(detail::sha256_of(abc), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
static_assert(matches(detail::sha256_of({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));

// Writes the documented layout independently of the exporter.
class layout {
public:
    layout& number(std::uint64_t value, int size) {
        for (int i = 0; i < size; ++i) m_bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
        return *this;
    }
    layout& real(float value) { return number(std::bit_cast<std::uint32_t>(value), 4); }
    layout& text(std::string_view value) {
        m_bytes.insert(m_bytes.end(), value.begin(), value.end());
        return *this;
    }
    [[nodiscard]] const std::vector<std::uint8_t>& done() const { return m_bytes; }

private:
    std::vector<std::uint8_t> m_bytes;
};

using section_list = std::array<std::vector<std::uint8_t>, 6>;

section_list stump_sections() {
    return {layout{}
                .number(42, 8)
                .real(0.5F)
                .real(0.75F)
                .number(5, 2)
                .text("stump")
                .number(1, 2)
                .text("1")
                .number(2, 2)
                .text("by")
                .number(16, 2)
                .text("00000000000000aa")
                .done(),
            layout{}.text("{\"a\":1}").done(),
            layout{}.number(2, 1).text("f1").real(1).done(),
            layout{}.real(0).real(0.125F).real(1).real(0.875F).done(),
            layout{}.number(0, 4).done(),
            layout{}
                .real(2)
                .number(1, 4)
                .number(0, 2)
                .number(16384, 2)
                .real(0.25F)
                .number(0, 4)
                .number(0, 2)
                .number(2, 2)
                .real(0.75F)
                .number(0, 4)
                .number(0, 2)
                .number(1, 2)
                .done()};
}

std::vector<std::uint8_t> sealed(std::vector<std::uint8_t> body) {
    const auto digest = detail::sha256_of(body);
    body.insert(body.end(), digest.begin(), digest.end());
    return body;
}

std::vector<std::uint8_t> bundle_of(std::span<const std::vector<std::uint8_t>> sections) {
    constexpr std::string_view tags[] = {"info", "json", "inpt", "cali", "root", "node", "leaf"};
    std::size_t size = 16 + sections.size() * 12;
    for (const auto& section : sections) size += section.size();
    layout out;
    out.text("MLDF").number(sections.size() - 5, 2).number(sections.size(), 2).number(size + 32, 4).number(0, 4);
    std::size_t offset = 16 + sections.size() * 12;
    for (std::size_t i = 0; i < sections.size(); ++i) {
        out.text(tags[i]).number(offset, 4).number(sections[i].size(), 4);
        offset += sections[i].size();
    }
    for (const auto& section : sections) out.text({reinterpret_cast<const char*>(section.data()), section.size()});
    return sealed(out.done());
}

std::string refusal(const std::vector<std::uint8_t>& file) {
    const auto got = read_bundle(file, "here");
    if (got.ok()) return "accepted";
    CHECK(got.failure().where == "here");
    return got.failure().what;
}

bool says(const std::string& what, std::string_view words) { return what.find(words) != std::string::npos; }

}  // namespace

TEST_CASE("bundle: the hash agrees with the published examples at run time, in any pieces") {
    const std::string message = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    const std::vector<std::uint8_t> raw(message.begin(), message.end());
    CHECK(matches(detail::sha256_of(raw), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));
    detail::sha256 million;
    const std::vector<std::uint8_t> some(999, 'a');
    for (int i = 0; i < 1001; ++i) million.update(some);
    million.update(bytes{some}.first(1));
    CHECK(matches(million.finish(), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
}

TEST_CASE("bundle: a file after the documented layout is read and scores") {
    const auto file = bundle_of(stump_sections());
    const auto model = read_bundle(file, "here");
    REQUIRE(model.ok());
    CHECK(model->name == "stump");
    CHECK(model->version == "1");
    CHECK(model->command == "by");
    CHECK(model->seed == 42);
    CHECK(model->feature_list_hash == "00000000000000aa");
    CHECK(model->metadata == "{\"a\":1}");
    CHECK(model->importance == std::vector<float>{1});
    CHECK(model->hash.size() == 16);
    CHECK(model->nodes[0].mean_units() == 32768);

    const auto forest = basic_bundle_forest<numbered_features<2>>::make(*model);
    REQUIRE(forest.ok());
    CHECK(forest->score(std::array<float, 2>{9, 2}) == 0.25F);
    CHECK(forest->score(std::array<float, 2>{0, 2.5F}) == 0.75F);
    CHECK(forest->answer(std::array<float, 2>{0, 2.5F}).label == attack_class::ddos);
    CHECK(forest->confidence(0.5F) == 0.5F);
    CHECK(forest->suspicious() == 0.5F);
    CHECK(forest->malicious() == 0.75F);
    CHECK(forest->name() == "stump");
    CHECK(forest->version() == "1");
    CHECK(forest->model() == *model);
    std::array<contribution, 3> moved{};
    REQUIRE(forest->explain(std::array<float, 2>{0, 2.5F}, moved) == 1);
    CHECK(moved[0].feature == 1);
    CHECK(moved[0].weight == 0.25F);

    auto copy = *forest;  // owns its tables: copies and moves score on their own
    const auto moved_to = std::move(copy);
    CHECK(moved_to.score(std::array<float, 2>{9, 2}) == 0.25F);
}

TEST_CASE("bundle: leaf values follow in a section of their own") {
    const section_list plain = stump_sections();
    std::vector<std::vector<std::uint8_t>> sections{plain.begin(), plain.end()};
    const auto bits = [](double value) { return std::bit_cast<std::uint64_t>(value); };
    const auto leaves = [&](double start, double middle) {
        return layout{}
            .number(1, 2)
            .number(1, 2)
            .number(2, 2)
            .number(0, 2)
            .number(bits(start), 8)
            .number(bits(2), 8)
            .number(0, 8)
            .number(bits(middle), 8)
            .number(bits(3), 8)
            .done();
    };
    sections.push_back(leaves(-1, 0.5));
    const auto read = read_bundle(bundle_of(sections), "here");
    REQUIRE(read.ok());
    CHECK(read->leaf_values == std::vector<double>{0, 0.5, 3});
    CHECK(read->sum == leaf_sum{score_link::logistic, sum_precision::binary64, attack_class::scan, -1, 2});
    const auto made = basic_bundle_forest<numbered_features<2>>::make(*read);
    REQUIRE(made.ok());
    CHECK(made->score(std::array<float, 2>{}) == static_cast<float>(1 / (1 + std::exp(-2 * (-1 + 0.5)))));
    CHECK(made->answer(std::array<float, 2>{9, 9}).score == static_cast<float>(1 / (1 + std::exp(-2 * (-1 + 3.0)))));

    sections.back() = leaves(std::numeric_limits<double>::infinity(), 0.5);
    CHECK(says(refusal(bundle_of(sections)), "leaf values are not one for each node"));
    sections.back().pop_back();
    CHECK(says(refusal(bundle_of(sections)), "section 'leaf' is malformed"));
    sections.back() = leaves(-1, 0.5);
    sections.back().resize(32);
    CHECK(says(refusal(bundle_of(sections)), "leaf values are not one for each node"));
    sections.back() = leaves(-1, 0.5);
    sections.back()[0] = 2;
    CHECK(says(refusal(bundle_of(sections)), "section 'leaf' is malformed"));
    sections.back().clear();
    CHECK(says(refusal(bundle_of(sections)), "format 2 without leaf values"));
}

TEST_CASE("bundle: an empty detector scores nothing") {
    const basic_bundle_forest<numbered_features<2>> empty;
    const std::array<float, 2> row{1, 2};
    std::array<contribution, 1> moved{};
    CHECK(empty.score(row) == 0);
    CHECK(empty.answer(row).label == attack_class::none);
    CHECK(empty.explain(row, moved) == 0);
    CHECK(empty.confidence(0.5F) == 0);
}

TEST_CASE("bundle: every damaged byte and every cut is refused") {
    const auto file = bundle_of(stump_sections());
    for (std::size_t at = 0; at < file.size(); ++at) {
        auto damaged = file;
        damaged[at] ^= 0x20;
        CHECK(refusal(damaged) != "accepted");
        damaged.resize(at);
        CHECK(refusal(damaged) != "accepted");
    }
    auto longer = file;
    longer.push_back(0);
    CHECK(says(refusal(longer), "truncated or padded"));
}

TEST_CASE("bundle: a sound check sum does not save a wrong structure") {
    const auto whole = bundle_of(stump_sections());
    const auto with = [&](std::size_t at, std::uint8_t value) {
        std::vector<std::uint8_t> body(whole.begin(), whole.end() - 32);
        body[at] = value;
        return refusal(sealed(std::move(body)));
    };
    CHECK(says(with(0, 'X'), "MLDF"));
    CHECK(says(with(4, 2), "number of sections is not that of its format"));
    CHECK(says(with(4, 3), "format is neither 1 nor 2"));
    CHECK(says(with(6, 7), "sections"));
    CHECK(says(with(11, 0xff), "size"));
    CHECK(says(with(12, 1), "reserved"));
    CHECK(says(with(16, 'I'), "in order"));
    CHECK(says(with(20, 1), "'info'"));     // offset
    CHECK(says(with(27, 0xff), "'info'"));  // size
    CHECK(says(with(24, 1), "'json'"));     // a shorter info leaves a gap before json
}

TEST_CASE("bundle: wrong contents are named") {
    const auto with = [](std::size_t section, std::vector<std::uint8_t> contents) {
        section_list sections = stump_sections();
        sections[section] = std::move(contents);
        return refusal(bundle_of(sections));
    };
    const auto grown = [](std::size_t section) {
        auto contents = stump_sections()[section];
        contents.push_back(0);
        return contents;
    };
    CHECK(says(with(0, {}), "'info'"));
    CHECK(says(with(0, grown(0)), "'info'"));
    auto control = stump_sections()[0];
    control[18] = '\x1b';
    CHECK(says(with(0, control), "'info'"));
    CHECK(says(with(1, layout{}.text("[]").done()), "'json'"));
    CHECK(says(with(1, {}), "'json'"));
    CHECK(says(with(2, {}), "no trees, inputs or nodes"));
    CHECK(says(with(2, layout{}.number(0, 1).real(1).done()), "'inpt'"));
    CHECK(says(with(2, layout{}.number(2, 1).text("f1").real(-1).done()), "'inpt'"));
    CHECK(says(with(2, layout{}.number(2, 1).text("f1").real(1).number(2, 1).text("f1").real(0).done()), "twice"));
    CHECK(says(with(2, layout{}.number(200, 1).text("f1").real(1).done()), "'inpt'"));
    layout many;
    for (int i = 0; i < 300; ++i) many.number(3, 1).number(static_cast<std::uint64_t>(i) + 0x202020, 3).real(0);
    CHECK(says(with(2, many.done()), "'inpt'"));
    for (const std::size_t table : {3U, 4U, 5U}) CHECK(says(with(table, grown(table)), "whole number of records"));
    CHECK(says(with(3, {}), "calibration"));
    CHECK(says(with(4, layout{}.number(1, 4).done()), "roots"));
    CHECK(says(with(5, layout{}.real(0).number(9, 4).number(0, 4).done()), "breadth-first"));
}

TEST_CASE("bundle: a feature this version does not compute is named") {
    const auto model = read_bundle(bundle_of(stump_sections()), "here");
    REQUIRE(model.ok());
    const auto refused = basic_bundle_forest<numbered_features<1>>::make(*model);
    REQUIRE(!refused.ok());
    CHECK(refused.failure().code == errc::not_found);
    CHECK(says(refused.failure().what, "'f1'"));
    CHECK(refused.failure().where == "stump");

    model_data broken = *model;
    broken.nodes[0].left = 5;
    CHECK(basic_bundle_forest<numbered_features<2>>::make(broken).failure().code == errc::bad_value);
}

TEST_CASE("bundle: files are loaded, or the system's reason is given") {
    const auto path = (std::filesystem::temp_directory_path() / "mldefender_bundle_test.mldf").string();
    const auto file = bundle_of(stump_sections());
    std::FILE* out = std::fopen(path.c_str(), "wb");
    REQUIRE(out != nullptr);
    REQUIRE(std::fwrite(file.data(), 1, file.size(), out) == file.size());
    REQUIRE(std::fclose(out) == 0);
    CHECK(load_bundle(path)->name == "stump");
    (void)std::remove(path.c_str());
    const auto missing = load_bundle(path);
    REQUIRE(!missing.ok());
    CHECK(missing.failure().code == errc::not_found);
    CHECK(missing.failure().where == path);
    CHECK(!load_bundle("/").ok());  // a folder opens but does not read
}
