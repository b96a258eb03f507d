"""monitor-agent --output file:PATH: the lines equal what a server would store, files rotate, the agent waits while the
disk is full, and kills lose no batch."""
import json
import os
import re
import shutil
import signal
import stat
import struct
import subprocess
import sys
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from checksums import crc32c  # noqa: E402
from programs import ProgramTest, run, wait_until  # noqa: E402


def lines_of(*paths):
    """Returns the ticks of the files by incarnation, sequence and frame. Every line must be complete."""
    ticks = {}
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for line in file:
                tick = json.loads(line)
                key = tick["incarnation"], tick["sequence"], tick["frame"]
                assert ticks.setdefault(key, tick) == tick, f"{key} was written with two contents"
    return ticks


def replace_payload(path):
    """Replaces the payload of the segment's second record by bytes that are no batch, with valid checksums. Returns its sequence."""
    with open(path, "r+b") as file:
        segment = bytearray(file.read())
        number, at = segment[16:24], 64
        at += 80 + struct.unpack_from("<I", segment, at + 8)[0]
        length, = struct.unpack_from("<I", segment, at + 8)
        segment[at + 80:at + 80 + length] = b"\xff" * length
        struct.pack_into("<I", segment, at + 12, crc32c(segment[at + 80:at + 80 + length]))
        struct.pack_into("<I", segment, at + 76, crc32c(number + segment[at:at + 76]))
        file.seek(0)
        file.write(segment)
        return struct.unpack_from("<Q", segment, at + 32)[0]


class OutputFileTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.folder = f"{self.data}/out"
        os.makedirs(self.folder)
        self.path = f"{self.folder}/a.jsonl"
        self.set("interval=0.02", "send_every=0", 'metrics=["cpu","memory"]')

    def set(self, *assignments):
        status, _, err = run("monitor-config", "set", "--dir", f"{self.data}/monitor", "--agent-id", "a", *assignments)
        self.assertEqual(status, 0, err)

    def arguments(self, path, *arguments, data=None):
        return ["--agent-id", "a", "--data", data or self.data, "--config-dir", f"{self.data}/monitor", "--simulate",
                "--output", f"file:{path}", *arguments]

    def agent(self, *arguments, path=None, data=None):
        agent = self.start("monitor-agent", *self.arguments(path or self.path, "--http", "127.0.0.1:0", *arguments, data=data))
        agent.http = agent.says(r"service=http address=(\S+)").group(1)
        agent.incarnation = agent.says(r"agent started.* incarnation=(\w+)").group(1)
        return agent

    def metric(self, agent, name):
        with urllib.request.urlopen(f"http://{agent.http}/metrics", timeout=10) as reply:
            return float(re.search(rf"(?m)^monitor_agent_{name} (\S+)$", reply.read().decode()).group(1))

    def ready(self, agent):
        try:
            with urllib.request.urlopen(f"http://{agent.http}/readyz", timeout=10) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    def sequences(self, incarnation, *paths):
        return sorted({sequence for one, sequence, _ in lines_of(*paths) if one == incarnation})

    def writes(self, agent, ticks):
        wait_until(lambda: self.metric(agent, "output_file_ticks_total") >= ticks, f"{ticks} ticks in the file")

    def test_lines_equal_what_a_server_stores(self):
        gone = self.start_agent("a", "127.0.0.1:1", "--simulate", "--http", "127.0.0.1:0")
        gone.http = gone.says(r"service=http address=(\S+)").group(1)
        gone.incarnation = gone.says(r"agent started.* incarnation=(\w+)").group(1)
        wait_until(lambda: self.metric(gone, "spool_batches") >= 60, "a backlog")
        gone.kill()
        twin = f"{self.data}/twin"
        os.makedirs(twin, mode=0o700)
        shutil.copytree(f"{self.data}/agent", f"{twin}/agent", ignore=shutil.ignore_patterns("health.sock"))
        agent = self.agent(data=twin)
        wait_until(lambda: len(self.sequences(gone.incarnation, self.path)) >= 60, "the backlog in the file")
        self.assertEqual(self.ready(agent)[0], 200)
        self.assertEqual(agent.stop(), 0)
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)

        sender = self.start_agent("a", self.start_server(), "--simulate")
        expected = {key: tick for key, tick in lines_of(self.path).items() if key[0] == gone.incarnation}
        printed = {}

        def all_printed():
            status, out, err = run("monitor-analysis", "get-metrics", "--log", f"sqlite:{self.data}/log.db", "--format", "json", "--from",
                                   "earliest", "--data", self.data, "--timeout", "1s")
            self.assertEqual(status, 0, err)
            for tick in map(json.loads, out.splitlines()):
                if tick["incarnation"] == gone.incarnation:
                    printed[tick["incarnation"], tick["sequence"], tick["frame"]] = tick | {"late": False}
            return len(printed) >= len(expected)

        sender.says("stream to the server established")
        wait_until(all_printed, "the backlog in the log")
        self.assertEqual(printed, expected)
        self.assertEqual(sender.stop(), 0)

    def test_rotates_files_and_deletes_the_oldest(self):
        self.set("interval=0.01", 'metrics=["cpu","memory","disk read","disk write","net in","net out","load","filesystem"]')
        agent = self.agent("--output-max", "1MiB", "--output-files", "3")
        wait_until(lambda: self.metric(agent, "output_file_rotations_total") >= 3, "three rotations", limit=120)
        self.assertEqual(agent.stop(), 0)
        files = sorted(name for name in os.listdir(self.folder) if not name.endswith(".lock"))
        self.assertEqual(files, ["a.jsonl", "a.jsonl.1", "a.jsonl.2"])
        for name in files:
            self.assertLessEqual(os.path.getsize(f"{self.folder}/{name}"), 1 << 20, name)
        sequences = self.sequences(agent.incarnation, *(f"{self.folder}/{name}" for name in files))
        self.assertGreater(sequences[0], 1, "the first file is gone")
        self.assertEqual(sequences, list(range(sequences[0], sequences[-1] + 1)))

    def test_recreates_a_moved_or_removed_file(self):
        agent = self.agent()
        self.writes(agent, 10)
        os.rename(self.path, f"{self.path}-moved")
        agent.send(signal.SIGHUP)
        wait_until(lambda: os.path.exists(self.path) and os.path.getsize(self.path) > 0, "a new file")
        self.assertEqual(agent.stop(), 0)
        sequences = self.sequences(agent.incarnation, self.path, f"{self.path}-moved")
        self.assertEqual(sequences, list(range(1, len(sequences) + 1)))

    def test_waits_while_the_disk_is_full(self):
        disk = f"{self.data}/small"
        os.makedirs(disk)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], capture_output=True, text=True, check=False)
        self.assertEqual(mounted.returncode, 0, mounted.stderr)
        try:
            path = f"{disk}/a.jsonl"
            agent = self.agent(path=path)
            self.writes(agent, 20)
            with open(f"{disk}/ballast", "wb", buffering=0) as ballast:
                try:
                    while True:
                        ballast.write(b"x" * 4096)
                except OSError:
                    pass
            agent.says("output file cannot be written; batches wait in the spool; retrying")
            wait_until(lambda: self.metric(agent, "spool_batches") >= 20, "batches to wait in the spool")
            self.assertEqual(self.metric(agent, "output_file_writable"), 0)
            status, text = self.ready(agent)
            self.assertEqual(status, 503)
            self.assertIn("output file cannot be written: ", text)
            os.remove(f"{disk}/ballast")
            agent.says("output file is written again")
            wait_until(lambda: self.metric(agent, "spool_batches") < 5, "the backlog in the file")
            self.assertEqual(self.metric(agent, "output_file_writable"), 1)
            self.assertEqual(agent.stop(), 0)
            sequences = self.sequences(agent.incarnation, path)
            self.assertEqual(sequences, list(range(1, len(sequences) + 1)))
        finally:
            for program in self.running:
                program.kill()
            subprocess.run(["umount", disk], check=True)

    def test_kills_lose_no_batch(self):
        runs = []
        for _ in range(4):
            agent = self.agent()
            self.writes(agent, 20)
            made = int(self.metric(agent, "batches_total"))
            agent.kill()
            runs.append((agent.incarnation, made))
        with open(self.path, "ab") as file:
            file.write(b'{"time":"torn')
        agent = self.agent()
        self.writes(agent, 5)
        wait_until(lambda: self.metric(agent, "spool_batches") < 5, "the backlog in the file")
        self.assertEqual(agent.stop(), 0)
        for incarnation, made in runs:
            sequences = self.sequences(incarnation, self.path)
            self.assertGreaterEqual(len(sequences), made)
            self.assertEqual(sequences, list(range(1, len(sequences) + 1)))
        self.assertEqual([name for name in os.listdir(f"{self.data}/agent/a/spool") if name.endswith(".seg")], [])

    def test_drops_a_batch_that_cannot_be_decoded_at_the_stage_uplink(self):
        gone = self.start_agent("a", "127.0.0.1:1", "--simulate", "--http", "127.0.0.1:0")
        gone.http = gone.says(r"service=http address=(\S+)").group(1)
        gone.incarnation = gone.says(r"agent started.* incarnation=(\w+)").group(1)
        wait_until(lambda: self.metric(gone, "spool_batches") >= 5, "a backlog")
        gone.kill()
        segment, = (name for name in os.listdir(f"{self.data}/agent/a/spool") if name.endswith(".seg"))
        lost = replace_payload(f"{self.data}/agent/a/spool/{segment}")
        agent = self.agent()
        agent.says(rf"batch rejected; it is dropped stage=uplink sequence={lost} reason=\"?invalid: ")
        wait_until(lambda: self.metric(agent, "spool_batches") < 5, "the backlog in the file")
        dropped = r'dropped_batches_total{stage="uplink",reason="invalid"}'
        self.assertEqual(self.metric(agent, re.escape(dropped)), 1)
        self.assertEqual(agent.stop(), 0)
        sequences = self.sequences(gone.incarnation, self.path)
        self.assertEqual(sequences, [sequence for sequence in range(1, sequences[-1] + 1) if sequence != lost])

    def test_rejects_invalid_outputs_at_startup(self):
        def refused(*arguments, path=self.path):
            return run("monitor-agent", *self.arguments(path, *arguments))

        for path in (f"{self.data}/missing/a.jsonl", self.folder, "/proc/version"):
            status, _, err = refused(path=path)
            self.assertEqual(status, 74, err)
            self.assertIn("cannot start; the output cannot be used", err)
            self.assertIn(path, err)
        for wrong in (["--output-max", "12"], ["--output-max", "1XB"], ["--output-files", "0"], ["--output-files", "1001"],
                      ["--server", "localhost:1"], ["--tls-ca", "x"]):
            status, _, err = refused(*wrong)
            self.assertEqual(status, 64, err)
            self.assertIn(wrong[0], err)
        for wrong in (["--output", "file:"], ["--output", "x"], ["--output-files", "3"]):
            status, _, err = run("monitor-agent", "--agent-id", "a", "--data", self.data, *wrong)
            self.assertEqual(status, 64, err)
        agent = self.agent()
        status, _, err = run("monitor-agent", "--agent-id", "b", "--data", self.data, "--output", f"file:{self.path}")
        self.assertEqual(status, 75, err)
        self.assertIn(f"output file {self.path} is in use by process {agent.process.pid}", err)
        self.assertEqual(agent.stop(), 0)

    def test_once_works_while_the_agent_runs(self):
        status, out, err = run("monitor-agent", "--once", "--format", "json", *self.arguments(self.path))
        self.assertEqual(status, 0, err)
        self.assertEqual(json.loads(out)["agent"], "a")
        self.assertFalse(os.path.exists(self.path), "--once prints and writes nothing")


if __name__ == "__main__":
    unittest.main()
