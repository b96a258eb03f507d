"""The benchmarks: the statistics of runs (bench/harness/pairs.py), every row end to end on real programs and a real
Kafka, and the command line. The measured values are not checked, because this needs minutes and a quiet machine."""
import os
import subprocess
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "bench", "harness"))
from bytes_row import columns, differences  # noqa: E402
from pairs import Block, Line, Target, cells, compare, measure, table  # noqa: E402

TOOL = os.path.join(ROOT, "tools", "bench")


def block(floor, ours):
    return Block(tuple({"cpu": v} for v in floor), tuple({"cpu": v} for v in ours))


class PairsTest(unittest.TestCase):
    def test_median_and_worst_ratio_are_computed_over_pairs(self):
        # Pairs are adjacent runs: (10, 11) and (10.4, 20.8); (10, 12) and (10, 9); ratios 1.1, 2, 1.2, 0.9.
        blocks = [block((10, 10.4), (11, 20.8)), block((10, 10), (12, 9))]
        less = compare(blocks, "cpu")
        self.assertAlmostEqual(less.ratio, 1.15)
        self.assertAlmostEqual(less.worst, 2)
        self.assertAlmostEqual(less.floor, 10)
        self.assertAlmostEqual(less.ours, 11.5)
        self.assertAlmostEqual(less.drift, 0.04)
        self.assertFalse(less.noisy)
        self.assertEqual(less.pairs, 4)
        self.assertAlmostEqual(compare(blocks, "cpu", more_is_better=True).worst, 0.9)

    def test_drift_is_symmetric_and_measured_on_the_floor(self):
        self.assertAlmostEqual(block((10, 12), (1, 99)).drift("cpu"), 0.2)
        self.assertAlmostEqual(block((12, 10), (1, 99)).drift("cpu"), 0.2)

    def run_floors(self, floors, **options):
        """Measures with these floor values, and returns the order of the runs and the blocks that were kept."""
        order, values = [], iter(floors)

        def run_floor():
            order.append("A")
            return {"cpu": next(values)}

        def run_ours():
            order.append("B")
            return {"cpu": 1}

        blocks = measure(run_floor, run_ours, ["cpu"], **options)
        return "".join(order), [tuple(run["cpu"] for run in b.floor) for b in blocks]

    def test_runs_are_interleaved_and_give_at_least_five_pairs(self):
        order, blocks = self.run_floors([10] * 6)
        self.assertEqual(order, "ABBA" * 3)
        self.assertGreaterEqual(2 * len(blocks), 5)

    def test_repeats_a_block_whose_floor_drifts(self):
        order, blocks = self.run_floors([10, 10.6, 10, 10.4, 10, 10], blocks=2)
        self.assertEqual(order, "ABBA" * 3)
        self.assertEqual(blocks, [(10, 10.4), (10, 10)])

    def test_marks_a_case_noisy_after_three_repeats(self):
        order, blocks = self.run_floors([10, 11] * 5, blocks=2)
        self.assertEqual(order, "ABBA" * 5)
        self.assertTrue(compare([block(floor, (1, 1)) for floor in blocks], "cpu").noisy)

    def test_table_shows_targets_and_verdicts(self):
        comparison = compare([block((100, 100), (130, 130))], "cpu")
        self.assertTrue(Target(1.3).met(comparison))
        self.assertFalse(Target(1.29).met(comparison))
        self.assertTrue(Target(130, of="ours", unit="us").met(comparison))
        self.assertFalse(Target(1.31, at_least=True).met(comparison))
        line = Line("row", "case", "us", comparison, [Target(1.3), Target(100, of="ours", unit="us")])
        self.assertEqual(cells(line), ("row", "case", "100 us", "130 us", "1.30x", "1.30x", "0.0 %", "<= 1.3x, <= 100 us",
                                       "missed"))
        head, rule, row = table([line]).splitlines()
        self.assertEqual(len({len(head), len(rule), len(row)}), 1)
        noisy = Line("row", "case", "us", compare([block((100, 110), (100, 100))], "cpu"), [Target(1.3)])
        self.assertEqual(noisy.verdict(), "met, noisy")

    def test_columns_contain_every_point(self):
        one = {"name": "a", "labels": {}, "unit": "1", "kind": 0, "integer": True, "exponent": -1}
        other = dict(one, name="b", exponent=0)
        frames = [{"time": 1000 + i, "points": [(one, i / 10)] + ([(other, 5)] if i != 1 else [])} for i in range(3)]
        data, points = columns([{"frames": frames[:2]}, {"frames": frames[2:]}])
        self.assertEqual(points, 5)
        # Times are second differences, values first differences. b is not in every frame, so its frames precede its
        # values.
        self.assertTrue(data.startswith(differences([1000, 1001, 1002], 2)))
        self.assertTrue(data.endswith(bytes([0, 4, 10, 0])))


class ToolTest(unittest.TestCase):
    def run_tool(self, *arguments):
        return subprocess.run([TOOL, *arguments], capture_output=True, text=True, check=False, timeout=120)

    def test_every_row_runs(self):
        """Runs each row briefly. The table must be complete; its numbers do not matter."""
        names = [line.split()[0] for line in self.run_tool("--list").stdout.splitlines()]
        self.assertIn("server", names)
        running = [subprocess.Popen([TOOL, "--quick", "--no-build", name], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                    text=True) for name in names]
        for name, process in zip(names, running):
            out, err = process.communicate(timeout=120)
            self.assertEqual(process.returncode, 0, err)
            rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in out.splitlines()[2:]]
            self.assertTrue(rows, name)
            for row in rows:
                self.assertEqual(row[0], name)
                for cell in row[2:5]:
                    self.assertGreater(float(cell.split()[0].rstrip("x").replace(",", "")), 0, row)

    def test_rejects_wrong_arguments(self):
        for arguments, text in ((["sever"], "did you mean server?"), (["--lsit"], "--lsit"), (["--quick=1"], "--quick")):
            done = self.run_tool(*arguments)
            self.assertEqual(done.returncode, 64, done.stderr)
            self.assertIn(text, done.stderr)
            self.assertEqual(done.stdout, "")
        self.assertEqual(self.run_tool("--help").returncode, 0)


if __name__ == "__main__":
    unittest.main()
