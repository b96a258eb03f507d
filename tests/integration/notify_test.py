#!/usr/bin/env python3
"""Notifications to real receivers: Debian's Alertmanager, an SMTP server (aiosmtpd) with TLS and logins, HTTP servers that fail in
every way, Kafka, and programs. A driver takes the place of the rule engine."""
import email
import http.server
import json
import logging
import os
import random
import re
import shlex
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import services  # noqa: E402
from programs import BIN, ROOT, free_port, wait_until  # noqa: E402

DRIVER = os.path.join(os.environ.get("MONITOR_BUILD_DIR", os.path.dirname(BIN)), "tests", "notify_driver")
logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # of the SMTP server, about clients that refuse its certificate
ROUTE = "route: {receiver: r, group_by: [alertname], group_wait: 0s, group_interval: 50ms}\n"


def now():
    return int(time.time() * 1000)


class Driver:
    def __init__(self, config, store, *more):
        self.process = subprocess.Popen([DRIVER, config, store, *more], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.log = []
        threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True).start()
        assert self.answer() == ["ready"], "".join(self.log)

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def answer(self):
        lines = []
        while (line := self.process.stdout.readline()) not in ("", "\n"):
            lines.append(line.rstrip("\n"))
        return lines

    def metric(self, name, **labels):
        self.say("metrics")
        total = 0.0
        for line in self.answer():
            if line.startswith(name + "{") and all(f'{k}="{v}"' in line for k, v in labels.items()):
                total += float(line.rsplit(" ", 1)[1])
        return total

    def stop(self):
        self.process.stdin.close()
        return self.process.wait(20)


class Hook:
    """A webhook. `plan` says how to answer each request: a status, or the name of a way to fail; the last one stays."""

    def __init__(self, plan=(200,), context=None):
        hook = self
        self.plan, self.got, self.headers = list(plan), [], []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                how = hook.plan.pop(0) if len(hook.plan) > 1 else hook.plan[0]
                if how in (200, "half body", "endless"):
                    hook.got.append(json.loads(body))
                    hook.headers.append(dict(self.headers))
                self.answer(how)

            def answer(self, how):
                if how == "garbage":
                    self.wfile.write(b"\x00\xff\x16\x03garbage\r\n\r\n")
                elif how == "half head":
                    self.wfile.write(b"HTTP/1.1 200 O")
                elif how == "half body":
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nha")
                elif how == "endless":
                    self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000)
                elif how == "hang":
                    hook.hanging.wait(30)
                elif how == "close":
                    pass
                else:
                    self.send_response(how)
                    if how == 429:
                        self.send_header("Retry-After", "1")
                    if how == 302:
                        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                    self.send_header("Content-Length", "4")
                    self.end_headers()
                    self.wfile.write(b"said")
                    return
                self.close_connection = True

            def log_message(self, *_):
                pass

        self.hanging = threading.Event()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.hanging.set()
        self.server.shutdown()
        self.server.server_close()

    def ids(self):
        return [one["notificationId"] for one in self.got]


class Smtp:
    """aiosmtpd with STARTTLS and logins; `plan` has the reply to each RCPT, the last one stays."""

    def __init__(self, context=None, password=None, plan=("250 ok",)):
        smtp = self
        self.mails, self.plan, self.tls_used, self.logins = [], list(plan), [], []

        class Handler:
            async def handle_RCPT(self, _server, _session, envelope, address, _options):
                reply = smtp.plan.pop(0) if len(smtp.plan) > 1 else smtp.plan[0]
                if reply.startswith("250"):
                    envelope.rcpt_tos.append(address)
                return reply

            async def handle_DATA(self, _server, session, envelope):
                smtp.mails.append((list(envelope.rcpt_tos), email.message_from_bytes(envelope.content)))
                smtp.tls_used.append(session.ssl is not None)
                return "250 queued as 42"

        def authenticate(_server, _session, _envelope, _mechanism, login):
            good = (login.login, login.password) == (b"me", (password or "").encode())
            smtp.logins.append(good)
            return AuthResult(success=good)

        self.port = free_port()
        self.server = Controller(Handler(), "127.0.0.1", self.port, tls_context=context,
                                 authenticator=authenticate if password else None)
        self.server.start()

    def close(self):
        self.server.stop()


class NotifyTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="notify-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.config = f"{self.folder}/notify.yml"
        self.store = f"{self.folder}/alerts.db"

    def write(self, name, text, mode=0o600):
        path = f"{self.folder}/{name}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def configure(self, receiver, route=ROUTE):
        self.write("notify.yml", f"{route}receivers:\n- name: r\n  {receiver}\n")

    def drive(self, *more):
        driver = Driver(self.config, self.store, *more)

        def end():
            if driver.process.poll() is None:
                driver.process.kill()
            driver.process.wait()
            driver.process.stdin.close()

        self.addCleanup(end)
        return driver

    def hook(self, *plan, **options):
        hook = Hook(plan or (200,), **options)
        self.addCleanup(hook.close)
        return hook

    def certificate(self):
        """A certificate for 127.0.0.1 by a CA of its own; returns the server's context and the file to trust."""
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{self.folder}/key.pem",
                        "-out", f"{self.folder}/cert.pem"], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{self.folder}/cert.pem", f"{self.folder}/key.pem")
        return context, f"{self.folder}/cert.pem"

    def command(self, *arguments, code=0):
        done = subprocess.run([os.path.join(BIN, "monitor-analysis"), "alert", *arguments], capture_output=True, text=True,
                              timeout=60, env={**os.environ, "XDG_RUNTIME_DIR": self.folder})
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def history(self):
        return json.loads(self.command("history", "--store", self.store, "--format", "json"))


