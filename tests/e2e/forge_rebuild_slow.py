#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# The committed models are what their recorded command makes, byte for byte: trains them again and compares. Minutes.
# Run by ctest with the slow tests.
import re
import unittest

import _tools
from _tools import FORGE, ROOT, SENSOR, ToolTest

_tools.need(FORGE, SENSOR)
MODELS = ROOT / "include/mldefender/core/models"


class Rebuild(ToolTest):
    def test_every_model(self):
        if _tools.sanitized():
            self.skipTest("takes an hour with a sanitizer")
        commands = {re.search(r'command = "([^"]+)"', path.read_text()).group(1) for path in MODELS.glob("*.hpp")}
        self.assertEqual(len(commands), 1, "the models come from different trainings")
        self.tool(FORGE, *commands.pop().split()[1:], "--out", self.work, timeout=1150)
        for path in MODELS.glob("*.hpp"):
            self.assertEqual((self.work / path.name).read_bytes() == path.read_bytes(), True, path.name)


unittest.main()
