// SPDX-License-Identifier: MIT
// Conversations: a TCP session with handshake, segments, acknowledgements, congestion window, losses and every way to
// end; a UDP exchange; ICMP. Each keeps its own clock (time at the sensor) and writes straight into the trace; the
// trace sorts. A session whose 5-tuple is already taken for another label stays silent (`usable()` is false), so labels
// never contradict. Behaviours drive these; nothing here knows which behaviour is an attack.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include <mldefender/core/packet.hpp>
#include <mldefender/forge/synth/frame.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {

/// Everything a behaviour may use. Passed by reference; lives as long as the scenario.
struct stage {
    world& net;                   ///< hosts and names
    rng& random;                  ///< the scenario's only source of chance
    trace& out;                   ///< where frames end up
    frame_writer& wire;           ///< writes them
    behaviour_tag tag;            ///< of the behaviour now playing
    int intensity_percent = 100;  ///< scales how much a behaviour does

    /// A tag for a side conversation that looks like anybody's (a bot's ordinary lookup): no attack.
    [[nodiscard]] behaviour_tag harmless() const noexcept { return {attack_class::none, tag.name}; }
    /// A moment within the capture, or up to a quarter of its length before it (flows already running).
    [[nodiscard]] std::int64_t some_time() {
        const std::int64_t span = out.end_ns() - out.begin_ns();
        const std::int64_t early = random.chance(0.15) ? span / 4 : 0;
        return random.between(out.begin_ns() - early, out.end_ns() - span / 20);
    }
    /// Length of the capture.
    [[nodiscard]] std::int64_t span_ns() const noexcept { return out.end_ns() - out.begin_ns(); }
    /// A count scaled by intensity, at least 1.
    [[nodiscard]] int scaled(std::int64_t count) const noexcept {
        return static_cast<int>(std::clamp<std::int64_t>(count * intensity_percent / 100, 1, 2'000'000));
    }
    /// False when time is over or the trace full: loops stop.
    [[nodiscard]] bool goes_on(std::int64_t now_ns) const noexcept { return now_ns < out.end_ns() && !out.full(); }
};

/// Which way data goes.
enum class way : std::uint8_t { up, down };  // client to server, server to client

/// What a conversation needs before its first packet.
struct call {
    host* client = nullptr;                 ///< who begins; must not be null
    host* server = nullptr;                 ///< who answers; must not be null
    std::uint16_t server_port = 0;          ///< in host order
    std::int64_t start_ns = 0;              ///< of the first packet, since the Unix epoch
    std::uint16_t client_port = 0;          ///< 0: an ephemeral port of the client
    std::optional<behaviour_tag> tag = {};  ///< unless the stage's
};

namespace detail {

/// Who sees what: the scenario's view, sometimes one-way for a single conversation.
[[nodiscard]] inline visibility draw_view(stage& s) {
    if (s.net.traits.view != visibility::both) return s.net.traits.view;
    if (!s.random.chance(s.net.traits.one_way_share)) return visibility::both;
    return s.random.chance(0.5) ? visibility::client_only : visibility::server_only;
}
[[nodiscard]] inline bool draw_six(stage& s, const host& a, const host& b) {
    const bool forced = a.v4 == address{} || b.v4 == address{};
    return forced || (a.has_v6 && b.has_v6 && s.random.chance(s.net.traits.v6_share));
}

}  // namespace detail

/// What TCP and UDP have in common: two sides, their ports and a clock.
class conversation {
public:
    /// False when its 5-tuple belongs to another label: then nothing is sent.
    [[nodiscard]] bool usable() const noexcept { return m_usable; }
    /// Where its clock stands, since the Unix epoch.
    [[nodiscard]] std::int64_t now() const noexcept { return m_now; }
    /// The port drawn for the client.
    [[nodiscard]] std::uint16_t client_port() const noexcept { return m_port[0]; }

protected:
    /// Draws family, visibility and ports; four tries to find a 5-tuple that is free for the label.
    conversation(stage& s, const call& c, ip_protocol protocol)
        : m_stage(&s),
          m_tag(c.tag.value_or(s.tag)),
          m_side{c.client, c.server},
          m_now(c.start_ns),
          m_six(detail::draw_six(s, *c.client, *c.server)),
          m_view(detail::draw_view(s)) {
        m_port[1] = c.server_port;
        for (int tries = 0; tries < 4 && !m_usable; ++tries) {
            m_port[0] = c.client_port != 0 ? c.client_port : world::ephemeral(*c.client, s.random);
            m_usable =
                s.out.claim({c.client->at(m_six), c.server->at(m_six), m_port[0], m_port[1], protocol}, m_tag.label);
        }
    }

