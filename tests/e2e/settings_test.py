"""Every setting of the schema takes effect in a reader or the agent. The table below must contain every setting of
`monitor-config schema`; a setting without a case fails the test."""
import json
import os
import re
import sys
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ROOT, ProgramTest, run, wait_until  # noqa: E402

# Cases in other files: (file, text in it).
ELSEWHERE = {
    "plugins/shadow": ("tests/e2e/plugins_test.py", "test_shadow_plugin_counts_drops_without_dropping"),
    "plugins/deadline": ("tests/robustness/bad_plugins_test.py", "deadline"),
    "plugins/threads": ("tests/robustness/plugin_limits_test.py", '"threads": 3'),
    "plugins/cpu": ("tests/robustness/plugin_limits_test.py", '"cpu": 0.05'),
    "plugins/on_failure": ("src/plugins/chain/hosted_chain_test.cc", "OnFailureDropDropsTicksMeanwhile"),
    "metrics/top": ("src/inputs/proc/processes_test.cc", 'counts["top"]'),
    "metrics/per_user": ("src/inputs/proc/processes_test.cc", 'flags.insert("per_user")'),
    "metrics/groups": ("src/inputs/proc/processes_test.cc", 'patterns["groups"]'),
    "metrics/most": ("src/inputs/proc/containers_test.cc", 'counts["most"]'),
    "metrics/pressure": ("tests/fixtures/hosts/families/container_runtimes.py", '"pressure": True'),
    "metrics/states": ("tests/fixtures/hosts/families/kernel_fields.py", '"states": True'),
    "metrics/limits": ("tests/truth/node_tree_test.py", '"limits": True'),
}


def paths_of(schema):
    """Returns paths such as "interval", "spool/max", "metrics/per_core", "plugins/shadow"."""
    found = set()
    for name, one in schema["properties"].items():
        entries = one.get("items", {}).get("anyOf", [])
        inner = {key for entry in entries for key in entry.get("properties", {})}
        if one.get("type") == "object" and one.get("properties"):
            found |= {f"{name}/{key}" for key in one["properties"]}
        else:
            found.add(name)
            found |= {f"{name}/{key}" for key in inner if (name, key) != ("metrics", "name")}
    return found


