// SPDX-License-Identifier: MIT
// First bytes of the web's protocols as real programs write them: DNS, TLS, QUIC, HTTP/1. Only what a protocol reader
// or an entropy estimate can see is exact; the rest is filler. Called by dialogues and by behaviours that craft
// messages.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <mldefender/forge/synth/blob.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {
namespace payload {

/// Record types used here (IANA).
namespace dns_type {
inline constexpr std::uint16_t a = 1;       ///< IPv4 address
inline constexpr std::uint16_t ns = 2;      ///< name server
inline constexpr std::uint16_t cname = 5;   ///< alias
inline constexpr std::uint16_t soa = 6;     ///< start of a zone
inline constexpr std::uint16_t null = 10;   ///< any bytes: tunnels
inline constexpr std::uint16_t ptr = 12;    ///< name of an address
inline constexpr std::uint16_t mx = 15;     ///< mail server
inline constexpr std::uint16_t txt = 16;    ///< free text
inline constexpr std::uint16_t aaaa = 28;   ///< IPv6 address
inline constexpr std::uint16_t srv = 33;    ///< server of a service
inline constexpr std::uint16_t https = 65;  ///< how to reach a web server
inline constexpr std::uint16_t any = 255;   ///< all there is: amplification
}  // namespace dns_type

/// A name in DNS labels; characters as they are, empty labels left out.
inline void dns_name(blob& b, std::string_view name) {
    while (!name.empty()) {
        const std::size_t dot = std::min(name.find('.'), name.size());
        const std::string_view label = name.substr(0, std::min<std::size_t>(dot, 63));
        if (!label.empty()) b.u8(label.size()).text(label);
        name.remove_prefix(std::min(dot + 1, name.size()));
    }
    b.u8(0);
}

/// One question; `edns` adds an OPT record.
inline blob dns_query(std::uint16_t id, std::string_view name, std::uint16_t type, bool edns, bool recursive = true) {
    blob b;
    b.be16(id).be16(recursive ? 0x0100 : 0).be16(1).be16(0).be16(0).be16(edns ? 1 : 0);
    dns_name(b, name);
    b.be16(type).be16(1);
    if (edns) b.u8(0).be16(41).be16(1232).be32(0).be16(0);
    return b;
}

/// What a server answers.
struct dns_reply {
    std::uint8_t code = 0;        ///< 0 found, 2 server failure, 3 no such name
    int answers = 1;              ///< records, when the name was found
    std::uint32_t ttl = 300;      ///< of the records, seconds
    std::uint16_t data_size = 0;  ///< of TXT, NULL and other free-form answers; 0: as the type wants
    bool aliases = false;         ///< begin with one CNAME
};

/// The answer to such a question.
inline blob dns_answer(rng& r, std::uint16_t id, std::string_view name, std::uint16_t type, const dns_reply& reply) {
    blob b;
    const int answers = reply.code == 0 ? reply.answers + (reply.aliases ? 1 : 0) : 0;
    b.be16(id).be16(0x8180U | reply.code).be16(1).be16(static_cast<std::uint64_t>(answers));
    b.be16(answers == 0 ? 1 : 0).be16(0);
    dns_name(b, name);
    b.be16(type).be16(1);
    for (int i = 0; i < answers; ++i) {
        const bool alias = i == 0 && reply.aliases;
        b.be16(0xc00c).be16(alias ? dns_type::cname : type).be16(1).be32(reply.ttl);
        if (alias || type == dns_type::ptr || type == dns_type::cname || type == dns_type::ns) {
            const std::size_t host = reply.data_size > 8 ? reply.data_size - 7U : 6 + r.below(20);
            blob data;
            for (std::size_t left = host; left > 0;) {
                const std::size_t part = std::min<std::size_t>(left, 60);
                data.u8(part).random_text(r, part, lower_digits);
                left -= part;
            }
            data.u8(3).text("net").u8(0);
            b.be16(data.size()).raw(data.view());
        } else if (type == dns_type::srv) {
            blob data;
            data.be16(0).be16(100).be16(389);
            dns_name(data, name.substr(std::min(name.find("._msdcs.") + 8, name.size())));
            b.be16(data.size()).raw(data.view());
        } else if (type == dns_type::https) {
            b.be16(10).be16(1).u8(0).be16(1).be16(3).u8(2).text("h2");
        } else if (type == dns_type::soa) {
            b.be16(24).be16(0xc00c).be16(0xc00c).random(r, 20);
        } else if (type == dns_type::a) {
            b.be16(4).random(r, 4);
        } else if (type == dns_type::aaaa) {
            b.be16(16).be32(0x20010db8).random(r, 12);
        } else if (type == dns_type::mx) {
            b.be16(9).be16(10).u8(4).random_text(r, 4, lower_letters).be16(0xc00c);
        } else if (type == dns_type::txt) {
            const std::size_t size = reply.data_size > 0 ? reply.data_size : 20 + r.below(120);
            b.be16(size + (size + 254) / 255);
            for (std::size_t left = size; left > 0;) {
                const std::size_t part = std::min<std::size_t>(left, 255);
                b.u8(part).random_text(r, part, base64_digits);
                left -= part;
            }
        } else {
            const std::size_t size = reply.data_size > 0 ? reply.data_size : 16 + r.below(60);
            b.be16(size).random(r, size);
        }
    }
    if (answers == 0)
        b.be16(0xc00c).be16(dns_type::soa).be16(1).be32(900).be16(24).be16(0xc00c).be16(0xc00c).random(r, 20);
    return b;
}

/// The name under which an IPv4 address is looked up (RFC 1035).
inline std::string reverse_name(std::uint32_t v4) {
    blob b;
    for (unsigned shift = 0; shift < 32; shift += 8) b.number((v4 >> shift) & 0xff).u8('.');
    return std::string{b.text("in-addr.arpa").characters()};
}

/// Traits of a TLS client, shared by its connections so that one program always says the same.
struct tls_client {
    std::uint8_t ciphers = 15;  ///< suites offered, 1..32
    bool grease = true;         ///< as browsers do
    bool tls13 = true;          ///< offers TLS 1.3
    bool alpn = true;           ///< offers HTTP/2 and HTTP/1.1
    bool sni = true;            ///< names the server, when it has a name
    std::uint16_t padding = 0;  ///< bytes of padding extension, 0 none
    std::uint32_t key = 0;      ///< picks the cipher list

