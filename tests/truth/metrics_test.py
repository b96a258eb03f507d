#!/usr/bin/env python3
"""Compares docs/metrics.md and the declared metrics (src/metrics/catalog) with the agent: the tables are generated from
the declarations. The recorded hosts produce exactly the declared metrics, with the declared unit and kind, and use every
option of a selector. The mutants of mutants_test.py, which `./test --all` builds, still fit the sources."""

import os
import sys
import tempfile
import unittest
from fractions import Fraction

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from driver import LIVE, ROOT, Driver  # noqa: E402
from hosts_test import MEMORY, every_host, kit  # noqa: E402
from mutants_test import MUTANTS, SRC, mutated, source_of  # noqa: E402
from reference import selections  # noqa: E402


class MetricsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hosts = every_host()
        cls.emitted = {}  # metric -> (unit, kind)
        with Driver() as driver:
            cls.schema = driver.ask(schema=True)
            catalog = driver.ask(catalog=True)
            cls.declared = catalog["metrics"]  # metric -> {"unit", "kind"}
            cls.markdown = catalog["markdown"]
            for host in cls.hosts:
                if not host.name.startswith("cpus-"):  # large, without additional names
                    cls.watch(driver, host)
            driver.ask(open=LIVE, metrics=["filesystem"])
            for _ in range(100):  # statvfs runs on other threads
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
            cls.emitted[point["series"].partition("{")[0]] = {"unit": point["unit"], "kind": point["kind"]}

    def test_generated_tables_are_up_to_date(self):
        with open(os.path.join(ROOT, "docs", "metrics.md"), encoding="utf-8") as file:
            generated = self.markdown.strip() in file.read()
        self.assertTrue(generated, "docs/metrics.md: paste what `monitor-config schema --format metrics` prints")

    def test_recorded_hosts_produce_exactly_the_declared_metrics(self):
        # The clock is no file: clock_live_test.py and src/inputs/proc/clock_test.cc test its metrics.
        self.assertEqual(sorted(self.emitted), sorted(name for name in self.declared if not name.startswith("system.clock.")))

    def test_agent_reports_the_declared_units_and_kinds(self):
        for name, stated in self.emitted.items():
            self.assertEqual(stated, self.declared[name], name)

    def test_every_metric_has_a_selector_and_every_selector_a_metric(self):
        produced = [set(one["metrics"]) for one in self.schema.values()]
        self.assertTrue(all(produced))
        self.assertEqual(set().union(*produced), set(self.declared))

    def test_recorded_hosts_use_every_option(self):
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
        }  # options of filesystems are tested in live_namespaces.py
        self.assertEqual(sorted(wanted - used), [])

    def test_every_mutant_still_changes_one_place(self):
        for name, before, after in MUTANTS:
            with self.subTest(file=name, place=before):
                self.assertNotEqual(before, after)
                mutated(os.path.join(SRC, source_of(name)), before, after)


if __name__ == "__main__":
    unittest.main(verbosity=2)
