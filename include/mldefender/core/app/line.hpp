// SPDX-License-Identifier: MIT
// Protocols made of lines: FTP, SMTP, POP3, IMAP, IRC, Telnet's log-in dialogue and syslog. Answers which verb came,
// whether credentials were presented and whether they were refused. Reads at most 16 lines; passwords are never kept.
// What is not printable (a TLS session after STARTTLS, a Telnet screen) yields nothing. Called per packet.
#pragma once

#include <mldefender/core/app/message.hpp>
#include <mldefender/core/app/text.hpp>

namespace mldefender {
inline namespace v0 {
namespace detail::app {

/// Length of the leading word.
[[nodiscard]] constexpr std::size_t word_length(bytes line) noexcept {
    const std::size_t blank = find_byte(line, ' ');
    return blank < line.size() ? blank : line.size();
}
[[nodiscard]] constexpr bytes after_word(bytes line) noexcept { return trim(slice(line, word_length(line))); }
[[nodiscard]] constexpr bool is_word(bytes line, std::string_view word) noexcept {
    return word_length(line) == word.size() && starts_with_fold(line, word);
}

struct verb_name {
    std::string_view word;
    text_verb verb;
};
inline constexpr verb_name ftp_verbs[] = {
    {"user", text_verb::user},      {"pass", text_verb::password}, {"acct", text_verb::password},
    {"auth", text_verb::start_tls}, {"list", text_verb::list},     {"nlst", text_verb::list},
    {"mlsd", text_verb::list},      {"retr", text_verb::retrieve}, {"stor", text_verb::store},
    {"appe", text_verb::store},     {"stou", text_verb::store},    {"rnfr", text_verb::rename},
    {"rnto", text_verb::rename},    {"dele", text_verb::delete_},  {"rmd", text_verb::delete_},
    {"quit", text_verb::quit},      {"syst", text_verb::other},    {"feat", text_verb::other},
    {"pasv", text_verb::other},     {"epsv", text_verb::other},    {"port", text_verb::other},
    {"eprt", text_verb::other},     {"type", text_verb::other},    {"cwd", text_verb::other},
    {"pwd", text_verb::other},      {"opts", text_verb::other},    {"size", text_verb::other},
};
inline constexpr verb_name smtp_verbs[] = {
    {"helo", text_verb::hello},     {"ehlo", text_verb::hello},     {"lhlo", text_verb::hello},
    {"mail", text_verb::mail_from}, {"rcpt", text_verb::recipient}, {"data", text_verb::data},
    {"bdat", text_verb::data},      {"auth", text_verb::auth},      {"starttls", text_verb::start_tls},
    {"quit", text_verb::quit},      {"rset", text_verb::other},     {"vrfy", text_verb::other},
    {"expn", text_verb::other},     {"noop", text_verb::other},
};
inline constexpr verb_name pop3_verbs[] = {
    {"user", text_verb::user},      {"pass", text_verb::password}, {"apop", text_verb::auth},
    {"auth", text_verb::auth},      {"list", text_verb::list},     {"uidl", text_verb::list},
    {"retr", text_verb::retrieve},  {"top", text_verb::retrieve},  {"dele", text_verb::delete_},
    {"stls", text_verb::start_tls}, {"capa", text_verb::hello},    {"stat", text_verb::other},
    {"quit", text_verb::quit},
};
inline constexpr verb_name imap_verbs[] = {
    {"capability", text_verb::hello},  {"id", text_verb::hello},      {"login", text_verb::auth},
    {"authenticate", text_verb::auth}, {"list", text_verb::list},     {"lsub", text_verb::list},
    {"select", text_verb::other},      {"examine", text_verb::other}, {"fetch", text_verb::retrieve},
    {"uid", text_verb::retrieve},      {"append", text_verb::store},  {"starttls", text_verb::start_tls},
    {"logout", text_verb::quit},       {"noop", text_verb::other},    {"idle", text_verb::other},
};
inline constexpr verb_name irc_verbs[] = {
    {"nick", text_verb::user},  {"user", text_verb::user},       {"pass", text_verb::password},
    {"join", text_verb::join},  {"privmsg", text_verb::message}, {"notice", text_verb::message},
    {"ping", text_verb::other}, {"pong", text_verb::other},      {"cap", text_verb::hello},
    {"quit", text_verb::quit},  {"mode", text_verb::other},      {"whois", text_verb::other},
};

template <std::size_t Count>
[[nodiscard]] constexpr text_verb match_verb(bytes line, const verb_name (&verbs)[Count]) noexcept {
    if (line.empty() || !is_alpha(line[0])) return text_verb::none;
    const std::size_t length = word_length(line);
    for (const verb_name& known : verbs) {
        if (known.word.size() == length && starts_with_fold(line, known.word)) return known.verb;
    }
    return text_verb::none;
}

/// What the lines of one payload add up to.
struct line_sum {
    text_details d;
    std::uint32_t code = 0;
    std::uint32_t facts = 0;
    bytes name;
    bool response = false;
    bool known = false;  ///< at least one line was of this protocol

    constexpr void verb(text_verb what) noexcept {
        known = known || what != text_verb::none;
        if (d.verb == text_verb::none) d.verb = what;
        switch (what) {
            case text_verb::retrieve: facts |= app_fact::file_read; break;
            case text_verb::store: facts |= app_fact::file_write | app_fact::file_create; break;
            case text_verb::rename: facts |= app_fact::file_rename; break;
            case text_verb::delete_: facts |= app_fact::file_delete; break;
            case text_verb::recipient: ++d.recipients; break;
            case text_verb::start_tls: facts |= app_fact::encrypted; break;
            default: break;
        }
    }
    constexpr void attempt() noexcept {
        facts |= app_fact::auth_attempt;
        ++d.attempts;
    }
    constexpr void failure() noexcept {
        facts |= app_fact::auth_failure;
        ++d.failures;
    }
    /// A reply line with a three-digit code; the first one counts.
    constexpr bool reply(bytes line) noexcept {
        const std::uint16_t number = reply_code(line);
        if (number == 0) return false;
        if (code == 0) code = number;
        response = known = true;
        return true;
    }
};

constexpr void read_ftp_line(bytes line, line_sum& sum) noexcept {
    if (sum.reply(line)) {
        const std::uint16_t number = reply_code(line);
        if (number == 530 || number == 430) sum.failure();
        if (number == 230) sum.facts |= app_fact::auth_success;
        return;
    }
    const text_verb verb = match_verb(line, ftp_verbs);
    sum.verb(verb);
    if (verb == text_verb::user) sum.name = after_word(line);
    if (verb == text_verb::password) sum.attempt();
}

constexpr void read_smtp_line(bytes line, line_sum& sum) noexcept {
    if (sum.reply(line)) {
        const std::uint16_t number = reply_code(line);
        if (number == 535 || number == 534 || number == 454) sum.failure();
        if (number == 235) sum.facts |= app_fact::auth_success;
        return;
    }
    const text_verb verb = match_verb(line, smtp_verbs);
    sum.verb(verb);
    if (verb == text_verb::auth) sum.attempt();
    if (verb == text_verb::hello) sum.name = after_word(line);
}

constexpr void read_pop3_line(bytes line, line_sum& sum) noexcept {
    if (starts_with(line, "+OK")) {
        sum.response = sum.known = true;
        if (contains_fold(slice(line, 0, 80), "logged in") || contains_fold(slice(line, 0, 80), "maildrop")) {
            sum.facts |= app_fact::auth_success;
        }
        return;
    }
    if (starts_with(line, "-ERR")) {
        const bytes text = slice(line, 4, 80);
        sum.response = sum.known = true;
        sum.code = 1;
        if (contains_fold(text, "auth") || contains_fold(text, "login") || contains_fold(text, "password") ||
            contains_fold(text, "logon") || contains_fold(text, "user") || contains_fold(text, "invalid")) {
            sum.failure();
        }
        return;
    }
    const text_verb verb = match_verb(line, pop3_verbs);
    sum.verb(verb);
    if (verb == text_verb::user) sum.name = after_word(line);
    if (verb == text_verb::password || (verb == text_verb::auth && !after_word(line).empty())) sum.attempt();
}

constexpr void read_imap_line(bytes line, line_sum& sum) noexcept {
    if (starts_with(line, "* ") || starts_with(line, "+ ")) {
        sum.response = sum.known = true;
        return;
    }
    const bytes rest = after_word(line);  // behind the tag
    if (is_word(rest, "ok") || is_word(rest, "no") || is_word(rest, "bad")) {
        sum.response = sum.known = true;
        const bytes text = slice(rest, 0, 96);
        const bool about_login = contains_fold(text, "login") || contains_fold(text, "authent") ||
                                 contains_fold(text, "logged in") || contains_fold(text, "credentials");
        if (lower(rest[0]) == 'n') {
            sum.code = 1;
            if (about_login) sum.failure();
        } else if (lower(rest[0]) == 'o' && about_login) {
            sum.facts |= app_fact::auth_success;
        } else if (lower(rest[0]) == 'b') {
            sum.code = 2;
        }
        return;
    }
    const text_verb verb = match_verb(rest, imap_verbs);
    sum.verb(verb);
    if (verb == text_verb::auth) {
        sum.attempt();
        if (is_word(rest, "login")) {
            const bytes user = after_word(rest);
            sum.name = slice(user, 0, word_length(user));
        }
    }
}

constexpr void read_irc_line(bytes line, line_sum& sum) noexcept {
    if (!line.empty() && line[0] == ':') {
        line = after_word(line);
        sum.response = true;
    }
    if (sum.reply(line)) {
        const std::uint16_t number = reply_code(line);
        if (number == 464) sum.failure();
        return;
    }
    const text_verb verb = match_verb(line, irc_verbs);
    sum.verb(verb);
    if (is_word(line, "nick")) sum.name = after_word(line);
    if (verb == text_verb::password) sum.attempt();
}

template <class ReadLine>
[[nodiscard]] constexpr app_message read_lines(app_protocol of, bytes payload, ReadLine read_line) noexcept {
    if (!starts_as_text(payload)) return {};
    line_sum sum;
    bytes rest = payload;
    while (!rest.empty() && sum.d.lines < 16) {
        const bytes line = next_line(rest);
        ++sum.d.lines;
        read_line(line, sum);
        // What follows such a line is content or another protocol.
        if (sum.d.verb == text_verb::data || sum.d.verb == text_verb::start_tls || (!sum.known && sum.d.lines == 1))
            break;
    }
    if (!sum.known) return {};
    app_message m{of, sum.d};
    m.is_response = sum.response;
    m.code = sum.code;
    m.facts = sum.facts;
    m.name = sum.name;
    return m;
}

/// Telnet: option negotiation, and the words every log-in dialogue uses. A server's password prompt stands for one
/// attempt, since what the user types comes one character at a time.
[[nodiscard]] constexpr app_message read_telnet(bytes payload, bool to_responder) noexcept {
    if (payload.empty()) return {};
    text_details d;
    std::uint32_t facts = 0;
    d.verb = payload[0] == 0xff ? text_verb::negotiate : text_verb::other;
    if (!to_responder) {
        const bytes tail = slice(payload, payload.size() > 160 ? payload.size() - 160 : 0);
        if (contains_fold(tail, "incorrect") || contains_fold(tail, "login failed") ||
            contains_fold(tail, "authentication fail") || contains_fold(tail, "access denied") ||
            contains_fold(tail, "bad password")) {
            facts |= app_fact::auth_failure;
            d.failures = 1;
        }
        const bytes end = slice(tail, tail.size() > 24 ? tail.size() - 24 : 0);
        if (contains_fold(end, "assword:")) {
            facts |= app_fact::auth_attempt;
            d.verb = text_verb::prompt;
            d.attempts = 1;
        } else if (contains_fold(end, "login:") || contains_fold(end, "username:")) {
            d.verb = text_verb::prompt;
        }
    }
    app_message m{app_protocol::telnet, d};
    m.is_response = !to_responder;
    m.facts = facts;
    return m;
}

/// "<priority>" with 0..191, then a letter, a digit or a blank (RFC 3164 and 5424).
[[nodiscard]] constexpr bool looks_like_syslog(bytes payload) noexcept {
    const std::size_t close = find_byte(slice(payload, 0, 6), '>');
    if (payload.size() < 6 || payload[0] != '<' || close < 2 || close > 4) return false;
    for (std::size_t i = 1; i < close; ++i) {
        if (!is_digit(payload[i])) return false;
    }
    const std::uint8_t next = payload[close + 1];
    return leading_number(payload.subspan(1)) <= 191 && (is_alpha(next) || is_digit(next) || next == ' ');
}
[[nodiscard]] constexpr app_message read_syslog(bytes payload) noexcept {
    if (!looks_like_syslog(payload)) return {};
    text_details d;
    d.lines = 1;
    d.verb = text_verb::message;
    app_message m{app_protocol::syslog, d};
    m.code = static_cast<std::uint32_t>(leading_number(payload.subspan(1)));
    return m;
}

/// Reads lines of `of`: ftp, smtp, pop3, imap or irc.
[[nodiscard]] constexpr app_message read_line_protocol(app_protocol of, bytes payload) noexcept {
    switch (of) {
        case app_protocol::ftp: return read_lines(of, payload, read_ftp_line);
        case app_protocol::smtp: return read_lines(of, payload, read_smtp_line);
        case app_protocol::pop3: return read_lines(of, payload, read_pop3_line);
        case app_protocol::imap: return read_lines(of, payload, read_imap_line);
        case app_protocol::irc: return read_lines(of, payload, read_irc_line);
        default: return {};
    }
}

/// Which line protocol a first payload belongs to. FTP and SMTP greet alike ("220 "): words decide, then the port;
/// undecided greetings stay unknown, because the client's first line tells.
[[nodiscard]] constexpr app_protocol match_line_protocol(bytes payload, std::uint16_t source_port,
                                                         std::uint16_t destination_port) noexcept {
    using enum app_protocol;
    if (payload.size() < 4 || !starts_as_text(payload)) return unknown;
    const auto on = [=](std::uint16_t port) noexcept { return source_port == port || destination_port == port; };
    bytes rest = payload;
    const bytes line = next_line(rest);
    const bytes head = slice(line, 0, 128);
    const std::uint16_t code = reply_code(line);
    if (code >= 120 && code < 600) {
        if (contains_fold(head, "smtp") || contains_fold(head, "mail")) return smtp;
        if (contains_fold(head, "ftp")) return ftp;
        if (on(25) || on(587) || on(2525) || on(465)) return smtp;
        return on(21) || (on(2121) && code == 220) ? ftp : unknown;
    }
    if (starts_with(line, "+OK") || starts_with(line, "-ERR")) return on(6379) ? unknown : pop3;
    if (starts_with(line, "* OK") || starts_with(line, "* PREAUTH") || starts_with(line, "* BYE")) return imap;
    const bool ended = line.size() < payload.size();
    if (is_word(line, "ehlo") || is_word(line, "helo")) return smtp;
    if (line[0] == ':' && ended) {
        const bytes after = after_word(line);
        if (reply_code(after) != 0 || is_word(after, "notice") || is_word(after, "ping")) return irc;
    }
    if (!ended) return unknown;
    if (is_word(line, "nick") || starts_with(line, "CAP LS") || starts_with(line, "CAP REQ")) return irc;
    if (is_word(line, "notice") && contains(head, " :")) return irc;
    if (is_word(line, "user")) return contains(head, " :") ? irc : (on(110) ? pop3 : ftp);
    if (is_word(line, "pass"))
        return contains(slice(rest, 0, 16), "NICK") ? irc : (on(110) ? pop3 : on(21) ? ftp : unknown);
    if (is_word(line, "capa") || is_word(line, "stls") || is_word(line, "apop")) return pop3;
    if (is_word(line, "auth")) return contains_fold(head, "tls") || contains_fold(head, "ssl") ? ftp : unknown;
    if (is_word(line, "feat") || is_word(line, "syst") || is_word(line, "pasv")) return ftp;
    const text_verb imap_verb = match_verb(after_word(line), imap_verbs);
    if (imap_verb == text_verb::hello || imap_verb == text_verb::auth || (imap_verb != text_verb::none && on(143))) {
        return imap;
    }
    return unknown;
}

}  // namespace detail::app
}  // namespace v0
}  // namespace mldefender
