#!/usr/bin/env python3
"""Plugins in Python in a running agent: loading and replacing them live, drops, exceptions, state, shadow, limits; and the
tools that create and test them."""
import os
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from plugins import PluginTest  # noqa: E402
from programs import run, wait_until  # noqa: E402

BIN = os.environ["MONITOR_BIN_DIR"]
# The class that the README of the Python version shows, letter by letter.
README = '''from agent.plugins.base import BasePlugin
from shared import monitoring_pb2

class MyPlugin(BasePlugin):
    def initialize(self, config=None):
        # Initialize plugin
        pass
    
    def run(self, metrics_request):
        # Process metrics_request
        # Return modified request or None to drop
        return metrics_request
    
    def finalize(self):
        # Cleanup
        pass
'''
NAME = "agent.plugins.my_plugin.MyPlugin"
COUNTER = '''from agent.plugins.base import BasePlugin
from agent.plugins.helper import VERSION

class Counter(BasePlugin):
    def initialize(self, config=None):
        self.n = 0

    def run(self, metrics_request):
        self.n += 1
        metrics_request.metrics.add(name="counter.n", value=self.n, labels={"version": VERSION})
        return metrics_request

    def save(self):
        return {"n": self.n}

    def restore(self, state):
        self.n = state["n"]

    def finalize(self):
        print("bye", VERSION)
'''


def plugin(body):
    lines = "".join(f"        {line}\n" for line in body.split("\n"))
    return f"from agent.plugins.base import BasePlugin\nclass P(BasePlugin):\n    def run(self, metrics_request):\n{lines}"


