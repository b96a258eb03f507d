"""system.memory.*, system.paging.*, container.memory.*, container.paging.*.

Sources: proc_meminfo(5) and Documentation/filesystems/proc.rst, "meminfo", in KiB. For limits:
Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst, in bytes.
"""

from .units import series, share

NEVER = 1 << 62  # "max"; version 1 prints the largest multiple of a page


def fields(text):
    out = {}
    for line in (text or "").splitlines():
        name, _, rest = line.partition(":")
        if rest.split():
            out[name.strip()] = int(rest.split()[0]) * (1024 if rest.split()[-1] == "kB" else 1)
    return out


def available(info):
    """MemAvailable as the kernel estimates it (3.14 and later). A value above MemTotal is that of another machine
    (lxcfs); then it is MemFree, as in procps' meminfo.c and psutil.virtual_memory(). If it is missing or 0: free
    memory, buffers, page cache and reclaimable slab, less shared memory, which Cached includes (proc.rst: "Shmem ... is
    included in Cached")."""
    total, free = info["MemTotal"], info.get("MemFree", 0)
    if info.get("MemAvailable"):
        return free if info["MemAvailable"] > total else info["MemAvailable"]
    cache = info.get("Buffers", 0) + info.get("Cached", 0) + info.get("SReclaimable", 0) - info.get("Shmem", 0)
    return min(total, free + max(0, cache))


class Groups:
    """The control groups of a process: its own first, then the ancestors."""

    def __init__(self, reading):
        self.reading, self.version, self.folders = reading, 0, []
        for line in (reading.text("proc/self/cgroup") or "").splitlines():
            number, controllers, path = line.split(":", 2)
            if "memory" in controllers.split(","):
                self.version, base, own = 1, "sys/fs/cgroup/memory", path
                break
            if number == "0":
                self.version, base, own = 2, "sys/fs/cgroup", path
        parts = own.strip("/").split("/") if self.version else []
        if self.version:
            self.folders = [f"{base}/{'/'.join(parts[:n])}".rstrip("/") for n in range(len(parts), -1, -1)]

    def number(self, folder, file):
        text = (self.reading.text(f"{folder}/{file}") or "max").strip()
        return int(text) if text.isdigit() else NEVER

    def lowest(self, limit_of, at_most):
        """Returns the folder with the lowest limit below the machine's memory, or None if no limit applies."""
        limit, folder = min(
            ((limit_of(folder), folder) for folder in self.folders), default=(NEVER, None), key=lambda pair: pair[0]
        )
        return folder if limit < at_most else None

    def memory_limit(self, folder):
        return self.number(folder, "memory.max" if self.version == 2 else "memory.limit_in_bytes")

    def memory(self, at_most):
        """The working set: usage without the inactive page cache, as in cAdvisor and the kubelet."""
        folder = self.lowest(self.memory_limit, at_most)
        if folder is None:
            return {}
        limit, usage = self.memory_limit(folder), self.number(
            folder, "memory.current" if self.version == 2 else "memory.usage_in_bytes"
        )
        stat = dict(line.split() for line in self.reading.text(f"{folder}/memory.stat").splitlines())
        working = max(0, usage - int(stat["inactive_file" if self.version == 2 else "total_inactive_file"]))
        return {
            "container.memory.usage": usage,
            "container.memory.working_set": working,
            "container.memory.limit": limit,
            "container.memory.utilization": share(working, limit),
        }

    def swap_limit(self, folder):
        """Version 1 limits memory and swap together, so the memory limit is subtracted."""
        if self.version == 2:
            return self.number(folder, "memory.swap.max")
        both, memory = self.number(folder, "memory.memsw.limit_in_bytes"), self.memory_limit(folder)
        return max(0, both - memory) if both < NEVER else NEVER

    def swap(self, at_most):
        folder = self.lowest(self.swap_limit, at_most)
        if folder is None:
            return {}
        if self.version == 2:
            used = self.number(folder, "memory.swap.current")
        else:
            used = max(
                0, self.number(folder, "memory.memsw.usage_in_bytes") - self.number(folder, "memory.usage_in_bytes")
            )
        return {"container.paging.usage": used, "container.paging.limit": self.swap_limit(folder)}


def arcstats(text):
    return {
        f[0]: int(f[2]) for f in (line.split() for line in (text or "").splitlines()) if len(f) == 3 and f[2].isdigit()
    }


def arc(text):
    """The reclaimable part of ZFS's cache: everything above its minimum (c_min in OpenZFS's arcstats), as in htop."""
    stats = arcstats(text)
    return max(0, stats.get("size", 0) - stats.get("c_min", 0))


class Memory:
    def __init__(self, chosen):
        self.memory, self.swap = "memory" in chosen, "swap" in chosen
        self.seen = False

    def read(self, reading, _elapsed):
        out, first, self.seen = {}, not self.seen, True
        if first:
            return out
        info = fields(reading.text("proc/meminfo"))
        if self.memory and info.get("MemTotal"):
            total = info["MemTotal"]
            text = reading.text("proc/spl/kstat/zfs/arcstats")
            free = min(total, available(info) + arc(text))
            if text:
                out["system.memory.zfs.arc.usage"] = arcstats(text)["size"]
                out["system.memory.zfs.arc.reclaimable"] = arc(text)
            out |= Groups(reading).memory(total)
            out[series("system.memory.usage", system__memory__state="used")] = total - free
            out["system.memory.utilization"] = share(total - free, total)
            out["system.memory.limit"] = total
        if self.swap and "SwapTotal" in info:
            total, used = info["SwapTotal"], max(0, info["SwapTotal"] - info["SwapFree"])
            out[series("system.paging.usage", system__paging__state="used")] = used
            out[series("system.paging.utilization", system__paging__state="used")] = share(used, total) if total else 0
            out |= Groups(reading).swap(total)
        return out
