// SPDX-License-Identifier: MIT
// The event line: a golden line byte for byte, all 83 leaves for any event, numbers and texts that JSON cannot hold,
// and the published schema as a second judge of everything the writer can produce.
#include <doctest/doctest.h>

#include <random>
#include <set>
#include <string>

#include <mldefender/log/event_reader.hpp>
#include <mldefender/log/line_writer.hpp>

#include "support/log_events.hpp"

using namespace mldefender;

namespace {

log::line_stamp sample_stamp(std::uint64_t seq) { return {seq, log::make_uuid_v7(test::sample_time_ns, seq), {}}; }

std::string line_of(const log::line_writer& writer, const event& e, const log::line_stamp& stamp) {
    log::line_buffer buffer;
    const std::size_t chain_at = writer.append(buffer, e, stamp);
    CHECK(buffer.view().substr(chain_at, log::chain_digits) == std::string(32, '0'));
    CHECK(buffer.view().ends_with("\n"));
    return std::string{buffer.view().substr(0, buffer.size() - 1)};
}

void count_leaves(simdjson::dom::element element, const std::string& path, std::set<std::string>& leaves) {
    simdjson::dom::object members;
    if (element.get(members) != simdjson::SUCCESS) {
        leaves.insert(path);
        return;
    }
    for (const auto member : members) {
        count_leaves(member.value, path.empty() ? std::string{member.key} : path + '.' + std::string{member.key},
                     leaves);
    }
}

}  // namespace

TEST_CASE("the golden line: a change to the format has to be a decision") {
    const log::line_writer writer{test::sample_identity()};
    log::line_stamp stamp = sample_stamp(1048577);
    stamp.artifact = "artifacts/2026-11-20/x.mlda";
    const std::string expected =
        R"j({"timestamp":"2026-11-20T22:10:00.123456+0000","event_type":"alert","flow_id":1234567890123456,)j"
        R"j("in_iface":"eth0","src_ip":"192.168.1.57","src_port":51514,"dest_ip":"203.0.113.77","dest_port":443,)j"
        R"j("proto":"TCP","ip_v":4,"app_proto":"tls","community_id":"1:prbAWvfVaIOQaLo6OQtFHUZAn30=",)j"
        R"j("host":"edge-01","alert":{"action":"blocked","gid":8383,"signature_id":8383021,"rev":3,)j"
        R"j("signature":"MLD botnet: periodic beacon to a single rare host",)j"
        R"j("category":"Malware Command and Control Activity Detected","severity":1,)j"
        R"j("metadata":{"mitre_tactic_id":["TA0011"],"mitre_technique_id":["T1071.001","T1571"]}},)j"
        R"j("flow":{"start":"2026-11-20T22:09:12.123456+0000","end":"2026-11-20T22:09:59.998456+0000","age":47,)j"
        R"j("state":"established","pkts_toserver":182,"pkts_toclient":161,"bytes_toserver":20384,)j"
        R"j("bytes_toclient":9120},"tcp":{"tcp_flags":"1b"},"mld":{"schema":"mld.event/1",)j"
        R"j("event_id":"01a1fb02-633b-774f-8000-000000100001","seq":1048577,"deployment":"home","version":"0.1.0",)j"
        R"j("model":"traffic@1","model_hash":"9f86d081884c7d65","artifact":"artifacts/2026-11-20/x.mlda",)j"
        R"j("chain":"00000000000000000000000000000000","summary":"192.168.1.57 calls 203.0.113.77:443 (tls) in the )j"
        R"j(rhythm of malware reporting to its controller (score 0.91); the fast rules and the model agree; blocked )j"
        R"j(for 1 h.","verdict":"malicious","attack_class":"botnet","score":0.9134,"confidence":0.88,)j"
        R"j("priority":"high","source":"consensus","fast":{"triggered":true,"score":0.86,)j"
        R"j("reasons":["beacon_period","rare_destination"]},"ml":{"label":"botnet","score":0.9134,"level":3},)j"
        R"j("anomaly":0.42,"divergence":0.0534,"divergence_reason":"","explain":["beacon=0.97(+0.31)",)j"
        R"j("iat_std=1204.5(-0.17)"],"f":{"pps":7.146,"bps":614.6,"iat_mean_us":139925.4,"iat_std_us":1204.53,)j"
        R"j("pkt_len_mean":86.02,"pkt_len_std":41.77,"syn":1,"ack":342,"rst":0,"fin":1,"down_up_ratio":0.4474,)j"
        R"j("payload_entropy":7.412,"src_new_dsts":3,"src_new_ports":2,"src_syn_unanswered":0.015,"beacon":0.97},)j"
        R"j("ctx":{"direction":"outbound","src_country":"ES","dst_country":"NL","src_events_24h":12},)j"
        R"j("resp":{"action":"block","status":"applied","ttl":3600,"rule":"nft:inet mld block4"},)j"
        R"j("sys":{"latency_us":184,"drops":0}}})j";
    CHECK(line_of(writer, test::sample_alert(), stamp) == expected);
}

