"""The page's view of the configuration in a real browser, on a real etcd and on files: every value that it shows is compared with what
etcd or the file holds, and with a merge of the layers that this test does itself."""
import base64
import json
import os
import sys
import time
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from keys import KeysInEtcd, KeysInFiles  # noqa: E402
from programs import run, wait_until  # noqa: E402
from web import BrowserTest  # noqa: E402

EDITOR = "document.querySelector('.json-place').shadowRoot"
SAVE = ".save-bar button.main"
DISABLED = f"document.querySelector('{SAVE}').disabled"
SAVED = "document.querySelector('.saved .good')?.textContent ?? ''"


def merged(*layers):
    """RFC 7396, lowest layer first."""
    def patch(target, change):
        if not isinstance(change, dict):
            return change
        result = dict(target) if isinstance(target, dict) else {}
        for name, value in change.items():
            if value is None:
                result.pop(name, None)
            else:
                result[name] = patch(result.get(name), value)
        return result
    found = {}
    for layer in layers:
        found = patch(found, layer)
    return found


def flat(value, path=""):
    if isinstance(value, dict) and value:
        return {key: one for name, part in value.items() for key, one in flat(part, f"{path}/{name}").items()}
    return {path: value}


class ConfigTest(BrowserTest):
    def fleet(self, agents):
        """Starts a server, agents with these groups, and the page; and gives the browser the token."""
        server = self.start_server()
        for name, groups in agents.items():
            options = [word for group in groups for word in ("--group", group)]
            self.start("monitor-agent", "--agent-id", name, "--server", server.address, "--data", f"{self.data}/{name}", "--simulate",
                       *self.agent_where, *options)
        self.serve(*(self.agent_where if self.agent_where[0] == "--etcd" else ["--dir", self.folder]))
        wait_until(lambda: {row["agent"] for row in self.get("/api/ui/v1/config")["agents"]} == set(agents)
                   and len(self.get("/api/v1/fleet")["agents"]) == len(agents), "all agents")
        with open(f"{self.data}/web-token", encoding="ascii") as file:
            token = file.read().strip()
        self.browser.open(self.url("config"))
        self.browser.eval(f"sessionStorage.setItem('monitor-token', '{token}')")

    def accessible(self, where):
        for scheme in ("light", "dark"):
            self.browser.do("scheme", scheme=scheme)
            self.assertEqual(self.browser.do("axe"), [], (where, scheme))
        self.browser.do("scheme", scheme="light")

    def visit(self, where):
        self.browser.eval("location.hash = '#/overview'")
        self.browser.wait("document.querySelector('.config') === null")
        self.browser.open(self.url(where))

    def shown_values(self):
        """The table of effective values: {path: (value, from)}."""
        rows = self.browser.eval("""[...document.querySelectorAll('.explained tbody tr')].map((row) => [row.dataset.path, row.cells[1].textContent,
            row.cells[2].querySelector('button')?.textContent ?? row.cells[2].textContent])""")
        return {path: (json.loads(value), origin) for path, value, origin in rows}

    def changes(self):
        """What the page says of the agents that change, once it has asked the server."""
        self.browser.wait("document.querySelector('.affected') !== null")
        return self.browser.eval("[document.querySelector('.affected p').textContent, [...document.querySelectorAll('.affected-rows li')].map((one) => one.textContent)]")

    def diff(self):
        return self.browser.eval("[...document.querySelectorAll('.pending .diff > span')].map((one) => one.lastChild.textContent.trimEnd())")


