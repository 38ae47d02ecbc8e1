// SPDX-License-Identifier: MIT
// app/oddity.hpp and what sets its signs in app/traffic.hpp: each sign by the least that shows it, beside the ordinary
// thing it is to be told from; and a host that gathers signs until an alert, seen through the whole pipeline.
#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <mldefender/core/app/traffic.hpp>
#include <mldefender/core/pipeline.hpp>

#include "app_samples.hpp"
#include "support/packets.hpp"
#include "support/recording_sink.hpp"
#include "support/traffic.hpp"

using namespace mldefender;
using namespace mldefender::test;
using enum oddity;

namespace {

// Reads payloads of one TCP flow; each continues its direction's sequence.
struct talk {
    explicit talk(std::uint16_t port = 80) : way(tuple_of(ip_protocol::tcp, 40000, port)) {}
    std::uint32_t say(bytes payload, bool forward, std::uint32_t lost = 0) {
        packet p = packet_of(forward ? way : way.reversed(), 0, static_cast<std::uint32_t>(payload.size()));
        p.payload = payload;
        std::uint32_t& seq = forward ? mine : yours;
        seq += lost;
        p.tcp_seq = seq;
        seq += p.payload_len;
        return read_payload(t, p, forward).oddities;
    }
    std::uint32_t ask(const std::string& text) { return say(text_of(text), true); }
    std::uint32_t answer(const std::string& text) { return say(text_of(text), false); }
    five_tuple way;
    app_traffic t;
    std::uint32_t mine = 1, yours = 1;
};

template <class... Signs>
constexpr std::uint32_t mask(Signs... signs) {
    return (0U | ... | bit_of(signs));
}

const std::string head = "Host: www.example\r\n";
const std::string browser = head + "User-Agent: Mozilla/5.0 (X11)\r\n";
const std::string page = browser + "Accept: text/html\r\nAccept-Language: en\r\n";
const std::string form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n";

std::uint32_t asked(const std::string& line, const std::string& headers) {
    return talk{}.ask(line + " HTTP/1.1\r\n" + headers + "\r\n");
}
// Signs of an answer to an ordinary program's request.
std::uint32_t answered(const std::string& headers, const frame& body, const std::string& more = {}) {
    talk l;
    l.ask("GET / HTTP/1.1\r\nUser-Agent: tool\r\n" + more + head + "\r\n");
    return l.say(join(text_of("HTTP/1.1 200 OK\r\n" + headers + "\r\n"), body), false);
}
frame noise(std::size_t count) {
    frame f;
    dice random{7};
    f.u8(1);
    while (f.size < count) f.u8(static_cast<unsigned>(random.below(256)));
    return f;
}

}  // namespace

TEST_CASE("weights add up, and signs of the channel count once") {
    static_assert(weight_of(0) == 0);
    static_assert(weight_of(bit_of(posed_request)) == 2);
    static_assert(weight_of(mask(posed_request, posed_post, unasked_form)) == 5);
    static_assert(weight_of(mask(odd_port)) == 1);
    static_assert(weight_of(mask(odd_port, tls_nameless, tls_self_signed, own_protocol)) == 1);
    static_assert(weight_of(mask(own_address, mail_out, file_out)) == 2);
    static_assert(weight_of(~0U) > 20);  // bits without a sign weigh nothing
    for (std::size_t i = 0; i < oddity_count; ++i) {
        CHECK_FALSE(oddities[i].name.empty());
        CHECK(weight_of(1U << i) >= 1);
        CHECK(weight_of(1U << i) <= 5);
    }
}

