"""Rules on a real Kafka with several partitions, and two instances of `monitor-analysis serve`: alerts of agents whose data is in
different partitions, and alerts over all agents. The instance that notifies is killed again and again; nothing may be told
twice, and nothing lost."""
import datetime
import os
import random
import sys
import threading
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from etcd import Etcd  # noqa: E402
from programs import ProgramTest, wait_until  # noqa: E402
from services import addresses, kcat  # noqa: E402
from webhook import Webhook  # noqa: E402

AGENTS = [f"web-{i}" for i in range(8)]
PERIOD = 40  # seconds; the alerts fire from the second 2 to the second 20 of each
# By the data's time alone, so that it is known which alerts there are.
RULES = f"""groups:
- name: agents
  interval: 1s
  rules:
  - alert: Wave
    expr: (time() + 0 * max by (agent) (system_memory_utilization_ratio)) % {PERIOD} < 20
    for: 2s
- name: fleet
  interval: 1s
  rules:
  - record: fleet:agents
    expr: count(count by (agent) (system_memory_utilization_ratio))
  - alert: AllHigh
    expr: count((time() + 0 * max by (agent) (system_memory_utilization_ratio)) % {PERIOD} < 20) == {len(AGENTS)} and on () fleet:agents == {len(AGENTS)}
    for: 2s
"""
NOTIFY = """route: {receiver: hook, group_by: [alertname, agent], group_wait: 0s, group_interval: 1s}
receivers: [{name: hook, webhook_configs: [{url: '%s'}]}]
"""


def second_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class RulesOnKafka(ProgramTest):
    def setUp(self):
        super().setUp()
        self.hook = Webhook()
        self.addCleanup(self.hook.close)
        self.etcd, self.topic = Etcd(), "test-" + uuid.uuid4().hex[:12]
        self.addCleanup(self.etcd.close)
        self.log = ["--kafka", addresses()["KAFKA"], "--topic", self.topic]
        for name, text in (("rules.yml", RULES), ("notify.yml", NOTIFY % self.hook.url)):
            with open(f"{self.data}/{name}", "w", encoding="utf-8") as file:
                file.write(text)

    def serve(self, name):
        return self.start("monitor-analysis", "serve", *self.log, "--data", f"{self.data}/{name}", "--etcd", self.etcd.address, "--http", "127.0.0.1:0",
                          "--rules", f"{self.data}/rules.yml", "--notify", f"{self.data}/notify.yml")

    def events(self):
        """(alert, agent) -> (start, status) -> the ids of its notifications."""
        events = {}
        for _, body in list(self.hook.got):
            for alert in body["alerts"]:
                key = (alert["labels"]["alertname"], alert["labels"].get("agent", ""))
                events.setdefault(key, {}).setdefault((alert["startsAt"], alert["status"]), set()).add(body["notificationId"])
        return events

    def check(self, waves):
        events = self.events()
        self.assertEqual(set(events), {("Wave", agent) for agent in AGENTS} | {("AllHigh", "")})
        for key, told in events.items():
            self.assertEqual({event: ids for event, ids in told.items() if len(ids) > 1}, {}, f"{key}: told twice")
            starts = sorted({second_of(start) for start, _ in told})
            numbers = [round((start - 2) / PERIOD) for start in starts]
            self.assertEqual(numbers, list(range(numbers[0], numbers[-1] + 1)), f"{key}: an episode was lost")
            self.assertGreaterEqual(len(numbers), waves, key)
            for start in starts[1:]:  # the first episode may have begun before the rules
                self.assertLess((start - 2) % PERIOD, 2, f"{key}: a stale or wrong start")
            whole = sorted({start for start, _ in told})[:-1]
            for start in whole:
                self.assertEqual({status for began, status in told if began == start}, {"firing", "resolved"}, (key, start))
        # Of all agents, the same episodes.
        self.assertEqual(len({len({start for start, _ in told}) for told in events.values()}), 1)

    def test_another_instance_takes_over(self):
        rng = random.Random(7)
        server = self.start("monitor-server", *self.log, "--partitions", 4, "--port", 0, "--http", "off", "--data", self.data)
        address = server.says(r"listening service=grpc address=(\S+)").group(1)
        for name in AGENTS:
            self.start("monitor-agent", "--agent-id", name, "--server", address, "--simulate", "--data", f"{self.data}/{name}", "--http", "off")
        holder = self.serve("a")
        holder.says("this instance notifies of alerts", limit=60)
        standby = self.serve("b")
        standby.says("reading log")
        wait_until(lambda: len(self.events()) == len(AGENTS) + 1, "the first alerts", 90)
        used = {int(line) for line in kcat("-C", "-b", addresses()["KAFKA"], "-t", self.topic, "-o", "beginning", "-e", "-f", "%p\n").decode().split()}
        self.assertGreater(len(used), 1, "one partition would prove nothing")
        first = len(self.events()[("AllHigh", "")])
        for number, name in enumerate(("a", "b", "a"), 1):
            # At some moment of an episode, or of the silence after it.
            threading.Event().wait(rng.uniform(0, PERIOD / 2))
            holder.kill()
            standby.says("this instance notifies of alerts", limit=60)
            holder, standby = standby, self.serve(name)
            standby.says("reading log")
            wait_until(lambda n=number: len(self.events()[("AllHigh", "")]) >= first + 2 * n, "an episode by the other one", 3 * PERIOD)
        wait_until(lambda: min(len([1 for _, status in told if status == "resolved"]) for told in self.events().values()) >= 4, "the last ends", 2 * PERIOD)
        self.check(4)


if __name__ == "__main__":
    unittest.main()