class WebhookTest(NotifyTest):
    def test_retries_until_it_is_told_once(self):
        hook = self.hook(500, "garbage", "half head", "close", 429, 503, 200)
        self.configure(f"webhook_configs: [{{url: '{hook.url}'}}]")
        driver, start = self.drive(), now()
        driver.say(f"Disk:{start}")
        wait_until(lambda: hook.got, "the webhook to be told")
        self.assertEqual(hook.got[0]["alerts"][0]["labels"], {"agent": "web-1", "alertname": "Disk"})
        self.assertEqual(hook.headers[0]["Idempotency-Key"], hook.ids()[0])
        driver.say(f"Disk:{start}:{start + 5}")
        wait_until(lambda: len(hook.got) == 2, "the end to be told")
        self.assertEqual([one["status"] for one in hook.got], ["firing", "resolved"])
        wait_until(lambda: driver.metric("monitor_notify_sent_total", receiver="r") == 2, "the count")
        self.assertEqual(driver.metric("monitor_notify_failed_total", receiver="r"), 6)
        self.assertEqual(driver.metric("monitor_notify_retried_total", receiver="r"), 6)
        wait_until(lambda: [d["result"] for d in self.history()[0]["notifications"]] == ["sent", "sent"], "the history")
        self.assertEqual(self.history()[0]["notifications"][0]["attempts"], 7)
        self.assertEqual(driver.stop(), 0)

    def test_an_answer_that_breaks_off_is_an_answer(self):
        for how in ("half body", "endless"):
            hook = self.hook(how)
            self.configure(f"webhook_configs: [{{url: '{hook.url}', timeout: 5s}}]")
            driver = self.drive()
            driver.say(f"{how.replace(' ', '')}:{now()}")
            wait_until(lambda d=driver: d.metric("monitor_notify_sent_total", receiver="r") == 1, how)
            driver.stop()
            self.assertEqual(len(hook.got), 1)

    def test_refused_is_given_up_and_said(self):
        for status in (400, 404, 302):
            hook = self.hook(status)
            self.configure(f"webhook_configs: [{{url: '{hook.url}'}}]")
            driver = self.drive()
            driver.say(f"A{status}:{now()}")
            wait_until(lambda d=driver: d.metric("monitor_notify_dropped_total", receiver="r", reason="refused") == 1, "refused")
            driver.stop()
            self.assertIn("a notification was given up", "".join(driver.log))
            newest = self.history()[0]["notifications"][-1]
            self.assertEqual((newest["result"], newest["answer"]), ("refused", f"HTTP {status} said"))

    def test_a_receiver_that_hangs_delays_no_other(self):
        dead, good = self.hook("hang"), self.hook()
        self.configure(f"webhook_configs: [{{url: '{dead.url}', timeout: 60s}}, {{url: '{good.url}'}}]")
        driver = self.drive()
        begun = time.monotonic()
        for i in range(10):
            driver.say(f"A{i}:{now()}")
            wait_until(lambda n=i: len(good.got) == n + 1, "the good receiver")
        self.assertLess(time.monotonic() - begun, 10)
        driver.say("receivers")
        self.assertEqual([line.split()[:3] for line in driver.answer()], [["r", "webhook", "10"], ["r", "webhook[1]", "0"]])
        begun = time.monotonic()
        driver.stop()
        self.assertLess(time.monotonic() - begun, 5)
        # What was not sent is sent by the next process.
        dead.plan[:] = [200]
        driver = self.drive()
        wait_until(lambda: len(dead.got) == 10, "what was left")
        driver.stop()
        self.assertEqual(len(set(dead.ids())), 10)

    def test_after_an_outage_the_state_of_now_is_told(self):
        down, start = self.hook("close"), now()
        self.configure(f"webhook_configs: [{{url: '{down.url}'}}]")
        driver = self.drive()
        driver.say(f"Disk:{start} Memory:{start}")
        wait_until(lambda: driver.metric("monitor_notify_failed_total", receiver="r") >= 1, "an attempt")
        wait_until(lambda: "receiver r/webhook fails, 2 waiting: " in self.command("list", "--store", self.store), "the trouble")
        driver.say(f"Disk:{start}:{start + 7} Memory:{start}")
        wait_until(lambda: driver.metric("monitor_notify_dropped_total", reason="superseded") == 1, "the first one to be dropped")
        down.plan[:] = [200]
        wait_until(lambda: len(down.got) == 2, "both states")
        told = {a["labels"]["alertname"]: a["status"] for one in down.got for a in one["alerts"]}
        self.assertEqual(told, {"Disk": "resolved", "Memory": "firing"})
        driver.stop()
        results = {d["result"] for row in self.history() for d in row["notifications"]}
        self.assertEqual(results, {"sent", "superseded"})

    def test_checks_certificates(self):
        context, trusted = self.certificate()
        hook = self.hook(context=context)
        self.configure(f"webhook_configs: [{{url: '{hook.url}'}}]")
        out = self.command("test-notification", "--receiver", "r", "--notify", self.config, "--store", self.store, code=1)
        self.assertIn("certificate", out)
        self.assertEqual(hook.got, [])
        self.configure(f"webhook_configs: [{{url: '{hook.url}', http_config: {{tls_config: {{ca_file: {trusted}}}}}}}]")
        self.assertIn("sent after", self.command("test-notification", "--receiver", "r", "--notify", self.config))
        # The certificate is for 127.0.0.1 only.
        url = hook.url.replace("127.0.0.1", "localhost")
        self.configure(f"webhook_configs: [{{url: '{url}', http_config: {{tls_config: {{ca_file: {trusted}}}}}}}]")
        self.command("test-notification", "--receiver", "r", "--notify", self.config, code=1)

    def test_secrets_are_in_no_output(self):
        hook = self.hook(401)
        token = self.write("token", "VERY-SECRET-TOKEN\n")
        self.configure(f"webhook_configs: [{{url: '{hook.url}', http_config: {{authorization: {{credentials_file: {token}}}}}}}]")
        driver = self.drive()
        driver.say(f"A:{now()}")
        wait_until(lambda: driver.metric("monitor_notify_dropped_total", reason="refused") == 1, "refused")
        driver.stop()
        out = "".join(driver.log) + self.command("history", "--store", self.store)
        self.assertNotIn("VERY-SECRET", out)
        os.chmod(token, 0o644)
        self.assertNotIn("VERY-SECRET", self.command("check", self.config, code=1))

    def test_reloads_and_moves_what_waits(self):
        dead, good = self.hook(503), self.hook()
        self.configure(f"webhook_configs: [{{url: '{dead.url}'}}]")
        driver = self.drive()
        driver.say(f"A:{now()}")
        wait_until(lambda: driver.metric("monitor_notify_failed_total", receiver="r") >= 1, "an attempt")
        self.write("notify.yml", "route: {receiver: r}\nreceivers: [{name: r, webhok_configs: []}]\n")
        wait_until(lambda: any("did you mean webhook_configs" in line for line in driver.log), "the fault to be said")
        self.configure(f"webhook_configs: [{{url: '{good.url}'}}]")
        wait_until(lambda: good.got, "the new receiver")
        driver.stop()

    def test_killed_at_any_time_loses_nothing(self):
        """Real SIGKILLs at random moments. Every event is told; what is told twice has the same id."""
        hook = self.hook()
        self.configure(f"webhook_configs: [{{url: '{hook.url}'}}]")
        rng = random.Random(7)
        start, alerts, kills = now(), {}, 0
        driver = self.drive()
        for step in range(25):
            name = f"A{step % 5}"
            if alerts.get(name, ":x").count(":") == 1 and name in alerts:
                alerts[name] += f":{now()}"
            else:
                alerts[name] = f"{name}:{max(now(), start)}"
            driver.say(" ".join(alerts.values()))
            time.sleep(rng.random() * 0.02)
            if rng.random() < 0.6:
                driver.process.kill()
                driver.process.wait()
                kills += 1
                driver = self.drive()
            driver.say(" ".join(alerts.values()))
            # The event is told before the next one of this alert.
            status = "resolved" if alerts[name].count(":") == 2 else "firing"
            fired = int(alerts[name].split(":")[1])
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(fired / 1000)) + f".{fired % 1000:03d}Z"
            wait_until(lambda: any(a["labels"]["alertname"] == name and a["status"] == status and a["startsAt"] == stamp
                                   for one in hook.got for a in one["alerts"]), f"{name} {status}")
        driver.stop()
        self.assertGreater(kills, 5)
        said = {}
        for one in hook.got:
            said.setdefault(one["notificationId"], set()).add(json.dumps(one["alerts"]))
        self.assertTrue(all(len(texts) == 1 for texts in said.values()))
        self.assertEqual(len(said), 25)
        self.assertLessEqual(len(hook.got), 25 + kills)


