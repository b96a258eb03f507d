"""An agent with a plugin folder, for tests of hosted plugins."""
import json
import os
import re
import shutil
import urllib.request

from programs import ProgramTest, wait_until

PLUGINS = os.path.join(os.environ.get("MONITOR_BUILD_DIR", ""), "tests", "plugins")


class PluginTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.folder = f"{self.data}/plugins"
        os.makedirs(self.folder)
        os.makedirs(f"{self.data}/monitor/config")

    def put(self, name, source=None, text=None):
        """Installs a plugin atomically: the test plugin `source`, or a script with this text."""
        target = f"{self.folder}/{name}.{'so' if text is None else 'lua'}"
        if text is None:
            shutil.copy(f"{PLUGINS}/{source or name}.so", f"{self.folder}/.new")
        else:
            with open(f"{self.folder}/.new", "w", encoding="utf-8") as file:
                file.write(text)
        os.rename(f"{self.folder}/.new", target)

    def put_python(self, module, text):
        """Installs agent/plugins/MODULE.py atomically."""
        folder = f"{self.folder}/agent/plugins"
        os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/.new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(f"{folder}/.new", f"{folder}/{module}.py")

    def document(self, plugins, agent_id="a", **fields):
        """Replaces the agent's own document atomically."""
        path = f"{self.data}/monitor/config/{agent_id}.json"
        with open(f"{self.data}/new.json", "w", encoding="utf-8") as file:
            json.dump({"interval": 0.01, "metrics": ["memory", "load"], "send_every": 0.2, **fields, "plugins": plugins}, file)
        os.rename(f"{self.data}/new.json", path)

    def run_agent(self, server=None, *arguments):
        agent = self.start_agent("a", server or "127.0.0.1:1", "--http", "127.0.0.1:0", *arguments)
        agent.http = agent.says(r"listening service=http address=(\S+)").group(1)
        return agent

    def metric(self, agent, name):
        """Returns the sum of an agent's own metric over its series; `name` may contain labels."""
        with urllib.request.urlopen(f"http://{agent.http}/metrics", timeout=10) as page:
            text = page.read().decode()
        found = re.findall(rf"^monitor_agent_{name}(?:{{[^}}]*}})? (\S+)$", text, re.M)
        return sum(map(float, found))

    def status(self):
        with open(f"{self.data}/monitor/status/a.json", encoding="utf-8") as file:
            return json.load(file)

    def plugin_status(self, name):
        """Returns the plugin's part of the agent's status, or None."""
        try:
            return next((p for p in self.status()["plugins"] if p["name"] == name), None)
        except (OSError, ValueError):
            return None

    def until_status(self, name, condition, what):
        def holds():
            status = self.plugin_status(name)
            return status if status is not None and condition(status) else None

        return wait_until(holds, what)

    def hosts(self, agent):
        """Returns the process ids of an agent's plugin hosts."""
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as stat:
                    text = stat.read()
            except OSError:
                continue
            fields = text.rpartition(")")[2].split()
            if int(fields[1]) == agent.process.pid and fields[0] != "Z":
                found.append(int(entry))
        return found

    def drops(self, plugin):
        """Returns the drop records of a plugin in the log."""
        return [drop for batch in self.batches("a") for drop in batch["drops"] if drop["plugin"] == plugin]
