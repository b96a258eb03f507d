"""container.*: one container for each control group that is one.

Sources: Documentation/admin-guide/cgroup-v2.rst: cpu.stat (microseconds), cpu.max, memory.current, memory.max, memory.stat
(inactive_file), memory.events (oom_kill), memory.swap.current, io.stat (rbytes, wbytes), pids.current, pids.max, *.pressure.
Documentation/admin-guide/cgroup-v1/: cpuacct.usage (ns), cpu.stat (throttled_time in ns), cpu.cfs_*, memory.*,
blkio.throttle.io_service_bytes, pids.*. Names of groups: runc's libcontainer/cgroups (docker-ID.scope), the kubelet's
cm/pod_container_manager_linux.go (kubepods...), containers/podman's libpod (libpod-ID), lxc.container.conf(5)
(lxc.payload.NAME), systemd-nspawn(1) and machinectl(1). cAdvisor's working set is usage - inactive_file.
"""

import json
import os
import re
from fractions import Fraction

from .units import NAMED, half_away, per_second, series, share, shown

NAMED.update(
    {
        "container.count": ("{container}", "gauge"),
        "container.omitted.count": ("{container}", "gauge"),
        "container.cpu.usage": ("{cpu}", "gauge"),
        "container.cpu.limit": ("{cpu}", "gauge"),
        "container.cpu.throttling.utilization": ("1", "gauge"),
        "container.cpu.time": ("s", "counter"),
        "container.cpu.throttled.time": ("s", "counter"),
        "container.memory.oom_kills": ("{process}", "counter"),
        "container.disk.io.rate": ("By/s", "gauge"),
        "container.disk.io": ("By", "counter"),
        "container.thread.count": ("{thread}", "gauge"),
        "container.thread.limit": ("{thread}", "gauge"),
        "container.pressure.stall": ("1", "gauge"),
    }
)
UID = "[0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32}"
ID = "[0-9a-f]{64}"
# Pattern of the last two folders -> runtime; the first one that matches counts.
FORMS = (
    (rf".*/(?:.*:)?docker[-:]({ID})(?:\.scope)?", "docker"),
    (rf".*/(?:.*:)?cri-containerd[-:]({ID})(?:\.scope)?", "containerd"),
    (rf".*/(?:.*:)?nerdctl[-:]({ID})(?:\.scope)?", "containerd"),
    (rf".*/(?:.*:)?crio[-:]({ID})(?:\.scope)?", "cri-o"),
    (rf".*/libpod-(?:payload-)?({ID})(?:\.scope)?", "podman"),
    (rf"docker/({ID})", "docker"),
    (rf"libpod_parent/({ID})", "podman"),
    (rf"k8s\.io/({ID})", "containerd"),
    (rf".*/({ID})(?:\.scope)?", ""),
    (r".*/lxc\.payload\.(.+)", "lxc"),
    (r"lxc(?:\.payload)?/(.+)", "lxc"),
    (r".*/systemd-nspawn@(.+)\.service", "systemd-nspawn"),
    (r"machine\.slice/machine-(?!qemu\\x2d)(lxc\\x2d.+)\.scope", "libvirt-lxc"),
    (r"machine\.slice/machine-(?!qemu\\x2d)(.+)\.scope", "systemd-nspawn"),
)
UNLIMITED = 1 << 62
KEY = r"[A-Za-z0-9._/-]{1,64}"


def identity(path):
    """(id, runtime, pod UID) of a group; None if it is not a container's."""
    folders = path.split("/")
    last = "/".join(folders[-2:])
    for form, runtime in FORMS:
        found = re.fullmatch(form, last, re.S)
        if found is None:
            continue
        name = re.sub(r"\\x([0-9a-f]{2})", lambda m: chr(int(m[1], 16)), found[1])
        uid = ""
        for folder in folders:
            pod = re.fullmatch(rf"(?:.*-)?pod({UID})(?:\.slice)?(?::.*)?", folder)
            uid = pod[1].replace("_", "-") if pod else uid
        return name, runtime, uid
    return None


def number(text):
    found = re.fullmatch(r"(\d+)\n?", text or "")
    return int(found[1]) if found and int(found[1]) < UNLIMITED else None


def field(text, name):
    found = re.search(rf"^{name} (\d+)$", text or "", re.M)
    return int(found[1]) if found else None


