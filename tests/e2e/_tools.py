# SPDX-License-Identifier: MIT
# What the end-to-end tests of the tools share: running a tool with a time limit, making captures, reading events.
# A tool that dies by a signal or a sanitizer is a failure whatever the test expects. Imported by sensor_*.py and
# forge_*.py of this folder.
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(os.environ.get("MLDEFENDER_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
BIN = pathlib.Path(os.environ.get("MLDEFENDER_BIN_DIR", ROOT / "build/dev/bin"))
SENSOR, FORGE, LOG = (BIN / f"mldefender-{name}" for name in ("sensor", "forge", "log"))
# What differs between two runs over the same capture, as (object, key).
RUN_SPECIFIC = [("mld", "event_id"), ("mld", "artifact"), ("mld", "chain"), ("sys", "latency_us")]


def need(*tools):
    """Ends the test program as skipped when a tool is not part of the build."""
    for tool in tools:
        if not os.access(tool, os.X_OK):
            print(f"skipped: no {tool} in this build")
            sys.exit(77)


def sanitized():
    """True when the tools carry a sanitizer, which multiplies memory and time."""
    return b"__sanitizer_" in SENSOR.read_bytes()


class ToolTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.work = pathlib.Path(folder.name)

    def tool(self, *command, status=0, timeout=120, **more):
        """Runs a tool to its end; asserts the exit status; returns the finished process with texts."""
        done = subprocess.run([str(c) for c in command], capture_output=True, timeout=timeout, **more)
        done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode(errors="replace")
        said = f"{' '.join(map(str, command))}\nstatus {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        self.assertEqual(done.returncode, status, said)
        self.assertNotIn("Sanitizer", done.stderr, said)
        return done

    def sensor(self, *arguments, **more):
        return self.tool(SENSOR, *arguments, **more)

    def synth(self, seed, name="traffic.pcap", scenarios=1):
        """A synthetic capture in the scratch folder."""
        path = self.work / name
        self.tool(FORGE, "synth", "--seed", seed, "--scenarios", scenarios, "--out", path)
        return path

    def write(self, name, data):
        path = self.work / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path


def events(directory):
    """Every event line below a directory, parsed, in the order of their files and lines."""
    return [json.loads(line) for path in sorted(pathlib.Path(directory).glob("*.jsonl"))
            for line in path.read_text().splitlines()]


def comparable(directory):
    """The lines without what may differ between two runs."""
    lines = []
    for event in events(directory):
        for where, key in RUN_SPECIFIC:
            (event["mld"]["sys"] if where == "sys" else event["mld"])[key] = None
        lines.append(json.dumps(event, sort_keys=True))
    return lines


# --- captures made here ----------------------------------------------------------------------------------------------

def ipv4(text):
    return bytes(map(int, text.split(".")))


def datagram(source, destination, source_port, destination_port, payload=b"x"):
    """An Ethernet frame with an IPv4 UDP datagram."""
    udp = struct.pack(">HHHH", source_port, destination_port, 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, ipv4(source), ipv4(destination))
    return b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0" + with_header_sum(ip) + udp


def segment(source, destination, source_port, destination_port, flags, sequence=1, acknowledged=0, payload=b""):
    """An Ethernet frame with an IPv4 TCP segment."""
    tcp = struct.pack(">HHIIBBHHH", source_port, destination_port, sequence, acknowledged, 0x50, flags, 8192, 0, 0)
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(payload), 0, 0, 64, 6, 0, ipv4(source), ipv4(destination))
    return b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0" + with_header_sum(ip) + tcp + payload


def with_header_sum(ip):
    total = sum(struct.unpack(">10H", ip))
    total = (total & 0xffff) + (total >> 16)
    return ip[:10] + struct.pack(">H", ~((total & 0xffff) + (total >> 16)) & 0xffff) + ip[12:]


PCAP_HEADER = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1)


def record(time_us, frame):
    return struct.pack("<IIII", time_us // 1_000_000, time_us % 1_000_000, len(frame), len(frame)) + frame


def pcap(frames, start_us=1_700_000_000_000_000, step_us=1000):
    """A capture file of frames a step apart."""
    return PCAP_HEADER + b"".join(record(start_us + i * step_us, f) for i, f in enumerate(frames))


def pcapng(frames, start_us=1_700_000_000_000_000, step_us=1000):
    """The same as pcapng: section header, one interface, enhanced packets."""
    def block(kind, body):
        body += b"\0" * (-len(body) % 4)
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)
    out = block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1)) + block(1, struct.pack("<HHI", 1, 0, 0))
    for i, f in enumerate(frames):
        time = start_us + i * step_us
        out += block(6, struct.pack("<IIIII", 0, time >> 32, time & 0xffffffff, len(f), len(f)) + f)
    return out
