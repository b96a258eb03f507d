"""Bytes per point of payload v2 beside v1, in a real Kafka's files, with zstd and with everything that Kafka adds. This host is
read once a second; both payloads carry the same readings. *alone*: a produce batch has one record. *ten*: it has records of ten
agents, which are parts of the reading. The floor is the same points in columns, compressed together by `zstd -19`.
"""
import os
import statistics
import subprocess
import tempfile

from kafka import Kafka
from pairs import Comparison, Line, Target
from bytes_row import columns, zstd_bytes

from decode_batch import decode  # in docs/examples

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "build", "release", "bench", "bench-payload")
TICKS = 100
NAMES = {"v1": "v1", "v1bare": "v1 without headers", "v2": "v2"}
CASES = [("1-alone", "8 series, 1 tick", 14.5), ("1-ten", "8 series, 1 tick, ten agents", 6),
         ("10-alone", "8 series, 10 ticks", 2.7), ("10-ten", "8 series, 10 ticks, ten agents", 1.5),
         ("1000-alone", "1,008 series, 1 tick", 2), ("1000-ten", "1,008 series, 1 tick, ten agents", 2)]


def line_of(case, floor, ours, targets):
    return Line("payload", case, "B/point", Comparison(floor=floor, ours=ours, ratio=ours / floor, worst=ours / floor, drift=0, noisy=False, pairs=1),
                targets)


COSTS = [(8, 1, 4000), (8, 10, 1000), (47, 1, 2000), (1008, 1, 400)]  # series, ticks, batches


def costs(options):
    """CPU time of one batch: payload v2 beside v1, which is the floor here. The batch before had the same series."""
    program = os.path.join(os.path.dirname(PROGRAM), "bench-payload-cost")
    for series, ticks, batches in COSTS:
        def run(arguments=(f"series={series}", f"ticks={ticks}", f"batches={max(1, batches // (20 if options.quick else 1))}")):
            done = subprocess.run([program, *arguments], capture_output=True, check=True, text=True)
            return {name: (float(v1.split("=")[1]), float(v2.split("=")[1])) for name, v1, v2 in map(str.split, done.stdout.splitlines())}

        runs = [run() for _ in range(1 if options.quick else 5)]
        for what in ("encode", "check", "decode"):
            v1, v2 = (statistics.median(one[what][i] for one in runs) for i in (0, 1))
            ratios = [one[what][1] / one[what][0] for one in runs]
            yield Line("payload-cost", f"{what} {series} series, {ticks} tick{'s' if ticks > 1 else ''}", "us",
                       Comparison(floor=v1, ours=v2, ratio=statistics.median(ratios), worst=max(ratios), drift=0, noisy=False, pairs=len(runs)), [])


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
                targets = [Target(target, of="ours", unit="B")] if form == "v2" else []
                yield line_of(f"{title}: {name}", floor, kafka.log_bytes(topic) / points[topic], targets)
                if case == "1000-alone" and form != "v1":
                    yield line_of(f"{title}: {name}, not compressed", floor, sizes[topic] / points[topic], targets)
