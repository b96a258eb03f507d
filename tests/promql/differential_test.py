"""Compares src/query with Prometheus: the same samples in both, and random expressions. `./test` uses the Prometheus that is
installed; the whole test builds Prometheus 3 from its Go modules."""
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from expressions import samples, seeded  # noqa: E402
from programs import BIN, ROOT, Program, free_port, wait_until  # noqa: E402

PROGRAM = os.path.join(os.path.dirname(BIN), "tests", "promqleval")
VERSION = "v0.316.0"  # of the module; Prometheus 3.16
START = 1_700_000_000  # seconds
LENGTH = 3600
QUERIES = 500


def build_prometheus_3():
    """Returns the path of Prometheus 3; builds it once. Nothing if there is no Go that can build it."""
    folder = os.path.join(ROOT, "build", "prometheus-" + VERSION)
    program = os.path.join(folder, "prometheus")
    if os.path.exists(program):
        return program
    if not shutil.which("go"):
        return None
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "go.mod"), "w", encoding="ascii") as file:
        file.write(f"module differential\n\ngo 1.26\n\nrequire github.com/prometheus/prometheus {VERSION}\n")
    with open(os.path.join(folder, "main.go"), "w", encoding="ascii") as file:
        file.write('package main\n\nimport _ "github.com/prometheus/prometheus/cmd/prometheus"\n\nfunc main() {}\n')
    for command in (["go", "mod", "tidy", "-e"],
                    ["go", "build", "-tags", "remove_all_sd", "-o", program + ".new", "github.com/prometheus/prometheus/cmd/prometheus"]):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{command}: {done.stderr[-2000:]}")
    os.rename(program + ".new", program)
    return program


def text_of(labels):
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


def number(value):
    return "NaN" if math.isnan(value) else "+Inf" if value == math.inf else "-Inf" if value == -math.inf else repr(value)


def close(one, other, tolerance=1e-9):
    a, b = float(one), float(other)
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return a == b or math.isclose(a, b, rel_tol=tolerance, abs_tol=1e-15)


def values_of(data):
    """Returns {labels: [(time, value)]} of an answer."""
    if data["resultType"] in ("scalar", "string"):
        return {(): [tuple(data["result"])]}
    return {tuple(sorted(one["metric"].items())): [tuple(point) for point in one.get("values", [one.get("value")])] for one in data["result"]}


def notes(answer, kind):
    """The annotations of an answer, without their places: of the same text at two places, either counts."""
    return sorted({re.sub(r" \(\d+:\d+\)$", "", note) for note in answer.get(kind, [])})


def difference(ours, theirs, tolerance=1e-9):
    """Returns what differs between two answers; None if nothing does."""
    if ("error" in ours) != ("error" in theirs):
        return f"ours: {str(ours)[:600]}\n  theirs: {str(theirs)[:600]}"
    if "error" in ours:
        return None
    for kind in ("warnings", "infos"):
        if notes(ours, kind) != notes(theirs, kind):
            return f"{kind}: ours {notes(ours, kind)}, theirs {notes(theirs, kind)}"
    ours, theirs = ours["data"], theirs["data"]
    if ours["resultType"] != theirs["resultType"]:
        return f"ours is a {ours['resultType']}, theirs a {theirs['resultType']}"
    mine, other = values_of(ours), values_of(theirs)
    if set(mine) != set(other):
        return f"only ours: {sorted(set(mine) - set(other))[:3]}, only theirs: {sorted(set(other) - set(mine))[:3]}"
    for labels, points in mine.items():
        expected = other[labels]
        if [moment for moment, _ in points] != [moment for moment, _ in expected]:
            return f"{labels}: times {[m for m, _ in points][:8]} and {[m for m, _ in expected][:8]}"
        for (moment, value), (_, wanted) in zip(points, expected):
            if not close(value, wanted, tolerance):
                return f"{labels} at {moment}: ours {value}, theirs {wanted}"
    return None


