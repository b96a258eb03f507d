"""Evaluates the queries of test files in the format of Prometheus' promqltest: those in cases/, and Prometheus' own
where a copy of them is beside the repository (../shared/promql). No result may be wrong; what src/query does not
support it must refuse by name."""
import itertools
import json
import os
import re
import subprocess
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BIN = os.environ.get("MONITOR_BIN_DIR", os.path.join(ROOT, "build", "release", "bin"))
PROGRAM = os.path.join(os.path.dirname(BIN), "tests", "promqltest")
EVALUATOR = os.path.join(os.path.dirname(BIN), "tests", "promqleval")
COMPLIANCE = os.path.join(os.path.dirname(ROOT), "shared", "compliance", "promql-test-queries.yml")
PROMETHEUS = os.path.join(os.path.dirname(ROOT), "shared", "promql")


# What the templates of the compliance tests stand for.
VARIANTS = {
    "range": ["1s", "15s", "1m", "5m", "15m", "1h"],
    "offset": ["1m", "5m", "10m"],
    "instantRateFunc": ["irate", "idelta"],
    "extrapolatedRateFunc": ["rate", "increase", "delta"],
    "simpleAggrOp": ["sum", "avg", "max", "min", "count", "stddev", "stdvar"],
    "topBottomOp": ["topk", "bottomk"],
    "quantile": ["-0.5", "0.1", "0.5", "0.75", "0.95", "0.90", "0.99", "1", "1.5"],
    "simpleTimeAggrOp": ["sum", "avg", "max", "min", "count", "stddev", "stdvar", "absent", "last", "present"],
    "simpleMathFunc": ["abs", "ceil", "floor", "exp", "sqrt", "ln", "log2", "log10", "round", "sgn", "deg", "rad", "cos", "tanh"],
    "dateFunc": ["day_of_month", "day_of_week", "days_in_month", "hour", "minute", "month", "year"],
    "clampFunc": ["clamp_min", "clamp_max"],
    "arithBinOp": ["+", "-", "*", "/", "%", "^"],
    "compBinOp": ["==", "!=", "<", ">", "<=", ">="],
    "binOp": ["+", "-", "*", "/", "%", "^", "==", "!=", "<", ">", "<=", ">="],
}


def compliance_queries(path):
    """Yields (query, whether it must fail) of the file, with every template filled in."""
    with open(path, encoding="utf-8") as file:
        cases = re.split(r"\n  - ", re.sub(r"(?m)^\s*#.*\n", "", file.read().split("test_cases:", 1)[1]))
    for case in cases:
        query = re.search(r"query: *(.*)", case)
        if not query:
            continue
        text = query.group(1).strip()
        text = text[1:-1].replace("''", "'") if text[0] in "'\"" else text
        names = re.findall(r"\{\{\.(\w+)\}\}", text)
        for values in itertools.product(*(VARIANTS[name] for name in names)):
            filled = text
            for name, value in zip(names, values):
                filled = filled.replace("{{." + name + "}}", value)
            yield filled, "should_fail: true" in case


def run(folder):
    files = sorted(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".test"))
    assert files, f"no test files in {folder}"
    ran = subprocess.run([PROGRAM, *files], capture_output=True, text=True, timeout=60, check=False)
    counts = re.search(r"^all: (\d+) passed, (\d+) refused by name, (\d+) wrong; annotations compared in (\d+)$", ran.stdout, re.M)
    assert counts, ran.stdout + ran.stderr
    return ran.stdout, *map(int, counts.groups())


class PromqlTest(unittest.TestCase):
    def test_own_cases_all_pass(self):
        output, passed, refused, wrong, annotated = run(os.path.join(HERE, "cases"))
        self.assertEqual((refused, wrong), (0, 0), output)
        self.assertGreaterEqual(annotated, 5, output)
        self.assertGreaterEqual(passed, 40, output)

    def test_a_wrong_result_is_noticed(self):
        output, _, _, wrong, _ = run(os.path.join(HERE, "wrong"))
        self.assertEqual(wrong, 9, output)

    def test_cases_of_prometheus(self):
        if not os.path.isdir(PROMETHEUS):
            print(f"passed over: Prometheus' test files are not in {PROMETHEUS}")
            return
        output, passed, _, wrong, annotated = run(PROMETHEUS)
        print(output)
        self.assertEqual(wrong, 0, output)
        self.assertGreaterEqual(passed, 890, output)
        self.assertGreaterEqual(annotated, 60, output)

    def test_queries_of_the_compliance_tests_evaluate(self):
        if not os.path.exists(COMPLIANCE):
            print(f"passed over: {COMPLIANCE} is not there")
            return
        queries = list(compliance_queries(COMPLIANCE))
        self.assertGreaterEqual(len(queries), 500)
        with tempfile.NamedTemporaryFile("w", suffix=".samples") as samples:
            for i in range(120):
                moment = 1_700_000_000_000 + i * 5000
                for instance in ("demo.promlabs.com:10000", "demo.promlabs.com:10001"):
                    at = f'instance="{instance}",job="demo"'
                    for kind in ("free", "used"):
                        samples.write(f'demo_memory_usage_bytes{{{at},type="{kind}"}} {i * 10 + len(kind) * 1e6} {moment}\n')
                    for name in ("demo_num_cpus", "demo_batch_last_success_timestamp_seconds", "demo_disk_usage_bytes", "demo_intermittent_metric"):
                        samples.write(f"{name}{{{at}}} {1e9 + i} {moment}\n")
                    samples.write(f'demo_cpu_usage_seconds_total{{{at},mode="idle"}} {i * 3.5} {moment}\n')
                    for bound in ("0.1", "1", "+Inf"):
                        samples.write(f'demo_api_request_duration_seconds_bucket{{{at},le="{bound}"}} {i * len(bound)} {moment}\n')
            samples.flush()
            lines = "".join(f"{1_700_000_300_000} {1_700_000_600_000} 10000 {query}\n" for query, _ in queries)
            done = subprocess.run([EVALUATOR, samples.name], input=lines, capture_output=True, text=True, timeout=120, check=True)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(len(answers), len(queries))
        refused = [query for (query, _), answer in zip(queries, answers) if answer.get("refused")]
        wrong = [(query, answer["error"]) for (query, fails), answer in zip(queries, answers)
                 if "error" in answer and not fails and not answer["refused"]]
        print(f"{len(queries)} queries of the compliance tests, {len(refused)} refused by name: {refused[:10]}")
        self.assertEqual(wrong, [])
        self.assertEqual(refused, [])


if __name__ == "__main__":
    unittest.main()
