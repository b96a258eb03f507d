#!/usr/bin/env python3
"""The examples of native plugins in Rust and Go, built with the toolchains of this machine, in a real agent. A toolchain
that is missing is reported, and its example is passed over."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from plugins import PluginTest  # noqa: E402
from programs import run, wait_until  # noqa: E402

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "sdk", "examples")


def program(name):
    """Debian's program, or the first one in PATH."""
    return f"/usr/bin/{name}" if os.path.exists(f"/usr/bin/{name}") else shutil.which(name)


class Examples(PluginTest):
    def build(self, name, command, cwd=None):
        work = tempfile.mkdtemp(prefix="monitor-example-")
        self.addCleanup(shutil.rmtree, work, ignore_errors=True)
        environment = {"PATH": os.environ["PATH"], "HOME": work, "GOCACHE": f"{work}/cache", "GOTOOLCHAIN": "local", "GOFLAGS": "-modcacherw"}
        done = subprocess.run([*command, "-o", f"{work}/{name}.so"] + (["."] if cwd else [f"{EXAMPLES}/rust/label.rs"]), capture_output=True, text=True,
                              cwd=cwd, env=environment, timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return f"{work}/{name}.so"

    def teams(self):
        return {series["labels"].get("team") for b in self.batches("a") for f in b["frames"] for series, _ in f["points"]}

    def check(self, name, library, greeting):
        with open(f"{self.data}/ticks.json", "w", encoding="ascii") as file:
            for value in (1, 2):
                print(json.dumps({"time": "2026-11-25T12:00:00Z", "metrics": [{"name": "a", "value": value, "labels": {"x": "y", "team": "old"}}]}), file=file)
        status, out, err = run("monitor", "plugin", "test", library, "--input", f"{self.data}/ticks.json", "--config", '{"value": "db"}')
        self.assertEqual(status, 0, out + err)
        self.assertIn("+ a{team=db,x=y}  2", out)
        self.assertIn("2 ticks, 0 dropped, 0 failed", out)
        for config, expected in (('{"valu": 1}', "unknown option"), ('{"value": 5}', "must be a text")):
            status, out, err = run("monitor", "plugin", "test", library, "--input", f"{self.data}/ticks.json", "--config", config)
            self.assertEqual(status, 78)
            self.assertIn(expected, err)
        shutil.copy(library, f"{self.folder}/.new")
        os.rename(f"{self.folder}/.new", f"{self.folder}/{name}.so")
        self.document([name])
        agent = self.run_agent(self.start_server())
        agent.says(rf"plugin says plugin={name} line=\"{greeting}\"")
        wait_until(lambda: "ops" in self.teams(), "labelled points in the log")
        self.document([{"name": name, "config": {"value": "web"}}])
        agent.says(rf"plugin continues with its predecessor's state plugin={name}")
        wait_until(lambda: "web" in self.teams(), "points of the new configuration in the log")
        self.assertEqual(self.metric(agent, "plugin_failures_total"), 0)
        self.document([])
        wait_until(lambda: not self.hosts(agent), "the host to end")
        self.assertEqual(agent.stop(), 0)

    @unittest.skipUnless(program("rustc"), "no rustc")
    def test_rust(self):
        self.check("rust_label", self.build("rust_label", [program("rustc"), "--edition", "2021", "--crate-type", "cdylib", "-O", "-C", "panic=abort"]),
                   "hello from Rust")

    @unittest.skipUnless(program("go"), "no go")
    def test_go(self):
        self.check("go_label", self.build("go_label", [program("go"), "build", "-buildmode=c-shared"], f"{EXAMPLES}/go"), "hello from Go")


if __name__ == "__main__":
    unittest.main()
