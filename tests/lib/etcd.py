"""A real etcd (Debian's etcd-server and etcdctl) for tests, on free ports with its own folder; and a TCP link to it
that can be cut."""
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

from programs import free_port, wait_until


class Etcd:
    def __init__(self, *arguments, scheme="http", ctl=(), name="default"):
        self.name = name
        self.folder = tempfile.mkdtemp(prefix="monitor-etcd-")
        self.data = os.path.join(self.folder, "data")
        self.port, self.peer_port = free_port(), free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.scheme, self.arguments, self.ctl_arguments = scheme, arguments, list(ctl)
        self.process = None
        self.peers = [self]  # the members of its cluster
        if name == "default":
            self.start()

    @property
    def peer_url(self):
        return f"http://127.0.0.1:{self.peer_port}"

    def start(self, *more):
        self.launch(*more)
        wait_until(self.answers, f"etcd on {self.address}")

    def launch(self, *more):
        for program in ("etcd", "etcdctl"):
            assert shutil.which(program), f"{program} is not installed (Debian: etcd-server, etcd-client)"
        url, peer = f"{self.scheme}://{self.address}", self.peer_url
        cluster = ",".join(f"{one.name}={one.peer_url}" for one in self.peers)
        self.log = open(os.path.join(self.folder, "log"), "ab")
        self.process = subprocess.Popen(
            ["etcd", "--name", self.name, "--data-dir", self.data, "--listen-client-urls", url, "--advertise-client-urls", url,
             "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", cluster,
             "--unsafe-no-fsync", *self.arguments, *more], stdout=self.log, stderr=self.log)

    def answers(self):
        assert self.process.poll() is None, open(os.path.join(self.folder, "log"), errors="replace").read()[-2000:]
        return self.try_ctl("get", "/", "--keys-only", "--limit", "1").returncode == 0

    def try_ctl(self, *arguments, stdin=None):
        environment = {**os.environ, "ETCDCTL_API": "3"}
        return subprocess.run(["etcdctl", "--endpoints", f"{self.scheme}://{self.address}", "--command-timeout=5s", *self.ctl_arguments,
                               *arguments], input=stdin, capture_output=True, text=True, env=environment, timeout=30)

    def ctl(self, *arguments, stdin=None):
        done = self.try_ctl(*arguments, stdin=stdin)
        assert done.returncode == 0, f"etcdctl {arguments}: {done.stderr}"
        return done.stdout

    def put(self, key, value):
        self.ctl("put", key, stdin=value)

    def get(self, key):
        """Returns the value, or None if the key does not exist."""
        return self.ctl("get", key, "--print-value-only").rstrip("\n") or None

    def revision(self):
        return json.loads(self.ctl("get", "/", "-w", "json"))["header"]["revision"]

    def clear(self):
        """Deletes all keys; the revision keeps counting."""
        self.ctl("del", "", "--prefix")

    def send(self, number):
        self.process.send_signal(number)

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(20)
        self.log.close()

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Cluster:
    """A cluster of three members."""

    def __init__(self):
        self.members = [Etcd(name=f"member-{n}") for n in range(3)]
        for member in self.members:
            member.peers = self.members
            member.launch()
        for member in self.members:
            wait_until(member.answers, f"etcd on {member.address}")

    @property
    def addresses(self):
        return ",".join(member.address for member in self.members)

    def leader(self):
        def found():
            for member in self.members:
                done = member.try_ctl("endpoint", "status", "-w", "json")
                if done.returncode == 0:
                    status = json.loads(done.stdout)[0]["Status"]
                    if status.get("leader") == status["header"]["member_id"]:
                        return member
            return None
        return wait_until(found, "a leader")

    def close(self):
        for member in self.members:
            member.close()


class Link:
    """Forwards a local port to another one until cut() is called; mend() allows new connections again."""

    def __init__(self, port):
        self.target = port
        self.sockets = []
        self.open = True
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if not self.open:
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self.target))
            self.sockets += [client, server]
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        self.open = False
        for end in self.sockets:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def mend(self):
        self.open = True

    def close(self):
        self.cut()
        self.listener.close()
