"""system.disk.io.rate and system.disk.io.

Source: Documentation/admin-guide/iostats.rst: of a line of /proc/diskstats the fields after the name are reads, merged,
sectors read, ms, writes, merged, sectors written, ...; a sector is 512 bytes (Documentation/block/stat.rst).
The sum counts every byte once (Documentation/ABI/stable/sysfs-block):
  - it counts whole devices, which have a folder in /sys/block; partitions are folders below their disk;
  - it does not count devices on other block devices, which have entries in slaves/;
  - it does not count virtual devices (/sys/devices/virtual/block): loop, ram, zram, zvols, DRBD, dm and md, because
    their bytes are those of other devices or memory. Exception: nbd (Documentation/admin-guide/blockdev/nbd.rst), whose
    bytes come from a network;
  - of NVMe multipath it counts either the head or its paths (hidden = 1): the head, unless its counters are still 0.
"""

import re

from .flows import Flow

SECTOR = 512
NBD_MAJOR = 43  # Documentation/admin-guide/devices.txt
# Also from devices.txt: ram, loop, md, DRBD. OpenZFS uses 230 for its volumes.
MADE_UP_MAJORS = {1, 7, 9, 147, 230}


def parse(text):
    """Returns name -> (major, read bytes, written bytes)."""
    out = {}
    for line in (text or "").splitlines():
        f = line.split()
        if len(f) >= 14:
            out[f[2]] = (int(f[0]), int(f[5]) * SECTOR, int(f[9]) * SECTOR)
    return out


def is_partition_by_name(name, names):
    """Used only without sysfs: sda1 is a partition of sda, nvme0n1p2 of nvme0n1."""
    return any(
        name != disk and re.fullmatch(re.escape(disk) + ("p" if disk[-1].isdigit() else "") + r"\d+", name)
        for disk in names
    )


class Topology:
    def __init__(self, reading, lines):
        self.reading, self.lines = reading, lines
        self.hidden = {name for name in lines if (reading.text(self.folder(name) + "/hidden") or "0").strip() == "1"}

    def folder(self, name):
        return "sys/block/" + name.replace("/", "!")

    def paths_of(self, head):
        """nvme0c1n1 is a path of nvme0n1 (Documentation/admin-guide/nvme-multipath.rst)."""
        return [n for n in self.hidden if re.sub(r"c\d+(?=n\d+$)", "", n) == head]

    def whole(self, name):
        if not self.reading.names("sys/block"):
            return not is_partition_by_name(name, self.lines)
        return self.reading.exists(self.folder(name))

    def made_up(self, name):
        """Decides by the target of its folder's link, or by the usual names in a tree without links."""
        where = self.reading.resolve(self.folder(name))
        if where.startswith("sys/devices/"):
            return where.startswith("sys/devices/virtual/block/") and self.lines[name][0] != NBD_MAJOR
        return self.lines[name][0] in MADE_UP_MAJORS or re.match(r"(dm-|md|loop|ram|zram|zd|drbd)\d", name) is not None

    def counts(self, name):
        _, read, written = self.lines[name]
        if not self.whole(name) or self.made_up(name) or self.reading.names(self.folder(name) + "/slaves"):
            return False
        if name in self.hidden:
            head = re.sub(r"c\d+(?=n\d+$)", "", name)
            return head in self.lines and self.lines[head][1:] == (0, 0)
        if self.paths_of(name):
            return (read, written) != (0, 0)
        return True


class Disks:
    def __init__(self, chosen):
        self.flows = [
            (
                i,
                Flow(
                    chosen[s],
                    "per_device",
                    "system.disk.io.rate",
                    "system.disk.io",
                    ("disk__io__direction", d),
                    "system__device",
                ),
            )
            for i, (s, d) in enumerate((("disk read", "read"), ("disk write", "write")), 1)
            if s in chosen
        ]

    def read(self, reading, elapsed):
        lines = parse(reading.text("proc/diskstats"))
        topology = Topology(reading, lines)
        counted = {name for name in lines if topology.counts(name)} if self.flows else set()
        out = {}
        for column, flow in self.flows:
            out |= flow.read({name: line[column] for name, line in lines.items()}, elapsed, counted, counted)
        return out