    /// Whether the sensor sees what goes this way.
    [[nodiscard]] bool is_seen(way to) const noexcept {
        if (!m_usable || m_view == visibility::both) return m_usable;
        return (m_view == visibility::client_only) == (to == way::up);
    }

    stage* m_stage;                         ///< where it plays
    behaviour_tag m_tag;                    ///< of all its frames
    std::array<host*, 2> m_side;            ///< client, server
    std::array<std::uint16_t, 2> m_port{};  ///< theirs
    std::int64_t m_now;                     ///< its clock
    bool m_six;                             ///< speaks IPv6
    visibility m_view;                      ///< what the sensor sees of it
    bool m_usable = false;                  ///< owns its 5-tuple
};

/// One TCP connection. Times given and kept are those at the sensor.
class tcp_session : public conversation {
public:
    /// Draws ports, family and paces; nothing is sent yet.
    tcp_session(stage& s, const call& c) : conversation(s, c, ip_protocol::tcp) {
        for (std::size_t i = 0; i < 2; ++i) m_seq[i] = static_cast<std::uint32_t>(s.random.next());
        const bool timestamps = client().os->timestamps && server().os->timestamps_from_server;
        m_options = timestamps ? 12 : 0;
        m_scaled = client().os->window_shift != 0xff && server().os->window_shift != 0xff;
        m_mss = std::min(client().mss, server().mss);
        m_mss = static_cast<std::uint16_t>(m_mss - m_options - (m_six ? 20 : 0));
        for (auto& work : m_work) work = s.random.log_between(8 * units::us, 1'500 * units::us);
        m_rtt = 2 * (client().delay_ns + server().delay_ns) + 20 * units::us;
    }

    /// Time of a round trip between the two, without jitter.
    [[nodiscard]] std::int64_t rtt_ns() const noexcept { return m_rtt; }
    /// True when it was closed, or the capture has ended.
    [[nodiscard]] bool over() const noexcept { return m_closed || !m_stage->goes_on(m_now); }
    /// Who began.
    [[nodiscard]] host& client() noexcept { return *m_side[0]; }
    /// Who answers.
    [[nodiscard]] host& server() noexcept { return *m_side[1]; }

    /// Pauses the conversation; an unacknowledged tail is acknowledged meanwhile.
    tcp_session& think(std::int64_t pause_ns) {
        if (pause_ns > 40 * units::ms) settle_ack();
        m_now += pause_ns;
        return *this;
    }

    /// The three-way handshake, now and then with a repeated SYN.
    tcp_session& open() {
        if (m_stage->random.chance(m_stage->net.traits.loss)) {
            segment(way::up, m_now, tcp_flag::syn, {});
            m_now += client().os->retry_ns;
        }
        segment(way::up, m_now, tcp_flag::syn, {});
        m_now += pause(server());
        ++m_seq[0];
        segment(way::down, m_now, tcp_flag::syn | tcp_flag::ack, {});
        m_now += pause(client());
        ++m_seq[1];
        segment(way::up, m_now, tcp_flag::ack, {});
        m_now += m_stage->random.lognormal(m_work[0], 0.7);
        m_last = way::up;
        return *this;
    }
    /// A SYN answered by RST; clients that retry do so `attempts` times.
    void refused(int attempts = 1) {
        for (int i = 0; i < attempts; ++i) {
            segment(way::up, m_now, tcp_flag::syn, {});
            ++m_seq[0];
            segment(way::down, m_now + pause(server()), tcp_flag::rst | tcp_flag::ack, {}, true);
            --m_seq[0];
            m_now += m_stage->random.around(500 * units::ms, 10);
        }
        m_closed = true;
    }
    /// A SYN nobody answers, repeated as the client's stack does (`retries` < 0: as often as the stack would).
    void unanswered(int retries = -1) {
        const int count = retries < 0 ? client().os->retries : retries;
        std::int64_t wait = client().os->retry_ns;
        for (int i = 0; i <= count; ++i, wait *= 2) {
            segment(way::up, m_now, tcp_flag::syn, {});
            m_now += wait;
        }
        m_closed = true;
    }
    /// Joins a connection that was opened before the capture: no handshake.
    tcp_session& midway() {
        m_last = way::up;
        return *this;
    }

    /// Sends `m` from client to server, as many segments as it takes; empty messages are not sent.
    tcp_session& up(const message& m) { return send(way::up, m); }
    /// Sends `m` from server to client.
    tcp_session& down(const message& m) { return send(way::down, m); }

    /// FIN each way, in one of the usual orders.
    void finish(way first = way::up) {
        if (m_closed) return;
        turn(first);
        const way second = other(first);
        const bool slow = m_stage->random.chance(0.3);
        segment(first, m_now, tcp_flag::fin | tcp_flag::ack, {});
        ++m_seq[index(first)];
        m_now += pause(side(second));
        if (slow) {
            segment(second, m_now, tcp_flag::ack, {});
            m_now += m_stage->random.log_between(20 * units::us, 40 * units::ms);
        }
        segment(second, m_now, tcp_flag::fin | tcp_flag::ack, {});
        ++m_seq[index(second)];
        m_now += pause(side(first));
        segment(first, m_now, m_stage->random.chance(0.06) ? tcp_flag::rst : tcp_flag::ack, {});
        m_closed = true;
    }
    /// RST by one side; what it owed before goes first.
    void reset(way by = way::up) {
        if (m_closed) return;
        turn(by);
        const bool plain = m_stage->random.chance(0.5);
        segment(by, m_now, plain ? tcp_flag::rst : tcp_flag::rst | tcp_flag::ack, {}, true);
        m_closed = true;
    }
    /// Ends as connections of this kind do: mostly FIN, some RST, some never.
    void end() {
        static constexpr int weights[] = {60, 18, 10, 6, 6};
        switch (m_stage->random.weighted(weights)) {
            case 0: return finish(way::up);
            case 1: return finish(way::down);
            case 2: return reset(way::up);
            case 3: return reset(way::down);
            default: settle_ack(); m_closed = true;
        }
    }
    /// An empty segment that asks for a sign of life, and its answer.
    void keep_alive() {
        settle_ack();
        m_seq[0] -= 1;
        segment(way::up, m_now, tcp_flag::ack, {});
        m_seq[0] += 1;
        m_now += pause(server());
        segment(way::down, m_now, tcp_flag::ack, {});
        m_last = way::down;
    }

private:
    [[nodiscard]] static constexpr std::size_t index(way w) noexcept { return w == way::up ? 0 : 1; }
    [[nodiscard]] static constexpr way other(way w) noexcept { return w == way::up ? way::down : way::up; }
    [[nodiscard]] host& side(way w) noexcept { return *m_side[index(w)]; }

    /// From the sensor to that host and back: what passes before its answer is seen.
    [[nodiscard]] std::int64_t pause(host& who) {
        const std::int64_t base = 2 * who.delay_ns + 15 * units::us;
        const std::int64_t extra =
            m_stage->random.exponential(base / 100 * m_stage->net.traits.jitter_percent + units::us);
        return base + extra;
    }

    /// Gives the word to `to`; after the other side's data this takes the way to the sender and back.
    void turn(way to) {
        if (m_last == to) return;
        if (m_pending_ack) {
            m_pending_ack = false;  // carried by the data that follows
        }
        m_now += pause(side(to));
        m_now += m_stage->random.lognormal(m_work[index(to)], 0.7);
        m_last = to;
    }
    /// Writes the acknowledgement the receiver of the last data still owes.
    void settle_ack() {
        if (!m_pending_ack) return;
        m_pending_ack = false;
        const way by = other(m_last);
        std::int64_t at = m_now + 2 * side(by).delay_ns;
        if (m_stage->random.chance(0.5)) at += m_stage->random.between(0, 40 * units::ms);
        segment(by, at, tcp_flag::ack, {});
    }

    tcp_session& send(way to, const message& m) {
        if (m_closed || m.size == 0) return *this;
        turn(to);
        host& sender = side(to);
        const way back = other(to);
        const std::uint32_t unit = std::uint32_t{m_mss} * (m.size > m_mss ? m_stage->net.traits.offload : 1U);
        const std::int64_t rate = std::min(sender.bits_per_second, side(back).bits_per_second);
        const std::int64_t gap = std::max<std::int64_t>(std::int64_t{unit} * 8 * units::second / rate, 2 * units::us);
        const std::int64_t echo = 2 * side(back).delay_ns + 10 * units::us;
        const auto most = std::clamp<std::int64_t>(m_rtt / gap, 4, 256);
        std::uint32_t done = 0;
        std::int64_t in_round = 0;
        std::int64_t round_start = m_now;
        std::int64_t last_ack = 0;
        int unacknowledged = 0;
        while (done < m.size) {
            const std::uint32_t size = std::min(unit, m.size - done);
            const bool last = done + size == m.size;
            const bool push = last || m_stage->random.chance(0.05);
            body b{{}, size, m.kind, kept(to)};
            if (done < m.head.size())
                b.head = m.head.view().subspan(done, std::min<std::size_t>(size, m.head.size() - done));
            std::int64_t when = m_now;
            const auto flags = static_cast<std::uint8_t>(tcp_flag::ack | (push ? tcp_flag::psh : 0));
            if (m_stage->net.traits.loss > 0 && m_stage->random.chance(m_stage->net.traits.loss)) {
                if (m_stage->random.chance(0.5)) segment(to, when, flags, b);  // lost behind the sensor: seen twice
                when += m_stage->random.chance(0.7) ? m_rtt + m_rtt / 4 : std::max(m_rtt * 2, 200 * units::ms);
                for (int i = 0; i < 3 && !last; ++i) segment(back, when - m_rtt / 2 + i * gap, tcp_flag::ack, {});
                if (last) m_now = when;
            }
            segment(to, when, flags, b);
            m_seq[index(to)] += size;
            done += size;
            if (++unacknowledged == 2 || (last && m_stage->random.chance(0.25))) {
                last_ack = std::max(last_ack + units::us,
                                    when + echo + m_stage->random.exponential(echo / 16 + 2 * units::us));
                segment(back, last_ack, tcp_flag::ack, {});
                unacknowledged = 0;
            }
            if (last) break;
            m_now += m_stage->random.around(gap, 20);
            if (++in_round >= m_window) {  // the window is spent: wait for the first acknowledgement
                in_round = 0;
                m_now = std::max(m_now, round_start + m_rtt);
                round_start = m_now;
                m_window = std::min(m_window * 2, most);
                if (!m_stage->goes_on(m_now)) break;
            }
        }
        m_pending_ack = unacknowledged != 0;
        return *this;
    }

    /// Filler worth keeping: readers look at the first segments only.
    [[nodiscard]] std::uint32_t kept(way to) noexcept {
        auto& count = m_data_segments[index(to)];
        if (count < 255) ++count;
        return count <= 8 ? m_stage->out.body_bytes() : m_stage->out.later_body_bytes();
    }

    void segment(way to, std::int64_t when, std::uint8_t flags, const body& payload, bool last_word = false) {
        if (!is_seen(to) || !m_stage->out.wants(when)) return;
        host& from = side(to);
        const tcp_stack& os = *from.os;
        std::array<std::uint8_t, 24> options{};
        tcp_fields f;
        f.source_port = m_port[index(to)];
        f.destination_port = m_port[1 - index(to)];
        f.seq = m_seq[index(to)];
        f.ack = flags & tcp_flag::ack ? m_seq[1 - index(to)] : 0;
        f.flags = flags;
        const bool first = (flags & tcp_flag::syn) != 0;
        f.window = first ? os.window : steady_window(to);
        if (last_word) f.window = 0;
        std::size_t used = 0;
        if (first) used = syn_options(to, from, when, flags, options.data());
        if (!first && m_options != 0 && !(flags & tcp_flag::rst)) {
            options[0] = options[1] = 1;
            used = 2 + stamp(options.data() + 2, to, when);
        }
        f.options = {options.data(), used};
        m_stage->wire.tcp(m_tag, when, from, side(other(to)), m_six, f, payload);
    }
    [[nodiscard]] std::uint16_t steady_window(way to) {
        auto& w = m_steady[index(to)];
        const std::int64_t low = m_scaled ? 200 : 4000;
        const std::int64_t high = m_scaled ? 4200 : 65535;
        if (w == 0 || m_stage->random.chance(0.15))
            w = static_cast<std::uint16_t>(m_stage->random.log_between(low, high));
        return w;
    }
    std::size_t stamp(std::uint8_t* at, way to, std::int64_t when) noexcept {
        const auto ticks = [when](const host& h) { return h.clock + static_cast<std::uint32_t>(when / units::ms); };
        at[0] = 8;
        at[1] = 10;
        detail::store_be32(at + 2, ticks(side(to)));
        detail::store_be32(at + 6, ticks(side(other(to))));
        return 10;
    }
    std::size_t syn_options(way to, const host& from, std::int64_t when, std::uint8_t flags,
                            std::uint8_t* at) noexcept {
        const tcp_stack& os = *from.os;
        std::size_t n = 0;
        at[n++] = 2;
        at[n++] = 4;
        detail::store_be16(at + n, from.mss);
        n += 2;
        const bool answer = (flags & tcp_flag::ack) != 0;
        if (os.window_shift != 0xff && (!answer || m_scaled)) {
            at[n++] = 1;
            at[n++] = 3;
            at[n++] = 3;
            at[n++] = os.window_shift;
        }
        if (os.sack && (!answer || client().os->sack)) {
            at[n++] = 1;
            at[n++] = 1;
            at[n++] = 4;
            at[n++] = 2;
        }
        if (answer ? m_options != 0 : os.timestamps) {
            at[n++] = 1;
            at[n++] = 1;
            n += stamp(at + n, to, when);
            if (!answer) detail::store_be32(at + n - 4, 0);
        }
        return n;
    }

    std::array<std::int64_t, 2> m_work{};  ///< median time either program takes to react
    std::array<std::uint32_t, 2> m_seq{};
    std::array<std::uint16_t, 2> m_steady{};
    std::array<std::uint8_t, 2> m_data_segments{};
    std::int64_t m_rtt = 0;
    std::int64_t m_window = 10;  // RFC 6928
    way m_last = way::up;
    std::uint16_t m_mss = 1460;
    std::uint8_t m_options = 0;
    bool m_scaled = false;
    bool m_closed = false;
    bool m_pending_ack = false;
};

/// Datagrams between two ports, with turn-taking as in `tcp_session`.
class udp_session : public conversation {
public:
    /// Draws ports and family; nothing is sent yet.
    udp_session(stage& s, const call& c) : conversation(s, c, ip_protocol::udp) {}

