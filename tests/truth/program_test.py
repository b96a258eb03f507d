#!/usr/bin/env python3
"""Some of the hosts through the real program: `monitor-agent --once --format json --procfs DIR --sysfs DIR`, from the
files of the tree to the line that is printed. The files are swapped while it waits between its two readings; its own
clock measures the second, so rates are bounded, and all else is exact."""

import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
from fractions import Fraction

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "tests", "lib"), os.path.join(ROOT, "tests", "fixtures", "hosts")]

import families  # noqa: E402
import kit  # noqa: E402
import programs  # noqa: E402
from reference import Reference  # noqa: E402

HOSTS = ("kvm-hypervisor", "azure-vm", "zfs-server", "interface-names-odd", "lxc-container", "cpus-256-with-modes")
OF_TIME = ("system.disk.io.rate", "system.network.io.rate", "system.pressure.stall")


def name_of(metric):
    labels = ",".join(f"{k}={v}" for k, v in sorted(metric["labels"].items()))
    return metric["name"] + (f"{{{labels}}}" if labels else "")


class ProgramTest(unittest.TestCase):
    def once(self, host, work):
        """What the program prints of a host, and how long its two readings can have been apart."""
        root = os.path.join(work, "root")
        for folder in ("proc", "sys"):
            os.makedirs(os.path.join(root, folder))
        kit.lay(host.steps[0], root)
        with open(os.path.join(work, "config.json"), "w", encoding="utf-8") as file:
            json.dump({"interval": 1, "metrics": host.metrics}, file)
        began = time.monotonic()
        agent = subprocess.Popen(
            [
                os.path.join(programs.BIN, "monitor-agent"),
                "--once",
                "--format",
                "json",
                "--agent-id",
                "truth",
                "--config",
                os.path.join(work, "config.json"),
                "--procfs",
                os.path.join(root, "proc"),
                "--sysfs",
                os.path.join(root, "sys"),
                "--data",
                os.path.join(work, "data"),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        programs.wait_until(lambda: self.waits(agent, root), "the first reading", limit=20)
        kit.lay(host.steps[1], root)
        out, _ = agent.communicate(timeout=30)
        ended = time.monotonic()
        self.assertEqual(agent.returncode, 0)
        metrics = [metric for line in out.splitlines() for metric in json.loads(line)["metrics"]]
        return {name_of(metric): metric["value"] for metric in metrics}, Fraction(ended - began)

    def waits(self, agent, root):
        """It has opened files of the tree, and sleeps: the first reading is over."""
        self.assertIsNone(agent.poll(), "it ended before the second reading")
        folder = f"/proc/{agent.pid}/fd"
        with open(f"/proc/{agent.pid}/wchan", encoding="ascii") as file:
            asleep = "nanosleep" in file.read()
        return asleep and any(os.path.realpath(os.path.join(folder, fd)).startswith(root) for fd in os.listdir(folder))

    def check(self, host):
        with tempfile.TemporaryDirectory(prefix="truth-") as work:
            values, longest = self.once(host, work)
            expected = {}
            for elapsed in (Fraction(1), longest):
                again = os.path.join(work, f"tree-{float(elapsed)}")
                reference = Reference(host.metrics)
                os.makedirs(os.path.join(again, "proc"))
                os.makedirs(os.path.join(again, "sys"))
                kit.lay(host.steps[0], again)
                reference.read(again, Fraction(0))
                kit.lay(host.steps[1], again)
                expected[elapsed] = reference.read(again, elapsed)
        most, least = expected.values()
        self.assertEqual(sorted(values), sorted(most))
        for series, value in values.items():
            if series.startswith(OF_TIME):
                self.assertTrue(
                    least[series] <= value <= most[series], f"{series}: {least[series]} <= {value} <= {most[series]}"
                )
            else:
                self.assertAlmostEqual(value, most[series], delta=1e-9 * max(1, abs(value)), msg=series)


def test_of(host):
    return lambda self: self.check(host)


for one in families.all_hosts():
    if one.name in HOSTS:
        setattr(ProgramTest, "test_prints_what_the_reference_says_of_" + one.name.replace("-", "_"), test_of(one))

if __name__ == "__main__":
    unittest.main(verbosity=2)
