// SPDX-License-Identifier: MIT
// live_capture.hpp in a network namespace of its own: a veth pair and the loopback interface carry a few frames which
// must arrive whole, once and with sensible times. Without the right to make namespaces only the refusals are checked.
#include <doctest/doctest.h>

#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include <mldefender/core/parse.hpp>
#include <mldefender/pcap/live_capture.hpp>

#include "support/frames.hpp"

namespace live = mldefender::pcap;
using namespace mldefender;
using namespace std::chrono_literals;

namespace {

/// Moves this thread into a fresh network namespace, and back at the end.
class own_network {
public:
    own_network() : m_home(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
        m_ready = m_home >= 0 && ::unshare(CLONE_NEWNET) == 0;
        m_ready = m_ready && run("ip link set lo up && ip link add mldv0 type veth peer name mldv1 && "
                                 "ip link set mldv0 up && ip link set mldv1 up");
        if (!m_ready) MESSAGE("no right to make a network namespace: skipped");
    }
    own_network(const own_network&) = delete;
    own_network& operator=(const own_network&) = delete;
    ~own_network() {
        if (m_home < 0) return;
        (void)::setns(m_home, CLONE_NEWNET);
        ::close(m_home);
    }
    [[nodiscard]] bool ready() const { return m_ready; }
    static bool run(const std::string& command) { return std::system((command + " 2>/dev/null").c_str()) == 0; }

private:
    int m_home = -1;
    bool m_ready = false;
};

void send_frame(const char* interface, bytes frame) {
    const int fd = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    REQUIRE(fd >= 0);
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_ifindex = static_cast<int>(::if_nametoindex(interface));
    to.sll_halen = 6;
    CHECK(::sendto(fd, frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) ==
          static_cast<ssize_t>(frame.size()));
    ::close(fd);
}

/// The next `count` UDP packets to port 9999; fewer when five seconds pass.
std::vector<packet> receive(live::live_capture& capture, std::size_t count) {
    std::vector<packet> out;
    std::array<raw_packet, 16> burst;
    const auto deadline = std::chrono::steady_clock::now() + 5s;
    while (out.size() < count && !capture.failed() && std::chrono::steady_clock::now() < deadline) {
        const std::size_t got = capture.read_burst(burst, 100ms);
        for (std::size_t i = 0; i < got; ++i) {
            const auto p = parse(burst[i]);
            if (p && p->tuple.destination_port == 9999) out.push_back(*p);
        }
    }
    return out;
}

const five_tuple talk{address::v4(192, 0, 2, 1), address::v4(192, 0, 2, 2), 1234, 9999, ip_protocol::udp};

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("frames on a wire arrive whole and counted") {
    const own_network network;
    if (!network.ready()) return;
    for (const bool immediate : {false, true}) {
        auto capture = live::live_capture::open("mldv0", {.snap_len = 1500, .filter = "udp", .immediate = immediate});
        REQUIRE_MESSAGE(capture.ok(), capture.failure().text());
        CHECK(capture->link() == link_type::ethernet);
        CHECK(capture->interface() == "mldv0");
        const auto before = std::chrono::system_clock::now().time_since_epoch();
        send_frame("mldv1", test::tcp_frame(talk, tcp_flag::syn));  // the filter leaves it out
        for (std::uint32_t i = 0; i < 40; ++i) send_frame("mldv1", test::udp_frame(talk, "some payload"));
        const std::vector<packet> got = receive(*capture, 40);
        CHECK(got.size() == 40);
        for (const packet& p : got) {
            CHECK(p.tuple == talk);
            CHECK(p.payload_len == 12);
            CHECK(std::chrono::nanoseconds(p.timestamp_ns) > before - 1s);
            CHECK(std::chrono::nanoseconds(p.timestamp_ns) < before + 10s);
        }
        CHECK(capture->counters().received >= 40);
        CHECK(capture->counters().dropped == 0);
    }
}

TEST_CASE("a snap length cuts what is kept, not what is counted") {
    const own_network network;
    if (!network.ready()) return;
    auto capture = live::live_capture::open("mldv0", {.snap_len = 64});
    REQUIRE(capture.ok());
    send_frame("mldv1", test::udp_frame(talk, std::string(500, 'x')));
    const std::vector<packet> got = receive(*capture, 1);
    REQUIRE(got.size() == 1);
    CHECK(got[0].payload_len == 500);
    CHECK(got[0].payload.size() == 64 - 42);
}

TEST_CASE("the loopback interface shows each packet once") {
    const own_network network;
    if (!network.ready()) return;
    auto capture = live::live_capture::open("lo");
    REQUIRE(capture.ok());
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (const std::uint16_t port : {std::uint16_t{9999}, std::uint16_t{9999}, std::uint16_t{9998}}) {
        to.sin_port = htons(port);
        CHECK(::sendto(fd, "x", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 1);
    }
    ::close(fd);
    std::array<raw_packet, 16> burst;
    std::size_t seen = 0;
    bool last = false;  // the packet to port 9998 was sent last: once it is there, nothing can follow
    const auto deadline = std::chrono::steady_clock::now() + 5s;
    while (!last && std::chrono::steady_clock::now() < deadline) {
        const std::size_t got = capture->read_burst(burst, 100ms);
        for (std::size_t i = 0; i < got; ++i) {
            const auto p = parse(burst[i]);
            if (p && p->tuple.protocol == ip_protocol::udp) seen += p->tuple.destination_port == 9999 ? 1 : 0;
            last = last || (p && p->tuple.destination_port == 9998);
        }
    }
    CHECK(last);
    CHECK(seen == 2);
}

TEST_CASE("an interface that goes down delivers again once it is up; one that is removed fails") {
    const own_network network;
    if (!network.ready()) return;
    auto capture = live::live_capture::open("mldv0");
    REQUIRE(capture.ok());
    REQUIRE(own_network::run("ip link set mldv0 down"));
    std::array<raw_packet, 4> burst;
    (void)capture->read_burst(burst, 10ms);  // may report the state; must not crash or wait for ever
    REQUIRE(own_network::run("ip link set mldv0 up"));
    std::vector<packet> got;
    for (int i = 0; i < 20 && got.empty(); ++i) {
        send_frame("mldv1", test::udp_frame(talk, "again"));
        const std::size_t count = capture->read_burst(burst, 100ms);
        for (std::size_t k = 0; k < count; ++k) {
            const auto p = parse(burst[k]);
            if (p && p->tuple.destination_port == 9999) got.push_back(*p);
        }
    }
    CHECK_FALSE(got.empty());
    REQUIRE(own_network::run("ip link del mldv0"));
    const auto deadline = std::chrono::steady_clock::now() + 5s;
    while (!capture->failed() && std::chrono::steady_clock::now() < deadline) (void)capture->read_burst(burst, 100ms);
    CHECK(capture->failed());
    CHECK(capture->failure().where == "mldv0");
}

TEST_CASE("what cannot be captured says why and what to do") {
    const own_network network;
    const auto unknown = live::live_capture::open("no-such-if0");
    REQUIRE_FALSE(unknown.ok());
    CHECK((unknown.failure().code == errc::not_found || unknown.failure().code == errc::permission));
    CHECK(live::live_capture::open("lo", {.snap_len = 10}).failure().code == errc::bad_argument);
    CHECK(live::live_capture::open("lo", {.buffer_bytes = 3U << 30}).failure().code == errc::bad_argument);
    std::array<raw_packet, 1> burst;
    live::live_capture nothing;
    CHECK(nothing.read_burst(burst, 0ms) == 0);
    CHECK(nothing.failure().code == errc::bad_argument);
    CHECK(nothing.counters().received == 0);
    if (!network.ready()) return;
    CHECK(contains(unknown.failure().text(), "mldv0"));
    CHECK(live::live_capture::open("lo", {.filter = "no such word"}).failure().code == errc::bad_argument);
    REQUIRE(own_network::run("ip link set mldv1 down"));
    const auto down = live::live_capture::open("mldv1");
    CHECK(down.failure().code == errc::unavailable);
    CHECK(contains(down.failure().text(), "ip link set mldv1 up"));
}
