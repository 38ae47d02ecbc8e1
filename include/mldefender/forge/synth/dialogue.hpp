// SPDX-License-Identifier: MIT
// Building blocks between conversations and behaviours: look a name up, open TLS, log in over SSH, mount a share, call
// a remote procedure. Benign behaviours and attacks use the same blocks with other arguments, so that only what they do
// tells them apart, never how it is spelt.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <mldefender/forge/synth/conversation.hpp>
#include <mldefender/forge/synth/payload_misc.hpp>
#include <mldefender/forge/synth/payload_web.hpp>
#include <mldefender/forge/synth/payload_windows.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {

/// How a look-up goes.
struct lookup_shape {
    std::uint16_t type = payload::dns_type::a;  ///< record type asked for
    payload::dns_reply reply = {};              ///< what comes back
    bool answered = true;                       ///< false: silence, and the client asks again
    bool both_families = false;                 ///< also asks for the other family
    bool shared_port = false;                   ///< one socket for all (port 53 style resolvers)
    std::optional<behaviour_tag> tag = {};      ///< unless the stage's
    host* server = nullptr;                     ///< unless the scenario's resolver
};

/// Asks the resolver for a name; returns when the answer (or the client's patience) came.
inline std::int64_t look_up(stage& s, host& client, std::string_view name, std::int64_t when,
                            const lookup_shape& shape = {}) {
    host& server = shape.server != nullptr ? *shape.server : s.net.resolver();
    if (&client == &server) return when;
    udp_session u{s, {&client, &server, 53, when, 0, shape.tag}};
    const bool edns = s.random.chance(0.4);
    const auto id = static_cast<std::uint16_t>(s.random.next());
    const message question = payload::dns_query(id, name, shape.type, edns);
    u.up(question);
    if (!shape.answered) {
        u.think(s.random.between(1, 5) * units::second).up(question);
        return u.now() + 5 * units::second;
    }
    if (shape.both_families)
        u.up(payload::dns_query(static_cast<std::uint16_t>(id + 1), name, payload::dns_type::aaaa, edns));
    if (s.random.chance(0.3)) u.think(s.random.log_between(units::ms, 120 * units::ms));  // not in the cache
    u.down(payload::dns_answer(s.random, id, name, shape.type, shape.reply));
    if (shape.both_families) {
        payload::dns_reply other = shape.reply;
        if (s.random.chance(0.5)) other.answers = 0;
        u.down(payload::dns_answer(s.random, static_cast<std::uint16_t>(id + 1), name, payload::dns_type::aaaa, other));
    }
    return u.now();
}

/// A harmless look-up with answers as popular names give them.
inline std::int64_t look_up_site(stage& s, host& client, std::string_view name, std::int64_t when) {
    lookup_shape shape;
    shape.both_families = s.random.chance(0.5);
    shape.reply.answers = s.random.pick_int(1, 6);
    shape.reply.aliases = s.random.chance(0.4);
    shape.tag = s.harmless();
    return look_up(s, client, name, when, shape);
}

/// Hellos of a TLS session on an open connection. Returns the connection.
inline tcp_session& start_tls(stage& s, tcp_session& t, const payload::tls_client& c, std::string_view name,
                              bool resumed, bool self_signed = false) {
    const bool tls13 = c.tls13 && s.random.chance(0.85);
    t.up(payload::tls_client_hello(s.random, c, name));
    t.down(payload::tls_server_flight(s.random, tls13, resumed, self_signed));
    t.up(payload::tls_client_finish(s.random, tls13));
    if (!tls13 && !resumed) {
        blob b;
        b.u8(20).be16(0x0303).be16(1).u8(1).u8(22).be16(0x0303).be16(40).random(s.random, 40);
        t.down(b);
    } else if (s.random.chance(0.7)) {
        t.down(payload::tls_data(s.random.between(60, 500)));
    }
    return t;
}

