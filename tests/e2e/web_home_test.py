"""The page's start in a real browser: cards, map, palette, settings, and fleets of none and of one host."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import wait_until  # noqa: E402
from web import BrowserTest  # noqa: E402

CARDS = "document.querySelectorAll('.host-card').length"
ORDER = "[...document.querySelectorAll('.host-card')].map((one) => one.dataset.agent).join()"


class WebHomeTest(BrowserTest):
    def accessible(self, where):
        for scheme in ("light", "dark"):
            self.browser.do("scheme", scheme=scheme)
            self.assertEqual(self.browser.do("axe"), [], (where, scheme))

    def choose(self, label, value):
        """Picks an option of the select with this label, as a user would with the keyboard or the mouse."""
        self.browser.eval(f"""(() => {{
            const one = [...document.querySelectorAll('label.select')].find((label) => label.firstChild.textContent === '{label}').querySelector('select');
            one.value = '{value}';
            one.dispatchEvent(new Event('change', {{ bubbles: true }}));
        }})()""")

    def test_cards_show_stored_values_sorted_and_grouped(self):
        self.system(("agent-2", "agent-10", "agent-1"))
        self.configure("agent-2", "set", "--interval", "1", 'labels={"site": "eu"}')
        self.browser.open(self.url("overview"))
        self.browser.wait(f"{CARDS} === 3")
        self.assertEqual(self.browser.eval(ORDER), "agent-1,agent-2,agent-10", "names with numbers in their natural order")
        shown = self.browser.wait("document.querySelector('[data-agent=agent-2] [data-figure=CPU]').dataset.value")
        stored = wait_until(lambda: self.cpu_values("agent-2"), "values in the log").values()
        self.assertTrue(any(abs(float(shown) - value) < 5e-5 for value in stored), (shown, list(stored)))
        self.assertRegex(self.browser.eval("document.querySelector('[data-agent=agent-2] [data-figure=CPU] b').textContent"), r"^\d+\.\d %$")
        self.accessible("cards")
        # The order is by value, and the address holds the choice.
        self.choose("Sort", "cpu")
        values = "[...document.querySelectorAll('[data-figure=CPU]')].map((one) => Number(one.dataset.value))"
        self.browser.wait(f"((all) => all.every((one, i) => i === 0 || one <= all[i - 1]))({values})")
        self.assertEqual(self.browser.eval("location.hash"), "#/overview?sort=cpu&order=down")
        self.browser.wait("document.querySelector('[data-agent=agent-2] .tag')?.textContent === 'site=eu'")
        self.choose("Group", "site")
        self.browser.wait("[...document.querySelectorAll('.group-title')].map((one) => one.textContent).join() === 'eu 1,without site 2'")
        self.browser.do("key", key="/")
        self.browser.do("fill", selector=".overview input[type=search]", text="eu")
        self.browser.wait(f"{ORDER} === 'agent-2'")
        # One click on a card opens the host.
        self.browser.do("click", selector=".host-card")
        self.browser.wait("location.hash.startsWith('#/agent?agents=agent-2')")
        self.no_faults()

    def test_a_scroll_that_is_told_after_the_table_is_gone_is_no_fault(self):
        self.system(("agent-1",))
        self.browser.open(self.url("overview?view=table"))
        self.browser.wait("document.querySelector('.fleet-body')?.textContent.includes('agent-1')")
        frames = "new Promise((done) => { let left = 5; const next = () => (left-- === 0 ? done() : requestAnimationFrame(next)); next(); })"
        self.browser.eval(frames)  # the table has written its first rows, so the next scroll asks for a frame
        self.browser.eval("window.table = document.querySelector('.fleet-body'); location.hash = '#/plugins'")
        self.browser.wait("!window.table.isConnected")
        self.browser.eval(f"window.table.dispatchEvent(new Event('scroll')); {frames}")
        self.no_faults()

    def test_the_map_shows_any_metric_and_is_used_by_keys(self):
        self.system(("agent-1", "agent-2"))
        self.browser.open(self.url("overview?view=map"))
        self.browser.wait("document.querySelector('.map canvas')?.width > 0")
        tip = "document.querySelector('.map-tip')?.innerText"
        self.browser.eval("document.querySelector('.map-place').focus()")
        self.browser.do("key", key="ArrowRight")
        self.browser.wait(f"/^agent-1\\n\\d+\\.\\d %/.test({tip})")
        self.accessible("map")
        # A metric by its name in queries.
        self.browser.wait("[...document.querySelectorAll('label.select option')].some((one) => one.value === 'system_memory_limit_bytes')")
        self.choose("Colour", "system_memory_limit_bytes")
        self.browser.wait(f"/^agent-1\\n[\\d.]+ [GM]B\\n/.test({tip})")
        self.browser.do("key", key="ArrowRight")
        self.browser.do("key", key="Enter")
        self.browser.wait("location.hash === '#/agent?agents=agent-2'")
        self.no_faults()

    def test_the_palette_finds_hosts_pages_and_actions(self):
        self.system(("agent-1", "other-host"))
        self.browser.open(self.url("ledger"))
        self.browser.wait("document.querySelector('h1').textContent === 'Ledger'")
        chosen = "document.querySelector('#palette-list [aria-selected=true] .palette-title')?.textContent"
        for typed, found, then in (("oth", "other-host", "location.hash === '#/agent?agents=other-host'"), ("conf", "Configuration", "location.hash === '#/config'"),
                                   ("light and", "Switch between light and dark", "document.documentElement.dataset.theme === 'dark'")):
            self.browser.do("key", key="Control+k")
            self.browser.wait("document.activeElement.getAttribute('role') === 'combobox'")
            self.browser.do("fill", selector=".palette input", text=typed)
            self.browser.wait(f"{chosen} === '{found}'")
            if typed == "oth":
                self.accessible("palette")
                self.browser.do("scheme", scheme="light")
            self.browser.do("key", key="Enter")
            self.browser.wait(then)
            self.assertFalse(self.browser.eval("document.querySelector('.palette').open"))
        self.no_faults()

    def test_the_palette_opens_again_before_the_browser_tells_that_it_was_closed(self):
        self.system(("agent-1",))
        self.browser.open(self.url("ledger"))
        self.browser.wait("document.querySelector('h1').textContent === 'Ledger'")
        self.browser.do("key", key="Control+k")
        self.browser.wait("document.activeElement.getAttribute('role') === 'combobox'")
        stays_open = self.browser.eval("""new Promise((done) => {
            const palette = document.querySelector('.palette');
            const press = () => document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'k', ctrlKey: true, bubbles: true}));
            const frames = (n, then) => n === 0 ? then() : requestAnimationFrame(() => setTimeout(() => frames(n - 1, then)));
            palette.addEventListener('close', () => frames(3, () => done(palette.open)), {once: true});
            setTimeout(() => done('was not closed'), 5000);
            press();
            let left = 100;  // microtasks, all before the next event
            const again = () => palette.open && left-- > 0 ? queueMicrotask(again) : press();
            again();
        })""")
        self.assertIs(stays_open, True)
        self.no_faults()

    def test_settings_are_kept_in_the_browser(self):
        self.system(("agent-1", "agent-2"))
        self.browser.open(self.url("overview"))
        self.browser.wait(f"{CARDS} === 2")
        self.browser.do("key", key=",")
        self.browser.wait("document.querySelector('dialog[aria-label=Settings]').open")
        self.accessible("settings")
        self.browser.do("scheme", scheme="light")
        for name, value in (("theme", "dark"), ("density", "compact"), ("network", "bits")):
            self.browser.do("click", selector=f"input[name={name}][value={value}] + span")
        self.browser.do("key", key="Escape")
        network = "document.querySelector('[data-figure=Network] b').textContent"
        self.browser.wait(f"/ [kMG]?bit\\/s$/.test({network})")
        self.browser.open("about:blank")
        self.browser.open(self.url("overview"))
        self.browser.wait(f"{CARDS} === 2 && / [kMG]?bit\\/s$/.test({network})")
        self.assertEqual(self.browser.eval("((one) => [one.theme, one.density])(document.documentElement.dataset)"), ["dark", "compact"])
        self.no_faults()

    def test_a_fleet_of_no_host_says_how_to_start_one_and_a_fleet_of_one_is_that_host(self):
        server = self.start_server()
        self.serve()
        self.browser.open(self.url("overview"))
        self.browser.wait("document.querySelector('.command code')?.textContent.startsWith('monitor-agent ')")
        self.accessible("no hosts")
        self.configure("agent-1", "--interval", "1")
        self.start_agent("agent-1", server, "--simulate")
        self.browser.wait("document.querySelectorAll('.panel .uplot').length >= 2")
        self.assertIn("agent-1", self.browser.eval("document.getElementById('main').textContent"))
        self.assertEqual(self.browser.eval("document.querySelector('nav a[aria-current]').textContent"), "Home")
        self.no_faults()


if __name__ == "__main__":
    unittest.main()
