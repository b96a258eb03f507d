"""What others read of the page's server: Prometheus, and the API under trouble."""
import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ROOT, ProgramTest, free_port, run, wait_until  # noqa: E402


class OutputsTest(ProgramTest):
    def serve(self, *arguments):
        page = self.start("monitor-analysis", "serve", "--log", f"sqlite:{self.data}/log.db", "--data", self.data, "--http",
                          "127.0.0.1:0", *arguments)
        page.address = page.says(r"listening service=web address=(\S+)").group(1)
        return page

    @staticmethod
    def get(address, path):
        with urllib.request.urlopen(f"http://{address}{path}", timeout=20) as answer:
            return answer.read().decode()

    def own(self, page, name):
        for line in self.get(page.address, "/metrics").splitlines():
            if line.startswith(name + " "):
                return float(line.split()[-1])
        return 0.0

    def test_prometheus_scrapes_the_latest_values(self):
        server = self.start_server()
        self.configure("agent-001", "set", "--interval", "1", "--metrics", "cpu", "memory", '{"name": "disk read", "counters": true}', "load", "uptime")
        self.start_agent("agent-001", server, "--simulate")
        page = self.serve()
        text = wait_until(lambda: (lambda t: t if "system_cpu_utilization_ratio" in t else "")(self.get(page.address, "/api/v1/prometheus")), "values")
        for name in ("system_cpu_utilization_ratio{agent=\"agent-001\"", "system_memory_usage_bytes{", "system_disk_io_bytes_total{", "system_uptime_seconds{"):
            self.assertIn(name, text)
        for path in ("/api/v1/prometheus", "/metrics"):
            checked = subprocess.run(["promtool", "check", "metrics"], input=self.get(page.address, path), capture_output=True, text=True, check=False)
            self.assertEqual(checked.returncode, 0, path + checked.stdout + checked.stderr)
        port = free_port()
        with open(f"{self.data}/prometheus.yml", "w", encoding="ascii") as file:
            file.write(f"global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: fleet\n  metrics_path: /api/v1/prometheus\n  static_configs: [{{targets: ['{page.address}']}}]\n")
        self.start("prometheus", f"--config.file={self.data}/prometheus.yml", f"--storage.tsdb.path={self.data}/tsdb", f"--web.listen-address=127.0.0.1:{port}")

        def scraped():
            try:
                answer = json.loads(self.get(f"127.0.0.1:{port}", "/api/v1/query?query=system_cpu_utilization_ratio"))
            except OSError:
                return None
            return answer["data"]["result"]

        found = wait_until(scraped, "Prometheus to scrape")
        self.assertEqual(found[0]["metric"]["agent"], "agent-001")
        self.assertEqual(json.loads(self.get(f"127.0.0.1:{port}", "/api/v1/targets"))["data"]["activeTargets"][0]["lastError"], "")
        # Every figure that the dashboard asks for is there.
        with open(os.path.join(ROOT, "deploy", "grafana", "fleet.json"), encoding="utf-8") as file:
            dashboard = json.load(file)
        asked = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
        self.assertGreaterEqual(len(asked), 4)
        known = set(json.loads(self.get(f"127.0.0.1:{port}", "/api/v1/label/__name__/values"))["data"])
        for expression in ("system_cpu_utilization_ratio", "system_memory_utilization_ratio"):
            self.assertTrue(any(expression in one for one in asked))
            self.assertIn(expression, known)

    def test_two_hundred_browsers_and_slow_ones(self):
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
        wait_until(lambda: self.own(page, "monitor_web_streams") == 200, "200 streams")
        # Half of them never read; the others get what happens.
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
        self.assertIn("agent-001", self.get(page.address, "/api/v1/fleet"))
        with open(f"/proc/{page.process.pid}/status", encoding="ascii") as status:
            resident = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        self.assertLess(resident, 200 * 1024)
        for s in browsers:
            s.close()
        wait_until(lambda: self.own(page, "monitor_web_streams") == 0, "the streams to end")

    def test_a_million_series_leave_others_as_they_were(self):
        server = self.start_server("--retention", "7d")
        self.configure("good", "--interval", "1")
        agent = self.start_agent("good", server, "--simulate")
        page = self.serve()
        batch = wait_until(lambda: json.loads(self.get(page.address, "/api/v1/messages?limit=1"))["messages"], "a message")[0]["batch"]
        frame = batch["frames"][-1]
        with sqlite3.connect(f"{self.data}/log.db", timeout=30) as log:
            for number in range(1000):
                metrics = [{"name": f"odd.{number}.{i}", "labels": {}, "unit": "1", "value": i} for i in range(1000)]
                made = {**batch, "agent": f"many-{number % 50}", "sequence": number + 1, "first_unacked": number + 1, "frames": [{**frame, "metrics": metrics}]}
                log.execute("INSERT INTO records(time_ns, key, headers, value) VALUES(?, ?, ?, ?)",
                            (time.time_ns(), made["agent"], '{"content-type": "application/json"}', json.dumps(made)))
        wait_until(lambda: self.own(page, "monitor_analysis_batches_total") >= 1000, "all of it to be read", 240)
        dropped = 'monitor_history_points_dropped_total{reason="cardinality"}'
        self.assertGreater(self.own(page, dropped), 700_000)
        self.assertLessEqual(self.own(page, "monitor_history_series"), 210_000)
        self.assertGreater(self.own(page, "monitor_web_live_points_dropped"), 700_000)
        with open(f"/proc/{page.process.pid}/status", encoding="ascii") as status:
            resident = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        self.assertLess(resident, 700 * 1024)
        # The one that was there goes on, and one that comes now is kept, too.
        self.start_agent("late-comer", server, "--simulate")
        for name in ("good", "late-comer"):
            fresh = lambda name=name: [v for one in json.loads(self.get(page.address, f"/api/v1/range?agent={name}&metric=system.cpu.utilization&resolution=full&from=-20s"))["series"] for v in one["values"]]  # noqa: E731
            wait_until(fresh, f"values of {name}", 60)
        self.assertEqual(agent.process.poll(), None)

    def test_a_taken_port(self):
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
