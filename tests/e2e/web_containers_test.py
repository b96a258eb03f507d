"""The sections of containers and sensors on a host's page, in a real browser: they show what the log holds of a host with two
containers and some sensors (a tree of /sys; the rest is this machine)."""
import os
import shutil
import sys
import tempfile
import unittest

sys.path[:0] = [os.path.join(os.path.dirname(__file__), "..", "lib"), os.path.join(os.path.dirname(__file__), "..", "fixtures", "hosts")]
from families.container_runtimes import A, B, v2  # noqa: E402
from families.sensors import chip  # noqa: E402
from kit import Host, lay  # noqa: E402
from web import BrowserTest  # noqa: E402

ROWS = """[...document.querySelectorAll('.containers tbody tr')].map((row) =>
    Object.fromEntries([...row.querySelectorAll('td')].map((cell) => [cell.dataset.column, cell.textContent])))"""
SENSORS = "[...document.querySelectorAll('.sensors tbody tr')].map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent))"


class WebContainersTest(BrowserTest):
    def host(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        host = Host("page", []).put("sys/fs/cgroup/cgroup.controllers", "cpu memory io pids\n")
        host.put_all(v2(f"/system.slice/docker-{A}.scope", 5 * 10**6, (100, 25, 5), 300 << 20, 44 << 20, 512 << 20, 2, {"8:0": (10, 20)}, 17, 100, cpu_max="150000 100000"))
        host.put_all(v2(f"/machine.slice/libpod-{B}.scope", 10**6, memory=64 << 20, threads=3))
        host.put("rootfs/etc/monitor-agent/container-labels.json", f'{{"{A}": {{"container.name": "web"}}}}')
        host.put_all(chip(0, "coretemp", {"temp1_input": 91500, "temp1_label": "Package id 0", "temp1_max": 90000}, "platform/coretemp.0")[0])
        host.put_all(chip(1, "nct6798", {"fan1_input": 1205, "fan1_min": 300}, "platform/nct6775.656")[0])
        lay(host.steps[0], folder)
        return folder

    def test_the_tables_show_what_the_log_holds(self):
        folder = self.host()
        server = self.start_server()
        metrics = '[{"name": "containers", "counters": true}, {"name": "sensors", "limits": true}, "memory", "load"]'
        self.configure("web-1", "set", "interval=1", f"metrics={metrics}")
        self.start_agent("web-1", server, "--sysfs", f"{folder}/sys", "--rootfs", f"{folder}/rootfs")
        self.serve()
        self.browser.open(self.url("agent?agents=web-1"))
        self.browser.wait(f"{ROWS}.length === 2 && {ROWS}.every((row) => row.cpu !== '–')", timeout=30)
        rows = {row["name"]: row for row in self.browser.eval(ROWS)}
        self.assertEqual(set(rows), {"web", B[:12]})
        web = rows["web"]
        self.assertEqual((web["runtime"], web["memory"], web["limit"], web["threads"], web["kills"]), ("docker", "256 MB", "512 MB", "17", "2"))
        self.assertEqual((rows[B[:12]]["runtime"], rows[B[:12]]["limit"]), ("podman", "–"))
        self.assertIn("container.cpu.usage", self.browser.eval("[...document.querySelectorAll('#section-container [data-metric]')].map((one) => one.dataset.metric)"))
        sensors = {row[0]: row[1:] for row in self.browser.eval(SENSORS)}
        self.assertEqual(sensors, {"Package id 0": ["coretemp", "Temperature", "91.5 °C", "–", "90.0 °C", "beyond its limit"], "fan1": ["nct6798", "Fan", "1205 rpm", "300 rpm", "–", "ok"]})
        self.browser.eval("[...document.querySelectorAll('.containers .sort')].find((one) => one.textContent === 'Name').click()")
        self.browser.wait("document.querySelector('.containers th[aria-sort=ascending]')?.textContent === 'Name'")
        for section in ("container", "sensor"):
            self.browser.eval(f"document.getElementById('section-{section}').scrollIntoView()")
            for scheme in ("light", "dark"):
                self.browser.do("scheme", scheme=scheme)
                self.assertEqual(self.browser.do("axe"), [], (section, scheme))
                self.shot(f"host-{section}s-{scheme}")
        self.browser.do("size", width=390, height=844)
        self.assertLessEqual(self.browser.eval("document.documentElement.scrollWidth"), 390)
        for section in ("container", "sensor"):
            self.browser.eval(f"document.getElementById('section-{section}').scrollIntoView()")
            self.shot(f"host-{section}s-phone")
        self.no_faults()


if __name__ == "__main__":
    unittest.main(verbosity=2)
