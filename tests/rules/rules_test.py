#!/usr/bin/env python3
"""`monitor-analysis rules`: rule files and unit tests get the same verdict as from Debian's promtool; hostile files get a
clear error in bounded time and memory; the shipped rules pass their tests."""
import os
import re
import shutil
import subprocess
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.join(os.environ.get("MONITOR_BIN_DIR", os.path.join(ROOT, "build/release/bin")), "monitor-analysis")
SHIPPED = os.path.join(ROOT, "deploy/rules")

RULES = """groups:
- name: g
  rules:
  - alert: Down
    expr: up == 0
    for: 2m
    labels: {severity: page, of: '{{ $labels.job }}'}
    annotations: {summary: '{{ $labels.instance }} is down: {{ $value }}'}
  - record: job:up:sum
    expr: sum by (job) (up)
"""


def tests_of(body, series="{series: 'up{job=\"a\", instance=\"x\"}', values: '1 1 0 0 0 0 1 1'}", interval="1m", rules="rules.yaml"):
    return f"rule_files: [{rules}]\nevaluation_interval: 1m\ntests:\n- interval: {interval}\n  input_series: [{series}]\n{body}"


def alert_at(when, alerts, name="Down"):
    return f"  alert_rule_test: [{{eval_time: {when}, alertname: {name}, exp_alerts: [{alerts}]}}]\n"


def expression_at(when, expr, samples):
    return f"  promql_expr_test: [{{eval_time: {when}, expr: '{expr}', exp_samples: [{samples}]}}]\n"


