"""An independent reference implementation of the metrics: computes the expected value of every metric, for every
selector and option, from trees of /proc and /sys at two or more readings.

It is written from the kernel's documentation and the documented arithmetic of psutil, procps and sysstat, which each
formula names, not from the agent's code. It is simple rather than fast: it parses every reading from scratch, uses
exact fractions, and rounds a value once, at the end (units.py).
"""

import os

from . import containers, cpu, disk, disk_operations, fields, health, memory, net, processes, rest, sensors


class Reading:
    """One state of a host. Paths are relative to the root."""

    def __init__(self, root):
        self.root = root

    def text(self, path):
        """Returns the file's text, or None if it does not exist."""
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
        """Resolves symbolic links below the root."""
        return os.path.relpath(os.path.realpath(os.path.join(self.root, path)), os.path.realpath(self.root))


def selections(metrics):
    """Returns selector -> options."""
    return {(m if isinstance(m, str) else m["name"]): ({} if isinstance(m, str) else m) for m in metrics}


class Reference:
    """Call read() once for the baseline and once per tick; it returns the tick's {series: value}."""

    AREAS = (
        cpu.Cpu,
        memory.Memory,
        disk.Disks,
        net.Interfaces,
        rest.Load,
        rest.Uptime,
        rest.Pressure,
        rest.Paging,
        processes.Processes,
        containers.Containers,
        sensors.Sensors,
        fields.Fields,
        disk_operations.Operations,
        health.Arrays,
        health.Memory,
    )

    def __init__(self, metrics):
        chosen = selections(metrics)
        self.areas = [area(chosen) for area in self.AREAS]

    def read(self, root, elapsed):
        """`elapsed`: seconds since the previous reading, as a Fraction; 0 for the baseline."""
        reading = Reading(root)
        expected = {}
        for area in self.areas:
            for series, value in area.read(reading, elapsed).items():
                assert series not in expected, series
                expected[series] = value
        return expected
