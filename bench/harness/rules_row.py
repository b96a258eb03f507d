"""The row of rules: evaluating 10,000 instances of rules, ten rules over 1,000 agents with an alert for every second one,
against only comparing 10,000 values in memory and writing the samples of the alerts to SQLite."""
import os
import shutil
import tempfile

from pairs import Line, Target, compare, measure
from spool_row import figures


def rules(options):
    agents = 20 if options.quick else 1000
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as folder:
        figures("bench-rules", "make", f"folder={folder}", f"agents={agents}")
        first = []

        def ours():
            for name in os.listdir(folder):
                if "-rules" in name or name.startswith("floor"):
                    os.remove(os.path.join(folder, name))
            found = figures("bench-rules", "run", f"folder={folder}", f"agents={agents}")
            first.append(found["first_ms"])
            return found

        def floor():
            path = os.path.join(folder, "floor")
            shutil.rmtree(path, ignore_errors=True)
            os.makedirs(path)
            found = figures("bench-rules-floor", f"file={path}/floor.db", f"agents={agents}")
            shutil.rmtree(path)
            return found

        measured = measure(floor, ours, ["ms"], *options.blocks())
        yield Line("rules", f"{10 * agents:,} rule instances over {agents:,} agents", "ms", compare(measured, "ms"),
                   [Target(1000, of="ours", unit="ms")])
