"""A server that receives batches again from agents writes none of them to Kafka twice."""
import collections
import os
import signal
import sys
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from programs import ProgramTest, run, wait_until  # noqa: E402
from services import Services, kcat  # noqa: E402

TOPIC = "monitoring-data"


class CopiesTest(ProgramTest):
    def metric(self, address, name):
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as reply:
            for line in reply.read().decode().splitlines():
                if line.startswith(name + " "):
                    return float(line.split()[-1])
        return 0

    def copies(self):
        """Returns the number of records in the topic, and the records that it contains more than once."""
        found = collections.Counter(kcat("-C", "-b", self.services.kafka, "-t", TOPIC, "-o", "beginning", "-e", "-f", "%h\n").decode().splitlines())
        by_batch = collections.Counter()
        for headers, times in found.items():
            fields = dict(h.split("=", 1) for h in headers.split(","))
            by_batch[(fields["incarnation"], fields["sequence"])] += times
        return sum(by_batch.values()), {batch: times for batch, times in by_batch.items() if times > 1}

    def test_killing_an_agent_during_a_kafka_outage_creates_no_duplicates(self):
        self.services = Services(f"{self.data}/kafka", "kafka")
        self.addCleanup(self.services.down)
        server = self.start("monitor-server", "--kafka", self.services.kafka, "--port", 0, "--http", "127.0.0.1:0", "--data", self.data)
        server.address = server.says(r"listening service=grpc address=(\S+)").group(1)
        http = server.says(r"listening service=http address=(\S+)").group(1)
        self.configure("a", "--interval", "0.02", "--metrics", "cpu")
        self.assertEqual(run("monitor-config", "set", "--dir", f"{self.data}/monitor", "--agent-id", "a", "send_every=0.02")[0], 0)
        agent = self.start_agent("a", server)
        wait_until(lambda: self.metric(http, "monitor_server_batches_stored_total") > 20, "batches on Kafka")
        os.kill(self.services.pid(), signal.SIGSTOP)
        try:
            for _ in range(3):
                waiting = self.metric(http, "monitor_server_memory_bytes")
                wait_until(lambda: self.metric(http, "monitor_server_memory_bytes") > waiting + 20_000, "batches in the server's queue")
                agent.kill()
                agent = self.start_agent("a", server)
                agent.says("stream to the server established")
        finally:
            os.kill(self.services.pid(), signal.SIGCONT)
        wait_until(lambda: self.metric(http, "monitor_server_batches_copies_total") > 20, "the resent batches to be answered")
        wait_until(lambda: self.metric(http, "monitor_server_memory_bytes") < 20_000, "the queue to be written")
        self.assertEqual(agent.stop(), 0)
        agent.says(r"agent stopped batches=\d+ unsent=0")
        server.stop()
        records, twice = self.copies()
        self.assertGreater(records, 60, "20 before the stop, and 20,000 bytes of the queue for each of three runs")
        self.assertEqual(twice, {}, f"of {records} records")
        status, out, err = run("monitor-analysis", "ledger", "--kafka", self.services.kafka, "--missing-after", 0)
        self.assertEqual(status, 0, out + err)


if __name__ == "__main__":
    unittest.main()
