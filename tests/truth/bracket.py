"""Interval arithmetic for a live machine: readings just before and just after the agent's own reading bound what the
agent can have read, and therefore the value that it may report."""

import time


class Bracket:
    """A growing value, read before and after an action."""

    def __init__(self, before, after):
        self.low, self.high = before, after


def around(read, action):
    """Returns (Brackets by name from read() before and after action(), the result of action(), its times)."""
    began, before = time.monotonic(), read()
    result = action()
    after, ended = read(), time.monotonic()
    return {name: Bracket(before[name], after[name]) for name in before if name in after}, result, (began, ended)


def growth(first, second):
    """Returns the minimum and maximum growth of a counter between two bracketed readings."""
    return max(0, second.low - first.high), second.high - first.low


def rate(first, second, first_times, second_times):
    """Returns the minimum and maximum growth per second."""
    least, most = growth(first, second)
    return least / (second_times[1] - first_times[0]), most / (second_times[0] - first_times[1])


def share_of(part, others):
    """Returns the minimum and maximum of part / (part + others), where each is (minimum, maximum)."""
    low = part[0] / (part[0] + others[1]) if part[0] + others[1] else 0
    high = part[1] / (part[1] + others[0]) if part[1] + others[0] else 1
    return low, high


def within(value, bounds, rounding):
    return bounds[0] - rounding <= value <= bounds[1] + rounding
