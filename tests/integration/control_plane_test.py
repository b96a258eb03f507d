"""The control plane through the real programs, on files and on a real etcd: status, wait, explain, overrides,
versions."""
import json
import os
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from etcd import Etcd  # noqa: E402
from programs import BIN, ProgramTest, run, wait_until  # noqa: E402


class ControlPlane:
    """Tests that must pass on every kind of storage."""

    def config(self, *arguments, expect=0):
        status, out, err = run("monitor-config", *arguments, *self.where)
        self.assertEqual(status, expect, out + err)
        return out if expect == 0 else err

    def agent(self, agent_id, *arguments):
        agent = self.start("monitor-agent", "--agent-id", agent_id, "--server", "127.0.0.1:1", "--data", self.data, "--simulate",
                           *self.agent_where, *arguments)
        agent.says("agent started")
        return agent

    def rows(self, *arguments):
        out = self.config("status", "--format", "json", *arguments)
        return {row["agent"]: row for row in map(json.loads, out.splitlines())}

    def state(self, agent_id):
        return self.rows().get(agent_id, {}).get("state")

    def comes(self, agent_id, state):
        wait_until(lambda: self.state(agent_id) == state, f"{agent_id} to be {state}")

    def test_status_shows_the_applied_revision_of_every_agent(self):
        web = self.agent("a-web", "--group", "web")
        other = self.agent("b-other")
        self.comes("a-web", "applied")
        self.comes("b-other", "applied")
        self.config("set", "--group", "web", "interval=2")
        self.config("wait", "--group", "web", "--timeout", "20s")
        self.assertIn("interval", self.config("get", "--group", "web"))
        self.assertEqual(list(self.rows("--group", "web")), ["a-web"])
        row = self.rows()["a-web"]
        self.assertEqual((row["behind"], row["error"], row["groups"], row["version"] != ""), (0, "", ["web"], True))
        self.assertIn("2 agents: 2 applied", self.config("status"))
        # An invalid document that was written without validation.
        self.put("/monitor/groups/web", '{"interval": 0}')
        self.comes("a-web", "failed")
        self.assertIn("/interval", self.rows()["a-web"]["error"])
        self.assertEqual(self.state("b-other"), "applied")
        self.assertIn("a-web is failed", self.config("wait", "--group", "web", "--timeout", "20s", expect=75))
        self.put("/monitor/groups/web", '{"interval": 3}')
        self.config("wait", "--group", "web", "--timeout", "20s")
        # A clean stop removes the status immediately.
        self.assertEqual(other.stop(), 0)
        self.comes("b-other", "gone")
        # Writes to other keys in etcd do not change the document's revision, applied or desired.
        for _ in range(3):
            self.put("/monitor/groups/unrelated", "{}")
        self.agent("c-web", "--group", "web")
        self.comes("c-web", "applied")
        row = self.rows()["c-web"]
        self.assertEqual(row["applied"], row["wanted"])
        self.assertLessEqual(row["applied"], row["desired"])
        self.assertIn("not applied within 300ms: b-other is gone",
                      self.config("wait", "--agent-id", "b-other", "--timeout", "300ms", expect=75))
        self.assertIn("c-none was never seen", self.config("wait", "--agent-id", "c-none", "--timeout", "100ms", expect=75))
        self.config("status", "--agent-id", "c-none", expect=1)
        # A frozen agent cannot apply.
        web.send(signal.SIGSTOP)
        self.config("set", "--defaults", "send_every=2")
        self.assertEqual(self.state("a-web"), "pending")
        self.config("wait", "--agent-id", "a-web", "--timeout", "500ms", expect=75)
        web.send(signal.SIGCONT)
        self.config("wait", "--agent-id", "a-web", "--timeout", "20s")

    def test_wait_gives_a_busy_agent_time_to_read_what_replaced_a_rejected_document(self):
        agent = self.agent("a")
        self.put("/monitor/config/a", '{"interval": 0}')
        self.comes("a", "failed")
        agent.send(signal.SIGSTOP)
        self.put("/monitor/config/a", '{"interval": 3}')
        # Longer than an error may stand that is about the stored document.
        self.assertIn("not applied within 3s: a is pending", self.config("wait", "--agent-id", "a", "--timeout", "3s", expect=75))
        agent.send(signal.SIGCONT)
        self.config("wait", "--agent-id", "a", "--timeout", "20s")

    def explained(self, agent_id):
        answer = json.loads(self.config("explain", "--agent-id", agent_id, "--format", "json"))
        return {one["path"]: (one["value"], one["key"]) for one in answer["values"]}

    def test_explain_names_the_origin_of_every_value(self):
        self.config("set", "--defaults", "interval=7", 'labels={"site": "x", "rack": "1"}')
        self.config("set", "--group", "db", "send_every=3")
        self.config("set", "--agent-id", "a", 'groups=["db"]', 'labels={"rack": "2"}')
        self.config("override", "set", "--agent-id", "a", "--for", "1h", "interval=100ms")
        values = self.explained("a")
        self.assertEqual(values["/interval"], ("100ms", self.named("/monitor/overrides/agents/a/manual")))
        self.assertEqual(values["/labels/site"], ("x", self.named("/monitor/defaults")))
        self.assertEqual(values["/labels/rack"], ("2", self.named("/monitor/config/a")))
        self.assertEqual(values["/send_every"], (3, self.named("/monitor/groups/db")))
        self.assertEqual(values["/plugins"], ([], None))
        self.put("/monitor/groups/db", '{"send_every": "soon"}')
        self.assertIn("/send_every", self.config("explain", "--agent-id", "a", expect=78))

    def test_overrides_expire_without_their_author(self):
        agent = self.agent("a")
        self.comes("a", "applied")
        author = subprocess.Popen([os.path.join(BIN, "monitor-config"), "override", "set", "--agent-id", "a", "--for", "3s",
                                   "interval=50ms", *self.where], stdout=subprocess.DEVNULL)
        self.assertEqual(author.wait(20), 0)
        agent.says("configuration override applied override=agents/a/manual")
        wait_until(lambda: self.rows()["a"]["overrides"] == ["agents/a/manual"], "the status to show it")
        self.assertIn("agents/a/manual  for", self.config("override", "list"))
        agent.says("configuration override ended override=agents/a/manual")
        wait_until(lambda: self.rows()["a"]["overrides"] == [], "the status to show it")
        self.config("override", "set", "--agent-id", "a", "--for", "1h", "--name", "one", "interval=1")
        self.config("override", "set", "--agent-id", "a", "--for", "1h", "--name", "two", "interval=2")
        self.config("wait", "--agent-id", "a", "--timeout", "20s")
        wait_until(lambda: self.rows()["a"]["overrides"] == ["agents/a/one", "agents/a/two"], "the status to show it")
        self.config("override", "end", "--agent-id", "a", "--name", "two")
        agent.says("configuration override ended override=agents/a/two")
        self.config("override", "end", "--agent-id", "a", "--name", "two", expect=1)
        self.config("override", "set", "--defaults", "--for", "1h", "--name", "fleet", "interval=3", "log_level=debug")
        agent.says("configuration override applied override=all/fleet")
        values = self.explained("a")
        self.assertEqual(values["/interval"], (1, self.named("/monitor/overrides/agents/a/one")), "the agent's own override wins")
        self.assertEqual(values["/log_level"], ("debug", self.named("/monitor/overrides/all/fleet")))
        self.assertIn("all/fleet  for", self.config("override", "list"))
        self.assertNotIn("agents/a/one", self.config("override", "list", "--defaults"))
        self.config("override", "end", "--defaults", "--name", "fleet")
        agent.says("configuration override ended override=all/fleet")
        self.assertIn("or --defaults for all agents", self.config("override", "end", "--name", "fleet", expect=64))
        self.assertIn("expected 1s to 30d", self.config("override", "set", "--agent-id", "a", "--for", "0", "interval=1", expect=64))
        self.config("override", "set", "--agent-id", "a", "--for", "1h", "interval=0", expect=78)
        self.config("override", "set", "--agent-id", "a", "interval=1", expect=64)

    def test_rejects_a_field_unknown_to_the_agent(self):
        agent = self.agent("a", "--group", "web")
        self.comes("a", "applied")
        agent.send(signal.SIGSTOP)  # otherwise it would rewrite its version
        old = json.loads(self.get("/monitor/status/a"))
        old["version"] = "0.1.0"
        self.put("/monitor/status/a", json.dumps(old))
        for scope in (["--agent-id", "a"], ["--group", "web"], ["--defaults"]):
            said = self.config("set", *scope, "log_level=debug", expect=78)
            self.assertIn("agent a has version 0.1.0 and does not know log_level (since 0.2.0)", said)
        self.config("set", "--agent-id", "a", "interval=3")
        self.config("set", "--group", "db", "log_level=debug")
        said = self.config("set", "--agent-id", "a", 'metrics=[{"name": "cpu", "interval": 1}]', expect=78)
        self.assertIn("interval of cpu", said)
        self.config("set", "--agent-id", "a", "--force", "log_level=debug")
        agent.send(signal.SIGCONT)


