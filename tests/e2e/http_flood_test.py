"""Attacks on the programs' HTTP servers: hundreds of incomplete requests, one address that opens as many connections as
it can, guessed tokens, ambiguous hosts. Limited to 1,000 loopback connections for a few seconds."""
import json
import os
import resource
import socket
import struct
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import wait_until  # noqa: E402
from web import PageTest  # noqa: E402

FLOOD = 600
HALF = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-More"
ENDS = ("kept", "closed", "reset", "half closed")


def split(address):
    host, port = address.rsplit(":", 1)
    return host, int(port)


def exchange(address, request, source="127.0.0.1", limit=20):
    """Sends a request with `Connection: close`. Returns the response and its duration in seconds."""
    begin = time.monotonic()
    with socket.create_connection(split(address), timeout=limit, source_address=(source, 0)) as s:
        s.sendall(request)
        answer = b""
        try:
            while part := s.recv(65536):
                answer += part
        except ConnectionResetError:
            pass
    return answer.decode(errors="replace"), time.monotonic() - begin


def get(path, host="localhost", **headers):
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{lines}Connection: close\r\n\r\n".encode()


def close_waits(port):
    found = 0
    with open("/proc/net/tcp", encoding="ascii") as table:
        for line in table.readlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            found += local.endswith(f":{port:04X}") and state == "08"
    return found


