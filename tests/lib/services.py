"""Kafka and etcd for tests: the shared ones that ctest starts, or a test's own pair that it may kill."""
import os
import signal
import subprocess

from programs import ROOT, run, wait_until

TOOL = os.path.join(ROOT, "tools", "services")


def addresses(path=None):
    """Returns {"KAFKA": "127.0.0.1:9092", "ETCD": ...} from a file, by default that of the services that ctest
    started."""
    path = path or os.environ.get("MONITOR_TEST_SERVICES", "")
    if not os.path.exists(path):
        raise AssertionError("MONITOR_TEST_SERVICES names no file: run the test with ctest, which starts the services, "
                             "or start them by hand: tools/services up; MONITOR_TEST_SERVICES=build/services/addresses")
    with open(path, encoding="ascii") as file:
        return dict(line.strip().split("=", 1) for line in file)


class Services:
    """Services with their own folder."""

    def __init__(self, folder, only, *arguments):
        self.folder, self.only = folder, only
        self.up("--kafka-port", "0", "--etcd-port", "0", *arguments)
        self.kafka = addresses(f"{folder}/addresses").get("KAFKA")
        self.etcd = addresses(f"{folder}/addresses").get("ETCD")

    def up(self, *arguments):
        status, _, err = run(TOOL, "up", "--dir", self.folder, "--only", self.only, *arguments, limit=180)
        if status != 0:
            raise AssertionError(err)

    @property
    def behind(self):
        """Returns the address of the listener that advertises another address (--kafka-advertise)."""
        return addresses(f"{self.folder}/addresses")["KAFKA_BEHIND"]

    def pid(self):
        with open(f"{self.folder}/{self.only}.pid", encoding="ascii") as file:
            return int(file.read())

    def kill(self):
        """Kills it with SIGKILL."""
        pid = self.pid()
        os.kill(pid, signal.SIGKILL)

        def gone():
            # The main thread is a zombie as soon as it has ended; the others may still hold the port.
            try:
                with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
                    ended = stat.read().rpartition(")")[2].split()[0] == "Z"
                return ended and len(os.listdir(f"/proc/{pid}/task")) == 1
            except OSError:
                return True

        wait_until(gone, "the killed service to end")

    def down(self):
        run(TOOL, "down", "--dir", self.folder, limit=90)


def kcat(*arguments, stdin=None):
    done = subprocess.run(["kcat", *arguments], input=stdin, capture_output=True, timeout=60, check=False)
    if done.returncode != 0:
        raise AssertionError(f"kcat {' '.join(arguments)}: {done.stderr.decode(errors='replace')}")
    return done.stdout
