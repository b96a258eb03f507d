"""A real Kafka that rejects records: no permission, a full disk, a topic with a small message limit. The server reports
the reason, agents keep their batches, and after the cause is removed every batch is in the log exactly once."""
import json
import os
import subprocess
import sys
import unittest

from confluent_kafka.admin import AclBinding, AclBindingFilter, AclOperation, AclPermissionType, AdminClient, NewTopic, ResourcePatternType, ResourceType

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from programs import ProgramTest, run, wait_until  # noqa: E402
from services import Services, kcat  # noqa: E402

TOPIC = "monitoring-data"


class KafkaRefuses(ProgramTest):
    def start_kafka(self, folder, *arguments):
        self.services = Services(folder, "kafka", *arguments)
        self.addCleanup(self.services.down)
        self.log = ["--kafka", self.services.kafka]

    def start_kafka_server(self):
        server = self.start("monitor-server", *self.log, "--port", 0, "--http", "127.0.0.1:0", "--data", self.data)
        server.address = server.says(r"listening service=grpc address=(\S+)").group(1)
        server.http = server.says(r"listening service=http address=(\S+)").group(1)
        return server

    def ready(self, server):
        """Returns the status and text of /readyz."""
        out = run("curl", "-s", "-w", "%{http_code}", f"http://{server.http}/readyz")[1]
        return int(out[-3:]), out[:-3]

    def start_pair(self):
        server = self.start_kafka_server()
        self.configure("a", "--interval", "0.05", "--metrics", "cpu")
        self.assertEqual(run("monitor-config", "set", "--dir", f"{self.data}/monitor", "--agent-id", "a", "send_every=0.05")[0], 0)
        return server, self.start_agent("a", server)

    def start_counter(self):
        return self.start("monitor-analysis", "get-metrics", *self.log, "--from", "earliest", "--format", "json")

    def nothing_is_missing(self, agent, reader):
        """Stops the agent with everything acknowledged, and checks that every batch is in the log exactly once."""
        self.assertEqual(agent.stop(), 0)
        last = int(agent.says(r"agent stopped batches=(\d+) unsent=0").group(1))

        def sequences():
            return [json.loads(line)["sequence"] for line in list(reader.out)]

        # The final batch may be a heartbeat, of which nothing is printed.
        wait_until(lambda: max(sequences(), default=0) >= last - 1, "the last ticks")
        self.assertIn(sorted(sequences()), (list(range(1, last)), list(range(1, last + 1))))

    def test_missing_permission_is_back_pressure_until_it_is_granted(self):
        self.start_kafka(f"{self.data}/services",
                         "--kafka-setting", "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                         "--kafka-setting", "allow.everyone.if.no.acl.found=true")
        server, agent = self.start_pair()
        reader = self.start_counter()
        reader.json_lines(5)
        admin = AdminClient({"bootstrap.servers": self.services.kafka})
        denied = AclBinding(ResourceType.TOPIC, TOPIC, ResourcePatternType.LITERAL, "User:ANONYMOUS", "*", AclOperation.WRITE,
                            AclPermissionType.DENY)
        for future in admin.create_acls([denied]).values():
            future.result(30)
        server.says("Kafka does not accept records.*(?i:authoriz)")
        status, text = wait_until(lambda: self.ready(server) if self.ready(server)[0] == 503 else None, "/readyz to fail")
        self.assertRegex(text, "(?i)authoriz")
        rows = len(reader.out)
        any_of_it = AclBindingFilter(ResourceType.TOPIC, TOPIC, ResourcePatternType.LITERAL, None, None, AclOperation.ANY, AclPermissionType.ANY)
        for future in admin.delete_acls([any_of_it]).values():
            future.result(30)
        wait_until(lambda: len(reader.out) > rows + 20, "fresh ticks")
        wait_until(lambda: self.ready(server)[0] == 200, "/readyz to succeed")
        self.nothing_is_missing(agent, reader)

    def test_a_full_disk_is_back_pressure_until_there_is_space(self):
        disk = f"{self.data}/disk"
        os.makedirs(disk)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk], capture_output=True, text=True, check=False)
        self.assertEqual(mounted.returncode, 0, mounted.stderr)
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=False)
        # The broker preallocates its indexes, so a small disk needs small ones.
        self.start_kafka(disk, "--kafka-setting", "log.index.size.max.bytes=65536")
        server, agent = self.start_pair()
        reader = self.start_counter()
        reader.json_lines(5)
        with open(f"{disk}/ballast", "wb", buffering=0) as ballast:
            try:
                while ballast.write(b"x" * 4096):
                    pass
            except OSError:
                pass  # full
        server.says("Kafka does not accept records", limit=60)
        os.remove(f"{disk}/ballast")
        self.services.up()  # the broker has shut down because of the full disk
        rows = len(reader.out)
        wait_until(lambda: len(reader.out) > rows + 20, "fresh ticks", limit=60)
        self.nothing_is_missing(agent, reader)

    def test_rejects_only_batches_above_the_topics_limit(self):
        self.start_kafka(f"{self.data}/services")
        admin = AdminClient({"bootstrap.servers": self.services.kafka})
        for future in admin.create_topics([NewTopic(TOPIC, 1, 1, config={"max.message.bytes": "1000", "retention.ms": "60000"})]).values():
            future.result(30)
        server = self.start_kafka_server()
        for setting in ("message.timestamp.type", "retention.ms", "max.message.bytes"):
            server.says(f"topic has other settings, which are not changed topic={TOPIC} setting={setting}")
        self.configure("small", "--interval", "0.2", "--metrics", "cpu")
        self.configure("large", "--interval", "0.05", "--metrics", '{"name": "cpu", "per_core": true}', "memory", "load", "uptime", "filesystem")
        self.assertEqual(run("monitor-config", "set", "--dir", f"{self.data}/monitor", "--agent-id", "large", "send_every=4")[0], 0)
        small, large = self.start_agent("small", server), self.start_agent("large", server)
        reader = self.start_counter()
        # A batch above the topic's limit is rejected permanently, with name and limit; other batches are not affected.
        large.says("too_large")
        wait_until(lambda: len([1 for line in list(reader.out) if json.loads(line)["agent"] == "small"]) > 20, "the small one's ticks")
        self.assertEqual(large.stop(), 0)
        self.assertEqual(small.stop(), 0)
        stored = kcat("-C", "-q", "-b", self.services.kafka, "-t", TOPIC, "-o", "beginning", "-e", "-f", "%k\n").decode().splitlines()
        self.assertNotIn("large", stored[:1])


if __name__ == "__main__":
    unittest.main()
