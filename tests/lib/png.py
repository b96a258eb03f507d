"""Reads a PNG image as browsers write it: 8 bits, RGB or RGBA, not interlaced."""
import struct
import zlib


def _undo(kind, row, above, size):
    """Undoes a row's filter, in place."""
    for i in range(len(row)):
        left = row[i - size] if i >= size else 0
        up = above[i]
        if kind == 1:
            row[i] = (row[i] + left) & 255
        elif kind == 2:
            row[i] = (row[i] + up) & 255
        elif kind == 3:
            row[i] = (row[i] + (left + up) // 2) & 255
        elif kind == 4:
            corner = above[i - size] if i >= size else 0
            guess = left + up - corner
            near = min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))
            row[i] = (row[i] + near[2]) & 255


def read_png(data):
    """Returns the width, the height, and each row as a list of (red, green, blue)."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise AssertionError(f"no PNG: {data[:16]!r}")
    at, packed, header = 8, b"", None
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        content = data[at + 8:at + 8 + length]
        (checksum,) = struct.unpack(">I", data[at + 8 + length:at + 12 + length])
        if zlib.crc32(kind + content) != checksum:
            raise AssertionError(f"the checksum of {kind} is wrong")
        if kind == b"IHDR":
            header = struct.unpack(">IIBBBBB", content)
        elif kind == b"IDAT":
            packed += content
        at += 12 + length
    width, height, bits, colours, _, _, interlaced = header
    if bits != 8 or colours not in (2, 6) or interlaced:
        raise AssertionError(f"another kind of PNG: {header}")
    size = 3 if colours == 2 else 4
    raw = zlib.decompress(packed)
    if len(raw) != height * (1 + width * size):
        raise AssertionError(f"{len(raw)} bytes for {width} x {height}")
    rows, above = [], bytearray(width * size)
    for y in range(height):
        begin = y * (1 + width * size)
        row = bytearray(raw[begin + 1:begin + 1 + width * size])
        _undo(raw[begin], row, above, size)
        rows.append([tuple(row[i:i + 3]) for i in range(0, len(row), size)])
        above = row
    return width, height, rows
