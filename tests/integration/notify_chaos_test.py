#!/usr/bin/env python3
"""Alerts through SIGKILLs at every step, late data and failing receivers: seeded schedules. The engine of rules and the
notifier are the real ones; a model of this test says which events there are. Of each schedule:

- nothing is lost: every event of the model is told;
- nothing is stale: no event is told that the model does not have, and an alert's events come in their order;
- nothing is told twice: an event has one notification. The same notification may come again, with the same id, only if
  its receiver or this program died between its arrival and its recording: at most once for each kill or broken answer.
"""
import contextlib
import http.server
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from programs import BIN, wait_until  # noqa: E402

DRIVER = os.path.join(os.environ.get("MONITOR_BUILD_DIR", os.path.dirname(BIN)), "tests", "alert_driver")
AGENTS = [f"web-{i}" for i in range(4)]
SCHEDULES = 100
TICKS = 16
CONFIG = """route: {{receiver: r, group_by: [alertname, agent], group_wait: 0s, group_interval: 1ms}}
receivers: [{{name: r, webhook_configs: [{{url: '{good}'}}, {{url: '{hanging}', timeout: 1s}}]}}]
"""


class Receiver:
    """Accepts notifications, and fails at seeded moments: before it has taken one, or after."""

    def __init__(self, rng):
        receiver = self
        self.got, self.broken, self.lock = [], 0, threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path == "/hanging":
                    receiver.ended.wait(30)
                    return
                with receiver.lock:
                    how = rng.choices(["good", "500", "429", "close", "taken, then 500", "taken, then closed"],
                                      [12, 2, 1, 2, 1, 1])[0]
                    if how == "good" or how.startswith("taken"):
                        receiver.got.append(body)
                        receiver.broken += how != "good"
                if "close" in how:
                    return
                self.send_response(200 if how == "good" else int(how[-3:]))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.ended = threading.Event()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()

    def events(self, base):
        """Of each alert told: agent, state, and in which second it fired; and the notification's id."""
        with self.lock:
            return [((a["labels"]["agent"], a["status"], second_of(a["startsAt"], base)), one["notificationId"])
                    for one in self.got for a in one["alerts"]]


def second_of(text, base):
    whole, millis = text.rstrip("Z").split(".")
    stamp = int(time.mktime(time.strptime(whole + " UTC", "%Y-%m-%dT%H:%M:%S %Z"))) - time.timezone
    return (stamp * 1000 + int(millis) - base) // 1000


class Model:
    """What the rule says of one agent, second by second."""

    def __init__(self, agent):
        self.agent, self.state, self.since, self.fired, self.unknown_since = agent, "none", 0, 0, None

    def advance(self, second, value):
        """`value`: None if the data has not come. Returns the event, if there is one."""
        if value is None:
            if self.state == "pending" and self.unknown_since is None:
                self.unknown_since = second
            return None
        unknown_since, self.unknown_since = self.unknown_since, None
        if value > 10:
            if self.state == "none":
                self.state, self.since = "pending", second
            elif unknown_since is not None:
                self.since += second - unknown_since  # time without data does not count for `for`
            if self.state == "pending" and second - self.since >= 2:
                self.state, self.fired = "firing", second
                return (self.agent, "firing", second)
            return None
        was, self.state = self.state, "none"
        return (self.agent, "resolved", self.fired) if was == "firing" else None


