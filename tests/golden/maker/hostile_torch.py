"""`.pth` files by hand: some unusual but sound, the rest hostile, broken, or something else.

NEVER LOAD THESE WITH `pickle`. Nothing here does: the sound ones are read back by
`torch.load(weights_only=True)`, the others are not read at all. Should one be unpickled all the same,
the command that it runs is `exit 0`.
"""

import io
import struct

import numpy as np
import torch

from . import wire
from .archives import (
    BUILD,
    CENTRAL,
    END,
    LOCAL,
    MARK,
    NUMBERS,
    PROTO,
    RAW,
    REDUCE,
    STOP,
    archive,
    call,
    for_record,
    integer,
    mapping,
    pack,
    patched,
    state,
    storage,
    tensor,
    text,
    zipped,
)

PLAIN = {"weight": torch.tensor(NUMBERS).reshape(2, 3)}
TURNED = struct.pack(">6f", *NUMBERS)


def all_files():
    """File name -> bytes, the index, and the tensors of the sound ones."""
    files, index, tensors = {}, [], {}
    for name, verdict, names, why, content in (
        *sound(),
        *calling(),
        *bad_pickles(),
        *bad_claims(),
        *bad_zips(),
        *others(),
    ):
        folder = "hostile/" if verdict == "refusal" else ""
        file = f"{name}.pth"
        files[f"{folder}{file}"] = content
        if verdict != "refusal":
            for key, value in torch.load(io.BytesIO(content), "cpu", weights_only=True).items():
                if not torch.equal(value, PLAIN[key]):
                    raise ValueError(f"{name}: {key} does not come back")
                tensors[f"{name}/{key}"] = PLAIN[key].clone()
        index.append(
            {
                "name": f"torch-{file.removesuffix('.pth')}",
                "file": f"{folder}{file}",
                "format": "torch",
                "maker": "by hand",
                "expect": verdict,
                "network": None,
                "tensors": None if verdict == "refusal" else "foreign.safetensors",
                "prefix": None if verdict == "refusal" else f"{name}/",
                "names": names,
                "why": why,
            }
        )
    return files, index, tensors


def sound():
    yield (
        "rezipped",
        "tensors",
        None,
        "unpacked and zipped again: no alignment, no descriptors",
        archive(state()),
    )
    yield (
        "old-zip",
        "tensors",
        None,
        "PyTorch 1.6 to 2.0: no byteorder record",
        archive(state(), byteorder=None),
    )
    cuda = state(tensor(storage(place="cuda:0")))
    yield (
        "cuda",
        "tensors",
        None,
        "saved on a GPU, as checkpoints are: the storage's place is cuda:0",
        archive(cuda),
    )
    big = archive(state(), {"data/0": TURNED}, byteorder=b"big")
    yield "big-endian", "either", None, "byteorder says big, and the numbers are", big
    yield (
        "deflated",
        "either",
        None,
        "zipped again with compression, which PyTorch never uses",
        archive(state(), deflate=True),
    )


def refusal(name, names, why, content):
    return name, "refusal", names, why, content


def hostile_pickle(name, names, why, pickled):
    return refusal(name, names, why, archive(pickled))