    /// True when the capture has ended.
    [[nodiscard]] bool over() const noexcept { return !m_stage->goes_on(m_now); }

    /// One datagram from client to server.
    udp_session& up(const message& m) { return send(way::up, m); }
    /// One datagram from server to client.
    udp_session& down(const message& m) { return send(way::down, m); }
    /// Pauses the exchange.
    udp_session& think(std::int64_t pause_ns) {
        m_now += pause_ns;
        return *this;
    }
    /// A datagram at a given moment, outside the turns (media streams run both ways at once).
    void at(way to, std::int64_t when, const message& m) {
        if (!is_seen(to)) return;
        const std::size_t from = to == way::up ? 0 : 1;
        const body b{m.head.view(), m.size, m.kind,
                     m_count++ < 12 ? m_stage->out.body_bytes() : m_stage->out.later_body_bytes()};
        m_stage->wire.udp(m_tag, when, *m_side[from], *m_side[1 - from], m_six, m_port[from], m_port[1 - from], b);
    }
    /// The server's ICMP port unreachable in answer to the client's last datagram, quoting it.
    void unreachable() {
        if (m_six || m_view == visibility::client_only) return;
        host& server = *m_side[1];
        host& client = *m_side[0];
        if (!m_stage->out.claim({server.v4, client.v4, 0, 0, ip_protocol::icmp}, m_tag.label)) return;
        blob quoted;
        quoted.u8(0x45)
            .u8(0)
            .be16(28 + 16)
            .be16(client.ip_id)
            .be16(0)
            .u8(static_cast<std::uint8_t>(client.os->ttl - client.hops));
        five_tuple t{client.v4, server.v4, m_port[0], m_port[1], ip_protocol::udp};
        if (m_stage->out.nat != nullptr && !m_stage->out.nat->translate(t)) return;
        quoted.u8(17).be16(0).be32(t.source.v4_number()).be32(t.destination.v4_number());
        quoted.patch_be16(10, detail::fold(detail::sum_words(quoted.view().data(), 20)));
        quoted.be16(t.source_port).be16(t.destination_port).be16(24).be16(0);
        m_now += 2 * server.delay_ns + 30 * units::us;
        const body b{quoted.view(), static_cast<std::uint32_t>(quoted.size() + 16), body_kind::zeros, 64};
        m_stage->wire.icmp(m_tag, m_now, server, client, false, 3, 3, 0, b);
    }

private:
    udp_session& send(way to, const message& m) {
        if (to != m_last) {
            host& who = *m_side[to == way::up ? 0 : 1];
            const std::int64_t base = 2 * who.delay_ns + 20 * units::us;
            m_now += base + m_stage->random.exponential(base / 100 * m_stage->net.traits.jitter_percent + units::us);
            m_last = to;
        } else if (m_count > 0) {
            m_now += m_stage->random.log_between(5 * units::us, 400 * units::us);
        }
        at(to, m_now, m);
        return *this;
    }

