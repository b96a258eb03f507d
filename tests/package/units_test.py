"""The systemd units, without systemd: their exposure as `systemd-analyze security` rates it, their options, and what the
programs report to a service manager."""
import os
import re
import signal
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import BIN, ROOT, Program, ProgramTest, free_port, run  # noqa: E402

SERVICES = ("monitor-agent", "monitor-server", "monitor-analysis")
UNITS = os.path.join(ROOT, "deploy", "systemd")
MOST_EXPOSED = 1.5


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


class UnitFiles(unittest.TestCase):
    def test_exposure_is_low(self):
        for name in SERVICES:
            done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager", f"{UNITS}/{name}.service"],
                                  capture_output=True, text=True, check=False)
            rating = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
            self.assertIsNotNone(rating, done.stdout + done.stderr)
            self.assertLessEqual(float(rating.group(1)), MOST_EXPOSED, done.stdout)

    def test_rating_notices_a_missing_restriction(self):
        """The rating above is not one that every unit gets."""
        unit = re.sub(r"(?m)^(CapabilityBoundingSet|SystemCallFilter)=.*\n", "", read("deploy", "systemd", "monitor-agent.service"))
        path = os.path.join(os.environ.get("MONITOR_BUILD_DIR", "/tmp"), f"weak-{os.getpid()}.service")
        with open(path, "w", encoding="utf-8") as file:
            file.write(unit)
        self.addCleanup(os.unlink, path)
        done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager", path], capture_output=True, text=True,
                              check=False)
        self.assertGreater(float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout).group(1)), MOST_EXPOSED)

    def test_options_in_environment_files_exist(self):
        """Each variable is an option of its program, and each credential is one that the unit loads."""
        for name in SERVICES:
            environment = read("packaging", "deb", name + ".default")
            unit = read("deploy", "systemd", name + ".service")
            help_text = run(name, *(["serve"] if name == "monitor-analysis" else []), "--help")[1]
            prefix = name.upper().replace("-", "_") + "_"
            names = re.findall(rf"{prefix}([A-Z0-9_]+)=", environment + unit)
            self.assertGreater(len(names), 3)
            for each in names:
                self.assertRegex(help_text, rf"--{each.lower().replace('_', '-')}\b", name)
            loaded = set(re.findall(r"(?m)^LoadCredential=([a-z-]+):", unit))
            used = set(re.findall(rf"/run/credentials/{name}\.service/([a-z-]+)", environment))
            self.assertLessEqual(used, loaded, name)


class Manager:
    """A service manager: the socket that programs send their state to."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.environment = {"NOTIFY_SOCKET": self.path, "WATCHDOG_USEC": "200000"}

    def receive(self, wanted, limit=30):
        """Waits for a message with this line, and returns the message."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            self.socket.settimeout(max(0.01, end - time.monotonic()))
            try:
                message = self.socket.recv(4096).decode()
            except TimeoutError:
                break
            if wanted in message.split("\n"):
                return message
        raise AssertionError(f"no message {wanted!r} within {limit} s")

    def silent(self, seconds):
        """Whether no message comes for this time, after those that are there already."""
        self.socket.setblocking(False)
        try:
            while True:
                self.socket.recv(4096)
        except BlockingIOError:
            pass
        self.socket.settimeout(seconds)
        try:
            self.socket.recv(4096)
            return False
        except TimeoutError:
            return True


class Notifications(ProgramTest):
    def check(self, status, name, *arguments):
        """Ready, alive, not alive while stopped, alive again, and stopping."""
        manager = Manager(self.data)
        self.addCleanup(manager.socket.close)
        program = Program(name, *arguments, env=manager.environment)
        self.running.append(program)
        self.assertRegex(manager.receive("READY=1"), status)
        manager.receive("WATCHDOG=1")
        program.send(signal.SIGSTOP)
        os.waitid(os.P_PID, program.process.pid, os.WSTOPPED | os.WNOWAIT)
        self.assertTrue(manager.silent(1), "a process that does not run must not look alive")
        program.send(signal.SIGCONT)
        manager.receive("WATCHDOG=1")
        program.send(signal.SIGTERM)
        manager.receive("STOPPING=1")
        self.assertEqual(program.ends(), 0)

    def test_agent(self):
        os.makedirs(f"{self.data}/monitor")
        self.check("STATUS=agent a: not delivering: .*; [0-9]+ batch(es wait| waits) in the spool", "monitor-agent", "--agent-id", "a",
                   "--data", self.data, "--config-dir", f"{self.data}/monitor", "--server", f"127.0.0.1:{free_port()}",
                   "--drain-timeout", "1s")

    def test_server(self):
        self.check(f"STATUS=writing sqlite:{self.data}/log.db", "monitor-server", "--port", "0", "--http", "off", "--log",
                   f"sqlite:{self.data}/log.db")

    def test_page(self):
        server = Program("monitor-server", "--port", "0", "--http", "off", "--log", f"sqlite:{self.data}/log.db")
        self.running.append(server)
        server.says("server started")
        self.check(f"STATUS=reading sqlite:{self.data}/log.db", "monitor-analysis", "serve", "--http", "127.0.0.1:0", "--data",
                   self.data, "--dir", f"{self.data}/monitor", "--log", f"sqlite:{self.data}/log.db")


class ToolTest(unittest.TestCase):
    def package(self, *arguments):
        return subprocess.run([os.path.join(ROOT, "tools", "package"), *arguments], capture_output=True, text=True, check=False)

    def test_rejects_wrong_arguments(self):
        for arguments, said in (((), "name a kind"), (("zip",), "invalid choice"), (("deb", "--build", "/nowhere"), "no built programs"),
                                (("deb", "--image", "monitor"), "only `oci` builds images"),
                                (("deb", "--build", os.path.dirname(BIN), "--version", "x y"), "--version: got 'x y'")):
            done = self.package(*arguments)
            self.assertEqual(done.returncode, 64, done.stderr)
            self.assertIn(said, done.stderr)


if __name__ == "__main__":
    unittest.main()
