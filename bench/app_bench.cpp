// SPDX-License-Identifier: MIT
// Cost per payload of recognising a protocol and of reading one message, for the protocols that dominate traffic and
// for the worst case of recognition: bytes that are nothing. Times are per call.
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include <core/app_samples.hpp>

namespace {

using namespace mldefender;
using namespace mldefender::test;

const frame& sample_of(app_protocol protocol) {
    for (const sample& s : samples) {
        if (s.protocol == protocol) return s.data;
    }
    return samples[0].data;
}

void read_sample(benchmark::State& state, app_protocol protocol) {
    const bytes payload = sample_of(protocol).view();
    for (auto _ : state) {
        benchmark::DoNotOptimize(payload.data());
        auto m = read_message(protocol, payload, true);
        benchmark::DoNotOptimize(m);
    }
    state.SetLabel(std::to_string(payload.size()) + " bytes");
}

void read_browser_request(benchmark::State& state) {
    const frame request = text_of(
        "GET /articles/2026/11/some-long-title-of-a-page.html?page=2&sort=date HTTP/1.1\r\nHost: www.example.org\r\n"
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\n"
        "Accept-Encoding: gzip, deflate, br\r\nConnection: keep-alive\r\nCookie: session=0123456789abcdef\r\n"
        "Upgrade-Insecure-Requests: 1\r\n\r\n");
    for (auto _ : state) {
        benchmark::DoNotOptimize(request.data.data());
        auto m = read_message(app_protocol::http, request.view(), true);
        benchmark::DoNotOptimize(m);
    }
}

void recognise_sample(benchmark::State& state, const sample* s) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(s->data.data.data());
        auto named = recognise(s->data.view(), s->transport, s->source_port, s->destination_port);
        benchmark::DoNotOptimize(named);
    }
}

void recognise_noise(benchmark::State& state, ip_protocol transport) {
    std::mt19937 random{3};
    std::vector<std::vector<std::uint8_t>> payloads(256, std::vector<std::uint8_t>(1200));
    for (auto& payload : payloads) {
        for (auto& byte : payload) byte = static_cast<std::uint8_t>(random());
    }
    std::size_t i = 0;
    for (auto _ : state) {
        auto named = recognise(payloads[i++ % payloads.size()], transport, 40000, 40001);
        benchmark::DoNotOptimize(named);
    }
}

const bool registered = [] {
    using enum app_protocol;
    for (const auto p : {dns, tls, http, ssh, smb, dcerpc, kerberos, ldap, rdp, ftp, ntp, rtp, modbus}) {
        benchmark::RegisterBenchmark(("read/" + std::string(name_of(p))).c_str(), read_sample, p);
    }
    benchmark::RegisterBenchmark("read/http_browser", read_browser_request);
    for (const sample& s : samples) {
        if (s.protocol != dns && s.protocol != tls && s.protocol != http && s.protocol != rtp && s.protocol != imap)
            continue;
        benchmark::RegisterBenchmark(("recognise/" + std::string(name_of(s.protocol))).c_str(), recognise_sample, &s);
    }
    benchmark::RegisterBenchmark("recognise/noise_tcp", recognise_noise, ip_protocol::tcp);
    benchmark::RegisterBenchmark("recognise/noise_udp", recognise_noise, ip_protocol::udp);
    return true;
}();

}  // namespace
