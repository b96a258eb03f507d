"""The programs of a schedule, and the faults that can be injected into them."""
import os
import re
import signal
import sys
import threading
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import Program, run, wait_until  # noqa: E402
from services import Services  # noqa: E402

# A small broker that starts quickly, and quickly detects dead members and its own restart.
BROKER = {
    "broker.session.timeout.ms": 2000, "broker.heartbeat.interval.ms": 300, "group.min.session.timeout.ms": 1000,
    "offsets.topic.num.partitions": 1, "transaction.state.log.num.partitions": 1,
    "share.coordinator.state.topic.num.partitions": 1, "log.index.size.max.bytes": 1048576, "num.network.threads": 2,
    "num.io.threads": 2, "background.threads": 2, "log.cleaner.dedupe.buffer.size": 4194304,
    "file.delete.delay.ms": 1000,
}


class Ended(Exception):
    """A program ended unexpectedly."""


class Timed(Program):
    """A program that records the arrival time of each output line."""

    def __init__(self, *arguments, **options):
        self.times = []
        super().__init__(*arguments, **options)

    def _gather(self, stream, lines):
        for line in stream:
            with self.changed:
                if lines is self.out:
                    self.times.append(time.time())
                lines.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()


class Member:
    """A program that can be restarted; keeps all of its runs. Whoever injects a fault holds the lock."""

    def __init__(self, name, program, arguments, encodings=()):
        self.name, self.program, self.arguments, self.encodings = name, program, arguments, encodings
        self.runs = []
        self.lock = threading.Lock()
        self.frozen = False

    @property
    def now(self):
        return self.runs[-1]

    def start(self, *more):
        version = ["--encoding", self.encodings[len(self.runs) % len(self.encodings)]] if self.encodings else []
        self.runs.append(Timed(self.program, *self.arguments, *version, *more))
        return self.now

    def must_run(self):
        if self.now.process.poll() is not None:
            raise Ended(f"{self.name} ended unexpectedly with status {self.now.process.poll()}:\n" + "\n".join(self.now.err[-10:]))

    def kill(self):
        self.must_run()
        self.now.kill()

    def stop(self, limit=30):
        self.must_run()
        status = self.now.stop(limit=limit)
        if status == -signal.SIGTERM and not self.now.err:
            return  # before the program was started
        if status != 0:
            raise Ended(f"{self.name} was stopped and ended with status {status}:\n" + "\n".join(self.now.err[-10:]))

    def freeze(self):
        self.must_run()
        self.now.send(signal.SIGSTOP)

    def thaw(self):
        self.now.send(signal.SIGCONT)

    def alive(self):
        return bool(self.runs) and self.now.process.poll() is None

    def write_log(self, folder):
        with open(f"{folder}/{self.name}.log", "w", encoding="utf-8") as log:
            for number, program in enumerate(self.runs):
                log.write(f"== run {number}, status {program.process.poll()}\n" + "\n".join(program.err) + "\n")
        with open(f"{folder}/{self.name}.out", "w", encoding="utf-8") as out:
            for program in self.runs:
                out.writelines(f"{when:.3f} {line}\n" for when, line in zip(program.times, program.out))


class Agent(Member):
    def __init__(self, data, number, plan, servers):
        self.id = f"agent-{number}"
        self.plan = plan
        self.last_sequences = {}  # by incarnation; only of clean stops
        super().__init__(self.id, "monitor-agent", [
            "--agent-id", self.id, "--server", ",".join(servers), "--data", data, "--config-dir", f"{data}/monitor",
            f"--simulate={number + 1}", "--spool-sync", plan.spool_sync, "--drain-timeout", "2s", "--http", "127.0.0.1:0"], plan.encodings)
        plugins = '["deduplication"]' if plan.points_dropped else "[]"
        status, _, err = run("monitor-config", "set", "--dir", f"{data}/monitor", "--agent-id", self.id, f"interval={plan.interval}",
                             f"send_every={plan.send_every}", 'metrics=["cpu","memory"]', f"plugins={plugins}")
        if status != 0:
            raise AssertionError(err)

    def stop(self, limit=30):
        super().stop(limit)
        if not self.now.err:
            return
        last = int(self.now.says(r"agent stopped batches=(\d+)").group(1))
        self.last_sequences[self.now.says(r"agent started.* incarnation=(\w+)").group(1)] = last

    def unsent(self):
        """The number of batches left for the next run."""
        return int(self.now.says(r"agent stopped .*unsent=(\d+)").group(1))

    def metric(self, name):
        address = self.now.says(r"service=http address=(\S+)").group(1)
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as reply:
            return float(re.search(rf"(?m)^monitor_agent_{name} (\S+)$", reply.read().decode()).group(1))

    def has_caught_up(self, since):
        """True if it is connected and has no unsent batch created before `since`."""
        self.must_run()
        oldest = self.metric("spool_oldest_timestamp_seconds")
        return self.metric("connected") == 1 and (oldest == 0 or oldest > since)


