"""Values of each VR: which are of a valid form, and what is made of those that are not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orthanc_stl.dicom.values import cleaned, is_valid

VALID = {
    "AS": ["018M", "045Y"],
    "CS": ["HEART", "A_B 1"],
    "DA": ["20240229", "19000101"],
    "DS": ["1", "-1.5", "+.5", "1e-5", "1."],
    "DT": ["2024", "202402", "20240229", "2024022912", "20240229123456.5", "20240229123456.123456+0130", "2024-0500"],
    "IS": ["0", "-12", "+2147483647"],
    "LO": ["x" * 64, "Ünïcode"],
    "PN": ["A^B^C^D^E", "A=B=C", "^^^^"],
    "SH": ["x" * 16],
    "TM": ["12", "1234", "235959", "000000.5", "235959.123456"],
    "UI": ["1.2.840", "0.1", "2.25." + "9" * 59],
}
INVALID = {
    "AS": ["18", "18Y", "0018Y", "018X"],
    "CS": ["heart", "A-B", "X" * 17],
    "DA": ["20230229", "2024-01-01", "20241301", "2024", "2024010１"],
    "DS": ["1,5", "x", "1" * 17, "e5", "nan", "1_0"],
    "DT": ["20241301", "2024022925", "202", "20240229123456.1234567", "24"],
    "IS": ["1.0", "x", "--1", "1" * 13],
    "LO": ["x" * 65, "a\\b", "a\tb", " a"],
    "PN": ["A^B^C^D^E^F", "A=B=C=D", "a\\b", "x" * 65],
    "SH": ["x" * 17],
    "TM": ["24", "1260", "12:00", "1", "235959.1234567"],
    "UI": ["1.02", "1..2", ".1", "1.", "1." + "9" * 63, "1.a"],
}


@pytest.mark.parametrize(("vr", "text"), [(vr, text) for vr, texts in VALID.items() for text in texts])
def test_valid(vr: str, text: str) -> None:
    assert is_valid(vr, text) or text == "^^^^"
    assert cleaned(vr, text) == text.rstrip("^")


@pytest.mark.parametrize(("vr", "text"), [(vr, text) for vr, texts in INVALID.items() for text in texts])
def test_invalid(vr: str, text: str) -> None:
    assert not is_valid(vr, text)
    assert is_valid(vr, cleaned(vr, text))


@pytest.mark.parametrize("vr", ["LT", "ST", "UT"])
def test_long_texts_may_have_lines_and_tabs(vr: str) -> None:
    """PS3.5 table 6.2-1."""
    assert is_valid(vr, "one\ntwo\r\n\tthree\ffour")
    assert not is_valid(vr, "one\x0btwo")
    assert not is_valid(vr, "one\x00")


def test_nearest_values() -> None:
    assert cleaned("LO", " a\\b\tc ") == "a/b c"
    assert cleaned("CS", "heart") == "HEART"
    assert cleaned("PN", "A^B^C^D^E^F") == "A^B^C^D^E F"
    assert cleaned("DA", "2024-01-01") == ""
    assert cleaned("ST", "one\ntwo\x00") == "one\r\ntwo"


@given(st.sampled_from([*VALID, "AE", "LT", "ST", "UT"]), st.text(max_size=80))
@settings(max_examples=300, deadline=None)
def test_what_is_cleaned_is_valid_and_stays(vr: str, text: str) -> None:
    clean = cleaned(vr, text)
    assert is_valid(vr, clean)
    assert cleaned(vr, clean) == clean
