"""An independent account of what the agent must say of a host: the expected value of every metric, for every selector
and option, from trees of /proc and /sys as they were at two or more readings.

Written from the kernel's documentation and from the documented arithmetic of psutil, procps and sysstat, which each
formula names; not from the agent. Plain rather than fast: every reading is parsed anew, fractions are exact, and a
value is rounded once, at the end (units.py).
"""

import os

from . import cpu, disk, memory, net, rest


class Reading:
    """One state of a host: the files as they are, asked for by path below the root."""

    def __init__(self, root):
        self.root = root

    def text(self, path):
        """None when there is no such file."""
        try:
            with open(os.path.join(self.root, path), "rb") as file:
                return file.read().decode("utf-8", "surrogateescape")
        except (FileNotFoundError, NotADirectoryError, OSError):
            return None

    def names(self, path):
        try:
            return sorted(os.listdir(os.path.join(self.root, path)))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def exists(self, path):
        return os.path.exists(os.path.join(self.root, path))

    def resolve(self, path):
        """Where a path leads to, below the root."""
        return os.path.relpath(os.path.realpath(os.path.join(self.root, path)), os.path.realpath(self.root))


def selections(metrics):
    """selector -> options."""
    return {(m if isinstance(m, str) else m["name"]): ({} if isinstance(m, str) else m) for m in metrics}


class Reference:
    """read() once for the baseline, and once a tick; it answers {series: value} for the tick."""

    AREAS = (cpu.Cpu, memory.Memory, disk.Disks, net.Interfaces, rest.Load, rest.Uptime, rest.Pressure, rest.Paging)

    def __init__(self, metrics):
        chosen = selections(metrics)
        self.areas = [area(chosen) for area in self.AREAS]

    def read(self, root, elapsed):
        """`elapsed`: seconds since the reading before, as a Fraction; 0 at the baseline."""
        reading = Reading(root)
        expected = {}
        for area in self.areas:
            for series, value in area.read(reading, elapsed).items():
                assert series not in expected, series
                expected[series] = value
        return expected
