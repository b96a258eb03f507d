"""`monitor init` and `monitor-agent init`: with options, on a terminal, repeated, interrupted, with wrong input. It writes below a folder of its own."""
import os
import pty
import select
import stat
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import BIN, LIMIT, ProgramTest, run  # noqa: E402

SECRET = "5ec2e7" + 58 * "0"
TOKEN = f"mjt1_{16 * '1'}_{SECRET}_{64 * 'a'}"
OPTIONS = "/etc/default/monitor-agent"
STORED = "/etc/credstore/monitor-agent.join-token"


class Terminal:
    """A command on a pseudo-terminal."""

    def __init__(self, program, *arguments):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            environment = {k: v for k, v in os.environ.items() if not k.startswith("MONITOR_")}
            os.execve(os.path.join(BIN, program), [program, *arguments], environment)
        self.text = ""

    def shows(self, text):
        end = time.monotonic() + LIMIT
        while text not in self.text:
            if time.monotonic() > end or not select.select([self.fd], [], [], LIMIT)[0]:
                raise AssertionError(f"waited for {text!r} in {self.text!r}")
            try:
                got = os.read(self.fd, 4096).decode()
            except OSError as ended:
                raise AssertionError(f"ended before {text!r}: {self.text!r}") from ended
            self.text += got

    def types(self, text):
        os.write(self.fd, text.encode())

    def ends(self):
        while True:
            try:
                got = os.read(self.fd, 4096)
            except OSError:
                break
            if not got:
                break
            self.text += got.decode()
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


