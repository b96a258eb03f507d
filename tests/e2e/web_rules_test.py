"""Rules in a real browser: a draft is checked, tested over the history as the command does it, stored, and changed by another one."""
import json
import os
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import BIN, wait_until  # noqa: E402
from web import BrowserTest  # noqa: E402

FILE = """# rules of a file
groups:
  - name: files
    interval: 1s
    rules:
      # this comment stays
      - alert: Busy
        expr: system_cpu_utilization_ratio{cpu_mode="", cpu_logical_number=""} > 0.0001
        for: 2s
        labels: {severity: warning}
        annotations: {summary: '{{ $labels.agent }}: busy'}
"""
EXPRESSION = 'system_memory_limit_bytes > 1'
EDITOR = "document.querySelector('.rule-page .query-place').shadowRoot?.querySelector('.cm-content')"
YAML = "document.querySelector('.yaml-place').shadowRoot?.querySelector('.cm-content')"


class WebRulesTest(BrowserTest):
    def setUp(self):
        super().setUp()
        self.rules = f"{self.data}/rules.yaml"
        with open(self.rules, "w", encoding="utf-8") as file:
            file.write(FILE)
        server = self.start_server()
        for agent in ("agent-1", "agent-2"):
            self.configure(agent, "--interval", "1")
            self.start_agent(agent, server, "--simulate")
        self.serve("--rules", self.rules, "--dir", f"{self.data}/monitor")
        wait_until(lambda: len(self.range("agent-1")[0]) >= 5 and len(self.range("agent-2")[0]) >= 5, "values")

    def accessible(self, where):
        for scheme in ("light", "dark"):
            self.browser.do("scheme", scheme=scheme)
            self.assertEqual(self.browser.do("axe"), [], (where, scheme))

    def fill(self, selector, text):
        self.browser.do("fill", selector=selector, text=text)

    def verdict(self):
        return self.browser.eval("document.querySelector('.rule-verdict')?.textContent ?? ''")

    def replayed(self, path, alert, begin, end):
        """The times in which the command says that the alert would have been pending and firing: (agent, state, from, to)."""
        stamp = "%Y-%m-%dT%H:%M:%SZ"
        out = subprocess.run([f"{BIN}/monitor-analysis", "rules", "replay", path, "--history", f"{self.data}/history.db", "--alert", alert, "--format", "json",
                              "--from", time.strftime(stamp, time.gmtime(begin)), "--to", time.strftime(stamp, time.gmtime(end))],
                             check=True, capture_output=True, text=True, timeout=60).stdout
        found = []
        for change in json.loads(out):
            at = time.mktime(time.strptime(change["time"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
            agent = change["labels"]["agent"]
            if found and change["state"] != "pending":
                for i, (who, state, start, stop) in enumerate(found):
                    if who == agent and stop is None:
                        found[i] = (who, state, start, at)
            if change["state"] != "resolved":
                found.append((agent, change["state"], at, None))
        return sorted(found, key=str)

    def test_a_rule_of_a_file_is_tested_and_not_written(self):
        self.browser.open(self.url("alerts"))
        self.browser.wait("document.querySelector('.rules a.test-link') !== null")
        self.browser.do("click", selector=".rules a.test-link")
        self.browser.wait("document.querySelector('.test-summary') !== null")
        self.assertIn("test=604800", self.browser.eval("location.hash"))
        self.assertIn("It would have fired 2 times, for 2 sets of labels", self.browser.eval("document.querySelector('.test-summary').textContent"))
        self.assertIn("The history begins at", self.browser.eval("document.querySelector('.test-reach').textContent"))
        self.assertIn(self.rules, self.browser.eval("document.querySelector('.not-written').textContent"))
        self.assertTrue(self.browser.eval("[...document.querySelectorAll('.rule-page button')].every((one) => one.textContent !== 'Store')"))
        # Over an hour, every second is evaluated: the page shows what the command says, up to when the page has asked.
        self.browser.do("click", selector=".rule-test .segments button:nth-child(1)")
        self.browser.wait("document.querySelector('.rule-test [aria-busy]') === null && document.querySelector('.test-lanes i[data-state]') !== null && location.hash.includes('test=3600')")
        shown = self.browser.eval("""[...document.querySelectorAll('.test-lane')].flatMap((lane) => [...lane.querySelectorAll('i')].map((one) =>
            [lane.querySelector('a').textContent, one.dataset.state, Number(one.dataset.from), one.dataset.to === '' ? null : Number(one.dataset.to)]))""")
        # The clicks came later than the page's own time of the test.
        told = self.replayed(self.rules, "Busy", time.time() - 3600, time.time())
        self.assertEqual(sorted((tuple(one) for one in shown), key=str), told)
        self.assertEqual({one[1] for one in shown}, {"pending", "firing"})
        self.browser.wait("document.querySelectorAll('.test-result .u-series').length === 4")
        self.assertIn("agent-1: busy", self.browser.eval("document.querySelector('.rule-preview').textContent"))
        self.accessible("test")
        # A new rule has nothing of this one; Back leads to it.
        self.browser.eval("location.hash = '#/rule'")
        self.browser.wait("document.querySelector('.rule-page h1').textContent === 'New rule' && document.querySelector('.rule-name').value === '' && document.querySelector('.test-summary') === null")
        self.browser.eval("history.back()")
        self.browser.wait("document.querySelector('.rule-name')?.value === 'Busy' && document.querySelector('.test-summary') !== null")
        # A change is shown to be copied, with the rest of the file as it is.
        self.fill(".rule-for", "7s")
        copied = self.browser.wait("document.querySelector('.not-written .command code')?.textContent")
        self.assertIn("# this comment stays", copied)
        self.assertIn("        for: 7s\n", copied)
        with open(self.rules, encoding="utf-8") as file:
            self.assertEqual(file.read(), FILE)
        self.no_faults()

    def test_a_draft_is_checked_and_stored_and_a_conflict_is_shown(self):
        self.browser.do("expect", texts=["409"])
        self.browser.open(self.url(f"explore?q={EXPRESSION.replace(' ', '%20').replace('>', '%3E')}&view=table"))
        self.browser.wait("document.querySelectorAll('.explore tbody tr').length === 2")
        self.browser.do("click", selector=".explore .make-rule")
        self.browser.wait(f"{EDITOR} != null && {EDITOR}.textContent === '{EXPRESSION}'")
        wait_until(lambda: "a rule must have alert or record" in self.verdict(), "the name to be missed")
        self.fill(".rule-name", "Plenty")
        wait_until(lambda: "The rule is valid, and there are series" in self.verdict(), "a valid rule")
        self.browser.wait("document.querySelector('.rule-preview')?.textContent.includes('agent-1: ')")
        self.accessible("form")
        self.fill(".rule-for", "5 minutes")
        wait_until(lambda: "6:14" in self.verdict() and "expected a duration" in self.verdict(), "the fault at its place")
        self.assertEqual(self.browser.eval("[...document.querySelectorAll('button')].find((one) => one.textContent === 'Store').disabled"), True)
        self.fill(".rule-for", "1s")
        # As YAML, with the fault at its line.
        self.browser.do("click", selector=".rule-page .segments button:nth-child(2)")
        self.browser.wait(f"{YAML}?.textContent.includes('alert: Plenty')")
        self.accessible("yaml")
        self.browser.do("click", selector=".rule-page .segments button:nth-child(1)")
        self.fill(".rule-file", "plenty")
        wait_until(lambda: "valid" in self.verdict(), "a valid rule")
        self.store()
        stored = f"{self.data}/monitor/rules/plenty.yaml"
        self.browser.wait("document.querySelector('.rule-page').textContent.includes('Stored as plenty')")
        with open(stored, encoding="utf-8") as file:
            self.assertIn(f"expr: {EXPRESSION}", file.read())
        wait_until(lambda: [one for one in self.get("/api/v1/alerts")["data"]["alerts"] if one["labels"]["alertname"] == "Plenty" and one["state"] == "firing"], "the rule to fire", 60)
        # Somebody else changes it meanwhile.
        with open(stored, encoding="utf-8") as file:
            theirs = file.read().replace("severity: warning", "severity: page")
        subprocess.run([f"{BIN}/monitor-analysis", "rules", "put", "plenty", "/dev/stdin", "--dir", f"{self.data}/monitor"], input=theirs, text=True, check=True, timeout=30)
        self.fill(".rule-for", "2s")
        wait_until(lambda: "valid" in self.verdict(), "a valid rule")
        self.store()
        self.browser.wait("document.querySelector('.conflict')?.textContent.includes('severity: page')")
        self.accessible("conflict")
        with open(stored, encoding="utf-8") as file:
            self.assertEqual(file.read(), theirs)
        self.browser.do("click", selector=".conflict .dialog-end button:nth-child(1)")
        self.browser.wait(f"{YAML}?.textContent.includes('severity: page')")
        self.no_faults()

    def store(self):
        self.browser.wait("[...document.querySelectorAll('.rule-page .tools button')].find((one) => one.textContent === 'Store' && !one.disabled)?.click() === undefined && document.querySelector('.rule-save') !== null")
        with open(f"{self.data}/web-token", encoding="ascii") as file:
            self.fill(".rule-save input[type=password]", file.read().strip())
        self.assertTrue(self.browser.eval("document.querySelector('.rule-save .diff .is-new') !== null"))
        self.browser.do("click", selector=".rule-save .main")


if __name__ == "__main__":
    unittest.main()
