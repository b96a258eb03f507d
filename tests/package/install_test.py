"""Packages on minimal systems of Debian 12 and 13, with systemd running: install, upgrade, downgrade, remove, purge, and what the
units' restrictions leave to the programs. Needs root and debootstrap; the first run fetches the systems.

The packages are those of tools/package deb, which builds them first ($MONITOR_PACKAGES names a folder with packages instead).
The earlier version is the last commit of 0.1.0, built below build/ ($MONITOR_PREVIOUS_BIN names a folder with its programs
instead). That version had no packages: the tests put its programs into packages like today's, with a unit that it can serve."""
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

# The last commit of 0.1.0.
PREVIOUS = "8bc3af8de94853bd7bae1f4fb4d3cf7c48fe8973"
LOG = "sqlite:/var/lib/monitor-server/log.db"
# Where the libraries of the machine that built 0.1.0 are, for a system that has others.
FIRST_LIBRARIES = "/usr/local/lib/first"
# The agent's status line comes with the keep-alives of the watchdog.
OFTEN = "/etc/systemd/system/monitor-agent.service.d/often.conf"
SERVICES = ("monitor-agent", "monitor-server", "monitor-analysis")
EVERY_METRIC = ["cpu", "memory", "swap", "disk read", "disk write", "net in", "net out", "load", "uptime", "pressure", "paging",
                {"name": "filesystem", "per_filesystem": True}]
SCRIPT = "function run(batch)\n  for point in batch:points() do point:set_label('seen', 'yes') end\nend\n"


def build_packages(out):
    shutil.rmtree(out, ignore_errors=True)
    call(os.path.join(ROOT, "tools", "package"), "deb", "--out", out)


def packages_of(folder):
    return sorted(path for path in glob.glob(f"{folder}/*.deb") if "-dbgsym" not in path)


def documented(name, pattern):
    """What a document says: the test runs the very commands."""
    with open(os.path.join(ROOT, "docs", name), encoding="utf-8") as file:
        text = re.sub(r"(?m)^ {3}", "", re.search(pattern, file.read()).group(1))
    return text.strip()


