"""Messages come out as they went in, and nothing else passes for one."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_stl.engine import wire
from orthanc_stl.engine.executor import Blob
from orthanc_stl.engine.pieces import Piece

JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3))


def sent(header: dict[str, Any], blobs: Sequence[Blob]) -> bytes:
    stream = io.BytesIO()
    wire.send(stream, header, blobs)
    return stream.getvalue()


HEADERS = st.dictionaries(st.text().filter(lambda key: key != "sizes"), JSON)


@given(HEADERS, st.lists(st.binary(max_size=99), max_size=4))
def test_a_message_comes_out_as_it_went_in(header: dict[str, Any], blobs: list[bytes]) -> None:
    stream = io.BytesIO(sent(header, blobs) + sent({"next": 1}, []))
    assert wire.receive(stream) == (header, blobs)
    assert wire.receive(stream) == ({"next": 1}, [])


def test_blobs_of_any_buffer_type() -> None:
    assert wire.receive(io.BytesIO(sent({}, [bytearray(b"a"), memoryview(b"xbcx")[1:3]])))[1] == [b"a", b"bc"]


def test_pieces_are_loaded_one_after_the_other_when_they_are_sent() -> None:
    events: list[object] = []

    class Stream(io.BytesIO):
        def write(self, data: Any) -> int:
            events.append(bytes(data))
            return super().write(data)

    def piece(content: bytes) -> Piece:
        def load() -> bytes:
            events.append("load")
            return content

        return Piece(len(content), load)

    stream = Stream()
    wire.send(stream, {"task": "t"}, [piece(b"one"), b"two", piece(b"three")])
    assert events[1:] == ["load", b"one", b"two", "load", b"three"]
    stream.seek(0)
    assert wire.receive(stream) == ({"task": "t"}, [b"one", b"two", b"three"])
    assert len(piece(b"four")) == 4


def test_a_piece_of_another_size_than_announced_is_no_message() -> None:
    with pytest.raises(wire.BrokenStream, match="a piece of 4 bytes was announced, got 3"):
        sent({}, [Piece(4, lambda: b"abc")])


@given(st.binary(max_size=60), st.integers(0, 200), st.integers(0, 255))
def test_what_is_no_message_is_refused(blob: bytes, place: int, value: int) -> None:
    data = bytearray(sent({"kind": "result", "facts": {"triangles": 5}}, [blob]))
    data[place % len(data)] = value
    try:
        header, blobs = wire.receive(io.BytesIO(data))
    except (wire.BrokenStream, EOFError):
        return
    assert isinstance(header, dict)
    assert sum(map(len, blobs)) <= len(data)


@given(st.integers(0, 300))
def test_a_message_cut_short_is_an_end(length: int) -> None:
    data = sent({"kind": "result"}, [bytes(200)])
    with pytest.raises(EOFError):
        wire.receive(io.BytesIO(data[: min(length, len(data) - 1)]))


@pytest.mark.parametrize("sizes", [b"[-1]", b"[1e3]", b"[true]", b"7", b"null", b"[9999999999999]", b"", b"\xff"])
def test_sizes_are_not_trusted(sizes: bytes) -> None:
    text = b'{"sizes": ' + sizes + b"}"
    with pytest.raises(wire.BrokenStream):
        wire.receive(io.BytesIO(struct.pack("<4sI", b"oSTL", len(text)) + text))


def test_a_header_too_long_is_not_read() -> None:
    with pytest.raises(wire.BrokenStream):
        wire.receive(io.BytesIO(struct.pack("<4sI", b"oSTL", 0xFFFFFFFF)))
