"""A third-party agent: implements the stream with grpcio and writes batches field by field, with any content."""
import queue
import struct

import grpc


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def fixed(field, value):
    return varint(field << 3 | 1) + struct.pack("<q", value)


def text(field, value):
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


def batch(agent, incarnation, sequence, time_ns, *more, host="elsewhere", first_unacked=None, value=0.5):
    """Encodes a MetricBatch with one point of system.cpu.utilization; `more`: encoded fields to append."""
    series = text(1, "system.cpu.utilization") + text(3, "1")
    frame = fixed(1, time_ns) + text(3, b"\0") + text(5, struct.pack("<d", value))
    return (text(1, agent) + text(2, host) + text(3, incarnation) + number(4, sequence)
            + number(7, sequence if first_unacked is None else first_unacked)
            + text(10, series) + text(11, frame) + fixed(12, time_ns) + b"".join(more))


class ForeignAgent:
    """One stream. Batches are numbered in the order of sending."""

    def __init__(self, address, agent, incarnation, host="elsewhere"):
        self.channel = grpc.insecure_channel(address)
        self.sent = queue.Queue()
        self.count = 0
        call = self.channel.stream_stream("/monitor.v1.Ingest/Publish", request_serializer=bytes, response_deserializer=bytes)
        self.sent.put(text(1, text(1, agent) + text(2, incarnation) + text(3, "9.9") + text(4, host)))
        self.answers = call(iter(self.sent.get, None), timeout=60)

    def publish(self, *batches):
        for one in batches:
            self.count += 1
            self.sent.put(text(2, number(1, self.count) + text(2, one)))

    def settled(self):
        """Waits until all sent batches are answered, and returns the reasons of the rejected ones by number."""
        refused = {}
        for answer in self.answers:
            fields = dict(decode(answer))
            if 3 in fields:
                reject = dict(decode(fields[3]))
                refused[reject[1]] = reject[2].decode()
            if 2 in fields and dict(decode(fields[2]))[1] == self.count:
                return refused
        raise AssertionError("the stream ended")

    def close(self):
        self.sent.put(None)
        self.answers.cancel()
        self.channel.close()


def decode(data):
    """Returns the fields of a message as (number, value)."""
    def take(at):
        value = shift = 0
        while True:
            value |= (data[at] & 0x7F) << shift
            shift += 7
            at += 1
            if data[at - 1] < 0x80:
                return value, at
    at = 0
    while at < len(data):
        tag, at = take(at)
        value, at = take(at)
        if tag & 7 == 2:
            value, at = data[at:at + value], at + value
        yield tag >> 3, value
