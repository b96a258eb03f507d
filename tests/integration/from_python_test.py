"""The examples of the Python version's README, with today's programs by docs/from-python.md: etcd is real, etcdctl looks
on from outside, the log is SQLite."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from etcd import Etcd  # noqa: E402
from programs import ProgramTest, run, wait_until  # noqa: E402

SELECTORS = ["cpu", "memory", "disk read", "disk write", "net in", "net out"]
DEDUPLICATION = "agent.plugins.deduplication.DeduplicationPlugin"
MY_PLUGIN = "agent.plugins.my_plugin.MyPlugin"


def key(agent_id):
    return f"/monitor/config/{agent_id}"


class FromPython(ProgramTest):
    def setUp(self):
        super().setUp()
        self.etcd = Etcd()
        self.server = self.start_server()

    def tearDown(self):
        super().tearDown()
        self.etcd.close()

    def setup_config(self, *arguments):
        """python setup_etcd_config.py ... is monitor-config ..."""
        status, _, err = run("monitor-config", "--etcd-port", self.etcd.port, *arguments)
        self.assertEqual(status, 0, err)

    def run_agent(self, agent_id, *arguments):
        """python3 run_agent.py ... is monitor-agent ..."""
        return self.start("monitor-agent", "--agent-id", agent_id, "--server", self.server.address, "--etcd-host", "localhost",
                          "--etcd-port", self.etcd.port, "--data", self.data, *arguments)

    def stored(self, agent_id):
        return json.loads(self.etcd.get(key(agent_id)))

    def comes(self, agent_id, condition, what):
        return wait_until(lambda: [b for b in self.batches(agent_id) if condition(b)], what)

    def test_quick_start(self):
        self.setup_config("--agent-id", "agent-001", "--interval", "5")
        self.assertEqual(self.stored("agent-001")["interval"], 5)
        self.assertEqual(self.stored("agent-001")["metrics"], SELECTORS)
        reader = self.start_reader()  # run_analysis.py get-metrics
        agent = self.run_agent("agent-001")
        agent.says("configuration applied .*source=" + key("agent-001"))
        reader.prints("agent-001")

    def test_options_of_the_setup_script(self):
        self.setup_config("--agent-id", "agent-001", "--interval", "5", "--metrics", *SELECTORS, "--plugins", DEDUPLICATION)
        self.assertEqual(self.stored("agent-001")["plugins"], [DEDUPLICATION])
        agent = self.run_agent("agent-001", "--config-key", key("agent-001"))
        agent.says("configuration applied .*source=" + key("agent-001"))

    def test_document_of_the_readme_by_etcdctl(self):
        document = {"interval": 5, "metrics": SELECTORS, "plugins": [DEDUPLICATION]}
        self.etcd.put(key("agent-001"), json.dumps(document, indent=4))
        agent = self.run_agent("agent-001")
        agent.says("configuration applied .*source=" + key("agent-001"))
        self.etcd.put(key("agent-001"), '{"interval": 10, "metrics": ["cpu", "memory"], "plugins": []}')
        agent.says("configuration applied .*source=" + key("agent-001"), 2)

    def test_multiple_agents(self):
        intervals = {"agent-001": 5, "agent-002": 10, "agent-003": 15}
        for agent_id, interval in intervals.items():
            self.setup_config("--agent-id", agent_id, "--interval", interval)
        for agent_id in intervals:
            self.run_agent(agent_id)
        for agent_id, interval in intervals.items():
            self.assertEqual(self.stored(agent_id)["interval"], interval)
            self.comes(agent_id, lambda b: True, f"a batch of {agent_id}")
            wait_until(lambda i=agent_id: self.etcd.get(f"/monitor/status/{i}"), f"presence of {agent_id}")

    def test_dynamic_update(self):
        self.setup_config("--agent-id", "agent-001", "--interval", "1")
        agent = self.run_agent("agent-001")
        agent.says("configuration applied .*source=" + key("agent-001"))
        self.comes("agent-001", lambda b: True, "a batch before the update")
        self.setup_config("--agent-id", "agent-001", "--interval", "0.5", "--metrics", "cpu", "memory")
        self.assertEqual(self.stored("agent-001")["metrics"], ["cpu", "memory"])
        agent.says("configuration applied .*source=" + key("agent-001"), 2)
        # What it sends from then on carries the revision, and nothing of disks and nets.
        status = wait_until(lambda: json.loads(self.etcd.get("/monitor/status/agent-001") or "{}"), "the status")
        newer = self.comes("agent-001", lambda b: b["config_revision"] == status["applied"] and b["frames"], "a batch after the update")
        names = {series["name"] for frame in newer[-1]["frames"] for series, _ in frame["points"]}
        self.assertTrue(names)
        self.assertTrue(all(n.startswith(("system.cpu", "system.memory")) for n in names), names)

    def test_custom_plugin(self):
        self.setup_config("--agent-id", "agent-001", "--interval", "1", "--plugins", DEDUPLICATION, MY_PLUGIN)
        self.assertEqual(self.stored("agent-001")["plugins"], [DEDUPLICATION, MY_PLUGIN])
        agent = self.run_agent("agent-001")
        agent.says("configuration applied .*source=" + key("agent-001"))
        self.comes("agent-001", lambda b: b["frames"], "a batch through both plugins")


if __name__ == "__main__":
    unittest.main(verbosity=2)
