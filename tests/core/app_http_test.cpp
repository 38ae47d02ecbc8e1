// SPDX-License-Identifier: MIT
// HTTP and its relatives: the numbers of a request line, headers, forms, refusals, and broken input.
#include <string>

#include <doctest/doctest.h>

#include <core/app_samples.hpp>

namespace {

using namespace mldefender;
using namespace mldefender::test;

app_message read(std::string_view text, app_protocol as = app_protocol::http) {
    static frame kept;  // the message's name points into it
    kept = text_of(text);
    return read_message(as, kept.view(), true);
}
http_details request(const std::string& target) { return *read("GET " + target + " HTTP/1.1\r\n\r\n").http(); }

constexpr frame plain = text_of("POST /login HTTP/1.1\r\nHost: a.example\r\nContent-Length: 12\r\n\r\n");
static_assert(read_message(app_protocol::http, plain, true).http()->method == request_method::post);
static_assert(read_message(app_protocol::http, plain, true).http()->content_length == 12);

}  // namespace

TEST_CASE("a request's head") {
    const app_message m = read(
        "GET /a/b?c=d&e=%41 HTTP/1.1\r\nhost:  a.example:8080 \r\nUser-Agent: curl/8.0\r\nAuthorization: Basic eA==\r\n"
        "Content-Type: application/json; charset=utf-8\r\n\r\n");
    REQUIRE(m.http() != nullptr);
    const http_details& d = *m.http();
    CHECK_FALSE(m.is_response);
    CHECK(d.method == request_method::get);
    CHECK(d.uri_len == 14);
    CHECK(d.query_len == 9);
    CHECK(d.escapes == 1);
    CHECK(d.headers == 4);
    CHECK(d.agent_len == 8);
    CHECK(d.agent_hash != 0);
    CHECK(d.content == content_class::json);
    CHECK(std::string(m.name.begin(), m.name.end()) == "a.example:8080");
    CHECK(m.has(app_fact::credentials_sent));
    CHECK(m.has(app_fact::auth_attempt));
    CHECK_FALSE(m.has(app_fact::host_is_address | app_fact::cut_short | app_fact::template_marker));
}

TEST_CASE("characters of the target are counted by class, escapes decoded") {
    CHECK(request("/?id=1'%27\"`").quotes == 4);
    CHECK(request("/?q=%3Cscript%3E(1)").brackets == 4);
    CHECK(request("/..%2f..\\x/../etc").traversals == 3);
    CHECK(request("/a..b/c").traversals == 0);
    CHECK(request("/?x=a;b|c%0a$d").separators == 4);
    CHECK(request("/?x=%zz%4").escapes == 0);
    const http_details ordinary = request("/news/2024/index.html?page=2&sort=date_asc-x~y");
    CHECK(ordinary.quotes + ordinary.brackets + ordinary.traversals + ordinary.separators == 0);
    CHECK(request("/" + std::string(600, '\'')).quotes == 255);
}

TEST_CASE("a template marker in the head or in a form") {
    CHECK(read("GET / HTTP/1.1\r\nUser-Agent: ${jndi:x}\r\n\r\n").has(app_fact::template_marker));
    const std::string form = "POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n";
    CHECK(read(form + "a=%24%7Bx").has(app_fact::template_marker));
    CHECK_FALSE(read(form + "a=%24b").has(app_fact::template_marker));
    CHECK(read(form + "a=%3Cb%3E'").http()->body_marks == 3);
    CHECK(read("POST / HTTP/1.1\r\nContent-Type: text/plain\r\n\r\n'<'").http()->body_marks == 0);
    CHECK_FALSE(read("HTTP/1.1 200 OK\r\n\r\n${x}").has(app_fact::template_marker));
}

TEST_CASE("responses: status, refusals and challenges") {
    const app_message m = read("HTTP/1.1 403 Forbidden\r\nServer: nginx\r\nContent-Type: text/html\r\n\r\n");
    CHECK(m.is_response);
    CHECK(m.code == 403);
    CHECK(m.has(app_fact::auth_challenge));
    CHECK_FALSE(m.has(app_fact::auth_failure));
    CHECK(m.http()->agent_len == 5);
    CHECK(m.http()->content == content_class::text);
    CHECK(read("HTTP/1.0 401\r\n\r\n").has(app_fact::auth_challenge));
    CHECK_FALSE(read("HTTP/1.0 401\r\n\r\n").has(app_fact::auth_failure));
    CHECK_FALSE(read("HTTP/1.1 2x0 OK\r\n\r\n"));
    CHECK_FALSE(read("HTTP/1.1"));
}

TEST_CASE("a host given as an address") {
    CHECK(read("GET / HTTP/1.1\r\nHost: 192.0.2.1:81\r\n\r\n").has(app_fact::host_is_address));
    CHECK_FALSE(read("GET / HTTP/1.1\r\nHost: 1.2.3.example\r\n\r\n").has(app_fact::host_is_address));
    CHECK_FALSE(read("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n", app_protocol::ssdp)
                    .has(app_fact::host_is_address));
}

