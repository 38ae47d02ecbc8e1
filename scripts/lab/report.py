#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares what the sensor said with what really happened in the lab, and prints one table.

usage: report.py --events DIR --truth FILE [--color auto|always|never]

DIR holds the sensor's event lines (*.jsonl, `--log-flows all`), FILE the ground truth the lab's scripts wrote: tab
separated start, end (Unix seconds), name, attacker ('spoofed' when its addresses are invented), victims, class, tool;
the rows of class none name the networks of ordinary use. Exit 0 when every attack was found and nothing ordinary was
flagged, 1 when not, 2 when the input cannot be judged. Called by scripts/demo.
"""
import argparse
import datetime
import ipaddress
import json
import os
import pathlib
import sys

# Classes that are a right answer for an attack of the first class. Opening file shares along an address range is
# lateral movement by intent and a scan by shape.
RIGHT_CLASSES = {
    "scan": {"scan"},
    "ddos": {"ddos"},
    "bruteforce": {"bruteforce"},
    "lateral": {"lateral", "scan"},
}
SPOOFED = "spoofed"


class InputError(Exception):
    """The events or the ground truth cannot be judged; the text says where and why."""


def networks(text):
    return [] if text == "-" else [ipaddress.ip_network(part) for part in text.split(",")]


def within(address, nets):
    return any(address.version == net.version and address in net for net in nets)


class Attack:
    """One row of the ground truth, and the alerts that belong to it."""

    def __init__(self, start, name, attacker, victims, kind, tool):
        self.start, self.name, self.attacker, self.kind, self.tool = start, name, attacker, kind, tool
        self.victims_text = victims
        self.victims = networks(victims)
        self.attackers = [] if attacker == SPOOFED else networks(attacker)
        self.alerts = []

    def owns(self, ends, ordinary):
        """Whether traffic between these two addresses is this attack's."""
        if self.attackers:
            return any(within(end, self.attackers) for end in ends)
        return any(within(a, self.victims) and not within(b, ordinary) for a, b in (ends, ends[::-1]))

    def right(self):
        """Its alerts of an acceptable class, oldest first."""
        wanted = RIGHT_CLASSES[self.kind]
        return sorted((a for a in self.alerts if a["mld"]["attack_class"] in wanted), key=when)


