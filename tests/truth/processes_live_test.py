#!/usr/bin/env python3
"""Compares the collector of processes on the live kernel with `ps` and with the kernel's own counters. Runs in a PID
namespace of its own, whose processes the test knows; needs root.

processes_live_test.py
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from bracket import around, rate, within  # noqa: E402
from driver import BUILD, LIVE, Driver  # noqa: E402
from reference.processes import Process  # noqa: E402
from reference.units import series  # noqa: E402

NOBODY = 65534
TICKS = os.sysconf("SC_CLK_TCK")
ODD_NAME = b"a) R\n(\xff b"
SELECTION = [{"name": "processes", "top": 50, "counters": True}]
MEGABYTE = 1 << 20


def child(action, user=None, name=None, keep=()):
    """Forks a process that reports when it is ready, and then acts. `keep`: descriptors that it needs; the others may be
    those of a driver, which ends when they are closed."""
    ready, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        for fd in map(int, os.listdir("/proc/self/fd")):
            if fd > 2 and fd != tell and fd not in keep:
                with contextlib.suppress(OSError):
                    os.close(fd)
        if name:
            ctypes.CDLL(None).prctl(15, ctypes.c_char_p(name), 0, 0, 0)  # PR_SET_NAME
        if user:
            os.setgroups([])
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
            ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE, as after execve(2)
        os.write(tell, b"x")
        try:
            action()
        finally:
            os._exit(0)
    os.close(tell)
    os.read(ready, 1)
    os.close(ready)
    return pid


def burn():
    def loop():
        while True:
            sum(range(10**4))

    for _ in range(2):
        threading.Thread(target=loop, daemon=True).start()
    loop()


def write_file(folder, megabytes):
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        for _ in range(megabytes):
            file.write(os.urandom(MEGABYTE))
        file.flush()
        os.fsync(file.fileno())


def processes(pid):
    with open(f"/proc/{pid}/stat", "rb") as file:
        return Process(f"/proc/{pid}", file.read())


class As(Driver):
    """A driver that another user runs."""

    def __init__(self, user):
        popen, subprocess.Popen = subprocess.Popen, lambda *a, **k: popen(*a, user=user, group=user, extra_groups=[], **k)
        try:
            super().__init__()
        finally:
            subprocess.Popen = popen


class ProcessesLive(unittest.TestCase):
    def setUp(self):
        self.children = []

    def tearDown(self):
        for pid in self.children:
            self.end(pid)

    def start(self, action=signal.pause, **how):
        self.children.append(child(action, **how))
        return self.children[-1]

    def end(self, pid):
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass

    def until(self, condition, what):
        end = time.monotonic() + 20
        while not condition():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.01)

    def listed(self, values, metric, pid):
        found = {s: v for s, v in values.items() if s.startswith(metric + "{") and f"process.pid={pid}}}" in s}
        self.assertLessEqual(len(found), 1, found)
        return next(iter(found.values()), None)

    def test_states_memory_users_and_names_equal_ps(self):
        sleeper, stopped, zombie = self.start(user=NOBODY), self.start(), self.start(lambda: None)
        odd = self.start(name=ODD_NAME)
        os.kill(stopped, signal.SIGSTOP)
        self.until(lambda: processes(stopped).state == "stopped", "it stops")
        self.until(lambda: processes(zombie).state == "defunct", "it ends")
        self.until(lambda: processes(sleeper).state == processes(odd).state == "sleeping", "they sleep")
        with Driver() as driver:
            driver.ask(open=LIVE, metrics=SELECTION)
            time.sleep(0.05)
            values = driver.values()
            lines = subprocess.run(
                ["ps", "-e", "-o", "pid=,stat=,rss=,user="], capture_output=True, text=True, check=True
            ).stdout.split("\n")
            driver_pid = driver.process.pid
        rows = {int(f[0]): f[1:] for f in map(str.split, lines) if len(f) == 4}
        rows = {pid: row for pid, row in rows.items() if os.path.exists(f"/proc/{pid}") or pid == driver_pid}  # not ps
        letters = [("R" if pid == driver_pid else row[0][0]) for pid, row in rows.items()]
        states = {"R": "running", "S": "sleeping", "I": "sleeping", "D": "blocked", "T": "stopped", "Z": "defunct"}
        expected = dict.fromkeys(states.values(), 0)
        for letter in letters:
            expected[states[letter]] += 1
        got = {state: values[series("system.process.count", process__state=state)] for state in expected}
        # This test itself may still run when the driver reads.
        late = got["running"] - expected["running"]
        self.assertIn(late, (0, 1))
        self.assertEqual(got, {**expected, "running": expected["running"] + late, "sleeping": expected["sleeping"] - late})
        self.assertEqual((got["stopped"], got["defunct"]), (1, 1))
        for pid, name in ((sleeper, None), (stopped, None), (odd, "a) R\ufffd(\ufffd b")):
            command = name or processes(pid).command
            labels = {"process__command": command, "process__owner": rows[pid][2], "process__pid": str(pid)}
            self.assertEqual(values[series("process.memory.usage", **labels)], int(rows[pid][1]) * 1024, labels)
        self.assertEqual(rows[sleeper][2], "nobody")

    def test_cpu_of_a_thread_group_is_within_the_kernels_counters(self):
        busy = self.start(burn)
        cpus = os.cpu_count()
        read = lambda: {"cpu": processes(busy).cpu}
        with Driver() as driver:
            first, _, first_times = around(read, lambda: driver.ask(open=LIVE, metrics=SELECTION))
            for _ in range(3):
                time.sleep(0.3)  # the duration of a tick, not a wait for a condition
                second, values, second_times = around(read, driver.values)
                least, most = rate(first["cpu"], second["cpu"], first_times, second_times)
                value = self.listed(values, "process.cpu.utilization", busy)
                bounds = tuple(min(1, bound / TICKS / cpus) for bound in (least, most))
                self.assertTrue(within(value, bounds, 10**-6), f"{value} is not in {bounds}")
                self.assertGreater(value, 0)
                first, first_times = second, second_times

    def test_a_process_born_between_two_ticks_is_counted_from_its_start(self):
        with Driver() as driver:
            driver.ask(open=LIVE, metrics=SELECTION)
            busy = self.start(burn)
            self.until(lambda: processes(busy).cpu > 20, "it uses 0.2 s")
            low = processes(busy).cpu
            began = time.monotonic()
            values = driver.values()
            elapsed = time.monotonic() - began
        value = self.listed(values, "process.cpu.utilization", busy)
        self.assertGreater(value, 0)
        self.assertLess(elapsed, 10)
        self.assertGreater(low, 20)

    def test_io_equals_the_kernels_counters_and_children_count_once(self):
        folder = os.path.dirname(BUILD)  # on a disk
        go, tell = os.pipe()
        done, report = os.pipe()

        def parent():
            os.read(go, 1)
            own = os.fork()
            if own == 0:
                write_file(folder, 8)
                os.write(report, b"w")
                os.read(go, 1)
                os._exit(0)
            os.waitpid(own, 0)
            os.write(report, b"e")
            signal.pause()

        pid = self.start(parent, keep=(go, done, report))
        read = lambda: {"io": processes(pid).io[1]}
        with Driver() as driver:
            driver.ask(open=LIVE, metrics=SELECTION)
            os.write(tell, b"x")
            os.read(done, 1)  # the child has written
            values = driver.values()
            written = [v for s, v in values.items() if s.startswith("process.disk.io{disk.io.direction=write")]
            self.assertTrue(any(v >= 8 * MEGABYTE for v in written), "the child itself")
            before = read()["io"]
            os.write(tell, b"x")
            os.read(done, 1)  # the parent has waited for it
            self.assertGreaterEqual(read()["io"] - before, 8 * MEGABYTE, "the kernel adds a child's I/O to its parent's")
            values = driver.values()
        rates = {s: v for s, v in values.items() if s.startswith("process.disk.io.rate{disk.io.direction=write")}
        mine = [v for s, v in rates.items() if f"process.pid={pid}}}" in s]
        self.assertEqual(len(mine), 1, rates)
        self.assertLess(mine[0], MEGABYTE)
        counters = [v for s, v in values.items() if s.startswith("process.disk.io{disk.io.direction=write") and f"pid={pid}}}" in s]
        self.assertGreaterEqual(counters[0], 8 * MEGABYTE, "the counter is the kernel's")

    def test_short_lived_processes_are_counted(self):
        def forks():
            with open("/proc/stat", encoding="ascii") as file:
                return {"forks": next(int(line.split()[1]) for line in file if line.startswith("processes"))}

        with Driver() as driver:
            first, _, first_times = around(forks, lambda: driver.ask(open=LIVE, metrics=SELECTION))
            for _ in range(300):
                pid = os.fork()
                if pid == 0:
                    os._exit(0)
                os.waitpid(pid, 0)
            second, values, second_times = around(forks, driver.values)
        bounds = rate(first["forks"], second["forks"], first_times, second_times)
        value = values["system.process.created.rate"]
        self.assertTrue(within(value, bounds, 0.5), f"{value} is not in {bounds}")
        self.assertGreaterEqual(second["forks"].low - first["forks"].high, 300)
        self.assertTrue(within(values["system.process.created"], (second["forks"].low, second["forks"].high), 0))

    def test_another_user_sees_totals_and_only_its_own_io(self):
        own, other = self.start(user=NOBODY), self.start()
        with As(NOBODY) as driver:
            driver.ask(open=LIVE, metrics=SELECTION)
            time.sleep(0.05)
            values = driver.values()
        self.assertIn(series("system.process.count", process__state="sleeping"), values)
        self.assertIsNotNone(self.listed(values, "process.memory.usage", other))
        io = {s for s in values if s.startswith("process.disk.io")}
        self.assertFalse([s for s in io if f"pid={other}}}" in s])
        self.assertTrue([s for s in io if f"pid={own}}}" in s], values)
        self.assertTrue(all("process.owner=nobody" in s for s in io), io)
        self.assertIsNotNone(self.listed(values, "process.memory.usage", own))

    def test_hidden_processes_have_no_totals(self):
        own, other = self.start(user=NOBODY), self.start()
        for level in ("2", "1"):
            subprocess.run(["mount", "-o", f"remount,hidepid={level}", "/proc"], check=True)
            try:
                with As(NOBODY) as driver:
                    driver.ask(open=LIVE, metrics=SELECTION)
                    time.sleep(0.05)
                    values = driver.values()
                with Driver() as driver:
                    driver.ask(open=LIVE, metrics=SELECTION)
                    time.sleep(0.05)
                    of_root = driver.values()
            finally:
                subprocess.run(["mount", "-o", "remount,hidepid=0", "/proc"], check=True)
            self.assertFalse([s for s in values if s.startswith("system.process.count")], level)
            self.assertIn("system.process.created.rate", values)
            self.assertIsNotNone(self.listed(values, "process.memory.usage", own))
            self.assertIsNone(self.listed(values, "process.memory.usage", other))
            self.assertTrue([s for s in of_root if s.startswith("system.process.count")], level)


if __name__ == "__main__":
    if os.environ.get("IN_OWN_NAMESPACE") is None:
        os.environ["IN_OWN_NAMESPACE"] = "1"
        unshare = ["unshare", "--pid", "--mount", "--fork", "--mount-proc", "--kill-child"]
        os.execvp("unshare", [*unshare, sys.executable, *sys.argv])
    unittest.main(verbosity=2)
