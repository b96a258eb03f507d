"""The page in a real browser: it shows the stored data, updates live, and recovers from lost connections."""
import json
import math
import os
import signal
import sqlite3
import sys
import time
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import run, wait_until  # noqa: E402
from web import SHOTS, BrowserTest  # noqa: E402

LONG = os.environ.get("MONITOR_LONG") == "1"


class WebTest(BrowserTest):
    def test_overview_shows_the_fleet(self):
        self.system(("agent-001", "agent-002", "agent-003"))
        self.browser.open(self.url("overview?view=table"))
        self.browser.wait("document.querySelectorAll('.fleet-rows .fleet-row:not([hidden])').length === 3")
        self.browser.wait("document.querySelector('.chip.alive b').textContent === '3'")
        self.browser.wait("document.querySelector('.lamp').className === 'lamp live'")
        # A row shows values that the agent sent.
        row = self.browser.wait("""(() => {
          const row = [...document.querySelectorAll('.fleet-rows .fleet-row')].find((one) => one.textContent.includes('agent-002'));
          const cells = [...row.querySelectorAll('[role=cell]')].map((one) => one.textContent);
          return cells[3] !== '–' && cells; })()""")
        seen = {f"{value * 100:.1f}" for value in wait_until(lambda: self.cpu_values("agent-002"), "values in the log").values()}
        self.assertIn(row[3], seen)
        self.assertEqual(self.browser.do("axe"), [])
        # Keyboard: filter, select, open.
        self.browser.do("key", key="/")
        self.browser.eval("document.activeElement.type === 'search'")
        self.browser.do("fill", selector=".overview input", text="003")
        self.browser.wait("document.querySelectorAll('.fleet-rows .fleet-row:not([hidden])').length === 1")
        self.browser.do("key", key="Escape")
        self.browser.do("key", key="j")
        self.browser.do("key", key="Enter")
        self.browser.wait("location.hash.startsWith('#/agent?agents=agent-003')")
        self.no_faults()

    def test_agent_charts_stream_zoom_and_equal_the_log(self):
        self.system(("agent-001", "agent-002"))
        self.browser.open(self.url("agent?agents=agent-001"))
        self.browser.wait("document.querySelectorAll('.panel .uplot').length >= 2")
        points = lambda: self.browser.eval("document.querySelector('.info').textContent")  # noqa: E731
        self.assertIn("every tick", points())
        # Values stream in without user action.
        before = max(self.cpu_values("agent-001"))
        wait_until(lambda: max(self.cpu_values("agent-001")) > before, "another tick")
        self.browser.wait("document.querySelector('[data-figure=CPU]') !== null")
        # The history equals the log exactly.
        wait_until(lambda: len(self.range("agent-001")[1]) >= 5, "five ticks in the history")
        times, values = self.range("agent-001")
        stored = {round(t, 6): v for t, v in self.cpu_values("agent-001").items()}
        self.assertGreaterEqual(len(values), 5)
        for at, value in zip(times, values):
            self.assertIn(round(at, 6), stored)
            self.assertEqual(value, stored[round(at, 6)])
        self.assertEqual(self.browser.do("axe"), [])
        # Two agents in one chart; zoom by drag; back to live by the keyboard.
        self.browser.open(self.url("agent?agents=agent-001,agent-002"))
        self.browser.wait("document.querySelectorAll('[data-metric=\"system.cpu.utilization\"] .u-series').length >= 3")
        self.browser.eval("document.querySelector('[data-metric=\"system.cpu.utilization\"]').scrollIntoView()")
        self.browser.do("size", width=1280, height=3000)  # all charts visible, with axes of different widths
        self.browser.wait("new Set([...document.querySelectorAll('.panel .u-over')].map((one) => one.clientWidth)).size >= 2")
        steps = self.browser.eval("history.length")
        self.browser.do("drag", selector='[data-metric="system.cpu.utilization"] .u-over', **{"from": 0.5, "to": 0.9})
        self.browser.wait("location.hash.includes('from=')")
        self.assertEqual(self.browser.eval("history.length"), steps + 1, "one history entry, whatever the other charts' widths")
        self.browser.eval("history.back()")
        self.browser.wait("!location.hash.includes('from=') && document.querySelector('.info').textContent.includes('– now')")
        self.browser.do("drag", selector='[data-metric="system.cpu.utilization"] .u-over', **{"from": 0.5, "to": 0.9})
        self.browser.wait("location.hash.includes('from=')")
        self.browser.do("key", key="0")
        self.browser.wait("!location.hash.includes('from=')")
        self.a_jump_to_a_section_moves_nothing_else()
        self.the_page_shows_only_the_selected_agents()
        self.no_faults()

    def a_jump_to_a_section_moves_nothing_else(self):
        self.browser.do("size", width=1280, height=500)
        self.browser.open(self.url("agent?agents=agent-001"))
        self.browser.wait("document.querySelectorAll('.jumps button').length >= 3 && document.querySelectorAll('.host-section').length >= 3")
        # Texts for screen readers only, as tables have, are placed absolutely: far below, they must not make more than the view scroll.
        self.browser.eval("""document.querySelectorAll('.host-section').forEach((one) => {
          one.append(Object.assign(document.createElement('span'), { className: 'visually-hidden', textContent: 'text' })); })""")
        self.browser.do("click", selector=".jumps button:nth-child(3)")
        # The smooth scrolling comes to its end with the head of the section right below the tools that stay.
        below = """(() => document.querySelectorAll('.host-section h2')[2].getBoundingClientRect().top
          - document.querySelector('.host-tools').getBoundingClientRect().bottom)()"""
        self.browser.wait(f"{below} >= 0 && {below} <= 60")  # charts that are drawn on the way move it a little
        frame = self.browser.eval("""({ scrolled: [document.scrollingElement.scrollTop, document.body.scrollTop],
          bar: document.getElementById('bar').getBoundingClientRect().top,
          below: innerHeight - document.getElementById('content').getBoundingClientRect().bottom })""")
        self.assertEqual(frame, {"scrolled": [0, 0], "bar": 0, "below": 0})
        self.browser.do("size", width=1280, height=3000)

    def the_page_shows_only_the_selected_agents(self):
        self.browser.do("expect", texts=["404"])  # the browser logs this for an unknown agent
        shown = lambda: self.browser.eval("[...new Set([...document.querySelectorAll('[data-agent]')].map((one) => one.dataset.agent))].join()")  # noqa: E731
        charts = "document.querySelectorAll('.panel').length"
        self.browser.open(self.url("agent?agents=agent-001"))
        self.browser.wait(f"document.querySelector('[data-figure=CPU]') !== null && {charts} >= 4")
        # The navigation's "Agent" selects no agent, so the page shows a list.
        self.browser.do("click", selector="nav a[href='#/agent']")
        self.browser.wait("document.querySelectorAll('.charts .list a').length === 2")
        self.assertEqual((shown(), self.browser.eval(charts)), ("", 0))
        self.browser.do("click", selector=".charts .list a[href$='agent-002']")
        self.browser.wait(f"document.querySelector('[data-agent=agent-002] [data-figure=CPU]') !== null && {charts} >= 4")
        self.assertEqual(shown(), "agent-002")
        # An unknown name is rejected with a message.
        self.browser.do("fill", selector=".agent-field", text="nosuch")
        self.browser.do("key", key="Enter")
        self.browser.wait("document.querySelector('.agent-field').validationMessage === 'Unknown agent: nosuch'")
        self.browser.do("fill", selector=".agent-field", text="")
        # An unknown agent shows no values of other agents, alone or among them.
        self.browser.eval("location.hash = '#/agent?agents=nosuch'")
        self.assertNotIn("agent-002", self.browser.wait("(() => { const all = document.querySelector('.facts').textContent; return all.includes('is known') && all; })()"))
        self.browser.wait("document.querySelector('.info').textContent.startsWith('No values of nosuch')")
        self.assertEqual((shown(), self.browser.eval(charts)), ("nosuch", 0))
        self.browser.eval("location.hash = '#/agent?agents=agent-001,nosuch'")
        self.browser.wait(f"document.querySelector('[data-agent=agent-001] [data-figure=CPU]') !== null && {charts} >= 4")
        self.assertEqual(shown(), "agent-001,nosuch")
        # A late response for an agent that is no longer selected must be ignored.
        self.browser.eval("""(() => {
            const fetched = window.fetch;
            window.held = [];
            window.fetch = async (url, ...more) => {
                const answer = await fetched(url, ...more);
                if (String(url).includes('agent-001')) await new Promise((resolve) => window.held.push(resolve));
                return answer;
            };
            location.hash = '#/agent?agents=agent-001';
        })()""")
        self.browser.wait("window.held.length >= 2")
        self.browser.eval("location.hash = '#/agent?agents=nosuch'")
        self.browser.wait("document.querySelector('[data-agent=nosuch]') !== null && document.querySelector('.info').textContent.startsWith('No values')")
        self.browser.eval("window.held.forEach((one) => one())")
        self.browser.eval("new Promise((resolve) => setTimeout(resolve, 0))")
        self.assertEqual((shown(), self.browser.eval(charts)), ("nosuch", 0))

    def test_history_is_exact_through_kills(self):
        server = self.start_server()
        self.configure("agent-001", "--interval", "0.1")
        self.start_agent("agent-001", server, "--simulate")
        page = self.serve()
        for _ in range(4):
            count = len(self.range("agent-001")[0])
            wait_until(lambda count=count: len(self.range("agent-001")[0]) > count + 3, "more ticks in the history")
            page.send(signal.SIGKILL)
            page.ends()
            page = self.serve()
        self.running[1].stop()
        expected = {round(t, 6): v for t, v in self.cpu_values("agent-001").items()}
        wait_until(lambda: len(self.range("agent-001")[0]) >= len(expected), "all ticks")
        times, values = self.range("agent-001")
        self.assertEqual(len(times), len(expected), "none twice")
        self.assertEqual({round(t, 6): v for t, v in zip(times, values)}, expected)
        counts = self.get("/api/v1/range?agent=agent-001&metric=system.cpu.utilization&resolution=1h&from=-3h")["series"][0]["count"]
        self.assertEqual(sum(counts), len(expected))

    def test_shows_ledger_and_plugins(self):
        self.system()
        self.configure("agent-001", "--plugins", "my_plugin")
        wait_until(lambda: self.get("/api/v1/plugins")["plugins"], "a plugin")
        self.browser.open(self.url("ledger"))
        self.browser.wait("document.querySelectorAll('tbody tr').length === 1")
        self.assertEqual(self.browser.eval("document.querySelector('.equation [data-part=missing]').textContent"), "+0missing")
        # A phone shows the missing batches with the agent.
        self.browser.do("size", width=390, height=800)
        right = self.browser.eval("document.querySelector('td[data-column=missing]').getBoundingClientRect().right")
        self.assertTrue(0 < right < 390, right)
        self.browser.do("size", width=1280, height=800)
        status, out, _ = run("monitor-analysis", "ledger", "--log", f"sqlite:{self.data}/log.db", "--format", "json")
        self.assertEqual(status, 0)
        self.assertEqual(json.loads(out.splitlines()[0])["incarnation"], self.get("/api/v1/ledger")["incarnations"][0]["incarnation"])
        self.assertEqual(self.browser.do("axe"), [])

        self.browser.open(self.url("plugins"))
        self.browser.wait("document.body.textContent.includes('my_plugin')")
        self.assertEqual(self.browser.do("axe"), [])
        self.no_faults()

    def test_shows_and_edits_configuration_and_reports_conflicts(self):
        self.system()
        with open(f"{self.data}/web-token", encoding="ascii") as file:
            token = file.read().strip()
        self.assertEqual(os.stat(f"{self.data}/web-token").st_mode & 0o777, 0o600)
        key = "/monitor/config/agent-001"
        text = "document.querySelector('.json-place').shadowRoot.querySelector('.cm-content').innerText"
        save = ".save-bar button.main"
        disabled = f"document.querySelector('{save}').disabled"
        for page in (0, 1):
            self.browser.open(self.url(f"config?key={key}&view=json"), page=page)
            self.browser.wait(f"{text}.includes('interval')", page=page)
            # Nothing can be saved before something is changed. Without a token the page reports this and sends no request.
            self.assertTrue(self.browser.eval(disabled, page=page))
            self.browser.do("fill", selector=".cm-content", text='{"interval": 1.25}', page=page)
            self.browser.do("click", selector=save, page=page)
            self.browser.wait("document.querySelector('.saved').textContent.includes('web-token') && document.activeElement.type === 'password'", page=page)
            self.browser.do("fill", selector="input[type=password]", text=token, page=page)
        self.assertEqual(self.browser.do("axe"), [])
        # An invalid document is rejected with a reason.
        self.browser.do("expect", texts=["422", "409", "401"])
        self.browser.do("fill", selector=".cm-content", text='{"interval": 1, "metrics": ["cpuu"]}')
        self.browser.wait(f"document.querySelector('.problems').textContent.includes('cpuu') && {disabled}")
        # Concurrent edits: the first is stored and applied, the second gets a conflict, before and while storing.
        self.browser.do("fill", selector=".cm-content", text='{"interval": 3, "metrics": ["cpu"]}', page=1)
        # Neither a change of theme nor a link discards unsaved text.
        self.browser.do("click", selector="button[aria-label='Light or dark']", page=1)
        self.browser.eval("window.confirm = (text) => { window.wasAsked = text; return false; }; location.hash = '#/ledger'", page=1)
        self.browser.wait("window.wasAsked?.includes('not saved') && location.hash.startsWith('#/config')", page=1)
        self.assertIn('"interval": 3', self.browser.eval(text, page=1))
        # While the text is being checked it cannot be saved, and a late answer is about the text that it was asked for.
        self.browser.eval("""(() => {
            const fetched = window.fetch;
            window.held = [];
            window.fetch = async (url, ...more) => {
                const answer = await fetched(url, ...more);
                if (String(url).includes('/validate')) await new Promise((resolve) => window.held.push(resolve));
                return answer;
            };
        })()""")
        self.browser.do("fill", selector=".cm-content", text='{"interval": 2, "metrics": ["cpu", "memory"]}')
        self.browser.wait("window.held.length === 1")
        self.browser.do("fill", selector=".cm-content", text='{"interval": 2, "metrics": ["cpuu"]}')
        self.browser.wait("window.held.length === 2")
        self.browser.eval("window.held[0]()")
        self.assertTrue(self.browser.eval(disabled))
        self.browser.eval("window.held[1]()")
        self.browser.wait("document.querySelector('.problems').textContent.includes('cpuu')")
        self.browser.do("fill", selector=".cm-content", text='{"interval": 2, "metrics": ["cpu", "memory"]}')
        self.browser.wait("window.held.length === 3")
        self.assertTrue(self.browser.eval(disabled))
        self.browser.eval("window.held[2]()")
        self.browser.do("click", selector=save)
        self.browser.wait("document.querySelector('.saved').textContent === 'Saved'")
        self.browser.wait("document.querySelector('.conflict')?.textContent.includes('changed elsewhere')", page=1)
        with open(f"{self.data}/monitor/config/agent-001.json", encoding="utf-8") as file:
            self.assertEqual(json.load(file)["interval"], 2)
        # A change by another client appears without a reload.
        self.configure("agent-001", "set", "--interval", "1.5")
        self.browser.wait(f"{text}.includes('1.5')")
        self.no_faults()

    def test_reports_a_lost_connection_and_recovers(self):
        server = self.system()
        port = int(self.page.address.rsplit(":", 1)[1])
        self.browser.open(self.url("overview?view=table"))
        self.browser.wait("document.querySelector('.lamp').className === 'lamp live'")
        self.browser.do("expect", texts=["ERR_", "Failed to load", "stream"])
        self.page.kill()
        self.browser.wait("document.querySelector('.lamp').className === 'lamp lost'")
        self.browser.wait("document.querySelector('#notice').textContent.includes('No connection')")
        self.serve(port=port)
        self.browser.wait("document.querySelector('.lamp').className === 'lamp live'")
        self.browser.wait("document.querySelector('#notice').textContent === ''")
        tick = "Number(document.querySelector('.fleet-rows .fleet-row [role=cell]:nth-child(14)').textContent.replace(/ s$/, '')) < 4"
        self.browser.wait(tick)
        # Log unavailable: the page shows since when, and recovers.
        server.stop()
        os.rename(f"{self.data}/log.db", f"{self.data}/away.db")
        self.browser.wait("document.querySelector('#notice').textContent.includes('The log has not been readable since')")
        self.assertIn("monitor_web_log_trouble 1", self.get("/metrics"))
        os.rename(f"{self.data}/away.db", f"{self.data}/log.db")
        self.start_server(port=server.address.rsplit(":", 1)[1])
        self.browser.wait("document.querySelector('#notice').textContent === ''")
        # A history that cannot be written is reported separately from the log.
        other = sqlite3.connect(f"{self.data}/history.db", isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        self.browser.wait("document.querySelector('#notice').textContent.includes('The history has not been writable since')", limit=60000)
        self.assertNotIn("The log has not", self.browser.eval("document.querySelector('#notice').textContent"))
        other.execute("ROLLBACK")
        self.browser.wait("document.querySelector('#notice').textContent === ''", limit=60000)
        self.assertEqual(self.browser.do("faults"), [])

    def test_an_abandoned_page_does_not_affect_the_next(self):
        self.system()
        self.browser.open(self.url("overview?view=table"))
        self.browser.wait("document.querySelectorAll('.fleet-rows .fleet-row:not([hidden])').length === 1")
        # Enter activates the focused element, not the selected agent.
        self.browser.do("key", key="j")
        self.browser.eval("document.querySelector('.chip.alive').focus()")
        self.browser.do("key", key="Enter")
        self.browser.wait("location.hash === '#/overview?view=table&state=alive'")
        # The fleet's response arrives after the user has opened an agent.
        self.browser.eval("""(() => {
            const fetched = window.fetch;
            window.fetch = async (url, ...more) => {
                if (String(url).endsWith('/fleet') && location.hash.startsWith('#/overview')) {
                    await new Promise((resolve) => { window.letGo = resolve; });
                    window.gone = true;
                }
                return fetched(url, ...more);
            };
            const Source = window.EventSource;
            window.EventSource = class extends Source { constructor(url) { super(url); window.followed = url; } };
            location.hash = '#/ledger';
        })()""")
        self.browser.wait("document.querySelector('h1').textContent === 'Ledger'")
        self.browser.eval("location.hash = '#/overview'")
        self.browser.wait("window.letGo !== undefined")
        self.browser.eval("location.hash = '#/agent?agents=agent-001'")
        self.browser.wait("window.followed.includes('agent-001')")
        before = max(self.cpu_values("agent-001"))
        self.browser.eval("window.letGo()")
        self.browser.wait("window.gone")
        wait_until(lambda: max(self.cpu_values("agent-001")) > before + 2, "more ticks")
        self.assertIn("agent-001", self.browser.eval("window.followed"))
        self.no_faults()

    def test_html_in_names_is_shown_as_text(self):
        server = self.start_server()
        self.serve()
        self.configure("agent-001", "set", "--interval", "1", "--plugins",
                       json.dumps({"name": "rename", "config": {"names": {"system.cpu.utilization": "<img src=x onerror=alert(1)>.<b>"}}}))
        self.start_agent("agent-001", server, "--simulate")
        wait_until(lambda: "<img" in json.dumps(self.get("/api/v1/agents/agent-001")) if self.get("/api/v1/fleet")["agents"] else False, "the odd name")
        self.browser.open(self.url("agent?agents=agent-001"))
        self.browser.wait("document.body.textContent.includes('<img src=x onerror=alert(1)>')")
        self.assertEqual(self.browser.eval("document.querySelectorAll('main img, main b:not(.fact b):not(.figure b)').length"), 0)
        self.no_faults()

    def test_fits_light_and_dark_mode_and_a_phone(self):
        self.system(("agent-001", "agent-002"))
        for scheme in ("light", "dark"):
            self.browser.do("scheme", scheme=scheme)
            for width, height in ((1280, 800), (390, 800)):
                self.browser.do("size", width=width, height=height)
                for page in ("overview", "agent?agents=agent-001", "alerts", "explore", "messages", "config", "ledger", "plugins"):
                    self.browser.open(self.url(page))
                    self.browser.wait("document.querySelector('main').children.length === 1 && document.querySelector('.lamp.live') !== null")
                    self.assertEqual(self.browser.do("axe"), [], (page, scheme, width))
                    self.assertLessEqual(self.browser.eval("document.documentElement.scrollWidth"), width, (page, width))
                    sides = self.browser.eval("(({ left, right }) => [left, right])(document.querySelector('nav a[aria-current]').getBoundingClientRect())")
                    self.assertTrue(0 <= sides[0] < sides[1] <= width, (page, width, sides))
                    if page.startswith(("overview", "agent")) and scheme == "dark":
                        self.shot(f"{page.split('?')[0]}-{scheme}{'-phone' if width == 390 else ''}")
        self.browser.do("scheme", scheme="light")
        self.browser.do("size", width=1280, height=800)
        self.no_faults()

    def test_rejects_malformed_requests(self):
        self.serve()
        import random
        import socket
        host, port = self.page.address.rsplit(":", 1)
        seeded = random.Random(7)
        for _ in range(200):
            with socket.create_connection((host, int(port))) as s:
                s.sendall(bytes(seeded.randrange(256) for _ in range(seeded.randrange(1, 400))))
        for target in ("/api/v1/range?" + "a=" * 5000, "/api/v1/%00", "/api/v1/range?agent=%ff", "/" + "a" * 20000, "/../../etc/passwd"):
            with self.assertRaises((urllib.error.HTTPError, OSError, ValueError)):
                self.get(target)
        request = urllib.request.Request(f"http://{self.page.address}/", headers={"Host": "evil.example"})
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=5)
        self.assertEqual(refused.exception.code, 403)
        self.assertIn("agents", self.get("/api/v1/fleet"))

    def test_a_day_at_a_second_is_drawn_within_half_a_second(self):
        server = self.start_server("--retention", "7d")
        self.configure("agent-001", "--interval", "1")
        agent = self.start_agent("agent-001", server, "--simulate")
        self.serve()
        batch = wait_until(lambda: self.get("/api/v1/messages?limit=1")["messages"], "a message")[0]["batch"]
        agent.stop()
        self.write_past(batch, 86_000)
        wait_until(lambda: (self.get("/api/ui/v1/series?agent=old")["extents"] or [{"first": 0, "last": 0}])[0]["last"] > time.time() - 120, "a day in the history", 120)
        extents = {one["resolution"]: one for one in self.get("/api/ui/v1/series?agent=old")["extents"]}
        self.assertLess(extents["full"]["first"], time.time() - 85_000)
        counts = self.get("/api/v1/range?agent=old&metric=system.cpu.utilization&resolution=1m&from=-2d")["series"][0]["count"]
        self.assertEqual(sum(counts), 86_000)
        took = []
        for _ in range(3):
            self.browser.open("about:blank")
            self.browser.open(self.url("agent?agents=old&span=86400"))
            took.append(self.browser.wait("performance.getEntriesByName('first-chart')[0]?.startTime"))
        self.assertIn("averages of", self.browser.eval("document.querySelector('.info').textContent"))
        self.assertLess(min(took), 500, took)
        self.shot("agent")
        # A fixed range is drawn once, but its legend still shows the newest value.
        now = time.time()
        self.browser.open("about:blank")
        self.browser.open(self.url(f"agent?agents=old&from={now - 3600:.0f}&to={now:.0f}"))
        self.browser.wait("document.querySelector('[data-metric=\"system.cpu.utilization\"] .u-series + .u-series .u-value')?.textContent.endsWith('%')", limit=5000)
        self.no_faults()

    def write_past(self, batch, seconds):
        """Writes ticks of an agent `old` directly into the log, one per second, up to a minute ago."""
        first = int(time.time()) - 60 - seconds
        size = 100
        metrics = batch["frames"][-1]["metrics"]
        stamp = lambda at: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))  # noqa: E731
        with sqlite3.connect(f"{self.data}/log.db", timeout=20) as log:
            for number in range(seconds // size):
                begin = first + number * size
                frames = []
                for i in range(size):
                    values = [dict(one, value=round(0.45 + 0.35 * math.sin((begin + i) / 9000) + 0.05 * math.sin((begin + i) / 370), 4) if one["unit"] == "1" else one["value"]) for one in metrics]
                    frames.append({**batch["frames"][-1], "time": stamp(begin + i), "metrics": values})
                made = {**batch, "agent": "old", "sequence": number + 1, "first_unacked": number + 1, "frames": frames}
                for name in ("appended", "appended_at"):
                    if name in made:
                        made[name] = stamp(begin + size)
                log.execute("INSERT INTO records(time_ns, key, headers, value) VALUES(?, 'old', ?, ?)",
                            ((begin + size) * 10**9, '{"content-type": "application/json"}', json.dumps(made)))

    def test_page_stays_responsive_with_100_agents(self):
        server = self.start_server()
        self.serve()
        load = self.start("monitor-load", "stream", "--server", server.address, "--agents", "100", "--duration", "600s" if not LONG else "1500s")
        wait_until(lambda: len(self.get("/api/v1/fleet")["agents"]) == 100, "100 agents", 60)
        seconds = 60 if LONG else 200 if SHOTS else 15  # for a screenshot, the sparklines need history
        self.browser.open("about:blank")
        empty = self.browser.do("tasks", seconds=5)
        self.browser.open(self.url("overview?view=table"))
        self.browser.wait("document.querySelectorAll('.fleet-rows .fleet-row:not([hidden])').length > 10")
        tasks = self.browser.do("tasks", seconds=seconds)
        self.shot("overview")
        self.assertLess((tasks or [0])[0] - (empty or [0])[0], 50, tasks)
        if LONG:
            self.browser.do("heap")
            first = self.browser.do("heap")
            time.sleep(600)
            self.assertLess(self.browser.do("heap"), first * 1.2 + 2e6)
        self.no_faults()
        load.stop()


if __name__ == "__main__":
    unittest.main()
