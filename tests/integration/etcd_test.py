"""Agent and configuration commands on a real etcd: documents are applied, and clients survive every failure of etcd."""
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from etcd import Cluster, Etcd, Link  # noqa: E402
from programs import ProgramTest, free_port, run, wait_until  # noqa: E402

OWN = "/monitor/config/a"
STATUS = "/monitor/status/a"
CERTIFICATES = os.path.join(os.environ.get("MONITOR_BUILD_DIR", "build/release"), "tests", "make_certificates")


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read().strip()


class EtcdTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.closing = []

    def tearDown(self):
        super().tearDown()
        for resource in reversed(self.closing):
            resource.close()

    def etcd(self, *arguments, **options):
        etcd = Etcd(*arguments, **options)
        self.closing.append(etcd)
        return etcd

    def link(self, etcd):
        link = Link(etcd.port)
        self.closing.append(link)
        return link

    def agent(self, address, *arguments, agent_id="a"):
        return self.start("monitor-agent", "--agent-id", agent_id, "--server", f"127.0.0.1:{free_port()}", "--data", self.data,
                          "--etcd", address, *arguments)

    def config(self, etcd, *arguments):
        return run("monitor-config", "--etcd", etcd.address, *arguments)

    def applied(self, agent, etcd, interval):
        """Puts a document and waits until it is applied. The log is rate-limited: use it only a few times per test."""
        etcd.put(OWN, json.dumps({"interval": interval}))
        revision = json.loads(etcd.ctl("get", OWN, "-w", "json"))["kvs"][0]["mod_revision"]
        return agent.says(f"configuration applied revision={revision} .*source=" + OWN)


