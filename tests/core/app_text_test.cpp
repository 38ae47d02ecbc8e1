// SPDX-License-Identifier: MIT
// Line protocols and log-in services: attempts, refusals, successes, verbs, and silence on what is not theirs.
#include <string>

#include <doctest/doctest.h>

#include <core/app_samples.hpp>

namespace {

using namespace mldefender;
using namespace mldefender::test;

app_message read(app_protocol as, std::string_view text, bool to_responder = true) {
    static frame kept;  // the message's name points into it
    kept = text_of(text);
    return read_message(as, kept.view(), to_responder);
}

constexpr frame refused = text_of("530 Login incorrect.\r\n");
static_assert(read_message(app_protocol::ftp, refused, false).has(app_fact::auth_failure));

}  // namespace

TEST_CASE("FTP") {
    using enum app_protocol;
    CHECK(read(ftp, "PASS secret\r\n").has(app_fact::auth_attempt));
    CHECK(read(ftp, "PASS secret\r\n").name.empty());
    CHECK(read(ftp, "user alice\r\n").text()->verb == text_verb::user);
    CHECK(read(ftp, "user alice\r\n").name.size() == 5);
    CHECK(read(ftp, "530 no\r\n530 no\r\n").text()->failures == 2);
    CHECK(read(ftp, "USER a\r\nPASS b\r\nUSER c\r\nPASS d\r\n").text()->attempts == 2);
    CHECK(read(ftp, "230-Welcome\r\n230 ok\r\n").has(app_fact::auth_success));
    CHECK(read(ftp, "STOR x\r\n").has(app_fact::file_write));
    CHECK(read(ftp, "RETR x\r\n").has(app_fact::file_read));
    CHECK(read(ftp, "DELE x\r\n").has(app_fact::file_delete));
    CHECK(read(ftp, "RNTO x\r\n").has(app_fact::file_rename));
    CHECK(read(ftp, "AUTH TLS\r\n").has(app_fact::encrypted));
    CHECK_FALSE(read(ftp, "drwxr-xr-x 2 a b 4096 x\r\n"));
    CHECK_FALSE(read(ftp, "\x16\x03\x01"));
    CHECK_FALSE(read(ftp, "2300 bottles\r\n"));
}

