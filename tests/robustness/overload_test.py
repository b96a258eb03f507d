"""Overload on a real Kafka that accepts less than a tenth of the load: 1,000 streams that send as fast as they can, and
agents that send one batch per second. The server's memory stays within --memory-limit, every stream gets its share, no
batch of the agents is lost, and the rate recovers soon after Kafka does. Then Kafka freezes completely."""
import collections
import os
import re
import resource
import signal
import statistics
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from programs import BIN, ProgramTest, run, wait_until  # noqa: E402
from services import Services, kcat  # noqa: E402

STREAMS, WINDOW = 1000, 64
AGENTS = ["quiet-1", "quiet-2", "quiet-3"]
LIMIT_MIB = 4
# Memory that the server may use beyond the limit: 1,000 connections, librdkafka's buffers, unreleased allocator memory.
ALLOWANCE_MIB = 48
RECOVERY = 10  # seconds; maximum time to recover
# Limits how much a broker accepts while it runs for a moment.
SMALL_REQUESTS = [word for setting in ("max.in.flight=1", "batch.num.messages=100") for word in ("--kafka-property", setting)]
MOMENT = 2.0  # seconds over which a rate is measured
TURNS = 10  # average batches per stream over which shares are compared
LEAST_TURNS = 5  # the same for the partition with the least progress


class SlowKafka:
    """`with SlowKafka(pid, rate, stored):` lets the broker run only for short moments, so that `stored()` grows at this
    rate."""

    RUNS = 0.005  # seconds

    def __init__(self, pid, rate, stored):
        self.pid, self.rate, self.stored = pid, rate, stored
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._pace)

    def _pace(self):
        first, begun = self.stored(), time.monotonic()
        while not self.over.is_set():
            os.kill(self.pid, signal.SIGSTOP)
            try:
                ahead = (self.stored() - first) / self.rate - (time.monotonic() - begun)
                self.over.wait(max(ahead, self.RUNS))
            finally:
                os.kill(self.pid, signal.SIGCONT)
            self.over.wait(self.RUNS)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


