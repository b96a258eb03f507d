"""The proxy of tools/chaos: each fault behaves as documented."""
import os
import socket
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(__file__))
from proxy import FaultProxy  # noqa: E402


class Echo:
    """Echoes all data, and counts its connections."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = self.socket.getsockname()
        self.peers = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            self.peers.append(peer)
            threading.Thread(target=self._echo, args=(peer,), daemon=True).start()

    def _echo(self, peer):
        try:
            while data := peer.recv(65536):
                peer.sendall(data)
            peer.close()
        except OSError:
            pass

    def close(self):
        self.socket.close()
        for peer in self.peers:
            peer.close()


def receive(sock, count):
    data = b""
    while len(data) < count:
        piece = sock.recv(65536)
        if not piece:
            break
        data += piece
    return data


class ProxyTest(unittest.TestCase):
    def setUp(self):
        self.echo = Echo()
        self.addCleanup(self.echo.close)
        self.proxy = FaultProxy(seed=1)
        self.addCleanup(self.proxy.close)
        self.port = self.proxy.listen("link", self.echo.address)

    def connect(self):
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        self.addCleanup(sock.close)
        return sock

    def says(self, sock, data):
        sock.sendall(data)
        self.assertEqual(receive(sock, len(data)), data)

    def test_forwards_more_than_its_buffer_and_the_end_of_stream(self):
        sock = self.connect()
        data = os.urandom(3 << 20)
        sender = threading.Thread(target=lambda: (sock.sendall(data), sock.shutdown(socket.SHUT_WR)))
        sender.start()
        self.assertEqual(receive(sock, len(data)), data)
        sender.join()
        self.assertEqual(sock.recv(1), b"", "the end comes after the last byte")

    def test_latency_delays_and_keeps_order(self):
        sock = self.connect()
        self.says(sock, b"before")
        self.proxy.set("link", "latency", 0.2)
        begin = time.monotonic()
        data = bytes(range(256))
        for n in range(16):
            sock.sendall(data[n * 16:n * 16 + 16])
        self.assertEqual(receive(sock, len(data)), data)
        self.assertGreaterEqual(time.monotonic() - begin, 0.2, "at least the latency of both directions")

    def test_blackhole_holds_all_data_until_it_ends(self):
        sock = self.connect()
        self.says(sock, b"before")
        self.proxy.set("link", "blackhole")
        sock.sendall(b"into it")
        other = self.connect()
        other.sendall(b"too")
        for each in (sock, other):
            each.settimeout(0.2)
            with self.assertRaises(TimeoutError):
                each.recv(1)
            each.settimeout(10)
        self.proxy.mend("link")
        self.assertEqual(receive(sock, 7), b"into it")
        self.assertEqual(receive(other, 3), b"too")

    def test_reset_ends_old_and_new_connections(self):
        sock = self.connect()
        self.says(sock, b"before")
        self.proxy.set("link", "reset")
        with self.assertRaises(ConnectionResetError):
            sock.recv(1)
        with self.assertRaises(OSError):
            new = self.connect()
            new.sendall(b"x")
            if new.recv(1) == b"":
                raise ConnectionResetError
        self.proxy.mend("link")
        self.says(self.connect(), b"after")

    def test_half_open_hides_the_lost_end_and_allows_new_connections(self):
        ends = set()
        for _ in range(8):
            sock = self.connect()
            self.says(sock, b"before")
            peer = self.echo.peers[-1]
            self.proxy.set("link", "half-open")
            sock.settimeout(0.2)
            try:
                sock.sendall(b"lost")
                sock.recv(1)
                self.fail("the connection did not recover")
            except TimeoutError:
                ends.add("server")
                sock.sendall(b"still taken")
            except ConnectionResetError:
                ends.add("client")
                peer.sendall(b"into nothing")
            self.says(self.connect(), b"new")
        self.assertEqual(ends, {"server", "client"})

    def test_byte_by_byte_sends_single_bytes(self):
        sock = self.connect()
        self.says(sock, b"before")
        self.proxy.set("link", "byte by byte")
        before = self.proxy.pieces
        data = os.urandom(1000)
        self.says(sock, data)
        self.proxy.mend("link")
        self.assertEqual(self.proxy.pieces - before, 2000, "both directions")

    def test_resets_the_connection_if_the_target_refuses(self):
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            self.proxy.carry_to("link", nobody.getsockname())
            with self.assertRaises(ConnectionResetError):
                self.connect().recv(1)


if __name__ == "__main__":
    unittest.main()
