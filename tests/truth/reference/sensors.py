"""hw.*: Documentation/hwmon/sysfs-interface.rst: temp, in and curr in thousandths, power and energy in millionths, fans in
revolutions per minute. driver-api/thermal/sysfs-api.rst: temp in thousandths of a degree. power/powercap/powercap.rst:
energy_uj starts again at 0 after max_energy_range_uj. A chip below a thermal zone shows that zone.
"""

import os
import re
from fractions import Fraction

from .units import NAMED, half_away, series, shown

KINDS = {"temp": ("hw.temperature", 3), "fan": ("hw.fan.speed", 0), "in": ("hw.voltage", 3), "curr": ("hw.current", 3), "power": ("hw.power", 6), "energy": ("hw.energy", 6)}
LIMITED = ("temp", "fan", "in")
LIMITS = {"crit": "high.critical", "max": "high.degraded", "min": "low.degraded", "lcrit": "low.critical"}
NAMED.update({"hw.temperature": ("Cel", "gauge"), "hw.temperature.limit": ("Cel", "gauge"), "hw.fan.speed": ("rpm", "gauge"), "hw.fan.speed.limit": ("rpm", "gauge"), "hw.voltage": ("V", "gauge"), "hw.voltage.limit": ("V", "gauge"), "hw.current": ("A", "gauge"), "hw.power": ("W", "gauge"), "hw.energy": ("J", "counter")})


class Sensors:
    def __init__(self, chosen):
        self.wanted, self.limits = "sensors" in chosen, chosen.get("sensors", {}).get("limits", False)
        self.last = {}

    def line(self, reading, path):
        return (reading.text(path) or "").split("\n")[0]

    def number(self, reading, path):
        text = self.line(reading, path).strip()
        return int(text) if re.fullmatch(r"-?\d+", text) else None

    def link(self, reading, path):
        full = os.path.join(reading.root, path)
        return os.readlink(full) if os.path.islink(full) else ""

    def labels(self, name, what, parent):
        return {"hw__id": shown(name), "hw__name": shown(what), "hw__parent": shown(parent)}

    def energy(self, key, value, span, labels, elapsed):
        before, self.last[key] = self.last.get(key), value
        if before is not None and elapsed and (value >= before or before <= span):
            growth = value - before if value >= before else span - before + value
            yield series("hw.power", **labels), half_away(Fraction(growth) / elapsed) / 10**6
        yield series("hw.energy", **labels), value / 10**6

    def chip(self, reading, chip, elapsed):
        folder = f"sys/class/hwmon/{chip}"
        if "/thermal_zone" in self.link(reading, folder):
            return
        in_device = not self.line(reading, folder + "/name") and self.line(reading, folder + "/device/name")
        files = folder + ("/device" if in_device else "")
        name, device = self.line(reading, files + "/name") or chip, os.path.basename(self.link(reading, folder + "/device")) or chip
        present = set(reading.names(files))
        for entry in sorted(present):
            found = re.fullmatch(r"(temp|fan|in|curr|power|energy)(\d+)_(input|average)", entry)
            if not found or found[3] == "average" and (found[1] != "power" or f"power{found[2]}_input" in present):
                continue
            one, (metric, decimals) = found[1] + found[2], KINDS[found[1]]
            labels = self.labels(f"{name}:{device}:{one}", self.line(reading, f"{files}/{one}_label") or one, name)
            value = self.number(reading, f"{files}/{entry}")
            if value is None or self.number(reading, f"{files}/{one}_fault"):
                self.last.pop(f"{files}/{one}", None)
                continue
            if found[1] == "energy":
                yield from self.energy(f"{files}/{one}", value, 0, labels, elapsed)
            else:
                yield series(metric, **labels), value / 10**decimals
            for file, kind in LIMITS.items() if self.limits and found[1] in LIMITED else ():
                limit = self.number(reading, f"{files}/{one}_{file}")
                if limit is not None:
                    yield series(metric + ".limit", **labels, hw__limit_type=kind), limit / 10**decimals

    def read(self, reading, elapsed):
        out = {}
        if not self.wanted:
            return out
        for chip in reading.names("sys/class/hwmon"):
            out |= dict(self.chip(reading, chip, elapsed))
        for zone in reading.names("sys/class/thermal"):
            value = self.number(reading, f"sys/class/thermal/{zone}/temp")
            if zone.startswith("thermal_zone") and value is not None:
                kind = self.line(reading, f"sys/class/thermal/{zone}/type") or zone
                out[series("hw.temperature", **self.labels(zone, kind, "thermal"))] = value / 1000
        for zone in reading.names("sys/class/powercap"):
            folder = f"sys/class/powercap/{zone}"
            span, value = self.number(reading, folder + "/max_energy_range_uj"), self.number(reading, folder + "/energy_uj")
            if span is None:
                continue
            if value is None:
                self.last.pop(zone, None)
                continue
            out |= dict(self.energy(zone, value, span, self.labels(zone, self.line(reading, folder + "/name") or zone, "powercap"), elapsed))
        return out
