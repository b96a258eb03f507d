"""system.process.* and process.*.

Sources: proc_pid_stat(5): the name is between the first "(" and the last ")"; then the fields 3 state, 4 ppid, 9 flags,
14 utime, 15 stime (clock ticks), 22 starttime, 24 rss (pages, for the order only). proc_pid_statm(5): the second number is
resident pages. proc_pid_io(5): read_bytes, write_bytes. proc_stat(5):
"processes" counts forks, and there is a line for each processor that is online.
include/linux/sched.h: PF_KTHREAD 0x00200000, PF_WQ_WORKER 0x20. kernel/workqueue.c, wq_worker_comm(): the name of a worker
is followed by + or - and what it works on. kernel/exit.c, wait_task_zombie(): the parent's io includes that of children
that it waited for.

A process is its number and start time. A process that is younger than all of the reading before was started since.
docs/metrics.md#processes says which processes have series.
"""

import os
import re
from fractions import Fraction

from .flows import matches
from .units import half_away, per_second, series, shown

STATES = {"R": "running", "D": "blocked", "T": "stopped", "t": "stopped", "Z": "defunct", "X": "defunct", "x": "defunct"}
ALL_STATES = ("running", "sleeping", "blocked", "stopped", "defunct")
DIRECTIONS = ("read", "write")
KEPT = 12  # readings
MINUTE = 60


class Unreadable(Exception):
    pass


