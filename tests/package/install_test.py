"""Packages on minimal systems of Debian 12 and 13, with systemd running: install, upgrade, downgrade, remove, purge, and what the
units' restrictions leave to the programs. Needs root and debootstrap; the first run fetches the systems.

The packages are those of tools/package deb, which builds them first ($MONITOR_PACKAGES names a folder with packages instead).
The earlier version is the last commit before there were packages, built below build/ ($MONITOR_PREVIOUS_BIN names a folder with
its programs instead)."""
import glob
import json
import os
import re
import shutil
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from machine import Machine, call  # noqa: E402
from programs import ROOT  # noqa: E402

# The last commit without packages.
PREVIOUS = "bd383a299db774deececd5f0ed9f6dfb21a48ffb"
LOG = "sqlite:/var/lib/monitor-server/log.db"
SERVICES = ("monitor-agent", "monitor-server", "monitor-analysis")
EVERY_METRIC = ["cpu", "memory", "swap", "disk read", "disk write", "net in", "net out", "load", "uptime", "pressure", "paging",
                {"name": "filesystem", "per_filesystem": True}]
SCRIPT = "function run(batch)\n  for point in batch:points() do point:set_label('seen', 'yes') end\nend\n"


def build_packages(out):
    shutil.rmtree(out, ignore_errors=True)
    call(os.path.join(ROOT, "tools", "package"), "deb", "--out", out)


def packages_of(folder):
    return sorted(path for path in glob.glob(f"{folder}/*.deb") if "-dbgsym" not in path)


