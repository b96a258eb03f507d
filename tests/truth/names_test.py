#!/usr/bin/env python3
"""Compares the names, units and kinds of all declared metrics with OpenTelemetry's semantic conventions, where a copy of
them is beside the repository (../shared/semconv, or MONITOR_SHARED/semconv). A rate has the name of its counter with
".rate", and its unit with "/s"."""

import glob
import os
import re
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from driver import ROOT, Driver  # noqa: E402

SHARED = os.environ.get("MONITOR_SHARED", os.path.join(os.path.dirname(ROOT), "shared"))
# Names that the conventions do not have.
OURS = {
    "container.memory.limit",
    "container.memory.utilization",
    "container.paging.limit",
    "container.paging.usage",
    "system.cpu.load_average.15m",
    "system.cpu.load_average.1m",
    "system.cpu.load_average.5m",
    "system.filesystem.inodes.usage",
    "system.filesystem.inodes.utilization",
    "system.memory.zfs.arc.reclaimable",
    "system.memory.zfs.arc.usage",
    "system.paging.io",
    "system.pressure.stall",
    "system.process.group.count",
    "system.process.group.cpu.utilization",
    "system.process.group.disk.io",
    "system.process.group.memory.usage",
}
KINDS = {"counter": "counter", "gauge": "gauge", "updowncounter": "gauge"}


def conventions():
    """Returns name -> (unit, kind, stability)."""
    found = {}
    for path in glob.glob(os.path.join(SHARED, "semconv", "*.yaml")):
        with open(path, encoding="utf-8") as file:
            for group in file.read().split("  - id: ")[1:]:
                name = re.search(r"^    metric_name: (\S+)", group, re.M)
                if name:
                    value = lambda key: re.search(rf'^    {key}: "?([^"\n]*)"?', group, re.M)[1]
                    found[name[1]] = (value("unit"), KINDS.get(value("instrument")), value("stability"))
    return found


class NamesTest(unittest.TestCase):
    def test_names_units_and_kinds_follow_the_conventions(self):
        standard = conventions()
        if not standard:
            self.skipTest(f"no semantic conventions in {SHARED}")
        with Driver() as driver:
            declared = driver.ask(catalog=True)["metrics"]
        states, unknown = {}, set()
        for name, stated in declared.items():
            base = name.removesuffix(".rate")
            if base not in standard:
                unknown.add(base)
                continue
            unit, kind, stability = standard[base]
            expected = (unit + "/s", "gauge") if name.endswith(".rate") else (unit, kind)
            self.assertEqual((stated["unit"], stated["kind"]), expected, name)
            states.setdefault(stability, []).append(name)
        print({state: len(names) for state, names in states.items()}, "ours:", len(unknown))
        self.assertEqual(sorted(unknown), sorted(OURS))


if __name__ == "__main__":
    unittest.main(verbosity=2)
