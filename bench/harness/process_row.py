"""The row of the collector of processes: CPU and memory of a reading on a host with many processes."""
import time

from agent_rows import SETTLE, per_tick
from pairs import Line, compare, measure
from processes import Ended, memory_kib, start

CASES = (("5,000 processes", 5000, None), ("5,000 processes, 500 forks/s", 5000, 500), ("300 processes", 300, None))
INTERVAL, SECONDS = 1, 8


def run(options, name, *arguments):
    with Ended(start(name, f"interval_us={INTERVAL * 10**6}", *arguments)) as program:
        program.prints("^ready")
        time.sleep(options.settle(SETTLE))
        cpu = per_tick(program, INTERVAL, options.seconds(SECONDS, INTERVAL))
        return {"cpu": cpu / 1000, "memory": memory_kib(program)[1] / 1024}


def case(options, name, count, forks):
    with Ended(start("bench-sleepers", f"count={count}", *([f"forks={forks}"] if forks else []))) as sleepers:
        sleepers.prints("^ready", limit=60)
        blocks = measure(lambda: run(options, "bench-process-floor"),
                         lambda: run(options, "bench-agent-collect", "processes"), ["cpu"], *options.blocks())
        yield Line("processes", f"{name}: CPU", "ms/tick", compare(blocks, "cpu"))
        yield Line("processes", f"{name}: anonymous memory", "MiB", compare(blocks, "memory"))


def processes(options):
    for one in CASES[:1] if options.quick else CASES:
        yield from case(options, *one)
