"""The whole path through the real programs: agents, server, log and reader; configuration changes at run time; recovery
of killed programs."""
import json
import os
import re
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ProgramTest, free_port, run, wait_until  # noqa: E402


def seconds(line):
    """Returns the exact time of a tick, in seconds since midnight."""
    hours, minutes, rest = re.search(r"T(\d+):(\d+):([\d.]+)Z", line["time"]).groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


class PathTest(ProgramTest):
    def test_three_agents_tick_at_their_own_intervals(self):
        server = self.start_server()
        for n in (1, 2, 3):
            self.configure(f"agent-{n}", "--interval", n)
            self.start_agent(f"agent-{n}", server, "--simulate")
        reader = self.start_reader()
        wait_until(lambda: sum('"agent-3"' in line for line in reader.out) >= 4, "four ticks of the slowest")
        lines = [json.loads(line) for line in list(reader.out)]
        for n in (1, 2, 3):
            mine = [line for line in lines if line["agent"] == f"agent-{n}"]
            self.assertGreaterEqual(len(mine), 4)
            self.assertEqual([line["sequence"] for line in mine], list(range(1, len(mine) + 1)))
            for a, b in zip(mine, mine[1:]):
                gap = (seconds(b) - seconds(a)) % 86400
                self.assertAlmostEqual(gap, n, delta=0.4, msg="the interval between ticks")
            names = [m["name"] for m in mine[0]["metrics"]]
            self.assertEqual(names.count("system.disk.io.rate"), 2)
            self.assertIn("system.cpu.utilization", names)

    def test_a_new_interval_applies_at_once(self):
        server = self.start_server()
        self.configure("a", "--interval", 60)
        agent = self.start_agent("a", server)
        reader = self.start_reader()
        reader.json_lines(1)
        self.configure("a", "--interval", "0.2", "--metrics", "cpu", "memory")
        agent.says(r"configuration applied revision=2 previous=1 source=\S+/config/a.json")
        lines = reader.json_lines(16)
        self.assertEqual(lines[0]["config_revision"], 1)
        changed = [line for line in lines if line["config_revision"] == 2]
        self.assertEqual(len(changed), 15)
        gaps = [(seconds(b) - seconds(a)) % 86400 for a, b in zip(changed, changed[1:])]
        self.assertAlmostEqual(sorted(gaps)[len(gaps) // 2], 0.2, delta=0.05)
        self.assertEqual({m["name"].split(".")[1] for m in changed[0]["metrics"]}, {"cpu", "memory"})

    def test_rejects_invalid_configuration_and_keeps_running(self):
        server = self.start_server()
        self.configure("a", "--interval", "0.1")
        agent = self.start_agent("a", server)
        reader = self.start_reader()
        reader.json_lines(1)
        path = f"{self.data}/monitor/config/a.json"
        with open(path, "w", encoding="utf-8") as out:
            out.write('{\n"interval": 1,\n"metrics": [\n"cpu",\n"cpuu"]}')
        agent.says(r'configuration refused revision=2 path=/metrics/1 line=5 got="cpuu" known="cpu"')
        seen = len(reader.out)
        lines = reader.json_lines(seen + 10)
        self.assertEqual(lines[-1]["config_revision"], 1)
        os.remove(path)
        agent.says(r"configuration deleted; the last good one stays applied")
        reader.json_lines(len(reader.out) + 5)

    def test_merges_defaults_groups_and_own_document(self):
        server = self.start_server()
        for args in (["--defaults", "interval=7", "labels={\"site\":\"eu\",\"rack\":\"1\"}"],
                     ["--group", "web", "labels={\"rack\":\"2\"}"], ["--agent-id", "a", "interval=0.2"]):
            status, _, err = run("monitor-config", "set", "--dir", f"{self.data}/monitor", *args)
            self.assertEqual(status, 0, err)
        self.start_agent("a", server, "--group", "web")
        self.start_reader().json_lines(2)
        batch = self.batches("a")[0]
        self.assertEqual(batch["resource"], {"site": "eu", "rack": "2"})

    def test_plugins_change_at_run_time_and_drops_are_in_the_ledger(self):
        server = self.start_server()
        self.configure("a", "--interval", "0.1", "--plugins", "agent.plugins.deduplication.DeduplicationPlugin",
                       '{"name":"filter","config":{"drop":"system.memory.*"}}')
        agent = self.start_agent("a", server)
        reader = self.start_reader()
        lines = reader.json_lines(3)
        self.assertFalse([m for line in lines for m in line["metrics"] if "memory" in m["name"]])
        self.configure("a", "--plugins")
        agent.says(r"plugin removed plugin=filter")
        reader.prints(r'"system.memory.usage"')
        agent.stop()
        made = int(agent.says(r"agent stopped batches=(\d+) unsent=0").group(1))
        self.assertEqual(self.batches("a")[-1]["sequence"], made)
        last = self.batches("a")[-1]["counters"]
        stored = sum(len(f["points"]) for b in self.batches("a") for f in b["frames"])
        dropped = sum(d["points"] for d in last["dropped"])
        self.assertTrue(any(d["reason"] == "filtered" for d in last["dropped"]))
        self.assertEqual(last["points_made"], stored + dropped, "every point is stored or dropped with a reason")

    def test_killed_server_loses_and_duplicates_nothing(self):
        port = free_port()
        server = self.start_server(port=port)
        self.configure("a", "--interval", "0.05", "--metrics", "cpu", "memory")
        agent = self.start_agent("a", server)
        reader = self.start_reader()
        for _ in range(3):
            reader.json_lines(len(reader.out) + 10)
            server.kill()
            agent.says(r"no stream to the server; batches are kept", count=1)
            server = self.start_server(port=port)
        reader.json_lines(len(reader.out) + 10)
        self.assertEqual(agent.stop(), 0)
        last = int(agent.says(r"agent stopped batches=(\d+) unsent=0").group(1))
        stored = [b["sequence"] for b in self.batches("a")]
        self.assertEqual(sorted(set(stored)), list(range(1, last + 1)), "every sequence is in the log")
        with_ticks = {b["sequence"] for b in self.batches("a") if b["frames"]}
        self.assertLessEqual(set(stored) - with_ticks, {last}, "only the final batch may be a heartbeat")
        reader.prints(rf'"sequence":{max(with_ticks)},')
        keys = [(line["sequence"], line["frame"]) for line in map(json.loads, list(reader.out))]
        self.assertEqual(len(keys), len(set(keys)), "the reader prints no batch twice")
        self.assertEqual({k[0] for k in keys}, with_ticks)

    def test_agent_delivers_batches_collected_before_the_server_started(self):
        port = free_port()
        self.configure("a", "--interval", "0.1")
        agent = self.start_agent("a", f"127.0.0.1:{port}")
        agent.says("no stream to the server")
        self.start_server(port=port)
        lines = self.start_reader().json_lines(15)
        self.assertEqual(lines[0]["sequence"], 1, "includes the batches collected before")

    def test_server_and_agent_continue_after_a_freeze(self):
        server = self.start_server()
        self.configure("a", "--interval", "0.1")
        agent = self.start_agent("a", server)
        reader = self.start_reader()
        reader.json_lines(5)
        server.send(signal.SIGSTOP)
        server.send(signal.SIGCONT)
        reader.json_lines(20)
        agent.send(signal.SIGSTOP)
        agent.send(signal.SIGCONT)
        reader.json_lines(40)

    def test_reader_groups_resume_and_are_independent(self):
        server = self.start_server()
        self.configure("a", "--interval", "0.1")
        self.start_agent("a", server)
        first = self.start_reader("--group-id", "team", "--count", 10)
        self.assertEqual(first.ends(), 0)
        second = self.start("monitor-analysis", "get-metrics", "--log", f"sqlite:{self.data}/log.db", "--format", "json",
                            "--group-id", "team", "--count", 10, "--data", self.data)
        self.assertEqual(second.ends(), 0)
        a = [(json.loads(x)["sequence"], json.loads(x)["frame"]) for x in first.out]
        b = [(json.loads(x)["sequence"], json.loads(x)["frame"]) for x in second.out]
        self.assertEqual(len(a), 10)
        self.assertLessEqual(a[-1], b[0], "continues where the first reader stopped")
        other = self.start_reader("--group-id", "other", "--count", 3)
        self.assertEqual(other.ends(), 0)
        self.assertEqual(json.loads(other.out[0])["sequence"], 1)

    def test_tls_rejects_plain_text_and_wrong_server_names(self):
        done = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                               "-keyout", f"{self.data}/key.pem", "-out", f"{self.data}/cert.pem", "-days", "2", "-subj", "/CN=x",
                               "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        server = self.start_server("--tls-cert", f"{self.data}/cert.pem", "--tls-key", f"{self.data}/key.pem")
        self.assertTrue(server.address.startswith("127.0.0.1:"), f"TLS alone does not open the port to other hosts: {server.address}")
        server.says("agents are accepted from this host only")
        open_server = self.start("monitor-server", "--log", f"sqlite:{self.data}/open.db", "--http", "off", "--data", self.data,
                                 "--tls-cert", f"{self.data}/cert.pem", "--tls-key", f"{self.data}/key.pem", "--listen", "0.0.0.0:0")
        open_server.says(r"listening service=grpc address=0\.0\.0\.0:\d+ tls=true")
        self.configure("a", "--interval", "0.2")
        self.start_agent("a", server, "--tls-ca", f"{self.data}/cert.pem")
        self.start_reader().json_lines(3)
        plain = self.start_agent("plain", server)
        plain.says("no stream to the server")
        stranger = self.start_agent("stranger", server, "--tls-ca", f"{self.data}/cert.pem", "--tls-server-name", "elsewhere")
        stranger.says("no stream to the server.*(?i:certificate|name|mismatch)")

    def test_each_server_is_verified_by_its_own_name(self):
        servers = []
        for name, alternative in (("localhost", "DNS:localhost"), ("127.0.0.1", "IP:127.0.0.1")):
            certificate, key = f"{self.data}/{name}.pem", f"{self.data}/{name}.key"
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                            "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", f"/CN={name}",
                            "-addext", f"subjectAltName={alternative}"], capture_output=True, check=True)
            server = self.start("monitor-server", "--log", f"sqlite:{self.data}/{name}.db", "--listen", "127.0.0.1:0",
                                "--http", "off", "--data", self.data, "--tls-cert", certificate, "--tls-key", key)
            address = server.says(r"listening service=grpc address=(\S+)").group(1)
            server.target = f"{name}:{address.rsplit(':', 1)[1]}"
            servers.append(server)
        with open(f"{self.data}/ca.pem", "w", encoding="ascii") as both:
            for name in ("localhost", "127.0.0.1"):
                with open(f"{self.data}/{name}.pem", encoding="ascii") as one:
                    both.write(one.read())
        self.configure("a", "--interval", "0.2")
        agent = self.start_agent("a", ",".join(server.target for server in servers), "--tls-ca", f"{self.data}/ca.pem")
        first = agent.says(r"stream to the server established server=(\S+)").group(1)
        next(server for server in servers if server.target == first).stop()
        second = agent.says(r"stream to the server established server=(\S+)", count=2).group(1)
        self.assertEqual({first, second}, {server.target for server in servers})

    def test_json_encoding_is_readable_and_mixes_with_binary(self):
        server = self.start_server()
        self.configure("a", "--interval", "0.1")
        agent = self.start_agent("a", server, "--simulate")
        reader = self.start_reader()
        reader.json_lines(12)
        port = int(server.address.rsplit(":", 1)[1])
        self.assertEqual(server.stop(), 0)
        self.start_server("--encoding", "json", port=port)
        reader.json_lines(40)
        agent.stop()
        from decode_batch import read_sqlite

        kinds = {headers["content-type"]: value for _, _, _, headers, value in read_sqlite(f"{self.data}/log.db")}
        self.assertEqual(set(kinds), {"application/x-protobuf", "application/json"})
        documents = [json.loads(value) for _, _, _, headers, value in read_sqlite(f"{self.data}/log.db")
                     if headers["content-type"] == "application/json"]
        self.assertEqual(documents[0]["agent"], "a")
        self.assertIn("metrics", documents[0]["frames"][0])
        self.assertEqual([document.get("final", False) for document in documents], [False] * (len(documents) - 1) + [True])


if __name__ == "__main__":
    unittest.main()
