"""Who may do what on the page's server: roles of every route, sessions, tokens, proxies, TLS, headers, the audit log."""
import contextlib
import glob
import http.client
import json
import os
import pty
import socket
import ssl
import stat
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import BIN, ROOT, free_port, run, wait_until  # noqa: E402
from web import PageTest  # noqa: E402

PASSWORD = "correct horse battery"
RANKS = {"none": 0, "viewer": 1, "editor": 2, "admin": 3}
ROLES = ("viewer", "editor", "admin")
DEFAULTS = "/api/v1/config/document?key=/monitor/defaults"


class Reply:
    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text

    def json(self):
        return json.loads(self.text)


class AccessTest(PageTest):
    def setUp(self):
        super().setUp()
        self.users = f"{self.data}/users.json"
        self.audit = f"{self.data}/audit.jsonl"

    def command(self, *arguments, status=0, stdin="", default=True):
        """Runs `monitor-analysis`, and returns its standard output and error."""
        code, out, err = run("monitor-analysis", *arguments, *(["--users", self.users] if default else []), "--data", self.data, stdin=stdin)
        self.assertEqual(code, status, err)
        return out, err

    def add_user(self, name, role, password=PASSWORD):
        self.command("user", "add", name, "--role", role, stdin=password + "\n")

    def serve_users(self, *arguments):
        for role in ROLES:
            self.add_user(role, role)
        self.start_server()
        return self.serve("--users", self.users, "--audit-log", self.audit, "--dir", f"{self.data}/monitor", *arguments)

    def ask(self, method, path, body=None, source=None, read=True, **headers):
        """Sends a request; underscores in the names of headers are hyphens."""
        connection = http.client.HTTPConnection(self.page.address, timeout=20, source_address=(source, 0) if source else None)
        self.addCleanup(connection.close)
        connection.request(method, path, body=body, headers={k.replace("_", "-"): v for k, v in headers.items() if v is not None})
        answer = connection.getresponse()
        return Reply(answer.status, answer.headers, answer.read().decode() if read else "")

    def log_in(self, user, password=PASSWORD, **more):
        return self.ask("POST", "/api/v1/login", body=json.dumps({"user": user, "password": password}), **more)

    def session(self, user):
        """Logs in, and returns the headers of a change."""
        answer = self.log_in(user)
        self.assertEqual(answer.status, 200, answer.text)
        cookie = answer.headers["Set-Cookie"].split(";")[0]
        return {"Cookie": cookie, "X_CSRF_Token": self.ask("GET", "/api/v1/session", Cookie=cookie).json()["csrf"]}

    def events(self):
        with open(self.audit, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def routes(self, who):
        """Returns (method, target, role) of every route in the description."""
        document = self.ask("GET", "/api/v1/openapi.json", **who).json()
        found = []
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                given = [f"{one['name']}={one.get('example', 'fleet' if one['name'] == 'topic' else 'agent-001')}"
                         for one in operation["parameters"] if one["in"] == "query" and one["required"]]
                target = path.replace("{agent}", "agent-001").replace("{name}", "agent") + ("?" + "&".join(given) if given else "")
                found.append((method.upper(), target, operation["x-role"]))
                self.assertEqual(operation["security"], [] if operation["x-role"] == "none" else [{"session": []}, {"token": []}])
        self.assertGreaterEqual(len(found), 20)
        self.assertEqual({role for _, _, role in found}, set(RANKS))
        return found

    def test_every_route_needs_its_role(self):
        self.serve_users()
        sessions = {role: self.session(role) for role in ROLES}
        tokens = {role: self.command("api-token", "create", "--name", f"t-{role}", "--role", role)[0].strip() for role in ROLES}
        wait_until(lambda: self.ask("GET", "/api/v1/status", Authorization=f"Bearer {tokens['admin']}").status == 200, "the tokens")
        for method, target, role in self.routes(sessions["admin"]):
            change = method != "GET" and not target.startswith("/api/v1/")  # a query by POST changes nothing
            where = f"{method} {target} ({role})"

            def status(method=method, target=target, change=change, **headers):
                return self.ask(method, target, body="{}" if change else None, read=False, **headers).status

            if role == "none":
                self.assertNotIn(status(), (401, 403), where)
            else:
                self.assertEqual(status(), 401, where)
                self.assertEqual(status(Cookie="monitor-session=" + "0" * 64, X_CSRF_Token="0" * 64), 401, where)
                self.assertEqual(status(X_Forwarded_User="admin", X_User="admin"), 401, where)
            if change:
                for origin in ({"Origin": "http://evil.example"}, {"Sec_Fetch_Site": "cross-site"}):
                    self.assertEqual(status(**origin), 403, where)
                    self.assertEqual(status(**sessions["admin"], **origin), 403, where)
                    self.assertEqual(status(Authorization=f"Bearer {tokens['admin']}", **origin), 403, where)
                if role != "none":
                    self.assertEqual(status(Cookie=sessions["admin"]["Cookie"]), 403, where)
                    self.assertEqual(status(Cookie=sessions["admin"]["Cookie"], X_CSRF_Token=sessions["editor"]["X_CSRF_Token"]), 403, where)
            for name in ROLES:
                for who in (sessions[name], {"Authorization": f"Bearer {tokens[name]}"}):
                    if target.endswith("/logout") and "Cookie" in who:
                        who = self.session(name)
                    got = status(**who)
                    if RANKS[name] >= RANKS[role]:
                        self.assertNotIn(got, (401, 403) if role != "none" else (403,), f"{where} as {name}")
                    else:
                        self.assertEqual(got, 403, f"{where} as {name}")
        for path, anonymous in (("/", 200), ("/app.js", 200), ("/healthz", 200), ("/readyz", 200), ("/metrics", 401)):
            self.assertEqual(self.ask("GET", path).status, anonymous, path)
            self.assertEqual(self.ask("GET", path, **sessions["viewer"]).status, 200, path)

    def test_headers_are_what_a_scanner_expects(self):
        self.serve_users()
        viewer = self.session("viewer")
        login = self.log_in("viewer")
        seen = [("login", login), ("wrong", self.log_in("viewer", "wrong password")), ("malformed", self.ask("POST", "/api/v1/login", body="{"))]
        for path in ("/", "/app.js", "/app.css", "/icon.svg", "/nosuch", "/healthz", "/metrics", "/api/v1/fleet", "/api/v1/session",
                     "/api/v1/nosuch", "/api/v1/range", "/robots.txt", "/.git/config", "/%2e%2e/etc/passwd"):
            seen += [(path, self.ask("GET", path)), (path, self.ask("GET", path, **viewer))]
        for method in ("OPTIONS", "TRACE", "DELETE", "PATCH"):
            seen.append((method, self.ask(method, "/api/v1/fleet", Origin="http://evil.example")))
            self.assertEqual(seen[-1][1].status, 405)
        stream = self.ask("GET", "/api/v1/stream?topic=fleet", read=False, **viewer)
        for name, answer in [*seen, ("stream", stream)]:
            headers = answer.headers
            policy = dict(one.strip().split(" ", 1) for one in headers["Content-Security-Policy"].split(";"))
            self.assertEqual(policy["default-src"], "'none'", name)
            for directive in ("frame-ancestors", "base-uri", "form-action"):
                self.assertEqual(policy[directive], "'none'", name)
            self.assertNotRegex(headers["Content-Security-Policy"], r"unsafe|\*|http:", name)
            for header, value in (("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"), ("Referrer-Policy", "no-referrer"),
                                  ("Cross-Origin-Opener-Policy", "same-origin"), ("Cross-Origin-Resource-Policy", "same-origin"),
                                  ("Cross-Origin-Embedder-Policy", "require-corp"), ("Cache-Control", "no-store")):
                self.assertEqual(headers[header], value, name)
            self.assertIn("camera=()", headers["Permissions-Policy"])
            for absent in ("Server", "X-Powered-By", "Access-Control-Allow-Origin", "Strict-Transport-Security"):
                self.assertIsNone(headers[absent], name)
            self.assertRegex(headers["Content-Type"], r"^(text/\w+; (version=[\d.]+; )?charset=utf-8|application/json|image/svg\+xml|text/event-stream)$")
        self.assertRegex(login.headers["Set-Cookie"], r"^monitor-session=[0-9a-f]{64}; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200$")
        self.assertEqual([name for name, one in seen if one.headers["Set-Cookie"]], ["login"])

    def test_unknown_users_and_wrong_passwords_look_the_same(self):
        self.serve_users()

        def measured(user):
            answers, times = [], []
            for _ in range(3):
                start = time.monotonic()
                answers.append(self.log_in(user, "wrong password"))
                times.append(time.monotonic() - start)
            self.assertEqual({one.status for one in answers}, {401})
            self.assertTrue(all(one.headers["Set-Cookie"] is None for one in answers))
            return answers[0].text, min(times)

        known, known_time = measured("viewer")
        unknown, unknown_time = measured("nobody")
        self.assertEqual(known, unknown)
        # Without a password to compare, an answer would take a hundredth of the time.
        self.assertGreater(unknown_time, known_time / 3)
        self.assertLess(unknown_time, known_time * 3)

    def test_a_session_ends_by_logout_expiry_and_removal_and_takes_its_streams_with_it(self):
        self.serve_users("--session-idle", "6s")
        given = "monitor-session=" + "0" * 64
        answer = self.log_in("editor", Cookie=given)
        self.assertNotIn(given, answer.headers["Set-Cookie"], "an id that the client chose is not adopted")
        ended = self.session("editor")
        self.assertEqual(self.ask("POST", "/api/v1/logout", **ended).status, 200)
        self.assertEqual(self.ask("GET", "/api/v1/fleet", **ended).status, 401)

        admin, viewer = self.session("admin"), self.session("viewer")
        streams = {}
        for name, who in (("viewer", viewer), ("admin", admin)):
            connection = http.client.HTTPConnection(self.page.address, timeout=20)
            self.addCleanup(connection.close)
            connection.request("GET", "/api/v1/stream?topic=fleet", headers={"Cookie": who["Cookie"]})
            streams[name] = connection.getresponse()
            self.assertEqual(streams[name].status, 200)
        self.command("user", "remove", "viewer")
        start = time.monotonic()
        with self.assertRaises((http.client.IncompleteRead, ConnectionError)):
            streams["viewer"].read()
        self.assertLess(time.monotonic() - start, 8)
        self.assertEqual(self.ask("GET", "/api/v1/fleet", **viewer).status, 401)
        start = time.monotonic()
        with self.assertRaises((http.client.IncompleteRead, ConnectionError)):
            streams["admin"].read()  # idle: a stream is no use of its session
        self.assertLess(time.monotonic() - start, 15)
        self.assertEqual(self.ask("GET", "/api/v1/fleet", **admin).status, 401)

    def test_manages_users_and_tokens_by_commands(self):
        self.add_user("ann", "viewer")
        self.assertEqual(stat.S_IMODE(os.stat(self.users).st_mode), 0o600)
        with open(self.users, encoding="utf-8") as file:
            self.assertRegex(file.read(), r'"scrypt:65536:8:2:[0-9a-f]{32}:[0-9a-f]{64}"')
        self.assertIn("exists already", self.command("user", "add", "ann", "--role", "admin", stdin=PASSWORD, status=1)[1])
        self.assertIn("expected 12 to 1024", self.command("user", "add", "bob", "--role", "admin", stdin="short", status=64)[1])
        self.command("user", "add", "b/b", "--role", "admin", stdin=PASSWORD, status=64)
        self.command("user", "add", "bob", "--role", "root", stdin=PASSWORD, status=64)
        self.command("user", "add", "bob", "--role", "admin", "--password", PASSWORD, status=64)
        self.command("user", "role", "ann", "--role", "editor")
        self.assertRegex(self.command("user", "list")[0], r"(?m)^ann +editor +20\d\d-")
        token = self.command("api-token", "create", "--name", "ci", "--role", "viewer", "--for", "30d")[0].strip()
        self.assertRegex(token, r"^monitor-token-[0-9a-f]{64}$")
        with open(self.users, encoding="utf-8") as file:
            self.assertNotIn(token[len("monitor-token-"):], file.read())
        self.assertRegex(self.command("api-token", "list")[0], r"(?m)^ci +viewer +20\d\d-\S+ +20\d\d-")
        self.start_server()
        self.serve("--users", self.users)
        self.assertEqual(self.ask("GET", "/api/v1/fleet", Authorization=f"Bearer {token}").status, 200)
        self.command("api-token", "revoke", "ci")
        wait_until(lambda: self.ask("GET", "/api/v1/fleet", Authorization=f"Bearer {token}").status == 401, "the token to be revoked")
        self.command("api-token", "revoke", "ci", status=1)
        for life in ("0s", "4000d", "90"):
            self.command("api-token", "create", "--name", "other", "--role", "viewer", "--for", life, status=64)
        missing = ["--users", f"{self.data}/none/users.json", "--data", self.data]
        for arguments in (["user", "add", "ann", "--role", "admin"], ["user", "list"], ["user", "remove", "ann"]):
            code, _, err = run("monitor-analysis", *arguments, *missing, stdin=PASSWORD)
            self.assertEqual(code, 74, err)
            self.assertIn(f"{self.data}/none/users.json", err)
        old = self.session("ann")
        self.command("user", "passwd", "ann", stdin="another password\n")
        wait_until(lambda: self.ask("GET", "/api/v1/fleet", **old).status == 401, "the session to end with the password")
        self.assertEqual(self.log_in("ann").status, 401)
        self.assertEqual(self.log_in("ann", "another password").status, 200)
        with open(self.users, "w", encoding="utf-8") as file:
            file.write("{")
        self.page.says("the users file cannot be read; the users and tokens read before stay in force")
        self.assertEqual(self.log_in("ann", "another password").status, 200)
        self.assertIn("users.json: the users file", self.command("user", "list", status=64)[1])

    def at_terminal(self, *lines):
        """Runs `user add ann` on a terminal, and types the lines. Returns its status and what the terminal showed."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(os.path.join(BIN, "monitor-analysis"), ["monitor-analysis", "user", "add", "ann", "--role", "admin", "--users", self.users])
        shown = b""
        for line in (*lines, None):
            with contextlib.suppress(OSError):  # the program has closed the terminal
                while line is None or not shown.endswith(b": "):
                    shown += os.read(terminal, 1)
            if line is not None:
                shown += b"|"
                os.write(terminal, line.encode())
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()

    def test_asks_for_a_password_without_showing_it(self):
        status, shown = self.at_terminal(PASSWORD + "\n", PASSWORD + "\n")
        self.assertEqual(status, 0, shown)
        self.assertEqual(shown.split(), "New password: | New password again: |".split())
        self.assertRegex(self.command("user", "list")[0], r"(?m)^ann +admin")
        self.command("user", "remove", "ann")
        status, shown = self.at_terminal(PASSWORD + "\n", "another password\n")
        self.assertEqual(status, 64, shown)
        self.assertIn("the passwords differ; nothing was changed", shown)
        status, shown = self.at_terminal("\x03")
        self.assertEqual(status, 1, shown)
        self.assertIn("no password was given; nothing was changed", shown)
        self.assertNotIn("ann", self.command("user", "list")[0])

    def test_audits_logins_changes_and_refusals_without_secrets(self):
        page = self.serve_users()
        self.assertEqual(self.log_in("editor", "wrong password").status, 401)
        viewer, editor, admin = (self.session(name) for name in ROLES)
        first = self.ask("PUT", DEFAULTS, body=json.dumps({"base": None, "value": '{"interval": 2, "labels": {"api_token": "hunter2"}}'}), **editor)
        self.assertEqual(first.status, 200, first.text)
        self.assertEqual(self.ask("PUT", DEFAULTS, body=json.dumps({"base": first.json()["tag"], "value": '{"interval": 3}'}), **editor).status, 200)
        self.assertEqual(self.ask("PUT", DEFAULTS, body="{}", **viewer).status, 403)
        self.assertEqual(self.ask("POST", "/api/v1/logout", **viewer).status, 200)
        events = self.events()
        self.assertEqual([(e["event"], e.get("who")) for e in events],
                         [("login.failed", "editor"), ("login", "viewer"), ("login", "editor"), ("login", "admin"), ("config.change", "editor"),
                          ("config.change", "editor"), ("refused", "viewer"), ("logout", "viewer")])
        self.assertEqual((events[4]["before"], events[4]["after"]["interval"], events[4]["object"]), (None, 2, "/monitor/defaults"))
        self.assertEqual((events[5]["before"]["interval"], events[5]["after"]), (2, {"interval": 3}))
        self.assertEqual((events[5]["by"], events[5]["role"]), ("session", "editor"))
        self.assertTrue(all(e["address"].startswith("127.0.0.1:") for e in events))
        self.assertEqual(stat.S_IMODE(os.stat(self.audit).st_mode), 0o600)
        shown = self.ask("GET", "/api/v1/audit?limit=2", **admin).json()
        self.assertEqual(([e["event"] for e in shown["events"]], shown["file"]), (["logout", "refused"], self.audit))
        page.says("configuration changed by the page who=editor")
        self.command("user", "role", "viewer", "--role", "editor")
        wait_until(lambda: self.events()[-1]["event"] == "user.role", "the changed role in the audit log")
        with open(self.audit, encoding="utf-8") as file:
            text = file.read() + "\n".join(page.err)
        for secret in ("hunter2", PASSWORD, "wrong password", viewer["Cookie"].split("=")[1], editor["X_CSRF_Token"], "scrypt:"):
            self.assertNotIn(secret, text)

    def test_trusts_the_header_of_a_proxy_from_its_address_only(self):
        self.start_server()
        self.serve("--trusted-proxy", "127.0.0.2", "--proxy-user-header", "X-User", "--proxy-role-header", "X-Role", "--dir", f"{self.data}/monitor")
        self.assertEqual(self.ask("GET", "/api/v1/fleet").status, 401)
        self.assertEqual(self.ask("GET", "/api/v1/fleet", X_User="ann").status, 401)
        known = self.ask("GET", "/api/v1/session", source="127.0.0.2", X_User="ann", X_Role="editor").json()
        self.assertEqual((known["user"], known["by"], known["role"], known["logins"]), ("ann", "proxy", "editor", False))
        body = json.dumps({"base": None, "value": '{"interval": 2}'})
        self.assertEqual(self.ask("PUT", DEFAULTS, body=body, source="127.0.0.2", X_User="ann", X_Role="editor").status, 403)
        self.assertEqual(self.ask("PUT", DEFAULTS, body=body, source="127.0.0.2", X_User="ann", X_CSRF_Token=known["csrf"]).status, 403)
        self.assertEqual(self.ask("PUT", DEFAULTS, body=body, source="127.0.0.2", X_User="ann", X_Role="editor", X_CSRF_Token=known["csrf"]).status, 200)
        self.assertEqual(self.log_in("ann").status, 403)

    def certificate(self, name):
        done = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                               f"{self.data}/{name}.key", "-out", f"{self.data}/{name}.crt", "-days", "1", "-subj", f"/CN={name}",
                               "-addext", "subjectAltName=IP:127.0.0.1"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def shown_certificate(self):
        return ssl.get_server_certificate(tuple(self.page.address.rsplit(":", 1)))

    def test_serves_over_tls_with_secure_cookies_and_replaces_its_certificate(self):
        for name in ("first", "second"):
            self.certificate(name)
        for name in ("first", "second"):
            with open(f"{self.data}/{name}.crt", encoding="ascii") as file:
                setattr(self, name, file.read().strip())
        self.add_user("ann", "admin")
        self.start_server()
        page = self.serve("--users", self.users, "--tls-cert", f"{self.data}/first.crt", "--tls-key", f"{self.data}/first.key")
        page.says(r"web page url=https://")
        trusted = ssl.create_default_context(cafile=f"{self.data}/first.crt")
        connection = http.client.HTTPSConnection(page.address, timeout=20, context=trusted)
        self.addCleanup(connection.close)
        connection.request("POST", "/api/v1/login", body=json.dumps({"user": "ann", "password": PASSWORD}))
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.headers["Strict-Transport-Security"]), (200, "max-age=31536000"))
        self.assertRegex(answer.headers["Set-Cookie"], r"^__Host-monitor-session=[0-9a-f]{64}; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200; Secure$")
        answer.read()
        cookie = answer.headers["Set-Cookie"].split(";")[0]
        # A body of many TLS records arrives whole.
        largest = max(glob.glob(f"{ROOT}/src/ui/web/bundle/*.js"), key=os.path.getsize)
        connection.request("GET", f"/{os.path.basename(largest)}")
        with open(largest, "rb") as file:
            self.assertEqual(connection.getresponse().read(), file.read())
        connection.request("GET", "/api/v1/stream?topic=fleet", headers={"Cookie": cookie})
        stream = connection.getresponse()
        self.assertIn(b"retry: 1000", stream.fp.readline() + stream.fp.readline() + stream.fp.readline())
        for version, accepted in (("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)):
            done = subprocess.run(["openssl", "s_client", "-connect", page.address, version, "-cipher", "ALL:@SECLEVEL=0"],
                                  input="", capture_output=True, text=True, check=False, timeout=20)
            self.assertEqual("BEGIN CERTIFICATE" in done.stdout, accepted, f"{version}: {done.stderr}")
        with socket.create_connection(page.address.rsplit(":", 1), timeout=20) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                self.assertNotIn(b"HTTP/1.1 200", plain.recv(4096))
        self.assertEqual(self.shown_certificate().strip(), self.first)
        for kind in ("key", "crt"):
            os.replace(f"{self.data}/second.{kind}", f"{self.data}/first.{kind}")
        wait_until(lambda: self.shown_certificate().strip() == self.second, "the new certificate")
        with open(f"{self.data}/first.key", "w", encoding="ascii") as file:
            file.write("damaged")
        page.says("the page's new certificate cannot be used; the old one stays in force")
        self.assertEqual(self.shown_certificate().strip(), self.second)

    def test_other_hosts_reach_the_page_only_over_tls_and_with_a_login(self):
        self.certificate("page")
        self.add_user("ann", "admin")
        self.start_server()
        tls = ["--tls-cert", f"{self.data}/page.crt", "--tls-key", f"{self.data}/page.key"]
        users = ["--users", self.users]
        for more, reason in (([], "without TLS"), (users, "without TLS"), (tls, "everybody could read the page"), (tls[:2], "need each other"),
                             (["--proxy-user-header", "X-User"], "needs --trusted-proxy"),
                             (["--trusted-proxy", "10.0.0.7/8"], "bits behind its prefix"), (["--trusted-proxy", "10.0.0.0/8"], "nobody can log in"),
                             (["--insecure", *users, "--session-idle", "2h", "--session-max", "1h"], "--session-idle")):
            status, _, err = run("monitor-analysis", "serve", "--log", f"sqlite:{self.data}/log.db", "--data", self.data, "--http", "0.0.0.0:0", *more)
            self.assertEqual(status, 64, err)
            self.assertIn(reason, err)
        missing = run("monitor-analysis", "serve", "--log", f"sqlite:{self.data}/log.db", "--data", self.data, "--http", "127.0.0.1:0",
                      "--users", f"{self.data}/nosuch.json")
        self.assertNotEqual(missing[0], 0)
        self.assertRegex(missing[2], r"nosuch\.json.*add the first user with: monitor-analysis user add")
        for more, warnings in ((["--insecure"], 2), ([*users, "--insecure"], 1), ([*users, *tls], 0)):
            page = self.start("monitor-analysis", "serve", "--log", f"sqlite:{self.data}/log.db", "--data", self.data, "--http",
                              f"0.0.0.0:{free_port()}", *more)
            page.says("listening service=web")
            said = "\n".join(page.err)
            found = [text for text in ("served in plain text", "everybody who reaches the page") if text in said]
            self.assertEqual(len(found), warnings, said)
            page.stop()


if __name__ == "__main__":
    unittest.main()
