// SPDX-License-Identifier: MIT
// The hash chain: a golden link anyone can recompute, and every kind of tampering found at its place; what is not
// tampering (lost lines, pruned old files, a torn tail, events out of order around midnight) is not called so.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <mldefender/log/event_log.hpp>
#include <mldefender/log/verify.hpp>

#include "support/log_events.hpp"

using namespace mldefender;

namespace {

using test_log = log::basic_event_log<log::plain_sealer, test::counting_random>;
constexpr std::int64_t day_ns = log::ns_per_day;

/// Ten lines of one day, committed.
std::string make_log(const std::string& directory) {
    auto opened = test_log::open({.directory = directory}, test::sample_identity());
    REQUIRE(opened.ok());
    for (std::uint64_t i = 0; i < 10; ++i) (*opened)->append(test::sample_flow(i), 0);
    REQUIRE((*opened)->flush().ok());
    return directory + "/2026-11-20.jsonl";
}

std::vector<std::string> lines_of(const std::string& path) {
    std::vector<std::string> lines;
    const std::string text = test::read_text(path);
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at);
        lines.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return lines;
}

log::verify_report report_of(const std::string& directory) {
    auto report = log::verify_directory(directory);
    REQUIRE_MESSAGE(report.ok(), report.failure().text());
    return *report;
}

/// The break after `change` was done to the ten lines.
log::chain_break broken_by(const std::function<void(std::vector<std::string>&)>& change) {
    const test::scratch_directory scratch;
    const std::string path = make_log(scratch.path());
    auto lines = lines_of(path);
    change(lines);
    std::string text;
    for (const std::string& line : lines) text += line + '\n';
    test::write_text(path, text);
    const auto report = report_of(scratch.path());
    REQUIRE(report.broken.has_value());
    return *report.broken;
}

void replace(std::string& line, std::string_view from, std::string_view to) {
    line.replace(line.find(from), from.size(), to);
}

}  // namespace

TEST_CASE("an untouched log verifies to its last line") {
    const test::scratch_directory scratch;
    make_log(scratch.path());
    const auto report = report_of(scratch.path());
    CHECK_FALSE(report.broken);
    CHECK(report.lines == 10);
    CHECK(report.first_seq == 1);
    CHECK(report.last_seq == 10);
    CHECK_FALSE(report.starts_late);
    CHECK(report.lost_by_sensor == 0);
}

TEST_CASE("a link is the documented HMAC of the previous link and the line") {
    std::array<std::uint8_t, log::chain_key::size> secret{};
    for (std::size_t i = 0; i < secret.size(); ++i) secret[i] = static_cast<std::uint8_t>(i);
    log::chain links{log::chain_key::from_bytes(secret)};
    // Computed with Python's hmac module: hmac.new(bytes(range(32)), previous + b"ab" + b"0" * 32 + b"cd", "sha256").
    const auto first = links.advance("ab", "cd");
    CHECK(std::string{first.begin(), first.end()} == "3a158ff9184dd863fc3926f0034e9e9e");
    const auto second = links.advance("ab", "cd");
    CHECK(std::string{second.begin(), second.end()} == "bd0a22676e64f2541d9f9ec1aa281be7");
}

