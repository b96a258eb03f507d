"""Certificates with the real programs: the commands of docs/tls.md, refusals as the operators of server and agent see
them, and where plain text is refused. src/inputs/stream/certificates_test.cc has the many bad certificates."""
import os
import re
import subprocess
import sys
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import BIN, ROOT, Program, ProgramTest, free_port, run, wait_until  # noqa: E402


def guide_blocks():
    with open(os.path.join(ROOT, "docs", "tls.md"), encoding="utf-8") as guide:
        return re.findall(r"(?m)^```sh\n(.*?)^```", guide.read(), re.S)


def block_with(text):
    found = [block for block in guide_blocks() if text in block]
    assert found, f"docs/tls.md has no command with {text}"
    return found[0]


class CertificatesTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}

    def shell(self, block):
        done = subprocess.run(["/bin/bash", "-e", "-c", block], cwd=self.data, env=self.environment, capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, 0, block + done.stderr)

    def make_pki(self, *agents):
        """Runs the guide's commands: the CA, the server's certificate, and one for each agent."""
        self.shell(block_with("openssl req -x509"))
        self.shell(block_with("serverAuth"))
        for agent in agents:
            self.shell(block_with("clientAuth").replace("agent=web-1\n", f"agent={agent}\n"))

    def pki(self, name):
        return f"{self.data}/pki/{name}"

    def start_tls_server(self, *arguments):
        """Its address is `address`, that of its metrics `page`."""
        server = self.start("monitor-server", "--log", f"sqlite:{self.data}/log.db", "--port", 0, "--http", "127.0.0.1:0", "--data", self.data,
                            "--tls-cert", self.pki("server.pem"), "--tls-key", self.pki("server.key"), "--tls-ca", self.pki("ca.pem"), *arguments)
        server.address = server.says(r"listening service=grpc address=(\S+)").group(1)
        server.page = server.says(r"listening service=http address=(\S+)").group(1)
        return server

    @staticmethod
    def metrics(server):
        with urllib.request.urlopen(f"http://{server.page}/metrics", timeout=10) as reply:
            return reply.read().decode()

    def start_tls_agent(self, agent_id, server, certificate, *arguments):
        return self.start_agent(agent_id, server, "--tls-ca", self.pki("ca.pem"), "--tls-cert", self.pki(f"{certificate}.pem"),
                                "--tls-key", self.pki(f"{certificate}.key"), *arguments)

    def test_commands_of_the_guide_work_in_order(self):
        """Runs every block. Only addresses are changed, and files for data are added through the environment."""
        port = free_port()
        env = {"PATH": self.environment["PATH"], "MONITOR_SERVER_LOG": f"sqlite:{self.data}/log.db", "MONITOR_SERVER_HTTP": "off",
               "MONITOR_SERVER_DATA": self.data, "MONITOR_AGENT_DATA": self.data, "MONITOR_AGENT_CONFIG_DIR": f"{self.data}/monitor"}
        self.configure("web-1", "--interval", "0.1", "--metrics", "cpu")
        programs = {}
        for block in guide_blocks():
            if not block.startswith("monitor-"):
                self.shell(block)
                continue
            command = block.strip().replace("0.0.0.0:50051", f"127.0.0.1:{port}").replace("monitor-1.example.org:50051", f"localhost:{port}")
            program = Program("/bin/bash", "-c", f"exec {command}", cwd=self.data, env=env)
            self.running.append(program)
            programs[command.split()[0]] = program
            program.says("listening service=grpc" if "monitor-server" in command else "stream to the server established")
        serial = programs["monitor-server"].says(r"stream opened agent=web-1 .*certificate=([0-9a-f]+)$").group(1)
        wait_until(lambda: self.batches("web-1"), "a batch in the log")
        crl = subprocess.run(["openssl", "crl", "-in", self.pki("crl.pem"), "-noout", "-text"], capture_output=True, text=True, check=True)
        self.assertIn(serial.upper(), crl.stdout, "the guide revokes the agent's certificate")

    def test_refused_agents_know_why_and_keep_their_batches(self):
        self.make_pki("web-1", "web-2")
        server = self.start_tls_server()
        for agent in ("web-1", "web-2"):
            self.configure(agent, "--interval", "0.1", "--metrics", "cpu")
        wrong = self.start_tls_agent("web-1", server, "web-2", "--http", "127.0.0.1:0")
        wrong.page = wrong.says(r"listening service=http address=(\S+)").group(1)
        refused = "is agent web-2's, and Hello names agent web-1"
        wrong.says(rf'ERROR the server refuses this agent; batches are kept; retrying agent=web-1 .*reason="PERMISSION_DENIED: .*{refused}')
        server.says(rf'WARN\w* stream refused: the certificate does not identify its agent agent=web-1 certificate_agent=web-2 .*{refused}')
        status = run("monitor-config", "status", "--dir", f"{self.data}/monitor", "--format", "json")[1]
        wait_until(lambda: "refuses this agent" in run("monitor-config", "status", "--dir", f"{self.data}/monitor", "--format", "json")[1],
                   f"the reason in the agent's status: {status}")
        self.start_tls_agent("web-2", server, "web-2").says("stream to the server established")
        wait_until(lambda: re.search(r"^monitor_agent_spool_batches [1-9]", self.metrics(wrong), re.M), "a batch that the agent keeps")
        self.assertEqual(wrong.stop(), 0)
        kept = int(wrong.says(r"agent stopped batches=\d+ unsent=(\d+)").group(1))
        self.assertGreater(kept, 0)
        self.assertEqual(self.batches("web-1"), [])
        self.start_tls_agent("web-1", server, "web-1").says("stream to the server established")
        wait_until(lambda: len(self.batches("web-1")) >= kept, "the batches that the agent kept")
        wait_until(lambda: {batch["agent"] for batch in self.batches()} == {"web-1", "web-2"}, "batches of both agents, and of no other")
        self.assertRegex(self.metrics(server), r'monitor_server_streams_refused_total\{reason="wrong_agent"\} [1-9]')

    def test_server_logs_why_a_handshake_failed(self):
        self.make_pki("web-1", "web-2")
        self.shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 9 -keyout pki/self.key -out pki/self.pem"
                   " -subj /CN=web-1 -addext subjectAltName=URI:spiffe://example.org/agent/web-1")
        for block in guide_blocks():
            if "openssl ca " in block:
                self.shell(block)  # revokes web-1
        server = self.start_tls_server("--tls-crl", self.pki("crl.pem"))
        failed = r"connection refused: its TLS handshake failed peer=ipv4:127\.0\.0\.1:\d+ reason=.*"
        self.start_tls_agent("web-1", server, "self").says("no stream to the server.*alert")
        server.says(failed + "self-signed certificate.*CN=web-1")
        self.running[-1].stop()
        revoked = self.start_tls_agent("web-1", server, "web-1")
        revoked.says('no stream to the server.*the alert .*"certificate revoked')
        server.says(failed + r"certificate revoked.*CN=web-1, serial [0-9a-f]+, issuer CN=Monitoring CA")
        revoked.stop()
        plain = self.start_agent("web-2", server)
        plain.says("no stream to the server")
        server.says(failed + "the peer does not use TLS")
        plain.stop()
        bare = self.start_agent("web-2", server, "--tls-ca", self.pki("ca.pem"))
        bare.says("no stream to the server.*certificate required")
        server.says(failed + "peer did not return a certificate, and one is required")
        bare.stop()
        self.configure("web-2", "--interval", "0.1")
        self.start_tls_agent("web-2", server, "web-2").says("stream to the server established")
        count = re.search(r"(?m)^monitor_server_tls_handshakes_failed_total (\d+)", self.metrics(server))
        self.assertGreaterEqual(int(count.group(1)), 4)

    def test_a_new_crl_ends_the_streams_of_revoked_agents(self):
        self.make_pki("web-1", "web-2")
        commands = [block for block in guide_blocks() if "openssl ca " in block]  # an empty CRL; one with web-1
        # A list of another CA has the serial number of web-2: it says nothing about this web-2.
        self.shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 9 -keyout pki/other.key -out pki/other.pem"
                   " -subj '/CN=Other CA' -addext keyUsage=critical,keyCertSign,cRLSign; touch pki/other.txt; echo 01 > pki/othernumber\n"
                   "serial=$(openssl x509 -in pki/web-2.pem -noout -serial | cut -d= -f2)\n"
                   "openssl x509 -req -in pki/web-2.csr -CA pki/other.pem -CAkey pki/other.key -set_serial 0x$serial -days 9 -out pki/namesake.pem")
        self.shell(commands[0])
        config = "sed 's/crlnumber = .*/crlnumber = pki\\/othernumber/; s/index.txt/other.txt/; s/pki.ca\\.\\(pem\\|key\\)/pki\\/other.\\1/' pki/ca.cnf > pki/other.cnf\n"
        self.shell(config + "openssl ca -config pki/other.cnf -revoke pki/namesake.pem; openssl ca -config pki/other.cnf -gencrl -out pki/other.crl\n"
                   "cat pki/crl.pem pki/other.crl > pki/both.crl")
        server = self.start_tls_server("--tls-crl", self.pki("both.crl"), "--tls-reload-interval", "200ms")
        agents = {name: self.start_tls_agent(name, server, name) for name in ("web-1", "web-2")}
        for agent in agents.values():
            agent.says("stream to the server established")
        self.shell(commands[1] + "cat pki/crl.pem pki/other.crl > pki/both.crl")
        agents["web-1"].says("refuses this agent.*certificate was revoked")
        server.says("streams ended streams=1 ")
        agents["web-1"].says('no stream to the server.*the alert .*"certificate revoked')
        self.assertEqual(agents["web-2"].said("no stream to the server|refuses this agent"), 0, "it is not in the list of its CA")

    def test_a_crl_that_revokes_an_intermediate_ca_ends_the_streams_of_its_agents(self):
        self.make_pki("web-1")
        config = next(block for block in guide_blocks() if "openssl ca " in block)  # of the root; an empty CRL
        self.shell(config)
        # A CA below the guide's CA, which signs web-2.
        self.shell("key='ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'\n"
                   "openssl req -newkey $key -keyout pki/issuing.key -out pki/issuing.csr -subj '/CN=Issuing CA'\n"
                   "printf 'basicConstraints=critical,CA:TRUE\\nkeyUsage=critical,keyCertSign,cRLSign\\n' > pki/issuing.ext\n"
                   "openssl x509 -req -in pki/issuing.csr -CA pki/ca.pem -CAkey pki/ca.key -CAcreateserial -days 9 -extfile pki/issuing.ext"
                   " -out pki/issuing.pem\n"
                   "openssl req -newkey $key -keyout pki/web-2.key -out pki/web-2.csr -subj /\n"
                   "printf 'subjectAltName=URI:spiffe://example.org/agent/web-2\\n' > pki/web-2.ext\n"
                   "openssl x509 -req -in pki/web-2.csr -CA pki/issuing.pem -CAkey pki/issuing.key -CAcreateserial -days 9"
                   " -extfile pki/web-2.ext -out pki/web-2.leaf\n"
                   "cat pki/web-2.leaf pki/issuing.pem > pki/web-2.pem; chmod 600 pki/*.key\n"
                   "touch pki/issuing.txt; echo 01 > pki/issuingnumber\n"
                   "sed 's/crlnumber = .*/crlnumber = pki\\/issuingnumber/; s/index.txt/issuing.txt/; s/pki.ca\\.\\(pem\\|key\\)/pki\\/issuing.\\1/'"
                   " pki/ca.cnf > pki/issuing.cnf\n"
                   "openssl ca -config pki/issuing.cnf -gencrl -out pki/issuing.crl\n"
                   "cat pki/crl.pem pki/issuing.crl > pki/both.crl")
        server = self.start_tls_server("--tls-crl", self.pki("both.crl"), "--tls-reload-interval", "200ms")
        agents = {name: self.start_tls_agent(name, server, name) for name in ("web-1", "web-2")}
        for agent in agents.values():
            agent.says("stream to the server established")
        self.shell("openssl ca -config pki/ca.cnf -revoke pki/issuing.pem; openssl ca -config pki/ca.cnf -gencrl -out pki/crl.pem\n"
                   "cat pki/crl.pem pki/issuing.crl > pki/new.crl; mv pki/new.crl pki/both.crl")
        agents["web-2"].says("refuses this agent.*certificate was revoked, or that of a CA above it")
        server.says("streams ended streams=1 ")
        agents["web-2"].says('no stream to the server.*the alert .*"certificate revoked')
        server.says(r"TLS handshake failed.*certificate revoked \(of the CA above it: subject CN=Issuing CA")
        self.assertEqual(agents["web-1"].said("no stream to the server|refuses this agent"), 0, "the root's own agents are not affected")

    def test_load_generator_needs_a_server_that_ignores_names(self):
        self.make_pki("load")
        server = self.start_tls_server("--identity-from", "none")
        server.says("every agent with a certificate can send under any agent id")
        status, out, err = run("monitor-load", "stream", "--server", server.address, "--agents", 3, "--duration", "1s", "--format", "json",
                               "--tls-ca", self.pki("ca.pem"), "--tls-cert", self.pki("load.pem"), "--tls-key", self.pki("load.key"))
        self.assertEqual(status, 0, err)
        self.assertIn('"connects":3', out.replace(" ", ""))

    def test_plain_text_to_other_hosts_must_be_meant(self):
        log = ["--log", f"sqlite:{self.data}/log.db", "--data", self.data, "--http", "off"]
        status, _, err = run("monitor-server", *log, "--listen", "0.0.0.0:0")
        self.assertEqual(status, 64, err)
        self.assertRegex(err, r"--listen 0\.0\.0\.0:0: other hosts can reach this address.*--insecure")
        server = self.start("monitor-server", *log, "--listen", "0.0.0.0:0", "--insecure")
        server.says("WARN.* agents are accepted from other hosts without TLS: anyone who reaches the port can send")
        server.stop()
        agent = self.start("monitor-agent", "--agent-id", "a", "--server", "monitor.invalid:50051", "--data", self.data, "--config-dir", self.data)
        agent.says("batches are sent to another host without TLS.*server=monitor.invalid:50051")
        agent.stop()
        with open(f"{self.data}/password", "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)) as file:
            file.write("hunter2\n")
        etcd = ["--etcd-user", "u", "--etcd-password-file", f"{self.data}/password", "--etcd"]
        for program in (["monitor-config", "list"], ["monitor-agent", "--agent-id", "a", "--data", self.data, "--once"]):
            status, _, err = run(*program, *etcd, "etcd-1.invalid:2379")
            self.assertEqual(status, 64, err)
            self.assertRegex(err, "the password would be sent to etcd-1.invalid:2379 without TLS.*--etcd-insecure")
        status, _, err = run("monitor-config", "list", *etcd, "etcd-1.invalid:2379", "--etcd-insecure")
        self.assertEqual(status, 69, err)

    def test_contradictory_options_are_rejected(self):
        certificate = ["--tls-cert", "c", "--tls-key", "k"]
        for arguments, text in ((["--tls-cert", "c"], "--tls-key"), (["--tls-ca", "a"], "--tls-cert"),
                                (["--tls-client-auth", "require"], "needs --tls-ca"),
                                ([*certificate, "--tls-ca", "a", "--tls-client-auth", "off"], "--tls-ca has no effect"),
                                ([*certificate, "--tls-client-auth", "maybe"], "maybe"),
                                ([*certificate, "--identity-from", "cn"], "--tls-ca"), ([*certificate, "--tls-crl", "c"], "--tls-ca"),
                                ([*certificate, "--tls-ca", "a", "--identity-from", "cn", "--trust-domain", "d"], "--trust-domain has no effect"),
                                ([*certificate, "--tls-ca", "a", "--trust-domain", "A/b"], "expected 1 to 255 of [a-z0-9._-]"),
                                ([*certificate, "--insecure"], "--insecure")):
            status, _, err = run("monitor-server", "--log", f"sqlite:{self.data}/log.db", "--port", 0, "--http", "off", *arguments)
            self.assertEqual(status, 64, f"{arguments}: {err}")
            self.assertIn(text, err)
        for arguments in (["--tls-cert", "c", "--tls-key", "k"], ["--tls-ca", "a", "--tls-cert", "c"], ["--tls-crl", "c"]):
            self.assertEqual(run("monitor-agent", "--agent-id", "a", "--data", self.data, *arguments)[0], 64, arguments)
        status, _, err = run("monitor-server", "--log", f"sqlite:{self.data}/log.db", "--port", 0, "--http", "off", *certificate)
        self.assertEqual(status, 74, err)
        self.assertIn("certificate file c", err)


if __name__ == "__main__":
    unittest.main()
