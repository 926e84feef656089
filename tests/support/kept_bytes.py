"""What bytes a data directory holds, also where ClickHouse has compressed them: to show that something is there, and that it is not."""

from __future__ import annotations

import ctypes
import ctypes.util
import pathlib
import struct
from collections.abc import Iterator

from tests.support.records import varint

_ZSTD = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
_ZSTD.ZSTD_decompress.restype = ctypes.c_size_t
_ZSTD.ZSTD_decompress.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
_LZ4 = ctypes.CDLL(ctypes.util.find_library("lz4") or "liblz4.so.1")
_LZ4.LZ4_decompress_safe.argtypes = [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int]

NONE, LZ4, ZSTD, MULTIPLE, DELTA = 0x02, 0x82, 0x90, 0x91, 0x92
HEADER = 9  # Method, size with this header, size of what it was.


def forms(key: int) -> dict[str, bytes]:
    """The ways in which a user's key (64 bits) could be written down."""
    return {"little": struct.pack("<Q", key), "big": struct.pack(">Q", key), "varint": varint(key), "hex": f"{key:016x}".encode(),
            "HEX": f"{key:016X}".encode(), "decimal": str(key).encode()}


def _undo_delta(data: bytes) -> bytes:
    width, skipped = data[0], data[1]
    out = bytearray(data[2:2 + skipped])
    before = 0
    for at in range(2 + skipped, len(data) - width + 1, width):
        before = (before + int.from_bytes(data[at:at + width], "little")) % (1 << 8 * width)
        out += before.to_bytes(width, "little")
    return bytes(out)


def _block(block: bytes) -> bytes | None:
    """What one compressed block, with its header, was; None for what is none, or of a codec that is not read here."""
    if len(block) < HEADER:
        return None
    method, size, plain = struct.unpack_from("<BII", block)
    data = block[HEADER:size]
    if method == NONE:
        return data
    if method in (ZSTD, LZ4):
        out = ctypes.create_string_buffer(max(plain, 1))
        done = (_ZSTD.ZSTD_decompress(out, plain, data, len(data)) if method == ZSTD else
                _LZ4.LZ4_decompress_safe(data, out, len(data), plain))
        return out.raw[:plain] if done == plain else None
    if method == DELTA:
        return _undo_delta(data)
    if method == MULTIPLE:
        count = data[0]
        inner: bytes | None = data[1 + count:]
        for _ in range(count):
            inner = _block(inner) if inner is not None else None
        return inner
    return None


def plain_blocks(data: bytes) -> Iterator[bytes]:
    """The blocks of a file of ClickHouse's columns, one after the other; none of any other file."""
    at = 0
    while at + 16 + HEADER <= len(data):
        method, size, plain = struct.unpack_from("<BII", data, at + 16)
        if method not in (NONE, LZ4, ZSTD, MULTIPLE, DELTA, 0x93, 0x94, 0x95) or size < HEADER or at + 16 + size > len(data) or plain > 1 << 28:
            return
        found = _block(data[at + 16:at + 16 + size])
        if found is not None:
            yield found
        at += 16 + size


def places_of(directory: str | pathlib.Path, wanted: dict[str, bytes]) -> dict[str, list[str]]:
    """By name of what is wanted: the files below `directory` that hold it. Files that go meanwhile are passed over."""
    found: dict[str, list[str]] = {name: [] for name in wanted}
    root = pathlib.Path(directory)
    for path in sorted(root.rglob("*")):
        try:
            data = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        except OSError:
            continue
        name = str(path.relative_to(root))
        texts = [data, name.encode(), *plain_blocks(data)]
        for what, bytes_of_it in wanted.items():
            if any(bytes_of_it in text for text in texts):
                found[what].append(name)
    return found
