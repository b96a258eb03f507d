"""The agent's memory: libraries are loaded only when they are needed, and what the start needed is given back."""
import os
import re
import shutil
import subprocess
import sys
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import BIN, ProgramTest, run, wait_until  # noqa: E402

OPENSSL = {"libssl", "libcrypto"}
HTTP = {"libmicrohttpd", "libgnutls"}
# MiB; docs/performance.md has the targets. A busy machine touches no more pages.
RESIDENT, ANONYMOUS, RESIDENT_WITH_TLS = 6.0, 1.3, 8.5


def libraries(program):
    with open(f"/proc/{program.process.pid}/maps", encoding="utf-8") as file:
        return {match.group(1) for match in re.finditer(r"/(lib[a-z_+]+)[-0-9.]*\.so", file.read())}


def memory(program):
    """Resident and anonymous memory in MiB."""
    with open(f"/proc/{program.process.pid}/smaps_rollup", encoding="ascii") as file:
        sizes = {words[0]: int(words[1]) / 1024 for words in map(str.split, file) if len(words) == 3}
    return sizes["Rss:"], sizes["Anonymous:"]


class AgentMemoryTest(ProgramTest):
    def server(self, *arguments):
        return self.start_server(*arguments).address

    def agent(self, *arguments):
        config = f"{self.data}/agent.json"
        with open(config, "w", encoding="utf-8") as file:
            file.write('{"interval": 0.1}')
        agent = self.start("monitor-agent", "--agent-id", "small", "--config", config, "--data", self.data, *arguments)
        agent.says("first values collected")
        return agent

    def assert_small(self, agent, resident, anonymous):
        def small():
            rss, own = memory(agent)
            return rss <= resident and own <= anonymous

        try:
            wait_until(small, "pages to be given back", 20)
        except AssertionError:
            self.fail(f"resident and anonymous: {memory(agent)} MiB, expected at most {resident} and {anonymous}")

    def test_is_linked_with_no_library_that_it_rarely_needs(self):
        done = subprocess.run(["readelf", "-d", f"{BIN}/monitor-agent"], check=True, capture_output=True, text=True)
        needed = set(re.findall(r"\(NEEDED\).*\[(lib[a-z_+]+)", done.stdout))
        self.assertEqual(needed & (OPENSSL | HTTP | {"libstdc++", "libgcc_s", "libfmt", "libspdlog"}), set())

    def test_without_tls_and_http_it_maps_neither_and_stays_small(self):
        agent = self.agent("--server", self.server())
        agent.says("stream to the server established")
        self.assertEqual(libraries(agent) & (OPENSSL | HTTP), set())
        self.assert_small(agent, RESIDENT, ANONYMOUS)

    def test_with_http_it_serves_its_pages(self):
        agent = self.agent("--server", self.server(), "--http", "127.0.0.1:0")
        address = agent.says(r"listening service=http address=(\S+)").group(1)
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as reply:
            self.assertIn("monitor_agent_ticks_due_total", reply.read().decode())
        self.assertIn("libmicrohttpd", libraries(agent))
        self.assertEqual(libraries(agent) & OPENSSL, set())

    def test_with_tls_it_delivers_and_stays_small(self):
        cert, key = f"{self.data}/cert.pem", f"{self.data}/key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                        "2", "-keyout", key, "-out", cert, "-subj", "/CN=test", "-addext", "subjectAltName=DNS:localhost"],
                       check=True, capture_output=True)
        address = self.server("--tls-cert", cert, "--tls-key", key).replace("127.0.0.1", "localhost")
        agent = self.agent("--server", address, "--tls-ca", cert)
        agent.says("stream to the server established")
        self.assertLessEqual(OPENSSL, libraries(agent))
        self.assertEqual(libraries(agent) & HTTP, set())
        self.assert_small(agent, RESIDENT_WITH_TLS, RESIDENT_WITH_TLS)

    def test_reports_a_missing_or_foreign_part_of_the_installation(self):
        folder = f"{self.data}/bin"
        os.mkdir(folder)
        shutil.copy(f"{BIN}/monitor-agent", folder)
        arguments = (f"{folder}/monitor-agent", "--agent-id", "alone", "--http", "127.0.0.1:0", "--data", self.data)
        status, _, err = run(*arguments)
        self.assertEqual(status, 70)
        self.assertIn(f"ERROR cannot load a part of this program; install it again file={folder}/monitor-agent-http", err)
        shutil.copy(f"{BIN}/monitor-agent-tls", f"{folder}/monitor-agent-http")
        status, _, err = run(*arguments)
        self.assertEqual(status, 70)
        self.assertIn('reason="it belongs to another version of the program"', err)


if __name__ == "__main__":
    unittest.main()
