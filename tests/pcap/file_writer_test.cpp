// SPDX-License-Identifier: MIT
// file_writer.hpp: what is written reads back the same, and disks that are full or packets that do not fit are errors.
#include <doctest/doctest.h>

#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include <mldefender/pcap/file_reader.hpp>
#include <mldefender/pcap/file_writer.hpp>

#include "support/frames.hpp"

namespace files = mldefender::pcap;
using namespace mldefender;

namespace {

std::string scratch_path(const char* name) {
    return (std::filesystem::temp_directory_path() / (std::string("mldefender-") + std::to_string(::getpid()) + name))
        .string();
}

}  // namespace

TEST_CASE("what is written reads back the same") {
    const std::string path = scratch_path("roundtrip.pcap");
    const test::frame a = test::tcp_frame({address::v4(1, 2, 3, 4), address::v4(5, 6, 7, 8), 1, 2}, tcp_flag::syn);
    const test::frame b = test::udp_frame({address::v4(1, 2, 3, 4), address::v4(5, 6, 7, 8), 1, 2}, "payload");
    {
        auto writer = files::file_writer::open(path, link_type::linux_cooked);
        REQUIRE(writer.ok());
        for (int i = 0; i < 10000; ++i) {
            raw_packet p = test::raw_of(i % 2 == 0 ? a : b, 1'700'000'000'123'456'789 + i, link_type::linux_cooked);
            p.wire_len += 1000;
            REQUIRE(writer->write(p).ok());
        }
        CHECK(writer->close().ok());
        CHECK(writer->close().ok());
        CHECK(writer->write(test::raw_of(a, 0, link_type::linux_cooked)).failure().code == errc::bad_argument);
    }
    auto reader = files::file_reader::open(path);
    REQUIRE(reader.ok());
    raw_packet p;
    std::int64_t count = 0;
    bool same = true;
    while (reader->next(p) == files::read_status::packet) {
        const test::frame& expected = count % 2 == 0 ? a : b;
        same = same && p.timestamp_ns == 1'700'000'000'123'456'789 + count && p.link == link_type::linux_cooked &&
               p.wire_len == expected.size + 1000 &&
               std::equal(p.data.begin(), p.data.end(), expected.view().begin(), expected.view().end());
        ++count;
    }
    CHECK(same);
    CHECK(count == 10000);
    CHECK_FALSE(reader->failed());
    std::filesystem::remove(path);
}

TEST_CASE("the snap length cuts bytes, not the wire length; an unclosed writer still writes") {
    const std::string path = scratch_path("snap.pcap");
    const test::frame f =
        test::udp_frame({address::v4(1, 2, 3, 4), address::v4(5, 6, 7, 8), 1, 2}, std::string(200, 'x'));
    {
        auto writer = files::file_writer::open(path, link_type::ethernet, 64);
        REQUIRE(writer.ok());
        CHECK(writer->write(test::raw_of(f)).ok());
    }
    auto reader = files::file_reader::open(path);
    raw_packet p;
    REQUIRE(reader->next(p) == files::read_status::packet);
    CHECK(p.data.size() == 64);
    CHECK(p.wire_len == f.size);
    std::filesystem::remove(path);
}

TEST_CASE("a full disk is an error, never silence") {
    const test::frame f = test::udp_frame({address::v4(1, 2, 3, 4), address::v4(5, 6, 7, 8), 1, 2}, "x");
    auto writer = files::file_writer::open("/dev/full");
    REQUIRE(writer.ok());
    CHECK(writer->write(test::raw_of(f)).ok());
    const auto flushed = writer->flush();
    REQUIRE_FALSE(flushed.ok());
    CHECK(flushed.failure().code == errc::disk_full);
    CHECK(flushed.failure().where == "/dev/full");
    CHECK(flushed.failure().system_errno == ENOSPC);
    CHECK(writer->close().failure().code == errc::disk_full);
}

TEST_CASE("packets that do not belong into the file are refused") {
    auto writer = files::file_writer::open("/dev/null");
    REQUIRE(writer.ok());
    const test::frame f;
    CHECK(writer->write(test::raw_of(f, 0, link_type::raw)).failure().code == errc::bad_argument);
    CHECK(writer->write(test::raw_of(f, -1)).failure().code == errc::bad_value);
    CHECK(writer->write(test::raw_of(f, (std::int64_t{1} << 32) * 1'000'000'000)).failure().code == errc::bad_value);
    CHECK(writer->write(test::raw_of(f, (std::int64_t{1} << 32) * 1'000'000'000 - 1)).ok());
    CHECK(files::file_writer::open("/dev/null", link_type::ethernet, 0).failure().code == errc::bad_argument);
    CHECK(files::file_writer::open("/nonexistent/x.pcap").failure().code == errc::io);
    files::file_writer nothing;
    CHECK(nothing.write(test::raw_of(f)).failure().code == errc::bad_argument);
}

TEST_CASE("a writer can be moved") {
    const std::string path = scratch_path("moved.pcap");
    const test::frame f = test::udp_frame({address::v4(1, 2, 3, 4), address::v4(5, 6, 7, 8), 1, 2}, "x");
    {
        files::file_writer writer;
        writer = files::file_writer::open(path).value();
        CHECK(writer.write(test::raw_of(f)).ok());
    }
    auto reader = files::file_reader::open(path);
    raw_packet p;
    CHECK(reader->next(p) == files::read_status::packet);
    CHECK(reader->next(p) == files::read_status::end);
    std::filesystem::remove(path);
}
