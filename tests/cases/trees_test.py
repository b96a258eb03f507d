#!/usr/bin/env python3
"""Cases that are trees of /proc and /sys (README.md). Each is named after its host, and asserts the expected value of a
metric that other tools or early versions of this project got wrong.

`exactly` runs the collectors with a simulated clock (truth_driver), `printed` runs the real `monitor-agent --once`.
"""
import concurrent.futures
import json
import os
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(TESTS, name) for name in ("lib", "truth", "fixtures/hosts")]

import kit  # noqa: E402
from driver import Driver  # noqa: E402
from programs import ProgramTest, wait_until  # noqa: E402
from replay import Once  # noqa: E402

CPU, MEMORY, UPTIME = "system.cpu.utilization", "system.memory.utilization", "system.uptime"
DISK, NET = "system.disk.io", "system.network.io"
IN = f"{NET}{{network.io.direction=receive}}"
SECOND = 10**9
HOSTS = {}


def host(name, metrics, *steps):
    """A host from its first state and the changes of the next states, one second apart."""
    made = HOSTS[name] = kit.Host(name, metrics).put_all(steps[0])
    for step in steps[1:]:
        made.then().put_all(step)


def rate(name, label, direction, device=""):
    labels = [f"{label}={direction}", *([f"system.device={device}"] if device else [])]
    return f"{name}.rate{{{','.join(labels)}}}"


def received(**interfaces):
    return {"proc/net/dev": kit.netdev({name: (count, 0) for name, count in interfaces.items()})}


def moved(**disks):
    """`disks`: name -> (major, minor, sectors read, sectors written)."""
    return {"proc/diskstats": kit.diskstats(disks)}


# A hypervisor whose guests used 60 of 100 jiffies; user time includes them.
host("cpu_guest_is_not_idle", [{"name": "cpu", "modes": True}],
     {"proc/stat": kit.stat({0: [100000, 0, 5000, 900000, 0, 0, 0, 0, 90000, 0]})},
     {"proc/stat": kit.stat({0: [100061, 0, 5001, 900038, 0, 0, 0, 0, 90060, 0]})})

# A laptop after suspend: idle and iowait have decreased, user and system have increased.
host("cpu_100_percent_after_resume", [{"name": "cpu", "per_core": True}],
     {"proc/stat": kit.stat({0: [1466797, 6445, 708626, 6221847, 7998, 0, 8095, 0, 0, 0]})},
     {"proc/stat": kit.stat({0: [1466867, 6445, 708691, 5873386, 7624, 0, 8095, 0, 0, 0]})})

# An LXC container whose MemAvailable is that of its host.
host("more_available_than_there_is", ["memory"],
     {"proc/meminfo": kit.meminfo(MemTotal=998384, MemFree=123000, MemAvailable=98765432, Buffers=0, Cached=7480)})

# An OpenVZ container with Docker: no interface has a device, and the bridge's bytes came through venet0.
host("net_bridge_in_container_twice", ["net in", "net out"],
     {**kit.lo(), **kit.interface("venet0", 2), **kit.interface("br0", 3, kind="bridge"),
      **kit.interface("veth1", 4, link=9, master="br0"),
      "proc/net/dev": kit.netdev({"lo": (0, 0), "venet0": (0, 0), "br0": (0, 0), "veth1": (0, 0)})},
     {"proc/net/dev": kit.netdev({"lo": (9, 9), "venet0": (1000, 0), "br0": (1000, 0), "veth1": (0, 1000)})})

# NVMe multipath: the hidden path counts the same bytes as its head.
host("nvme_multipath_twice", [{"name": "disk read", "per_device": True}, "disk write"],
     {"sys/block/nvme0c0n1/hidden": "1\n", "sys/block/nvme0n1/hidden": "0\n",
      **moved(nvme0c0n1=(0, 0, 0, 0), nvme0n1=(259, 0, 0, 0))},
     moved(nvme0c0n1=(0, 0, 2000, 4000), nvme0n1=(259, 0, 2000, 4000)))

# A volume of a ZFS pool on sda.
host("zvol_twice", ["disk read", "disk write"],
     {"sys/block/sda/size": "1\n", "sys/block/zd0/size": "1\n", **moved(sda=(8, 0, 0, 0), zd0=(230, 0, 0, 0))},
     moved(sda=(8, 0, 2000, 2000), zd0=(230, 0, 2000, 2000)))

