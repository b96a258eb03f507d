#!/usr/bin/env python3
"""Compares the collectors on the live machine under load with psutil, mpstat, df, and the kernel's own files.

The collectors run in truth_driver with the system's clock. The test reads the kernel's counters just before and just
after each of their readings, so every bound is exact, however busy the machine is (bracket.py).
"""

import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import psutil  # noqa: E402

from bracket import around, growth, rate, share_of, within  # noqa: E402
from driver import LIVE, Driver  # noqa: E402
from reference import Reading, disk, memory  # noqa: E402
from reference.units import series  # noqa: E402

HALF_SHARE = 0.00005  # shares are rounded to ten-thousandths
COLUMNS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")


def burn(stop):
    while not stop.is_set():
        sum(range(10000))


class Load:
    """Context manager that keeps CPUs busy."""

    def __enter__(self):
        self.stop = multiprocessing.Event()
        self.workers = [
            multiprocessing.Process(target=burn, args=(self.stop,), daemon=True) for _ in range(os.cpu_count() or 1)
        ]
        for worker in self.workers:
            worker.start()

    def __exit__(self, *_):
        self.stop.set()
        for worker in self.workers:
            worker.join()


def cpu_ticks():
    """Returns psutil's times in ticks: ("all" or CPU number, column) -> ticks. Guest time is part of user and nice."""

    def ticks(name, times):
        return {(name, column): round(getattr(times, column) * os.sysconf("SC_CLK_TCK")) for column in COLUMNS}

    out = ticks("all", psutil.cpu_times())
    for number, times in enumerate(psutil.cpu_times(percpu=True)):
        out |= ticks(str(number), times)
    return out


