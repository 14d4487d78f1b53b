"""Pickles and zip archives put together by hand, for what `torch.save` would not write."""

import io
import pickle
import struct
import warnings
import zipfile

from . import wire

PROTO, STOP, MARK, REDUCE, BUILD = b"\x80\x02", b".", b"(", b"R", b"b"
NUMBERS = (0.5, -1.0, 2.0, -0.25, 3.0, 0.125)
RAW = wire.floats(*NUMBERS)


# --- pickles -----------------------------------------------------------------------------------


def text(value):
    raw = value if isinstance(value, bytes) else value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def integer(value):
    """LONG1 takes any size."""
    raw = pickle.encode_long(value)
    return b"\x8a" + bytes([len(raw)]) + raw


def call(module, name, *arguments, how=REDUCE):
    return b"c" + f"{module}\n{name}\n".encode() + pack(*arguments) + how


def pack(*parts):
    return MARK + b"".join(parts) + b"t"


def numbers(*values):
    return pack(*map(integer, values))


def storage(kind="FloatStorage", key="0", count=6, place="cpu", module="torch"):
    return (
        pack(text("storage"), f"c{module}\n{kind}\n".encode(), text(key), text(place), integer(count))
        + b"Q"
    )


def tensor(held=None, offset=0, size=(2, 3), stride=(3, 1), function="_rebuild_tensor_v2"):
    hooks = call("collections", "OrderedDict")
    held = storage() if held is None else held
    return call(
        "torch._utils",
        function,
        held,
        integer(offset),
        numbers(*size),
        numbers(*stride),
        b"\x89",
        hooks,
    )


def mapping(**values):
    return b"}" + MARK + b"".join(text(key) + value for key, value in values.items()) + b"u"


def state(value=None, **more):
    return PROTO + mapping(weight=tensor() if value is None else value, **more) + STOP


# --- archives ----------------------------------------------------------------------------------


def archive(pickled, records=None, root="archive", deflate=False, byteorder=b"little", before=()):
    """A zip as others write it: no padding, no descriptors, no records that only new versions have."""
    records = {"data/0": RAW} if records is None else records
    entries = [*before, (f"{root}/data.pkl", pickled), (f"{root}/version", b"3\n")]
    if byteorder:
        entries.append((f"{root}/byteorder", byteorder))
    return zipped(
        [*entries, *((f"{root}/{name}", content) for name, content in records.items())], deflate
    )


def zipped(entries, deflate=False):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about names that come twice
        for name, content in entries:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system = 3
            info.compress_type = zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED
            file.writestr(info, content)
    return stream.getvalue()


def patched(content, where, field, form, value, after=0):
    """`content` with a number written over `field` bytes past the first `where` from `after` on."""
    start = content.index(where, after) + field
    raw = struct.pack(form, value)
    return content[:start] + raw + content[start + len(raw) :]


LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"


def for_record(content, name, field, form, value, kind=CENTRAL):
    """Patches a record's header, the central one unless told."""
    skip = {CENTRAL: 46, LOCAL: 30}[kind]
    start = next(at for at in places(content, kind) if content[at + skip :].startswith(name.encode()))
    return patched(content, kind, field, form, value, start)


def places(content, mark):
    at = content.find(mark)
    while at >= 0:
        yield at
        at = content.find(mark, at + 1)
