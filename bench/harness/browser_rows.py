"""The rows of the page in a browser (Chromium, software rendering): the time to the first chart of a day, the longest task
with 100 live hosts, frames per second while 1,000 hosts scroll, and the heap over ten minutes. The floor is an empty page in
the same browser and in the same run."""
import contextlib
import http.server
import json
import math
import os
import sqlite3
import sys
import threading
import time

from pairs import Line, Target, compare, measure
from processes import ROOT

sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
from browser import Browser  # noqa: E402
from programs import wait_until  # noqa: E402
from web import PageTest, stamp  # noqa: E402

ROW_PX = 30  # as high as a host's row
LEAST = 0.01  # ms: shorter tasks are not told apart
# Seconds until a page that was opened with its agents holds all that it keeps: Home's sparklines, and the lines of Host's range.
FILLED = {"Home": 800, "Host": 360}

# Scrolls up and down by time, as a hand that does not rest, and counts the frames that the page makes meanwhile.
SCROLL = """new Promise((done) => {
    const place = document.querySelector('%s');
    const least = place.scrollHeight - place.clientHeight;
    let frames = 0, begin = 0, last = 0, worst = 0;
    const step = (now) => {
        begin ||= now;
        if (last > 0) worst = Math.max(worst, now - last);
        last = now;
        const way = ((now - begin) / 1000 * %d) %% (2 * least);
        place.scrollTop = way < least ? way : 2 * least - way;
        if (now - begin >= %d) done({ fps: frames / (now - begin) * 1000, worst });
        else { ++frames; requestAnimationFrame(step); }
    };
    requestAnimationFrame(step);
})"""
EMPTY = """<!doctype html><html lang="en"><title>Empty</title><style>div { height: 100vh; overflow: auto; } p { height: %dpx; }</style>
<div><p></p></div><script>requestAnimationFrame(() => requestAnimationFrame(() => performance.mark('first-chart')))</script>"""


class System(PageTest):
    """The programs behind the page, without a test."""

    def runTest(self):  # noqa: N802
        pass


@contextlib.contextmanager
def system():
    one = System()
    one.setUp()
    browser = Browser()
    try:
        yield one, browser
    finally:
        browser.close()
        one.tearDown()


@contextlib.contextmanager
def empty_page(height):
    """The URL of a page with nothing on it, of this height."""
    text = (EMPTY % height).encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def visit(browser, url):
    browser.open("about:blank")
    browser.open(url)


def load(one, agents, seconds):
    server = one.start_server()
    one.serve()
    one.start("monitor-load", "stream", "--server", server.address, "--agents", agents, "--duration", f"{seconds}s")
    wait_until(lambda: len(one.get("/api/v1/fleet")["agents"]) == agents, f"{agents} agents", 120)


