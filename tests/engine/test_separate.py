"""Several structures in one request, from the bytes of a file to the stored objects: what is made, told and skipped."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pydicom
import pytest

from orthanc_stl.errors import InvalidInput
from orthanc_stl.tasks import TASKS
from testing import phantoms
from testing.source_phantoms import file_of, seg_dataset
from tests.dicom.validators import assert_valid
from tests.mutants import SERIES


def files_of(rois: list[phantoms.Roi], **request: Any) -> tuple[dict[str, Any], list[bytes]]:
    options = {"Request": {"Resolution": 48, **request}, "Roles": ["source"], "Name": "", "Series": SERIES}
    facts, files = TASKS["convert"](options, [phantoms.structure_set(rois)], lambda *now: None)
    return facts["answer"], [bytes(file) for file in files]


def made(rois: list[phantoms.Roi], **request: Any) -> tuple[dict[str, Any], list[pydicom.Dataset]]:
    answer, files = files_of(rois, **request)
    return answer, [pydicom.dcmread(BytesIO(file)) for file in files]


POINT = phantoms.Roi("Isocentre", [phantoms.Contour(np.zeros((1, 3)), kind="POINT")])
ORGANS = [
    phantoms.ball("Heart", 20, (-40, 0, 0), colour=(255, 0, 0)),
    phantoms.ball("CouchTop", 10, (60, 0, 0)),
    POINT,
    phantoms.ball("Lung", 15, (0, 50, 0), colour=(0, 0, 255)),
    phantoms.ball("left couch rail", 10, (60, 60, 0)),
]


@pytest.mark.parametrize("structures", [["Heart", "Lung"], ["Lung"]], ids=["union", "one"])
def test_a_name_that_was_given_is_the_models(structures: list[str]) -> None:
    """In the object and its series; what it was made of is still told."""
    answer, (ds,) = made(ORGANS, Structures=structures, Name="Pump and bellows")
    assert ds.ContentDescription == "Pump and bellows"
    assert ds.SeriesDescription == "Contours: Pump and bellows"
    assert answer["Models"][0]["Name"] == "Pump and bellows"
    facts, _ = TASKS["stored_info"]({}, [as_bytes(ds)], lambda *now: None)
    assert facts["Rois"] == structures


def as_bytes(ds: pydicom.Dataset) -> bytes:
    buffer = BytesIO()
    ds.save_as(buffer)
    return buffer.getvalue()


def test_all_but_what_is_excluded_one_object_each() -> None:
    """Patterns know no case; what cannot be used is skipped with its reason, what is excluded is not spoken of."""
    answer, objects = made(ORGANS, All=True, Exclude=["*couch*"], Separate=True)
    assert [(one["Number"], one["Name"]) for one in answer["Models"]] == [(1, "Heart"), (4, "Lung")]
    assert [(one["Number"], one["Name"]) for one in answer["Skipped"]] == [(3, "Isocentre")]
    assert "no closed contours" in answer["Skipped"][0]["Reason"]
    assert [ds.ContentDescription for ds in objects] == ["Heart", "Lung"]
    assert [one["VolumeMl"] for one in answer["Models"]] == pytest.approx([33.51, 14.14], rel=0.02)
    with pytest.raises(InvalidInput, match="no structure can be used"):
        made(ORGANS, All=True, Exclude=["*"], Separate=True)


def test_what_is_said_of_the_choice_is_in_every_answer() -> None:
    """Two structures of one name, and isodoses of a structure set: in lists, stored objects and files alike."""
    rois = [ORGANS[0], phantoms.ball("Heart", 10, (60, 0, 0))]
    request = {"Structures": ["Heart"], "Separate": True, "Resolution": 48, "Fields": {"Levels": [30]}}
    options = {"Request": request, "Roles": ["source"], "Name": "", "Series": SERIES, "Suffix": "stl"}
    blobs = [phantoms.structure_set(rois)]
    texts = [
        '2 structures are named "Heart" (numbers 1, 2): all were taken',
        "Levels was ignored: it means nothing for an RT-STRUCT",
    ]
    chosen = TASKS["choose_structures"](options, blobs, lambda *now: None)[0]
    assert [note["Text"] for note in chosen["notes"]] == texts
    answer = TASKS["convert"](options, blobs, lambda *now: None)[0]["answer"]
    assert answer["Warnings"][:2] == [note["Text"] for note in answer["Notes"]][:2] == texts
    model = TASKS["scene_file"](options, blobs, lambda *now: None)[0]["models"][0]
    assert model["Warnings"][:2] == [note["Text"] for note in model["Notes"]][:2] == texts


def test_how_much_work_each_structure_is() -> None:
    """By contours, or by voxels: the largest are begun first."""
    rois = [phantoms.ball("Small", 5), phantoms.ball("Large", 20)]
    frames = np.zeros((2, 8, 8), np.uint8)
    frames[0, 2:4, 2:4] = frames[1, 1:6, 1:6] = 1
    seg = file_of(seg_dataset(frames, [(1, (0.0, 0.0, 0.0)), (2, (0.0, 0.0, 0.0))], numbers=(1, 2)))
    sizes = []
    for blob in (phantoms.structure_set(rois), seg):
        request = {"All": True, "Separate": True}
        options = {"Request": request, "Roles": ["source"], "Name": "", "Series": SERIES}
        chosen = TASKS["choose_structures"](options, [blob], lambda *now: None)[0]
        sizes.append([one["Size"] for one in chosen["structures"]])
    assert sizes == [[3, 13], [4, 25]]


def test_each_object_of_a_set_has_its_own_picture() -> None:
    """In the structure's colour: red and blue pixels in the middle of what the palette says."""
    _, objects = made(ORGANS, Structures=["Heart", "Lung"], Separate=True)
    assert len({ds.ModelGroupUID for ds in objects}) == len({ds.SeriesInstanceUID for ds in objects}) == 1
    assert [ds.InstanceNumber for ds in objects] == [1, 2]
    for ds, channel in zip(objects, (0, 2), strict=True):
        (icon,) = ds.IconImageSequence
        picture = np.frombuffer(icon.PixelData, np.uint8).reshape(icon.Rows, icon.Columns)
        palette = [
            np.frombuffer(icon[f"{color}PaletteColorLookupTableData"].value, np.uint8)
            for color in ("Red", "Green", "Blue")
        ]
        middle = [int(colors[picture[64, 64]]) for colors in palette]
        assert middle[channel] > 100
        assert middle[2 - channel] < 30


