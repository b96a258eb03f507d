"""The examples of the Python version's README, as docs/from-python.md translates them, on a real etcd and a real Kafka
with default ports and names. Results are checked with etcdctl and kcat.

The test runs in its own network namespace with only loopback, so the default ports are free."""
import json
import os
import shlex
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from programs import BIN, ROOT, Program, ProgramTest, run, wait_until  # noqa: E402
from services import kcat  # noqa: E402

from decode_batch import decode  # noqa: E402

SELECTORS = ["cpu", "memory", "disk read", "disk write", "net in", "net out"]
DEDUPLICATION = "agent.plugins.deduplication.DeduplicationPlugin"
MY_PLUGIN = "agent.plugins.my_plugin.MyPlugin"
SERVICES = tempfile.TemporaryDirectory(prefix="monitor-from-python-")


def setUpModule():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    status, _, err = run(f"{ROOT}/tools/services", "up", "--dir", SERVICES.name, limit=180)
    assert status == 0, err


def tearDownModule():
    run(f"{ROOT}/tools/services", "down", "--dir", SERVICES.name, limit=90)
    SERVICES.cleanup()


def etcdctl(*arguments):
    done = subprocess.run(["etcdctl", *arguments], capture_output=True, text=True, timeout=30, env={**os.environ, "ETCDCTL_API": "3"})
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip("\n")


def in_kafka(agent_id):
    """Returns the decoded batches of one agent in the topic."""
    out = kcat("-C", "-q", "-b", "localhost:9092", "-t", "monitoring-data", "-o", "beginning", "-e", "-f", "%K %S %k%s\n")
    batches, at = [], 0
    while at < len(out):
        key_size, rest = out[at:].split(b" ", 1)
        value_size, rest = rest.split(b" ", 1)
        key, value = rest[: int(key_size)], rest[int(key_size) : int(key_size) + int(value_size)]
        at = len(out) - len(rest) + int(key_size) + int(value_size) + 1
        if key.decode() == agent_id:
            batches.append(decode(value))
    return batches


def frames(agent_id, revision=0):
    """Returns (time in seconds, metric names) of every tick with a configuration revision of at least `revision`."""
    return [(frame["time"] / 1e9, {series["name"] for series, _ in frame["points"]})
            for batch in in_kafka(agent_id) if batch["config_revision"] >= revision for frame in batch["frames"]]


