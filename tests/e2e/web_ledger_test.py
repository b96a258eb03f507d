"""The ledger and the plugins of the page in a real browser, with agents whose plugins drop and fail; what the page shows
is compared with the log, the agents' status and the batches that were taken away."""
import json
import os
import sqlite3
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import BIN, wait_until  # noqa: E402
from web import BrowserTest, stamp  # noqa: E402

PART = "document.querySelector('.equation [data-part={}]')?.dataset.value"
FAILS_ONCE = "function run(batch) state.n = (state.n or 0) + 1 if state.n == 5 then error('the fifth tick is too much') end end"


class WebLedgerTest(BrowserTest):
    def script(self, name, text):
        os.makedirs(f"{self.data}/plugins", exist_ok=True)
        with open(f"{self.data}/plugins/{name}.lua", "w", encoding="utf-8") as file:
            file.write(text)

    def agents(self, server, *names, plugins):
        for name in names:
            self.configure(name, "set", "--interval", "0.2", f"plugins={json.dumps(plugins)}")
            self.start_agent(name, server, "--simulate")

    def parts(self):
        shown = self.browser.eval("Object.fromEntries([...document.querySelectorAll('.equation [data-part]')].map((one) => [one.dataset.part, Number(one.dataset.value)]))")
        self.assertEqual(shown["made"], sum(shown.values()) - shown["made"], shown)
        return shown

    def account(self, agent):
        """What the log says about an agent: points made, stored, and dropped by stage, reason and plugin."""
        batches = self.batches(agent)
        newest = max(batches, key=lambda one: one["sequence"])
        dropped = {(d["stage"], d["reason"], d.get("plugin", "")): d["points"] for d in newest["counters"]["dropped"] if d["points"]}
        return newest["counters"]["points_made"], sum(len(f["points"]) for b in batches for f in b["frames"]), dropped

    def accessible(self, where):
        for scheme in ("light", "dark"):
            self.browser.do("scheme", scheme=scheme)
            self.assertEqual(self.browser.do("axe"), [], (where, scheme))
        self.browser.do("scheme", scheme="light")

    def take_away(self, agent):
        """Deletes a batch from the middle of the log, and returns it."""
        batches = self.batches(agent)
        gone = batches[len(batches) // 2]
        with sqlite3.connect(f"{self.data}/log.db", timeout=30) as log:
            rows = log.execute("SELECT offset FROM records WHERE key = ? ORDER BY offset", (agent,)).fetchall()
            log.execute("DELETE FROM records WHERE offset = ?", rows[len(batches) // 2])
        return gone

    def test_the_ledger_adds_up_and_says_in_two_clicks_what_a_plugin_dropped(self):
        server = self.start_server()
        self.script("odd", FAILS_ONCE)
        self.agents(server, "web-3", "web-10", plugins=[{"name": "filter", "config": {"drop": "system.memory.*"}}, "odd"])
        wait_until(lambda: all(self.account(name)[0] > 200 for name in ("web-3", "web-10")) if len({b["agent"] for b in self.batches()}) == 2 else False, "points of both")
        for agent in self.running[1:]:
            self.assertEqual(agent.stop(), 0)
        accounts = {name: self.account(name) for name in ("web-3", "web-10")}
        # Two days old, so that it is missing already when the log is read.
        gone = self.take_away("web-3")
        with sqlite3.connect(f"{self.data}/log.db", timeout=30) as log:
            log.execute("UPDATE records SET time_ns = time_ns - 172800000000000")
        lost = sum(len(f["points"]) for f in gone["frames"])
        self.serve()
        self.browser.open(self.url("overview?view=table"))
        self.browser.wait("document.querySelector('nav a[href=\"#/ledger\"]') !== null")
        # The first click.
        self.browser.do("click", selector="nav a[href='#/ledger']")
        made, stored = (sum(one[i] for one in accounts.values()) for i in (0, 1))
        self.browser.wait(f"{PART.format('made')} === '{made}'")
        dropped = sum(sum(one[2].values()) for one in accounts.values())
        self.assertEqual(self.parts(), {"made": made, "stored": stored - lost, "dropped": dropped, "missing": lost, "waiting": 0})
        # The picture has the same numbers, by reason.
        shown = self.browser.eval("Object.fromEntries([...document.querySelectorAll('.flow-exit')].map((one) => [one.dataset.reason, Number(one.dataset.value)]))")
        wanted = {"missing": lost}
        for _, _, reasons in accounts.values():
            for key, points in reasons.items():
                name = "/".join(one for one in key if one)
                wanted[name] = wanted.get(name, 0) + points
        self.assertEqual(shown, wanted)
        self.assertEqual({key.split("/")[-1] for key in shown}, {"filter", "odd", "missing"})
        self.accessible("ledger")
        self.shot("ledger")
        # The second click: what the plugin dropped, and the runs that it concerns.
        self.browser.do("click", selector="[data-reason='plugin/filtered/filter']")
        filtered = wanted["plugin/filtered/filter"]
        said = self.browser.wait("document.querySelector('.chosen-reason')?.textContent")
        self.assertRegex(said, rf"^filtered by filter{filtered:,} points, taken from [-\d]+ [\d:]+ to [\d:]+, were dropped by the plugin filter, which filters them out\. 2 runs are concerned\.$")
        # Only one run misses something; it opens to ranges and words.
        self.browser.do("click", selector="[data-reason=missing]")
        self.browser.wait("[...document.querySelectorAll('.ledger-table tbody tr')].map((one) => one.dataset.agent).join() === 'web-3'")
        self.browser.do("click", selector=".ledger-table tbody th button")
        number = gone["sequence"]
        row = self.browser.wait(f"document.querySelector('.ranges tr[data-kind=missing][data-first=\"{number}\"][data-last=\"{number}\"]')?.innerText")
        self.assertEqual(row.split("\t")[3:5], ["1", str(lost)], row)
        words = self.browser.eval("document.querySelector('.run-details .sentences').innerText")
        self.assertIn(f"{lost} points of web-3 are missing since ", words)
        self.assertRegex(words, r"\d+ points in 1 whole tick of web-3, taken at [-\d]+ [\d:]+, were dropped because the plugin odd failed on them\.")
        self.accessible("an opened run")
        self.shot("ledger-run")
        # The address shows the same again.
        address = self.browser.eval("location.hash")
        self.browser.open("about:blank")
        self.browser.open(f"http://{self.page.address}/{address}")
        self.browser.wait("document.querySelector('.ranges tr[data-kind=missing]') !== null && document.querySelector('.chosen-reason .chip').textContent === 'missing'")
        self.no_faults()

    def test_the_table_fits_is_sorted_and_keeps_its_columns(self):
        server = self.start_server()
        self.agents(server, "web-2", "web-10", plugins=[])
        wait_until(lambda: len({b["agent"] for b in self.batches()}) == 2, "both")
        self.serve()
        # Batches that are known and not stored: a foreign agent has lost its second one, and its fourth one waits.
        batch = wait_until(lambda: self.get("/api/v1/messages?limit=1")["messages"], "a message")[0]["batch"]
        with sqlite3.connect(f"{self.data}/log.db", timeout=30) as log:
            for number, unacked, age in ((1, 1, 200), (3, 3, 190), (5, 4, 1)):
                one = {**self.made(batch, "web-1", number, time.time() - age), "first_unacked": unacked, "drops": [], "counters": {"ticks_due": number, "ticks_missed": 0, "points_made": number, "dropped": []}}
                log.execute("INSERT INTO records(time_ns, key, headers, value) VALUES(?, 'web-1', ?, ?)", (time.time_ns() - age * 10**9, json.dumps({"content-type": "application/json"}), json.dumps({**one, "appended": stamp(time.time() - age)})))
        self.browser.open(self.url("ledger?agent=web-1"))
        self.browser.wait(f"{PART.format('made')} === '5'")
        self.assertEqual(self.parts(), {"made": 5, "stored": 3, "waiting": 1, "dropped": 0, "missing": 1})
        self.browser.open(self.url("ledger"))
        rows = "[...document.querySelectorAll('.ledger-table tbody tr')].map((one) => one.dataset.agent).join()"
        self.browser.wait(f"{rows} === 'web-1,web-2,web-10'")
        self.browser.do("click", selector=".ledger-table thead .of-agent button")
        self.browser.do("click", selector=".ledger-table thead .of-agent button")
        self.browser.wait(f"{rows} === 'web-10,web-2,web-1'")
        # All important columns are in sight, without scrolling sideways.
        self.assertEqual(self.browser.eval("[...document.querySelectorAll('.ledger-table thead th')].map((one) => one.textContent).join()"), "Agent,State,Made,Stored,Waiting,Dropped,Missing")
        self.assertTrue(self.browser.eval("((one) => one.scrollWidth <= one.clientWidth)(document.querySelector('.ledger-table'))"))
        self.browser.do("click", selector=".menu-place button")
        self.accessible("columns")
        for name in ("Host", "Copies", "First tick", "Last tick", "Run", "Late ticks", "Ticks due", "Ticks stored"):
            self.browser.eval(f"[...document.querySelectorAll('.menu label')].find((one) => one.children[1].textContent === '{name}').querySelector('input').click()")
        self.browser.do("key", key="Escape")
        self.browser.wait("document.querySelector('.menu') === null && document.activeElement.textContent === 'Columns'")
        # The first columns stay while the others scroll.
        left = "document.querySelector('.ledger-table tbody .of-state').getBoundingClientRect().left"
        before = self.browser.eval(left)
        self.assertGreater(self.browser.eval("((one) => { one.scrollLeft = 9999; return one.scrollLeft; })(document.querySelector('.ledger-table'))"), 50)
        self.assertEqual(self.browser.eval(left), before)
        self.browser.open("about:blank")
        self.browser.open(self.url("ledger?unit=batches"))
        self.browser.wait("document.querySelectorAll('.ledger-table thead th').length === 15")
        self.assertEqual(self.parts()["missing"], 1)
        self.browser.do("size", width=390, height=800)
        self.browser.wait("document.querySelector('.flow-list') !== null")
        right = self.browser.eval("document.querySelector('.ledger-table td[data-column=missing]').getBoundingClientRect().right")
        self.assertTrue(0 < right < 390, right)
        self.assertLessEqual(self.browser.eval("document.documentElement.scrollWidth"), 390)
        self.accessible("phone")
        self.shot("ledger-phone")
        self.no_faults()

    def test_plugins_show_states_versions_drops_and_failures(self):
        server = self.start_server()
        self.script("odd", "function run(batch) error('no good at all') end")
        self.script("tag", "function run(batch) for p in batch:points() do if p.name == 'system.cpu.utilization' then p:drop() end end end")
        self.agents(server, "web-3", "web-10", plugins=["tag", {"name": "filter", "config": {"drop": "system.memory.*"}, "shadow": True}, "odd"])
        self.configure("web-4", "set", 'plugins=["missing-one"]', "--interval", "1")
        self.start_agent("web-4", server, "--simulate")
        self.serve()

        def status(agent):
            with open(f"{self.data}/monitor/status/{agent}.json", encoding="utf-8") as file:
                return {one["name"]: one for one in json.load(file)["plugins"]}

        self.browser.open(self.url("plugins"))
        card = "document.querySelector('[data-plugin={}]')"
        states = lambda name: f"[...({card.format(name)}?.querySelectorAll('[data-state]') ?? [])].map((one) => one.textContent).join()"  # noqa: E731
        self.browser.wait(f"{states('odd')} === '2 quarantined' && {states('filter')} === '2 shadow' && {states('tag')} === '2 active'")
        self.browser.wait(f"{states('missing-one')} === 'refused'")
        self.browser.wait("document.querySelectorAll('.plugin-card')[0].dataset.plugin !== 'filter'")
        self.accessible("plugins")
        self.browser.do("click", selector="[data-plugin=odd] header button")
        failure = self.browser.wait("document.querySelector('[data-plugin=odd] [data-failure=web-3]')?.textContent")
        kept = status("web-3")["odd"]
        self.assertTrue(failure.startswith(kept["error_time"][:19].replace("T", " ") + " web-3"), (failure, kept))
        self.assertIn("no good at all", failure)
        self.assertIn("no good at all", kept["error"])
        self.assertIn(f"{kept['failed']} failed tick", failure)
        # What it dropped, from the ledger, which has it from the log.
        points = lambda: sum(self.account(name)[2].get(("plugin", "failed", "odd"), 0) for name in ("web-3", "web-10"))  # noqa: E731
        self.browser.wait(f"document.querySelector('[data-plugin=odd] [data-reason=\"plugin/failed/odd\"]')?.dataset.points === '{points()}'")
        # All hosts, with version and place.
        self.browser.do("click", selector="[data-plugin=tag] header button")
        cells = "[...document.querySelectorAll('[data-plugin=tag] .plugin-hosts tbody tr')].map((one) => [...one.cells].slice(0, 4).map((cell) => cell.textContent).join(' ')).join('; ')"
        version = status("web-3")["tag"]["version"]
        self.browser.wait(f"{cells} === 'web-3 active {version} 1 of 3; web-10 active {version} 1 of 3'")
        shown = int(self.browser.eval("document.querySelector('[data-plugin=tag] [data-figure=drops] b').textContent").replace(",", ""))
        self.assertLessEqual(0, sum(status(name)["tag"]["points_dropped"] for name in ("web-3", "web-10")) - shown)
        self.accessible("an opened plugin")
        self.shot("plugins")
        # The past comes from the query API.
        found = wait_until(lambda: self.get("/api/v1/query?query=plugin_tick_seconds(%22web-3%22)")["data"]["result"], "facts of plugins")
        self.assertEqual({(one["metric"]["plugin"], one["metric"]["quantile"]) for one in found}, {(name, q) for name in ("tag", "filter", "odd") for q in ("0.5", "0.99")})
        self.browser.do("fill", selector=".plugins-page input[type=search]", text="web-4")
        self.browser.wait("[...document.querySelectorAll('.plugin-card')].map((one) => one.dataset.plugin).join() === 'missing-one'")
        self.browser.do("size", width=390, height=800)
        self.assertLessEqual(self.browser.eval("document.documentElement.scrollWidth"), 390)
        self.no_faults()

    def test_without_plugins_the_page_says_how_to_write_one_with_commands_that_work(self):
        self.system()
        self.browser.open(self.url("plugins"))
        commands = self.browser.wait("document.querySelector('.command') && [...document.querySelectorAll('.command code')].map((one) => one.textContent)")
        self.accessible("start")
        self.shot("plugins-start")
        folder = f"{self.data}/try"
        os.makedirs(f"{folder}/plugins")
        os.makedirs(f"{folder}/monitor/config")
        environment = {**{k: v for k, v in os.environ.items() if not k.startswith("MONITOR_")}, "PATH": f"{BIN}:{os.environ['PATH']}"}
        for command in commands:
            if "my_tag/build" in command:
                continue  # building the template is tested elsewhere; it takes a compiler
            command = command.replace("DATA", folder).replace("AGENT", "agent-001").replace("monitor config ", f"monitor config --dir {folder}/monitor ").replace("monitor agent ", "monitor agent --simulate ")
            done = subprocess.run(["bash", "-ec", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
        self.assertTrue(os.path.exists(f"{folder}/my_tag/plugin.cc"))
        self.no_faults()


if __name__ == "__main__":
    unittest.main()
