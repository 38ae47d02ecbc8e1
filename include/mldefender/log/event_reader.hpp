// SPDX-License-Identifier: MIT
// Reads event lines back. Strict: every one of the 83 leaves must be there once with its type, range and spelling,
// and nothing else; errors name the leaf, and with a file its line. `log_file` walks a file line by line in constant
// memory. Used by the tools, by whoever indexes events, and by the tests as the writer's counterpart.
#pragma once

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mldefender/core/event.hpp>
#include <mldefender/core/result.hpp>
#include <mldefender/log/chain.hpp>
#include <mldefender/log/detail/file.hpp>
#include <mldefender/log/detail/resume.hpp>
#include <mldefender/log/line_writer.hpp>

namespace mldefender {
inline namespace v0 {
namespace log {

/// Longest line accepted, without its line feed.
inline constexpr std::size_t max_line_bytes = std::size_t{1} << 20;

/// A line as read: the event and the leaves that are the sensor's rather than the event's. Texts are views into the
/// reader's memory, valid until it reads the next line. `event.interface_index` and `event.model_index` are 0: the
/// names stand here.
struct event_record {
    mldefender::event event;          ///< everything an event holds
    std::string_view in_iface;        ///< capture interface
    std::string_view community_id;    ///< as written, not recomputed
    std::string_view host;            ///< sensor name
    bool blocked = false;             ///< alert.action
    std::string_view category;        ///< classification text
    std::uint8_t severity = 4;        ///< 1 worst .. 4
    std::uint32_t flow_age_s = 0;     ///< whole seconds
    std::string_view event_id;        ///< UUID, 36 characters
    std::uint64_t seq = 0;            ///< line number of the sensor
    std::string_view deployment;      ///< site
    std::string_view version;         ///< software that decided
    std::string_view model;           ///< name@version
    std::string_view model_hash;      ///< 16 hex digits or ""
    std::string_view artifact;        ///< relative path or ""
    chain_link chain = first_link();  ///< link of this line
    std::string_view summary;         ///< one sentence
};

namespace detail {

/// Nanoseconds of "2026-11-20T22:10:00.123456+0000", or nothing for any other spelling or impossible date.
[[nodiscard]] constexpr std::optional<std::int64_t> parse_timestamp(std::string_view text) noexcept {
    constexpr std::string_view shape = "dddd-dd-ddTdd:dd:dd.dddddd+0000";
    if (text.size() != shape.size()) return {};
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (shape[i] == 'd' ? (text[i] < '0' || text[i] > '9') : text[i] != shape[i]) return {};
    }
    const auto number = [text](std::size_t at, std::size_t count) {
        std::int64_t value = 0;
        for (std::size_t i = at; i < at + count; ++i) value = value * 10 + (text[i] - '0');
        return value;
    };
    const std::int64_t month = number(5, 2), day = number(8, 2);
    if (month < 1 || month > 12 || day < 1 || day > 31) return {};
    if (number(11, 2) > 23 || number(14, 2) > 59 || number(17, 2) > 59) return {};
    // days_from_civil, the inverse of to_utc's algorithm
    const std::int64_t year = number(0, 4) - (month <= 2 ? 1 : 0);
    if (year < 1677 || year > 2262) return {};
    const std::int64_t era = year / 400, year_of_era = year % 400;
    const std::int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    const std::int64_t days =
        era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
    const std::int64_t us = (number(11, 2) * 3600 + number(14, 2) * 60 + number(17, 2)) * 1'000'000 + number(20, 6);
    const std::int64_t since_epoch_us = days * 86'400'000'000 + us;
    constexpr std::int64_t largest_us = std::numeric_limits<std::int64_t>::max() / 1000;
    if (since_epoch_us < -largest_us || since_epoch_us > largest_us) return {};
    return since_epoch_us * 1000;
}

/// Takes the members of one JSON object and keeps the first complaint. `close` complains about members nobody asked
/// for.
class object_reader {
public:
    object_reader(simdjson::dom::object members, std::string path, std::string& complaint) noexcept
        : m_members(members), m_path(std::move(path)), m_complaint(&complaint) {}

    [[nodiscard]] object_reader object(std::string_view key) {
        simdjson::dom::object inner;
        if (find(key).get(inner) != simdjson::SUCCESS) complain(key, "expected an object");
        return {inner, m_path + std::string{key} + '.', *m_complaint};
    }
    std::string_view text(std::string_view key) {
        std::string_view value;
        if (find(key).get(value) != simdjson::SUCCESS) complain(key, "expected a string");
        return value;
    }
    std::uint64_t integer(std::string_view key, std::uint64_t largest = std::numeric_limits<std::uint64_t>::max()) {
        std::uint64_t value = 0;
        if (find(key).get(value) != simdjson::SUCCESS || value > largest) {
            complain(key, "expected a whole number from 0 to " + std::to_string(largest));
            return 0;
        }
        return value;
    }
    template <class Number>
    Number integer_of(std::string_view key) {
        return static_cast<Number>(integer(key, std::numeric_limits<Number>::max()));
    }
    double number(std::string_view key, double largest) {
        double value = 0;
        if (find(key).get(value) != simdjson::SUCCESS || !(value >= 0) || value > largest) {
            complain(key, "expected a number from 0 to " + std::to_string(largest));
            return 0;
        }
        return value;
    }
    float score(std::string_view key) { return static_cast<float>(number(key, 1)); }
    bool boolean(std::string_view key) {
        bool value = false;
        if (find(key).get(value) != simdjson::SUCCESS) complain(key, "expected true or false");
        return value;
    }
    template <class Parse>
    auto word(std::string_view key, Parse parse, std::string_view expected) {
        const auto value = parse(text(key));
        if (!value) complain(key, std::string{"expected "}.append(expected));
        using type = std::remove_cv_t<std::remove_reference_t<decltype(*value)>>;
        return value ? *value : type{};
    }
    void constant(std::string_view key, std::string_view expected) {
        if (text(key) != expected) complain(key, std::string{"expected \""}.append(expected) + '"');
    }
    /// Calls `each(text)` for the strings of a list; it answers whether the string is acceptable.
    template <class Each>
    void texts(std::string_view key, std::size_t most, Each each) {
        simdjson::dom::array items;
        if (find(key).get(items) != simdjson::SUCCESS) return complain(key, "expected a list of strings");
        std::size_t count = 0;
        for (const simdjson::dom::element item : items) {
            std::string_view value;
            if (item.get(value) != simdjson::SUCCESS || !each(value)) return complain(key, "holds an unexpected item");
            if (++count > most) return complain(key, "holds more than " + std::to_string(most) + " items");
        }
    }
    void complain(std::string_view key, std::string_view problem) {
        if (m_complaint->empty()) *m_complaint = m_path + std::string{key} + ": " + std::string{problem};
    }
    /// To be called after all members were taken.
    void close() {
        if (m_members.size() <= m_taken.size()) return;
        for (const auto member : m_members) {
            if (std::find(m_taken.begin(), m_taken.end(), member.key) == m_taken.end()) {
                return complain(member.key, "unknown key");
            }
        }
        complain("", "holds a key twice");
    }

private:
    simdjson::simdjson_result<simdjson::dom::element> find(std::string_view key) {
        m_taken.push_back(key);
        auto found = m_members.at_key(key);
        if (found.error() == simdjson::NO_SUCH_FIELD) complain(key, "is missing");
        return found;
    }

    simdjson::dom::object m_members;
    std::string m_path;
    std::string* m_complaint;
    std::vector<std::string_view> m_taken;
};

}  // namespace detail

/// Parses lines. One thread at a time; its memory is reused from line to line.
class event_reader {
public:
    /// Parses one line, without its line feed. The error's `what` names the leaf.
    [[nodiscard]] result<event_record, error> read(std::string_view line) {
        if (line.size() > max_line_bytes) return error{errc::too_large, "the line is too long", "", 0};
        simdjson::dom::object members;
        if (const auto failed = m_parser.parse(line.data(), line.size()).get(members)) {
            return error{errc::corrupt, std::string{"is not a JSON object: "} + simdjson::error_message(failed), "", 0};
        }
        std::string complaint;
        event_record record;
        detail::object_reader root{members, "", complaint};
        read_root(root, record, complaint);
        if (!complaint.empty()) return error{errc::corrupt, std::move(complaint), "", 0};
        return record;
    }

private:
    static std::int64_t time(detail::object_reader& from, std::string_view key) {
        return from.word(key, detail::parse_timestamp, "a time such as 2026-11-20T22:10:00.123456+0000");
    }

    static void read_root(detail::object_reader& root, event_record& r, std::string& complaint) {
        event& e = r.event;
        e.timestamp_ns = time(root, "timestamp");
        e.kind = root.word("event_type", parse_event_kind, "alert or flow");
        e.flow_id = root.integer("flow_id", (1ULL << 53) - 1);
        r.in_iface = root.text("in_iface");
        e.tuple.source = root.word("src_ip", parse_address, "an IP address");
        e.tuple.source_port = root.integer_of<std::uint16_t>("src_port");
        e.tuple.destination = root.word("dest_ip", parse_address, "an IP address");
        e.tuple.destination_port = root.integer_of<std::uint16_t>("dest_port");
        e.tuple.protocol = root.word("proto", parse_protocol, "the name of an IP protocol");
        e.ip_version = root.integer_of<std::uint8_t>("ip_v");
        if (e.ip_version != 4 && e.ip_version != 6) root.complain("ip_v", "expected 4 or 6");
        e.app_protocol = root.text("app_proto");
        r.community_id = root.text("community_id");
        r.host = root.text("host");
        auto alert = root.object("alert");
        auto flow = root.object("flow");
        auto tcp = root.object("tcp");
        auto mld = root.object("mld");
        root.close();
        if (!complaint.empty()) return;  // a missing object cannot be read further, here and below
        read_alert(alert, r, complaint);
        read_flow(flow, r);
        const auto flags = tcp.word("tcp_flags", parse_octet, "two hex digits");
        e.flow.tcp_flags = flags;
        tcp.close();
        read_mld(mld, r, complaint);
    }

    static void read_alert(detail::object_reader& alert, event_record& r, std::string& complaint) {
        event& e = r.event;
        const std::string_view action = alert.text("action");
        r.blocked = action == "blocked";
        if (!r.blocked && action != "allowed") alert.complain("action", "expected allowed or blocked");
        if (alert.integer("gid") != generator_id) alert.complain("gid", "expected 8383");
        e.signature.id = alert.integer_of<std::uint32_t>("signature_id");
        e.signature.revision = alert.integer_of<std::uint32_t>("rev");
        e.signature.title = alert.text("signature");
        r.category = alert.text("category");
        r.severity = static_cast<std::uint8_t>(alert.integer("severity", 4));
        if (r.severity == 0) alert.complain("severity", "expected 1 to 4");
        auto metadata = alert.object("metadata");
        alert.close();
        if (!complaint.empty()) return;
        metadata.texts("mitre_tactic_id", max_attack_ids, [&e](std::string_view id) { return e.tactics.push(id); });
        metadata.texts("mitre_technique_id", max_attack_ids,
                       [&e](std::string_view id) { return e.techniques.push(id); });
        metadata.close();
    }

    static void read_flow(detail::object_reader& flow, event_record& r) {
        event_flow& f = r.event.flow;
        f.start_ns = time(flow, "start");
        f.end_ns = time(flow, "end");
        r.flow_age_s = flow.integer_of<std::uint32_t>("age");
        f.state = flow.word("state", parse_flow_state, "new, established, closed or bypassed");
        f.packets_to_server = flow.integer("pkts_toserver");
        f.packets_to_client = flow.integer("pkts_toclient");
        f.bytes_to_server = flow.integer("bytes_toserver");
        f.bytes_to_client = flow.integer("bytes_toclient");
        flow.close();
    }

    static void read_mld(detail::object_reader& mld, event_record& r, std::string& complaint) {
        event& e = r.event;
        mld.constant("schema", event_schema);
        r.event_id = mld.text("event_id");
        r.seq = mld.integer("seq");
        r.deployment = mld.text("deployment");
        r.version = mld.text("version");
        r.model = mld.text("model");
        r.model_hash = mld.text("model_hash");
        r.artifact = mld.text("artifact");
        r.chain = mld.word("chain", parse_chain, "32 hex digits");
        r.summary = mld.text("summary");
        e.verdict = mld.word("verdict", parse_verdict, "benign, suspicious or malicious");
        e.attack_class = mld.word("attack_class", parse_attack_class, "an attack class");
        e.score = mld.score("score");
        e.confidence = mld.score("confidence");
        e.priority = mld.word("priority", parse_priority, "low, medium, high or critical");
        e.source = mld.word("source", parse_decision_source, "a decision source");
        auto fast = mld.object("fast");
        auto ml = mld.object("ml");
        e.anomaly = mld.score("anomaly");
        const float divergence = mld.score("divergence");
        e.divergence_reason = mld.text("divergence_reason");
        mld.texts("explain", max_explain_items, [&e](std::string_view item) {
            const auto parsed = parse_explain(item);
            return parsed && e.explain.push(*parsed);
        });
        auto features = mld.object("f");
        auto context = mld.object("ctx");
        auto response = mld.object("resp");
        auto system = mld.object("sys");
        mld.close();
        if (!complaint.empty()) return;
        read_detectors(fast, ml, e);
        if (complaint.empty() && score_e4(divergence) != score_e4(divergence_of(e.fast_score, e.ml_score))) {
            mld.complain("divergence", "is not the gap between fast.score and ml.score");
        }
        read_features(features, e.features);
        read_context(context, response, system, e);
    }

    static void read_detectors(detail::object_reader& fast, detail::object_reader& ml, event& e) {
        e.fast_triggered = fast.boolean("triggered");
        e.fast_score = fast.score("score");
        fast.texts("reasons", max_fast_reasons, [&e](std::string_view name) { return e.fast_reasons.push(name); });
        fast.close();
        e.ml_label = ml.word("label", parse_attack_class, "an attack class");
        e.ml_score = ml.score("score");
        e.ml_level = static_cast<std::uint8_t>(ml.integer("level", 3));
        if (e.ml_level == 0) ml.complain("level", "expected 1 to 3");
        ml.close();
    }

    static void read_features(detail::object_reader& from, event_features& f) {
        constexpr double any = std::numeric_limits<double>::max();
        f.packets_per_s = from.number("pps", any);
        f.bytes_per_s = from.number("bps", any);
        f.iat_mean_us = from.number("iat_mean_us", any);
        f.iat_std_us = from.number("iat_std_us", any);
        f.packet_len_mean = to_float(from.number("pkt_len_mean", any));
        f.packet_len_std = to_float(from.number("pkt_len_std", any));
        f.syn = from.integer_of<std::uint32_t>("syn");
        f.ack = from.integer_of<std::uint32_t>("ack");
        f.rst = from.integer_of<std::uint32_t>("rst");
        f.fin = from.integer_of<std::uint32_t>("fin");
        f.down_up_ratio = from.number("down_up_ratio", any);
        f.payload_entropy = to_float(from.number("payload_entropy", 8));
        f.src_new_dsts = from.integer_of<std::uint32_t>("src_new_dsts");
        f.src_new_ports = from.integer_of<std::uint32_t>("src_new_ports");
        f.src_syn_unanswered = from.score("src_syn_unanswered");
        f.beacon = from.score("beacon");
        from.close();
    }

    static void read_context(detail::object_reader& context, detail::object_reader& response,
                             detail::object_reader& system, event& e) {
        e.direction = context.word("direction", parse_flow_direction, "inbound, outbound, internal or external");
        e.source_country = context.word("src_country", parse_country, "an ISO 3166 code or \"\"");
        e.destination_country = context.word("dst_country", parse_country, "an ISO 3166 code or \"\"");
        e.source_events_24h = context.integer_of<std::uint32_t>("src_events_24h");
        context.close();
        e.response.action = response.word("action", parse_response_action, "a response");
        e.response.status = response.word("status", parse_response_status, "a response status");
        e.response.ttl_s = response.integer_of<std::uint32_t>("ttl");
        e.response.rule = response.text("rule");
        response.close();
        e.latency_us = system.integer_of<std::uint32_t>("latency_us");
        e.drops = system.integer("drops");
        system.close();
    }

    [[nodiscard]] static float to_float(double value) noexcept {
        return static_cast<float>(std::min(value, static_cast<double>(std::numeric_limits<float>::max())));
    }
    [[nodiscard]] static std::optional<ip_protocol> parse_protocol(std::string_view name) noexcept {
        // Downwards, so that "UNKNOWN" becomes the reserved number 255 instead of one that means something.
        for (unsigned number = 256; number-- > 0;) {
            if (name_of(static_cast<ip_protocol>(number)) == name) return static_cast<ip_protocol>(number);
        }
        return {};
    }
    [[nodiscard]] static std::optional<std::uint8_t> parse_octet(std::string_view digits) noexcept {
        std::uint8_t value = 0;
        const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
        if (failed != std::errc{} || digits.size() != 2 || end != digits.data() + 2) return {};
        return value;
    }
    [[nodiscard]] static std::optional<chain_link> parse_chain(std::string_view digits) noexcept {
        const auto link = parse_link(digits);
        return link ? std::optional{*link} : std::nullopt;
    }
    [[nodiscard]] static std::optional<country_code> parse_country(std::string_view code) noexcept {
        if (code.empty()) return country_code{};
        const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
        if (code.size() != 2 || !capital(code[0]) || !capital(code[1])) return {};
        return country_code{{code[0], code[1]}};
    }
    /// "feature=value(+0.31)"
    [[nodiscard]] static std::optional<explain_item> parse_explain(std::string_view text) noexcept {
        const std::size_t open = text.rfind('(');
        if (open == std::string_view::npos || !text.ends_with(')')) return {};
        const std::size_t equals = text.rfind('=', open);
        if (equals == std::string_view::npos) return {};
        explain_item item{text.substr(0, equals), 0, 0};
        std::string_view weight = text.substr(open + 1, text.size() - open - 2);
        if (weight.starts_with('+')) weight.remove_prefix(1);
        if (!parse_float(text.substr(equals + 1, open - equals - 1), item.value) || !parse_float(weight, item.weight)) {
            return {};
        }
        return item;
    }
    [[nodiscard]] static bool parse_float(std::string_view digits, float& value) noexcept {
        const auto [end, failed] =
            std::from_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed);
        return failed == std::errc{} && end == digits.data() + digits.size() && std::isfinite(value);
    }

    simdjson::dom::parser m_parser;
};

/// The event files of a directory as full paths, oldest day first.
[[nodiscard]] inline result<std::vector<std::string>, error> event_files(const std::string& directory) {
    auto names = detail::list_directory(directory, detail::is_day_file);
    if (!names) return names.failure();
    for (std::string& name : *names) name.insert(0, directory + '/');
    return names;
}

/// Lines of one file, front to back.
class log_file {
public:
    log_file() = default;
    /// Opens a file for reading; errors name it.
    [[nodiscard]] static result<log_file, error> open(const std::string& path) {
        auto file = detail::open_file(path, O_RDONLY);
        if (!file) return file.failure();
        log_file lines;
        lines.m_file = std::move(*file);
        lines.m_path = path;
        return lines;
    }