def contents(path):
    """Returns the bytes of a file; None if it does not exist."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise Unreadable(path) from error


class Process:
    def __init__(self, folder, text):
        found = re.fullmatch(rb"\d+ \((.*)\) (.*)\n?", text, re.S)
        fields = found[2].split() if found else []
        if len(fields) < 22 or not all(re.fullmatch(rb"\d+", fields[i]) for i in (1, 6, 11, 12, 19, 21)):
            raise Unreadable(folder)
        number = lambda i: int(fields[i - 3])
        self.folder, self.pid = folder, int(os.path.basename(folder))
        self.state = STATES.get(fields[0].decode(), "sleeping")
        self.parent, flags, self.start, self.rss = number(4), number(9), number(22), number(24)
        self.cpu = number(14) + number(15)
        self.kernel = bool(flags & 0x200000)
        name = found[1].decode("utf-8", "surrogateescape")
        self.command = re.sub(r"(:[^+-]*)[+-].*", r"\1", name, flags=re.S) if flags & 0x20 else name
        self.key = (self.pid, self.start)
        self.io_refused = False
        self.io = None if self.kernel else self.read_io()
        statm = self.own("statm").split()
        self.exact = int(statm[1]) if len(statm) > 1 else self.rss
        self.cpu_growth = self.io_growth = None

    def own(self, name):
        try:
            return contents(os.path.join(self.folder, name)) or b""
        except Unreadable:
            return b""

    def read_io(self):
        try:
            text = contents(os.path.join(self.folder, "io"))
        except Unreadable:
            text = b""
        if text is None:
            return None
        found = [re.search(rb"^%b_bytes: (\d+)$" % name, text, re.M) for name in (b"read", b"write")]
        self.io_refused = not all(found)
        return tuple(int(one[1]) for one in found) if all(found) else None

    def compare(self, before):
        cpu, io = (before.cpu, before.io) if before else (0, (0, 0))
        self.cpu_growth = self.cpu - cpu if self.cpu >= cpu else None
        if self.io and io and all(a >= b for a, b in zip(self.io, io)):
            self.io_growth = [a - b for a, b in zip(self.io, io)]


class Ranking:
    """The processes that have series."""

    def __init__(self, places):
        self.places, self.listed, self.before, self.number, self.credit = places, {}, set(), 0, Fraction(places)

    def choose(self, now, elapsed):
        self.number += 1
        self.credit = min(Fraction(self.places), self.credit + min(Fraction(elapsed), MINUTE) * self.places / MINUTE)
        amounts = (lambda p: p.cpu_growth or 0, lambda p: p.rss, lambda p: sum(p.io_growth or ()))
        tops = [
            sorted((p for p in now.values() if amount(p)), key=lambda p: (-amount(p), p.pid))[: self.places]
            for amount in amounts
        ]
        ranked = {p.key for top in tops for p in top}
        for key in list(self.listed):
            if key in ranked:
                self.listed[key] = self.number
            if key not in now or self.number - self.listed[key] > KEPT:
                del self.listed[key]
        self.admit(tops)
        self.before = ranked
        return self.listed

    def admit(self, tops):
        candidates = [top[place].key for place in range(self.places) for top in tops if place < len(top)]
        for key in candidates:
            late = self.number > 1
            if key in self.listed or late and (key not in self.before or self.credit < 1):
                continue
            while len(self.listed) >= 4 * self.places:
                oldest = min(self.listed, key=self.listed.get)
                if self.listed[oldest] == self.number:
                    return
                del self.listed[oldest]
            self.credit -= late
            self.listed[key] = self.number


class Processes:
    def __init__(self, chosen):
        options = chosen.get("processes", {})
        self.wanted, self.counters = "processes" in chosen, options.get("counters", False)
        self.top = options.get("top", 10)
        self.patterns, self.per_user = options.get("groups", []), options.get("per_user", False)
        self.ranking, self.last, self.forks, self.described = Ranking(self.top), None, None, {}
        self.elapsed = Fraction(0)  # since the last reading that succeeded

    def scan(self, reading):
        """Returns (key -> process, whether all of them are visible)."""
        found, complete = {}, True
        for name in reading.names("proc"):
            if not re.fullmatch("[1-9][0-9]*", name):
                continue
            folder = os.path.join(reading.root, "proc", name)
            try:
                text = contents(os.path.join(folder, "stat"))
                if text is not None:
                    process = Process(folder, text)
                    found[process.key] = process
            except Unreadable:
                complete = False
        return found, complete and any(pid == 1 for pid, _ in found)

    def compare(self, now):
        latest = max((start for _, start in self.last), default=0)
        for key, process in now.items():
            if key in self.last or process.start >= latest:
                process.compare(self.last.get(key))
        by_pid = {process.pid: process for process in now.values()}
        for key, ended in sorted(self.last.items()):
            parent = by_pid.get(ended.parent)
            if key in now or ended.io is None or parent is None or parent.io_growth is None:
                continue
            parent.io_growth = [g - c if g >= c else g for g, c in zip(parent.io_growth, ended.io)]

    def labels(self, process, passwd):
        known = self.described.get(process.key)
        if known is None or known[0] != process.command:
            user = os.stat(process.folder).st_uid
            known = self.described[process.key] = (process.command, passwd.get(user, str(user)))
        return {"process__command": shown(known[0]), "process__owner": known[1], "process__pid": str(process.pid)}

    def created(self, forks, elapsed):
        out = {}
        if self.forks is not None and forks >= self.forks:
            out["system.process.created.rate"] = per_second(forks - self.forks, elapsed)
        self.forks = forks
        return out | ({"system.process.created": forks} if self.counters else {})

    def figures(self, process, labels, elapsed, cpus):
        if process.cpu_growth is not None:
            whole = Fraction(elapsed) * os.sysconf("SC_CLK_TCK") * cpus
            share = half_away(min(process.cpu_growth / whole, Fraction(1)) * 10**6) / 10**6
            yield series("process.cpu.utilization", **labels), share
        if process.kernel:
            return
        yield series("process.memory.usage", **labels), process.exact * os.sysconf("SC_PAGE_SIZE")
        for i, direction in enumerate(DIRECTIONS):
            own = {**labels, "disk__io__direction": direction}
            if process.io_growth is not None:
                yield series("process.disk.io.rate", **own), per_second(process.io_growth[i], elapsed)
            if self.counters and process.io is not None:
                yield series("process.disk.io", **own), process.io[i]

    def groups(self, now, passwd):
        """(label, value) -> its processes."""
        found = {("process__group", pattern): [] for pattern in self.patterns}
        for pattern in self.patterns:
            found["process__group", pattern] = [p for p in now.values() if matches([pattern], p.command)]
        for process in now.values() if self.per_user else ():
            user = os.stat(process.folder).st_uid
            found.setdefault(("process__owner", passwd.get(user, str(user))), []).append(process)
        return found

    def sums(self, label, processes, elapsed, cpus):
        name = "system.process.group."
        yield series(name + "count", **label), len(processes)
        share = sum(p.cpu_growth or 0 for p in processes) / (Fraction(elapsed) * os.sysconf("SC_CLK_TCK") * cpus)
        yield series(name + "cpu.utilization", **label), half_away(min(share, Fraction(1)) * 10**6) / 10**6
        yield series(name + "memory.usage", **label), sum(p.rss for p in processes) * os.sysconf("SC_PAGE_SIZE")
        if any(p.io_refused for p in processes) or processes and all(p.io is None for p in processes):
            return
        for i, direction in enumerate(DIRECTIONS):
            growth = sum(p.io_growth[i] for p in processes if p.io_growth is not None)
            yield series(name + "disk.io.rate", **label, disk__io__direction=direction), per_second(growth, elapsed)

    def read(self, reading, elapsed):
        text = (reading.text("proc/stat") or "") if self.wanted else ""
        forks, cpus = re.search(r"^processes (\d+)$", text, re.M), len(re.findall(r"^cpu\d", text, re.M))
        self.elapsed += elapsed
        if forks is None or cpus == 0:
            return {}
        elapsed, self.elapsed = self.elapsed, Fraction(0)
        now, complete = self.scan(reading)
        first = self.last is None
        if not first:
            self.compare(now)
        self.last = now
        if first:
            self.forks = int(forks[1])
            return {}
        out = self.created(int(forks[1]), elapsed)
        if complete:
            out |= {series("system.process.count", process__state=state): 0 for state in ALL_STATES}
            for process in now.values():
                out[series("system.process.count", process__state=process.state)] += 1
        lines = (reading.text("rootfs/etc/passwd") or "").splitlines()
        passwd = {int(f[2]): f[0] for f in reversed([line.split(":") for line in lines]) if len(f) > 2 and f[2].isdigit()}
        for (label, value), processes in self.groups(now, passwd).items() if complete else ():
            out |= dict(self.sums({label: shown(value)}, processes, elapsed, cpus))
        if self.top == 0:
            return out
        listed = self.ranking.choose(now, elapsed)
        self.described = {key: value for key, value in self.described.items() if key in listed}
        for key in listed:
            out |= dict(self.figures(now[key], self.labels(now[key], passwd), elapsed, cpus))
        return out
