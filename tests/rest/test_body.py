"""JSON bodies: as lenient as the original's reader, in one pass, whatever comes."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orthanc_stl import errors
from orthanc_stl.rest.http.body import MAX_JSON_BYTES, read_json, read_object
from testing.data import shared_file

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_strict_json_is_read_as_it_is(value: object) -> None:
    assert read_json(json.dumps(value).encode()) == value
    assert read_json(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")) == value


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1, 2] /* comment */}',
        '{"a": [1, 2], }',
        '{"a": [1, 2,]}',
        '{"a": [1, 2]} and so on',
        '// first\n{"a": // one\n [1, 2]}',
        '\ufeff{"a": [1, 2]}',
        '{"a": 0, "a": [1, 2]}',
        '{"a": [1, 2]} /* never closed',
        '{"a": [+1, 2.]}',
        '{"a": [01, 002.0]}',
        '{"a": [1.e0, +02.0E+0]}',
    ],
)
def test_what_the_originals_reader_takes(text: str) -> None:
    assert read_json(text.encode()) == {"a": [1, 2]}


@given(st.text(alphabet=r'ab/*,]}"\ '))
def test_comments_and_commas_inside_of_strings_stay(text: str) -> None:
    assert read_json(b'{"a": ' + json.dumps(text).encode() + b",}") == {"a": text}


@given(st.text(alphabet='0123456789+-.eE,"\\'))
def test_numbers_inside_of_strings_stay(text: str) -> None:
    assert read_json(b'{"a": ' + json.dumps(text).encode() + b",}") == {"a": text}


@given(VALUES)
def test_values_are_the_same_where_a_comma_is_too_many(value: object) -> None:
    assert read_json(b'{"a": ' + json.dumps(value).encode() + b",}") == {"a": value}


@pytest.mark.parametrize("number", ["1.2.3", "+-1", "++1", "1-2", "01x", "-", ".5", "0x10", "1e", "1 2"])
def test_what_is_no_number_for_the_originals_reader(number: str) -> None:
    with pytest.raises(errors.MalformedBody):
        read_json(f'{{"a": {number}}}'.encode())


def test_line_breaks_and_tabs_within_strings() -> None:
    assert read_json(b'{"a": "b\n\tc"}') == {"a": "b\n\tc"}


@pytest.mark.parametrize(
    "body", [b"", b"  ", b"{", b'{"a"', b"nope", b'{"a": }', b'"\\', b"\xff\xfe", b"/* {} */", b"1" * 5000]
)
def test_what_is_no_json(body: bytes) -> None:
    with pytest.raises(errors.MalformedBody):
        read_json(body)


@pytest.mark.parametrize(
    "body",
    [
        r'{"Tags": {"SeriesDescription": "a\ud800"}}',
        r'{"Tags": {"\uDC00": "a"}}',
        r'{"RoiNames": ["Heart", "\udc00\ud800"]}',
        r'{"LabelNames": {"1": "\ud83dx"}, }',
        r'{"Structures": [{"Instance": "\udfff"}]} and so on',
    ],
)
def test_half_of_a_character_is_no_text(body: str) -> None:
    with pytest.raises(errors.MalformedBody, match="half of a surrogate pair"):
        read_object(body.encode(), "Nifti")


def test_whole_characters_may_be_escaped() -> None:
    assert read_json(rb'["\ud83d\ude00", "\\ud800"]') == ["\U0001f600", "\\ud800"]


@given(st.binary(max_size=200) | st.text(alphabet='{}[]",:/*\\ab1\n ').map(str.encode))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(errors.MalformedBody):
        read_json(body)


@pytest.mark.timeout(60)  # work that grows with the square of the size would take hours
@pytest.mark.parametrize(
    "piece",
    [
        b"[",
        b'{"a":',
        b'[{"a":',
        b"/*",
        b'"',
        b"\\",
        b'\\"',
        b",",
        b", ",
        b"//",
        b'"a',
        b'{"Nifti":"',
        b'"Nifti":""',
        b"0",
        b"0,",
        b"1.",
        b"1e",
    ],
)
def test_one_pass_is_enough(piece: bytes) -> None:
    body = piece * (MAX_JSON_BYTES // len(piece))
    with contextlib.suppress(errors.MalformedBody, errors.TooLarge):
        read_object(body, "Nifti")


def test_the_limit_is_on_json_and_not_on_the_file() -> None:
    with pytest.raises(errors.TooLarge, match="MB"):
        read_object(b'{"a": "' + b"x" * MAX_JSON_BYTES + b'"}', "Nifti")
    body = b'{"Resolution": 64, "Nifti": "' + b"x" * (2 * MAX_JSON_BYTES) + b'", "Smooth": true}'
    value = read_object(body, "Nifti")
    assert len(value.pop("Nifti")) == 2 * MAX_JSON_BYTES
    assert value == {"Resolution": 64, "Smooth": True}


@pytest.mark.parametrize(
    "body",
    [
        '{"Nifti": "QUJD/+=="}',
        '{"Nifti" : \n "QUJD/+==", }',
        r'{"Nifti": "QUJD\/+=="}',
        r'{"Nifti": "QUJD\/\u002B=="}',
        r'{"Nifti": "QUJD\u002f+\u003d\u003D"}',
        r'{"Nifti": "\u0051UJ\u0044/+=="}',
        '{"Nifti": "old", "Nifti": "QUJD/+=="}',
        '{"Tags": {"Nifti": "other"}, "Nifti": "QUJD/+=="}',
        r'{"Tags": {"a": "\"Nifti\": \"b"}, "Nifti": "QUJD/+=="}',
        '/* "Nifti": "no" */ {"Nifti": "QUJD/+=="}',
    ],
)
def test_the_file_is_cut_out_of_the_body(body: str) -> None:
    file = read_object(body.encode(), "Nifti")["Nifti"]
    assert (file if isinstance(file, str) else bytes(file).decode()) == "QUJD/+=="


def test_several_files_are_cut_out_of_a_list() -> None:
    big = "QUJD" * MAX_JSON_BYTES
    body = json.dumps({"Niftis": [{"Name": "a", "Nifti": big}, {"Nifti": "QQ=="}, 5], "Tags": {"Nifti": "other"}})
    value = read_object(body.encode(), "Nifti")
    first, second, third = value.pop("Niftis")
    assert (bytes(first.pop("Nifti")).decode() == big, first) == (True, {"Name": "a"})
    assert (bytes(second["Nifti"]), third, value) == (b"QQ==", 5, {"Tags": {"Nifti": "other"}})


def test_a_name_inside_of_something_else_does_not_count_for_the_file() -> None:
    big = "QUJD" * MAX_JSON_BYTES
    for order in (("Tags", "Nifti"), ("Nifti", "Tags")):
        whole = {"Tags": {"Nifti": "other"}, "Nifti": big}
        value = read_object(json.dumps({key: whole[key] for key in order}).encode(), "Nifti")
        assert (bytes(value["Nifti"]).decode() == big, value["Tags"]) == (True, {"Nifti": "other"})


def test_the_file_is_not_copied() -> None:
    body = b'{"Nifti": "QUJD"}'
    assert read_object(body, "Nifti")["Nifti"].obj is body


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(["Nifti", "Niftis", "Tags", 'a"b', "\\"]), VALUES), st.booleans())
def test_cutting_out_reads_the_same(value: dict[str, object], compact: bool) -> None:
    body = json.dumps(value, separators=(",", ":") if compact else None).encode()
    read = read_object(body, "Nifti")
    if isinstance(read.get("Nifti"), memoryview):
        read["Nifti"] = bytes(read["Nifti"]).decode("utf-8", "surrogatepass")
    assert read == value


@pytest.mark.parametrize("text", ['a "quoted" word', '"', '\\"', "\\" * 3 + '"', 'ends in "', "\\", "\\" * 2])
def test_quotes_and_backslashes_do_not_end_the_string(text: str) -> None:
    body = json.dumps({"Nifti": text, "A": 1}).encode()
    value = read_object(body, "Nifti")
    assert (bytes(value["Nifti"]).decode(), value["A"]) == (text, 1)


@pytest.mark.timeout(60)  # work that grows with the square of the size would take hours
@pytest.mark.parametrize("piece", [b'\\"', b"\\"])
def test_a_large_file_of_quotes_ends(piece: bytes) -> None:
    body = b'{"Nifti": "' + piece * 2_000_000 + b'"}'
    with pytest.raises(errors.MalformedBody, match="does not end"):
        read_object(body[:-2] if piece == b"\\" else body, "Nifti")


@pytest.mark.parametrize("text", [r"AA\xAA", r"AA\u00", r"AA\u00GGAA"])
def test_a_backslash_that_escapes_nothing(text: str) -> None:
    with pytest.raises(errors.InvalidField, match="Nifti must hold base64, but has a backslash that escapes nothing"):
        read_object(f'{{"Nifti": "{text}"}}'.encode(), "Nifti")


def test_a_body_as_dot_net_writes_it() -> None:
    body = shared_file("faults/body_System.Text.Json.json").read_bytes()
    plain = json.loads(body)["Nifti"]
    assert rb"\u002B" in body
    assert bytes(read_object(body, "Nifti")["Nifti"]).decode() == plain


@pytest.mark.timeout(60)  # work that grows with the square of the size would take hours
def test_a_large_file_of_escapes_is_read_in_one_pass() -> None:
    body = b'{"Nifti": "' + b"AAA\\u002B" * 2_000_000 + b'"}'
    assert bytes(read_object(body, "Nifti")["Nifti"]) == b"AAA+" * 2_000_000


@pytest.mark.parametrize("body", [b"[]", b"null", b"1", b'"x"'])
def test_what_is_no_object_has_no_fields(body: bytes) -> None:
    assert read_object(body) == {}