TEST_CASE("content types fall into classes") {
    const auto class_of = [](const std::string& type) {
        return read("HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\n\r\n").http()->content;
    };
    CHECK(class_of("multipart/form-data; boundary=x") == content_class::form);
    CHECK(class_of("image/png") == content_class::image);
    CHECK(class_of("video/mp4") == content_class::media);
    CHECK(class_of("application/soap+xml") == content_class::xml);
    CHECK(class_of("application/octet-stream") == content_class::binary);
    CHECK(class_of("font/woff2") == content_class::other);
}

TEST_CASE("SIP, RTSP and SSDP keep their own terms") {
    const app_message sip = read("INVITE sip:bob@pbx.example SIP/2.0\r\nHost: not-this\r\n\r\n", app_protocol::sip);
    CHECK(sip.http()->method == request_method::invite);
    CHECK(std::string(sip.name.begin(), sip.name.end()) == "bob@pbx.example");
    CHECK(read("SIP/2.0 407 Proxy\r\n\r\n", app_protocol::sip).has(app_fact::auth_challenge));
    CHECK(read("SIP/2.0 403 No\r\n\r\n", app_protocol::sip).has(app_fact::auth_failure));
    CHECK(read("RTSP/1.0 454 Session\r\n\r\n", app_protocol::rtsp).code == 454);
    CHECK(read("M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\n\r\n", app_protocol::ssdp).has(app_fact::amplifier_request));
    CHECK_FALSE(read("M-SEARCH * HTTP/1.1\r\nST: upnp:rootdevice\r\n\r\n", app_protocol::ssdp)
                    .has(app_fact::amplifier_request));
}

TEST_CASE("heads that go on in the next segment say so; bodies are not heads") {
    CHECK(read("GET / HTTP/1.1\r\nHost: a").has(app_fact::cut_short));
    CHECK(read("GET /very/long").http()->uri_len == 10);
    CHECK_FALSE(read("the middle of a body"));
    CHECK_FALSE(read("GETX / HTTP/1.1\r\n\r\n"));
    CHECK(read("GET / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n").http()->content_length >=
          999'999'999'999);
}

TEST_CASE("marks: who asks, from where, in which language") {
    const auto marks = [](const std::string& lines) {
        return int{read("GET /a HTTP/1.1\r\nHost: www.example\r\n" + lines + "\r\n").http()->marks};
    };
    constexpr int body_cut = http_mark::body_cut, anything = http_mark::anything;
    CHECK(marks("") == (body_cut | anything));
    CHECK(marks("Accept: */*\r\n") == (body_cut | anything));
    CHECK(marks("Accept: text/html, */*\r\n") == body_cut);
    CHECK(marks("User-Agent: Mozilla/4.0 (x)\r\n") == (body_cut | anything | http_mark::browser));
    CHECK(marks("User-Agent: curl/8 Mozilla/4.0\r\n") == (body_cut | anything));
    CHECK(marks("accept-language: en\r\n") == (body_cut | anything | http_mark::language));
    for (const char* line :
         {"Referer: http://b.example/\r\n", "Origin: http://b.example\r\n", "X-Requested-With: a.b\r\n"})
        CHECK(marks(line) == (body_cut | anything | http_mark::from_page));
    CHECK(marks("Cookie: a=b\r\n") == (body_cut | anything | http_mark::cookie));
    for (const char* line :
         {"Translate: f\r\n", "Depth: 0\r\n", "User-Agent: Microsoft Office Existence Discovery\r\n"})
        CHECK(marks(line) == (body_cut | anything | http_mark::share));
    const app_message answer = read("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nx");
    CHECK(int{answer.http()->marks} == (anything | http_mark::encoded));
    // A page's symbol is fetched with hardly any header.
    CHECK((read("GET /x/favicon.ICO HTTP/1.1\r\n\r\n").http()->marks & http_mark::from_page) != 0);
}

TEST_CASE("the registered part of a name, and how often letters and digits change in it") {
    const auto switches = [](const std::string& host) {
        return int{read("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n").http()->host_switches};
    };
    CHECK(switches("x7k2p9q4.example") == 7);
    CHECK(switches("a.b.x7k2p9q4.com:8080") == 7);
    CHECK(switches("x7k2p9q4.co.uk") == 7);
    CHECK(switches("x7k2p9q4.cdn-service.com") == 0);  // what a machine numbers stands in front
    CHECK(switches("x7k2p9.com") == 0);                // short
    CHECK(switches("web-server-2024.com") == 0);       // a dash is neither
    CHECK(switches("office365mail.com") == 2);
    CHECK(switches("localhost") == 0);
    CHECK(switches("198.51.100.7") == 0);
}

TEST_CASE("an interim answer gives way to the answer behind it") {
    const app_message m = read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    CHECK(m.code == 404);
    CHECK(m.http()->headers == 1);
    CHECK(read("HTTP/1.1 100 Continue\r\n\r\n").code == 100);
    CHECK(read("HTTP/1.1 100 Continue\r\n\r\nbody").code == 100);
}
