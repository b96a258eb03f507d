#!/usr/bin/env python3
"""Decodes records of payload v2 without any library, as docs/payload-v2.md describes it. The static table is read from
that document.

As a program it decodes one record from its standard input:
    decode_payload_v2.py AGENT-ID < record
"""
import json
import os
import re
import struct
import sys

DOCUMENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "payload-v2.md")
WORD = 1 << 64
GRID_NS = 10_000
UNITS = {1: 1, 2: 512, 3: 1024, 4: 4096, 5: 1, 6: 512, 7: 1024, 8: 4096}
ONE_FRAME, NANOSECONDS, COUNTED, UNACKED, HOSTNAME, SHAPES, COMPUTATIONS, FINAL, RESOURCE, ACCOUNTS = (1 << i for i in range(10))


class Invalid(ValueError):
    """The bytes are no record of payload v2."""


def read_table(path=DOCUMENT):
    """The rows of the static table: (name, labels, slots, unit, kind, exponent, computation, part, whole)."""
    rows = []
    with open(path, encoding="utf-8") as file:
        for line in file.read().split("## Static table")[1].splitlines():
            if not re.match(r"\| \d+ \| `", line):
                continue
            number, name, labels, slots, unit, kind, exponent, computation = (cell.strip() for cell in line.strip().strip("|").split("|"))
            if int(number) != len(rows):
                raise ValueError(f"row {number} of the static table is in place {len(rows)}")
            labels = dict(label.split("=", 1) for label in re.findall("`([^`]*)`", labels))
            numbers = [int(digits) for digits in re.findall(r"\d+", computation)] + [None, None]
            rows.append((name.strip("`"), labels, re.findall("`([^`]*)`", slots), unit.strip("`"), int(kind == "counter"), int(exponent), *numbers[:3]))
    return rows


TABLE = read_table()
STANDARD_SETS = [range(0, 8)]


def signed(value):
    return value - WORD if value >= WORD // 2 else value


