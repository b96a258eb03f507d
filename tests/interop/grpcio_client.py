"""The interoperability client on Python's grpcio. README.md lists the checks."""

import os
import time
import unittest

import grpc

from messages import Message

ODD = "odd: 100 % é € 😀 \n %41 \t end"


class GrpcioTest(unittest.TestCase):
    def setUp(self):
        target = os.environ["ECHO_TARGET"]
        ca = os.environ.get("ECHO_CA")
        if ca:
            with open(ca, "rb") as file:
                self.channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(file.read()))
        else:
            self.channel = grpc.insecure_channel(target)
        self.addCleanup(self.channel.close)

    def method(self, kind, name):
        make = getattr(self.channel, kind)
        return make(
            f"/interop.Echo/{name}",
            request_serializer=Message.SerializeToString,
            response_deserializer=Message.FromString,
        )

    def unary(self, name, message=None, **options):
        return self.method("unary_unary", name).with_call(message or Message(), timeout=30, **options)

    def test_unary_call_carries_metadata_both_ways(self):
        data = b"\x00\x01\xfe\xff, \x7f"
        answer, call = self.unary(
            "Unary", Message(body=b"hello"), metadata=[("x-echo", "some value"), ("x-echo-bin", data)]
        )
        self.assertEqual(answer.body, b"hello")
        self.assertIn(("x-echo", "some value"), [tuple(pair) for pair in call.initial_metadata()])
        self.assertIn(("x-echo-bin", data), [tuple(pair) for pair in call.trailing_metadata()])

    def test_transfers_empty_and_large_messages(self):
        for size in (0, 3_000_000):
            answer, _ = self.unary("Unary", Message(body=b"x" * size))
            self.assertEqual(len(answer.body), size)
        with self.assertRaises(grpc.RpcError) as caught:
            self.unary("Unary", Message(body=b"x" * 5_000_000))
        self.assertEqual(caught.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)

    def test_client_streaming_works(self):
        requests = (Message(body=str(i).encode()) for i in range(1000))
        answer = self.method("stream_unary", "ClientStream")(requests, timeout=30)
        self.assertEqual((answer.count, answer.body), (1000, b"999"))

    def test_server_streaming_works(self):
        answers = list(self.method("unary_stream", "ServerStream")(Message(body=b"y" * 5000, count=1000), timeout=30))
        self.assertEqual([answer.count for answer in answers], list(range(1, 1001)))

    def test_bidirectional_streaming_works(self):
        requests = (Message(body=b"z" * 20_000, count=i) for i in range(100))
        answers = list(self.method("stream_stream", "Bidi")(requests, timeout=30))
        self.assertEqual([answer.count for answer in answers], list(range(100)))

    def test_transfers_status_codes_and_unusual_messages(self):
        for code in range(1, 17):
            with self.assertRaises(grpc.RpcError) as caught:
                self.unary("Status", Message(code=code, text=ODD))
            self.assertEqual(caught.exception.code().value[0], code)
            self.assertEqual(caught.exception.details(), ODD)

    def test_unknown_method_is_unimplemented(self):
        with self.assertRaises(grpc.RpcError) as caught:
            self.unary("Nothing")
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNIMPLEMENTED)

    def test_rejects_compression_with_a_clear_status(self):
        with self.assertRaises(grpc.RpcError) as caught:
            self.unary("Unary", Message(body=b"x" * 10_000), compression=grpc.Compression.Gzip)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNIMPLEMENTED)
        self.assertIn("gzip", caught.exception.details())

    def test_deadline_ends_the_call(self):
        with self.assertRaises(grpc.RpcError) as caught:
            list(self.method("unary_stream", "Hang")(Message(), timeout=0.2))
        self.assertEqual(caught.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)

    def test_cancellation_reaches_the_server(self):
        before, _ = self.unary("Cancelled")
        call = self.method("unary_stream", "Hang")(Message())
        call.initial_metadata()
        call.cancel()
        end = time.monotonic() + 30
        while self.unary("Cancelled")[0].count <= before.count:
            self.assertLess(time.monotonic(), end)

    def test_zz_draining_lets_a_stream_end(self):
        """Its name makes this test the last one, because the server exits."""
        if "ECHO_BEHIND_PROXY" in os.environ:
            return
        import queue

        requests = queue.Queue()
        answers = self.method("stream_stream", "Bidi")(iter(requests.get, None), timeout=30)
        requests.put(Message(body=b"one"))
        self.assertEqual(next(answers).body, b"one")
        self.unary("Drain")
        requests.put(Message(body=b"two"))
        self.assertEqual(next(answers).body, b"two")
        requests.put(None)
        self.assertEqual(list(answers), [])
        self.assertEqual(answers.code(), grpc.StatusCode.OK)


if __name__ == "__main__":
    unittest.main()