def calling():
    """Pickles that would run code: every opcode that names or calls something."""
    quiet = text("exit 0")

    def beside(value):
        return state(None, zzz=value)

    yield hostile_pickle(
        "call-system",
        "posix.system",
        "os.system instead of weights",
        PROTO + call("posix", "system", quiet) + STOP,
    )
    yield hostile_pickle(
        "call-beside", "os.system", "os.system beside good weights", beside(call("os", "system", quiet))
    )
    yield hostile_pickle(
        "call-eval", "builtins.eval", "builtins.eval", beside(call("builtins", "eval", text("0")))
    )
    yield hostile_pickle(
        "call-eval-2",
        "__builtin__.eval",
        "the same by Python 2's name",
        beside(call("__builtin__", "eval", text("0"))),
    )
    stack_global = text("os") + text("system") + b"\x93" + pack(quiet) + REDUCE
    yield hostile_pickle(
        "call-stack-global", "os.system", "named by two strings and STACK_GLOBAL", beside(stack_global)
    )
    dotted = text("torch.serialization") + text("os.system") + b"\x93" + pack(quiet) + REDUCE
    yield hostile_pickle(
        "call-dotted",
        "torch.serialization.os.system",
        "an attribute of an attribute of torch",
        beside(dotted),
    )
    nearly = call("torch._utils", "_rebuild_tensor_v2.__globals__.get", quiet)
    yield hostile_pickle(
        "call-through-allowed",
        "_rebuild_tensor_v2.__globals__",
        "starts with an allowed name",
        beside(nearly),
    )
    yield hostile_pickle("call-inst", "os.system", "INST", beside(MARK + quiet + b"ios\nsystem\n"))
    yield hostile_pickle("call-obj", "os.system", "OBJ", beside(MARK + b"cos\nsystem\n" + quiet + b"o"))
    newobj = b"csubprocess\nPopen\n" + pack(quiet) + b"\x81"
    yield hostile_pickle("call-newobj", "subprocess.Popen", "NEWOBJ", beside(newobj))
    newobj_ex = b"csubprocess\nPopen\n" + pack(quiet) + b"}\x92"
    yield hostile_pickle("call-newobj-ex", "subprocess.Popen", "NEWOBJ_EX", beside(newobj_ex))
    yield hostile_pickle(
        "call-extension", "EXT1", "a name from the extension registry", beside(b"\x82\x01")
    )
    only_named = beside(b"cos\nsystem\n")
    yield hostile_pickle("name-system", "os.system", "names os.system and does not call it", only_named)
    set_state = beside(
        b"ctorch.nn.modules.linear\nLinear\n" + pack() + b"\x81" + mapping(weight=tensor()) + BUILD
    )
    yield hostile_pickle(
        "whole-module",
        "torch.nn.modules.linear.Linear",
        "torch.save(module): a class, not weights",
        set_state,
    )
    sparse = call("torch._utils", "_rebuild_sparse_tensor", text("x"))
    yield hostile_pickle(
        "sparse", "_rebuild_sparse_tensor", "a tensor that is not dense", beside(sparse)
    )
    dynamic = call("collections", "OrderedDict") + mapping(a=call("os", "system", quiet)) + BUILD
    yield hostile_pickle(
        "call-in-state", "os.system", "in the state of an OrderedDict", beside(dynamic)
    )
    persistent = PROTO + b"}" + text("weight") + b"Pos.system\n" + b"s" + STOP
    yield hostile_pickle(
        "persistent-text", "PERSID", "a persistent id that is a line of text", persistent
    )


