"""Explore in a real browser: queries with completion, errors at their place, answers that equal what is stored, sharing."""
import json
import os
import re
import sys
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ROOT, wait_until  # noqa: E402
from web import BrowserTest  # noqa: E402

EDITOR = "document.querySelector('.query-place').shadowRoot?.querySelector('.cm-content')"


class WebExploreTest(BrowserTest):
    def accessible(self, where):
        for scheme in ("light", "dark"):
            self.browser.do("scheme", scheme=scheme)
            self.assertEqual(self.browser.do("axe"), [], (where, scheme))

    def type(self, text):
        """Replaces the query, key by key."""
        self.browser.wait(f"{EDITOR} != null")
        self.browser.do("key", key="/")
        for key in ("Control+a", "Delete", *text):
            self.browser.do("key", key=key)
        self.browser.wait(f"{EDITOR}.textContent === '{text}'")

    def test_completes_runs_and_shares_a_query(self):
        self.system(("agent-1", "agent-2"))
        self.browser.open(self.url("explore"))
        self.browser.wait("document.querySelector('.lamp.live') !== null")
        self.browser.wait(f"{EDITOR} != null")
        self.accessible("start")
        # Names are completed while one types.
        self.browser.do("key", key="/")
        for letter in "system_memory_li":
            self.browser.do("key", key=letter)
        option = "document.querySelector('.query-place').shadowRoot.querySelector('.cm-tooltip-autocomplete li[aria-selected]')?.textContent"
        self.browser.wait(f"{option}?.startsWith('system_memory_limit_bytes')")
        self.browser.eval("new Promise((resolve) => setTimeout(resolve, 150))")  # a completion that has just appeared takes no key
        self.browser.do("key", key="Enter")
        self.browser.wait(f"{EDITOR}.textContent === 'system_memory_limit_bytes'")
        self.browser.do("click", selector=".explore .segments button:nth-child(2)")
        # The table has the stored values.
        self.browser.wait("document.querySelectorAll('.explore tbody tr').length === 2")
        cells = self.browser.eval("[...document.querySelectorAll('.explore tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))")
        for agent in ("agent-1", "agent-2"):
            [row] = [one for one in cells if agent in one]
            stored = self.range(agent, metric="system.memory.limit")[1]
            self.assertIn(float(row[-1]), stored)
        self.accessible("table")
        # The address is the whole query.
        address = self.browser.eval("location.href")
        self.browser.open("about:blank")
        self.browser.open(address)
        self.browser.wait("document.querySelectorAll('.explore tbody tr').length === 2")
        self.browser.do("click", selector=".explore .segments button:nth-child(1)")
        self.browser.wait("document.querySelectorAll('.explore .u-series').length === 3")
        self.accessible("graph")
        # As a heat map, whose cells tell the stored values; Back returns to the graph.
        self.browser.do("click", selector=".explore .segments button:nth-child(3)")
        self.browser.wait("document.querySelector('.heat canvas') !== null")
        self.browser.eval("document.querySelector('.heat-place').focus()")
        self.browser.do("key", key="ArrowDown")
        tip = "[...document.querySelectorAll('.heat-tip > *')].map((one) => one.textContent)"
        self.browser.wait(f"{tip}[1]?.includes('agent-1')")
        self.assertRegex(self.browser.eval(f"{tip}[0]"), r"^[\d.]+ GB$")
        self.assertEqual(self.browser.eval(f"{tip}[0]"), f"{self.range('agent-1', metric='system.memory.limit')[1][-1] / 2**30:.1f} GB")
        self.browser.do("key", key="ArrowDown")
        self.browser.wait(f"{tip}[1]?.includes('agent-2')")
        self.accessible("heat map")
        self.browser.eval("history.back()")
        self.browser.wait("document.querySelectorAll('.explore .u-series').length === 3 && document.querySelector('.heat') === null")
        # A rule of it, and back.
        self.browser.do("click", selector=".explore .make-rule")
        self.browser.wait(f"{EDITOR}?.textContent === 'system_memory_limit_bytes' && document.querySelector('.rule-name') !== null")
        self.browser.eval("history.back()")
        self.browser.wait("document.querySelectorAll('.explore .u-series').length === 3")
        self.no_faults()

    def test_completes_what_the_server_knows(self):
        """Functions come from the server's own table, metrics of a plugin from the history, agents inside the functions about them."""
        self.system(("agent-1", "agent-2"))
        self.configure("agent-1", "set", "--interval", "1", "--plugins", json.dumps({"name": "derive", "config": {"what": "moving_average", "window": 3, "match": "system.cpu.utilization"}}))
        self.browser.open(self.url("explore"))
        self.browser.wait(f"{EDITOR} != null")
        shown = "[...(document.querySelector('.query-place').shadowRoot.querySelectorAll('.cm-tooltip-autocomplete li') ?? [])].map((one) => [one.querySelector('.cm-completionLabel').textContent, one.querySelector('.cm-completionDetail')?.textContent])"

        def offers(typed):
            self.browser.do("key", key="/")
            for key in ("Control+a", "Delete", *typed):
                self.browser.do("key", key=key)
            return self.browser.wait(f"((all) => all.length > 0 && all)({shown})")

        # The reference of queries has them all.
        with open(os.path.join(ROOT, "docs", "queries.md"), encoding="utf-8") as file:
            documented = set(re.findall(r"`(plugin_\w+)\(\)`", file.read()))
        self.assertGreaterEqual(len(documented), 4)
        self.assertEqual({name for name, _ in offers("plugin_")} & documented, documented)
        self.assertEqual(dict(offers("predict"))["predict_linear"], "function (range vector, scalar)")
        self.assertEqual([name for name, _ in offers('plugin_failures("agent')], ["agent-1", "agent-2"])
        made = "system_cpu_utilization_average"
        wait_until(lambda: any(one.startswith(made) for one in self.get("/api/v1/label/__name__/values")["data"]), "the plugin's metric")
        # The page keeps names for 30 s.
        wait_until(lambda: any(name.startswith(made) and what == "metric" for name, what in offers("system_cpu_ut")), "its name among those offered", 60)
        self.no_faults()

    def test_shows_a_fault_at_its_place(self):
        self.system()
        self.browser.do("expect", texts=["400"])
        self.browser.open(self.url("explore?" + urllib.parse.urlencode({"q": "sum(up"})))
        told = wait_until(lambda: self.browser.eval("document.querySelector('.explore [role=alert]')?.textContent"), "the fault")
        self.assertIn("1:7: parse error", told)
        self.browser.wait("document.querySelector('.query-place').shadowRoot?.querySelector('.cm-lintRange-error') != null")
        self.type("sum(up)")
        self.browser.do("key", key="Enter")
        self.browser.wait("document.querySelector('.explore [role=alert]') === null && document.querySelector('.explore .info') !== null")
        self.browser.wait("document.querySelector('.query-place').shadowRoot.querySelector('.cm-lintRange-error') === null")
        self.no_faults()


if __name__ == "__main__":
    unittest.main()
