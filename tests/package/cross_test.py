"""The agent for arm64, built on this machine by tools/cross: its programs, its unit tests, and a tick of this host."""
import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ROOT  # noqa: E402

TOOL = os.path.join(ROOT, "tools", "cross")
BUILD = os.path.join(ROOT, "build", "arm64")
SYSROOT = os.path.join(ROOT, "build", "arm64-sysroot")


def call(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", cwd=ROOT)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: status {done.returncode}\n{done.stdout[-6000:]}")
    return done.stdout


class CrossTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        call(TOOL, "build")

    def test_unit_tests_pass_under_emulation(self):
        self.assertIn("100% tests passed", call(TOOL, "test"))

    def test_programs_are_of_arm64(self):
        for name in ("bin/monitor-agent", "bin/monitor-plugin-host"):
            said = call("readelf", "-h", f"{BUILD}/{name}")
            self.assertRegex(said, r"Machine:\s+AArch64")

    def test_collects_this_host(self):
        out = call("qemu-aarch64-static", "-L", SYSROOT, f"{BUILD}/bin/monitor-agent", "--once", "--format", "json", "--config",
                   "/nowhere.json")
        (tick,) = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        self.assertIn("system.cpu.utilization", {one["name"] for one in tick["metrics"]})


class ToolTest(unittest.TestCase):
    def test_rejects_wrong_arguments(self):
        for arguments in ((), ("run",)):
            done = subprocess.run([TOOL, *arguments], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (64, "usage: tools/cross sysroot|build|test\n"))


if __name__ == "__main__":
    unittest.main()
