"""`monitor-analysis top` with a mouse, in few and many colours, with hostile names, with alerts; and whether its values are those in the log."""
import json
import os
import re
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import BIN, wait_until  # noqa: E402
from terminal import Terminal  # noqa: E402
from web import PageTest  # noqa: E402

EVIL = "e\x1b[2J\x1b]0;title\x07\x9b31m\u202e\u2066\x7f\r\n\ttail"
COLOUR = re.compile(r"\x1b\[([\d;]+)m")


class TopTerminalTest(PageTest):
    def setUp(self):
        super().setUp()
        self.terminal = Terminal(self.data)
        self.template = None
        self.sequence = 0

    def tearDown(self):
        self.terminal.end()
        super().tearDown()

    def tick(self, agent, metrics, labels=None):
        """Writes a tick of an agent into the log: (name, labels, unit, value) each."""
        self.template = self.template or self.one_batch()
        self.sequence += 1
        batch = self.made(self.template, agent, self.sequence, time.time())
        batch["host"] = "host-" + agent
        batch["resource"] = labels or {}
        batch["frames"][0]["metrics"] = [{"name": name, "labels": labels, "unit": unit, "value": value} for name, labels, unit, value in metrics]
        self.write(batch)

    def fleet(self, *agents):
        for place, agent in enumerate(agents):
            self.tick(agent, [("system.cpu.utilization", {}, "1", 0.1 * (place + 1))], {"rack": "a" if place % 2 == 0 else "b"})

    def top(self, columns=80, rows=24, environment="TERM=xterm-256color", options=""):
        self.terminal.start(f"env {environment} {BIN}/monitor-analysis top --log sqlite:{self.data}/log.db --from earliest {options}", columns, rows)
        self.terminal.shows("sorted by")

    def test_follows_the_mouse(self):
        self.fleet("load-1", "load-2", "load-10")
        self.top()
        self.terminal.shows(r"load-1 .*load-2 .*load-10 ")
        self.terminal.typed("/load-")  # the other agent would move between them
        self.terminal.keys("Enter")
        self.terminal.shows(r"filter load-  sorted")
        self.terminal.mouse(0, *self.terminal.place("CPU %"))
        self.terminal.shows(r"CPU %v.*load-10 .*load-2 .*load-1 ")
        self.terminal.mouse(0, *self.terminal.place("CPU %"))
        self.terminal.shows(r"CPU %\^.*load-1 .*load-2 .*load-10 ")
        self.terminal.mouse(65, 5, 5)  # the wheel, down
        self.terminal.mouse(0, *self.terminal.place("load-2"))
        self.terminal.mouse(0, *self.terminal.place("load-2"))
        self.terminal.shows(r"^load-2 +host-load-2")
        self.terminal.keys("Escape")
        self.terminal.shows(r"sorted by cpu")

    def test_commands_choose_filter_and_open(self):
        self.fleet("load-1", "load-2", "load-10")
        self.top()
        for typed, pattern in ((":filter rack=b", r"filter rack=b"), (":filter", r"load-10 "), (":sort -agent", r"load-10 .*load-2 .*load-1 "),
                               (":columns tick,load", r"STATE +AGENT\S* +LOAD +TICK"), (":zzz", r'there is no command "zzz"'),
                               (":host load-10", r"^load-10 ")):
            self.terminal.typed(typed)
            self.terminal.keys("Enter")
            self.terminal.shows(pattern)
        self.terminal.typed(":so")
        self.terminal.keys("Tab")
        self.terminal.typed("l")
        self.terminal.keys("Tab")
        self.terminal.shows(r":sort l\w*_  load  labels")
        self.terminal.keys("Escape", "q")
        with open(f"{self.data}/settings/monitor/top.json", encoding="utf-8") as file:
            self.assertEqual(json.load(file), {"columns": ["state", "agent", "load", "tick"]})

    def test_ignores_damaged_settings(self):
        self.fleet("a")
        os.makedirs(f"{self.data}/settings/monitor")
        with open(f"{self.data}/settings/monitor/top.json", "w", encoding="utf-8") as file:
            file.write("{\x1b]0;title\x07")
        self.terminal.start(f"{BIN}/monitor-analysis top --log sqlite:{self.data}/log.db", 120, 24)
        self.terminal.shows(r"CPU %.*standard columns are shown: .*damaged")

    def test_uses_the_colours_that_the_terminal_has(self):
        self.fleet("a", "b")
        found = {}
        sixteen = f"{self.data}/terminfo"  # Debian's ncurses-base has no terminal with 16 colours
        subprocess.run(["tic", "-o", sixteen, "-"], input="xterm-16color|xterm with 16 colours,\n\tcolors#16, pairs#256,\n"
                       "\tsetab=\\E[%?%p1%{8}%<%t%p1%{40}%+%e%p1%{92}%+%;%dm, setaf=\\E[%?%p1%{8}%<%t%p1%{30}%+%e%p1%{82}%+%;%dm,\n\tuse=xterm,\n",
                       text=True, check=True, timeout=20)
        for term, locale, more in (("xterm-256color", "C.UTF-8", ""), ("xterm-16color", "C.UTF-8", f"TERMINFO={sixteen}"), ("xterm", "C.UTF-8", ""), ("vt100", "C.UTF-8", ""),
                                   ("xterm-256color", "C", "NO_COLOR=1")):
            self.top(environment=f"LC_ALL={locale} TERM={term} {more}")
            self.terminal.shows(r" a .* b ")
            table = self.terminal.screen("-e")
            found[term + (more if "NO" in more else "")] = table
            self.terminal.keys("Enter")
            self.terminal.shows("Tab next section")
            host = self.terminal.screen()
            self.assertLessEqual(max(map(len, host.splitlines())), 80)
            if locale == "C":
                self.assertTrue((table + host).isascii(), host)
                self.assertRegex(table, r"\|\.\.")
            else:
                self.assertRegex(host, "[⠁-⣿]")
                self.assertRegex(table, "[■·]")
            self.terminal.end()

        def colours(name):
            return {code for run in COLOUR.findall(found[name]) for code in run.split(";") if int(code) >= 30 and code not in ("39", "49")}

        self.assertIn("38", colours("xterm-256color"))
        for term in ("xterm-16color", "xterm"):
            self.assertIn("32", colours(term), "green")
            self.assertNotIn("38", colours(term))
        for term in ("vt100", "xterm-256colorNO_COLOR=1"):
            self.assertFalse(colours(term), found[term])

    def test_values_are_those_in_the_log(self):
        metrics = [("system.cpu.utilization", {}, "1", 0.4321), ("system.memory.utilization", {}, "1", 0.1234), ("system.memory.limit", {}, "By", 3 << 30),
                   ("system.disk.io.rate", {"disk.io.direction": "read"}, "By/s", 5 << 20), ("system.disk.io.rate", {"disk.io.direction": "write"}, "By/s", 2 << 20),
                   ("system.network.io.rate", {"network.io.direction": "receive"}, "By/s", 1 << 20), ("system.cpu.load_average.1m", {}, "1", 7.25),
                   ("system.filesystem.utilization", {"system.filesystem.mountpoint": "/srv"}, "1", 0.876), ("plugin.queue", {}, "", 12345),
                   ("process.cpu.utilization", {"process.executable.name": "postgres", "process.pid": "77"}, "1", 0.305),
                   ("process.memory.usage", {"process.executable.name": "postgres", "process.pid": "77"}, "By", 200 << 20),
                   ("container.memory.usage", {"container.name": "web-shop"}, "By", 64 << 20)]
        self.tick("known", metrics, {"rack": "r7"})
        for columns, rows in ((80, 24), (200, 50)):
            self.top(columns, rows, options="--no-mouse")
            row = self.terminal.shows(r"alive +known [^\n]*").group()
            for value in (" 43.2 ", " 12.3 ", " 7.00 ", " 1.00 "):
                self.assertIn(value, row)
            if columns == 200:
                for value in (" 7.25 ", " 87.6 ", "host-known"):
                    self.assertIn(value, row)
            self.terminal.typed(":host known")
            self.terminal.keys("Enter")
            seen = self.terminal.shows(r"rack=r7").string
            for _ in range(20):
                self.terminal.keys("NPage")
                seen += self.terminal.screen()
            for value in (r"CPU 43.2 %", r"Disk 7.00 MB/s", r"system.cpu.utilization +43.2 %", r"system.memory.limit +3.00 GB", r"direction=read} +5.00 MB/s",
                          r"mountpoint=/srv} +87.6 %", r"plugin.queue +12,345", r"77 postgres +30.5 % +200 MB", r"web-shop +64.0 MB"):
                self.assertRegex(seen, value)
            self.terminal.end()

    def test_escapes_control_characters_of_agents(self):
        template = self.one_batch()
        batch = self.made(template, "evil", 1, time.time())
        batch.update({"host": "h" + EVIL, "agent_version": EVIL, "resource": {"r" + EVIL: "v" + EVIL}})
        batch["frames"][0]["metrics"].append({"name": "m" + EVIL, "labels": {"l" + EVIL: EVIL}, "unit": EVIL, "value": 1})
        batch["frames"][0]["metrics"].append({"name": "process.x", "labels": {"process.name": EVIL}, "unit": EVIL, "value": 1})
        self.write(batch)
        self.top(200, 50, environment="LC_ALL=C.UTF-8 TERM=xterm-256color")
        self.terminal.shows(r"he\\u001b")
        title = self.terminal.tmux("display-message", "-p", "-t", "top", "#{pane_title}")
        self.terminal.typed(":host evil")
        self.terminal.keys("Enter")
        self.terminal.shows(r"me\\u001b\[2J")
        for _ in range(10):
            self.terminal.keys("NPage")
        self.assertNotRegex(self.terminal.screen(), "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\u2066]")
        self.assertEqual(self.terminal.tmux("display-message", "-p", "-t", "top", "#{pane_title}"), title)
        self.assertNotIn("title", title)

    def test_lists_alerts_and_opens_their_agent(self):
        os.makedirs(f"{self.data}/rules")
        with open(f"{self.data}/rules/always.yml", "w", encoding="utf-8") as file:
            file.write("groups:\n- name: g\n  interval: 1s\n  rules:\n  - alert: AlwaysBusy\n    expr: '{\"system.cpu.utilization\"} >= 0'\n"
                       "    annotations: {summary: 'busy for a test'}\n")
        server = self.start_server()
        self.configure("agent-001", "--interval", "1", "--metrics", "cpu")
        self.start_agent("agent-001", server, "--simulate")
        self.serve("--rules", f"{self.data}/rules")
        self.top(120, 24)
        self.terminal.shows(r"1 agent: .*1 firing")
        self.terminal.keys("a")
        self.terminal.shows(r"firing .*AlwaysBusy +agent-001 .*busy for a test")
        self.terminal.keys("Enter")
        self.terminal.shows(r"^agent-001 .*Alerts .*AlwaysBusy")

    def test_stops_and_continues_and_ends_with_its_terminal(self):
        self.fleet("a")
        self.terminal.start("bash --norc --noprofile")
        self.terminal.typed(f"PS1='prompt> '; clear; {BIN}/monitor-analysis top --log sqlite:{self.data}/log.db\n")
        self.terminal.shows(r"sorted by")
        self.terminal.keys("C-z")
        self.terminal.shows(r"Stopped.*prompt>")
        self.assertEqual(self.terminal.tmux("display-message", "-p", "-t", "top", "#{alternate_on} #{mouse_any_flag} #{cursor_flag}").split(), ["0", "0", "1"])
        self.terminal.typed("echo shell=works\n")
        self.terminal.shows(r"shell=works")
        self.terminal.typed("fg\n")
        self.terminal.shows(r"STATE.*sorted by")
        self.assertEqual(self.terminal.tmux("display-message", "-p", "-t", "top", "#{alternate_on} #{mouse_any_flag}").split(), ["1", "1"])
        self.terminal.keys("?")
        self.terminal.shows(r"sort by another column")
        with open(f"/proc/{self.terminal.pid()}/task/{self.terminal.pid()}/children", encoding="utf-8") as file:
            program = int(file.read().split()[0])
        self.terminal.end()
        wait_until(lambda: not os.path.exists(f"/proc/{program}"), "the end of top")

    def test_refuses_a_terminal_without_a_cursor(self):
        self.fleet("a")
        self.terminal.start(f"bash -c 'TERM=dumb {BIN}/monitor-analysis top --log sqlite:{self.data}/log.db; echo status=$?; cat'", 120, 24)
        self.terminal.shows(r"cannot place its cursor.*get-metrics.*status=69")


if __name__ == "__main__":
    unittest.main()
