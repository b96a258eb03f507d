#!/usr/bin/env python3
"""Cases that need a kernel, a mount, a closed descriptor or a whole pipeline (README.md). Each is named after its
situation and asserts the expected value. Runs in its own mount namespace; needs root."""
import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest
import urllib.request

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(TESTS, name) for name in ("lib", "fixtures/hosts")]

import kit  # noqa: E402
from fuse import mount, own_mount_namespace, unmount  # noqa: E402
from mounts import UTILIZATION, MountTest, by_mount  # noqa: E402
from programs import BIN, LIMIT, run, wait_until  # noqa: E402

MIB, PIB = 1 << 20, 1 << 50
ADD = "ip link add {0} type dummy 2>/dev/null || ip tuntap add dev {0} mode tap"
AGENT = os.path.join(os.path.abspath(BIN), "monitor-agent")


def shell(script, *flags, status=0):
    """Runs a script, in new namespaces if `flags` name any, and returns its standard output."""
    command = ["unshare", *flags] if flags else []
    done = subprocess.run([*command, "bash", "-ec", script], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != status:
        raise AssertionError(f"status {done.returncode}, expected {status}: {done.stderr}")
    return done.stdout + done.stderr


def interfaces(out):
    return {m["labels"].get("network.interface.name") for line in out.splitlines() if line.startswith("{")
            for m in json.loads(line)["metrics"]} - {None}


class Case(MountTest):
    def config(self, *metrics, interval=0.2, **more):
        path = self.path("config.json")
        with open(path + ".new", "w", encoding="utf-8") as out:
            json.dump({"interval": interval, "send_every": 0, "metrics": metrics, **more}, out)
        os.replace(path + ".new", path)
        return path

    def agent(self, server, config, *arguments):
        return self.start("monitor-agent", "--agent-id", "a", "--server", server.address, "--data", self.path("agent"),
                          "--config", config, *arguments)

    def once_command(self, config, *arguments):
        return " ".join([AGENT, "--once --format json --agent-id a --config", config, "--data", self.path("inside"), *arguments])

    def frames(self):
        """Returns {(metric, mount point or None): (value, labels)} for each tick, in order."""
        return [{(s["name"], s["labels"].get("system.filesystem.mountpoint")): (v, s["labels"]) for s, v in frame["points"]}
                for batch in self.batches("a") for frame in batch["frames"]]


class Numbers(Case):
    def test_read_in_pieces_net_dev(self):
        """/proc/net/dev with 60 interfaces does not fit into one read."""
        config = self.config({"name": "net in", "per_interface": True, "counters": True})
        names = [f"pod{i}" for i in range(60)]
        out = shell(f"for name in {' '.join(names)}; do {ADD.format('$name')}; done; wc -c < /proc/net/dev; "
                    + self.once_command(config), "--net")
        self.assertGreater(int(out.split()[0]), 4096)
        (tick,) = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        for metric in ("system.network.io.rate", "system.network.io"):
            of = [m["labels"]["network.interface.name"] for m in tick["metrics"]
                  if m["name"] == metric and "network.interface.name" in m["labels"]]
            self.assertEqual(sorted(of), sorted(names), metric)

    def test_host_proc_in_a_container(self):
        """With --procfs of the host, the host's interfaces count, not those of the agent's container."""
        config = self.config({"name": "net in", "per_interface": True})
        host = self.folder("host-proc")
        inner = f"mount -t proc proc /proc; {ADD.format('ctnet')}; {self.once_command(config, '--procfs', host)}"
        out = shell(f"mount -t proc proc {host}; {ADD.format('hostnet')}; unshare -n -p -m -f bash -ec '{inner}'; true",
                    "--net", "--pid", "--mount", "--fork")
        self.assertIn("hostnet", interfaces(out))
        self.assertNotIn("ctnet", interfaces(out))

    def test_container_root_counted_twice(self):
        """An overlay as root, and /etc/hosts bind-mounted from the disk below it: the usage equals `df /`."""
        disk = self.mounted(self.image("image", "ext4", 96 * MIB), self.folder("disk"), "ext4")
        for name in ("upper", "work", "root"):
            os.mkdir(f"{disk}/{name}")
        with open(f"{disk}/filled", "wb") as out:
            out.write(os.urandom(20 * MIB))
            os.fsync(out.fileno())
        with open(f"{disk}/hosts", "w", encoding="ascii") as out:
            out.write("127.0.0.1 x\n")
        shutil.copy(self.config({"name": "filesystem", "per_filesystem": True}), f"{disk}/upper/config.json")
        out = shell(f"""cd {disk}; mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root; cd root
            mount --bind {disk}/hosts etc/hosts; mkdir -p oldroot; mount -t proc proc proc; mount --rbind /dev dev
            pivot_root . oldroot; umount -l /oldroot; cd /
            {AGENT} --once --format json --config /config.json --data /data 2>/dev/null
            df -B1 --output=used / | tail -1""", "-m", "-p", "-f")
        tick, df = out.splitlines()
        usage = by_mount(json.loads(tick)["metrics"])
        self.assertNotIn("/etc/hosts", usage)
        self.assertAlmostEqual(usage[None][0], int(df), delta=4 * MIB)

    def test_cloud_mount_makes_every_disk_look_empty(self):
        """rclone claims 4 EiB: it has its own series and is not part of the sum."""
        free = 4 * 1024 * PIB // 4096
        cloud = self.fuse("cloud", kind="fuse.rclone", source="remote:", blocks=(free + 5000, free, free))
        cloud.answer()
        with_cloud = by_mount(self.once(), UTILIZATION)
        without = by_mount(self.once(exclude=[cloud.target]), UTILIZATION)
        self.assertEqual(with_cloud[cloud.target][0], 0)
        self.assertAlmostEqual(with_cloud[None][0], without[None][0], delta=0.001)
        self.assertGreater(with_cloud[None][0], 0.001)

    def test_empty_mount_source(self):
        target = self.mounted("", self.folder("es"), "tmpfs")
        with open("/proc/self/mountinfo", encoding="utf-8") as table:
            self.assertRegex(table.read(), re.escape(target) + r" \S+( \S+)* - tmpfs  rw", "two spaces in a row")
        labels = by_mount(self.once(include=["*/es"]))[target][1]
        self.assertEqual((labels["system.device"], labels["system.filesystem.type"]), ("", "tmpfs"))

    def test_remount_keeps_old_labels(self):
        """Another disk at the same mount point: its usage has its own device and type from the next tick on."""
        first, second = self.image("A", "ext4", 16 * MIB), self.image("B", "ext2", 16 * MIB)
        target = self.mounted(first, self.folder("m"), "ext4")
        self.agent(self.start_server(), self.config({"name": "filesystem", "per_filesystem": True}))
        key = ("system.filesystem.usage", target)

        def seen():
            return [tuple(f[key][1][f"system.{what}"] for what in ("device", "filesystem.type")) for f in self.frames() if key in f]

        wait_until(seen, "the first disk")
        unmount(target)
        mount(second, target, "ext2")
        wait_until(lambda: seen()[-1] == (second, "ext2"), "the second disk")
        self.assertEqual(set(seen()), {(first, "ext4"), (second, "ext2")})


class Hangs(Case):
    def test_fuseblk_that_hangs_stops_the_agent(self):
        """A disk that does not respond only loses its own values: ticks continue, and SIGTERM ends the agent."""
        server = self.start_server()
        agent = self.agent(server, self.config("load", {"name": "filesystem", "per_filesystem": True}))
        wait_until(self.frames, "a tick")
        with open(self.path("image"), "wb") as image:
            image.truncate(8 * MIB)
        device = subprocess.check_output(["losetup", "-f", "--show", self.path("image")], text=True).strip()
        self.addCleanup(subprocess.run, ["losetup", "-d", device], stderr=subprocess.DEVNULL)
        hung = self.fuse("hung", kind="fuseblk", source=device)
        agent.says(r"mount does not answer.* mount=\S*hung")
        before = len(self.frames())
        wait_until(lambda: len(self.frames()) >= before + 5, "ticks after it")
        last = self.frames()[-1]
        self.assertIn(("system.cpu.load_average.1m", None), last)
        self.assertIn(("system.filesystem.usage", "/"), last)
        self.assertNotIn(("system.filesystem.usage", hung.target), last)
        began = time.monotonic()
        agent.send(signal.SIGTERM)
        self.assertEqual(agent.ends(), 0)
        self.assertLess(time.monotonic() - began, 5)


class Limits(Case):
    def test_series_table_fills_for_good(self):
        """Interfaces appear and disappear, 24,000 series in a table of 20,000: metrics enabled later are reported."""
        root = self.path("tree")

        def put(generation):
            names = ["eth0", *(f"veth{generation}x{i:04d}" for i in range(600))]
            kit.lay({"proc/net/dev": kit.netdev({name: (generation, generation) for name in names})}, root)

        kit.lay({**kit.lo(), **kit.interface("eth0", 2, "pci0000:00/0000:00:03.0"), "proc/loadavg": kit.loadavg(),
                 "proc/meminfo": kit.meminfo(MemTotal=1000, MemFree=500, MemAvailable=600)}, root)
        put(0)
        each = {"per_interface": True, "counters": True}
        config = self.config({"name": "net in", **each}, {"name": "net out", **each}, interval=0.1)
        agent = self.agent(self.start_server(), config, "--http", "127.0.0.1:0", "--procfs", f"{root}/proc", "--sysfs", f"{root}/sys")
        address = agent.says(r"listening service=http address=(\S+)").group(1)

        def figure(name):
            with urllib.request.urlopen(f"http://{address}/metrics", timeout=30) as reply:
                lines = reply.read().decode().splitlines()
            return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("monitor_agent_" + name))

        for generation in range(1, 11):
            put(generation)
            begun = figure("ticks_due_total")
            wait_until(lambda: figure("ticks_due_total") - figure("ticks_missed_total") >= begun + 4, "ticks")  # noqa: B023
        self.config("net in", "load", "memory", interval=0.1)
        wanted = {"system.network.io.rate", "system.cpu.load_average.1m", "system.memory.usage"}
        wait_until(lambda: wanted <= {name for frame in self.frames()[-3:] for name, _ in frame}, "load and memory")
        self.assertGreater(figure("series_released_total"), 0)
        self.assertEqual(figure('dropped_points_total{stage="collect",reason="cardinality"'), 0)

    def test_labels_are_shown_by_no_reader(self):
        """Every reader shows `labels` of the configuration: rack is r12."""
        self.agent(self.start_server(), self.config("load", labels={"rack": "r12"}))
        wait_until(self.frames, "a tick")
        log = ("--log", f"sqlite:{self.data}/log.db")
        page = self.start("monitor-analysis", "serve", *log, "--http", "127.0.0.1:0", "--data", self.path("page"),
                          "--dir", self.path("documents"))
        address = page.says(r"listening service=web address=(\S+)").group(1)

        def printed(form):
            return run("monitor-analysis", "get-metrics", *log, "--from", "earliest", "--count", 1, "--format", form,
                       "--data", self.path("reader"))[1]

        for metric in json.loads(printed("json"))["metrics"]:
            self.assertEqual(metric["labels"], {"rack": "r12"}, metric["name"])
        self.assertEqual({row["labels"] for row in csv.DictReader(io.StringIO(printed("csv")))}, {"rack=r12"})
        self.assertIn("rack=r12", printed("table"))

        def scraped():
            with urllib.request.urlopen(f"http://{address}/api/v1/prometheus", timeout=20) as answer:
                return re.search(r'(?m)^system_cpu_load_average_1m\w*\{.*rack="r12".*\} ', answer.read().decode())

        wait_until(scraped, "the label in Prometheus' format")


