"""Live charts in a real browser: late ticks are in order, a reload loses no tick, series beyond the limit are not
requested repeatedly, and keys zoom and pan."""
import os
import re
import sys
import threading
import time
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import wait_until  # noqa: E402
from web import BrowserTest  # noqa: E402

# Counts the requests for history ranges, and delays a response on demand.
WATCH = """
    window.ranges = 0;
    const fetched = window.fetch;
    window.fetch = async (url, ...more) => {
        const range = String(url).includes('/range?');
        if (range) ++window.ranges;
        const answer = await fetched(url, ...more);
        if (range && window.keepBack) {
            window.keptBack = true;
            await new Promise((resolve) => { window.letGo = resolve; });
        }
        return answer;
    };"""
NEWEST = "document.querySelector('[data-metric=\"system.cpu.utilization\"] .u-series + .u-series .u-value')?.textContent"
# The CPU value of an agent in the overview, and the number of segments of its sparkline, with the width of the drawing.
PARTS = """(name) => {
    const row = [...document.querySelectorAll('.fleet-rows .fleet-row')].find((one) => one.textContent.includes(name));
    const path = row.querySelector('.spark path');
    const { width, height } = path.getBoundingClientRect();
    const parts = path.getAttribute('d').split('M').length - 1;
    return `${row.querySelectorAll('[role=cell]')[3].textContent} in ${width > 30 && height > 5 ? parts : 0}`;
}"""


LIVE = "[...document.querySelectorAll('button')].find((one) => one.textContent === 'Live').getAttribute('aria-pressed')"


