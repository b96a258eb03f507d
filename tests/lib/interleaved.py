"""Runs with something and without it by turns, A B B A, and what they missed: what a busy machine does by itself is known
from the runs without, whose scatter is allowed for."""
import math
import statistics
import sys
import urllib.request

ALLOWED = 0.001  # more missed of what was due than without


def ticks_of(address):
    """The ticks that were due so far at the agent whose --http this is, and those it missed."""
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
    """Numbers of the blocks to measure, whose phases the caller adds to the lists: as many as planned. One moment in which
    the machine did something else is more than a thousandth of a few seconds: then it is looked at for longer, up to the
    most; what a fault costs stays the same part of it. All of it counts."""
    number = 0
    while number < planned or (number < most and rate(with_it) > limit(without)):
        yield number
        number += 1


def judge(test, without, with_it):
    """Over all phases, since one alone is too short to see a thousandth."""
    print(f"missed: {rate(with_it):.3%} with, {rate(without):.3%} without, limit {limit(without):.3%}", file=sys.stderr)
    test.assertLessEqual(rate(with_it), limit(without))