class SharedEtcdTest(EtcdTest):
    """For tests that only act as clients of etcd: the tests of a class share one etcd, which is emptied for each
    test."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared = Etcd()
        cls.addClassCleanup(cls.shared.close)

    def etcd(self):
        self.shared.clear()
        return self.shared


class Applying(SharedEtcdTest):
    def test_applies_a_put_by_etcdctl_quickly(self):
        etcd = self.etcd()
        agent = self.agent(etcd.address)
        agent.says("configuration watch established endpoint=" + etcd.address)
        delays = []
        for i in range(1, 5):
            etcd.put(OWN, json.dumps({"interval": i}))
            begin = time.monotonic()
            agent.says(r"configuration applied revision=\d+ previous=\d+ source=" + OWN, i)
            delays.append(time.monotonic() - begin)
        self.assertLess(statistics.median(delays), 0.1, delays)
        revision = int(agent.says(r"configuration applied revision=(\d+) .*source=" + OWN, 4).group(1))
        wait_until(lambda: json.loads(etcd.get(STATUS))["applied"] == revision, "the status to show it")

    def test_an_invalid_document_keeps_the_current_configuration(self):
        etcd = self.etcd()
        agent = self.agent(etcd.address)
        self.applied(agent, etcd, 7)
        etcd.put(OWN, '{"interval": 7, "metrics": ["cpuu"]}')
        agent.says(r'configuration refused .*path=/metrics/0 .*cpuu')
        etcd.put(OWN, "x" * 300_000)
        agent.says("configuration refused .*300000 bytes, the limit is 262144")
        self.applied(agent, etcd, 8)

    def test_deletion_keeps_the_configuration_and_recreation_applies(self):
        etcd = self.etcd()
        agent = self.agent(etcd.address)
        for i in (1, 2, 3):
            self.applied(agent, etcd, i)
            etcd.ctl("del", OWN)
            agent.says("configuration deleted; the last good one stays applied", i)

    def test_merges_layers_and_supports_another_key(self):
        etcd = self.etcd()
        etcd.put("/monitor/defaults", '{"send_every": 2}')
        etcd.put("/monitor/groups/web", '{"interval": 3}')
        etcd.put("/elsewhere/mine", '{"interval": 4}')
        agent = self.agent(etcd.address, "--group", "web", "--config-key", "/elsewhere/mine")
        agent.says("configuration applied .*source=/monitor/defaults,/monitor/groups/web,/elsewhere/mine")

    def test_reads_messages_above_four_megabytes(self):
        etcd = self.etcd()
        groups = [f"g{i}" for i in range(5)]
        for group in groups:
            etcd.put(f"/monitor/groups/{group}", "x" * 1_400_000)
        agent = self.agent(etcd.address, *[a for g in groups for a in ("--group", g)])
        agent.says("configuration refused .*1400000 bytes")
        for group in groups:
            etcd.ctl("del", f"/monitor/groups/{group}")
        self.applied(agent, etcd, 3)

    def test_once_applies_the_document_without_a_status(self):
        etcd = self.etcd()
        etcd.put("/monitor/config/a", '{"interval": 0.1, "metrics": ["memory"]}')
        status, out, err = run("monitor-agent", "--once", "--agent-id", "a", "--etcd", etcd.address, "--format", "json",
                               "--data", self.data)
        self.assertEqual(status, 0, err)
        self.assertIn("system.memory.utilization", out)
        self.assertNotIn("system.cpu", out)
        self.assertIsNone(etcd.get(STATUS), "--once does not write a status")


class EtcdFailures(EtcdTest):
    def test_recovers_from_a_compaction_during_a_disconnect(self):
        etcd = self.etcd()
        link = self.link(etcd)
        agent = self.agent(f"127.0.0.1:{link.port}")
        self.applied(agent, etcd, 1)
        agent.says("configuration watch established")
        link.cut()
        agent.says("configuration watch lost")
        for i in range(2, 12):
            etcd.put(OWN, json.dumps({"interval": i}))
        etcd.ctl("compact", str(etcd.revision()))
        link.mend()
        agent.says(r"configuration applied .*source=" + OWN, 2)
        self.applied(agent, etcd, 30)

    def test_recovers_from_a_restart_of_etcd(self):
        etcd = self.etcd()
        agent = self.agent(etcd.address)
        for i in (1, 2, 3):
            self.applied(agent, etcd, i)
            etcd.stop()
            agent.says("configuration watch lost", i)
            etcd.start()
            agent.says("configuration watch established", i + 1)
        self.applied(agent, etcd, 9)
        wait_until(lambda: etcd.get(STATUS), "the status to be written again")

    def test_detects_a_frozen_etcd_and_recovers(self):
        etcd = self.etcd()
        agent = self.agent(etcd.address)
        self.applied(agent, etcd, 1)
        etcd.send(signal.SIGSTOP)
        begin = time.monotonic()
        agent.says("configuration watch lost", limit=30)
        self.assertLess(time.monotonic() - begin, 25, "20 s of silence, because there is only one endpoint")
        etcd.send(signal.SIGCONT)
        agent.says("configuration watch established", 2, limit=60)
        self.applied(agent, etcd, 2)

    def test_detects_a_restore_to_an_older_state(self):
        etcd = self.etcd()
        agent = self.agent(etcd.address)
        self.applied(agent, etcd, 1)
        etcd.stop()
        shutil.copytree(etcd.data, etcd.data + "-old")
        etcd.start()
        agent.says("configuration watch established", 2)
        for _ in range(20):
            etcd.put("/elsewhere", "x")
        self.applied(agent, etcd, 8)
        etcd.stop()
        shutil.rmtree(etcd.data)
        shutil.move(etcd.data + "-old", etcd.data)
        etcd.start()
        agent.says("etcd was restored to an older state")
        self.assertEqual(json.loads(etcd.get(OWN)), {"interval": 1})
        revision = int(agent.says(r"etcd was restored to an older state.* revision=(\d+)").group(1))
        agent.says(f"configuration applied revision={revision} ")
        self.applied(agent, etcd, 77)  # at a revision that the agent has seen before

    def test_detects_another_cluster_restored_from_a_snapshot(self):
        etcd = self.etcd()
        agent = self.agent(etcd.address)
        self.applied(agent, etcd, 1)
        snapshot = os.path.join(etcd.folder, "snapshot")
        etcd.ctl("snapshot", "save", snapshot)
        self.applied(agent, etcd, 2)
        etcd.stop()
        shutil.rmtree(etcd.data)
        peer = f"http://127.0.0.1:{etcd.peer_port}"
        subprocess.run(["etcdctl", "snapshot", "restore", snapshot, "--data-dir", etcd.data, "--name", "default",
                        "--initial-cluster", f"default={peer}", "--initial-advertise-peer-urls", peer],
                       env={**os.environ, "ETCDCTL_API": "3"}, check=True, capture_output=True)
        etcd.start()
        agent.says("etcd was restored to an older state, or is another cluster")
        revision = int(agent.says(r"another cluster.* revision=(\d+)").group(1))
        agent.says(f"configuration applied revision={revision} ")
        self.applied(agent, etcd, 9)

    def test_fails_over_to_another_endpoint(self):
        etcd = self.etcd()
        agent = self.agent(f"127.0.0.1:{free_port()},{etcd.address}")
        self.applied(agent, etcd, 1)

    def test_starts_without_etcd(self):
        etcd = self.etcd()
        agent = self.agent(etcd.address)
        self.applied(agent, etcd, 7)
        self.assertEqual(agent.stop(), 0)
        etcd.stop()
        agent = self.agent(etcd.address)
        agent.says("starting with the last good configuration .*does not answer")
        other = self.agent(etcd.address, agent_id="new")
        other.says("starting with the built-in defaults .*does not answer")
        etcd.start()
        agent.says("configuration source is back", limit=60)
        agent.says("configuration watch established", limit=60)
        self.applied(agent, etcd, 8)
        other.says("configuration watch established", limit=60)


class ThreeMembers(EtcdTest):
    def setUp(self):
        super().setUp()
        self.cluster = Cluster()
        self.closing.append(self.cluster)

    def watched_by(self, agent, nth=1):
        address = agent.says(r"configuration watch established endpoint=(\S+)", nth).group(1)
        return next(member for member in self.cluster.members if member.address == address)

    def nth(self, agent, member, number):
        """Puts the agent's n-th document and waits until it is applied. The applied revision may be later than the
        put's, if the agent was just reading everything again."""
        member.put(OWN, json.dumps({"interval": number}))
        revision = json.loads(member.ctl("get", OWN, "-w", "json"))["kvs"][0]["mod_revision"]
        found = agent.says(r"configuration applied revision=(\d+) .*source=" + OWN, number)
        self.assertGreaterEqual(int(found.group(1)), revision)

    def test_leaves_a_member_without_a_leader(self):
        agent = self.agent(self.cluster.addresses)
        member = self.watched_by(agent)
        self.nth(agent, member, 1)
        others = [one for one in self.cluster.members if one is not member]
        # The member is alive and answers, but its watch would never deliver an event.
        for other in others:
            other.send(signal.SIGSTOP)
        agent.says("configuration watch lost .*no leader")
        for other in others:
            other.send(signal.SIGCONT)
        agent.says("configuration watch established", 2)
        self.nth(agent, self.cluster.leader(), 2)
        self.assertEqual(agent.said("etcd was restored"), 0)

    def test_survives_a_kill_of_the_leader(self):
        agent = self.agent(self.cluster.addresses)
        self.nth(agent, self.watched_by(agent), 1)
        old = self.cluster.leader()
        old.send(signal.SIGKILL)
        old.process.wait(10)
        self.nth(agent, self.cluster.leader(), 2)
        old.start()
        self.nth(agent, old, 3)
        self.assertEqual(agent.said("etcd was restored"), 0)

    def test_does_not_go_back_on_a_lagging_member(self):
        """A member was frozen while the others continued. An agent that connects to it must not apply its old state."""
        behind = next(one for one in self.cluster.members if one is not self.cluster.leader())
        agent = self.agent(self.cluster.addresses)
        self.nth(agent, self.watched_by(agent), 1)
        behind.send(signal.SIGSTOP)
        leader = self.cluster.leader()
        self.nth(agent, leader, 2)
        behind.send(signal.SIGCONT)
        for one in self.cluster.members:
            if one is not behind:
                one.send(signal.SIGSTOP)
        agent.says("configuration watch lost")
        for one in self.cluster.members:
            one.send(signal.SIGCONT)
        self.nth(agent, self.cluster.leader(), 3)
        self.assertEqual(agent.said("configuration applied .*source=" + OWN), 3)


