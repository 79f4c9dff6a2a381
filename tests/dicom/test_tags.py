"""`Tags`: they win over the defaults, by keyword or number; what places the object is refused by name."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from orthanc_stl.dicom.encapsulated_model import Description, check_tags
from orthanc_stl.dicom.study_context import StudyContext, read_study_context
from orthanc_stl.errors import InvalidField, Overridden, StlError, UnknownTag
from testing.phantoms import Study, ball, structure_set
from tests.dicom.stl_objects import encapsulate
from tests.dicom.validators import assert_valid

SOURCE = read_study_context(structure_set([ball(radius=6, points=24)], Study(character_set="ISO_IR 100")))


def file_with(tags: dict[str, Any]) -> bytes:
    return encapsulate(bytes(84), source=SOURCE, description=Description("T", ("A",)), version="1", tags=tags)


def with_tags(tags: dict[str, Any]) -> Dataset:
    return pydicom.dcmread(BytesIO(file_with(tags)))


@pytest.mark.parametrize("name", ["SeriesDescription", "0008,103e", "0008,103E", "0008-103e", "0008103e"])
def test_keyword_or_number(name: str) -> None:
    assert with_tags({name: "mine"}).SeriesDescription == "mine"


def test_defaults_are_overridden() -> None:
    tags = {"Manufacturer": "Me", "SeriesNumber": "7", "ContentDescription": "", "DocumentTitle": "Heart \\ lung"}
    ds = with_tags(tags)
    assert (ds.Manufacturer, ds.SeriesNumber, ds.ContentDescription) == ("Me", 7, "")
    assert ds.DocumentTitle == "Heart \\ lung"


def test_frame_of_reference_may_be_given() -> None:
    assert with_tags({"FrameOfReferenceUID": "1.2.3.4"}).FrameOfReferenceUID == "1.2.3.4"


def test_several_values_are_separated_by_backslash() -> None:
    assert with_tags({"SoftwareVersions": "1\\2"}).SoftwareVersions == ["1", "2"]


def test_numbers_are_given_as_text() -> None:
    ds = with_tags({"RecommendedDisplayCIELabValue": "1\\2\\65535", "RecommendedPresentationOpacity": "0.5"})
    assert list(ds.RecommendedDisplayCIELabValue) == [1, 2, 65535]
    assert ds.RecommendedPresentationOpacity == 0.5


def test_sequences_are_lists_of_objects() -> None:
    usage = {"CodeValue": "129016", "CodingSchemeDesignator": "DCM", "CodeMeaning": "Planning Intent"}
    dicom = file_with({"ModelUsageCodeSequence": [usage], "ModelModification": "NO"})
    assert pydicom.dcmread(BytesIO(dicom)).ModelUsageCodeSequence[0].CodeMeaning == "Planning Intent"
    assert_valid(dicom)


def test_null_is_an_empty_text_and_an_empty_text_an_empty_sequence() -> None:
    """As for Orthanc's create-dicom."""
    code = {"CodeValue": "1", "CodingSchemeDesignator": None, "CodeMeaning": "x"}
    ds = with_tags({"SeriesDescription": None, "ConceptNameCodeSequence": "", "ModelUsageCodeSequence": [code]})
    assert ds.SeriesDescription == ""
    assert list(ds.ConceptNameCodeSequence) == []
    assert not ds.ModelUsageCodeSequence[0].CodingSchemeDesignator


def test_private_tags() -> None:
    ds = with_tags({"0009,0010": "ACME", "0009,1001": "hello"})
    assert (ds[0x00090010].value, ds[0x00091001].value) == ("ACME", b"hello ")


@pytest.mark.parametrize("text", ["Cœur", "心臓", "Сердце"])
def test_text_beyond_the_source_s_character_set(text: str) -> None:
    dicom = file_with({"SeriesDescription": text})
    ds = pydicom.dcmread(BytesIO(dicom))
    assert (ds.SpecificCharacterSet, ds.SeriesDescription) == ("ISO_IR 192", text)
    assert_valid(dicom)


def test_the_character_set_may_be_chosen_and_is_kept_if_it_can_be() -> None:
    chosen = with_tags({"SpecificCharacterSet": "ISO_IR 144", "SeriesDescription": "Сердце"})
    assert (chosen.SpecificCharacterSet, chosen.SeriesDescription) == ("ISO_IR 144", "Сердце")
    assert (
        with_tags({"SpecificCharacterSet": "ISO_IR 144", "SeriesDescription": "é"}).SpecificCharacterSet == "ISO_IR 192"
    )


