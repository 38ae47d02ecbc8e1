// SPDX-License-Identifier: MIT
// Fuzzes the line protocols: FTP, SMTP, POP3, IMAP, IRC, Telnet, syslog.
#include <fuzz/app_target.hpp>

MLDEFENDER_FUZZ_READERS(ftp, smtp, pop3, imap, irc, telnet, syslog)
