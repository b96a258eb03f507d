"""Configuration: latency from an etcd put to the applied configuration, against a bare watch of the same key."""
import os
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "tests", "lib"))
from etcd import Etcd  # noqa: E402
from pairs import Line, Target, compare, measure
from processes import Ended, start
from reading_rows import p99

EVERY_US = 5000
WARM = 20  # puts that are not measured


class Applied:
    def __init__(self, options, etcd):
        self.count = 30 if options.quick else 1000
        self.where = ["host=127.0.0.1", f"port={etcd.port}", f"every_us={EVERY_US}"]

    def run(self, which):
        with Ended(start("bench-config-applied", which, *self.where, f"count={self.count + WARM}")) as program:
            program.prints(r"^delay_us=", self.count + WARM, limit=120)
            delays = [float(line.split("=")[1]) / 1000 for line in program.out[WARM:self.count + WARM]]
        return {"p50": statistics.median(delays), "p99": p99(delays)}


def applied(options):
    etcd = Etcd()
    try:
        case = Applied(options, etcd)
        case.run("floor")  # warm-up: etcd's first writes are slower
        blocks = measure(lambda: case.run("floor"), lambda: case.run("ours"), ["p50"], *options.blocks())
        yield Line("applied", "put to applied, median", "ms", compare(blocks, "p50"))
        compared = compare(blocks, "p99")
        yield Line("applied", "put to applied, p99", "ms", compared, [Target(round(compared.floor + 5, 1), of="ours", unit="ms")])
    finally:
        etcd.close()
