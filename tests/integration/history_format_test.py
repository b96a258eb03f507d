"""The file of the page's history, decoded in Python from docs/history-format.md alone: every value and time must be what
`monitor-analysis query` reads."""
import json
import os
import sqlite3
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from checksums import crc32c  # noqa: E402
from programs import BIN  # noqa: E402

BENCH = os.path.join(os.path.dirname(BIN), "bench")
MASK = (1 << 64) - 1


class Bytes:
    """Reads bytes from the front."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def take(self, count):
        self.at += count
        return self.data[self.at - count:self.at]

    def varint(self):
        result = shift = 0
        while True:
            byte = self.byte()
            result |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return result

    def zigzag(self):
        return unzigzag(self.varint())

    def rest(self):
        return self.data[self.at:]


def unzigzag(number):
    return (number >> 1) ^ -(number & 1)


def signed(number):
    number &= MASK
    return number - (1 << 64) if number >> 63 else number


def codes_of(lengths, first):
    """(length, code) -> class."""
    codes, code = {}, 0
    for length in range(1, 9):
        for i, its in enumerate(lengths):
            if its == length:
                codes[length, code] = first + i
                code += 1
        code <<= 1
    return codes


class Bits:
    def __init__(self, data):
        self.bits, self.at = int.from_bytes(data, "little"), 0

    def take(self, count):
        self.at += count
        return (self.bits >> (self.at - count)) & ((1 << count) - 1)

    def symbol(self, codes):
        length = code = 0
        while (length, code) not in codes:
            code = (code << 1) | self.take(1)
            length += 1
        return codes[length, code]


def integers(data, count):
    data = Bytes(data)
    transform, smallest = data.byte(), data.zigzag()
    if transform == 3:
        return [smallest] * count
    scale, first, classes = data.varint(), data.byte(), data.byte()
    packed = data.take((classes + 1) // 2)
    lengths = [(packed[i // 2] >> (4 * (i % 2))) & 15 for i in range(classes)]
    codes = {(0, 0): first} if classes == 1 else codes_of(lengths, first)
    bits, values, last, step = Bits(data.rest()), [], 0, 0
    for _ in range(count):
        its_class = bits.symbol(codes)
        number = bits.take(its_class - 1) | 1 << (its_class - 1) if its_class else 0
        if transform == 2:
            step = (step + unzigzag(number)) & MASK
            last = (last + step) & MASK
        else:
            last = number if transform == 0 else (last + unzigzag(number)) & MASK
        values.append(signed(smallest + last * scale))
    return values


def checked(row, data):
    (check,) = struct.unpack("<I", data[-4:])
    assert crc32c(struct.pack("<q", row) + data[:-4]) == check, f"row {row}"
    return Bytes(data[:-4])


def values_of(row, data, count):
    data = checked(row, data)
    head, ticks = data.byte(), list(range(count))
    if head & 4:
        present, size = data.varint(), data.varint()
        ticks = integers(data.take(size), present)
    decimals = data.byte() if head & 3 == 1 else 0
    values = integers(data.rest(), len(ticks))
    if head & 3 == 1:
        values = [value / 10 ** decimals for value in values]
    elif head & 3 == 2:
        values = [struct.unpack("<d", struct.pack("<q", value))[0] for value in values]
    return ticks, values


def read_blocks(db, found):
    for agent, block in db.execute("SELECT agent, id FROM blocks ORDER BY agent, begin_ns, part"):
        times = None
        for row, data in db.execute("SELECT id, bytes FROM block_rows WHERE id >> 28 = ? ORDER BY id", (block,)):
            if row == block << 28:
                head = checked(row, data)
                count = head.varint()
                times = integers(head.rest(), count)
                continue
            ticks, values = values_of(row, data, len(times))
            found.setdefault((agent, row - (block << 28) - 1), []).extend((times[i], v) for i, v in zip(ticks, values))


def read_open_ticks(db, found):
    for row, data in db.execute("SELECT id, ticks FROM open_ticks ORDER BY id"):
        data, time = Bytes(data), 0
        while data.rest():
            agent, later, size = data.varint(), data.zigzag(), data.varint()
            assert agent // 16 == row >> 32
            time += later
            points, number = Bytes(data.take(size)), 0
            while points.rest():
                head = points.varint()
                number += head >> 1
                value = points.zigzag() if head & 1 else struct.unpack("<d", points.take(8))[0]
                found.setdefault((agent, number), []).append((time, value))
                number += 1


class HistoryFormatTest(unittest.TestCase):
    def test_python_reads_the_values_from_the_document_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([f"{BENCH}/bench-history", "insert", f"folder={folder}", "agents=20", "seconds=700"], check=True,
                           stdout=subprocess.DEVNULL)
            with sqlite3.connect(f"file:{folder}/history.db?mode=ro", uri=True) as db:
                found = {}
                read_blocks(db, found)
                read_open_ticks(db, found)
                self.assertGreater(db.execute("SELECT count(*) FROM blocks").fetchone()[0], 20)
                series = {(agent, number): (name, its, labels, exponent) for agent, number, name, its, labels, exponent in db.execute(
                    "SELECT agent, idx, agents.name, series.name, labels, exponent FROM series JOIN agents ON agents.id = agent")}
            db.close()
            done = subprocess.run([f"{BIN}/monitor-analysis", "query", "{__name__=~\"system.*\"}[20m]", "--history",
                                   f"{folder}/history.db", "--format", "json", "--data", folder], capture_output=True, check=True)
        wanted = {}
        for one in json.loads(done.stdout)["result"]:
            labels = dict(one["metric"])
            agent, name = labels.pop("agent"), labels.pop("__name__")
            labels.pop("host")
            wanted[agent, name, json.dumps(labels, sort_keys=True)] = [(time, float(value)) for time, value in one["values"]]
        self.assertEqual(len(found), 160)
        self.assertEqual(len(wanted), 160)
        for key, points in found.items():
            agent, name, labels, exponent = series[key]
            exact = [(time // 10 ** 6 / 1000, value / 10 ** -exponent) for time, value in sorted(points, key=lambda one: one[0])]
            self.assertEqual(len(exact), 700)
            self.assertEqual(exact, wanted[agent, name, json.dumps(json.loads(labels), sort_keys=True)])


if __name__ == "__main__":
    unittest.main()