def when(event):
    return datetime.datetime.strptime(event["timestamp"], "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()


def read_truth(path):
    """The attacks, and the networks of ordinary use."""
    attacks, ordinary = [], []
    for number, line in enumerate(pathlib.Path(path).read_text(encoding="utf-8").splitlines(), 1):
        try:
            start, _end, name, attacker, victims, kind, tool = line.split("\t")
            if kind == "none":
                ordinary += networks(attacker)
                continue
            if kind not in RIGHT_CLASSES:
                raise ValueError(f"class '{kind}' is not one of none {' '.join(RIGHT_CLASSES)}")
            attacks.append(Attack(float(start), name, attacker, victims, kind, tool))
        except ValueError as error:
            raise InputError(f"{path}:{number}: {error}") from error
    if not attacks or not ordinary:
        raise InputError(f"{path}: needs at least one attack and one row of ordinary use (class none)")
    return attacks, ordinary


def read_events(folder):
    """Every event line, in the order of the files."""
    files = sorted(pathlib.Path(folder).glob("*.jsonl"))
    if not files:
        raise InputError(f"{folder}: holds no *.jsonl file of events")
    for path in files:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    yield json.loads(line)
                except json.JSONDecodeError as error:
                    raise InputError(f"{path}:{number}: {error}") from error


class Findings:
    """Everything the table shows."""

    def __init__(self, attacks, ordinary, events):
        self.attacks = attacks
        self.ordinary_flows = self.attack_flows = self.attack_flows_marked = self.drops = 0
        self.flagged = []       # ordinary flows with another verdict than benign
        self.false_alarms = []  # alerts that belong to no attack
        self.loudest = None
        owner = {}
        for event in events:
            self.drops = max(self.drops, event["mld"]["sys"]["drops"])
            pair = (event["src_ip"], event["dest_ip"])
            if pair not in owner:
                ends = tuple(ipaddress.ip_address(end) for end in pair)
                owner[pair] = next((a for a in attacks if a.owns(ends, ordinary)), None)
            self.take(event, owner[pair])

    def take(self, event, attack):
        marked = event["mld"]["verdict"] != "benign"
        if event["event_type"] == "alert":
            (attack.alerts if attack else self.false_alarms).append(event)
            if self.loudest is None or event["mld"]["score"] > self.loudest["mld"]["score"]:
                self.loudest = event
        elif attack:
            self.attack_flows += 1
            self.attack_flows_marked += marked
        else:
            self.ordinary_flows += 1
            if marked:
                self.flagged.append(event)

    def missed(self):
        return [attack for attack in self.attacks if not attack.right()]

    def good(self):
        return not (self.missed() or self.flagged or self.false_alarms) and self.ordinary_flows > 0


def decided_by(alert):
    """The rules, the model, or both: whoever the event says was authoritative."""
    mld = alert["mld"]
    rules = ", ".join(mld["fast"]["reasons"]) or "rules"
    model = f"model {mld['model'].split('@')[0]}"
    source = mld["source"]
    if source == "consensus":
        return f"{rules} + {model}"
    if source == "divergence":
        return rules if mld["fast"]["score"] >= mld["ml"]["score"] else model
    return rules if source.startswith("fast") else model


def table_row(attack):
    right = attack.right()
    attacker = "(invented addresses)" if attack.attacker == SPOOFED else attack.attacker
    row = [attacker, attack.victims_text, attack.tool]
    if not right:
        others = sorted({alert["mld"]["attack_class"] for alert in attack.alerts})
        return row + ["MISSED" + (f" (took it for {', '.join(others)})" if others else ""), "-", "-", "-"]
    best = max(right, key=lambda alert: alert["mld"]["score"])
    others = {alert["mld"]["attack_class"] for alert in attack.alerts} - RIGHT_CLASSES[attack.kind]
    found = best["mld"]["attack_class"] + "".join(f" +{other}" for other in sorted(others))
    delay = max(0.0, when(right[0]) - attack.start)
    return row + [found, f"{best['mld']['score']:.2f}", decided_by(best), f"{delay:.1f} s"]


def aligned(rows, paint):
    """Lines of a table; the first row is its head. Missed attacks are painted red, found ones green."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
        if number == 0:
            yield paint(line, "1")
            yield "  ".join("-" * width for width in widths)
        else:
            yield paint(line, "31" if row[3].startswith("MISSED") else "32")


def describe(event):
    flow = f"{event['src_ip']}:{event['src_port']} > {event['dest_ip']}:{event['dest_port']} {event['app_proto']}"
    return f"  {flow}: {event['mld']['attack_class']} {event['mld']['score']:.2f}, {decided_by(event)}"


def report(findings, events_folder, paint):
    """The lines of the whole report."""
    head = ["who", "attacked whom", "how", "found as", "score", "decided by", "first alert"]
    yield from aligned([head] + [table_row(attack) for attack in findings.attacks], paint)
    yield ""
    if findings.ordinary_flows == 0:
        yield paint("Ordinary use: no flow was seen, so nothing is known about false alarms.", "31")
    elif not findings.flagged and not findings.false_alarms:
        yield paint(f"Ordinary use: {findings.ordinary_flows} flows, none flagged.", "32")
    else:
        yield paint(f"Ordinary use: {findings.ordinary_flows} flows, {len(findings.flagged)} flagged, "
                    f"{len(findings.false_alarms)} false alarms:", "31")
        wrong = findings.false_alarms + findings.flagged
        yield from (describe(event) for event in wrong[:8])
        if len(wrong) > 8:
            yield f"  and {len(wrong) - 8} more"
    yield f"Attacks: {findings.attack_flows} flows, {findings.attack_flows_marked} of them marked in their own line."
    if findings.drops:
        yield paint(f"The sensor lost {findings.drops} packets while capturing.", "33")
    yield f"Events: {events_folder}"
    if findings.loudest:
        yield f"One of them, in its own words: {findings.loudest['mld']['summary']}"


def main(arguments):
    parser = argparse.ArgumentParser(description="Compares the sensor's events with the lab's ground truth.")
    parser.add_argument("--events", required=True, metavar="DIR", help="the sensor's event folder")
    parser.add_argument("--truth", required=True, metavar="FILE", help="truth.tsv as the lab wrote it")
    parser.add_argument("--color", choices=["auto", "always", "never"], default="auto")
    options = parser.parse_args(arguments)
    colored = options.color == "always" or (
        options.color == "auto" and sys.stdout.isatty() and "NO_COLOR" not in os.environ)

    def paint(text, code):
        return f"\033[{code}m{text}\033[0m" if colored else text

    try:
        attacks, ordinary = read_truth(options.truth)
        findings = Findings(attacks, ordinary, read_events(options.events))
    except (InputError, OSError) as error:
        print(f"report.py: {error}", file=sys.stderr)
        return 2
    except KeyError as error:
        print(f"report.py: an event in {options.events} lacks the field {error}", file=sys.stderr)
        return 2
    for line in report(findings, options.events, paint):
        print(line)
    return 0 if findings.good() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