TEST_CASE("a browser's name without a browser's headers") {
    CHECK(asked("GET /", page) == 0);
    CHECK(asked("GET /", browser) == mask(posed_request));
    CHECK(asked("GET /", browser + "Referer: http://b.example/\r\n") == 0);
    CHECK(asked("GET /", browser + "Cookie: a=b\r\n") == 0);
    CHECK(asked("GET /x.ico", browser) == 0);
    CHECK(asked("GET /", browser + "Accept: */*\r\nAccept-Language: en\r\n") == mask(posed_request));
    CHECK(asked("POST /", browser + "Accept: */*\r\nAccept-Language: en\r\n") == 0);
    CHECK(asked("POST /", browser + form) == mask(posed_request, posed_post, unasked_form));
    CHECK(asked("POST /", browser + "Content-Type: application/octet-stream\r\n") == mask(posed_request, posed_post));
    CHECK(asked("POST /", browser + "Content-Type: application/json\r\n") == mask(posed_request));
    CHECK(asked("POST /", browser + "Content-Type: application/ocsp-request\r\n") == mask(posed_request));
    CHECK(talk{}.ask("GET / HTTP/1.1\r\n" + browser) == 0);  // the rest of the head is still to come
}

TEST_CASE("requests without a name, forms without a page, addresses and jumbles for names") {
    const std::string tool = head + "User-Agent: tool\r\n";
    CHECK(asked("GET /", tool) == 0);
    CHECK(asked("GET /", head) == mask(nameless_request));
    CHECK(asked("POST /", tool + form) == mask(unasked_form));
    CHECK(asked("POST /", tool + form + "Origin: http://www.example\r\n") == 0);
    CHECK(asked("GET /", "Host: 203.0.113.9\r\nUser-Agent: tool\r\n") == mask(host_address));
    CHECK(asked("GET /", "Host: q7x2k9m4.example\r\nUser-Agent: tool\r\n") == mask(random_name));
    CHECK(asked("PROPFIND /", tool + "Depth: 1\r\n") == mask(foreign_share));
}

TEST_CASE("answers that are not what they claim") {
    const std::string html = "Content-Type: text/html\r\n", data = "Content-Type: application/octet-stream\r\n";
    CHECK(answered(html, text_of("<html>")) == 0);
    CHECK(answered(html, text_of("203.0.113.9")) == mask(own_address));
    CHECK(answered(html, noise(256)) == mask(disguised));
    CHECK(answered(html, frame{}.be32(1).zeros(60)) == mask(disguised));
    CHECK(answered(html + "Content-Encoding: gzip\r\n", noise(256)) == 0);
    CHECK(answered(data, noise(256)) == mask(unreadable));
    CHECK(answered(data, frame{}.be32(1).zeros(60)) == 0);
    CHECK(answered(data, text_of("PK\x03\x04 and more")) == mask(package));
    CHECK(answered(data, text_of("PK\x03\x04 and more"), "Referer: http://b.example/\r\n") == 0);
    CHECK(answered("Content-Type: image/png\r\n", text_of("MZ\x90 and more")) == mask(package, disguised));
    CHECK(answered("Content-Type: image/png\r\n", text_of("\x89PNG and more")) == 0);
    CHECK(answered("Transfer-Encoding: chunked\r\n" + html, text_of("c\r\nMZ\x90 and more")) ==
          mask(package, disguised));
}

TEST_CASE("a body that comes in a segment of its own is found by its place") {
    const std::string start = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n";
    const auto signs = [&](std::uint32_t lost, bool forward) {
        talk l;
        l.ask("GET / HTTP/1.1\r\nUser-Agent: tool\r\n" + head + "\r\n");
        CHECK(l.answer(start) == 0);
        return l.say(noise(256), forward, lost);
    };
    CHECK(signs(0, false) == mask(disguised));
    CHECK(signs(100, false) == 0);  // the beginning was lost
    CHECK(signs(0, true) == 0);
}

