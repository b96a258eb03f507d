"""The spool's row: what a batch costs on its way through it, in normal running and after an outage, beside bare calls of
the kernel with as many bytes; what a point takes on the disk; how often an hour writes; a start on a large one."""
import glob
import os
import shutil
import tempfile

from pairs import Line, Target, compare, measure
from processes import Ended, start

POINTS = 8  # a batch of bench-spool
HOUR = 3600


def figures(name, *arguments):
    """What the program printed when it had ended well."""
    with Ended(start(name, *arguments)) as program:
        status = program.ends(120)
        if status != 0:
            raise AssertionError(f"{name} ended with {status}: " + "\n".join(program.err))
        return {key: float(value) for key, value in (line.split("=") for line in program.out)}


class Spool:
    """Runs, each in a folder that is empty."""

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
        """The same work by a table in SQLite, which is no floor: it shows what the spool's own format is worth."""
        return figures("bench-spool-sqlite", mode, f"folder={self.empty()}", f"batches={self.batches}")

    def fill(self, mebibytes):
        """A spool as a killed agent leaves it; copies of it are started on."""
        figures("bench-spool", "fill", f"folder={self.empty()}", f"mebibytes={mebibytes}")

    def start(self, mebibytes):
        return figures("bench-spool", "start", f"folder={self.folder}/spool", f"mebibytes={mebibytes}")

    def scan(self):
        files = sorted(glob.glob(f"{self.folder}/spool/*.seg"))
        return figures("bench-spool-floor", "scan", *files)

    def floor(self, mode):
        return figures("bench-spool-floor", mode, f"file={self.folder}/floor", f"records={self.batches}", f"bytes={self.record}")


def once(floor, ours):
    """A comparison of what is counted, not timed: no pair differs from another."""
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
        yield Line("spool", "on the disk", "B/point", once(sizes["payload"] / POINTS, sizes["bytes"] / POINTS))
        for mode, what in (("append", "append and acknowledge"), ("replay", "replay and acknowledge")):
            beside = measure(lambda: runs.sqlite(mode), lambda: runs.ours(mode), ["us"], *options.blocks())
            yield Line("spool", f"{what}, beside SQLite", "us/batch", compare(beside, "us"))
        counted = runs.ours("append", hour)
        yield Line("spool", f"{hour:,} s at 1 s: writes", "calls", once(hour, counted["writes"]))
        yield Line("spool", f"{hour:,} s at 1 s: writes and syncs", "calls", once(hour, counted["writes"] + counted["syncs"]))
        mebibytes = 8 if options.quick else 1024
        runs.fill(mebibytes)
        begun = measure(runs.scan, lambda: runs.start(mebibytes), ["ms"], *options.blocks())
        yield Line("spool", f"start on {mebibytes:,} MiB", "ms", compare(begun, "ms"), [Target(2000, of="ours", unit="ms")])
        peak = max(run["peak_mib"] for block in begun for run in block.ours)
        least = figures("bench-spool", "start", f"folder={runs.empty()}", "mebibytes=0")["peak_mib"]
        yield Line("spool", f"start on {mebibytes:,} MiB, beside an empty one: memory", "MiB", once(least, peak))
