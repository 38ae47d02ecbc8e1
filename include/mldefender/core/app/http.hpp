// SPDX-License-Identifier: MIT
// HTTP/1 and the protocols that borrow its shape: RTSP, SSDP and SIP. Takes the request line apart into lengths and
// counts of characters, attempts at injection, and a handful of headers. Reads one message's head as far as this
// payload holds it; a body is looked at only for a form's quotes and brackets. Called per packet.
#pragma once

#include <algorithm>

#include <mldefender/core/app/injection.hpp>
#include <mldefender/core/app/message.hpp>
#include <mldefender/core/app/text.hpp>
#include <mldefender/core/app/tls.hpp>

namespace mldefender {
inline namespace v0 {
namespace detail::app {

struct method_name {
    std::string_view word;
    request_method method;
};
inline constexpr method_name method_names[] = {
    {"GET", request_method::get},
    {"POST", request_method::post},
    {"HEAD", request_method::head},
    {"PUT", request_method::put},
    {"DELETE", request_method::delete_},
    {"OPTIONS", request_method::options},
    {"CONNECT", request_method::connect},
    {"PATCH", request_method::patch},
    {"TRACE", request_method::trace},
    {"INVITE", request_method::invite},
    {"REGISTER", request_method::register_},
    {"ACK", request_method::ack},
    {"BYE", request_method::bye},
    {"CANCEL", request_method::cancel},
    {"SUBSCRIBE", request_method::subscribe},
    {"NOTIFY", request_method::notify},
    {"M-SEARCH", request_method::search},
    {"MESSAGE", request_method::message},
    {"INFO", request_method::info},
    {"PRACK", request_method::prack},
    {"PUBLISH", request_method::publish},
    {"REFER", request_method::refer},
    {"UPDATE", request_method::update},
    {"DESCRIBE", request_method::describe},
    {"SETUP", request_method::setup},
    {"PLAY", request_method::play},
    {"TEARDOWN", request_method::other},
    {"PAUSE", request_method::other},
    {"ANNOUNCE", request_method::other},
    {"RECORD", request_method::other},
    {"GET_PARAMETER", request_method::other},
    {"SET_PARAMETER", request_method::other},
    {"PROPFIND", request_method::dav},
    {"PROPPATCH", request_method::dav},
    {"MKCOL", request_method::dav},
    {"MOVE", request_method::dav},
    {"COPY", request_method::dav},
    {"LOCK", request_method::dav},
    {"UNLOCK", request_method::dav},
    {"SEARCH", request_method::dav},
    {"REPORT", request_method::dav},
    {"BITS_POST", request_method::other},
    {"RPC_IN_DATA", request_method::other},
    {"RPC_OUT_DATA", request_method::other},
    {"UNSUBSCRIBE", request_method::other},
    {"PRI", request_method::other},
};

/// The method a line starts with (a blank must follow); `word_len` receives its length.
[[nodiscard]] constexpr request_method match_method(bytes payload, std::size_t& word_len) noexcept {
    if (payload.empty() || payload[0] < 'A' || payload[0] > 'U') return request_method::none;
    for (const method_name& known : method_names) {
        if (payload[0] != static_cast<std::uint8_t>(known.word[0])) continue;
        if (payload.size() > known.word.size() && payload[known.word.size()] == ' ' &&
            starts_with(payload, known.word)) {
            word_len = known.word.size();
            return known.method;
        }
    }
    return request_method::none;
}

/// Which of http, rtsp, sip or ssdp the first line belongs to; unknown when it is none of them. `datagram` tells
/// SSDP from HTTP. A request line cut by the segment is judged by its target.
[[nodiscard]] constexpr app_protocol match_http_family(bytes payload, bool datagram) noexcept {
    const app_protocol http = datagram ? app_protocol::ssdp : app_protocol::http;
    if (starts_with(payload, "HTTP/1.")) return payload.size() > 8 && payload[8] == ' ' ? http : app_protocol::unknown;
    if (starts_with(payload, "SIP/2.0 ")) return app_protocol::sip;
    if (starts_with(payload, "RTSP/1.0 ")) return app_protocol::rtsp;
    std::size_t word = 0;
    if (match_method(payload, word) == request_method::none) return app_protocol::unknown;
    bytes line = payload;
    line = next_line(line);
    const bytes target = slice(line, word + 1);
    if (starts_with_fold(target, "sip:") || starts_with_fold(target, "sips:") || starts_with_fold(target, "tel:")) {
        return app_protocol::sip;
    }
    if (starts_with_fold(target, "rtsp:")) return app_protocol::rtsp;
    const bytes tail = line.size() > 9 ? line.last(9) : bytes{};
    if (starts_with(tail, " RTSP/1.")) return app_protocol::rtsp;
    if (starts_with(tail, " HTTP/1.") || starts_with(tail, " HTTP/2.")) return http;
    const bool line_cut = line.size() == payload.size();
    if (!target.empty() && line_cut && target[0] == '/' && !datagram) return http;
    return app_protocol::unknown;
}

constexpr void count_up(std::uint8_t& counter) noexcept {
    if (counter < 255) ++counter;
}
[[nodiscard]] constexpr int hex_value(std::uint8_t c) noexcept {
    if (is_digit(c)) return c - '0';
    const std::uint8_t folded = lower(c);
    return folded >= 'a' && folded <= 'f' ? folded - 'a' + 10 : -1;
}

/// Counts a request target's characters by class, %-escapes decoded once.
constexpr void count_target(bytes target, http_details& d) noexcept {
    d.uri_len = static_cast<std::uint16_t>(target.size() < 0xffff ? target.size() : 0xffff);
    const std::size_t question = find_byte(target, '?');
    if (question < target.size()) {
        const std::size_t length = target.size() - question - 1;
        d.query_len = static_cast<std::uint16_t>(length < 0xffff ? length : 0xffff);
    }
    int dots = 0;
    const bytes seen = slice(target, 0, 2048);
    for (std::size_t at = 0; at < seen.size(); ++at) {
        std::uint8_t c = seen[at];
        if (c == '%' && seen.size() - at > 2 && hex_value(seen[at + 1]) >= 0 && hex_value(seen[at + 2]) >= 0) {
            c = static_cast<std::uint8_t>(hex_value(seen[at + 1]) * 16 + hex_value(seen[at + 2]));
            at += 2;
            ++d.escapes;
        } else if (is_alpha(c) || is_digit(c)) {
            dots = 0;
            continue;
        }
        if ((c == '/' || c == '\\') && dots >= 2) count_up(d.traversals);
        dots = c == '.' ? dots + 1 : 0;
        if (c == '\'' || c == '"' || c == '`') count_up(d.quotes);
        if (c == '<' || c == '>' || c == '(' || c == ')' || c == '{' || c == '}') count_up(d.brackets);
        if (c == ';' || c == '|' || c == '$' || c < 0x20) count_up(d.separators);
    }
}

/// Quotes and angle brackets of a form's body, escaped or not; true when it holds a template marker, "${".
[[nodiscard]] constexpr bool count_form_body(bytes body, http_details& d) noexcept {
    const bytes seen = slice(body, 0, 512);
    bool marker = false;
    std::uint8_t before = 0;
    for (std::size_t at = 0; at < seen.size(); ++at) {
        std::uint8_t c = seen[at];
        if (c == '%' && seen.size() - at > 2 && hex_value(seen[at + 1]) >= 0 && hex_value(seen[at + 2]) >= 0) {
            c = static_cast<std::uint8_t>(hex_value(seen[at + 1]) * 16 + hex_value(seen[at + 2]));
            at += 2;
        }
        if (c == '\'' || c == '"' || c == '<' || c == '>') count_up(d.body_marks);
        marker = marker || (before == '$' && c == '{');
        before = c;
    }
    return marker;
}

[[nodiscard]] constexpr content_class classify_content(bytes value) noexcept {
    if (starts_with_fold(value, "application/x-www-form") || starts_with_fold(value, "multipart/form")) {
        return content_class::form;
    }
    if (starts_with_fold(value, "application/json")) return content_class::json;
    if (starts_with_fold(value, "image/")) return content_class::image;
    if (starts_with_fold(value, "audio/") || starts_with_fold(value, "video/")) return content_class::media;
    if (starts_with_fold(value, "text/xml") || starts_with_fold(value, "application/xml") ||
        starts_with_fold(value, "application/soap")) {
        return content_class::xml;
    }
    if (starts_with_fold(value, "text/") || starts_with_fold(value, "application/javascript") ||
        starts_with_fold(value, "application/x-javascript")) {
        return content_class::text;
    }
    if (starts_with_fold(value, "application/octet") || starts_with_fold(value, "application/x-ms") ||
        starts_with_fold(value, "application/x-dos") || starts_with_fold(value, "application/zip") ||
        starts_with_fold(value, "application/java") || starts_with_fold(value, "application/x-shockwave")) {
        return content_class::binary;
    }
    return value.empty() ? content_class::none : content_class::other;
}

/// Changes between letter and digit in the part of a name that somebody registered ("x7k2p9q4" in "a.x7k2p9q4.com");
/// 0 when that part has fewer than eight characters. What stands before it may be numbered by a machine.
[[nodiscard]] constexpr std::uint8_t switches_of(bytes name) noexcept {
    name = slice(name, 0, find_byte(name, ':'));
    bytes parts[3];  // the last three, the last one first
    for (bytes rest = name; !rest.empty();) {
        const std::size_t end = find_byte(rest, '.');
        parts[2] = parts[1];
        parts[1] = parts[0];
        parts[0] = slice(rest, 0, end);
        rest = slice(rest, end + 1);
    }
    // Under "co.uk" and its like the part before counts.
    const bool registry = parts[0].size() == 2 && parts[1].size() <= 3 && !parts[2].empty();
    const bytes part = registry ? parts[2] : parts[1];
    std::size_t switches = 0;
    for (std::size_t i = 1; i < part.size(); ++i) {
        switches += (is_digit(part[i]) && is_alpha(part[i - 1])) || (is_alpha(part[i]) && is_digit(part[i - 1]));
    }
    return static_cast<std::uint8_t>(part.size() < 8 ? 0 : std::min<std::size_t>(switches, 255));
}

/// What a request's header line tells about who asks: see http_mark.
constexpr void mark_http_header(bytes line, http_details& d) noexcept {
    const auto starts = [line](std::string_view header) noexcept { return starts_with_fold(line, header); };
    std::uint8_t mark = 0;
    switch (lower(line[0])) {
        case 'a':
            if (starts("accept:") && !starts_with(trim(slice(line, 7)), "*/*")) d.marks &= ~http_mark::anything & 0xff;
            if (starts("accept-language:")) mark = http_mark::language;
            break;
        case 'c':
            if (starts("cookie:")) mark = http_mark::cookie;
            if (starts("content-encoding:")) mark = http_mark::encoded;
            break;
        case 'd':
            if (starts("depth:")) mark = http_mark::share;
            break;
        case 'o':
            if (starts("origin:")) mark = http_mark::from_page;
            break;
        case 'r':
            if (starts("referer:")) mark = http_mark::from_page;
            break;
        case 't':
            if (starts("translate:")) mark = http_mark::share;
            break;
        case 'u':
            if (starts("user-agent: mozilla/")) mark = http_mark::browser;
            if (starts("user-agent: microsoft office")) mark = http_mark::share;
            break;
        case 'x':
            // What apps put around a web view, and scripts of a page, say where they come from in words of their own.
            if (starts("x-requested-with:")) mark = http_mark::from_page;
            break;
        default: break;
    }
    d.marks |= mark;
}

/// One header line; only the few whose first letter promises something are looked at closer.
constexpr void read_http_header(bytes line, http_details& d, app_message& common) noexcept {
    count_up(d.headers);
    mark_http_header(line, d);
    const auto value_of = [line](std::string_view header) noexcept {
        return starts_with_fold(line, header) ? trim(slice(line, header.size())) : bytes{};
    };
    switch (lower(line[0])) {
        case 'h':
            if (const bytes host = value_of("host:"); !host.empty()) {
                common.name = host;
                if (is_dotted_quad(host)) {
                    common.facts |= app_fact::host_is_address;
                } else {
                    d.host_switches = switches_of(host);
                }
            }
            break;
        case 'u':
        case 's': {
            const bytes agent = lower(line[0]) == 'u' ? value_of("user-agent:") : value_of("server:");
            if (!agent.empty()) {
                d.agent_len = static_cast<std::uint16_t>(agent.size() < 0xffff ? agent.size() : 0xffff);
                d.agent_hash = text_hash(slice(agent, 0, 128));
            } else if (starts_with_fold(value_of("st:"), "ssdp:all")) {
                common.facts |= app_fact::amplifier_request;
            }
            break;
        }
        case 'a':
        case 'p':
            if (starts_with_fold(line, "authorization:") || starts_with_fold(line, "proxy-authorization:")) {
                common.facts |= app_fact::credentials_sent | app_fact::auth_attempt;
            }
            break;
        case 'c':
            if (const bytes length = value_of("content-length:"); !length.empty()) {
                d.content_length = leading_number(length);
            } else if (const bytes type = value_of("content-type:"); !type.empty()) {
                d.content = classify_content(type);
            }
            break;
        default: break;
    }
}

/// `payload` without a "100 Continue" in front of the answer proper (RFC 9110, 15.2).
[[nodiscard]] constexpr bytes after_interim(bytes payload) noexcept {
    if (!starts_with(payload, "HTTP/1.1 100")) return payload;
    const std::size_t end = find_text(payload, "\r\n\r\n");
    const bytes rest = slice(payload, end + 4);
    return starts_with(rest, "HTTP/1.") ? rest : payload;
}

/// Reads a message of `of` (http, rtsp, ssdp or sip); nothing when the payload does not start one.
[[nodiscard]] constexpr app_message read_http(app_protocol of, bytes payload) noexcept {
    http_details d;
    d.marks = http_mark::anything;
    app_message common;
    bytes rest = after_interim(payload);
    const bytes first = next_line(rest);
    std::size_t word = 0;
    d.method = match_method(first, word);
    if (d.method == request_method::none) {
        if (!starts_with(first, "HTTP/1.") && !starts_with(first, "SIP/2.0") && !starts_with(first, "RTSP/1."))
            return {};
        const std::size_t blank = find_byte(first, ' ');
        common.code = reply_code(trim(slice(first, blank)));
        if (common.code < 100) return {};
        common.is_response = true;
        // SIP registrars refuse with 403; to HTTP servers 403 is just as often a page nobody may see.
        if (common.code == 403 && of == app_protocol::sip) common.facts |= app_fact::auth_failure;
        if (common.code == 401 || common.code == 407 || (common.code == 403 && of != app_protocol::sip)) {
            common.facts |= app_fact::auth_challenge;
        }
    } else {
        const bytes target = slice(first, word + 1);
        const bytes path = slice(target, 0, find_byte(target, ' '));
        count_target(path, d);
        // Browsers fetch a page's symbol with hardly any header.
        if (path.size() >= 4 && starts_with_fold(path.last(4), ".ico")) d.marks |= http_mark::from_page;
        if (d.quotes + d.brackets + d.separators + d.traversals + d.escapes > 0) d.injections = count_injections(path);
        if (of == app_protocol::sip) common.name = slice(path, find_byte(path, ':') + 1);
    }
    const bytes head = slice(payload, 0, 2048);
    if (!common.is_response && contains(head, "${")) common.facts |= app_fact::template_marker;
    bool ended = false;
    for (int i = 0; i < 64 && !rest.empty(); ++i) {
        const bytes line = next_line(rest);
        if (line.empty()) {
            ended = true;
            break;
        }
        const bytes sip_name = common.name;
        read_http_header(line, d, common);
        if (of == app_protocol::sip) common.name = sip_name;
    }
    if (!ended) common.facts |= app_fact::cut_short;
    if (ended && rest.empty()) d.marks |= http_mark::body_cut;
    if (ended && !common.is_response && d.content == content_class::form) {
        if (count_form_body(rest, d)) common.facts |= app_fact::template_marker;
        d.injections = static_cast<std::uint8_t>(std::min(255, d.injections + count_injections(rest)));
    } else if (common.has(app_fact::template_marker)) {
        d.injections = static_cast<std::uint8_t>(std::min(255, d.injections + count_lookups(head)));
    }
    if (of != app_protocol::http) common.facts &= ~app_fact::host_is_address;  // SSDP and SIP always say one
    return {of, d, common};
}

}  // namespace detail::app
}  // namespace v0
}  // namespace mldefender