TEST_CASE("any event has all 83 leaves, each once, and reads back to the same line") {
    const log::line_writer writer{test::sample_identity()};
    std::mt19937_64 random{7};
    log::event_reader reader;
    simdjson::dom::parser parser;
    for (std::uint64_t i = 0; i < 2000; ++i) {
        const event e = test::random_event(random);
        const std::string line = line_of(writer, e, sample_stamp(i));
        std::set<std::string> leaves;
        count_leaves(parser.parse(line).value(), "", leaves);
        REQUIRE(leaves.size() == 83);
        const auto record = reader.read(line);
        REQUIRE_MESSAGE(record.ok(), record.failure().text());
        // What the line does not hold (story, ICMP type, indices) comes from the original.
        event again = record->event;
        again.story = e.story;
        again.icmp_type = e.icmp_type;
        again.interface_index = e.interface_index;
        again.model_index = e.model_index;
        if (e.kind == event_kind::flow) again.signature = {};
        log::identity who = test::sample_identity();
        log::line_stamp stamp = sample_stamp(i);
        REQUIRE(line_of(log::line_writer{who}, again, stamp) == line);
        REQUIRE(record->seq == i);
    }
}

TEST_CASE("a flow line keeps the alert leaves neutral, whatever the flow's verdict") {
    event e = test::sample_alert();
    e.kind = event_kind::flow;
    log::event_reader reader;
    const std::string line = line_of(log::line_writer{test::sample_identity()}, e, sample_stamp(1));
    const auto record = reader.read(line);
    REQUIRE(record.ok());
    CHECK(record->event.signature.id == 0);
    CHECK(record->event.signature.title.empty());
    CHECK(record->category.empty());
    CHECK(record->severity == 4);
    CHECK(record->event.tactics.empty());
    CHECK(record->event.techniques.empty());
    CHECK(record->event.verdict == verdict::malicious);
}

TEST_CASE("an alert without title or ids takes those of its class") {
    event e = test::sample_flow(1);
    e.kind = event_kind::alert;
    e.attack_class = attack_class::scan;
    log::event_reader reader;
    const std::string line = line_of(log::line_writer{test::sample_identity()}, e, sample_stamp(1));
    const auto record = reader.read(line);
    REQUIRE(record.ok());
    CHECK(record->event.signature.title == "MLD network scan");
    CHECK(record->severity == 3);
    REQUIRE(record->event.techniques.size() == 1);
    CHECK(record->event.techniques[0] == "T1046");
}

