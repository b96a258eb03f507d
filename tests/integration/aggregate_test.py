"""Aggregates of a reader group whose members are killed, while agents send, are cut off and send their backlog. Each row
must equal what this file computes from the records of the log, on Kafka and on SQLite."""
import collections
import datetime
import json
import os
import random
import sqlite3
import struct
import sys
import time
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ProgramTest, run, wait_until  # noqa: E402
from services import addresses, kcat  # noqa: E402
from decode_batch import decode, read_sqlite  # noqa: E402

SECOND = 10**9
WINDOW = 2 * SECOND
STATS = "avg,min,max,sum,count,first,last,rate,p50,p95,p100"


def rfc3339(ns):
    return datetime.datetime.fromtimestamp(ns // SECOND, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def unique_batches(values):
    """The batches of the log, without copies."""
    seen = {}
    for value in values:
        batch = decode(value)
        seen.setdefault((batch["agent"], batch["incarnation"], batch["sequence"]), batch)
    return list(seen.values())


def quantile(ordered, q):
    rank = q * (len(ordered) - 1)
    below = int(rank)
    part = rank - below
    high = ordered[min(below + 1, len(ordered) - 1)]
    return ordered[below] * (1 - part) + high * part, 0.0101 * (abs(ordered[below]) * (1 - part) + abs(high) * part) + 1e-12


def rate(points, counter):
    if len(points) < 2:
        return None
    change = points[-1][1] - points[0][1]
    if counter:
        change = sum(b - a if b >= a else b for (_, a), (_, b) in zip(points, points[1:]))
    return change / ((points[-1][0] - points[0][0]) / SECOND)


def windows_of(batches):
    """{(start, agent, metric, labels): [(time, value)] and whether it is a counter}, sorted by time."""
    found = collections.defaultdict(list)
    counters = set()
    for batch in batches:
        for frame in batch["frames"]:
            for series, value in frame["points"]:
                labels = {**batch["resource"], **series["labels"]}
                key = (frame["time"] // WINDOW * WINDOW, batch["agent"], series["name"], json.dumps(labels, sort_keys=True))
                found[key].append((frame["time"], value))
                if series["kind"] == 1:
                    counters.add(key)
    return {key: (sorted(points), key in counters) for key, points in found.items()}


class AggregateTest(ProgramTest):
    log = []
    group = "aggregates"

    def start_log_server(self, *arguments, port=0):
        server = self.start("monitor-server", *self.log, "--port", port, "--http", "off", "--data", self.data, *arguments)
        server.address = server.says(r"listening service=grpc address=(\S+)").group(1)
        return server

    def start_agents(self, server, names):
        self.agents = {}
        for name in names:
            document = {"interval": 0.1, "send_every": 0.1,
                        "metrics": ["cpu", "memory", {"name": "net in", "counters": True}, {"name": "disk write", "counters": True}]}
            path = f"{self.data}/{name}.json"
            with open(path, "w", encoding="ascii") as file:
                json.dump(document, file)
            status, _, err = run("monitor-config", "set", "--dir", f"{self.data}/monitor", "--agent-id", name, "--file", path)
            self.assertEqual(status, 0, err)
            self.agents[name] = self.start_agent(name, server)

    def rows_of(self, records):
        """The rows of (key, value). Window and group decide the key, and a key is of one window and group: so a reader that
        keeps the newest row of each key counts nothing twice, however often a killed member's rows were appended."""
        rows, keys = [], {}
        for key, value in records:
            row = json.loads(value)
            identity = json.dumps([row["aggregate"], row["start"], row["metric"], row["by"]], sort_keys=True)
            self.assertEqual(keys.setdefault(key, identity), identity)
            rows.append(row)
        self.assertEqual(len(set(keys.values())), len(keys))
        return rows

    def check_row(self, row, points, counter):
        values = [value for _, value in points]
        exact = {"avg": sum(values) / len(values), "min": min(values), "max": max(values), "sum": sum(values), "count": len(values),
                 "first": points[0][1], "last": points[-1][1], "rate": rate(points, counter), "p100": max(values)}
        for name, expected in exact.items():
            got = row["stats"][name]
            if expected is None or got is None:
                self.assertEqual(got, expected, (name, row))
            else:
                self.assertAlmostEqual(got, expected, delta=1e-9 * max(1.0, abs(expected)), msg=(name, row))
        for name, q in (("p50", 0.5), ("p95", 0.95)):
            expected, error = quantile(sorted(values), q)
            self.assertAlmostEqual(row["stats"][name], expected, delta=error, msg=(name, row))

    def compare(self, rows, batches, until):
        """Compares the newest revision of each row. All windows that end by `until` must be there."""
        newest = {}
        for row in rows:
            key = (row["start"], row["by"]["agent"], row["metric"], json.dumps({k: v for k, v in row["by"].items() if k != "agent"}, sort_keys=True))
            if key not in newest or row["revision"] >= newest[key]["revision"]:
                newest[key] = row
        expected = {(rfc3339(start), *rest): (start, points) for (start, *rest), points in windows_of(batches).items()}
        compared = 0
        for key, (start, (points, counter)) in expected.items():
            if start + WINDOW > until:
                continue
            self.assertIn(key, newest)
            self.assertTrue(newest[key]["complete"])
            self.check_row(newest[key], points, counter)
            compared += 1
        self.assertEqual(set(newest) - set(expected), set())
        self.assertGreater(compared, 50)

    def until(self, batches):
        """Data up to this time has come from every agent."""
        last = collections.defaultdict(int)
        for batch in batches:
            last[batch["agent"]] = max(last[batch["agent"]], batch["appended"])
        return min(last.values()) - 2 * SECOND

    def cut_off(self, server):
        """The agents cannot reach the server for three windows, and then send the newest batches before the older ones."""
        server.kill()
        for agent in self.agents.values():
            agent.says("no stream to the server")
        since = time.time_ns() // WINDOW
        wait_until(lambda: time.time_ns() // WINDOW >= since + 3, "three windows to pass")
        return self.start_log_server(*self.server_arguments, port=server.address.rsplit(":", 1)[1])


class SqliteAggregateTest(AggregateTest):
    server_arguments = []

    def setUp(self):
        super().setUp()
        self.path = f"{self.data}/log.db"
        self.log = ["--log", f"sqlite:{self.path}"]

    def values(self):
        return [value for *_, value in read_sqlite(self.path)]

    def rows(self, path):
        """The rows in the order in which they were appended. Their keys identify window and group."""
        if not os.path.exists(path):
            return []
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'records'").fetchall():
                return []  # it was made just now
            records = database.execute("SELECT key, value FROM records ORDER BY offset").fetchall()
        return self.rows_of(records)

    def aggregate(self, *arguments):
        return self.start("monitor-analysis", "aggregate", *self.log, "--window", "2s", "--lateness", "1s", "--stats", STATS,
                          "--group-id", self.group, *arguments)

    def test_rows_equal_the_log_through_kills(self):
        server = self.start_log_server()
        self.start_agents(server, ["a", "b"])
        draw = random.Random(3)
        output = ["--output", f"sqlite:{self.data}/rows.db"]
        wait_until(lambda: os.path.exists(self.path) and len(self.values()) > 3, "records")
        member = self.aggregate("--from", "earliest", *output)
        for round_number in range(6):
            before = len(self.rows(f"{self.data}/rows.db"))
            wait_until(lambda: len(self.rows(f"{self.data}/rows.db")) > before + draw.randrange(20), "rows")
            member.kill()
            if round_number == 2:
                server = self.cut_off(server)
            member = self.aggregate(*output)
        wait_until(lambda: len({row["start"] for row in self.rows(f"{self.data}/rows.db")}) >= 6, "six windows", 60)
        for agent in self.agents.values():
            self.assertEqual(agent.stop(), 0)
        until = self.until(unique_batches(self.values()))
        last = rfc3339(until // WINDOW * WINDOW - WINDOW)
        wait_until(lambda: any(row["start"] == last for row in self.rows(f"{self.data}/rows.db")), f"the window {last}", 60)
        # Corrections come at most every two seconds of event time, and the log is silent now.
        wait_until(lambda: self.all_corrected(until), "corrections", 60)
        self.assertEqual(member.stop(), 0)
        self.compare(self.rows(f"{self.data}/rows.db"), unique_batches(self.values()), until)

    def all_corrected(self, until):
        counts = {}
        for row in self.rows(f"{self.data}/rows.db"):
            counts[(row["start"], row["by"]["agent"], row["metric"])] = row["stats"]["count"]
        for (start, agent, metric, _), (points, _) in windows_of(unique_batches(self.values())).items():
            if metric == "system.cpu.utilization" and start + WINDOW <= until and counts.get((rfc3339(start), agent, metric)) != len(points):
                return False
        return True

    def test_prints_what_the_log_holds_once(self):
        server = self.start_log_server()
        self.start_agents(server, ["a", "b"])
        wait_until(lambda: os.path.exists(self.path) and len(self.values()) > 150, "records")
        for agent in self.agents.values():
            self.assertEqual(agent.stop(), 0)
        self.assertEqual(server.stop(), 0)
        common = [*self.log, "--once", "--window", "2s", "--lateness", "1s", "--stats", STATS]
        status, out, err = run("monitor-analysis", "aggregate", *common, "--format", "json")
        self.assertEqual(status, 0, err)
        rows = [json.loads(line) for line in out.splitlines()]
        expected = windows_of(unique_batches(self.values()))
        self.assertEqual(len(rows), len(expected), "each window and series once")
        for row in rows:
            labels = json.dumps({k: v for k, v in row["by"].items() if k != "agent"}, sort_keys=True)
            found = [value for key, value in expected.items()
                     if (rfc3339(key[0]), *key[1:]) == (row["start"], row["by"]["agent"], row["metric"], labels)]
            self.assertEqual(len(found), 1, row)
            self.check_row(row, *found[0])
        self.assertEqual({row["complete"] for row in rows}, {True, False}, "the last window is still open")
        # Without the agent, both agents' values are in one group.
        status, out, err = run("monitor-analysis", "aggregate", *common, "--by", "none", "--metric", "system.memory.usage", "--format", "csv")
        self.assertEqual(status, 0, err)
        lines = out.splitlines()
        self.assertEqual(lines[0], f"start,end,metric,unit,revision,complete,{STATS}")
        merged = collections.Counter()
        for (start, _, metric, _), (points, _) in expected.items():
            if metric == "system.memory.usage":
                merged[rfc3339(start)] += len(points)
        self.assertEqual({line.split(",")[0]: int(line.split(",")[10]) for line in lines[1:]}, dict(merged))
        status, out, err = run("monitor-analysis", "aggregate", *common, "--count", 1, "--by", "agent", "--metric", "cpu")
        self.assertEqual(status, 0, err)
        self.assertRegex(out.splitlines()[0], r"^WINDOW +AGENT +METRIC +AVG +MIN")
        self.assertEqual(len({line.split()[0] for line in out.splitlines()[1:]}), 1, out)

    def test_rejects_wrong_options(self):
        def fails(said, *arguments):
            status, _, err = run("monitor-analysis", "aggregate", *self.log, *arguments)
            self.assertEqual(status, 64, err)
            self.assertIn(said, err)

        fails('--stats: unknown statistic "mean", known are avg', "--stats", "mean")
        fails("--by: ", "--by", "agent,agent")
        fails("--slide: got 2m, which is above --window 1m", "--slide", "2m")
        fails("--output: ", "--output", "nowhere")
        fails("which is the log that is read", "--output", f"sqlite:{self.path}")
        fails("--from", "--from", "soon")
        fails("--format", "--format", "xml")


class KafkaAggregateTest(AggregateTest):
    server_arguments = ["--partitions", 3]

    def setUp(self):
        super().setUp()
        self.kafka = addresses()["KAFKA"]
        self.topic = "test-" + uuid.uuid4().hex[:12]
        self.log = ["--kafka", self.kafka, "--topic", self.topic]
        self.group = "group-" + self.topic

    def values(self):
        data = kcat("-C", "-b", self.kafka, "-t", self.topic, "-o", "beginning", "-e", "-q", "-f", "%R%s")
        values = []
        while data:
            size = struct.unpack(">i", data[:4])[0]
            values.append(data[4:4 + size])
            data = data[4 + size:]
        return values

    def rows(self):
        lines = kcat("-C", "-b", self.kafka, "-t", self.topic + "-rows", "-o", "beginning", "-e", "-q", "-f", "%k\t%s\n").decode().splitlines()
        return self.rows_of(line.split("\t") for line in lines)

    def aggregate(self, *arguments):
        return self.start("monitor-analysis", "aggregate", *self.log, "--window", "2s", "--lateness", "1s", "--stats", STATS,
                          "--group-id", self.group, "--output", f"kafka:{self.kafka}/{self.topic}-rows", *arguments)

    def test_rows_equal_the_log_through_kills_of_members(self):
        server = self.start_log_server(*self.server_arguments)
        server.says("writing to Kafka")
        self.start_agents(server, [f"agent-{n}" for n in range(4)])
        # A new group starts at the end of the log, unless it is told otherwise; the first one makes the topic.
        members = [self.aggregate("--from", "earliest")]
        members[0].says("aggregating", limit=60)
        wait_until(lambda: self.has_rows(1), "the first rows", 90)
        for round_number in range(3):
            members.append(self.aggregate())
            count = len(self.rows())
            wait_until(lambda: self.has_rows(count + 40), "more rows", 90)
            members.pop(0).kill()
            if round_number == 1:
                server = self.cut_off(server)
        count = len(self.rows())
        wait_until(lambda: self.has_rows(count + 40), "rows of the last member", 90)
        for agent in self.agents.values():
            self.assertEqual(agent.stop(), 0)
        until = self.until(unique_batches(self.values()))
        expected = windows_of(unique_batches(self.values()))

        def complete():
            counts = {(r["start"], r["by"]["agent"], r["metric"]): r["stats"]["count"] for r in self.rows()}
            return all(counts.get((rfc3339(start), agent, metric)) == len(points)
                       for (start, agent, metric, _), (points, _) in expected.items()
                       if metric == "system.cpu.utilization" and start + WINDOW <= until)

        wait_until(complete, "all windows", 120)
        rows = self.rows()
        self.compare(rows, unique_batches(self.values()), until)
        # Revisions of a window rise; a killed member's last rows come again with the revision that they had.
        revisions = collections.Counter((row["start"], json.dumps(row["by"], sort_keys=True), row["metric"], row["revision"]) for row in rows)
        print(f"{len(rows)} rows, of which {sum(revisions.values()) - len(revisions)} were appended again after a kill")
        for member in members:
            self.assertEqual(member.stop(), 0)

    def has_rows(self, count):
        try:
            return len(self.rows()) >= count
        except AssertionError:  # there is no topic yet
            return False


if __name__ == "__main__":
    unittest.main()