class HttpFloodTest(PageTest):
    def setUp(self):
        super().setUp()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
        self.sockets = []

    def tearDown(self):
        for one in self.sockets:
            one.close()
        super().tearDown()

    def flood(self, address, count=FLOOD, data=HALF, source="127.0.0.1", byte_by_byte=False):
        for _ in range(count):
            one = socket.create_connection(split(address), timeout=20, source_address=(source, 0))
            self.sockets.append(one)
            if not byte_by_byte:
                one.sendall(data)
        for i in range(len(data) if byte_by_byte else 0):
            for one in self.sockets:
                try:
                    one.sendall(data[i:i + 1])
                except OSError:
                    pass  # the server closed it to make room

    def end(self, how):
        for one in self.sockets:
            if how == "reset":
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if how == "half closed":
                try:
                    one.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
            elif how != "kept":
                one.close()
        if how != "half closed" and how != "kept":
            self.sockets = []

    def healthy(self, address, when):
        for path in ("/healthz", "/readyz", "/metrics"):
            answer, took = exchange(address, get(path))
            self.assertTrue(answer.startswith("HTTP/1.1 200"), f"{path} {when}: {answer[:100]!r}")
            self.assertLess(took, 1, f"{path} {when}")

    def survives(self, address, count=FLOOD):
        for how in ENDS:
            self.flood(address, count)
            self.healthy(address, f"under the flood ({how})")
            self.end(how)
            self.healthy(address, how)
            self.end("closed")
            wait_until(lambda: close_waits(split(address)[1]) == 0, f"no socket in CLOSE-WAIT ({how})", limit=10)
        self.flood(address, count=200, data=HALF[:8], byte_by_byte=True)
        self.healthy(address, "byte by byte")

    def test_server_and_agent_respond_during_incomplete_requests_and_recover(self):
        server = self.start("monitor-server", "--log", f"sqlite:{self.data}/log.db", "--port", 0, "--http", "127.0.0.1:0", "--data", self.data)
        server.address = server.says(r"listening service=grpc address=(\S+)").group(1)
        agent = self.start_agent("a", server, "--simulate", "--http", "127.0.0.1:0")
        agent.says("configuration applied|configuration")
        for program in (server, agent):
            self.survives(program.says(r"listening service=http address=(\S+)").group(1))

    def test_page_responds_during_incomplete_requests_and_recovers(self):
        self.start_server()
        self.survives(self.serve().address, 900)

    def test_health_checks_succeed_with_few_descriptors(self):
        few = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))}
        server = self.start_server()
        agent = self.start("monitor-agent", "--agent-id", "a", "--server", server.address, "--data", self.data, "--simulate", "--http", "127.0.0.1:0",
                           "--config-dir", f"{self.data}/monitor", **few)
        address = agent.says(r"listening service=http address=(\S+)").group(1)
        wait_until(lambda: " 200 " in exchange(address, get("/readyz"))[0], "a stream to the server")
        self.flood(address)
        self.healthy(address, "with 64 descriptors")
        self.assertEqual(agent.said("Too many open files"), 0)

    def test_a_thousand_connections_of_one_address_do_not_block_other_addresses(self):
        self.start_server()
        address = self.serve().address
        self.flood(address, count=700, source="127.0.0.2")
        self.flood(address, count=300, source="127.0.0.2", data=b"GET /api/v1/stream?topic=fleet HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for source in ("127.0.0.3", "127.0.0.2"):
            for path in ("/", "/healthz", "/api/v1/fleet"):
                answer, took = exchange(address, get(path), source=source)
                self.assertTrue(answer.startswith("HTTP/1.1 200"), answer[:200])
                self.assertLess(took, 1)
        with socket.create_connection(split(address), timeout=20) as browser:
            browser.sendall(b"GET /api/v1/stream?topic=fleet HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertIn(b"text/event-stream", browser.recv(4096))
        self.end("closed")
        wait_until(lambda: self.own("monitor_web_streams") == 0, "streams of closed connections to end", limit=10)

    def test_limits_streams_per_address_and_admits_other_addresses(self):
        self.start_server()
        address = self.serve().address
        request = b"GET /api/v1/stream?topic=fleet HTTP/1.1\r\nHost: localhost\r\n\r\n"
        self.flood(address, count=500, source="127.0.0.2", data=request)
        wait_until(lambda: self.own("monitor_web_streams") == 500, "500 streams")
        answer, _ = exchange(address, request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), source="127.0.0.2")
        self.assertTrue(answer.startswith("HTTP/1.1 429"), answer[:200])
        self.assertIn("Retry-After: 2", answer)
        self.flood(address, count=300, source="127.0.0.4", data=request)
        wait_until(lambda: self.own("monitor_web_streams") == 800, "the maximum number of streams")
        for source in ("127.0.0.1", "127.0.0.5"):  # streams of the address with the most are closed
            with socket.create_connection(split(address), timeout=20, source_address=(source, 0)) as browser:
                browser.sendall(request)
                self.assertIn(b"text/event-stream", browser.recv(4096), source)

    def change(self, token, source="127.0.0.1", host="localhost", **more):
        body = json.dumps(more.get("body", {"base": None, "value": '{"interval": 7, "labels": {"secret": "hunter2"}}'})).encode()
        request = (f"PUT /api/v1/config/document?key=/monitor/config/{more.get('agent', 'web-1')} HTTP/1.1\r\nHost: {host}\r\n"
                   f"Authorization: Bearer {token}\r\nX-Forwarded-For: 203.0.113.9\r\nOrigin: http://{host}\r\n"
                   f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n").encode() + body
        return exchange(self.page.address, request, source=source)[0]

    def test_limits_and_logs_wrong_tokens_and_logs_changes(self):
        self.start_server()
        page = self.serve()
        page.says("web page")
        with open(f"{self.data}/web-token", encoding="ascii") as file:
            token = file.read().strip()
        answers = [self.change("wrong-token-0000000", source="127.0.0.2") for _ in range(60)]
        self.assertEqual({a.split()[1] for a in answers}, {"401", "429"})
        self.assertLessEqual(sum("401" in a.split()[1] for a in answers), 12)
        self.assertRegex(answers[-1], r"Retry-After: \d+\r\n")
        self.assertTrue(self.change(token).startswith("HTTP/1.1 200"), "the right token from another address")
        line = page.says("configuration changed by the page").string
        for part in ("address=127.0.0.1:", "forwarded_for=203.0.113.9", "origin=http://localhost", "operation=create",
                     "key=/monitor/config/web-1", "old_revision=none", "new_revision=f"):
            self.assertIn(part, line)
        page.says(r"change refused address=127\.0\.0\.2:\d+ .*reason=\"wrong token\"")
        counted = page.says(r"changes refused address=127\.0\.0\.2 count=(\d+) seconds=10")
        self.assertEqual(int(counted.group(1)), 59)
        # All other addresses send endless bodies: changes from this address still succeed.
        body = b"x" * 500_000
        head = (f"PUT /api/v1/config/document?key=/monitor/config/web-1 HTTP/1.1\r\nHost: localhost\r\n"
                f"Content-Length: {len(body) + 1}\r\n\r\n").encode()
        for source in ("127.0.0.2", "127.0.0.3"):
            self.flood(page.address, count=40, source=source, data=head + body)
        answer = self.change(token, agent="web-2")
        self.assertTrue(answer.startswith("HTTP/1.1 200"), answer)
        said = "\n".join(page.err)
        for secret in (token, "wrong-token", "hunter2"):
            self.assertNotIn(secret, said)

    def test_requires_exactly_one_valid_host(self):
        self.start_server()
        address = self.serve().address
        for host in ("LOCALHOST", "localhost.", "LocalHost:8080", "127.0.0.1", "[::1]:80"):
            self.assertTrue(exchange(address, get("/api/v1/status", host))[0].startswith("HTTP/1.1 200"), host)
        self.assertTrue(exchange(address, get("http://LOCALHOST/api/v1/status"))[0].startswith("HTTP/1.1 200"))
        for request in (get("/api/v1/status").replace(b"\r\n", b"\r\nHost: evil.example\r\n", 1),
                        get("/api/v1/status").replace(b"\r\n", b"\r\nhost: localhost\r\n", 1),
                        get("http://evil.example/api/v1/status"), get("/api/v1/status", "localhost:80:90"),
                        get("/api/v1/status", "[::1]evil"), get("/api/v1/status").replace(b"Host: localhost\r\n", b"")):
            self.assertTrue(exchange(address, request)[0].startswith("HTTP/1.1 400"), request)
        self.assertTrue(exchange(address, get("/api/v1/status", "evil.example"))[0].startswith("HTTP/1.1 403"))


if __name__ == "__main__":
    unittest.main()
