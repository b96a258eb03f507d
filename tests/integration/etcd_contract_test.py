"""Runs the contract tests of configuration sources on a real etcd."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from etcd import Etcd  # noqa: E402

BUILD = os.environ.get("MONITOR_BUILD_DIR", "build/release")

etcd = Etcd()
try:
    sys.exit(subprocess.run([os.path.join(BUILD, "tests", "etcd_contract")], env={**os.environ, "MONITOR_TEST_ETCD": etcd.address},
                            timeout=200, check=False).returncode)
finally:
    etcd.close()