class LeasedStatus(EtcdTest):
    def test_status_exists_while_the_agent_runs(self):
        etcd = self.etcd()
        agent = self.agent(etcd.address)
        status = json.loads(wait_until(lambda: etcd.get(STATUS), "the status"))
        self.assertLessEqual({"applied", "desired", "error", "hash", "host", "plugins", "since", "version"}, set(status))
        self.assertEqual(agent.stop(), 0)
        self.assertIsNone(etcd.get(STATUS), "a clean stop removes it")

    def test_status_expires_after_a_kill(self):
        etcd = self.etcd()
        agent = self.agent(etcd.address)
        wait_until(lambda: etcd.get(STATUS), "the status")
        agent.kill()
        wait_until(lambda: etcd.get(STATUS) is None, "the lease to expire", limit=40)

    def test_replaces_a_revoked_lease(self):
        etcd = self.etcd()
        self.agent(etcd.address)
        wait_until(lambda: etcd.get(STATUS), "the status")
        lease = etcd.ctl("lease", "list").split()[-1]
        etcd.ctl("lease", "revoke", lease)
        self.assertIsNone(etcd.get(STATUS))
        wait_until(lambda: etcd.get(STATUS), "the status to be written again")

    def test_stops_quickly_while_etcd_is_frozen(self):
        etcd = self.etcd()
        agent = self.agent(etcd.address)
        wait_until(lambda: etcd.get(STATUS), "the status")
        etcd.send(signal.SIGSTOP)
        begin = time.monotonic()
        self.assertEqual(agent.stop(), 0)
        self.assertLess(time.monotonic() - begin, 4)


