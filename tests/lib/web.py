"""The page's server, and a browser that opens it, for tests."""
import copy
import json
import os
import sqlite3
import time
import urllib.request

from browser import Browser
from programs import ProgramTest, wait_until

SHOTS = os.environ.get("MONITOR_SCREENSHOTS", "")  # a folder; creates docs/images


def stamp(at):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1e6):06}Z"


class PageTest(ProgramTest):
    """`monitor-analysis serve` on an SQLite log."""

    page = None

    def serve(self, *arguments, port=0):
        self.page = self.start("monitor-analysis", "serve", "--log", f"sqlite:{self.data}/log.db", "--data", self.data,
                               "--http", f"127.0.0.1:{port}", *arguments)
        self.page.address = self.page.says(r"listening service=web address=(\S+)").group(1)
        return self.page

    def get(self, path, **more):
        with urllib.request.urlopen(urllib.request.Request(f"http://{self.page.address}{path}", **more), timeout=20) as answer:
            text = answer.read().decode()
            return json.loads(text) if answer.headers["Content-Type"] == "application/json" else text

    def own(self, name):
        """Returns one of the server's own metrics."""
        for line in self.get("/metrics").splitlines():
            if line.startswith(name + " "):
                return float(line.split()[-1])
        return 0.0

    def range(self, agent, **more):
        """Returns the times and values of the host's CPU."""
        query = "&".join(f"{k}={v}" for k, v in {"metric": "system.cpu.utilization", "resolution": "full", "from": "-1h", **more}.items())
        found = self.get(f"/api/v1/range?agent={agent}&{query}")["series"]
        one = [s for s in found if not s["labels"]]
        return (one[0]["times"], one[0].get("values") or one[0]["avg"]) if one else ([], [])

    def cpu_values(self, agent):
        """The values of the host's CPU that the log holds, by time, read without the page's server."""
        found = {}
        for batch in self.batches(agent):
            for frame in batch["frames"]:
                for series, value in frame["points"]:
                    if series["name"] == "system.cpu.utilization" and not series["labels"]:
                        found[frame["time"] // 1000 / 1e6] = value
        return found

    def resident(self):
        """Returns the resident memory of the page's server in bytes."""
        with open(f"/proc/{self.page.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) * 1024

    def system(self, agents=("agent-001",), *arguments):
        server = self.start_server()
        for name in agents:
            self.configure(name, "--interval", "1")
            self.start_agent(name, server, "--simulate", *arguments)
        self.serve()
        wait_until(lambda: len([a for a in self.get("/api/v1/fleet")["agents"] if a["figures"][0] is not None]) == len(agents)
                   and self.get("/api/v1/log")["partitions"][0]["records"] >= 3 * len(agents), "values of all agents")
        return server

    def one_batch(self):
        """Returns a batch of a real agent as JSON, as a template for others."""
        server = self.start_server()
        self.configure("agent-001", "--interval", "1")
        self.start_agent("agent-001", server, "--simulate")
        self.serve()
        return wait_until(lambda: self.get("/api/v1/messages?limit=1")["messages"], "a message")[0]["batch"]

    def write(self, batch, headers=None, key=None):
        with sqlite3.connect(f"{self.data}/log.db", timeout=30) as log:
            log.execute("INSERT INTO records(time_ns, key, headers, value) VALUES(?, ?, ?, ?)",
                        (time.time_ns(), key or batch["agent"], json.dumps({"content-type": "application/json", **(headers or {})}), json.dumps(batch)))

    @staticmethod
    def made(batch, agent, sequence, at, cpu=0.25, run="0d" * 16):
        """Derives a batch with one tick of another agent, at this time of the agent's clock."""
        batch = copy.deepcopy(batch)
        frame = batch["frames"][-1]
        frame.update({"time": stamp(at), "metrics": [{"name": "system.cpu.utilization", "labels": {}, "unit": "1", "value": cpu}]})
        frame.pop("rates_since", None)
        return {**batch, "agent": agent, "incarnation": run, "sequence": sequence, "first_unacked": sequence, "ended": [], "older": [],
                "frames": [frame], "appended": stamp(at)}


class BrowserTest(PageTest):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()

    def setUp(self):
        super().setUp()
        self.browser.do("reset")

    def url(self, page):
        return f"http://{self.page.address}/#/{page}"

    def shot(self, name, page=0):
        if SHOTS:
            self.browser.do("shot", path=os.path.join(SHOTS, f"{name}.png"), page=page)

    def no_faults(self):
        self.assertEqual(self.browser.do("faults"), [])
