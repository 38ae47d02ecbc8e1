// SPDX-License-Identifier: MIT
// The settings binding: good documents reach their targets, every bad one is refused as a whole with an error that
// names the file's line, the key and the fix, and the published schema says the same as the loader.
#include <doctest/doctest.h>
#include <simdjson.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include <mldefender/settings/binding.hpp>

using namespace mldefender;

namespace {

enum class mode { off, dryrun, on };

struct sample {
    double idle_s = 120;
    std::uint16_t workers = 1;
    std::int64_t offset = -5;
    std::uint64_t secret = 0;
    float score = 0.5F;
    bool promiscuous = true;
    std::string name = "sensor";
    mode block = mode::dryrun;
    std::vector<std::string> inside{"10.0.0.0/8"};
};

settings::binding bind(sample& s) {
    settings::binding b;
    b.number("flow.idle_timeout_s", s.idle_s, {1, 86400}, "seconds without a packet that end a flow");
    b.number("flow.workers", s.workers, {1, 64}, "threads");
    b.number("offset", s.offset, {}, "a signed number");
    b.number("secret", s.secret, {}, "64 bits");
    b.number("score", s.score, {0, 1}, "a threshold");
    b.boolean("capture.promiscuous", s.promiscuous, "see other hosts' packets");
    b.text("name", s.name, "of this \"sensor\"", [](std::string_view text) {
        return text.size() < 20 ? std::string{} : std::string{"expected at most 19 characters"};
    });
    b.word("block", s.block, {{"off", mode::off}, {"dryrun", mode::dryrun}, {"on", mode::on}}, "what to do");
    b.list("inside", s.inside, "own networks", [](std::string_view text) {
        return text.find('/') != std::string_view::npos ? std::string{} : std::string{"expected a network"};
    });
    return b;
}

std::string complaint(std::string_view document) {
    sample s;
    const auto done = bind(s).load_text(document, "sensor.json");
    CHECK_FALSE(done.ok());
    return done.ok() ? "" : done.failure().text();
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("every kind of value reaches its target") {
    sample s;
    const auto done = bind(s).load_text(R"({"$schema": "x.json", "flow": {"idle_timeout_s": 2.5, "workers": 4},
        "offset": -9223372036854775808, "secret": 18446744073709551615, "score": 1,
        "capture": {"promiscuous": false}, "name": "w\u00e4chter", "block": "on", "inside": ["192.0.2.0/24", "::/0"]})",
                                        "sensor.json");
    REQUIRE(done.ok());
    CHECK(s.idle_s == 2.5);
    CHECK(s.workers == 4);
    CHECK(s.offset == INT64_MIN);
    CHECK(s.secret == UINT64_MAX);
    CHECK(s.score == 1.0F);
    CHECK_FALSE(s.promiscuous);
    CHECK(s.name ==
          "w\xc3\xa4"
          "chter");
    CHECK(s.block == mode::on);
    CHECK(s.inside == std::vector<std::string>{"192.0.2.0/24", "::/0"});
}

TEST_CASE("absent keys keep their defaults") {
    sample s;
    REQUIRE(bind(s).load_text("{}", "x").ok());
    CHECK(s.idle_s == 120);
    CHECK(s.inside.size() == 1);
}

TEST_CASE("a refused document changes nothing") {
    sample s;
    const auto done = bind(s).load_text(R"({"name": "new", "offset": 7, "score": 2})", "x");
    CHECK_FALSE(done.ok());
    CHECK(s.name == "sensor");
    CHECK(s.offset == -5);
}

TEST_CASE("unknown keys name line, path and the nearest known key") {
    const std::string text = complaint("{\n  \"flow\": {\n    \"idle_timeout\": 5\n  }\n}");
    CHECK(text == "sensor.json:3: flow.idle_timeout: unknown key; did you mean \"flow.idle_timeout_s\"?");
    CHECK(has(complaint("{\"workers\": 2}"), "did you mean \"flow.workers\"?"));
    CHECK(has(complaint("{\"completely_else\": 2}"), "completely_else: unknown key; remove it"));
}

