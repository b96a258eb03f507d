"""tools/services starts and stops the services, and compose.yaml gives Docker users the same ones."""
import json
import os
import re
import shutil
import socket
import sys
import unittest

import yaml

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ROOT, ProgramTest, run  # noqa: E402
from services import TOOL, addresses, kcat  # noqa: E402


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


class ServicesTest(ProgramTest):
    def tool(self, *arguments):
        return run(TOOL, *arguments, "--dir", f"{self.data}/services", "--only", "etcd", limit=120)

    def test_restart_keeps_port_and_data(self):
        self.addCleanup(self.tool, "down")
        self.assertEqual(self.tool("status")[0], 1)
        status, _, err = self.tool("up", "--etcd-port", "0")
        self.assertEqual(status, 0, err)
        first = addresses(f"{self.data}/services/addresses")["ETCD"]
        with open(f"{self.data}/services/etcd.pid", encoding="ascii") as file:
            pid = file.read()
        status, out, _ = self.tool("status")
        self.assertEqual(status, 0)
        self.assertIn(f"etcd: answers on {first}", out)
        status, _, err = self.tool("up")
        self.assertEqual(status, 0)
        self.assertIn(f"etcd is running on {first}", err, "it is not started twice")
        with open(f"{self.data}/services/etcd.pid", encoding="ascii") as file:
            self.assertEqual(file.read(), pid)
        run("etcdctl", "--endpoints", first, "put", "k", "kept", env={"ETCDCTL_API": "3"})
        self.assertEqual(self.tool("down")[0], 0)
        self.assertEqual(self.tool("down")[0], 0, "down is idempotent")
        self.assertEqual(self.tool("status")[0], 1)
        self.assertEqual(self.tool("up")[0], 0)
        self.assertEqual(addresses(f"{self.data}/services/addresses")["ETCD"], first, "the port is kept")
        _, out, _ = run("etcdctl", "--endpoints", first, "get", "k", "--print-value-only", env={"ETCDCTL_API": "3"})
        self.assertEqual(out.strip(), "kept", "the data is kept")

    def test_retries_and_explains_a_failed_download(self):
        """Maven does not retry a failed download unless -U is given."""
        for folder in ("tools/kafka", "fake"):
            os.makedirs(f"{self.data}/{folder}")
        shutil.copy(TOOL, f"{self.data}/tools/services")
        shutil.copy(os.path.join(ROOT, "tools/kafka/pom.xml"), f"{self.data}/tools/kafka/pom.xml")
        with open(f"{self.data}/fake/mvn", "w", encoding="utf-8") as fake:
            fake.write(f'#!/bin/sh\necho "$*" >>{self.data}/calls\necho "Unknown host repo.example"\nexit 1\n')
        os.chmod(f"{self.data}/fake/mvn", 0o755)
        status, _, err = run(f"{self.data}/tools/services", "up", "--only", "kafka", "--kafka-port", "0", "--dir", f"{self.data}/services",
                             env={"PATH": f"{self.data}/fake:{os.environ['PATH']}"})
        self.assertEqual(status, 69, err)
        self.assertRegex(err, r"Kafka \S+ is missing: \S+ is empty, and Maven cannot reach its repository")
        calls = read(f"{self.data}/calls").splitlines()
        self.assertEqual(["-U" in call for call in calls], [False, True])

    def test_kafka_advertises_the_address_of_a_proxy(self):
        where = ["--dir", f"{self.data}/services", "--only", "kafka"]
        self.addCleanup(run, TOOL, "down", *where, limit=90)
        for _ in range(2):  # the second start uses the stored port
            status, _, err = run(TOOL, "up", *where, "--kafka-port", "0", "--kafka-advertise", "127.0.0.1:1234", limit=180)
            self.assertEqual(status, 0, err)
            found = addresses(f"{self.data}/services/addresses")
            told = kcat("-L", "-b", found["KAFKA_BEHIND"]).decode()
            self.assertIn("broker 1 at 127.0.0.1:1234 ", told)
            self.assertIn(f"broker 1 at {found['KAFKA']} ", kcat("-L", "-b", found["KAFKA"]).decode())
            run(TOOL, "down", *where, limit=90)

    def test_reports_a_port_in_use(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen()
            status, _, err = self.tool("up", "--etcd-port", s.getsockname()[1])
        self.assertEqual(status, 69)
        self.assertIn("is in use by another program; choose another with --etcd-port", err)

    def test_uses_a_running_service_and_does_not_stop_it(self):
        there = addresses()["ETCD"]
        status, _, err = self.tool("up", "--etcd-port", there.split(":")[1])
        self.assertEqual(status, 0, err)
        self.assertIn("not started by this command", err)
        self.assertEqual(self.tool("down")[0], 0)
        status, _, _ = run("etcdctl", "--endpoints", there, "endpoint", "health", env={"ETCDCTL_API": "3"})
        self.assertEqual(status, 0)


class ComposeTest(unittest.TestCase):
    def setUp(self):
        self.services = yaml.safe_load(read("compose.yaml"))["services"]
        self.tool = read("tools/services")

    def test_compose_has_the_same_versions(self):
        version = re.search(r"kafka_2\.13</artifactId>\s*<version>([\d.]+)<", read("tools/kafka/pom.xml")).group(1)
        self.assertEqual(self.services["kafka"]["image"], f"apache/kafka:{version}")
        installed = re.search(r"etcd Version: ([\d.]+)", run("etcd", "--version")[1]).group(1)
        image = self.services["etcd"]["image"].rpartition(":v")[2]
        # The oldest of Debian's: 3.4 in Debian 12. Debian 13 has 3.5, which runs in all other tests there.
        self.assertEqual(image.split(".")[:2], ["3", "4"])
        self.assertIn(installed.split(".")[:2], (["3", "4"], ["3", "5"]))

    def test_compose_has_the_same_names_and_ports(self):
        self.assertEqual(self.services["etcd"]["container_name"], "etcd")
        self.assertEqual(set(self.services), {"etcd", "kafka"})
        for name in ("kafka", "etcd"):
            default = re.search(rf'"--{name}-port", type=int, help="default: (\d+)', self.tool).group(1)
            self.assertEqual(self.services[name]["ports"], [f"127.0.0.1:{default}:{default}"])
        self.assertEqual(self.services["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"], "PLAINTEXT://localhost:9092")

    def test_compose_has_the_same_settings(self):
        table = re.search(r"KAFKA_SETTINGS = (\{.*?\n\})", self.tool, re.S).group(1)
        settings = json.loads(re.sub(r",\s*\}", "}", re.sub(r"(?m)^\s*#.*$", "", table)))
        environment = self.services["kafka"]["environment"]
        for name, value in settings.items():
            self.assertEqual(environment["KAFKA_" + name.upper().replace(".", "_")], value, name)
        heap = re.findall(r'"(-Xm[xs]\w+)"', self.tool)
        self.assertEqual(environment["KAFKA_HEAP_OPTS"].split(), heap)


if __name__ == "__main__":
    unittest.main()
