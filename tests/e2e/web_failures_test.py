"""The page under adverse conditions, in a real browser: HTML in names, clocks that are years off, dead servers and
agents, a log that is moved away."""
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import wait_until  # noqa: E402
from web import BrowserTest, stamp  # noqa: E402

EVIL = "<img src=x onerror=\"window.pwned=1\"><script>window.pwned=1</script>'\"&amp;</td>"
PAGES = ("overview?view=table", "agent?agents=odd", "messages", "config", "ledger", "plugins")


class WebFailuresTest(BrowserTest):
    def stored(self, key):
        try:
            with open(f"{self.data}/monitor/{key}.json", encoding="utf-8") as file:
                return json.load(file)
        except (OSError, ValueError):
            return None

    def test_html_in_names_is_shown_as_text_on_every_page(self):
        batch = self.one_batch()
        odd = self.made(batch, "odd", 1, time.time())
        odd["host"] = odd["agent_version"] = EVIL
        odd["frames"][0]["metrics"] += [{"name": EVIL, "labels": {EVIL: EVIL, "__proto__": EVIL}, "unit": EVIL, "value": 1},
                                        {"name": "system.disk.io.rate", "labels": {"system.device": EVIL}, "unit": "By/s", "value": 1}]
        self.write(odd, headers={EVIL: EVIL}, key=EVIL)
        self.write({"no": "batch", EVIL: EVIL}, key=EVIL)
        status = wait_until(lambda: self.stored("status/agent-001"), "a status")
        status.update({name: EVIL for name in ("host", "version", "error", "last_failed", "hash")}, groups=[EVIL], overrides=[EVIL],
                      plugins=[{"name": EVIL, "state": EVIL, "last_error": EVIL, EVIL: EVIL}])
        with open(f"{self.data}/monitor/status/odd.json", "w", encoding="utf-8") as file:
            json.dump(status, file)
        with open(f"{self.data}/monitor/config/odd.json", "w", encoding="utf-8") as file:
            file.write("{\"interval\": 1, " + json.dumps(EVIL) + ": " + json.dumps(EVIL) + "}")
        wait_until(lambda: any(a["agent"] == "odd" and a["host"] == EVIL for a in self.get("/api/v1/fleet")["agents"]), "the odd agent")
        scrape = self.get("/api/v1/prometheus")
        self.assertIn("onerror", scrape)
        checked = subprocess.run(["promtool", "check", "metrics"], input=scrape, capture_output=True, text=True, check=False)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        self.browser.open(self.url("ledger"))
        self.browser.eval("localStorage.setItem('monitor-ledger-columns', 'made,missing,host')")
        for page in PAGES:
            self.browser.open("about:blank")
            self.browser.open(self.url(page))
            self.browser.wait("document.querySelector('.lamp.live') !== null")
            self.browser.wait("document.body.textContent.includes('<img src=x onerror')")
            if page == "messages":
                self.browser.wait("document.querySelector('.message-row.bad') !== null")
                self.browser.eval("[...document.querySelectorAll('.message-rows .message-row:not(.bad)')].find((one) => one.textContent.includes('<img')).click()")
                self.browser.wait("[...document.querySelectorAll('.message-view dt')].some((one) => one.textContent.includes('<script>'))")
                self.browser.wait("[...document.querySelectorAll('.values th')].some((one) => one.textContent.includes('<script>'))")
            if page == "config":
                self.browser.eval("[...document.querySelectorAll('main button.plain')].filter((one) => one.textContent === 'odd').forEach((one) => one.click())")
                self.browser.wait("document.querySelector('.config-form').textContent.includes('<script>') && document.querySelector('.explained').textContent.includes('<script>')")
                self.browser.eval("[...document.querySelectorAll('.document-head button')].at(-1).click()")
                self.browser.wait("document.querySelector('.json-place').shadowRoot?.textContent.includes('<script>')")
                self.assertEqual(self.browser.eval("document.querySelector('.json-place').shadowRoot.querySelectorAll('img, script').length"), 0)
            self.assertEqual(self.browser.eval("document.querySelectorAll('main img, main script, #notice img').length"), 0, page)
            self.assertFalse(self.browser.eval("window.pwned === 1"), page)
        self.no_faults()

    def test_reports_clocks_that_are_ten_years_off(self):
        batch = self.one_batch()
        years = 3650 * 86400
        for number in range(1, 9):
            for name, off in (("ahead", years), ("behind", -years)):
                self.write(self.made(batch, name, number, time.time() + off - 8 + number, cpu=number / 10))
        rows = lambda: {a["agent"]: a for a in self.get("/api/v1/fleet")["agents"]}  # noqa: E731
        wait_until(lambda: {"ahead", "behind"} <= rows().keys() and all(rows()[n]["figures"][0] == 0.8 for n in ("ahead", "behind")), "both")
        self.assertIn("monitor_history_points_total", self.get("/metrics"))
        for name, sign in (("ahead", 1), ("behind", -1)):
            row = rows()[name]
            self.assertAlmostEqual(row["clock_error"], sign * years, delta=60)
            self.assertLess(abs(row["tick"] - row["seen"]), 10, "shown at the log's append time")
            self.assertEqual(row["health"], "alive", row["why"])
            wait_until(lambda name=name: len(self.range(name)[0]) == 8, "its ticks in the history, near the log's time")
            self.browser.open(self.url(f"agent?agents={name}"))
            self.browser.wait(f"document.querySelector('.facts').textContent.includes('clock 3,650 d {'ahead' if sign > 0 else 'behind'}')")
            self.browser.wait("document.querySelector('.panel .uplot') !== null")
        extents = [one for name in ("ahead", "behind") for one in self.get(f"/api/ui/v1/series?agent={name}")["extents"]]
        now = time.time()
        self.assertTrue(extents and all(now - 7200 < one["first"] <= one["last"] < now + 60 for one in extents), extents)
        # After the clock is corrected, with or without a restart, the next tick is shown immediately.
        self.write(self.made(batch, "ahead", 9, time.time(), cpu=0.9))
        self.write(self.made(batch, "behind", 1, time.time(), cpu=0.9, run="0e" * 16))
        wait_until(lambda: all(rows()[n]["figures"][0] == 0.9 and rows()[n]["clock_error"] == 0 for n in ("ahead", "behind")), "the corrected clocks")
        self.assertLess(now - rows()["agent-001"]["tick"], 10)
        self.no_faults()

    def test_distinguishes_a_dead_server_from_dead_agents(self):
        server = self.system()
        port = server.address.rsplit(":", 1)[1]
        status = lambda: self.get("/api/v1/status")  # noqa: E731
        health = lambda: self.get("/api/v1/fleet")["agents"][0]["health"]  # noqa: E731
        self.browser.open(self.url("overview?view=table"))
        wait_until(lambda: status()["servers"]["state"] == "writing", "heartbeats", 30)
        self.assertEqual(status()["trouble"], [])
        self.browser.wait("document.querySelector('.lamp.live') !== null && document.querySelector('.is-alive') !== null")
        server.send(signal.SIGKILL)
        server.ends()
        told = wait_until(lambda: status()["trouble"], "the problem to be reported", 40)
        self.assertEqual((len(told), status()["servers"]["state"]), (1, "away"))
        self.assertIn("no server has written the log since", told[0])
        self.browser.wait("document.querySelector('.lamp.quiet')?.textContent === 'no server'"
                          " && document.getElementById('notice').textContent.includes('No server has written the log since')")
        # The agent is alive, because its status is in the files, but no tick could arrive.
        self.browser.wait("document.querySelector('.is-unknown') !== null && document.querySelector('.is-gone') === null")
        wait_until(lambda: health() == "unknown", "the agent to be reported as unknown")
        server = self.start_server(port=port)
        wait_until(lambda: status()["trouble"] == [] and health() == "alive", "the recovery", 60)
        self.browser.wait("document.querySelector('.lamp.live') !== null && document.getElementById('notice').textContent === ''")
        # A server that stops cleanly reports this, so it is shown as stopped immediately.
        self.assertEqual(server.stop(), 0)
        wait_until(lambda: status()["servers"]["state"] == "stopped", "the server to be reported as stopped", 10)
        self.browser.wait("document.querySelector('.lamp.quiet') !== null")
        # A log of an older server has no heartbeats: the state is unknown, without an alarm.
        with sqlite3.connect(f"{self.data}/log.db") as log:
            log.execute("DROP TABLE writers")
        log.close()
        wait_until(lambda: status()["servers"]["state"] == "unknown", "the state to be unknown")
        self.no_faults()

    def test_distinguishes_dead_agents_from_a_dead_server(self):
        self.system()
        for program in self.running:
            if program.name == "monitor-agent":
                program.kill()
        told = wait_until(lambda: self.get("/api/v1/status")["trouble"], "the problem to be reported", 60)
        self.assertRegex(told[0], r"no data from any agent for \d+s; a server writes the log")
        self.browser.open(self.url("overview?view=table"))
        self.browser.wait("document.querySelector('.lamp.quiet')?.textContent === 'no data' && document.querySelector('.is-gone') !== null")

    def test_continues_reading_a_log_that_was_moved_away_and_back(self):
        server = self.system()
        port = server.address.rsplit(":", 1)[1]
        trouble = lambda: self.get("/api/v1/status")["log"]["trouble"]  # noqa: E731
        server.stop()
        with sqlite3.connect(f"{self.data}/log.db") as log:
            log.execute("PRAGMA wal_checkpoint(FULL)")  # so that the log is readable without its WAL
        log.close()
        files = [end for end in ("", "-wal", "-shm") if os.path.exists(f"{self.data}/log.db{end}")]
        self.assertEqual(files, ["", "-wal", "-shm"], "the log is open")
        for end in files:
            os.rename(f"{self.data}/log.db{end}", f"{self.data}/away.db{end}")
        wait_until(trouble, "the page to report the outage")
        # Moves one file after another, as a person would: the page opens the log when only the first file exists.
        os.rename(f"{self.data}/away.db", f"{self.data}/log.db")
        wait_until(lambda: not trouble(), "the page to report the recovery")
        for end in files[1:]:
            os.rename(f"{self.data}/away.db{end}", f"{self.data}/log.db{end}")
        back = time.time()
        self.start_server(port=port)
        wait_until(lambda: (self.range("agent-001")[0] or [0])[-1] > back, "later ticks")
        self.assertEqual(trouble(), "")


if __name__ == "__main__":
    unittest.main()
