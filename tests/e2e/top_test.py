"""`monitor-analysis top` in a real terminal: tmux."""
import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import BIN, ProgramTest, run, wait_until  # noqa: E402


class TopTest(ProgramTest):
    def tmux(self, *arguments):
        done = subprocess.run(["tmux", "-S", f"{self.data}/tmux", *arguments], capture_output=True, text=True, check=False, timeout=20,
                              env={**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def screen(self):
        return self.tmux("capture-pane", "-p", "-t", "top")

    def shows(self, pattern):
        return wait_until(lambda: re.search(pattern, self.screen(), re.S), f"{pattern!r}; the screen:\n{self.screen()}")

    def tearDown(self):
        subprocess.run(["tmux", "-S", f"{self.data}/tmux", "kill-server"], capture_output=True, check=False)
        super().tearDown()

    def test_a_fleet_in_eighty_by_twentyfour(self):
        server = self.start_server()
        for name in ("agent-001", "agent-002", "other-003"):
            self.configure(name, "set", "--interval", "1", "--metrics", '{"name": "cpu", "per_core": true}', "memory", "disk read",
                           '{"name": "net in", "per_interface": true}')
            self.start_agent(name, server, "--simulate")
        self.tmux("-f", "/dev/null", "new-session", "-d", "-s", "top", "-x", "80", "-y", "24", "bash --norc --noprofile")
        self.tmux("set-option", "-g", "status", "off")
        self.tmux("send-keys", "-t", "top", "PS1='prompt> '; clear; echo kept", "Enter")
        self.shows(r"kept\nprompt>")
        before = self.screen()
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
        self.shows(r"network\.interface\.name=")
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
        # It leaves the terminal as it was.
        self.tmux("send-keys", "-t", "top", "q")
        self.shows(r"kept\nprompt> .*\n?prompt>")
        self.assertEqual(self.screen().splitlines()[0], before.splitlines()[0])
        self.tmux("send-keys", "-t", "top", "stty -a | grep -c -- ' echo '; tput cnorm", "Enter")
        self.shows(r"\n1\n")

    def test_without_a_terminal_it_says_so(self):
        status, out, err = run("monitor-analysis", "top", "--log", f"sqlite:{self.data}/log.db")
        self.assertEqual(status, 64)
        self.assertEqual(out, "")
        self.assertIn("terminal", err)


if __name__ == "__main__":
    unittest.main()
