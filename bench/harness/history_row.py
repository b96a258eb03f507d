"""The page's rows: the cost of a tick in the history, against SQLite inserting the same rows; the cost of a query over
a long range, against reading the same rows; and the bytes that a browser fetches."""
import os
import shutil
import tempfile

from pairs import Line, Target, compare, measure
from spool_row import figures, once

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
UPLOT = 51_081 + 1_857  # bytes of uPlot 1.6.32 (minified) and its style sheet


def history(options):
    agents, seconds = (3, 20) if options.quick else (100, 600)
    hours = 20 if options.quick else 6 * 3600
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as folder:
        def empty(name):
            path = f"{folder}/{name}"
            shutil.rmtree(path, ignore_errors=True)
            os.makedirs(path)
            return path

        def ours():
            return figures("bench-history", "insert", f"folder={empty('ours')}", f"agents={agents}", f"seconds={seconds}")

        def floor():
            return figures("bench-history-floor", "insert", f"from={folder}/rows/history.db", f"file={empty('floor')}/floor.db")

        figures("bench-history", "insert", f"folder={empty('rows')}", f"agents={agents}", f"seconds={seconds}")
        inserted = measure(floor, ours, ["us"], *options.blocks())
        yield Line("history", f"{agents} agents, 1 tick/s each", "us/tick", compare(inserted, "us"))
        figures("bench-history", "insert", f"folder={empty('rows')}", f"agents={agents}", f"seconds={hours}", "commit=60")
        ranged = measure(lambda: figures("bench-history-floor", "range", f"from={folder}/rows/history.db"),
                         lambda: figures("bench-history", "range", f"folder={folder}/rows", f"agents={agents}", f"seconds={hours}"),
                         ["ms"], *options.blocks())
        yield Line("history", f"range of {hours:,} s at 1 s over {agents} agents", "ms", compare(ranged, "ms"))


def page(options):
    del options
    bundle = os.path.join(ROOT, "src", "analysis", "web", "bundle")
    size = sum(os.path.getsize(os.path.join(bundle, name)) for name in os.listdir(bundle))
    yield Line("page", "total download, vs. uPlot alone", "B", once(UPLOT, size), [Target(150_000, of="ours", unit="B")])
