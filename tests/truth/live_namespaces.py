"""The checks of live_test.py that need their own namespaces: `unshare -n -m live_namespaces.py Interfaces`, `unshare -m
live_namespaces.py Mounts`. The kernel returns tables of 200 interfaces and 200 mounts in many pieces."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import psutil  # noqa: E402

from driver import LIVE, Driver  # noqa: E402
from reference import Reading, net  # noqa: E402
from reference.units import series  # noqa: E402

HALF_SHARE = 0.00005 * 1.01  # shares are rounded to ten-thousandths


def ip(*lines):
    subprocess.run(["ip", "-batch", "-"], input="\n".join(lines), text=True, check=True)


def send(name, frames):
    """Sends frames of 1,000 bytes; the other end of the veth pair counts them as received."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((name, 0x88B5))  # a local experimental protocol, so there are no replies
        for _ in range(frames):
            raw.send(b"\xff" * 12 + b"\x88\xb5" + bytes(986))


class Interfaces(unittest.TestCase):
    def test_reports_200_interfaces_at_every_tick(self):
        subprocess.run(["mount", "-t", "sysfs", "sysfs", "/sys"], check=True)  # the sysfs of this network namespace
        ip(
            "link set lo up",
            *[f"link add a{n} type veth peer name b{n}" for n in range(100)],
            *[f"link set {side}{n} up addrgenmode none" for n in range(100) for side in "ab"],
        )
        counters = lambda: {
            n: (c.bytes_recv, c.bytes_sent) for n, c in psutil.net_io_counters(pernic=True).items() if n != "lo"
        }
        metrics = [{"name": f"net {d}", "per_interface": True, "counters": True} for d in ("in", "out")]
        with Driver() as driver:
            began = time.monotonic()
            driver.ask(open=LIVE, metrics=metrics)
            first = counters()
            for tick in range(3):
                for n in range(0, 100, 9):
                    send(f"a{n}", n + tick)
                before, asked = counters(), time.monotonic()
                values, ended, after = driver.values(), time.monotonic(), counters()
                self.assertEqual(before, after, "only this test sends in this namespace")
                self.assertEqual(len(after), 200)
                self.check(first, after, values, ended - began)
                first, began = after, asked

    def check(self, first, after, values, longest):
        reading = Reading("/")
        topology = net.Topology(reading, net.parse(reading.text("proc/net/dev")))
        for i, direction in enumerate(("receive", "transmit")):
            total = 0
            for name, counts in after.items():
                labels = {"network__io__direction": direction, "network__interface__name": name}
                self.assertEqual(values[series("system.network.io", **labels)], counts[i], name)
                grew = counts[i] - first[name][i]
                total += grew if topology.counts(name) else 0
                value = values[series("system.network.io.rate", **labels)]
                self.assertEqual(value > 0, grew > 0, name)
                self.assertGreaterEqual(value, grew / longest - 1, name)
            value = values[series("system.network.io.rate", network__io__direction=direction)]
            self.assertEqual(value > 0, total > 0)
            self.assertGreaterEqual(value, total / longest - 1)


class Mounts(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="truth-mounts-", dir="/mnt")
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", self.folder], check=True)
        self.addCleanup(lambda: (subprocess.run(["umount", "-R", "-l", self.folder], check=False), os.rmdir(self.folder)))

    def mount(self, name, *arguments):
        point = os.path.join(self.folder, name)
        os.mkdir(point)
        subprocess.run(["mount", *arguments, point], check=True)
        return point

    def settled(self, driver, count):
        """Ticks until this many mount points have values: statvfs runs on other threads."""
        end = time.monotonic() + 20
        while True:
            values = driver.values()
            if (
                sum("usage{" in s and "mountpoint=" in s and "inodes" not in s for s in values) == count
                or time.monotonic() > end
            ):
                return values
            time.sleep(0.05)

    def df(self, points):
        """Returns mount point -> used and available bytes, used and free inodes, from coreutils' df."""
        text = subprocess.run(
            ["df", "-B1", "--output=target,used,avail,iused,iavail", *points],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        return {fields[0]: tuple(map(int, fields[1:])) for fields in (line.split() for line in text.splitlines()[1:])}

    def compare(self, values, sizes):
        for point, (used, available, inodes, inodes_free) in sizes.items():
            of = {
                s.partition("{")[0] + (" used" if "state=used" in s else "" if "state=" not in s else " free"): v
                for s, v in values.items()
                if f"system.filesystem.mountpoint={point}," in s or f"system.filesystem.mountpoint={point}}}" in s
            }
            self.assertEqual(
                of.get("system.filesystem.usage used", of.get("system.filesystem.usage")), used, f"{point}: {of}"
            )
            share = of.get("system.filesystem.utilization", of.get("system.filesystem.utilization used"))
            self.assertAlmostEqual(share, used / (used + available), delta=HALF_SHARE, msg=point)
            self.assertEqual(
                of.get("system.filesystem.inodes.usage used", of.get("system.filesystem.inodes.usage")), inodes, point
            )
            self.assertAlmostEqual(
                of.get("system.filesystem.inodes.utilization used", of.get("system.filesystem.inodes.utilization")),
                inodes / (inodes + inodes_free),
                delta=HALF_SHARE,
                msg=point,
            )

    def test_200_mounts_equal_df(self):
        points = [
            self.mount(f"m{n:03}", "-t", "tmpfs", "-o", f"size={n + 1}m,nr_inodes={n + 10}", f"t{n}")
            for n in range(200)
        ]
        for n, point in enumerate(points):
            with open(os.path.join(point, "file"), "wb") as file:
                file.write(bytes(4096 * (n % 50)))
        with Driver() as driver:
            driver.ask(
                open=LIVE, metrics=[{"name": "filesystem", "per_filesystem": True, "include": [f"{self.folder}/*"]}]
            )
            values = self.settled(driver, 200)
        sizes = self.df(points)
        self.compare(values, sizes)
        total = [sum(s[i] for s in sizes.values()) for i in range(2)]
        sums = {s.partition("{")[0]: v for s, v in values.items() if "mountpoint" not in s}
        self.assertEqual(sums["system.filesystem.usage"], total[0])
        self.assertAlmostEqual(sums["system.filesystem.utilization"], total[0] / sum(total), delta=HALF_SHARE)

    def test_disks_of_known_size_equal_df_and_bind_mounts_do_not_count(self):
        points = []
        for n, kind in enumerate(("ext4", "ext2")):
            image = os.path.join(self.folder, f"{kind}.img")
            with open(image, "wb") as file:
                file.truncate((32 + 16 * n) << 20)
            subprocess.run([f"mkfs.{kind}", "-q", image], check=True)
            points.append(self.mount(kind, "-o", "loop", image))
            with open(os.path.join(points[-1], "file"), "wb") as file:
                file.write(os.urandom(5 << 20))
        os.sync()
        self.mount("again", "--bind", points[0])
        try:
            with Driver() as driver:
                driver.ask(open=LIVE, metrics=[{"name": "filesystem", "per_filesystem": True, "exclude": ["/"]}])
                values = self.settled(driver, len(points))
                sizes = self.df(points)
                self.compare(values, sizes)
                self.assertFalse([s for s in values if f"{self.folder}/again" in s])
        finally:
            for point in (os.path.join(self.folder, "again"), *points):
                subprocess.run(["umount", point], check=False)


if __name__ == "__main__":
    unittest.main(verbosity=2)
