"""monitor-load against the real server: the log contains exactly what it sent, also after a kill of the server, and it
reports any difference."""
import json
import os
import signal
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ProgramTest, free_port, run  # noqa: E402


class LoadTest(ProgramTest):
    def load(self, server, *arguments):
        return self.start("monitor-load", "stream", "--server", server.address, "--format", "json", *arguments)

    def log(self):
        return ["--log", f"sqlite:{self.data}/log.db"]

    def ledger(self, expected=0):
        status, out, err = run("monitor-analysis", "ledger", *self.log(), "--format", "json", "--missing-after", 0)
        self.assertEqual(status, expected, err)
        return [json.loads(line) for line in out.splitlines()]

    def test_log_contains_exactly_the_sent_batches(self):
        server = self.start_server()
        load = self.load(server, "--agents", 50, "--interval", "50ms", "--duration", "1s", "--points", 12, "--verify", *self.log())
        self.assertEqual(load.ends(), 0)
        summary = json.loads("\n".join(load.out))
        self.assertEqual(summary["due"], 1000)
        self.assertEqual(summary["acknowledged"], 1000)
        self.assertEqual(summary["verified"], {"stored": 1000, "missing": 0, "twice": 0, "faults": []})
        delays = [summary["delay_ms"][name] for name in ("p50", "p90", "p99", "p99.9", "max")]
        self.assertEqual(delays, sorted(delays))
        rows = self.ledger()
        self.assertEqual(len(rows), 50)
        for row in rows:
            self.assertEqual((row["first_sequence"], row["last_sequence"], row["batches_stored"]), (1, 20, 20))
            self.assertEqual((row["ticks_due"], row["points_made"], row["points_stored"]), (20, 240, 240))
        bodies = {json.dumps([f["points"] for f in batch["frames"]]) for batch in self.batches()}
        self.assertEqual(len(bodies), 1000, "every batch has distinct values")

    def test_a_killed_server_loses_nothing(self):
        port = free_port()
        server = self.start_server(port=port)
        load = self.load(server, "--agents", 20, "--interval", "20ms", "--duration", "4s", "--drain-timeout", "30s", "--verify",
                         *self.log())
        load.says("loading connected=20")
        server.kill()
        self.start_server(port=port)
        self.assertEqual(load.ends(60), 0, load.err)
        summary = json.loads("\n".join(load.out))
        self.assertEqual(summary["acknowledged"], summary["due"])
        self.assertGreaterEqual(summary["failures"], 20)
        self.assertEqual(summary["verified"]["missing"], 0)
        self.assertEqual(summary["verified"]["stored"], summary["due"])
        self.assertGreater(summary["delay_ms"]["max"], 10)

    def test_verify_reports_batches_missing_from_the_log(self):
        server = self.start_server()
        other = self.start("monitor-server", "--log", f"sqlite:{self.data}/other.db", "--port", 0, "--http", "off", "--data", self.data)
        other.says("listening service=grpc")
        load = self.load(server, "--agents", 2, "--interval", "50ms", "--duration", "200ms", "--verify", "--log",
                         f"sqlite:{self.data}/other.db")
        self.assertEqual(load.ends(), 1)
        verified = json.loads("\n".join(load.out))["verified"]
        self.assertEqual((verified["missing"], verified["stored"]), (8, 0))
        self.assertIn("load-1: 4 missing; 4 made, 4 acknowledged, 0 stored", verified["faults"])

    def test_ctrl_c_prints_the_summary(self):
        server = self.start_server()
        load = self.start("monitor-load", "stream", "--server", server.address, "--agents", 5, "--interval", "20ms", "--verify",
                          *self.log())
        load.says("loading connected=5")
        self.assertEqual(load.stop(signal.SIGINT), 0)
        text = "\n".join(load.out)
        self.assertRegex(text, r"verified +\d+ batches stored, 0 missing, 0 twice")
        self.assertRegex(text, r"acknowledged +after p50 [\d.]+ p90 [\d.]+ p99 [\d.]+ p99.9 [\d.]+ max [\d.]+ ms")

    def test_slow_agents_send_heartbeats(self):
        server = self.start_server()
        load = self.load(server, "--agents", 1, "--interval", "1h", "--duration", "12s", "--verify", *self.log())
        self.assertEqual(load.ends(), 0)
        self.assertEqual([len(batch["frames"]) for batch in self.batches()], [1, 0])

    def test_reports_wrong_options_and_an_unreachable_server(self):
        def fails(status, said, *arguments):
            got, _, err = run("monitor-load", "stream", *arguments)
            self.assertEqual(got, status, err)
            self.assertIn(said, err)

        fails(64, "RLIMIT_NOFILE", "--agents", 999999)
        fails(64, "--agents", "--agents", 0)
        fails(64, "--interval: got 100us", "--interval", "100us")
        fails(64, "--duration", "--duration", 0)
        fails(64, "--prefix", "--prefix", "a b")
        fails(64, "--points", "--points", 100000)
        fails(64, "--server", "--server", "host:port")
        fails(64, "--log", "--verify", "--log", "nowhere")
        fails(69, "Connection refused", "--server", f"127.0.0.1:{free_port()}", "--agents", 2, "--duration", "100ms", "--drain-timeout",
              "100ms")
        status, out, _ = run("monitor", "load", "stream", "--help")
        self.assertEqual(status, 0)
        self.assertIn("--agents", out)


if __name__ == "__main__":
    unittest.main()