    /// A client as they are found: some old, some browsers.
    [[nodiscard]] static tls_client draw(rng& r) {
        tls_client c;
        c.ciphers = static_cast<std::uint8_t>(r.between(4, 32));
        c.grease = r.chance(0.6);
        c.tls13 = r.chance(0.75);
        c.alpn = r.chance(0.75);
        c.sni = r.chance(0.93);
        c.padding = r.chance(0.4) ? static_cast<std::uint16_t>(r.between(20, 260)) : std::uint16_t{0};
        c.key = r.below(1000);
        return c;
    }
};

/// A ClientHello record; without server name when `server_name` is empty.
inline blob tls_client_hello(rng& r, const tls_client& c, std::string_view server_name) {
    static constexpr std::uint16_t suites[] = {0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9,
                                               0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035, 0x000a,
                                               0xc009, 0xc00a, 0xc023, 0xc027, 0xc024, 0xc028, 0x0033, 0x0039,
                                               0x003c, 0x003d, 0x0067, 0x006b, 0x009e, 0x009f, 0x0016, 0x0005};
    blob extensions;
    if (c.grease) extensions.be16(0x1a1a).be16(0);
    if (c.sni && !server_name.empty()) {
        const std::size_t n = server_name.size();
        extensions.be16(0).be16(n + 5).be16(n + 3).u8(0).be16(n).text(server_name);
    }
    extensions.be16(0x0017).be16(0).be16(0xff01).be16(1).u8(0);
    extensions.be16(0x000a).be16(8).be16(6).be16(0x001d).be16(0x0017).be16(0x0018);
    extensions.be16(0x000b).be16(2).u8(1).u8(0);
    extensions.be16(0x0023).be16(0);
    if (c.alpn) extensions.be16(0x0010).be16(14).be16(12).u8(2).text("h2").u8(8).text("http/1.1");
    extensions.be16(0x000d).be16(14).be16(12).be16(0x0403).be16(0x0804).be16(0x0401).be16(0x0503).be16(0x0805).be16(
        0x0501);
    if (c.tls13) {
        extensions.be16(0x0033).be16(38).be16(36).be16(0x001d).be16(32).random(r, 32);
        extensions.be16(0x002d).be16(2).u8(1).u8(1);
        extensions.be16(0x002b).be16(5).u8(4).be16(0x0304).be16(0x0303);
    }
    if (c.padding != 0) extensions.be16(0x0015).be16(c.padding).zeros(c.padding);
    blob hello;
    hello.be16(0x0303).random(r, 32);
    if (c.tls13) {
        hello.u8(32).random(r, 32);
    } else {
        hello.u8(0);
    }
    const std::size_t count = std::size_t{c.ciphers} + (c.grease ? 1U : 0U);
    hello.be16(2 * count);
    if (c.grease) hello.be16(0x2a2a);
    const std::size_t first = c.tls13 ? 0 : 3 + c.key % 3;
    for (std::size_t i = 0; i < c.ciphers; ++i) hello.be16(suites[(first + i) % std::size(suites)]);
    hello.u8(1).u8(0).be16(extensions.size()).raw(extensions.view());
    blob record;
    record.u8(22).be16(0x0301).be16(hello.size() + 4).u8(1).be24(hello.size()).raw(hello.view());
    return record;
}

/// A certificate chain of about `size` bytes, each certificate behind its length as TLS lists them: X.509 to the
/// letter, with random keys and an extension nobody knows as filler.
inline blob certificates(rng& r, std::size_t size) {
    const blob algorithm = der(0x30, der_id("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b").u8(5).u8(0));
    blob chain;
    for (int left = size > 2200 ? 2 : 1; left > 0; --left) {
        const std::size_t each = (size - chain.size()) / static_cast<std::size_t>(left);
        const auto name = [&] {
            blob word;
            return der(
                0x30,
                der(0x31,
                    der(0x30, der_id("\x55\x04\x03").raw(der(12, word.random_text(r, 12, lower_letters)).view()))));
        };
        blob number;
        blob keys;
        blob bits;
        bits.u8(0).raw(der(0x30, der(2, number.u8(0x5a).random(r, 255)).raw(der_integer(65537).view())).view());
        keys.raw(der(0x30, der_id("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01").u8(5).u8(0)).view()).raw(der(3, bits).view());
        blob filler;
        filler.random(r, each > 850 ? each - 850 : 16);
        blob extension;
        extension.raw(der_id("\x2b\x06\x01\x04\x01\x86\x8d\x1f\x01").view()).raw(der(4, filler).view());
        blob content;
        blob serial;
        content.raw(der(0xa0, der_integer(2)).view()).raw(der(2, serial.u8(0x31).random(r, 15)).view());
        content.raw(algorithm.view()).raw(name().view());
        content.raw(der(0x30, der_text(23, "240101000000Z").raw(der_text(23, "270101000000Z").view())).view());
        content.raw(name().view()).raw(der(0x30, keys).view());
        content.raw(der(0xa3, der(0x30, der(0x30, extension))).view());
        blob signature;
        signature.u8(0).random(r, 256);
        const blob whole = der(0x30, der(0x30, content).raw(algorithm.view()).raw(der(3, signature).view()));
        chain.be24(whole.size()).raw(whole.view());
    }
    return chain;
}

/// Server hello and what follows it in the same flight; TLS 1.3 encrypts the certificate, 1.2 shows it. A certificate
/// that is `self_signed`, as machines make for themselves, comes alone.
inline message tls_server_flight(rng& r, bool tls13, bool resumed, bool self_signed = false) {
    blob b;
    if (tls13) {
        blob hello;
        hello.be16(0x0303).random(r, 32).u8(32).random(r, 32).be16(0x1301).u8(0).be16(46);
        hello.be16(0x002b).be16(2).be16(0x0304).be16(0x0033).be16(36).be16(0x001d).be16(32).random(r, 32);
        b.u8(22).be16(0x0303).be16(hello.size() + 4).u8(2).be24(hello.size()).raw(hello.view());
        b.u8(20).be16(0x0303).be16(1).u8(1);
        const std::int64_t rest = resumed       ? r.between(90, 200)
                                  : self_signed ? r.between(1150, 1700)
                                                : r.between(1600, 4600);
        b.u8(23).be16(0x0303).be16(static_cast<std::uint64_t>(rest));
        const std::int64_t total = static_cast<std::int64_t>(b.size()) + rest;
        return {std::move(b), total};
    }
    b.u8(22).be16(0x0303).be16(0x4a).u8(2).be24(70).be16(0x0303).random(r, 32).u8(32).random(r, 32).be16(0xc02f).u8(0);
    if (resumed) {
        b.u8(20).be16(0x0303).be16(1).u8(1).u8(22).be16(0x0303).be16(40).random(r, 40);
        return {std::move(b)};
    }
    const std::int64_t size = self_signed ? r.between(700, 1100) : r.between(900, 4500);
    const blob chain = certificates(r, static_cast<std::size_t>(size));
    b.u8(22).be16(0x0303).be16(chain.size() + 7).u8(11).be24(chain.size() + 3).be24(chain.size()).raw(chain.view());
    blob key;  // an ECDHE key on a known curve, signed
    key.u8(3).be16(0x0017).u8(65).u8(4).random(r, 64).be16(0x0401).be16(256).random(r, 256);
    b.u8(22).be16(0x0303).be16(key.size() + 8).u8(12).be24(key.size()).raw(key.view()).u8(14).be24(0);
    return {std::move(b)};
}

/// What the client says after the server's hello: key exchange (TLS 1.2 only) and Finished.
inline message tls_client_finish(rng& r, bool tls13) {
    blob b;
    if (tls13) {
        b.u8(20).be16(0x0303).be16(1).u8(1).u8(23).be16(0x0303).be16(53).random(r, 53);
    } else {
        b.u8(22).be16(0x0303).be16(70).u8(16).be24(66).u8(65).u8(4).random(r, 64);
        b.u8(20).be16(0x0303).be16(1).u8(1).u8(22).be16(0x0303).be16(40).random(r, 40);
    }
    return {std::move(b)};
}

/// Application data of `size` plain bytes, in records of at most 16 KB (only the first header is written).
inline message tls_data(std::int64_t size) {
    blob b;
    const std::int64_t first = size > 16384 ? 16384 : size;
    b.u8(23).be16(0x0303).be16(static_cast<std::uint64_t>(first + 17));
    return {std::move(b), size + 22 * (size / 16384 + 1)};
}
/// An encrypted alert, as it closes connections.
inline message tls_alert(rng& r) {
    blob b;
    b.u8(21).be16(0x0303).be16(19).random(r, 19);
    return {std::move(b)};
}

/// A QUIC long header packet (version 1): type 0 initial, 2 handshake; a short header packet when `type` is 4.
inline message quic_packet(rng& r, int type, std::int64_t size) {
    blob b;
    if (type == 4) {
        b.u8(0x40U | r.below(0x20)).random(r, 12);
        return {std::move(b), size};
    }
    b.u8(0xc0U | (static_cast<std::uint64_t>(type) << 4) | 1U).be32(1).u8(8).random(r, 8).u8(0);
    if (type == 0) b.u8(0);
    b.be16(0x4000U | static_cast<std::uint64_t>(size - 24)).random(r, 8);
    return {std::move(b), size};
}

/// Header lines of an HTTP/1.1 client.
struct http_request {
    std::string_view method = "GET";  ///< in upper case
    std::string_view path = "/";      ///< with query, as on the wire
    std::string_view host = {};       ///< Host header
    std::string_view agent = {};      ///< User-Agent header
    std::int64_t body = 0;            ///< bytes of the request body
    std::string_view body_head = {};  ///< its first characters
    std::string_view extra = {};      ///< complete further header lines
    std::int64_t cookie = 0;          ///< length of a cookie
    bool keep_alive = true;           ///< the connection serves further requests
    bool posed = false;               ///< a browser's name, but not what a browser says with it
};

/// User-Agent strings of browsers, tools and devices.
inline constexpr std::array<std::string_view, 16> agents{
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/118.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/118.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 "
    "Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0)",
    "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0)",
    "Microsoft-CryptoAPI/10.0",
    "Windows-Update-Agent/10.0.10011.16384 Client-Protocol/2.33",
    "curl/7.88.1",
    "Wget/1.21.3",
    "python-requests/2.28.1",
    "okhttp/4.9.3",
    "Dalvik/2.1.0 (Linux; U; Android 11)",
    "Debian APT-HTTP/1.3 (2.6.1)",
    "Go-http-client/1.1",
    "Java/1.8.0_281"};

/// A request; its body is filler behind `body_head`.
inline message http_ask(rng& r, const http_request& q) {
    blob b;
    b.text(q.method).u8(' ').text(q.path).text(" HTTP/1.1\r\nHost: ").text(q.host).text("\r\n");
    if (!q.agent.empty()) b.text("User-Agent: ").text(q.agent).text("\r\n");
    // A browser takes pages first and names its language; programs take anything.
    const bool browser = q.agent.starts_with("Mozilla/") && !q.posed;
    b.text(browser ? "Accept: text/html,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\n" : "Accept: */*\r\n");
    b.text(q.extra);
    if (q.cookie > 0) {
        b.text("Cookie: session=").random_text(r, static_cast<std::size_t>(q.cookie), base64_digits).text("\r\n");
    }
    if (q.body > 0)
        b.text("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ")
            .number(static_cast<std::uint64_t>(q.body))
            .text("\r\n");
    b.text(q.keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n").text(q.body_head);
    const std::int64_t total = static_cast<std::int64_t>(b.size() - q.body_head.size()) + q.body;
    return {std::move(b), total, body_kind::text};
}

/// An answer whose body has `size` bytes, of which `sent` follow the header (all of them when negative).
inline message http_reply(rng& r, int status, std::int64_t size, std::string_view type = "text/html",
                          std::int64_t sent = -1) {
    static constexpr std::string_view servers[] = {"nginx", "Apache/2.4.57", "Microsoft-IIS/10.0", "cloud", "lighttpd"};
    const std::string_view reason = status == 200   ? "OK"
                                    : status == 304 ? "Not Modified"
                                    : status == 302 ? "Found"
                                    : status == 401 ? "Unauthorized"
                                    : status == 403 ? "Forbidden"
                                    : status == 404 ? "Not Found"
                                    : status == 204 ? "No Content"
                                    : status == 206 ? "Partial Content"
                                    : status == 101 ? "Switching Protocols"
                                    : status == 503 ? "Service Unavailable"
                                                    : "Internal Server Error";
    blob b;
    b.text("HTTP/1.1 ")
        .number(static_cast<std::uint64_t>(status))
        .u8(' ')
        .text(reason)
        .text("\r\nServer: ")
        .text(r.pick(servers));
    if (status == 304) size = 0;
    if (status != 304)
        b.text("\r\nContent-Type: ").text(type).text("\r\nContent-Length: ").number(static_cast<std::uint64_t>(size));
    b.text("\r\n");
    if (status == 401) b.text("WWW-Authenticate: Basic realm=\"login\"\r\n");
    if (r.chance(0.4)) {
        const std::int64_t length = r.between(20, 200);
        b.text("Set-Cookie: id=").random_text(r, static_cast<std::size_t>(length), base64_digits).text("; path=/\r\n");
    }
    b.text("\r\n");
    const bool plain =
        type.starts_with("text") || type.ends_with("json") || type.ends_with("xml") || type.ends_with("javascript");
    const std::int64_t total = static_cast<std::int64_t>(b.size()) + (sent < 0 ? size : sent);
    if (size >= 8 && type == "image/png") b.text("\x89PNG\r\n\x1a\n");
    if (size >= 8 && type == "image/jpeg") b.text("\xff\xd8\xff\xe0");
    if (size >= 12 && type == "image/webp") b.text("RIFF").le32(static_cast<std::uint64_t>(size - 8)).text("WEBP");
    if (size >= 8 && type == "font/woff2") b.text("wOF2");
    return {std::move(b), total, plain ? body_kind::text : body_kind::random};
}

/// A path as sites use: words, numbers, a query now and then.
inline std::string web_path(rng& r, std::string_view word) {
    static constexpr std::string_view endings[] = {"", "/", ".html", ".js", ".css", ".png", ".jpg", ".json", ".woff2"};
    std::string path = "/";
    path += word;
    if (r.chance(0.6)) path += "/" + std::to_string(r.below(100000));
    path += r.pick(endings);
    if (r.chance(0.3)) {
        path += "?v=";
        path += std::to_string(r.below(1000000));
    }
    return path;
}

}  // namespace payload
}  // namespace forge
}  // namespace v0
}  // namespace mldefender
