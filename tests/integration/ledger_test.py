"""The ledger of a reader group whose members are killed, leave and join. It must equal the ledger of a single reader
and an independent count of the log, on Kafka and on SQLite."""
import collections
import itertools
import json
import os
import random
import re
import sqlite3
import sys
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ProgramTest, run, wait_until  # noqa: E402
from services import addresses, kcat  # noqa: E402


class LedgerTest(ProgramTest):
    log = []
    group = "g"

    def ledger(self, *arguments, expected=0, missing_after=0):
        status, out, err = run("monitor-analysis", "ledger", *self.log, "--format", "json", "--missing-after", missing_after, *arguments)
        self.assertEqual(status, expected, err)
        return [json.loads(line) for line in out.splitlines()], err

    def start_log_server(self, *arguments):
        server = self.start("monitor-server", *self.log, "--port", 0, "--http", "off", "--data", self.data, *arguments)
        server.address = server.says(r"listening service=grpc address=(\S+)").group(1)
        return server

    def start_agents(self, server, names):
        agents = {}
        for name in names:
            self.configure(name, "--interval", "0.05", "--metrics", "cpu", "memory")
            status, _, err = run("monitor-config", "set", "--dir", f"{self.data}/monitor", "--agent-id", name, "send_every=0.05")
            self.assertEqual(status, 0, err)
            agents[name] = self.start_agent(name, server)
        return agents

    def watch(self):
        return self.start("monitor-analysis", "ledger", *self.log, "--group-id", self.group, "--watch", "--format", "json",
                          "--missing-after", 0, "--timeout", 60)

    def disturb_members(self, agents, server, limit=60):
        """Kills or stops readers of the group and starts others, at random times, while agents send and are killed. The
        last reader stops cleanly."""
        draw = random.Random(7)
        members = [self.watch()]
        members[0].prints(r'"agent"', limit=limit)
        for round_number in range(6):
            members.append(self.watch())
            seen = sum(len(m.out) for m in members)
            wait_until(lambda: sum(len(m.out) for m in members) > seen + draw.randrange(5), "the ledger to change", limit)
            victim = members.pop(draw.randrange(len(members)))
            if round_number % 2 == 0:
                victim.kill()
            else:
                self.assertIn(victim.stop(), (0, 1))
            if round_number == 3:
                name = draw.choice(sorted(agents))
                agents[name].kill()
                agents[name] = self.start_agent(name, server)
        for agent in agents.values():
            self.assertEqual(agent.stop(), 0)
        for member in members:
            self.assertIn(member.stop(), (0, 1))

    def compare(self, counted):
        """Compares the group's ledger, a single reader's ledger, and `counted`: {(agent, incarnation): [sequences in
        the log]}."""
        alone, _ = self.ledger()
        # A killed member holds its partitions for 20 s. Until then, a reader of the group gets only a part of the log.
        wait_until(lambda: len(self.ledger("--group-id", self.group, "--timeout", 60)[0]) == len(alone),
                   "the reader to get all partitions", limit=60)
        group, _ = self.ledger("--group-id", self.group, "--timeout", 60)
        self.assertEqual(group, alone, "the group's count equals a single reader's")
        again, _ = self.ledger("--group-id", self.group, "--timeout", 60)
        self.assertEqual(again, alone, "the result is stable")
        self.assertEqual({(row["agent"], row["incarnation"]) for row in alone}, set(counted))
        for row in alone:
            sequences = counted[(row["agent"], row["incarnation"])]
            self.assertEqual(row["batches_stored"], len(set(sequences)))
            self.assertEqual(row["duplicates"], len(sequences) - len(set(sequences)))
            self.assertEqual((row["first_sequence"], row["last_sequence"]), (min(sequences), max(sequences)))
            self.assertEqual(row["missing"], [])
            self.assertEqual(row["expired"], [])
            dropped = sum(d["points"] for d in row["dropped"])
            self.assertEqual(row["points_made"], row["points_stored"] + dropped, row)
        return alone


