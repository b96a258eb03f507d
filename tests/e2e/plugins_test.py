#!/usr/bin/env python3
"""User plugins in a running agent: loading, replacement with state, rejection of bad ones, scripts, metrics; and the
tools that create and test plugins."""
import json
import os
import shutil
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from plugins import PLUGINS, PluginTest  # noqa: E402
from programs import run, wait_until  # noqa: E402

RELOADS = 10_000 if os.environ.get("MONITOR_LONG") else 100
COUNT = "function run(batch) state.n = (state.n or 0) + 1 batch:add{name = '%s', value = state.n, labels = {version = '%s'}} end"


class Plugins(PluginTest):
    def values(self, name):
        """Returns (labels, value) of a metric in the log, in order."""
        return [(series["labels"], value) for batch in self.batches("a") for frame in batch["frames"]
                for series, value in frame["points"] if series["name"] == name]

    def test_starts_no_host_without_native_or_script_plugins(self):
        self.document(["deduplication"])
        self.put("counter")
        agent = self.run_agent()
        self.until_status("deduplication", lambda s: s["ticks"] > 20, "the agent to run")
        self.assertEqual(self.hosts(agent), [])

    def test_a_new_plugin_file_runs_within_a_second(self):
        self.document(["counter"])
        os.rmdir(self.folder)  # the folder does not exist either
        agent = self.run_agent(self.start_server())
        agent.says(r"configuration refused.*unknown plugin")
        os.mkdir(self.folder)
        self.put("counter")
        start = time.monotonic()
        agent.says(r"plugin loaded plugin=counter")
        self.assertLess(time.monotonic() - start, 1)
        self.put("later", text=COUNT % ("later.n", "1"))
        self.document(["counter", "later"])
        agent.says(r"plugin loaded plugin=later")
        self.assertEqual(len(self.hosts(agent)), 2)
        wait_until(lambda: self.values("later.n"), "the script's point in the log")
        self.document([])
        agent.says(r"plugin removed plugin=later")
        wait_until(lambda: not self.hosts(agent), "the hosts to end")

    def test_a_new_version_keeps_the_state_and_a_bad_version_changes_nothing(self):
        self.put("counter")
        self.put("tag", text=COUNT % ("tag.n", "1"))
        self.document(["counter", "tag"])
        agent = self.run_agent(self.start_server())
        self.until_status("tag", lambda s: s["ticks"] > 50, "ticks")
        self.put("counter", source="counter_2")
        agent.says(r"plugin replaced plugin=counter")
        agent.says(r"plugin continues with its predecessor's state plugin=counter")
        self.put("tag", text=COUNT % ("tag.n", "2"))
        agent.says(r"plugin replaced plugin=tag")
        self.until_status("tag", lambda s: s["ticks"] > 150, "ticks")
        for bad in ("function run(", "error('no good')"):
            self.put("tag", text=bad)
            agent.says(r"configuration refused.*plugin tag")
        wait_until(lambda: "no good" in self.status()["error"], "the status to say why")
        shutil.copy(f"{PLUGINS}/newer_major.so", f"{self.folder}/.new")
        os.rename(f"{self.folder}/.new", f"{self.folder}/counter.so")
        self.put("tag", text=COUNT % ("tag.n", "2"))
        agent.says(r"configuration refused.*plugin counter: plugin counter was built for version 2.0")
        for name in ("counter", "tag"):
            status = self.plugin_status(name)
            self.assertEqual((status["state"], status["failed"]), ("running", 0))
        self.assertEqual(agent.stop(), 0)
        for name, label in (("counter.ticks", "generation"), ("tag.n", "version")):
            values = self.values(name)
            self.assertEqual([v for _, v in values], list(range(1, len(values) + 1)), "no tick is lost or duplicated, and the state is kept")
            self.assertEqual({labels[label] for labels, _ in values}, {"1", "2"})
        counters = self.batches("a")[-1]["counters"]
        stored = sum(len(f["points"]) for b in self.batches("a") for f in b["frames"])
        self.assertEqual(counters["points_made"], stored, "points added by plugins count as made")

    def test_counts_dropped_points_that_were_replaced_by_new_ones(self):
        self.put("counter")
        self.put("swap", text="function run(batch) for p in batch:points() do if p.name ~= 'counter.ticks' then p:drop() "
                              "batch:add{name = 'swap.n', value = 1} return end end end")
        self.document([{"name": "counter", "config": {"instead": True}}, "swap",
                       {"name": "derive", "config": {"match": "swap.n", "what": "moving_average", "keep": False}}])
        agent = self.run_agent(self.start_server())
        self.until_status("derive", lambda s: s["ticks"] > 30, "ticks")
        self.assertEqual(agent.stop(), 0)
        last = self.batches("a")[-1]["counters"]
        frames = sum(len(b["frames"]) for b in self.batches("a"))
        stored = sum(len(f["points"]) for b in self.batches("a") for f in b["frames"])
        for name in ("counter", "swap", "derive"):
            # Drops of the last batch are reported in the next one.
            self.assertGreater(sum(d["points"] for d in self.drops(name)), frames - 25, name)
        self.assertEqual(last["points_made"], stored + 3 * frames)

    def test_loads_scripts_from_the_configuration(self):
        os.makedirs(f"{self.data}/monitor/plugins")
        self.document(["central"])
        agent = self.run_agent()
        agent.says(r"configuration refused.*unknown plugin")
        for version in ("1", "2"):
            with open(f"{self.data}/new.lua", "w", encoding="ascii") as file:
                file.write(COUNT % ("central.n", version))
            os.rename(f"{self.data}/new.lua", f"{self.data}/monitor/plugins/central.lua")
            agent.says(rf"plugin {'loaded' if version == '1' else 'replaced'} plugin=central")
        status = self.until_status("central", lambda s: s["ticks"] > 10, "ticks")
        self.assertEqual((status["kind"], status["state"]), ("script", "running"))
        self.put("central", text=COUNT % ("other.n", "1"))
        agent.says(r"configuration refused.*central is ambiguous")

    def test_config_warns_about_an_unknown_plugin(self):
        def config(*arguments):
            status, out, err = run("monitor-config", *arguments, "--dir", f"{self.data}/monitor")
            self.assertEqual(status, 0, err)
            return err

        agent = self.run_agent()
        warning = r'warning: /plugins/0: no built-in plugin, no script in /monitor/plugins/, and no live agent has it .*got "mine"'
        self.assertRegex(config("set", "--agent-id", "a", "--plugins", "mine"), warning)
        self.assertRegex(config("set", "--group", "web", "--plugins", "mine"), warning)
        self.assertRegex(config("override", "set", "--agent-id", "a", "--for", "1m", 'plugins=["mine"]'), warning)
        self.assertRegex(config("explain", "--agent-id", "a"), r"warning: .*manual.json: /plugins/0, line 3: no built-in plugin, no script")
        self.assertIn("an agent that does not have it rejects this", run("monitor-config", "validate", f"{self.data}/monitor/config/a.json")[2])
        self.put("mine", text=COUNT % ("n", "1"))
        agent.says("plugin loaded plugin=mine")

        def told():
            with open(f"{self.data}/monitor/inventory/a.json", encoding="utf-8") as file:
                return json.load(file)["plugins"] == ["mine"]

        wait_until(told, "the inventory to name it")
        self.assertEqual(config("set", "--group", "web", "interval=3"), "")
        os.makedirs(f"{self.data}/monitor/plugins")
        with open(f"{self.data}/monitor/plugins/central.lua", "w", encoding="ascii") as file:
            file.write(COUNT % ("central.n", "1"))
        self.assertEqual(config("set", "--group", "web", "--plugins", "central", "mine"), "")
        self.assertEqual(run("monitor-config", "set", "--group", "web", "--plugins", "filtre", "--dir", f"{self.data}/monitor")[0], 78)

    def test_shadow_plugin_counts_drops_without_dropping(self):
        self.put("nothing", text="function run(batch) return false end")
        self.document([{"name": "nothing", "shadow": True}])
        agent = self.run_agent(self.start_server())
        status = self.until_status("nothing", lambda s: s["dropped"] > 20, "dropped points to be counted")
        self.assertTrue(status["shadow"])
        self.assertEqual(agent.stop(), 0)
        self.assertEqual(self.drops("nothing"), [])
        self.assertGreater(len(self.batches("a")[0]["frames"]), 0)

    def test_once_traces_every_plugin(self):
        self.put("counter")
        self.put("tag", text="function run(batch) for p in batch:points() do if p.name == 'system.memory.limit' then p:drop() end end end")
        self.document(["counter", "tag", {"name": "scale", "config": {"match": "counter.ticks", "factor": 2}}])
        status, out, err = run("monitor-agent", "--agent-id", "a", "--data", self.data, "--config-dir", f"{self.data}/monitor",
                               "--once", "--trace-plugins")
        self.assertEqual(status, 0, err)
        self.assertRegex(out, r"counter \(native\), .*: \d+ points in, \d+ out")
        self.assertIn("  + counter.ticks{generation=1}  1", out)
        self.assertIn("  - system.memory.limit", out)
        self.assertIn("scale (built-in)", out)

    def test_metrics_report_plugin_health(self):
        self.put("counter")
        self.document(["counter"])
        agent = self.run_agent()
        wait_until(lambda: self.metric(agent, "plugin_ticks_total") > 20, "ticks")
        self.assertGreater(self.metric(agent, "plugin_changed_ticks_total"), 10)
        self.assertEqual(self.metric(agent, "plugin_state"), 1)
        self.assertGreater(self.metric(agent, 'plugin_tick_seconds'), 0)
        self.assertEqual(self.metric(agent, "plugin_restarts_total"), 0)

    def reload(self, name, versions, put):
        """Replaces one version with the next as soon as it runs. No tick may be lost."""
        self.document([name, "deduplication"], metrics=["memory"])
        put(versions[0])
        agent = self.run_agent(self.start_server())
        self.until_status(name, lambda s: s["ticks"] > 20, "ticks")

        def look():
            with open(f"/proc/{agent.process.pid}/status", encoding="ascii") as file:
                resident = int(file.read().split("VmRSS:")[1].split()[0])
            return resident, len(os.listdir(f"/proc/{agent.process.pid}/fd")), len(self.hosts(agent))

        before = None
        for i in range(1, RELOADS + 1):
            put(versions[i % 2])
            wait_until(lambda n=i: self.metric(agent, "plugin_replaced_total") >= n, f"reload {i}")
            if i == RELOADS // 10:
                wait_until(lambda: len(self.hosts(agent)) == 1, "the old host to end")
                before = look()
        wait_until(lambda: len(self.hosts(agent)) == 1, "the old host to end")
        wait_until(lambda: look()[1] <= before[1], "descriptors to be closed")
        after = look()
        self.assertLess(after[0], before[0] + 4096, "memory is released (KiB)")
        self.assertEqual(self.metric(agent, "plugin_failures_total"), 0)
        self.assertEqual(agent.stop(), 0)
        return agent

    def test_reloading_a_native_plugin_leaks_nothing(self):
        self.reload("counter", ("counter", "counter_2"), lambda source: self.put("counter", source=source))
        values = [v for _, v in self.values("counter.ticks")]
        self.assertEqual(values, list(range(1, len(values) + 1)))

    def test_reloading_a_script_leaks_nothing(self):
        self.reload("tag", ("1", "2"), lambda version: self.put("tag", text=COUNT % ("tag.n", version)))
        values = [v for _, v in self.values("tag.n")]
        self.assertEqual(values, list(range(1, len(values) + 1)))

    def test_deduplication_keeps_its_state_across_changes(self):
        self.document([{"name": "deduplication", "config": {"tolerance": 1e14, "max_silence": "1h"}}])
        agent = self.run_agent(self.start_server())
        self.until_status("deduplication", lambda s: s["dropped"] > 5, "drops")
        for i in range(20):
            self.document([{"name": "deduplication", "config": {"tolerance": 1e15 + i, "max_silence": "1h"}}])
            wait_until(lambda n=i: self.metric(agent, "plugin_replaced_total") > n, f"reload {i}")
        self.assertEqual(agent.stop(), 0)
        frames = sum(len(b["frames"]) for b in self.batches("a"))
        self.assertEqual(frames, 1, "no value changed, and the state was kept")


