"""The spool in the real programs: batches with a sequence survive a kill, and damage is reported. Batches wait in
memory while the disk is full, and two agents cannot share a folder."""
import hashlib
import os
import re
import signal
import subprocess
import sys
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ProgramTest, run, wait_until  # noqa: E402
from decode_batch import decode, read_sqlite  # noqa: E402


class SpoolTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.spool = f"{self.data}/agent/a/spool"
        status, _, err = run("monitor-config", "set", "--dir", f"{self.data}/monitor", "--agent-id", "a", "interval=0.02",
                             "send_every=0", 'metrics=["cpu","memory"]')
        self.assertEqual(status, 0, err)

    def agent(self, server="127.0.0.1:1", *arguments, agent_id="a"):
        agent = self.start_agent(agent_id, server, "--simulate", "--http", "127.0.0.1:0", *arguments)
        agent.http = agent.says(r"service=http address=(\S+)").group(1)
        agent.incarnation = agent.says(r"agent started.* incarnation=(\w+)").group(1)
        return agent

    def metric(self, agent, name):
        with urllib.request.urlopen(f"http://{agent.http}/metrics", timeout=10) as reply:
            found = re.search(rf"(?m)^monitor_agent_{name} (\S+)$", reply.read().decode())
        return float(found.group(1))

    def waits(self, agent, count, name="spool_batches"):
        wait_until(lambda: self.metric(agent, name) >= count, f"{count} of {name}")

    def stored(self, incarnation):
        return {b["sequence"]: b for b in self.batches("a") if b["incarnation"] == incarnation}

    def arrive(self, incarnation, last):
        """Waits until all sequences of the incarnation up to `last` are stored."""
        wait_until(lambda: os.path.exists(f"{self.data}/log.db") and len(self.stored(incarnation)) >= last,
                   f"{last} batches of {incarnation}")
        self.assertEqual(sorted(self.stored(incarnation))[:last], list(range(1, last + 1)))

    def test_every_sequence_survives_kills_during_an_outage(self):
        runs = []
        for _ in range(3):
            agent = self.agent()
            self.waits(agent, 50, "batches_total")
            agent.kill()
            shown = run("monitor-agent", "spool", "inspect", self.spool)[1]
            last = int(re.findall(rf"{agent.incarnation[:8]} .* 1-(\d+) ", shown)[-1])
            self.assertGreaterEqual(last, 50)
            runs.append((agent.incarnation, last))
        server = self.start_server()
        agent = self.agent(server)
        for incarnation, last in runs:
            self.arrive(incarnation, last)
        wait_until(lambda: len(self.stored(agent.incarnation)) > 5, "batches of the running agent")
        told = {e["incarnation"]: e for b in self.stored(agent.incarnation).values() for e in b["ended"]}
        for incarnation, last in runs:
            self.assertEqual((told[incarnation]["last_sequence"], told[incarnation]["clean"]), (last, False))
        in_outage = self.stored(runs[2][0])[1]
        self.assertEqual([(o["incarnation"], o["first_unacked"]) for o in in_outage["older"]],
                         [(incarnation, 1) for incarnation, _ in runs[:2]])
        self.assertEqual(agent.stop(), 0)
        self.assertEqual([f for f in os.listdir(self.spool) if f.endswith(".seg")], [], "all batches were acknowledged")

    def test_a_backlog_does_not_delay_fresh_batches(self):
        agent = self.agent()
        self.waits(agent, 300)
        self.left = agent.incarnation
        agent.kill()
        server = self.start_server()
        agent = self.agent(server)
        self.arrive(self.left, 300)
        self.arrive(agent.incarnation, 20)
        late = [(time_ns - decode(value)["appended"]) / 1e9 for _, time_ns, _, headers, value in read_sqlite(f"{self.data}/log.db")
                if decode(value)["incarnation"] == agent.incarnation]
        self.assertLess(max(late), 2, "fresh batches do not wait for the backlog")

    def test_rejects_a_second_agent_on_the_same_spool(self):
        folder = f"{self.data}/shared"
        agent = self.agent("127.0.0.1:1", "--spool", folder)
        status, _, err = run("monitor-agent", "--agent-id", "b", "--data", self.data, "--server", "127.0.0.1:1",
                             "--config-dir", f"{self.data}/monitor", "--spool", folder)
        self.assertEqual(status, 75, err)
        self.assertIn(f"spool {folder} is in use by process {agent.process.pid} (monitor-agent)", err)
        agent.kill()
        self.agent("127.0.0.1:1", "--spool", folder, agent_id="b")

    def test_keeps_batches_in_memory_while_the_disk_is_full(self):
        disk = f"{self.data}/small"
        os.makedirs(disk)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], capture_output=True, text=True, check=False)
        self.assertEqual(mounted.returncode, 0, mounted.stderr)
        try:
            agent = self.agent("127.0.0.1:1", "--spool", f"{disk}/spool")
            self.waits(agent, 20)
            with open(f"{disk}/ballast", "wb", buffering=0) as ballast:
                try:
                    while True:
                        ballast.write(b"x" * 4096)
                except OSError:
                    pass
            agent.says("spool cannot be written; batches wait in memory")
            self.waits(agent, 30, "spool_memory_batches")
            self.assertEqual(self.metric(agent, "spool_on_disk"), 0)
            os.remove(f"{disk}/ballast")
            agent.says("spool is written again")
            wait_until(lambda: self.metric(agent, "spool_memory_batches") == 0, "all batches to be on disk")
            made = int(self.metric(agent, "batches_total"))
            agent.kill()
            server = self.start_server()
            again = self.agent(server, "--spool", f"{disk}/spool")
            self.arrive(agent.incarnation, made)
            self.assertEqual(again.stop(), 0)
        finally:
            for program in self.running:
                program.kill()
            subprocess.run(["umount", disk], check=True)

    def test_runs_in_memory_while_the_folder_is_unusable(self):
        path = f"{self.data}/file"
        with open(path, "w", encoding="ascii") as out:
            out.write("x")
        server = self.start_server()
        agent = self.agent(server, "--spool", path)
        agent.says("spool cannot be written; batches wait in memory")
        self.arrive(agent.incarnation, 10)
        os.remove(path)
        agent.says("spool is written again")
        self.assertEqual(self.metric(agent, "spool_on_disk"), 1)
        self.assertEqual(agent.stop(), 0)
        batches = self.stored(agent.incarnation)
        self.assertEqual(sorted(batches), list(range(1, len(batches) + 1)))

    def state_of(self, folder):
        return {name: (os.stat(f"{folder}/{name}").st_mtime_ns, hashlib.sha256(open(f"{folder}/{name}", "rb").read()).hexdigest())
                for name in os.listdir(folder)}

    def test_inspect_and_verify_report_damage_without_changes(self):
        agent = self.agent()
        self.waits(agent, 30)
        agent.kill()
        before = self.state_of(self.spool)
        for command in ("inspect", "verify"):
            status, out, err = run("monitor-agent", "spool", command, self.spool)
            self.assertEqual(status, 0, out + err)
            self.assertIn(agent.incarnation[:8], out)
        self.assertEqual(self.state_of(self.spool), before)
        self.assertIn("everything is intact", out)
        segment = f"{self.spool}/{sorted(f for f in before if f.endswith('.seg'))[0]}"
        with open(segment, "r+b") as file:
            file.seek(64 + 80 + 50)  # within the first payload
            byte = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte[0] ^ 1]))
        before = self.state_of(self.spool)
        status, out, _ = run("monitor-agent", "spool", "verify", self.spool)
        self.assertEqual(status, 1, out)
        self.assertIn("1 damaged", out)
        self.assertIn("missing 1", out)
        self.assertEqual(self.state_of(self.spool), before)
        server = self.start_server()
        again = self.agent(server)
        wait_until(lambda: os.path.exists(f"{self.data}/log.db") and [d for b in self.stored(again.incarnation).values() for d in b["drops"]],
                   "a drop record of the damaged batch")
        drop = [d for b in self.stored(again.incarnation).values() for d in b["drops"]][0]
        self.assertEqual((drop["incarnation"], drop["stage"], drop["reason"], drop["first_sequence"], drop["last_sequence"], drop["ticks"]),
                         (agent.incarnation, "spool", "damaged", 1, 1, 1))
        self.assertEqual(self.metric(again, "spool_damaged_batches_total"), 1)
        self.assertEqual(run("monitor-agent", "spool", "inspect", f"{self.data}/nowhere")[0], 74)
        if os.geteuid() == 0:
            os.mkdir(f"{self.data}/theirs")
            os.chown(f"{self.data}/theirs", 4242, 4242)
            status, _, err = run("monitor-agent", "spool", "inspect", f"{self.data}/theirs")
            self.assertEqual(status, 74, err)
            self.assertRegex(err, "belongs to user 4242.*run this as its user")
        self.assertEqual(run("monitor-agent", "spool", "inspect")[0], 64)

    def test_supports_a_memory_spool_and_rejects_wrong_options(self):
        server = self.start_server()
        agent = self.agent(server, "--spool", "memory")
        self.arrive(agent.incarnation, 5)
        self.assertFalse(os.path.exists(self.spool))
        for wrong in (["--spool-max", "12"], ["--spool-max", "1XB"], ["--spool-full", "x"], ["--spool-sync", "1s"]):
            status, _, err = run("monitor-agent", "--agent-id", "b", "--data", self.data, *wrong)
            self.assertEqual(status, 64, err)
            self.assertIn(wrong[0], err)


if __name__ == "__main__":
    unittest.main()