/// A whole TLS conversation: `requests` times ask and answer, with pauses.
struct tls_shape {
    int requests = 1;                         ///< how often it is asked
    std::int64_t ask = 400;                   ///< median size of a request, bytes
    std::int64_t answer = 20'000;             ///< median size of an answer, bytes
    double spread = 1.0;                      ///< of both sizes (log-normal)
    std::int64_t pause_ns = 200 * units::ms;  ///< median pause between two requests
    bool resumed = false;                     ///< the handshake is the short one
};
/// Plays it on a connection of its own; returns when it ended.
inline std::int64_t tls_talk(stage& s, const call& c, const payload::tls_client& hello, std::string_view name,
                             const tls_shape& shape) {
    tcp_session t{s, c};
    t.open();
    start_tls(s, t, hello, name, shape.resumed);
    for (int i = 0; i < shape.requests && !t.over(); ++i) {
        if (i > 0) t.think(s.random.lognormal(shape.pause_ns, 0.8));
        t.up(payload::tls_data(s.random.lognormal(shape.ask, shape.spread * 0.5)));
        t.think(s.random.log_between(units::ms, 80 * units::ms));
        t.down(payload::tls_data(std::min<std::int64_t>(s.random.lognormal(shape.answer, shape.spread), 3'000'000)));
    }
    if (s.random.chance(0.5)) t.think(s.random.log_between(units::ms, 20 * units::second));
    t.end();
    return t.now();
}

/// A page over HTTP/2: one connection, requests sent together, answers interleaved as they are ready.
struct h2_shape {
    int rounds = 2;                             ///< batches of requests
    int at_once = 8;                            ///< most requests of a batch
    std::int64_t answer = 9'000;                ///< median size of an answer, bytes; the tail is heavy
    std::int64_t pause_ns = 2 * units::second;  ///< median pause between two batches
    std::int64_t idle_ns = 0;                   ///< kept open and pinged at the end for so long
};
/// Plays it on a connection of its own; returns when it ended.
inline std::int64_t h2_talk(stage& s, const call& c, const payload::tls_client& hello, std::string_view name,
                            const h2_shape& shape) {
    rng& r = s.random;
    tcp_session t{s, c};
    t.open();
    start_tls(s, t, hello, name, r.chance(0.4));
    t.up(payload::tls_data(r.between(60, 120))).down(payload::tls_data(r.between(30, 80)));  // settings and window
    for (int round = 0; round < shape.rounds && !t.over(); ++round) {
        if (round > 0) t.think(r.lognormal(shape.pause_ns, 1.0));
        const int requests = r.pick_int(1, shape.at_once);
        for (int i = 0; i < requests; ++i) t.up(payload::tls_data(i == 0 ? r.between(120, 600) : r.between(30, 120)));
        t.think(r.log_between(2 * units::ms, 200 * units::ms));
        for (int i = 0; i < requests; ++i) {
            t.down(payload::tls_data(r.pareto(shape.answer / 4 + 20, 1.1, 1'500'000)));
            if (r.chance(0.4)) t.up(payload::tls_data(13));  // a larger window
        }
    }
    const std::int64_t until = t.now() + shape.idle_ns;
    while (!t.over() && t.now() + 15 * units::second < until)
        t.think(r.between(15, 45) * units::second).up(payload::tls_data(17)).down(payload::tls_data(17));
    if (r.chance(0.6)) t.up(payload::tls_data(17));  // goes away
    t.end();
    return t.now();
}

