"""Reading: the latency from collection to output, and the rate at which a log is read."""
import json
import os
import resource
import statistics
import subprocess
import tempfile
import time

from kafka import Ended, Kafka, start
from pairs import Line, Target, compare, measure
from processes import BENCH, programs
from programs import run

INTERVAL_US = 100_000
# The topic of Consumption: each agent sends a batch of one tick a second.
TOPIC = "fleet"
AGENTS = 100
SECONDS = 4000
POINTS = 8  # in a message
# The rules of bench/ours/rules.cc, at Prometheus' interval: half of them have an alert for each agent.
RULES = """
groups:
- name: fleet
  interval: 1m
  rules:
  - {alert: R1, expr: '{"system.cpu.utilization"} >= 0', labels: {severity: page}, annotations: {text: '{{ $labels.agent }} is at {{ $value }}'}}
  - {alert: R2, expr: '{"system.cpu.utilization"} > 2', for: 5m}
  - {alert: R3, expr: 'avg_over_time({"system.cpu.utilization"}[1m]) >= 0', for: 1m, annotations: {text: '{{ $value | humanizePercentage }}'}}
  - {alert: R4, expr: 'max_over_time({"system.memory.utilization"}[5m]) > 2'}
  - {alert: R5, expr: '{"system.memory.usage"} > 0', for: 5m, labels: {severity: ticket}}
  - {alert: R6, expr: '{"system.memory.usage"} / on(agent) group_left() {"system.memory.limit"} > 2'}
  - {alert: R7, expr: 'sum by (agent) ({"system.network.io.rate"}) >= 0'}
  - {alert: R8, expr: 'system_disk_io_rate_bytes_per_second{disk_io_direction="read",system_device=""} < 0'}
  - {alert: R9, expr: 'quantile_over_time(0.9, {"system.cpu.utilization"}[2m]) >= 0', annotations: {text: '{{ $value }}'}}
  - {alert: R10, expr: 'predict_linear({"system.memory.usage"}[5m], 3600) < -1e18'}
"""


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
    """A whole topic, from its start to its end: an hour of a fleet, as a server would have written it."""

    def __init__(self, options, kafka, folder):
        self.options, self.kafka, self.folder = options, kafka, folder
        agents, seconds = (10, 200) if options.quick else (AGENTS, SECONDS)
        self.messages = agents * seconds
        status, out, err = run(os.path.join(BENCH, "bench-fill-topic"), f"kafka={kafka.address}", f"topic={TOPIC}", f"agents={agents}",
                               f"seconds={seconds}", f"series={POINTS}", limit=300)
        assert status == 0 and out.strip() == f"messages={self.messages}", (status, out, err)

    def timed(self, name, *arguments):
        """Runs a process to its end, and returns its output, and its rate and its CPU time for each message."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begin = time.monotonic()
        with Ended(start(name, *arguments)) as reader:
            status = reader.process.wait(300)
            took = time.monotonic() - begin
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            reader.ends()
            if status != 0:
                raise AssertionError(f"{name} ended with {status}: " + "\n".join(reader.err[-5:]))
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            return reader.out, {"rate": self.messages / took, "us": cpu * 1e6 / self.messages}

    def log(self):
        return "--kafka", self.kafka.address, "--topic", TOPIC

    def floor_of(self, name, *arguments):
        out, measured = self.timed(name, *arguments[:1], f"kafka={self.kafka.address}", f"topic={TOPIC}", *arguments[1:])
        assert f"messages={self.messages}" in out, out[-3:]
        return measured

    def floor(self):
        return self.floor_of("bench-kafka-floor", "read")

    def ours(self):
        """Reads the whole log, checks every batch, removes duplicates, and builds the ledger."""
        out, measured = self.timed("monitor-analysis", "ledger", *self.log(), "--format", "json", "--missing-after", "1h")
        # The measurement is valid only if everything was read.
        read = sum(row["batches_stored"] + row["duplicates"] for row in map(json.loads, out))
        assert read == self.messages, (read, self.messages)
        return measured


class Views(Consumption):
    """What `serve` makes of the log: history, ledger, and rules on the data's time."""

    def floor(self):
        return self.floor_of("bench-consumer-floor", "decode")

    def ours(self):
        rules = f"{self.folder}/rules.yml"
        with open(rules, "w", encoding="ascii") as file:
            file.write(RULES)
        with tempfile.TemporaryDirectory(prefix="monitor-bench-views-") as data:
            out, measured = self.timed("bench-consume", f"kafka={self.kafka.address}", f"topic={TOPIC}", f"folder={data}", f"rules={rules}")
        assert f"messages={self.messages}" in out and "rules=10" in out, out
        return measured


class Aggregation(Consumption):
    """The same topic, aggregated over windows of a minute for every series of every agent."""

    def floor(self):
        return self.floor_of("bench-consumer-floor", "aggregate", "window_s=60")

    def ours(self):
        out, measured = self.timed("monitor-analysis", "aggregate", *self.log(), "--once", "--window", "1m", "--by", "agent,label", "--stats",
                                   "avg,min,max,p50,p95,p99,count", "--format", "json")
        rows = [json.loads(line) for line in out]
        # Late batches come again, as corrections of their windows.
        newest = {}
        for row in rows:
            newest[json.dumps([row["start"], row["metric"], row["by"]])] = row
        points = sum(row["stats"]["count"] for row in newest.values())
        assert points == self.messages * POINTS, (points, self.messages * POINTS)
        return measured


def visible(options):
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as folder, Kafka(f"{folder}/kafka") as kafka:
        kafka.make_topic("visible-floor")
        case = Visible(options, kafka, folder)
        case.floor()  # warm-up: Kafka is slow until the JIT has compiled its hot paths
        blocks = measure(case.floor, case.ours, ["p50"], *options.blocks())
        yield Line("visible", "collect to output, median", "ms", compare(blocks, "p50"))
        yield Line("visible", "collect to output, p99", "ms", compare(blocks, "p99"), [Target(1.5)])


def reading(options, case_of, row, name, bound):
    """The lines of a row: how fast a whole topic is read, and the CPU time of each message. Both cores are busy with the
    broker, the library and the reader, so the rate depends on the machine's other work, and the CPU time hardly does."""
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as folder, Kafka(f"{folder}/kafka") as kafka:
        case = case_of(options, kafka, folder)
        blocks = measure(case.floor, case.ours, ["rate"], *options.blocks())
        yield Line(row, name, "messages/s", compare(blocks, "rate", more_is_better=True), [Target(bound, at_least=True)])
        yield Line(row, f"{name}: CPU", "us/message", compare(blocks, "us"))


def consumption(options):
    yield from reading(options, Consumption, "consumption", "ledger of a topic, 8 points per batch", 0.8)


def views(options):
    yield from reading(options, Views, "views", "history, ledger and rules of a topic, 8 points per batch", 0.8)


def aggregate(options):
    yield from reading(options, Aggregation, "aggregate", "1 min windows of a topic, 8 points per batch", 0.5)
