"""`monitor doctor` with real programs, with nothing configured, and with hostile peers."""
import json
import os
import socket
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ProgramTest, free_port, run  # noqa: E402

# A disk of the test machine may be full or slow, which is not what these tests check.
PEERS = ["--only", "server", "etcd", "log", "page", "clock", "peer-certificates", "certificates"]


class HostilePeer:
    """A TCP listener that passes each connection to `behave`, on a thread."""

    def __init__(self, behave):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.behave = behave
        self.held = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.held.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            self.behave(connection)
        except OSError:
            pass  # the doctor has gone

    def close(self):
        self.socket.close()
        for connection in self.held:
            connection.close()


def never_answers(connection):
    connection.recv(1)


def closes_at_once(connection):
    connection.close()


def sends_garbage(connection):
    connection.sendall(os.urandom(4096))
    connection.recv(65536)


def never_ends(connection):
    """A header line that goes on for ever."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        connection.sendall(b"x" * 65536)


def drips(connection):
    """One byte at a time: each read succeeds, and the answer never ends."""
    connection.recv(65536)
    for byte in b"HTTP/1.1 200 OK\r\n" + b"x" * 100000:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)  # the behaviour itself, not a wait


class DoctorTest(ProgramTest):
    def doctor(self, *arguments, env=None, limit=60):
        status, out, err = run("monitor", "doctor", "--format", "json", "--data", self.data, *arguments, env=env, limit=limit)
        self.assertEqual(err, "", err)
        report = json.loads(out)
        return status, report, {check["name"]: check for check in report["checks"]}

    def assert_verdict(self, check, verdict, text=""):
        self.assertEqual(check["verdict"], verdict, check)
        self.assertIn(text, " ".join(finding["text"] for finding in check["findings"]), check)
        for finding in check["findings"]:
            if finding["verdict"] in ("warn", "fail"):
                self.assertTrue(finding["remedy"], finding)

    def test_finds_everything_of_a_running_system(self):
        """The doctor finds what `monitor up` runs through the data folder alone."""
        up = self.start("monitor", "up", "--data", self.data, "--port", 0, "--http", "127.0.0.1:0", "--web", "127.0.0.1:0",
                        "--agent-id", "a")
        up.says("web page: ")
        up.prints(r"^\d{4}-")
        status, report, checks = self.doctor("--agent-id", "a")
        self.assertIn(f"`monitor up` on {self.data}", report["setup"])
        for name in ("server", "log", "page", "permissions"):
            self.assert_verdict(checks[name], "ok")
        # The server says its time to the nanosecond, so the precision is that of the exchange.
        clock = [f["text"] for f in checks["clock"]["findings"] if f["text"].startswith("server ")]
        self.assertRegex(clock[0], r"its clock is \S+ [mu]?s (ahead of|behind) this one \(precision \S+ [mu]?s\)")
        self.assertIn("a synced write of 16.0 KiB takes", checks["disk-speed"]["findings"][0]["text"])
        # Programs of other tests run on this machine, too.
        self.assertIn("agent a", checks["versions"]["findings"][-1]["text"])
        self.assertEqual(status, 1 if report["verdict"] == "fail" else 0)
        spool = os.listdir(f"{self.data}/agent/a/spool")
        self.assertEqual([name for name in spool if "doctor" in name], [])

    def test_skips_what_is_not_configured(self):
        status, report, checks = self.doctor(*PEERS)
        self.assertEqual(status, 0, report)
        for name in ("server", "etcd", "log", "page", "certificates", "peer-certificates"):
            self.assert_verdict(checks[name], "skipped")

    def test_fails_with_a_remedy_when_peers_are_down(self):
        nowhere = f"127.0.0.1:{free_port()}"
        status, _, checks = self.doctor("--server", nowhere, "--etcd", nowhere, "--page", f"http://{nowhere}/", "--log",
                                        f"sqlite:{self.data}/none.db", *PEERS)
        self.assertEqual(status, 1)
        self.assert_verdict(checks["server"], "fail", nowhere)
        self.assert_verdict(checks["etcd"], "fail", "refused")
        self.assert_verdict(checks["page"], "fail", "refused")
        self.assert_verdict(checks["log"], "fail", "none.db")
        self.assert_verdict(checks["clock"], checks["clock"]["verdict"], "its clock is unknown")
        text = run("monitor", "doctor", "--data", self.data, "--server", nowhere, "--only", "server")[1]
        self.assertRegex(text, rf"fail +server +server {nowhere}: .*\n +-> start monitor-server there")

    def test_hostile_peers_cost_bounded_time_and_never_crash_it(self):
        for behave in (never_answers, closes_at_once, sends_garbage, never_ends, drips):
            peer = HostilePeer(behave)
            self.addCleanup(peer.close)
            with self.subTest(behave.__name__):
                begin = time.monotonic()
                status, _, checks = self.doctor("--server", peer.address, "--tls-ca", self.certificate("ca")[0], "--etcd", peer.address,
                                                "--page", f"http://{peer.address}/", "--timeout", "3", *PEERS)
                self.assertEqual(status, 1)
                self.assertLess(time.monotonic() - begin, 20)
                for name in ("server", "etcd", "page", "peer-certificates"):
                    self.assert_verdict(checks[name], "fail")

    def certificate(self, name, days=30, names="DNS:localhost,IP:127.0.0.1"):
        """A self-signed certificate and its key."""
        cert, key = f"{self.data}/{name}.pem", f"{self.data}/{name}.key"
        if not os.path.exists(cert):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", str(days),
                            "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}", "-keyout", key, "-out", cert],
                           check=True, capture_output=True)
            os.chmod(key, 0o600)
        return cert, key

    def test_judges_certificates_of_files_and_of_the_server(self):
        cert, key = self.certificate("server", days=3)
        other, other_key = self.certificate("other")
        server = self.start_server("--tls-cert", cert, "--tls-key", key)
        port = server.address.rsplit(":", 1)[1]
        only = ["--only", "server", "certificates", "peer-certificates", "permissions"]
        status, _, checks = self.doctor("--server", f"localhost:{port}", "--tls-ca", cert, *only)
        self.assertEqual(status, 0, checks)
        self.assert_verdict(checks["server"], "ok", "with TLS")
        self.assert_verdict(checks["peer-certificates"], "ok", "valid for another 2 days")
        status, _, checks = self.doctor("--server", f"localhost:{port}", "--tls-ca", other, "--tls-cert", cert, "--tls-key", other_key, *only)
        self.assertEqual(status, 1)
        self.assert_verdict(checks["server"], "fail")
        self.assert_verdict(checks["peer-certificates"], "fail", "for the names [localhost, 127.0.0.1]")
        self.assert_verdict(checks["certificates"], "fail", "does not belong to the certificate")
        os.chmod(other_key, 0o644)
        status, _, checks = self.doctor("--server", f"localhost:{port}", "--tls-ca", cert, "--tls-cert", other, "--tls-key", other_key, *only)
        self.assert_verdict(checks["permissions"], "fail", "may be read by every user")

    def revocation_list(self, name, cert, key, *options, revoked=()):
        folder = os.path.join(self.data, name)
        os.makedirs(folder)
        with open(f"{folder}/ca.cnf", "w", encoding="utf-8") as file:
            file.write(f"[ca]\ndefault_ca=c\n[c]\ndatabase={folder}/index\ncrlnumber={folder}/number\ndefault_md=sha256\n"
                       "default_crl_days=30\n")
        for path, text in (("index", ""), ("number", "01\n")):
            with open(f"{folder}/{path}", "w", encoding="utf-8") as file:
                file.write(text)
        command = ["openssl", "ca", "-config", f"{folder}/ca.cnf", "-cert", cert, "-keyfile", key]
        for one in revoked:
            subprocess.run([*command, "-revoke", one], check=True, capture_output=True)
        subprocess.run([*command, "-gencrl", *options, "-out", f"{folder}/crl.pem"], check=True, capture_output=True)
        return f"{folder}/crl.pem"

    def test_judges_revocation_lists(self):
        cert, key = self.certificate("server")
        server = self.start_server("--tls-cert", cert, "--tls-key", key)
        port = server.address.rsplit(":", 1)[1]

        def doctor(crl):
            return self.doctor("--server", f"localhost:{port}", "--tls-ca", cert, "--tls-crl", crl, "--only", "server", "certificates",
                               "peer-certificates")

        status, _, checks = doctor(self.revocation_list("good", cert, key))
        self.assertEqual(status, 0, checks)
        self.assert_verdict(checks["certificates"], "ok", "the revocation list in")
        status, _, checks = doctor(self.revocation_list("revoked", cert, key, revoked=[cert]))
        self.assertEqual(status, 1)
        self.assert_verdict(checks["server"], "fail")
        self.assert_verdict(checks["peer-certificates"], "fail", "certificate revoked")
        old = self.revocation_list("old", cert, key, "-crl_lastupdate", "20200101000000Z", "-crl_nextupdate", "20200201000000Z")
        status, _, checks = doctor(old)
        self.assertEqual(status, 1)
        self.assert_verdict(checks["certificates"], "fail", "has expired at 2020-02-01")
        self.assert_verdict(checks["peer-certificates"], "fail", "CRL has expired")

    def test_lists_and_selects_checks(self):
        status, out, _ = run("monitor", "doctor", "--list")
        self.assertEqual(status, 0)
        self.assertGreaterEqual(len(out.splitlines()), 13)
        names = [line.split()[0] for line in out.splitlines()]
        self.assertEqual([c["name"] for c in self.doctor("--only", "sandbox")[1]["checks"]], ["sandbox"])
        status, _, err = run("monitor", "doctor", "--only", "sandbx")
        self.assertEqual(status, 64)
        for name in names:
            self.assertIn(name, err)
        for wrong in (["--server", "a:b"], ["--log", "kafka"], ["--timeout", "0"], ["--tls-cert", "x"]):
            self.assertEqual(run("monitor", "doctor", "--data", self.data, *wrong)[0], 64, wrong)

    def test_the_log_settings_of_a_file(self):
        self.start_server()
        status, out, err = run("monitor-analysis", "log-settings", "--data", self.data, "--format", "json")
        self.assertEqual(status, 0, err)
        self.assertEqual(json.loads(out)["backend"], "sqlite")
        nowhere = f"127.0.0.1:{free_port()}"
        status, out, _ = run("monitor-analysis", "log-settings", "--kafka", nowhere, "--timeout", "1", "--format", "json")
        self.assertEqual(status, 69)
        self.assertIn(nowhere, json.loads(out)["error"])


if __name__ == "__main__":
    unittest.main()