TEST_CASE("extreme values and texts that are not UTF-8 still give a valid line") {
    log::identity who = test::sample_identity();
    who.interfaces = {std::string{"wlan\xff\xfe\"0\n\0", 11}};
    who.host = "\xf0\x9f\x98";  // a cut-off character
    const log::line_writer writer{who};
    log::event_reader reader;
    for (const bool high : {false, true}) {
        const std::string line = line_of(writer, test::extreme_event(high), sample_stamp(UINT64_MAX));
        const auto record = reader.read(line);
        REQUIRE_MESSAGE(record.ok(), record.failure().text() << '\n' << line);
        CHECK(record->in_iface == std::string_view{"wlan\xef\xbf\xbd\xef\xbf\xbd\"0\n\0", 15});
        CHECK(record->host == "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
        CHECK(record->event.app_protocol == "\"\\\x01\xef\xbf\xbd\xc3\xa4");
        CHECK(record->event.score == (high ? 1.0F : 0.0F));
        CHECK(record->event.source_country == country_code{});
        CHECK(record->event.features.payload_entropy == (high ? 8.0F : 0.0F));
        CHECK(record->event.explain.size() == max_explain_items);
        CHECK(record->summary.size() <= log::max_summary_bytes);
        for (const std::string_view word : {":nan", ":-nan", ":inf", ":-inf", "=nan", "=-nan", "=inf", "=-inf"}) {
            CHECK(line.find(word) == std::string::npos);
        }
    }
}

TEST_CASE("an index without a name is written as an empty name") {
    event e = test::sample_flow(1);
    e.interface_index = 99;
    e.model_index = 99;
    log::event_reader reader;
    const std::string line = line_of(log::line_writer{test::sample_identity()}, e, sample_stamp(1));
    const auto record = reader.read(line);
    REQUIRE(record.ok());
    CHECK(record->in_iface.empty());
    CHECK(record->model.empty());
    CHECK(record->model_hash.empty());
}

TEST_CASE("lines satisfy the published schema, and the schema refuses what is not one") {
    const test::scratch_directory scratch;
    const log::line_writer writer{test::sample_identity()};
    std::mt19937_64 random{11};
    std::string lines;
    for (std::uint64_t i = 0; i < 300; ++i)
        lines += line_of(writer, test::random_event(random), sample_stamp(i)) + '\n';
    for (const bool high : {false, true}) {
        lines += line_of(writer, test::extreme_event(high), sample_stamp(1)) + '\n';
    }
    const std::string path = scratch / "lines.jsonl";
    test::write_text(path, lines);
    const int status = test::validate_events(path, scratch / "out");
    CHECK_MESSAGE(status == 0, test::read_text(scratch / "out"));

    const std::string good = line_of(writer, test::sample_alert(), sample_stamp(1));
    const auto refused = [&](std::string_view from, std::string_view to) {
        std::string bad = good;
        bad.replace(bad.find(from), from.size(), to);
        test::write_text(path, bad + '\n');
        return test::validate_events(path, scratch / "out") == 1;
    };
    CHECK(refused("\"sys\":{", "\"sys\":{\"more\":1,"));
    CHECK(refused("\"host\":\"edge-01\",", ""));
    CHECK(refused("\"ip_v\":4", "\"ip_v\":5"));
    CHECK(refused("\"score\":0.9134", "\"score\":1.5"));
    CHECK(refused("\"score\":0.9134", "\"score\":NaN"));
    CHECK(refused("192.168.1.57\",\"src_port\"", "192.168.1.357\",\"src_port\""));
}

TEST_CASE("event ids sort by time and are of version 7") {
    const auto text = [](std::int64_t time_ns, std::uint64_t random) {
        std::array<char, 36> out{};
        log::make_uuid_v7(time_ns, random).write(out);
        return std::string{out.begin(), out.end()};
    };
    CHECK(text(0, 0) == "00000000-0000-7000-8000-000000000000");
    CHECK(text(-5, UINT64_MAX) == "00000000-0000-7000-bfff-ffffffffffff");
    // RFC 9562, appendix A.6: Tuesday, February 22, 2022 2:22:22.00 PM GMT-05:00
    CHECK(text(1645557742000'000'000, 0x18C4DC0C0C07398F) == "017f22e2-79b0-7000-98c4-dc0c0c07398f");
    std::string before;
    for (std::int64_t t = test::sample_time_ns; t < test::sample_time_ns + 3'000'000; t += 1000) {
        const std::string now = text(t, 0);
        CHECK(now > before);
        before = now;
    }
    log::sodium_random random;
    std::set<std::uint64_t> drawn;
    for (int i = 0; i < 1000; ++i) drawn.insert(random());
    CHECK(drawn.size() == 1000);
}