class SettingsTest(ProgramTest):
    def once(self, document):
        path = f"{self.data}/once.json"
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file)
        status, out, err = run("monitor-agent", "--once", "--format", "json", "--simulate", "--config", path, "--data", self.data)
        self.assertEqual(status, 0, err)
        return json.loads(out)["metrics"]

    def labels_with(self, entry, key):
        return {m["labels"][key] for m in self.once({"metrics": [entry]}) if key in m["labels"]}

    def write(self, key, document):
        path = f"{self.data}/monitor/{key}.json"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(document, file)
        os.replace(path + ".new", path)

    def agent(self, document, server="127.0.0.1:1", agent_id="a"):
        self.write(f"config/{agent_id}", document)
        return self.start_agent(agent_id, server, "--simulate", "--http", "127.0.0.1:0")

    # Cases that `--once` can check.
    def case_metrics(self):
        names = {m["name"] for m in self.once({"metrics": ["load", "uptime"]})}
        self.assertEqual({name.split(".")[1] for name in names}, {"cpu", "uptime"})

    def case_metrics_per_core(self):
        self.assertIn("0", self.labels_with({"name": "cpu", "per_core": True}, "cpu.logical_number"))

    def case_metrics_modes(self):
        self.assertIn("user", self.labels_with({"name": "cpu", "modes": True}, "cpu.mode"))

    def case_metrics_per_device(self):
        self.assertTrue(self.labels_with({"name": "disk read", "per_device": True}, "system.device"))

    def case_metrics_per_interface(self):
        self.assertTrue(self.labels_with({"name": "net in", "per_interface": True}, "network.interface.name"))

    def case_metrics_per_filesystem(self):
        self.assertTrue(self.labels_with({"name": "filesystem", "per_filesystem": True}, "system.filesystem.mountpoint"))

    def case_metrics_counters(self):
        self.assertIn("system.disk.io", {m["name"] for m in self.once({"metrics": [{"name": "disk read", "counters": True}]})})

    def case_metrics_include(self):
        entry = {"name": "net in", "per_interface": True}
        every = self.labels_with(entry, "network.interface.name")
        one = sorted(every)[0]
        self.assertEqual(self.labels_with({**entry, "include": [one]}, "network.interface.name"), {one})

    def case_metrics_exclude(self):
        entry = {"name": "net in", "per_interface": True}
        every = self.labels_with(entry, "network.interface.name")
        one = sorted(every)[0]
        self.assertEqual(self.labels_with({**entry, "exclude": [one]}, "network.interface.name"), every - {one})

    def case_plugins(self):
        names = {m["name"] for m in self.once({"metrics": ["load", "uptime"], "plugins": [{"name": "filter", "config": {"keep": ["system.uptime"]}}]})}
        self.assertEqual(names, {"system.uptime"})

    def case_labels(self):
        self.assertTrue(all(m["labels"]["rack"] == "r12" for m in self.once({"metrics": ["load"], "labels": {"rack": "r12"}})))

    # Cases that need a running agent.
    def case_interval_and_send_every_and_own_interval_and_groups(self):
        server = self.start_server()
        self.write("groups/web", {"labels": {"of": "web"}})
        self.agent({"interval": 0.2, "send_every": 1, "groups": ["web"], "metrics": ["load", {"name": "uptime", "interval": 0.1}]}, server)
        wait_until(lambda: len([b for b in self.batches("a") if len(b["frames"]) >= 8]) >= 2, "two batches of a second")
        batch = [b for b in self.batches("a") if len(b["frames"]) >= 8][-1]
        frames = {name: sum(any(s["name"].startswith(name) for s, _ in f["points"]) for f in batch["frames"]) for name in ("system.uptime", "system.cpu.load")}
        self.assertEqual(frames, {"system.uptime": 10, "system.cpu.load": 5}, "ticks of 100 ms and of 200 ms in a batch of 1 s")
        self.assertEqual(json.loads(run("monitor-analysis", "get-metrics", "--log", f"sqlite:{self.data}/log.db", "--from", "earliest", "--count", 1,
                                        "--format", "json", "--data", self.data)[1])["metrics"][0]["labels"]["of"], "web")

    def case_log_level(self):
        agent = self.agent({"log_level": "warning"}, agent_id="log")

        def applied(revision):
            shown = run("monitor-config", "status", "--agent-id", "log", "--format", "json", "--dir", f"{self.data}/monitor")[1]
            return shown and json.loads(shown)["applied"] == revision

        wait_until(lambda: applied(1), "the first revision")
        for revision, level in ((2, "warning"), (3, "info"), (4, "info")):
            self.write("config/log", {"interval": revision, "log_level": level})
            wait_until(lambda revision=revision: applied(revision), f"revision {revision}")
        agent.says("configuration applied revision=4")
        self.assertEqual(agent.said("configuration applied revision=2"), 0)

    def case_spool_max_and_full(self):
        heavy = {f"l{i}": "x" * 1000 for i in range(32)}  # 32 KB per batch
        agents = {}
        for full in ("drop-oldest", "drop-newest"):
            agent = self.agent({"interval": 0.02, "send_every": 0, "metrics": ["load"], "labels": heavy, "spool": {"max": "1MiB", "full": full}}, agent_id=full)
            agents[full] = agent.says(r"listening service=http address=(\S+)").group(1)

        def metric(full, name):
            with urllib.request.urlopen(f"http://{agents[full]}/metrics", timeout=20) as answer:
                return sum(float(v) for v in re.findall(rf"(?m)^{name}(?:\{{[^}}]*\}})? (\S+)$", answer.read().decode()))

        first = {full: wait_until(lambda full=full: metric(full, "monitor_agent_spool_oldest_timestamp_seconds"), "a batch that waits") for full in agents}
        for full in agents:
            wait_until(lambda full=full: metric(full, "monitor_agent_dropped_batches_total") > 3, f"drops of {full}")
            self.assertLessEqual(metric(full, "monitor_agent_spool_bytes"), 1 << 20)
        wait_until(lambda: metric("drop-oldest", "monitor_agent_spool_oldest_timestamp_seconds") > first["drop-oldest"] + 0.01, "the oldest to be evicted")
        self.assertAlmostEqual(metric("drop-newest", "monitor_agent_spool_oldest_timestamp_seconds"), first["drop-newest"], delta=0.005)

    CASES = {
        "interval": case_interval_and_send_every_and_own_interval_and_groups, "send_every": case_interval_and_send_every_and_own_interval_and_groups,
        "groups": case_interval_and_send_every_and_own_interval_and_groups,
        "metrics/interval": case_interval_and_send_every_and_own_interval_and_groups,
        "metrics": case_metrics, "metrics/per_core": case_metrics_per_core, "metrics/modes": case_metrics_modes,
        "metrics/per_device": case_metrics_per_device, "metrics/per_interface": case_metrics_per_interface,
        "metrics/per_filesystem": case_metrics_per_filesystem, "metrics/counters": case_metrics_counters,
        "metrics/include": case_metrics_include, "metrics/exclude": case_metrics_exclude,
        "plugins": case_plugins, "plugins/name": case_plugins, "plugins/config": case_plugins, "labels": case_labels,
        "log_level": case_log_level, "spool/max": case_spool_max_and_full, "spool/full": case_spool_max_and_full,
    }

    def test_table_covers_every_setting_of_the_schema(self):
        known = paths_of(json.loads(run("monitor-config", "schema")[1]))
        self.assertEqual(known, set(self.CASES) | set(ELSEWHERE))
        for path, (place, word) in ELSEWHERE.items():
            with open(os.path.join(ROOT, place), encoding="utf-8") as file:
                self.assertIn(word, file.read(), f"{path}: {place}")

    def test_every_setting_takes_effect(self):
        done = set()
        for path, case in self.CASES.items():
            if case in done:
                continue
            done.add(case)
            with self.subTest(path):
                case(self)
                for program in reversed(self.running):
                    program.kill()
                self.running.clear()


if __name__ == "__main__":
    unittest.main()
