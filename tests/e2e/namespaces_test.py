"""Kernel tables that a single read does not return completely, and a host's procfs seen from another namespace. The
agent runs in its own network, mount and PID namespaces, and in its own user namespace if the test does not run as
root."""
import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import BIN, ProgramTest  # noqa: E402

INTERFACES = 200
# A dummy device if the kernel has the module, else a tap device: both appear in /proc/net/dev.
ADD = "ip link add {0} type dummy 2>/dev/null || ip tuntap add dev {0} mode tap"


def inside(script, *flags):
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    done = subprocess.run(["unshare", *user, *flags, "sh", "-ec", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise AssertionError(f"status {done.returncode}: {done.stderr}")
    return done.stdout


class NamespacesTest(ProgramTest):
    def agent(self, metrics, *arguments):
        path = os.path.join(self.data, "selection.json")
        with open(path, "w", encoding="utf-8") as out:
            json.dump({"interval": 0.2, "metrics": metrics}, out)
        return " ".join([os.path.join(BIN, "monitor-agent"), "--once", "--format", "json", "--agent-id", "a", "--config", path,
                         "--data", os.path.join(self.data, "inside"), *arguments])

    def test_reports_200_interfaces(self):
        agent = self.agent([{"name": "net in", "per_interface": True, "counters": True}])
        names = " ".join(f"pod{i}" for i in range(INTERFACES))
        out = inside(f"for name in {names}; do {ADD.format('$name')}; done; {agent}", "--net")
        (line,) = [json.loads(text) for text in out.splitlines() if text.startswith("{")]
        for metric in ("system.network.io.rate", "system.network.io"):
            seen = {m["labels"].get("network.interface.name") for m in line["metrics"] if m["name"] == metric}
            self.assertLessEqual({f"pod{i}" for i in range(INTERFACES)}, seen, metric)

    def test_reads_the_network_of_the_host_given_by_procfs(self):
        host = os.path.join(self.data, "host-proc")
        os.mkdir(host)
        agent = self.agent([{"name": "net in", "per_interface": True}], "--procfs", host)
        # "The host" is a namespace with its own interface; its procfs is visible in the inner namespace. Its first
        # process is the outer shell, which must stay alive: `true` prevents it from exec'ing the inner command.
        inner = f"mount -t proc proc /proc; {ADD.format('ctnet')}; {agent}"
        out = inside(f"mount -t proc proc {host}; {ADD.format('hostnet')}; "
                     f"unshare --net --pid --mount --fork sh -ec '{inner}'; true", "--net", "--pid", "--mount", "--fork")
        (line,) = [json.loads(text) for text in out.splitlines() if text.startswith("{")]
        seen = {m["labels"].get("network.interface.name") for m in line["metrics"]}
        self.assertIn("hostnet", seen)
        self.assertNotIn("ctnet", seen)


if __name__ == "__main__":
    unittest.main()
