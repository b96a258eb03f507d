"""Names from untrusted sources cannot send control sequences to a reader's terminal."""
import csv
import io
import json
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import run, wait_until  # noqa: E402
from web import PageTest  # noqa: E402

EVIL = "e\x1b[2J\x1b]0;title\x07\x9b31m\u202e\u2066\x7f\r\n\ttail"
ACTS = [chr(c) for c in range(32) if chr(c) != "\n"] + [chr(c) for c in range(0x7f, 0xa0)] + ["\u202e", "\u2066", "\u2028", "\u200f"]


class EscapesTest(PageTest):
    def harmless(self, text, what):
        for one in ACTS:
            self.assertNotIn(one, text, what)

    def test_readers_escape_control_characters_of_a_batch(self):
        batch = self.one_batch()
        made = self.made(batch, "evil", 1, time.time())
        made.update({"host": "h" + EVIL, "agent_version": EVIL, "resource": {"r" + EVIL: "v" + EVIL}})
        made["counters"]["dropped"] = [{"stage": "plugin", "reason": EVIL, "plugin": EVIL, "batches": 1, "ticks": 1, "points": 1}]
        made["frames"][0]["metrics"].append({"name": "m" + EVIL, "labels": {"=1" + EVIL: '"' + EVIL}, "unit": "+1" + EVIL, "value": 1})
        self.write(made, key="hostile")
        log = ("--log", f"sqlite:{self.data}/log.db", "--from", "earliest", "--data", f"{self.data}/reader")
        for form in ("table", "csv", "json"):
            for more in ((), ("--metric", "m*")):
                status, out, err = run("monitor-analysis", "get-metrics", *log, "--timeout", 1, "--format", form, *more)
                self.assertEqual(status, 0, err)
                self.assertIn("\\u001b[2J", out, err)
                self.harmless(out + err, form)
        self.assertEqual({len(row) for row in csv.reader(io.StringIO(run("monitor-analysis", "get-metrics", *log, "--timeout", 1, "--format", "csv")[1]))}, {6})
        status, out, err = run("monitor-analysis", "ledger", *log)
        self.assertIn("\\u001b[2J", out)
        self.harmless(out + err, "ledger")
        wait_until(lambda: "\\\\u001b[2J" in self.get("/api/v1/prometheus"), "the hostile batch")
        self.harmless(self.get("/api/v1/prometheus"), "prometheus")

    def test_config_commands_escape_control_characters(self):
        folder = f"{self.data}/monitor"
        os.makedirs(f"{folder}/config")
        os.makedirs(f"{folder}/status")
        with open(f"{folder}/config/a.json", "w", encoding="utf-8") as file:
            json.dump({"labels": {EVIL: EVIL}, "unknown" + EVIL: 1}, file)
        with open(f"{folder}/status/a.json", "w", encoding="utf-8") as file:
            json.dump({"agent_id": "a", "host": EVIL, "version": EVIL, "state": "failed", "error": EVIL, "applied": 1, "desired": 2,
                       "overrides": [EVIL], "updated": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                       "plugins": [{"name": "p" + EVIL, "kind": "native" + EVIL, "state": "failed" + EVIL, "error": EVIL, "more": EVIL}],
                       "mounts": [{"mount": EVIL, "type": EVIL, "source": EVIL, "since": EVIL}]}, file)
        os.makedirs(f"{folder}/overrides/agents/a")
        with open(f"{folder}/overrides/agents/a/o.json", "w", encoding="utf-8") as file:
            json.dump({"labels": {EVIL: EVIL}}, file, ensure_ascii=False)
        as_json = ("--format", "json")
        for command in (("status",), ("status", *as_json), ("status", "--agent-id", "a"), ("explain", "--agent-id", "a"),
                        ("explain", "--agent-id", "a", *as_json), ("override", "list", "--agent-id", "a", *as_json), ("list",), ("get", "--agent-id", "a"), ("validate", f"{folder}/config/a.json"),
                        ("get", "--agent-id", EVIL.replace("\0", "")), ("override", "list", "--agent-id", "a")):
            _, out, err = run("monitor-config", "--dir", folder, *command)
            self.assertTrue(out + err or command[0] == "override", command)
            if command[:3] != ("get", "--agent-id", "a"):  # prints the stored bytes unchanged to a pipe
                self.harmless(out + err, command)
        self.start_server()
        self.serve()
        for path in ("/api/v1/config", "/api/v1/plugins", "/api/v1/config/explain?agent=a", "/api/v1/config/document?key=/monitor/config/a"):
            self.harmless(self.get(path), path)

    def test_log_lines_escape_control_characters(self):
        server = self.start_server()
        agent = self.start("monitor-agent", "--agent-id", "a", "--server", server.address, "--data", self.data, "--config-dir", f"{self.data}/monitor",
                           "--simulate")
        os.makedirs(f"{self.data}/monitor/config", exist_ok=True)
        with open(f"{self.data}/monitor/config/a.json", "w", encoding="utf-8") as file:
            json.dump({"interval": EVIL, "metrics": [EVIL]}, file)
        agent.says("configuration refused")
        self.harmless("".join(agent.err), "log")


if __name__ == "__main__":
    unittest.main()
