"""Hostile expressions and parameters for the query API: each gets a clear answer in bounded time and memory, and nobody
else waits for it. Prints the slowest answers and the memory that the server needed."""
import http.client
import json
import os
import random
import sys
import threading
import time
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import wait_until  # noqa: E402
from web import PageTest  # noqa: E402

TIMEOUT = 3  # seconds that the server gives a query
MEMORY = 64  # MiB that it gives a query
MOST_MEMORY = 600  # MiB that the server may grow by: four queries at once, their sources, answers of 64 MiB
LONGEST_ERROR = 2000  # bytes, however long the query is
CPU = '{"system.cpu.utilization"}'
ALL = '{__name__=~".+"}'
WIDE, AGENTS = 2500, 42  # series of an agent, and agents: more together than a query may have
STATUSES = {200: "success", 400: ("bad_data",), 404: ("not_found",), 422: ("execution",), 503: ("timeout", "unavailable")}


def nested():
    for depth in (1, 50, 199, 200, 201, 1000, 20_000):
        yield "(" * depth + "1" + ")" * depth
        yield "-" * depth + "1"
        yield "abs(" * depth + "vector(1)" + ")" * depth
        yield "sum by (a) (" * depth + "vector(1)" + ")" * depth
        yield "(" * depth
        yield "vector(1)" + "[5m:1m]" * min(depth, 9000)
        yield "max_over_time(" * min(depth, 2500) + "vector(1)" + "[5m:1m])" * min(depth, 2500)
        yield "1" + "+1" * depth
        yield "1" + "^2" * depth
        yield "vector(1)" + " or vector(1)" * min(depth, 4500)
        yield "{" + ",".join(f'a{i}="b"' for i in range(min(depth, 6000))) + "}"
        yield "{" + ",".join(f'a{i}=~"b.*c|d{i}"' for i in range(min(depth, 3500))) + ',agent=~".+"}'
        yield "sum by (" + ",".join(f"a{i}" for i in range(min(depth, 8000))) + ") (vector(1))"
        yield 'label_join(vector(1),"a","b"' + ',"c"' * min(depth, 15_000) + ")"


def regexes():
    bad = ["((a+)+)+$", "(a|a)*b", "(x*)*y", "(.*)*(.*)*(.*)*!", "(a{1,100}){1,100}", "((a{1,30}){1,30}){1,30}", "(.*){1000}",
           "[a-z]{1000}[a-z]{1000}", "\\\\p{L}{900}", "(\\\\pL|\\\\pN){500,}", "a" * 4000, "a" * 5000,
           "|".join("abcdefgh"[i % 8] * 9 for i in range(400)), "(" * 500 + ")" * 500, "(" * 2000, "[", "(?P<", "(?<x>a)\\\\k<x>",
           "(?=a)b", "(a)\\\\1", "*", "a**", "\\\\xff", ".{0,1000}.{0,1000}", "(?i)" + "k" * 900, "[^\\\\x00-\\\\x{10FFFF}]",
           "(.?){300}.*(.?){300}", "é" * 2000, "(?s).*" * 400, "\\\\C+", "x{1001}", "(((((a?){9}){9}){9}){9}){9}"]
    for pattern in bad:
        yield f'{{__name__=~"{pattern}"}}'
        yield f'{{__name__=~".+",agent!~"{pattern}"}}'
        yield f'label_replace({CPU},"x","$1$2","__name__","{pattern}")'
        yield f'agent_state("{pattern}")'
    for replacement in ("$1" * 2000, "${x}", "$", "${", "$999999999999", "\\\\"):
        yield f'label_replace({CPU},"x","{replacement}","agent","(.*)")'
    # A label that grows with every function.
    yield "label_replace(" * 6 + CPU + (',"agent","' + "$1" * 100 + '","agent","(.*)")') * 6
    yield "label_join(" * 40 + CPU + ',"agent","","agent","agent")' * 40


