"""Programs that are measured: started, looked at from outside, ended. What they use is read from the kernel, the same
way for a floor as for ours, and only of the time between two moments: neither starting nor ending counts."""
import os
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
import programs  # noqa: E402

BENCH = os.path.join(os.path.dirname(programs.BIN), "bench")


def start(name, *arguments, **options):
    """One of bench/ by its name, or one of the project's programs."""
    return programs.Program(name if name.startswith("monitor") else os.path.join(BENCH, name), *arguments, **options)


def cpu_ns(program):
    """User and system time of all its threads, those that have ended too (clock_getcpuclockid(3)), in nanoseconds."""
    return time.clock_gettime_ns((~program.process.pid << 3) | 2)


def cpu_between(program, seconds):
    """What it uses in so many seconds from now."""
    end = time.monotonic() + seconds
    before = cpu_ns(program)
    while (left := end - time.monotonic()) > 0:
        time.sleep(left)
    return cpu_ns(program) - before


def memory_kib(program):
    """Resident, and of that what is not backed by a file."""
    found = {}
    with open(f"/proc/{program.process.pid}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            words = line.split()
            if words[0] in ("Rss:", "Anonymous:"):
                found[words[0]] = int(words[1])
    return found["Rss:"], found["Anonymous:"]


def open_files(program, below="/proc/"):
    """What it holds open there, sorted."""
    folder = f"/proc/{program.process.pid}/fd"
    paths = [os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder)]
    own = f"/proc/{program.process.pid}/"
    return sorted(path.replace(own, "/proc/self/") for path in paths if path.startswith(below))


class Ended:
    """with Ended(program): it is gone afterwards, whatever happens."""

    def __init__(self, program):
        self.program = program

    def __enter__(self):
        return self.program

    def __exit__(self, *_):
        self.program.kill()
