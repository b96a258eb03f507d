"""The agent's rows: the cost of a tick without the stream, and the cost of the whole agent."""
import os
import tempfile
import time

from kafka import Kafka
from pairs import Line, Target, compare, measure
from processes import Ended, cpu_between, memory_kib, open_files, programs, start, wakeups
from services import kcat
from tls_row import make_certificates

# All metrics that are read only from files (filesystem usage is not), and these files.
SELECTORS = ["cpu", "memory", "swap", "disk read", "disk write", "net in", "net out", "load", "uptime", "pressure"]
FILES = ["stat", "meminfo", "self/cgroup", "diskstats", "net/dev", "loadavg", "uptime", "pressure/cpu", "pressure/memory", "pressure/io"]
# The files that an agent reads with an empty configuration.
DEFAULT_SELECTORS = ["cpu", "memory", "disk read", "disk write", "net in", "net out"]
DEFAULT_FILES = ["stat", "meminfo", "self/cgroup", "diskstats", "net/dev"]
# Our agent keeps this open, but reads it only when the set of devices changes. The floor does not read it.
READ_ON_CHANGE = ["/proc/devices"]
SETTLE = 2.25  # seconds before the measurement: the first batches carry additional data. Ends between two ticks
SETTLE_AFTER_BATCHES = 1.25  # then the agent has given back what its start needed


def proc(files):
    # /proc/net shows the reader's own network namespace.
    return ["/proc/self/net/dev" if file == "net/dev" else f"/proc/{file}" for file in files]


def check_files(program, files):
    """The ratio is meaningful only if the floor reads the same files as ours."""
    found = [file for file in open_files(program) if file not in READ_ON_CHANGE]
    if found != sorted(proc(files)):
        raise AssertionError(f"ours reads {found}, the floor {sorted(proc(files))}")


def per_tick(program, interval, seconds):
    """CPU microseconds per tick. The duration is a multiple of the interval, so it contains the same number of ticks
    wherever it begins."""
    ticks = max(round(seconds / interval), 1)
    return cpu_between(program, ticks * interval) / ticks / 1000


def collect_case(options, name, interval, seconds):
    interval_argument = f"interval_us={round(interval * 1e6)}"

    def run(program, check):
        with Ended(program):
            program.prints("^ready")
            time.sleep(options.settle(SETTLE))
            if check:
                check_files(program, FILES)
            return {"cpu": per_tick(program, interval, options.seconds(seconds, interval))}

    blocks = measure(lambda: run(start("bench-agent-floor", interval_argument, *proc(FILES)), False),
                     lambda: run(start("bench-agent-collect", interval_argument, *SELECTORS), True),
                     ["cpu"], *options.blocks())
    return Line("agent-collect", name, "us/tick", compare(blocks, "cpu"), [Target(1.5)])


def collect(options):
    yield collect_case(options, "10 Hz", 0.1, 6)


class WholeAgent:
    """A case of agent-whole: the peer, the agent, and the floor, which sends the agent's bytes."""

    def __init__(self, options, interval, seconds, folder):
        self.options, self.interval, self.folder = options, interval, folder
        self.seconds = options.seconds(seconds, max(interval, 1))
        self.ticks_a_batch = max(round(1 / interval), 1)  # one batch per second
        self.batch = f"{folder}/batch"

    def _run(self, make, settle, peer_arguments=(), settled=lambda: True):
        with Ended(start("bench-peer", *peer_arguments)) as peer:
            port = int(peer.prints(r"^port (\d+)").group(1))
            with Ended(make(port)) as program:
                programs.wait_until(settled, "the agent's third batch")
                time.sleep(self.options.settle(settle))
                if program.name == "monitor-agent":
                    check_files(program, DEFAULT_FILES)
                cpu = per_tick(program, self.interval, self.seconds)
                rss, anonymous = memory_kib(program)
                return {"cpu": cpu, "rss": rss / 1024, "anonymous": anonymous / 1024}

    def ours(self):
        def make(port):
            config = f"{self.folder}/config.json"
            with open(config, "w", encoding="utf-8") as file:
                file.write('{"interval": %g}' % self.interval)
            return start("monitor-agent", "--agent-id", "bench", "--server", f"127.0.0.1:{port}", "--config", config,
                         "--data", self.folder)

        if os.path.exists(self.batch):
            os.remove(self.batch)
        return self._run(make, SETTLE_AFTER_BATCHES, [f"save={self.batch}"], lambda: os.path.exists(self.batch))

    def floor(self):
        def make(port):
            return start("bench-agent-floor", f"interval_us={round(self.interval * 1e6)}",
                         f"ticks_a_batch={self.ticks_a_batch}", f"port={port}", f"batch={self.batch}",
                         f"file={self.folder}/floor", *proc(DEFAULT_FILES))

        return self._run(make, SETTLE)


def whole_case(options, name, interval, seconds, targets):
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as folder:
        case = WholeAgent(options, interval, seconds, folder)
        case.ours()  # warm-up; also records the batch that the floor sends
        blocks = measure(case.floor, case.ours, ["cpu"], *options.blocks())
    yield Line("agent-whole", name, "us/tick", compare(blocks, "cpu"), targets)
    for quantity, what, most in (("rss", "resident", 6.0), ("anonymous", "anonymous", 1.3)):
        yield Line("agent-whole", f"{name}, {what} memory", "MiB", compare(blocks, quantity), [Target(most, of="ours", unit="MiB")])


