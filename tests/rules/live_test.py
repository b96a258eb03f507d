#!/usr/bin/env python3
"""`monitor-analysis rules` on recorded data: the examples of docs/alerts.md print what the page shows; the history and the
log give the same answers, on SQLite and on Kafka; logs that are empty, missing or damaged get a clear error."""
import json
import os
import re
import sys
import time
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ROOT, ProgramTest, run, wait_until  # noqa: E402
from services import addresses  # noqa: E402

ALWAYS = """groups:
- name: always
  interval: 5s
  rules:
  - {alert: Always, expr: system_memory_utilization_ratio >= 0, for: 10s}
  - {alert: Never, expr: system_memory_utilization_ratio > 0.99999}
  - {record: 'agent:memory:max', expr: max by (agent) (system_memory_utilization_ratio)}
"""
STATES = """groups:
- name: states
  interval: 10s
  rules:
  - {alert: Alive, expr: 'agent_state(".*", "alive") == 1'}
"""


def pattern_of(text):
    """A regular expression for an example's output: "..." stands for any text, and empty lines do not count."""
    lines = [re.escape(line).replace(r"\.\.\.", ".*") for line in text.splitlines() if line.strip()]
    return "\n".join(lines)


class Examples:
    """The blocks of docs/alerts.md: files, by the name in their first line, and commands with their output."""

    def __init__(self):
        with open(os.path.join(ROOT, "docs/alerts.md"), encoding="utf-8") as page:
            text = page.read()
        self.files, self.commands = {}, []
        for kind, block in re.findall(r"(?ms)^```(\w+)\n(.*?)^```", text):
            if kind == "yaml":
                self.files[re.match(r"# (\S+)\n", block).group(1)] = block
            elif kind == "console":
                for one in re.split(r"(?m)^\$ ", block)[1:]:
                    command, _, output = one.partition("\n")
                    self.commands.append((command, output))


class RulesOnRecordedData(ProgramTest):
    def write(self, name, text):
        path = os.path.join(self.data, name)
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        return path

    def rules(self, *arguments, limit=60):
        return run("monitor-analysis", "rules", *arguments, cwd=self.data, limit=limit, env={"MONITOR_ANALYSIS_DATA": self.data})

    def check_data(self, log, address):
        """The same answers from a log as a history gives."""
        rules = self.write("always.yaml", ALWAYS)
        status, out, err = self.rules("check", "--strict", *log, rules)
        self.assertEqual(status, 0, out + err)
        wrong = self.write("wrong_name.yaml", ALWAYS.replace("_memory_", "_memroy_"))
        status, out, err = self.rules("check", "--strict", *log, wrong)
        self.assertEqual(status, 1, out + err)
        self.assertRegex(out, r"wrong_name\.yaml:5:27: Always: nobody has the metric system_memroy_utilization_ratio in the last 1h; "
                              r"did you mean system_memory_utilization_ratio\?")
        status, out, err = self.rules("replay", "--from", "-5m", "--format", "json", *log, rules)
        self.assertEqual(status, 0, out + err)
        changes = json.loads(out)
        self.assertEqual({one["labels"]["alertname"] for one in changes}, {"Always"})
        self.assertEqual([one["state"] for one in changes[:2]], ["pending", "firing"])
        status, out, err = self.rules("replay", "--from", "-5m", *log, self.write("states.yaml", STATES))
        self.assertEqual(status, 0, out + err)
        self.assertRegex(out, r"firing .*alertname=\"Alive\"", "what is known of agents")
        tests = "rule_files: [always.yaml]\nevaluation_interval: 5s\ntests:\n- samples: log:%s -%ds..-1s\n  promql_expr_test:\n" \
                "  - {expr: 'count(count_over_time(system_memory_utilization_ratio[5m])) > 0', eval_time: 60s, exp_samples: [{labels: '{}', value: %d}]}\n"
        for wanted, expected in ((1, 0), (7, 1)):
            status, out, err = self.rules("test", self.write("recorded.yaml", tests % (address, 61, wanted)))
            self.assertEqual(status, expected, out + err)
        return changes


