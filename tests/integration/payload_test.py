"""Independent readers of the payload: protoc and Python's protobuf on a real log, and OpenTelemetry's own classes on
the OTLP mapping."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ROOT, ProgramTest, run  # noqa: E402

BUILD = os.environ.get("MONITOR_BUILD_DIR", os.path.join(ROOT, "build", "release"))


class PayloadTest(ProgramTest):
    def setUp(self):
        super().setUp()
        server = self.start_server()
        self.configure("a", "--interval", "0.1", "--metrics", "cpu", "memory", "disk read")
        agent = self.start_agent("a", server, "--simulate=5")
        self.reader = self.start_reader()
        self.reader.json_lines(25)
        agent.stop()
        server.stop()
        from decode_batch import read_sqlite

        self.records = list(read_sqlite(f"{self.data}/log.db"))

    def test_protoc_decodes_with_the_shipped_proto(self):
        done = subprocess.run(["protoc", "--decode", "monitor.v1.MetricBatch", "-I", f"{ROOT}/proto",
                               f"{ROOT}/proto/monitor/v1/metrics.proto"], input=self.records[0][4], capture_output=True, check=True)
        self.assertIn(b'agent_id: "a"', done.stdout)
        self.assertIn(b'name: "system.memory.usage"', done.stdout)
        self.assertNotRegex(done.stdout.decode(), r"(?m)^\s*\d+:", "there are no unknown fields")

    def test_the_command_of_the_python_version_generates_classes(self):
        with open(f"{ROOT}/docs/from-python.md", encoding="utf-8") as page:
            commands = [line[2:] for line in page if line.startswith("$ python3 -m grpc_tools.protoc ")]
        self.assertEqual(len(commands), 2)
        tree = f"{self.data}/tree"
        for folder in ("proto", "shared"):
            shutil.copytree(f"{ROOT}/{folder}", f"{tree}/{folder}", symlinks=True, ignore=shutil.ignore_patterns("*_pb2*"))
        for command in commands:
            subprocess.run(command.replace("python3", sys.executable, 1), shell=True, cwd=tree, check=True)
        # Separate processes, because one process can register a file's messages only once.
        read = "import sys; from {} import MetricBatch; print(MetricBatch.FromString(sys.stdin.buffer.read()).agent_id)"
        for module, more in (("shared.monitoring_pb2", ""), ("monitor.v1.metrics_pb2", "; from monitor.v1.ingest_pb2_grpc import IngestStub")):
            done = subprocess.run([sys.executable, "-c", read.format(module) + more], input=self.records[0][4], cwd=tree, capture_output=True, check=True)
            self.assertEqual(done.stdout, b"a\n")

    def test_the_example_prints_a_topic(self):
        """Uses librdkafka's mock brokers, which other clients reach over TCP like a real cluster."""
        from confluent_kafka import Producer

        producer = Producer({"test.mock.num.brokers": 1, "log_level": 3})
        broker = next(iter(producer.list_topics("monitoring-data", timeout=10).brokers.values()))
        for _, _, key, headers, value in self.records[:3]:
            producer.produce("monitoring-data", key=key, value=value, headers=headers)
        producer.produce("monitoring-data", key="j", value=b'{"agent": "j"}', headers={"content-type": "application/json"})
        self.assertEqual(producer.flush(10), 0)
        example = self.start(sys.executable, f"{ROOT}/docs/examples/decode_batch.py", "--kafka", f"{broker.host}:{broker.port}")
        printed = {line["agent"]: line for line in sorted(example.json_lines(4), key=lambda line: line["offset"], reverse=True)}
        from decode_batch import decode

        first = json.loads(json.dumps(decode(self.records[0][4])))
        self.assertEqual({name: printed["a"][name] for name in first}, first)
        self.assertEqual(set(printed["j"]), {"agent", "partition", "offset"})
        example.send(signal.SIGINT)
        self.assertEqual(example.ends(), 0, example.err)

    def test_generated_python_and_the_example_agree_with_get_metrics(self):
        generated = tempfile.mkdtemp(dir=self.data)
        # The environment's protobuf is newer than Debian's protoc; a descriptor set works with any version.
        subprocess.run(["protoc", "-I", f"{ROOT}/proto", f"--descriptor_set_out={generated}/set",
                        f"{ROOT}/proto/monitor/v1/metrics.proto"], check=True)
        from decode_batch import decode
        from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

        with open(f"{generated}/set", "rb") as file:
            files = descriptor_pb2.FileDescriptorSet.FromString(file.read())
        pool = descriptor_pool.DescriptorPool()
        for file in files.file:
            pool.Add(file)
        batch_class = message_factory.GetMessageClass(pool.FindMessageTypeByName("monitor.v1.MetricBatch"))
        printed = {(line["sequence"], line["frame"]): line for line in map(json.loads, list(self.reader.out))}
        compared = 0
        for _, _, key, headers, value in self.records:
            message = batch_class.FromString(value)
            batch = decode(value)
            self.assertEqual(message.agent_id, key)
            self.assertEqual(headers["sequence"], str(message.sequence))
            self.assertEqual(headers["incarnation"], message.incarnation.hex())
            self.assertEqual(len(message.frames), len(batch["frames"]))
            self.assertEqual(message.counters.points_made, batch["counters"]["points_made"])
            for number, frame in enumerate(batch["frames"]):
                line = printed.get((message.sequence, number))
                if line is None:
                    continue
                self.assertEqual([(m["name"], m["labels"], m["unit"]) for m in line["metrics"]],
                                 [(s["name"], s["labels"], s["unit"]) for s, _ in frame["points"]])
                for metric, (_, expected) in zip(line["metrics"], frame["points"]):
                    self.assertEqual(metric["value"], expected)
                    compared += 1
        self.assertGreater(compared, 50)

    def test_opentelemetry_classes_read_the_otlp_mapping(self):
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

        sample = f"{self.data}/otlp"
        status, out, err = run(f"{BUILD}/tests/metrics_otlp_test", "--gtest_filter=Otlp.RoundTripIsLossless",
                               env={"MONITOR_OTLP_SAMPLE": sample})
        self.assertEqual(status, 0, out + err)
        with open(sample, "rb") as file:
            request = ExportMetricsServiceRequest.FromString(file.read())
        resource = request.resource_metrics[0]
        attributes = {a.key: a.value for a in resource.resource.attributes}
        self.assertEqual(attributes["service.instance.id"].string_value, "agent-001")
        self.assertEqual(attributes["host.name"].string_value, "host")
        self.assertEqual(attributes["rack"].string_value, "r1")
        scope = resource.scope_metrics[0]
        self.assertEqual((scope.scope.name, scope.scope.version), ("monitor-agent", "1.2.3"))
        cpu, read, write, custom = scope.metrics
        self.assertEqual((cpu.name, cpu.unit, cpu.WhichOneof("data")), ("system.cpu.utilization", "1", "gauge"))
        self.assertEqual(read.WhichOneof("data"), "sum")
        self.assertTrue(read.sum.is_monotonic)
        self.assertEqual(read.sum.aggregation_temporality, 2)
        self.assertEqual({a.key: a.value.string_value for a in write.sum.data_points[0].attributes},
                         {"disk.io.direction": "write", "system.device": "sda"})
        self.assertEqual(len(custom.gauge.data_points), 2)
        self.assertEqual(read.sum.data_points[1].time_unix_nano, 1_700_000_000_100_000_000)
        self.assertEqual(read.sum.data_points[0].WhichOneof("value"), "as_int")
        self.assertEqual(cpu.gauge.data_points[0].WhichOneof("value"), "as_double")


if __name__ == "__main__":
    unittest.main()