class Prepared:
    """The packages, built once for all tests of this file."""

    new = old = None

    @classmethod
    def packages(cls):
        if cls.new is None:
            cls.new = os.environ.get("MONITOR_PACKAGES") or os.path.join(ROOT, "build", "test-packages", "new")
            if "MONITOR_PACKAGES" not in os.environ:
                build_packages(cls.new)
            # The same programs under an earlier version: what an upgrade does depends on the scripts of both.
            cls.old = os.path.join(ROOT, "build", "test-packages", "old")
            shutil.rmtree(cls.old, ignore_errors=True)
            os.makedirs(cls.old)
            for path in packages_of(cls.new):
                cls.renumber(path, "0.1.9")
        return packages_of(cls.new), packages_of(cls.old)

    @classmethod
    def renumber(cls, package, version):
        """Writes a copy of a package with another version, and with that version of the others in its dependencies."""
        tree = os.path.join(cls.old, "tree")
        call("dpkg-deb", "-R", package, tree)
        present = call("dpkg-deb", "-f", package, "Version").strip()
        with open(f"{tree}/DEBIAN/control", encoding="utf-8") as file:
            control = file.read().replace(present, version)
        with open(f"{tree}/DEBIAN/control", "w", encoding="utf-8") as file:
            file.write(control)
        name = os.path.basename(package).replace(present, version)
        call("dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, os.path.join(cls.old, name))
        shutil.rmtree(tree)

    @staticmethod
    def previous_programs():
        given = os.environ.get("MONITOR_PREVIOUS_BIN")
        if given:
            return given
        source = os.path.join(ROOT, "build", "previous")
        if not os.path.exists(source):
            call("git", "clone", "--quiet", "--shared", ROOT, source)
        call("git", "-C", source, "checkout", "--quiet", PREVIOUS)
        call("cmake", "--preset", "release", cwd=source)
        call("cmake", "--build", "--preset", "release", "--target", "programs", cwd=source)
        return os.path.join(source, "build", "release", "bin")


class PackageTest:
    suite = None

    @classmethod
    def setUpClass(cls):
        cls.new, cls.old = Prepared.packages()
        cls.previous = Prepared.previous_programs()

    def setUp(self):
        self.machine = Machine(self.suite, self.new)
        self.addCleanup(self.machine.close)
        # The status line comes with the keep-alives.
        self.machine.write("/etc/systemd/system/monitor-agent.service.d/often.conf", "[Service]\nWatchdogSec=4s\n")
        for folder, packages in (("new", self.new), ("old", self.old)):
            os.makedirs(f"{self.machine.root}/{folder}")
            for path in packages:
                shutil.copy(path, f"{self.machine.root}/{folder}/")

    def dpkg(self, folder, *names):
        """Installs packages of a folder: all, or the named ones."""
        files = [f"/{folder}/{os.path.basename(path)}" for path in (self.new if folder == "new" else self.old)
                 if not names or os.path.basename(path).split("_")[0] in names]
        return self.machine.run("dpkg", "--force-confold", "--force-unsafe-io", "-i", *files)

    def active(self, *services):
        for service in services:
            self.assertEqual(self.machine.property(service, "ActiveState"), "active", self.machine.journal(service))

    def ledger(self):
        """The ledger's rows by agent and run: {incarnation: (sequences, missing)}, and its exit status."""
        out = self.machine.sh(f"monitor-analysis ledger --log {LOG} --format json 2>/dev/null; echo status=$?")
        status = int(re.search(r"status=(\d+)", out).group(1))
        return [json.loads(line) for line in out.splitlines() if line.startswith("{")], status

    def eventually(self, condition, what, limit=120):
        """Waits for a condition that costs a process to ask."""
        end = time.monotonic() + limit
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"waited {limit} s for {what}\n{self.machine.journal('monitor-agent')[-3000:]}")
            time.sleep(0.3)

    def until_status(self, pattern):
        """Waits until the agent's line in `systemctl status` matches."""
        self.eventually(lambda: re.search(pattern, self.machine.property("monitor-agent", "StatusText")), pattern)

    def until_delivered(self):
        """Waits until the agent delivers, and its spool has nothing but the last batches."""
        self.until_status("agent m1: delivering; [0-2] batch(es wait| waits)")

    # --- tests ---

    def test_install_upgrade_downgrade_remove_purge(self):
        machine = self.machine
        # The programs before there were packages, as root, with a server that is down: they fill the spool.
        for program in ("monitor-agent", "monitor-plugin-host"):
            shutil.copy(os.path.join(self.previous, program), f"{machine.root}/usr/local/bin/{program}")
        self.copy_libraries(os.path.join(self.previous, "monitor-agent"))
        machine.write("/var/lib/monitor-agent/monitor/defaults.json", '{"interval": 0.1, "metrics": ["cpu", "load"]}')
        machine.sh("chmod 700 /var/lib/monitor-agent; LD_LIBRARY_PATH=/usr/local/lib timeout 6 /usr/local/bin/monitor-agent --agent-id m1 "
                   "--data /var/lib/monitor-agent --config-dir /var/lib/monitor-agent/monitor --server 127.0.0.1:9 "
                   "--drain-timeout 1s >/old.log 2>&1 || true; rm /usr/local/bin/monitor-*")
        waiting = int(re.findall(r"agent stopped.* unsent=(\d+)", machine.read("/old.log"))[-1])
        self.assertGreater(waiting, 2, machine.read("/old.log"))

        # Install. The agent goes on with that spool.
        machine.write("/etc/default/monitor-agent", "MONITOR_AGENT_AGENT_ID=m1\n# kept by upgrades\n")
        said = self.dpkg("old")
        self.assertNotRegex(said, r"(?i)(warning|error|failed)")
        self.active("monitor-agent", "monitor-server")
        self.assertEqual(machine.property("monitor-analysis", "ActiveState"), "inactive")
        self.until_delivered()
        first, status = self.ledger()
        self.assertEqual(status, 0, first)
        runs = [row for row in first if row.get("incarnation")]
        self.assertEqual(len(runs), 2, first)
        users = {service: machine.property(service, "User") for service in SERVICES}
        self.assertEqual(users, {service: service for service in SERVICES})

        # Upgrade both while they run; then the agent alone while the server is down.
        before = machine.property("monitor-agent", "MainPID")
        self.dpkg("new")
        self.active("monitor-agent", "monitor-server")
        self.assertNotEqual(machine.property("monitor-agent", "MainPID"), before)
        self.assertIn("kept by upgrades", machine.read("/etc/default/monitor-agent"))
        machine.run("systemctl", "stop", "monitor-server")
        self.until_status(r"not delivering.*; ([3-9]|\d\d+) batches wait")
        self.dpkg("old", "monitor-agent")  # a downgrade
        self.active("monitor-agent")
        self.dpkg("new", "monitor-agent")
        machine.run("systemctl", "start", "monitor-server")
        self.until_delivered()
        rows, status = self.ledger()
        self.assertEqual(status, 0, rows)
        self.assertEqual(len([row for row in rows if row.get("incarnation")]), 5, "the first run and one of each package")

        # Downgrade all.
        self.dpkg("old")
        self.active("monitor-agent", "monitor-server")
        self.until_delivered()
        self.assertEqual(self.ledger()[1], 0)

        # Remove: the state and the options stay, and come back into use.
        self.assertNotRegex(machine.run("dpkg", "-r", "monitor", *SERVICES), r"(?i)(warning|error|failed)")
        for service in SERVICES:
            self.assertEqual(machine.property(service, "ActiveState"), "inactive")
            self.assertFalse(machine.exists(f"/usr/bin/{service}"))
            self.assertTrue(machine.exists(f"/etc/default/{service}"))
        self.assertTrue(machine.exists("/var/lib/monitor-agent/agent/m1/spool"))
        self.dpkg("new")
        self.active("monitor-agent", "monitor-server")
        self.until_delivered()
        self.assertEqual(self.ledger()[1], 0)

        # Purge: nothing is left but the users.
        machine.run("dpkg", "-P", "monitor", "monitor-dev", *SERVICES)
        left = machine.sh("find / -xdev -name '*monitor-*' -not -path '/proc/*' -not -path '/new/*' -not -path '/old/*' "
                          "-not -path '/var/log/*' -not -path '/sys/*' -not -path '/tmp/*' -not -path '/var/tmp/*'")
        ours = ("/usr/local", "/var/lib/systemd", "/etc/systemd/system/monitor-agent.service.d")
        left = [path for path in left.splitlines() if not path.startswith(ours)]
        self.assertEqual(left, [])
        self.assertEqual(machine.run("systemctl", "list-units", "--all", "--no-legend", "monitor-*").strip(), "")

    def copy_libraries(self, program):
        """The libraries of the machine that built the earlier programs, if this system has others."""
        for name, path in re.findall(r"^\s*(\S+) => (/\S+)", call("ldd", program), re.M):
            if not re.match(r"lib(c|m|dl|rt|pthread|resolv)\.so|ld-", name):
                shutil.copyfile(os.path.realpath(path), f"{self.machine.root}/usr/local/lib/{name}")

    def test_the_agent_reads_everything_under_its_unit(self):
        """A run under all restrictions has the series of a run under none, with the same constant values."""
        machine = self.machine
        self.dpkg("new")
        # A filesystem of its own below /home, which ProtectHome restricts.
        image = f"{machine.root}/disk.img"
        call("truncate", "-s", "32M", image)
        call("mkfs.ext4", "-qF", image)
        device = call("losetup", "-f", "--show", image).strip()
        self.addCleanup(call, "losetup", "-d", device)
        number = os.stat(device).st_rdev
        machine.sh(f"mknod /disk b {os.major(number)} {os.minor(number)}; mkdir /home/disk; mount /disk /home/disk")
        self.addCleanup(machine.sh, "umount /home/disk", False)
        machine.write("/var/lib/monitor-agent/monitor/defaults.json", json.dumps({"interval": 1, "metrics": EVERY_METRIC}))
        unit = machine.read("/lib/systemd/system/monitor-agent.service" if machine.exists("/lib/systemd/system/monitor-agent.service")
                            else "/usr/lib/systemd/system/monitor-agent.service")
        once = "/usr/bin/monitor-agent --once --agent-id m1 --format json --config-dir /var/lib/monitor-agent/monitor"
        confined = re.sub(r"(?m)^ExecStart=.*", f"ExecStart={once}", unit).replace("Type=notify", "Type=oneshot")
        confined = re.sub(r"(?m)^(WatchdogSec|Restart)=.*\n", "", confined)
        # The same user and folder, and no other setting: neither namespaces nor filters.
        free = f"[Service]\nType=oneshot\nUser=monitor-agent\nEnvironment=MONITOR_AGENT_DATA=/var/lib/monitor-agent\nExecStart={once}\n"
        machine.sh("systemctl restart monitor-agent; systemctl stop monitor-agent; chown -R monitor-agent: /var/lib/monitor-agent")
        seen = {}
        for name, text in (("confined", confined), ("free", free)):
            text = text.replace("[Service]\n", f"[Service]\nStandardOutput=file:/run/{name}.json\nStandardError=journal\n", 1)
            machine.write(f"/etc/systemd/system/{name}.service", text)
            machine.sh(f"systemctl daemon-reload; systemctl start {name}")
            (line,) = [one for one in machine.run("cat", f"/run/{name}.json").splitlines() if one.startswith("{")]
            seen[name] = {(m["name"], json.dumps(m["labels"], sort_keys=True)): m["value"] for m in json.loads(line)["metrics"]}
            journal = machine.journal(name)
            self.assertNotRegex(journal, r"(?i)(permission denied|not permitted|cannot be read)")
        self.assertEqual(set(seen["confined"]), set(seen["free"]))
        self.assertGreater(len(seen["free"]), 25)
        mounts = [key for key in seen["free"] if '"/home/disk"' in key[1]]
        self.assertGreaterEqual(len(mounts), 3)
        for key in mounts:
            self.assertEqual(seen["confined"][key], seen["free"][key], key)
        total = "system.uptime"
        self.assertAlmostEqual(seen["confined"][(total, "{}")], seen["free"][(total, "{}")], delta=60)

    def test_plugins_run_sandboxed_under_the_unit(self):
        machine = self.machine
        self.dpkg("new")
        plugins = [{"name": "script"}]
        machine.write("/var/lib/monitor-agent/plugins/script.lua", SCRIPT)
        native = os.path.join(os.environ.get("MONITOR_BUILD_DIR", ""), "tests", "plugins", "counter.so")
        if os.path.exists(native):
            shutil.copy(native, f"{machine.root}/var/lib/monitor-agent/plugins/counter.so")
            plugins.append({"name": "counter"})
        machine.write("/var/lib/monitor-agent/monitor/defaults.json",
                      json.dumps({"interval": 0.5, "metrics": ["load"], "plugins": plugins}))
        machine.sh("chown -R monitor-agent: /var/lib/monitor-agent; echo MONITOR_AGENT_AGENT_ID=m1 >>/etc/default/monitor-agent; "
                   "systemctl restart monitor-agent")

        def states():
            try:
                status = json.loads(machine.read("/var/lib/monitor-agent/monitor/status/m1.json"))
            except (OSError, ValueError):
                return None
            return {one["name"]: (one["state"], one["ticks"] > 0) for one in status.get("plugins", [])}

        wanted = {one["name"]: ("running", True) for one in plugins}
        self.eventually(lambda: states() == wanted, "running plugins")
        hosts = machine.run("pgrep", "-f", "monitor-plugin-host").split()
        self.assertEqual(len(hosts), len(plugins))
        for pid in hosts:
            status = machine.run("cat", f"/proc/{pid}/status")
            # Its own seccomp filter is above the unit's.
            self.assertGreater(int(re.search(r"Seccomp_filters:\s*(\d+)", status).group(1)),
                               int(re.search(r"Seccomp_filters:\s*(\d+)", machine.run(
                                   "cat", f"/proc/{machine.property('monitor-agent', 'MainPID')}/status")).group(1)))
            self.assertEqual(int(machine.run("ps", "-o", "ni=", "-p", pid)), 5)

    def test_a_hung_agent_is_restarted(self):
        machine = self.machine
        self.dpkg("new", "monitor-agent", "monitor-server")
        for service in ("monitor-agent", "monitor-server"):
            machine.write(f"/etc/systemd/system/{service}.service.d/test.conf", "[Service]\nWatchdogSec=4s\nRestartSec=100ms\n")
        machine.sh("systemctl daemon-reload; systemctl restart monitor-agent monitor-server")
        for service in ("monitor-agent", "monitor-server"):
            before = machine.property(service, "MainPID")
            machine.run("kill", "-STOP", before)
            self.eventually(lambda: machine.property(service, "MainPID") not in (before, "0")  # noqa: B023
                            and machine.property(service, "ActiveState") == "active", "a restart")  # noqa: B023
            self.assertIn("Watchdog timeout", machine.journal(service))
            self.assertEqual(machine.property(service, "NRestarts"), "1")

    def test_credentials_reach_the_programs(self):
        """The server reads a key that only root can read in /etc/credstore."""
        machine = self.machine
        call("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=machine", "-addext", "subjectAltName=DNS:localhost",
             "-days", "2", "-keyout", f"{machine.root}/key.pem", "-out", f"{machine.root}/cert.pem")
        machine.sh("install -d -m 700 /etc/credstore; install -m 600 /key.pem /etc/credstore/monitor-server.tls-key; "
                   "install -m 600 /cert.pem /etc/credstore/monitor-server.tls-cert; "
                   "install -m 600 /cert.pem /etc/credstore/monitor-agent.tls-ca; rm /key.pem")
        machine.write("/etc/default/monitor-server",
                      f"MONITOR_SERVER_LOG={LOG}\n"
                      "MONITOR_SERVER_TLS_CERT=/run/credentials/monitor-server.service/tls-cert\n"
                      "MONITOR_SERVER_TLS_KEY=/run/credentials/monitor-server.service/tls-key\n")
        machine.write("/etc/default/monitor-agent",
                      "MONITOR_AGENT_AGENT_ID=m1\nMONITOR_AGENT_SERVER=localhost:50051\n"
                      "MONITOR_AGENT_TLS_CA=/run/credentials/monitor-agent.service/tls-ca\n")
        self.dpkg("new", "monitor-agent", "monitor-server")
        self.active("monitor-agent", "monitor-server")
        self.until_delivered()
        self.assertIn("tls=true", machine.journal("monitor-server"))
        # No other user of the machine reads the copy.
        done = machine.run("setpriv", "--reuid", "monitor-agent", "--clear-groups", "cat",
                           "/run/credentials/monitor-server.service/tls-key", check=False)
        self.assertNotIn("PRIVATE KEY", done)


def release_of_this_host():
    with open("/etc/os-release", encoding="utf-8") as file:
        return re.search(r'VERSION_ID="?(\d+)', file.read()).group(1)


@unittest.skipUnless(release_of_this_host() == "12", "packages built on a later Debian need that one")
class Debian12(PackageTest, unittest.TestCase):
    suite = "bookworm"


class Debian13(PackageTest, unittest.TestCase):
    suite = "trixie"


if __name__ == "__main__":
    unittest.main()
