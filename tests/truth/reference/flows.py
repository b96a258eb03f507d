"""Rates and counters of devices that transfer bytes in two directions: the common part of disks and interfaces.

A rate is the growth divided by the time between two readings. If a counter falls, neither its device nor a sum that
contains it has a value in that tick. If the counter then returns to its old value, the next tick has none either. A
device that is missing from the previous reading has no growth yet. If no member's growth is known, the sum has no
value. The counter of a sum starts with the members' counters at the first reading, and grows with them: it never falls.
"""

import re

from .units import per_second, series, shown


def matches(patterns, name):
    """Matches * and ? as wildcards; brackets are literal."""
    return any(re.fullmatch(re.escape(p).replace(r"\*", ".*").replace(r"\?", "."), name, re.S) for p in patterns)


class Flow:
    """One selector: one direction of one kind of device."""

    def __init__(self, options, each, rate, counter, direction, device):
        self.options, self.each = options, options.get(each, False)
        self.rate, self.counter, self.direction, self.device = rate, counter, direction, device
        self.last, self.fallen, self.total = {}, {}, None

    def choose(self, listed, in_sum, everything):
        """Returns the devices with their own series, and the members of the sum."""
        include, exclude = self.options.get("include", []), self.options.get("exclude", [])
        if include:
            listed = in_sum = {name for name in everything if matches(include, name)}
        keep = lambda names: {name for name in names if not matches(exclude, name)}
        return keep(listed), keep(in_sum)

    def read(self, now, elapsed, listed, in_sum):
        """`now`: name -> counter of all devices."""
        listed, in_sum = self.choose(listed, in_sum, set(now))
        growth = {name: value - self.last[name] for name, value in now.items() if name in self.last}
        for name, from_where in self.fallen.items():
            if now.get(name, -1) >= from_where:
                growth[name] = -1  # it recovered from a brief reset, so its growth is unknown, too
        self.fallen = {name: self.last[name] for name in growth if name in self.last and now[name] < self.last[name]}
        first = self.total is None
        if first:
            self.total = sum(now[name] for name in in_sum)
        known = [growth[name] for name in in_sum if name in growth]
        fell = any(g < 0 for g in known)
        self.total += sum(g for g in known if g >= 0)
        self.last = dict(now)
        out = {}
        if first:
            return out
        labels = {self.direction[0]: self.direction[1]}
        if self.each:
            for name in listed:
                own = {**labels, self.device: shown(name)}
                if growth.get(name, -1) >= 0:
                    out[series(self.rate, **own)] = per_second(growth[name], elapsed)
                if self.options.get("counters"):
                    out[series(self.counter, **own)] = now[name]
        if not fell and (known or not in_sum):
            out[series(self.rate, **labels)] = per_second(sum(known), elapsed)
        if self.options.get("counters"):
            out[series(self.counter, **labels)] = self.total
        return out
