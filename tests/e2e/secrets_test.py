"""Passes secrets of every kind in every supported way; no program may show one of them."""
import base64
import json
import os
import resource
import signal
import stat
import subprocess
import sys
import tarfile
import unittest
import urllib.error
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
        server.says("listening service=http")
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

    def test_rejects_keys_that_others_may_write(self):
        key = self.file("mine.key", "no key", 0o602)
        for command in self.commands_with_key(key):
            status, _, err = run(*command)
            self.assertIn(status, (64, 74, 78), (command, err))
            self.assertIn(f"chmod go-w {key}", err)

    def test_rejects_keys_of_another_user(self):
        if os.geteuid() != 0:
            self.skipTest("only root can give a file to another user")
        key = self.file("theirs.key", "no key", 0o600)
        os.chown(key, 4242, 4242)
        for command in self.commands_with_key(key):
            status, _, err = run(*command)
            self.assertIn(status, (64, 74, 78), (command, err))
            self.assertRegex(err, f"{key}.* belongs to user 4242, not to root", command)
        ca = f"{self.data}/ca"
        os.mkdir(ca, 0o700)
        os.rename(key, f"{ca}/ca.key")
        for command in (["monitor-server", "--ca-dir", ca, "--data", self.data, "--log", f"sqlite:{self.data}/log.db", "--http", "off"],
                        ["monitor-server", "token", "create", "--ca-dir", ca, "--agent", "a"]):
            status, _, err = run(*command)
            self.assertEqual(status, 74, err)
            self.assertRegex(err, r"ca\.key: it belongs to user 4242")

    def commands_with_key(self, key):
        """Every program that takes a private key."""
        nowhere = f"127.0.0.1:{free_port()}"
        sqlite = f"sqlite:{self.data}/log.db"
        return (["monitor-server", "--tls-cert", key, "--tls-key", key, "--data", self.data, "--log", sqlite, "--http", "off"],
                ["monitor-agent", "--agent-id", "a", "--tls-ca", key, "--tls-cert", key, "--tls-key", key, "--data", self.data, "--server", nowhere],
                ["monitor-config", "list", "--etcd", nowhere, "--etcd-ca", key, "--etcd-cert", key, "--etcd-key", key],
                ["monitor-analysis", "serve", "--tls-cert", key, "--tls-key", key, "--data", self.data, "--log", sqlite, "--http", "127.0.0.1:0"],
                ["monitor-analysis", "get-metrics", "--kafka", nowhere, "--timeout", "0.1", "--kafka-property", f"ssl.key.location={key}"])

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


def forms_of(secret):
    """How a secret may appear: as it is, in base64 (an Authorization header), in hexadecimal."""
    return [secret, base64.b64encode(secret.encode()).decode().rstrip("="), secret.encode().hex()]


