#!/usr/bin/env python3
"""Decodes a MetricBatch (proto/monitor/v1/metrics.proto) without any library: a reader of the log in a page. Records of
payload v2 are decoded by decode_payload_v2.py, which must be in the same folder.

As a program it prints the batches of a log, an object a line, and follows a topic until it is stopped:
    decode_batch.py LOG.db                          a log in SQLite
    decode_batch.py --kafka HOST:PORT [TOPIC]       a log on Kafka (pip install confluent-kafka)
"""
import json
import struct
import sys


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def zigzag(value):
    return (value >> 1) ^ -(value & 1)


def fields(data):
    """Every field as (number, value): an int, or bytes."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 1:
            value, at = struct.unpack_from("<q", data, at)[0], at + 8
        elif kind == 2:
            size, at = varint(data, at)
            value, at = data[at : at + size], at + size
        elif kind == 5:
            value, at = struct.unpack_from("<i", data, at)[0], at + 4
        else:
            raise ValueError(f"wire type {kind}")
        yield tag >> 3, value


def packed(data):
    at = 0
    while at < len(data):
        value, at = varint(data, at)
        yield value


def label(data):
    parts = dict(fields(data))
    return parts[1].decode(), parts.get(2, b"").decode()


def series(data):
    result = {"name": "", "labels": {}, "unit": "", "kind": 0, "integer": False, "exponent": 0}
    for number, value in fields(data):
        if number == 1:
            result["name"] = value.decode()
        elif number == 2:
            key, text = label(value)
            result["labels"][key] = text
        elif number == 3:
            result["unit"] = value.decode()
        elif number == 4:
            result["kind"] = value
        elif number == 5:
            result["integer"] = value == 1
        elif number == 6:
            result["exponent"] = zigzag(value)
    return result


def counters(data):
    names = {1: "ticks_due", 2: "ticks_missed", 3: "points_made"}
    result = {"ticks_due": 0, "ticks_missed": 0, "points_made": 0, "dropped": []}
    for number, value in fields(data):
        if number in names:
            result[names[number]] = value
        elif number == 4:
            parts = dict(fields(value))
            result["dropped"].append({"stage": parts[1].decode(), "reason": parts[2].decode(), "batches": parts.get(3, 0),
                                      "ticks": parts.get(4, 0), "points": parts.get(5, 0),
                                      "plugin": parts.get(6, b"").decode()})
    return result


def drop(data):
    parts = dict(fields(data))
    return {"incarnation": parts[1].hex(), "stage": parts[2].decode(), "reason": parts[3].decode(),
            "plugin": parts.get(4, b"").decode(), "batches": parts.get(5, 0), "ticks": parts.get(6, 0),
            "points": parts.get(7, 0), "first_sequence": parts.get(8, 0), "last_sequence": parts.get(9, 0)}


def end(data):
    parts = dict(fields(data))
    return {"incarnation": parts[1].hex(), "last_sequence": parts.get(2, 0), "last_time": parts.get(3, 0),
            "clean": parts.get(4, 0) == 1}


def older(data):
    parts = dict(fields(data))
    return {"incarnation": parts[1].hex(), "first_unacked": parts.get(2, 0)}


def is_payload_v2(data):
    """A protobuf message never begins with such a byte, and neither does JSON."""
    return len(data) > 0 and data[0] & 7 in (6, 7) and 2 <= data[0] >> 3 <= 7


def decode_v2(data, agent):
    """A record of payload v2, in the form of decode()."""
    from decode_payload_v2 import decode as decode_payload

    def one_series(name, labels, unit, kind, integer, exponent):
        return {"name": name, "labels": dict(labels), "unit": unit, "kind": kind, "integer": integer, "exponent": exponent}

    def number(series, value):
        if not series["integer"]:
            return struct.unpack(">d", bytes.fromhex(value))[0]
        return value * 10 ** series["exponent"] if series["exponent"] >= 0 else value / 10 ** -series["exponent"]

    def one_drop(stage, reason, plugin, batches, ticks, points, incarnation, first, last, *_):
        return {"incarnation": incarnation, "stage": stage, "reason": reason, "plugin": plugin, "batches": batches, "ticks": ticks,
                "points": points, "first_sequence": first, "last_sequence": last}

    record = decode_payload(data, agent)
    all_series = [one_series(*one) for one in record["series"]]
    totals = [one_drop(*one) for one in record["dropped"]]
    names = ("stage", "reason", "batches", "ticks", "points", "plugin")
    counts = {name: record[name] for name in ("ticks_due", "ticks_missed", "points_made")}
    same = ("agent", "host", "incarnation", "sequence", "config_revision", "first_unacked", "agent_version", "appended", "final")
    return {**{name: record[name] for name in same}, "resource": dict(record["resource"]), "send_every_ns": record["send_every"],
            "counters": {**counts, "dropped": [{name: total[name] for name in names} for total in totals]},
            "drops": [one_drop(*one) for one in record["drops"]],
            "ended": [dict(zip(("incarnation", "last_sequence", "last_time", "clean"), one)) for one in record["ended"]],
            "older": [dict(zip(("incarnation", "first_unacked"), one)) for one in record["older"]],
            "frames": [{"time": time, "rates_since": since, "continued": continued,
                        "points": [(all_series[index], number(all_series[index], value)) for index, value in points]}
                       for time, since, continued, points in record["frames"]]}


def decode(data, agent=""):
    """The batch as a dictionary; every frame has its time and a list of (series, value). `agent` is the record's key, which
    payload v2 does not repeat."""
    if is_payload_v2(data):
        return decode_v2(data, agent)
    batch = {"agent": "", "host": "", "sequence": 0, "config_revision": 0, "resource": {}, "first_unacked": 0,
             "counters": counters(b""), "drops": [], "ended": [], "older": [], "frames": [], "agent_version": "",
             "appended": 0, "send_every_ns": 0, "final": False}
    all_series = []
    last = []  # of every integer series: its last value in this batch
    current = []  # the series of the frame before
    for number, value in fields(data):
        if number == 1:
            batch["agent"] = value.decode()
        elif number == 2:
            batch["host"] = value.decode()
        elif number == 3:
            batch["incarnation"] = value.hex()
        elif number == 4:
            batch["sequence"] = value
        elif number == 5:
            batch["config_revision"] = value
        elif number == 6:
            key, text = label(value)
            batch["resource"][key] = text
        elif number == 7:
            batch["first_unacked"] = value
        elif number == 8:
            batch["counters"] = counters(value)
        elif number == 9:
            batch["drops"].append(drop(value))
        elif number == 10:
            all_series.append(series(value))
            last.append(0)
        elif number == 11:
            parts = dict(fields(value))
            if parts.get(3):
                current = list(packed(parts[3]))
            ints = packed(parts.get(4, b""))
            doubles = iter(struct.unpack(f"<{len(parts.get(5, b'')) // 8}d", parts.get(5, b"")))
            points = []
            for index in current:
                one = all_series[index]
                if one["integer"]:
                    # Differences wrap in 64 bits.
                    last[index] = (last[index] + zigzag(next(ints)) + 2**63) % 2**64 - 2**63
                    points.append((one, last[index] * 10 ** one["exponent"] if one["exponent"] >= 0
                                   else last[index] / 10 ** -one["exponent"]))
                else:
                    points.append((one, next(doubles)))
            batch["frames"].append({"time": parts[1], "rates_since": parts.get(2, 0), "points": points,
                                    "continued": bool(parts.get(6, 0))})
        elif number == 12:
            batch["appended"] = value
        elif number == 13:
            batch["ended"].append(end(value))
        elif number == 14:
            batch["older"].append(older(value))
        elif number == 15:
            batch["agent_version"] = value.decode()
        elif number == 16:
            batch["send_every_ns"] = value
        elif number == 17:
            batch["final"] = value == 1
    return batch


def read_sqlite(path):
    """(offset, log time in ns, key, headers, value) of every record, oldest first."""
    import sqlite3

    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        for offset, time_ns, key, headers, value in db.execute(
            "SELECT offset, time_ns, key, headers, value FROM records ORDER BY offset"
        ):
            yield offset, time_ns, key, json.loads(headers), value


def read_kafka(brokers, topic="monitoring-data", client=None):
    """(partition, offset, log time in ns, key, headers, value) of every record, from the oldest on, without an end. Every
    partition is read and nothing is committed, so that no group of readers is disturbed."""
    from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "decode-batch", "enable.auto.commit": False, **(client or {})})
    try:
        found = consumer.list_topics(topic, timeout=10).topics[topic]
        if found.error is not None:
            raise KafkaException(found.error)
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in found.partitions])
        while True:
            record = consumer.poll(1.0)
            if record is None:
                continue
            if record.error():
                raise KafkaException(record.error())
            headers = {name: value.decode() for name, value in record.headers() or []}
            yield record.partition(), record.offset(), record.timestamp()[1] * 10**6, (record.key() or b"").decode(), headers, record.value()
    finally:
        consumer.close()


def decode_record(headers, value, agent=""):
    """As decode(); a server with --encoding json writes the batch as JSON."""
    return json.loads(value) if headers.get("content-type") == "application/json" else decode(value, agent)


if __name__ == "__main__":
    try:
        if sys.argv[1] == "--kafka":
            for partition, offset, _, key, headers, value in read_kafka(*sys.argv[2:4]):
                print(json.dumps({"partition": partition, "offset": offset, **decode_record(headers, value, key)}), flush=True)
        else:
            for offset, _, key, headers, value in read_sqlite(sys.argv[1]):
                print(json.dumps({"offset": offset, **decode_record(headers, value, key)}))
    except KeyboardInterrupt:
        pass