class KafkaLedgerTest(LedgerTest):
    def setUp(self):
        super().setUp()
        self.kafka = addresses()["KAFKA"]
        self.topic = "test-" + uuid.uuid4().hex[:12]
        self.log = ["--kafka", self.kafka, "--topic", self.topic]
        self.group = "group-" + self.topic  # Kafka's groups are not per topic

    def counted(self):
        found = collections.defaultdict(list)
        for line in kcat("-C", "-b", self.kafka, "-t", self.topic, "-o", "beginning", "-e", "-f", "%k\t%h\n").decode().splitlines():
            agent, headers = line.split("\t")
            headers = dict(h.split("=", 1) for h in headers.split(","))
            found[(agent, headers["incarnation"])].append(int(headers["sequence"]))
        return dict(found)

    def test_group_ledger_is_exact_through_kills_of_members(self):
        server = self.start_log_server("--partitions", 3)
        server.says("writing to Kafka")
        agents = self.start_agents(server, [f"agent-{n}" for n in range(5)])
        self.disturb_members(agents, server, limit=90)
        rows = self.compare(self.counted())
        ends = collections.Counter(row["end"] for row in rows)
        self.assertEqual(ends, {"stopped": 5, "unclean": 1})

    def test_counts_expired_and_skipped_records(self):
        server = self.start_log_server("--partitions", 1)
        server.says("writing to Kafka")
        agents = self.start_agents(server, ["a"])
        group = self.watch()
        group.prints(r'"batches_stored":([2-9]|\d\d)', limit=60)
        self.assertEqual(group.stop(), 0)
        expired = max(int(count) for count in re.findall(r'"batches_stored":(\d+)', "\n".join(group.out))) + 10
        alone = self.start("monitor-analysis", "ledger", *self.log, "--watch", "--format", "json")
        for report in itertools.count(1):
            if int(alone.prints(r'"batches_stored":(\d+)', report)[1]) >= expired + 20:
                break
        alone.kill()
        self.assertEqual(agents["a"].stop(), 0)
        with open(f"{self.data}/garbage", "w", encoding="ascii") as out:
            out.write("garbage")
        kcat("-P", "-b", self.kafka, "-t", self.topic, "-k", "a", f"{self.data}/garbage")
        self.delete_records(expired)
        rows, err = self.ledger()
        self.assertIn("skipped=1 ", err)
        self.assertEqual(rows[0]["expired"], [[1, expired]])
        self.assertEqual(rows[0]["missing"], [])
        self.assertEqual(rows[0]["first_sequence"], expired + 1)
        group, err = self.ledger("--group-id", self.group, "--timeout", 60)
        self.assertIn("records lost to retention before they were read", err)
        # The group keeps its earlier counts.
        self.assertEqual(group[0]["expired"][0][1], expired)
        self.assertGreater(group[0]["expired"][0][0], 1)
        self.assertEqual(group[0]["missing"], [])

    def delete_records(self, before):
        helper = os.path.join(os.environ["MONITOR_BUILD_DIR"], "tests", "kafka_delete_records")
        status, _, err = run(helper, self.kafka, self.topic, 0, before)
        self.assertEqual(status, 0, err)


