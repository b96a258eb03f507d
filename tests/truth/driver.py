"""A client of truth_driver (driver.cc)."""

import json
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("MONITOR_BUILD_DIR", os.path.join(ROOT, "build", "release"))
DRIVER = os.environ.get("MONITOR_TRUTH_DRIVER") or os.path.join(BUILD, "tests", "truth_driver")
LIVE = ""  # the root of this machine


class Driver:
    def __init__(self, path=DRIVER):
        self.process = subprocess.Popen(
            [path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the driver ended with status {self.process.wait()}")
        reply = json.loads(line)
        if "failure" in reply:
            raise RuntimeError(reply["failure"])
        return reply

    def values(self, elapsed_ns=0):
        """Runs one tick, and returns series -> value."""
        return {point["series"]: point["value"] for point in self.ask(tick=elapsed_ns)["points"]}

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
