#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# The forge: training gives the same bytes for the same command whatever the threads, bundles can be looked into,
# synthetic captures are what other programs accept, and the committed models name a command this forge takes.
# Run by ctest.
import json
import os
import re
import shutil
import subprocess
import unittest

import _tools
from _tools import FORGE, ROOT, SENSOR, ToolTest

_tools.need(FORGE, SENSOR)

DETECTORS = ("ddos", "ransomware", "traffic", "internal")


class Train(ToolTest):
    def train(self, name, *arguments, scenarios=60):
        out = self.work / name
        out.mkdir()
        done = self.tool(FORGE, "train", "--scenarios", scenarios, "--out", out, "--bundles", out, *arguments,
                         timeout=900)
        return {path.name: path.read_bytes() for path in out.iterdir()}, done

    def test_the_same_command_gives_the_same_bytes(self):
        one, said = self.train("one", "--threads", 1)
        two, _ = self.train("two", "--threads", 2)
        self.assertEqual(sorted(one), sorted(f"{d}.{end}" for d in DETECTORS for end in ("hpp", "mldf")))
        self.assertEqual([n for n in one if one[n] != two[n]], [])
        other, _ = self.train("other", "--seed", 2)
        self.assertNotEqual(one["internal.hpp"], other["internal.hpp"])
        for detector in DETECTORS:
            self.assertRegex(said.stdout, rf"(?m)^{detector} +\d+ rows, \d+ nodes")
            shown = self.tool(FORGE, "inspect", self.work / "one" / f"{detector}.mldf").stdout
            header = one[f"{detector}.hpp"].decode()
            self.assertIn(f'hash = "{re.search(r"hash (.+)", shown).group(1)}"', header)
            self.assertIn("rebuilt by: mldefender-forge train --seed 1 --scenarios 60\n", shown)
            self.assertIn("100 trees", shown)
            self.assertNotIn(str(self.work), header)

    def test_kept_rows_give_the_same_models_and_one_can_be_trained_alone(self):
        rows = self.work / "rows"
        one, _ = self.train("one", "--save-rows", rows)
        two, _ = self.train("two", "--rows", rows, "--only", "internal")
        self.assertEqual(sorted(two), ["internal.hpp", "internal.mldf"])
        self.assertEqual(one["internal.hpp"], two["internal.hpp"])

    def test_a_trained_header_compiles(self):
        compiler = os.environ.get("CXX") or shutil.which("c++")
        if not compiler:
            self.skipTest("no compiler")
        self.train("out", "--only", "internal")
        program = self.write("use.cpp", '#include <mldefender/core/forest.hpp>\n#include "out/internal.hpp"\n'
                             "static_assert(mldefender::forest<mldefender::models::internal>::name() == \"internal\");\n"
                             "constexpr auto scored = mldefender::forest<mldefender::models::internal>::answer(mldefender::feature_vector{});\n"
                             "static_assert(scored.score >= 0 && scored.score <= 1);\n")
        self.tool(compiler, "-std=c++20", "-fsyntax-only", f"-I{ROOT}/include", program)


class Synth(ToolTest):
    def test_the_same_seed_gives_the_same_capture(self):
        one = self.synth(5, "one.pcap", scenarios=3).read_bytes()
        self.assertEqual(one, self.synth(5, "two.pcap", scenarios=3).read_bytes())
        self.assertNotEqual(one, self.synth(6, "three.pcap", scenarios=3).read_bytes())

    def test_wireshark_finds_nothing_malformed(self):
        """From Ethernet to the transport, with check sums; application data is abridged on purpose."""
        if not shutil.which("tshark"):
            self.skipTest("no tshark")
        known = subprocess.run(["tshark", "-G", "protocols"], capture_output=True, text=True, timeout=60).stdout
        looked_at = {"frame", "eth", "ethertype", "vlan", "arp", "ip", "ipv6", "tcp", "udp", "icmp", "icmpv6", "sctp"}
        names = [line.split("\t")[2] for line in known.splitlines()]
        self.write("disabled_protos", "\n".join(n for n in names if n not in looked_at and n[0] != "_" and
                                                not n.startswith("ipv6.")))

        def tshark(capture, expression):
            return subprocess.run(["tshark", "-n", "-r", capture, "-Y", expression] +
                                  [word for p in ("ip", "tcp", "udp") for word in ("-o", f"{p}.check_checksum:TRUE")],
                                  env={**os.environ, "WIRESHARK_CONFIG_DIR": str(self.work)}, capture_output=True,
                                  text=True, timeout=120, check=True).stdout
        for seed in range(1, 5):
            capture = self.synth(seed, scenarios=2)
            wrong = "_ws.malformed || ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0"
            self.assertEqual(tshark(capture, wrong), "", f"seed {seed}")
            self.assertTrue(tshark(capture, "tcp || udp || icmp || icmpv6"))

    def test_time_runs_forward(self):
        data = self.synth(3, scenarios=4).read_bytes()
        at, last = 24, 0
        while at < len(data):
            seconds, nanoseconds, length = (int.from_bytes(data[at + i:at + i + 4], "little") for i in (0, 4, 8))
            self.assertGreaterEqual(seconds * 10**9 + nanoseconds, last)
            last = seconds * 10**9 + nanoseconds
            at += 16 + length

    def test_the_sensor_decodes_every_packet(self):

        for seed in range(10, 14):
            summary = json.loads(self.sensor("--pcap", self.synth(seed), "--summary", "json").stdout)
            self.assertEqual(summary["malformed"], {}, f"seed {seed}")