DOWN = "{exp_labels: {severity: page, of: a, job: a, instance: x}, exp_annotations: {summary: 'x is down: 0'}}"
# Name -> (the tests' file, the rules' file).
UNIT_TESTS = {
    "fires": (tests_of(alert_at("4m", DOWN)), RULES),
    "pending": (tests_of(alert_at("3m", "")), RULES),
    "between evaluations": (tests_of(alert_at("4m30s", DOWN)), RULES),
    "resolved": (tests_of(alert_at("6m", "")), RULES),
    "wrong: not expected": (tests_of(alert_at("4m", "")), RULES),
    "wrong: not fired yet": (tests_of(alert_at("3m", DOWN)), RULES),
    "wrong: label": (tests_of(alert_at("4m", DOWN.replace("page", "warning"))), RULES),
    "wrong: annotation": (tests_of(alert_at("4m", DOWN.replace("down: 0", "down: 1"))), RULES),
    "wrong: no annotations": (tests_of(alert_at("4m", "{exp_labels: {severity: page, of: a, job: a, instance: x}}")), RULES),
    "unknown alert": (tests_of(alert_at("4m", "", "Nobody")), RULES),
    "wrong: unknown alert": (tests_of(alert_at("4m", DOWN, "Nobody")), RULES),
    "recorded": (tests_of(expression_at("1m", "job:up:sum", "{labels: 'job:up:sum{job=\"a\"}', value: 1}")), RULES),
    "wrong: recorded": (tests_of(expression_at("1m", "job:up:sum", "{labels: 'job:up:sum{job=\"a\"}', value: 2}")), RULES),
    "ALERTS": (tests_of(expression_at("4m", 'count(ALERTS{alertstate="firing"})', "{labels: '{}', value: 1}")), RULES),
    "ALERTS pending": (tests_of(expression_at("3m", 'count(ALERTS{alertstate="pending"})', "{labels: '{}', value: 1}")), RULES),
    "ALERTS ended": (tests_of(expression_at("6m", "ALERTS", "")), RULES),
    "ALERTS_FOR_STATE": (tests_of(expression_at("4m", "sum(ALERTS_FOR_STATE)", "{labels: '{}', value: 120}")), RULES),
    "nothing": (tests_of(expression_at("1m", "absent(up)", "")), RULES),
    "scalar": (tests_of(expression_at("1m", "1 + 1", "{labels: '{}', value: 2}")), RULES),
    "time": (tests_of(expression_at("2m", "time()", "{labels: '{}', value: 120}")), RULES),
    "rate": (tests_of(expression_at("5m", "increase(c[5m])", "{labels: '{}', value: 50}"), "{series: c, values: '0+10x10'}"), RULES),
    "stale": (tests_of(expression_at("3m", "c", ""), "{series: c, values: '1 1 stale _ _'}"), RULES),
    "look-back": (tests_of(expression_at("6m", "c", ""), "{series: c, values: '1 _x9'}"), RULES),
    "gap": (tests_of(expression_at("3m", "c", "{labels: c, value: 1}"), "{series: c, values: '1 _x9'}"), RULES),
    "wrong: bad expression": (tests_of(expression_at("1m", "sum(", "")), RULES),
    "wrong: unknown key": (tests_of(alert_at("4m", DOWN)).replace("rule_files", "rules_files"), RULES),
    "wrong: bad series": (tests_of(alert_at("4m", ""), "{series: 'up{', values: '1'}"), RULES),
    "wrong: bad values": (tests_of(alert_at("4m", ""), "{series: up, values: '1 x'}"), RULES),
    "wrong: bad rules": (tests_of(alert_at("4m", "")), RULES.replace("up == 0", "up ==")),
    "wrong: no rules key": (tests_of(alert_at("4m", "")), RULES.replace("expr: up", "exp: up", 1)),
    "keep_firing_for": (tests_of(alert_at("7m", DOWN)), RULES.replace("for: 2m", "for: 2m\n    keep_firing_for: 5m")),
    "wrong: keep_firing_for": (tests_of(alert_at("7m", "")), RULES.replace("for: 2m", "for: 2m\n    keep_firing_for: 5m")),
    "wrong: limit": (tests_of(alert_at("4m", ""), "{series: 'up{instance=\"x\"}', values: '0x9'}, {series: 'up{instance=\"y\"}', values: '0x9'}"),
                     RULES.replace("- name: g", "- name: g\n  limit: 1")),
    "wrong: equal labels": (tests_of(alert_at("4m", ""), "{series: 'up{instance=\"x\"}', values: '0x9'}, {series: 'up{instance=\"y\"}', values: '0x9'}"),
                            RULES.replace("severity: page", "severity: page, instance: z")),
    "order": ("group_eval_order: [b, a]\n" + tests_of(expression_at("1m", "second", "{labels: second, value: 3}"), "{series: c, values: '1x5'}"),
              "groups:\n- {name: a, rules: [{record: second, expr: first + 1}]}\n- {name: b, rules: [{record: first, expr: c + 1}]}\n"),
    "wrong: order twice": ("group_eval_order: [b, b]\n" + tests_of(alert_at("1m", "")), RULES),
    "external": (tests_of("  external_labels: {region: eu}\n  external_url: http://h/p\n"
                          + alert_at("1m", "{exp_annotations: {s: 'eu http://h/p'}}", "X"), "{series: c, values: '1x5'}"),
                 "groups:\n- {name: a, rules: [{alert: X, expr: sum(c), annotations: {s: '{{ $externalLabels.region }} {{ $externalURL }}'}}]}\n"),
    "templates": (tests_of(alert_at("1m", "{exp_annotations: {s: '1.235M 95.9% 2m 15s ok 2'}}", "X"), "{series: c, values: '1x5'}"),
                  "groups:\n- name: a\n  rules:\n  - alert: X\n    expr: sum(c)\n    annotations:\n      s: '{{ humanize 1234567 }} {{ humanizePercentage 0.959 }}"
                  " {{ humanizeDuration 135 }} {{ if eq $value 1.0 }}ok{{ end }} {{ with query \"c + 1\" }}{{ . | first | value }}{{ end }}'\n"),
}

RULE_FILES = {
    "good": RULES,
    "empty": "groups: []\n",
    "unknown key": RULES.replace("for:", "fro:"),
    "bad duration": RULES.replace("2m", "2 minutes"),
    "no name": RULES.replace("- name: g", "- interval: 1m"),
    "two groups of one name": RULES + "- name: g\n  rules: []\n",
    "record and alert": RULES.replace("record: job:up:sum", "record: x\n    alert: Y"),
    "neither": RULES.replace("record: job:up:sum\n    ", ""),
    "no expression": RULES.replace("expr: sum by (job) (up)", "labels: {a: b}"),
    "for in a recording rule": RULES + "    for: 1m\n",
    "annotations in a recording rule": RULES + "    annotations: {a: b}\n",
    "bad label": RULES.replace("severity:", "'a-b':"),
    "__name__": RULES.replace("severity:", "__name__:"),
    "bad template": RULES.replace("{{ $value }}", "{{ $value"),
    "unknown function": RULES.replace("{{ $value }}", "{{ nosuch $value }}"),
    "unknown variable": RULES.replace("{{ $value }}", "{{ $nosuch }}"),
    "bad metric name": RULES.replace("job:up:sum", "job-up"),
    "twice": RULES.replace("for: 2m", "for: 2m\n    for: 3m"),
    "not YAML": "groups: [\n",
    "a list": "- a\n",
}


