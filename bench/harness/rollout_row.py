"""Rollouts: from the start of a rollout, without waits, until the last of many agents has applied the document by its status, beside a
put of the group's document that all agents read at once."""
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import datetime

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "tests", "lib"))
from etcd import Etcd  # noqa: E402
from pairs import Line, Target, compare, measure  # noqa: E402
from processes import Ended, start  # noqa: E402
from programs import BIN  # noqa: E402

GROUP = "all"


def document(number):
    return json.dumps({"interval": 5, "labels": {"round": str(number)}})


def config(etcd, *arguments):
    done = subprocess.run([os.path.join(BIN, "monitor-config"), *arguments, "--etcd", etcd.address], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def at_once(etcd, number):
    """Seconds from a put until all have reported that they have applied it."""
    began = time.monotonic()
    etcd.put(f"/monitor/groups/{GROUP}", document(number))
    config(etcd, "wait", "--group", GROUP, "--timeout", "300s")
    return time.monotonic() - began


def rolled_out(etcd, number, *steps):
    """Seconds from the start until all agents of the last step had applied the document, and until the rollout was done."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(document(number))
        file.flush()
        out = config(etcd, "rollout", "start", file.name, "--group", GROUP, "--canary", steps[0], "--steps", ",".join(steps[1:]) or "100%",
                     "--wait", "0s", "--no-judge", "--format", "json")
    events = [json.loads(line) for line in out.splitlines()]
    assert any(one["event"] == "done" for one in events), events[-1]
    at = {one["event"]: datetime.fromisoformat(one["time"].replace("Z", "+00:00")).timestamp() for one in events}
    return at["applied"] - at["started"], at["done"] - at["started"]


class Fleet:
    def __init__(self, etcd):
        self.etcd = etcd
        self.number = 0

    def document_at_once(self):
        self.number += 1
        seconds = at_once(self.etcd, self.number)
        return {"one": seconds, "three": seconds, "done": seconds}

    def in_steps(self):
        self.number += 2
        one, _ = rolled_out(self.etcd, self.number - 1, "100%")
        three, done = rolled_out(self.etcd, self.number, "5%", "25%", "100%")
        return {"one": one, "three": three, "done": done}


def rollout(options):
    agents = 200 if options.quick else 10_000
    etcd = Etcd()
    try:
        etcd.put(f"/monitor/groups/{GROUP}", document(0))
        ramp = "1s" if options.quick else "60s"
        with Ended(start("monitor-load", "fleet", "--agents", str(agents), "--group", GROUP, "--changes", "0", "--stay", "--ramp", ramp,
                         "--limit", "300s", "--etcd", etcd.address)) as program:
            program.says("all agents stay", limit=400)
            fleet = Fleet(etcd)
            fleet.document_at_once()  # warm-up
            blocks = measure(fleet.document_at_once, fleet.in_steps, [], 1, 0)
        yield Line("rollout", f"{agents} agents, one step: to the last applied", "s", compare(blocks, "one"), [Target(2, of="ours", unit="s")])
        yield Line("rollout", f"{agents} agents, 5%, 25%, 100%: to the last applied", "s", compare(blocks, "three"))
        yield Line("rollout", f"{agents} agents, 5%, 25%, 100%: to its end", "s", compare(blocks, "done"))
    finally:
        etcd.close()