TEST_CASE("what is not there any more") {
    const auto signs = [](const std::string& request, int code) {
        talk l;
        l.ask(request);
        return l.answer("HTTP/1.1 " + std::to_string(code) + " x\r\nContent-Length: 0\r\n\r\n");
    };
    CHECK(signs("GET / HTTP/1.1\r\n" + page + "\r\n", 404) == 0);
    CHECK(signs("GET / HTTP/1.1\r\n" + browser + "\r\n", 404) == mask(not_there));
    CHECK(signs("GET / HTTP/1.1\r\n" + browser + "\r\n", 200) == 0);
    CHECK(signs("GET / HTTP/1.1\r\n" + browser + "\r\n", 500) == 0);
    CHECK(signs("POST / HTTP/1.1\r\n" + head + form + "\r\na=b", 403) == mask(not_there, lost_post));
}

TEST_CASE("hellos: no name, no newer version, a port of its own") {
    const auto hello = [](std::uint16_t port, const frame& extensions) {
        return talk{port}.say(client_hello(extensions), true);
    };
    const frame named = server_name_extension("host.example");
    CHECK(hello(443, named) == 0);
    CHECK(hello(8443, named) == 0);
    CHECK(hello(4444, named) == mask(odd_port));
    CHECK(hello(443, tls_extension(10, frame{}.be16(0))) == mask(tls_nameless));
    CHECK(hello(443, join(named, tls_extension(43, frame{}.u8(2).be16(0x0301)))) == mask(tls_obsolete));
    CHECK(hello(443, join(named, tls_extension(43, frame{}.u8(4).be16(0x0304).be16(0x0301)))) == 0);
}

TEST_CASE("streams in a protocol nobody knows") {
    const frame question = frame{}.be32(0x01000000).be32(0x97fe55aa), reply = frame{}.be32(0x02000000).be32(0x11eecc88);
    talk own{5555};
    CHECK(own.say(question, true) == 0);
    CHECK(own.say(reply, false) == mask(own_protocol));
    CHECK(own.say(question, true) == 0);  // once
    talk low{555};
    CHECK((low.say(question, true) | low.say(reply, false)) == 0);
    const std::string stub = "MZ" + std::string(76, 'x') + "This program cannot be run in DOS mode.";
    CHECK((talk{5555}.answer(stub) & mask(raw_program)) != 0);
    CHECK((talk{5555}.answer("\x01\x02\x03\x04" + stub) & mask(raw_program)) != 0);
    CHECK((talk{5555}.answer("MZ" + std::string(300, 'x')) & mask(raw_program)) == 0);
    CHECK((talk{5555}.ask("Microsoft Windows [Version 10.0.1]\r\n") & mask(raw_shell)) != 0);
    CHECK((talk{5555}.ask("uid=0(root) gid=0(root)\n") & mask(raw_shell)) != 0);
    CHECK((talk{5555}.ask("uid=7&gid=8") & mask(raw_shell)) == 0);
    CHECK((talk{3333}.ask("{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}\n") & mask(mining)) != 0);
    CHECK((talk{3333}.ask("{\"method\":\"login\",\"params\":{\"agent\":\"x\"}}\n") & mask(mining)) != 0);
    CHECK((talk{3333}.ask("{\"method\":\"login\",\"params\":{}}\n") & mask(mining)) == 0);
}

TEST_CASE("chat, mail and files handed out") {
    CHECK(talk{6667}.ask("NICK someone\r\nUSER a b c :d\r\n") == mask(chat));
    talk mail{25};
    mail.answer("220 mail ESMTP ready\r\n");
    CHECK(mail.ask("EHLO me\r\n") == 0);
    CHECK(mail.ask("MAIL FROM:<a@b.example>\r\n") == mask(mail_out));
    talk files{21};
    files.answer("220 ready\r\n");
    CHECK(files.ask("RETR x\r\n") == 0);
    CHECK(files.ask("STOR x\r\n") == mask(file_out));
}

