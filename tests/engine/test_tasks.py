"""The real tasks, in real workers, on whole files: what goes in by the queue comes out as it should."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest

from orthanc_stl import errors
from orthanc_stl.dicom.stored_model import read_encapsulated_stl
from orthanc_stl.engine.executor import Result, Work
from orthanc_stl.engine.pool import LocalPool
from orthanc_stl.formats.stl import read_stl
from orthanc_stl.mesh.progress import Progress
from orthanc_stl.mesh.report import report_of
from testing import phantoms
from testing.nifti_phantoms import ball_mask, nifti_file
from testing.phantoms import ball, cylinder
from tests.engine import converted
from tests.nexus_writer import levels, write_nexus

REQUEST = {"Resolution": 64, "Limits": {"max_nifti_mb": 64}}
SERIES = {
    "SeriesInstanceUID": "2.25.1", "ModelGroupUID": "2.25.2", "FrameOfReferenceUID": "2.25.3", "SeriesNumber": 1,
    "Moment": "2026-01-31T12:00:00+00:00", "Place": 1, "Of": 1,
}  # fmt: skip
ROLES = ("source", "study", "images")


@pytest.fixture(scope="module")
def real_pool(python: str) -> Iterator[LocalPool]:
    pool = LocalPool(python, size=1, memory_mb=2000)
    yield pool
    pool.stop()


@pytest.fixture(scope="module")
def structure_set() -> bytes:
    planes = np.arange(-60, 61, 3.0)
    balls = [ball("Heart", 30), ball("Cord", 8, (0, 40, 0)), ball("Areola", 10, (40, 0, 0))]
    return phantoms.structure_set([*balls, cylinder("Body", 90, planes)])


def perform(
    pool: LocalPool,
    task: str,
    blobs: Sequence[bytes],
    progress: Progress = lambda fraction, step: None,
    **options: object,
) -> Result:
    return pool.run(Work(task, options, blobs, 60), progress, threading.Event())


def convert(
    pool: LocalPool,
    blobs: Sequence[bytes],
    progress: Progress = lambda fraction, step: None,
    *,
    roles: Sequence[str] = ("source",),
    **request: object,
) -> Result:
    options = {"Request": REQUEST | request, "Roles": list(roles), "Series": SERIES}
    return perform(pool, "convert", blobs, progress, **options)


def test_names_are_listed(real_pool: LocalPool, structure_set: bytes) -> None:
    names = perform(real_pool, "roi_names", [structure_set]).facts["names"]
    assert names == ["Areola", "Body", "Cord", "Heart"]


def test_structures_are_described(real_pool: LocalPool, structure_set: bytes) -> None:
    found = perform(real_pool, "list_structures", [structure_set]).facts["structures"]
    heart = next(one for one in found if one["Name"] == "Heart")
    assert heart["Usable"]
    assert heart["Contours"].keys() == {"CLOSED_PLANAR"}
    assert heart["Extent"][0] < heart["Extent"][1]


def test_a_model_of_a_roi_and_what_is_known_of_it_afterwards(real_pool: LocalPool, structure_set: bytes) -> None:
    seen = []
    result = convert(real_pool, [structure_set], lambda *now: seen.append(now), Structures=["Heart"])
    answer = result.facts["answer"]
    model = report_of(read_stl(bytes(read_encapsulated_stl(result.blobs[0]).document)))
    assert model.closed
    assert answer["Triangles"] == model.triangles
    assert answer["VolumeMl"] == pytest.approx(model.volume / 1000, abs=1e-3)
    assert result.facts["warnings"] == len(answer["Warnings"])
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert 0 <= fractions[0] <= fractions[-1] <= 1
    assert not any("Heart" in step for _, step in seen)
    info = perform(real_pool, "stored_info", result.blobs).facts
    assert (info["Triangles"], info["Closed"], info["Rois"]) == (model.triangles, True, ["Heart"])
    told = {"Resolution": "64", "Smooth": "true", "EndCaps": "true"}
    assert {key: info["Parameters"][key] for key in told} == told
    assert info["Units"] == "mm"
    assert info["SourceInstances"] == [str(pydicom.dcmread(io.BytesIO(structure_set)).SOPInstanceUID)]


def test_by_number_as_by_name(real_pool: LocalPool, structure_set: bytes) -> None:
    number = perform(real_pool, "list_structures", [structure_set]).facts["structures"][0]
    answers = [
        convert(real_pool, [structure_set], Structures=[chosen]).facts for chosen in (number["Number"], number["Name"])
    ]
    assert answers[0] == answers[1]


def test_the_known_names_are_told(real_pool: LocalPool, structure_set: bytes) -> None:
    with pytest.raises(errors.InvalidInput, match=r'no structure "Hart".*"Heart"'):
        convert(real_pool, [structure_set], Structures=["Hart"])
    with pytest.raises(errors.InvalidInput, match="no structure was chosen"):
        convert(real_pool, [structure_set])


def test_limits_of_the_configuration_reach_the_packages(real_pool: LocalPool, structure_set: bytes) -> None:
    for limit, value in {"max_voxels": 1000, "max_triangles": 100, "max_rois": 2, "max_contour_points": 50}.items():
        with pytest.raises(errors.TooLarge):
            convert(real_pool, [structure_set], Structures=["Heart"], Limits={limit: value})


def test_tags_are_checked_and_written(real_pool: LocalPool, structure_set: bytes) -> None:
    stored = convert(real_pool, [structure_set], Structures=["Heart"], Tags={"SeriesDescription": "mine"})
    assert pydicom.dcmread(io.BytesIO(stored.blobs[0])).SeriesDescription == "mine"
    with pytest.raises(errors.Overridden):
        convert(real_pool, [structure_set], Structures=["Heart"], Tags={"PatientID": "other"})


@pytest.mark.parametrize("task", ["roi_names", "list_structures", "convert", "stored_info"])
@pytest.mark.parametrize("data", [b"", b"nonsense", bytes(500)])
def test_what_is_no_such_file_is_refused(real_pool: LocalPool, task: str, data: bytes) -> None:
    with pytest.raises(errors.InvalidInput):
        perform(real_pool, task, [data], Request=REQUEST | {"All": True}, Series=SERIES)


def box_mask() -> tuple[bytes, np.ndarray]:
    """A NIfTI label map, label 1 is a box of 10 x 8 x 6 voxels of 1 x 1.5 x 3 mm, label 2 another; its affine (RAS)."""
    voxels = np.zeros((30, 20, 12), np.uint8)
    voxels[5:15, 6:14, 3:9] = 1
    voxels[20:26, 6:14, 3:9] = 2
    affine = np.array([[-1, 0, 0, 40.0], [0, -1.5, 0, 30.0], [0, 0, 3, -20.0], [0, 0, 0, 1]])
    return nibabel.Nifti1Image(voxels, affine).to_bytes(), affine


def series_of(affine: np.ndarray, spacing: str = "1.5\\1") -> bytes:
    """CT slices on the same voxels. RAS to LPS: x and y change sign."""
    x, y, z = affine[:3, 3] * (-1, -1, 1)
    series = {
        "SeriesInstanceUID": "1.2.3", "SeriesDescription": "thorax", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
        "FrameOfReferenceUID": "1.2.9", "PixelSpacing": spacing, "Rows": "20", "Columns": "30",
        "Slices": [[f"1.2.3.{k}", f"{x}\\{y}\\{z + 3 * k}", "1\\0\\0\\0\\1\\0"] for k in range(12)],
    }  # fmt: skip
    return json.dumps([series]).encode()


def test_a_label_of_a_nifti(real_pool: LocalPool, structure_set: bytes) -> None:
    data, _ = box_mask()
    files = [data, structure_set, b"[]"]
    result = convert(real_pool, files, roles=ROLES, Structures=[1], Smooth=False)
    assert result.facts["answer"]["VolumeMl"] == pytest.approx(10 * 8 * 6 * 4.5 / 1000, rel=0.01)
    stored = pydicom.dcmread(io.BytesIO(result.blobs[0]))
    source = pydicom.dcmread(io.BytesIO(structure_set))
    assert stored.StudyInstanceUID == source.StudyInstanceUID
    assert stored.SeriesDescription == "STL model generated from NIfTI: label 1"
    assert "SourceInstanceSequence" not in stored
    assert stored.FrameOfReferenceUID not in ("", "1.2.9")


@pytest.mark.parametrize(
    ("name", "fields", "expected"),
    [
        ("", {"All": True}, "STL model generated from NIfTI: label 1, label 2"),
        ("", {"All": True, "Separate": True}, "STL model generated from NIfTI: 2 models"),
        ("", {"All": True, "Format": "obj"}, "OBJ model generated from NIfTI: label 1, label 2"),
        ("spleen.nii.gz", {"Structures": [1]}, "spleen.nii.gz: label 1"),
        ("spleen.nii.gz", {"Structures": [1], "Tags": {"0042,0010": "Print"}}, "Print: label 1"),
        ("spleen.nii.gz", {"Structures": [1], "Tags": {"SeriesDescription": "Mine"}}, "Mine"),
    ],
)
def test_the_series_of_a_file_is_named_by_it_or_by_the_title(
    real_pool: LocalPool, structure_set: bytes, name: str, fields: dict[str, Any], expected: str
) -> None:
    """A file is on no DICOM series whose description could be taken: it would be nameless in lists of series."""
    files = [box_mask()[0], structure_set, b"[]"]
    options: dict[str, Any] = {"Request": REQUEST | fields, "Roles": list(ROLES), "Series": SERIES, "Name": name}
    stored = pydicom.dcmread(io.BytesIO(perform(real_pool, "convert", files, **options).blobs[0]))
    assert stored.SeriesDescription == expected


def test_a_nifti_is_placed_in_the_frame_of_the_images_that_it_lies_on(
    real_pool: LocalPool, structure_set: bytes
) -> None:
    data, affine = box_mask()
    result = convert(real_pool, [data, structure_set, series_of(affine)], roles=ROLES, All=True)
    stored = pydicom.dcmread(io.BytesIO(result.blobs[0]))
    assert stored.FrameOfReferenceUID == "1.2.9"
    assert stored.SeriesDescription == "thorax: label 1, label 2"
    assert [item.ReferencedSOPInstanceUID for item in stored.SourceInstanceSequence] == [
        f"1.2.3.{k}" for k in range(12)
    ]
    result = convert(real_pool, [data, structure_set, series_of(affine, "1.5\\1.1")], roles=ROLES, All=True)
    assert pydicom.dcmread(io.BytesIO(result.blobs[0])).FrameOfReferenceUID != "1.2.9"


def test_a_nexus_model_joins_a_study(real_pool: LocalPool, structure_set: bytes) -> None:
    model = write_nexus(levels([(8, 16), (16, 32)]))
    result = perform(
        real_pool, "create_nexus", [model, structure_set], tags={"SeriesDescription": "scan"}, level="study"
    )
    stored, source = (pydicom.dcmread(io.BytesIO(file)) for file in (result.blobs[0], structure_set))
    assert stored[0x42051001].value[: len(model)] == model
    assert (stored.StudyInstanceUID, stored.SeriesDescription) == (source.StudyInstanceUID, "scan")
    alone = pydicom.dcmread(io.BytesIO(perform(real_pool, "create_nexus", [model], tags={}).blobs[0]))
    assert alone.StudyInstanceUID != source.StudyInstanceUID
    with pytest.raises(errors.InvalidInput, match="not a valid Nexus file"):
        perform(real_pool, "create_nexus", [b"x" * 1000], tags={})
    with pytest.raises(errors.InvalidInput, match="cut off"):
        perform(real_pool, "create_nexus", [model[:-1000]], tags={})


def test_memory_levels_off_over_many_conversions(real_pool: LocalPool, structure_set: bytes) -> None:
    def resident(count: int) -> list[int]:
        levels = []
        for _ in range(count):
            convert(real_pool, [structure_set], Structures=["Heart"])
            levels.append(real_pool._idle[-1].resident)
        return levels

    assert max(resident(6)) + 20e6 > max(resident(14)[-5:])


def test_tags_are_looked_at_before_anything_else(real_pool: LocalPool) -> None:
    """A mesh may take a minute: nobody waits for it to be told of a tag. Here not even the file is a file."""
    with pytest.raises(errors.Overridden, match="SOPInstanceUID"):
        convert(real_pool, [b"no file at all"], Structures=[1], Tags={"SOPInstanceUID": "1.2.3"})


def test_tags_are_compared_with_the_parent_before_a_mesh_is_made(real_pool: LocalPool, structure_set: bytes) -> None:
    steps = []
    with pytest.raises(errors.Overridden, match="PatientID"):
        convert(
            real_pool, [structure_set], lambda *now: steps.append(now[1]), Structures=["Heart"], Tags={"PatientID": "X"}
        )
    assert steps == ["reading the file"]


@pytest.mark.parametrize("name", ["liver.nii", "/secret/liver.nii", "C:\\Users\\me\\liver.nii", "a/liver.nii"])
def test_the_folders_of_a_file_are_not_stored(name: str) -> None:
    _, stored = converted.convert(nifti_file(ball_mask((9, 9, 9), 3)), name, None)
    assert pydicom.dcmread(io.BytesIO(stored)).SeriesDescription == "liver.nii: label 1"
    assert b"secret" not in stored
