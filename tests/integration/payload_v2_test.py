#!/usr/bin/env python3
"""Payload v2: the decoder of docs/examples, which needs nothing but docs/payload-v2.md, reads what the encoder in C++
writes, and the document has the static table of the code."""
import contextlib
import json
import os
import random
import sqlite3
import subprocess
import sys
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
VECTORS = os.path.join(os.environ.get("MONITOR_BUILD_DIR", os.path.join(ROOT, "build", "release")), "tests", "payload_vectors")
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
from programs import ProgramTest, run  # noqa: E402  (first: it adds docs/examples to the path)
from decode_payload_v2 import Invalid, decode  # noqa: E402


def vectors(*arguments):
    return subprocess.run([VECTORS, *map(str, arguments)], capture_output=True, check=True, text=True).stdout


def batches(seed, count):
    """(agent id, record, the batch) of so many random batches."""
    for line in vectors("batches", seed, count).splitlines():
        agent, record, batch = line.split(" ", 2)
        yield agent, bytes.fromhex(record), json.loads(batch)


class PayloadV2(unittest.TestCase):
    def compare(self, seed, count):
        points = 0
        for number, (agent, record, expected) in enumerate(batches(seed, count)):
            decoded = decode(record, agent)
            if decoded != expected:
                differing = [key for key in expected if decoded.get(key) != expected[key]]
                self.fail(f"batch {number} of seed {seed} differs in {differing}: {record.hex()}")
            points += sum(len(frame[3]) for frame in decoded["frames"])
        self.assertGreater(points, count * 20)

    def test_a_thousand_random_batches(self):
        self.compare(11, 1_000)

    def test_ten_thousand_random_batches(self):
        self.compare(12, 10_000)

    def test_the_document_has_the_table(self):
        with open(f"{ROOT}/docs/payload-v2.md", encoding="utf-8") as file:
            self.assertIn(vectors("table"), file.read())

    def test_damaged_records_are_refused(self):
        dice = random.Random(3)
        for agent, record, _ in batches(13, 200):
            for size in range(0, len(record), 1 + len(record) // 10):
                with self.assertRaises(Invalid):
                    decode(record[:size], agent)
            with self.assertRaises(Invalid):
                decode(record + b"\0", agent)
            for _ in range(20):
                damaged = bytearray(record)
                damaged[dice.randrange(len(damaged))] = dice.randrange(256)
                try:
                    decode(bytes(damaged), agent)
                except Invalid:
                    pass


class Readers(ProgramTest):
    def outputs(self, log, ticks):
        """What get-metrics and ledger print about a log."""
        arguments = ["--log", f"sqlite:{log}", "--data", self.data, "--format", "json"]
        printed = run("monitor-analysis", "get-metrics", *arguments, "--from", "earliest", "--count", ticks)
        account = run("monitor-analysis", "ledger", *arguments)
        self.assertEqual((printed[0], account[0]), (0, 0), printed[2] + account[2])
        self.assertIn("skipped=0", printed[2])
        self.assertIn("skipped=0", account[2])
        return printed[1].splitlines(), account[1]

    def test_a_log_of_v1_and_v2_reads_like_one_of_v1(self):
        server = self.start_server()
        self.configure("a", "--interval", "0.1", "--metrics", "cpu", "memory", "swap", "disk read", "disk write", "net in", "net out", "load")
        agent = self.start_agent("a", server, "--simulate=5")
        self.start_reader().json_lines(20)
        agent.stop()
        server.stop()
        mixed = f"{self.data}/mixed.db"
        with contextlib.closing(sqlite3.connect(f"{self.data}/log.db")) as log:
            log.execute("VACUUM INTO ?", (mixed,))
        with contextlib.closing(sqlite3.connect(mixed)) as log, log:
            records = log.execute("SELECT offset, value FROM records ORDER BY offset").fetchall()[::2]
            hexed = "".join(value.hex() + "\n" for _, value in records)
            done = subprocess.run([VECTORS, "convert"], input=hexed, capture_output=True, check=True, text=True)
            for (offset, value), line in zip(records, done.stdout.splitlines(), strict=True):
                log.execute("UPDATE records SET value = ?, headers = '{}' WHERE offset = ?", (bytes.fromhex(line), offset))
                self.assertLess(len(line) / 2, len(value))
        ticks = sum(len(batch["frames"]) for batch in self.batches("a"))
        expected, actual = self.outputs(f"{self.data}/log.db", ticks), self.outputs(mixed, ticks)
        self.assertGreaterEqual(len(expected[0]), 20)
        self.assertEqual(actual, expected)


if __name__ == "__main__":
    unittest.main()
