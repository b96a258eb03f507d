#!/usr/bin/env python3
"""Compares every host of tests/fixtures/hosts with the reference: the agent's collectors read each tree with a
simulated clock (truth_driver), and must report exactly the values that the reference computes.

hosts_test.py [--first] [HOST ...]
"""

import argparse
import json
import os
import sys
import tempfile
from fractions import Fraction

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FIXTURES = os.path.join(ROOT, "tests", "fixtures", "hosts")
sys.path[:0] = [HERE, FIXTURES]

import families  # noqa: E402
import kit  # noqa: E402
from driver import Driver  # noqa: E402
from reference import Reference  # noqa: E402
from reference.units import kind_of, unit_of  # noqa: E402

# Trees are many small files, so they are created in memory if possible.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def tree_of(folder):
    files = {}
    for base, folders, names in os.walk(folder):
        for name in names + [f for f in folders if os.path.islink(os.path.join(base, f))]:
            full = os.path.join(base, name)
            path = os.path.relpath(full, folder)
            if os.path.islink(full):
                files[path] = kit.Link(os.readlink(full))
            else:
                with open(full, "rb") as file:
                    files[path] = file.read()
    return files


def recorded_hosts():
    """Returns the hosts that are stored as files in the repository."""
    for name in sorted(os.listdir(FIXTURES)):
        folder = os.path.join(FIXTURES, name)
        if not os.path.exists(os.path.join(folder, "host.json")):
            continue
        with open(os.path.join(folder, "host.json"), encoding="utf-8") as file:
            recorded = json.load(file)
        host = kit.Host(name, recorded["metrics"])
        host.recorded = recorded["expected"]  # computed by generate.py; the reference must agree
        yield host.put_all(tree_of(os.path.join(folder, "before"))).then().put_all(
            tree_of(os.path.join(folder, "after"))
        )


def every_host():
    return list(recorded_hosts()) + families.all_hosts()


def tolerance(value):
    """The rounding error of a double; integers that it represents exactly are exact."""
    return 1e-9 * max(1, abs(value)) if abs(value) >= 2**53 else 1e-9 * min(max(1, abs(value)), 1e8)


def differences(expected, reply):
    """Returns the differences of one tick, one line each."""
    got, out = {}, []
    for point in reply["points"]:
        if point["series"] in got:
            out.append(f"twice: {point['series']}")
        got[point["series"]] = point["value"]
        stated, right = (point["unit"], point["kind"]), (unit_of(point["series"]), kind_of(point["series"]))
        if stated != right:
            out.append(f"{point['series']}: expected kind {right}, got {stated}")
    for series in sorted(set(expected) | set(got)):
        want, have = expected.get(series), got.get(series)
        if want is None or have is None or abs(want - have) > tolerance(want):
            out.append(f"{series}: expected {want}, got {have}")
    if reply["dropped"]:
        out.append(f"{reply['dropped']} points exceeded the limit")
    return out


def check(driver, host):
    """Returns the differences of a host, one line each."""
    out = []
    with tempfile.TemporaryDirectory(prefix="truth-", dir=MEMORY) as root:
        os.makedirs(os.path.join(root, "proc"))
        os.makedirs(os.path.join(root, "sys"))
        kit.lay(host.steps[0], root)
        reference = Reference(host.metrics)
        reference.read(root, Fraction(0))
        driver.ask(open=root, metrics=host.metrics)
        for number, (files, seconds) in enumerate(zip(host.steps[1:], host.elapsed[1:]), 1):
            kit.lay(files, root)
            elapsed = Fraction(seconds).limit_denominator(1000)
            expected = reference.read(root, elapsed)
            if hasattr(host, "recorded") and host.recorded != expected:
                out.append("host.json and the reference disagree")
            reply = driver.ask(tick=int(elapsed * 10**9))
            out += [f"tick {number}: {line}" for line in differences(expected, reply)]
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", action="store_true", help="stop at the first host with a difference")
    parser.add_argument("hosts", nargs="*")
    options = parser.parse_args()
    hosts = [host for host in every_host() if not options.hosts or host.name in options.hosts]
    driver = Driver()
    failed = 0
    for host in hosts:
        wrong = check(driver, host)
        failed += bool(wrong)
        if wrong:
            print(f"{host.name}: {len(wrong)} wrong\n" + "\n".join("    " + line for line in wrong[:20]))
            if options.first:
                break
    driver.close()
    if options.first and failed:
        return 1
    print(f"{len(hosts) - failed} of {len(hosts)} hosts match the reference")
    return 1 if failed or not hosts else 0


if __name__ == "__main__":
    sys.exit(main())
