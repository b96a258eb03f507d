"""Bytes per point in the log. Agents record this host, each through its own server to a real Kafka. *live*: every batch
is confirmed before the next one is created, so a produce batch contains one batch. After an *outage*: the agent's
backlog arrives at once, and produce batches fill up as they do on a busy server. The floor is the same points in
columns, one column per series, compressed together by `zstd -19`. No format that can be read as a stream comes near it.
"""
import contextlib
import os
import subprocess
import tempfile
import time

from kafka import Ended, Kafka, programs, start
from pairs import Comparison, Line, Target

from decode_batch import decode  # in docs/examples, which programs.py adds to the path

SECONDS = 100
CASES = [("1 tick per batch", 1, [Target(3), Target(6, of="ours", unit="B")]),
         ("10 ticks per batch", 10, [Target(3), Target(1, of="ours", unit="B")])]


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def zigzag(value):
    return value * 2 if value >= 0 else -value * 2 - 1


def differences(values, order):
    for _ in range(order):
        values = values[:1] + [b - a for a, b in zip(values, values[1:])]
    return b"".join(varint(zigzag(value)) for value in values)


def columns(batches):
    """Returns the points of all batches as columns, and their number. A column names its series, and lists its frames
    only if it does not have a value in every frame."""
    times, series, points = [], {}, 0
    for batch in batches:
        for frame in batch["frames"]:
            for one, value in frame["points"]:
                assert one["integer"], one
                name = f"{one['name']} {one['labels']} {one['unit']} {one['kind']} {one['exponent']}"
                series.setdefault(name, []).append((len(times), round(value * 10 ** -one["exponent"])))
                points += 1
            times.append(frame["time"])
    out = differences(times, 2)
    for name, values in series.items():
        out += name.encode() + b"\n"
        if len(values) != len(times):
            out += differences([place for place, _ in values], 1)
        out += differences([value for _, value in values], 1)
    return out, points


def zstd_bytes(data):
    return len(subprocess.run(["zstd", "-19", "-c"], input=data, capture_output=True, check=True).stdout)


def configure(folder, name, ticks_a_batch, interval):
    path = f"{folder}/{name}.json"
    with open(path, "w", encoding="utf-8") as file:
        file.write('{"interval": %g, "send_every": %g}' % (interval, ticks_a_batch * interval))
    return path


class Recording:
    """One agent with its server and its topic."""

    def __init__(self, kafka, folder, name, ticks_a_batch, interval, outage):
        self.kafka, self.folder, self.name, self.outage = kafka, folder, name, outage
        self.port = programs.free_port()
        self.config = configure(folder, name, ticks_a_batch, interval)
        self.server = None

    def _serve(self):
        arguments = self.kafka.server_arguments(self.name)
        arguments[arguments.index("--port") + 1] = str(self.port)
        server = start("monitor-server", *arguments, "--data", f"{self.folder}/{self.name}")
        self.server = self.stack.enter_context(Ended(server))
        server.says("writing to Kafka")

    def begin(self, stack):
        self.stack = stack
        if not self.outage:
            self._serve()
        self.agent = stack.enter_context(Ended(start(
            "monitor-agent", "--agent-id", "web-017", "--server", f"127.0.0.1:{self.port}", "--config", self.config,
            "--data", f"{self.folder}/{self.name}")))

    def end(self):
        if self.outage:
            self._serve()
            self.agent.says("stream to the server established")
        self.agent.stop()
        assert "unsent=0" in self.agent.err[-1], self.agent.err[-1]
        self.server.stop()

    def compare(self):
        batches = [decode(value) for value in self.kafka.values(self.name)]
        data, points = columns(batches)
        floor, ours = zstd_bytes(data) / points, self.kafka.log_bytes(self.name) / points
        return Comparison(floor=floor, ours=ours, ratio=ours / floor, worst=ours / floor, drift=0, noisy=False, pairs=1)


def bytes_a_point(options):
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as folder, Kafka(f"{folder}/kafka") as kafka, \
            contextlib.ExitStack() as stack:
        recordings = []
        for name, ticks_a_batch, targets in CASES:
            for outage in (False, True):
                case = f"{name}, {'after an outage' if outage else 'live'}"
                recording = Recording(kafka, folder, f"bytes-{len(recordings)}", ticks_a_batch,
                                      options.seconds(1, 0.05), outage)
                os.makedirs(f"{folder}/{recording.name}")
                recording.begin(stack)
                recordings.append((case, recording, targets))
        time.sleep(options.seconds(SECONDS, 1.2))
        for _, recording, _ in recordings:
            recording.end()
        for case, recording, targets in recordings:
            yield Line("bytes-a-point", case, "B/point", recording.compare(), targets)
