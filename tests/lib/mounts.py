"""Tests with their own mounts, in a mount namespace that ends with the test (own_mount_namespace() in fuse.py). Needs
root."""
import json
import os
import subprocess

from fuse import Fuse, mount, unmount
from programs import BIN, ProgramTest, run

USAGE, UTILIZATION = "system.filesystem.usage", "system.filesystem.utilization"
MS_BIND, MS_REC = 4096, 16384


def by_mount(metrics, name=USAGE):
    """Returns {mount point: (value, labels)}; the key of the sum is None."""
    return {m["labels"].get("system.filesystem.mountpoint"): (m["value"], m["labels"]) for m in metrics if m["name"] == name}


def state(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        return stat.read().rsplit(") ", 1)[1][0]


class MountTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.fuses = []
        self.mounts = []

    def tearDown(self):
        for fuse in self.fuses:
            fuse.close()
        for target in reversed(self.mounts):
            unmount(target)
        super().tearDown()

    def path(self, name):
        return os.path.join(self.data, name)

    def folder(self, name):
        os.makedirs(self.path(name), exist_ok=True)
        return self.path(name)

    def fuse(self, name, **options):
        fuse = Fuse(self.path(name), **options)
        self.fuses.append(fuse)
        return fuse

    def mounted(self, source, target, kind, options="", flags=0):
        mount(source, target, kind, options, flags)
        self.mounts.append(target)
        return target

    def image(self, name, kind, size):
        """Creates a loop device with a filesystem of `kind`; it is released with its last mount."""
        with open(self.path(name), "wb") as image:
            image.truncate(size)
        subprocess.run([f"mkfs.{kind}", "-q", self.path(name)], check=True)
        device = subprocess.check_output(["losetup", "-f", "--show", self.path(name)], text=True).strip()
        self.addCleanup(subprocess.run, ["losetup", "-d", device], stderr=subprocess.DEVNULL)
        return device

    def once(self, *arguments, interval=0.2, command=(), **selection):
        with open(self.path("once.json"), "w") as config:
            json.dump({"interval": interval, "metrics": [{"name": "filesystem", "per_filesystem": True, **selection}]}, config)
        agent = [os.path.join(BIN, "monitor-agent"), "--once", "--format", "json", "--config", self.path("once.json"),
                 "--data", self.path("once")]
        status, out, err = run(*command, *agent, *arguments) if command else run(*agent, *arguments)
        self.assertEqual(status, 0, err)
        self.said = err
        return json.loads(out)["metrics"]
