# SPDX-License-Identifier: MIT
"""Turns Google Benchmark reports (a folder of JSON files) into one Markdown page of medians on standard output.

Called by scripts/bench. A report that cannot be read ends it with the file's name.
"""
import json
import os
import pathlib
import platform
import subprocess
import sys

TO_NS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def first_line(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]


def rows(report):
    """(name, median ns of CPU time, spread in percent, items per second) of each benchmark of a report."""
    by_name = {}
    for entry in report["benchmarks"]:
        by_name.setdefault(entry["run_name"], {})[entry.get("aggregate_name", "single")] = entry
    for name, kinds in by_name.items():
        median = kinds.get("median") or kinds["single"]
        if median.get("error_occurred"):
            yield name, None, None, None
            continue
        scale = TO_NS[median["time_unit"]]
        spread = kinds["cv"]["cpu_time"] * 100 if "cv" in kinds else None
        yield name, median["cpu_time"] * scale, spread, median.get("items_per_second")


def human(ns):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            return f"{ns / size:.3g} {unit}"
    return f"{ns:.3g} ns"


def main():
    print("<!-- SPDX-License-Identifier: MIT -->")
    print("# Benchmark results\n")
    print("Written by `scripts/bench`: medians of five repetitions, CPU time, preset `release`. Items are packets, flows,")
    print("rows or lines, as the benchmark's source says. Peers (bare libpcap loops) stand beside ours in the same run.\n")
    print(f"{processor()}, {os.cpu_count()} processors, Linux {platform.release()}, {first_line('g++', '--version')}.\n")
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
        try:
            report = json.loads(path.read_text(encoding="utf-8"))
        except json.JSONDecodeError as wrong:
            sys.exit(f"{path}: not a benchmark report: {wrong}")
        print(f"## {path.stem}\n\n| benchmark | time | spread | items/s |\n|---|---:|---:|---:|")
        for name, ns, spread, rate in rows(report):
            time = "failed" if ns is None else human(ns)
            wide = "" if spread is None else f"{spread:.1f} %"
            per_second = "" if rate is None else f"{rate / 1e6:.3g} M"
            print(f"| `{name}` | {time} | {wide} | {per_second} |")
        print()


if __name__ == "__main__":
    main()
