"""A flood by one agent identity beside well-behaved agents: their acknowledgements take at most 20 % longer, and the
flood itself loses nothing. Runs without (A) and with the flood (B) alternate in blocks of A B B A, so that a machine that
becomes faster or slower in the course of a block changes both sums alike. A block gives one ratio; their median counts."""
import json
import os
import statistics
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from programs import BIN, ProgramTest  # noqa: E402

BLOCKS = 6  # of four runs
SECONDS = 3
AGENTS = 10
MOST = 1.2  # times the delay without the flood
LIMITS = ["--max-rate-per-agent", "1MiB", "--max-batches-per-agent", "200"]


class AgentFloodTest(ProgramTest):
    def load(self, name, *arguments):
        self.loads = getattr(self, "loads", 0) + 1
        return ["stream", "--server", self.server.address, "--prefix", f"{name}{self.loads}", "--format", "json", *arguments]

    def good_median(self):
        """Returns the median time until the server acknowledged a batch of the well-behaved agents, in ms."""
        load = self.start("monitor-load", *self.load("good", "--agents", AGENTS, "--interval", "50ms", "--duration",
                                                     f"{SECONDS}s", "--drain-timeout", "30s"))
        self.assertEqual(load.ends(90), 0)
        summary = json.loads("\n".join(load.out))
        self.assertEqual(summary["acknowledged"], summary["due"], summary)
        self.assertEqual(summary["failures"], 0, summary)
        return summary["delay_ms"]["p50"]

    def start_flood(self):
        """One agent that sends 1,000 batches of 400 points in a second, which is five times its limit. It leaves the
        processor to the others: what is measured is the server, not the machine."""
        return self.start("nice", "-n", "19", f"{BIN}/monitor-load",
                          *self.load("flood", "--agents", 1, "--interval", "1ms", "--points", 400, "--window", 100_000,
                                     "--duration", "600s"))

    def run_with_flood(self):
        limited = self.server.said("agent_limited")
        flood = self.start_flood()
        self.server.says("agent_limited", count=limited + 1)
        self.addCleanup(flood.kill)
        median = self.good_median()
        self.assertIsNone(flood.process.poll(), "the flood goes on")
        flood.kill()
        return median

    def test_a_flood_by_one_identity_does_not_delay_the_others(self):
        self.server = self.start_server(*LIMITS)
        self.good_median()  # the first streams warm the server up
        without, flooded, ratios = [], [], []
        for _ in range(BLOCKS):
            first, one, two, last = self.good_median(), self.run_with_flood(), self.run_with_flood(), self.good_median()
            without += [first, last]
            flooded += [one, two]
            ratios.append((one + two) / (first + last))
        ratio = statistics.median(ratios)
        print(f"median delay of an acknowledgement: {statistics.median(without):.2f} ms without the flood, {statistics.median(flooded):.2f} ms "
              f"beside it; ratio {ratio:.3f} (blocks {', '.join(f'{one:.3f}' for one in sorted(ratios))}); "
              f"without {without}, beside {flooded}", file=sys.stderr)
        self.assertLessEqual(ratio, MOST)


if __name__ == "__main__":
    unittest.main()
