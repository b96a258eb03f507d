"""The plugins' row: a batch of 8 or 1,000 points through an empty chain, and through the same filter as a built-in
plugin, a native plugin, a script and a plugin in Python; against a bare echo of as many bytes between two processes."""
import os
import shutil
import tempfile

from pairs import Line, Target, compare, measure
from processes import BENCH, programs
from spool_row import figures

BIN = programs.BIN
SOURCES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "plugins")


def plugins(options):
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as folder:
        shutil.copy(f"{BENCH}/plugins/native_filter.so", folder)
        shutil.copy(f"{SOURCES}/script_filter.lua", folder)
        os.makedirs(f"{folder}/agent/plugins")
        shutil.copy(f"{SOURCES}/python_filter.py", f"{folder}/agent/plugins")
        for points in (8, 1000):
            yield from cases(options, folder, points)


def cases(options, folder, points):
    count = 200 if options.quick else 20_000

    def ours(kind):
        return figures("bench-plugin", f"kind={kind}", f"folder={folder}", f"host={BIN}/monitor-plugin-host", f"points={points}",
                       f"count={count}")

    sizes = ours("nothing")

    def echo():
        return figures("bench-packet-echo", f"there={sizes['there']:.0f}", f"back={sizes['there']:.0f}", f"count={count}")

    def echo_and_builtin():
        return {"us": echo()["us"] + ours("builtin")["us"]}

    text = f"{points:,} points: "
    inside = measure(lambda: ours("nothing"), lambda: ours("builtin"), ["us"], *options.blocks())
    yield Line("plugins", text + "built-in, vs. an empty chain", "us/batch", compare(inside, "us"))
    native = measure(echo_and_builtin, lambda: ours("native"), ["us"], *options.blocks())
    yield Line("plugins", text + "native in its host, vs. echo + built-in", "us/batch", compare(native, "us"), [Target(1.3)])
    script = measure(echo_and_builtin, lambda: ours("script"), ["us"], *options.blocks())
    yield Line("plugins", text + "script in its host, vs. echo + built-in", "us/batch", compare(script, "us"))
    python = measure(echo_and_builtin, lambda: ours("python"), ["us"], *options.blocks())
    yield Line("plugins", text + "Python in its host, vs. echo + built-in", "us/batch", compare(python, "us"))
