"""The rpm packages, installed with rpm on a minimal Debian with systemd running: files, users, services, upgrade, removal. rpm
knows nothing of Debian's packages there, so the dependencies are compared with the system's libraries instead. Needs root and
debootstrap. $MONITOR_PACKAGES names a folder with the packages (*.deb and *.rpm); without it they are built."""
import glob
import os
import re
import shutil
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from machine import Machine, call  # noqa: E402
from programs import ROOT  # noqa: E402

SERVICES = ("monitor-agent", "monitor-server", "monitor-analysis")
RPM = ("rpm", "--nodeps", "--force-debian")


def build(kind, out, *arguments):
    call(os.path.join(ROOT, "tools", "package"), kind, "--out", out, *arguments)


class RpmTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = os.environ.get("MONITOR_PACKAGES")
        if folder is None:
            folder = os.path.join(ROOT, "build", "test-packages", "rpm")
            shutil.rmtree(folder, ignore_errors=True)
            for kind in ("deb", "rpm"):
                build(kind, folder)
        # The same programs under an earlier version.
        cls.old = os.path.join(ROOT, "build", "test-packages", "rpm-old")
        shutil.rmtree(cls.old, ignore_errors=True)
        built = os.environ.get("MONITOR_PACKAGE_BUILD")
        build("rpm", cls.old, "--version", "0.1.9", *(("--build", built) if built else ()))
        cls.new = folder
        cls.debs = sorted(path for path in glob.glob(f"{folder}/*.deb") if "-dbgsym" not in path)

    def setUp(self):
        self.machine = Machine("bookworm", self.debs, extra=("rpm",))
        self.addCleanup(self.machine.close)
        for folder, packages in (("new", self.new), ("old", self.old)):
            os.makedirs(f"{self.machine.root}/{folder}")
            for path in glob.glob(f"{packages}/*.rpm"):
                shutil.copy(path, f"{self.machine.root}/{folder}/")

    def rpm(self, *arguments):
        return self.machine.sh(" ".join((*RPM, *arguments)))

    def test_install_upgrade_remove(self):
        machine = self.machine
        said = self.rpm("-i", "/old/*.rpm")
        self.assertNotRegex(said, r"(?i)(warning|error|failed)")
        for service in SERVICES:
            self.assertEqual(machine.property(service, "User"), service)
            self.assertIn(f"{service}:", machine.read("/etc/passwd"))
        for service in ("monitor-agent", "monitor-server"):
            self.assertEqual(machine.property(service, "ActiveState"), "active", machine.journal(service))
            self.assertEqual(machine.property(service, "UnitFileState"), "enabled")
        self.assertEqual(machine.property("monitor-analysis", "ActiveState"), "inactive")
        self.assertEqual(self.rpm("-V", *SERVICES, "monitor", "monitor-dev"), "", "every file is as packaged")

        before = {service: machine.property(service, "MainPID") for service in SERVICES}
        machine.sh("echo MONITOR_AGENT_AGENT_ID=m1 >>/etc/default/monitor-agent")
        said = self.rpm("-U", "/new/*.rpm")
        self.assertNotRegex(said, r"(?i)(error|failed)")
        for service in ("monitor-agent", "monitor-server"):
            self.assertEqual(machine.property(service, "ActiveState"), "active", machine.journal(service))
            self.assertNotEqual(machine.property(service, "MainPID"), before[service], "an upgrade restarts it")
        self.assertEqual(machine.property("monitor-analysis", "ActiveState"), "inactive", "an upgrade starts nothing")
        self.assertIn("MONITOR_AGENT_AGENT_ID=m1", machine.read("/etc/default/monitor-agent"))
        # What was installed works: the agent's batches reach the server's log.
        self.assertIn("agent m1: delivering", machine.sh(
            "for i in $(seq 300); do monitor-agent health --ready && exit; sleep 0.1; done; exit 1"))

        self.rpm("-e", "monitor", "monitor-dev", *SERVICES)
        for service in SERVICES:
            self.assertEqual(machine.property(service, "ActiveState"), "inactive")
            self.assertFalse(machine.exists(f"/usr/bin/{service}"))
            self.assertFalse(machine.exists(f"/etc/systemd/system/multi-user.target.wants/{service}.service"))
        self.assertTrue(machine.exists("/var/lib/monitor-agent/agent/m1/spool"), "the state stays")

    def test_installs_into_a_root_without_a_running_system(self):
        """As images are built: users and links are made, and nothing is started."""
        machine = self.machine
        machine.sh("mkdir /image; cd /; tar -c --one-file-system --exclude=./image --exclude=./proc --exclude=./sys --exclude=./new "
                   "--exclude=./old --exclude=./run --exclude=./dev . | tar -x -C /image; mkdir -p /image/proc /image/sys /image/run /image/dev; "
                   "touch /image/dev/null")
        said = self.rpm("--root", "/image", "-i", "/new/*.rpm")
        self.assertNotRegex(said, r"(?i)(error|failed)")
        self.assertIn("monitor-agent:", machine.read("/image/etc/passwd"))
        wants = "/image/etc/systemd/system/multi-user.target.wants/"
        self.assertTrue(machine.exists(wants + "monitor-agent.service"))
        self.assertFalse(machine.exists(wants + "monitor-analysis.service"), "its log is not known yet")
        self.assertEqual(machine.property("monitor-agent", "ActiveState"), "inactive")

    def test_dependencies_are_libraries_of_the_system(self):
        """Every library that the packages name is in a package of Debian, by the same soname."""
        known = set(re.findall(r"^\s*(\S+) \(", self.machine.run("/sbin/ldconfig", "-p"), re.M))
        sonames = set()
        for path in glob.glob(f"{self.new}/*.rpm"):
            needs = call("rpm", "-qp", "--requires", path).splitlines()
            sonames |= {re.match(r"[^(]+", one).group() for one in needs if re.match(r"lib.*\.so", one)}
        self.assertGreater(len(sonames), 8)
        self.assertLessEqual(sonames, known)
        # A name that only Debian's libraries have would make the packages useless elsewhere.
        self.assertFalse({one for one in sonames if re.match(r"lib(lua|fmt|spdlog|re2|protobuf)", one)}, sonames)


if __name__ == "__main__":
    unittest.main()