class SqliteRulesTest(RulesOnRecordedData):
    def test_examples_and_the_log_agree_with_the_history(self):
        up = self.start("monitor", "up", "--data", self.data, "--port", 0, "--http", "127.0.0.1:0", "--web", "127.0.0.1:0", "--interval", "1")
        up.says("web page: ")
        enough = 'count(count_over_time(system_disk_io_rate_bytes_per_second[1m]) > 20) > 1'

        def recorded():
            status, out, _ = run("monitor-analysis", "query", "--format", "csv", enough, env={"MONITOR_ANALYSIS_DATA": self.data})
            return status == 0 and len(out.splitlines()) > 1

        wait_until(recorded, "half a minute of recorded data", limit=90)
        examples = Examples()
        self.assertGreaterEqual(len(examples.commands), 9)
        for name, text in examples.files.items():
            self.write(name, text)
        for command, output in examples.commands:
            with self.subTest(command):
                program, *arguments = command.split()
                status, out, err = run(program, *arguments, cwd=self.data, env={"MONITOR_ANALYSIS_DATA": self.data})
                printed = "\n".join(line for line in (out + err).splitlines() if line.strip())
                self.assertRegex(printed, "^" + pattern_of(output))
                self.assertEqual(status, 1 if "FAILED" in output else 0, printed)
        from_history = self.check_data([], f"sqlite:{self.data}/log.db")
        from_log = self.check_data(["--log", f"sqlite:{self.data}/log.db"], f"sqlite:{self.data}/log.db")
        self.assertEqual([one["state"] for one in from_log[:2]], [one["state"] for one in from_history[:2]])
        # The packs find what this host does not collect, and nothing else.
        status, out, err = self.rules("check", f"{ROOT}/deploy/rules")
        self.assertEqual(status, 0, out + err)
        not_collected = (r"nobody has the metric (container_memory|hw_errors|system_(clock|md|memory_oom_kills|paging|pressure|filesystem|network_(errors|packet)))_"
                         r"|Cpu(IoWait|Stolen): no series of system_cpu_utilization_ratio has the label cpu_mode"
                         r"|(certificate_(life_)?seconds|late_fraction)\(\) has had no value")
        for line in out.splitlines():
            if "WARNING" in line:
                self.assertRegex(line, not_collected)

    def test_logs_that_are_missing_empty_or_damaged_get_a_clear_error(self):
        rules = self.write("always.yaml", ALWAYS)
        binary = self.write("binary.db", os.urandom(1 << 20))
        self.write("empty.db", "")
        for log in ("sqlite:missing.db", f"sqlite:{binary}", "sqlite:empty.db", "sqlite:/", "nosuch:x", "kafka:x"):
            for command in (["check", rules], ["replay", rules]):
                with self.subTest(f"{log} {command[0]}"):
                    start = time.monotonic()
                    status, out, err = self.rules(*command, "--log", log)
                    self.assertLess(time.monotonic() - start, 30)
                    self.assertNotEqual(status, 0, out + err)
                    self.assertRegex(err, r"monitor-analysis: \S")
        for spec in ("log:sqlite:missing.db -1h..-1m", "log:sqlite:binary.db -1h..-1m", "sqlite:x -1h..-1m", "log:sqlite:x", "log:sqlite:x -1m..-1h",
                     "log:sqlite:x yesterday..today", "log: ..", "log:nosuch:x -1h..-1m"):
            with self.subTest(spec):
                tests = f"rule_files: [always.yaml]\ntests:\n- samples: '{spec}'\n  alert_rule_test: [{{alertname: Always, eval_time: 1m}}]\n"
                status, out, err = self.rules("test", self.write("recorded.yaml", tests))
                self.assertEqual(status, 1, out + err)
                self.assertRegex(err, r"samples: \S")
        for time_text in ("yesterday", "earliest", "+7d", "", "-1"):
            self.assertEqual(self.rules("replay", rules, "--from", time_text)[0], 64, time_text)
        status, _, err = self.rules("replay", rules, "--history", "missing.db")
        self.assertNotEqual(status, 0)
        self.assertIn("missing.db", err)


class KafkaRulesTest(RulesOnRecordedData):
    def test_the_log_on_kafka(self):
        kafka, topic = addresses()["KAFKA"], "test-" + uuid.uuid4().hex[:12]
        log = ["--kafka", kafka, "--topic", topic]
        server = self.start("monitor-server", *log, "--partitions", 3, "--port", 0, "--http", "off", "--data", self.data)
        address = server.says(r"listening service=grpc address=(\S+)").group(1)
        for name in ("a", "b", "c", "d"):
            self.start("monitor-agent", "--agent-id", name, "--server", address, "--simulate", "--data", f"{self.data}/{name}", "--http", "off")
        reader = self.start("monitor-analysis", "get-metrics", *log, "--from", "earliest", "--agent", "d")
        reader.prints(r"^\d{4}-", count=6, limit=120)  # one each 5 s
        status, out, err = self.rules("replay", "--from", "-5m", "--format", "json", *log, self.write("always.yaml", ALWAYS))
        self.assertEqual(status, 0, out + err)
        firing = {one["labels"]["agent"] for one in json.loads(out) if one["state"] == "firing"}
        self.assertEqual(firing, {"a", "b", "c", "d"})
        tests = "rule_files: [always.yaml]\ntests:\n- samples: log:kafka:%s/%s -1m..-1s\n  promql_expr_test:\n" \
                "  - {expr: 'count(count by (agent) (count_over_time(system_memory_utilization_ratio[5m])))', eval_time: 1m," \
                " exp_samples: [{labels: '{}', value: 4}]}\n"
        status, out, err = self.rules("test", self.write("recorded.yaml", tests % (kafka, topic)))
        self.assertEqual(status, 0, out + err)
        status, out, err = self.rules("check", "--strict", *log, "always.yaml")
        self.assertEqual(status, 0, out + err)


if __name__ == "__main__":
    unittest.main()
