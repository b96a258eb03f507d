#!/usr/bin/env python3
"""Compares the names, units and kinds of all declared metrics with names.tsv, which says of each name whether OpenTelemetry's
semantic conventions have it and how stable it is there ("none: ours" if they do not). Where a copy of the conventions is
beside the repository (../shared/semconv, or MONITOR_SHARED/semconv), the table is compared with it as well. A rate has the
name of its counter with ".rate", and its unit with "/s".

names_test.py --write: writes the table from the conventions.
"""

import glob
import os
import re
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from driver import ROOT, Driver  # noqa: E402

SHARED = os.environ.get("MONITOR_SHARED", os.path.join(os.path.dirname(ROOT), "shared"))
TABLE = os.path.join(HERE, "names.tsv")
OURS = "none: ours"
STATES = {"stable", "release_candidate", "development", OURS}
KINDS = {"counter": "counter", "gauge": "gauge", "updowncounter": "gauge"}
HEAD = "# name\tunit\tkind\tstate in OpenTelemetry's semantic conventions\n"


def conventions():
    """Returns name -> (unit, kind, stability). The files have two forms: one since 2026 (definition/2), and the older one."""
    found = {}
    for path in glob.glob(os.path.join(SHARED, "semconv", "*.yaml")):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        new = "file_format: definition/2" in text
        for group in re.split(r"^  - name: " if new else r"^  - id: ", text.split("metric_refinements:")[0], flags=re.M)[1:]:
            name = re.match(r"(\S+)", group) if new else re.search(r"^    metric_name: (\S+)", group, re.M)
            value = lambda key: re.search(rf'^    {key}: "?([^"\n]*)"?', group, re.M)
            if name and value("instrument"):
                found[name[1]] = (value("unit")[1], KINDS.get(value("instrument")[1]), value("stability")[1])
    return found


def declared():
    """Returns name -> (unit, kind), rates as their counters."""
    with Driver() as driver:
        metrics = driver.ask(catalog=True)["metrics"]
    found = {}
    for name, stated in metrics.items():
        is_rate = name.endswith(".rate")
        unit = stated["unit"].removesuffix("/s") if is_rate else stated["unit"]
        found[name.removesuffix(".rate")] = (unit, "counter" if is_rate else stated["kind"])
    return metrics, found


def recorded():
    with open(TABLE, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
    return {name: (unit, kind, state) for name, unit, kind, state in rows}


class NamesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.metrics, cls.declared = declared()

    def test_every_metric_is_in_the_table_with_its_unit_and_kind(self):
        table = recorded()
        self.assertEqual({name: row[:2] for name, row in table.items()}, self.declared)
        self.assertLessEqual({state for _, _, state in table.values()}, STATES)

    def test_a_rate_is_a_gauge_per_second(self):
        for name, stated in self.metrics.items():
            if name.endswith(".rate"):
                self.assertEqual((stated["unit"][-2:], stated["kind"]), ("/s", "gauge"), name)

    def test_the_table_follows_the_conventions(self):
        standard = conventions()
        if not standard:
            self.skipTest(f"no semantic conventions in {SHARED}")
        self.assertGreater(len(standard), 80)
        counted = {}
        for name, (unit, kind, state) in recorded().items():
            self.assertEqual(standard.get(name, (unit, kind, OURS)), (unit, kind, state), name)
            counted[state] = counted.get(state, 0) + 1
        print(counted)


def write():
    standard = conventions()
    with open(TABLE, "w", encoding="utf-8") as file:
        file.write(HEAD)
        for name, (unit, kind) in sorted(declared()[1].items()):
            file.write("\t".join((name, unit, kind, standard.get(name, ("", "", OURS))[2])) + "\n")


if __name__ == "__main__":
    if "--write" in sys.argv:
        write()
    else:
        unittest.main(verbosity=2)
