"""Bytes per point of payload v2 beside v1, in a real Kafka's files, with zstd and with everything that Kafka adds. This host is
read once a second; both payloads carry the same readings. *alone*: a produce batch has one record. *ten*: it has records of ten
agents, which are parts of the reading. The floor is the same points in columns, compressed together by `zstd -19`.
"""
import os
import subprocess
import tempfile

from kafka import Kafka
from pairs import Comparison, Line, Target
from bytes_row import columns, zstd_bytes

from decode_batch import decode  # in docs/examples

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "build", "release", "bench", "bench-payload")
TICKS = 100
NAMES = {"v1": "v1", "v1bare": "v1 without headers", "v2": "v2", "v2named": "v2, series set named"}
CASES = [("1-alone", "8 series, 1 tick", 14.5), ("1-ten", "8 series, 1 tick, ten agents", 6),
         ("10-alone", "8 series, 10 ticks", 2.7), ("10-ten", "8 series, 10 ticks, ten agents", 1.5),
         ("1000-alone", "1,008 series, 1 tick", 2), ("1000-ten", "1,008 series, 1 tick, ten agents", 2)]


def line_of(case, floor, ours, targets):
    return Line("payload", case, "B/point", Comparison(floor=floor, ours=ours, ratio=ours / floor, worst=ours / floor, drift=0, noisy=False, pairs=1),
                targets)


def payload(options):
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as folder, Kafka(f"{folder}/kafka") as kafka:
        done = subprocess.run([PROGRAM, f"brokers={kafka.address}", "prefix=payload", f"ticks={int(options.seconds(TICKS, 10))}"],
                              capture_output=True, check=True, text=True)
        points, sizes = {}, {}
        for line in done.stdout.splitlines():
            name, count, size = line.split()
            points[name], sizes[name] = int(count), int(size)
        for case, title, target in CASES:
            if points[f"payload-{case}-v1bare"] == 0:
                continue  # too few ticks for it
            data, count = columns([decode(value) for value in kafka.values(f"payload-{case}-v1bare")])
            floor = zstd_bytes(data) / count
            for form, name in NAMES.items():
                topic = f"payload-{case}-{form}"
                if topic not in points:
                    continue
                # A named set's own bytes are in another place, once.
                targets = [Target(target, of="ours", unit="B")] if form in ("v2", "v2named") else []
                yield line_of(f"{title}: {name}", floor, kafka.log_bytes(topic) / points[topic], targets)
                if case == "1000-alone" and form != "v1":
                    yield line_of(f"{title}: {name}, not compressed", floor, sizes[topic] / points[topic], targets)