class Prepared:
    """The packages, built once for all tests of this file."""

    new = old = first = None

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
    def renumber(cls, package, version, to=None, change=lambda tree: None):
        """Writes a copy of a package with another version, and with that version of the others in its dependencies."""
        to = to or cls.old
        tree = os.path.join(to, "tree")
        call("dpkg-deb", "-R", package, tree)
        change(tree)
        present = call("dpkg-deb", "-f", package, "Version").strip()
        with open(f"{tree}/DEBIAN/control", encoding="utf-8") as file:
            control = file.read().replace(present, version)
        with open(f"{tree}/DEBIAN/control", "w", encoding="utf-8") as file:
            file.write(control)
        name = os.path.basename(package).replace(present, version)
        call("dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, os.path.join(to, name))
        shutil.rmtree(tree)

    @classmethod
    def first_packages(cls):
        """Agent, server and analysis of 0.1.0."""
        if cls.first is not None:
            return cls.first
        programs = cls.previous_programs()
        folder = os.path.join(ROOT, "build", "test-packages", "first")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)

        def put_programs(tree):
            for program in os.listdir(f"{tree}/usr/bin"):
                shutil.copy(os.path.join(programs, program), f"{tree}/usr/bin/{program}")
            shutil.rmtree(f"{tree}/usr/libexec", ignore_errors=True)  # there were no plugin hosts
            (unit,) = glob.glob(f"{tree}/**/monitor-*.service", recursive=True)
            with open(unit, encoding="utf-8") as file:
                text = file.read().replace("Type=notify", f"Type=exec\nEnvironment=LD_LIBRARY_PATH={FIRST_LIBRARIES}")
            with open(unit, "w", encoding="utf-8") as file:
                file.write(re.sub(r"(?m)^WatchdogSec=.*\n", "", text))

        for path in packages_of(cls.new):
            if os.path.basename(path).split("_")[0] in SERVICES:
                cls.renumber(path, "0.1.0", folder, put_programs)
        cls.first = packages_of(folder)
        return cls.first

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

    def setUp(self):
        self.machine = Machine(self.suite, self.new)
        self.addCleanup(self.machine.close)
        self.machine.write(OFTEN, "[Service]\nWatchdogSec=4s\n")
        self.folders = {}
        self.offer("new", self.new)
        self.offer("old", self.old)

    def offer(self, folder, packages):
        """Copies packages into a folder of the machine."""
        os.makedirs(f"{self.machine.root}/{folder}")
        for path in packages:
            shutil.copy(path, f"{self.machine.root}/{folder}/")
        self.folders[folder] = [os.path.basename(path) for path in packages]

    def files(self, folder, *names):
        return [f"/{folder}/{name}" for name in self.folders[folder] if not names or name.split("_")[0] in names]

    def dpkg(self, folder, *names):
        """Installs packages of a folder: all, or the named ones."""
        return self.machine.run("dpkg", "--force-confold", "--force-unsafe-io", "-i", *self.files(folder, *names))

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
        machine.write("/var/lib/monitor-agent/monitor/defaults.json", '{"interval": 0.1, "metrics": ["cpu", "load"]}')
        machine.write("/etc/default/monitor-agent", "MONITOR_AGENT_AGENT_ID=m1\n# kept by upgrades\n")
        said = self.dpkg("old")
        self.assertNotRegex(said, r"(?i)(warning|error|failed)")
        self.active("monitor-agent", "monitor-server")
        self.assertEqual(machine.property("monitor-analysis", "ActiveState"), "inactive")
        self.until_delivered()
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
        self.assertEqual(len([row for row in rows if row.get("incarnation")]), 4, "one of each package")

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

    # --- from 0.1.0 ---

    def copy_libraries(self):
        """The libraries of the machine that built 0.1.0."""
        to = self.machine.root + FIRST_LIBRARIES
        os.makedirs(to)
        for program in SERVICES:
            for name, path in re.findall(r"^\s*(\S+) => (/\S+)", call("ldd", os.path.join(Prepared.previous_programs(), program)), re.M):
                if not re.match(r"lib(c|m|dl|rt|pthread|resolv)\.so|ld-", name):
                    shutil.copyfile(os.path.realpath(path), f"{to}/{name}")

    def install_first(self):
        """0.1.0's agent and server at work, ten ticks a second."""
        machine = self.machine
        self.offer("first", Prepared.first_packages())
        self.copy_libraries()
        # 0.1.0 sends no keep-alives: the watchdog would kill its agent every 4 s.
        os.remove(machine.root + OFTEN)
        machine.write("/var/lib/monitor-agent/monitor/defaults.json", '{"interval": 0.1, "metrics": ["cpu", "load"]}')
        machine.write("/etc/default/monitor-agent", "MONITOR_AGENT_AGENT_ID=m1\n")
        self.dpkg("first")
        self.active("monitor-agent", "monitor-server")
        for program in SERVICES:
            said = machine.run("env", f"LD_LIBRARY_PATH={FIRST_LIBRARIES}", program, "--version")
            self.assertIn(f"{program} 0.1.0", said)
        self.eventually(lambda: self.log_size() > 100_000, "a log that grows")

    def log_size(self):
        """Bytes of the metric log, with what is not in its main file yet."""
        return sum(os.path.getsize(path) for path in glob.glob(f"{self.machine.root}/var/lib/monitor-server/log.db*"))

    def runs_of_agent(self):
        """The agent's runs in the order of time, each whole: (batches stored, last sequence)."""
        rows, status = self.ledger()
        self.assertEqual(status, 0, rows)
        rows = sorted((row for row in rows if row.get("incarnation")), key=lambda row: row["first_time"])
        for row in rows:
            self.assertEqual((row["agent"], row["missing"], row["dropped"], row["first_sequence"]), ("m1", [], [], 1), row)
        return [(row["batches_stored"], row["last_sequence"]) for row in rows]

    def keep_alives_of(self, *packages):
        """Installs today's packages, with the watchdog that the agent of 0.1.0 does not know."""
        self.machine.write(OFTEN, "[Service]\nWatchdogSec=4s\n")
        return self.dpkg("new", *packages)

    def check_two_whole_runs(self):
        """One run of 0.1.0's agent, and one of today's; every batch of both is stored."""
        runs = self.runs_of_agent()
        self.assertEqual(len(runs), 2, runs)
        for stored, last in runs:
            self.assertEqual(stored, last, runs)
        return runs

    def test_upgrade_of_a_running_system_from_0_1_0(self):
        machine = self.machine
        self.install_first()
        said = self.keep_alives_of()
        self.assertNotRegex(said, r"(?i)(warning|error|failed)")
        self.active("monitor-agent", "monitor-server")
        self.assertNotIn("0.1.0", machine.run("monitor-agent", "--version"))
        self.until_delivered()
        self.check_two_whole_runs()

    def waiting_in_spool(self):
        """As today's program sees the spool that 0.1.0 writes."""
        said = self.machine.run("runuser", "-u", "monitor-agent", "--", "monitor-agent", "spool", "inspect",
                                "/var/lib/monitor-agent/agent/m1/spool", check=False)
        return sum(int(count) for count in re.findall(r"(\d+) wait", said))

    def test_upgrade_from_0_1_0_server_first_with_a_full_spool(self):
        """The server, then, while no server runs, the agent: the batches that 0.1.0 has put into its spool are stored."""
        machine = self.machine
        self.install_first()
        self.dpkg("new", "monitor-server", "monitor-analysis")
        self.active("monitor-server")
        (before,) = self.runs_of_agent()
        self.eventually(lambda: self.runs_of_agent()[0][0] > before[0] + 5, "batches of 0.1.0's agent in the new server's log")
        machine.run("systemctl", "stop", "monitor-server")
        machine.run("dpkg", "--unpack", *self.files("new", "monitor-agent"))
        self.eventually(lambda: self.waiting_in_spool() > 5, "batches in the spool of the agent, which still is that of 0.1.0")
        machine.write(OFTEN, "[Service]\nWatchdogSec=4s\n")
        machine.run("dpkg", "--configure", "monitor-agent")
        self.active("monitor-agent")
        self.until_status(r"not delivering.*; ([3-9]|\d\d+) batches wait")
        machine.run("systemctl", "start", "monitor-server")
        self.until_delivered()
        self.check_two_whole_runs()

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

    # --- set-up as docs/quickstart.md and docs/install.md describe it ---

    def start_server_with_ca(self):
        """As in docs/quickstart.md, for agents of this machine."""
        machine = self.machine
        self.dpkg("new", "monitor-server", "monitor-analysis")
        with open(f"{machine.root}/etc/default/monitor-server", "a", encoding="utf-8") as file:
            file.write(documented("quickstart.md", r"(?s)(MONITOR_SERVER_LOG=.*?)\n *```") + "\n")
        machine.run("systemctl", "restart", "monitor-server")
        command = documented("quickstart.md", r"(?m)^ *# (runuser .* token create .*)$")
        machine.sh("umask 077; cd /; " + command.replace("'web-*'", "'mach*'"))

    def test_one_line_installs_an_agent_and_joins_it(self):
        machine = self.machine
        self.start_server_with_ca()
        line = documented("quickstart.md", r"(?m)^ *# (apt-get install .* && monitor-agent init .* <token)$")
        line = f"cd /; cp new/monitor-agent_*.deb .; {line.replace('server.example.org', 'localhost')}"
        said = machine.sh(line)
        self.assertRegex(said, r"agent machine: delivering; (1 batch waits|\d+ batches wait) in the spool\n$")
        self.assertEqual(machine.run("monitor-agent", "health", "--ready").splitlines()[0][:25], "agent machine: delivering")
        tokens = machine.sh("runuser -u monitor-server -- monitor-server token list --ca-dir /var/lib/monitor-server/ca --format json")
        self.assertIn('"machine"', tokens)
        self.eventually(lambda: {row["agent"] for row in self.ledger()[0]} == {"machine"}, "batches in the log")
        self.assertEqual(self.ledger()[1], 0)
        self.assertTrue(machine.exists("/var/lib/monitor-agent/agent/machine/identity/identity.pem"))
        self.assertNotIn(machine.read("/token").strip(), said + machine.read("/etc/default/monitor-agent") +
                         machine.journal("monitor-agent"))
        # The same line again, and a restart without the token's file: nothing changes.
        self.assertIn("The configuration is up to date.", machine.sh(line))
        machine.sh("rm /etc/credstore/monitor-agent.join-token; systemctl restart monitor-agent")
        self.eventually(lambda: machine.sh("monitor-agent health --ready >/dev/null && echo yes || true") == "yes\n", "delivery")

    def test_a_token_for_others_is_told(self):
        machine = self.machine
        self.start_server_with_ca()
        self.dpkg("new", "monitor-agent")
        said = machine.sh("cd /; monitor-agent init --agent-id other --server localhost:50051 --token-stdin --yes <token || echo status=$?")
        self.assertIn("status=1", said)
        self.assertRegex(said, r"agent other: not delivering: .*\nIt goes on trying")

    def test_users_of_a_packaged_page(self):
        machine = self.machine
        self.dpkg("new", "monitor-server", "monitor-analysis")
        machine.sh(documented("quickstart.md", r"(?m)^ *# (install -D .*read-sqlite-log.conf)$"))
        command = documented("install.md", r"(?m)^# (runuser .* user add .*)$").replace("-u monitor-analysis", "-u monitor-server")
        with open(f"{machine.root}/etc/default/monitor-analysis", "a", encoding="utf-8") as file:
            file.write("MONITOR_ANALYSIS_USERS=/var/lib/monitor-analysis/users.json\n"
                       "MONITOR_ANALYSIS_AUDIT_LOG=/var/lib/monitor-analysis/audit.jsonl\n")
        machine.sh("systemctl daemon-reload; install -d -o monitor-server -m 700 /var/lib/monitor-analysis; "
                   f"echo a-long-enough-password | {command}; systemctl enable --now monitor-analysis")
        self.active("monitor-analysis")

        def get(path):
            return machine.run("bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/8080; printf 'GET {path} HTTP/1.1\\r\\nHost: localhost:8080\\r\\n"
                               "Connection: close\\r\\n\\r\\n' >&3; head -1 <&3")

        self.assertIn(" 200 ", get("/healthz"))
        self.assertIn(" 401 ", get("/api/v1/fleet"))
        # A user that is added later, without a restart.
        machine.sh(f"echo another-long-password | {command.replace('ann', 'bob')}")
        self.assertIn("bob", machine.read("/var/lib/monitor-analysis/users.json"))
        self.assertEqual(machine.property("monitor-analysis", "NRestarts"), "0")

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
