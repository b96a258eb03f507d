"""Rules that run: `monitor-analysis serve --rules` with a server, an agent whose value the test decides, a real etcd, and
kills."""
import json
import os
import sys
import threading
import time
import unittest
import urllib.parse
import urllib.request
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from etcd import Etcd  # noqa: E402
from foreign_agent import ForeignAgent, batch, number  # noqa: E402
from programs import ProgramTest, run, wait_until  # noqa: E402

BUSY = """
groups:
- name: hosts
  interval: 1s
  rules:
  - record: fleet:cpu:avg
    expr: avg(system_cpu_utilization_ratio)
  - alert: Busy
    expr: '{"system.cpu.utilization"} > 0.8'
    for: 2s
    labels: {severity: warning, host_of: '{{ $labels.host }}'}
    annotations: {summary: '{{ $labels.agent }} is at {{ $value | humanizePercentage }}'}
"""
SLOW = """
groups:
- name: slow
  interval: 1s
  rules:
  - alert: Slow
    expr: fleet:cpu:avg > 0.8
    for: 1h
"""


class Host:
    """An agent that sends ten ticks a second, with the value that the test sets."""

    def __init__(self, address, name):
        self.name, self.value, self.sending = name, 0.1, True
        self.incarnation = uuid.uuid4().bytes
        self.stream = ForeignAgent(address, name, self.incarnation, host=name)
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        sequence = 0
        while not self.ended.wait(0.1):
            if not self.sending:
                continue
            sequence += 1
            self.stream.publish(batch(self.name, self.incarnation, sequence, time.time_ns(), number(16, 10**8), host=self.name,
                                      value=self.value))

    def close(self):
        self.ended.set()
        self.thread.join()
        self.stream.close()


class RulesTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.server = self.start_server()
        self.hosts = []

    def tearDown(self):
        for host in self.hosts:
            host.close()
        super().tearDown()

    def host(self, name="web-1"):
        host = Host(self.server.address, name)
        self.hosts.append(host)
        return host

    def write(self, text, name="rules.yml"):
        path = os.path.join(self.data, name)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(path + ".new", path)
        return path

    def serve(self, *arguments, data=None):
        data = data or self.data
        page = self.start("monitor-analysis", "serve", "--log", f"sqlite:{self.data}/log.db", "--data", data, "--http", "127.0.0.1:0",
                          *arguments)
        page.url = "http://" + page.says(r"listening service=web address=(\S+)").group(1)
        return page

    def get(self, page, path, **parameters):
        url = f"{page.url}{path}?" + urllib.parse.urlencode(parameters, doseq=True)
        with urllib.request.urlopen(url, timeout=20) as answer:
            text = answer.read().decode()
        return json.loads(text)["data"] if path.startswith("/api/v1") else text

    def alerts(self, page):
        return {one["labels"]["alertname"]: one for one in self.get(page, "/api/v1/alerts")["alerts"]}

    def state(self, page, alert):
        return self.alerts(page).get(alert, {"state": "inactive"})["state"]

    def becomes(self, page, alert, state):
        wait_until(lambda: self.state(page, alert) == state, f"{alert} to be {state}")

    def rules(self, page, **filters):
        return {rule["name"]: rule for group in self.get(page, "/api/v1/rules", **filters)["groups"] for rule in group["rules"]}

    def metric(self, page, name):
        for line in self.get(page, "/metrics").splitlines():
            if line.startswith(name + " "):
                return float(line.split()[-1])
        return None

    def vector(self, page, query):
        return self.get(page, "/api/v1/query", query=query)["result"]


