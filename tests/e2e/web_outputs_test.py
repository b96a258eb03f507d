"""Other clients of the page's server: Prometheus, and the API under load."""
import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import unittest
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ROOT, free_port, run, wait_until  # noqa: E402
from web import PageTest  # noqa: E402


class OutputsTest(PageTest):
    def test_prometheus_scrapes_the_latest_values(self):
        server = self.start_server()
        self.configure("agent-001", "set", "--interval", "1", "--metrics", '{"name": "cpu", "per_core": true}', "memory",
                       '{"name": "disk read", "counters": true}', "disk write", '{"name": "net in", "per_interface": true}', "net out", "load", "uptime")
        self.start_agent("agent-001", server, "--simulate")
        page = self.serve()
        text = wait_until(lambda: (lambda t: t if "network_io_rate" in t else "")(self.get("/api/v1/prometheus")), "values")
        for name in ("system_cpu_utilization_ratio{agent=\"agent-001\"", "system_memory_usage_bytes{", "system_disk_io_bytes_total{", "system_uptime_seconds{"):
            self.assertIn(name, text)
        for path in ("/api/v1/prometheus", "/metrics"):
            checked = subprocess.run(["promtool", "check", "metrics"], input=self.get(path), capture_output=True, text=True, check=False)
            self.assertEqual(checked.returncode, 0, path + checked.stdout + checked.stderr)
        port = free_port()
        # Uses the documentation's configuration with this test's address.
        with open(os.path.join(ROOT, "deploy", "grafana", "README.md"), encoding="utf-8") as readme:
            scrape = readme.read().split("```yaml\n")[1].split("```")[0].replace("127.0.0.1:8080", page.address)
        with open(f"{self.data}/prometheus.yml", "w", encoding="ascii") as file:
            file.write("global: {scrape_interval: 1s}\n" + scrape)
        self.start("prometheus", f"--config.file={self.data}/prometheus.yml", f"--storage.tsdb.path={self.data}/tsdb", f"--web.listen-address=127.0.0.1:{port}")

        def ask(path, **query):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/{path}?{urllib.parse.urlencode(query)}", timeout=20) as answer:
                    return json.load(answer)["data"]
            except OSError:
                return None

        def scraped(expression):
            found = ask("query", query=expression)
            return found and found["result"]

        # Prometheus has the agent's values.
        found = wait_until(lambda: scraped('system_cpu_utilization_ratio{cpu_logical_number=""}[1m]'), "Prometheus to scrape")
        self.assertEqual([one["metric"]["agent"] for one in found], ["agent-001"])
        self.assertEqual(ask("targets")["activeTargets"][0]["lastError"], "")
        said = {frame_value for batch in self.batches("agent-001") for frame in batch["frames"] for series, frame_value in frame["points"]
                if series["name"] == "system.cpu.utilization" and not series["labels"]}
        for _, value in found[0]["values"]:
            self.assertIn(float(value), said)
        # Every query of the dashboard returns a value for the host.
        with open(os.path.join(ROOT, "deploy", "grafana", "scraped.json"), encoding="utf-8") as file:
            dashboard = json.load(file)
        asked = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
        self.assertGreaterEqual(len(asked), 7)
        for expression in asked:
            plain = expression.replace("$__rate_interval", "10s").replace("$agent", ".*")
            self.assertNotIn("$", plain)
            found = wait_until(lambda plain=plain: scraped(plain), expression)
            self.assertLessEqual(len(found), 2, (expression, found))
            for one in found:
                self.assertFalse({"cpu_logical_number", "system_device", "network_interface_name"} & set(one["metric"]), expression)
        names = dashboard["templating"]["list"][1]["query"]["query"]
        self.assertRegex(names, r"^label_values\(\w+, agent\)$")
        self.assertEqual(set(ask("label/agent/values", **{"match[]": names[13:].split(",")[0]})), {"agent-001"})

    def test_serves_200_browsers_including_slow_ones(self):
        server = self.start_server()
        self.configure("agent-001", "set", "--interval", "0.1")
        self.start_agent("agent-001", server, "--simulate")
        page = self.serve()
        host, port = page.address.rsplit(":", 1)
        browsers = []
        for _ in range(200):
            s = socket.create_connection((host, int(port)), timeout=20)
            s.sendall(f"GET /api/v1/stream?topic=fleet&topic=agent:agent-001 HTTP/1.1\r\nHost: {page.address}\r\n\r\n".encode())
            browsers.append(s)
        wait_until(lambda: self.own("monitor_web_streams") == 200, "200 streams")
        # Half of the clients never read; the others receive all events.
        failed = []

        def follow(s):
            got = b""
            try:
                while got.count(b"event: tick") < 5:
                    part = s.recv(65536)
                    if not part:
                        raise OSError("closed")
                    got += part
            except OSError as error:
                failed.append(str(error))

        threads = [threading.Thread(target=follow, args=(s,)) for s in browsers[100:]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        self.assertEqual(failed, [])
        self.assertIn("agent-001", self.get("/api/v1/fleet")["agents"][0]["agent"])
        self.assertLess(self.resident(), 200 << 20)
        for s in browsers:
            s.close()
        wait_until(lambda: self.own("monitor_web_streams") == 0, "the streams to end")

    def test_a_million_series_do_not_affect_other_agents(self):
        server = self.start_server("--retention", "7d")
        self.configure("good", "--interval", "1")
        agent = self.start_agent("good", server, "--simulate")
        page = self.serve()
        batch = wait_until(lambda: self.get("/api/v1/messages?limit=1")["messages"], "a message")[0]["batch"]
        frame = batch["frames"][-1]
        with sqlite3.connect(f"{self.data}/log.db", timeout=30) as log:
            for number in range(1000):
                metrics = [{"name": f"odd.{number}.{i}", "labels": {}, "unit": "1", "value": i} for i in range(1000)]
                made = {**batch, "agent": f"many-{number % 50}", "sequence": number + 1, "first_unacked": number + 1, "frames": [{**frame, "metrics": metrics}]}
                log.execute("INSERT INTO records(time_ns, key, headers, value) VALUES(?, ?, ?, ?)",
                            (time.time_ns(), made["agent"], '{"content-type": "application/json"}', json.dumps(made)))
        wait_until(lambda: self.own("monitor_analysis_batches_total") >= 1000, "the log to be read", 240)
        dropped = 'monitor_history_points_dropped_total{reason="cardinality"}'
        self.assertGreater(self.own(dropped), 700_000)
        self.assertLessEqual(self.own("monitor_history_series"), 210_000)
        self.assertGreater(self.own("monitor_web_live_points_dropped"), 700_000)
        self.assertLess(self.resident(), 700 << 20)
        # The history of the existing agent continues, and a new agent is stored, too.
        self.start_agent("late-comer", server, "--simulate")
        for name in ("good", "late-comer"):
            fresh = lambda name=name: self.range(name, **{"from": "-20s"})[1]  # noqa: E731
            wait_until(fresh, f"values of {name}", 60)
        self.assertEqual(agent.process.poll(), None)

    def test_reports_a_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            status, _, err = run("monitor-analysis", "serve", "--log", f"sqlite:{self.data}/log.db", "--data", self.data, "--http", f"127.0.0.1:{port}")
            self.assertEqual(status, 69)
            self.assertIn("--http", err)
        self.serve()
        status, _, err = run("monitor-analysis", "serve", "--log", f"sqlite:{self.data}/log.db", "--data", self.data, "--http", "127.0.0.1:0")
        self.assertEqual(status, 75, err)
        self.assertIn("in use", err)


if __name__ == "__main__":
    unittest.main()