    /// A line without its line feed, or nothing at the end. `torn` tells that the last line had none.
    struct line {
        std::optional<std::string_view> text;  ///< nothing at the end
        bool torn = false;                     ///< the file ends without a line feed
    };
    /// The next line, valid until the next call. Refuses lines longer than `max_line_bytes`.
    [[nodiscard]] result<line, error> next() {
        for (;;) {
            const std::size_t feed = m_memory.find('\n', m_searched);
            if (feed != std::string::npos) return take(feed, false);
            m_searched = m_memory.size();
            if (m_memory.size() - m_at > max_line_bytes) {
                return error{errc::too_large, "the line is longer than a mebibyte", where(), 0};
            }
            if (m_finished) {
                if (m_at == m_memory.size()) return line{};
                return take(m_memory.size(), true);
            }
            if (auto more = refill(); !more) return more.failure();
        }
    }
    /// "file:line" of the line that `next` last yielded.
    [[nodiscard]] std::string where() const { return m_path + ':' + std::to_string(m_number); }
    /// The file's name as given.
    [[nodiscard]] const std::string& path() const noexcept { return m_path; }

private:
    line take(std::size_t end, bool torn) noexcept {
        const std::string_view text = std::string_view{m_memory}.substr(m_at, end - m_at);
        m_at = std::min(end + 1, m_memory.size());
        m_searched = m_at;
        ++m_number;
        return {text, torn};
    }
    result<void, error> refill() {
        m_memory.erase(0, m_at);
        m_searched -= m_at;
        m_at = 0;
        constexpr std::size_t block = std::size_t{1} << 16;
        const std::size_t had = m_memory.size();
        m_memory.resize(had + block);
        ssize_t got = 0;
        do {
            got = ::read(m_file.get(), m_memory.data() + had, block);
        } while (got < 0 && errno == EINTR);
        m_memory.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (got < 0) return detail::system_error("read", m_path, errno);
        m_finished = got == 0;
        return {};
    }

    detail::descriptor m_file;
    std::string m_path;
    std::string m_memory;
    std::size_t m_at = 0;
    std::size_t m_searched = 0;
    std::size_t m_number = 0;
    bool m_finished = false;
};

/// Calls `each(const event_record&, const log_file&)` for every line of a file; stops at the first bad line with an
/// error that names file, line and leaf.
template <class Each>
[[nodiscard]] result<void, error> for_each_event(const std::string& path, Each each) {
    auto lines = log_file::open(path);
    if (!lines) return lines.failure();
    event_reader reader;
    for (;;) {
        auto line = lines->next();
        if (!line) return line.failure();
        if (!line->text) return {};
        auto record = reader.read(*line->text);
        if (!record) return error{record.failure().code, record.failure().what, lines->where(), 0};
        each(*record, *lines);
    }
}

}  // namespace log
}  // namespace v0
}  // namespace mldefender
