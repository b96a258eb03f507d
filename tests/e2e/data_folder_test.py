"""Ownership and permissions of data folders and stored files, and symbolic links in them."""
import contextlib
import os
import shutil
import sqlite3
import stat
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ProgramTest, free_port, run, wait_until  # noqa: E402

ANOTHER = 4242  # an unused user id


class DataFolderTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.nowhere = f"127.0.0.1:{free_port()}"

    def commands(self, data):
        """All programs that store files in a data folder."""
        log = f"sqlite:{data}/log.db"
        agent = ["monitor-agent", "--agent-id", "a", "--server", self.nowhere]
        return {
            "agent": [*agent, "--data", data],
            "agent's configuration": [*agent, "--data", self.data + "/own", "--config-dir", data],
            "agent's spool": [*agent, "--data", self.data + "/own", "--config-dir", self.data, "--spool", data],
            "agent once": ["monitor-agent", "--once", "--config-dir", data],
            "server": ["monitor-server", "--port", "0", "--http", "off", "--log", log],
            "page": ["monitor-analysis", "serve", "--http", "127.0.0.1:0", "--log", log, "--data", data],
            "history": ["monitor-analysis", "serve", "--http", "127.0.0.1:0", "--log", log, "--data", self.data + "/own",
                        "--history", data + "/history.db"],
            "group": ["monitor-analysis", "get-metrics", "--log", log, "--group-id", "g", "--timeout", "1"],
            "everything": ["monitor", "up", "--data", data, "--port", "0", "--http", "off", "--web", "off"],
            "author": ["monitor-config", "--agent-id", "a", "--interval", "1", "--dir", data],
            "author by data": ["monitor-config", "--agent-id", "a", "--interval", "1", "--data", data],
        }

    def missing(self, names):
        return [name for name in names if not os.path.exists(f"{self.data}/{name}")]

    def refused(self, folder, remedy):
        for name, command in self.commands(folder).items():
            with self.subTest(name):
                status, _, err = run(*command)
                self.assertEqual(status, 74, err)
                self.assertIn(remedy, err)
                told = [line for line in err.splitlines() if remedy in line]
                self.assertEqual(len(told), 1, err)

    def test_rejects_folders_writable_by_others(self):
        for mode in (0o777, 0o775, 0o1777):
            folder = f"{self.data}/shared"
            os.mkdir(folder)
            os.mkdir(folder + "/monitor", 0o700)
            os.chmod(folder, mode)
            os.chmod(self.data, 0o711)  # so that other users can reach the folder
            self.refused(folder, f"chmod go-w {folder}" if mode != 0o1777 else "choose a folder of your own")
            self.assertEqual(os.listdir(folder), ["monitor"], "nothing was created in it")
            shutil.rmtree(folder)

    def test_rejects_folders_of_another_user(self):
        if os.geteuid() != 0:  # only root can create one; unit tests cover the rule, too
            self.assertNotEqual(run("monitor-agent", "--agent-id", "a", "--data", "/proc/1")[0], 0)
            return
        folder = f"{self.data}/theirs"
        os.mkdir(folder, 0o755)
        os.mkdir(folder + "/monitor", 0o755)
        os.chown(folder + "/monitor", ANOTHER, ANOTHER)
        os.chown(folder, ANOTHER, ANOTHER)
        self.refused(folder, f"belongs to user {ANOTHER}, not to root: run this as user {ANOTHER}, or chown it")
        self.assertEqual(os.listdir(folder), ["monitor"], "nothing was created in it")
        inner = folder + "/inner"  # owned by this user, but the parent's owner can replace it
        os.mkdir(inner, 0o700)
        status, _, err = run("monitor-agent", "--agent-id", "a", "--data", inner)
        self.assertEqual(status, 74)
        self.assertIn(f"{folder} belongs to user {ANOTHER}", err)
        link = f"{self.data}/link"
        os.symlink(self.data, link)
        os.lchown(link, ANOTHER, ANOTHER)
        status, _, err = run("monitor-agent", "--agent-id", "a", "--data", link)
        self.assertEqual(status, 74)
        self.assertIn("the link to the data folder", err)

    def test_accepts_folders_of_an_earlier_version(self):
        """Earlier versions created folders and files that everyone could read."""
        folder = f"{self.data}/old"
        os.mkdir(folder, 0o755)
        with contextlib.closing(sqlite3.connect(folder + "/history.db")) as db:
            db.execute("PRAGMA journal_mode=WAL")
        os.chmod(folder + "/history.db", 0o644)
        for name in ("log.db-writer", "history.db.lock"):
            with open(f"{folder}/{name}", "w") as file:
                file.write("process 1\n")
        page = self.start(*self.commands(folder)["page"])
        page.says("listening service=web")
        self.assertEqual(stat.S_IMODE(os.stat(folder + "/history.db").st_mode), 0o600)
        server = self.start(*self.commands(folder)["server"])
        server.says("listening service=grpc")
        link = f"{self.data}/link"  # owned by this user
        os.symlink(folder, link)
        agent = self.start(*self.commands(link)["agent"])
        agent.says("agent started")

    def test_does_not_write_to_files_of_another_user(self):
        """The folder was once writable by others, and still contains a file of another user."""
        if os.geteuid() != 0:  # only root can create one; unit tests cover the rule, too
            self.skipTest("needs root to give files away")
        cases = (("server", "log.db"), ("server", "log.db-writer"), ("page", "history.db"), ("agent", "agent/a/lock"),
                 ("agent", "agent/a/spool/lock"), ("author by data", "monitor/.lock"), ("everything", "logs/monitor-server.log"))
        started = []
        for name, file in cases:
            data = tempfile.mkdtemp(prefix="monitor-left-")
            self.addCleanup(shutil.rmtree, data, True)
            path = f"{data}/{file}"
            os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
            with open(path, "wb"):
                os.chown(path, ANOTHER, ANOTHER)
                os.chmod(path, 0o666)
            started.append((self.start(*self.commands(data)[name]), path))
        for program, path in started:
            with self.subTest(path):
                program.says(f"belongs to user {ANOTHER}, who may have put it there")
                program.kill()
                self.assertEqual(os.path.getsize(path), 0, "not written")

    def test_stored_files_are_readable_only_by_their_owner(self):
        self.configure("a", "--interval", "0.2")
        server = self.start_server()
        agent = self.start_agent("a", server)
        page = self.start("monitor-analysis", "serve", "--log", f"sqlite:{self.data}/log.db", "--data", self.data, "--http",
                          "127.0.0.1:0", "--config-dir", f"{self.data}/monitor")
        reader = self.start_reader("--group-id", "g")
        reader.json_lines(1)
        page.says("listening service=web")
        names = ["log.db", "log.db-wal", "log.db-writer", "log.db-groups.db", "history.db", "history.db.lock", "web-token",
                 "agent/a/lock", "agent/a/spool/lock", "agent/a/spool/checkpoint", "agent/a/last-good.json"]
        wait_until(lambda: not self.missing(names), f"some of {names}")
        for at, folders, files in os.walk(self.data):
            for name in files:
                path = os.path.join(at, name)
                with contextlib.suppress(FileNotFoundError):
                    mode = stat.S_IMODE(os.lstat(path).st_mode)
                    if not path.startswith(f"{self.data}/monitor/"):  # documents and statuses are not secret
                        self.assertEqual(mode, 0o600, f"{path} has {mode:04o}")
            for name in folders:
                self.assertEqual(stat.S_IMODE(os.lstat(os.path.join(at, name)).st_mode), 0o700, name)
        agent.stop()

    def test_writes_no_file_through_a_symbolic_link(self):
        """Places a symbolic link at every path that the programs create or write below a data folder."""
        victims = tempfile.mkdtemp(prefix="monitor-victims-")
        self.addCleanup(shutil.rmtree, victims, True)
        cases = {
            "server": ["log.db", "log.db-writer", "log.db-wal", "log.db-shm"],
            "page": ["history.db", "history.db.lock", "history.db-wal", "history.db-shm"],
            "group": ["log.db-groups.db", "log.db-group-g.lock", "log.db-groups.db-wal"],
            "agent": ["agent/a/lock", "agent/a/state.json", "agent/a/last-good.json", "agent/a/spool/lock",
                      "agent/a/spool/checkpoint", "agent/a/spool/checkpoint.newer", "agent/a/spool/0000000000000001.seg",
                      "monitor/status/a.json", "monitor/status/a.json.new", "monitor/inventory/a.json.new"],
            "author by data": ["monitor/.lock", "monitor/config/a.json"],
            "everything": ["up.lock", "logs/monitor-server.log"],
        }
        for name, links in cases.items():
            for link in links:
                with self.subTest(name, link=link):
                    self.links_are_not_followed(name, link, victims)

    def links_are_not_followed(self, name, link, victims):
        """Tries a link to an existing file and one to a missing file."""
        victim, missing = f"{victims}/victim", f"{victims}/missing"
        with open(victim, "w") as file:
            file.write("victim")
        started = []
        for target in (victim, missing):
            data = tempfile.mkdtemp(prefix="monitor-links-")
            self.addCleanup(shutil.rmtree, data, True)
            if name == "group":  # the group is joined once the log exists
                server = self.start(*self.commands(data)["server"])
                server.says("listening service=grpc")
                server.kill()
            os.makedirs(os.path.dirname(f"{data}/{link}"), 0o700, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                os.remove(f"{data}/{link}")
            os.symlink(target, f"{data}/{link}")
            started.append((self.start(*self.commands(data)[name]), f"{data}/{link}"))
        for program, path in started:
            def settled(program=program, path=path):
                refused = program.said("symbolic link|cannot be (written|kept)|ELOOP|Too many levels")
                return refused or program.process.poll() is not None or not os.path.islink(path)
            with contextlib.suppress(AssertionError):  # the program did not need to write this file
                wait_until(settled, "something to happen", 1)
            program.kill()
        with open(victim) as file:
            self.assertEqual(file.read(), "victim")
        self.assertFalse(os.path.lexists(missing), "created through the link")


if __name__ == "__main__":
    unittest.main()