class Use(ToolTest):
    def test_help_and_version(self):
        for arguments in (["--help"], ["train", "--help"], ["synth", "--help"], ["inspect", "--help"],
                          ["import", "--help"], ["export", "--help"]):
            self.assertIn("Usage", self.tool(FORGE, *arguments).stdout)
        self.assertRegex(self.tool(FORGE, "--version").stdout, r"^mldefender-forge \d+\.\d+\.\d+\n$")

    def test_the_page_names_every_option(self):
        page = (ROOT / "docs/forge.md").read_text()
        for command in ("train", "synth", "import", "export", "inspect"):
            for option in re.findall(r"--[a-z-]+", self.tool(FORGE, command, "--help").stdout):
                self.assertTrue(option == "--help" or f"`{option}" in page, option)

    def test_misuse(self):
        for words, arguments in [("subcommand", []), ("--out", ["synth"]), ("--scenarios", ["train", "--scenarios", 0]),
                                 ("--only", ["train", "--only", "web"]), ("bundle", ["inspect"]),
                                 ("--node", ["train", "--node", "x"]), ("--seed", ["train", "--seed", "one"])]:
            done = self.tool(FORGE, *arguments, status=2)
            self.assertIn(words, done.stderr, arguments)

    def test_what_cannot_be_read_or_written(self):
        absent = self.work / "absent"
        for words, arguments in [
            (f"{absent}: no such directory for the results", ["train", "--out", absent]),
            (f"{absent}: no such directory for the results", ["train", "--out", self.work, "--bundles", absent]),
            (f"{absent}: cannot open", ["train", "--out", self.work, "--rows", absent]),
            (f"{absent}: cannot open", ["inspect", absent]),
            ("/dev/full: cannot be written: No space left", ["synth", "--out", "/dev/full"]),
            (f"{absent}/a.pcap: cannot be created", ["synth", "--out", absent / "a.pcap"]),
        ]:
            self.assertIn(words, self.tool(FORGE, *arguments, status=1).stderr)
        damaged = self.write("rows", b"no rows at all\n" * 20)
        self.assertIn(str(damaged), self.tool(FORGE, "train", "--out", self.work, "--rows", damaged, status=1).stderr)

    def test_damaged_bundles(self):
        self.tool(FORGE, "train", "--scenarios", 60, "--only", "internal", "--out", self.work, "--bundles", self.work,
                  timeout=600)
        good = (self.work / "internal.mldf").read_bytes()
        for name, data in (("cut", good[:-1]), ("empty", b""), ("flipped", good[:99] + bytes([good[99] ^ 4]) + good[100:]),
                           ("longer", good + b"\0"), ("text", b"MLDF is a format\n" * 9)):
            path = self.write(name, data)
            self.assertIn(str(path), self.tool(FORGE, "inspect", path, status=1).stderr)


class CommittedModels(ToolTest):
    def test_their_command_is_one_this_forge_takes(self):
        for detector in DETECTORS:
            header = (ROOT / f"include/mldefender/core/models/{detector}.hpp").read_text()
            command = re.search(r'command = "([^"]+)"', header).group(1).split()
            self.assertEqual(command[:2], ["mldefender-forge", "train"])
            # Far enough to know that the command line is right: it stops at rows that are not there.
            done = self.tool(FORGE, *command[1:], "--out", self.work, "--rows", self.work / "absent", status=1)
            self.assertIn("cannot open the dataset", done.stderr)

    def test_their_features_are_those_of_today(self):
        """A changed feature list asks for new training."""
        hashes = {re.search(r'feature_list_hash = "(\w+)"',
                            (ROOT / f"include/mldefender/core/models/{d}.hpp").read_text()).group(1) for d in DETECTORS}
        self.tool(FORGE, "train", "--scenarios", 60, "--only", "internal", "--out", self.work, timeout=600)
        fresh = re.search(r'feature_list_hash = "(\w+)"', (self.work / "internal.hpp").read_text()).group(1)
        self.assertEqual(hashes, {fresh})


unittest.main()