class AlertmanagerTest(NotifyTest):
    def setUp(self):
        super().setUp()
        self.write("am.yml", "route: {receiver: x}\nreceivers: [{name: x}]\n")
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        program = shutil.which("prometheus-alertmanager")
        self.assertTrue(program, "prometheus-alertmanager is not installed")
        am = subprocess.Popen([program, f"--config.file={self.folder}/am.yml", f"--storage.path={self.folder}/am",
                               f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(am.wait)
        self.addCleanup(am.kill)
        wait_until(self.ready, "Alertmanager")

    def ready(self):
        try:
            return urllib.request.urlopen(f"{self.url}/-/ready", timeout=5).status == 200
        except OSError:
            return False

    def alerts(self):
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=5) as answer:
            return json.load(answer)

    def test_accepts_and_shows_alerts(self):
        self.configure(f"alertmanager_configs: [{{url: '{self.url}', resend_delay: 1s}}]")
        driver, start = self.drive(), now() - 60_000
        driver.say(f"Disk:{start} Memory:{start}")
        wait_until(lambda: len(self.alerts()) == 2, "both alerts")
        one = next(a for a in self.alerts() if a["labels"]["alertname"] == "Disk")
        self.assertEqual(one["startsAt"], time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(start / 1000)) + f".{start % 1000:03d}Z")
        self.assertEqual(one["annotations"], {"summary": "the summary of Disk"})
        self.assertEqual(one["status"]["state"], "active")
        ends = one["endsAt"]
        # It is sent again, although no evaluation comes, so that Alertmanager does not take it for resolved.
        wait_until(lambda: next(a for a in self.alerts() if a["labels"]["alertname"] == "Disk")["endsAt"] > ends, "a resend")
        driver.say(f"Disk:{start}:{now()} Memory:{start}")
        wait_until(lambda: [a["labels"]["alertname"] for a in self.alerts()] == ["Memory"], "the resolved one to go")
        driver.stop()
        # Our fingerprint is Alertmanager's.
        mine = {a["labels"]["alertname"]: a["fingerprint"] for a in self.history()}
        self.assertEqual(self.alerts()[0]["fingerprint"], mine["Memory"])

    def test_an_alert_ends_if_nobody_sends_it_any_more(self):
        self.configure(f"alertmanager_configs: [{{url: '{self.url}', resend_delay: 1s}}]")
        driver = self.drive()
        driver.say(f"Disk:{now()}")
        wait_until(self.alerts, "the alert")
        driver.process.kill()
        wait_until(lambda: not self.alerts(), "it to end after 4 s", 15)


