#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Judges the text of every source file: the SPDX line comes first, no file under include/ has more than 700 lines
# (generated model tables aside), nothing is left to do later, and no source asks what happens to be installed
# (__has_include). Run by ctest; prints file:line of each finding.
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(os.environ.get("MLDEFENDER_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
FOLDERS = ["include", "tools", "tests", "bench", "examples", "cmake", "scripts", ".ci"]
TOP_FILES = ["CMakeLists.txt", ".clang-format", ".clang-tidy", ".editorconfig"]
SPDX = "SPDX-License-Identifier: MIT"
# Formats that have no comments, and data.
NO_COMMENT = {".json", ".jsonl", ".md", ".pcap", ".pcapng", ".mlda", ".bin", ".svg", ".csv", ".tsv", ".txt", ".log",
              ".pyc", ".gz", ".zst", ".mmdb"}
LONGEST_HEADER = 700
UNFINISHED = re.compile(r"\b(" + "TO" + "DO|FIX" + "ME|XX" + "X)\\b|[Nn]ot " + "implemented")


def sources():
    for name in TOP_FILES:
        if (ROOT / name).exists():
            yield ROOT / name
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            relative = path.relative_to(ROOT)
            if not path.is_file() or "corpus" in relative.parts or "__pycache__" in relative.parts:
                continue
            if path.suffix in NO_COMMENT and path.name != "CMakeLists.txt":
                continue
            yield path


def findings(path):
    text = path.read_text(encoding="utf-8", errors="replace")
    lines = text.split("\n")
    relative = path.relative_to(ROOT)
    first = 1 if lines[0].startswith("#!") else 0
    if len(lines) <= first or SPDX not in lines[first]:
        yield f"{relative}:{first + 1}: the SPDX line comes first: {SPDX}"
    if relative.parts[0] == "include":
        if "models" not in relative.parts and len(lines) > LONGEST_HEADER:
            yield f"{relative}:{len(lines)}: over {LONGEST_HEADER} lines: more than one subject, split it"
        for number, line in enumerate(lines, 1):
            if "__has_include" in line:
                yield f"{relative}:{number}: behaviour must not depend on what is installed (__has_include)"
    for number, line in enumerate(lines, 1):
        if UNFINISHED.search(line):
            yield f"{relative}:{number}: unfinished: {line.strip()}"
    if not text.endswith("\n"):
        yield f"{relative}:{len(lines)}: no newline at the end"


def main():
    count = 0
    bad = []
    for path in sources():
        count += 1
        bad += findings(path)
    print("\n".join(bad))
    print(f"{count} files looked at, {len(bad)} findings")
    return 1 if bad or count == 0 else 0


sys.exit(main())
