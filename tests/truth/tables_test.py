"""Compares recorded mount tables (tests/fixtures/hosts/families/mounts.py) with the reference: which mounts have
series, with which labels, and which ones the sum counts. Runs in `unshare -m`, which live_test.py starts."""

import os
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from driver import ROOT, Driver  # noqa: E402
from reference import filesystem  # noqa: E402

sys.path.insert(0, os.path.join(ROOT, "tests", "fixtures", "hosts"))

from families import mounts as tables  # noqa: E402


class Tables(unittest.TestCase):
    """Recorded mount tables. Each filesystem of a table is a tmpfs with a distinct size below the table's root."""

    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="truth-table-", dir="/mnt")
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", self.root], check=True)
        self.addCleanup(lambda: (subprocess.run(["umount", "-R", "-l", self.root], check=False), os.rmdir(self.root)))

    def filesystem_of(self, m, mounts):
        """Returns the folder of a mount's filesystem; creates its tmpfs on first use."""
        if m["same"] not in self.sizes:
            number = len(self.sizes) + 1
            source = self.sizes[m["same"]] = os.path.join(self.root, f"fs{number}")
            os.mkdir(source)
            subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={number}m,nr_inodes={100 + number}", "tmpfs", source], check=True
            )
            with open(os.path.join(source, "file"), "wb") as file:
                file.write(bytes(4096 * number))
        for below in (
            n["point"] for n in mounts if not m["file"] and n["point"].startswith(m["point"].rstrip("/") + "/")
        ):
            inner = self.sizes[m["same"]] + "/" + os.path.relpath(below, m["point"])
            if any(n["file"] and n["point"] == below for n in mounts):
                os.makedirs(os.path.dirname(inner), exist_ok=True)
                with open(inner, "w", encoding="ascii"):
                    continue
            os.makedirs(inner, exist_ok=True)
        return self.sizes[m["same"]]

    def lay(self, mounts, table):
        rootfs = os.path.join(self.root, "rootfs")
        os.mkdir(rootfs)
        self.sizes = {}
        for m in mounts:
            source = self.filesystem_of(m, mounts)
            subprocess.run(
                ["mount", "--bind", source + "/file" if m["file"] else source, rootfs + m["point"]], check=True
            )
        for process in ("1", "self"):
            os.makedirs(os.path.join(self.root, "proc", process))
            with open(os.path.join(self.root, "proc", process, "mountinfo"), "w", encoding="utf-8") as file:
                file.write(table)
        return rootfs

    def check(self, mounts):
        table = tables.mountinfo(mounts)
        rootfs = self.lay(mounts, table)
        expected = filesystem.expected(filesystem.parse(table), rootfs)
        with Driver() as driver:
            driver.ask(open=self.root, metrics=[{"name": "filesystem", "per_filesystem": True}])
            end = time.monotonic() + 20
            while (values := driver.values(10**9)).keys() != expected.keys() and time.monotonic() < end:
                time.sleep(0.05)  # statvfs runs on other threads
        self.maxDiff = None
        self.assertEqual(values, expected)


def table_test(mounts):
    return lambda self: self.check(mounts)


for name, one in tables.TABLES.items():
    setattr(Tables, "test_" + name.replace("-", "_"), table_test(one))

if __name__ == "__main__":
    unittest.main(verbosity=2)
