"""Load averages, uptime, pressure, paging.

Sources: proc_loadavg(5), proc_uptime(5): the first field is seconds; lxcfs writes any number of decimals.
Documentation/accounting/psi.rst: `total` is the stalled time in microseconds; the metric is its growth divided by the
time between two readings. "full" of cpu is 0 for the whole system, and missing before 5.13. kernel/sched/psi.c: irq
(from 6.1 on, if the kernel accounts interrupt time) has only "full".
mm/vmstat.c: pgpgin and pgpgout are in KiB. mm/memory.c: the kernel increments pgmajfault before pgfault, so
pgfault - pgmajfault may fall between two readings without a restart.
"""

import re
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from .units import per_second, series, share


def hundredths(text):
    return float(Decimal(text).quantize(Decimal("0.01"), ROUND_HALF_UP))


class Static:
    """Metrics that need only one reading. They are reported from the first tick on, which is the second reading."""

    def __init__(self, selector, path, chosen):
        self.wanted, self.path, self.seen = selector in chosen, path, False

    def read(self, reading, _elapsed):
        first, self.seen = not self.seen, True
        text = reading.text(self.path) if self.wanted else None
        return {} if first or not text else self.values(text.split())


class Load(Static):
    def __init__(self, chosen):
        super().__init__("load", "proc/loadavg", chosen)

    def values(self, fields):
        return {f"system.cpu.load_average.{m}": hundredths(f) for m, f in zip(("1m", "5m", "15m"), fields)}


class Uptime(Static):
    def __init__(self, chosen):
        super().__init__("uptime", "proc/uptime", chosen)

    def values(self, fields):
        return {"system.uptime": hundredths(fields[0])}


class Pressure:
    def __init__(self, chosen):
        self.wanted, self.last = "pressure" in chosen, {}

    def read(self, reading, elapsed):
        out = {}
        for resource in ("cpu", "memory", "io", "irq") if self.wanted else ():
            for kind, total in re.findall(
                r"^(some|full) .*total=(\d+)$", reading.text(f"proc/pressure/{resource}") or "", re.M
            ):
                before, now = self.last.get((resource, kind)), int(total)
                self.last[resource, kind] = now
                if before is not None and now >= before:
                    out[series("system.pressure.stall", resource=resource, type=kind)] = share(
                        now - before, Fraction(elapsed) * 10**6
                    )
        return out


class Paging:
    def __init__(self, chosen):
        self.wanted = "paging" in chosen
        self.counters = chosen.get("paging", {}).get("counters", False)
        self.last, self.fields, self.minor = {}, {}, None

    def figures(self, now):
        """(metric, label, value) -> count."""
        faults, major = now.get("pgfault"), now.get("pgmajfault")
        out = {}
        if faults is not None and major is not None:
            fell = any(now[name] < self.fields.get(name, 0) for name in ("pgfault", "pgmajfault"))
            if fell:
                self.last.pop(("faults", "fault.type", "minor"), None)
            self.minor = faults - major if fell or self.minor is None else max(self.minor, faults - major)
            out["faults", "fault.type", "minor"] = self.minor
        for metric, label, value, name, unit in (
            ("faults", "fault.type", "major", "pgmajfault", 1),
            ("operations", "direction", "in", "pswpin", 1),
            ("operations", "direction", "out", "pswpout", 1),
            ("io", "direction", "in", "pgpgin", 1024),
            ("io", "direction", "out", "pgpgout", 1024),
        ):
            if name in now:
                out[metric, label, value] = now[name] * unit
        return out

    def read(self, reading, elapsed):
        text = (reading.text("proc/vmstat") or "") if self.wanted else ""
        now = {name: int(count) for name, count in re.findall(r"^(\w+) (\d+)$", text, re.M) if int(count) < 2**53}
        out = {}
        for (metric, label, value), count in self.figures(now).items():
            before = self.last.get((metric, label, value))
            self.last[metric, label, value] = count
            labels = {f"system__paging__{label.replace('.', '__')}": value}
            if before is not None and count >= before:
                out[series(f"system.paging.{metric}.rate", **labels)] = per_second(count - before, elapsed)
            if self.counters:
                out[series(f"system.paging.{metric}", **labels)] = count
        self.fields = now or self.fields
        return out