class Files(RulesTest):
    def test_an_alert_fires_and_resolves_as_the_data_comes(self):
        page = self.serve("--rules", self.write(BUSY), "--dir", f"{self.data}/monitor")
        host = self.host()
        wait_until(lambda: self.vector(page, "fleet:cpu:avg"), "the recorded series")
        self.assertEqual(self.state(page, "Busy"), "inactive")
        host.value = 0.9
        self.becomes(page, "Busy", "pending")
        self.becomes(page, "Busy", "firing")
        alert = self.alerts(page)["Busy"]
        self.assertEqual(alert["labels"], {"alertname": "Busy", "agent": "web-1", "host": "web-1", "severity": "warning", "host_of": "web-1"})
        self.assertEqual(alert["annotations"], {"summary": "web-1 is at 90%"})
        wait_until(lambda: self.vector(page, 'ALERTS{alertstate="firing",alertname="Busy"}'), "ALERTS to be visible to queries")
        self.assertTrue(self.vector(page, "ALERTS_FOR_STATE"))
        now = time.time()
        matrix = self.get(page, "/api/v1/query_range", query='ALERTS{alertname="Busy"}', start=now - 30, end=now, step=1)["result"]
        self.assertEqual({one["metric"]["alertstate"] for one in matrix}, {"pending", "firing"})
        self.assertIn("ALERTS", self.get(page, "/api/v1/label/__name__/values"))
        status, out, err = run("monitor-analysis", "query", "fleet:cpu:avg", "--format", "csv", "--data", self.data)
        self.assertEqual(status, 0, err)
        self.assertIn("0.9", out)
        host.value = 0.1
        self.becomes(page, "Busy", "inactive")
        wait_until(lambda: not self.vector(page, "ALERTS"), "the end of ALERTS")
        self.assertEqual(self.metric(page, 'monitor_rules_alerts{state="firing"}'), 0)
        self.assertEqual(self.metric(page, "monitor_rules_failures_total"), 0)
        self.assertGreater(self.metric(page, "monitor_rules_evaluations_total"), 3)
        self.assertEqual(set(self.rules(page, type="alert")), {"Busy"})
        self.assertEqual(set(self.rules(page, **{"rule_name[]": ["fleet:cpu:avg"]})), {"fleet:cpu:avg"})
        self.assertEqual(self.rules(page, **{"file[]": ["elsewhere"]}), {})

    def test_a_bad_reload_keeps_the_rules(self):
        path = self.write(BUSY)
        page = self.serve("--rules", path, "--dir", f"{self.data}/monitor")
        host = self.host()
        host.value = 0.9
        self.becomes(page, "Busy", "firing")
        self.write(BUSY.replace("> 0.8'", ">'"))
        page.says(r"a rule file is not valid; its previous version stays in force .*rules\.yml:9:")
        rule = self.rules(page)["Busy"]
        self.assertEqual((rule["health"], rule["state"]), ("err", "firing"))
        self.assertIn("rules.yml:9:", rule["lastError"])
        self.assertEqual(self.metric(page, 'monitor_rules_files{state="refused"}'), 1)
        self.assertEqual(self.metric(page, "monitor_rules_reload_failures_total"), 1)
        before = rule["lastEvaluation"]
        wait_until(lambda: self.rules(page)["Busy"]["lastEvaluation"] > before, "another evaluation of the previous rules")
        self.write(BUSY.replace("Busy", "VeryBusy"))
        self.becomes(page, "VeryBusy", "firing")
        self.assertEqual(self.state(page, "Busy"), "inactive")
        self.assertEqual(self.rules(page)["VeryBusy"]["health"], "ok")
        self.assertEqual(self.metric(page, 'monitor_rules_files{state="refused"}'), 0)

    def test_rules_in_the_folder_of_the_configuration(self):
        """`monitor up` and `rules put`, which find one another by the data folder."""
        data = f"{self.data}/up"
        up = self.start("monitor", "up", "--data", data, "--port", 0, "--http", "off", "--web", "127.0.0.1:0", "--simulate", "--interval", "1")
        up.url = up.says(r"web page: (http://\S+?)/?(?:\s|$)").group(1)

        def rules(*arguments, status=0):
            got, out, err = run("monitor-analysis", "rules", *arguments, "--dir", f"{data}/monitor")
            self.assertEqual(got, status, out + err)
            return out + err

        always = "groups: [{name: g, interval: 1s, rules: [{alert: Always, expr: vector(1)}]}]\n"
        rules("put", "a", self.write(always))
        self.becomes(up, "Always", "firing")
        group, = self.get(up, "/api/v1/rules")["groups"]
        self.assertTrue(group["file"].endswith("rules/a.yaml"), group["file"])
        metrics = self.get(up, "/metrics")
        self.assertRegex(metrics, r'monitor_rules_group_delay_seconds\{rule_group="\S*rules/a\.yaml;g"\} [0-9.]+\n')
        self.assertRegex(metrics, r'monitor_rules_group_rules\{rule_group="\S*rules/a\.yaml;g"\} 1\n')
        self.assertIn("1:", rules("put", "a", self.write("groups: 3\n", "wrong.yml"), status=1), "the fault has its place")
        # Whoever writes the file by hand gets the fault where rules are looked at.
        with open(f"{data}/monitor/rules/a.yaml", "w", encoding="utf-8") as file:
            file.write("groups: 3\n")
        wait_until(lambda: "groups" in self.rules(up)["Always"].get("lastError", ""), "the fault to be shown")
        self.assertEqual(self.state(up, "Always"), "firing", "the previous version stays in force")
        rules("put", "a", self.write(always.replace("Always", "Other")))
        self.becomes(up, "Other", "firing")
        self.assertNotIn("Always", self.rules(up))
        rules("rm", "a")
        wait_until(lambda: self.get(up, "/api/v1/rules")["groups"] == [], "no rules")
        self.assertEqual(self.alerts(up), {})
        self.assertNotIn("rule_group", self.get(up, "/metrics"))

    def test_a_kill_keeps_what_is_pending_and_firing(self):
        os.mkdir(os.path.join(self.data, "more"))
        self.write(SLOW, "more/slow.yaml")
        arguments = ("--rules", self.write(BUSY), "--rules", f"{self.data}/more", "--dir", f"{self.data}/monitor")
        page = self.serve(*arguments)
        host = self.host()
        host.value = 0.9
        self.becomes(page, "Busy", "firing")
        self.becomes(page, "Slow", "pending")
        before = self.alerts(page)
        page.kill()
        page = self.serve(*arguments)
        at_once = self.alerts(page)
        self.assertEqual(at_once["Busy"]["state"], "firing")
        self.assertEqual(at_once["Busy"]["activeAt"], before["Busy"]["activeAt"])
        evaluated = self.rules(page)["Slow"]["lastEvaluation"]
        wait_until(lambda: self.rules(page)["Slow"]["lastEvaluation"] > evaluated, "an evaluation after the kill")
        after = self.alerts(page)
        self.assertEqual({name: (one["state"], one["activeAt"]) for name, one in after.items()},
                         {name: (one["state"], one["activeAt"]) for name, one in before.items()})

    def test_an_agent_that_is_cut_off_holds_up_only_for_a_while_and_resolves_nothing(self):
        page = self.serve("--rules", self.write(BUSY), "--dir", f"{self.data}/monitor")
        cut_off, other = self.host("web-1"), self.host("web-2")
        cut_off.value = 0.9
        self.becomes(page, "Busy", "firing")
        cut_off.sending = False
        other.value = 0.9
        # Time goes on when web-1 is no longer waited for.
        wait_until(lambda: len(self.get(page, "/api/v1/alerts")["alerts"]) == 2, "the alert of the other agent", limit=60)
        self.assertEqual({(one["labels"]["agent"], one["state"]) for one in self.get(page, "/api/v1/alerts")["alerts"]} & {("web-1", "firing")},
                         {("web-1", "firing")})

    def test_refuses_a_file_with_faults_at_the_start(self):
        path = self.write("groups:\n- name: g\n  rules:\n  - alert: A\n    expr: 'rate(x)'\n")
        status, _, err = run("monitor-analysis", "serve", "--log", f"sqlite:{self.data}/log.db", "--data", self.data, "--http", "127.0.0.1:0",
                             "--dir", f"{self.data}/monitor", "--rules", path)
        self.assertEqual(status, 64, err)
        self.assertIn("rules.yml:5:", err)


