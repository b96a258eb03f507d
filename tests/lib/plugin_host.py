"""A plugin host without an agent: this program speaks the plugin protocol (docs/plugin-abi.md) with it."""
import os
import socket
import struct
import subprocess

BIN = os.environ["MONITOR_BIN_DIR"]
HEADER = struct.Struct("<HHHHIIII")
LOAD, SERIES, RUN, SAVE, RESTORE, UNLOAD = range(1, 7)
LOADED, FAILED, RESULT, SAVED, RESTORED = range(16, 21)
DEFINE, LOG, LAST_WORDS, CONFINED = range(32, 36)
PYTHON = 2
UNCHANGED, CHANGED, DROPPED = range(3)
OWN = 0x80000000


def packets(kind, payload, number):
    most = 65536 - HEADER.size
    for offset in range(0, max(1, len(payload)), most):
        yield HEADER.pack(0x504D, 1, kind, 0, 1, number, len(payload), offset) + payload[offset:offset + most]


def text(data):
    data = data.encode() if isinstance(data, str) else data
    return struct.pack("<I", len(data)) + data


def series(number, name, labels=(), unit="1", counter=False, integer=False, exponent=0):
    out = struct.pack("<IBBbB", number, counter, integer, exponent, len(labels)) + text(name) + text(unit)
    return out + b"".join(text(one) for label in labels for one in label)


def read_series(data):
    """Returns number -> (name, labels, unit, counter, integer, exponent)."""
    found, at = {}, 0

    def take():
        nonlocal at
        size, = struct.unpack_from("<I", data, at)
        at += 4 + size
        return data[at - size:at].decode()

    while at < len(data):
        number, counter, integer, exponent, count = struct.unpack_from("<IBBbB", data, at)
        at += 8
        name, unit = take(), take()
        found[number] = (name, tuple((take(), take()) for _ in range(count)), unit, bool(counter), bool(integer), exponent)
    return found


def real(number, value):
    return struct.pack("<IId", number, 0, value)


def whole(number, value):
    return struct.pack("<IIq", number, 0, value)


class PythonHost:
    """A monitor-plugin-host-python with one plugin. Its requests return (kind, payload) of the answer."""

    def __init__(self, path, name=None, config="{}", threads=4, version=None, kind=PYTHON, program="monitor-plugin-host-python"):
        module = os.path.basename(path)[:-3]
        name = name or f"agent.plugins.{module}.Plugin"
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channel.settimeout(30)
        command = [f"{BIN}/{program}", str(theirs.fileno()), str(os.getpid())]
        if version is not None:
            command = [os.path.join(os.environ["MONITOR_BUILD_DIR"], "tests", "plugins", "landlock_as"), str(version)] + command
        with theirs:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                            pass_fds=[theirs.fileno()], env={})
        self.number = 0
        self.kinds, self.said, self.logged, self.defined = [], [], [], {}
        self.output = ""
        self.loaded = self.ask(LOAD, struct.pack("<I", kind) + text(name) + text(config) + text(path) + struct.pack("<I", threads) + text("agent-7"))

    def ask(self, kind, payload=b""):
        """Sends a request and waits for its answer; (LAST_WORDS, reason) or (None, b"") if the host ended."""
        self.number += 1
        try:
            for packet in packets(kind, payload, self.number):
                self.channel.send(packet)
            return self.answer()
        except (BrokenPipeError, ConnectionResetError):
            return self.said[-1] if self.said and self.said[-1][0] == LAST_WORDS else (None, b"")

    def answer(self):
        whole_payload = b""
        while True:
            data = self.channel.recv(65536)
            if not data:
                return self.said[-1] if self.said and self.said[-1][0] == LAST_WORDS else (None, b"")
            _, _, kind, _, _, _, total, offset = HEADER.unpack_from(data)
            whole_payload = data[HEADER.size:] if offset == 0 else whole_payload + data[HEADER.size:]
            if len(whole_payload) < total:
                continue
            self.kinds.append(kind)
            self.said.append((kind, whole_payload))
            if kind == LOG:
                level, size = struct.unpack_from("<II", whole_payload)
                self.logged.append((level, whole_payload[8:8 + size].decode()))
            elif kind == DEFINE:
                self.defined.update(read_series(whole_payload))
            elif LOADED <= kind <= RESTORED:
                return kind, whole_payload

    def tell(self, *all_series):
        for packet in packets(SERIES, b"".join(all_series), 0):
            self.channel.send(packet)

    def run(self, *points, time=10 ** 18):
        """Returns "unchanged", "dropped", the bytes of the points, or the reason of a failure."""
        kind, payload = self.ask(RUN, struct.pack("<qqqQ", time, 0, 5, len(points)) + b"".join(points))
        if kind != RESULT:
            return payload.decode()
        verdict, count, self.dropped, _ = struct.unpack_from("<IIII", payload)
        if verdict != CHANGED:
            return "unchanged" if verdict == UNCHANGED else "dropped"
        assert len(payload) == 16 + 16 * count
        return payload[16:]

    def reason(self):
        """Why it was refused, or ended."""
        return b" ".join(data for kind, data in self.said if kind in (FAILED, LAST_WORDS)).decode(errors="replace")

    def end(self, timeout=20):
        """Unloads the plugin. Returns what the host has printed."""
        if self.channel.fileno() < 0:
            return self.output
        try:
            for packet in packets(UNLOAD, b"", 0):
                self.channel.send(packet)
        except OSError:
            pass
        self.channel.close()
        try:
            self.output = self.process.communicate(timeout=timeout)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.output = self.process.communicate()[0].decode(errors="replace")
        return self.output
