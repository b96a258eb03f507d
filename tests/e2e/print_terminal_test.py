"""`get-metrics` on a terminal: rows fit into its width, colours follow thresholds; on a pipe nothing of this."""
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import BIN, ProgramTest, run  # noqa: E402

COLOUR = re.compile(r"\x1b\[\d+m")


class PrintTerminalTest(ProgramTest):
    def setUp(self):
        super().setUp()
        server = self.start_server()
        self.configure("agent-001", "--interval", "1", "--metrics", "cpu", "memory", "disk read", "disk write", "net in", "net out")
        self.start_agent("agent-001", server, "--simulate")
        self.log = ("--log", f"sqlite:{self.data}/log.db", "--from", "earliest", "--count", "2", "--timeout", "20")

    def terminal(self, columns, *arguments, **environment):
        """What the command writes to a terminal of this width, which translates no newlines."""
        main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        mode = termios.tcgetattr(side)
        mode[1] &= ~termios.OPOST
        termios.tcsetattr(side, termios.TCSANOW, mode)
        clean = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        with subprocess.Popen([f"{BIN}/monitor-analysis", "get-metrics", *self.log, *arguments], stdout=side, stderr=subprocess.PIPE,
                              env={**clean, "TERM": "xterm-256color", **environment}) as program:
            os.close(side)
            text = b""
            while True:
                try:
                    part = os.read(main, 65536)
                except OSError:  # EIO: the program has ended
                    break
                text += part
            self.assertEqual(program.wait(20), 0, program.stderr.read())
        os.close(main)
        return text.decode()

    def test_rows_fit_into_the_width(self):
        for columns in (60, 80, 100, 120, 200):
            lines = COLOUR.sub("", self.terminal(columns)).splitlines()
            self.assertEqual(len(lines), 3, lines)
            self.assertLessEqual(max(map(len, lines)), columns, lines)
            for line in lines[1:]:
                self.assertRegex(line, r"^[\d:. -]+  agent-001 .* \d+\.\d")
        lines = COLOUR.sub("", self.terminal(80, "--metric", "system")).splitlines()
        self.assertLessEqual(max(map(len, lines)), 80, lines)
        self.assertGreater(len(lines), 4)

    def test_colours_are_for_terminals_that_want_them(self):
        self.assertRegex(self.terminal(80), COLOUR)
        for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            self.assertNotIn("\x1b", self.terminal(80, **environment))

    def test_a_pipe_gets_every_column_and_no_colour(self):
        status, out, err = run("monitor-analysis", "get-metrics", *self.log)
        self.assertEqual(status, 0, err)
        self.assertEqual(out.splitlines()[0], "TIME (UTC)               AGENT          CPU %   MEM %  MEM USED / TOTAL MB  DISK R MB/s  DISK W MB/s  "
                         "NET IN MB/s  NET OUT MB/s")
        self.assertNotIn("\x1b", out)

    def test_says_once_why_the_log_cannot_be_read(self):
        for log in (("--log", f"sqlite:{self.data}/none.db"), ("--kafka", "localhost:1")):
            status, _, err = run("monitor-analysis", "get-metrics", *log, "--timeout", "1")
            self.assertEqual(status, 69)
            self.assertEqual(len(re.findall(r"does not exist yet|cannot be reached", err)), 1, err)
            status, _, err = run("monitor-analysis", "--log-level", "error", "get-metrics", *log, "--timeout", "1")
            self.assertEqual(len(re.findall(r"does not exist yet|cannot be reached", err)), 1, err)


if __name__ == "__main__":
    unittest.main()
