#!/usr/bin/env python3
"""An agent with 10 ms ticks misses no more ticks while its configuration changes constantly than without changes,
measured in the order A B B A. Valid and invalid changes of every kind, in all layers, on files and on a real etcd."""
import json
import os
import random
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from interleaved import blocks, judge, ticks_of  # noqa: E402
from keys import ROOT, KeysInEtcd, KeysInFiles  # noqa: E402
from programs import ProgramTest, wait_until  # noqa: E402

OWN = ROOT + "config/a"
BLOCKS, PHASE = (6, 10) if os.environ.get("MONITOR_LONG") else (2, 2)  # of four phases each; seconds
PAUSE = 0.02  # seconds between changes; the writer uses CPU time of the same two cores
METRICS = ["memory", {"name": "cpu", "interval": 0.01}]


def own(draw, number):
    """A random document of the agent: always memory every 10 ms, everything else varies."""
    document = {"interval": 0.01, "metrics": draw.sample(METRICS, 2) if draw.random() < 0.7 else METRICS[:1], "send_every": draw.choice([0.5, 1, 2]),
                "labels": {"number": str(number)}}
    if draw.random() < 0.5:
        document["plugins"] = draw.sample([{"name": "filter", "config": {"drop": ["*.nothing"]}}, {"name": "rate_limit", "config": {"ticks": 1000}}],
                                          draw.randint(1, 2))
    if draw.random() < 0.3:
        document["spool"] = {"max": draw.choice(["1MiB", "2MiB"])}
    return document


def change(draw, number):
    """Returns a random change: (key, document, or None to delete it)."""
    kind = draw.random()
    if kind < 0.5:
        return OWN, json.dumps(own(draw, number))
    if kind < 0.6:
        return OWN, draw.choice(['{"interval": 0}', '{"metrics": ["nothing"]}', "{", '{"plugins": ["nothing"]}', '{"intervall": 1}'])
    if kind < 0.8:
        return ROOT + draw.choice(["defaults", "groups/web", "groups/eu"]), json.dumps({"labels": {"layer": str(number)}})
    if kind < 0.9:
        return ROOT + draw.choice(["defaults", "groups/web", "groups/eu"]), None
    return ROOT + "overrides/agents/a/look", json.dumps({"log_level": draw.choice(["info", "warning"]),
                                                         "expires_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))})


class Changing:
    def setUp(self):
        super().setUp()
        self.put(OWN, json.dumps(own(random.Random(0), 0)))
        self.agent = self.start("monitor-agent", "--agent-id", "a", "--group", "web", "--group", "eu", "--server", "127.0.0.1:1", "--data", self.data,
                                "--spool", "memory", "--simulate", "--http", "127.0.0.1:0", *self.agent_where)
        self.http = self.agent.says(r"service=http address=(\S+)").group(1)
        wait_until(lambda: self.status("a").get("applied"), "the first document to be applied")

    def phase(self, draw=None):
        """Returns the ticks due and missed during a phase, with changes if `draw` is given."""
        before = ticks_of(self.http)
        end = time.monotonic() + PHASE
        while draw is not None and time.monotonic() < end:
            self.number += 1
            key, document = change(draw, self.number)
            if document is None:
                self.delete(key)
            else:
                self.put(key, document)
            time.sleep(PAUSE)
        time.sleep(max(0, end - time.monotonic()))  # not a wait for a condition: the duration of the measurement
        after = ticks_of(self.http)
        return after[0] - before[0], after[1] - before[1]

    def settle(self):
        """Waits until the last change is applied, before a phase without changes."""
        before = self.status("a")["desired"]
        self.number += 1
        self.put(OWN, json.dumps({**own(random.Random(0), self.number), "metrics": METRICS}))

        def settled():
            status = self.status("a")
            return not status["error"] and status["applied"] == status["desired"] > before

        wait_until(settled, "the last change", 20)

    def test_changes_cost_no_tick(self):
        draw = random.Random(1)
        self.number = 0
        without, with_it = [], []
        for _ in blocks(BLOCKS, 6 * BLOCKS, without, with_it):
            for changing in (False, True, True, False):
                (with_it if changing else without).append(self.phase(draw if changing else None))
                if changing:
                    self.settle()
        self.assertGreater(self.number, len(with_it) * PHASE * 10, "too few changes were made")
        # The minimum number of due ticks, for one metric every 10 ms. No change may lose one.
        self.assertGreater(sum(due for due, _ in with_it), len(with_it) * PHASE * 99)
        judge(self, without, with_it)
        applied = self.agent.said("configuration applied")
        refused = self.agent.said("configuration refused")
        self.assertGreater(min(applied, refused), 2, (applied, refused))
        self.assertEqual(self.agent.stop(), 0)


class ChangingInFiles(Changing, KeysInFiles, ProgramTest):
    pass


class ChangingInEtcd(Changing, KeysInEtcd, ProgramTest):
    pass


if __name__ == "__main__":
    unittest.main(verbosity=2)
