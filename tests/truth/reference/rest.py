"""Load averages, uptime, pressure.

Sources: proc_loadavg(5), proc_uptime(5): the first field is seconds; lxcfs writes any number of decimals.
Documentation/accounting/psi.rst: `total` is the stalled time in microseconds, of which the share of the time between two
readings is taken; "full" of cpu is 0 for the whole system, and missing before 5.13. kernel/sched/psi.c: irq, from 6.1 on
where the kernel accounts the time of interrupts, has "full" alone.
"""

import re
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from .units import series, share


def hundredths(text):
    return float(Decimal(text).quantize(Decimal("0.01"), ROUND_HALF_UP))


class Static:
    """What needs no two readings is said from the first tick on, which is the second reading."""

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
