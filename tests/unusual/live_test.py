#!/usr/bin/env python3
"""Where scores show, over a history of two days: `monitor-analysis query` and `rules`, the page's API and that of
Prometheus, a rule that runs, and the recorded share of each agent."""
import json
import os
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import BIN, ProgramTest, run, wait_until  # noqa: E402
from terminal import Terminal  # noqa: E402

WRITER = os.path.join(os.path.dirname(BIN), "tests", "unusual_history")
RULES = """groups:
- name: unusual
  interval: 5s
  rules:
  - alert: Unusual
    expr: label_replace(unusual({agent=~"web.*"}) >= 0.08, "metric", "$1", "__name__", "(.+)")
    labels: {severity: info}
  - {alert: Never, expr: 'unusual({"system.memory.usage"}) > 1'}
"""
UNUSUAL = {"system.memory.usage", "system.network.errors"}


class LiveTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.end = int(time.time())
        subprocess.run([WRITER, f"{self.data}/history.db", str(self.end)], check=True)
        self.terminal = Terminal(self.data)

    def tearDown(self):
        self.terminal.end()  # before its folder is removed
        super().tearDown()

    def analysis(self, *arguments):
        return run("monitor-analysis", "--data", self.data, *arguments)

    def query(self, *arguments):
        status, out, err = self.analysis("query", "--format", "json", *arguments)
        self.assertEqual(status, 0, err)
        return json.loads(out)["data"]["result"] if "data" in json.loads(out) else json.loads(out)["result"]

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=30) as reply:
            return json.load(reply)

    def test_query_and_rules(self):
        found = self.query("--at", time.strftime("%Y-%m-%dT%H:%M:00Z", time.gmtime(self.end)), 'unusual({agent="web-1"}) >= 0.08')
        self.assertEqual({one["metric"]["__name__"] for one in found}, UNUSUAL)
        # The level was 1,000,000 to 1,006,000, so 1 % counts as its range.
        memory = [one for one in found if one["metric"]["__name__"] == "system.memory.usage"]
        minute = self.end // 60 - 1
        value = 1_000_000 + 1000 * (minute % 7) + 60_000
        self.assertAlmostEqual(float(memory[0]["value"][1]), (value - 1_006_000) / (value - 1_006_000 + 10_060), 12)
        self.assertEqual(self.query('unusual({agent="new"})'), [])
        status, _, err = self.analysis("query", "1 + unusual(avg(up))")
        self.assertEqual(status, 64)
        self.assertIn("1:13: argument 1 of unusual() must be a selector of series", err)
        path = f"{self.data}/rules.yml"
        with open(path, "w", encoding="utf-8") as file:
            file.write(RULES)
        status, out, err = self.analysis("rules", "check", path)
        self.assertIn("Never: the comparison with 1 is never true: unusual() is a share, from 0 to 1", out + err)
        self.assertNotIn("Unusual:", out + err)
        status, out, err = self.analysis("rules", "replay", "--from", "-30m", "--alert", "Unusual", "--format", "json", path)
        self.assertEqual(status, 0, err)
        firing = [one for one in json.loads(out) if one["state"] == "firing"]
        self.assertEqual({(one["labels"]["agent"], one["labels"]["metric"]) for one in firing}, {("web-1", name) for name in UNUSUAL})

    def test_page_and_running_rules(self):
        with open(f"{self.data}/rules.yml", "w", encoding="utf-8") as file:
            file.write(RULES)
        server = self.start_server()
        page = self.start("monitor-analysis", "serve", "--log", f"sqlite:{self.data}/log.db", "--data", self.data, "--http",
                          "127.0.0.1:0", "--dir", f"{self.data}/monitor", "--rules", f"{self.data}/rules.yml")
        self.url = page.says(r"web page url=(\S+)/").group(1)
        wait_until(lambda: self.get("/api/ui/v1/agents/web-2")["unusual"], 30)
        share = self.get("/api/ui/v1/agents/web-1")["unusual"]
        self.assertEqual(share, {"series": 4, "unusual": 2, "share": 0.5})
        agent = self.get("/api/ui/v1/agents/web-1")
        self.assertEqual([one["metric"] for one in agent["unusual_series"]], ["system.network.errors", "system.memory.usage"])
        self.assertEqual(agent["unusual_series"][0]["score"], 1)
        fleet = {one["agent"]: one["unusual"] for one in self.get("/api/ui/v1/fleet")["agents"]}
        self.assertEqual(fleet, {"web-1": share, "web-2": {"series": 4, "unusual": 0, "share": 0}, "new": None})
        self.assertEqual(self.get("/api/ui/v1/agents/new")["unusual_series"], [])
        expression = urllib.parse.quote('sum by (agent) (unusual() >= bool 0.08)')
        values = {one["metric"]["agent"]: one["value"][1] for one in self.get(f"/api/v1/query?query={expression}")["data"]["result"]}
        self.assertEqual(values, {"web-1": "2", "web-2": "0"})
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.get("/api/v1/query?query=unusual(1)")
        self.assertEqual(refused.exception.code, 400)
        self.assertIn("argument 1 of unusual() must be an instant vector", refused.exception.read().decode())
        # An agent that delivers moves the time of rules, and is in the log. None of its series has a day of data.
        self.start_agent("web-1", server, "--simulate")
        alerts = wait_until(lambda: self.get("/api/v1/alerts")["data"]["alerts"], 60)
        self.assertEqual({(one["labels"]["alertname"], one["labels"]["agent"], one["labels"]["metric"]) for one in alerts},
                         {("Unusual", "web-1", name) for name in UNUSUAL})
        # The share is recorded with the other facts about agents.
        wait_until(lambda: self.analysis("query", "--format", "csv", 'unusual_fraction("web-1")')[1].endswith(",0.5\n"), 60)
        recorded = self.query("unusual_fraction()")
        self.assertEqual({one["metric"]["agent"]: one["value"][1] for one in recorded}, {"web-1": "0.5", "web-2": "0"})
        self.terminal.start(f"{BIN}/monitor-analysis top --log sqlite:{self.data}/log.db --data {self.data}", columns=160)
        self.terminal.shows(r"UNUSUAL %[^$]*\nalive +web-1 [^\n]* 50\.0 ")


if __name__ == "__main__":
    unittest.main()
