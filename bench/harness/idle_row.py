"""Idle connections: the memory of a server with 9,000 silent agents, and of a client with as many streams. Each
connection needs a descriptor and a process may have 20,000, so client and server are separate processes, and floor and
ours alternate."""
import resource
import subprocess
import tempfile
import time

from pairs import Line, Target, compare, measure
from processes import Ended, memory_kib, start

STREAMS = 9000


def settled(program, options):
    """Waits until memory stops growing, and returns it."""
    time.sleep(options.settle(1.5))
    return memory_kib(program)[0] / 1024


class Idle:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.streams = 200 if options.quick else STREAMS

    def load(self, port):
        """Our client: its streams receive a HelloReply with a window of 0."""
        return start("bench-load", f"port={port}", f"streams={self.streams}", "window=0", "per_second=0", "series=8", "ticks=1",
                     "batches=1", stdin=subprocess.PIPE)

    def with_load(self, server, port):
        with Ended(server), Ended(self.load(port)) as load:
            load.prints("^ready", limit=120)
            return {"rss": settled(server, self.options)}

    def peer(self):
        server = start("bench-peer")
        return server, int(server.prints(r"^port (\d+)").group(1))

    def server_floor(self):
        return self.with_load(*self.peer())

    def server_ours(self):
        server = start("monitor-server", "--log", f"sqlite:{self.folder}/log.db", "--data", self.folder, "--port", "0", "--http", "off")
        return self.with_load(server, server.says(r"listening service=grpc address=\S+:(\d+)").group(1))

    def server_grpcpp(self):
        server = start("bench-grpcpp-idle")
        return self.with_load(server, server.prints(r"^port (\d+)").group(1))

    def client(self, make):
        server, port = self.peer()
        with Ended(server), Ended(make(port)) as client:
            client.prints("^ready", limit=120)
            return {"rss": settled(client, self.options)}

    def client_floor(self):
        return self.client(lambda port: start("bench-idle-client-floor", f"port={port}", f"streams={self.streams}"))

    def client_ours(self):
        return self.client(self.load)


def idle(options):
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as folder:
        case = Idle(options, folder)
        for name, floor, ours, targets in (("server", case.server_floor, case.server_ours, [Target(1.3)]),
                                           ("server, grpc++ vs. the floor", case.server_floor, case.server_grpcpp, []),
                                           ("client", case.client_floor, case.client_ours, [Target(1.3)])):
            blocks = measure(floor, ours, ["rss"], *options.blocks())
            yield Line("idle", f"{case.streams:,} streams: {name}", "MiB", compare(blocks, "rss"), targets)