/// Banner and key exchange of SSH on an open connection.
inline void start_ssh(stage& s, tcp_session& t, std::string_view client_name, std::string_view server_name) {
    const bool server_first = s.random.chance(0.5);
    if (server_first)
        t.down(payload::ssh_banner(server_name)).up(payload::ssh_banner(client_name));
    else
        t.up(payload::ssh_banner(client_name)).down(payload::ssh_banner(server_name));
    const std::int64_t offer = s.random.between(400, 1600);
    const std::int64_t answer = s.random.between(400, 1600);
    t.up(payload::ssh_kexinit(s.random, offer)).down(payload::ssh_kexinit(s.random, answer));
    const std::int64_t key = s.random.pick_int(0, 1) == 0 ? 48 : 272;
    t.up(payload::ssh_key_exchange(s.random, key)).think(s.random.log_between(units::ms, 60 * units::ms));
    t.down(payload::ssh_key_answer(s.random, key + s.random.between(200, 800)));
    t.up(payload::ssh_new_keys()).think(s.random.log_between(50 * units::us, 40 * units::ms));
    t.up(message{blob{}, 44}).down(message{blob{}, 44});
}
/// One password attempt; the server takes its time over wrong ones.
inline void ssh_password(stage& s, tcp_session& t, bool right) {
    t.up(message{blob{}, s.random.between(60, 150)});
    t.think(right ? s.random.log_between(5 * units::ms, 200 * units::ms)
                  : s.random.log_between(200 * units::ms, 3'500 * units::ms));
    t.down(message{blob{}, right ? 28 : s.random.between(44, 84)});
}

/// A size, or a range it is drawn from when it is used (so that two ranges in one call are drawn in a fixed order).
struct size_range {
    std::int64_t low;   ///< bytes
    std::int64_t high;  ///< bytes, >= low
    /// Always this size; implicit.
    constexpr size_range(std::int64_t fixed) noexcept : low(fixed), high(fixed) {}
    /// Between both, small sizes as often as large ones (log-uniform).
    constexpr size_range(std::int64_t from, std::int64_t to) noexcept : low(from), high(to) {}
    /// A size; draws nothing when it is fixed.
    [[nodiscard]] std::int64_t draw(rng& r) const noexcept { return low == high ? low : r.log_between(low, high); }
};

/// One SMB2 session on an open connection.
class smb_client {
public:
    /// Speaks on `t`, which is open and like `s` outlives it.
    smb_client(stage& s, tcp_session& t) : m_stage(&s), m_session(&t) {}

    /// Negotiates and authenticates by NTLM or Kerberos. False answers make a failed logon.
    bool log_in(std::string_view user, bool right, bool kerberos) {
        rng& r = m_stage->random;
        blob offer;
        offer.le16(36)
            .le16(4)
            .le16(1)
            .le16(0)
            .le32(0x7f)
            .random(r, 16)
            .le64(0)
            .le16(0x0202)
            .le16(0x0210)
            .le16(0x0300)
            .le16(0x0302);
        ask(payload::smb2_command::negotiate, 0, offer);
        const blob offered = payload::spnego(r, r.between(74, 280));
        blob chosen;
        chosen.le16(65).le16(1).le16(0x0302).le16(0).random(r, 16).le32(0x2f).le32(8388608).le32(8388608).le32(8388608);
        chosen.le64(133'000'000'000'000'000ULL + r.below(1U << 31)).le64(0).le16(128);
        chosen.le16(offered.size()).le32(0);
        answer(0, chosen.raw(offered.view()));
        if (kerberos) {
            setup(payload::spnego(r, r.between(1400, 2600)));
        } else {
            setup(payload::ntlm(r, 1));
            m_ids.session = r.next() >> 8;
            answer(payload::status_more_processing, setup_answer(payload::ntlm(r, 2)));
            setup(payload::ntlm(r, 3, user, m_stage->net.domain_name()));
        }
        m_ids.session = r.next() >> 8;
        if (!right) {
            m_session->think(r.log_between(units::ms, 30 * units::ms));
            answer(payload::status_logon_failure, blob{}.le16(9).zeros(7));
            return false;
        }
        answer(0, setup_answer(payload::spnego_done(r, r.between(0, 170))));
        return true;
    }
    /// Connects to a share; true when `status` is 0, the server's success.
    bool connect_tree(std::string_view share, std::uint32_t status = 0) {
        const std::string path = "\\\\" + m_session->server().name + "\\" + std::string{share};
        blob b;
        b.le16(9).le16(0).le16(72).le16(2 * path.size()).utf16(path);
        ask(payload::smb2_command::tree_connect, 0, b);
        if (status == 0) m_ids.tree = 1 + m_stage->random.below(12);
        answer(status, blob{}.le16(16).u8(share.ends_with('$') ? 2 : 1).u8(0).le32(0x30).le32(0).le32(0x1f01ff));
        return status == 0;
    }
    /// Opens a file or pipe; `write` asks for write access.
    void create(std::string_view name, bool write, std::uint32_t status = 0) {
        blob b;
        b.le16(57).u8(0).u8(0xff).le32(2).le64(0).le64(0).le32(write ? 0x0012019fU : 0x00120089U).le32(0x80);
        b.le32(write ? 0U : 7U)
            .le32(write ? 5U : 1U)
            .le32(0x40)
            .le16(120)
            .le16(2 * name.size())
            .le32(0)
            .le32(0)
            .utf16(name);
        ask(payload::smb2_command::create, 0, b, m_stage->random.chance(0.5) ? 0 : m_stage->random.between(24, 160),
            body_kind::zeros);
        answer(
            status,
            status == 0
                ? blob{}.le16(89).u8(0).u8(0).le32(1).zeros(48).le32(0x80).le32(0).random(m_stage->random, 16).zeros(8)
                : blob{}.le16(9).zeros(7),
            0, body_kind::zeros);
    }
    /// Closes the open file.
    void close() {
        blob b;
        ask(payload::smb2_command::close, 0, b.le16(24).le16(1).le32(0).random(m_stage->random, 16));
        answer(0, blob{}.le16(60).zeros(58));
    }
    /// Reads `size` bytes of the open file.
    void read(std::int64_t size, body_kind kind = body_kind::text) {
        blob b;
        ask(payload::smb2_command::read, 0,
            b.le16(49)
                .u8(80)
                .u8(0)
                .le32(static_cast<std::uint64_t>(size))
                .le64(0)
                .random(m_stage->random, 16)
                .zeros(17));
        answer(0, blob{}.le16(17).u8(80).u8(0).le32(static_cast<std::uint64_t>(size)).le64(0), size, kind);
    }
    /// Writes `size` bytes to the open file.
    void write(std::int64_t size, body_kind kind = body_kind::random) {
        blob b;
        b.le16(49).le16(112).le32(static_cast<std::uint64_t>(size)).le64(0).random(m_stage->random, 16).zeros(16);
        ask(payload::smb2_command::write, 0, b, size, kind);
        answer(0, blob{}.le16(17).le16(0).le32(static_cast<std::uint64_t>(size)).zeros(8));
    }
    /// Renames the open file (kind 10) or marks it for deletion (kind 13).
    void set_info(std::uint8_t kind, std::string_view name) {
        blob b;
        b.le16(33)
            .u8(1)
            .u8(kind)
            .le32(20 + 2 * name.size())
            .le16(96)
            .le16(0)
            .le32(0)
            .random(m_stage->random, 16)
            .le64(0)
            .le64(0)
            .le32(2 * name.size())
            .utf16(name);
        ask(payload::smb2_command::set_info, 0, b);
        answer(0, blob{}.le16(2));
    }
    /// Lists a directory of so many entries, about 110 bytes each; the first few are exact.
    void list(int entries) {
        blob b;
        ask(payload::smb2_command::query_directory, 0,
            b.le16(33).u8(37).u8(0).le32(0).random(m_stage->random, 16).le16(96).le16(2).le32(65536).utf16("*"));
        const int exact = std::min(entries, 6);
        blob found;
        for (int i = 1; i <= exact; ++i) {
            found.le32(i == exact ? 0U : 112U).le32(0).zeros(32).le64(4096).le64(4096).le32(0x20).le32(8).le32(0);
            found.zeros(26).le16(0).random(m_stage->random, 8).utf16(world::word(m_stage->random).substr(0, 2) + ".a");
            found.zeros(112U * static_cast<std::size_t>(i) - found.size());
        }
        const std::int64_t size = std::int64_t{entries} * 112;
        blob head;
        head.le16(9).le16(72).le32(static_cast<std::uint64_t>(size)).raw(found.view());
        answer(0, head, size - 112 * exact, body_kind::text);
    }
    /// Asks for the open file's properties.
    void query_info() {
        blob b;
        ask(payload::smb2_command::query_info, 0,
            b.le16(41).u8(1).u8(18).le32(4096).le64(0).le64(0).random(m_stage->random, 16));
        answer(0, blob{}.le16(9).le16(72).le32(102), 102, body_kind::zeros);
    }
    /// A remote procedure through an open pipe: write and read, or one transceive control.
    void pipe_call(const message& request, const message& reply) {
        rng& r = m_stage->random;
        const auto body_of = [](const message& m) {
            return static_cast<std::int64_t>(m.size) - static_cast<std::int64_t>(m.head.size());
        };
        if (m_pipe_by_write) {
            blob b;
            b.le16(49).le16(112).le32(request.size).le64(0).random(r, 16).zeros(16).raw(request.head.view());
            ask(payload::smb2_command::write, 0, b, body_of(request), request.kind);
            answer(0, blob{}.le16(17).le16(0).le32(request.size).zeros(8));
            ask(payload::smb2_command::read, 0,
                blob{}.le16(49).u8(80).u8(0).le32(1024).le64(0).random(r, 16).zeros(17));
            answer(0, blob{}.le16(17).u8(80).u8(0).le32(reply.size).le64(0).raw(reply.head.view()), body_of(reply),
                   reply.kind);
        } else {
            blob b;
            b.le16(57)
                .le16(0)
                .le32(0x0011c017)
                .random(r, 16)
                .le32(120)
                .le32(request.size)
                .le32(0)
                .le32(0)
                .le32(0)
                .le32(1024)
                .le32(1)
                .le32(0);
            ask(payload::smb2_command::ioctl, 0, b.raw(request.head.view()), body_of(request), request.kind);
            blob a;
            a.le16(49)
                .le16(0)
                .le32(0x0011c017)
                .random(r, 16)
                .le32(112)
                .le32(0)
                .le32(112)
                .le32(reply.size)
                .le32(0)
                .le32(0);
            answer(0, a.raw(reply.head.view()), body_of(reply), reply.kind);
        }
    }
    /// Opens an interface's pipe and binds it.
    void bind_pipe(const payload::rpc_interface& i) {
        m_pipe_by_write = m_stage->random.chance(0.5);
        create(i.pipe, true);
        m_call_id = 1 + m_stage->random.below(3);
        const message request = payload::rpc_bind(m_stage->random, i, m_call_id);
        pipe_call(request, payload::rpc_bind_ack(m_stage->random, m_call_id));
    }
    /// Calls a procedure of the bound interface through the pipe; sizes are those of the arguments.
    void procedure(std::uint16_t operation, size_range ask_size, size_range answer_size) {
        ++m_call_id;
        const std::int64_t asked = ask_size.draw(m_stage->random);
        const std::int64_t answered = answer_size.draw(m_stage->random);
        rng& r = m_stage->random;
        const message request = payload::rpc_call(r, 0, operation, m_call_id, asked);
        pipe_call(request, payload::rpc_call(r, 2, 0, m_call_id, answered));
    }
    /// Disconnects and logs off, or just leaves as many clients do.
    void log_off() {
        blob b;
        if (m_stage->random.chance(0.6)) {
            ask(payload::smb2_command::tree_disconnect, 0, blob{}.le16(4).le16(0));
            answer(0, blob{}.le16(4).le16(0));
            ask(payload::smb2_command::log_off, 0, b.le16(4).le16(0));
            answer(0, blob{}.le16(4).le16(0));
        }
    }
    /// Pause of the server or the user between operations.
    void pause(std::int64_t ns) { m_session->think(ns); }

private:
    void ask(std::uint16_t command, std::uint32_t status, const blob& b, std::int64_t extra = 0,
             body_kind kind = body_kind::random) {
        m_command = command;
        m_session->up(payload::smb2(m_ids, m_ids.next_message, command, false, status, b, extra, kind));
    }
    void answer(std::uint32_t status, const blob& b, std::int64_t extra = 0, body_kind kind = body_kind::random) {
        m_session->down(payload::smb2(m_ids, m_ids.next_message++, m_command, true, status, b, extra, kind));
    }
    void setup(const blob& token) {
        blob b;
        ask(payload::smb2_command::session_setup, 0,
            b.le16(25).u8(0).u8(1).le32(1).le32(0).le16(88).le16(token.size()).le64(0).raw(token.view()));
    }
    [[nodiscard]] static blob setup_answer(const blob& token) {
        blob b;
        return b.le16(9).le16(0).le16(72).le16(token.size()).raw(token.view());
    }

    stage* m_stage;
    tcp_session* m_session;
    payload::smb_ids m_ids;
    std::uint32_t m_call_id = 1;
    std::uint16_t m_command = 0;
    bool m_pipe_by_write = false;
};

/// DCE/RPC straight over TCP: bind, then calls.
class rpc_client {
public:
    /// Speaks on `t`, which is open and like `s` outlives it.
    rpc_client(stage& s, tcp_session& t) : m_stage(&s), m_session(&t) {}
    /// Binds an interface; with authentication most calls are sealed.
    void bind(const payload::rpc_interface& i, bool authenticated) {
        const std::uint16_t auth = authenticated ? std::uint16_t{72} : std::uint16_t{0};
        m_sealed = authenticated && m_stage->random.chance(0.6);
        m_call_id = 1 + m_stage->random.below(4);
        m_session->up(payload::rpc_bind(m_stage->random, i, m_call_id, auth));
        m_session->down(payload::rpc_bind_ack(m_stage->random, m_call_id, auth));
    }
    /// Calls a procedure; sizes are those of the arguments, `refused` ends in a fault "access denied".
    void procedure(std::uint16_t operation, size_range ask_size, size_range answer_size, bool refused = false) {
        ++m_call_id;
        say(way::up, 0, operation, ask_size.draw(m_stage->random));
        m_session->think(m_stage->random.log_between(50 * units::us, 8 * units::ms));
        say(way::down, refused ? 3 : 2, 0, answer_size.draw(m_stage->random));
    }

private:
    /// One message in as many fragments as it takes.
    void say(way to, int kind, std::uint16_t operation, std::int64_t size) {
        std::uint8_t place = 1;
        do {
            const std::int64_t part = std::min(size, payload::rpc_fragment);
            size -= part;
            if (size <= 0) place |= 2;
            const message m = payload::rpc_call(m_stage->random, kind, operation, m_call_id, part, m_sealed, place);
            to == way::up ? m_session->up(m) : m_session->down(m);
            place = 0;
        } while (size > 0);
    }

    stage* m_stage;
    tcp_session* m_session;
    std::uint32_t m_call_id = 1;
    bool m_sealed = false;
};

/// Asks a host's endpoint mapper (port 135) where an interface listens; returns the time after it.
inline std::int64_t map_endpoint(stage& s, host& client, host& server, std::int64_t when,
                                 std::optional<behaviour_tag> tag = {}) {
    tcp_session t{s, {&client, &server, 135, when, 0, tag}};
    t.open();
    rpc_client rpc{s, t};
    rpc.bind(payload::rpc::endpoint_mapper, false);
    rpc.procedure(3, 132, 128);
    t.end();
    return t.now();
}

/// Kerberos over UDP or TCP: one request and its answer.
inline std::int64_t kerberos_talk(stage& s, host& client, const payload::kerberos_shape& ask,
                                  const payload::kerberos_shape& answer, std::int64_t when, bool over_tcp) {
    host& controller = s.net.domain_controller();
    const blob request = payload::kerberos(s.random, ask);
    const blob reply = payload::kerberos(s.random, answer);
    if (!over_tcp) {
        udp_session u{s, {&client, &controller, 88, when}};
        u.up(request).think(s.random.log_between(100 * units::us, 5 * units::ms)).down(reply);
        return u.now();
    }
    tcp_session t{s, {&client, &controller, 88, when}};
    t.open().up(payload::with_length(request)).down(payload::with_length(reply)).end();
    return t.now();
}

/// MySQL's greeting, log-in and answer on an open connection.
inline void start_mysql(stage& s, tcp_session& t, bool right) {
    t.down(payload::mysql_greeting(s.random)).up(payload::mysql_log_in(s.random, "app"));
    t.think(s.random.log_between(100 * units::us, 5 * units::ms)).down(payload::mysql_answer(right));
}
/// PostgreSQL's start, a password and the parameters.
inline void start_postgres(stage& s, tcp_session& t) {
    t.up(payload::postgres_startup("app")).down(payload::postgres_asks_password(s.random));
    t.up(payload::postgres_password(s.random)).down(payload::postgres_ready());
}
/// Pre-login and log-in of Microsoft SQL Server.
inline void start_tds(stage& s, tcp_session& t, bool right) {
    t.up(payload::tds_prelogin(s.random, 0x12)).down(payload::tds_prelogin(s.random, 4));
    t.up(payload::tds_log_in(s.random)).down(payload::tds_answer(right));
}

/// An unencrypted line dialogue: greeting, then (said, answered) pairs; the usual shape of FTP, SMTP, POP, IMAP, IRC.
struct line_pair {
    std::string_view said;      ///< by the client; "" when it says nothing
    std::string_view answered;  ///< by the server; "" when it says nothing
};
/// Plays a greeting and such pairs on an open connection.
inline void speak(tcp_session& t, std::string_view greeting, std::initializer_list<line_pair> lines) {
    if (!greeting.empty()) t.down(blob{greeting});
    for (const line_pair& l : lines) {
        if (!l.said.empty()) t.up(blob{l.said});
        if (!l.answered.empty()) t.down(blob{l.answered});
    }
}

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