def extremes():
    numbers = ("NaN", "Inf", "-Inf", "1e308", "-1e308", "1e309", "0x7fffffffffffffff", "1e-320", "-0", "9223372036854775808", "1e", "0x",
               "1.2.3", "9" * 400, "0." + "0" * 60_000 + "1", "0x" + "f" * 40)
    for number in numbers:
        yield from (f"topk({number},{CPU})", f"quantile({number},{CPU})", f"limitk({number},{CPU})",
                    f"limit_ratio({number},{CPU})", f"round({CPU},{number})", f"clamp({CPU},{number},0)",
                    f"predict_linear({CPU}[5m],{number})", f"histogram_quantile({number},{CPU})", f"vector({number}) % 0",
                    f"double_exponential_smoothing({CPU}[5m],{number},0.5)", f"{CPU} @ {number}", f"hour(vector({number}))",
                    f"days_in_month(vector({number}))", f"quantile_over_time({number},{CPU}[5m])", f"{CPU}[{number}]",
                    f"{CPU} offset {number}")
    durations = ("0s", "-5m", "1ms", "292y", "300y", "99999999y", "9223372036854775807ms", "5m5m", "1m1h", "5", "1e9", "", "5x", "1s1s1s",
                 "1" * 300 + "s", "1h" * 500)
    for duration in durations:
        yield from (f"{CPU}[{duration}]", f"{CPU} offset {duration}", f"{CPU} offset -{duration}",
                    f"count_over_time(vector(1)[{duration}:1s])", f"count_over_time(vector(1)[1h:{duration}])",
                    f"sum_over_time({CPU}[5m] offset {duration} @ 1e15)", f"{CPU} @ -9e15 offset {duration}",
                    f"rate({CPU}[{duration}:{duration}] @ end() offset -{duration})")


def large():
    for selector in (ALL, CPU, "wide"):
        yield f"{selector} * on () group_left {selector}"
        yield f"{selector} * on (agent, n) group_left (__name__, host) {selector}"
        yield f"{selector} and {selector} or {selector} unless {selector}"
        yield f'count_values("v", {selector})'
        yield f"sum_over_time({selector}[30d])"
        yield f"sort_desc({selector}) ^ 9999"
        yield f'label_join({selector}, "x", "-", "agent", "n", "__name__")'
        yield selector
        yield f"{selector}[1h]"
        yield f"count by (agent, n) ({selector}) > 0"
        yield f"max_over_time({selector}[1h:1s])"
    yield "wide" + " + 1" * 1900
    yield "sum(" + " + ".join(["wide"] * 100) + ")"
    for inner, outer in (("1h:1ms", "1h:1ms"), ("10y:1ms", "1y:1s"), ("1d:10ms", "30d:10ms"), ("290y:1ms", "1s:1s"), ("1s:1s", "290y:1ms"),
                         ("12h:10ms", "12h:20ms")):
        yield f"sum_over_time(vector(1)[{inner}])"
        yield f"max_over_time(sum_over_time(vector(1)[{inner}])[{outer}])"
        yield f"quantile_over_time(0.5, sum_over_time(vector(time())[{inner}])[{outer}])"
        yield f'count_over_time(count_values("t", vector(time()))[{inner}])'
        yield f"absent_over_time({CPU}[{inner}])"
        yield f"sum_over_time(({'+'.join(['vector(1)'] * 500)})[{inner}])"


