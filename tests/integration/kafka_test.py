"""The real programs on a real Kafka, checked with kcat."""
import json
import os
import re
import socket
import sys
import time
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ProgramTest, run, wait_until  # noqa: E402
from services import Services, addresses, kcat  # noqa: E402


class KafkaTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.kafka = addresses()["KAFKA"]
        self.topic = "test-" + uuid.uuid4().hex[:12]
        self.log = ["--kafka", self.kafka, "--topic", self.topic]

    def start_kafka_server(self, *arguments, port=0, wait=True):
        server = self.start("monitor-server", *self.log, "--port", port, "--http", "off", "--data", self.data, *arguments)
        server.address = server.says(r"listening service=grpc address=(\S+)").group(1)
        if wait:
            server.says("writing to Kafka")
        return server

    def read(self, *arguments):
        return self.start("monitor-analysis", "get-metrics", *self.log, "--format", "json", *arguments)

    def produce(self, key, value, *headers):
        arguments = ["-P", "-b", self.kafka, "-t", self.topic, "-k", key]
        for header in headers:
            arguments += ["-H", header]
        path = f"{self.data}/{uuid.uuid4().hex}"
        with open(path, "wb") as out:
            out.write(value)
        kcat(*arguments, path)

    def records(self, form, count):
        return kcat("-C", "-b", self.kafka, "-t", self.topic, "-o", "beginning", "-c", str(count), "-f", form)

    def test_records_have_key_headers_and_json_value(self):
        server = self.start_kafka_server("--encoding", "json")
        self.configure("agent-7", "--interval", "0.1", "--metrics", "cpu", "memory")
        agent = self.start_agent("agent-7", server, "--simulate=3")
        self.read("--from", "earliest").json_lines(3)
        agent.stop()
        line = self.records("%k\t%h\t%s\n", 1).decode().splitlines()[0]
        key, headers, value = line.split("\t")
        self.assertEqual(key, "agent-7")
        found = dict(h.split("=", 1) for h in headers.split(","))
        self.assertEqual(set(found), {"agent", "incarnation", "sequence", "config-revision", "content-type"})
        self.assertEqual((found["agent"], found["sequence"], found["content-type"]), ("agent-7", "1", "application/json"))
        batch = json.loads(value)
        self.assertEqual(batch["agent"], "agent-7")
        self.assertIn("system.cpu.utilization", value)

    def test_partitions_like_java_clients(self):
        server = self.start_kafka_server()
        self.configure("agent-7", "--interval", "0.1")
        self.start_agent("agent-7", server, "--simulate=3")
        self.read("--from", "earliest").json_lines(1)
        ours = self.records("%p", 1).decode()
        # kcat with librdkafka's equivalent of Java's default partitioner.
        path = f"{self.data}/x"
        with open(path, "w", encoding="utf-8") as out:
            out.write("garbage")
        kcat("-P", "-b", self.kafka, "-t", self.topic, "-k", "agent-7", "-X", "topic.partitioner=murmur2_random", path)
        found = kcat("-C", "-b", self.kafka, "-t", self.topic, "-o", "beginning", "-e", "-f", "%p %s\n")
        theirs = [line.split(b" ")[0] for line in found.splitlines() if line.endswith(b" garbage")]
        self.assertEqual([ours.encode()], theirs)

    def test_skips_counts_and_stores_invalid_records(self):
        server = self.start_kafka_server("--partitions", "1")
        self.produce("x", b"\xff\x00garbage\xff", "content-type=application/x-protobuf")
        self.produce("x", b'{"some": "other schema"}', "content-type=application/json")
        self.produce("x", b"without headers")
        self.configure("a", "--interval", "0.1")
        self.start_agent("a", server, "--simulate=3")
        dead = self.topic + "-dead"
        status, out, err = run("monitor-analysis", "get-metrics", *self.log, "--from", "earliest", "--count", 3, "--format", "json",
                               "--dead-letter", dead, "--group-id", "g")
        self.assertEqual(status, 0, err)
        self.assertEqual(len(out.splitlines()), 3)
        self.assertIn("skipped=3", err)
        self.assertEqual(len(re.findall("WARNING record skipped", err)), 3)
        self.assertIn("content type is missing", err)
        kept = kcat("-C", "-b", self.kafka, "-t", dead, "-o", "beginning", "-c", "3", "-f", "%k|%h|%s\n")
        self.assertIn(b"\xff\x00garbage\xff", kept)
        self.assertIn(b"skipped-because=content type is missing", kept)
        self.assertIn(b"skipped-from=0/2", kept)

    def test_members_share_partitions_and_every_group_sees_all(self):
        server = self.start_kafka_server()
        members = [self.read("--group-id", "shared") for _ in range(2)]
        other = self.read("--group-id", "other")
        for reader in (*members, other):
            reader.says("reading")
        agents = [f"agent-{n}" for n in range(8)]
        for agent in agents:
            self.configure(agent, "--interval", "0.2", "--metrics", "cpu")
            self.start_agent(agent, server, "--simulate=1")

        def seen(reader):
            return {(line["agent"], line["sequence"]) for line in map(json.loads, list(reader.out))}

        wait_until(lambda: all(members[n].out for n in (0, 1)), "both members to have partitions with agents")
        marks = {agent: max((s for a, s in seen(members[0]) | seen(members[1]) if a == agent), default=0) for agent in agents}

        def all_beyond(found, more):
            return all(max((s for a, s in found if a == agent), default=0) >= marks[agent] + more for agent in agents)

        wait_until(lambda: all_beyond(seen(members[0]) | seen(members[1]), 5), "ticks of every agent from the members")
        wait_until(lambda: all_beyond(seen(other), 5), "ticks of every agent from the other group")
        late = [{(a, s) for a, s in seen(m) if s > marks[a] + 1} for m in members]
        self.assertFalse(late[0] & late[1], "no tick reaches both members")
        for found in (seen(members[0]) | seen(members[1]), seen(other)):
            for agent in agents:
                mine = sorted(s for a, s in found if a == agent)
                self.assertEqual(mine, list(range(mine[0], mine[0] + len(mine))), "without a gap")

    def test_a_group_resumes_at_its_position(self):
        server = self.start_kafka_server()
        self.configure("a", "--interval", "0.1", "--metrics", "cpu")
        self.start_agent("a", server, "--simulate=1")
        times = []
        for n in range(4):
            status, out, err = run("monitor-analysis", "get-metrics", *self.log, "--group-id", "g", "--count", 5, "--format", "json",
                                   *(["--from", "earliest"] if n == 0 else []))
            self.assertEqual(status, 0, err)
            times += [json.loads(line)["time"] for line in out.splitlines()]
        self.assertEqual(times, sorted(set(times)), "no tick is printed twice")
        status, out, err = run("monitor-analysis", "get-metrics", *self.log, "--from", "earliest", "--count", 20, "--format", "json")
        self.assertEqual(times, [json.loads(line)["time"] for line in out.splitlines()], "none is missing")

    def test_reports_a_wrong_address_and_an_unknown_topic(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            nowhere = f"127.0.0.1:{s.getsockname()[1]}"
            status, _, err = run("monitor-analysis", "get-metrics", "--kafka", nowhere, "--timeout", 2, "--group-id", "g")
            self.assertEqual(status, 69, err)
            self.assertIn(f"Kafka at {nowhere} cannot be reached", err)
            self.assertIn("Connection refused", err)
            self.log = ["--kafka", nowhere, "--topic", self.topic]
            server = self.start_kafka_server(wait=False)
            server.says(f"Kafka does not accept records.*{nowhere}.*Connection refused")
            self.assertEqual(server.stop(), 0)
        status, _, err = run("monitor-analysis", "get-metrics", "--kafka", self.kafka, "--topic", self.topic, "--timeout", 2)
        self.assertEqual(status, 69, err)
        self.assertIn(f"topic {self.topic} does not exist", err)

    def test_rejects_wrong_options(self):
        for arguments, said in ((["--kafka", "x:y"], "HOST:PORT"), (["--topic", "a b"], "--topic"),
                                (["--kafka-property", "acks=0"], "acks cannot be changed"),
                                (["--kafka-property", "nonsense"], "NAME=VALUE"),
                                (["--kafka", self.kafka, "--log", "sqlite:x"], "--log")):
            for program in (["monitor-server", "--port", "0", "--http", "off"], ["monitor-analysis", "get-metrics"]):
                status, _, err = run(*program, *arguments, "--data", self.data)
                self.assertEqual(status, 64, f"{program} {arguments}: {err}")
                self.assertIn(said, err)

    def test_server_exits_if_the_partition_count_differs(self):
        first = self.start_kafka_server("--partitions", "2")
        first.stop()
        status, _, err = run("monitor-server", *self.log, "--partitions", 4, "--port", 0, "--http", "off", "--data", self.data)
        self.assertEqual(status, 64, err)
        self.assertIn("has 2 partitions, not 4", err)

    def test_up_works_on_kafka(self):
        up = self.start("monitor", "up", "--kafka", self.kafka, "--port", 0, "--http", "off", "--data", self.data, "--format", "json",
                        "--agent-id", "up-" + self.topic, "--interval", "0.2")
        up.json_lines(3)
        self.assertEqual(up.stop(), 0)
        self.assertFalse(os.path.exists(f"{self.data}/log.db"))


class OutageTest(ProgramTest):
    """Kills and restarts Kafka and the server, in both orders, while a reader counts."""

    def setUp(self):
        super().setUp()
        self.services = Services(f"{self.data}/services", "kafka")
        self.addCleanup(self.services.down)

    def tearDown(self):
        self.services.down()
        super().tearDown()

    def test_server_stops_in_time_without_kafka(self):
        server = self.start("monitor-server", "--kafka", self.services.kafka, "--port", 0, "--http", "off", "--data", self.data,
                            "--drain-timeout", "1s")
        server.address = server.says(r"listening service=grpc address=(\S+)").group(1)
        self.configure("a", "--interval", "0.05", "--metrics", "cpu")
        self.start_agent("a", server)
        server.says("stream opened")
        self.services.kill()
        server.says("Kafka does not accept records")
        begin = time.monotonic()
        self.assertEqual(server.stop(), 0)
        self.assertLess(time.monotonic() - begin, 8, "the server does not wait for confirmations that cannot come")

    def test_a_reader_sees_every_acknowledged_sequence(self):
        log = ["--kafka", self.services.kafka]

        def server(port):
            program = self.start("monitor-server", *log, "--port", port, "--http", "off", "--data", self.data)
            program.address = program.says(r"listening service=grpc address=(\S+)").group(1)
            return program

        running = server(0)
        port = running.address.rsplit(":", 1)[1]
        self.configure("a", "--interval", "0.05", "--metrics", "cpu")
        self.assertEqual(run("monitor-config", "set", "--dir", f"{self.data}/monitor", "--agent-id", "a", "send_every=0.05")[0], 0)
        reader = self.start("monitor-analysis", "get-metrics", *log, "--group-id", "g", "--from", "earliest", "--format", "json")
        agent = self.start_agent("a", running)

        def more(count):
            seen = len(reader.out)
            wait_until(lambda: len(reader.out) >= seen + count, f"{count} more ticks", 90)

        more(20)
        self.services.kill()
        self.services.up()
        more(20)
        running.kill()
        running = server(port)
        more(20)
        self.services.kill()
        running.kill()
        running = server(port)
        running.says("Kafka does not accept records")
        self.services.up()
        running.says("writing to Kafka")
        more(20)
        running.stop()  # a clean stop this time
        self.services.down()
        self.services.up()
        running = server(port)
        more(20)
        self.assertEqual(agent.stop(), 0)

        def sequences():
            return [json.loads(line)["sequence"] for line in list(reader.out)]

        # After a clean stop the agent has sent everything. The reader prints the last batches when no more arrive.
        last = int(agent.says(r"agent stopped batches=(\d+) unsent=0").group(1))
        wait_until(lambda: max(sequences()) >= last - 1, "the last tick")  # the final batch may be a heartbeat
        seen = sequences()
        self.assertEqual(sorted(set(seen)), list(range(1, max(seen) + 1)), "every sequence")
        self.assertEqual(len(seen), len(set(seen)), "each once")


if __name__ == "__main__":
    unittest.main()
