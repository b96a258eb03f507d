"""The spool's row: the cost of a batch in normal operation and after an outage, against bare system calls with as many
bytes; bytes per point on disk; writes per hour; startup with a large spool."""
import glob
import os
import shutil
import tempfile

from pairs import Line, Target, compare, measure
from processes import Ended, start

POINTS = 8  # per batch of bench-spool
HOUR = 3600


def figures(name, *arguments):
    """Runs the program to success, and returns its name=value output."""
    with Ended(start(name, *arguments)) as program:
        status = program.ends(120)
        if status != 0:
            raise AssertionError(f"{name} ended with {status}: " + "\n".join(program.err))
        return {key: float(value) for key, value in (line.split("=") for line in program.out)}


class Spool:
    """Runs, each in an empty folder."""

    def __init__(self, folder, batches):
        self.folder, self.batches = folder, batches
        self.record = 0

    def empty(self):
        path = f"{self.folder}/spool"
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        return path

    def ours(self, mode, batches=None):
        return figures("bench-spool", mode, f"folder={self.empty()}", f"batches={batches or self.batches}")

    def sqlite(self, mode):
        """The same work on an SQLite table. This is not a floor: it shows the benefit of the spool's own format."""
        return figures("bench-spool-sqlite", mode, f"folder={self.empty()}", f"batches={self.batches}")

    def fill(self, mebibytes):
        """Creates a spool as a killed agent leaves it. Each start uses a copy of it."""
        figures("bench-spool", "fill", f"folder={self.empty()}", f"mebibytes={mebibytes}")

    def start(self, mebibytes):
        return figures("bench-spool", "start", f"folder={self.folder}/spool", f"mebibytes={mebibytes}")

    def scan(self):
        files = sorted(glob.glob(f"{self.folder}/spool/*.seg"))
        return figures("bench-spool-floor", "scan", *files)

    def floor(self, mode):
        return figures("bench-spool-floor", mode, f"file={self.folder}/floor", f"records={self.batches}", f"bytes={self.record}")


def once(floor, ours):
    """A comparison of counts instead of times: all pairs are equal."""
    return compare(measure(lambda: {"it": floor}, lambda: {"it": ours}, [], 1, 0), "it")


def spool(options):
    batches = 500 if options.quick else 20_000
    hour = 100 if options.quick else HOUR
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as folder:
        runs = Spool(folder, batches)
        sizes = runs.ours("replay")
        runs.record = round(sizes["bytes"])
        appended = measure(lambda: runs.floor("write"), lambda: runs.ours("append"), ["us"], *options.blocks())
        yield Line("spool", "append and acknowledge", "us/batch", compare(appended, "us"))
        replayed = measure(lambda: runs.floor("read"), lambda: runs.ours("replay"), ["us"], *options.blocks())
        yield Line("spool", "replay and acknowledge", "us/batch", compare(replayed, "us"))
        yield Line("spool", "bytes on disk", "B/point", once(sizes["payload"] / POINTS, sizes["bytes"] / POINTS))
        for mode, what in (("append", "append and acknowledge"), ("replay", "replay and acknowledge")):
            beside = measure(lambda: runs.sqlite(mode), lambda: runs.ours(mode), ["us"], *options.blocks())
            yield Line("spool", f"{what}, vs. SQLite", "us/batch", compare(beside, "us"))
        counted = runs.ours("append", hour)
        yield Line("spool", f"{hour:,} s at 1 s: writes", "calls", once(hour, counted["writes"]))
        yield Line("spool", f"{hour:,} s at 1 s: writes and syncs", "calls", once(hour, counted["writes"] + counted["syncs"]))
        mebibytes = 8 if options.quick else 1024
        runs.fill(mebibytes)
        begun = measure(runs.scan, lambda: runs.start(mebibytes), ["ms"], *options.blocks())
        yield Line("spool", f"start on {mebibytes:,} MiB", "ms", compare(begun, "ms"), [Target(2000, of="ours", unit="ms")])
        peak = max(run["peak_mib"] for block in begun for run in block.ours)
        least = figures("bench-spool", "start", f"folder={runs.empty()}", "mebibytes=0")["peak_mib"]
        yield Line("spool", f"start on {mebibytes:,} MiB, vs. an empty one: memory", "MiB", once(least, peak))