def hostile_files():
    """Name and content of files that must be refused quickly."""
    deep = {"[": "[" * 200_000, "{a: ": "{a: " * 50_000, "- ": "- " * 50_000, "? ": "? " * 50_000, "a: &a\n  ": "a: &a\n  " * 500}
    for name, text in deep.items():
        yield f"deep {name!r}", text
    bomb = "a0: &a0 {alert: A, expr: up}\n" + "".join(
        f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12))
    yield "aliases", bomb + "groups: *a11\n"
    yield "zero byte", "groups:\0"
    yield "not UTF-8", b"groups: \xff\xfe"
    yield "large", "x" * (5 << 20)
    yield "many values", "a: [" + "1," * 700_000 + "]"
    yield "long line", "groups: " + "a" * (3 << 20)
    rule = "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: %s\n    annotations: {s: '%s'}\n"
    expressions = ["(" * 50_000, "-" * 50_000 + "1", "a" + " + a" * 20_000, "sum(" * 5_000, '{a=~"' + "(a*)*" * 5_000 + '"}',
                   'up{a=~"(((((((((a{1000}){1000}){1000})"}', '"' + "x" * 70_000 + '"', "up[99999999999y:1s]", "rate(up[0s])", "up offset", "\\xff",
                   "a == b == c ==", "1e99999 +", "sum by (a b) (c)", "histogram_quantile(x)", "label_replace(a)", "x{a=b}", "x[5m", "@", "topk(a)"]
    for text in expressions:
        yield f"expression {text[:20]!r}", rule % ("'" + text.replace("'", "''") + "'", "x")
    templates = ["{{ if true }}" * 5_000, "{{ " + "(" * 10_000, "{{ printf", "{{ $x }}", "{{ nosuch }}", "{{ end }}", "{{ range }}", "{{ toTime 1 }}",
                 "{{ template \"x\" }}", "{{ define \"a\" }}", "{{ 1 2 }}", "{{ \"abc }}", "{{ . | }}", "{{/* ", "{{ $value := }}", "{{ break }}",
                 "{{ humanize 1 2 }}", "{{ else }}", "{{ call 1 }}", "{{ ! }}", "{{ " + "1|" * 20_000 + "}}"]
    for text in templates:
        yield f"template {text[:20]!r}", rule % ("up", text)
    fields = [("interval", v) for v in ("x", "-1s", "1ms", "99999999999999999999y", "[1]", "{}", "1.5s", "1s1h")]
    fields += [("limit", v) for v in ("x", "-1", "1.5", "99999999999999999999", "[]", "'1'")]
    fields += [("query_offset", v) for v in ("x", "-1s", "[]")] + [("eval_delay", v) for v in ("x", "-1s", "{}")]
    fields += [("labels", v) for v in ("x", "[a]", "{a: {b: c}}")] + [("rules", v) for v in ("x", "{a: b}", "[x]", "[[]]", "[1, 2]")]
    for key, value in fields:
        yield f"group's {key}: {value}", f"groups:\n- name: g\n  {key}: {value}\n" + ("" if key in ("rules", "labels") else "  rules: []\n") + (
            "  rules: [{alert: A, expr: up}]\n" if key == "labels" else "")
    for key, value in [("for", v) for v in ("x", "-5m", "[]", "1h2h", "9999999999y")] + [("keep_firing_for", v) for v in ("x", "-1s", "{}")] + [
            ("labels", v) for v in ("x", "[a]", "{'a b': c}", "{'': c}", "{alertname: x}", "{__name__: x}", "{a: [b]}")] + [
            ("annotations", v) for v in ("x", "[a]", "{'a b': c}", "{a: {b: c}}")] + [("expr", v) for v in ("[]", "{}", "''", "up[5m]")] + [
            ("nosuch", "1"), ("Alert", "x"), ("record", "y"), ("<<", "*x"), ("alert", "[]")]:
        lines = {"alert": "A", "expr": "up", key: value}
        yield f"rule's {key}: {value}", "groups:\n- name: g\n  rules:\n  - " + "\n    ".join(f"{k}: {v}" for k, v in lines.items()) + "\n"