class EtcdConfigTest(KeysInEtcd, ConfigTest):
    def get_document(self, key, revision=0):
        body = {"key": base64.b64encode(key.encode()).decode(), **({"revision": revision} if revision else {})}
        self.gateway.request("POST", "/v3/kv/range", json.dumps(body))
        found = json.loads(self.gateway.getresponse().read()).get("kvs", [])
        return (base64.b64decode(found[0]["value"]).decode(), int(found[0]["mod_revision"])) if found else None

    def recorded(self, agent):
        """The revision that this agent runs, as PromQL has it."""
        found = self.get(f"/api/v1/query?query=config_revision%28%22{agent}%22%29")["data"]["result"]
        return int(found[0]["value"][1]) if found else 0

    def put_json(self, key, value):
        self.put(key, json.dumps(value))

    def three(self):
        self.layers = {"/monitor/defaults": {"interval": 0.5, "metrics": ["cpu", "memory"]}, "/monitor/groups/web": {"labels": {"role": "web"}},
                       "/monitor/config/c": {"interval": 0.25, "labels": {"rack": "r1"}}}
        for key, value in self.layers.items():
            self.put_json(key, value)
        self.fleet({"a": [], "b": ["web"], "c": ["web"]})

    def test_changes_an_interval_in_four_clicks_and_shows_what_it_did_in_one(self):
        self.three()
        clicks = 0

        def click(selector):
            nonlocal clicks
            clicks += 1
            self.browser.do("click", selector=selector)

        self.browser.open(self.url("overview"))
        self.browser.wait("document.querySelectorAll('.host-card').length === 3")
        # The page's server writes down every 10 s which revision agents run. There must be one before the change.
        before = wait_until(lambda: self.recorded("b"), "the revision of b")
        click("nav a[href='#/config']")
        click("button[title='/monitor/config/b']")
        self.browser.wait(f"document.querySelector('[data-field=interval]') !== null && {DISABLED}")
        click("#field-interval")
        for key in "0.2":
            self.browser.do("key", key=key)
        said, rows = self.changes()
        self.assertEqual(said, "1 agent changes of 1 agent that uses this document.")
        self.assertEqual(rows, ["b interval 0.5 → 0.2 "])
        self.assertIn('+     "interval": 0.2', self.diff())
        self.assertIsNone(self.get_document("/monitor/config/b"), "nothing is stored before it is saved")
        click(SAVE)
        self.assertEqual(clicks, 4)
        self.browser.wait(f"({SAVED}).startsWith('Saved, revision')")
        text, revision = self.get_document("/monitor/config/b")
        self.assertEqual(json.loads(text), {"interval": 0.2})
        self.assertEqual(self.browser.eval(SAVED), f"Saved, revision {revision}")
        self.browser.wait("document.querySelector('.rollout')?.textContent.includes('1 of 1 agent runs it.')")
        self.assertEqual(self.status("b")["revision"], revision, "the agent itself says so")
        self.browser.wait("""document.querySelector(".explained tr[data-path='/interval']")?.textContent.includes('its own document')""")
        self.accessible("a saved document")
        self.shot("configuration")
        # What did it do? One click, with the change as a mark.
        self.browser.wait("document.querySelector('.version-row a') !== null")
        wait_until(lambda: self.recorded("b") == revision > before, "the new revision of b")
        self.browser.do("click", selector=".version-row a")
        self.browser.wait("location.hash.startsWith('#/agent?agents=b&span=')")
        self.assertGreater(int(self.browser.eval("location.hash.split('span=')[1]")), 900, "from before the change until now")
        self.browser.wait(f"[...document.querySelectorAll('.mark-of.is-config .mark-icon')].some((one) => one.dataset.tip.includes('revision {revision}'))")
        self.no_faults()

    def test_effective_values_come_from_the_layers_that_etcd_holds(self):
        self.three()
        self.visit("config?agent=c")
        self.browser.wait("document.querySelectorAll('.explained tbody tr').length > 3")
        expected = flat(merged(*self.layers.values()))
        shown = self.shown_values()
        origins = {"/interval": "its own document", "/metrics": "defaults", "/labels/role": "group web", "/labels/rack": "its own document"}
        for path, value in expected.items():
            self.assertEqual(shown[path], (value, origins[path]))
        self.assertTrue(all(origin == "built in" for path, (_, origin) in shown.items() if path not in expected), shown)
        # The form shows what is set here and what comes from below.
        self.assertEqual(self.browser.eval("[...document.querySelectorAll('.field.is-set')].map((one) => one.dataset.field)"), ["interval", "labels"])
        self.assertIn("cpu, memory from defaults", self.browser.eval("document.querySelector('[data-field=metrics] .origin').textContent"))
        # The defaults: a change of the interval reaches a and b; c has its own.
        self.browser.do("click", selector="button[title='/monitor/defaults']")
        self.browser.wait("document.querySelector('#field-interval')?.value === '0.5'")
        self.browser.do("fill", selector="#field-interval", text="0.3")
        said, rows = self.changes()
        self.assertEqual(said, "2 agents change of 3 agents that use this document; for 1 another layer hides it.")
        self.assertEqual(rows, ["a, b interval 0.5 → 0.3 "])
        self.accessible("a change")
        self.shot("configuration-diff")
        # Leaving asks, and keeps the text if the user stays.
        self.browser.eval("window.confirm = (text) => { window.wasAsked = text; return false; }")
        self.browser.do("click", selector="button[title='/monitor/config/c']")
        self.browser.wait("window.wasAsked?.includes('not saved')")
        self.browser.eval("window.wasAsked = ''; location.hash = '#/ledger'")
        self.browser.wait("window.wasAsked.includes('not saved') && location.hash.startsWith('#/config')")
        self.assertEqual(self.browser.eval("document.querySelector('#field-interval').value"), "0.3")
        self.browser.do("key", key="Control+s")
        self.browser.wait(f"({SAVED}).startsWith('Saved')")
        self.assertEqual(json.loads(self.get_document("/monitor/defaults")[0]), {"interval": 0.3, "metrics": ["cpu", "memory"]})
        self.browser.wait("document.querySelector('.rollout')?.textContent.includes('2 of 2 agents run it.')")
        self.no_faults()

    def test_history_is_etcds_and_a_version_is_restored(self):
        self.three()
        key = "/monitor/groups/history"  # no other test has it: etcd keeps their versions, too
        for role in ("web", "api", "shop"):
            self.put_json(key, {"labels": {"role": role}})
        self.delete(key)
        self.put_json(key, {"labels": {"role": "last"}})
        self.visit(f"config?key={key}")
        self.browser.wait("document.querySelectorAll('.version-row').length === 5")
        shown = self.browser.eval("[...document.querySelectorAll('.version-row')].map((one) => [Number(one.dataset.revision), one.querySelector('b').textContent])")
        for revision, head in shown:
            stored = self.get_document(key, revision)
            if head == "deleted":
                self.assertIsNone(stored)
                self.assertIsNotNone(self.get_document(key, revision - 1))
            else:
                self.assertEqual((stored[1], head), (revision, f"revision {revision}"))
        self.assertEqual([head == "deleted" for _, head in shown], [False, True, False, False, False])
        first = shown[-1][0]
        self.browser.do("click", selector=".version-row:last-child button[aria-expanded]")
        self.browser.wait("document.querySelector('.version-row:last-child .diff')?.textContent.includes('\"role\": \"web\"')")
        self.browser.do("click", selector=".version-row:last-child button:last-child")
        self.changes()
        self.browser.do("click", selector=SAVE)
        self.browser.wait(f"({SAVED}).startsWith('Saved')")
        self.assertEqual(self.get_document(key)[0], self.get_document(key, first)[0], "byte for byte")
        self.browser.wait("document.querySelectorAll('.version-row').length === 6")
        said = self.browser.eval("[...document.querySelectorAll('.version-row .said')].map((one) => one.textContent)")
        self.assertIn("page user", said[0])
        self.assertIn(f"“rollback to revision {first}”", said[0])
        self.assertTrue(all("unknown author" in one for one in said[1:]), said)
        # A change that the command makes has its author.
        self.assertEqual(run("monitor-config", *self.agent_where, "set", "--group", "history", "interval=9", "--author", "alice", "--message", "by command")[0], 0)
        self.browser.wait("document.querySelector('.version-row .said')?.textContent.includes('alice (stated) · “by command”')")
        self.accessible("history")
        self.no_faults()

    def test_a_conflict_shows_both_versions_and_the_editor_knows_the_schema(self):
        self.three()
        key = "/monitor/config/c"
        self.visit(f"config?key={key}&view=json")
        self.browser.wait(f"{EDITOR}?.querySelector('.cm-content')?.textContent.includes('0.25')")
        self.browser.do("fill", selector=".cm-content", text='{"interval": 1, "metrics": ["cpuu"]}')
        self.browser.wait(f"document.querySelector('.problems').textContent.includes('cpuu') && {DISABLED}")
        self.browser.wait(f"{EDITOR}.querySelector('.cm-lintRange-error')?.textContent === '\"cpuu\"'")
        # Lines have numbers, and what is wrong in a line is beside it.
        self.browser.do("fill", selector=".cm-content", text='{\n"interval": 1,\n"metrics": ["cpuu"]\n}')
        self.browser.wait(f"{EDITOR}.querySelector('.line-fault')?.textContent.includes('did you mean \"cpu\"?')")
        numbers = f"[...{EDITOR}.querySelectorAll('.cm-lineNumbers .cm-gutterElement')].filter((one) => one.getBoundingClientRect().height > 0)"
        self.assertEqual(self.browser.eval(f"{numbers}.map((one) => one.textContent)"), ["1", "2", "3", "4"])
        self.assertEqual(self.browser.eval(f"{numbers}.filter((one) => one.classList.contains('has-error')).map((one) => one.textContent)"), ["3"])
        self.assertTrue(self.browser.eval(f"{EDITOR}.querySelector('.line-fault').closest('.cm-line').textContent.startsWith('\"metrics\"')"))
        self.accessible("a fault in a line")
        self.shot("configuration-json")
        self.browser.do("fill", selector=".cm-content", text='{"interval": 1 "x"}')
        self.browser.wait(f"{EDITOR}.querySelector('.cm-lintRange-error') !== null && {DISABLED}")
        # Completion, by keyboard: a new name, and its value.
        self.browser.do("fill", selector=".cm-content", text='{"interval": 1, ')
        for pressed in ('"', "l", "o", "g"):
            self.browser.do("key", key=pressed)
        self.browser.wait(f"{EDITOR}.querySelector('.cm-tooltip-autocomplete li[aria-selected]')?.textContent.startsWith('log_level')")
        self.accessible("completion")
        self.browser.do("key", key="Escape")
        self.browser.do("hover", selector=".cm-line >> text=interval")
        self.browser.wait(f"{EDITOR}.querySelector('.explanation')?.textContent.includes('Time between two ticks')")
        self.browser.do("fill", selector=".cm-content", text='{"interval": 2}')
        self.changes()
        self.put_json(key, {"interval": 3})
        self.browser.do("expect", texts=["409"])
        self.browser.wait("document.querySelector('.conflict')?.textContent.includes('changed elsewhere')")
        self.assertEqual(self.browser.eval("[...document.querySelectorAll('.conflict .version')].map((one) => one.textContent)"), ['{"interval": 3}', '{"interval": 2}'])
        self.accessible("a conflict")
        self.shot("conflict")
        if not self.browser.eval(DISABLED):
            self.browser.do("click", selector=SAVE)
        self.assertEqual(json.loads(self.get_document(key)[0]), {"interval": 3}, "nothing is overwritten unseen")
        self.browser.do("click", selector=".conflict button:nth-of-type(2)")
        self.browser.wait(f"document.querySelector('.conflict') === null && !{DISABLED}")
        self.browser.do("click", selector=SAVE)
        self.browser.wait(f"({SAVED}).startsWith('Saved')")
        self.assertEqual(json.loads(self.get_document(key)[0]), {"interval": 2})
        self.no_faults()

    def test_agents_that_refuse_a_change_say_why(self):
        self.three()
        # An agent whose status and inventory another program wrote: it has a plugin that the others do not have.
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.put_json("/monitor/inventory/x", {"host": "x", "groups": ["away"], "version": "9.9.9", "last_seen": now, "plugins": [{"name": "ghost", "kind": "native", "version": "1"}]})
        self.put_json("/monitor/status/x", {"host": "x", "groups": ["away"], "version": "9.9.9", "updated": now, "since": now})
        self.visit("config?key=/monitor/groups/web")
        self.browser.wait("document.querySelector('#field-plugins') !== null")
        self.browser.do("fill", selector="#field-plugins input", text="ghost")
        self.browser.do("click", selector="#field-plugins .pair-row button")
        self.changes()
        self.browser.do("click", selector=SAVE)
        self.browser.wait("document.querySelectorAll('.rollout li.warn').length === 2")
        shown = self.browser.eval("[...document.querySelectorAll('.rollout li.warn')].map((one) => one.textContent)")
        for name, text in zip(("b", "c"), shown):
            self.assertEqual(text, f"{name} refused it: {self.status(name)['error']}")
        self.assertIn("ghost", shown[0])
        self.accessible("a refusal")
        self.no_faults()

    def test_overrides_count_down_and_can_be_ended(self):
        self.three()
        status, _, err = run("monitor-config", "override", "set", "--agent-id", "a", "--for", "90s", "--etcd", self.etcd.address, "interval=0.1")
        self.assertEqual(status, 0, err)
        key = "/monitor/overrides/agents/a/override"
        key = next(iter(one["key"] for one in self.get("/api/ui/v1/config")["documents"] if one["kind"] == "override"), key)
        ends = json.loads(self.get_document(key)[0])["expires_at"]
        self.visit("config")
        note = "document.querySelector('.overrides .countdown')?.textContent ?? ''"
        self.browser.wait(f"/^[01]:[0-5][0-9] left$/.test({note})")
        minutes, seconds = map(int, self.browser.eval(note).split()[0].split(":"))
        stamp = time.strptime(ends[:19], "%Y-%m-%dT%H:%M:%S")
        left = time.mktime(stamp) - time.timezone - time.time()
        self.assertAlmostEqual(minutes * 60 + seconds, left, delta=3)
        before = self.browser.eval(note)
        self.browser.wait(f"({note}) !== '{before}'")
        self.accessible("overrides")
        self.shot("configuration-fleet")
        self.browser.do("click", selector=f".overrides button[title='{key}']")
        self.browser.wait(f"{EDITOR}?.querySelector('.cm-content')?.textContent.includes('expires_at')")
        self.browser.eval("window.confirm = () => true")
        self.browser.do("click", selector=".editor .tools button")
        wait_until(lambda: self.get_document(key) is None, "the override to be gone")
        self.no_faults()

    def test_shows_a_change_that_came_before_its_stream_was_open(self):
        """The page reads the configuration, somebody changes it, and only then the page's connection for events is there."""
        self.three()
        self.browser.open(self.url("overview?view=table"))
        self.browser.wait("document.querySelector('.lamp.live') !== null")
        self.browser.eval("""(() => {
            const Real = EventSource;
            const repeat = window.setInterval;
            window.setInterval = (run, every, ...more) => repeat(run, every === 10000 ? 3600000 : every, ...more);  // no reads but those for events
            window.waiting = [];
            window.EventSource = class extends EventTarget {
                constructor(url) { super(); this.url = url; this.readyState = 0; window.waiting.push(this); }
                close() { this.real?.close(); }
                begin() {
                    this.real = new Real(this.url);
                    for (const name of ['fleet', 'tick', 'log', 'config', 'reset', 'alive']) this.real.addEventListener(name, (one) => this.dispatchEvent(new MessageEvent(name, { data: one.data, lastEventId: one.lastEventId })));
                    this.real.onopen = () => this.onopen();
                }
            };
        })()""")
        self.browser.eval("location.hash = '#/config?key=/monitor/defaults'")
        self.browser.wait("document.querySelector('#field-interval')?.value === '0.5' && window.waiting.some((one) => one.url.includes('after='))")
        with urllib.request.urlopen(f"http://{self.page.address}/api/ui/v1/stream?topic=config", timeout=20) as others:
            self.put_json("/monitor/defaults", {"interval": 0.75})
            while not others.readline().startswith(b"event: config"):
                pass  # all other pages are told
        self.assertEqual(self.browser.eval("document.querySelector('#field-interval').value"), "0.5")
        self.browser.eval("window.waiting.at(-1).begin()")
        self.browser.wait("document.querySelector('#field-interval').value === '0.75'", limit=5000)
        self.no_faults()

    def test_an_override_of_all_agents_reaches_those_with_a_value_of_their_own(self):
        self.three()
        self.visit("config?key=/monitor/defaults")
        self.browser.wait("document.querySelector('#field-interval')?.value === '0.5'")
        self.browser.do("fill", selector="#field-interval", text="0.4")
        said, _ = self.changes()
        self.assertEqual(said, "2 agents change of 3 agents that use this document; for 1 another layer hides it.")
        self.browser.eval("(() => { const one = document.querySelector('.save-bar select'); one.value = '600'; one.dispatchEvent(new Event('change', { bubbles: true })); })()")
        self.browser.wait("document.querySelector('.affected p')?.textContent === '3 agents change of 3 agents that use the override page of all agents.'")
        rows = self.browser.eval("[...document.querySelectorAll('.affected-rows li')].map((one) => one.textContent)")
        self.assertEqual(rows, ["a, b interval 0.5 → 0.4 ", "c interval 0.25 → 0.4 "])
        self.accessible("a change for a time")
        self.browser.do("click", selector=SAVE)
        self.browser.wait(f"({SAVED}).startsWith('The override is set')")
        key = "/monitor/overrides/all/page"
        stored = json.loads(self.get_document(key)[0])
        left = time.mktime(time.strptime(stored.pop("expires_at")[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone - time.time()
        self.assertEqual(stored, {"interval": 0.4})
        self.assertAlmostEqual(left, 600, delta=10)
        self.assertEqual(json.loads(self.get_document("/monitor/defaults")[0]), self.layers["/monitor/defaults"], "the document stays")
        self.browser.wait("document.querySelector('.rollout')?.textContent.includes('3 of 3 agents run it.')")
        self.assertEqual([self.status(name)["overrides"] for name in "abc"], [["all/page"]] * 3)
        self.visit("config?agent=c")
        self.browser.wait("document.querySelectorAll('.explained tbody tr').length > 3")
        self.assertEqual(self.shown_values()["/interval"], (0.4, "override page of all agents"))
        self.visit("config")
        self.browser.wait("/^(10:00|9:[0-5][0-9]) left$/.test(document.querySelector('.overrides .countdown')?.textContent)")
        self.assertEqual(self.browser.eval("document.querySelector('.overrides button').textContent"), "all agents: page")
        self.browser.do("click", selector=f".overrides button[title='{key}']")
        self.browser.wait(f"{EDITOR}?.querySelector('.cm-content')?.textContent.includes('expires_at')")
        self.assertIn("Used by 3 agents", self.browser.eval("document.querySelector('.document-head').textContent"))
        self.browser.eval("window.confirm = () => true")
        self.browser.do("click", selector=".editor .tools button")
        wait_until(lambda: self.get_document(key) is None, "the override to be gone")
        wait_until(lambda: [self.status(name)["overrides"] for name in "abc"] == [[]] * 3, "agents without it")
        self.no_faults()


class FilesConfigTest(KeysInFiles, ConfigTest):
    def stored(self, key):
        with open(self.path(key), encoding="utf-8") as file:
            return json.load(file)

    def test_files_are_edited_in_place_and_have_a_history(self):
        self.put("/monitor/defaults", '{"interval": 0.5}')
        self.fleet({"a": [], "b": []})
        self.visit("config?key=/monitor/defaults")
        self.browser.wait("document.querySelector('#field-interval')?.value === '0.5'")
        self.browser.wait("document.querySelectorAll('.version-row').length === 1")
        self.assertIn("unknown author, not recorded", self.browser.eval("document.querySelector('.history').textContent"))
        self.assertIn(f"{self.folder}/defaults.json", self.browser.eval("document.querySelector('.document-head').textContent"))
        # Each shape of field writes what it shows; the rest of the text stays.
        self.browser.do("fill", selector="#field-interval", text="250ms")
        self.browser.do("click", selector="#field-metrics .chip >> text=load")
        self.browser.do("fill", selector="#field-labels", text="site")
        self.browser.do("fill", selector="#field-labels + input", text="eu")
        self.browser.do("key", key="Enter")
        self.browser.do("click", selector="[data-field=metrics] summary >> text=cpu")
        self.browser.eval("""(() => { const one = document.querySelector('#field-metrics-0-per_core'); one.value = '0'; one.dispatchEvent(new Event('change', { bubbles: true })); })()""")
        self.changes()
        self.browser.do("fill", selector=".save-bar .why", text="a closer look")
        self.browser.do("click", selector=SAVE)
        self.browser.wait(f"({SAVED}) === 'Saved'")
        self.browser.wait("document.querySelector('.version-row .said')?.textContent.includes('“a closer look”')")
        recorded = json.loads(run("monitor-config", "--dir", self.folder, "history", "--defaults", "--format", "json", "--limit", "1")[1])
        self.assertEqual((recorded["author"], recorded["author_kind"], recorded["message"], recorded["command"]), ("holder of the web token", "page user", "a closer look", "page"))
        self.assertIn("holder of the web token (page user)", self.browser.eval("document.querySelector('.version-row .said').textContent"))
        self.accessible("history-in-files")
        self.shot("configuration-history")
        self.assertEqual(self.stored("/monitor/defaults"), {
            "interval": "250ms", "labels": {"site": "eu"},
            "metrics": [{"name": "cpu", "per_core": True}, "memory", "disk read", "disk write", "net in", "net out", "load"]})
        self.browser.wait("document.querySelector('.rollout')?.textContent.includes('2 of 2 agents run it.')")
        # A field goes back to what is below.
        self.browser.do("click", selector="[data-field=interval] .field-head button")
        self.changes()
        self.browser.do("click", selector=SAVE)
        wait_until(lambda: "interval" not in self.stored("/monitor/defaults"), "the field to be gone")
        self.browser.do("size", width=390, height=844)
        self.assertLessEqual(self.browser.eval("document.documentElement.scrollWidth"), 390)
        self.shot("configuration-phone")
        self.no_faults()


if __name__ == "__main__":
    unittest.main()