namespace {

struct run {
    explicit run(const capture& c) {
        pipeline_options o;
        o.flows.capacity = 4096;
        o.windows.hosts = o.windows.pairs = 2048;
        o.stories.capacity = 512;
        o.logging = flow_logging::all;
        const auto p = std::make_unique<pipeline<calm_forests, recording_sink>>(o, calm_forests{}, sink);
        const auto packets = c.packets();
        p->consume(packets);
        p->finish();
    }
    [[nodiscard]] std::size_t flagged() const {
        std::size_t count = 0;
        for (const event& e : sink.flows) count += e.verdict != verdict::benign;
        return count;
    }
    recording_sink sink;
};

struct visit {
    std::int64_t after_s;
    std::string request;
    std::string answer;
};
capture visits(const std::vector<visit>& list, const address& to = server) {
    capture c;
    std::uint16_t port = 50000;
    for (const visit& v : list) {
        converse(c, tuple_of(ip_protocol::tcp, port++, 80, client, to), epoch_ns + v.after_s * second, 1, 100 * ms,
                 v.request, v.answer);
    }
    return c;
}

const std::string mine = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n203.0.113.9";
const std::string fine = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>";
const std::string gone = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
const visit own{0, "GET / HTTP/1.1\r\n" + browser + "\r\n", mine};

}  // namespace

TEST_CASE("one host's signs add up over its flows to an alert; alone they stay below") {
    const std::string check_in = "POST /c HTTP/1.1\r\n" + head + form + "\r\na=b";
    const visit lost{60, check_in, gone}, kept{60, check_in, fine};
    CHECK(run{visits({own})}.flagged() == 0);
    CHECK(run{visits({lost})}.sink.alerts.size() >= 1);  // nameless, unasked, lost
    CHECK(run{visits({kept})}.flagged() == 0);
    const run together{visits({own, kept})};
    CHECK(together.flagged() == 1);  // the flow that completes the picture
    REQUIRE_FALSE(together.sink.alerts.empty());
    CHECK(together.sink.alerts[0].attack_class == attack_class::botnet);
    visit late = kept;
    late.after_s = 700;
    CHECK(run{visits({own, late})}.flagged() == 0);
    CHECK(run{visits({own, lost}, address::v4(10, 0, 0, 77))}.flagged() == 0);  // inside the house
}

TEST_CASE("a person who reads pages, and a device that reports, gather nothing that alerts") {
    std::vector<visit> list;
    for (int i = 0; i < 50; ++i) {
        list.push_back(
            {i * 10, "GET /p" + std::to_string(i) + " HTTP/1.1\r\n" + page + "\r\n", i % 7 == 0 ? gone : fine});
        list.push_back({i * 10 + 3, "POST /v1/data HTTP/1.1\r\n" + head + form + "\r\na=b", fine});
    }
    CHECK(run{visits(list)}.flagged() == 0);
}

TEST_CASE("a server that takes every connection and ends it without a word") {
    const auto calls = [](int count, bool server_ends) {
        capture c;
        for (int i = 0; i < count; ++i) {
            const five_tuple t = tuple_of(ip_protocol::tcp, static_cast<std::uint16_t>(50000 + i), 443);
            const std::int64_t at = epoch_ns + i * 3 * second;
            const five_tuple last = server_ends ? t.reversed() : t;
            c.add(at, tcp_frame(t, tcp_flag::syn, {}, 1));
            c.add(at + 10 * ms, tcp_frame(t.reversed(), tcp_flag::syn | tcp_flag::ack, {}, 1, 2));
            c.add(at + 20 * ms, tcp_frame(t, tcp_flag::ack, {}, 2, 2));
            c.add(at + 500 * ms, tcp_frame(last, tcp_flag::fin | tcp_flag::ack, {}, 2, 2));
            c.add(at + 510 * ms, tcp_frame(last.reversed(), tcp_flag::fin | tcp_flag::ack, {}, 2, 3));
        }
        return run{c}.flagged();
    };
    CHECK(calls(30, true) >= 15);
    CHECK(calls(10, true) == 0);
    CHECK(calls(30, false) == 0);
}
