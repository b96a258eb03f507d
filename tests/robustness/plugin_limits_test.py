#!/usr/bin/env python3
"""Native plugins that start too many threads or use too much CPU time in a real agent.
The agent stops and quarantines them with the reason, and ticks continue. Status and metrics show the usage of each
plugin."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from plugins import PLUGINS, PluginTest  # noqa: E402
from programs import run, wait_until  # noqa: E402


class Limits(PluginTest):
    def test_quarantines_plugins_over_their_limits_with_a_reason(self):
        for name in ("spins", "many", "none", "good"):
            self.put(name, "crowd")
        self.document([{"name": "spins", "config": {"threads": 8, "spin": True}, "cpu": 0.05},
                       {"name": "many", "config": {"threads": 6000, "catch": True}},
                       {"name": "none", "config": {"threads": 1, "catch": True}, "threads": 0},
                       {"name": "good", "config": {"threads": 3}, "threads": 3, "cpu": 0.9}])
        agent = self.run_agent()
        status = self.until_status("many", lambda s: s["state"] == "quarantined", "the plugin with many threads to be stopped")
        self.assertRegex(status["error"], r"^threads: it has \d+, its limit is 16$")
        # Its usage is reported while it spins. Its limit is low, because it gets little CPU time on a busy machine.
        wait_until(lambda: self.metric(agent, 'plugin_cpu_processors') > 0.05 or
                   self.plugin_status("spins")["state"] == "quarantined", "CPU time to be counted")
        status = self.until_status("spins", lambda s: s["state"] == "quarantined", "the spinning plugin to be stopped")
        self.assertRegex(status["error"], r"^cpu: it used \d+\.\d\d processors over 1\ds, its limit is 0\.05$")
        self.assertEqual((status["threads"], status["cpu"], status["memory"]), (0, 0, 0), "the process has ended")
        agent.says(r"plugin quarantined.*plugin=spins reason=\"cpu: ")
        good = self.until_status("good", lambda s: s["threads"] == 3 and s["memory"] > 0, "the good plugin's threads to be reported")
        self.assertEqual((good["state"], good["failed"]), ("running", 0))
        self.assertLess(good["cpu"], 0.9)
        none = self.until_status("none", lambda s: s["memory"] > 0, "the plugin without threads to run")
        self.assertEqual((none["state"], none["threads"], none["failed"]), ("running", 0, 0))
        self.assertEqual(len(self.hosts(agent)), 2)
        out = run("monitor-config", "status", "--agent-id", "a", "--dir", f"{self.data}/monitor")
        self.assertEqual(out[0], 0, out[2])
        self.assertRegex(out[1], r"(?m)^spins +native +quarantined +- +- +- +cpu: ")
        self.assertRegex(out[1], r"(?m)^good +native +running +3 +\d\.\d\d +\d+\.\d MiB")
        ticks = self.plugin_status("good")["ticks"]
        self.until_status("good", lambda s: s["ticks"] > ticks, "ticks to continue")
        self.assertEqual(agent.stop(), 0)

    def test_rejects_invalid_limits(self):
        self.put("good", "crowd")
        for field, value, reason in (("threads", "-1", "a whole number from 0 to 1000"), ("threads", "1.5", "a whole number"),
                                     ("threads", '"4"', "a whole number"), ("cpu", "0", "0.01 to 1000"), ("cpu", "true", "0.01 to 1000")):
            path = f"{self.data}/wrong.json"
            with open(path, "w", encoding="utf-8") as file:
                file.write(f'{{"plugins": [{{"name": "good", "{field}": {value}}}]}}')
            status, out, err = run("monitor-config", "validate", path)
            self.assertNotEqual(status, 0)
            self.assertIn(reason, out + err)

    def test_runs_plugins_with_old_or_missing_landlock(self):
        self.put("good", "crowd")
        self.document([{"name": "good", "config": {"threads": 1}}])
        for version in (0, 1, 3):
            program = os.path.join(PLUGINS, "landlock_as")
            agent = self.start(program, version, os.path.join(os.environ["MONITOR_BIN_DIR"], "monitor-agent"), "--agent-id", "a",
                               "--server", "127.0.0.1:1", "--data", self.data, "--config-dir", f"{self.data}/monitor",
                               "--log-level", "debug")
            agent.says(rf"plugin host confined plugin=good landlock={version}$")
            agent.says("plugin loaded plugin=good")
            self.assertEqual(agent.stop(), 0)


if __name__ == "__main__":
    unittest.main()
