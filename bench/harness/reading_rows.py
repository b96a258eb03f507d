"""Reading: the latency from collection to output, and the rate at which a log is read."""
import json
import os
import statistics
import subprocess
import tempfile
import time

from kafka import Ended, Kafka, start
from pairs import Line, Target, compare, measure
from processes import programs

INTERVAL_US = 100_000
POINTS = 8  # in a message of Consumption


def p99(values):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


class Visible:
    """Latency from a reading to its line in the output. The floor: from a bare producer to a bare consumer's line."""

    def __init__(self, options, kafka, folder):
        self.options, self.kafka, self.folder = options, kafka, folder
        self.count = 20 if options.quick else 300
        self.bytes = 600
        self.runs = 0  # each run has a new agent: a killed agent would resend its batches
        kafka.make_topic("visible")

    def floor(self):
        with Ended(start("bench-kafka-floor", "pair", f"kafka={self.kafka.address}", "topic=visible-floor", f"interval_us={INTERVAL_US}",
                         f"bytes={self.bytes}")) as pair:
            pair.prints(r"^delay_us=", self.count + 10, limit=120)
            delays = [int(line.split("=")[1]) / 1000 for line in pair.out[10:self.count + 10]]
            return {"p50": statistics.median(delays), "p99": p99(delays)}

    def ours(self):
        self.runs += 1
        server = start("monitor-server", *self.kafka.server_arguments("visible"), "--data", self.folder)
        with Ended(server):
            port = server.says(r"listening service=grpc address=\S+:(\d+)").group(1)
            config = f"{self.folder}/visible.json"
            with open(config, "w", encoding="utf-8") as file:
                json.dump({"interval": INTERVAL_US / 1e6, "send_every": 0, "metrics": ["cpu", "memory"]}, file)
            reader = subprocess.Popen([os.path.join(programs.BIN, "monitor-analysis"), "get-metrics", "--kafka", self.kafka.address,
                                       "--topic", "visible", "--format", "json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            try:
                with Ended(start("monitor-agent", "--agent-id", f"bench-{self.runs}", "--server", f"127.0.0.1:{port}", "--config", config, "--data",
                                 self.folder)):
                    delays = []
                    while len(delays) < self.count + 10:
                        line = reader.stdout.readline()
                        now = time.time_ns()
                        delays.append((now - nanoseconds(json.loads(line)["time"])) / 1e6)
                    return {"p50": statistics.median(delays[10:]), "p99": p99(delays[10:])}
            finally:
                reader.kill()
                reader.wait()


def nanoseconds(text):
    """Parses an RFC 3339 time (UTC) exactly."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    seconds = int(time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) - time.timezone)
    return seconds * 10**9 + int((fraction or "0").ljust(9, "0"))


class Consumption:
    """A whole topic, from its start to its end."""

    def __init__(self, options, kafka, folder):
        self.options, self.kafka, self.folder = options, kafka, folder
        kafka.make_topic("consumption")
        self.fill(2_000 if options.quick else 400_000)

    def fill(self, messages):
        server = start("monitor-server", *self.kafka.server_arguments("consumption"), "--data", self.folder)
        with Ended(server):
            port = server.says(r"listening service=grpc address=\S+:(\d+)").group(1)
            load = start("bench-load", f"port={port}", "streams=100", "window=64", "per_second=0", f"series={POINTS}", "ticks=1",
                         f"batches={messages // 100}", stdin=subprocess.PIPE)
            with Ended(load):
                load.prints("^ready", limit=120)
                looks = 0
                while True:
                    load.process.stdin.write("\n")
                    load.process.stdin.flush()
                    looks += 1
                    if int(load.prints(r"^acknowledged=(\d+)", looks).group(1)) >= messages:
                        break
            # A killed server could leave requests in flight, which Kafka appends after the first reader asks for the
            # end.
            assert server.stop() == 0

    def timed(self, name, *arguments):
        """Runs a process to its end, and returns its output and its duration."""
        begin = time.monotonic()
        with Ended(start(name, *arguments)) as reader:
            status = reader.process.wait(300)
            took = time.monotonic() - begin
            reader.ends()
            if status != 0:
                raise AssertionError(f"{name} ended with {status}: " + "\n".join(reader.err[-5:]))
            return reader.out, took

    def floor(self):
        out, took = self.timed("bench-kafka-floor", "read", f"kafka={self.kafka.address}", "topic=consumption")
        self.messages = int(out[0].split("=")[1])
        return {"rate": self.messages / took}

    def ours(self):
        """Reads the whole log, decodes every batch, removes duplicates, and builds the ledger."""
        out, took = self.timed("monitor-analysis", "ledger", "--kafka", self.kafka.address, "--topic", "consumption", "--format", "json",
                               "--missing-after", "1h")
        # The measurement is valid only if everything was read.
        read = sum(row["batches_stored"] + row["duplicates"] for row in map(json.loads, out))
        assert read == self.messages, (read, self.messages)
        return {"rate": self.messages / took}


class Aggregation(Consumption):
    """The same topic, aggregated over windows of a minute for every series of every agent."""

    def ours(self):
        out, took = self.timed("monitor-analysis", "aggregate", "--kafka", self.kafka.address, "--topic", "consumption", "--once", "--window", "1m",
                               "--by", "agent,label", "--stats", "avg,min,max,p50,p95,p99,count", "--format", "json")
        rows = [json.loads(line) for line in out]
        # Late batches come again, as corrections of their windows.
        newest = {}
        for row in rows:
            newest[json.dumps([row["start"], row["metric"], row["by"]])] = row
        points = sum(row["stats"]["count"] for row in newest.values())
        assert points == self.messages * POINTS, (points, self.messages * POINTS)
        return {"rate": self.messages / took}


def visible(options):
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as folder, Kafka(f"{folder}/kafka") as kafka:
        kafka.make_topic("visible-floor")
        case = Visible(options, kafka, folder)
        case.floor()  # warm-up: Kafka is slow until the JIT has compiled its hot paths
        blocks = measure(case.floor, case.ours, ["p50"], *options.blocks())
        yield Line("visible", "collect to output, median", "ms", compare(blocks, "p50"))
        yield Line("visible", "collect to output, p99", "ms", compare(blocks, "p99"), [Target(1.5)])


def consumption(options):
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as folder, Kafka(f"{folder}/kafka") as kafka:
        case = Consumption(options, kafka, folder)
        blocks = measure(case.floor, case.ours, ["rate"], *options.blocks())
        yield Line("consumption", "ledger of a topic, 8 points per batch", "messages/s", compare(blocks, "rate", more_is_better=True),
                   [Target(0.8, at_least=True)])


def aggregate(options):
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as folder, Kafka(f"{folder}/kafka") as kafka:
        case = Aggregation(options, kafka, folder)
        blocks = measure(case.floor, case.ours, ["rate"], *options.blocks())
        yield Line("aggregate", "1 min windows of a topic, 8 points per batch", "messages/s", compare(blocks, "rate", more_is_better=True),
                   [Target(0.5, at_least=True)])
