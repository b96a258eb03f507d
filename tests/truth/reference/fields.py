"""Single numbers of the kernel's files, which field_table.py lists.

Sources: proc_stat(5): "intr" and "softirq" begin with a total. proc_vmstat(5), proc_meminfo(5) (KiB). RFC 4022, RFC 4113 and
RFC 4293 name the fields of net/snmp; there and in net/netstat a line of names precedes one of values. net/snmp6: "Udp6InErrors
5". net/sockstat: "TCP: inuse 1 mem 2", memory in pages. net/tcp: the fourth column is the state in hexadecimal
(include/net/tcp_states.h; 12 is a connection request, which counts as SYN_RECV). sys/fs/file-nr: allocated, unused, maximum.
Rates have three decimals.
"""

import os
import re
from fractions import Fraction

from .field_table import TABLE
from .units import NAMED, half_away, series

for _, _name, _unit, _kind, _ in TABLE:
    NAMED[_name] = (_unit, "counter" if _kind == "c" else "gauge")
    if _kind == "c":
        NAMED[_name + ".rate"] = (_unit + "/s", "gauge")
LARGEST = 2**63 - 1


def numbers(text):
    """The leading numbers of a text."""
    found = re.fullmatch(r"\s*((?:\d+\s+)*\d+)\s*(?:\D.*)?", text or "", re.S)
    return [int(one) for one in found[1].split()] if found else []


