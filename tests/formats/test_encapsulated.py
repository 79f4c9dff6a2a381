"""Models in DICOM: a series of parts as Encapsulated STL, and an OBJ with its MTL."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut

from orthanc_stl.conversion.stored import stored_facts
from orthanc_stl.dicom.encapsulated_model import Series
from orthanc_stl.dicom.stored_model import read_encapsulated_stl
from orthanc_stl.dicom.study_context import Reference, StudyContext, read_study_context
from orthanc_stl.errors import InvalidInput, Overridden
from orthanc_stl.formats.encapsulated import encapsulate_as_obj, encapsulate_parts
from orthanc_stl.formats.obj import obj_and_mtl
from orthanc_stl.formats.stl import read_stl
from orthanc_stl.mesh.report import report_of
from orthanc_stl.mesh.types import Mesh
from orthanc_stl.model import Code, Model, Note, Rank
from testing.phantoms import ball, structure_set
from testing.scenes import FRAME, part, scene
from tests.dicom.standard import departures
from tests.dicom.validators import assert_valid, dcmdump

NOW = datetime(2024, 2, 29, 12, 30, tzinfo=UTC)
STUDY = read_study_context(structure_set([ball(radius=6, points=24)]))
SEGMENTATION = Reference("1.2.840.10008.5.1.4.1.1.66.4", "1.2.3.4", "1.2.3")
ANATOMICAL = Code("123037004", "SCT", "Anatomical Structure")
LIVER = Code("10200004", "SCT", "Liver")
ICON = np.zeros((128, 128, 3), np.uint8)
ICON[32:96, 32:96] = np.arange(64)[:, None] * [3, 2, 1]
# What makes the objects of a Standard Extended SOP Class (PS3.4 section 3.11.1): the standard has no place for them.
EXTENSIONS = frozenset(
    (
        "AnatomicRegionSequence",
        "AnatomicRegionSequence.CodeValue",
        "AnatomicRegionSequence.CodingSchemeDesignator",
        "AnatomicRegionSequence.CodeMeaning",
        "SourceInstanceSequence.ReferencedSegmentNumber",
    )
)

CODE = ("SH Code Value", "SH Coding Scheme Designator", "LO Code Meaning")


def model() -> Model:
    ptv, external, skin = scene().parts
    liver = replace(ptv, category=ANATOMICAL, anatomy=LIVER, notes=(Note(Rank.GUESSED, "Liver", "a guess"),))
    tumour = replace(
        external, category=Code("49755003", "SCT", "Morphologically Altered Structure"),
        anatomy=Code("108369006", "SCT", "Neoplasm"),
    )  # fmt: skip
    return Model((liver, tumour, skin), "Model generated from DICOM SEG", FRAME, {"Resolution": "256"})


def parts(given: Model | None = None, **knobs: Any) -> list[bytes]:
    options: dict[str, Any] = {"study": STUDY, "references": [SEGMENTATION], "version": "1.2.3", "now": NOW} | knobs
    return encapsulate_parts(given or model(), **options)


def as_obj(**knobs: Any) -> tuple[bytes, bytes]:
    options: dict[str, Any] = {"study": STUDY, "references": [STUDY.reference], "version": "1.2.3", "now": NOW} | knobs
    return encapsulate_as_obj(model(), **options)


def read(dicom: bytes) -> Dataset:
    return pydicom.dcmread(BytesIO(dicom))


def item_of(sequence: Any) -> Dataset:
    (item,) = sequence
    return item


# Parts ----------------------------------------------------------------------------------------------------------------


def test_parts_are_one_series_and_one_group() -> None:
    files = [read(dicom) for dicom in parts(series_number=7)]
    for keyword in ("SeriesInstanceUID", "ModelGroupUID", "FrameOfReferenceUID", "StudyInstanceUID", "SeriesTime"):
        assert len({str(ds[keyword].value) for ds in files}) == 1
    assert len({ds.SOPInstanceUID for ds in files}) == 3
    assert [ds.InstanceNumber for ds in files] == [1, 2, 3]
    assert {ds.SeriesNumber for ds in files} == {7}
    assert {ds.SeriesDescription for ds in files} == {"Contours: 3 models"}
    assert files[0].FrameOfReferenceUID == FRAME
    assert files[0].DocumentTitle == "STL model generated from DICOM SEG"


def test_each_part_has_its_name_color_opacity_and_mesh() -> None:
    for dicom, piece in zip(parts(), model().parts, strict=True):
        stored = read_encapsulated_stl(dicom)
        assert stored.names == (piece.name,)
        assert stored.color == (piece.color or (127, 127, 127))
        assert read(dicom).ContentDescription == piece.name.replace("\\", "/")
        assert read(dicom).RecommendedPresentationOpacity == pytest.approx(piece.opacity)
        report = report_of(read_stl(bytes(stored.document)))
        assert (report.triangles, report.box) == (piece.report.triangles, piece.report.box)


def test_parts_tell_of_their_making() -> None:
    first, second, _ = (read_encapsulated_stl(dicom) for dicom in parts())
    assert first.warnings == ("a guess",)
    assert second.warnings == ()
    assert first.parameters == {
        "Resolution": "256",
        "StructureNumber": "5",
        "StructureType": "PTV",
        "PropertyCategory": "(123037004, SCT, Anatomical Structure)",
        "PropertyType": "(10200004, SCT, Liver)",
    }


def test_a_union_has_no_single_structure_number() -> None:
    made = model()
    union = replace(made.parts[0], structures=(5, 7), names=("PTV", "Node"))
    stored = read_encapsulated_stl(parts(replace(made, parts=(union,)))[0])
    assert "StructureNumber" not in stored.parameters
    assert stored.parameters["StructureType"] == "PTV"


def test_only_anatomy_is_an_anatomic_region() -> None:
    first, second, third = (read(dicom) for dicom in parts())
    region = item_of(first.AnatomicRegionSequence)
    assert (region.CodeValue, region.CodingSchemeDesignator, region.CodeMeaning) == ("10200004", "SCT", "Liver")
    assert "AnatomicRegionSequence" not in second
    assert "AnatomicRegionSequence" not in third


def test_a_segment_is_referred_to_by_its_number_and_a_structure_set_as_a_whole() -> None:
    numbers = [item_of(read(dicom).SourceInstanceSequence).ReferencedSegmentNumber for dicom in parts()]
    assert numbers == [5, 2, 9]
    of_contours = item_of(read(parts(references=[STUDY.reference])[0]).SourceInstanceSequence)
    assert "ReferencedSegmentNumber" not in of_contours


def test_icons() -> None:
    with_icon, without, _ = (read(dicom) for dicom in parts(icons=[ICON, None]))
    assert "IconImageSequence" not in without
    icon = item_of(with_icon.IconImageSequence)
    assert (icon.Rows, icon.Columns, icon.PhotometricInterpretation) == (128, 128, "PALETTE COLOR")
    pixels = np.frombuffer(icon.PixelData, np.uint8).reshape(128, 128)
    assert np.array_equal(apply_color_lut(pixels, icon), ICON)


def test_an_icon_of_many_colors_is_near_to_its_picture() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (128, 128, 3)).astype(np.uint8)
    icon = item_of(read(parts(icons=[picture])[0]).IconImageSequence)
    pixels = np.frombuffer(icon.PixelData, np.uint8).reshape(128, 128)
    assert np.abs(apply_color_lut(pixels, icon).astype(int) - picture).max() <= 80  # noise is the worst there is


def test_a_frame_is_made_once_where_the_model_has_none() -> None:
    files = [read(dicom) for dicom in parts(replace(model(), frame_of_reference_uid=""))]
    assert len({ds.FrameOfReferenceUID for ds in files}) == 1
    assert files[0].FrameOfReferenceUID.startswith("2.25.")


def test_one_part_is_described_by_its_name() -> None:
    alone = Model(model().parts[1:2])
    assert read(parts(alone)[0]).SeriesDescription == "Contours: External"


def test_a_part_without_triangles_is_refused_before_anything_is_written() -> None:
    empty = part(4, "Nothing", Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)))
    with pytest.raises(InvalidInput, match='part 4 "Nothing" has no triangles'):
        parts(Model((*model().parts, empty)))


def test_tags_are_those_of_every_part() -> None:
    files = [read(dicom) for dicom in parts(tags={"SeriesDescription": "Mine"})]
    assert {ds.SeriesDescription for ds in files} == {"Mine"}
    with pytest.raises(Overridden):
        parts(tags={"StudyInstanceUID": "1.2"})


def test_parts_are_valid() -> None:
    for dicom in parts(icons=[ICON] * 3):
        assert departures(read(dicom), "encapsulated-stl", EXTENSIONS) == []
        assert_valid(dicom, "Referenced Segment Number", "Anatomic Region Sequence", *CODE)


# OBJ and MTL ----------------------------------------------------------------------------------------------------------


def test_obj_and_mtl_are_two_objects_of_one_group() -> None:
    obj, mtl = map(read, as_obj(series_number=3))
    texts = obj_and_mtl(model())
    for ds, name, text, number in ((obj, "OBJ", texts[0], 3), (mtl, "MTL", texts[1], 4)):
        assert ds.SOPClassUID.name == f"Encapsulated {name} Storage"
        assert ds.MIMETypeOfEncapsulatedDocument == f"model/{name.lower()}"
        assert (ds.Modality, ds.SeriesNumber) == ("M3D", number)
        assert ds.DocumentTitle == "OBJ model generated from DICOM SEG"
        assert ds.EncapsulatedDocument[: ds.EncapsulatedDocumentLength] == text
    assert obj.SeriesInstanceUID != mtl.SeriesInstanceUID
    assert obj.ModelGroupUID == mtl.ModelGroupUID
    assert obj.FrameOfReferenceUID == FRAME
    assert "FrameOfReferenceUID" not in mtl
    assert obj.ContentDescription == "PTV 60 Gy <boost> & Größe, External, skin / scan"


def test_made_again_in_the_same_series_both_have_the_same_uids() -> None:
    series = Series(uid="2.25.5", fixed_uids=True)
    uids = [[read(file).SOPInstanceUID for file in as_obj(series=series)] for _ in range(2)]
    assert uids[0] == uids[1]
    assert len(set(uids[0])) == 2


def test_the_obj_names_its_mtl() -> None:
    obj, mtl = map(read, as_obj())
    named = item_of(obj.ReferencedInstanceSequence)
    assert named.RelativeURIReferenceWithinEncapsulatedDocument == "model.mtl"
    assert b"\nmtllib model.mtl\n" in obj.EncapsulatedDocument
    assert (named.ReferencedSOPClassUID, named.ReferencedSOPInstanceUID) == (mtl.SOPClassUID, mtl.SOPInstanceUID)
    by_series = {
        series.SeriesInstanceUID: [item.ReferencedSOPInstanceUID for item in series.ReferencedInstanceSequence]
        for series in obj.ReferencedSeriesSequence
    }
    assert by_series[mtl.SeriesInstanceUID] == [mtl.SOPInstanceUID]
    assert by_series[STUDY.reference.series_instance_uid] == [STUDY.reference.sop_instance_uid]


def test_obj_and_mtl_are_as_the_standard_says() -> None:
    obj, mtl = as_obj(icon=ICON)
    assert departures(read(obj), "encapsulated-obj") == []
    assert departures(read(mtl), "encapsulated-mtl") == []
    for dicom in (obj, mtl):
        dcmdump(dicom)


def test_the_tables_find_what_is_wrong() -> None:
    obj = read(as_obj()[0])
    del obj.FrameOfReferenceUID
    obj.MeasurementUnitsCodeSequence = []
    obj.RescaleSlope = "1"
    assert departures(obj, "encapsulated-obj") == [
        "FrameOfReferenceUID (type 1) is missing",
        "MeasurementUnitsCodeSequence (type 1) is empty",
        "RescaleSlope is in no module",
    ]


def test_study_context_is_taken_over() -> None:
    assert isinstance(STUDY, StudyContext)
    for dicom in (*parts(), *as_obj()):
        assert (read(dicom).PatientID, read(dicom).StudyDate) == ("PHANTOM", "20240102")


def test_closedness_is_known_of_a_model_of_any_size() -> None:
    """A ring of more than 500,000 triangles, of which one is missing."""
    n = 502
    u, v = np.meshgrid(*[np.arange(n) * 2 * np.pi / n] * 2)
    wide = 40 + 10 * np.cos(v)
    corners = np.stack([wide * np.cos(u), wide * np.sin(u), 10 * np.sin(v)], axis=-1).astype("<f4")
    right, below, both = np.roll(corners, -1, 1), np.roll(corners, -1, 0), np.roll(corners, (-1, -1), (0, 1))
    triangles = np.concatenate([np.stack([corners, right, both], 2), np.stack([corners, both, below], 2)])
    records = np.zeros(2 * n * n - 1, [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("more", "<u2")])
    records["corners"] = triangles.reshape(-1, 3, 3)[1:]
    ds = read(parts()[0])
    ds.EncapsulatedDocument = bytes(80) + np.uint32(len(records)).tobytes() + records.tobytes()
    ds.EncapsulatedDocumentLength = len(ds.EncapsulatedDocument)
    out = BytesIO()
    ds.save_as(out, enforce_file_format=True)
    facts = stored_facts([out.getvalue()])
    assert (facts["Triangles"], facts["Closed"]) == (504_007, False)
