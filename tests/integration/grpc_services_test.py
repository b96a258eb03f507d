"""Reflection and health of the real server over gRPC: every listed service is described with all imports, and the
health service can be called from its description alone, as grpcurl does."""
import os
import sys
import unittest

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from programs import ProgramTest  # noqa: E402


class GrpcServicesTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.channel = grpc.insecure_channel(self.start_server().address)
        self.addCleanup(self.channel.close)
        self.database = ProtoReflectionDescriptorDatabase(self.channel)
        self.pool = DescriptorPool(self.database)

    def test_every_listed_service_is_described(self):
        services = list(self.database.get_services())
        self.assertEqual(sorted(services), ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                                            "grpc.reflection.v1alpha.ServerReflection", "monitor.v1.Ingest"])
        for name in services:
            service = self.pool.FindServiceByName(name)
            files = [service.file]
            for file in files:
                self.assertEqual(self.database.FindFileByName(file.name).name, file.name)
                files += [other for other in file.dependencies if other not in files]
            for method in service.methods:
                for message in (method.input_type, method.output_type):
                    self.assertIs(self.pool.FindMessageTypeByName(message.full_name), message)

    def test_health_can_be_called_from_its_description(self):
        check = self.pool.FindServiceByName("grpc.health.v1.Health").methods_by_name["Check"]
        request, response = (GetMessageClass(kind) for kind in (check.input_type, check.output_type))
        call = self.channel.unary_unary("/grpc.health.v1.Health/Check", request_serializer=request.SerializeToString,
                                        response_deserializer=response.FromString)
        serving = check.output_type.enum_types_by_name["ServingStatus"].values_by_name["SERVING"].number
        for service in ("", "monitor.v1.Ingest"):
            self.assertEqual(call(request(service=service), timeout=10).status, serving)

    def test_rejects_large_requests_to_small_methods(self):
        call = self.channel.unary_unary("/grpc.health.v1.Health/Check")
        with self.assertRaises(grpc.RpcError) as caught:
            call(b"\x0a" + b"\x90\x4e" + b"x" * 10_000, timeout=10)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
        self.assertIn("limit of 512", caught.exception.details())


if __name__ == "__main__":
    unittest.main()
