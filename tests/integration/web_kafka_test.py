"""The page's server on a real Kafka and a real etcd: its history equals the topic, also after kills and with a second
server; messages, lag, and configuration."""
import json
import os
import signal
import sys
import unittest
import urllib.error
import urllib.request
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ProgramTest, run, wait_until  # noqa: E402
from decode_batch import decode  # noqa: E402
from services import Services, addresses, kcat  # noqa: E402


class WebKafkaTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.kafka = addresses()["KAFKA"]
        self.etcd = addresses()["ETCD"]
        self.topic = "test-" + uuid.uuid4().hex[:12]
        self.log = ["--kafka", self.kafka, "--topic", self.topic]

    def serve(self, folder):
        page = self.start("monitor-analysis", "serve", *self.log, "--data", f"{self.data}/{folder}", "--etcd", self.etcd, "--http", "127.0.0.1:0")
        page.address = page.says(r"listening service=web address=(\S+)").group(1)
        return page

    @staticmethod
    def get(page, path, **more):
        with urllib.request.urlopen(urllib.request.Request(f"http://{page.address}{path}", **more), timeout=30) as answer:
            return json.load(answer)

    def points(self, page, agent):
        found = self.get(page, f"/api/v1/range?agent={agent}&metric=system.cpu.utilization&resolution=full&from=-1h")["series"]
        return {round(t, 6): v for one in found for t, v in zip(one["times"], one["values"])}

    def in_topic(self):
        """Returns agent -> time -> CPU, and the records of each partition, from kcat and the documentation's
        decoder."""
        found, counts = {}, {}
        partitions = {int(line) for line in kcat("-C", "-b", self.kafka, "-t", self.topic, "-o", "beginning", "-e", "-f", "%p\n").decode().split()}
        for partition in partitions:
            text = kcat("-C", "-b", self.kafka, "-t", self.topic, "-p", str(partition), "-o", "beginning", "-e", "-f", "%S:%s")
            while text:
                size, _, text = text.partition(b":")
                batch, text = decode(text[: int(size)]), text[int(size):]
                counts[partition] = counts.get(partition, 0) + 1
                for frame in batch["frames"]:
                    for series, value in frame["points"]:
                        if series["name"] == "system.cpu.utilization" and not series["labels"]:
                            found.setdefault(batch["agent"], {})[round(frame["time"] // 1000 / 1e6, 6)] = value
        return found, counts

    def test_history_equals_the_topic_through_kills_and_with_a_second_server(self):
        server = self.start("monitor-server", *self.log, "--partitions", 3, "--port", 0, "--http", "off", "--data", self.data)
        server.address = server.says(r"listening service=grpc address=(\S+)").group(1)
        server.says("writing to Kafka")
        names = [f"agent-{n}" for n in range(4)]
        agents = []
        for name in names:
            self.configure(name, "--interval", "0.1", "--metrics", "cpu")
            agents.append(self.start_agent(name, server, "--simulate"))
        group = self.start("monitor-analysis", "get-metrics", *self.log, "--group-id", self.topic, "--format", "json", "--from", "earliest")
        group.prints("system.cpu", limit=60)
        other = self.serve("other")
        page = self.serve("page")
        for _ in range(3):
            before = sum(len(self.points(page, name)) for name in names)
            wait_until(lambda before=before: sum(len(self.points(page, name)) for name in names) > before + 20, "more ticks", 60)
            page.send(signal.SIGKILL)
            page.ends()
            page = self.serve("page")
        for agent in agents:
            self.assertEqual(agent.stop(), 0)
        expected, counts = self.in_topic()
        self.assertEqual(set(expected), set(names))
        for one in (page, other):
            for name in names:
                wait_until(lambda one=one, name=name: len(self.points(one, name)) >= len(expected[name]), f"all of {name}", 60)
                self.assertEqual(self.points(one, name), expected[name])
                reduced = self.get(one, f"/api/v1/range?agent={name}&metric=system.cpu.utilization&resolution=1h&from=-3h")["series"][0]
                self.assertEqual(sum(reduced["count"]), len(expected[name]))
        # Partitions, lag by group, messages with key and headers.
        log = self.get(page, "/api/v1/log")
        self.assertEqual({one["partition"]: one["records"] for one in log["partitions"] if one["records"]}, counts)
        wait_until(lambda: [one for one in self.get(page, "/api/v1/log")["groups"] if one["group"] == self.topic], "the group", 60)
        messages = self.get(page, "/api/v1/messages?agent=agent-2&limit=5")["messages"]
        self.assertEqual(len(messages), 5)
        for one in messages:
            self.assertEqual((one["key"], one["headers"]["agent"], one["batch"]["agent"]), ("agent-2",) * 3)
        again = self.get(page, f"/api/v1/messages?partition={messages[0]['partition']}&offset={messages[0]['offset']}&limit=1")["messages"]
        self.assertEqual(again, messages[:1])
        seen, cursor = set(), ""
        while cursor is not None:
            answer = self.get(page, f"/api/v1/messages?limit=200&cursor={cursor}")
            places = {(one["partition"], one["offset"]) for one in answer["messages"]}
            self.assertFalse(places & seen, "none twice")
            seen |= places
            cursor = answer["cursor"]
        self.assertEqual(len(seen), sum(counts.values()))
        ledger = self.get(page, "/api/v1/ledger?missing_after=0")["incarnations"]
        self.assertEqual(sum(row["batches_stored"] for row in ledger), sum(counts.values()))
        self.assertTrue(all(row["missing"] == [] for row in ledger))

    def test_concurrent_edits_in_etcd_conflict(self):
        self.start("monitor-server", *self.log, "--port", 0, "--http", "off", "--data", self.data).says("writing to Kafka")
        page = self.serve("page")
        name = self.topic
        key = f"/monitor/config/{name}"
        with open(f"{self.data}/page/web-token", encoding="ascii") as file:
            token = {"Authorization": "Bearer " + file.read().strip()}

        def put(value, base):
            body = json.dumps({"base": base, "value": value}).encode()
            return self.get(page, f"/api/v1/config/document?key={key}", data=body, headers=token, method="PUT")

        first = put('{"interval": 2}', None)
        self.assertGreater(first["revision"], 0)
        self.assertEqual(self.get(page, f"/api/v1/config/document?key={key}")["tag"], first["tag"])
        status, _, err = run("monitor-config", "--etcd", self.etcd, "--agent-id", name, "set", "--interval", "3")
        self.assertEqual(status, 0, err)
        with self.assertRaises(urllib.error.HTTPError) as refused:
            put('{"interval": 4}', first["tag"])
        self.assertEqual(refused.exception.code, 409)
        theirs = json.load(refused.exception)["current"]
        self.assertEqual(json.loads(theirs["value"])["interval"], 3)
        put('{"interval": 4}', theirs["tag"])
        explained = self.get(page, f"/api/v1/config/explain?agent={name}")
        self.assertIn({"path": "/interval", "value": 4}, [{"path": v["path"], "value": v["value"]} for v in explained["values"]])


class KafkaAwayTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.services = Services(f"{self.data}/services", "kafka")

    def tearDown(self):
        self.services.down()
        super().tearDown()

    def test_page_shows_since_when_kafka_is_unavailable_and_recovers(self):
        log = ["--kafka", self.services.kafka, "--topic", "fleet"]
        self.start("monitor-server", *log, "--port", 0, "--http", "off", "--data", self.data).says("writing to Kafka", limit=60)
        # No server writes records, so the log stays idle after its recovery; the page must still detect the recovery.
        self.running[-1].stop()
        page = self.start("monitor-analysis", "serve", *log, "--data", f"{self.data}/page", "--http", "127.0.0.1:0")
        page.address = page.says(r"listening service=web address=(\S+)").group(1)
        member = self.start("monitor-analysis", "get-metrics", *log, "--group-id", "g", "--format", "json")
        state = lambda: WebKafkaTest.get(page, "/api/v1/status")  # noqa: E731
        wait_until(lambda: state()["log"]["caught_up"], "the log to be read", 60)
        self.assertEqual(state()["log"]["trouble"], "")
        self.services.kill()
        killed = state()["now"]
        wait_until(lambda: "cannot be reached" in state()["log"]["trouble"], "the page to report the outage")
        since = state()["log"]["since"]
        self.assertLess(abs(since - killed), 15)
        member.says("log cannot be read at the moment", limit=90)
        self.services.up()
        self.assertEqual(state()["log"]["since"] or since, since, "the start of the outage does not change")
        wait_until(lambda: state()["log"]["trouble"] == "", "the page to report the recovery", 60)
        self.assertIsNone(state()["log"]["since"])
        member.says("log can be read again", limit=150)


if __name__ == "__main__":
    unittest.main()