def bad_pickles():
    """Pickles that no pickler writes."""
    depth = 25_000
    deep = PROTO + b"]" * depth + b"a" * (depth - 1) + STOP
    yield hostile_pickle("deep-lists", None, "lists in lists, 25,000 deep", deep)
    tuples = PROTO + b")" + b"\x85" * depth + STOP
    yield hostile_pickle("deep-tuples", None, "tuples in tuples, 25,000 deep", tuples)
    yield hostile_pickle("marks", None, "25,000 marks and nothing else", PROTO + MARK * depth + STOP)
    laughs = PROTO + b"]q\x00" + b"".join(
        b"]q" + bytes([level]) + MARK + b"h" + bytes([level - 1]) + b"h" + bytes([level - 1]) + b"e"
        for level in range(1, 64)
    ) + STOP  # fmt: skip
    yield hostile_pickle(
        "laughs", None, "each list holds the one before twice: 2^63 of them, if copied", laughs
    )
    cycle = PROTO + b"}q\x00" + text("weight") + b"h\x00s" + STOP
    yield hostile_pickle("cycle", None, "a dict that holds itself", cycle)
    good = state()
    endings = {
        "no-stop": ("ends without STOP", good[:-1]),
        "cut": ("ends within a string", good[: good.index(b"weight") + 3]),
        "empty": ("no opcode at all", b""),
        "stop-at-once": ("nothing on the stack", PROTO + STOP),
        "two-results": ("two values on the stack", PROTO + b"}" + good[2:]),
        "underflow": ("SETITEM on an empty stack", PROTO + b"s" + STOP),
        "reduce-nothing": ("REDUCE on a dict", PROTO + b"}" + pack() + REDUCE + STOP),
        "no-mark": ("SETITEMS without a MARK", PROTO + b"}" + text("a") + b"Nu" + STOP),
        "odd-items": ("SETITEMS with a key too many", PROTO + b"}" + MARK + text("a") + b"u" + STOP),
        "memo-missing": ("GET of what was never put", PROTO + b"h\x05" + STOP),
        "memo-huge": ("PUT at 4294967295", PROTO + b"}r\xff\xff\xff\xff" + STOP),
        "opcode-unknown": ("0xFF", PROTO + b"\xff" + STOP),
        "protocol-99": ("a protocol that does not exist", b"\x80\x63" + good[2:]),
        "string-huge": (
            "a string of 4 GiB in a file of a few bytes",
            PROTO + b"X\xff\xff\xff\xffab" + STOP,
        ),
        "string-8-bytes-huge": (
            "BINUNICODE8 of 2^63",
            PROTO + b"\x8d" + struct.pack("<Q", 2**63) + b"ab" + STOP,
        ),
        "string-not-utf8": (
            "bytes that are no text",
            PROTO + b"}" + MARK + text(b"\xff\xfe") + tensor() + b"u" + STOP,
        ),
        "long-negative-size": ("LONG4 of -1 bytes", PROTO + b"\x8b\xff\xff\xff\xff" + STOP),
        "frame-huge": ("FRAME of 2^63", b"\x80\x04\x95" + struct.pack("<Q", 2**63) + b"}" + STOP),
        "bytearray-huge": ("BYTEARRAY8 of 2^63", b"\x80\x05\x96" + struct.pack("<Q", 2**63) + STOP),
        "key-is-number": (
            "a name that is 7",
            PROTO + b"}" + MARK + integer(7) + tensor() + b"u" + STOP,
        ),
        "key-twice": (
            "two tensors of one name",
            PROTO + b"}" + MARK + (text("weight") + tensor()) * 2 + b"u" + STOP,
        ),
        "only-a-list": ("a list of tensors", PROTO + b"]" + tensor() + b"a" + STOP),
        "only-a-tensor": ("a tensor without a name", PROTO + tensor() + STOP),
        "no-tensors": ("a dict of numbers", PROTO + mapping(epoch=integer(3)) + STOP),
    }
    for name, (why, pickled) in endings.items():
        yield hostile_pickle(f"pickle-{name}", None, why, pickled)


