"""Character sets: names as a file writes them are read, and written so that every reader gets them back."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orthanc_stl.dicom.encapsulated_model import Description
from orthanc_stl.dicom.stored_model import read_encapsulated_stl
from orthanc_stl.dicom.structure_set import read_roi_names, read_structure_set
from orthanc_stl.dicom.study_context import StudyContext, read_study_context
from orthanc_stl.dicom.text import decode, fits, long_string, one_line, plain_text
from testing.phantoms import Roi, Study, ball, structure_set
from tests.dicom.stl_objects import encapsulate
from tests.dicom.validators import assert_valid

ESC = b"\x1b"

# Specific Character Set, the name of a ROI as text and as the bytes in the file, the patient's name.
WRITTEN = {
    "ascii": (None, "Heart", b"Heart", "Doe^Jane"),
    "latin-1": ("ISO_IR 100", "Cœur".replace("œ", "oe") + " (été)", b"Coeur (\xe9t\xe9)", "Müller^Jörg"),
    "latin-2": ("ISO_IR 101", "Śledziona", b"\xa6ledziona", "Łoś^Żaneta"),
    "cyrillic": ("ISO_IR 144", "Сердце", "Сердце".encode("iso8859_5"), "Люкceмбypг^Иван"),
    "greek": ("ISO_IR 126", "Καρδιά", "Καρδιά".encode("iso8859_7"), "Διονυσιος"),
    "utf-8": ("ISO_IR 192", "心臓 Сердце é", "心臓 Сердце é".encode(), "Wang^XiaoDong=王^小东"),
    "gb18030": ("GB18030", "心脏", "心脏".encode("gb18030"), "Wang^XiaoDong=王^小东"),
    "japanese": (
        ["", "ISO 2022 IR 87"],
        "心臓",
        ESC + b"$B" + "心臓".encode("iso2022_jp")[3:-3] + ESC + b"(B",
        "Yamada^Tarou=山田^太郎=やまだ^たろう",
    ),
    "japanese after latin": (
        ["", "ISO 2022 IR 87"],
        "CTV 心臓 2",
        b"CTV " + ESC + b"$B" + "心臓".encode("iso2022_jp")[3:-3] + ESC + b"(B 2",
        "Yamada^Tarou=山田^太郎",
    ),
    "japanese katakana": (
        ["ISO 2022 IR 13", "ISO 2022 IR 87"],
        "ﾔﾏﾀﾞ",
        "ﾔﾏﾀﾞ".encode("shift_jis"),
        "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
    ),
    "korean": (["", "ISO 2022 IR 149"], "심장", ESC + b"$)C" + "심장".encode("euc_kr"), "Hong^Gildong=洪^吉洞=홍^길동"),
}


def study(case: str) -> Study:
    terms, _, _, patient = WRITTEN[case]
    return Study(character_set=terms, patient_name=patient)


def file_with(case: str) -> bytes:
    return structure_set([ball("?", 6, points=24, raw_name=WRITTEN[case][2])], study(case))


@pytest.mark.parametrize("case", WRITTEN)
def test_roi_names_are_decoded(case: str) -> None:
    assert read_roi_names(file_with(case)) == [WRITTEN[case][1]]


@pytest.mark.parametrize("case", WRITTEN)
def test_object_keeps_character_set_and_names(case: str) -> None:
    terms, name, _, patient = WRITTEN[case]
    structures = read_structure_set(file_with(case))
    dicom = made(structures.source, name)
    ds = pydicom.dcmread(BytesIO(dicom))
    assert (ds.get("SpecificCharacterSet") or None) == terms
    assert str(ds.PatientName) == patient
    assert ds.SeriesDescription == f"Contours: {name}"
    assert read_encapsulated_stl(dicom).names == (name,)
    assert read_study_context(dicom).patient == structures.source.patient
    assert_valid(dicom)


def made(source: StudyContext, name: str, **knobs: Any) -> bytes:
    return encapsulate(bytes(84), source=source, description=Description("T", (name,)), version="1", **knobs)


@pytest.mark.parametrize("case", ["ascii", "latin-1", "japanese"])
def test_text_beyond_the_character_set_makes_the_object_utf_8(case: str) -> None:
    source = read_structure_set(file_with(case)).source
    dicom = made(source, "Сердце é")
    ds = pydicom.dcmread(BytesIO(dicom))
    assert ds.SpecificCharacterSet == "ISO_IR 192"
    assert (str(ds.PatientName), ds.ContentDescription) == (WRITTEN[case][3], "Сердце é")
    assert_valid(dicom)


def test_an_unknown_character_set_is_not_passed_on() -> None:
    data = structure_set([ball("A", 6, points=24)], Study()).replace(b"ISO_IR 192", b"")
    source = read_study_context(data)
    unknown = encapsulate(
        bytes(84),
        source=type(source)(**{**vars(source), "character_set": ("ISO_IR 999",)}),
        description=Description("T", ("é",)),
        version="1",
    )
    assert pydicom.dcmread(BytesIO(unknown)).SpecificCharacterSet == "ISO_IR 192"


@pytest.mark.parametrize(("raw", "text"), [("é".encode(), "é"), (b"\xe9", "é"), (b"plain", "plain")])
def test_undeclared_bytes_are_utf_8_or_latin_1(raw: bytes, text: str) -> None:
    data = structure_set([Roi("?", None, raw_name=raw)])
    assert read_roi_names(data) == [text]
    dicom = made(read_study_context(data), text)
    assert_valid(dicom)
    assert read_encapsulated_stl(dicom).names == (text,)


def test_an_undeclared_patient_id_stays_what_orthanc_takes_it_for() -> None:
    """Orthanc files an object by its PatientID, read as Latin-1: another reading would be another patient."""
    data = structure_set([Roi("?", None)], Study(patient_id="PHANTOM?")).replace(b"PHANTOM?", "PHANTÖM".encode())
    dicom = made(read_study_context(data), "A")
    assert pydicom.dcmread(BytesIO(dicom)).PatientID == "PHANTÖM".encode().decode("latin-1")


@pytest.mark.parametrize("name", ["L\\R", "\\", "a\\\\b", '"', "<script>", "&amp;", "%s", "{}", "日\\本"])
def test_backslash_quotes_and_markup_are_only_letters(name: str) -> None:
    data = structure_set([ball("?", 6, points=24, raw_name=name.encode())], Study(character_set="ISO_IR 192"))
    structures = read_structure_set(data)
    assert [roi.name for roi in structures.rois] == [name]


def test_a_backslash_byte_within_a_chinese_letter_splits_nothing() -> None:
    assert "\\" in "誠".encode("gb18030").decode("latin-1")
    data = structure_set([Roi("?", None, raw_name="誠".encode("gb18030"))], Study(character_set="GB18030"))
    assert read_roi_names(data) == ["誠"]


@given(st.binary(max_size=64), st.sampled_from([terms for terms, *_ in WRITTEN.values()]))
@settings(max_examples=200, deadline=None)
def test_any_bytes_decode_to_some_text(raw: bytes, terms: str | list[str] | None) -> None:
    text = decode(raw, [terms] if isinstance(terms, str) else terms or [])
    assert isinstance(text, str)


@given(st.text(max_size=100))
@settings(max_examples=200, deadline=None)
def test_long_strings_fit_the_standard(text: str) -> None:
    cut = long_string(text)
    assert len(cut) <= 64
    assert "\\" not in cut
    assert cut == cut.strip()
    assert not any(ord(letter) < 32 for letter in cut)
    assert one_line(text).count("\n") == 0
    assert not set(plain_text(text, 50)) & set("\x00\x1b\t")


@pytest.mark.parametrize(
    ("text", "terms", "expected"),
    [
        ("abc", [], True),
        ("é", [], False),
        ("é", ["ISO_IR 100"], True),
        ("Я", ["ISO_IR 100"], False),
        ("山", ["", "ISO 2022 IR 87"], True),
        ("é", ["ISO_IR 999"], False),
        ("🫀", ["ISO_IR 192"], True),
    ],
)
def test_whether_a_text_fits(text: str, terms: list[str], expected: bool) -> None:
    assert fits(text, terms) is expected