PLACING = [
    "PatientID", "PatientName", "PatientBirthDate", "0010,0020", "PatientAge", "StudyInstanceUID", "StudyDate",
    "StudyDescription", "AccessionNumber", "StudyID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID",
    "MediaStorageSOPClassUID", "TransferSyntaxUID", "EncapsulatedDocument", "EncapsulatedDocumentLength",
    "MIMETypeOfEncapsulatedDocument",
]  # fmt: skip


@pytest.mark.parametrize("name", PLACING)
def test_placing_tags_are_refused_by_name(name: str) -> None:
    with pytest.raises(Overridden, match=r"\([0-9a-f]{4},[0-9a-f]{4}\)") as refused:
        with_tags({name: "1.2.3"})
    assert name[0].isdigit() or name in str(refused.value)


REPEATED = {
    "PatientName": "Phantom^Torso",
    "PatientID": "PHANTOM",
    "PatientBirthDate": "19700101",
    "0010,0040": "O",
    "PatientAge": "045Y",
    "PatientAddress": "1 Some Road",
    "PregnancyStatus": "4",
    "PatientComments": "",
    "StudyDate": "20240102",
    "StudyDescription": "Phantom study ",
    "AccessionNumber": "A1",
    "ReferringPhysicianName": "Doctor^Who^^",
    "StudyInstanceUID": Study().uid("study"),
    "ProcedureCodeSequence": [{"CodeValue": "1", "CodingSchemeDesignator": "99X", "CodeMeaning": "Planning"}],
    # The same in other words:
    "PatientSize": "1.8",
    "PatientWeight": "+80.50",
    "StudyTime": "120000",
    "PatientMotherBirthName": "Mu\u0308ller^^",
    "AdditionalPatientHistory": "one\ntwo",
    # In no object of ours, but of the patient and the study:
    "PatientPrimaryLanguageCodeSequence": [{"CodeMeaning": "Planning", "0008,0100": "1", "0008,0102": "99X"}],
    "ReferencedStudySequence": [{"ReferencedSOPInstanceUID": "1.2.3", "ReferencedSOPClassUID": ""}],
    "AdmissionID": "Ward 3",
    "IssuerOfPatientIDQualifiersSequence": [],
    "PatientBreedCodeSequence": "",
}


def code() -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "1", "99X", "Planning"
    return item


@pytest.fixture(scope="module")
def source() -> StudyContext:
    study_before = Dataset()
    study_before.ReferencedSOPInstanceUID = "1.2.3"
    study_before.add_new(0x0008FFFE, "UN", b"of no dictionary")
    extra = {
        "PatientAge": "045Y", "PatientAddress": "1 Some Road", "PregnancyStatus": 4, "PatientSize": "1.80",
        "PatientWeight": "80.5", "StudyTime": "120000.000", "PatientMotherBirthName": "M\xfcller",
        "AdditionalPatientHistory": "one\r\ntwo", "PatientPrimaryLanguageCodeSequence": [code()],
        "ReferencedStudySequence": [study_before], "AdmissionID": "Ward 3", "ProcedureCodeSequence": [code()],
    }  # fmt: skip
    study = Study(extra=extra, character_set="ISO_IR 192")
    return read_study_context(structure_set([ball(radius=6, points=24)], study))


def of_source(source: StudyContext, tags: dict[str, Any]) -> Dataset:
    check_tags(tags)
    check_tags(tags, source)
    file = encapsulate(bytes(84), source=source, description=Description("T", ("A",)), version="1", tags=tags)
    return pydicom.dcmread(BytesIO(file))


@pytest.mark.parametrize("name", REPEATED)
def test_what_repeats_the_parent_is_accepted_and_changes_nothing(source: StudyContext, name: str) -> None:
    before, after = of_source(source, {}), of_source(source, {name: REPEATED[name]})
    for ds in (before, after):
        del ds.SOPInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID, ds.ModelGroupUID
        for element in [element for element in ds if element.VR in ("DA", "TM", "DT")]:
            del ds[element.tag]
    assert after == before


