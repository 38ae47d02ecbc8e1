// SPDX-License-Identifier: MIT
// The durable log: files by day, groups, modes, artifacts within limits, resuming after clean and violent ends,
// a full disk (on a small tmpfs, as root) and files removed under its feet.
#include <doctest/doctest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include <mldefender/log/event_log.hpp>
#include <mldefender/log/event_reader.hpp>
#include <mldefender/log/verify.hpp>

#include "support/log_events.hpp"
#include "support/mmdb_writer.hpp"

using namespace mldefender;
namespace fs = std::filesystem;

namespace {

using test_log = log::basic_event_log<log::plain_sealer, test::counting_random>;

std::unique_ptr<test_log> open_log(const log::event_log_options& options) {
    auto opened = test_log::open(options, test::sample_identity());
    REQUIRE_MESSAGE(opened.ok(), opened.failure().text());
    return std::move(*opened);
}

/// With ids that do not repeat from run to run.
std::unique_ptr<log::event_log> open_random_log(const log::event_log_options& options) {
    auto opened = log::event_log::open(options, test::sample_identity());
    REQUIRE_MESSAGE(opened.ok(), opened.failure().text());
    return std::move(*opened);
}

/// Sequence numbers of all lines of a directory that must be readable in full.
std::vector<std::uint64_t> sequence_of(const std::string& directory) {
    std::vector<std::uint64_t> numbers;
    const auto files = log::event_files(directory);
    REQUIRE(files.ok());
    for (const std::string& path : *files) {
        const auto read = log::for_each_event(
            path, [&](const log::event_record& record, const log::log_file&) { numbers.push_back(record.seq); });
        REQUIRE_MESSAGE(read.ok(), read.failure().text());
    }
    return numbers;
}

bool verifies(const std::string& directory) {
    const auto report = log::verify_directory(directory);
    REQUIRE_MESSAGE(report.ok(), report.failure().text());
    if (report->broken) MESSAGE(report->broken->where << ": " << report->broken->what);
    return !report->broken;
}

std::size_t artifacts_in(const std::string& directory) {
    std::size_t count = 0;
    if (!fs::exists(directory + "/artifacts")) return 0;
    for (const auto& entry : fs::recursive_directory_iterator(directory + "/artifacts")) {
        count += entry.is_regular_file() ? 1 : 0;
    }
    return count;
}

constexpr std::array<float, 3> feature_values{1.5F, 0.1F, std::numeric_limits<float>::quiet_NaN()};
constexpr std::array<std::string_view, 3> names_of_features{"flow_duration", "beacon", "broken"};
constexpr std::array<std::uint8_t, 4> out_bytes{0x16, 0x03, 0x01, 0xff};
const log::artifact_content evidence{feature_values, names_of_features, out_bytes, {}};

}  // namespace