class Files(ControlPlane, ProgramTest):
    def setUp(self):
        super().setUp()
        self.folder = f"{self.data}/monitor"
        self.where, self.agent_where = ["--dir", self.folder], ["--config-dir", self.folder]

    def named(self, key):
        return f"{self.folder}/{key[len('/monitor/'):]}.json"

    def put(self, key, text):
        os.makedirs(os.path.dirname(self.named(key)), exist_ok=True)
        with open(self.named(key) + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(self.named(key) + ".new", self.named(key))

    def get(self, key):
        with open(self.named(key), encoding="utf-8") as file:
            return file.read()


class OnEtcd(ControlPlane, ProgramTest):
    def setUp(self):
        super().setUp()
        self.etcd = Etcd()
        self.addCleanup(self.etcd.close)
        self.where = self.agent_where = ["--etcd", self.etcd.address]

    def named(self, key):
        return key

    def put(self, key, text):
        self.etcd.put(key, text)

    def get(self, key):
        return self.etcd.get(key)

    def test_wait_succeeds_for_a_revision_without_changes_for_the_agent(self):
        self.agent("a")
        self.comes("a", "applied")
        out = self.config("set", "--agent-id", "a", "interval=2")
        revision = out.split("revision ")[1].strip()
        self.config("wait", "--agent-id", "a", "--revision", revision, "--timeout", "20s")
        self.put("/monitor/config/a", self.get("/monitor/config/a"))
        stored = json.loads(self.etcd.ctl("get", "/monitor/config/a", "-w", "json"))["kvs"][0]
        self.assertGreater(stored["mod_revision"], int(revision))
        self.config("wait", "--agent-id", "a", "--revision", str(stored["mod_revision"]), "--timeout", "20s")

    def test_an_overrides_key_is_deleted_with_its_lease(self):
        self.config("override", "set", "--group", "web", "--for", "1s", "interval=1")
        self.assertIsNotNone(self.get("/monitor/overrides/groups/web/manual"))
        wait_until(lambda: self.get("/monitor/overrides/groups/web/manual") is None, "the lease to expire")


if __name__ == "__main__":
    unittest.main()