class FromPython(ProgramTest):
    def setUp(self):
        super().setUp()
        # Only the folders belong to this test; everything else is at its default.
        self.env = {"PATH": f"{BIN}:{os.environ['PATH']}", "MONITOR_SERVER_DATA": self.data, "MONITOR_AGENT_DATA": self.data}

    def terminal(self, line):
        """Runs a command line in the background."""
        program = Program("/bin/bash", "-c", "exec " + line, env=self.env)
        self.running.append(program)
        return program

    def typed(self, line):
        status, out, err = run("/bin/bash", "-c", line, env={**os.environ, **self.env})
        self.assertEqual(status, 0, f"{line}: {err}")
        return out

    def start_server(self):
        server = self.terminal("monitor-server")
        server.says("listening service=grpc address=127.0.0.1:50051")
        server.says("writing to Kafka")
        return server

    def stored(self, agent_id):
        return json.loads(etcdctl("get", f"/monitor/config/{agent_id}", "--print-value-only"))

    def status(self, agent_id):
        return json.loads(etcdctl("get", f"/monitor/status/{agent_id}", "--print-value-only") or "{}")

    def test_quick_start_works(self):
        self.typed("monitor-config --agent-id agent-001 --interval 5")
        document = self.stored("agent-001")
        self.assertEqual((document["interval"], document["metrics"], document["plugins"]), (5, SELECTORS, []))
        self.start_server()
        reader = self.terminal("monitor-analysis get-metrics")
        agent = self.terminal("monitor-agent --agent-id agent-001 --etcd-host localhost --etcd-port 2379")
        agent.says("configuration applied .*source=/monitor/config/agent-001")
        # The row of the first tick has no rates yet.
        reader.prints(r"^\S+ \S+ +agent-001 +[0-9.]+ +[0-9.]+ +[\d,]+ / [\d,]+( +[0-9.]+){4}$")
        # The topic as other consumers see it: the agent id is the key, the main fields of the envelope are headers.
        line = kcat("-C", "-q", "-b", "localhost:9092", "-t", "monitoring-data", "-o", "beginning", "-e", "-f", "%k %h\n").decode().splitlines()
        self.assertTrue(any(entry.startswith("agent-001 ") and "agent=agent-001" in entry and "sequence=1" in entry for entry in line), line)
        # With these options the analysis program ends by itself, with status 0.
        out = self.typed("monitor-analysis get-metrics --kafka localhost:9092 --group-id my-team --timeout 10")
        self.assertIn("agent-001", out)

    def test_options_of_setup_script_and_agent_work(self):
        self.typed('monitor-config --agent-id agent-opt --interval 5 --metrics cpu memory "disk read" "disk write" "net in" "net out" '
                   f"--plugins {DEDUPLICATION}")
        self.assertEqual(self.stored("agent-opt"), {**self.stored("agent-opt"), "interval": 5, "metrics": SELECTORS, "plugins": [DEDUPLICATION]})
        agent = self.terminal("monitor-agent --agent-id agent-opt --server localhost:50051 --etcd-host localhost --etcd-port 2379 "
                              "--config-key /monitor/config/agent-opt")
        agent.says("configuration applied .*source=/monitor/config/agent-opt")
        # The complete document of the README, and its update with etcdctl.
        document = json.dumps({"interval": 5, "metrics": SELECTORS, "plugins": [DEDUPLICATION]}, indent=4)
        etcdctl("put", "/monitor/config/agent-opt", document)
        agent.says("configuration applied", 2)
        self.typed("ETCDCTL_API=3 etcdctl put /monitor/config/agent-opt "
                   + shlex.quote('{"interval": 10, "metrics": ["cpu", "memory"], "plugins": []}'))
        agent.says("configuration applied", 3)

    def test_multiple_agents_have_their_own_intervals(self):
        intervals = {"agent-101": 5, "agent-102": 10, "agent-103": 15}
        for agent_id, interval in intervals.items():
            self.typed(f"monitor-config --agent-id {agent_id} --interval {interval}")
        self.start_server()
        for agent_id in intervals:
            self.terminal(f"monitor-agent --agent-id {agent_id}").says(f"configuration applied .*source=/monitor/config/{agent_id}")
        for agent_id in intervals:
            wait_until(lambda i=agent_id: self.status(i), f"the status of {agent_id}")
            wait_until(lambda i=agent_id: len(frames(i)) >= 3, f"three ticks of {agent_id} in Kafka")
        for agent_id, interval in intervals.items():
            # The first tick is sent at once, before the schedule begins.
            first, second = (time for time, _ in frames(agent_id)[1:3])
            self.assertAlmostEqual(second - first, interval, delta=0.5, msg=agent_id)

    def test_update_applies_without_restart(self):
        self.typed("monitor-config --agent-id agent-201 --interval 1")
        self.start_server()
        agent = self.terminal("monitor-agent --agent-id agent-201")
        agent.says("configuration applied .*source=/monitor/config/agent-201")
        wait_until(lambda: "system.network.io.rate" in set().union(*(names for _, names in frames("agent-201"))), "rates before the update")
        self.typed("monitor-config --agent-id agent-201 --interval 2 --metrics cpu memory")
        self.assertEqual((self.stored("agent-201")["interval"], self.stored("agent-201")["metrics"]), (2, ["cpu", "memory"]))
        agent.says("configuration applied", 2)
        revision = wait_until(lambda: self.status("agent-201").get("revision"), "the status")
        wait_until(lambda: len(frames("agent-201", revision)) >= 2, "two ticks after the update in Kafka")
        (first, names), (second, _) = frames("agent-201", revision)[:2]
        self.assertTrue(names and all(n.startswith(("system.cpu", "system.memory")) for n in names), names)
        self.assertAlmostEqual(second - first, 2, delta=0.5)

    def test_custom_plugin_runs(self):
        self.typed("monitor-config --agent-id agent-301 --interval 1")
        self.start_server()
        agent = self.terminal("monitor-agent --agent-id agent-301")
        wait_until(lambda: frames("agent-301"), "a tick before the plugin")
        self.typed(f"monitor-config --agent-id agent-301 --plugins {DEDUPLICATION} {MY_PLUGIN}")
        self.assertEqual(self.stored("agent-301")["plugins"], [DEDUPLICATION, MY_PLUGIN])
        agent.says("configuration applied", 2)
        revision = wait_until(lambda: self.status("agent-301").get("revision"), "the status")
        wait_until(lambda: frames("agent-301", revision), "a tick through both plugins in Kafka")


if __name__ == "__main__":
    if len(sys.argv) == 1:  # first enters a new network namespace
        root = [] if os.geteuid() == 0 else ["--map-root-user"]
        os.execvp("unshare", ["unshare", *root, "--net", sys.executable, "-W", "ignore::ResourceWarning", __file__, "-v"])
    unittest.main()