def bad_claims():
    """Tensors that their storage cannot hold, and storages that their record does not."""
    huge = 2**62
    claims = {
        "size-huge": ("2^62 numbers", tensor(size=(huge,), stride=(1,))),
        "size-overflows": ("2^62 x 2^62", tensor(size=(huge, huge), stride=(huge, 1))),
        "size-beyond-i64": ("an extent of 2^64", tensor(size=(2**64,), stride=(1,))),
        "size-negative": ("an extent of -2", tensor(size=(-2, 3))),
        "stride-negative": ("a stride of -1", tensor(offset=5, size=(6,), stride=(-1,))),
        "stride-overflows": ("strides of 2^62", tensor(stride=(huge, huge))),
        "stride-short": ("two extents, one stride", tensor(stride=(1,))),
        "expanded-huge": ("stride 0: 2^40 copies of one number", tensor(size=(2**40,), stride=(0,))),
        "rank-huge": ("70 axes", tensor(size=(1,) * 70, stride=(1,) * 70)),
        "offset-negative": ("offset -1", tensor(offset=-1)),
        "offset-beyond": ("the last number lies behind the storage", tensor(offset=1)),
        "offset-overflows": ("offset 2^63 - 1", tensor(offset=2**63 - 1)),
        "count-huge": ("a storage of 2^62 numbers in 24 bytes", tensor(storage(count=huge))),
        "count-short": ("a storage of 5 numbers, a tensor of 6", tensor(storage(count=5))),
        "count-negative": ("a storage of -6 numbers", tensor(storage(count=-6))),
        "record-missing": ("a storage that is not in the zip", tensor(storage(key="1"))),
        "record-parent": ("a storage called ../data.pkl", tensor(storage(key="../data.pkl"))),
        "record-absolute": ("a storage called /etc/hostname", tensor(storage(key="/etc/hostname"))),
        "storage-complex": ("complex numbers", tensor(storage("ComplexFloatStorage", count=3))),
        "storage-quantized": ("quantized numbers", tensor(storage("QInt8Storage", count=24))),
        "storage-unknown": ("a storage of no known kind", tensor(storage("TeapotStorage"))),
        "storage-elsewhere": ("a storage class of another module", tensor(storage(module="teapot"))),
        "storage-is-text": ("the tensor's storage is a string", tensor(text("0"))),
        "storage-not-a-tuple": ("a persistent id that is a number", tensor(integer(1) + b"Q")),
        "arguments-missing": (
            "a tensor of one argument",
            call("torch._utils", "_rebuild_tensor_v2", storage()),
        ),
        "not-a-number": ("NaN among the weights", tensor()),
        "infinite": ("an infinity among the weights", tensor()),
    }
    records = {
        "not-a-number": wire.floats(*NUMBERS[:5], np.nan),
        "infinite": wire.floats(np.inf, *NUMBERS[1:]),
    }
    for name, (why, value) in claims.items():
        names = (
            "Storage"
            if name in ("storage-complex", "storage-quantized", "storage-unknown")
            else "weight"
        )
        content = archive(state(value), {"data/0": records.get(name, RAW)})
        yield refusal(f"tensor-{name}", names, why, content)
    short = archive(state(), {"data/0": RAW[:20]})
    yield refusal("tensor-record-short", "weight", "a record of 20 bytes for 24", short)
    endless = archive(state(), byteorder=b"middle")
    yield refusal("byteorder-unknown", "byteorder", "byteorder says middle", endless)


