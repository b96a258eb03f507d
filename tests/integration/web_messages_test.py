"""The page's messages on a real Kafka topic with several partitions, compared with what kcat reads of it."""
import json
import os
import sys
import time
import unittest
import urllib.request
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from browser import Browser  # noqa: E402
from decode_batch import decode  # noqa: E402
from programs import ProgramTest, wait_until  # noqa: E402
from services import addresses, kcat  # noqa: E402

AGENTS = [f"agent-{n}" for n in range(5)]


class WebMessagesKafkaTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.kafka = addresses()["KAFKA"]
        self.topic = "test-" + uuid.uuid4().hex[:12]
        self.log = ["--kafka", self.kafka, "--topic", self.topic]
        self.browser = Browser()
        self.addCleanup(self.browser.close)
        self.browser.do("reset")

    def get(self, path):
        with urllib.request.urlopen(f"http://{self.page.address}{path}", timeout=30) as answer:
            return json.load(answer)

    def in_topic(self):
        """Returns (partition, offset) -> time in ms, key and value, as kcat reads them."""
        text = kcat("-C", "-b", self.kafka, "-t", self.topic, "-o", "beginning", "-e", "-f", "%p %o %T %k %S:%s")
        found = {}
        while text:
            head, _, text = text.partition(b":")
            partition, offset, stored, key, size = head.decode().split(" ")
            found[int(partition), int(offset)] = (int(stored), key, text[:int(size)])
            text = text[int(size):]
        return found

    def follow_cursor(self, query):
        found, cursor, left = [], "", 1
        while left > 0:
            answer = self.get(f"/api/ui/v1/messages?content=summary&{query}&cursor={cursor}")
            found += answer["messages"]
            cursor, left = answer["cursor"] or "", answer["left"]
        return found

    def test_messages_of_several_partitions_equal_the_topic(self):
        server = self.start("monitor-server", *self.log, "--partitions", 3, "--port", 0, "--http", "off", "--data", self.data)
        server.address = server.says(r"listening service=grpc address=(\S+)").group(1)
        server.says("writing to Kafka")
        agents = []
        for name in AGENTS:
            self.configure(name, "--interval", "0.2")
            agents.append(self.start_agent(name, server, "--simulate"))
        self.page = self.start("monitor-analysis", "serve", *self.log, "--data", f"{self.data}/page", "--http", "127.0.0.1:0")
        self.page.address = self.page.says(r"listening service=web address=(\S+)").group(1)
        wait_until(lambda: len(self.in_topic()) > 60, "messages", 60)
        for one in agents:
            one.stop()
        kcat("-P", "-b", self.kafka, "-t", self.topic, "-p", "1", "-k", "foreign", "-H", "content-type=application/x-protobuf", stdin=b"no batch\xff\x01")
        topic = self.in_topic()
        partitions = {partition for partition, _ in topic}
        self.assertGreater(len(partitions), 1, "the agents share partitions, but not all of them")

        # Each message once, in both directions, over all partitions.
        for order in ("newest", "oldest"):
            found = self.follow_cursor(f"order={order}&limit=7")
            self.assertEqual(sorted((one["partition"], one["offset"]) for one in found), sorted(topic), order)
            for one in found:
                stored, key, value = topic[one["partition"], one["offset"]]
                self.assertEqual((round(one["time"] * 1000), one["key"], one["bytes"]), (stored, key, len(value)))
        # From a time on: exactly what is not older, to the millisecond.
        at = sorted(stored for stored, _, _ in topic.values())[len(topic) // 2]
        for query, fits in ((f"order=oldest&since={at / 1000:.3f}", lambda t: t >= at), (f"until={at / 1000:.3f}", lambda t: t < at)):
            found = self.follow_cursor(query)
            self.assertEqual({(one["partition"], one["offset"]) for one in found}, {place for place, (stored, _, _) in topic.items() if fits(stored)}, query)

        log = self.get("/api/ui/v1/log")
        for one in log["partitions"]:
            mine = [(offset, stored) for (partition, offset), (stored, _, _) in topic.items() if partition == one["partition"]]
            if mine:
                self.assertEqual((one["begin"], one["end"]), (min(mine)[0], max(mine)[0] + 1))
                self.assertEqual((round(one["oldest"] * 1000), round(one["newest"] * 1000)), (min(mine)[1], max(mine)[1]))
        wait_until(lambda: sum(one["lag"] for one in self.get("/api/ui/v1/log")["reader"]) == 0, "the page to have read it all")

        # The page: one agent at a time, and the bytes of the message that cannot be decoded.
        place, (_, key, value) = [one for one in topic.items() if one[1][1] == "agent-3"][2]
        tick = decode(value)["frames"][0]["time"] / 1e9
        self.browser.open(f"http://{self.page.address}/#/messages?agent={key}&at={time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(tick))}.{int(tick * 10) % 10}Z")
        self.browser.wait("document.querySelector('.message-view .hex-bytes') !== null")
        opened = self.browser.eval("document.querySelector('.message-view').dataset.open")
        partition, offset = (int(one) for one in opened.split(":"))
        self.assertEqual((partition, topic[partition, offset][1]), (place[0], key))
        ticks = [frame["time"] / 1e9 for frame in decode(topic[partition, offset][2])["frames"]]
        self.assertTrue(any(int(one * 10) == int(tick * 10) for one in ticks), (ticks, tick))
        shown = self.browser.eval("[...document.querySelectorAll('.hex-bytes')].map((one) => one.textContent.replace(/ /g, '')).join('')")
        self.assertEqual(shown, topic[partition, offset][2].hex()[:len(shown)])
        self.browser.open(f"http://{self.page.address}/#/messages?kind=corrupt")
        self.browser.wait("document.querySelectorAll('.message-rows .message-row').length === 1")
        self.browser.do("click", selector=".message-rows .message-row")
        self.browser.wait("document.querySelector('.undecoded') !== null && document.querySelector('.hex-bytes')?.textContent.startsWith('6e 6f 20 62 61 74 63 68  ff 01')")
        self.assertEqual(self.browser.do("faults"), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