def write_day(one, seconds):
    """Writes ticks of a host into the log, one a second, with all series that a real one has just sent."""
    server = one.start_server("--retention", "7d")
    one.configure("agent-001", "--interval", "1")
    agent = one.start_agent("agent-001", server)
    one.serve()
    # The first tick has no rates yet.
    batch = wait_until(lambda: [m["batch"] for m in one.get("/api/v1/messages?limit=1")["messages"] if m["batch"]["sequence"] > 3], "a message")[0]
    agent.stop()
    first = int(time.time()) - 60 - seconds
    metrics = batch["frames"][-1]["metrics"]
    with sqlite3.connect(f"{one.data}/log.db", timeout=20) as log:
        for number in range(seconds // 100):
            begin = first + number * 100
            frames = [{**batch["frames"][-1], "time": stamp(at), "metrics":
                       [dict(m, value=round(0.4 + 0.3 * math.sin(at / 900), 4)) if m["unit"] == "1" else m for m in metrics]} for at in range(begin, begin + 100)]
            made = {**batch, "agent": "old", "sequence": number + 1, "first_unacked": number + 1, "frames": frames, "appended": stamp(begin + 100)}
            log.execute("INSERT INTO records(time_ns, key, headers, value) VALUES(?, 'old', ?, ?)",
                        ((begin + 100) * 10**9, '{"content-type": "application/json"}', json.dumps(made)))
    wait_until(lambda: (one.get("/api/ui/v1/series?agent=old")["extents"] or [{"last": 0}])[0]["last"] > time.time() - 200, "a day in the history", 300)
    return len(metrics)


def chart(options):
    seconds = 600 if options.quick else 86_400
    with system() as (one, browser), empty_page(800) as empty:
        series = write_day(one, seconds)

        def first(url):
            visit(browser, url)
            return {"ms": browser.wait("performance.getEntriesByName('first-chart')[0]?.startTime")}

        ours = f"http://{one.page.address}/#/agent?agents=old&span={seconds}"
        first(ours)  # the browser's caches are warm, as those of a person who comes back
        blocks = measure(lambda: first(empty), lambda: first(ours), [], *options.blocks())
        yield Line("browser-chart", f"first chart of {seconds:,} s at 1 s, {series} series", "ms", compare(blocks, "ms"), [Target(500, of="ours", unit="ms")])


def live(options):
    agents = 5 if options.quick else 100
    seconds = options.seconds(60, 3)
    with system() as (one, browser), empty_page(800) as empty:
        load(one, agents, 900)
        for name, page in (("Home", "overview?view=table"), ("Home, cards", "overview?view=cards"), ("Host", "agent?agents=load-1")):
            def longest(url):
                visit(browser, url)
                browser.wait("document.readyState === 'complete' && document.body.children.length > 0")
                browser.eval("new Promise((done) => setTimeout(done, 3000))")  # what loads is not what lives
                return {"ms": max([LEAST, *browser.do("mainTasks", seconds=seconds)])}

            blocks = [compare(measure(lambda: longest(empty), lambda url=f"http://{one.page.address}/#/{page}": longest(url), [], 1, 0), "ms")]
            yield Line("browser-live", f"{name}, {agents} live hosts: longest task in {seconds} s", "ms", blocks[0], [Target(50, of="ours", unit="ms")])


def scroll(options):
    agents = 50 if options.quick else 1000
    milliseconds = options.seconds(10, 1) * 1000
    with system() as (one, browser), empty_page(ROW_PX * agents) as empty:
        load(one, agents, 900)

        def rate(url, place):
            visit(browser, url)
            browser.wait(f"document.querySelector('{place}')?.scrollHeight > document.querySelector('{place}').clientHeight")
            browser.eval("new Promise((done) => setTimeout(done, 2000))")
            return browser.eval(SCROLL % (place, 3000, milliseconds))

        for name, page, place in (("table", "overview?view=table", ".fleet-body"), ("cards", "overview?view=cards", "main")):
            blocks = measure(lambda: rate(empty, "div"), lambda page=page, place=place: rate(f"http://{one.page.address}/#/{page}", place), [], *options.blocks())
            yield Line("browser-scroll", f"{agents:,} live hosts as {name}", "frames/s", compare(blocks, "fps", more_is_better=True),
                       [Target(50, of="ours", at_least=True, unit="frames/s")] if name == "table" else [])
            yield Line("browser-scroll", f"{agents:,} live hosts as {name}: longest frame", "ms", compare(blocks, "worst"))


def heap(options):
    seconds = options.seconds(600, 3)
    with system() as (one, browser), empty_page(800) as empty:
        load(one, 5 if options.quick else 100, 2 * seconds + sum(FILLED.values()) + 300)
        for name, page in (("Home", "overview?view=table"), ("Host", "agent?agents=load-1&span=300")):
            def used(url, after):
                visit(browser, url)
                browser.wait("document.readyState === 'complete' && document.body.children.length > 0")
                browser.eval(f"new Promise((done) => setTimeout(done, {after * 1000}))")
                browser.do("heap")
                return browser.do("heap") / 2**20

            bare = used(empty, 3)
            first = used(f"http://{one.page.address}/#/{page}", 3 if options.quick else FILLED[name])
            browser.eval(f"new Promise((done) => setTimeout(done, {seconds * 1000}))")
            last = browser.do("heap") / 2**20
            yield Line("browser-heap", f"{name}: after {seconds} s, vs. its start", "MiB", compare(measure(lambda: {"mib": first}, lambda: {"mib": last}, [], 1, 0), "mib"), [Target(1.05)])
            yield Line("browser-heap", f"{name}: vs. an empty page", "MiB", compare(measure(lambda: {"mib": bare}, lambda: {"mib": last}, [], 1, 0), "mib"))
