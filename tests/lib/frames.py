"""Handcrafted HTTP/2 frames, HPACK literals and gRPC messages, including ones that a well-behaved library never
sends."""

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RESET, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED = 1, 1, 4, 8
INITIAL_WINDOW_SIZE = 4

PUBLISH = "/monitor.v1.Ingest/Publish"
HEALTH_CHECK = "/grpc.health.v1.Health/Check"
HEALTH_WATCH = "/grpc.health.v1.Health/Watch"
REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"


def frame(kind, flags=0, stream=0, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def settings(**values):
    """Example: settings(initial_window=0)."""
    payload = b""
    if "initial_window" in values:
        payload += INITIAL_WINDOW_SIZE.to_bytes(2, "big") + values["initial_window"].to_bytes(4, "big")
    return frame(SETTINGS, 0, 0, payload)


def hpack_integer(value, bits, first=0):
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    out, value = bytes([first | most]), value - most
    while value >= 128:
        out, value = out + bytes([value % 128 + 128]), value // 128
    return out + bytes([value])


def text(value):
    raw = value.encode() if isinstance(value, str) else value
    return hpack_integer(len(raw), 7) + raw


def literal(name, value):
    """A literal header field without indexing."""
    return b"\0" + text(name) + text(value)


def indexed(name, value):
    """A literal header field that is added to the dynamic table."""
    return b"\x40" + text(name) + text(value)


LARGE_ENTRY = indexed("k", "v" * 3960)
REFERENCE = b"\xbe"  # a reference to the newest entry of the dynamic table


def request(path, *more):
    return (literal(":method", "POST") + literal(":scheme", "http") + literal(":path", path) + literal(":authority", "x") +
            literal("te", "trailers") + literal("content-type", "application/grpc") + b"".join(more))


def headers(stream, block, end_stream=False, end_headers=True):
    return frame(HEADERS, (END_STREAM if end_stream else 0) | (END_HEADERS if end_headers else 0), stream, block)


def message(body, length=None):
    """A gRPC message with its prefix; a larger `length` makes it incomplete."""
    return b"\0" + (len(body) if length is None else length).to_bytes(4, "big") + body


def data(stream, payload, end_stream=False):
    """Splits the payload into DATA frames of the maximum size."""
    pieces = [payload[i:i + 16384] for i in range(0, len(payload), 16384)] or [b""]
    last = len(pieces) - 1
    return b"".join(frame(DATA, END_STREAM if end_stream and i == last else 0, stream, p) for i, p in enumerate(pieces))


def varint(value):
    out = b""
    while value >= 128:
        out, value = out + bytes([value % 128 + 128]), value // 128
    return out + bytes([value])


def field(number, value):
    """A protobuf field with a number or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def hello(agent, host="host"):
    return message(field(1, field(1, agent) + field(2, b"flood-incarnate!"[:16]) + field(3, "1.0") + field(4, host)))


def publish(number, batch):
    return message(field(2, field(1, number) + field(2, batch)))
