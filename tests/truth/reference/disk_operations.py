"""system.disk.operations and what else /proc/diskstats says of a disk. Documentation/admin-guide/iostats.rst: after the name
1 reads completed, 2 reads merged, 4 ms reading, 5 writes completed, 6 writes merged, 8 ms writing, 9 in progress, 10 ms doing
I/O, 11 weighted ms. sysstat: await = ms / operations, %util = ms doing I/O / elapsed, aqu-sz = weighted ms / elapsed. Which
devices are disks: disk.py.
"""

from fractions import Fraction

from .disk import Topology, parse
from .flows import matches
from .units import NAMED, half_away, series, share, shown

NAMED.update(
    {
        "system.disk.operations.rate": ("{operation}/s", "gauge"),
        "system.disk.operations": ("{operation}", "counter"),
        "system.disk.merged.rate": ("{operation}/s", "gauge"),
        "system.disk.merged": ("{operation}", "counter"),
        "system.disk.operation.latency": ("s", "gauge"),
        "system.disk.operation_time": ("s", "counter"),
        "system.disk.utilization": ("1", "gauge"),
        "system.disk.io_time": ("s", "counter"),
        "system.disk.queue.length": ("{operation}", "gauge"),
        "system.disk.operations.pending": ("{operation}", "gauge"),
    }
)
DIRECTIONS = {"read": (1, 2, 4), "write": (5, 6, 8)}


class Operations:
    def __init__(self, chosen):
        self.options, self.wanted, self.last = chosen.get("disk operations", {}), "disk operations" in chosen, {}

    def chosen(self, reading, text):
        lines = parse(text)
        topology = Topology(reading, lines)
        include, exclude = self.options.get("include", []), self.options.get("exclude", [])
        return {name for name in lines if (matches(include, name) if include else topology.counts(name)) and not matches(exclude, name)}

    def points(self, now, before, labels, elapsed):
        named = lambda name, **more: series("system.disk." + name, **labels, **more)
        yield named("operations.pending"), now[9]
        if before and all(a >= b for i, (a, b) in enumerate(zip(now, before)) if i not in (0, 9)):
            growth = [a - b for a, b in zip(now, before)]
            for direction, (operations, merged, millis) in DIRECTIONS.items():
                own = {"disk__io__direction": direction}
                yield named("operations.rate", **own), half_away(growth[operations] / elapsed * 1000) / 1000
                yield named("merged.rate", **own), half_away(growth[merged] / elapsed * 1000) / 1000
                if growth[operations]:
                    yield named("operation.latency", **own), half_away(Fraction(growth[millis], growth[operations]) * 1000) / 10**6
            yield named("utilization"), share(growth[10], elapsed * 1000)
            yield named("queue.length"), half_away(growth[11] / elapsed) / 1000
        for direction, columns in DIRECTIONS.items() if self.options.get("counters") else ():
            for name, column, scale in zip(("operations", "merged", "operation_time"), columns, (1, 1, 1000)):
                yield named(name, disk__io__direction=direction), now[column] / scale
        if self.options.get("counters"):
            yield named("io_time"), now[10] / 1000

    def read(self, reading, elapsed):
        text = reading.text("proc/diskstats") if self.wanted else None
        now, out = {}, {}
        chosen = self.chosen(reading, text)
        for line in (text or "").splitlines():
            fields = line.split()
            if len(fields) >= 14 and fields[2] in chosen and fields[2] not in now:
                now[fields[2]] = [0] + [int(one) for one in fields[3:14]]
        for name, columns in now.items():
            # A column index as in the documentation: the list begins with a 0 in its place 0.
            if elapsed:
                out |= dict(self.points(columns, self.last.get(name), {"system__device": shown(name)}, Fraction(elapsed)))
        self.last = now
        return out
