"""Filesystem metrics on real mounts, in the test's own mount namespace. Needs root."""
import json
import os
import signal
import subprocess
import sys
import time
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from fuse import mount, own_mount_namespace, unmount  # noqa: E402
from mounts import MS_BIND, MS_REC, USAGE, UTILIZATION, MountTest, by_mount, state  # noqa: E402
from programs import BIN, run, wait_until  # noqa: E402


class FilesystemTest(MountTest):
    def live(self, agent_id, *arguments, interval=0.2):
        """Starts a server and an agent, and waits for ticks."""
        server = self.start_server()
        self.configure(agent_id, "--interval", str(interval), "--metrics", "load", '{"name": "filesystem", "per_filesystem": true}')
        agent = self.start_agent(agent_id, server, "--http", "127.0.0.1:0", *arguments)
        agent.http = agent.says(r"service=http address=(\S+)").group(1)
        return agent

    def frames(self, agent_id):
        result = []
        for batch in self.batches(agent_id):
            for frame in batch["frames"]:
                values = {}
                for series, value in frame["points"]:
                    if series["name"] == USAGE:
                        values[series["labels"].get("system.filesystem.mountpoint")] = (value, series["labels"])
                result.append(values)
        return result

    # Numbers

    def test_sum_and_series_agree_with_df(self):
        device = self.image("image", "ext4", 32 << 20)
        target = self.mounted(device, self.folder("disk"), "ext4")
        with open(os.path.join(target, "filled"), "wb") as out:
            out.write(os.urandom(5 << 20))
            os.fsync(out.fileno())
        metrics = self.once(include=[target])
        df = subprocess.check_output(["df", "-B1", "--output=used,avail", target], text=True).splitlines()[1].split()
        used, available = map(int, df)
        self.assertEqual(by_mount(metrics)[target][0], used)
        self.assertEqual(by_mount(metrics)[None][0], used)
        self.assertAlmostEqual(by_mount(metrics, UTILIZATION)[target][0], used / (used + available), delta=0.00006)
        info = os.statvfs(target)
        inodes = by_mount(metrics, "system.filesystem.inodes.usage")
        self.assertEqual(inodes[target][0], info.f_files - info.f_ffree)

    def test_bind_mounts_count_once(self):
        device = self.image("image", "ext4", 32 << 20)
        target = self.mounted(device, self.folder("disk"), "ext4")
        os.mkdir(os.path.join(target, "sub"))
        bound = self.mounted(os.path.join(target, "sub"), self.folder("disk-bound-elsewhere"), None, flags=MS_BIND)
        shown = by_mount(self.once())
        self.assertIn(target, shown)
        self.assertNotIn(bound, shown)
        named = by_mount(self.once(include=[target, bound]))
        self.assertEqual(named[target][0], named[bound][0])
        self.assertEqual(named[None][0], named[target][0], "each byte counts once, even if both mounts are selected")

    def test_sum_excludes_cloud_mounts(self):
        gib = (1 << 30) // 4096
        cloud = self.fuse("cloud", kind="fuse.rclone", source="remote:", blocks=(1 << 38, (1 << 38) - 18 * gib, (1 << 38) - 18 * gib))
        cloud.answer()
        # Nothing else writes to this disk, unlike to the host's.
        disk = self.mounted(self.image("image", "ext4", 32 << 20), self.folder("disk"), "ext4")
        named = by_mount(self.once(include=[disk, cloud.target]))
        self.assertEqual(named[cloud.target][0], 18 << 30)
        self.assertEqual(named[None][0], named[disk][0])
        metrics = self.once()
        shown = by_mount(metrics)
        self.assertEqual(shown[cloud.target][0], 18 << 30)
        self.assertEqual(shown[disk][0], named[disk][0])
        shares = by_mount(metrics, UTILIZATION)
        self.assertGreater(shares[None][0], 0.001)
        self.assertLess(shares[cloud.target][0], 0.001)

    def test_sum_excludes_mounted_files_and_the_disk_below_a_container_root(self):
        """The mounts of a container: an overlay as root, /etc/hosts and a volume bind-mounted from the disk below
        it."""
        device = self.image("image", "ext4", 96 << 20)
        disk = self.mounted(device, self.folder("disk"), "ext4")
        for name in ("upper", "work", "root", "volume"):
            os.mkdir(os.path.join(disk, name))
        with open(os.path.join(disk, "filled"), "wb") as out:
            out.write(os.urandom(20 << 20))
            os.fsync(out.fileno())
        with open(os.path.join(disk, "hosts"), "w") as out:
            out.write("127.0.0.1 x\n")
        config = {"interval": 0.2, "metrics": [{"name": "filesystem", "per_filesystem": True}]}
        with open(os.path.join(disk, "upper", "config.json"), "w") as out:
            json.dump(config, out)
        script = f"""set -e
            cd {disk}; mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root; cd root
            mount --bind {disk}/hosts etc/hosts; mkdir -p volume oldroot; mount --bind {disk}/volume volume
            mount -t proc proc proc; mount --rbind /dev dev; pivot_root . oldroot; umount -l /oldroot; cd /
            {os.path.abspath(BIN)}/monitor-agent --once --format json --config /config.json --data /data 2>/dev/null
            df -B1 --output=used / | tail -1"""
        done = subprocess.run(["unshare", "-m", "-p", "-f", "sh", "-c", script], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        tick, df = done.stdout.splitlines()
        shown = by_mount(json.loads(tick)["metrics"])
        self.assertNotIn("/etc/hosts", shown)
        self.assertAlmostEqual(shown[None][0], int(df), delta=4 << 20)

    def test_an_empty_mount_source_gives_an_empty_label(self):
        target = self.mounted("", self.folder("nameless"), "tmpfs")
        self.assertEqual(by_mount(self.once(include=["*/nameless"]))[target][1]["system.device"], "")

    def test_reports_mount_points_with_unusual_names_and_lengths(self):
        names = ["a b", "tab\tnew\nline", "back\\slash", "\\040", "#x"]
        for name in names:
            self.mounted("none", self.folder("odd/" + name), "tmpfs", "size=1m")
        here = os.open(self.folder("odd"), os.O_PATH)
        before = os.getcwd()
        self.addCleanup(os.chdir, before)
        os.chdir(here)
        for _ in range(19):
            os.mkdir("x" * 200)
            os.chdir("x" * 200)
        rest = 4095 - len(os.getcwd()) - 1
        os.mkdir("y" * rest)
        self.assertEqual(len(os.getcwd()) + 1 + rest, 4095)
        mount("none", "y" * rest, "tmpfs", "size=1m")
        os.chdir(before)
        os.close(here)
        shown = by_mount(self.once(include=[self.path("odd") + "/*"]))
        self.assertEqual(len(shown), len(names) + 2, "every name, the deep path and the sum")
        self.assertIn(self.path("odd") + "/a b", shown)
        self.assertIn(self.path("odd") + "/back\\slash", shown)
        self.assertEqual(max(len(m) for m in shown if m), 1024)

    def test_reads_hundreds_of_mounts(self):
        for i in range(200):
            self.mounted("none", self.folder(f"many/{i:03}"), "tmpfs", "size=1m")
            with open(self.path(f"many/{i:03}/x"), "wb") as out:
                out.write(bytes(4096 * (1 + i % 50)))
        shown = by_mount(self.once(include=[self.path("many") + "/*"]))
        total = shown.pop(None)[0]
        self.assertEqual({m: v for m, (v, _) in shown.items()}, {self.path(f"many/{i:03}"): 4096 * (1 + i % 50) for i in range(200)})
        self.assertEqual(total, sum(v for v, _ in shown.values()))

    def test_reports_only_the_topmost_mount(self):
        target = self.mounted("below", self.folder("stack/inner"), "tmpfs", "size=1m")
        self.mounted("above", target, "tmpfs", "size=2m")
        hidden = self.mounted("hidden", self.folder("covered/deep"), "tmpfs", "size=1m")
        self.mounted("cover", self.path("covered"), "tmpfs", "size=1m")
        shown = by_mount(self.once(include=[self.path("stack") + "/*", self.path("covered") + "*"]))
        self.assertEqual(shown[target][1]["system.device"], "above")
        self.assertNotIn(hidden, shown)
        self.assertEqual(shown[self.path("covered")][1]["system.device"], "cover")

    def test_labels_change_after_a_remount(self):
        devices = {kind: self.image(kind, kind, 16 << 20) for kind in ("ext4", "ext2")}
        target = self.mounted(devices["ext4"], self.folder("m"), "ext4")
        self.live("a")
        wait_until(lambda: any(target in f for f in self.frames("a")), "the first disk")
        unmount(target)
        mount(devices["ext2"], target, "ext2")
        wait_until(lambda: target in (self.frames("a") or [{}])[-1] and
                   self.frames("a")[-1][target][1]["system.filesystem.type"] == "ext2", "the second disk")
        seen = [(f[target][1]["system.device"], f[target][1]["system.filesystem.type"]) for f in self.frames("a") if target in f]
        self.assertEqual(set(seen), {(devices["ext4"], "ext4"), (devices["ext2"], "ext2")}, "device and type match")
        self.assertEqual(seen, sorted(seen, key=lambda one: one[1] == "ext2"), "the old mount does not come back")

    # Containers

    def test_reads_the_hosts_mounts_through_its_procfs_and_root(self):
        device = self.image("image", "ext4", 16 << 20)
        disk = self.mounted(device, self.folder("host-disk"), "ext4")
        self.folder("host/proc"), self.folder("host/root")
        self.mounted("/", self.path("host/root"), None, flags=MS_BIND | MS_REC)
        self.mounted("/proc", self.path("host/proc"), None, flags=MS_BIND | MS_REC)
        # Runs in its own PID and mount namespaces, where the disk is hidden.
        inside = ("unshare", "-m", "-p", "-f", "sh", "-c", f'mount -t proc proc /proc; umount -l {disk}; exec "$@"', "sh")
        shown = by_mount(self.once("--procfs", self.path("host/proc"), "--rootfs", self.path("host/root"), command=inside))
        self.assertNotIn(disk, by_mount(self.once(command=inside)))
        # The agent reads the mount table of process 1, whose namespace does not contain this test's mounts.
        with open("/proc/1/mountinfo", encoding="utf-8") as table:
            init = {line.split(" ")[4] for line in table}
        self.assertIn("/", shown)
        self.assertLessEqual(set(shown) - {None}, init)

    def test_reports_an_unreadable_host_with_the_remedy(self):
        self.mounted("proc", self.folder("host/proc"), "proc", "hidepid=2")
        os.chmod(self.data, 0o755)
        home = self.folder("home")
        os.chown(home, 65534, 65534)
        config = self.path("home/c.json")
        with open(config, "w") as out:
            json.dump({"interval": 0.2, "metrics": ["filesystem"]}, out)
        done = subprocess.run([os.path.join(BIN, "monitor-agent"), "--once", "--config", config, "--data", home,
                               "--procfs", self.path("host/proc")], capture_output=True, text=True, user=65534, group=65534,
                              extra_groups=[], timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("the host's mounts cannot be read", done.stderr)
        self.assertIn("hidepid", done.stderr)
        self.assertEqual(done.stderr.count("the host's mounts cannot be read"), 1)

    # Hangs

    def test_a_hung_disk_stops_neither_ticks_nor_shutdown(self):
        agent = self.live("a")
        wait_until(lambda: len(self.frames("a")) >= 2, "two ticks")
        with open(self.path("image"), "wb") as image:
            image.truncate(8 << 20)
        device = subprocess.check_output(["losetup", "-f", "--show", self.path("image")], text=True).strip()
        self.addCleanup(subprocess.run, ["losetup", "-d", device], stderr=subprocess.DEVNULL)
        hung = self.fuse("hung", kind="fuseblk", source=device)
        agent.says(r"mount does not answer.* mount=\S*hung")
        before = len(self.frames("a"))
        wait_until(lambda: len(self.frames("a")) >= before + 5, "five more ticks")
        frame = self.frames("a")[-1]
        self.assertIn("/", frame)
        self.assertNotIn(hung.target, frame)
        self.assertNotIn(None, frame, "a sum with an unknown member is unknown")
        text = urllib.request.urlopen(f"http://{agent.http}/metrics").read().decode()
        self.assertIn("monitor_agent_mounts_stuck 1\n", text)
        self.assertIn(f'mount="{hung.target}"', text)
        row = json.loads(wait_until(lambda: self.status_with_mounts("a"), "the status"))
        self.assertEqual([m["mount"] for m in row["mounts"]], [hung.target])
        _, table, _ = run("monitor-config", "--dir", f"{self.data}/monitor", "status")
        self.assertIn("hangs since", table)
        hung.answer()
        agent.says(r"mount answers again.* mount=\S*hung")
        wait_until(lambda: None in self.frames("a")[-1] and hung.target in self.frames("a")[-1], "all of its values")
        self.assertEqual(agent.said("mount does not answer"), 1)
        hung.hang()
        agent.says("mount does not answer", count=2)
        began = time.monotonic()
        self.assertEqual(agent.stop(), 0)
        self.assertLess(time.monotonic() - began, 5)

    def status_with_mounts(self, agent_id):
        _, out, _ = run("monitor-config", "--agent-id", agent_id, "--dir", f"{self.data}/monitor", "status", "--format", "json")
        return out if out and json.loads(out)["mounts"] else None

    def test_many_hung_mounts_use_few_threads(self):
        for i in range(20):
            self.fuse(f"hung/{i}", kind="fuse.sshfs")
        agent = self.live("a")
        agent.says("mount does not answer")
        before = len(self.frames("a"))
        wait_until(lambda: len(self.frames("a")) >= before + 5, "five more ticks")
        self.assertIn("/", self.frames("a")[-1])
        self.assertIn(None, self.frames("a")[-1], "the sum excludes the hung mount")
        threads = len(os.listdir(f"/proc/{agent.process.pid}/task"))
        self.assertLessEqual(threads, 8 + 8)
        self.assertEqual(agent.stop(), 0)

    def test_once_ends_without_the_hung_mount(self):
        hung = self.fuse("hung", kind="fuse.sshfs")
        shown = by_mount(self.once(interval=0.5))
        self.assertIn("/", shown)
        self.assertNotIn(hung.target, shown)
        self.assertIn("mount does not answer", self.said)

    def test_a_hung_configuration_folder_costs_no_tick(self):
        agent = self.live("a")
        wait_until(lambda: len(self.frames("a")) >= 2, "two ticks")
        hung = self.fuse("monitor")
        agent.send(signal.SIGHUP)  # reads the files again
        agent.says(r"configuration source lost.* reason=\S*.*does not answer")
        before = len(self.frames("a"))
        wait_until(lambda: len(self.frames("a")) >= before + 5, "five more ticks")
        self.fuses.remove(hung)
        hung.close()
        agent.says("configuration source is back")
        self.configure("a", "--interval", "0.1")
        agent.says(r"configuration applied", count=2)
        self.assertEqual(agent.stop(), 0)

    def test_starts_while_its_folders_hang(self):
        agent = self.live("a")
        wait_until(lambda: self.frames("a"), "a tick and a stored configuration")
        self.assertEqual(agent.stop(), 0)
        self.fuse("monitor")
        plugins = self.fuse("plugins-that-hang")
        before = len(self.frames("a"))
        agent = self.start_agent("a", self.running[0], "--plugin-dir", plugins.target, "--drain-timeout", "500ms")
        agent.says("the plugin folder does not answer")
        agent.says(r"its files do not answer")
        wait_until(lambda: len(self.frames("a")) >= before + 5, "ticks by the last good configuration")
        agent.send(signal.SIGTERM)
        self.assertEqual(agent.ends(10), 75)
        agent.says("something hangs")

    def test_sigterm_ends_an_agent_with_hung_files(self):
        hung = self.fuse("hung", kind="fuse")
        agent = self.start("monitor-agent", "--agent-id", "a", "--data", self.path("data"), "--spool", hung.target,
                           "--drain-timeout", "500ms")
        wait_until(lambda: state(agent.process.pid) == "D", "the agent's loop to block in the kernel")
        began = time.monotonic()
        agent.send(signal.SIGTERM)
        self.assertEqual(agent.ends(10), 75)
        self.assertLess(time.monotonic() - began, 5)
        agent.says("something hangs")


if __name__ == "__main__":
    own_mount_namespace()
    unittest.main()
