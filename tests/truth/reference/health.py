"""system.md.*: drivers/md/md.c, md_seq_show and status_resync, and the personalities' status: "[%d/%d]" is the number of disks
and of those in sync. hw.errors: Documentation/admin-guide/RAS/main.rst.
"""

import re
from fractions import Fraction

from .units import NAMED, half_away, series, shown

NAMED.update({"system.md.active": ("{array}", "gauge"), "system.md.sync.progress": ("1", "gauge"), "hw.errors": ("{error}", "counter")})
NAMED.update({f"system.md.disk.{one}": ("{disk}", "gauge") for one in ("missing", "required", "count")})
MOST = 2**63 - 1  # values are signed numbers of 64 bits
NUMBER = 2**64 - 1


def pairs(opening, closing, text):
    for one in re.finditer(rf"(?:^|(?<=[ \t])){re.escape(opening)}(\d+)/(\d+){re.escape(closing)}(?=[ \t]|$)", text):
        if max(int(one[1]), int(one[2])) <= NUMBER:
            yield int(one[1]), int(one[2])


def job(line):
    waiting = re.search(r"(?:^|[ \t])(recovery|resync|check|reshape)=(?:DELAYED|PENDING)(?=[ \t]|$)", line)
    if waiting:
        return waiting[1], 0, 1
    running = re.search(r"(?:^|[ \t])(recovery|resync|check|reshape)[ \t](.*)", line)
    done = next(pairs("(", ")", running[2]), None) if running else None
    return (running[1], *done) if done else None


class Arrays:
    def __init__(self, chosen):
        self.wanted = "md" in chosen

    def array(self, name, active, members, lines):
        device = {"system__device": shown(name)}
        yield series("system.md.active", **device), int(active)
        flags = [member[1] for member in re.finditer(r"(?<![^ \t])[^ \t\[]+(\[[^ \t]*)", members)]
        failed = [one for one in flags if "(F)" in one]
        spare = [one for one in flags if "(S)" in one and "(F)" not in one]
        rest = [one for one in flags if not re.search(r"\([FSJ]\)", one)]
        disks = next((one for line in lines for one in pairs("[", "]", line)), None) if active else None
        for state, number in ("active", disks[1] if disks else len(rest)), ("failed", len(failed)), ("spare", len(spare)):
            yield series("system.md.disk.count", **device, system__md__disk__state=state), min(number, MOST)
        if disks:
            yield series("system.md.disk.required", **device), min(disks[0], MOST)
            yield series("system.md.disk.missing", **device), min(max(disks[0] - disks[1], 0), MOST)
        for line in lines:
            found = job(line)
            if found:
                share = min(Fraction(found[1], found[2]), 1) if found[2] else 0
                yield series("system.md.sync.progress", **device, system__md__sync__action=found[0]), half_away(share * 10000) / 10000
                return

    def read(self, reading, elapsed):
        out, names = {}, set()
        if not self.wanted:
            return out
        # Each array: its line, and the indented ones below it.
        for block in re.split(r"\n(?![ \t])", reading.text("proc/mdstat") or ""):
            head, *lines = block.split("\n")
            found = re.match(r"([^ \t]+)[ \t]+:[ \t]+(active|inactive)(?![^ \t])(.*)", head)
            if found and found[1] not in names:
                names.add(found[1])
                out |= dict(self.array(found[1], found[2] == "active", found[3], lines))
        return out


class Memory:
    FOLDER = "sys/devices/system/edac/mc"

    def __init__(self, chosen):
        self.wanted = "edac" in chosen

    def counts(self, reading, controller, name, what, pattern):
        for kind, short in ("corrected", "ce"), ("uncorrected", "ue"):
            text = (reading.text(f"{self.FOLDER}/{controller}/" + pattern.format(short)) or "").split("\n")[0].strip()
            if re.fullmatch(r"\d+", text) and int(text) <= MOST:
                yield series("hw.errors", hw__id=name, hw__name=shown(what), hw__parent=controller, hw__type="memory", error__type=kind), int(text)

    def read(self, reading, elapsed):
        out = {}
        for controller in reading.names(self.FOLDER) if self.wanted else ():
            if not re.fullmatch(r"mc\d+", controller):
                continue
            modules = [one for one in reading.names(f"{self.FOLDER}/{controller}") if re.fullmatch(r"(dimm|rank)\d+", one)]
            for module in modules:
                label = (reading.text(f"{self.FOLDER}/{controller}/{module}/dimm_label") or "").split("\n")[0].strip(" \t\r")
                out |= dict(self.counts(reading, controller, f"{controller}:{module}", label or module, module + "/dimm_{}_count"))
            if modules:
                out |= dict(self.counts(reading, controller, f"{controller}:unknown", "unknown", "{}_noinfo_count"))
            else:
                out |= dict(self.counts(reading, controller, controller, controller, "{}_count"))
        return out
