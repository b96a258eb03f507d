#!/usr/bin/env python3
"""The tiers of ./test, and the report and warnings of tools/test-times."""
import importlib.machinery
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("test_times", os.path.join(ROOT, "tools", "test-times"))
times = importlib.util.module_from_spec(importlib.util.spec_from_loader("test_times", loader))
loader.exec_module(times)

EXPECTED = ({"build": 60, "other tests": 400}, {"e2e.web.short": 40, "e2e.top": 5})


class TestTimesTest(unittest.TestCase):
    def run_folder(self, **files):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for name, text in files.items():
            with open(os.path.join(folder.name, name.replace("_xml", ".xml")), "w", encoding="utf-8") as file:
                file.write(text)
        return times.read_run(folder.name)

    def test_reads_the_results_of_a_run(self):
        case = '<testcase name="{}" classname="x" time="{}" status="{}"/>'
        tier, phases, entries, failed = self.run_folder(
            tier="all\n", phases="build 12\nunit tests under asan 30\nbuild 3\n",
            unit_xml="<testsuite>" + case.format("unit.base", 1.5, "run") + case.format("integration.services_up", 4, "run") + "</testsuite>",
            rest_xml="<testsuite>" + case.format("e2e.web", 7, "fail") + case.format("integration.services_up", 5, "run") + "</testsuite>")
        self.assertEqual((tier, phases), ("all", {"build": 15, "unit tests under asan": 30}))
        self.assertEqual(entries, {"unit.base": 1.5, "e2e.web": 7, "integration.services_up": 9})
        self.assertEqual(failed, ["e2e.web"])

    def test_reads_an_interrupted_run(self):
        self.assertEqual(self.run_folder(), ("plain", {}, {}, []))

    def test_reports_every_phase_and_the_ten_slowest_entries(self):
        entries = {f"e2e.n{i}": i for i in range(30)}
        lines = times.report("plain", {"build": 20, "other tests": 300}, entries, [], EXPECTED)
        self.assertEqual(lines[0], "Time: build 20 s, other tests 300 s; 320 s in total.")
        self.assertEqual(lines[2], "  e2e.n29: 29 s, new")
        self.assertEqual(len(lines), 12)

    def test_prints_no_warning_within_the_budget(self):
        for tier, build, rest in (("plain", 20, 699), ("plain", 900, 590), ("all", 20, 5300), ("long", 20, 50000)):
            lines = times.report(tier, {"build": build, "other tests": rest}, {"e2e.web.short": 600}, [], EXPECTED)
            self.assertNotIn("WARNING", "\n".join(lines), tier)

    def test_warning_over_the_budget_lists_what_grew(self):
        for tier, build, rest, limit in (("plain", 60, 700, "720 s (warm)"), ("plain", 900, 700, "1500 s (cold)"), ("quick", 60, 700, "180 s (quick)")):
            lines = times.report(tier, {"build": build, "other tests": rest}, {"e2e.web.short": 112, "e2e.top": 5.5, "e2e.fresh": 50}, ["e2e.top"], EXPECTED)
            warning = next(i for i, line in enumerate(lines) if line.startswith("WARNING"))
            self.assertIn(f"over the budget of {limit}", lines[warning])
            named = lines[warning + 1:]
            self.assertIn("  e2e.web.short: 112 s, 40 s expected", named)
            self.assertIn("  e2e.fresh: 50 s, new", named)
            self.assertIn("  other tests: 700 s, 400 s expected", named)
            self.assertNotIn("e2e.top: ", "\n".join(named), "half a second is noise")
            self.assertEqual(lines[-1], "Failed: e2e.top")

    def test_reads_the_budget_that_it_wrote(self):
        text = times.write({"build": 60, "unit tests": 30}, {"e2e.web": 12.4, "e2e.top": 5})
        self.assertEqual(times.read_expected(text), ({"build": 60, "unit tests": 30}, {"e2e.web": 12, "e2e.top": 5}))


