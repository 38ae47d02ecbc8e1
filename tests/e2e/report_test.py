#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Tests of scripts/lab/report.py, the judge of the demo: it must find what is there, and above all it must not be content
# when an attack was missed, a class was wrong, an ordinary flow was flagged or nothing was seen. Run by ctest.
import contextlib
import datetime
import importlib.util
import io
import json
import os
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(os.environ.get("MLDEFENDER_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
sys.dont_write_bytecode = True
specification = importlib.util.spec_from_file_location("report", ROOT / "scripts/lab/report.py")
report = importlib.util.module_from_spec(specification)
specification.loader.exec_module(report)

START = 1_700_000_000.0
USE = (START, START + 60, "benign", "10.83.0.0/24,fd00:83::/64", "-", "none", "curl")
SCAN = (START + 10, START + 13, "port-scan", "203.0.113.66", "10.83.0.10", "scan", "nmap -sS")
FLOOD = (START + 20, START + 25, "syn-flood", "spoofed", "10.83.0.10", "ddos", "hping3")
SHARES = (START + 30, START + 33, "smb-sweep", "10.83.0.66", "10.83.0.128/26", "lateral", "smbclient")


def event(kind, source, destination, after, verdict="benign", attack_class="none", score=0.0, who="fast_only"):
    time = datetime.datetime.fromtimestamp(START + after, datetime.timezone.utc)
    return {
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.%f+0000"), "event_type": kind, "src_ip": source, "src_port": 40000,
        "dest_ip": destination, "dest_port": 80, "app_proto": "http",
        "mld": {"model": "internal@7", "summary": f"{attack_class} from {source}", "verdict": verdict,
                "attack_class": attack_class, "score": score, "source": who,
                "fast": {"reasons": ["port_sweep"], "score": 0.9}, "ml": {"score": 0.8}, "sys": {"drops": 0}},
    }


def ordinary():
    return event("flow", "10.83.0.21", "10.83.0.10", 5)


def alert(source, destination, after, attack_class, score=0.9, **more):
    return event("alert", source, destination, after, "malicious", attack_class, score, **more)


def judge(truth, events):
    """Exit status and output of the program on these rows and events."""
    with tempfile.TemporaryDirectory() as folder:
        truth_file = pathlib.Path(folder) / "truth.tsv"
        truth_file.write_text("".join("\t".join(map(str, row)) + "\n" for row in truth))
        (pathlib.Path(folder) / "2023-11-14.jsonl").write_text("".join(json.dumps(one) + "\n" for one in events))
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = report.main(["--events", folder, "--truth", str(truth_file)])
        return status, out.getvalue() + err.getvalue()


class Judgement(unittest.TestCase):
    def test_found_in_time_and_nothing_else_is_good(self):
        status, text = judge([USE, SCAN], [ordinary(), alert("203.0.113.66", "10.83.0.10", 11.5, "scan", 0.94)])
        self.assertEqual(status, 0, text)
        self.assertRegex(text, r"203\.0\.113\.66 +10\.83\.0\.10 +nmap -sS +scan +0\.94 +port_sweep +1\.5 s")
        self.assertIn("1 flows, none flagged", text)
        self.assertIn("scan from 203.0.113.66", text)
        self.assertNotIn("\033", text)

    def test_a_missed_attack_fails(self):
        status, text = judge([USE, SCAN], [ordinary()])
        self.assertEqual(status, 1)
        self.assertIn("MISSED", text)

    def test_a_wrong_class_is_a_miss_that_says_so(self):
        status, text = judge([USE, SCAN], [ordinary(), alert("203.0.113.66", "10.83.0.10", 11, "ddos")])
        self.assertEqual(status, 1)
        self.assertIn("MISSED (took it for ddos)", text)

    def test_another_class_beside_the_right_one_is_shown(self):
        status, text = judge([USE, SCAN], [ordinary(), alert("203.0.113.66", "10.83.0.10", 11, "ddos"),
                                           alert("203.0.113.66", "10.83.0.10", 12, "scan")])
        self.assertEqual(status, 0, text)
        self.assertIn("scan +ddos", text)

    def test_a_flagged_ordinary_flow_fails(self):
        flow = event("flow", "10.83.0.21", "10.83.0.10", 6, "suspicious", "scan", 0.7)
        status, text = judge([USE, SCAN], [flow, alert("203.0.113.66", "10.83.0.10", 11, "scan")])
        self.assertEqual(status, 1)
        self.assertIn("1 flagged", text)

    def test_an_alert_about_ordinary_use_fails(self):
        status, text = judge([USE, SCAN], [ordinary(), alert("203.0.113.66", "10.83.0.10", 11, "scan"),
                                           alert("10.83.0.21", "10.83.0.10", 11, "scan")])
        self.assertEqual(status, 1)
        self.assertIn("1 false alarms", text)

    def test_no_ordinary_flow_seen_proves_nothing(self):
        status, text = judge([USE, SCAN], [alert("203.0.113.66", "10.83.0.10", 11, "scan")])
        self.assertEqual(status, 1)
        self.assertIn("no flow was seen", text)

    def test_flood_from_invented_addresses_belongs_to_its_victim(self):
        events = [ordinary(), alert("81.2.69.142", "10.83.0.10", 21, "ddos", who="consensus")]
        events += [event("flow", f"81.2.69.{n}", "10.83.0.10", 21, "malicious", "ddos", 0.9) for n in range(1, 5)]
        status, text = judge([USE, FLOOD], events)
        self.assertEqual(status, 0, text)
        self.assertRegex(text, r"\(invented addresses\) .* ddos +0\.90 +port_sweep \+ model internal +1\.0 s")
        self.assertIn("4 flows, 4 of them marked", text)

    def test_the_victims_own_users_are_not_part_of_the_flood(self):
        events = [ordinary(), alert("81.2.69.142", "10.83.0.10", 21, "ddos"),
                  event("flow", "10.83.0.22", "10.83.0.10", 22, "malicious", "ddos", 0.9),
                  event("flow", "fd00:83::22", "fd00:83::10", 22)]
        status, text = judge([USE, FLOOD], events)
        self.assertEqual(status, 1)
        self.assertIn("3 flows, 1 flagged", text)

    def test_a_share_sweep_may_be_called_a_scan_but_not_a_flood(self):
        self.assertEqual(judge([USE, SHARES], [ordinary(), alert("10.83.0.66", "10.83.0.130", 31, "scan")])[0], 0)
        self.assertEqual(judge([USE, SHARES], [ordinary(), alert("10.83.0.66", "10.83.0.130", 31, "lateral")])[0], 0)
        self.assertEqual(judge([USE, SHARES], [ordinary(), alert("10.83.0.66", "10.83.0.130", 31, "ddos")])[0], 1)

    def test_the_first_of_several_alerts_gives_the_delay_and_the_highest_the_score(self):
        events = [ordinary(), alert("203.0.113.66", "10.83.0.10", 12, "scan", 0.99),
                  alert("203.0.113.66", "10.83.0.10", 10.25, "scan", 0.75)]
        status, text = judge([USE, SCAN], events)
        self.assertEqual(status, 0)
        self.assertRegex(text, r"0\.99 .* 0\.2 s")


class Input(unittest.TestCase):
    def test_what_cannot_be_judged_is_refused_with_its_place(self):
        for truth, events, words in [
            ([USE], [ordinary()], "at least one attack"),
            ([SCAN], [ordinary()], "ordinary use"),
            ([USE, SCAN[:5] + ("gossip", "x")], [ordinary()], "truth.tsv:2: class 'gossip'"),
            ([USE, SCAN[:6]], [ordinary()], "truth.tsv:2:"),
            ([USE, SCAN], [{"mld": {"sys": {}}}], "lacks the field 'drops'"),
        ]:
            status, text = judge(truth, events)
            self.assertEqual(status, 2, text)
            self.assertIn(words, text)

    def test_a_torn_line_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            truth = pathlib.Path(folder) / "truth.tsv"
            truth.write_text("".join("\t".join(map(str, row)) + "\n" for row in (USE, SCAN)))
            (pathlib.Path(folder) / "a.jsonl").write_text('{"mld": ')
            err = io.StringIO()
            with contextlib.redirect_stderr(err):
                self.assertEqual(report.main(["--events", folder, "--truth", str(truth)]), 2)
            self.assertIn("a.jsonl:1:", err.getvalue())


unittest.main()
