"""Starts, measures and stops the measured programs. The kernel reports their usage, in the same way for floor and ours.
Only the time between two readings counts, so startup and shutdown are excluded."""
import os
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
import programs  # noqa: E402

BENCH = os.path.join(os.path.dirname(programs.BIN), "bench")


def start(name, *arguments, **options):
    """Starts a program of bench/ or one of the project's programs, by name."""
    return programs.Program(name if name.startswith("monitor") else os.path.join(BENCH, name), *arguments, **options)


def cpu_ns(program):
    """User and system time of all threads, including ended ones (clock_getcpuclockid(3)), in nanoseconds."""
    return time.clock_gettime_ns((~program.process.pid << 3) | 2)


def cpu_between(program, seconds):
    """CPU time used during the next `seconds` seconds."""
    end = time.monotonic() + seconds
    before = cpu_ns(program)
    while (left := end - time.monotonic()) > 0:
        time.sleep(left)
    return cpu_ns(program) - before


def memory_kib(program):
    """Resident memory, and the part of it that is not backed by a file."""
    found = {}
    with open(f"/proc/{program.process.pid}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            words = line.split()
            if words[0] in ("Rss:", "Anonymous:"):
                found[words[0]] = int(words[1])
    return found["Rss:"], found["Anonymous:"]


def wakeups(program):
    """How often its threads have waited so far: voluntary context switches, as the kernel counts them."""
    count = 0
    folder = f"/proc/{program.process.pid}/task"
    for thread in os.listdir(folder):
        with open(f"{folder}/{thread}/status", encoding="ascii") as file:
            count += sum(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt_switches"))
    return count


def open_files(program, below="/proc/"):
    """The sorted paths of its open files below `below`."""
    folder = f"/proc/{program.process.pid}/fd"
    paths = [os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder)]
    own = f"/proc/{program.process.pid}/"
    return sorted(path.replace(own, "/proc/self/") for path in paths if path.startswith(below))


class Ended:
    """`with Ended(program):` ends the program when the block is left, also by an exception."""

    def __init__(self, program):
        self.program = program

    def __enter__(self):
        return self.program

    def __exit__(self, *_):
        self.program.kill()
