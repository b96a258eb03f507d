"""Programs in a real terminal: tmux."""
import os
import re
import subprocess

from programs import wait_until


class Terminal:
    """A tmux server of its own, in `folder`. The program reads its settings from there, too."""

    def __init__(self, folder):
        self.folder = folder
        self.starts = 0

    def tmux(self, *arguments):
        done = subprocess.run(["tmux", "-S", f"{self.folder}/tmux{self.starts}", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=20,
                              env={**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color", "XDG_CONFIG_HOME": f"{self.folder}/settings"})
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, command, columns=80, rows=24):
        self.starts += 1  # another socket: a server that ends may still hold the last one
        self.tmux("-f", "/dev/null", "new-session", "-d", "-s", "top", "-x", columns, "-y", rows, command)
        self.tmux("set-option", "-g", "status", "off")

    def end(self):
        subprocess.run(["tmux", "-S", f"{self.folder}/tmux{self.starts}", "kill-server"], capture_output=True, check=False)

    def screen(self, *options):
        return self.tmux("capture-pane", "-p", "-t", "top", *options)

    def keys(self, *keys):
        self.tmux("send-keys", "-t", "top", *keys)

    def typed(self, text):
        self.tmux("send-keys", "-l", "-t", "top", text)

    def mouse(self, button, column, row):
        """Presses and releases, as xterm reports it (SGR): 0 is the left button, 64 and 65 are the wheel, which has no release."""
        self.typed(f"\x1b[<{button};{column + 1};{row + 1}M" + (f"\x1b[<{button};{column + 1};{row + 1}m" if button < 64 else ""))

    def place(self, text):
        """The column and row at which the text is on the screen."""
        for row, line in enumerate(self.screen().splitlines()):
            if text in line:
                return line.index(text), row
        raise AssertionError(f"{text!r} is not on the screen:\n{self.screen()}")

    def resize(self, columns, rows):
        self.tmux("resize-window", "-t", "top", "-x", columns, "-y", rows)

    def shows(self, pattern):
        try:
            return wait_until(lambda: re.search(pattern, self.screen(), re.S), repr(pattern))
        except AssertionError as error:
            raise AssertionError(f"{error}; the screen:\n{self.screen()}") from None

    def pid(self):
        return int(self.tmux("display-message", "-p", "-t", "top", "#{pane_pid}"))
