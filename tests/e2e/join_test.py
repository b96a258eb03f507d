"""Agents that join with a token: the built-in CA of the server, tokens, renewal and revocation."""
import hashlib
import json
import os
import re
import socket
import stat
import subprocess
import sys
import threading
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import grpc  # noqa: E402

from foreign_agent import decode, text  # noqa: E402
from programs import ProgramTest, free_port, run, wait_until  # noqa: E402

LONG = os.environ.get("MONITOR_LONG") == "1"
ENROLL, RENEW = "/monitor.v1.Enrollment/Enroll", "/monitor.v1.Enrollment/Renew"


def openssl(*arguments, stdin=None):
    done = subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


class JoinTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.ca = f"{self.data}/ca"
        self.secrets = []

    def tearDown(self):
        output = "\n".join(line for program in self.running for line in [*program.out, *program.err])
        super().tearDown()
        for secret in self.secrets:
            self.assertNotIn(secret, output)

    def start_ca(self, *arguments, port=0):
        return self.start_server("--ca-dir", self.ca, *arguments, port=port)

    def token(self, pattern="web-*", *arguments):
        status, out, err = run("monitor-server", "token", "create", "--ca-dir", self.ca, "--agent", pattern, *arguments)
        self.assertEqual(status, 0, err)
        token = out.strip()
        self.assertRegex(token, r"^mjt1_[0-9a-f]{16}_[0-9a-f]{64}_[0-9a-f]{64}$")
        self.assertNotIn(token.split("_")[2], err)
        self.secrets.append(token.split("_")[2])
        return token

    def token_file(self, token, name="token"):
        path = f"{self.data}/{name}"
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(token + "\n")
        return path

    def join(self, agent, server, token, *arguments):
        file = token if token.startswith("/") else self.token_file(token, f"token-{agent}")
        return self.start_agent(agent, server, "--join-token-file", file, *arguments)

    def tokens(self):
        status, out, err = run("monitor-server", "token", "list", "--ca-dir", self.ca, "--format", "json")
        self.assertEqual(status, 0, err)
        return {one["id"]: one for one in json.loads(out)}

    def stored(self, agent):
        return wait_until(lambda: self.batches(agent), f"a batch of {agent}")

    def joined(self, agent):
        address = agent.says(r"service=http address=(\S+)").group(1)
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=20) as answer:
            return int(re.search(r"(?m)^monitor_agent_joined (\d)", answer.read().decode()).group(1))

    # A client that is not an agent.

    def channel(self, server, key=None, chain=None):
        with open(f"{self.ca}/ca.pem", "rb") as file:
            credentials = grpc.ssl_channel_credentials(file.read(), key, chain)
        channel = grpc.secure_channel(server.address, credentials)
        self.addCleanup(channel.close)
        return channel

    def call(self, channel, path, message):
        """Returns the reply's fields, or the status."""
        try:
            reply = channel.unary_unary(path, request_serializer=bytes, response_deserializer=bytes)(message, timeout=20)
            return list(decode(reply))
        except grpc.RpcError as error:
            return error

    def request(self, *key):
        file = f"{self.data}/request.key"
        openssl(*(key or ("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")), "-out", file)
        return openssl("req", "-new", "-key", file, "-subj", "/CN=x", "-outform", "DER")

    def refused(self, server, reply, reason, code):
        self.assertIsInstance(reply, grpc.RpcError, f"{reason}: it was accepted")
        self.assertEqual(reply.code(), code, reply)
        server.says(rf'certificate refused call=\w+ reason={reason} ')
        return reply.details()

    # Tests.

    def test_joins_publishes_renews_and_restarts(self):
        port = free_port()
        server = self.start_ca("--certificate-life", "5s", port=port)
        token = self.token()
        agent = self.join("web-1", server, token)
        agent.says("joined; certificate stored")
        server.says("certificate issued call=enroll agent=web-1")
        self.stored("web-1")
        agent.says("certificate renewed")
        identity = f"{self.data}/agent/web-1/identity"
        for name in os.listdir(identity):
            self.assertEqual(stat.S_IMODE(os.stat(f"{identity}/{name}").st_mode), 0o600, name)
        self.assertEqual(sorted(os.listdir(identity)), ["ca.pem", "identity.pem", "joined-by"])
        subject = openssl("x509", "-in", f"{identity}/identity.pem", "-noout", "-ext", "subjectAltName").decode()
        self.assertIn("URI:spiffe://monitor/agent/web-1", subject)
        self.assertEqual(agent.stop(), 0)
        # The key never left the agent, and the token is not needed any more.
        with open(f"{identity}/identity.pem") as file:
            key = re.search("BEGIN PRIVATE KEY-----\n(.{64})", file.read()).group(1)
        os.remove(f"{self.data}/token-web-1")
        files = subprocess.run(["grep", "-rlF", "-e", key, "-e", token.split("_")[2], self.data], capture_output=True, text=True)
        self.assertEqual(files.stdout.split(), [f"{identity}/identity.pem"])
        again = self.start_agent("web-1", server)
        again.says("using the stored certificate")
        again.says("stream to the server established")
        again.says("certificate renewed")
        self.assertEqual(server.stop(), 0)
        server = self.start_ca("--certificate-life", "5s", port=port)
        again.says("stream to the server established", count=2)
        self.assertEqual(again.stop(), 0)
        status, out, err = run("monitor-analysis", "ledger", "--log", f"sqlite:{self.data}/log.db")
        self.assertEqual(status, 0, out + err)

    def test_certificates_end_with_the_ca_which_is_renewed_with_its_key(self):
        os.mkdir(self.ca, 0o700)
        # As the server makes it, with one day left.
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{self.ca}/ca.key")
        pin = hashlib.sha256(openssl("pkey", "-in", f"{self.ca}/ca.key", "-pubout", "-outform", "DER")).hexdigest()
        openssl("req", "-x509", "-key", f"{self.ca}/ca.key", "-days", "1", "-subj", f"/O=monitor/CN=monitor CA {pin[:16]}",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-out", f"{self.ca}/ca.pem")
        os.chmod(f"{self.ca}/ca.key", 0o600)
        port = free_port()
        server = self.start_ca(port=port)
        server.says(rf"WARN\w* the certificate of the built-in CA expires soon; .*file={self.ca}/ca.pem expires=\S+ next=.*move .* away")
        agent = self.join("web-1", server, self.token())
        self.stored("web-1")

        def end(path):
            return openssl("x509", "-in", path, "-noout", "-enddate").decode()

        identity = f"{self.data}/agent/web-1/identity"
        for path in (f"{identity}/identity.pem", f"{self.ca}/server.pem"):
            self.assertEqual(end(path), end(f"{self.ca}/ca.pem"), path)
        self.assertEqual(server.stop(), 0)
        os.rename(f"{self.ca}/ca.pem", f"{self.ca}/ca.old")
        server = self.start_ca(port=port)
        agent.says("stream to the server established", count=2)
        self.assertEqual(server.said("expires soon"), 0)
        self.assertNotEqual(end(f"{self.ca}/ca.pem"), end(f"{self.ca}/ca.old"))

    def test_revoked_agents_lose_their_streams_and_need_a_later_token(self):
        server = self.start_ca()
        token = self.token("web-*", "--uses", "3")
        agents = [self.join(f"web-{n}", server, token, "--http", "127.0.0.1:0") for n in (1, 2)]
        for agent in agents:
            agent.says("stream to the server established")
            self.assertEqual(self.joined(agent), 1)
        status, _, err = run("monitor-server", "agent", "revoke", "web-1", "--ca-dir", self.ca)
        self.assertEqual(status, 0, err)
        self.assertIn(f"token revoke {token.split('_')[1]}", err)
        agents[0].says("certificate was revoked")
        wait_until(lambda: self.joined(agents[0]) == 0, "an agent that the server refuses does not count as joined")
        self.assertEqual(self.joined(agents[1]), 1)
        crl = openssl("crl", "-in", f"{self.ca}/crl.pem", "-noout", "-text", "-CAfile", f"{self.ca}/ca.pem").decode()
        self.assertEqual(crl.count("Serial Number"), 1)
        self.assertEqual(agents[1].said("no stream to the server"), 0, "the other agent is not affected")
        # Neither its certificate nor its token helps it.
        agents[0].stop()
        agent = self.start_agent("web-1", server)
        agent.says("certificate was revoked")
        agent.stop()
        os.remove(f"{self.data}/agent/web-1/identity/identity.pem")
        agent = self.join("web-1", server, token)
        agent.says("agent web-1 was revoked at .*; only a token made later can join it again")
        # A later token does, without a restart.
        self.token_file(self.token("web-1"), "token-web-1")
        agent.says("stream to the server established", limit=60)
        status, _, err = run("monitor-server", "agent", "revoke", "web-9", "--ca-dir", self.ca)
        self.assertEqual(status, 1, err)
        self.assertIn("no certificate was issued to it", err)

    def test_revokes_an_agent_whose_list_of_certificates_is_damaged(self):
        server = self.start_ca()
        agent = self.join("web-1", server, self.token("web-1"))
        agent.says("stream to the server established")
        path = f"{self.ca}/issued/web-1.json"
        with open(path, "r+", encoding="ascii") as file:
            file.truncate(20)
        status, _, err = run("monitor-server", "agent", "revoke", "web-1", "--ca-dir", self.ca)
        self.assertEqual(status, 74, "it is revoked, but not in the CRL")
        self.assertRegex(err, f"the revocation is incomplete .*{path}")
        self.assertIn("agent revoked", err)
        agent.says("certificate was revoked")
        # It can join again, also after a restart of the server.
        self.token_file(self.token("web-1"), "token-web-1")
        agent.stop()
        agent = self.join("web-1", server, f"{self.data}/token-web-1")
        agent.says("joined; certificate stored")
        agent.says("stream to the server established", limit=60)
        server.stop()
        self.start_ca(port=server.address.rsplit(":", 1)[1])
        agent.says("stream to the server established", count=2, limit=60)

    def test_refuses_every_bad_token(self):
        server = self.start_ca()
        channel = self.channel(server)
        csr = self.request()
        good = self.token("web-1")
        name, key, secret, pin = good.split("_")
        flip = {c: "0" if c != "0" else "1" for c in "0123456789abcdef"}

        def enroll(token, agent="web-1", request=csr):
            return self.call(channel, ENROLL, text(1, token) + text(2, agent) + text(3, request))

        invalid, denied, unknown = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED
        revoked = self.token("web-1")
        self.assertEqual(run("monitor-server", "token", "revoke", revoked.split("_")[1], "--ca-dir", self.ca)[0], 0)
        expired = self.token("web-1", "--for", "1s")
        wait_until(lambda: self.tokens()[expired.split("_")[1]]["state"] == "expired", "the token's end")
        other = self.token("web-1").split("_")
        cases = [
            ("malformed", invalid, ""), ("malformed", invalid, "mjt1"), ("malformed", invalid, good[:-1]),
            ("malformed", invalid, good + "0"), ("malformed", invalid, good.upper()), ("malformed", invalid, "mjt2" + good[4:]),
            ("malformed", invalid, good.replace("_", "-")), ("malformed", invalid, f"{name}_{key}_{secret}"),
            ("malformed", invalid, b"\xff" * 151), ("malformed", invalid, good[:40] + "\n" + good[41:]),
            ("wrong_secret", unknown, f"{name}_{key}_{flip[secret[0]]}{secret[1:]}_{pin}"),
            ("wrong_secret", unknown, f"{name}_{key}_{secret[:-1]}{flip[secret[-1]]}_{pin}"),
            ("wrong_secret", unknown, f"{name}_{key}_{'0' * 64}_{pin}"),
            ("wrong_secret", unknown, f"{name}_{key}_{other[2]}_{pin}"),
            ("unknown", unknown, f"{name}_{'0' * 16}_{secret}_{pin}"),
            ("other_ca", unknown, f"{name}_{key}_{secret}_{'0' * 64}"),
            ("revoked", unknown, revoked), ("expired", unknown, expired),
        ]
        for reason, code, token in cases:
            with self.subTest(reason):
                self.refused(server, enroll(token), reason, code)
        self.refused(server, enroll(good, "db-1"), "other_agent", denied)
        self.refused(server, enroll(good, "web-10"), "other_agent", denied)
        self.refused(server, enroll(good, "web/1"), "bad_agent_id", invalid)
        self.refused(server, enroll(good, ""), "bad_agent_id", invalid)
        self.refused(server, enroll(good, request=b"nonsense"), "bad_request", invalid)
        weak = openssl(
            "req", "-new", "-newkey", "rsa:1024", "-nodes", "-keyout", "/dev/null", "-subj", "/CN=x", "-outform", "DER")
        self.assertIn("1024 bits", self.refused(server, enroll(good, request=weak), "bad_request", invalid))
        # None of these has taken the use. A second one is refused, counted and logged.
        self.assertEqual([field for field, _ in enroll(good)], [1, 2])
        self.assertEqual([field for field, _ in enroll(good)], [1, 2], "the same key again is a repetition")
        details = self.refused(server, enroll(good, request=self.request()), "used", unknown)
        self.assertIn("agent web-1 used it last", details)
        shown = self.tokens()[key]
        self.assertEqual((shown["state"], shown["uses"], shown["refused"], shown["joined"]), ("used", 1, 3, ["web-1"]))
        # After too many refusals from one address, even a good token is not looked at.
        replies = [enroll("mjt1") for _ in range(31)]
        self.assertEqual(replies[-1].code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
        self.assertEqual(enroll(self.token("web-1")).code(), grpc.StatusCode.RESOURCE_EXHAUSTED)

    def test_of_a_request_only_the_key_counts(self):
        """Whatever a request asks for, the certificate is for one agent, and for clients only."""
        server = self.start_ca()
        channel = self.channel(server)
        config = f"{self.data}/request.cnf"
        with open(config, "w", encoding="ascii") as file:
            file.write("[req]\ndistinguished_name=dn\nreq_extensions=ext\nprompt=no\n[dn]\nCN=web-7\nO=monitor server\n[ext]\n"
                       "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nextendedKeyUsage=serverAuth,anyExtendedKeyUsage\n"
                       "subjectAltName=URI:spiffe://monitor/agent/web-7,DNS:localhost,IP:127.0.0.1\nnameConstraints=permitted;DNS:example.org\n")
        request = openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null", "-config", config,
                          "-outform", "DER")
        enroll = lambda request, token=self.token("web-1", "--uses", "9"): self.call(  # noqa: E731
            channel, ENROLL, text(1, token) + text(2, "web-1") + text(3, request))
        reply = dict(enroll(request))
        shown = openssl("x509", "-inform", "DER", "-noout", "-text", stdin=reply[1]).decode()
        extensions = re.findall(r"X509v3 ([A-Z][^:\n]+):.*\n +(.*)", shown)
        self.assertEqual({name: value for name, value in extensions if "Key Identifier" not in name},
                         {"Basic Constraints": "CA:FALSE", "Key Usage": "Digital Signature", "Extended Key Usage": "TLS Web Client Authentication",
                          "Subject Alternative Name": "URI:spiffe://monitor/agent/web-1"})
        self.assertRegex(shown, "Subject: O ?= ?monitor agent\n")
        # Keys that are too weak, too large or unusual, and requests that were altered.
        good = self.request()
        bad = {"signature": good[:-1] + bytes([good[-1] ^ 1]), "key": good.replace(good[60:64], bytes(4)), "trailing": good + b"\0",
               "twice": good + good, "empty": b"", "cut": good[:-5], "large": good + bytes(9000)}
        for name, options in {"rsa-8192": ("RSA", "rsa_keygen_bits:8192"), "rsa-1024": ("RSA", "rsa_keygen_bits:1024"), "p-521": ("EC", "ec_paramgen_curve:P-521"),
                              "p-224": ("EC", "ec_paramgen_curve:P-224"), "secp256k1": ("EC", "ec_paramgen_curve:secp256k1"), "ed448": ("ED448", None),
                              "pss": ("RSA-PSS", "rsa_keygen_bits:2048")}.items():
            if name == "rsa-8192" and not LONG:
                continue  # it takes OpenSSL seconds to make one
            bad[name] = self.request("genpkey", "-algorithm", options[0], *(["-pkeyopt", options[1]] if options[1] else []))
        for name, request in bad.items():
            with self.subTest(name):
                answer = enroll(request)
                self.assertIsInstance(answer, grpc.RpcError, name)
                # HTTP/2 ends the call of a message above the limit.
                self.assertIn(answer.code(), (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED), answer)
        self.assertEqual([field for field, _ in enroll(good)], [1, 2], "the token still has its uses")

    def test_a_token_is_used_once_however_many_try_at_once(self):
        server = self.start_ca()
        requests = [self.request() for _ in range(8)]
        channels = [self.channel(server) for _ in requests]
        for round_ in range(3):
            token = self.token("web-*")
            start = threading.Barrier(len(requests))
            answers = [None] * len(requests)

            def redeem(n, token=token, start=start, answers=answers, round_=round_):
                start.wait()
                answers[n] = self.call(channels[n], ENROLL, text(1, token) + text(2, f"web-{round_}{n}") + text(3, requests[n]))

            threads = [threading.Thread(target=redeem, args=(n,)) for n in range(len(requests))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            issued = [answer for answer in answers if isinstance(answer, list)]
            self.assertEqual(len(issued), 1, answers)
            self.assertEqual(self.tokens()[token.split("_")[1]]["uses"], 1)

    def test_publishing_and_renewing_need_a_certificate(self):
        server = self.start_ca()
        channel = self.channel(server)
        hello = text(1, text(1, "web-1") + text(2, b"i" * 16) + text(3, "9.9") + text(4, "host"))

        def publish(channel):
            stream = channel.stream_stream("/monitor.v1.Ingest/Publish", request_serializer=bytes, response_deserializer=bytes)
            with self.assertRaises(grpc.RpcError) as raised:
                next(stream(iter([hello]), timeout=20))
            return raised.exception.code()

        self.assertEqual(publish(channel), grpc.StatusCode.UNAUTHENTICATED)
        self.refused(server, self.call(channel, RENEW, text(1, self.request())), "no_certificate", grpc.StatusCode.UNAUTHENTICATED)
        # The certificate of one agent is not that of another.
        request = self.request()
        reply = self.call(channel, ENROLL, text(1, self.token("db-1")) + text(2, "db-1") + text(3, request))
        certificate = openssl("x509", "-inform", "DER", stdin=dict(reply)[1])
        with open(f"{self.data}/request.key", "rb") as file:
            own = self.channel(server, file.read(), certificate)
        self.assertEqual(publish(own), grpc.StatusCode.PERMISSION_DENIED)
        self.assertEqual([field for field, _ in self.call(own, RENEW, text(1, self.request()))], [1, 2])
        self.refused(server, self.call(own, RENEW, text(1, b"x")), "bad_request", grpc.StatusCode.INVALID_ARGUMENT)

    def test_sends_no_token_to_a_server_that_it_does_not_know(self):
        self.start_ca().stop()
        token = self.token()
        # Plain text: whatever the agent sends, the token is not in it.
        heard = bytearray()
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def listen():
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                with peer:
                    peer.settimeout(2)
                    heard.extend(peer.recv(65536))
                    peer.sendall(b"\0\0\0\4\0\0\0\0\0")  # SETTINGS of HTTP/2
                    try:
                        while part := peer.recv(65536):
                            heard.extend(part)
                    except OSError:
                        pass

        threading.Thread(target=listen, daemon=True).start()
        agent = self.join("web-1", f"127.0.0.1:{listener.getsockname()[1]}", token)
        agent.says("cannot join; retrying .*TLS handshake", count=2)
        self.assertTrue(heard)
        self.assertNotIn(token.split("_")[2].encode(), heard)
        agent.stop()
        # Another CA.
        self.ca = f"{self.data}/other"
        other = self.start_ca()
        agent = self.join("web-1", other, token)
        agent.says("cannot join; retrying .*no CA that the server shows has the expected public key")
        self.assertEqual(other.said("certificate refused"), 0)
        # It goes on collecting, and joins when it gets the right token.
        self.token_file(self.token(), "token-web-1")
        agent.says("joined; certificate stored")
        self.assertEqual(self.stored("web-1")[0]["sequence"], 1)

    def test_rejects_wrong_options_and_files(self):
        server = self.start_ca()
        agent = ["monitor-agent", "--agent-id", "web-1", "--server", server.address, "--data", self.data]
        status, _, err = run(*agent, "--join-token-file", f"{self.data}/missing")
        self.assertEqual(status, 78, err)
        self.assertIn(f"{self.data}/missing", err)
        broken = self.token_file(self.token()[:-2] + "xx")
        status, _, err = run(*agent, "--join-token-file", broken)
        self.assertEqual(status, 78, err)
        self.assertIn("its pin is not 64 hexadecimal digits", err)
        status, _, err = run(*agent, "--join-token-file", broken, "--tls-ca", f"{self.ca}/ca.pem")
        self.assertEqual(status, 64, err)
        self.assertIn("--join-token-file", err)
        status, _, err = run(*agent, "--tls-server-name", "example.org")
        self.assertEqual(status, 78, err)
        self.assertIn("--tls-server-name needs --tls-ca", err)
        for arguments in (["--tls-cert", "a", "--tls-key", "b"], ["--certificate-life", "1s"], ["--tls-name", "a b"]):
            status, _, err = run("monitor-server", "--port", "0", "--ca-dir", f"{self.data}/third", "--http", "off",
                                 "--log", f"sqlite:{self.data}/third.db", *arguments)
            self.assertIn(status, (64, 78), err)
        self.assertEqual(run("monitor-server", "token", "list")[0], 64)
        status, _, err = run("monitor-server", "token", "create", "--ca-dir", f"{self.data}/nowhere", "--agent", "a")
        self.assertEqual(status, 74, err)
        self.assertFalse(os.path.exists(f"{self.data}/nowhere"), "a mistyped folder does not become a CA")
        for arguments in (["--agent", "a/b"], ["--agent", "a", "--for", "31d"], ["--agent", "a", "--uses", "0"], []):
            self.assertEqual(run("monitor-server", "token", "create", "--ca-dir", self.ca, *arguments)[0], 64)
        status, _, err = run("monitor-server", "token", "revoke", "0" * 16, "--ca-dir", self.ca)
        self.assertEqual(status, 1, err)
        second = run("monitor-server", "--port", "0", "--ca-dir", self.ca, "--http", "off", "--log", f"sqlite:{self.data}/b.db")
        self.assertEqual(second[0], 75, second[2])
        self.assertIn("is in use by", second[2])
        server.stop()
        os.chmod(f"{self.ca}/ca.key", 0o640)
        for command in (["--port", "0", "--http", "off", "--log", f"sqlite:{self.data}/b.db"], ["token", "create", "--agent", "a"]):
            status, _, err = run("monitor-server", *command, "--ca-dir", self.ca)
            self.assertEqual(status, 74, err)
            self.assertIn("may be read or written by others (mode 0640)", err)


if __name__ == "__main__":
    unittest.main()
