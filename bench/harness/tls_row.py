"""What TLS costs the server: monitor-server with mutual TLS against the same server with plain text. Memory of an idle
stream, CPU of a message, CPU of a new connection until its stream is open. The load and the log are the same for both."""
import os
import re
import resource
import subprocess
import tempfile
import time
import urllib.request

from pairs import Line, compare, measure
from processes import Ended, cpu_ns, memory_kib, start

IDLE_STREAMS = 2000
BUSY_STREAMS = 100
NEVER = "1h"


def make_certificates(folder):
    """One certificate for both sides, with an EC key, the cheapest of the common kinds."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem", "-subj", "/CN=bench", "-addext",
                    "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext", "extendedKeyUsage=serverAuth,clientAuth",
                    ], check=True, capture_output=True)
    os.chmod(f"{folder}/key.pem", 0o600)


class Tls:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.idle_streams = 50 if options.quick else IDLE_STREAMS

    def start_server(self, tls):
        arguments = []
        if tls:
            arguments = ["--tls-cert", f"{self.folder}/cert.pem", "--tls-key", f"{self.folder}/key.pem", "--tls-ca",
                         f"{self.folder}/cert.pem", "--identity-from", "none"]
        server = start("monitor-server", "--log", f"sqlite:{self.folder}/log.db", "--data", self.folder, "--port", "0", "--http",
                       "127.0.0.1:0", "--retention", "1m", *arguments)
        server.address = server.says(r"listening service=grpc address=(\S+)").group(1)
        server.page = server.says(r"listening service=http address=(\S+)").group(1)
        return server

    def start_load(self, tls, server, *arguments):
        security = []
        if tls:
            security = ["--tls-ca", f"{self.folder}/cert.pem", "--tls-cert", f"{self.folder}/cert.pem", "--tls-key",
                        f"{self.folder}/key.pem"]
        return start("monitor-load", "stream", "--server", server.address, "--duration", NEVER, *security, *arguments)

    @staticmethod
    def metric(server, name):
        with urllib.request.urlopen(f"http://{server.page}/metrics", timeout=30) as reply:
            return float(re.search(rf"(?m)^{name} (\S+)$", reply.read().decode()).group(1))

    def wait_for_streams(self, server, count):
        end = time.monotonic() + 120
        while self.metric(server, "monitor_server_streams") < count:
            if time.monotonic() > end:
                raise AssertionError(f"{count} streams did not open within 120 s")
            time.sleep(0.05)

    def connections(self, tls):
        """Memory and CPU of streams that only say Hello."""
        with Ended(self.start_server(tls)) as server:
            time.sleep(self.options.settle(0.5))
            memory, cpu = memory_kib(server)[1], cpu_ns(server)
            with Ended(self.start_load(tls, server, "--agents", self.idle_streams, "--interval", NEVER)):
                self.wait_for_streams(server, self.idle_streams)
                spent = cpu_ns(server) - cpu
                time.sleep(self.options.settle(1.5))
                return {"memory": (memory_kib(server)[1] - memory) / self.idle_streams, "connect": spent / self.idle_streams / 1000}

    def messages(self, tls):
        """CPU of messages at a steady rate."""
        with Ended(self.start_server(tls)) as server, \
                Ended(self.start_load(tls, server, "--agents", BUSY_STREAMS, "--interval", "50ms", "--points", "8")):
            self.wait_for_streams(server, BUSY_STREAMS)
            time.sleep(self.options.settle(1))
            stored, cpu = self.metric(server, "monitor_server_batches_stored_total"), cpu_ns(server)
            time.sleep(self.options.seconds(4, 0.5))
            messages = self.metric(server, "monitor_server_batches_stored_total") - stored
            return {"message": (cpu_ns(server) - cpu) / max(messages, 1) / 1000}


def tls(options):
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as folder:
        make_certificates(folder)
        case = Tls(options, folder)
        blocks = measure(lambda: case.connections(False), lambda: case.connections(True), ["memory"], *options.blocks())
        yield Line("tls", f"{case.idle_streams:,} idle streams: anonymous memory", "KiB/stream", compare(blocks, "memory"))
        yield Line("tls", "a connection until its stream is open: CPU", "us/connection", compare(blocks, "connect"))
        blocks = measure(lambda: case.messages(False), lambda: case.messages(True), ["message"], *options.blocks())
        yield Line("tls", f"{BUSY_STREAMS} streams, 20/s each, 8 points: CPU", "us/message", compare(blocks, "message"))
