#!/usr/bin/env python3
"""Mutation tests of the collectors: each mutant changes one sign, divisor, unit or field, and is built with
truth_driver. It must fail at least one host of hosts_test.py or one table of tables_test.py. A surviving mutant
shows a value that no host tests.

mutants_test.py [--only TEXT] [--markdown]

A mutant is (file, from, to) in mutants/table.py; `from` must occur exactly once in the file. The file is compiled with
the build's command, without optimization, and linked before the library that contains the original.
"""

import argparse
import concurrent.futures
import glob
import os
import re
import shlex
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "mutants")]

from driver import BUILD, DRIVER, ROOT  # noqa: E402
from table import FILESYSTEMS, MUTANTS  # noqa: E402

SRC = os.path.join(ROOT, "src")
# The sources that a mutant may change or that may include what it changes, relative to src/.
SOURCES = [os.path.relpath(path, SRC) for folder in ("inputs", "inputs/proc", "metrics/catalog") for path in glob.glob(os.path.join(SRC, folder, "*.*"))]
SOURCES.append("base/scaled_quotient.h")


def commands_of(target):
    """Returns ninja's commands for a target, split into words."""
    done = subprocess.run(
        ["ninja", "-C", BUILD, "-t", "commands", os.path.relpath(target, BUILD)],
        capture_output=True,
        text=True,
        check=True,
    )
    return [shlex.split(line) for line in done.stdout.splitlines() if line.strip()]


def compile_command(commands, source):
    for words in commands:
        if "-c" in words and os.path.basename(words[-1]) == os.path.basename(source) and words[-1].endswith(source):
            compiler = next(i for i, word in enumerate(words) if re.search(r"(\+\+|cc|clang)(-\d+)?$", word) and "ccache" not in word)
            return words[compiler:]
    raise AssertionError(f"the build does not compile {source}")


def link_command(commands):
    """Returns the link command of the driver, without the surrounding `: && ... && :`."""
    words = commands[-1]
    return words[words.index("&&") + 1 : len(words) - words[::-1].index("&&") - 1] if "&&" in words else words


def with_output(words, output):
    words = list(words)
    words[words.index("-o") + 1] = output
    return words


def mutated(path, before, after):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    count = text.count(before)
    if count != 1:
        raise AssertionError(f"{os.path.relpath(path, ROOT)}: {before!r} occurs {count} times; it must occur once")
    return text.replace(before, after)


def source_of(name):
    """Returns the source that a mutant names, relative to src/. A name without a folder means one below inputs."""
    found = [s for s in SOURCES if s == name or (s.startswith("inputs/") and os.path.basename(s) == name)]
    if len(found) != 1:
        raise AssertionError(f"{name} means {found or 'no file'}; it must mean one")
    return found[0]


def build(commands, mutant, work):
    """Builds the driver with the mutant."""
    name, before, after = mutant
    path = source_of(name)
    overlay = os.path.join(work, path)
    os.makedirs(os.path.dirname(overlay))
    with open(overlay, "w", encoding="utf-8") as file:
        file.write(mutated(os.path.join(SRC, path), before, after))
    sources = [path] if name.endswith(".cc") else sorted(s for s in SOURCES if s.endswith(".cc") and not s.endswith("_test.cc"))
    objects = []
    for source in sources:
        words = compile_command(commands, source)
        own = os.path.join(work, source)
        words[-1] = own if os.path.exists(own) else os.path.join(SRC, source)
        objects.append(os.path.join(work, source.replace("/", "_") + ".o"))
        words = with_output(words, objects[-1])
        words[1:1] = [f"-I{work}"]
        quiet = ["-O0", "-w", "-MF", os.path.join(work, "d")]
        subprocess.run([*words[:-2], *quiet, *words[-2:]], cwd=BUILD, check=True)
    driver = os.path.join(work, "driver")
    words = with_output(link_command(commands), driver)
    first = next(i for i, word in enumerate(words) if word.endswith(".a"))
    subprocess.run([*words[:first], *objects, *words[first:]], cwd=BUILD, check=True)
    return driver


def caught_by(commands, mutant):
    """Returns the first host that detects the mutant, or None if it survives."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as work:
        driver = build(commands, mutant, work)
        if mutant in FILESYSTEMS:
            command = ["unshare", "-m", sys.executable, os.path.join(HERE, "tables_test.py"), "-f"]
        else:
            command = [sys.executable, os.path.join(HERE, "hosts_test.py"), "--first"]
        done = subprocess.run(
            command, env={**os.environ, "MONITOR_TRUTH_DRIVER": driver}, capture_output=True, text=True, timeout=300
        )
        if done.returncode == 0:
            return None
        first = re.search(r"^(?:(?:FAIL|ERROR): test_(\w+)|([\w.-]+): \d+ wrong)", done.stdout + done.stderr, re.M)
        return (first[1] or first[2]).replace("_", "-") if first else "no answer"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--markdown", action="store_true", help="print the table of docs/robustness.md")
    options = parser.parse_args()
    mutants = [m for m in MUTANTS if options.only in " ".join(m)]
    commands = commands_of(DRIVER)
    caught = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for mutant, host in zip(mutants, pool.map(lambda one: caught_by(commands, one), mutants)):
            caught += host is not None
            name, before, after = (" ".join(text.split()) for text in mutant)
            if options.markdown:
                line = f"| `{name}` | `{before}` | {f'`{after}`' if after else 'nothing'} | {host or 'nothing'} |"
                print(line.replace("||", "\\|\\|"), flush=True)
            else:
                print(f"{'caught by ' + host if host else 'SURVIVES':45} {name}: {before}  ->  {after}", flush=True)
    if not options.markdown:
        print(f"{caught} of {len(mutants)} mutants are caught")
    return 0 if caught == len(mutants) and mutants else 1


if __name__ == "__main__":
    sys.exit(main())
