"""Kills and restarts Kafka, etcd, server and agents in a random order while a reader counts. Nothing else is restarted.
The reader must see every sequence of every agent exactly once; the batches of a killed agent wait in its spool.

Repeat a run with its seed: any_order_test.py SEED [ROUNDS]"""
import collections
import json
import os
import random
import re
import sys
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from programs import ProgramTest, run, wait_until  # noqa: E402
from services import Services  # noqa: E402

SEED, ROUNDS = 20, 4
AGENTS = ("a", "b")


class AnyOrder(ProgramTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)
        self.services = {name: Services(f"{self.data}/{name}", name) for name in ("kafka", "etcd")}
        for service in self.services.values():
            self.addCleanup(service.down)
        self.kafka, self.etcd = self.services["kafka"].kafka, self.services["etcd"].etcd
        self.port = self.changes = 0
        self.alive = {}
        self.made = {}  # incarnation -> minimum number of batches with a sequence at its end

    def start_kafka_server(self):
        server = self.start("monitor-server", "--kafka", self.kafka, "--port", self.port, "--http", "off", "--data", self.data)
        self.port = server.says(r"listening service=grpc address=\S+:(\d+)").group(1)
        return server

    def start_etcd_agent(self, name):
        agent = self.start("monitor-agent", "--agent-id", name, "--server", f"127.0.0.1:{self.port}", "--etcd", self.etcd, "--data", self.data,
                           "--http", "127.0.0.1:0")
        agent.address = agent.says(r"service=http address=(\S+)").group(1)
        agent.incarnation = agent.says(r"agent started .*incarnation=(\w+)").group(1)
        return agent

    def own_metrics(self, agent):
        with urllib.request.urlopen(f"http://{agent.address}/metrics", timeout=10) as reply:
            return {m[1]: float(m[2]) for m in re.finditer(r"(?m)^(\w+)(?:\{.*\})? (\S+)$", reply.read().decode())}

    def kill(self, name):
        if name in self.services:
            self.services[name].kill()
            return
        program = self.alive[name]
        if name in AGENTS:
            self.made[program.incarnation] = int(self.own_metrics(program)["monitor_agent_batches_total"])
        program.kill()

    def bring_back(self, name):
        if name in self.services:
            self.services[name].up()
        else:
            self.alive[name] = self.start_kafka_server() if name == "server" else self.start_etcd_agent(name)

    def seen(self):
        """Returns incarnation -> the sequences that the reader printed, in order."""
        found = collections.defaultdict(list)
        for line in map(json.loads, list(self.reader.out)):
            found[line["incarnation"]].append(line["sequence"])
        return found

    def goes_on(self):
        """Checks that fresh ticks of both agents reach the reader, and that a change in etcd reaches both agents."""
        marks = {self.alive[name].incarnation: max(self.seen()[self.alive[name].incarnation], default=0) for name in AGENTS}
        wait_until(lambda: all(max(self.seen()[i], default=0) >= mark + 10 for i, mark in marks.items()),
                   "ten fresh batches of each agent", limit=60)
        before = {name: len([line for line in list(self.alive[name].err) if "configuration applied" in line]) for name in AGENTS}
        for name in AGENTS:
            self.changes += 1  # every document is different
            interval = 0.05 + self.changes / 1000
            done = run("monitor-config", "set", "--etcd", self.etcd, "--agent-id", name, f"interval={interval:.3f}", "metrics=[\"cpu\"]",
                       "send_every=0.05")
            self.assertEqual(done[0], 0, done[2])
        for name in AGENTS:
            self.alive[name].says("configuration applied", before[name] + 1, limit=60)

    def test_kills_in_any_order_lose_nothing(self):
        self.alive["server"] = self.start_kafka_server()
        for name in AGENTS:
            self.alive[name] = self.start_etcd_agent(name)
        self.reader = self.start("monitor-analysis", "get-metrics", "--kafka", self.kafka, "--group-id", "g", "--from", "earliest",
                                 "--format", "json")
        self.goes_on()
        for _ in range(ROUNDS):
            victims = self.random.sample(["kafka", "etcd", "server", *AGENTS], self.random.randint(1, 4))
            print("killed:", *victims, file=sys.stderr)
            for name in victims:
                self.kill(name)
            self.random.shuffle(victims)
            print("back:", *victims, file=sys.stderr)
            for name in victims:
                self.bring_back(name)
            self.goes_on()
        for name in AGENTS:
            agent = self.alive[name]
            self.assertEqual(agent.stop(), 0)
            # The final batch may be a heartbeat, of which the reader prints nothing.
            self.made[agent.incarnation] = int(agent.says(r"agent stopped batches=(\d+) unsent=0").group(1)) - 1
        wait_until(lambda: all(max(self.seen()[i], default=0) >= last for i, last in self.made.items()),
                   "the last batches of all agents")
        self.assertGreater(len(self.made), len(AGENTS), "no agent was killed; use another seed")
        for incarnation, last in self.made.items():
            sequences = self.seen()[incarnation]
            self.assertEqual(len(sequences), len(set(sequences)), f"{incarnation}: each sequence once")
            self.assertEqual(sorted(sequences), list(range(1, max(sequences) + 1)), f"{incarnation}: every sequence")
            self.assertGreaterEqual(max(sequences), last)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        SEED, ROUNDS = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    print(f"seed {SEED}", file=sys.stderr)
    unittest.main(argv=sys.argv[:1])
