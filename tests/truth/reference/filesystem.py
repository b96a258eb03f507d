"""system.filesystem.*.

Sources: proc_pid_mountinfo(5) for the table, statvfs(3) for sizes, with df's arithmetic (coreutils' df.c, POSIX df -P):
    used = f_blocks - f_bfree, available = f_bavail, share = used / (used + available)
    The same for inodes, with f_files and f_ffree.
Which mounts count is this project's own rule (docs/configuration.md, "Filesystems"): the sum counts every byte once.
"""

import os
import re

from .units import series, share, shown

NETWORK = {"nfs", "nfs4", "cifs", "smb3", "ceph", "lustre", "afs", "fuse.glusterfs"}
OF_DISKS = {"btrfs", "zfs", "bcachefs", "ubifs"}  # have anonymous device numbers, but store their bytes on disks
IMAGES = {"squashfs", "iso9660", "erofs"}
SHARES = {"9p", "virtiofs", "vboxsf"}


def unescape(text):
    return re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), text)


def parse(text):
    """36 35 98:0 /root /point options [optional ...] - type source super-options; fields separated by single spaces."""
    out = []
    for line in text.split("\n")[:-1]:
        before, _, after = line.partition(" - ")
        f, g = before.split(" "), after.split(" ")
        out.append(
            {
                "id": f[0],
                "parent": f[1],
                "device": f[2],
                "root": unescape(f[3]),
                "point": unescape(f[4]),
                "type": g[0],
                "source": unescape(g[1]),
            }
        )
    return out


def visible(mounts):
    """Returns the mounts that are not covered by a later mount at the same mount point or above it."""
    return [
        m
        for i, m in enumerate(mounts)
        if not any(
            n["point"] == m["point"] or m["point"].startswith(n["point"].rstrip("/") + "/") for n in mounts[i + 1 :]
        )
    ]


def kind(m):
    if m["point"] == "/":
        return "root"
    if m["type"] in NETWORK:
        return "network"
    if m["type"] in IMAGES:
        return "image"
    if m["type"].startswith("fuse.") or m["type"] in SHARES:
        return "share"
    if m["type"] in OF_DISKS or not m["device"].startswith("0:"):
        return "disk"
    return "none"


def groups(mounts, rootfs):
    """Returns the mounts with series: for each device or volume the one with the shortest mount point. Excludes
    files."""
    out = {}
    for m in sorted(visible(mounts), key=lambda m: len(m["point"])):
        if kind(m) in ("none", "image") or not os.path.isdir(rootfs + m["point"]):
            continue
        out.setdefault(m["source"] if kind(m) == "network" else m["device"], m)
    return list(out.values())


def figures(rootfs, m):
    s = os.statvfs(rootfs + m["point"])
    return (s.f_blocks - s.f_bfree) * s.f_frsize, s.f_bavail * s.f_frsize, s.f_files - s.f_ffree, s.f_ffree


def expected(mounts, rootfs):
    """Returns all series of a table with `per_filesystem`. An overlay reports the sizes of the disk below it: both have
    series, but the sum counts them once."""
    out, pools, counted = {}, {}, []
    for m in groups(mounts, rootfs):
        one = figures(rootfs, m)
        out |= values(
            one,
            system__device=shown(m["source"]),
            system__filesystem__mountpoint=shown(m["point"]),
            system__filesystem__type=m["type"],
        )
        if kind(m) == "share" or one in counted:
            continue
        counted.append(one)
        pool = pools.setdefault(m["source"].partition("/")[0] if m["type"] == "zfs" else m["point"], [0, 0, 0, 0])
        pool[:] = [pool[0] + one[0], max(pool[1], one[1]), pool[2] + one[2], max(pool[3], one[3])]
    return out | values([sum(column) for column in zip(*pools.values())])


def values(one, **labels):
    used, available, inodes, inodes_free = one
    return {
        series("system.filesystem.usage", system__filesystem__state="used", **labels): used,
        series("system.filesystem.utilization", **labels): share(used, used + available),
        series("system.filesystem.inodes.usage", system__filesystem__state="used", **labels): inodes,
        series("system.filesystem.inodes.utilization", **labels): share(inodes, inodes + inodes_free),
    }
