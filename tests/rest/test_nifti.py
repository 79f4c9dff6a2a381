"""What the Orthanc process itself looks at in a NIfTI file, with the standard library alone."""

from __future__ import annotations

import base64
import gzip
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_stl.errors import InvalidField, MalformedBody
from orthanc_stl.rest.http.body import decoded
from orthanc_stl.rest.http.content import content
from orthanc_stl.rest.inputs import NO_NIFTI
from orthanc_stl.rest.volume_images import sizes_of
from testing.nifti_phantoms import nifti_file

DATA = np.zeros((3, 4, 5), "u1")


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packed", [bytes, gzip.compress])
def test_the_sizes_in_the_header(version: int, order: str, packed: Callable[[bytes], bytes]) -> None:
    assert sizes_of(packed(nifti_file(DATA, version=version, order=order))) == (3, 4, 5)


def test_the_sizes_in_the_header_of_an_nrrd_file() -> None:
    header = b"NRRD0004\ntype: uint8\ndimension: 4\nsizes: 2 3 4 5\nencoding: gzip\n\n"
    assert sizes_of(header) == (2, 3, 4, 5)
    assert sizes_of(memoryview(header.replace(b"\n", b"\r\n"))) == (2, 3, 4, 5)
    assert sizes_of(b"NRRD0004\nsizes: many\n\n") == ()


@given(st.binary(max_size=600), st.sampled_from([b"", b"\x1f\x8b", gzip.compress(b"x")[:10], b"\x5c\x01\0\0"]))
def test_what_is_no_header_has_no_sizes(rest: bytes, start: bytes) -> None:
    assert len(sizes_of(start + rest)) in (0, 3)


@given(st.binary(max_size=100))
def test_base64(data: bytes) -> None:
    assert bytes(decoded(memoryview(base64.b64encode(data)), "")) == data


def test_base64_in_several_pieces() -> None:
    data = np.random.default_rng(0).bytes((4 << 20) + 7)
    assert bytes(decoded(memoryview(base64.b64encode(data)), "")) == data


@given(st.binary(min_size=1, max_size=100), st.integers(0, 8))
def test_base64_without_its_padding_or_with_too_much(data: bytes, padding: int) -> None:
    encoded = base64.b64encode(data).rstrip(b"=") + b"=" * padding
    assert bytes(decoded(memoryview(encoded), "")) == data


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b"AAA*", "it has the character '*' at character 4 of 4"),
        (b"AA\xffA", r"it has the character '\xff' at character 3 of 4"),
        (b"AA AAA", "it has a blank at character 3 of 6"),
        (b"A" * 76 + b"\n" + b"AAAA", "it has a line break at character 77 of 81"),
        (b"AAAA\r\nAAAA", "it has a line break at character 5 of 10"),
        (b"AA==AAAA", 'it has a "=" before the end at character 3 of 8'),
        (b"AA-_", 'it has the "-" of the variant for URLs at character 3 of 4'),
        (b"AA==\n", "it has a line break at character 5 of 5"),
        (b"AAA=\r\n", "it has a line break at character 5 of 6"),
        (b"AA== ", "it has a blank at character 5 of 5"),
        (b"AA\tAA", "it has a tab at character 3 of 5"),
        (b"AAAA\0", "it has a NUL at character 5 of 5"),
        (b'AA=="', "it has a quote at character 5 of 5"),
        (b"AAAAA", "its 5 characters are one too many or up to three too few"),
        (b"====", 'it has nothing but "="'),
        (b"AA" + b"=" * 12, ""),
    ],
)
def test_what_is_not_base64_is_told_with_its_place(text: bytes, what: str) -> None:
    with pytest.raises(MalformedBody) as error:
        decoded(memoryview(text), "the complaint")
    assert str(error.value).startswith(f"the complaint: {what}")


def found(body: dict[str, Any]) -> bytes:
    return bytes(content(body, "Nifti", missing=NO_NIFTI.format("Nifti")).whole())


def test_base64_that_ends_where_a_piece_ends_and_goes_on() -> None:
    with pytest.raises(MalformedBody, match="before the end"):
        decoded(memoryview(b"A" * ((4 << 20) - 1) + b"=" + b"AAAA"), "the complaint")


@pytest.mark.parametrize(
    "uri",
    [
        "data:;base64,QUJD",
        "data:a/b;base64,QUJD",
        "data:a/b;x=y;base64,QUJD",
        "DATA:;BASE64,QUJD",
        "Data:a/B;Base64,QUJD",
        'data:a/b;name="liver, left.nii";base64,QUJD',
    ],
)
def test_data_uris(uri: str) -> None:
    assert found({"Nifti": uri}) == b"ABC"
    assert found({"Nifti": memoryview(uri.encode())}) == b"ABC"


@pytest.mark.parametrize("uri", ["QUJD", "", "data:base64,QUJD", "data:;base64", "http://x/y;base64,QUJD", "\ud800"])
def test_what_is_no_data_uri(uri: str) -> None:
    with pytest.raises(MalformedBody, match="a data URI"):
        found({"Nifti": uri})


@pytest.mark.parametrize("body", [{}, {"Nifti": None}, {"Nifti": 5}, {"Nifti": ["data:;base64,QUJD"]}])
def test_what_is_no_text(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidField, match="String value expected in field: Nifti"):
        found(body)


def test_a_data_uri_without_a_file() -> None:
    with pytest.raises(InvalidField, match="holds no file"):
        found({"Nifti": "data:;base64,"})


def test_nothing_heavy_is_imported() -> None:
    heavy = ("numpy", "nibabel", "vtkmodules")
    code = f"import sys; from orthanc_stl.rest.routes import nifti; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
