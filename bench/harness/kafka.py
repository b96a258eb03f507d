"""The benchmark's own Kafka, and the contents of its topics."""
import glob
import os

from processes import Ended, programs, start  # first: it adds tests/lib to the path
from services import Services, kcat


class Kafka:
    """`with Kafka(folder) as kafka:` starts a real Kafka and stops it at the end."""

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
        """Lets the server create the topic, so that floor and ours write to the same kind of topic."""
        with Ended(start("monitor-server", *self.server_arguments(topic), "--data", self.folder)) as server:
            server.says("writing to Kafka")

    def log_bytes(self, topic):
        """Returns the size of the topic's records on the broker's disk."""
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
