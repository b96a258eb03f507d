"""A TCP proxy that injects network faults. One thread serves all links of a schedule.

A link is a listening port and a target address. A link's fault applies to all of its connections:

  latency        data is delayed, in order
  blackhole      no data arrives in either direction; when the fault ends, all of it arrives
  reset          existing connections are reset, and new ones as soon as they are established
  half-open      one end of every existing connection is lost silently: the proxy reads and discards what the other end
                 sends, permanently. New connections work
  byte by byte   every byte is sent alone
"""
import collections
import os
import random
import selectors
import socket
import struct
import threading
import time

FAULTS = ("latency", "blackhole", "reset", "half-open", "byte by byte")
PIECE = 64 * 1024
MOST_WAITING = 256 * 1024  # bytes per direction; beyond this the proxy stops reading
BYTES_A_TURN = 256  # per direction while bytes are sent one by one


def reset(sock):
    """Closes with RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Link:
    def __init__(self, name, listener, target):
        self.name, self.listener, self.target = name, listener, target
        self.fault, self.seconds = None, 0.0
        self.connections = set()


class Way:
    """One direction of a connection."""

    def __init__(self, source, sink):
        self.source, self.sink = source, sink
        self.waiting = collections.deque()  # (when it is due, bytes)
        self.size = 0
        self.ended = False  # the source has reached its end
        self.swallow = False


class Connection:
    def __init__(self, link, client, server):
        self.link, self.client, self.server = link, client, server
        self.connected = False
        self.vanished = None  # the socket of the lost end
        self.ways = (Way(client, server), Way(server, client))


class FaultProxy:
    """Call it from one thread at a time. Each call has taken effect when it returns."""

    def __init__(self, seed=0):
        self.random = random.Random(seed)
        self.links = {}
        self.selector = selectors.DefaultSelector()
        self.calls = collections.deque()
        self.wake_reader, self.wake_writer = os.pipe()
        os.set_blocking(self.wake_reader, False)
        self.selector.register(self.wake_reader, selectors.EVENT_READ, None)
        self.masks = {}  # socket: registered events
        self.stopped = False
        self.pieces = 0  # number of forwarded pieces
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def listen(self, name, target=None):
        """Creates a link and returns its port. Connections are refused while there is no target."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        listener.setblocking(False)
        self._call(lambda: self._add(Link(name, listener, target)))
        return listener.getsockname()[1]

    def carry_to(self, name, target):
        self._call(lambda: setattr(self.links[name], "target", target))

    def set(self, name, fault, seconds=0.0):
        """Starts a fault on a link, replacing the current one. `seconds` is the latency."""
        self._call(lambda: self._set(self.links[name], fault, seconds))

    def mend(self, name):
        self._call(lambda: self._set(self.links[name], None, 0.0))

    def forget(self, name):
        """Removes a link."""
        self._call(lambda: self._remove(name))

    def close(self):
        self._call(lambda: setattr(self, "stopped", True))
        self.thread.join(10)
        os.close(self.wake_reader)
        os.close(self.wake_writer)

    def _call(self, what):
        done = threading.Event()
        self.calls.append((what, done))
        os.write(self.wake_writer, b"x")
        if not done.wait(10):
            raise AssertionError("the proxy does not respond")

    # The following methods run on the proxy's thread.

    def _add(self, link):
        self.links[link.name] = link
        self.selector.register(link.listener, selectors.EVENT_READ, link)

    def _remove(self, name):
        link = self.links.pop(name)
        self.selector.unregister(link.listener)
        link.listener.close()
        for connection in list(link.connections):
            self._drop(connection)

    def _set(self, link, fault, seconds):
        link.fault, link.seconds = (None if fault == "half-open" else fault), seconds
        for connection in list(link.connections):
            if fault == "reset":
                self._drop(connection)
            elif fault == "half-open" and connection.vanished is None:
                self._vanish(connection)

    def _vanish(self, connection):
        """Drops one end silently. On the proxy's other socket the connection still seems alive."""
        gone, left = connection.ways if self.random.random() < 0.5 else connection.ways[::-1]
        connection.vanished = gone.source
        self._register(gone.source, 0)
        reset(gone.source)
        for way in (gone, left):
            way.waiting.clear()
            way.size = 0
        left.swallow = True
        gone.ended = True

    def _drop(self, connection, close=reset):
        for sock in (connection.client, connection.server):
            if sock is not connection.vanished:
                self._register(sock, 0)
                close(sock)
        connection.link.connections.discard(connection)

    def _register(self, sock, mask, connection=None):
        had = self.masks.get(sock, 0)
        if mask == had:
            return
        if not mask:
            self.selector.unregister(sock)
            del self.masks[sock]
            return
        (self.selector.modify if had else self.selector.register)(sock, mask, connection)
        self.masks[sock] = mask

    def _accept(self, link):
        try:
            client, _ = link.listener.accept()
        except OSError:
            return
        if link.fault == "reset" or link.target is None:
            reset(client)
            return
        server = socket.socket()
        for sock in (client, server):
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server.connect_ex(link.target)
        link.connections.add(Connection(link, client, server))

    def _read(self, connection, way, now):
        try:
            data = way.source.recv(PIECE)
        except BlockingIOError:
            return
        if way.swallow:
            if not data:
                self._drop(connection)
            return
        if not data:
            way.ended = True
            return
        late = connection.link.seconds * self.random.uniform(0.5, 1) if connection.link.fault == "latency" else 0
        due = max(now + late, way.waiting[-1][0] if way.waiting else 0)
        way.waiting.append((due, data))
        way.size += len(data)

    def _write(self, way, now, one_by_one):
        """Writes the data that is due, until the sink is full."""
        sent = 0
        while way.waiting and way.waiting[0][0] <= now and not (one_by_one and sent >= BYTES_A_TURN):
            due, data = way.waiting[0]
            try:
                count = way.sink.send(data[:1] if one_by_one else data)
            except BlockingIOError:
                return
            sent += count
            self.pieces += 1
            way.size -= count
            if count == len(data):
                way.waiting.popleft()
            else:
                way.waiting[0] = (due, data[count:])
        if way.ended and not way.waiting and way.sink is not None:
            way.sink.shutdown(socket.SHUT_WR)
            way.sink = None

    def _serve(self, connection, ready, now):
        """Forwards the available data. Returns the seconds until more is due, if it waits for a time."""
        link = connection.link
        if not connection.connected and ready.get(connection.server):
            if connection.server.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise ConnectionError
            connection.connected = True
        wait = None
        masks = {connection.client: 0, connection.server: 0}
        if not connection.connected:
            masks[connection.server] = selectors.EVENT_WRITE
        for way in connection.ways:
            if way.source is connection.vanished or link.fault == "blackhole":
                continue
            if ready.get(way.source, 0) & selectors.EVENT_READ and not way.ended:
                self._read(connection, way, now)
            if connection not in link.connections:
                return None
            if connection.connected and not way.swallow:
                self._write(way, now, link.fault == "byte by byte")
                if way.waiting and way.waiting[0][0] > now:
                    wait = min(wait or 60, way.waiting[0][0] - now)
                elif way.waiting:
                    masks[way.sink] |= selectors.EVENT_WRITE
            if not way.ended and way.size < MOST_WAITING:
                masks[way.source] |= selectors.EVENT_READ
        if all(way.sink is None for way in connection.ways):
            self._drop(connection, socket.socket.close)  # no reset: the last data may still be in flight
            return None
        for sock, mask in masks.items():
            if sock is not connection.vanished:
                self._register(sock, mask, connection)
        return wait

    def _turn(self, timeout):
        ready = collections.defaultdict(dict)
        for key, mask in self.selector.select(timeout):
            if isinstance(key.data, Connection):
                ready[key.data][key.fileobj] = mask
            elif isinstance(key.data, Link):
                self._accept(key.data)
        while self.calls:
            what, done = self.calls.popleft()
            try:
                os.read(self.wake_reader, 1)
            except BlockingIOError:
                pass
            what()
            done.set()
        now, wait = time.monotonic(), None
        for link in self.links.values():
            for connection in list(link.connections):
                try:
                    more = self._serve(connection, ready.get(connection, {}), now)
                except OSError:
                    self._drop(connection)
                    continue
                if more is not None:
                    wait = min(wait or 60, more)
        return wait

    def _run(self):
        wait = None
        while not self.stopped:
            wait = self._turn(wait)
        for name in list(self.links):
            self._remove(name)
        self.selector.close()
