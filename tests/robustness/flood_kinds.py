"""The floods of floods_test.py: the bytes that each kind sends. As a program it is the attacker:
flood_kinds.py KIND ADDRESS SECONDS."""
import os
import random
import selectors
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import frames as h2  # noqa: E402

OPEN = h2.PREFACE + h2.settings()
ZERO_WINDOW = h2.PREFACE + h2.settings(initial_window=0)
CALL = h2.request(h2.PUBLISH)
CANCEL = (8).to_bytes(4, "big")
CHUNK = 16 * 1024  # approximate bytes per send
KINDS = {}


class Kind:
    """`make()` returns a generator of bytes for each connection. The first item is sent at the start, the others until
    the end. After the last item, the connection stays open and silent. A connection closed by the server is reopened,
    at most `churn` times per second."""

    def __init__(self, make, connections, reads, tls, pace, churn):
        self.make, self.connections, self.reads, self.tls, self.pace, self.churn = make, connections, reads, tls, pace, churn


def kind(connections=20, reads=True, tls=False, pace=0.0, churn=100):
    def add(make):
        KINDS[make.__name__] = Kind(make, connections, reads, tls, pace, churn)
        return make
    return add


def forever(piece, times=None):
    chunk = piece * (times or max(1, CHUNK // len(piece)))
    while True:
        yield chunk


def streams(first=1):
    return iter(range(first, 1 << 30, 2))


@kind()
def rapid_reset():
    yield OPEN
    ids = streams()
    while True:
        yield b"".join(h2.headers(i, CALL) + h2.frame(h2.RESET, 0, i, CANCEL) for i, _ in zip(ids, range(50)))


@kind()
def provoked_resets():
    yield OPEN
    ids = streams()
    while True:
        yield b"".join(h2.headers(i, CALL) + h2.frame(h2.WINDOW, 0, i, b"\x7f\xff\xff\xff") for i, _ in zip(ids, range(50)))


@kind()
def settings():
    yield OPEN
    yield from forever(h2.frame(h2.SETTINGS))


@kind()
def settings_with_many_values():
    yield OPEN
    yield from forever(h2.frame(h2.SETTINGS, 0, 0, (b"\0\4" + (65535).to_bytes(4, "big")) * 30))


@kind()
def settings_that_resize_the_hpack_table():
    yield OPEN
    table = [h2.frame(h2.SETTINGS, 0, 0, b"\0\1" + size.to_bytes(4, "big")) for size in (0, 4096)]
    yield from forever(b"".join(table))


@kind()
def ping():
    yield OPEN
    yield from forever(h2.frame(h2.PING, 0, 0, b"12345678"))


@kind(reads=False)
def ping_unread():
    yield OPEN
    yield from forever(h2.frame(h2.PING, 0, 0, b"12345678"))


@kind()
def priority():
    yield OPEN
    ids = streams()
    while True:
        yield b"".join(h2.frame(h2.PRIORITY, 0, i, b"\0\0\0\0\x10") for i, _ in zip(ids, range(500)))


@kind()
def continuation():
    yield OPEN + h2.headers(1, CALL, end_headers=False)
    yield from forever(h2.frame(h2.CONTINUATION, 0, 1, h2.literal("x", "y")))


@kind()
def continuation_empty():
    yield OPEN + h2.headers(1, CALL, end_headers=False)
    yield from forever(h2.frame(h2.CONTINUATION, 0, 1))


@kind()
def empty_data():
    yield OPEN + h2.headers(1, CALL)
    yield from forever(h2.frame(h2.DATA, 0, 1))


@kind()
def one_byte_data():
    yield OPEN + h2.headers(1, CALL) + h2.data(1, h2.hello(f"flood-{random.random()}"))
    whole = h2.publish(1, bytes(100_000))
    for at in range(0, len(whole), 500):
        yield b"".join(h2.frame(h2.DATA, 0, 1, whole[i:i + 1]) for i in range(at, min(at + 500, len(whole))))


@kind()
def padded_data():
    yield OPEN + h2.headers(1, CALL)
    yield from forever(h2.frame(h2.DATA, h2.PADDED, 1, b"\xff" + bytes(255)))


@kind()
def giant_metadata():
    yield OPEN
    ids = streams()
    while True:
        i = next(ids)
        block = h2.request(h2.PUBLISH, *(h2.literal(f"key{n}", "v" * 1000) for n in range(12)))
        yield h2.headers(i, block, end_stream=True)


@kind()
def metadata_above_the_limit():
    yield OPEN
    block = h2.request(h2.PUBLISH, *(h2.literal(f"key{n}", "v" * 1000) for n in range(15)))
    more = h2.frame(h2.CONTINUATION, h2.END_HEADERS, 1, b"".join(h2.literal(f"more{n}", "v" * 1000) for n in range(15)))
    yield h2.headers(1, block, end_headers=False) + more


@kind(connections=200)
def hpack_references():
    yield OPEN + h2.headers(1, CALL + h2.LARGE_ENTRY, end_stream=True)
    for i in streams(3):
        yield h2.headers(i, h2.REFERENCE * CHUNK, end_stream=True)


@kind(connections=200)
def hpack_references_below_the_limit():
    yield OPEN + h2.headers(1, CALL + h2.LARGE_ENTRY, end_stream=True)
    ids = streams(3)
    while True:
        yield b"".join(h2.headers(i, CALL + h2.REFERENCE * 3, end_stream=True) for i, _ in zip(ids, range(20)))


@kind(connections=200)
def hpack_references_to_a_closed_stream():
    yield OPEN + h2.headers(1, CALL + h2.LARGE_ENTRY) + h2.frame(h2.RESET, 0, 1, CANCEL)
    yield from forever(h2.headers(1, h2.REFERENCE * 16000, end_stream=True))


@kind(connections=200)
def hpack_references_to_refused_streams():
    yield OPEN + h2.headers(1, CALL + h2.LARGE_ENTRY)
    yield b"".join(h2.headers(i, CALL) for i, _ in zip(streams(3), range(300)))
    for i in streams(2001):
        yield h2.headers(i, h2.REFERENCE * 16000, end_stream=True)


@kind(connections=200)
def hpack_references_in_trailers():
    yield OPEN + h2.headers(1, CALL + h2.LARGE_ENTRY)
    yield from forever(h2.headers(1, h2.REFERENCE * 16000, end_stream=True))


@kind(connections=200)
def hpack_references_in_malformed_requests():
    yield OPEN + h2.headers(1, CALL + h2.LARGE_ENTRY)
    for i in streams(3):
        yield h2.headers(i, h2.literal("Upper", "case") + h2.REFERENCE * 16000, end_stream=True)


def invalid_batches():
    number = 1
    while True:
        yield b"".join(h2.data(1, h2.publish(n, b"x")) for n in range(number, number + 700))
        number += 700


@kind(connections=40, reads=False)
def invalid_batches_with_a_zero_window():
    yield ZERO_WINDOW + h2.headers(1, CALL) + h2.data(1, h2.hello(f"flood-{random.random()}"))
    yield from invalid_batches()


@kind(connections=40, reads=False)
def invalid_batches_unread():
    yield OPEN + h2.headers(1, CALL) + h2.data(1, h2.hello(f"flood-{random.random()}"))
    yield from invalid_batches()


@kind(connections=10)
def invalid_batches_with_rejections_read():
    yield OPEN + h2.headers(1, CALL) + h2.data(1, h2.hello(f"flood-{random.random()}"))
    yield from invalid_batches()


@kind(connections=40, reads=False)
def invalid_batches_on_many_streams():
    yield ZERO_WINDOW + b"".join(h2.headers(i, CALL) + h2.data(i, h2.hello(f"flood-{random.random()}")) for i in range(1, 60, 2))
    number = 1
    while True:
        yield b"".join(h2.data(i, h2.publish(number, b"x")) for i in range(1, 60, 2))
        number += 1


@kind(connections=40)
def half_unary_messages():
    yield OPEN
    for i in range(1, 15, 2):
        yield h2.headers(i, h2.request(h2.HEALTH_CHECK)) + h2.data(i, h2.message(bytes(4 * 2**20 - 1), 4 * 2**20))


@kind(connections=40)
def half_first_messages():
    yield OPEN
    for i in range(1, 60, 2):
        yield h2.headers(i, CALL) + h2.data(i, h2.message(bytes(400_000), 500_000))


@kind(connections=100)
def half_batches():
    yield OPEN
    for i in range(1, 60, 2):
        hello = h2.hello(f"flood-{random.random()}")
        yield h2.headers(i, CALL) + h2.data(i, hello) + h2.data(i, h2.message(bytes(400_000), 500_000))


@kind(connections=500)
def half_headers():
    yield OPEN + h2.headers(1, CALL, end_headers=False)


@kind(connections=500, pace=0.5)
def slow_headers():
    block = h2.headers(1, CALL)
    yield OPEN + block[:10]
    for at in range(10, len(block)):
        yield block[at:at + 1]


@kind(connections=500)
def half_frames():
    yield OPEN + h2.headers(1, CALL)[:7]


@kind(connections=500, pace=0.3)
def slow_preface():
    for at in range(len(h2.PREFACE)):
        yield h2.PREFACE[at:at + 1]


@kind(connections=500)
def silence():
    yield b""


@kind(connections=500, tls=True)
def stalled_tls_handshakes():
    # Announces a ClientHello and does not send it.
    yield b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32)


@kind(connections=100, tls=True, churn=500)
def tls_garbage():
    yield random.randbytes(1000)


@kind(connections=3000, churn=3000)
def idle_connections():
    yield OPEN


@kind(connections=500)
def calls_without_hello():
    yield OPEN + h2.headers(1, CALL)


@kind(connections=20)
def many_streams():
    yield OPEN
    ids = streams()
    while True:
        yield b"".join(h2.headers(i, CALL) for i, _ in zip(ids, range(50)))


@kind(connections=50, churn=2000)
def connection_churn():
    yield OPEN + h2.frame(h2.GOAWAY, 0, 0, bytes(8))
    yield random.randbytes(64)


@kind(churn=500)
def garbage():
    yield random.randbytes(CHUNK)


@kind(churn=500)
def garbage_after_the_preface():
    yield OPEN
    while True:
        yield random.randbytes(CHUNK)


@kind()
def unknown_frames():
    yield OPEN
    yield from forever(h2.frame(0x42, 0, 0, bytes(16)))


@kind()
def goaways():
    yield OPEN + h2.headers(1, CALL)
    yield from forever(h2.frame(h2.GOAWAY, 0, 0, bytes(8)))


@kind()
def push_promises():
    yield OPEN
    yield from forever(h2.frame(h2.PUSH, 4, 1, (2).to_bytes(4, "big") + CALL))


@kind()
def window_updates():
    yield OPEN
    yield from forever(h2.frame(h2.WINDOW, 0, 0, b"\0\0\0\1"))


@kind(connections=10, reads=False)
def reflection_unread():
    yield ZERO_WINDOW
    ask = h2.message(h2.field(4, "monitor.v1.Ingest"))
    for i in streams():
        yield h2.headers(i, h2.request(h2.REFLECTION)) + h2.data(i, ask * 500)


@kind(connections=10, reads=False)
def health_watches_unread():
    yield ZERO_WINDOW
    for i in streams():
        yield h2.headers(i, h2.request(h2.HEALTH_WATCH)) + h2.data(i, h2.message(b"") * 100)


@kind()
def unary_calls():
    yield OPEN
    ids = streams()
    while True:
        yield b"".join(h2.headers(i, h2.request(h2.HEALTH_CHECK)) + h2.data(i, h2.message(b""), True)
                       for i, _ in zip(ids, range(20)))


@kind(connections=1000, pace=0.25)
def retained_headers():
    # Stays within the header budget: headers decoded from four bytes live as long as their call.
    yield OPEN + h2.headers(1, CALL + h2.LARGE_ENTRY)
    ids = streams(3)
    yield b"".join(h2.headers(i, CALL + h2.REFERENCE * 3) for i, _ in zip(ids, range(8)))
    for i in ids:
        yield h2.headers(i, CALL + h2.REFERENCE * 3)


class Connection:
    def __init__(self, flood):
        self.flood, self.pieces, self.piece = flood, flood.kind.make(), memoryview(b"")
        self.next_at = 0.0
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.connect_ex(flood.address)
        self.flood.selector.register(self.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, self)

    def close(self):
        self.flood.selector.unregister(self.socket)
        self.socket.close()

    def watch(self, writes):
        events = (selectors.EVENT_WRITE if writes else 0) | (selectors.EVENT_READ if self.flood.kind.reads or not writes else 0)
        self.flood.selector.modify(self.socket, events, self)

    def writable(self, now):
        if not self.piece:
            following = next(self.pieces, None)
            if following is None:
                return self.watch(False)
            self.piece = memoryview(following)
        try:
            self.piece = self.piece[self.socket.send(self.piece):]
        except BlockingIOError:
            return None
        if not self.piece and self.flood.kind.pace:
            self.next_at = now + self.flood.kind.pace
            self.flood.resting.append(self)
            self.watch(False)
        return None

    def readable(self):
        """Returns False if the server has closed the connection."""
        try:
            if not self.flood.kind.reads:
                return self.socket.recv(1, socket.MSG_PEEK) != b""
            return self.socket.recv(1 << 16) != b""
        except BlockingIOError:
            return True


class Flood:
    def __init__(self, name, address):
        host, _, port = address.rpartition(":")
        self.kind, self.address = KINDS[name], (host, int(port))
        self.selector = selectors.DefaultSelector()
        self.resting = []
        self.made = self.closed = self.sent = 0

    def run(self, seconds):
        begun = time.monotonic()
        alive = set()
        while (now := time.monotonic()) < begun + seconds:
            allowed = min(self.kind.connections - len(alive), 200,
                          self.kind.connections + int((now - begun) * self.kind.churn) - self.made)
            for _ in range(allowed):
                alive.add(Connection(self))
                self.made += 1
            for rested in [c for c in self.resting if c.next_at <= now]:
                self.resting.remove(rested)
                if rested in alive:
                    rested.watch(True)
            for key, events in self.selector.select(0.05):
                connection = key.data
                try:
                    if events & selectors.EVENT_READ and not connection.readable():
                        raise ConnectionResetError
                    if events & selectors.EVENT_WRITE:
                        connection.writable(now)
                except OSError:
                    connection.close()
                    alive.discard(connection)
                    self.closed += 1
        for connection in alive:
            connection.close()


def main():
    name, address, seconds = sys.argv[1:]
    flood = Flood(name, address)
    flood.run(float(seconds))
    print(f"opened {flood.made} connections, {flood.closed} closed by the server", flush=True)


if __name__ == "__main__":
    main()