class Fields:
    def __init__(self, chosen):
        self.chosen = {selector: chosen[selector] for selector, *_ in TABLE if selector in chosen}
        self.last, self.elapsed = {}, {}

    def paired(self, text, out):
        lines = (text or "").splitlines()
        for names, values in zip(lines[::2], lines[1::2]):
            group = names.split()[:1]
            if group != values.split()[:1] or not group or not group[0].endswith(":"):
                continue
            for name, value in zip(names.split()[1:], values.split()[1:]):
                if value.isdigit():
                    out[f"{group[0][:-1]} {name}"] = int(value)

    def inet(self, reading, out):
        """Returns the selectors whose files are missing."""
        packets = {"udp", "ip"} & set(self.chosen)
        if "tcp" in self.chosen or packets:
            snmp = reading.text("proc/net/snmp")
            if snmp is None:
                return False
            self.paired(snmp, out)
        if "tcp" in self.chosen:
            netstat = reading.text("proc/net/netstat")
            if netstat is None:
                return False
            self.paired(netstat, out)
        for name, value in re.findall(r"^([A-Za-z]*6\w*)\s+(\d+)$", reading.text("proc/net/snmp6") or "", re.M):
            at = name.index("6") + 1
            out[f"{name[:at]} {name[at:]}"] = int(value)
        if "sockets" in self.chosen:
            if reading.text("proc/net/sockstat") is None:
                return False
            for file in ("sockstat", "sockstat6"):
                for group, rest in re.findall(r"^(\w+): (.*)$", reading.text("proc/net/" + file) or "", re.M):
                    words = rest.split()
                    for name, value in zip(words[::2], words[1::2]):
                        out[f"{group} {name}"] = int(value) * (os.sysconf("SC_PAGE_SIZE") if name == "mem" else 1)
        if self.chosen.get("tcp", {}).get("states"):
            if reading.text("proc/net/tcp") is None:
                return False
            out |= {f"tcp {state}": 0 for state in range(1, 12)}
            for file in ("tcp", "tcp6"):
                for line in (reading.text("proc/net/" + file) or "").splitlines()[1:]:
                    state = line.split()[3:4]
                    if state and re.fullmatch("[0-9A-Fa-f]+", state[0]):
                        number = 3 if int(state[0], 16) == 12 else int(state[0], 16)
                        if f"tcp {number}" in out:
                            out[f"tcp {number}"] += 1
        return True

    def packets(self, reading, out):
        """net/stat/nf_conntrack: names, then hexadecimal numbers of each processor. net/softnet_stat: the latter alone."""

        def add(key, word):
            if re.fullmatch("[0-9a-fA-F]+", word):
                out[key] = out.get(key, 0) + int(word, 16)

        if "conntrack" in self.chosen:
            count = reading.text("proc/sys/net/netfilter/nf_conntrack_count")
            if count is None:
                return False
            for name, text in (("count", count), ("limit", reading.text("proc/sys/net/netfilter/nf_conntrack_max"))):
                if numbers(text):
                    out[f"conntrack {name}"] = numbers(text)[0]
            lines = (reading.text("proc/net/stat/nf_conntrack") or "").splitlines()
            for line in lines[1:]:
                for name, word in zip(lines[0].split(), line.split()):
                    add(f"conntrack {name}", word)
        if "softnet" in self.chosen:
            text = reading.text("proc/net/softnet_stat")
            if text is None:
                return False
            for line in text.splitlines():
                for column, word in enumerate(line.split()[:3]):
                    add(f"softnet {column}", word)
        return True

    def kernel(self, reading, out):
        stat = reading.text("proc/stat") or ""
        for name in ("ctxt", "intr", "procs_running", "procs_blocked"):
            found = re.search(rf"^{name} (\d+)", stat, re.M)
            if found:
                out[f"stat {name}"] = int(found[1])
        found = re.search(r"^softirq \d+ ([\d ]+)$", stat, re.M)
        out |= {f"softirq {i}": int(n) for i, n in enumerate(found[1].split() if found else [])}
        out |= {f"vmstat {name}": int(n) for name, n in re.findall(r"^(\w+) (\d+)$", reading.text("proc/vmstat") or "", re.M)}
        memory = {name: int(n) for name, n in re.findall(r"^(\w+): +(\d+)", reading.text("proc/meminfo") or "", re.M)}
        if "HugePages_Total" in memory and "HugePages_Free" in memory:
            memory["HugePages_Used"] = max(0, memory["HugePages_Total"] - memory["HugePages_Free"])
        out |= {f"meminfo {name}": n for name, n in memory.items()}
        handles, inodes = numbers(reading.text("proc/sys/fs/file-nr")), numbers(reading.text("proc/sys/fs/inode-nr"))
        if len(handles) > 1:
            out["file-nr used"] = max(0, handles[0] - handles[1])
        if len(handles) > 2:
            out["file-nr limit"] = handles[2]
        if len(inodes) > 1:
            out["inode-nr used"] = max(0, inodes[0] - inodes[1])
        entropy = numbers(reading.text("proc/sys/kernel/random/entropy_avail"))
        if entropy:
            out["random entropy_avail"] = entropy[0]
        threads = re.search(r"/(\d+)", reading.text("proc/loadavg") or "")
        if threads:
            out["loadavg threads"] = int(threads[1])
        limits = [n[0] for n in (numbers(reading.text(f"proc/sys/kernel/{name}")) for name in ("threads-max", "pid_max")) if n]
        if limits:
            out["limit threads"] = min(limits)

    def read(self, reading, elapsed):
        found = {}
        inet = {"tcp", "udp", "ip", "sockets"}
        readable = self.inet(reading, found) if inet & set(self.chosen) else True
        others = {"conntrack", "softnet"}
        counted = self.packets(reading, found) if others & set(self.chosen) else True
        readable = {"inet": readable, "packets": counted, "kernel": True}
        if set(self.chosen) - inet - others:
            self.kernel(reading, found)
        out = {}
        for selector, name, _, kind, fields in TABLE:
            area = "inet" if selector in inet else "packets" if selector in others else "kernel"
            if selector not in self.chosen or not readable[area]:
                continue
            sums = {}
            for field, labels, scale in fields:
                if field in found:
                    key = tuple(labels.items())
                    sums[key] = sums.get(key, 0) + found[field] * scale
            for key, value in sums.items():
                named = {label.replace(".", "__"): text for label, text in key}
                if kind == "g":
                    out[series(name, **named)] = value
                    continue
                before = self.last.get((name, key))
                if before is not None and value >= before and elapsed:
                    since = elapsed + self.elapsed.get(area, 0)
                    out[series(name + ".rate", **named)] = half_away(Fraction(value - before) / since * 1000) / 1000
                if self.chosen[selector].get("counters"):
                    out[series(name, **named)] = value
            for key in [key for field, labels, _ in fields for key in [tuple(labels.items())]]:
                if key in sums:
                    self.last[name, key] = sums[key]
                else:
                    self.last.pop((name, key), None)
        for area, read in readable.items():
            self.elapsed[area] = Fraction(0) if read else self.elapsed.get(area, 0) + elapsed
        return out