class InitTest(ProgramTest):
    program = "monitor"

    def init(self, *arguments, stdin=""):
        return run(self.program, "init", "--root", self.data, *arguments, stdin=stdin)

    def read(self, path):
        with open(self.data + path, encoding="utf-8") as file:
            return file.read()

    def test_writes_options_and_credentials_and_is_idempotent(self):
        status, out, err = self.init("--server", "web.example:50051", "--agent-id", "web-1", "--token-stdin", "--yes", stdin=TOKEN + "\n")
        self.assertEqual(status, 0, err)
        self.assertIn("+MONITOR_AGENT_SERVER=web.example:50051", out)
        self.assertNotIn(SECRET, out + err)
        self.assertEqual(self.read(STORED), TOKEN + "\n")
        self.assertEqual(stat.S_IMODE(os.stat(self.data + STORED).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(self.data + OPTIONS).st_mode), 0o644)
        before = self.read(OPTIONS)
        self.assertNotIn(SECRET, before)
        status, out, err = self.init("--server", "web.example:50051", "--agent-id", "web-1", "--token-stdin", "--yes", stdin=TOKEN + "\n")
        self.assertEqual((status, out), (0, "The configuration is up to date.\n"), err)
        self.assertEqual(self.read(OPTIONS), before)
        # The agent takes these options.
        env = dict(line.split("=", 1) for line in before.splitlines() if "JOIN_TOKEN" not in line)
        status, _, err = run("monitor-agent", "--once", "--format", "json", env=env, limit=60)
        self.assertEqual(status, 0, err)

    def test_a_change_shows_the_difference_and_keeps_other_lines(self):
        os.makedirs(f"{self.data}/etc/default")
        with open(self.data + OPTIONS, "w", encoding="utf-8") as file:
            file.write("# mine\nMONITOR_AGENT_GROUP=web\nMONITOR_AGENT_SERVER=old.example:1\n")
        status, out, err = self.init("--server", "new.example:2", "--yes")
        self.assertEqual(status, 0, err)
        self.assertIn("-MONITOR_AGENT_SERVER=old.example:1\n+MONITOR_AGENT_SERVER=new.example:2\n", out)
        self.assertEqual(self.read(OPTIONS), "# mine\nMONITOR_AGENT_GROUP=web\nMONITOR_AGENT_SERVER=new.example:2\n")

    def test_without_a_terminal_it_needs_yes_and_a_server(self):
        status, out, err = self.init("--server", "web.example:50051")
        self.assertEqual(status, 64, out)
        self.assertIn("--yes accepts these changes", err)
        self.assertFalse(os.path.exists(self.data + "/etc"))
        self.assertEqual(self.init("--yes")[0], 64)

    def test_asks_on_a_terminal_and_never_shows_the_token(self):
        terminal = Terminal(self.program, "init", "--root", self.data)
        terminal.shows("Server, HOST:PORT: ")
        terminal.types("web.example:50051\n")
        terminal.shows("Id of this agent [")
        terminal.types("web-1\n")
        terminal.shows("Join token")
        terminal.types(TOKEN + "\n")
        terminal.shows("Write these files? [y/N] ")
        terminal.types("y\n")
        self.assertEqual(terminal.ends(), 0, terminal.text)
        self.assertNotIn(SECRET, terminal.text)
        self.assertEqual(self.read(STORED), TOKEN + "\n")
        self.assertIn("MONITOR_AGENT_AGENT_ID=web-1\n", self.read(OPTIONS))

    def test_declining_and_interrupting_write_nothing(self):
        terminal = Terminal(self.program, "init", "--root", self.data, "--server", "web.example:50051", "--agent-id", "a")
        terminal.shows("Join token")
        terminal.types("\n")
        terminal.shows("[y/N] ")
        terminal.types("\n")
        self.assertEqual(terminal.ends(), 1, terminal.text)
        for key, ending in (("\x03", 1), ("\x04", 1)):  # at the prompt without echo: Ctrl-C and Ctrl-D
            terminal = Terminal(self.program, "init", "--root", self.data, "--server", "web.example:50051", "--agent-id", "a")
            terminal.shows("Join token")
            terminal.types(key)
            self.assertEqual(terminal.ends(), ending, terminal.text)
        terminal = Terminal(self.program, "init", "--root", self.data)
        terminal.shows("Server")
        terminal.types("\x03")
        self.assertEqual(terminal.ends(), -2, "Ctrl-C at a prompt ends it")
        self.assertFalse(os.path.exists(self.data + "/etc"))

    def test_rejects_wrong_input(self):
        for arguments, stdin in ((["--server", "a:b"], ""), (["--server", "a:1", "--agent-id", "a/b"], ""),
                                 (["--server", "a:1", "--token-stdin"], ""), (["--server", "a:1", "--token-stdin"], "two words\n"),
                                 (["--server", "a:1", "--token-stdin"], "anything\n"), (["--server", "a:1", "--token-stdin"], TOKEN[:-1]),
                                 (["--server", "a:1", "--token-stdin"], TOKEN.upper()), (["--server", "a:1", "--token-stdin"], TOKEN + "0"),
                                 (["--server", "a:1", "--tls-cert", "x"], ""),
                                 (["--server", "a:1", "--token-stdin", "--tls-ca", "x"], "token")):
            status, out, err = self.init(*arguments, "--yes", stdin=stdin)
            self.assertEqual(status, 64, (arguments, out, err))
            self.assertNotIn(SECRET[:20], out + err)
        status, _, err = self.init("--server", "a:1", "--tls-ca", f"{self.data}/none.pem", "--yes")
        self.assertEqual(status, 74, err)
        self.assertIn("none.pem", err)
        status, _, err = self.init("--server", "a:1", "--token-file", f"{self.data}/none", "--yes")
        self.assertEqual(status, 74, err)
        self.assertFalse(os.path.exists(self.data + "/etc"))

    def test_a_link_in_place_of_a_file_is_replaced_not_followed(self):
        target = f"{self.data}/target"
        with open(target, "w", encoding="utf-8") as file:
            file.write("")
        os.makedirs(f"{self.data}/etc/credstore", 0o700)
        os.symlink(target, self.data + STORED)
        status, _, err = self.init("--server", "a:1", "--token-stdin", "--yes", stdin=TOKEN)
        self.assertEqual(status, 0, err)
        self.assertFalse(os.path.islink(self.data + STORED))
        with open(target, encoding="utf-8") as file:
            self.assertEqual(file.read(), "")


class AgentInitTest(InitTest):
    """The same in the agent's own program."""

    program = "monitor-agent"


if __name__ == "__main__":
    unittest.main()