class PythonPlugins(PluginTest):
    def values(self, name):
        return [(series["labels"], value) for batch in self.batches("a") for frame in batch["frames"]
                for series, value in frame["points"] if series["name"] == name]

    def until_ticks(self, agent, more=10):
        """Waits for so many ticks of all plugins. The status is written every 10 s only."""
        before = self.metric(agent, "plugin_ticks_total")
        wait_until(lambda: self.metric(agent, "plugin_ticks_total") >= before + more, "ticks")

    def test_the_readmes_plugin_is_loaded_live_by_its_name(self):
        self.document([NAME])
        agent = self.run_agent(self.start_server())
        # Without the file, the name means the built-in plugin.
        agent.says("plugin loaded plugin=my_plugin")
        start = time.monotonic()
        self.put_python("my_plugin", README)
        agent.says(rf"plugin loaded plugin={NAME}")
        self.assertLess(time.monotonic() - start, 3)
        self.until_ticks(agent, 20)
        status = self.until_status(NAME, lambda s: s["state"] == "running", "the status to name it")
        self.assertEqual((status["kind"], status["failed"], status["changed"]), ("python", 0, 0))
        wait_until(lambda: self.metric(agent, "plugin_memory_bytes") > 1 << 20, "its memory to be measured")
        self.assertEqual(len(self.hosts(agent)), 1)
        out = run("monitor-config", "status", "--agent-id", "a", "--dir", f"{self.data}/monitor")
        self.assertRegex(out[1], rf"(?m)^{NAME} +python +running ")
        self.put_python("my_plugin", README.replace("return metrics_request\n", "raise RuntimeError('second')\n"))
        agent.says(rf"plugin replaced plugin={NAME}")
        agent.says(r"plugin failed; its tick is lost.*RuntimeError: second \(my_plugin.py, line 12\)")
        self.put_python("my_plugin", "class MyPlugin(:\n")
        agent.says(r"configuration refused.*SyntaxError.*my_plugin.py, line 1")
        self.put_python("my_plugin", README.replace("MyPlugin", "Other"))
        agent.says(r"configuration refused.*known=\"?agent.plugins.my_plugin.Other\"? reason=\"unknown plugin\"")
        self.put_python("my_plugin", README)
        agent.says(rf"plugin replaced plugin={NAME}")
        self.until_ticks(agent)
        self.document([])
        wait_until(lambda: not self.hosts(agent), "the host to end")
        self.assertEqual(agent.stop(), 0)

    def test_none_drops_the_tick_with_its_reason_in_the_ledger(self):
        self.put_python("drops", plugin("self.n = getattr(self, 'n', 0) + 1\nreturn None if self.n % 2 else metrics_request"))
        self.document(["agent.plugins.drops.P"])
        agent = self.run_agent(self.start_server())
        wait_until(lambda: self.metric(agent, "plugin_dropped_ticks_total") > 10, "drops")
        self.assertEqual(agent.stop(), 0)
        found = {(d["stage"], d["reason"]) for d in self.drops("agent.plugins.drops.P")}
        self.assertEqual(found, {("plugin", "filtered")})
        out = run("monitor-analysis", "ledger", "--log", f"sqlite:{self.data}/log.db", "--data", self.data, "--format", "json", "--missing-after", "0")
        self.assertIn(out[0], (0, 1), out[2])
        self.assertIn('"plugin":"agent.plugins.drops.P"', out[1].replace(" ", ""))

    def test_state_passes_to_a_new_host_and_a_helper_reloads_the_plugin(self):
        name = "agent.plugins.counter.Counter"
        self.put_python("helper", "VERSION = '1'\n")
        self.put_python("counter", COUNTER)
        self.put_python("other", README)
        self.document([name, "agent.plugins.other.MyPlugin"])
        agent = self.run_agent(self.start_server())
        self.until_ticks(agent, 40)
        before = self.hosts(agent)
        self.put_python("helper", "VERSION = '2'\n")
        agent.says(rf"plugin replaced plugin={name}")
        agent.says(rf"plugin continues with its predecessor's state plugin={name}")
        agent.says(r"plugin printed.*bye 1")
        self.until_ticks(agent, 40)
        wait_until(lambda: len(self.hosts(agent)) == 2, "the old host to end")
        self.assertEqual(len(set(before) & set(self.hosts(agent))), 1, "the other plugin keeps running")
        self.assertEqual(agent.stop(), 0)
        values = self.values("counter.n")
        self.assertEqual([v for _, v in values], list(range(1, len(values) + 1)), "no tick is lost or duplicated, and the state is kept")
        self.assertEqual({labels["version"] for labels, _ in values}, {"1", "2"})

    def test_a_killed_host_is_restarted(self):
        self.put_python("my_plugin", README)
        self.document([NAME])
        agent = self.run_agent()
        self.until_ticks(agent)
        host, = self.hosts(agent)
        os.kill(host, signal.SIGKILL)
        agent.says(r"plugin failed; it is restarted.*signal 9")
        agent.says(r"plugin restarted")
        wait_until(lambda: self.metric(agent, "plugin_restarts_total") == 1, "the restart to be counted")
        self.until_ticks(agent)

    def test_a_shadow_has_no_effect(self):
        self.put_python("drops", plugin("return None"))
        self.document([{"name": "agent.plugins.drops.P", "shadow": True}])
        agent = self.run_agent(self.start_server())
        wait_until(lambda: self.metric(agent, "plugin_dropped_ticks_total") > 10, "drops to be counted")
        self.assertEqual(agent.stop(), 0)
        self.assertGreater(len(self.values("system.memory.utilization")), 10)
        self.assertEqual(self.drops("agent.plugins.drops.P"), [])

    def test_a_plugin_that_fails_every_tick_is_quarantined(self):
        self.put_python("bad", plugin("raise ValueError('no good')"))
        self.document(["agent.plugins.bad.P"])
        agent = self.run_agent()
        agent.says(r"plugin quarantined.*ValueError: no good \(bad.py, line 4\)")
        self.assertEqual(self.metric(agent, "plugin_failures_total"), 5)

    def test_without_the_host_the_reason_is_clear(self):
        # A copy of the programs without the host for Python.
        folder = f"{self.data}/bin"
        os.makedirs(folder)
        for name in ("monitor-agent", "monitor-plugin-host"):
            os.link(f"{BIN}/{name}", f"{folder}/{name}") if os.stat(BIN).st_dev == os.stat(folder).st_dev else \
                subprocess.run(["cp", f"{BIN}/{name}", folder], check=True)
        self.put_python("my_plugin", README)
        self.document([NAME])
        agent = self.start(f"{folder}/monitor-agent", "--agent-id", "a", "--server", "127.0.0.1:1", "--data", self.data,
                           "--config-dir", f"{self.data}/monitor")
        agent.says(r"configuration refused.*it is written in Python, and there is no \S+/monitor-plugin-host-python; install the "
                   "package monitor-plugin-host-python")
        self.assertEqual(agent.stop(), 0)


