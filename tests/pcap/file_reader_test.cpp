// SPDX-License-Identifier: MIT
// file_reader.hpp: every variety of pcap and pcapng, standard input and pipes, and damaged, foreign or empty files,
// which end with an error that names file, place and reason after the packets before the damage.
#include <doctest/doctest.h>

#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <mldefender/pcap/file_reader.hpp>

namespace files = mldefender::pcap;
using namespace mldefender;

namespace {

/// A file being put together in either byte order.
struct builder {
    bool big = false;
    std::vector<std::uint8_t> out{};

    builder& put(std::uint64_t number, int octets) {
        for (int i = 0; i < octets; ++i) {
            out.push_back(static_cast<std::uint8_t>(number >> (8 * (big ? octets - 1 - i : i))));
        }
        return *this;
    }
    builder& u16(std::uint32_t n) { return put(n, 2); }
    builder& u32(std::uint64_t n) { return put(n, 4); }
    builder& text(std::string_view s) {
        out.insert(out.end(), s.begin(), s.end());
        return *this;
    }
    builder& pad() {
        while (out.size() % 4 != 0) out.push_back(0);
        return *this;
    }
    builder& file_header(std::uint32_t magic = 0xa1b2c3d4, std::uint32_t link = 1) {
        return u32(magic).u16(2).u16(4).u32(0).u32(0).u32(65535).u32(link);
    }
    builder& record(std::uint32_t seconds, std::uint32_t fraction, std::string_view data, std::uint32_t wire = 0) {
        const auto size = static_cast<std::uint32_t>(data.size());
        return u32(seconds).u32(fraction).u32(size).u32(wire == 0 ? size : wire).text(data);
    }
    /// A block around a body built in the same byte order.
    builder& block(std::uint32_t type, const builder& body) {
        builder padded = body;
        padded.pad();
        const auto length = static_cast<std::uint32_t>(padded.out.size() + 12);
        u32(type).u32(length);
        out.insert(out.end(), padded.out.begin(), padded.out.end());
        return u32(length);
    }
    [[nodiscard]] builder body() const { return {big, {}}; }
    builder& section(std::uint32_t major = 1) {
        return block(0x0a0d0d0a, body().u32(0x1a2b3c4d).u16(major).u16(0).put(~0ULL, 8));
    }
    builder& interface(std::uint32_t link, std::uint32_t snap_len = 0) { return interface(link, snap_len, body()); }
    builder& interface(std::uint32_t link, std::uint32_t snap_len, const builder& options) {
        builder b = body().u16(link).u16(0).u32(snap_len);
        b.out.insert(b.out.end(), options.out.begin(), options.out.end());
        return block(1, b);
    }
    builder& enhanced(std::uint32_t interface, std::uint64_t time, std::string_view data, std::uint32_t wire = 0) {
        const auto size = static_cast<std::uint32_t>(data.size());
        return block(6, body()
                            .u32(interface)
                            .u32(time >> 32)
                            .u32(time & 0xffffffff)
                            .u32(size)
                            .u32(wire == 0 ? size : wire)
                            .text(data));
    }
    builder option(std::uint32_t code, std::uint32_t length, std::uint64_t value) const {
        return builder{big, out}.u16(code).u16(length).put(value, static_cast<int>(length)).pad();
    }
};

struct seen_packet {
    std::int64_t ns;
    std::string data;
    std::uint32_t wire;
    link_type link;
};

struct outcome {
    std::vector<seen_packet> packets;
    error failure;
    std::uint64_t read = 0;
};

outcome drain(files::file_reader& reader, std::size_t burst = 3) {
    outcome out;
    std::vector<raw_packet> packets(burst);
    while (const std::size_t count = reader.read_burst(packets)) {
        for (std::size_t i = 0; i < count; ++i) {
            const raw_packet& p = packets[i];
            out.packets.push_back({p.timestamp_ns, {p.data.begin(), p.data.end()}, p.wire_len, p.link});
        }
    }
    out.failure = reader.failure();
    out.read = reader.bytes_read();
    return out;
}

outcome read_all(const std::vector<std::uint8_t>& file, std::size_t burst = 3) {
    auto reader = files::file_reader::from_memory(file, "memory");
    if (!reader) return {{}, reader.failure()};
    return drain(*reader, burst);
}

/// A file that is removed again.
struct scratch_file {
    std::filesystem::path path;
    explicit scratch_file(const std::vector<std::uint8_t>& content) {
        std::string name = (std::filesystem::temp_directory_path() / "mldefender-XXXXXX").string();
        const int fd = ::mkstemp(name.data());
        REQUIRE(fd >= 0);
        ::close(fd);
        path = name;
        std::ofstream(path, std::ios::binary)
            .write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
    }
    scratch_file(const scratch_file&) = delete;
    scratch_file& operator=(const scratch_file&) = delete;
    ~scratch_file() { std::filesystem::remove(path); }
};

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("pcap in both byte orders and both resolutions") {
    for (const bool big : {false, true}) {
        for (const bool nano : {false, true}) {
            builder f{big};
            f.file_header(nano ? 0xa1b23c4d : 0xa1b2c3d4)
                .record(10, 20, "one")
                .record(0xfffffff0, 5, "", 60)
                .record(11, 0, "three", 1500);
            const outcome got = read_all(f.out);
            CHECK(got.failure.code == errc::ok);
            CHECK(got.read == f.out.size());
            REQUIRE(got.packets.size() == 3);
            CHECK(got.packets[0].ns == 10'000'000'000 + (nano ? 20 : 20'000));
            CHECK(got.packets[0].data == "one");
            CHECK(got.packets[0].wire == 3);
            CHECK(got.packets[0].link == link_type::ethernet);
            CHECK(got.packets[1].data.empty());
            CHECK(got.packets[1].wire == 60);
            CHECK(got.packets[1].ns > got.packets[0].ns);
            CHECK(got.packets[2].wire == 1500);
        }
    }
}

