#!/usr/bin/env python3
"""Payload v2: the decoder of docs/examples, which needs nothing but docs/payload-v2.md, reads what the encoder in C++
writes, and the document has the static table of the code."""
import hashlib
import json
import os
import random
import subprocess
import sys
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
VECTORS = os.path.join(os.environ.get("MONITOR_BUILD_DIR", os.path.join(ROOT, "build", "release")), "tests", "payload_vectors")
sys.path.insert(0, os.path.join(ROOT, "docs", "examples"))
from decode_payload_v2 import Invalid, UnknownSet, decode  # noqa: E402


def vectors(*arguments):
    return subprocess.run([VECTORS, *map(str, arguments)], capture_output=True, check=True, text=True).stdout


def batches(seed, count):
    """(agent id, record, known sets, the batch) of so many random batches."""
    for line in vectors("batches", seed, count).splitlines():
        agent, record, inline, batch = line.split(" ", 3)
        known = {} if inline == "-" else {hashlib.sha256(bytes.fromhex(inline)).digest()[:16]: bytes.fromhex(inline)}
        yield agent, bytes.fromhex(record), known, json.loads(batch)


class PayloadV2(unittest.TestCase):
    def compare(self, seed, count):
        named = points = 0
        for number, (agent, record, known, expected) in enumerate(batches(seed, count)):
            decoded = decode(record, agent, known)
            if decoded != expected:
                differing = [key for key in expected if decoded.get(key) != expected[key]]
                self.fail(f"batch {number} of seed {seed} differs in {differing}: {record.hex()}")
            points += sum(len(frame[3]) for frame in decoded["frames"])
            if known:
                named += 1
                with self.assertRaises(UnknownSet):
                    decode(record, agent)
        self.assertGreater(named, count // 10)
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
        for agent, record, known, _ in batches(13, 200):
            for size in range(0, len(record), 1 + len(record) // 10):
                with self.assertRaises((Invalid, UnknownSet)):
                    decode(record[:size], agent, known)
            with self.assertRaises(Invalid):
                decode(record + b"\0", agent, known)
            for _ in range(20):
                damaged = bytearray(record)
                damaged[dice.randrange(len(damaged))] = dice.randrange(256)
                try:
                    decode(bytes(damaged), agent, known)
                except (Invalid, UnknownSet):
                    pass


if __name__ == "__main__":
    unittest.main()
