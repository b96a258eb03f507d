#!/usr/bin/env python3
"""Compares the collector of containers on the live kernel with the files of a control group that the test makes, as a runtime
would, and that holds processes of the test. Needs root and a hierarchy in which groups can be made (cgroup v1, or the
controllers of v2)."""

import contextlib
import os
import signal
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from driver import LIVE, Driver  # noqa: E402

MOUNT = "/sys/fs/cgroup"
ID = "5e1f" * 16
SECONDS = 2
V2 = os.path.exists(f"{MOUNT}/cgroup.controllers")
CONTROLLERS = [""] if V2 else ["memory", "cpuacct", "cpu", "pids", "blkio"]


def folders():
    return [f"{MOUNT}/{controller}/docker/{ID}".replace("//", "/") for controller in CONTROLLERS]


def contents(controller, name):
    with open(f"{MOUNT}/{'' if V2 else controller}/docker/{ID}/{name}", encoding="ascii") as file:
        return file.read()


def cpu_seconds():
    if V2:
        return int(contents("", "cpu.stat").split()[1]) / 1e6
    return int(contents("cpuacct", "cpuacct.usage")) / 1e9


class ContainersLiveTest(unittest.TestCase):
    def setUp(self):
        self.children = []
        self.addCleanup(self.remove)
        try:
            for folder in folders():
                os.makedirs(folder, exist_ok=True)
        except OSError as error:
            self.skipTest(f"no control group can be made: {error}")

    def remove(self):
        for pid in self.children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        for folder in folders():
            for path in (folder, os.path.dirname(folder)):
                with contextlib.suppress(OSError):
                    os.rmdir(path)

    def start(self, action):
        """Forks a process, which acts once it is in the group."""
        ready, go = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.read(ready, 1)
            action()
            os._exit(0)
        self.children.append(pid)
        for folder in folders():
            with open(f"{folder}/cgroup.procs", "w", encoding="ascii") as file:
                file.write(str(pid))
        os.write(go, b"x")
        os.close(ready)
        os.close(go)

    def values(self, driver):
        points = driver.ask(tick=0)["points"]
        return {p["series"].partition("{")[0]: p["value"] for p in points if ID in p["series"]}, points

    def test_figures_equal_those_of_the_group(self):
        def work():
            block = bytearray(b"x" * (64 << 20))
            while block:
                pass

        self.start(work)
        self.start(signal.pause)
        with Driver() as driver:
            driver.ask(open=LIVE, metrics=[{"name": "containers", "counters": True}])
            before, at = cpu_seconds(), time.monotonic()
            time.sleep(0.2)
            self.values(driver)
            inner_before, inner_at = cpu_seconds(), time.monotonic()
            time.sleep(SECONDS)
            least = (cpu_seconds() - inner_before) / (time.monotonic() - inner_at)
            got, points = self.values(driver)
            most_seconds, most_at = cpu_seconds(), time.monotonic()
        self.assertGreater(least, 0.05)
        self.assertAlmostEqual(got["container.cpu.usage"], least, delta=0.1 * least + 0.05)
        self.assertLessEqual(got["container.cpu.usage"], (most_seconds - before) / (most_at - at) * 1.5 + 0.2)
        self.assertLessEqual(got["container.cpu.time"], most_seconds)
        self.assertGreater(got["container.cpu.time"], inner_before)
        self.assertEqual(got["container.thread.count"], 2)
        usage = int(contents("memory", "memory.current" if V2 else "memory.usage_in_bytes"))
        self.assertGreater(got["container.memory.usage"], 64 << 20)
        self.assertAlmostEqual(got["container.memory.usage"], usage, delta=4 << 20)
        self.assertLessEqual(got["container.memory.working_set"], got["container.memory.usage"])
        self.assertEqual(got["container.memory.oom_kills"], 0)
        labels = next(p["series"] for p in points if ID in p["series"])
        self.assertIn("container.runtime.name=docker", labels)
        total = next(p["value"] for p in points if p["series"] == "container.count")
        self.assertGreaterEqual(total, 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