class Tools(PluginTest):
    def test_new_projects_in_python_and_lua_pass_their_tests_and_run(self):
        status, ticks, err = run("monitor-agent", "--agent-id", "a", "--data", self.data, "--once", "--format", "json")
        self.assertEqual(status, 0, err)
        with open(f"{self.data}/ticks.json", "w", encoding="utf-8") as file:
            file.write(ticks)
        for language, name, file in (("python", "my-tag.1", "agent/plugins/my_tag_1.py"), ("lua", "my_tag", "my_tag.lua")):
            with self.subTest(language=language):
                project = f"{self.data}/{language}"
                status, out, err = run("monitor", "plugin", "new", name, "--language", language, "--dir", project)
                self.assertEqual((status, err), (0, ""))
                self.assertIn(file, out)
                status, out, err = run("monitor", "plugin", "test", f"{project}/{file}", "--input", f"{self.data}/ticks.json", "--config",
                                       '{"value": "db"}')
                self.assertEqual(status, 0, out + err)
                self.assertIn("system.memory.utilization{team=db}", out)
                self.assertRegex(out, r"1 tick, 0 dropped, 0 failed; p50 .*, p99 .* a tick; host at most \d+\.\d MiB")
                status, out, err = run("monitor", "plugin", "test", f"{project}/{file}", "--input", f"{self.data}/ticks.json", "--config",
                                       '{"label": ""}')
                self.assertEqual(status, 78, out)
                self.assertIn("label must not be empty", err)
                self.assertEqual(run("monitor", "plugin", "new", name, "--language", language, "--dir", project)[0], 74)
        # As the README of the project says.
        done = subprocess.run(["/usr/bin/python3", f"{self.data}/python/my_tag_1_test.py"], capture_output=True, text=True, timeout=60, check=False,
                              env={"PYTHONDONTWRITEBYTECODE": "1"})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Ran 3 tests", done.stderr)
        path = f"{self.data}/python/agent/plugins/my_tag_1.py"
        status, out, err = run("monitor", "plugin", "inspect", path)
        self.assertEqual(status, 0, err)
        self.assertRegex(out, r"name +agent.plugins.my_tag_1.MyTag1\nkind +python\n.*\nversion +[0-9a-f]{8}\nstate +kept")
        with open(path, encoding="utf-8") as file:
            self.put_python("my_tag_1", file.read() + "\nclass Second:\n    pass\n")
        status, out, err = run("monitor", "plugin", "list", "--data", self.data)
        self.assertRegex(out, rf"(?m)^agent.plugins.my_tag_1.MyTag1 +python +{self.folder}/agent/plugins/my_tag_1.py$")
        self.assertRegex(out, r"(?m)^agent.plugins.my_tag_1.Second +python ")
        status, out, err = run("monitor", "plugin", "inspect", "agent.plugins.my_tag_1.MyTag1", "--data", self.data)
        self.assertEqual(status, 0, err)
        both = f"{self.folder}/agent/plugins/my_tag_1.py"
        status, out, err = run("monitor", "plugin", "test", both, "--input", f"{self.data}/ticks.json")
        self.assertEqual(status, 78)
        self.assertIn("several classes (MyTag1, Second); name one with --class", err)
        self.assertEqual(run("monitor", "plugin", "test", both, "--class", "MyTag1", "--input", f"{self.data}/ticks.json")[0], 0)
        status, out, err = run("monitor", "plugin", "test", both, "--class", "Second", "--input", f"{self.data}/ticks.json")
        self.assertIn("has no method run(metrics_request)", err)
        self.assertEqual(run("monitor", "plugin", "new", "x", "--language", "cobol", "--dir", f"{self.data}/x")[0], 64)

    def test_config_knows_the_classes_of_live_agents(self):
        def config(*arguments):
            status, _, err = run("monitor-config", *arguments, "--dir", f"{self.data}/monitor")
            self.assertEqual(status, 0, err)
            return err

        agent = self.run_agent()
        self.assertIn("no live agent has it", config("set", "--agent-id", "a", "--plugins", "agent.plugins.mine.MyPlugin"))
        self.put_python("mine", README)
        agent.says("plugin loaded plugin=agent.plugins.mine.MyPlugin")

        def told():
            with open(f"{self.data}/monitor/inventory/a.json", encoding="utf-8") as file:
                return "agent.plugins.mine.MyPlugin" in file.read()

        wait_until(told, "the inventory to name it")
        self.assertEqual(config("set", "--group", "web", "--plugins", "agent.plugins.mine.MyPlugin"), "")


if __name__ == "__main__":
    unittest.main()
