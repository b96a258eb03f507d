"""The server's row: monitor-server on a real Kafka, against a bare HTTP/2 sink with a bare producer. Both get the same
load. CPU is that of the server's process, a batch is one message, and only messages confirmed by Kafka count."""
import re
import resource
import subprocess
import tempfile
import time

from kafka import Ended, Kafka, start
from pairs import Line, Target, compare, measure
from processes import cpu_ns

CPU = Target(1.3)


class Case:
    """`headers`: the floor writes records with headers, as ours does; otherwise only values."""

    def __init__(self, name, seconds, targets, headers=True, **load):
        self.name, self.seconds, self.targets, self.headers = name, seconds, targets, headers
        self.load = {"per_second": 0, "series": 8, "ticks": 1, **load}


# A stream has enough distinct batches that a produce batch rarely contains one twice.
CASES = [
    Case("100 streams, window 64", 4, {"cpu": [CPU], "rate": [Target(0.8, at_least=True)]},
         streams=100, window=64, batches=256),
    Case("the same, floor without headers", 4, {"cpu": [CPU], "rate": [Target(0.8, at_least=True)]}, headers=False,
         streams=100, window=64, batches=256),
    Case("100 streams, 1,000 points per batch", 4, {"cpu": [], "rate": [Target(0.95, at_least=True)]},
         streams=100, window=64, batches=32, series=100, ticks=10),
    Case("100 streams, 1,000 series per batch", 4, {"cpu": [], "rate": []},
         streams=100, window=64, batches=8, series=1000, ticks=1),
    Case("100 streams, window 64, payload v2", 4, {"cpu": [CPU], "rate": [Target(0.8, at_least=True)]}, headers=False,
         streams=100, window=64, batches=256, payload=2),
    Case("100 streams, 1,000 series per batch, payload v2", 4, {"cpu": [], "rate": []}, headers=False,
         streams=100, window=64, batches=8, series=1000, ticks=1, payload=2),
    Case("9,000 streams, 1/s each", 6, {"cpu": [CPU], "rss": []},
         streams=9000, window=8, batches=4, per_second=1),
]
QUICK_STREAMS = 50
UNITS = {"cpu": "us/message", "rate": "messages/s", "rss": "MiB"}
WHAT = {"cpu": "CPU", "rate": "throughput", "rss": "resident memory"}


def look(load, server):
    """Returns the number of acknowledged batches, the time, and the server's usage."""
    load.process.stdin.write("\n")
    load.process.stdin.flush()
    load.marks += 1
    found = load.prints(r"^acknowledged=(\d+) rejected=(\d+) ended=(\d+) skipped=(\d+) ns=(\d+) reason=(.*)", load.marks)
    acknowledged, rejected, ended, skipped, ns = map(int, found.groups()[:5])
    if rejected or ended or skipped:
        raise AssertionError(f"the server did not accept the load: {found.group(0)}")
    return acknowledged, ns, cpu_ns(server)


class Bench:
    def __init__(self, options, case, kafka, folder):
        self.options, self.case, self.kafka, self.folder = options, case, kafka, folder
        self.topic = "server-" + re.sub(r"\W+", "-", case.name)
        kafka.make_topic(self.topic)

    def _run(self, server, port):
        case = self.case
        load_options = dict(case.load)
        if self.options.quick:
            load_options["streams"] = min(load_options["streams"], QUICK_STREAMS)
        with Ended(server), Ended(start("bench-load", f"port={port}", *(f"{k}={v}" for k, v in load_options.items()),
                                        stdin=subprocess.PIPE)) as load:
            load.marks = 0
            load.prints("^ready", limit=60)
            time.sleep(self.options.settle(1))
            before = look(load, server)
            time.sleep(self.options.seconds(case.seconds, 0.3))
            after = look(load, server)
            messages = max(after[0] - before[0], 1)
            with open(f"/proc/{server.process.pid}/statm", encoding="ascii") as statm:
                pages = int(statm.read().split()[1])
            return {"cpu": (after[2] - before[2]) / messages / 1000,
                    "rate": messages * 1e9 / (after[1] - before[1]),
                    "rss": pages * resource.getpagesize() / 2**20}

    def floor(self):
        server = start("bench-server-floor", f"kafka={self.kafka.address}", f"topic={self.topic}",
                       f"headers={int(self.case.headers)}")
        return self._run(server, server.prints(r"^port (\d+)").group(1))

    def ours(self):
        server = start("monitor-server", *self.kafka.server_arguments(self.topic), "--data", self.folder)
        server.says("writing to Kafka")
        return self._run(server, server.says(r"listening service=grpc address=\S+:(\d+)").group(1))


def server(options):
    # Each connection needs a descriptor in the server and in the load generator.
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as folder, Kafka(f"{folder}/kafka") as kafka:
        for case in CASES[:1] if options.quick else CASES:
            bench = Bench(options, case, kafka, folder)
            bench.floor()  # warm-up: Kafka is slow until the JIT has compiled its hot paths
            blocks = measure(bench.floor, bench.ours, ["cpu"], *options.blocks())
            for quantity, targets in case.targets.items():
                compared = compare(blocks, quantity, more_is_better=quantity == "rate")
                yield Line("server", f"{case.name}: {WHAT[quantity]}", UNITS[quantity], compared, targets)
