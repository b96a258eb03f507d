"""Certificates that are replaced while agents send: no batch is lost, none is stored twice, no connection fails.

Each rotation makes a new CA and new certificates. The server's files are swapped by a symbolic link, as Kubernetes does;
one agent's files are renamed into place, another's are written in place, half by half. The CA files hold the CAs of the
rotations before and after, because the programs follow each at its own time.

The number of rotations: rotation_test.py --rotations 1000"""
import os
import re
import subprocess
import sys
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from programs import ProgramTest, run, wait_until  # noqa: E402

ROTATIONS = 1000
if "--rotations" in sys.argv:
    at = sys.argv.index("--rotations")
    ROTATIONS = int(sys.argv[at + 1])
    del sys.argv[at:at + 2]
OVERLAP = 12  # CAs before and after that are trusted
LOOK = "20ms"
AGE = "300ms"
INTERVAL = 0.05
LOADED = "TLS files loaded again"


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


class Authority:
    """The CAs and certificates of all rotations, made when they are needed."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder)
        self.made = 0

    def path(self, kind, number):
        return f"{self.folder}/{kind}-{number}"

    def ca(self, number):
        while self.made <= number:
            path = self.path("ca", self.made)
            openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-keyout", f"{path}.key", "-out", f"{path}.pem", "-subj", f"/CN=CA {self.made}")
            self.made += 1
        return self.path("ca", number)

    def bundle(self, number):
        numbers = range(max(0, number - OVERLAP), number + OVERLAP + 1)
        return "".join(read(f"{self.ca(i)}.pem") for i in numbers)

    def certificate(self, number, name, alternative):
        """Certificate and key, as text."""
        ca, path = self.ca(number), self.path(name, number)
        openssl("req", "-x509", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-keyout", f"{path}.key", "-out", f"{path}.pem",
                "-subj", f"/CN={name}", "-addext", f"subjectAltName={alternative}", "-addext", "basicConstraints=CA:FALSE")
        return read(f"{path}.pem"), read(f"{path}.key")


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def write(path, text, mode="w"):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if mode == "w" else os.O_APPEND), 0o600), mode,
              encoding="ascii") as file:
        file.write(text)


class ByLink:
    """A folder of files behind one symbolic link that is swapped."""

    def __init__(self, folder, files):
        self.folder, self.count = folder, 0
        os.makedirs(folder)
        self.swap(files)
        for name in files:
            os.symlink(f"current/{name}", f"{folder}/{name}")

    def swap(self, files):
        self.count += 1
        os.makedirs(f"{self.folder}/{self.count}")
        for name, text in files.items():
            write(f"{self.folder}/{self.count}/{name}", text)
        os.symlink(str(self.count), f"{self.folder}/next")
        os.rename(f"{self.folder}/next", f"{self.folder}/current")


class ByRename:
    def __init__(self, folder, files):
        self.folder = folder
        os.makedirs(folder)
        self.swap(files)

    def swap(self, files):
        for name, text in files.items():
            write(f"{self.folder}/{name}.new", text)
            os.rename(f"{self.folder}/{name}.new", f"{self.folder}/{name}")


class InPlace(ByRename):
    def swap(self, files):
        for name, text in files.items():
            write(f"{self.folder}/{name}", text[:len(text) // 2])
        for name, text in files.items():
            write(f"{self.folder}/{name}", text[len(text) // 2:], "a")


class RotationTest(ProgramTest):
    AGENTS = {"renamed": ByRename, "in-place": InPlace}

    def files(self, name, number):
        alternative = "IP:127.0.0.1" if name == "server" else f"URI:spiffe://example.org/agent/{name}"
        certificate, key = self.authority.certificate(number, name, alternative)
        return {"ca.pem": self.authority.bundle(number), "tls.crt": certificate, "tls.key": key}

    def tls(self, name):
        folder = self.folders[name].folder
        return ["--tls-cert", f"{folder}/tls.crt", "--tls-key", f"{folder}/tls.key", "--tls-ca", f"{folder}/ca.pem",
                "--tls-reload-interval", LOOK]

    def metric(self, agent, name):
        with urllib.request.urlopen(f"http://{agent.http}/metrics", timeout=10) as reply:
            return float(re.search(rf"(?m)^monitor_agent_{name} (\S+)$", reply.read().decode()).group(1))

    def start_all(self):
        self.authority = Authority(f"{self.data}/ca")
        self.folders = {"server": ByLink(f"{self.data}/tls-server", self.files("server", 0))}
        for name, kind in self.AGENTS.items():
            self.folders[name] = kind(f"{self.data}/tls-{name}", self.files(name, 0))
            status, _, err = run("monitor-config", "set", "--dir", f"{self.data}/monitor", "--agent-id", name,
                                 f"interval={INTERVAL}", "send_every=0")
            self.assertEqual(status, 0, err)
        self.server = self.start_server("--max-connection-age", AGE, "--trust-domain", "example.org", *self.tls("server"))
        self.agents = {}
        for name in self.AGENTS:
            agent = self.start_agent(name, self.server, "--simulate", "--http", "127.0.0.1:0", *self.tls(name))
            agent.http = agent.says(r"service=http address=(\S+)").group(1)
            agent.says("stream to the server established")
            self.agents[name] = agent

    def rotate(self, number):
        files = {name: self.files(name, number) for name in self.folders}
        programs = {"server": self.server, **self.agents}
        for name, folder in self.folders.items():
            loads = programs[name].said(LOADED)
            folder.swap(files[name])
            # Each program must use these files before the next ones come.
            programs[name].says(LOADED, count=loads + 1)

    def test_rotations_under_load_lose_no_batch(self):
        self.start_all()
        for number in range(1, ROTATIONS + 1):
            self.rotate(number)
        # The last certificates are used: by the connections that come after the last rotation.
        for name, agent in self.agents.items():
            connects = self.metric(agent, "connects_total")
            wait_until(lambda agent=agent, connects=connects: self.metric(agent, "connects_total") >= connects + 2,
                       f"{name} to connect again")
            self.assertGreaterEqual(self.metric(agent, "connects_total"), 3)
            self.assertEqual(self.metric(agent, "connection_failures_total"), 0,
                             "\n".join(line for line in agent.err if "WARN" in line or "ERR" in line))
        connects = sum(self.metric(agent, "connects_total") for agent in self.agents.values())
        for agent in self.agents.values():
            self.assertEqual(agent.stop(), 0)
        self.assertEqual(self.server.stop(), 0)
        status, out, err = run("monitor-analysis", "ledger", "--log", f"sqlite:{self.data}/log.db", "--missing-after", "0",
                               "--format", "json")
        print(f"{ROTATIONS} rotations, {connects:.0f} connections; {out.strip()[-2000:]}", file=sys.stderr)
        self.assertEqual(status, 0, out + err)
        seen = {}
        for batch in self.batches():
            key = batch["agent"], batch["incarnation"], batch["sequence"]
            seen[key] = seen.get(key, 0) + 1
        self.assertEqual([key for key, count in seen.items() if count > 1], [], "stored twice")
        for name in self.AGENTS:
            sequences = sorted(key[2] for key in seen if key[0] == name)
            self.assertEqual(sequences, list(range(1, len(sequences) + 1)), f"{name} has gaps")
            self.assertGreater(len(sequences), 10)


if __name__ == "__main__":
    unittest.main()
