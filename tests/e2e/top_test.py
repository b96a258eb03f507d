"""`monitor-analysis top` in a real terminal (tmux)."""
import os
import re
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import BIN, ProgramTest, run, wait_until  # noqa: E402
from terminal import Terminal  # noqa: E402


class TopTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.terminal = Terminal(self.data)
        self.tmux, self.screen, self.shows = self.terminal.tmux, self.terminal.screen, self.terminal.shows

    def tearDown(self):
        self.terminal.end()
        super().tearDown()

    def test_shows_a_fleet_in_80_by_24_characters(self):
        server = self.start_server()
        for name in ("agent-001", "agent-002", "other-003"):
            self.configure(name, "set", "--interval", "1", "--metrics", '{"name": "cpu", "per_core": true}', "memory", "disk read",
                           '{"name": "net in", "per_interface": true}')
            self.start_agent(name, server, "--simulate")
        self.terminal.start("bash --norc --noprofile")
        self.tmux("send-keys", "-t", "top", "PS1='prompt> '; clear; echo kept", "Enter")
        self.shows(r"kept\nprompt>")
        top = f"{BIN}/monitor-analysis top --log sqlite:{self.data}/log.db"
        self.tmux("send-keys", "-t", "top", top, "Enter")
        self.shows(r"3 agents: +3 alive")
        self.shows(r"agent-001 +[\d.]+ .*agent-002 +[\d.]+ .*other-003 +[\d.]+ ")
        self.assertLessEqual(max(len(line) for line in self.screen().splitlines()), 80)
        self.shows("[▁▂▃▄▅▆▇█]")
        # Sort, filter, detail, help, pause.
        self.tmux("send-keys", "-t", "top", "r")
        self.shows(r"other-003.*agent-002.*agent-001")
        self.tmux("send-keys", "-t", "top", "/", "other", "Enter")
        self.shows(r"filter other")
        wait_until(lambda: "agent-001" not in self.screen(), "the filter")
        self.tmux("send-keys", "-t", "top", "Enter")
        self.shows(r"cpu\.logical_number=0")
        self.shows(r"name=eth0")
        self.tmux("send-keys", "-t", "top", "Escape")
        self.shows(r"STATE")
        self.tmux("send-keys", "-t", "top", "?")
        self.shows(r"sort by another column")
        self.tmux("send-keys", "-t", "top", "?", "p")
        self.shows(r"PAUSED")
        self.tmux("send-keys", "-t", "top", "p")
        # It follows the terminal's size.
        self.tmux("resize-window", "-t", "top", "-x", "140", "-y", "40")
        self.shows(r"HOST")
        self.tmux("resize-window", "-t", "top", "-x", "80", "-y", "24")
        wait_until(lambda: "HOST" not in self.screen(), "the smaller screen")
        for columns, rows in ((40, 10), (200, 50), (20, 4), (80, 24)):
            self.tmux("resize-window", "-t", "top", "-x", columns, "-y", rows)
            wait_until(lambda rows=rows: self.is_drawn(rows), f"{columns} x {rows}")
            self.assertLessEqual(max(len(line) for line in self.screen().splitlines()), columns)
        self.shows(r"STATE.*AGENT.*CPU %.*sorted by agent")
        # It restores the terminal, however it is ended.
        for way, end in enumerate((lambda: self.tmux("send-keys", "-t", "top", "q"), lambda: self.tmux("send-keys", "-t", "top", "C-c"),
                                   lambda: os.kill(self.pid_of_top(), signal.SIGTERM), lambda: os.kill(self.pid_of_top(), signal.SIGHUP))):
            if way > 0:
                self.tmux("send-keys", "-t", "top", f"clear; echo kept; {top}", "Enter")
                self.shows(r"3 agents: +3 alive")
            end()
            self.shows(r"kept\n(prompt> .*\n)?prompt>\s*$")
            self.assertEqual(self.screen().splitlines()[0].split()[-1], "kept")
            self.tmux("send-keys", "-t", "top", "echo status=$?; stty -a | grep -c -- ' icanon .* echo '", "Enter")
            self.shows(r"status=0\n1\n")
            self.assertEqual(self.tmux("display-message", "-p", "-t", "top", "#{alternate_on} #{cursor_flag} #{keypad_flag}").split(), ["0", "1", "0"])

    def is_drawn(self, rows):
        lines = self.screen().splitlines()
        return len(lines) == rows and "agents" in lines[0] and "filter other" in lines[-1]

    def pid_of_top(self):
        shell = int(self.tmux("display-message", "-p", "-t", "top", "#{pane_pid}"))
        children = subprocess.run(["ps", "--ppid", str(shell), "-o", "pid="], capture_output=True, text=True, check=True).stdout.split()
        return int(children[0])

    def test_a_dead_server_does_not_mark_agents_as_gone(self):
        server = self.start_server()
        self.configure("agent-001", "--interval", "1", "--metrics", "cpu")
        self.start_agent("agent-001", server, "--simulate")
        self.terminal.start(f"{BIN}/monitor-analysis top --log sqlite:{self.data}/log.db", 100)
        self.shows(r"1 agent: +1 alive")
        server.kill()
        wait_until(lambda: re.search(r"1 unknown +0 gone.*no server has written the log since", self.screen(), re.S), "the server to be reported as gone", 60)

    def test_reports_a_missing_terminal(self):
        status, out, err = run("monitor-analysis", "top", "--log", f"sqlite:{self.data}/log.db")
        self.assertEqual(status, 64)
        self.assertEqual(out, "")
        self.assertIn("terminal", err)


if __name__ == "__main__":
    unittest.main()