def wakeups_between_ticks(options):
    """Wakeups of all threads at one tick in 10 s, of which the tick and the acknowledgement are two. Both send to bench-peer."""
    interval, seconds = 10, options.seconds(60, 10)
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as folder:
        case = WholeAgent(options, interval, seconds, folder)

        def counted(make, settled):
            with Ended(start("bench-peer", f"save={case.batch}")) as peer:
                port = int(peer.prints(r"^port (\d+)").group(1))
                with Ended(make(port)) as program:
                    programs.wait_until(settled, "the agent's first batches", 60)
                    time.sleep(options.settle(5))
                    before = wakeups(program)
                    time.sleep(seconds)
                    return {"wakeups": (wakeups(program) - before) / seconds}

        def floor(port):
            return start("bench-agent-floor", f"interval_us={interval * 1_000_000}", "ticks_a_batch=1", f"port={port}",
                         f"batch={folder}/message", f"file={folder}/floor", *proc(DEFAULT_FILES))

        def first(port):
            with open(f"{folder}/config.json", "w", encoding="utf-8") as file:
                file.write('{"interval": %d}' % interval)
            return start("monitor-agent", "--agent-id", "bench", "--server", f"127.0.0.1:{port}", "--config", f"{folder}/config.json",
                         "--data", folder)

        def ours():
            if os.path.exists(case.batch):
                os.remove(case.batch)
            return counted(first, lambda: os.path.exists(case.batch))

        ours()
        os.rename(case.batch, f"{folder}/message")
        blocks = measure(lambda: counted(floor, lambda: True), ours, [], *options.blocks())
    yield Line("agent-wakeups", "10 s, all threads", "wakeups/s", compare(blocks, "wakeups"),
               [Target(0.3, of="ours", unit="wakeups/s")])


def first_message(options):
    """From exec to the time of the agent's first record in Kafka, beside a start of the same program that ends at once."""
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as folder, Kafka(f"{folder}/kafka") as kafka, \
            Ended(start("monitor-server", *kafka.server_arguments("first"), "--data", folder)) as server:
        port = server.says(r"listening service=grpc address=\S+:(\d+)").group(1)
        server.says("writing to Kafka")  # the topic exists
        time.sleep(options.settle(2))  # the broker has just started
        runs = 0

        def ours():
            nonlocal runs
            runs += 1
            began = time.time()
            with Ended(start("monitor-agent", "--agent-id", f"first-{runs}", "--server", f"127.0.0.1:{port}", "--config-dir", folder,
                             "--data", folder)):
                def written():
                    out = kcat("-C", "-b", kafka.address, "-t", "first", "-o", "beginning", "-e", "-q", "-f", "%k %T\n").decode()
                    return [int(line.split()[1]) for line in out.splitlines() if line.split()[0] == f"first-{runs}"]

                time.sleep(options.settle(1))  # nothing beside the agent's start
                return {"ms": min(programs.wait_until(written, "the first record")) - began * 1000}

        def floor():
            began = time.monotonic()
            programs.run("monitor-agent", "--version")
            return {"ms": (time.monotonic() - began) * 1000}

        blocks = measure(floor, ours, [], *options.blocks())
    yield Line("first-message", "exec to the first record in Kafka", "ms", compare(blocks, "ms"), [Target(100, of="ours", unit="ms")])


def settled_memory(agent, options):
    """Waits until the agent has given back what its start needed: 2 s after its first batch, with the next one."""
    time.sleep(options.settle(3.5))
    rss, anonymous = memory_kib(agent)
    return {"rss": rss / 1024, "anonymous": anonymous / 1024}


def tls_memory(options):
    """The agent with TLS beside the same agent without it. Both send to monitor-server."""
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as folder:
        make_certificates(folder)
        with open(f"{folder}/config.json", "w", encoding="utf-8") as file:
            file.write('{"interval": 1}')

        def run(server_options, agent_options):
            with Ended(start("monitor-server", "--log", f"sqlite:{folder}/log.db", "--data", folder, "--port", "0", "--http", "off",
                             *server_options)) as server:
                port = server.says(r"listening service=grpc address=\S+:(\d+)").group(1)
                with Ended(start("monitor-agent", "--agent-id", "bench", "--server", f"localhost:{port}", "--config",
                                 f"{folder}/config.json", "--data", folder, *agent_options)) as agent:
                    agent.says("stream to the server established")
                    return settled_memory(agent, options)

        blocks = measure(lambda: run([], []),
                         lambda: run(["--tls-cert", f"{folder}/cert.pem", "--tls-key", f"{folder}/key.pem"],
                                     ["--tls-ca", f"{folder}/cert.pem"]), ["rss"], *options.blocks())
    yield Line("agent-whole", "1 s with TLS, vs. without: resident memory", "MiB", compare(blocks, "rss"),
               [Target(8.5, of="ours", unit="MiB")])
    yield Line("agent-whole", "1 s with TLS, vs. without: anonymous memory", "MiB", compare(blocks, "anonymous"))


def whole(options):
    if not options.quick:
        yield from whole_case(options, "1 s", 1, 12, [Target(1.3), Target(250, of="ours", unit="us")])
        yield from tls_memory(options)
    yield from whole_case(options, "10 Hz", 0.1, 5, [Target(1.3)])
