"""Values agree with the kernel's: this test reads /proc in parallel with the agent, under artificial load, and compares
every tick with its own readings.

Counters are bracketed. The growth between the agent's two reads is at least the growth between our first reading after
its first read and our last reading before its second one. It is at most the growth between our readings just outside.
The test allows 2 % more, for the time between a tick's timestamp and its reads.
"""
import multiprocessing
import os
import re
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ProgramTest, wait_until  # noqa: E402

SECTOR = 512


def read(path):
    with open(path, encoding="ascii", errors="replace") as f:
        return f.read()


def whole_disks():
    return [d for d in os.listdir("/sys/block")
            if not d.startswith(("loop", "ram", "zram", "fd")) and not os.listdir(f"/sys/block/{d}/slaves")]


def reading(disks):
    modes = list(map(int, read("/proc/stat").split("\n", 1)[0].split()[1:9]))
    memory = dict(re.findall(r"(\w+):\s+(\d+)", read("/proc/meminfo")))
    written = sum(int(line.split()[9]) * SECTOR for line in read("/proc/diskstats").splitlines() if line.split()[2] in disks)
    return {"busy": sum(modes) - modes[3] - modes[4], "total": sum(modes), "written": written,
            "used": (int(memory["MemTotal"]) - int(memory["MemAvailable"])) * 1024, "limit": int(memory["MemTotal"]) * 1024}


def busy_loop(stop):
    while not stop.is_set():
        sum(range(10_000))


class Sampler(threading.Thread):
    """Takes our own readings, with the time before and after each."""

    def __init__(self):
        super().__init__(daemon=True)
        self.samples = []
        self.stopped = threading.Event()
        self.disks = whole_disks()

    def run(self):
        while not self.stopped.is_set():
            before = time.time_ns()
            values = reading(self.disks)
            self.samples.append((before, time.time_ns(), values))
            self.stopped.wait(0.02)

    def bracket(self, key, start, end):
        """Returns the (minimum, maximum) growth of a counter between two times."""
        inside = [v[key] for b, a, v in self.samples if b >= start and a <= end]
        until = [v[key] for _, a, v in self.samples if a <= start]
        after = [v[key] for b, _, v in self.samples if b >= end]
        return inside[-1] - inside[0] if inside else 0, after[0] - until[-1]

    def around(self, moment):
        """Returns the readings within 100 ms, but at least the last one before and the first one after."""
        near = [v for b, _, v in self.samples if abs(b - moment) < 100_000_000]
        return near + [[v for b, _, v in self.samples if b <= moment][-1]] + [[v for b, _, v in self.samples if b >= moment][0]]


class KernelTest(ProgramTest):
    def test_values_agree_with_the_kernel_under_load(self):
        server = self.start_server()
        self.configure("a", "--interval", "0.5")
        sampler = Sampler()
        sampler.start()
        stop = multiprocessing.Event()
        load = multiprocessing.Process(target=busy_loop, args=(stop,), daemon=True)
        load.start()
        try:
            self.start_agent("a", server)
            path = os.path.join(self.data, "written")
            deadline = time.monotonic() + 5
            while time.monotonic() < deadline:
                with open(path, "wb") as out:
                    out.write(os.urandom(4 * 1024 * 1024))
                    out.flush()
                    os.fsync(out.fileno())
            wait_until(lambda: len(self.batches("a")) >= 4, "four batches")
        finally:
            stop.set()
            load.join(10)
        last = max(f["time"] for b in self.batches("a") for f in b["frames"])
        wait_until(lambda: sampler.samples[-1][0] > last, "a reading after the last tick")
        sampler.stopped.set()
        sampler.join()
        frames = [f for b in self.batches("a") for f in b["frames"] if f["rates_since"] > sampler.samples[1][1]]
        self.assertGreaterEqual(len(frames), 6)
        wrote_much = 0
        for frame in frames:
            start, end = frame["rates_since"], frame["time"]
            seconds = (end - start) / 1e9
            values = {(s["name"], s["labels"].get("disk.io.direction", "")): v for s, v in frame["points"]}
            low, high = sampler.bracket("written", start, end)
            rate = values["system.disk.io.rate", "write"] * seconds
            self.assertGreaterEqual(rate, low * 0.98 - 4096)
            self.assertLessEqual(rate, high * 1.02 + 4096)
            wrote_much += rate > 1024 * 1024
            busy = sampler.bracket("busy", start, end)
            total = sampler.bracket("total", start, end)
            cpu = values["system.cpu.utilization", ""]
            self.assertGreaterEqual(cpu, busy[0] / max(1, total[1]) - 0.05)
            self.assertLessEqual(cpu, busy[1] / max(1, total[0]) + 0.05)
            near = sampler.around(end)
            used = values["system.memory.usage", ""]
            slack = 16 * 1024 * 1024
            self.assertGreaterEqual(used, min(v["used"] for v in near) - slack)
            self.assertLessEqual(used, max(v["used"] for v in near) + slack)
            self.assertEqual(values["system.memory.limit", ""], near[0]["limit"])
            self.assertAlmostEqual(values["system.memory.utilization", ""], used / near[0]["limit"], delta=0.0001)
        self.assertGreaterEqual(wrote_much, 2, "the load is visible in the values")


if __name__ == "__main__":
    unittest.main()