def hostile_unit_tests():
    """Name and content of files of tests that must fail quickly."""
    for values in ("0x99999999999", "1+1x99999999", "_x99999999999", "1 " * 700_000 + "x", "x", "1+", "1x-1", "nan nan nan q", "{{count:1}}", "1" * 100_000 + "z"):
        yield f"values {values[:20]!r}", tests_of(alert_at("4m", ""), f"{{series: 'up', values: '{values}'}}")
    for series in ("up{", "{}{}", "up{a='b'", "up{a=~'b'}", "a b", "(" * 50_000, "\\xff"):
        yield f"series {series[:20]!r}", tests_of(alert_at("4m", ""), '{series: "%s", values: "1"}' % series)
    for when in ("99999999d", "x", "-5m", "1h2h", "9999y", "[]"):
        yield f"eval_time {when}", tests_of(alert_at(when, ""))
    yield "many evaluations", tests_of(alert_at("300d", "")).replace("evaluation_interval: 1m", "evaluation_interval: 1ms")
    for interval in ("0s", "x", "-1m"):
        yield f"interval {interval}", tests_of(alert_at("4m", ""), interval=interval)
    for expr in ("sum(" * 5_000, "up[", "(" * 50_000, "rate(up[0s])", "nosuch(up)", "up == = 1"):
        yield f"expr {expr[:20]!r}", tests_of(expression_at("4m", expr, ""))
    yield "wide result", tests_of(expression_at("1m", "count_values(\"a\", up)", "{labels: 'x', value: 1}"))
    yield "bad label", tests_of(expression_at("1m", "up", "{labels: 'x{', value: 1}"))
    yield "bad value", tests_of(expression_at("1m", "up", "{labels: 'x', value: [1]}"))
    yield "histogram", tests_of(expression_at("1m", "up", "{labels: 'x', histogram: '{{}}'}"))
    yield "unknown key", tests_of(alert_at("1m", "")) + "nosuch: 1\n"
    yield "rule_files: a text", "rule_files: x\ntests: []\n"
    yield "tests: a map", "tests: {a: b}\n"
    yield "rules missing", tests_of(alert_at("1m", DOWN), rules="nosuch_*.yaml")
    yield "deep", "tests: " + "[" * 100_000
    yield "start", tests_of(alert_at("1m", "")).replace("- interval: 1m", "- interval: 1m\n  start_timestamp: yesterday")


class RulesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="rules-test.")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        return path

    def ours(self, *arguments, timeout=60):
        return subprocess.run([PROGRAM, "rules", *arguments],
                              capture_output=True, text=True, timeout=timeout, check=False, cwd=self.folder)

    def test_unit_tests_get_promtools_verdict(self):
        self.assertGreaterEqual(len(UNIT_TESTS), 30)
        for name, (tests, rules) in UNIT_TESTS.items():
            with self.subTest(name):
                self.write("rules.yaml", rules)
                path = self.write("tests.yaml", tests)
                theirs = subprocess.run(["promtool", "test", "rules", path], capture_output=True, text=True, check=False)
                ours = self.ours("test", path)
                self.assertEqual(theirs.returncode, 1 if name.startswith("wrong") else 0, theirs.stdout + theirs.stderr)
                self.assertEqual(ours.returncode, theirs.returncode, f"{ours.stdout}{ours.stderr}\npromtool:\n{theirs.stdout}{theirs.stderr}")

    def test_failures_read_as_promtools(self):
        self.write("rules.yaml", RULES)
        for name in ("wrong: not expected", "wrong: label", "wrong: recorded"):
            path = self.write("tests.yaml", UNIT_TESTS[name][0])
            theirs = subprocess.run(["promtool", "test", "rules", path], capture_output=True, text=True, check=False)
            self.assertEqual(self.ours("test", path).stderr.split(), theirs.stderr.split(), name)

    def test_rule_files_get_promtools_verdict(self):
        for name, text in RULE_FILES.items():
            with self.subTest(name):
                path = self.write("rules.yaml", text)
                theirs = subprocess.run(["promtool", "check", "rules", path], capture_output=True, text=True, check=False)
                ours = self.ours("check", "--no-history", path)
                self.assertEqual(ours.returncode != 0, theirs.returncode != 0, f"{ours.stdout}{ours.stderr}\npromtool:\n{theirs.stdout}{theirs.stderr}")

    def test_hostile_files_are_refused_with_their_place(self):
        seen = 0
        for name, text in hostile_files():
            with self.subTest(name):
                seen += 1
                path = self.write("hostile.yaml", text)
                start = time.monotonic()
                ours = self.ours("check", "--no-history", path, timeout=20)
                self.assertLess(time.monotonic() - start, 10)
                self.assertEqual(ours.returncode, 1, ours.stdout + ours.stderr)
                self.assertRegex(ours.stderr, re.escape(path) + r":\d+:\d+: \S")
        self.assertGreaterEqual(seen, 100)

    def measured(self, *arguments, limit):
        """Runs `rules` with at most 1 GiB of memory. Returns status, standard error and the time that it took."""
        start = time.monotonic()
        done = subprocess.run(["prlimit", f"--data={1 << 30}", PROGRAM, "rules", *arguments], capture_output=True, timeout=limit, check=False,
                              cwd=self.folder)
        return done.returncode, done.stderr.decode(errors="replace"), time.monotonic() - start

    def test_hostile_unit_tests_end_in_bounded_time_and_memory(self):
        self.write("rules.yaml", RULES)
        seen = 0
        for name, text in hostile_unit_tests():
            with self.subTest(name):
                seen += 1
                status, err, took = self.measured("test", self.write("hostile.yaml", text), limit=60)
                self.assertEqual(status, 1, err)
                self.assertRegex(err, r"FAILED:\n *\S")
                self.assertLess(len(err), 20_000)
                self.assertLess(took, 20)
        self.assertGreaterEqual(seen, 25)

    def test_odd_inputs_of_every_command_get_an_error(self):
        rule = "groups:\n- name: g\n  rules:\n" + "  - {alert: A, expr: up == 0}\n" * 2
        inputs = {"empty": "", "huge": rule * 900_000, "binary": os.urandom(1 << 20), "zeros": b"\0" * (1 << 20), "text": "hello\n" * 1000}
        for name, content in inputs.items():
            path = self.write("odd.yaml", content)
            commands = [("check", "--no-history", path), ("check", path), ("test", path), ("replay", path), ("put", "n", path, "--dir", "config")]
            for command in commands:
                with self.subTest(f"{name} {command[0]}"):
                    status, err, took = self.measured(*command, limit=60)
                    self.assertLess(took, 20)
                    if name == "empty" and command[0] in ("check", "test", "put"):
                        continue  # a file without rules, and one without tests
                    self.assertNotEqual(status, 0)
                    self.assertLess(len(err), 200_000)
                    self.assertTrue(err.strip())
        self.assertGreater(os.path.getsize(self.write("huge.yaml", inputs["huge"])), 50 << 20)
        for path in ("missing.yaml", self.folder, "/dev/null/x"):
            for command in ("check", "test", "replay"):
                status, err, took = self.measured(command, path, limit=30)
                self.assertTrue(status != 0 or (path == self.folder and command == "check"), f"{command} {path}")
                self.assertLess(took, 20)

    def test_shipped_rules_pass_their_tests(self):
        packs = [os.path.join(SHIPPED, name) for name in sorted(os.listdir(SHIPPED)) if name.endswith(".yaml")]
        tests = [os.path.join(SHIPPED, "tests", name) for name in sorted(os.listdir(os.path.join(SHIPPED, "tests")))]
        self.assertTrue(len(packs) >= 2 and len(tests) >= 2)
        checked = self.ours("check", "--no-history", "--strict", *packs)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        ours = self.ours("test", *tests, timeout=120)
        self.assertEqual(ours.returncode, 0, ours.stdout + ours.stderr)
        notifications = subprocess.run([PROGRAM, "alert", "check", os.path.join(ROOT, "deploy/notifications.yaml")],
                                       capture_output=True, text=True, check=False)
        self.assertEqual(notifications.returncode, 0, notifications.stdout + notifications.stderr)
        # promtool knows nothing of agents, and reads the rules for hosts.
        theirs = subprocess.run(["promtool", "test", "rules", os.path.join(SHIPPED, "tests/hosts_test.yaml")],
                                capture_output=True, text=True, check=False)
        self.assertEqual(theirs.returncode, 0, theirs.stdout + theirs.stderr)


if __name__ == "__main__":
    unittest.main()
