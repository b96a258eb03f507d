"""The interoperability server on Python's grpcio. It handles messages as bytes, because the checks need few fields."""

import os
import sys
import threading
from concurrent import futures

import grpc

from messages import Message

SERVICE = "interop.Echo"


class Echo:
    def __init__(self):
        self.cancelled = 0
        self.drain = threading.Event()

    def unary(self, request, context):
        metadata = context.invocation_metadata()
        context.send_initial_metadata([(k, v) for k, v in metadata if k == "x-echo"])
        context.set_trailing_metadata([(k, v) for k, v in metadata if k == "x-echo-bin"])
        return request

    def client_stream(self, requests, context):
        count, answer = 0, Message()
        for answer in requests:
            count += 1
        answer.count = count
        return answer

    def server_stream(self, request, context):
        for i in range(1, request.count + 1):
            yield Message(body=request.body, count=i)

    def bidi(self, requests, context):
        yield from requests

    def status(self, request, context):
        context.set_code([code for code in grpc.StatusCode if code.value[0] == request.code][0])
        context.set_details(request.text)
        return Message()

    def hang(self, request, context):
        done = threading.Event()
        context.add_callback(done.set)
        context.send_initial_metadata([])
        done.wait()
        self.cancelled += 1
        return iter(())

    def count_cancelled(self, request, context):
        return Message(count=self.cancelled)

    def begin_drain(self, request, context):
        self.drain.set()
        return Message()


def handlers(echo):
    kinds = {
        "Unary": (grpc.unary_unary_rpc_method_handler, echo.unary),
        "ClientStream": (grpc.stream_unary_rpc_method_handler, echo.client_stream),
        "ServerStream": (grpc.unary_stream_rpc_method_handler, echo.server_stream),
        "Bidi": (grpc.stream_stream_rpc_method_handler, echo.bidi),
        "Status": (grpc.unary_unary_rpc_method_handler, echo.status),
        "Hang": (grpc.unary_stream_rpc_method_handler, echo.hang),
        "Cancelled": (grpc.unary_unary_rpc_method_handler, echo.count_cancelled),
        "Drain": (grpc.unary_unary_rpc_method_handler, echo.begin_drain),
    }
    return grpc.method_handlers_generic_handler(
        SERVICE,
        {name: make(run, Message.FromString, Message.SerializeToString) for name, (make, run) in kinds.items()},
    )


def main():
    echo = Echo()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
    server.add_generic_rpc_handlers((handlers(echo),))
    folder = os.environ.get("ECHO_CERTIFICATES")
    if folder:
        with open(f"{folder}/server.key", "rb") as key, open(f"{folder}/server.pem", "rb") as certificate:
            credentials = grpc.ssl_server_credentials([(key.read(), certificate.read())])
        port = server.add_secure_port("127.0.0.1:0", credentials)
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print("listening on", port, flush=True)
    echo.drain.wait()
    server.stop(10).wait()


if __name__ == "__main__":
    sys.exit(main())
