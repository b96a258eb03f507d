"""Names and rounding. Stored values are integers times a power of ten (docs/payload.md): shares in ten-thousandths,
load averages and uptime in hundredths, whole bytes and bytes per second. Halves are rounded away from zero, as in
llround(3); all earlier steps are exact."""

import re
from fractions import Fraction

UNITS = {
    "utilization": "1",
    "stall": "1",
    "1m": "1",
    "5m": "1",
    "15m": "1",
    "uptime": "s",
    "rate": "By/s",
    "io": "By",
    "usage": "By",
    "limit": "By",
    "working_set": "By",
    "reclaimable": "By",
    "count": "{process}",
}  # by the last part of a metric's name


COUNTED = {
    "system.paging.faults": "{fault}",
    "system.paging.operations": "{operation}",
    "system.network.errors": "{error}",
    "system.network.packet.dropped": "{packet}",
    "system.process.created": "{process}",
}  # and their rates


NAMED = {}  # name -> (unit, kind): what the other modules of this folder state


def unit_of(text):
    name = text.partition("{")[0]
    if name in NAMED:
        return NAMED[name][0]
    if name.removesuffix(".rate") in COUNTED:
        return COUNTED[name.removesuffix(".rate")] + ("/s" if name.endswith(".rate") else "")
    return UNITS[name.rpartition(".")[2]]


def kind_of(text):
    """Counters are the kernel's counters and the sums over them."""
    name = text.partition("{")[0]
    if name in NAMED:
        return NAMED[name][1]
    return "counter" if name.endswith(".io") or name in COUNTED else "gauge"


def series(name, **labels):
    """Formats a series as the agent does. Label names in `labels` have __ instead of a dot."""
    if not labels:
        return name
    return (
        name + "{" + ",".join(f"{k}={v}" for k, v in sorted((k.replace("__", "."), v) for k, v in labels.items())) + "}"
    )


def half_away(value):
    return (-1 if value < 0 else 1) * int(abs(Fraction(value)) + Fraction(1, 2))


def share(part, whole):
    return half_away(min(max(Fraction(part, whole), Fraction(0)), Fraction(1)) * 10000) / 10000


def per_second(growth, elapsed):
    return half_away(Fraction(growth) / elapsed)


def shown(text):
    """Labels are UTF-8 without control characters; all other bytes are replaced."""
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return re.sub("[\\x00-\\x1f\\x7f]", "\ufffd", text)