# lxcfs writes one decimal or none.
host("uptime_of_a_container", ["uptime", "load"],
     {"proc/uptime": "41.0 41.0\n", "proc/loadavg": "0.18 0.09 0.04 1/20 300\n"})

# Two sockets with 128 threads each: more than a batch can hold.
host("tick_too_large_loses_all", [{"name": "cpu", "per_core": True, "modes": True}, "load"],
     {"proc/stat": kit.stat({n: [n, 0, 0, 1000, 0, 0, 0, 0, 0, 0] for n in range(256)}), "proc/loadavg": kit.loadavg("0.10")},
     {"proc/stat": kit.stat({n: [n + 50, 0, 0, 1050, 0, 0, 0, 0, 0, 0] for n in range(256)})})

# The second of two network cards is removed and put back.
CARDS = {**kit.interface("eth0", 2, "pci0000:00/0000:00:03.0"), **kit.interface("eth1", 3, "pci0000:00/0000:00:04.0")}
host("sum_counter_goes_backwards", [{"name": "net in", "counters": True}],
     {**CARDS, **received(eth0=1000000, eth1=5000000000)},
     received(eth0=1001000, eth1=5000001000),
     received(eth0=1002000, eth1=5000002000),
     {**received(eth0=1003000), "sys/class/net/eth1": None},
     received(eth0=1004000),
     {"sys/class/net/eth1": CARDS["sys/class/net/eth1"], **received(eth0=1005000, eth1=5000003000)},
     received(eth0=1006000, eth1=5000004000))


def once(name):
    with tempfile.TemporaryDirectory(prefix="case-") as work:
        return Once(HOSTS[name], work)


