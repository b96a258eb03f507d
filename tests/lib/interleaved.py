"""Interleaved measurements in the order A B B A, without and with a disturbance, of the ticks that an agent misses. The
runs without it show how many ticks the busy machine itself costs; their scatter is part of the limit."""
import math
import statistics
import sys
import urllib.request

ALLOWED = 0.001  # additional share of due ticks that may be missed


def ticks_of(address):
    """Returns the ticks that were due and missed so far, from the agent with this --http address."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as reply:
        lines = [line.split() for line in reply.read().decode().splitlines()]
    values = {line[0]: float(line[-1]) for line in lines if line[0].startswith("monitor_agent_ticks")}
    return values["monitor_agent_ticks_due_total"], values["monitor_agent_ticks_missed_total"]


def rate(phases):
    """phases: (ticks due, ticks missed)"""
    return sum(missed for _, missed in phases) / sum(due for due, _ in phases)


def limit(without):
    rates = [missed / due for due, missed in without if due > 0]
    return rate(without) + ALLOWED + 2 * statistics.stdev(rates) * math.sqrt(2 / len(rates))


def blocks(planned, most, without, with_it):
    """Yields the numbers of the blocks to measure; the caller appends their phases to the lists. One short disturbance
    of the machine exceeds a thousandth of a few seconds, so the measurement is extended up to `most` blocks if the
    limit is exceeded. The share of missed ticks that a real fault causes does not shrink by this. All blocks count."""
    number = 0
    while number < planned or (number < most and rate(with_it) > limit(without)):
        yield number
        number += 1


def judge(test, without, with_it):
    """Compares all phases together, because a single one is too short to resolve a thousandth."""
    print(f"missed: {rate(with_it):.3%} with, {rate(without):.3%} without, limit {limit(without):.3%}", file=sys.stderr)
    test.assertLessEqual(rate(with_it), limit(without))
