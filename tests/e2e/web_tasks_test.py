"""What operators do most often with the page, from Home with real agents, each in at most so many clicks. Typing counts as no
click, but then a field must have the focus by itself or after Tab. Each result is compared with an independent reading."""
import json
import os
import re
import sqlite3
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import run, wait_until  # noqa: E402
from web import BrowserTest, stamp  # noqa: E402

RULES = """
groups:
  - name: test
    interval: 1s
    rules:
      - alert: AlwaysBusy
        expr: system_cpu_utilization_ratio{cpu_mode="", cpu_logical_number=""} > 0.0001
"""
PASSWORD = "correct horse battery"
NOON = {"host": "h", "incarnation": "0c" * 16, "config_revision": 0, "resource": {}, "first_unacked": 1, "drops": [], "ended": [], "older": [],
        "counters": {"ticks_due": 9, "ticks_missed": 0, "points_made": 9, "dropped": []}, "agent_version": "0.1.0", "send_every_ns": 10 ** 9}
BUSIER = json.dumps({"name": "scale", "config": {"match": "system.cpu.utilization", "offset": 0.4}})
CPU = '[data-metric="system.cpu.utilization"][data-by=""]'
LEGEND = f"[...document.querySelectorAll('{CPU} .u-series')].map((one) => [one.querySelector('.u-label').textContent, one.querySelector('.u-value').textContent])"


