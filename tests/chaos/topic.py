"""Reads and deletes topics without the programs' code: with kcat and the documentation's decoder."""
import collections
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from services import kcat  # noqa: E402
from decode_batch import decode  # noqa: E402

Record = collections.namedtuple("Record", "partition offset time key batch")  # time in s, of the append


def consume(broker, topic, form):
    # While records keep arriving, kcat only reaches the end if it does not wait for more of them.
    return kcat("-C", "-q", "-b", broker, "-t", topic, "-o", "beginning", "-e", "-X", "fetch.wait.max.ms=10", "-f", form)


def read(broker, topic):
    """Returns every record of the topic, decoded."""
    data = consume(broker, topic, "%p %o %T %K %S\n%k%s")
    at, records = 0, []
    while at < len(data):
        end = data.index(b"\n", at)
        partition, offset, millis, key_size, size = map(int, data[at:end].split())
        key_end = end + 1 + key_size
        key = data[end + 1:key_end].decode()
        batch = decode(data[key_end:key_end + size], key)
        records.append(Record(partition, offset, millis / 1000, key, batch))
        at = key_end + size
    return records


def keys(broker, topic):
    """Returns the key of every record; none if the topic does not exist."""
    try:
        return set(consume(broker, topic, "%k\n").decode().split())
    except AssertionError:
        return set()


def partitions(broker, topic):
    """Returns the partitions that are not empty."""
    return set(map(int, consume(broker, topic, "%p\n").split()))


def delete(broker, *topics):
    """Sends a DeleteTopics request, version 1."""
    body = struct.pack(">hhih", 20, 1, 1, -1) + struct.pack(">i", len(topics))
    for topic in topics:
        body += struct.pack(">h", len(topic)) + topic.encode()
    body += struct.pack(">i", 10000)
    host, port = broker.split(":")
    with socket.create_connection((host, int(port)), timeout=15) as s:
        s.sendall(struct.pack(">i", len(body)) + body)
        s.recv(4096)