class Server(Member):
    """Its clients use the proxy's link `server N`, which follows its port."""

    def __init__(self, number, proxy, arguments, encodings):
        self.number, self.proxy = number, proxy
        super().__init__(f"server-{number}", "monitor-server", arguments, encodings)

    def start(self, *more):
        super().start(*more)
        host, port = self.now.says(r"listening service=grpc address=(\S+)").group(1).split(":")
        self.proxy.carry_to(f"server {self.number}", (host, int(port)))


class Broker:
    """A Kafka broker. The servers reach it through the proxy's link `kafka`."""

    def __init__(self, folder, proxy):
        self.folder = folder
        self.proxy = proxy
        self.lock = threading.Lock()
        port = proxy.listen("kafka")
        settings = [part for name, value in BROKER.items() for part in ("--kafka-setting", f"{name}={value}")]
        self.services = Services(folder, "kafka", "--kafka-advertise", f"127.0.0.1:{port}", *settings)
        self.direct = self.services.kafka
        self.proxied = f"127.0.0.1:{port}"
        self._connect()

    def _connect(self):
        host, port = self.services.behind.split(":")
        self.proxy.carry_to("kafka", (host, int(port)))

    def kill(self):
        self.services.kill()

    def start(self):
        self.services.up()
        self._connect()

    def stop(self):
        self.services.down()

    def freeze(self):
        os.kill(self.services.pid(), signal.SIGSTOP)

    def thaw(self):
        os.kill(self.services.pid(), signal.SIGCONT)


class World:
    """All of a schedule except for the broker. Link names: `server N` and `kafka`."""

    def __init__(self, plan, folder, broker, proxy):
        self.plan, self.folder, self.broker, self.proxy = plan, folder, broker, proxy
        self.topic = f"chaos-{plan.seed}-{os.getpid()}"
        self.ports = []
        self.servers = [self._server(n) for n in range(plan.servers)]
        addresses = [f"127.0.0.1:{port}" for port in self.ports]
        self.agents = [Agent(f"{folder}/data", n, agent, addresses) for n, agent in enumerate(plan.agents)]
        self.printers = [self._reader(f"printer-{n}", "get-metrics", "--group-id", "printers", "--format", "json")
                         for n in range(plan.printers)]
        self.counters = [self._reader(f"counter-{n}", "ledger", "--group-id", "counters", "--format", "json", "--watch",
                                       "--timeout", "60s")
                         for n in range(plan.counters)]

    @property
    def readers(self):
        return self.printers + self.counters

    @property
    def members(self):
        return self.servers + self.agents + self.readers

    def _server(self, number):
        self.ports.append(self.proxy.listen(f"server {number}"))
        return Server(number, self.proxy, [
            "--kafka", self.broker.proxied, "--topic", self.topic, "--partitions", self.plan.partitions, "--port", 0,
            "--http", "off", "--data", f"{self.folder}/data", "--threads", 1], self.plan.encodings[number])

    def log(self):
        return ["--kafka", self.broker.direct, "--topic", self.topic]

    def _reader(self, name, command, *arguments):
        # Logs the group protocol, for the analysis of failed schedules.
        return Member(name, "monitor-analysis", [
            command, *self.log(), *arguments, "--kafka-property", "session.timeout.ms=3000", "--kafka-property",
            "heartbeat.interval.ms=500", "--kafka-property", "max.poll.interval.ms=20000", "--kafka-property", "debug=cgrp",
            "--log-level", "debug"])

    def start(self):
        for server in self.servers:
            server.start()
        for server in self.servers:
            server.now.says("writing to Kafka")
        for reader in self.printers:
            reader.start("--from", "earliest")
        for reader in self.counters:
            reader.start()
        for agent in self.agents:
            agent.start()
        for agent in self.agents:
            agent.now.says("stream to the server established")

    def drain(self):
        """Stops the agents cleanly, and restarts those that could not send everything."""
        for agent in self.agents:
            for _ in range(10):
                agent.stop()
                if agent.unsent() == 0:
                    break
                agent.start()
                since = time.time()
                wait_until(lambda a=agent, s=since: a.has_caught_up(s), f"{agent.id} to send the rest", 60)
            else:
                raise AssertionError(f"{agent.id} still has unsent batches")
        for server in self.servers:
            server.stop()

    def close(self):
        for member in self.members:
            for program in member.runs:
                program.kill()
        for number in range(len(self.servers)):
            self.proxy.forget(f"server {number}")
