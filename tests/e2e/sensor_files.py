#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# The sensor on capture files: damage ends a run with a clear error and keeps what came before, every line fits the
# schema and the chain, two runs and any number of workers say the same, and a disk that refuses is no reason to hang.
# Run by ctest.
import gzip
import json
import os
import random
import re
import signal
import subprocess
import time
import unittest

import _tools
from _tools import (FORGE, LOG, ROOT, SENSOR, ToolTest, comparable, datagram, events, pcap, pcapng)

_tools.need(SENSOR, FORGE)

# Attacks recorded in the lab, and seeds of one synthetic scenario each: whatever comes, it must fit.
SCAN = ROOT / "examples/captures/port-scan.pcap"
SEEDS = range(1, 9)


def conversations(count):
    """Frames of `count` UDP flows."""
    return [datagram("10.0.0.1", f"10.0.{1 + i // 200}.{1 + i % 200}", 40000 + i, 5000) for i in range(count)]


def flow_lines(lines):
    return [e for e in lines if e["event_type"] == "flow"]


class Damage(ToolTest):
    def check(self, name, data, words, packets=0):
        """The run fails with these words; the packets before the damage are counted, and their flows written."""
        path = self.write(name, data)
        out = self.work / (name + ".events")
        done = self.sensor("--pcap", path, "--events", out, "--log-flows", "all", "--summary", "json", status=1)
        self.assertIn(f"mldefender-sensor: {path}: ", done.stderr)
        self.assertRegex(done.stderr, words)
        if packets == 0:
            self.assertEqual(done.stdout, "")
            self.assertEqual(events(out), [])
        else:
            self.assertEqual(json.loads(done.stdout)["packets"], packets)
            self.assertEqual(sum(e["flow"]["pkts_toserver"] + e["flow"]["pkts_toclient"]
                                 for e in flow_lines(events(out))), packets)

    def test_no_capture(self):
        self.check("empty", b"", "the file is empty")
        self.check("short", b"\xd4\xc3", "too short")
        self.check("header", _tools.PCAP_HEADER[:20], "byte 0: the file ends inside the file header")
        self.check("garbage", random.Random(1).randbytes(5000), "is no capture file")
        self.check("text", b"Time,Source,Destination\n" * 50, "is no capture file")
        self.check("compressed", gzip.compress(pcap(conversations(9))), "is compressed.*gunzip")

    def test_only_a_header_is_an_empty_capture(self):
        path = self.write("none.pcap", _tools.PCAP_HEADER)
        self.assertEqual(json.loads(self.sensor("--pcap", path, "--summary", "json").stdout)["packets"], 0)

    def test_cut_in_a_packet_and_in_a_header(self):
        whole = pcap(conversations(50))
        size = (len(whole) - 24) // 50
        for cut, what in ((5, "a packet header"), (20, "a packet"), (size - 1, "a packet")):
            self.check(f"cut{cut}", whole[:24 + 30 * size + cut],
                       rf"byte {24 + 30 * size}: the file ends inside {what} .*editcap", 30)

    def test_huge_length(self):
        whole = bytearray(pcap(conversations(50)))
        size = (len(whole) - 24) // 50
        whole[24 + 20 * size + 8:24 + 20 * size + 12] = b"\xff\xff\xff\x7f"
        self.check("huge", bytes(whole), rf"byte {24 + 20 * size}: a packet of 2147483647 bytes cannot be", 20)

    def test_garbage_after_packets(self):
        good = pcap(conversations(10))
        self.check("tail", good + b"\xff" * 4000, f"byte {len(good)}: a packet of 4294967295 bytes cannot be", 10)

    def test_damaged_pcapng(self):
        whole = pcapng(conversations(20))
        self.check("cut.pcapng", whole[:-10], "the file ends inside a block", 19)
        broken = bytearray(whole)
        broken[-4:] = b"\0\0\0\0"
        self.check("length.pcapng", bytes(broken), "the file is damaged here", 19)

    def test_random_damage_never_crashes(self):
        whole = self.synth(2).read_bytes()[:60000]
        for seed in range(40):
            r = random.Random(seed)
            damaged = bytearray(whole)
            for _ in range(r.choice((1, 10, 300))):
                damaged[r.randrange(len(damaged))] = r.randrange(256)
            path = self.write("damaged.pcap", bytes(damaged))
            done = subprocess.run([SENSOR, "--pcap", path, "--events", self.work / f"ev{seed}", "--log-flows", "all"],
                                  capture_output=True, timeout=60)
            self.assertIn(done.returncode, (0, 1), f"seed {seed}: {done.stderr.decode(errors='replace')}")
            self.assertNotIn(b"Sanitizer", done.stderr)
            self.assertEqual(done.returncode, 1 if b"mldefender-sensor: " in done.stderr else 0, f"seed {seed}")

    def test_folder_and_missing_file(self):
        self.assertIn(f"{self.work}: is a folder", self.sensor("--pcap", self.work, status=1).stderr)
        self.assertIn("absent.pcap: no such file", self.sensor("--pcap", "absent.pcap", status=1).stderr)

    def test_a_missing_second_file_keeps_the_first(self):
        first = self.write("first.pcap", pcap(conversations(7)))
        done = self.sensor("--pcap", first, "absent.pcap", "--summary", "json", status=1)
        self.assertIn("absent.pcap: no such file", done.stderr)
        self.assertEqual(json.loads(done.stdout)["packets"], 7)