def bad_zips():
    good = archive(state())
    size = len(good)
    zeros = bytes(16 << 20)
    data = "archive/data/0"
    yield refusal("zip-truncated", None, "the first half of a file", good[: size // 2])
    yield refusal(
        "zip-no-directory", None, "cut off before the central directory", good[: good.index(CENTRAL)]
    )
    yield refusal(
        "zip-directory-only",
        None,
        "the central directory without the records",
        good[good.index(CENTRAL) :],
    )
    yield refusal("zip-empty", None, "no records", zipped([]))
    yield refusal(
        "zip-no-pickle",
        "data.pkl",
        "a zip of something else",
        zipped([("notes.txt", b"weights were here")]),
    )
    absolute = archive(state(), before=[("/etc/cron.d/evil", b"")])
    yield refusal("zip-absolute-path", "/etc/cron.d/evil", "a record with an absolute path", absolute)
    yield refusal(
        "zip-absolute-root", "/tmp/", "every record under /tmp", archive(state(), root="/tmp")
    )
    parent = archive(state(), before=[("archive/../../evil", b"")])
    yield refusal("zip-parent-path", "../", "a record that climbs out of the archive", parent)
    drive = archive(state(), before=[("C:\\evil", b"")])
    yield refusal("zip-drive-path", "C:", "a record on another system's drive", drive)
    twice = archive(state(), before=[("archive/data.pkl", state(tensor(size=(3, 2), stride=(2, 1))))])
    yield refusal("zip-two-pickles", "data.pkl", "two records of one name: which counts?", twice)
    roots = archive(state(), before=[("other/data.pkl", state())])
    yield refusal("zip-two-archives", "data.pkl", "two archives in one", roots)
    bomb = archive(
        state(tensor(storage(count=4 << 20), size=(4 << 20,), stride=(1,))),
        {"data/0": zeros},
        deflate=True,
    )
    yield refusal("zip-bomb", None, "16 MiB of zeros compressed to a thousandth", bomb)
    bomb = archive(state() + zeros, deflate=True)
    yield refusal("zip-bomb-pickle", "data.pkl", "a pickle of 16 MiB, compressed to a thousandth", bomb)
    claim = for_record(good, data, 24, "<I", 2**32 - 2)
    yield refusal("zip-size-huge", "data/0", "a stored record whose size is said to be 4 GiB", claim)
    claim = for_record(claim, data, 20, "<I", 2**32 - 2)
    yield refusal("zip-sizes-huge", "data/0", "both its sizes are", claim)
    yield refusal(
        "zip-offset-beyond",
        "data/0",
        "a record past the end",
        for_record(good, data, 42, "<I", size + 1000),
    )
    yield refusal(
        "zip-offset-elsewhere",
        "data/0",
        "a record at no local header",
        for_record(good, data, 42, "<I", 7),
    )
    other = good.index(LOCAL)
    yield refusal(
        "zip-overlap", "data/0", "two records at one place", for_record(good, data, 42, "<I", other)
    )
    yield refusal("zip-encrypted", "data/0", "encrypted", for_record(good, data, 8, "<H", 1))
    yield refusal(
        "zip-method-unknown", "data/0", "compressed by method 99", for_record(good, data, 10, "<H", 99)
    )
    renamed = good.replace(data.encode(), b"archive/data/7", 1)
    yield refusal(
        "zip-names-differ", "data/0", "the local header has another name than the directory", renamed
    )
    yield refusal(
        "zip-crc",
        "data/0",
        "a bit of the numbers is flipped, the checksum is not",
        good.replace(RAW, RAW[:-1] + b"\x3f"),
    )
    yield refusal(
        "zip-count-lies",
        None,
        "the directory is said to have 60000 entries",
        patched(good, END, 10, "<H", 60000),
    )
    yield refusal(
        "zip-directory-beyond",
        None,
        "the directory is past the end",
        patched(good, END, 16, "<I", size + 9),
    )
    yield refusal("zip-disk-two", None, "the second of three disks", patched(good, END, 4, "<H", 1))
    yield refusal("zip64-huge", None, "zip64: a directory of 2^63 entries at 2^62", zip64(good))


def zip64(good):
    """`good` with a zip64 end record before its own, which then says to look there."""
    end = good.index(END)
    record = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 2**63, 2**63, 2**61, 2**62)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    marked = struct.pack("<4sHHHHIIH", END, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return good[:end] + record + locator + marked


def others():
    """What people have under that name."""
    page = b"<!DOCTYPE html><html><title>404</title></html>\n"
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 134\n"
    header = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    script = [
        ("archive/constants.pkl", PROTO + b")" + STOP),
        ("archive/code/__torch__.py", b"class Net(Module):\n"),
    ]
    yield refusal("no-bytes", None, "an empty file", b"")
    yield refusal("web-page", None, "a download that was a page", page)
    yield refusal("lfs-pointer", "Git LFS", "a pointer of Git LFS", pointer)
    yield refusal("bare-pickle", "pickle", "a pickle without a zip", state())
    yield refusal(
        "safetensors",
        "safetensors",
        "safetensors under another name",
        struct.pack("<Q", len(header)) + header + bytes(4),
    )
    yield refusal(
        "gzip",
        "gzip",
        "compressed by gzip",
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x03\x00" + bytes(8),
    )
    old_tar = (
        b"storages".ljust(100, b"\0")
        + b"0000644".ljust(157, b"\0")
        + b"ustar\x00"
        + b"00".ljust(249, b"\0")
        + bytes(1024)
    )
    yield refusal("tar", "tar", "PyTorch before 0.1.10: a tar archive", old_tar)
    module = archive(
        PROTO + b"c__torch__\nNet\n" + pack() + b"\x81" + mapping(weight=tensor()) + BUILD + STOP,
        before=script,
    )
    yield refusal("torchscript", "__torch__", "torch.jit.save: code and a class", module)
