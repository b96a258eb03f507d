"""Data over a limit loses only the excess, never the whole tick: ticks of large hosts, a full series table, labels over
the limit."""
import json
import os
import sqlite3
import sys
import threading
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ProgramTest, run, wait_until  # noqa: E402
from decode_batch import decode  # noqa: E402

CPUS = 256
MODES = 8
CPU_SERIES = (CPUS + 1) * (1 + MODES)
LOAD_SERIES = 3


class Tree:
    """A fake procfs, updated in place so that no reader sees a partial file."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(f"{folder}/proc/net")
        os.makedirs(f"{folder}/sys/class/net")
        self.put("loadavg", "0.10 0.20 0.30 1/2 3\n")
        self.put("meminfo", "MemTotal: 1000 kB\nMemFree: 500 kB\nMemAvailable: 600 kB\n")

    def put(self, name, text):
        fd = os.open(f"{self.folder}/proc/{name}", os.O_RDWR | os.O_CREAT)
        os.pwrite(fd, text.encode(), 0)
        os.ftruncate(fd, len(text))
        os.close(fd)

    def put_stat(self, cpus, step):
        """Writes a stat file in which every mode of every CPU has grown by `step` hundredths of a second."""
        line = " ".join(f"{1000 + step:06d}" for _ in range(MODES))
        total = " ".join(f"{cpus * (1000 + step):09d}" for _ in range(MODES))
        self.put("stat", f"cpu  {total} 0 0\n" + "".join(f"cpu{i} {line} 0 0\n" for i in range(cpus)) + "ctxt 1\n")

    def put_interfaces(self, count, names):
        head = "Inter-| Receive | Transmit\n face |bytes packets|bytes\n"
        self.put("net/dev", head + "".join(f"{n:>10}: {count} 1 0 0 0 0 0 0 {count} 1 0 0 0 0 0 0\n" for n in names))

    def flags(self):
        return ("--procfs", f"{self.folder}/proc", "--sysfs", f"{self.folder}/sys")


class Growing:
    """Context manager that keeps the CPU counters growing."""

    def __init__(self, tree, cpus):
        self.tree, self.cpus, self.ended = tree, cpus, threading.Event()
        self.thread = threading.Thread(target=self._go)
        tree.put_stat(cpus, 0)

    def _go(self):
        step = 0
        while not self.ended.wait(0.1):
            step += 1
            self.tree.put_stat(self.cpus, step)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


class LimitsTest(ProgramTest):
    def write_config(self, **settings):
        path = f"{self.data}/config.json"
        with open(path + ".new", "w", encoding="utf-8") as f:
            json.dump(settings, f)
        os.replace(path + ".new", path)
        return path

    def agent_on(self, tree, server, config, *arguments):
        return self.start("monitor-agent", "--agent-id", "a", "--server", server.address, "--data", f"{self.data}/agent",
                          "--config", config, *tree.flags(), *arguments)

    def points_by_time(self):
        points = {}
        for batch in self.batches("a"):
            for frame in batch["frames"]:
                points[frame["time"]] = points.get(frame["time"], 0) + len(frame["points"])
        return points

    def test_once_prints_a_host_with_256_cpus(self):
        tree = Tree(f"{self.data}/tree")
        config = self.write_config(interval=0.5, metrics=[{"name": "cpu", "per_core": True, "modes": True}, "load"])
        with Growing(tree, CPUS):
            status, out, err = run("monitor-agent", "--once", "--format", "json", "--agent-id", "a", "--config", config,
                                   "--data", f"{self.data}/agent", *tree.flags())
        self.assertEqual(status, 0, err)
        ticks = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(len(ticks), 1)
        self.assertEqual(len(ticks[0]["metrics"]), CPU_SERIES + LOAD_SERIES)

    def test_a_tick_of_256_cpus_arrives_in_parts_and_counts_once(self):
        tree = Tree(f"{self.data}/tree")
        config = self.write_config(interval=0.5, send_every=0,
                                   metrics=[{"name": "cpu", "per_core": True, "modes": True}, "load"])
        server = self.start_server()
        with Growing(tree, CPUS):
            agent = self.agent_on(tree, server, config)
            reader = self.start_reader()

            def whole():
                """Returns the parts of each tick that has arrived with all its series."""
                by_time = {}
                for line in list(reader.out):
                    tick = json.loads(line)
                    by_time.setdefault(tick["time"], []).append(tick)
                return [parts for parts in by_time.values() if sum(len(p["metrics"]) for p in parts) == CPU_SERIES + LOAD_SERIES]

            wait_until(lambda: len(whole()) >= 3, "three whole ticks")
            agent.stop()
        self.assertTrue(all(len(parts) > 1 for parts in whole()), "a tick does not fit into one batch")
        status, out, err = run("monitor-analysis", "ledger", "--log", f"sqlite:{self.data}/log.db", "--format", "json",
                               "--missing-after", "0s")
        self.assertEqual(status, 0, out + err)
        account = json.loads(out.splitlines()[0])
        self.assertEqual(account["ticks_stored"] + account["ticks_missed"], account["ticks_due"], account)
        self.assertEqual(agent.said("too large"), 0)

    def test_a_label_over_the_limit_drops_only_its_series(self):
        tree = Tree(f"{self.data}/tree")
        config = self.write_config(interval=0.2, send_every=0, metrics=["load", "memory"], plugins=[
            {"name": "rename", "config": {"names": {"system.memory.limit": "x" * 300}}},
            {"name": "my_plugin", "config": {"label": "long", "value": "v" * 3000}}])
        server = self.start_server()
        agent = self.agent_on(tree, server, config)
        agent.says("invalid series are dropped")
        wait_until(lambda: len(self.points_by_time()) >= 3, "ticks in the log")
        agent.stop()
        self.assertEqual(set(self.points_by_time().values()), {LOAD_SERIES + 2})
        self.assertEqual(server.said("batch rejected"), 0)

    def test_releases_the_series_of_removed_interfaces(self):
        tree = Tree(f"{self.data}/tree")
        tree.put_interfaces(1, ["eth0"])
        each = {"per_interface": True, "counters": True}
        config = self.write_config(interval=0.1, metrics=[{"name": "net in", **each}, {"name": "net out", **each}])
        server = self.start_server()
        agent = self.agent_on(tree, server, config, "--http", "127.0.0.1:0")
        address = agent.says(r"listening service=http address=(\S+)").group(1)

        def figure(name):
            with urllib.request.urlopen(f"http://{address}/metrics", timeout=30) as reply:
                lines = reply.read().decode().splitlines()
            return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("monitor_agent_" + name))

        for generation in range(19):  # 1,200 series each, in a table of 20,000
            tree.put_interfaces(generation + 2, [f"veth{generation:03d}{i:04x}" for i in range(300)])
            begun = figure("ticks_due_total")
            wait_until(lambda: figure("ticks_due_total") - figure("ticks_missed_total") >= begun + 2, "ticks")  # noqa: B023
        self.assertGreater(figure("series_released_total"), 0)
        self.assertLessEqual(figure("series "), figure("series_limit "))
        self.assertEqual(figure("series_full "), 0)
        self.write_config(interval=0.1, metrics=["net in", "load", "memory"])

        def reported():
            """Returns the names in the newest batches. Decoding the whole log repeatedly would be too slow."""
            with sqlite3.connect(f"file:{self.data}/log.db?mode=ro", uri=True) as log:
                newest = log.execute("SELECT value FROM records ORDER BY offset DESC LIMIT 3").fetchall()
            return {series["name"] for (value,) in newest for frame in decode(value)["frames"] for series, _ in frame["points"]}

        wanted = {"system.network.io.rate", "system.cpu.load_average.1m", "system.memory.usage"}
        wait_until(lambda: wanted <= reported(), "load and memory")
        self.assertEqual(figure('dropped_points_total{stage="collect",reason="cardinality"'), 0)
        agent.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