class Security(EtcdTest):
    def test_authenticates_with_user_and_password(self):
        etcd = self.etcd()
        for command in (["user", "add", "root:rootpw"], ["user", "grant-role", "root", "root"],
                        ["role", "add", "agent"], ["role", "grant-permission", "agent", "readwrite", "/monitor/", "/monitor0"],
                        ["user", "add", "agent:secret"], ["user", "grant-role", "agent", "agent"], ["auth", "enable"]):
            etcd.try_ctl("role", "add", "root")
            etcd.ctl(*command)
        etcd.ctl_arguments = ["--user", "root:rootpw"]
        password, wrong = os.path.join(self.data, "password"), os.path.join(self.data, "wrong")
        for path, text in ((password, "secret\n"), (wrong, "nonsense\n")):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        who = ["--etcd-user", "agent", "--etcd-password-file"]
        agent = self.agent(etcd.address, *who, password)
        self.applied(agent, etcd, 1)
        wait_until(lambda: etcd.get(STATUS), "the status")
        # Tokens do not survive a restart of etcd; the agent renews them on demand.
        etcd.stop()
        etcd.start()
        agent.says("configuration watch established", 2)
        self.applied(agent, etcd, 2)
        self.assertEqual(self.config(etcd, "get", "--agent-id", "a", *who, password)[0], 0)
        status, _, err = self.config(etcd, "get", "--agent-id", "a", *who, wrong)
        self.assertEqual(status, 74)
        self.assertIn("authentication failed", err)
        other = self.agent(etcd.address, *who, wrong, agent_id="b")
        other.says("authenticating as agent: .*authentication failed")
        other.says("starting with the built-in defaults")

    def test_init_roles_grants_least_privilege(self):
        etcd = self.etcd()
        secrets = os.path.join(self.data, "secrets")
        init = ["init-roles", "a", "b", "--passwords", secrets, "--enable-auth"]
        status, out, err = self.config(etcd, *init)
        self.assertEqual(status, 0, err)
        self.assertIn("role monitor-agent-a created: reads /monitor/defaults ", out)
        self.assertIn("authentication is enabled", out)
        for name in ("root", "monitor-author", "monitor-reader", "monitor-agent-a", "monitor-agent-b"):
            self.assertEqual(os.stat(f"{secrets}/{name}").st_mode & 0o777, 0o600)
        password = {name: text_of(f"{secrets}/{name}") for name in os.listdir(secrets)}
        self.assertEqual(len(set(password.values())), 5)

        def who(name):
            return ["--etcd-user", name, "--etcd-password-file", f"{secrets}/{name}"]

        def may(name, *command):
            return etcd.try_ctl("--user", f"{name}:{password[name]}", *command).returncode == 0

        # Each user can do its work ...
        agent = self.agent(etcd.address, *who("monitor-agent-a"))
        self.assertEqual(self.config(etcd, "set", "--agent-id", "a", "interval=3", *who("monitor-author"))[0], 0)
        agent.says("configuration applied .*source=" + OWN)
        self.assertEqual(self.config(etcd, "wait", "--agent-id", "a", "--timeout", "20s", *who("monitor-reader"))[0], 0)
        self.assertEqual(self.config(etcd, "override", "set", "--agent-id", "a", "--for", "10m", "interval=1", *who("monitor-author"))[0], 0)
        agent.says("configuration applied .*source=" + OWN + ",/monitor/overrides/agents/a/manual")
        status, out, _ = self.config(etcd, "status", *who("monitor-reader"))
        self.assertEqual(status, 0)
        self.assertIn("applied", out)
        # ... but nothing else.
        status, _, err = self.config(etcd, "set", "--agent-id", "a", "interval=4", *who("monitor-reader"))
        self.assertEqual(status, 74, err)
        self.assertIn("permission denied", err)
        self.assertFalse(may("monitor-agent-a", "put", OWN, "{}"))
        self.assertFalse(may("monitor-agent-a", "get", "/monitor/config/b"))
        self.assertFalse(may("monitor-agent-a", "put", "/monitor/status/b", "{}"))
        self.assertFalse(may("monitor-author", "put", STATUS, "{}"))
        self.assertTrue(may("monitor-author", "get", STATUS))
        self.assertEqual(self.config(etcd, "get", "--agent-id", "a")[0], 74)  # without a user
        # The command is idempotent (authentication is on, so it runs as root), and repairs changed roles.
        status, out, err = self.config(etcd, *init, *who("root"))
        self.assertEqual(status, 0, err)
        self.assertNotRegex(out, r"\b(created|changed)\b")
        etcd.ctl_arguments = ["--user", "root:" + password["root"]]
        etcd.ctl("role", "grant-permission", "monitor-agent-a", "readwrite", "/monitor/", "/monitor0")
        self.assertTrue(may("monitor-agent-a", "get", "/monitor/config/b"))
        status, out, err = self.config(etcd, *init, *who("root"))
        self.assertEqual(status, 0, err)
        self.assertIn("role monitor-agent-a changed", out)
        self.assertFalse(may("monitor-agent-a", "get", "/monitor/config/b"))

    def test_init_roles_rejects_wrong_arguments(self):
        for arguments, text in ((["--dir", self.data], "roles exist only in etcd"), (["--enable-auth"], "locks everybody out"),
                                (["a/b"], "expected 1 to 128"), (["--passwords", "x", "--client-certificates"], "exclude"),
                                (["a", "b", "--config-key", "/x"], "exactly one agent")):
            status, _, err = run("monitor-config", "init-roles", *arguments, *([] if "--dir" in arguments else ["--etcd", "127.0.0.1:1"]))
            self.assertEqual(status, 64, arguments)
            self.assertIn(text, err)

    def test_renews_expired_tokens(self):
        """JSON Web Tokens with a short lifetime: every later call is sent with an expired token."""
        key, public = os.path.join(self.data, "jwt.key"), os.path.join(self.data, "jwt.pem")
        openssl("genrsa", "-out", key, "2048")
        openssl("rsa", "-in", key, "-pubout", "-out", public)
        life = 1
        etcd = self.etcd(f"--auth-token=jwt,pub-key={public},priv-key={key},sign-method=RS256,ttl={life}s")
        secrets = os.path.join(self.data, "secrets")
        status, _, err = self.config(etcd, "init-roles", "a", "--passwords", secrets, "--enable-auth")
        self.assertEqual(status, 0, err)
        etcd.ctl_arguments = ["--user", "root:" + text_of(f"{secrets}/root")]
        agent = self.agent(etcd.address, "--etcd-user", "monitor-agent-a", "--etcd-password-file", f"{secrets}/monitor-agent-a")
        for interval in (1, 2, 3):
            # Writing the status is a separate call; from the second round on, its token has expired.
            revision = int(self.applied(agent, etcd, interval).string.split("revision=")[1].split()[0])
            wait_until(lambda r=revision: json.loads(etcd.get(STATUS) or "{}").get("applied") == r, "the status to show it")
            end = time.monotonic() + 2 * life
            wait_until(lambda e=end: time.monotonic() > e, "the token to expire")
        self.assertEqual(agent.said("watch lost"), 0)

    def test_init_roles_supports_users_with_certificates(self):
        folder = os.path.join(self.data, "tls")
        os.mkdir(folder)
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{folder}/ca.key", "-out", f"{folder}/ca.pem", "-days", "1",
                "-subj", "/CN=ca")

        def certificate(name, *more):
            openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{folder}/{name}.key", "-subj", f"/CN={name}",
                    "-out", f"{folder}/{name}.csr")
            openssl("x509", "-req", "-in", f"{folder}/{name}.csr", "-CA", f"{folder}/ca.pem", "-CAkey", f"{folder}/ca.key",
                    "-CAcreateserial", "-out", f"{folder}/{name}.pem", "-days", "1", *more)
            return f"{folder}/{name}.pem", f"{folder}/{name}.key"

        def tls(name):
            pem, key = certificate(name)
            return ["--etcd-ca", f"{folder}/ca.pem", "--etcd-cert", pem, "--etcd-key", key]

        with open(f"{folder}/san", "w", encoding="utf-8") as san:
            san.write("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        pem, key = certificate("server", "-extfile", f"{folder}/san")
        root = tls("root")
        etcd = self.etcd("--cert-file", pem, "--key-file", key, "--client-cert-auth", "--trusted-ca-file", f"{folder}/ca.pem", scheme="https",
                         ctl=["--cacert", root[1], "--cert", root[3], "--key", root[5]])
        status, out, err = self.config(etcd, "init-roles", "a", "--client-certificates", "--enable-auth", *root)
        self.assertEqual(status, 0, err)
        self.assertIn("identified by a certificate with this CN", out)
        agent = self.agent(etcd.address, *tls("monitor-agent-a"))
        author = tls("monitor-author")
        self.assertEqual(self.config(etcd, "set", "--agent-id", "a", "interval=3", *author)[0], 0)
        agent.says("configuration applied .*source=" + OWN)
        self.assertEqual(self.config(etcd, "wait", "--agent-id", "a", "--timeout", "20s", *tls("monitor-reader"))[0], 0)
        status, _, err = self.config(etcd, "set", "--agent-id", "a", "interval=4", *tls("monitor-reader"))
        self.assertEqual(status, 74, err)

    def certificates(self, folder):
        maker = self.start(CERTIFICATES, folder)
        files = {name: os.path.join(folder, name) for name in ("ca.pem", "server.pem", "server.key", "client.pem", "client.key")}
        wait_until(lambda: all(os.path.exists(f) for f in files.values()) and maker.process.poll() is not None, "certificates")
        return files

    def test_connects_with_tls_client_certificates(self):
        folder = os.path.join(self.data, "tls")
        os.mkdir(folder)
        files = self.certificates(folder)
        etcd = self.etcd("--cert-file", files["server.pem"], "--key-file", files["server.key"], "--client-cert-auth",
                         "--trusted-ca-file", files["ca.pem"], scheme="https",
                         ctl=["--cacert", files["ca.pem"], "--cert", files["client.pem"], "--key", files["client.key"]])
        tls = ["--etcd-ca", files["ca.pem"], "--etcd-cert", files["client.pem"], "--etcd-key", files["client.key"]]
        agent = self.agent(etcd.address, *tls)
        self.applied(agent, etcd, 1)
        self.assertEqual(self.config(etcd, "get", "--agent-id", "a", *tls)[0], 0)
        self.assertEqual(self.config(etcd, "get", "--agent-id", "a", "--etcd-ca", files["ca.pem"])[0], 69)
        self.assertEqual(self.config(etcd, "get", "--agent-id", "a", *tls[:1], "/nonexistent")[0], 74)


class Rotation(EtcdTest):
    """Certificates of clients and of etcd are replaced while programs run. New connections must use the new ones: etcd refuses
    the old ones, which are revoked."""

    def setUp(self):
        super().setUp()
        self.pki = os.path.join(self.data, "pki")
        os.mkdir(self.pki)
        for ca in ("ca", "next"):
            openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={ca}",
                    "-keyout", f"{self.pki}/{ca}.key", "-out", f"{self.pki}/{ca}.pem", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        for name, text in (("index.txt", ""), ("crlnumber", "01\n"), ("san", "subjectAltName=IP:127.0.0.1\n"),
                           ("ca.cnf", f"[ca]\ndefault_ca=c\n[c]\ndatabase={self.pki}/index.txt\ncrlnumber={self.pki}/crlnumber\n"
                            f"certificate={self.pki}/ca.pem\nprivate_key={self.pki}/ca.key\ndefault_md=sha256\ndefault_crl_days=1\n")):
            with open(f"{self.pki}/{name}", "w", encoding="ascii") as file:
                file.write(text)
        self.write_crl()

    def write_crl(self, *revoked):
        for name in revoked:
            openssl("ca", "-config", f"{self.pki}/ca.cnf", "-revoke", f"{self.pki}/{name}.pem")
        openssl("ca", "-config", f"{self.pki}/ca.cnf", "-gencrl", "-out", f"{self.pki}/crl.pem")

    def certificate(self, name, ca="ca"):
        path = f"{self.pki}/{name}"
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{path}.key", "-subj", f"/CN={name}",
                "-out", f"{path}.csr")
        openssl("x509", "-req", "-in", f"{path}.csr", "-CA", f"{self.pki}/{ca}.pem", "-CAkey", f"{self.pki}/{ca}.key", "-CAcreateserial", "-days", "2",
                "-extfile", f"{self.pki}/san", "-out", f"{path}.pem")
        return f"{path}.pem", f"{path}.key"

    def install(self, source, target):
        """Puts a copy of the file in the other one's place, in one step."""
        shutil.copy(source, f"{target}.new")
        os.replace(f"{target}.new", target)

    def live(self, name):
        """Options of a program whose files in live/ are replaced later."""
        folder = os.path.join(self.data, "live")
        os.makedirs(folder, exist_ok=True)
        pem, key = self.certificate(name)
        files = {"ca": f"{self.pki}/ca.pem", "pem": pem, "key": key}
        for end, source in files.items():
            self.install(source, f"{folder}/{name}.{end}")
        return ["--etcd-ca", f"{folder}/{name}.ca", "--etcd-cert", f"{folder}/{name}.pem", "--etcd-key", f"{folder}/{name}.key"]

    def replace_client(self, name, program):
        """A new certificate. For a moment, it does not belong to the key that is there."""
        pem, key = self.certificate(f"{name}-2")
        loaded = program.said("TLS files loaded again")
        self.install(pem, os.path.join(self.data, "live", f"{name}.pem"))
        program.says("TLS files have changed and cannot be loaded")
        self.install(key, os.path.join(self.data, "live", f"{name}.key"))
        program.says("TLS files loaded again", count=loaded + 1)

    def test_programs_use_new_certificates_without_a_restart(self):
        server, ctl = self.certificate("server"), self.certificate("ctl")
        with open(f"{self.pki}/both.pem", "w", encoding="ascii") as file:
            file.write(text_of(f"{self.pki}/ca.pem") + "\n" + text_of(f"{self.pki}/next.pem") + "\n")
        etcd = self.etcd("--cert-file", server[0], "--key-file", server[1], "--client-cert-auth", "--trusted-ca-file", f"{self.pki}/ca.pem",
                         "--client-crl-file", f"{self.pki}/crl.pem", scheme="https",
                         ctl=["--cacert", f"{self.pki}/both.pem", "--cert", ctl[0], "--key", ctl[1]])
        link = self.link(etcd)
        options = self.live("agent")
        agent = self.agent(f"127.0.0.1:{link.port}", *options)
        self.applied(agent, etcd, 1)
        # It runs all the while, and ends when the agent that it waits for has applied its document.
        wait = self.start("monitor-config", "wait", "--agent-id", "late", "--timeout", "120s", "--etcd", f"127.0.0.1:{link.port}",
                          *self.live("author"))
        self.replace_client("agent", agent)
        self.replace_client("author", wait)
        self.write_crl("agent", "author")
        for name in ("agent", "author"):
            old = ["--etcd-ca", f"{self.pki}/ca.pem", "--etcd-cert", f"{self.pki}/{name}.pem", "--etcd-key", f"{self.pki}/{name}.key"]
            self.assertEqual(self.config(etcd, "get", "--agent-id", "a", *old)[0], 69, "etcd refuses what was revoked")
        link.cut()
        agent.says("configuration watch lost")
        link.mend()
        agent.says("configuration watch established", count=2)
        self.applied(agent, etcd, 2)
        # etcd changes as well: to another CA, which its clients get first.
        for name in ("agent", "author"):
            self.install(f"{self.pki}/both.pem", os.path.join(self.data, "live", f"{name}.ca"))
        for program in (agent, wait):
            program.says("TLS files loaded again", count=2)
        new = self.certificate("server-2", ca="next")
        for source, target in zip(new, server):
            self.install(source, target)
        link.cut()
        agent.says("configuration watch lost", count=2)
        link.mend()
        agent.says("configuration watch established", count=3)
        self.applied(agent, etcd, 3)
        self.assertEqual(self.config(etcd, "get", "--agent-id", "a", *options)[0], 0, "the new files work elsewhere, too")
        # The one that was started before all this finds the agent.
        self.assertIsNone(wait.process.poll(), wait.err)
        etcd.put("/monitor/config/late", '{"interval": 5}')
        self.agent(etcd.address, *options, agent_id="late")
        self.assertEqual(wait.ends(60), 0, wait.err)


