"""A current etcd, built from its Go module: sources of configuration, the history, and clients of every kind work with it as with
Debian's 3.4."""
import os
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from programs import ROOT  # noqa: E402

MODULE = "go.etcd.io/etcd/server/v3"
VERSION = "v3.7.3"


def build_etcd():
    """Returns the folder with the program; builds it once. Nothing if there is no Go that can build it."""
    folder = os.path.join(ROOT, "build", "etcd-" + VERSION)
    program = os.path.join(folder, "bin", "etcd")
    if os.path.exists(program):
        return os.path.dirname(program)
    if not shutil.which("go"):
        return None
    os.makedirs(os.path.dirname(program), exist_ok=True)
    with open(os.path.join(folder, "go.mod"), "w", encoding="ascii") as file:
        file.write(f"module current\n\ngo 1.26\n\nrequire {MODULE} {VERSION}\n")
    with open(os.path.join(folder, "main.go"), "w", encoding="ascii") as file:
        file.write(f'package main\n\nimport _ "{MODULE}/etcdmain"\n\nfunc main() {{}}\n')
    for command in (["go", "mod", "tidy", "-e"], ["go", "build", "-p", "2", "-o", program + ".new", MODULE]):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{command}: {done.stderr[-2000:]}")
    os.rename(program + ".new", program)
    return os.path.dirname(program)


class CurrentEtcd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = build_etcd()
        if folder is None:
            raise unittest.SkipTest("needs Go, to build etcd")
        cls.environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}

    def run_test(self, *command):
        done = subprocess.run([sys.executable, *command], cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=500, check=False)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:] + done.stderr[-3000:])
        return done.stderr

    def test_is_the_version_that_was_built(self):
        done = subprocess.run(["etcd", "--version"], env=self.environment, capture_output=True, text=True, check=True)
        self.assertRegex(done.stdout, re.escape(VERSION[1:]))

    def test_sources_of_configuration(self):
        self.run_test("tests/integration/etcd_contract_test.py")

    def test_history_and_its_commands(self):
        self.assertRegex(self.run_test("tests/e2e/config_history_test.py", "EtcdStore"), r"Ran \d\d tests")

    def test_agents_and_authors(self):
        said = self.run_test("tests/integration/etcd_test.py", "Applying.test_merges_layers_and_supports_another_key", "Author",
                             "EtcdFailures.test_recovers_from_a_compaction_during_a_disconnect", "EtcdFailures.test_recovers_from_a_restart_of_etcd",
                             "ThreeMembers.test_survives_a_kill_of_the_leader", "LeasedStatus.test_replaces_a_revoked_lease",
                             "Security.test_init_roles_grants_least_privilege")
        self.assertRegex(said, r"Ran (\d\d|[7-9]) tests")


if __name__ == "__main__":
    unittest.main()
