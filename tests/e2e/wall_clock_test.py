#!/usr/bin/env python3
"""The wall clock is briefly set a month ahead while programs run or start: no stored or spooled batch is deleted, and
ticks continue."""
import os
import sqlite3
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ProgramTest, wait_until  # noqa: E402

SHIM = os.path.join(os.environ["MONITOR_BUILD_DIR"], "tests", "plugins", "wall_clock.so")
MONTH = 30 * 86400


class WallClock(ProgramTest):
    def setUp(self):
        super().setUp()
        self.file = f"{self.data}/ahead"
        self.set_ahead(0)
        self.env = {"LD_PRELOAD": SHIM, "WALL_CLOCK_AHEAD": self.file}
        os.makedirs(f"{self.data}/monitor/config")
        with open(f"{self.data}/monitor/config/a.json", "w", encoding="ascii") as file:
            file.write('{"interval": 0.05, "send_every": 0.2, "metrics": ["load"]}')

    def set_ahead(self, seconds):
        with open(f"{self.file}.new", "w", encoding="ascii") as file:
            file.write(str(seconds))
        os.rename(f"{self.file}.new", self.file)

    def query(self, sql):
        with sqlite3.connect(f"file:{self.data}/log.db?mode=ro", uri=True) as db:
            return db.execute(sql).fetchone()[0]

    def serve(self, port=0):
        server = self.start("monitor-server", "--log", f"sqlite:{self.data}/log.db", "--port", port, "--http", "off", "--data",
                            self.data, env=self.env)
        server.address = server.says(r"listening service=grpc address=(\S+)").group(1)
        return server

    def agent(self, address):
        return self.start("monitor-agent", "--agent-id", "a", "--server", address, "--data", self.data, "--config-dir",
                          f"{self.data}/monitor", env=self.env)

    def records(self):
        return self.query("SELECT max(offset) FROM records") or 0

    def spooled(self):
        folder = f"{self.data}/agent/a/spool"
        return sum(os.stat(f"{folder}/{name}").st_size for name in os.listdir(folder))

    def grows(self):
        before = self.records()
        wait_until(lambda: self.records() > before + 3, "records to be added")

    def test_a_clock_briefly_a_month_ahead_deletes_nothing(self):
        server = self.serve()
        port = server.address.rpartition(":")[2]
        agent = self.agent(server.address)
        wait_until(lambda: os.path.exists(f"{self.data}/log.db"), "the log")
        self.grows()
        # While the programs run: ticks continue with the clock's time.
        self.set_ahead(MONTH)
        self.grows()
        # While the server starts: its first commit applies retention.
        self.assertEqual(server.stop(), 0)
        server = self.serve(port)
        self.grows()
        self.set_ahead(0)
        self.grows()
        # While an agent starts with batches in its spool.
        self.assertEqual(server.stop(), 0)
        before = self.spooled()
        wait_until(lambda: self.spooled() > before, "batches to wait")
        agent.kill()
        self.set_ahead(MONTH)
        agent = self.agent(server.address)
        agent.says("agent started|spool|listening|configuration")
        server = self.serve(port)
        self.grows()
        self.set_ahead(0)
        self.grows()
        self.assertEqual(agent.stop(), 0)
        self.assertEqual(server.stop(), 0)
        self.assertEqual(self.query("SELECT min(offset) FROM records"), 1)
        self.assertEqual(self.query("SELECT count(*) FROM records"), self.records())
        drops = [drop for batch in self.batches("a") for drop in batch["drops"]]
        self.assertNotIn("too_old", {drop["reason"] for drop in drops})


if __name__ == "__main__":
    unittest.main()
