// SPDX-License-Identifier: MIT
// Events for the tests of the log: a typical alert, random ones of every kind, extreme ones; a random source that
// counts; a scratch directory that removes itself; programs run through the shell.
#pragma once

#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <random>
#include <string>
#include <string_view>

#include <mldefender/core/event.hpp>
#include <mldefender/log/identity.hpp>

namespace mldefender::test {

inline log::identity sample_identity() {
    return {"edge-01", "home", {"eth0", "eth1"}, {{"traffic@1", "9f86d081884c7d65"}, {"ddos@1", "0011223344556677"}}};
}

/// 2026-11-20T22:10:00.123456789 UTC
inline constexpr std::int64_t sample_time_ns = 1795212600123456789;

inline event sample_alert() {
    event e;
    e.kind = event_kind::alert;
    e.timestamp_ns = sample_time_ns;
    e.flow_id = 1234567890123456;
    e.tuple = {address::v4(192, 168, 1, 57), address::v4(203, 0, 113, 77), 51514, 443, ip_protocol::tcp};
    e.app_protocol = "tls";
    e.signature = {8383021, 3, "MLD botnet: periodic beacon to a single rare host"};
    e.techniques.push("T1071.001");
    e.techniques.push("T1571");
    e.flow = {sample_time_ns - 48'000'000'000,
              sample_time_ns - 125'000'000,
              182,
              161,
              20384,
              9120,
              flow_state::established,
              0x1b};
    e.attack_class = attack_class::botnet;
    e.ml_label = attack_class::botnet;
    e.ml_level = 3;
    e.fast_triggered = true;
    e.score = 0.9134F;
    e.confidence = 0.88F;
    e.fast_score = 0.86F;
    e.ml_score = 0.9134F;
    e.anomaly = 0.42F;
    e.fast_reasons.push("beacon_period");
    e.fast_reasons.push("rare_destination");
    e.explain.push({"beacon", 0.97F, 0.31F});
    e.explain.push({"iat_std", 1204.5F, -0.17F});
    e.features = {7.146, 614.6, 139925.4, 1204.53, 86.02F, 41.77F, 1, 342, 0, 1, 0.4474, 7.412F, 3, 2, 0.015F, 0.97F};
    e.direction = flow_direction::outbound;
    e.source_country = {{'E', 'S'}};
    e.destination_country = {{'N', 'L'}};
    e.source_events_24h = 12;
    e.response = {response_action::block, response_status::applied, 3600, "nft:inet mld block4"};
    e.latency_us = 184;
    decide(e);
    return e;
}

/// A benign flow line, `number` milliseconds after the sample.
inline event sample_flow(std::uint64_t number) {
    event e;
    e.timestamp_ns = sample_time_ns + static_cast<std::int64_t>(number) * 1'000'000;
    e.flow_id = number;
    e.tuple = {address::v4(192, 168, 1, 20), address::v4(192, 168, 1, 1), 40000, 53, ip_protocol::udp};
    e.app_protocol = "dns";
    e.score = 0.02F;
    decide(e);
    return e;
}

/// An event with every number at one end of its type and texts that need all kinds of escaping.
inline event extreme_event(bool high) {
    const float not_finite = high ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
    const double number = high ? std::numeric_limits<double>::max() : -std::numeric_limits<double>::max();
    const std::uint32_t count = high ? 0xffffffffU : 0;
    const std::uint64_t total = high ? UINT64_MAX : 0;
    event e;
    e.kind = event_kind::alert;
    e.timestamp_ns = high ? INT64_MAX : INT64_MIN + 1000;
    e.flow_id = total;
    e.tuple = {{0x2001'0db8'1111'2222, 0x3333'4444'5555'6666},
               {0x2001'0db8'aaaa'bbbb, 0xcccc'dddd'eeee'ffff},
               65535,
               65535,
               ip_protocol::icmpv6};
    e.ip_version = 6;
    e.app_protocol = "\"\\\x01\xff\xc3\xa4";
    e.signature = {count, count, "\n\t\x7f\xed\xa0\x80\xf0\x9f\x98\x80 \xc0\xaf"};
    for (std::size_t i = 0; i < max_attack_ids; ++i) e.techniques.push("T1071.001");
    e.flow = {
        e.timestamp_ns, high ? INT64_MIN + 1000 : INT64_MAX, total, total, total, total, flow_state::closed, 0xff};
    if (high) std::swap(e.flow.start_ns, e.flow.end_ns);
    e.attack_class = attack_class::bruteforce;
    e.ml_level = high ? 255 : 0;
    e.score = e.confidence = e.fast_score = e.anomaly = not_finite;
    for (std::size_t i = 0; i < max_fast_reasons; ++i) e.fast_reasons.push("\x1f\x1f\x1f\x1f\x1f\x1f\x1f\x1f");
    for (std::size_t i = 0; i < max_explain_items; ++i) {
        e.explain.push({"a_feature", i % 2 == 0 ? not_finite : -not_finite, high ? -3e38F : 3e38F});
    }
    e.features = {number,
                  number,
                  number,
                  number,
                  high ? 3e38F : -1,
                  high ? 3e38F : -1,
                  count,
                  count,
                  count,
                  count,
                  number,
                  high ? 99.0F : -1,
                  count,
                  count,
                  not_finite,
                  not_finite};
    e.source_country = {{'a', '\0'}};
    e.destination_country = {{'\xff', 'X'}};
    e.source_events_24h = count;
    e.response = {response_action::quarantine, response_status::dryrun, count, "\xf8\x88"};
    e.story = {total, total, count, count, story_phase::refreshed, false};
    e.latency_us = count;
    e.drops = total;
    decide(e);
    return e;
}

/// A random event; texts are printable, so that reading it back gives the same texts.
inline event random_event(std::mt19937_64& random) {
    const auto below = [&random](std::uint64_t bound) { return random() % bound; };
    const auto part = [&random] { return static_cast<float>(random() % 10001) / 10000.0F; };
    constexpr std::array protocols{ip_protocol::icmp,
                                   ip_protocol::tcp,
                                   ip_protocol::udp,
                                   ip_protocol::icmpv6,
                                   ip_protocol::sctp,
                                   ip_protocol::gre,
                                   static_cast<ip_protocol>(255)};
    event e;
    e.kind = static_cast<event_kind>(below(2));
    e.timestamp_ns = sample_time_ns + static_cast<std::int64_t>(below(100'000'000'000'000));
    e.flow_id = random();
    const bool v4 = below(2) == 0;
    const auto host = [&] {
        return v4 ? address::v4(static_cast<std::uint32_t>(random())) : address{random(), random()};
    };
    e.tuple = {host(), host(), static_cast<std::uint16_t>(random()), static_cast<std::uint16_t>(random()),
               protocols[below(protocols.size())]};
    e.ip_version = v4 ? 4 : 6;
    e.icmp_type = static_cast<std::uint8_t>(random());
    e.interface_index = static_cast<std::uint16_t>(below(3));
    e.model_index = static_cast<std::uint8_t>(below(3));
    e.direction = static_cast<flow_direction>(below(4));
    e.app_protocol = below(2) == 0 ? "http" : "";
    e.signature = {static_cast<std::uint32_t>(random()), 1, below(2) == 0 ? "a title" : ""};
    e.flow = {e.timestamp_ns - static_cast<std::int64_t>(below(9'000'000'000)),
              e.timestamp_ns,
              below(1000),
              below(1000),
              random(),
              random(),
              static_cast<flow_state>(below(4)),
              static_cast<std::uint8_t>(random())};
    e.attack_class = static_cast<attack_class>(below(attack_class_count));
    e.ml_label = static_cast<attack_class>(below(attack_class_count));
    e.ml_level = static_cast<std::uint8_t>(1 + below(3));
    e.fast_triggered = below(2) == 0;
    e.score = part();
    e.confidence = part();
    e.fast_score = part();
    e.ml_score = part();
    e.anomaly = part();
    for (std::size_t i = below(max_fast_reasons + 1); i > 0; --i) e.fast_reasons.push("syn_flood");
    for (std::size_t i = below(max_explain_items + 1); i > 0; --i) {
        e.explain.push({"flow_duration", static_cast<float>(below(100000)) / 7.0F, part() - 0.5F});
    }
    e.features = {static_cast<double>(below(1'000'000)) / 3,
                  static_cast<double>(below(1'000'000'000)) / 7,
                  1.5,
                  2.25,
                  60,
                  1.5F,
                  1,
                  2,
                  3,
                  4,
                  0.5,
                  7.9F,
                  5,
                  6,
                  part(),
                  part()};
    e.response.action = static_cast<response_action>(below(5));
    e.response.status = static_cast<response_status>(below(5));
    e.response.ttl_s = static_cast<std::uint32_t>(below(100'000));
    e.story = {below(5),
               below(100'000),
               static_cast<std::uint32_t>(below(1000)),
               static_cast<std::uint32_t>(below(100'000)),
               static_cast<story_phase>(below(4)),
               below(2) == 0};
    decide(e);
    return e;
}

/// Deterministic instead of random: 1, 2, 3...
struct counting_random {
    std::uint64_t last = 0;
    std::uint64_t operator()() noexcept { return ++last; }
};

/// An empty directory that is removed with its content at the end of the scope.
class scratch_directory {
public:
    scratch_directory() {
        std::string name = (std::filesystem::temp_directory_path() / "mldefender-test-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) std::abort();
        m_path = name;
    }
    scratch_directory(const scratch_directory&) = delete;
    scratch_directory& operator=(const scratch_directory&) = delete;
    ~scratch_directory() {
        std::error_code ignored;
        std::filesystem::remove_all(m_path, ignored);
    }
    [[nodiscard]] const std::string& path() const noexcept { return m_path; }
    [[nodiscard]] std::string operator/(std::string_view name) const { return m_path + '/' + std::string{name}; }

private:
    std::string m_path;
};

inline std::string read_text(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

inline void write_text(const std::string& path, std::string_view text) {
    std::ofstream{path, std::ios::binary | std::ios::trunc} << text;
}

/// Exit status of scripts/validate-events over a directory or file; its output goes to `output`.
inline int validate_events(const std::string& path, const std::string& output) {
    const char* const source = std::getenv("MLDEFENDER_SOURCE_DIR");
    const std::string root =
        source != nullptr ? source
                          : std::filesystem::absolute(__FILE__).parent_path().parent_path().parent_path().string();
    const int status =
        std::system(("python3 '" + root + "/scripts/validate-events' '" + path + "' > '" + output + "' 2>&1").c_str());
    return status < 0 ? -1 : (status >> 8) & 0xff;
}

}  // namespace mldefender::test