class LiveTest(unittest.TestCase):
    def assert_within(self, value, bounds, rounding, what):
        self.assertTrue(
            within(value, bounds, rounding), f"{what}: got {value}, expected {bounds[0]} to {bounds[1]}"
        )

    def test_cpu_utilization_is_within_the_bounds_of_psutil(self):
        with Driver() as driver, Load():
            open_driver = lambda: driver.ask(open=LIVE, metrics=[{"name": "cpu", "per_core": True, "modes": True}])
            first, _, _ = around(cpu_ticks, open_driver)
            for _ in range(3):
                time.sleep(0.5)  # the duration of a tick, not a wait for a condition
                second, values, _ = around(cpu_ticks, driver.values)
                self.check_processors(first, second, values)
                first = second

    def check_processors(self, first, second, values):
        names = {name for name, _ in second}
        self.assertEqual(len(values), len(names) * (1 + len(COLUMNS)))
        for name in names:
            grew = {c: growth(first[name, c], second[name, c]) for c in COLUMNS}
            labels = {} if name == "all" else {"cpu__logical_number": name}
            add = lambda columns: tuple(sum(grew[c][end] for c in columns) for end in (0, 1))
            idle = ("idle", "iowait")
            self.assert_within(
                values[series("system.cpu.utilization", **labels)],
                share_of(add([c for c in COLUMNS if c not in idle]), add(idle)),
                HALF_SHARE,
                f"busy of {name}",
            )
            for column in COLUMNS:
                mode = "interrupt" if column == "irq" else column
                self.assert_within(
                    values[series("system.cpu.utilization", cpu__mode=mode, **labels)],
                    share_of(grew[column], add([c for c in COLUMNS if c != column])),
                    HALF_SHARE,
                    f"{mode} of {name}",
                )

    def test_cpu_utilization_equals_mpstat(self):
        with Driver() as driver, Load():
            driver.ask(open=LIVE, metrics=["cpu"])
            before = cpu_ticks()
            text = subprocess.run(
                ["mpstat", "-o", "JSON", "2", "1"], capture_output=True, check=True, env={**os.environ, "LC_ALL": "C"}
            ).stdout
            after = cpu_ticks()
            value = driver.values()["system.cpu.utilization"]
        line = json.loads(text)["sysstat"]["hosts"][0]["statistics"][0]["cpu-load"][0]
        # mpstat's two seconds lie within ours; the load may differ in the rest, at both ends.
        ours = sum(after["all", c] - before["all", c] for c in COLUMNS)
        theirs = 2 * os.sysconf("SC_CLK_TCK") * (os.cpu_count() or 1)
        slack = (abs(ours - theirs) + 2 * len(COLUMNS)) / theirs
        self.assertLess(slack, 0.5, "mpstat took too long for a comparison")
        self.assertAlmostEqual(value, (100 - line["idle"] - line["iowait"]) / 100, delta=slack + 0.0001)

    def test_memory_and_swap_equal_psutil(self):
        with Driver() as driver:
            driver.ask(open=LIVE, metrics=["memory", "swap"])
            arc = memory.arc(Reading("/").text("proc/spl/kstat/zfs/arcstats"))
            for attempt in range(100):  # until memory changes little during the readings
                before, values, after = psutil.virtual_memory(), driver.values(), psutil.virtual_memory()
                if abs(before.available - after.available) < 1 << 20:
                    break
            else:
                self.fail("memory changed too much in all 100 attempts")
            used = tuple(sorted(m.total - min(m.total, m.available + arc) for m in (before, after)))
            slack = 8 << 20
            self.assert_within(
                values[series("system.memory.usage", system__memory__state="used")], used, slack, "used memory"
            )
            self.assert_within(
                values["system.memory.utilization"],
                tuple(u / before.total for u in used),
                slack / before.total,
                "share of memory",
            )
            self.assertEqual(values["system.memory.limit"], before.total)
            swap = psutil.swap_memory()
            self.assert_within(
                values[series("system.paging.usage", system__paging__state="used")],
                (swap.used, swap.used),
                slack,
                "used swap",
            )
            self.assert_within(
                values[series("system.paging.utilization", system__paging__state="used")],
                (swap.percent / 100, swap.percent / 100),
                0.01,
                "share of swap",
            )

    def test_load_uptime_and_pressure_equal_the_kernels_values(self):
        with Driver() as driver:

            def read():
                totals = {}
                for resource in ("cpu", "memory", "io"):
                    text = Reading("/").text(f"proc/pressure/{resource}") or ""
                    totals |= {
                        (resource, kind): int(total) for kind, total in re.findall(r"^(\w+) .*total=(\d+)$", text, re.M)
                    }
                return totals

            first, _, first_times = around(read, lambda: driver.ask(open=LIVE, metrics=["load", "uptime", "pressure"]))
            time.sleep(0.5)
            uptime = lambda: float(Reading("/").text("proc/uptime").split()[0])
            loads = lambda: [float(f) for f in Reading("/").text("proc/loadavg").split()[:3]]
            before = uptime(), loads()
            second, values, second_times = around(read, driver.values)
            after = uptime(), loads()
            self.assert_within(values["system.uptime"], (before[0], after[0]), 0.005, "uptime")
            for minutes, *ends in zip(("1m", "5m", "15m"), before[1], after[1]):
                self.assertIn(values[f"system.cpu.load_average.{minutes}"], ends)
            for (resource, kind), one in second.items():
                least, most = rate(first[resource, kind], one, first_times, second_times)
                self.assert_within(
                    values[series("system.pressure.stall", resource=resource, type=kind)],
                    (min(1, least / 1e6), min(1, most / 1e6)),
                    HALF_SHARE,
                    f"pressure on {resource}, {kind}",
                )

    def test_disk_rates_are_within_the_bounds_of_psutil(self):
        metrics = [{"name": f"disk {d}", "per_device": True, "counters": True} for d in ("read", "write")]

        def read():
            return {
                (name, d): getattr(c, f"{d}_bytes")
                for name, c in psutil.disk_io_counters(perdisk=True).items()
                for d in ("read", "write")
            }

        with Driver() as driver, tempfile.NamedTemporaryFile(dir=os.path.expanduser("~")) as file:
            first, _, first_times = around(read, lambda: driver.ask(open=LIVE, metrics=metrics))
            for _ in range(8):
                file.write(os.urandom(1 << 20))
                file.flush()
                os.fsync(file.fileno())
            time.sleep(max(0, 0.5 - (time.monotonic() - first_times[1])))
            second, values, second_times = around(read, driver.values)
        reading = Reading("/")
        lines = disk.parse(reading.text("proc/diskstats"))
        topology = disk.Topology(reading, lines)
        counted = [name for name in lines if topology.counts(name)]
        self.assertEqual(len(values), 4 * (len(counted) + 1))
        for direction in ("read", "write"):
            sums = [0.0, 0.0]
            for name in counted:
                labels = {"disk__io__direction": direction, "system__device": name}
                one = second[name, direction]
                bounds = rate(first[name, direction], one, first_times, second_times)
                sums = [sums[0] + bounds[0], sums[1] + bounds[1]]
                self.assert_within(
                    values[series("system.disk.io", **labels)], (one.low, one.high), 0, f"bytes of {name}, {direction}"
                )
                self.assert_within(
                    values[series("system.disk.io.rate", **labels)], bounds, 0.5, f"rate of {name}, {direction}"
                )
            self.assert_within(
                values[series("system.disk.io.rate", disk__io__direction=direction)],
                sums,
                0.5,
                f"rate of all disks, {direction}",
            )


class NamespaceTest(unittest.TestCase):
    def run_apart(self, spaces, program, *parts):
        done = subprocess.run(
            ["unshare", *spaces, sys.executable, os.path.join(HERE, program), *parts], capture_output=True, text=True
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_interfaces_in_their_own_namespace_are_correct(self):
        self.run_apart(["-n", "-m"], "live_namespaces.py", "Interfaces")

    def test_mounts_in_their_own_namespace_equal_df(self):
        self.run_apart(["-m"], "live_namespaces.py", "Mounts")

    def test_recorded_mount_tables_match_the_reference(self):
        self.run_apart(["-m"], "tables_test.py")


if __name__ == "__main__":
    unittest.main(verbosity=2)
