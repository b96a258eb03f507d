"""Interval arithmetic for a machine that does not stand still: what is read just before and just after a reading of the
agent bounds what the agent can have read, and so the value that it may state."""

import time


class Bracket:
    """A value that grows, read before and after something."""

    def __init__(self, before, after):
        self.low, self.high = before, after


def around(read, action):
    """(what read() said before and after action(), as Brackets by name; what action() returned; its times)."""
    began, before = time.monotonic(), read()
    result = action()
    after, ended = read(), time.monotonic()
    return {name: Bracket(before[name], after[name]) for name in before if name in after}, result, (began, ended)


def growth(first, second):
    """The least and the most that a counter can have grown between two bracketed readings."""
    return max(0, second.low - first.high), second.high - first.low


def rate(first, second, first_times, second_times):
    """The least and the most of growth a second."""
    least, most = growth(first, second)
    return least / (second_times[1] - first_times[0]), most / (second_times[0] - first_times[1])


def share_of(part, others):
    """The least and the most of part / (part + others), each being (least, most)."""
    low = part[0] / (part[0] + others[1]) if part[0] + others[1] else 0
    high = part[1] / (part[1] + others[0]) if part[1] + others[0] else 1
    return low, high


def within(value, bounds, rounding):
    return bounds[0] - rounding <= value <= bounds[1] + rounding
