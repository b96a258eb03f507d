"""A guard against code that grows slower: the instructions of an agent's tick and of a server's message, counted by callgrind,
are within 3 % of the recorded ones. Unlike time, they do not depend on what else the machine does.

Compilers differ by more than 3 %, so recorded.json has one record for each, by name, major version and processor. With a compiler
that has no record, the counts must be within 20 % of the nearest one. After a change that is meant to cost or save instructions,
renew the record of your compiler, and say in the commit why:

    tests/instructions/instructions_test.py --write
"""
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("MONITOR_BUILD_DIR", os.path.join(HERE, "..", "..", "build", "release"))
RECORDED = os.path.join(HERE, "recorded.json")
CASES = {"agent": "a tick of 8 values", "server": "a message of 8 values"}
COUNTED = 200  # instructions.cc
CLOSE, FAR = 0.03, 0.20
# The C library chooses its functions by the processor. Without these, the counts would depend on the machine.
PLAIN = "glibc.cpu.hwcaps=-AVX2_Usable,-AVX512F_Usable,-ERMS,-AVX2,-AVX512F,-AVX512VL,-EVEX"


def compiler():
    """gcc-12-x86_64: the compiler of the build."""
    with open(os.path.join(BUILD, "CMakeCache.txt"), encoding="utf-8") as file:
        path = re.search(r"(?m)^CMAKE_CXX_COMPILER:\w+=(.*)$", file.read()).group(1)
    first = subprocess.run([path, "--version"], check=True, capture_output=True, text=True).stdout.splitlines()[0]
    name = "clang" if "clang" in first else "gcc"
    major = re.search(r"(\d+)\.\d+\.\d+", first).group(1)
    return f"{name}-{major}-{platform.machine()}"


def instructions(case):
    """Instructions of one tick or message."""
    with tempfile.TemporaryDirectory(prefix="monitor-instructions-") as folder:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--collect-atstart=no", "--toggle-collect=monitor_measured", "--callgrind-out-file=/dev/null",
             os.path.join(BUILD, "tests", "count_instructions"), case, folder],
            capture_output=True, text=True, timeout=240, check=False, env={**os.environ, "GLIBC_TUNABLES": PLAIN})
    if done.returncode != 0:
        raise AssertionError(f"instructions {case}: status {done.returncode}\n{done.stdout}{done.stderr[-3000:]}")
    return round(int(re.search(r"Collected : (\d+)", done.stderr).group(1)) / COUNTED)


def recorded():
    with open(RECORDED, encoding="utf-8") as file:
        return json.load(file)


class InstructionsTest(unittest.TestCase):
    def check(self, case):
        self.assertIsNotNone(shutil.which("valgrind"), "tools/packages install test installs valgrind")
        records, found = recorded(), instructions(case)
        own = records.get(compiler())
        wanted = own or min(records.values(), key=lambda one: abs(one[case] - found))
        allowed = CLOSE if own else FAR
        change = found / wanted[case] - 1
        print(f"{CASES[case]}: {found:,} instructions, recorded {wanted[case]:,} ({change:+.1%}; {compiler()})")
        self.assertLessEqual(abs(change), allowed,
                             f"{CASES[case]} takes {found:,} instructions, recorded are {wanted[case]:,}. If this is meant, run "
                             "tests/instructions/instructions_test.py --write, and say why in the commit")

    def test_a_tick_of_the_agent(self):
        self.check("agent")

    def test_a_message_in_the_server(self):
        self.check("server")


def write():
    records = recorded() if os.path.exists(RECORDED) else {}
    records[compiler()] = {case: instructions(case) for case in CASES}
    with open(RECORDED, "w", encoding="utf-8") as file:
        file.write(json.dumps(records, indent=2, sort_keys=True) + "\n")
    print(open(RECORDED, encoding="utf-8").read())  # noqa: SIM115


if __name__ == "__main__":
    if "--write" in sys.argv:
        write()
    else:
        unittest.main()
