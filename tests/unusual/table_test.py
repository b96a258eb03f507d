"""The table of docs/unusual.md: the program's scores against an independent computation, and the tables in the
document against the tool that makes them."""
import importlib.machinery
import importlib.util
import math
import os
import random
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TOOL = os.path.join(ROOT, "tools", "unusual-table")
BENCHMARK = os.path.join(os.path.dirname(ROOT), "shared", "nab")


def load_tool():
    loader = importlib.machinery.SourceFileLoader("unusual_table", TOOL)
    spec = importlib.util.spec_from_loader("unusual_table", loader)
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


table = load_tool()


def minutes_of(points):
    """Minute -> (low, high)."""
    minutes = {}
    for time, value in points:
        low, high = minutes.get(time // 60, (value, value))
        minutes[time // 60] = (min(low, value), max(high, value))
    return minutes


def rates_of(minutes):
    """Minute -> (rate, rate), for those that have one."""
    rates = {}
    before = None
    for minute in sorted(minutes):
        low, high = minutes[minute]
        if before is not None and minute - before[0] <= 60 and low >= before[1]:
            rate = (high - before[1]) / (60 * (minute - before[0]))
            rates[minute] = (rate, rate)
        before = (minute, high)
    return rates


def independent_scores(method, series):
    """The definition in docs/unusual.md, computed anew for each minute."""
    minutes = minutes_of(series.points)
    if method == "counter":
        minutes = rates_of(minutes)
    hours = {}
    for minute, (low, high) in minutes.items():
        known = hours.get(minute // 60, (low, high))
        hours[minute // 60] = (min(known[0], low), max(known[1], high))
    scores = []
    for minute in sorted(minutes):
        end = minute // 60 - 1
        if sum(end - 168 <= hour < end for hour in hours) < 24:
            continue
        low, high = minutes[minute]
        found = []
        for width in (24, 72, 168):
            window = [hours[hour] for hour in range(end - width, end) if hour in hours]
            if not window:
                continue
            lowest, highest = min(a for a, _ in window), max(b for _, b in window)
            outside = max(high - highest, lowest - low, 0)
            span = max(highest - lowest, 0.01 * max(abs(lowest), abs(highest)))
            found.append(outside / (outside + span) if outside else 0.0)
        scores.append((minute * 60, min(found)))
    return scores


def random_series(seed, counter):
    """Irregular times, gaps, and of a counter resets."""
    source = random.Random(seed)
    time, level, total, points = source.randrange(2_000_000_000), 50.0, 0.0, []
    end = time + 10 * table.DAY
    while time < end:
        level += source.gauss(0, 1)
        total = 0.0 if source.random() < 0.003 else total + max(0.0, 100 + level) * 60
        points.append((time, total if counter else level + 10 * math.sin(time / 14000)))
        time += source.choice([20, 60, 300, 300, 600, 1200])
        if source.random() < 0.002:
            time += source.randrange(2 * table.DAY)
    return table.Series(f"random {seed}", points, [])


def rows(text, start="| "):
    return [line for line in text.splitlines() if line.startswith(start) and not line.startswith("|---")]


class TableTest(unittest.TestCase):
    def test_scores_equal_an_independent_computation(self):
        outside = 0
        for seed in range(6):
            for method in ("extremes", "counter"):
                series = random_series(seed, method == "counter")
                found = table.program_scores(method, series)
                self.assertEqual(found, independent_scores(method, series), (seed, method))
                outside += sum(score > 0 for _, score in found)
        self.assertGreater(outside, 100)

    def test_counts_equal_an_independent_computation(self):
        """Every row of this program, of seven generated series, one for each fault."""
        some = table.generate(count=7, seed=3)
        expected = table.measure(some, scores_of=independent_scores, methods=["extremes"])
        self.assertEqual(table.main_table(table.measure(some, methods=["extremes"])), table.main_table(expected))
        best = expected["extremes"][0.02]
        self.assertGreater(best.hit, 1)
        self.assertLess(best.hit, 7)

    def test_alarms_windows_and_days_are_counted_as_described(self):
        hour, day = table.HOUR, table.DAY
        series = table.Series("a 1", [(0, 0.0), (3 * day, 0.0)], [(day, day + hour), (2 * day, 2 * day + hour)])
        # An alarm of two values that reaches into the first window, a false one, and one an hour and a second later.
        times = [day - 10, day + 10, 2 * day - 2 * hour, 2 * day - hour + 1]
        scores = [(time, 0.5) for time in times] + [(2 * day - hour + 5, 0.4)]
        result = table.Result()
        result.add(series, scores, 0.5)
        self.assertEqual((result.hit, result.windows, result.alarms, result.false, result.days), (1, 2, 3, 2, 2.0))
        self.assertEqual((result.flagged, result.outside), (3, 4))
        self.assertEqual(result.row("m", 0.5), "| m | 0.5 | 1 of 2 | 50 % | 2 | 1.000 | 33 % | 75.00 % |")

    def test_document_has_the_tables_that_the_tool_prints(self):
        with open(os.path.join(ROOT, "docs", "unusual.md"), encoding="utf-8") as file:
            document = file.read()
        generated = document.index("### On generated series")
        made = self.run_tool()
        # The other methods' last digits may differ with the compiler.
        own = rows(made, "| extremes")
        self.assertEqual(len(own), 7)
        self.assertEqual(own, rows(document[generated:], "| extremes"))
        if not os.path.isdir(BENCHMARK):
            print(f"{BENCHMARK} is not there: the benchmark's table is not compared")
            return
        self.assertEqual(rows(self.run_tool("--data", BENCHMARK)), rows(document[document.index("### On the Numenta"):generated]))

    def test_refuses_a_folder_that_is_not_the_benchmark(self):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([TOOL, "--data", folder], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot be read as a copy of the benchmark", done.stderr)

    def run_tool(self, *arguments):
        done = subprocess.run([TOOL, *arguments], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout


if __name__ == "__main__":
    unittest.main()
