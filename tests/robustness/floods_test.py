"""HTTP/2 and gRPC floods against the real server, in parallel with five well-behaved agents. None of their
batches is lost, and each is acknowledged within a second. The server releases its memory afterwards.

To run only some kinds: floods_test.py --kinds hpack_references,ping"""
import json
import os
import resource
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from programs import ProgramTest, wait_until  # noqa: E402

import flood_kinds  # noqa: E402

FLOOD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "flood_kinds.py")
SECONDS = 3.0
AGENTS = 5
REMEMBERED = 65_536  # HeldBatches::kMostStored
MOST_MS = 1000
# Memory beyond the limit: connections, SQLite, code.
LIMIT_MIB, ALLOWANCE_MIB = 64, 120
KEPT_MIB = 12  # free memory that the server does not give back (src/bin/server_heap.cc)
KINDS = list(flood_kinds.KINDS)
# The default kinds: one machine does not have enough cores to run all kinds in every test run.
if "--kinds" in sys.argv:
    at = sys.argv.index("--kinds")
    KINDS = sys.argv[at + 1].split(",")
    del sys.argv[at:at + 2]


class FloodsTest(ProgramTest):
    def setUp(self):
        super().setUp()
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
        self.tls = []

    def start_flooded(self, tls):
        arguments = ["--memory-limit", f"{LIMIT_MIB}MiB"]
        if tls:
            certificate, key = f"{self.data}/cert.pem", f"{self.data}/key.pem"
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                            "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=x", "-addext",
                            "subjectAltName=IP:127.0.0.1"], capture_output=True, check=True)
            arguments += ["--tls-cert", certificate, "--tls-key", key, "--listen", "127.0.0.1:0"]
            self.tls = ["--tls-ca", certificate]
        self.server = self.start_server(*arguments)
        self.loads = 0

    def resident_mib(self):
        with open(f"/proc/{self.server.process.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize() / 2**20

    def start_load(self):
        """Starts well-behaved agents that send small batches every 50 ms."""
        self.loads += 1
        load = self.start("monitor-load", "stream", "--server", self.server.address, "--agents", AGENTS, "--interval", "50ms",
                          "--duration", f"{SECONDS}s", "--prefix", f"good{self.loads}", "--drain-timeout", "30s", "--format",
                          "json", "--verify", "--log", f"sqlite:{self.data}/log.db", *self.tls)
        return load

    def fill_stored_batches(self):
        """Fills the server's memory of stored batches (for deduplication), so that its growth is not attributed to a
        flood."""
        stored = 0
        while stored < REMEMBERED:
            self.loads += 1
            load = self.start("monitor-load", "stream", "--server", self.server.address, "--agents", 50, "--interval", "10ms",
                              "--duration", "5s", "--prefix", f"first{self.loads}", "--format", "json", *self.tls)
            self.assertEqual(load.ends(90), 0)
            stored += json.loads("\n".join(load.out))["acknowledged"]

    def behaves(self, load):
        """Checks the well-behaved agents, and returns their slowest acknowledgement in ms."""
        status = load.ends(90)
        summary = json.loads("\n".join(load.out))
        self.assertEqual(status, 0, summary)
        self.assertEqual(summary["verified"]["missing"], 0, summary)
        self.assertEqual(summary["acknowledged"], summary["due"], summary)
        self.assertEqual(summary["failures"], 0, summary)
        return summary["delay_ms"]["max"]

    def memory_is_back(self, before, what):
        try:
            wait_until(lambda: self.resident_mib() <= before * 1.2 + KEPT_MIB, f"memory after {what}", limit=30)
        except AssertionError:
            with open(f"/proc/{self.server.process.pid}/status", encoding="ascii") as status:
                parts = " ".join(" ".join(line.split()) for line in status if line.startswith("Rss"))
            raise AssertionError(f"memory after {what}: {before:.1f} MiB before, {self.resident_mib():.1f} MiB 30 s after; {parts}") from None

    def flood(self, name, before):
        load = self.start_load()
        flood = self.start(sys.executable, FLOOD, name, self.server.address, SECONDS)
        most = before
        while flood.process.poll() is None:
            most = max(most, self.resident_mib())
            try:
                flood.process.wait(0.1)
            except subprocess.TimeoutExpired:
                pass
        self.assertEqual(flood.ends(), 0, flood.err[-5:])
        slowest = self.behaves(load)
        print(f"{name}: slowest acknowledgement {slowest:.0f} ms, memory {before:.1f} MiB before, {most:.1f} MiB at most; "
              f"{' '.join(flood.out)}", file=sys.stderr, flush=True)
        self.assertIsNone(self.server.process.poll(), "the server lives")
        self.assertLessEqual(slowest, MOST_MS, name)
        self.assertLess(most, LIMIT_MIB + ALLOWANCE_MIB, name)
        self.memory_is_back(before, name)

    def run_kinds(self, names, tls):
        if not names:
            return
        self.start_flooded(tls)
        self.behaves(self.start_load())  # the memory of the first streams is not released
        self.fill_stored_batches()
        before = self.resident_mib()
        failures = []
        for name in names:
            try:
                self.flood(name, before)
            except AssertionError as error:
                failures.append(f"{name}: {error}")
        self.assertEqual(failures, [])

    def test_withstands_floods_without_tls(self):
        self.run_kinds([name for name in KINDS if not flood_kinds.KINDS[name].tls], tls=False)

    def test_withstands_floods_with_tls(self):
        self.run_kinds([name for name in KINDS if flood_kinds.KINDS[name].tls], tls=True)


if __name__ == "__main__":
    unittest.main()