TEST_CASE("altered, removed, inserted and moved lines are found where they are") {
    auto found = broken_by([](auto& lines) { replace(lines[4], "\"score\":0.02", "\"score\":0.03"); });
    CHECK(found.kind == log::tampering::altered);
    CHECK(found.where.ends_with("2026-11-20.jsonl:5"));

    found = broken_by([](auto& lines) { lines.erase(lines.begin() + 6); });
    CHECK(found.kind == log::tampering::removed);
    CHECK(found.where.ends_with(":7"));
    CHECK(found.what == "lines 7 to 7 are missing before it");

    found = broken_by([](auto& lines) { lines.erase(lines.begin() + 8, lines.end()); });
    CHECK(found.kind == log::tampering::removed);
    CHECK(found.what == "lines 9 to 10 are missing at the end");

    found = broken_by([](auto& lines) { lines.insert(lines.begin() + 3, lines[2]); });
    CHECK(found.kind == log::tampering::inserted);
    CHECK(found.where.ends_with(":4"));

    found = broken_by([](auto& lines) {  // a forged line with the next one's number
        std::string forged = lines[3];
        replace(forged, "192.168.1.20", "192.168.1.99");
        lines.insert(lines.begin() + 3, forged);
    });
    CHECK(found.kind == log::tampering::inserted);
    CHECK(found.where.ends_with(":4"));

    found = broken_by([](auto& lines) { std::swap(lines[2], lines[3]); });
    CHECK(found.where.ends_with(":3"));

    found = broken_by([](auto& lines) { lines[5] = "{\"not\":\"an event\"}"; });
    CHECK(found.kind == log::tampering::altered);
    CHECK(found.where.ends_with(":6"));

    found = broken_by([](auto& lines) {  // the stored link itself
        const std::size_t at = lines[1].find("\"chain\":\"") + 9;
        lines[1][at] = lines[1][at] == '0' ? '1' : '0';
    });
    CHECK(found.kind == log::tampering::altered);
    CHECK(found.where.ends_with(":2"));
}

TEST_CASE("another key does not verify, and a key others may read is refused") {
    const test::scratch_directory scratch;
    make_log(scratch.path());
    const std::string key = scratch / ".chain.key";
    test::write_text(key, std::string(64, 'a') + '\n');
    CHECK(report_of(scratch.path()).broken.has_value());
    REQUIRE(::chmod(key.c_str(), 0644) == 0);
    auto refused = log::verify_directory(scratch.path());
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.failure().code == errc::permission);
    REQUIRE(::chmod(key.c_str(), 0600) == 0);
    test::write_text(key, "short\n");
    refused = log::verify_directory(scratch.path());
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.failure().code == errc::corrupt);
    CHECK(log::verify_directory(scratch / "none").failure().code == errc::not_found);
}

TEST_CASE("pruned old files and a torn tail are not tampering") {
    const test::scratch_directory scratch;
    {
        auto opened = test_log::open({.directory = scratch.path()}, test::sample_identity());
        REQUIRE(opened.ok());
        for (std::int64_t day = 0; day < 3; ++day) {
            event e = test::sample_flow(1);
            e.timestamp_ns += day * day_ns;
            (*opened)->append(e, 0);
            (*opened)->append(e, 0);
        }
    }
    std::filesystem::remove(scratch / "2026-11-20.jsonl");
    auto report = report_of(scratch.path());
    CHECK_FALSE(report.broken);
    CHECK(report.starts_late);
    CHECK(report.first_seq == 3);
    CHECK(report.lines == 4);
    const std::string last = scratch / "2026-11-22.jsonl";
    test::write_text(last, test::read_text(last) + "{\"timestamp\":\"2026");
    report = report_of(scratch.path());
    CHECK_FALSE(report.broken);
    CHECK(report.torn_tail);
}

TEST_CASE("events that go back and forth over midnight keep one chain") {
    const test::scratch_directory scratch;
    {
        auto opened = test_log::open({.directory = scratch.path()}, test::sample_identity());
        REQUIRE(opened.ok());
        for (std::uint64_t i = 0; i < 40; ++i) {
            event e = test::sample_flow(1);
            if (i % 3 == 0) e.timestamp_ns += day_ns;
            (*opened)->write(e, static_cast<std::int64_t>(i) * 50'000'000);
        }
    }
    const auto report = report_of(scratch.path());
    CHECK_FALSE(report.broken);
    CHECK(report.lines == 40);
    CHECK(lines_of(scratch / "2026-11-20.jsonl").size() == 26);
    CHECK(lines_of(scratch / "2026-11-21.jsonl").size() == 14);
}