class InEtcd(RulesTest):
    def setUp(self):
        super().setUp()
        self.etcd = Etcd()
        self.addCleanup(self.etcd.close)

    def serve(self, *arguments, data=None):
        return super().serve("--etcd", self.etcd.address, *arguments, data=data)

    def test_rules_from_etcd_come_live_and_one_of_two_instances_notifies(self):
        pages = [self.serve(data=os.path.join(self.data, name)) for name in ("a", "b")]
        host = self.host()
        host.value = 0.9
        self.etcd.put("/monitor/rules/hosts", BUSY)
        for page in pages:
            self.becomes(page, "Busy", "firing")
            self.assertEqual([group["file"] for group in self.get(page, "/api/v1/rules")["groups"]], ["etcd:/monitor/rules/hosts"])
        wait_until(lambda: sorted(self.metric(page, "monitor_rules_notifies") for page in pages) == [0, 1], "one instance to notify")
        first = next(page for page in pages if self.metric(page, "monitor_rules_notifies") == 1)
        second = next(page for page in pages if page is not first)
        self.etcd.put("/monitor/rules/hosts", BUSY.replace("Busy", "'"))
        wait_until(lambda: self.rules(second)["Busy"]["health"] == "err", "the error of the bad version")
        self.assertIn("etcd:/monitor/rules/hosts:", self.rules(second)["Busy"]["lastError"])
        self.assertEqual(self.state(second, "Busy"), "firing")
        first.kill()
        wait_until(lambda: self.metric(second, "monitor_rules_notifies") == 1, "the other instance to notify")
        self.etcd.ctl("del", "/monitor/rules/hosts")
        wait_until(lambda: not self.get(second, "/api/v1/rules")["groups"], "the rules to be removed")


if __name__ == "__main__":
    unittest.main()
