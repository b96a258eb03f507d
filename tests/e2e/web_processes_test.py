"""The table of processes on a host's page, in a real browser: it shows what the log holds, and how to switch it on."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import wait_until  # noqa: E402
from web import BrowserTest  # noqa: E402

ROWS = """[...document.querySelectorAll('.processes tbody tr')].map((row) =>
    Object.fromEntries([...row.querySelectorAll('td')].map((cell) => [cell.dataset.column, cell.textContent])))"""
SORT = "[...document.querySelectorAll('.processes .sort')].find((one) => one.textContent === '{}').click()"
SIZES = {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30}


class WebProcessesTest(BrowserTest):
    def stored(self):
        """The values in the log, read without the page's server: (pid, metric, direction) -> values."""
        found = {}
        for batch in self.batches("web-1"):
            for frame in batch["frames"]:
                for series, value in frame["points"]:
                    labels = dict(series["labels"])
                    if "process.pid" in labels:
                        key = labels["process.pid"], series["name"], labels.get("disk.io.direction", "")
                        found.setdefault(key, []).append((value, labels))
        return found

    def bytes_of(self, text):
        number, unit = text.split()
        return float(number) * SIZES[unit]

    def test_a_host_without_processes_says_how_to_switch_them_on_and_then_shows_them(self):
        server = self.start_server()
        self.configure("web-1", "--interval", "1", "--metrics", "cpu", "memory")
        self.start_agent("web-1", server)
        self.serve()
        wait_until(lambda: [a for a in self.get("/api/v1/fleet")["agents"] if a["figures"][0] is not None], "values")
        self.browser.open(self.url("agent?agents=web-1"))
        command = self.browser.wait("document.querySelector('#section-process .command code')?.textContent")
        self.assertEqual(command, "monitor-config set --agent-id web-1 metrics+=processes")
        self.assertTrue(command.endswith("processes"), command)
        self.configure("web-1", "set", "metrics+=processes")
        self.browser.wait(f"{ROWS}.length > 3", timeout=30)
        self.assertIsNone(self.browser.eval("document.querySelector('#section-process .command')"))
        self.check_rows()
        self.check_order()
        self.browser.eval("document.getElementById('section-process').scrollIntoView()")
        for scheme in ("light", "dark"):
            self.browser.do("scheme", scheme=scheme)
            self.assertEqual(self.browser.do("axe"), [], scheme)
            self.shot(f"host-processes-{scheme}")
        self.browser.do("size", width=390, height=844)
        self.assertLessEqual(self.browser.eval("document.documentElement.scrollWidth"), 390)
        self.shot("host-processes-phone")
        self.no_faults()

    def check_rows(self):
        rows = self.browser.eval(ROWS)
        stored = self.stored()
        compared = 0
        for row in rows:
            values = stored.get((row["pid"], "process.memory.usage", ""))
            if values is None or row["memory"] == "–":
                continue
            self.assertIn((row["command"], row["owner"]), {(l["process.command"], l["process.owner"]) for _, l in values})
            shown = self.bytes_of(row["memory"])
            self.assertTrue(any(abs(shown - value) <= 0.006 * value + 1 for value, _ in values), (row, values[:3]))
            compared += 1
        self.assertGreater(compared, 3, rows)
        totals = self.browser.eval("[...document.querySelectorAll('.process-totals [data-state]')].map((one) => one.dataset.state).sort().join()")
        self.assertEqual(totals, "blocked,defunct,running,sleeping,stopped")

    def check_order(self):
        memory = lambda: [self.bytes_of(row["memory"]) for row in self.browser.eval(ROWS) if " " in row["memory"]]
        self.browser.eval(SORT.format("Memory"))
        self.browser.wait("location.hash.includes('processes=-memory')")
        self.assertEqual(memory(), sorted(memory(), reverse=True))
        self.browser.eval(SORT.format("Memory"))
        self.browser.wait("document.querySelector('.processes th[aria-sort=ascending]')?.textContent === 'Memory'")
        self.browser.eval("location.reload()")
        self.browser.wait("document.querySelector('.processes th[aria-sort=ascending]')?.textContent === 'Memory'")
        self.browser.eval(SORT.format("Name"))
        self.browser.wait("document.querySelector('.processes th[aria-sort=ascending]')?.textContent === 'Name'")
        by_name = f"((all) => all.every((one, i) => i === 0 || all[i - 1].command.localeCompare(one.command) <= 0))({ROWS})"
        self.assertTrue(self.browser.eval(by_name))


if __name__ == "__main__":
    unittest.main(verbosity=2)