class OverloadTest(ProgramTest):
    def setUp(self):
        super().setUp()
        # Each stream needs a descriptor in the server and one in the load generator.
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
        self.services = Services(f"{self.data}/services", "kafka")
        self.addCleanup(self.services.down)
        with open(f"{self.data}/services/kafka.pid", encoding="ascii") as file:
            self.broker = int(file.read())

    def start_all(self):
        self.server = self.start("monitor-server", "--kafka", self.services.kafka, "--port", 0, "--http", "127.0.0.1:0",
                                 "--data", self.data, "--partitions", 6, "--memory-limit", f"{LIMIT_MIB}MiB", *SMALL_REQUESTS)
        self.server.address = self.server.says(r"listening service=grpc address=(\S+)").group(1)
        self.http = self.server.says(r"listening service=http address=(\S+)").group(1)
        self.server.says("writing to Kafka")
        self.idle_mib = self.resident_mib()
        for agent in AGENTS:
            self.configure(agent, "--interval", "1", "--metrics", "cpu")
        self.agents = [self.start_agent(agent, self.server) for agent in AGENTS]
        bench = os.path.join(os.path.dirname(BIN), "bench", "bench-load")
        self.load = self.start(bench, f"port={self.server.address.rpartition(':')[2]}", f"streams={STREAMS}", f"window={WINDOW}",
                               "per_second=0", "series=8", "ticks=1", "batches=4", stdin=subprocess.PIPE)
        self.load.prints("^ready", limit=60)
        self.marks = 0

    def metric(self, name):
        text = run("curl", "-s", f"http://{self.http}/metrics")[1]
        found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
        self.assertIsNotNone(found, f"{name} in {text[:200]!r}")
        return float(found.group(1))

    def resident_mib(self):
        with open(f"/proc/{self.server.process.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize() / 2**20

    def acknowledged(self):
        """Returns the number of acknowledged batches of the load so far."""
        self.load.process.stdin.write("\n")
        self.load.process.stdin.flush()
        self.marks += 1
        found = self.load.prints(r"^acknowledged=(\d+) rejected=(\d+) ended=(\d+) skipped=\d+ ns=(\d+)", self.marks)
        self.assertEqual((found.group(2), found.group(3)), ("0", "0"), found.group(0))
        return int(found.group(1)), int(found.group(4))

    def watch(self, seconds, batches=0):
        """Watches for this time and until this many batches are acknowledged. Returns batches per second and the
        server's peak memory."""
        before, since = self.acknowledged()
        begun, most = time.monotonic(), 0.0

        def done():
            nonlocal most
            most = max(most, self.resident_mib())
            self.assertLessEqual(self.metric("monitor_server_memory_bytes"), LIMIT_MIB * 2**20)
            return time.monotonic() > begun + seconds and self.acknowledged()[0] >= before + batches

        wait_until(done, f"{batches} batches", limit=150)
        after, now = self.acknowledged()
        return (after - before) * 1e9 / (now - since), most

    def ends_of_partitions(self):
        out = kcat("-Q", "-b", self.services.kafka, *(word for p in range(6) for word in ("-t", f"monitoring-data:{p}:-1")))
        return {int(p): int(offset) for p, offset in re.findall(rb"\[(\d+)\] offset (\d+)", out)}

    def least_grown(self, first):
        now = self.ends_of_partitions()
        return min(now[partition] - begin for partition, begin in first.items())

    def stored_between(self, first, last):
        """Returns for each partition: key -> number of records appended between the two positions."""
        counts = []
        for partition, begin in first.items():
            out = b""
            if (count := last[partition] - begin) > 0:
                out = kcat("-C", "-q", "-b", self.services.kafka, "-t", "monitoring-data", "-p", str(partition), "-o", str(begin),
                           "-c", str(count), "-f", "%k\n")
            counts.append(collections.Counter(out.decode().split()))
        return counts

    def shares_are_fair(self, partitions, seconds):
        """Compares the streams within each partition, because a broker that runs for moments does not serve all
        partitions alike. Bounds are wide because a turn is several batches, and the measured interval cuts turns off at
        both ends."""
        loads = [[count for key, count in counts.items() if key.startswith("load-")] for counts in partitions]
        print("least, median and most batches of a stream, by partition:",
              [(min(counts), statistics.median(counts), max(counts)) for counts in loads], file=sys.stderr)
        self.assertEqual(sum(map(len, loads)), STREAMS, "every stream gets its turns")
        for counts in loads:
            middle = statistics.median(counts)
            self.assertGreater(min(counts), middle / 5)
            # Batches sent before the log became slow, at most a window per stream, may still be in a slow partition's
            # queue.
            many = [count for count in counts if count >= middle * 3]
            self.assertLess(max(counts), middle * 3 + WINDOW)
            self.assertLess(len(many), len(counts) / 50, many)
        # An agent creates one batch per second; the log may accept less than one per stream.
        for name in AGENTS:
            found = [(stored[name], statistics.median(counts)) for counts, stored in zip(loads, partitions) if name in stored]
            self.assertEqual(len(found), 1, f"{name} is in one partition and gets its turns")
            count, middle = found[0]
            print(f"{name}: {count} batches in {seconds:.0f} s, median of the other streams {middle}", file=sys.stderr)
            self.assertGreater(count, min(seconds, middle) / 3, name)

    def recovers(self, usual):
        begun = time.monotonic()

        def as_before():
            before, since = self.acknowledged()
            time.sleep(0.5)  # the interval of the rate
            after, now = self.acknowledged()
            return (after - before) * 1e9 / (now - since) > usual / 2

        wait_until(as_before, f"half of the {usual:,.0f} batches/s before", limit=RECOVERY)
        return time.monotonic() - begun

    def nothing_is_missing(self):
        lasts = {}
        for name, agent in zip(AGENTS, self.agents):
            self.assertEqual(agent.stop(), 0)
            lasts[name] = int(agent.says(r"agent stopped batches=(\d+) unsent=0").group(1))
        out = kcat("-C", "-q", "-b", self.services.kafka, "-t", "monitoring-data", "-o", "beginning", "-e", "-f", "%k %h\n").decode()
        for name, last in lasts.items():
            found = [int(n) for n in re.findall(rf"^{name} .*\bsequence=(\d+)", out, re.MULTILINE)]
            self.assertEqual(sorted(found), list(range(1, last + 1)), name)

    def test_memory_is_bounded_and_streams_share_a_slow_or_frozen_log(self):
        self.start_all()
        self.watch(1)  # warm-up: the broker's JIT compiles its hot paths
        usual, quick_mib = self.watch(MOMENT)
        with SlowKafka(self.broker, usual / 15, lambda: self.metric("monitor_server_batches_stored_total")):
            wait_until(lambda: self.metric("monitor_server_streams_paused") > STREAMS / 2, "streams to wait for memory")
            # Batches that the server held before are written first; a batch uses more than 1 KiB of the limit.
            held = self.acknowledged()[0] + LIMIT_MIB * 1024
            wait_until(lambda: self.acknowledged()[0] > held, "the log to accept the held batches", limit=90)
            first = self.ends_of_partitions()
            begun = time.monotonic()
            slow, slow_mib = self.watch(5 * MOMENT, TURNS * STREAMS)
            wait_until(lambda: self.least_grown(first) >= LEAST_TURNS * STREAMS / len(first), "turns in every partition", limit=150)
            last = self.ends_of_partitions()
            took = time.monotonic() - begun
        recovered = self.recovers(usual)
        shares = self.stored_between(first, last)

        os.kill(self.broker, signal.SIGSTOP)
        try:
            wait_until(lambda: self.metric("monitor_server_streams_paused") > STREAMS / 2, "streams to wait for memory")
            _, still_mib = self.watch(MOMENT)
        finally:
            os.kill(self.broker, signal.SIGCONT)
        again = self.recovers(usual)

        print(f"idle {self.idle_mib:.0f} MiB; quick {usual:,.0f} batches/s, {quick_mib:.0f} MiB; slow {slow:,.0f}, {slow_mib:.0f} MiB; still {still_mib:.0f} MiB; "
              f"recovered in {recovered:.1f} s, {again:.1f} s", file=sys.stderr)
        self.assertLess(slow, usual / 10)
        for mib in (slow_mib, still_mib):
            self.assertLess(mib, self.idle_mib + LIMIT_MIB + ALLOWANCE_MIB)
        self.shares_are_fair(shares, took)
        self.load.kill()
        self.nothing_is_missing()


if __name__ == "__main__":
    unittest.main()
