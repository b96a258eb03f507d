"""A disk of an array fails, a memory module has errors, and the kernel ends a process for lack of memory, on a generated
host below a real agent: the shipped rules fire."""
import os
import re
import shutil
import sys
import tempfile
import unittest
import urllib.parse

sys.path[:0] = [os.path.join(os.path.dirname(__file__), "..", "lib"), os.path.join(os.path.dirname(__file__), "..", "fixtures", "hosts")]
from families.health import EDAC, controller, mdstat  # noqa: E402
from kit import Host, lay  # noqa: E402
from programs import ROOT, wait_until  # noqa: E402
from web import PageTest  # noqa: E402

WHOLE = "md0 : active raid1 sdb1[1] sda1[0]\n      195310144 blocks [2/2] [UU]"
DEGRADED = "md0 : active raid1 sdb1[1](F) sda1[0]\n      195310144 blocks [2/1] [U_]"


class FailingPartsTest(PageTest):
    def rules(self):
        """The shipped file, evaluated each second and without its delays."""
        with open(os.path.join(ROOT, "deploy", "rules", "hosts.yaml"), encoding="utf-8") as file:
            text = re.sub(r"(?m)^( +interval:) .*", r"\1 1s", re.sub(r"(?m)^( +for:) .*", r"\1 0s", file.read()))
        path = f"{self.data}/rules.yaml"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def firing(self):
        return {(one["labels"]["alertname"], one["annotations"]["summary"]) for one in self.get("/api/v1/alerts")["data"]["alerts"] if one["state"] == "firing"}

    def test_failures_reach_a_firing_rule(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        host = Host("health", []).put("proc/mdstat", mdstat(WHOLE)).put("proc/vmstat", "oom_kill 3\n")
        host.put_all(controller(0, {"ce_noinfo_count": 0, "ue_noinfo_count": 0}, {0: ("A1", 0, 0), 1: ("A2", 0, 0)}))
        lay(host.steps[0], folder)
        server = self.start_server()
        self.configure("raid-1", "set", "interval=1", 'metrics=["md", "edac", "clock", "vmstat"]')
        self.start_agent("raid-1", server, "--procfs", f"{folder}/proc", "--sysfs", f"{folder}/sys")
        self.serve("--rules", self.rules())
        seen = lambda query: self.get("/api/v1/query?" + urllib.parse.urlencode({"query": query}))["data"]["result"]
        wait_until(lambda: seen("system_md_disk_missing == 0") and seen("count(hw_errors_total) == 6") and seen("system_clock_steps_total == 0") and seen("system_memory_oom_kills_rate_per_second == 0"), "the values of a healthy host", 30)
        self.assertEqual({one for one in self.firing() if one[0].startswith(("Array", "Memory", "ClockStepped", "OomKill"))}, set())
        host.then().put("proc/mdstat", mdstat(DEGRADED)).put(f"{EDAC}/mc0/dimm1/dimm_ue_count", "1\n").put("proc/vmstat", "oom_kill 4\n")
        lay(host.steps[1], folder)
        expected = {
            ("OomKill", "raid-1: the kernel ended a process because memory ran out"),
            ("ArrayDegraded", "raid-1: the array md0 lacks 1 of its disks"),
            ("ArrayDiskFailed", "raid-1: 1 disks of the array md0 have failed"),
            ("MemoryErrorUncorrected", "raid-1: uncorrected errors in the memory module A2 (mc0:dimm1)"),
        }
        wait_until(lambda: expected <= self.firing(), "the rules to fire", 60)
        host.then().put("proc/mdstat", mdstat(WHOLE))
        lay(host.steps[2], folder)
        wait_until(lambda: not {one for one in self.firing() if one[0].startswith("Array")}, "the alerts of the array to end", 60)


if __name__ == "__main__":
    unittest.main()
