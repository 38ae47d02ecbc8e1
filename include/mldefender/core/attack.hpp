// SPDX-License-Identifier: MIT
// The attack families an event can name, with their ATT&CK mapping and the words other tools use for them.
// A closed set fixed by the event schema (mld.attack_class). Rules, forests and the synthesiser all label with it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mldefender {
inline namespace v0 {

/// What an attack is, as far as traffic can tell. `none` is ordinary use.
enum class attack_class : std::uint8_t {
    none,
    ddos,
    scan,
    bruteforce,
    botnet,
    exfil,
    ransomware,
    lateral,
    dns_tunnel,
    web,
    anomaly,
    count_
};

/// Classes, `none` among them.
inline constexpr std::size_t attack_class_count = static_cast<std::size_t>(attack_class::count_);

/// How an attack class is presented to people and to other systems.
struct attack_description {
    std::string_view name;       ///< value of mld.attack_class
    std::string_view title;      ///< for signatures and sentences
    std::string_view category;   ///< a Suricata classification.config description
    std::string_view tactic;     ///< ATT&CK tactic id
    std::string_view technique;  ///< ATT&CK technique id when no rule names a closer one
    std::uint8_t severity;       ///< Suricata priority, 1 is worst
};

// Tactic and technique ids: MITRE ATT&CK Enterprise v15. Categories: classification.config as Suricata ships it.
/// One row per class, in the order of the enumeration.
inline constexpr std::array<attack_description, attack_class_count> attack_descriptions{{
    {"none", "ordinary traffic", "Not Suspicious Traffic", "", "", 4},
    {"ddos", "denial of service", "Attempted Denial of Service", "TA0040", "T1498", 2},
    {"scan", "network scan", "Detection of a Network Scan", "TA0007", "T1046", 3},
    {"bruteforce", "password guessing", "Attempted User Privilege Gain", "TA0006", "T1110", 1},
    {"botnet", "command and control", "Malware Command and Control Activity Detected", "TA0011", "T1071", 1},
    {"exfil", "data exfiltration", "Successful Information Leak", "TA0010", "T1048", 1},
    {"ransomware", "ransomware", "A Network Trojan was detected", "TA0040", "T1486", 1},
    {"lateral", "lateral movement", "Attempted Administrator Privilege Gain", "TA0008", "T1021", 1},
    {"dns_tunnel", "DNS or ICMP tunnel", "Potential Corporate Privacy Violation", "TA0011", "T1572", 1},
    {"web", "web attack", "Web Application Attack", "TA0001", "T1190", 1},
    {"anomaly", "unusual traffic", "Potentially Bad Traffic", "", "", 3},
}};

/// The row of a class; that of `none` for values outside the enumeration.
[[nodiscard]] constexpr const attack_description& describe(attack_class c) noexcept {
    return attack_descriptions[static_cast<std::size_t>(c) < attack_class_count ? static_cast<std::size_t>(c) : 0];
}

/// As in mld.attack_class.
[[nodiscard]] constexpr std::string_view name_of(attack_class c) noexcept { return describe(c).name; }

/// The class of such a name, or nothing.
[[nodiscard]] constexpr std::optional<attack_class> parse_attack_class(std::string_view name) noexcept {
    for (std::size_t i = 0; i < attack_class_count; ++i) {
        if (attack_descriptions[i].name == name) return static_cast<attack_class>(i);
    }
    return std::nullopt;
}

}  // namespace v0
}  // namespace mldefender
