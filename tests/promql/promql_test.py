"""Evaluates the queries of test files in the format of Prometheus' promqltest: those in cases/, and Prometheus' own
where a copy of them is beside the repository (../shared/promql). No result may be wrong; what src/query does not
support it must refuse by name."""
import os
import re
import subprocess
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BIN = os.environ.get("MONITOR_BIN_DIR", os.path.join(ROOT, "build", "release", "bin"))
PROGRAM = os.path.join(os.path.dirname(BIN), "tests", "promqltest")
PROMETHEUS = os.path.join(os.path.dirname(ROOT), "shared", "promql")


def run(folder):
    files = sorted(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".test"))
    assert files, f"no test files in {folder}"
    ran = subprocess.run([PROGRAM, *files], capture_output=True, text=True, timeout=60, check=False)
    counts = re.search(r"^all: (\d+) passed, (\d+) refused by name, (\d+) wrong$", ran.stdout, re.M)
    assert counts, ran.stdout + ran.stderr
    return ran.stdout, *map(int, counts.groups())


class PromqlTest(unittest.TestCase):
    def test_own_cases_all_pass(self):
        output, passed, refused, wrong = run(os.path.join(HERE, "cases"))
        self.assertEqual((refused, wrong), (0, 0), output)
        self.assertGreaterEqual(passed, 40, output)

    def test_a_wrong_result_is_noticed(self):
        output, _, _, wrong = run(os.path.join(HERE, "wrong"))
        self.assertEqual(wrong, 5, output)

    def test_cases_of_prometheus(self):
        if not os.path.isdir(PROMETHEUS):
            print(f"passed over: Prometheus' test files are not in {PROMETHEUS}")
            return
        output, passed, _, wrong = run(PROMETHEUS)
        print(output)
        self.assertEqual(wrong, 0, output)
        self.assertGreaterEqual(passed, 880, output)


if __name__ == "__main__":
    unittest.main()