class Sources(ToolTest):
    def packets(self, *arguments, **more):
        return json.loads(self.sensor(*arguments, "--summary", "json", **more).stdout)["packets"]

    def test_standard_input_and_pcapng_and_several_files_give_the_same(self):
        frames = conversations(30)
        one = self.write("one.pcap", pcap(frames))
        self.sensor("--pcap", one, "--events", self.work / "one", "--log-flows", "all")
        wanted = [{**e, "in_iface": ""} for e in map(json.loads, comparable(self.work / "one"))]
        self.assertEqual(len(flow_lines(wanted)), 30)

        def same(name, *arguments, **more):
            self.sensor(*arguments, "--events", self.work / name, "--log-flows", "all", **more)
            self.assertEqual([{**e, "in_iface": ""} for e in map(json.loads, comparable(self.work / name))], wanted)

        same("stdin", "--pcap", "-", input=one.read_bytes())
        same("ng", "--pcap", self.write("one.pcapng", pcapng(frames)))
        half = self.write("half.pcap", pcap(frames[:15]))
        rest = self.write("rest.pcap", pcap(frames[15:], start_us=1_700_000_000_000_000 + 15_000))
        same("halves", "--pcap", half, rest)
        same("repeated", "--pcap", half, "--pcap", rest)
        self.assertEqual({e["in_iface"] for e in events(self.work / "halves")}, {"half.pcap", "rest.pcap"})

    def test_a_signal_ends_a_silent_pipe(self):
        """SIGINT and SIGTERM end a run whose input says nothing more; what came before is not lost."""
        for number in (signal.SIGINT, signal.SIGTERM):
            out = self.work / number.name
            process = subprocess.Popen([SENSOR, "--pcap", "-", "--events", out, "--log-flows", "all"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.addCleanup(process.stdout.close)
            self.addCleanup(process.stderr.close)
            process.stdin.write(pcap(conversations(25)))
            process.stdin.flush()
            # It has read everything once the pipe is empty.
            wait_until(lambda: out.exists() and unread(process.stdin) == 0)
            process.send_signal(number)
            try:
                self.assertEqual(process.wait(timeout=10), 0)
            finally:
                process.kill()
                process.stdin.close()
            self.assertEqual(len(flow_lines(events(out))), 25)
            self.assertIn(b"packets      25 ", process.stdout.read())
            self.assertEqual(process.stderr.read(), b"")


def unread(pipe):
    import array
    import fcntl
    import termios
    count = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("waited in vain")
        time.sleep(0.01)


class Lines(ToolTest):
    """What the events of synthetic captures must satisfy."""

    def test_every_line_fits_schema_chain_and_summary(self):
        seen_alerts = 0
        captures = [self.synth(seed, f"seed{seed}.pcap") for seed in SEEDS]
        for capture in captures + sorted(SCAN.parent.glob("*.pcap")):
            with self.subTest(capture=capture.name):
                out = self.work / capture.stem
                summary = json.loads(self.sensor("--pcap", capture, "--events", out, "--log-flows", "all",
                                                 "--summary", "json").stdout)
                self.tool(ROOT / "scripts/validate-events", out)
                if os.access(LOG, os.X_OK):
                    self.tool(LOG, "verify", out)
                    self.assertTrue(self.tool(LOG, "show", out).stdout)
                lines = events(out)
                self.add_up(summary, lines)
                for event in lines:
                    artifact = event["mld"]["artifact"]
                    self.assertTrue(artifact == "" or (out / artifact).is_file(), artifact)
                seen_alerts += summary["alerts"]
        self.assertGreater(seen_alerts, 5)

    def add_up(self, summary, lines):
        flows = flow_lines(lines)
        alerts = [e for e in lines if e["event_type"] == "alert"]
        self.assertEqual(len(flows), summary["flows"])
        self.assertEqual(len({e["flow_id"] for e in flows}), len(flows))
        self.assertEqual(len(alerts), summary["alerts"])
        self.assertEqual(len({e["mld"]["event_id"] for e in lines}), len(lines))
        for verdict in ("benign", "suspicious", "malicious"):
            self.assertEqual(sum(e["mld"]["verdict"] == verdict for e in flows), summary["verdicts"][verdict], verdict)
        for name, count in summary["classes"].items():
            self.assertEqual(sum(e["mld"]["attack_class"] == name for e in flows), count, name)
        self.assertEqual(sum(summary["classes"].values()),
                         summary["verdicts"]["suspicious"] + summary["verdicts"]["malicious"])
        counted = sum(e["flow"]["pkts_toserver"] + e["flow"]["pkts_toclient"] for e in flows)
        self.assertEqual(counted, summary["ip_packets"])
        self.assertEqual(summary["packets"], summary["ip_packets"] + summary["not_ip"] +
                         summary["fragments_skipped"] + sum(summary["malformed"].values()))
        self.assertEqual(sum(e["mld"]["artifact"] != "" for e in lines), summary["artifacts"])
        self.assertEqual((summary["lines_lost"], summary["drops"]), (0, 0))
        latency = summary["latency_us"]
        self.assertLessEqual(latency["p50"], latency["p90"])
        self.assertLessEqual(latency["p99"], latency["p999"])
        for attacker in summary["attackers"]:
            seen = [e for e in alerts if e["mld"]["attack_class"] == attacker["class"] and
                    attacker["address"] in (e["src_ip"], e["dest_ip"])]
            self.assertTrue(seen, attacker)
            self.assertGreaterEqual(attacker["score"], max(e["mld"]["score"] for e in seen) - 1e-3)

    def test_text_summary(self):
        text = self.sensor("--pcap", SCAN, "--events", self.work / "ev").stdout
        for label in ("packets", "not decoded", "lost", "flows", "verdicts", "classes", "decisions", "alerts", "events"):
            self.assertRegex(text, rf"(?m)^  {label} ")
        self.assertRegex(text, r"(?m)^  [0-9a-f.:]+ +(attacker|victim) +\w+ ")
        self.assertIn(str(self.work / "ev"), text)
        quiet = self.sensor("--pcap", self.write("quiet.pcap", pcap(conversations(3)))).stdout
        self.assertNotIn("attacker", quiet)

    def test_two_runs_and_any_number_of_workers_say_the_same(self):
        both = [self.synth(3, "a.pcap"), self.synth(8, "b.pcap")]
        for name, arguments in (("one", ["--pcap", SCAN]), ("two", ["--pcap", *both])):
            runs = []
            for workers in (1, 1, 2, 4):
                out = self.work / f"{name}{len(runs)}"
                self.sensor(*arguments, "--events", out, "--log-flows", "all", "--workers", workers)
                runs.append(comparable(out))
            self.assertGreater(len(runs[0]), 100)
            for run in runs[1:]:
                self.assertEqual(run, runs[0])

    def test_log_flows(self):
        capture = SCAN
        kinds = {}
        for word in ("none", "alerts", "all"):
            self.sensor("--pcap", capture, "--events", self.work / word, "--log-flows", word)
            kinds[word] = [e["event_type"] for e in events(self.work / word)]
        self.sensor("--pcap", capture, "--events", self.work / "default")
        self.assertEqual(kinds["none"].count("flow"), 0)
        self.assertGreater(kinds["all"].count("flow"), kinds["alerts"].count("flow"))
        self.assertEqual(kinds["none"].count("alert"), kinds["all"].count("alert"))
        self.assertEqual(len(events(self.work / "default")), len(kinds["alerts"]))


class Disk(ToolTest):
    def test_a_directory_that_cannot_be_written(self):
        capture = self.synth(1)
        for place, words in (("/dev/full", "not a directory"), ("/proc/nowhere", "cannot create the directory")):
            done = self.sensor("--pcap", capture, "--events", place, status=1)
            self.assertIn(place, done.stderr)
            self.assertIn(words, done.stderr)
        if os.geteuid() != 0:
            closed = self.work / "closed"
            closed.mkdir(mode=0o500)
            self.assertIn(str(closed), self.sensor("--pcap", capture, "--events", closed, status=1).stderr)

    def test_a_log_in_use_is_refused(self):
        out = self.work / "ev"
        held = subprocess.Popen([SENSOR, "--pcap", "-", "--events", out], stdin=subprocess.PIPE,
                                stdout=subprocess.DEVNULL)
        try:
            held.stdin.write(_tools.PCAP_HEADER)
            held.stdin.flush()
            wait_until(lambda: unread(held.stdin) == 0)
            done = self.sensor("--pcap", self.synth(1), "--events", out, status=1)
            self.assertIn(str(out), done.stderr)
        finally:
            held.stdin.close()
            held.wait(timeout=20)

    def test_a_full_disk_is_told_and_counted(self):
        full = self.work / "full"
        full.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", full], capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("a small file system cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", full], check=True)
        capture = SCAN
        done = self.sensor("--pcap", capture, "--events", full / "ev", "--log-flows", "all", "--summary", "json",
                           status=1, timeout=60)
        self.assertRegex(done.stderr, r"No space left on device")
        summary = json.loads(done.stdout)
        whole = json.loads(self.sensor("--pcap", capture, "--summary", "json").stdout)
        self.assertEqual((summary["packets"], summary["alerts"]), (whole["packets"], whole["alerts"]))
        # What is there is whole lines, and the rest is counted.
        text = b"".join(p.read_bytes() for p in (full / "ev").glob("*.jsonl"))
        self.assertEqual(text[-1:], b"\n" if text else b"")
        written = [json.loads(line) for line in text.splitlines()]
        self.assertGreater(summary["lines_lost"], 0)
        self.assertEqual(len(written) + summary["lines_lost"], whole["flows"] + whole["alerts"])

    def test_a_summary_that_cannot_be_written_is_a_failure(self):
        for format in ("text", "json"):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([SENSOR, "--pcap", self.synth(1), "--summary", format], stdout=full,
                                      stderr=subprocess.PIPE, timeout=60)
            self.assertEqual(done.returncode, 1)
            self.assertIn(b"cannot write the summary: No space left on device", done.stderr)

    def test_runs_into_the_same_directory_continue_it(self):
        out = self.work / "ev"
        for seed in (2, 3):
            self.sensor("--pcap", self.synth(seed), "--events", out, "--log-flows", "all")
        sequence = sorted(e["mld"]["seq"] for e in events(out))
        self.assertEqual(sequence, list(range(1, len(sequence) + 1)))
        if os.access(LOG, os.X_OK):
            self.tool(LOG, "verify", out)


class Settings(ToolTest):
    """Configuration has its effect."""

    def flows(self, frames, config, step_us=1000):
        path = self.write("sensor.json", json.dumps(config))
        capture = self.write("c.pcap", pcap(frames, step_us=step_us))
        return json.loads(self.sensor("--pcap", capture, "--config", path, "--summary", "json").stdout)["flows"]

    def test_timeouts_and_early_close(self):
        slow = [datagram("10.0.0.1", "10.0.0.2", 1, 2)] * 5
        self.assertEqual(self.flows(slow, {}, 50_000_000), 1)
        self.assertEqual(self.flows(slow, {"flow": {"idle_timeout_s": 40}}, 50_000_000), 5)
        self.assertEqual(self.flows(slow, {"flow": {"active_timeout_s": 120}}, 50_000_000), 2)
        syn, ack, fin = 2, 16, 17
        a, b = ("10.0.0.1", "10.0.0.2", 4000, 80), ("10.0.0.2", "10.0.0.1", 80, 4000)
        closed = [_tools.segment(*a, syn), _tools.segment(*b, syn | ack), _tools.segment(*a, ack, 2, 2),
                  _tools.segment(*a, fin, 2, 2), _tools.segment(*b, fin, 2, 3), _tools.segment(*a, ack, 3, 3)]
        self.assertEqual(self.flows(closed * 2, {}, 20_000_000), 2)
        self.assertEqual(self.flows(closed * 2, {"flow": {"early_close": False}}, 20_000_000), 1)

    def test_rules_and_names(self):
        capture = SCAN
        config = {"host": "probe 7", "deployment": "ward b", "rules": {}}
        defaults = json.loads((ROOT / "docs/sensor.schema.json").read_text())
        for rule in defaults["properties"]["rules"]["properties"]:
            config["rules"][rule] = {"enabled": False}
        path = self.write("sensor.json", json.dumps(config))
        self.sensor("--pcap", capture, "--events", self.work / "off", "--config", path, "--log-flows", "all")
        self.sensor("--pcap", capture, "--events", self.work / "on", "--log-flows", "all")
        off, on = events(self.work / "off"), events(self.work / "on")
        self.assertFalse([e for e in off if e["mld"]["fast"]["triggered"]])
        self.assertTrue([e for e in on if e["mld"]["fast"]["triggered"]])
        self.assertEqual({(e["host"], e["mld"]["deployment"]) for e in off}, {("probe 7", "ward b")})

    def test_a_model_bundle_takes_the_place_of_a_forest(self):
        bundles = self.work / "bundles"
        bundles.mkdir()
        self.tool(FORGE, "train", "--scenarios", 60, "--only", "ddos", "--out", self.work, "--bundles", bundles,
                  timeout=600)
        capture = self.synth(1)

        def run(bundle, key="ddos", **more):
            path = self.write("sensor.json", json.dumps({"models": {key: str(bundle)}}))
            return self.sensor("--pcap", capture, "--events", self.work / "ev", "--config", path, "--log-flows", "all",
                               **more)

        run(bundles / "ddos.mldf")
        hash_line = re.search(r"hash (\w+)", self.tool(FORGE, "inspect", bundles / "ddos.mldf").stdout)
        artifacts = list((self.work / "ev").glob("artifacts/*/*.mlda"))
        for artifact in artifacts:
            self.assertIn(hash_line.group(1), artifact.read_text())
        said = run(bundles / "ddos.mldf", "traffic", status=1).stderr
        self.assertIn("holds the forest 'ddos', not 'traffic'; see models.traffic", said)
        damaged = bytearray((bundles / "ddos.mldf").read_bytes())
        damaged[len(damaged) // 2] ^= 1
        for data, name in ((damaged, "flipped"), (damaged[:100], "cut"), (b"", "empty"), (b"MLDF" * 50, "garbage")):
            path = self.write(name + ".mldf", bytes(data))
            said = run(path, status=1).stderr
            self.assertIn(str(path), said)
            self.assertIn("see models.ddos", said)


unittest.main()
