"""Agent identity: batches under another agent's id, forged values, two agents with one id, and host names that are not
valid ids."""
import json
import os
import sys
import time
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from foreign_agent import ForeignAgent, batch, fixed, number, text  # noqa: E402
from programs import BIN, ProgramTest, run, wait_until  # noqa: E402

NAMED = """
import ctypes, os, sys
name = bytes.fromhex(sys.argv[1])
assert ctypes.CDLL(None).sethostname(name, len(name)) == 0
os.execv(sys.argv[2], sys.argv[2:])
"""


class IdentityTest(ProgramTest):
    def foreign(self, server, *arguments, **options):
        agent = ForeignAgent(server.address, *arguments, **options)
        self.addCleanup(agent.close)
        return agent

    def ledger(self, *arguments):
        status, out, err = run("monitor-analysis", "ledger", "--log", f"sqlite:{self.data}/log.db", "--missing-after", 0, *arguments)
        return status, out, err

    def stored(self):
        return self.batches("a") if os.path.exists(f"{self.data}/log.db") else []

    def test_reports_batches_under_another_agents_id_as_conflicts(self):
        server = self.start_server()
        self.configure("a", "--interval", "0.05", "--metrics", "cpu")
        self.assertEqual(run("monitor-config", "set", "--dir", f"{self.data}/monitor", "--agent-id", "a", "send_every=0.05")[0], 0)
        agent = self.start_agent("a", server)
        incarnation = agent.says(r"agent started .*incarnation=([0-9a-f]{32})").group(1)
        wait_until(self.stored, "a batch of the agent")
        next_one = max(one["sequence"] for one in self.stored()) + 20
        foreign = self.foreign(server, "a", os.urandom(16))
        foreign.publish(*(batch("a", bytes.fromhex(incarnation), next_one + i, time.time_ns()) for i in range(10)))
        self.assertEqual(foreign.settled(), {})
        wait_until(lambda: sum(one["sequence"] == next_one + 9 for one in self.stored()) == 2, "the agent's own batches")
        agent.stop()
        server.stop()
        status, out, err = self.ledger("--format", "json")
        self.assertEqual(status, 1, err)
        rows = [row for row in map(json.loads, out.splitlines()) if row["incarnation"] == incarnation]
        self.assertEqual(len(rows), 1)
        self.assertEqual((rows[0]["conflicts"], rows[0]["duplicates"], rows[0]["missing"]), (10, 0, []), rows[0])
        example = rows[0]["conflict_examples"][0]
        self.assertEqual((example["sequence"], example["kind"]), (next_one, "content"))
        self.assertLess(example["first_offset"], example["offset"])
        status, table, _ = self.ledger()
        self.assertEqual(status, 1)
        self.assertIn("nothing is missing, 10 conflict with what is counted", table)
        reader = self.start_reader("--timeout", "1")
        reader.says("batch conflicts with another one of the same sequence")
        reader.stop()
        printed = [(json.loads(line)["host"], json.loads(line)["sequence"]) for line in reader.out if line.startswith("{")]
        self.assertIn(("elsewhere", next_one), printed)
        self.assertEqual(len({sequence for _, sequence in printed}), len(printed), "the first batch of each sequence, once")

    def test_rejects_forged_values_with_value_and_limit(self):
        server = self.start_server()
        own, other = os.urandom(16), os.urandom(16)
        now = time.time_ns()
        huge = 1 << 63
        drop = text(1, other) + text(2, "spool") + text(3, "full")
        forged = {
            "sequence is 18446744073709551615": batch("a", own, 2**64 - 1, now),
            "first_unacked is 8, the limit is its sequence, 7": batch("a", own, 7, now, first_unacked=8),
            "points made is 9223372036854775808": batch("a", own, 7, now, text(8, number(3, huge))),
            "batches of a drop total is 9223372036854775808": batch("a", own, 7, now, text(8, text(4, text(1, "spool") + text(2, "full") + number(3, huge)))),
            "batches of a drop record is 9223372036854775808": batch("a", own, 7, now, text(9, drop + number(5, huge))),
            "drop record has the sequences 9 to 8": batch("a", own, 7, now, text(9, drop + number(8, 9) + number(9, 8))),
            "the end of its own run": batch("a", own, 7, now, text(13, text(1, own) + number(2, 5))),
            "ended run is 1152921504606846976": batch("a", own, 7, now, text(13, text(1, other) + number(2, 1 << 60))),
            "older run is 18446744073709551615": batch("a", own, 7, now, text(14, text(1, other) + number(2, 2**64 - 1))),
            "the time of a frame is 9223372036854775807": batch("a", own, 7, 2**63 - 1),
            "the time of append is -1": batch("a", own, 7, now, fixed(12, -1)),
        }
        agent = self.foreign(server, "a", own)
        agent.publish(batch("a", own, 1, now), *forged.values(), batch("a", own, 2, now))
        refused = agent.settled()
        self.assertEqual(sorted(refused), list(range(2, 2 + len(forged))))
        for (words, _), got in zip(forged.items(), (refused[i] for i in sorted(refused))):
            self.assertIn(words, got)
            self.assertTrue(got.startswith("invalid: "), got)
        status, out, err = self.ledger("--format", "json")
        self.assertEqual(status, 0, err)
        row = json.loads(out)
        self.assertEqual((row["batches_stored"], row["last_sequence"], row["missing"], row["dropped"]), (2, 2, [], []))

    def test_warns_both_agents_that_share_an_id(self):
        server = self.start_server()
        self.configure("twin", "--interval", "0.1", "--metrics", "cpu")
        agents = [self.start("monitor-agent", "--agent-id", "twin", "--server", server.address, "--data", f"{self.data}/{name}",
                             "--config-dir", f"{self.data}/monitor", "--http", "127.0.0.1:0") for name in ("one", "two")]
        server.says("agent_id_conflict .*agent=twin")
        for agent in agents:
            agent.says(r"agent_id_conflict agent=twin .*sends under the agent id twin, too.*--agent-id")
            address = agent.says(r"service=http address=(\S+)").group(1)
            with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as reply:
                self.assertIn("\nmonitor_agent_id_conflict 1\n", reply.read().decode())

        def status(*arguments):
            return run("monitor-config", "status", "--dir", f"{self.data}/monitor", *arguments)[1]

        wait_until(lambda: "warning: " in status(), "the status to show the warning")
        self.assertIn("sends under the agent id twin, too", json.loads(status("--format", "json"))["warning"])

    def named(self, name, program, *arguments):
        return self.start("unshare", "--uts", sys.executable, "-c", NAMED, name.hex(), os.path.join(BIN, program), *arguments,
                          "--data", self.data)

    def test_derives_an_id_from_any_host_name_and_warns_if_it_differs(self):
        server = self.start_server()
        names = {b"web-1": "web-1", b"WEB_1.x.": "WEB_1.x.", b"h" * 64: "h" * 64, b"b\xc3\xbcro": None, b"a/../b": None, b"\xff\xfe": None}
        ids = set()
        for name, expected in names.items():
            agent = self.named(name, "monitor-agent", "--server", server.address, "--config-dir", f"{self.data}/monitor")
            got = agent.says(r"agent started agent=(\S+)").group(1)
            self.assertRegex(got, r"^[A-Za-z0-9._-]{1,128}$")
            self.assertEqual(got, expected or got)
            self.assertEqual(agent.said("agent id is derived from the host's name .*--agent-id"), 0 if expected else 1, name)
            wait_until(lambda got=got: self.batches(got) if os.path.exists(f"{self.data}/log.db") else None, f"a batch of {got}")
            self.assertEqual(agent.stop(), 0)
            ids.add(got)
        self.assertEqual(len(ids), len(names))

    def test_warns_about_localhost_and_requires_an_id_without_a_host_name(self):
        server = self.start_server()
        agent = self.named(b"localhost", "monitor-agent", "--server", server.address, "--config-dir", f"{self.data}/monitor")
        agent.says("agent id is derived from the host's name agent=localhost .*--agent-id")
        agent.says("agent started agent=localhost")
        agent = self.named(b"", "monitor-agent", "--server", server.address, "--config-dir", f"{self.data}/monitor")
        self.assertEqual(agent.ends(), 64)
        agent.says("--agent-id: this host has no name")


if __name__ == "__main__":
    unittest.main()