FAKE_CTEST = """#!/usr/bin/env bash
echo "ctest $*" >>calls
while [ $# -gt 0 ]; do
  if [ "$1" = --output-junit ]; then
    echo '<testsuite><testcase name="e2e.web" time="7" status="'"${FAKE_STATUS:-run}"'"/></testsuite>' >"$2"
  fi
  shift
done
[ "${FAKE_STATUS:-run}" = run ]
"""


class TiersTest(unittest.TestCase):
    """./test with fakes for the programs that it calls."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = folder.name
        for place in ("tools", "tests", "fake"):
            os.mkdir(os.path.join(self.root, place))
        for name in ("test", "tools/test-times", "tests/budget.txt"):
            shutil.copy(os.path.join(ROOT, name), os.path.join(self.root, name))
        for name in ("tools/packages", "tools/build", "tools/lint", "tools/fuzz", "tools/simulate", "tools/chaos", "fake/cmake"):
            self.fake(name, f'#!/bin/sh\necho "{os.path.basename(name)} $*" >>calls\n')
        self.fake("fake/ctest", FAKE_CTEST)

    def fake(self, name, text):
        path = os.path.join(self.root, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o755)

    def call(self, *arguments, status="run"):
        """Returns the exit status, the output and the calls."""
        environment = {**os.environ, "PATH": f"{self.root}/fake:{os.environ['PATH']}", "FAKE_STATUS": status}
        done = subprocess.run(["./test", *arguments], cwd=self.root, env=environment, capture_output=True, text=True, check=False)
        calls = os.path.join(self.root, "calls")
        if not os.path.exists(calls):
            return done.returncode, done.stdout + done.stderr, []
        with open(calls, encoding="utf-8") as file:
            return done.returncode, done.stdout + done.stderr, file.read().replace(self.root, "").splitlines()

    def test_quick_runs_unit_tests_and_plain_adds_the_others(self):
        head = ["packages install test", "build unit", "lint --changed", "ctest --preset release --output-junit /build/logs/times/unit-tests.xml -L ^unit$"]
        status, out, calls = self.call("--quick")
        self.assertEqual((status, calls), (0, head), out)
        os.remove(os.path.join(self.root, "calls"))
        status, out, calls = self.call()
        head[1] = "build test"
        self.assertEqual((status, calls), (0, head + ["ctest --preset release --output-junit /build/logs/times/other-tests.xml -LE ^(unit|all)$"]), out)
        self.assertRegex(out, r"Time: install \d+ s, build \d+ s, lint \d+ s, unit tests \d+ s, other tests \d+ s; \d+ s in total.")
        self.assertIn("e2e.web: 14 s", out)

    def test_all_runs_every_case_once(self):
        status, out, calls = self.call("--all")
        self.assertEqual(status, 0, out)
        self.assertIn("lint --all", calls)
        self.assertTrue(calls[-1].endswith("-LE ^(unit|short)$"), calls)
        for tool in ("fuzz", "simulate", "chaos", "ctest --preset asan", "ctest --preset tsan"):
            self.assertTrue([call for call in calls if call.startswith(tool)], tool)

    def test_a_failed_test_fails_the_run_after_all_others_have_run(self):
        status, out, calls = self.call(status="fail")
        self.assertEqual(status, 1)
        self.assertEqual(sum(call.startswith("ctest") for call in calls), 2)
        self.assertIn("Failed: e2e.web", out)
        self.fake("tools/build", "#!/bin/sh\nexit 70\n")
        status, out, _ = self.call()
        self.assertEqual(status, 70)
        self.assertIn("Time: install", out)

    def test_rejects_an_unknown_argument(self):
        status, out, calls = self.call("--quik")
        self.assertEqual((status, calls), (64, []))
        self.assertIn("usage", out)


if __name__ == "__main__":
    unittest.main()
