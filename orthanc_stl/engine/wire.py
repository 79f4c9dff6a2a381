"""Messages over a pipe between Orthanc and a worker process.

A message is 4 bytes of magic, the length of a JSON header (uint32, little-endian), the header, then the blobs whose
sizes the header's "sizes" gives. Blobs are written from where they lie and read into place: no copy is made on the way.
A `Piece` is loaded when its turn comes, and let go before the next one is.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import IO, Any

from orthanc_stl.engine.executor import Blob
from orthanc_stl.engine.pieces import Piece

MAGIC = b"oSTL"
PREFIX = struct.Struct("<4sI")
MAX_HEADER = 64 << 20
MAX_BLOBS = 8 << 30  # no file that Orthanc would accept is larger; a corrupt size must not become an allocation


class BrokenStream(ValueError):
    """The bytes on the pipe are not a message."""


def send(stream: IO[bytes], header: dict[str, Any], blobs: Sequence[Blob] = ()) -> None:
    """Write one message. Raises OSError when the other side is gone."""
    text = json.dumps({**header, "sizes": [size_of(blob) for blob in blobs]}).encode()
    if len(text) > MAX_HEADER:
        raise BrokenStream(f"a header of {len(text)} bytes is over the {MAX_HEADER} of a message")
    stream.write(PREFIX.pack(MAGIC, len(text)) + text)
    for blob in blobs:
        stream.write(_content(blob))
    stream.flush()


def size_of(blob: Blob) -> int:
    """Bytes of a file that is sent."""
    return blob.size if isinstance(blob, Piece) else memoryview(blob).nbytes


def _content(blob: Blob) -> memoryview:
    if not isinstance(blob, Piece):
        return memoryview(blob).cast("B")
    content = memoryview(blob.load()).cast("B")
    if len(content) != blob.size:
        raise BrokenStream(f"a piece of {blob.size} bytes was announced, got {len(content)}")
    return content


def receive(stream: IO[bytes]) -> tuple[dict[str, Any], list[bytes]]:
    """Read one message. Raises EOFError when the other side is gone, BrokenStream for anything that is no message."""
    magic, length = PREFIX.unpack(_exactly(stream, PREFIX.size))
    if magic != MAGIC or length > MAX_HEADER:
        raise BrokenStream(f"expected a message, got {magic!r}")
    try:
        header = json.loads(_exactly(stream, length))
    except ValueError as error:
        raise BrokenStream(f"the header of a message is not JSON: {error}") from error
    sizes = header.pop("sizes", None) if isinstance(header, dict) else None
    if not isinstance(sizes, list) or not all(type(size) is int and size >= 0 for size in sizes):
        raise BrokenStream("the header of a message has no list of sizes")
    if sum(sizes) > MAX_BLOBS:
        raise BrokenStream(f"a message of {sum(sizes)} bytes is over the {MAX_BLOBS} of a message")
    return header, [_exactly(stream, size) for size in sizes]


def _exactly(stream: IO[bytes], size: int) -> bytes:
    """`size` bytes. A buffered reader allocates them once and reads into them."""
    data = stream.read(size)
    if len(data) != size:
        raise EOFError("the other side closed the pipe")
    return data