class Containers:
    def __init__(self, chosen):
        self.options = chosen.get("containers", {})
        self.wanted, self.counters = "containers" in chosen, self.options.get("counters", False)
        self.most = self.options.get("most", 1000)
        self.last, self.named, self.since_labels, self.elapsed = {}, {}, None, Fraction(0)

    def groups(self, reading, root):
        top = os.path.join(reading.root, root)
        for base, folders, _ in os.walk(top):
            folders.sort()
            for name in folders:
                yield os.path.join(base, name)[len(top) :]

    def labels(self, reading, one):
        container, runtime, uid = one
        out = {}
        if runtime == "docker":
            try:
                name = json.loads(reading.text(f"rootfs/var/lib/docker/containers/{container}/config.v2.json") or "x")["Name"]
                out["container.name"] = name.removeprefix("/")
            except (ValueError, KeyError):
                pass
        for name in reading.names("rootfs/var/log/containers"):
            found = re.fullmatch(rf"([^_]*)_([^_]*)_([^_]+)-{container}\.log", name)
            if found:
                out |= {"k8s.pod.name": found[1], "k8s.namespace.name": found[2], "container.name": found[3]}
        volumes = f"rootfs/var/lib/kubelet/pods/{uid}/volumes/kubernetes.io~downward-api"
        for volume in reading.names(volumes) if uid else ():
            for key, value in re.findall(rf'^({KEY})="(.*)"$', reading.text(f"{volumes}/{volume}/labels") or "", re.M):
                out[f"k8s.pod.label.{key}"] = re.sub(r"\\(.)", r"\1", value)
        try:
            written = json.loads(reading.text("rootfs/etc/monitor-agent/container-labels.json") or "{}")
        except ValueError:
            written = {}
        for of in (uid, container):
            stated = written.get(of) if of else None
            for key, value in stated.items() if isinstance(stated, dict) else ():
                if isinstance(value, str) and re.fullmatch(KEY, key) and key not in ("container.id", "k8s.pod.uid"):
                    out[key] = value
        out |= {"container.id": container} | ({"container.runtime.name": runtime} if runtime else {}) | ({"k8s.pod.uid": uid} if uid else {})
        return {key.replace(".", "__"): shown(value) for key, value in out.items()}

    def lowest(self, reading, device):
        if device.split(":")[0] in ("1", "7"):
            return False
        return not reading.names(f"sys/dev/block/{device}/slaves")

    def figures(self, reading, group, v2):
        file = lambda controller, name: reading.text("sys/fs/cgroup" + ("" if v2 else "/" + controller) + group + "/" + name)
        out = {}
        if v2:
            stat = file("", "cpu.stat")
            micros = lambda name: None if field(stat, name) is None else field(stat, name) * 1000
            out["cpu"], out["throttled_ns"] = micros("usage_usec"), micros("throttled_usec")
            quota = re.fullmatch(r"(\d+) (\d+)\n", file("", "cpu.max") or "")
            out["limit"] = Fraction(int(quota[1]), int(quota[2])) if quota else None
            names = ("memory.current", "memory.max", "memory.swap.current")
            out["memory"], out["memory_limit"], out["swap"] = (number(file("", name)) for name in names)
            out["inactive"], out["oom"] = field(file("", "memory.stat"), "inactive_file"), field(file("", "memory.events"), "oom_kill")
            lines = file("", "io.stat")
            fields = [(line.split()[0], dict(f.split("=") for f in line.split()[1:])) for line in (lines or "").splitlines()]
            counted = [f for device, f in fields if self.lowest(reading, device)]
            out["io"] = None if lines is None else [sum(int(f.get(k, 0)) for f in counted) for k in ("rbytes", "wbytes")]
            for resource in ("cpu", "memory", "io"):
                for kind in ("some", "full"):
                    found = re.search(rf"^{kind} .*total=(\d+)$", file("", f"{resource}.pressure") or "", re.M)
                    out[resource, kind] = int(found[1]) if found else None
        else:
            stat = file("cpu", "cpu.stat")
            out["cpu"], out["throttled_ns"] = number(file("cpuacct", "cpuacct.usage")), field(stat, "throttled_time")
            quota, period = number(file("cpu", "cpu.cfs_quota_us")), number(file("cpu", "cpu.cfs_period_us"))
            out["limit"] = Fraction(quota, period) if quota is not None and period else None
            out["memory"], out["memory_limit"] = (number(file("memory", f"memory.{name}_in_bytes")) for name in ("usage", "limit"))
            both = number(file("memory", "memory.memsw.usage_in_bytes"))
            out["swap"] = None if both is None or out["memory"] is None else max(0, both - out["memory"])
            out["inactive"], out["oom"] = field(file("memory", "memory.stat"), "total_inactive_file"), field(file("memory", "memory.oom_control"), "oom_kill")
            lines = file("blkio", "blkio.throttle.io_service_bytes_recursive")
            lines = file("blkio", "blkio.throttle.io_service_bytes") if lines is None else lines
            found = [(d, k, int(n)) for d, k, n in re.findall(r"^(\d+:\d+) (Read|Write) (\d+)$", lines or "", re.M)]
            out["io"] = None if lines is None else [sum(n for d, k, n in found if k == kind and self.lowest(reading, d)) for kind in ("Read", "Write")]
        out["periods"], out["throttled"] = field(stat, "nr_periods"), field(stat, "nr_throttled")
        out["threads"], out["thread_limit"] = (number(file("pids", "pids." + name)) for name in ("current", "max"))
        return out

    def points(self, now, before, labels, elapsed):
        def growth(key, of=lambda figures, key: figures.get(key)):
            a, b = of(now, key), of(before or {}, key)
            return b is not None and a is not None and a >= b and a - b

        named = lambda name, **more: series("container." + name, **labels, **more)
        if growth("cpu") is not False:
            yield named("cpu.usage"), half_away(growth("cpu") / (elapsed * 10**9) * 10**4) / 10**4
        if self.counters and now["cpu"] is not None:
            yield named("cpu.time"), now["cpu"] // 1000 / 10**6
        if now["limit"] is not None:
            yield named("cpu.limit"), half_away(now["limit"] * 10**4) / 10**4
            limited = before and before["limit"] is not None
            if limited and growth("periods") is not False and growth("throttled") is not False:
                yield named("cpu.throttling.utilization"), share(growth("throttled"), growth("periods")) if growth("periods") else 0
            if self.counters and now["throttled_ns"] is not None:
                yield named("cpu.throttled.time"), now["throttled_ns"] // 1000 / 10**6
        memory, inactive, limit = now["memory"], now["inactive"], now["memory_limit"]
        for name, value in (("memory.oom_kills", now["oom"]), ("paging.usage", now["swap"]), ("memory.limit", limit), ("memory.usage", memory), ("thread.count", now["threads"]), ("thread.limit", now["thread_limit"])):
            if value is not None:
                yield named(name), value
        if memory is not None and inactive is not None:
            yield named("memory.working_set"), max(0, memory - inactive)
            if limit is not None:
                yield named("memory.utilization"), share(max(0, memory - inactive), limit) if limit else 0
        for i, direction in enumerate(("read", "write")):
            grown = growth("io", lambda figures, key: figures[key][i] if figures.get(key) else None)
            if grown is not False:
                yield named("disk.io.rate", disk__io__direction=direction), per_second(grown, elapsed)
            if self.counters and now["io"]:
                yield named("disk.io", disk__io__direction=direction), now["io"][i]
        for key in now if self.options.get("pressure") else ():
            if isinstance(key, tuple) and growth(key) is not False:
                yield named("pressure.stall", resource=key[0], type=key[1]), share(growth(key), elapsed * 10**6)

    def read(self, reading, elapsed):
        if not self.wanted:
            return {}
        v2 = reading.exists("sys/fs/cgroup/cgroup.controllers")
        tops = ("memory", "cpu", "cpu,cpuacct", "pids", "blkio")
        root = "sys/fs/cgroup" if v2 else next((f"sys/fs/cgroup/{top}" for top in tops if reading.exists(f"sys/fs/cgroup/{top}")), None)
        self.elapsed += elapsed
        if self.since_labels is not None:
            self.since_labels += elapsed
        if root is None:
            return {}
        elapsed, self.elapsed = self.elapsed, Fraction(0)
        found = {group: identity(group) for group in self.groups(reading, root)}
        found = {group: one for group, one in found.items() if one}
        kept = {group for group in found if group in self.named}
        for group in found:
            if len(kept) < self.most:
                kept.add(group)
        self.named = {group: self.named.get(group) or self.labels(reading, found[group]) for group in kept}
        if self.since_labels is None or self.since_labels >= 30:
            self.since_labels = Fraction(0)
            self.named = {group: self.labels(reading, found[group]) for group in kept}
        now = {group: self.figures(reading, group, v2) for group in kept}
        out = {"container.count": len(found), "container.omitted.count": len(found) - len(kept)}
        for group in kept if elapsed else ():
            out |= dict(self.points(now[group], self.last.get(group), self.named[group], elapsed))
        self.last = now
        return out
