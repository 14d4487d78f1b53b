"""Protobuf's wire format by hand, for encodings that a serializer would not choose."""

import struct

VARINT, FIXED64, BYTES, START_GROUP, END_GROUP, FIXED32 = range(6)


def varint(value):
    """A number in groups of seven bits, lowest first; negative ones as 64-bit two's complement."""
    value &= 2**64 - 1
    groups = []
    while value > 127:
        groups.append(value & 127 | 128)
        value >>= 7
    return bytes([*groups, value])


def tag(number, kind):
    return varint(number << 3 | kind)


def number(field, value):
    return tag(field, VARINT) + varint(value)


def block(field, content, length=None):
    """A string, message or packed array; `length` may lie."""
    content = content.encode() if isinstance(content, str) else content
    return tag(field, BYTES) + varint(len(content) if length is None else length) + content


def floats(*values):
    return struct.pack(f"<{len(values)}f", *values)


def doubles(*values):
    return struct.pack(f"<{len(values)}d", *values)