def broken(count=160):
    seeds = ['sum by (agent) (rate({"system.cpu.utilization"}[5m] offset 1h @ end()))', 'label_replace(up, "a", "$1", "b", "(.*)") > bool 1',
             "a * on (x) group_left (y) b or c unless d", "topk(5, max_over_time(vector(1)[1h:1m]))"]
    rng = random.Random(7)
    strange = ["", "(", ")", "[", "{", '"', "'", "`", "\\", "\x00", "\x1b", "\u202e", "\U0001f4a5", "@", "#", "=="]
    for i in range(count):
        text = list(seeds[i % len(seeds)])
        for _ in range(rng.randrange(1, 6)):
            at = rng.randrange(len(text))
            text[at] = rng.choice([*strange, text[rng.randrange(len(text))]])
        yield "".join(text)
    for i in range(count // 4):  # no UTF-8
        text = bytearray(seeds[i % len(seeds)].encode())
        text[rng.randrange(len(text))] = rng.choice((0x80, 0xc0, 0xe2, 0xed, 0xf8, 0xfe, 0xff))
        yield bytes(text)
    yield from (b'{a="\xff"}', b"\xc0\xaf", b"\xed\xa0\x80", b"1\x00", b"\x00" * 1000, '{a="\\xff\\xfe"}', '{a="\\u0000"}', '"\\ud800"')
    yield from ("", " ", "#", "\n" * 1000, '"', "'\\", "`" * 3, '"\\xZZ"', "up" * 30_000, "a" * 65_537, "x" * 60_000 + "(1)", "\ufeff1", "{}",
                '{a=""}', "1 2", "sum", "by", "sum by", "NaN NaN", "up{", "up}", "up[", "up[5m", "up[5m:", "@", "offset", "nosuch(1)",
                "rate(up)", "abs()", "abs(1,2)", "histogram_avg(up)", "info(up)", "up anchored", "start()", '"' + "y" * 60_000,
                '{"' + "n" * 60_000 + '"}', '{a=~"' + "[" * 4000 + '"}', "1 == " + "z" * 60_000, "up @ " + "w" * 60_000)


def expressions():
    for family in (nested, regexes, extremes, large, broken):
        yield from family()


def parameters():
    """Yields (method, path, form) with wrong parameters."""
    strange = ("", "x", "NaN", "Inf", "-Inf", "1e400", "-1", "0", "1e-400", "9" * 400, "2026-13-45T99:99:99Z", "-292273086-05-16T16:47:06Z",
               "1;2", "\x00", "\u202e", "1,5", "5m", "-5m", b"\xff")
    for value in strange:
        for name in ("start", "end", "step", "timeout", "lookback_delta", "limit"):
            yield "POST", "/api/v1/query_range", {"query": "vector(1)", "start": "1", "end": "100", "step": "1", name: value}
        for name in ("time", "timeout", "lookback_delta", "limit", "stats"):
            yield "GET", "/api/v1/query", {"query": "vector(1)", name: value}
        yield "POST", "/api/v1/series", {"match[]": value}
        yield "GET", "/api/v1/labels", {"match[]": value, "limit": value}
        yield "GET", "/api/v1/label/" + urllib.parse.quote(value or "_", safe="") + "/values", {"start": value}
        yield "GET", "/api/v1/metadata", {"metric": value, "limit": value}
        yield "GET", "/api/v1/rules", {"type": value}
    yield "POST", "/api/v1/series", {"match[]": ["up"] * 2000}
    yield "POST", "/api/v1/series", {"match[]": [ALL] * 99}
    yield "POST", "/api/v1/query", {f"p{i}": "x" for i in range(20_000)}
    yield "GET", "/api/v1/label/" + "a" * 8000 + "/values", {}
    yield "POST", "/api/v1/query", {"query": "1", "timeout": "1ns"}


class QueriesTest(PageTest):
    def serve(self, *arguments, port=0):
        return super().serve("--query-timeout", f"{TIMEOUT}s", "--query-memory", f"{MEMORY}MiB", *arguments, port=port)

    def setUp(self):
        super().setUp()
        self.system(("agent-001", "agent-002"))
        self.slowest = []
        self.connection = None

    def add_wide_agents(self, count):
        """Writes batches of agents with very many series."""
        batch = self.get("/api/v1/messages?limit=1")["messages"][0]["batch"]
        now = time.time()
        for i in range(count):
            made = self.made(batch, f"wide-{i}", 1, now, run=f"{i:032x}")
            made["frames"][0]["metrics"] = [{"name": "wide", "labels": {"n": str(n)}, "unit": "1", "value": n % 7} for n in range(WIDE)]
            self.write(made)
        counted = f'count({{__name__="wide", agent="wide-{count - 1}"}})'
        wait_until(lambda: json.loads(self.send("POST", "/api/v1/query", {"query": counted})[1])["data"]["result"], "the wide agents", 120)

    def send(self, method, path, form):
        """Returns status, text and seconds of a request on a connection that is kept."""
        body = urllib.parse.urlencode(form, doseq=True)
        target = f"{path}?{body}" if method == "GET" else path
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if method == "POST" else {}
        begun = time.monotonic()
        for attempt in (1, 2):
            connection = self.connection or http.client.HTTPConnection(self.page.address, timeout=60)
            self.connection = None
            try:
                connection.request(method, target, body if method == "POST" else None, headers)
                answer = connection.getresponse()
                text = answer.read().decode()
            except (http.client.RemoteDisconnected, ConnectionError, BrokenPipeError):
                connection.close()
                if attempt == 2:
                    raise
                continue  # the server has ended the connection that was kept
            self.connection = connection
            return answer.status, text, time.monotonic() - begun
        return None

    def judge(self, method, path, form):
        """Sends a request, and demands a clear answer in bounded time."""
        status, text, took = self.send(method, path, form)
        what = f"{method} {path} {str(form)[:300]}: {status} in {took:.1f} s: {text[:300]}"
        self.slowest = sorted([*self.slowest, (took, what[:160])], reverse=True)[:5]
        self.assertLess(took, TIMEOUT + 3, what)
        self.assertIn(status, STATUSES, what)
        answer = json.loads(text)
        self.assertEqual(answer["status"], "success" if status == 200 else "error", what)
        if status != 200:
            self.assertIn(answer["errorType"], STATUSES[status], what)
            self.assertTrue(10 <= len(answer["error"]) <= LONGEST_ERROR, what)
        return status

    def peak(self):
        """Returns the most memory that the page's server has had, in MiB."""
        with open(f"/proc/{self.page.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) >> 10

    def hostile(self, requests):
        """Sends the requests; returns how many there were with each status. Somebody else uses the page meanwhile."""
        watched, counts = [], {}
        stop = threading.Event()

        def watch():
            while not stop.is_set():
                begun = time.monotonic()
                self.get("/api/ui/v1/fleet")
                watched.append(time.monotonic() - begun)
                stop.wait(0.1)

        before, begun = self.peak(), time.monotonic()
        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            for request in requests:
                status = self.judge(*request)
                counts[status] = counts.get(status, 0) + 1
        finally:
            stop.set()
            watcher.join(30)
        took, grown = time.monotonic() - begun, self.peak() - before
        print(f"{sum(counts.values())} requests in {took:.1f} s, by status: {dict(sorted(counts.items()))}; another user of the page "
              f"waited at most {max(watched):.2f} s; the server had {before} MiB and grew by {grown} MiB; the slowest:")
        for seconds, what in self.slowest:
            print(f"  {seconds:.2f} s {what!r}")
        self.assertLess(grown, MOST_MEMORY)
        # The others did not wait: a query has a thread of its own.
        self.assertLess(sorted(watched)[len(watched) * 9 // 10], 1)
        wait_until(lambda: self.own("monitor_web_queries_running") == 0, "the queries to end")
        return counts

    def test_expressions(self):
        self.add_wide_agents(2)
        counts = self.hostile(("POST", "/api/v1/query", {"query": text}) for text in expressions())
        self.assertGreaterEqual(sum(counts.values()), 500)
        self.assertGreaterEqual(counts[400], 200)
        self.assertGreaterEqual(counts[422], 10)

    def test_parameters(self):
        counts = self.hostile(parameters())
        self.assertGreaterEqual(counts[400], 100)

    def test_ranges_over_more_series_than_a_query_may_have(self):
        self.add_wide_agents(AGENTS)
        now = time.time()
        counts = self.hostile(("POST", "/api/v1/query_range", {"query": text, "start": now - span, "end": now, "step": span / 10_000})
                              for text in large() for span in (11_000, 300))
        self.assertGreaterEqual(counts[422], 10)
        _, text, _ = self.send("POST", "/api/v1/query", {"query": "wide"})
        self.assertRegex(text, rf"{AGENTS * WIDE} series; at most 100000|bytes of memory or more; ")

    def test_too_many_at_once_cost_nobody_else_anything(self):
        heavy = "sum_over_time(sum_over_time(vector(1)[1h:10ms])[1h:1s])"
        statuses = []
        lock = threading.Lock()

        def ask():
            connection = http.client.HTTPConnection(self.page.address, timeout=120)
            connection.request("GET", "/api/v1/query?" + urllib.parse.urlencode({"query": heavy}))
            with connection.getresponse() as answer:
                answer.read()
                with lock:
                    statuses.append(answer.status)

        threads = [threading.Thread(target=ask) for _ in range(60)]
        for thread in threads:
            thread.start()
        wait_until(lambda: self.own("monitor_web_queries_refused_total") > 0, "a refusal")
        begun = time.monotonic()
        self.assertEqual(len(self.get("/api/ui/v1/fleet")["agents"]), 2)
        self.assertLess(time.monotonic() - begun, 2)
        for thread in threads:
            thread.join(120)
        self.assertEqual(len(statuses), 60)
        self.assertEqual(set(statuses), {422, 503}, statuses)
        self.assertEqual(self.judge("POST", "/api/v1/query", {"query": "1"}), 200)


if __name__ == "__main__":
    unittest.main()