class Descriptors(Case):
    def setUp(self):
        super().setUp()
        self.log = f"--log sqlite:{self.data}/log.db"

    def stored(self):
        server = self.start_server()
        agent = self.agent(server, self.config("load"))
        wait_until(lambda: len(self.frames()) > 2, "ticks")
        return agent

    def test_closed_stdout_never_ends(self):
        self.stored()
        for command in ("get-metrics --from earliest --timeout 2", "ledger"):
            said = shell(f"timeout 10 {BIN}/monitor-analysis {command} {self.log} --data {self.path('reader')} >&-", status=74)
            self.assertIn("standard output is closed", said)

    def test_log_goes_into_the_lock_file(self):
        agent = subprocess.Popen(["bash", "-c", 'exec "$@" 2>&-', "bash", AGENT, "--agent-id", "t", "--server", "127.0.0.1:9",
                                  "--config", self.config("load"), "--data", self.path("agent")])
        self.addCleanup(agent.kill)
        lock = self.path("agent/agent/t/lock")
        wait_until(lambda: os.path.exists(lock) and os.path.getsize(lock) > 0, "the lock")
        self.assertEqual(os.readlink(f"/proc/{agent.pid}/fd/2"), "/dev/null")
        agent.send_signal(signal.SIGTERM)
        self.assertEqual(agent.wait(LIMIT), 0)
        with open(lock, encoding="utf-8") as file:
            self.assertRegex(file.read(), r"^process \d+ \(\S+\)\n$")

    def test_full_disk_and_status_0(self):
        where = f"--dir {self.path('documents')}"
        shell(f"{BIN}/monitor-config --agent-id a --interval 5 {where}")
        for command in (f"config get --agent-id a {where}", f"config list {where}", f"config explain --agent-id a {where}",
                        "config schema", "agent --help", "agent --once --simulate"):
            said = shell(f"{BIN}/monitor-{command} > /dev/full", status=74)
            self.assertIn("No space left on device", said, command)

    def test_topic_made_anew_and_refilled(self):
        """A log is deleted, recreated and filled beyond a group's position: the group reads it from its start and
        reports this. This case uses SQLite; for Kafka see
        KafkaReplaced.GroupReadsANewTopicOfTheSameNameFromItsStart."""
        group = f"get-metrics {self.log} --group-id g --format json --data {self.path('reader')}"
        agent = self.stored()
        wait_until(lambda: len(self.frames()) >= 10, "ten ticks")
        shell(f"{BIN}/monitor-analysis {group} --from earliest --count 10")
        agent.stop()
        self.running[0].stop()
        for name in ("log.db", "log.db-wal", "log.db-shm"):
            if os.path.exists(self.path(name)):
                os.unlink(self.path(name))
        self.stored()
        wait_until(lambda: len(self.frames()) >= 15, "more records than before")
        said = shell(f"{BIN}/monitor-analysis {group} --count 15")
        self.assertIn("the log was deleted and created again", said)
        ticks = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
        self.assertEqual(len(ticks), 15)
        self.assertEqual(ticks[0]["sequence"], 1, "no record of the new log is skipped")
        with open(os.path.join(TESTS, "integration", "kafka_log_test.cc"), encoding="utf-8") as source:
            self.assertIn("TEST_F(KafkaReplaced, GroupReadsANewTopicOfTheSameNameFromItsStart)", source.read())


if __name__ == "__main__":
    own_mount_namespace()
    unittest.main(verbosity=2)
