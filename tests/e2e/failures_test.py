"""Failures: signals, wrong files in the data folder, a damaged log, a full disk, garbage on the ports."""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ProgramTest, free_port, run, wait_until  # noqa: E402


class FailuresTest(ProgramTest):
    def wait_for_a_batch_in_flight(self, agent):
        """Waits until a batch is sent but not acknowledged, according to the agent's own metrics."""
        address = agent.says(r"service=http address=(\S+)").group(1)

        def in_flight():
            with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as reply:
                return re.search(r"^monitor_agent_in_flight_batches [1-9]", reply.read().decode(), re.MULTILINE)

        wait_until(in_flight, "a batch to be in flight")

    def test_the_first_signal_drains_and_the_second_ends_at_once(self):
        server = self.start_server()
        self.configure("a", "--interval", "0.1")
        agent = self.start_agent("a", server)
        self.start_reader().json_lines(3)
        start = time.monotonic()
        self.assertEqual(agent.stop(signal.SIGTERM), 0)
        self.assertLess(time.monotonic() - start, 5)
        agent.says(r"agent stopped batches=\d+ unsent=0")
        status, out, err = run("monitor-config", "--dir", f"{self.data}/monitor", "status", "--format", "json")
        self.assertEqual((status, json.loads(out)["state"]), (0, "stopped"), err)
        # The server does not respond: the drain waits until its limit, but a second signal ends it.
        agent = self.start_agent("a", server, "--drain-timeout", "60s", "--http", "127.0.0.1:0")
        agent.says("stream to the server established")
        server.send(signal.SIGSTOP)
        self.wait_for_a_batch_in_flight(agent)
        agent.send(signal.SIGTERM)
        agent.says("stopping; sending the remaining batches")
        self.assertIsNone(agent.process.poll())
        # Signals in quick succession count as one request; a person's second signal comes later.
        time.sleep(0.3)
        agent.send(signal.SIGINT)
        self.assertEqual(agent.ends(5), 128 + signal.SIGINT)

    def test_drain_ends_at_its_limit(self):
        self.configure("a", "--interval", "0.1")
        server = self.start_server()
        agent = self.start_agent("a", server, "--drain-timeout", "300ms", "--http", "127.0.0.1:0")
        self.start_reader().json_lines(1)
        server.send(signal.SIGSTOP)
        self.wait_for_a_batch_in_flight(agent)
        start = time.monotonic()
        self.assertEqual(agent.stop(), 0)
        self.assertLess(time.monotonic() - start, 3)

    def test_reports_a_data_folder_that_is_a_file(self):
        path = f"{self.data}/file"
        with open(path, "w", encoding="ascii") as out:
            out.write("x")
        for program, arguments in (("monitor-agent", []), ("monitor-server", ["--port", 0, "--http", "off", "--log", f"sqlite:{path}/sub/log.db"]), ("monitor", ["up"])):
            status, _, err = run(program, *arguments, "--data", f"{path}/sub")
            self.assertEqual(status, 74, (program, err))
            self.assertIn(path, err)

    def test_reports_a_read_only_data_folder(self):
        path = f"{self.data}/read-only"
        os.makedirs(path)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", path], capture_output=True, text=True, check=False)
        self.assertEqual(mounted.returncode, 0, mounted.stderr)
        try:
            for program, arguments in (("monitor-agent", ["--data", path]), ("monitor", ["up", "--data", path]),
                                       ("monitor-server", ["--port", 0, "--http", "off", "--log", f"sqlite:{path}/log.db"]),
                                       ("monitor-config", ["--agent-id", "a", "--interval", 1, "--dir", f"{path}/monitor"])):
                status, _, err = run(program, *arguments)
                self.assertEqual(status, 74, (program, err))
                self.assertIn(path, err)
                self.assertIn("Read-only file system", err)
        finally:
            subprocess.run(["umount", "-l", path], check=False)

    def test_error_names_the_damaged_log(self):
        path = f"{self.data}/log.db"
        with open(path, "wb") as out:
            out.write(b"this is no database" * 1000)
        status, _, err = run("monitor-server", "--log", f"sqlite:{path}", "--port", 0, "--http", "off", "--data", self.data)
        self.assertEqual(status, 74, err)
        self.assertIn(path, err)
        status, _, err = run("monitor-analysis", "get-metrics", "--log", f"sqlite:{path}", "--timeout", 5, "--data", self.data)
        self.assertEqual(status, 74, err)

    def test_rejects_a_second_agent_with_the_same_id_on_one_host(self):
        server = self.start_server()
        agent = self.start_agent("a", server)
        agent.says("agent started")
        status, _, err = run("monitor-agent", "--agent-id", "a", "--data", self.data, "--server", server.address)
        self.assertEqual(status, 75, err)
        self.assertIn(f"process {agent.process.pid}", err)

    def test_reports_two_hosts_with_one_agent_id_as_a_conflict(self):
        server = self.start_server()
        self.start_agent("a", server).says("stream to the server established")
        other = self.start("monitor-agent", "--agent-id", "a", "--server", server.address, "--data", f"{self.data}/other",
                           "--config-dir", f"{self.data}/monitor")
        other.says("stream to the server established")
        server.says(r"agent_id_conflict|agent id conflict|conflict")

    def test_error_names_the_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            status, _, err = run("monitor-server", "--port", port, "--http", "off", "--log", f"sqlite:{self.data}/log.db", "--data", self.data)
            self.assertEqual(status, 69, err)
            self.assertIn(str(port), err)
            status, _, err = run("monitor-agent", "--http", f"127.0.0.1:{port}", "--data", self.data)
            self.assertEqual(status, 69, err)
            self.assertIn("--http", err)

    def test_reports_unusable_addresses(self):
        log = ["--log", f"sqlite:{self.data}/log.db", "--data", self.data]
        for arguments in (["--listen", "203.0.113.1:50051", "--insecure", "--http", "off"], ["--port", 0, "--http", "203.0.113.1:9464"]):
            status, _, err = run("monitor-server", *log, *arguments)
            self.assertEqual(status, 69, err)
            self.assertIn("203.0.113.1", err)
        status, _, err = run("monitor", "up", "--data", self.data, "--port", 0, "--http", "203.0.113.1:9464")
        self.assertEqual(status, 69, err)

    def test_picks_a_free_port_on_any_address(self):
        server = self.start("monitor-server", "--log", f"sqlite:{self.data}/log.db", "--http", "off", "--data", self.data,
                            "--listen", "[::1]:0", "--listen", "127.0.0.1:0")
        first, second = (server.says(r"listening service=grpc address=(\S+)", n).group(1) for n in (1, 2))
        self.assertRegex(first, r"^\[::1\]:[1-9]\d*$")
        self.assertRegex(second, r"^127\.0\.0\.1:[1-9]\d*$")
        self.configure("a", "--interval", "0.1")
        self.start_agent("a", first).says("stream to the server established")

    def test_garbage_on_the_ports_disturbs_no_other_connection(self):
        server = self.start("monitor-server", "--log", f"sqlite:{self.data}/log.db", "--port", 0, "--http", "127.0.0.1:0", "--data", self.data)
        server.address = server.says(r"service=grpc address=(\S+)").group(1)
        http = server.says(r"service=http address=(\S+)").group(1)
        self.configure("a", "--interval", "0.1")
        agent = self.start_agent("a", server, "--http", "127.0.0.1:0")
        agent_http = agent.says(r"service=http address=(\S+)").group(1)
        garbage = [b"", b"\x00" * 5000, b"GET / HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + os.urandom(4000),
                   os.urandom(20000), b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", b"\xff" * 100]
        for address in (server.address, http, agent_http):
            host, port = address.rsplit(":", 1)
            for data in garbage:
                with socket.create_connection((host, int(port)), timeout=5) as s:
                    try:
                        s.sendall(data)
                        s.shutdown(socket.SHUT_WR)
                        s.settimeout(0.2)
                        s.recv(1000)
                    except OSError:
                        pass
        reader = self.start_reader()
        reader.json_lines(15)
        self.assertIsNone(server.process.poll())
        with urllib.request.urlopen(f"http://{agent_http}/metrics", timeout=5) as reply:
            text = reply.read().decode()
        self.assertIn("monitor_agent_connected 1", text)
        self.assertIn('monitor_agent_collector_success{collector="cpu"} 1', text)
        with urllib.request.urlopen(f"http://{http}/readyz", timeout=5) as reply:
            self.assertEqual(reply.status, 200)
        with self.assertRaises(urllib.error.HTTPError):
            urllib.request.urlopen(f"http://{http}/nothing", timeout=5)

    def test_a_missing_proc_file_disables_only_its_collector(self):
        root = f"{self.data}/host"
        os.makedirs(f"{root}/proc")
        with open(f"{root}/proc/meminfo", "w", encoding="ascii") as out:
            out.write("MemTotal: 1000 kB\nMemAvailable: 250 kB\n")
        status, out, err = run("monitor-agent", "--once", "--procfs", f"{root}/proc", "--sysfs", f"{root}/sys", "--data", self.data)
        self.assertEqual(status, 0, err)
        self.assertIn("75.0 %", out)
        self.assertIn("collector failed", err)

    def test_server_recovers_from_a_full_disk(self):
        disk = f"{self.data}/small"
        os.makedirs(disk)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk], capture_output=True, text=True, check=False)
        self.assertEqual(mounted.returncode, 0, mounted.stderr)
        try:
            server = self.start("monitor-server", "--log", f"sqlite:{disk}/log.db", "--port", 0, "--http", "off", "--data", self.data)
            server.address = server.says(r"service=grpc address=(\S+)").group(1)
            self.configure("a", "--interval", "0.05", "--metrics", "cpu", "memory")
            agent = self.start_agent("a", server)
            reader = self.start("monitor-analysis", "get-metrics", "--log", f"sqlite:{disk}/log.db", "--format", "json",
                                "--from", "earliest", "--data", self.data)
            reader.json_lines(5)
            with open(f"{disk}/ballast", "wb", buffering=0) as ballast:
                try:
                    while ballast.write(b"x" * 4096):
                        pass
                except OSError:
                    pass  # full
            server.says(r"(?i)full|no space|cannot")
            os.remove(f"{disk}/ballast")
            reader.json_lines(len(reader.out) + 40)
            self.assertEqual(agent.stop(), 0)
            agent.says(r"unsent=0")
            server.stop()
        finally:
            for program in self.running:
                program.kill()
            subprocess.run(["umount", "-l", disk], check=False)


if __name__ == "__main__":
    unittest.main()