class PlantedSecretsTest(ProgramTest):
    """Plants a secret of every kind, runs the programs, and searches everything that they write or show."""

    def setUp(self):
        super().setUp()
        self.files = {}    # path -> secret
        self.secrets = []  # every text that must not appear

    def plant(self, name, text, *secrets):
        path = f"{self.data}/{name}"
        with open(path, "w", encoding="ascii", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
            file.write(text)
        self.files[path] = secrets
        self.secrets += secrets or [text.strip()]
        return path

    def plant_certificate(self, name):
        cert, key = f"{self.data}/{name}.pem", f"{self.data}/{name}.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
                        f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", cert],
                       check=True, capture_output=True)
        os.chmod(key, 0o600)
        with open(key, encoding="ascii") as file:
            body = [line for line in file.read().splitlines() if line and not line.startswith("-----")]
        self.files[key] = body
        self.secrets += body
        return cert, key

    def assert_clean(self, text, where):
        if isinstance(text, bytes):
            text = text.decode("latin-1")
        for secret in self.secrets:
            for form in forms_of(secret):
                self.assertNotIn(form, text, f"{where} shows a secret")

    def search_folder(self, folder):
        """Every file but the planted ones, and every file's name."""
        searched = 0
        for root, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(root, name)
                self.assert_clean(path, "a name")
                if path in self.files or not stat.S_ISREG(os.lstat(path).st_mode):
                    continue
                with open(path, "rb") as file:
                    self.assert_clean(file.read(), path)
                searched += 1
        return searched

    def search_process(self, program):
        for name in ("cmdline", "environ", "comm", "status"):
            with open(f"/proc/{program.process.pid}/{name}", "rb") as file:
                self.assert_clean(file.read(), f"/proc/PID/{name} of {program.name}")

    def start_all(self):
        """Server, agent and page with every secret that they take; etcd and Kafka are unreachable."""
        cert, key = self.plant_certificate("server")
        etcd = self.plant("etcd-password", "planted-etcd-password-7c1\n", "planted-etcd-password-7c1")
        kafka = self.plant("kafka.properties", "security.protocol=SASL_PLAINTEXT\nsasl.mechanisms=PLAIN\nsasl.username=alice\n"
                           "sasl.password=planted-kafka-password-9d2\n", "planted-kafka-password-9d2")
        token = self.plant("token", "planted-web-token-4b8\n", "planted-web-token-4b8")
        nowhere = f"127.0.0.1:{free_port()}"
        http = f"127.0.0.1:{free_port()}"
        agent_http = f"127.0.0.1:{free_port()}"
        log = f"sqlite:{self.data}/log.db"
        server = self.start("monitor-server", "--data", self.data, "--port", 0, "--http", http, "--log", log, "--log-level", "debug",
                            "--tls-cert", cert, "--tls-key", key)
        address = server.says(r"service=grpc address=127.0.0.1:(\d+)").group(1)
        # This server's log is on a Kafka that needs a password.
        kafka_server = self.start("monitor-server", "--data", self.data, "--port", 0, "--http", "off", "--kafka", nowhere, "--log-level",
                                  "debug", "--kafka-properties-file", kafka)
        agent = self.start("monitor-agent", "--agent-id", "a", "--data", self.data, "--server", f"localhost:{address}", "--tls-ca", cert,
                           "--etcd", nowhere, "--etcd-user", "alice", "--etcd-password-file", etcd, "--http", agent_http, "--log-level", "debug")
        page = self.start("monitor-analysis", "serve", "--data", self.data, "--log", log, "--http", "127.0.0.1:0", "--web-token-file", token,
                          "--etcd", nowhere, "--etcd-user", "alice", "--etcd-password-file", etcd, "--log-level", "debug")
        web = page.says(r"service=web address=(\S+)").group(1)
        agent.says("agent started")
        kafka_server.says("Kafka client")
        urls = [f"http://{http}/metrics", f"http://{agent_http}/metrics", f"http://{agent_http}/readyz", f"http://{web}/metrics"]
        urls += [f"http://{web}/{path}" for path in ("", "api/v1/status", "api/v1/fleet", "api/v1/config", "api/v1/openapi.json", "readyz")]
        options = ["--server", f"localhost:{address}", "--tls-ca", cert, "--log", log, "--page", f"http://{web}/", "--web-token-file", token,
                   "--etcd", nowhere, "--etcd-user", "alice", "--etcd-password-file", etcd]
        return [server, kafka_server, agent, page], urls, options, token, web

    def fetch(self, url, **headers):
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
                return answer.read()
        except urllib.error.HTTPError as answer:
            return answer.read()

    def test_nothing_that_programs_write_or_show_contains_a_secret(self):
        programs, urls, options, token, web = self.start_all()
        # A client that sends the token where it does not belong must not see it logged.
        self.fetch(f"http://{web}/api/v1/status?token=x", Authorization="Bearer planted-web-token-4b8")
        for url in urls:
            self.assert_clean(self.fetch(url), url)
        for program in programs:
            self.search_process(program)
        os.mkdir(f"{self.data}/logs", 0o700)
        with open(f"{self.data}/logs/monitor-agent.log", "w", encoding="ascii") as file:  # somebody's mistake
            file.write("curl -H 'Authorization: Bearer planted-web-token-4b8' https://bob:unplanted-url-password@host/\n")
        self.files[f"{self.data}/logs/monitor-agent.log"] = []
        bundle = f"{self.data}/bundle.tar.gz"
        status, out, err = run("monitor", "support-bundle", "-o", bundle, "--data", self.data, *options)
        self.assertEqual(status, 0, err)
        self.assert_clean(out + err, "support-bundle")
        self.assertEqual(stat.S_IMODE(os.stat(bundle).st_mode), 0o600)
        with tarfile.open(bundle) as archive:
            names = [member.name.split("/", 1)[1] for member in archive.getmembers()]
            for member in archive.getmembers():
                self.assertTrue(member.isfile(), member.name)
                text = archive.extractfile(member).read()
                self.assert_clean(text, f"the bundle's {member.name}")
                self.assertNotIn(b"unplanted-url-password", text)
                if member.name.endswith("/doctor.json"):
                    self.assertNotIn(b"[removed]", text, "the doctor shows no secret, so nothing may be missing from its words")
                    self.assertIn(b": mode 0600", text)
        for expected in ("doctor.json", "versions.txt", "contents.txt", "logs/monitor-agent.log", "data-folder.txt"):
            self.assertIn(expected, names)
        self.assertTrue([name for name in names if name.startswith("metrics/")], names)
        for program in programs:
            program.stop()
            self.assert_clean("\n".join(program.out + program.err), program.name)
        self.assertGreater(self.search_folder(self.data), 3)
        status, _, err = run("monitor", "support-bundle", "-o", bundle, "--data", self.data)
        self.assertEqual(status, 74, "an existing file is never replaced")
        self.assertIn("File exists", err)

    def family(self, program):
        """The process ids of the program and of everything that it started."""
        found, left = [], [program.process.pid]
        while left:
            pid = left.pop()
            found.append(pid)
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                    left += [int(child) for child in file.read().split()]
        return found

    def search_processes(self, programs):
        """What `ps` shows of all processes, and the environment of each of ours and of their children."""
        self.assert_clean(subprocess.run(["ps", "auxeww"], capture_output=True, check=True).stdout, "ps")
        searched = 0
        for program in programs:
            for pid in self.family(program):
                for name in ("cmdline", "environ", "comm", "status"):
                    with open(f"/proc/{pid}/{name}", "rb") as file:
                        self.assert_clean(file.read(), f"/proc/PID/{name} of {program.name}")
                searched += 1
        return searched

    def plant_file(self, path):
        """A file with a private key, which no other file may contain. The end of a key is its public half."""
        with open(path, encoding="ascii") as file:
            text = file.read()
        key = text[text.index("BEGIN PRIVATE KEY-----\n"):].splitlines()[1:3]
        self.assertEqual([len(line) for line in key], [64, 64])
        self.files[path] = key
        self.secrets += key

    def command(self, name, *arguments, stdin="", status=0):
        code, out, err = run(name, *arguments, stdin=stdin)
        self.assertEqual(code, status, out + err)
        return out, err

    def ask(self, web, method, path, body=None, **headers):
        request = urllib.request.Request(f"http://{web}{path}", method=method, data=body.encode() if body else None, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.headers, answer.read().decode()

    def start_joined(self):
        """A server with its CA, and an agent that joins and runs a plugin."""
        ca, log = f"{self.data}/ca", f"sqlite:{self.data}/log.db"
        http = f"127.0.0.1:{free_port()}"
        server = self.start("monitor-server", "--data", self.data, "--port", 0, "--http", http, "--log", log, "--log-level", "debug",
                            "--ca-dir", ca)
        address = server.says(r"service=grpc address=127.0.0.1:(\d+)").group(1)
        self.plant_file(f"{ca}/ca.key")
        self.plant_file(f"{ca}/server.pem")
        token, err = self.command("monitor-server", "token", "create", "--ca-dir", ca, "--agent", "a")
        file = self.plant("join-token", token, token.strip(), token.split("_")[2])
        self.assert_clean(err, "token create")
        out, err = self.command("monitor-server", "token", "revoke", token.strip(), "--ca-dir", ca, status=1)
        self.assert_clean(out + err, "token revoke with a whole token")
        agent_http = f"127.0.0.1:{free_port()}"
        options = ["--agent-id", "a", "--data", self.data, "--server", f"localhost:{address}", "--config-dir", f"{self.data}/monitor",
                   "--http", agent_http, "--log-level", "debug", "--join-token-file", file]
        agent = self.start("monitor-agent", *options)
        agent.says("stream to the server established")
        self.plant_file(f"{self.data}/agent/a/identity/identity.pem")
        # A second agent tries the used token.
        thief = self.start("monitor-agent", *["a2" if one == "a" else "off" if one == agent_http else one for one in options])
        thief.says("cannot join; retrying")
        urls = [f"http://{http}/metrics", f"http://{agent_http}/metrics", f"http://{agent_http}/readyz"]
        return [server, agent, thief], urls, log

    def start_page(self, log):
        """The page with a user, who logs in, an API token, and guesses that fail."""
        password, wrong = "planted-Passw0rd-of-ann", "planted-wr0ng-guess"
        self.secrets += [password, wrong]
        users = ["--users", f"{self.data}/users.json", "--data", self.data]
        out, err = self.command("monitor-analysis", "user", "add", "ann", "--role", "admin", *users, stdin=password + "\n")
        api_token, more = self.command("monitor-analysis", "api-token", "create", "--name", "ci", "--role", "editor", *users)
        api_token = api_token.strip()
        self.secrets.append(api_token)
        page = self.start("monitor-analysis", "serve", *users, "--log", log, "--http", "127.0.0.1:0", "--log-level", "debug",
                          "--dir", f"{self.data}/monitor", "--audit-log", f"{self.data}/audit.jsonl")
        web = page.says(r"service=web address=(\S+)").group(1)
        self.assert_clean(out + err + more, "user add and api-token create")
        login = lambda secret: self.ask(web, "POST", "/api/v1/login", f'{{"user":"ann","password":"{secret}"}}')  # noqa: E731
        status, headers, text = login(password)
        self.assertEqual(status, 200, text)
        cookie = headers["Set-Cookie"].split(";")[0]
        csrf = json.loads(self.ask(web, "GET", "/api/v1/session", Cookie=cookie)[2])["csrf"]
        self.secrets += [cookie.split("=")[1], csrf]
        self.assertEqual(login(wrong)[0], 401)
        # A password in the field of the name, and the like.
        for name in (password, wrong, api_token):
            body = json.dumps({"user": name, "password": "ann"})
            self.assertEqual(self.ask(web, "POST", "/api/ui/v1/login", body)[0], 401)
        page.says(r'login failed user="\(unknown user [0-9a-f]{8}\)"')
        document = "/api/v1/config/document?key=/monitor/config/a"
        for who in ({"Cookie": cookie, "X-CSRF-Token": csrf}, {"Authorization": f"Bearer {api_token}"}):
            # The document is refused, and its error is logged.
            self.assertGreaterEqual(self.ask(web, "PUT", document, '{"interval": "soon"}', **who)[0], 400)
        self.assertEqual(self.ask(web, "PUT", document, "{}", Cookie=cookie)[0], 403)
        self.assertEqual(self.ask(web, "PUT", document, "{}", Authorization=f"Bearer {api_token[:-1]}")[0], 401)
        who = {"Authorization": f"Bearer {api_token}"}
        shown = [self.ask(web, "GET", path, **who)[2] for path in ("/metrics", "/api/v1/status", "/api/v1/fleet", "/api/v1/config",
                                                                  "/api/v1/openapi.json", "/readyz")]
        shown.append(self.ask(web, "GET", "/api/v1/audit?limit=1000", Cookie=cookie)[2])
        self.assertIn("login.failed", shown[-1])
        self.assert_clean("".join(shown), "the page's API")
        return page, web

    def test_nothing_shows_tokens_passwords_sessions_or_keys(self):
        programs, urls, log = self.start_joined()
        page, web = self.start_page(log)
        for url in urls:
            self.assert_clean(self.fetch(url), url)
        self.assertGreaterEqual(self.search_processes([*programs, page]), 4)
        bundle = f"{self.data}/bundle.tar.gz"
        out, err = self.command("monitor", "support-bundle", "-o", bundle, "--data", self.data, "--page", f"http://{web}/", "--log", log,
                                *[option for url in urls for option in ("--metrics", url.rsplit("/", 1)[0])])
        self.assert_clean(out + err, "support-bundle")
        with tarfile.open(bundle) as archive:
            for member in archive.getmembers():
                self.assert_clean(archive.extractfile(member).read(), f"the bundle's {member.name}")
        os.remove(bundle)
        # The last words of programs that crash.
        for program in [*programs, page]:
            program.send(signal.SIGSEGV)
            program.ends()
            self.assert_clean("\n".join(program.out + program.err), program.name)
        self.assertEqual(self.secrets_found_in_wrong_place(), [])
        self.assertGreater(self.search_folder(self.data), 10)

    def secrets_found_in_wrong_place(self):
        """Files that hold a planted secret, and that others could read."""
        return [path for path in self.files if stat.S_IMODE(os.stat(path).st_mode) & 0o077]

    def test_a_program_with_secrets_leaves_no_core_file_and_hides_its_memory(self):
        def dumped(program):
            program.send(signal.SIGABRT)
            _, status = os.waitpid(program.process.pid, 0)
            program.process.returncode = -signal.SIGABRT
            return os.WCOREDUMP(status)

        limits = lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)  # noqa: E731
        nowhere = f"127.0.0.1:{free_port()}"
        common = ["--data", self.data, "--etcd", nowhere, "--server", nowhere, "--http", "off"]
        plain = self.start("monitor-agent", "--agent-id", "plain", *common, preexec_fn=limits, cwd=self.data)
        plain.says("agent started")
        password = self.plant("password", "planted-etcd-password-7c1\n")
        secret = self.start("monitor-agent", "--agent-id", "secret", *common, "--etcd-user", "alice", "--etcd-password-file", password,
                            preexec_fn=limits, cwd=self.data)
        secret.says("agent started")
        # The files of a process that may not be dumped belong to root.
        self.assertEqual(os.stat(f"/proc/{secret.process.pid}/environ").st_uid, 0)
        if os.geteuid() != 0:
            self.assertEqual(os.stat(f"/proc/{plain.process.pid}/environ").st_uid, os.geteuid())
            with self.assertRaises(PermissionError):
                open(f"/proc/{secret.process.pid}/mem", "rb").close()
        self.assertFalse(dumped(secret), "it left a core file")
        self.assertEqual([name for name in os.listdir(self.data) if name.startswith("core")], [])
        # The same signal dumps a process without secrets, so the above can fail. Not every machine writes core files.
        control = subprocess.run([sys.executable, "-c", "import os; os.abort()"], preexec_fn=limits, cwd=self.data, check=False)
        self.assertEqual(control.returncode, -signal.SIGABRT)
        if [name for name in os.listdir(self.data) if name.startswith("core")]:
            self.assertTrue(dumped(plain), "an agent without secrets leaves a core file")

    def test_another_program_of_the_same_user_cannot_read_the_memory(self):
        """As an ordinary user: gdb's gcore and /proc/PID/mem are refused."""
        if os.geteuid() != 0:
            self.skipTest("the test above checks it")  # this one needs root to become another user
        user = 65534
        password = self.plant("password", "planted-etcd-password-7c1\n")
        for path in (self.data, password):
            os.chown(path, user, user)
        nowhere = f"127.0.0.1:{free_port()}"
        common = ["--data", self.data, "--etcd", nowhere, "--server", nowhere, "--http", "off"]
        names = {"plain": [], "secret": ["--etcd-user", "alice", "--etcd-password-file", password]}
        readable = {}
        for name, options in names.items():
            agent = self.start("monitor-agent", "--agent-id", name, *common, *options, user=user, group=user, extra_groups=[])
            agent.says("agent started")
            read = subprocess.run(["/bin/sh", "-c", f": </proc/{agent.process.pid}/mem"], user=user, group=user, extra_groups=[],
                                  capture_output=True, check=False)
            readable[name] = read.returncode == 0
        self.assertEqual(readable, {"plain": True, "secret": False})


if __name__ == "__main__":
    unittest.main()
