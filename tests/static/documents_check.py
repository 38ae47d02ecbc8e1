#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Holds the documents to the truth: every version string agrees with core/version.hpp, every script, file and preset
# a document names exists, and every relative link leads somewhere. Run by ctest; prints file:line of each finding.
import json
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(os.environ.get("MLDEFENDER_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
VERSION_HEADER = ROOT / "include/mldefender/core/version.hpp"
# Where else the version is written down; each line matching must carry the header's.
VERSION_LINES = [
    ("BUILDING.md", re.compile(r"find_package\(mldefender (\d+\.\d+)")),
    ("README.md", re.compile(r"find_package\(mldefender (\d+\.\d+)")),
    ("README.md", re.compile(r"mldefender-\w+ (\d+\.\d+\.\d+)")),
    ("docs/Doxyfile", re.compile(r"^PROJECT_NUMBER\s*=\s*(\S+)")),
]
COMMAND = re.compile(r"(?<![\w/.-])((?:scripts|\.ci|cmake|tests|tools|bench|examples|docs|include)/[\w./*<>-]+)")
PRESET = re.compile(r"--preset[ =](\S+?)(?=[`\s)]|$)")
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


def header_version():
    text = VERSION_HEADER.read_text()
    numbers = [re.search(rf"#define MLDEFENDER_VERSION_{part} (\d+)", text).group(1)
               for part in ("MAJOR", "MINOR", "PATCH")]
    version = ".".join(numbers)
    text_version = re.search(r'version = "([^"]+)"', text).group(1)
    if text_version != version:
        yield f"include/mldefender/core/version.hpp: numbers say {version}, the text {text_version}"
    for name, pattern in VERSION_LINES:
        path = ROOT / name
        for number, line in enumerate(path.read_text().split("\n"), 1):
            for written in pattern.findall(line):
                if not (version == written or version.startswith(written + ".")):
                    yield f"{name}:{number}: says {written}, the header {version}"


def presets():
    return {p["name"] for p in json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]}


def exists(name):
    name = name.rstrip(".,:;")
    if any(c in name for c in "*<>"):
        pattern = re.sub(r"<[^>]*>", "*", name)
        return any(ROOT.glob(pattern)) or "<" in name
    return (ROOT / name).exists()


def document_findings(path):
    known_presets = presets()
    relative = path.relative_to(ROOT)
    in_code = False
    for number, line in enumerate(path.read_text().split("\n"), 1):
        in_code ^= line.lstrip().startswith("```")
        for name in COMMAND.findall(line):
            if not exists(name):
                yield f"{relative}:{number}: names {name}, which does not exist"
        for name in PRESET.findall(line):
            if "<" not in name and name not in known_presets:
                yield f"{relative}:{number}: there is no preset {name}"
        for target in [] if in_code else LINK.findall(line):
            if "://" not in target and not (path.parent / target).exists():
                yield f"{relative}:{number}: link to {target}, which does not exist"


def main():
    bad = list(header_version())
    documents = sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").glob("*.md"))
    for path in documents:
        bad += document_findings(path)
    for name in ("scripts/demo", "scripts/test", "scripts/bootstrap", ".ci/run"):
        if not os.access(ROOT / name, os.X_OK):
            bad.append(f"{name}: is not executable")
    print("\n".join(bad))
    print(f"{len(documents)} documents looked at, {len(bad)} findings")
    return 1 if bad or not documents else 0


sys.exit(main())