class Schedule:
    def __init__(self, seed):
        self.seed, self.rng = seed, random.Random(seed)
        self.folder = tempfile.mkdtemp(prefix="alerts-")
        self.receiver = Receiver(random.Random(seed + 1_000_000))
        with open(f"{self.folder}/notify.yml", "w", encoding="utf-8") as file:
            file.write(CONFIG.format(good=self.receiver.url + "/good", hanging=self.receiver.url + "/hanging"))
        self.base = int(time.time()) // 1000 * 1_000_000
        self.models = {agent: Model(agent) for agent in AGENTS}
        self.values = {agent: [] for agent in AGENTS}  # of each second; None: not sent yet
        self.process, self.kills, self.killed, self.calm, self.expected = None, 0, False, False, []

    def close(self):
        if self.process:
            self.process.kill()
            self.let_go()
        self.receiver.close()
        shutil.rmtree(self.folder, True)

    def let_go(self):
        self.process.wait()
        with contextlib.suppress(BrokenPipeError):  # what it has not read
            self.process.stdin.close()
        self.process.stdout.close()

    def start(self, kill_at):
        self.process = subprocess.Popen([DRIVER, f"{self.folder}/notify.yml", self.folder, str(kill_at)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if self.process.stdout.readline() != "ready\n":
            return False
        lines = [f"point {agent} {self.base + second * 1000} {value}" for agent, values in self.values.items()
                 for second, value in enumerate(values) if value is not None]
        return self.say(*lines, *self.now())

    def now(self):
        last = {agent: values[-1] for agent, values in self.values.items() if values}
        return [" ".join(["silent", *(agent for agent, value in last.items() if value is None)])] if last else []

    def say(self, *lines):
        try:
            self.process.stdin.write("".join(line + "\n" for line in lines))
            self.process.stdin.flush()
            return True
        except BrokenPipeError:
            return False

    def advance(self, second):
        """Returns whether the process has survived it."""
        if self.process is None:
            return False
        points = [f"point {agent} {self.base + second * 1000} {values[-1]}" for agent, values in self.values.items()
                  if values[-1] is not None]
        if not self.say(*points, *self.now(), f"advance {self.base + second * 1000 + 999}"):
            return False
        return self.process.stdout.readline() == "done\n"

    def bring_late_data(self):
        """What was not sent comes when its time is over: it must neither fire nor resolve anything."""
        for agent, values in self.values.items():
            if values and values[-1] is not None and None in values and self.rng.random() < 0.7:
                for second, value in enumerate(values):
                    if value is None:
                        values[second] = self.rng.choice([1, 20])
                        self.say(f"point {agent} {self.base + second * 1000} {values[second]}")

    def draw(self, hold):
        for agent, values in self.values.items():
            before = values[-1] if values else 1
            if hold and values:
                values.append(before)
            elif before is None:
                values.append(self.rng.choice([None, None, 1, 20]))
            elif self.rng.random() < 0.12:
                values.append(None)
            else:
                values.append(before if self.rng.random() < 0.75 else (1 if before == 20 else 20))

    def run(self):
        for second in range(TICKS):
            self.draw(hold=self.killed)
            self.pass_second(second)
            self.bring_late_data()
        self.calm = True
        while self.killed:
            self.draw(hold=True)
            second += 1
            self.pass_second(second)

    def pass_second(self, second):
        """In a second without a kill, everything must be told that has happened until now. After a kill, an evaluation may be
        stored and not told, so that the next one must find the same: the values are held."""
        for agent, model in self.models.items():
            event = model.advance(second, self.values[agent][-1])
            if event:
                self.expected.append(event)
        self.killed = False
        while not self.advance(second):
            self.restart()
        if self.killed:
            return
        if not self.calm and self.rng.random() < 0.15:  # at a moment of its own, beside those at a step
            time.sleep(self.rng.random() * 0.01)
            self.process.kill()
        if not self.wait_for_events():
            self.restart()

    def restart(self):
        """Starts the process, again if it is killed before it is ready."""
        if self.process:
            self.let_go()
            self.kills += 1
            self.killed = True
        again = self.calm or self.kills > 12 or self.rng.random() < 0.3
        if not self.start(0 if again else self.rng.randint(1, 25)):
            self.restart()

    def wait_for_events(self):
        """Until everything is told, or the process has died, which is false."""
        def missing():
            have = {event for event, _ in self.receiver.events(self.base)}
            return [one for one in self.expected if one not in have]

        try:
            wait_until(lambda: not missing() or self.process.poll() is not None, "the events", 20)
        except AssertionError:
            raise AssertionError(f"seed {self.seed}: lost: {missing()}") from None
        return self.process.poll() is None

    def verdict(self):
        told = self.receiver.events(self.base)
        ids, deliveries = {}, {}
        for event, notification in told:
            ids.setdefault(event, set()).add(notification)
        for one in self.receiver.got:
            deliveries[one["notificationId"]] = deliveries.get(one["notificationId"], 0) + 1
        lost = [e for e in self.expected if e not in ids]
        stale = [e for e in ids if e not in self.expected]
        order = []
        for agent in AGENTS:
            mine = [e for e, _ in told if e[0] == agent]
            first = [e for i, e in enumerate(mine) if e not in mine[:i]]
            if first != [e for e in self.expected if e[0] == agent]:
                order.append((agent, first))
        twice = {e: n for e, n in ids.items() if len(n) > 1}
        repeats = sum(n - 1 for n in deliveries.values())
        return {"lost": lost, "stale": stale, "order": order, "twice": twice,
                "too many repeats": max(0, repeats - self.kills - self.receiver.broken)}, repeats


class ChaosTest(unittest.TestCase):
    def test_nothing_is_lost_stale_or_told_twice(self):
        events = kills = repeats = broken = 0
        for seed in range(SCHEDULES):
            schedule = Schedule(seed)
            try:
                schedule.run()
                faults, again = schedule.verdict()
            finally:
                schedule.close()
            self.assertFalse(any(faults.values()), f"seed {seed}: {faults}\nexpected {schedule.expected}")
            events, kills, repeats = events + len(schedule.expected), kills + schedule.kills, repeats + again
            broken += schedule.receiver.broken
        print(f"{SCHEDULES} schedules: {events} events, {kills} kills, {broken} broken answers; 0 lost, 0 stale, 0 told twice, "
              f"{repeats} repeats with the same id", file=sys.stderr)
        self.assertGreater(events, SCHEDULES)
        self.assertGreater(kills, SCHEDULES)


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1].isdigit():
        SCHEDULES = int(sys.argv.pop(1))
    unittest.main()
