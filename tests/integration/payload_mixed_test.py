#!/usr/bin/env python3
"""Payload v1 and v2 side by side: agents and servers of both kinds in either order, a log with both, a downgrade with a
spool full of v2. A server with --encoding v1 answers Hello as one that does not know v2."""
import collections
import json
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ProgramTest, run, wait_until  # noqa: E402
from decode_batch import is_payload_v2, read_sqlite  # noqa: E402

METRICS = 'metrics=["cpu","memory","swap","disk read","disk write","net in","net out","load"]'


class Mixed(ProgramTest):
    def setUp(self):
        super().setUp()
        for agent in ("a", "b"):
            run("monitor-config", "set", "--agent-id", agent, "--dir", f"{self.data}/monitor", "interval=0.1", "send_every=0", METRICS)

    def agent(self, server, encoding, agent_id="a", *arguments):
        agent = self.start_agent(agent_id, server, "--simulate=7", "--encoding", encoding, *arguments)
        agent.incarnation = agent.says(r"agent started .*incarnation=(\w+)").group(1)
        return agent

    def records(self):
        """(agent, whether it is v2, headers) of every record."""
        return [(key, is_payload_v2(value), headers) for _, _, key, headers, value in read_sqlite(f"{self.data}/log.db")]

    def kinds(self):
        return collections.Counter((key, v2) for key, v2, _ in self.records())

    def arrive(self, kind, count):
        wait_until(lambda: os.path.exists(f"{self.data}/log.db") and self.kinds()[kind] >= count, f"{count} records {kind}")

    def whole(self, *incarnations):
        """Every batch of these runs is in the log once, and readers miss nothing."""
        stored = collections.defaultdict(list)
        for batch in self.batches():
            stored[batch["incarnation"]].append(batch)
        for incarnation in incarnations:
            sequences = sorted(batch["sequence"] for batch in stored[incarnation])
            self.assertEqual(sequences, list(range(1, len(sequences) + 1)))
            last = max(stored[incarnation], key=lambda batch: batch["sequence"])
            points = sum(len(frame["points"]) for batch in stored[incarnation] for frame in batch["frames"])
            self.assertEqual(points, last["counters"]["points_made"])
        status, _, err = run("monitor-analysis", "ledger", "--log", f"sqlite:{self.data}/log.db", "--data", self.data)
        self.assertEqual(status, 0, err)

    def test_new_agent_and_new_server_use_v2(self):
        server = self.start_server()
        agent = self.agent(server, "v2")
        agent.says(r"stream to the server established .*payload=2")
        self.arrive(("a", True), 20)
        agent.stop()
        self.assertEqual(set(self.kinds()), {("a", True)})
        self.assertEqual([headers for _, _, headers in self.records() if headers], [], "a record of v2 needs no headers")
        self.whole(agent.incarnation)

    def test_headers_on_request(self):
        server = self.start_server("--record-headers")
        agent = self.agent(server, "v2")
        self.arrive(("a", True), 3)
        agent.stop()
        for number, (_, _, headers) in enumerate(self.records(), 1):
            self.assertEqual(headers, {"agent": "a", "incarnation": agent.incarnation, "sequence": str(number), "config-revision":
                                       headers["config-revision"], "content-type": "application/x-monitor-payload"})

    def test_old_agent_with_new_server(self):
        server = self.start_server()
        agent = self.agent(server, "v1")
        self.arrive(("a", False), 20)
        agent.stop()
        self.assertEqual(set(self.kinds()), {("a", False)})
        self.assertEqual(self.records()[0][2]["content-type"], "application/x-protobuf")
        self.whole(agent.incarnation)

    def test_new_agent_with_old_server(self):
        server = self.start_server("--encoding", "v1")
        agent = self.agent(server, "v2")
        agent.says(r"stream to the server established .*payload=1")
        self.arrive(("a", False), 20)
        agent.stop()
        self.assertEqual(set(self.kinds()), {("a", False)})
        self.whole(agent.incarnation)

    def test_servers_are_upgraded_and_downgraded_under_running_agents(self):
        server = self.start_server("--encoding", "v1")
        port = server.address.rsplit(":", 1)[1]
        new, old = self.agent(server, "v2"), self.agent(server, "v1", "b")
        self.arrive(("a", False), 10)
        for encoding, v2 in (("v2", True), ("v1", False), ("v2", True)):
            before = self.kinds()[("a", v2)]
            server.stop()
            server = self.start_server("--encoding", encoding, port=port)
            self.arrive(("a", v2), before + 10)
        new.stop()
        old.stop()
        self.assertEqual({v2 for key, v2 in self.kinds() if key == "b"}, {False})
        self.whole(new.incarnation, old.incarnation)

    def test_downgrade_with_a_spool_of_v2(self):
        """The backlog of a newer run is sent by an older one, to an old server."""
        agent = self.agent("127.0.0.1:1", "v2")
        spool = f"{self.data}/agent/a/spool"
        agent.says("first values collected")

        def waiting():
            found = re.findall(rf"{agent.incarnation[:8]} .* 1-(\d+) ", run("monitor-agent", "spool", "inspect", spool)[1])
            return found and int(found[-1]) >= 60

        wait_until(waiting, "60 batches in the spool")
        agent.kill()
        server = self.start_server("--encoding", "v1")
        older = self.agent(server, "v1")
        wait_until(lambda: self.kinds()[("a", False)] > 60, "the backlog")
        wait_until(lambda: any(end["incarnation"] == agent.incarnation for batch in self.batches() for end in batch["ended"]), "its end")
        older.stop()
        self.assertEqual(set(self.kinds()), {("a", False)})
        self.whole(older.incarnation)
        ends = {end["incarnation"]: end["last_sequence"] for batch in self.batches() for end in batch["ended"]}
        sequences = sorted(batch["sequence"] for batch in self.batches() if batch["incarnation"] == agent.incarnation)
        self.assertEqual(sequences, list(range(1, ends[agent.incarnation] + 1)))

    def test_a_reader_that_starts_in_the_middle(self):
        server = self.start_server()
        agent = self.agent(server, "v2")
        self.arrive(("a", True), 20)
        reader = self.start("monitor-analysis", "get-metrics", "--log", f"sqlite:{self.data}/log.db", "--format", "json", "--from", "latest",
                            "--data", self.data)
        first = reader.json_lines(5)[0]
        self.assertGreater(first["sequence"], 10)
        self.assertIn("system.cpu.utilization", [metric["name"] for metric in first["metrics"]])
        agent.stop()

    def test_json_of_both(self):
        server = self.start_server("--encoding", "json")
        new, old = self.agent(server, "v2"), self.agent(server, "v1", "b")
        new.says("first values collected")
        wait_until(lambda: {"a", "b"} <= {key for _, _, key, *_ in read_sqlite(f"{self.data}/log.db")}, "records")
        new.stop()
        old.stop()
        values = {key: json.loads(value) for _, _, key, _, value in read_sqlite(f"{self.data}/log.db")}
        self.assertEqual(values["a"].keys(), values["b"].keys())

    def test_values_are_those_of_v1(self):
        """Two agents that simulate the same host: what get-metrics prints of them has the same form and units."""
        server = self.start_server()
        new, old = self.agent(server, "v2"), self.agent(server, "v1", "b")
        self.arrive(("a", True), 15)
        self.arrive(("b", False), 15)
        new.stop()
        old.stop()
        lines = self.start_reader("--count", "20").json_lines(20)
        by_agent = {line["agent"]: line for line in lines}
        self.assertEqual(by_agent["a"].keys(), by_agent["b"].keys())
        self.assertEqual([metric["name"] for metric in by_agent["a"]["metrics"]], [metric["name"] for metric in by_agent["b"]["metrics"]])


if __name__ == "__main__":
    unittest.main()
