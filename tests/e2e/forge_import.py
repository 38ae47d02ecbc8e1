#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# The forge's import and export as commands: golden models of other programs become bundles the sensor loads, headers
# that compile and JSON that comes back to the same bytes; scores that differ stop an import; wrong use is named. Run by
# ctest. tests/peer compares with the programs themselves.
import json
import os
import re
import shutil
import unittest

import _tools
from _tools import FORGE, ROOT, SENSOR, ToolTest

_tools.need(FORGE, SENSOR)
GOLDEN = ROOT / "tests/forge/golden_import"
KINDS = {"sklearn_forest.json": "sklearn", "sklearn_boosted.json": "sklearn", "xgboost.json": "xgboost",
         "lightgbm.txt": "lightgbm"}


class Import(ToolTest):
    def imported(self, model, *more, name="ddos", out="model.mldf"):
        path = self.work / out
        done = self.tool(FORGE, "import", model, "--name", name, "--class", "ddos", "--out", path, *more)
        return path, done

    def test_every_kind_becomes_a_bundle(self):
        for model, kind in KINDS.items():
            path, done = self.imported(GOLDEN / model)
            self.assertRegex(done.stdout, rf"model.mldf: ddos of {kind}, \d+ trees, \d+ nodes, \d+ inputs, hash \w{{16}}")
            shown = self.tool(FORGE, "inspect", path).stdout
            self.assertIn(re.search(r"hash (\w+)", done.stdout).group(1), shown)
            self.assertIn(f"rebuilt by: mldefender-forge import {model} --name ddos --class ddos", shown)
            self.assertIn("flow_duration", shown)

    def test_the_recorded_command_gives_the_same_bytes(self):
        path, _ = self.imported(GOLDEN / "xgboost.json", "--suspicious", 0.3, "--model-version", "7")
        command = re.search(r"rebuilt by: (.+)", self.tool(FORGE, "inspect", path).stdout).group(1).split()
        self.tool(FORGE, *command[1:], "--out", self.work / "again.mldf", cwd=GOLDEN)
        self.assertEqual(path.read_bytes(), (self.work / "again.mldf").read_bytes())

    def test_golden_rows_are_verified(self):
        for model in ("sklearn_forest", "sklearn_boosted", "xgboost"):
            _, done = self.imported(GOLDEN / f"{model}.json", "--verify", GOLDEN / f"{model}.csv", "--tolerance", 6e-8)
            self.assertRegex(done.stdout, r"300 rows, \d+ scores equal to the bit, largest difference")

    def test_a_score_that_differs_stops_the_import(self):
        rows = (GOLDEN / "xgboost.csv").read_text().splitlines()
        values = rows[41].split(",")
        rows[41] = ",".join(values[:-1] + ["0.5" if float(values[-1]) < 0.4 else "0.25"])
        wrong = self.write("rows.csv", "\n".join(rows) + "\n")
        out = self.work / "model.mldf"
        done = self.tool(FORGE, "import", GOLDEN / "xgboost.json", "--name", "ddos", "--class", "ddos", "--out", out,
                         "--verify", wrong, status=1)
        self.assertIn(f"{wrong}: line 42: the score differs by", done.stderr)
        self.assertFalse(out.exists())

    def test_forms_of_one_model_are_one_model(self):
        for number, model in enumerate(KINDS):
            path, _ = self.imported(GOLDEN / model)
            forms = {form: self.work / f"{number}.{form}" for form in ("hpp", "json", "mldf")}
            self.tool(FORGE, "export", path, "--header", forms["hpp"], "--json", forms["json"], "--bundle",
                      forms["mldf"])
            self.assertEqual(path.read_bytes(), forms["mldf"].read_bytes())
            data = json.loads(forms["json"].read_text())
            self.assertIn(f'hash = "{data["hash"]}"', forms["hpp"].read_text())
            self.tool(FORGE, "import", forms["json"], "--out", self.work / "back.mldf")
            self.assertEqual(path.read_bytes(), (self.work / "back.mldf").read_bytes())

    def test_a_header_scores_while_compiling_as_its_bundle_does(self):
        compiler = os.environ.get("CXX") or shutil.which("c++")
        if not compiler:
            self.skipTest("no compiler")
        for model in ("sklearn_forest", "xgboost"):
            path, _ = self.imported(GOLDEN / f"{model}.json", name=model)
            self.tool(FORGE, "export", path, "--header", self.work / f"{model}.hpp")
            names, *rows = (GOLDEN / f"{model}.csv").read_text().splitlines()
            names = names.split(",")
            values = next(r for r in (row.split(",") for row in rows) if "nan" not in r and 0.2 < float(r[-1]) < 0.8)
            features = "".join(f'v["{n}"_feature] = static_cast<float>({x});' for n, x in zip(names[:-1], values))
            program = self.write("use.cpp", f'#include <mldefender/core/forest.hpp>\n#include "{model}.hpp"\n'
                                 "using namespace mldefender;\nusing namespace mldefender::literals;\n"
                                 f"using model = forest<models::{model}>;\n"
                                 f"constexpr feature_vector row = [] {{ feature_vector v{{}}; {features} return v; }}();\n"
                                 f"constexpr float apart = model::score(row) - static_cast<float>({values[-1]});\n"
                                 "static_assert(apart <= 0x1p-24F && apart >= -0x1p-24F);\n"
                                 "static_assert(model::answer(row).label == attack_class::ddos);\n"
                                 "int main() { return model::score(row) == model::view().score(row) ? 0 : 1; }\n")
            self.tool(compiler, "-std=c++20", f"-I{ROOT}/include", program, "-o", self.work / "use")
            self.tool(self.work / "use")

    def test_the_sensor_takes_an_imported_model(self):
        path, done = self.imported(GOLDEN / "xgboost.json", "--suspicious", 0.01, "--malicious", 0.02)
        config = self.write("sensor.json", json.dumps({"models": {"ddos": str(path)}}))
        out = self.work / "events"
        self.sensor("--config", config, "--pcap", self.synth(3), "--events", out, "--log-flows", "all")
        name = re.search(r"hash (\w+)", done.stdout).group(1)
        decided = [e for e in _tools.events(out) if e["mld"]["model_hash"] == name]
        self.assertIn("ddos", {e["mld"]["attack_class"] for e in decided})  # rules may name others


