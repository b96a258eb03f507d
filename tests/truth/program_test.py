#!/usr/bin/env python3
"""Some of the hosts through the real program: `monitor-agent --once --format json --procfs DIR --sysfs DIR`, from the
files of the tree to the printed line. The test replaces the files while the program waits between its two readings. The
program measures the second with its own clock, so the test bounds rates; all other values are exact."""

import os
import sys
import tempfile
import unittest
from fractions import Fraction

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "tests", "lib"), os.path.join(ROOT, "tests", "fixtures", "hosts")]

import families  # noqa: E402
import kit  # noqa: E402
from reference import Reference  # noqa: E402
from replay import Once  # noqa: E402

HOSTS = ("kvm-hypervisor", "azure-vm", "zfs-server", "interface-names-odd", "lxc-container", "cpus-256-with-modes")
OF_TIME = ("system.disk.io.rate", "system.network.io.rate", "system.pressure.stall")


class ProgramTest(unittest.TestCase):
    def check(self, host):
        with tempfile.TemporaryDirectory(prefix="truth-") as work:
            once = Once(host, work)
            self.assertEqual(once.status, 0, once.said)
            values, longest = once.values, once.longest
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
