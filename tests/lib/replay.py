"""Runs a host of tests/fixtures/hosts (kit.py) through the real program: replaces its files while `monitor-agent
--once` waits between its two readings."""
import json
import os
import subprocess
import sys
import time
from fractions import Fraction

from programs import BIN, ROOT, wait_until

sys.path.insert(0, os.path.join(ROOT, "tests", "fixtures", "hosts"))

import kit  # noqa: E402


def name_of(metric):
    labels = ",".join(f"{k}={v}" for k, v in sorted(metric["labels"].items()))
    return metric["name"] + (f"{{{labels}}}" if labels else "")


def waits(agent, root):
    """True when the agent has opened files of the tree and sleeps: the first reading is complete."""
    if agent.poll() is not None:
        raise AssertionError(f"the agent ended with {agent.returncode} before the second reading")
    folder = f"/proc/{agent.pid}/fd"
    with open(f"/proc/{agent.pid}/wchan", encoding="ascii") as file:
        asleep = "nanosleep" in file.read()
    return asleep and any(os.path.realpath(os.path.join(folder, fd)).startswith(root) for fd in os.listdir(folder))


class Once:
    """The program's result for a host's two steps: `status`, `values` (series -> value), `said` (standard error), and
    the possible range of the time between its two readings."""

    def __init__(self, host, work):
        root = os.path.join(work, "root")
        for folder in ("proc", "sys"):
            os.makedirs(os.path.join(root, folder))
        kit.lay(host.steps[0], root)
        config = os.path.join(work, "config.json")
        with open(config, "w", encoding="utf-8") as file:
            json.dump({"interval": 1, "metrics": host.metrics}, file)
        began = time.monotonic()
        agent = subprocess.Popen(
            [os.path.join(BIN, "monitor-agent"), "--once", "--format", "json", "--agent-id", "host", "--config", config,
             "--procfs", os.path.join(root, "proc"), "--sysfs", os.path.join(root, "sys"), "--data", os.path.join(work, "data")],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if len(host.steps) > 1:
            wait_until(lambda: waits(agent, root), "the first reading", limit=20)
            kit.lay(host.steps[1], root)
        out, self.said = agent.communicate(timeout=30)
        self.longest = Fraction(time.monotonic() - began)
        self.status = agent.returncode
        metrics = [metric for line in out.splitlines() for metric in json.loads(line)["metrics"]]
        self.values = {name_of(metric): metric["value"] for metric in metrics}
