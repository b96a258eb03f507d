"""Grafana's Prometheus data source against `monitor-analysis serve`: the calls that its server sends, and every query of the
dashboards in deploy/grafana."""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ROOT, run, wait_until  # noqa: E402
from web import PageTest  # noqa: E402

# As its server sends them with each query of a panel.
HEADERS = {"User-Agent": "Grafana/12.1.0", "Content-Type": "application/x-www-form-urlencoded", "X-Dashboard-Uid": "monitor-fleet",
           "X-Panel-Id": "3", "X-Datasource-Uid": "P1809F7CD0C75ACF3", "X-Grafana-Org-Id": "1", "X-Query-Group-Id": "0d5c"}


def selector(text):
    """Returns what Grafana puts in the place of its variables, for all agents."""
    return (text.replace("$__rate_interval", "1m").replace("$__interval", "15s").replace("$__range", "1h").replace("$agent", ".*"))


class GrafanaTest(PageTest):
    def setUp(self):
        super().setUp()
        server = self.start_server()
        self.agents = {}
        for name in ("agent-001", "agent-002"):
            self.configure(name, "--interval", "1")
            self.agents[name] = self.start_agent(name, server, "--simulate")
        self.serve()
        wait_until(lambda: len(self.instant("agent_state() == 1 and on (agent) system_cpu_utilization_ratio")) == 2, "the states of agents")
        self.now = time.time()

    def send(self, method, path, form=None, headers=None):
        body = urllib.parse.urlencode(form, doseq=True) if form is not None else None
        target = f"{path}?{body}" if method == "GET" and body else path
        request = urllib.request.Request(f"http://{self.page.address}{target}", method=method, headers=headers or HEADERS,
                                         data=body.encode() if body is not None and method == "POST" else None)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                status, kind, text = answer.status, answer.headers["Content-Type"], answer.read().decode()
        except urllib.error.HTTPError as error:
            status, kind, text = error.code, error.headers["Content-Type"], error.read().decode()
        return status, json.loads(text) if kind.startswith("application/json") else text

    def answer(self, method, path, form=None):
        status, answer = self.send(method, path, form)
        self.assertEqual((status, answer["status"]), (200, "success"), (path, form, answer))
        return answer["data"]

    def instant(self, expression):
        status, answer = self.send("POST", "/api/v1/query", {"query": expression, "time": f"{time.time():.3f}"})
        return answer["data"]["result"] if status == 200 else []

    def over(self, expression, step="15"):
        return self.answer("POST", "/api/v1/query_range", {"query": expression, "start": f"{self.now - 600:.3f}", "end": f"{self.now:.3f}",
                                                         "step": step})

    def test_saves_and_tests_the_data_source(self):
        health = self.answer("POST", "/api/v1/query", {"query": "1+1", "time": f"{time.time():.3f}"})
        self.assertEqual((health["resultType"], health["result"][1]), ("scalar", "2"))
        built = self.answer("GET", "/api/v1/status/buildinfo")
        self.assertRegex(built["version"], r"^3\.\d+\.\d+$")
        self.assertNotIn("features", built)  # otherwise Grafana would take it for Mimir
        self.assertEqual(self.send("GET", "/-/healthy")[0], 200)
        self.assertEqual(self.send("GET", "/-/ready")[0], 200)
        self.assertEqual(self.answer("GET", "/api/v1/rules"), {"groups": []})
        self.assertEqual(self.answer("GET", "/api/v1/alerts"), {"alerts": []})

    def test_fills_the_query_builder(self):
        span = {"start": str(int(self.now - 3600)), "end": str(int(self.now) + 1)}
        names = self.answer("GET", "/api/v1/label/__name__/values", {**span, "limit": "40000"})
        for name in ("system.cpu.utilization", "system_cpu_utilization_ratio"):
            self.assertIn(name, names)
        self.assertEqual(names, sorted(names))
        found = self.answer("GET", "/api/v1/label/__name__/values", {**span, "match[]": '{__name__=~".*cpu_util.*"}'})
        self.assertEqual(found, ["system_cpu_utilization_ratio"])
        labels = self.answer("POST", "/api/v1/labels", {**span, "match[]": "system_cpu_utilization_ratio"})
        self.assertLessEqual({"__name__", "agent", "host"}, set(labels))
        self.assertEqual(self.answer("GET", "/api/v1/label/agent/values", {**span, "match[]": 'system_cpu_utilization_ratio{agent!="agent-002"}'}),
                         ["agent-001"])
        # A name with dots is escaped in the path.
        self.assertEqual(self.answer("GET", "/api/v1/label/U__disk_2e_io_2e_direction/values", span), ["read", "write"])
        self.assertEqual(self.answer("GET", "/api/v1/label/disk_io_direction/values", span), ["read", "write"])
        series = self.answer("POST", "/api/v1/series", {**span, "match[]": ["system_cpu_utilization_ratio", '{"system.cpu.utilization"}']})
        self.assertEqual({(one["__name__"], one["agent"]) for one in series},
                         {(name, agent) for name in ("system_cpu_utilization_ratio", "system.cpu.utilization") for agent in ("agent-001", "agent-002")})
        metadata = self.answer("GET", "/api/v1/metadata", {"limit": "5000"})
        self.assertEqual(metadata["system_cpu_utilization_ratio"][0]["type"], "gauge")
        self.assertTrue(all(one[0]["help"] for one in metadata.values()))
        limited = self.send("GET", "/api/v1/label/__name__/values", {**span, "limit": "2"})[1]
        self.assertEqual((len(limited["data"]), limited["warnings"]), (2, ["results truncated due to limit"]))
        future = str(int(self.now) + 86400)
        self.assertEqual(self.answer("GET", "/api/v1/labels", {"start": future, "end": future}), [])

    def test_prometheus_own_client(self):
        source = os.path.join(ROOT, "tests", "e2e", "prometheus_client")
        folder = os.path.join(ROOT, "build", "prometheus_client")
        os.makedirs(folder, exist_ok=True)
        for name in ("package.json", "package-lock.json", "client.cjs"):
            shutil.copy(os.path.join(source, name), folder)
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder, check=True, capture_output=True)
        for method in ("GET", "POST"):
            done = subprocess.run(["node", "client.cjs", f"http://{self.page.address}", method, "system_cpu_utilization_ratio"], cwd=folder, check=True,
                                  capture_output=True, text=True, timeout=60)
            got = json.loads(done.stdout)
            self.assertEqual(got["errors"], [])
            self.assertIn("system_cpu_utilization_ratio", got["names"])
            self.assertLessEqual({"agent", "host"}, set(got["labels"]))
            self.assertEqual(got["values"], ["agent-001", "agent-002"])
            self.assertEqual({one["agent"] for one in got["series"]}, {"agent-001", "agent-002"})
            self.assertEqual(got["metadata"]["system_cpu_utilization_ratio"][0]["type"], "gauge")
            self.assertEqual(got["flags"]["query.lookback-delta"], "5m")
            self.assertEqual(len(got["wrong"]), 1)
            self.assertIn("match[]", got["wrong"][0])

    def test_draws_panels(self):
        found = self.over("system_cpu_utilization_ratio")
        self.assertEqual(found["resultType"], "matrix")
        self.assertEqual([one["metric"]["agent"] for one in found["result"]], ["agent-001", "agent-002"])
        for one in found["result"]:
            self.assertEqual(one["metric"]["__name__"], "system_cpu_utilization_ratio")
            for moment, value in one["values"]:
                self.assertIsInstance(value, str)
                self.assertTrue(0 <= float(value) <= 1, value)
        # The values are those of the history.
        at = float(found["result"][0]["values"][-1][0])
        times, values = self.range("agent-001")
        last = [value for moment, value in zip(times, values) if moment <= at][-1]
        self.assertEqual(float(found["result"][0]["values"][-1][1]), last)
        self.assertEqual(self.answer("POST", "/api/v1/query_exemplars", {"query": "up", "start": "1", "end": "2"}), [])
        status, wrong = self.send("POST", "/api/v1/query_range", {"query": "sum(", "start": "1", "end": "2", "step": "1"})
        self.assertEqual((status, wrong["status"], wrong["errorType"]), (400, "error", "bad_data"))
        self.assertRegex(wrong["error"], r'^invalid parameter "query": 1:5: parse error: ')

    def test_every_query_of_the_dashboard_has_values(self):
        with open(os.path.join(ROOT, "deploy", "grafana", "fleet.json"), encoding="utf-8") as file:
            dashboard = json.load(file)
        asked = [(panel["title"], target["expr"]) for panel in dashboard["panels"] for target in panel["targets"]]
        self.assertGreaterEqual(len(asked), 12)
        for title, expression in asked:
            plain = selector(expression)
            self.assertNotIn("$", plain)
            wait_until(lambda plain=plain: self.instant(plain), f"a value of {title}: {plain}", 90)
            self.now = time.time()
            self.assertTrue(self.over(plain)["result"], title)
            for one in self.instant(plain):
                self.assertFalse({"cpu_logical_number", "system_device", "network_interface_name"} & set(one["metric"]), plain)
        for variable in dashboard["templating"]["list"][1:]:
            metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"]).groups()
            self.assertEqual(self.answer("GET", f"/api/v1/label/{label}/values", {"match[]": metric}), ["agent-001", "agent-002"])

    def test_dashboards_are_well_formed(self):
        files = glob.glob(os.path.join(ROOT, "deploy", "grafana", "*.json"))
        self.assertEqual(len(files), 2)
        uids = set()
        for path in files:
            with open(path, encoding="utf-8") as file:
                dashboard = json.load(file)
            uids.add(dashboard["uid"])
            self.assertEqual(len({panel["id"] for panel in dashboard["panels"]}), len(dashboard["panels"]))
            taken = set()
            for panel in dashboard["panels"]:
                grid = panel["gridPos"]
                cells = {(x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])}
                self.assertFalse(cells & taken, panel["title"])
                self.assertLessEqual(grid["x"] + grid["w"], 24)
                taken |= cells
        self.assertEqual(len(uids), 2)

    def test_knows_the_past_of_states(self):
        self.assertEqual({one["metric"]["state"]: one["value"][1] for one in self.instant('agent_state("agent-001")')},
                         {"alive": "1", "late": "0", "spooling": "0", "silent": "0", "stopped": "0", "unknown": "0", "gone": "0"})
        self.assertEqual(self.instant('config_revision("nosuch")'), [])
        self.assertEqual(self.instant('gap_seconds("agent-001")')[0]["value"][1], "0")
        self.agents["agent-002"].stop()
        wait_until(lambda: self.instant('agent_state("agent-002") == 1')[0]["metric"]["state"] == "stopped", "the stop to be known", 60)
        self.now = time.time()
        past = {one["metric"]["state"]: [float(value) for _, value in one["values"]] for one in self.over('agent_state("agent-002")', "1")["result"]}
        self.assertEqual((past["alive"][0], past["alive"][-1]), (1, 0))
        self.assertEqual((past["stopped"][0], past["stopped"][-1]), (0, 1))
        self.assertTrue(all(sum(states) == 1 for states in zip(*past.values())))
        # The program reads the same past, also when no server runs.
        self.page.stop()
        status, out, err = run("monitor-analysis", "query", "--data", self.data, "--format", "csv", 'agent_state("agent-002") == 1')
        self.assertEqual(status, 0, err)
        self.assertIn('state=""stopped""', out)
        os.unlink(f"{self.data}/history.db-agents")
        status, _, err = run("monitor-analysis", "query", "--data", self.data, "agent_state()")
        self.assertEqual(status, 64)
        self.assertIn("agent_state() is not available here", err)


if __name__ == "__main__":
    unittest.main()
