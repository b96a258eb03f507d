"""The health and reflection services of our server, called with the clients that gRPC ships."""

import os
import unittest

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


class ServicesTest(unittest.TestCase):
    def setUp(self):
        self.channel = grpc.insecure_channel(os.environ["ECHO_TARGET"])
        self.addCleanup(self.channel.close)
        self.health = health_pb2_grpc.HealthStub(self.channel)

    def test_check_returns_the_status(self):
        self.assertEqual(self.health.Check(health_pb2.HealthCheckRequest(), timeout=10).status, SERVING)
        with self.assertRaises(grpc.RpcError) as caught:
            self.health.Check(health_pb2.HealthCheckRequest(service="no.Such"), timeout=10)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.NOT_FOUND)

    def test_watch_sends_every_change(self):
        unknown = self.health.Watch(health_pb2.HealthCheckRequest(service="no.Such"), timeout=10)
        self.assertEqual(next(unknown).status, SERVICE_UNKNOWN)
        watch = self.health.Watch(health_pb2.HealthCheckRequest(service="interop.Echo"), timeout=10)
        self.assertEqual(next(watch).status, NOT_SERVING)
        self.channel.unary_unary("/interop.Echo/Heal")(b"", timeout=10)
        self.assertEqual(next(watch).status, SERVING)
        watch.cancel()

    def test_reflection_describes_the_services(self):
        database = ProtoReflectionDescriptorDatabase(self.channel)
        self.assertIn("interop.Echo", database.get_services())
        self.assertIn("grpc.health.v1.Health", database.get_services())
        pool = DescriptorPool(database)
        methods = pool.FindServiceByName("interop.Echo").methods_by_name
        self.assertTrue(methods["Bidi"].client_streaming)
        self.assertEqual(pool.FindMessageTypeByName("interop.Message").fields_by_name["count"].number, 2)
        with self.assertRaises(KeyError):
            pool.FindMessageTypeByName("interop.Nothing")

    def test_every_listed_service_is_described(self):
        database = ProtoReflectionDescriptorDatabase(self.channel)
        pool = DescriptorPool(database)
        services = database.get_services()
        for name in ("grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"):
            self.assertIn(name, services)
        for name in services:
            service = pool.FindServiceByName(name)
            self.assertTrue(service.methods, name)
            files = [service.file]
            for file in files:
                self.assertEqual(database.FindFileByName(file.name).name, file.name)
                files += [other for other in file.dependencies if other not in files]
            for method in service.methods:
                for message in (method.input_type, method.output_type):
                    self.assertEqual(pool.FindMessageTypeByName(message.full_name).full_name, message.full_name)

    def test_health_can_be_called_from_its_description(self):
        pool = DescriptorPool(ProtoReflectionDescriptorDatabase(self.channel))
        check = pool.FindServiceByName("grpc.health.v1.Health").methods_by_name["Check"]
        request, response = (GetMessageClass(t) for t in (check.input_type, check.output_type))
        call = self.channel.unary_unary("/grpc.health.v1.Health/Check", request_serializer=request.SerializeToString,
                                        response_deserializer=response.FromString)
        self.assertEqual(call(request(service=""), timeout=10).status, SERVING)

    def test_reflection_v1_returns_the_same_answers(self):
        call = self.channel.stream_stream(
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )
        requests = [
            reflection_pb2.ServerReflectionRequest(list_services=""),
            reflection_pb2.ServerReflectionRequest(file_containing_symbol="interop.Echo.Bidi"),
            reflection_pb2.ServerReflectionRequest(file_by_filename="no.proto"),
        ]
        services, file, missing = list(call(iter(requests), timeout=10))
        self.assertIn("interop.Echo", [service.name for service in services.list_services_response.service])
        self.assertEqual(len(file.file_descriptor_response.file_descriptor_proto), 1)
        self.assertEqual(missing.error_response.error_code, grpc.StatusCode.NOT_FOUND.value[0])
        self.assertEqual(missing.original_request, requests[2])


if __name__ == "__main__":
    unittest.main()