def rounded(a, b):
    return (2 * a + b) // (2 * b)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        if size > len(self.data) - self.at:
            raise Invalid(f"the record ends within {size} bytes at {self.at}")
        self.at += size
        return self.data[self.at - size : self.at]

    def fixed(self, size):
        return int.from_bytes(self.take(size), "little")

    def i64(self):
        return signed(self.fixed(8))

    def varint(self):
        value = 0
        for shift in range(0, 70, 7):
            byte = self.fixed(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if value >= WORD:
                    break
                return value
        raise Invalid("an integer of more than 64 bits")

    def zigzag(self):
        value = self.varint()
        return -(value // 2) - 1 if value & 1 else value // 2

    def number(self, sign):
        return self.zigzag() if sign else self.varint()

    def count(self, limit, what):
        value = self.varint()
        if value > limit:
            raise Invalid(f"{what}: {value}, the limit is {limit}")
        return value

    def utf8(self, size):
        try:
            return self.take(size).decode()
        except UnicodeDecodeError as error:
            raise Invalid(str(error)) from error

    def text(self, limit):
        return self.utf8(self.count(limit, "length of a text"))

    def fields(self, count, width):
        bits = int.from_bytes(self.take((count * width + 7) // 8), "little")
        return [bits >> i * width & (1 << width) - 1 for i in range(count)]

    def column(self, count, sign):
        """The integers modulo 2^64."""
        if count == 0:
            return []
        if count == 1:
            return [self.number(sign) % WORD]
        form, width = divmod(self.fixed(1), 64)
        if form == 0:
            base = self.number(sign)
            return [(base + field) % WORD for field in self.fields(count, width)]
        first = self.number(sign)
        if form == 1:
            least = self.zigzag()
            steps = [least + field for field in self.fields(count - 1, width)]
        elif form == 2 and width == 0:
            steps = [self.zigzag() for _ in range(count - 1)]
        else:
            raise Invalid(f"form {form} of a column, width {width}")
        values = [first % WORD]
        for step in steps:
            values.append((values[-1] + step) % WORD)
        return values


class SetTexts:
    """The texts of a series set, each a difference from the last one of its kind."""

    def __init__(self, reader):
        self.reader, self.last, self.total = reader, {}, 0

    def read(self, kind, limit):
        last = self.last.get(kind, b"")
        common = self.reader.count(len(last), "a common prefix")
        text = last[:common] + self.reader.take(self.reader.count(limit - common, "length of a text"))
        try:
            text.decode()
        except UnicodeDecodeError as error:
            raise Invalid(str(error)) from error
        self.add(len(text))
        self.last[kind] = text
        return text.decode()

    def add(self, size):
        self.total += size
        if self.total > 1 << 20:
            raise Invalid("the texts of a series set have more than 1 MiB")


def literal(reader, texts):
    """Type, exponent, name, unit, and the labels."""
    kind = reader.count(7, "type of a series")
    exponent = reader.zigzag() if kind & 4 else 0
    if not -18 <= exponent <= 18:
        raise Invalid(f"exponent {exponent}")
    name, unit = texts.read("name", 256), texts.read("unit", 256)
    labels = []
    for _ in range(reader.count(32, "labels")):
        key = texts.read("key", 256)
        if not key or labels and key.encode() <= labels[-1][0].encode():
            raise Invalid("labels are not sorted")
        labels.append([key, texts.read(("value", key), 1024)])
    if not name:
        raise Invalid("a series without a name")
    return [name, labels, unit, kind & 1, bool(kind & 2), exponent]


def row_series(number, values):
    name, labels, slots, unit, kind, exponent = TABLE[number][:6]
    merged = {**labels, **dict(zip(slots, values))}
    return [name, [list(label) for label in sorted(merged.items())], unit, kind, True, exponent], number


class SetReader:
    """The entries of a series set."""

    def __init__(self, data):
        self.reader, self.result = Reader(data), []
        self.texts = SetTexts(self.reader)
        self.run = None  # the last entry: its rows, or None for a literal

    def read(self):
        """A list of (series, row)."""
        count = self.reader.count(20_000, "series")
        while len(self.result) < count:
            self.entry(count - len(self.result))
        if self.reader.at != len(self.reader.data):
            raise Invalid("bytes after a series set")
        return self.result

    def entry(self, room):
        code = self.reader.varint()
        if code == 0:
            self.result.append((literal(self.reader, self.texts), None))
            self.run = None
        elif code == 2:
            self.repeat(room)
        else:
            first, length = (self.reader.varint(), self.reader.count(room, "a run")) if code == 1 else (code - 3, 1)
            if length == 0 or first + length > len(TABLE):
                raise Invalid(f"rows {first} to {first + length - 1} of the static table")
            self.run = range(first, first + length)
            self.rows()

    def rows(self):
        slots = TABLE[self.run[0]][2]
        values = [self.texts.read(("value", key), 1024) for key in slots]
        for row in self.run:
            if TABLE[row][2] != slots:
                raise Invalid(f"row {row} has other slots than row {self.run[0]}")
            self.texts.add(sum(len(value.encode()) for value in values))
            self.result.append(row_series(row, values))

    def repeat(self, room):
        keys = TABLE[self.run[0]][2] if self.run else [key for key, _ in self.result[-1][0][1]] if self.result else []
        times = self.reader.count(room // len(self.run or [0]), "repetitions")
        if not keys or times == 0:
            raise Invalid("a repetition of nothing")
        for _ in range(times):
            if self.run:
                self.rows()
                continue
            name, _, unit, *rest = self.result[-1][0]
            self.texts.add(sum(len(text.encode()) for text in (name, unit, *keys)))
            labels = [[key, self.texts.read(("value", key), 1024)] for key in keys]
            self.result.append(([name, labels, unit, *rest], None))


def series_set(reader):
    code = reader.varint()
    if code == 0:
        return SetReader(reader.take(reader.varint())).read()
    if code - 1 >= len(STANDARD_SETS):
        raise Invalid(f"standard set {code - 1}")
    return [row_series(number, []) for number in STANDARD_SETS[code - 1]]


def drop(reader, ranged):
    words = [reader.text(256) for _ in range(3)] + [reader.varint() for _ in range(3)]
    if not ranged:
        return [*words, "", 0, 0, 0, 0]
    return [*words, reader.take(16).hex(), reader.varint(), reader.varint(), reader.i64(), reader.i64()]


def accounts(reader, batch):
    def entries(read):
        return [read() for _ in range(reader.varint())]

    def incarnation():
        return reader.take(16).hex()

    batch["dropped"] = entries(lambda: drop(reader, False))
    batch["drops"] = entries(lambda: drop(reader, True))
    batch["ended"] = entries(lambda: [incarnation(), reader.varint(), reader.i64(), bool(reader.count(1, "clean"))])
    batch["older"] = entries(lambda: [incarnation(), reader.varint()])
    batch["elsewhere"] = entries(lambda: [incarnation(), reader.text(512), reader.varint(), reader.varint()])


def agent_version(reader):
    head = reader.varint()
    if head % 2:
        if head // 2 > 64:
            raise Invalid("the agent's version has more than 64 bytes")
        return reader.utf8(head // 2)
    return f"{head // 2 >> 12}.{head // 2 >> 6 & 63}.{head // 2 & 63}"


def envelope(reader, agent_id):
    first = reader.fixed(1)
    if first not in (0x16, 0x17):
        raise Invalid(f"0x{first:02x} is no payload of version 2")
    incarnation = reader.take(16 if first == 0x17 else 8).ljust(16, b"\0")
    sequence, flags = reader.varint(), reader.varint()
    if sequence == 0 or flags >= 1024:
        raise Invalid(f"sequence {sequence}, flags {flags}")
    batch = {"agent": agent_id, "host": agent_id, "incarnation": incarnation.hex(), "sequence": sequence, "config_revision": reader.varint(),
             "resource": [], "first_unacked": sequence, "ticks_due": 0, "ticks_missed": 0, "points_made": 0, "appended": 0,
             "agent_version": agent_version(reader), "send_every": 0, "final": bool(flags & FINAL), "dropped": [], "drops": [], "ended": [],
             "older": [], "elsewhere": [], "series": [], "frames": []}
    every = reader.varint()
    batch["send_every"] = every // 2 * (1 if every % 2 else 100_000_000)
    if batch["send_every"] >= WORD // 2:
        raise Invalid("send_every")
    if flags & UNACKED:
        batch["first_unacked"] = (sequence - reader.zigzag()) % WORD
    if flags & COUNTED:
        batch["ticks_due"], batch["ticks_missed"], batch["points_made"] = reader.zigzag(), reader.varint(), reader.zigzag()
    if flags & HOSTNAME:
        batch["host"] = reader.text(1024)
    if flags & RESOURCE:
        batch["resource"] = [[reader.text(256), reader.text(1024)] for _ in range(reader.count(32, "resource labels"))]
        keys = [key.encode() for key, _ in batch["resource"]]
        if b"" in keys or keys != sorted(set(keys)):
            raise Invalid("resource labels")
    if flags & ACCOUNTS:
        accounts(reader, batch)
    return batch, flags


class Times:
    """The times of the frames, and how their rates_since are coded."""

    def __init__(self, reader, batch, flags):
        self.unit = unit = 1 if flags & NANOSECONDS else GRID_NS
        count = 1 if flags & ONE_FRAME else reader.count(10_000, "frames")
        start = signed(reader.fixed(8 if flags & NANOSECONDS else 6) * unit)
        self.times = []
        if count == 0:
            batch["appended"] = start
            return
        self.nominal = batch["send_every"] // unit // count
        appended = reader.zigzag() * unit
        self.times = [start]
        for step in reader.column(count - 1, True):
            self.times.append(signed((self.times[-1] + (step + self.nominal) * unit) % WORD))
        if min(self.times) <= 0:
            raise Invalid("a frame without a time")
        batch["appended"] = signed((self.times[-1] + appended) % WORD)
        code = reader.varint()
        if code not in (0, 1, 2, 4, 5, 6):
            raise Invalid(f"form {code} of rates_since")
        self.form = code % 4
        self.spans = reader.column((0, 1, count)[self.form], True)
        self.clock = reader.column(count, True) if code >= 4 else [0] * count

    def rates(self, continued):
        """rates_since and elapsed of every frame."""
        since, elapsed = [], []
        for i, time in enumerate(self.times):
            if self.form == 0:
                since.append(0)
            elif self.form == 1 and i > 0:
                since.append(since[-1] if continued[i] else self.times[i - 1])
            else:
                since.append(signed((time - (self.spans[i] + self.nominal) * self.unit) % WORD))
            span = time - since[i] if since[i] else 0
            elapsed.append(signed((span + self.clock[i] * self.unit) % WORD))
        return since, elapsed


def shape(reader, series, room):
    result, end = [], 0
    for _ in range(reader.varint()):
        first = end + reader.zigzag()
        length = reader.count(series, "a run") + 1
        end = first + length
        if first < 0 or end > series:
            raise Invalid(f"series {first} to {end} of {series}")
        result += range(first, end)
        if len(result) > room:
            raise Invalid("the shapes have more than 100,000 series")
    return result


def shapes(reader, frames, series, flags):
    """The list of series of every frame, and whether it is continued."""
    if not flags & SHAPES:
        lists, codes = [list(range(series))], [0] * frames
    else:
        lists = []
        for _ in range(reader.count(frames, "shapes")):
            lists.append(shape(reader, series, 100_000 - sum(map(len, lists))))
        codes = [reader.varint() for _ in range(frames)]
    if any(code // 2 >= len(lists) or not lists[code // 2] for code in codes):
        raise Invalid("a frame without a shape, or without points")
    if sum(len(lists[code // 2]) for code in codes) > 100_000:
        raise Invalid("more than 100,000 points")
    return [lists[code // 2] for code in codes], [code % 2 == 1 for code in codes]


def computations(reader, series, flags):
    usual = [TABLE[row][6] if row is not None else 1 if one[4] else 10 for one, row in series]
    if not flags & COMPUTATIONS:
        return usual
    result = []
    while len(result) < len(series):
        length = reader.count(len(series) - len(result), "a run")
        code = reader.varint()
        if length == 0 or not (code <= 11 or 17 <= code <= 32):
            raise Invalid(f"computation {code} of {length} series")
        for one, row in series[len(result) : len(result) + length]:
            form = code - 1 if code else usual[len(result)]
            if (form <= 9) != one[4] or form == 9 and (row is None or TABLE[row][6] != 9):
                raise Invalid(f"computation {form} of series {len(result)}")
            result.append(form)
    return result


def value_of(form, x, elapsed):
    if form == 0:
        return signed(x)
    x *= UNITS[form]
    if form >= 5:
        if x >= WORD:
            raise Invalid("a growth has more than 64 bits")
        return min(rounded(x * 10**9, elapsed), 2**63 - 1) if elapsed > 0 else 0
    if x >= WORD // 2:
        raise Invalid("a value has more than 63 bits")
    return x


def bits(value):
    return f"{value:016x}"


def double_column(reader, form, count):
    """The doubles, as 16 hexadecimal digits of their bits."""
    if form == 10:
        head = reader.fixed(1) if count > 1 else 0
        if head > 1:
            raise Invalid(f"head {head} of a column of doubles")
        return [bits(reader.fixed(8))] * count if head else [bits(reader.fixed(8)) for _ in range(count)]
    return [bits(struct.unpack("<Q", struct.pack("<d", float(signed(x)) / float(10 ** (form - 16))))[0]) for x in reader.column(count, True)]


def columns(reader, series, forms, lists, elapsed):
    """The values of every series, in the order of the frames."""
    spans = [[] for _ in series]
    for frame, indexes in enumerate(lists):
        for index in indexes:
            spans[index].append(elapsed[frame])
    values = []
    for form, times in zip(forms, spans):
        if form == 9 or not times:
            values.append([])
        elif form >= 10:
            values.append(double_column(reader, form, len(times)))
        else:
            values.append([value_of(form, x, time) for x, time in zip(reader.column(len(times), form == 0), times)])
    rows = [row for _, row in series]
    for index, form in enumerate(forms):
        if form != 9 or not spans[index]:
            continue
        part, whole = (values[rows.index(row)] if row in rows else [] for row in TABLE[rows[index]][7:9])
        if not len(part) == len(whole) == len(spans[index]) or min(part + whole) < 0:
            raise Invalid(f"series {index} has no series of its parts")
        values[index] = [rounded(min(p, w) * 10_000, w) if w else 0 for p, w in zip(part, whole)]
    return values


def decode(data, agent_id):
    """The batch as a dictionary. Series are [name, labels, unit, kind, integer, exponent], frames are [time, rates_since,
    continued, points], points are [series, value]: an integer, or the bits of a double in hexadecimal digits."""
    if len(data) > 262_144:
        raise Invalid("the record has more than 262,144 bytes")
    reader = Reader(data)
    batch, flags = envelope(reader, agent_id)
    times = Times(reader, batch, flags)
    ticks = points = 0
    if times.times:
        series = series_set(reader)
        lists, continued = shapes(reader, len(times.times), len(series), flags)
        since, elapsed = times.rates(continued)
        forms = computations(reader, series, flags)
        values = [iter(column) for column in columns(reader, series, forms, lists, elapsed)]
        batch["series"] = [one for one, _ in series]
        batch["frames"] = [[time, rates, more, [[index, next(values[index])] for index in indexes]]
                           for time, rates, more, indexes in zip(times.times, since, continued, lists)]
        ticks, points = continued.count(False), sum(map(len, lists))
    if reader.at != len(data):
        raise Invalid(f"{len(data) - reader.at} bytes follow the record")
    batch["ticks_due"] = (batch["sequence"] * ticks + batch["ticks_due"]) % WORD
    batch["points_made"] = (batch["ticks_due"] * (points // ticks if ticks else 0) + batch["points_made"]) % WORD
    return batch


if __name__ == "__main__":
    print(json.dumps(decode(sys.stdin.buffer.read(), sys.argv[1])))
