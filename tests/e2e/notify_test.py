#!/usr/bin/env python3
"""Alerts of the whole system: `monitor up` with rules and notifications. The rules depend on the data's time alone, so that the
test knows which alerts there are. SIGKILLs of the program that notifies must lose nothing and tell nothing twice."""
import datetime
import json
import os
import random
import re
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from etcd import Etcd  # noqa: E402
from programs import ProgramTest, run, wait_until  # noqa: E402
from webhook import Webhook  # noqa: E402

# Wave is pending in the seconds 0 and 1 of each 20, fires from 2 to 9, and ends.
RULES = """groups:
- name: g
  interval: 1s
  rules:
  - alert: Wave
    expr: vector(time()) % 20 < 10
    for: 2s
    labels: {severity: page}
    annotations: {summary: 'second {{ $value }}'}
  - alert: Always
    expr: vector(1)
"""
NOTIFY = """route: {receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s}
receivers: [{name: hook, webhook_configs: [{url: '%s'}]}]
"""
LINK = """  - alert: Link
    expr: vector(2)
    annotations: {link: '{{ externalURL }}{{ graphLink "up" }} {{ pathPrefix }}'}
"""
SECONDS = 120


def seconds_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Hook(Webhook):
    def told(self, name, status=None):
        """Of each notification: when it came, its id, and what it says of the alert."""
        return [(came / 1e9, body["notificationId"], alert) for came, body in list(self.got) for alert in body["alerts"]
                if alert["labels"]["alertname"] == name and status in (None, alert["status"])]


class NotifyTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.hook = Hook()
        self.addCleanup(self.hook.close)
        self.write("rules.yml", RULES)
        self.write("notify.yml", NOTIFY % self.hook.url)

    def write(self, name, text):
        path = f"{self.data}/{name}"
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(path + ".new", path)
        return path

    @staticmethod
    def read(path):
        with open(path, encoding="utf-8") as file:
            return file.read()

    def up(self, *more):
        up = self.start("monitor", "up", "--data", f"{self.data}/up", "--port", "0", "--http", "off", "--web", "127.0.0.1:0",
                        "--simulate", "--interval", "1", "--rules", f"{self.data}/rules.yml", "--notify",
                        f"{self.data}/notify.yml", *more)
        up.says(r"web page: ")
        return up

    def notifier(self, up):
        """The process that evaluates rules and notifies."""
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
                with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as file:
                    parent = int(file.read().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent == up.process.pid and b"serve" in words:
                return int(entry)
        return None

    def alert(self, *arguments):
        status, out, err = run("monitor-analysis", "alert", *arguments, "--data", f"{self.data}/up")
        self.assertEqual(status, 0, err)
        return out

    def test_lists_silences_and_reloads(self):
        up = self.up()
        wait_until(lambda: self.hook.told("Always"), "the first alert")
        row = next(one for one in json.loads(self.alert("list", "--format", "json")) if one["labels"]["alertname"] == "Always")
        self.assertEqual((row["status"], row["receivers"]), ("firing", ["hook"]))
        self.assertIn("Always", self.alert("list"))
        wait_until(lambda: "sent (HTTP 200" in self.alert("history"), "the history")
        body = self.hook.got[0][1]
        self.assertRegex(body["externalURL"], rf"^http://{re.escape(socket.gethostname())}:\d+$")
        self.assertEqual(body["alerts"][0]["generatorURL"], body["externalURL"] + "/graph?g0.expr=vector%281%29&g0.tab=1")
        self.assertIn("sent after", self.alert("test-notification", "--receiver", "hook"))
        test = self.hook.told("TestNotification")[0][2]
        self.assertEqual(test["generatorURL"], body["alerts"][0]["generatorURL"], "that of the last serve")
        self.alert("test-notification", "--receiver", "hook", "--external-url", "https://m.example/x/")
        self.assertEqual(self.hook.got[-1][1]["externalURL"], "https://m.example/x")
        self.alert("silence", "--matcher", "alertname=Always", "--for", "1h", "--reason", "test")
        wait_until(lambda: any(one["silencedBy"] for one in json.loads(self.alert("list", "--format", "json"))), "the silence")
        self.write("notify.yml", "route: {receiver: nobody}\n")
        log = f"{self.data}/up/logs/monitor-web.log"
        wait_until(lambda: "there is no receiver" in self.read(log), "the fault to be logged")
        second = Hook()
        self.addCleanup(second.close)
        self.write("notify.yml", NOTIFY % second.url)
        wait_until(lambda: second.told("Wave"), "an alert by the new file", 60)
        self.assertEqual(second.told("Always"), [])
        self.assertEqual(up.stop(), 0)

    def test_alerts_of_rules_that_were_removed_meanwhile_end(self):
        """Without a program that could notice it: a group is renamed, a rule and then all files are removed."""
        stays = RULES + "  - {alert: Stays, expr: vector(1), keep_firing_for: 1h}\n"
        self.write("rules.yml", stays + "- {name: other, interval: 1s, rules: [{alert: Other, expr: vector(1)}]}\n")
        server = self.start_server()
        self.start_agent("web-1", server, "--simulate")

        def serve(*more):
            serve = self.start("monitor-analysis", "serve", "--log", f"sqlite:{self.data}/log.db", "--dir", f"{self.data}/config",
                               "--data", f"{self.data}/a", "--http", "127.0.0.1:0", "--notify", f"{self.data}/notify.yml", *more)
            serve.says("reading log")
            return serve

        first = serve("--rules", f"{self.data}/rules.yml")
        for name in ("Always", "Other", "Stays"):
            wait_until(lambda n=name: self.hook.told(n), name, 60)
        first.kill()
        self.write("rules.yml", stays.replace("  - alert: Always\n    expr: vector(1)\n", "").replace("name: g", "name: renamed") + LINK)
        status, _, err = run("monitor-analysis", "alert", "silence", "--matcher", "alertname=Nobody", "--for", "1h", "--reason",
                             "while no server runs", "--data", f"{self.data}/a")
        self.assertEqual(status, 0, err)
        second = serve("--rules", f"{self.data}/rules.yml", "--external-url", "https://m.example/x/", "--audit-log",
                       f"{self.data}/audit.jsonl")
        for name in ("Always", "Other"):
            wait_until(lambda n=name: self.hook.told(n, "resolved"), f"the end of {name}", 60)
        second.says("the rules of alerts that were firing no longer exist; the alerts are resolved")
        self.assertEqual(self.hook.told("Stays", "resolved"), [], "its rule is there, in a renamed group")
        wait_until(lambda: self.hook.told("Link"), "an alert with a link")
        self.assertEqual(self.hook.told("Link")[0][2]["annotations"]["link"], "https://m.example/x/graph?g0.expr=up&g0.tab=0 /x")
        self.assertEqual(self.hook.told("Link")[0][2]["generatorURL"], "https://m.example/x/graph?g0.expr=vector%282%29&g0.tab=1")
        wait_until(lambda: os.path.exists(f"{self.data}/audit.jsonl"), "the audit log")
        event = json.loads(self.read(f"{self.data}/audit.jsonl").splitlines()[0])
        self.assertEqual((event["event"], event["after"]["reason"]), ("silence.created", "while no server runs"))
        self.assertRegex(event["by"], "^command of .")
        second.kill()
        os.remove(f"{self.data}/rules.yml")
        third = serve()
        wait_until(lambda: self.hook.told("Stays", "resolved"), "the end of the last rule", 60)
        status, out, err = run("monitor-analysis", "alert", "list", "--data", f"{self.data}/a")
        self.assertEqual((status, err), (0, ""), out)
        self.assertNotIn("Stays", out)
        third.kill()

    def test_a_wrong_file_is_refused_at_the_start(self):
        self.write("notify.yml", "route: {receiver: nobody}\n")
        up = self.start("monitor", "up", "--data", f"{self.data}/up", "--port", "0", "--http", "off", "--web", "127.0.0.1:0",
                        "--notify", f"{self.data}/notify.yml")
        self.assertNotEqual(up.ends(), 0)
        self.assertIn('notify.yml:1:9: there is no receiver', "\n".join(up.err))

    def test_kills_lose_nothing_and_tell_nothing_twice(self):
        rng = random.Random(11)
        up = self.up()
        wait_until(lambda: self.hook.told("Always"), "the first alert")
        end, kills = time.monotonic() + SECONDS, 0
        while time.monotonic() < end:
            pause = threading.Event()
            pause.wait(rng.uniform(1, 5))  # a moment at random, not a condition
            pid = wait_until(lambda: self.notifier(up), "the notifier")
            os.kill(pid, 9)
            kills += 1
            wait_until(lambda p=pid: self.notifier(up) not in (None, p), "its restart")
        settled = len(self.hook.told("Wave", "resolved"))
        wait_until(lambda: len(self.hook.told("Wave", "resolved")) > settled, "an episode without kills", 60)
        self.assertEqual(up.stop(), 0)
        self.check(kills)

    def pair(self, etcd, *more):
        """Starts instances by name: serve(NAME)."""
        self.start_agent("web-1", self.start_server(), "--simulate")

        def serve(name):
            return self.start("monitor-analysis", "serve", "--log", f"sqlite:{self.data}/log.db", "--etcd", etcd.address, "--data",
                              f"{self.data}/{name}", "--http", "127.0.0.1:0", "--rules", f"{self.data}/rules.yml", "--notify",
                              f"{self.data}/notify.yml", *more)

        return serve

    def alert_of(self, name, *arguments):
        """A command on the host of an instance."""
        status, out, err = run("monitor-analysis", "alert", *arguments, "--data", f"{self.data}/{name}")
        self.assertEqual(status, 0, err)
        return out

    def check_shared_silences(self, etcd):
        """A silence that is set where nobody notifies reaches the instance that notifies."""
        matcher = ("silence", "--matcher", "alertname=Always", "--reason", "test", "--format", "json")
        made = json.loads(self.alert_of("b", *matcher, "--for", "1h"))
        for name in ("a", "b"):
            wait_until(lambda n=name: json.loads(self.alert_of(n, "silence", "--list", "--format", "json"))[:1] == [made], f"it in {name}")
        wait_until(lambda: [one["silencedBy"] for one in json.loads(self.alert_of("a", "list", "--format", "json"))
                            if one["labels"]["alertname"] == "Always"] == [[made["id"]]], "the silence to apply")
        self.alert_of("a", "silence", "--expire", made["id"])
        wait_until(lambda: self.alert_of("b", "silence", "--list") == "no silence lasts or will begin\n", "its end")
        self.assertIn(made["id"], etcd.ctl("get", "/monitor/silences/", "--prefix"))

    def events(self):
        """The ids of the notifications of each event."""
        events = {}
        for _, identity, alert in self.hook.told("Wave") + self.hook.told("Always"):
            events.setdefault((alert["labels"]["alertname"], alert["startsAt"], alert["status"]), set()).add(identity)
        return events

    def test_the_last_holder_goes_on_while_etcd_is_away(self):
        etcd = Etcd()
        self.addCleanup(etcd.close)
        serve = self.pair(etcd, "--notify-alone-after", "90s")
        holder = serve("a")
        holder.says("this instance notifies of alerts")
        other = serve("b")
        other.says("reading log")
        wait_until(lambda: self.hook.told("Wave", "firing"), "an alert", 60)
        etcd.stop()
        holder.says("etcd does not answer; this instance passes alerts on", limit=60)
        before = len(self.hook.told("Wave", "firing"))
        wait_until(lambda: len(self.hook.told("Wave", "firing")) > before, "an alert without etcd", 60)
        etcd.start()
        holder.says("etcd says again which instance passes alerts on", limit=60)
        before = len(self.hook.told("Wave", "resolved"))
        wait_until(lambda: len(self.hook.told("Wave", "resolved")) > before, "the end of an alert", 60)
        self.assertEqual({event: ids for event, ids in self.events().items() if len(ids) > 1}, {}, "told twice")
        self.assertEqual(other.said("this instance notifies of alerts"), 0)
        # Both the holder and etcd are away: the other one tells after a time.
        etcd.stop()
        holder.kill()
        other.says("etcd does not answer; this instance passes alerts on", limit=150)
        at = len(self.hook.told("Wave", "firing"))
        wait_until(lambda: len(self.hook.told("Wave", "firing")) > at, "an alert by the other one", 150)

    def test_another_instance_takes_over(self):
        etcd = Etcd()
        self.addCleanup(etcd.close)
        serve = self.pair(etcd)
        holder = serve("a")
        holder.says("this instance notifies of alerts")
        names, other = ["a", "b"], serve("b")
        other.says("reading log")
        self.check_shared_silences(etcd)
        for _ in range(2):
            before = len(self.hook.told("Wave", "firing"))
            wait_until(lambda n=before: len(self.hook.told("Wave", "firing")) > n, "an alert", 60)
            begun = self.hook.told("Wave", "firing")[-1][2]["startsAt"]
            holder.kill()
            # What only the killed one has told is ended by the other one, when the lease has expired.
            wait_until(lambda b=begun: any(a["startsAt"] == b for _, _, a in self.hook.told("Wave", "resolved")), "its end", 60)
            self.assertEqual(other.said("this instance notifies of alerts"), 1)
            holder, other = other, serve(names[0])
            names.reverse()
            other.says("reading log")
        self.assertEqual({event: ids for event, ids in self.events().items() if len(ids) > 1}, {})
        self.assertEqual(len([event for event in self.events() if event[0] == "Always"]), 1, "told by both")

    def check(self, kills):
        ids = [body["notificationId"] for _, body in self.hook.got]
        self.assertLessEqual(len(ids) - len(set(ids)), kills, "more repeats than kills")
        events = {}
        for when, identity, alert in self.hook.told("Wave"):
            events.setdefault((alert["startsAt"], alert["status"]), set()).add(identity)
            begun = seconds_of(alert["startsAt"])
            self.assertLess((begun - 2) % 20, 1.5, "a stale or wrong start: " + alert["startsAt"])
            if alert["status"] == "firing":
                self.assertLess(when - begun, 20, "told when it was over")
        self.assertEqual({event: found for event, found in events.items() if len(found) > 1}, {}, "told twice")
        self.assertEqual(len({identity for _, identity, _ in self.hook.told("Always")}), 1)
        starts = sorted({start for start, _ in events})
        waves = [round((seconds_of(start) - 2) // 20) for start in starts]
        self.assertEqual(waves, list(range(waves[0], waves[-1] + 1)), "an episode was lost")
        for start in starts:
            self.assertEqual({status for s, status in events if s == start}, {"firing", "resolved"}, start)


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1].isdigit():
        SECONDS = int(sys.argv.pop(1))
    unittest.main()
