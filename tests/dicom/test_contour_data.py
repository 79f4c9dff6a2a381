"""Contour Data to numbers: the quick way gives exactly what `float` gives, and refuses what is no decimal string."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orthanc_stl.dicom import contour_data
from orthanc_stl.dicom.contour_data import numbers


def parsed(text: str | bytes) -> list[float] | None:
    (values,) = numbers([text.encode() if isinstance(text, str) else text])
    return None if values is None else values.tolist()


plain = st.from_regex(r"-?[0-9]{1,7}(\.[0-9]{0,8})?|-?\.[0-9]{1,12}|-?[0-9]{1,2}\.[0-9]{9,13}", fullmatch=True)
decimal_strings = plain | st.from_regex(r" ?[+-]?[0-9]{1,9}(\.[0-9]{0,4})?([eE][+-]?[0-9]{1,2})? ?", fullmatch=True)


@given(st.lists(plain, min_size=1, max_size=40))
@settings(max_examples=150, deadline=None)
def test_plain_numbers_are_exact_to_the_last_bit(values: list[str]) -> None:
    assert parsed("\\".join(values)) == [float(value) for value in values]


@given(st.lists(decimal_strings, min_size=1, max_size=20))
@settings(max_examples=100, deadline=None)
def test_any_decimal_string_is_exact_to_the_last_bit(values: list[str]) -> None:
    assert parsed("\\".join(values)) == [float(value) for value in values]


@given(st.binary(max_size=60) | st.text("0123456789.-+eE \\", max_size=60).map(str.encode))
@settings(max_examples=500, deadline=None)
def test_any_bytes_give_numbers_or_none(text: bytes) -> None:
    try:
        expected = [float(part) for part in text.decode("ascii").split("\\")]
    except ValueError:
        expected = [float("nan")]
    if b"_" in text or not np.isfinite(expected).all() or any(letter in b"\t\n\r\v\f" for letter in text):
        assert parsed(text) is None
    else:
        assert parsed(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\\",
        "1\\",
        "\\1",
        "1\\ ",
        "1\\\\2",
        "-",
        "1\\-",
        ".",
        "1\\.",
        "1.2.3",
        "1-2",
        "--1",
        "0x10",
        "1_0",
        "nan",
        "inf",
    ],
)
def test_refused(text: str) -> None:
    assert parsed(text) is None


def test_minus_zero_and_leading_zeros() -> None:
    assert parsed("-0\\007\\-0.50\\5.") == [0, 7, -0.5, 5]


def test_one_bad_text_does_not_spoil_its_neighbours() -> None:
    good, bad, again = numbers([b"1\\2\\3", b"1\\x\\3", b"4.5\\-6"])
    assert good is not None
    assert again is not None
    assert (good.tolist(), bad, again.tolist()) == ([1, 2, 3], None, [4.5, -6])


def test_texts_of_many_batches_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contour_data, "BATCH_BYTES", 100)
    random = np.random.default_rng(5)
    lists = [random.integers(-9999, 9999, random.integers(1, 50)).tolist() for _ in range(100)]
    texts = ["\\".join(map(str, values)).encode() for values in lists]
    assert [values.tolist() for values in numbers(texts) if values is not None] == lists
