"""What leaves a chart: full screen, an image, a CSV file and a link, each compared with what the log holds and with the chart itself."""
import base64
import csv
import io
import os
import re
import sys
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from png import read_png  # noqa: E402
from programs import wait_until  # noqa: E402
from web import BrowserTest  # noqa: E402

METRIC = "system.cpu.utilization"
PANEL = f'[data-metric="{METRIC}"][data-by=""]'
TOOL = PANEL + ' .panel-tools button[aria-label^="{}"]'
DRAWN = f"document.querySelector('{PANEL} .u-series + .u-series .u-value')?.textContent.endsWith('%')"
SAID = f"document.querySelector('{PANEL} .panel-tools [role=status]').textContent"
CANVAS = f"document.querySelector('{PANEL} canvas')"
CLIPBOARD_IMAGE = """navigator.clipboard.read().then(([one]) => one.getType('image/png')).then((blob) => new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.split(',')[1]);
    reader.readAsDataURL(blob);
}))"""


class WebChartFilesTest(BrowserTest):
    def setUp(self):
        super().setUp()
        server = self.start_server()
        self.configure("web-1", "--interval", "1")
        self.start_agent("web-1", server, "--simulate")
        self.serve()
        wait_until(lambda: len(self.cpu_values("web-1")) >= 12, "values")
        times = sorted(self.cpu_values("web-1"))
        self.begin, self.end = times[2] - 0.5, times[9] + 0.5
        wait_until(lambda: self.range("web-1")[0][-1:] > [self.end], "the values in the history")

    def stored(self, begin, end):
        return sorted((at, value) for at, value in self.cpu_values("web-1").items() if begin <= at <= end)

    def open_chart(self, where=None, page=0):
        self.browser.open(self.url(f"agent?agents=web-1&from={self.begin:.3f}&to={self.end:.3f}" if where is None else where), page=page)
        self.browser.wait(DRAWN, page=page)

    def saved_rows(self, page=0):
        file = self.browser.do("download", selector=TOOL.format("Save"), page=page)
        self.assertEqual(file["name"], f"web-1-{METRIC}.csv")
        head, *rows = csv.reader(io.StringIO(base64.b64decode(file["base64"]).decode()))
        self.assertEqual((len(head), head[:2]), (3, ["time", "local time"]))
        return rows

    def rows_are_stored(self, rows, expected):
        self.assertEqual(len(rows), len(expected), (rows, expected))
        for (time, _, value), (at, stored) in zip(rows, expected):
            self.assertAlmostEqual(float(time), at, delta=2e-6)
            self.assertAlmostEqual(float(value), stored, delta=1e-9 * max(1, abs(stored)))

    def test_the_csv_file_holds_what_the_log_holds(self):
        self.open_chart()
        rows = self.saved_rows()
        expected = self.stored(self.begin, self.end)
        self.assertEqual(len(expected), 8)
        self.rows_are_stored(rows, expected)
        self.assertEqual(self.browser.wait(SAID), "CSV saved")
        for time, clock, _ in rows:
            self.assertEqual(clock, self.browser.eval(f"new Date({time} * 1000).toISOString().slice(0, 19).replace('T', ' ')"), "the browser's zone is UTC")
        self.no_faults()

    def image_is_the_chart(self, data):
        """A title above the chart and the names of its lines below, in its own pixels."""
        wide, high = self.browser.eval(f"[{CANVAS}.width, {CANVAS}.height]")
        width, height, rows = read_png(data)
        self.assertGreater(min(wide, high), 100)
        self.assertEqual((width, height), (wide, high + 54))
        drawn = self.browser.eval(f"(() => {{ const c = {CANVAS}; return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]; }})()")
        # Where the chart is opaque, the image has its colour; there are at least the line, its axes and their texts.
        opaque = [(i // 4 % wide, i // 4 // wide, tuple(drawn[i:i + 3])) for i in range(0, len(drawn), 4) if drawn[i + 3] == 255]
        self.assertGreater(len(opaque), wide)
        other = [(x, y, colour, rows[y + 30][x]) for x, y, colour in opaque if rows[y + 30][x] != colour]
        self.assertLess(len(other), len(opaque) / 100, other[:5])
        for name, part in (("title", rows[:30]), ("names", rows[-24:])):
            self.assertGreater(len({colour for row in part for colour in row}), 4, name)

    def test_the_image_is_the_chart_in_the_clipboard_or_a_file(self):
        self.open_chart()
        self.browser.do("allowClipboard")
        self.browser.do("click", selector=TOOL.format("Copy CPU"))
        self.browser.wait(f"{SAID} === 'Image copied'")
        self.image_is_the_chart(base64.b64decode(self.browser.eval(CLIPBOARD_IMAGE)))
        # A page from another host over plain HTTP has no clipboard.
        self.browser.eval("navigator.clipboard.write = () => Promise.reject(new Error('forbidden'))")
        file = self.browser.do("download", selector=TOOL.format("Copy CPU"))
        self.assertEqual(file["name"], f"web-1-{METRIC}.png")
        self.image_is_the_chart(base64.b64decode(file["base64"]))
        self.no_faults()

    def test_a_link_to_a_live_chart_opens_the_range_that_was_in_sight(self):
        self.open_chart("agent?agents=web-1&span=60")
        self.browser.do("allowClipboard")
        self.browser.do("click", selector=TOOL.format("Copy a link"))
        self.browser.wait(f"{SAID} === 'Link copied'")
        link = self.browser.eval("navigator.clipboard.readText()")
        chosen = dict(urllib.parse.parse_qsl(link.split("?", 1)[1]))
        begin, end = float(chosen["from"]), float(chosen["to"])
        self.assertEqual((chosen["agents"], chosen["metric"]), ("web-1", METRIC))
        self.assertAlmostEqual(end - begin, 60, delta=0.1)
        # Later, when there are more values, somebody else opens it.
        wait_until(lambda: max(self.cpu_values("web-1")) > end + 3 and self.range("web-1")[0][-1] > end + 2, "newer values")
        self.open_chart(link.split("#/", 1)[1], page=1)
        self.assertEqual(self.browser.eval("[...new Set([...document.querySelectorAll('.panel')].map((one) => one.dataset.metric))]", page=1), [METRIC])
        self.rows_are_stored(self.saved_rows(page=1), self.stored(begin, end))
        self.no_faults()

    def test_a_chart_fills_the_screen_and_comes_back(self):
        self.open_chart()
        before = self.browser.eval(f"[{CANVAS}.clientWidth, {CANVAS}.clientHeight, document.querySelector('{PANEL} .u-series + .u-series .u-value').textContent]")
        self.browser.do("click", selector=TOOL.format("Show CPU"))
        box = self.browser.wait(f"(() => {{ const box = document.querySelector('{PANEL}.is-whole')?.getBoundingClientRect(); return box && [box.left, box.top, box.right, box.bottom]; }})()")
        self.assertTrue(all(abs(one - edge) <= 16 for one, edge in zip(box, (0, 0, 1280, 800))), box)
        self.browser.wait(f"{CANVAS}.clientWidth > 1100 && {CANVAS}.clientHeight > 500")
        self.assertEqual(self.browser.eval(f"document.querySelector('{PANEL} .u-series + .u-series .u-value').textContent"), before[2])
        self.assertEqual(self.browser.do("axe"), [])
        self.shot("full-screen")
        # The pointer in the chart shows the values there, and Escape leaves wherever the focus is.
        self.browser.do("hover", selector=f"{PANEL} .u-over")
        middle = self.browser.wait(f"((text) => /^\\d{{4}}-/.test(text) && text)(document.querySelector('{PANEL} .u-series .u-value').textContent)")
        shown = float(self.browser.eval(f"document.querySelector('{PANEL} .u-series + .u-series .u-value').textContent").removesuffix(" %")) / 100
        near = [value for at, value in self.stored(self.begin, self.end)]
        self.assertLess(min(abs(value - shown) for value in near), 5.1e-4, (middle, near))
        self.assertTrue(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", middle), middle)
        self.browser.eval("document.activeElement.blur()")
        self.browser.do("key", key="Escape")
        self.browser.wait(f"document.querySelector('.is-whole') === null && {CANVAS}.clientWidth === {before[0]} && {CANVAS}.clientHeight === {before[1]}")
        self.no_faults()


if __name__ == "__main__":
    unittest.main()
