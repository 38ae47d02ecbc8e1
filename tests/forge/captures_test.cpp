// SPDX-License-Identifier: MIT
// Lists of labelled captures are read as written or refused by line, and only flows in scope are attacks.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <mldefender/forge/captures.hpp>
#include <mldefender/forge/synth/scenario.hpp>

using namespace mldefender;

namespace {

std::string refusal(std::string_view text) {
    const auto list = forge::parse_capture_list(text, "list.tsv");
    REQUIRE(!list.ok());
    CHECK(list.failure().code == errc::bad_value);
    return list.failure().text();
}

/// The frames of a scenario, one at a time.
struct frames {
    std::vector<std::vector<std::uint8_t>> data;
    std::vector<raw_packet> packets;
    std::size_t at = 0;

    explicit frames(std::uint64_t index) {
        forge::scenario_options o;
        o.attack_share = 0;
        forge::synthesise(o, 5, index, [this](const forge::labelled_frame& f) {
            data.emplace_back(f.data.begin(), f.data.end());
            packets.push_back({f.timestamp_ns, {}, f.wire_len, link_type::ethernet});
        });
        for (std::size_t i = 0; i < data.size(); ++i) packets[i].data = data[i];
    }
    bool operator()(raw_packet& out) {
        if (at == packets.size()) return false;
        out = packets[at++];
        return true;
    }
};

}  // namespace

TEST_CASE("captures: a list is read by its columns, whatever their order") {
    const auto list = forge::parse_capture_list(
        "label\tnote\tfamily\tpath\tattack_scope\r\n"
        "benign\tx\tweb\ta.pcap\t\r\n"
        "\n"
        "attack\t\tbots\tb/c.pcap\thost:10.0.0.1 and host:2001:db8::1\n"
        "scan\t\tscans\td.pcap\tall\n"
        "mixed\t\tbots\te.pcap\n",
        "list.tsv");
    REQUIRE(list.ok());
    REQUIRE(list->size() == 4);
    CHECK((*list)[0].path == "a.pcap");
    CHECK((*list)[0].family == "web");
    CHECK((*list)[0].label == attack_class::none);
    CHECK((*list)[1].label == attack_class::anomaly);
    REQUIRE((*list)[1].hosts.size() == 2);
    CHECK((*list)[1].hosts[0] == *parse_address("10.0.0.1"));
    CHECK((*list)[1].hosts[1] == *parse_address("2001:db8::1"));
    CHECK((*list)[2].label == attack_class::scan);
    CHECK((*list)[2].hosts.empty());
    CHECK((*list)[3].hosts.empty());
}

TEST_CASE("captures: a wrong list is refused with the line") {
    CHECK(refusal("").find("the list is empty") != std::string::npos);
    CHECK(refusal("path\tlabel\n").find("no column 'family'") != std::string::npos);
    const std::string header = "path\tfamily\tlabel\tattack_scope\n";
    CHECK(refusal(header + "a\tb\tevil\tall\n").find("list.tsv:2: label 'evil'") != std::string::npos);
    CHECK(refusal(header + "a\tb\tattack\tall\na\tb\tattack\thost:10.0.0\n").find("list.tsv:3: ") != std::string::npos);
    CHECK(refusal(header + "\tb\tattack\tall\n").find("path is empty") != std::string::npos);
}

TEST_CASE("captures: flows of the hosts in scope are the attack, the others are not") {
    forge::capture_entry entry;
    entry.family = "bots";
    entry.label = attack_class::botnet;
    frames all{3};
    const auto everything = forge::rows_of_packets({1000, 1000, 100}, entry, all);
    REQUIRE(everything.size() > 20);
    for (const auto& row : everything) {
        CHECK(row.truth.label == attack_class::botnet);
        CHECK(row.truth.source == "bots");
    }
    // One host of the capture: whichever the first packet came from.
    const auto first = parse(all.packets.front(), {.any_protocol = true});
    REQUIRE(first.ok());
    entry.hosts = {first.value().tuple.source};
    frames again{3};
    const auto scoped = forge::rows_of_packets({1000, 1000, 100}, entry, again);
    CHECK(scoped.size() == everything.size());
    const auto attacks = std::count_if(scoped.begin(), scoped.end(),
                                       [](const auto& row) { return row.truth.label == attack_class::botnet; });
    CHECK(attacks > 0);
    CHECK(static_cast<std::size_t>(attacks) < scoped.size());
}
