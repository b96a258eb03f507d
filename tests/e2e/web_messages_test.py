"""The page's messages in a real browser: found by agent, time and place, decoded beside their bytes, followed as they come;
partitions and readers. What it shows is compared with the log's file."""
import json
import os
import sqlite3
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import wait_until  # noqa: E402
from web import BrowserTest  # noqa: E402

ROWS = "[...document.querySelectorAll('.message-rows .message-row')]"
NEWEST = f"Math.max(0, ...{ROWS}.map((one) => Number(one.dataset.offset)))"
INFO = "(document.querySelector('.info')?.textContent ?? '')"


class WebMessagesTest(BrowserTest):
    def records(self, where="1", *values):
        """Returns offset, time, key, headers and value of records in the log, read from its file."""
        with sqlite3.connect(f"file:{self.data}/log.db?mode=ro", uri=True, timeout=20) as log:
            return log.execute(f"SELECT offset, time_ns, key, headers, value FROM records WHERE {where} ORDER BY offset", values).fetchall()

    def add(self, key, value, count=1, headers="{}"):
        with sqlite3.connect(f"{self.data}/log.db", timeout=20) as log:
            log.executemany("INSERT INTO records(time_ns, key, headers, value) VALUES(?, ?, ?, ?)", [(time.time_ns(), key, headers, value)] * count)
            return log.execute("SELECT max(offset) FROM records").fetchone()[0]

    def accessible(self, where):
        for scheme in ("light", "dark"):
            self.browser.do("scheme", scheme=scheme)
            self.assertEqual(self.browser.do("axe"), [], (where, scheme))
            self.shot(f"messages-{where}-{scheme}")

    def fits_a_phone(self, where):
        self.browser.do("size", width=390, height=800)
        self.assertLessEqual(self.browser.eval("document.documentElement.scrollWidth"), 390)
        self.shot(f"messages-{where}-phone")
        self.browser.do("size", width=1280, height=800)

    def shown_bytes(self):
        """Returns the beginning of the value in hex, as far as its lines are in the DOM."""
        return self.browser.eval("[...document.querySelectorAll('.hex-bytes')].map((one) => one.textContent.replace(/ /g, '')).join('')")

    def test_finds_the_message_of_a_time_of_one_agent_and_shows_what_it_says(self):
        from decode_batch import decode

        self.system(("web-1", "web-2"))
        # The first tick is not on the grid of the others: it can share its second with the second one.
        offset, at, key, headers, value = wait_until(lambda: self.records("key = 'web-2'")[2:], "three messages")[0]
        batch = decode(value)
        tick = batch["frames"][0]["time"] / 1e9
        wait_until(lambda: time.time() > at / 1e9 + 4, "messages after it")
        self.browser.open(self.url("overview"))
        self.browser.wait("document.querySelector('.lamp.live') !== null")
        # A link, an agent, a time: three steps.
        self.browser.do("click", selector="nav a[href='#/messages']")
        self.browser.do("fill", selector=".in-agent", text="web-2")
        self.browser.do("fill", selector=".in-at", text=time.strftime("%H:%M:%S", time.gmtime(tick)))
        self.browser.wait(f"document.querySelector('.message-view')?.dataset.open === '0:{offset}'")
        self.browser.wait("document.querySelector('.hex-bytes') !== null")
        self.assertEqual(self.browser.eval(f"{ROWS}.every((one) => one.querySelector('.w-key').textContent === 'web-2')"), True)
        self.assertEqual(self.browser.eval("document.querySelector('.is-marked').dataset.offset"), str(offset))
        # The bytes and the headers are those of the file, the values those of the decoder of the documentation.
        shown = self.shown_bytes()
        self.assertGreater(len(shown), 200)
        self.assertEqual(shown, value.hex()[:len(shown)])
        facts = self.browser.eval("Object.fromEntries([...document.querySelectorAll('.message-facts > div')].map((one) => [one.querySelector('dt').textContent, one.querySelector('dd').textContent]))")
        self.assertEqual((facts["Partition"], facts["Offset"]), ("0", str(offset)))
        self.assertEqual(facts["Stored"], time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at // 10**9)) + f".{at // 10**6 % 1000:03}")
        self.assertIn(str(len(value)), facts["Size"].replace(",", ""))
        listed = self.browser.eval("(() => { const all = [...document.querySelectorAll('[aria-label=Headers] .headers > *')].map((one) => one.textContent); return Object.fromEntries(all.filter((_, i) => i % 2 === 0).map((name, i) => [name, all[2 * i + 1]])); })()")
        self.assertEqual(listed, json.loads(headers))
        values = self.browser.eval("Object.fromEntries([...document.querySelectorAll('.values tbody tr')].map((row) => [row.querySelector('th').firstChild.textContent, [...row.querySelectorAll('td')].map((one) => one.dataset.value)]))")
        expected = {}
        for i, frame in enumerate(batch["frames"]):
            for series, number in frame["points"]:
                name = series["name"] + ("{" + ",".join(f"{k}={v}" for k, v in sorted(series["labels"].items())) + "}" if series["labels"] else "")
                expected.setdefault(name, [None] * len(batch["frames"]))[i] = number
        self.assertEqual(set(values), set(expected))
        for name, numbers in expected.items():
            self.assertEqual([float(one) for one in values[name]], numbers, name)
        self.accessible("open")
        self.fits_a_phone("open")
        # The address holds all of it, and the arrow keys move through the list.
        address = self.browser.eval("location.href")
        self.browser.open("about:blank")
        self.browser.open(address)
        self.browser.wait(f"document.querySelector('.message-view')?.dataset.open === '0:{offset}'")
        self.browser.wait("document.querySelector('.is-open') !== null")
        self.browser.eval("document.querySelector('.message-body').focus()")
        self.browser.do("key", key="ArrowUp")
        following = self.records("key = 'web-2' AND offset > ?", offset)[0]
        self.browser.wait(f"document.querySelector('.message-view')?.dataset.open === '0:{following[0]}'")
        self.browser.wait(f"document.querySelector('.hex-bytes')?.textContent.replace(/ /g, '') === '{following[4].hex()[:32]}'")
        self.browser.do("key", key="Escape")
        self.browser.wait("document.querySelector('.message-view') === null")
        # A time that no message has says so.
        self.browser.do("fill", selector=".in-at", text="-3h")
        self.browser.wait("document.querySelector('.not-there') !== null")
        self.browser.do("fill", selector=".in-at", text="noon")
        self.browser.wait("document.querySelector('#search-fault').textContent.includes('is no time')")
        self.no_faults()

    def test_finds_by_place_and_shows_corrupt_messages_with_their_bytes(self):
        self.system()
        for program in self.running[:2]:
            program.stop()
        wrong = b"\x0a\xff\x00no batch" + bytes(range(256)) * 300
        bad = self.add("web-9", wrong, headers=json.dumps({"content-type": "application/x-protobuf"}))
        self.browser.open(self.url("messages?kind=corrupt"))
        self.browser.wait(f"{ROWS}.length === 1 && {INFO}.startsWith('1 message,')")
        self.assertIn("cannot be decoded: ", self.browser.eval(f"{ROWS}[0].querySelector('.w-ticks').textContent"))
        self.browser.do("click", selector=".message-rows .message-row")
        self.browser.wait("document.querySelector('.undecoded') !== null && document.querySelector('.hex-bytes') !== null")
        self.assertIn("first 65,536 of 76,811", self.browser.eval("document.querySelector('.message-raw').textContent"))
        shown = self.shown_bytes()
        self.assertEqual(shown, wrong.hex()[:len(shown)])
        self.browser.eval("[...document.querySelectorAll('.message-raw button')].find((one) => one.textContent === 'Load all').click()")
        self.browser.wait("document.querySelector('.message-raw').textContent.includes('76,811') && !document.querySelector('.message-raw').textContent.includes('first')")
        self.browser.eval("document.querySelector('.hex').scrollTop = 1e9")
        last = wrong.hex()[-(len(wrong) % 16) * 2:]
        self.browser.wait(f"[...document.querySelectorAll('.hex-bytes')].some((one) => one.textContent.replace(/ /g, '') === '{last}')")
        self.accessible("corrupt")
        # By partition and offset, also one that is not there.
        self.browser.open(self.url("messages?offset=2"))
        self.browser.wait("document.querySelector('.message-view')?.dataset.open === '0:2'")
        self.assertEqual(sorted(self.browser.eval(f"{ROWS}.map((one) => Number(one.dataset.offset))")), [one[0] for one in self.records()][:60])
        self.browser.open(self.url(f"messages?open=0:{bad + 1}"))
        self.browser.wait(f"document.querySelector('.message-view').textContent.includes('does not hold offset {bad + 1}: its messages are 1 to {bad}')")
        self.browser.do("expect", texts=["404"])
        self.browser.do("faults")
        # A search goes on until it has found all matches, however far from the end they are.
        with sqlite3.connect(f"{self.data}/log.db", timeout=20) as log:
            log.execute("UPDATE records SET key = 'far' WHERE offset = 1")
        self.add("many", b"", 20_000)
        self.browser.do("fill", selector=".in-agent", text="far")
        self.browser.wait(f"{ROWS}.length === 1 && {INFO} === '1 message, newest first'")
        self.assertEqual(self.browser.eval(f"{ROWS}[0].dataset.offset"), "1")
        self.browser.do("fill", selector=".in-agent", text="nobody")
        self.browser.wait(f"{INFO}.startsWith('No message matches · 20,')")
        # Only the rows in sight are in the page, and older ones follow.
        self.browser.do("fill", selector=".in-agent", text="many")
        self.browser.wait(f"{INFO}.startsWith('60 messages')")
        self.browser.do("click", selector=".older-button")
        self.browser.wait(f"{INFO}.startsWith('120 messages')")
        self.assertLess(self.browser.eval(f"{ROWS}.length"), 80)
        self.no_faults()

    def test_leads_to_the_last_messages_of_an_agent_that_is_gone(self):
        server = self.start_server()
        self.configure("gone-1", "--interval", "1")
        agent = self.start_agent("gone-1", server, "--simulate")
        wait_until(lambda: len(self.records()) >= 2, "messages")
        for program in (agent, server):
            program.stop()
        with sqlite3.connect(f"{self.data}/log.db", timeout=20) as log:
            log.execute("UPDATE records SET time_ns = time_ns - 7200000000000")
        self.serve()
        wait_until(lambda: self.get("/api/ui/v1/fleet")["agents"], "the agent")
        self.browser.open(self.url("messages?agent=gone-1&since=-1h"))
        self.browser.wait("document.querySelector('.seen-hint')?.textContent.startsWith('The newest message of gone-1 was stored ')")
        self.browser.do("click", selector=".seen-hint button")
        self.browser.wait(f"{NEWEST} === {self.records()[-1][0]}")
        self.browser.wait("document.querySelector('.message-view') !== null && document.querySelector('.is-open') !== null")
        self.browser.do("key", key="Escape")
        self.browser.eval("document.activeElement.blur()")
        self.browser.wait("document.querySelector('.message-view') === null")
        self.browser.do("key", key="j")
        self.browser.do("key", key="Enter")
        self.browser.wait("document.querySelector('.message-row.is-open.selected') !== null && document.querySelector('.message-view') !== null")
        self.no_faults()

    def test_follows_the_log_with_a_filter_and_loses_nothing_silently(self):
        self.system()
        self.browser.open(self.url("messages"))
        self.browser.wait(f"{ROWS}.length >= 3")
        self.browser.do("click", selector=".tail-button")
        self.browser.wait("document.querySelector('.tail-state') !== null")
        before = self.browser.eval(NEWEST)
        self.browser.wait(f"{NEWEST} > {before}")
        self.browser.do("fill", selector=".in-agent", text="many")
        self.browser.wait("location.hash.includes('agent=many') && document.querySelector('.tail-state') !== null")
        end = self.add("many", b"x", 7)
        self.browser.wait(f"{ROWS}.length === 7 && {NEWEST} === {end}")
        # The agent's messages do not match; nor do they with another filter, which only the server can decide.
        self.assertEqual(self.browser.eval(f"{ROWS}.every((one) => one.querySelector('.w-key').textContent === 'many')"), True)
        # During a pause the list stands still, and then goes on where it stopped.
        self.browser.do("click", selector=".pause-button")
        self.browser.wait("document.querySelector('.tail-state').textContent.includes('Paused')")
        self.add("many", b"x", 30)
        self.browser.wait("Number(/(\\d+) newer messages in the log/.exec(document.querySelector('.tail-state').textContent)?.[1] ?? 0) >= 30")
        self.assertEqual(self.browser.eval(f"{ROWS}.length"), 7)
        self.browser.do("click", selector=".pause-button")
        self.browser.wait(f"{INFO}.startsWith('37 messages')")
        self.assertIn("none skipped", self.browser.eval("document.querySelector('.skipped').textContent"))
        self.accessible("tail")
        # What comes too fast is skipped and counted: each message is shown or counted.
        for program in self.running[:2]:
            program.stop()
        wait_until(lambda: self.browser.eval("document.querySelector('.tail-state') !== null"), "the tail")
        self.browser.do("click", selector=".pause-button")
        self.add("many", b"x", 12_000)
        self.browser.do("click", selector=".pause-button")
        counts = self.browser.wait(f"""(() => {{
          const skipped = /([\\d,]+) messages? of the log skipped/.exec(document.querySelector('.skipped').textContent);
          return skipped && [Number(skipped[1].replace(/,/g, '')), Number({INFO}.split(' ')[0].replace(/,/g, ''))]; }})()""")
        self.assertGreater(counts[0], 5_000)
        self.assertGreaterEqual(sum(counts), 12_037)
        self.assertLess(sum(counts), 12_037 + 20, "those of the agent before it stopped")
        self.browser.wait(f"{INFO}.split(' ')[0] !== ''")
        # With a metric, only the server can decide.
        self.browser.open(self.url("messages?tail=1&metric=no.such.metric"))
        self.browser.wait(f"{INFO}.startsWith('No message matches') && document.querySelector('.tail-state') !== null")
        self.no_faults()

    def test_shows_partitions_groups_and_their_lag(self):
        self.system()
        group = self.start("monitor-analysis", "get-metrics", "--log", f"sqlite:{self.data}/log.db", "--group-id", "readers", "--format", "json", "--from", "earliest")
        group.prints("system.cpu", limit=60)
        group.stop()
        for program in [one for one in self.running if one is not self.page and one is not group]:
            program.stop()
        end = self.records()[-1]
        with sqlite3.connect(f"file:{self.data}/log.db-groups.db?mode=ro", uri=True) as groups:
            following = groups.execute("SELECT next_offset FROM snapshots WHERE group_id = 'readers'").fetchone()[0]
        self.browser.open(self.url("messages?view=log"))
        cells = "[...document.querySelectorAll('.partitions tbody tr')].map((row) => [...row.querySelectorAll('td')].map((one) => one.textContent))[0]"
        self.browser.wait(f"({cells})?.[2] === '{end[0]}'")
        shown = self.browser.eval(cells)
        stamp = lambda ns: time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(ns // 10**9)) + f".{ns // 10**6 % 1000:03}"  # noqa: E731
        self.assertEqual(shown[:4] + shown[5:], ["0", "1", str(end[0]), str(end[0]), stamp(self.records()[0][1]), stamp(end[1])])
        with sqlite3.connect(f"file:{self.data}/log.db?mode=ro", uri=True) as log:
            size = log.execute("SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size").fetchone()[0]
        self.assertAlmostEqual(float(shown[4].split()[0]), size / 1024, delta=1)
        lag = self.browser.wait("document.querySelector('[data-reader=readers] td:nth-child(3)')?.textContent")
        self.assertEqual(int(lag), end[0] + 1 - following)
        self.browser.wait("document.querySelectorAll('.readers tbody tr')[0].querySelectorAll('td')[2].textContent === '0'")
        # Its past, and how far it reaches back.
        self.browser.wait("document.querySelectorAll('.lag-charts canvas').length === 2")
        self.browser.wait("document.querySelector('.reach').textContent.startsWith('Samples reach back')")
        self.browser.wait("document.querySelector('.lag-charts').textContent.includes('readers')")
        self.accessible("readers")
        self.fits_a_phone("readers")
        self.browser.do("click", selector=".partitions tbody td:nth-child(3) a")
        self.browser.wait(f"document.querySelector('.message-view')?.dataset.open === '0:{end[0]}'")
        self.no_faults()


if __name__ == "__main__":
    unittest.main(verbosity=2)
