#!/usr/bin/env python3
"""Compares the collector of the clock with adjtimex(2), called here just before and just after: where both calls say the
same, the collector must, too. Steps are tested with made-up calls (clock_test.cc): a test must not set this machine's clock."""

import ctypes
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from driver import LIVE, Driver  # noqa: E402

TIME_ERROR, STA_NANO = 5, 0x2000
ATTEMPTS = 100
STATED = {
    "system.clock.synchronized": ("{clock}", "gauge"),
    "system.clock.offset": ("s", "gauge"),
    "system.clock.error.estimated": ("s", "gauge"),
    "system.clock.error.maximum": ("s", "gauge"),
    "system.clock.frequency.offset": ("1", "gauge"),
    "system.clock.steps": ("{step}", "counter"),
}


class Timex(ctypes.Structure):
    """struct timex of <sys/timex.h>; ctypes aligns the fields as C does."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        *((name, ctypes.c_long) for name in ("offset", "freq", "maxerror", "esterror")),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 40),
    ]


def adjtimex():
    """Returns the expected values; None without permission."""
    state = Timex()
    result = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(state))
    if result == -1:
        return None
    return {
        "system.clock.synchronized": float(result != TIME_ERROR),
        "system.clock.offset": state.offset / (10**9 if state.status & STA_NANO else 10**6),
        "system.clock.error.estimated": state.esterror / 10**6,
        "system.clock.error.maximum": state.maxerror / 10**6,
        "system.clock.frequency.offset": state.freq / 65536 / 10**6,
    }


class ClockTest(unittest.TestCase):
    def test_it_says_what_adjtimex_says(self):
        with Driver() as driver:
            driver.ask(open=LIVE, metrics=["clock"])
            for _ in range(ATTEMPTS):
                before, reply, after = adjtimex(), driver.ask(tick=0), adjtimex()
                if before == after:
                    break
            self.assertEqual(before, after, "the clock's state changed in every attempt")
        self.assertEqual(reply["errors"], {})
        got = {point["series"]: point["value"] for point in reply["points"]}
        units = {point["series"]: (point["unit"], point["kind"]) for point in reply["points"]}
        self.assertIn("system.clock.steps", got)
        self.assertEqual(set(got) - {"system.clock.step.size"}, {"system.clock.steps"} | set(before or ()))
        self.assertEqual(units, {name: STATED[name] for name in units})
        for name, value in (before or {}).items():
            self.assertAlmostEqual(got[name], value, delta=0.6e-9, msg=name)
        print(got)


if __name__ == "__main__":
    unittest.main(verbosity=2)
