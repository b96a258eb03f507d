"""A Kafka of the benchmark's own, and what lies in it."""
import glob
import os

from processes import Ended, programs, start  # first: it makes tests/lib known
from services import Services, kcat


class Kafka:
    """with Kafka(folder) as kafka: a real one, gone afterwards."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        self.services = Services(self.folder, "kafka")
        self.address = self.services.kafka
        return self

    def __exit__(self, *_):
        self.services.down()

    def server_arguments(self, topic):
        return ["--kafka", self.address, "--topic", topic, "--partitions", "6", "--port", "0", "--http", "off"]

    def make_topic(self, topic):
        """By the server itself: a floor writes to what ours writes to."""
        with Ended(start("monitor-server", *self.server_arguments(topic), "--data", self.folder)) as server:
            server.says("writing to Kafka")

    def log_bytes(self, topic):
        """What the topic's records take on the broker's disk."""
        found = glob.glob(f"{self.folder}/**/{topic}-[0-9]*/*.log", recursive=True)
        return sum(os.path.getsize(path) for path in found)

    def values(self, topic):
        out = kcat("-C", "-b", self.address, "-t", topic, "-o", "beginning", "-e", "-q", "-f", "%S %s")
        values = []
        at = 0
        while at < len(out):
            blank = out.index(b" ", at)
            size = int(out[at:blank])
            values.append(out[blank + 1 : blank + 1 + size])
            at = blank + 1 + size
        return values


__all__ = ["Kafka", "Ended", "programs", "start"]
