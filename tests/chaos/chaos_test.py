"""The parts of tools/chaos: a seed determines its plan, and the audit detects faults. Then one schedule on real
programs."""
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import audit  # noqa: E402
import plan  # noqa: E402
import recovery  # noqa: E402
from faults import Done  # noqa: E402
from programs import ROOT  # noqa: E402
from topic import Record  # noqa: E402


def record(sequence, points=2, made=None, **more):
    """A decoded batch of one tick."""
    made = 2 * sequence if made is None else made
    batch = {"agent": "a", "incarnation": "i", "sequence": sequence, "drops": [], "ended": [],
             "frames": [{"time": sequence * 10**9, "points": [None] * points}],
             "counters": {"ticks_due": sequence, "ticks_missed": 0, "points_made": made, "dropped": []}, **more}
    return Record(0, sequence, float(sequence), "a", batch)


def shown(**more):
    return {"agent": "a", "incarnation": "i", "first_sequence": 1, "last_sequence": 3, "batches_stored": 3, "duplicates": 0,
            "dropped": [], "missing": [], "expired": [], "ticks_due": 3, "ticks_missed": 0, "points_made": 6, "points_stored": 6,
            "clean": None, **more}


class PlanTest(unittest.TestCase):
    def test_a_seed_determines_the_plan_and_every_fault_is_drawn(self):
        self.assertEqual(plan.draw(17), plan.draw(17))
        drawn = [plan.draw(seed) for seed in range(300)]
        self.assertTrue(all(2 <= len(p.agents) <= 4 and 1 <= p.servers <= 2 and 2 <= p.readers <= 3 for p in drawn))
        self.assertTrue(all(5 <= len(p.faults) <= 10 for p in drawn))
        self.assertEqual({agent.encodings for p in drawn for agent in p.agents}, {("v2",), ("v1",), ("v1", "v2"), ("v2", "v1")})
        self.assertTrue(all(len(p.encodings) == p.servers for p in drawn))
        kinds = {(fault.component, fault.kind) for p in drawn for fault in p.faults}
        self.assertEqual(kinds, {(component, kind) for component, of_it in plan.KINDS.items() for kind in of_it})


class AuditTest(unittest.TestCase):
    def test_finds_no_fault_when_ledger_and_topic_agree(self):
        runs = audit.runs_of([record(s) for s in (1, 3, 2)], {("a", "i"): 3})
        self.assertEqual(runs["a", "i"].missing(), [])
        self.assertEqual(runs["a", "i"].unexplained_points(), 0)
        self.assertEqual(audit.compare("the ledger", runs, [shown()]), [])

    def test_detects_lost_batches(self):
        self.assertEqual(audit.runs_of([record(1), record(3)], {})["a", "i"].missing(), [2])
        self.assertEqual(audit.runs_of([record(1)], {("a", "i"): 3})["a", "i"].missing(), [2, 3], "the last sequences, known from the agent's log")
        end = {"incarnation": "i", "last_sequence": 4, "clean": False}
        later = record(1, incarnation="j", ended=[end])
        self.assertEqual(audit.runs_of([record(1), later], {})["a", "i"].missing(), [2, 3, 4], "also known from the next run")

    def test_recorded_drops_are_not_lost(self):
        drop = {"incarnation": "i", "stage": "spool", "reason": "full", "first_sequence": 2, "last_sequence": 2}
        self.assertEqual(audit.runs_of([record(1), record(3, drops=[drop])], {})["a", "i"].missing(), [])

    def test_detects_unexplained_points(self):
        self.assertEqual(audit.runs_of([record(1), record(2, made=5)], {})["a", "i"].unexplained_points(), 1)

    def test_reports_a_ledger_with_different_counts(self):
        runs = audit.runs_of([record(1), record(2), record(2), record(3)], {})
        for field, value in (("duplicates", 0), ("batches_stored", 4), ("points_stored", 8), ("missing", [[2, 2]]), ("clean", True)):
            row = shown(**{"duplicates": 1, field: value})
            self.assertEqual(len(audit.compare("the ledger", runs, [row])), 1, field)
        self.assertEqual(len(audit.compare("the ledger", runs, [])), 1, "one run is not shown")

    def test_times_are_parsed_exactly(self):
        self.assertEqual(audit.nanoseconds("1970-01-01T00:00:01.000000007Z"), 10**9 + 7)
        self.assertEqual(audit.nanoseconds("1970-01-01T00:01:00Z"), 60 * 10**9)


class RecoveryTest(unittest.TestCase):
    def fault(self, began, ended, agents=("a",), component="server"):
        return Done(plan.Fault(0, component, "kill", 0, 1), frozenset(agents), began, ended)

    def test_recovery_time_is_that_of_the_slowest_agent(self):
        stored = {"a": [(10.5, 10.6), (11, 11.1)], "b": [(9, 15), (12, 12.5)]}
        found = recovery.times([self.fault(8, 10, ("a", "b"))], stored, {}, ["a", "b"])
        self.assertEqual(found, {("server", "kill"): [2.5]})

    def test_does_not_measure_recovery_during_another_fault(self):
        stored = {"a": [(t, t) for t in range(30)]}
        self.assertEqual(recovery.times([self.fault(8, 10), self.fault(9, 11)], stored, {}, ["a"]), {("server", "kill"): [0]})
        late = {"a": [(20, 20)]}
        self.assertEqual(recovery.times([self.fault(8, 10), self.fault(9, 11)], late, {}, ["a"]), {}, "the delay cannot be attributed")
        self.assertEqual(len(recovery.times([self.fault(8, 10), self.fault(20, 21)], stored, {}, ["a"])["server", "kill"]), 2)


class SchedulesTest(unittest.TestCase):
    def test_a_schedule_loses_nothing(self):
        """./test --all runs more schedules with the tool itself."""
        done = subprocess.run([os.path.join(ROOT, "tools", "chaos"), "--schedules", "1", "--seed", "1", "--jobs", "1"],
                              capture_output=True, text=True, timeout=400, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("lost 0, twice 0, unexplained 0, failed 0", done.stdout)


if __name__ == "__main__":
    unittest.main()
