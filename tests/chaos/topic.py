"""Reads and removes topics without any code of the programs: kcat, and the decoder of the documentation."""
import collections
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from services import kcat  # noqa: E402
from decode_batch import decode  # noqa: E402

Record = collections.namedtuple("Record", "partition offset time key batch")  # time in s, when the log took it


def consume(broker, topic, form):
    # Where records keep coming, the end is seen only by who does not wait for more of them.
    return kcat("-C", "-q", "-b", broker, "-t", topic, "-o", "beginning", "-e", "-X", "fetch.wait.max.ms=10", "-f", form)


def read(broker, topic):
    """Every record from the beginning to the end, decoded."""
    data = consume(broker, topic, "%p %o %T %K %S\n%k%s")
    at, records = 0, []
    while at < len(data):
        end = data.index(b"\n", at)
        partition, offset, millis, key_size, size = map(int, data[at:end].split())
        key_end = end + 1 + key_size
        batch = decode(data[key_end:key_end + size])
        records.append(Record(partition, offset, millis / 1000, data[end + 1:key_end].decode(), batch))
        at = key_end + size
    return records


def keys(broker, topic):
    """Of every record; of a topic that is not there, none."""
    try:
        return set(consume(broker, topic, "%k\n").decode().split())
    except AssertionError:
        return set()


def partitions(broker, topic):
    """Those that hold something."""
    return set(map(int, consume(broker, topic, "%p\n").split()))


def delete(broker, *topics):
    """DeleteTopics, version 1 of the request."""
    body = struct.pack(">hhih", 20, 1, 1, -1) + struct.pack(">i", len(topics))
    for topic in topics:
        body += struct.pack(">h", len(topic)) + topic.encode()
    body += struct.pack(">i", 10000)
    host, port = broker.split(":")
    with socket.create_connection((host, int(port)), timeout=15) as s:
        s.sendall(struct.pack(">i", len(body)) + body)
        s.recv(4096)
