#!/usr/bin/env python3
"""Scripts stored in etcd: new logic for running agents, without a file on their hosts."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from etcd import Etcd  # noqa: E402
from programs import ProgramTest, run, wait_until  # noqa: E402

SCRIPT = "function run(batch) state.n = (state.n or 0) + 1 batch:add{{name = 'central.n', value = state.n, labels = {{v = '{}'}}}} end"


class Scripts(ProgramTest):
    def test_a_script_reaches_running_agents(self):
        etcd = Etcd()
        self.addCleanup(etcd.close)
        server = self.start_server()
        agents = [self.start("monitor-agent", "--agent-id", name, "--server", server.address, "--data", self.data, "--etcd",
                             etcd.address, "--group", "web") for name in ("a", "b")]
        put = ("monitor-config", "set", "--etcd", etcd.address, "--group", "web", "plugins=[\"central\"]", "interval=0.1")
        status, _, err = run(*put)
        self.assertEqual(status, 0, err)
        self.assertIn("warning: /plugins/0: no built-in plugin, no script in /monitor/plugins/, and no live agent", err)
        for agent in agents:
            agent.says(r'configuration refused.*got="central".*unknown plugin')
        for version in ("1", "2"):
            etcd.put("/monitor/plugins/central", SCRIPT.format(version))
            for agent in agents:
                agent.says(rf"plugin {'loaded' if version == '1' else 'replaced'} plugin=central")
        self.assertNotIn("plugin", run(*put)[2], "the plugin is known now")
        etcd.put("/monitor/plugins/central", "function run(")
        for agent in agents:
            agent.says(r"configuration refused.*plugin central: central:1:")

        def states():
            values = [etcd.get(f"/monitor/status/{name}") for name in ("a", "b")]
            said = [json.loads(value) for value in values if value]
            return len(said) == 2 and all("central:1:" in one["error"] and one["plugins"] and
                                          one["plugins"][0]["state"] == "running" for one in said)

        wait_until(states, "both agents to report the error and the running version")
        wait_until(lambda: all(len(self.batches(name)) > 2 for name in ("a", "b")), "some batches")
        for agent in agents:
            self.assertEqual(agent.stop(), 0)
        for name in ("a", "b"):
            values = [value for batch in self.batches(name) for frame in batch["frames"] for series, value in frame["points"]
                      if series["name"] == "central.n"]
            self.assertEqual(values, list(range(1, len(values) + 1)), "the state is kept")
            self.assertGreater(len(values), 1)


if __name__ == "__main__":
    unittest.main()
