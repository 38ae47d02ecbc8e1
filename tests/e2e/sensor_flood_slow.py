#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Five million distinct 5-tuples on a pipe at default capacity: memory stays below 256 MB, and connections that were
# established before the flood are still the same flows after it. Run by ctest with the slow tests.
import json
import os
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

import _tools
from _tools import SENSOR, ToolTest, record, segment

_tools.need(SENSOR)

CHUNK = 1 << 16
CHUNKS = 77  # 5,046,272 tuples
ESTABLISHED = 50
START_US = 1_700_000_000_000_000
CHUNK_US = 500_000  # 130,000 packets/s
LIMIT_KIB = 250_000  # 256 MB
SYN, ACK, PUSH = 2, 16, 8


def flood_template():
    """A chunk of SYNs in which the source address ends in the packet's number."""
    one = record(0, segment("11.0.0.0", "10.0.0.1", 1024, 80, SYN))
    chunk = bytearray(one * CHUNK)
    size = len(one)
    source = 16 + 14 + 12
    chunk[source + 2::size] = bytes(i >> 8 for i in range(CHUNK))
    chunk[source + 3::size] = bytes(i & 255 for i in range(CHUNK))
    return chunk, size, source


def connection(number):
    return (f"10.0.1.{number}", "10.0.0.1", 40000 + number, 443), ("10.0.0.1", f"10.0.1.{number}", 443, 40000 + number)


def write_flood(pipe):
    pipe.write(_tools.PCAP_HEADER)
    for number in range(1, ESTABLISHED + 1):
        there, back = connection(number)
        for i, frame in enumerate((segment(*there, SYN, 1), segment(*back, SYN | ACK, 1, 2), segment(*there, ACK, 2, 2),
                                   segment(*there, ACK | PUSH, 2, 2, b"hello"),
                                   segment(*back, ACK | PUSH, 2, 7, b"welcome"))):
            pipe.write(record(START_US - 1_000_000 + i, frame))
    chunk, size, source = flood_template()
    for number in range(CHUNKS):
        time_us = START_US + number * CHUNK_US
        chunk[source + 1::size] = bytes([number]) * CHUNK
        for at, byte in enumerate(struct.pack("<II", time_us // 1_000_000, time_us % 1_000_000)):
            chunk[at::size] = bytes([byte]) * CHUNK
        pipe.write(chunk)
    for number in range(1, ESTABLISHED + 1):
        there, back = connection(number)
        time_us = START_US + CHUNKS * CHUNK_US
        pipe.write(record(time_us, segment(*there, ACK | PUSH, 7, 9, b"still here")))
        pipe.write(record(time_us, segment(*back, ACK | PUSH, 9, 17, b"so am I")))
    pipe.close()


class Flood(ToolTest):
    def test_memory_is_bounded_and_established_flows_survive(self):
        with tempfile.TemporaryFile() as out:
            process = subprocess.Popen([SENSOR, "--pcap", "-", "--events", self.work / "ev", "--summary", "json"],
                                       stdin=subprocess.PIPE, stdout=out, stderr=subprocess.DEVNULL)
            writer = threading.Thread(target=write_flood, args=(process.stdin,))
            writer.start()
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            writer.join()
            out.seek(0)
            text = out.read()
        self.assertEqual(process.returncode, 0)
        summary = json.loads(text)
        print(f"{summary['packets']} packets, {summary['packets_per_s']} packets/s, {used.ru_maxrss} KiB at most, "
              f"{summary['flows_evicted']} flows pushed out, {summary['alerts']} alerts", file=sys.stderr)
        self.assertEqual(summary["packets"], CHUNK * CHUNKS + 7 * ESTABLISHED)
        # A connection that was pushed out would begin a second time.
        self.assertEqual(summary["flows"], CHUNK * CHUNKS + ESTABLISHED)
        self.assertGreater(summary["flows_evicted"], 1_000_000)
        self.assertGreater(summary["alerts"], 0)
        self.assertLess(summary["alerts"], 1000)
        self.assertEqual(summary["lines_lost"], 0)
        if not _tools.sanitized():
            self.assertLess(used.ru_maxrss, LIMIT_KIB)


unittest.main()