class Use(ToolTest):
    def test_misuse(self):
        model = GOLDEN / "xgboost.json"
        out = self.work / "x.mldf"
        for words, arguments in [
            ("--out", ["import", model]),
            ("--class", ["import", model, "--out", out, "--name", "ddos", "--class", "spam"]),
            ("give --name and --class", ["import", model, "--out", out]),
            ("--tolerance", ["import", model, "--out", out, "--tolerance", 2]),
            ("option", ["export", out]),
            ("bundle", ["export"]),
        ]:
            self.assertIn(words, self.tool(FORGE, *arguments, status=2).stderr, arguments)
        self.assertFalse(out.exists())

    def test_what_cannot_be_read_or_written(self):
        absent = self.work / "absent"
        named = ["--name", "ddos", "--class", "ddos"]
        text = self.write("text", "not a model\n")
        out = self.work / "x.mldf"
        for words, arguments in [
            (f"{absent}: cannot open the model", ["import", absent, "--out", out, *named]),
            (f"{text}: is no model this version reads", ["import", text, "--out", out, *named]),
            (f"{absent}/x.mldf: cannot create", ["import", GOLDEN / "xgboost.json", "--out", absent / "x.mldf", *named]),
            (f"{absent}: cannot open the rows",
             ["import", GOLDEN / "xgboost.json", "--out", out, *named, "--verify", absent]),
            (f"{absent}: cannot open the model bundle", ["export", absent, "--json", out]),
        ]:
            self.assertIn(words, self.tool(FORGE, *arguments, status=1).stderr)
        self.assertFalse(out.exists())


unittest.main()