class WebChartsTest(BrowserTest):
    def setUp(self):
        super().setUp()
        self.batch = self.one_batch()
        self.sequence = 0

    def tick(self, at, cpu):
        self.sequence += 1
        self.write(self.made(self.batch, "odd", self.sequence, at, cpu=cpu))

    def points(self):
        found = re.search(r"([\d,]+) points?\b", self.browser.eval("document.querySelector('.info').textContent") or "")
        return int(found.group(1).replace(",", "")) if found else 0

    def follow(self, ticks):
        """Opens a live chart of an agent with this many ticks at 10 %, the last one 60 s ago."""
        self.first = time.time() - 60 - ticks
        for i in range(ticks):
            self.tick(self.first + i, 0.1)
        wait_until(lambda: len(self.range("odd")[0]) == ticks, "the ticks in the history")
        self.browser.open(self.url("overview?view=table"))
        self.browser.wait("document.querySelector('.lamp.live') !== null")
        self.browser.eval(WATCH)
        self.browser.eval("location.hash = '#/agent?agents=odd&span=300'")
        self.browser.wait(f"{NEWEST} === '10.0 %'")
        self.assertEqual(self.points(), ticks)

    def is_quiet(self):
        """True if the page requests no history for longer than its retry delay."""
        before = self.browser.eval("window.ranges")
        self.browser.eval("new Promise((resolve) => setTimeout(resolve, 6000))")
        return self.browser.eval("window.ranges") == before

    def test_late_ticks_are_in_order_and_survive_a_reload(self):
        self.follow(10)
        # Live ticks appear without a history request.
        self.tick(time.time() - 5, 0.2)
        self.browser.wait(f"{NEWEST} === '20.0 %'")
        # Ticks from a spool appear at their time, however late they arrive.
        for i in range(3):
            self.tick(self.first + 20 + i, 0.9)
        wait_until(lambda: self.points() == 14, "the late ticks in the chart")
        self.assertEqual(self.browser.eval(NEWEST), "20.0 %", "late ticks do not change the newest value")
        # Ticks that arrive during a request are still shown after the response.
        self.browser.eval("window.keepBack = true")
        self.tick(self.first + 30, 0.9)
        self.browser.wait("window.keptBack === true")
        self.tick(time.time(), 0.3)
        self.browser.wait(f"{NEWEST} === '30.0 %'")
        self.browser.eval("window.keepBack = false; window.letGo()")
        wait_until(lambda: self.points() == 16, "the response to be shown")
        self.assertTrue(self.is_quiet(), "no further requests")
        self.assertEqual(self.browser.eval(NEWEST), "30.0 %")
        self.no_faults()

    def test_sparklines_have_gaps_only_for_missed_ticks(self):
        begin = time.time() - 290
        ticks = {f"every-{interval}": [begin + i * interval for i in range(290 // interval)] for interval in (1, 6, 10, 15)}
        ticks["missed-10"] = [at for i, at in enumerate(ticks["every-10"]) if i != 12]

        def write(begin, end):
            for agent, times in ticks.items():
                for number, at in enumerate(times):
                    if begin <= at < end:
                        self.write(self.made(self.batch, agent, number + 1, at, cpu=0.2 + 0.5 * (at % 60) / 60))

        # Half of the ticks exist when the page opens, the others arrive afterwards.
        write(begin, begin + 140)
        wait_until(lambda: self.known() >= ticks.keys(), "the agents")
        self.browser.open(self.url("overview?view=table"))
        self.browser.wait(f"document.querySelectorAll('.fleet-rows .fleet-row:not([hidden])').length === {len(ticks) + 1}")
        write(begin + 140, begin + 290)
        for agent in ticks:
            parts = 2 if agent.startswith("missed") else 1
            last = f"{(0.2 + 0.5 * (ticks[agent][-1] % 60) / 60) * 100:.1f}"
            self.browser.wait(f"({PARTS})('{agent}') === '{last} in {parts}'", limit=10000)
        self.no_faults()

    def known(self):
        return {one["agent"] for one in self.get("/api/v1/fleet")["agents"]}

    def test_axis_labels_fit_and_the_cursor_shows_the_time(self):
        begin = time.time() - 60
        for number in range(30):
            batch = self.made(self.batch, "odd", number + 1, begin + number, cpu=0.1)
            batch["frames"][0]["metrics"] += [{"name": name, "labels": {}, "unit": unit, "value": value} for name, unit, value in (
                ("system.disk.io.rate", "By/s", 0), ("system.memory.usage", "By", 3 * 2**30), ("odd.unit", "furlongs per fortnight and more", 12345678.9))]
            self.write(batch)
        wait_until(lambda: len(self.range("odd")[0]) == 30, "the ticks in the history")
        self.browser.do("size", width=1280, height=3000)  # all charts visible
        self.browser.open("about:blank")
        self.browser.open(self.url("overview?view=table"))
        self.browser.wait("document.querySelector('.lamp.live') !== null")
        # Records the texts that the charts draw, with their positions.
        self.browser.eval("""(() => {
            window.written = [];
            const write = CanvasRenderingContext2D.prototype.fillText;
            CanvasRenderingContext2D.prototype.fillText = function (text, x, y, ...more) {
                const width = this.measureText(text).width;
                const left = this.textAlign === 'right' ? x - width : this.textAlign === 'center' ? x - width / 2 : x;
                window.written.push({ metric: this.canvas.closest('[data-metric]')?.dataset.metric, text, left, right: left + width, width: this.canvas.width });
                return write.call(this, text, x, y, ...more);
            };
            location.hash = '#/agent?agents=odd&span=300';
        })()""")
        self.browser.wait("['system.disk.io.rate', 'system.memory.usage', 'odd.unit'].every((name) => window.written.some((one) => one.metric === name))")
        self.assertEqual(self.browser.eval("window.written.filter((one) => one.left < 0)"), [], "text is cut off at the left")
        texts = set(self.browser.eval("window.written.map((one) => one.text)"))
        self.assertTrue({"0 KB/s", "1 KB/s", "0 GB", "3 GB"} <= texts, texts)
        self.assertFalse([text for text in texts if "MB" in text])
        # The cursor shows the time, and a single chart uses the full width.
        chart = "[data-metric=\"system.cpu.utilization\"]"
        self.browser.do("click", selector=f"{chart} .u-over")
        self.browser.wait(f"/^\\d{{4}}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d$/.test(document.querySelector('{chart} .u-series .u-value').textContent)")
        width = f"document.querySelector('{chart}').clientWidth"
        self.assertLess(self.browser.eval(width), 700)
        self.browser.do("fill", selector="input[aria-label=Metrics]", text="system.cpu.utilization")
        self.browser.wait(f"{width} > 1000 && document.querySelector('{chart} canvas').clientWidth > 1000")
        self.no_faults()

    def test_keys_zoom_and_pan(self):
        self.follow(10)
        self.browser.eval("document.activeElement.blur()")
        hash_ = lambda: dict(urllib.parse.parse_qsl(self.browser.eval("location.hash.split('?')[1]")))  # noqa: E731
        self.browser.do("key", key="+")
        self.assertEqual(hash_(), {"agents": "odd", "span": "150"}, "live, the last half")
        self.browser.do("key", key="-")
        self.assertEqual(hash_()["span"], "300")
        # The browser's Back undoes each step.
        for span in ("150", "300"):
            self.browser.eval("history.back()")
            self.browser.wait(f"location.hash.includes('span={span}')")
        self.browser.wait("[...document.querySelectorAll('button')].find((one) => one.textContent === '5 min').getAttribute('aria-pressed') === 'true'")
        self.browser.do("key", key="ArrowLeft")
        first = {name: float(hash_()[name]) for name in ("from", "to")}
        self.assertAlmostEqual(first["to"] - first["from"], 300, delta=0.01)
        self.assertAlmostEqual(first["to"], time.time() - 150, delta=20)
        self.browser.do("key", key="+")
        second = {name: float(hash_()[name]) for name in ("from", "to")}
        self.assertAlmostEqual(second["to"] - second["from"], 150, delta=0.01)
        self.assertAlmostEqual(second["to"] + second["from"], first["to"] + first["from"], delta=0.01)
        self.browser.do("key", key="ArrowRight")
        self.assertAlmostEqual(float(hash_()["from"]), second["from"] + 75, delta=0.01)
        self.browser.wait("document.querySelector('.info').textContent.startsWith('No values of odd between')")
        # Panning far enough to the right returns to live mode; so does the key 0.
        for _ in range(3):
            self.browser.do("key", key="ArrowRight")
        self.assertNotIn("from", hash_())
        self.browser.do("key", key="ArrowLeft")
        self.assertIn("from", hash_())
        self.browser.eval("history.back()")
        self.browser.wait("!location.hash.includes('from=') && document.querySelector('.info').textContent.includes('– now')")
        # A key that follows the new address at once counts, and nothing undoes it.
        self.browser.eval("""new Promise((resolve) => {
            addEventListener('hashchange', () => {
                document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '0', bubbles: true }));
                requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve)));
            }, { once: true });
            history.forward();
        })""")
        self.assertNotIn("from", hash_())
        self.browser.wait(f"{LIVE} === 'true'")
        # Keys typed into a field do not move the chart.
        self.browser.do("key", key="/")
        self.browser.do("key", key="0")
        self.assertEqual(self.browser.eval("document.activeElement.value"), "0")
        self.no_faults()

    def test_does_not_request_series_beyond_the_limit_repeatedly(self):
        self.follow(10)
        # The history accepts 5,000 series per agent; every tick of this test contains one more.
        ended = threading.Event()

        def go_on():
            more = [{"name": f"odd.{i}", "labels": {}, "unit": "1", "value": 1} for i in range(5200)]
            while not ended.wait(0.3):
                self.sequence += 1
                batch = self.made(self.batch, "odd", self.sequence, time.time(), cpu=0.2)
                batch["frames"][0]["metrics"] += more
                more = more[-1:]
                self.write(batch)

        writer = threading.Thread(target=go_on)
        writer.start()
        self.addCleanup(writer.join)
        self.addCleanup(ended.set)
        wait_until(lambda: self.own('monitor_history_points_dropped_total{reason="cardinality"}') > 100, "points over the limit")
        wait_until(self.is_quiet, "the requests to stop", 60)
        self.assertLess(self.browser.eval("window.ranges"), 12)
        self.no_faults()


if __name__ == "__main__":
    unittest.main()
