"""The page without a mouse and on a phone: Tab reaches every action of every view, the focus can be seen, dialogs keep and return
it, no view has a serious fault of accessibility in either theme, and nothing scrolls sideways at 390 pixels."""
import os
import sys
import time
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
        annotations: {summary: '{{ $labels.agent }}: busy'}
"""
# Each view, and what it shows once it has data.
VIEWS = [
    ("overview?view=cards", "document.querySelectorAll('.host-card').length === 2"),
    ("overview?view=table", "document.querySelectorAll('.fleet-rows .fleet-row').length === 2"),
    ("overview?view=map", "document.querySelector('.map canvas')?.width > 0"),
    ("agent?agents=agent-1", "document.querySelectorAll('.panel .uplot').length >= 2"),
    ("alerts", "document.querySelectorAll('.alert-row').length === 2"),
    ("explore?q=system_cpu_utilization_ratio", "document.querySelector('main canvas') !== null"),
    ("messages", "document.querySelector('main tbody tr, main [role=row], main [data-offset]') !== null"),
    ("config", "document.querySelector('main').textContent.includes('agent-1')"),
    ("ledger", "document.querySelector('main').textContent.includes('agent-1')"),
    ("plugins", "document.querySelector('main').textContent.includes('my_plugin')"),
]
# What takes the focus of the keyboard. Of radio buttons, Tab reaches only the chosen one.
PREPARE = """(() => {
    const takes = 'a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea:not(:disabled), summary, [tabindex="0"]';
    const known = (one) => `${one.tagName.toLowerCase()} ${(one.getAttribute('aria-label') ?? one.textContent ?? '').trim().slice(0, 60)}`;
    window.wanted = () => [...document.querySelectorAll(takes)].filter((one) => one.checkVisibility({ visibilityProperty: true }) && one.tabIndex >= 0
        && !(one.type === 'radio' && !one.checked) && one.closest('dialog:not([open])') === null);
    window.before = window.wanted();
    window.reached = new Set();
    window.step = () => {
        const one = document.activeElement;
        if (one === null || one === document.body) return { end: true };
        const again = window.reached.has(one);
        window.reached.add(one);
        const rings = [one, one.nextElementSibling].filter((each) => each !== null).map((each) => getComputedStyle(each));
        const seen = one.shadowRoot !== null || rings.some((style) => (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none');
        const { top, bottom, left, right } = one.getBoundingClientRect();
        const inSight = bottom > 0 && top < innerHeight && right > 0 && left < innerWidth;
        return { again, what: known(one), seen, inSight };
    };
    window.missed = () => window.before.filter((one) => one.isConnected && window.wanted().includes(one) && !window.reached.has(one)).map(known);
    document.activeElement.blur();
    getSelection().removeAllRanges();
    document.querySelector('.skip').focus();
    window.reached.add(document.activeElement);
    return window.before.length;
})()"""
SIDEWAYS = """[...document.querySelectorAll('main, main *')].filter((one) => ['auto', 'scroll'].includes(getComputedStyle(one).overflowX) && one.scrollWidth > one.clientWidth + 1)
    .filter((one) => one.closest('.scroll, code, pre, table') === null && one.querySelector('table') === null).map((one) => one.className || one.tagName)"""


class WebKeyboardTest(BrowserTest):
    def start_fleet(self):
        rules = f"{self.data}/rules.yaml"
        with open(rules, "w", encoding="utf-8") as file:
            file.write(RULES)
        server = self.start_server()
        for seed, name in enumerate(("agent-1", "agent-2"), 1):
            self.configure(name, "--interval", "1", "--plugins", "my_plugin")
            self.start_agent(name, server, f"--simulate={seed}")
        self.serve("--dir", f"{self.data}/monitor", "--rules", rules)
        wait_until(lambda: len([one for one in self.get("/api/ui/v1/alerts")["alerts"] if one["status"] == "firing"]) == 2, "two alerts")
        wait_until(lambda: self.get("/api/v1/plugins")["plugins"], "a plugin")

    def visit(self, view, ready):
        self.browser.open("about:blank")
        self.browser.open(self.url(view))
        self.browser.wait(f"document.querySelector('.lamp.live') !== null && {ready}")

    def walk(self, view):
        many = self.browser.eval(PREPARE)
        self.assertGreater(many, 10, view)
        for _ in range(many + 60):  # what is made meanwhile is reached as well
            self.browser.do("key", key="Tab")
            step = self.browser.eval("window.step()")
            if step.get("end") or step["again"]:
                break
            self.assertTrue(step["seen"], f"{view}: the focus on {step['what']!r} cannot be seen")
            self.assertTrue(step["inSight"], f"{view}: {step['what']!r} has the focus out of sight")
        self.assertEqual(self.browser.eval("window.missed()"), [], f"{view}: not reached by Tab")

    def test_tab_reaches_every_action_and_no_view_has_a_fault_of_accessibility(self):
        self.start_fleet()
        for view, ready in VIEWS:
            with self.subTest(view=view):
                self.visit(view, ready)
                self.walk(view)
                for scheme in ("dark", "light"):
                    self.browser.do("scheme", scheme=scheme)
                    self.assertEqual(self.browser.do("axe"), [], (view, scheme))
        self.no_faults()

    def test_dialogs_keep_the_focus_and_return_it(self):
        self.start_fleet()
        self.visit(*VIEWS[4])
        silence = "[data-alert=AlwaysBusy][data-agent=agent-2] .silence-it"
        for opener, dialog in (("#bar [aria-label=Settings]", "dialog[aria-label=Settings]"), ("#bar [aria-label=Keys]", "dialog[aria-label=Keys]"),
                               ("#bar .find", "dialog[aria-label=Find]"), (silence, "dialog[aria-label='Silence an alert']")):
            self.browser.eval(f"document.querySelector({opener!r}).focus()")
            self.browser.do("key", key="Enter")
            self.browser.wait(f"document.querySelector({dialog!r}).open && document.querySelector({dialog!r}).contains(document.activeElement)")
            inside = set()
            for _ in range(self.browser.eval(f"document.querySelector({dialog!r}).querySelectorAll('button, input, select, [tabindex]').length") + 3):
                self.browser.do("key", key="Tab")
                place = self.browser.eval(f"document.activeElement === document.body ? 'browser' : document.querySelector({dialog!r}).contains(document.activeElement) ? 'inside' : document.activeElement.outerHTML")
                inside.add(place)
            self.assertLessEqual(inside, {"inside", "browser"}, dialog)
            self.browser.do("key", key="Escape")
            self.browser.wait(f"!document.querySelector({dialog!r}).open && document.activeElement === document.querySelector({opener!r})")
        self.no_faults()

    def test_rows_of_the_table_are_in_order_and_keep_the_focus(self):
        batch = self.one_batch()
        now = time.time()
        for number in range(120):
            self.write(self.made(batch, f"host-{number}", 1, now, cpu=number / 200))
        wait_until(lambda: len(self.get("/api/v1/fleet")["agents"]) == 121, "the agents")
        self.visit("overview?view=table&filter=host-", "document.querySelectorAll('.fleet-rows .fleet-row').length > 10")
        rows = "[...document.querySelectorAll('.fleet-rows .fleet-row')].map((one) => [Number(one.getAttribute('aria-rowindex')), one.querySelector('a').textContent])"
        wait = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"

        def in_order():
            found = self.browser.eval(rows)
            self.assertEqual(found, sorted(found), "rows in the document")
            for index, name in found:
                self.assertEqual(name, f"host-{index - 2}")
            return found

        for top in (0, 37, 400, 1500, 90, 3000, 60):
            self.browser.eval(f"document.querySelector('.fleet-body').scrollTop = {top}")
            self.browser.eval(wait)
            in_order()
        # Tab goes from row to row, beyond those that were in the document.
        self.browser.eval("document.querySelector('.fleet-body').scrollTop = 0")
        self.browser.eval("document.querySelector('.fleet-rows a').focus()")
        for number in range(1, 60):
            self.browser.do("key", key="Tab")
            self.browser.eval(wait)
            self.assertEqual(self.browser.eval("document.activeElement.textContent"), f"host-{number}")
        # The row with the focus stays when it is scrolled out of sight, and when another order moves it.
        self.browser.eval("document.querySelector('.fleet-body').scrollTop = 0")
        self.browser.eval(wait)
        self.assertEqual(self.browser.eval("document.activeElement.textContent"), "host-59")
        self.assertIn([61, "host-59"], in_order())
        self.browser.eval("location.hash = '#/overview?view=table&filter=host-&sort=cpu&order=down'")
        self.browser.wait("document.querySelector('.fleet-rows .fleet-row a').textContent === 'host-119'")
        self.assertEqual(self.browser.eval("document.activeElement.textContent"), "host-59")
        self.browser.do("key", key="Enter")
        self.browser.wait("location.hash === '#/agent?agents=host-59'")
        self.no_faults()

    def test_nothing_scrolls_sideways_on_a_phone(self):
        self.start_fleet()
        self.browser.do("size", width=390, height=844)
        for view, ready in VIEWS[:5]:
            with self.subTest(view=view):
                self.visit(view, ready)
                self.assertLessEqual(self.browser.eval("document.documentElement.scrollWidth"), 390)
                self.assertEqual(self.browser.eval(SIDEWAYS), [], view)
                small = self.browser.eval("[...document.querySelectorAll('main button, main a, main select, main input')].filter((one) => one.checkVisibility() && one.getBoundingClientRect().right > 391).map((one) => one.outerHTML.slice(0, 80))")
                self.assertEqual(small, [], f"{view}: beyond the right edge")
        self.no_faults()


if __name__ == "__main__":
    unittest.main()
