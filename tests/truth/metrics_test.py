#!/usr/bin/env python3
"""docs/metrics.md against the agent: every metric that the schema promises or a host makes is in its table, with its
unit and selector, and nothing else is; every option of a metric is used by a host."""

import os
import re
import sys
import tempfile
import unittest
from fractions import Fraction

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from driver import LIVE, ROOT, Driver  # noqa: E402
from hosts_test import MEMORY, every_host, kit  # noqa: E402
from reference import selections  # noqa: E402


def table():
    """metric -> (selectors, unit)."""
    with open(os.path.join(ROOT, "docs", "metrics.md"), encoding="utf-8") as file:
        rows = re.findall(r"^\| `((?:system|container)\.[^`]+)` \| ([^|]*) \| `([^`]*)` \|", file.read(), re.M)
    return {name: (re.findall(r"`([^`]+)`", where.partition(" with ")[0]), unit) for name, where, unit in rows}


def promised(text):
    """Names of a selector: "system.x.y, .z" are system.x.y and system.x.z."""
    parts = text.split(", ")
    prefix = parts[0].rpartition(".")[0]
    return [prefix + part if part.startswith(".") else part for part in parts]


class MetricsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.table = table()
        cls.hosts = every_host()
        cls.emitted = {}  # metric -> unit
        with Driver() as driver:
            cls.schema = driver.ask(schema=True)
            for host in cls.hosts:
                if not host.name.startswith("cpus-"):  # large, and no other names
                    cls.watch(driver, host)
            driver.ask(open=LIVE, metrics=["filesystem"])
            for _ in range(100):  # asked apart from the loop
                cls.add(driver.ask(tick=0)["points"])
                if "system.filesystem.usage" in cls.emitted:
                    break

    @classmethod
    def watch(cls, driver, host):
        with tempfile.TemporaryDirectory(prefix="truth-", dir=MEMORY) as root:
            for folder in ("proc", "sys"):
                os.makedirs(os.path.join(root, folder))
            kit.lay(host.steps[0], root)
            driver.ask(open=root, metrics=host.metrics)
            for files, seconds in zip(host.steps[1:], host.elapsed[1:]):
                kit.lay(files, root)
                cls.add(driver.ask(tick=int(Fraction(seconds) * 10**9))["points"])

    @classmethod
    def add(cls, points):
        for point in points:
            cls.emitted[point["series"].partition("{")[0]] = point["unit"]

    def test_table_holds_every_metric_and_no_other(self):
        names = {name for one in self.schema.values() for name in promised(one["metrics"])}
        self.assertEqual(sorted(self.table), sorted(names | set(self.emitted)))

    def test_table_states_the_units_of_the_agent(self):
        for name, unit in self.emitted.items():
            self.assertEqual(self.table[name][1], unit, name)

    def test_table_names_the_selectors_of_the_schema(self):
        for selector, one in self.schema.items():
            for name in promised(one["metrics"]):
                self.assertIn(selector, self.table[name][0], name)
        for name, (selectors, _) in self.table.items():
            self.assertLessEqual(set(selectors), set(self.schema), name)

    def test_hosts_make_every_metric(self):
        self.assertEqual(sorted(set(self.table) - set(self.emitted)), [])

    def test_hosts_use_every_option(self):
        used = {
            (name, option)
            for host in self.hosts
            for name, options in selections(host.metrics).items()
            for option in options
        }
        wanted = {
            (name, option)
            for name, one in self.schema.items()
            for option in one["options"]
            if option != "interval" and name != "filesystem"
        }  # filesystems: live_namespaces.py
        self.assertEqual(sorted(wanted - used), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