def test_validators_find_nothing_in_the_objects_of_a_set() -> None:
    """Each with its icon, color, opacity and place in the group."""
    _, files = files_of(ORGANS, All=True, Separate=True)
    assert len(files) == 4
    for file in files:
        assert_valid(file)


def test_a_structure_that_fails_stops_no_other() -> None:
    small = phantoms.ball("Small", 5, (0, 0, 80))
    answer, objects = made([ORGANS[0], small], All=True, Separate=True, MinVolumeMl=2)
    assert [one["Name"] for one in answer["Models"]] == ["Heart"]
    assert len(objects) == 1
    (skipped,) = answer["Skipped"]
    assert skipped["Name"] == "Small"
    assert skipped["Reason"].startswith("no piece has 2 mL: the largest has 0.5")
    with pytest.raises(InvalidInput, match="no piece has 2 mL"):
        made([ORGANS[0], small], All=True, Separate=True, MinVolumeMl=2, Strict=True)


@pytest.mark.parametrize("options", [{"KeepLargest": True}, {"MinVolumeMl": 2}])
def test_pieces_of_contours_that_are_left_out_are_told(options: dict[str, Any]) -> None:
    ball = ORGANS[0]
    both = replace(ball, contours=[*(ball.contours or ()), *(phantoms.ball("", 5, (30, 0, 0)).contours or ())])
    whole, _ = made([both], Structures=[1], Separate=True)
    answer, _ = made([both], Structures=[1], Separate=True, **options)
    assert whole["Warnings"] == []
    assert answer["VolumeMl"] == pytest.approx(33.51, rel=0.01)
    assert whole["VolumeMl"] - answer["VolumeMl"] == pytest.approx(0.524, rel=0.1)
    assert [text for text in answer["Warnings"] if "left out" in text and "1 is kept" in text]
