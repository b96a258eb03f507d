"""Catching up after an outage: how fast the backlog is stored, and that fresh batches are not delayed meanwhile.
Measured in the topic, from the agent's time of a batch to the log's."""
import os
import sys
import time
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "chaos"))
import re  # noqa: E402

import topic  # noqa: E402
from programs import ProgramTest, run, wait_until  # noqa: E402
from proxy import FaultProxy  # noqa: E402
from world import Broker  # noqa: E402

HOUR = 3600  # batches of an agent with 1 s ticks
FRESH = 2.0  # seconds; maximum delay of a fresh batch


class CatchUpTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.proxy = FaultProxy()
        self.addCleanup(self.proxy.close)
        self.broker = Broker(f"{self.data}/kafka", self.proxy)
        self.addCleanup(self.broker.stop)

    def configure_agent(self, interval):
        status, _, err = run("monitor-config", "set", "--dir", f"{self.data}/monitor", "--agent-id", "a", f"interval={interval}",
                             "send_every=0")
        self.assertEqual(status, 0, err)

    def agent(self, server):
        agent = self.start_agent("a", server, "--simulate", "--http", "127.0.0.1:0")
        agent.http = agent.says(r"service=http address=(\S+)").group(1)
        agent.incarnation = agent.says(r"agent started.* incarnation=(\w+)").group(1)
        return agent

    def metric(self, agent, name):
        with urllib.request.urlopen(f"http://{agent.http}/metrics", timeout=10) as reply:
            return float(re.search(rf"(?m)^monitor_agent_{name} (\S+)$", reply.read().decode()).group(1))

    def outage(self):
        """Fills the spool with an hour of batches. Returns the incarnation and its last sequence."""
        self.configure_agent(0.01)
        agent = self.agent("127.0.0.1:1")
        wait_until(lambda: self.metric(agent, "spool_batches") >= HOUR, "an hour's batches", 120)
        agent.kill()
        shown = run("monitor-agent", "spool", "inspect", f"{self.data}/agent/a/spool")[1]
        return agent.incarnation, int(re.findall(rf"{agent.incarnation[:8]} .* 1-(\d+) ", shown)[-1])

    def catch_up(self, name, latency=0.0):
        """Returns the seconds until the backlog is stored, and the largest delay of a fresh batch."""
        old, last = self.outage()
        log = f"catch-up-{name}"
        server = self.start("monitor-server", "--kafka", self.broker.proxied, "--topic", log, "--port", 0, "--http", "off", "--data",
                            self.data)
        server.says("writing to Kafka")
        server.address = server.says(r"listening service=grpc address=(\S+)").group(1)
        if latency:
            self.proxy.set("kafka", "latency", latency)
        self.configure_agent(1)
        begin = time.time()
        agent = self.agent(server)
        wait_until(lambda: self.metric(agent, "batches_total") >= 4 and
                   (self.metric(agent, "spool_batches") == 0 or self.metric(agent, "spool_oldest_timestamp_seconds") > begin),
                   "the backlog to be stored", 300)
        self.proxy.mend("kafka")
        self.assertEqual(agent.stop(), 0)
        self.assertEqual(server.stop(), 0)
        records = topic.read(self.broker.direct, log)
        waited = {r.batch["sequence"]: r.time for r in reversed(records) if r.batch["incarnation"] == old}
        self.assertEqual(sorted(waited), list(range(1, last + 1)), "the whole backlog is stored")
        done = max(waited.values())
        # The log's timestamps are milliseconds, rounded down.
        late = [r.time - r.batch["appended"] / 1e9 for r in records if r.batch["incarnation"] == agent.incarnation]
        seconds = done - begin
        print(f"\n{name}: {last} batches stored within {seconds:.1f} s ({last / seconds:.0f} a second), {len(late)} fresh ones "
              f"at most {max(late):.2f} s late", file=sys.stderr)
        return seconds, max(late)

    def test_catches_up_after_an_hour(self):
        seconds, late = self.catch_up("log")
        self.assertLess(seconds, 30)
        self.assertLess(late, FRESH)

    def test_catches_up_after_an_hour_on_a_slow_log(self):
        seconds, late = self.catch_up("slow-log", latency=0.5)
        self.assertLess(seconds, 120)
        self.assertLess(late, FRESH)


if __name__ == "__main__":
    unittest.main()
