"""Byte ranges and conditional requests, case by case after RFC 9110."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_stl import errors
from orthanc_stl.rest.http.messages import Answer, Request
from orthanc_stl.rest.http.ranges import Span, answer, matches, parse_range

CONTENT = bytes(range(100))
ETAG = '"5b0c"'


def get(**headers: str) -> Answer:
    request = Request("GET", "/x", headers={name.replace("_", "-"): value for name, value in headers.items()})
    return answer(request, etag=ETAG, content_type="model/stl", content=lambda: CONTENT)


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-9", 0, 9),
        ("bytes=0-0", 0, 0),
        ("bytes=99-99", 99, 99),
        ("bytes=0-99", 0, 99),
        ("bytes=0-100", 0, 99),
        ("bytes=90-18446744073709551616", 90, 99),
        ("bytes=90-" + "9" * 5000, 90, 99),
        ("bytes=0-", 0, 99),
        ("bytes=40-", 40, 99),
        ("bytes=-1", 99, 99),
        ("bytes=-100", 0, 99),
        ("bytes=-101", 0, 99),
        ("bytes=-" + "9" * 5000, 0, 99),
        ("bytes=00-0009", 0, 9),
        ("Bytes=0-9", 0, 9),
        ("bytes= 0-9 ", 0, 9),
    ],
)
def test_a_range_is_cut_at_the_end(header: str, first: int, last: int) -> None:
    assert parse_range(header, 100) == Span(first, last)


@pytest.mark.parametrize(
    "header",
    ["bytes=", "bytes=-", "bytes=5", "bytes=a-b", "bytes=9-5", "bytes=-1-5", "bytes=+0-9", "bytes=0-9,20-29",
     "items=0-9", "bytes", "0-9", "bytes=0 - 9", "bytes=\u0660-\u0669", "bytes=100-99", "bytes=0-9;", "",
     "bytes=" + "9" * 5000 + "-5"],
)  # fmt: skip
def test_what_is_malformed_or_several_is_ignored(header: str) -> None:
    assert parse_range(header, 100) is None
    assert get(range=header).status == 200


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=" + "9" * 5000 + "-"])
def test_what_begins_beyond_the_end_is_refused_with_the_size(header: str) -> None:
    with pytest.raises(errors.RangeNotSatisfiable) as refused:
        get(range=header)
    assert refused.value.status == 416
    assert refused.value.headers == {"Content-Range": "bytes */100"}


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=0-0", "bytes=-5"])
def test_of_nothing_no_range_can_be_given(header: str) -> None:
    with pytest.raises(errors.RangeNotSatisfiable, match="0"):
        parse_range(header, 0)


def test_a_partial_answer_says_which_part_it_is() -> None:
    part = get(range="bytes=10-19")
    assert (part.status, part.body) == (206, CONTENT[10:20])
    assert part.headers["Content-Range"] == "bytes 10-19/100"
    assert part.headers["ETag"] == ETAG


def test_without_a_range_all_comes_and_ranges_are_offered() -> None:
    whole = get()
    assert (whole.status, whole.body, whole.content_type) == (200, CONTENT, "model/stl")
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert "Content-Range" not in whole.headers


@pytest.mark.parametrize("seen", [ETAG, "*", f'"other", {ETAG}', f"W/{ETAG}", f'W/"a,b" , {ETAG}'])
def test_what_the_client_has_is_not_sent_nor_loaded(seen: str) -> None:
    request = Request("GET", "/x", headers={"if-none-match": seen, "range": "bytes=0-9"})

    def load() -> bytes:
        raise AssertionError("loaded")

    unchanged = answer(request, etag=ETAG, content_type="model/stl", content=load)
    assert (unchanged.status, unchanged.body, unchanged.headers["ETag"]) == (304, b"", ETAG)


@pytest.mark.parametrize("seen", ['"other"', "5b0c", "", f"x{ETAG[1:]}"])
def test_another_entity_tag_brings_the_model(seen: str) -> None:
    assert get(if_none_match=seen).status == 200


def test_if_range_gives_the_part_only_of_the_same_representation() -> None:
    assert get(range="bytes=0-9", if_range=ETAG).status == 206
    for other in ('"other"', f"W/{ETAG}", "Wed, 21 Oct 2015 07:28:00 GMT", ""):
        assert get(range="bytes=0-9", if_range=other).status == 200
    assert get(range="bytes=500-", if_range='"other"').body == CONTENT


@given(st.text(max_size=60), st.integers(0, 1000))
def test_any_header_is_answered(header: str, size: int) -> None:
    for text in (header, "bytes=" + header):
        try:
            span = parse_range(text, size)
        except errors.RangeNotSatisfiable:
            continue
        assert span is None or 0 <= span.first <= span.last < size
        matches(text, ETAG)


@given(st.integers(0, 300), st.integers(0, 300), st.integers(1, 200))
def test_a_range_is_the_slice_of_its_numbers(first: int, last: int, size: int) -> None:
    try:
        span = parse_range(f"bytes={first}-{last}", size)
    except errors.RangeNotSatisfiable:
        assert first >= size
        assert first <= last
        return
    data = bytes(i % 256 for i in range(size))
    assert (span is None) == (first > last)
    if span:
        assert data[span.first : span.last + 1] == data[first : last + 1]
