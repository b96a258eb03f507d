"""system.cpu.utilization.

Source: proc_stat(5) and Documentation/filesystems/proc.rst, 1.7: jiffies (USER_HZ) in user, nice, system, idle, iowait,
irq, softirq, steal, guest, guest_nice. guest is part of user, guest_nice of nice.
Formula: psutil 7.2 _cpu_tot_time(), _cpu_busy_time() and _cpu_times_deltas(); top(1) and sysstat's mpstat agree:
    growth of a column = max(0, later - earlier)
    total = user + nice + system + idle + iowait + irq + softirq + steal     (includes guest time)
    busy = total - idle - iowait
"""

from fractions import Fraction

from .units import series, share

COLUMNS = ("user", "nice", "system", "idle", "iowait", "interrupt", "softirq", "steal")
HZ = 100  # USER_HZ (sysconf(_SC_CLK_TCK) on all architectures but Alpha)


def parse(text):
    """Returns name ("cpu", "cpu0") -> times."""
    lines = {}
    for line in (text or "").splitlines():
        fields = line.split()
        if fields and fields[0].startswith("cpu"):
            times = [int(field) for field in fields[1:9]]
            lines[fields[0]] = times + [0] * (len(COLUMNS) - len(times))
    return lines


def jumped(before, after, elapsed, cpus):
    """Returns whether the two readings are inconsistent (docs/decisions/136): a column fell by more than jitter, or the
    total grew by more than the elapsed time. Jitter: iowait "decreases in certain conditions" (proc.rst);
    prometheus/node_exporter#2067 uses a limit of 3 s."""
    if any(a < b - (3 + Fraction(cpus, 10)) * HZ for b, a in zip(before, after)):
        return True
    return sum(max(0, a - b) for b, a in zip(before, after)) > cpus * HZ * (elapsed * Fraction(5, 4) + 5)


def shares(before, after, elapsed, cpus):
    """Returns the busy share and the shares by column, or None if they are unknown."""
    growth = [max(0, a - b) for b, a in zip(before, after)]
    total = sum(growth)
    if total == 0 or jumped(before, after, elapsed, cpus):
        return None
    if any(a < b for b, a in zip(before, after)) and total < cpus * HZ * elapsed / 2:
        return None  # the decrease hides most of the time
    return share(total - growth[3] - growth[4], total), [share(g, total) for g in growth]


class Cpu:
    NAME = "system.cpu.utilization"

    def __init__(self, chosen):
        self.options = chosen.get("cpu")
        self.last = {}

    def read(self, reading, elapsed):
        out = {}
        if self.options is None:
            return out
        now = parse(reading.text("proc/stat"))
        # The first line is the sum of all CPUs, so its growth is unknown while one of them appears or jumps.
        torn = any(
            name not in self.last or jumped(self.last[name], times, elapsed, 1)
            for name, times in now.items()
            if name != "cpu"
        )
        for name, times in now.items():
            if name not in self.last or not (not torn if name == "cpu" else self.options.get("per_core")):
                continue
            one = shares(self.last[name], times, elapsed, 1 if name != "cpu" else max(1, len(now) - 1))
            if not one:
                continue
            labels = {} if name == "cpu" else {"cpu__logical_number": name[3:]}
            out[series(self.NAME, **labels)] = one[0]
            if self.options.get("modes"):
                out |= {series(self.NAME, cpu__mode=mode, **labels): value for mode, value in zip(COLUMNS, one[1])}
        self.last = now
        return out