class Fleet(EtcdTest):
    def test_a_change_reaches_the_whole_fleet_also_after_an_outage(self):
        etcd = self.etcd()
        fleet = self.start("monitor-load", "fleet", "--agents", "200", "--changes", "2", "--ramp", "1s", "--restart", "--format", "json", "--etcd",
                           etcd.address)
        fleet.says("waiting for etcd to stop")
        self.assertEqual(json.loads(etcd.get("/monitor/defaults")), {"labels": {"round": "2"}})
        self.assertEqual(etcd.ctl("get", "/monitor/status/load-", "--prefix", "--keys-only").count("/monitor/status/"), 200)
        etcd.send(signal.SIGKILL)
        etcd.process.wait(10)
        fleet.says("all agents have lost etcd")
        etcd.start()
        self.assertEqual(fleet.ends(60), 0, fleet.err[-5:])
        result = json.loads(fleet.out[0])
        self.assertEqual((result["agents"], result["failure"]), (200, ""))
        self.assertEqual([one["applied"] for one in result["rounds"]], [200, 200])
        self.assertEqual((result["returned"]["agents"], sum(result["returned"]["by_second"])), (200, 200))

    def test_reports_an_unreachable_etcd(self):
        status, out, err = run("monitor-load", "fleet", "--agents", "3", "--ramp", "0s", "--limit", "1s", "--etcd", "127.0.0.1:1")
        self.assertEqual(status, 69)
        self.assertIn("0 of 3 agents watch, but not all managed to do so within 1 s", err)
        self.assertIn("0 of 3 agents watch", out)