TEST_CASE("wrong types and ranges are refused with what was expected") {
    CHECK(complaint("{\n\n\"flow\": {\"workers\": 65}}") ==
          "sensor.json:3: flow.workers: expected a whole number from 1 to 64");
    CHECK(has(complaint(R"({"flow": {"workers": 2.5}})"), "whole number"));
    CHECK(has(complaint(R"({"flow": {"workers": -1}})"), "whole number from 1 to 64"));
    CHECK(has(complaint(R"({"flow": {"workers": "2"}})"), "whole number"));
    CHECK(has(complaint(R"({"flow": {"idle_timeout_s": 0.5}})"), "expected a number from 1 to 86400"));
    CHECK(has(complaint(R"({"flow": 3})"), "flow: expected an object"));
    CHECK(has(complaint(R"({"offset": 9223372036854775808})"), "offset: expected a whole number"));
    CHECK(has(complaint(R"({"score": 1e300})"), "score: expected a number from 0 to 1"));
    CHECK(has(complaint(R"({"capture": {"promiscuous": 1}})"), "expected true or false"));
    CHECK(has(complaint(R"({"name": null})"), "expected a text"));
    CHECK(has(complaint(R"({"name": "a name that is far too long"})"), "at most 19"));
    CHECK(has(complaint(R"({"block": "yes"})"), "expected one of \"off\" \"dryrun\" \"on\""));
    CHECK(has(complaint(R"({"inside": "10.0.0.0/8"})"), "expected a list"));
    CHECK(has(complaint(R"({"inside": ["10.0.0.0/8", 5]})"), "expected a list of texts"));
    CHECK(has(complaint(R"({"inside": ["10.0.0.0"]})"), "expected a network"));
}

TEST_CASE("repeated keys are refused, also in two halves of a section") {
    CHECK(has(complaint("{\"name\": \"a\",\n \"name\": \"b\"}"), "sensor.json:2: name: is given twice"));
    CHECK(has(complaint(R"({"flow": {"workers": 1}, "flow": {"workers": 2}})"), "flow: is given twice"));
}

TEST_CASE("broken JSON is refused with the line where it breaks") {
    CHECK(has(complaint("{\n\"name\": \"a\"\n\"offset\": 1}"), "sensor.json:3: is not valid JSON"));
    CHECK(has(complaint("{\n\"name\": \"a\",\n}"), "sensor.json:3"));
    CHECK(has(complaint("{\"name\":\n\"a}"), "sensor.json:2"));
    CHECK(has(complaint("{\"name\": tru}"), "sensor.json:1"));
    CHECK(has(complaint("{} {}"), "sensor.json"));
    CHECK(has(complaint(""), "sensor.json"));
    CHECK(has(complaint("[1]"), "must be a JSON object"));
    CHECK(has(complaint("7"), "must be a JSON object"));
    CHECK(has(complaint(std::string(100000, '[')), "sensor.json:1"));
}

TEST_CASE("files: missing, a directory, a good one") {
    sample s;
    const auto missing = bind(s).load_file("no-such-file.json");
    REQUIRE_FALSE(missing.ok());
    CHECK(missing.failure().code == errc::not_found);
    CHECK(has(missing.failure().text(), "no-such-file.json: cannot open"));
    CHECK_FALSE(bind(s).load_file(".").ok());
    const std::string path = "binding_test.json";
    std::ofstream{path} << R"({"offset": 3})";
    CHECK(bind(s).load_file(path).ok());
    CHECK(s.offset == 3);
    std::remove(path.c_str());
}

TEST_CASE("the schema is valid JSON and holds every key, range and default") {
    sample s;
    const std::string schema = bind(s).json_schema("sensor \"settings\"");
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    REQUIRE(parser.parse(schema).get(root) == simdjson::SUCCESS);
    CHECK(root["additionalProperties"].get_bool().value() == false);
    auto idle = root["properties"]["flow"]["properties"]["idle_timeout_s"];
    CHECK(idle["minimum"].get_int64().value() == 1);
    CHECK(idle["maximum"].get_int64().value() == 86400);
    CHECK(idle["default"].get_int64().value() == 120);
    CHECK(root["properties"]["flow"]["additionalProperties"].get_bool().value() == false);
    CHECK(root["properties"]["block"]["enum"].at(1).get_string().value() == "dryrun");
    CHECK(root["properties"]["score"]["default"].get_double().value() == 0.5);
    CHECK(root["properties"]["inside"]["default"].at(0).get_string().value() == "10.0.0.0/8");
    CHECK(root["properties"]["name"]["description"].get_string().value() == "of this \"sensor\"");
    CHECK(bind(s).keys().size() == 9);
}