class MailTest(NotifyTest):
    def smtp(self, *arguments, **options):
        server = Smtp(*arguments, **options)
        self.addCleanup(server.close)
        return server

    def configure_mail(self, server, more):
        self.configure(f"email_configs: [{{to: 'a@example.com, b@example.com', from: m@example.com, send_resolved: true, "
                       f"smarthost: '127.0.0.1:{server.port}', {more}}}]")

    def test_with_tls_and_login(self):
        context, trusted = self.certificate()
        server = self.smtp(context, "p w")
        password = self.write("password", "p w\n")
        self.configure_mail(server, f"auth_username: me, auth_password_file: {password}, tls_config: {{ca_file: {trusted}}}")
        driver = self.drive()
        driver.say(f"Disk:{now()}")
        wait_until(lambda: server.mails, "the mail")
        wait_until(lambda: driver.metric("monitor_notify_sent_total") == 1, "the count")
        driver.stop()
        recipients, mail = server.mails[0]
        self.assertEqual(recipients, ["a@example.com", "b@example.com"])
        self.assertEqual(mail["Subject"], "[FIRING:1] Disk agent=web-1")
        self.assertIn("the summary of Disk", mail.get_payload(decode=True).decode())
        self.assertEqual((server.tls_used, server.logins), ([True], [True]))
        self.assertIn("queued as 42", self.history()[0]["notifications"][0]["answer"])

    def test_no_mail_without_what_is_required(self):
        context, _ = self.certificate()
        plain = self.smtp()
        self.configure_mail(plain, "require_tls: true")
        self.assertIn("failed", self.command("test-notification", "--receiver", "r", "--notify", self.config, code=1))
        wrong = self.smtp(context)
        self.configure_mail(wrong, "require_tls: true")  # a certificate that nobody trusts
        self.assertIn("certificate", self.command("test-notification", "--receiver", "r", "--notify", self.config, code=1))
        self.assertEqual(plain.mails + wrong.mails, [])
        self.configure_mail(plain, "require_tls: false")
        self.command("test-notification", "--receiver", "r", "--notify", self.config)
        self.assertEqual(len(plain.mails), 1)

    def test_recipients_that_are_refused(self):
        some = self.smtp(plan=["550 no such user", "250 ok"])
        self.configure_mail(some, "require_tls: false")
        self.command("test-notification", "--receiver", "r", "--notify", self.config)
        self.assertEqual(some.mails[0][0], ["b@example.com"])
        none = self.smtp(plan=["550 no such user"])
        self.configure_mail(none, "require_tls: false")
        self.assertIn("no such user", self.command("test-notification", "--receiver", "r", "--notify", self.config, code=1))
        later = self.smtp(plan=["451 later", "451 later", "250 ok"])
        self.configure_mail(later, "require_tls: false")
        driver = self.drive()
        driver.say(f"Disk:{now()}")
        wait_until(lambda: later.mails, "the second attempt")
        driver.stop()