class Tools(PluginTest):
    def test_a_new_project_builds_passes_its_test_and_runs(self):
        project = f"{self.data}/project"
        status, out, err = run("monitor", "plugin", "new", "my_tag", "--dir", project)
        self.assertEqual(status, 0, err)
        for command in (["cmake", "-G", "Ninja", "-S", project, "-B", f"{project}/build"], ["cmake", "--build", f"{project}/build"],
                        ["ctest", "--test-dir", f"{project}/build", "--output-on-failure"]):
            done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        status, ticks, err = run("monitor-agent", "--agent-id", "a", "--data", self.data, "--once", "--format", "json")
        self.assertEqual(status, 0, err)
        with open(f"{self.data}/ticks.json", "w", encoding="utf-8") as file:
            file.write(ticks)
        library = f"{project}/build/my_tag.so"
        status, out, err = run("monitor", "plugin", "test", library, "--input", f"{self.data}/ticks.json", "--config",
                               '{"value": "db"}')
        self.assertEqual(status, 0, err)
        self.assertIn("system.memory.utilization{team=db}", out)
        self.assertRegex(out, r"1 tick, 0 dropped, 0 failed; p50 .*, p99 .* a tick; host at most \d+\.\d MiB")
        status, out, err = run("monitor", "plugin", "test", library, "--input", f"{self.data}/ticks.json", "--config", '{"valu": 1}')
        self.assertEqual(status, 78)
        self.assertIn("/valu: unknown option", err)
        status, out, err = run("monitor", "plugin", "inspect", library)
        self.assertEqual(status, 0, err)
        self.assertRegex(out, r"name +my_tag\n.*\n.*\nversion +0.1.0\ninterface 1.2\nstate +kept")
        self.assertEqual(run("monitor", "plugin", "new", "my_tag", "--dir", project)[0], 74, "existing files are not overwritten")
        for odd in ("../x", "a b", ".x", "filter"):
            self.assertEqual(run("monitor", "plugin", "new", odd, "--dir", f"{self.data}/odd")[0], 64, odd)
        os.mkdir(f"{self.data}/none")
        status, out, err = run("monitor", "plugin", "new", "test", "--dir", f"{self.data}/none", "--sdk", "/nowhere")
        self.assertEqual(status, 0, "an empty folder is accepted")
        self.assertIn("no SDK found in /nowhere", err)
        shutil.copy(library, f"{self.folder}/my_tag.so")
        status, out, err = run("monitor", "plugin", "list", "--data", self.data)
        self.assertEqual(status, 0, err)
        self.assertRegex(out, r"deduplication +built-in")
        self.assertRegex(out, rf"my_tag +native +{self.folder}/my_tag.so")

    def test_reports_invalid_plugins_and_invalid_ticks(self):
        def put(name, data):
            with open(f"{self.folder}/{name}", "wb") as file:
                file.write(data)
            return f"{self.folder}/{name}"

        with open(f"{PLUGINS}/counter.so", "rb") as file:
            library = file.read()
        script = put("good.lua", b"function run(batch) end")
        put("half.so", library[:len(library) // 2])
        put("text.so", b"no library")
        put("filter.lua", b"function run(batch) end")
        put("od d.lua", b"function run(batch) end")
        put("two.lua", b"function run(batch) end")
        put("two.so", library)
        os.mkdir(f"{self.folder}/folder.so")
        os.symlink("/nowhere", f"{self.folder}/link.lua")
        for name, expected in (("half", r"truncated: it has \d+ of \d+ bytes"), ("text", "not a 64-bit ELF library"), ("folder", "is a folder, not a file"),
                               ("link", "No such file"), ("filter", "also the name of a built-in plugin"), ("two", "is the name of two plugins")):
            status, _, err = run("monitor-plugin", "inspect", name, "--data", self.data)
            self.assertEqual(status, 78, name)
            self.assertRegex(err, expected)
        status, out, _ = run("monitor-plugin", "list", "--data", self.data)
        self.assertEqual(status, 0)
        for expected in (r"folder +native .*refused: .* is a folder", r"two +native .*refused: two is the name of two", r"od d.lua  ignored: a plugin's name",
                         r"good +script +\S+\n"):
            self.assertRegex(out, expected)
        self.assertEqual(run("monitor-plugin", "list", "--plugin-dir", script)[0], 74)
        line = '{"time": "2026-11-25T12:00:00Z", "metrics": [%s]}'
        for text, expected in (("", "no tick found"), ("x", "line 1: invalid JSON: column 1"), ("[]", r"must be an object; got \[\]"),
                               ("\n{}", 'line 2: "time" is missing'), (line % '{"name": "a", "value": 1}, {"name": "a", "value": "x"}',
                                                                      '/metrics/1: "value" must be a number, or null; got "x"'),
                               (line % ",".join(['{"name":"a","value":1}'] * 100001), "100001 points, the limit of a tick is 100000")):
            with open(f"{self.data}/ticks.json", "w", encoding="ascii") as file:
                file.write(text)
            status, _, err = run("monitor-plugin", "test", script, "--input", f"{self.data}/ticks.json")
            self.assertEqual(status, 78, text[:80])
            self.assertRegex(err, expected)
        for config in ("x", "[]", ""):
            status, _, err = run("monitor-plugin", "test", script, "--input", f"{self.data}/ticks.json", "--config", config)
            self.assertEqual(status, 64)
            self.assertIn("--config: ", err)

    def test_shipped_scripts_match_the_built_in_plugins(self):
        shipped = os.path.join(os.path.dirname(__file__), "..", "..", "plugins")
        lines = [{"time": f"2026-11-25T12:00:0{i}Z", "metrics": [
            {"name": "system.disk.io", "unit": "By", "kind": "counter", "labels": {"d": "sda"}, "value": 1000 * i},
            {"name": "system.cpu.utilization", "unit": "1", "labels": {}, "value": 0.5 + 0.3 * i}]} for i in range(2)]
        with open(f"{self.data}/ticks.json", "w", encoding="utf-8") as file:
            file.write("\n".join(map(json.dumps, lines)))
        for name, config, expected in (
                ("derive_rate", '{"match": "^system%.disk%.io$"}', "+ system.disk.io.rate{d=sda}  "),
                ("threshold_tag_script", '{"match": "cpu", "warning": 0.7}', "+ system.cpu.utilization{level=warning}  80.0 %")):
            status, out, err = run("monitor-plugin", "test", f"{shipped}/{name}.lua", "--input", f"{self.data}/ticks.json",
                                   "--config", config)
            self.assertEqual(status, 0, err)
            self.assertIn(expected, out)
        for name, config, expected in (("derive_rate", '{"match": "a", "sufix": "b"}', 'unknown option "sufix"'),
                                       ("derive_rate", '{"match": "%"}', "malformed pattern"),
                                       ("threshold_tag_script", '{"match": "a", "warning": "0.7"}', '"warning" must be a number'),
                                       ("threshold_tag_script", '{"match": "a"}', '"warning" or "critical" must be')):
            status, _, err = run("monitor-plugin", "test", f"{shipped}/{name}.lua", "--input", f"{self.data}/ticks.json", "--config", config)
            self.assertEqual(status, 78, err)
            self.assertIn(expected, err)


if __name__ == "__main__":
    unittest.main()