TEST_CASE("lines go to the file of their UTC day, private to the owner") {
    const test::scratch_directory scratch;
    const std::string directory = scratch / "a/b";
    {
        auto log = open_log({.directory = directory});
        event e = test::sample_flow(1);
        e.timestamp_ns = 1795219199'999'999'999;  // a nanosecond before midnight
        CHECK(log->write(e, 0));
        ++e.timestamp_ns;
        CHECK(log->write(e, 0));
    }
    CHECK(sequence_of(directory) == std::vector<std::uint64_t>{1, 2});
    CHECK(test::read_text(directory + "/2026-11-20.jsonl").find("T23:59:59.999999+0000") != std::string::npos);
    CHECK(test::read_text(directory + "/2026-11-21.jsonl").find("T00:00:00.000000+0000") != std::string::npos);
    struct stat found {};
    REQUIRE(::stat((directory + "/2026-11-20.jsonl").c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0600);
    REQUIRE(::stat(directory.c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0700);
    REQUIRE(::stat((directory + "/.chain.key").c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0600);
}

TEST_CASE("groups commit at their size, at their age, and at once for critical events") {
    const test::scratch_directory scratch;
    auto log = open_log({.directory = scratch.path(), .group_lines = 4});
    for (std::uint64_t i = 0; i < 3; ++i) log->write(test::sample_flow(i), 0);
    CHECK(log->counters().lines == 0);
    log->write(test::sample_flow(3), 0);
    CHECK(log->counters().lines == 4);
    CHECK(log->counters().groups == 1);
    log->write(test::sample_flow(4), 1000);
    log->poll(1000 + 199'999'999);
    CHECK(log->counters().lines == 4);
    log->poll(1000 + 200'000'000);
    CHECK(log->counters().lines == 5);
    event e = test::sample_alert();
    e.priority = priority::critical;
    log->write(e, 2000);
    CHECK(log->counters().lines == 6);
    CHECK(log->pending_lines() == 0);
    CHECK(log->counters().bytes == fs::file_size(scratch / "2026-11-20.jsonl"));
}

TEST_CASE("a new run continues the sequence and the chain") {
    const test::scratch_directory scratch;
    for (std::uint64_t run = 0; run < 3; ++run) {
        auto log = open_log({.directory = scratch.path()});
        CHECK(log->next_seq() == run * 2 + 1);
        log->write(test::sample_flow(run), 0);
        log->write(test::sample_flow(run), 0);
    }
    CHECK(sequence_of(scratch.path()) == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6});
    CHECK(verifies(scratch.path()));
}

TEST_CASE("a torn tail is cut and counted, a whole foreign line is kept as evidence") {
    const test::scratch_directory scratch;
    const std::string path = scratch / "2026-11-20.jsonl";
    { open_log({.directory = scratch.path()})->write(test::sample_flow(1), 0); }
    const std::string good = test::read_text(path);
    for (const std::size_t cut : {std::size_t{1}, std::size_t{17}, good.size() - 1}) {
        test::write_text(path, good + good.substr(0, cut));
        const auto log = open_log({.directory = scratch.path()});
        CHECK(log->counters().cut_bytes == cut);
        CHECK(log->next_seq() == 2);
        CHECK(test::read_text(path) == good);
    }
    test::write_text(path, good + std::string(3'000'000, '\0'));  // what a power cut may leave
    CHECK(open_log({.directory = scratch.path()})->counters().cut_bytes == 3'000'000);
    test::write_text(path, good + "a note by somebody\n");
    CHECK(open_log({.directory = scratch.path()})->next_seq() == 2);
    CHECK(test::read_text(path).ends_with("somebody\n"));
    CHECK_FALSE(verifies(scratch.path()));
}

TEST_CASE("a directory is written by one log at a time") {
    const test::scratch_directory scratch;
    const auto first = open_log({.directory = scratch.path()});
    const auto second = test_log::open({.directory = scratch.path()}, test::sample_identity());
    REQUIRE_FALSE(second.ok());
    CHECK(second.failure().text().find("another sensor") != std::string::npos);
    CHECK_FALSE(test_log::open({}, {}).ok());
    test::write_text(scratch / "file", "");
    CHECK_FALSE(test_log::open({.directory = scratch / "file"}, {}).ok());
}

TEST_CASE("an important event keeps its artifact, complete and named by its id") {
    const test::scratch_directory scratch;
    open_log({.directory = scratch.path()})->write(test::sample_alert(), 0, &evidence);
    log::event_reader reader;
    std::string line = test::read_text(scratch / "2026-11-20.jsonl");
    line.pop_back();
    const auto record = reader.read(line);
    REQUIRE(record.ok());
    CHECK(record->artifact == "artifacts/2026-11-20/" + std::string{record->event_id} + ".mlda");
    const auto text = log::read_artifact(scratch / record->artifact);
    REQUIRE_MESSAGE(text.ok(), text.failure().text());
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    REQUIRE(parser.parse(*text).get(root) == simdjson::SUCCESS);
    CHECK(text->find("\"event\":" + line + ",\"models\"") != std::string::npos);
    CHECK(root["features"]["flow_duration"].get_double().value() == 1.5);
    CHECK(static_cast<float>(root["features"]["beacon"].get_double().value()) == 0.1F);
    CHECK(root["features"]["broken"].is_null());
    CHECK(root["payload"]["to_server"].get_string().value() == "160301ff");
    CHECK(root["payload"]["to_client"].get_string().value() == "");
    CHECK(root["models"].at(1)["name"].get_string().value() == "ddos@1");
    CHECK(artifacts_in(scratch.path()) == 1);
    test::write_text(scratch / "x", "MLDA\x01sealed");
    CHECK(log::read_artifact(scratch / "x").failure().code == errc::unavailable);
    test::write_text(scratch / "x", "other");
    CHECK(log::read_artifact(scratch / "x").failure().code == errc::corrupt);
}

TEST_CASE("a flood cannot fill the disk with artifacts") {
    const test::scratch_directory scratch;
    log::event_log_options options{.directory = scratch.path(), .sync = log::durability::on_close};
    options.artifacts = {.per_day = 20, .flows_per_day = 5, .per_story = 3, .payload_bytes = 2};
    const auto flood = [&](log::event_log& log, std::uint64_t stories, int events) {
        for (int i = 0; i < events; ++i) {
            event e = test::sample_alert();
            e.story.id = stories == 0 ? 0 : 1 + static_cast<std::uint64_t>(i) % stories;
            log.write(e, 0, &evidence);
        }
    };
    {
        auto log = open_random_log(options);
        flood(*log, 1, 50);
        CHECK(log->counters().artifacts == 3);
        flood(*log, 0, 50);
        CHECK(log->counters().artifacts == 8);
        CHECK(log->counters().artifacts_over_limit == 92);
    }
    auto log = open_random_log(options);  // the day's files of the earlier run count
    flood(*log, 100, 100);
    CHECK(log->counters().artifacts == 12);
    CHECK(artifacts_in(scratch.path()) == 20);
    log->write(test::sample_flow(1), 0, &evidence);  // ordinary: deserves none, counts nowhere
    CHECK(log->counters().artifacts_over_limit == 88);
    CHECK(log->flush().ok());
    CHECK(verifies(scratch.path()));
}

TEST_CASE("an artifact that cannot be written leaves an empty name in a line that verifies") {
    const test::scratch_directory scratch;
    test::write_text(scratch / "artifacts", "in the way");
    auto log = open_log({.directory = scratch.path()});
    log->write(test::sample_alert(), 0, &evidence);
    CHECK(log->flush().ok());
    CHECK(log->counters().artifact_failures == 1);
    CHECK(test::read_text(scratch / "2026-11-20.jsonl").find("\"artifact\":\"\"") != std::string::npos);
    CHECK(verifies(scratch.path()));
}

TEST_CASE("a file that is removed while open is made again") {
    const test::scratch_directory scratch;
    auto log = open_log({.directory = scratch.path(), .group_lines = 1});
    log->write(test::sample_flow(1), 0);
    fs::remove(scratch / "2026-11-20.jsonl");
    log->write(test::sample_flow(2), 0);
    CHECK(sequence_of(scratch.path()) == std::vector<std::uint64_t>{2});
}

TEST_CASE("countries are looked up for events that lack them") {
    const test::scratch_directory scratch;
    test::mmdb_writer writer;
    writer.add(*parse_network("203.0.113.0/24"), "NL");
    test::write_text(scratch / "c.mmdb", writer.file());
    const auto db = log::country_db::open(scratch / "c.mmdb");
    REQUIRE(db.ok());
    event e = test::sample_alert();
    e.destination_country = {};
    const std::string directory = scratch / "events";
    open_log({.directory = directory, .countries = &*db})->write(e, 0);
    const std::string line = test::read_text(directory + "/2026-11-20.jsonl");
    CHECK(line.find("\"src_country\":\"ES\",\"dst_country\":\"NL\"") != std::string::npos);
}

TEST_CASE("replaying gives the same lines but for id, artifact, chain") {
    const auto run = [](const std::string& directory) {
        {
            auto opened = log::event_log::open({.directory = directory}, test::sample_identity());
            REQUIRE(opened.ok());
            std::mt19937_64 random{5};
            for (int i = 0; i < 50; ++i) (*opened)->write(test::random_event(random), i);
        }
        std::string text;
        const auto files = log::event_files(directory);
        REQUIRE(files.ok());
        for (const std::string& path : *files) text += test::read_text(path);
        for (const std::string_view key : {"\"event_id\":\"", "\"chain\":\""}) {
            for (std::size_t at = text.find(key); at != std::string::npos; at = text.find(key, at + 1)) {
                const std::size_t value = at + key.size();
                text.erase(value, text.find('"', value) - value);
            }
        }
        return text;
    };
    const test::scratch_directory first;
    const test::scratch_directory second;
    CHECK(run(first.path()) == run(second.path()));
}

TEST_CASE("killed at any moment, the log repairs itself and no committed line is lost") {
    std::mt19937_64 random{42};
    const test::scratch_directory scratch;
    for (int round = 0; round < 8; ++round) {
        int progress[2];
        REQUIRE(::pipe(progress) == 0);
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            auto log = test_log::open({.directory = scratch.path(), .sync = log::durability::on_close},
                                      test::sample_identity());
            if (!log) ::_exit(1);
            for (std::uint64_t i = 0;; ++i) {
                (*log)->write(test::sample_flow(i % 1000), 0);
                // Tells how far it is committed; the parent kills it while it goes on.
                const std::uint64_t committed = (*log)->next_seq() - 1 - (*log)->pending_lines();
                if (i % 64 == 63 && ::write(progress[1], &committed, sizeof committed) < 0) ::_exit(1);
            }
        }
        ::close(progress[1]);
        std::uint64_t committed = 0;
        for (std::uint64_t reports = 1 + random() % 40; reports > 0; --reports) {
            REQUIRE(::read(progress[0], &committed, sizeof committed) == sizeof committed);
        }
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        ::close(progress[0]);
        const auto log = open_log({.directory = scratch.path()});
        CHECK(log->next_seq() > committed);
        const auto numbers = sequence_of(scratch.path());
        REQUIRE(numbers.size() == log->next_seq() - 1);  // nothing missing, nothing twice
        REQUIRE(verifies(scratch.path()));
    }
}

TEST_CASE("a full disk stops nothing, is counted, and writing resumes by itself") {
    // A mount name space of this process's own: the small file system is seen by nobody else.
    const test::scratch_directory scratch;
    if (::geteuid() != 0 || ::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", scratch.path().c_str(), "tmpfs", 0, "size=256k") != 0) {
        MESSAGE("not run: mounting a small file system needs root");
        return;
    }
    const std::string filler = scratch / "filler";
    const std::string directory = scratch / "events";
    {
        auto log = open_log({.directory = directory, .group_lines = 4, .max_pending_bytes = 20'000});
        for (std::uint64_t i = 0; i < 8; ++i) log->write(test::sample_flow(i), 0);
        CHECK(log->counters().lines == 8);
        test::write_text(filler, std::string(1 << 20, 'x'));  // takes what there is
        std::uint64_t lost = 0;
        std::int64_t now = 0;
        for (std::uint64_t i = 0; i < 400; ++i) {
            now += 50'000'000;
            lost += log->write(i % 50 == 0 ? test::sample_alert() : test::sample_flow(i), now, &evidence) ? 0 : 1;
        }
        CHECK(log->failing());
        CHECK(log->last_error().code == errc::disk_full);
        CHECK(log->last_error().text().find("2026-11-20.jsonl") != std::string::npos);
        CHECK(lost > 300);
        CHECK(log->counters().lost_lines == lost);
        CHECK(log->counters().write_failures > 1);
        CHECK(log->pending_lines() > 4);
        fs::remove(filler);
        const std::size_t waiting = log->pending_lines();
        const std::uint64_t before = log->counters().lines;
        log->poll(now + 1'000'000'000);
        CHECK_FALSE(log->failing());
        CHECK(log->counters().lines == before + waiting);
        for (std::uint64_t i = 0; i < 8; ++i) log->write(test::sample_flow(i), now);
        CHECK(log->pending_lines() == 0);
        CHECK(sequence_of(directory).size() == log->counters().lines);
        const auto report = log::verify_directory(directory);
        REQUIRE(report.ok());
        CHECK_FALSE(report->broken);
        CHECK(report->lost_by_sensor == lost);
    }
    CHECK(::umount2(scratch.path().c_str(), MNT_DETACH) == 0);
}
