"""The page's alerts in a real browser: those that fire, why, silencing one and ending the silence."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import wait_until  # noqa: E402
from web import BrowserTest  # noqa: E402

RULES = """
groups:
  - name: test
    interval: 1s
    rules:
      - alert: AlwaysBusy
        expr: system_cpu_utilization_ratio{cpu_mode="", cpu_logical_number=""} > 0.0001
        labels: {severity: warning}
        annotations: {summary: '{{ $labels.agent }}: busy', next: 'look at its processes'}
      - alert: NeverBusy
        expr: system_cpu_utilization_ratio > 7
"""
ROW = "document.querySelector('[data-alert=AlwaysBusy][data-agent=agent-1]')"


class WebAlertsTest(BrowserTest):
    def setUp(self):
        super().setUp()
        rules = f"{self.data}/rules.yaml"
        with open(rules, "w", encoding="utf-8") as file:
            file.write(RULES)
        server = self.start_server()
        for agent in ("agent-1", "agent-2"):
            self.configure(agent, "--interval", "1")
            self.start_agent(agent, server, "--simulate")
        self.serve("--rules", rules)
        wait_until(lambda: len(self.firing()) == 2, "two alerts")

    def firing(self):
        return [one for one in self.get("/api/ui/v1/alerts")["alerts"] if one["status"] == "firing"]

    def accessible(self, where):
        for scheme in ("light", "dark"):
            self.browser.do("scheme", scheme=scheme)
            self.assertEqual(self.browser.do("axe"), [], (where, scheme))

    def test_shows_why_an_alert_fires_and_silences_it(self):
        self.browser.open(self.url("overview"))
        self.browser.wait("document.querySelector('nav .badge')?.textContent === '2'")
        self.browser.wait("document.querySelector('.tile.is-loud b')?.textContent === '2'")
        self.browser.do("click", selector="nav a[href='#/alerts']")
        self.browser.wait(f"document.querySelectorAll('.alert-row').length === 2 && {ROW} !== null")
        self.assertIn("agent-1: busy", self.browser.eval(f"{ROW}.textContent"))
        self.assertIn("Next: look at its processes", self.browser.eval(f"{ROW}.textContent"))
        # The chart of what the rule compares, with the threshold.
        self.browser.do("click", selector="[data-alert=AlwaysBusy][data-agent=agent-1] .fold")
        self.browser.wait(f"{ROW}.querySelectorAll('.u-series').length === 3 && {ROW}.querySelector('.plot canvas') !== null")
        self.assertEqual(self.browser.eval(f"[...{ROW}.querySelectorAll('.u-legend .u-label')].map((one) => one.textContent).join()"), "time,agent-1,threshold")
        self.assertIn("Fires while this is > 0.0 %", self.browser.eval(f"{ROW}.textContent"))
        self.browser.wait("document.querySelectorAll('.lane i.is-open').length === 2")
        self.assertIn("NeverBusy", self.browser.eval("document.querySelector('.rules').textContent"))
        self.accessible("alerts")
        # Silence it for 8 h; a wrong token is told, and nothing is stored.
        self.browser.do("expect", texts=["401"])
        self.browser.do("click", selector="[data-alert=AlwaysBusy][data-agent=agent-1] header > button:last-child")
        self.browser.wait("document.querySelector('.silence-form') !== null")
        self.accessible("silence")
        self.browser.do("fill", selector=".silence-form input:not([type=password])", text="planned work")
        self.browser.do("fill", selector=".silence-form input[type=password]", text="wrong")
        self.browser.do("click", selector=".silence-form .segments button:nth-child(3)")
        self.browser.do("click", selector=".silence-form .main")
        self.browser.wait("document.querySelector('.silence-form [role=alert]')?.textContent.includes('web-token')")
        self.assertEqual(self.get("/api/ui/v1/silences")["silences"], [])
        with open(f"{self.data}/web-token", encoding="ascii") as file:
            self.browser.do("fill", selector=".silence-form input[type=password]", text=file.read().strip())
        self.browser.do("click", selector=".silence-form .main")
        self.browser.wait(f"{ROW} === null && document.querySelectorAll('.alert-row').length === 1")
        [silence] = self.get("/api/ui/v1/silences")["silences"]
        self.assertEqual((silence["matchers"], silence["reason"], silence["state"]), (['agent="agent-1"', 'alertname="AlwaysBusy"'], "planned work", "active"))
        # It is listed as silenced until the silence is ended.
        self.browser.do("click", selector=".tabs button:nth-child(3)")
        self.browser.wait(f"{ROW}?.querySelector('.pill').textContent === 'silenced'")
        self.browser.wait("document.querySelector('nav .badge').textContent === '1'")
        self.browser.do("click", selector="section[aria-label=Silences] td button")
        self.browser.wait("document.querySelector('.blank h2')?.textContent === 'Nothing is silenced'")
        self.assertEqual(self.get("/api/ui/v1/silences")["silences"][0]["state"], "expired")
        self.no_faults()

    def test_a_host_shows_its_alerts_as_marks(self):
        self.browser.open(self.url("agent?agents=agent-1"))
        self.browser.wait("document.querySelectorAll('.panel .uplot').length >= 2")
        tip = self.browser.wait("document.querySelector('.mark-of.is-alert .mark-icon')?.getAttribute('aria-label')")
        self.assertRegex(tip, r"^Alert at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d: AlwaysBusy: agent-1: busy$")
        self.accessible("host")
        self.no_faults()


if __name__ == "__main__":
    unittest.main()
