"""Passes secrets of every kind in every supported way; no program may show one of them."""
import os
import sys
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ProgramTest, free_port, run  # noqa: E402

SECRET = "hunter2-s3cr3t-of-all"
LOG_COMMANDS = {
    "monitor-server": "MONITOR_SERVER",
    "get-metrics": "MONITOR_ANALYSIS",
    "ledger": "MONITOR_ANALYSIS",
    "top": "MONITOR_ANALYSIS",
    "serve": "MONITOR_ANALYSIS",
    "monitor-load": "MONITOR_LOAD",
}


class SecretsTest(ProgramTest):
    def file(self, name, text, mode=0o600):
        path = f"{self.data}/{name}"
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def log_command(self, name):
        if name == "monitor-server":
            return ["monitor-server", "--data", self.data]
        if name == "monitor-load":
            return ["monitor-load", "stream", "--verify"]
        return ["monitor-analysis", name, "--data", self.data]

    def refused(self, command, *arguments, env=None):
        status, out, err = run(*command, *arguments, env=env)
        self.assertEqual(status, 64, (command, arguments, err))
        self.assertNotIn(SECRET, out + err, command)
        return err

    def test_errors_about_kafka_settings_show_no_value(self):
        """Checks every program that accepts Kafka settings, by flag, environment and file."""
        typos = [f"sasl.pasword={SECRET}", f"sasl.password:{SECRET}", SECRET, f"={SECRET}", f"linger.ms={SECRET}",
                 f"security.protocol={SECRET}", f"debug=all,{SECRET}", f"acks={SECRET}"]
        server = self.log_command("monitor-server")
        for text in typos:
            self.refused(server, "--kafka-property", text)
            path = self.file("typo.properties", f"# settings\n\n{text}\n")
            if text != f"sasl.password:{SECRET}":  # this form is valid in a file
                self.assertIn(f"{path}: line 3: ", self.refused(server, "--kafka-properties-file", path))
        path = self.file("typo.properties", f"sasl.username=alice\nsasl.pasword={SECRET}\n")
        for name, prefix in LOG_COMMANDS.items():
            with self.subTest(name):
                command = self.log_command(name)
                said = self.refused(command, "--kafka-property", typos[0])
                self.assertIn("did you mean sasl.password?", said)
                said = self.refused(command, "--kafka-properties-file", path)
                self.assertIn(f"--kafka-properties-file: {path}: line 2: sasl.pasword: ", said)
                self.refused(command, env={f"{prefix}_KAFKA_PROPERTY": typos[0]})
                self.refused(command, env={f"{prefix}_KAFKA_PROPERTIES_FILE": path})

    def test_a_running_program_shows_no_secret(self):
        """Kafka is unreachable, and librdkafka logs at its most verbose level."""
        path = self.file("kafka.properties", f"security.protocol=SASL_PLAINTEXT\nsasl.mechanisms=PLAIN\nsasl.username=alice\n"
                                             f"sasl.password={SECRET}\ndebug=all\n")
        nowhere = f"127.0.0.1:{free_port()}"
        token = self.file("token", SECRET + "\n")
        http = f"127.0.0.1:{free_port()}"
        server = self.start("monitor-server", "--data", self.data, "--port", 0, "--http", http, "--kafka", nowhere,
                            "--log-level", "debug", "--kafka-properties-file", path)
        page = self.start("monitor-analysis", "serve", "--data", self.data, "--kafka", nowhere, "--http", "127.0.0.1:0",
                          "--log-level", "debug", "--kafka-properties-file", path, "--web-token-file", token)
        server.says("Kafka client")
        address = page.says(r"listening service=web address=(\S+)").group(1)
        page.says("Kafka client")
        shown = ""
        for url in (f"http://{http}/metrics", f"http://{address}/metrics", f"http://{address}/api/v1/status",
                    f"http://{address}/api/v1/openapi.json"):
            with urllib.request.urlopen(url, timeout=30) as answer:
                shown += answer.read().decode()
        for program in (server, page):
            program.stop()
            shown += "\n".join(program.out + program.err)
        self.assertNotIn(SECRET, shown)

    def test_the_command_line_overrides_the_file(self):
        path = self.file("kafka.properties", "security.protocol=SASL_PLAINTEXT\nsasl.mechanisms=PLAIN\nsasl.username=a\n"
                                             f"sasl.password={SECRET}\n")
        nowhere = f"127.0.0.1:{free_port()}"
        server = self.start("monitor-server", "--data", self.data, "--port", 0, "--http", "off", "--kafka", nowhere,
                            "--log-level", "debug", "--kafka-properties-file", path, "--kafka-property",
                            "security.protocol=plaintext")
        line = server.says(r"facility=FAIL text=.*/bootstrap: Connect").group(0)
        self.assertNotIn("sasl_plaintext", line)

    def test_rejects_secret_files_writable_by_others_and_warns_about_readable_ones(self):
        for mode, refused in ((0o600, False), (0o640, False), (0o644, False), (0o620, True), (0o602, True)):
            path = self.file("kafka.properties", f"sasl.password={SECRET}\n", mode)
            nowhere = f"127.0.0.1:{free_port()}"
            command = ["monitor-analysis", "get-metrics", "--kafka", nowhere, "--timeout", "0.1", "--kafka-properties-file", path]
            status, out, err = run(*command)
            self.assertNotIn(SECRET, out + err)
            self.assertEqual(status == 64, refused, (oct(mode), err))
            self.assertEqual("chmod go-w" in err, refused, err)
            self.assertEqual("can be read by every user" in err, mode == 0o644, err)

    def test_shows_no_etcd_password(self):
        path = self.file("password", SECRET + "\n", 0o644)
        nowhere = f"127.0.0.1:{free_port()}"
        agent = self.start("monitor-agent", "--agent-id", "a", "--data", self.data, "--etcd", nowhere, "--etcd-user", "alice",
                           "--etcd-password-file", path, "--log-level", "debug", "--server", nowhere)
        agent.says("the password file can be read by every user of this host")
        agent.says("agent started")
        agent.stop()
        self.assertNotIn(SECRET, "\n".join(agent.out + agent.err))
        os.chmod(path, 0o666)
        status, out, err = run("monitor-config", "list", "--etcd", nowhere, "--etcd-user", "alice", "--etcd-password-file", path)
        self.assertEqual(status, 74, err)
        self.assertIn("chmod go-w", err)
        self.assertNotIn(SECRET, out + err)

    def test_warns_about_world_readable_keys(self):
        key = self.file("server.key", "no key", 0o644)
        status, _, err = run("monitor-server", "--tls-cert", key, "--tls-key", key, "--data", self.data,
                             "--log", f"sqlite:{self.data}/log.db", "--http", "off")
        self.assertEqual(status, 74)
        self.assertRegex(err, r"WARNING the key of --tls-cert can be read by every user .*chmod o-r")

    def test_rejects_a_token_file_of_another_user(self):
        token = self.file("token", SECRET + "\n", 0o666)
        serve = ["monitor-analysis", "serve", "--data", self.data, "--log", f"sqlite:{self.data}/log.db", "--http",
                 "127.0.0.1:0", "--web-token-file", token]
        status, out, err = run(*serve)
        self.assertEqual(status, 74, err)
        self.assertIn(f"chmod go-w {token}", err)
        self.assertNotIn(SECRET, out + err)
        if os.geteuid() == 0:
            os.chmod(token, 0o600)
            os.chown(token, 4242, 4242)
            status, out, err = run(*serve)
            self.assertEqual(status, 74, err)
            self.assertRegex(err, "the token file .* belongs to user 4242, not to root")


if __name__ == "__main__":
    unittest.main()