class SqliteLedgerTest(LedgerTest):
    def setUp(self):
        super().setUp()
        self.path = f"{self.data}/log.db"
        self.log = ["--log", f"sqlite:{self.path}"]

    def rows(self, sql="SELECT key, headers FROM records ORDER BY offset"):
        with sqlite3.connect(f"file:{self.path}?mode=ro", uri=True) as database:
            return database.execute(sql).fetchall()

    def counted(self):
        found = collections.defaultdict(list)
        for agent, headers in self.rows():
            headers = json.loads(headers)
            found[(agent, headers["incarnation"])].append(int(headers["sequence"]))
        return dict(found)

    def test_group_ledger_is_exact_through_kills_of_members(self):
        server = self.start_log_server()
        agents = self.start_agents(server, ["a", "b"])
        self.disturb_members(agents, server)
        self.compare(self.counted())

    def test_distinguishes_missing_expired_and_dropped_batches(self):
        server = self.start_log_server()
        agents = self.start_agents(server, ["a"])
        wait_until(lambda: os.path.exists(self.path) and len(self.rows()) >= 20, "records")
        self.assertEqual(agents["a"].stop(), 0)
        agents = self.start_agents(server, ["a"])
        wait_until(lambda: len(self.counted()) == 2, "the second run")
        agents["a"].kill()
        agents = self.start_agents(server, ["a"])
        wait_until(lambda: len(self.counted()) == 3, "the third run")
        self.assertEqual(agents["a"].stop(), 0)
        self.assertEqual(server.stop(), 0)
        rows, _ = self.ledger()
        self.assertEqual([row["clean"] for row in rows], [True, False, True])
        self.assertEqual([row["end"] for row in rows], ["stopped", "unclean", "stopped"])
        self.assertEqual([row["unknown_tail"] for row in rows], [row["clean"] is not True for row in rows])
        # Records deleted from the middle are missing; records deleted from the beginning have expired.
        with sqlite3.connect(self.path) as database:
            database.execute("DELETE FROM records WHERE offset <= 5 OR offset = 9 OR offset IN (12, 13)")
        first = self.ledger(expected=1)[0][0]
        self.assertEqual(first["expired"], [[1, 5]])
        self.assertEqual(first["missing"], [[9, 9], [12, 13]])
        status, out, _ = run("monitor-analysis", "ledger", *self.log, "--missing-after", 0)
        self.assertEqual(status, 1)
        self.assertRegex(out, r"missing +9, 12-13\n")
        self.assertIn("3 batches are missing", out)
        self.assertLessEqual(max(map(len, out.splitlines())), 100)
        self.assertEqual(self.ledger("--agent", "b")[0], [])
        waiting = self.ledger(missing_after="1h")[0][0]
        self.assertEqual(waiting["waiting"], [[9, 9], [12, 13]])

    def test_watch_prints_changes(self):
        server = self.start_log_server()
        agents = self.start_agents(server, ["a"])
        watching = self.start("monitor-analysis", "ledger", *self.log, "--watch", "--format", "json", "--http", "127.0.0.1:0")
        lines = watching.json_lines(4)
        stored = [line["batches_stored"] for line in lines]
        self.assertEqual(stored, sorted(set(stored)))
        self.assertEqual(agents["a"].stop(), 0)
        self.assertEqual(watching.stop(), 0)

    def test_reports_wrong_options_and_unreadable_logs(self):
        def fails(status, said, *arguments):
            got, _, err = run("monitor-analysis", "ledger", *arguments)
            self.assertEqual(got, status, err)
            self.assertIn(said, err)

        fails(64, "before --from", *self.log, "--from", "-1m", "--to", "-2m")
        fails(64, "before --from", *self.log, "--from", "2026-11-22T12:00:00Z", "--to", "2026-11-22T11:00:00Z")
        fails(64, "--from", *self.log, "--from", "soon")
        fails(64, "--to", *self.log, "--to", "-1m", "--watch")
        fails(64, 'duration: got "-1"', *self.log, "--missing-after", "-1")
        fails(64, "--format", *self.log, "--format", "csv")
        fails(69, "does not exist yet", *self.log, "--timeout", "0.2")
        fails(69, "cannot be reached", "--kafka", "127.0.0.1:1", "--timeout", 1)
        with open(self.path, "wb") as out:
            out.write(b"this is no log at all " * 1000)
        fails(74, self.path, *self.log)

    def test_accepts_an_empty_log(self):
        server = self.start_log_server()
        self.assertEqual(server.stop(), 0)
        self.assertEqual(self.ledger()[0], [])
        status, out, _ = run("monitor-analysis", "ledger", *self.log)
        self.assertEqual(status, 0)
        self.assertIn("nothing is missing", out)


if __name__ == "__main__":
    unittest.main()
