"""Rollouts through the real programs: agents, a server, the page's server and a real etcd; and the same in files."""
import json
import os
import random
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from etcd import Etcd  # noqa: E402
from programs import BIN, ProgramTest, run, wait_until  # noqa: E402

OLD = '{"interval": 1, "labels": {"version": "A"}}'
NEW = '{"interval": 1, "labels": {"version": "B"}}'
FAST = '{"interval": 0.1, "labels": {"version": "fast"}}'
HAS_DATA = 'count(last_over_time(system_cpu_utilization_ratio{rollout="changed"}[$window])) > bool 0'
AS_MANY_VALUES = ('avg(count_over_time(system_cpu_utilization_ratio{rollout="changed"}[$window])) < bool '
                  '2 * avg(count_over_time(system_cpu_utilization_ratio{rollout="unchanged"}[$window]))')


class Rollouts:
    """Tests that must pass on every kind of storage."""

    def begin(self, agents=4):
        self.server = self.start_server()
        self.put("/monitor/groups/web", OLD)
        self.agents = {}
        for i in range(agents):
            name = f"web-{i}"
            self.agents[name] = self.start("monitor-agent", "--agent-id", name, "--group", "web", "--server", self.server.address,
                                           "--data", self.data, "--simulate", *self.agent_where)
        for agent in self.agents.values():
            agent.says("agent started")
        self.config("wait", "--group", "web", "--timeout", "20s")

    def serve(self):
        page = self.start("monitor-analysis", "serve", "--log", f"sqlite:{self.data}/log.db", "--data", self.data,
                          "--http", "127.0.0.1:0", *self.where)
        return page.says(r"listening service=web address=(\S+)").group(1)

    def config(self, *arguments, expect=0, stdin=""):
        status, out, err = run("monitor-config", *arguments, *self.where, stdin=stdin)
        self.assertEqual(status, expect, out + err)
        return out if expect == 0 else out + err

    def rollout(self, what, *arguments, expect=0, stdin=""):
        return self.config("rollout", what, "--group", "web", *arguments, expect=expect, stdin=stdin)

    def start_rollout(self, document, *arguments, expect=0, wait="4s"):
        return self.rollout("start", "-", "--canary", "1", "--steps", "100%", "--wait", wait, "--format", "json", *arguments,
                            expect=expect, stdin=document)

    def status(self):
        return json.loads(self.rollout("status", "--read-only", "--format", "json"))

    def runs(self):
        """Which version each agent runs, by what explain says, and whether its status says that it has applied it."""
        rows = {row["agent"]: row for row in map(json.loads, self.config("status", "--format", "json", "--group", "web").splitlines())}
        found = {}
        for name, row in rows.items():
            values = json.loads(self.config("explain", "--agent-id", name, "--format", "json"))
            version = {one["path"]: one["value"] for one in values["values"]}.get("/labels/version")
            found[name] = (version, row["state"], row["hash"] == values["hash"])
        return found

    def everywhere(self, version):
        self.config("wait", "--group", "web", "--timeout", "20s")
        self.assertEqual(self.runs(), {name: (version, "applied", True) for name in self.agents})
        self.assertEqual(self.config("override", "list"), "")

    def history_has_data(self, address):
        def enough():
            status, out, _ = run("monitor-analysis", "query", "--history", f"{self.data}/history.db", "--format", "json",
                                 "count(system_cpu_utilization_ratio)")
            result = json.loads(out)["result"] if status == 0 and out.startswith("{") else []
            return bool(result) and float(result[0]["value"][1]) >= len(self.agents)
        wait_until(enough, f"the page's server at {address} to have values of all agents")

    def test_a_good_rollout_reaches_everyone(self):
        self.begin()
        address = self.serve()
        self.history_has_data(address)
        out = self.start_rollout(NEW, "--judge", HAS_DATA, "--query", f"http://{address}", "--message", "better")
        events = [json.loads(line) for line in out.splitlines()]
        names = [one["event"] for one in events if one["event"] != "progress"]
        self.assertEqual(names, ["started", "step", "applied", "judged", "step", "applied", "judged", "finishing", "done"])
        self.assertEqual([one["counts"]["failed"] for one in events], [0] * len(events))
        self.assertEqual(json.loads(self.get("/monitor/groups/web")), json.loads(NEW))
        self.everywhere("B")
        self.assertEqual(self.status()["state"], "done")
        self.assertIn("done", self.rollout("list"))
        # No agent missed a tick, and none was restarted.
        for batch in self.batches():
            self.assertEqual(batch["counters"]["ticks_missed"], 0, batch["agent"])

    def test_a_bad_rollout_is_undone_and_remembered(self):
        self.begin()
        address = self.serve()
        self.history_has_data(address)
        out = self.start_rollout(FAST, "--judge", AS_MANY_VALUES, "--query", f"http://{address}", expect=1)
        self.assertIn("step 1 of 2 (canary 1)", out)
        self.everywhere("A")
        self.assertEqual(json.loads(self.get("/monitor/groups/web")), json.loads(OLD))
        status = self.status()
        self.assertEqual((status["state"], status["counts"]["changed"]), ("failed", 0))
        text = self.rollout("status")
        self.assertRegex(text, r"was tried at \S+Z, failed because .*, [0-9a-f]{8} runs")
        refused = self.start_rollout(FAST, "--no-judge", expect=78)
        self.assertIn("--retry tries it again", refused)
        # Without the judgement, the same document passes.
        self.start_rollout(FAST, "--no-judge", "--retry")
        self.everywhere("fast")

    def test_a_killed_rollout_is_named_and_continued(self):
        self.begin(3)
        random.seed(1)
        for _ in range(3):
            version = f"v{random.random()}"
            document = f'{{"interval": 1, "labels": {{"version": "{version}"}}}}'
            path = f"{self.data}/new.json"
            with open(path, "w", encoding="utf-8") as file:
                file.write(document)
            first = subprocess.Popen([os.path.join(BIN, "monitor-config"), "rollout", "start", path, "--group", "web", "--canary", "1",
                                      "--wait", "1s", "--no-judge", *self.where], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            key = "/monitor/rollouts/web"
            wait_until(lambda: version in (self.stored(key) or ""), "the rollout to begin")
            time.sleep(random.random() * 2)  # it may be killed anywhere
            first.send_signal(signal.SIGKILL)
            first.wait()
            state = self.status()
            self.assertIn(state["state"], ("running", "finishing", "done"))
            second = self.start_rollout('{"interval": 2}', "--no-judge", expect=75) if state["state"] != "done" else ""
            self.assertTrue(state["state"] == "done" or f"rollout {state['id']} of group web was begun by" in second, second)
            self.rollout("watch")
            self.everywhere(version)

    def test_operators_pause_resume_and_abort(self):
        self.begin(3)
        self.rollout("abort", expect=1)
        self.start_rollout(NEW, "--no-judge", "--detach", "--author", "alice", "--message", "try")
        wait_until(lambda: json.loads(self.rollout("status", "--format", "json"))["counts"]["applied"] == 1, "the canary")
        self.assertIn("paused by", self.rollout("pause", "--message", "lunch"))
        self.assertIn("is paused", self.rollout("pause", expect=75))
        out = self.rollout("abort", "--message", "no")
        self.assertIn("aborted by", out)
        self.everywhere("A")
        self.assertIn("alice", self.rollout("list"))
        controller = self.start("monitor-config", "rollout", "controller", *self.where)
        self.start_rollout(NEW, "--no-judge", "--detach", wait="1s")
        wait_until(lambda: self.status()["state"] == "done", "the controller to finish it")
        self.everywhere("B")
        self.assertEqual(controller.stop(), 0)

    def test_an_agent_that_rejects_the_document_ends_it(self):
        self.begin(3)
        # Valid for whoever checks it, and not for the agents: they have no such plugin.
        out = self.start_rollout('{"interval": 1, "plugins": ["nowhere_at_all"]}', "--no-judge", expect=1)
        self.assertIn("failed > 0 held", out)
        self.assertIn("nowhere_at_all", out)
        self.everywhere("A")


class Files(Rollouts, ProgramTest):
    def setUp(self):
        super().setUp()
        self.folder = f"{self.data}/monitor"
        self.where, self.agent_where = ["--dir", self.folder], ["--config-dir", self.folder]

    def path(self, key):
        return f"{self.folder}/{key[len('/monitor/'):]}.json"

    def put(self, key, text):
        os.makedirs(os.path.dirname(self.path(key)), mode=0o700, exist_ok=True)
        with open(self.path(key) + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(self.path(key) + ".new", self.path(key))

    def get(self, key):
        with open(self.path(key), encoding="utf-8") as file:
            return file.read()

    def stored(self, key):
        return self.get(key) if os.path.exists(self.path(key)) else None


class OnEtcd(Rollouts, ProgramTest):
    def setUp(self):
        super().setUp()
        self.etcd = Etcd()
        self.addCleanup(self.etcd.close)
        self.where = self.agent_where = ["--etcd", self.etcd.address]

    def put(self, key, text):
        self.etcd.put(key, text)

    def get(self, key):
        return self.etcd.get(key)

    stored = get

    def test_a_canary_ends_by_itself(self):
        self.begin(3)
        self.start_rollout(NEW, "--no-judge", "--detach", "--keep", "30s", wait="10m")
        self.rollout("status")
        wait_until(lambda: "B" in {one[0] for one in self.runs().values()}, "the canary")
        # Nobody looks any more: the lease ends.
        wait_until(lambda: self.config("override", "list") == "", "the override to end", 90)
        self.everywhere("A")
        self.assertIn("nobody continued it until", self.rollout("status"))
        self.assertEqual(self.status()["state"], "failed")


if __name__ == "__main__":
    unittest.main()
