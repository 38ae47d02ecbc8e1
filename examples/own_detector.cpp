// SPDX-License-Identifier: MIT
// A detector of your own beside the built-in forests: any type with these members joins max_threat, and the largest
// score wins. This one dislikes Telnet to the outside; two packets made here show it.
#include <array>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string_view>

#include <mldefender/core/models/internal.hpp>
#include <mldefender/core/pipeline.hpp>

using namespace mldefender;

// `answer` gives a score of 0..1 and what it would be; the thresholds say where on that scale suspicion begins.
struct telnet_abroad {
    static constexpr std::string_view name() noexcept { return "telnet_abroad"; }
    static constexpr std::string_view version() noexcept { return "1"; }
    static constexpr std::string_view hash() noexcept { return ""; }
    static constexpr float suspicious() noexcept { return 0.5F; }
    static constexpr float malicious() noexcept { return 0.9F; }
    static constexpr float confidence(float score) noexcept { return score; }
    static constexpr forest_answer answer(const feature_vector& row) noexcept {
        constexpr std::size_t port = *feature_index("destination_port");
        constexpr std::size_t external = *feature_index("responder_external");
        if (row[port] != 23 || row[external] == 0) return {};
        return {0.6F, attack_class::botnet};
    }
    static constexpr std::size_t explain(const feature_vector&, std::span<contribution>) noexcept { return 0; }
};

struct counting_sink {
    int alerts = 0;
    void write(const event& e, const flow&, const feature_vector&) {
        if (e.kind == event_kind::alert && e.story.phase == story_phase::opened) ++alerts;
    }
};

// Ethernet, IPv4 and TCP headers of a SYN from 10.0.0.5.
std::array<std::uint8_t, 54> syn_to(std::array<std::uint8_t, 4> to, std::uint8_t port) {
    std::array<std::uint8_t, 54> f{};
    f[12] = 0x08;  // IPv4
    f[14] = 0x45;
    f[17] = 40;  // total length
    f[22] = 64;
    f[23] = 6;  // TCP
    f[26] = 10;
    f[29] = 5;
    for (std::size_t i = 0; i < to.size(); ++i) f[30 + i] = to[i];
    f[34] = 0x9c;  // port 40000
    f[35] = 0x40;
    f[37] = port;
    f[46] = 0x50;
    f[47] = tcp_flag::syn;
    return f;
}

int main() {
    using detectors = max_threat<telnet_abroad, forest<models::internal>>;
    counting_sink sink;
    pipeline<detectors, counting_sink> detect{pipeline_options{}, detectors{}, sink};
    const auto web = syn_to({203, 0, 113, 7}, 80);
    const auto telnet = syn_to({203, 0, 113, 7}, 23);
    const std::int64_t now = 1'700'000'000'000'000'000;
    detect.consume(raw_packet{now, web, 54, link_type::ethernet});
    detect.consume(raw_packet{now + 1000, telnet, 54, link_type::ethernet});
    detect.finish();
    std::printf("%d story opened\n", sink.alerts);
    return sink.alerts == 1 ? 0 : 1;
}