def selections(text):
    """The calls of topk() and bottomk() in an expression."""
    found = []
    for call in re.finditer(r"\b(?:topk|bottomk)(?: (?:by|without) \([^()]*\))? ?\(", text):
        depth, end = 1, call.end()
        while depth > 0:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        found.append(text[call.start():end])
    return found


def tied(ours, theirs):
    """Whether two answers to topk() or bottomk() differ, and only in which of several series with equal values they keep."""
    if "data" not in ours or "data" not in theirs or ours["data"]["resultType"] != theirs["data"]["resultType"]:
        return False
    mine, other = ({}, {})
    for answer, at in ((ours, mine), (theirs, other)):
        for labels, points in values_of(answer["data"]).items():
            for moment, value in points:
                at.setdefault(float(moment), []).append((float(value), labels))
    if set(mine) != set(other) or difference(ours, theirs) is None:
        return False
    return all(len(mine[at]) == len(other[at]) and all(close(a, b) for (a, _), (b, _) in zip(sorted(mine[at], key=str), sorted(other[at], key=str)))
               for at in mine)


class DifferentialTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="differential-")
        self.addCleanup(shutil.rmtree, self.folder, True)

    def serve(self, prometheus, rng):
        """Starts Prometheus with random samples; returns the path of the same samples for our program."""
        path = os.path.join(self.folder, "samples")
        metrics = {}
        with open(path, "w", encoding="ascii") as file:
            for metric, labels, value, moment in samples(rng, START * 1000, (START + LENGTH) * 1000):
                file.write(f"{metric}{text_of(labels)} {number(value)} {moment}\n")
                metrics.setdefault(metric, []).append(f"{metric}{text_of(labels)} {number(value)} {moment / 1000:.3f}\n")
        with open(path + ".om", "w", encoding="ascii") as file:
            for metric, lines in metrics.items():
                file.write(f"# TYPE {metric} unknown\n" + "".join(lines))
            file.write("# EOF\n")
        data = os.path.join(self.folder, "data")
        subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", path + ".om", data], check=True, capture_output=True)
        with open(os.path.join(self.folder, "prometheus.yml"), "w", encoding="ascii") as file:
            file.write("{}\n")
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        program = Program(prometheus, f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={data}", f"--web.listen-address=127.0.0.1:{port}",
                          "--storage.tsdb.retention.time=100y", "--enable-feature=promql-experimental-functions,promql-at-modifier,promql-negative-offset,promql-delayed-name-removal")
        self.addCleanup(program.kill)
        wait_until(self.ready, "Prometheus")
        return path

    def ready(self):
        try:
            with urllib.request.urlopen(self.address + "/-/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def theirs(self, path, form):
        request = urllib.request.Request(f"{self.address}/api/v1/{path}", data=urllib.parse.urlencode(form).encode())
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)

    @staticmethod
    def ours(path, asked):
        """Our answers to (from, to, step, expression), in seconds; a step of 0: at one time."""
        lines = "".join(f"{at * 1000} {end * 1000} {max(step, 1) * 1000} {text}\n" for at, end, step, text in asked)
        done = subprocess.run([PROGRAM, path], input=lines, capture_output=True, text=True, timeout=600, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def only_ties(self, path, text, at, end):
        """Whether a topk() or bottomk() in the expression has to choose among equal values, about this time. Subqueries and
        offsets look elsewhere, by whole seconds."""
        calls = selections(text)
        asked = [(at - 1500, end + 600, 1, call) for call in calls]
        theirs = [self.theirs("query_range", {"query": call, "start": begin, "end": until, "step": step}) for begin, until, step, call in asked]
        # Which of equal series stay also decides whether two of them have the same labels at the end.
        double = "the same label"
        return any(tied(mine, other) or (double in str(mine.get("error"))) != (double in str(other.get("error")))
                   for mine, other in zip(self.ours(path, asked), theirs))

    def compare(self, prometheus, seed, count, modern):
        rng, source = seeded(seed, modern)
        path = self.serve(prometheus, rng)
        asked = []
        while len(asked) < count:
            at = START + rng.randrange(600, LENGTH + 900)
            step = rng.choice((15, 60, 37)) if rng.random() < 0.4 else 0
            end = at + step * rng.randrange(1, 25)
            asked.append((at, end, step, source.one(at)))
        answers = self.ours(path, asked)
        self.assertEqual(len(answers), len(asked))
        wrong, results, errors, ties = [], 0, 0, 0
        for (at, end, step, text), ours in zip(asked, answers):
            self.assertFalse(ours.get("refused"), (text, ours))
            if step == 0:
                theirs = self.theirs("query", {"query": text, "time": at})
            else:
                theirs = self.theirs("query_range", {"query": text, "start": at, "end": end, "step": step})
            results += "data" in theirs and bool(theirs["data"]["result"])
            errors += "error" in theirs
            if not modern:  # older versions say less
                for answer in (ours, theirs):
                    answer.pop("warnings", None)
                    answer.pop("infos", None)
            # Prometheus loses digits in the variance of large values, such as times.
            found = difference(ours, theirs, 1e-6 if "stddev" in text or "stdvar" in text else 1e-9)
            if found and self.only_ties(path, text, at, end):
                ties += 1
            elif found:
                wrong.append(f"{at} {end} {step}: {text}\n  {found}")
        print(f"{len(asked)} expressions: {results} with a result, {errors} errors in both, {ties} ties, {len(wrong)} differences")
        self.assertEqual(wrong, [], "\n".join(wrong[:20]))
        self.assertGreater(results, count // 2)

    def test_equals_the_installed_prometheus(self):
        self.compare("prometheus", 2, 200, modern=False)

    def test_equals_prometheus_3(self):
        prometheus = build_prometheus_3()
        if prometheus is None:
            print("passed over: there is no Go to build Prometheus 3 with")
            return
        self.compare(prometheus, int(os.environ.get("MONITOR_SEED", "1")), int(os.environ.get("MONITOR_QUERIES", QUERIES)), modern=True)

    def test_a_difference_is_noticed(self):
        def vector(*result):
            return {"data": {"resultType": "vector", "result": list(result)}}

        one = vector({"metric": {"a": "b"}, "value": [1, "1"]})
        self.assertIsNone(difference(one, json.loads(json.dumps(one))))
        for changed in (vector(), {"data": {"resultType": "matrix", "result": []}}, {"error": "x"}, {**one, "infos": ["x"]},
                        vector({"metric": {"a": "b"}, "value": [1, "1.00000001"]}), vector({"metric": {"a": "b"}, "value": [2, "1"]}),
                        vector({"metric": {"a": "c"}, "value": [1, "1"]})):
            self.assertIsNotNone(difference(one, changed), changed)
        self.assertTrue(tied(one, vector({"metric": {"a": "c"}, "value": [1, "1"]})))
        self.assertFalse(tied(one, vector({"metric": {"a": "c"}, "value": [1, "2"]})))
        self.assertFalse(tied(one, json.loads(json.dumps(one))), "nothing to choose")
        # At each time, the same values.
        def matrix(*result):
            return {"data": {"resultType": "matrix", "result": list(result)}}
        both = matrix({"metric": {"a": "b"}, "values": [[1, "1"], [2, "2"]]}, {"metric": {"a": "c"}, "values": [[3, "3"]]})
        self.assertTrue(tied(both, matrix({"metric": {"a": "c"}, "values": [[1, "1"], [3, "3"]]}, {"metric": {"a": "b"}, "values": [[2, "2"]]})))
        self.assertFalse(tied(both, matrix({"metric": {"a": "b"}, "values": [[1, "2"], [2, "1"]]}, {"metric": {"a": "c"}, "values": [[3, "3"]]})))
        self.assertEqual(selections('sum(topk by (a) (1, f(x, "(.*)i"))) + bottomk(2, topk(1, y))'),
                         ['topk by (a) (1, f(x, "(.*)i"))', "bottomk(2, topk(1, y))", "topk(1, y)"])
        self.assertEqual(selections("sum(x)"), [])


if __name__ == "__main__":
    unittest.main()