TEST_CASE("link types: aliases of raw IP, a frame check sequence length, unknown numbers") {
    const auto link_of = [](std::uint32_t number) {
        return read_all(builder{}.file_header(0xa1b2c3d4, number).record(1, 0, "x").out).packets.at(0).link;
    };
    CHECK(link_of(113) == link_type::linux_cooked);
    CHECK(link_of(12) == link_type::raw);
    CHECK(link_of(14) == link_type::raw);
    CHECK(link_of(101) == link_type::raw);
    CHECK(link_of(0x24000001) == link_type::ethernet);
    CHECK(link_of(147) == static_cast<link_type>(147));
}

TEST_CASE("a wire length below the captured one is a writer's mistake and raised") {
    CHECK(read_all(builder{}.file_header().record(1, 0, "four", 2).out).packets.at(0).wire == 4);
}

TEST_CASE("pcapng: enhanced, simple and old packets, unknown blocks skipped, in both byte orders") {
    for (const bool big : {false, true}) {
        builder f{big};
        f.section().interface(1, 4).interface(101);
        f.block(0x0bad, f.body().text("unknown block"));
        f.enhanced(0, 1'500'000, "first", 99).enhanced(1, 2'000'000, "second");
        f.block(3, f.body().u32(6).text("abcd"));
        f.block(2, f.body().u16(1).u16(7).u32(0).u32(3'000'000).u32(3).u32(30).text("old"));
        const outcome got = read_all(f.out);
        CHECK(got.failure.text() == "");
        REQUIRE(got.packets.size() == 4);
        CHECK(got.packets[0].ns == 1'500'000'000);
        CHECK(got.packets[0].data == "first");
        CHECK(got.packets[0].wire == 99);
        CHECK(got.packets[0].link == link_type::ethernet);
        CHECK(got.packets[1].link == link_type::raw);
        CHECK(got.packets[2].data == "abcd");  // cut to the first interface's snap length
        CHECK(got.packets[2].wire == 6);
        CHECK(got.packets[2].ns == 2'000'000'000);  // no time of its own: that of the packet before
        CHECK(got.packets[3].ns == 3'000'000'000);
        CHECK(got.packets[3].wire == 30);
        CHECK(got.packets[3].link == link_type::raw);
        CHECK(got.read == f.out.size());
    }
}

TEST_CASE("pcapng: each interface has its own clock") {
    builder f;
    const builder none;
    f.section();
    f.interface(1, 0, none.option(9, 1, 9));                                // nanoseconds
    f.interface(1, 0, none.option(9, 1, 3));                                // milliseconds
    f.interface(1, 0, none.option(9, 1, 12));                               // picoseconds
    f.interface(1, 0, none.option(9, 1, 0x80 | 10));                        // 1/1024 s
    f.interface(1, 0, none.option(9, 1, 0x80 | 40));                        // 2^-40 s
    f.interface(1, 0, none.option(14, 8, 100));                             // seconds later
    f.interface(1, 0, none.option(14, 8, static_cast<std::uint64_t>(-2)));  // seconds earlier
    f.interface(1, 0, none.option(2, 4, 0x30687465).option(9, 1, 0));       // another option before; whole seconds
    f.enhanced(0, 123, "").enhanced(1, 5, "").enhanced(2, 7000, "").enhanced(3, 1024 + 512, "");
    f.enhanced(4, (1ULL << 40) + (1ULL << 38), "").enhanced(5, 1, "").enhanced(6, 5'000'000, "").enhanced(7, 9, "");
    f.enhanced(6, 1, "").enhanced(0, ~0ULL, "").enhanced(4, ~0ULL, "");
    const outcome got = read_all(f.out);
    CHECK(got.failure.text() == "");
    std::vector<std::int64_t> times;
    for (const seen_packet& p : got.packets) times.push_back(p.ns);
    const std::int64_t latest = files::detail::latest_ns;
    CHECK(times == std::vector<std::int64_t>{123, 5'000'000, 7, 1'500'000'000, 1'250'000'000, 100'000'001'000,
                                             3'000'000'000, 9'000'000'000, 0, latest, 16'777'215'999'999'999});
}

TEST_CASE("pcapng: a new section forgets the interfaces of the one before and may turn the byte order") {
    builder first{false};
    first.section().interface(1).interface(113).enhanced(1, 1, "little");
    builder second{true};
    second.section().interface(101).enhanced(0, 2, "big");
    std::vector<std::uint8_t> both = first.out;
    both.insert(both.end(), second.out.begin(), second.out.end());
    const outcome got = read_all(both);
    CHECK(got.failure.text() == "");
    REQUIRE(got.packets.size() == 2);
    CHECK(got.packets[0].link == link_type::linux_cooked);
    CHECK(got.packets[1].link == link_type::raw);
    CHECK(got.packets[1].data == "big");

    second.enhanced(1, 3, "interface of the first section");
    both.insert(both.end(), second.out.end() - 64, second.out.end());
    CHECK(read_all(both).failure.code == errc::corrupt);
    CHECK(read_all(both).packets.size() == 2);
}

TEST_CASE("files that are no captures are refused by name") {
    const auto refused = [](std::vector<std::uint8_t> head) {
        head.resize(64);
        return read_all(head).failure;
    };
    CHECK(contains(refused({0x1f, 0x8b, 8, 0}).text(), "gunzip"));
    CHECK(contains(refused({0x28, 0xb5, 0x2f, 0xfd}).text(), "zstd"));
    CHECK(contains(refused({0xfd, '7', 'z', 'X'}).text(), "xz -dc"));
    CHECK(contains(refused({0xa1, 0xb2, 0xcd, 0x34}).text(), "Kuznetzov"));
    CHECK(contains(refused({0x34, 0xcd, 0xb2, 0xa1}).text(), "editcap"));
    CHECK(contains(refused({'s', 'n', 'o', 'o'}).text(), "snoop"));
    CHECK(refused({'%', 'P', 'D', 'F'}).code == errc::corrupt);
    CHECK(contains(refused({'%', 'P', 'D', 'F'}).text(), "neither pcap nor pcapng"));
    CHECK(read_all({}).failure.code == errc::truncated);
    CHECK(contains(read_all({}).failure.text(), "empty"));
    CHECK(read_all({0xa1, 0xb2}).failure.code == errc::truncated);
    builder old;
    old.u32(0xa1b2c3d4).u16(1).u16(0).u32(0).u32(0).u32(0).u32(1);
    CHECK(read_all(old.out).failure.code == errc::bad_version);
    CHECK(read_all(builder{}.section(9).out).failure.code == errc::bad_version);
}

TEST_CASE("every cut of a pcap delivers the whole packets before it, then says where it is cut") {
    builder f;
    f.file_header().record(1, 0, "first").record(2, 0, "second").record(3, 0, "third");
    const std::array<std::size_t, 4> ends{24, 24 + 21, 24 + 21 + 22, 24 + 21 + 22 + 21};
    for (std::size_t cut = 0; cut <= f.out.size(); ++cut) {
        const outcome got = read_all({f.out.begin(), f.out.begin() + static_cast<std::ptrdiff_t>(cut)});
        std::size_t whole = 0;
        bool at_end = false;
        for (std::size_t i = 0; i < ends.size(); ++i) {
            if (cut >= ends[i]) whole = i;
            at_end = at_end || cut == ends[i];
        }
        CAPTURE(cut);
        CHECK(got.packets.size() == (cut < 24 ? 0 : whole));
        CHECK(got.failure.code == (at_end ? errc::ok : errc::truncated));
        if (cut > 45 && cut < 67)
            CHECK(contains(got.failure.text(), "memory: at byte 45: the file ends inside a packet"));
    }
}

TEST_CASE("every cut of a pcapng ends cleanly") {
    builder f;
    f.section().interface(1).enhanced(0, 1, "first").block(0x77, f.body().text("skip me")).enhanced(0, 2, "second");
    std::size_t clean = 0;
    for (std::size_t cut = 4; cut <= f.out.size(); ++cut) {
        const outcome got = read_all({f.out.begin(), f.out.begin() + static_cast<std::ptrdiff_t>(cut)});
        CHECK((got.failure.code == errc::ok || got.failure.code == errc::truncated));
        clean += got.failure.code == errc::ok ? 1 : 0;
        if (cut == f.out.size()) CHECK(got.packets.size() == 2);
    }
    CHECK(clean == 5);  // at the end of each of the five blocks
}

TEST_CASE("damage stops the reading at its place, after the packets before it") {
    builder f;
    f.file_header().record(1, 0, "fine").u32(2).u32(0).u32(0x7fffffff).u32(10).text("garbage that follows");
    const outcome got = read_all(f.out);
    CHECK(got.packets.size() == 1);
    CHECK(got.failure.code == errc::corrupt);
    CHECK(contains(got.failure.text(), "at byte 44: a packet of 2147483647 bytes"));

    const auto ng = [](auto&& damage) {
        builder b;
        b.section().interface(1).enhanced(0, 1, "fine");
        damage(b);
        const outcome o = read_all(b.out);
        CHECK(o.packets.size() == 1);
        return o.failure;
    };
    CHECK(ng([](builder& b) { b.u32(6).u32(8).u32(8); }).code == errc::corrupt);  // too short a block
    CHECK(ng([](builder& b) { b.u32(6).u32(33).text(std::string(60, 'x')); }).code == errc::corrupt);  // unaligned
    CHECK(ng([](builder& b) { b.u32(6).u32(0x7ffffffc).text(std::string(60, 'x')); }).code == errc::corrupt);
    CHECK(ng([](builder& b) { b.u32(99).u32(0xfffffffc).text("x"); }).code ==
          errc::truncated);  // an unknown huge block
    CHECK(ng([](builder& b) { b.u32(6).u32(32).text(std::string(24, '\0')).u32(28); }).code == errc::corrupt);
    CHECK(ng([](builder& b) { b.enhanced(7, 1, "no such interface"); }).code == errc::corrupt);
    CHECK(ng([](builder& b) { b.block(6, b.body().u32(0).u32(0).u32(0).u32(500).u32(500).text("short")); }).code ==
          errc::corrupt);
    CHECK(ng([](builder& b) { b.block(1, b.body().u32(1)); }).code == errc::corrupt);
    CHECK(ng([](builder& b) { b.interface(1, 0, builder{}.option(9, 1, 99)); }).code == errc::corrupt);
    CHECK(ng([](builder& b) { b.block(0x0a0d0d0a, b.body().u32(0x12345678).u32(0).put(0, 8)); }).code == errc::corrupt);
    builder simple_only;
    simple_only.section().block(3, simple_only.body().u32(4).text("abcd"));
    CHECK(read_all(simple_only.out).failure.code == errc::corrupt);
}

TEST_CASE("files: bursts larger and smaller than the buffer, packets larger than it") {
    builder f;
    f.file_header();
    std::size_t total = 0;
    for (std::uint32_t i = 0; i < 20; ++i) {
        const std::string data(i % 5 == 0 ? 262144 : i * 997, static_cast<char>('a' + i));
        f.record(i, 0, data);
        total += data.size();
    }
    const scratch_file file(f.out);
    for (const std::size_t burst : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
        auto reader = files::file_reader::open(file.path.string());
        REQUIRE(reader.ok());
        CHECK(reader->bytes_total() == f.out.size());
        const outcome got = drain(*reader, burst);
        CHECK(got.failure.text() == "");
        CHECK(got.packets.size() == 20);
        std::size_t bytes_seen = 0;
        bool right = true;
        for (std::size_t i = 0; i < got.packets.size(); ++i) {
            bytes_seen += got.packets[i].data.size();
            right = right && got.packets[i].data == std::string(got.packets[i].data.size(), static_cast<char>('a' + i));
        }
        CHECK(right);
        CHECK(bytes_seen == total);
        CHECK(got.read == f.out.size());
    }
}

TEST_CASE("a pcapng block larger than the buffer is read whole") {
    builder f;
    const std::string large(3 << 20, 'L');
    f.section()
        .interface(1)
        .enhanced(0, 1, "a")
        .enhanced(0, 2, large)
        .block(0x99, f.body().text(large))
        .enhanced(0, 3, "b");
    const scratch_file file(f.out);
    auto reader = files::file_reader::open(file.path.string());
    REQUIRE(reader.ok());
    const outcome got = drain(*reader, 64);
    CHECK(got.failure.text() == "");
    REQUIRE(got.packets.size() == 3);
    CHECK(got.packets[1].data == large);
    CHECK(got.packets[2].data == "b");
}

TEST_CASE("next hands out one packet at a time and then its verdict") {
    const builder good = builder{}.file_header().record(1, 0, "one").record(2, 0, "two");
    auto reader = files::file_reader::from_memory(good.out);
    REQUIRE(reader.ok());
    raw_packet p;
    CHECK(reader->next(p) == files::read_status::packet);
    CHECK(reader->next(p) == files::read_status::packet);
    CHECK(p.timestamp_ns == 2'000'000'000);
    CHECK(reader->next(p) == files::read_status::end);
    CHECK(reader->next(p) == files::read_status::end);
    builder bad = good;
    bad.u32(1);
    auto damaged = files::file_reader::from_memory(bad.out);
    CHECK(damaged->next(p) == files::read_status::packet);
    CHECK(damaged->next(p) == files::read_status::packet);
    CHECK(damaged->next(p) == files::read_status::failed);
    CHECK(damaged->failed());
    files::file_reader nothing;
    CHECK(nothing.next(p) == files::read_status::end);
}

TEST_CASE("a pipe delivers packets as they come") {
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    const int saved = ::dup(STDIN_FILENO);
    REQUIRE(::dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
    ::close(ends[0]);
    const auto send = [&ends](const std::vector<std::uint8_t>& data, std::size_t from, std::size_t to) {
        CHECK(::write(ends[1], data.data() + from, to - from) == static_cast<ssize_t>(to - from));
    };
    const builder f = builder{}.file_header().record(1, 0, "one").record(2, 0, "two");
    send(f.out, 0, 24 + 19);
    auto reader = files::file_reader::open("-");
    REQUIRE(reader.ok());
    CHECK(reader->name() == "standard input");
    CHECK(reader->bytes_total() == 0);
    std::array<raw_packet, 8> burst;
    CHECK(reader->read_burst(burst) == 1);  // without waiting for more
    std::thread later([&] {
        send(f.out, 24 + 19, 24 + 19 + 17);
        send(f.out, 24 + 19 + 17, f.out.size());
        ::close(ends[1]);
    });
    CHECK(reader->read_burst(burst) == 1);
    CHECK(burst[0].data[0] == 't');
    CHECK(reader->read_burst(burst) == 0);
    CHECK_FALSE(reader->failed());
    later.join();
    ::dup2(saved, STDIN_FILENO);
    ::close(saved);
}

TEST_CASE("files that cannot be opened say why") {
    const auto missing = files::file_reader::open("/nonexistent/capture.pcap");
    REQUIRE_FALSE(missing.ok());
    CHECK(missing.failure().code == errc::not_found);
    CHECK(missing.failure().where == "/nonexistent/capture.pcap");
    CHECK(missing.failure().system_errno == ENOENT);
    const auto folder = files::file_reader::open("/");
    REQUIRE_FALSE(folder.ok());
    CHECK(folder.failure().code == errc::bad_argument);
    CHECK(contains(folder.failure().text(), "folder"));
    const auto unreadable = files::file_reader::open("/proc/self/mem");  // its first page is never mapped
    REQUIRE_FALSE(unreadable.ok());
    CHECK(unreadable.failure().code == errc::io);
    CHECK(unreadable.failure().system_errno == EIO);
    CHECK(contains(unreadable.failure().text(), "at byte 0: cannot be read"));
}