class Author(SharedEtcdTest):
    def test_concurrent_changes_of_different_fields_both_succeed(self):
        etcd = self.etcd()
        authors = [self.start("monitor-config", "--etcd", etcd.address, "set", "--agent-id", "a", f"{field}={i}")
                   for i in range(1, 11) for field in ("interval", "send_every")]
        # Concurrent changes of the same field: some get a conflict, none is lost silently.
        statuses = [author.ends() for author in authors]
        self.assertLessEqual(set(statuses), {0, 75}, [a.err for a in authors])
        document = json.loads(etcd.get(OWN))
        self.assertEqual(sorted(document), ["interval", "send_every"])
        for author, status in zip(authors, statuses):
            if status == 75:
                self.assertRegex(author.err[-1], r"conflict: (interval|send_every) was .*, someone else changed it to .*, wanted \d+")

    def test_subcommands_report_and_check_revisions(self):
        etcd = self.etcd()
        status, out, err = self.config(etcd, "--agent-id", "a", "--interval", "5")
        self.assertEqual((status, err), (0, ""))
        revision = int(out.split()[-1])
        status, out, err = self.config(etcd, "get", "--agent-id", "a")
        self.assertEqual((status, err), (0, f"revision {revision}\n"))
        self.assertEqual(json.loads(out)["interval"], 5)
        etcd.put(OWN, '{"interval": 6}')
        status, _, err = self.config(etcd, "set", "--agent-id", "a", "interval=7", "--if-revision", revision)
        self.assertEqual(status, 75)
        self.assertIn("interval is 6, wanted 7", err)
        self.assertEqual(self.config(etcd, "delete", "--agent-id", "a", "--if-revision", revision)[0], 75)
        self.assertEqual(self.config(etcd, "set", "--agent-id", "a", "interval=7", "--if-revision", etcd.revision())[0], 0)
        self.assertEqual(self.config(etcd, "set", "--agent-id", "b", "interval=7", "--if-revision", "0")[0], 0)
        self.assertEqual(self.config(etcd, "list")[1].split(), [OWN, "/monitor/config/b"])
        watch = self.start("monitor-config", "--etcd", etcd.address, "watch", "--agent-id", "a")
        watch.prints('"interval": 7')
        etcd.ctl("del", OWN)
        watch.prints("# absent")
        self.assertEqual(watch.stop(signal.SIGINT), 0)
        self.assertEqual(self.config(etcd, "get", "--agent-id", "a")[0], 1)
        self.assertEqual(self.config(etcd, "delete", "--agent-id", "b")[0], 0)
        self.assertEqual(self.config(etcd, "set", "--agent-id", "a", "interval=0")[0], 78)

    def test_exits_with_an_error_without_etcd(self):
        status, _, err = run("monitor-config", "--etcd", f"127.0.0.1:{free_port()}", "list")
        self.assertEqual(status, 69)
        self.assertIn("refused", err)
        self.assertEqual(run("monitor-config", "--etcd", "x:y", "list")[0], 64)
        self.assertEqual(run("monitor-config", "--etcd", "x", "--dir", "y", "list")[0], 64)
        self.assertEqual(run("monitor-config", "--etcd-user", "x", "list")[0], 64)


if __name__ == "__main__":
    unittest.main(verbosity=2)
