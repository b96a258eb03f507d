"""Starts the real programs for tests, and waits for their output. Every wait is for a condition, with a limit after
which the test fails and shows the output."""
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("MONITOR_BIN_DIR", os.path.join(ROOT, "build", "release", "bin"))
sys.path.insert(0, os.path.join(ROOT, "docs", "examples"))

# The folder for the addresses of `monitor up`, so that a test's programs do not find an instance of another test or
# user.
RUNTIME = tempfile.TemporaryDirectory(prefix="monitor-runtime-")
os.environ["XDG_RUNTIME_DIR"] = RUNTIME.name

LIMIT = 30  # seconds; for operations that take moments on an idle machine


def wait_until(condition, what, limit=LIMIT):
    """Waits until the condition is true, and returns its value."""
    end = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {limit} s for {what}")
        time.sleep(0.01)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Program:
    """A running program, with its output collected by line."""

    def __init__(self, name, *arguments, env=None, **options):
        self.name = name
        self.out, self.err = [], []
        self.changed = threading.Condition()
        path = os.path.join(BIN, name) if name.startswith("monitor") else name
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MONITOR_") or k == "MONITOR_BIN_DIR"}
        environment.update(env or {})
        self.process = subprocess.Popen([path, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        **{"stdin": subprocess.DEVNULL, **options}, text=True, errors="replace", env=environment)
        self.threads = [threading.Thread(target=self._gather, args=a, daemon=True)
                        for a in ((self.process.stdout, self.out), (self.process.stderr, self.err))]
        for thread in self.threads:
            thread.start()

    def _gather(self, stream, lines):
        for line in stream:
            with self.changed:
                lines.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def _wait(self, lines, pattern, count, limit):
        end = time.monotonic() + limit
        with self.changed:
            while True:
                found = [m for m in (re.search(pattern, line) for line in lines) if m]
                if len(found) >= count:
                    return found[count - 1]
                left = end - time.monotonic()
                if left <= 0 or (self.process.poll() is not None and not any(t.is_alive() for t in self.threads)):
                    raise AssertionError(f"{self.name} did not say {pattern!r} {count} times within {limit} s "
                                         f"(status {self.process.poll()}); it said:\n" + "\n".join((self.out + self.err)[-40:]))
                self.changed.wait(min(left, 0.2))

    def says(self, pattern, count=1, limit=LIMIT):
        """Waits for the count-th match on standard error, and returns it."""
        return self._wait(self.err, pattern, count, limit)

    def prints(self, pattern, count=1, limit=LIMIT):
        """Waits for the count-th match on standard output, and returns it."""
        return self._wait(self.out, pattern, count, limit)

    def said(self, pattern):
        """Returns the number of matches on standard error so far."""
        return sum(bool(re.search(pattern, line)) for line in list(self.err))

    def json_lines(self, count, limit=LIMIT):
        self.prints(r"^\{", count, limit)
        return [json.loads(line) for line in self.out[:count]]

    def send(self, number):
        self.process.send_signal(number)

    def ends(self, limit=LIMIT):
        """Waits for the program to end, and returns its exit status."""
        status = self.process.wait(limit)
        for thread in self.threads:
            thread.join(5)
        return status

    def stop(self, number=signal.SIGTERM, limit=LIMIT):
        if self.process.poll() is None:
            self.send(number)
        return self.ends(limit)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for thread, stream in zip(self.threads, (self.process.stdout, self.process.stderr)):
            thread.join(5)
            if not thread.is_alive():  # a grandchild may hold the pipe open, and close() would wait for it
                stream.close()


def run(name, *arguments, stdin="", env=None, limit=60, **options):
    """Runs a program to its end. Returns its status, standard output and standard error."""
    path = os.path.join(BIN, name) if name.startswith("monitor") else name
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MONITOR_")}
    environment.update(env or {})
    done = subprocess.run([path, *map(str, arguments)], input=stdin, capture_output=True, text=True, errors="replace",
                          timeout=limit, env=environment, **options)
    return done.returncode, done.stdout, done.stderr


class ProgramTest(unittest.TestCase):
    """A test with its own data folder. All programs that it started are stopped when it ends."""

    def setUp(self):
        self.data = tempfile.mkdtemp(prefix="monitor-test-")
        self.running = []

    def tearDown(self):
        for program in reversed(self.running):
            with contextlib.suppress(Exception):
                program.kill()
        shutil.rmtree(self.data, ignore_errors=True)

    def start(self, name, *arguments, **options):
        program = Program(name, *arguments, **options)
        self.running.append(program)
        return program

    def start_server(self, *arguments, port=0):
        server = self.start("monitor-server", "--log", f"sqlite:{self.data}/log.db", "--port", port, "--http", "off",
                            "--data", self.data, *arguments)
        server.address = server.says(r"listening service=grpc address=(\S+)").group(1)
        return server

    def start_agent(self, agent_id, server, *arguments):
        return self.start("monitor-agent", "--agent-id", agent_id, "--server", server.address if hasattr(server, "address") else server,
                          "--data", self.data, "--config-dir", f"{self.data}/monitor", *arguments)

    def start_reader(self, *arguments):
        return self.start("monitor-analysis", "get-metrics", "--log", f"sqlite:{self.data}/log.db", "--format", "json",
                          "--from", "earliest", "--data", self.data, *arguments)

    def configure(self, agent_id, *arguments):
        status, out, err = run("monitor-config", "--agent-id", agent_id, "--dir", f"{self.data}/monitor", *arguments)
        self.assertEqual(status, 0, err)
        return out

    def batches(self, agent_id=None):
        """Returns the batches in the log, decoded by the documentation's example."""
        from decode_batch import decode, read_sqlite

        return [decode(value, key) for _, _, key, _, value in read_sqlite(f"{self.data}/log.db") if agent_id in (None, key)]