class Trees(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Each run sleeps for a second between its readings.
        with concurrent.futures.ThreadPoolExecutor(len(HOSTS)) as pool:
            cls.runs = dict(zip(HOSTS, pool.map(once, HOSTS)))

    def exactly(self):
        """The ticks of the case, each one second long."""
        made = HOSTS[self.case]
        with tempfile.TemporaryDirectory(prefix="case-") as root, Driver() as driver:
            for folder in ("proc", "sys"):
                os.makedirs(os.path.join(root, folder))
            kit.lay(made.steps[0], root)
            driver.ask(open=root, metrics=made.metrics)
            ticks = []
            for step in made.steps[1:] or [{}]:
                kit.lay(step, root)
                ticks.append(driver.values(SECOND))
        return ticks

    def printed(self, status=0):
        run = self.runs[self.case]
        self.assertEqual(run.status, status, run.said)
        return run

    @property
    def case(self):
        return self._testMethodName.removeprefix("test_")

    def assert_rates(self, expected):
        """Asserts exactly this growth per second, and at most this growth by the program's own clock."""
        self.assertEqual(self.exactly(), [expected])
        run = self.printed()
        self.assertEqual(run.values.keys(), expected.keys())
        for series, growth in expected.items():
            self.assertLessEqual(int(growth / run.longest), run.values[series], series)
            self.assertLessEqual(run.values[series], growth, series)

    def test_cpu_guest_is_not_idle(self):
        right = {CPU: 0.62, f"{CPU}{{cpu.mode=user}}": 0.61, f"{CPU}{{cpu.mode=system}}": 0.01, f"{CPU}{{cpu.mode=idle}}": 0.38}
        for values in (*self.exactly(), self.printed().values):
            self.assertEqual({series: value for series, value in values.items() if value}, right)

    def test_cpu_100_percent_after_resume(self):
        self.assertEqual(self.exactly(), [{}], f"{CPU} is unknown, for the host and for the CPU")
        # An empty output is not a success; a retry may have a value.
        self.assertIn("no metric has a value", self.printed(status=75).said)

    def test_more_available_than_there_is(self):
        for values in (*self.exactly(), self.printed().values):
            self.assertEqual(values[MEMORY], 0.8768, "psutil: 87.7 %")
            self.assertEqual(values["system.memory.usage{system.memory.state=used}"], (998384 - 123000) * 1024)

    def test_net_bridge_in_container_twice(self):
        self.assert_rates({rate(NET, "network.io.direction", "receive"): 1000, rate(NET, "network.io.direction", "transmit"): 0})

    def test_nvme_multipath_twice(self):
        self.assert_rates({rate(DISK, "disk.io.direction", "read"): 1024000, rate(DISK, "disk.io.direction", "write"): 2048000,
                           rate(DISK, "disk.io.direction", "read", "nvme0n1"): 1024000})

    def test_zvol_twice(self):
        self.assert_rates({rate(DISK, "disk.io.direction", "read"): 1024000, rate(DISK, "disk.io.direction", "write"): 1024000})

    def test_uptime_of_a_container(self):
        for values in (*self.exactly(), self.printed().values):
            self.assertEqual(values[UPTIME], 41)
            self.assertEqual(values["system.cpu.load_average.1m"], 0.18)
        for text, seconds in (("11752 0\n", 11752), ("41.25 1\n", 41.25), ("41.257 1\n", 41.26)):
            HOSTS[self.case].steps[0]["proc/uptime"] = text
            self.assertEqual(self.exactly()[0][UPTIME], seconds)

    def test_tick_too_large_loses_all(self):
        for values in (*self.exactly(), self.printed().values):
            self.assertEqual(len(values), 257 * 9 + 3)
            self.assertEqual(values[CPU], 0.5)
            self.assertEqual(values[f"{CPU}{{cpu.logical_number=255,cpu.mode=user}}"], 0.5)
            self.assertEqual(values["system.cpu.load_average.1m"], 0.1)

    def test_sum_counter_goes_backwards(self):
        ticks = self.exactly()
        counters = [tick[IN] for tick in ticks]
        # Exactly the growth of the members; eth1's growth while it was removed is unknown.
        self.assertEqual(counters[:3], [5001002000, 5001004000, 5001005000])
        grown = [after - before for before, after in zip(counters, counters[1:])]
        self.assertEqual(grown, [2000, 1000, 1000, 1000, 2000])
        rates = [tick.get(f"{NET}.rate{{network.io.direction=receive}}") for tick in ticks]
        self.assertEqual(rates, [2000, 2000, 1000, 1000, 1000, 2000])


class Pipeline(ProgramTest):
    """Cases with several states, run through an agent, a server, a log and a reader."""

    def replay(self, name, interval=0.2):
        """Returns the reader's output in order: {series: value} of each tick. A step lasts three ticks."""
        made = HOSTS[name]
        root = os.path.join(self.data, "root")
        for folder in ("proc", "sys"):
            os.makedirs(os.path.join(root, folder))
        kit.lay(made.steps[0], root)
        server = self.start_server()
        metrics = [m if isinstance(m, str) else json.dumps(m) for m in made.metrics]
        self.configure("a", "--interval", str(interval), "--send-every", "0", "--metrics", *metrics)
        agent = self.start_agent("a", server, "--procfs", f"{root}/proc", "--sysfs", f"{root}/sys")
        ticks = lambda: [f for b in self.batches("a") for f in b["frames"]]  # noqa: E731
        for step in made.steps:
            kit.lay(step, root)
            before = len(ticks())
            wait_until(lambda: len(ticks()) >= before + 3, "ticks")  # noqa: B023
        self.assertEqual(agent.stop(), 0)
        return ticks()

    def test_sum_counter_goes_backwards(self):
        values = [dict((s["name"], v) for s, v in tick["points"]) for tick in self.replay("sum_counter_goes_backwards")]
        counters = [v[NET] for v in values if NET in v]
        self.assertEqual(counters, sorted(counters), "a sum never falls")
        self.assertEqual((counters[0], counters[-1]), (5001000000, 5001009000))
        self.assertLess(max(v.get(f"{NET}.rate", 0) for v in values), 10**6, "no spurious gigabytes")

    def test_tick_too_large_loses_all(self):
        ticks = self.replay("tick_too_large_loses_all", interval=0.5)
        points = {}
        for tick in ticks:
            points.setdefault(tick["time"], []).extend((s["name"], s["labels"].get("cpu.logical_number")) for s, _ in tick["points"])
        whole = [p for p in points.values() if len(p) == 257 * 9 + 3]
        self.assertTrue(whole, {time: len(p) for time, p in points.items()})
        self.assertIn((CPU, "255"), whole[0])
        self.assertIn(("system.cpu.load_average.1m", None), whole[0])


if __name__ == "__main__":
    unittest.main(verbosity=2)