    std::uint32_t m_count = 0;
    way m_last = way::up;
};

/// Echo requests of one sender to one target.
struct ping_shape {
    std::uint32_t size = 56;           ///< payload bytes
    bool answered = true;              ///< by an echo reply
    std::uint16_t identifier = 1;      ///< as in the header; programs keep it through a run
    body_kind kind = body_kind::text;  ///< what the payload looks like
};

/// One echo request (and its reply); returns false when the pair belongs to another label.
inline bool ping(stage& s, host& from, host& to, std::int64_t when, std::uint16_t sequence, const ping_shape& p,
                 const blob& head = {}) {
    const bool six = from.v4 == address{} || to.v4 == address{};
    const ip_protocol protocol = six ? ip_protocol::icmpv6 : ip_protocol::icmp;
    if (!s.out.claim({from.at(six), to.at(six), 0, 0, protocol}, s.tag.label)) return false;
    const visibility view = s.net.traits.view;
    const std::uint32_t rest = (std::uint32_t{p.identifier} << 16) | sequence;
    const body b{head.view(), std::max(p.size, static_cast<std::uint32_t>(head.size())), p.kind, s.out.body_bytes()};
    if (view != visibility::server_only) s.wire.icmp(s.tag, when, from, to, six, six ? 128 : 8, 0, rest, b);
    if (!p.answered || view == visibility::client_only) return true;
    const std::int64_t echo = 2 * to.delay_ns + 10 * units::us;
    const std::int64_t late = s.random.exponential(echo / 10);
    s.wire.icmp(s.tag, when + echo + late, to, from, six, six ? 129 : 0, 0, rest, b);
    return true;
}

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
