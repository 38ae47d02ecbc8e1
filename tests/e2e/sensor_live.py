#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# The sensor on interfaces, in a network namespace of this test's own with two pairs of virtual Ethernet: what is sent is
# seen, signals end or reload it, interfaces that go and come are survived, a killed sensor's log is continued. Needs
# root; skipped (77) without. Run by ctest.
import ctypes
import datetime
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
import unittest

import _tools
from _tools import LOG, SENSOR, ToolTest, datagram, events

_tools.need(SENSOR)
if os.geteuid() != 0 or subprocess.run(["ip", "-V"], capture_output=True).returncode != 0:
    print("skipped: needs root and iproute2")
    sys.exit(77)
# A namespace of our own for this process and its children; it is gone with the last of them.
if ctypes.CDLL(None, use_errno=True).unshare(0x40000000) != 0:
    print(f"skipped: no network namespace here: {os.strerror(ctypes.get_errno())}")
    sys.exit(77)

# Flows end after a second of silence and are written at once.
QUICK = '{"flow": {"idle_timeout_s": 1, "hold_s": 0}}'


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


def add_pair(number):
    """sensor<n> <-> peer<n>, both up, without any traffic of the kernel's own."""
    ip("link", "add", f"sensor{number}", "type", "veth", "peer", "name", f"peer{number}")
    for name in (f"sensor{number}", f"peer{number}"):
        with open(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6", "w") as switch:
            switch.write("1")
        ip("link", "set", name, "up")


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("waited in vain")
        time.sleep(0.02)


def send(interface, frames):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
        out.bind((interface, 0))
        for frame in frames:
            out.send(frame)


def received(interface):
    """Packets that came in at an interface."""
    return int(re.search(rf"{interface}: *\d+ +(\d+)", pathlib.Path("/proc/self/net/dev").read_text()).group(1))


def flows(first, count):
    """One datagram each of `count` flows; the number shows in the source port."""
    return [datagram("10.1.0.1", "10.1.0.2", first + i, 5000) for i in range(count)]


class Live(ToolTest):
    def setUp(self):
        super().setUp()
        for number in (1, 2):
            add_pair(number)
            self.addCleanup(subprocess.run, ["ip", "link", "del", f"sensor{number}"], capture_output=True)
        self.out = self.work / "ev"

    def start(self, *arguments, interfaces=("sensor1",), out=None):
        """A running sensor that captures; its standard error is in a file."""
        self.err = self.work / f"stderr{time.monotonic_ns()}"
        with open(self.err, "wb") as err:
            process = subprocess.Popen(
                [SENSOR, "--interface", *interfaces, "--events", out or self.out, "--log-flows", "all", "--summary",
                 "json", *map(str, arguments)], stdout=subprocess.PIPE, stderr=err)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        for name in interfaces:
            self.said(f"capturing on {name}\n")
        return process

    def said(self, words):
        wait_until(lambda: words in self.err.read_text())

    def lines(self):
        return events(self.out)

    def ports(self):
        return sorted(e["src_port"] for e in self.lines() if e["event_type"] == "flow")

    def stop(self, process, number=signal.SIGINT):
        process.send_signal(number)
        self.assertEqual(process.wait(timeout=30), 0, self.err.read_text())
        self.assertNotIn("Sanitizer", self.err.read_text())
        return json.loads(process.stdout.read())

    def wait_for_packets(self, interface, count):
        """The kernel has handed the packets over to the interface; the sensor's ring has them."""
        wait_until(lambda: received(interface) >= count)

    def test_what_is_sent_is_written_and_signals_end_cleanly(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            out = self.out = self.work / number.name
            process = self.start(out=out)
            before = received("sensor1")
            # Stopped, so that it meets the packets and the signal at the same moment.
            process.send_signal(signal.SIGSTOP)
            send("peer1", flows(1000, 200))
            self.wait_for_packets("sensor1", before + 200)
            process.send_signal(number)
            process.send_signal(signal.SIGCONT)
            summary = self.stop(process, number)
            self.assertEqual(self.ports(), list(range(1000, 1200)), summary)
            self.assertEqual((summary["packets"], summary["flows"], summary["drops"], summary["lines_lost"]),
                             (200, 200, 0, 0))
            self.assertEqual({e["in_iface"] for e in self.lines()}, {"sensor1"})
            for event in self.lines():
                self.assertLess(abs(time.time() - since_epoch(event["timestamp"])), 300)

    def test_two_interfaces(self):
        process = self.start(interfaces=("sensor1", "sensor2"))
        send("peer1", flows(1000, 50))
        send("peer2", flows(2000, 50))
        self.wait_for_packets("sensor1", 50)
        self.wait_for_packets("sensor2", 50)
        self.stop(process)
        where = {e["src_port"]: e["in_iface"] for e in self.lines() if e["event_type"] == "flow"}
        self.assertEqual(where, {**dict.fromkeys(range(1000, 1050), "sensor1"),
                                 **dict.fromkeys(range(2000, 2050), "sensor2")})

    def test_filter(self):
        config = self.write("sensor.json", '{"capture": {"filter": "udp port 1003"}}')
        process = self.start("--config", config)
        send("peer1", flows(1000, 10))
        self.wait_for_packets("sensor1", 10)
        self.stop(process)
        self.assertEqual(self.ports(), [1003])
        config = self.write("sensor.json", '{"capture": {"filter": "udp prt 1003"}}')
        said = self.sensor("--interface", "sensor1", "--config", config, status=1).stderr
        self.assertIn("filter 'udp prt 1003'", said)

    def test_an_unknown_interface_lists_those_there_are(self):
        done = self.sensor("--interface", "sensor9", status=1)
        self.assertRegex(done.stderr, r"sensor9: no such interface; there are: .*sensor1.*sensor2|sensor2.*sensor1")
        self.assertEqual(done.stdout, "")
        # One bad name of several is refused as a whole.
        self.assertIn("sensor9", self.sensor("--interface", "sensor1", "sensor9", status=1).stderr)

    def test_an_idle_sensor_sleeps(self):
        process = self.start()
        used = cpu_seconds(process.pid)
        time.sleep(1)
        self.assertLess(cpu_seconds(process.pid) - used, 0.2)
        self.stop(process)

    def test_interface_down_and_up(self):
        process = self.start("--config", self.write("sensor.json", QUICK))
        send("peer1", flows(1000, 5))
        wait_until(lambda: self.ports() == list(range(1000, 1005)))
        ip("link", "set", "sensor1", "down")
        ip("link", "set", "sensor1", "up")
        # However libpcap takes it (an error and a new capture, or nothing at all), packets come through again.
        port = iter(range(2000, 3000))
        wait_until(lambda: send("peer1", flows(next(port), 1)) or self.ports()[-1] >= 2000)
        self.stop(process)

    def test_removed_interface_is_found_again_and_the_other_goes_on(self):
        process = self.start(interfaces=("sensor1", "sensor2"))
        ip("link", "del", "sensor1")
        self.said("mldefender-sensor: sensor1: the capture stopped")
        used = cpu_seconds(process.pid)
        begun = time.monotonic()
        send("peer2", flows(2000, 20))
        self.wait_for_packets("sensor2", 20)
        wait_until(lambda: time.monotonic() - begun > 1.2)
        self.assertLess(cpu_seconds(process.pid) - used, 0.4)
        add_pair(1)
        self.said("capturing on sensor1 again\n")
        send("peer1", flows(1000, 20))
        self.wait_for_packets("sensor1", 20)
        summary = self.stop(process)
        self.assertEqual(self.ports(), [*range(1000, 1020), *range(2000, 2020)])
        self.assertEqual(summary["packets"], 40)
        self.assertEqual(self.err.read_text().count("the capture stopped"), 1)

    def test_all_interfaces_removed(self):
        process = self.start()
        ip("link", "del", "sensor1")
        self.said("the capture stopped")
        used = cpu_seconds(process.pid)
        time.sleep(1)
        self.assertLess(cpu_seconds(process.pid) - used, 0.2)
        self.stop(process)

    def test_reload(self):
        """SIGHUP takes over good rules, and keeps the old ones when the document is broken."""
        off = {"rules": {"datagram_port_sweep": {"enabled": False}, "port_sweep": {"enabled": False}}}
        on = {"rules": {"datagram_port_sweep": {"enabled": True, "src_ports_60s": 20, "src_ports_per_dst_60s": 2,
                                                "src_failed_60s": 0.0, "score": 0.93}}}
        config = self.write("sensor.json", json.dumps(off))
        process = self.start("--config", config)

        def probe(source):
            """A sweep over 100 ports of one host by `source`."""
            send("peer1", [datagram(source, "10.1.0.9", 4000, 6000 + i) for i in range(100)])

        def fired(source):
            return any("datagram_port_sweep" in e["mld"]["fast"]["reasons"] for e in self.lines()
                       if e["src_ip"] == source)

        probe("10.1.0.50")
        self.wait_for_packets("sensor1", 100)
        self.write("sensor.json", json.dumps(on))
        process.send_signal(signal.SIGHUP)
        self.said("rules and thresholds reread")
        probe("10.1.0.51")
        wait_until(lambda: fired("10.1.0.51"))
        self.write("sensor.json", '{"rules": {"datagram_port_sweep": {"enabled": maybe}}}')
        process.send_signal(signal.SIGHUP)
        self.said("the configuration stays as it was")
        self.assertRegex(self.err.read_text(), r"sensor\.json:1: is not valid JSON")
        probe("10.1.0.52")
        wait_until(lambda: fired("10.1.0.52"))
        self.stop(process)
        self.assertFalse(fired("10.1.0.50"))

    def test_a_killed_sensor_is_continued(self):
        for attempt in range(3):
            process = self.start("--config", self.write("sensor.json", QUICK))
            before = len(self.lines())
            send("peer1", flows(1000 * (attempt + 1), 40))
            wait_until(lambda: len(self.lines()) >= before + 10)
            process.kill()
            process.wait()
        process = self.start()
        send("peer1", flows(9000, 5))
        self.wait_for_packets("sensor1", 5)
        self.stop(process)
        sequence = sorted(e["mld"]["seq"] for e in self.lines())
        self.assertEqual(sequence, list(range(1, len(sequence) + 1)))
        self.assertEqual([p for p in self.ports() if p >= 9000], list(range(9000, 9005)))
        if os.access(LOG, os.X_OK):
            self.tool(LOG, "verify", self.out)


def since_epoch(stamp):
    return datetime.datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


unittest.main()
