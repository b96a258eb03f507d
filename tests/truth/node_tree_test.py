#!/usr/bin/env python3
"""Compares the collectors on a captured tree of /proc and /sys with what node_exporter makes of the same tree, which is recorded
beside it (../shared/node-tree, or MONITOR_SHARED/node-tree; passed over where there is none)."""

import collections
import os
import re
import shutil
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]

from driver import ROOT, Driver  # noqa: E402
from node_exporter_live_test import PAIRS, SELECTION  # noqa: E402

TREE = os.path.join(os.environ.get("MONITOR_SHARED", os.path.join(os.path.dirname(ROOT), "shared")), "node-tree")
# Sensors by kind, which have other names there.
SENSORS = {"hw.temperature": "node_hwmon_temp_celsius", "hw.fan.speed": "node_hwmon_fan_rpm", "hw.voltage": "node_hwmon_in_volts"}
LIMITS = {"high.critical": "node_hwmon_temp_crit_celsius", "high.degraded": "node_hwmon_temp_max_celsius"}


def extract(archive, root):
    """An archive of ttar: "Path:" with "Lines:" and that many lines, or with "SymlinkTo:"."""
    with open(archive, encoding="utf-8") as file:
        lines = file.read().split("\n")
    at, path = 0, None
    while at < len(lines):
        key, _, value = lines[at].partition(": ")
        at += 1
        if key == "Path":
            path = os.path.join(root, value)
            os.makedirs(os.path.dirname(path), exist_ok=True)
        elif key == "SymlinkTo":
            os.symlink(value, path)
        elif key == "Lines":
            text = "\n".join(lines[at : at + int(value)]) + "\n"
            at += int(value)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text.replace("NULLBYTE", "\0").removesuffix("EOF\n"))


@unittest.skipUnless(os.path.isdir(TREE), f"no captured tree in {TREE}")
class NodeTreeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as root, Driver() as driver:
            shutil.copytree(os.path.join(TREE, "proc"), os.path.join(root, "proc"), symlinks=True)
            extract(os.path.join(TREE, "sys.ttar"), root)
            metrics = [one for one in SELECTION if one != "sensors"] + [{"name": "sensors", "limits": True}, "md", "edac"]
            driver.ask(open=root, metrics=metrics)
            cls.points = driver.ask(tick=10**9)["points"]
        with open(os.path.join(TREE, "e2e-output.txt"), encoding="utf-8") as file:
            cls.theirs = {name: float(value) for name, value in re.findall(r"^(node_\S+) (\S+)$", file.read(), re.M)}
        cls.ours = {point["series"]: point["value"] for point in cls.points}

    def test_single_figures_are_equal(self):
        compared = 0
        for _, series, theirs, scale in PAIRS:
            if theirs not in self.theirs or series not in self.ours:
                continue
            self.assertAlmostEqual(self.ours[series], self.theirs[theirs] * scale, delta=1e-9 * abs(self.ours[series]), msg=series)
            compared += 1
        print(f"{compared} series compared")
        self.assertGreater(compared, 40)

    def values(self, name, limit=None):
        return collections.Counter(
            round(value, 3) for series, value in self.ours.items() if series.startswith(name + "{") and (limit is None or f"hw.limit_type={limit}" in series)
        )

    def their_values(self, name):
        return collections.Counter(round(value, 3) for series, value in self.theirs.items() if series.startswith(name + "{"))

    def test_sensors_are_equal(self):
        for ours, theirs in SENSORS.items():
            expected = self.their_values(theirs)
            if ours == "hw.temperature":
                expected += self.their_values("node_thermal_zone_temp")
            self.assertEqual(self.values(ours), expected, ours)
        for limit, theirs in LIMITS.items():
            self.assertEqual(self.values("hw.temperature.limit", limit), self.their_values(theirs), limit)
        joules = self.their_values("node_rapl_package_joules_total") + self.their_values("node_rapl_core_joules_total")
        self.assertEqual(self.values("hw.energy"), joules)

    def labelled(self, name, *labels):
        """Returns the values of their metric by the values of these labels."""
        return {
            tuple(re.search(rf'{label}="([^"]*)"', series)[1] for label in labels): value
            for series, value in self.theirs.items()
            if series.startswith(name + "{")
        }

    def test_arrays_and_memory_errors_are_equal(self):
        disks = self.labelled("node_md_disks", "device", "state")
        self.assertGreater(len(disks), 40)
        for (device, state), value in disks.items():
            series = f"system.md.disk.count{{system.device={device},system.md.disk.state={state}}}"
            self.assertEqual(self.ours[series], value, series)
        for (device,), required in self.labelled("node_md_disks_required", "device").items():
            series = f"{{system.device={device}}}"
            active = 1 - self.theirs[f'node_md_state{{device="{device}",state="inactive"}}']
            self.assertEqual(self.ours["system.md.active" + series], active, device)
            if "system.md.disk.required" + series in self.ours:
                self.assertEqual(self.ours["system.md.disk.required" + series], required, device)
                self.assertEqual(self.ours["system.md.disk.missing" + series], required - disks[device, "active"], device)
        for ours, theirs in ("corrected", "correctable"), ("uncorrected", "uncorrectable"):
            series = f"hw.errors{{error.type={ours},hw.id=mc0,hw.name=mc0,hw.parent=mc0,hw.type=memory}}"
            self.assertEqual(self.ours[series], self.theirs[f'node_edac_{theirs}_errors_total{{controller="0"}}'])


if __name__ == "__main__":
    unittest.main(verbosity=2)