TEST_CASE("SMTP") {
    using enum app_protocol;
    CHECK(read(smtp, "AUTH LOGIN\r\n").has(app_fact::auth_attempt));
    CHECK(read(smtp, "535 5.7.8 bad\r\n").has(app_fact::auth_failure));
    CHECK(read(smtp, "235 ok\r\n").has(app_fact::auth_success));
    const app_message batch = read(smtp, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA\r\n");
    CHECK(batch.text()->recipients == 2);
    CHECK(batch.text()->verb == text_verb::mail_from);
    CHECK_FALSE(read(smtp, "Subject: hello\r\nAUTH x\r\n"));
    CHECK(read(smtp, "EHLO pc.example\r\n").name.size() == 10);
}

TEST_CASE("POP3 and IMAP") {
    using enum app_protocol;
    CHECK(read(pop3, "PASS x\r\n").has(app_fact::auth_attempt));
    CHECK(read(pop3, "AUTH\r\n").facts == 0);
    CHECK(read(pop3, "-ERR Authentication failed\r\n").has(app_fact::auth_failure));
    CHECK_FALSE(read(pop3, "-ERR no such message\r\n").has(app_fact::auth_failure));
    CHECK(read(pop3, "+OK Logged in.\r\n").has(app_fact::auth_success));
    const app_message login = read(imap, "a1 LOGIN alice secret\r\n");
    CHECK(login.has(app_fact::auth_attempt));
    CHECK(login.name.size() == 5);
    CHECK(read(imap, "a1 NO [AUTHENTICATIONFAILED] x\r\n").has(app_fact::auth_failure));
    CHECK_FALSE(read(imap, "a2 NO such mailbox\r\n").has(app_fact::auth_failure));
    CHECK(read(imap, "a1 OK LOGIN completed\r\n").has(app_fact::auth_success));
    CHECK(read(imap, "a3 BAD what\r\n").code == 2);
}

TEST_CASE("IRC, Telnet and syslog") {
    using enum app_protocol;
    CHECK(read(irc, ":srv 464 a :Password incorrect\r\n").has(app_fact::auth_failure));
    CHECK(read(irc, "JOIN #x\r\n").text()->verb == text_verb::join);
    CHECK(read(irc, "NICK bob\r\n").name.size() == 3);
    CHECK(read(telnet, "\r\nLogin incorrect\r\nlogin: ", false).has(app_fact::auth_failure));
    CHECK(read(telnet, "Password: ", false).has(app_fact::auth_attempt));
    CHECK_FALSE(read(telnet, "Password: ", true).has(app_fact::auth_attempt));
    CHECK(read(telnet, "host login: ", false).text()->verb == text_verb::prompt);
    CHECK(read(syslog, "<191>x: y").code == 191);
    CHECK_FALSE(read(syslog, "<192>x: y"));
    CHECK_FALSE(read(syslog, "<a>x: y z"));
}

TEST_CASE("at most 16 lines are read") {
    std::string many;
    for (int i = 0; i < 40; ++i) many += "PASS x\r\n";
    CHECK(read(app_protocol::ftp, many).text()->lines == 16);
    CHECK(read(app_protocol::ftp, many).text()->attempts == 16);
}

TEST_CASE("SSH: banner, then key exchange as one attempt, then silence") {
    using enum app_protocol;
    const app_message banner = read(ssh, "SSH-2.0-OpenSSH_9.2p1 Debian\r\n", false);
    CHECK(banner.is_response);
    CHECK(banner.ssh()->version == 2);
    CHECK(banner.ssh()->kind == ssh_kind::banner);
    CHECK(std::string(banner.name.begin(), banner.name.end()) == "OpenSSH_9.2p1 Debian");
    CHECK(banner.facts == 0);
    CHECK(read(ssh, "SSH-1.99-x\n").ssh()->version == 2);
    CHECK(read(ssh, "SSH-1.5-x\n").ssh()->version == 1);
    const frame kexinit = frame{}.be32(200).u8(6).u8(20).zeros(60);
    CHECK(read_message(ssh, kexinit, true).has(app_fact::auth_attempt));
    CHECK_FALSE(read_message(ssh, kexinit, false).has(app_fact::auth_attempt));
    CHECK(read_message(ssh, join(text_of("SSH-2.0-x\r\n"), kexinit), true).has(app_fact::auth_attempt));
    CHECK(read_message(ssh, frame{}.be32(12).u8(10).u8(21).zeros(10), true).ssh()->kind == ssh_kind::new_keys);
    CHECK_FALSE(read_message(ssh, frame{}.be32(0x9a8b7c6d).zeros(40), true));
}

TEST_CASE("MySQL and VNC") {
    using enum app_protocol;
    const frame denied = frame{}.u8(20).be16(0).u8(2).u8(0xff).le16(1045).zeros(17);
    CHECK(read_message(mysql, denied, false).has(app_fact::auth_failure));
    CHECK(read_message(mysql, frame{}.u8(60).be16(0).u8(1).zeros(60), true).has(app_fact::auth_attempt));
    CHECK(read_message(mysql, frame{}.u8(7).be16(0).u8(2).zeros(7), false).has(app_fact::auth_success));
    CHECK_FALSE(read_message(mysql, frame{}.u8(7).be16(0).u8(1).zeros(7), true).has(app_fact::auth_attempt));
    CHECK(read(vnc, "RFB 003.008\n").has(app_fact::auth_attempt));
    CHECK(read(vnc, "RFB 003.008\n", false).small()->version == 308);
}