class KafkaTest(NotifyTest):
    def test_records_have_deterministic_keys(self):
        from confluent_kafka import Consumer
        kafka = services.addresses()["KAFKA"]
        topic = f"alerts-{os.getpid()}-{now()}"
        self.configure(f"kafka_configs: [{{topic: {topic}, timeout: 30s}}]")
        driver, start = self.drive(kafka), now()
        driver.say(f"Disk:{start}")
        wait_until(lambda: driver.metric("monitor_notify_sent_total") == 1, "Kafka", 60)
        driver.say(f"Disk:{start}:{start + 7}")
        wait_until(lambda: driver.metric("monitor_notify_sent_total") == 2, "Kafka", 60)
        driver.stop()
        consumer = Consumer({"bootstrap.servers": kafka, "group.id": topic, "auto.offset.reset": "earliest"})
        self.addCleanup(consumer.close)
        consumer.subscribe([topic])
        records = []
        wait_until(lambda: len(records) == 2 or records.extend(consumer.consume(2, 1)), "the records", 60)
        values = [json.loads(r.value()) for r in records]
        self.assertEqual([v["status"] for v in values], ["firing", "resolved"])
        self.assertEqual({r.key().decode() for r in records}, {values[0]["fingerprint"]})
        self.assertEqual(values[0]["eventId"], f"{values[0]['fingerprint']}-{start}-firing")

    def test_kafka_that_is_not_there(self):
        self.configure(f"kafka_configs: [{{brokers: '127.0.0.1:{free_port()}', timeout: 2s}}]")
        self.assertIn("failed", self.command("test-notification", "--receiver", "r", "--notify", self.config, code=1))


class CommandTest(NotifyTest):
    def test_says_that_there_is_nothing(self):
        self.assertIn("start `monitor-analysis serve`", self.stderr_of("list", "--store", self.store))
        self.configure("command_configs: [{command: [/bin/true]}]")
        self.drive().stop()
        self.assertEqual(self.command("list", "--store", self.store), "no alert is firing or pending\n")
        self.assertEqual(self.command("history", "--store", self.store), "no alert was firing in the last 1d\n")
        self.assertEqual(self.command("silence", "--list", "--store", self.store), "no silence lasts or will begin\n")
        for kind in ("list", "history"):
            self.assertEqual(json.loads(self.command(kind, "--store", self.store, "--format", "json")), [])

    def test_refuses_wrong_silences(self):
        def refused(*arguments):
            return self.stderr_of("silence", "--store", self.store, *arguments)

        reason = ("--reason", "x")
        self.assertIn("needs --matcher, --for and --reason", refused("--matcher", "a=b"))
        self.assertIn("column", refused("--matcher", "a=b c", "--for", "1h", *reason))
        self.assertIn("everything", refused("--matcher", 'a=~".*"', "--for", "1h", *reason))
        self.assertIn("there is no silence 0000", refused("--expire", "0000"))
        self.assertIn("exclude one another", refused("--list", "--expire", "0000"))
        self.assertIn("--for", refused("--matcher", "a=b", "--for", "5", *reason))

    def stderr_of(self, *arguments):
        done = subprocess.run([os.path.join(BIN, "monitor-analysis"), "alert", *arguments], capture_output=True, text=True,
                              timeout=60, check=False, env={**os.environ, "XDG_RUNTIME_DIR": self.folder})
        self.assertNotEqual(done.returncode, 0, done.stdout)
        return done.stderr

    def test_lists_what_is_quiet(self):
        self.write("notify.yml", ROUTE + "receivers: [{name: r, command_configs: [{command: [/bin/true]}]}]\n"
                   "inhibit_rules: [{source_matchers: [alertname=Gone], target_matchers: [alertname=Disk], equal: [agent]}]\n")
        driver = self.drive()
        driver.say(f"Gone:{now()} Disk:{now()} Memory:{now()}")
        made = json.loads(self.command("silence", "--store", self.store, "--matcher", "alertname=Memory", "--for", "1h",
                                       "--reason", "test", "--format", "json"))
        wait_until(lambda: len(json.loads(self.command("list", "--store", self.store, "--format", "json"))) == 3, "the list")
        rows = {a["labels"]["alertname"]: a for a in json.loads(self.command("list", "--store", self.store, "--format", "json"))}
        self.assertEqual(rows["Memory"]["silencedBy"], [made["id"]])
        self.assertIn("Gone", rows["Disk"]["inhibitedBy"][0])
        self.assertEqual((rows["Gone"]["silencedBy"], rows["Gone"]["inhibitedBy"]), ([], []))
        self.assertIn("silence " + made["id"], self.command("list", "--store", self.store))
        wait_until(lambda: any("a silence was changed" in line for line in driver.log), "the driver to notice the silence")
        driver.stop()