class WebTasksTest(BrowserTest):
    def records(self, agent):
        """How many batches the log has from the agent itself, not from store_noon()."""
        with sqlite3.connect(f"file:{self.data}/log.db?mode=ro", uri=True, timeout=20) as log:
            return log.execute("SELECT count(*) FROM records WHERE key = ? AND headers NOT LIKE '%json%'", (agent,)).fetchone()[0]

    def start_fleet(self, agents=("agent-1", "agent-2", "agent-10"), *arguments, busy=""):
        self.server = self.start_server()
        self.agents = {}
        for seed, name in enumerate(agents, 1):
            self.configure(name, "--interval", "1", *(["--plugins", BUSIER] if name == busy else []))
            self.agents[name] = self.start_agent(name, self.server, f"--simulate={seed}")
        self.serve("--dir", f"{self.data}/monitor", *arguments)
        wait_until(lambda: all(self.records(name) >= 5 for name in agents), "batches of all agents")

    def home(self):
        self.clicks = 0
        self.browser.open("about:blank")
        self.browser.open(self.url("overview"))
        self.browser.wait(f"document.querySelectorAll('.host-card').length === {len(self.agents)} && document.querySelector('.lamp.live') !== null")

    def click(self, selector):
        self.clicks += 1
        self.browser.wait(f"document.querySelector({selector!r}) !== null")
        self.browser.do("click", selector=selector)

    def within(self, clicks):
        self.assertLessEqual(self.clicks, clicks)
        self.no_faults()

    def lately(self, agent):
        """The mean of the host's CPU over the last minute, as stored."""
        values = self.cpu_values(agent)
        recent = [v for at, v in values.items() if at > max(values) - 60]
        return sum(recent) / len(recent)

    def is_stored(self, agent, text):
        """The log holds this value, or values of ten seconds with this mean, as the page shows longer ranges."""
        shown = float(text.removesuffix(" %")) / 100
        stored = self.cpu_values(agent)
        spans = {}
        for at, value in stored.items():
            spans.setdefault(at // 10, []).append(value)
        means = [sum(values[:many]) / many for values in spans.values() for many in range(1, len(values) + 1)]
        self.assertLess(min(abs(value - shown) for value in [*stored.values(), *means]), 5.1e-4, (text, stored))

    def token(self):
        with open(f"{self.data}/web-token", encoding="ascii") as file:
            return file.read().strip()

    def test_the_busiest_host_and_its_cpu_of_the_last_hour(self):
        self.start_fleet(busy="agent-2")
        self.home()
        means = {name: self.lately(name) for name in self.agents}
        ordered = sorted(means, key=means.get)
        self.assertGreater(means[ordered[-1]], means[ordered[-2]] + 0.1, "the fixture has one busiest host")
        text = self.browser.wait("document.querySelector('[data-total=cpu] .tile-most')?.textContent")
        self.assertAlmostEqual(float(re.search(r"([\d.]+) %$", text).group(1)) / 100, means[ordered[-1]], delta=0.1)
        self.click("[data-total=cpu] .tile-most")
        self.browser.wait(f"location.hash === '#/agent?agents={ordered[-1]}'")
        self.within(1)
        self.click(".spans button:nth-child(3)")
        self.browser.wait(f"new URLSearchParams(location.hash.split('?')[1]).get('span') === '3600' && document.querySelector('{CPU} .u-value') !== null")
        self.assertEqual(self.browser.eval("document.querySelector('.spans [aria-pressed=true]').textContent"), "1 h")
        shown = self.browser.wait(f"((all) => all[1]?.[1].endsWith('%') && all[1][1])({LEGEND})")
        self.is_stored(ordered[-1], shown)
        self.within(2)

    def test_two_hosts_are_compared(self):
        self.start_fleet()
        self.home()
        self.click("[data-agent=agent-2] h3 a")
        self.click(".agent-field")
        self.browser.wait("[...document.querySelectorAll('.combobox [role=option]')].map((one) => one.textContent).join() === 'agent-1,agent-10'")
        self.click(".combobox [role=option]:nth-child(2)")
        shown = self.browser.wait(f"((all) => all.length === 3 && all[1][1].endsWith('%') && all[2][1].endsWith('%') && all)({LEGEND})")
        self.assertEqual([name for name, _ in shown], ["time" if i == 0 else name for i, (name, _) in enumerate(shown)])
        for name, value in shown[1:]:
            self.is_stored(name.split()[0], value)
        self.assertEqual({name.split()[0] for name, _ in shown[1:]}, {"agent-2", "agent-10"})
        self.within(3)

    def test_why_a_host_is_silent(self):
        self.start_fleet()
        self.configure("agent-2", "set", "--interval", "1", "--plugins", '{"name": "filter", "config": {"drop": ["*"]}}')
        wait_until(lambda: {one["agent"]: one["health"] for one in self.get("/api/v1/fleet")["agents"]}["agent-2"] == "silent", "a silent agent", 60)
        self.home()
        self.browser.wait("document.querySelector('[data-agent=agent-2]').classList.contains('is-silent')")
        # Its card says why, and so does its page.
        why = self.browser.eval("document.querySelector('[data-agent=agent-2] .card-why').textContent")
        self.assertIn("plugin", why)
        self.click("[data-agent=agent-2] h3 a")
        self.browser.wait(f"document.querySelector('.fact[data-agent=agent-2]')?.textContent.includes({why!r})")
        # The agent itself says that its plugins dropped everything.
        dropped = [batch for batch in self.batches("agent-2") if not any(frame["points"] for frame in batch["frames"])]
        self.assertTrue(dropped, "batches without points in the log")
        self.within(2)

    def test_an_alert_is_silenced_for_two_hours(self):
        rules = f"{self.data}/rules.yaml"
        with open(rules, "w", encoding="utf-8") as file:
            file.write(RULES)
        self.start_fleet(("agent-1", "agent-2"), "--rules", rules)
        self.home()
        self.browser.wait("document.querySelector('a.tile.is-loud') !== null")
        self.click("a.tile.is-loud")
        self.click("[data-alert=AlwaysBusy][data-agent=agent-2] .silence-it")
        self.browser.wait("document.activeElement.closest('.silence-form') !== null")
        begin = time.time()
        self.browser.do("type", text="planned work")
        self.browser.do("key", key="Tab")
        self.browser.do("type", text=self.token())
        self.click(".silence-form .main")
        self.browser.wait("document.querySelector('[data-alert=AlwaysBusy][data-agent=agent-2]') === null && document.querySelectorAll('.alert-row').length === 1")
        self.within(3)
        with sqlite3.connect(f"file:{self.data}/alerts.db?mode=ro", uri=True) as stored:
            [(matchers, ends)] = stored.execute("SELECT matchers, ends_ms FROM silences").fetchall()
        self.assertTrue("AlwaysBusy" in matchers and "agent-2" in matchers and "agent-1" not in matchers.replace("agent-2", ""), matchers)
        self.assertAlmostEqual(ends / 1000, begin + 7200, delta=30)

    def store_noon(self):
        """Stores what two agents sent around the latest noon: one tick a second and batch."""
        now = time.time()
        noon = now - now % 86400 + 43200
        if noon > now - 60:
            noon -= 86400
        self.start_server().stop()  # creates the log
        with sqlite3.connect(f"{self.data}/log.db", timeout=30) as log:
            for second in range(-3, 4):
                for agent in ("agent-1", "agent-2"):
                    metric = {"name": "system.cpu.utilization", "labels": {}, "unit": "1", "value": 0.25 + second / 100}
                    batch = {**NOON, "agent": agent, "sequence": second + 4, "appended": stamp(noon + second),
                             "frames": [{"time": stamp(noon + second), "metrics": [metric]}]}
                    log.execute("INSERT INTO records(time_ns, key, headers, value) VALUES(?, ?, ?, ?)",
                                (int((noon + second + 0.2) * 1e9), agent, '{"content-type": "application/json"}', json.dumps(batch).encode()))

    def test_the_message_of_noon_of_one_agent(self):
        self.store_noon()
        self.start_fleet()
        with sqlite3.connect(f"file:{self.data}/log.db?mode=ro", uri=True, timeout=20) as log:
            stored = log.execute("SELECT offset, value FROM records WHERE key = 'agent-2' AND headers LIKE '%json%'").fetchall()
        [(offset, value)] = [one for one in stored if "T12:00:00" in json.loads(one[1])["frames"][0]["time"]]
        self.home()
        self.click("[data-agent=agent-2] h3 a")
        self.click(".fact[data-agent=agent-2] .links a[href*=messages]")
        self.click(".in-at")
        self.browser.do("type", text="12:00:00")
        self.browser.do("key", key="Enter")
        self.browser.wait(f"document.querySelector('.message-view')?.dataset.open === '0:{offset}'")
        self.browser.wait("document.querySelector('.hex-bytes') !== null")
        self.assertTrue(value.hex().startswith(self.browser.eval("document.querySelector('.hex-bytes').textContent.replace(/ /g, '')")))
        self.within(3)

    def test_an_operator_with_a_login_changes_an_interval_and_sees_the_difference(self):
        users = f"{self.data}/users.json"
        status, _, err = run("monitor-analysis", "user", "add", "olga", "--role", "editor", "--users", users, stdin=PASSWORD)
        self.assertEqual(status, 0, err)
        self.start_fleet(("agent-1", "agent-2"), "--users", users)
        document = f"{self.data}/monitor/config/agent-2.json"
        self.clicks = 0
        self.browser.do("expect", texts=["401 (Unauthorized)"])
        self.browser.open(self.url("overview"))
        self.browser.wait("document.querySelector('.login')?.open === true")
        self.browser.do("type", text="olga")
        self.browser.do("key", key="Tab")
        self.browser.do("type", text=PASSWORD)
        self.browser.do("key", key="Enter")
        self.browser.wait("document.querySelectorAll('.host-card').length === 2 && document.querySelector('.lamp.live') !== null")
        self.click("nav a[href='#/config']")
        self.click("button[title='/monitor/config/agent-2']")
        self.browser.wait("document.querySelector('#field-interval')?.value === '1'")
        self.click("#field-interval")
        self.browser.do("key", key="Control+a")
        self.browser.do("type", text="0.5")
        self.browser.wait("document.querySelector('.affected p')?.textContent === '1 agent changes of 1 agent that uses this document.'")
        lines = "[...document.querySelectorAll('.pending .diff > span')].map((one) => one.lastChild.textContent.trim()).filter((one) => /^[-+]/.test(one))"
        removed, added = self.browser.eval(lines)
        self.assertRegex(removed, r'^- *"interval": 1')
        self.assertRegex(added, r'^\+ *"interval": 0\.5')
        with open(document, encoding="utf-8") as file:
            self.assertEqual(json.load(file)["interval"], 1, "nothing is stored before it is saved")
        self.click(".save-bar button.main")
        self.browser.wait("document.querySelector('.saved .good')?.textContent.startsWith('Saved')")
        self.within(4)
        with open(document, encoding="utf-8") as file:
            self.assertEqual(json.load(file)["interval"], 0.5)
        changed = time.time()

        def steps():
            times = sorted(at for at in self.cpu_values("agent-2") if at > changed)[-5:]
            return [after - before for before, after in zip(times, times[1:])]

        wait_until(lambda: len(steps()) == 4 and all(abs(step - 0.5) < 0.1 for step in steps()), "ticks every half second in the log")

    def test_what_a_plugin_dropped(self):
        self.start_fleet(("agent-1", "agent-2"))
        self.configure("agent-1", "set", "--interval", "1", "--plugins", '{"name": "filter", "config": {"drop": ["system.network.*"]}}')
        # What the agent says in its batches that the plugin dropped, added up since its start.
        told = lambda: {one["points"] for batch in self.batches("agent-1") for one in batch["counters"]["dropped"] if (one["stage"], one["plugin"]) == ("plugin", "filter")}  # noqa: E731
        wait_until(lambda: max(told() or {0}) > 4, "dropped points in the log")
        wait_until(lambda: self.get("/api/v1/plugins")["plugins"], "a plugin")
        self.home()
        self.click("nav a[href='#/plugins']")
        self.click("[data-plugin=filter] header button")
        shown = int(self.browser.wait("document.querySelector('[data-plugin=filter] [data-reason=\"plugin/filtered/filter\"]')?.dataset.points"))
        self.assertIn(shown, told())
        self.within(2)

    def test_what_a_change_did_to_cpu(self):
        self.start_fleet(("agent-1", "agent-2"))
        wait_until(lambda: len(self.cpu_values("agent-1")) > 15, "values before the change")
        self.configure("agent-1", "set", "--interval", "1", "--plugins", BUSIER)
        is_busy = lambda: [at for at, v in self.cpu_values("agent-1").items() if v > 0.4]  # noqa: E731
        wait_until(lambda: len(is_busy()) > 5, "values after the change")
        self.home()
        link = ".change.is-config a[href*='agents=agent-1&']"
        self.browser.wait(f"document.querySelector({link!r}) !== null", limit=60000)
        self.click(link)
        tip = self.browser.wait("[...document.querySelectorAll('.mark-of.is-config .mark-icon')].map((one) => one.getAttribute('aria-label')).find((one) => one.includes('before'))", limit=60000)
        self.assertRegex(tip, r"^Configuration at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d: runs configuration revision \d+ · CPU [\d.]+ % before, [\d.]+ % after")
        self.within(2)
        # The means of what is stored on both sides. The page knows a revision some seconds after it applies.
        before, after = (float(one) / 100 for one in re.findall(r"([\d.]+) %", tip))
        values = self.cpu_values("agent-1")
        change = min(is_busy())
        stored = [[v for at, v in values.items() if (at >= change) == late] for late in (False, True)]
        self.assertLess(before, sum(stored[0]) / len(stored[0]) + 0.25)
        self.assertAlmostEqual(after, sum(stored[1]) / len(stored[1]), delta=0.1)
        marked = time.mktime(time.strptime(tip.split(": ")[0].removeprefix("Configuration at "), "%Y-%m-%d %H:%M:%S")) - time.timezone
        self.assertTrue(change - 2 <= marked <= change + 12, (change, marked))


if __name__ == "__main__":
    unittest.main()
