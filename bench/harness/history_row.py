"""The page's rows: the cost of a tick in the history, against SQLite inserting one row for it; the bytes of a value on disk,
against columns that are compressed as a whole; the cost of a query over a long range, against reading the rows that hold
the answer; and the bytes that a browser fetches."""
import os
import shutil
import subprocess
import tempfile

from pairs import Line, Target, compare, measure
from processes import BENCH
from spool_row import figures, once

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))


def columns_bytes(agents, seconds):
    """Bytes of a value if all values of some agents are columns of differences, compressed together."""
    few = min(agents, 10)
    columns = subprocess.run([f"{BENCH}/bench-history", "columns", f"agents={few}", f"seconds={seconds}"],
                             capture_output=True, check=True).stdout
    packed = subprocess.run(["zstd", "-19", "-c"], input=columns, capture_output=True, check=True).stdout
    return len(packed) / (few * seconds * 8)


def history(options):
    agents, seconds = (3, 20) if options.quick else (100, 600)
    hours = 700 if options.quick else 6 * 3600  # enough for two blocks
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as folder:
        def empty(name):
            path = f"{folder}/{name}"
            shutil.rmtree(path, ignore_errors=True)
            os.makedirs(path)
            return path

        def ours():
            return figures("bench-history", "insert", f"folder={empty('ours')}", f"agents={agents}", f"seconds={seconds}")

        def floor():
            return figures("bench-history-floor", "insert", f"from={folder}/rows/ticks.db", f"file={empty('floor')}/floor.db")

        figures("bench-history", "ticks", f"file={empty('rows')}/ticks.db", f"agents={agents}", f"seconds={seconds}")
        inserted = measure(floor, ours, ["us"], *options.blocks())
        yield Line("history", f"{agents} agents, 1 tick/s each", "us/tick", compare(inserted, "us"),
                   [Target(6, of="ours", unit="us")])
        written = figures("bench-history", "insert", f"folder={empty('rows')}", f"agents={agents}", f"seconds={hours}", "commit=60")
        floor_bytes = columns_bytes(agents, hours)
        yield Line("history", "a value in a block", "B", once(floor_bytes, written["block_bytes"]), [Target(1.5, of="ours", unit="B")])
        yield Line("history", "a value in the file, with reductions", "B", once(floor_bytes, written["file_bytes"]))
        ranged = measure(lambda: figures("bench-history-floor", "range", f"from={folder}/rows/history.db"),
                         lambda: figures("bench-history", "range", f"folder={folder}/rows", f"agents={agents}", f"seconds={hours}"),
                         ["ms"], *options.blocks())
        yield Line("history", f"range of {hours:,} s at 1 s over {agents} agents", "ms", compare(ranged, "ms"),
                   [Target(150, of="ours", unit="ms")])


def page(options):
    del options
    subprocess.run([os.path.join(ROOT, "tools", "web"), "modules"], check=True, stdout=subprocess.DEVNULL)
    bundle = os.path.join(ROOT, "src", "ui", "web", "bundle")
    uplot = os.path.join(ROOT, "web", "node_modules", "uplot", "dist")
    ours = sum(os.path.getsize(os.path.join(bundle, name)) for name in os.listdir(bundle) if name.endswith(".br"))
    floor = compressed(os.path.join(uplot, name) for name in ("uPlot.iife.min.js", "uPlot.min.css"))
    yield Line("page", "all of it, compressed, vs. uPlot alone", "B", once(floor, ours), [Target(250_000, of="ours", unit="B")])


def compressed(paths):
    script = "let n = 0; for (const one of process.argv.slice(1)) n += zlib.brotliCompressSync(fs.readFileSync(one)).length; console.log(n);"
    return int(subprocess.run(["node", "-e", script, *paths], check=True, capture_output=True, text=True).stdout)