@pytest.mark.parametrize("name", REPEATED)
def test_another_value_is_refused_before_a_mesh_is_made(source: StudyContext, name: str) -> None:
    other: Any = [{"CodeValue": "2"}] if name.endswith("Sequence") else "045M"
    with pytest.raises(Overridden):
        check_tags({name: other}, source)
    with pytest.raises(Overridden):
        of_source(source, {name: other})


@pytest.mark.parametrize("name", ["NopeTag", "", "seriesdescription", "0008,9999", "00081", "0008;103e", "日本"])
def test_unknown_tags(name: str) -> None:
    with pytest.raises(UnknownTag, match="is no DICOM tag"):
        with_tags({name: "x"})


def test_a_long_unknown_name_is_not_repeated_in_full() -> None:
    with pytest.raises(UnknownTag) as unknown:
        with_tags({"x" * 100_000: "x"})
    assert len(str(unknown.value)) < 200


WRONG: list[tuple[str, object, str]] = [
    ("SeriesDescription", 5, "String value expected in Tags for SeriesDescription (0008,103e), not a number"),
    ("SeriesDescription", True, "not a boolean"),
    ("ConceptNameCodeSequence", None, "not null"),
    ("SeriesDescription", ["a"], "not a list"),
    ("SeriesDescription", {}, "not an object"),
    ("SeriesDescription", "x" * 65, "at most 64 characters, got 65"),
    ("SeriesDescription", "a\\b", "at most 1 values, separated by \\, got 2"),
    ("SeriesDescription", "a\nb", "is no such value"),
    ("SeriesDate", "2024-01-01", 'SeriesDate (0008,0021) is of VR DA; "2024-01-01" in Tags is no such value'),
    ("SeriesTime", "25", "is of VR TM"),
    ("AcquisitionDateTime", "2024-01-01", "is of VR DT"),
    ("SeriesNumber", "one", "is of VR IS"),
    ("FrameOfReferenceUID", "1.02", "is of VR UI"),
    ("BodyPartExamined", "heart", "is of VR CS"),
    ("OperatorsName", "a^b^c^d^e^f", "is of VR PN"),
    ("RecommendedDisplayCIELabValue", "1\\2\\65536", "a number from 0 to 65535, got 65536"),
    ("RecommendedDisplayCIELabValue", "x", 'is a number, got "x"'),
    ("RecommendedPresentationOpacity", "nan", "is a number"),
    ("ModelUsageCodeSequence", "x", "List of objects expected in Tags for ModelUsageCodeSequence"),
    ("ModelUsageCodeSequence", ["x"], "List of objects expected"),
    ("PixelData", "x", "its VR OB holds no text"),
    ("SpecificCharacterSet", "UTF-8", "expects terms such as"),
    ("SpecificCharacterSet", 8, "expects terms such as"),
]


@pytest.mark.parametrize(("name", "value", "sentence"), WRONG)
def test_wrong_values_are_refused_with_a_sentence(name: str, value: object, sentence: str) -> None:
    with pytest.raises(InvalidField) as refused:
        with_tags({name: value})
    assert sentence in str(refused.value)


def test_deep_sequences_are_refused() -> None:
    value: list[Any] = []
    for _ in range(500):
        value = [{"ModelUsageCodeSequence": value}]
    with pytest.raises(InvalidField, match="more than 16 deep"):
        with_tags({"ModelUsageCodeSequence": value})


def test_character_set_within_a_sequence_is_refused() -> None:
    with pytest.raises(Overridden, match="SpecificCharacterSet"):
        with_tags({"ModelUsageCodeSequence": [{"SpecificCharacterSet": "ISO_IR 100"}]})


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)
names = st.sampled_from([name for name, _, _ in WRONG] + ["Manufacturer", "0009,1001", "0009,0010"])


@given(st.dictionaries(names | st.text(max_size=12), json, max_size=3))
@settings(max_examples=200, deadline=None)
def test_any_tags_make_an_object_or_an_stl_error(tags: dict[str, Any]) -> None:
    try:
        dicom = file_with(tags)
    except StlError:
        return
    assert pydicom.dcmread(BytesIO(dicom)).Modality == "M3D"


@given(st.text(max_size=64))
@settings(max_examples=200, deadline=None)
def test_any_text_is_refused_or_read_back(text: str) -> None:
    try:
        ds = with_tags({"DocumentTitle": text})
    except InvalidField:
        return
    assert ds.DocumentTitle == text.rstrip(" ")