class DocsTest(NotifyTest):
    """The examples of docs/notifications.md."""

    def setUp(self):
        super().setUp()
        with open(os.path.join(ROOT, "docs", "notifications.md"), encoding="utf-8") as file:
            self.text = file.read()

    def test_configurations_have_no_fault(self):
        blocks = re.findall(r"```yaml\n(.*?)```", self.text, re.S)
        self.assertGreaterEqual(len(blocks), 2)
        for name in ("mail-password", "slack-url"):
            self.write(name, "https://example.com/secret\n")
        for block in blocks:
            self.write("notify.yml", block.replace("/etc/monitor/", self.folder + "/"))
            self.assertIn("no fault", self.command("check", self.config))

    def test_commands_do_what_the_text_says(self):
        hook = self.hook()
        self.configure(f"webhook_configs: [{{url: '{hook.url}'}}]")
        ids, ran = {}, []
        for line in re.findall(r"^\$ monitor-analysis alert (.*)$", self.text, re.M):
            arguments = shlex.split(line.replace("/etc/monitor/notify.yml", self.config).replace("oncall", "r"))
            arguments = [ids.get(word, word) for word in arguments]
            more = [] if arguments[0] == "check" else ["--data", self.folder]
            out = subprocess.run([os.path.join(BIN, "monitor-analysis"), "alert", *arguments, *more], capture_output=True,
                                 text=True, timeout=60, check=False)
            self.assertEqual(out.returncode, 0, line + "\n" + out.stderr)
            ran.append(arguments[0])
            if arguments[:2] == ["silence", "--matcher"]:
                # The next commands of the text name the silence of its example.
                ids[re.search(r"^silence ([0-9a-f]{16}) \{", self.text, re.M)[1]] = out.stdout.split()[1]
        self.assertTrue({"check", "test-notification", "silence"} <= set(ran), ran)
        self.assertEqual(len(hook.got), 1)

    def test_names_every_metric(self):
        self.configure("webhook_configs: [{url: 'http://127.0.0.1:1/'}]")
        driver = self.drive()
        names = set()

        def all_there():
            driver.say("metrics")
            names.update(re.split(r"[{ ]", line)[0] for line in driver.answer() if line.startswith("monitor_notify"))
            return "monitor_notify_sent_total" in names

        wait_until(all_there, "the metrics of the receivers")
        driver.stop()
        for name in names:
            self.assertIn(f"`{name}", self.text)


if __name__ == "__main__":
    unittest.main()
